"""Databases that lie on the disk and that no process of ours has open: what they are, and whether they are whole.

Only for a file that this process does not have open: opening and closing it by hand drops SQLite's locks on it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from storage import library, operating
from storage.lane import connect_reader, connect_writer, storage_error
from storage.migrate import migrations_in, version_of
from storage.upkeep import faults


@dataclass(frozen=True, slots=True)
class Look:
    """What a database file says. ``faults`` is empty when all is well; ``wal_bytes`` is what is not yet copied back."""

    schema: int
    newest_schema: int
    faults: tuple[str, ...]
    journal: str
    bytes: int
    wal_bytes: int
    sqlite: str
    keys: frozenset[str] | None
    """Names of the clip store's files that its rows speak of; None when its schema is too old to tell."""


def look(path: Path, migrations: Path, *, alone: bool = False) -> Look:
    """Read all of a database and change nothing; blocks. Raises DatabaseFault, DiskFull.

    ``alone``: it is a copy that nobody writes, so nothing is put beside it either.
    """
    newest = migrations_in(migrations)[-1].number
    wal = path.with_name(path.name + "-wal")
    try:
        with contextlib.closing(_unshared(path) if alone else connect_reader(path)) as connection:
            schema = version_of(connection)
            try:
                keys = frozenset(library.keys_in_use(connection))
            except sqlite3.OperationalError:
                keys = None
            return Look(
                schema=schema,
                newest_schema=newest,
                faults=tuple(faults(connection)),
                journal=str(connection.execute("PRAGMA journal_mode").fetchone()[0]),
                bytes=path.stat().st_size,
                wal_bytes=wal.stat().st_size if wal.exists() else 0,
                sqlite=sqlite3.sqlite_version,
                keys=keys,
            )
    except (sqlite3.Error, OSError) as error:
        raise storage_error(error, path) from error


def adopt(
    path: Path, *, unpaid: list[str], reason: str, actor: str, details: dict[str, object], now: int
) -> dict[str, int]:
    """Prepare a restored copy before it is put in place; returns waiting jobs per paused generator. Blocks.

    Raises DatabaseFault, DiskFull.
    """

    def work(connection: sqlite3.Connection) -> dict[str, int]:
        waiting = operating.waiting_elsewhere(connection, unpaid, reason, now)
        operating.note_restore(connection, actor, {**details, "paused": waiting}, now)
        return waiting

    return _change(path, work)


def fold(path: Path) -> None:
    """Copy the write-ahead log back into the file, so that the file alone is the whole database. Blocks.

    The caller holds the instance lock. Raises DatabaseFault, DiskFull.
    """
    _change(path, lambda _: {})


def _change(path: Path, work: Callable[[sqlite3.Connection], dict[str, int]]) -> dict[str, int]:
    try:
        with contextlib.closing(connect_writer(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            found = work(connection)
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return found
    except (sqlite3.Error, OSError) as error:
        raise storage_error(error, path) from error


def _unshared(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection
