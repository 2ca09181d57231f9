"""``/api/films``, ``/api/characters`` and ``merge`` of docs/reference/http.md against the real process."""

from __future__ import annotations

import io
import json
import math
import struct
import wave
from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.conftest import TOKENS, Maker, Shared
from tests.lab.api import Answer, Field, File, multipart
from tests.lab.vendor import Vendor
from tests.lab.waiting import until
from tests.media.hostile import photo

pytestmark = pytest.mark.journey
SHAPE = {"error", "error_code", "message", "details", "backend_used", "timestamp"}
PRICE = 40
DAILY = 2000


def song(seconds: float = 3.0, rate: int = 8000) -> bytes:
    """A WAV that ticks twice a second."""
    out = io.BytesIO()
    tick = b"".join(struct.pack("<h", int(20_000 * math.sin(n / 3) * math.exp(-n / 200))) for n in range(rate // 2))
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(tick * round(seconds * 2))
    return out.getvalue()


class Cinema(Shared):
    """A process with two generators, and what a caller does to films."""

    def form(self, path: str, person: str, **fields: Field) -> Answer:
        mime, body = multipart(fields)
        return self.api(person).request("POST", path, body=body, headers={"Content-Type": mime}, seconds=120)

    def order(self, person: str = "alice", **fields: Any) -> str:
        answer = self.api(person).post("/api/films", {"idea": "a day at sea", "scenes": 2, **fields})
        assert answer.status == 202, answer.body
        return str(answer["operation_id"])

    def storyboard(self, person: str = "alice", **fields: Any) -> Any:
        film = self.order(person, **fields)
        self.reelay.wait_state(film, "awaiting", "failed")
        return self.film(film, person)

    def worded(self, words: str, person: str = "alice", **fields: Any) -> str:
        """A storyboard all of whose scenes say ``words``, which the generator's script goes by."""
        board = self.storyboard(person, **fields)
        scenes = [{"number": each["number"], "description": words} for each in board["film"]["scenes"]]
        assert self.patch(board["operation_id"], person, scenes=scenes).status == 200
        return str(board["operation_id"])

    def film(self, film: str, person: str = "alice") -> Any:
        answer = self.api(person).get(f"/api/films/{film}")
        assert answer.status == 200, answer.body
        return answer.json

    def patch(self, film: str, person: str = "alice", **fields: Any) -> Answer:
        return self.api(person).request("PATCH", f"/api/films/{film}", data=fields)

    def do(self, film: str, what: str, person: str = "alice", **fields: Any) -> Answer:
        return self.api(person).post(f"/api/films/{film}/{what}", fields)

    def finished(self, person: str = "alice", **fields: Any) -> Any:
        """A finished film."""
        film = self.storyboard(person, **fields)["operation_id"]
        assert self.do(film, "approve", person).status == 202
        self.reelay.wait_state(film, seconds=60)
        return self.film(film, person)

    def uploads(self) -> list[str]:
        return [path.name for path in (self.reelay.data / "clips").rglob("*.upload")]


@pytest.fixture(scope="module")
def cinema(make: Maker) -> Iterator[Cinema]:
    with Vendor() as server:
        paid = {"url": server.url, "most_active": 32}
        generators = [{"name": "lab", "price": PRICE, **paid}, {"name": "dear", "price": 60, **paid}]
        environ = {
            "REELAY_DAILY_CREDITS": str(DAILY),
            "REELAY_GLOBAL_DAILY_CREDITS": "unlimited",
            "LAB_TOKENS": json.dumps(TOKENS),
        }
        reelay = make(generators=generators, environ=environ).start()
        yield Cinema(reelay, server)
        assert reelay.stop() == 0
        assert "Traceback" not in reelay.text


# ------------------------------------------------------------------------------------------------------------------- from order to film


def test_a_film_from_its_order_to_its_end(cinema: Cinema) -> None:
    api = cinema.api("alice")
    fields = {
        "prompt": "a day at sea",
        "number_of_scenes": "3",
        "idempotency_key": "film",
        "session_id": "s",
        "duration": "4",
    }
    estimate = api.post("/api/films/estimate", {**fields, "idempotency_key": None})
    assert (estimate["storyboard"], estimate["scenes"], estimate["applied"]["duration"]) == (0, 3 * PRICE, 4)
    first, second = (api.post("/api/films", fields) for _ in range(2))
    assert set(first.json) == {"operation_id", "status", "applied"}
    assert (first.status, second["repeated"], first["operation_id"]) == (202, True, second["operation_id"])
    film = first["operation_id"]
    assert api.post("/api/films", {**fields, "title": "x"}).status == 409
    cinema.reelay.wait_state(film, "awaiting")
    board = cinema.film(film)
    assert (board["status"], board["state"], board["kind"], board["charged"]) == ("pending", "awaiting", "film", None)
    assert (board["film"]["price"], len(board["film"]["scenes"]), board["prompt"]) == (3 * PRICE, 3, "a day at sea")
    assert cinema.spent("alice") == (0, 0), "a storyboard costs nothing"

    one, _, three = board["film"]["scenes"]
    scenes = [
        {"number": three["number"]},
        {"number": one["number"], "description": "waves", "negative_description": "boats"},
        {"description": "a gull"},
    ]
    changed = cinema.patch(
        film,
        version=board["film"]["version"],
        scenes=scenes,
        title="At Sea",
        music="none",
        transition="crossfade",
        clip_sound="keep",
        video_rules_template="Grainy. {prompt}",
        aspect_ratio="9:16",
        resolution="1080p",
        duration="6",
        provider="dear",
        model="dear-1",
        negative_prompt="text",
        generate_audio=True,
        fit_to_song=False,
        character="",
    )
    assert changed.status == 200, changed.body
    plan = changed["film"]
    said = [(each["number"], each["description"], each["negative_description"]) for each in plan["scenes"]]
    assert said == [(3, three["description"], three["negative_description"]), (1, "waves", "boats"), (4, "a gull", "")]
    shared = ("title", "music", "transition", "clip_sound", "video_rules_template")
    assert [plan[name] for name in shared] == ["At Sea", "none", "crossfade", "keep", "Grainy. {prompt}"]
    applied = {"aspect_ratio": "9:16", "resolution": "1080p", "duration": 6, "provider": "dear", "model": "dear-1"}
    assert {name: changed["applied"][name] for name in applied} == applied
    assert (plan["price"], plan["version"] > board["film"]["version"]) == (180, True)

    approved = cinema.do(film, "approve", price=180, version=plan["version"])
    assert (approved.status, approved["state"]) == (202, "making"), approved.body
    assert cinema.reelay.wait_state(film, seconds=60) == "done"
    done = cinema.film(film)
    assert (done["status"], done["progress"], done["charged"]) == ("completed", 100, 180)
    assert cinema.spent("alice") == (180, 0)
    assert api.get(done["video_url"]).body[4:8] == b"ftyp"
    assert [each["state"] for each in done["film"]["scenes"]] == ["done"] * 3
    prompts = {job.prompt for job in cinema.vendor.of("Grainy. ")}
    assert prompts == {f"Grainy. {each['description']}" for each in done["film"]["scenes"]}
    listed = api.operations(only="films", session_id="s")["operations"]
    assert [each["operation_id"] for each in listed] == [film]
    assert [each["operation_id"] for each in api.operations(session_id="s")["operations"]] == [film], "not its scenes"


def test_only_films(cinema: Cinema) -> None:
    api = cinema.api("alice")
    clip = api.ordered("a clip")
    film = cinema.order()
    found = [each["operation_id"] for each in api.operations(only="films")["operations"]]
    assert found[0] == film
    assert clip not in found
    wrong = api.get("/api/video_chat/operations?only=movies")
    assert (wrong.status, wrong["details"]) == (400, "only: favourites, with_image, completed or films")


def test_a_key_of_a_clip_is_none_of_a_film(cinema: Cinema) -> None:
    api, data = cinema.api("alice"), {"prompt": "the same words", "idempotency_key": "both"}
    assert api.post("/api/video_chat/generate", data).status == 202
    answer = api.post("/api/films", data)
    assert (answer.status, answer["error_code"]) == (409, "CONFLICT")


def test_with_a_picture_and_a_song_in_a_form(cinema: Cinema) -> None:
    """The character's picture goes with the film no more than with the next one, and a film keeps it longer than the list does."""
    api, who = cinema.api("bob"), "a red fox in a coat"
    files = {"image_file": File(photo((300, 200))), "song_file": File(song(), "song.wav", "audio/wav")}
    answer = cinema.form("/api/films", "bob", idea="a walk", scenes="1", character=who, music="song", **files)
    assert answer.status == 202, answer.body
    first = answer["operation_id"]
    cinema.reelay.wait_state(first, "awaiting")
    plan = cinema.film(first, "bob")["film"]
    assert (plan["music"], plan["song"]["seconds"], plan["character"]) == ("song", pytest.approx(3, abs=0.2), who)
    picture = api.get(plan["character_url"])
    assert picture.headers.get_content_type() in {"image/jpeg", "image/png"}
    assert cinema.uploads() == []
    (character,) = api.get("/api/characters")["characters"]
    assert character["description"] == who
    assert api.get(character["picture_url"]).body == picture.body

    second = cinema.storyboard("bob", character=who)
    assert api.get(second["film"]["character_url"]).body == picture.body
    assert api.delete(first).status == 204
    assert api.get(f"/api/films/{first}").status == 404
    assert api.get(character["picture_url"]).body == picture.body
    for person, status in (("alice", 404), ("bob", 204), ("bob", 404)):
        assert cinema.api(person).request("DELETE", f"/api/characters/{character['id']}").status == status
    assert api.get("/api/characters")["characters"] == []
    assert api.get(character["picture_url"]).status == 404
    assert api.get(second["film"]["character_url"]).body == picture.body
    assert api.delete(second["operation_id"]).status == 204
    assert cinema.reelay.rows("SELECT key FROM clips WHERE account_id = ?", account(cinema, "bob")) == []


def account(cinema: Cinema, person: str) -> str:
    return str(cinema.api(person).me()["account"])


def test_a_deleted_film_takes_its_scenes_and_files_along(cinema: Cinema) -> None:
    api = cinema.api("bob")
    film = cinema.finished("bob")
    clips = [film["video_id"], *(each["video_id"] for each in film["film"]["scenes"])]
    keys = cinema.reelay.rows("SELECT key FROM clips WHERE account_id = ?", account(cinema, "bob"))
    assert len(keys) == 3
    assert api.delete(film["operation_id"]).status == 204
    for clip in clips:
        assert api.get(f"/api/mv/get_video/{clip}").status == 404
    assert [path for row in keys for path in (cinema.reelay.data / "clips").rglob(f"{row['key']}*")] == []
    waiting = cinema.storyboard("bob")["operation_id"]
    assert api.delete(waiting).status == 204, "one that waits is cancelled first"
    assert cinema.spent("bob") == (2 * PRICE, 0)


# ---------------------------------------------------------------------------------------------------------------------------- bad input

TEXT_OR = [7, ["x"], {"a": 1}, True]
ORDER: dict[str, list[Any]] = {
    "idea": ["", None, 7, ["x"], "x" * 4001],
    "scenes": [0, 21, "many", 1.5, True, [2]],
    "number_of_scenes": [0, 21, "many"],
    "character": ["x" * 2001, *TEXT_OR],
    "character_description": ["x" * 2001, 7],
    "title": ["x" * 121, *TEXT_OR],
    "video_rules_template": ["x" * 2001, *TEXT_OR],
    "music": ["jazz", "song", 7, ["none"]],
    "transition": ["wipe", 7, ["cut"]],
    "clip_sound": ["loud", 7],
    "fit_to_song": ["yes", 1, []],
    "negative_prompt": ["x" * 1001, 7],
    "aspect_ratio": ["1:1", 7],
    "resolution": ["4k", 720],
    "duration": [5, "x", True],
    "seed": [-1, "x", 1.5],
    "generate_audio": ["yes", 1],
    "provider": ["nobody", 7, ["lab"]],
    "model": ["veo-9", 7],
    "session_id": ["x" * 129, 7],
    "idempotency_key": ["x" * 129, 7],
}


@pytest.mark.parametrize("name", ORDER)
def test_a_wrong_field_of_an_order_is_named_with_its_legal_values(cinema: Cinema, name: str) -> None:
    jobs, api = cinema.reelay.value("SELECT COUNT(*) FROM jobs"), cinema.api("carol")
    for value in ORDER[name]:
        data = {"idea": "a day at sea", name: value}
        answers = [api.post("/api/films", data)]
        if name not in ("session_id", "idempotency_key") and value not in ("", None):
            answers.append(api.post("/api/films/estimate", data))
        for answer in answers:
            assert answer.status == 400, (value, answer.body[:300])
            assert answer["details"].startswith(f"{name}: "), (value, answer.json)
            assert name in answer["message"]
            assert set(answer.json) == SHAPE
    assert cinema.reelay.value("SELECT COUNT(*) FROM jobs") == jobs


def test_a_file_that_is_none_of_what_it_should_be(cinema: Cinema) -> None:
    pdf = File(b"%PDF-1.7\n" + b"x" * 500, "me.pdf", "application/pdf")
    answer = cinema.form("/api/films", "carol", idea="x", image_file=pdf)
    assert (answer.status, answer["error_code"]) == (415, "UNSUPPORTED_MEDIA")
    text = File(b"la la la\n" * 50, "song.mp3", "audio/mpeg")
    answer = cinema.form("/api/films", "carol", idea="x", song_file=text)
    assert answer.status == 202, "whether it sounds is found out by opening it"
    assert cinema.reelay.wait_state(answer["operation_id"]) == "failed"
    status = cinema.api("carol").status(answer["operation_id"])
    assert (status["status"], status["error_code"], status["charged"]) == ("error", "INVALID_REQUEST", 0)
    assert "song" in status["error"]
    answer = cinema.form("/api/mv/songs", "carol", song_file=text)
    assert (answer.status, answer["error_code"]) == (415, "UNSUPPORTED_MEDIA")
    assert "song" in answer["message"]
    for fields in ({}, {"song_file": "no file"}, {"image_file": File(photo())}):
        answer = cinema.form("/api/mv/songs", "carol", **fields)
        assert answer.status in (400, 415), answer.body
    two = [File(song(0.5), "a.wav"), File(song(0.5), "b.wav")]
    mime, body = multipart({"idea": "x", "song_file": two})
    answer = cinema.api("carol").request("POST", "/api/films", body=body, headers={"Content-Type": mime})
    assert (answer.status, answer["details"].split(":")[0]) == (400, "song_file")
    until(lambda: not cinema.uploads(), what="every upload to be gone")


def test_a_song_of_nearly_50_mb_is_taken_and_a_larger_one_is_not(cinema: Cinema) -> None:
    large = song(290, 88_200)
    assert 48_000_000 < len(large) < 50 << 20
    answer = cinema.form("/api/mv/songs", "dave", song_file=File(large, "song.wav", "audio/wav"))
    assert answer.status == 201, answer.body
    assert set(answer.json) == {"song_id", "seconds", "file_size_bytes"}
    assert answer["seconds"] == pytest.approx(290, abs=1)
    for path in ("/api/mv/songs", "/api/films"):
        answer = cinema.form(path, "dave", idea="x", song_file=File(large + bytes(4 << 20), "song.wav", "audio/wav"))
        assert (answer.status, answer["error_code"]) == (413, "OVERSIZED_MEDIA")
        assert "50 MB" in answer["message"]
    assert cinema.uploads() == []


def test_too_large_a_body_of_json_and_no_json(cinema: Cinema) -> None:
    api = cinema.api("carol")
    for path in ("/api/films", "/api/films/estimate", "/api/mv/create_scenes", "/api/mv/merge"):
        assert api.post(path, {"idea": "x" * 600_000}).status == 413
        assert api.request("POST", path, body=b"[]", headers={"Content-Type": "application/json"}).status == 400


BAD_PATCH: list[tuple[str, Any]] = [
    ("film", {}),
    ("film", {"version": 3}),
    ("nonsense", {"nonsense": 1}),
    ("scenes", {"scenes": []}),
    ("scenes", {"scenes": "all"}),
    ("scenes", {"scenes": [{"description": "x"}] * 21}),
    ("scenes", {"scenes": ["x"]}),
    ("scenes", {"scenes": [{"number": 99}]}),
    ("scenes", {"scenes": [{"number": 1}, {"number": 1}]}),
    ("scenes", {"scenes": [{"number": "1"}]}),
    ("description", {"scenes": [{}]}),
    ("description", {"scenes": [{"description": "x" * 1501}]}),
    ("description", {"scenes": [{"number": 1, "description": ["x"]}]}),
    ("negative_description", {"scenes": [{"number": 1, "negative_description": "x" * 1001}]}),
    ("version", {"version": "1", "title": "x"}),
    *[(name, {name: value}) for name in ORDER for value in ORDER[name]
      if name in {"title", "character", "music", "transition", "clip_sound", "fit_to_song", "video_rules_template",
                  "aspect_ratio", "resolution", "duration", "provider", "model", "negative_prompt", "generate_audio"}],
]  # fmt: skip


def test_a_change_is_made_as_a_whole_or_not_at_all(cinema: Cinema) -> None:
    board = cinema.storyboard("carol")
    film = board["operation_id"]
    good = {"title": "another", "scenes": [{"description": "another"}], "duration": 4}
    for name, data in BAD_PATCH:
        along = {each: value for each, value in good.items() if each not in data and name != "film"}
        for more in ({}, along):
            answer = cinema.patch(film, "carol", **more, **data)
            assert answer.status == 400, (name, data, answer.body[:300])
            assert answer["details"].split(": ")[0] == (name if name != "nonsense" else "film"), (data, answer.json)
            assert set(answer.json) == SHAPE
    assert cinema.film(film, "carol")["film"] == board["film"]
    assert cinema.film(film, "carol")["applied"] == board["applied"]


def test_a_change_that_was_made_for_an_older_version_is_refused(cinema: Cinema) -> None:
    board = cinema.storyboard("carol")
    film, version = board["operation_id"], board["film"]["version"]
    assert cinema.patch(film, "carol", title="one", version=version).status == 200
    for answer in (
        cinema.patch(film, "carol", title="two", version=version),
        cinema.do(film, "approve", "carol", version=version),
    ):
        assert (answer.status, answer["error"], answer["error_code"]) == (409, "Conflict", "CONFLICT")
        assert answer["message"] == "The film changed meanwhile. Look at it again."
    assert cinema.film(film, "carol")["film"]["title"] == "one"
