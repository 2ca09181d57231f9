"""The circuit of a generator that is unhealthy, its probes, and rate limits that hold for every call. In virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from core.errors import ContentRefused, NothingSent, ProviderError, RateLimited, Unavailable, Unclear
from core.health import FIRST_PAUSE, JOBS_IN_A_ROW
from core.jobs import Job
from core.ports import Failed
from core.states import JobState
from tests.engine.test_routing import VEO, causes, in_state, play, refusing, spare, state_of
from tests.lab.stage import Stage, TimedGenerator, stage
from tests.lab.virtual_time import VirtualClock, run

# ------------------------------------------------------------------------------------------------------------------------- the circuit


async def break_it(on: Stage) -> list[Job]:
    """Open the circuit of ``veo``: jobs in a row whose submits bring nothing."""
    jobs = [await on.order(f"lost {n}", provider="veo") for n in range(JOBS_IN_A_ROW)]

    async def unhealthy() -> bool:
        return await state_of(on, "veo") == "unhealthy"

    await on.until(unhealthy)
    return jobs


def test_failover_succeeds_after_the_primary_circuit_opens(tmp_path: Path) -> None:
    """B49: one clip, one charge."""

    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        came = refusing(on.generator, lambda: Unclear("the answer was lost"))
        on.generator.hides = True
        await break_it(on)
        assert len(came) == JOBS_IN_A_ROW
        job = await on.order("a heron")
        await on.card(job)
        job = await on.settled(job)
        assert (job.state, job.applied.provider, job.charged) == (JobState.DONE, "spare", 25)
        assert len(came) == JOBS_IN_A_ROW, "nothing was submitted to the unhealthy one"
        assert len(other.submits) == 1
        lines = await on.store.database.read(
            lambda c: [
                r["kind"]
                for r in c.execute("SELECT kind FROM ledger WHERE job_id = ? ORDER BY id", (job.id,)).fetchall()
            ]
        )
        assert lines == ["hold", "charge"]
        assert [cause for cause in await causes(on) if cause.startswith("unhealthy")] == ["unhealthy veo"]

    play(tmp_path, work)


def test_one_probe_goes_first_and_its_word_holds_for_all(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        came = refusing(on.generator, lambda: Unclear("the answer was lost"), JOBS_IN_A_ROW + 1)
        on.generator.hides = True
        await break_it(on)
        opened = clock.monotonic()
        waiting = [await on.order(f"boat {n}", provider="veo") for n in range(8)]

        async def closed() -> bool:
            return await state_of(on, "veo") == "ok"

        await on.until(closed)
        in_vain, told = came[JOBS_IN_A_ROW : JOBS_IN_A_ROW + 2]
        first, second = in_vain - opened, told - in_vain
        assert 0.7 * FIRST_PAUSE < first < 1.3 * FIRST_PAUSE + 6
        assert 1.5 * FIRST_PAUSE < second < 2.5 * FIRST_PAUSE + 6
        ended = [(await on.settled(job)).state for job in waiting[1:]]
        assert ended == [JobState.DONE] * 7
        assert "unhealthy veo" not in await causes(on)

    play(tmp_path, work, spare={"price": 99})


def test_a_ticket_is_word_enough_where_submits_were_the_trouble(tmp_path: Path) -> None:
    """Nobody waits until the probe's clip is made."""

    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        refusing(on.generator, lambda: Unclear("the answer was lost"), JOBS_IN_A_ROW)
        on.generator.hides = True
        await break_it(on)
        first, second = [await on.order(f"boat {n}", provider="veo") for n in range(2)]
        await in_state(on, second, JobState.GENERATING)
        assert (await on.store.job(first.id)).state is JobState.GENERATING
        assert await state_of(on, "veo") == "ok"

    play(tmp_path, work, seconds=300)


def test_an_open_circuit_outlives_a_restart_and_is_told_once(tmp_path: Path) -> None:
    async def begin(clock: VirtualClock) -> None:
        told: list[str] = []

        async def tell(text: str) -> None:
            told.append(text)

        async with stage(tmp_path, clock, seconds=5, lab=VEO) as on:
            on.parts.alerts.tell_also(tell)
            refusing(on.generator, lambda: Unclear("the answer was lost"))
            on.generator.hides = True
            await break_it(on)
            await asyncio.sleep(3)
        other = spare(clock)
        async with stage(tmp_path, clock, seconds=5, lab=VEO, more={"spare": other}) as on:
            on.parts.alerts.tell_also(tell)
            assert await state_of(on, "veo") == "unhealthy"
            job = await on.settled(await on.order("a heron"))
            assert (job.applied.provider, on.generator.submits) == ("spare", [])
        assert len([text for text in told if "unhealthy" in text]) == 1

    run(begin)


@pytest.mark.parametrize("error", [ContentRefused("no"), None], ids=["refused", "cancelled"])
def test_what_is_not_its_fault_says_nothing_about_a_generator(tmp_path: Path, error: ProviderError | None) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        async def refused(ticket: Any) -> Any:
            assert error is not None
            return Failed(error)

        if error is not None:
            on.generator.poll = refused  # type: ignore[method-assign]
        for n in range(2 * JOBS_IN_A_ROW):
            job = await in_state(on, await on.order(f"boat {n}"), JobState.GENERATING, JobState.FAILED)
            if error is None:
                await on.engine.cancel(job.id)
            assert (await on.settled(job)).state in (JobState.FAILED, JobState.CANCELLED)
        assert (await on.store.look()).troubled == {}

    play(tmp_path, work, seconds=1e5 if error is None else 5)


@pytest.mark.parametrize("way", ["failed", "late"])
def test_clips_that_do_not_come_open_the_circuit_and_one_that_comes_closes_it(tmp_path: Path, way: str) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        good = on.generator.poll

        async def broken(ticket: Any) -> Any:
            return Failed(Unavailable("internal"))

        if way == "failed":
            on.generator.poll = broken  # type: ignore[method-assign]
        for n in range(JOBS_IN_A_ROW):
            assert await state_of(on, "veo") == "ok"
            await on.settled(await on.order(f"boat {n}", provider="veo"))
        assert await state_of(on, "veo") == "unhealthy"
        on.generator.poll, on.generator.seconds = good, 5  # type: ignore[method-assign]
        job = await on.settled(await on.order("a heron", provider="veo"))
        assert job.state is JobState.DONE
        assert await state_of(on, "veo") == "ok"
        assert [each for each in await causes(on) if each.startswith("unhealthy")] == []

    play(tmp_path, work, seconds=5 if way == "failed" else 1e5, lab=replace(VEO, maximum_seconds=60.0))


def test_polls_that_work_again_close_what_polls_had_opened(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        good = on.generator.poll

        async def deaf(ticket: Any) -> Any:
            raise Unavailable("status 503")

        jobs = [await in_state(on, await on.order(f"boat {n}"), JobState.GENERATING) for n in range(4)]
        on.generator.poll = deaf  # type: ignore[method-assign]

        async def unhealthy() -> bool:
            return await state_of(on, "veo") in ("unhealthy", "probing")

        await on.until(unhealthy)
        assert (await on.settled(await on.order("a heron"))).applied.provider == "spare"
        on.generator.poll = good  # type: ignore[method-assign]

        async def well() -> bool:
            return await state_of(on, "veo") == "ok"

        await on.until(well)
        assert {(await on.store.job(job.id)).state for job in jobs} == {JobState.GENERATING}, (
            "no clip was needed for it"
        )
        assert {(await on.settled(job)).state for job in jobs} == {JobState.DONE}
        assert (await on.settled(await on.order("another"))).applied.provider == "veo"

    play(tmp_path, work, seconds=90)


def test_one_job_whose_polls_fail_does_not_condemn_its_generator(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        async def deaf(ticket: Any) -> Any:
            raise Unavailable("status 500")

        on.generator.poll = deaf  # type: ignore[method-assign]
        await in_state(on, await on.order("cursed"), JobState.GENERATING)
        await asyncio.sleep(120)
        assert await state_of(on, "veo") == "ok"

    play(tmp_path, work)


def test_a_probe_that_says_nothing_makes_room_for_another(tmp_path: Path) -> None:
    """It is cancelled by its person before anything is known."""

    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        polled = on.generator.poll

        async def broken(ticket: Any) -> Any:
            return Failed(Unavailable("internal"))

        on.generator.poll = broken  # type: ignore[method-assign]
        for n in range(JOBS_IN_A_ROW):
            await on.settled(await on.order(f"boat {n}", provider="veo"))
        on.generator.poll, on.generator.seconds = polled, 50  # type: ignore[method-assign]
        first, second = [await on.order(f"heron {n}", provider="veo") for n in range(2)]
        await in_state(on, first, JobState.GENERATING)
        await asyncio.sleep(10)
        assert (await on.store.job(second.id)).state is JobState.QUEUED, "the others wait until the probe told"
        await on.engine.cancel(first.id)
        assert (await on.settled(second)).state is JobState.DONE

    play(tmp_path, work, spare={"price": 99})


def test_a_connection_that_never_comes_about_moves_a_lonely_job_after_its_tries(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        came = refusing(on.generator, lambda: NothingSent("no connection"))
        job = await on.settled(await on.order())
        assert (job.state, job.applied.provider, job.charged) == (JobState.DONE, "spare", 25)
        assert len(came) == 5

    play(tmp_path, work)


# --------------------------------------------------------------------------------------------------------------------------- rate limits


@pytest.mark.parametrize("call", ["poll", "cancel", "submit"])
def test_a_rate_limit_silences_every_call_to_that_vendor(tmp_path: Path, call: str) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        jobs = [await in_state(on, await on.order(f"boat {n}"), JobState.GENERATING) for n in range(3)]
        plain = getattr(on.generator, call)
        limited: list[float] = []

        async def too_fast(*args: Any) -> Any:
            if not limited:
                limited.append(clock.monotonic())
                raise RateLimited(retry_after=40)
            return await plain(*args)

        setattr(on.generator, call, too_fast)
        if call == "cancel":
            await on.engine.cancel(jobs[0].id)
        late = await on.order("one more")

        async def told() -> bool:
            return bool(limited)

        await on.until(told)
        await asyncio.sleep(0.1)
        on.generator.polls.clear()
        submits = len(on.generator.submits)
        if call == "submit":
            await on.engine.cancel(jobs[0].id)
        await asyncio.sleep(limited[0] + 39 - clock.monotonic())
        assert on.generator.polls == []
        assert len(on.generator.submits) == submits
        assert on.generator.cancelled == []
        assert await state_of(on, "veo") == "paused"
        await on.until(lambda: bool(on.generator.polls))
        assert min(on.generator.polls) >= limited[0] + 40
        ended = [await on.settled(job) for job in (*jobs, late)]
        assert {job.state for job in ended[1:]} == {JobState.DONE}
        assert ended[0].state is (JobState.DONE if call == "poll" else JobState.CANCELLED)
        assert await state_of(on, "veo") == "ok"

    play(tmp_path, work, seconds=60)


def test_limits_that_do_not_say_for_how_long_grow(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        came = refusing(on.generator, RateLimited, 4)
        assert (await on.settled(await on.order())).state is JobState.DONE
        gaps = [b - a for a, b in pairwise(came)]
        assert len(gaps) == 4
        assert all(later > 1.2 * earlier for earlier, later in pairwise(gaps))

    play(tmp_path, work)
