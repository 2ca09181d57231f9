"""Google Veo 3.1 through Vertex AI: google-genai submits, operations are looked at by our own call, for their answers carry the clip.

A ticket is the operation's name, and that name alone is enough to go on after a restart. Vertex has no list in which a lost submit could
be found, and nothing that stops an operation.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Protocol

import google.auth
from google import genai
from google.auth import exceptions as login_errors
from google.auth.transport.requests import Request
from google.genai import errors as refusals
from google.genai import types

from core.capabilities import Applied, Capabilities
from core.errors import (
    ContentRefused,
    CredentialsRejected,
    Garbled,
    InvalidRequest,
    ModelRetired,
    NothingSent,
    ProviderError,
    Unavailable,
    Unclear,
)
from core.jobs import Attempt
from core.money import Price
from core.ports import (
    Artifact,
    CancelAnswer,
    Connect,
    Failed,
    FindAnswer,
    PictureSource,
    PollAnswer,
    Sink,
    Ticket,
)
from providers.google_answers import answer_of
from providers.google_line import Door, certificates, lost, nobody, ordering, rehearsed, speaking_through
from providers.line import ANSWER_BYTES, SUBMIT_SECONDS, Line, preparing
from providers.sheets import BadSheet, Sheet, read_sheet
from providers.veo_answers import read_error, read_status
from providers.veo_line import VERSION, Looks, root_of

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
REFRESH_SECONDS: Final = 20
CLIP_BYTES: Final = 20_000_000
"""Of a clip that another goes on from."""
OPERATION: Final = re.compile(
    r"(projects/[\w.:-]+/locations/[\w-]+/)?publishers/google/models/[\w.-]+/operations/[\w-]+"
)

NO_LOGIN: Final = (
    "GOOGLE_CLOUD_PROJECT is set, but there are no application default credentials: run `gcloud auth application-default login`, or "
    "set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account"
)
STALE_LOGIN: Final = (
    "the application default credentials are refused: run `gcloud auth application-default login` again, or renew the file of the "
    "service account"
)


def capabilities() -> Capabilities:
    """What Veo 3.1 can do as it is shipped."""
    return read_sheet("veo").capabilities


def prompt_of(applied: Applied) -> str | None:
    """The prompt with what somebody says in it: quoted, with a verb (Google's guide to prompts for Veo)."""
    said = applied.line.replace('"', "'")
    spoken = f'Somebody says: "{said}"' if said else ""
    return "\n".join(filter(None, (applied.prompt, spoken))) or None


def payload(
    applied: Applied, files: Mapping[str, tuple[bytes, str]]
) -> tuple[types.GenerateVideosSource, types.GenerateVideosConfig]:
    """What is ordered, as the SDK has it; ``files`` are its pictures and its clip by key, with their types.

    Raises InvalidRequest for a last picture of a clip that begins with none: Vertex takes it only beside a first one.
    """
    if applied.last_picture is not None and applied.picture is None:
        raise InvalidRequest("a last picture wants a first one", message_id="error.last_picture_alone")
    source = types.GenerateVideosSource(
        prompt=prompt_of(applied),
        image=None if applied.picture is None else _image(files[applied.picture]),
    )
    if applied.extends is not None:
        data, mime = files[applied.extends]
        source.video = types.Video(video_bytes=data, mime_type=mime)
    config = types.GenerateVideosConfig(
        number_of_videos=1,
        # How long a continuation is follows from the model: it goes on for 7 seconds.
        duration_seconds=applied.seconds if applied.extends is None else None,
        aspect_ratio=applied.aspect_ratio,
        resolution=applied.resolution,
        seed=applied.seed,
        generate_audio=applied.audio,
        negative_prompt=applied.negative_prompt or None,
        person_generation=applied.person_generation,
        last_frame=None if applied.last_picture is None else _image(files[applied.last_picture]),
        reference_images=[
            types.VideoGenerationReferenceImage(
                image=_image(files[key]), reference_type=types.VideoGenerationReferenceType.ASSET
            )
            for key in applied.references
        ]
        or None,
    )
    return source, config


def _image(file: tuple[bytes, str]) -> types.Image:
    return types.Image(image_bytes=file[0], mime_type=file[1])


class _Login(Protocol):
    credentials: Any

    async def headers(self) -> dict[str, str]:
        """What a call carries. Raises CredentialsRejected or NothingSent: nothing was sent yet."""


class _Key:
    """A key of express mode."""

    credentials = None

    def __init__(self, key: str) -> None:
        self._headers = {"x-goog-api-key": key}

    async def headers(self) -> dict[str, str]:
        return self._headers


class _Project:
    """Application default credentials, read and refreshed in worker threads; looked for anew until there are some."""

    def __init__(self) -> None:
        self.credentials: Any = None
        self._lock = asyncio.Lock()

    async def headers(self) -> dict[str, str]:
        async with self._lock:
            if self.credentials is None or not self.credentials.valid:
                await asyncio.to_thread(self._renew)
        project = self.credentials.quota_project_id
        extra = {} if project is None else {"x-goog-user-project": project}
        return {"Authorization": f"Bearer {self.credentials.token}", **extra}

    def _renew(self) -> None:
        try:
            if self.credentials is None:
                self.credentials, _ = google.auth.default(scopes=[SCOPE])
            self.credentials.refresh(partial(Request(), timeout=REFRESH_SECONDS))
        except login_errors.TransportError:
            raise NothingSent("the host that renews the login does not answer") from None
        except login_errors.DefaultCredentialsError:
            raise CredentialsRejected(NO_LOGIN) from None
        except login_errors.GoogleAuthError as error:
            if error.retryable:  # the host is there, and in trouble
                raise NothingSent("the host that renews the login is in trouble") from None
            raise CredentialsRejected(STALE_LOGIN) from None
        except (OSError, ValueError):  # a file that cannot be opened, or whose key is none
            raise CredentialsRejected(NO_LOGIN) from None


class Veo:
    """Implements ``core.ports.Provider``."""

    name = "veo"

    def __init__(
        self, sheet: Sheet, pictures: PictureSource, login: _Login, *, place: Mapping[str, Any], root: str
    ) -> None:
        """``place``: what the SDK is told of where to go (key, or project and location)."""
        self.capabilities, self._sheet, self._pictures = sheet.capabilities, sheet, pictures
        self._login, self._place, self._root = login, place, root
        self._door, self._looks, self._line = Door(ANSWER_BYTES), Looks(root, read_error), Line(root, read_error)
        self._client: genai.Client | None = None
        self._opening = asyncio.Lock()

    def estimate(self, applied: Applied) -> Price:
        """See ``Provider.estimate``."""
        return self._sheet.price(applied)

    async def submit(self, applied: Applied, attempt: Attempt) -> Ticket:
        """See ``Provider.submit``. Whatever is raised once the order came to the door, and is no refusal, leaves the submit in doubt."""
        del attempt
        async with preparing():
            await self._login.headers()
            client, data = await self._opened(), await self._files(applied)
        with ordering({key: file for key, (file, _) in data.items()}) as sent:
            try:
                source, config = payload(applied, {key: (sent.marks[key], mime) for key, (_, mime) in data.items()})
                async with asyncio.timeout(SUBMIT_SECONDS):
                    answer = await client.aio.models.generate_videos(model=applied.model, source=source, config=config)
            except refusals.APIError as error:
                headers = getattr(error.response, "headers", None)
                raise read_error(answer_of(error.code, headers, error.details), True) from None
            except ProviderError:
                raise
            except Exception as error:  # noqa: BLE001 - of several libraries
                raise lost(error, sent) from None
        if not isinstance(answer.name, str) or not OPERATION.fullmatch(answer.name):
            raise Unclear("the answer to the submit names no operation")
        return {"operation": answer.name}

    async def _opened(self) -> genai.Client:
        """The SDK's client: made in a worker thread, for it reads certificates; with the login that was found."""
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(self._make)
            return self._client

    def _make(self) -> genai.Client:
        options = types.HttpOptions(
            base_url=self._root,
            api_version=VERSION,
            timeout=int(SUBMIT_SECONDS * 1000),
            retry_options=types.HttpRetryOptions(attempts=1),
            httpx_client=nobody({}),
            async_client_args={"ssl": certificates()},
            httpx_async_client=speaking_through(self._door),
        )
        return genai.Client(vertexai=True, credentials=self._login.credentials, http_options=options, **self._place)

    async def _files(self, applied: Applied) -> dict[str, tuple[bytes, str]]:
        limits = self._sheet.model(applied).capabilities.pictures
        found: dict[str, tuple[bytes, str]] = {}
        for key in applied.pictures:
            picture = await self._pictures.encoded(key, limits)
            found[key] = picture.data, picture.mime
        if applied.extends is not None:
            found[applied.extends] = await self._pictures.clip(applied.extends, CLIP_BYTES), "video/mp4"
        return found

    async def poll(self, ticket: Ticket) -> PollAnswer:
        """See ``Provider.poll``. Reading ends where the clip begins. A name that Vertex does not know (any more) brings none."""
        operation = str(ticket.get("operation"))
        if not OPERATION.fullmatch(operation):
            return Failed(Garbled("the ticket names no operation"))
        try:
            return read_status(await self._looks.look(operation, await self._login.headers()))
        except ModelRetired as error:
            return Failed(Unavailable("Vertex does not know the operation", status=error.facts.get("status")))
        except (InvalidRequest, ContentRefused) as error:  # of this question, not of the clip
            raise Unavailable("the look was refused", **error.facts) from None

    async def fetch(self, ticket: Ticket, artifact: Artifact, sink: Sink) -> None:
        """See ``Provider.fetch``: the same look, read to its end, the clip decoded on its way to the sink."""
        del artifact
        counted = _Counted(sink)
        try:
            await self._looks.look(ticket["operation"], await self._login.headers(), counted)
        except (InvalidRequest, ModelRetired, ContentRefused) as error:
            raise Garbled("the clip is no longer there", **error.facts) from None
        if not counted.bytes:
            raise Garbled("the answer carries no clip")

    async def cancel(self, ticket: Ticket) -> CancelAnswer:
        """Vertex stops nothing."""
        del ticket
        return "still billed"

    async def find(self, applied: Applied, attempt: Attempt) -> FindAnswer:
        """Vertex lists no operations of a model, and takes no id of ours."""
        del applied, attempt
        return "cannot tell"

    async def release(self, ticket: Ticket) -> None:
        """Nothing is kept here."""

    async def check(self) -> str:
        """Ask for an operation that there cannot be, on the very route of the polls: whoever says so has taken the login. Then for the
        model, where that may be asked.
        """
        model = self.capabilities.default_model
        route = f"publishers/google/models/{model}"
        if "project" in self._place:
            route = f"projects/{self._place['project']}/locations/{self._place['location']}/{route}"
        nobody = {"operationName": f"{route}/operations/00000000-0000-0000-0000-000000000000"}
        headers = await self._login.headers()
        with contextlib.suppress(InvalidRequest, ModelRetired):  # it knows no such operation, as was to be expected
            await self._line.ask("POST", f"/{VERSION}/{route}:fetchPredictOperation", nobody, headers=headers)
        try:
            await self._line.ask("GET", f"/{VERSION}/publishers/google/models/{model}", headers=headers)
        except (CredentialsRejected, InvalidRequest):
            return f"Vertex takes the login; whether it has {model} cannot be asked with it"
        return f"Vertex takes the login and has {model}"

    async def close(self) -> None:
        """See ``Provider.close``."""
        await self._door.aclose()
        await self._looks.close()
        await self._line.close()


class _Counted:
    """A sink that knows how much went into it."""

    def __init__(self, sink: Sink) -> None:
        self._sink, self.bytes = sink, 0

    async def write(self, chunk: bytes) -> None:
        self.bytes += len(chunk)
        await self._sink.write(chunk)


def connect(settings: Any, world: Connect) -> Veo:
    """Connect with a project, or with a key of express mode; the project goes before, as in Google's SDK. Raises BadSheet."""
    rehearsed()
    sheet = read_sheet("veo", default=settings.veo_model, own=world.scratch)
    for model in sheet.models:
        if model.options:  # they would do nothing
            raise BadSheet(f"veo.toml, model {model.id}: options.{min(model.options)} is unknown; Veo takes none")
    if settings.google_cloud_project:
        place = {"project": settings.google_cloud_project, "location": settings.google_cloud_location or "us-central1"}
        root = settings.google_api_url or root_of(place["location"])
        return Veo(sheet, world.pictures, _Project(), place=place, root=root)
    secret = settings.gemini_api_key or settings.google_api_key
    key = secret.get_secret_value()
    root = settings.google_api_url or root_of(None)
    return Veo(sheet, world.pictures, _Key(key), place={"api_key": key}, root=root)
