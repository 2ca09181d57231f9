"""The self-hosted generator: its tables against answers as the contract has them, and itself against a server that keeps the contract."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.capabilities import Applied
from core.errors import (
    ContentRefused,
    CredentialsRejected,
    Garbled,
    InvalidRequest,
    ModelRetired,
    OutOfFunds,
    ProviderError,
    RateLimited,
    TimedOut,
    Unavailable,
    Unclear,
)
from core.ports import Artifact, Connect, Failed, Found, Provider, Ready, Waiting
from providers.line import Answer
from providers.localai import LocalAi
from providers.longcat import CODES, STATUSES, LongCat, payload, read_error, read_status
from providers.selfhosted import Shape, shape_of
from providers.sheets import BadSheet, read_sheet
from tests.contracts.provider import Collector, applied_for, attempt_for
from tests.contracts.vendor_faults import PICTURE, Pictures, VendorFaults, world
from tests.lab import longcat as lab
from tests.lab.billing import PaidVendor, Refuse, Script, Take
from tests.lab.clips import clip_bytes
from tests.lab.longcat import KEY, complaint, selfhosted

SHEET = read_sheet("longcat")
MODEL = SHEET.models[0]
KEPT = "9c1b2f0e6a7d4c5b8e9f0a1b2c3d4e5f"


def clip(**changes: Any) -> Applied:
    fields: dict[str, Any] = {
        "provider": "longcat",
        "model": "longcat-video",
        "prompt": "a lighthouse at dusk",
        "negative_prompt": "",
        "aspect_ratio": "16:9",
        "resolution": "480p",
        "seconds": 6,
        "seed": 7,
        "audio": False,
    }
    return Applied(**{**fields, **changes})


def connected(
    server: lab.LongCat, folder: Path, *, sheet: str = "", pictures: Pictures | None = None, **more: str
) -> Provider:
    there: Connect = world(folder)
    there = there if pictures is None else replace(there, pictures=pictures)
    return selfhosted({**server.environment(), **more}, there, sheet)


@pytest.fixture
def server() -> Iterator[lab.LongCat]:
    with lab.LongCat() as server:
        yield server


@pytest.fixture
async def provider(server: lab.LongCat, tmp_path: Path) -> AsyncIterator[Provider]:
    provider = connected(server, tmp_path)
    yield provider
    await provider.close()
    assert server.wrong == [], "each side keeps the contract"


# -------------------------------------------------------------------------------------------------------------------- every fault


class TestEveryFault(VendorFaults):
    def simulator(self) -> PaidVendor:
        return lab.LongCat()

    def connect(self, vendor: PaidVendor, world: Connect, *, key: str | None = None) -> Provider:
        return selfhosted({**vendor.environment(), **({} if key is None else {"LONGCAT_API_KEY": key})}, world)


# --------------------------------------------------------------------------------------------------------------------- the shapes


@pytest.mark.parametrize(
    "resolution, aspect, seconds, shape",
    [
        ("480p", "16:9", 4, Shape(832, 480, 15, 61)),
        ("480p", "16:9", 6, Shape(832, 480, 15, 93)),
        ("480p", "9:16", 8, Shape(480, 832, 15, 121)),
        ("720p", "16:9", 4, Shape(1280, 720, 30, 121)),
        ("720p", "9:16", 6, Shape(720, 1280, 30, 181)),
        ("720p", "16:9", 8, Shape(1280, 720, 30, 241)),
    ],
)
def test_a_clip_in_numbers(resolution: str, aspect: str, seconds: int, shape: Shape) -> None:
    assert shape_of(MODEL.options, clip(resolution=resolution, aspect_ratio=aspect, seconds=seconds)) == shape


def test_a_model_without_a_step_makes_exactly_its_seconds() -> None:
    options = {"sizes": {"480p": {"16:9": [640, 360]}}, "fps": {"480p": 24}}
    assert shape_of(options, clip(seconds=6)) == Shape(640, 360, 24, 144)


@pytest.mark.parametrize(
    "options, wants",
    [
        ({}, "sizes wants width and height of 480p in 16:9"),
        ({"sizes": {"480p": {"16:9": [640]}}}, "sizes wants width and height of 480p in 16:9"),
        ({"sizes": {"480p": {"16:9": [640, 0]}}}, "sizes wants width and height of 480p in 16:9"),
        ({"sizes": {"480p": {"16:9": [640, 360]}}}, "fps wants a whole number for 480p"),
        ({"sizes": {"480p": {"16:9": [640, 360]}}, "fps": {"480p": True}}, "fps wants a whole number for 480p"),
        (
            {"sizes": {"480p": {"16:9": [640, 360]}}, "fps": {"480p": 24}, "frame_step": 0},
            "frame_step wants a whole number from 1 on",
        ),
    ],
)
def test_a_sheet_without_numbers_says_what_it_wants(options: dict[str, Any], wants: str) -> None:
    with pytest.raises(BadSheet, match=wants):
        shape_of(options, clip())


def test_a_sheet_that_lacks_a_number_is_a_mistake_at_the_start(server: lab.LongCat, tmp_path: Path) -> None:
    sheet = '[[models]]\nid = "wan-2.2"\nlike = "longcat-video"\noptions = { fps = { "480p" = 16 } }\n'
    with pytest.raises(BadSheet, match=r"longcat.toml, model wan-2.2: options: sizes wants"):
        connected(server, tmp_path, sheet=sheet, LONGCAT_MODEL="wan-2.2")


# --------------------------------------------------------------------------------------------------------------------- the orders


def test_the_order_of_a_clip() -> None:
    order = payload(MODEL, clip(negative_prompt="people"), {"image": "data:image/png;base64,AAAA"})
    assert order == {
        "model": "longcat-video",
        "prompt": "a lighthouse at dusk",
        "negative_prompt": "people",
        "image": "data:image/png;base64,AAAA",
        "width": 832,
        "height": 480,
        "num_frames": 93,
        "fps": 15,
        "seconds": 6,
        "seed": 7,
    }
    assert complaint("Order", order) is None


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32 - 1])
def test_every_seed_goes_as_it_is(seed: int) -> None:
    order = payload(MODEL, clip(seed=seed), {})
    assert order["seed"] == seed
    assert complaint("Order", order) is None


WAN = """
[[models]]
id = "wan-2.2"
like = "longcat-video"
resolutions = ["480p"]
[models.options]
fps = { "480p" = 16 }
steps = 30
guidance_scale = 3.5
params = { sampler = "unipc" }
sizes = { "480p" = { "16:9" = [832, 480], "9:16" = [480, 832] } }
"""


def test_what_the_operators_sheet_says_goes_along(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/longcat.toml").write_text(WAN)
    model = read_sheet("longcat", default="wan-2.2", own=tmp_path).models[0]
    order = payload(model, clip(model="wan-2.2"), {})
    assert (order["steps"], order["guidance_scale"], order["params"]) == (30, 3.5, {"sampler": "unipc"})
    assert (order["num_frames"], order["fps"]) == (96, 16)
    assert complaint("Order", json.loads(json.dumps(order))) is None


# -------------------------------------------------------------------------------------------------------------------- the tables


def refusal(status: int, code: str = "", **headers: str) -> Answer:
    data = {"error": {"code": code, "message": "words of a stranger"}} if code else None
    return Answer(status, headers, data, is_json=data is not None)


SUBMITS: list[tuple[int, str, type[ProviderError]]] = [
    (400, "", InvalidRequest),
    (401, "", CredentialsRejected),
    (402, "", OutOfFunds),
    (403, "", CredentialsRejected),
    (404, "", ModelRetired),
    (413, "", InvalidRequest),
    (422, "", InvalidRequest),
    (429, "", RateLimited),
    (409, "key_reused", Unclear),
    (400, "content_policy", ContentRefused),
    (422, "content_policy", ContentRefused),
    (422, "invalid_request", InvalidRequest),
    (404, "model_not_found", ModelRetired),
    (422, "model_not_found", ModelRetired),
    (422, "insufficient_funds", OutOfFunds),
    (422, "timeout", TimedOut),
    (422, "my_own_word", InvalidRequest),
    (401, "content_policy", CredentialsRejected),
    (429, "content_policy", RateLimited),
    (500, "content_policy", Unclear),
    (500, "", Unclear),
    (503, "", Unclear),
    (418, "", Unclear),
]


@pytest.mark.parametrize("status, code, kind", SUBMITS)
def test_a_refused_order(status: int, code: str, kind: type[ProviderError]) -> None:
    error = read_error(refusal(status, code, **{"Retry-After": "9"}), True)
    assert type(error) is kind
    assert error.facts["status"] == status
    assert "stranger" not in str(error) + repr(error.facts) + repr(error.values)
    assert error.retry_after == (None if kind is Unclear else 9.0)


def test_every_entry_of_the_tables_is_expected_here() -> None:
    assert {status for status, code, _ in SUBMITS if not code} >= set(STATUSES)
    assert {code for _, code, _ in SUBMITS} >= set(CODES)
    assert {code for code, _ in FAILURES} >= set(CODES)


@pytest.mark.parametrize(
    "status, kind",
    [
        (401, CredentialsRejected),
        (403, CredentialsRejected),
        (429, RateLimited),
        (400, Unavailable),
        (402, Unavailable),
        (404, Unavailable),
        (422, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_a_refused_question(status: int, kind: type[ProviderError]) -> None:
    assert type(read_error(refusal(status, "content_policy"), False)) is kind


@pytest.mark.parametrize(
    "status, code, setting",
    [
        (404, "model_not_found", "LONGCAT_MODEL"),
        (404, "", "LONGCAT_VIDEO_ENDPOINT"),
        (404, "not_found", "LONGCAT_VIDEO_ENDPOINT"),
        (401, "unauthorized", "LONGCAT_API_KEY"),
        (403, "", "LONGCAT_API_KEY"),
    ],
)
def test_what_the_operator_must_set_is_named(status: int, code: str, setting: str) -> None:
    assert read_error(refusal(status, code), True).facts["setting"] == setting


JOB: dict[str, Any] = {"id": "j-7f3a", "idempotency_key": KEPT}
FAILURES: list[tuple[str, type[ProviderError]]] = [
    ("content_policy", ContentRefused),
    ("invalid_request", InvalidRequest),
    ("model_not_found", ModelRetired),
    ("insufficient_funds", OutOfFunds),
    ("timeout", TimedOut),
    ("out_of_memory", Unavailable),
]


@pytest.mark.parametrize(
    "told, answer",
    [
        ({"status": "queued", "queue_position": 3, "progress": None}, Waiting(None, queue_position=3)),
        ({"status": "queued"}, Waiting()),
        ({"status": "running", "progress": {"fraction": 0.25, "eta": 30}}, Waiting(0.25)),
        ({"status": "running", "progress": {"step": 21, "total": 50, "eta": None}}, Waiting(0.42)),
        ({"status": "canceling"}, Waiting()),
        (
            {"status": "succeeded", "outputs": [{"url": "/v1/x", "mime": "video/mp4"}], "cost_usd": 0.25},
            Ready(Artifact("url", "/v1/x", 0.25)),
        ),
        (
            {
                "status": "succeeded",
                "outputs": [{"url": "/p", "mime": "video/webm"}, {"url": "/q", "mime": "video/mp4"}],
            },
            Ready(Artifact("url", "/p")),
        ),
    ],
)
def test_a_job_as_the_contract_has_it(told: dict[str, Any], answer: Any) -> None:
    job = {**JOB, **told}
    assert complaint("Job", job) is None
    assert read_status(job) == answer


@pytest.mark.parametrize("code, kind", FAILURES)
def test_a_failed_job_says_why(code: str, kind: type[ProviderError]) -> None:
    job = {**JOB, "status": "failed", "error": {"code": code, "message": "words of a stranger"}}
    assert complaint("Job", job) is None
    answer = read_status(job)
    assert isinstance(answer, Failed)
    assert type(answer.error) is kind
    assert answer.error.facts["code"] == (code if code in CODES else "other")
    assert "stranger" not in str(answer.error) + repr(answer.error.facts)


@pytest.mark.parametrize("status", ["canceled", "expired"])
def test_a_job_that_is_gone_brings_no_clip(status: str) -> None:
    answer = read_status({**JOB, "status": status})
    assert isinstance(answer, Failed)
    assert type(answer.error) is Unavailable


@pytest.mark.parametrize("data", [None, [], 7, "done", {}, {"status": None}, {"status": []}, {"status": "done"}])
def test_what_is_no_job_is_not_taken_for_one(data: Any) -> None:
    with pytest.raises(Garbled):
        read_status(data)


@pytest.mark.parametrize(
    "progress, shown",
    [
        ({"fraction": 7}, 1.0),
        ({"fraction": -1}, 0.0),
        ({"fraction": float("nan")}, None),
        ({"fraction": "half"}, None),
        ({"fraction": True}, None),
        ({"step": 3}, None),
        ({"step": 3, "total": 0}, None),
        ({"step": 60, "total": 50}, 1.0),
        ([], None),
    ],
)
def test_progress_that_is_none_is_not_shown(progress: Any, shown: float | None) -> None:
    assert read_status({**JOB, "status": "running", "progress": progress}) == Waiting(shown)


@pytest.mark.parametrize("outputs", [None, [], [{}], [7], [{"url": ""}], [{"url": "/x.png", "mime": "image/png"}]])
def test_without_an_output_the_jobs_own_content_is_meant(outputs: Any) -> None:
    assert read_status({**JOB, "status": "succeeded", "outputs": outputs}) == Ready(Artifact("url"))


# --------------------------------------------------------------------------------------------------------------- against a server


async def submitted(provider: Provider, **changes: Any) -> tuple[Any, Any]:
    applied = clip(**changes)
    attempt = attempt_for(applied)
    return await provider.submit(applied, attempt), attempt


async def test_a_picture_and_a_last_one_go_as_data(server: lab.LongCat, provider: Provider) -> None:
    await submitted(provider, picture="shore", last_picture="harbour")
    (job,) = server.jobs.values()
    assert job.picture == PICTURE + b"shore"
    assert base64.b64decode(job.wish["last_image"].partition(",")[2]) == PICTURE + b"harbour"


async def test_a_clip_that_another_goes_on_from_goes_along(server: lab.LongCat, tmp_path: Path) -> None:
    before = b"\x00\x00\x00\x18ftyp" + bytes(5_000)
    provider = connected(server, tmp_path, pictures=Pictures({"before": before}))
    await submitted(provider, extends="before")
    (job,) = server.jobs.values()
    assert job.wish["video"] == before
    assert "image" not in job.wish
    await provider.close()
    assert server.wrong == []


async def test_a_lost_answer_is_found_again_and_nothing_else_is(server: lab.LongCat, provider: Provider) -> None:
    server.on("lighthouse", Script(submits=[Take("cut")]))
    applied = clip()
    attempt = attempt_for(applied)
    with pytest.raises(Unclear):
        await provider.submit(applied, attempt)
    (job,) = server.jobs.values()
    assert await provider.find(applied, attempt) == Found({"id": job.id})
    assert await provider.find(applied, attempt_for(applied)) == "certainly not"
    assert list(server.paid.values()) == [1]


@pytest.mark.parametrize(
    "status, body, answer",
    [
        (501, {"error": {"code": "not_implemented", "message": ""}}, "cannot tell"),
        (404, {"error": {"code": "not_found", "message": ""}}, "cannot tell"),
        (200, {"jobs": [{"id": "other", "idempotency_key": "f" * 32, "status": "queued"}]}, "cannot tell"),
        (200, {"jobs": [7]}, "cannot tell"),
        (200, {"jobs": None}, "cannot tell"),
        (200, [], "cannot tell"),
        (200, {"jobs": []}, "certainly not"),
    ],
)
async def test_a_list_that_is_not_of_the_key_is_not_believed(
    server: lab.LongCat, provider: Provider, status: int, body: Any, answer: str
) -> None:
    server.strange.append((status, "application/json", json.dumps(body).encode()))
    assert await provider.find(clip(), attempt_for(clip())) == answer


async def test_the_queue_and_the_steps_are_told(server: lab.LongCat, provider: Provider) -> None:
    server.on("lighthouse", Script(seconds=100.0))
    server.line = 4
    ticket, _ = await submitted(provider)
    assert await provider.poll(ticket) == Waiting(None, queue_position=4)
    server.line, server.steps = None, 50
    server.ahead = 50.0
    assert await provider.poll(ticket) == Waiting(0.5)


async def test_cancel_stops_and_says_when_it_cannot(server: lab.LongCat, provider: Provider) -> None:
    server.on("lighthouse", Script(seconds=None))
    ticket, _ = await submitted(provider)
    assert [await provider.cancel(ticket) for _ in range(2)] == ["stopped", "stopped"]
    server.on("lighthouse", Script(seconds=None, stops=False))
    stubborn, _ = await submitted(provider)
    assert await provider.cancel(stubborn) == "still billed"
    server.on("lighthouse", Script(seconds=0.0))
    finished, _ = await submitted(provider)
    assert await provider.cancel(finished) == "still billed"
    assert await provider.cancel({"id": "nobody"}) == "stopped"


async def test_an_expired_clip_ends_the_attempt(server: lab.LongCat, provider: Provider) -> None:
    ticket, _ = await submitted(provider)
    server.expired.add(ticket["id"])
    assert isinstance(await provider.poll(ticket), Failed)


async def test_the_cost_of_a_clip_is_told(server: lab.LongCat, provider: Provider) -> None:
    server.on("lighthouse", Script(seconds=0.0, cost_usd=0.4))
    ticket, _ = await submitted(provider)
    answer = await provider.poll(ticket)
    assert isinstance(answer, Ready)
    assert answer.artifact.cost_usd == 0.4


@pytest.mark.parametrize("url", ["/v1/jobs/{id}/content", "v1/jobs/{id}/content", "{root}/v1/jobs/{id}/content", ""])
async def test_results_of_the_server_are_fetched_with_the_key(
    server: lab.LongCat, provider: Provider, url: str
) -> None:
    server.on("lighthouse", Script(seconds=0.0))
    ticket, _ = await submitted(provider)
    server.seen_keys.clear()
    sink = Collector()
    await provider.fetch(ticket, Artifact("url", url.format(id=ticket["id"], root=server.url)), sink)
    assert bytes(sink.data) == clip_bytes()
    assert server.seen_keys == [f"Bearer {KEY}"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x.mp4", "http://169.254.169.254/latest", "https://[::1]/x"])
async def test_results_at_private_addresses_are_not_asked_for(
    server: lab.LongCat, provider: Provider, url: str
) -> None:
    server.on("lighthouse", Script(seconds=0.0))
    server.elsewhere = url
    ticket, _ = await submitted(provider)
    answer = await provider.poll(ticket)
    assert isinstance(answer, Ready)
    with pytest.raises(Garbled):
        await provider.fetch(ticket, answer.artifact, Collector())


async def test_another_server_at_a_private_address_hears_nothing(server: lab.LongCat, provider: Provider) -> None:
    server.on("lighthouse", Script(seconds=0.0))
    with lab.LongCat(key=None) as other:
        server.elsewhere = f"{other.url}/v1/jobs/x/content"
        ticket, _ = await submitted(provider)
        with pytest.raises(Garbled):
            await provider.fetch(ticket, Artifact("url", server.elsewhere), Collector())
        assert other.seen_keys == []


@pytest.mark.parametrize("answer", [{}, {"id": 7}, {"id": "../../etc"}, {"id": ""}, [], {"id": ".."}])
async def test_an_answer_without_a_usable_id_is_unclear(server: lab.LongCat, provider: Provider, answer: Any) -> None:
    server.strange.append((201, "application/json", json.dumps(answer).encode()))
    with pytest.raises(Unclear):
        await submitted(provider)


async def test_a_path_of_the_root_is_kept_and_v1_may_be_written(tmp_path: Path) -> None:
    with lab.LongCat(prefix="/video-models", key=None) as server:
        for ending in ("", "/", "/v1", "/v1/"):
            provider = connected(server, tmp_path, LONGCAT_VIDEO_ENDPOINT=server.url + "/video-models" + ending)
            assert isinstance(provider, LongCat)
            server.on("lighthouse", Script(seconds=0.0))
            ticket, _ = await submitted(provider)
            answer = await provider.poll(ticket)
            assert isinstance(answer, Ready)
            sink = Collector()
            await provider.fetch(ticket, answer.artifact, sink)
            assert bytes(sink.data) == clip_bytes()
            await provider.close()
        assert set(server.seen_keys) == {None}, "no key is sent where none is set"
        assert server.wrong == []


# ---------------------------------------------------------------------------------------------------------------------- the start


async def test_check_names_what_to_set(server: lab.LongCat, tmp_path: Path) -> None:
    provider = connected(server, tmp_path)
    assert await provider.check() == "the server has longcat-video"
    await provider.close()
    provider = connected(server, tmp_path, LONGCAT_MODEL="wan-2.2")
    with pytest.raises(ModelRetired, match=r"does not have wan-2\.2: set LONGCAT_MODEL"):
        await provider.check()
    await provider.close()
    provider = connected(server, tmp_path, LONGCAT_API_KEY="lc-another-key-0001")
    with pytest.raises(CredentialsRejected, match="LONGCAT_API_KEY"):
        await provider.check()
    await provider.close()
    provider = connected(server, tmp_path, LONGCAT_VIDEO_ENDPOINT=server.url + "/nowhere")
    with pytest.raises(InvalidRequest, match="LONGCAT_VIDEO_ENDPOINT"):
        await provider.check()
    await provider.close()
    assert not server.paid


async def test_an_unknown_model_is_ordered_by_its_name_and_its_loss_told(server: lab.LongCat, tmp_path: Path) -> None:
    provider = connected(server, tmp_path, LONGCAT_MODEL="wan-2.2")
    with pytest.raises(ModelRetired) as found:
        await submitted(provider, model="wan-2.2")
    assert found.value.facts["setting"] == "LONGCAT_MODEL"
    server.models.append("wan-2.2")
    await submitted(provider, model="wan-2.2")
    (job,) = server.jobs.values()
    assert job.wish["model"] == "wan-2.2"
    await provider.close()


@pytest.mark.parametrize(
    "address, company, localai",
    [
        ("http://127.0.0.1:8088", None, False),
        ("http://localhost:8088", None, False),
        ("http://[::1]:8088", None, False),
        ("http://192.168.7.20:8088", "LongCat server", False),
        ("https://gpu.example.org/video", "LongCat server", True),
        ("http://127.0.0.1:8080/video/", None, True),
        ("https://gpu.example.org/video/v1", "LongCat server", False),
    ],
)
async def test_the_address_says_who_gets_what_and_which_dialect(
    tmp_path: Path, address: str, company: str | None, localai: bool
) -> None:
    provider = selfhosted({"LONGCAT_VIDEO_ENDPOINT": address}, world(tmp_path))
    assert provider.capabilities.company == company
    assert isinstance(provider, LocalAi) is localai
    await provider.close()


async def test_a_price_of_the_operator_makes_it_cost(server: lab.LongCat, tmp_path: Path) -> None:
    sheet = '[[models]]\nid = "longcat-video"\nprice = { flat = 0.25 }\n'
    provider = connected(server, tmp_path, sheet=sheet)
    assert provider.estimate(clip()).credits == 25
    assert not provider.capabilities.unpaid
    await provider.close()


async def test_the_key_and_the_prompt_are_in_no_error(server: lab.LongCat, provider: Provider) -> None:
    server.on("lighthouse", Script(submits=[Refuse(422, "content_policy")]))
    with pytest.raises(ContentRefused) as found:
        await submitted(provider)
    said = f"{found.value!r} {found.value.facts} {found.value.values}"
    assert KEY not in said
    assert "lighthouse" not in said
    applied = applied_for(provider)
    assert KEY not in repr(provider) + repr(applied)
