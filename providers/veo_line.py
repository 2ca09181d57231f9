"""Looks at operations of Vertex by a call of our own: the answer carries the clip, which the SDK's poll holds five times over (3.4, run in
November 2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from core.errors import Unavailable
from core.ports import Sink
from providers.downloads import STILL_SECONDS, paced
from providers.inline import skim
from providers.line import ASK_SECONDS, CONNECT_SECONDS, ReadError, read_answer

VERSION: Final = "v1beta1"
CLIP_KEYS: Final = frozenset({"bytesBase64Encoded"})


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
                    raise self._read_error(await read_answer(response), False)
                return await skim(paced(response), CLIP_KEYS, sink)
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise Unavailable(f"no whole answer: {type(error).__name__}") from error

    async def close(self) -> None:
        """Free the connections."""
        if self._session is not None:
            await self._session.close()
        self._session = None
