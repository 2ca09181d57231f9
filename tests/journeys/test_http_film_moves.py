"""What may be done with a film over HTTP in which state, and what a merge takes; somebody else's is not there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.test_http_films import DAILY, PRICE, SHAPE, Cinema, cinema, song
from tests.lab.api import Answer, Api, File
from tests.lab.billing import Script
from tests.lab.waiting import until

__all__ = ["cinema"]
pytestmark = pytest.mark.journey
CALLS: dict[str, dict[str, Any]] = {
    "approve": {},
    "retry": {},
    "rewrite": {"scene": 1},
    "repaint": {},
    "cut": {},
}
EDITS: dict[str, dict[str, Any]] = {"plan": {"title": "x"}, "shape": {"duration": 8}}
IN_STATE: dict[str, dict[str, int]] = {
    "awaiting": {"retry": 409, "repaint": 400, "cut": 409, "shape": 200, "plan": 200, "rewrite": 202},
    "making": {"approve": 202, "retry": 409, "rewrite": 409, "repaint": 409, "cut": 409, "plan": 409, "shape": 409},
    "done": {"approve": 202, "retry": 409, "rewrite": 409, "repaint": 409, "shape": 409, "plan": 200, "cut": 202},
    "failed": {"approve": 409, "rewrite": 409, "repaint": 409, "cut": 409, "shape": 409, "plan": 200, "retry": 202},
    "cancelled": {"approve": 409, "rewrite": 409, "repaint": 409, "cut": 409, "shape": 409, "plan": 200},
}
"""What each call is answered with; the last one of a row may change the state."""


SAID: dict[Any, str] = {
    "awaiting": "Nothing of this film is made yet. Approve its storyboard first.",
    "making": "That cannot be changed while the film is being made.",
    "done": "This film has ended. Its scenes can be made again, and it can be cut anew.",
    "failed": "This film has ended. Its scenes can be made again, and it can be cut anew.",
    "cancelled": "This film has ended. Its scenes can be made again, and it can be cut anew.",
    ("done", "retry"): "Every scene is made already.",
    ("failed", "cut"): "No scene of this film was made.",
    ("cancelled", "cut"): "No scene of this film was made.",
}


def in_state(cinema: Cinema, state: str) -> str:
    """A film of alice's."""
    words = f"a film that is {state}"
    if state == "making":
        cinema.vendor.on(words, Script(seconds=None))
    if state == "failed":
        cinema.vendor.on(words, Script(fails="content"))
    film = cinema.worded(words)
    if state == "cancelled":
        cinema.api().cancel(film)
    elif state != "awaiting":
        cinema.do(film, "approve")
    cinema.reelay.wait_state(film, state, seconds=60)
    return film


def tried(cinema: Cinema, film: str, what: str) -> Answer:
    return cinema.patch(film, **EDITS[what]) if what in EDITS else cinema.do(film, what, **CALLS[what])


@pytest.mark.parametrize("state", IN_STATE)
def test_every_call_in_every_state(cinema: Cinema, state: str) -> None:
    film = in_state(cinema, state)
    before = cinema.film(film)["film"]["charged"]
    for what, status in IN_STATE[state].items():
        answer = tried(cinema, film, what)
        assert answer.status == status, (what, answer.body[:300])
        if status == 409:
            assert (set(answer.json), answer["error_code"]) == (SHAPE, "CONFLICT")
            assert answer["message"] == SAID.get((state, what), SAID[state]), what
        elif status >= 400:
            assert set(answer.json) == SHAPE
        else:
            assert (answer["operation_id"], answer["kind"]) == (film, "film")
    assert cinema.film(film)["film"]["charged"] == before
    cinema.vendor.finish(f"a film that is {state}")
    cinema.reelay.wait_state(film, "awaiting", "done", "failed", "cancelled", seconds=60)
    cinema.vendor.forget_scripts()


def test_a_price_that_is_higher_than_what_was_shown_is_told_with_both(cinema: Cinema) -> None:
    film = cinema.storyboard("bob")["operation_id"]
    assert cinema.patch(film, "bob", provider="dear").status == 200
    answer = cinema.do(film, "approve", "bob", price=2 * PRICE)
    assert (answer.status, answer["error_code"]) == (409, "CONFLICT")
    assert (answer["details"], "80" in answer["message"], "120" in answer["message"]) == (
        "was: 80; now: 120",
        True,
        True,
    )
    assert cinema.spent("bob")[1] == 0
    for wrong in ("120", -1, 1.5, True):
        answer = cinema.do(film, "approve", "bob", price=wrong)
        assert (answer.status, answer["details"].split(":")[0]) == (400, "price")
    assert cinema.do(film, "approve", "bob", price=121).status == 202


def test_all_scenes_are_held_or_none_and_402_tells_the_total(cinema: Cinema) -> None:
    film, waiting = (cinema.worded("an epic", "carol", scenes=20, provider="dear") for _ in range(2))
    spent, _ = cinema.spent("carol")
    cinema.vendor.on("an epic", Script(seconds=None))
    assert cinema.do(film, "approve", "carol").status == 202
    answer = cinema.do(waiting, "approve", "carol")
    assert (answer.status, answer["error_code"]) == (402, "QUOTA_EXCEEDED")
    assert "1,200" in answer["message"] or "1200" in answer["message"], answer["message"]
    assert "resets_at: " in answer["details"]
    assert cinema.spent("carol") == (spent, 1200)
    assert DAILY < 2400
    cinema.api("carol").cancel(film)
    assert cinema.reelay.wait_state(film) == "cancelled"
    cinema.vendor.forget_scripts()
    assert cinema.spent("carol") == (spent, 0)


def test_a_scene_that_failed_is_ordered_again_alone_elsewhere_and_in_other_words(cinema: Cinema) -> None:
    cinema.vendor.on("a forbidden dance", Script(fails="content"))
    film = cinema.storyboard("dave", scenes=3)["operation_id"]
    scenes = [{"number": 1}, {"number": 2, "description": "a forbidden dance"}, {"number": 3}]
    assert cinema.patch(film, "dave", scenes=scenes).status == 200
    cinema.do(film, "approve", "dave")
    assert cinema.reelay.wait_state(film, seconds=60) == "done"
    status = cinema.film(film, "dave")
    assert [each["state"] for each in status["film"]["scenes"]] == ["done", "failed", "done"]
    declined = status["film"]["scenes"][1]
    assert (declined["error_code"], declined["charged"]) == ("CONTENT_POLICY_VIOLATION", 0)
    assert "declined" in declined["error"]
    assert (status["charged"], cinema.spent("dave")) == (2 * PRICE, (2 * PRICE, 0))
    for fields, name in (
        ({"scenes": [9]}, "scene"), ({"scenes": "all"}, "scenes"), ({"scenes": [True]}, "scenes"), ({"provider": "nobody"}, "provider"),
        ({"provider": ["lab"]}, "provider"), ({"description": "x"}, "description"), ({"scenes": [2], "description": 7}, "description"),
        ({"price": "1"}, "price"),
    ):  # fmt: skip
        answer = cinema.do(film, "retry", "dave", **fields)
        assert (answer.status, answer["details"].split(":")[0]) == (400, name), answer.json
    answer = cinema.do(film, "retry", "dave", scenes=[2], description="a slow dance", provider="dear", price=60)
    assert answer.status == 202, answer.body
    cinema.reelay.wait_state(film, seconds=60)
    status = cinema.film(film, "dave")
    assert [(each["state"], each["generator"]) for each in status["film"]["scenes"]] == [
        ("done", "lab"),
        ("done", "dear"),
        ("done", "lab"),
    ]
    assert (status["status"], status["charged"], cinema.spent("dave")) == ("completed", 140, (140, 0))
    assert len(cinema.vendor.of("a slow dance")) == 1


def test_a_scene_and_the_character_made_anew_before_anything_is_paid(cinema: Cinema) -> None:
    board = cinema.storyboard("erin", character="a red fox")
    film = board["operation_id"]
    old = cinema.api("erin").get(board["film"]["character_url"]).body
    for wrong in (None, "1", 9, True, [1]):
        answer = cinema.do(film, "rewrite", "erin", scene=wrong)
        assert (answer.status, answer["details"].split(":")[0]) == (400, "scene")
    assert cinema.do(film, "rewrite", "erin", scene=2).status == 202
    words = board["film"]["scenes"][1]["description"]
    until(lambda: cinema.film(film, "erin")["film"]["scenes"][1]["description"] != words, what="other words")
    answer = cinema.do(film, "repaint", "erin")
    assert (answer.status, answer["film"]["painting"]) == (202, True)
    until(lambda: not cinema.film(film, "erin")["film"]["painting"], 60, "the picture")
    assert cinema.film(film, "erin")["film"]["character_url"] is not None
    assert len(old) > 1000
    assert cinema.spent("erin") == (0, 0)


def test_somebody_else_s_film_is_not_there(cinema: Cinema) -> None:
    film = cinema.storyboard("alice")["operation_id"]
    clip = cinema.api("bob").ordered("a clip")
    calls: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("PATCH", "", {"title": "x"}),
        ("GET", "/character", None),
        *[("POST", f"/{what}", fields) for what, fields in CALLS.items()],
    ]
    for who in (film, clip, "0" * 26, "x", "z" * 100):
        for method, path, data in calls:
            answer = cinema.api("bob").request(method, f"/api/films/{who}{path}", data=data)
            assert (answer.status, answer["error"], answer["error_code"]) == (404, "NotFound", "NOT_FOUND"), (who, path)
    assert cinema.api("bob").get("/api/characters/" + "0" * 32 + "/picture").status == 404
    assert cinema.api("bob").delete(film).status == 404
    assert cinema.film(film)["state"] == "awaiting"


# -------------------------------------------------------------------------------------------------------------------------------- merge


def clips(cinema: Cinema, person: str, n: int) -> list[str]:
    api = cinema.api(person)
    jobs = [api.ordered(f"clip {i}") for i in range(n)]
    for job in jobs:
        cinema.reelay.wait_state(job)
    return [str(api.status(job)["video_id"]) for job in jobs]


def merge(cinema: Cinema, person: str, **fields: Any) -> Answer:
    return cinema.api(person).post("/api/mv/merge", fields)


def test_merges(cinema: Cinema) -> None:
    api, ids = cinema.api("frank"), clips(cinema, "frank", 2)
    kept = cinema.form("/api/mv/songs", "frank", song_file=File(song(), "song.wav", "audio/wav"))
    assert kept.status == 201, kept.body
    merges: dict[str, dict[str, Any]] = {
        "cut": {"video_ids": ids, "transition": "cut", "music": None, "title": None},
        "one": {"video_ids": ids[:1]},
        "twice the same": {"video_ids": [ids[0]] * 2, "transition": "crossfade"},
        "built-in": {"video_ids": ids, "music": "built-in", "title": "Two clips"},
        "song": {"video_ids": ids, "music": kept["song_id"], "clip_sound": "drop", "session_id": "m"},
    }
    for name, fields in merges.items():
        answer = merge(cinema, "frank", **fields, idempotency_key=name)
        assert (answer.status, set(answer.json)) == (202, {"operation_id", "status"}), (name, answer.body)
        again = merge(cinema, "frank", **fields, idempotency_key=name)
        assert (again["operation_id"], again["repeated"]) == (answer["operation_id"], True)
        assert cinema.reelay.wait_state(answer["operation_id"], seconds=60) == "done", name
        status = api.status(answer["operation_id"])
        assert (status["status"], status["kind"], status["progress"], status["charged"]) == (
            "completed",
            "merge",
            100,
            0,
        )
        assert api.get(status["video_url"]).body[4:8] == b"ftyp"
        assert status["thumbnail_url"] is not None
    assert len(api.operations(only="films")["operations"]) == len(merges)
    assert len(api.operations(session_id="m")["operations"]) == 1
    assert merge(cinema, "frank", video_ids=ids, idempotency_key="one").status == 409
    assert cinema.spent("frank") == (2 * PRICE, 0)


def test_what_cannot_be_merged(cinema: Cinema) -> None:
    mine, theirs = clips(cinema, "grace", 1), clips(cinema, "heidi", 1)
    song_of_theirs = cinema.form("/api/mv/songs", "heidi", song_file=File(song(), "song.wav"))["song_id"]
    wrong: dict[str, list[Any]] = {
        "video_ids": [None, [], "x", [1], mine * 65, {"a": 1}],
        "transition": ["wipe", 7],
        "music": ["jazz", 7, ["x"], "song", True],
        "title": ["x" * 121, 7],
        "clip_sound": ["loud"],
        "fit_to_song": ["yes"],
        "session_id": ["x" * 129],
        "idempotency_key": [7],
    }
    jobs = cinema.reelay.value("SELECT COUNT(*) FROM jobs")
    for name, values in wrong.items():
        for value in values:
            answer = merge(cinema, "grace", **{"video_ids": mine, name: value})
            assert (answer.status, answer["error_code"]) == (400, "INVALID_REQUEST"), (name, value, answer.body)
            assert (answer["details"].split(": ")[0], set(answer.json)) == (name, SHAPE)
    for name, gone in (
        ("video_ids", ["0" * 32]), ("video_ids", [*mine, *theirs]), ("video_ids", ["x"]),
        ("video_ids", [song_of_theirs]), ("music", "0" * 32), ("music", song_of_theirs), ("music", mine[0]),
    ):  # fmt: skip
        answer = merge(cinema, "grace", **{"video_ids": mine, name: gone})
        assert (answer.status, answer["error"], answer["error_code"]) == (404, "NotFound", "NOT_FOUND"), (name, gone)
        assert answer["details"].startswith(f"{name}: ")
    assert cinema.reelay.value("SELECT COUNT(*) FROM jobs") == jobs


# --------------------------------------------------------------------------------------------------------------- variations, and who may


def test_several_clips_of_one_wish_are_all_told(cinema: Cinema) -> None:
    api, data = cinema.api("grace"), {"prompt": "four of them", "variations": 4, "idempotency_key": "v", "seed": 5}
    spent, _ = cinema.spent("grace")
    assert api.generate("mine", idempotency_key="v 2").status == 202, "a key of one's own is never one of theirs"
    first, again = (api.post("/api/video_chat/generate", data) for _ in range(2))
    ids = first["operation_ids"]
    assert (first.status, len(set(ids)), ids[0]) == (202, 4, first["operation_id"])
    assert (again["operation_ids"], again["repeated"]) == (ids, True)
    for job in ids:
        cinema.reelay.wait_state(job)
    assert [api.status(job)["applied"]["seed"] for job in ids] == [5, 6, 7, 8]
    assert cinema.spent("grace") == (spent + 5 * PRICE, 0)
    assert "operation_ids" not in api.generate("one").json
    for wrong in (0, 5, "many", 1.5, True):
        answer = api.generate("x", variations=wrong)
        assert (answer.status, answer["details"].split(":")[0]) == (400, "variations")


def test_a_clip_that_goes_on_becomes_one_with_the_clip_before(cinema: Cinema) -> None:
    api, (clip,) = cinema.api("ivan"), clips(cinema, "ivan", 1)
    spent, _ = cinema.spent("ivan")
    answer = api.generate("a storm comes", extend_of=clip, join=True)
    cinema.reelay.wait_state(answer["operation_id"])
    made, before = api.status(answer["operation_id"]), api.get(f"/api/mv/get_video/{clip}/info")
    assert cinema.spent("ivan") == (spent + PRICE, 0)
    assert api.get(f"{made['video_url']}/info")["file_size_bytes"] > before["file_size_bytes"]
    for fields, named in (({}, "join"), ({"extend_of": clip, "variations": 2}, "variations")):
        answer = api.generate("a storm comes", join=True, **fields)
        assert (answer.status, answer["details"].split(":")[0]) == (400, named)
    answer = api.post("/api/mv/generate_video", {"prompt": "x", "variations": 2})
    assert (answer.status, answer["details"].split(":")[0]) == (400, "variations")
    assert cinema.spent("ivan") == (spent + PRICE, 0)


def test_a_foreign_page_orders_no_film_and_a_stranger_neither(cinema: Cinema) -> None:
    """Who has no credentials at this address is the local account; a page of somebody else's must not act as it."""
    calls = ["/api/films", "/api/films/estimate", "/api/mv/create_scenes", "/api/mv/merge", "/api/mv/songs"]
    for path in [*calls, "/api/films/x/approve", "/api/mv/generate_character_reference"]:
        answer = Api(cinema.reelay.url, headers={"Origin": "https://evil.example"}).post(path, {"idea": "x"})
        assert (answer.status, answer["error_code"]) == (403, "NOT_ALLOWED"), path
        stranger = Api(cinema.reelay.url, headers={"Host": "elsewhere.example"}).post(path, {"idea": "x"})
        assert (stranger.status, stranger["error_code"]) == (401, "AUTHENTICATION_ERROR"), path
    page = Api(cinema.reelay.url, headers={"Origin": cinema.reelay.url})
    assert page.post("/api/films/estimate", {}).status == 200
