"""A shared clip by HTTP: its page for people, its file for programs, the report, and the operator's two verbs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.journeys.page.moderation import (
    NOBODY,
    OPERATOR,
    OWNER,
    SOMEBODY,
    command,
    cookie_of,
    made,
    moderated,
    page_of,
    reports,
)
from tests.lab.api import Api
from tests.lab.reelay import Reelay
from tests.lab.waiting import until

OPENED = {**NOBODY, "Sec-Fetch-Dest": "document", "Accept": "text/html"}


@pytest.fixture(scope="module")
def reelay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reelay]:
    with moderated(tmp_path_factory.mktemp("moderation")) as process:
        yield process


@pytest.fixture(scope="module")
def operator(reelay: Reelay) -> str:
    return cookie_of(reelay, OPERATOR)


@pytest.fixture(scope="module")
def somebody(reelay: Reelay) -> str:
    return cookie_of(reelay, SOMEBODY)


def test_a_browser_that_opens_a_link_gets_a_page_and_everybody_else_the_clip(reelay: Reelay) -> None:
    clip, link = made(reelay)
    api, query = Api(reelay.url), link.partition("?")[2]
    opened = api.get(link, headers=OPENED)
    assert (opened.status, opened.headers["Location"]) == (303, f"/clip/{clip['video_id']}?{query}")
    plain = {**NOBODY, "Upgrade-Insecure-Requests": "1"}  # a browser that reaches us without https
    assert api.get(link, headers=plain).status == 303
    page = api.get(opened.headers["Location"], headers=OPENED)
    assert (page.status, page.headers.get_content_type()) == (200, "text/html")
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    for headers in (NOBODY, {**OPENED, "Sec-Fetch-Dest": "video"}, {**NOBODY, "Accept": "text/html"}):
        answer = api.get(link, headers=headers)
        assert (answer.status, answer.headers.get_content_type()) == (200, "video/mp4"), headers
    assert api.get(f"{link}&download=1", headers=OPENED).status == 200
    own = Api(reelay.url, token=OWNER).get(clip["video_url"], headers={"Sec-Fetch-Dest": "document"})
    assert own.headers.get_content_type() == "video/mp4", "without a signature there is nothing to share"
    shown = api.get(f"/api/clips/{clip['video_id']}?{query}", headers=NOBODY).json
    assert api.get(shown["video_url"], headers=NOBODY).headers.get_content_type() == "video/mp4"
    assert api.get(shown["thumbnail_url"], headers=NOBODY).headers.get_content_type() == "image/jpeg"
    assert "lighthouse" not in json.dumps(shown), "the prompt is its maker's"
    assert shown["operator"] is False


def test_whoever_has_the_link_can_report_and_says_it_once(reelay: Reelay, somebody: str) -> None:
    clip, link = made(reelay)
    call = f"/api/clips/{clip['video_id']}/report"
    query = link.partition("?")[2]
    stranger = Api(reelay.url, headers=NOBODY)
    assert stranger.post(call).status == 401
    assert stranger.post(f"{call}?{query[:-1]}x").status == 404
    assert page_of(reelay, somebody).post(call).status == 404, "somebody else's clip, and no link to it"
    assert reports(reelay, clip["operation_id"]) == []
    for _ in range(3):
        thanks = stranger.post(f"{call}?{query}", headers={"Accept-Language": "de"})
        assert (thanks.status, thanks["message"]) == (200, "Danke. Der Betreiber weiß Bescheid und kann ihn entfernen.")
        assert page_of(reelay, somebody).post(f"{call}?{query}").status == 200
        assert Api(reelay.url, token=OWNER).post(call)["message"].startswith("Thank you.")
    assert sorted(reports(reelay, clip["operation_id"])) == ["discord:6", "web:ann", "web:anonymous"]
    assert reelay.alerts() == [f"clip reported {clip['operation_id']}"]
    other, link = made(reelay)
    assert stranger.post(f"/api/clips/{other['video_id']}/report?{link.partition('?')[2]}").status == 200
    assert sorted(reelay.alerts()) == sorted(f"clip reported {each['operation_id']}" for each in (clip, other))


def test_what_is_no_clip_has_no_page_either(reelay: Reelay) -> None:
    query = made(reelay)[1].partition("?")[2]
    for wanted in ("x", "0" * 31, "0" * 33, "%2E%2E%2Fevil", "%5Cevil", "%0D%0AX-Evil:1"):
        answer = Api(reelay.url).get(f"/api/mv/get_video/{wanted}?{query}", headers=OPENED)
        assert (answer.status, answer.headers["Location"]) == (404, None), wanted


def test_a_foreign_page_can_report_nothing(reelay: Reelay, operator: str) -> None:
    clip, link = made(reelay)
    evil = {"Origin": "https://evil.example"}
    for verb in ("report", "takedown", "block"):
        call = f"/api/clips/{clip['video_id']}/{verb}?{link.partition('?')[2]}"
        assert page_of(reelay, operator, **evil).post(call).status == 403
        assert Api(reelay.url, cookie=operator, headers=NOBODY).post(call).status == 403, "a cookie without an Origin"
    assert Api(reelay.url, headers=NOBODY).get(link).status == 200
    assert reports(reelay, clip["operation_id"]) == []


def test_only_an_operator_takes_down_and_blocks(reelay: Reelay, operator: str, somebody: str) -> None:
    clip, link = made(reelay)
    query = link.partition("?")[2]
    others = {
        "another person": page_of(reelay, somebody),
        "this machine": Api(reelay.url),
        "its maker": Api(reelay.url, token=OWNER),
        "an operator's program": Api(
            reelay.url, token=json.loads(command(reelay, "token", OPERATOR, "--json"))["token"]
        ),
        "nobody": Api(reelay.url, headers=NOBODY),
    }
    for name, api in others.items():
        for verb in ("takedown", "block"):
            for wanted in (clip["video_id"], clip["operation_id"], "0" * 32, "x"):
                answer = api.post(f"/api/clips/{wanted}/{verb}?{query}")
                assert answer.status == (401 if name == "nobody" else 404), (name, verb)
    assert Api(reelay.url, token=OWNER).status(clip["operation_id"])["video_id"] == clip["video_id"]
    assert page_of(reelay, operator).post("/api/session")["operator"] is True
    assert page_of(reelay, somebody).post("/api/session")["operator"] is False
    assert Api(reelay.url).post("/api/session")["operator"] is False
    mine = page_of(reelay, operator)
    for wanted in ("0" * 32, "0" * 26, "x", "x" * 200, "%00"):
        assert mine.post(f"/api/clips/{wanted}/takedown").status == 404


@contextmanager
def goes_from_the_page(reelay: Reelay, job: str) -> Iterator[None]:
    """What happens here takes the job's card off Ann's open page."""

    def open_pages() -> bool:
        return b"reelay_open_pages 1.0" in Api(reelay.url).get("/metrics").body

    events, heard = Api(reelay.url, token=OWNER).events(), []

    def listen() -> None:
        heard.append(next(event for event in events if event.name == "gone" and event.data["operation_id"] == job))
        events.close()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    until(open_pages, what="the open page")
    yield
    listener.join(20)
    assert heard, "the page was not told"


def test_what_the_command_line_takes_down_goes_from_the_open_page(reelay: Reelay) -> None:
    clip, link = made(reelay)
    with goes_from_the_page(reelay, clip["operation_id"]):
        command(reelay, "takedown", clip["operation_id"])
    assert Api(reelay.url, headers=NOBODY).get(link).status == 404


def test_a_clip_that_is_taken_down_is_nowhere_and_its_maker_can_be_blocked(reelay: Reelay, operator: str) -> None:
    clip, link = made(reelay, "a clip that goes")
    owner, mine = Api(reelay.url, token=OWNER), page_of(reelay, operator, **{"Accept-Language": "fr-CA"})
    query = link.partition("?")[2]
    keys = reelay.rows("SELECT key, poster_key FROM clips WHERE id = ?", clip["video_id"])[0]
    files = [path for path in (reelay.data / "clips").rglob("*") if path.name in keys.values()]
    assert len(files) == 2
    with goes_from_the_page(reelay, clip["operation_id"]):
        taken = mine.post(f"/api/clips/{clip['video_id']}/takedown")
    assert (taken.status, taken["operation_id"]) == (200, clip["operation_id"])
    assert taken["message"].startswith("Retiré")
    for address in (link, f"/api/clips/{clip['video_id']}?{query}", clip["video_url"], clip["thumbnail_url"]):
        assert owner.get(address).status == 404, address
    assert owner.post("/api/video_chat/status", {"operation_id": clip["operation_id"]}).status == 404
    assert clip["operation_id"] not in [each["operation_id"] for each in owner.operations(limit=200)["operations"]]
    assert [path for path in files if path.exists()] == []
    assert mine.post(f"/api/clips/{clip['operation_id']}/takedown").status == 404, "it is gone already"
    assert mine.post(f"/api/clips/{clip['operation_id']}/block").status == 200
    assert owner.generate().status == 403
    assert owner.me()["blocked"] is True
    down = reelay.rows("SELECT actor, details FROM audit WHERE verb = 'takedown' ORDER BY id DESC LIMIT 1")[0]
    assert (down["actor"], json.loads(down["details"])["job"]) == ("discord:5", clip["operation_id"])
    assert [row["actor"] for row in reelay.rows("SELECT actor FROM audit WHERE verb = 'block'")] == ["discord:5"]
    account = reelay.value("SELECT account_id FROM jobs WHERE id = ?", clip["operation_id"])
    command(reelay, "unblock", str(account))


def test_a_program_that_asks_for_no_language_gets_english(reelay: Reelay) -> None:
    def refused(**headers: str) -> Any:
        return Api(reelay.url, headers=headers).post("/api/video_chat/generate", {"prompt": "x", "seed": "y"}).json

    plain, german = refused(), refused(**{"Accept-Language": "de-DE,de;q=0.9,en;q=0.1"})
    assert plain["message"].startswith("“seed” ")
    assert plain["message"] != german["message"]
    same = ("error", "error_code", "details", "backend_used")
    assert [plain[name] for name in same] == [german[name] for name in same]
    assert Api(reelay.url).get("/api/catalogue")["language"] == "en"
    assert Api(reelay.url, headers={"Accept-Language": "fr"}).get("/api/privacy")["title"] == "Confidentialité"
