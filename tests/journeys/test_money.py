"""Credits through the real process: exact under two hundred hands, and never for nothing."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.journeys.conftest import TOKENS, Maker
from tests.lab.api import Api
from tests.lab.checker import check
from tests.lab.reelay import Reelay
from tests.lab.vendor import Refuse, Script, Take, Vendor

pytestmark = pytest.mark.journey


def instant(canned: Path, price: int = 0) -> list[dict[str, Any]]:
    return [{"kind": "instant", "name": "instant", "price": price, "clip": str(canned), "unpaid": True}]


async def flood(url: str, callers: int, people: list[str | None]) -> list[tuple[int, dict[str, Any]]]:
    """Everybody at once."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(number: int) -> tuple[int, dict[str, Any]]:
            person = people[number % len(people)]
            headers = {} if person is None else {"Authorization": f"Bearer {TOKENS[person]}"}
            order = {"prompt": f"clip {number}", "duration": 4}
            async with session.post(f"{url}/api/video_chat/generate", json=order, headers=headers) as response:
                return response.status, await response.json()

        return list(await asyncio.gather(*(ask(number) for number in range(callers))))


def test_two_hundred_at_once_against_room_for_five_give_exactly_five(make: Maker, canned: Path) -> None:
    environ = {"VIDEO_TOKEN_COST": "100", "REELAY_DAILY_CREDITS": "500", "REELAY_MAX_WAITING_JOBS": "1000"}
    reelay = make(environ=environ, generators=instant(canned)).start()
    answers = asyncio.run(flood(reelay.url, 200, [None]))
    statuses = Counter(status for status, _ in answers)
    assert statuses == {202: 5, 402: 195}
    refused = next(body for status, body in answers if status == 402)
    assert refused["error_code"] == "QUOTA_EXCEEDED"
    assert "100 credits" in refused["message"]
    assert "resets_at: 20" in refused["details"]
    reelay.wait_quiet()
    today = Api(reelay.url).me()["credits"]["today"]
    assert (today["limit"], today["spent"], today["held"], today["left"]) == (500, 500, 0, 0)
    assert reelay.value("SELECT COUNT(*) FROM jobs WHERE state = 'done'") == 5
    assert reelay.stop() == 0
    assert check(reelay.data, None, reelay.text) == []


def test_one_cap_for_everybody_holds_among_several_people(make: Maker, canned: Path) -> None:
    environ = {
        "VIDEO_TOKEN_COST": "100",
        "REELAY_DAILY_CREDITS": "400",
        "REELAY_GLOBAL_DAILY_CREDITS": "700",
        "REELAY_MAX_WAITING_JOBS": "1000",
        "LAB_TOKENS": json.dumps({name: TOKENS[name] for name in ("alice", "bob", "carol")}),
    }
    reelay = make(environ=environ, generators=instant(canned)).start()
    answers = asyncio.run(flood(reelay.url, 120, ["alice", "bob", "carol"]))
    assert Counter(status for status, _ in answers) == {202: 7, 402: 113}
    reelay.wait_quiet()
    spent = [
        Api(reelay.url, token=TOKENS[name]).me()["credits"]["today"]["spent"] for name in ("alice", "bob", "carol")
    ]
    assert sum(spent) == 700
    assert max(spent) <= 400
    assert reelay.stop() == 0
    assert check(reelay.data, None, reelay.text) == []


@pytest.mark.parametrize(
    "daily, taken, limit, left",
    [(None, True, 500, 490), ("0", False, 0, 0), ("unlimited", True, None, None), ("10", True, 10, 0), ("9", False, 9, 9)],
)  # fmt: skip
def test_unset_zero_and_unlimited_are_three_things(
    make: Maker, canned: Path, daily: str | None, taken: bool, limit: int | None, left: int | None
) -> None:
    environ = {} if daily is None else {"REELAY_DAILY_CREDITS": daily}
    reelay = make(environ=environ, generators=instant(canned, price=10)).start()
    api = Api(reelay.url)
    free = api.generate(provider="local")
    assert free.status == 202, "what costs nothing passes every limit"
    api.cancel(free["operation_id"])
    answer = api.generate()
    assert answer.status == (202 if taken else 402)
    reelay.wait_quiet()
    today = api.me()["credits"]["today"]
    assert (today["limit"], today["left"], today["held"]) == (limit, left, 0)
    assert reelay.stop() == 0


REFUSALS: dict[str, tuple[Script, str, str, int]] = {
    # name: script, end, error code, billed
    "declined at once": (Script(submits=[Refuse(422, "content")]), "failed", "CONTENT_POLICY_VIOLATION", 0),
    "declined later": (Script(fails="content"), "failed", "CONTENT_POLICY_VIOLATION", 1),
    "broken at the vendor": (Script(fails="internal"), "failed", "PROVIDER_UNAVAILABLE", 1),
    "request not understood": (Script(submits=[Refuse(400)]), "failed", "INVALID_REQUEST", 0),
    "forgotten by the vendor": (Script(forgets=True), "failed", "PROVIDER_UNAVAILABLE", 1),
    "garbage for ever": (Script(result="garbage"), "failed", "PROVIDER_UNAVAILABLE", 1),
    "a page for ever": (Script(result="html"), "failed", "PROVIDER_UNAVAILABLE", 1),
    "busy once": (Script(submits=[Refuse(429, retry_after=0.2)]), "done", "", 1),
    "polls that fail": (Script(polls=[Refuse(500), Refuse(429, retry_after=0.1), Refuse(503)]), "done", "", 1),
    "cut download": (Script(results=["truncated"]), "done", "", 1),
    "garbage once": (Script(results=["garbage"]), "done", "", 1),
    "a page once": (Script(results=["html"]), "done", "", 1),
    "nothing once": (Script(results=["empty"]), "done", "", 1),
    "gone once": (Script(results=["gone"]), "done", "", 1),
    "webm": (Script(result="webm"), "done", "", 1),
    "slow": (Script(result="slow"), "done", "", 1),
    "dearer than agreed": (Script(cost_usd=99.0), "done", "", 1),
    "cheaper than agreed": (Script(cost_usd=0.15), "done", "", 1),
    "taken, then 500": (Script(submits=[Take("error")]), "done", "", 1),
    "taken, then cut": (Script(submits=[Take("cut")]), "done", "", 1),
    "taken, then nonsense": (Script(submits=[Take("garbage")]), "done", "", 1),
}


@pytest.fixture(scope="module")
def troubled(make: Maker, vendor: Vendor) -> Reelay:
    """All troubles at once in one process, each with its own prompt; returns when every job has ended."""
    environ = {
        "REELAY_DAILY_CREDITS": "unlimited",
        "REELAY_GLOBAL_DAILY_CREDITS": "unlimited",
        "REELAY_MAX_WAITING_JOBS": "100",
        "REELAY_MAX_ACTIVE_JOBS": "40",
    }
    generators = [{"name": "lab", "url": vendor.url, "most_active": 40, "poll_seconds": [0.05, 0.3]}]
    reelay = make(environ=environ, generators=generators).start()
    api = Api(reelay.url)
    for name, (script, *_) in REFUSALS.items():
        word = f"<{name}>"
        script.seconds = 0.05
        vendor.on(word, script)
        api.ordered(f"trouble {word}", idempotency_key=name)
    reelay.wait_quiet(100)
    return reelay


@pytest.mark.parametrize("name", REFUSALS)
def test_trouble_at_the_vendor_ends_well_or_costs_nothing(troubled: Reelay, vendor: Vendor, name: str) -> None:
    _, end, code, billed = REFUSALS[name]
    job = troubled.rows("SELECT id, state, failure, charged FROM jobs WHERE dedupe_key = ?", name)[0]
    status = Api(troubled.url).status(job["id"])
    assert job["state"] == end, status["error"]
    assert (status["error_code"] or "") == code
    assert len(vendor.of(f"<{name}>")) == billed, "never billed twice"
    expected = {"cheaper than agreed": 15}.get(name, 40) if end == "done" else 0
    assert status["charged"] == expected
    if end == "failed":
        assert "not charged" in status["error"]
        assert "status" not in status["error"], "no text of the vendor's reaches a person"
    else:
        assert Api(troubled.url).get(status["video_url"]).body[4:8] == b"ftyp"


def test_after_all_these_troubles_everything_adds_up(troubled: Reelay, vendor: Vendor) -> None:
    assert check(troubled.data, vendor, troubled.text, refusals=True) == []
    assert Api(troubled.url).me()["credits"]["today"]["held"] == 0
    assert troubled.http("/readyz")[0] == 200
