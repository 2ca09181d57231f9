"""Every wait ends: whatever a vendor, a platform or a crash does, a job reaches an end within its deadlines. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.commands.making import order
from core.attachments import Attachment
from core.errors import RateLimited, Unavailable, Unclear
from core.jobs import Actor, Job, Place
from core.states import JobState
from tests.lab.generator import LabSettings
from tests.lab.stage import Stage, stage
from tests.lab.virtual_time import VirtualClock, run

BILLS = LabSettings(name="lab", price=40, cancel=False, maximum_seconds=600.0, poll_seconds=(2.0, 5.0))


async def ended(on: Stage, job: Job, seconds: float) -> Job:
    async def look() -> bool:
        return (await on.store.job(job.id)).ended

    await on.until(look, seconds)
    return await on.store.job(job.id)


def test_a_vendor_that_asks_for_a_day_does_not_move_the_deadline(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=1e6, lab=BILLS) as on:

            async def busy(ticket: Any) -> Any:
                raise RateLimited("slow down", retry_after=86_400.0)

            on.generator.poll = busy  # type: ignore[method-assign]
            job = await ended(on, await on.order(), 1000)
            assert (job.state, job.charged) == (JobState.FAILED, 0)

    run(play)


def test_a_picture_that_never_comes_ends_the_job(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=BILLS) as on:

            async def never(place: Place, attachment: Attachment) -> AsyncIterator[bytes]:
                del place, attachment
                await asyncio.sleep(1e9)
                yield b""

            on.parts.platforms["chat"].open = never  # type: ignore[method-assign]
            picture = Attachment("a.png", "image/png", 10, reference={"picture": "p0"})
            here = Place("chat", chat="room")
            job, _ = await order(on.engine, Actor("chat", "ann"), here, {"prompt": "a lighthouse"}, attachment=picture)
            job = await ended(on, job, 300)
            assert (job.state, job.charged) == (JobState.FAILED, 0)
            assert job.failure is not None
            assert job.failure.message_id == "error.preparing_too_long"

    run(play)


@pytest.mark.parametrize("error", [Unavailable("down"), ValueError("not what I expected")])
def test_an_unclear_job_whose_vendor_is_down_is_looked_up_ever_more_seldom_and_can_be_given_up(
    tmp_path: Path, error: Exception
) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=BILLS) as on:
            looks = 0

            async def lost(*_: Any) -> Any:
                raise Unclear("no answer")

            async def down(*_: Any) -> Any:
                nonlocal looks
                looks += 1
                raise error

            on.generator.submit, on.generator.find = lost, down  # type: ignore[assignment, method-assign]
            job = await on.order()
            await asyncio.sleep(600)
            assert (await on.store.job(job.id)).state is JobState.UNCLEAR
            assert 2 <= looks <= 8
            await on.engine.cancel(job.id)
            job = await ended(on, job, 30)
            assert (job.state, job.charged) == (JobState.CANCELLED, 0)

    run(play)


def test_a_low_disk_holds_back_what_is_paid_until_there_is_room(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=BILLS) as on:
            await on.store.pause("lab", None, "until the disk is low")
            job = await on.order()
            on.parts.low_water_bytes = 1 << 60
            await asyncio.sleep(60)
            await on.store.resume("lab")
            await asyncio.sleep(60)
            assert (await on.store.job(job.id)).state is JobState.QUEUED
            on.parts.low_water_bytes = 0
            assert (await ended(on, job, 60)).state is JobState.DONE

    run(play)


def test_a_wish_to_cancel_is_seen_to_when_a_refused_job_falls_back_into_the_line(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=BILLS) as on:

            async def refused(*_: Any) -> Any:
                job = (await on.store.history(account, limit=1))[0].job
                await on.store.wish(job.id, "cancel")  # while the call is under way
                raise RateLimited("later", retry_after=3000.0)

            on.generator.submit = refused  # type: ignore[assignment, method-assign]
            account = await on.store.open_account("chat", "ann")
            job = await ended(on, await on.order(), 60)
            assert (job.state, job.charged) == (JobState.CANCELLED, 0)

    run(play)


def test_whoever_stopped_waiting_is_posted_nothing(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=60, lab=BILLS) as on:
            job = await on.order()
            await on.card(job)
            await asyncio.sleep(20)
            await on.store.wish((await on.store.job(job.id)).id, "stop_waiting")
            job = await on.settled(job)
            assert (job.state, job.charged) == (JobState.DONE, 40)
            assert all(message.clip is None for message in on.chat.shown())

    run(play)


def test_a_command_that_nobody_can_read_does_not_keep_the_others_from_the_start(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=BILLS) as on:
            actor = {"platform": "chat", "external_id": "ann", "roles": []}
            sound = {
                "actor": actor,
                "place": Place("chat", chat="room").as_json(),
                "fields": {"prompt": "a lighthouse"},
            }
            await on.store.receive("chat", "1", {**sound, "actor": {**actor, "of a later version": 1}})
            await on.store.receive("chat", "2", sound)
            assert await on.engine.intake.accept_leftovers() == 1
            assert await on.store.pending_inbox() == []

    run(play)
