"""What is erased while its clip is on its way, edits that a platform leaves out, and one notice per job. In virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.commands import clips
from core.cards import Card
from core.errors import Forbidden, NotFound, PlatformBusy
from core.jobs import Job, Place, Receipt
from core.ports import ClipFile
from core.states import DeliveryState
from tests.lab.chat import Chat
from tests.lab.chat_platform import ChatPlatform, DirectLine
from tests.lab.stage import Stage, stage
from tests.lab.virtual_time import VirtualClock, run

HALL = Place("hall", chat="hall")
READY = "it is ready"


class Hall(ChatPlatform):
    """A second chat whose uploads end when the test says so, and whose edits are left out while it says so."""

    def __init__(self, chat: Chat, clock: VirtualClock) -> None:
        super().__init__(DirectLine(chat), None, clock, name="hall")
        self.uploading, self.may_end = asyncio.Event(), asyncio.Event()
        self.may_end.set()
        self.leaves_out = self.is_out_of_reach = False
        self.left_out = 0

    async def edit(self, receipt: Receipt, card: Card) -> Receipt:
        if self.leaves_out and not card.final:
            self.left_out += 1
            raise PlatformBusy("not worth it", retry_after=900.0, left_out=True)
        return await super().edit(receipt, card)

    async def deliver(self, place: Place, receipt: Receipt | None, clip: ClipFile, card: Card) -> Receipt:
        done = await super().deliver(place, receipt, clip, card)
        self.uploading.set()
        await self.may_end.wait()
        return done

    async def delete(self, receipt: Receipt) -> None:
        if self.is_out_of_reach:
            raise Forbidden
        await super().delete(receipt)


def play_in_hall(tmp_path: Path, what: Any, **settings: Any) -> None:
    async def play(clock: VirtualClock) -> None:
        chat = Chat(clock.monotonic)
        hall = Hall(chat, clock)
        async with stage(tmp_path, clock, chat=chat, platforms={"hall": hall}, **settings) as on:
            await what(on, hall)

    run(play)


async def sent(on: Stage, job: Job, times: int) -> None:
    async def look() -> bool:
        states = [each.state for each in await on.store.deliveries_of_job(job.id)]
        return states.count(DeliveryState.SENT) == times

    await on.until(look)


@pytest.mark.parametrize("is_out_of_reach", [False, True], ids=["removed", "out of reach"])
def test_a_clip_that_lands_after_its_job_was_erased_is_taken_back(tmp_path: Path, is_out_of_reach: bool) -> None:
    async def what(on: Stage, hall: Hall) -> None:
        job = await on.order(place=replace(HALL, chat="room"))
        await on.card(job)
        job = await on.settled(job)
        hall.may_end.clear()
        hall.uploading.clear()
        await on.engine.resend(job.id, HALL)
        await hall.uploading.wait()
        hall.is_out_of_reach = is_out_of_reach
        told = await clips.take_away(on.engine, job.id)
        assert told == (1, 0 if is_out_of_reach else 1), "the message on its way is not known yet"
        assert len(on.chat.shown("hall")) == 1
        hall.may_end.set()
        await asyncio.sleep(5)
        assert len(on.chat.shown("hall")) == is_out_of_reach
        with pytest.raises(NotFound):
            await on.store.view(job.id, job.account_id)

    play_in_hall(tmp_path, what)


def test_an_edit_that_is_left_out_is_no_failure_and_no_truth(tmp_path: Path) -> None:
    async def what(on: Stage, hall: Hall) -> None:
        job = await on.order(place=HALL)
        await on.card(job)
        (before,) = on.chat.shown("hall")

        async def edited() -> bool:
            await asyncio.sleep(1)
            return len(before.edits) > 0

        await on.until(edited)
        edits, failed = len(before.edits), on.figures.edits.get("failed", 0)
        (shown,) = (await on.store.lane_work(job.id)).cards
        hall.leaves_out = True
        counted = dict(on.figures.edits)
        await asyncio.sleep(60)
        assert len(before.edits) == edits
        (mine,) = (await on.store.lane_work(job.id)).cards
        assert (mine.failures, mine.shown_hash) == (0, shown.shown_hash), "neither a failure nor shown"
        assert hall.left_out > 1
        assert hall.left_out <= 60 / hall.limits.seconds_between_edits + 1, (
            "looked at no more often than it may be edited"
        )
        assert on.figures.edits["sent"] == counted["sent"]
        assert on.figures.edits.get("failed", 0) == failed
        hall.leaves_out = False
        await on.until(lambda: len(before.edits) > edits, 60)
        hall.leaves_out = True
        await on.settled(job)
        assert before.clip is not None
        assert not (await on.store.lane_work(job.id)).cards

    play_in_hall(tmp_path, what, seconds=200)


def test_one_notice_per_job_wherever_its_clip_is_posted_again(tmp_path: Path) -> None:
    async def what(on: Stage, hall: Hall) -> None:
        job = await on.order(place=HALL)
        await on.card(job)
        await on.settled(job)
        for n, place in enumerate(
            (Place("hall", chat="elsewhere"), replace(HALL, language="fr", upload_limit=1 << 20))
        ):
            await on.engine.resend(job.id, place)
            await sent(on, job, n + 2)
            await on.settled(job)
        texts = [line.text for line in on.chat.journal if line.call == "send" and READY in line.text]
        assert len(texts) == 1

    play_in_hall(tmp_path, what, seconds=90)


def test_an_answer_to_a_resend_whose_clip_was_erased_is_told_so(tmp_path: Path) -> None:
    async def what(on: Stage, hall: Hall) -> None:
        job = await on.order(place=HALL)
        await on.card(job)
        job = await on.settled(job)
        row = await on.store.view(job.id)
        assert row.clip is not None
        later = on.clock.now() + 15_000
        first = await on.store.add_delivery(job.id, row.clip.id, HALL, None, later)
        await on.store.delivery_answered(first, Receipt(HALL, "5"))
        second = await on.store.add_delivery(job.id, row.clip.id, HALL, None, later)
        await on.engine.delete(job.id)
        with pytest.raises(NotFound) as caught:
            await on.store.delivery_answered(second, Receipt(HALL, "6"))
        assert caught.value.message_id == "error.clip_gone"

    play_in_hall(tmp_path, what)
