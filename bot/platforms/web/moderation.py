"""``/api/clips``: a shared clip as whoever has its link sees it, the word that it should not be here, and what an operator does then."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bot.platforms.web.accounts import ANONYMOUS, Caller
from bot.platforms.web.answers import answer
from bot.platforms.web.site import SIGNATURE, Site
from core.cards import card_of
from core.errors import NotAllowed, NotFound, NotSignedIn
from core.jobs import AssetKind
from storage.views import JobRow

SHOWN_FACTS: Final = frozenset({"facts.seconds", "facts.aspect", "facts.resolution"})
"""What a link tells beside the clip. The prompt stays with the person who wrote it."""


class ModerationRoutes:
    """Handlers of the calls about a clip that somebody may want gone. The desk that does it is the one of the command line."""

    def __init__(self, site: Site) -> None:
        """Uses the site's admin desk."""
        self._site, self._engine = site, site.engine

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_get("/api/clips/{id}", self.shown)
        app.router.add_post("/api/clips/{id}/report", self.report)
        app.router.add_post("/api/clips/{id}/takedown", self.takedown)
        app.router.add_post("/api/clips/{id}/block", self.block)

    async def shown(self, request: web.Request) -> web.Response:
        """The clip of a link, without who made it and of what words."""
        clip = await self._site.clip(request)
        language, caller = self._site.language(request), await self._caller(request)
        query = f"?{request.rel_url.raw_query_string}" if set(request.query) >= SIGNATURE else ""
        video = f"/api/mv/get_video/{clip.id}"
        body = {
            "video_id": clip.id,
            "video_url": f"{video}{query}",
            "download_url": f"{video}{query}{'&' if query else '?'}download=1",
            "thumbnail_url": None if clip.poster_key is None else f"{video}/poster{query}",
            "operator": caller is not None and await self._site.operator(caller) is not None,
            "made_line": None,
            "facts_line": None,
        }
        if clip.job_id is not None:
            words = self._site.words(language)
            view = await self._engine.desk.view(await self._engine.parts.store.view(clip.job_id))
            facts = [words.text(fact) for fact in card_of(view).facts if fact.id in SHOWN_FACTS]
            body |= {
                "made_line": words.say("shared.made", generator=view.generator_title),
                "facts_line": " · ".join(facts),
            }
        return answer(body)

    async def report(self, request: web.Request) -> web.Response:
        """Anybody's word about a clip that they see: their own, or one that they have a link to."""
        clip = await self._site.clip(request)
        if clip.job_id is None:
            raise NotFound("no job of it", message_id="error.clip_gone")
        caller = await self._caller(request)
        actor = ANONYMOUS if caller is None else caller.name
        await self._site.admin.do("report", {"job": clip.job_id}, actor=actor)
        return answer({"message": self._site.words(self._site.language(request)).say("report.done")})

    async def takedown(self, request: web.Request) -> web.Response:
        """Remove anybody's clip everywhere."""
        actor, caller = await self._operator(request)
        job = (await self._row(request)).job
        if job.hidden:
            raise NotFound("removed already", message_id="error.clip_gone")
        done = await self._site.admin.do("takedown", {"job": job.id}, actor=actor)
        self._site.hub.gone(job.account_id, job.id)
        said = self._site.words(caller.language).say("admin.taken_down")
        return answer(
            {"operation_id": job.id, "messages": done["messages"], "removed": done["removed"], "message": said}
        )

    async def block(self, request: web.Request) -> web.Response:
        """Take no more orders from whoever made the clip; also after it was taken down, by the job's id."""
        actor, caller = await self._operator(request)
        job = (await self._row(request)).job
        if job.account_id == caller.account_id:
            raise NotAllowed("one's own account")
        await self._site.admin.do("block", {"who": job.account_id}, actor=actor)
        said = self._site.words(caller.language).say("admin.blocked")
        return answer({"operation_id": job.id, "message": said})

    async def _caller(self, request: web.Request) -> Caller | None:
        """Who calls, or None: a link is enough to look and to report."""
        try:
            return await self._site.caller(request)
        except NotSignedIn:
            return None

    async def _operator(self, request: web.Request) -> tuple[str, Caller]:
        """The operator's name and who it is. To everybody else these calls are not there. Raises NotSignedIn, NotFound."""
        caller = await self._site.caller(request)
        name = await self._site.operator(caller)
        if name is None:
            raise NotFound("not an operator")
        return name, caller

    async def _row(self, request: web.Request) -> JobRow:
        """The job of the address, which names it or its clip. Raises NotFound."""
        wanted = request.match_info["id"][:64]
        try:
            clip = await self._engine.parts.store.clip(wanted)
        except NotFound:
            return await self._engine.parts.store.view(wanted)
        if clip.kind is not AssetKind.CLIP or clip.job_id is None:
            raise NotFound("no clip of a job", message_id="error.clip_gone")
        return await self._engine.parts.store.view(clip.job_id)
