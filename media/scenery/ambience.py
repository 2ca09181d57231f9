"""The sounds of a place, from shaped noise and a few tones: sea, rain, wind, fire, city, crickets, birds, thunder, space, water."""

from __future__ import annotations

import numpy as np

from media.scenery.loudness import RATE, Sound, levelled
from media.scenery.music import pads, plucks, roomy
from media.scenery.world import World


def band(rng: np.random.Generator, samples: int, low: float, high: float, slope: float = 0.0) -> Sound:
    """Stereo noise between two frequencies, about 1 RMS; ``slope`` tilts it (−1 pink-like, −2 brown-like)."""
    size = 1 << int(np.ceil(np.log2(max(2, samples))))
    frequencies = np.fft.rfftfreq(size, 1 / RATE)
    shape = 1 / (1 + (low / np.maximum(frequencies, 1e-3)) ** 4) / (1 + (frequencies / high) ** 4)
    shape *= np.maximum(frequencies, 20.0) ** (slope / 2)
    out = np.empty((2, samples), dtype=np.float32)
    for channel in (0, 1):
        noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(size).astype(np.float32)) * shape, size)[:samples]
        out[channel] = noise / max(1e-9, float(noise.std()))
    return out


def _swell(time: Sound, rng: np.random.Generator, period: float, deep: float) -> Sound:
    """A slow breath of loudness for both channels, a little apart."""
    rows = []
    for channel in (0, 1):
        phase = rng.random() * 6.28
        wave = (
            0.5
            + 0.32 * np.sin(2 * np.pi * time / period + phase)
            + 0.18 * np.sin(2 * np.pi * time / (period * 0.63) + phase * 2 + channel)
        )
        rows.append(1 - deep + deep * np.clip(wave, 0, 1) ** 1.5)
    return np.stack(rows).astype(np.float32)


def _drops(
    rng: np.random.Generator, samples: int, rate: float, low: float, high: float, decay: float, level: float
) -> Sound:
    """Short ticks at random moments: rain on stone, a crackling fire."""
    out = np.zeros((2, samples), dtype=np.float32)
    length = int(0.05 * RATE)
    time = np.arange(length) / RATE
    for _ in range(int(rate * samples / RATE)):
        start = int(rng.integers(0, max(1, samples - length)))
        tone = (
            np.sin(2 * np.pi * rng.uniform(low, high) * time) * np.exp(-time * decay)
            + rng.standard_normal(length) * np.exp(-time * decay * 2.2) * 0.5
        )
        pan = rng.random()
        power = level * (0.2 + rng.random() ** 3)
        out[0, start : start + length] += (tone * power * (1 - pan)).astype(np.float32)
        out[1, start : start + length] += (tone * power * pan).astype(np.float32)
    return out


def _crickets(rng: np.random.Generator, samples: int, level: float) -> Sound:
    time = np.arange(samples, dtype=np.float32) / RATE
    out = np.zeros((2, samples), dtype=np.float32)
    for _ in range(3):
        pitch, rate, pan = rng.uniform(3900, 4900), rng.uniform(1.1, 1.9), rng.random()
        pulse = np.clip(np.sin(2 * np.pi * 31 * time), 0, 1) * (
            np.sin(2 * np.pi * rate * time + rng.random() * 6.28) > 0.15
        )
        voice = np.sin(2 * np.pi * pitch * time) * pulse * level
        out[0] += voice * (1 - pan)
        out[1] += voice * pan
    return out.astype(np.float32)


def _birdsong(rng: np.random.Generator, samples: int, level: float) -> Sound:
    out = np.zeros((2, samples), dtype=np.float32)
    for _ in range(max(2, int(samples / RATE * 0.9))):
        start, pan, pitch = (
            int(rng.uniform(0.2, max(0.4, samples / RATE - 1.2)) * RATE),
            rng.random(),
            rng.uniform(2300, 4200),
        )
        for note in range(int(rng.integers(2, 5))):
            length = int(rng.uniform(0.06, 0.15) * RATE)
            first = start + int(note * rng.uniform(0.11, 0.19) * RATE)
            if first + length >= samples:
                break
            time = np.arange(length) / RATE
            bend = rng.uniform(-9000, 9000)
            voice = (
                np.sin(2 * np.pi * (pitch * time + 0.5 * bend * time**2))
                * np.sin(np.pi * np.arange(length) / length) ** 1.5
                * level
            )
            out[0, first : first + length] += (voice * (1 - pan)).astype(np.float32)
            out[1, first : first + length] += (voice * pan).astype(np.float32)
    return out


def _thunder(rng: np.random.Generator, samples: int, moments: list[float]) -> Sound:
    out = np.zeros((2, samples), dtype=np.float32)
    rumble = band(rng, samples, 28, 150, -1.4)
    crack = band(rng, samples, 120, 1400, -1.0)
    time = np.arange(samples, dtype=np.float32) / RATE
    for moment in moments:
        since = time - moment - 0.35
        envelope = np.where(since > 0, np.clip(since / 0.05, 0, 1) * np.exp(-np.maximum(since, 0) * 0.95), 0)
        snap = np.where(since > 0, np.exp(-np.maximum(since, 0) * 6), 0)
        out += (rumble * envelope * 0.22 + crack * snap * 0.10).astype(np.float32)
    return out


def place_sound(world: World, place: str, thunder: list[float] | None = None) -> Sound:  # noqa: C901 - a flat table of words
    """Ambience for what the scene shows."""
    samples = int(world.seconds * RATE)
    time = (np.arange(samples, dtype=np.float32) / RATE).astype(np.float32)
    rng = world.chance("ambience")
    reading = world.reading
    dark = world.palette.dark > 0.6
    out = np.zeros((2, samples), dtype=np.float32)
    if place == "sea":
        out += band(rng, samples, 90, 700, -1.0) * _swell(time, rng, 4.6, 0.80) * 0.060
        out += band(rng, samples, 900, 5200, -0.6) * _swell(time, rng, 4.6, 0.92) * 0.024
    elif place in ("lake", "planet") or reading.has("river"):
        out += band(rng, samples, 300, 1800, -0.8) * _swell(time, rng, 3.1, 0.6) * 0.016
    if place in ("city", "rooftop"):
        out += band(rng, samples, 45, 320, -1.4) * _swell(time, rng, 7.0, 0.4) * 0.042
        out += band(rng, samples, 500, 1700, -1.0) * _swell(time, rng, 5.2, 0.8) * 0.008
    if place in ("desert", "mountain", "hills", "forest") or reading.has("wind", "storm"):
        strong = 0.055 if reading.has("wind", "storm", "desert") else 0.026
        out += band(rng, samples, 160, 900, -1.2) * _swell(time, rng, 5.3, 0.75) * strong
    if place in ("space", "planet", "underwater"):
        out += band(rng, samples, 30, 130, -1.2) * _swell(time, rng, 8.0, 0.35) * 0.075
        if place == "underwater":
            out += _drops(rng, samples, 5, 260, 620, 55, 0.05)
    if reading.has("rain", "storm"):
        out += band(rng, samples, 1200, 9000, -0.3) * 0.040
        out += _drops(rng, samples, 60, 900, 3200, 240, 0.045)
    if reading.has("campfire"):
        out += band(rng, samples, 90, 500, -1.2) * _swell(time, rng, 1.7, 0.5) * 0.024
        out += _drops(rng, samples, 16, 1400, 5200, 300, 0.14)
    if (
        dark
        and place in ("hills", "forest", "lake", "rooftop", "mountain")
        and not reading.has("rain", "storm", "snow", "winter")
    ):
        out += _crickets(rng, samples, 0.010)
    if (
        not dark
        and place in ("hills", "forest", "lake", "mountain", "sea")
        and not reading.has("rain", "storm", "snow", "winter")
        and "bird" not in reading.removed
    ):
        out += _birdsong(rng, samples, 0.016 if not reading.has("bird") else 0.034)
    if reading.has("train"):
        beat = (
            np.clip(np.sin(2 * np.pi * 1.9 * time), 0, 1) ** 8
            + 0.6 * np.clip(np.sin(2 * np.pi * 1.9 * time - 0.9), 0, 1) ** 8
        )
        out += band(rng, samples, 60, 700, -1.2) * (0.4 + beat) * 0.045
    if reading.has("horse") and reading.has("run"):
        for shift in (0.0, 0.11, 0.30):
            hoof = np.clip(np.sin(2 * np.pi * 1.25 * (time - shift)), 0, 1) ** 40
            out += band(rng, samples, 70, 420, -1.0) * hoof * 0.10
    if thunder:
        out += _thunder(rng, samples, thunder)
    return out


def composed(world: World, place: str, thunder: list[float] | None = None, *, music: bool = True) -> Sound:
    """The clip's whole sound, stereo floats at 48 kHz: ambience, music, room, level and gentle fades at both ends.

    ``music`` False leaves only what the place sounds like, over which a film lays its own music.
    """
    rng = world.chance("music")
    mood = world.palette.mood if place else ("space", "night", "warm", "bell")[int(rng.integers(0, 4))]
    samples = int(world.seconds * RATE)
    mix = np.zeros((2, samples), dtype=np.float32)
    music = music and "music" not in world.reading.removed
    if music:
        tune = pads(mood, world.seconds, rng) + plucks(mood, world.seconds, rng, 0.34 if mood != "space" else 0.2)
        mix += roomy(tune, rng)
    mix += place_sound(world, place, thunder) * np.float32(1.25)
    if not music and (not place or float(np.abs(mix).max()) < 1e-3):
        mix += band(rng, samples, 60, 500, -1.3) * np.float32(0.03)
    time = np.arange(samples, dtype=np.float32) / RATE
    fade = np.clip(time / 0.35, 0, 1) * np.clip((world.seconds - time) / 0.8, 0, 1)
    mix *= np.sin(fade * np.pi / 2).astype(np.float32)
    return levelled(mix)
