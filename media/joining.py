"""Join pieces of a film, picture after picture and sample after sample, with a cut or a crossfade between them. Memory stays bounded:
only what two pieces share is held.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from media.reels import CHUNK, RATE, Samples


def joined_pictures(
    pieces: Sequence[Iterable[VideoFrame]], counts: Sequence[int], overlap: int
) -> Iterator[VideoFrame]:
    """Yield all pictures in order; only the last ``overlap`` of a piece are held back, to be blended with the next."""
    held: deque[VideoFrame] = deque()
    for place, (piece, count) in enumerate(zip(pieces, counts, strict=True)):
        coming, held = held, deque()
        last = place == len(counts) - 1
        faded = len(coming)
        for number, frame in enumerate(piece):
            shown = _blend(coming.popleft(), frame, (number + 1) / (faded + 1)) if coming else frame
            if last or number < count - overlap:
                yield shown
            else:
                held.append(shown)


def _blend(old: VideoFrame, new: VideoFrame, share: float) -> VideoFrame:
    """Mix two yuv420p pictures; all three planes are linear in the share, so a dissolve needs no other colour space."""
    weight = round(share * 256)
    before, after = old.to_ndarray().astype(np.uint16), new.to_ndarray().astype(np.uint16)
    mixed = ((before * (256 - weight) + after * weight + 128) >> 8).astype(np.uint8)
    return VideoFrame.from_ndarray(mixed, format="yuv420p")


def darkened(pictures: Iterable[VideoFrame], count: int, faded: int) -> Iterator[VideoFrame]:
    """Yield ``count`` pictures, the last ``faded`` of them falling to black."""
    for number, frame in enumerate(pictures):
        left = count - 1 - number
        yield frame if left >= faded else _dimmed(frame, left / faded)


def _dimmed(frame: VideoFrame, share: float) -> VideoFrame:
    weight = round(share * share * (3 - 2 * share) * 256)
    planes = frame.to_ndarray().astype(np.int32)
    ground = np.full((planes.shape[0], 1), 128, np.int32)
    ground[: frame.height] = 16
    mixed = (((planes - ground) * weight + 128) >> 8) + ground
    return VideoFrame.from_ndarray(mixed.astype(np.uint8), format="yuv420p")


def spans(counts: Sequence[int], overlap: int, fps: Fraction) -> list[tuple[int, int]]:
    """Return the first and the last sample (exclusive) of every piece in the film, in step with its pictures over any length."""
    found, at = [], 0
    for count in counts:
        found.append((round(at / fps * RATE), round((at + count) / fps * RATE)))
        at += count - overlap
    return found


def joined_sound(pieces: Sequence[Iterable[Samples]], where: Sequence[tuple[int, int]]) -> Iterator[Samples]:
    """Yield all sound; ``where`` is what ``spans`` says, and each piece as long as it says. Overlaps are mixed at equal power."""
    tail = np.zeros((2, 0), np.float32)
    for place, piece in enumerate(pieces):
        first, end = where[place]
        next_first = where[place + 1][0] if place + 1 < len(where) else end
        incoming, tail = tail, np.zeros((2, 0), np.float32)
        at = 0
        for chunk in piece:
            mixed = _mix(incoming, chunk, at)
            at += chunk.shape[1]
            body = min(mixed.shape[1], max(0, mixed.shape[1] - (first + at - next_first)))
            if body:
                yield mixed[:, :body]
            if body < mixed.shape[1]:
                tail = np.concatenate([tail, mixed[:, body:]], axis=1)


def _mix(old: Samples, new: Samples, at: int) -> Samples:
    """Return ``new``, which begins at sample ``at`` of its clip, with what is left of ``old`` fading out underneath."""
    length = old.shape[1]
    if at >= length:
        return new
    size = min(new.shape[1], length - at)
    angle = (np.arange(at, at + size, dtype=np.float32) + 0.5) / length * (np.pi / 2)
    mixed = new.copy()
    mixed[:, :size] = old[:, at : at + size] * np.cos(angle) + new[:, :size] * np.sin(angle)
    return mixed


def ended_softly(sound: Iterable[Samples], samples: int, fade: int = RATE // 50) -> Iterator[Samples]:
    """Yield a piece whose end is not its own without a click."""
    at = 0
    for chunk in sound:
        left = samples - at - np.arange(chunk.shape[1])
        at += chunk.shape[1]
        yield chunk * np.clip(left / fade, 0, 1).astype(np.float32) if left[-1] < fade else chunk


class Stream:
    """Sound in pieces of any size, taken in pieces of another; silence behind its end."""

    def __init__(self, sound: Iterator[Samples]) -> None:
        """``sound``: taken as it is needed."""
        self._sound, self._held = sound, np.zeros((2, 0), np.float32)

    def take(self, samples: int) -> Samples:
        """Return exactly so many samples."""
        parts: list[NDArray[np.float32]] = [self._held]
        size = self._held.shape[1]
        while size < samples:
            chunk = next(self._sound, None)
            if chunk is None:
                chunk = np.zeros((2, samples - size), np.float32)
            parts.append(chunk)
            size += chunk.shape[1]
        whole = np.concatenate(parts, axis=1) if len(parts) > 1 else self._held
        self._held = whole[:, samples:]
        return whole[:, :samples]


def steps(samples: int) -> Iterator[tuple[int, int]]:
    """Yield first sample and size of even steps through ``samples``."""
    for first in range(0, samples, CHUNK):
        yield first, min(CHUNK, samples - first)
