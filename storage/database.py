"""One SQLite file: one writer with group commit, and a few short readers.

A transaction is one plain function that takes the connection and is run whole in the writer's thread, so nothing is
ever awaited inside a transaction and a cancelled caller leaves nothing open. How they share a commit: ``writer.py``.

Rules for the functions: fetch every row before returning, never ``BEGIN``, ``COMMIT`` or ``ROLLBACK``, never keep the
connection, and no ``DEFERRABLE INITIALLY DEFERRED`` constraints (those would fail at the common COMMIT and take the
whole batch with them). Rows are ``sqlite3.Row``.

Nobody else in this process may open and close the file by hand: that drops SQLite's POSIX locks on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

from core.errors import DatabaseFault
from storage import upkeep
from storage.lane import Lane, T, Work, connect_reader, read_once, storage_error
from storage.migrate import copy_path, migrate
from storage.writer import Writer

READERS: Final = 2
READ_SECONDS: Final = 30.0
"""A read that runs longer is interrupted: its old snapshot keeps the WAL from being used again."""
LONG_READS: Final = 2
"""Long reads at once; further ones wait for them."""
LONG_READ_SECONDS: Final = 600.0
_PROGRESS_STEPS: Final = 100_000
"""Of SQLite's machine, between two looks at whether a long read is still wanted: about a hundredth of a second."""
_START_SECONDS: Final = 60.0
_MEMORY_VACUUM_BYTES: Final = 256 << 20

log = logging.getLogger("reelay.storage")


class Database:
    """The one writer and the readers of one file. Made by :meth:`open`, ended by :meth:`close`."""

    def __init__(self, path: Path, on_batch: Callable[[int, float], None] | None) -> None:
        """Use :meth:`open`."""
        self.path: Final = path
        self._loop = asyncio.get_running_loop()
        self._writer = Writer(path, on_batch)
        self._readers = [Lane(lambda: connect_reader(path)) for _ in range(READERS)]
        self._reading = [0] * READERS
        self._long_turns = asyncio.Semaphore(LONG_READS)
        self._closing = False

    @classmethod
    async def open(
        cls, path: Path, migrations: Path, *, on_batch: Callable[[int, float], None] | None = None
    ) -> Database:
        """Open or create ``path`` (0600), bring its schema up to date from ``migrations``, and start the writer.

        The caller holds the instance lock of the folder. ``on_batch(members, seconds)`` is called on the loop after
        each commit. Raises SchemaFromTheFuture, DiskFull, DatabaseFault.
        """
        database = cls(path, on_batch)
        starting = asyncio.ensure_future(database._start(migrations))
        try:
            await asyncio.shield(starting)  # a connection whose opening is cancelled would be lost, not closed
        except BaseException as error:
            if not starting.done():
                await asyncio.wait([starting], timeout=_START_SECONDS)
            await database.close()
            if isinstance(error, sqlite3.Error | OSError):
                raise storage_error(error, path) from error
            raise
        return database

    async def _start(self, migrations: Path) -> None:
        await self._writer.open(lambda connection: migrate(connection, self.path, migrations))
        for reader in self._readers:
            await reader.open()

    async def write(self, work: Work[T], *, weight: int = 1) -> T:
        """Run ``work`` in a transaction of the writer; returns its value when it is on the disk.

        What ``work`` raises comes back here and undoes only its own changes; sqlite3's errors come as DatabaseFault or
        DiskFull. When the common COMMIT fails, every member fails with one of these two and nothing of any of them is
        kept. A cancelled caller does not know whether its function was committed. ``weight``: how many of a batch's
        256 places it takes.
        """
        return await self._writer.put(work, weight)

    async def read(self, work: Work[T]) -> T:
        """Run ``work`` on a read-only connection, on one snapshot of what was committed when it began.

        It must be short and fetch everything; after 30 s it is interrupted. sqlite3's errors come as DatabaseFault.
        """
        if self._closing:
            raise DatabaseFault("the database is closed")
        index = self._reading.index(min(self._reading))
        reader = self._readers[index]
        self._reading[index] += 1
        timer = self._loop.call_later(READ_SECONDS, reader.interrupt)
        try:
            value, error = await reader.run(lambda connection: read_once(connection, work, self.path))
        finally:
            timer.cancel()
            self._reading[index] -= 1
        if error is not None:
            raise error
        return cast("T", value)

    async def read_long(self, work: Work[T]) -> T:
        """As :meth:`read`, for work that may take seconds: on a connection of its own, so that no short read waits for it.

        After 10 min it is interrupted, and also when its caller is cancelled or the database closes.
        """
        async with self._long_turns:
            if self._closing:
                raise DatabaseFault("the database is closed")
            value, error = await self._apart(
                lambda connection: read_once(connection, work, self.path), self.path, LONG_READ_SECONDS
            )
        if error is not None:
            raise error
        return cast("T", value)

    async def close(self, deadline: float = 10.0) -> None:
        """Commit what is queued, copy the WAL back, close. Twice is fine.

        Whoever still waits after ``deadline`` seconds gets a DatabaseFault.
        """
        self._closing = True
        until = self._loop.time() + deadline
        await self._writer.drain(deadline)
        lanes: list[Lane | Writer] = [*self._readers, self._writer]
        for lane in lanes:  # the writer last, because the last one copies the WAL back
            ending = asyncio.ensure_future(lane.close())
            await asyncio.wait([ending], timeout=max(0.1, until - self._loop.time()))
            if not ending.done() or ending.exception() is not None:
                log.warning("a database connection did not end in time")

    # ---- the whole file

    @property
    def sqlite_version(self) -> str:
        """For the health report."""
        return sqlite3.sqlite_version

    def wal_bytes(self) -> int:
        """Length of the WAL file after the last commit or checkpoint."""
        return self._writer.wal_bytes

    async def checkpoint_truncate(self, deadline: float = 10.0) -> bool:
        """Copy everything into the file and empty the WAL; False when a reader held on to it for ``deadline`` s."""
        return await self._writer.checkpoint_truncate(deadline)

    async def erase_traces(self) -> None:
        """After deleting: leave no byte of what was deleted in the file, its WAL, or the copy from before a migration.

        ``secure_delete`` overwrites deleted cells and pages, but not the stale copies of cells that SQLite leaves
        behind when it moves them between pages (seen with 3.40: up to 32 of a text in 20 MB). Only rewriting the file
        removes those, so this is VACUUM: it needs room for a second file, and writers wait for it. Raises DiskFull, or
        DatabaseFault when a reader held on to the WAL.
        """
        await self._writer.upkeep(_vacuum)
        if not await self.checkpoint_truncate():
            raise DatabaseFault("a reader holds on to the write-ahead log: what was deleted is still in it")
        await asyncio.to_thread(self._drop_copy)

    def _drop_copy(self) -> None:
        copy_path(self.path).unlink(missing_ok=True)
        upkeep.sync_folder(self.path.parent)

    async def backup(self, target: Path, deadline: float = 3600.0) -> None:
        """Write a copy of the running database to ``target`` (0600), which must not exist; writers are not held up.

        Raises DatabaseFault or DiskFull; then there is no file.
        """
        until = time.monotonic() + deadline
        wanted = True

        def work(connection: sqlite3.Connection) -> None:
            upkeep.refuse_existing(target)
            upkeep.copy(connection, target, go_on=lambda: wanted and time.monotonic() < until)

        try:
            await self._apart(work, target, deadline)
        finally:
            wanted = False  # a cancelled caller: the thread gives up at its next step

    async def _apart(self, work: Work[T], place: Path, seconds: float) -> T:
        """``work`` in a thread and on a read-only connection made for it; ``place`` is where room may run out."""
        until = time.monotonic() + seconds
        wanted = True

        def too_late() -> bool:
            return not wanted or self._closing or time.monotonic() > until

        def whole() -> T:
            try:
                with contextlib.closing(connect_reader(self.path)) as connection:
                    connection.set_progress_handler(too_late, _PROGRESS_STEPS)
                    return work(connection)
            except (sqlite3.Error, OSError) as error:
                raise storage_error(error, place) from error

        try:
            return await asyncio.to_thread(whole)
        finally:
            wanted = False


def _vacuum(connection: sqlite3.Connection) -> None:
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    kept = "MEMORY" if pages * size <= _MEMORY_VACUUM_BYTES else "FILE"
    connection.execute(f"PRAGMA temp_store={kept}").fetchall()
    try:
        connection.execute("VACUUM").fetchall()
    finally:
        connection.execute("PRAGMA temp_store=MEMORY").fetchall()
