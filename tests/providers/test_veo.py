"""Veo against its simulator: what is sent, that nobody pays twice, and how clips come."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.settings import read_settings
from core.errors import (
    ContentRefused,
    Garbled,
    InvalidRequest,
    ProviderError,
    RateLimited,
    Unavailable,
    Unclear,
)
from core.ports import Artifact, Failed, Ready
from providers.line import ANSWER_BYTES
from providers.veo import Veo, capabilities, connect
from tests.contracts.provider import Collector, attempt_for
from tests.contracts.vendor_faults import PICTURE, world
from tests.lab.billing import Refuse, Script, Take
from tests.lab.clips import clip_bytes
from tests.lab.veo import LOCATION, OWN_PROJECT
from tests.lab.veo import Veo as Vertex
from tests.providers.veo_desk import MODEL, ended, order, submitted, veo

OPERATION = f"projects/{OWN_PROJECT}/locations/{LOCATION}/publishers/google/models/{MODEL}/operations/7f0c"


@pytest.fixture(scope="module")
def started() -> Iterator[Vertex]:
    with Vertex() as server:
        yield server


@pytest.fixture
def vertex(started: Vertex) -> Vertex:
    started.forget_all()
    started.clip = None
    return started


@pytest.fixture
async def provider(vertex: Vertex, tmp_path: Path) -> AsyncIterator[Veo]:
    made = veo(vertex, world(tmp_path))
    yield made
    await made.close()


# ---------------------------------------------------------------------------------------------------------------------- what is sent

PLAIN: dict[str, Any] = {
    "sampleCount": 1,
    "durationSeconds": 4,
    "seed": 7,
    "aspectRatio": "16:9",
    "resolution": "720p",
    "generateAudio": True,
}


def media(key: str) -> dict[str, str]:
    return {"bytesBase64Encoded": base64.b64encode(PICTURE + key.encode()).decode(), "mimeType": "image/png"}


@pytest.mark.parametrize(
    "changes, instance, parameters",
    [
        ({}, {}, {}),
        ({"seconds": 8, "resolution": "1080p"}, {}, {"durationSeconds": 8, "resolution": "1080p"}),
        (
            {"audio": False, "seed": 4294967295, "aspect_ratio": "9:16"},
            {},
            {"generateAudio": False, "seed": 4294967295, "aspectRatio": "9:16"},
        ),
        ({"negative_prompt": "rain"}, {}, {"negativePrompt": "rain"}),
        ({"person_generation": "dont_allow"}, {}, {"personGeneration": "dont_allow"}),
        ({"line": 'He said "no"'}, {"prompt": "a lighthouse at dusk\nSomebody says: \"He said 'no'\""}, {}),
        ({"prompt": "", "line": "Good night."}, {"prompt": 'Somebody says: "Good night."'}, {}),
        ({"picture": "a"}, {"image": media("a")}, {}),
        ({"prompt": "", "picture": "a"}, {"prompt": None, "image": media("a")}, {}),
        ({"picture": "a", "last_picture": "b"}, {"image": media("a"), "lastFrame": media("b")}, {}),
        ({"picture": "a", "last_picture": "a"}, {"image": media("a"), "lastFrame": media("a")}, {}),
        (
            {"references": ("a", "b", "c"), "seconds": 8},
            {"referenceImages": [{"image": media(key), "referenceType": "ASSET"} for key in "abc"]},
            {"durationSeconds": 8},
        ),
        ({"model": "veo-3.1-fast-generate-001"}, {}, {}),
    ],
)
async def test_an_order_is_said_in_vertexs_words(
    vertex: Vertex, provider: Veo, changes: dict[str, Any], instance: dict[str, Any], parameters: dict[str, Any]
) -> None:
    applied = order(**changes)
    ticket = await submitted(provider, applied)
    (job,) = vertex.jobs.values()
    told = {key: value for key, value in {"prompt": applied.prompt, **instance}.items() if value is not None}
    assert job.wish == {"instances": [told], "parameters": {**PLAIN, **parameters}, "name": ticket["operation"]}
    assert f"/models/{applied.model}/operations/" in ticket["operation"]


async def test_a_continuation_brings_the_clip_and_no_length(vertex: Vertex, provider: Veo) -> None:
    await submitted(provider, order(extends="clip", seconds=7))
    (job,) = vertex.jobs.values()
    (instance,) = job.wish["instances"]
    assert instance["video"]["mimeType"] == "video/mp4"
    assert base64.b64decode(instance["video"]["bytesBase64Encoded"]) == clip_bytes()
    assert "durationSeconds" not in job.wish["parameters"]


async def test_a_last_picture_without_a_first_is_refused_before_anything_is_sent(vertex: Vertex, provider: Veo) -> None:
    for changes in ({}, {"references": ("a", "b")}):
        with pytest.raises(InvalidRequest) as found:
            await submitted(provider, order(last_picture="z", **changes))
        assert found.value.message_id == "error.last_picture_alone"
    assert not vertex.journal


@pytest.mark.parametrize("size", [0, 1, 2, 3, 49_151, 49_152, 49_153, 3_000_001])
async def test_files_of_every_size_are_poured_in_whole(
    vertex: Vertex, provider: Veo, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    clip = bytes(range(256)) * (size // 256 + 1)

    async def read(key: str, most: int) -> bytes:
        assert most == 20_000_000
        return clip[:size]

    monkeypatch.setattr(provider._pictures, "clip", read)
    wish = submitted(provider, order(extends="clip"))
    if not size:
        with pytest.raises(InvalidRequest):
            await wish
        return
    await wish
    (job,) = vertex.jobs.values()
    assert base64.b64decode(job.wish["instances"][0]["video"]["bytesBase64Encoded"]) == clip[:size]


async def test_orders_side_by_side_get_their_own_pictures(vertex: Vertex, provider: Veo) -> None:
    await asyncio.gather(*(submitted(provider, order(prompt=f"number {n}", picture=f"p{n}")) for n in range(8)))
    assert {job.prompt: job.picture for job in vertex.jobs.values()} == {
        f"number {n}": PICTURE + f"p{n}".encode() for n in range(8)
    }


# ------------------------------------------------------------------------------------------------------------- nobody pays twice


@pytest.mark.parametrize(
    "fate, kind",
    [
        (Refuse(429, retry_after=7), RateLimited),
        (Refuse(503), Unclear),
        (Refuse(500), Unclear),
        (Take("cut"), Unclear),
        (Take("garbage"), Unclear),
        (Take("hang", 30), Unclear),
    ],
)
async def test_a_submit_is_one_request_whatever_becomes_of_it(
    vertex: Vertex, provider: Veo, monkeypatch: pytest.MonkeyPatch, fate: Refuse | Take, kind: type[ProviderError]
) -> None:
    monkeypatch.setattr("providers.veo.SUBMIT_SECONDS", 0.5)
    vertex.on("lighthouse", Script(submits=[fate]))
    with pytest.raises(kind) as found:
        await submitted(provider)
    assert type(found.value) is kind
    assert len(vertex.calls("submit")) == 1
    assert sum(vertex.paid.values()) == isinstance(fate, Take)


@pytest.mark.parametrize(
    "body", [b"[1, 2]", b"7", b"null", b"{}", b'{"name": ""}', b'{"name": "operations/../../x"}', b'{"name": 5}']
)
async def test_an_answer_that_names_no_operation_leaves_it_unclear(vertex: Vertex, provider: Veo, body: bytes) -> None:
    await provider._opened()
    vertex.strange.append((200, "application/json", body))
    with pytest.raises(Unclear):
        await submitted(provider)


class Elsewhere(Vertex):
    """Sends everybody to another address."""

    target = ""

    async def interfere(self, request: web.Request) -> web.StreamResponse | None:
        return web.Response(status=307, headers={"Location": self.target + request.path}) if self.target else None


async def test_a_redirect_is_not_followed(vertex: Vertex, tmp_path: Path) -> None:
    """The key would go along."""
    with Elsewhere() as elsewhere:
        provider = veo(elsewhere, world(tmp_path))
        ticket = await submitted(provider)
        elsewhere.target = vertex.url
        with pytest.raises(InvalidRequest):
            await submitted(provider)
        with pytest.raises(Unavailable):
            await provider.poll(ticket)
        with pytest.raises(Unavailable):
            await provider.check()
        await provider.close()
    assert not vertex.journal


# ----------------------------------------------------------------------------------------------------------- polls and results


@pytest.mark.parametrize(
    "fails, kind",
    [
        ("content:17301594", ContentRefused),
        ("sensitive", ContentRefused),
        ("rpc:5", Unavailable),
        ("rpc:8", RateLimited),
        ("internal", Unavailable),
        ("bucket", Garbled),
        ("nothing", Garbled),
    ],
)
async def test_every_end_without_a_clip_comes_over_the_wire(
    vertex: Vertex, provider: Veo, fails: str, kind: type[ProviderError]
) -> None:
    vertex.on("lighthouse", Script(fails=fails))
    answer = await ended(provider, await submitted(provider))
    assert isinstance(answer, Failed)
    assert type(answer.error) is kind
    if fails == "bucket":
        assert "output_gcs_uri is not used" in str(answer.error)


async def test_the_name_alone_is_enough_after_a_restart(vertex: Vertex, provider: Veo, tmp_path: Path) -> None:
    ticket = json.loads(json.dumps(await submitted(provider)))
    await provider.close()
    again = veo(vertex, world(tmp_path))
    answer = await ended(again, ticket)
    assert isinstance(answer, Ready)
    sink = Collector()
    await again.fetch(ticket, answer.artifact, sink)
    assert bytes(sink.data) == clip_bytes()
    await again.close()


class Pieces(Collector):
    """Remembers how large its pieces were."""

    largest = 0

    async def write(self, chunk: bytes) -> None:
        self.largest = max(self.largest, len(chunk))
        await super().write(chunk)


async def test_a_large_clip_comes_in_small_pieces(vertex: Vertex, provider: Veo) -> None:
    vertex.clip = bytes(range(256)) * 20_000  # 5 MB
    ticket = await submitted(provider)
    answer = await ended(provider, ticket)
    assert isinstance(answer, Ready)
    sink = Pieces()
    await provider.fetch(ticket, answer.artifact, sink)
    assert bytes(sink.data) == vertex.clip
    assert sink.largest <= 256 << 10


async def test_a_slow_clip_is_a_clip(vertex: Vertex, provider: Veo) -> None:
    vertex.on("lighthouse", Script(result="slow"))
    ticket = await submitted(provider)
    await ended(provider, ticket)
    sink = Collector()
    await provider.fetch(ticket, Artifact("inline"), sink)
    assert bytes(sink.data) == clip_bytes()


async def test_who_sends_too_slowly_is_left(vertex: Vertex, provider: Veo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.downloads.SLOW_SECONDS", 0.2)
    monkeypatch.setattr("providers.downloads.SLOWEST", 1 << 30)
    vertex.on("lighthouse", Script(result="slow"))
    ticket = await submitted(provider)
    await ended(provider, ticket)
    with pytest.raises(Unavailable, match="too slowly"):
        await provider.fetch(ticket, Artifact("inline"), Collector())


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", "https://evil.example/operations/1", OPERATION + "/../x", OPERATION + "?a=b"]
)
async def test_a_ticket_that_is_no_operation_asks_nobody(vertex: Vertex, provider: Veo, name: str) -> None:
    for ticket in ({"operation": name}, {}):
        assert isinstance(await provider.poll(ticket), Failed)
    assert not vertex.journal


async def test_a_refusal_without_end_is_not_read(vertex: Vertex, provider: Veo) -> None:
    ticket = await submitted(provider)
    vertex.strange.append((500, "application/json", b"[" * (ANSWER_BYTES + 1)))
    with pytest.raises(Garbled):
        await provider.poll(ticket)


async def test_a_look_that_is_refused_ends_nothing_and_one_that_finds_nothing_does(
    vertex: Vertex, provider: Veo
) -> None:
    vertex.on("lighthouse", Script(polls=[Refuse(400), Refuse(400, "content"), Refuse(404)]))
    ticket = await submitted(provider)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await provider.poll(ticket)
    assert isinstance(await provider.poll(ticket), Failed)
    assert isinstance(await ended(provider, ticket), Ready)


async def test_it_stops_nothing_and_lists_nothing(vertex: Vertex, provider: Veo) -> None:
    ticket = await submitted(provider)
    assert await provider.cancel(ticket) == "still billed"
    assert await provider.find(order(), attempt_for(order())) == "cannot tell"
    await provider.release(ticket)
    assert [line.call for line in vertex.journal] == ["submit"]


# ----------------------------------------------------------------------------------------------------------------------------- rest


@pytest.mark.parametrize(
    "model, resolution, seconds, credits",
    [
        (MODEL, "720p", 8, 320),
        (MODEL, "1080p", 8, 320),
        (MODEL, "720p", 7, 280),
        ("veo-3.1-fast-generate-001", "720p", 4, 40),
        ("veo-3.1-fast-generate-001", "1080p", 8, 96),
        ("veo-3.1-lite-generate-001", "720p", 6, 30),
        ("veo-3.1-lite-generate-001", "1080p", 8, 64),
    ],
)
def test_a_clip_costs_what_its_model_and_its_length_cost(
    model: str, resolution: str, seconds: int, credits: int, tmp_path: Path
) -> None:
    made = connect(read_settings({"GOOGLE_CLOUD_PROJECT": "p1"}, None), world(tmp_path))
    assert made.estimate(order(model=model, resolution=resolution, seconds=seconds)).credits == credits


def test_the_light_model_takes_no_references() -> None:
    can = capabilities()
    assert can.of_model("veo-3.1-lite-generate-001").reference_images == 0
    assert can.reference_images == can.of_model("veo-3.1-fast-generate-001").reference_images == 3
