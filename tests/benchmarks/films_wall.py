"""A film of four scenes beside its slowest scene, with a generator that takes ten seconds for each: approved → delivered ÷ the longest
time from a scene's submit to the generator's word that it is ready. Storing, cutting with music and a title, and the poster are inside.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from bot.app import App
from bot.commands.making import order
from core.jobs import Actor, JobKind, Place
from core.states import JobState
from tests.benchmarks.figures import Figure, median, ratio
from tests.benchmarks.worlds import folder, running_app
from tests.media.canned import canned_clip

SECONDS: Final = 10.0
SCENES: Final = 4
ROUNDS: Final = 5
GOAL: Final = 1.3
ANN: Final = Actor("web", "ann")
WHY: Final = (
    "Behind the last scene four clips are stored at once, a child process begins, and half a minute of music is composed for the film's own"
    " cuts, measured, mixed and encoded, on two cores. That takes as long behind a scene of a minute as behind one of ten seconds."
)


async def reaches(app: App, film_id: str, state: JobState, seconds: float) -> None:
    """Wait until the film is in ``state``."""
    until = time.monotonic() + seconds
    while (await app.engine.films.film(film_id)).job.state is not state:
        if time.monotonic() > until:
            raise TimeoutError(state)
        await asyncio.sleep(0.02)


async def film(place: Path, clip: bytes, seconds: float) -> tuple[float, float]:
    """(seconds of the film, seconds of its slowest scene)."""
    async with running_app(place, seconds=seconds, clip=clip) as (app, _, generator):
        engine = app.engine
        wish = {"idea": "a day at sea", "scenes": str(SCENES)}
        job, _ = await order(engine, ANN, Place("web", chat="ann"), wish, kind=JobKind.FILM)
        await reaches(app, job.id, JobState.AWAITING, 60)
        began = time.monotonic()
        await engine.films.approve(job.id, ANN)
        await reaches(app, job.id, JobState.DONE, 20 * seconds + 120)
        return time.monotonic() - began, max(generator.took.values() if generator else ())


def measure(scale: float = 1.0) -> list[Figure]:
    """One figure."""
    seconds = max(1.0, SECONDS * scale)
    films: list[float] = []
    scenes: list[float] = []
    for _ in range(ROUNDS):
        with folder() as place:
            clip = place / "clip.mp4"
            canned_clip(clip, seconds=8, width=1280, height=720, noise=12, preset="veryfast")
            whole, slowest = asyncio.run(film(place, clip.read_bytes(), seconds))
        films.append(whole)
        scenes.append(slowest)
    what = f"film of {SCENES} scenes of 8 s ÷ its slowest scene, a generator of {seconds:g} s, built-in music"
    sides = {"film s": median(films), "slowest scene s": median(scenes)}
    return [ratio("films_wall", what, films, scenes, goal=GOAL, sides=sides, note=WHY)]
