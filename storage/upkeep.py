"""Slow work on a whole database, each piece in a thread and on a connection of its own: copies, and the check of its
pages.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from core.errors import DatabaseFault

_STEP_PAGES: Final = 256
_MOST_FAULTS: Final = 100


def copy(source: sqlite3.Connection, target: Path, *, go_on: Callable[[], bool] = lambda: True) -> None:
    """Write a whole copy of what ``source`` sees now to ``target`` (0600): temporary name, fsync, rename over.

    Works in steps of 1 MiB on one snapshot, so it never starts again and never holds up a writer; ``go_on`` is asked
    between them. Raises sqlite3's errors, OSError, and InterruptedError when ``go_on`` said no. Then nothing is left of
    it.
    """
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        _fill(source, partial, go_on)
        os.fsync(descriptor)
        partial.replace(target)
        sync_folder(target.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def _fill(source: sqlite3.Connection, partial: Path, go_on: Callable[[], bool]) -> None:
    def between(_status: int, _remaining: int, _total: int) -> None:
        if not go_on():
            raise InterruptedError("the copy was given up")

    own = not source.in_transaction
    if own:
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # takes the snapshot that all steps share
    try:
        with closing(sqlite3.connect(partial, isolation_level=None)) as target:
            target.execute("PRAGMA synchronous=OFF").fetchall()  # synced once, at the end
            target.execute("PRAGMA journal_mode=OFF").fetchall()
            source.backup(target, pages=_STEP_PAGES, progress=between, sleep=0)
    finally:
        if own and source.in_transaction:
            source.execute("ROLLBACK")


def faults(connection: sqlite3.Connection) -> list[str]:
    """What SQLite finds wrong in pages, indexes and references; empty when all is well. At most 100 of each."""
    found = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_MOST_FAULTS})").fetchall()]
    found = [] if found == ["ok"] else found
    broken = connection.execute("PRAGMA foreign_key_check").fetchmany(_MOST_FAULTS)
    return found + [f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there" for row in broken]


def sync_folder(folder: Path) -> None:
    """Make names that were created, renamed or removed in ``folder`` survive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refuse_existing(target: Path) -> None:
    """Raise DatabaseFault when ``target`` is there: a backup never overwrites one."""
    if os.path.lexists(target):
        raise DatabaseFault(f"{target} already exists: name a file that does not")
