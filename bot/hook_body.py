"""The body of a webhook's call, however many pieces it comes in."""

from __future__ import annotations

import asyncio

from aiohttp import web


async def whole_body(request: web.Request, most: int, seconds: float) -> bytes:
    """The body; of one that is larger than ``most`` bytes a byte more than that. Raises TimeoutError when it takes longer."""
    body = b""
    async with asyncio.timeout(seconds):
        while len(body) <= most and (piece := await request.content.read(most + 1 - len(body))):
            body += piece
    return body
