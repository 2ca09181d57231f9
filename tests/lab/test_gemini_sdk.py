"""Google's own SDK, unmodified, against the simulator of generateContent: the judge of its wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from tests.lab.billing import Refuse, Script
from tests.lab.gemini import PNG, GeminiVendor
from tests.lab.google_door import KEY, VERTEX_KEY


class Scene(BaseModel):
    description: str
    negative_description: str


class Scenes(BaseModel):
    scenes: list[Scene]


@pytest.fixture
def vendor() -> Iterator[GeminiVendor]:
    with GeminiVendor() as server:
        yield server


def client(vendor: GeminiVendor, *, key: str = KEY) -> genai.Client:
    options = types.HttpOptions(base_url=vendor.url, retry_options=types.HttpRetryOptions(attempts=1))
    return genai.Client(vertexai=False, api_key=key, http_options=options)


def asked(**changes: Any) -> types.GenerateContentConfig:
    schema: dict[str, Any] = types.Schema.from_json_schema(
        json_schema=types.JSONSchema.model_validate(
            {"type": "array", "minItems": 2, "maxItems": 2, "items": Scene.model_json_schema()}
        )
    ).model_dump(exclude_none=True)
    settings: dict[str, Any] = {"response_mime_type": "application/json", "response_schema": schema}
    return types.GenerateContentConfig(**{**settings, **changes})


PICTURE: dict[str, Any] = {
    "response_modalities": ["IMAGE"],
    "image_config": types.ImageConfig(aspect_ratio="1:1", image_size="1K"),
}


def test_scenes_come_by_the_schema(vendor: GeminiVendor) -> None:
    with client(vendor) as sdk:
        found = sdk.models.generate_content(model="gemini-3.8-flash", contents="a lighthouse", config=asked())
    parsed: Any = found.parsed
    assert parsed == [{"description": f"Scene {n}", "negative_description": "fog"} for n in (1, 2)]
    assert found.usage_metadata is not None
    assert found.usage_metadata.thoughts_token_count == 100
    assert list(vendor.paid.values()) == [1]


def test_a_picture_comes_as_bytes_and_takes_others_along(vendor: GeminiVendor) -> None:
    seen = types.Part.from_bytes(data=b"\xff\xd8\xff", mime_type="image/jpeg")
    config = types.GenerateContentConfig(**PICTURE)
    asked_with: Any = [seen, "a keeper"]
    with client(vendor) as sdk:
        found = sdk.models.generate_content(model="gemini-3.1-flash-image", contents=asked_with, config=config)
    assert found.parts is not None
    assert [part.inline_data.data for part in found.parts if part.inline_data] == [PNG]
    (job,) = vendor.jobs.values()
    assert job.references == (b"\xff\xd8\xff",)


def test_a_blocked_prompt_and_a_declined_answer_are_no_exceptions(vendor: GeminiVendor) -> None:
    with client(vendor) as sdk:
        vendor.on("lighthouse", Script(fails="prohibited"))
        found = sdk.models.generate_content(model="gemini-3.8-flash", contents="a lighthouse", config=asked())
        assert found.parsed is None
        assert found.prompt_feedback is not None
        assert found.prompt_feedback.block_reason is types.BlockedReason.PROHIBITED_CONTENT
        vendor.on("lighthouse", Script(fails="MAX_TOKENS"))
        found = sdk.models.generate_content(model="gemini-3.8-flash", contents="a lighthouse", config=asked())
        assert found.parsed is None
        assert found.candidates is not None
        assert found.candidates[0].finish_reason is types.FinishReason.MAX_TOKENS


@pytest.mark.parametrize(
    "status, kind", [(400, errors.ClientError), (429, errors.ClientError), (503, errors.ServerError)]
)
def test_refusals_are_understood(vendor: GeminiVendor, status: int, kind: type[errors.APIError]) -> None:
    vendor.on("lighthouse", Script(submits=[Refuse(status, retry_after=3)]))
    with client(vendor) as sdk, pytest.raises(kind) as found:
        sdk.models.generate_content(model="gemini-3.8-flash", contents="a lighthouse", config=asked())
    assert found.value.code == status
    assert found.value.status == found.value.details["error"]["status"]
    assert not vendor.paid


@pytest.mark.parametrize("key, words", [("wrong", "API key not valid"), (VERTEX_KEY, "are blocked")])
def test_a_wrong_key(vendor: GeminiVendor, key: str, words: str) -> None:
    with client(vendor, key=key) as sdk, pytest.raises(errors.ClientError, match=words):
        sdk.models.get(model="gemini-3.8-flash")


@pytest.mark.parametrize(
    "model, change",
    [
        ("gemini-3.8-flash", {"response_mime_type": "text/plain"}),
        ("gemini-3.8-flash", {"response_schema": Scenes}),
        ("gemini-3.8-flash", {"max_output_tokens": 0}),
        ("gemini-3.8-flash", {"http_options": types.HttpOptions(extra_body={"negativePrompt": "fog"})}),
        ("gemini-3.1-flash-image", {}),
        ("gemini-3.1-flash-image", {**PICTURE, "image_config": types.ImageConfig(aspect_ratio="16:9")}),
        ("gemini-2.5-flash-image", PICTURE),
    ],
)
def test_what_is_wrong_or_gone_is_refused(vendor: GeminiVendor, model: str, change: dict[str, Any]) -> None:
    with client(vendor) as sdk, pytest.raises(errors.ClientError):
        sdk.models.generate_content(model=model, contents="a lighthouse", config=asked(**change))
    assert not vendor.paid
