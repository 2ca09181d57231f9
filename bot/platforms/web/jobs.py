"""``/api/video_chat``: order, watch, cancel, delete and star clips."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from bot.commands.making import said_changes
from bot.engine.status import STATUS, applied_fields
from bot.platforms.web.accounts import Caller
from bot.platforms.web.answers import answer
from bot.platforms.web.requests import Upload, read_form, read_json
from bot.platforms.web.site import Site
from core.errors import BadOption, Conflict, NotFound
from core.requests import MOST_PICTURES
from core.states import JobState

PAGE: Final = 50
PAGE_MOST: Final = 200
ONLY: Final = ("favourites", "with_image", "completed", "films")


class JobRoutes:
    """Handlers of the job calls."""

    def __init__(self, site: Site) -> None:
        """Uses the site's engine."""
        self._site, self._engine = site, site.engine

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        prefix = "/api/video_chat"
        app.router.add_post(f"{prefix}/generate", self.generate)
        app.router.add_post(f"{prefix}/generate_with_image", self.generate_with_image)
        app.router.add_post(f"{prefix}/estimate", self.estimate)
        app.router.add_post(f"{prefix}/status", self.status)
        app.router.add_get(f"{prefix}/operations", self.operations)
        app.router.add_post(f"{prefix}/cancel", self.cancel)
        app.router.add_post(f"{prefix}/check_again", self.check_again)
        app.router.add_post(f"{prefix}/resend", self.resend)
        app.router.add_delete(f"{prefix}/operations/{{id}}", self.delete)
        app.router.add_put(f"{prefix}/favourites/{{id}}", self.favourite)
        app.router.add_delete(f"{prefix}/favourites/{{id}}", self.unfavourite)

    async def generate(self, request: web.Request) -> web.Response:
        """202 with the operation id, after the commit."""
        caller = await self._site.caller(request)
        return await self._ordered(caller, await read_json(request), None)

    async def generate_with_image(self, request: web.Request) -> web.Response:
        """The same with a picture in a multipart form."""
        caller = await self._site.caller(request)
        fields, upload = await read_form(request, self._engine.parts.clips)
        if upload is None:
            raise BadOption("image_file", "nothing", "a PNG, JPEG or WebP picture of up to 20 MB")
        return await self._ordered(caller, fields, upload)

    async def _ordered(self, caller: Caller, fields: dict[str, Any], upload: Upload | None) -> web.Response:
        job, is_new = await self._site.order(caller, fields, upload)
        words = self._site.words(caller.language)
        body = {
            "operation_id": job.id,
            "status": STATUS[job.state],
            "price": job.price,
            "applied": applied_fields(job.applied),
            "changed": said_changes(job.changed, words),
        }
        if fields.get("variations") not in (None, ""):
            body["operation_ids"] = await self._engine.parts.store.variations(job.id)
        return answer(body | ({} if is_new else {"repeated": True}), 202)

    async def estimate(self, request: web.Request) -> web.Response:
        """What it would cost and be; nothing is held."""
        caller = await self._site.caller(request)
        fields = await read_json(request)
        settings = (await self._engine.parts.store.account(caller.account_id)).settings
        if fields.get("prompt") in (None, ""):
            fields["prompt"] = "a clip"
        pictures = _how_many(fields.get("with_image"))
        offer, price = await self._engine.intake.offer(
            fields,
            with_picture=pictures > 0,
            pictures=pictures,
            last_frame=_whether(fields.get("with_last_image")),
            settings=settings,
            account_id=caller.account_id,
        )
        words = self._site.words(caller.language)
        body = {"price": price, "applied": applied_fields(offer.applied), "changed": said_changes(offer.changed, words)}
        return answer({**body, "generator": offer.provider.name})

    async def status(self, request: web.Request) -> web.Response:
        """The status object."""
        caller = await self._site.caller(request)
        return answer(await self._site.status(caller, _id(await read_json(request))))

    async def operations(self, request: web.Request) -> web.Response:
        """The caller's own jobs, newest first."""
        caller = await self._site.caller(request)
        query = request.query
        only = query.get("only") or None
        if only is not None and only not in ONLY:
            raise BadOption("only", only, f"{', '.join(ONLY[:-1])} or {ONLY[-1]}")
        limit = _limit(query.get("limit"))
        rows = await self._engine.parts.store.history(
            caller.account_id,
            limit=limit + 1,
            before=query.get("before") or None,
            session_id=query.get("session_id") or None,
            only=only,
        )
        words = self._site.words(caller.language)
        found = [await self._engine.desk.status(row, words) for row in rows[:limit]]
        return answer({"operations": found, "next": rows[limit - 1].job.id if len(rows) > limit else None})

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancel or stop waiting; answers with the status object as it is then."""
        caller = await self._site.caller(request)
        job_id = _id(await read_json(request))
        await self._engine.parts.store.view(job_id, caller.account_id)
        await self._engine.cancel(job_id)
        return answer(await self._site.status(caller, job_id))

    async def check_again(self, request: web.Request) -> web.Response:
        """Look an unclear job up now."""
        caller = await self._site.caller(request)
        job_id = _id(await read_json(request))
        row = await self._engine.parts.store.view(job_id, caller.account_id)
        if row.job.state is not JobState.UNCLEAR:
            raise Conflict("the job is not unclear")
        await self._engine.check_again(job_id)
        return answer(await self._site.status(caller, job_id))

    async def resend(self, request: web.Request) -> web.Response:
        """Show or post the clip once more where it belongs."""
        caller = await self._site.caller(request)
        job_id = _id(await read_json(request))
        await self._engine.parts.store.view(job_id, caller.account_id)
        await self._engine.resend(job_id)
        return answer(await self._site.status(caller, job_id))

    async def delete(self, request: web.Request) -> web.Response:
        """Take a job out of the history with its clip."""
        caller = await self._site.caller(request)
        job_id = request.match_info["id"]
        await self._engine.parts.store.view(job_id, caller.account_id)
        await self._engine.delete(job_id)
        self._site.hub.gone(caller.account_id, job_id)
        return web.Response(status=204)

    async def favourite(self, request: web.Request) -> web.Response:
        """Star: the clip is kept beyond retention."""
        return await self._star(request, on=True)

    async def unfavourite(self, request: web.Request) -> web.Response:
        """Take the star away."""
        return await self._star(request, on=False)

    async def _star(self, request: web.Request, *, on: bool) -> web.Response:
        caller = await self._site.caller(request)
        clip = await self._engine.parts.store.own_clip(request.match_info["id"], caller.account_id)
        await self._engine.parts.store.set_favourite(caller.account_id, clip.id, on=on)
        if clip.job_id is not None:
            await self._site.hub.publish(caller.account_id, clip.job_id)
        return web.Response(status=204)


def _id(data: dict[str, Any]) -> str:
    value = data.get("operation_id")
    if not isinstance(value, str) or not value:
        raise BadOption(
            "operation_id", "nothing" if value in (None, "") else value, "the id that generate answered with"
        )
    if len(value) > 64:
        raise NotFound("no such job")
    return value


def _limit(text: str | None) -> int:
    if text is None or text == "":
        return PAGE
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:6]) <= PAGE_MOST:
        raise BadOption("limit", text, f"a whole number from 1 to {PAGE_MOST}")
    return int(text)


def _how_many(value: Any) -> int:
    """Pictures that would come with an order: a number, or whether there is one."""
    if isinstance(value, int) and 0 <= value <= MOST_PICTURES:  # true is 1
        return int(value)
    said = {None: 0, "": 0, "false": 0, "true": 1}
    if value is None or (isinstance(value, str) and value in said):
        return said[value]
    if isinstance(value, str) and value.isascii() and value.isdecimal() and int(value[:4]) <= MOST_PICTURES:
        return int(value)
    raise BadOption("with_image", value, f"true, false or how many, up to {MOST_PICTURES}")


def _whether(value: Any) -> bool:
    """Whether a picture with which the clip ends would come with an order."""
    if value in (None, "", False, "false"):
        return False
    if value in (True, "true"):
        return True
    raise BadOption("with_last_image", value, "true or false")
