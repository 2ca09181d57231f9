"""Clips that a platform keeps for us, by its handle for each (``platform_files``). Every function runs inside somebody's transaction."""

from __future__ import annotations

import sqlite3
from typing import Final

from storage.views import JobRow, row_of

SEARCHED: Final = 5_000
"""Clips of one person, the newest, in which words are looked for: a search runs with every key that somebody presses."""


def remember(
    connection: sqlite3.Connection, platform: str, owner: str, clip_id: str, variant: str, file_id: str
) -> None:
    """Keep the handle under which ``owner``, a bot of ours, can send the clip again; nothing of one that was erased meanwhile."""
    connection.execute(
        "INSERT INTO platform_files (platform, owner, clip_id, variant, file_id)"
        " SELECT ?, ?, id, ?, ? FROM clips WHERE id = ? AND deleted_at IS NULL"
        " ON CONFLICT (platform, owner, clip_id, variant) DO UPDATE SET file_id = excluded.file_id",
        (platform, owner, variant, file_id, clip_id),
    )


def known(connection: sqlite3.Connection, platform: str, owner: str, clip_id: str, variant: str) -> str | None:
    """Return that handle, or None."""
    row = connection.execute(
        "SELECT file_id FROM platform_files WHERE platform = ? AND owner = ? AND clip_id = ? AND variant = ?",
        (platform, owner, clip_id, variant),
    ).fetchone()
    return None if row is None else str(row["file_id"])


def forget(connection: sqlite3.Connection, platform: str, owner: str, clip_id: str, variant: str) -> None:
    """The platform does not know that handle any more."""
    connection.execute(
        "DELETE FROM platform_files WHERE platform = ? AND owner = ? AND clip_id = ? AND variant = ?",
        (platform, owner, clip_id, variant),
    )


def shared(
    connection: sqlite3.Connection,
    platform: str,
    owner: str,
    account_id: str,
    *,
    words: str,
    most: int,
    before: str | None,
) -> list[tuple[JobRow, str]]:
    """Return the account's own clips that ``owner`` can send without a file, each with its handle (the original's before the smaller
    one's), newest first.

    ``words``: all of them are in the prompt, in whatever case; looked for in the :data:`SEARCHED` newest. ``before``: a job's id.
    """
    wanted = words.casefold().split()
    found = connection.execute(
        "SELECT j.id, json_extract(j.wanted, '$.prompt') AS prompt, COALESCE(o.file_id, s.file_id) AS file_id FROM jobs AS j"
        " LEFT JOIN platform_files AS o ON (o.platform, o.owner, o.clip_id, o.variant) = (?1, ?2, j.clip_id, 'original')"
        " LEFT JOIN platform_files AS s ON (s.platform, s.owner, s.clip_id, s.variant) = (?1, ?2, j.clip_id, 'smaller')"
        " WHERE j.account_id = ?3 AND j.hidden = 0 AND j.clip_id IS NOT NULL AND COALESCE(o.file_id, s.file_id) IS NOT NULL"
        " AND (?4 IS NULL OR j.id < ?4) ORDER BY j.created_at DESC, j.id DESC LIMIT ?5",
        (platform, owner, account_id, before, SEARCHED if wanted else most),
    ).fetchall()
    fits = [row for row in found if all(word in (row["prompt"] or "").casefold() for word in wanted)]
    return [(_job(connection, row["id"]), str(row["file_id"])) for row in fits[:most]]


def _job(connection: sqlite3.Connection, job_id: str) -> JobRow:
    return row_of(connection, connection.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone())
