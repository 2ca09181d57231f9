"""Join or refresh clips without decoding: packets move to a new container, nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer
from av.stream import Stream

from media.source import Clip, open_clip, reading


def copy_streams(sources: Sequence[Path], output: Path, step: Callable[[int], None]) -> float:
    """Write the pictures and sound of ``sources``, one after the other, as MP4 with its index in front; return its
    seconds.

    The caller knows that the streams agree. Metadata, chapters and all other streams stay behind. ``step`` gets packets
    so far.
    """
    shift = Fraction(0)
    last = len(sources) - 1
    packets = 0
    with av.open(
        str(output), "w", format="mp4", container_options={"movflags": "+faststart", "fflags": "+bitexact"}
    ) as target:
        lanes: dict[str, Lane] = {}
        for place, path in enumerate(sources):
            with open_clip(path) as clip, reading():
                seconds = _length(clip)
                if not lanes:
                    lanes = {stream.type: Lane(target, stream) for stream in _streams(clip)}
                origin = _origin(clip)
                for packet in clip.container.demux(*_streams(clip)):
                    lane = lanes.get(packet.stream.type)
                    if lane is not None and packet.size:
                        lane.write(packet, shift - origin, None if place == last else shift + seconds)
                        packets += 1
                        step(packets)
                shift += seconds
    return float(shift)


def _streams(clip: Clip) -> list[Stream]:
    return [clip.video] if clip.audio is None else [clip.video, clip.audio]


def _length(clip: Clip) -> Fraction:
    """Exact length of the pictures: their number over their rate, which does not gather rounding over many joins."""
    measured = clip.measure()
    clip.container.seek(0)
    counted = Fraction(measured.frames) / clip.fps
    even = abs(float(counted) - measured.seconds) < 0.5 / clip.fps
    return counted if even else Fraction(measured.seconds).limit_denominator(90_000)


def _origin(clip: Clip) -> Fraction:
    """Time of the first picture, which becomes the join."""
    start, base = clip.video.start_time, clip.video.time_base
    return Fraction(start) * base if start is not None and base is not None else Fraction(0)


class Lane:
    """One output stream; keeps its decode times rising, because the priming of AAC overlaps at every join (mux error
    22).
    """

    def __init__(self, target: OutputContainer, source: Stream) -> None:
        """Add a stream like ``source`` to ``target``, without its metadata."""
        self._target = target
        self._stream = target.add_stream_from_template(source)
        self._stream.metadata.clear()
        self._last: int | None = None

    def write(self, packet: av.Packet[Any], shift: Fraction, end: Fraction | None) -> None:
        """Write ``packet`` moved by ``shift``; sound that would last beyond ``end`` would eat the next clip's
        beginning.
        """
        base = packet.time_base
        ticks = round(shift / base)
        if packet.dts is None or packet.pts is None:
            return
        packet.dts += ticks
        packet.pts += ticks
        if self._last is not None and packet.dts <= self._last:
            return
        if end is not None and self._stream.type == "audio" and packet.pts * base >= end:
            return
        self._last = packet.dts
        packet.stream = self._stream
        self._target.mux(packet)
