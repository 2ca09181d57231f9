"""Where a film is cut: how much of each clip is shown, and that a cut falls on a beat. Counts pictures, opens no file.

A clip is never stretched: it is shown whole, or it ends on the last beat that it reaches. In a crossfade two clips share ``overlap``
pictures, and the cut is the middle of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float64]

TITLE_SECONDS: Final = 2.5
LEAST_SHOWN: Final = 0.5
"""Seconds; when a film is made as short as its song, clips at the end are left out rather than shown for less."""
MOST_SHOWN: Final = 1024
"""Clips in a film that shows them again and again until its song ends."""
_TITLE_RANGE: Final = (1.8, 3.4)


@dataclass(frozen=True, slots=True)
class Take:
    """The first ``frames`` pictures of a clip."""

    clip: int
    frames: int
    whole: bool


@dataclass(frozen=True, slots=True)
class CutList:
    """A film before it is made. ``title``: pictures of the card in front, 0 without one."""

    fps: Fraction
    title: int
    overlap: int
    takes: tuple[Take, ...]

    @property
    def counts(self) -> list[int]:
        """Pictures of every piece, the card included."""
        return [*([self.title] if self.title else []), *(take.frames for take in self.takes)]

    @property
    def frames(self) -> int:
        """Pictures of the film."""
        return sum(self.counts) - self.overlap * (len(self.counts) - 1)

    @property
    def seconds(self) -> float:
        """Length of the film."""
        return float(self.frames / self.fps)

    @property
    def cuts(self) -> list[float]:
        """Seconds at which another clip is seen; the first clip counts when a card stands before it."""
        ends = np.cumsum(self.counts)[:-1] - self.overlap * np.arange(len(self.counts) - 1) - self.overlap // 2
        return [float(int(end) / self.fps) for end in ends]

    @property
    def trimmed(self) -> bool:
        """Whether a clip is cut shorter than it is."""
        return not all(take.whole for take in self.takes)


def overlap_of(lengths: Sequence[float], wanted: int) -> int:
    """Return how many pictures two clips may share: an even number, at most a third of the shortest."""
    return min(wanted, int(min(lengths)) // 3) // 2 * 2


def natural(lengths: Sequence[int], fps: Fraction, *, overlap: int = 0, title: int = 0) -> CutList:
    """Return every clip whole."""
    return CutList(fps, title, overlap, tuple(Take(clip, length, True) for clip, length in enumerate(lengths)))


def title_frames(fps: Fraction, beats: Row | None, overlap: int = 0) -> int:
    """Return how long the card stands: about ``TITLE_SECONDS``, to a beat where there is one."""
    seconds = TITLE_SECONDS
    if beats is not None:
        near = beats[(beats >= _TITLE_RANGE[0]) & (beats <= _TITLE_RANGE[1])]
        if len(near):
            seconds = float(near[np.argmin(np.abs(near - TITLE_SECONDS))])
    return max(2 * overlap + 1, round(seconds * fps) + overlap // 2)


class NotClean(Exception):
    """A clip would have to end where its packets cannot be parted."""


def on_beats(
    lengths: Sequence[int],
    fps: Fraction,
    beats: Row,
    *,
    overlap: int = 0,
    title: int = 0,
    clean: Sequence[Sequence[int]] | None = None,
) -> CutList:
    """Return the film whose cuts lie on ``beats`` (seconds), each clip as long as it can be.

    ``clean``: the counts after which each clip can end without being encoded; raises ``NotClean`` when none of them is within one
    picture of the beat. Where no beat is near (behind the last, or in a very short clip), a clip is shown whole.
    """
    half, takes = overlap // 2, []
    marks = np.round(beats * float(fps)).astype(np.int64)
    begins = title - half if title else 0
    for clip, length in enumerate(lengths):
        lead = half if begins else 0
        if clip == len(lengths) - 1:
            takes.append(Take(clip, length, True))
            break
        most = begins - lead + length - half
        frames = length
        reached = marks[marks <= most + 1]
        if len(reached) and most - reached[-1] > 1:
            wanted = int(reached[-1]) - begins + lead + half
            if wanted >= max(2 * overlap + 1, length // 2):
                frames = wanted if clean is None else _clean(clean[clip], wanted, length)
        takes.append(Take(clip, frames, frames == length))
        begins += frames - lead - half
    return CutList(fps, title, overlap, tuple(takes))


def _clean(counts: Sequence[int], wanted: int, length: int) -> int:
    near = [count for count in (*counts, length) if abs(count - wanted) <= 1]
    if not near:
        raise NotClean
    return min(near, key=lambda count: abs(count - wanted))


def fitted(
    lengths: Sequence[int],
    fps: Fraction,
    frames: int,
    beats: Row | None,
    *,
    overlap: int = 0,
    title: int = 0,
    clean: Sequence[Sequence[int]] | None = None,
) -> CutList:
    """Return a film of exactly ``frames`` pictures (within one for each cut where ``clean`` is given).

    Clips are shown again from the first on until they are enough, and all are cut shorter by the same share; a cut goes to the nearest
    beat within half a beat. Raises ``NotClean`` as ``on_beats`` does.
    """
    marks = np.round(beats * float(fps)).astype(np.int64) if beats is not None and len(beats) > 1 else None
    reach = float(np.median(np.diff(beats)) * float(fps)) / 2 if marks is not None and beats is not None else 0.0
    shown = _shown(lengths, fps, frames, overlap, title, reach)
    sizes = [lengths[clip] for clip in shown]
    pieces = len(sizes) + bool(title)
    share = min(1.0, (frames - title + overlap * (pieces - 1)) / sum(sizes))
    half, takes = overlap // 2, []
    begins = title - half if title else 0
    target = float(begins)
    for place, (clip, length) in enumerate(zip(shown, sizes, strict=True)):
        lead = half if begins else 0
        if place == len(shown) - 1:
            count = min(length, frames - begins + lead)
            count = count if clean is None or count == length else _clean(clean[clip], count, length)
            takes.append(Take(clip, max(1, count), count == length))
            break
        target += length * share - lead - half
        behind = sum(sizes[place + 1 :]) - overlap * (len(shown) - place - 2) - half
        most = begins - lead + length - half
        least = max(begins - lead + 2 * overlap + 1 - half, frames - behind)
        cut = int(min(max(round(target), least), most))
        if marks is not None:
            near = marks[(marks >= least) & (marks <= most) & (np.abs(marks - target) <= reach)]
            if len(near):
                cut = int(near[np.argmin(np.abs(near - target))])
        wanted = cut - begins + lead + half
        count = wanted if clean is None or wanted == length else _clean(clean[clip], wanted, length)
        takes.append(Take(clip, count, count == length))
        begins += count - lead - half
    return CutList(fps, title, overlap, tuple(takes))


def _shown(
    lengths: Sequence[int], fps: Fraction, frames: int, overlap: int, title: int, spare: float = 0.0
) -> list[int]:
    """Which clips are shown, in order: all, more than all, or fewer, as the song wants.

    ``spare``: pictures that each of more than all should have left over, for its cut to be moved to a beat.
    """
    room = frames - title + (overlap if title else 0)
    again = sum(lengths) - overlap * (len(lengths) - 1) < room
    shown: list[int] = []
    total = 0.0
    while len(shown) < len(lengths) or (total < room and len(shown) < MOST_SHOWN):
        length = lengths[len(shown) % len(lengths)]
        total += max(1.0, length - (overlap if shown else 0) - (spare if again else 0.0))
        shown.append(len(shown) % len(lengths))
    most = int(room / max(LEAST_SHOWN * fps, 2 * overlap + 1))
    return shown[: max(1, most)] if len(shown) <= len(lengths) else shown
