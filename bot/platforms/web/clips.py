"""``/api/mv``: clips by Range, their posters, and signed links."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from bot.engine.status import iso
from bot.platforms.web.answers import answer
from bot.platforms.web.files import send_file, send_picture
from bot.platforms.web.site import CLIP_ID, SIGNATURE, Site
from core.errors import NotFound
from core.jobs import Clip

LINK_HOURS: Final = 24
NEGOTIATED: Final = {"Cache-Control": "private, no-cache", "Vary": "Sec-Fetch-Dest, Upgrade-Insecure-Requests"}


class ClipRoutes:
    """Handlers of the clip calls."""

    def __init__(self, site: Site) -> None:
        """Uses the site's engine and links."""
        self._site, self._engine = site, site.engine

    def add_to(self, app: web.Application) -> None:
        """Register the routes; ``add_get`` also answers HEAD."""
        app.router.add_get("/api/mv/get_video/{id}", self.get_video)
        app.router.add_get("/api/mv/get_video/{id}/info", self.info)
        app.router.add_get("/api/mv/get_video/{id}/poster", self.poster)
        app.router.add_post("/api/mv/get_video/{id}/link", self.link)
        app.router.add_get("/api/video_chat/sources/{id}", self.source)

    async def get_video(self, request: web.Request) -> web.StreamResponse:
        """The clip or a range of it; whoever opens a signed link in a browser gets the page around it, on which it can be reported."""
        if is_opened(request):
            clip_id = request.match_info["id"]
            if not CLIP_ID.fullmatch(clip_id):
                raise NotFound("no such clip", message_id="error.clip_gone")
            address = f"/clip/{clip_id}?{request.rel_url.raw_query_string}"
            return web.Response(status=303, headers={"Location": address, **NEGOTIATED})
        clip = await self._site.clip(request)
        headers = {"Accept-Ranges": "bytes", "ETag": f'"{clip.sha256[:32]}"', **NEGOTIATED}
        headers["Last-Modified"] = datetime.fromtimestamp(clip.created_at // 1000, UTC).strftime(
            "%a, %d %b %Y %H:%M:%S GMT"
        )
        if request.query.get("download"):
            headers["Content-Disposition"] = f'attachment; filename="reelay-{clip.id[:8]}.mp4"'
        return await send_file(self._site, request, clip.key, clip.bytes, clip.mime, headers)

    async def poster(self, request: web.Request) -> web.StreamResponse:
        """The clip's still."""
        clip = await self._site.clip(request)
        if clip.poster_key is None:
            raise NotFound("no poster", message_id="error.clip_gone")
        return await send_picture(self._site, request, clip.poster_key, "image/jpeg")

    async def source(self, request: web.Request) -> web.StreamResponse:
        """The person's own picture, cleaned; of several the first."""
        caller = await self._site.caller(request)
        row = await self._engine.parts.store.view(request.match_info["id"], caller.account_id)
        keys = row.job.applied.pictures
        if not keys:
            raise NotFound("no picture", message_id="error.picture_gone")
        return await send_picture(self._site, request, keys[0])

    async def info(self, request: web.Request) -> web.Response:
        """Whether the clip exists, and its size."""
        clip_id = request.match_info["id"]
        try:
            clip = await self._site.clip(request)
        except NotFound:
            return answer({"video_id": clip_id, "exists": False, "file_size_bytes": None, "created_at": None})
        return answer(
            {"video_id": clip.id, "exists": True, "file_size_bytes": clip.bytes, "created_at": iso(clip.created_at)}
        )

    async def link(self, request: web.Request) -> web.Response:
        """A link that needs no account, for a day."""
        caller = await self._site.caller(request)
        clip = await self._engine.parts.store.own_clip(request.match_info["id"], caller.account_id)
        expires = self._engine.parts.clock.now() + LINK_HOURS * 3_600_000
        root = self._site.public_url or f"{request.scheme}://{request.host}"
        return answer({"url": clip_link(self._site, clip, root, expires), "expires_at": iso(expires)})


def is_opened(request: web.Request) -> bool:
    """Whether a person follows a signed link in a browser: not a player, a download, a program or the preview of a chat.

    Browsers say so themselves: with Sec-Fetch-Dest (Fetch Metadata) to https and to this machine, else with Upgrade-Insecure-Requests.
    """
    if request.method != "GET" or not set(request.query) >= SIGNATURE or request.query.get("download"):
        return False
    meant = request.headers.get("Sec-Fetch-Dest")
    return meant == "document" if meant is not None else request.headers.get("Upgrade-Insecure-Requests") == "1"


def clip_link(site: Site, clip: Clip, root: str, expires_at: int) -> str:
    """The full address of a signed link."""
    return f"{root}/api/mv/get_video/{clip.id}?{urlencode(site.links.sign(clip.id, expires_at_ms=expires_at, scope='play'))}"
