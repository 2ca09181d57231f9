"""Generators of the lab, each implementing ``core.ports.Provider``: one over HTTP to the vendor simulator, one that is done at once."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from core.capabilities import Applied, Capabilities
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
    Found,
    PictureSource,
    PollAnswer,
    Ready,
    Sink,
    Ticket,
    Waiting,
)
from core.requests import PERSON_GENERATION
from tests.lab.clips import clip_bytes
from tests.lab.vendor import KEY

PIECE: Final = 64 << 10
REFUSALS: Final[Mapping[int, type[ProviderError]]] = {
    400: InvalidRequest,
    401: CredentialsRejected,
    402: OutOfFunds,
    403: CredentialsRejected,
    404: InvalidRequest,
    410: ModelRetired,
    422: ContentRefused,
    429: RateLimited,
}


@dataclass(frozen=True, slots=True)
class LabSettings:
    """What a lab generator is like; the price in credits is for every clip."""

    name: str = "lab"
    url: str = ""
    price: int = 40
    unpaid: bool = False
    stand_in: bool = False
    cancel: bool = True
    extend: bool = False
    speech: bool = False
    image: bool = True
    reference_images: int = 0
    last_frame: bool = False
    last_frame_alone: bool = True
    progress: str = "fraction"
    most_active: int = 8
    usual_seconds: float = 1.0
    maximum_seconds: float = 120.0
    poll_seconds: tuple[float, float] = (0.05, 0.2)
    seconds: tuple[int, ...] = (4, 6, 8)
    clip: str = ""
    """File that ``InstantGenerator`` hands out; without one it makes a clip of a second."""
    key: str = KEY

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LabSettings:
        """Read what a test wrote into the environment."""
        known: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in data.items()}
        return cls(**known)

    def capabilities(self) -> Capabilities:
        """As the engine sees it."""
        return Capabilities(
            name=self.name,
            title=f"Lab {self.name}",
            company=None if self.unpaid else "The Laboratory",
            models=(f"{self.name}-1",),
            seconds=self.seconds,
            image=self.image,
            reference_images=self.reference_images,
            extend=self.extend,
            last_frame=self.last_frame,
            last_frame_alone=self.last_frame and self.last_frame_alone,
            speech=self.speech,
            cancel=self.cancel,
            progress="fraction" if self.progress == "fraction" else "elapsed",
            usual_seconds=self.usual_seconds,
            maximum_seconds=self.maximum_seconds,
            poll_seconds=self.poll_seconds,
            most_active=self.most_active,
            unpaid=self.unpaid,
            stand_in=self.stand_in,
            person_generation=() if self.unpaid else PERSON_GENERATION,
        )


class LabGenerator:
    """A paid generator over HTTP."""

    def __init__(self, settings: LabSettings, pictures: PictureSource | None = None) -> None:
        """``pictures``: needed for orders with some."""
        self.settings, self.name, self._pictures = settings, settings.name, pictures
        self.capabilities = settings.capabilities()
        self._http: aiohttp.ClientSession | None = None

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                headers={"Authorization": f"Bearer {self.settings.key}"},
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=20),
                connector=aiohttp.TCPConnector(limit=64),
            )
        return self._http

    def estimate(self, applied: Applied) -> Price:
        del applied
        return Price(self.settings.price)

    async def submit(self, applied: Applied, attempt: Attempt) -> Ticket:
        wish = {
            "attempt": attempt.id,
            "prompt": applied.prompt,
            "seconds": applied.seconds,
            "seed": applied.seed,
            "picture": None if applied.picture is None else await self._read(applied.picture),
            "references": [await self._read(key) for key in applied.references],
            "last_picture": None if applied.last_picture is None else await self._read(applied.last_picture),
        }
        try:
            async with self._session().post(f"{self.settings.url}/jobs", json=wish) as response:
                if response.status == 201:
                    return {"id": str((await response.json())["id"])}
                raise read_refusal(response.status, response.headers, submitting=True)
        except aiohttp.ClientConnectorError as error:
            raise NothingSent("no connection") from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError) as error:
            raise Unclear(f"the answer was lost: {type(error).__name__}") from error

    async def _read(self, key: str) -> str:
        assert self._pictures is not None
        async with self._pictures.checkout(key) as path:
            return base64.b64encode(await asyncio.to_thread(path.read_bytes)).decode()

    async def poll(self, ticket: Ticket) -> PollAnswer:
        try:
            return read_status(await self._json("GET", f"/jobs/{ticket['id']}"))
        except InvalidRequest:  # 404: the vendor has forgotten the job, no clip will come
            return Failed(Unavailable("the vendor does not know the job"))

    async def _json(self, method: str, path: str, **options: Any) -> Any:
        try:
            async with self._session().request(method, self.settings.url + path, **options) as response:
                if response.status >= 400:
                    raise read_refusal(response.status, response.headers, submitting=False)
                return json.loads(await response.read() or b"null")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(type(error).__name__) from error
        except ValueError as error:
            raise Garbled("not JSON") from error

    async def fetch(self, ticket: Ticket, artifact: Artifact, sink: Sink) -> None:
        del ticket
        try:
            async with self._session().get(self.settings.url + artifact.value) as response:
                if response.status >= 400:
                    raise Garbled(f"the result answers {response.status}")
                if response.content_type not in {"video/mp4", "video/webm"}:
                    raise Garbled(f"the result is {response.content_type}")
                async for chunk in response.content.iter_chunked(PIECE):
                    await sink.write(chunk)
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise Unavailable(f"the download broke: {type(error).__name__}") from error

    async def cancel(self, ticket: Ticket) -> CancelAnswer:
        answer = await self._json("POST", f"/jobs/{ticket['id']}/cancel")
        return "stopped" if answer["stopped"] else "still billed"

    async def find(self, applied: Applied, attempt: Attempt) -> FindAnswer:
        del applied
        answer = await self._json("GET", "/jobs", params={"attempt": attempt.id})
        if answer["jobs"]:
            return Found({"id": answer["jobs"][0]["id"]})
        return "certainly not" if answer["complete"] else "cannot tell"

    async def release(self, ticket: Ticket) -> None:
        await self._json("DELETE", f"/jobs/{ticket['id']}")

    async def check(self) -> str:
        await self._json("GET", "/jobs", params={"attempt": "check"})
        return "the laboratory answers"

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()


def read_refusal(status: int, headers: Mapping[str, str], *, submitting: bool) -> ProviderError:
    """The error that a status means. A 5xx after a submit may have been taken; on other calls it tells nothing."""
    kind = REFUSALS.get(status)
    if not submitting and status == 404:
        return InvalidRequest("the vendor does not know this job")
    if kind is None:
        return Unclear(f"status {status}") if submitting else Unavailable(f"status {status}")
    after = headers.get("Retry-After")
    return kind(f"status {status}", retry_after=None if after is None else float(after))


def read_status(data: Any) -> PollAnswer:
    """What a poll's answer means."""
    match data:
        case {"status": "ready", "result": str(path)}:
            return Ready(Artifact("url", path, cost_usd=data.get("cost_usd")))
        case {"status": "failed", "code": "content"}:
            return Failed(ContentRefused("content"))
        case {"status": "failed", "code": str(code)}:
            return Failed(Unavailable(code))
        case {"status": "waiting"}:
            return Waiting(progress=data.get("progress"))
        case _:
            raise Garbled("an unknown status")


class InstantGenerator:
    """A generator that is ready at the first poll: for tests that are about something else."""

    def __init__(self, settings: LabSettings, world: Connect | None = None) -> None:
        self.settings, self.name = settings, settings.name
        self.capabilities = settings.capabilities()
        self._world = world
        self.submits: list[str] = []

    def estimate(self, applied: Applied) -> Price:
        del applied
        return Price(self.settings.price)

    async def submit(self, applied: Applied, attempt: Attempt) -> Ticket:
        del applied
        self.submits.append(attempt.id)
        return {"id": attempt.id}

    async def poll(self, ticket: Ticket) -> PollAnswer:
        return Ready(Artifact("inline", str(ticket["id"])))

    async def fetch(self, ticket: Ticket, artifact: Artifact, sink: Sink) -> None:
        del ticket, artifact
        path = self.settings.clip
        data = await asyncio.to_thread(Path(path).read_bytes if path else clip_bytes)
        for start in range(0, len(data), PIECE):
            await sink.write(data[start : start + PIECE])

    async def cancel(self, ticket: Ticket) -> CancelAnswer:
        del ticket
        return "stopped"

    async def find(self, applied: Applied, attempt: Attempt) -> FindAnswer:
        del applied
        return Found({"id": attempt.id})

    async def release(self, ticket: Ticket) -> None:
        del ticket

    async def check(self) -> str:
        return "nothing to check"

    async def close(self) -> None:
        return
