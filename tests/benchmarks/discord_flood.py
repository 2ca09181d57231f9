"""Ten thousand ``/video`` at the same moment: as ``discord_burst``, five times as many, in three rounds, and without a goal."""

from __future__ import annotations

from typing import Final

from tests.benchmarks.discord_burst import figure, rounds_of
from tests.benchmarks.figures import Figure

CROWD: Final = 10_000
ROUNDS: Final = 3


def measure(scale: float = 1.0) -> list[Figure]:
    """One figure."""
    crowd = max(50, int(CROWD * scale))
    mine, others = rounds_of(crowd, ROUNDS if scale >= 1 else 1)
    return [figure("discord flood", crowd, mine, others)]
