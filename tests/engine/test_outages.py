"""A platform that is down: a card is not given up while its job may still be told of, and its tries neither spin nor rest for hours."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

from bot.engine.lanes import EDIT_SECONDS, GIVE_UP_SECONDS, LONGEST_WAIT
from core.errors import ContentRefused
from core.ports import Failed
from core.states import JobState
from tests.lab.generator import LabSettings
from tests.lab.stage import stage
from tests.lab.virtual_time import VirtualClock, run

BILLS = LabSettings(name="lab", price=40, cancel=False, maximum_seconds=60.0, poll_seconds=(2.0, 5.0))


def test_a_job_that_fails_while_its_platform_is_down_says_so_when_it_is_back(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=1e6) as on:
            job = await on.order()
            await on.card(job)
            await asyncio.sleep(30)

            async def refused(ticket: Any) -> Any:
                return Failed(ContentRefused("no"))

            on.chat.deaf = True
            await asyncio.sleep(120)  # the running card's edits fail before the job does
            on.generator.poll = refused  # type: ignore[method-assign]
            await asyncio.sleep(600)
            assert (await on.store.job(job.id)).state is JobState.FAILED
            on.chat.deaf = False
            began = clock.monotonic()
            await on.settled(job)
            assert clock.monotonic() - began <= LONGEST_WAIT + EDIT_SECONDS
            (message,) = on.chat.shown()
            assert "declined this prompt" in message.text
            assert on.figures.edits["failed"] > 6

    run(play)


def test_a_late_clip_has_its_own_hour(tmp_path: Path) -> None:
    """The platform is down when a clip comes hours after its job was given up: its card is told of it all the same."""

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=4 * 3600, lab=BILLS) as on:
            job = await on.order()
            await on.card(job)
            await on.settled(job)

            async def came() -> bool:
                return (await on.store.job(job.id)).clip_id is not None

            on.chat.deaf = True
            await on.until(came, 6 * 3600)
            await asyncio.sleep(900)
            on.chat.deaf = False
            await on.settled(job)
            assert "came late" in on.chat.shown()[0].text

    run(play)


def test_a_card_that_nobody_can_edit_is_given_up_after_an_hour(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=1e6, lab=BILLS) as on:
            tries: list[float] = []

            async def broken(*_: Any) -> Any:
                tries.append(clock.monotonic())
                raise KeyError("a field that this adapter expected")

            on.parts.platforms["chat"].edit = broken  # type: ignore[assignment, method-assign]
            job = await on.order()
            await on.card(job)
            job = await on.settled(job, 3 * 3600)
            assert job.finished_at is not None
            late = (clock.now() - job.finished_at) / 1000 - GIVE_UP_SECONDS
            assert 0 <= late <= LONGEST_WAIT + 1
            assert max(b - a for a, b in pairwise(tries)) <= LONGEST_WAIT + 1
            assert len(tries) < 30

    run(play)
