"""The schema's history: numbered ``.sql`` files, applied under ``PRAGMA user_version``.

``0001_first.sql``, ``0002_more.sql`` … without gaps. Each file and its number are committed together, so a crash leaves
the schema before or after a file, never between. Before an existing database is changed, a copy of it is kept beside it
(``NAME.before``, 0600, the newest only), because there is no way back otherwise.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from core.errors import DatabaseFault, SchemaFromTheFuture
from storage import upkeep

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_NOT_HERE = re.compile(r"(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|VACUUM|ATTACH|DETACH|PRAGMA)\b", re.IGNORECASE)


class Migration(NamedTuple):
    """One file: its number and its statements."""

    number: int
    path: Path


def migrations_in(folder: Path) -> list[Migration]:
    """The numbered files of ``folder`` in order. Raises DatabaseFault for a gap, a number twice, a wrong name, or none
    at all.
    """
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise DatabaseFault(f"migration {path.name!r} must be named like 0001_what_it_adds.sql")
        found.append(Migration(int(match[1]), path))
    if not found:
        raise DatabaseFault(f"there are no migrations in {folder}")
    for expected, migration in enumerate(found, start=1):
        if migration.number != expected:
            word = "is there twice" if migration.number < expected else "follows a gap"
            raise DatabaseFault(f"migration {migration.path.name!r} {word}: expected number {expected:04d}")
    return found


def statements(script: str) -> Iterator[str]:
    """The statements of ``script``, one by one; a trigger's body stays whole. Raises DatabaseFault for an unfinished
    last one.
    """
    pending = ""
    for piece in re.split(r"(?<=;)", script):
        pending += piece
        if sqlite3.complete_statement(pending):
            statement, pending = pending.strip(), ""
            if word := _NOT_HERE.match(_without_comments(statement).strip()):
                raise DatabaseFault(
                    f"a migration must not contain {word[1].upper()}: each file is one transaction already"
                )
            yield statement
    if _without_comments(pending).strip():
        raise DatabaseFault(f"a migration ends in the middle of a statement: {pending.strip()[:60]!r}")


def _without_comments(sql: str) -> str:
    return re.sub(r"--[^\n]*|/\*.*?\*/", "", sql, flags=re.DOTALL)


def copy_path(path: Path) -> Path:
    """Where the copy from before the newest migration is kept."""
    return path.with_name(path.name + ".before")


def version_of(connection: sqlite3.Connection) -> int:
    """The number of the newest migration in it; 0 for an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, path: Path, folder: Path) -> int:
    """Bring the database up to date and return its version. ``connection`` is the only one open, in autocommit.

    Raises SchemaFromTheFuture for a database of a newer Reelay, DatabaseFault for faulty migrations; sqlite3's own
    errors pass.
    """
    known = migrations_in(folder)
    version, newest = version_of(connection), known[-1].number
    if version > newest:
        raise SchemaFromTheFuture(
            f"{path} has schema {version}, but this Reelay knows only up to {newest}. "
            f"Start the newer Reelay again, or restore a backup made by this one.",
            found=version,
            known=newest,
        )
    if version and version < newest:
        upkeep.copy(connection, copy_path(path))
    for migration in known[version:]:
        _apply(connection, migration)
    return newest


def _apply(connection: sqlite3.Connection, migration: Migration) -> None:
    """One file and its number in one transaction, with references checked at the end (a rebuilt table loses them for a
    moment).
    """
    wanted = list(statements(migration.path.read_text(encoding="utf-8")))
    connection.execute("PRAGMA foreign_keys=OFF")
    try:
        connection.execute("BEGIN IMMEDIATE")
        for statement in wanted:
            connection.execute(statement).fetchall()
        if broken := connection.execute("PRAGMA foreign_key_check").fetchone():
            raise DatabaseFault(
                f"migration {migration.path.name} would leave a row of {broken[0]} without its row of {broken[2]}"
            )
        connection.execute(f"PRAGMA user_version={migration.number}")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        error.add_note(f"in migration {migration.path.name}")
        raise
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("PRAGMA foreign_keys=ON")
