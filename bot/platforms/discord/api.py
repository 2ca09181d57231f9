"""Discord's REST API: one call, once, and what its answer means.

Not discord.py's own client, for three reasons measured in 2026-11 (docs/why/discord-transport.md): it repeats POSTs by itself after
a 5xx, it holds a lock per token so that an edit waits behind an upload, and after a failure it cannot say whether the call had its effect.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp

from bot.engine.figures import Figures
from bot.file_body import FileBody
from bot.platforms.discord.budget import Budget, route_of
from bot.platforms.discord.callbacks import Answer, Callbacks, NotSent
from core.errors import WasDone
from core.ports import Clock

CALL_SECONDS: Final = 15.0
UPLOAD_BYTES_PER_SECOND: Final = 200_000
"""An upload may take a call's time and a second for each so many bytes."""
NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=10.0)
"""Each call has a deadline of its own; the session's five minutes would end an upload of 60 MB on a slow line."""
FIRST_ANSWERS: Final = "/interactions/"
COUNTED: Final = frozenset({401, 403, 429})
"""Answers that Discord counts towards a ban, but for a 429 of the ``shared`` scope."""
OLD_MESSAGE: Final = 30046
"""A 429 about one message that was edited too often, not about its channel (Discord, "JSON Error Codes")."""
EDGE_SECONDS: Final = 60.0
"""Pause after a refusal of the edge that names none."""
AGENT: Final = "DiscordBot (reelay, 1.0)"
TEXT_BYTES: Final = 1 << 20

log = logging.getLogger("reelay.discord")


class Refusal(Exception):
    """Discord answered no. ``code`` is its own error code (0 when it gave none); its text is never kept."""

    def __init__(self, status: int, code: int, *, retry_after: float | None = None) -> None:
        """``retry_after`` in seconds, of a 429."""
        super().__init__(f"{status}/{code}")
        self.status, self.code, self.retry_after = status, code, retry_after


class NoAnswer(Exception):
    """Nothing that can be understood came back; ``was_done`` says whether the call may have had its effect."""

    def __init__(self, why: str, was_done: WasDone) -> None:
        """``why``: the kind of failure, for the log."""
        super().__init__(why)
        self.was_done = was_done


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a call; it is streamed from ``path``."""

    path: Path
    name: str
    mime: str
    bytes: int


class DiscordApi:
    """Calls Discord. Never repeats a call; waits for its bucket, but not longer than the call's own deadline."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        root: str,
        token: str,
        clock: Clock,
        figures: Figures,
        proxy: str | None,
        callbacks: Callbacks | None = None,
    ) -> None:
        """``http``: a session whose connections are bounded. ``root``: with ``/api/v10``, without a slash at the end.

        ``callbacks``: what brings first answers; without it ``http`` does.
        """
        self._callbacks = callbacks
        self._http, self._root, self._clock, self._proxy = http, root.rstrip("/"), clock, proxy
        self._figures = figures
        self._authorization = f"Bot {token}"
        self.budget = Budget(clock)
        self.is_known = True
        """Whether Discord knew the bot's token when it was shown last."""

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        files: Sequence[Upload] = (),
        as_bot: bool = True,
        query: Mapping[str, str] | None = None,
        seconds: float = CALL_SECONDS,
        patience: float | None = None,
    ) -> Any:
        """One call; returns its JSON, or None. ``as_bot`` False: an interaction's own routes, which carry no token of ours.

        ``patience``: seconds to wait for room, when not as long as for the answer. Raises Refusal (429 also where there was no room),
        NoAnswer.
        """
        route, first = route_of(method, path) if as_bot else method, path.startswith(FIRST_ANSWERS)
        until = self._clock.monotonic() + (seconds if patience is None else patience)
        await self._wait_for_room(route, until, as_bot=as_bot, first=first)
        deadline = seconds + sum(file.bytes for file in files) / UPLOAD_BYTES_PER_SECOND
        outcome = "unanswered"
        try:
            async with asyncio.timeout(deadline):
                answer = await self._once(method, path, route, body, files, query, as_bot=as_bot)
            outcome = "ok"
            self.is_known = self.is_known or as_bot
        except Refusal as refusal:
            if as_bot:
                self.is_known = refusal.status != 401
            if first and refusal.status in COUNTED:
                self.budget.first_refused()
            outcome = "limited" if refusal.status == 429 else "refused"
            raise
        except (aiohttp.ClientConnectorError, NotSent) as error:
            raise NoAnswer(type(error).__name__, WasDone.NO) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoAnswer(type(error).__name__, WasDone.UNKNOWN) from error
        finally:
            if as_bot:
                self.budget.done(route)
            self._figures.platform_call("discord", outcome)
        return answer

    async def _wait_for_room(self, route: str, until: float, *, as_bot: bool, first: bool) -> None:
        """Wait while nothing may go out at all, then for the bucket; an interaction's own routes have none that is told in advance."""
        for _ in range(50):  # each wait is as long as Discord said; others may take the room first
            wait = self.budget.held(first=first)
            if wait <= 0 and as_bot:
                wait = self.budget.wait(route, bound_globally=True)
            if wait <= 0:
                self.budget.let_out(first=first)
                return
            if self._clock.monotonic() + wait > until:
                raise Refusal(429, 0, retry_after=wait)
            await self._clock.sleep(wait)
        raise Refusal(429, 0, retry_after=1.0)

    async def _once(
        self,
        method: str,
        path: str,
        route: str,
        body: Any,
        files: Sequence[Upload],
        query: Mapping[str, str] | None,
        *,
        as_bot: bool,
    ) -> Any:
        if self._callbacks is not None and path.startswith(FIRST_ANSWERS):
            return await self._first_answer(self._callbacks, path, body, query)
        headers = {"User-Agent": AGENT}
        if as_bot:
            headers["Authorization"] = self._authorization
        data: Any = None
        if files:
            data = _form(body, files)
        elif body is not None:
            data = json.dumps(body, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
        async with self._http.request(
            method,
            f"{self._root}{path}",
            data=data,
            headers=headers,
            params=query,
            proxy=self._proxy,
            allow_redirects=False,
            timeout=NO_TIMEOUT,
        ) as answer:
            if as_bot:
                self.budget.learn(route, answer.headers)
            text = await _read(answer)
            if answer.status < 300:
                return None if answer.status == 204 or not text else _json(text)
            raise self._refusal(route, answer, text, as_bot=as_bot)

    async def _first_answer(self, callbacks: Callbacks, path: str, body: Any, query: Mapping[str, str] | None) -> Any:
        target = path if not query else f"{path}?{urlencode(query)}"
        answer = await callbacks.post(target, json.dumps(body, separators=(",", ":")).encode())
        if answer.status < 300:
            return _json(answer.text) if answer.text else None
        raise self._refusal("", answer, answer.text, as_bot=False)

    def _refusal(self, route: str, answer: aiohttp.ClientResponse | Answer, text: bytes, *, as_bot: bool) -> Exception:
        status = answer.status
        try:
            said = json.loads(text)
        except ValueError:
            said = {}
        said = said if isinstance(said, dict) else {}
        code = said.get("code")
        number = code if isinstance(code, int) else 0
        if status >= 500:
            return NoAnswer(f"status {status}", WasDone.UNKNOWN)
        if status == 429:
            return self._too_fast(route, answer, said, number, as_bot=as_bot)
        if status in COUNTED:
            self.budget.refused()
        if (
            status == 403 and not said
        ):  # Discord itself gives a code: this is its edge, and says nothing about the message
            self.budget.shut(EDGE_SECONDS)
            return NoAnswer("edge 403", WasDone.NO)
        return Refusal(status, number)

    def _too_fast(
        self, route: str, answer: aiohttp.ClientResponse | Answer, said: Mapping[str, Any], code: int, *, as_bot: bool
    ) -> Refusal:
        from_edge = "Via" not in answer.headers  # the edge's own answers have not been through its proxy
        unsaid = EDGE_SECONDS if from_edge else 1.0
        try:
            retry_after = float(said.get("retry_after") or answer.headers.get("Retry-After") or unsaid)
        except (TypeError, ValueError):
            retry_after = unsaid
        retry_after = min(max(retry_after, 0.05), 3600.0)
        if answer.headers.get("X-RateLimit-Scope") != "shared":
            self.budget.refused()
        if from_edge:
            self.budget.shut(retry_after)
        elif as_bot and code != OLD_MESSAGE:
            self.budget.limited(route, retry_after, everywhere=bool(said.get("global")))
        return Refusal(429, code, retry_after=retry_after)


def _form(body: Any, files: Sequence[Upload]) -> aiohttp.MultipartWriter:
    """``payload_json`` and ``files[n]``, each file read from the disk while it is sent."""
    writer = aiohttp.MultipartWriter("form-data")
    part = writer.append_json(body)
    part.set_content_disposition("form-data", name="payload_json")
    for number, file in enumerate(files):
        part = writer.append(FileBody(file.path, file.bytes, file.mime))
        part.set_content_disposition("form-data", name=f"files[{number}]", filename=file.name)
    return writer


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    return await answer.content.read(TEXT_BYTES) if answer.content_length == 0 else (await answer.read())[:TEXT_BYTES]


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise NoAnswer("not JSON", WasDone.YES) from error
