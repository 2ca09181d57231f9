"""A clip as two even reels: pictures at one rate and size, and sound of exactly the same length. Memory stays bounded.

Whatever the source does with its timestamps, ``pictures`` yields exactly the number asked for and ``sound`` exactly the
samples asked for, so everything behind them can count instead of compare times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from core.errors import CorruptMedia
from media.limits import FOUR_K_PIXELS
from media.memory import raise_for_large_pictures
from media.source import Clip, open_clip, reading

RATE: Final = 48_000
"""Samples a second of all sound that we write; always two channels."""
CHUNK: Final = 4800
_GAP: Final = RATE // 5
"""A hole in the sound longer than this is filled with silence; shorter ones are rounding."""
_MOST_BAD_PACKETS: Final = 100
_MOST_FPS: Final = 60

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Canvas:
    """Size and rate of the pictures to make; both sides even, because 4:2:0 has one colour for two pixels."""

    width: int
    height: int
    fps: Fraction

    @property
    def lines(self) -> int:
        """The short side, which people call 720p whichever way the picture stands."""
        return min(self.width, self.height)

    def frames(self, seconds: float) -> int:
        """Pictures in ``seconds``, at least one."""
        return max(1, round(seconds * self.fps))

    def scaled(self, lines: int) -> Canvas:
        """The same shape with ``lines`` on its short side."""
        factor = lines / self.lines
        return Canvas(even(self.width * factor), even(self.height * factor), self.fps)

    def slowed(self, most_fps: int) -> Canvas:
        """The same size, every second picture (or fewer) when it runs faster than ``most_fps``."""
        fps = self.fps
        while fps > most_fps:
            fps /= 2
        return Canvas(self.width, self.height, fps)


@dataclass(frozen=True, slots=True)
class Reel:
    """What must be known of a clip before it is wound on: its natural canvas and its length."""

    path: Path
    canvas: Canvas
    seconds: float
    start: Fraction
    """Time of the first picture in the file's own clock."""
    has_sound: bool
    stored: int
    """Pictures in the file."""
    even: bool
    """Whether they follow one another at the canvas's rate, each in its place, so that packets can be counted instead of timed."""


def even(value: float) -> int:
    """Return the nearest even number, at least 2."""
    return max(2, round(value / 2) * 2)


def thread(path: Path) -> Reel:
    """Look at the clip once: count its pictures and decode one for its shape."""
    with open_clip(path) as clip:
        measured = clip.measure()
        with reading():
            first = next(iter(clip.decode_from(measured.start, 1)), None)
        if first is None or measured.seconds <= 0:
            raise CorruptMedia("no picture decodes")
        if first.width * first.height > FOUR_K_PIXELS:
            raise_for_large_pictures()
        width, height = first.width * clip.sar, Fraction(first.height)
        if first.rotation % 180:
            width, height = height, width
        base = clip.video.time_base or Fraction(1, 1000)
        canvas = Canvas(even(float(width)), even(float(height)), clip.fps).slowed(_MOST_FPS)
        even_paced = (
            not measured.hidden
            and canvas.fps == clip.fps
            and abs(float(measured.frames / canvas.fps) - measured.seconds) < 0.5 / canvas.fps
        )
        heard = clip.audio_codec is not None
        return Reel(path, canvas, measured.seconds, measured.start * base, heard, measured.frames, even_paced)


def pictures(reel: Reel, canvas: Canvas, count: int) -> Iterator[VideoFrame]:
    """Yield exactly ``count`` upright pictures of ``canvas``, letterboxed if the shape differs, the last one repeated
    if need be.

    A frame is only good until the next is taken, unless the taker keeps a reference; its timestamp means nothing.
    """
    sent = 0
    latest: VideoFrame | None = None
    with open_clip(reel.path) as clip:
        painter = _Painter(canvas, clip.sar)
        for frame in _decoded(clip):
            slot = round((Fraction(frame.pts or 0) * (frame.time_base or Fraction(1, 1000)) - reel.start) * canvas.fps)
            while latest is not None and sent < min(slot, count):
                yield latest
                sent += 1
            if sent >= count:
                return
            if slot >= sent or latest is None:
                latest = painter.paint(frame)
    if latest is None:
        raise CorruptMedia("no picture decodes")
    for _ in range(count - sent):
        yield latest


def _decoded(clip: Clip) -> Iterator[VideoFrame]:
    with reading():
        yield from clip.container.decode(clip.video)


class _Painter:
    """Scale, turn, letterbox and convert; the graph is built for the first frame, and again should the source change
    its shape.
    """

    def __init__(self, canvas: Canvas, sar: Fraction) -> None:
        self._canvas, self._sar = canvas, sar
        self._shape: tuple[Any, ...] = ()
        self._graph = Graph()

    def paint(self, frame: VideoFrame) -> VideoFrame:
        shape = (
            frame.width,
            frame.height,
            frame.format.name,
            frame.colorspace,
            frame.color_range,
            frame.rotation % 360,
        )
        with reading():
            if shape != self._shape:
                self._graph, self._shape = self._build(frame), shape
            frame.pts = None
            self._graph.vpush(frame)
            return self._graph.vpull()

    def _build(self, frame: VideoFrame) -> Graph:
        width, height, turn = frame.width * self._sar, Fraction(frame.height), frame.rotation % 360
        if turn % 180:
            width, height = height, width
        factor = min(self._canvas.width / width, self._canvas.height / height)
        inner = (
            min(self._canvas.width, even(float(width * factor))),
            min(self._canvas.height, even(float(height * factor))),
        )
        matrix = (
            "auto"
            if frame.colorspace in (1, 4, 5, 6, 7, 9)
            else ("bt709" if min(frame.width, frame.height) >= 720 else "smpte170m")
        )
        steps: list[tuple[str, str]] = {
            90: [("transpose", "cclock")],
            180: [("hflip", ""), ("vflip", "")],
            270: [("transpose", "clock")],
        }.get(turn, [])
        steps = [
            *steps,
            (
                "scale",
                f"{inner[0]}:{inner[1]}:flags=bicubic+accurate_rnd:in_color_matrix={matrix}:out_color_matrix=bt709:out_range=tv",
            ),
            ("format", "yuv420p"),
            ("pad", f"{self._canvas.width}:{self._canvas.height}:(ow-iw)/2:(oh-ih)/2:black"),
            ("setsar", "1"),
        ]
        graph = Graph()
        graph.threads = 1
        last = graph.add(
            "buffer",
            f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:time_base=1/1000:pixel_aspect=1/1"
            f":colorspace={frame.colorspace}:range={frame.color_range}",
        )
        for name, arguments in steps:
            step = graph.add(name, arguments) if arguments else graph.add(name)
            last.link_to(step)
            last = step
        last.link_to(graph.add("buffersink"))
        graph.configure()
        return graph


def silence(samples: int) -> Iterator[Samples]:
    """Yield ``samples`` of nothing."""
    while samples > 0:
        size = min(samples, CHUNK)
        yield np.zeros((2, size), np.float32)
        samples -= size


def sound(reel: Reel, samples: int) -> Iterator[Samples]:
    """Yield exactly ``samples`` of 48 kHz stereo, in step with the first picture; silence where the source has none."""
    if not reel.has_sound:
        yield from silence(samples)
        return
    left = samples
    for chunk in _heard(reel, samples):
        if left <= 0:
            return
        part = chunk[:, :left]
        left -= part.shape[1]
        yield part
    yield from silence(left)


def _heard(reel: Reel, samples: int) -> Iterator[Samples]:
    with open_clip(reel.path) as clip:
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
        at: int | None = None  # position of the next sample; None until the first
        skip = 0
        for frame in _audible(clip):
            if frame.pts is not None and frame.time_base is not None:
                position = round((Fraction(frame.pts) * frame.time_base - reel.start) * RATE)
                if at is None:
                    at, skip = max(0, position), max(0, -position)
                    yield from silence(min(at, samples))
                elif position - skip - at > _GAP and position < samples:
                    yield from silence(position - at)
                    at = position
            with reading():
                ready = resampler.resample(frame)
            for part in ready:
                chunk = part.to_ndarray().astype(np.float32, copy=False)
                dropped = min(skip, chunk.shape[1])
                skip -= dropped
                at = (at or 0) + chunk.shape[1] - dropped
                if chunk.shape[1] > dropped:
                    yield chunk[:, dropped:]


def _audible(clip: Clip) -> Iterator[AudioFrame]:
    """Decode the sound; a damaged packet is a short hole, a hundred of them are a corrupt file."""
    bad = 0
    if clip.audio is None:
        return
    with reading():
        for packet in clip.container.demux(clip.audio):
            try:
                frames = packet.decode()
            except av.InvalidDataError:
                bad += 1
                if bad > _MOST_BAD_PACKETS:
                    raise
                continue
            for frame in frames:
                if isinstance(frame, AudioFrame):
                    yield frame
