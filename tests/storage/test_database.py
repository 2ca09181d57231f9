"""Group commit: what callers that share a transaction may rely on."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import DatabaseFault, QuotaExceeded
from storage import upkeep
from storage import writer as writer_module
from storage.database import Database

SCHEMA = """
CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE purse (id INTEGER PRIMARY KEY, left INTEGER NOT NULL CHECK (left >= 0)) STRICT;
INSERT INTO purse VALUES (1, 5);
"""

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.sql").write_text(SCHEMA)
    return folder


@pytest.fixture
def batches() -> list[int]:
    return []


@pytest.fixture
async def database(tmp_path: Path, migrations: Path, batches: list[int]) -> AsyncIterator[Database]:
    database = await Database.open(
        tmp_path / "test.db", migrations, on_batch=lambda members, _: batches.append(members)
    )
    yield database
    await database.close()


def note(text: str) -> Callable[[sqlite3.Connection], int]:
    def work(connection: sqlite3.Connection) -> int:
        return int(connection.execute("INSERT INTO notes (text) VALUES (?) RETURNING id", (text,)).fetchone()["id"])

    return work


def note_then_fail(text: str, error: BaseException) -> Callable[[sqlite3.Connection], int]:
    def work(connection: sqlite3.Connection) -> int:
        note(text)(connection)
        raise error

    return work


def names(folder: Path, pattern: str) -> list[str]:
    return sorted(path.name for path in folder.glob(pattern))


async def texts(database: Database) -> list[str]:
    return await database.read(
        lambda connection: [row["text"] for row in connection.execute("SELECT text FROM notes ORDER BY id").fetchall()]
    )


async def in_transaction(database: Database) -> bool:
    return await database._writer.upkeep(lambda connection: connection.in_transaction)


async def test_callers_that_wait_together_share_one_commit(database: Database, batches: list[int]) -> None:
    ids = await asyncio.gather(*(database.write(note(f"n{number}")) for number in range(100)))
    assert ids == list(range(1, 101))
    assert batches == [100]


async def test_a_lone_caller_does_not_wait_for_company(database: Database, batches: list[int]) -> None:
    for number in range(3):
        await database.write(note(str(number)))
    assert batches == [1, 1, 1]


async def test_a_batch_is_bounded_by_weight(database: Database, batches: list[int]) -> None:
    await asyncio.gather(*(database.write(note(f"n{number}"), weight=100) for number in range(7)))
    assert sum(batches) == 7
    assert max(batches) == 3  # the third one fills the 256 places


async def test_a_batch_is_bounded_by_time(database: Database, batches: list[int]) -> None:
    pause = threading.Event()

    def slow(connection: sqlite3.Connection) -> None:
        pause.wait(writer_module.BATCH_SECONDS * 1.5)

    await asyncio.gather(*(database.write(slow) for _ in range(4)))
    assert batches == [1, 1, 1, 1]


async def test_a_member_that_raises_undoes_only_itself(database: Database, batches: list[int]) -> None:
    refusal = QuotaExceeded("five short", values={"needed": 5})
    results = await asyncio.gather(
        database.write(note("a")),
        database.write(note_then_fail("b", refusal)),
        database.write(note("c")),
        database.write(note_then_fail("d", ZeroDivisionError())),
        database.write(note("e")),
        return_exceptions=True,
    )
    assert batches == [5]
    assert results[1] is refusal  # unchanged: its values are for the person
    assert isinstance(results[3], ZeroDivisionError)
    assert await texts(database) == ["a", "c", "e"]


async def test_members_see_what_earlier_ones_of_the_batch_did(database: Database) -> None:
    def spend(connection: sqlite3.Connection) -> None:
        if connection.execute("UPDATE purse SET left = left - 1 WHERE left >= 1").rowcount == 0:
            raise QuotaExceeded

    results = await asyncio.gather(*(database.write(spend) for _ in range(200)), return_exceptions=True)
    assert results.count(None) == 5
    assert sum(isinstance(result, QuotaExceeded) for result in results) == 195


async def test_errors_of_sqlite_come_in_our_words_and_without_values(database: Database) -> None:
    await database.write(note("a secret prompt"))
    with pytest.raises(
        DatabaseFault, match=r"SQLITE_CONSTRAINT_UNIQUE: UNIQUE constraint failed: notes\.text"
    ) as caught:
        await database.write(note("a secret prompt"))
    assert isinstance(caught.value.__cause__, sqlite3.IntegrityError)
    assert caught.value.facts == {"sqlite": "SQLITE_CONSTRAINT_UNIQUE"}
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("error", [StopIteration(), asyncio.CancelledError(), KeyboardInterrupt(), SystemExit(3)])
async def test_nothing_that_a_member_raises_ends_the_writer(database: Database, error: BaseException) -> None:
    async def careful() -> None:  # KeyboardInterrupt must not reach the task that awaits it: it would end the test run
        with pytest.raises(BaseException) as caught:
            await database.write(note_then_fail("x", error))
        told = caught.value
        assert told is error or (isinstance(told, RuntimeError) and told.__cause__ is error)

    await careful()
    assert await database.write(note("after")) == 1
    assert await texts(database) == ["after"]


@pytest.mark.parametrize("statement", ["COMMIT", "ROLLBACK"])
async def test_a_function_that_ends_the_transaction_fails_its_whole_batch(database: Database, statement: str) -> None:
    results = await asyncio.gather(
        database.write(note("before")),
        database.write(lambda connection: connection.execute(statement).fetchall()),
        database.write(note("after")),
        return_exceptions=True,
    )
    assert all(isinstance(result, DatabaseFault) for result in results[:2])  # nobody of them is told a success
    assert not await in_transaction(database)
    await database.write(note("later"))
    assert "later" in await texts(database)


async def test_a_function_must_not_hand_out_its_cursor(database: Database) -> None:
    with pytest.raises(TypeError, match="fetch its rows"):
        await database.write(lambda connection: connection.execute("SELECT 1"))
    with pytest.raises(TypeError, match="fetch its rows"):
        await database.read(lambda connection: connection.execute("SELECT 1"))


async def test_a_caller_cancelled_while_its_function_runs_leaves_nothing_open(database: Database) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> None:
        note("slow")(connection)
        begun.set()
        assert go_on.wait(10)

    caller = asyncio.create_task(database.write(slow))
    assert await asyncio.to_thread(begun.wait, 10)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go_on.set()
    await database.write(note("next"))
    assert await texts(database) == ["slow", "next"]  # it was too late to stop it: it is whole, and the next one works
    assert not await in_transaction(database)


async def test_a_caller_cancelled_before_its_function_begins_is_left_out(database: Database) -> None:
    caller = asyncio.create_task(database.write(note("never")))
    await asyncio.sleep(0)  # queued, not begun
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    await database.write(note("other"))
    assert await texts(database) == ["other"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["write", "fail", "cancel", "read", "constraint"]), min_size=1, max_size=40))
def test_whatever_callers_do_exactly_the_acknowledged_is_kept(steps: list[str]) -> None:
    import tempfile

    async def play(folder: Path) -> None:
        (folder / "m").mkdir()
        (folder / "m" / "0001_first.sql").write_text(SCHEMA)
        database = await Database.open(folder / "x.db", folder / "m")
        try:
            await database.write(note("taken"))
            kept, maybe, tasks = {"taken"}, set(), []
            for number, step in enumerate(steps):
                text = f"n{number}"
                if step == "write":
                    kept.add(text)
                    tasks.append(asyncio.create_task(database.write(note(text))))
                elif step == "fail":
                    tasks.append(asyncio.create_task(database.write(note_then_fail(text, ValueError()))))
                elif step == "constraint":
                    tasks.append(asyncio.create_task(database.write(note("taken"))))
                elif step == "cancel":
                    maybe.add(text)
                    tasks.append(asyncio.create_task(database.write(note(text))))
                    await asyncio.sleep(0)
                    tasks[-1].cancel()
                else:
                    await texts(database)
            await asyncio.gather(*tasks, return_exceptions=True)
            found = set(await texts(database))
            assert kept <= found <= kept | maybe
            assert not await in_transaction(database)
        finally:
            await database.close()

    with tempfile.TemporaryDirectory() as name:
        asyncio.run(play(Path(name)))


async def test_an_observer_that_raises_disturbs_nobody(tmp_path: Path, migrations: Path) -> None:
    def observer(members: int, seconds: float) -> None:
        raise RuntimeError

    database = await Database.open(tmp_path / "o.db", migrations, on_batch=observer)
    await database.write(note("a"))
    await database.write(note("b"))
    await database.close()


async def test_close_commits_what_is_queued_and_takes_no_more(tmp_path: Path, migrations: Path) -> None:
    database = await Database.open(tmp_path / "c.db", migrations)
    callers = [asyncio.create_task(database.write(note(f"n{number}"))) for number in range(600)]
    await asyncio.sleep(0)
    await database.close()
    assert len(set(await asyncio.gather(*callers))) == 600
    with pytest.raises(DatabaseFault, match="closed"):
        await database.write(note("late"))
    with pytest.raises(DatabaseFault, match="closed"):
        await database.read(lambda connection: connection.execute("SELECT 1").fetchall())
    await database.close()
    assert names(tmp_path, "c.db*") == ["c.db"]  # the WAL was copied back


async def test_close_ends_at_its_deadline_and_tells_who_still_waits(tmp_path: Path, migrations: Path) -> None:
    database = await Database.open(tmp_path / "d.db", migrations)
    begun, go_on = threading.Event(), threading.Event()

    def stuck(connection: sqlite3.Connection) -> None:
        begun.set()
        go_on.wait(30)

    callers: list[asyncio.Task[Any]] = [asyncio.create_task(database.write(stuck))]
    assert await asyncio.to_thread(begun.wait, 10)
    callers.append(asyncio.create_task(database.write(note("waiting"))))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await database.close(deadline=0.1)
    results = await asyncio.gather(*callers, return_exceptions=True)
    assert all(isinstance(result, DatabaseFault) for result in results)
    go_on.set()


async def test_readers_cannot_write_and_never_see_half_a_batch(database: Database) -> None:
    with pytest.raises(DatabaseFault, match="readonly"):
        await database.read(note("x"))
    begun, go_on = threading.Event(), threading.Event()

    def half(connection: sqlite3.Connection) -> None:
        note("first half")(connection)
        begun.set()
        assert go_on.wait(10)
        note("second half")(connection)

    caller = asyncio.create_task(database.write(half))
    assert await asyncio.to_thread(begun.wait, 10)
    assert await texts(database) == []
    go_on.set()
    await caller
    assert await texts(database) == ["first half", "second half"]


async def test_a_read_is_one_snapshot_and_ends_with_its_function(database: Database) -> None:
    looked, go_on = threading.Event(), threading.Event()

    def twice(connection: sqlite3.Connection) -> tuple[int, int]:
        first = connection.execute("SELECT count(*) FROM notes").fetchone()[0]
        looked.set()
        assert go_on.wait(10)
        return first, connection.execute("SELECT count(*) FROM notes").fetchone()[0]

    reader = asyncio.create_task(database.read(twice))
    assert await asyncio.to_thread(looked.wait, 10)
    await database.write(note("meanwhile"))
    go_on.set()
    assert await reader == (0, 0)
    for lane in database._readers:
        assert not await lane.run(lambda connection: connection.in_transaction)


async def test_a_function_that_fails_leaves_no_snapshot_even_if_its_error_is_kept(database: Database) -> None:
    def broken(connection: sqlite3.Connection) -> None:
        cursor = connection.execute("SELECT * FROM purse")  # not fetched to its end, and kept alive by the traceback
        assert cursor is not None
        raise QuotaExceeded

    errors = []
    for ask in (database.read, database.read, database.write):
        with pytest.raises(QuotaExceeded) as caught:
            await ask(broken)
        errors.append(caught)
    await database.write(note("a"))
    assert await database.checkpoint_truncate(deadline=1)
    assert len(errors) == 3


async def test_a_runaway_read_is_interrupted(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.database.READ_SECONDS", 0.05)
    async with asyncio.timeout(20):
        with pytest.raises(DatabaseFault, match="SQLITE_INTERRUPT"):
            await database.read(lambda connection: connection.execute(ENDLESS).fetchone())
    assert await texts(database) == []


async def test_long_reads_have_a_connection_of_their_own(database: Database) -> None:
    """As many long reads as there are readers, and more, leave the readers to the others; two run, the third waits."""
    running: list[int] = []
    go = threading.Event()

    def slow(connection: sqlite3.Connection) -> bool:
        running.append(1)
        return go.wait(20)

    held = [asyncio.create_task(database.read_long(slow)) for _ in range(3)]
    try:
        async with asyncio.timeout(10):
            while len(running) < 2:
                await texts(database)
            for _ in range(20):
                await texts(database)
        assert len(running) == 2
    finally:
        go.set()
    assert await asyncio.gather(*held) == [True] * 3


@pytest.mark.parametrize("end", ["deadline", "cancel", "close"])
async def test_a_long_read_ends_with_its_deadline_its_caller_and_its_database(
    database: Database, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    if end == "deadline":
        monkeypatch.setattr("storage.database.LONG_READ_SECONDS", 0.05)
    begun, ended = threading.Event(), threading.Event()

    def endless(connection: sqlite3.Connection) -> None:
        begun.set()
        try:
            connection.execute(ENDLESS).fetchone()
        finally:
            ended.set()

    reading = asyncio.create_task(database.read_long(endless))
    assert await asyncio.to_thread(begun.wait, 20)
    if end == "cancel":
        reading.cancel()
    elif end == "close":
        await database.close()
    assert await asyncio.to_thread(ended.wait, 20), "the thread goes on with what nobody waits for"
    with pytest.raises(asyncio.CancelledError if end == "cancel" else DatabaseFault):
        await reading


async def test_a_runaway_write_is_interrupted_and_the_writer_lives(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "STATEMENT_SECONDS", 0.05)
    async with asyncio.timeout(20):
        with pytest.raises(DatabaseFault, match="SQLITE_INTERRUPT"):
            await database.write(lambda connection: connection.execute(ENDLESS).fetchone())
    assert await database.write(note("a")) == 1


async def test_the_connections_are_set_up_as_promised(database: Database) -> None:
    def pragmas(connection: sqlite3.Connection) -> dict[str, object]:
        names = ["journal_mode", "synchronous", "foreign_keys", "secure_delete", "wal_autocheckpoint", "trusted_schema"]
        names += ["temp_store", "query_only", "busy_timeout"]
        return {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names}

    ours = await database.write(pragmas)
    assert ours == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "wal_autocheckpoint": 0,
        "trusted_schema": 0,
        "temp_store": 2,
        "query_only": 0,
        "busy_timeout": 5000,
    }
    theirs = await database.read(pragmas)
    assert theirs["query_only"] == 1
    assert theirs["wal_autocheckpoint"] == 0


async def test_nothing_blocks_the_event_loop(tmp_path: Path, migrations: Path) -> None:
    with blockbuster_ctx():
        database = await Database.open(tmp_path / "b.db", migrations)
        await asyncio.gather(*(database.write(note(f"n{number}")) for number in range(20)))
        assert len(await texts(database)) == 20
        assert database.wal_bytes() > 0
        assert await database.checkpoint_truncate()
        await database.backup(tmp_path / "copy.db")
        assert await database.read_long(upkeep.faults) == []
        await database.erase_traces()
        await database.close()


async def test_an_exit_without_close_does_not_hang(tmp_path: Path, migrations: Path) -> None:
    import sys

    script = (
        "import asyncio, sys; from pathlib import Path; from storage.database import Database\n"
        "async def main():\n"
        f"    database = await Database.open(Path({str(tmp_path / 'e.db')!r}), Path({str(migrations)!r}))\n"
        "    print(await database.read(lambda c: c.execute('SELECT 1').fetchone()[0]))\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, out) == (0, b"1\n")
