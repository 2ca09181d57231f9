"""A line to one vendor: JSON calls over HTTP whose failures already say whether the vendor can have heard them.

Every generator that speaks HTTP without an SDK uses one. What a status means is the generator's own table; here stand the rules that are
the same for all: nothing is repeated, no redirect is followed (a key would go with it), and no answer is read without bounds.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp

from core.errors import Garbled, InvalidRequest, NothingSent, ProviderError, Unavailable, Unclear
from providers.poured import Body

ANSWER_BYTES: Final = 4 << 20
"""More than any answer without a clip in it has."""
ASK_SECONDS: Final = 25.0
"""Below the engine's own 30 seconds for a call, so that the reason is ours to tell."""
SUBMIT_SECONDS: Final = 100.0
PREPARE_SECONDS: Final = 90.0
"""Below the engine's own 110 seconds for a submit: what it ends counts as sent."""
CONNECT_SECONDS: Final = 10.0
RETRY_AFTER_MOST: Final = 86_400.0
REFUSING: Final = frozenset({301, 302, 307, 308, 405, 406, 410, 411, 413, 414, 415, 417, 421, 426, 428, 431, 451, 501})
"""Answers to a submit that nobody gives who took it, whatever a generator's own table says of them: the address is wrong, or the form."""
PIECE: Final = 64 << 10


@asynccontextmanager
async def preparing() -> AsyncIterator[None]:
    """What comes before a submit, such as encoding pictures. Raises NothingSent where that fails or takes too long."""
    try:
        async with asyncio.timeout(PREPARE_SECONDS):
            yield
    except (TimeoutError, OSError) as error:
        raise NothingSent(f"the submit could not be prepared: {type(error).__name__}") from None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a vendor answered; ``data`` is its JSON, or None when the body is none (``is_json`` tells)."""

    status: int
    headers: Mapping[str, str]
    data: Any = None
    is_json: bool = False

    @property
    def retry_after(self) -> float | None:
        """Seconds that the vendor asks us to wait, if it does."""
        return retry_after(self.headers)


ReadError = Callable[[Answer, bool], ProviderError]
"""(answer, whether it is to a submit) → the error that its status means; the table of each generator."""


@dataclass(slots=True)
class Line:
    """Connections to one vendor's root. Opened at the first call; ``close`` frees them.

    ``headers`` go with every call (the key). ``read_error`` is asked about every answer from 300 on.
    """

    root: str
    read_error: ReadError
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    _session: aiohttp.ClientSession | None = field(default=None, repr=False)
    _fresh: aiohttp.ClientSession | None = field(default=None, repr=False)

    async def submit(
        self, path: str, body: Any, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """POST once, on a connection of its own: one that the vendor closed while it lay idle would leave the answer in doubt.

        ``body`` may have files in it (``providers/poured.py``).
        Raises NothingSent when no connection came about, Unclear when the answer was lost or cannot be read, and what
        ``read_error`` makes of a refusal.
        """
        if self._fresh is None:
            self._fresh = _session(self.headers, aiohttp.TCPConnector(limit=32, force_close=True))
        timeout = aiohttp.ClientTimeout(total=SUBMIT_SECONDS, sock_connect=CONNECT_SECONDS)
        poured = Body(body)
        try:
            async with self._fresh.post(
                self.root + path,
                data=poured.pieces(),
                params=params,
                headers={**(headers or {}), **poured.headers()},
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                answer = await read_answer(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NothingSent(f"no connection: {type(error).__name__}") from error
        except (aiohttp.ClientError, TimeoutError, OSError, Garbled) as error:
            raise Unclear(f"the answer was lost: {type(error).__name__}") from error
        if answer.status >= 300:
            raise self.read_error(answer, True)
        if not answer.is_json:
            raise Unclear("the answer to a submit is no JSON", status=answer.status)
        return answer

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        passes: tuple[int, ...] = (),
    ) -> Answer:
        """A call that may be made again by whoever wants to. Statuses of ``passes`` are returned like good ones.

        Raises Unavailable when no answer came, Garbled when a good one is no JSON, and what ``read_error`` makes of a refusal.
        """
        if self._session is None:
            self._session = _session(self.headers, aiohttp.TCPConnector(limit=64))
        timeout = aiohttp.ClientTimeout(total=ASK_SECONDS, sock_connect=CONNECT_SECONDS)
        try:
            async with self._session.request(
                method,
                self.root + path,
                json=body,
                params=params,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                answer = await read_answer(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"no answer: {type(error).__name__}") from error
        if answer.status in passes:
            return answer
        if answer.status >= 300:
            raise self.read_error(answer, False)
        if not answer.is_json and answer.status != 204:
            raise Garbled("the answer is no JSON", status=answer.status)
        return answer

    async def close(self) -> None:
        """Free the connections."""
        for session in (self._session, self._fresh):
            if session is not None:
                await session.close()
        self._session = self._fresh = None


def _session(headers: Mapping[str, str], connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers=dict(headers), connector=connector, cookie_jar=aiohttp.DummyCookieJar())


async def read_answer(response: aiohttp.ClientResponse) -> Answer:
    """The whole answer. Raises Garbled when it is longer than any is."""
    body = bytearray()
    async for piece in response.content.iter_chunked(PIECE):
        body += piece
        if len(body) > ANSWER_BYTES:
            raise Garbled("the answer is too long", status=response.status)
    try:
        return Answer(response.status, response.headers, json.loads(bytes(body)), is_json=True)
    except (ValueError, RecursionError):
        return Answer(response.status, response.headers)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a ``Retry-After`` header, as a number or as an HTTP date; None when there is none that can be read.

    A date is held against the answer's own ``Date``, so that a vendor's wrong clock does no harm. At most a day.
    """
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        return min(RETRY_AFTER_MOST, max(0.0, float(text))) if text.lower() not in {"nan", "inf"} else None
    except ValueError:
        pass
    until, now = _date(text), _date(headers.get("Date", "")) or datetime.now(UTC)
    return None if until is None else min(RETRY_AFTER_MOST, max(0.0, (until - now).total_seconds()))


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def refused_or_unclear(kind: type[ProviderError] | None, answer: Answer, *, submitting: bool) -> ProviderError:
    """The error of a status that a table knows as ``kind``, or does not know (None): then a submit may have been taken."""
    if kind is None and submitting and answer.status in REFUSING:
        kind = InvalidRequest
    if kind is None:
        lost = submitting and not 300 <= answer.status < 400
        return Unclear("an unknown status", status=answer.status) if lost else Unavailable("", status=answer.status)
    return kind(retry_after=answer.retry_after, status=answer.status)
