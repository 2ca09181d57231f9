"""Gemini Omni: clips with a key of the Gemini API, by the Interactions API of google-genai.

A clip is one background interaction: create (once, the SDK's own repeats are off), get, and cancel. The wire and its traps: Google's page
ai.google.dev/gemini-api/docs/omni (October 2026) and the SDK's types. Two of them shape this file: an answer may carry the clip itself in
base64, even where delivery by address was asked for, so every answer is read piece by piece and never by the SDK's models; and an address
is never asked where it says, only by its file id below the configured root.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

import httpx2
from google import genai
from google.genai import _interactions, types

from core.capabilities import Applied, Capabilities
from core.errors import (
    ContentRefused,
    Garbled,
    InvalidRequest,
    ModelRetired,
    ProviderError,
    ReelayError,
    Unavailable,
    Unclear,
)
from core.jobs import Attempt
from core.money import Price
from core.ports import (
    Artifact,
    CancelAnswer,
    Connect,
    EncodedPicture,
    Failed,
    FindAnswer,
    PictureSource,
    PollAnswer,
    Ready,
    Sink,
    Ticket,
    Waiting,
)
from providers.downloads import Downloads
from providers.google_answers import ROOT, VERSION, answer_of, read_error
from providers.google_line import Door, Order, certificates, lost, ordering, rehearsed, speaking_through
from providers.inline import skim
from providers.line import ASK_SECONDS, SUBMIT_SECONDS, Answer, Line, preparing
from providers.omni_wire import artifact_of, check_model, payload, read_status
from providers.sheets import Sheet, read_sheet

SETTING: Final = "OMNI_MODEL"
CLIPS: Final = frozenset({"data"})
CLIP_BYTES: Final = 20_000_000
"""Of a clip that another goes on from, where the sheet does not say."""
ID: Final = re.compile(r"[A-Za-z0-9_-]{1,1024}")


def capabilities() -> Capabilities:
    """What Omni can do as it is shipped."""
    return read_sheet("omni").capabilities


class _Nowhere:
    async def write(self, chunk: bytes) -> None:
        del chunk


@dataclass(slots=True)
class Omni:
    """Implements ``core.ports.Provider``. A ticket is ``{id, model, extends}``, and ``file`` where the first answer named it."""

    sheet: Sheet
    client: genai.Client = field(repr=False)
    http: httpx2.AsyncClient = field(repr=False)
    line: Line = field(repr=False)
    downloads: Downloads = field(repr=False)
    pictures: PictureSource = field(repr=False)
    name: str = "omni"

    @property
    def capabilities(self) -> Capabilities:
        return self.sheet.capabilities

    def estimate(self, applied: Applied) -> Price:
        return self.sheet.price(applied)

    async def submit(self, applied: Applied, attempt: Attempt) -> Ticket:
        del attempt  # the wire has no place for it
        model = self.sheet.model(applied)
        async with preparing():
            pictures = [await self.pictures.encoded(key, model.capabilities.pictures) for key in applied.pictures]
            files = {str(number): each.data for number, each in enumerate(pictures)}
            if applied.extends is not None:
                files["clip"] = await self.pictures.clip(
                    applied.extends, int(model.options.get("clip_bytes", CLIP_BYTES))
                )
        with ordering(files) as order:
            async with _asked(order):
                marked = [replace(each, data=order.marks[str(number)]) for number, each in enumerate(pictures)]
                one_shot = str(model.options.get("one_shot", ""))
                body = payload(applied, marked, order.marks.get("clip"), one_shot=one_shot)
                async with self._sent(await asyncio.to_thread(_written, self.client, body)) as response:
                    data = await skim(response.aiter_bytes(), CLIPS, _Nowhere())
        ticket = {"model": applied.model, "extends": applied.extends is not None}
        match data:
            case {"id": str(name)} if ID.fullmatch(name):
                found = artifact_of(data)
                return {"id": name, **ticket, **({"file": found.value} if found and found.kind == "file id" else {})}
        raise Unclear("the answer to a submit names no interaction")

    @asynccontextmanager
    async def _sent(self, written: httpx2.Request) -> AsyncIterator[httpx2.Response]:
        """The answer to what the SDK wrote. Raises what a refusal means."""
        headers, content = written.headers, written.content
        request = self.http.build_request(written.method, written.url, headers=headers, content=content)
        response = await self.http.send(request, stream=True)
        try:
            if 300 <= response.status_code < 400:
                raise Unclear("the order was sent elsewhere", status=response.status_code)
            if response.status_code >= 400:
                answer = answer_of(response.status_code, response.headers, await response.aread())
                raise _read_error(answer, True)
            yield response
        finally:
            await response.aclose()

    async def poll(self, ticket: Ticket) -> PollAnswer:
        try:
            data = await self._look(ticket, _Nowhere())
        except ModelRetired as error:  # 404: it knows nothing of it
            return Failed(Unavailable("the interaction is forgotten", status=error.facts.get("status")))
        except (InvalidRequest, ContentRefused) as error:  # of this question, not of the clip
            raise Unavailable("the look was refused", **error.facts) from None
        model = next((each for each in self.sheet.models if each.id == ticket.get("model")), self.sheet.models[0])
        answer = read_status(data, model.options)
        if isinstance(answer, Failed) and ticket.get("extends") and isinstance(answer.error, ContentRefused):
            return Failed(ContentRefused("not extended", message_id="error.not_extended", **answer.error.facts))
        if isinstance(answer, Ready):
            return await self._settled(ticket, answer)
        return answer

    async def _settled(self, ticket: Ticket, ready: Ready) -> PollAnswer:
        """Ready, once the file is: it is still worked on for a moment after the interaction is completed."""
        artifact = ready.artifact
        if artifact.kind == "inline" and "file" in ticket:
            artifact = Artifact("file id", str(ticket["file"]), artifact.cost_usd)
        if artifact.kind != "file id":
            return ready
        answer = await self.line.ask("GET", f"/{VERSION}/files/{artifact.value}", passes=(400, 403, 404))
        match answer.data:
            case {"state": "PROCESSING"}:
                return Waiting()
            case {"state": "FAILED"}:
                return Failed(Unavailable("the file of the clip failed"))
        return Ready(artifact)

    async def fetch(self, ticket: Ticket, artifact: Artifact, sink: Sink) -> None:
        if artifact.kind == "inline":
            try:
                await self._look(ticket, sink, nth=int(artifact.value), seconds=None)
            except (
                InvalidRequest,
                ModelRetired,
                ContentRefused,
            ) as error:  # else a clip that is gone would pause the model
                raise Garbled("the clip is no longer there", status=error.facts.get("status")) from None
        elif artifact.kind == "file id":
            url = f"{self.line.root}/{VERSION}/files/{artifact.value}:download?alt=media"
            await self.downloads.fetch(url, sink)
        else:
            await self.downloads.fetch(artifact.value, sink)

    async def cancel(self, ticket: Ticket) -> CancelAnswer:
        try:
            async with _asked():
                cancel = self.client.aio.interactions.with_streaming_response.cancel
                async with cancel(_id(ticket)) as response:
                    data = await skim(response.iter_bytes(), CLIPS, _Nowhere())
        except (InvalidRequest, ModelRetired, ContentRefused, Garbled):  # it has ended: how, it says itself
            try:
                data = await self._look(ticket, _Nowhere())
            except (InvalidRequest, ModelRetired, ContentRefused, Garbled):
                return "still billed"
        return "stopped" if isinstance(data, Mapping) and data.get("status") == "cancelled" else "still billed"

    async def find(self, applied: Applied, attempt: Attempt) -> FindAnswer:
        """Never found: interactions can neither be listed nor named by us."""
        del applied, attempt
        return "cannot tell"

    async def release(self, ticket: Ticket) -> None:
        """Nothing is kept here. Google keeps the interaction by its own rules."""

    async def check(self) -> str:
        model = self.sheet.models[0].id
        await self.line.ask("GET", f"/{VERSION}/models/{model}")
        return f"the key is accepted, and {model} is there"

    async def close(self) -> None:
        await self.http.aclose()
        await self.line.close()
        await self.downloads.close()

    async def _look(self, ticket: Ticket, sink: Sink, *, nth: int = 0, seconds: float | None = ASK_SECONDS) -> Any:
        """The interaction; the ``nth`` thing that it carries in base64 goes to ``sink``."""
        async with _asked(seconds=seconds):
            get = self.client.aio.interactions.with_streaming_response.get
            async with get(_id(ticket), timeout=ASK_SECONDS) as response:
                return await skim(response.iter_bytes(), CLIPS, sink, nth=nth)


def _id(ticket: Ticket) -> str:
    name = ticket.get("id")
    if not isinstance(name, str) or not ID.fullmatch(name):
        raise Garbled("not a ticket of Omni")
    return name


@asynccontextmanager
async def _asked(order: Order | None = None, *, seconds: float | None = None) -> AsyncIterator[None]:
    """One call of the SDK: its deadline, and its errors in our words. Nothing that the vendor said goes along with them.

    ``order``: of a paid submit.
    """
    try:
        async with asyncio.timeout(seconds if order is None else SUBMIT_SECONDS):
            yield
    except _interactions.APIConnectionError as error:  # the transport's own error is its cause
        raise lost(error.__cause__ or error, order) from None
    except _interactions.APIError as error:
        response = getattr(error, "response", None)
        answer = answer_of(error.status_code, None if response is None else response.headers, error.body)
        raise _read_error(answer, order is not None) from None
    except Garbled:
        if order is not None:
            raise Unclear("the answer to a submit cannot be read") from None
        raise
    except ReelayError:
        raise
    except Exception as error:  # noqa: BLE001 - of several libraries
        raise lost(error, order) from None


def _read_error(answer: Answer, submitting: bool) -> ProviderError:  # noqa: FBT001 - as Line asks it
    return read_error(answer, submitting, setting=SETTING)


def connect(settings: Any, world: Connect) -> Omni:
    """Connect with the key. Called in a worker thread: the SDK imports and builds its types at the first call, which takes most of a
    second, so the first one is made here, to nobody.
    """
    key = (settings.gemini_api_key or settings.google_api_key).get_secret_value()
    root = settings.google_api_url or ROOT
    sheet = read_sheet("omni", default=settings.omni_model, own=world.scratch)
    for model in sheet.models:
        check_model(model)
    http = speaking_through(Door(None))  # every answer is read piece by piece
    client = _client(key, root, http)
    rehearsed()
    _rehearsed()
    headers = {"x-goog-api-key": key}
    return Omni(sheet, client, http, Line(root, _read_error, headers), Downloads(root, headers), world.pictures)


WRITTEN: Final[ContextVar[list[httpx2.Request] | None]] = ContextVar("written", default=None)


def _kept(request: httpx2.Request) -> httpx2.Response:
    written = WRITTEN.get()
    if written is not None:
        written.append(request)
    return httpx2.Response(200, json={})


def _written(client: genai.Client, body: Mapping[str, Any]) -> httpx2.Request:
    """The order as the SDK writes it, sent nowhere: its other half does that, in a worker thread, for it builds types anew for each one,
    40 ms of them (3.4, November 2026).
    """
    written: list[httpx2.Request] = []
    token = WRITTEN.set(written)
    try:
        with client.interactions.with_streaming_response.create(**body) as response:
            response.read()
    finally:
        WRITTEN.reset(token)
    return written[-1]


def _client(key: str, root: str, http: httpx2.AsyncClient) -> genai.Client:
    options = types.HttpOptions(
        base_url=root,
        api_version=VERSION,
        retry_options=types.HttpRetryOptions(attempts=1),  # five are made without it, each of them billed
        httpx_client=httpx2.Client(verify=certificates(), transport=httpx2.MockTransport(_kept)),
        httpx_async_client=http,
    )
    return genai.Client(vertexai=False, api_key=key, http_options=options)  # whatever the SDK finds in the environment


@cache
def _rehearsed() -> None:
    """Call everything once, to nobody."""
    calls = _client(
        "rehearsal", "http://localhost", httpx2.AsyncClient(verify=certificates())
    ).interactions.with_streaming_response
    body = payload(
        Applied("omni", "rehearsal", "", "", "16:9", "720p", 8, 0, audio=True), [EncodedPicture(b"", "image/png", 1, 1)]
    )
    for answer in (calls.create(**body), calls.get("rehearsal"), calls.cancel("rehearsal")):
        with answer as response:
            response.read()
