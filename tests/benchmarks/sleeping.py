"""What a sleeping job costs in memory, against a bare ``asyncio.sleep`` task.

A sleeping job waits at its generator with its next look in an hour. Both kinds are made in one process with the whole Reelay running in
it, and of both the second twenty thousand are weighed: the first fill whatever room the process had left over.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from bot.app import App
from core.states import JobState
from core.steps import AdmissionCaps, Step
from storage.store import SqliteStore
from tests.benchmarks.figures import ROUNDS, Figure, ratio, settled_bytes
from tests.benchmarks.worlds import folder, insert_sleeping, order_of, running_app

SLEEPERS: Final = 20_000
SETTLE_SECONDS: Final = 1.5
CHUNK: Final = 500
HOUR_MS: Final = 3_600_000


async def a_sleeper(store: SqliteStore, due_at: int, person: int = 0) -> str:
    """One job that waits at the timed generator; returns its id."""
    job, _ = await store.accept(order_of(person), most_waiting=10**9)
    await store.admit(AdmissionCaps(1, 10**6, {"timed": 10**6}))
    job = await store.job(job.id)
    step = Step(job.id, job.version, to=JobState.GENERATING, ticket={"id": job.attempt_id}, fields={"due_at": due_at})
    return (await store.apply(step)).id


async def fall_asleep(app: App, person: int, count: int) -> None:
    """``count`` jobs of one person that sleep from now on, made in small transactions, as they would be in life."""
    now = app.clock.now()
    first = await a_sleeper(app.store, now + HOUR_MS, person)
    for begin in range(1, count, CHUNK):
        number, due = min(CHUNK, count - begin), now + HOUR_MS + begin
        await app.store.database.write(partial(insert_sleeping, job_id=first, count=number, due_from=due, after=begin))
    app.engine.scheduler.hint()
    await asyncio.sleep(SETTLE_SECONDS)


async def once(count: int) -> tuple[float, float]:
    """(bytes per sleeping job, bytes per sleeping task)."""
    with folder() as place:
        async with running_app(place, seconds=3600.0) as (app, _, _):
            await fall_asleep(app, 0, count)
            before = settled_bytes()
            await fall_asleep(app, 1, count)
            of_jobs = settled_bytes() - before
            tasks = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(count)]
            await asyncio.sleep(0.5)
            before = settled_bytes()
            tasks += [asyncio.create_task(asyncio.sleep(3600)) for _ in range(count)]
            await asyncio.sleep(0.5)
            of_tasks = settled_bytes() - before
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
    return max(0, of_jobs) / count, of_tasks / count


def measure(scale: float = 1.0) -> list[Figure]:
    """One figure."""
    count = max(1000, int(SLEEPERS * scale))
    pairs = [asyncio.run(once(count)) for _ in range(ROUNDS)]
    jobs, tasks = [job for job, _ in pairs], [task for _, task in pairs]
    sides = {"bytes per job": sorted(jobs)[ROUNDS // 2], "bytes per task": sorted(tasks)[ROUNDS // 2]}
    what = f"memory of each of {count} sleeping jobs ÷ a bare asyncio.sleep task"
    return [ratio("sleeping", what, jobs, tasks, goal=0.2, unit="×", sides=sides)]
