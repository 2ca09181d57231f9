"""The one short reply that a clip is ready: durable, said once, and never in the way of a clip. In virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.engine import deliveries
from core.jobs import Job
from core.states import DeliveryState
from tests.lab.chat import Chat, Fault, Line
from tests.lab.chat_platform import LIMITS
from tests.lab.stage import Stage, stage
from tests.lab.virtual_time import VirtualClock, run

READY = "it is ready"
NO_NONCE = replace(LIMITS, idempotent_send=False)
"""Like Telegram: whether a message arrived whose answer was lost, nobody can know."""


def ready(chat: Chat) -> int:
    """How often somebody in the room reads that a clip is ready."""
    return sum(READY in message.text for message in chat.shown())


def said(chat: Chat) -> list[Line]:
    """Every call that says so, whatever became of it."""
    return [line for line in chat.journal if line.call == "send" and READY in line.text]


async def made(on: Stage, *, card: bool = True) -> Job:
    """Order a clip and wait for its end, its delivery and its notice."""
    job = await on.order()
    if card:
        await on.card(job)
    return await on.settled(job)


async def delivered(on: Stage, job: Job) -> Job:
    """Wait only for the clip."""

    async def look() -> bool:
        return any(each.state is DeliveryState.SENT for each in await on.store.deliveries_of_job(job.id))

    await on.until(look)
    return await on.store.job(job.id)


async def notice_state(on: Stage, job: Job) -> list[DeliveryState]:
    return [notice.state for notice in (await on.store.lane_work(job.id)).notices]


@pytest.mark.parametrize("seconds, times", [(40, 0), (80, 1)])
def test_only_a_job_that_took_more_than_a_minute_is_announced(tmp_path: Path, seconds: float, times: int) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=seconds) as on:
            job = await made(on)
            assert (ready(on.chat), len(said(on.chat))) == (times, times)
            assert await notice_state(on, job) == [DeliveryState.SENT] * times

    run(play)


@pytest.mark.parametrize("wish, times", [(None, 1), (True, 1), (False, 0)])
def test_whoever_wants_no_notice_gets_none(tmp_path: Path, wish: bool | None, times: int) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=80) as on:
            job = await on.order()
            await on.store.set_settings(job.account_id, {"notify": wish})
            await on.card(job)
            await on.settled(job)
            assert ready(on.chat) == times

    run(play)


def test_sending_again_announces_nothing_again(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=80) as on:
            job = await made(on)
            await on.engine.resend(job.id)
            await on.settled(job)
            assert sum(message.clip is not None for message in on.chat.shown()) == 2
            assert len(said(on.chat)) == 1

    run(play)


def test_a_notice_is_owed_in_the_moment_the_clip_is_sent(tmp_path: Path) -> None:
    """The process ends before it has said a word; the next one says it, once."""

    async def play(clock: VirtualClock) -> None:
        chat = Chat(clock.monotonic)
        async with stage(tmp_path, clock, chat=chat, seconds=80) as on:
            job = await on.order()
            await on.card(job)
            sent = asyncio.Event()
            on.parts.reach = lambda point: sent.set() if point == "delivered" else None
            await sent.wait()
            on.engine.lanes.stopping = True
            work = await on.store.lane_work(job.id)
            assert [notice.state for notice in work.notices] in ([DeliveryState.PENDING], [DeliveryState.SENDING])
            assert not work.settled
            assert ready(chat) == 0
        async with stage(tmp_path, clock, chat=chat, seconds=80) as on:
            await on.settled(job)
        assert ready(chat) == len(said(chat)) == 1

    run(play)


@pytest.mark.parametrize("fault", ["unreachable", "busy", "broken", "lose answer"])
@pytest.mark.parametrize("nonce", [True, False], ids=["nonce", "no nonce"])
def test_a_notice_is_said_again_only_where_nobody_reads_it_twice(tmp_path: Path, fault: Any, nonce: bool) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=80, limits=LIMITS if nonce else NO_NONCE) as on:
            job = await on.order()
            await on.card(job)
            on.chat.script("send", fault)
            await on.settled(job)
            doubtful = fault in {"broken", "lose answer"}
            if nonce or not doubtful:
                assert ready(on.chat) == 1
                assert await notice_state(on, job) == [DeliveryState.SENT]
            else:
                assert ready(on.chat) == (fault == "lose answer")
                assert len(said(on.chat)) == 1, "it may have arrived, so it is not said again"
                assert await notice_state(on, job) == [DeliveryState.UNCLEAR]
            assert (await on.store.view(job.id)).delivery == "sent", "the clip's own delivery is not touched by it"
            assert await on.store.alerts() == []

    run(play)


@pytest.mark.parametrize("nonce", [True, False], ids=["nonce", "no nonce"])
def test_a_notice_that_was_said_and_not_recorded_is_read_once(tmp_path: Path, nonce: bool) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=80, limits=LIMITS if nonce else NO_NONCE) as on:
            job = await on.order()
            await on.card(job)
            broken = ["notified"]

            def reach(point: str) -> None:
                if point in broken:
                    broken.remove(point)
                    raise RuntimeError("as if the process had ended here")

            on.parts.reach = reach
            await on.settled(job)
            assert broken == []
            assert ready(on.chat) == 1
            assert len(said(on.chat)) == (2 if nonce else 1)
            assert await notice_state(on, job) == [DeliveryState.SENT if nonce else DeliveryState.UNCLEAR]

    run(play)


def test_a_shut_door_is_knocked_at_once_and_nobody_is_alarmed(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=80) as on:
            job = await on.order()
            await on.card(job)
            refusals: list[Fault] = ["forbidden"] * 20
            on.chat.script("send", *refusals)
            await on.settled(job)
            assert len(said(on.chat)) == 1
            assert await notice_state(on, job) == [DeliveryState.DEAD]
            assert await on.store.alerts() == []
            assert [message.clip is not None for message in on.chat.shown()] == [True]

    run(play)


def test_a_room_that_stays_out_of_reach_is_tried_a_few_times(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=80) as on:
            job = await on.order()
            await on.card(job)
            refusals: list[Fault] = ["unreachable"] * 50
            on.chat.script("send", *refusals)
            await on.settled(job)
            assert len(said(on.chat)) == deliveries.NOTIFY_TRIES
            assert await notice_state(on, job) == [DeliveryState.DEAD]

    run(play)


def test_an_hour_later_it_is_no_news(tmp_path: Path) -> None:
    """The process was away between the clip and the word about it."""

    async def play(clock: VirtualClock) -> None:
        chat = Chat(clock.monotonic)
        async with stage(tmp_path, clock, chat=chat, seconds=80) as on:
            job = await on.order()
            await on.card(job)
            chat.script("send", "unreachable")
            await delivered(on, job)
            await on.until(lambda: said(chat))
        clock.shift += deliveries.NOTICE_IS_STALE_SECONDS + 60
        async with stage(tmp_path, clock, chat=chat, seconds=80) as on:
            await on.settled(job)
            assert await notice_state(on, job) == [DeliveryState.DEAD]
        assert ready(chat) == 0
        assert len(said(chat)) == 1, "the one that did not get through"

    run(play)


def test_a_hanging_notice_holds_up_no_clip(tmp_path: Path) -> None:
    """A notice hangs until its deadline; its own clip is sent by then, and the next one comes as quickly as ever."""

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=80) as on:
            first = await on.order()
            await on.card(first)
            hanging: list[str] = []
            platform = on.parts.platforms["chat"]
            real = platform.notify

            async def hang(place: Any, receipt: Any, card: Any) -> None:
                hanging.append(card.job_id)
                await asyncio.sleep(3600)
                await real(place, receipt, card)

            platform.notify = hang  # type: ignore[method-assign] # the one thing about this chat that is broken
            await delivered(on, first)
            await on.until(lambda: hanging)
            assert (await on.store.view(first.id)).delivery == "sent"
            began = clock.monotonic()
            second = await on.order("while it hangs")
            await on.card(second)
            await delivered(on, second)
            assert clock.monotonic() - began < 100
            platform.notify = real  # type: ignore[method-assign]
            await on.settled(first)
            await on.settled(second)
            assert ready(on.chat) == 2

    run(play)


def test_whoever_stopped_waiting_is_not_called_back(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=80) as on:
            job = await on.order()
            await on.card(job)
            await asyncio.sleep(10)
            await on.store.wish(job.id, "stop_waiting")
            assert (await on.settled(job)).state == "done"
            assert ready(on.chat) == 0

    run(play)
