"""What a caller of the waiting ``generate_video`` is told when there is no clip at the end of it."""

from __future__ import annotations

import json
from dataclasses import replace

from bot.engine.words import Words
from bot.platforms.web.answers import refusal
from bot.platforms.web.music_videos import as_error
from core.capabilities import Applied
from core.jobs import Failure, Job, JobKind, Place
from core.money import Hold
from core.requests import Wanted
from core.states import JobState

JOB = Job(
    id="a-job", kind=JobKind.CLIP, account_id="ann", identity_id=1, place=Place("web", "ann"), state=JobState.GENERATING, version=3,
    wanted=Wanted(prompt="a lighthouse"), applied=Applied("lab", "m", "a lighthouse", "", "16:9", "720p", 8, 7, audio=True),
    price=40, hold=Hold(40, 0, ()), created_at=0, updated_at=0,
)  # fmt: skip


def told(job: Job) -> tuple[int, str, str, str | None]:
    answer = refusal(as_error(job), Words("en"), 0)
    body = json.loads(answer.body)  # type: ignore[arg-type]
    return answer.status, body["error_code"], body["message"], body["details"]


def test_a_job_that_outlasts_the_call_is_not_called_cancelled() -> None:
    status, code, message, details = told(JOB)
    assert (status, code) == (504, "TIMEOUT")
    assert "It goes on" in message
    assert details == "operation_id: a-job"


def test_a_cancelled_or_failed_one_is_told_as_it_ended() -> None:
    assert told(replace(JOB, state=JobState.CANCELLED))[:2] == (409, "CANCELLED")
    declined = Failure("CONTENT_POLICY_VIOLATION", "error.content_refused", {"generator": "Lab"})
    assert told(replace(JOB, state=JobState.FAILED, failure=declined))[:2] == (422, "CONTENT_POLICY_VIOLATION")
