"""Erasing, copying, checking and checkpointing a database that is in use."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import DatabaseFault
from storage import upkeep
from storage import writer as writer_module
from storage.database import Database

SCHEMA = """
CREATE TABLE owners (id INTEGER PRIMARY KEY) STRICT;
CREATE TABLE notes (
  id TEXT PRIMARY KEY,
  owner INTEGER NOT NULL REFERENCES owners(id),
  text TEXT NOT NULL,
  short TEXT NOT NULL
) STRICT;
CREATE INDEX notes_by_owner ON notes(owner, short);
CREATE INDEX notes_by_text ON notes(text);
INSERT INTO owners VALUES (0), (1), (2);
"""
SECRET = "umbrella-in-the-fog"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    (migrations / "0001_first.sql").write_text(SCHEMA)
    database = await Database.open(tmp_path / "x.db", migrations)
    yield database
    await database.close()


def traces(folder: Path) -> int:
    return sum(path.read_bytes().count(SECRET.encode()) for path in folder.iterdir() if path.is_file())


def fill(rng: random.Random, rows: int) -> Callable[[sqlite3.Connection], None]:
    """As work: rows of all sizes, also with overflow pages, of owner 0 (secret) and others; with updates and deletes."""

    def work(connection: sqlite3.Connection) -> None:
        for _ in range(rows):
            owner = rng.randrange(3)
            size = (
                rng.choice([20, 60, 300, 900, 1500, 4000, 9000, 40_000]) if rng.random() < 0.4 else rng.randrange(400)
            )
            text = f"{SECRET if owner == 0 else 'a harmless sentence'} {rng.getrandbits(20)} " * (1 + size // 25)
            row = (f"{rng.getrandbits(64):016x}", owner, text, text[:60])
            connection.execute("INSERT INTO notes VALUES (?, ?, ?, ?)", row)
            if rng.random() < 0.3:
                connection.execute(
                    "UPDATE notes SET text = text || short, short = substr(text, 9, 40) WHERE id IN "
                    "(SELECT id FROM notes WHERE id > ? LIMIT 1)",
                    (f"{rng.getrandbits(64):016x}",),
                )
            if rng.random() < 0.2:
                connection.execute(
                    "DELETE FROM notes WHERE id IN (SELECT id FROM notes WHERE id > ? LIMIT 1)",
                    (f"{rng.getrandbits(64):016x}",),
                )

    return work


def forget(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM notes WHERE owner = 0")


async def test_not_one_byte_of_what_was_deleted_is_left(database: Database, tmp_path: Path) -> None:
    left_by_secure_delete = 0
    for seed in range(4):
        work = fill(random.Random(seed), 1200)
        await database.write(work)
        assert traces(tmp_path) > 1000  # the needle is one that this test would find
        await database.write(forget)
        assert await database.checkpoint_truncate()
        left_by_secure_delete += traces(tmp_path)
        (tmp_path / "x.db.before").write_text(SECRET)  # a copy that a migration kept
        await database.erase_traces()
        assert traces(tmp_path) == 0
        assert not (tmp_path / "x.db.before").exists()
    assert await database.read_long(upkeep.faults) == []
    # If this ever fails, SQLite has learnt to clear moved cells, and erase_traces could become a mere checkpoint.
    assert left_by_secure_delete > 0


async def test_writes_go_on_around_an_erasure(database: Database) -> None:
    def one(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO notes VALUES (hex(randomblob(8)), 1, 'x', 'x')")

    callers = [asyncio.create_task(database.write(one)) for _ in range(50)]
    await database.erase_traces()
    callers += [asyncio.create_task(database.write(one)) for _ in range(50)]
    await asyncio.gather(*callers)
    count = await database.read(lambda connection: connection.execute("SELECT count(*) FROM notes").fetchone()[0])
    assert count == 100


async def test_a_write_that_waits_for_an_erasure_does_not_interrupt_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "STATEMENT_SECONDS", 0.05)
    endless_enough = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000000) SELECT max(i) FROM n"
    )
    upkeeping = asyncio.create_task(
        database._writer.upkeep(lambda connection: connection.execute(endless_enough).fetchone()[0])
    )
    await asyncio.sleep(0)
    await database.write(forget)
    assert await upkeeping == 3_000_000


async def test_a_reader_keeps_the_log_and_the_caller_is_told(database: Database) -> None:
    looked, go_on = threading.Event(), threading.Event()

    def long(connection: sqlite3.Connection) -> None:
        connection.execute("SELECT count(*) FROM notes").fetchone()
        looked.set()
        assert go_on.wait(20)

    reader = asyncio.create_task(database.read(long))
    assert await asyncio.to_thread(looked.wait, 10)
    await database.write(fill(random.Random(1), 50))
    assert not await database.checkpoint_truncate(deadline=0.2)
    assert database.wal_bytes() > 0
    await database.write(forget)  # writers are not held up by any of this
    go_on.set()
    await reader
    assert await database.checkpoint_truncate()
    assert database.wal_bytes() == 0


async def test_the_log_is_copied_back_when_it_is_long(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "CHECKPOINT_BYTES", 200_000)
    monkeypatch.setattr(writer_module, "CHECKPOINT_SECONDS", 0.0)
    longest = 0
    for seed in range(60):
        await database.write(fill(random.Random(seed), 10))
        longest = max(longest, database.wal_bytes())
    total = await database.read(lambda connection: connection.execute("PRAGMA page_count").fetchone()[0])
    assert total * 4096 > 2 * longest  # without checkpoints the log would be longer than the file
    assert longest < 2_000_000


async def test_the_log_is_copied_back_at_rest(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "IDLE_SECONDS", 0.01)
    copied = asyncio.Event()
    loop = asyncio.get_running_loop()
    plain = writer_module.Writer._checkpoint

    def watched(self: writer_module.Writer, connection: sqlite3.Connection, mode: str) -> bool:
        done = plain(self, connection, mode)
        assert mode == "PASSIVE"
        if done:
            loop.call_soon_threadsafe(copied.set)
        return done

    monkeypatch.setattr(writer_module.Writer, "_checkpoint", watched)
    await database.write(forget)
    await asyncio.wait_for(copied.wait(), 10)


async def test_a_copy_is_whole_while_writers_go_on(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that began before a write and ended after it holds nothing of it, and neither waited for the other."""
    await database.write(fill(random.Random(7), 1500))
    before = await database.read(lambda connection: connection.execute("SELECT count(*) FROM notes").fetchone()[0])
    halfway, go_on = threading.Event(), threading.Event()
    plain = upkeep.copy

    def hold() -> bool:
        halfway.set()
        return go_on.wait(20)

    def held_halfway(source: sqlite3.Connection, target: Path, **_: Callable[[], bool]) -> None:
        plain(source, target, go_on=hold)

    monkeypatch.setattr(upkeep, "copy", held_halfway)
    copying = asyncio.create_task(database.backup(tmp_path / "copy.db"))
    assert await asyncio.to_thread(halfway.wait, 10)
    assert (tmp_path / "copy.db.partial").exists()
    await database.write(fill(random.Random(8), 400))
    go_on.set()
    await copying

    def look() -> tuple[str, int, int]:
        with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
            check: str = copy.execute("PRAGMA integrity_check").fetchone()[0]
            version: int = copy.execute("PRAGMA user_version").fetchone()[0]
            count: int = copy.execute("SELECT count(*) FROM notes").fetchone()[0]
            return check, version, count

    assert await asyncio.to_thread(look) == ("ok", 1, before)


async def test_a_copy_never_overwrites_and_a_failed_one_leaves_nothing(database: Database, tmp_path: Path) -> None:
    (tmp_path / "there.db").write_text("something else")
    with pytest.raises(DatabaseFault, match="already exists"):
        await database.backup(tmp_path / "there.db")
    assert (tmp_path / "there.db").read_text() == "something else"
    await database.write(fill(random.Random(3), 300))
    with pytest.raises(DatabaseFault, match="given up"):
        await database.backup(tmp_path / "slow.db", deadline=-1)
    with pytest.raises(DatabaseFault, match="No such file"):
        await database.backup(tmp_path / "nowhere" / "copy.db")
    assert not (tmp_path / "slow.db").exists()
    assert not (tmp_path / "slow.db.partial").exists()


async def test_faults_of_the_file_are_found(database: Database) -> None:
    assert await database.read_long(upkeep.faults) == []

    def break_it(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA foreign_keys=OFF").fetchall()
        connection.execute("INSERT INTO notes VALUES ('x', 99, 'x', 'x')")
        connection.execute("PRAGMA foreign_keys=ON").fetchall()

    await database._writer.upkeep(break_it)
    assert await database.read_long(upkeep.faults) == ["row 1 of notes refers to a row of owners that is not there"]
    assert database.sqlite_version.startswith("3.")
