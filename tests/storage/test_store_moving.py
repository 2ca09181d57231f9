"""A chat with another id: what it holds and has spent, where its jobs are answered and what its managers said goes on under the new one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.audit import Doing
from core.errors import DatabaseFault, QuotaExceeded
from core.jobs import Job, Place, Receipt
from core.money import Period, Scope
from core.states import DeliveryState, JobState
from core.steps import Step
from storage.moving import Move, find, move_chat
from storage.operating import OperatorStore
from storage.store import SqliteStore
from tests.storage.store_world import (
    HandClock,
    a_store,
    accepted,
    done,
    ended,
    generating,
    order,
    rows,
    submitted,
)

OLD, NEW, NEIGHBOUR = "-5", "-1000000000005", "-51"
DETAILS = {"name": 'Kino "Östlich"\n', "nsfw": False}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqliteStore]:
    async with a_store(tmp_path, clock) as store:
        yield store
        assert await store.audit_sums() == []


def subject(chat: str) -> str:
    return f"telegram:chat:{chat}"


def place(chat: str = OLD) -> Place:
    return Place("telegram", chat, reply_to="17", details={**DETAILS, "chat_subject": subject(chat)})


async def ordered(store: SqliteStore, chat: str = OLD, price: int = 3, who: str = "ann", **rest: Any) -> Job:
    own = (f"{subject(chat)}:own",)
    return await accepted(store, who, price, chat=subject(chat), roles=own, place=place(chat), **rest)


async def moved(store: SqliteStore) -> None:
    await store.chat_moved("telegram", OLD, NEW)


async def sums(store: SqliteStore, chat: str) -> dict[str, tuple[int, int]]:
    """What a chat and its members' share hold and have spent today."""
    found = await rows(
        store,
        "SELECT subject, held, spent FROM allowances WHERE subject IN (?, ?) AND period = 'day'",
        subject(chat),
        f"{subject(chat)}:own",
    )
    return {row["subject"].removeprefix(subject(chat)): (row["held"], row["spent"]) for row in found}


async def everything(store: SqliteStore) -> dict[str, list[dict[str, Any]]]:
    tables = ("jobs", "cards", "deliveries", "allowances", "limits", "channels", "ledger", "accounts")
    return {table: await rows(store, f"SELECT * FROM {table}") for table in tables}


# ---- money


@pytest.mark.parametrize("end", [JobState.DONE, JobState.CANCELLED])
async def test_a_hold_from_before_ends_in_the_moved_windows(store: SqliteStore, end: JobState) -> None:
    job = await ordered(store)
    await moved(store)
    assert await sums(store, OLD) == {}
    assert await sums(store, NEW) == {"": (3, 0), ":own": (3, 0)}
    assert await store.audit_sums() == []
    job = await store.job(job.id)
    await (done(store, job) if end is JobState.DONE else ended(store, job))
    spent = 3 if end is JobState.DONE else 0
    assert await sums(store, NEW) == {"": (0, spent), ":own": (0, spent)}
    assert await sums(store, OLD) == {}


async def test_a_step_that_was_made_before_the_move_hits_the_moved_windows(store: SqliteStore) -> None:
    job = await generating(store, await ordered(store))
    await moved(store)
    await store.apply(Step(job.id, job.version, to=JobState.FAILED))
    assert await sums(store, NEW) == {"": (0, 0), ":own": (0, 0)}


async def test_what_was_spent_counts_under_the_new_limits(store: SqliteStore) -> None:
    await store.set_limit(Scope.CHAT, subject(OLD), Period.DAY, 5)
    await store.set_limit(Scope.ROLE, f"{subject(OLD)}:own", Period.MONTH, None)
    await done(store, await ordered(store))
    await moved(store)
    with pytest.raises(QuotaExceeded) as short:
        await ordered(store, NEW, 3)
    assert short.value.values["left"] == 2
    assert await rows(store, "SELECT scope, subject, period, amount FROM limits ORDER BY scope") == [
        {"scope": "chat", "subject": subject(NEW), "period": "day", "amount": 5},
        {"scope": "role", "subject": f"{subject(NEW)}:own", "period": "month", "amount": None},
    ]
    await ordered(store, NEW, 2)


async def test_what_the_new_chat_has_already_is_added_to_and_its_own_limit_wins(store: SqliteStore) -> None:
    for chat, amount in ((OLD, 50), (NEW, 60)):
        await store.set_limit(Scope.CHAT, subject(chat), Period.DAY, amount)
    await store.set_limit(Scope.CHAT, subject(OLD), Period.MONTH, 70)
    await done(store, await ordered(store))
    live = await ordered(store, price=4)
    await done(store, await ordered(store, NEW, 10))
    await moved(store)
    assert await sums(store, NEW) == {"": (4, 13), ":own": (4, 13)}
    limits = await rows(store, "SELECT subject, period, amount FROM limits ORDER BY period")
    assert [tuple(row.values()) for row in limits] == [(subject(NEW), "day", 60), (subject(NEW), "month", 70)]
    await done(store, await store.job(live.id))
    assert await sums(store, NEW) == {"": (0, 17), ":own": (0, 17)}


async def test_grants_stay_the_persons(store: SqliteStore) -> None:
    account = await store.open_account("web", "ann")
    await store.grant(account, 5, "a present")
    await store.set_limit(Scope.PERSON, account, Period.DAY, 1)
    job = await ordered(store, price=3)
    await moved(store)
    assert (await store.job(job.id)).hold == replace(job.hold, rows=(await store.job(job.id)).hold.rows)
    await ended(store, job)
    assert (await store.account(account)).granted == 5


# ---- places and messages


async def test_places_follow_and_read_as_if_they_had_been_written_so(store: SqliteStore) -> None:
    job = await done(store, await ordered(store))
    await moved(store)
    there = replace(place(NEW), reply_to=None)
    text = json.dumps(there.as_json(), ensure_ascii=False, separators=(",", ":"))
    for table in ("jobs", "cards", "deliveries"):
        assert [row["place"] for row in await rows(store, f"SELECT place FROM {table}")] == [text]
    assert (await store.job(job.id)).place == there
    assert [row.job.id for row in await store.posted(subject(NEW), 5)] == [job.id]
    assert await store.posted(subject(OLD), 5) == []
    assert await store.chat_figures(subject(NEW)) == (1, 3)


async def test_messages_of_the_old_chat_are_lost_and_those_elsewhere_are_not(store: SqliteStore) -> None:
    job = await ordered(store)
    await store.acknowledged(job.id, Receipt(place(), "17"))
    job = await done(store, job)
    home = Place("telegram", "7")
    for where in (place(), home):
        delivery = await store.add_delivery(job.id, job.clip_id or "", where)
        await store.move_delivery(delivery, DeliveryState.SENDING)
        await store.move_delivery(delivery, DeliveryState.SENT, receipt=Receipt(where, "18", "media"))
    await moved(store)
    assert await store.receipts_of_job(job.id) == [Receipt(home, "18", "media")]
    (card,) = await store.cards_of_job(job.id)
    assert (card.receipt, card.place.chat, card.closed) == (None, NEW, False)


async def test_a_clip_that_arrives_after_the_move_takes_its_card_along(store: SqliteStore) -> None:
    job = await done(store, await ordered(store))
    await moved(store)
    (delivery,) = await store.deliveries_of_job(job.id)
    assert (delivery.place.chat, delivery.state) == (NEW, DeliveryState.PENDING)
    receipt = Receipt(delivery.place, "2", "media")
    await store.move_delivery(delivery.id, DeliveryState.SENDING)
    await store.move_delivery(delivery.id, DeliveryState.SENT, receipt=receipt)
    (card,) = await store.cards_of_job(job.id)
    assert card.receipt == receipt


async def test_a_clip_sent_into_the_chat_from_elsewhere_follows_and_its_job_stays(store: SqliteStore) -> None:
    home = Place("telegram", "7")
    job = await done(store, await accepted(store, place=home))
    await store.add_delivery(job.id, job.clip_id or "", place(), Receipt(place(), "17"))
    await moved(store)
    assert (await store.job(job.id)).place == home
    deliveries = await store.deliveries_of_job(job.id)
    assert [(each.place.chat, each.receipt) for each in deliveries] == [("7", None), (NEW, None)]


async def test_an_order_from_the_chat_that_is_answered_elsewhere_holds_in_the_moved_windows(
    store: SqliteStore,
) -> None:
    home = Place("telegram", "7", reply_to="3")
    job = await accepted(store, "ann", 3, chat=subject(OLD), place=home)
    await moved(store)
    assert (await store.job(job.id)).place == home
    await done(store, await store.job(job.id))
    assert await sums(store, NEW) == {"": (0, 3)}


# ---- rules


async def test_rules_follow_and_nobody_remembers_the_old_ones(store: SqliteStore, clock: HandClock) -> None:
    operators, doing = OperatorStore(store, clock.now), Doing("telegram:1", "channel", {})
    await operators.set_channel(doing, "telegram", OLD, OLD, allowed=False)
    await operators.set_channel(doing, "telegram", OLD, "9", allowed=False)
    await operators.set_channel(doing, "telegram", NEW, "9", allowed=True)
    await operators.set_channel(doing, "discord", OLD, "9", allowed=False)
    assert not await store.chat_allowed("telegram", OLD, [OLD])
    assert not await store.chat_allowed("telegram", NEW, ["8"])
    await moved(store)
    assert await store.chat_allowed("telegram", OLD, [OLD])
    assert await store.chat_allowed("telegram", NEW, ["9"])  # what was said of the new one stays
    assert not await store.chat_allowed("discord", OLD, ["9"])


async def test_a_rule_of_the_chat_itself_is_the_new_chats_own(store: SqliteStore, clock: HandClock) -> None:
    operators, doing = OperatorStore(store, clock.now), Doing("telegram:1", "channel", {})
    await operators.set_channel(doing, "telegram", OLD, OLD, allowed=False)
    await moved(store)
    assert not await store.chat_allowed("telegram", NEW, [NEW])
    assert await store.chat_allowed("telegram", NEW, ["9"])


# ---- the move itself


async def test_others_are_untouched(store: SqliteStore) -> None:
    for chat in (NEIGHBOUR, "5", NEW):
        await store.set_limit(Scope.CHAT, subject(chat), Period.DAY, 50)
        job = await ordered(store, chat)
        await store.acknowledged(job.id, Receipt(place(chat), "17"))
        await done(store, await store.job(job.id))
    elsewhere = Place("discord", OLD, reply_to="17", details={"chat_subject": f"discord:chat:{OLD}"})
    await accepted(store, "eve", 2, chat=f"discord:chat:{OLD}", place=elsewhere)
    before = await everything(store)
    await moved(store)
    assert await everything(store) == before


async def test_moving_twice_or_nowhere_changes_nothing_more(store: SqliteStore) -> None:
    await store.set_limit(Scope.CHAT, subject(OLD), Period.DAY, 50)
    await done(store, await ordered(store))
    await ordered(store)
    before = await everything(store)
    await store.chat_moved("telegram", OLD, OLD)
    assert await everything(store) == before
    await moved(store)
    once = await everything(store)
    assert once != before
    await moved(store)
    assert await everything(store) == once
    assert OLD not in {row["subject"].rpartition(":")[2] for row in once["allowances"]}


async def test_what_came_between_the_look_and_the_change_follows_too(store: SqliteStore, clock: HandClock) -> None:
    first = await submitted(store, await ordered(store))
    move = Move("telegram", OLD, NEW)
    found = await store.database.read_long(lambda c: find(c, move, clock.now()))
    clock.at -= 60_000  # a clock that is put right
    second = await ordered(store)
    first = await done(store, first)
    await store.add_delivery(first.id, first.clip_id or "", place(), Receipt(place(), "17"))
    await store.database.write(lambda c: move_chat(c, move, clock.now(), found))
    for job in (first, second):
        assert (await store.job(job.id)).place.chat == NEW
        assert {each.place.chat for each in (await store.lane_work(job.id)).cards} == {NEW}
    assert {(each.place.chat, each.receipt) for each in await store.deliveries_of_job(first.id)} == {(NEW, None)}
    assert await sums(store, NEW) == {"": (3, 3), ":own": (3, 3)}


async def test_a_fault_in_the_middle_leaves_all_as_it_was(store: SqliteStore, clock: HandClock) -> None:
    await OperatorStore(store, clock.now).set_channel(
        Doing("telegram:1", "channel", {}), "telegram", OLD, OLD, allowed=False
    )
    await done(store, await ordered(store))
    await ordered(store)
    before = await everything(store)
    trigger = "CREATE TRIGGER broken BEFORE DELETE ON channels BEGIN SELECT RAISE(ABORT, 'broken'); END"
    await store.database.write(lambda c: c.execute(trigger).fetchall())
    with pytest.raises(DatabaseFault):
        await moved(store)
    assert await everything(store) == before
    await store.database.write(lambda c: c.execute("DROP TRIGGER broken").fetchall())
    await moved(store)
    assert await sums(store, NEW) == {"": (3, 3), ":own": (3, 3)}


async def test_an_ended_job_that_is_deleted_afterwards_leaves_sums_that_agree(store: SqliteStore) -> None:
    job = await done(store, await ordered(store))
    deleted = await ended(store, await ordered(store))
    await store.delete_job(deleted.id)
    await moved(store)
    await store.delete_job(job.id)
    assert await store.audit_sums() == []
    await store.forget(job.account_id)


async def test_a_full_chat_that_moved_refuses_as_before(store: SqliteStore) -> None:
    await store.set_limit(Scope.CHAT, subject(OLD), Period.DAY, 3)
    await ordered(store)
    await moved(store)
    with pytest.raises(QuotaExceeded):
        await store.accept(order("bob", 1, chat=subject(NEW), place=place(NEW)), most_waiting=9)
