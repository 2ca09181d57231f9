"""The simulator of Replicate, judged by Replicate's own library, unmodified; and that library's faults, which our line avoids."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from pydantic.v1 import ValidationError
from replicate.client import Client
from replicate.exceptions import ReplicateError
from replicate.webhook import InvalidSignatureError, InvalidTimestampError, Webhooks, WebhookSigningSecret

from tests.lab.billing import Refuse, Script, Take
from tests.lab.clips import clip_bytes
from tests.lab.replicate import KEY, PNG, SECRET, ReplicateVendor
from tests.lab.replicate_spec import PINNED

MODEL = "google/veo-3.1"
INPUT: dict[str, Any] = {"prompt": "a lighthouse at dusk", "duration": 8, "seed": 7}


@pytest.fixture
def vendor() -> Iterator[ReplicateVendor]:
    with ReplicateVendor() as server:
        yield server
        assert not vendor_faults(server)


def vendor_faults(server: ReplicateVendor) -> list[str]:
    return [str(line.job) for line in server.calls("strange")]


@pytest.fixture
async def client(vendor: ReplicateVendor) -> AsyncIterator[Client]:
    found = await asyncio.to_thread(lambda: Client(KEY, base_url=vendor.url))
    await asyncio.to_thread(lambda: found._async_client)  # it reads certificates
    yield found
    await found._async_client.aclose()


async def test_from_order_to_clip(vendor: ReplicateVendor, client: Client) -> None:
    vendor.on("lighthouse", Script(seconds=None))
    taken = await client.models.predictions.async_create(
        model=MODEL,
        input=INPUT,
        webhook="https://clips.example/hooks/replicate/0af3",
        webhook_events_filter=["completed"],
    )
    assert (taken.status, taken.model, taken.version) == ("processing", MODEL, "hidden")
    seen = await client.predictions.async_get(taken.id)
    assert seen.progress is None or 0 <= seen.progress.percentage <= 1
    vendor.finish("lighthouse")
    await seen.async_reload()
    assert seen.status == "succeeded"
    assert isinstance(seen.output, str)
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(verify=False)) as plain:
        assert (await plain.get(seen.output)).content == clip_bytes()
    assert dict(vendor.paid) == {"0af3": 1}


async def test_a_pinned_version_and_a_picture(vendor: ReplicateVendor, client: Client) -> None:
    wish = {"prompt": "she waves", "image": io.BytesIO(PNG)}
    taken = await client.predictions.async_create(version=PINNED, input=wish)
    assert taken.version == PINNED
    (job,) = vendor.jobs.values()
    assert job.picture == PNG
    assert len(vendor.files) == 1, "the library uploads what it is given as a file"
    with pytest.raises(ReplicateError) as found:
        await client.predictions.async_create(version="0" * 64, input=wish)
    assert (found.value.status, found.value.title) == (422, "Invalid version or not permitted")


async def test_cancel(vendor: ReplicateVendor, client: Client) -> None:
    vendor.on("lighthouse", Script(seconds=None))
    taken = await client.models.predictions.async_create(model=MODEL, input=INPUT)
    for _ in range(2):
        assert (await client.predictions.async_cancel(taken.id)).status == "canceled"


@pytest.mark.parametrize("code", ["content", "internal", "memory"])
async def test_a_failure_has_its_words(vendor: ReplicateVendor, client: Client, code: str) -> None:
    vendor.on("lighthouse", Script(seconds=0.0, fails=code))
    taken = await client.models.predictions.async_create(model=MODEL, input=INPUT)
    await taken.async_wait()
    assert taken.status == "failed"
    assert taken.error


async def test_the_list_is_paged_newest_first(vendor: ReplicateVendor, client: Client) -> None:
    vendor.page = 2
    taken = [await client.models.predictions.async_create(model=MODEL, input=INPUT) for _ in range(3)]
    first = await client.predictions.async_list()
    assert [each.id for each in first.results] == [taken[2].id, taken[1].id]
    assert first.next is not None
    second = await client.predictions.async_list(first.next)
    assert [each.id for each in second.results] == [taken[0].id]
    assert second.next is None


async def test_account_model_and_secret(vendor: ReplicateVendor, client: Client) -> None:
    assert (await client.accounts.async_current()).username == "lab"
    assert (await client.models.async_get(MODEL)).owner == "google"
    assert (await client.webhooks.default.async_secret()).key == SECRET


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422, 429, 500, 503, 504])
async def test_every_refusal_is_an_error_with_its_status_after_one_post(
    vendor: ReplicateVendor, client: Client, status: int
) -> None:
    vendor.on("lighthouse", Script(submits=[Refuse(status, retry_after=3600)]))
    with pytest.raises(ReplicateError) as found:
        await client.models.predictions.async_create(model=MODEL, input=INPUT)
    assert found.value.status == status
    assert found.value.detail
    assert len(vendor.orders) == 1
    assert not vendor.paid


@pytest.mark.parametrize(
    "wish",
    [
        {"duration": 8},
        {**INPUT, "duration": 7},
        {**INPUT, "duration": "8"},
        {**INPUT, "resolution": "4k"},
        {**INPUT, "image": "shore.png"},
        {**INPUT, "reference_images": ["https://a.example/1"] * 4},
        {**INPUT, "sound": True},
    ],
)
async def test_an_input_that_the_model_does_not_know_is_refused(
    vendor: ReplicateVendor, client: Client, wish: dict[str, Any]
) -> None:
    with pytest.raises(ReplicateError) as found:
        await client.models.predictions.async_create(model=MODEL, input=wish)
    assert (found.value.status, found.value.title) == (422, "Input validation failed")
    assert not vendor.paid


@pytest.mark.parametrize(
    "body, headers",
    [
        ({"prompt": "x"}, {}),
        ({"input": INPUT, "hook": "x"}, {}),
        ({"input": INPUT, "webhook_events_filter": ["done"]}, {}),
        ({"input": INPUT}, {"Cancel-After": "4s"}),
        ({"input": INPUT}, {"Cancel-After": "soon"}),
    ],
)
async def test_an_order_that_the_document_does_not_know_is_refused(
    vendor: ReplicateVendor, client: Client, body: dict[str, Any], headers: dict[str, str]
) -> None:
    answer = await client._async_client.post(f"/v1/models/{MODEL}/predictions", json=body, headers=headers)
    assert answer.status_code == 422
    assert not vendor.paid


async def test_another_key_is_refused(vendor: ReplicateVendor) -> None:
    other = await asyncio.to_thread(lambda: Client("r8_another", base_url=vendor.url))
    await asyncio.to_thread(lambda: other._async_client)
    with pytest.raises(ReplicateError) as found:
        await other.accounts.async_current()
    assert (found.value.status, found.value.title) == (401, "Unauthenticated")
    await other._async_client.aclose()


def test_a_webhook_is_genuine_by_the_librarys_own_check(vendor: ReplicateVendor) -> None:
    job = vendor._take(MODEL, "a lighthouse", {"input": INPUT})
    headers, body = vendor.delivery(job)
    secret = WebhookSigningSecret(key=SECRET)
    Webhooks.validate(headers=headers, body=body.decode(), secret=secret, tolerance=300)
    with pytest.raises(InvalidSignatureError):
        Webhooks.validate(headers=headers, body=body.decode() + " ", secret=secret)
    old, body = vendor.delivery(job, age=400)
    with pytest.raises(InvalidTimestampError):
        Webhooks.validate(headers=old, body=body.decode(), secret=secret, tolerance=300)


# ------------------------------------------------------------------------------------------------- why our line does without its objects


async def test_its_prediction_breaks_at_the_status_aborted(vendor: ReplicateVendor, client: Client) -> None:
    vendor.on("lighthouse", Script(seconds=0.0, fails="aborted"))
    with pytest.raises(ValidationError):
        taken = await client.models.predictions.async_create(model=MODEL, input=INPUT)
        await taken.async_reload()


async def test_it_repeats_a_look_as_long_as_it_is_told_to_wait(vendor: ReplicateVendor, client: Client) -> None:
    taken = await client.models.predictions.async_create(model=MODEL, input=INPUT)
    vendor.jobs[taken.id].script = Script(polls=[Refuse(503, retry_after=0)] * 3)
    await client.predictions.async_get(taken.id)
    assert [line.status for line in vendor.calls("poll")][:3] == [503] * 3


async def test_a_cut_answer_is_asked_for_once(vendor: ReplicateVendor, client: Client) -> None:
    vendor.on("lighthouse", Script(submits=[Take("cut")]))
    with pytest.raises(httpx.HTTPError):
        await client.models.predictions.async_create(model=MODEL, input=INPUT)
    assert len(vendor.orders) == 1
