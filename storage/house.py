"""What the operator sees and steers: pauses, alerts, the audit trail, figures, and the tidying of old rows."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any, Final

from core.ids import first_job_id
from storage.intake import LIVE_JOBS, RAW
from storage.rows import dump

RESTORED: Final = "restored from a backup: these jobs waited then and may have been submitted since"
"""Reason of the pauses that a restore makes. Jobs under one go to no other generator either."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A stopped generator, or with provider ``*`` a stopped intake. ``until`` None: until somebody resumes it."""

    provider: str
    until: int | None
    reason: str
    since: int


def pause(connection: sqlite3.Connection, provider: str, until: int | None, reason: str, now: int) -> None:
    """Pause a generator (or ``*``); a pause without end is not shortened by one with an end.

    It also keeps its reason, but for ``RESTORED``, which wins over every other: it says what may not be done with the waiting jobs.
    """
    connection.execute(
        "INSERT INTO pauses (provider, until, reason, since) VALUES (?, ?, ?, ?) ON CONFLICT (provider) DO UPDATE"
        " SET until = CASE WHEN pauses.until IS NULL OR excluded.until IS NULL THEN NULL ELSE MAX(pauses.until, excluded.until) END,"
        " reason = CASE WHEN pauses.until IS NULL AND excluded.reason <> ? THEN pauses.reason ELSE excluded.reason END,"
        " since = CASE WHEN pauses.until <= excluded.since THEN excluded.since ELSE pauses.since END",
        (provider, until, reason, now, RESTORED),
    )


def resume(connection: sqlite3.Connection, provider: str) -> bool:
    """End a pause; returns whether there was one."""
    return connection.execute("DELETE FROM pauses WHERE provider = ?", (provider,)).rowcount > 0


def pauses(connection: sqlite3.Connection, now: int) -> list[Pause]:
    """Return the pauses that hold now."""
    rows = connection.execute(
        "SELECT * FROM pauses WHERE until IS NULL OR until > ? ORDER BY provider", (now,)
    ).fetchall()
    return [Pause(row["provider"], row["until"], row["reason"], row["since"]) for row in rows]


def raise_alert(connection: sqlite3.Connection, cause: str, text: str, now: int) -> bool:
    """Record an alert; True only the first time, so that an operator is told once per cause."""
    return (
        connection.execute(
            "INSERT INTO alerts (cause, since, text) VALUES (?, ?, ?) ON CONFLICT (cause) DO NOTHING",
            (cause, now, text),
        ).rowcount
        > 0
    )


def clear_alert(connection: sqlite3.Connection, cause: str) -> bool:
    """The cause is gone; returns whether it had been raised."""
    return connection.execute("DELETE FROM alerts WHERE cause = ?", (cause,)).rowcount > 0


def alerts(connection: sqlite3.Connection) -> list[tuple[str, int, str]]:
    """Return (cause, since, text) of what is wrong now."""
    return [
        (r["cause"], r["since"], r["text"])
        for r in connection.execute("SELECT cause, since, text FROM alerts ORDER BY since").fetchall()
    ]


def audit(connection: sqlite3.Connection, actor: str, verb: str, details: dict[str, Any], now: int) -> None:
    """Write down what an operator did."""
    connection.execute(
        "INSERT INTO audit (at, actor, verb, details) VALUES (?, ?, ?, ?)", (now, actor, verb, dump(details))
    )


def counts(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """Return live jobs by (state, provider), and open deliveries and inbox rows, for the metrics."""
    jobs = connection.execute(
        f"SELECT state, provider, COUNT(*) AS n FROM jobs WHERE {LIVE_JOBS} GROUP BY state, provider"
    ).fetchall()
    deliveries = connection.execute(
        "SELECT state, COUNT(*) AS n FROM deliveries WHERE due_at IS NOT NULL GROUP BY state"
    ).fetchall()
    waiting = connection.execute("SELECT COUNT(*) AS n FROM inbox WHERE state = 'pending'").fetchone()["n"]
    return {
        "jobs": {f"{row['state']} {row['provider']}": row["n"] for row in jobs},
        "deliveries": {row["state"]: row["n"] for row in deliveries},
        "inbox": {"pending": waiting},
    }


@dataclass(frozen=True, slots=True)
class Tidied:
    """What one round of :func:`tidy` removed, and where the next one goes on in the inbox; ``more``: whether it may find something."""

    removed: int
    inbox_id: int
    more: bool


def tidy(
    connection: sqlite3.Connection,
    *,
    inbox_before: int,
    events_before: int,
    tokens_before: int,
    most: int,
    after_inbox_id: int = 0,
) -> Tidied:
    """Remove old rows that nothing needs any more, at most ``most`` jobs or rows of each kind. No statement reads a whole table of jobs,
    commands or trails: they are walked from their old end, which the rounds before have emptied.
    """
    commands = connection.execute(
        f"SELECT id, state, received_at, {RAW} AS raw FROM inbox WHERE id > ? ORDER BY id LIMIT ?",
        (after_inbox_id, most),
    ).fetchall()
    old = [row for row in commands if row["received_at"] < inbox_before]
    removed = 0
    for row in old:
        if row["state"] != "pending" or row["raw"]:  # a raw update of a platform that was switched off
            removed += connection.execute("DELETE FROM inbox WHERE id = ?", (row["id"],)).rowcount
    walked = old[-1]["id"] if old else after_inbox_id
    more = len(old) == most
    for table, condition in (("events", "at < ?1"), ("cards", "closed = 1")):
        # The name of a job sorts by when it was ordered: whatever ended before, begins with an older one.
        jobs = connection.execute(
            f"SELECT DISTINCT t.job_id FROM {table} AS t CROSS JOIN jobs AS j ON j.id = t.job_id"
            f" WHERE t.job_id < ?2 AND {condition} AND j.finished_at < ?1 LIMIT ?3",
            (events_before, first_job_id(events_before), most),
        ).fetchall()
        for job in jobs:
            removed += connection.execute(
                f"DELETE FROM {table} WHERE job_id = ?2 AND {condition}", (events_before, job["job_id"])
            ).rowcount
        more = more or len(jobs) == most
    tokens = connection.execute(
        "DELETE FROM tokens WHERE hash IN (SELECT hash FROM tokens WHERE expires_at < ?1 OR (kind = 'signin' AND used_at < ?1) LIMIT ?2)",
        (tokens_before, most),
    ).rowcount
    return Tidied(removed + tokens, walked, more or tokens == most)
