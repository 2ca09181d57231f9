"""Stored files in SQL: clips, favourites, retention and deletion. Rows are erased here, the files by the caller afterwards."""

from __future__ import annotations

import sqlite3

from core.attachments import Attachment
from core.errors import NotFound
from core.jobs import Clip
from storage.intake import LIVE_JOBS
from storage.jobs import finish_attempt_lost
from storage.rows import clip_of, insert_clip, load

__all__ = ["clip", "delete_job", "expired", "insert_clip", "keys_in_use", "own_clip", "set_favourite"]

ALONE = ("$.picture", "$.last_picture", "$.extends")
"""Where the applied values of a job name a file; ``$.references`` names several."""
FILES_OF_LIVE_JOBS = (
    "".join(
        f"SELECT json_extract(applied, '{path}') FROM jobs WHERE {LIVE_JOBS} AND json_extract(applied, '{path}') IS NOT NULL UNION ALL "
        for path in ALONE
    )
    + f"SELECT json_each.value FROM jobs, json_each(jobs.applied, '$.references') WHERE {LIVE_JOBS}"
    + "".join(
        f" UNION ALL SELECT json_extract(plan, '{path}') FROM jobs JOIN films ON job_id = id WHERE {LIVE_JOBS}"
        f" AND json_extract(plan, '{path}') IS NOT NULL"
        for path in ("$.picture_key", "$.song_key")
    )
)
TOOK_IT_ALONG = (
    "j.account_id = clips.account_id AND j.hidden = 0 AND j.id <> clips.job_id"
    " AND (clips.key IN (json_extract(j.applied, '$.picture'), json_extract(j.applied, '$.last_picture'))"
    " OR EXISTS (SELECT 1 FROM json_each(j.applied, '$.references') WHERE value = clips.key))"
)
"""Of a job ``j``: Again or Remix gave it a picture of another one's."""
WITHOUT_WORDS = (
    "applied = json_set(applied, '$.prompt', '', '$.line', '', '$.negative_prompt', '',"
    " '$.picture', NULL, '$.last_picture', NULL, '$.extends', NULL, '$.references', json('[]'))"
)


def clip(connection: sqlite3.Connection, clip_id: str) -> Clip:
    """Return a clip that is still kept. Raises NotFound."""
    row = connection.execute("SELECT * FROM clips WHERE id = ? AND deleted_at IS NULL", (clip_id,)).fetchone()
    if row is None:
        raise NotFound("no such clip", message_id="error.clip_gone")
    return clip_of(row)


def own_clip(connection: sqlite3.Connection, clip_id: str, account_id: str) -> Clip:
    """Return the account's own clip; somebody else's is NotFound."""
    found = clip(connection, clip_id)
    if found.account_id != account_id or found.kind.value != "clip":
        raise NotFound("no such clip", message_id="error.clip_gone")
    return found


def set_favourite(connection: sqlite3.Connection, account_id: str, clip_id: str, *, on: bool, now: int) -> None:
    """Mark or unmark; a favourite is never removed by retention."""
    own_clip(connection, clip_id, account_id)
    if on:
        connection.execute(
            "INSERT OR IGNORE INTO favourites (account_id, clip_id, at) VALUES (?, ?, ?)", (account_id, clip_id, now)
        )
    else:
        connection.execute("DELETE FROM favourites WHERE account_id = ? AND clip_id = ?", (account_id, clip_id))


def expired(connection: sqlite3.Connection, before: int, most: int) -> list[str]:
    """Forget files made before ``before`` that nobody starred and no live job or unsent delivery needs; returns their keys.

    The clip of a job takes its poster and the job's source pictures along.
    """
    rows = connection.execute(
        "SELECT id, key, poster_key FROM clips AS c WHERE created_at < ?1 AND deleted_at IS NULL"
        f" AND key NOT IN ({FILES_OF_LIVE_JOBS})"
        " AND NOT EXISTS (SELECT 1 FROM favourites WHERE clip_id = c.id)"
        " AND NOT EXISTS (SELECT 1 FROM favourites AS f JOIN jobs AS j ON j.clip_id = f.clip_id WHERE j.id = c.job_id)"
        " AND NOT EXISTS (SELECT 1 FROM jobs AS j LEFT JOIN jobs AS f ON f.id = j.parent_id WHERE j.id = c.job_id"
        " AND (j.state NOT IN ('done', 'failed', 'cancelled') OR f.state NOT IN ('done', 'failed', 'cancelled')))"
        " AND NOT EXISTS (SELECT 1 FROM characters WHERE clip_id = c.id AND used_at >= ?1)"
        " AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.job_id = c.job_id AND d.state IN ('pending', 'sending'))"
        " ORDER BY created_at LIMIT ?2",
        (before, most),
    ).fetchall()
    return _erase_rows(connection, rows)


def _erase_rows(connection: sqlite3.Connection, rows: list[sqlite3.Row]) -> list[str]:
    keys: list[str] = []
    for row in rows:
        keys += [key for key in (row["key"], row["poster_key"]) if key]
        connection.execute("DELETE FROM favourites WHERE clip_id = ?", (row["id"],))
        connection.execute("DELETE FROM clips WHERE id = ?", (row["id"],))
    return keys


def delete_job(connection: sqlite3.Connection, job_id: str, now: int) -> list[str]:
    """Take an ended job out of the history: words, pictures, clip and trail are erased, money stays. Returns the keys of its files.

    Its command needs nothing: it lost its words when it became the job (``intake.accept``).
    """
    keys = []
    for child in connection.execute("SELECT id FROM jobs WHERE parent_id = ? AND hidden = 0", (job_id,)).fetchall():
        keys += delete_job(connection, child["id"], now)
    connection.execute("DELETE FROM films WHERE job_id = ?", (job_id,))
    _hand_pictures_on(connection, job_id)
    connection.execute(  # a character's picture stays with the character
        "UPDATE clips SET job_id = NULL WHERE job_id = ? AND EXISTS (SELECT 1 FROM characters WHERE clip_id = clips.id)",
        (job_id,),
    )
    rows = connection.execute("SELECT id, key, poster_key FROM clips WHERE job_id = ?", (job_id,)).fetchall()
    keys += _erase_rows(connection, rows)
    finish_attempt_lost(connection, job_id, now)
    connection.execute(
        f"UPDATE attempts SET {WITHOUT_WORDS}, ticket = NULL, watch_at = NULL, watch_until = NULL WHERE job_id = ?",
        (job_id,),
    )
    connection.execute("DELETE FROM cards WHERE job_id = ?", (job_id,))
    connection.execute("DELETE FROM deliveries WHERE job_id = ?", (job_id,))
    connection.execute("DELETE FROM events WHERE job_id = ?", (job_id,))
    connection.execute(
        "UPDATE jobs SET hidden = 1, wanted = '{}', place = json_remove(place, '$.details.picture_url'),"
        f" {WITHOUT_WORDS},"
        " changed = '[]', attachment = NULL, failure = NULL, session_id = NULL, note = NULL, clip_id = NULL, updated_at = ?,"
        " version = version + 1 WHERE id = ?",
        (now, job_id),
    )
    return keys


def _hand_pictures_on(connection: sqlite3.Connection, job_id: str) -> None:
    """A picture that Again or Remix took along belongs to the newest of those jobs from now on."""
    connection.execute(
        f"UPDATE clips SET job_id = (SELECT j.id FROM jobs AS j WHERE {TOOK_IT_ALONG} ORDER BY j.created_at DESC LIMIT 1)"
        f" WHERE job_id = ? AND kind = 'source' AND EXISTS (SELECT 1 FROM jobs AS j WHERE {TOOK_IT_ALONG})",
        (job_id,),
    )


def expired_jobs(connection: sqlite3.Connection, before: int, most: int, now: int) -> tuple[int, list[str]]:
    """Erase the words of jobs that ended before ``before`` and whose clip nobody starred; returns (jobs, keys of files left with them)."""
    rows = connection.execute(
        "SELECT id FROM jobs WHERE hidden = 0 AND finished_at < ? AND parent_id IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM favourites WHERE clip_id = jobs.clip_id)"
        " AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.job_id = jobs.id AND d.state IN ('pending', 'sending'))"
        " ORDER BY finished_at LIMIT ?",
        (before, most),
    ).fetchall()
    return len(rows), [key for row in rows for key in delete_job(connection, row["id"], now)]


def keys_in_use(connection: sqlite3.Connection) -> set[str]:
    """Return the key of every file that a row speaks of."""
    rows = connection.execute(
        "SELECT key FROM clips UNION SELECT poster_key FROM clips WHERE poster_key IS NOT NULL"
    ).fetchall()
    waiting = connection.execute(
        f"SELECT attachment FROM jobs WHERE {LIVE_JOBS} AND state = 'preparing' AND attachment IS NOT NULL"
        " UNION ALL SELECT json_extract(payload, '$.attachment') FROM inbox WHERE state = 'pending'"
        " UNION ALL SELECT json_extract(payload, '$.song') FROM inbox WHERE state = 'pending'"
        f" UNION ALL SELECT json_extract(plan, '$.picture') FROM jobs JOIN films ON job_id = id WHERE {LIVE_JOBS}"
        f" UNION ALL SELECT json_extract(plan, '$.song') FROM jobs JOIN films ON job_id = id WHERE {LIVE_JOBS}"
    ).fetchall()
    return {row["key"] for row in rows} | {key for row in waiting for key in uploads(row["attachment"])}


def uploads(attachment: str | None) -> tuple[str, ...]:
    """Keys of the pictures of a stored attachment that lie here as they came."""
    return () if attachment is None else Attachment.from_json(load(attachment)).uploads
