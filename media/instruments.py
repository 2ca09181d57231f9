"""The band of the built-in film music: drums, bass, pads, plucked notes and a melody, each a short synthesised sound."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from media.reels import RATE, Samples

Wave = NDArray[Any]
_TAU: Final = 2 * np.pi


def pitch(note: float) -> float:
    """Hertz of a MIDI note."""
    return float(440.0 * 2 ** ((note - 69) / 12))


def _time(seconds: float) -> Wave:
    return np.arange(max(1, round(seconds * RATE)), dtype=np.float32) / RATE


def panned(voice: Wave, where: float) -> Samples:
    """Mono to stereo at equal power; ``where`` from 0 (left) to 1."""
    angle = where * np.pi / 2
    return np.stack([voice * np.float32(np.cos(angle)), voice * np.float32(np.sin(angle))]).astype(np.float32)


@lru_cache(maxsize=4)
def kick(hard: float) -> Samples:
    """A bass drum: a tone that falls quickly, and a click that is heard on small speakers."""
    time = _time(0.42)
    sweep = _TAU * (46 * time + (62 + 60 * hard) / 34 * (1 - np.exp(-34 * time)))
    body = np.sin(sweep) * np.exp(-time * (9.5 - 2 * hard))
    click = np.sin(_TAU * 1900 * time) * np.exp(-time * 420) * (0.10 + 0.16 * hard)
    knock = np.sin(_TAU * 180 * time) * np.exp(-time * 60) * (0.25 + 0.2 * hard)
    voice = np.tanh(1.35 * (body + knock)) * 0.80 + click
    return panned(voice * np.clip(time / 0.0015, 0, 1) * np.clip((0.42 - time) / 0.05, 0, 1), 0.5) * np.float32(0.8)


def _noise(seed: int, samples: int, low: float, high: float) -> Wave:
    random = np.random.default_rng(seed)
    spectrum = np.fft.rfft(random.standard_normal(samples))
    hertz = np.fft.rfftfreq(samples, 1 / RATE)
    spectrum *= 1 / (1 + (low / np.maximum(hertz, 1.0)) ** 6) / (1 + (hertz / high) ** 6)
    noise = np.fft.irfft(spectrum, samples)
    return np.asarray(noise / max(1e-9, float(noise.std())), dtype=np.float32)


@lru_cache(maxsize=16)
def hat(kind: int, *, opened: bool = False) -> Samples:
    """A cymbal, struck shut or open; ``kind`` makes no two neighbours alike."""
    length = 0.34 if opened else 0.09
    time = _time(length)
    noise = _noise(100 + kind, len(time), 6800, 15_500)
    fall = np.exp(-time * (11 if opened else 62)) * np.clip((length - time) / 0.02, 0, 1)
    return panned(noise * fall * np.clip(time / 0.0008, 0, 1) * 0.24, 0.42 + 0.05 * (kind % 4))


@lru_cache(maxsize=4)
def clap(soft: float) -> Samples:
    """A snare between a brush and a clap."""
    time = _time(0.32)
    noise = _noise(31, len(time), 900, 7200 - 2500 * soft)
    bursts = sum(np.where(time >= at, np.exp(-(time - at).clip(0) * 160), 0) for at in (0.0, 0.011, 0.022))
    body = np.sin(_TAU * 188 * time) * np.exp(-time * 28) * 0.5
    tail = np.exp(-time * 17)
    voice = (noise * (0.30 * bursts + 0.55 * tail) * 0.30 + body) * np.clip((0.32 - time) / 0.05, 0, 1)
    wide = panned(voice, 0.5)
    wide[1] = np.roll(wide[1], 90)
    return wide * np.float32(0.75)


@lru_cache(maxsize=2)
def impact() -> Samples:
    """What a new scene lands on: a deep drum with a shimmer above."""
    time = _time(2.6)
    sweep = _TAU * (38 * time + 40 / 9 * (1 - np.exp(-9 * time)))
    boom = np.sin(sweep) * np.exp(-time * 2.3) * 0.38
    shine = np.stack([_noise(seed, len(time), 3800, 13_000) for seed in (51, 52)]) * np.exp(-time * 2.6) * 0.12
    crack = _noise(53, len(time), 300, 3000) * np.exp(-time * 40) * 0.16
    whole = (np.stack([boom + crack] * 2) + shine) * np.clip(time / 0.001, 0, 1) * np.clip((2.6 - time) / 0.4, 0, 1)
    return np.asarray(whole, dtype=np.float32)


def swell(seconds: float) -> Samples:
    """Breath that rises towards a cut and stops at it."""
    time = _time(seconds)
    part = time / seconds
    dark, light = _noise(61, len(time), 300, 1800), _noise(62, len(time), 2500, 9500)
    voice = (dark * (1 - part) + light * part) * part**2.6 * 0.13 * np.clip((seconds - time) / 0.012, 0, 1)
    return np.stack([voice * (0.8 + 0.2 * part), voice * (1.0 - 0.2 * part)]).astype(np.float32)


def bass(note: float, seconds: float, drive: float) -> Samples:
    """A round low tone; ``drive`` adds what small speakers can play of it."""
    time = _time(seconds + 0.08)
    base = _TAU * pitch(note) * time
    voice = np.sin(base) + 0.42 * np.sin(2 * base + 0.4) + (0.16 + 0.3 * drive) * np.sin(3 * base + 1.1)
    voice = np.tanh(voice * (1 + drive)) * np.exp(-time * 1.1)
    shape = np.clip(time / 0.008, 0, 1) * np.clip((seconds + 0.08 - time) / 0.08, 0, 1)
    return panned(voice * shape * 0.21, 0.5)


def pad(notes: tuple[float, ...], seconds: float, release: float, bright: float, start: float) -> Samples:
    """A chord of soft strings, slightly apart on both sides; ``bright`` opens it from 0 to 1."""
    time = _time(seconds + release)
    shape = np.sin(np.clip(time / 0.22, 0, 1) * np.pi / 2) * np.cos(
        np.clip((time - seconds) / release, 0, 1) * np.pi / 2
    )
    out = np.zeros((2, len(time)), np.float32)
    slow = 0.5 + 0.5 * np.sin(_TAU * 0.13 * (time + start))
    random = np.random.default_rng(int(sum(notes) * 8))
    for place, note in enumerate(notes):
        for channel in (0, 1):
            apart = 1 + (0.0016 if channel == place % 2 else -0.0013)
            base = (_TAU * pitch(note) * apart) * time + np.float32(random.random() * _TAU)
            voice = np.sin(base)
            for harmonic in (2, 3, 4, 5):
                weight = (0.5 * bright + 0.22 * slow) / harmonic**1.25
                voice += weight * np.sin(harmonic * base + np.float32(random.random() * _TAU))
            out[channel] += voice * np.float32(0.9 / (1 + 0.15 * place))
    return np.asarray(out * shape * 0.105, dtype=np.float32)


@lru_cache(maxsize=96)
def pluck(note: float, glass: float, seconds: float = 1.5) -> Wave:
    """A struck string (0) or a bell (1), mono."""
    time = _time(seconds)
    ratios = (1.0, 2.002 + 0.75 * glass, 3.99 + 1.4 * glass, 6.1)
    voice = np.zeros_like(time)
    for place, ratio in enumerate(ratios):
        if pitch(note) * ratio < 16_000:
            voice += (
                0.5**place
                * np.sin(_TAU * pitch(note) * ratio * time)
                * np.exp(-time * (3.4 - 1.2 * glass) * (1 + 1.1 * place))
            )
    shape = np.clip(time / 0.003, 0, 1) * np.clip((seconds - time) / 0.2, 0, 1)
    return np.asarray(voice * shape * 0.3, dtype=np.float32)


def lead(note: float, seconds: float, warm: float) -> Wave:
    """The melody's voice, between a flute and a soft horn, mono."""
    time = _time(seconds + 0.25)
    trembling = 0.0035 * np.sin(_TAU * 5.1 * time) * np.clip((time - 0.18) / 0.25, 0, 1)
    base = _TAU * np.cumsum(pitch(note) * (1 + trembling)) / RATE
    voice = np.sin(base) + (0.18 + 0.25 * warm) * np.sin(2 * base) + 0.12 * warm * np.sin(3 * base)
    shape = np.clip(time / 0.035, 0, 1) * np.clip((seconds + 0.25 - time) / 0.25, 0, 1)
    return np.asarray(voice * shape * (0.75 + 0.25 * np.exp(-time * 3)) * 0.19, dtype=np.float32)


@lru_cache(maxsize=4)
def room(seconds: float = 1.9) -> tuple[NDArray[Any], int]:
    """Spectrum of a room's answer (both channels) for blocks of up to five seconds, and the length of that answer."""
    length = round(seconds * RATE)
    time = np.arange(length) / RATE
    random = np.random.default_rng(77)
    size = 1 << 19
    tails = random.standard_normal((2, length)) * np.exp(-time * (6.9 / seconds)) * np.clip(time / 0.014, 0, 1)
    tails /= np.sqrt((tails**2).sum(axis=1, keepdims=True))
    hertz = np.fft.rfftfreq(size, 1 / RATE)
    return np.fft.rfft(tails, size, axis=1) / (1 + (hertz / 5200) ** 2) / (
        1 + (150 / np.maximum(hertz, 1)) ** 4
    ), length
