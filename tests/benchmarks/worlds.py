"""Parts of a running Reelay for the benchmarks: settings of a temporary folder, a generator of fixed time, orders."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from bot.app import App, Connector, Extras, open_app
from bot.clock import SystemClock
from bot.engine.intake import Intake
from bot.engine.parts import Caps, Parts
from bot.engine.words import Words
from bot.settings import Settings, read_settings
from core.capabilities import Applied, Capabilities
from core.jobs import Actor, Attempt, Order, Place
from core.money import Price
from core.ports import (
    Artifact,
    CancelAnswer,
    Connect,
    FindAnswer,
    Found,
    PollAnswer,
    Provider,
    Ready,
    Sink,
    Ticket,
    Waiting,
)
from core.requests import Wanted
from core.steps import DefaultLimits
from providers.rules import LocalScenes
from storage.database import Database
from storage.film_store import FilmStore
from storage.store import MIGRATIONS, SqliteStore

PROMPT = "A lighthouse on a cliff at golden sunset, waves below, gulls over the water, slow push towards the lamp. " * 3
PEOPLE = 1000


def settings_of(folder: Path, **environ: str) -> Settings:
    """Settings that know of nothing but ``folder`` and a free port."""
    return read_settings({"REELAY_DATA_DIR": str(folder), "REELAY_HTTP_PORT": "0", **environ}, None)


class AheadClock(SystemClock):
    """The system's clock, some time ahead."""

    def __init__(self, ms: int) -> None:
        self._ms = ms

    def now(self) -> int:
        return super().now() + self._ms


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder where the data would be: on the disk of the working directory's temporary folder."""
    with tempfile.TemporaryDirectory(prefix="reelay-bench-") as name:
        yield Path(name)


@dataclass
class TimedGenerator:
    """Takes a fixed time after each submit, hints when it is ready, and hands out one clip."""

    seconds: float
    clip: bytes
    world: Connect
    unpaid: bool = True
    polled: asyncio.Event = field(default_factory=asyncio.Event)
    took: dict[str, float] = field(default_factory=dict)
    """Seconds from submit to the hint, by attempt."""
    _begun: dict[str, float] = field(default_factory=dict)
    _ready: set[str] = field(default_factory=set)
    name: str = "timed"

    def __post_init__(self) -> None:
        """Polled seldom: the hint is what counts."""
        self.capabilities = Capabilities(
            name=self.name,
            title="Timed",
            company=None,
            models=("timed-1",),
            cancel=True,
            unpaid=self.unpaid,
            usual_seconds=max(1.0, self.seconds),
            poll_seconds=(30.0, 60.0),
            most_active=100_000,
        )

    def estimate(self, applied: Applied) -> Price:
        """One credit."""
        del applied
        return Price(1)

    async def submit(self, applied: Applied, attempt: Attempt) -> Ticket:
        """Begin to wait."""
        del applied
        self._begun[attempt.id] = time.monotonic()
        asyncio.get_running_loop().call_later(self.seconds, self._hint, attempt.id)
        return {"id": attempt.id}

    def _hint(self, attempt: str) -> None:
        self._ready.add(attempt)
        self.took[attempt] = time.monotonic() - self._begun[attempt]
        self.world.hint(attempt)

    async def poll(self, ticket: Ticket) -> PollAnswer:
        """Ready once the time is over."""
        self.polled.set()
        return Ready(Artifact("inline", str(ticket["id"]))) if ticket["id"] in self._ready else Waiting()

    async def fetch(self, ticket: Ticket, artifact: Artifact, sink: Sink) -> None:
        """The clip, at once."""
        del ticket, artifact
        await sink.write(self.clip)

    async def cancel(self, ticket: Ticket) -> CancelAnswer:
        """Stopped."""
        del ticket
        return "stopped"

    async def find(self, applied: Applied, attempt: Attempt) -> FindAnswer:
        """Found."""
        del applied
        return Found({"id": attempt.id})

    async def release(self, ticket: Ticket) -> None:
        """Nothing is kept."""
        del ticket

    async def check(self) -> str:
        """Well."""
        return "well"

    async def close(self) -> None:
        """Nothing is open."""


@contextlib.asynccontextmanager
async def running_app(
    place: Path,
    *,
    seconds: float | None = None,
    clip: bytes = b"",
    reach: Callable[[str], None] | None = None,
    ahead_ms: int = 0,
    **environ: str,
) -> AsyncIterator[tuple[App, int, TimedGenerator | None]]:
    """The real process in this one: (app, port, generator); with ``seconds`` the timed generator is the default one."""
    made: list[TimedGenerator] = []

    def connect(settings: Settings, world: Connect) -> Provider:
        del settings
        made.append(TimedGenerator(seconds or 0.0, clip, world))
        return cast("Provider", made[0])

    providers: Sequence[tuple[str, Connector]] = () if seconds is None else (("timed", connect),)
    default = None if seconds is None else "timed"
    extras = Extras(providers=providers, default_provider=default, low_water_bytes=0, clock=AheadClock(ahead_ms))
    if reach is not None:
        extras = replace(extras, reach=reach)
    app = await open_app(settings_of(place, **environ), extras)
    try:
        port = await app.start()
        yield app, port, made[0] if made else None
    finally:
        await app.stop()


@contextlib.asynccontextmanager
async def open_intake(place: Path) -> AsyncIterator[tuple[SqliteStore, Intake]]:
    """A real store and the real intake on it, with a generator that costs a credit and nothing behind it."""
    database = await Database.open(place / "reelay.db", MIGRATIONS)
    clock = SystemClock()
    store = SqliteStore(database, clock, DefaultLimits(500, None, None), tombstone)
    generator = cast("Provider", TimedGenerator(60.0, b"", cast("Connect", None)))
    parts = Parts(
        store=store,
        clips=cast("Any", None),
        media=cast("Any", None),
        clock=clock,
        alerts=cast("Any", None),
        providers={"timed": generator},
        default_provider="timed",
        writer=LocalScenes(),
        plain_writer=LocalScenes(),
        painter=cast("Any", None),
        films=FilmStore(store),
        words=Words,
        caps=Caps(waiting_per_person=10**9),
    )
    try:
        yield store, Intake(parts, lambda job: None, None)
    finally:
        await database.close()


def tombstone(platform: str, external_id: str) -> str:
    """As the app makes it, with a hash without a key."""
    return "forgotten:" + hashlib.sha256(f"{platform}\0{external_id}".encode()).hexdigest()


def payload_of(number: int) -> dict[str, Any]:
    """A raw command of one of a thousand people."""
    who = f"person {number % PEOPLE}"
    return {
        "actor": {
            "platform": "bench",
            "external_id": who,
            "chat": None,
            "roles": [],
            "allowance_subject": None,
            "is_admin": False,
        },
        "place": Place("bench", who).as_json(),
        "fields": {"prompt": PROMPT, "aspect_ratio": "16:9", "duration": 8},
        "attachment": None,
        "picture_sha256": None,
        "dedupe_key": None,
        "receipt": None,
    }


def order_of(number: int) -> Order:
    """An order that is priced and fitted already: what the accept transaction takes."""
    who = f"person {number % PEOPLE}"
    applied = Applied("timed", "timed-1", PROMPT, "", "16:9", "720p", 8, number, True)
    return Order(
        actor=Actor("bench", who),
        place=Place("bench", who),
        wanted=Wanted(prompt=PROMPT, explicit=frozenset({"prompt", "seconds", "aspect_ratio"})),
        applied=applied,
        changed=(),
        price=1,
        dedupe_key=f"key {number}",
        dedupe_hash="0" * 64,
    )


def insert_sleeping(
    c: sqlite3.Connection, job_id: str, count: int, due_from: int, due_step: int = 1, after: int = 0
) -> None:
    """Copy a job that waits at its generator ``count`` times, with attempt, card and hold line; due times ``due_step`` ms apart.

    The copies are numbered from ``after`` + 1 on.
    """
    numbers = f"WITH RECURSIVE t(n) AS (SELECT {after + 1} UNION ALL SELECT n + 1 FROM t WHERE n < {after + count})"

    def copies(table: str, where: str, changes: dict[str, str]) -> None:
        names = [row["name"] for row in c.execute(f"PRAGMA table_info({table})").fetchall()]
        names = [name for name in names if name != "id" or "id" in changes]
        chosen = ", ".join(changes.get(name, f"o.{name}") for name in names)
        c.execute(
            f"{numbers} INSERT INTO {table} ({', '.join(names)}) SELECT {chosen} FROM t, {table} AS o WHERE {where}"
        )

    suffix = "printf('%06d', n)"
    due = f"{due_from} + n * {due_step}"
    job = {
        "id": f"substr(o.id, 1, 20) || {suffix}",
        "attempt_id": f"substr(o.attempt_id, 1, 26) || {suffix}",
        "due_at": due,
        "deadline": f"{due} + 3600000",
        "dedupe_key": f"o.dedupe_key || {suffix}",
    }
    copies("jobs", f"o.id = '{job_id}'", job)
    attempt = {"id": job["attempt_id"].replace("o.attempt_id", "o.id"), "job_id": job["id"].replace("o.id", "o.job_id")}
    copies("attempts", f"o.job_id = '{job_id}'", {**attempt, "ticket": f"json_object('id', {attempt['id']})"})
    copies("cards", f"o.job_id = '{job_id}'", {"job_id": attempt["job_id"]})
    copies("ledger", f"o.job_id = '{job_id}'", {"job_id": attempt["job_id"]})
