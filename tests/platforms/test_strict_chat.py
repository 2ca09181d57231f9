"""The engine's lanes against the strict fake chat, in virtual time: one true message per job, within every limit."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.jobs import Job, Place
from core.states import DeliveryState
from storage.store import SqliteStore
from tests.lab.chat import PER_SECONDS, Chat, Fault, Message
from tests.lab.chat_platform import LIMITS, ChatPlatform, DirectLine
from tests.lab.generator import LabSettings
from tests.lab.stage import Stage, stage
from tests.lab.virtual_time import VirtualClock, run

NO_NONCE = replace(LIMITS, message_becomes_clip=False, idempotent_send=False)
"""Like a platform whose clips are messages of their own, and that knows no nonce."""


def cards(chat: Chat, room: str = "room") -> list[Message]:
    """The cards and clips that stand in the room, without the short replies that something is ready."""
    return [message for message in chat.shown(room) if "it is ready" not in message.text]


def only(chat: Chat, room: str = "room") -> Message:
    """The one card or clip that stands in the room."""
    shown = cards(chat, room)
    assert len(shown) == 1, [message.text for message in shown]
    return shown[0]


def busiest(message: Message) -> int:
    """The most edits of a message in any 20 seconds."""
    return max((sum(at <= other < at + PER_SECONDS for other in message.edits) for at in message.edits), default=0)


def test_one_message_becomes_the_clip(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=120) as on:
            job = await on.order()
            await on.card(job)
            job = await on.settled(job)
            message = only(on.chat)
            assert message.clip == on.generator.size
            assert message.clip_is_original
            assert job.state == "done"
            assert message.text.splitlines()[1] == "Made with Lab lab in 2 min · AI-generated"
            assert "delete" in message.buttons or "download" in message.buttons
            states = [text.splitlines()[1] for text in message.history]
            assert len(message.edits) >= 8, "a job of two minutes is told about on the way"
            assert all(one != two for one, two in zip(message.history, message.history[1:], strict=False)), states
            assert on.chat.rate_limited() == []
            assert busiest(message) <= 5
            sends = [line for line in on.chat.journal if line.call == "send"]
            assert len(sends) == 2, "the card, and one short reply because it took more than a minute"

    run(play)


def test_the_budget_holds_for_many_messages_at_once(tmp_path: Path) -> None:
    """Seven jobs in one room, minutes of edits: not one is refused, and each card ends as its clip."""

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=70) as on:
            jobs = [await on.order(f"clip {n}", person=f"p{n % 7}") for n in range(7)]
            for job in jobs:
                await on.settled(job)
            assert on.chat.rate_limited() == []
            messages = cards(on.chat)
            assert len(messages) == 7
            assert max(busiest(message) for message in messages) <= 5
            for message in messages:
                assert message.clip
                assert all(one != two for one, two in zip(message.history, message.history[1:], strict=False))
                progress = [line for line in message.history if "%" in line]
                assert len(progress) > 5

    run(play)


def test_a_job_that_changes_ten_times_a_second_is_edited_at_the_places_pace(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=60) as on:
            job = await on.order()
            await on.card(job)
            for _ in range(300):
                on.engine.lanes.touch(job.id)
                await asyncio.sleep(0.1)
            await on.settled(job)
            assert on.chat.rate_limited() == []
            assert busiest(only(on.chat)) <= 5

    run(play)


@pytest.mark.parametrize("end", ["cancel", "fail"])
def test_the_last_edit_tells_the_end(tmp_path: Path, end: str) -> None:
    async def play(clock: VirtualClock) -> None:
        lab = None
        async with stage(tmp_path, clock, seconds=1e6, lab=lab) as on:
            job = await on.order()
            await on.card(job)
            await asyncio.sleep(20)
            if end == "cancel":
                await on.engine.cancel(job.id)
            else:
                clock.shift += 4000
            job = await on.settled(job)
            message = only(on.chat)
            edits = len(message.edits)
            assert message.text.splitlines()[1].startswith(
                {"cancel": "Cancelled", "fail": "This clip was not made."}[end]
            )
            assert "cancel" not in message.buttons
            await asyncio.sleep(100)
            assert len(message.edits) == edits, "after the last edit there is none"
            assert on.chat.rate_limited() == []

    run(play)


def test_a_restart_brings_every_stale_card_up_to_date(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        chat = Chat(clock.monotonic)
        async with stage(tmp_path, clock, chat=chat, seconds=100) as on:
            jobs = [await on.order(f"clip {n}") for n in range(5)]
            for job in jobs:
                await on.card(job)
            await asyncio.sleep(12)
        before = {message.id: message.text for message in cards(chat)}
        clock.shift += 300
        async with stage(tmp_path, clock, chat=chat, seconds=20) as on:
            for job in jobs:
                await on.settled(job)
        assert len(cards(chat)) == 5, "the same messages, no new ones"
        for message in cards(chat):
            assert message.text != before[message.id]
            assert message.clip
        assert chat.rate_limited() == []

    run(play)


def test_a_restart_between_upload_and_receipt_shows_one_clip(tmp_path: Path) -> None:
    """The answer to the upload is lost and the process ends: the same message is edited again, no second clip appears."""

    async def play(clock: VirtualClock) -> None:
        chat = Chat(clock.monotonic)
        async with stage(tmp_path, clock, chat=chat, seconds=0) as on:
            job = await on.order()
            await on.card(job)
            chat.script("edit", "lose answer")
            await on.until(lambda: uploads(chat))
        async with stage(tmp_path, clock, chat=chat, seconds=0) as on:
            await on.settled(job)
        assert only(chat).clip
        assert chat.rate_limited() == []

    run(play)


def uploads(chat: Chat) -> int:
    """Messages that carry a clip."""
    return sum(message.clip is not None for message in chat.messages.values())


# -------------------------------------------------------------------------------------------------------------------------- the ladder


def ladder(folder: Path, size: int, **options: Any) -> tuple[Message, Stage]:
    async def play(clock: VirtualClock) -> tuple[Message, Stage]:
        chat = options.pop("chat", None) or Chat(clock.monotonic)
        async with stage(folder, clock, chat=chat, seconds=5, size=size, **options) as on:
            job = await on.order(place=options.get("place"))
            await on.card(job)
            assert (await on.settled(job)).state == "done"
            return only(on.chat), on

    return run(play)


def test_a_clip_that_fits_goes_as_it_is(tmp_path: Path) -> None:
    message, _ = ladder(tmp_path, 10 << 20)
    assert (message.clip, message.clip_is_original) == (10 << 20, True)
    assert "smaller" not in message.text


def test_a_clip_that_is_too_large_goes_smaller_and_says_so(tmp_path: Path) -> None:
    message, _ = ladder(tmp_path, (10 << 20) + 1)
    assert message.clip is not None
    assert message.clip <= 10 << 20
    assert not message.clip_is_original
    assert "10" in message.text
    assert "MB" in message.text


def test_a_place_that_takes_less_than_it_said_gets_a_smaller_one(tmp_path: Path) -> None:
    chat = Chat()
    chat.script("edit")

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, chat=chat, seconds=5, size=6 << 20) as on:
            job = await on.order()
            await on.card(job)
            chat.upload_bytes = 4 << 20
            await on.settled(job)
            message = only(chat)
            assert message.clip is not None
            assert message.clip <= 4 << 20
            assert not message.clip_is_original

    run(play)


@pytest.mark.parametrize("link", [None, "https://clips.example/x"])
def test_what_cannot_be_made_small_enough_becomes_a_link_or_words(tmp_path: Path, link: str | None) -> None:
    chat = Chat()
    chat.upload_bytes = 200_000

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, chat=chat, seconds=5, size=30 << 20, link=lambda _clip: link) as on:
            job = await on.order()
            await on.card(job)
            assert (await on.settled(job)).state == "done"
            message = only(chat)
            assert message.clip is None
            assert (link or "gallery") in message.text or link is None
            assert "31 MB" in message.text

    run(play)


# ------------------------------------------------------------------------------------------------------------------------- trouble


def test_a_message_that_somebody_deleted_is_posted_anew_with_the_clip(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=60) as on:
            job = await on.order()
            receipt = await on.card(job)
            await asyncio.sleep(10)
            on.chat.remove(receipt.message)
            await on.settled(job)
            clips = [message for message in on.chat.shown() if message.clip]
            assert len(clips) == 1
            assert clips[0].id != receipt.message

    run(play)


@pytest.mark.parametrize("fault", ["unreachable", "broken", "lose answer", "busy"])
def test_a_card_whose_edit_fails_is_told_later(tmp_path: Path, fault: Any) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=60) as on:
            job = await on.order()
            await on.card(job)
            on.chat.script("edit", fault, fault)
            await on.settled(job)
            assert only(on.chat).clip

    run(play)


@pytest.mark.parametrize("fault", ["unreachable", "broken", "lose answer", "busy"])
def test_a_clip_whose_upload_fails_is_brought_again_into_the_same_message(tmp_path: Path, fault: Any) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=0) as on:
            job = await on.order()
            await on.card(job)
            on.chat.script("edit", *[fault] * 4)
            await on.settled(job)
            assert only(on.chat).clip
            delivery = (await on.store.deliveries_of_job(job.id))[0]
            assert delivery.state is DeliveryState.SENT

    run(play)


def test_a_clip_that_is_ready_before_the_command_was_answered_waits_for_that_message(tmp_path: Path) -> None:
    """A quick clip once overtook the answer to its own command, and there were two messages."""

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=0) as on:
            job = await on.order()

            async def kept() -> bool:
                return (await on.store.job(job.id)).ended

            await on.until(kept, 4)
            await on.card(job)
            await on.settled(job)
            assert only(on.chat).clip

    run(play)


def test_an_upload_whose_answer_was_lost_is_never_posted_twice(tmp_path: Path) -> None:
    """Where a clip is a message of its own and no nonce is known: it may be there, so the card says so and ``resend`` posts it."""

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=60, limits=NO_NONCE) as on:
            job = await on.order()
            await on.card(job)
            await asyncio.sleep(5)
            on.chat.script("send", "lose answer")
            await on.until(lambda: delivered(on.store, job, DeliveryState.UNCLEAR))
            await asyncio.sleep(120)
            assert uploads(on.chat) == 1
            card = next(message for message in on.chat.shown() if not message.clip)
            assert "could not see whether the clip arrived" in card.text
            assert await on.engine.resend(job.id) == "again"
            await on.until(lambda: delivered(on.store, job, DeliveryState.SENT))
            assert uploads(on.chat) == 2

    run(play)


async def delivered(store: SqliteStore, job: Job, state: DeliveryState) -> bool:
    """Whether a delivery of the job is in ``state``."""
    return any(each.state is state for each in await store.deliveries_of_job(job.id))


def test_a_room_that_shuts_us_out_keeps_the_clip_and_tells_the_operator(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=30) as on:
            job = await on.order()
            await on.card(job)
            refusals: list[Fault] = ["forbidden"] * 50
            on.chat.script("edit", *refusals)
            on.chat.script("send", *refusals)
            await on.until(lambda: delivered(on.store, job, DeliveryState.DEAD))
            await asyncio.sleep(300)
            assert (await on.store.view(job.id)).clip is not None
            causes = [cause for cause, _, _ in await on.store.alerts()]
            assert causes == ["delivery chat"], "no room is named: anybody may read it in /readyz"
            tries = [line for line in on.chat.journal if line.status == 403]
            assert len(tries) <= 3, "a shut door is not knocked at again and again"

    run(play)


def test_a_private_message_is_edited_with_its_credential_and_never_shown_in_the_room(tmp_path: Path) -> None:
    place = Place("chat", chat="room", visibility="only_owner")

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=60) as on:
            job = await on.order(place=place)
            await on.card(job)
            await on.settled(job)
            assert only(on.chat).only_owner
            assert only(on.chat).clip

    run(play)


def test_a_credential_that_has_expired_leads_to_no_public_message(tmp_path: Path) -> None:
    place = Place("chat", chat="room", visibility="only_owner")

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=950) as on:
            job = await on.order(place=place)
            await on.card(job)
            await on.until(lambda: clock.monotonic() > 2100, 4000)
            assert (await on.store.job(job.id)).state == "done"
            assert all(message.only_owner for message in on.chat.shown())
            assert (await on.store.view(job.id)).clip is not None, "the gallery has it"

    run(play)


def test_one_deaf_platform_does_not_hold_up_another(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        deaf = Chat(clock.monotonic)
        deaf.deaf = True
        platforms = {"deaf": ChatPlatform(DirectLine(deaf), None, clock, name="deaf")}
        lab = LabSettings(name="lab", unpaid=True, price=0, most_active=100, poll_seconds=(2.0, 5.0))
        async with stage(tmp_path, clock, seconds=20, platforms=platforms, lab=lab) as on:
            stuck = [await on.order(f"s{n}", place=Place("deaf", chat=f"c{n}")) for n in range(40)]
            fine = [await on.order(f"f{n}") for n in range(5)]
            began = clock.monotonic()
            for job in fine:
                await on.settled(job)
            took = clock.monotonic() - began
            assert took < 60, f"the others waited {took:.0f} s"
            for job in stuck:
                await on.until(lambda job=job: ended(on.store, job))
            began = clock.monotonic()
            await on.settled(await on.order("while forty uploads hang"))
            assert clock.monotonic() - began < 60
            deaf.deaf = False
            for job in stuck:
                await on.settled(job, 7200)

    run(play)


async def ended(store: SqliteStore, job: Job) -> bool:
    return (await store.job(job.id)).ended


def test_a_send_whose_answer_was_lost_is_the_same_message_when_repeated(tmp_path: Path) -> None:
    """The lane posts the card itself; with a nonce a repeated post is the message that is there."""

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=60) as on:
            on.chat.script("send", "lose answer", "lose answer")
            job = await on.order()
            await on.settled(job)
            assert only(on.chat).clip

    run(play)
