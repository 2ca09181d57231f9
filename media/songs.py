"""Open a song that somebody uploaded, and decode what really sounds in it. Locked like a clip (see ``media.source``), and the
decoders are a list of our own besides: a WAV file may carry almost anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from core.errors import CorruptMedia, UnsupportedMedia
from core.media import SONG_BYTES, SONG_SECONDS
from media import limits
from media.admission import oversized, read_head, unsupported
from media.reels import RATE, Samples
from media.sniff import SONGS
from media.source import reading

LEAST_SECONDS: Final = 2.0
"""A file of which less decodes is no song but what was left of one."""
DECODERS: Final = (
    *("mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float", "aac", "alac", "ac3", "eac3", "flac", "opus", "vorbis"),
    *("libopus", "pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le"),
    *("pcm_f32be", "pcm_f64le", "pcm_alaw", "pcm_mulaw", "adpcm_ms", "adpcm_ima_wav"),
)
_FORMATS: Final = {"mov": "mov,mp4,m4a,3gp,3g2,mj2"}
"""What a demuxer calls itself where that is not the name by which it is forced."""
_RATES: Final = (4_000, 384_000)
_MOST_CHANNELS: Final = 24
_MOST_BAD_PACKETS: Final = 2_000
_MOST_PACKETS: Final = 4_000_000
"""About what 50 MB of the smallest packets are."""


@dataclass(frozen=True, slots=True)
class SongFile:
    """An open song: its container and the one sound that is taken of it."""

    container: InputContainer
    stream: AudioStream


@contextmanager
def open_song(path: Path, most_bytes: int = SONG_BYTES) -> Iterator[SongFile]:
    """Open and check ``path``; raises ``UnsupportedMedia``, ``CorruptMedia`` or ``OversizedMedia``."""
    looks, _, _ = read_head(path, most_bytes)
    demuxer = SONGS.get(looks.kind)
    if demuxer is None:
        raise unsupported(looks)
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": _FORMATS.get(demuxer, demuxer),
        "codec_whitelist": ",".join(DECODERS),
        "probesize": str(2 * limits.MIB),
    }
    if demuxer == "mov":
        options |= {"enable_drefs": "0", "use_absolute_path": "0"}
    arguments: dict[str, Any] = {"format": demuxer, "options": options, "metadata_errors": "replace"}
    with reading():
        try:
            container = av.open(f"file:{path.absolute()}", mode="r", **arguments)
        except (MemoryError, av.MemoryError) as error:
            raise CorruptMedia("its index asks for more memory than any song needs") from error
    with container:
        if not container.streams.audio:
            raise (
                CorruptMedia("no sound inside")
                if looks.kind != "mp4"
                else UnsupportedMedia(
                    "a clip without sound", values={"found": "a clip without sound", "kind": "silent"}
                )
            )
        stream = container.streams.audio[0]
        _check(stream)
        yield SongFile(container, stream)


def _check(stream: AudioStream) -> None:
    context = stream.codec_context
    if context.name not in DECODERS:
        raise UnsupportedMedia("a codec of another kind", values={"found": "a rare kind of recording", "kind": "codec"})
    if not _RATES[0] <= context.sample_rate <= _RATES[1] or not 1 <= context.layout.nb_channels <= _MOST_CHANNELS:
        raise CorruptMedia("the header makes no sense")
    context.thread_count = 1


def song_sound(path: Path, most_seconds: float = SONG_SECONDS) -> Iterator[Samples]:
    """Yield the song as 48 kHz stereo in pieces, one after the other as they decode: no header and no timestamp makes it longer.

    A cut or damaged file yields what decodes. Raises ``OversizedMedia`` behind ``most_seconds``.
    """
    with open_song(path) as song:
        heard, resampler, shape = 0, None, None
        for frame in _frames(song):
            if shape != (frame.format.name, frame.layout.name, frame.sample_rate):
                shape = (frame.format.name, frame.layout.name, frame.sample_rate)
                resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
            assert resampler is not None  # noqa: S101 - made with the first shape
            frame.pts = None
            with reading():
                ready = resampler.resample(frame)
            for part in ready:
                chunk = np.nan_to_num(part.to_ndarray().astype(np.float32, copy=False), nan=0.0, posinf=0.0, neginf=0.0)
                np.clip(chunk, -4.0, 4.0, out=chunk)
                heard += chunk.shape[1]
                if heard > most_seconds * RATE:
                    rest = _left(song)
                    raise oversized("seconds", round(heard / RATE + rest, 1), most_seconds)
                yield chunk


def _frames(song: SongFile) -> Iterator[AudioFrame]:
    bad = 0
    packets = song.container.demux(song.stream)
    for _ in range(_MOST_PACKETS):
        try:
            packet = next(packets, None)
        except av.InvalidDataError:  # what was read so far stays
            return
        except av.FFmpegError:
            with reading():
                raise
        if packet is None:
            return
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            bad += 1
            if bad > _MOST_BAD_PACKETS:
                raise CorruptMedia("hardly a packet decodes") from None
            continue
        except av.FFmpegError:
            with reading():
                raise
        for frame in frames:
            if frame.samples:
                yield frame


def _left(song: SongFile) -> float:
    """Seconds that the packets behind the limit claim, for the refusal to name; not decoded."""
    ticks = 0
    try:
        for number, packet in enumerate(song.container.demux(song.stream)):
            ticks += packet.duration or 0
            if number > _MOST_PACKETS:
                break
    except av.FFmpegError:
        pass
    return float(ticks * (song.stream.time_base or 0))
