"""A generator that the settings have lost between two starts: its jobs fail at once, or are kept and say so. In virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.commands.making import order
from core.attachments import Attachment
from core.jobs import Actor, Job, Place
from core.states import AttemptState, JobState
from tests.lab.chat import Chat
from tests.lab.generator import LabSettings
from tests.lab.stage import Stage, stage
from tests.lab.virtual_time import VirtualClock, run

VEO = LabSettings(name="veo", price=40, maximum_seconds=600.0, most_active=1, poll_seconds=(2.0, 5.0))
OTHER = replace(VEO, name="other", price=7)
MISSING = "generator missing veo"


async def in_state(on: Stage, job: Job, *states: JobState) -> Job:
    async def look() -> bool:
        return (await on.store.job(job.id)).state in states

    await on.until(look)
    return await on.store.job(job.id)


async def causes(on: Stage) -> list[str]:
    return [cause for cause, _, _ in await on.store.alerts()]


async def held(on: Stage) -> int:
    return await on.store.database.read(lambda c: c.execute("SELECT TOTAL(held) FROM allowances").fetchone()[0])


def test_what_was_not_sent_fails_at_once_where_it_was_named(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        chat = Chat(clock.monotonic)
        async with stage(tmp_path, clock, chat=chat, seconds=1e6, lab=replace(VEO, most_active=0)) as on:
            job = await on.order(provider="veo")
            await on.card(job)
            assert (await on.store.job(job.id)).state is JobState.QUEUED
        async with stage(tmp_path, clock, chat=chat, lab=OTHER) as on:
            began = clock.monotonic()
            job = await on.settled(job)
            assert clock.monotonic() - began < 10
            assert job.failure is not None
            assert (job.state, job.charged, job.failure.code) == (JobState.FAILED, 0, "PROVIDER_UNAVAILABLE")
            assert await held(on) == 0
            assert await causes(on) == [], "nothing is left to be done about it"
            (message,) = chat.shown()
            assert "veo is not set up here any more. You were not charged" in message.text
            assert (await in_state(on, await on.order("another"), JobState.GENERATING, JobState.DONE)).price == 7

    run(play)


def test_a_picture_that_was_being_prepared_fails_too(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        chat = Chat(clock.monotonic)
        chat.script("picture", "unreachable", "unreachable")
        async with stage(tmp_path, clock, chat=chat, lab=VEO) as on:
            picture = Attachment("picture", "image/jpeg", reference={"picture": "p0"})
            place = Place("chat", chat="room")
            job, _ = await order(
                on.engine, Actor("chat", "ann"), place, {"prompt": "boat", "provider": "veo"}, attachment=picture
            )
            await asyncio.sleep(0.5)
            assert (await on.store.job(job.id)).state is JobState.PREPARING
        async with stage(tmp_path, clock, chat=chat, lab=OTHER) as on:
            job = await on.settled(job)
            assert job.failure is not None
            assert (job.state, job.failure.message_id) == (JobState.FAILED, "error.generator_missing")
            assert await held(on) == 0

    run(play)


def test_what_was_sent_is_kept_says_so_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        chat = Chat(clock.monotonic)
        async with stage(tmp_path, clock, chat=chat, seconds=1e6, lab=VEO) as on:
            job = await on.order()
            await on.card(job)
            await in_state(on, job, JobState.GENERATING)
        for _ in range(2):
            async with stage(tmp_path, clock, chat=chat, lab=OTHER) as on:
                await asyncio.sleep(100)
                assert (await on.store.job(job.id)).state is JobState.GENERATING
                assert await causes(on) == [MISSING]
                (message,) = chat.shown()
                assert "Waiting for veo" in message.text
                assert "veo is not set up here at the moment" in message.text
                assert "40 credits held" in message.text
                assert "▓" not in message.text, "nobody knows how far it is"
                assert await held(on) > 0
        async with stage(tmp_path, clock, chat=chat, seconds=5, lab=VEO) as on:
            assert await causes(on) == []
            job = await on.settled(job)
            assert (job.state, job.charged) == (JobState.DONE, 40)
            assert on.generator.submits == [], "it was not sent again"

    run(play)


def test_what_was_sent_ends_at_its_deadline_and_its_clip_may_still_come_late(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        chat = Chat(clock.monotonic)
        async with stage(tmp_path, clock, chat=chat, seconds=1e6, lab=VEO) as on:
            job = await on.order()
            await on.card(job)
            await in_state(on, job, JobState.GENERATING)
        async with stage(tmp_path, clock, chat=chat, lab=OTHER) as on:
            await asyncio.sleep(30)
            assert await causes(on) == [MISSING]
            job = await on.settled(job)
            assert job.failure is not None
            assert (job.state, job.failure.message_id) == (JobState.FAILED, "error.generator_missing")
            assert await held(on) == 0
            assert await causes(on) == []
        async with stage(tmp_path, clock, chat=chat, seconds=0, lab=VEO) as on:

            async def came() -> bool:
                return (await on.store.view(job.id)).clip is not None

            await on.until(came, 3600)

    run(play)


def test_a_submit_in_flight_becomes_unclear_and_is_found_again(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=VEO) as on:
            on.generator.loses = on.generator.hides = True
            job = await on.order()
            await in_state(on, job, JobState.UNCLEAR)
            # As if the process had ended during the call: only the intent is known.
            await on.store.database.write(
                lambda c: (
                    c.execute(
                        "UPDATE jobs SET state = 'submitting', deadline = ?, version = version + 1 WHERE id = ?",
                        (clock.now() + 120_000, job.id),
                    ).rowcount
                )
            )
            submits = list(on.generator.submits)
        async with stage(tmp_path, clock, lab=OTHER) as on:
            await asyncio.sleep(60)
            assert (await on.store.job(job.id)).state is JobState.SUBMITTING
            job = await in_state(on, job, JobState.UNCLEAR)
            assert (await on.store.attempt(job.attempt_id or "")).state is AttemptState.OPEN
            assert await held(on) > 0
            _, card = await on.engine.desk.card(job.id)
            assert (card.state.id, card.note and card.note.id) == ("state.unclear", "note.generator_missing")
        async with stage(tmp_path, clock, seconds=0, lab=VEO) as on:
            job = await on.settled(job)
            assert (job.state, job.charged) == (JobState.DONE, 40)
            assert len(submits) == 1
            assert on.generator.submits == []

    run(play)


@pytest.mark.parametrize("state", [JobState.GENERATING, JobState.UNCLEAR])
def test_it_can_be_cancelled_meanwhile(tmp_path: Path, state: JobState) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=1e6, lab=VEO) as on:
            on.generator.loses = on.generator.hides = state is JobState.UNCLEAR
            job = await on.order()
            await in_state(on, job, state)
        async with stage(tmp_path, clock, lab=OTHER) as on:
            await asyncio.sleep(5)
            assert MISSING in await causes(on)
            await on.engine.cancel(job.id)
            job = await in_state(on, job, JobState.CANCELLED)
            assert job.charged == 0
            assert await held(on) == 0
            assert MISSING not in await causes(on)
            await on.engine.delete(job.id)

    run(play)


def test_a_clip_that_was_being_stored_waits_for_its_generator(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=0, lab=VEO) as on:

            async def on_fetch() -> None:
                raise ConnectionResetError

            on.generator.on_fetch = on_fetch
            job = await on.order()
            await in_state(on, job, JobState.STORING)
        async with stage(tmp_path, clock, lab=OTHER) as on:
            await asyncio.sleep(600)
            assert (await on.store.job(job.id)).state is JobState.STORING
            assert MISSING in await causes(on)
        async with stage(tmp_path, clock, seconds=0, lab=VEO) as on:
            assert (await on.settled(job)).state is JobState.DONE
            assert await causes(on) == []

    run(play)
