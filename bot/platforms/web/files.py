"""Files of the clip store as answers: whole, by Range, and not at all where the browser has them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from bot.platforms.web.answers import error_answer
from bot.platforms.web.ranges import read_range
from bot.platforms.web.sending import FILE_PATIENCE, send
from bot.platforms.web.site import Site
from core.errors import NotFound


async def send_picture(site: Site, request: web.Request, key: str, mime: str | None = None) -> web.StreamResponse:
    """A small file of ours, which never changes under its key. Raises NotFound."""
    size = await site.engine.parts.clips.size(key)
    if size is None:
        raise NotFound("no file", message_id="error.picture_gone")
    if mime is None:
        head = b"".join([piece async for piece in site.engine.parts.clips.open_range(key, 0, min(8, size))])
        mime = "image/png" if head.startswith(b"\x89PNG") else "image/jpeg"
    return await send_file(site, request, key, size, mime, {"Cache-Control": "private, max-age=86400"})


async def send_file(
    site: Site, request: web.Request, key: str, size: int, mime: str, headers: dict[str, str]
) -> web.StreamResponse:
    """A file of the clip store, or the range of it that is asked for. Raises NotFound."""
    etag = headers.get("ETag")
    if etag is not None and etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    wanted = request.headers.get("Range")
    if wanted is not None and request.headers.get("If-Range") not in (None, etag):
        wanted = None
    found = read_range(wanted, size)
    if found == "unsatisfiable":
        words = site.words(site.language(request))
        refused = error_answer(
            416,
            name="RangeNotSatisfiable",
            code="INVALID_REQUEST",
            message=words.say("error.range"),
            now=site.engine.parts.clock.now(),
        )
        refused.headers["Content-Range"] = f"bytes */{size}"
        return refused
    start, length = (0, size) if found == "whole" else found
    if await site.engine.parts.clips.size(key) is None:
        raise NotFound("no file", message_id="error.clip_gone")
    response = web.StreamResponse(status=200 if found == "whole" else 206, headers=headers)
    response.content_type, response.content_length = mime, length
    if found != "whole":
        response.headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
    await response.prepare(request)
    if request.method != "HEAD":
        try:
            pieces: AsyncIterator[bytes] = site.engine.parts.clips.open_range(key, start, length)
            async for piece in pieces:
                await send(request, response, piece, FILE_PATIENCE)
        except ConnectionError:
            return response  # a browser that seeks hangs up; that is normal
    return response
