"""Small real clips, made in well under a second: moving bars on a colour, with a tone. Other rooms' tests and the lab
use them too.
"""

from __future__ import annotations

import io
import wave
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

Colour = tuple[int, int, int]

_RATE = 48_000


def canned_clip(
    path: Path,
    *,
    seconds: float = 1,
    width: int = 320,
    height: int = 180,
    audio: bool = True,
    colour: Colour = (40, 90, 160),
    fps: int = 24,
    codec: str = "libx264",
    audio_codec: str = "aac",
    noise: int = 0,
    faststart: bool = True,
    metadata: dict[str, str] | None = None,
    rotation: int = 0,
    pixel_shape: Fraction | None = None,
    keyint: int = 48,
    hertz: int = 330,
    sound_seconds: float | None = None,
    preset: str = "ultrafast",
) -> None:
    """Write a clip of exactly ``seconds * fps`` pictures: WebM by its suffix, else MP4.

    With a ``preset`` other than ultrafast some pictures need later ones. ``noise`` (0–255) makes it hard to compress;
    ``rotation`` is counter-clockwise degrees that a player applies.
    """
    webm = path.suffix == ".webm"
    options = {} if webm else {"movflags": "+faststart"} if faststart else {}
    with av.open(str(path), "w", format="webm" if webm else "mp4", container_options=options) as container:
        container.metadata.update(metadata or {})
        video = cast(VideoStream, container.add_stream(codec, rate=fps))
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.options = (
            {"preset": preset, "crf": "23", "threads": "1"}
            if codec == "libx264"
            else {"cpu-used": "8", "deadline": "realtime"}
        )
        video.codec_context.time_base = Fraction(1, fps)
        video.codec_context.gop_size = keyint
        if pixel_shape is not None:
            video.codec_context.sample_aspect_ratio = pixel_shape
        if rotation:
            video.set_display_rotation(rotation)
        sound = cast(AudioStream, container.add_stream(audio_codec, rate=_RATE, layout="stereo")) if audio else None
        random = np.random.default_rng(7)
        base = np.empty((height, width, 3), np.uint8)
        base[:] = colour
        total = round(seconds * fps)
        for number in range(total):
            picture = base.copy()
            at = (number * 4) % width
            picture[:, at : at + max(2, width // 16)] = 230
            if noise:
                grain = random.integers(0, noise, (height, width, 1), np.uint8)
                picture = np.clip(picture.astype(np.int16) + grain, 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound is not None:
            _tone(container, sound, sound_seconds or total / fps, hertz)


def _tone(container: OutputContainer, sound: AudioStream, seconds: float, hertz: int) -> None:
    samples = round(seconds * _RATE)
    wave = (0.2 * np.sin(2 * np.pi * hertz * np.arange(samples) / _RATE)).astype(np.float32)
    resampler = av.AudioResampler(format=sound.codec_context.format, layout="stereo", rate=_RATE)
    for start in range(0, samples, 4800):
        part = np.ascontiguousarray(np.stack([wave[start : start + 4800]] * 2))
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = _RATE, start, Fraction(1, _RATE)
        for ready in resampler.resample(frame):
            container.mux(sound.encode(ready))
    container.mux(sound.encode(None))


def tone(seconds: float = 6.0) -> bytes:
    """A song that is one quiet tone, as WAV."""
    rate = 8000
    samples = (6000 * np.sin(2 * np.pi * 220 * np.arange(int(seconds * rate)) / rate)).astype("<i2")
    found = io.BytesIO()
    with wave.open(found, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return found.getvalue()
