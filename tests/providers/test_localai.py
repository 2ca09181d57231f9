"""LocalAI's dialect: its tables against answers as LocalAI's source makes them, and one long call for each clip."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.capabilities import Applied
from core.errors import (
    CredentialsRejected,
    Garbled,
    InvalidRequest,
    ModelRetired,
    NothingSent,
    OversizedMedia,
    ProviderError,
    RateLimited,
    Unavailable,
    Unclear,
)
from core.jobs import Attempt
from core.ports import Failed, Found, PollAnswer, Provider, Ready, Waiting
from providers import localai as module
from providers.line import Answer
from providers.localai import AGAIN, FileSink, LocalAi
from providers.localai_wire import STATUSES, is_localai, payload, read_error, result_address
from providers.sheets import read_sheet
from tests.contracts.provider import Collector, ProviderContract, attempt_for
from tests.contracts.vendor_faults import PICTURE, world
from tests.lab.billing import Refuse, Script, Take
from tests.lab.clips import clip_bytes
from tests.lab.localai import KEY, LocalAI, impossible, unmarshal
from tests.lab.longcat import selfhosted
from tests.lab.waiting import until, until_async
from tests.providers.test_longcat import clip

MODEL = read_sheet("longcat").models[0]
PRICED = '[[models]]\nid = "longcat-video"\nprice = { flat = 0.05 }\n'


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.25)


@pytest.fixture
def server() -> Iterator[LocalAI]:
    with LocalAI() as server:
        yield server
        assert server.wrong == []


@pytest.fixture
async def provider(server: LocalAI, tmp_path: Path) -> AsyncIterator[Provider]:
    provider = selfhosted(server.environment(), world(tmp_path))
    yield provider
    await provider.close()


class TestLocalAi(ProviderContract):
    @pytest.fixture
    async def provider(self, server: LocalAI, tmp_path: Path) -> AsyncIterator[Provider]:
        generator = selfhosted(server.environment(), world(tmp_path))
        assert isinstance(generator, LocalAi)
        yield generator
        await generator.close()


async def ordered(provider: Provider, **changes: Any) -> tuple[dict[str, Any], Attempt]:
    applied = clip(**changes)
    attempt = attempt_for(applied)
    return dict(await provider.submit(applied, attempt)), attempt


async def ended(provider: Provider, ticket: Any) -> PollAnswer:
    end = time.monotonic() + 20
    while isinstance(answer := await provider.poll(ticket), Waiting):
        assert time.monotonic() < end, "it does not end"
        await asyncio.sleep(0.02)
    return answer


async def file_of(provider: Provider, ticket: Any) -> bytes:
    answer = await ended(provider, ticket)
    assert isinstance(answer, Ready), answer
    sink = Collector()
    await provider.fetch(ticket, answer.artifact, sink)
    return bytes(sink.data)


# ---------------------------------------------------------------------------------------------------------------------- the wire


@pytest.mark.parametrize(
    "address, localai",
    [
        ("http://h:8080/video", True),
        ("https://h/ai/video", True),
        ("http://h:8080", False),
        ("http://h/videos", False),
        ("http://video", False),
        ("http://h/video/x", False),
    ],
)
def test_the_address_chooses(address: str, localai: bool) -> None:
    assert is_localai(address) is localai


def test_the_request_of_a_clip() -> None:
    body = payload(MODEL, clip(negative_prompt="people"), {})
    assert body == {
        "model": "longcat-video",
        "prompt": "a lighthouse at dusk",
        "negative_prompt": "people",
        "width": 832,
        "height": 480,
        "num_frames": 93,
        "fps": 15,
        "seed": 7,
        "response_format": "b64_json",
        "params": {"resolution": "480p"},
    }


@pytest.mark.parametrize("resolution", ["480p", "720p"])
@pytest.mark.parametrize("aspect, size", [("16:9", None), ("9:16", (432, 768))])
@pytest.mark.parametrize("seconds, frames", [(4, 61), (6, 93), (8, 121)])
def test_every_shape_is_one_that_its_backend_takes(
    resolution: str, aspect: str, size: tuple[int, int] | None, seconds: int, frames: int
) -> None:
    body = payload(MODEL, clip(resolution=resolution, aspect_ratio=aspect, seconds=seconds), {})
    assert unmarshal(body) is None
    assert impossible(body) is None
    assert (body["num_frames"], body["fps"]) == (frames, 15)
    assert (body["width"], body["height"]) == (size or {"480p": (832, 480), "720p": (1280, 720)}[resolution])


@pytest.mark.parametrize(
    "seed, sent",
    [(1, 1), (7, 7), (2**31 - 1, 2**31 - 1), (0, 2**31 - 1), (2**31, 1), (2**32 - 1, 1), (2**32 - 2, 2**31 - 1)],
)
def test_a_seed_is_folded_into_31_bits_and_is_never_none(seed: int, sent: int) -> None:
    body = payload(MODEL, clip(seed=seed), {})
    assert body["seed"] == sent
    assert unmarshal(body) is None


def refusal(status: int, kind: str | None = "") -> Answer:
    data = None if kind is None else {"error": {"code": status, "message": "words of a stranger", "type": kind}}
    return Answer(status, {}, data, is_json=data is not None)


REFUSED: list[tuple[int, str | None, type[ProviderError]]] = [
    (400, "", InvalidRequest),
    (401, "invalid_request_error", CredentialsRejected),
    (403, "model_disabled", CredentialsRejected),
    (404, "invalid_request_error", ModelRetired),
    (404, "", ModelRetired),
    (412, "", InvalidRequest),
    (413, None, InvalidRequest),
    (422, "", InvalidRequest),
    (429, "rate_limit_error", RateLimited),
    (500, "", Unavailable),
    (500, None, Unclear),
    (502, None, Unclear),
    (503, None, Unclear),
    (504, None, Unclear),
    (302, None, InvalidRequest),
]


@pytest.mark.parametrize("status, kind, error", REFUSED)
def test_a_refused_call(status: int, kind: str | None, error: type[ProviderError]) -> None:
    found = read_error(refusal(status, kind), True)
    assert type(found) is error
    assert found.facts["status"] == status
    assert "stranger" not in str(found) + repr(found.facts) + repr(found.values)


def test_every_status_is_expected_here() -> None:
    assert {status for status, _, _ in REFUSED} >= set(STATUSES)


@pytest.mark.parametrize(
    "status, kind, setting",
    [
        (404, "invalid_request_error", "LONGCAT_MODEL"),
        (404, "", "LONGCAT_VIDEO_ENDPOINT"),
        (404, None, "LONGCAT_VIDEO_ENDPOINT"),
        (401, "", "LONGCAT_API_KEY"),
        (403, "model_disabled", "LONGCAT_API_KEY"),
    ],
)
def test_what_the_operator_must_set_is_named(status: int, kind: str | None, setting: str) -> None:
    assert read_error(refusal(status, kind), True).facts["setting"] == setting


@pytest.mark.parametrize(
    "url, address",
    [
        ("http://h:8080/generated-videos/b64.mp4", "http://h:8080/generated-videos/b64.mp4"),
        ("https://ai.example.org/generated-videos/b64.mp4", "http://h:8080/generated-videos/b64.mp4"),
        ("https://ai.example.org/behind/generated-videos/b64.mp4", "http://h:8080/generated-videos/b64.mp4"),
        ("/generated-videos/b64.mp4", "http://h:8080/generated-videos/b64.mp4"),
        ("https://cdn.example.org/b64.mp4", "https://cdn.example.org/b64.mp4"),
        ("x.mp4", "http://h:8080/x.mp4"),
    ],
)
def test_where_a_clip_is_fetched(url: str, address: str) -> None:
    assert result_address({"data": [{"url": url}]}, "http://h:8080") == address


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"data": []},
        {"data": [7]},
        {"data": [{}]},
        {"data": [{"url": ""}]},
        {"data": [{"url": "http://[::1/x"}]},
    ],
)
def test_an_answer_without_a_clip_is_none(data: Any) -> None:
    with pytest.raises(Garbled):
        result_address(data, "http://h:8080")


# -------------------------------------------------------------------------------------------------------------------- the submit


@pytest.mark.parametrize("status", [400, 401, 403, 404, 412, 429])
async def test_a_refusal_comes_with_the_submit(server: LocalAI, provider: Provider, status: int) -> None:
    server.on("lighthouse", Script(submits=[Refuse(status, retry_after=4)]))
    with pytest.raises(STATUSES[status]) as found:
        await ordered(provider)
    assert found.value.retry_after == 4.0
    assert not server.paid


async def test_a_failure_that_is_told_at_once_is_no_doubt(server: LocalAI, tmp_path: Path) -> None:
    """LocalAI's own 500 is an answer. A paid clip that was not made must not wait until somebody decides."""
    server.on("lighthouse", Script(submits=[Refuse(500)], seconds=0.0))
    paid = '[[models]]\nid = "longcat-video"\nprice = { flat = 0.05 }\n'
    provider = selfhosted(server.environment(), world(tmp_path), paid)
    ticket, _ = await ordered(provider)
    answer = await ended(provider, ticket)
    assert isinstance(answer, Failed)
    assert type(answer.error) is Unavailable
    assert len(server.calls("submit")) == 1
    await provider.close()


@pytest.mark.parametrize("fault", [Refuse(502), Take("error"), Take("cut"), Take("garbage")])
async def test_an_answer_lost_at_once_is_unclear(server: LocalAI, provider: Provider, fault: Any) -> None:
    server.on("lighthouse", Script(submits=[fault], seconds=0.0))
    with pytest.raises(Unclear):
        await ordered(provider)
    assert len(server.calls("submit")) == 1


async def test_where_nobody_listens_nothing_was_sent(server: LocalAI, provider: Provider) -> None:
    server.stop()
    with pytest.raises(NothingSent):
        await ordered(provider)


async def test_a_submit_does_not_wait_for_the_clip(server: LocalAI, provider: Provider) -> None:
    server.on("lighthouse", Script(seconds=None))
    began = time.monotonic()
    ticket, _ = await ordered(provider)
    assert time.monotonic() - began < 2
    assert await provider.poll(ticket) == Waiting()
    server.finish("lighthouse")
    assert await file_of(provider, ticket) == clip_bytes()
    assert list(server.paid.values()) == [1]


async def test_a_picture_goes_in_bare_base64(server: LocalAI, provider: Provider) -> None:
    ticket, _ = await ordered(provider, picture="shore", resolution="720p")
    await ended(provider, ticket)
    (job,) = server.jobs.values()
    assert job.picture == PICTURE + b"shore"
    assert job.wish["params"] == {"resolution": "720p"}


# ------------------------------------------------------------------------------------------------------------------- lost answers


async def test_a_lost_answer_is_made_again_where_it_is_free(server: LocalAI, provider: Provider) -> None:
    server.on("lighthouse", Script(submits=[Take("cut")], seconds=0.4))
    ticket, _ = await ordered(provider)
    assert await file_of(provider, ticket) == clip_bytes()
    assert list(server.paid.values()) == [2]


@pytest.mark.parametrize("result", ["html", "empty", "truncated"])
async def test_an_answer_that_is_no_clip_is_lost(server: LocalAI, provider: Provider, result: Any) -> None:
    server.on("lighthouse", Script(results=[result], seconds=0.4))
    ticket, _ = await ordered(provider)
    assert await file_of(provider, ticket) == clip_bytes()
    assert list(server.paid.values()) == [2]


async def test_three_lost_answers_are_enough(server: LocalAI, provider: Provider) -> None:
    server.on("lighthouse", Script(submits=[Take("cut")] * 9, seconds=0.4))
    ticket, _ = await ordered(provider)
    for _ in range(2):
        answer = await ended(provider, ticket)
        assert isinstance(answer, Failed)
        assert isinstance(answer.error, Unclear)
    assert list(server.paid.values()) == [3]


async def test_a_failure_that_is_told_is_not_repeated(server: LocalAI, provider: Provider) -> None:
    server.on("lighthouse", Script(fails="internal", seconds=0.4))
    ticket, _ = await ordered(provider)
    answer = await ended(provider, ticket)
    assert isinstance(answer, Failed)
    assert type(answer.error) is Unavailable
    assert list(server.paid.values()) == [1]


async def test_what_costs_is_never_made_again(server: LocalAI, tmp_path: Path) -> None:
    provider = selfhosted(server.environment(), world(tmp_path), PRICED)
    server.on("lighthouse", Script(submits=[Take("cut")], seconds=0.4))
    ticket, _ = await ordered(provider)
    for _ in range(2):
        answer = await ended(provider, ticket)
        assert isinstance(answer, Failed)
        assert isinstance(answer.error, Unclear)
    assert list(server.paid.values()) == [1]
    await provider.close()


@pytest.mark.parametrize("sheet, free", [("", True), (PRICED, False)])
async def test_after_a_restart(server: LocalAI, tmp_path: Path, sheet: str, free: bool) -> None:
    """The ticket was stored, the call ended with the process."""
    server.on("lighthouse", Script(seconds=None))
    first = selfhosted(server.environment(), world(tmp_path), sheet)
    ticket, attempt = await ordered(first)
    await first.close()
    assert not list((tmp_path / "localai").iterdir()), "nothing half is left"
    server.forget_scripts()
    second = selfhosted(server.environment(), world(tmp_path), sheet)
    found = await second.find(attempt.applied, attempt)
    assert found == (Found(ticket) if free else "cannot tell")
    if free:
        assert await second.poll(ticket) == Waiting(note=AGAIN)
        assert await second.poll(ticket) == Waiting(note=AGAIN)
        assert await file_of(second, ticket) == clip_bytes()
    else:
        for _ in range(2):
            answer = await second.poll(ticket)
            assert isinstance(answer, Failed)
            assert isinstance(answer.error, Unclear)
    assert list(server.paid.values()) == [2 if free else 1]
    await second.close()


@pytest.mark.parametrize("sheet", ["", PRICED])
async def test_a_clip_that_came_outlives_a_restart(server: LocalAI, tmp_path: Path, sheet: str) -> None:
    first = selfhosted(server.environment(), world(tmp_path), sheet)
    ticket, attempt = await ordered(first)
    await ended(first, ticket)
    await first.close()
    second = selfhosted(server.environment(), world(tmp_path), sheet)
    assert await second.find(attempt.applied, attempt) == Found(ticket)
    assert await file_of(second, ticket) == clip_bytes()
    await second.release(ticket)
    assert not list((tmp_path / "localai").iterdir())
    assert list(server.paid.values()) == [1]
    await second.close()


async def test_too_much_at_the_moment_is_told_and_asked_again(server: LocalAI, tmp_path: Path) -> None:
    first = selfhosted(server.environment(), world(tmp_path))
    server.on("lighthouse", Script(seconds=None))
    ticket, _ = await ordered(first)
    await first.close()
    server.on("lighthouse", Script(submits=[Refuse(429, retry_after=6)] * 4, seconds=0.1))
    second = selfhosted(server.environment(), world(tmp_path))
    waits = []
    answer: PollAnswer = Waiting()
    end = time.monotonic() + 20
    while isinstance(answer, Waiting) and time.monotonic() < end:
        try:
            answer = await second.poll(ticket)
        except RateLimited as error:
            waits.append(error.retry_after)
        await asyncio.sleep(0.02)
    assert waits == [6.0] * 4, "also more often than answers may be lost"
    assert isinstance(answer, Ready)
    assert list(server.paid.values()) == [2]
    await second.close()


@pytest.mark.parametrize("sheet", ["", PRICED])
async def test_a_refusal_that_comes_late_costs_nothing_and_is_asked_again(
    server: LocalAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sheet: str
) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.0)
    server.on("lighthouse", Script(submits=[Refuse(429, retry_after=6)]))
    provider = selfhosted(server.environment(), world(tmp_path), sheet)
    ticket, _ = await ordered(provider)
    with pytest.raises(RateLimited):
        await ended(provider, ticket)
    assert await file_of(provider, ticket) == clip_bytes()
    assert list(server.paid.values()) == [1]
    await provider.close()


# ------------------------------------------------------------------------------------------------------------- cancel and the rest


async def test_cancel_drops_the_call(server: LocalAI, provider: Provider, tmp_path: Path) -> None:
    server.on("lighthouse", Script(seconds=None))
    ticket, _ = await ordered(provider)
    assert [await provider.cancel(ticket) for _ in range(2)] == ["stopped", "stopped"]
    assert isinstance(await provider.poll(ticket), Failed)
    await until_async(lambda: server.hung_up == ["a lighthouse at dusk"], what="the end of the call")
    assert not list((tmp_path / "localai").iterdir())
    assert list(server.paid.values()) == [1]


async def test_two_polls_are_one_call(server: LocalAI, tmp_path: Path) -> None:
    first = selfhosted(server.environment(), world(tmp_path))
    server.on("lighthouse", Script(seconds=None))
    ticket, _ = await ordered(first)
    await first.close()
    second = selfhosted(server.environment(), world(tmp_path))
    await asyncio.gather(*(second.poll(ticket) for _ in range(5)))
    server.finish("lighthouse")
    assert await file_of(second, ticket) == clip_bytes()
    assert list(server.paid.values()) == [2]
    await second.close()


async def test_a_call_that_ends_during_a_poll_is_not_made_again(
    server: LocalAI, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("lighthouse", Script(seconds=None))
    ticket, _ = await ordered(provider)
    there = Path.exists

    def slow(path: Path) -> bool:
        found = there(path)
        if path.suffix == ".clip" and not found:
            server.finish("lighthouse")
            until(lambda: there(path), what="the clip")
        return found

    monkeypatch.setattr(Path, "exists", slow)
    await provider.poll(ticket)
    monkeypatch.setattr(Path, "exists", there)
    server.finish("lighthouse")
    assert isinstance(await ended(provider, ticket), Ready)
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("localai")]
    assert list(server.paid.values()) == [1]


async def test_the_end_of_a_call_is_hinted(server: LocalAI, tmp_path: Path) -> None:
    hints: list[str] = []
    provider = selfhosted(server.environment(), world(tmp_path, hints=hints))
    ticket, attempt = await ordered(provider)
    await ended(provider, ticket)
    assert hints == [attempt.id]
    await provider.close()


async def test_old_clips_of_nobody_are_swept(server: LocalAI, provider: Provider, tmp_path: Path) -> None:
    assert isinstance(provider, LocalAi)
    kept, swept, young = ("a" * 32, "b" * 32, "c" * 32)
    for name, suffix in ((kept, "clip"), (swept, "clip"), (swept, "part"), (young, "part")):
        file = tmp_path / f"localai/{name}.{suffix}"
        await asyncio.to_thread(file.write_bytes, b"x")
        if name != young:
            await asyncio.to_thread(os.utime, file, (1, 1))
    await provider.sweep({kept}, 3600)
    assert {file.stem for file in (tmp_path / "localai").iterdir()} == {kept, young}


URLS = """
[[models]]
id = "longcat-video"
resolutions = ["480p"]
[models.options]
fps = { "480p" = 15 }
response_format = "url"
sizes = { "480p" = { "16:9" = [832, 480], "9:16" = [432, 768] } }
"""


@pytest.mark.parametrize("base", [None, "https://ai.example.org/behind"])
async def test_an_address_in_place_of_the_clip_is_fetched_at_the_root(
    server: LocalAI, tmp_path: Path, base: str | None
) -> None:
    server.base = base
    provider = selfhosted(server.environment(), world(tmp_path), URLS)
    ticket, _ = await ordered(provider)
    assert await file_of(provider, ticket) == clip_bytes()
    assert len(server.calls("fetch")) == 1
    await provider.close()


async def test_a_clip_that_cannot_be_fetched_is_a_lost_answer(server: LocalAI, tmp_path: Path) -> None:
    server.on("lighthouse", Script(results=["truncated", "gone"], seconds=0.3))
    provider = selfhosted(server.environment(), world(tmp_path), URLS)
    ticket, _ = await ordered(provider)
    assert await file_of(provider, ticket) == clip_bytes()
    assert list(server.paid.values()) == [3]
    await provider.close()


async def test_a_clip_without_end_is_not_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "CLIP_BYTES", 1000)
    with (tmp_path / "x").open("wb") as file:
        sink = FileSink(file)
        await sink.write(bytes(1000))
        with pytest.raises(OversizedMedia):
            await sink.write(b"x")


async def test_a_call_takes_no_longer_than_a_clip_may(server: LocalAI, tmp_path: Path) -> None:
    sheet = '[[models]]\nid = "longcat-video"\nmaximum_seconds = 0.6\nusual_seconds = 0.5\nprice = { flat = 0.05 }\n'
    server.on("lighthouse", Script(seconds=None))
    provider = selfhosted(server.environment(), world(tmp_path), sheet)
    ticket, _ = await ordered(provider)
    answer = await ended(provider, ticket)
    assert isinstance(answer, Failed)
    assert isinstance(answer.error, Unclear)
    await provider.close()


async def test_what_it_can_do_is_less_than_the_contract(provider: Provider) -> None:
    can = provider.capabilities
    assert (can.extend, can.progress, can.cancel, can.most_active, can.unpaid) == (False, "elapsed", True, 1, True)


async def test_check_names_what_to_set(server: LocalAI, tmp_path: Path) -> None:
    provider = selfhosted(server.environment(), world(tmp_path))
    assert await provider.check() == "the server has longcat-video"
    await provider.close()
    for more, error, said in (
        ({"LONGCAT_MODEL": "wan"}, ModelRetired, "set LONGCAT_MODEL"),
        ({"LONGCAT_API_KEY": "la-another-key-0001"}, CredentialsRejected, "LONGCAT_API_KEY"),
    ):
        provider = selfhosted({**server.environment(), **more}, world(tmp_path))
        with pytest.raises(error, match=said):
            await provider.check()
        await provider.close()
    assert not server.paid


async def test_neither_key_nor_prompt_is_logged(
    server: LocalAI, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="reelay")
    server.on("lighthouse", Script(fails="internal", seconds=0.3))
    ticket, _ = await ordered(provider)
    await ended(provider, ticket)
    said = " ".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "a call brought no clip" in said
    assert KEY not in said
    assert "lighthouse" not in said
    assert "stranger" not in said


def test_an_applied_clip_survives_its_ticket() -> None:
    applied = clip(references=("a", "b"), picture=None)
    ticket = module._ticket(applied, attempt_for(applied))
    assert Applied.from_json(dict(ticket["request"])) == applied
