"""Gemini Omni: what is asked, what the answers mean, and what becomes of every fault of the vendor."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import pytest
from aiohttp import web

from bot.settings import read_settings
from core.capabilities import Applied
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
    TimedOut,
    Unavailable,
    Unclear,
)
from core.ports import Artifact, Connect, EncodedPicture, Failed, Provider, Ready, Waiting
from providers.google_answers import answer_of, read_error
from providers.omni import Omni, connect
from providers.omni_wire import artifact_of, cost_usd, payload, prompt_of, read_status
from providers.sheets import BadSheet
from tests.contracts.provider import Collector, applied_for, attempt_for
from tests.contracts.vendor_faults import PICTURE, Pictures, VendorFaults, world
from tests.lab.billing import PaidVendor, Refuse, Script, Take
from tests.lab.clips import clip_bytes
from tests.lab.google_door import VERTEX_KEY
from tests.lab.omni import OmniVendor
from tests.lab.server import Simulator

ORDER = Applied(
    provider="omni",
    model="gemini-omni-1.2-flash",
    prompt="a lighthouse at dusk",
    negative_prompt="",
    aspect_ratio="9:16",
    resolution="1080p",
    seconds=5,
    seed=7,
    audio=True,
)
SEEN = EncodedPicture(b"\x89PNG", "image/png", 64, 36)


def order(**changes: Any) -> Applied:
    return Applied(**{**ORDER.as_json(), **changes})


def omni(vendor: PaidVendor, world: Connect, **environment: str) -> Omni:
    """As the app connects it: in a thread, because it reads files and imports."""
    settings = read_settings({**vendor.environment(), **environment}, None)
    with ThreadPoolExecutor(1) as room:
        return room.submit(connect, settings, world).result()


class TestFaultsOfOmni(VendorFaults):
    paid_by: ClassVar[str] = "prompt"

    def simulator(self) -> OmniVendor:
        return OmniVendor()

    def connect(self, vendor: PaidVendor, world: Connect, *, key: str | None = None) -> Provider:
        return omni(vendor, world, **({} if key is None else {"GEMINI_API_KEY": key}))


class TestFaultsOfOmniThatAnswersInline(TestFaultsOfOmni):
    """As Google's page says it may, also where delivery by address was asked for. The answer repeats the question, too."""

    def simulator(self) -> OmniVendor:
        return OmniVendor(inline=True, echoes=True)

    async def test_what_is_no_clip_is_told_and_can_be_fetched_again(
        self, vendor: PaidVendor, provider: Provider
    ) -> None:
        """An answer that is no clip is a poll that cannot be understood; there is no fetch of another kind."""

    async def test_an_endless_result_ends_at_the_sink(self, vendor: PaidVendor, provider: Provider) -> None:
        """An answer is never endless here; what ``skim`` does with one, its own test tells."""


# --------------------------------------------------------------------------------------------------------------------------- asking


def test_a_text_clip_as_the_wire_has_it() -> None:
    assert payload(ORDER) == {
        "model": "gemini-omni-1.2-flash",
        "background": True,
        "input": [{"type": "text", "text": "a lighthouse at dusk"}],
        "response_format": {
            "type": "video",
            "resolution": "1080p",
            "duration": "5s",
            "delivery": "uri",
            "aspect_ratio": "9:16",
        },
        "generation_config": {"seed": 7, "video_config": {"task": "text_to_video"}},
    }


@pytest.mark.parametrize("resolution, said", [("360p", "360p"), ("720p", "720p"), ("1080p", "1080p"), ("4K", "4k")])
def test_a_resolution_in_the_vendors_words(resolution: str, said: str) -> None:
    assert payload(order(resolution=resolution))["response_format"]["resolution"] == said


@pytest.mark.parametrize("seed, said", [(0, 0), (2**31 - 1, 2**31 - 1), (2**31, 0), (2**32 - 1, 2**31 - 1)])
def test_a_seed_is_an_int32(seed: int, said: int) -> None:
    assert payload(order(seed=seed))["generation_config"]["seed"] == said


@pytest.mark.parametrize(
    "changes, task, head, tail",
    [
        (
            {"picture": "a"},
            "image_to_video",
            "[# Sources <FIRST_FRAME>@Image1]",
            "Use Image1 as the starting frame.",
        ),
        (
            {"picture": "a", "last_picture": "b"},
            None,
            "[# Sources <FIRST_FRAME>@Image1 <LAST_FRAME>@Image2]",
            "Use Image1 as the starting frame. Use Image2 as the final frame.",
        ),
        (
            {"references": ("a", "b", "c")},
            "reference_to_video",
            "[# References <IMAGE_REF_0>@Image1 <IMAGE_REF_1>@Image2 <IMAGE_REF_2>@Image3]",
            "Use the given images as references, not as literal initial frames.",
        ),
    ],
)
def test_pictures_and_their_roles(changes: dict[str, Any], task: str | None, head: str, tail: str) -> None:
    applied = order(**changes)
    body = payload(applied, [SEEN] * len(applied.pictures))
    images = [{"type": "image", "mime_type": "image/png", "data": "iVBORw=="}] * len(applied.pictures)
    said = f"{head}\na lighthouse at dusk\n{tail}"
    assert body["input"] == [*images, {"type": "text", "text": said}]
    assert body["generation_config"].get("video_config") == (None if task is None else {"task": task})


def test_an_extension_sends_the_clip_and_keeps_its_shape() -> None:
    body = payload(order(extends="c"), clip=b"clip")
    assert body["input"] == [
        {"type": "video", "mime_type": "video/mp4", "data": base64.b64encode(b"clip").decode()},
        {"type": "text", "text": "Extend this video.\na lighthouse at dusk"},
    ]
    assert body["generation_config"]["video_config"] == {"task": "extend"}
    assert "aspect_ratio" not in body["response_format"]


def test_what_has_no_field_stands_in_the_prompt() -> None:
    said = prompt_of(order(line='Say "light"', negative_prompt="fog, ships"), one_shot="One shot.").split("\n")
    assert said == [
        "a lighthouse at dusk",
        "Somebody in the scene says: \"Say 'light'\"",
        "Do not show or do any of this: fog, ships.",
        "One shot.",
    ]


@pytest.mark.parametrize(
    "prompt, said",
    [
        ("a wide shot of a winter scene", True),
        ("a lighthouse, then cut to the sea", False),
        ("three shots of a cat", False),
        ("[0-3s] a cat [3-6s] a dog", False),
        ("zwei Einstellungen: Leuchtturm, Meer", False),
        ("a montage", False),
    ],
)
def test_one_shot_is_asked_for_where_the_prompt_says_nothing_of_cuts(prompt: str, said: bool) -> None:
    assert ("One shot." in prompt_of(order(prompt=prompt), one_shot="One shot.")) is said


@pytest.mark.parametrize("changes", [{"last_picture": "b"}, {"last_picture": "b", "extends": "c"}])
def test_a_last_picture_wants_a_first_one(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as found:
        payload(order(**changes), [SEEN])
    assert found.value.message_id == "error.last_picture_alone"


# -------------------------------------------------------------------------------------------------------------------------- answers

VIDEO = {"type": "video", "mime_type": "video/mp4"}
URI = "https://generativelanguage.googleapis.com/v1beta/files/abc-9_X:download?alt=media"


def completed(*content: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    steps = [{"type": "thought", "content": []}, {"type": "model_output", "content": list(content)}]
    return {"id": "v1_x", "status": "completed", "steps": steps, **more}


@pytest.mark.parametrize(
    "status", ["in_progress", "queued", "requires_continuation", "dreaming", "STATUS_UNSPECIFIED", ""]
)
def test_what_is_not_ended_is_waited_for_also_in_words_nobody_knows(status: str) -> None:
    assert read_status({"id": "v1_x", "status": status}) == Waiting()


@pytest.mark.parametrize(
    "answer, kind",
    [
        ({"status": "failed"}, Unavailable),
        ({"status": "failed", "errors": [{"code": "internal", "message": "An internal error occurred."}]}, Unavailable),
        ({"status": "failed", "errors": "odd"}, Unavailable),
        ({"status": "cancelled"}, Unavailable),
        ({"status": "incomplete"}, Unavailable),
        ({"status": "requires_action"}, Unavailable),
        ({"status": "budget_exceeded"}, OutOfFunds),
        ({"status": "failed", "errors": [{"code": "safety"}]}, ContentRefused),
        (
            {"status": "failed", "errors": [{"message": "Input blocked: The prompt could not be processed."}]},
            ContentRefused,
        ),
        ({"status": "failed", "errors": [{"code": "PROHIBITED_CONTENT"}]}, ContentRefused),
        ({"status": "failed", "errors": [{"message": "It violates our usage policies."}]}, ContentRefused),
        ({"status": "failed", "errors": [{"message": "against the policy"}]}, ContentRefused),
        ({"status": "failed", "errors": [{"code": "recitation"}]}, ContentRefused),
        ({"status": "failed", "errors": [{"message": "contains sensitive words"}]}, ContentRefused),
        ({"status": "failed", "errors": [{"message": "Responsible AI practices"}]}, ContentRefused),
        ({"status": "failed", "errors": [{"code": "INVALID_ARGUMENT"}]}, InvalidRequest),
        ({"status": "failed", "errors": [{"code": "invalid_request"}]}, InvalidRequest),
        ({"status": "failed", "errors": [{"message": "Video extension is currently not supported"}]}, InvalidRequest),
        ({"status": "failed", "errors": [{"message": "Duration cannot be set in response format"}]}, InvalidRequest),
        ({"status": "failed", "errors": [{"code": "deadline_exceeded"}]}, TimedOut),
        ({"status": "failed", "errors": [{"message": "The generation timed out."}]}, TimedOut),
        ({"status": "failed", "errors": [{"code": "budget_exhausted"}]}, OutOfFunds),
        ({"status": "failed", "errors": [{"message": "Billing is disabled"}]}, OutOfFunds),
        ({"status": "completed", "usage": {"total_output_tokens": 0}}, ContentRefused),
        (completed({"type": "text", "text": "I can't make that."}), ContentRefused),
        (completed({"type": "image", "data": "elided"}), ContentRefused),
    ],
)
def test_an_end_without_a_clip_has_its_class_and_tells_nothing_of_the_vendors_words(
    answer: dict[str, Any], kind: type[ProviderError]
) -> None:
    found = read_status(answer)
    assert isinstance(found, Failed)
    assert type(found.error) is kind
    assert str(found.error) in {f"the interaction ended: {answer['status']}", "completed without a clip"}
    assert found.error.facts == {"status": answer["status"]}


def test_what_was_counted_but_is_not_there_is_no_refusal() -> None:
    """Google's money is spent, so it is looked for until the deadline, and nobody is told that the prompt was declined."""
    with pytest.raises(Garbled):
        read_status(completed(usage={"output_tokens_by_modality": [{"modality": "video", "tokens": 5792}]}))


@pytest.mark.parametrize("answer", [None, 7, [], "completed", {}, {"status": None}, {"status": 3}])
def test_what_is_no_interaction_is_garbled(answer: Any) -> None:
    with pytest.raises(Garbled):
        read_status(answer)


@pytest.mark.parametrize(
    "answer, artifact",
    [
        (completed({**VIDEO, "uri": URI}), Artifact("file id", "abc-9_X")),
        (completed({**VIDEO, "uri": "files/abc"}), Artifact("file id", "abc")),
        (completed({**VIDEO, "uri": "https://x.googleapis.com/v1/files/q1"}), Artifact("file id", "q1")),
        (completed({**VIDEO, "uri": "gs://bucket/clip.mp4"}), Artifact("url", "gs://bucket/clip.mp4")),
        (completed({**VIDEO, "data": "elided"}), Artifact("inline", "0")),
        (completed({**VIDEO, "data": "elided"}, {**VIDEO, "data": "elided"}), Artifact("inline", "1")),
        (completed({"type": "image", "data": "elided"}, {**VIDEO, "data": "elided"}), Artifact("inline", "1")),
        (completed({**VIDEO, "uri": URI, "data": "elided"}), Artifact("file id", "abc-9_X")),
        ({"status": "incomplete", "steps": completed({**VIDEO, "uri": URI})["steps"]}, Artifact("file id", "abc-9_X")),
        ({"status": "completed", "output_video": {**VIDEO, "uri": URI}}, Artifact("file id", "abc-9_X")),
    ],
)
def test_where_the_clip_is(answer: dict[str, Any], artifact: Artifact) -> None:
    assert read_status(answer) == Ready(artifact)


def test_what_the_answer_repeats_of_the_question_is_no_clip() -> None:
    asked = {"type": "user_input", "content": [{**VIDEO, "data": "elided"}, {"type": "text", "text": "on"}]}
    answer = completed({**VIDEO, "data": "elided"})
    assert artifact_of({**answer, "steps": [asked, *answer["steps"]]}) == Artifact("inline", "1")
    assert artifact_of({"steps": [asked]}) is None


PRICES = {"usd_per_million_video_tokens": 12.0, "usd_per_million_input_tokens": 1.5}


@pytest.mark.parametrize(
    "usage, usd",
    [
        ({"output_tokens_by_modality": [{"modality": "video", "tokens": 57920}]}, 0.69504),
        ({"output_tokens_by_modality": [{"modality": "VIDEO", "tokens": 57920}], "total_input_tokens": 1000}, 0.69654),
        ({"output_tokens_by_modality": [{"modality": "text", "tokens": 57920}]}, None),
        ({"output_tokens_by_modality": [{"modality": "video", "tokens": -5}]}, None),
        ({"output_tokens_by_modality": [{"modality": "video", "tokens": "many"}]}, None),
        ({"output_tokens_by_modality": "odd"}, None),
        ("odd", None),
        (None, None),
    ],
)
def test_the_cost_by_the_tokens_that_are_counted(usage: Any, usd: float | None) -> None:
    found = cost_usd({"usage": usage}, PRICES)
    assert found == usd if usd is None else found == pytest.approx(usd)
    assert cost_usd({"usage": usage}, {}) is None


def rpc(status: int, name: str, message: str, reason: str = "", **more: Any) -> tuple[int, dict[str, Any]]:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
    return status, {"error": {"code": status, "status": name, "message": message, "details": details, **more}}


QUOTA = "You exceeded your current quota, please check your plan and billing details."


@pytest.mark.parametrize(
    "answer, kind, words",
    [
        (rpc(400, "INVALID_ARGUMENT", "Request contains an invalid argument."), InvalidRequest, ""),
        (
            rpc(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "API_KEY_INVALID"),
            CredentialsRejected,
            "GEMINI_API_KEY",
        ),
        (rpc(400, "INVALID_ARGUMENT", "odd", "API_KEY_INVALID"), CredentialsRejected, "GEMINI_API_KEY"),
        (rpc(400, "INVALID_ARGUMENT", "API key not valid."), CredentialsRejected, "GEMINI_API_KEY"),
        (
            rpc(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."),
            CredentialsRejected,
            "GEMINI_API_KEY",
        ),
        (rpc(403, "PERMISSION_DENIED", "Your API key was reported as leaked."), CredentialsRejected, "GEMINI_API_KEY"),
        (rpc(401, "UNAUTHENTICATED", "Invalid authentication credentials."), CredentialsRejected, "GEMINI_API_KEY"),
        (rpc(403, "PERMISSION_DENIED", "The caller does not have permission."), CredentialsRejected, "GEMINI_API_KEY"),
        (rpc(403, "PERMISSION_DENIED", "blocked", "API_KEY_SERVICE_BLOCKED"), CredentialsRejected, "VERTEXAI=yes"),
        (rpc(403, "PERMISSION_DENIED", "odd", "SERVICE_DISABLED"), CredentialsRejected, "VERTEXAI=yes"),
        (rpc(401, "UNAUTHENTICATED", "odd", "ACCESS_TOKEN_TYPE_UNSUPPORTED"), CredentialsRejected, "VERTEXAI=yes"),
        (rpc(401, "UNAUTHENTICATED", "API keys are not supported by this API."), CredentialsRejected, "VERTEXAI=yes"),
        (
            rpc(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
            CredentialsRejected,
            "where Reelay runs",
        ),
        (rpc(402, "FAILED_PRECONDITION", "Payment required."), OutOfFunds, "billing"),
        (rpc(403, "PERMISSION_DENIED", "odd", "BILLING_DISABLED"), OutOfFunds, "billing"),
        (rpc(400, "FAILED_PRECONDITION", "Please enable billing on your project."), OutOfFunds, "billing"),
        (rpc(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."), OutOfFunds, "billing"),
        (rpc(429, "RESOURCE_EXHAUSTED", "The project has exceeded its monthly spending cap."), OutOfFunds, "billing"),
        (rpc(429, "RESOURCE_EXHAUSTED", "The project is above its spend limit."), OutOfFunds, "billing"),
        (rpc(429, "RESOURCE_EXHAUSTED", f"{QUOTA} * Quota exceeded, limit: 0, model: m"), OutOfFunds, "billing"),
        (rpc(429, "RESOURCE_EXHAUSTED", f"{QUOTA} * Quota exceeded, limit: 0.5"), RateLimited, ""),
        (rpc(429, "RESOURCE_EXHAUSTED", QUOTA), RateLimited, ""),
        (rpc(404, "NOT_FOUND", "models/m is no longer available."), ModelRetired, "OMNI_MODEL"),
        (rpc(413, "INVALID_ARGUMENT", "Request payload size exceeds the limit."), InvalidRequest, ""),
        (rpc(422, "INVALID_ARGUMENT", "odd"), InvalidRequest, ""),
        (rpc(400, "INVALID_ARGUMENT", "Input blocked: it could not be processed."), ContentRefused, ""),
        (rpc(422, "INVALID_ARGUMENT", "The prompt has prohibited content."), ContentRefused, ""),
        ((400, {"error": {"code": "safety", "message": "odd"}}), ContentRefused, ""),
        ((400, {"error": {"code": "invalid_request", "message": "against our usage policies"}}), ContentRefused, ""),
        ((400, {"error": {"code": "invalid_request", "message": "by our content policy"}}), ContentRefused, ""),
        ((400, {"error": {"code": "invalid_request", "message": "sensitive words"}}), ContentRefused, ""),
        ((400, {"error": {"code": "invalid_request", "message": "odd"}}), InvalidRequest, ""),
        ((400, [rpc(400, "INVALID_ARGUMENT", "API key not valid.")[1]]), CredentialsRejected, "GEMINI_API_KEY"),
        ((400, "a page"), InvalidRequest, ""),
        ((403, {"error": {"code": "odd", "message": "safety"}}), CredentialsRejected, "GEMINI_API_KEY"),
        *(((status, {"error": {"code": status}}), Unclear, "") for status in (408, 409, 418, 500, 502, 503, 504)),
    ],
)
def test_a_refusal_has_its_class_and_says_what_to_set(
    answer: tuple[int, Any], kind: type[ProviderError], words: str
) -> None:
    status, body = answer
    found = read_error(answer_of(status, {}, body), True, setting="OMNI_MODEL")
    assert type(found) is kind
    assert words in str(found)
    assert "odd" not in str(found)
    assert found.facts["status"] == status
    assert found.facts.get("setting") == ("OMNI_MODEL" if kind is ModelRetired else None)
    looked = read_error(answer_of(status, {}, body), False, setting="OMNI_MODEL")
    assert type(looked) is (Unavailable if kind is Unclear else kind)


@pytest.mark.parametrize(
    "headers, delay, seconds",
    [
        ({"retry-after": "7"}, None, 7.0),
        ({"Retry-After": "7"}, "37.5s", 7.0),
        ({}, "37.5s", 37.5),
        ({}, "soon", None),
        ({}, None, None),
    ],
)
def test_how_long_a_rate_limit_lasts(headers: dict[str, str], delay: str | None, seconds: float | None) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    status, body = rpc(429, "RESOURCE_EXHAUSTED", QUOTA)
    body["error"]["details"] = [] if delay is None else [info]
    for form in (body, json.dumps(body)):
        found = read_error(answer_of(status, headers, form), True, setting="OMNI_MODEL")
        assert found.retry_after == seconds


# ------------------------------------------------------------------------------------------------------------- against the simulator


@pytest.fixture
def vendor() -> Iterator[OmniVendor]:
    with OmniVendor() as server:
        yield server


@pytest.fixture
async def generator(vendor: OmniVendor, tmp_path: Path) -> AsyncIterator[Omni]:
    found = omni(vendor, world(tmp_path))
    yield found
    await found.close()
    assert not [line for line in vendor.journal if line.call.startswith("strange")]


async def made(generator: Omni, **changes: Any) -> dict[str, Any]:
    applied = applied_for(generator, **changes)
    return dict(await generator.submit(applied, attempt_for(applied)))


async def ended(generator: Omni, ticket: Mapping[str, Any]) -> Ready | Failed:
    until = time.monotonic() + 20
    while isinstance(answer := await generator.poll(ticket), Waiting):
        assert time.monotonic() < until
        await asyncio.sleep(0.02)
    return answer


@pytest.mark.parametrize("model", ["gemini-omni-1.2-flash", "gemini-omni-1.1-flash"])
async def test_everything_that_the_sheet_promises_is_taken(vendor: OmniVendor, generator: Omni, model: str) -> None:
    can = generator.capabilities.of_model(model)
    assert can.default_model == model
    references = tuple(f"r{n}" for n in range(can.reference_images))
    orders: list[dict[str, Any]] = [
        *({"seconds": each} for each in can.seconds),
        *({"resolution": each} for each in can.resolutions),
        *({"aspect_ratio": each} for each in can.aspects),
        *({"extends": "clip", "seconds": each} for each in can.extend_seconds),
        {"picture": "first"},
        {"picture": "first", "last_picture": "last"},
        {"references": references},
        {"seed": 2**32 - 1, "line": "Good night.", "negative_prompt": "fog"},
    ]
    for wish in orders:
        await made(generator, model=model, **wish)
    assert sum(vendor.paid.values()) == len(orders)
    both = next(job for job in vendor.jobs.values() if len(job.references) == 1 and job.picture)
    assert (both.picture, both.references) == (PICTURE + b"first", (PICTURE + b"last",))
    assert any(len(job.references) == can.reference_images for job in vendor.jobs.values())


async def test_the_clip_to_go_on_from_goes_along_within_its_bound(vendor: OmniVendor, generator: Omni) -> None:
    asked: list[int] = []
    whole = clip_bytes()

    class Bounded(Pictures):
        async def clip(self, key: str, most_bytes: int) -> bytes:
            asked.append(most_bytes)
            return whole

    generator.pictures = Bounded()
    ticket = await made(generator, extends="clip")
    (job,) = vendor.jobs.values()
    sent = job.wish["input"][0]["content"][0]
    assert (sent["type"], base64.b64decode(sent["data"])) == ("video", whole)
    assert asked == [20_000_000]
    vendor.on("lighthouse", Script(fails="content"))
    refused = await ended(generator, await made(generator, extends="clip"))
    assert isinstance(refused, Failed)
    assert refused.error.message_id == "error.not_extended"
    assert isinstance(await ended(generator, ticket), Ready)


async def test_a_sheet_of_the_operator_goes_before_ours(vendor: OmniVendor, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "omni.toml").write_text(
        '[[models]]\nid = "gemini-omni-2"\nlike = "gemini-omni-1.2-flash"\ntitle = "Omni 2"\nprice = { flat = 2 }\noptions = {}\n'
    )
    generator = omni(vendor, world(tmp_path), OMNI_MODEL="gemini-omni-2")
    assert generator.capabilities.default_model == "gemini-omni-2"
    assert generator.estimate(applied_for(generator)).credits == 200
    with pytest.raises(ModelRetired, match="OMNI_MODEL"):
        await generator.check()
    with pytest.raises(ModelRetired, match="OMNI_MODEL"):
        await made(generator)
    await generator.close()
    assert not vendor.paid


MODEL_2 = '[[models]]\nid = "gemini-omni-1.2-flash"\n'


@pytest.mark.parametrize(
    "said, words",
    [
        ('price = { per_second = { "360p" = 1, "720p" = 1, "1080p" = 1, "4K" = 1 } }', "change both"),
        ("price = { flat = 2 }", "the price is flat"),
        ("options = { usd_per_million_video_tokens = 24 }", "change both"),
        ('options = { oneshot = "x" }', "options.oneshot is unknown"),
        ('options = { clip_bytes = "20 MB" }', "options.clip_bytes wants a number"),
        ("options = { one_shot = true }", "options.one_shot wants a text"),
        ('options = { usd_per_million_video_tokens = "12" }', "wants a number"),
    ],
)
def test_a_sheet_whose_words_would_do_nothing_or_contradict_each_other_is_a_mistake(
    said: str, words: str, vendor: OmniVendor, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "omni.toml").write_text(MODEL_2 + said)
    with pytest.raises(BadSheet, match=words):
        omni(vendor, world(tmp_path))


PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "google.md").read_text(encoding="utf-8")


async def test_the_example_of_the_page_is_a_sheet(vendor: OmniVendor, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "omni.toml").write_text(PAGE.partition("```toml\n")[2].partition("```")[0])
    generator = omni(vendor, world(tmp_path), OMNI_MODEL="gemini-omni-2-flash")
    assert generator.estimate(applied_for(generator, resolution="720p", seconds=10)).credits == 87
    await generator.close()


async def test_a_clip_goes_along_also_where_the_sheet_names_no_bound(vendor: OmniVendor, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "omni.toml").write_text(MODEL_2 + "options = {}")
    generator = omni(vendor, world(tmp_path))
    assert await made(generator, extends="clip")
    await generator.close()


async def test_the_true_cost_comes_with_the_clip(vendor: OmniVendor, generator: Omni) -> None:
    applied = applied_for(generator, seconds=10, resolution="720p")
    ready = await ended(generator, await generator.submit(applied, attempt_for(applied)))
    assert isinstance(ready, Ready)
    assert ready.artifact.cost_usd == pytest.approx(0.69507)
    assert generator.estimate(applied).credits == 70
    old = applied_for(generator, model="gemini-omni-1.1-flash", seconds=10, resolution="720p")
    ready = await ended(generator, await generator.submit(old, attempt_for(old)))
    assert isinstance(ready, Ready)
    assert ready.artifact.cost_usd == pytest.approx(1.01363)
    assert generator.estimate(old).credits == 102


async def test_a_file_that_is_still_worked_on_is_waited_for(vendor: OmniVendor, generator: Omni) -> None:
    vendor.on("lighthouse", Script(seconds=0.0))
    vendor.processing = 2
    ticket = await made(generator)
    assert [type(await generator.poll(ticket)) for _ in range(3)] == [Waiting, Waiting, Ready]
    vendor.file_state = "FAILED"
    answer = await generator.poll(ticket)
    assert isinstance(answer, Failed)
    assert type(answer.error) is Unavailable


async def test_a_file_that_cannot_be_looked_at_is_fetched_all_the_same(vendor: OmniVendor, generator: Omni) -> None:
    vendor.uri = "https://generativelanguage.googleapis.com/v1beta/files/elsewhere:download?alt=media"
    answer = await ended(generator, await made(generator))
    assert isinstance(answer, Ready)
    with pytest.raises(Garbled):
        await generator.fetch({}, answer.artifact, Collector())


async def test_the_file_that_the_first_answer_named_is_taken_though_later_ones_do_not(tmp_path: Path) -> None:
    with OmniVendor(inline=True) as vendor:
        vendor.at_once = True
        generator = omni(vendor, world(tmp_path))
        ticket = await made(generator)
        assert ticket["file"] == "clipv1"
        ready = await ended(generator, ticket)
        assert isinstance(ready, Ready)
        assert (ready.artifact.kind, ready.artifact.value) == ("file id", "clipv1")
        await generator.close()


async def test_a_clip_in_the_answer_is_told_from_the_picture_that_was_sent(tmp_path: Path) -> None:
    class Large(Pictures):
        async def encoded(self, key: str, limits: Any) -> EncodedPicture:
            return EncodedPicture(b"\x89PNG" + bytes(20_000), "image/png", 64, 36)

    with OmniVendor(inline=True, echoes=True) as vendor:
        generator = omni(vendor, world(tmp_path))
        generator.pictures = Large()
        ticket = await made(generator, picture="first")
        ready = await ended(generator, ticket)
        assert isinstance(ready, Ready)
        assert ready.artifact.kind == "inline"
        assert ready.artifact.value == "1"
        sink = Collector()
        await generator.fetch(ticket, ready.artifact, sink)
        assert bytes(sink.data) == clip_bytes()
        await generator.close()


class Stranger(Simulator):
    """A host that Google may name; writes down what it is asked with."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[dict[str, str]] = []

    def routes(self, app: web.Application) -> None:
        app.router.add_route("*", "/{path:.*}", self._any)

    async def _any(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(dict(request.headers))
        return web.Response(body=clip_bytes(), content_type="video/mp4")


async def test_no_address_is_asked_where_it_says_and_the_key_goes_nowhere_else(
    vendor: OmniVendor, generator: Omni
) -> None:
    with Stranger() as stranger:
        vendor.uri = f"{stranger.url}/v1beta/files/{{file}}:download?alt=media"
        ready = await ended(generator, await made(generator))
        assert isinstance(ready, Ready)
        sink = Collector()
        await generator.fetch({}, ready.artifact, sink)
        assert bytes(sink.data) == clip_bytes()
        vendor.uri = f"{stranger.url}/clip.mp4"
        ready = await ended(generator, await made(generator))
        assert isinstance(ready, Ready)
        with pytest.raises(Garbled):
            await generator.fetch({}, ready.artifact, Collector())
        assert not stranger.asked


async def test_a_redirect_of_a_submit_is_not_followed(tmp_path: Path) -> None:
    with Stranger() as stranger:

        class Redirecting(OmniVendor):
            async def interfere(self, request: web.Request) -> web.StreamResponse | None:
                return web.Response(status=307, headers={"Location": stranger.url + request.path})

        with Redirecting() as vendor:
            generator = omni(vendor, world(tmp_path))
            with pytest.raises(Unclear):
                await made(generator)
            await generator.close()
        assert not stranger.asked


async def test_every_submit_is_one_request_whatever_comes_back(
    vendor: OmniVendor, generator: Omni, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.omni.SUBMIT_SECONDS", 0.5)
    fates: list[tuple[Refuse | Take, type[ProviderError]]] = [
        (Refuse(429), RateLimited),
        (Refuse(503), Unclear),
        (Refuse(500), Unclear),
        (Refuse(408), Unclear),
        (Refuse(409), Unclear),
        (Take("hang", 5), Unclear),
        (Take("cut"), Unclear),
    ]
    for number, (fate, kind) in enumerate(fates):
        vendor.on(f"order {number}", Script(submits=[fate]))
        with pytest.raises(ProviderError) as found:
            await made(generator, prompt=f"order {number}")
        assert type(found.value) is kind
        assert len(vendor.calls("submit", f"order {number}")) + vendor.paid[f"order {number}"] in (1, 2)
    asked = [line for line in vendor.journal if line.call == "submit"]
    assert len(asked) == len(fates)
    assert sum(vendor.paid.values()) == 2


async def test_a_refusal_brings_its_retry_after_from_the_body(vendor: OmniVendor, generator: Omni) -> None:
    vendor.on("lighthouse", Script(submits=[Refuse(429, "retry 37.5s")]))
    with pytest.raises(RateLimited) as found:
        await made(generator)
    assert found.value.retry_after == 37.5


@pytest.mark.parametrize(
    "code, kind",
    [
        ("content", ContentRefused),
        ("free tier", OutOfFunds),
        ("no billing", OutOfFunds),
        ("place", CredentialsRejected),
        ("wrong kind", CredentialsRejected),
        ("wrong key", CredentialsRejected),
    ],
)
async def test_a_refusal_in_googles_own_words(
    vendor: OmniVendor, generator: Omni, code: str, kind: type[ProviderError]
) -> None:
    vendor.on("lighthouse", Script(submits=[Refuse(400, code)]))
    with pytest.raises(kind) as found:
        await made(generator)
    assert found.value.__cause__ is None, "what the vendor said would stand in a log"
    assert not vendor.paid


async def test_a_key_of_vertex_is_explained(vendor: OmniVendor, tmp_path: Path) -> None:
    generator = omni(vendor, world(tmp_path), GEMINI_API_KEY=VERTEX_KEY)
    with pytest.raises(CredentialsRejected, match="GOOGLE_GENAI_USE_VERTEXAI=yes") as found:
        await generator.check()
    assert VERTEX_KEY not in str(found.value)
    await generator.close()


async def test_gemini_api_key_goes_before_its_other_name(vendor: OmniVendor, tmp_path: Path) -> None:
    generator = omni(vendor, world(tmp_path), GOOGLE_API_KEY=VERTEX_KEY)
    assert await generator.check() == "the key is accepted, and gemini-omni-1.2-flash is there"
    await generator.close()
    key = vendor.environment()["GEMINI_API_KEY"]
    other = {"GOOGLE_API_KEY": key, "GOOGLE_API_BASE_URL": vendor.url}
    generator = await asyncio.to_thread(connect, read_settings(other, None), world(tmp_path))
    assert await generator.check()
    await generator.close()


@pytest.mark.parametrize("word", ["budget_exceeded", "incomplete", "requires_action", "safety", "words"])
async def test_every_end_is_told_by_the_vendor_in_its_words(vendor: OmniVendor, generator: Omni, word: str) -> None:
    vendor.on("lighthouse", Script(fails=word))
    answer = await ended(generator, await made(generator))
    assert isinstance(answer, Failed)


async def test_cancelling_stops_what_runs_and_says_how_it_ended_before(vendor: OmniVendor, generator: Omni) -> None:
    vendor.on("lighthouse", Script(seconds=None))
    ticket = await made(generator)
    assert await generator.cancel(ticket) == "stopped"
    assert len(vendor.calls("cancel")) == 1
    assert await generator.cancel(ticket) == "stopped", "refused the second time, so it is looked at"
    vendor.forget_scripts()
    done = await made(generator)
    await ended(generator, done)
    assert await generator.cancel(done) == "still billed"
    assert await generator.cancel({"id": "v1_unknown"}) == "still billed"
    vendor.on("lighthouse", Script(seconds=None, stops=False))
    assert await generator.cancel(await made(generator)) == "still billed"


async def test_a_look_that_is_refused_ends_nothing_and_one_that_finds_nothing_does(
    vendor: OmniVendor, generator: Omni
) -> None:
    vendor.on("lighthouse", Script(polls=[Refuse(400), Refuse(422), Refuse(400, "content"), Refuse(404)]))
    ticket = await made(generator)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await generator.poll(ticket)
    answer = await generator.poll(ticket)
    assert isinstance(answer, Failed)
    assert type(answer.error) is Unavailable
    assert isinstance(await ended(generator, ticket), Ready)


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_a_clip_that_is_gone_from_the_answer_is_no_model_that_is_gone(status: int, tmp_path: Path) -> None:
    """ModelRetired would pause Omni for everybody."""
    with OmniVendor(inline=True) as vendor:
        generator = omni(vendor, world(tmp_path))
        vendor.on("lighthouse", Script(seconds=0.0))
        ticket = await made(generator)
        ready = await ended(generator, ticket)
        assert isinstance(ready, Ready)
        (job,) = vendor.jobs.values()
        job.script = Script(polls=[Refuse(status)] * 9)
        with pytest.raises(Garbled) as found:
            await generator.fetch(ticket, ready.artifact, Collector())
        assert found.value.facts == {"status": status}
        await generator.close()


async def test_where_nobody_listens_a_cancel_can_be_tried_again(vendor: OmniVendor, generator: Omni) -> None:
    ticket = await made(generator)
    vendor.stop()
    with pytest.raises(Unavailable):
        await generator.cancel(ticket)
    with pytest.raises(NothingSent):
        await made(generator)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "a b", None, 7])
async def test_a_strange_ticket_is_asked_of_nobody(vendor: OmniVendor, generator: Omni, name: Any) -> None:
    with pytest.raises(Garbled):
        await generator.poll({"id": name})
    assert not vendor.journal


def test_no_secret_and_no_prompt_is_in_its_repr(vendor: OmniVendor, tmp_path: Path) -> None:
    key = vendor.environment()["GEMINI_API_KEY"]
    generator = omni(vendor, world(tmp_path))
    assert key not in repr(generator)
    asyncio.run(generator.close())


FIRST = """
import asyncio, sys
from pathlib import Path
from bot.settings import read_settings
from core.errors import NothingSent
from providers.omni import connect
from tests.contracts.provider import applied_for, attempt_for
from tests.contracts.vendor_faults import world

async def main():
    settings = read_settings({"GEMINI_API_KEY": "k", "GOOGLE_API_BASE_URL": "http://127.0.0.1:9"}, None)
    generator = await asyncio.to_thread(connect, settings, world(Path(sys.argv[1])))
    known = set(sys.modules)
    applied = applied_for(generator, picture="first")
    try:
        await generator.submit(applied, attempt_for(applied))
    except NothingSent:
        print("new:", *sorted(name for name in set(sys.modules) - known if name.partition(".")[0] not in sys.stdlib_module_names))
    await generator.close()

asyncio.run(main())
"""


def test_the_first_submit_imports_nothing_of_the_sdk_any_more(tmp_path: Path) -> None:
    """``connect`` made the SDK do it, in a worker thread; else the first submit held up the loop for 0.7 s (November 2026, 2 cores)."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "new:\n", done.stdout + done.stderr
