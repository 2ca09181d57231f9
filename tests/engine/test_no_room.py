"""A chat that has no room for a clip yet: nothing was tried, nothing is in doubt, and no other chat waits for it. In virtual time."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.engine import deliveries
from bot.engine.lanes import AT_ONCE_PER_CHAT, AT_ONCE_PER_PLATFORM
from core.cards import Card
from core.errors import PlatformBusy
from core.jobs import Job, Place, Receipt
from core.ports import ClipFile
from core.states import DeliveryState
from tests.lab.chat import Chat
from tests.lab.chat_platform import LIMITS, ChatPlatform, DirectLine
from tests.lab.stage import Stage, stage
from tests.lab.virtual_time import VirtualClock, run

HALL = Place("hall", chat="hall")
OFTEN = 3 * deliveries.TRIES
"""More often than anything may fail."""


class Narrow(ChatPlatform):
    """A chat that takes nothing while it is said to be full; like Telegram it drops no repeated send."""

    def __init__(self, chat: Chat, clock: VirtualClock) -> None:
        limits = replace(LIMITS, idempotent_send=False, message_becomes_clip=False)
        super().__init__(DirectLine(chat), None, clock, name="hall", limits=limits)
        self.full_before = self.full_after = 0
        """How often it says so before anything is made, and when it is called."""
        self.full_for = "clip"
        self.asked: list[str] = []
        self.inside = self.most_inside = 0
        self.hangs = asyncio.Event()
        self.hangs.set()

    def room(self, place: Place, receipt: Receipt | None, card: Card, *, is_notice: bool = False) -> float:
        del place, receipt, card
        what = "notice" if is_notice else "clip"
        self.asked.append(what)
        if self.full_before > 0 and what == self.full_for:
            self.full_before -= 1
            return 5.0
        return 0.0

    def _full(self, what: str) -> None:
        if self.full_after > 0 and what == self.full_for:
            self.full_after -= 1
            raise PlatformBusy("no room", retry_after=5.0, left_out=True)

    async def deliver(self, place: Place, receipt: Receipt | None, clip: ClipFile, card: Card) -> Receipt:
        self._full("clip")
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            if place.chat == "hall":
                await self.hangs.wait()
            return await super().deliver(place, receipt, clip, card)
        finally:
            self.inside -= 1

    async def notify(self, place: Place, receipt: Receipt | None, card: Card) -> None:
        self._full("notice")
        await super().notify(place, receipt, card)


def play_in_hall(tmp_path: Path, what: Any, **settings: Any) -> None:
    async def play(clock: VirtualClock) -> None:
        chat = Chat(clock.monotonic)
        hall = Narrow(chat, clock)
        async with stage(tmp_path, clock, chat=chat, platforms={"hall": hall}, **settings) as on:
            await what(on, hall)

    run(play)


async def clip_row(on: Stage, job: Job) -> Any:
    (found,) = await on.store.deliveries_of_job(job.id)
    return found


async def arrived(on: Stage, job: Job) -> None:
    async def look() -> bool:
        return any(each.state is DeliveryState.SENT for each in await on.store.deliveries_of_job(job.id))

    await on.until(look)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_clip_waits_for_room_as_long_as_it_takes(tmp_path: Path, when: str, caplog: Any) -> None:
    async def what(on: Stage, hall: Narrow) -> None:
        with caplog.at_level(logging.INFO):
            setattr(hall, f"full_{when}", OFTEN)
            reached: list[str] = []
            on.parts.reach = reached.append
            job = await on.order(place=HALL)
            await on.card(job)
            await on.settled(job)
        row = await clip_row(on, job)
        assert (row.state, row.tries) == (DeliveryState.SENT, 1), "only the call that was made is a try"
        assert hall.asked.count("clip") == OFTEN + 1
        assert [message.clip is not None for message in on.chat.shown("hall")].count(True) == 1
        assert await on.store.alerts() == []
        assert not [each for each in caplog.records if each.name == "reelay.deliveries"]
        if when == "before":
            assert reached.count("sending") == 1, "it does not count as begun while it waits"

    play_in_hall(tmp_path, what)


def test_a_process_that_ends_while_a_clip_waits_for_room_leaves_nothing_in_doubt(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        chat = Chat(clock.monotonic)
        hall = Narrow(chat, clock)
        hall.full_before = OFTEN
        async with stage(tmp_path, clock, chat=chat, platforms={"hall": hall}) as on:
            job = await on.order(place=HALL)
            await on.card(job)
            await on.until(lambda: hall.asked.count("clip") > 2)
            row = await clip_row(on, job)
            assert (row.state, row.tries) == (DeliveryState.PENDING, 0)
        hall = Narrow(chat, clock)
        async with stage(tmp_path, clock, chat=chat, platforms={"hall": hall}) as on:
            await on.settled(job)
            row = await clip_row(on, job)
            assert (row.state, row.tries) == (DeliveryState.SENT, 1)
        assert [message.clip is not None for message in chat.shown("hall")].count(True) == 1

    run(play)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_notice_waits_for_room_as_well(tmp_path: Path, when: str) -> None:
    async def what(on: Stage, hall: Narrow) -> None:
        setattr(hall, f"full_{when}", OFTEN)
        hall.full_for = "notice"
        job = await on.order(place=HALL)
        await on.card(job)
        await on.settled(job)
        (notice,) = (await on.store.lane_work(job.id)).notices
        assert (notice.state, notice.tries) == (DeliveryState.SENT, 1)
        assert hall.asked.count("notice") == OFTEN + 1
        assert sum("it is ready" in line.text for line in on.chat.journal) == 1

    play_in_hall(tmp_path, what, seconds=80)


def test_a_chat_that_hangs_keeps_no_other_from_its_clip(tmp_path: Path) -> None:
    async def what(on: Stage, hall: Narrow) -> None:
        hall.hangs.clear()
        crowd = [await on.order(f"film {n}", place=HALL) for n in range(2 * AT_ONCE_PER_PLATFORM)]
        for job in crowd:
            await on.card(job)
        await on.until(lambda: hall.inside == AT_ONCE_PER_CHAT)
        began = on.clock.monotonic()
        stranger = await on.order("alone", person="eve", place=replace(HALL, chat="elsewhere"))
        await on.card(stranger)
        await arrived(on, stranger)
        assert on.clock.monotonic() - began < 60
        assert hall.most_inside == AT_ONCE_PER_CHAT + 1
        hall.hangs.set()
        for job in crowd:
            await on.settled(job)
        assert sum(message.clip is not None for message in on.chat.shown("hall")) == len(crowd)

    play_in_hall(tmp_path, what)
