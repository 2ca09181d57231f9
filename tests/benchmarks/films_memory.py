"""What a film weighs: the highest VmHWM of the child that makes 20 scenes of 8 s, 1080p, with crossfades, a title and music."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import Final

from core.media import Cutting
from media.tools import MediaTools
from tests.benchmarks.figures import Figure
from tests.benchmarks.films import SECONDS, clips
from tests.benchmarks.worlds import folder

SCENES: Final = 20
GOAL: Final = 600.0
MB: Final = 1_000_000
_LOOKS_A_SECOND: Final = 20


def heaviest(place: Path, sources: list[Path], cutting: Cutting) -> tuple[float, float]:
    """MB at the peak of the child that makes the film, and its seconds of wall."""

    async def watched() -> tuple[float, float]:
        media = MediaTools(place / "work", spare=False)
        await media.start()
        try:
            began = time.perf_counter()
            making = asyncio.create_task(media.merge(sources, place / "film.mp4", cutting))
            peak = 0
            while not making.done():
                peak = max(peak, *(high_water(pid) for pid in children()), 0)
                await asyncio.wait([making], timeout=1 / _LOOKS_A_SECOND)
            await making
            return peak / MB, time.perf_counter() - began
        finally:
            await media.close()

    return asyncio.run(watched())


def children() -> list[int]:
    """Processes whose parent this is."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    return [int(pid) for pid in listed.split()]


def high_water(pid: int) -> int:
    """VmHWM in bytes, 0 of a process that has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def measure(scale: float = 1.0) -> list[Figure]:
    """One figure of one round: such a film takes minutes, and its memory does not vary."""
    scenes, wide = (SCENES, 1920) if scale >= 1 else (3, 640)
    with folder() as place:
        cutting = Cutting("crossfade", title="Twenty scenes", music="the sea at sunset")
        peak, took = heaviest(place, clips(place, wide, scenes), cutting)
    what = f"peak memory of the child that makes {scenes} scenes of {SECONDS} s, {wide * 9 // 16}p, crossfades, title and music"
    return [Figure("film memory", what, peak, goal=GOAL, unit="MB", rounds=(peak,), sides={"wall s": took})]
