from __future__ import annotations

import numpy as np

from media.mastering import CEILING, Limiter, decibels, lufs, measured
from tests.media.drums import Sound, drums, metered, noise


def pieces(sound: Sound, size: int) -> list[Sound]:
    return [sound[:, first : first + size] for first in range(0, sound.shape[1], size)]


def test_our_meter_agrees_with_another() -> None:
    quiet_end = noise(8) * np.concatenate([np.ones(192_000), np.full(192_000, 0.02)]).astype(np.float32)
    for sound in (noise(5), quiet_end, drums(100, 12)[0]):
        for size in (4800, 100_000):
            assert abs(lufs(measured(pieces(sound, size))) - metered(sound)[0]) < 0.1
    assert lufs(measured([np.zeros((2, 96_000), np.float32)])) == -70.0
    assert lufs(measured([])) == -70.0


def test_no_peak_passes_the_ceiling_and_nothing_else_changes() -> None:
    loud = drums(110, 6)[0] * np.float32(decibels(9))
    calm = noise(3, 0.02)
    for size in (777, 50_000):
        limited = np.concatenate(list(Limiter(1.0).limited(pieces(loud, size))), axis=1)
        assert limited.shape == loud.shape
        assert metered(loud)[1] > 3
        assert metered(limited)[1] < 20 * np.log10(CEILING) + 0.4
        kept = np.concatenate(list(Limiter(2.0).limited(pieces(calm, size))), axis=1)
        assert np.allclose(kept, calm * 2)
