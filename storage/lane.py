"""One SQLite connection in a thread of its own, and sqlite3's errors in our words."""

# ruff: noqa: SLF001 - knowing aiosqlite's private parts is what this file is for

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar, cast

import aiosqlite

from core.errors import DatabaseFault, DiskFull, StorageError

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

BUSY_SECONDS: Final = 5.0
"""How long a statement waits for a lock. There is one writer, so only a foreign process can make it wait."""
_WAL_KEPT_BYTES: Final = 8 << 20
"""A WAL that grew beyond this (a long reader) is cut back to it when it starts again."""


class Lane:
    """Runs whole functions in the thread of its connection, one after another.

    aiosqlite hands over single statements; a transaction needs one hop for all of its statements. This class is the
    only one that knows aiosqlite's private parts (0.22: ``_execute``, ``_conn``, ``_connection``, ``_thread``). The
    thread is a daemon, because a connection that nobody closed would otherwise keep the process from ending
    (https://github.com/omnilib/aiosqlite/issues/369).
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        """``connect`` is called in the thread, by :meth:`open`."""
        self._aio = aiosqlite.Connection(connect, 64)
        self._aio._thread.daemon = True

    async def open(self) -> None:
        """Start the thread and connect in it. Must not be cancelled: aiosqlite would lose the connection (its issue
        259).
        """
        try:
            await self._aio
        except BaseException:
            # aiosqlite has told its thread to end, but does not wait for that; on a closed loop it would end loudly.
            await asyncio.to_thread(self._aio._thread.join, BUSY_SECONDS)
            raise

    async def run(self, work: Work[T]) -> T:
        """Run ``work`` in the thread; to its end even when the caller is cancelled. What it raises is raised here as it
        is.
        """
        if self._aio._connection is None:
            raise DatabaseFault("the database is closed")
        connection = self._aio._conn

        # a bare function: aiosqlite logs its repr at debug level, and a partial would show its arguments
        def hop() -> T:
            return work(connection)

        return cast("T", await self._aio._execute(hop))  # type: ignore[no-untyped-call]

    def interrupt(self) -> None:
        """Make the statement that runs in the thread fail with SQLITE_INTERRUPT."""
        if self._aio._connection is not None:
            self._aio._conn.interrupt()

    async def close(self) -> None:
        """Close the connection after the work that is queued, and end the thread. Twice is fine."""
        await self._aio.close()


def connect_writer(path: Path) -> sqlite3.Connection:
    """The connection that writes: WAL, FULL, deleted bytes overwritten, checkpoints only by our own hand. Creates the
    file (0600).
    """
    try:
        # This closes a descriptor of the file, which drops every POSIX lock of this process on it: only safe before
        # SQLite opens it.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.fchmod(descriptor, 0o600)  # whatever the umask; SQLite gives -wal and -shm the mode of the file
        finally:
            os.close(descriptor)
    except OSError as error:
        raise DatabaseFault(f"cannot open the database {path}: {error.strerror}") from error
    connection = _connect(str(path))
    try:
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        if mode != "wal":
            raise DatabaseFault(f"the file system of {path} cannot hold a database in WAL mode (it offers {mode!r})")
        return _tune(connection, "synchronous=FULL", "secure_delete=ON", f"journal_size_limit={_WAL_KEPT_BYTES}")
    except BaseException:
        connection.close()
        raise


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write and never checkpoints."""
    return _tune(_connect(f"{path.absolute().as_uri()}?mode=ro"), "query_only=ON")


def _connect(address: str) -> sqlite3.Connection:
    # isolation_level None: transactions are begun and ended in plain sight. 512 statements: more than the Store has.
    return sqlite3.connect(
        address, uri=address.startswith("file:"), isolation_level=None, timeout=BUSY_SECONDS, cached_statements=512
    )


def _tune(connection: sqlite3.Connection, *pragmas: str) -> sqlite3.Connection:
    for pragma in (
        *pragmas,
        "wal_autocheckpoint=0",
        "foreign_keys=ON",
        "trusted_schema=OFF",
        "temp_store=MEMORY",
        "mmap_size=0",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.row_factory = sqlite3.Row
    return connection


def read_once(connection: sqlite3.Connection, work: Work[T], path: Path) -> tuple[T | None, BaseException | None]:
    """In a reader's thread: ``work`` on one snapshot that ends with it. The error is returned, so that aiosqlite does
    not log it.
    """
    try:
        connection.execute("BEGIN")
        return fetched(work(connection)), None
    except BaseException as error:  # noqa: BLE001 - handed on to the caller, on the loop
        return None, told_to_caller(error, path)
    finally:
        if connection.in_transaction:
            connection.rollback()


def fetched(value: T) -> T:
    """``value``, unless it is a cursor, whose snapshot would outlive its transaction."""
    if isinstance(value, sqlite3.Cursor):
        raise TypeError("a transaction function must fetch its rows and return them, not a cursor")
    return value


def told_to_caller(error: BaseException, path: Path) -> BaseException:
    """What the caller of a function gets when it raised ``error``: sqlite3's errors mapped, all others as they are."""
    # a cursor in a frame would keep its statement open, and be ended in another thread
    traceback.clear_frames(error.__traceback__)
    if isinstance(error, sqlite3.Error):
        return storage_error(error, path)
    if isinstance(error, StopIteration | asyncio.CancelledError):  # a future can hand on neither of them
        fault = RuntimeError(f"a transaction function raised {type(error).__name__}")
        fault.__cause__ = error
        return fault
    return error


def storage_error(error: BaseException, path: Path) -> StorageError:
    """A new DiskFull or DatabaseFault for ``error``, which becomes its cause. sqlite3's text names tables and columns,
    never values.
    """
    code = getattr(error, "sqlite_errorcode", 0)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    told: StorageError
    if isinstance(error, StorageError):
        told = type(error)(str(error), **error.facts)
    elif code == sqlite3.SQLITE_FULL or (code & 0xFF == sqlite3.SQLITE_IOERR and _no_room(path)):
        told = DiskFull(f"no room is left for {path}", sqlite=name)
    elif isinstance(error, OSError):
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        told = DiskFull(f"no room is left for {path}") if full else DatabaseFault(f"{path}: {error.strerror or error}")
    else:
        told = DatabaseFault(f"{name}: {error}", sqlite=name)
    told.__cause__ = error
    return told


def _no_room(path: Path) -> bool:
    """SQLite says SQLITE_FULL for a failed write, but SQLITE_IOERR_… where it cannot sync or lengthen the shared
    memory.
    """
    room = os.statvfs(path.parent)
    return room.f_bavail * room.f_frsize < 1 << 20
