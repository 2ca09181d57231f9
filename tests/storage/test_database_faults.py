"""A disk without room, a process that is killed, a file that is not ours: what the database does then."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.errors import DatabaseFault, DiskFull
from storage import upkeep
from storage.database import Database

SCHEMA = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;\n"

COMMON = """
import asyncio, os, resource, sys
from pathlib import Path
from core.errors import DatabaseFault, DiskFull
from storage import upkeep
from storage.database import Database

folder, migrations = Path(sys.argv[1]), Path(sys.argv[2])

def note(text):
    def work(connection):
        connection.execute("INSERT INTO notes (text) VALUES (?)", (text,))
    return work

async def count(database):
    return await database.read(lambda connection: connection.execute("SELECT count(*) FROM notes").fetchone()[0])

async def burst(database, text):
    return await asyncio.gather(*(database.write(note(text)) for _ in range(20)), return_exceptions=True)
"""

FULL_DISK = """
async def main():
    database = await Database.open(folder / "full.db", migrations)
    await burst(database, "small")
    before = await count(database)
    assert before == 20
    close_the_tap()
    for _ in range(3):  # again and again: it must not get worse
        results = await burst(database, "x" * 1_200_000)  # each is too much by itself, however they are batched
        assert all(isinstance(result, EXPECTED) for result in results), results
        assert await count(database) == before
        assert not await database._writer.upkeep(lambda connection: connection.in_transaction)
    open_the_tap()
    assert await burst(database, "y" * 200_000) == [None] * 20
    assert await count(database) == before + 20
    assert await database.checkpoint_truncate()
    assert await database.read_long(upkeep.faults) == []
    await database.close()
    print("recovered")

asyncio.run(main())
"""

LIMITED_FILES = """
EXPECTED = DatabaseFault

def close_the_tap():
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))

def open_the_tap():
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
"""

TINY_DISK = """
EXPECTED = DiskFull

def close_the_tap():
    room = os.statvfs(folder)
    ballast.write_bytes(bytes(room.f_bavail * room.f_frsize - 400_000))

def open_the_tap():
    ballast.unlink()

ballast = folder / "ballast"
"""

WRITE_FOREVER = """
async def caller(database, me):
    number = 0
    while True:
        number += 1
        text = f"{me}-{number}"
        await database.write(note(text))
        os.write(1, (text + "\\n").encode())

async def main():
    database = await Database.open(folder / "kill.db", migrations)
    await asyncio.gather(*(caller(database, me) for me in range(32)))

asyncio.run(main())
"""


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.sql").write_text(SCHEMA)
    return folder


def command(script: str, folder: Path, migrations: Path) -> list[str]:
    return [sys.executable, "-c", COMMON + script, str(folder), str(migrations)]


def test_writes_that_the_kernel_refuses_fail_the_whole_batch_and_pass(tmp_path: Path, migrations: Path) -> None:
    done = subprocess.run(
        command(LIMITED_FILES + FULL_DISK, tmp_path, migrations),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "recovered\n", done.stderr


def test_a_full_disk_fails_the_whole_batch_and_passes(tmp_path: Path, migrations: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=16m tmpfs "$0" && exec "$@"', str(disk)]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*mounted, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this machine does not let us mount a small disk; the limited files above stand in for it")
    done = subprocess.run(
        [*mounted, *command(TINY_DISK + FULL_DISK, disk, migrations)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "recovered\n", done.stderr


async def test_a_statement_that_finds_no_room_is_disk_full(tmp_path: Path, migrations: Path) -> None:
    database = await Database.open(tmp_path / "x.db", migrations)
    limit = await database._writer.upkeep(
        lambda connection: connection.execute("PRAGMA max_page_count=8").fetchone()[0]
    )
    assert limit == 8

    def big(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO notes (text) VALUES (?)", ("x" * 100_000,))

    def small(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO notes (text) VALUES ('small')")

    results = await asyncio.gather(*(database.write(work) for work in (small, big, small)), return_exceptions=True)
    assert isinstance(results[1], DiskFull)
    kept = await database.read(lambda connection: connection.execute("SELECT count(*) FROM notes").fetchone()[0])
    assert kept == results.count(None)  # whoever was told a success is there, and nobody else
    await database._writer.upkeep(lambda connection: connection.execute("PRAGMA max_page_count=100000").fetchone())
    await database.write(big)
    await database.close()


def test_no_acknowledged_write_is_lost_to_kill_nine(tmp_path: Path, migrations: Path) -> None:
    acknowledged: set[bytes] = set()
    for _ in range(3):
        with subprocess.Popen(command(WRITE_FOREVER, tmp_path, migrations), stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            enough = len(acknowledged) + 3000
            for line in process.stdout:
                acknowledged.add(line)
                if len(acknowledged) >= enough:
                    break
            process.send_signal(signal.SIGKILL)
            acknowledged.update(line for line in process.stdout if line.endswith(b"\n"))

        async def look() -> set[bytes]:
            database = await Database.open(tmp_path / "kill.db", migrations)
            try:
                assert await database.read_long(upkeep.faults) == []
                rows = await database.read(lambda connection: connection.execute("SELECT text FROM notes").fetchall())
                return {f"{row['text']}\n".encode() for row in rows}
            finally:
                await database.close()

        assert not acknowledged - asyncio.run(look())


async def test_another_writer_makes_the_batch_fail_and_not_hang(
    tmp_path: Path, migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.lane.BUSY_SECONDS", 0.1)
    database = await Database.open(tmp_path / "x.db", migrations)

    def work(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO notes (text) VALUES ('a')")

    other = await asyncio.to_thread(sqlite3.connect, tmp_path / "x.db", isolation_level=None, check_same_thread=False)
    try:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        results = await asyncio.gather(*(database.write(work) for _ in range(3)), return_exceptions=True)
        assert all(isinstance(result, DatabaseFault) for result in results)
        await asyncio.to_thread(other.execute, "ROLLBACK")
        await database.write(work)
    finally:
        await asyncio.to_thread(other.close)
        await database.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path, migrations: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is a picture, not a database" * 100)
    with pytest.raises(DatabaseFault, match="SQLITE_NOTADB"):
        await Database.open(tmp_path / "x.db", migrations)


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path, migrations: Path) -> None:
    with pytest.raises(DatabaseFault, match="No such file or directory"):
        await Database.open(tmp_path / "nowhere" / "x.db", migrations)


async def test_a_commit_that_fails_takes_its_batch_and_leaves_nothing_open(tmp_path: Path, migrations: Path) -> None:
    with (migrations / "0001_first.sql").open("a") as file:
        file.write("CREATE TABLE late (id INTEGER REFERENCES notes(id) DEFERRABLE INITIALLY DEFERRED) STRICT;\n")
    database = await Database.open(tmp_path / "x.db", migrations)

    def good(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO notes (text) VALUES ('a')")

    def refused(connection: sqlite3.Connection) -> None:
        good(connection)
        raise ValueError  # decided by what this batch did, which is undone: so this is not its answer either

    def fatal(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO late VALUES (99)")

    results = await asyncio.gather(
        *(database.write(work) for work in (good, refused, fatal, good)), return_exceptions=True
    )
    assert [type(result) for result in results] == [DatabaseFault] * 4
    assert len({id(result) for result in results}) == 4  # each caller may add to its own
    assert not await database._writer.upkeep(lambda connection: connection.in_transaction)
    await database.write(good)
    count = await database.read(lambda connection: connection.execute("SELECT count(*) FROM notes").fetchone()[0])
    assert count == 1
    await database.close()


async def test_an_open_cancelled_anywhere_leaves_no_thread(tmp_path: Path, migrations: Path) -> None:
    before = set(threading.enumerate())
    for turns in range(25):
        opening = asyncio.create_task(Database.open(tmp_path / "x.db", migrations))
        for _ in range(turns):
            await asyncio.sleep(0)
        if not opening.cancel():
            await opening.result().close()
        await asyncio.gather(opening, return_exceptions=True)
    left = [thread for thread in threading.enumerate() if thread not in before and "_connection_worker" in thread.name]
    for thread in left:
        await asyncio.to_thread(thread.join, 5)
    assert not [thread for thread in left if thread.is_alive()]
    database = await Database.open(tmp_path / "x.db", migrations)
    await database.close()


async def test_all_files_are_private_whatever_the_umask(tmp_path: Path, migrations: Path) -> None:
    (tmp_path / "x.db").touch(0o666)
    before = os.umask(0)
    try:
        database = await Database.open(tmp_path / "x.db", migrations)
        await database.write(lambda connection: connection.execute("INSERT INTO notes (text) VALUES ('a')").fetchall())
        await database.backup(tmp_path / "x.db.copy")
    finally:
        os.umask(before)
    modes = await asyncio.to_thread(
        lambda: {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.glob("x.db*")}
    )
    await database.close()
    assert modes == dict.fromkeys(["x.db", "x.db-wal", "x.db-shm", "x.db.copy"], "0o600")
