"""Soft music: pads that share the clip's length, plucked notes on a steady beat, a long room. Everything is synthesised."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from media.scenery.loudness import RATE, Sound

Wave = NDArray[np.float64]

ROOTS = {"warm": 50, "bell": 53, "night": 45, "synth": 45, "space": 43}
"""MIDI notes."""
CHORDS: dict[str, tuple[tuple[int, ...], ...]] = {
    "warm": ((0, 7, 11, 16, 19), (-3, 4, 9, 12, 19), (5, 9, 12, 16, 21)),
    "bell": ((0, 7, 12, 16, 23), (5, 9, 12, 19, 21), (-3, 4, 12, 16, 19)),
    "night": ((0, 7, 12, 15, 22), (-4, 3, 8, 15, 19), (3, 10, 15, 19, 22)),
    "synth": ((0, 7, 12, 15, 19), (-4, 8, 12, 15, 20), (3, 10, 15, 19, 22)),
    "space": ((0, 7, 14, 19, 26), (-4, 3, 10, 19, 22)),
}
TEMPO = 84.0


def _pitch(note: float) -> float:
    return float(440.0 * 2 ** ((note - 69) / 12))


def pads(mood: str, seconds: float, rng: np.random.Generator) -> Sound:
    """Two or three chords with equal-power crossings, each note a few partials that brighten and dim."""
    total = int(seconds * RATE)
    out = np.zeros((2, total), dtype=np.float32)
    chords = CHORDS[mood][: 2 if seconds < 5 else 3]
    root = ROOTS[mood] + int(rng.integers(-2, 3))
    span = seconds / len(chords)
    overlap = min(1.4, span * 0.5)
    for index, chord in enumerate(chords):
        start, end = max(0.0, index * span - overlap / 2), min(seconds, (index + 1) * span + overlap / 2)
        first, last = int(start * RATE), min(total, int(end * RATE))
        time = np.arange(last - first, dtype=np.float32) / RATE
        length = len(time) / RATE
        rise = np.clip(time / overlap, 0, 1) if index else np.ones_like(time)
        fall = np.clip((length - time) / overlap, 0, 1) if index < len(chords) - 1 else np.ones_like(time)
        envelope = np.sin(rise * np.pi / 2) * np.sin(fall * np.pi / 2)
        bright = 0.5 + 0.5 * np.sin(2 * np.pi * 0.11 * (time + start) + 1.0 + index)
        for place, step in enumerate(chord):
            base = _pitch(root + step)
            level = 0.9 / (1 + 0.28 * place)
            for channel in (0, 1):
                detune = 1 + (0.0012 if channel else -0.0012) * (1 if place % 2 else -1)
                phase = rng.random(5) * 2 * np.pi
                voice = np.zeros_like(time)
                for harmonic in range(1, 5 if place < 3 else 4):
                    weight = 1 / harmonic**1.9 * (1.0 if harmonic == 1 else 0.35 + 0.9 * bright)
                    voice += weight * np.sin(
                        (2 * np.pi * base * harmonic * detune) * time + phase[harmonic], dtype=np.float32
                    )
                tremble = 1 + 0.05 * np.sin(2 * np.pi * (0.23 + 0.05 * place) * time + phase[0])
                out[channel, first:last] += (voice * envelope * tremble * level).astype(np.float32)
    return out * np.float32(0.11)


def plucks(mood: str, seconds: float, rng: np.random.Generator, density: float) -> Sound:
    """Chord tones an octave up on the beat grid: sparse, each a little out of the middle."""
    total = int(seconds * RATE)
    out = np.zeros((2, total), dtype=np.float32)
    chords = CHORDS[mood][: 2 if seconds < 5 else 3]
    root = ROOTS[mood] + 12
    half_beat = 60 / TEMPO / 2
    length = int(2.6 * RATE)
    time = np.arange(length, dtype=np.float32) / RATE
    attack = np.clip(time / 0.006, 0, 1)
    spectra = {"bell": (1.0, 2.756, 5.40), "synth": (1.0, 2.0, 3.01)}.get(mood, (1.0, 2.003, 3.995))
    decay = {"bell": 2.2, "synth": 3.4, "space": 1.5}.get(mood, 2.6)
    moment, step, last = 0.30, 0, -99
    while moment < seconds - 0.9:
        strong = step % 4 == 0
        if rng.random() < density * (1.5 if strong else 0.75):
            chord = chords[min(len(chords) - 1, int(moment / seconds * len(chords)))]
            choice = int(rng.integers(0, len(chord)))
            if chord[choice] == last:
                choice = (choice + 1) % len(chord)
            last = chord[choice]
            base = _pitch(root + last + (12 if rng.random() < 0.22 else 0))
            voice = np.zeros(length, dtype=np.float32)
            for index, ratio in enumerate(spectra):
                voice += (
                    0.62**index
                    * np.sin(2 * np.pi * base * ratio * time, dtype=np.float32)
                    * np.exp(-time * decay * (1 + 0.9 * index))
                ).astype(np.float32)
            voice *= attack * (0.10 if strong else 0.07)
            pan = 0.5 + 0.36 * np.sin(step * 0.7 + rng.random())
            first = int(moment * RATE)
            size = min(length, total - first)
            out[0, first : first + size] += voice[:size] * np.float32(np.cos(pan * np.pi / 2))
            out[1, first : first + size] += voice[:size] * np.float32(np.sin(pan * np.pi / 2))
        moment += half_beat
        step += 1
    return out


def roomy(dry: Sound, rng: np.random.Generator, seconds: float = 2.2) -> Sound:
    """With a decaying noise tail, by one FFT a channel."""
    length = int(seconds * RATE)
    time = np.arange(length) / RATE
    total = dry.shape[1]
    size = 1 << int(np.ceil(np.log2(total + length)))
    out = np.empty_like(dry)
    for channel in (0, 1):
        tail = rng.standard_normal(length) * np.exp(-time * (6.9 / seconds)) * np.clip(time / 0.012, 0, 1)
        spectrum = np.fft.rfft(tail, size)
        frequencies = np.fft.rfftfreq(size, 1 / RATE)
        spectrum *= 1 / (1 + (frequencies / 4200) ** 2)
        spectrum *= 1 / max(1e-9, float(np.sqrt((tail**2).sum())))
        wet = np.fft.irfft(np.fft.rfft(dry[channel], size) * spectrum, size)[:total]
        out[channel] = (0.75 * dry[channel] + 0.42 * wet).astype(np.float32)
    return out
