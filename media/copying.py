"""Join or refresh clips without decoding: packets move to a new container, nothing else does."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
from av.container import OutputContainer
from av.stream import Stream

from media.source import Clip, open_clip, reading


def copy_streams(
    sources: Sequence[Path], output: Path, step: Callable[[int], None], agree: Callable[[Clip], None] | None = None
) -> list[float]:
    """Write the pictures and sound of ``sources``, one after the other, as MP4 with its index in front; return the second
    at which each of them ends.

    The caller knows that the streams agree, or looks at each clip in ``agree`` before it is copied, and raises there. Metadata,
    chapters and all other streams stay behind. ``step`` gets packets so far.
    """
    shift = Fraction(0)
    ends: list[float] = []
    last = len(sources) - 1
    packets = 0
    with av.open(
        str(output), "w", format="mp4", container_options={"movflags": "+faststart", "fflags": "+bitexact"}
    ) as target:
        lanes: dict[str, Lane] = {}
        for place, path in enumerate(sources):
            with open_clip(path) as clip, reading():
                if agree is not None:
                    agree(clip)
                seconds = _length(clip)
                if not lanes:
                    lanes = {stream.type: Lane(target, stream) for stream in _streams(clip)}
                origin = origin_of(clip)
                kinds = {stream.index: lanes.get(stream.type) for stream in _streams(clip)}
                for stream in _streams(clip):
                    if (begun := kinds[stream.index]) is not None:
                        begun.begin(stream, shift - origin, None if place == last else shift + seconds)
                for packet in clip.container.demux(*_streams(clip)):
                    lane = kinds.get(packet.stream_index)
                    if lane is not None and packet.size:
                        lane.write(packet)
                        packets += 1
                        step(packets)
                shift += seconds
                ends.append(float(shift))
    return ends


def _streams(clip: Clip) -> list[Stream]:
    return [clip.video] if clip.audio is None else [clip.video, clip.audio]


def _length(clip: Clip) -> Fraction:
    """Exact length of the pictures: their number over their rate, which does not gather rounding over many joins."""
    measured = clip.measure()
    clip.container.seek(0)
    counted = Fraction(measured.frames) / clip.fps
    even = abs(float(counted) - measured.seconds) < 0.5 / clip.fps
    return counted if even else Fraction(measured.seconds).limit_denominator(90_000)


def origin_of(clip: Clip) -> Fraction:
    """Time of the first picture, which becomes the join."""
    start, base = clip.video.start_time, clip.video.time_base
    return Fraction(start) * base if start is not None and base is not None else Fraction(0)


_NEVER: Final = 1 << 62


class Lane:
    """One output stream; keeps its decode times rising, because the priming of AAC overlaps at every join (mux error
    22).
    """

    def __init__(self, target: OutputContainer, source: Stream) -> None:
        """Add a stream like ``source`` to ``target``, without its metadata."""
        self._target = target
        self._stream = target.add_stream_from_template(source)
        self._stream.metadata.clear()
        self._sound = source.type == "audio"
        self._last: int | None = None
        self._ticks, self._end = 0, _NEVER

    def begin(self, source: Stream, shift: Fraction, end: Fraction | None) -> None:
        """Take packets of ``source`` from now on, moved by ``shift``; sound that would last beyond ``end`` would eat the next clip's
        beginning.
        """
        base = source.time_base or Fraction(1, 1000)
        self._ticks = round(shift / base)
        self._end = _NEVER if end is None or not self._sound else math.ceil(end / base)

    def write(self, packet: av.Packet[Any]) -> None:
        """Write ``packet``. Whole numbers only: fractions took twice as long as all the rest of a copy."""
        dts, pts = packet.dts, packet.pts
        if dts is None or pts is None:
            return
        dts, pts = dts + self._ticks, pts + self._ticks
        if self._last is not None and dts <= self._last:
            if self._sound:
                return
            dts = self._last + 1  # a picture is never left out
        if pts >= self._end:
            return
        packet.dts, packet.pts = dts, pts
        self._last = dts
        packet.stream = self._stream
        self._target.mux(packet)
