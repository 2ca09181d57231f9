"""``/api/templates``: prompts with places to fill in."""

from __future__ import annotations

from aiohttp import web

from bot.platforms.web.accounts import Caller
from bot.platforms.web.answers import answer
from bot.platforms.web.requests import read_json
from bot.platforms.web.site import Site
from core.templates import checked_name, checked_text, places


class TemplateRoutes:
    """Handlers of the template calls."""

    def __init__(self, site: Site) -> None:
        """Uses the site's engine."""
        self._site, self._engine = site, site.engine

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_get("/api/templates", self.listed)
        app.router.add_put("/api/templates/{name}", self.save)
        app.router.add_delete("/api/templates/{name}", self.drop)

    async def listed(self, request: web.Request) -> web.Response:
        """Every template that the caller can use, their own ones first, with its places and what stands there when nothing is said."""
        return await self._all(await self._site.caller(request))

    async def _all(self, caller: Caller) -> web.Response:
        words = self._site.words(caller.language)
        found = await self._engine.intake.templates.all(caller.account_id, words)
        listed = [
            {"name": name, "text": text, "own": own, "places": places(text)} for name, (text, own) in found.items()
        ]
        return answer({"templates": listed})

    async def save(self, request: web.Request) -> web.Response:
        """Keep a template of one's own under a name."""
        caller, data = await self._site.caller(request), await read_json(request)
        name, text = checked_name(request.match_info["name"]), checked_text(data.get("text"))
        await self._engine.parts.store.save_template(caller.account_id, name, text)
        return await self._all(caller)

    async def drop(self, request: web.Request) -> web.Response:
        """Forget one."""
        caller = await self._site.caller(request)
        await self._engine.parts.store.drop_template(caller.account_id, checked_name(request.match_info["name"]))
        return web.Response(status=204)
