"""Ovi against the simulator of fal and of Hugging Face's router: what no suite of all generators asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from core.capabilities import Applied, Change, fit
from core.errors import (
    ContentRefused,
    CredentialsRejected,
    Garbled,
    InvalidRequest,
    ModelRetired,
    OutOfFunds,
    ProviderError,
    TimedOut,
    Unavailable,
    Unclear,
    Unsupported,
)
from core.jobs import Attempt
from core.ports import Failed, Found, Listening, PollAnswer, Ready, Ticket, Waiting
from core.requests import Wanted
from providers.ovi import HUB, Ovi, capabilities
from providers.sheets import BadSheet
from tests.contracts.provider import Collector, applied_for, attempt_for
from tests.contracts.vendor_faults import PICTURE, world
from tests.lab.billing import Refuse, Script, Take
from tests.lab.clips import clip_bytes
from tests.lab.fal import KEY, TOKEN, Fal, ovi
from tests.lab.server import Simulator

PUBLIC = "https://clips.example.org"


@pytest.fixture
def fal() -> Iterator[Fal]:
    with Fal() as vendor:
        yield vendor


@pytest.fixture
async def provider(fal: Fal, tmp_path: Path) -> AsyncIterator[Ovi]:
    found = ovi(fal.environment(), world(tmp_path))
    yield found
    await found.close()


@pytest.fixture
async def through_router(fal: Fal, tmp_path: Path) -> AsyncIterator[Ovi]:
    found = ovi(fal.router_environment(), world(tmp_path))
    yield found
    await found.close()


async def ordered(provider: Ovi, **changes: Any) -> tuple[Applied, Attempt, Ticket]:
    applied = applied_for(provider, **changes)
    attempt = attempt_for(applied)
    return applied, attempt, await provider.submit(applied, attempt)


async def ended(provider: Ovi, ticket: Ticket) -> PollAnswer:
    until = time.monotonic() + 10
    while True:
        answer = await provider.poll(ticket)
        if not isinstance(answer, Waiting):
            return answer
        assert time.monotonic() < until, "it does not end"
        await asyncio.sleep(0.01)


# ---- what is asked


async def test_a_text_goes_with_its_size_and_is_repeated_by_nobody(fal: Fal, provider: Ovi) -> None:
    await ordered(provider, negative_prompt="fog", aspect_ratio="9:16", line="Who is there?")
    (job,) = fal.jobs.values()
    assert job.wish == {
        "prompt": "a lighthouse at dusk <S>Who is there?<E>",
        "seed": 7,
        "negative_prompt": "fog",
        "resolution": "512x960",
    }
    (headers,) = fal.headers
    assert headers["x-fal-no-retry"] == "1"
    assert headers["X-Fal-Request-Timeout"] == "780"
    assert fal.complaints == []


async def test_a_picture_has_its_own_shape_and_may_come_without_words(fal: Fal, provider: Ovi) -> None:
    await ordered(provider, prompt="", picture="shore")
    (job,) = fal.jobs.values()
    assert job.picture == PICTURE + b"shore"
    assert set(job.wish) == {"prompt", "seed", "image_url"}
    assert job.wish["prompt"] == "The picture comes to life."
    assert fal.complaints == []


async def test_wrong_marks_are_refused_before_anything_is_sent(fal: Fal, provider: Ovi) -> None:
    with pytest.raises(InvalidRequest) as found:
        await ordered(provider, prompt="He says <S>hello")
    assert found.value.message_id == "error.ovi_marks"
    assert fal.journal == []


async def test_a_later_model_of_the_operator_is_told_in_its_own_way(fal: Fal, tmp_path: Path) -> None:
    sheet = """
[[models]]
id = "fal-ai/ovi"
seconds = [5, 10]
price = { flat = 0.35 }
options = { sounds = "tail", input = { num_inference_steps = 99 } }
"""
    provider = ovi(fal.environment(), world(tmp_path), sheet)
    applied, _, ticket = await ordered(provider, prompt="A pier. <AUDCAP>gulls<ENDAUDCAP>")
    assert provider.estimate(applied).credits == 35
    assert fal.complaints == ["less_than_equal ['body', 'num_inference_steps']"]
    answer = await ended(provider, ticket)
    assert isinstance(answer, Failed), "an input that fal does not take is told where the result should be"
    assert isinstance(answer.error, InvalidRequest)
    assert not fal.paid
    await provider.close()


async def test_a_model_that_is_gone_names_its_setting(fal: Fal, tmp_path: Path) -> None:
    provider = ovi({**fal.environment(), "OVI_MODEL": "fal-ai/ovi-gone"}, world(tmp_path))
    with pytest.raises(ModelRetired) as found:
        await ordered(provider)
    assert found.value.facts["setting"] == "OVI_MODEL"
    await provider.close()


def test_what_it_can_do_and_costs(tmp_path: Path) -> None:
    can = capabilities()
    assert (can.seconds, can.company, can.text, can.image, can.speech, can.cancel) == (
        (5,),
        "fal",
        True,
        True,
        True,
        True,
    )
    for wanted in (4, 6, 8):
        applied, changes = fit(Wanted(prompt="x", seconds=wanted, explicit=frozenset({"seconds"})), can, seed=1)
        assert applied.seconds == 5
        assert changes == [Change("change.seconds", {"wanted": wanted, "applied": 5, "generator": "Ovi"})]
    provider = ovi({"FAL_KEY": KEY}, world(tmp_path))
    assert provider.estimate(applied_for(provider)).credits == 20
    assert provider.capabilities == can


# ---- looks


async def test_place_in_the_queue_and_progress_of_the_log(fal: Fal, provider: Ovi) -> None:
    fal.on("lighthouse", Script(seconds=60))
    fal.positions = [2, 0]
    _, _, ticket = await ordered(provider)
    assert await provider.poll(ticket) == Waiting(queue_position=3)
    assert await provider.poll(ticket) == Waiting(queue_position=1)
    fal.ahead = 30.5
    assert await provider.poll(ticket) == Waiting(progress=0.5)
    fal.log = ""
    assert await provider.poll(ticket) == Waiting()


@pytest.mark.parametrize(
    "reason, kind",
    [
        ("content", ContentRefused),
        ("no media", Unavailable),
        ("internal", Unavailable),
        ("disconnected", Unavailable),
        ("timeout", TimedOut),
        ("startup", TimedOut),
        ("cancelled", Unavailable),
    ],
)
async def test_completed_is_no_success(fal: Fal, provider: Ovi, reason: str, kind: type[ProviderError]) -> None:
    fal.on("lighthouse", Script(fails=reason))
    _, _, ticket = await ordered(provider)
    answer = await ended(provider, ticket)
    assert isinstance(answer, Failed)
    assert type(answer.error) is kind


async def test_a_page_in_place_of_a_status_forgets_nothing(fal: Fal, provider: Ovi) -> None:
    _, _, ticket = await ordered(provider)
    fal.strange.append((404, "text/html", b"<h1>404</h1>"))
    with pytest.raises(Unavailable):
        await provider.poll(ticket)
    assert isinstance(await ended(provider, ticket), Ready)


# ---- where the key goes


async def test_of_the_answers_addresses_only_the_path_is_used(fal: Fal, provider: Ovi) -> None:
    with Fal() as stranger:
        fal.says = stranger.url
        _, _, ticket = await ordered(provider)
        assert isinstance(await ended(provider, ticket), Ready)
        await provider.cancel(ticket)
        assert stranger.journal == []
        assert stranger.complaints == []
    assert {line.call for line in fal.journal} == {"submit", "poll", "result", "cancel"}


async def test_the_clip_is_fetched_without_the_key(fal: Fal, provider: Ovi) -> None:
    _, _, ticket = await ordered(provider)
    answer = await ended(provider, ticket)
    assert isinstance(answer, Ready)
    sink = Collector()
    await provider.fetch(ticket, answer.artifact, sink)
    assert bytes(sink.data) == clip_bytes()
    assert fal.complaints == [], "the simulator complains about a key at its files"


@pytest.mark.parametrize("by", ["address", "redirect"])
async def test_a_clip_at_a_private_host_is_not_fetched(fal: Fal, provider: Ovi, by: str) -> None:
    with Fal() as stranger:
        if by == "address":
            fal.files = stranger.url
        else:
            fal.onward = f"{stranger.url}/files/x/output.mp4"
        _, _, ticket = await ordered(provider)
        answer = await ended(provider, ticket)
        assert isinstance(answer, Ready)
        with pytest.raises(Garbled, match=r"address|port"):
            await provider.fetch(ticket, answer.artifact, Collector())
        assert stranger.journal == []
        assert stranger.complaints == []


async def test_a_ticket_of_another_host_is_not_followed(provider: Ovi) -> None:
    ticket = {"id": "x" * 8, "status": "//evil.example/x", "result": "/a", "cancel": "/a"}
    for call in (provider.poll(ticket), provider.cancel(ticket)):
        with pytest.raises(Garbled):
            await call


# ---- cancel


async def test_what_was_stopped_stays_stopped_and_is_asked_once(fal: Fal, provider: Ovi) -> None:
    fal.on("lighthouse", Script(seconds=None))
    _, _, ticket = await ordered(provider)
    assert [await provider.cancel(ticket) for _ in range(3)] == ["stopped"] * 3
    assert len(fal.calls("cancel")) == 1


async def test_what_is_completed_or_unknown_is_billed(fal: Fal, provider: Ovi) -> None:
    fal.on("lighthouse", Script(seconds=0))
    _, _, ticket = await ordered(provider)
    assert await provider.cancel(ticket) == "still billed"
    fal.jobs.clear()
    assert await provider.cancel(ticket) == "still billed"


# ---- webhooks


class Door(Simulator):
    """Where fal's webhooks come: it gives them to the generator."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[tuple[str, bytes]] = []
        self.came = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/hooks/fal/{attempt}", self._hear)

    async def _hear(self, request: web.Request) -> web.Response:
        self.bodies.append((request.match_info["attempt"], await request.read()))
        self.loop.call_soon_threadsafe(self.came.set)
        return web.Response(status=204)

    async def interfere(self, request: web.Request) -> web.StreamResponse | None:
        del request
        return None


async def test_a_webhook_finds_a_request_whose_answer_was_lost(fal: Fal, tmp_path: Path) -> None:
    hints: list[str] = []
    with Door() as door:
        provider = ovi(fal.environment(), world(tmp_path, hints=hints, hook=door.url))
        assert isinstance(provider, Listening)
        fal.on("lighthouse", Script(submits=[Take("cut")], seconds=0.05))
        applied = applied_for(provider)
        attempt = attempt_for(applied)
        with pytest.raises(Unclear):
            await provider.submit(applied, attempt)
        assert await provider.find(applied, attempt) == "cannot tell"
        await asyncio.wait_for(door.came.wait(), 10)
        ((attempt_id, body),) = door.bodies
        assert attempt_id == attempt.id
        assert await provider.heard(attempt_id, {}, body)
        assert hints == [attempt.id]
        found = await provider.find(applied, attempt)
        assert isinstance(found, Found)
        assert isinstance(await ended(provider, found.ticket), Ready)
        assert list(fal.paid.values()) == [1]
        await provider.close()


async def test_a_request_that_was_answered_is_found_as_well(fal: Fal, provider: Ovi) -> None:
    applied, attempt, ticket = await ordered(provider)
    assert await provider.find(applied, attempt) == Found(ticket)
    fal.jobs.clear()
    assert await provider.find(applied, attempt) == "cannot tell"


async def test_a_status_that_is_about_another_request_finds_nothing(fal: Fal, provider: Ovi) -> None:
    applied, attempt, _ = await ordered(provider)
    other = b'{"status": "IN_PROGRESS", "request_id": "00000000-1111-2222-3333-444444444444"}'
    fal.strange.append((202, "application/json", other))
    assert await provider.find(applied, attempt) == "cannot tell"


async def test_a_webhook_that_names_what_our_key_does_not_know_finds_nothing(fal: Fal, provider: Ovi) -> None:
    applied = applied_for(provider)
    attempt = attempt_for(applied)
    body = b'{"request_id": "00000000-1111-2222-3333-444444444444", "status": "OK"}'
    assert await provider.heard(attempt.id, {}, body)
    assert await provider.find(applied, attempt) == "cannot tell"
    fal.down = True
    with pytest.raises(Unavailable):
        await provider.find(applied, attempt)


async def test_a_webhook_moves_no_request_to_another_attempt(fal: Fal, tmp_path: Path) -> None:
    hints: list[str] = []
    provider = ovi(fal.environment(), world(tmp_path, hints=hints, hook=PUBLIC))
    applied, attempt, ticket = await ordered(provider)
    other = attempt_for(applied)
    mine = f'{{"request_id": "{ticket["id"]}", "status": "OK"}}'.encode()
    theirs = mine.replace(str(ticket["id"])[:8].encode(), b"99999999")
    for _ in range(3):
        assert await provider.heard(attempt.id, {}, mine)
    assert not await provider.heard(other.id, {}, mine), "a request has one attempt"
    assert not await provider.heard(attempt.id, {}, theirs), "an attempt has one request"
    assert not await provider.heard(attempt.id, {}, b"{}")
    assert hints == [attempt.id] * 3
    assert await provider.find(applied, attempt) == Found(ticket)
    assert await provider.find(applied, other) == "cannot tell"
    await provider.close()


async def test_fal_is_told_where_to_call_and_the_attempt_is_in_the_address(fal: Fal, tmp_path: Path) -> None:
    provider = ovi(fal.environment(), world(tmp_path, hook=PUBLIC))
    fal.on("lighthouse", Script(seconds=None))
    _, attempt, _ = await ordered(provider)
    assert dict(fal.paid) == {attempt.id: 1}
    await provider.close()


async def test_thousands_of_requests_are_remembered_and_no_more(fal: Fal, provider: Ovi) -> None:
    for number in range(5000):
        await provider.heard(f"{number:032x}", {}, f'{{"request_id": "request-{number:08}", "status": "OK"}}'.encode())
    assert len(provider._heard) == 4096
    assert f"{4999:032x}" in provider._heard


async def test_a_flood_of_forged_webhooks_crowds_out_nothing_that_is_known(fal: Fal, tmp_path: Path) -> None:
    """Anybody may call the address; only who knows an attempt's 128 bits says something about it."""
    provider = ovi(fal.environment(), world(tmp_path, hook=PUBLIC))
    fal.on("lighthouse", Script(seconds=None))
    fal.on("lost", Script(submits=[Take("cut")], seconds=None))
    applied, attempt, ticket = await ordered(provider)
    lost = replace(applied, prompt="lost")
    doubtful = attempt_for(lost)
    with pytest.raises(Unclear):
        await provider.submit(lost, doubtful)
    assert await provider.heard(doubtful.id, {}, fal.webhook(list(fal.jobs.values())[-1]))
    for number in range(5000):
        await provider.heard(f"{number:032x}", {}, f'{{"request_id": "request-{number:08}", "status": "OK"}}'.encode())
    assert await provider.find(applied, attempt) == Found(ticket)
    assert isinstance(await provider.find(lost, doubtful), Found)
    await provider.close()


async def test_a_webhook_of_before_the_start_is_remembered_but_not_for_somebody_elses_request(
    fal: Fal, tmp_path: Path
) -> None:
    fal.on("lighthouse", Script(seconds=None))
    first = ovi(fal.environment(), world(tmp_path, hook=PUBLIC))
    applied, attempt, ticket = await ordered(first)
    await first.close()
    second = ovi(fal.environment(), world(tmp_path, hook=PUBLIC))
    said = f'{{"request_id": "{ticket["id"]}", "status": "OK"}}'.encode()
    assert await second.heard(attempt.id, {}, said)
    assert await second.find(applied, attempt) == Found(ticket)
    later, another, other_ticket = await ordered(second)
    assert not await second.heard(attempt.id, {}, f'{{"request_id": "{other_ticket["id"]}", "status": "OK"}}'.encode())
    assert await second.find(later, another) == Found(other_ticket)
    await second.close()


# ---- check


async def test_check_says_what_is_wrong_with_the_account(fal: Fal, provider: Ovi) -> None:
    assert await provider.check() == "fal takes the key"
    fal.strange.append((403, "application/json", b'{"detail": "User is locked. Reason: Exhausted balance."}'))
    with pytest.raises(OutOfFunds, match="balance"):
        await provider.check()
    fal.strange.append((401, "application/json", b'{"detail": "no"}'))
    with pytest.raises(CredentialsRejected, match="FAL_KEY"):
        await provider.check()


# ---- Hugging Face's router


async def test_a_picture_through_the_router(fal: Fal, through_router: Ovi) -> None:
    can = through_router.capabilities
    assert (can.text, can.image, can.company) == (False, True, "Hugging Face and fal")
    applied, attempt, ticket = await ordered(through_router, picture="shore")
    answer = await ended(through_router, ticket)
    assert isinstance(answer, Ready)
    sink = Collector()
    await through_router.fetch(ticket, answer.artifact, sink)
    assert bytes(sink.data) == clip_bytes()
    (job,) = fal.jobs.values()
    assert job.picture == PICTURE + b"shore"
    assert await through_router.find(applied, attempt) == Found(ticket)
    assert await through_router.cancel(ticket) == "still billed"
    assert fal.complaints == []


async def test_the_router_does_text_only_if_its_mapping_says_so(fal: Fal, through_router: Ovi) -> None:
    with pytest.raises(Unsupported):
        fit(Wanted(prompt="a lighthouse"), through_router.capabilities, seed=1)
    with pytest.raises(InvalidRequest):
        await ordered(through_router)
    assert fal.journal == []


async def test_through_the_router_nobody_is_called_back(fal: Fal, tmp_path: Path) -> None:
    provider = ovi(fal.router_environment(), world(tmp_path, hook=PUBLIC))
    applied, attempt, _ = await ordered(provider, picture="shore")
    assert dict(fal.paid) == {applied.prompt: 1}, "no address was given"
    body = next(iter(fal.jobs.values()))
    assert not await provider.heard(attempt.id, {}, fal.webhook(body))
    await provider.close()


async def test_check_holds_the_mapping_against_hugging_faces(fal: Fal, through_router: Ovi) -> None:
    assert await through_router.check() == "Hugging Face's router takes the token"
    fal.route["task"] = "text-to-video"
    with pytest.raises(InvalidRequest, match=r"models/ovi\.toml") as found:
        await through_router.check()
    assert found.value.facts == {"id": "fal-ai/ovi/image-to-video", "task": "text-to-video"}
    fal.route.clear()
    with pytest.raises(ModelRetired, match="OVI_MODEL"):
        await through_router.check()
    fal.strange.append((404, "application/json", b'{"error": "Repository not found"}'))
    with pytest.raises(ModelRetired):
        await through_router.check()
    assert not fal.paid


async def test_a_token_that_may_not_call_providers_is_told_from_one_that_is_wrong(fal: Fal, tmp_path: Path) -> None:
    wrong = ovi({**fal.router_environment(), "HF_TOKEN": "hf_wrong000000000000000000000"}, world(tmp_path))
    with pytest.raises(CredentialsRejected, match=r"check HF_TOKEN$"):
        await wrong.check()
    await wrong.close()
    provider = ovi(fal.router_environment(), world(tmp_path))
    mapping = b'{"inferenceProviderMapping": {"fal-ai": {"providerId": "fal-ai/ovi/image-to-video", "task": "image-to-video"}}}'
    fal.strange += [(200, "application/json", mapping), (403, "application/json", b'{"error": "no permission"}')]
    with pytest.raises(CredentialsRejected, match="inference providers"):
        await provider.check()
    await provider.close()


async def test_a_refusal_of_the_router_is_read_like_fals(fal: Fal, through_router: Ovi) -> None:
    fal.on("lighthouse", Script(submits=[Refuse(402)]))
    with pytest.raises(OutOfFunds):
        await ordered(through_router, picture="shore")


def test_which_of_two_keys_is_used_and_where_the_mapping_is_asked_for(tmp_path: Path) -> None:
    both = ovi({"FAL_KEY": KEY, "HF_TOKEN": TOKEN}, world(tmp_path))
    assert both.capabilities.company == "fal"
    assert both._line.root == "https://queue.fal.run"
    assert both._line.headers == {"Authorization": f"Key {KEY}"}
    routed = ovi({"HF_TOKEN": TOKEN}, world(tmp_path))
    assert routed._line.root == "https://router.huggingface.co/fal-ai"
    assert routed._line.headers == {"Authorization": f"Bearer {TOKEN}"}
    assert routed._hub is not None
    assert routed._hub.root == HUB
    elsewhere = ovi({"HF_TOKEN": TOKEN, "HF_ROUTER_URL": "http://127.0.0.1:1"}, world(tmp_path))
    assert elsewhere._hub is not None
    assert elsewhere._hub.root == "http://127.0.0.1:1"
    assert KEY not in repr(both._line)


@pytest.mark.parametrize("model", ["fal-ai/ovi", "chetwinlow1/Ovi"])
def test_a_model_may_be_named_as_hugging_face_names_it(tmp_path: Path, model: str) -> None:
    for keys in ({"FAL_KEY": KEY}, {"HF_TOKEN": TOKEN}):
        found = ovi({**keys, "OVI_MODEL": model}, world(tmp_path))
        assert found.capabilities.models == ("fal-ai/ovi",)


def test_the_router_leads_only_to_models_that_are_described(tmp_path: Path) -> None:
    with pytest.raises(BadSheet, match="nothing is known of the model"):
        ovi({"HF_TOKEN": TOKEN, "OVI_MODEL": "somebody/Ovi-2"}, world(tmp_path))
    nowhere = '[[models]]\nid = "fal-ai/ovi"\noptions = { sounds = "tags" }\n'
    with pytest.raises(BadSheet, match="no model has a router"):
        ovi({"HF_TOKEN": TOKEN}, world(tmp_path), nowhere)
