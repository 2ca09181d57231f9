"""Quota under a crowd, in every scope, across midnight; a ledger that only grows; sums that are checked against it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from core.errors import Conflict, DatabaseFault, IntakePaused, NotAllowed, QuotaExceeded, TooManyJobs
from core.jobs import Job
from core.money import Period, Scope
from core.states import JobState
from core.steps import AdmissionCaps, DefaultLimits, Step
from storage.intake import LIVE_JOBS
from storage.store import SqliteStore
from tests.storage.store_world import DAY, HOUR, NOON, HandClock, a_store, accepted, done, ended, order, rows

SETTLE = "INSERT INTO ledger (at, kind, amount, account_id, job_id)"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqliteStore]:
    async with a_store(tmp_path, clock, DefaultLimits(person_day=50, person_month=200, everybody_day=None)) as store:
        yield store
        assert await store.audit_sums() == []


def run(sql: str, c: sqlite3.Connection) -> int:
    return c.execute(sql).rowcount


async def crowd(store: SqliteStore, orders: int, price: int, **rest: object) -> tuple[list[Job], list[BaseException]]:
    calls = (store.accept(order(price=price, **rest), most_waiting=10_000) for _ in range(orders))  # type: ignore[arg-type]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    return [answer[0] for answer in answers if not isinstance(answer, BaseException)], refused


async def used(store: SqliteStore, scope: Scope, subject: str, period: Period = Period.DAY) -> tuple[int, int]:
    for allowance in await store.allowances([(scope, subject)]):
        if allowance.period is period:
            return allowance.held, allowance.spent
    raise AssertionError


async def test_two_hundred_at_once_with_room_for_five_give_exactly_five(store: SqliteStore) -> None:
    jobs, refused = await crowd(store, 200, 10)
    assert len(jobs) == 5
    assert {type(error) for error in refused} == {QuotaExceeded}
    assert await used(store, Scope.PERSON, jobs[0].account_id) == (50, 0)
    assert len(await rows(store, "SELECT 1 FROM ledger")) == 5


@pytest.mark.parametrize("scope, subject", [(Scope.CHAT, "g:1"), (Scope.ROLE, "r:1"), (Scope.EVERYBODY, "*")])
async def test_a_shared_cap_holds_for_a_crowd_of_different_people(
    store: SqliteStore, scope: Scope, subject: str
) -> None:
    await store.set_limit(scope, subject, Period.DAY, 35)
    calls = (
        store.accept(order(f"person {n}", 10, chat="g:1", roles=("r:1", "r:2")), most_waiting=5) for n in range(50)
    )
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(answer, tuple) for answer in answers) == 3
    refused = next(answer for answer in answers if isinstance(answer, QuotaExceeded))
    assert refused.values == {
        "needed": 10,
        "left": 5,
        "scope": scope.value,
        "period": "day",
        "resets_at": NOON + 12 * HOUR,
    }
    assert await used(store, scope, subject) == (30, 0)
    assert await store.find_account("web", "person 49") is None or len(await rows(store, "SELECT 1 FROM accounts")) == 3


async def test_every_scope_counts_one_job_and_the_tightest_refuses_it(store: SqliteStore) -> None:
    limits = {(Scope.CHAT, "g:1"): 100, (Scope.ROLE, "r:1"): 30, (Scope.EVERYBODY, "*"): 60}
    for (scope, subject), amount in limits.items():
        await store.set_limit(scope, subject, Period.MONTH, amount)
    jobs, _ = await crowd(store, 10, 10, chat="g:1", roles=("r:1", "r:1"))
    assert len(jobs) == 3  # the role's cap, counted once however often it is named
    for scope, subject in (*limits, (Scope.PERSON, jobs[0].account_id)):
        assert await used(store, scope, subject, Period.MONTH) == (30, 0)
    await done(store, jobs[0], true_cost=4)
    await ended(store, jobs[1], JobState.FAILED)
    for scope, subject in (*limits, (Scope.PERSON, jobs[0].account_id)):
        assert await used(store, scope, subject, Period.MONTH) == (10, 4)


async def test_a_shared_allowance_is_shared(store: SqliteStore) -> None:
    for n in range(5):
        await accepted(store, f"browser {n}", 10, subject="web:anonymous")
    with pytest.raises(QuotaExceeded):
        await accepted(store, "browser 5", 1, subject="web:anonymous")
    await accepted(store, "somebody", 50)


async def test_unset_zero_and_unlimited(store: SqliteStore) -> None:
    account = await store.open_account("web", "ann")
    await store.set_limit(Scope.PERSON, account, Period.DAY, 0)
    with pytest.raises(QuotaExceeded):
        await accepted(store, price=1)
    await accepted(store, price=0)
    await store.set_limit(Scope.PERSON, account, Period.DAY, None)
    await accepted(store, price=120)
    await store.set_limit(Scope.PERSON, account, Period.DAY, None, unset=True)
    with pytest.raises(QuotaExceeded):
        await accepted(store, price=1)  # back to the default of 50, and 120 are held


async def test_a_cap_for_everybody_applies_as_soon_as_it_is_configured(tmp_path: Path, clock: HandClock) -> None:
    async with a_store(tmp_path, clock, DefaultLimits(None, None, 15)) as store:
        await accepted(store, "ann", 10)
        with pytest.raises(QuotaExceeded) as refused:
            await accepted(store, "bob", 10)
        assert refused.value.values["scope"] == "everybody"
        await store.set_limit(Scope.EVERYBODY, "*", Period.DAY, None)
        await accepted(store, "bob", 10_000)


async def test_grants_are_used_last_and_come_back_first(store: SqliteStore) -> None:
    account = await store.open_account("web", "ann")
    assert await store.grant(account, 30, "a present") == 30
    job = await accepted(store, price=70)
    assert (job.hold.from_grants, (await store.account(account)).granted) == (20, 10)
    job = await done(store, job, true_cost=55)
    assert (job.charged, (await store.account(account)).granted) == (55, 25)  # the allowance paid 50, the grants 5
    assert await used(store, Scope.PERSON, account) == (0, 50)
    assert await used(store, Scope.EVERYBODY, "*") == (0, 55)
    job = await accepted(store, price=25)
    await ended(store, job)
    assert (await store.account(account)).granted == 25
    assert await store.grant(account, -1000, "taken back") == 0
    lines = await rows(store, "SELECT kind, amount, from_grants FROM ledger ORDER BY id")
    assert [tuple(line.values()) for line in lines] == [
        ("grant", 30, 0),
        ("hold", 70, 20),
        ("charge", 55, 5),
        ("hold", 25, 25),
        ("release", 25, 25),
        ("refund", 25, 0),
    ]


async def test_a_hold_belongs_to_the_windows_of_its_acceptance(store: SqliteStore, clock: HandClock) -> None:
    clock.at = int(datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC).timestamp() * 1000)
    late = await accepted(store, price=50)
    account = late.account_id
    with pytest.raises(QuotaExceeded) as refused:
        await accepted(store, price=1)
    assert refused.value.values["resets_at"] == clock.at + 1000
    clock.at += 1000  # another day, another month
    early = await accepted(store, price=50)
    assert await used(store, Scope.PERSON, account) == (50, 0)
    assert await used(store, Scope.PERSON, account, Period.MONTH) == (50, 0)
    await done(store, late)
    assert await used(store, Scope.PERSON, account) == (50, 0)  # charged where it was held: yesterday
    clock.at -= 1000
    assert await used(store, Scope.PERSON, account) == (0, 50)
    assert await used(store, Scope.PERSON, account, Period.MONTH) == (0, 50)
    clock.at += 1000
    await ended(store, early)
    assert await used(store, Scope.PERSON, account) == (0, 0)


async def test_an_overrun_is_not_the_persons(store: SqliteStore) -> None:
    job = await done(store, await accepted(store, price=10), true_cost=99)
    assert (job.charged, job.true_cost) == (10, 99)


@pytest.mark.parametrize("end", [JobState.FAILED, JobState.CANCELLED])
async def test_what_gave_no_clip_costs_nothing(store: SqliteStore, end: JobState) -> None:
    job = await accepted(store, price=10)
    job = await ended(store, job, end)
    assert (job.charged, job.due_at, job.deadline) == (0, None, None)
    assert await used(store, Scope.PERSON, job.account_id) == (0, 0)


async def test_the_ledger_is_append_only(store: SqliteStore) -> None:
    job = await accepted(store, price=10)
    for sql in ("UPDATE ledger SET amount = 0", "DELETE FROM ledger", f"DELETE FROM ledger WHERE job_id = '{job.id}'"):
        with pytest.raises(DatabaseFault, match="append-only"):
            await store.database.write(partial(run, sql))
    with pytest.raises(DatabaseFault, match="UNIQUE"):
        sql = f"INSERT INTO ledger (at, kind, amount, account_id, job_id) VALUES (1, 'hold', 5, 'x', '{job.id}')"
        await store.database.write(partial(run, sql))
    assert len(await rows(store, "SELECT 1 FROM ledger")) == 1


@pytest.mark.parametrize(
    "tamper, told",
    [
        ("UPDATE allowances SET held = held + 1 WHERE period = 'day' AND scope = 'person'", "held 11 spent 0, should be 10 0"),
        ("UPDATE allowances SET spent = 3 WHERE period = 'day' AND scope = 'everybody'", "held 10 spent 3, should be 10 0"),
        ("DELETE FROM allowances WHERE period = 'month'", "no allowance row"),
        ("UPDATE accounts SET granted = 5", "has 5 granted credits, the ledger says 0"),
        ("UPDATE jobs SET state = 'failed'", "failed with 0 settlements"),
        (f"{SETTLE} SELECT 1, 'release', 10, 'x', id FROM jobs", "with 1 settlements"),
        (f"{SETTLE} SELECT 1, k.k, 1, 'x', id FROM jobs, (SELECT 'charge' AS k UNION SELECT 'release') AS k", "was settled twice"),
        ("UPDATE jobs SET hold = json_set(hold, '$.credits', 9)", "holds 9, the ledger says 10"),
        ("DELETE FROM jobs", "was erased while it held 10"),
    ],
)  # fmt: skip
async def test_the_audit_sees(tmp_path: Path, clock: HandClock, tamper: str, told: str) -> None:
    async with a_store(tmp_path, clock) as store:
        await accepted(store, price=10)
        assert await store.audit_sums() == []

        def work(c: sqlite3.Connection) -> None:
            for table in ("cards", "events"):
                c.execute(f"DELETE FROM {table}")
            c.execute(tamper)

        await store.database.write(work)
        assert told in " ".join(await store.audit_sums())


async def test_what_was_forgotten_may_be_missing_from_the_sums_but_nothing_else(store: SqliteStore) -> None:
    mine = await done(store, await accepted(store, "ann", 30))
    await done(store, await accepted(store, "bob", 20))
    await store.forget(mine.account_id)
    assert await store.audit_sums() == []
    assert await store.open_account("web", "ann") == mine.account_id
    assert await store.audit_sums() == []
    with pytest.raises(QuotaExceeded):
        await accepted(store, "ann", 21)  # 30 of 50 were spent before
    assert (await accepted(store, "ann", 20)).account_id == mine.account_id


# ---- who may order


async def test_the_same_key_is_the_same_job_and_another_wish_under_it_a_conflict(store: SqliteStore) -> None:
    first, is_new = await store.accept(order(price=10, key="k"), most_waiting=5)
    assert is_new
    again, is_new = await store.accept(order(price=10, key="k"), most_waiting=0)
    assert (again, is_new) == (first, False)
    with pytest.raises(Conflict) as refused:
        await store.accept(order(price=10, key="k", said="a city"), most_waiting=5)
    assert refused.value.message_id == "error.key_reused"
    other, is_new = await store.accept(order("bob", price=10, key="k"), most_waiting=5)
    assert is_new
    assert other.id != first.id
    await store.pause("*", None, "TEST")
    assert (await store.accept(order(price=10, key="k"), most_waiting=5))[1] is False


async def test_the_waiting_line_is_bounded_and_counts_what_waits(store: SqliteStore) -> None:
    jobs = [await accepted(store) for _ in range(3)]
    with pytest.raises(TooManyJobs) as refused:
        await store.accept(order(price=10), most_waiting=3)
    assert refused.value.values == {"waiting": 3, "most": 3}
    await ended(store, jobs[0])
    await store.accept(order(price=10), most_waiting=3)
    with pytest.raises(TooManyJobs):
        await store.accept(order("bob"), most_waiting=0)
    assert await used(store, Scope.PERSON, jobs[0].account_id) == (10, 0)


async def test_a_job_that_nobody_can_tell_of_takes_no_place(store: SqliteStore) -> None:
    await accepted(store)
    [(job, _)] = await store.admit(AdmissionCaps(5, 5, {"local": 5}))
    with pytest.raises(TooManyJobs):
        await store.accept(order(price=10), most_waiting=0, most_running=1)
    await store.apply(Step(job.id, job.version, to=JobState.UNCLEAR))
    _, is_new = await store.accept(order(price=10), most_waiting=0, most_running=1)
    assert is_new


async def test_a_paused_intake_and_a_blocked_person_take_nothing(store: SqliteStore, clock: HandClock) -> None:
    await store.pause("*", clock.now() + HOUR, "TEST")
    with pytest.raises(IntakePaused):
        await accepted(store, price=1)
    clock.at += HOUR
    job = await accepted(store, price=1)
    await store.set_blocked(job.account_id, blocked=True)
    with pytest.raises(NotAllowed) as refused:
        await accepted(store, price=1)
    assert refused.value.message_id == "error.blocked"
    await store.set_blocked(job.account_id, blocked=False)
    await accepted(store, price=1)


async def test_counting_what_waits_does_not_walk_through_the_past(store: SqliteStore) -> None:
    plans = await store.database.read(
        lambda c: [
            row["detail"]
            for row in c.execute(
                f"EXPLAIN QUERY PLAN SELECT COUNT(*) FROM jobs WHERE account_id = 'x' AND {LIVE_JOBS}"
                " AND state IN ('preparing', 'queued')"
            ).fetchall()
        ]
    )
    assert "jobs_live" in plans[0]
    job = await accepted(store)

    def past(c: sqlite3.Connection) -> None:
        names = [row["name"] for row in c.execute("PRAGMA table_info(jobs)").fetchall()]
        chosen = ", ".join(
            {"id": "'past' || n", "dedupe_key": "'past' || n", "state": "'done'"}.get(n, f"jobs.{n}") for n in names
        )
        numbers = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3000)"
        c.execute(
            f"{numbers} INSERT INTO jobs ({', '.join(names)}) SELECT {chosen} FROM t, jobs WHERE jobs.id = '{job.id}'"
        )

    await store.database.write(past)
    steps = 0

    def counted(c: sqlite3.Connection) -> None:
        def tick() -> int:
            nonlocal steps
            steps += 1
            return 0

        c.set_progress_handler(tick, 100)

    await store.database._writer.upkeep(counted)
    await accepted(store)
    assert steps < 100, f"{steps * 100} steps of SQLite's machine for one order"
    await store.database._writer.upkeep(lambda c: c.set_progress_handler(None, 0))
    await store.database.write(lambda c: c.execute("DELETE FROM jobs WHERE id LIKE 'past%'").rowcount)


async def test_a_step_and_its_money_are_one(store: SqliteStore) -> None:
    job = await accepted(store, price=10)
    job = await ended(store, job)
    with pytest.raises(ValueError, match="has ended"):
        await store.apply(Step(job.id, job.version, to=JobState.FAILED))
    kinds = await rows(store, "SELECT kind FROM ledger WHERE job_id = ? ORDER BY id", job.id)
    assert [line["kind"] for line in kinds] == ["hold", "release"]
    assert DAY == 24 * HOUR
