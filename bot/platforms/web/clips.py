"""``/api/mv``: clips by Range, their posters, signed links, and the waiting ``generate_video``."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from bot.engine.status import iso
from bot.platforms.web.accounts import Caller
from bot.platforms.web.answers import Coming, answer, error_answer
from bot.platforms.web.ranges import read_range
from bot.platforms.web.requests import Upload, read_json, store_picture
from bot.platforms.web.sending import FILE_PATIENCE, send
from bot.platforms.web.site import CLIP_ID, SIGNATURE, Site
from core.errors import BadOption, NotFound, ReelayError
from core.jobs import Clip, Job
from core.states import JobState

LINK_HOURS: Final = 24
PICTURE_JSON_BYTES: Final = 28 << 20
"""20 MB of picture in base64, and the rest of the object."""
WAIT_SECONDS: Final = 2 * 3600.0
LOOK_SECONDS: Final = 0.25
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
        app.router.add_post("/api/mv/generate_video", self.generate_video)
        for path in (
            "/api/mv/create_scenes",
            "/api/mv/generate_character_reference",
            "/api/mv/merge",
            "/api/films/{id}/approve",
        ):
            app.router.add_post(path, self.coming)
        app.router.add_get("/api/films/{id}", self.coming)
        app.router.add_patch("/api/films/{id}", self.coming)

    async def coming(self, request: web.Request) -> web.Response:
        """501: the film release answers this."""
        await self._site.caller(request)
        raise Coming("later")

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
        return await self._file(request, clip.key, clip.bytes, clip.mime, headers)

    async def poster(self, request: web.Request) -> web.StreamResponse:
        """The clip's still."""
        clip = await self._site.clip(request)
        if clip.poster_key is None:
            raise NotFound("no poster", message_id="error.clip_gone")
        return await self._small(request, clip.poster_key, "image/jpeg")

    async def source(self, request: web.Request) -> web.StreamResponse:
        """The person's own picture, cleaned; of several the first."""
        caller = await self._site.caller(request)
        row = await self._engine.parts.store.view(request.match_info["id"], caller.account_id)
        keys = row.job.applied.pictures
        if not keys:
            raise NotFound("no picture", message_id="error.picture_gone")
        return await self._small(request, keys[0], None)

    async def _small(self, request: web.Request, key: str, mime: str | None) -> web.StreamResponse:
        size = await self._engine.parts.clips.size(key)
        if size is None:
            raise NotFound("no file", message_id="error.picture_gone")
        if mime is None:
            head = b"".join([piece async for piece in self._engine.parts.clips.open_range(key, 0, min(8, size))])
            mime = "image/png" if head.startswith(b"\x89PNG") else "image/jpeg"
        return await self._file(request, key, size, mime, {"Cache-Control": "private, max-age=86400"})

    async def _file(
        self, request: web.Request, key: str, size: int, mime: str, headers: dict[str, str]
    ) -> web.StreamResponse:
        etag = headers.get("ETag")
        if etag is not None and etag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        wanted = request.headers.get("Range")
        if wanted is not None and request.headers.get("If-Range") not in (None, etag):
            wanted = None
        found = read_range(wanted, size)
        if found == "unsatisfiable":
            words = self._site.words(self._site.language(request))
            refused = error_answer(
                416,
                name="RangeNotSatisfiable",
                code="INVALID_REQUEST",
                message=words.say("error.range"),
                now=self._engine.parts.clock.now(),
            )
            refused.headers["Content-Range"] = f"bytes */{size}"
            return refused
        start, length = (0, size) if found == "whole" else found
        if await self._engine.parts.clips.size(key) is None:
            raise NotFound("no file", message_id="error.clip_gone")
        response = web.StreamResponse(status=200 if found == "whole" else 206, headers=headers)
        response.content_type, response.content_length = mime, length
        if found != "whole":
            response.headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
        await response.prepare(request)
        if request.method != "HEAD":
            try:
                pieces: AsyncIterator[bytes] = self._engine.parts.clips.open_range(key, start, length)
                async for piece in pieces:
                    await send(request, response, piece, FILE_PATIENCE)
            except ConnectionError:
                return response  # a browser that seeks hangs up; that is normal
        return response

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

    async def generate_video(self, request: web.Request) -> web.Response:
        """Order a clip and wait for it; whoever hangs up cancels nothing."""
        caller = await self._site.caller(request)
        data = await read_json(request, PICTURE_JSON_BYTES)
        fields, upload = await self._mv_fields(data)
        try:
            job, _ = await self._site.order(caller, fields, upload)
        except BadOption as error:
            if error.field == "provider":  # this call names it backend
                raise BadOption("backend", data.get("backend"), error.legal) from error
            raise
        if "respond-async" in request.headers.get("Prefer", ""):
            return answer({"operation_id": job.id, "status": "pending"}, 202)
        began = time.monotonic()
        job = await self._wait(job)
        if job.state is not JobState.DONE or job.clip_id is None:
            raise as_error(job)
        return answer(await self._made(caller, job, fields, time.monotonic() - began))

    async def _mv_fields(self, data: dict[str, Any]) -> tuple[dict[str, Any], Upload | None]:
        fields = dict(data)
        backend = fields.pop("backend", None)
        if backend not in (None, ""):
            fields["provider"] = backend
        template = fields.pop("video_rules_template", None)
        if template not in (None, ""):
            if not isinstance(template, str) or len(template) > 2000:
                raise BadOption("video_rules_template", template, "text of up to 2000 characters")
            fields["prompt"] = f"{fields.get('prompt') or ''}\n{template}"
        picture = fields.pop("reference_image_base64", None)
        if picture in (None, ""):
            return fields, None
        try:
            raw = await asyncio.to_thread(base64.b64decode, str(picture).split(",", 1)[-1], validate=True)
        except (ValueError, binascii.Error) as error:
            raise BadOption(
                "reference_image_base64", "something else", "a PNG, JPEG or WebP picture in base64"
            ) from error
        return fields, await store_picture(raw, self._engine.parts.clips)

    async def _wait(self, job: Job) -> Job:
        until = self._engine.parts.clock.monotonic() + WAIT_SECONDS
        while not job.ended and job.cancel_wish is None and self._engine.parts.clock.monotonic() < until:
            await self._engine.parts.clock.sleep(LOOK_SECONDS)
            job = await self._engine.parts.store.job(job.id)
        return job

    async def _made(self, caller: Caller, job: Job, fields: dict[str, Any], seconds: float) -> dict[str, Any]:
        clip = await self._engine.parts.store.own_clip(str(job.clip_id), caller.account_id)
        applied = job.applied
        parameters = {
            "aspect_ratio": applied.aspect_ratio,
            "duration": applied.seconds,
            "generate_audio": applied.audio,
            "seed": applied.seed,
        }
        return {
            "video_id": clip.id,
            "video_path": f"clips/{clip.key[:2]}/{clip.key}",
            "video_url": f"/api/mv/get_video/{clip.id}",
            "metadata": {
                "prompt": fields.get("prompt") or "",
                "backend_used": applied.provider,
                "model_used": applied.model,
                "parameters_used": parameters,
                "generation_timestamp": iso(clip.created_at),
                "processing_time_seconds": round(seconds, 3),
            },
        }


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


def as_error(job: Job) -> ReelayError:
    """A job without a clip, as the error of the call that waited for it: ended, given up, or still under way after all that waiting."""
    failure = job.failure
    if not job.ended and job.cancel_wish is None:
        legal = {"field": "operation_id", "legal": job.id}  # what to ask for; goes into the details
        late = ReelayError(f"job {job.id} is {job.state}", message_id="error.still_making", values=legal)
        vars(late)["code"] = "TIMEOUT"
        return late
    error = ReelayError(
        f"job {job.id} is {job.state}",
        message_id="state.cancelled" if failure is None else failure.message_id,
        values={} if failure is None else dict(failure.values),
    )
    vars(error)["code"] = "CANCELLED" if failure is None else failure.code
    return error
