"""Moves, refusals and probes where something else happens at the same moment, or has happened before. In virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.commands.clips import again_fields, offers
from bot.commands.making import order
from core.attachments import Attachment
from core.errors import ContentRefused, DiskFull, NotFound, RateLimited, StaleVersion, Unavailable
from core.health import Call
from core.jobs import Actor, Job, Place
from core.ports import Waiting
from core.states import AttemptState, JobState
from core.steps import Step
from storage.house import RESTORED
from storage.operating import waiting_elsewhere
from tests.engine.test_routing import SPARE, VEO, hops, in_state, play, refusing
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


@pytest.mark.parametrize("unpaid", [False, True], ids=["paid", "unpaid"])
def test_a_look_that_began_before_the_submit_does_not_end_it(tmp_path: Path, unpaid: bool) -> None:
    """A step of the job read its row just after the admission: what it takes for a crash is a submit under way."""

    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        taken, answer = on.generator.submit, asyncio.Event()
        on.generator.hides = True

        async def slow(applied: Any, attempt: Any) -> Any:
            await answer.wait()
            return await taken(applied, attempt)

        on.generator.submit = slow  # type: ignore[method-assign]
        job = await in_state(on, await on.order(), JobState.SUBMITTING)
        await on.engine.runner.advance(job.id)
        clock.shift += 200
        await on.engine.runner.advance(job.id)
        assert (await on.store.job(job.id)).version == job.version
        answer.set()
        job = await on.settled(job)
        assert (job.state, job.attempts, len(on.generator.submits)) == (JobState.DONE, 1, 1)
        assert "unclear" not in await hops(on, job)

    price = 0 if unpaid else 40
    play(tmp_path, work, lab=replace(VEO, unpaid=unpaid, price=price), spare={"unpaid": unpaid, "price": price})


def test_a_ticket_is_never_stored_with_another_attempt(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        submits: list[asyncio.Event] = []
        taken = on.generator.submit

        async def slow(applied: Any, attempt: Any) -> Any:
            submits.append(asyncio.Event())
            await submits[-1].wait()
            return await taken(applied, attempt)

        on.generator.submit = slow  # type: ignore[method-assign]
        job = await in_state(on, await on.order(), JobState.SUBMITTING)
        first = await on.store.attempt(job.attempt_id or "")
        step = Step(job.id, job.version, to=JobState.QUEUED, attempt_state=AttemptState.LOST)
        await on.store.apply(step)  # as if another process had asked again
        on.engine.scheduler.hint()
        await on.until(lambda: len(submits) == 2)
        submits[0].set()
        await asyncio.sleep(1)
        assert (await on.store.job(job.id)).state is JobState.SUBMITTING
        submits[1].set()
        job = await on.settled(job)
        assert job.state is JobState.DONE
        assert (await on.store.attempt(first.id)).ticket is None
        ticket = (await on.store.attempt(job.attempt_id or "")).ticket
        assert (ticket or {}).get("id") == job.attempt_id

    play(tmp_path, work, lab=replace(VEO, unpaid=True, price=0))


def test_only_a_clip_begun_while_it_was_open_closes_the_circuit(tmp_path: Path) -> None:
    """A job that stood in the vendor's line counts its time from its end; it was sent before all the same."""

    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        poll, note = on.generator.poll, "note.loading"

        async def told(ticket: Any) -> Any:
            answer = await poll(ticket)
            return replace(answer, note=note) if isinstance(answer, Waiting) else answer

        on.generator.poll = told  # type: ignore[method-assign]
        on.generator.seconds = 25
        job = await in_state(on, await on.order(), JobState.GENERATING)
        desk = on.engine.runner.health
        for name in "abc":
            await desk.bad("veo", Call.SUBMIT, name, Unavailable())
        await asyncio.sleep(5)
        note = "note.other"
        assert (await on.settled(job)).state is JobState.DONE
        assert (await desk.look(fresh=True)).standings["veo"].is_unhealthy

    play(tmp_path, work)


def test_what_waited_for_room_on_the_disk_goes_when_there_is_some(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        async def nothing() -> None:
            return

        on.engine.housekeeping.watch_disk = nothing  # type: ignore[method-assign]
        await asyncio.sleep(1)
        await on.store.pause("veo", None, "paused by the operator")
        on.parts.disk_is_low = True
        job = await on.order()
        await asyncio.sleep(60)
        assert (await on.store.job(job.id)).applied.provider == "veo"
        on.parts.disk_is_low = False
        assert (await on.settled(job)).applied.provider == "spare"

    play(tmp_path, work)


def test_what_was_to_stay_in_the_house_stays_when_its_generator_is_lost(tmp_path: Path) -> None:
    """Nothing is known any more of a lost generator but its name; ComfyUI is a machine of the operator's own."""

    async def begin(clock: VirtualClock) -> None:
        home = replace(VEO, name="comfyui", unpaid=True, price=0, most_active=0)
        async with stage(tmp_path, clock, lab=home) as on:
            on.engine.intake.flat_price = 5
            job = await on.order()
        async with stage(tmp_path, clock, seconds=5, lab=SPARE) as on:
            job = await on.settled(job)
            assert job.failure is not None
            assert (job.state, job.failure.message_id) == (JobState.FAILED, "error.generator_missing")
            assert on.generator.submits == []

    run(begin)


def test_a_vendors_silence_is_no_slowness(tmp_path: Path) -> None:
    """Deadlines that pass while the vendor wants no calls: nobody looked, so nothing speaks against it."""

    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        jobs = [await in_state(on, await on.order(f"boat {n}"), JobState.GENERATING) for n in range(4)]
        await on.engine.runner.health.limited("veo", RateLimited(retry_after=3600))
        ended = [await on.settled(job) for job in jobs]
        assert {job.state for job in ended} == {JobState.FAILED}
        standing = (await on.store.look()).standings["veo"]
        assert not standing.is_unhealthy

    play(tmp_path, work, seconds=1e6)


def test_a_clip_that_was_made_during_the_vendors_silence_is_fetched_before_it_is_given_up(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        job = await in_state(on, await on.order(), JobState.GENERATING)
        await on.engine.runner.health.limited("veo", RateLimited(retry_after=3600))
        job = await on.settled(job)
        assert (job.state, job.charged) == (JobState.DONE, 40)
        assert len(on.generator.polls) <= 2

    play(tmp_path, work)


def test_a_crowd_at_a_vendor_of_a_small_rate_is_made_to_the_last(tmp_path: Path) -> None:
    """Two submits a minute, and it does not say how long to wait: a limit is no failure, however often a job meets it."""

    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        taken = on.generator.submit
        at: list[float] = []

        async def scarce(applied: Any, attempt: Any) -> Any:
            now = clock.monotonic()
            if sum(now - each < 60 for each in at) >= 2:
                raise RateLimited
            at.append(now)
            return await taken(applied, attempt)

        on.generator.submit = scarce  # type: ignore[method-assign]
        ended = [await on.settled(job) for job in [await on.order(f"boat {n}") for n in range(10)]]
        assert [(job.state, job.failure, job.attempts) for job in ended if job.state is not JobState.DONE] == []
        assert len(on.generator.submits) == 10

    play(tmp_path, work, spare={"price": 99}, lab=replace(VEO, most_active=10))


def test_a_limit_that_never_ends_ends_its_job(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        came = refusing(on.generator, lambda: RateLimited(retry_after=1.0))
        job = await on.settled(await on.order())
        assert job.failure is not None
        assert (job.state, job.failure.code, job.charged) == (JobState.FAILED, "RATE_LIMIT_EXCEEDED", 0)
        assert len(came) <= 20

    play(tmp_path, work, spare={"price": 99})


def test_a_certain_refusal_is_not_forgotten_over_a_full_disk(tmp_path: Path) -> None:
    """Nothing was taken, and that is known: the job fails with its reason, and is never in doubt."""

    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        apply, full = on.store.apply, [DiskFull(), StaleVersion()]

        async def filled(step: Step) -> Job:
            if step.attempt_state is AttemptState.FAILED and full:
                raise full.pop()
            return await apply(step)

        on.store.apply = filled  # type: ignore[method-assign]
        refusing(on.generator, ContentRefused)
        job = await on.settled(await on.order())
        assert job.failure is not None
        assert (job.state, job.failure.code, full) == (JobState.FAILED, "CONTENT_POLICY_VIOLATION", [])
        assert "unclear" not in await hops(on, job)

    play(tmp_path, work)


def test_again_never_leaves_out_a_picture_that_could_not_be_prepared(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        on.chat.script("picture", "unreachable", "unreachable", "unreachable", "unreachable")
        picture = Attachment("picture", "image/jpeg", reference={"picture": "p0"})
        place = Place("chat", chat="room")
        job, _ = await order(on.engine, Actor("chat", "ann"), place, {"prompt": "boat"}, attachment=picture)
        job = await on.settled(job)
        assert job.state is JobState.FAILED
        row = await on.store.view(job.id)
        assert not (await on.engine.desk.view(row)).may_do_another
        assert await offers(on.engine, row) == []
        with pytest.raises(NotFound):
            await order(on.engine, Actor("chat", "ann"), place, again_fields(row))

    play(tmp_path, work)
