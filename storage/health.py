"""The health of generators in SQL: what became of calls, how each stands now, and what an operator wants to know of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from core.health import WELL, Call, Health, Standing, State
from core.ids import first_job_id
from core.money import Period, window_start
from storage.house import RESTORED, Pause, pause, pauses
from storage.intake import LIVE_JOBS
from storage.rows import dump

DEFAULT_PROVIDER: Final = "default provider"
RECENT_ATTEMPTS: Final = 20
"""Attempts of a generator whose outcomes an operator is shown."""
LOOKED_THROUGH: Final = 2000
"""The newest attempts among which they are looked for."""
DAY_MS: Final = 86_400_000


def read(connection: sqlite3.Connection, provider: str) -> Health:
    """Return what is known of a generator; nothing bad of one that was never seen."""
    row = connection.execute("SELECT * FROM health WHERE provider = ?", (provider,)).fetchone()
    return Health() if row is None else _of(row)


def _of(row: sqlite3.Row) -> Health:
    return Health(
        troubles=Health.troubles_of(json.loads(row["troubles"])),
        opened_at=row["opened_at"],
        until=row["until"],
        rounds=row["rounds"],
        probe=row["probe"],
        limited_from=row["limited_from"],
        limited_until=row["limited_until"],
    )


def _write(connection: sqlite3.Connection, provider: str, health: Health) -> None:
    if health == Health():
        connection.execute("DELETE FROM health WHERE provider = ?", (provider,))
        return
    connection.execute(
        "INSERT OR REPLACE INTO health (provider, troubles, opened_at, until, rounds, probe, limited_from, limited_until)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            provider,
            dump(health.troubles_json()),
            health.opened_at,
            health.until,
            health.rounds,
            health.probe,
            health.limited_from,
            health.limited_until,
        ),
    )


def change(connection: sqlite3.Connection, provider: str, work: Callable[[Health], Health]) -> tuple[Health, Health]:
    """Change a generator's health; returns it before and after."""
    before = read(connection, provider)
    after = work(before)
    if after != before:
        _write(connection, provider, after)
    return before, after


def limit(
    connection: sqlite3.Connection, provider: str, seconds: float | None, code: str, now: int, spread: float
) -> int:
    """Note a rate limit and pause the generator for everybody; returns until when (UTC ms)."""
    _, after = change(connection, provider, lambda health: health.after_limit(seconds, now, spread=spread))
    until = max(now, after.limited_until or now)
    pause(connection, provider, until, code, now)
    return until


def let_through(connection: sqlite3.Connection, now: int) -> dict[str, int]:
    """How many jobs each generator may be given at most, for those that are held up: 0, or 1 where a probe is due."""
    held: dict[str, int] = {}
    for row in connection.execute("SELECT * FROM health WHERE opened_at IS NOT NULL").fetchall():
        health = _of(row)
        resting = health.until is not None and now < health.until
        held[row["provider"]] = 0 if resting or _is_under_way(connection, health) else 1
    for each in pauses(connection, now):
        held[each.provider] = 0
    return held


def note_probe(connection: sqlite3.Connection, provider: str, attempt_id: str) -> None:
    """This attempt is the probe: until it told, nothing more is let through."""
    connection.execute("UPDATE health SET probe = ? WHERE provider = ?", (attempt_id, provider))


def forget(connection: sqlite3.Connection, provider: str, now: int) -> bool:
    """Let nothing stand against a generator: an operator knows better; returns whether that held anything up."""
    health = read(connection, provider)
    _write(connection, provider, Health())
    return health.is_open or health.limited(now)


def _is_under_way(connection: sqlite3.Connection, health: Health) -> bool:
    """Whether the probe has not told yet. One that ended without a word about the generator makes room for another."""
    if health.probe is None:
        return False
    sql = (
        "SELECT 1 FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id AND j.attempt_id = a.id"
        " WHERE a.id = ? AND j.state IN ('submitting', 'generating', 'storing')"
    )
    return connection.execute(sql, (health.probe,)).fetchone() is not None


@dataclass(frozen=True, slots=True)
class Look:
    """Everything about generators that does not come from the settings, read at one moment.

    ``troubled``: the calls of each against which something stands; ``default``: the operator's choice of the default generator.
    """

    standings: dict[str, Standing]
    troubled: dict[str, frozenset[Call]]
    default: str | None


def look(connection: sqlite3.Connection, now: int) -> Look:
    """Return how every generator stands of which there is anything to say."""
    found: dict[str, Standing] = {}
    troubled: dict[str, frozenset[Call]] = {}
    paused = {each.provider: each for each in pauses(connection, now)}
    for row in connection.execute("SELECT * FROM health").fetchall():
        health, name = _of(row), row["provider"]
        troubled[name] = frozenset(each.call for each in health.troubles)
        limited = health.limited_until if health.limited(now) else None
        if health.is_open:
            resting = health.until is not None and now < health.until
            until = health.until if resting else None
            state: State = "unhealthy" if resting else "probing"
            found[name] = Standing(state, until, health.opened_at, health.code, limited, is_unhealthy=True)
        elif limited is not None:
            found[name] = Standing("paused", limited, health.limited_from, "RATE_LIMIT_EXCEEDED", limited)
    for name, each in paused.items():
        found[name] = _paused(each, found.get(name, WELL))
    return Look(found, troubled, choice(connection, DEFAULT_PROVIDER))


def _paused(each: Pause, otherwise: Standing) -> Standing:
    """A pause holds whatever else is: only where it ends before the rest of an unhealthy generator does, that is what counts."""
    if each.until is not None and otherwise.state in ("unhealthy", "probing"):
        return otherwise
    return replace(
        otherwise,
        state="paused",
        until=each.until,
        since=each.since,
        why=each.reason,
        keeps_jobs=each.reason == RESTORED,
    )


def choose(connection: sqlite3.Connection, name: str, value: str | None, now: int) -> None:
    """Keep an operator's choice; None takes it back."""
    if choice(connection, name) == value:
        return
    if value is None:
        connection.execute("DELETE FROM choices WHERE name = ?", (name,))
    else:
        connection.execute("INSERT OR REPLACE INTO choices (name, value, at) VALUES (?, ?, ?)", (name, value, now))


def choice(connection: sqlite3.Connection, name: str) -> str | None:
    """An operator's choice, or None."""
    row = connection.execute("SELECT value FROM choices WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row["value"])


@dataclass(frozen=True, slots=True)
class Figures:
    """What an operator is shown of one generator. ``outcomes``: of its latest attempts, newest first, as codes (``won`` for a clip).

    ``cost``: credits that its clips of today cost as far as is known; ``charged``: what people paid of that.
    """

    running: int
    waiting: int
    unclear: int
    outcomes: tuple[str, ...]
    cost: int
    charged: int


def figures(connection: sqlite3.Connection, providers: Iterable[str], now: int) -> dict[str, Figures]:
    """Return the figures of each of ``providers``."""
    live: dict[tuple[str, str], int] = {
        (row["provider"], row["state"]): row["n"]
        for row in connection.execute(
            f"SELECT provider, state, COUNT(*) AS n FROM jobs WHERE {LIVE_JOBS} GROUP BY provider, state"
        ).fetchall()
    }
    day = window_start(Period.DAY, now)
    costs: dict[str, Any] = {
        row["provider"]: row
        for row in connection.execute(  # the name of a job sorts by when it was ordered, and none lives for three days
            "SELECT provider, SUM(COALESCE(true_cost, charged, 0)) AS cost, SUM(COALESCE(charged, 0)) AS charged FROM jobs"
            " WHERE id >= ? AND finished_at >= ? GROUP BY provider",
            (first_job_id(day - 3 * DAY_MS), day),
        ).fetchall()
    }

    def count(name: str, *states: str) -> int:
        return sum(live.get((name, state), 0) for state in states)

    found = {}
    for name in providers:
        outcomes = connection.execute(
            "SELECT state, error_code FROM (SELECT * FROM attempts ORDER BY rowid DESC LIMIT ?)"
            " WHERE provider = ? AND state <> 'open' ORDER BY ended_at DESC LIMIT ?",
            (LOOKED_THROUGH, name, RECENT_ATTEMPTS),
        ).fetchall()
        cost = costs.get(name)
        found[name] = Figures(
            running=count(name, "submitting", "generating", "storing"),
            waiting=count(name, "preparing", "queued"),
            unclear=count(name, "unclear"),
            outcomes=tuple(str(row["error_code"] or row["state"]) for row in outcomes),
            cost=0 if cost is None else int(cost["cost"]),
            charged=0 if cost is None else int(cost["charged"]),
        )
    return found
