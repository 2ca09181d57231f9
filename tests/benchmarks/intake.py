"""Commands per second that are durably accepted, against the same statements given to sqlite3 by hand.

The raw sides replay, statement by statement with the same values, what the real path was heard to say to SQLite: nothing of our Python
runs there.
``each``: receive and accept are a commit each, as they are two durable steps. ``batch``: 64 commands share a commit, which is the
most that a file with this schema could take.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest

from storage import lane
from storage.lane import connect_writer
from storage.migrate import migrate
from storage.store import MIGRATIONS
from tests.benchmarks.figures import ROUNDS, Figure, median, ratio
from tests.benchmarks.worlds import folder, open_intake, order_of, payload_of

CALLERS: Final = 64
SLOW_SECONDS: Final = 0.004
WHY: Final = (
    "A command is two durable steps of 20 odd statements, and around them Python reads, checks, prices and writes it down again, in one"
    " interpreter: that is most of the time. Sharing a commit wins what a commit costs, so the ratio grows with a slower disk and shrinks"
    " with a faster one."
)
Statement = tuple[str, tuple[Any, ...]]


def slow_connect(*args: Any, **options: Any) -> sqlite3.Connection:
    """``sqlite3.connect`` whose COMMIT takes 4 ms longer, as on a slower disk; the sleep frees the interpreter as a sync does."""
    return sqlite3.connect(*args, **options, factory=SlowConnection)


def _slowed(execute: Callable[..., sqlite3.Cursor], sql: str, *values: Any) -> sqlite3.Cursor:
    done = execute(sql, *values)
    if sql == "COMMIT":
        time.sleep(SLOW_SECONDS)
    return done


class SlowCursor(sqlite3.Cursor):
    """Waits after COMMIT."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:  # type: ignore[override]
        return _slowed(super().execute, sql, *values)


class SlowConnection(sqlite3.Connection):
    """Its cursors wait after COMMIT."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return _slowed(super().execute, sql, *values)

    def cursor(self, *args: Any) -> sqlite3.Cursor:  # type: ignore[override]
        return super().cursor(SlowCursor)


@contextlib.contextmanager
def a_slow_disk() -> Iterator[None]:
    """Every commit of every connection opened meanwhile, ours and the raw one, takes 4 ms longer."""

    def connect(address: str) -> sqlite3.Connection:
        uri = address.startswith("file:")
        return slow_connect(address, uri=uri, isolation_level=None, timeout=5.0, cached_statements=512)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane, "_connect", connect)
        yield


# ---- ours


async def ours(place: Path, commands: int, *, receive_too: bool) -> float:
    """Commands per second of 64 callers through the real intake, or of the accept transaction alone."""
    async with open_intake(place) as (store, intake):

        async def caller(first: int) -> None:
            for number in range(first, commands, CALLERS):
                if receive_too:
                    await intake.take("bench", f"update {number}", payload_of(number))
                else:
                    await store.accept(orders[number], most_waiting=10**9)

        orders = [] if receive_too else [order_of(number) for number in range(commands)]
        began = time.perf_counter()
        await asyncio.gather(*(caller(first) for first in range(CALLERS)))
        return commands / (time.perf_counter() - began)


# ---- raw


class Recorder(sqlite3.Connection):
    """Remembers every statement with its values and its thread. What begins and ends transactions goes through cursors, and is not kept."""

    said: ClassVar[list[tuple[int, Statement]]] = []

    def execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:  # type: ignore[override]
        if not sql.startswith(("PRAGMA", "BEGIN")):
            self.said.append((threading.get_ident(), (sql, tuple(values))))
        return super().execute(sql, values)


async def record(commands: int) -> list[list[list[Statement]]]:
    """What the real path says to SQLite for each command: receive, the reads in between, accept."""

    def connect(address: str) -> sqlite3.Connection:
        return sqlite3.connect(address, uri=address.startswith("file:"), isolation_level=None, factory=Recorder)

    told = []
    with pytest.MonkeyPatch.context() as patch, folder() as place:
        patch.setattr(lane, "_connect", connect)
        async with open_intake(place) as (store, intake):
            writer = await store.database.write(lambda _: threading.get_ident())
            for number in range(commands):
                Recorder.said.clear()
                row = await store.receive("bench", f"update {number}", payload_of(number))
                received = [statement for _, statement in Recorder.said]
                Recorder.said.clear()
                await intake.accept(row)
                reads = [statement for thread, statement in Recorder.said if thread != writer]
                accepted = [statement for thread, statement in Recorder.said if thread == writer]
                assert received
                assert accepted
                told.append([received, reads, accepted])
    return told


def replay(place: Path, transactions: Sequence[Sequence[Statement]]) -> float:
    """Seconds for the transactions, a commit each, on a connection like our writer's."""
    path = place / "raw.db"
    connection = connect_writer(path)
    try:
        migrate(connection, path, MIGRATIONS)
        began = time.perf_counter()
        for transaction in transactions:
            connection.execute("BEGIN IMMEDIATE")
            for sql, values in transaction:
                connection.execute(sql, values).fetchall()
            connection.execute("COMMIT")
        return time.perf_counter() - began
    finally:
        connection.close()


def measure(scale: float = 1.0) -> list[Figure]:
    """The five figures."""
    many = max(CALLERS, int(1200 * scale))
    few = max(20, int(100 * scale))
    told = asyncio.run(record(many))
    each = [transaction for received, reads, accepted in told for transaction in (received, reads + accepted)]
    alone = [accepted for _, _, accepted in told]
    batch = [[s for command in told[n : n + 64] for t in command for s in t] for n in range(0, many, 64)]
    speeds: dict[str, list[float]] = {}

    def note(name: str, speed: float) -> None:
        speeds.setdefault(name, []).append(speed)

    for number in range(ROUNDS + 1):
        if number == 1:
            speeds.clear()  # the first round warms up
        with folder() as place:
            note("ours", asyncio.run(ours(place, many, receive_too=True)))
            note("raw, a commit each", many / replay(place, each))
        with folder() as place:
            note("raw, 64 a commit", many / replay(place, batch))
        with folder() as place:
            note("ours, accept alone", asyncio.run(ours(place, many, receive_too=False)))
            note("raw, accept alone", many / replay(place, alone))
        if number:
            with a_slow_disk(), folder() as place:
                note("ours, slow disk", asyncio.run(ours(place, many, receive_too=True)))
                note("raw, slow disk", few / replay(place, each[: 2 * few]))
    per_second = {f"{name} /s": median(values) for name, values in speeds.items()}

    def figure(name: str, what: str, one: str, other: str, goal: float | None) -> Figure:
        sides = {side: per_second[side] for side in (f"{one} /s", f"{other} /s")}
        return ratio(name, what, speeds[one], speeds[other], goal=goal, better=">=", unit="×", sides=sides, note=WHY)

    raw_each = "raw, a commit each"
    what = "accepted commands/s, FULL, 64 callers ÷ the same statements, a commit each"
    slow = "the same with 4 ms added to every commit of both sides"
    alone_what = "the accept transaction only ÷ its statements, a commit each"
    return [
        figure("intake", what, "ours", raw_each, 2.0),
        figure("intake, slow disk", slow, "ours, slow disk", "raw, slow disk", 20.0),
        figure(
            "intake, share of the limit", "the same ÷ 64 commands a commit by hand", "ours", "raw, 64 a commit", 0.35
        ),
        figure("accept alone", alone_what, "ours, accept alone", "raw, accept alone", None),
    ]
