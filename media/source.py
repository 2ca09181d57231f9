"""Open a clip that somebody else made, with every door shut but the one it claims to use.

Three locks, because one alone was picked: PyAV 18.1 opens a ``.mp4`` that holds the text of an ffconcat list as such a
list, and with it any local file, which a protocol whitelist has to allow (tried 2026-11). So the demuxer is forced from the
first bytes, a format whitelist covers whatever that demuxer might open in turn, and a protocol whitelist leaves nothing
but local files.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from core.errors import CorruptMedia
from core.media import LEAST_SIDE
from media import limits
from media.admission import oversized, read_head, unsupported
from media.sniff import CLIPS, Looks

_RATES: Final = (
    *(Fraction(n) for n in (8, 10, 12, 15, 16, 20, 24, 25, 30, 48, 50, 60)),
    *(Fraction(n, 1001) for n in (24_000, 30_000, 60_000)),
)
_NAMES: Final = {
    "libdav1d": "av1",
    "libvpx": "vp8",
    "libvpx-vp9": "vp9",
    "libopus": "opus",
    "libvorbis": "vorbis",
    "aac_latm": "aac",
}
OPTIONS: Final = {
    "protocol_whitelist": "file,pipe",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm",
    "probesize": str(8 * limits.MIB),
}
_OUT_OF_ROOM: Final = (12, 27, 28)


@contextmanager
def reading() -> Iterator[None]:
    """Turn what the libraries raise on broken bytes into ``CorruptMedia``; want of memory or room passes through as it
    is.
    """
    try:
        yield
    except av.FFmpegError as error:
        if error.errno in _OUT_OF_ROOM or "external library" in str(error):
            raise
        raise CorruptMedia(f"the decoder stopped: {type(error).__name__}") from error
    except (ArithmeticError, ValueError, IndexError, EOFError, UnicodeError) as error:
        raise CorruptMedia(f"a value makes no sense: {type(error).__name__}") from error


@dataclass(frozen=True, slots=True)
class Measured:
    """What counting every packet of the picture told."""

    frames: int
    seconds: float
    start: int
    last_key: int
    """Timestamps in the stream's time base: first picture, last key picture."""
    hidden: bool
    """Whether the file holds pictures besides, which are decoded and never shown."""


class Clip:
    """An open clip: its container, its one picture stream and its sound stream, if any."""

    def __init__(self, path: Path, container: InputContainer, looks: Looks, size: int) -> None:
        """Take an open container whose header was already accepted."""
        self.path, self.container, self.looks, self.bytes = path, container, looks, size
        pictures = [s for s in container.streams.video if not _is_cover(s)]
        if not pictures:
            raise CorruptMedia("no picture stream")
        self.video: VideoStream = pictures[0]
        self.audio: AudioStream | None = container.streams.audio[0] if container.streams.audio else None

    @property
    def sar(self) -> Fraction:
        """Width of one stored pixel over its height."""
        return self.video.sample_aspect_ratio or Fraction(1)

    @property
    def fps(self) -> Fraction:
        """Frames a second, snapped to the customary rate when it is within half a percent of one."""
        rate = self.video.average_rate or self.video.guessed_rate or self.video.base_rate or Fraction(25)
        near = min(_RATES, key=lambda known: abs(known - rate))
        return near if abs(near - rate) <= rate / 200 else Fraction(rate).limit_denominator(1001)

    @property
    def video_codec(self) -> str:
        """Name of the picture codec."""
        name = self.video.codec_context.name
        return _NAMES.get(name, name)

    @property
    def audio_codec(self) -> str | None:
        """Name of the sound codec, None when silent."""
        if self.audio is None or self.audio.codec_context is None:
            return None
        name = self.audio.codec_context.name
        return _NAMES.get(name, name)

    def check(self) -> None:
        """Refuse by what the header claims, before a single picture is decoded."""
        context = self.video.codec_context
        width, height = context.width, context.height
        streams = len(self.container.streams)
        seconds = (self.container.duration or 0) / 1_000_000
        found = (
            ("streams", streams, limits.CLIP_STREAMS),
            ("side", max(width, height), limits.CLIP_SIDE),
            ("pixels", width * height, limits.CLIP_PIXELS),
            ("seconds", round(seconds, 2), limits.CLIP_SECONDS),
            ("frames per second", round(float(self.video.average_rate or 0), 2), limits.CLIP_FPS),
        )
        for what, value, most in found:
            if value > most:
                raise oversized(what, value, most)
        if min(width, height) < LEAST_SIDE:
            raise CorruptMedia(f"the picture is {width}×{height}")
        if not math.isfinite(seconds) or seconds < 0 or context.pix_fmt is None:
            raise CorruptMedia("the header makes no sense")
        if not Fraction(1, 8) <= self.sar <= 8:
            raise CorruptMedia("the pixels have an impossible shape")

    def measure(self) -> Measured:
        """Walk every picture packet to the end of the file, without decoding: a cut file shows here."""
        base = self.video.time_base or Fraction(1, 1000)
        most_ticks = int(limits.CLIP_SECONDS / base)
        count, start, end, last_key, hidden = 0, None, 0, 0, False
        for packet in self.container.demux(self.video):
            if packet.pts is None or packet.size == 0:
                continue
            if packet.is_discard:
                hidden = True
                continue
            count += 1
            start = packet.pts if start is None else min(start, packet.pts)
            end = max(end, packet.pts + (packet.duration or 0))
            if packet.is_keyframe:
                last_key = max(last_key, packet.pts)
            if count > limits.CLIP_PACKETS:
                raise oversized("frames", count, limits.CLIP_PACKETS)
            if end - start > most_ticks:
                raise oversized("seconds", round(float((end - start) * base), 1), limits.CLIP_SECONDS)
        if count == 0 or start is None:
            raise CorruptMedia("not one picture inside")
        if self.looks.kind == "mp4" and count < self.video.frames * 0.98 - 2:
            raise CorruptMedia(f"cut off: {count} of {self.video.frames} pictures are there")
        seconds = float((end - start) * base)
        if end - start <= 0 or last_key >= end:
            seconds = count / float(self.fps)
        return Measured(count, seconds, start, last_key, hidden)

    def decode_from(self, timestamp: int, most: int) -> Iterator[VideoFrame]:
        """Yield up to ``most`` pictures from the key picture at or before ``timestamp``."""
        self.container.seek(timestamp, stream=self.video, backward=True)
        for number, frame in enumerate(self.container.decode(self.video)):
            yield frame
            if number + 1 >= most:
                return


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


@contextmanager
def open_clip(path: Path, most_bytes: int = limits.CLIP_BYTES, threads: int = 2) -> Iterator[Clip]:
    """Open and check ``path``; raises ``UnsupportedMedia``, ``CorruptMedia`` or ``OversizedMedia``."""
    looks, size, _ = read_head(path, most_bytes)
    demuxer = CLIPS.get(looks.kind)
    if demuxer is None:
        raise unsupported(looks)
    options = dict(OPTIONS)
    if demuxer == "mov":
        options |= {"enable_drefs": "0", "use_absolute_path": "0"}
    with reading():
        arguments: dict[str, Any] = {"format": demuxer, "options": options, "metadata_errors": "replace"}
        try:
            container = av.open(f"file:{path.absolute()}", mode="r", **arguments)
        except (MemoryError, av.MemoryError) as error:
            raise CorruptMedia("its index asks for more memory than any clip needs") from error
        with container:
            clip = Clip(path, container, looks, size)
            clip.check()
            for stream in (clip.video, clip.audio):
                if stream is not None and stream.codec_context is not None:
                    stream.codec_context.thread_count = threads
            yield clip
