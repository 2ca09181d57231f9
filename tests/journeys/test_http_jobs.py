"""The job calls of docs/reference/http.md, to the letter, against the real process."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from bot.platforms.web.events import PAGES_MOST
from tests.journeys.conftest import Shared
from tests.lab.api import Api, Event, File
from tests.lab.checker import CANARY
from tests.lab.vendor import Script
from tests.lab.waiting import until
from tests.media.hostile import photo

pytestmark = pytest.mark.journey

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
STATUS_FIELDS = {
    "operation_id",
    "status",
    "video_id",
    "elapsed_seconds",
    "progress",
    "queue_position",
    "eta_seconds",
    "video_url",
    "thumbnail_url",
    "error",
    "error_code",
    "charged",
}


def test_a_text_clip_from_order_to_film(shared: Shared) -> None:
    api = shared.api()
    answer = api.generate(f"{CANARY} a lighthouse", duration="4", aspect_ratio="9:16", provider="instant", seed=7)
    assert answer.status == 202
    assert answer.headers.get_content_type() == "application/json"
    body = answer.json
    assert set(body) == {"operation_id", "status", "price", "applied", "changed"}
    assert (body["status"], body["price"], body["changed"]) == ("pending", 10, [])
    assert body["applied"] | {"model": ""} == {
        "aspect_ratio": "9:16",
        "resolution": "720p",
        "duration": 4,
        "seed": 7,
        "generate_audio": True,
        "provider": "instant",
        "model": "",
    }
    shared.reelay.wait_state(body["operation_id"])
    status = api.status(body["operation_id"])
    assert set(status) >= STATUS_FIELDS
    assert (status["status"], status["progress"], status["charged"], status["error"]) == ("completed", 100, 10, None)
    assert status["video_url"] == f"/api/mv/get_video/{status['video_id']}"
    film = api.get(status["video_url"])
    assert film.status == 200
    assert film.body[4:8] == b"ftyp"
    still = api.get(status["thumbnail_url"])
    assert still.headers.get_content_type() == "image/jpeg"
    assert still.body[:2] == b"\xff\xd8"
    assert TIME.fullmatch(status["created_at"])


@pytest.mark.parametrize("duration", ["8", 8, 8.0], ids=repr)
def test_duration_is_a_string_or_a_number(shared: Shared, duration: Any) -> None:
    answer = shared.api().generate("waves", duration=duration, provider="instant")
    assert answer.status == 202
    assert answer["applied"]["duration"] == 8


def test_fields_that_nobody_knows_are_ignored(shared: Shared) -> None:
    answer = shared.api().generate("waves", provider="instant", enhance_prompt=True, x={"y": [1]})
    assert answer.status == 202


def test_a_picture_clip_from_form_to_film(shared: Shared) -> None:
    api = shared.api()
    picture = File(photo((640, 360)), "holiday.jpg", "image/jpeg")
    answer = api.generate_with_image(
        picture, prompt="slow push in", duration="4", provider="instant", generate_audio="true"
    )
    assert answer.status == 202, answer.body
    job = answer["operation_id"]
    shared.reelay.wait_state(job, seconds=60)
    status = api.status(job)
    assert status["status"] == "completed"
    source = api.get(status["source_url"])
    assert source.status == 200
    assert source.headers.get_content_type() in {"image/png", "image/jpeg"}
    again = api.generate("and once more", reuse_image_of=job, provider="instant")
    assert again.status == 202
    shared.reelay.wait_state(again["operation_id"])
    assert api.status(again["operation_id"])["source_url"] is not None


def test_a_picture_needs_no_prompt(shared: Shared) -> None:
    answer = shared.api().generate_with_image(photo(), provider="instant")
    assert answer.status == 202


def test_the_history_pages_newest_first_and_by_session(shared: Shared) -> None:
    api = shared.api("grace")
    jobs = [api.ordered(f"clip {n}", session_id=f"s{n % 2}", provider="instant") for n in range(7)]
    seen: list[str] = []
    before: str | None = ""
    for _ in range(5):
        page = api.operations(limit=3, before=before)
        seen += [each["operation_id"] for each in page["operations"]]
        before = page["next"]
        if before is None:
            break
    assert (seen, before) == (jobs[::-1], None)
    mine = api.operations(session_id="s1")["operations"]
    assert [each["operation_id"] for each in mine] == jobs[1::2][::-1]
    assert {each["session_id"] for each in mine} == {"s1"}
    assert set(mine[0]) >= STATUS_FIELDS
    assert api.operations(session_id="nobody's") == {"operations": [], "next": None}
    for limit in ("0", "-1", "201", "x", "1e9", "٣"):
        answer = api.get(f"/api/video_chat/operations?limit={__import__('urllib.parse').parse.quote(limit)}")
        assert answer.status == 400, limit
        assert "1 to 200" in answer["details"]


def test_estimate_holds_nothing(shared: Shared) -> None:
    api = shared.api("heidi")
    before = api.me()["credits"]
    answer = api.post("/api/video_chat/estimate", {"prompt": "waves", "provider": "lab", "duration": 6})
    assert answer.status == 200
    assert (answer["price"], answer["applied"]["duration"], answer["changed"]) == (40, 6, [])
    assert api.me()["credits"] == before
    assert api.operations()["operations"] == []
    assert api.post("/api/video_chat/estimate", {"duration": 5}).status == 400


def test_an_estimate_refuses_what_an_order_refuses(shared: Shared) -> None:
    api = shared.api("heidi")
    wrong: list[dict[str, Any]] = [
        {"extend_of": "some clip"},
        {"reuse_image_of": "nobody's job"},
        {"reuse_image_of": 7},
        {"session_id": "a\nb"},
        {"session_id": ["s"]},
        {"parent_id": "x" * 129},
        {"idempotency_key": "a\tb"},
        {"prompt": 5},
        {"prompt": "   "},
        {"provider": "nobody"},
        {"duration": 5},
    ]
    for fields in wrong:
        asked = {"prompt": "waves", **fields}
        ordered, estimated = (api.post(f"/api/video_chat/{call}", asked) for call in ("generate", "estimate"))
        assert ordered.status in (400, 404), fields
        said = [(answer.status, answer["error_code"], answer["message"]) for answer in (ordered, estimated)]
        assert said[0] == said[1], fields


def test_cancel_while_it_waits_while_it_is_made_and_after(shared: Shared) -> None:
    api, reelay, vendor = shared.api("dave"), shared.reelay, shared.vendor
    vendor.on("never-ready", Script(seconds=None))
    running = api.ordered("never-ready", provider="lab")
    reelay.wait_state(running, "generating")
    assert api.status(running)["status"] == "processing"
    answer = api.cancel(running)
    assert answer.status == 200
    assert answer["operation_id"] == running
    assert reelay.wait_state(running) == "cancelled"
    status = api.status(running)
    assert (status["status"], status["charged"], status["video_id"]) == ("cancelled", 0, None)
    assert len(vendor.calls("cancel")) == 1
    assert api.cancel(running)["status"] == "cancelled", "cancelling twice changes nothing"

    done = shared.made("dave")
    assert api.cancel(done["operation_id"])["status"] == "completed"

    with paused(shared):
        waiting = api.ordered("in the queue", provider="lab")
        assert api.status(waiting)["status"] == "pending"
        assert api.status(waiting)["queue_position"] == 1
        assert api.cancel(waiting)["status"] == "cancelled"
    assert len(vendor.of("in the queue")) == 0
    assert api.me()["credits"]["today"]["held"] == 0


class paused:  # noqa: N801 - reads as a phrase
    """The lab generator is full: other people's endless jobs take its eight places."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared

    def __enter__(self) -> None:
        api = self.shared.api("erin")
        self.shared.vendor.on("endless-filler", Script(seconds=None))
        self.jobs = [api.ordered("endless-filler", provider="lab") for _ in range(8)]
        for job in self.jobs:
            self.shared.reelay.wait_state(job, "generating")

    def __exit__(self, *_: object) -> None:
        for job in self.jobs:
            self.shared.api("erin").cancel(job)
        for job in self.jobs:
            self.shared.reelay.wait_state(job)


def test_stop_waiting_keeps_what_is_billed_and_shows_the_clip_later(shared: Shared) -> None:
    """A vendor that bills cancelled jobs: the clip still comes, and only then it is charged."""
    api, reelay, vendor = shared.api("dave"), shared.reelay, shared.vendor
    vendor.on("billed-anyway", Script(seconds=None, stops=False))
    job = api.ordered("billed-anyway", provider="billing")
    reelay.wait_state(job, "generating")
    actions = api.status(job)["card"]["actions"]
    assert actions == [{"verb": "stop_waiting", "label": actions[0]["label"]}]
    assert "40 credits" in actions[0]["label"]
    assert api.cancel(job).status == 200
    until(lambda: reelay.job(job)["cancel_wish"] == "stop_waiting", what="the vendor's answer")
    assert api.status(job)["status"] == "processing"
    assert api.me()["credits"]["today"]["held"] == 40
    vendor.finish("billed-anyway")
    assert reelay.wait_state(job) == "done"
    status = api.status(job)
    assert (status["status"], status["charged"]) == ("completed", 40)
    assert api.get(status["video_url"]).status == 200


def test_delete_takes_the_clip_along(shared: Shared) -> None:
    api = shared.api("bob")
    status = shared.made("bob")
    key = shared.reelay.value("SELECT key FROM clips WHERE id = ?", status["video_id"])
    path = shared.reelay.data / "clips" / key[:2] / key
    assert path.is_file()
    answer = api.delete(status["operation_id"])
    assert (answer.status, answer.body) == (204, b"")
    assert not path.exists()
    assert api.get(status["video_url"]).status == 404
    assert api.post("/api/video_chat/status", {"operation_id": status["operation_id"]}).status == 404
    assert api.delete(status["operation_id"]).status == 404
    assert status["operation_id"] not in [each["operation_id"] for each in api.operations()["operations"]]


def test_delete_of_a_running_job_cancels_it_first(shared: Shared) -> None:
    api = shared.api("bob")
    shared.vendor.on("deleted-early", Script(seconds=None))
    job = api.ordered("deleted-early", provider="lab")
    shared.reelay.wait_state(job, "generating")
    assert api.delete(job).status == 204
    assert shared.vendor.of("deleted-early")[0].cancelled
    assert shared.reelay.value("SELECT kind FROM ledger WHERE job_id = ? AND kind <> 'hold'", job) == "release"


def test_favourites(shared: Shared) -> None:
    api = shared.api("bob")
    status = shared.made("bob")
    path = f"/api/video_chat/favourites/{status['video_id']}"
    for _ in range(2):
        assert api.request("PUT", path).status == 204
    assert api.status(status["operation_id"])["favourite"] is True
    assert api.status(status["operation_id"])["keep_until"] is None
    assert [each["video_id"] for each in api.operations(only="favourites")["operations"]] == [status["video_id"]]
    for _ in range(2):
        assert api.request("DELETE", path).status == 204
    assert api.status(status["operation_id"])["favourite"] is False
    assert api.request("PUT", "/api/video_chat/favourites/" + "0" * 32).status == 404


def test_the_same_key_is_the_same_job(shared: Shared) -> None:
    api = shared.api("carol")
    first = api.generate("once", idempotency_key="k-1", provider="instant")
    again = api.generate("once", idempotency_key="k-1", provider="instant")
    assert (first.status, again.status) == (202, 202)
    assert first["operation_id"] == again["operation_id"]
    assert again["repeated"] is True
    other = api.generate("twice", idempotency_key="k-1", provider="instant")
    assert (other.status, other["error_code"]) == (409, "CONFLICT")
    somebody = shared.api("bob").generate("once", idempotency_key="k-1", provider="instant")
    assert somebody["operation_id"] != first["operation_id"]
    picture = File(photo(), "a.jpg", "image/jpeg")
    one = api.generate_with_image(picture, prompt="p", idempotency_key="k-2", provider="instant")
    two = api.generate_with_image(picture, prompt="p", idempotency_key="k-2", provider="instant")
    assert one["operation_id"] == two["operation_id"]
    three = api.generate_with_image(photo((99, 99)), prompt="p", idempotency_key="k-2", provider="instant")
    assert three.status == 409


def test_events_tell_the_whole_way_and_resume_where_they_broke(shared: Shared) -> None:
    api = shared.api("frank")
    shared.vendor.on("watched", Script(seconds=0.6))
    seen: list[Event] = []
    opened = threading.Event()

    def watch() -> None:
        stream = api.events()
        opened.set()
        for event in stream:
            seen.append(event)
            if event.name == "status" and event.data["status"] == "completed":
                stream.close()
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    opened.wait(10)
    until(lambda: b"reelay_open_pages 1.0" in shared.reelay.http("/metrics")[1], what="the stream")
    job = api.ordered("watched", provider="lab")
    watcher.join(30)
    mine = [event for event in seen if event.name == "status"]
    assert {event.data["operation_id"] for event in mine} == {job}
    states = list(dict.fromkeys(event.data["state"] for event in mine))
    order = ["queued", "submitting", "generating", "storing", "done"]
    assert states == [state for state in order if state in states], "it never goes backwards"
    assert states[-1] == "done"
    progress = [
        event.data["progress"] for event in mine if event.data["state"] == "generating" and event.data["progress"]
    ]
    assert progress == sorted(progress)
    ids = [int(event.id or 0) for event in mine]
    assert ids == sorted(ids)
    assert any(event.name == "me" for event in seen)
    assert set(mine[-1].data) >= STATUS_FIELDS

    resumed = next(event for event in api.events(last_event_id=mine[0].id) if event.name == "status")
    assert (resumed.data["operation_id"], resumed.data["status"]) == (job, "completed")


def test_events_show_nobody_elses_jobs(shared: Shared) -> None:
    mine, other = shared.api("erin"), shared.api("bob")
    shared.made("bob")
    job = ""
    for event in mine.events(last_event_id="1"):
        if not job:
            other.ordered("not for erin", provider="instant")
            job = mine.ordered("for erin", provider="instant")
        if event.name != "status":
            continue
        assert event.data["operation_id"] not in [each["operation_id"] for each in other.operations()["operations"]]
        if event.data["operation_id"] == job and event.data["status"] == "completed":
            break


def test_a_head_of_the_stream_is_a_head(shared: Shared) -> None:
    """It ends, joins no stream, and the connection goes on."""
    api = shared.api("grace")
    connection = api.connect(10)
    for path, kind in (
        ("/api/events", "text/event-stream"),
        ("/api/export", "application/zip"),
        ("/api/me", "application/json"),
    ):
        connection.request("HEAD", path, headers=api.headers)
        response = connection.getresponse()
        assert (response.status, response.headers.get_content_type(), response.read()) == (200, kind, b""), path
    connection.close()


def test_one_person_has_so_many_streams_and_others_do_not_notice(shared: Shared) -> None:
    api = shared.api("grace")
    streams = []
    for _ in range(PAGES_MOST):
        connection = api.connect(10)
        connection.request("GET", "/api/events", headers=api.headers)
        response = connection.getresponse()
        assert response.readline() == b"retry: 1500\n"
        streams.append(connection)
        response.close()
    refused = api.get("/api/events")
    assert (refused.status, refused["error_code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert int(refused.headers["Retry-After"]) >= 1
    other = shared.api("heidi").events()
    shared.api("heidi").ordered("for heidi alone", provider="instant")
    assert next(other).name in {"status", "me"}
    other.close()
    for connection in streams:
        connection.close()
    until(lambda: shared.api("grace").request("HEAD", "/api/events").status == 200, what="room for another stream")


def test_resend_shows_a_clip_again_and_tells_when_it_is_gone(shared: Shared) -> None:
    api = shared.api("carol")
    status = shared.made("carol")
    assert api.post("/api/video_chat/resend", {"operation_id": status["operation_id"]}).status == 200
    until(
        lambda: (
            shared.reelay.value(
                "SELECT COUNT(*) FROM deliveries WHERE job_id = ? AND state = 'sent'", status["operation_id"]
            )
            == 2
        ),
        what="the second delivery",
    )
    assert api.post("/api/video_chat/check_again", {"operation_id": status["operation_id"]}).status == 409


@pytest.mark.parametrize("call", ["status", "cancel", "resend", "check_again"])
@pytest.mark.parametrize(
    "data", [{}, {"operation_id": None}, {"operation_id": 7}, {"operation_id": ""}, {"operation_id": ["x"]}], ids=repr
)
def test_an_id_of_the_wrong_kind_is_named(shared: Shared, call: str, data: dict[str, Any]) -> None:
    answer = shared.api().post(f"/api/video_chat/{call}", data)
    assert answer.status == 400
    assert answer["details"].startswith("operation_id: ")


@pytest.mark.parametrize(
    "operation",
    ["0" * 26, "x", "../../etc", "z" * 65, "z" * 100_000, "\u0000", "'; DROP TABLE jobs"],
    ids=lambda text: text[:12],
)
def test_an_unknown_id_is_not_found(shared: Shared, operation: str) -> None:
    for call in ("status", "cancel", "resend", "check_again"):
        answer = shared.api().post(f"/api/video_chat/{call}", {"operation_id": operation})
        assert (answer.status, answer["error"], answer["error_code"]) == (404, "NotFound", "NOT_FOUND")


def test_every_error_has_the_same_shape(shared: Shared) -> None:
    api = shared.api()
    nobody = Api(shared.reelay.url, token="reelay_not-a-token")
    answers = {
        400: api.generate("x", duration="5"),
        401: nobody.get("/api/me"),
        404: api.get("/api/mv/get_video/" + "0" * 32),
        405: api.request("PUT", "/api/video_chat/generate"),
        413: api.post("/api/video_chat/generate", {"prompt": "x" * 600_000}),
        415: api.request("POST", "/api/video_chat/generate", body=b"prompt=x", headers={"Content-Type": "text/plain"}),
    }
    for status, answer in answers.items():
        assert answer.status == status, answer.body
        assert set(answer.json) == {"error", "error_code", "message", "details", "backend_used", "timestamp"}
        assert TIME.fullmatch(answer["timestamp"])
        assert answer["message"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answers[401].headers["WWW-Authenticate"] == "Bearer"
    assert (answers[405].headers["Allow"], "POST" in answers[405]["message"]) == ("POST", True)
    wrong_model = api.generate("x", provider="instant", model="another")
    assert wrong_model["backend_used"] == "instant", "a name, as it is used everywhere, and not a title"
    assert api.generate("x", extend_of="0" * 32)["backend_used"] is None
