"""Find the beats of a recording: where its spectrum grows louder, how often that recurs, and the steadiest row of such moments.

Nothing but numpy. Tried on synthetic drums only (tempo within half a beat a minute from 84 to 140); of real music it can promise
less. Sound is taken in pieces, so a quarter of an hour costs no more memory than its hundred numbers a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from media.reels import RATE, Samples

Row = NDArray[np.float64]

HOP: Final = 480
WINDOW: Final = 2048
_A_SECOND: Final = RATE / HOP
_BANDS: Final = 36
_LOWEST, _HIGHEST = 30.0, 10_000.0
_BASS: Final = 180.0
_BASS_WEIGHT: Final = 2.5
BIAS: Final = -0.0033
"""Seconds by which the window sees an onset early: measured on synthetic drums."""
_SLOWEST, _FASTEST = 55.0, 200.0
_USUAL: Final = 112.0
_PRIOR_WIDTH: Final = 0.75
"""Octaves."""
_TIGHTNESS: Final = 120.0
STEADINESS: Final = (0.12, 1.0)
"""How much of the onsets' power must recur with the beat: for a long recording, and how much more of one of a second. Syllables at random
reached 0.17 of 5 s, 0.16 of 10 s and 0.06 of 30 s; drums 0.8 and more.
"""
LEAST_BEATS: Final = 8


@dataclass(frozen=True, slots=True)
class Beats:
    """Seconds of every beat, in order, and their number a minute."""

    times: Row
    tempo: float


class Listener:
    """Takes a recording piece by piece; ``beats`` then tells what was heard."""

    def __init__(self) -> None:
        """Nothing heard yet."""
        edges = np.geomspace(_LOWEST, _HIGHEST, _BANDS + 1) / RATE * WINDOW
        bins = np.unique(np.maximum(1, np.round(edges).astype(int)))
        self._bins, self._widths = bins[:-1], np.diff(bins)
        hertz = bins[:-1] * RATE / WINDOW
        self._weights = np.where(hertz < _BASS, _BASS_WEIGHT, 1.0)
        self._shape = np.hanning(WINDOW).astype(np.float32)
        self._rest = np.zeros(WINDOW // 2, np.float32)  # so that the first window is centred on the first sample
        self._before: NDArray[Any] = np.zeros((2, len(self._bins)))
        self._onsets: list[Row] = []
        self._loudest = 0.0

    def hear(self, samples: Samples) -> None:
        """Take the next 48 kHz stereo samples."""
        mono = np.concatenate([self._rest, samples.mean(axis=0)])
        count = (len(mono) - WINDOW) // HOP + 1
        if count <= 0:
            self._rest = mono
            return
        self._rest = mono[count * HOP :]
        self._loudest = max(self._loudest, float(np.abs(samples).max(initial=0.0)))
        windows = np.lib.stride_tricks.sliding_window_view(mono, WINDOW)[::HOP][:count]
        power = np.abs(np.fft.rfft(windows * self._shape, axis=1))[:, : self._bins[-1] + self._widths[-1]]
        bands = np.log1p(20.0 * np.add.reduceat(power, self._bins, axis=1) / self._widths)
        both = np.concatenate([self._before, bands])
        growth = np.maximum(0.0, both[2:] - both[:-2])  # over 20 ms: an attack is longer than one step
        self._onsets.append(growth @ self._weights)
        self._before = both[-2:]

    def beats(self) -> Beats | None:
        """Return the beats, None where no steady ones can be made out: silence, speech, noise, a few seconds."""
        onsets = np.concatenate(self._onsets) if self._onsets else np.zeros(0)
        if len(onsets) < 4 * _A_SECOND or self._loudest < 1e-3:
            return None
        strength = np.maximum(0.0, onsets - _around(onsets, round(0.4 * _A_SECOND)))
        if strength.std() < 1e-6:
            return None
        strength /= strength.std()
        period, steady = _period(strength)
        if steady < STEADINESS[0] + STEADINESS[1] * _A_SECOND / len(onsets):
            return None
        frames = _row(strength, period)
        if len(frames) < LEAST_BEATS:
            return None
        times = (frames + _peaks(strength, frames)) / _A_SECOND - BIAS
        return Beats(times[times >= 0], round(60 * _A_SECOND / period, 2))


def _around(values: Row, reach: int) -> Row:
    """The mean of the neighbourhood."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    first = np.maximum(0, np.arange(len(values)) - reach)
    last = np.minimum(len(values), np.arange(len(values)) + reach + 1)
    return np.asarray((sums[last] - sums[first]) / (last - first), dtype=np.float64)


def _period(strength: Row) -> tuple[float, float]:
    """Return steps from beat to beat, and which part of the power recurs with them (0 to 1)."""
    smooth = np.convolve(strength, np.hanning(7) / np.hanning(7).sum(), "same")
    centred = smooth - smooth.mean()
    spectrum = np.fft.rfft(centred, 2 * len(centred))
    again = np.fft.irfft(np.abs(spectrum) ** 2)[: len(centred)]
    again /= max(1e-9, again[0]) * (1 - np.arange(len(again)) / len(again)).clip(0.2)
    lags = np.arange(int(60 / _FASTEST * _A_SECOND), min(len(again) // 2 - 1, int(60 / _SLOWEST * _A_SECOND) + 1))
    prior = np.exp(-0.5 * (np.log2(60 * _A_SECOND / lags / _USUAL) / _PRIOR_WIDTH) ** 2)
    score = (again[lags] + 0.5 * again[2 * lags]) * prior
    best = int(lags[int(np.argmax(score))])
    fine = float(best)
    for many in (2, 4, 8, 16):  # a far repetition tells the period more exactly
        centre = round(fine * many)
        if centre + many + 1 >= len(again) // 2:
            break
        near = again[centre - 3 : centre + 4]
        if near.max() < 0.3 * again[best]:
            break
        top = centre - 3 + int(np.argmax(near))
        fine = (top + _bend(again, top)) / many
    return fine, float(min(again[best], max(again[2 * best], 0.6 * again[best])))


def _bend(values: Row, at: int) -> float:
    """Where between its neighbours the peak at ``at`` really is, by a parabola."""
    if not 0 < at < len(values) - 1:
        return 0.0
    left, top, right = values[at - 1], values[at], values[at + 1]
    bow = left - 2 * top + right
    return float(np.clip(0.5 * (left - right) / bow, -0.5, 0.5)) if bow < 0 else 0.0


def _row(strength: Row, period: float) -> NDArray[np.int64]:
    """The row of moments, each about a period after the last, that meets most strength (dynamic programming)."""
    smooth = np.convolve(strength, np.exp(-0.5 * (np.arange(-4, 5) / 2) ** 2), "same")
    reach = np.arange(-round(2 * period), -max(1, round(period / 2)) + 1)
    cost = -_TIGHTNESS * np.log(-reach / period) ** 2 / 10
    total, origin = smooth.copy(), np.full(len(smooth), -1, dtype=np.int64)
    for at in range(len(smooth)):
        first = at + reach[0]
        if at + reach[-1] < 0:
            continue
        skip = max(0, -first)
        options = total[first + skip : at + reach[-1] + 1] + cost[skip:]
        best = int(np.argmax(options))
        if options[best] > 0:
            total[at] += options[best]
            origin[at] = first + skip + best
    last = len(total) - round(period * 1.5) + int(np.argmax(total[-round(period * 1.5) :]))
    frames = [last]
    while origin[frames[-1]] >= 0:
        frames.append(int(origin[frames[-1]]))
    return np.array(frames[::-1], dtype=np.int64)


def _peaks(strength: Row, frames: NDArray[np.int64]) -> Row:
    return np.array([_bend(strength, int(frame)) for frame in frames])
