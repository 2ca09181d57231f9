"""Moves, refusals and probes where something else happens at the same moment, or has happened before. In virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.states import JobState
from storage.house import RESTORED
from storage.operating import waiting_elsewhere
from tests.engine.test_routing import SPARE, VEO, in_state, play
from tests.lab.stage import Stage, TimedGenerator, stage
from tests.lab.virtual_time import VirtualClock, run


def test_a_job_that_left_a_lost_generator_waits_its_turn_quietly(tmp_path: Path) -> None:
    """It was made due for the look at its generator, and would be looked at without end until its turn came."""

    async def begin(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=replace(VEO, most_active=0)) as on:
            job = await on.order()
        async with stage(tmp_path, clock, lab=replace(SPARE, most_active=0)) as on:

            async def moved() -> bool:
                return (await on.store.job(job.id)).applied.provider == "spare"

            await on.until(moved)
            looks, advance = [], on.engine.runner.advance

            async def counted(job_id: str) -> None:
                looks.append(job_id)
                await advance(job_id)

            on.engine.runner.advance = counted  # type: ignore[method-assign]
            await asyncio.sleep(30)
            assert len(looks) <= 2
            moved_job = await on.store.job(job.id)
            assert moved_job.due_at == moved_job.deadline

    run(begin)


def test_a_restore_keeps_the_jobs_of_a_generator_that_was_paused_already(tmp_path: Path) -> None:
    """Whoever had paused it before the backup may have resumed it since, and its jobs may have been submitted."""

    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        await on.store.pause("spare", None, "paused by the operator")
        await on.store.pause("veo", None, "paused by the operator")
        job = await on.order()
        now = clock.now()
        await on.store.database.write(lambda c: waiting_elsewhere(c, [], RESTORED, now))
        await on.store.resume("spare")
        await asyncio.sleep(120)
        assert ((await on.store.job(job.id)).state, other.submits) == (JobState.QUEUED, [])
        await on.store.pause("veo", None, "paused by the operator")
        assert (await on.store.look()).standings["veo"].keeps_jobs, "a further pause makes nothing of it unsaid"

    play(tmp_path, work)


def test_a_clip_whose_price_is_no_longer_known_is_kept_all_the_same(tmp_path: Path) -> None:
    """Its model left the list between two starts, or never had this resolution: it costs what was agreed."""

    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        job = await in_state(on, await on.order(), JobState.GENERATING)

        def unknown(_applied: Any) -> Any:
            raise KeyError("4k")

        on.generator.estimate = unknown  # type: ignore[assignment, method-assign]
        job = await on.settled(job)
        assert (job.state, job.charged, job.true_cost) == (JobState.DONE, 40, 40)

    play(tmp_path, work)


def test_a_fault_in_moving_one_job_holds_up_nobody_else(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        await on.store.pause("veo", None, "paused by the operator")
        estimate = other.estimate

        def broken(applied: Any) -> Any:
            if applied.prompt == "a poisoned boat":
                raise KeyError("4k")
            return estimate(applied)

        other.estimate = broken  # type: ignore[method-assign]
        poisoned = await on.order("a poisoned boat")
        jobs = [await on.settled(await on.order(f"boat {n}")) for n in range(2)]
        assert {(job.state, job.applied.provider) for job in jobs} == {(JobState.DONE, "spare")}
        assert on.engine.broken == {}
        assert (await on.store.job(poisoned.id)).state is JobState.QUEUED

    play(tmp_path, work)
