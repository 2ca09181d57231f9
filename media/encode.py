"""Write the one kind of clip that plays everywhere: MP4, H.264 High yuv420p BT.709, AAC-LC 48 kHz stereo, index in
front.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Self

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from media.reels import RATE, Canvas, Samples

# The knee of size against time. A hard source of 8 s at 720p, CRF 20, measured 2026-11: superfast 3.7 CPU s and 9.7 MiB,
# veryfast 4.0 and 2.4, faster 6.5 and 2.7, medium 9.9 and 2.9.
_PRESET: Final = "veryfast"
_THREADS: Final = 2  # memory, fairness, and the same bytes on hosts with other core counts
_BT709: Final = 1
_LIMITED_RANGE: Final = 1
_STATS: Final = (
    "two-pass.log"  # relative: a child works in its private directory, and x264 splits its parameters at colons
)

PASS_ONE, PASS_TWO = 1, 2


class GrewTooLarge(Exception):
    """More bytes than ``most_bytes`` have been written; the rest would be wasted time."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Constant quality, or a bit rate over two passes."""

    crf: int | None = None
    bits_per_second: int = 0
    turn: int = 0

    def parameters(self, fps: Fraction) -> str:
        """Return the encoder's own parameter string."""
        keyint = max(1, round(2 * fps))  # a short distance keeps `last_frame` and seeking cheap
        parts = [f"threads={_THREADS}", "aq-mode=3", f"keyint={keyint}"]
        if self.crf is not None:
            return ":".join([*parts, f"crf={self.crf}"])
        kilobits = max(1, self.bits_per_second // 1000)
        rate = [f"bitrate={kilobits}", f"vbv-maxrate={kilobits * 3 // 2}", f"vbv-bufsize={kilobits * 2}"]
        return ":".join([*parts, *rate, f"pass={self.turn}", f"stats={_STATS}"])


def _set_up(context: VideoCodecContext, canvas: Canvas, quality: Quality) -> None:
    context.width, context.height, context.pix_fmt = canvas.width, canvas.height, "yuv420p"
    context.framerate, context.time_base = canvas.fps, 1 / canvas.fps
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = _LIMITED_RANGE
    context.options = {"preset": _PRESET, "profile": "high", "x264-params": quality.parameters(canvas.fps)}


def first_pass(canvas: Canvas, quality: Quality, pictures: Iterable[VideoFrame], step: Callable[[int], None]) -> None:
    """Let the encoder study ``pictures``; leaves its notes in the working directory. ``step`` gets the count so far."""
    context = av.CodecContext.create("libx264", "w")
    _set_up(context, canvas, quality)
    for number, frame in enumerate(pictures):
        _number(frame, number, canvas.fps)
        context.encode(frame)
        step(number + 1)
    context.encode(None)
    del context
    gc.collect()  # the notes are only complete when the encoder is closed, which happens when nothing holds it


def _number(frame: VideoFrame, number: int, fps: Fraction) -> None:
    frame.pts, frame.time_base = number, 1 / fps
    frame.pict_type = 0  # a picture type of the source would force the encoder's hand


class SoundTrack:
    """The one sound stream of a container that is being written: AAC-LC, 48 kHz, stereo."""

    def __init__(self, container: OutputContainer, bits: int, *, fast: bool = False) -> None:
        """``bits``: a second. ``fast``: a third of the time (0.013 s of a core for a second, not 0.038), for sound with bits to spare."""
        self._stream: AudioStream = container.add_stream("aac", rate=RATE, layout="stereo")
        self._stream.bit_rate = bits
        if fast:
            self._stream.options = {"aac_coder": "fast"}
        self.samples = 0

    def encode(self, samples: Samples) -> list[av.Packet[Any]]:
        """Take the next samples; return what became ready to be written."""
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.samples, Fraction(1, RATE)
        self.samples += samples.shape[1]
        return self._stream.encode(frame)

    def close(self) -> list[av.Packet[Any]]:
        """Return the rest."""
        return self._stream.encode(None)


class Encoder:
    """Pictures and sound in, a finished file out. Use as a context manager; on an error the partial file stays for the
    caller.
    """

    def __init__(
        self,
        output: Path,
        canvas: Canvas,
        quality: Quality,
        *,
        sound_bits: int | None,
        most_bytes: int | None = None,
    ) -> None:
        """``sound_bits``: AAC bits a second, None for a silent clip; ``most_bytes``: raise ``GrewTooLarge`` beyond."""
        self._container = av.open(
            str(output), "w", format="mp4", container_options={"movflags": "+faststart", "fflags": "+bitexact"}
        )
        self.canvas, self._most_bytes = canvas, most_bytes
        video = self._container.add_stream("libx264", rate=canvas.fps)
        _set_up(video.codec_context, canvas, quality)
        video.time_base = 1 / canvas.fps
        self._video: VideoStream = video
        self._audio = SoundTrack(self._container, sound_bits) if sound_bits is not None else None
        self.pictures = 0
        self.bytes = 0

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        """Close the file: complete if all went well, as it is otherwise."""
        if kind is None:
            self._mux(self._video.encode(None))
            if self._audio is not None:
                self._mux(self._audio.close())
        self._container.close()

    def picture(self, frame: VideoFrame) -> None:
        """Add the next picture."""
        _number(frame, self.pictures, self.canvas.fps)
        self._mux(self._video.encode(frame))
        self.pictures += 1

    def sound(self, samples: Samples) -> None:
        """Add the next samples."""
        if self._audio is not None:
            self._mux(self._audio.encode(samples))

    @property
    def samples(self) -> int:
        """Samples that were taken."""
        return self._audio.samples if self._audio is not None else 0

    def _mux(self, packets: list[av.Packet[Any]]) -> None:
        for packet in packets:
            self.bytes += packet.size
            self._container.mux(packet)
        if self._most_bytes is not None and self.bytes > self._most_bytes:
            raise GrewTooLarge


def encode(
    encoder: Encoder, pictures: Iterable[VideoFrame], sound: Iterator[Samples] | None, step: Callable[[int], None]
) -> None:
    """Feed both reels side by side, for a well interleaved file; ``step`` gets the count of pictures so far."""
    with encoder:
        fps = encoder.canvas.fps
        for frame in pictures:
            encoder.picture(frame)
            step(encoder.pictures)
            while sound is not None and encoder.samples < encoder.pictures / fps * RATE:
                chunk = next(sound, None)
                if chunk is None:
                    sound = None
                    break
                encoder.sound(chunk)
        for chunk in sound or ():
            encoder.sound(chunk)
