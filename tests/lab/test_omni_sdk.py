"""Google's own SDK, unmodified, against the simulator of Omni: the judge of its wire."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import _interactions as errors
from google.genai import types

from tests.lab.billing import Refuse, Script, Take
from tests.lab.clips import clip_bytes
from tests.lab.google_door import KEY, VERTEX_KEY
from tests.lab.omni import OmniVendor

ORDER: dict[str, Any] = {
    "model": "gemini-omni-1.2-flash",
    "background": True,
    "input": [{"type": "text", "text": "a lighthouse at dusk"}],
    "response_format": {"type": "video", "aspect_ratio": "16:9", "duration": "8s", "delivery": "uri"},
    "generation_config": {"seed": 7, "video_config": {"task": "text_to_video"}},
}
PICTURE = {"type": "image", "mime_type": "image/png", "data": base64.b64encode(b"\x89PNG").decode()}


@pytest.fixture
def vendor() -> Iterator[OmniVendor]:
    with OmniVendor() as server:
        yield server


def client(vendor: OmniVendor, *, key: str = KEY, version: str | None = None, attempts: int = 1) -> genai.Client:
    options = types.HttpOptions(
        base_url=vendor.url, api_version=version, retry_options=types.HttpRetryOptions(attempts=attempts)
    )
    return genai.Client(vertexai=False, api_key=key, http_options=options)


def ended(sdk: genai.Client, name: str) -> Any:
    until = time.monotonic() + 20
    while (found := sdk.interactions.get(name)).status == "in_progress":
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("version", [None, "v1beta"])
def test_a_clip_from_order_to_file(vendor: OmniVendor, version: str | None, tmp_path: Path) -> None:
    with client(vendor, version=version) as sdk:
        order = sdk.interactions.create(**ORDER)
        assert order.status == "in_progress"
        done = ended(sdk, order.id)
        assert done.status == "completed"
        assert done.output_video.mime_type == "video/mp4"
        assert done.usage.output_tokens_by_modality[0].tokens == 8 * 5792
    with client(vendor, version="v1beta") as sdk:  # files are known under no other version
        assert sdk.files.get(name="files/clipv1").state == types.FileState.ACTIVE
        sdk.files.download(file=done.output_video.uri, destination=str(tmp_path / "clip.mp4"))
    assert (tmp_path / "clip.mp4").read_bytes() == clip_bytes()
    assert list(vendor.paid.values()) == [1]
    assert not [line for line in vendor.journal if line.call.startswith("strange")]


def test_a_clip_inside_the_answer(vendor: OmniVendor) -> None:
    vendor.inline = vendor.echoes = True
    with client(vendor) as sdk:
        text = {"type": "text", "text": "[# Sources <FIRST_FRAME>@Image1]\na lighthouse at dusk"}
        config = {"video_config": {"task": "image_to_video"}}
        order = sdk.interactions.create(**{**ORDER, "input": [PICTURE, text], "generation_config": config})
        found = ended(sdk, order.id)
        assert base64.b64decode(found.output_video.data) == clip_bytes()
        assert found.steps[0].content[0].data == PICTURE["data"]
    assert next(iter(vendor.jobs.values())).picture == b"\x89PNG"


def test_cancelling(vendor: OmniVendor) -> None:
    vendor.on("lighthouse", Script(seconds=None))
    with client(vendor) as sdk:
        order = sdk.interactions.create(**ORDER)
        assert sdk.interactions.cancel(order.id).status == "cancelled"
        assert sdk.interactions.get(order.id).status == "cancelled"
        with pytest.raises(errors.BadRequestError):
            sdk.interactions.cancel(order.id)
        with pytest.raises(errors.NotFoundError):
            sdk.interactions.get("v1_unknown")


def test_a_failure_brings_its_errors(vendor: OmniVendor) -> None:
    vendor.on("lighthouse", Script(fails="safety"))
    with client(vendor) as sdk:
        found = ended(sdk, sdk.interactions.create(**ORDER).id)
        assert (found.status, found.errors[0].code) == ("failed", "safety")
        vendor.on("lighthouse", Script(fails="content"))
        found = ended(sdk, sdk.interactions.create(**ORDER).id)
        assert (found.status, found.usage.total_output_tokens, found.output_video) == ("completed", 0, None)


@pytest.mark.parametrize(
    "status, kind",
    [
        (400, errors.BadRequestError),
        (401, errors.AuthenticationError),
        (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError),
        (422, errors.UnprocessableEntityError),
        (429, errors.RateLimitError),
        (503, errors.InternalServerError),
    ],
)
def test_refusals_are_understood(vendor: OmniVendor, status: int, kind: type[errors.APIStatusError]) -> None:
    vendor.on("lighthouse", Script(submits=[Refuse(status, retry_after=3)]))
    with client(vendor) as sdk, pytest.raises(kind) as found:
        sdk.interactions.create(**ORDER)
    assert found.value.status_code == status
    assert found.value.response.headers["retry-after"] == "3"
    assert not vendor.paid


def test_the_trap_is_there_without_attempts_1_a_refused_submit_is_made_again(vendor: OmniVendor) -> None:
    vendor.on("lighthouse", Script(submits=[Take("error")]))
    with client(vendor, attempts=2) as sdk:
        sdk.interactions.create(**ORDER)
    assert list(vendor.paid.values()) == [2]


def test_a_cut_answer_is_a_connection_error(vendor: OmniVendor) -> None:
    vendor.on("lighthouse", Script(submits=[Take("cut")]))
    with client(vendor) as sdk, pytest.raises(errors.APIConnectionError):
        sdk.interactions.create(**ORDER)
    assert list(vendor.paid.values()) == [1]


@pytest.mark.parametrize("key, words", [("wrong", "API key not valid"), (VERTEX_KEY, "are blocked")])
def test_a_wrong_key(vendor: OmniVendor, key: str, words: str) -> None:
    with client(vendor, key=key) as sdk, pytest.raises(errors.APIStatusError, match=words):
        sdk.interactions.create(**ORDER)


@pytest.mark.parametrize(
    "change",
    [
        {"input": "a lighthouse at dusk"},
        {"input": [{"type": "text", "text": "x"}, PICTURE]},
        {"input": [PICTURE, {"type": "text", "text": "x"}]},
        {"input": [PICTURE, {"type": "text", "text": "[# Sources <FIRST_FRAME>@Image1] x"}]},
        {"input": [{"type": "video", "mime_type": "video/mp4", "data": "AAAA"}, {"type": "text", "text": "x"}]},
        {"background": False},
        {"background": None},
        {"negative_prompt": "fog"},
        {"response_format": {"type": "video", "delivery": "uri", "duration": "2s"}},
        {"response_format": {"type": "video", "delivery": "uri", "duration": "16s"}},
        {"response_format": {"type": "video", "delivery": "uri", "duration": 8}},
        {"response_format": {"type": "video", "delivery": "uri", "resolution": "4K"}},
        {"response_format": {"type": "video", "delivery": "uri", "aspect_ratio": "1:1"}},
        {"response_format": {"type": "video", "delivery": "uri", "fps": 30}},
        {"response_format": {"type": "video", "delivery": "inline"}},
        {"generation_config": {"seed": 2**31}},
        {"generation_config": {"seed": "7"}},
        {"generation_config": {"video_config": {"task": "dream"}}},
        {"generation_config": {"video_config": {"task": "image_to_video"}}},
        {"generation_config": {"video_config": {"task": "extend"}}},
        {"generation_config": {"negative": "fog"}},
    ],
)
def test_what_is_wrong_in_an_order_is_refused(vendor: OmniVendor, change: dict[str, Any]) -> None:
    body = {name: value for name, value in {**ORDER, **change}.items() if value is not None}
    with client(vendor) as sdk, pytest.raises(errors.BadRequestError):
        extra = {name: body.pop(name) for name in ("negative_prompt",) if name in body}
        # As JSON, past the SDK's own types, which would refuse some of these before anything is sent.
        sdk.interactions.create(**ORDER, extra_body={**extra, **_wrapped(body)})
    assert not vendor.paid


def _wrapped(body: dict[str, Any]) -> dict[str, Any]:
    asked = body["input"]
    if "background" not in body:
        body = {**body, "background": None}
    return {**body, "input": asked if isinstance(asked, str) else [{"type": "user_input", "content": asked}]}


def test_a_model_that_is_gone(vendor: OmniVendor) -> None:
    with client(vendor) as sdk:
        with pytest.raises(errors.NotFoundError):
            sdk.interactions.create(**{**ORDER, "model": "gemini-omni-flash-preview"})
        assert sdk.models.get(model="gemini-omni-1.2-flash").name == "models/gemini-omni-1.2-flash"
