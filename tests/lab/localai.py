"""LocalAI as its source has it: ``POST /video``, which answers when the clip is made, and what lies around it.

Types are Go's, as ``encoding/json`` reads them into ``schema.VideoRequest``; a field that Go would pass over is written into ``wrong``.
The limits are those of its longcat-video backend.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from typing import Any

from aiohttp import web

from tests.lab.billing import PaidVendor, Refuse, Result, Script, VendorJob
from tests.lab.clips import GARBAGE, PAGE, clip_bytes, huge_inside

KEY = "la-lab-key-2f9c6a1e8d40"
INT32 = ("width", "height", "num_frames", "fps", "seed", "step")
TEXTS = ("model", "prompt", "negative_prompt", "start_image", "end_image", "seconds", "size", "response_format")
MOST_SECONDS = 60.0


def unmarshal(data: Any) -> str | None:
    """What Go says of a body whose types are not those of the request; None when it takes it."""
    if not isinstance(data, dict):
        return "Unmarshal type error: expected=schema.VideoRequest"
    for name, value in data.items():
        if name in TEXTS:
            fits = isinstance(value, str)
        elif name in INT32:
            fits = type(value) is int and -(2**31) <= value < 2**31
        elif name == "cfg_scale":
            fits = type(value) in (int, float)
        elif name == "params":
            fits = isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
        else:
            return f"{name} is no field of it"
        if not fits:
            return f"Unmarshal type error: field={name}"
    return None


def impossible(data: dict[str, Any]) -> str | None:
    """What the longcat-video backend refuses."""
    if data.get("end_image"):
        return "longcat-video does not support end_image conditioning"
    if not data.get("prompt", "").strip():
        return "prompt is required"
    width, height = data.get("width", 832), data.get("height", 480)
    if not data.get("start_image") and (
        not 256 <= width <= 1280 or not 256 <= height <= 768 or width % 16 or height % 16
    ):
        return "width and height must not exceed 1280x768"
    if data.get("params", {}).get("resolution", "480p") not in {"480p", "720p"}:
        return "resolution must be 480p or 720p"
    return None


class LocalAI(PaidVendor):
    """The simulator. ``base``: how it calls itself in the addresses of clips."""

    def __init__(self, *, default: Script | None = None, key: str | None = KEY) -> None:
        """``key`` None: it takes everybody."""
        super().__init__(default=default)
        self.key = key
        self.models = ["longcat-video", "longcat-video-avatar-1.5"]
        self.base: str | None = None
        self.wrong: list[str] = []
        self.hung_up: list[str] = []
        """Prompts of calls that their callers dropped."""

    def environment(self) -> dict[str, str]:
        """Settings of a process that has this server and nothing else."""
        return {
            "LONGCAT_VIDEO_ENDPOINT": f"{self.url}/video",
            **({} if self.key is None else {"LONGCAT_API_KEY": self.key}),
        }

    def routes(self, app: web.Application) -> None:
        app.middlewares.append(self._door)
        app.router.add_post("/video", self._video)
        app.router.add_get("/v1/models", self._list)
        app.router.add_get("/generated-videos/{id}.mp4", self._file)

    @web.middleware
    async def _door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}":
            self.note("unauthorised", None, None, 401)
            answer = _error(401, "An authentication key is required", "invalid_request_error")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        if request.match_info.http_exception is not None:
            self.wrong.append(f"{request.method} {request.path}")
            return _error(404, "Resource not found")
        response: web.StreamResponse = await handler(request)
        return response

    async def _list(self, request: web.Request) -> web.StreamResponse:
        del request
        return web.json_response({"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})

    async def _video(self, request: web.Request) -> web.StreamResponse:
        data = await request.json()
        why = unmarshal(data)
        if why is not None:
            self.wrong.append(why)
            return _error(400, f"code=400, message=failed parsing request body: {why}")
        if data["model"] not in self.models:
            text = f'model "{data["model"]}" not found. To see available models, call GET /v1/models'
            return _error(404, text, "invalid_request_error")
        fault = self.fate(data["prompt"])
        if isinstance(fault, Refuse):
            self.note("submit", data["prompt"], None, fault.status)
            return _refusal(fault)
        why = impossible(data)
        if why is not None:
            self.wrong.append(why)
            return _error(400, f"rpc error: code = InvalidArgument desc = {why}")
        try:
            picture = base64.b64decode(data.get("start_image", ""), validate=True) or None
        except binascii.Error as error:
            return _error(500, str(error))
        job = self.bill(data["prompt"], picture=picture, wish=data)
        if not await self._made(request, job):
            return web.Response()
        if self.state(job).kind == "failed":
            self.note("submit", job.attempt, job.id, 500)
            return _error(500, "could not generate: rpc error: code = Internal desc = words of a stranger")
        return await self.answered(request, job, fault, await self._clip(request, job))

    async def _made(self, request: web.Request, job: VendorJob) -> bool:
        """Wait until it is made; false when nobody listens any more."""
        until = time.monotonic() + MOST_SECONDS
        while self.state(job).kind == "waiting" and time.monotonic() < until:
            if request.transport is None or request.transport.is_closing():
                job.cancelled = True
                self.hung_up.append(job.prompt)
                return False
            await asyncio.sleep(0.01)
        return True

    async def _clip(self, request: web.Request, job: VendorJob) -> web.Response:
        if job.wish.get("response_format") != "b64_json":
            address = f"{self.base or self.url}/generated-videos/{job.id}.mp4"
            return web.json_response({"created": 1700000000, "id": "a1b2", "data": [{"url": address}]})
        kind = self.next_result(job)
        clips = {"clip": clip_bytes(), "webm": clip_bytes(".webm"), "garbage": GARBAGE, "empty": b""}
        if kind == "html":
            return web.Response(body=PAGE, content_type="text/html")
        if kind == "huge":
            huge = huge_inside('{"created": 1700000000, "id": "a1b2", "data": [{"b64_json": "', self.huge_bytes, '"}]}')
            return web.Response(body=huge, content_type="application/json")
        if kind == "truncated":
            answer = web.json_response({"data": [{"b64_json": base64.b64encode(clip_bytes()).decode()}]})
            body = answer.body
            assert isinstance(body, bytes)
            return web.Response(body=body[: len(body) // 2], content_type="application/json")
        inline = base64.b64encode(clips[kind]).decode()
        return web.json_response({"created": 1700000000, "id": "a1b2", "data": [{"b64_json": inline}]})

    def next_result(self, job: VendorJob) -> Result:
        """Of all jobs of a script together: a clip that is lost is another job's here."""
        rule = self._scripted(job.prompt)
        job.downloads = rule.used["result"]
        rule.used["result"] += 1
        return super().next_result(job)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return _error(404, "Resource not found")
        return await self.send_result(request, job)


def _refusal(fault: Refuse) -> web.Response:
    if fault.status in (502, 503, 504):  # a proxy's, not LocalAI's
        return web.Response(status=fault.status, body=PAGE, content_type="text/html")
    if fault.status == 429:
        error = {"type": "rate_limit_error", "code": "admission_rejected", "message": "model is at capacity"}
        answer = web.json_response({"error": error}, status=429)
    else:
        answer = _error(fault.status, "words of a stranger", fault.code)
    if fault.retry_after is not None:
        answer.headers["Retry-After"] = f"{fault.retry_after:g}"
    return answer


def _error(status: int, message: str, kind: str = "") -> web.Response:
    return web.json_response({"error": {"code": status, "message": message, "type": kind}}, status=status)
