"""Fail-over between generators: who moves, where to, at what price, and who is let through while one is unhealthy. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.engine.parts import Caps
from core.errors import (
    ContentRefused,
    CredentialsRejected,
    NothingSent,
    OutOfFunds,
    ProviderError,
    RateLimited,
    Unavailable,
    Unclear,
)
from core.health import FIRST_PAUSE, JOBS_IN_A_ROW
from core.jobs import Job
from core.ports import Failed
from core.states import JobState
from storage.house import RESTORED
from tests.lab.chat import Chat
from tests.lab.chat_platform import ENGLISH
from tests.lab.generator import LabSettings
from tests.lab.stage import Stage, TimedGenerator, stage
from tests.lab.virtual_time import VirtualClock, run

VEO = LabSettings(name="veo", price=40, maximum_seconds=600.0, most_active=4, poll_seconds=(2.0, 5.0))
SPARE = replace(VEO, name="spare", price=25)


def spare(clock: VirtualClock, **like: Any) -> TimedGenerator:
    return TimedGenerator(replace(SPARE, **like), clock, seconds=5)


async def in_state(on: Stage, job: Job, *states: JobState) -> Job:
    async def look() -> bool:
        return (await on.store.job(job.id)).state in states

    await on.until(look)
    return await on.store.job(job.id)


async def hops(on: Stage, job: Job) -> list[str]:
    sql = "SELECT hop FROM events WHERE job_id = ? ORDER BY seq"
    return await on.store.database.read(lambda c: [row["hop"] for row in c.execute(sql, (job.id,)).fetchall()])


async def causes(on: Stage) -> list[str]:
    return [cause for cause, _, _ in await on.store.alerts()]


async def state_of(on: Stage, name: str) -> str:
    found = (await on.store.look()).standings.get(name)
    return "ok" if found is None else found.state


def refusing(generator: TimedGenerator, error: Callable[[], Exception], times: int = 10**6) -> list[float]:
    """Let the next submits end in ``error``; returns when each came."""
    taken, came = generator.submit, []

    async def submit(applied: Any, attempt: Any) -> Any:
        came.append(generator._clock.monotonic())
        if len(came) <= times:
            raise error()
        return await taken(applied, attempt)

    generator.submit = submit  # type: ignore[method-assign]
    return came


def play(
    tmp_path: Path, work: Callable[[Stage, TimedGenerator, VirtualClock], Awaitable[None]], **options: Any
) -> None:
    """Run ``work`` with the generator ``veo`` (40 credits), which is the default one, and ``spare`` (25)."""
    like = options.pop("spare", {})

    async def begin(clock: VirtualClock) -> None:
        other = spare(clock, **like)
        async with stage(tmp_path, clock, **{"seconds": 5, "lab": VEO, "more": {"spare": other}, **options}) as on:
            await work(on, other, clock)
            assert await on.store.audit_sums() == []

    run(begin)


# ------------------------------------------------------------------------------------------------------------------ who moves where


def test_a_job_of_a_paused_generator_is_made_by_the_next_and_says_so(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        await on.store.pause("veo", None, "paused by the operator")
        began = clock.monotonic()
        job = await on.order()
        assert job.applied.provider == "veo"
        await on.card(job)
        job = await on.settled(job)
        assert clock.monotonic() - began < 30
        assert (job.state, job.applied.provider, job.applied.seed) == (JobState.DONE, "spare", job.applied.seed)
        assert (job.price, job.charged, job.true_cost) == (40, 25, 25), "the cheaper one is paid, once"
        assert (on.generator.submits, len(other.submits)) == ([], 1)
        assert (await hops(on, job)).count("moved") == 1
        (message,) = on.chat.shown()
        assert "Lab veo was not available, so I took Lab spare." in message.text
        assert "25 credits" in message.text
        status = await on.engine.desk.status(await on.store.view(job.id), ENGLISH)
        assert (status["applied"]["provider"], status["charged"]) == ("spare", 25)

    play(tmp_path, work)


@pytest.mark.parametrize(
    "price, flat, goes",
    [(40, None, True), (41, None, False), (41, 10, True)],
    ids=["as dear", "dearer", "dearer at a flat price"],
)
def test_nobody_pays_more_than_was_agreed(tmp_path: Path, price: int, flat: int | None, goes: bool) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        on.engine.intake.flat_price = flat
        await on.store.pause("veo", None, "paused by the operator")
        job = await on.order()
        agreed = job.price
        if not goes:
            await asyncio.sleep(300)
            job = await on.store.job(job.id)
            assert (job.state, job.applied.provider, other.submits) == (JobState.QUEUED, "veo", [])
            _, card = await on.engine.desk.card(job.id)
            assert (card.state.id, card.state.values) == ("state.paused", {"generator": "Lab veo"})
            return
        job = await on.settled(job)
        assert (job.applied.provider, job.price, job.charged) == ("spare", agreed, agreed)

    play(tmp_path, work, spare={"price": price})


@pytest.mark.parametrize("fields", [{"provider": "veo"}, {"model": "veo-1"}], ids=["generator", "model"])
def test_what_the_person_named_waits_for_it(tmp_path: Path, fields: dict[str, Any]) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        await on.store.pause("veo", None, "paused by the operator")
        job = await on.order(**fields)
        await asyncio.sleep(300)
        assert (await on.store.job(job.id)).state is JobState.QUEUED
        await on.store.resume("veo")
        job = await on.settled(job)
        assert (job.applied.provider, job.charged, other.submits) == ("veo", 40, [])

    play(tmp_path, work)


@pytest.mark.parametrize(
    "like, fields",
    [({"stand_in": True}, {}), ({"seconds": (5,)}, {"duration": 8, "seed": 3}), ({"speech": False}, {"line": "Ahoy"})],
    ids=["it only draws", "other seconds are said", "it cannot speak"],
)
def test_only_a_generator_that_can_do_it_takes_it(tmp_path: Path, like: dict[str, Any], fields: dict[str, Any]) -> None:
    """One that makes other seconds may: 4, 6 and 8 are legal everywhere, and what is made is said."""

    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        await on.store.pause("veo", None, "paused by the operator")
        job = await on.order(**fields)
        if "duration" in fields:
            job = await on.settled(job)
            assert (job.applied.provider, job.applied.seconds, job.applied.seed) == ("spare", 5, 3)
            assert [each.message_id for each in job.changed] == ["change.moved", "change.seconds"]
            return
        await asyncio.sleep(120)
        assert ((await on.store.job(job.id)).state, other.submits) == (JobState.QUEUED, [])

    play(tmp_path, work, spare=like, lab=replace(VEO, speech=True))


def test_nobody_moves_to_one_that_is_held_up_itself_and_all_is_told_again_when_one_is_back(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        for name in ("veo", "spare"):
            await on.store.pause(name, None, "paused by the operator")
        job = await on.order()
        await asyncio.sleep(120)
        assert (await on.store.job(job.id)).applied.provider == "veo"
        await on.store.resume("spare")
        assert (await on.settled(job)).applied.provider == "spare"

    play(tmp_path, work)


def test_a_job_that_comes_back_says_no_more_of_it(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        await on.store.pause("veo", None, "paused by the operator")
        job = await on.order()

        async def moved() -> bool:
            return (await on.store.job(job.id)).applied.provider == "spare"

        await on.until(moved)
        await on.store.pause("spare", None, "paused by the operator")
        await on.store.resume("veo")
        job = await on.settled(job)
        assert (job.applied.provider, job.changed, job.charged) == ("veo", (), 40)
        assert other.submits == []

    play(tmp_path, work, spare={"most_active": 0})


@pytest.mark.parametrize("seconds, goes", [(20.0, False), (90.0, True)])
def test_a_short_rate_limit_is_waited_for_and_a_long_one_is_not(tmp_path: Path, seconds: float, goes: bool) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        came = refusing(on.generator, lambda: RateLimited(retry_after=seconds), 1)
        job = await on.settled(await on.order())
        assert job.state is JobState.DONE
        assert job.applied.provider == ("spare" if goes else "veo")
        assert len(came) == (1 if goes else 2)
        if not goes:
            assert came[1] - came[0] >= seconds

    play(tmp_path, work)


@pytest.mark.parametrize("error", [CredentialsRejected, OutOfFunds], ids=["key", "funds"])
def test_the_job_that_finds_a_generator_closed_goes_on_too(tmp_path: Path, error: type[ProviderError]) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        came = refusing(on.generator, error)
        jobs = [await on.order(f"boat {n}") for n in range(6)]
        ended = [await on.settled(job) for job in jobs]
        assert {(job.state, job.applied.provider, job.charged) for job in ended} == {(JobState.DONE, "spare", 25)}
        assert len(came) <= VEO.most_active, "nothing more was submitted after the refusals of what was under way"
        assert await causes(on) == [f"{error.code} veo"]

    play(tmp_path, work)


def test_without_another_one_the_refused_job_fails_and_the_others_wait(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        refusing(on.generator, CredentialsRejected)
        first = await on.settled(await on.order())
        assert (first.state, first.charged) == (JobState.FAILED, 0)
        assert first.failure is not None
        assert first.failure.message_id == "error.operator_told"
        second = await on.order()
        await asyncio.sleep(60)
        assert (await on.store.job(second.id)).state is JobState.QUEUED

    play(tmp_path, work, spare={"price": 50})


def test_what_may_have_been_taken_moves_nowhere(tmp_path: Path) -> None:
    """A paid submit whose answer was lost stays unclear; an unpaid one is asked again, and only there."""

    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        on.generator.loses = on.generator.hides = True
        job = await in_state(on, await on.order(), JobState.UNCLEAR)
        await on.store.pause("veo", None, "paused by the operator")
        await asyncio.sleep(600)
        job = await on.store.job(job.id)
        assert (job.state, job.applied.provider, other.submits) == (JobState.UNCLEAR, "veo", [])

    play(tmp_path, work)


def test_a_lost_attempt_of_an_unpaid_generator_holds_its_job_too(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        refusing(on.generator, lambda: Unclear("lost"), 1)
        job = await on.order()

        async def asked_again() -> bool:
            return (await hops(on, job))[-1] == "asked again"

        await on.until(asked_again)
        await on.store.pause("veo", None, "paused by the operator")
        await asyncio.sleep(60)
        assert other.submits == []

    home = replace(VEO, unpaid=True, price=0)
    play(tmp_path, work, lab=home, spare={"unpaid": True, "price": 0})


def test_what_was_restored_from_a_backup_moves_nowhere(tmp_path: Path) -> None:
    """It may have been submitted since the backup was made: nobody but an operator knows."""

    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        await on.store.pause("veo", None, RESTORED)
        job = await on.order()
        await asyncio.sleep(120)
        assert ((await on.store.job(job.id)).state, other.submits) == (JobState.QUEUED, [])

    play(tmp_path, work)


def test_what_was_to_stay_in_the_house_goes_to_no_company(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        on.engine.intake.flat_price = 5
        await on.store.pause("veo", None, "paused by the operator")
        await on.order()
        await asyncio.sleep(120)
        assert other.submits == []

    play(tmp_path, work, lab=replace(VEO, unpaid=True, price=0))


def test_a_job_of_a_lost_generator_is_made_by_another(tmp_path: Path) -> None:
    async def begin(clock: VirtualClock) -> None:
        chat = Chat(clock.monotonic)
        async with stage(tmp_path, clock, chat=chat, lab=replace(VEO, most_active=0)) as on:
            job = await on.order()
            await on.card(job)
        async with stage(tmp_path, clock, chat=chat, seconds=5, lab=SPARE) as on:
            job = await on.settled(job)
            assert (job.state, job.applied.provider, job.charged) == (JobState.DONE, "spare", 25)
            assert "veo was not available, so I took Lab spare" in chat.shown()[0].text
            assert await causes(on) == []

    run(begin)


# ------------------------------------------------------------------------------------------------------------------------------ crowds


def test_a_flood_moves_in_its_order_and_starves_nobody(tmp_path: Path) -> None:
    """Fifty jobs of one person wait; another's single one, ordered last, is among the first that the other generator makes."""

    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        flood = [await on.order(f"boat {n}", person="ann") for n in range(50)]
        lonely = await on.order("a heron", person="bob")
        before = clock.monotonic()
        await on.store.pause("veo", None, "paused by the operator")
        ended = [await on.settled(job) for job in (lonely, *flood)]
        assert {job.state for job in ended} == {JobState.DONE}
        assert {job.applied.provider for job in ended} == {"spare"}
        rank = sorted(ended, key=lambda job: job.started_at or 0).index(ended[0])
        assert rank < 6
        order = sorted(ended[1:], key=lambda job: job.started_at or 0)
        assert [job.wanted.prompt for job in order[:4]] == [f"boat {n}" for n in range(4)]
        assert clock.monotonic() - before < 51 / 4 * 15
        assert len(other.submits) == len(set(other.submits)) == 51

    play(tmp_path, work, lab=replace(VEO, most_active=0))


def test_a_move_and_a_cancel_do_not_both_win(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        jobs = [await on.order(f"boat {n}") for n in range(20)]
        await on.store.pause("veo", None, "paused by the operator")
        on.engine.scheduler.hint()
        await asyncio.gather(*(on.engine.cancel(job.id) for job in jobs))
        ended = [await on.settled(job) for job in jobs]
        assert {(job.state, job.charged) for job in ended} == {(JobState.CANCELLED, 0)}
        assert other.submits == []

    play(tmp_path, work, lab=replace(VEO, most_active=0), spare={"most_active": 0})


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
        assert {(await on.settled(job)).state for job in jobs} == {JobState.DONE}
        assert await state_of(on, "veo") == "ok"
        assert (await on.settled(await on.order("another"))).applied.provider == "veo"

    play(tmp_path, work, seconds=60)


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
        await asyncio.sleep(limited[0] + 39 - clock.monotonic())
        assert on.generator.polls == []
        assert len(on.generator.submits) == submits
        assert await state_of(on, "veo") == "paused"
        await on.until(lambda: bool(on.generator.polls))
        assert min(on.generator.polls) >= limited[0] + 40
        ended = [await on.settled(job) for job in (*jobs, late)]
        assert {job.state for job in ended[1:]} == {JobState.DONE}
        assert ended[0].state is (JobState.CANCELLED if call == "cancel" else JobState.DONE)
        assert await state_of(on, "veo") == "ok"

    play(tmp_path, work, seconds=120)


def test_limits_that_do_not_say_for_how_long_grow(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        came = refusing(on.generator, RateLimited, 4)
        assert (await on.settled(await on.order())).state is JobState.DONE
        gaps = [b - a for a, b in pairwise(came)]
        assert len(gaps) == 4
        assert all(later > 1.2 * earlier for earlier, later in pairwise(gaps))

    play(tmp_path, work)


# ------------------------------------------------------------------------------------------------------------------------ default, money


def test_the_operators_default_is_used_at_once_and_after_a_restart(tmp_path: Path) -> None:
    async def begin(clock: VirtualClock) -> None:
        from storage import health

        for started in range(2):
            async with stage(tmp_path, clock, seconds=5, lab=VEO, more={"spare": spare(clock)}) as on:
                if not started:
                    assert (await on.order()).applied.provider == "veo"
                    now = clock.now()
                    await on.store.database.write(lambda c: health.choose(c, health.DEFAULT_PROVIDER, "spare", now))  # noqa: B023
                    await on.engine.runner.health.look(fresh=True)
                assert (await on.order()).applied.provider == "spare"
        async with stage(tmp_path, clock, seconds=5, lab=VEO) as on:
            assert (await on.order()).applied.provider == "veo", "it is not configured any more: the settings hold"

    run(begin)


def test_the_last_word_on_the_cost_is_the_vendors(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        other.cost_usd = 0.31
        await on.store.pause("veo", None, "paused by the operator")
        job = await on.settled(await on.order())
        assert (job.charged, job.true_cost, job.price) == (31, 31, 40)

    play(tmp_path, work, caps=Caps(running_per_person=5))
