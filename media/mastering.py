"""Loudness of a film's sound, measured and set while it streams by: meters of ITU-R BS.1770-4, and a limiter that looks ahead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from media.reels import RATE, Samples

Row = NDArray[np.float64]

TARGET: Final = -15.5
"""LUFS of a finished film with music."""
CEILING: Final = 10 ** (-2.6 / 20)
"""True peak of what goes to the encoder; AAC added up to 1.2 dB to drums, and -1 dBTP is promised."""
SILENT: Final = -70.0
_CELL: Final = RATE // 10
_TAPS: Final = 8192
_SIZE: Final = 65_536
_TICK: Final = 48
"""Samples in which the limiter knows one gain: a millisecond."""
_AHEAD: Final = 20
"""Ticks before a peak in which the gain goes down, and behind it up again."""
_BLOCK: Final = RATE // 2 // _TICK * _TICK


def _weights() -> NDArray[Any]:
    """Spectrum of the standard's two filters for 48 kHz, cut to a finite length."""
    z = np.exp(-2j * np.pi * np.arange(_SIZE // 2 + 1) / _SIZE)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    answer = np.fft.irfft(shelf * high)
    answer[_TAPS:] = 0
    return np.fft.rfft(answer)


class Meter:
    """Takes sound piece by piece; ``powers`` are its weighted powers in tenths of a second."""

    def __init__(self) -> None:
        """Nothing heard yet."""
        self._weights = _weights()
        self._held = np.zeros((2, _TAPS), np.float32)
        self._filtered: NDArray[Any] = np.zeros(0)
        self._powers: list[Row] = []

    def hear(self, samples: Samples) -> None:
        """Take the next 48 kHz stereo samples."""
        self._held = np.concatenate([self._held, samples], axis=1)
        while self._held.shape[1] >= _SIZE:
            self._weigh(self._held[:, :_SIZE])
            self._held = self._held[:, _SIZE - _TAPS :]

    def _weigh(self, window: Samples) -> None:
        padded = np.zeros((2, _SIZE), np.float32)
        padded[:, : window.shape[1]] = window
        heard = np.fft.irfft(np.fft.rfft(padded, axis=1) * self._weights, axis=1)[:, _TAPS : window.shape[1]]
        power = np.concatenate([self._filtered, (heard**2).sum(axis=0)])
        whole = len(power) // _CELL * _CELL
        self._powers.append(power[:whole].reshape(-1, _CELL).mean(axis=1))
        self._filtered = power[whole:]

    def powers(self) -> Row:
        """Return everything up to here; the meter takes nothing more."""
        if self._held.shape[1] > _TAPS:
            self._weigh(self._held)
            self._held = self._held[:, :0]
        return np.concatenate([*self._powers, np.zeros(0)])


def lufs(powers: Row) -> float:
    """Integrated loudness (blocks of 400 ms, absolute and relative gate); ``SILENT`` where nothing is heard."""
    if len(powers) == 0:
        return SILENT
    sums = np.concatenate([[0.0], np.cumsum(powers)])
    size = min(4, len(powers))
    means = (sums[size:] - sums[:-size]) / size
    levels = -0.691 + 10 * np.log10(np.maximum(means, 1e-12))
    kept = means[levels > SILENT]
    if not len(kept):
        return SILENT
    gate = -0.691 + 10 * np.log10(kept.mean()) - 10
    kept = means[levels > max(SILENT, gate)]
    return float(-0.691 + 10 * np.log10(kept.mean()))


def measured(sound: Iterable[Samples]) -> Row:
    """Return the powers of a whole sound."""
    meter = Meter()
    for chunk in sound:
        meter.hear(chunk)
    return meter.powers()


def decibels(value: float) -> float:
    """Return the factor for so many decibels."""
    return float(10 ** (value / 20))


def _kernel() -> NDArray[Any]:
    """Four times finer by interpolation: the three rows of taps between samples."""
    time = np.arange(-6, 6)
    rows = [np.sinc(time + 1 - part / 4) * np.cos((time + 1 - part / 4) / 13 * np.pi) ** 2 for part in (1, 2, 3)]
    return np.stack([row / row.sum() for row in rows])


_BETWEEN: Final = _kernel()


def peaks(sound: Samples) -> Row:
    """The highest level at and after each sample, in any channel, between samples too."""
    highest = np.abs(sound).max(axis=0).astype(np.float64)
    for channel in sound:
        for row in _BETWEEN:
            np.maximum(highest, np.abs(np.convolve(channel, row[::-1], "full")[6 : 6 + len(channel)]), out=highest)
    return np.asarray(highest)


class Limiter:
    """Turns everything up or down by one gain, and peaks down so that none passes ``CEILING``."""

    def __init__(self, gain: float) -> None:
        """``gain``: a factor."""
        self._gain = np.float32(gain)
        self._side = 2 * _AHEAD * _TICK
        self._held = np.zeros((2, self._side), np.float32)

    def limited(self, sound: Iterable[Samples]) -> Iterator[Samples]:
        """Yield as many samples as come in."""
        coming = 0
        leaving = 0
        window = _BLOCK + 2 * self._side
        for chunk in sound:
            coming += chunk.shape[1]
            self._held = np.concatenate([self._held, chunk * self._gain], axis=1)
            while self._held.shape[1] >= window:
                leaving += _BLOCK
                yield self._part(self._held[:, :window])
                self._held = self._held[:, _BLOCK:]
        while leaving < coming:
            padded = np.zeros((2, window), np.float32)
            padded[:, : self._held.shape[1]] = self._held[:, :window]
            size = min(_BLOCK, coming - leaving)
            leaving += size
            yield self._part(padded)[:, :size]
            self._held = self._held[:, _BLOCK:]

    def _part(self, window: Samples) -> Samples:
        middle = window[:, self._side : self._side + _BLOCK]
        highest = peaks(window).reshape(-1, _TICK).max(axis=1)
        if highest.max() <= CEILING:
            return middle
        wanted = np.minimum(1.0, CEILING / np.maximum(highest, 1e-9))
        padded = np.concatenate([np.ones(_AHEAD), wanted, np.ones(_AHEAD)])
        lowest = np.lib.stride_tricks.sliding_window_view(padded, 2 * _AHEAD + 1).min(axis=1)
        reach = _AHEAD - 1
        padded = np.concatenate([np.full(reach, lowest[0]), lowest, np.full(reach, lowest[-1])])
        even = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).mean(axis=1)
        centres = (np.arange(len(even)) + 0.5) * _TICK
        gain = np.interp(np.arange(self._side, self._side + _BLOCK), centres, even)
        return np.asarray(middle * gain, dtype=np.float32)
