"""Long answers to readers who may be slow: every write has a deadline, and a reader who takes nothing is let go."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

EVENT_PATIENCE: Final = 30.0
"""Seconds that a page may take nothing of its stream of events; it catches up when it comes back."""
FILE_PATIENCE: Final = 600.0
"""The same for a file. A paused player takes nothing for minutes, and asks again by Range when it was let go."""


async def send(request: web.Request, response: web.StreamResponse, piece: bytes, patience: float) -> None:
    """Write ``piece``, waiting up to ``patience`` seconds for the reader.

    Raises ConnectionResetError when the reader took nothing for so long; the connection is gone then, because ending the answer in good
    order would wait for the same reader again.
    """
    try:
        async with asyncio.timeout(patience):
            await response.write(piece)
    except TimeoutError as error:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the reader takes nothing") from error
