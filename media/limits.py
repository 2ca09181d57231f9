"""The bounds of a child process and of what it agrees to open. Standard library only: the child reads this before
anything else.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final, Literal

Lane = Literal["quick", "heavy"]

MIB: Final = 1024 * 1024
GIB: Final = 1024 * MIB


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """Resource limits of one lane's children. Measured in 2026-11 with PyAV 18.1: x264 at 1080p fails under 512 MiB of
    address space and passes under 1 GiB; 4K sources are given 3 GiB.
    """

    address_space: int
    most_address_space: int
    """What an operation may raise itself to when it meets a 4K source."""
    cpu_seconds: int
    file_bytes: int
    open_files: int
    niceness: int


LANES: Final[dict[Lane, ChildLimits]] = {
    "quick": ChildLimits(GIB, GIB, 60, 256 * MIB, 64, 0),
    "heavy": ChildLimits(2 * GIB, 3 * GIB, 3600, 2 * GIB - 1, 64, 10),
}


def heavy_at_once(cores: int | None) -> int:
    """How many heavy children work at once on so many cores: an encoder keeps two busy, and more would only slow each other."""
    return max(1, (cores or 2) // 2)


HEAVY_AT_ONCE: Final = heavy_at_once(os.cpu_count())

CLIP_BYTES: Final = 2 * GIB
CLIP_SIDE: Final = 4096
CLIP_PIXELS: Final = 4096 * 2304
CLIP_SECONDS: Final = 1800
CLIP_FPS: Final = 240
CLIP_STREAMS: Final = 8
CLIP_PACKETS: Final = 1_000_000
FOUR_K_PIXELS: Final = 1920 * 1088
"""Above this an encoder may take the larger address space."""

REQUEST_BYTES: Final = 256 * 1024
LINE_BYTES: Final = 64 * 1024
MOST_LINES: Final = 200_000
STDERR_BYTES: Final = 8 * 1024
