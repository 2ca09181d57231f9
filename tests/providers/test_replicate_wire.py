"""The generator against the simulator of Replicate: orders, pictures, webhooks, lost answers, cancel, results."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.settings import read_settings
from core.capabilities import Applied, PictureLimits
from core.errors import (
    CredentialsRejected,
    Garbled,
    InvalidRequest,
    ModelRetired,
    NothingSent,
    RateLimited,
    TimedOut,
    Unavailable,
    Unclear,
)
from core.jobs import Attempt
from core.ports import Connect, EncodedPicture, Failed, Found, Ready, Waiting
from providers import downloads
from providers.replicate import Replicate, connect
from providers.sheets import BadSheet, read_sheet
from tests.contracts.provider import Collector, applied_for, attempt_for
from tests.contracts.vendor_faults import PICTURE, Pictures, world
from tests.lab.billing import Refuse, Script, Take
from tests.lab.clips import clip_bytes
from tests.lab.replicate import KEY, SECRET, ReplicateVendor, signed
from tests.lab.replicate_spec import PINNED
from tests.lab.server import Simulator

HOOK = "https://clips.example"
OVI = "character-ai/ovi-i2v"


@pytest.fixture
def vendor() -> Iterator[ReplicateVendor]:
    with ReplicateVendor() as server:
        yield server
        assert not server.calls("strange")


@pytest.fixture
def hints() -> list[str]:
    return []


async def made(vendor: ReplicateVendor, place: Connect, **environment: str) -> Replicate:
    settings = read_settings({**vendor.environment(), **environment}, None)
    return await asyncio.to_thread(connect, settings, place)


@pytest.fixture
async def provider(vendor: ReplicateVendor, tmp_path: Path, hints: list[str]) -> AsyncIterator[Replicate]:
    found = await made(vendor, world(tmp_path, hints=hints, hook=HOOK))
    yield found
    await found.close()


def order(provider: Replicate, prompt: str = "a lighthouse at dusk", **changes: Any) -> tuple[Applied, Attempt]:
    """A wish and an attempt of it that is meant now."""
    applied = applied_for(provider, prompt=prompt, **changes)
    return applied, replace(attempt_for(applied), intent_at=time.time_ns() // 1_000_000)


async def described(folder: Path, text: str) -> None:
    """The operator's own sheet."""
    (folder / "models").mkdir()
    await asyncio.to_thread((folder / "models/replicate.toml").write_text, text)


async def lost(vendor: ReplicateVendor, provider: Replicate, prompt: str = "a lighthouse", **changes: Any) -> Any:
    """An order that was taken and whose answer was cut."""
    vendor.on(prompt, Script(submits=[Take("cut")]))
    applied, attempt = order(provider, prompt, **changes)
    with pytest.raises(Unclear):
        await provider.submit(applied, attempt)
    return applied, attempt


# -------------------------------------------------------------------------------------------------------------------------- orders


class Slow(Pictures):
    async def encoded(self, key: str, limits: PictureLimits) -> EncodedPicture:
        await asyncio.sleep(60)
        raise AssertionError


async def test_pictures_that_are_not_ready_in_time_leave_no_doubt(
    vendor: ReplicateVendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.line.PREPARE_SECONDS", 0.05)
    provider = await made(vendor, replace(world(tmp_path), pictures=Slow()))
    with pytest.raises(NothingSent):
        await provider.submit(*order(provider, picture="shore"))
    assert not vendor.journal
    await provider.close()


@pytest.mark.parametrize("changes", [{}, {"references": ("a", "b"), "seconds": 8}])
async def test_a_last_picture_wants_a_first_one(
    vendor: ReplicateVendor, provider: Replicate, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest) as found:
        await provider.submit(*order(provider, last_picture="z", **changes))
    assert found.value.message_id == "error.last_picture_alone"
    assert not vendor.journal


async def test_an_order_from_before_another_sheet_is_no_doubt(vendor: ReplicateVendor, tmp_path: Path) -> None:
    await described(
        tmp_path,
        '[[models]]\nid = "google/veo-3.1"\nseconds = [8]\n[models.options]\nline = "{prompt} {line}"\n[models.options.input]\n'
        'prompt = "prompt"\nnegative_prompt = "negative_prompt"\nseed = "seed"\naudio = "generate_audio"\n'
        'resolution = "resolution"\naspect_ratio = "aspect_ratio"\npicture = "image"\nlast_picture = "last_frame"\n'
        'references = "reference_images"\nseconds = { name = "duration", values = { 8 = 8 } }\n',
    )
    provider = await made(vendor, world(tmp_path))
    with pytest.raises(InvalidRequest):
        await provider.submit(*order(provider, seconds=4))
    assert not vendor.journal
    await provider.close()


async def test_an_order_names_its_webhook_and_its_deadline(vendor: ReplicateVendor, provider: Replicate) -> None:
    applied, attempt = order(provider)
    ticket = await provider.submit(applied, attempt)
    ((path, body, headers),) = vendor.orders
    assert path == "/v1/models/google/veo-3.1/predictions"
    assert body["webhook"] == f"{HOOK}/hooks/replicate/{attempt.id}"
    assert body["webhook_events_filter"] == ["start", "completed"]
    assert body["input"]["seed"] == applied.seed
    assert headers["Cancel-After"] == "1500s"
    assert "Prefer" not in headers, "nobody waits on an open connection for what is paid"
    assert ticket == {"id": next(iter(vendor.jobs)), "model": "google/veo-3.1"}
    assert dict(vendor.paid) == {attempt.id: 1}


@pytest.mark.parametrize("hook", [None, "http://clips.example"])
async def test_without_https_there_is_no_webhook(vendor: ReplicateVendor, tmp_path: Path, hook: str | None) -> None:
    provider = await made(vendor, world(tmp_path, hook=hook))
    await provider.submit(*order(provider))
    assert set(vendor.orders[0][1]) == {"input"}
    await provider.close()


async def test_a_pinned_version_is_ordered_by_its_id(vendor: ReplicateVendor, tmp_path: Path) -> None:
    await described(
        tmp_path,
        f"""
        [[models]]
        id = "{OVI}"
        [models.options]
        version = "{PINNED}"
        line = "{{prompt}} {{line}}"
        [models.options.input]
        prompt = "prompt"
        negative_prompt = "video_negative_prompt"
        seed = "seed"
        picture = "image"
        """,
    )
    provider = await made(vendor, world(tmp_path), REPLICATE_MODEL=OVI)
    assert provider.capabilities.default_model == OVI
    assert not provider.capabilities.text
    assert await provider.check()
    ticket = await provider.submit(*order(provider, picture="shore"))
    ((path, body, _),) = vendor.orders
    assert (path, body["version"]) == ("/v1/predictions", PINNED)
    assert next(iter(vendor.jobs.values())).picture == PICTURE + b"shore"
    assert ticket["model"] == OVI
    await provider.close()


async def test_a_model_that_nothing_describes_is_a_mistake_at_start(vendor: ReplicateVendor, tmp_path: Path) -> None:
    with pytest.raises(BadSheet, match=r"somebody/new.*models/replicate\.toml of the data folder"):
        await made(vendor, world(tmp_path), REPLICATE_MODEL="somebody/new")


async def test_each_model_is_asked_in_its_own_way(vendor: ReplicateVendor, provider: Replicate) -> None:
    applied, attempt = order(provider, model=OVI, picture="shore", seconds=5, negative_prompt="blur")
    await provider.submit(applied, attempt)
    (path, body, _) = vendor.orders[0]
    assert path == f"/v1/models/{OVI}/predictions"
    assert body["input"]["video_negative_prompt"] == "blur"
    assert provider.estimate(applied).credits == 30
    assert provider.estimate(applied_for(provider, seconds=8)).credits == 320
    assert provider.estimate(applied_for(provider, seconds=8, audio=False)).credits == 160


async def test_pictures_go_where_they_belong(vendor: ReplicateVendor, provider: Replicate) -> None:
    await provider.submit(*order(provider, references=("a", "b")))
    await provider.submit(*order(provider, picture="f", last_picture="z"))
    drawn, led = vendor.jobs.values()
    assert drawn.references == (PICTURE + b"a", PICTURE + b"b")
    assert "image" not in drawn.wish["input"]
    assert "last_frame" not in drawn.wish["input"]
    assert (led.picture, led.references) == (PICTURE + b"f", ())
    assert vendor._bytes(led.wish["input"]["last_frame"]) == PICTURE + b"z"
    assert not vendor.files, "small ones go along"


class LargePictures(Pictures):
    """One byte more than goes along inside an order."""

    async def encoded(self, key: str, limits: PictureLimits) -> EncodedPicture:
        small = await super().encoded(key, limits)
        return replace(small, data=small.data.ljust(192_001, b"\0"))


async def test_a_large_picture_is_uploaded_first(vendor: ReplicateVendor, tmp_path: Path) -> None:
    provider = await made(vendor, replace(world(tmp_path), pictures=LargePictures()))
    await provider.submit(*order(provider, picture="shore"))
    (job,) = vendor.jobs.values()
    assert job.picture == (PICTURE + b"shore").ljust(192_001, b"\0")
    assert job.wish["input"]["image"].startswith(f"{vendor.url}/v1/files/")
    await provider.close()


@pytest.mark.parametrize(
    "status, kind",
    [(500, NothingSent), (400, NothingSent), (413, NothingSent), (401, CredentialsRejected), (429, RateLimited)],
)
async def test_an_upload_that_fails_is_no_submit(
    vendor: ReplicateVendor, tmp_path: Path, status: int, kind: type[Exception]
) -> None:
    provider = await made(vendor, replace(world(tmp_path), pictures=LargePictures()))
    vendor.on("upload", Script(submits=[Refuse(status)]))
    with pytest.raises(kind):
        await provider.submit(*order(provider, picture="shore"))
    assert not vendor.orders
    await provider.submit(*order(provider, picture="shore"))
    await provider.close()


# ------------------------------------------------------------------------------------------------------- what the library does not do


@pytest.mark.parametrize("status", [429, 503, 504])
async def test_one_look_is_one_call_however_long_it_is_told_to_wait(
    vendor: ReplicateVendor, provider: Replicate, status: int
) -> None:
    vendor.on("lighthouse", Script(polls=[Refuse(status, retry_after=3600)]))
    ticket = await provider.submit(*order(provider))
    before = time.monotonic()
    with pytest.raises((RateLimited, Unavailable)) as found:
        await provider.poll(ticket)
    assert time.monotonic() - before < 5
    assert found.value.retry_after == (3600 if status == 429 else None)
    assert len(vendor.calls("poll")) == 1


@pytest.mark.parametrize("status", [429, 503, 504])
async def test_one_submit_is_one_post(vendor: ReplicateVendor, provider: Replicate, status: int) -> None:
    vendor.on("lighthouse", Script(submits=[Refuse(status, retry_after=0)]))
    with pytest.raises((RateLimited, Unclear)):
        await provider.submit(*order(provider))
    assert len(vendor.orders) == 1


async def test_a_submit_has_a_connection_of_its_own(
    vendor: ReplicateVendor, provider: Replicate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that lay idle may be closed at the very moment, and then nobody would know whether the order was read."""
    ports: dict[str, list[int]] = {"POST": [], "GET": []}

    async def interfere(request: web.Request) -> web.StreamResponse | None:
        assert request.transport is not None
        ports[request.method].append(request.transport.get_extra_info("peername")[1])
        return None

    monkeypatch.setattr(vendor, "interfere", interfere)
    for _ in range(2):
        await provider.poll(await provider.submit(*order(provider)))
    assert len(set(ports["POST"])) == 2
    assert len(set(ports["GET"])) == 1


async def test_a_submit_whose_answer_takes_too_long_is_one_post(
    vendor: ReplicateVendor, provider: Replicate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.replicate_line.SUBMIT_SECONDS", 0.3)
    vendor.on("lighthouse", Script(submits=[Take("hang", 20)]))
    with pytest.raises(Unclear):
        await provider.submit(*order(provider))
    assert len(vendor.orders) == len(vendor.paid) == 1


async def test_a_look_ends_at_its_deadline(
    vendor: ReplicateVendor, provider: Replicate, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = await provider.submit(*order(provider))
    monkeypatch.setattr("providers.replicate_line.ASK_SECONDS", 0.2)

    async def hangs(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(20)
        raise web.HTTPNotFound

    monkeypatch.setattr(vendor, "interfere", hangs)
    with pytest.raises(Unavailable):
        await provider.poll(ticket)


# ------------------------------------------------------------------------------------------------------------------------ webhooks


async def heard_about(vendor: ReplicateVendor, provider: Replicate, **changes: Any) -> tuple[bool, Attempt]:
    """A webhook about an order whose answer was lost."""
    _, attempt = await lost(vendor, provider)
    headers, body = vendor.delivery(vendor.of("lighthouse")[0], **changes)
    return await provider.heard(attempt.id, headers, body), attempt


async def test_a_webhook_heals_a_lost_answer(vendor: ReplicateVendor, provider: Replicate, hints: list[str]) -> None:
    genuine, attempt = await heard_about(vendor, provider)
    assert genuine
    assert hints == [attempt.id]
    (job,) = vendor.jobs.values()
    assert await provider.find(attempt.applied, attempt) == Found({"id": job.id, "model": "google/veo-3.1"})
    assert not vendor.calls("find"), "nobody is asked for what was told"
    assert list(vendor.paid.values()) == [1]


@pytest.mark.parametrize(
    "changes", [{"age": 400.0}, {"age": -400.0}, {"secret": "whsec_AAAA"}], ids=["old", "of tomorrow", "forged"]
)
async def test_a_webhook_that_is_not_genuine_changes_nothing(
    vendor: ReplicateVendor, provider: Replicate, hints: list[str], changes: dict[str, Any]
) -> None:
    genuine, attempt = await heard_about(vendor, provider, **changes)
    assert not genuine
    assert not hints
    await provider.find(attempt.applied, attempt)
    assert vendor.calls("find"), "nothing of it is remembered"


async def test_an_unsigned_webhook_is_not_heard(vendor: ReplicateVendor, provider: Replicate, hints: list[str]) -> None:
    ticket = await provider.submit(*order(provider))
    _, body = vendor.delivery(vendor.jobs[ticket["id"]])
    assert not await provider.heard("a" * 32, {}, body)
    assert not vendor.calls("secret")
    assert not hints


async def test_a_webhook_of_another_attempt_is_not_heard(
    vendor: ReplicateVendor, provider: Replicate, hints: list[str]
) -> None:
    body = f'{{"id": "gm3qorzdhgbfurvjtvhg6dckhu", "webhook": "{HOOK}/hooks/replicate/{"b" * 32}"}}'.encode()
    assert not await provider.heard("a" * 32, signed(body), body)
    assert not hints
    assert await provider.heard("b" * 32, signed(body), body)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"id": 7}', b'{"id": "../account"}', b"[" * 5000])
async def test_a_genuine_webhook_that_says_nothing_is_a_hint_all_the_same(
    vendor: ReplicateVendor, provider: Replicate, hints: list[str], body: bytes
) -> None:
    attempt = order(provider)[1]
    assert await provider.heard(attempt.id, signed(body), body)
    assert hints == [attempt.id]
    assert not isinstance(await provider.find(attempt.applied, attempt), Found)


async def test_letters_of_no_alphabet_are_not_genuine(vendor: ReplicateVendor, provider: Replicate) -> None:
    """As the web server hands on a header whose bytes are no text."""
    assert await provider.heard("a" * 32, signed(b"{}"), b"{}")
    for name in ("webhook-id", "webhook-signature", "webhook-timestamp"):
        assert not await provider.heard("a" * 32, {**signed(b"{}"), name: "\udcff"}, b"{}")


async def test_the_secret_is_asked_for_once(vendor: ReplicateVendor, provider: Replicate) -> None:
    body = b'{"id": "gm3qorzdhgbfurvjtvhg6dckhu"}'
    assert all(await asyncio.gather(*(provider.heard("a" * 32, signed(body), body) for _ in range(20))))
    forged = signed(body, "whsec_AAAA")
    assert not any(await asyncio.gather(*(provider.heard("a" * 32, forged, body) for _ in range(20))))
    assert len(vendor.calls("secret")) == 1


async def test_a_new_secret_is_learnt_after_a_while(
    vendor: ReplicateVendor, provider: Replicate, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b'{"id": "gm3qorzdhgbfurvjtvhg6dckhu"}'
    assert await provider.heard("a" * 32, signed(body), body)
    vendor.secret = "whsec_c2Vjb25kIHNlY3JldA=="
    assert not await provider.heard("a" * 32, signed(body, vendor.secret), body), "it was asked for a moment ago"
    monkeypatch.setattr("providers.replicate_hooks.ASK_AGAIN_SECONDS", 0.0)
    assert await provider.heard("a" * 32, signed(body, vendor.secret), body)
    assert not await provider.heard("a" * 32, signed(body, SECRET), body)


async def test_a_secret_that_cannot_be_had_makes_nothing_genuine(vendor: ReplicateVendor, provider: Replicate) -> None:
    vendor.down = True
    assert not await provider.heard("a" * 32, signed(b"{}"), b"{}")


# -------------------------------------------------------------------------------------------------------------------- lost answers


async def test_the_list_shows_a_lost_answer_by_its_seed(vendor: ReplicateVendor, provider: Replicate) -> None:
    applied, attempt = await lost(vendor, provider, picture="shore", seed=77)
    await provider.submit(*order(provider, "a lighthouse", seed=78, picture="shore"))
    answer = await provider.find(applied, attempt)
    assert isinstance(answer, Found)
    assert vendor.jobs[answer.ticket["id"]].wish["input"]["seed"] == 77
    assert isinstance(await provider.poll(answer.ticket), Waiting | Ready)
    assert dict(vendor.paid)[attempt.id] == 1


async def test_an_order_that_never_came_is_certainly_not_there(vendor: ReplicateVendor, provider: Replicate) -> None:
    await provider.submit(*order(provider, "a lighthouse", seed=78))
    assert await provider.find(*order(provider, "a lighthouse", seed=77)) == "certainly not"


async def test_two_that_look_the_same_cannot_be_told_apart(vendor: ReplicateVendor, provider: Replicate) -> None:
    applied, attempt = await lost(vendor, provider)
    await lost(vendor, provider)
    assert await provider.find(applied, attempt) == "cannot tell"
    vendor.lists_webhooks = True
    answer = await provider.find(applied, attempt)
    assert isinstance(answer, Found)
    assert vendor.jobs[answer.ticket["id"]].attempt == attempt.id


async def test_what_belongs_to_another_attempt_is_not_taken(vendor: ReplicateVendor, provider: Replicate) -> None:
    await provider.submit(*order(provider, "a lighthouse"))
    assert await provider.find(*order(provider, "a lighthouse")) == "certainly not"


async def test_after_a_restart_the_prediction_of_another_attempt_is_not_taken(
    vendor: ReplicateVendor, provider: Replicate, tmp_path: Path
) -> None:
    """Somebody orders the same twice, with a seed of their own; the process dies before the second order leaves."""
    taken = order(provider, "a lighthouse")[1]
    await provider.submit(taken.applied, taken)
    vendor.lists_webhooks = True
    again = await made(vendor, world(tmp_path, hook=HOOK))
    assert await again.find(*order(again, "a lighthouse")) == "certainly not"
    assert isinstance(await again.find(taken.applied, taken), Found)
    vendor.lists_webhooks = False
    other = await made(vendor, world(tmp_path, hook=HOOK))
    applied, attempt = order(other, "a lighthouse")
    assert await other.find(applied, replace(attempt, intent_at=attempt.intent_at + 30_000)) == "cannot tell"
    for each in (again, other):
        await each.close()


async def test_a_list_with_pictures_in_it_is_read(vendor: ReplicateVendor, tmp_path: Path) -> None:
    class Photographs(Pictures):
        async def encoded(self, key: str, limits: PictureLimits) -> EncodedPicture:
            return EncodedPicture(bytes(190_000), "image/png", 640, 360)

    provider = await made(vendor, replace(world(tmp_path), pictures=Photographs()))
    wish: dict[str, Any] = {"references": ("a", "b", "c"), "seconds": 8}
    applied, attempt = await lost(vendor, provider, seed=77, **wish)
    for seed in range(6):  # five megabytes in all
        await provider.submit(*order(provider, "a lighthouse", seed=seed, **wish))
    assert isinstance(await provider.find(applied, attempt), Found)
    await provider.close()


async def test_what_is_older_than_the_intent_is_not_it(vendor: ReplicateVendor, provider: Replicate) -> None:
    applied, attempt = await lost(vendor, provider)
    later = replace(attempt, intent_at=attempt.intent_at + 3_600_000)
    assert await provider.find(applied, later) == "certainly not"


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_wrong_clock_of_theirs_hides_nothing(vendor: ReplicateVendor, provider: Replicate, hours: int) -> None:
    vendor.clock_ahead = timedelta(hours=hours)
    applied, attempt = await lost(vendor, provider)
    assert isinstance(await provider.find(applied, attempt), Found)


async def test_the_list_is_read_back_to_the_intent_and_no_further(vendor: ReplicateVendor, provider: Replicate) -> None:
    vendor.page = 2
    vendor.clock_ahead = timedelta(hours=-2)
    for seed in range(6):
        await provider.submit(*order(provider, "long ago", seed=seed))
    vendor.clock_ahead = timedelta()
    applied, attempt = await lost(vendor, provider)
    for seed in range(2):
        await provider.submit(*order(provider, "just now", seed=seed))
    assert isinstance(await provider.find(applied, attempt), Found)
    assert len(vendor.calls("find")) == 2


async def test_a_list_without_end_is_not_read_to_it(vendor: ReplicateVendor, provider: Replicate) -> None:
    vendor.page = 1
    for seed in range(12):
        await provider.submit(*order(provider, seed=seed))
    assert await provider.find(*order(provider, seed=99)) == "cannot tell"
    assert len(vendor.calls("find")) == 10


async def test_what_was_removed_may_have_been_it(vendor: ReplicateVendor, provider: Replicate) -> None:
    applied, attempt = await lost(vendor, provider)
    vendor.removed |= set(vendor.jobs)
    assert await provider.find(applied, attempt) == "cannot tell"


async def test_a_list_that_cannot_be_had_tells_nothing(vendor: ReplicateVendor, provider: Replicate) -> None:
    applied, attempt = await lost(vendor, provider)
    vendor.down = True
    assert await provider.find(applied, attempt) == "cannot tell"
    vendor.down = False
    for body in (b"{}", b'{"results": 7}', b'{"results": [7, {"created_at": "x"}]}'):
        vendor.strange.append((200, "application/json", body))
        assert await provider.find(applied, attempt) == "cannot tell"


async def test_a_model_without_seed_is_only_found_by_its_address(vendor: ReplicateVendor, tmp_path: Path) -> None:
    shipped = (await asyncio.to_thread(read_sheet, "replicate")).models[0].options["input"]
    kept = "\n".join(f'{ours} = "{theirs}"' for ours, theirs in shipped.items() if ours != "seed")
    own = '[[models]]\nid = "google/veo-3.1"\nseed = false\n[models.options]\nline = "{prompt} {line}"\n'
    await described(tmp_path, f"{own}[models.options.input]\n{kept}")
    provider = await made(vendor, world(tmp_path, hook=HOOK))
    applied, attempt = await lost(vendor, provider)
    assert "seed" not in vendor.orders[0][1]["input"]
    assert await provider.find(applied, attempt) == "cannot tell"
    vendor.lists_webhooks = True
    assert isinstance(await provider.find(applied, attempt), Found)
    await provider.close()


async def test_the_key_goes_to_no_address_that_an_answer_names(vendor: ReplicateVendor, provider: Replicate) -> None:
    applied, attempt = await lost(vendor, provider)
    elsewhere = b'{"results": [], "next": "http://127.0.0.1:9/v1/predictions?cursor=0"}'
    vendor.strange.append((200, "application/json", elsewhere))
    assert isinstance(await provider.find(applied, attempt), Found), "the next page was asked of the configured root"


# ------------------------------------------------------------------------------------------------------------------ looks and cancel


async def test_progress_comes_from_the_log(vendor: ReplicateVendor, provider: Replicate) -> None:
    vendor.on("lighthouse", Script(seconds=100.0))
    ticket = await provider.submit(*order(provider))
    vendor.ahead = 50.0
    answer = await provider.poll(ticket)
    assert isinstance(answer, Waiting)
    assert answer.progress == pytest.approx(0.5, abs=0.03)


async def test_an_aborted_prediction_is_no_crash(vendor: ReplicateVendor, provider: Replicate) -> None:
    vendor.on("lighthouse", Script(seconds=0.0, fails="aborted"))
    answer = await provider.poll(await provider.submit(*order(provider)))
    assert isinstance(answer, Failed)
    assert isinstance(answer.error, TimedOut)


async def test_what_replicate_removed_will_not_come(vendor: ReplicateVendor, provider: Replicate) -> None:
    vendor.on("lighthouse", Script(seconds=0.0))
    ticket = await provider.submit(*order(provider))
    ready = await provider.poll(ticket)
    assert isinstance(ready, Ready)
    vendor.removed.add(ticket["id"])
    answer = await provider.poll(ticket)
    assert isinstance(answer, Failed)
    assert isinstance(answer.error, Garbled)
    assert answer.error.facts["data_removed"] is True
    with pytest.raises(Garbled):
        await provider.fetch(ticket, ready.artifact, Collector())


@pytest.mark.parametrize("late", [False, True])
async def test_cancel_says_stopped_when_replicate_does(
    vendor: ReplicateVendor, provider: Replicate, late: bool
) -> None:
    vendor.stops_late = late
    vendor.on("lighthouse", Script(seconds=None))
    ticket = await provider.submit(*order(provider))
    assert await provider.cancel(ticket) == "stopped"
    assert await provider.cancel(ticket) == "stopped"


async def test_cancel_of_what_goes_on_or_is_over_is_still_billed(vendor: ReplicateVendor, provider: Replicate) -> None:
    vendor.on("stubborn", Script(seconds=None, stops=False))
    vendor.on("quick", Script(seconds=0.0))
    vendor.on("forgotten", Script(seconds=None, forgets=True))
    for prompt in ("stubborn", "quick", "forgotten"):
        assert await provider.cancel(await provider.submit(*order(provider, prompt))) == "still billed"


# ------------------------------------------------------------------------------------------------------------------------- results


class Elsewhere(Simulator):
    """A host that delivers clips, and notes the keys that it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str | None] = []

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/results/{id}", self._result)

    async def _result(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("Authorization"))
        return web.Response(body=clip_bytes(), content_type="video/mp4")


@pytest.mark.parametrize("way", ["named", "redirected"])
async def test_a_foreign_host_is_shown_no_key(
    vendor: ReplicateVendor, provider: Replicate, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    vendor.on("lighthouse", Script(seconds=0.0))
    with Elsewhere() as elsewhere:
        if way == "named":
            vendor.outputs = elsewhere.url
        ready = await provider.poll(ticket := await provider.submit(*order(provider)))
        assert isinstance(ready, Ready)
        if way == "redirected":
            await _moved(vendor, f"{elsewhere.url}/results/{ticket['id']}", monkeypatch)
        with pytest.raises(Garbled):
            await provider.fetch(ticket, ready.artifact, Collector())
        assert not elsewhere.keys, "a private address that an answer names is not asked"
        monkeypatch.setattr(downloads, "check_address", lambda _parts: None)
        monkeypatch.setattr(downloads, "is_public", lambda _address: True)
        sink = Collector()
        await provider.fetch(ticket, ready.artifact, sink)
        assert bytes(sink.data) == clip_bytes()
        assert elsewhere.keys == [None]


async def _moved(vendor: ReplicateVendor, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interfere(request: web.Request) -> web.StreamResponse | None:
        moved = request.path.startswith("/results/")
        return web.Response(status=302, headers={"Location": target}) if moved else None

    monkeypatch.setattr(vendor, "interfere", interfere)


async def test_the_root_itself_is_shown_the_key(vendor: ReplicateVendor, provider: Replicate) -> None:
    """Replicate's document: files of the API "need the Authorization header"."""
    vendor.on("lighthouse", Script(seconds=0.0))
    ready = await provider.poll(ticket := await provider.submit(*order(provider)))
    assert isinstance(ready, Ready)
    await provider.fetch(ticket, ready.artifact, Collector())
    assert vendor.keys_shown == [f"/results/{ticket['id']}"]


# --------------------------------------------------------------------------------------------------------------------------- check


async def test_check_tells_what_to_set(vendor: ReplicateVendor, provider: Replicate) -> None:
    assert await provider.check() == "the key is taken, and google/veo-3.1 is there"
    vendor.retired.add("google/veo-3.1")
    with pytest.raises(ModelRetired, match="set REPLICATE_MODEL") as found:
        await provider.check()
    assert found.value.facts["setting"] == "REPLICATE_MODEL"
    with pytest.raises(ModelRetired):
        await provider.submit(*order(provider))
    assert not vendor.paid


async def test_neither_key_nor_prompt_is_said_in_an_error(
    vendor: ReplicateVendor, provider: Replicate, caplog: pytest.LogCaptureFixture
) -> None:
    vendor.on("lighthouse", Script(submits=[Refuse(422), Refuse(500), Take("cut")]))
    said: list[Callable[[], str]] = []
    for _ in range(3):
        with pytest.raises(Exception) as found:
            await provider.submit(*order(provider))
        said.append(lambda error=found.value: f"{error!r} {error} {vars(error)}")  # type: ignore[misc]
    text = caplog.text + "".join(each() for each in said)
    assert KEY not in text
    assert "lighthouse at dusk" not in text
    assert repr(provider).count(KEY) == 0
