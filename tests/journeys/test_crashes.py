"""kill -9 at every named point of the real process, with a generator that bills: nothing lost, nothing twice, exact money."""

from __future__ import annotations

import asyncio
import http.client
import re
import secrets
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from storage.folder import FolderClipStore
from tests.journeys.conftest import Maker
from tests.journeys.test_film_crashes import MAKING, PLANNING
from tests.lab.api import Api, File
from tests.lab.checker import CANARY, check, connect, orphans
from tests.lab.reelay import Reelay
from tests.lab.vendor import Script, Take, Vendor
from tests.lab.waiting import until
from tests.media.hostile import photo

pytestmark = pytest.mark.journey

POINTS = (
    "received",
    "accepted",
    "prepared",
    "admitted",
    "submitting",
    "submitted",
    "ticket stored",
    "polled",
    "ready",
    "fetched",
    "renamed",
    "kept",
    "done",
    "sending",
    "sent",
    "delivered",
)
"""Points that every picture clip passes."""
ELSEWHERE = ("notifying", "notified", "late", "posted", "card lost", "handling", "handled", "refused", "moved")
"""Crashed at where they are reached: in ``test_chat.py``, ``test_troubles.py``, ``test_failover.py``, ``test_telegram_kill*.py``,
``test_telegram_buttons.py``; those of films in ``test_film_crashes.py``.

All are every name of the engine and the platforms; a test compares.
"""
NOT_SENT = ("admitted", "submitting")
"""Killed between the intent and the call: nobody can know from outside that nothing was sent."""
ENVIRON = {"REELAY_DAILY_CREDITS": "unlimited", "REELAY_GLOBAL_DAILY_CREDITS": "unlimited"}


def order(url: str, key: str, prompt: str, *, picture: bytes | None = None) -> str | None:
    """Order as a careful program does: with a key. None when the connection broke before the answer."""
    api = Api(url)
    try:
        if picture is None:
            answer = api.generate(prompt, idempotency_key=key)
        else:
            answer = api.generate_with_image(
                File(picture, "photo.jpg", "image/jpeg"), prompt=prompt, idempotency_key=key
            )
    except (http.client.HTTPException, OSError):
        return None
    assert answer.status == 202, answer.body
    return str(answer["operation_id"])


@dataclass
class Crash:
    """What was seen of one crash."""

    job: str = ""
    answered: bool = False
    state: str = ""
    trail: list[str] = field(default_factory=list)
    paid: int = 0
    jobs: int = 0
    wrong: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    missing: frozenset[str] = frozenset()
    charged: int | None = None


def crash_at(reelay: Reelay, vendor: Vendor, point: str) -> Crash:
    """Order a picture clip, let the process die at ``point``, start it again and wait for the end."""
    seen, key, prompt = Crash(), secrets.token_hex(8), f"{CANARY} {point.replace(' ', '-')}-{secrets.token_hex(4)}"
    vendor.on(prompt, Script(seconds=0.1))
    picture = photo()
    reelay.start(kill={point: 1})
    first = order(reelay.url, key, prompt, picture=picture)
    seen.answered = first is not None
    reelay.wait_killed()
    reelay.restart()
    again = order(reelay.url, key, prompt, picture=picture)
    assert again is not None
    assert first in (None, again), "the same key made another job"
    seen.job = again
    if point in NOT_SENT:
        reelay.wait_state(again, "unclear")
        seen.state = reelay.state(again)
        Api(reelay.url).cancel(again)
    else:
        seen.state = reelay.wait_state(again)
    reelay.wait_quiet()
    seen.charged = reelay.job(again)["charged"]
    seen.trail = reelay.trail(again)
    seen.jobs = len(reelay.rows("SELECT id FROM jobs"))
    assert reelay.stop() == 0
    mine = {job.attempt: vendor.paid[job.attempt] for job in vendor.of(prompt)}
    seen.paid = sum(mine.values())
    seen.wrong = check(reelay.data, vendor_of(vendor, prompt), reelay.text)
    seen.left = orphans(reelay.data)
    seen.missing = sweep(reelay.data)
    return seen


def vendor_of(vendor: Vendor, word: str) -> Vendor:
    """The vendor as one process sees it: only its own jobs."""
    part = Vendor()
    part.paid.update({job.attempt: vendor.paid[job.attempt] for job in vendor.of(word)})
    return part


def sweep(data: Path) -> frozenset[str]:
    """What the hourly sweep would do, at once: every file without a row goes; returns rows without a file."""
    connection = connect(data)
    try:
        known = {
            row[0] for row in connection.execute("SELECT key FROM clips UNION SELECT poster_key FROM clips").fetchall()
        }
    finally:
        connection.close()
    return asyncio.run(FolderClipStore(data / "clips", budget_bytes=None).sweep(known - {None}, -60.0)).missing


@pytest.fixture(scope="module")
def crashes(make: Maker, vendor: Vendor) -> Iterator[dict[str, Future[Crash]]]:
    """All crashes, three at a time; each test looks at its own."""
    pool = ThreadPoolExecutor(3)
    made = {point: make(environ=ENVIRON, generators=[{"name": "paid", "url": vendor.url}]) for point in POINTS}
    yield {point: pool.submit(crash_at, made[point], vendor, point) for point in POINTS}
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_loses_nothing_and_pays_nothing_twice(crashes: dict[str, Future[Crash]], point: str) -> None:
    seen = crashes[point].result(110)
    assert seen.wrong == []
    assert seen.jobs == 1
    if point in NOT_SENT:
        assert (seen.state, seen.paid, seen.charged) == ("unclear", 0, 0)
    else:
        assert (seen.state, seen.paid, seen.charged) == ("done", 1, 40)
    assert seen.trail.count("submitted") == (0 if point in NOT_SENT else 1)
    assert seen.missing == frozenset()


@pytest.mark.parametrize("point", POINTS)
def test_files_without_a_row_are_left_only_by_a_kill_between_both(
    crashes: dict[str, Future[Crash]], point: str
) -> None:
    """What the hourly sweep has to remove: an upload without its command, a clip without its row."""
    left = crashes[point].result(110).left
    kinds = {path.rsplit(".", 1)[1] for path in left}
    # The upload: kept before the command is committed, or not yet deleted when the job had moved on.
    allowed = {"renamed": {"mp4", "jpg"}, "kept": {"mp4", "jpg"}, "fetched": {"mp4", "jpg"}, "prepared": {"png"}}
    assert kinds - {"upload"} <= allowed.get(point, set()), left


def test_every_point_of_the_engine_is_crashed_at() -> None:
    root = Path(__file__).parents[2] / "bot"
    named = {found for path in root.rglob("*.py") for found in re.findall(r'reach\("([^"]+)"\)', path.read_text())}
    assert named == {*POINTS, *ELSEWHERE, *PLANNING, *MAKING}


@pytest.mark.parametrize("point", ["submitted", "submitting"])
def test_a_vendor_that_cannot_tell_leaves_the_job_unclear_and_a_later_look_heals_it(
    make: Maker, vendor: Vendor, point: str
) -> None:
    """With a list that is not complete nobody is asked twice; when the job is found after all, it goes on."""
    word = f"doubt-{point}"
    vendor.hidden = True
    vendor.on(word, Script(seconds=0.1))
    try:
        reelay = make(environ=ENVIRON, generators=[{"name": "paid", "url": vendor.url}]).start(kill={point: 1})
        job = order(reelay.url, "key", f"{CANARY} {word}")
        reelay.wait_killed()
        reelay.restart()
        job = job or order(reelay.url, "key", f"{CANARY} {word}")
        assert job is not None
        reelay.wait_state(job, "unclear")
        api = Api(reelay.url)
        status = api.status(job)
        assert (status["status"], status["error_code"], status["charged"]) == ("processing", "UNCLEAR", None)
        assert [a["verb"] for a in status["card"]["actions"]] == ["check_again", "again", "cancel"]
        assert api.me()["credits"]["today"]["held"] == 40, "an unclear job keeps its hold"
        assert reelay.alerts() == [f"unclear {job}"]
        vendor.hidden = False
        assert api.post("/api/video_chat/check_again", {"operation_id": job}).status == 200
        if point == "submitted":
            assert reelay.wait_state(job) == "done"
        else:
            until(lambda: len(vendor.calls("find")) >= 2, what="another look")
            assert reelay.state(job) == "unclear", "not found is no proof that nothing was sent"
            assert api.cancel(job).status == 200
            assert reelay.wait_state(job) == "cancelled"
        reelay.wait_quiet()
        assert len(vendor.of(word)) == (1 if point == "submitted" else 0)
        assert reelay.stop() == 0
        assert check(reelay.data, vendor_of(vendor, word), reelay.text) == []
    finally:
        vendor.hidden = False


def test_thirty_jobs_survive_three_kills(make: Maker, vendor: Vendor) -> None:
    word = "thirty"
    vendor.on(word, Script(seconds=0.4))
    environ = {**ENVIRON, "REELAY_MAX_ACTIVE_JOBS": "8", "REELAY_MAX_WAITING_JOBS": "100"}
    reelay = make(environ=environ, generators=[{"name": "paid", "url": vendor.url}]).start()
    jobs = [order(reelay.url, f"{word}-{n}", f"{CANARY} {word} {n}") for n in range(30)]
    for already in (3, 10, 18):
        until(lambda n=already: done(reelay) >= n, 60, f"{already} clips")  # type: ignore[misc] # bound by the default
        reelay.kill()
        reelay.restart()
    # A kill between intent and call leaves a job unclear, looked up in vain: ask as a person would.
    until(lambda: settled(reelay), 60, "the rest")
    reelay.wait_quiet()
    states = [reelay.state(str(job)) for job in jobs]
    assert set(states) <= {"done", "cancelled"}
    unsent = [job for job, state in zip(jobs, states, strict=True) if state == "cancelled"]
    assert len(unsent) <= 3 * 8, "only what stood between intent and answer may have become unclear"
    assert reelay.value("SELECT COUNT(*) FROM jobs") == 30
    assert len(vendor.of(word)) == states.count("done"), "everything that was billed was delivered"
    assert reelay.stop() == 0
    assert check(reelay.data, vendor_of(vendor, word), reelay.text) == []
    sweep(reelay.data)
    assert orphans(reelay.data) == []


def settled(reelay: Reelay) -> bool:
    """Whether every job has ended; those that stay unclear are cancelled."""
    for row in reelay.rows("SELECT id FROM jobs WHERE state = 'unclear' AND retries > 0 AND cancel_wish IS NULL"):
        Api(reelay.url).cancel(row["id"])
    return not reelay.value("SELECT COUNT(*) FROM jobs WHERE state NOT IN ('done', 'failed', 'cancelled')")


def done(reelay: Reelay) -> int:
    """How many jobs are done."""
    return int(reelay.value("SELECT COUNT(*) FROM jobs WHERE state = 'done'"))


def test_a_second_process_on_the_same_folder_is_refused(make: Maker) -> None:
    reelay = make().start()
    second = Reelay(reelay.folder)
    try:
        second.launch()
        assert second.join(30) == 75
        assert f"Reelay already runs on {reelay.data} (process {reelay.running.pid}, started 20" in second.text
        assert "Traceback" not in second.text
        assert reelay.http("/healthz")[0] == 200
    finally:
        second.end()
        reelay.end()


def test_sigterm_ends_within_ten_seconds_with_work_in_flight(make: Maker, vendor: Vendor) -> None:
    """A slow download and a slow submit are in flight; both are found again by the next start."""
    vendor.on("slow-result", Script(seconds=0.0, result="slow"))
    vendor.on("slow-answer", Script(submits=[Take(seconds=30.0)], seconds=0.0))
    reelay = make(environ=ENVIRON, generators=[{"name": "paid", "url": vendor.url}]).start()
    api = Api(reelay.url)
    fetched, submitted = api.ordered("slow-result"), api.ordered("slow-answer")
    stream: Any = api.events()
    until(
        lambda: vendor.of("slow-answer") and any(line.status == "slow" for line in vendor.calls("fetch")),
        what="both in flight",
    )
    began = time.monotonic()
    assert reelay.stop(20) == 0
    took = time.monotonic() - began
    assert took < 12, f"it took {took:.1f} s to stop"
    stream.close()
    reelay.restart()
    assert reelay.wait_state(fetched) == "done"
    assert reelay.wait_state(submitted) == "done", "the vendor's list knew the attempt"
    reelay.wait_quiet()
    assert reelay.stop() == 0
    assert len(vendor.of("slow-answer")) == len(vendor.of("slow-result")) == 1
    assert check(reelay.data, None, reelay.text) == []


def test_a_frozen_process_goes_on_where_it_was(make: Maker, vendor: Vendor) -> None:
    vendor.on("frozen", Script(seconds=0.5))
    reelay = make(environ=ENVIRON, generators=[{"name": "paid", "url": vendor.url}]).start()
    job = Api(reelay.url).ordered("frozen")
    until(lambda: vendor.of("frozen"), what="the submit")
    reelay.signal(signal.SIGSTOP)
    polls = len(vendor.calls("poll"))
    until(lambda: vendor.of("frozen")[0].began + 1.5 < time.monotonic(), what="the vendor to be ready")
    assert len(vendor.calls("poll")) - polls <= 1
    reelay.signal(signal.SIGCONT)
    assert reelay.wait_state(job) == "done"
    reelay.wait_quiet()
    assert reelay.stop() == 0
    assert check(reelay.data, vendor_of(vendor, "frozen"), reelay.text) == []
