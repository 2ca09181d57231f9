"""The official SDK, unmodified, judges the simulator of Veo: what it sends is taken, what it is answered it can read."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

from tests.lab.billing import Refuse, Script, Take
from tests.lab.clips import clip_bytes
from tests.lab.veo import KEY, LOCATION, MODELS, PROJECT, TOKEN, Veo

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
IMAGE = types.Image(image_bytes=PNG, mime_type="image/png")
pytestmark = [
    pytest.mark.blocks("the SDK looks for certificates on the event loop"),
    pytest.mark.filterwarnings("ignore:Inheritance class Aiohttp:DeprecationWarning"),
]
TRUSTED = ssl.create_default_context()


def options(vertex: Veo) -> types.HttpOptions:
    """Where to go. The certificates are read once for all tests."""
    both = {"ssl": TRUSTED, "verify": TRUSTED}
    return types.HttpOptions(base_url=vertex.url, client_args={"verify": TRUSTED}, async_client_args=both)


def by_name(name: str | None) -> types.GenerateVideosOperation:
    return types.GenerateVideosOperation.model_validate({"name": name})


@pytest.fixture(scope="module")
def started() -> Iterator[Veo]:
    with Veo() as server:
        yield server


@pytest.fixture
def vertex(started: Veo) -> Veo:
    started.forget_all()
    return started


@pytest.fixture
async def client(vertex: Veo) -> AsyncIterator[genai.Client]:
    made = genai.Client(vertexai=True, api_key=KEY, http_options=options(vertex))
    yield made
    await made.aio.aclose()
    made.close()


async def submitted(
    client: genai.Client, prompt: str | None = "a lighthouse", **more: Any
) -> types.GenerateVideosOperation:
    config = more.pop("config", types.GenerateVideosConfig(number_of_videos=1))
    model = more.pop("model", MODELS[0])
    return await client.aio.models.generate_videos(
        model=model, source=types.GenerateVideosSource(prompt=prompt, **more), config=config
    )


async def ended(client: genai.Client, operation: types.GenerateVideosOperation) -> types.GenerateVideosOperation:
    async with asyncio.timeout(20):
        while not operation.done:
            await asyncio.sleep(0.02)
            operation = await client.aio.operations.get(by_name(operation.name))
    return operation


async def test_a_clip_from_order_to_file_by_the_name_alone(vertex: Veo, client: genai.Client) -> None:
    operation = await ended(client, await submitted(client))
    assert operation.error is None
    assert operation.response is not None
    (found,) = operation.response.generated_videos or []
    assert found.video is not None
    assert found.video.video_bytes == clip_bytes()
    assert found.video.mime_type == "video/mp4"
    assert dict(vertex.paid) == {"a lighthouse": 1}


async def test_a_project_with_a_token(vertex: Veo) -> None:
    client = genai.Client(
        vertexai=True,
        project=PROJECT,
        location=LOCATION,
        credentials=Credentials(token=TOKEN),  # type: ignore[no-untyped-call]
        http_options=options(vertex),
    )
    operation = await submitted(client)
    assert (operation.name or "").startswith(f"projects/{PROJECT}/locations/{LOCATION}/publishers/google/models/")
    assert (await ended(client, operation)).response is not None
    assert (await client.aio.models.get(model=MODELS[0])).name == f"publishers/google/models/{MODELS[0]}"
    await client.aio.aclose()


async def test_everything_that_the_sdk_can_say_is_taken(vertex: Veo, client: genai.Client) -> None:
    full = types.GenerateVideosConfig(
        number_of_videos=1,
        duration_seconds=8,
        seed=4294967295,
        aspect_ratio="9:16",
        resolution="1080p",
        person_generation="dont_allow",
        negative_prompt="rain",
        enhance_prompt=True,
        generate_audio=False,
        compression_quality=types.VideoCompressionQuality.OPTIMIZED,
        last_frame=IMAGE,
    )
    full.compression_quality = (
        None  # the SDK says it in capitals, Vertex's page in small letters: not known who is right
    )
    await submitted(client, image=IMAGE, config=full)
    reference = types.VideoGenerationReferenceImage(
        image=IMAGE, reference_type=types.VideoGenerationReferenceType.ASSET
    )
    await submitted(client, config=types.GenerateVideosConfig(reference_images=[reference] * 3))
    await submitted(client, video=types.Video(video_bytes=clip_bytes(), mime_type="video/mp4"))
    assert sum(vertex.paid.values()) == 3
    assert [len(job.references) for job in vertex.jobs.values()] == [0, 3, 0]


@pytest.mark.parametrize(
    "prompt, more, says",
    [
        (None, {}, "is missing"),
        ("x", {"image": IMAGE, "video": types.Video(video_bytes=b"x", mime_type="video/mp4")}, "both"),
        ("x", {"config": types.GenerateVideosConfig(last_frame=IMAGE)}, "lastFrame"),
        ("x", {"config": types.GenerateVideosConfig(duration_seconds=5)}, "durationSeconds"),
        ("x", {"config": types.GenerateVideosConfig(duration_seconds=4, resolution="1080p")}, "8 seconds"),
        ("x", {"config": types.GenerateVideosConfig(person_generation="allow_all")}, "personGeneration"),
        ("x", {"config": types.GenerateVideosConfig(fps=24)}, "fps"),
        ("x", {"config": types.GenerateVideosConfig(seed=-1)}, "seed"),
        ("x", {"image": types.Image(image_bytes=PNG, mime_type="image/gif")}, "mimeType"),
        (
            "x",
            {"config": types.GenerateVideosConfig(http_options=types.HttpOptions(extra_body={"priority": 1}))},
            "priority",
        ),
    ],
)
async def test_what_vertex_does_not_take_is_refused(
    vertex: Veo, client: genai.Client, prompt: str | None, more: dict[str, Any], says: str
) -> None:
    with pytest.raises(errors.ClientError, match=says) as found:
        await submitted(client, prompt, **more)
    assert (found.value.code, found.value.status) == (400, "INVALID_ARGUMENT")
    assert not vertex.paid


@pytest.mark.parametrize(
    "refuse, kind, status",
    [
        (Refuse(400), errors.ClientError, "INVALID_ARGUMENT"),
        (Refuse(403, "billing"), errors.ClientError, "PERMISSION_DENIED"),
        (Refuse(404), errors.ClientError, "NOT_FOUND"),
        (Refuse(429, retry_after=7), errors.ClientError, "RESOURCE_EXHAUSTED"),
        (Refuse(500), errors.ServerError, "INTERNAL"),
        (Refuse(503), errors.ServerError, "UNAVAILABLE"),
    ],
)
async def test_refusals_are_of_the_sdks_classes_and_are_not_repeated(
    vertex: Veo, client: genai.Client, refuse: Refuse, kind: type[errors.APIError], status: str
) -> None:
    vertex.on("lighthouse", Script(submits=[refuse]))
    with pytest.raises(kind) as found:
        await submitted(client)
    assert (found.value.code, found.value.status) == (refuse.status, status)
    assert len(vertex.calls("submit")) == 1


async def test_a_wrong_key_a_retired_model_and_a_forgotten_operation(vertex: Veo, client: genai.Client) -> None:
    stranger = genai.Client(vertexai=True, api_key="AIza-gemini", http_options=options(vertex))
    with pytest.raises(errors.ClientError, match="API key not valid"):
        await submitted(stranger)
    await stranger.aio.aclose()
    with pytest.raises(errors.ClientError, match="was not found or your project does not have access"):
        await submitted(client, model="veo-3.1-generate-preview")
    vertex.on("lighthouse", Script(forgets=True))
    operation = await submitted(client)
    with pytest.raises(errors.ClientError, match="was not found"):
        await client.aio.operations.get(operation)


async def test_a_clip_that_is_held_back_is_no_error(vertex: Veo, client: genai.Client) -> None:
    vertex.on("lighthouse", Script(fails="content:58061214,17301594"))
    response = (await ended(client, await submitted(client))).response
    assert response is not None
    assert not response.generated_videos
    assert response.rai_media_filtered_count == 1
    assert "Support codes: 58061214,17301594" in (response.rai_media_filtered_reasons or [""])[0]


async def test_an_operation_that_fails_says_so_by_number(vertex: Veo, client: genai.Client) -> None:
    vertex.on("lighthouse", Script(fails="rpc:8"))
    operation = await ended(client, await submitted(client))
    assert operation.error is not None
    assert operation.error["code"] == 8


async def test_left_alone_the_sdk_pays_twice_for_a_connection_that_broke(
    vertex: Veo, client: genai.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why the generator gives it a transport of its own. It goes red when the SDK mends it."""
    monkeypatch.setattr(random, "randint", lambda *_: -1)  # it waits for 1 second and as many more
    vertex.on("lighthouse", Script(submits=[Take("cut")]))
    operation = await submitted(client)
    assert operation.name
    assert dict(vertex.paid) == {"a lighthouse": 2}
