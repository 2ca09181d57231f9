"""One SQLite file: one writer with group commit, and a few short readers.

A transaction is one plain function that takes the connection and is run whole in the writer's thread, so nothing is ever awaited inside
a transaction and a cancelled caller leaves nothing open. Functions that wait at the same time share one ``BEGIN IMMEDIATE`` … ``COMMIT``,
each in a savepoint of its own: one fsync for all of them, and one that raises undoes only itself. An idle database commits at once, in
batches of one.

Rules for the functions: fetch every row before returning, never ``BEGIN``, ``COMMIT`` or ``ROLLBACK``, never keep the connection, and no
``DEFERRABLE INITIALLY DEFERRED`` constraints (those would fail at the common COMMIT and take the whole batch with them). Rows are
``sqlite3.Row``.

SQLite 3.7.0–3.51.2 can corrupt a WAL when two connections checkpoint at the same instant (https://sqlite.org/changes.html, 3.51.3). So
the writer is the only one that checkpoints, by its own hand; everybody else opens the file read-only.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import time
import traceback
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, cast

import aiosqlite

from core.errors import DatabaseFault, DiskFull, StorageError
from storage.migrate import migrate

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

BATCH_MEMBERS: Final = 256
"""Most members of one commit, counted by weight."""
BATCH_SECONDS: Final = 0.025
"""No further member is taken into a commit that is older than this."""
CHECKPOINT_BYTES: Final = 4 << 20
"""The WAL is copied back once its file is this long …"""
CHECKPOINT_SECONDS: Final = 0.25
"""… but not more often than this: a WAL that was copied back is written again from its start and keeps its length."""
IDLE_SECONDS: Final = 1.0
"""A written database that rests this long is checkpointed whatever its size."""
WAL_ALARM_BYTES: Final = 64 << 20
"""Above this the checkpoint asks readers to let go, and truncates."""
BUSY_SECONDS: Final = 5.0
READERS: Final = 2
READ_SECONDS: Final = 30.0
"""A read that runs longer is interrupted: an old snapshot keeps the WAL from being reused."""

log = logging.getLogger("reelay.storage")


class Lane:
    """A connection in a thread of its own, to which whole functions are handed.

    aiosqlite hands over single statements; a transaction needs one hop for all of its statements. This class is the only one that knows
    aiosqlite's private parts (0.22: ``_execute``, ``_conn``, ``_thread``). The thread is a daemon, because a connection that nobody closed
    would otherwise keep the process from ending (https://github.com/omnilib/aiosqlite/issues/369).
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connection = aiosqlite.Connection(connect, 64)
        self._connection._thread.daemon = True

    async def open(self) -> None:
        """Start the thread and connect in it."""
        await self._connection

    async def run(self, work: Work[T]) -> T:
        """Run ``work`` in the thread. It runs to its end even when the caller is cancelled."""
        connection = self._connection._conn

        def hop() -> T:  # a bare function: aiosqlite logs its repr, and a partial would show its arguments
            return work(connection)

        return cast("T", await self._connection._execute(hop))  # type: ignore[no-untyped-call]

    def interrupt(self) -> None:
        """Make the statement that runs in the thread fail with SQLITE_INTERRUPT."""
        if self._connection._connection is not None:
            self._connection._connection.interrupt()

    async def close(self) -> None:
        """Close the connection after the work that is queued, and end the thread. Twice is fine."""
        await self._connection.close()


class _Member(Generic[T]):
    __slots__ = ("error", "future", "value", "weight", "work")

    def __init__(self, work: Work[T], future: asyncio.Future[T], weight: int) -> None:
        self.work, self.future, self.weight = work, future, weight
        self.value: T | None = None
        self.error: BaseException | None = None


class Database:
    """The one writer and the readers of one file. Made by :meth:`open`, ended by :meth:`close`."""

    def __init__(self, path: Path, on_batch: Callable[[int, float], None] | None) -> None:
        """Use :meth:`open`."""
        self.path: Final = path
        self._on_batch = on_batch
        self._loop = asyncio.get_running_loop()
        self._writer = Lane(lambda: _connect_writer(path))
        self._readers = [Lane(lambda: _connect_reader(path)) for _ in range(READERS)]
        self._reading = [0] * READERS
        self._queue: deque[_Member[Any]] = deque()
        self._batch: list[_Member[Any]] = []
        self._sleeper: asyncio.Future[None] | None = None
        self._drainer: asyncio.Task[None] | None = None
        self._closing = False
        self._wal_bytes = 0
        self._unsaved = False
        self._checkpointed_at = 0.0
        self._idle_due = False
        self._idle_timer: asyncio.TimerHandle | None = None

    @classmethod
    async def open(cls, path: Path, migrations: Path, *, on_batch: Callable[[int, float], None] | None = None) -> Database:
        """Open or create ``path`` (0600), bring its schema up to date from ``migrations``, and start the writer.

        ``on_batch(members, seconds)`` is called on the loop after each commit. Raises SchemaFromTheFuture, DiskFull, DatabaseFault.
        """
        database = cls(path, on_batch)
        opening = asyncio.ensure_future(database._start(migrations))
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            await asyncio.wait([opening], timeout=BUSY_SECONDS)
            await database.close()
            raise
        except BaseException as error:
            await database.close()
            if isinstance(error, sqlite3.Error):
                raise _storage_error(error, path) from error
            raise
        return database

    async def _start(self, migrations: Path) -> None:
        await self._writer.open()
        await self._writer.run(lambda connection: migrate(connection, self.path, migrations))
        for reader in self._readers:
            await reader.open()
        self._drainer = asyncio.create_task(self._drain(), name="database writer")

    async def write(self, work: Work[T], *, weight: int = 1) -> T:
        """Run ``work`` in a transaction of the writer; returns its value when it is on the disk.

        What ``work`` raises comes back here and undoes only its own changes; sqlite3's errors come as DatabaseFault or DiskFull. When the
        common COMMIT fails, every member fails with one of these two and nothing of any of them is kept. A cancelled caller does not know
        whether it was committed. ``weight``: how many of a batch's 256 places a heavy function takes.
        """
        if self._closing:
            raise DatabaseFault("the database is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.append(_Member(work, future, weight))
        self._wake()
        return await future

    async def read(self, work: Work[T]) -> T:
        """Run ``work`` on a read-only connection, on one snapshot of what was committed when it began.

        ``work`` must be short and fetch everything; after 30 s it is interrupted. sqlite3's errors come as DatabaseFault.
        """
        if self._closing:
            raise DatabaseFault("the database is closed")
        index = self._reading.index(min(self._reading))
        reader = self._readers[index]
        self._reading[index] += 1
        timer = self._loop.call_later(READ_SECONDS, reader.interrupt)
        try:
            value, error = await reader.run(lambda connection: _read(connection, work, self.path))
        finally:
            timer.cancel()
            self._reading[index] -= 1
        if error is not None:
            raise error
        return cast("T", value)

    async def close(self, deadline: float = 10.0) -> None:
        """Commit what is queued, checkpoint, close. After ``deadline`` seconds whatever still waits gets a DatabaseFault."""
        self._closing = True
        self._wake()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        until = self._loop.time() + deadline
        if self._drainer is not None:
            await asyncio.wait([self._drainer], timeout=deadline)
            self._drainer.cancel()
        for lane in (*self._readers, self._writer):  # the writer last: whoever closes last checkpoints
            closing = asyncio.ensure_future(lane.close())
            await asyncio.wait([closing], timeout=max(0.1, until - self._loop.time()))
            if not closing.done():
                log.warning("a database thread did not end in time", extra={"path": str(self.path)})
        self._fail([*self._batch, *self._queue], lambda: DatabaseFault("the database was closed before this was written"))
        self._queue.clear()

    def _wake(self) -> None:
        if self._sleeper is not None:
            sleeper, self._sleeper = self._sleeper, None
            if not sleeper.done():
                sleeper.set_result(None)

    async def _drain(self) -> None:
        while True:
            if self._queue:
                began = time.perf_counter()
                self._batch = []
                try:
                    await self._writer.run(self._commit_batch)
                except Exception as error:  # the thread itself failed; its members must not wait for ever
                    log.exception("the database writer failed")
                    text = f"the writer failed: {type(error).__name__}"
                    self._fail([*self._batch, *self._queue], lambda text=text: DatabaseFault(text))  # type: ignore[misc]
                    self._queue.clear()
                self._answer(time.perf_counter() - began)
                due = self._wal_bytes >= CHECKPOINT_BYTES and self._loop.time() - self._checkpointed_at >= CHECKPOINT_SECONDS
            elif self._idle_due:
                due = True
            elif self._closing:
                return
            else:
                self._sleeper = self._loop.create_future()
                await self._sleeper
                continue
            if due and self._unsaved:
                await self._checkpoint_now()

    def _answer(self, seconds: float) -> None:
        """On the loop: tell every caller of the batch."""
        batch, self._batch = self._batch, []
        for member in batch:
            future = member.future
            if future.done():
                continue
            if member.error is None:
                future.set_result(member.value)
            else:
                future.set_exception(member.error)
        if self._idle_timer is None and self._unsaved and not self._closing:
            self._idle_timer = self._loop.call_later(IDLE_SECONDS, self._idle, self._loop.time())
        if self._on_batch is not None and batch:
            try:
                self._on_batch(len(batch), seconds)
            except Exception:
                log.exception("the batch observer failed")

    def _commit_batch(self, connection: sqlite3.Connection) -> None:
        """In the writer's thread: one transaction for the members that wait, and for those that come while it runs."""
        queue, batch = self._queue, self._batch
        until, room = time.monotonic() + BATCH_SECONDS, BATCH_MEMBERS
        execute = connection.cursor().execute
        try:
            execute("BEGIN IMMEDIATE")
            while queue and room > 0:
                member = queue.popleft()
                if member.future.cancelled():
                    continue
                batch.append(member)
                room -= member.weight
                execute("SAVEPOINT member")
                try:
                    member.value = _whole(member.work(connection))
                    execute("RELEASE member")
                except BaseException as error:
                    member.error = _own_error(error, self.path)
                    if not connection.in_transaction:
                        raise  # SQLite rolled everything back (disk full, I/O error), or the function did: nobody's changes are left
                    execute("ROLLBACK TO member")
                    execute("RELEASE member")
                if time.monotonic() > until:
                    break
            execute("COMMIT")
            self._unsaved = True
            self._wal_bytes = _size(self._wal_path)
        except BaseException as error:
            if not batch:  # BEGIN failed: those who waited are told, or they would wait for ever
                while queue and len(batch) < BATCH_MEMBERS:
                    batch.append(queue.popleft())
            cause = error
            for member in batch:
                member.value, member.error = None, _storage_error(cause, self.path)
                member.error.__cause__ = cause
            if connection.in_transaction:
                connection.rollback()

    @staticmethod
    def _fail(members: list[_Member[Any]], make: Callable[[], StorageError]) -> None:
        for member in members:
            if not member.future.done():
                member.future.set_exception(make())

    # ------------------------------------------------------------------------------------------------------------- keeping house

    @property
    def _wal_path(self) -> str:
        return f"{self.path}-wal"

    @property
    def sqlite_version(self) -> str:
        """For the health report: 3.51.3 mended the WAL-reset fault that this module steers around."""
        return sqlite3.sqlite_version

    def wal_bytes(self) -> int:
        """Length of the WAL file after the last commit or checkpoint."""
        return self._wal_bytes

    def _idle(self, seen: float) -> None:
        self._idle_timer = None
        self._idle_due = True
        self._wake()

    async def _checkpoint_now(self) -> None:
        self._idle_due = False
        mode = "TRUNCATE" if self._wal_bytes > WAL_ALARM_BYTES else "PASSIVE"
        try:
            await self._writer.run(lambda connection: self._checkpoint(connection, mode))
        except sqlite3.Error as error:
            log.warning("checkpoint failed", extra={"error": getattr(error, "sqlite_errorname", type(error).__name__)})
        self._checkpointed_at = self._loop.time()

    def _checkpoint(self, connection: sqlite3.Connection, mode: str) -> bool:
        """In the writer's thread. True when every frame is in the database file (and, for TRUNCATE, the WAL is empty)."""
        connection.execute("PRAGMA busy_timeout=50")
        try:
            busy, frames, copied = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        finally:
            connection.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")
        self._wal_bytes = _size(self._wal_path)
        done = not busy and frames == copied
        self._unsaved = self._unsaved and not done
        return done

    async def checkpoint_truncate(self, deadline: float = 10.0) -> bool:
        """Copy everything into the database file and empty the WAL, so that nothing deleted before this call is left in it.

        False when readers did not let go within ``deadline`` seconds. Writes go on between the tries.
        """
        until = self._loop.time() + deadline
        while True:
            try:
                if await self._writer.run(lambda connection: self._checkpoint(connection, "TRUNCATE")):
                    return True
            except sqlite3.Error as error:
                raise _storage_error(error, self.path) from error
            if self._loop.time() >= until:
                return False
            await asyncio.sleep(0.02)


def _connect_writer(path: Path) -> sqlite3.Connection:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(descriptor, 0o600)  # whatever the umask; SQLite gives -wal and -shm the mode of the file
    finally:
        os.close(descriptor)
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS, cached_statements=512)
    mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode != "wal":
        connection.close()
        raise DatabaseFault(f"the file system of {path} cannot hold a database in WAL mode (it offers {mode!r})")
    return _tune(connection, "synchronous=FULL", "secure_delete=ON", f"journal_size_limit={CHECKPOINT_BYTES}")


def _connect_reader(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_SECONDS, cached_statements=512)
    return _tune(connection, "query_only=ON")


def _tune(connection: sqlite3.Connection, *pragmas: str) -> sqlite3.Connection:
    for pragma in (*pragmas, "wal_autocheckpoint=0", "foreign_keys=ON", "trusted_schema=OFF", "temp_store=MEMORY", "mmap_size=0"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.row_factory = sqlite3.Row
    return connection


def _read(connection: sqlite3.Connection, work: Work[T], path: Path) -> tuple[T | None, BaseException | None]:
    """In a reader's thread: errors are returned, so that aiosqlite does not log them."""
    try:
        connection.execute("BEGIN")
        return _whole(work(connection)), None
    except BaseException as error:
        return None, _own_error(error, path)
    finally:
        if connection.in_transaction:
            connection.rollback()


def _whole(value: T) -> T:
    if isinstance(value, sqlite3.Cursor):
        raise TypeError("a transaction function must fetch its rows: an open cursor would keep its snapshot")
    return value


def _own_error(error: BaseException, path: Path) -> BaseException:
    """What a function's own caller gets."""
    traceback.clear_frames(error.__traceback__)  # a cursor in a frame would keep its statement open, and be ended in another thread
    if isinstance(error, sqlite3.Error):
        mapped = _storage_error(error, path)
        mapped.__cause__ = error
        return mapped
    if isinstance(error, StopIteration | asyncio.CancelledError):  # neither can be handed on by a future
        fault = RuntimeError(f"a transaction function raised {type(error).__name__}")
        fault.__cause__ = error
        return fault
    return error


def _storage_error(error: BaseException, path: Path) -> StorageError:
    """A sqlite3 error in our words; the text of sqlite3 names tables and columns, never values."""
    if isinstance(error, StorageError):
        return type(error)(str(error), **error.facts)
    code = getattr(error, "sqlite_errorcode", None)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if code == sqlite3.SQLITE_FULL or (code is not None and code & 0xFF == sqlite3.SQLITE_IOERR and _no_room(path)):
        return DiskFull(f"no room is left for {path}", sqlite=name)
    return DatabaseFault(f"{name}: {error}", sqlite=name)


def _no_room(path: Path) -> bool:
    room = os.statvfs(path.parent)
    return room.f_bavail * room.f_frsize < 1 << 20


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
