"""Money, moves and caps on the real store under random orders, steps and deaths: what may never be seen is looked for after each step.

A death copies file and log as they are at that moment, perhaps while a commit is being written, and goes on from the copy. Writes that
nobody awaited may or may not be in it; whatever was acknowledged must be.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.errors import Conflict, NotFound, QuotaExceeded, StaleVersion, TooManyJobs
from core.jobs import AssetKind, Failure, Job, Order
from core.money import Hold, Period, Scope, window_start
from core.states import ENDED, LIVE, RUNNING, AttemptState, IllegalMove, JobState
from core.steps import DefaultLimits, Step
from tests.core.test_states import LEGAL
from tests.storage.store_world import (
    CAPS,
    DAY,
    HOUR,
    HandClock,
    copy_as_if_killed,
    file_of,
    no_checkpoints,
    open_store,
    order,
    picture,
)

T = TypeVar("T")
S = JobState
MOST_WAITING = 6
DEFAULTS = DefaultLimits(person_day=40, person_month=100, everybody_day=120)
PEOPLE = st.sampled_from(["ann", "bob", "cem"])
SUBJECTS = (("chat", "g:1"), ("role", "r:1"), ("role", "r:2"), ("everybody", "*"))
PICK = st.integers(0, 10**6)
SELDOM = st.integers(0, 3).map(lambda n: n == 3)


@dataclass(frozen=True)
class Books:
    """What one read of the database shows."""

    jobs: dict[str, sqlite3.Row]
    lines: dict[tuple[str, str], sqlite3.Row]
    allowances: dict[tuple[str, str, str, int], tuple[int, int]]
    limits: dict[tuple[str, str, str], int | None]
    accounts: dict[str, sqlite3.Row]
    attempts: list[sqlite3.Row]
    deliveries: list[sqlite3.Row]


def read_books(c: sqlite3.Connection) -> Books:
    def every(table: str) -> list[sqlite3.Row]:
        return c.execute(f"SELECT * FROM {table}").fetchall()

    return Books(
        {row["id"]: row for row in every("jobs")},
        {(row["job_id"], row["kind"]): row for row in every("ledger") if row["job_id"] is not None},
        {
            (r["scope"], r["subject"], r["period"], r["window_start"]): (r["held"], r["spent"])
            for r in every("allowances")
        },
        {(row["scope"], row["subject"], row["period"]): row["amount"] for row in every("limits")},
        {row["id"]: row for row in every("accounts")},
        every("attempts"),
        every("deliveries"),
    )


def step_of(verb: str, job: Job, now: int, cost: int | None) -> Step:
    """The step that the runner would make of ``verb``, whether it is legal now or not."""
    failure = Failure("TIMEOUT", "error.timeout", {})
    plain = Step(job.id, job.version)
    return {
        "prepared": replace(plain, to=S.QUEUED, fields={"attachment": None}, sources=(file_of(job, AssetKind.SOURCE),)),
        "refused": replace(plain, to=S.QUEUED, attempt_state=AttemptState.FAILED, fields={"not_before": now + HOUR}),
        "ticket": replace(plain, to=S.GENERATING, ticket={"id": "t"}, fields={"due_at": now + 500}),
        "unclear": replace(plain, to=S.UNCLEAR),
        "progress": replace(plain, fields={"progress": 0.5, "due_at": now + 1000}, hop="looked"),
        "ready": replace(plain, to=S.STORING, attempt_state=AttemptState.WON, fields={"true_cost": cost}),
        "done": replace(plain, to=S.DONE, clip=file_of(job)),
        "failed": replace(plain, to=S.FAILED, failure=failure, attempt_state=AttemptState.FAILED),
        "cancelled": replace(plain, to=S.CANCELLED, attempt_state=AttemptState.LOST),
    }[verb]


VERBS = st.sampled_from(
    [
        "prepared",
        "refused",
        "ticket",
        "ticket",
        "unclear",
        "progress",
        "ready",
        "ready",
        "done",
        "done",
        "failed",
        "cancelled",
    ]
)


ONWARD = {
    S.PREPARING: ("prepared", "failed", "cancelled"),
    S.SUBMITTING: ("ticket", "refused", "unclear", "failed"),
    S.UNCLEAR: ("ticket", "failed", "cancelled"),
    S.GENERATING: ("ready", "progress", "failed", "cancelled"),
    S.STORING: ("done", "failed"),
}
"""What may come next; the first is how it usually goes."""


class StoreMachine(RuleBasedStateMachine):
    """Every rule is a person's, vendor's or operator's doing; none needs another to have run before."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.home = Path(tempfile.mkdtemp(prefix="reelay-machine-"))
        self.quiet = no_checkpoints()
        self.quiet.__enter__()
        self.lives = 0
        self.clock = HandClock()
        self.loose: list[asyncio.Task[Any]] = []
        self.known: dict[str, tuple[int, JobState]] = {}
        """Version and state of every job as last acknowledged or seen."""
        self.orders: dict[tuple[str, str], tuple[Order, str]] = {}
        """Acknowledged orders by (person, key)."""
        self.loose_keys: set[tuple[str, str]] = set()

    @initialize()
    def begin(self) -> None:
        self.store = self.run(open_store(self.home / "0", self.clock, DEFAULTS))

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.run(self.store.database.close())
        self.loop.close()
        self.quiet.__exit__(None, None, None)
        shutil.rmtree(self.home)

    def run(self, work: Awaitable[T]) -> T:
        return self.loop.run_until_complete(work)

    def books(self) -> Books:
        return self.run(self.store.database.read(read_books))

    def a_job(self, pick: int) -> Job | None:
        ids = list(self.known)
        return self.run(self.store.job(ids[pick % len(ids)])) if ids else None

    # ---- people

    @rule(
        who=PEOPLE,
        price=st.sampled_from([0, 0, 1, 7, 20, 39, 41]),
        key=st.integers(0, 12),
        said=st.sampled_from(["a sea", "a sea", "a city"]),
        provider=st.sampled_from(["local", "veo"]),
        with_picture=st.booleans(),
        in_chat=st.booleans(),
        roles=st.sampled_from([(), ("r:1",), ("r:1", "r:2")]),
    )
    def accept(
        self,
        who: str,
        price: int,
        key: int,
        said: str,
        provider: str,
        with_picture: bool,
        in_chat: bool,
        roles: tuple[str, ...],
    ) -> None:
        wish = order(
            who, price, key=f"k{key}", said=said, provider=provider, chat="g:1" if in_chat else None, roles=roles,
            attachment=picture() if with_picture else None,
        )  # fmt: skip
        before = self.books()
        first = self.orders.get((who, wish.dedupe_key))
        try:
            job, is_new = self.run(self.store.accept(wish, most_waiting=MOST_WAITING))
        except Conflict:
            if first is None:
                assert (who, wish.dedupe_key) in self.loose_keys
            else:
                assert first[0].dedupe_hash != wish.dedupe_hash or before.jobs[first[1]]["hidden"]
        except TooManyJobs:
            assert self.waiting_of(before, who) >= MOST_WAITING
        except QuotaExceeded:
            assert not self.has_room(before, wish)
        else:
            if first is not None:
                assert (job.id, is_new) == (first[1], False)
                assert not before.jobs[job.id]["hidden"]
            elif is_new:
                assert self.waiting_of(before, who) < MOST_WAITING
                assert self.has_room(before, wish)
                assert job.state is (S.PREPARING if with_picture else S.QUEUED)
                assert self.books().lines[job.id, "hold"]["amount"] == price
            else:
                assert (who, wish.dedupe_key) in self.loose_keys
            self.orders[who, wish.dedupe_key] = (first[0] if first else wish, job.id)
            self.known.setdefault(job.id, (job.version, job.state))

    def account_of(self, who: str) -> str | None:
        return self.run(self.store.find_account("web", who))

    def waiting_of(self, books: Books, who: str) -> int:
        account = self.account_of(who)
        return sum(
            row["account_id"] == account and row["state"] in ("preparing", "queued") for row in books.jobs.values()
        )

    def has_room(self, books: Books, wish: Order) -> bool:
        """Counted here once more, from limits and sums as they stood."""
        account = self.account_of(wish.actor.external_id)
        granted = books.accounts[account]["granted"] if account in books.accounts else 0
        subjects = [("person", account or "new"), ("everybody", "*"), *(("role", role) for role in wish.actor.roles)]
        subjects += [("chat", wish.actor.chat)] if wish.actor.chat else []
        needed = 0
        for scope, subject in subjects:
            for period in Period:
                default = {("person", "day"): 40, ("person", "month"): 100, ("everybody", "day"): 120}.get(
                    (scope, period.value)
                )
                limit = books.limits.get((scope, subject, period.value), default)
                if limit is None or wish.price == 0:
                    continue
                used = sum(
                    books.allowances.get((scope, subject, period.value, window_start(period, self.clock.now())), (0, 0))
                )
                short = wish.price - max(0, limit - used)
                if short > 0 and scope != "person":
                    return False
                needed = max(needed, short)
        return needed <= granted

    @rule(who=PEOPLE, price=st.sampled_from([0, 20]), twins=st.integers(2, 4))
    def accept_twice_at_once(self, who: str, price: int, twins: int) -> None:
        wish = order(who, price)

        async def all_at_once() -> list[Any]:
            calls = (self.store.accept(wish, most_waiting=MOST_WAITING) for _ in range(twins))
            return await asyncio.gather(*calls, return_exceptions=True)

        answers = self.run(all_at_once())
        made = [answer for answer in answers if isinstance(answer, tuple)]
        assert len(made) in (0, twins)
        assert len({job.id for job, _ in made}) <= 1
        assert sum(is_new for _, is_new in made) == bool(made)
        for job, _ in made[:1]:
            self.orders[who, wish.dedupe_key] = (wish, job.id)
            self.known[job.id] = (job.version, job.state)

    @rule(pick=PICK)
    def wish_to_cancel(self, pick: int) -> None:
        job = self.a_job(pick)
        if job is not None:
            told = self.run(self.store.wish(job.id, "cancel"))
            assert told.state is job.state
            assert told.cancel_wish == (job.cancel_wish or (None if job.ended else "cancel"))
            assert told.version == job.version + (told.cancel_wish != job.cancel_wish)

    @rule(pick=PICK, on=st.booleans())
    def star(self, pick: int, on: bool) -> None:
        job = self.a_job(pick)
        if job is not None and job.clip_id is not None:
            self.run(self.store.set_favourite(job.account_id, job.clip_id, on=on))

    @rule(pick=PICK)
    def delete(self, pick: int) -> None:
        job = self.a_job(pick)
        if job is not None and job.ended:
            self.run(self.store.delete_job(job.id))
            assert self.run(self.store.job(job.id)).hidden

    @rule(who=PEOPLE, sure=SELDOM, comes_back=st.booleans())
    def forget(self, who: str, sure: bool, comes_back: bool) -> None:
        account = self.account_of(who)
        if account is None or not sure:
            return
        for job_id in self.run(self.store.live_jobs(account)):
            job = self.run(self.store.job(job_id))
            end = S.FAILED if job.state is S.STORING else S.CANCELLED
            self.run(self.store.apply(Step(job.id, job.version, to=end, attempt_state=AttemptState.LOST)))
        _, erased, _ = self.run(self.store.forget(account))
        mine = [job_id for (person, _), (_, job_id) in self.orders.items() if person == who]
        assert erased >= len(set(mine))
        self.orders = {each: kept for each, kept in self.orders.items() if each[0] != who}
        self.known = {job_id: at for job_id, at in self.known.items() if job_id in self.books().jobs}
        if comes_back:
            assert (
                self.run(self.store.open_account("web", who)) == account
            )  # the same allowance: forgetting is no refill

    # ---- vendors and time

    @rule(pick=PICK, verb=VERBS, cost=st.sampled_from([None, 0, 3, 500]))
    def step(self, pick: int, verb: str, cost: int | None) -> None:
        job = self.a_job(pick)
        if job is not None:
            self.move(job, verb, cost)

    def move(self, job: Job, verb: str, cost: int | None) -> None:
        step = step_of(verb, job, self.clock.now(), cost)
        if (job.ended and step.to is None) or (step.to is not None and (job.state, step.to) not in LEGAL):
            with pytest.raises(IllegalMove):
                self.run(self.store.apply(step))
            assert self.run(self.store.job(job.id)) == job
            return
        told = self.run(self.store.apply(step))
        assert told.version == job.version + 1
        assert told.state is (step.to or job.state)
        self.known[job.id] = (told.version, told.state)
        if told.state is S.DONE:
            true = job.true_cost
            assert told.charged == (job.price if true is None else min(true, job.price))
        elif told.ended and not job.ended:
            assert told.charged == 0

    @rule(
        pick=PICK,
        way=st.lists(st.integers(0, 9), min_size=3, max_size=6),
        cost=st.sampled_from([None, None, 0, 3, 500]),
    )
    def carry_on(self, pick: int, way: list[int], cost: int | None) -> None:
        """Several steps of a live job that are legal, so that deep states are seen often."""
        live = [job_id for job_id, (_, state) in self.known.items() if state in LIVE]
        for turn in way if live else ():
            job = self.run(self.store.job(live[pick % len(live)]))
            if job.ended:
                return
            if job.state is S.QUEUED:
                self.admit(1)
            else:
                verbs = ONWARD[job.state]
                self.move(job, verbs[turn if turn < len(verbs) else 0], cost)

    carry_on_too = rule(pick=PICK, way=st.just([9] * 5), cost=st.none())(carry_on.hypothesis_stateful_rule.function)  # type: ignore[attr-defined]

    @rule(pick=PICK, verb=VERBS, late=st.integers(1, 3))
    def step_from_the_past(self, pick: int, verb: str, late: int) -> None:
        job = self.a_job(pick)
        if job is not None:
            with pytest.raises(StaleVersion):
                self.run(
                    self.store.apply(step_of(verb, replace(job, version=job.version - late), self.clock.now(), None))
                )
            assert self.run(self.store.job(job.id)) == job

    @rule(times=st.integers(1, 3))
    def admit(self, times: int) -> None:
        for _ in range(times):
            before = self.books()
            paused = {pause.provider for pause in self.run(self.store.pauses())}
            admitted = self.run(self.store.admit(CAPS))
            after = self.books()
            for job, attempt in admitted:
                row = before.jobs[job.id]
                assert row["state"] == "queued"
                assert row["provider"] not in paused
                assert row["cancel_wish"] is None
                assert (row["not_before"] or 0) <= self.clock.now()
                assert (attempt.job_id, attempt.number, attempt.ticket) == (job.id, row["attempts"] + 1, None)
                self.known[job.id] = (job.version, job.state)
                running = sum(r["account_id"] == job.account_id and r["state"] in RUNNING for r in after.jobs.values())
                assert running <= CAPS.per_person
            for provider, most in CAPS.providers.items():
                at_work = sum(
                    r["provider"] == provider and r["state"] in ("submitting", "generating")
                    for r in after.jobs.values()
                )
                assert at_work <= most or not any(job.applied.provider == provider for job, _ in admitted)
            everywhere = sum(r["state"] in ("submitting", "generating") for r in after.jobs.values())
            assert everywhere <= CAPS.everywhere or not admitted

    @rule(ms=st.sampled_from([0, 1, 1000, HOUR, HOUR + 1, 9 * HOUR, DAY, 11 * DAY]))
    def time_passes(self, ms: int) -> None:
        self.clock.at += ms

    # ---- the operator

    @rule(
        which=st.sampled_from([*SUBJECTS, ("person", "ann")]),
        period=st.sampled_from(Period),
        amount=st.sampled_from([None, 0, 10, 45, -1]),
    )
    def limit(self, which: tuple[str, str], period: Period, amount: int | None) -> None:
        scope, subject = which
        subject = (self.account_of(subject) or "nobody") if scope == "person" else subject
        unset = amount == -1
        self.run(self.store.set_limit(Scope(scope), subject, period, None if unset else amount, unset=unset))

    @rule(who=PEOPLE, credits=st.sampled_from([5, 30, -3, -1000]))
    def grant(self, who: str, credits: int) -> None:
        account = self.run(self.store.open_account("web", who))
        before = self.books().accounts[account]["granted"]
        assert self.run(self.store.grant(account, credits, "a present")) == max(0, before + credits)

    @rule(provider=st.sampled_from(["local", "veo"]), hours=st.none() | st.integers(1, 5))
    def pause(self, provider: str, hours: int | None) -> None:
        self.run(self.store.pause(provider, None if hours is None else self.clock.now() + hours * HOUR, "TEST"))

    @rule(provider=st.sampled_from(["local", "veo"]))
    def resume(self, provider: str) -> None:
        self.run(self.store.resume(provider))

    @rule(age=st.sampled_from([0, DAY]))
    def expire(self, age: int) -> None:
        self.run(self.store.expire_files(self.clock.now() - age))

    # ---- deaths

    @rule(
        who=PEOPLE,
        pick=PICK,
        verb=VERBS,
        spins=st.integers(0, 4),
        what=st.sets(st.sampled_from(["accept", "admit", "step", "grant", "delete"])),
    )
    def die_with_writes_that_nobody_awaited(self, who: str, pick: int, verb: str, spins: int, what: set[str]) -> None:
        job = self.a_job(pick)
        wish = order(who, 3, key="loose")
        works: dict[str, Coroutine[Any, Any, Any]] = {}
        if "accept" in what:
            self.loose_keys.add((who, "loose"))
            works["accept"] = self.store.accept(wish, most_waiting=MOST_WAITING)
        if "admit" in what:
            works["admit"] = self.store.admit(CAPS)
        if "step" in what and job is not None:
            works["step"] = self.store.apply(step_of(verb, job, self.clock.now(), None))
        if "delete" in what and job is not None and job.ended:
            works["delete"] = self.store.delete_job(job.id)
        if "grant" in what:
            account = self.run(self.store.open_account("web", who))
            works["grant"] = self.store.grant(account, 2, "a loose present")
        self.loose += [self.loop.create_task(work) for work in works.values()]
        for _ in range(spins):
            self.run(asyncio.sleep(0))
        self.die()

    @rule(sure=SELDOM)
    def die_in_silence(self, sure: bool) -> None:
        if sure:
            self.die()

    def die(self) -> None:
        self.lives += 1
        place = copy_as_if_killed(self.store.database.path.parent, self.home / str(self.lives))
        for task in self.loose:
            task.cancel()
        if self.loose:
            self.run(asyncio.wait(self.loose))
        self.loose.clear()
        self.run(self.store.database.close())
        self.store = self.run(open_store(place, self.clock, DEFAULTS))

    # ---- what must always hold

    @invariant()
    def the_books_are_exact(self) -> None:
        if not hasattr(self, "store"):
            return
        assert self.run(self.store.audit_sums()) == []
        books = self.books()
        held: dict[tuple[str, str, str, int], int] = {}
        for job_id, row in books.jobs.items():
            ends = [kind for kind in ("charge", "release") if (job_id, kind) in books.lines]
            assert len(ends) == (row["state"] in ENDED), f"{row['state']} with {ends}"
            assert books.lines[job_id, "hold"]["amount"] == row["price"]
            assert (row["due_at"] is None) == (row["deadline"] is None) == (row["state"] in ENDED)
            hold = Hold.from_json(json.loads(row["hold"]))
            for scope, subject, period, start in hold.rows if row["state"] in LIVE else ():
                at = (scope.value, subject, period.value, start)
                held[at] = held.get(at, 0) + hold.share(scope)
            if row["state"] == "done":
                assert ends == ["charge"]
                assert books.lines[job_id, "charge"]["amount"] == row["charged"] <= row["price"]
        for at, (now_held, spent) in books.allowances.items():
            assert now_held == held.get(at, 0)
            assert spent >= 0

    @invariant()
    def versions_rise_and_ends_stay(self) -> None:
        if not hasattr(self, "store"):
            return
        books = self.books()
        for job_id, (version, state) in self.known.items():
            row = books.jobs.get(job_id)
            assert row is not None, "an acknowledged job is gone"
            assert row["version"] >= version
            assert state not in ENDED or row["state"] == state
            self.known[job_id] = (row["version"], JobState(row["state"]))
        for job_id, row in books.jobs.items():
            self.known.setdefault(job_id, (row["version"], JobState(row["state"])))
        delivered = [row["job_id"] for row in books.deliveries]
        for job_id, row in books.jobs.items():
            awaited = row["cancel_wish"] != "stop_waiting"
            assert delivered.count(job_id) == (row["state"] == "done" and awaited and not row["hidden"])

    @invariant()
    def every_intent_is_known(self) -> None:
        if not hasattr(self, "store"):
            return
        books = self.books()
        numbers: dict[str, int] = {}
        for row in books.attempts:
            numbers[row["job_id"]] = max(numbers.get(row["job_id"], 0), row["number"])
        for job_id, row in books.jobs.items():
            assert row["attempts"] == numbers.get(job_id, 0)
            if row["state"] in ("submitting", "generating"):
                assert any(a["id"] == row["attempt_id"] and a["state"] == "open" for a in books.attempts)


StoreMachine.TestCase.settings = settings(
    max_examples=80 if os.environ.get("CI") else 30,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.reuse, Phase.generate),
)
TestStoreMachine = pytest.mark.timeout(300)(StoreMachine.TestCase)


def test_not_found_is_told(tmp_path: Path) -> None:
    """Rules above never ask for what is not there."""

    async def ask() -> None:
        store = await open_store(tmp_path, HandClock())
        try:
            for work in (
                store.job("x"),
                store.attempt("x"),
                store.apply(Step("x", 1)),
                store.view("x"),
                store.clip("x"),
            ):
                with pytest.raises(NotFound):
                    await work
        finally:
            await store.database.close()

    asyncio.run(ask())
