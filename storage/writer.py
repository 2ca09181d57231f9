"""The one connection that writes: group commit and checkpoints.

Functions that wait at the same time share one ``BEGIN IMMEDIATE`` … ``COMMIT``, each in a savepoint of its own: one
fsync for all of them, and one that raises undoes only itself. An idle database commits at once, in batches of one.

SQLite 3.7.0–3.51.2 can corrupt a WAL when two connections checkpoint at the same instant
(https://sqlite.org/changes.html, 3.51.3). So the writer is the only one that checkpoints, by its own hand.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Generic

from core.errors import DatabaseFault, StorageError
from storage.lane import BUSY_SECONDS, Lane, T, Work, connect_writer, fetched, storage_error, told_to_caller

BATCH_MEMBERS: Final = 256
"""Most members of one commit, counted by weight."""
BATCH_SECONDS: Final = 0.025
"""No further member is taken into a commit that is older than this."""
CHECKPOINT_BYTES: Final = 4 << 20
"""The WAL is copied back once its file is this long …"""
CHECKPOINT_SECONDS: Final = 0.25
"""… but not more often than this: a WAL that was copied back is written again from its start and keeps its length."""
IDLE_SECONDS: Final = 1.0
"""A written database is checkpointed this long after its last commit, whatever its size."""
WAL_ALARM_BYTES: Final = 64 << 20
"""Above this a checkpoint asks for the readers to let go and truncates."""
STATEMENT_SECONDS: Final = 30.0
"""A commit's statement that still runs after this is interrupted, and its batch fails."""

log = logging.getLogger("reelay.storage")


class _Member(Generic[T]):
    """A function that waits for its commit, and what came of it."""

    __slots__ = ("error", "future", "value", "weight", "work")

    def __init__(self, work: Work[T], future: asyncio.Future[T], weight: int) -> None:
        self.work, self.future, self.weight = work, future, weight
        self.value: T | None = None
        self.error: BaseException | None = None


class Writer:
    """Takes functions, commits them together, and copies the WAL back into the file when nobody waits for that."""

    def __init__(self, path: Path, on_batch: Callable[[int, float], None] | None) -> None:
        """``on_batch(members, seconds)`` is called on the loop after each commit, also after one that failed."""
        self._path = path
        self._wal = path.with_name(path.name + "-wal")
        self._on_batch = on_batch
        self._loop = asyncio.get_running_loop()
        self._lane = Lane(lambda: connect_writer(path))
        self._turn = asyncio.Lock()
        """Held by whoever uses the lane, so that a commit's timer never interrupts somebody's long upkeep."""
        self._queue: deque[_Member[Any]] = deque()
        self._batch: list[_Member[Any]] = []
        self._sleeper: asyncio.Future[None] | None = None
        self._drainer: asyncio.Task[None] | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self._idle_due = False
        self._closing = False
        self._uncopied = False
        self._checkpointed_at = self._committed_at = 0.0
        self.wal_bytes = 0
        """Length of the WAL file after the last commit or checkpoint."""

    async def open(self, prepare: Work[Any]) -> None:
        """Connect, run ``prepare`` outside a transaction, and start to take functions."""
        # A long WAL that a crash left is copied back a moment later: those who wait for the start come first.
        self._checkpointed_at = self._loop.time()
        await self._lane.open()
        await self._lane.run(prepare)
        self._drainer = asyncio.create_task(self._drain(), name="database writer")

    def put(self, work: Work[T], weight: int) -> asyncio.Future[T]:
        """Queue ``work``; the future ends when it is on the disk, or with what went wrong."""
        if self._closing:
            raise DatabaseFault("the database is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.append(_Member(work, future, weight))
        self._wake()
        return future

    async def upkeep(self, work: Work[T]) -> T:
        """Run ``work`` between two commits, outside a transaction."""
        try:
            async with self._turn:
                return await self._lane.run(work)
        except sqlite3.Error as error:
            raise storage_error(error, self._path) from error

    async def drain(self, deadline: float) -> None:
        """Take no more, commit what is queued; whoever still waits after ``deadline`` seconds gets a DatabaseFault."""
        self._closing = True
        self._wake()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        if self._drainer is not None:
            await asyncio.wait([self._drainer], timeout=deadline)
            self._drainer.cancel()
        self._fail("the database was closed while this waited; it may or may not be written")

    async def close(self) -> None:
        """End the connection. The last one of a database: SQLite then copies the WAL back and removes it."""
        await self._lane.close()

    # ---- group commit

    def _wake(self) -> None:
        sleeper, self._sleeper = self._sleeper, None
        if sleeper is not None and not sleeper.done():
            sleeper.set_result(None)

    async def _drain(self) -> None:
        """The one task that commits and checkpoints; it ends when the database closes and the queue is empty."""
        while True:
            if self._queue:
                async with self._turn:
                    await self._commit()
                rested = self._loop.time() - self._checkpointed_at
                due = self.wal_bytes >= CHECKPOINT_BYTES and rested >= CHECKPOINT_SECONDS
            elif self._closing:
                return
            elif self._idle_due:
                due, self._idle_due = True, False
            else:
                self._sleeper = self._loop.create_future()
                await self._sleeper
                continue
            if due and self._uncopied:
                await self._checkpoint_when_due()

    async def _commit(self) -> None:
        began = self._loop.time()
        timer = self._loop.call_at(began + STATEMENT_SECONDS, self._lane.interrupt)
        try:
            await self._lane.run(self._commit_batch)
        except Exception as error:  # not a member's fault: those are caught where they happen
            log.exception("the database writer failed")
            self._fail(f"the database writer failed: {type(error).__name__}")
        finally:
            timer.cancel()
        batch, self._batch = self._batch, []
        for member in batch:
            if member.future.done():
                continue  # cancelled
            if member.error is None:
                member.future.set_result(member.value)
            else:
                member.future.set_exception(member.error)
        self._committed_at = self._loop.time()
        if self._idle_timer is None and self._uncopied and not self._closing:
            self._idle_timer = self._loop.call_later(IDLE_SECONDS, self._idle)
        if self._on_batch is not None and batch:
            try:
                self._on_batch(len(batch), self._committed_at - began)
            except Exception:
                log.exception("the observer of the database's batches failed")

    def _commit_batch(self, connection: sqlite3.Connection) -> None:
        """In the writer's thread: one transaction for the members that wait and those that come while it runs."""
        batch = self._batch
        execute = connection.cursor().execute
        try:
            if connection.in_transaction:
                connection.rollback()  # the rollback after an earlier fault failed as well
            execute("BEGIN IMMEDIATE")
            self._run_members(connection, execute)
            execute("COMMIT")
            self._uncopied = True
            self.wal_bytes = self._measure_wal()
        except BaseException as error:  # noqa: BLE001 - every member is told
            if not batch:  # BEGIN failed: nobody was begun, and those who wait must not wait for ever
                batch.extend(self._queue.popleft() for _ in range(min(len(self._queue), BATCH_MEMBERS)))
            for member in batch:
                member.value, member.error = None, storage_error(error, self._path)
            if connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):  # tried again at the next batch
                    connection.rollback()

    def _run_members(self, connection: sqlite3.Connection, execute: Callable[[str], object]) -> None:
        queue, batch = self._queue, self._batch
        until, room = time.monotonic() + BATCH_SECONDS, BATCH_MEMBERS
        while queue and room > 0 and (not batch or time.monotonic() < until):
            member = queue.popleft()
            if member.future.cancelled():
                continue
            batch.append(member)
            room -= member.weight
            execute("SAVEPOINT member")
            try:
                member.value = fetched(member.work(connection))
                execute("RELEASE member")
            except BaseException as error:
                member.error = told_to_caller(error, self._path)
                if not connection.in_transaction:
                    # The disk is full or failed, or the function ended the transaction: nobody's changes are safe.
                    raise
                execute("ROLLBACK TO member")
                execute("RELEASE member")

    def _fail(self, text: str) -> None:
        for member in (*self._batch, *self._queue):
            if not member.future.done():
                member.future.set_exception(DatabaseFault(text))
        self._queue.clear()

    # ---- checkpoints

    def _measure_wal(self) -> int:
        try:
            return self._wal.stat().st_size
        except FileNotFoundError:
            return 0

    def _idle(self) -> None:
        rested = self._loop.time() - self._committed_at
        if rested < IDLE_SECONDS:
            self._idle_timer = self._loop.call_later(IDLE_SECONDS - rested, self._idle)
            return
        self._idle_timer = None
        self._idle_due = True
        self._wake()

    async def _checkpoint_when_due(self) -> None:
        mode = "TRUNCATE" if self.wal_bytes > WAL_ALARM_BYTES else "PASSIVE"
        try:
            await self.upkeep(lambda connection: self._checkpoint(connection, mode))
        except StorageError as error:
            log.warning("checkpoint failed: %s", error.facts.get("sqlite", type(error).__name__))
        self._checkpointed_at = self._loop.time()

    def _checkpoint(self, connection: sqlite3.Connection, mode: str) -> bool:
        """In the writer's thread. True when every frame is in the file and, for TRUNCATE, the WAL is empty."""
        connection.execute("PRAGMA busy_timeout=50").fetchall()  # readers are short; writers wait meanwhile
        try:
            busy, frames, copied = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        finally:
            connection.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}").fetchall()
        self.wal_bytes = self._measure_wal()
        done = not busy and frames == copied
        self._uncopied = self._uncopied and not done
        return bool(done)

    async def checkpoint_truncate(self, deadline: float) -> bool:
        """Empty the WAL; False when a reader held on to it for ``deadline`` seconds. Writes go on between the tries."""
        until = self._loop.time() + deadline
        while not await self.upkeep(lambda connection: self._checkpoint(connection, "TRUNCATE")):
            if self._loop.time() >= until:
                return False
            await asyncio.sleep(0.02)
        return True
