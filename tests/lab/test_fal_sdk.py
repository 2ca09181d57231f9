"""The judges of the simulator: fal-client and huggingface_hub, as they are installed, do all that they can with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import fal_client
import fal_client.client as fal_module
import pytest
from huggingface_hub import AsyncInferenceClient, close_session, constants
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.inference._providers import _common, fal_ai

from tests.lab.billing import Refuse, Script
from tests.lab.clips import clip_bytes
from tests.lab.fal import APP, KEY, TOKEN, Fal

PNG = b"\x89PNG\r\n\x1a\n" + bytes(600)
PROMPT = {"prompt": "a lighthouse at dusk"}


@pytest.fixture
def fal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fal]:
    with Fal(says="") as vendor:
        vendor.bare_router = True
        monkeypatch.setattr(fal_module, "QUEUE_URL_FORMAT", f"{vendor.url}/")
        monkeypatch.setattr(constants, "ENDPOINT", vendor.url)
        monkeypatch.setattr(constants, "INFERENCE_PROXY_TEMPLATE", f"{vendor.url}/{{provider}}")
        monkeypatch.setattr(fal_ai, "_POLLING_INTERVAL", 0.02)
        _common._fetch_inference_provider_mapping.cache_clear()
        yield vendor
        _common._fetch_inference_provider_mapping.cache_clear()


@pytest.fixture
async def client(fal: Fal) -> AsyncIterator[fal_client.AsyncClient]:
    found = await asyncio.to_thread(lambda: fal_client.AsyncClient(key=KEY))
    yield found
    await (await found._client).aclose()


@pytest.fixture
async def hub(fal: Fal) -> AsyncIterator[AsyncInferenceClient]:
    found = AsyncInferenceClient(provider="fal-ai", api_key=TOKEN, timeout=20)
    yield found
    await found.close()  # type: ignore[no-untyped-call]
    await asyncio.to_thread(close_session)  # with which it looks and fetches


# ---- fal-client


async def test_a_clip_from_submit_to_result(fal: Fal, client: fal_client.AsyncClient) -> None:
    fal.positions = [2, 1]
    fal.on("lighthouse", Script(seconds=1.5))  # seen at work also where a look takes long
    handle = await client.submit(APP, PROMPT, webhook_url=f"{fal.url}/hooks/fal/x", start_timeout=600)
    events = [event async for event in handle.iter_events(with_logs=True, interval=0.02)]
    assert [event.position for event in events if isinstance(event, fal_client.Queued)] == [2, 1]
    working = next(event for event in events if isinstance(event, fal_client.InProgress))
    assert working.logs is not None
    assert "%|" in working.logs[0]["message"]
    assert isinstance(events[-1], fal_client.Completed)
    assert events[-1].metrics["inference_time"] > 0
    result = await handle.get()
    assert result["video"]["url"].endswith(f"/files/{handle.request_id}/output.mp4")
    assert dict(fal.paid) == {"x": 1}


async def test_a_clip_is_found_again_by_its_id(fal: Fal, client: fal_client.AsyncClient) -> None:
    submitted = await client.submit(f"{APP}/image-to-video", {**PROMPT, "image_url": "https://example.org/a.png"})
    handle = await client.get_handle(f"{APP}/image-to-video", submitted.request_id)
    assert (await handle.get())["seed"] == 7
    assert handle.status_url == submitted.status_url, "the client makes the same paths as the answer has"


async def test_cancel(fal: Fal, client: fal_client.AsyncClient) -> None:
    fal.on("lighthouse", Script(seconds=None))
    handle = await client.submit(APP, PROMPT)
    await handle.cancel()
    status = await handle.status()
    assert isinstance(status, fal_client.Completed)
    assert status.error_type == "client_cancelled"
    with pytest.raises(fal_module.FalClientHTTPError) as found:
        await handle.cancel()
    assert (found.value.status_code, found.value.response.json()) == (400, {"status": "ALREADY_COMPLETED"})


@pytest.mark.parametrize(
    "body, kind",
    [
        ({}, "missing"),
        ({**PROMPT, "seed": "7"}, "int_type"),
        ({**PROMPT, "duration": 5}, "extra_forbidden"),
        ({**PROMPT, "resolution": "1080p"}, "literal_error"),
        ({**PROMPT, "num_inference_steps": 51}, "less_than_equal"),
        ({"prompt": 7}, "string_type"),
        ({**PROMPT, "image_url": "data:image/png;base64,AA"}, "extra_forbidden"),
    ],
)
async def test_a_wrong_input_is_told_at_the_result(
    fal: Fal, client: fal_client.AsyncClient, body: dict[str, Any], kind: str
) -> None:
    handle = await client.submit(APP, body)
    with pytest.raises(fal_module.FalClientHTTPError) as found:
        await handle.get()
    assert found.value.status_code == 422
    assert [each["type"] for each in found.value.response.json()["detail"]] == [kind]
    assert fal.complaints
    assert not fal.paid


async def test_what_the_client_reads_of_failures(fal: Fal, client: fal_client.AsyncClient) -> None:
    fal.on("refused", Script(fails="content"))
    fal.on("broken", Script(fails="disconnected"))
    for word, status, kind in (("refused", 422, None), ("broken", 503, "runner_disconnected")):
        handle = await client.submit(APP, {"prompt": word})
        with pytest.raises(fal_module.FalClientHTTPError) as found:
            await handle.get()
        assert (found.value.status_code, found.value.error_type) == (status, kind)
    assert "content_policy_violation" in {each["type"] for each in _detail(await _refused(client, fal))}


async def _refused(client: fal_client.AsyncClient, fal: Fal) -> fal_module.FalClientHTTPError:
    fal.on("word", Script(submits=[Refuse(422, "content_policy_violation")]))
    with pytest.raises(fal_module.FalClientHTTPError) as found:
        await client.submit(APP, {"prompt": "word"})
    return found.value


def _detail(error: fal_module.FalClientHTTPError) -> list[dict[str, Any]]:
    detail: list[dict[str, Any]] = error.response.json()["detail"]
    return detail


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 500])
async def test_refusals(fal: Fal, client: fal_client.AsyncClient, status: int) -> None:
    """429 and what looks like a gateway are not here: the client submits ten times then."""
    fal.on("lighthouse", Script(submits=[Refuse(status)]))
    with pytest.raises(fal_module.FalClientHTTPError) as found:
        await client.submit(APP, PROMPT)
    assert found.value.status_code == status
    assert not fal.paid


async def test_a_wrong_key_and_a_wrong_app(fal: Fal, client: fal_client.AsyncClient) -> None:
    with pytest.raises(fal_module.FalClientHTTPError) as found:
        await client.submit("fal-ai/ovi-gone", PROMPT)
    assert found.value.status_code == 404
    stranger = await asyncio.to_thread(lambda: fal_client.AsyncClient(key="wrong"))
    with pytest.raises(fal_module.FalClientHTTPError) as found:
        await stranger.submit(APP, PROMPT)
    assert found.value.status_code == 401
    await (await stranger._client).aclose()


# ---- huggingface_hub


async def test_a_picture_through_the_router(fal: Fal, hub: AsyncInferenceClient) -> None:
    clip = await hub.image_to_video(PNG, prompt="a lighthouse at dusk", model="chetwinlow1/Ovi", seed=7)
    assert clip == await asyncio.to_thread(clip_bytes)
    (job,) = fal.jobs.values()
    assert job.picture == PNG
    assert fal.complaints == []
    assert len(fal.calls("mapping")) == 1


async def test_the_mapping_has_one_task(fal: Fal, hub: AsyncInferenceClient) -> None:
    with pytest.raises(ValueError, match="not supported for task text-to-video"):
        await hub.text_to_video("a lighthouse at dusk", model="chetwinlow1/Ovi")
    _common._fetch_inference_provider_mapping.cache_clear()
    fal.route = {"status": "live", "providerId": APP, "task": "text-to-video"}
    clip = await hub.text_to_video("a lighthouse at dusk", model="chetwinlow1/Ovi")
    assert clip == await asyncio.to_thread(clip_bytes)


async def test_a_refusal_has_its_status(fal: Fal, hub: AsyncInferenceClient) -> None:
    fal.on("lighthouse", Script(submits=[Refuse(402)]))
    with pytest.raises(HfHubHTTPError) as found:
        await hub.image_to_video(PNG, prompt="a lighthouse at dusk", model="chetwinlow1/Ovi")
    assert found.value.response.status_code == 402
    assert not fal.paid


async def test_a_refused_content_is_what_the_client_cannot_read(fal: Fal, hub: AsyncInferenceClient) -> None:
    fal.on("lighthouse", Script(fails="content", seconds=0.0))
    with pytest.raises(KeyError, match="video"):
        await hub.image_to_video(PNG, prompt="a lighthouse at dusk", model="chetwinlow1/Ovi")
