"""The way to Vertex: the door through which the SDK's submit leaves, and a look at an operation whose answer carries the clip.

google-genai 3.4 builds the submit and reads its answer. What it does beside that was read and run in November 2026, and is avoided here.
With aiohttp it repeats a POST whose connection broke, 1 to 10 seconds later, unless it is told of retries; it follows redirects, and its
key goes along; and it looks for certificates on the event loop: so it is given a transport of httpx2. It turns pictures into text on the
loop, 15 ms for each megabyte, and holds them six times over; and its poll holds the clip five times over.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import ssl
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import cache
from typing import Any, Final

import aiohttp
import httpcore2
import httpx2  # the transport of google-genai since 3.0

from core.errors import Garbled, Unavailable
from core.ports import Sink
from providers.downloads import SLOW_SECONDS, SLOWEST, STILL_SECONDS
from providers.inline import skim
from providers.line import ASK_SECONDS, CONNECT_SECONDS, PIECE, SUBMIT_SECONDS, Answer, ReadError

VERSION: Final = "v1beta1"
CLIP_KEYS: Final = frozenset({"bytesBase64Encoded"})
REFUSAL_BYTES: Final = 64 << 10
TIMEOUTS: Final = {"connect": CONNECT_SECONDS, "pool": CONNECT_SECONDS, "write": SUBMIT_SECONDS, "read": SUBMIT_SECONDS}
POURED: Final = 48 << 10
"""Divisible by three: pieces of it become base64 that can be joined."""


def root_of(location: str | None) -> str:
    """Google's own root for a location; without one, of express mode."""
    if location is None or location == "global":
        return "https://aiplatform.googleapis.com"
    if location in ("us", "eu"):
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


@cache
def certificates() -> ssl.SSLContext:
    """Whom to trust; read once, which takes a tenth of a second."""
    return httpx2.create_ssl_context(trust_env=False)


@cache
def rehearsed() -> None:
    """Import what the first connection would import on the event loop. To be called in a thread without one."""
    asyncio.run(httpcore2.AnyIOBackend().sleep(0))


class Door(httpx2.AsyncHTTPTransport):
    """The connections on which the SDK sends; pictures are poured into what it sends.

    The SDK is given a few random letters in place of each picture; where their base64 stands in the body, the picture is written instead,
    piece by piece, while it leaves.
    """

    def __init__(self) -> None:
        """Each connection serves one request: one that Google closed while it lay idle would leave a submit in doubt."""
        limits = httpx2.Limits(max_connections=32, max_keepalive_connections=0)
        super().__init__(verify=certificates(), trust_env=False, limits=limits)
        self._held: dict[bytes, bytes] = {}

    @contextlib.contextmanager
    def holding(self, files: Mapping[str, bytes]) -> Iterator[Mapping[str, bytes]]:
        """What stands for each of ``files``, by the same names; until the context ends."""
        marks = {name: secrets.token_hex(24).encode() for name in files}
        texts = {
            name: b64encode(mark) for name, mark in marks.items()
        }  # letters and digits only, however it is encoded
        self._held.update({texts[name]: data for name, data in files.items()})
        try:
            yield marks
        finally:
            for text in texts.values():
                del self._held[text]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send. A connection that does not come about is given up early: that is another thing than an answer that does not come."""
        body, extensions = request.content, {**request.extensions, "timeout": TIMEOUTS}
        marks = re.finditer(b'"(' + b"|".join(self._held) + b')"', body) if self._held else ()
        poured = Poured(body, [(mark.start(1), len(mark[1]), self._held[mark[1]]) for mark in marks])
        headers = {**request.headers, "content-length": str(poured.size)}
        return await super().handle_async_request(
            httpx2.Request(request.method, request.url, headers=headers, stream=poured, extensions=extensions)
        )


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


class Looks:
    """Looks at operations: our own ``fetchPredictOperation``, read piece by piece."""

    def __init__(self, root: str, read_error: ReadError) -> None:
        """``read_error`` is asked about every answer from 300 on."""
        self._root, self._read_error = root, read_error
        self._session: aiohttp.ClientSession | None = None

    async def look(self, operation: str, headers: Mapping[str, str], sink: Sink | None = None) -> Any:
        """What Vertex says of ``operation``, as ``inline.skim`` returns it; the clip goes to ``sink``, if there is one.

        Raises Unavailable when no whole answer came, Garbled when it is no JSON, and what ``read_error`` makes of a refusal.
        """
        if self._session is None:
            jar = aiohttp.DummyCookieJar()
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64), cookie_jar=jar)
        url = f"{self._root}/{VERSION}/{operation.rpartition('/operations/')[0]}:fetchPredictOperation"
        timeout = aiohttp.ClientTimeout(
            total=ASK_SECONDS if sink is None else None, sock_connect=CONNECT_SECONDS, sock_read=STILL_SECONDS
        )
        body = {"operationName": operation}
        try:
            async with self._session.post(
                url, json=body, headers=dict(headers), timeout=timeout, allow_redirects=False
            ) as response:
                if response.status >= 300:
                    raise self._read_error(await _refusal(response), False)
                return await skim(_pieces(response), CLIP_KEYS, sink)
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise Unavailable(f"no whole answer: {type(error).__name__}") from error

    async def close(self) -> None:
        """Free the connections."""
        if self._session is not None:
            await self._session.close()
        self._session = None


async def _refusal(response: aiohttp.ClientResponse) -> Answer:
    body = bytearray()
    async for piece in response.content.iter_chunked(PIECE):
        body += piece
        if len(body) > REFUSAL_BYTES:
            raise Garbled("a refusal is too long", status=response.status)
    try:
        return Answer(response.status, response.headers, json.loads(bytes(body)), is_json=True)
    except (ValueError, RecursionError):
        return Answer(response.status, response.headers)


async def _pieces(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The body. Raises Unavailable from whoever sends so slowly that the connection is only held."""
    since, began = 0, time.monotonic()
    async for piece in response.content.iter_chunked(PIECE):
        yield piece
        since += len(piece)
        seconds = time.monotonic() - began
        if seconds >= SLOW_SECONDS:
            if since < SLOWEST * seconds:
                raise Unavailable("the result comes too slowly")
            since, began = 0, time.monotonic()
