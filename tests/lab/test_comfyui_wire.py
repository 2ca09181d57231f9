"""The simulator of ComfyUI is held against the schemas that are published, and what Reelay sends as well.

The schemas are Comfy Cloud's. Where the server itself differs, its source wins: a row of the queue is ``[number, id, graph, extra_data,
outputs]``, a history entry's ``prompt`` is such a row, ``prompt_id`` may be chosen, and ``/interrupt`` takes one.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from providers.comfyui_wire import payload
from providers.comfyui_workflow import SHIPPED
from tests.lab.billing import Script
from tests.lab.comfyui import ComfyUIServer

SCHEMAS: dict[str, Any] = json.loads((Path(__file__).parent / "specs/comfyui.json").read_text(encoding="utf-8"))
VALUES: dict[str, Any] = {
    "prompt": "a lighthouse at dusk",
    "negative_prompt": "",
    "seed": 7,
    "width": 832,
    "height": 480,
    "frames": 49,
    "fps": 24,
}


def mistakes(name: str, data: Any) -> list[str]:
    """What is wrong by the published schema of that name."""
    checker = Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": SCHEMAS})
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(data)]


def graph(**changes: Any) -> dict[str, Any]:
    """The shipped workflow, filled without the code that fills it."""
    text = SHIPPED.read_text(encoding="utf-8")
    for name, value in {**VALUES, **changes}.items():
        text = text.replace(json.dumps(f"{{{{{name}}}}}"), json.dumps(value))
    filled: dict[str, Any] = json.loads(text)
    return filled


@pytest.fixture
def server() -> Iterator[ComfyUIServer]:
    with ComfyUIServer() as server:
        yield server


@pytest.fixture
async def http(server: ComfyUIServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.url) as session:
        yield session


async def call(http: aiohttp.ClientSession, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async with http.request(method, path, json=body) as response:
        text = await response.text()
        return response.status, json.loads(text) if text.startswith(("{", "[")) else text


async def ended(http: aiohttp.ClientSession, prompt: str) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            _, told = await call(http, "GET", f"/history/{prompt}")
            if told:
                entry: dict[str, Any] = told[prompt]
                return entry
            await asyncio.sleep(0.01)


async def test_what_is_answered_fits_what_is_published(server: ComfyUIServer, http: aiohttp.ClientSession) -> None:
    body = payload(graph(), prompt=str(uuid.uuid4()), client_id="c")
    assert not mistakes("PromptRequest", body)
    status, answer = await call(http, "POST", "/prompt", body)
    assert status == 200
    assert not mistakes("PromptResponse", answer)
    _, queue = await call(http, "GET", "/queue")
    assert not mistakes("QueueInfo", {"queue_running": [], "queue_pending": []})
    assert set(queue) == set(SCHEMAS["QueueInfo"]["properties"])
    entry = await ended(http, answer["prompt_id"])
    row = entry.pop("prompt")
    assert row[:3] == [1, answer["prompt_id"], graph()]
    assert not mistakes("HistoryDetailEntry", entry)
    assert entry["status"]["status_str"] == "success"
    _, stats = await call(http, "GET", "/system_stats")
    assert not mistakes("SystemStatsResponse", stats)
    assert not server.oddities


@pytest.mark.parametrize("old, fails", [(False, None), (True, None), (False, "memory")])
async def test_each_message_fits_the_schema_of_its_kind(old: bool, fails: str | None) -> None:
    """``execution_error`` names Python's exceptions where Comfy Cloud has a list of its own, and lists outputs where it has a map."""
    kinds: set[str] = set()
    with ComfyUIServer(old=old, default=Script(seconds=0.3, fails=fails)) as server:
        async with aiohttp.ClientSession(server.url) as http, http.ws_connect("/ws?clientId=c") as socket:
            body = payload(graph(), prompt=str(uuid.uuid4()), client_id="c")
            _, answer = await call(http, "POST", "/prompt", body)
            async with asyncio.timeout(10):
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.BINARY:
                        kinds.add("preview")
                        continue
                    told = json.loads(message.data)
                    kinds.add(told["type"])
                    name = "".join(word.title() for word in told["type"].split("_"))
                    if told["data"].get("node", "") is None:  # the server says null, the schema a text
                        del told["data"]["node"]
                    wrong = mistakes(f"WebSocket{name}Message", told)
                    own = ("$.data.exception_type", "$.data.current_outputs")
                    assert not [each for each in wrong if not each.startswith(own)], wrong
                    assert told["data"].get("prompt_id") in (None, answer["prompt_id"])
                    if told["type"] == "executing" and "node" not in told["data"]:
                        break
    steps = {"executing", "progress"} if old else {"executing", "progress_state"}
    end = "execution_error" if fails else "execution_success"
    assert kinds == {"status", "execution_start", "execution_cached", "preview", end, *steps}


@pytest.mark.parametrize(
    "change, kind, mistake",
    [
        ({"width": 8}, "prompt_outputs_failed_validation", ["7", "value_smaller_than_min"]),
        ({"fps": 500}, "prompt_outputs_failed_validation", ["10", "value_bigger_than_max"]),
        ({"frames": "many"}, "prompt_outputs_failed_validation", ["7", "invalid_input_type"]),
        ({"seed": -1}, "prompt_outputs_failed_validation", ["8", "value_smaller_than_min"]),
    ],
)
async def test_a_graph_that_is_wrong_is_refused_by_node(
    server: ComfyUIServer, http: aiohttp.ClientSession, change: dict[str, Any], kind: str, mistake: list[str]
) -> None:
    status, answer = await call(http, "POST", "/prompt", {"prompt": graph(**change)})
    assert status == 400
    assert answer["error"]["type"] == kind
    ((node, told),) = answer["node_errors"].items()
    assert [node, told["errors"][0]["type"]] == mistake
    assert not server.paid


async def test_a_graph_with_unknown_or_missing_parts_is_refused(
    server: ComfyUIServer, http: aiohttp.ClientSession
) -> None:
    async def refused(**changes: Any) -> list[str]:
        nodes = {**graph(), **changes}
        status, answer = await call(http, "POST", "/prompt", {"prompt": {k: v for k, v in nodes.items() if v}})
        assert status == 400
        kinds = [each["type"] for told in answer["node_errors"].values() for each in told["errors"]]
        return [answer["error"]["type"], *kinds]

    assert await refused(**{"4": {"class_type": "Mystery", "inputs": {}}}) == ["missing_node_type"]
    assert await refused(**{"11": None}) == ["prompt_no_outputs"]
    assert await refused(**{"9": {"class_type": "VAEDecode", "inputs": {"samples": ["8", 0]}}}) == [
        "prompt_outputs_failed_validation",
        "required_input_missing",
    ]
    assert "return_type_mismatch" in await refused(
        **{"9": {"class_type": "VAEDecode", "inputs": {"samples": ["1", 0], "vae": ["3", 0]}}}
    )
    assert "value_not_in_list" in await refused(**{"3": {"class_type": "VAELoader", "inputs": {"vae_name": "other"}}})
    assert "custom_validation_failed" in await refused(
        **{"12": {"class_type": "LoadImage", "inputs": {"image": "never-uploaded.png"}}}
    )
    assert not server.paid


@pytest.mark.parametrize("wrong", ["7", "0" * 32, str(uuid.UUID("b" * 32)).upper(), 7])
async def test_an_id_that_is_no_canonical_uuid_is_refused(
    server: ComfyUIServer, http: aiohttp.ClientSession, wrong: Any
) -> None:
    status, answer = await call(http, "POST", "/prompt", {"prompt": graph(), "prompt_id": wrong})
    assert (status, answer["error"]["type"]) == (400, "invalid_prompt_id")
    assert not server.paid


async def test_one_works_and_the_others_wait(server: ComfyUIServer, http: aiohttp.ClientSession) -> None:
    server.on("lighthouse", Script(seconds=None))
    names = [str(uuid.uuid4()) for _ in range(3)]
    for name in names:
        await call(http, "POST", "/prompt", {"prompt": graph(), "prompt_id": name})
    _, queue = await call(http, "GET", "/queue")
    assert [row[1] for row in queue["queue_running"]] == names[:1]
    assert sorted(row[:2] for row in queue["queue_pending"]) == [[2, names[1]], [3, names[2]]]
    body = {"delete": [names[1]]}
    assert not mistakes("QueueManageRequest", body)
    await call(http, "POST", "/queue", body)
    await call(http, "POST", "/interrupt", {"prompt_id": names[2]})
    _, queue = await call(http, "GET", "/queue")
    assert [row[1] for row in queue["queue_running"] + queue["queue_pending"]] == [names[0], names[2]]
    await call(http, "POST", "/interrupt", {"prompt_id": names[0]})
    entry = await ended(http, names[0])
    assert [message[0] for message in entry["status"]["messages"]] == ["execution_start", "execution_interrupted"]
    assert not server.oddities


async def test_an_interrupt_of_nobody_ends_whoever_runs_and_is_noticed(
    server: ComfyUIServer, http: aiohttp.ClientSession
) -> None:
    server.on("lighthouse", Script(seconds=None))
    name = str(uuid.uuid4())
    await call(http, "POST", "/prompt", {"prompt": graph(), "prompt_id": name})
    await call(http, "GET", "/queue")
    await call(http, "POST", "/interrupt")
    assert (await ended(http, name))["status"]["status_str"] == "error"
    assert server.oddities == ["everything was interrupted"]


async def test_a_picture_gets_a_name_and_another_of_the_same_name_gets_another(
    server: ComfyUIServer, http: aiohttp.ClientSession
) -> None:
    async def uploaded(data: bytes, **more: str) -> Any:
        form = aiohttp.FormData(more)
        form.add_field("image", data, filename="shore.png", content_type="image/png")
        async with http.post("/upload/image", data=form) as response:
            answer = await response.json()
        assert not mistakes("UploadResponse", answer)
        assert set(more) | {"image"} <= set(SCHEMAS["UploadForm"]["properties"])
        return answer["name"]

    assert await uploaded(b"one", type="input", overwrite="true") == "shore.png"
    assert await uploaded(b"two") == "shore (1).png"
    assert await uploaded(b"three", overwrite="true") == "shore.png"
    assert server.inputs == {"shore.png": b"three", "shore (1).png": b"two"}


async def test_a_path_that_is_not_there_is_noticed(server: ComfyUIServer, http: aiohttp.ClientSession) -> None:
    status, _ = await call(http, "GET", "/api/v9/jobs")
    assert status == 404
    assert server.oddities == ["GET /api/v9/jobs"]
    for path in ("/view?filename=../secret", "/view", "/view?filename=/etc/passwd"):
        assert (await call(http, "GET", path))[0] == 400
    assert (await call(http, "GET", "/view?filename=clip_00009_.mp4"))[0] == 404


def test_the_published_schemas_are_really_asked() -> None:
    assert mistakes("PromptRequest", {})
    assert mistakes("QueueManageRequest", {"remove": []})
    assert mistakes("WebSocketProgressMessage", {"type": "progress", "data": {"value": 1}})
    assert re.search(r"required", json.dumps(SCHEMAS["SystemStatsResponse"]))
