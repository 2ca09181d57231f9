"""Loudness and peak by the meters' own rules (ITU-R BS.1770-4), and the gain that brings a mix to its target."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[Any]
"""Stereo float32, shape (2, samples)."""
RATE = 48_000
TARGET_LUFS = -16.0
PEAK = 10 ** (-1.6 / 20)
"""Sample ceiling; leaves room for what the codec adds between samples."""


def _weight(frequencies: NDArray[Any]) -> NDArray[Any]:
    """Magnitude of the K-weighting filter (the standard's two biquads for 48 kHz)."""
    z = np.exp(-2j * np.pi * frequencies / RATE)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    return np.asarray(np.abs(shelf * high), dtype=np.float64)


def loudness(sound: Sound) -> float:
    """Integrated loudness in LUFS (blocks of 400 ms, absolute and relative gate); −70 for silence."""
    length = sound.shape[1]
    spectrum = np.fft.rfft(sound.astype(np.float64), axis=1) * _weight(np.fft.rfftfreq(length, 1 / RATE))
    power = (np.fft.irfft(spectrum, n=length, axis=1) ** 2).sum(axis=0)
    block, step = int(0.4 * RATE), int(0.1 * RATE)
    sums = np.concatenate([[0.0], np.cumsum(power)])
    starts = np.arange(0, max(1, length - block + 1), step)
    ends = np.minimum(starts + block, length)
    means = (sums[ends] - sums[starts]) / block
    levels = -0.691 + 10 * np.log10(np.maximum(means, 1e-12))
    kept = means[levels > -70]
    if not len(kept):
        return -70.0
    gate = -0.691 + 10 * np.log10(kept.mean()) - 10
    kept = means[levels > max(-70.0, gate)]
    return float(-0.691 + 10 * np.log10(kept.mean()))


def true_peak(sound: Sound) -> float:
    """Highest level between samples, in dBFS (four times oversampled)."""
    length = sound.shape[1]
    spectrum = np.fft.rfft(sound.astype(np.float64), axis=1)
    wide = np.zeros((sound.shape[0], 2 * length + 1), dtype=np.complex128)
    wide[:, : spectrum.shape[1]] = spectrum
    return float(20 * np.log10(max(1e-9, float(np.abs(np.fft.irfft(wide, n=4 * length, axis=1)).max() * 4))))


def levelled(sound: Sound) -> Sound:
    """The mix at the target loudness, peaks rounded off softly; never above the ceiling."""
    out = sound
    for _ in range(3):
        gain = 10 ** ((TARGET_LUFS - loudness(out)) / 20)
        out = (out * min(gain, 40.0)).astype(np.float32)
        knee = 0.55 * PEAK
        over = np.abs(out) > knee
        soft = np.sign(out) * (knee + (PEAK - knee) * np.tanh((np.abs(out) - knee) / (PEAK - knee)))
        out = np.where(over, soft, out).astype(np.float32)
    return out
