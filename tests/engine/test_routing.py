"""Fail-over between generators: who moves, where to, at what price, and who is let through while one is unhealthy. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.engine import routing
from bot.engine.parts import Caps
from core.errors import (
    CredentialsRejected,
    OutOfFunds,
    ProviderError,
    RateLimited,
    Unclear,
)
from core.jobs import Job
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


def test_what_nobody_could_take_is_looked_at_again_when_another_one_is_back(tmp_path: Path) -> None:
    async def begin(clock: VirtualClock) -> None:
        more = {"dear": spare(clock, name="dear", price=99), "spare": spare(clock)}
        async with stage(tmp_path, clock, seconds=5, lab=VEO, more=more) as on:
            for name in ("veo", "spare"):
                await on.store.pause(name, None, "paused by the operator")
            job = await on.order()
            await asyncio.sleep(60)
            assert (await on.store.job(job.id)).applied.provider == "veo"
            await on.store.resume("spare")
            assert (await on.settled(job)).applied.provider == "spare"

    run(begin)


def test_a_job_that_was_written_after_the_walk_had_passed_moves_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time in the line is taken before it is written: a walk that began between the two does not see it."""

    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        await on.store.pause("veo", None, "paused by the operator")
        stuck, passed = on.store.stuck, asyncio.Event()

        async def too_early(*args: Any) -> Any:
            found = await stuck(*args)
            if passed.is_set() or not found:
                return found
            await asyncio.sleep(0.2)
            passed.set()
            return []

        monkeypatch.setattr(on.store, "stuck", too_early)
        job = await on.order()
        await asyncio.wait_for(passed.wait(), 30)
        assert (await asyncio.wait_for(on.settled(job), 60)).applied.provider == "spare"
        assert len(other.submits) == 1

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
        async def lost(applied: Any, attempt: Any) -> Any:
            await on.store.pause("veo", None, "paused by the operator")
            raise Unclear("the answer was lost")

        on.generator.submit = lost  # type: ignore[method-assign]
        on.generator.hides = True
        job = await on.order()
        await asyncio.sleep(60)
        assert (await on.store.job(job.id)).state is JobState.QUEUED
        assert "asked again" in await hops(on, job)
        assert other.submits == []

    home = replace(VEO, unpaid=True, price=0)
    play(tmp_path, work, lab=home, spare={"unpaid": True, "price": 0})


def test_an_unpaid_generator_that_took_the_job_is_not_asked_again(tmp_path: Path) -> None:
    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        on.generator.loses = True
        job = await on.settled(await on.order())
        assert (job.state, job.attempts, len(on.generator.submits)) == (JobState.DONE, 1, 1)
        assert "asked again" not in await hops(on, job)

    home = replace(VEO, unpaid=True, price=0)
    play(tmp_path, work, lab=home, spare={"unpaid": True, "price": 0})


def test_an_unpaid_generator_that_never_answers_fails_the_job_and_leaves_nobody_to_decide(tmp_path: Path) -> None:
    """Nothing can have been billed: it must not wait as unclear, telling that it may have been."""

    async def work(on: Stage, other: TimedGenerator, clock: VirtualClock) -> None:
        on.generator.loses = on.generator.hides = True
        job = await on.settled(await on.order())
        assert job.failure is not None
        assert (job.state, job.failure.message_id) == (JobState.FAILED, "error.provider_unavailable")
        assert job.attempts == len(on.generator.submits) == 5
        assert "unclear" not in await hops(on, job)

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


def test_nor_does_it_when_the_settings_have_lost_its_generator_as_well(tmp_path: Path) -> None:
    async def begin(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=VEO) as on:
            await on.store.pause("veo", None, RESTORED)
            job = await on.order()
        async with stage(tmp_path, clock, seconds=5, lab=SPARE) as on:
            job = await on.settled(job)
            assert job.failure is not None
            assert (job.state, job.failure.message_id) == (JobState.FAILED, "error.generator_missing")
            assert on.generator.submits == []

    run(begin)


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


def test_a_flood_moves_in_its_order_and_starves_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty jobs of one person wait; another's single one, ordered last, is among the first that the other generator makes."""
    monkeypatch.setattr(routing, "PAGE", 16)

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
