"""What Reelay adds to a job: from the commit of the command to the delivery of the clip, less the generator and the media work.

The generator takes one second and then hints. Media work (inspection and poster in a child process) is told beside the figure.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, Final

from core.media import Inspection
from tests.benchmarks.figures import ROUNDS, Figure, median
from tests.benchmarks.worlds import folder, payload_of, running_app
from tests.lab.clips import clip_bytes

SECONDS: Final = 1.0
JOBS: Final = ROUNDS + 2


async def once(jobs: int) -> tuple[list[float], list[float]]:
    """(seconds that Reelay added, seconds of media work), each job after the other was delivered."""
    added: list[float] = []
    media: list[float] = []
    reached: dict[str, float] = {}
    delivered = asyncio.Event()

    def reach(point: str) -> None:
        reached.setdefault(point, time.monotonic())
        if point == "sent":
            delivered.set()

    clip = await asyncio.to_thread(clip_bytes)
    with folder() as place:
        async with running_app(place, seconds=SECONDS, clip=clip, reach=reach) as (app, _, generator):
            assert generator is not None
            inspect = app.media.inspect

            async def timed(source: Path, poster: Path | None = None, **rest: Any) -> Inspection:
                began = time.monotonic()
                try:
                    return await inspect(source, poster, **rest)
                finally:
                    media.append(time.monotonic() - began)

            app.media.inspect = timed  # type: ignore[method-assign] # the toolbox has no figures of its own
            for number in range(jobs):
                reached.clear()
                delivered.clear()
                generator.took.clear()
                payload = {**payload_of(number), "place": {"platform": "web", "chat": f"person {number}"}}
                await app.engine.intake.take("bench", f"update {number}", payload)
                async with asyncio.timeout(30):
                    await delivered.wait()
                whole = reached["sent"] - reached["accepted"]
                added.append(whole - next(iter(generator.took.values())) - media[-1])
    return added, media


def measure(scale: float = 1.0) -> list[Figure]:
    """One figure."""
    del scale
    added, media = asyncio.run(once(JOBS))
    rounds = tuple(100 * seconds / SECONDS for seconds in added[2:])  # the first two warm up
    sides = {"added ms": median(added[2:]) * 1000, "media ms": median(media[2:]) * 1000}
    what = "accepted → delivered, less generator and media time, in % of a 1 s generator that hints"
    return [Figure("relay", what, median(rounds), goal=5.0, unit="%", rounds=rounds, sides=sides)]
