"""Clips that a platform keeps for us: found by their words, sent again by their handles, and gone with the clip."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.errors import DatabaseFault
from core.jobs import Job
from core.steps import AdmissionCaps
from storage import kept_files
from storage.migrate import copy_path, migrate, version_of
from storage.store import MIGRATIONS, SqliteStore
from tests.storage.store_world import DAY, NOON, HandClock, a_store, accepted, done, open_store, rows, submitted

BOT, OTHER_BOT = "42", "43"
WIDE = AdmissionCaps(per_person=99, everywhere=99, providers={"local": 99})


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqliteStore]:
    async with a_store(tmp_path, clock) as store:
        yield store


async def a_clip(store: SqliteStore, who: str = "ann", said: str = "a sea", **rest: Any) -> Job:
    job = await submitted(store, await accepted(store, who, said=said, **rest), WIDE)
    return await done(store, job)


async def kept(store: SqliteStore, job: Job, handle: str = "AgAC", variant: str = "original", owner: str = BOT) -> Job:
    await store.remember_file("telegram", owner, job.clip_id or "", variant, handle)
    return job


async def known(store: SqliteStore, job: Job, variant: str = "original", owner: str = BOT) -> str | None:
    return await store.known_file("telegram", owner, job.clip_id or "", variant)


async def found(store: SqliteStore, account: str, words: str = "", **rest: Any) -> list[tuple[str, str]]:
    rest = {"most": 50, "before": None, **rest}
    return [(row.job.id, handle) for row, handle in await store.shared_clips("telegram", BOT, account, words, **rest)]


# ---- handles


async def test_a_handle_is_one_bots_and_one_variants(store: SqliteStore) -> None:
    job = await kept(store, await a_clip(store), "first")
    await kept(store, job, "second")
    await kept(store, job, "small", "smaller")
    await kept(store, job, "theirs", owner=OTHER_BOT)
    assert (await known(store, job), await known(store, job, "smaller")) == ("second", "small")
    assert await known(store, job, owner=OTHER_BOT) == "theirs"
    assert await store.known_file("elsewhere", BOT, job.clip_id or "", "original") is None
    await store.forget_file("telegram", BOT, job.clip_id or "", "original")
    assert (await known(store, job), await known(store, job, "smaller")) == (None, "small")
    with pytest.raises(DatabaseFault):
        await kept(store, job, "x", "tiny")


async def gone_by_delete(store: SqliteStore, job: Job) -> None:
    await store.delete_job(job.id)


async def gone_by_forget(store: SqliteStore, job: Job) -> None:
    await store.forget(job.account_id)


async def gone_by_age_of_files(store: SqliteStore, job: Job) -> None:
    del job
    await store.expire_files(NOON + DAY)


async def gone_by_age_of_jobs(store: SqliteStore, job: Job) -> None:
    del job
    await store.expire_jobs(NOON + DAY)


@pytest.mark.parametrize("goes", [gone_by_delete, gone_by_forget, gone_by_age_of_files, gone_by_age_of_jobs])
async def test_a_handle_goes_with_its_clip(store: SqliteStore, goes: Any) -> None:
    job, other = await a_clip(store), await a_clip(store, "bob")
    await store.set_favourite(other.account_id, other.clip_id or "", on=True)
    await store.database.write(lambda c: c.execute("UPDATE deliveries SET state = 'sent', due_at = NULL").rowcount)
    await kept(store, job)
    await kept(store, job, "small", "smaller")
    await kept(store, other, "theirs")
    await goes(store, job)
    assert [row["file_id"] for row in await rows(store, "SELECT file_id FROM platform_files")] == ["theirs"]
    await kept(store, job)  # an upload that ended only now
    assert await known(store, job) is None
    assert await known(store, other) == "theirs"


async def test_export_says_where_a_clip_lies_and_tells_no_handle(store: SqliteStore) -> None:
    job = await kept(store, await a_clip(store), "AgAC-secret")
    await kept(store, await a_clip(store, "bob"), "AgAC-bob")
    told = await store.export(job.account_id)
    assert told["platform_files"] == [{"platform": "telegram", "clip_id": job.clip_id, "variant": "original"}]
    assert "AgAC" not in str(told)


# ---- finding


async def test_all_words_in_any_case_newest_first_and_only_ones_own(store: SqliteStore, clock: HandClock) -> None:
    jobs = []
    for said in ("A red LIGHTHOUSE", "a lighthouse, ÖDE Küstenstraße", "a harbour", "the red door of a lighthouse"):
        clock.at += 1000
        jobs.append(await kept(store, await a_clip(store, said=said), said[:5]))
    await kept(store, await a_clip(store, "bob", "a red lighthouse"))
    await a_clip(store, said="a red lighthouse that was never sent")
    for variant in ("original", "smaller"):
        await kept(store, await a_clip(store, said="a red lighthouse of another bot"), variant=variant, owner=OTHER_BOT)
    account = jobs[0].account_id
    assert [job for job, _ in await found(store, account)] == [job.id for job in reversed(jobs)]
    assert await found(store, account, " lighthouse  RED ") == [(jobs[3].id, "the r"), (jobs[0].id, "A red")]
    assert [job for job, _ in await found(store, account, "öde KÜSTENSTRASSE")] == [jobs[1].id]
    assert await found(store, account, "%") == []
    assert await found(store, account, "red sea") == []


async def test_pages_follow_each_other(store: SqliteStore, clock: HandClock) -> None:
    jobs = []
    for n in range(5):
        clock.at += 1000
        jobs.append(await kept(store, await a_clip(store, said=f"sea {n}")))
    for words in ("", "sea"):
        first = await found(store, jobs[0].account_id, words, most=2)
        second = await found(store, jobs[0].account_id, words, most=2, before=first[-1][0])
        third = await found(store, jobs[0].account_id, words, most=2, before=second[-1][0])
        assert [job for job, _ in first + second + third] == [job.id for job in reversed(jobs)]


async def test_the_original_comes_before_the_smaller_and_a_row_is_whole(store: SqliteStore) -> None:
    job = await kept(store, await a_clip(store), "small", "smaller")
    assert await found(store, job.account_id) == [(job.id, "small")]
    await kept(store, job, "big")
    assert await found(store, job.account_id) == [(job.id, "big")]
    await store.set_favourite(job.account_id, job.clip_id or "", on=True)
    ((row, _),) = await store.shared_clips("telegram", BOT, job.account_id, "sea", 5)
    assert row == await store.view(job.id)
    assert row.favourite
    await store.delete_job(job.id)
    assert await found(store, job.account_id) == []


async def test_a_search_ends_with_the_newest(
    store: SqliteStore, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_files, "SEARCHED", 2)
    old = await kept(store, await a_clip(store, said="a sea"))
    for _ in range(2):
        clock.at += 1000
        await kept(store, await a_clip(store, said="a city"))
    assert await found(store, old.account_id, "sea") == []
    assert len(await found(store, old.account_id)) == 3


# ---- a database from before


@pytest.mark.blocks("prepares a file by hand")
async def test_a_database_from_before_gets_the_table_and_keeps_its_rows(tmp_path: Path, clock: HandClock) -> None:
    old = tmp_path / "migrations"
    old.mkdir()
    for number in (1, 2, 3):
        (path,) = MIGRATIONS.glob(f"{number:04d}_*.sql")
        (old / path.name).write_text(path.read_text())
    path = tmp_path / "reelay.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, old)
        connection.execute("INSERT INTO accounts (id, created_at) VALUES ('ann', 1)")
        connection.execute(
            "INSERT INTO clips (id, kind, account_id, key, mime, bytes, sha256, created_at)"
            " VALUES ('c', 'clip', 'ann', 'c.mp4', 'video/mp4', 1, '0', 1)"
        )
    store = await open_store(tmp_path, clock)
    try:
        await store.remember_file("telegram", BOT, "c", "original", "AgAC")
        assert await store.known_file("telegram", BOT, "c", "original") == "AgAC"
        assert await store.expire_files(NOON) == ["c.mp4"]
        assert await rows(store, "SELECT 1 FROM platform_files") == []
    finally:
        await store.database.close()
    with closing(sqlite3.connect(copy_path(path))) as copy:
        assert version_of(copy) == 3
        assert copy.execute("SELECT id FROM clips").fetchall() == [("c",)]
