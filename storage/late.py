"""Attempts that are watched on although their job was given up, in SQL: a clip that still comes is kept, and joined to its job.

The watch is three columns of the attempt's row. A job that has ended is never due again; its attempt may be.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import NotFound
from core.jobs import Attempt, Clip, Job
from core.states import JobState
from storage.intake import LIVE_JOBS
from storage.messages import reopen_cards
from storage.rows import attempt_of, dump, insert_clip, job_of

AT_ONCE = 8
"""Late attempts looked at in one tick: whoever still waits for a clip comes first."""


@dataclass(frozen=True, slots=True)
class Watch:
    """An attempt that is watched until ``until`` (UTC ms). ``tries``: how often its clip could not be kept."""

    attempt: Attempt
    until: int
    tries: int


def watch(connection: sqlite3.Connection, attempt_id: str) -> Watch | None:
    """Return the watch over an attempt, or None when it is not watched."""
    row = connection.execute("SELECT * FROM attempts WHERE id = ? AND watch_at IS NOT NULL", (attempt_id,)).fetchone()
    return None if row is None else Watch(attempt_of(row), row["watch_until"], row["watch_tries"])


def attempts_in_use(connection: sqlite3.Connection) -> set[str]:
    """Return the attempts whose result somebody may still fetch: of live jobs, and those that are watched."""
    rows = connection.execute(
        f"SELECT attempt_id AS id FROM jobs WHERE {LIVE_JOBS} AND attempt_id IS NOT NULL"
        " UNION SELECT id FROM attempts WHERE watch_at IS NOT NULL"
    ).fetchall()
    return {row["id"] for row in rows}


def due(connection: sqlite3.Connection, now: int, without: Collection[str]) -> list[tuple[str, str]]:
    """Return (job, provider) of watched attempts to look at now, oldest first, leaving out the generators of ``without``."""
    marks = ", ".join("?" * len(without))
    rows = connection.execute(
        f"SELECT job_id, provider FROM attempts WHERE watch_at <= ? AND provider NOT IN ({marks}) ORDER BY watch_at LIMIT ?",
        (now, *without, AT_ONCE),
    ).fetchall()
    return [(row["job_id"], row["provider"]) for row in rows]


def next_look(connection: sqlite3.Connection, now: int) -> int | None:
    """Return when the next watched attempt is due after ``now``."""
    at = connection.execute("SELECT MIN(watch_at) AS at FROM attempts WHERE watch_at > ?", (now,)).fetchone()["at"]
    return None if at is None else int(at)


def look_later(connection: sqlite3.Connection, attempt_id: str, at: int, tries: int) -> None:
    """Look again at ``at``, if it is still watched."""
    connection.execute(
        "UPDATE attempts SET watch_at = ?, watch_tries = ? WHERE id = ? AND watch_at IS NOT NULL",
        (at, tries, attempt_id),
    )


def found(connection: sqlite3.Connection, attempt_id: str, ticket: Mapping[str, Any], now: int) -> None:
    """Keep the ticket of a watched attempt whose submit's answer had been lost."""
    connection.execute(
        "UPDATE attempts SET ticket = ?, ticket_at = ? WHERE id = ? AND watch_at IS NOT NULL",
        (dump(dict(ticket)), now, attempt_id),
    )


def end(connection: sqlite3.Connection, attempt_id: str) -> None:
    """Watch no longer."""
    connection.execute("UPDATE attempts SET watch_at = NULL, watch_until = NULL WHERE id = ?", (attempt_id,))


def join(connection: sqlite3.Connection, attempt_id: str, clip: Clip, true_cost: int, now: int) -> Job:
    """Keep a late clip: its row, its job's ``clip_id`` and what it cost the operator. The job's end and its money stay as they are.

    Its cards are opened for one more edit, unless the person had stopped waiting. Raises NotFound when nobody wants it any more: the
    job was deleted, or its person forgotten.
    """
    row = connection.execute(
        "SELECT j.* FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id AND j.attempt_id = a.id"
        " WHERE a.id = ? AND a.watch_at IS NOT NULL AND j.state = ? AND j.hidden = 0 AND j.clip_id IS NULL",
        (attempt_id, JobState.FAILED.value),
    ).fetchone()
    if row is None:
        raise NotFound("nobody waits for this clip any more")
    insert_clip(connection, clip)
    connection.execute(
        "UPDATE jobs SET clip_id = ?, true_cost = ?, version = version + 1, updated_at = ? WHERE id = ?",
        (clip.id, true_cost, now, row["id"]),
    )
    end(connection, attempt_id)
    connection.execute(
        "INSERT INTO events (job_id, seq, at, hop) SELECT ?, COALESCE(MAX(seq), 0) + 1, ?, 'came late' FROM events WHERE job_id = ?",
        (row["id"], now, row["id"]),
    )
    if row["cancel_wish"] != "stop_waiting":
        reopen_cards(connection, row["id"])
    return job_of(connection.execute("SELECT * FROM jobs WHERE id = ?", (row["id"],)).fetchone())
