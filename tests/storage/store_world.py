"""A real store on a real disk with a clock in the test's hand, and orders to give it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from core.attachments import Attachment
from core.ids import new_secret_id
from core.jobs import Actor, AssetKind, Clip, Job, Order, Place
from core.states import AttemptState, JobState
from core.steps import AdmissionCaps, DefaultLimits, Step
from storage import writer
from storage.database import Database
from storage.store import MIGRATIONS, SqliteStore
from tests.core.examples import applied, wanted

NOON = 1_795_348_800_000
"""2026-11-22 12:00 UTC in milliseconds: a day that is neither the first nor the last of its month."""
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
UNLIMITED = DefaultLimits(None, None, None)
CAPS = AdmissionCaps(per_person=2, everywhere=8, providers={"local": 3, "veo": 4})
_numbers = count()


class HandClock:
    """Moves only when the test moves it."""

    def __init__(self, at: int = NOON) -> None:
        self.at = at

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.at / 1000

    async def sleep(self, seconds: float) -> None:
        self.at += int(seconds * 1000)


def tombstone(platform: str, external_id: str) -> str:
    return "forgotten:" + hashlib.sha256(f"{platform}/{external_id}".encode()).hexdigest()


async def open_store(folder: Path, clock: HandClock, defaults: DefaultLimits = UNLIMITED) -> SqliteStore:
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    return SqliteStore(await Database.open(folder / "reelay.db", MIGRATIONS), clock, defaults, tombstone)


@contextlib.asynccontextmanager
async def a_store(folder: Path, clock: HandClock, defaults: DefaultLimits = UNLIMITED) -> AsyncIterator[SqliteStore]:
    store = await open_store(folder, clock, defaults)
    try:
        yield store
    finally:
        await store.database.close()


def copy_as_if_killed(folder: Path, target: Path) -> Path:
    """Copy what is on the disk at this moment: the file and its log as the next process would find them after ``kill -9``.

    Only true while nothing checkpoints, see ``no_checkpoints``.
    """
    target.mkdir(parents=True)
    for name in ("reelay.db", "reelay.db-wal"):
        if (folder / name).exists():
            shutil.copyfile(folder / name, target / name)
    return target


@contextlib.contextmanager
def no_checkpoints() -> Iterator[None]:
    """Keep every commit in the log, so that a copy of file and log taken one after the other belongs together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "IDLE_SECONDS", 1e9)
        patch.setattr(writer, "CHECKPOINT_BYTES", 1 << 50)
        yield


def order(
    who: str = "ann", price: int = 0, *, key: str | None = None, said: str = "a lighthouse at dusk", **rest: Any
) -> Order:
    """An order of ``who`` on the web. ``chat``, ``roles`` and ``subject`` are its actor's, ``provider`` its generator, the rest Order's."""
    key = key or f"key-{next(_numbers)}"
    actor = Actor(
        "web",
        who,
        chat=rest.pop("chat", None),
        roles=rest.pop("roles", ()),
        allowance_subject=rest.pop("subject", None),
    )
    plain = Order(
        actor=actor,
        place=Place("web", who),
        wanted=wanted(prompt=said),
        applied=applied(prompt=said, provider=rest.pop("provider", "local")),
        changed=(),
        price=price,
        dedupe_key=key,
        dedupe_hash=hashlib.sha256(said.encode()).hexdigest(),
        answers=True,
    )
    return replace(plain, **rest)


def picture(**fields: Any) -> Attachment:
    return replace(Attachment("a.png", "image/png", bytes=10, key=f"{new_secret_id()}.upload"), **fields)


def file_of(job: Job, kind: AssetKind = AssetKind.CLIP, at: int = NOON) -> Clip:
    suffix = "mp4" if kind is AssetKind.CLIP else "png"
    return Clip(
        id=new_secret_id(),
        kind=kind,
        account_id=job.account_id,
        job_id=job.id,
        key=f"{new_secret_id()}.{suffix}",
        mime="video/mp4",
        bytes=1000,
        sha256="0" * 64,
        created_at=at,
        poster_key=f"{new_secret_id()}.jpg" if kind is AssetKind.CLIP else None,
    )


async def accepted(store: SqliteStore, who: str = "ann", price: int = 0, **rest: Any) -> Job:
    job, is_new = await store.accept(order(who, price, **rest), most_waiting=1_000_000)
    assert is_new
    return job


async def submitted(store: SqliteStore, job: Job, caps: AdmissionCaps = CAPS) -> Job:
    """Admit until ``job`` is with its generator."""
    await store.admit(caps)
    job = await store.job(job.id)
    assert job.state is JobState.SUBMITTING
    return job


async def generating(store: SqliteStore, job: Job) -> Job:
    job = await submitted(store, job) if job.state is JobState.QUEUED else job
    return await store.apply(Step(job.id, job.version, to=JobState.GENERATING, ticket={"id": job.id}))


async def done(store: SqliteStore, job: Job, *, true_cost: int | None = None, at: int = NOON) -> Job:
    """Take a job from wherever it is to its clip."""
    job = await generating(store, job) if job.state in (JobState.QUEUED, JobState.SUBMITTING) else job
    job = await store.apply(
        Step(job.id, job.version, to=JobState.STORING, attempt_state=AttemptState.WON, fields={"true_cost": true_cost})
    )
    return await store.apply(Step(job.id, job.version, to=JobState.DONE, clip=file_of(job, at=at)))


async def ended(store: SqliteStore, job: Job, to: JobState = JobState.CANCELLED) -> Job:
    job = await store.job(job.id)
    return await store.apply(Step(job.id, job.version, to=to))


async def rows(store: SqliteStore, sql: str, *values: Any) -> list[dict[str, Any]]:
    return await store.database.read(lambda c: [dict(row) for row in c.execute(sql, values).fetchall()])
