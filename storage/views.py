"""Read side: a job with everything that its card needs, lists for the history, and figures learnt from past attempts."""

from __future__ import annotations

import sqlite3
import statistics
from dataclasses import dataclass

from core.errors import NotFound
from core.jobs import MOST_VARIATIONS, Clip, Job, sibling_key
from core.money import Allowance, Scope
from core.states import JobState
from core.steps import DefaultLimits
from storage.intake import LIVE_JOBS
from storage.people import settings_of
from storage.quota import allowances
from storage.rows import clip_of, job_of

TOP = "parent_id IS NULL AND kind IN ('clip', 'film', 'merge')"
"""What a person ordered as such: the scenes of a film are seen in it, and scripts and pictures are no clips."""
RECENT = 20
"""Attempts from which the usual time is learnt."""


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job with its clip, star and place in the line, read at one moment."""

    job: Job
    clip: Clip | None
    favourite: bool
    queue_position: int | None
    has_source: bool
    delivery: str | None = None
    """State of the newest delivery."""
    own_ahead: int = 0
    """Of a job in the line: the person's jobs that run already or come before it, for which they have so many places."""


def row_of(connection: sqlite3.Connection, row: sqlite3.Row) -> JobRow:
    """Join a row of ``jobs`` with what stands elsewhere."""
    job = job_of(row)
    clip, favourite, position, own_ahead = None, False, None, 0
    if job.clip_id is not None:
        found = connection.execute("SELECT * FROM clips WHERE id = ? AND deleted_at IS NULL", (job.clip_id,)).fetchone()
        clip = None if found is None else clip_of(found)
        favourite = (
            connection.execute(
                "SELECT 1 FROM favourites WHERE account_id = ? AND clip_id = ?", (job.account_id, job.clip_id)
            ).fetchone()
            is not None
        )
    if job.state is JobState.QUEUED:
        position = (
            1
            + connection.execute(
                "SELECT COUNT(*) FROM jobs WHERE state = 'queued' AND provider = ?"
                " AND (vt, rowid) < (?, (SELECT rowid FROM jobs WHERE id = ?))",
                (job.applied.provider, row["vt"], job.id),
            ).fetchone()[0]
        )
        own_ahead = connection.execute(
            "SELECT COUNT(*) FROM jobs WHERE account_id = ? AND (state IN ('submitting', 'generating', 'storing')"
            " OR (state = 'queued' AND (vt, rowid) < (?, (SELECT rowid FROM jobs WHERE id = ?))))"
            f" AND {LIVE_JOBS}",
            (job.account_id, row["vt"], job.id),
        ).fetchone()[0]
    delivery = connection.execute(
        "SELECT state FROM deliveries WHERE job_id = ? AND kind = 'clip' ORDER BY id DESC LIMIT 1", (job.id,)
    ).fetchone()
    state = None if delivery is None else str(delivery["state"])
    return JobRow(job, clip, favourite, position, bool(job.applied.pictures), state, own_ahead)


def one(connection: sqlite3.Connection, job_id: str, account_id: str | None = None) -> JobRow:
    """Return a job, of ``account_id`` only when given. Raises NotFound; a deleted or foreign job is not found."""
    row = connection.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if row is None or (account_id is not None and (row["account_id"] != account_id or row["hidden"])):
        raise NotFound("no such job")
    return row_of(connection, row)


def history(
    connection: sqlite3.Connection,
    account_id: str,
    *,
    limit: int,
    before: str | None = None,
    session_id: str | None = None,
    only: str | None = None,
    changed_after: int | None = None,
    live: bool = False,
) -> list[JobRow]:
    """Return the account's jobs, newest first. ``before``: a job id; ``only``: favourites, with_image, completed or films."""
    table, where, values = "jobs", ["account_id = ?", "hidden = 0", TOP], [account_id]
    filters: dict[str | None, str] = {
        "favourites": "clip_id IN (SELECT clip_id FROM favourites WHERE account_id = jobs.account_id)",
        "with_image": "(json_extract(applied, '$.picture') IS NOT NULL OR json_extract(applied, '$.last_picture') IS NOT NULL"
        " OR json_array_length(applied, '$.references') > 0)",
        "completed": "clip_id IS NOT NULL",
        "films": "kind IN ('film', 'merge')",
    }
    if only in filters:
        where.append(filters[only])
    if live:  # by name: of two indexes SQLite would take the one in the right order, which holds the whole history
        table = "jobs INDEXED BY jobs_live"
        where.append(LIVE_JOBS)
    for clause, value in (("id < ?", before), ("session_id = ?", session_id), ("updated_at > ?", changed_after)):
        if value is not None:
            where.append(clause)
            values.append(value)  # type: ignore[arg-type]
    rows = connection.execute(
        f"SELECT * FROM {table} WHERE {' AND '.join(where)} ORDER BY created_at DESC, id DESC LIMIT ?",
        (*values, limit),
    ).fetchall()
    return [row_of(connection, row) for row in rows]


def variations(connection: sqlite3.Connection, job_id: str) -> list[str]:
    """Return the ids of a job and of the further clips that were ordered with it, as far as they are not deleted."""
    first = connection.execute("SELECT identity_id, dedupe_key FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if first is None:
        return []
    keys = [sibling_key(first["dedupe_key"], number) for number in range(1, MOST_VARIATIONS)]
    rows = connection.execute(
        f"SELECT id FROM jobs WHERE identity_id = ? AND dedupe_key IN ({', '.join('?' * len(keys))}) AND hidden = 0 ORDER BY rowid",
        (first["identity_id"], *keys),
    ).fetchall()
    return [job_id, *(row["id"] for row in rows)]


def gone_since(connection: sqlite3.Connection, account_id: str, after: int, most: int) -> list[str]:
    """Return the ids of jobs that were taken out of the history after ``after``."""
    rows = connection.execute(
        "SELECT id FROM jobs WHERE account_id = ? AND updated_at > ? AND hidden = 1 LIMIT ?", (account_id, after, most)
    ).fetchall()
    return [row["id"] for row in rows]


def usual_seconds(
    connection: sqlite3.Connection, provider: str, model: str, seconds: int, resolution: str
) -> float | None:
    """Return the median time of this generator's recent attempts, of the same length and size where known; None when never seen."""
    for clause, values in (("AND seconds = ? AND resolution = ?", (seconds, resolution)), ("", ())):
        rows = connection.execute(
            "SELECT ended_at - intent_at AS took FROM attempts WHERE state = 'won' AND provider = ? AND model = ?"
            f" {clause} ORDER BY ended_at DESC LIMIT ?",
            (provider, model, *values, RECENT),
        ).fetchall()
        if rows:
            return float(statistics.median(row["took"] for row in rows)) / 1000
    return None


@dataclass(frozen=True, slots=True)
class AccountView:
    """What ``/api/me`` and ``/quota`` show of one account."""

    account_id: str
    allowances: list[Allowance]
    granted: int
    running: int
    waiting: int
    settings: dict[str, object]
    blocked: bool


def account(
    connection: sqlite3.Connection, account_id: str, subject: str, defaults: DefaultLimits, now: int
) -> AccountView:
    """Return an account's own allowances (under ``subject``), grants and counts. Raises NotFound."""
    row = connection.execute("SELECT granted, blocked_at FROM accounts WHERE id = ?", (account_id,)).fetchone()
    if row is None:
        raise NotFound("no such account")
    states = {
        r["state"]: r["n"]
        for r in connection.execute(
            "SELECT state, COUNT(*) AS n FROM jobs WHERE account_id = ?"
            f" AND {LIVE_JOBS} AND parent_id IS NULL GROUP BY state",
            (account_id,),
        ).fetchall()
    }
    waiting = states.get("preparing", 0) + states.get("queued", 0)
    return AccountView(
        account_id=account_id,
        allowances=allowances(connection, [(Scope.PERSON, subject)], defaults, now),
        granted=row["granted"],
        running=sum(
            states.get(name, 0) for name in ("submitting", "generating", "storing", "unclear", "making", "merging")
        ),
        waiting=waiting,
        settings=settings_of(connection, account_id),
        blocked=row["blocked_at"] is not None,
    )
