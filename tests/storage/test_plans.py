"""What is asked of the database again and again, or in the writer, reads no table that grows from end to end."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from core.states import JobState
from core.steps import Step
from storage import health, house, intake, jobs, late, library, messages, views
from storage import store as store_module
from storage.store import SqliteStore
from tests.storage.store_world import CAPS, DAY, NOON, HandClock, a_store, accepted, done, rows

SMALL: Final = {
    "fairness",
    "pauses",
    "health",
    "alerts",
    "tokens",
    "limits",
    "CONSTANT",
    "cards",
    "deliveries",
    "json_each",
}
"""Tables of a few rows, the values of one row's list, and those that tidying and their own index keep short."""
LATER: Final = NOON + DAY
Work = Callable[[sqlite3.Connection], object]

PERIODIC: Final[dict[str, Work]] = {
    "tidy": lambda c: house.tidy(c, inbox_before=LATER, events_before=LATER, tokens_before=LATER, most=9),
    "counts": house.counts,
    "expired files": lambda c: library.expired(c, LATER, 9),
    "expired jobs": lambda c: library.expired_jobs(c, LATER, 9, LATER),
    "keys in use": library.keys_in_use,
    "pending commands": lambda c: intake.pending(c, 9),
    "due jobs": lambda c: jobs.due(c, LATER, 9, ("local",)),
    "admission": lambda c: jobs.admit(c, CAPS, LATER),
    "providers in use": jobs.providers_in_use,
    "health": lambda c: health.look(c, LATER),
    "stuck jobs": lambda c: jobs.stuck(c, "local", 0, (-1.0, -1), 9),
    "waking": lambda c: jobs.wake_without(c, ["local"], LATER),
    "watched attempts": lambda c: (late.due(c, LATER, ()), late.next_look(c, LATER)),
    "due deliveries": lambda c: messages.due_deliveries(c, LATER, 9),
    "cards to refresh": lambda c: messages.to_refresh(c, {"web": 1.0}, LATER, 9),
    "open cards": lambda c: messages.open_cards(c, 0, 9),
    "live history": lambda c: views.history(c, "x", limit=9, live=True),
    "history": lambda c: views.history(c, "x", limit=9),
    "gone": lambda c: views.gone_since(c, "x", LATER, 9),
    "clips of an account": lambda c: c.execute("SELECT key FROM clips WHERE account_id = 'x'").fetchall(),
}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqliteStore]:
    async with a_store(tmp_path, clock) as store:
        yield store


@contextmanager
def heard(connection: sqlite3.Connection) -> Iterator[list[str]]:
    """Every statement that the connection is given, its values written in."""
    said: list[str] = []
    connection.set_trace_callback(said.append)
    try:
        yield said
    finally:
        connection.set_trace_callback(None)


def scans(connection: sqlite3.Connection, work: Work) -> list[str]:
    """Statements of ``work`` that read a whole table, or all of an index that holds a whole table."""
    partial = {
        row["name"]
        for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE '% WHERE %'")
    }
    with heard(connection) as said:
        work(connection)
    found = []
    for sql in said:
        if not re.match(r"(SELECT|UPDATE|DELETE|INSERT|WITH)\b", sql):
            continue
        for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall():
            scan = re.match(r"SCAN (\S+)(?: USING (?:COVERING )?INDEX (\S+))?", row["detail"])
            if scan and scan[1] not in SMALL and scan[2] not in partial:
                found.append(f"{row['detail']}: {sql}")
    return found


@pytest.mark.parametrize("what", list(PERIODIC))
async def test_what_is_asked_again_and_again_reads_no_table_from_end_to_end(store: SqliteStore, what: str) -> None:
    old = await done(store, await accepted(store, inbox_id=(await store.receive("web", "1", {})).id))
    await accepted(store)
    sql = "UPDATE deliveries SET state = 'sent', due_at = NULL"
    await store.database.write(lambda c: [c.execute(each).rowcount for each in (sql, "UPDATE cards SET closed = 1")])
    assert old.clip_id is not None

    def work(connection: sqlite3.Connection) -> list[str]:
        return scans(connection, PERIODIC[what])

    found = await store.database.write(work)
    if what == "keys in use":  # every file is what it asks for
        found = [scan for scan in found if not scan.startswith("SCAN clips")]
    assert found == []


async def test_old_rows_go_in_small_rounds(
    store: SqliteStore, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever waits for the writer waits for one round at most, and a round's size does not depend on what is there."""
    for number in range(30):
        inbox = (await store.receive("web", str(number), {})).id
        job = await accepted(store, inbox_id=inbox)
        if number != 7:  # one that lives on, amid the others
            await store.apply(Step(job.id, job.version, to=JobState.CANCELLED))
    await store.receive("web", "unread", {})
    await store.database.write(lambda c: c.execute("UPDATE cards SET closed = 1").rowcount)
    clock.at += 40 * DAY
    rounds: list[house.Tidied] = []
    whole = house.tidy

    def counted(*args: Any, **options: Any) -> house.Tidied:
        rounds.append(whole(*args, **options))
        return rounds[-1]

    monkeypatch.setattr(house, "tidy", counted)
    monkeypatch.setattr(store_module, "TIDY_ROWS", 4)
    removed = await store.tidy(keep_ms=30 * DAY, month_start=0)
    assert removed == 30 + 29 + 29  # commands, lines of trails, cards
    assert len(rounds) == 8
    assert max(each.removed for each in rounds) <= 3 * 4
    assert await store.tidy(keep_ms=30 * DAY, month_start=0) == 0
    assert [row["update_id"] for row in await rows(store, "SELECT update_id FROM inbox")] == ["unread"]
    assert len(await rows(store, "SELECT 1 FROM cards")) == len(await rows(store, "SELECT 1 FROM events")) == 1


async def test_a_statement_without_an_index_would_be_seen(store: SqliteStore) -> None:
    seen = await store.database.read(
        lambda c: scans(c, lambda c: c.execute("SELECT id FROM inbox WHERE job_id = 'x'").fetchall())
    )
    assert len(seen) == 1


async def test_live_jobs_are_found_by_their_own_index(store: SqliteStore) -> None:
    def plan(connection: sqlite3.Connection) -> str:
        with heard(connection) as said:
            views.history(connection, "x", limit=9, live=True)
        return str(connection.execute(f"EXPLAIN QUERY PLAN {said[0]}").fetchall()[0]["detail"])

    assert "jobs_live" in await store.database.read(plan)
