"""Commands, due times, versions, attempts, cards, deliveries and views of the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.errors import Conflict, NotFound, StaleVersion
from core.jobs import Failure, Place, Receipt
from core.states import AttemptState, DeliveryState, IllegalMove, JobState
from core.steps import AdmissionCaps, Step
from storage.intake import ACKNOWLEDGE_MS
from storage.store import SqliteStore
from tests.storage.store_world import (
    CAPS,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    HandClock,
    a_store,
    accepted,
    done,
    ended,
    generating,
    order,
    picture,
    rows,
    submitted,
)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqliteStore]:
    async with a_store(tmp_path, clock) as store:
        yield store


# ---- commands


async def test_a_command_is_kept_once_with_its_first_words(store: SqliteStore) -> None:
    first = await store.receive("web", "1", {"fields": {"prompt": "a sea"}})
    again = await store.receive("web", "1", {"fields": {"prompt": "a city"}})
    assert again == first
    assert (first.state, first.payload, first.received_at) == ("pending", {"fields": {"prompt": "a sea"}}, NOON)
    assert (await store.receive("chat", "1", {})).id != first.id
    assert [row.id for row in await store.pending_inbox()] == [first.id, first.id + 1]


async def test_half_a_character_is_kept_as_a_question_mark(store: SqliteStore) -> None:
    row = await store.receive("web", "1", {"fields": {"prompt": "wave \ud83d"}})
    assert row.payload == {"fields": {"prompt": "wave ?"}}


async def test_an_understood_command_forgets_its_words(store: SqliteStore) -> None:
    said = {"actor": {"platform": "web", "external_id": "ann"}, "fields": {"prompt": "a sea"}}
    taken, refused = [await store.receive("web", str(n), said) for n in range(2)]
    job = await accepted(store, inbox_id=taken.id)
    await store.refuse(refused.id, {"code": "X", "message_id": "y", "values": {}})
    await store.refuse(taken.id, {"code": "X", "message_id": "y", "values": {}})  # too late: it is taken
    assert await store.pending_inbox() == []
    kept = await rows(store, "SELECT state, payload, job_id, account_id FROM inbox ORDER BY id")
    assert kept[0] == {"state": "accepted", "payload": "{}", "job_id": job.id, "account_id": job.account_id}
    assert (kept[1]["state"], kept[1]["payload"]) == ("refused", '{"actor":{"external_id":"ann"}}')
    assert (await store.receive("web", "1", {})).failure == {"code": "X", "message_id": "y", "values": {}}


# ---- due


async def test_due_jobs_come_oldest_first_and_tell_when_the_next_is_due(store: SqliteStore, clock: HandClock) -> None:
    jobs = [await accepted(store, f"p{n}", provider="veo") for n in range(4)]
    for queued, at in zip(jobs, (300, 100, 200, 5000), strict=True):
        job = await generating(store, queued)
        await store.apply(Step(job.id, job.version, fields={"due_at": NOON + at}))
    waiting = await accepted(store, "late")
    assert await store.due(10) == (await store.due(10))
    assert (await store.due(10)).jobs == []
    assert (await store.due(10)).next_at == NOON + 100
    clock.at += 1000
    due = await store.due(10)
    assert [job_id for job_id, _ in due.jobs] == [jobs[1].id, jobs[2].id, jobs[0].id]
    assert {provider for _, provider in due.jobs} == {"veo"}
    assert (due.next_at, due.has_queue) == (NOON + 5000, True)
    assert [job_id for job_id, _ in (await store.due(2)).jobs] == [jobs[1].id, jobs[2].id]
    assert (await store.due(10, ["veo"])).jobs == []
    await store.look_soon(jobs[3].id)
    assert (await store.due(10)).jobs[-1] == (jobs[3].id, "veo")
    await ended(store, waiting)
    assert (await store.due(10)).has_queue is False


async def test_an_ended_job_is_never_due_again(store: SqliteStore, clock: HandClock) -> None:
    job = await done(store, await accepted(store))
    await store.look_soon(job.id)
    await store.wish(job.id, "cancel")
    with pytest.raises(IllegalMove):
        await store.apply(Step(job.id, job.version, fields={"due_at": NOON}))
    clock.at += 1000 * DAY
    assert (await store.due(10)).jobs == []
    kept = await store.job(job.id)
    assert (kept.due_at, kept.deadline, kept.cancel_wish, kept.version) == (None, None, None, job.version)


async def test_every_state_has_its_deadline(store: SqliteStore, clock: HandClock) -> None:
    job = await accepted(store, attachment=picture())
    assert (job.state, job.due_at, job.deadline) == (JobState.PREPARING, NOON, NOON + 2 * MINUTE)
    clock.at += 1000
    job = await store.apply(Step(job.id, job.version, to=JobState.QUEUED))
    assert (job.due_at, job.deadline, job.queued_at) == (clock.at + DAY, clock.at + DAY, clock.at)
    job = await submitted(store, job)
    assert (job.due_at, job.deadline, job.started_at) == (
        clock.at,
        clock.at + 2 * MINUTE,
        clock.at,
    )  # after a crash: at once
    step = Step(
        job.id, job.version, to=JobState.GENERATING, ticket={}, generating_seconds=77, fields={"due_at": clock.at + 5}
    )
    job = await store.apply(step)
    assert (job.due_at, job.deadline) == (clock.at + 5, clock.at + 77_000)
    job = await store.apply(Step(job.id, job.version, to=JobState.STORING))
    assert (job.due_at, job.deadline) == (clock.at, clock.at + HOUR)


# ---- steps


async def test_of_two_steps_for_one_version_exactly_one_wins(store: SqliteStore) -> None:
    job = await generating(store, await accepted(store))
    moves = (JobState.STORING, JobState.FAILED, JobState.CANCELLED, JobState.STORING)
    answers = await asyncio.gather(
        *(store.apply(Step(job.id, job.version, to=to)) for to in moves), return_exceptions=True
    )
    assert sum(isinstance(answer, StaleVersion) for answer in answers) == 3
    assert (await store.job(job.id)).version == job.version + 1


async def test_a_step_that_fails_changes_nothing(store: SqliteStore) -> None:
    job = await done(store, await accepted(store, price=5))
    clip = await store.clip(job.clip_id or "")
    other = await generating(store, await accepted(store, price=5))
    other = await store.apply(Step(other.id, other.version, to=JobState.STORING))
    with pytest.raises(Exception, match="UNIQUE"):
        await store.apply(Step(other.id, other.version, to=JobState.DONE, clip=clip, hop="stored"))
    assert await store.job(other.id) == other
    assert len(await rows(store, "SELECT 1 FROM deliveries WHERE job_id = ?", other.id)) == 0
    assert [line["kind"] for line in await rows(store, "SELECT kind FROM ledger WHERE job_id = ?", other.id)] == [
        "hold"
    ]


async def test_the_intent_is_written_before_the_ticket_and_kept_for_each_attempt(
    store: SqliteStore, clock: HandClock
) -> None:
    queued = await accepted(store)
    job = await submitted(store, queued)
    assert job.version == queued.version + 1
    first = await store.attempt(job.attempt_id or "")
    assert (first.number, first.state, first.ticket, first.intent_at) == (1, AttemptState.OPEN, None, NOON)
    job = await store.apply(
        Step(job.id, job.version, to=JobState.QUEUED, attempt_state=AttemptState.FAILED, failure=Failure("BUSY", "x"))
    )
    clock.at += 500
    job = await submitted(store, job)
    second = await store.attempt(job.attempt_id or "")
    assert (second.number, second.intent_at) == (2, NOON + 500)
    assert (await store.attempt(first.id)).state is AttemptState.FAILED
    job = await store.apply(Step(job.id, job.version, to=JobState.GENERATING, ticket={"vendor": "x"}))
    assert (await store.attempt(second.id)).ticket == {"vendor": "x"}
    assert await store.job_of_attempt(second.id) == job.id
    assert await store.job_of_attempt("nobody's") is None


async def test_the_trail_has_every_hop_in_order(store: SqliteStore, clock: HandClock) -> None:
    job = await accepted(store)
    clock.at += 10
    job = await submitted(store, job)
    clock.at += 10
    await store.apply(Step(job.id, job.version, to=JobState.GENERATING, ticket={}, hop="submitted", hop_note="n"))
    trail = await rows(store, "SELECT seq, at, hop, note FROM events WHERE job_id = ? ORDER BY seq", job.id)
    assert [tuple(event.values()) for event in trail] == [
        (1, NOON, "accepted", None),
        (2, NOON + 10, "admitted", None),
        (3, NOON + 20, "submitted", "n"),
    ]


# ---- cards and deliveries


async def test_a_card_is_kept_open_until_its_last_edit(store: SqliteStore, clock: HandClock) -> None:
    job = await accepted(store)
    (card,) = await store.cards_of_job(job.id)
    assert (card.receipt, card.closed, card.next_edit_at) == (None, False, NOON + 5000)
    receipt = Receipt(job.place, "m1")
    await store.acknowledged(job.id, receipt)
    (card,) = await store.cards_of_job(job.id)
    assert (card.receipt, card.next_edit_at) == (receipt, 0)
    await store.acknowledged(job.id, receipt)
    await store.card_shown(card.id, receipt=receipt, digest="d", next_edit_at=0)
    await store.acknowledged(job.id, Receipt(job.place, "m2"))
    assert (await store.cards_of_job(job.id))[0].receipt == receipt  # the message that was shown stays
    await store.card_failed(card.id, NOON + 9, closed=False)
    assert (await store.cards_of_job(job.id))[0].failures == 1
    assert await store.open_cards(0, 10) == [(card.id, job.id)]
    assert await store.open_cards(card.id, 10) == []
    assert await store.cards_to_refresh({"web": 1.0}, 10) == []
    clock.at += 1010
    assert await store.cards_to_refresh({"web": 1.0}, 10) == [job.id]
    for version, was_last in ((job.version - 1, False), (job.version, True)):  # what has gone on since has more to tell
        assert await store.card_shown(card.id, receipt=receipt, digest="d", next_edit_at=0, final=version) is was_last
    assert await store.cards_of_job(job.id) == []
    await store.reopen_cards(job.id)
    (card,) = await store.cards_of_job(job.id)
    assert (card.shown_hash, card.failures) == ("d", 0)


async def test_an_order_that_brings_its_message_waits_for_no_acknowledgement(store: SqliteStore) -> None:
    receipt = Receipt(Place("web", "ann"), "page")
    job = await accepted(store, receipt=receipt, answers=False)
    (card,) = await store.cards_of_job(job.id)
    assert (card.receipt, card.next_edit_at) == (receipt, 0)


async def test_an_order_that_is_also_answered_waits_for_that_answer(store: SqliteStore) -> None:
    """It knows by which message, but that one is not there before the platform has answered: who edits it now edits nothing."""
    receipt = Receipt(Place("chat", "ann"), "the answer")
    job = await accepted(store, receipt=receipt, answers=True)
    (card,) = await store.cards_of_job(job.id)
    assert (card.receipt, card.next_edit_at) == (receipt, NOON + ACKNOWLEDGE_MS)


async def test_a_clip_is_delivered_once_and_again_only_when_asked(store: SqliteStore, clock: HandClock) -> None:
    job = await done(store, await accepted(store))
    (delivery,), next_at = await store.due_deliveries(10)
    assert (delivery.state, delivery.due_at, delivery.tries, next_at) == (DeliveryState.PENDING, NOON, 0, None)
    sending = await store.move_delivery(delivery.id, DeliveryState.SENDING, due_at=NOON)
    assert sending.tries == 1
    with pytest.raises(IllegalMove):
        await store.move_delivery(delivery.id, DeliveryState.SENDING)
    later = await store.move_delivery(delivery.id, DeliveryState.PENDING, due_at=NOON + 50, error_code="BUSY")
    assert (later.error_code, await store.due_deliveries(10)) == ("BUSY", ([], NOON + 50))
    await store.move_delivery(delivery.id, DeliveryState.SENDING, due_at=NOON)
    receipt = Receipt(job.place, "m", kind="media")
    sent = await store.move_delivery(delivery.id, DeliveryState.SENT, receipt=receipt)
    assert (sent.receipt, sent.due_at, await store.due_deliveries(10)) == (receipt, None, ([], None))
    with pytest.raises(IllegalMove):
        await store.move_delivery(delivery.id, DeliveryState.SENDING)
    again = await store.add_delivery(job.id, job.clip_id or "", job.place)
    assert [each.id for each in await store.deliveries_of_job(job.id)] == [delivery.id, again]
    assert (await store.view(job.id)).delivery == "pending"
    with pytest.raises(NotFound):
        await store.move_delivery(999, DeliveryState.SENT)


# ---- views


async def test_history_is_ones_own_newest_first_in_pages(store: SqliteStore, clock: HandClock) -> None:
    ids = []
    for n in range(5):
        clock.at += 1
        ids.append((await accepted(store, session_id="s" if n % 2 else None)).id)
    await accepted(store, "bob")
    account = (await store.job(ids[0])).account_id
    assert [row.job.id for row in await store.history(account, limit=3)] == ids[:1:-1]
    assert [row.job.id for row in await store.history(account, limit=3, before=ids[2])] == [ids[1], ids[0]]
    assert [row.job.id for row in await store.history(account, limit=9, session_id="s")] == [ids[3], ids[1]]
    clock.at += 1
    await ended(store, await store.job(ids[1]))
    assert [row.job.id for row in await store.history(account, limit=9, changed_after=clock.at - 1)] == [ids[1]]
    assert len(await store.history(account, limit=9, live=True)) == 4
    assert await store.history(account, limit=9, only="completed") == []


async def test_a_place_in_the_line_counts_those_before(store: SqliteStore, clock: HandClock) -> None:
    mine = [await accepted(store) for _ in range(3)]
    clock.at += 1
    other = await accepted(store, "bob")
    elsewhere = await accepted(store, "cem", provider="veo")
    places = {job.id: (await store.view(job.id)).queue_position for job in (*mine, other, elsewhere)}
    assert places == {mine[0].id: 1, other.id: 2, mine[1].id: 3, mine[2].id: 4, elsewhere.id: 1}
    admitted = await store.admit(AdmissionCaps(1, 1, {"local": 1}))
    assert [job.id for job, _ in admitted] == [mine[0].id]
    assert (await store.view(other.id)).queue_position == 1
    assert (await store.view(mine[0].id)).queue_position is None


async def test_usual_times_are_learnt_from_what_was_won(store: SqliteStore, clock: HandClock) -> None:
    assert await store.usual_seconds("local", "scenery-1", 8, "720p") is None
    for seconds in (10, 20, 90):
        job = await generating(store, await accepted(store))
        clock.at += seconds * 1000
        await done(store, job)
    assert await store.usual_seconds("local", "scenery-1", 8, "720p") == 20
    assert await store.usual_seconds("local", "scenery-1", 4, "1080p") == 20  # the nearest that is known
    assert await store.usual_seconds("local", "scenery-2", 8, "720p") is None


async def test_an_account_sees_its_counts_and_settings(store: SqliteStore) -> None:
    jobs = [await accepted(store) for _ in range(4)]
    await store.admit(CAPS)
    await store.set_settings(jobs[0].account_id, {"notify": False, "language": "de"})
    await store.set_settings(jobs[0].account_id, {"language": None})
    view = await store.account(jobs[0].account_id)
    assert (view.running, view.waiting, view.settings, view.blocked) == (2, 2, {"notify": False}, False)
    with pytest.raises(NotFound):
        await store.account("nobody")


# ---- operation


async def test_tokens_work_once_or_until_they_expire(store: SqliteStore, clock: HandClock) -> None:
    account = await store.open_account("web", "ann")
    await store.add_token("one", "signin", account, NOON + 10)
    await store.add_token("two", "signin", account, NOON + 10)
    await store.add_token("key", "api", account, None)
    assert await store.use_signin("one") == account
    assert await store.use_signin("one") is None
    assert await store.use_signin("key") is None
    assert await store.account_of_token("key") == account
    assert await store.account_of_token("two") is None
    clock.at += 10
    assert await store.use_signin("two") is None


async def test_an_alert_is_news_once(store: SqliteStore) -> None:
    assert await store.raise_alert("disk", "low")
    assert not await store.raise_alert("disk", "lower")
    assert await store.alerts() == [("disk", NOON, "low")]
    assert await store.clear_alert("disk")
    assert not await store.clear_alert("disk")
    assert await store.raise_alert("disk", "low")


async def test_a_pause_is_not_shortened_by_a_lesser_one(store: SqliteStore, clock: HandClock) -> None:
    await store.pause("veo", NOON + 10, "BUSY")
    await store.pause("veo", NOON + 5, "BUSY")
    assert [pause.until for pause in await store.pauses()] == [NOON + 10]
    await store.pause("veo", None, "FUNDS")
    await store.pause("veo", NOON + 99, "BUSY")
    assert [(pause.until, pause.reason) for pause in await store.pauses()] == [(None, "FUNDS")]
    assert await store.resume("veo")
    assert not await store.resume("veo")
    await store.pause("veo", NOON + 10, "BUSY")
    clock.at += 10
    assert await store.pauses() == []


async def test_old_rows_go_and_what_is_needed_stays(store: SqliteStore, clock: HandClock) -> None:
    job = await done(store, await accepted(store, inbox_id=(await store.receive("web", "1", {})).id))
    live = await accepted(store)
    await store.receive("web", "2", {})
    await store.add_token("t", "signin", job.account_id, NOON)
    clock.at += 40 * DAY
    assert await store.tidy(keep_ms=30 * DAY, month_start=0) > 0
    assert [row["update_id"] for row in await rows(store, "SELECT update_id FROM inbox")] == ["2"]
    assert {row["job_id"] for row in await rows(store, "SELECT job_id FROM events")} == {live.id}
    assert await rows(store, "SELECT 1 FROM tokens") == []
    assert (await store.counts())["inbox"] == {"pending": 1}
    assert (await store.counts())["jobs"] == {"queued local": 1}
    await store.audit("operator", "grant", {"credits": 5})
    assert [row["verb"] for row in await rows(store, "SELECT verb FROM audit")] == ["grant"]


async def test_whoever_a_merge_points_to_is_the_account(store: SqliteStore) -> None:
    ann, bob = [await store.open_account("web", name) for name in ("ann", "bob")]
    await store.database.write(
        lambda c: c.execute("UPDATE accounts SET merged_into = ? WHERE id = ?", (bob, ann)).rowcount
    )
    assert await store.open_account("web", "ann") == bob
    assert (await accepted(store, "ann")).account_id == bob
    actor = await store.actor_of(bob)
    assert actor is not None
    assert actor.external_id == "bob"


async def test_the_same_key_of_two_people_is_two_jobs(store: SqliteStore) -> None:
    answers = await asyncio.gather(
        *(store.accept(order(who, key="k"), most_waiting=5) for who in ("ann", "bob", "ann")), return_exceptions=True
    )
    assert not [answer for answer in answers if isinstance(answer, Conflict)]
    assert len({answer[0].id for answer in answers if isinstance(answer, tuple)}) == 2
