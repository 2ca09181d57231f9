"""Faults of adapters and of the store around the lanes: nothing is posted twice, nothing spins, nobody starves. In virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.engine import deliveries, lanes
from core.errors import DatabaseFault, DiskFull
from core.jobs import Place
from core.states import DeliveryState
from tests.lab.chat import Chat
from tests.lab.chat_platform import LIMITS, ChatPlatform, DirectLine
from tests.lab.generator import LabSettings
from tests.lab.stage import stage
from tests.lab.virtual_time import VirtualClock, run

NO_NONCE = replace(LIMITS, idempotent_send=False)
"""A message becomes its clip, as often as need be; but whether a new message arrived, nobody can know."""


@pytest.mark.parametrize("nonce", [True, False], ids=["nonce", "no nonce"])
def test_a_deleted_message_is_posted_anew_once_even_if_the_answer_is_lost(tmp_path: Path, nonce: bool) -> None:
    """The edit that would bring the clip finds no message; the new one arrives, and its answer does not."""

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=0, limits=LIMITS if nonce else NO_NONCE) as on:
            job = await on.order()
            receipt = await on.card(job)

            def reach(point: str) -> None:
                if point == "sending":
                    on.chat.remove(receipt.message)

            on.parts.reach = reach
            on.chat.script("send", "lose answer")
            await on.settled(job)
            await asyncio.sleep(120)
            assert sum(message.clip is not None for message in on.chat.messages.values()) == 1
            (delivery,) = await on.store.deliveries_of_job(job.id)
            assert delivery.state is (DeliveryState.SENT if nonce else DeliveryState.UNCLEAR)

    run(play)


@pytest.mark.parametrize("call", ["deliver", "edit", "notify"])
def test_an_adapter_that_breaks_is_asked_a_bounded_number_of_times(tmp_path: Path, call: str) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=80) as on:
            calls = 0

            async def broken(*_: Any) -> Any:
                nonlocal calls
                calls += 1
                raise KeyError("a field that this adapter expected")

            setattr(on.parts.platforms["chat"], call, broken)
            job = await on.order()
            await on.card(job)
            await on.settled(job, 6 * 3600)
            edits = lanes.EDIT_TRIES + int(lanes.GIVE_UP_SECONDS / lanes.LONGEST_WAIT) + 3
            most = {"deliver": deliveries.TRIES, "edit": edits, "notify": deliveries.NOTIFY_TRIES}[call]
            assert 1 < calls <= most
            assert (await on.store.view(job.id)).clip is not None
            expected = DeliveryState.DEAD if call == "deliver" else DeliveryState.SENT
            assert [each.state for each in await on.store.deliveries_of_job(job.id)] == [expected]

    run(play)


def test_a_lane_that_breaks_rests(tmp_path: Path) -> None:
    """A due delivery whose lane breaks is looked at again after a while, not at once and at once again."""

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=0) as on:
            real, calls = on.engine.desk.card, 0

            async def card(job_id: str) -> Any:
                nonlocal calls
                calls += 1
                if calls < 100:  # else the test would spin, too
                    raise RuntimeError("unforeseen")
                return await real(job_id)

            job = await on.order()
            on.engine.desk.card = card  # type: ignore[method-assign] # the one thing that is broken

            async def done() -> bool:
                return (await on.store.job(job.id)).ended

            await on.until(done)
            await asyncio.sleep(60)
            assert calls < 12
            on.engine.desk.card = real  # type: ignore[method-assign]
            await on.settled(job)

    run(play)


def test_a_database_that_is_busy_at_the_start_does_not_end_the_lanes(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        chat = Chat(clock.monotonic)
        async with stage(tmp_path, clock, chat=chat, seconds=100) as on:
            job = await on.order()
            await on.card(job)
        async with stage(tmp_path, clock, chat=chat, seconds=20) as on:
            real, faults = on.store.open_cards, 2

            async def open_cards(after: int, most: int) -> Any:
                nonlocal faults
                if faults:
                    faults -= 1
                    raise DatabaseFault("locked")
                return await real(after, most)

            on.store.open_cards = open_cards  # type: ignore[method-assign]
            await on.settled(job)
            assert faults == 0
            assert on.engine.broken == {}

    run(play)


def test_a_crowd_before_a_deaf_platform_starves_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More uploads hang and wait on one platform than are looked at in one read: a notice elsewhere is said all the same."""
    monkeypatch.setattr(lanes, "WALK", 10)

    async def play(clock: VirtualClock) -> None:
        deaf = Chat(clock.monotonic)
        platforms = {"deaf": ChatPlatform(DirectLine(deaf), None, clock, name="deaf")}
        lab = LabSettings(name="lab", unpaid=True, price=0, most_active=100, poll_seconds=(2.0, 5.0))
        async with stage(tmp_path, clock, seconds=70, platforms=platforms, lab=lab) as on:
            stuck = [await on.order(f"s{n}", place=Place("deaf", chat=f"c{n}")) for n in range(40)]
            deaf.deaf = True

            async def all_wait() -> bool:
                return (
                    len(await on.store.database.read(lambda c: c.execute("SELECT 1 FROM deliveries").fetchall())) == 40
                )

            await on.until(all_wait)
            job = await on.order("fine")
            await on.card(job)
            on.chat.script(
                "send", "unreachable", "unreachable", "unreachable"
            )  # so that it is found by its due time alone
            began = clock.monotonic()
            await on.settled(job, 300)
            assert clock.monotonic() - began < 150
            assert [message.text for message in on.chat.shown() if "it is ready" in message.text]
            deaf.deaf = False
            for each in stuck:
                await on.settled(each, 7200)

    run(play)


def test_a_full_disk_while_a_copy_is_made_leaves_no_doubt(tmp_path: Path) -> None:
    """Nothing was sent, so it is no unclear delivery: the smaller copy is made again when there is room."""

    async def play(clock: VirtualClock) -> None:
        limits = replace(NO_NONCE, message_becomes_clip=False)
        async with stage(tmp_path, clock, seconds=5, size=12 << 20, limits=limits) as on:
            real, faults = on.parts.media.fit, 2

            async def fit(*arguments: Any, **more: Any) -> Any:
                nonlocal faults
                if faults:
                    faults -= 1
                    raise DiskFull("no room")
                return await real(*arguments, **more)

            on.parts.media.fit = fit  # type: ignore[method-assign]
            job = await on.order()
            await on.settled(job)
            (delivery,) = await on.store.deliveries_of_job(job.id)
            assert (delivery.state, faults) == (DeliveryState.SENT, 0)

    run(play)


@pytest.mark.parametrize("slow", [1, 100], ids=["once", "always"])
def test_a_slow_encode_leaves_no_doubt(tmp_path: Path, slow: int) -> None:
    """Nothing was sent while a smaller copy was made, so it is tried again, and what this machine cannot do becomes a link."""

    async def play(clock: VirtualClock) -> None:
        limits = replace(NO_NONCE, message_becomes_clip=False)
        async with stage(
            tmp_path, clock, seconds=5, size=12 << 20, limits=limits, link=lambda _: "https://clips.test/1"
        ) as on:
            real, left = on.parts.media.fit, slow

            async def fit(*arguments: Any, **more: Any) -> Any:
                nonlocal left
                if left:
                    left -= 1
                    await asyncio.sleep(1e6)
                return await real(*arguments, **more)

            on.parts.media.fit = fit  # type: ignore[method-assign]
            job = await on.settled(await on.order(), 3 * 3600)
            (delivery,) = await on.store.deliveries_of_job(job.id)
            assert delivery.state is DeliveryState.SENT
            sent = [message for message in on.chat.shown() if message.clip or "clips.test" in message.text]
            assert [message.clip is not None for message in sent] == [slow == 1]

    run(play)


def test_an_upload_that_hangs_stays_in_doubt(tmp_path: Path) -> None:
    """After an encode that took long, the upload has its whole time, and only that can be unclear."""

    async def play(clock: VirtualClock) -> None:
        limits = replace(NO_NONCE, message_becomes_clip=False)
        async with stage(tmp_path, clock, seconds=5, size=12 << 20, limits=limits) as on:
            real, began = on.parts.media.fit, 0.0

            async def fit(*arguments: Any, **more: Any) -> Any:
                nonlocal began
                await asyncio.sleep(deliveries.ENCODE_SECONDS - 60)
                began = clock.monotonic()
                return await real(*arguments, **more)

            async def hangs(*_: Any) -> Any:
                await asyncio.sleep(1e6)

            on.parts.media.fit = fit  # type: ignore[method-assign]
            on.parts.platforms["chat"].deliver = hangs  # type: ignore[assignment, method-assign]
            job = await on.settled(await on.order(), 3 * 3600)
            (delivery,) = await on.store.deliveries_of_job(job.id)
            assert delivery.state is DeliveryState.UNCLEAR
            assert deliveries.UPLOAD_SECONDS <= clock.monotonic() - began < deliveries.UPLOAD_SECONDS + 60

    run(play)


def test_a_chore_that_breaks_is_done_again(tmp_path: Path) -> None:
    """The disk is watched on, whatever went wrong with one look at it."""

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5) as on:
            looks = 0

            async def free_bytes() -> int:
                nonlocal looks
                looks += 1
                if looks == 1:
                    raise ValueError("unforeseen")
                return -1

            on.parts.clips.free_bytes = free_bytes  # type: ignore[method-assign] # the disk of this world

            async def told() -> bool:
                return [cause for cause, _, _ in await on.store.alerts()] == ["low disk"]

            await on.until(told, 120)
            assert on.engine.broken == {}

    run(play)


def test_a_credential_is_erased_when_it_is_of_no_use(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        place = Place("chat", chat="room", visibility="only_owner")
        async with stage(tmp_path, clock, seconds=5) as on:
            job = await on.order(place=place)
            await on.card(job)
            await on.settled(job)

            async def kept() -> int:
                sql = "SELECT receipt FROM cards UNION ALL SELECT receipt FROM deliveries"
                found = await on.store.database.read(lambda c: [row[0] for row in c.execute(sql).fetchall()])
                assert found
                return sum("credential-" in str(text) for text in found)

            assert await kept() == 2
            assert await on.store.drop_credentials() == 0
            await asyncio.sleep(2000)
            assert await kept() == 0, "housekeeping has erased them"

    run(play)
