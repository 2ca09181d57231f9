"""``/api/mv``: the steps of a music video one by one, for programs: scenes, a character, clips that are waited for, and the merge."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from bot.engine.status import STATUS, iso
from bot.platforms.web.accounts import Caller
from bot.platforms.web.answers import answer
from bot.platforms.web.requests import Upload, read_form, read_json, store_picture
from bot.platforms.web.site import Site
from core.errors import BadOption, MediaError, NotFound, ReelayError
from core.fields import read_whole
from core.films import CHARACTER_CHARACTERS, RULES_CHARACTERS, with_rules
from core.jobs import Job, JobKind
from core.requests import PROMPT_CHARACTERS
from core.states import JobState

PICTURE_JSON_BYTES: Final = 28 << 20
"""20 MB of picture in base64, and the rest of the object."""
WAIT_SECONDS: Final = 2 * 3600.0
LOOK_SECONDS: Final = 0.25


class MusicVideoRoutes:
    """Handlers of the calls that make."""

    def __init__(self, site: Site) -> None:
        """Uses the site's engine."""
        self._site, self._engine = site, site.engine

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_post("/api/mv/create_scenes", self.create_scenes)
        app.router.add_post("/api/mv/generate_character_reference", self.generate_character_reference)
        app.router.add_post("/api/mv/generate_video", self.generate_video)
        app.router.add_post("/api/mv/songs", self.keep_song)
        app.router.add_post("/api/mv/merge", self.merge)

    # ---------------------------------------------------------------------------------------------------------------------- one call

    async def create_scenes(self, request: web.Request) -> web.Response:
        """Waits for the scenes of an idea. Whoever hangs up cancels nothing."""
        caller, data = await self._site.caller(request), await read_json(request)
        fields = {
            "idea": data.get("idea"),
            "character": _needed(data, "character_description", CHARACTER_CHARACTERS),
            "scenes": data.get("number_of_scenes"),
            "session_id": data.get("session_id"),
            "idempotency_key": data.get("idempotency_key"),
        }
        job = await self._called(caller, JobKind.SCRIPT, fields, _SCRIPT_NAMES)
        ticket = (await self._engine.parts.store.attempt(job.attempt_id or "")).ticket or {}
        scenes = [
            {"description": description, "negative_description": negative}
            for description, negative in ticket.get("scenes", ())
        ]
        metadata = {"writer": ticket.get("writer"), "model": ticket.get("model"), "number_of_scenes": len(scenes)}
        return answer({"scenes": scenes, "metadata": {**metadata, **_of(job)}})

    async def generate_character_reference(self, request: web.Request) -> web.Response:
        """Waits for a picture of a character."""
        caller, data = await self._site.caller(request), await read_json(request)
        fields = {
            "character": data.get("character_description"),
            "session_id": data.get("session_id"),
            "idempotency_key": data.get("idempotency_key"),
        }
        job = await self._called(caller, JobKind.PICTURE, fields, _PICTURE_NAMES)
        source = await self._engine.parts.films.source_of(job.id)
        if source is None:
            raise NotFound("the picture is gone", message_id="error.picture_gone")
        pieces = [piece async for piece in self._engine.parts.clips.open_range(source.key, 0, source.bytes)]
        data64 = await asyncio.to_thread(lambda: base64.b64encode(b"".join(pieces)).decode())
        ticket = (await self._engine.parts.store.attempt(job.attempt_id or "")).ticket or {}
        metadata = {
            "painter": ticket.get("painter"),
            "model": ticket.get("model"),
            "mime_type": source.mime,
            "width": source.width,
            "height": source.height,
        }
        return answer({"image_base64": data64, "metadata": {**metadata, **_of(job)}})

    async def _called(self, caller: Caller, kind: JobKind, fields: dict[str, Any], names: dict[str, str]) -> Job:
        try:
            job, _ = await self._site.order(caller, fields, None, kind)
        except BadOption as error:
            if error.field in names:
                raise BadOption(names[error.field], fields.get(error.field), error.legal) from error
            raise
        job = await self._wait(job)
        if job.state is not JobState.DONE:
            raise as_error(job)
        return job

    # ------------------------------------------------------------------------------------------------------------------------- clips

    async def generate_video(self, request: web.Request) -> web.Response:
        """Order a clip and wait for it; whoever hangs up cancels nothing."""
        caller = await self._site.caller(request)
        data = await read_json(request, PICTURE_JSON_BYTES)
        fields, upload = await self._fields(data)
        # Calls of one session, or of one account at a time, count as one film does.
        session = fields.get("session_id")
        unit = f"mv {caller.account_id} {session if isinstance(session, str) else ''}".strip()
        try:
            job, is_new = await self._site.order(caller, fields, upload, unit=unit)
        except BadOption as error:
            if error.field == "provider" and "backend" in data:  # as this call names it
                raise BadOption("backend", data["backend"], error.legal) from error
            raise
        if "respond-async" in request.headers.get("Prefer", "").lower():  # RFC 7240
            body = {"operation_id": job.id, "status": STATUS[job.state]} | ({} if is_new else {"repeated": True})
            return answer(body, 202, {"Preference-Applied": "respond-async"})
        began = time.monotonic()
        job = await self._wait(job)
        if job.state is not JobState.DONE or job.clip_id is None:
            raise as_error(job)
        return answer(await self._made(caller, job, fields, time.monotonic() - began))

    async def _fields(self, data: dict[str, Any]) -> tuple[dict[str, Any], Upload | None]:
        fields = dict(data)
        read_whole(fields.get("variations"), "variations", 1, 1)  # one clip is answered
        prompt = _needed(fields, "prompt", PROMPT_CHARACTERS)
        backend = fields.pop("backend", None)
        if backend not in (None, ""):
            fields["provider"] = backend
        template = fields.pop("video_rules_template", None)
        if template not in (None, ""):
            if not isinstance(template, str) or len(template) > RULES_CHARACTERS:
                raise BadOption("video_rules_template", template, f"text of up to {RULES_CHARACTERS} characters")
            if isinstance(prompt, str) and len(prompt) <= PROMPT_CHARACTERS:  # else it is refused for itself
                fields["prompt"] = with_rules(prompt, template)
        picture = fields.pop("reference_image_base64", None)
        if picture in (None, ""):
            return fields, None
        wrong = BadOption("reference_image_base64", "something else", "a PNG, JPEG or WebP picture in base64")
        if not isinstance(picture, str):
            raise wrong
        try:
            raw = await asyncio.to_thread(_decoded, picture)
        except (ValueError, binascii.Error) as error:
            raise wrong from error
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

    # ------------------------------------------------------------------------------------------------------------------------- merge

    async def keep_song(self, request: web.Request) -> web.Response:
        """Keep a song for a merge: a form with ``song_file``; answers with its id."""
        caller = await self._site.caller(request)
        _, upload = await read_form(request, self._engine.parts.clips)
        try:
            if upload is None or upload.song is None:
                raise BadOption("song_file", "nothing", "an MP3, M4A, Ogg or WAV file of up to 50 MB")
            clip = await self._engine.films.keep_song(caller.account_id, str(upload.song.key))
        except MediaError as error:
            error.values = {"found": "?", **error.values}
            raise
        finally:
            for key in () if upload is None else upload.keys:
                await self._engine.parts.clips.delete(key)
        return answer({"song_id": clip.id, "seconds": clip.seconds, "file_size_bytes": clip.bytes}, 201)

    async def merge(self, request: web.Request) -> web.Response:
        """Order a merge; 202 after the commit."""
        caller, data = await self._site.caller(request), await read_json(request)
        job, is_new = await self._site.order(caller, data, None, JobKind.MERGE)
        body = {"operation_id": job.id, "status": STATUS[job.state]}
        return answer(body | ({} if is_new else {"repeated": True}), 202)


_SCRIPT_NAMES: Final = {"idea": "idea", "character": "character_description", "scenes": "number_of_scenes"}
_PICTURE_NAMES: Final = {"character": "character_description"}
"""What these calls name otherwise than orders do."""


def _needed(data: Mapping[str, Any], name: str, most: int) -> Any:
    """A text without which nothing is ordered; what it has to be is looked at elsewhere. Raises BadOption."""
    value = data.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        raise BadOption(name, "nothing", f"text of up to {most} characters")
    return value


def _decoded(picture: str) -> bytes:
    """A picture in base64, also as a data URL and in lines. Raises ValueError."""
    return base64.b64decode("".join(picture.split(",", 1)[-1].split()), validate=True)


def _of(job: Job) -> dict[str, Any]:
    return {
        "operation_id": job.id,
        "price": job.price,
        "charged": job.charged,
        "generation_timestamp": iso(job.finished_at),
    }


def as_error(job: Job) -> ReelayError:
    """A job without a result, as the error of the call that waited for it: ended, given up, or still under way after all that waiting.

    ``facts["backend"]``: who was to make it.
    """
    error = _as_error(job)
    error.facts["backend"] = job.applied.provider
    return error


def _as_error(job: Job) -> ReelayError:
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
