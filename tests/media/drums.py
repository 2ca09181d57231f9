"""Songs made up for tests, whose beats are known: drums over a chord; and what has none: noise, silence, syllables. And meters that
are not ours.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

RATE = 48_000
Sound = NDArray[np.float32]
Row = NDArray[np.float64]


def drums(tempo: float, seconds: float, *, metre: int = 4, first: float = 0.3) -> tuple[Sound, Row]:
    """Stereo sound, and the seconds of its beats: a bass drum on each, stronger on the first of a bar, hats between."""
    random = np.random.default_rng(5)
    samples = int(seconds * RATE)
    time = np.arange(RATE // 4) / RATE
    kick = np.sin(2 * np.pi * (50 * time + 3 * (1 - np.exp(-30 * time)))) * np.exp(-14 * time)
    hat = random.standard_normal(len(time)) * np.exp(-60 * time) * 0.15
    snare = random.standard_normal(len(time)) * np.exp(-22 * time) * 0.25
    beats = np.arange(first, seconds - 0.3, 60 / tempo)
    out = np.zeros(samples + RATE)
    for number, beat in enumerate(beats):
        at = round(beat * RATE)
        out[at : at + len(time)] += kick * (1.0 if number % metre == 0 else 0.55) + hat
        if metre == 4 and number % 2:
            out[at : at + len(time)] += snare
        half = round((beat + 30 / tempo) * RATE)
        out[half : half + len(time)] += 0.6 * hat
    out = out[:samples]
    for hertz in (220, 277, 330):
        out += 0.05 * np.sin(2 * np.pi * hertz * np.arange(samples) / RATE)
    return np.stack([out, out]).astype(np.float32) * np.float32(0.55), beats


def syllables(seconds: float, seed: int) -> Sound:
    """Voiced pieces of random length, pitch and distance, as in speech."""
    random = np.random.default_rng(seed)
    out, at = np.zeros(int(seconds * RATE)), 0.1
    while at < seconds - 0.4:
        time = np.arange(int(random.uniform(0.08, 0.3) * RATE)) / RATE
        hertz = random.uniform(90, 220)
        voice = sum(np.sin(2 * np.pi * hertz * part * time) / part for part in range(1, 16))
        shape = np.sin(np.pi * np.arange(len(time)) / len(time)) ** 0.5 * random.uniform(0.3, 1)
        out[int(at * RATE) : int(at * RATE) + len(time)] += 0.2 * voice * shape
        at += len(time) / RATE + (random.exponential(0.08) if random.random() > 0.15 else random.uniform(0.2, 0.9))
    return np.stack([out, out]).astype(np.float32)


def noise(seconds: float, level: float = 0.1) -> Sound:
    """White noise."""
    return (np.random.default_rng(3).standard_normal((2, int(seconds * RATE))) * level).astype(np.float32)


def write_song(path: Path, sound: Sound, codec: str = "pcm_s16le", container: str = "", **tags: str) -> Path:
    """Write ``sound`` as a file; ``codec`` mp3, aac, flac, libopus or a PCM."""
    name = {"libmp3lame": "mp3", "aac": "mp4", "flac": "flac", "libopus": "ogg"}.get(codec, "wav")
    with av.open(str(path), "w", format=container or name) as target:
        target.metadata.update(tags)
        stream: Any = target.add_stream(codec, rate=RATE, layout="stereo")
        resampler = av.AudioResampler(format=stream.codec_context.format, layout="stereo", rate=RATE)
        for first in range(0, sound.shape[1], 4800):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[:, first : first + 4800]), "fltp", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
            for ready in resampler.resample(frame):
                target.mux(stream.encode(ready))
        target.mux(stream.encode(None))
    return path


def heard(path: Path) -> Sound:
    """All sound of a file."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def metered(sound: Sound) -> tuple[float, float]:
    """LUFS and true peak in dB, by FFmpeg's ``ebur128``."""
    graph = Graph()
    source = graph.add("abuffer", f"sample_rate={RATE}:sample_fmt=fltp:channel_layout=stereo:time_base=1/{RATE}")
    meter, sink = graph.add("ebur128", "metadata=1:peak=true:video=0"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    told: dict[str, str] = {}
    for first in range(0, sound.shape[1], RATE):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[:, first : first + RATE]), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
        graph.push(frame)
        while True:
            try:
                told = dict(graph.pull().metadata)
            except (av.BlockingIOError, av.EOFError):
                break
    loudest = max(float(told[f"lavfi.r128.true_peaks_ch{channel}"]) for channel in (0, 1))
    return float(told["lavfi.r128.I"]), float(20 * np.log10(max(1e-9, loudest)))


def strength(sound: Sound, hertz: float, first: float, last: float) -> float:
    """Amplitude of one tone between two moments."""
    part = sound[0, int(first * RATE) : int(last * RATE)]
    time = np.arange(len(part)) / RATE
    return float(2 * abs((part * np.exp(-2j * np.pi * hertz * time) * np.hanning(len(part)) * 2).mean()))
