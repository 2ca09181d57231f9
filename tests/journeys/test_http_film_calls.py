"""``create_scenes`` and ``generate_character_reference`` against paid simulators: one call each, exact money, honest errors."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.conftest import TOKENS, Maker, Shared
from tests.lab.api import Answer
from tests.lab.billing import Refuse, Script, Take
from tests.lab.checker import CANARY, secrets_in
from tests.lab.gemini import GeminiVendor
from tests.lab.google_door import KEY as GOOGLE_KEY
from tests.lab.openai import KEY as OPENAI_KEY
from tests.lab.openai import OpenAI
from tests.lab.vendor import Vendor
from tests.lab.waiting import until
from tests.media.hostile import photo

pytestmark = pytest.mark.journey
SHAPE = {"error", "error_code", "message", "details", "backend_used", "timestamp"}
DEAR = """
[[models]]
id = "gpt-5-mini"
options = { usd_per_million_input_tokens = 10, usd_per_million_output_tokens = 20, thinking_tokens = 500, tokens_per_scene = 800 }
"""
SCRIPT = 5
"""Credits of an answer of the simulator: 1,000 tokens in, 2,000 out."""
ROBOT = "a robot with a red shield"


class Studio(Shared):
    """A process whose writer and painter cost something."""

    writer: OpenAI
    painter: GeminiVendor

    def scenes(self, idea: str, person: str = "alice", **fields: Any) -> Answer:
        data = {"idea": idea, "character_description": ROBOT, **fields}
        return self.api(person).post("/api/mv/create_scenes", data, seconds=60)

    def portrait(self, words: str, person: str = "alice", **fields: Any) -> Answer:
        data = {"character_description": words, **fields}
        return self.api(person).post("/api/mv/generate_character_reference", data, seconds=60)


@pytest.fixture(scope="module")
def studio(make: Maker) -> Iterator[Studio]:
    with Vendor() as server, OpenAI() as writer, GeminiVendor() as painter:
        painter.picture = photo((320, 320))
        environ = {
            **writer.environment(),
            **painter.environment(),
            "REELAY_DAILY_CREDITS": "500",
            "LAB_TOKENS": json.dumps(TOKENS),
        }
        reelay = make(generators=[{"name": "lab", "url": server.url, "price": 40}], environ=environ)
        sheet = reelay.data / "models/openai.toml"
        sheet.parent.mkdir(parents=True)
        sheet.write_text(DEAR, encoding="utf-8")
        reelay.start()
        found = Studio(reelay, server)
        object.__setattr__(found, "writer", writer)
        object.__setattr__(found, "painter", painter)
        yield found
        assert reelay.stop() == 0
        assert secrets_in(reelay.text, [OPENAI_KEY, GOOGLE_KEY, *TOKENS.values()]) == []
        assert "Traceback" not in reelay.text


@pytest.fixture
def writer(studio: Studio) -> Iterator[OpenAI]:
    """As it is at first."""
    yield studio.writer
    studio.writer.content, studio.writer.message, studio.writer.ends = None, {}, "stop"
    studio.writer.forget_scripts()


def test_scenes_and_what_they_cost(studio: Studio, writer: OpenAI) -> None:
    answer = studio.scenes(f"{CANARY} a day at sea", number_of_scenes=3)
    assert answer.status == 200, answer.body
    assert set(answer.json) == {"scenes", "metadata"}
    assert answer["scenes"] == [{"description": f"Scene {n} of it", "negative_description": "text"} for n in range(3)]
    metadata = answer["metadata"]
    assert (metadata["writer"], metadata["model"], metadata["number_of_scenes"]) == ("openai", "gpt-5-mini", 3)
    assert metadata["price"] > SCRIPT == metadata["charged"], "what was held is more than what it came to"
    assert studio.spent("alice") == (SCRIPT, 0)
    assert sum(writer.paid.values()) == 1
    status = studio.api().status(metadata["operation_id"])
    assert (status["status"], status["kind"], status["charged"]) == ("completed", "script", SCRIPT)
    assert studio.api("bob").post("/api/video_chat/status", {"operation_id": metadata["operation_id"]}).status == 404
    assert len(studio.scenes("and four when nothing is said")["scenes"]) == 4


def test_a_portrait_and_what_it_costs(studio: Studio) -> None:
    answer = studio.portrait("a fox", "bob")
    assert answer.status == 200, answer.body
    assert set(answer.json) == {"image_base64", "metadata"}
    picture = base64.b64decode(answer["image_base64"], validate=True)
    assert picture[:3] == b"\xff\xd8\xff" or picture[:4] == b"\x89PNG"
    metadata = answer["metadata"]
    assert (metadata["painter"], metadata["width"], metadata["height"]) == ("gemini", 320, 320)
    assert studio.spent("bob") == (metadata["charged"], 0)
    assert metadata["charged"] > 0


def test_the_same_key_is_one_call_and_one_charge(studio: Studio, writer: OpenAI) -> None:
    writer.on("keyed", Script(submits=[Take(seconds=0.5)]))
    first, second = (studio.scenes("a keyed idea", "carol", idempotency_key="k") for _ in range(2))
    assert first.json == second.json
    assert len(writer.of("keyed")) == 1
    assert studio.scenes("another idea", "carol", idempotency_key="k").status == 409
    other = studio.api("carol").post("/api/films", {"idea": "a keyed idea", "idempotency_key": "k"})
    assert (other.status, other["error_code"]) == (409, "CONFLICT")
    one, two = (studio.portrait("a keyed cat", "dave", idempotency_key="p") for _ in range(2))
    assert one["image_base64"] == two["image_base64"]
    assert len(studio.painter.of("a keyed cat")) == 1
    assert studio.spent("carol") == (SCRIPT, 0)
    assert studio.spent("dave") == (one["metadata"]["charged"], 0)


def test_whoever_hangs_up_gets_the_scenes_by_the_key(studio: Studio, writer: OpenAI) -> None:
    writer.on("hung up", Script(submits=[Take(seconds=1.0)]))
    api = studio.api("erin")
    fields = {"idea": "hung up", "character_description": ROBOT, "idempotency_key": "h"}
    connection = api.connect()
    connection.request(
        "POST", "/api/mv/create_scenes", json.dumps(fields), {**api.headers, "Content-Type": "application/json"}
    )
    until(lambda: writer.of("hung up"), what="the call")
    connection.close()
    answer = studio.scenes("hung up", "erin", idempotency_key="h")
    assert answer.status == 200
    assert len(writer.of("hung up")) == 1
    assert studio.spent("erin") == (SCRIPT, 0)
    assert api.operations()["operations"] == [], "scripts are no clips"


SCENE = {"description": "A scene", "negative_description": ""}
ORDERS = {"operation": "generate", "provider": "veo", "price": 0, "number_of_scenes": 20}
BROKEN: dict[str, Any] = {
    "no JSON": "{not json",
    "nothing": "",
    "no scenes": json.dumps({"scenes": []}),
    "too few": json.dumps({"scenes": [SCENE]}),
    "an order in place of scenes": json.dumps(ORDERS),
    "words in place of scenes": json.dumps({"scenes": ["one", "two", "three", "four"]}),
    "scenes without words": json.dumps({"scenes": [{"description": " "}] * 4}),
    "a list of numbers": json.dumps([1, 2, 3, 4]),
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("what", BROKEN)
def test_an_answer_that_is_no_script_is_an_honest_error_and_free(studio: Studio, writer: OpenAI, what: str) -> None:
    before, writer.content = studio.spent("frank"), BROKEN[what]
    answer = studio.scenes("broken", "frank")
    assert (answer.status, answer["error_code"], answer["backend_used"]) == (503, "PROVIDER_UNAVAILABLE", "openai")
    assert set(answer.json) == SHAPE
    assert "clip" not in answer["message"]
    assert "not charged" in answer["message"]
    assert studio.spent("frank") == before


def test_500_scenes_and_orders_among_them_are_so_many_scenes_as_were_asked_for(studio: Studio, writer: OpenAI) -> None:
    told = {"description": "A scene", "negative_description": "x" * 5000, **ORDERS}
    writer.content = json.dumps({"scenes": [told] * 500, **ORDERS})
    answer = studio.scenes("many", "frank", number_of_scenes=4)
    assert answer.status == 200
    assert [set(each) for each in answer["scenes"]] == [{"description", "negative_description"}] * 4
    assert max(len(each["negative_description"]) for each in answer["scenes"]) <= 1000


@pytest.mark.parametrize(
    "fate, status, code",
    [
        (Refuse(401), 502, "AUTHENTICATION_ERROR"),
        (Refuse(402), 503, "INSUFFICIENT_FUNDS"),
        (Refuse(404), 503, "MODEL_RETIRED"),
        (Refuse(400), 400, "INVALID_REQUEST"),
        (Take("cut"), 502, "UNCLEAR"),
        (Take("garbage"), 502, "UNCLEAR"),
        (Take("error"), 502, "UNCLEAR"),
    ],
    ids=str,
)
def test_what_the_writer_s_server_says_is_told_in_the_one_shape(
    studio: Studio, writer: OpenAI, fate: Refuse | Take, status: int, code: str
) -> None:
    before = studio.spent("grace")
    writer.on("unlucky", Script(submits=[fate]))
    answer = studio.scenes("unlucky", "grace")
    assert (answer.status, answer["error_code"], answer["backend_used"]) == (status, code, "openai"), answer.json
    assert set(answer.json) == SHAPE
    assert "sk-lab" not in answer.body.decode()
    assert studio.spent("grace") == before


def test_a_refusal_is_422_for_both(studio: Studio, writer: OpenAI) -> None:
    before = studio.spent("grace")
    writer.ends = "content_filter"
    studio.painter.on("forbidden", Script(fails="IMAGE_SAFETY"))
    for answer, name in (
        (studio.scenes("declined", "grace"), "openai"),
        (studio.portrait("forbidden", "grace"), "gemini"),
    ):
        assert (answer.status, answer["error_code"]) == (422, "CONTENT_POLICY_VIOLATION"), answer.json
        assert (answer["backend_used"], set(answer.json)) == (name, SHAPE)
    assert studio.spent("grace") == before


def test_a_film_whose_writer_answers_nonsense_gets_scenes_by_rules_with_a_note(studio: Studio, writer: OpenAI) -> None:
    writer.content = "{not json"
    api = studio.api("heidi")
    answer = api.post("/api/films", {"idea": "a day at sea", "scenes": 3})
    assert answer.status == 202
    film = answer["operation_id"]
    studio.reelay.wait_state(film, "awaiting")
    status = api.status(film)
    assert len(status["film"]["scenes"]) == 3
    assert status["film"]["written_by"] == "local"
    assert "simple rules" in status["card"]["note_line"]
    assert studio.spent("heidi") == (0, 0)


WRONG: dict[str, list[Any]] = {
    "idea": [None, "", "  ", 7, ["x"], "x" * 4001],
    "character_description": [None, "", 7, ["x"], "x" * 2001],
    "number_of_scenes": [0, 21, -1, 1.5, "four", True, [4], {}],
    "session_id": [7, "x" * 129],
    "idempotency_key": [7, "x" * 129],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_field_is_named(studio: Studio, name: str) -> None:
    jobs = studio.reelay.value("SELECT COUNT(*) FROM jobs")
    for value in WRONG[name]:
        answer = studio.scenes(**{"idea": "an idea", name: value})
        assert (answer.status, answer["details"].split(": ")[0]) == (400, name), (value, answer.json)
    for value in WRONG["character_description"]:
        answer = studio.portrait(value)
        assert (answer.status, answer["details"].split(": ")[0]) == (400, "character_description"), value
    assert studio.reelay.value("SELECT COUNT(*) FROM jobs") == jobs


def test_too_few_credits_are_402_before_anybody_is_asked(make: Maker) -> None:
    with OpenAI() as writer, Vendor() as server:
        environ = {**writer.environment(), "REELAY_DAILY_CREDITS": "1", "LAB_TOKENS": json.dumps(TOKENS)}
        reelay = make(generators=[{"name": "lab", "url": server.url}], environ=environ).start()
        found = Studio(reelay, server)
        answer = found.scenes("an idea", number_of_scenes=20)
        assert (answer.status, answer["error_code"]) == (402, "QUOTA_EXCEEDED")
        assert "resets_at" in answer["details"]
        assert writer.journal == []
        reelay.end()
