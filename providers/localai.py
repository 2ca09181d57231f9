"""LocalAI's ``POST /video``: the clip is the answer, so one call lasts as long as the clip is being made.

Nobody tells how far it is and nothing can be looked up, so a ticket is a pure function of the attempt, as with the built-in generator:
whoever polls it finds the finished file, the call at work, or begins it again. Where the operator's sheet sets a price, a call that may
have reached LocalAI is never begun again.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import re
import socket
import time
from collections import deque
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final

import aiohttp

from core.capabilities import Applied, Capabilities
from core.errors import (
    DiskFull,
    Garbled,
    NothingSent,
    OversizedMedia,
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
    PollAnswer,
    Ready,
    Sink,
    Ticket,
    Waiting,
)
from providers.downloads import Downloads
from providers.inline import skim
from providers.line import CONNECT_SECONDS, PIECE, Answer, Line, preparing
from providers.localai_wire import PATH, own_options, payload, read_error, result_address
from providers.poured import Body, Inline
from providers.selfhosted import check_options, check_shapes, seen_from, served
from providers.sheets import BadSheet, Model, Sheet

CLIP_BYTES: Final = 1 << 30
"""More than any clip that is stored afterwards may have."""
GRACE_SECONDS: Final = 2.0
"""How long a submit waits for a refusal, which comes at once or never."""
TRIES: Final = 3
"""Calls of one attempt whose answers are lost before it is given up; a crash of this process does not count."""
AGAIN: Final = "note.drawn_again"
AGAIN_LATER: Final = (NothingSent, RateLimited)
"""Nothing was begun, so the call may simply be made again."""

log = logging.getLogger("reelay.localai")


@dataclass(slots=True)
class _Call:
    """One attempt's call: ``error`` is how the last one ended without a clip, ``due`` that the next poll begins one."""

    resumed: bool = False
    task: asyncio.Task[None] | None = None
    error: ProviderError | None = None
    lost: int = 0
    due: bool = True


class LocalAi:
    """Implements ``core.ports.Provider`` with one long call for each clip, owned by this object."""

    name = "longcat"

    def __init__(self, sheet: Sheet, can: Capabilities, root: str, key: str | None, world: Connect) -> None:
        """``root``: LocalAI's address without ``/video``. Finished clips lie in a folder of the data folder until they are fetched."""
        self.capabilities, self._sheet, self._root, self._world = can, sheet, root, world
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._line, self._downloads = Line(root, read_error, self._headers), Downloads(root, self._headers)
        self._session: aiohttp.ClientSession | None = None
        self._folder = world.scratch / "localai"
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._calls: dict[str, _Call] = {}
        self._dropped: deque[str] = deque(maxlen=256)

    def estimate(self, applied: Applied) -> Price:
        """Nothing, unless the operator's own sheet says otherwise."""
        return self._sheet.price(applied)

    async def submit(self, applied: Applied, attempt: Attempt) -> Ticket:
        """Begin the call. A refusal comes at once and is raised; else the call goes on behind the ticket."""
        ticket = _ticket(applied, attempt)
        call = self._calls.setdefault(attempt.id, _Call())
        await asyncio.wait([self._begin(ticket, call)], timeout=GRACE_SECONDS)
        error = call.error
        if error is None:
            return ticket
        if (
            type(error) is Unavailable
        ):  # an answer: the clip was not made, which the next poll says; nothing is in doubt
            return ticket
        await self.release(ticket)
        raise error

    async def find(self, applied: Applied, attempt: Attempt) -> FindAnswer:
        """The ticket follows from the attempt; one that costs is only found where its call or its clip is."""
        ticket = _ticket(applied, attempt)
        is_here = attempt.id in self._calls or await asyncio.to_thread(self._file(attempt.id).exists)
        return Found(ticket) if is_here or self._is_free(applied) else "cannot tell"

    async def poll(self, ticket: Ticket) -> PollAnswer:
        """Look at the call, and begin it again where it ended without an answer."""
        name, file = ticket["id"], self._file(ticket["id"])
        if name in self._dropped:
            return Failed(Unavailable("the call was cancelled"))
        call = self._calls.get(name)
        # Before the file is looked for: of a call that ends meanwhile there is one.
        if call is not None and call.task is not None:
            return Waiting(note=AGAIN if call.resumed else None)
        if await asyncio.to_thread(file.exists):
            return Ready(Artifact("file id", name))
        call = self._calls.setdefault(name, _Call(resumed=True))
        if isinstance(call.error, AGAIN_LATER):
            call.due, error, call.error = True, call.error, None
            raise error
        if call.error is not None and not (isinstance(call.error, Unclear) and call.lost < TRIES):
            return Failed(call.error)
        asked = call.resumed or not call.due
        if asked and not self._is_free(Applied.from_json(dict(ticket["request"]))):
            return Failed(call.error or Unclear("the call ended with the process"))
        self._begin(ticket, call)
        return Waiting(note=AGAIN if call.resumed else None)

    async def fetch(self, ticket: Ticket, artifact: Artifact, sink: Sink) -> None:
        """Stream the clip from the folder."""
        del artifact
        try:
            file = await asyncio.to_thread(self._file(ticket["id"]).open, "rb")
        except FileNotFoundError as gone:
            raise Garbled("the clip is no longer there") from gone
        try:
            while piece := await asyncio.to_thread(file.read, PIECE):
                await sink.write(piece)
        finally:
            await asyncio.to_thread(file.close)

    async def cancel(self, ticket: Ticket) -> CancelAnswer:
        """Drop the call. LocalAI notices that nobody listens any more; whether its backend then stops is its own business."""
        await self.release(ticket)
        self._dropped.append(ticket["id"])
        return "stopped"

    async def release(self, ticket: Ticket) -> None:
        """Drop the call if it runs and remove the clip."""
        file = self._file(ticket["id"])
        call = self._calls.pop(ticket["id"], None)
        if call is not None and call.task is not None:
            call.task.cancel()
            await asyncio.wait([call.task], timeout=5)
        await asyncio.to_thread(file.unlink, missing_ok=True)

    async def sweep(self, wanted: AbstractSet[str], older_than_seconds: float) -> None:
        """Remove older clips that no attempt of ``wanted`` owns: a crash came between a job's end and ``release``."""
        await asyncio.to_thread(_remove_old, self._folder, wanted, time.time() - older_than_seconds)

    async def check(self) -> str:
        """Ask which models LocalAI has."""
        return await served(self._line, self.capabilities.default_model, "LocalAI")

    async def close(self) -> None:
        """Drop every call; each is begun again by whoever polls its ticket."""
        tasks = [call.task for call in self._calls.values() if call.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5)
        await self._line.close()
        await self._downloads.close()
        if self._session is not None:
            await self._session.close()
            self._session = None

    # ------------------------------------------------------------------------------------------------------------------ the call

    def _is_free(self, applied: Applied) -> bool:
        return self._sheet.price(applied).credits == 0

    def _file(self, name: Any) -> Path:
        if not isinstance(name, str) or not re.fullmatch(r"[0-9a-f]{32}", name):
            raise Garbled("not a ticket of LocalAI")
        return self._folder / f"{name}.clip"

    def _begin(self, ticket: Ticket, call: _Call) -> asyncio.Task[None]:
        if call.task is None:
            call.due, call.error = False, None
            call.task = asyncio.create_task(self._make(ticket, call), name=f"localai {ticket['id'][:8]}")
        return call.task

    async def _make(self, ticket: Ticket, call: _Call) -> None:
        """Bring the clip into its file, or keep in ``call`` why it did not come."""
        name = ticket["id"]
        part = self._file(name).with_suffix(".part")
        try:
            await self._bring(Applied.from_json(dict(ticket["request"])), part)
            await asyncio.to_thread(part.rename, self._file(name))
        except Exception as error:  # noqa: BLE001 - whatever it was, LocalAI may have been asked
            found = error if isinstance(error, ProviderError) else Unclear(f"the call broke: {type(error).__name__}")
            call.error, call.lost = found, call.lost + isinstance(found, Unclear)
            log.info("a call brought no clip", extra={"attempt": name, "code": found.code, **found.facts})
        finally:
            try:
                await asyncio.to_thread(part.unlink, missing_ok=True)
            finally:
                call.task = None
                self._world.hint(name)

    async def _bring(self, applied: Applied, part: Path) -> None:
        """Ask for the clip and write it to ``part``. Raises Unclear when the answer was lost."""
        model = self._sheet.model(applied)
        body = payload(model, applied, await self._pictures(model, applied))
        file = await asyncio.to_thread(part.open, "wb")
        try:
            sink = FileSink(file)
            address = await self._ask(body, sink)
            if address is not None:
                await self._fetch(address, sink)
            await asyncio.to_thread(sink.settle)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NothingSent(f"no connection: {type(error).__name__}") from error
        except (aiohttp.ClientError, TimeoutError, OSError, Garbled, OversizedMedia, DiskFull) as error:
            raise Unclear(f"the answer was lost: {type(error).__name__}") from error
        finally:
            await asyncio.to_thread(file.close)

    async def _fetch(self, address: str, sink: Sink) -> None:
        try:
            await self._downloads.fetch(address, sink)
        except Unavailable as error:
            raise Unclear("the clip could not be fetched", **error.facts) from error

    async def _ask(self, body: Mapping[str, Any], sink: FileSink) -> str | None:
        """Make the call: a clip in its answer goes to ``sink``; returns the address of one that is elsewhere."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, force_close=True, socket_factory=_kept_alive)
            self._session = aiohttp.ClientSession(
                headers=self._headers, connector=connector, cookie_jar=aiohttp.DummyCookieJar()
            )
        timeout = aiohttp.ClientTimeout(total=self.capabilities.maximum_seconds, sock_connect=CONNECT_SECONDS)
        poured = Body(body)
        async with self._session.post(
            self._root + PATH, data=poured.pieces(), headers=poured.headers(), timeout=timeout, allow_redirects=False
        ) as response:
            if response.status >= 300:
                raise read_error(await _refusal(response), True)
            data = await skim(response.content.iter_chunked(PIECE), frozenset({"b64_json"}), sink)
        return None if sink.taken else result_address(data, self._root)

    async def _pictures(self, model: Model, applied: Applied) -> dict[str, Inline]:
        found = {}
        async with preparing():
            for field, key in (("start_image", applied.picture), ("end_image", applied.last_picture)):
                if key is not None:
                    picture = await self._world.pictures.encoded(key, model.capabilities.pictures)
                    found[field] = Inline(picture.data)
        return found


class FileSink:
    """Writes a clip to a file, up to ``CLIP_BYTES``."""

    def __init__(self, file: BinaryIO) -> None:
        """``file`` is its owner's to close."""
        self._file, self.taken = file, 0

    async def write(self, chunk: bytes) -> None:
        """Append. Raises OversizedMedia, and DiskFull when there is no room."""
        self.taken += len(chunk)
        if self.taken > CLIP_BYTES:
            raise OversizedMedia("the clip is too large")
        try:
            await asyncio.to_thread(self._file.write, chunk)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull("no room for a clip") from error
            raise

    def settle(self) -> None:
        """See it on the disk: its name will say that it is whole."""
        self._file.flush()
        os.fsync(self._file.fileno())


async def _refusal(response: aiohttp.ClientResponse) -> Answer:
    try:
        data = await skim(response.content.iter_chunked(PIECE), frozenset())
    except Garbled:
        return Answer(response.status, response.headers)
    return Answer(response.status, response.headers, data, is_json=True)


def _kept_alive(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket that asks every minute whether the other end is there: for minutes nothing is said, and routers forget such connections."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family=family, type=kind, proto=protocol)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 30)):
        if hasattr(socket, option):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
    return made


def _ticket(applied: Applied, attempt: Attempt) -> dict[str, Any]:
    return {"id": attempt.id, "request": {**applied.as_json(), "references": list(applied.references)}}


def _remove_old(folder: Path, wanted: AbstractSet[str], before: float) -> None:
    for file in folder.iterdir():
        with contextlib.suppress(OSError):
            if file.stem not in wanted and file.stat().st_mtime < before:
                file.unlink()


def _capabilities(sheet: Sheet, can: Capabilities) -> Capabilities:
    """What is left of it here: nothing goes on from a clip, and by default one clip is made at a time."""
    active = own_options(sheet.models[0]).get("most_active", 1)
    others = tuple(replace(each, progress="elapsed", extend=False, cancel=True) for each in can.others)
    return replace(can, progress="elapsed", extend=False, cancel=True, most_active=active, others=others)


def _check(where: str, model: Model) -> None:
    if not isinstance(model.options.get("localai", {}), Mapping):
        raise BadSheet(f"{where} wants a table")
    own = own_options(model)
    check_shapes(where, own, model.capabilities)
    check_options(where, own)
    active = own.get("most_active", 1)
    if type(active) is not int or not 1 <= active <= 100:
        raise BadSheet(f"{where}: most_active wants a whole number from 1 to 100")
    if own.get("response_format", "url") not in ("b64_json", "url"):
        raise BadSheet(f"{where}: response_format wants b64_json or url")
    if not all(isinstance(each, str) for each in own.get("params", {}).values()):
        raise BadSheet(f"{where}: params wants texts")


def connect_localai(sheet: Sheet, address: str, key: str | None, world: Connect) -> LocalAi:
    """Connect to ``address``, which ends in ``/video``. Raises BadSheet."""
    for model in sheet.models:
        _check(f"longcat.toml, model {model.id}, localai", model)
    root = address.removesuffix(PATH)
    return LocalAi(sheet, _capabilities(sheet, seen_from(root, sheet.capabilities)), root, key, world)
