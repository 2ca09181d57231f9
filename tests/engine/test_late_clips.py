"""Clips that come after their job was given up: kept, free, joined to the failed job, and nothing else changes. In virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.engine.late import FIRST_LOOK, LONGEST_LOOK, WATCH_SECONDS
from bot.engine.words import Words
from core.errors import CredentialsRejected, Garbled, NotFound, Unavailable
from core.jobs import Job
from core.states import AttemptState, JobState
from tests.lab.chat import Chat
from tests.lab.generator import LabSettings
from tests.lab.stage import Stage, stage
from tests.lab.virtual_time import VirtualClock, run

BILLS = LabSettings(name="lab", price=40, cancel=False, maximum_seconds=60.0, poll_seconds=(2.0, 5.0))
"""A generator that may work for a minute and cannot be stopped."""
STOPS = replace(BILLS, cancel=True)
WORDS = Words("en")
HOUR = 3600.0


async def given_up(on: Stage) -> Job:
    """Order, and wait for the deadline to pass."""
    job = await on.order()
    await on.card(job)
    job = await on.settled(job)
    assert (job.state, job.charged, job.clip_id) == (JobState.FAILED, 0, None)
    return job


async def came(on: Stage, job: Job) -> Job:
    """Wait for the late clip, and until its card tells of it."""

    async def look() -> bool:
        return (await on.store.job(job.id)).clip_id is not None

    await on.until(look, 6 * HOUR)
    return await on.settled(job)


async def files(on: Stage) -> int:
    return (await on.parts.clips.usage()).files


async def watched(on: Stage, job: Job) -> bool:
    return job.attempt_id is not None and await on.store.watch(job.attempt_id) is not None


async def lines(on: Stage, job: Job) -> list[tuple[str, int]]:
    sql = "SELECT kind, amount FROM ledger WHERE job_id = ? ORDER BY id"
    return await on.store.database.read(lambda c: [tuple(row) for row in c.execute(sql, (job.id,)).fetchall()])


def test_a_late_clip_is_free_and_in_the_gallery(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=300, lab=BILLS) as on:
            on.generator.cost_usd = 0.55
            job = await given_up(on)
            before = (job.failure, job.finished_at, await lines(on, job))
            assert before[2] == [("hold", 40), ("release", 40)]
            assert "if the clip still comes, it is free" in on.chat.shown()[0].text
            job = await came(on, job)
            assert (job.state, job.charged, job.true_cost) == (JobState.FAILED, 0, 55)
            assert (job.failure, job.finished_at, await lines(on, job)) == before, "the end does not change"
            assert await on.store.audit_sums() == []

            row = await on.store.view(job.id, job.account_id)
            assert row.clip is not None
            assert row.clip.bytes == on.generator.size
            status = await on.engine.desk.status(row, WORDS)
            assert (status["status"], status["error_code"], status["charged"]) == ("error", "TIMEOUT", 0)
            assert status["video_url"] == f"/api/mv/get_video/{row.clip.id}"
            assert "came late" in status["card"]["state_line"]
            assert "free" in status["card"]["state_line"]
            assert [each.job.id for each in await on.store.history(job.account_id, limit=5, only="completed")] == [
                job.id
            ]
            assert (await on.store.own_clip(row.clip.id, job.account_id)).key == row.clip.key

            (message,) = on.chat.shown()
            assert message.clip is None, "it is offered, not posted"
            assert "came late" in message.text
            assert "You were not charged" in message.text
            assert {"download", "again"} <= set(message.buttons)
            assert on.generator.released == [job.attempt_id]

    run(play)


def test_a_late_clip_can_be_sent_starred_and_deleted(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=300, lab=BILLS) as on:
            job = await came(on, await given_up(on))
            await on.engine.resend(job.id)
            await on.settled(job)
            assert [message.clip for message in on.chat.shown()] == [None, on.generator.size]
            assert not [message for message in on.chat.shown() if "it is ready" in message.text]
            await on.store.set_favourite(job.account_id, job.clip_id or "", on=True)
            assert (await on.store.view(job.id)).favourite
            assert await files(on) == 2, "the clip and its poster"
            await on.engine.delete(job.id)
            assert await files(on) == 0
            with pytest.raises(NotFound):
                await on.store.view(job.id, job.account_id)

    run(play)


def test_looks_become_rare_and_end_after_a_day(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=1e9, lab=BILLS) as on:
            job = await given_up(on)
            on.generator.polls.clear()
            await asyncio.sleep(4 * HOUR)
            waits = [b - a for a, b in pairwise(on.generator.polls)]
            assert 15 < len(waits) < 35
            assert min(waits) >= FIRST_LOOK - 1, waits
            assert all(later > earlier - 11 for earlier, later in pairwise(waits)), waits
            assert LONGEST_LOOK * 0.9 < waits[-1] < LONGEST_LOOK + 11
            clock.shift += WATCH_SECONDS
            on.generator.polls.clear()
            await asyncio.sleep(60)
            assert on.generator.polls == []
            assert not await watched(on, job)
            assert on.generator.released == [job.attempt_id]

    run(play)


def test_the_watch_outlives_a_restart_and_a_pause(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        chat = Chat(clock.monotonic)
        async with stage(tmp_path, clock, chat=chat, seconds=1e9, lab=BILLS) as on:
            job = await given_up(on)
            await on.store.pause("lab", None, "an operator")
        async with stage(tmp_path, clock, chat=chat, seconds=0, lab=BILLS) as on:
            assert (await came(on, job)).state is JobState.FAILED
        assert "came late" in chat.shown()[0].text

    run(play)


def test_a_generator_that_is_away_for_a_start_is_looked_at_later(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=1e9, lab=BILLS) as on:
            job = await given_up(on)
        async with stage(tmp_path, clock, lab=replace(BILLS, name="other")) as on:
            await asyncio.sleep(300)
            assert await watched(on, job)
        async with stage(tmp_path, clock, seconds=0, lab=BILLS) as on:
            await came(on, job)

    run(play)


def test_what_was_stopped_is_not_watched(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=120, lab=STOPS) as on:
            job = await given_up(on)
            await on.until(lambda: on.generator.cancelled == [job.attempt_id])
            polls = len(on.generator.polls)
            await asyncio.sleep(600)
            assert len(on.generator.polls) == polls
            assert not await watched(on, job)
            assert await files(on) == 0

    run(play)


@pytest.mark.parametrize("when", ["before", "while it is fetched"])
@pytest.mark.parametrize("how", ["delete", "forget"])
def test_nothing_is_kept_for_whoever_wants_it_no_more(tmp_path: Path, how: str, when: str) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=300, lab=BILLS) as on:
            job = await given_up(on)

            async def erase() -> None:
                if how == "delete":
                    await on.engine.delete(job.id)
                else:
                    await on.engine.forget(job.account_id)

            if when == "before":
                await erase()
            fetched = asyncio.Event()

            async def on_fetch() -> None:
                await erase()
                fetched.set()

            on.generator.on_fetch = on_fetch
            await asyncio.sleep(900)
            assert fetched.is_set() == (when != "before")
            assert await files(on) == 0
            assert await on.store.database.read(lambda c: c.execute("SELECT COUNT(*) FROM clips").fetchone()[0]) == 0
            assert not await watched(on, job)

    run(play)


def test_an_unclear_job_whose_clip_is_found_after_a_day_gets_it(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=0, lab=BILLS) as on:
            on.generator.loses = on.generator.hides = True
            job = await on.order()

            async def unclear() -> bool:
                return (await on.store.job(job.id)).state is JobState.UNCLEAR

            await on.until(unclear)
            clock.shift += 25 * HOUR
            job = await on.settled(job)
            assert job.failure is not None
            assert (job.state, job.failure.code) == (JobState.FAILED, "UNCLEAR")
            on.generator.hides = False
            job = await came(on, job)
            assert (job.state, job.charged, job.true_cost) == (JobState.FAILED, 0, 40), (
                "the price list's cost: none was told"
            )
            assert on.generator.submits == [job.attempt_id], "it was sent once"

    run(play)


def test_a_clip_that_could_not_be_stored_for_an_hour_comes_late(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=10, lab=BILLS) as on:
            broken = True

            async def on_fetch() -> None:
                if broken:
                    raise Unavailable("the download broke")

            on.generator.on_fetch = on_fetch
            job = await on.order()
            job = await on.settled(job, 2 * HOUR)
            assert job.failure is not None
            assert (job.state, job.failure.message_id) == (JobState.FAILED, "error.not_stored")
            assert on.generator.cancelled == [], "what is made is not stopped"
            broken = False
            assert (await came(on, job)).charged == 0

    run(play)


def test_a_rejected_key_does_not_throw_away_what_was_made(tmp_path: Path) -> None:
    """The key is revoked between the generator's "ready" and the download: told to the operator, and stored when it works again."""

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=10, lab=BILLS) as on:
            looks = 0

            async def on_fetch() -> None:
                nonlocal looks
                looks += 1
                if looks <= 3:
                    raise CredentialsRejected("401")

            on.generator.on_fetch = on_fetch
            job = await on.order()
            job = await on.settled(job)
            assert (job.state, job.charged) == (JobState.DONE, 40)
            assert [cause for cause, _, _ in await on.store.alerts()] == ["AUTHENTICATION_ERROR lab"]

    run(play)


def test_what_was_ready_while_we_were_away_is_no_late_clip(tmp_path: Path) -> None:
    """The process was down over the deadline, the generator was not: a last look finds the clip, and all is as ordered."""

    async def play(clock: VirtualClock) -> None:
        chat = Chat(clock.monotonic)
        async with stage(tmp_path, clock, chat=chat, seconds=1e9, lab=STOPS) as on:
            job = await on.order()
            await on.card(job)
            await asyncio.sleep(10)
        clock.shift += HOUR
        async with stage(tmp_path, clock, chat=chat, seconds=0, lab=STOPS) as on:
            job = await on.settled(job)
            assert (job.state, job.charged) == (JobState.DONE, 40)
            assert on.generator.cancelled == []
        assert [message.clip is not None for message in chat.shown() if "it is ready" not in message.text] == [True]

    run(play)


def test_whoever_stopped_waiting_finds_it_in_the_gallery(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=300, lab=BILLS) as on:
            job = await on.order()
            await on.card(job)
            await asyncio.sleep(10)
            await on.engine.cancel(job.id)

            async def failed() -> bool:
                return (await on.store.job(job.id)).state is JobState.FAILED

            await on.until(failed)
            edits = len(on.chat.shown()[0].edits)
            job = await came(on, job)
            assert (job.charged, len(on.chat.shown()[0].edits)) == (0, edits), "no word more"

    run(play)


def test_a_late_file_that_does_not_play_is_given_up(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=90, lab=BILLS) as on:
            tries = 0

            async def on_fetch() -> None:
                nonlocal tries
                tries += 1
                raise Garbled("half a file")

            on.generator.on_fetch = on_fetch
            job = await given_up(on)

            async def over() -> bool:
                return not await watched(on, job)

            await on.until(over, 6 * HOUR)
            assert tries == 4
            assert (await on.store.job(job.id)).clip_id is None
            assert await files(on) == 0

    run(play)


def test_the_attempt_stays_lost(tmp_path: Path) -> None:
    """A late clip teaches nothing about usual times, and no second attempt is made."""

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=300, lab=BILLS) as on:
            job = await came(on, await given_up(on))
            attempt = await on.store.attempt(job.attempt_id or "")
            assert attempt.state is AttemptState.LOST
            assert (
                await on.store.usual_seconds("lab", job.applied.model, job.applied.seconds, job.applied.resolution)
                is None
            )
            assert job.attempts == 1
            hops: Any = await on.store.database.read(
                lambda c: [
                    row["hop"] for row in c.execute("SELECT hop FROM events WHERE job_id = ? ORDER BY seq", (job.id,))
                ]
            )
            assert hops[-2:] == ["expired", "came late"]

    run(play)


def test_a_generator_whose_adapter_breaks_does_not_hold_the_deadline_up(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=1e6, lab=BILLS) as on:
            polls = 0

            async def poll(ticket: object) -> Any:
                nonlocal polls
                polls += 1
                raise KeyError("a field that the adapter expected")

            on.generator.poll = poll  # type: ignore[method-assign]
            job = await given_up(on)
            polls = 0
            await asyncio.sleep(600)
            assert 0 < polls < 20, "nor is it asked every few seconds for a day"
            assert await watched(on, job)

    run(play)
