"""The contract for self-hosted models is sound, our simulator keeps it, and its examples in the page are of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from tests.lab.billing import Refuse, Script
from tests.lab.clips import clip_bytes
from tests.lab.longcat import CODES, KEY, LongCat, answer_schema, complaint, document

PAGE = Path(__file__).parents[2] / "docs/reference/self-hosted.md"
IDEMPOTENCY = "0123456789abcdef0123456789abcdef"
ORDER: dict[str, Any] = {
    "model": "longcat-video",
    "prompt": "a lighthouse at dusk",
    "width": 832,
    "height": 480,
    "num_frames": 61,
    "fps": 15,
    "seconds": 4,
    "seed": 7,
}


@pytest.fixture
def server() -> Iterator[LongCat]:
    with LongCat() as server:
        yield server


class Answer:
    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def data(self) -> Any:
        return json.loads(self.body)


async def say(server: LongCat, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    headers = {"Authorization": f"Bearer {KEY}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, server.url + path, json=body, headers=headers) as answer,
    ):
        return Answer(answer.status, dict(answer.headers), await answer.read())


async def order(server: LongCat, key: str = IDEMPOTENCY, **changes: Any) -> Answer:
    return await say(server, "POST", "/v1/jobs", {**ORDER, **changes}, Idempotency_Key=key)


def test_every_schema_is_one_and_every_answer_has_one() -> None:
    for schema in document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for route, methods in document()["paths"].items():
        for method, operation in methods.items():
            for status in operation["responses"]:
                schema = answer_schema(route, method, int(status.replace("XX", "00")))
                assert (schema is None) is (route.endswith("/content") and status in {"200", "206"})
                assert (schema == "Error") is (int(status[0]) >= 4)


async def test_a_job_from_order_to_clip_in_the_words_of_the_contract(server: LongCat) -> None:
    taken = await order(server)
    assert taken.status == 201
    job = taken.data["id"]
    server.finish("lighthouse")
    done = (await say(server, "GET", f"/v1/jobs/{job}")).data
    assert done["status"] == "succeeded"
    whole = await say(server, "GET", done["outputs"][0]["url"])
    part = await say(server, "GET", done["outputs"][0]["url"], Range="bytes=100-199")
    assert whole.body == clip_bytes()
    assert (part.status, part.body) == (206, clip_bytes()[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(clip_bytes())}"
    assert (await say(server, "GET", "/v1/models")).data["data"][0]["id"] == "longcat-video"
    assert server.wrong == []


async def test_the_same_key_is_the_same_job_and_another_body_is_refused(server: LongCat) -> None:
    first, again, other = await order(server), await order(server), await order(server, seed=8)
    assert (first.status, again.status, other.status) == (201, 200, 409)
    assert first.data["id"] == again.data["id"]
    assert list(server.paid.values()) == [1]
    found = await say(server, "GET", f"/v1/jobs?idempotency_key={IDEMPOTENCY}")
    assert [each["id"] for each in found.data["jobs"]] == [first.data["id"]]
    nobody = await say(server, "GET", f"/v1/jobs?idempotency_key={'f' * 32}")
    assert nobody.data == {"jobs": []}
    assert server.wrong == []


async def test_cancel_is_idempotent_and_leaves_what_has_ended(server: LongCat) -> None:
    server.on("lighthouse", Script(seconds=None))
    job = (await order(server)).data["id"]
    for _ in range(2):
        assert (await say(server, "POST", f"/v1/jobs/{job}/cancel")).data["status"] == "canceled"
    assert (await say(server, "GET", f"/v1/jobs/{job}")).data["status"] == "canceled"
    assert (await say(server, "POST", "/v1/jobs/nobody/cancel")).status == 404
    assert server.wrong == []


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"model": 5}, "$.model: type"),
        ({"prompt": "x" * 4001}, "$.prompt: maxLength"),
        ({"seed": -1}, "$.seed: minimum"),
        ({"seed": 1 << 32}, "$.seed: maximum"),
        ({"width": "832"}, "$.width: type"),
        ({"fps": 0}, "$.fps: minimum"),
        ({"image": "https://example.org/cat.png"}, "$.image: pattern"),
        ({"video": "AAAA"}, "$.video: pattern"),
        ({"image": "data:image/png;base64,AAAA", "video": "data:video/mp4;base64,AAAA"}, "$: not"),
        ({"surprise": 1}, "$: additionalProperties"),
        ({"num_frames": 60}, "$.num_frames: one more than a multiple of four"),
    ],
)
async def test_an_order_that_is_not_one_is_refused_by_name(
    server: LongCat, changes: dict[str, Any], field: str
) -> None:
    answer = await order(server, **changes)
    assert (answer.status, answer.data["error"]["message"]) == (422, field)
    assert server.wrong == [field]
    assert not server.paid


@pytest.mark.parametrize("missing", ORDER)
async def test_every_required_field_is_required(server: LongCat, missing: str) -> None:
    body = {name: value for name, value in ORDER.items() if name != missing}
    answer = await say(server, "POST", "/v1/jobs", body, Idempotency_Key=IDEMPOTENCY)
    assert (answer.status, answer.data["error"]["message"]) == (422, "$: required")


@pytest.mark.parametrize("key", ["", "short", "spaces in it are none of it"])
async def test_a_key_is_required(server: LongCat, key: str) -> None:
    assert (await order(server, key)).status == 422


@pytest.mark.parametrize("status", [*CODES, 500, 503])
async def test_refusals_are_of_the_contract(server: LongCat, status: int) -> None:
    server.on("lighthouse", Script(submits=[Refuse(status, retry_after=3)]))
    answer = await order(server)
    assert answer.status == status
    assert answer.headers["Retry-After"] == "3"
    assert complaint("Error", answer.data) is None
    assert server.wrong == []


async def test_strangers_and_strange_paths_are_told_so(server: LongCat) -> None:
    assert (await say(server, "GET", "/v1/models", Authorization="Bearer other")).data["error"][
        "code"
    ] == "unauthorized"
    assert (await say(server, "GET", "/v1/nothing")).status == 404
    assert server.wrong == ["GET /v1/nothing is not in the contract"]


@pytest.mark.parametrize(
    "job, why",
    [
        ({"status": "done"}, "$.status: enum"),
        ({"status": "succeeded", "outputs": []}, "$.outputs: minItems"),
        ({"status": "succeeded"}, "$: required"),
        ({"status": "failed"}, "$: required"),
        ({"status": "running", "progress": {"fraction": 1.5}}, "$.progress: anyOf"),
        ({"status": "running", "progress": {"step": 3}}, "$.progress: anyOf"),
        ({"status": "queued", "queue_position": -1}, "$.queue_position: minimum"),
        ({"status": "running", "id": "../etc"}, "$.id: pattern"),
        ({"status": "running", "progress": {"step": 3, "total": 50, "eta": 2.5}}, None),
    ],
)
def test_an_answer_that_is_no_job_is_seen(job: dict[str, Any], why: str | None) -> None:
    assert complaint("Job", {"id": "a1", "idempotency_key": IDEMPOTENCY, **job}) == why


def test_the_examples_of_the_page_keep_the_contract() -> None:
    blocks = re.findall(r"^```json$\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        data = json.loads(block)
        schema = "Error" if set(data) == {"error"} else "Order" if "prompt" in data else "Job"
        assert complaint(schema, data) is None, block


def test_the_page_names_every_route_status_and_field() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for route, methods in document()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {route}" in text
    for schema in ("Order", "Job"):
        for name in document()["components"]["schemas"][schema]["properties"]:
            assert f"`{name}`" in text, name
    for status in document()["components"]["schemas"]["Job"]["properties"]["status"]["enum"]:
        assert f"`{status}`" in text, status
