"""The sound of a film with music: music and the clips' own sound, each at its level, faded at both ends, as loud as other films.

Everything streams. It is heard twice: once to measure, once to be written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Full, Queue
from threading import Event, Thread
from typing import Final, Protocol

import numpy as np

from core.media import ClipSound
from media.beats import Beats, Listener
from media.joining import Stream, steps
from media.mastering import SILENT, TARGET, Limiter, Meter, Row, decibels, lufs
from media.reels import RATE, Samples, silence
from media.songs import song_sound

UNDER: Final = 6.0
"""Decibels by which music is mixed below clips that keep their sound."""
DUCKED: Final = 12.0
"""Decibels by which clips are mixed below the music where they are ducked."""
FADE_IN: Final = 0.03
FADE_OUT: Final = 2.0
_RELEASE: Final = 1.5
"""Seconds in which clips come up again behind the last of the music."""
_MOST_BOOST: Final = 12.0
"""Decibels that a quiet clip is turned up at most: its noise comes with it."""
_MOST_CHANGE: Final = 30.0

Sound = Callable[[], Iterator[Samples]]
"""Plays from the beginning every time it is called."""


class Music(Protocol):
    """What lies under a film."""

    @property
    def seconds(self) -> float:
        """How long it plays by itself."""
        ...

    @property
    def repeats(self) -> bool:
        """Whether it goes on until the film ends."""
        ...

    def play(self, samples: int) -> Iterator[Samples]:
        """Yield up to ``samples`` of it, and end where it ends."""
        ...


@dataclass(frozen=True, slots=True)
class SongMusic:
    """A song that was heard once. One with beats begins again when it has ended before the film; speech and the like do not."""

    path: Path
    length: int
    """Samples."""
    beats: Beats | None

    @property
    def seconds(self) -> float:
        """Length of the file."""
        return self.length / RATE

    @property
    def repeats(self) -> bool:
        """Whether it begins again."""
        return self.beats is not None

    def grid(self, seconds: float) -> Row | None:
        """The beats of a film of ``seconds``: those of every time it is played."""
        if self.beats is None:
            return None
        times = int(seconds / self.seconds) + 1
        return np.concatenate([self.beats.times + turn * self.seconds for turn in range(times)])

    def play(self, samples: int) -> Iterator[Samples]:
        """See ``Music``."""
        at = 0
        while at < samples:
            before = at
            for chunk in song_sound(self.path):
                yield chunk[:, : samples - at]
                at += chunk.shape[1]
                if at >= samples:
                    return
            if at == before or not self.repeats:
                return


def hear_song(path: Path, step: Callable[[float], None]) -> SongMusic:
    """Listen to a song once; ``step`` gets its seconds so far."""
    listener, length = Listener(), 0
    for chunk in song_sound(path):
        listener.hear(chunk)
        length += chunk.shape[1]
        step(length / RATE)
    return SongMusic(path, length, listener.beats())


@dataclass(frozen=True, slots=True)
class Levels:
    """Factors."""

    music: float
    clips: float
    released: float
    """Of the clips where no music plays any more."""
    whole: float


KEPT: Final = 90 * RATE
"""Up to so many samples what was measured is kept to be mixed (70 MB); a longer film plays its music and its clips twice."""
AHEAD: Final = 4
"""Pieces that are mixed while the one before is encoded."""


def ahead(pieces: Iterator[Samples]) -> Iterator[Samples]:
    """The same pieces, made in a thread of their own; mixing and encoding both let the other work."""
    made: Queue[Samples | BaseException | None] = Queue(AHEAD)
    ended = Event()

    def put(piece: Samples | BaseException | None) -> None:
        while not ended.is_set():
            try:
                made.put(piece, timeout=0.2)
            except Full:
                continue
            return

    def make() -> None:
        try:
            for piece in pieces:
                put(piece)
                if ended.is_set():
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001 - raised again where the pieces are taken
            put(error)

    Thread(target=make, daemon=True).start()
    try:
        while (piece := made.get()) is not None:  # the thread always ends with a word; the deadline is the child's
            if isinstance(piece, BaseException):
                raise piece
            yield piece
    finally:
        ended.set()


def mixed(
    music: Music, clips: Sound | None, samples: int, clip_sound: ClipSound, step: Callable[[float], None]
) -> Sound:
    """Return the finished sound of a film of ``samples``. Measures it first; ``step`` gets the seconds measured so far."""
    if clip_sound == "drop":
        clips = None
    ends = samples / RATE if music.repeats else min(music.seconds, samples / RATE)
    meters = Meter(), Meter()
    # One after the other: in threads of their own they hold each other up (2.4 s instead of 2.1 s for half a minute, 2026-11-22).
    streams = Stream(music.play(samples)), Stream(clips() if clips else silence(samples))
    kept: tuple[list[Samples], list[Samples]] = [], []
    for first, size in steps(samples):
        for meter, stream, heard in zip(meters, streams, kept, strict=True):
            chunk = stream.take(size)
            meter.hear(chunk)
            if samples <= KEPT:
                heard.append(chunk)
        step((first + size) / RATE)
    levels = _levels(meters[0].powers(), meters[1].powers(), ends, clip_sound)

    def finished() -> Iterator[Samples]:
        if samples <= KEPT:
            both = Stream(iter(kept[0])), Stream(iter(kept[1]))
        else:
            both = Stream(music.play(samples)), Stream(clips() if clips else silence(samples))
        return ahead(Limiter(levels.whole).limited(_layers(*both, samples, ends, levels)))

    return finished


def _levels(music: Row, clips: Row, ends: float, clip_sound: ClipSound) -> Levels:
    """How loud each is, from their powers in tenths of a second."""
    song, own = lufs(music), lufs(clips)
    up = float(np.clip(TARGET - song, -_MOST_CHANGE, _MOST_CHANGE)) if song > SILENT else 0.0
    own_up = float(np.clip(TARGET - own, -_MOST_CHANGE, _MOST_BOOST)) if own > SILENT else 0.0
    released = decibels(own_up)
    if clip_sound == "keep" and own > SILENT:
        up -= UNDER
    if clip_sound == "duck" and song > SILENT:
        own_up -= DUCKED
    quiet = np.arange(len(clips)) / 10 >= ends
    shares = np.where(quiet, released, decibels(own_up)) ** 2
    loud = lufs(music[: len(clips)] * decibels(up) ** 2 + clips * shares)
    whole = float(np.clip(TARGET - loud, -_MOST_CHANGE, _MOST_CHANGE)) if loud > SILENT else 0.0
    return Levels(decibels(up), decibels(own_up), released, decibels(whole))


def _layers(music: Stream, clips: Stream, samples: int, ends: float, levels: Levels) -> Iterator[Samples]:
    length = samples / RATE
    out = min(FADE_OUT, length / 4)
    last = ends >= length - 0.001
    for first, size in steps(samples):
        time = (first + np.arange(size)) / RATE
        whole = np.clip(time / FADE_IN, 0, 1) * _fall((length - time) / out)
        song = 1.0 if last else _fall((ends - time) / min(out, ends / 4))
        own = np.interp(time, (ends - _RELEASE / 2, ends + _RELEASE / 2), (levels.clips, levels.released))
        if last:
            own = np.full(size, levels.clips)
        layers = music.take(size) * (levels.music * song) + clips.take(size) * own
        yield (layers * whole).astype(np.float32)


def _fall(left: Row) -> Row:
    """From 1 to 0 as what is left goes from 1 to 0, softly at both ends."""
    part = np.clip(left, 0, 1)
    return np.asarray(part * part * (3 - 2 * part), dtype=np.float64)
