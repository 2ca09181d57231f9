"""Values that the tests of every room start from: one plain job, its card's view, and ways to vary them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.capabilities import Applied, Capabilities
from core.cards import JobView
from core.jobs import AssetKind, Clip, Failure, Job, JobKind, Place
from core.money import Hold, Period, Scope
from core.requests import Wanted
from core.states import JobState

NOON = 1_795_348_800_000
"""2026-11-22 12:00 UTC in milliseconds."""
SECOND = 1000
DAY = 86_400_000


def wanted(**fields: Any) -> Wanted:
    return replace(Wanted(prompt="a lighthouse at dusk", explicit=frozenset({"prompt"})), **fields)


def applied(**fields: Any) -> Applied:
    plain = Applied(
        provider="local",
        model="scenery-1",
        prompt="a lighthouse at dusk",
        negative_prompt="",
        aspect_ratio="16:9",
        resolution="720p",
        seconds=8,
        seed=7,
        audio=True,
    )
    return replace(plain, **fields)


def capabilities(**fields: Any) -> Capabilities:
    return replace(Capabilities(name="fake", title="Fake", company="Fake Inc.", models=("one", "two")), **fields)


def job(state: JobState = JobState.QUEUED, **fields: Any) -> Job:
    """A job that was accepted at noon, submitted ten seconds later, and ended (if it did) after forty."""
    rows = tuple((Scope.PERSON, "someone", period, NOON - 12 * 3600 * SECOND) for period in Period)
    ended = state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
    plain = Job(
        id="job",
        kind=JobKind.CLIP,
        account_id="someone",
        identity_id=1,
        place=Place("web", "someone"),
        state=state,
        version=1,
        wanted=wanted(),
        applied=applied(),
        price=40,
        hold=Hold(40, 0, rows),
        created_at=NOON,
        updated_at=NOON,
        started_at=None if state in (JobState.PREPARING, JobState.QUEUED) else NOON + 10 * SECOND,
        finished_at=NOON + 40 * SECOND if ended else None,
        charged=40 if state is JobState.DONE else 0 if ended else None,
        failure=Failure("TIMEOUT", "error.timeout", {}) if state is JobState.FAILED else None,
        clip_id="clip" if state is JobState.DONE else None,
    )
    return replace(plain, **fields)


def clip(**fields: Any) -> Clip:
    plain = Clip(
        id="clip",
        kind=AssetKind.CLIP,
        account_id="someone",
        job_id="job",
        key="0" * 32 + ".mp4",
        mime="video/mp4",
        bytes=1_000_000,
        sha256="0" * 64,
        created_at=NOON + 40 * SECOND,
        width=1280,
        height=720,
        seconds=8.0,
        poster_key="1" * 32 + ".jpg",
    )
    return replace(plain, **fields)


def view(state: JobState = JobState.QUEUED, *, of: Job | None = None, **fields: Any) -> JobView:
    plain = JobView(
        job=of or job(state),
        now=NOON + 30 * SECOND,
        generator_title="Fake",
        gives_fraction=False,
        usual_seconds=60.0,
        clip=clip() if state is JobState.DONE else None,
    )
    return replace(plain, **fields)
