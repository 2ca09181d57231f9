"""Raw updates of a platform: each is kept once and whole batches at a time, and its words go once it is seen to."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadOption, StorageError, TooManyJobs
from core.jobs import InboxRow, Place
from storage.store import SqliteStore
from tests.lab.stage import stage
from tests.lab.virtual_time import VirtualClock, run
from tests.storage.store_world import (
    DAY,
    NOON,
    HandClock,
    a_store,
    accepted,
    copy_as_if_killed,
    done,
    no_checkpoints,
    order,
    rows,
)

SECRET = "zyxxwy-geheime-lagune"
NO = {"code": "X", "message_id": "y", "values": {}}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqliteStore]:
    async with a_store(tmp_path, clock) as store:
        yield store


def said(text: str = "a sea", who: str = "7") -> dict[str, Any]:
    return {"raw": {"update_id": 1, "message": {"text": text}}, "actor": {"external_id": who}}


def ids(found: list[InboxRow]) -> list[str]:
    return [row.update_id for row in found]


# ---- keeping


async def test_a_batch_is_kept_once_and_only_news_comes_back(store: SqliteStore) -> None:
    first = await store.keep_updates("telegram", [("1", said("a sea")), ("2", said()), ("1", said("a city"))])
    assert ids(first) == ["1", "2"]
    assert (first[0].payload, first[0].state, first[0].received_at) == (said("a sea"), "pending", NOON)
    assert ids(await store.keep_updates("telegram", [("2", said("other")), ("3", said())])) == ["3"]
    assert ids(await store.keep_updates("elsewhere", [("2", said())])) == ["2"]
    assert await store.keep_updates("telegram", []) == []
    kept = await store.raw_updates("telegram")
    assert ids(kept) == ["1", "2", "3"]
    assert kept[:2] == first
    assert ids(await store.raw_updates("telegram", 2)) == ["1", "2"]
    assert ids(await store.raw_updates("telegram", 2, kept[0].id)) == ["2", "3"]
    assert await store.raw_updates("telegram", 2, kept[-1].id) == []


async def test_what_was_seen_to_refused_or_made_a_job_is_no_news(store: SqliteStore) -> None:
    done, refused, taken = await store.keep_updates("telegram", [(str(n), said()) for n in range(3)])
    await store.handled([done.id])
    await store.refuse(refused.id, NO)
    await accepted(store, inbox_id=taken.id)
    before = await rows(store, "SELECT * FROM inbox ORDER BY id")
    assert await store.keep_updates("telegram", [(str(n), said("again")) for n in range(3)]) == []
    assert await rows(store, "SELECT * FROM inbox ORDER BY id") == before
    assert await store.raw_updates("telegram") == []


async def test_a_new_one_brings_its_senders_settings(store: SqliteStore) -> None:
    account = await store.open_account("telegram", "7")
    await store.set_settings(account, {"resolution": "1080p"})
    known, stranger, nobody = await store.keep_updates(
        "telegram", [("1", said()), ("2", said(who="8")), ("3", {"raw": {}})]
    )
    assert (known.account_id, known.settings) == (account, {"resolution": "1080p"})
    assert (stranger.account_id, stranger.settings) == (None, {})
    assert nobody.account_id is None
    assert (await store.raw_updates("telegram"))[0] == known


async def test_a_batch_with_one_that_cannot_be_kept_is_not_kept_at_all(store: SqliteStore) -> None:
    with pytest.raises(TypeError):
        await store.keep_updates("telegram", [("1", said()), ("2", {"raw": object()}), ("3", said())])
    assert await rows(store, "SELECT 1 FROM inbox") == []


async def test_what_was_kept_survives_the_process(tmp_path: Path, clock: HandClock) -> None:
    with no_checkpoints():
        async with a_store(tmp_path / "one", clock) as store:
            kept = await store.keep_updates("telegram", [(str(n), said(f"sea {n}")) for n in range(5)])
            await store.handled([kept[1].id])
            copy = await asyncio.to_thread(copy_as_if_killed, tmp_path / "one", tmp_path / "two")
    async with a_store(copy, clock) as store:
        assert await store.raw_updates("telegram") == [kept[0], *kept[2:]]
        assert await store.keep_updates("telegram", [(str(n), said("again")) for n in range(5)]) == []


KEEP_FOREVER = """
import asyncio, os, sys
from pathlib import Path
from tests.storage.store_world import HandClock, open_store

async def caller(store, me):
    for n in range(1_000_000):
        name = f"{me}-{n}"
        payload = {"raw": {"text": "x" * 2000}, "actor": {"external_id": "7"}}
        await store.keep_updates("telegram", [(f"{name}-{k}", payload) for k in range(7)])
        os.write(1, (name + "\\n").encode())

async def main():
    store = await open_store(Path(sys.argv[1]), HandClock())
    await asyncio.gather(*(caller(store, f"{sys.argv[2]}-{me}") for me in range(8)))

asyncio.run(main())
"""


def test_after_kill_nine_a_batch_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    told: set[str] = set()
    for life in range(2):
        command = [sys.executable, "-c", KEEP_FOREVER, str(tmp_path), str(life)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                told.add(line.strip())
                if len(told) >= 150 * (life + 1):
                    break
            process.send_signal(signal.SIGKILL)
            told.update(line.strip() for line in process.stdout if line.endswith("\n"))

    async def look() -> dict[str, int]:
        async with a_store(tmp_path, HandClock()) as store:
            batches: dict[str, int] = {}
            for row in await store.raw_updates("telegram", 1_000_000):
                name = row.update_id.rpartition("-")[0]
                batches[name] = batches.get(name, 0) + 1
            return batches

    batches = asyncio.run(look())
    assert set(batches.values()) == {7}
    assert told <= set(batches)


# ---- what becomes of them


async def test_one_that_was_seen_to_loses_its_words_and_keeps_whose_it_was(store: SqliteStore) -> None:
    account = await store.open_account("telegram", "7")
    known, stranger, open_ = await store.keep_updates(
        "telegram", [("1", said()), ("2", said(who="8")), ("3", said("still open"))]
    )
    for _ in range(2):
        await store.handled([known.id, stranger.id, 999])
    await store.handled([])
    kept = await rows(store, "SELECT state, payload, job_id, failure, account_id FROM inbox ORDER BY id")
    empty = {"state": "accepted", "payload": "{}", "job_id": None, "failure": None}
    assert kept[:2] == [{**empty, "account_id": account}, {**empty, "account_id": None}]
    assert (kept[2]["state"], json.loads(kept[2]["payload"])) == ("pending", said("still open"))
    assert ids(await store.raw_updates("telegram")) == [open_.update_id]


async def test_a_job_or_a_refusal_is_not_overwritten(store: SqliteStore) -> None:
    taken, refused = await store.keep_updates("telegram", [("1", said()), ("2", said())])
    await accepted(store, inbox_id=taken.id)
    await store.refuse(refused.id, NO)
    before = await rows(store, "SELECT * FROM inbox ORDER BY id")
    await store.handled([taken.id, refused.id])
    assert await rows(store, "SELECT * FROM inbox ORDER BY id") == before


async def test_a_clip_is_posted_once_more_and_its_wish_seen_to_in_one_go(store: SqliteStore) -> None:
    (wish,) = await store.keep_updates("telegram", [("1", said())])
    job = await done(store, await accepted(store))
    with pytest.raises(StorageError):
        await store.add_delivery("no such job", job.clip_id or "", job.place, handled=[wish.id])
    assert ids(await store.raw_updates("telegram")) == ["1"]
    before = len(await store.deliveries_of_job(job.id))
    await store.add_delivery(job.id, job.clip_id or "", job.place, handled=[wish.id])
    assert await store.raw_updates("telegram") == []
    assert len(await store.deliveries_of_job(job.id)) == before + 1


async def test_the_pictures_of_an_album_are_one_command(store: SqliteStore) -> None:
    album = await store.keep_updates("telegram", [(str(n), said(f"picture {n}")) for n in range(4)])
    first, *more = [row.id for row in album[:3]]
    job = await accepted(store, inbox_id=first, more_inbox_ids=tuple(more))
    kept = await rows(store, "SELECT state, job_id, payload, account_id FROM inbox ORDER BY id")
    assert kept[:3] == [
        {"state": "accepted", "job_id": job.id, "payload": "{}", "account_id": job.account_id} for _ in range(3)
    ]
    assert kept[3]["state"] == "pending"


async def test_an_album_that_is_turned_away_stays_whole_and_is_refused_whole(store: SqliteStore) -> None:
    album = [row.id for row in await store.keep_updates("telegram", [(str(n), said(SECRET)) for n in range(3)])]
    with pytest.raises(TooManyJobs):
        await store.accept(order(inbox_id=album[0], more_inbox_ids=(album[1], album[2])), most_waiting=0)
    assert len(await store.raw_updates("telegram")) == 3
    await store.refuse(album[0], NO, album[1:])
    kept = await rows(store, "SELECT state, failure, payload FROM inbox")
    assert [(row["state"], json.loads(row["failure"])) for row in kept] == [("refused", NO)] * 3
    assert SECRET not in str(kept)


async def test_the_same_order_again_marks_what_it_came_in_this_time(store: SqliteStore) -> None:
    first, second, third = await store.keep_updates("telegram", [(str(n), said()) for n in range(3)])
    job = await accepted(store, key="one", inbox_id=first.id)
    again, is_new = await store.accept(order(key="one", inbox_id=second.id, more_inbox_ids=(third.id,)), most_waiting=9)
    assert (again.id, is_new) == (job.id, False)
    assert await store.raw_updates("telegram") == []
    assert {row["job_id"] for row in await rows(store, "SELECT job_id FROM inbox")} == {job.id}


# ---- others leave them alone


async def test_they_are_nobody_elses_commands(store: SqliteStore) -> None:
    await store.keep_updates("telegram", [(str(n), said()) for n in range(3)])
    plain = await store.receive("web", "1", {"fields": {"prompt": "a sea"}})
    assert [row.id for row in await store.pending_inbox(1)] == [plain.id]


def test_the_engine_starts_past_them_and_makes_one_job_of_an_album(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock) as on:
            await on.store.keep_updates("chat", [(str(n), said()) for n in range(3)])
        async with stage(tmp_path, clock) as on:  # a crash in between: they are still to be read
            album = await on.store.raw_updates("chat")
            assert ids(album) == ["0", "1", "2"]
            payload = {
                "actor": {"platform": "chat", "external_id": "7"},
                "place": Place("chat", "room").as_json(),
                "fields": {"prompt": "a sea"},
                "more_inbox_ids": [row.id for row in album[1:]],
            }
            job, is_new = await on.engine.intake.accept(replace(album[0], payload=payload))
            assert is_new
            assert await on.store.raw_updates("chat") == []
            assert {row["job_id"] for row in await rows(on.store, "SELECT job_id FROM inbox")} == {job.id}
            bad, worse = await on.store.keep_updates("chat", [("3", said()), ("4", said())])
            payload |= {"fields": {"prompt": "a sea", "duration": "eight"}, "more_inbox_ids": [worse.id]}
            with pytest.raises(BadOption):
                await on.engine.intake.accept(replace(bad, payload=payload))
            states = await rows(on.store, "SELECT state FROM inbox WHERE id >= ?", bad.id)
            assert [row["state"] for row in states] == ["refused", "refused"]

    run(play)


# ---- privacy


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


@pytest.mark.blocks("reads the files while the store is open")
async def test_forget_erases_what_waits_unread(store: SqliteStore, tmp_path: Path) -> None:
    account = await store.open_account("telegram", "7")
    mine, others = await store.keep_updates("telegram", [("1", said(SECRET)), ("2", said("a harbour", "8"))])
    await store.forget(account)
    await store.database.erase_traces()
    kept = await rows(store, "SELECT id, state, payload, account_id FROM inbox WHERE id <> ?", others.id)
    assert kept == [{"id": mine.id, "state": "accepted", "payload": "{}", "account_id": None}], "its number is in hand"
    assert mine.id not in [row.id for row in await store.raw_updates("telegram")]
    found = bytes_of(tmp_path)
    assert SECRET.encode() not in found
    assert b"a harbour" in found


async def test_forget_erases_what_was_seen_to(store: SqliteStore) -> None:
    account = await store.open_account("telegram", "7")
    (row,) = await store.keep_updates("telegram", [("1", said())])
    await store.handled([row.id])
    await store.forget(account)
    assert await rows(store, "SELECT 1 FROM inbox") == []


async def test_what_nobody_reads_for_a_week_is_tidied_away(store: SqliteStore, clock: HandClock) -> None:
    plain = await store.receive("web", "1", {"fields": {"prompt": "a sea"}})
    await store.keep_updates("telegram", [("1", said())])
    clock.at += 7 * DAY + 1
    await store.keep_updates("telegram", [("2", said())])
    await store.tidy(keep_ms=DAY, month_start=NOON)
    assert ids(await store.raw_updates("telegram")) == ["2"]
    assert [row.id for row in await store.pending_inbox()] == [plain.id]
