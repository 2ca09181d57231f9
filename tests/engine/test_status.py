"""The status object: the row, its card and its fields say the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from bot.engine.parts import Parts
from bot.engine.status import STATUS, StatusDesk, iso
from bot.engine.words import Words
from core.ports import Provider
from core.states import ENDED, JobState
from core.steps import DefaultLimits
from providers.rules import LocalScenes
from storage.film_store import FilmStore
from storage.store import SqliteStore
from storage.views import JobRow
from tests.core.examples import applied, capabilities, clip, job, wanted
from tests.storage.store_world import NOON, HandClock, a_store, accepted, done, generating

WORDS = Words("en")


class Known:
    """A generator of which only the facts matter."""

    def __init__(self, **fields: Any) -> None:
        self.capabilities = capabilities(name="local", title="Fake", **fields)


def desk_of(store: SqliteStore, clock: HandClock, *, retention_days: int = 30, **fields: Any) -> StatusDesk:
    parts = Parts(
        store=store,
        clips=cast("Any", None),
        media=cast("Any", None),
        clock=clock,
        alerts=cast("Any", None),
        providers={"local": cast("Provider", Known(**fields))},
        default_provider="local",
        writer=LocalScenes(),
        plain_writer=LocalScenes(),
        painter=cast("Any", None),
        films=FilmStore(store),
        words=Words,
    )
    return StatusDesk(parts, retention_days)


@pytest.mark.parametrize(
    "ms, said", [(None, None), (NOON, "2026-11-22T12:00:00Z"), (NOON + 999, "2026-11-22T12:00:00Z")]
)
def test_times_are_iso_to_the_second(ms: int | None, said: str | None) -> None:
    assert iso(ms) == said


def test_every_state_has_a_status() -> None:
    assert set(STATUS) == set(JobState)
    assert {STATUS[state] for state in ENDED} == {"completed", "error", "cancelled"}
    assert {STATUS[state] for state in set(JobState) - ENDED} == {"pending", "processing"}


async def test_a_queued_job_tells_its_place_and_an_estimate(tmp_path: Path) -> None:
    clock = HandClock()
    async with a_store(tmp_path, clock, DefaultLimits(100, None, None)) as store:
        desk = desk_of(store, clock, usual_seconds=20.0, most_active=2)
        first = await accepted(store, price=40)
        clock.at += 1000
        second = await accepted(store, price=40)
        status = await desk.status(await store.view(second.id), WORDS)
        assert (status["status"], status["state"], status["queue_position"]) == ("pending", "queued", 2)
        assert status["eta_seconds"] == round(20 * 1.5 / 2 + 20)
        assert status["card"]["state_line"] == "2nd in line · about 15 s"
        assert status["card"]["money_line"] == "40 credits held · 20 left today"
        assert (status["price"], status["charged"], status["progress"]) == (40, None, None)
        assert status["operation_id"] == second.id != first.id


async def test_a_finished_job_tells_its_clip_and_how_long_it_is_kept(tmp_path: Path) -> None:
    clock = HandClock()
    async with a_store(tmp_path, clock) as store:
        desk = desk_of(store, clock)
        job = await done(store, await accepted(store))
        status = await desk.status(await store.view(job.id), WORDS)
        address = f"/api/mv/get_video/{job.clip_id}"
        assert (status["status"], status["progress"], status["eta_seconds"]) == ("completed", 100, None)
        assert (status["video_url"], status["thumbnail_url"]) == (address, f"{address}/poster")
        assert status["download_url"] == f"{address}?download=1"
        assert status["keep_until"] == "2026-12-22T12:00:00Z"
        await store.set_favourite(job.account_id, job.clip_id or "", on=True)
        starred = await desk.status(await store.view(job.id), WORDS)
        assert (starred["favourite"], starred["keep_until"]) == (True, None)
        forever = desk_of(store, clock, retention_days=0)
        await store.set_favourite(job.account_id, job.clip_id or "", on=False)
        assert (await forever.status(await store.view(job.id), WORDS))["keep_until"] is None


async def test_usual_times_are_learnt_and_kept_for_a_while(tmp_path: Path) -> None:
    clock = HandClock()
    async with a_store(tmp_path, clock) as store:
        desk = desk_of(store, clock, usual_seconds=60.0)
        assert (await desk.view(await store.view((await accepted(store)).id))).usual_seconds == 60.0
        job = await generating(store, await accepted(store, "bob"))
        clock.at += 10_000
        job = await done(store, job)
        row = await store.view(job.id)
        assert (await desk.view(row)).usual_seconds == 60.0  # read a moment ago
        clock.at += 30_000
        assert (await desk.view(row)).usual_seconds == 10.0


async def test_a_generator_that_goes_by_the_clock_is_measured_as_soon_as_it_tells(tmp_path: Path) -> None:
    clock = HandClock()
    async with a_store(tmp_path, clock) as store:
        desk = desk_of(store, clock, progress="elapsed", usual_seconds=60.0)
        row = await store.view((await generating(store, await accepted(store))).id)
        clock.at += 30_000
        assert (await desk.view(row)).fraction() == (0.5, True)
        told = replace(row, job=replace(row.job, progress=0.4))
        assert (await desk.view(told)).fraction() == (0.4, False)


async def test_a_generator_that_is_gone_leaves_a_readable_card(tmp_path: Path) -> None:
    clock = HandClock()
    async with a_store(tmp_path, clock) as store:
        desk = desk_of(store, clock)
        gone = job(JobState.DONE, applied=applied(provider="veo"))
        row = JobRow(job=gone, clip=clip(), favourite=False, queue_position=None, has_source=False)
        status = await desk.status(row, WORDS)
        assert "veo" in status["card"]["state_line"]
        assert status["video_id"] == "clip"


async def test_only_what_was_said_is_wanted_and_all_that_is_made_is_applied(tmp_path: Path) -> None:
    clock = HandClock()
    async with a_store(tmp_path, clock) as store:
        desk = desk_of(store, clock)
        said = wanted(seconds=4, audio=False, explicit=frozenset({"prompt", "seconds", "audio"}))
        made = replace(applied(), seconds=4, audio=False)
        asked = await accepted(store, wanted=said, applied=made)
        status = await desk.status(await store.view(asked.id), WORDS)
        assert status["wanted"] == {"duration": 4, "generate_audio": False}
        assert status["applied"]["duration"] == 4
        assert status["applied"]["generate_audio"] is False
        assert set(status["applied"]) == {
            "aspect_ratio",
            "resolution",
            "duration",
            "seed",
            "generate_audio",
            "provider",
            "model",
        }
