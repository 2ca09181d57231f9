"""How long the built-in generator draws: seconds of wall for each second of clip, 720p, 8 s, one clip at a time."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from core.media import RenderRequest
from media.tools import MediaTools
from tests.benchmarks.figures import Figure, median
from tests.benchmarks.worlds import folder

SECONDS: Final = 8
PROMPTS: Final = (
    "A lighthouse on a cliff at golden sunset, waves below",
    "Northern lights over a snowy pine forest at night",
    "A city skyline in the rain after dark, windows glowing",
    "Dawn over layered mountains, mist in the valleys, a flock of birds",
    "something nobody has a word for",
)
WHY: Final = (
    "Drawing is all processor time, so on busy cores it takes as much longer as others take of them: see the load above. On the same "
    "kind of machine with a load of 1.2 to 1.9 it was 0.73 s/s (2026-11-21)."
)


async def drawn(place: Path) -> list[float]:
    """Seconds of wall for each prompt."""
    media = MediaTools(place / "work")
    await media.start()
    took = []
    try:
        for number, prompt in enumerate(PROMPTS):
            request = RenderRequest(prompt=prompt, seconds=SECONDS, seed=number)
            began = time.monotonic()
            await media.render(request, place / f"{number}.mp4", deadline=120)
            took.append(time.monotonic() - began)
    finally:
        await media.close()
    return took


def measure(scale: float = 1.0) -> list[Figure]:
    """One figure."""
    del scale
    with folder() as place:
        took = asyncio.run(drawn(place))
    rounds = tuple(seconds / SECONDS for seconds in took)
    what = f"wall time to draw a second of clip, 720p, {SECONDS} s, {len(PROMPTS)} different scenes"
    sides = {"slowest": max(rounds)}
    return [Figure("rendering", what, median(rounds), goal=1.0, unit="s/s", rounds=rounds, sides=sides, note=WHY)]
