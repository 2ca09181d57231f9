"""The CDN: signed links that expire (reference.mdx, Signed Attachment CDN URLs), and avatars."""

from __future__ import annotations

import hmac

from aiohttp import web

from tests.lab.discord.forms import Forms
from tests.lab.discord.journal import Journal
from tests.lab.discord.times import born
from tests.lab.discord.world import World

GONE = "This content is no longer available."


class Cdn:
    """Serves what was uploaded, with ranges; ``journal`` notes every download."""

    def __init__(self, world: World, forms: Forms, journal: Journal) -> None:
        self.world, self.forms, self.journal = world, forms, journal
        self.latency = 0.0
        self.ephemeral_seconds = 14 * 86_400.0
        """Ephemeral files go after a while, however fresh the link; how long a while is not documented."""
        self.down: int | None = None
        """A status for every download instead of the file."""

    def routes(self, app: web.Application) -> None:
        """Add them."""
        app.router.add_get("/attachments/{channel}/{id}/{name}", self.attachment)
        app.router.add_get("/ephemeral-attachments/{application}/{channel}/{id}/{name}", self.attachment)
        app.router.add_get("/avatars/{user}/{name}", self.avatar)
        app.router.add_get("/embed/avatars/{name}", self.avatar)

    async def attachment(self, request: web.Request) -> web.StreamResponse:
        """A file, if the link is good and not too old."""
        found = self.world.attachments.get(request.match_info["id"])
        status = self.down or self._status(request)
        old = found is not None and found.ephemeral and self.world.clock() - born(found.id) > self.ephemeral_seconds
        if found is None or old or not found.path.exists():
            status = self.down or 404
        self.journal.write("download", path=request.path, status=status)
        if status != 200 or found is None:
            return web.Response(status=status, text=GONE)
        return web.FileResponse(found.path, headers={"Content-Type": found.mime})

    def _status(self, request: web.Request) -> int:
        expires, issued = request.query.get("ex", ""), request.query.get("is", "")
        good = self.forms.sign(request.path, expires, issued)
        if not hmac.compare_digest(good, request.query.get("hm", "")):
            return 404
        return 200 if int(expires, 16) > self.world.clock() else 404

    async def avatar(self, request: web.Request) -> web.StreamResponse:
        """Somebody's picture; unsigned, as they are."""
        user = self.world.users.get(request.match_info.get("user", ""))
        self.journal.write("download", path=request.path, status=200 if user and user.avatar else 404)
        if user is None or user.avatar is None:
            return web.Response(status=404, text=GONE)
        return web.FileResponse(user.avatar, headers={"Content-Type": "image/png"})
