"""What every store promises: one method one transaction, exact money, one winner. SQLite now; PostgreSQL is to inherit this."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from core.capabilities import Applied
from core.errors import Conflict, NotFound, QuotaExceeded, StaleVersion, TooManyJobs
from core.jobs import Actor, Job, Order, Place, Receipt
from core.money import Period, Scope
from core.requests import Wanted
from core.states import AttemptState, DeliveryState, IllegalMove, JobState
from core.steps import AdmissionCaps, Step
from storage.store import SqliteStore

CAPS = AdmissionCaps(per_person=2, everywhere=64, providers={"lab": 3})


def an_order(person: str = "ann", *, price: int = 10, key: str = "k", **more: Any) -> Order:
    """A clip of ``person``'s."""
    applied = Applied("lab", "lab-1", "a prompt", "", "16:9", "720p", 8, 1, audio=True)
    return Order(
        actor=Actor("chat", person),
        place=Place("chat", chat="room"),
        wanted=Wanted(prompt="a prompt"),
        applied=applied,
        changed=(),
        price=price,
        dedupe_key=key,
        dedupe_hash=more.pop("dedupe_hash", "hash"),
        **more,
    )


class StoreContract:
    """Inherit, and give a fixture ``store`` whose people have 50 credits a day."""

    async def accepted(self, store: SqliteStore, **order: Any) -> Job:
        job, is_new = await store.accept(an_order(**order), most_waiting=100)
        assert is_new
        return job

    async def test_a_command_is_received_once(self, store: SqliteStore) -> None:
        first = await store.receive("chat", "7", {"actor": {"external_id": "ann"}, "n": 1})
        again = await store.receive("chat", "7", {"actor": {"external_id": "ann"}, "n": 2})
        assert (first.id, again.payload["n"]) == (again.id, 1)
        assert [row.id for row in await store.pending_inbox()] == [first.id]
        job = await self.accepted(store, inbox_id=first.id)
        row = await store.receive("chat", "7", {})
        assert (row.state, row.job_id, row.payload) == ("accepted", job.id, {})
        assert await store.pending_inbox() == []

    async def test_the_same_key_is_the_same_job(self, store: SqliteStore) -> None:
        job = await self.accepted(store)
        same, is_new = await store.accept(an_order(), most_waiting=100)
        assert (same.id, is_new) == (job.id, False)
        with pytest.raises(Conflict):
            await store.accept(an_order(dedupe_hash="other"), most_waiting=100)
        assert (await self.accepted(store, person="bob")).id != job.id
        assert await store.audit_sums() == []

    async def test_two_hundred_at_once_against_room_for_five(self, store: SqliteStore) -> None:
        async def ask(number: int) -> str:
            try:
                await store.accept(an_order(key=f"k{number}"), most_waiting=1000)
            except QuotaExceeded:
                return "refused"
            return "taken"

        answers = Counter(await asyncio.gather(*(ask(number) for number in range(200))))
        assert answers == {"taken": 5, "refused": 195}
        assert await store.audit_sums() == []

    async def test_a_refusal_changes_nothing(self, store: SqliteStore) -> None:
        await self.accepted(store, price=45)
        for order, error, waiting in (
            (an_order(key="b"), QuotaExceeded, 100),
            (an_order(key="c", price=1), TooManyJobs, 1),
        ):
            with pytest.raises(error):
                await store.accept(order, most_waiting=waiting)
        account = await store.find_account("chat", "ann")
        assert account is not None
        assert len(await store.history(account, limit=10)) == 1
        assert await store.audit_sums() == []

    async def test_of_two_writers_one_wins(self, store: SqliteStore) -> None:
        job = await self.accepted(store)
        steps = [store.apply(Step(job.id, job.version, to=JobState.CANCELLED)) for _ in range(20)]
        answers = await asyncio.gather(*steps, return_exceptions=True)
        assert Counter(type(answer).__name__ for answer in answers) == {"Job": 1, "StaleVersion": 19}
        assert await store.audit_sums() == []

    async def test_an_illegal_move_changes_nothing(self, store: SqliteStore) -> None:
        job = await self.accepted(store)
        with pytest.raises(IllegalMove):
            await store.apply(Step(job.id, job.version, to=JobState.STORING))
        assert await store.job(job.id) == job
        with pytest.raises(NotFound):
            await store.apply(Step("nobody", 1, to=JobState.CANCELLED))

    async def test_admission_is_fair_capped_and_writes_the_intent(self, store: SqliteStore) -> None:
        for number in range(4):
            await self.accepted(store, key=f"a{number}", price=1)
        guest = await self.accepted(store, person="bob", price=1)
        admitted = await store.admit(CAPS)
        assert len(admitted) == 3
        assert Counter(job.account_id for job, _ in admitted)[guest.account_id] == 1
        for job, attempt in admitted:
            assert (job.state, attempt.state, attempt.ticket) == (JobState.SUBMITTING, AttemptState.OPEN, None)
            assert await store.job_of_attempt(attempt.id) == job.id
        assert await store.admit(CAPS) == []

    async def test_money_ends_with_the_job(self, store: SqliteStore) -> None:
        job = await self.accepted(store, price=10)
        account = await store.account(job.account_id)
        assert next(a for a in account.allowances if a.period is Period.DAY).held == 10
        await store.apply(Step(job.id, job.version, to=JobState.CANCELLED))
        after = next(a for a in (await store.account(job.account_id)).allowances if a.period is Period.DAY)
        assert (after.held, after.spent, after.left) == (0, 0, 50)
        await store.grant(job.account_id, 30, "present")
        big = await self.accepted(store, key="big", price=70)
        assert big.hold.from_grants == 20
        assert (await store.account(job.account_id)).granted == 10
        assert await store.audit_sums() == []

    async def test_limits_of_an_operator_win(self, store: SqliteStore) -> None:
        await store.set_limit(Scope.EVERYBODY, "*", Period.DAY, 5)
        with pytest.raises(QuotaExceeded):
            await self.accepted(store)
        await store.set_limit(Scope.EVERYBODY, "*", Period.DAY, None)
        await self.accepted(store)
        await store.set_limit(Scope.EVERYBODY, "*", Period.DAY, 0)
        with pytest.raises(QuotaExceeded):
            await self.accepted(store, key="l")
        assert (await self.accepted(store, key="free", price=0)).price == 0
        await store.set_limit(Scope.EVERYBODY, "*", Period.DAY, 0, unset=True)
        await self.accepted(store, key="m")

    async def test_a_card_is_shown_by_its_message(self, store: SqliteStore) -> None:
        job = await self.accepted(store)
        (card,) = await store.cards_of_job(job.id)
        receipt = Receipt(job.place, "m1")
        await store.acknowledged(job.id, Receipt(job.place, "m0"))
        await store.acknowledged(job.id, receipt)
        await store.card_shown(card.id, receipt=receipt, digest="c", next_edit_at=5)
        await store.acknowledged(job.id, Receipt(job.place, "m2"))
        (known,) = await store.cards_of_job(job.id)
        assert known.receipt == receipt, "the message that was shown stays the message"
        await store.card_shown(card.id, receipt=receipt, digest="d", next_edit_at=5, final=job.version)
        assert await store.cards_of_job(job.id) == []
        await store.reopen_cards(job.id)
        assert len(await store.open_cards(0, 10)) == 1

    async def test_deliveries_move_only_as_the_table_says(self, store: SqliteStore) -> None:
        job = await self.accepted(store)
        delivery = await store.add_delivery(job.id, "0" * 32, job.place)
        with pytest.raises(IllegalMove):
            await store.move_delivery(delivery, DeliveryState.SENT)
        sending = await store.move_delivery(delivery, DeliveryState.SENDING)
        assert sending.tries == 1
        await store.move_delivery(delivery, DeliveryState.SENT, receipt=Receipt(job.place, "m"))
        assert await store.due_deliveries(10) == ([], None)

    async def test_alerts_and_pauses_are_told_once(self, store: SqliteStore) -> None:
        assert [await store.raise_alert("c", "t") for _ in range(2)] == [True, False]
        assert [await store.clear_alert("c") for _ in range(2)] == [True, False]
        await store.pause("lab", None, "key")
        await store.pause("lab", 1, "busy")
        assert [(p.provider, p.until, p.reason) for p in await store.pauses()] == [("lab", None, "key")]
        await self.accepted(store)
        assert await store.admit(CAPS) == []
        assert await store.resume("lab")
        assert len(await store.admit(CAPS)) == 1

    async def test_a_stale_step_is_told_apart(self, store: SqliteStore) -> None:
        job = await self.accepted(store)
        await store.wish(job.id, "cancel")
        with pytest.raises(StaleVersion):
            await store.apply(Step(job.id, job.version, to=JobState.CANCELLED))
