"""Looks at operations of Vertex by a call of our own: the answer carries the clip, which the SDK's poll holds five times over (3.4, run in
November 2026).
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import aiohttp

from core.errors import Garbled, Unavailable
from core.ports import Sink
from providers.downloads import SLOW_SECONDS, SLOWEST, STILL_SECONDS
from providers.inline import skim
from providers.line import ASK_SECONDS, CONNECT_SECONDS, PIECE, Answer, ReadError

VERSION: Final = "v1beta1"
CLIP_KEYS: Final = frozenset({"bytesBase64Encoded"})
REFUSAL_BYTES: Final = 64 << 10


def root_of(location: str | None) -> str:
    """Google's own root for a location; without one, of express mode."""
    if location is None or location == "global":
        return "https://aiplatform.googleapis.com"
    if location in ("us", "eu"):
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


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
