"""The writer of scenes over an OpenAI-compatible server: what is sent, what comes of each answer, and that it is asked once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.settings import read_settings
from core.errors import (
    ContentRefused,
    CredentialsRejected,
    Garbled,
    InvalidRequest,
    ModelRetired,
    NothingSent,
    OutOfFunds,
    ProviderError,
    RateLimited,
    Unavailable,
    Unclear,
)
from core.ports import SceneDraft
from providers.openai import OpenAIScenes, scenes
from providers.registry import WRITERS, connect_first
from tests.contracts.vendor_faults import world
from tests.lab.billing import Refuse, Script, Take
from tests.lab.openai import KEY, OpenAI


@pytest.fixture
def server() -> Iterator[OpenAI]:
    with OpenAI() as found:
        yield found


@pytest.fixture
async def writer(server: OpenAI, tmp_path: Path) -> AsyncIterator[OpenAIScenes]:
    found = await asyncio.to_thread(scenes, read_settings(server.environment(), None), world(tmp_path))
    yield found
    await found.close()


async def test_a_script_has_as_many_scenes_as_asked_and_says_what_it_cost(server: OpenAI, writer: OpenAIScenes) -> None:
    script = await writer.write("A keeper lights the lamp.", "an old man in a blue coat", 3)
    assert script.scenes == tuple(SceneDraft(f"Scene {n} of it", "text") for n in range(3))
    assert (script.writer, script.model) == ("openai", "gpt-5-mini")
    assert script.cost_usd == pytest.approx((0.25 * 1000 + 2.0 * 2000) / 1e6)
    (job,) = server.jobs.values()
    assert "an old man in a blue coat" in job.prompt
    assert "exactly 3 scenes" in job.wish["messages"][0]["content"]
    assert 100 * (script.cost_usd or 0) <= writer.estimate(3).credits


def test_the_most_that_it_may_cost_grows_with_the_scenes(writer: OpenAIScenes) -> None:
    assert 1 <= writer.estimate(1).credits <= writer.estimate(20).credits < 10


REFUSALS: list[tuple[int, str | None, type[ProviderError]]] = [
    (400, None, InvalidRequest),
    (400, "content_policy_violation", ContentRefused),
    (400, "content_filter", ContentRefused),
    (401, None, CredentialsRejected),
    (402, None, OutOfFunds),
    (403, None, CredentialsRejected),
    (404, None, ModelRetired),
    (400, "model_not_found", ModelRetired),
    (413, None, InvalidRequest),
    (422, None, InvalidRequest),
    (429, None, RateLimited),
    (429, "insufficient_quota", OutOfFunds),
    (429, "billing_hard_limit_reached", OutOfFunds),
    (500, None, Unclear),
    (503, None, Unclear),
]


@pytest.mark.parametrize("status, code, kind", REFUSALS)
async def test_every_refusal_has_its_class_and_is_asked_once(
    server: OpenAI, writer: OpenAIScenes, status: int, code: str | None, kind: type[ProviderError]
) -> None:
    server.code = code
    server.on("lamp", Script(submits=[Refuse(status, retry_after=5)]))
    with pytest.raises(kind) as found:
        await writer.write("A lamp.", "", 1)
    assert type(found.value) is kind
    assert (len(server.calls("submit")), server.paid.total()) == (1, 0)
    assert "sk-lab" not in str(found.value)
    if kind is RateLimited:
        assert found.value.retry_after == 5


@pytest.mark.parametrize("then", ["error", "cut", "garbage"])
async def test_a_lost_answer_is_paid_once(server: OpenAI, writer: OpenAIScenes, then: Any) -> None:
    server.on("lamp", Script(submits=[Take(then)]))
    with pytest.raises(Unclear):
        await writer.write("A lamp.", "", 1)
    assert server.paid.total() == 1


@pytest.mark.parametrize(
    "change, kind",
    [
        ({"ends": "content_filter"}, ContentRefused),
        ({"message": {"content": None, "refusal": "I cannot"}}, ContentRefused),
        ({"ends": "length"}, Unavailable),
        ({"message": {"content": None}}, Garbled),
        ({"content": "Here are your scenes:"}, Garbled),
        ({"content": json.dumps({"scenes": []})}, Garbled),
        ({"content": json.dumps({"scenes": [{"description": " "}, {"description": "x"}]})}, Garbled),
        ({"content": json.dumps({"scenes": [{"text": "x"}, {"text": "x"}]})}, Garbled),
        ({"content": json.dumps({"acts": 2})}, Garbled),
        ({"content": "[" * 9000}, Garbled),
    ],
)
async def test_what_is_no_script_is_told(
    server: OpenAI, writer: OpenAIScenes, change: dict[str, Any], kind: type[ProviderError]
) -> None:
    for name, value in change.items():
        setattr(server, name, value)
    with pytest.raises(kind):
        await writer.write("A lamp.", "", 2)


async def test_scenes_are_cut_to_what_a_prompt_holds_and_further_ones_are_left_out(
    server: OpenAI, writer: OpenAIScenes
) -> None:
    long = {"description": "word " * 500, "negative_description": None}
    server.content = json.dumps([long, {"description": "two\u202e\x00", "negative_description": "a " * 400}, long])
    script = await writer.write("A lamp.", "", 2)
    assert [len(each.description) <= 1000 for each in script.scenes] == [True, True]
    assert (script.scenes[0].negative_description, script.scenes[1].description) == ("", "two")
    assert len(script.scenes[1].negative_description) <= 300


async def test_check_spends_nothing(server: OpenAI, writer: OpenAIScenes, tmp_path: Path) -> None:
    assert await writer.check() == "the server answers, and gpt-5-mini is there"
    server.models = ["other"]
    with pytest.raises(ModelRetired):
        await writer.check()
    server.key = "sk-another"
    with pytest.raises(CredentialsRejected):
        await writer.check()
    server.stop()
    with pytest.raises(Unavailable):
        await writer.check()
    with pytest.raises(NothingSent):
        await writer.write("A lamp.", "", 1)
    assert not server.paid


async def test_a_server_of_ones_own_needs_no_key(tmp_path: Path) -> None:
    with OpenAI(key=None) as server:
        settings = read_settings({"OPENAI_BASE_URL": f"{server.url}/v1", "SCENES_MODEL": "llama-9"}, None)
        writer = await asyncio.to_thread(connect_first, WRITERS, settings, world(tmp_path))
        assert (await writer.write("A lamp.", "", 1)).model == "llama-9"
        await writer.close()


@pytest.mark.parametrize(
    "environ, name",
    [
        ({}, "local"),
        ({"OPENAI_API_KEY": KEY}, "openai"),
        ({"OPENAI_API_KEY": KEY, "GEMINI_API_KEY": KEY}, "openai"),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:1"}, "openai"),
        ({"GEMINI_API_KEY": KEY}, "gemini"),
        ({"GEMINI_API_KEY": KEY, "GOOGLE_GENAI_USE_VERTEXAI": "yes"}, "local"),
    ],
)
def test_the_writer_follows_from_the_keys(environ: dict[str, str], name: str) -> None:
    settings = read_settings(environ, None)
    assert next(each.name for each in WRITERS if each.configured(settings)) == name
