"""Forget leaves nothing but money; export leaves nothing out; delete and retention take what they should and no more."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from core.audit import Doing
from core.errors import Conflict, DatabaseFault, NotFound
from core.jobs import AssetKind, Job, Receipt
from core.states import AttemptState, JobState
from core.steps import Step
from storage.operating import OperatorStore
from storage.store import SqliteStore
from tests.core.examples import applied, wanted
from tests.storage.store_world import (
    DAY,
    NOON,
    HandClock,
    a_store,
    accepted,
    done,
    ended,
    file_of,
    generating,
    order,
    picture,
    rows,
)

SECRET = "zyxxwy-geheime-lagune"
NAME, NOTE = "annabel.of.the.far.shore", "for her daughter's birthday film"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqliteStore]:
    async with a_store(tmp_path, clock) as store:
        yield store
        assert await store.audit_sums() == []


async def with_picture(store: SqliteStore, who: str, said: str) -> Job:
    """A job whose picture was prepared and kept."""
    job = await accepted(store, who, 1, said=said, attachment=picture(name=f"{said}.png"), provider="veo")
    source = file_of(job, AssetKind.SOURCE)
    fields = {"attachment": None, "applied": applied(prompt=said, picture=source.key, provider="veo").as_json()}
    return await store.apply(
        Step(job.id, job.version, to=JobState.QUEUED, fields=fields, sources=(source,), hop="prepared", hop_note=said)
    )


async def a_whole_life(store: SqliteStore, who: str, said: str) -> list[Job]:
    """Jobs in every end, with pictures, notes, tickets, receipts, stars, settings, tokens and commands that speak of ``said``."""
    payload = {"actor": {"platform": "web", "external_id": who}, "fields": {"prompt": said}}
    for n in range(3):
        await store.receive("web", f"{who}-{n}", payload)
    inbox = await store.receive("web", f"{who}-refused", payload)
    await store.refuse(
        inbox.id, {"code": "INVALID_REQUEST", "message_id": "error.bad_option", "values": {"wrote": said}}
    )
    inbox = await store.receive("web", f"{who}-taken", payload)
    first = await accepted(store, who, 5, said=said, inbox_id=inbox.id, session_id=said, provider="veo")
    await store.acknowledged(first.id, Receipt(first.place, "m", credential=said))
    first = await done(store, first)
    assert first.clip_id is not None
    await store.set_favourite(first.account_id, first.clip_id, on=True)
    second = await ended(store, await with_picture(store, who, said))
    wish = wanted(prompt=said, negative_prompt=said, line=said)
    third = await accepted(store, who, 2, wanted=wish, applied=applied(provider="veo", line=said), said=said)
    third = await generating(store, third)
    third = await ended(store, third, JobState.FAILED)
    account = first.account_id
    await store.set_settings(account, {"nickname": said})
    await store.add_token(f"hash of {who}", "api", account, None)
    await store.grant(account, 3, "a present")
    return [first, second, third]


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())


@pytest.mark.blocks("reads the files while the store is open")
@pytest.mark.parametrize("others", [0, 2000])
async def test_forget_leaves_no_byte_of_a_prompt_or_a_name(
    store: SqliteStore, clock: HandClock, tmp_path: Path, others: int
) -> None:
    async def many(begin: int) -> None:
        calls = (
            store.accept(order(f"other {n % 50}", said=f"a harbour {n} " * 20), most_waiting=10**6)
            for n in range(begin, begin + others // 2)
        )
        await asyncio.gather(*calls)

    await many(0)
    mine = await a_whole_life(store, NAME, SECRET)
    await many(others // 2)
    account = mine[0].account_id
    await an_operators_dealings(store, account, clock)
    before = bytes_of(tmp_path)
    assert all(text.encode() in before for text in (SECRET, NAME, NOTE))
    keys, jobs, clips = await store.forget(account)
    await store.database.erase_traces()
    assert (jobs, clips) == (3, 1)
    assert len(keys) == 3  # the clip, its poster, the picture
    found = bytes_of(tmp_path)
    assert SECRET.encode() not in found
    assert SECRET[:12].encode() not in found
    assert NAME.encode() not in found
    assert NOTE.encode() not in found
    assert b"a harbour 0" in found or not others
    assert await rows(store, "SELECT 1 FROM jobs WHERE account_id = ?", account) == []
    for table in ("attempts", "events", "cards", "deliveries", "clips", "favourites", "settings", "tokens"):
        assert all(
            row.get("account_id") != account and row.get("job_id") not in {job.id for job in mine}
            for row in await rows(store, f"SELECT * FROM {table}")
        )
    assert await rows(store, "SELECT external_id FROM identities WHERE external_id = ?", NAME) == []
    kinds = await rows(store, "SELECT kind FROM ledger WHERE account_id = ? ORDER BY id", account)
    assert sorted(row["kind"] for row in kinds) == ["charge", *["grant"] * 2, *["hold"] * 3, *["release"] * 2]
    assert not await store.is_account(account)


async def an_operators_dealings(store: SqliteStore, account: str, clock: HandClock) -> OperatorStore:
    """A grant with a note and a block, both written down with the person's name; and a deed of that person as an operator."""
    operators = OperatorStore(store, clock.now)
    of = {"who": f"web:{NAME}", "account": account}
    await operators.grant(Doing("operator@socket", "grant", {**of, "credits": 4, "note": NOTE}), account, 4, NOTE)
    await operators.set_blocked(Doing("operator@socket", "block", of), account, blocked=True)
    await operators.write_down(Doing(f"web:{NAME}", "pause", {"names": ["local"], "reason": "moving"}))
    return operators


async def test_what_an_operator_did_stays_without_saying_to_whom(store: SqliteStore, clock: HandClock) -> None:
    account = await store.open_account("web", NAME)
    other = await store.open_account("web", "bob")
    operators = await an_operators_dealings(store, account, clock)
    of_other = {"who": "web:bob", "account": other, "credits": 1, "note": "for bob"}
    await operators.grant(Doing("operator@socket", "grant", of_other), other, 1, "for bob")
    await store.forget(account)
    told = [(row["actor"], row["verb"], row["details"]) for row in await operators.audit_trail(10)]
    assert told == [
        ("operator@socket", "grant", of_other),
        (account, "pause", {"names": ["local"], "reason": "moving"}),
        ("operator@socket", "block", {"who": account, "account": account}),
        ("operator@socket", "grant", {"who": account, "account": account, "credits": 4}),
    ]
    lines = await rows(store, "SELECT account_id, amount, note FROM ledger ORDER BY id")
    assert [tuple(line.values()) for line in lines] == [(account, 4, None), (other, 1, "for bob")]


def written(sql: str, connection: sqlite3.Connection) -> int:
    return connection.execute(sql).rowcount


@pytest.mark.parametrize(
    "change", ["note = 'another'", "amount = 5, note = NULL", "rowid = 9, note = NULL", "job_id = 'x', note = NULL"]
)
async def test_a_note_of_the_ledger_can_be_erased_and_nothing_else_of_a_line(store: SqliteStore, change: str) -> None:
    await store.grant(await store.open_account("web", "ann"), 3, "a present")
    before = await rows(store, "SELECT * FROM ledger")
    with pytest.raises(DatabaseFault, match="append-only"):
        await store.database.write(partial(written, f"UPDATE ledger SET {change}"))
    assert await rows(store, "SELECT * FROM ledger") == before
    assert await store.database.write(partial(written, "UPDATE ledger SET note = NULL")) == 1


async def test_forget_names_the_pictures_as_they_came(store: SqliteStore) -> None:
    """Of a job that ended before it was prepared, and of a command that nobody understood yet; not those of others."""
    second, third = picture(), picture()
    mine, others = picture(more=(second, third)), picture(more=(picture(),))
    job = await ended(store, await accepted(store, "ann", attachment=mine), JobState.FAILED)
    await accepted(store, "bob", attachment=others)
    fourth = picture()
    waiting = picture(more=(fourth,))
    for who, attachment in (("ann", waiting), ("bob", picture())):
        payload = {"actor": {"platform": "web", "external_id": who}, "attachment": attachment.as_json()}
        await store.receive("web", f"{who}-waits", payload)
    assert (await store.forget(job.account_id))[0] == [*mine.uploads, waiting.key, fourth.key]


async def test_that_traces_may_be_left_is_known_until_the_file_was_rewritten(
    store: SqliteStore, clock: HandClock
) -> None:
    """Committed with the deletion, so that no crash loses it; who is forgotten again while the file is rewritten is not ticked off."""
    ann, bob = [await store.open_account("web", who) for who in ("ann", "bob")]
    assert await store.traces_left() == {}
    await store.forget(ann)
    left = await store.traces_left()
    assert left == {ann: NOON}
    clock.at += 1000
    await store.forget(bob)
    await store.open_account("web", "ann")
    await store.forget(ann)
    await store.traces_erased(left)
    left = await store.traces_left()
    assert left == {ann: NOON + 1000, bob: NOON + 1000}
    await store.traces_erased(left)
    assert await store.traces_left() == {}


async def test_results_are_wanted_by_live_jobs_and_by_watches(store: SqliteStore) -> None:
    live, over, given_up = [await generating(store, await accepted(store, f"p{n}", provider="veo")) for n in range(3)]
    await accepted(store, "waits")
    await done(store, over)
    step = Step(
        given_up.id, given_up.version, to=JobState.FAILED, attempt_state=AttemptState.LOST, watch_until=NOON + 1
    )
    await store.apply(step)
    assert await store.attempts_in_use() == {live.attempt_id, given_up.attempt_id}
    await store.end_watch(given_up.attempt_id or "")
    assert await store.attempts_in_use() == {live.attempt_id}


async def test_a_live_job_is_never_erased_with_its_hold(store: SqliteStore) -> None:
    job = await accepted(store, price=5)
    with pytest.raises(Conflict) as refused:
        await store.forget(job.account_id)
    assert refused.value.message_id == "error.still_live"
    assert (await store.job(job.id)).state is JobState.QUEUED


async def test_who_comes_back_within_the_month_meets_the_same_allowance_and_nothing_else(
    store: SqliteStore, clock: HandClock
) -> None:
    account = (await a_whole_life(store, "ann", SECRET))[0].account_id
    await store.forget(account)
    assert await store.find_account("web", "ann") is None
    assert await store.open_account("web", "ann") == account
    assert await store.history(account, limit=10) == []
    view = await store.account(account)
    assert (view.granted, view.settings) == (3, {})
    await store.forget(account)
    clock.at += 40 * DAY
    await store.tidy(keep_ms=DAY, month_start=clock.at - DAY)
    assert await store.open_account("web", "ann") != account


async def test_forgetting_one_person_leaves_the_others_whole(store: SqliteStore) -> None:
    mine, others = await a_whole_life(store, "ann", SECRET), await a_whole_life(store, "bob", "a harbour")
    before = await store.export(others[0].account_id)
    await store.forget(mine[0].account_id)
    assert await store.export(others[0].account_id) == before


async def test_export_is_complete(store: SqliteStore) -> None:
    jobs = await a_whole_life(store, "ann", SECRET)
    await a_whole_life(store, "bob", "a harbour")
    told = await store.export(jobs[0].account_id)
    tables = [row["name"] for row in await rows(store, "SELECT name FROM sqlite_schema WHERE type = 'table'")]
    of_no_person = {
        "allowances",
        "limits",
        "pauses",
        "health",
        "choices",
        "leases",
        "alerts",
        "audit",
        "fairness",
        "erasures",
        "channels",
        "platform_notes",
        "sqlite_sequence",
    }
    shown_as = {"accounts": "account", "inbox": "commands"}
    secret = {"tokens", "cards"}  # hashes of keys, and handles of messages
    assert {shown_as.get(table, table) for table in tables if table not in of_no_person | secret} == set(told)
    assert [job["id"] for job in told["jobs"]] == sorted(job.id for job in jobs)
    assert told["jobs"][0]["wanted"]["prompt"] == SECRET
    assert len(told["ledger"]) == 7
    assert {clip["kind"] for clip in told["clips"]} == {"clip", "source"}
    assert len(told["favourites"]) == 1
    assert told["identities"][0]["external_id"] == "ann"
    assert told["settings"] == {"nickname": SECRET}
    assert len(told["attempts"]) == 2
    assert {event["hop"] for event in told["events"]} >= {"accepted", "prepared", "admitted"}
    assert "harbour" not in str(told)


# ---- one job


async def test_a_deleted_job_leaves_its_money_and_no_words(store: SqliteStore) -> None:
    first, second, third = await a_whole_life(store, "ann", SECRET)
    clip = await store.clip(first.clip_id or "")
    assert sorted(await store.delete_job(first.id)) == sorted([clip.key, clip.poster_key or ""])
    assert len(await store.delete_job(second.id)) == 1
    assert await store.delete_job(third.id) == []
    for job in (first, second, third):
        with pytest.raises(NotFound):
            await store.view(job.id, job.account_id)
        kept = await store.job(job.id)
        assert (kept.hidden, kept.wanted.prompt, kept.applied.prompt, kept.applied.picture) == (True, "", "", None)
        assert kept.version > job.version
        assert kept.attempt_id is None or (await store.attempt(kept.attempt_id)).applied.prompt == ""
        for table in ("jobs", "attempts", "events", "cards", "deliveries", "clips"):
            column = "id" if table == "jobs" else "job_id"
            assert SECRET not in str(await rows(store, f"SELECT * FROM {table} WHERE {column} = ?", job.id))
    assert await store.history(first.account_id, limit=10) == []
    with pytest.raises(NotFound):
        await store.clip(clip.id)


async def test_a_picture_that_was_taken_along_goes_to_who_took_it(store: SqliteStore) -> None:
    first = await with_picture(store, "ann", "a sea")
    key = first.applied.picture
    first = await ended(store, first)
    again = await accepted(store, "ann", applied=applied(picture=key))
    assert await store.delete_job(first.id) == []
    assert key in await store.keys_in_use()
    await ended(store, again)
    assert await store.delete_job(again.id) == [key]


# ---- retention


async def test_retention_spares_stars_live_jobs_and_what_is_not_sent(store: SqliteStore, clock: HandClock) -> None:
    sent, starred, unsent = [await done(store, await accepted(store, f"p{n}")) for n in range(3)]
    await store.database.write(lambda c: c.execute("UPDATE deliveries SET state = 'sent', due_at = NULL").rowcount)
    await store.database.write(
        lambda c: c.execute("UPDATE deliveries SET state = 'pending' WHERE job_id = ?", (unsent.id,)).rowcount
    )
    await store.set_favourite(starred.account_id, starred.clip_id or "", on=True)
    source = await with_picture(store, "dan", "a sea")
    gone = await store.clip(sent.clip_id or "")
    assert await store.expire_files(NOON) == []  # made at NOON: not before it
    keys = await store.expire_files(NOON + 1)
    assert sorted(keys) == sorted([gone.key, gone.poster_key or ""])
    for job in (starred, unsent):
        assert (await store.clip(job.clip_id or "")).job_id == job.id
    assert source.applied.picture in await store.keys_in_use()
    assert (await store.view(sent.id)).clip is None


async def test_retention_spares_the_picture_of_a_starred_clip_and_of_a_live_job_that_took_it_along(
    store: SqliteStore,
) -> None:
    first = await with_picture(store, "ann", "a sea")
    key = first.applied.picture
    first = await done(store, first)
    await store.database.write(lambda c: c.execute("UPDATE deliveries SET state = 'sent', due_at = NULL").rowcount)
    await store.set_favourite(first.account_id, first.clip_id or "", on=True)
    assert await store.expire_files(NOON + DAY) == []
    await store.set_favourite(first.account_id, first.clip_id or "", on=False)
    live = await accepted(store, "ann", applied=applied(picture=key))
    assert key not in await store.expire_files(NOON + DAY)
    await ended(store, live)
    assert await store.expire_files(NOON + DAY) == [key]


async def test_a_star_is_ones_own(store: SqliteStore) -> None:
    job = await done(store, await accepted(store, "ann"))
    other = await store.open_account("web", "bob")
    with pytest.raises(NotFound):
        await store.set_favourite(other, job.clip_id or "", on=True)
    with pytest.raises(NotFound):
        await store.own_clip(job.clip_id or "", other)
    for _ in range(2):
        await store.set_favourite(job.account_id, job.clip_id or "", on=True)
    assert (await store.view(job.id)).favourite
    await store.set_favourite(job.account_id, job.clip_id or "", on=False)
    assert not (await store.view(job.id)).favourite
