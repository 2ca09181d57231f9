"""The clip's sound."""

from __future__ import annotations

import numpy as np

from media.scenery.film import SAMPLE_RATE, Sound
from media.scenery.world import World


def composed(world: World) -> Sound:
    """Stereo floats for the whole clip."""
    samples = int(world.seconds * SAMPLE_RATE)
    time = np.arange(samples) / SAMPLE_RATE
    tone = 0.1 * np.sin(2 * np.pi * 220 * time)
    return np.stack([tone, tone]).astype(np.float32)
