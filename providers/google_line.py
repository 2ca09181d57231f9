"""The way on which Google's SDK sends: one door for Veo, Omni and Gemini. It knows httpx2 and none of Google's APIs.

google-genai 3.4 builds the calls and reads their answers. What it does beside that was read and run in November 2026, and is avoided here.
With aiohttp it repeats a POST whose connection broke, unless it is told of retries; it follows redirects, and its key goes along; it reads
an answer to its end, however long; and it turns pictures into text on the event loop, 15 ms for each megabyte, and holds them six times
over: so it is given letters in their place, and the pictures are poured in while the order leaves.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import httpcore2
import httpx2  # the transport of google-genai since 3.0

from core.errors import InvalidRequest, NothingSent, ProviderError, Unavailable, Unclear
from providers.line import CONNECT_SECONDS, SUBMIT_SECONDS

REFUSAL_BYTES: Final = 1 << 20
POURED: Final = 48 << 10
"""Divisible by three: pieces of it become base64 that can be joined."""
NOTHING_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
"""No connection came about. After any other failure of the transport a request may have been read."""
IN_TIME: Final = (httpx2.HTTPError, httpx2.StreamError, TimeoutError, OSError)
"""What another moment may mend."""


@dataclass(slots=True)
class Order:
    """One submit: its files, and whether it came to the door. ``marks``: what the SDK is given in place of each file."""

    marks: Mapping[str, bytes] = field(repr=False)
    texts: Mapping[bytes, bytes] = field(repr=False)
    """The files by what the SDK makes of their marks."""
    times: int = 0


ORDER: Final[ContextVar[Order | None]] = ContextVar("order", default=None)


@contextlib.contextmanager
def ordering(files: Mapping[str, bytes] | None = None) -> Iterator[Order]:
    """The call within is one paid submit with these files: the door lets it through once."""
    marks = {name: secrets.token_hex(24).encode() for name in files or {}}
    # Letters and digits only, however it is encoded.
    order = Order(marks, {b64encode(mark): (files or {})[name] for name, mark in marks.items()})
    token = ORDER.set(order)
    try:
        yield order
    finally:
        ORDER.reset(token)


def lost(error: BaseException, order: Order | None = None) -> ProviderError:
    """What a call means whose answer never came. ``order``: of a submit, which may have been taken unless it never came to the door."""
    name = type(error).__name__
    if order is None:
        return Unavailable(f"no answer: {name}")
    if order.times:
        is_certain = isinstance(error, NOTHING_SENT) and order.times == 1
        return NothingSent(f"no connection: {name}") if is_certain else Unclear(f"the answer was lost: {name}")
    if isinstance(error, IN_TIME):
        return NothingSent(f"the order was not sent in time: {name}")
    return InvalidRequest(f"the order could not be put into words: {name}")


@cache
def certificates() -> ssl.SSLContext:
    """Whom to trust; read once, which takes a tenth of a second."""
    return httpx2.create_ssl_context(trust_env=False)


@cache
def rehearsed() -> None:
    """Import what the first connection would import on the event loop. To be called in a thread without one."""
    certificates()
    asyncio.run(httpcore2.AnyIOBackend().sleep(0))


def speaking_through(door: Door) -> httpx2.AsyncClient:
    """What the SDK calls with. No redirect is followed, for the key would go with it."""
    timeout = httpx2.Timeout(SUBMIT_SECONDS, connect=CONNECT_SECONDS)
    return httpx2.AsyncClient(transport=door, timeout=timeout, follow_redirects=False, trust_env=False)


def nobody(said: Any) -> httpx2.Client:
    """Connections of the SDK's other half, which we do not use but to rehearse with: whatever is asked, ``said`` is the answer."""
    answering = httpx2.MockTransport(lambda _: httpx2.Response(200, json=said))
    return httpx2.Client(verify=certificates(), transport=answering)


class Door(httpx2.AsyncHTTPTransport):
    """The connections on which the SDK sends. Each serves one request: one that Google closed while it lay idle would leave a submit in
    doubt.
    """

    def __init__(self, answer_bytes: int | None) -> None:
        """``answer_bytes``: the most that is read of a good answer; None where whoever reads it sets the bounds."""
        limits = httpx2.Limits(max_connections=64, max_keepalive_connections=0)
        super().__init__(verify=certificates(), trust_env=False, limits=limits)
        self._answer_bytes = answer_bytes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send. A connection that does not come about is given up early: that is another thing than an answer that does not come.

        Raises RuntimeError for a second request of the same submit.
        """
        order = ORDER.get()
        files: Mapping[bytes, bytes] = {} if order is None else order.texts
        if order is not None:
            order.times += 1
            if order.times > 1:
                raise RuntimeError("a paid submit goes out once")
        body = request.content
        marks = re.finditer(b'"(' + b"|".join(files) + b')"', body) if files else ()
        poured = Poured(body, [(mark.start(1), len(mark[1]), files[mark[1]]) for mark in marks])
        given = request.extensions.get("timeout", {})
        timeout = {**given, "connect": CONNECT_SECONDS, "pool": CONNECT_SECONDS}
        headers = {**request.headers, "accept-encoding": "identity"}
        if body:
            headers["content-length"] = str(poured.size)
        response = await super().handle_async_request(
            httpx2.Request(
                request.method,
                request.url,
                headers=headers,
                stream=poured,
                extensions={**request.extensions, "timeout": timeout},
            )
        )
        most = REFUSAL_BYTES if response.status_code >= 300 else self._answer_bytes
        if most is not None:
            response.stream = Bounded(response.stream, most)
        return response


class Poured(httpx2.AsyncByteStream):
    """A JSON body with files in it, written as base64 while it leaves. ``places``: (where, how many bytes make room, the file)."""

    def __init__(self, body: bytes, places: list[tuple[int, int, bytes]]) -> None:
        self._body, self._places = body, places
        self.size = len(body) + sum((len(file) + 2) // 3 * 4 - room for _, room, file in places)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        after = 0
        for at, room, file in self._places:
            yield self._body[after:at]
            for start in range(0, len(file), POURED):
                yield b64encode(file[start : start + POURED])
                await asyncio.sleep(0)  # a socket that takes everything at once would leave the loop no turn
            after = at + room
        yield self._body[after:]


class Bounded(httpx2.AsyncByteStream):
    """An answer that breaks off where it becomes longer than any that is expected."""

    def __init__(self, stream: Any, most: int) -> None:
        self._stream, self._left = stream, most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._left -= len(piece)
            if self._left < 0:
                raise httpx2.ReadError("the answer is too long")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
