"""A simulator of fal's queue with Ovi in it, and of the door that Hugging Face's router has to it.

======================================================  ==============================================================================
``POST /fal-ai/ovi[/image-to-video]?fal_webhook=``      the queue, with ``Authorization: Key …`` → ``{request_id, status_url, …}``
``GET /fal-ai/ovi/requests/{id}/status?logs=``          202 IN_QUEUE, 202 IN_PROGRESS, 200 COMPLETED
``GET /fal-ai/ovi/requests/{id}``                       the result, or why there is none
``PUT /fal-ai/ovi/requests/{id}/cancel``                202 CANCELLATION_REQUESTED, 400 ALREADY_COMPLETED
the same behind ``/fal-ai``, ``?_subdomain=queue``      the router, with ``Authorization: Bearer hf_…``
``GET /api/models/{owner}/{name}?expand=``              Hugging Face's hub: what the router leads to
``GET /files/{id}/output.mp4``                          fal's public files: a key that comes here is an outrage
======================================================  ==============================================================================

As at fal a submit is taken as it comes, and an input that is wrong is told where the result should be, at no cost. The addresses that
it answers with are fal's own unless ``says`` is empty: whoever follows them leaves the lab. What a status says after a cancel is nowhere
documented; here it is what a request that failed says, with the type ``client_cancelled`` of the list of request errors.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from uuid import uuid4

import aiohttp
from aiohttp import web

from bot.settings import read_settings
from core.ports import Connect
from providers.ovi import Ovi, connect
from tests.lab.billing import PaidVendor, Refuse, Script, VendorJob

KEY: Final = "4f1d0c5e-9b7a-4c1e-8a53-lab00fal0key:7d1c0b5e9a3f4c2d8e6b0a1f3c5d7e9b"
TOKEN: Final = "hf_LabTokenThatNobodyMaySeeInALog0123"
"""The only key and the only token that are taken; canaries, too."""
APP: Final = "fal-ai/ovi"
SIZES: Final = ("512x992", "992x512", "960x512", "512x960", "720x720", "448x1120", "1120x448")
INPUT: Final[Mapping[str, tuple[type, ...]]] = {
    "prompt": (str,),
    "negative_prompt": (str,),
    "num_inference_steps": (int,),
    "audio_negative_prompt": (str,),
    "seed": (int, type(None)),
}
"""Fields of every task and their types; a text takes ``resolution`` as well, and a picture ``image_url``."""
FAILURES: Final[Mapping[str, tuple[int, str]]] = {
    "internal": (500, "runner_server_error"),
    "timeout": (504, "request_timeout"),
    "startup": (504, "startup_timeout"),
    "disconnected": (503, "runner_disconnected"),
    "cancelled": (499, "client_cancelled"),
}
"""Scripts' reasons as request errors: status and type. ``content`` and ``no media`` are errors of the model."""
MODEL_ERRORS: Final[Mapping[str, str]] = {"content": "content_policy_violation", "no media": "no_media_generated"}
QUERIES: Final = {"fal_webhook", "logs", "_subdomain", "expand"}


class Fal(PaidVendor):
    """The queue, the router, the hub and the files."""

    def __init__(self, *, default: Script | None = None, says: str = "https://queue.fal.run") -> None:
        """``says``: the root of the addresses in its answers; empty: its own, for clients that follow them."""
        super().__init__(default=default)
        self.says = says
        self.files = ""
        """Root of the addresses of results; empty: its own."""
        self.onward = ""
        """Where its files redirect to."""
        self.positions: list[int] = []
        """What the next looks at the queue say of a request's place in it."""
        self.log = "{percent}%|####      | {done}/30 [00:10<00:20]"
        """A line of the logs while it works; empty: there is none."""
        self.route = {"status": "live", "providerId": f"{APP}/image-to-video", "task": "image-to-video"}
        """What the hub says of chetwinlow1/Ovi."""
        self.bare_router = False
        """huggingface_hub leaves the router's path out of its looks wherever the host is not router.huggingface.co."""
        self.complaints: list[str] = []
        """Everything that the real ones do not take: strange inputs, queries, routes, and keys where none belongs."""
        self.headers: list[Mapping[str, str]] = []
        """Of every submit that came."""
        self._wrong: dict[str, list[dict[str, Any]]] = {}
        self._calls: set[asyncio.Task[None]] = set()

    def environment(self) -> dict[str, str]:
        return {"FAL_KEY": KEY, "FAL_QUEUE_URL": self.url}

    def router_environment(self) -> dict[str, str]:
        """The settings of a process that comes through the router."""
        return {"HF_TOKEN": TOKEN, "HF_ROUTER_URL": self.url}

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/files/{id}/output.mp4", self._file)
        app.router.add_get("/api/models/{owner}/{name}", self._mapping)
        app.router.add_route("*", "/{tail:.*}", self._door)

    # ------------------------------------------------------------------------------------------------------------------- the doors

    async def _door(self, request: web.Request) -> web.StreamResponse:
        steps = request.path.strip("/").split("/")
        subdomain, bearer = (
            request.query.get("_subdomain"),
            request.headers.get("Authorization", "").startswith("Bearer"),
        )
        through_router = steps[:2] == ["fal-ai", "fal-ai"]
        if through_router:
            steps = steps[1:]
        elif self.bare_router and bearer and subdomain == "queue" and "requests" in steps:
            through_router = True
        if through_router and subdomain != "queue":
            return self._unknown(request, "the router without its queue")
        wanted = f"Bearer {TOKEN}" if through_router else f"Key {KEY}"
        if request.headers.get("Authorization") != wanted:
            self.note("unauthorised", None, None, 401)
            text = "Invalid username or password."
            return web.json_response({"error": text} if through_router else {"detail": text}, status=401)
        if (strange := set(request.query) - QUERIES) or (subdomain is not None and not through_router):
            return self._unknown(request, f"query {sorted(strange)}")
        match request.method, steps:
            case "POST", [*_]:
                return await self._submit(request, "/".join(steps))
            case "GET", ["fal-ai", "ovi", "requests", request_id, "status"]:
                return self._status(request, request_id)
            case "GET", ["fal-ai", "ovi", "requests", request_id]:
                return self._result(request_id)
            case "PUT", ["fal-ai", "ovi", "requests", request_id, "cancel"]:
                return self._cancel(request_id)
        return self._unknown(request, "route")

    def _unknown(self, request: web.Request, why: str) -> web.Response:
        self.complaints.append(f"{why}: {request.method} {request.path}")
        self.note("unknown", None, None, 404)
        return web.json_response({"detail": "Not Found"}, status=404)

    # ----------------------------------------------------------------------------------------------------------------------- submit

    async def _submit(self, request: web.Request, app: str) -> web.StreamResponse:
        if app not in (APP, f"{APP}/image-to-video"):
            self.complaints.append(f"app {app}")
            self.note("submit", None, None, 404)
            return web.json_response({"detail": f"Application '{app}' not found"}, status=404)
        self.headers.append(request.headers.copy())
        if (refusal := self._bad_headers(request)) is not None:
            return refusal
        body = await request.json()
        errors = mistakes(body, with_picture=app.endswith("/image-to-video"))
        if errors:
            self.complaints += [f"{each['type']} {each['loc']}" for each in errors]
            request_id = str(uuid4())
            self._wrong[request_id] = errors
            self.note("submit", None, request_id, 200)
            return web.json_response(self._accepted(request_id))
        fault = self.fate(body["prompt"])
        if isinstance(fault, Refuse):
            self.note("submit", None, None, fault.status)
            return refused(fault)
        hook = request.query.get("fal_webhook")
        picture = body.get("image_url", "")
        job = self.bill(
            body["prompt"],
            id=str(uuid4()),
            attempt=None if hook is None else hook.rsplit("/", 1)[1],
            picture=base64.b64decode(picture.partition("base64,")[2]) if picture.startswith("data:") else None,
            wish=body,
        )
        if hook is not None and job.script.seconds is not None:
            task = asyncio.get_running_loop().create_task(self._call_back_later(job, hook))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
        return await self.answered(request, job, fault, web.json_response(self._accepted(job.id)))

    def _bad_headers(self, request: web.Request) -> web.Response | None:
        timeout, no_retry = request.headers.get("X-Fal-Request-Timeout"), request.headers.get("x-fal-no-retry", "1")
        try:
            fine = timeout is None or float(timeout) > 0.1
        except ValueError:
            fine = False
        if fine and no_retry in ("1", "true", "yes"):
            return None
        self.complaints.append("a header that is none of fal's")
        return request_error(400, "bad_request")

    def _accepted(self, request_id: str) -> dict[str, Any]:
        return {"status": "IN_QUEUE", "request_id": request_id, "queue_position": 0, **self._urls(request_id)}

    def _urls(self, request_id: str) -> dict[str, str]:
        base = f"{self.says or self.url}/{APP}/requests/{request_id}"
        return {"response_url": base, "status_url": f"{base}/status", "cancel_url": f"{base}/cancel"}

    # ------------------------------------------------------------------------------------------------------------------------ looks

    def _status(self, request: web.Request, request_id: str) -> web.StreamResponse:
        if request_id in self._wrong:
            return self._told(200, "COMPLETED", request_id, logs=[], metrics={"inference_time": 0.1})
        job = self.jobs.get(request_id)
        if job is None or job.script.forgets:
            self.note("poll", None, request_id, 404)
            return web.json_response({"detail": "Request not found"}, status=404)
        refusal = self.poll_refusal(job)
        if refusal is not None:
            self.note("poll", job.attempt, job.id, refusal.status)
            return refused(refusal)
        state = self.state(job)
        if state.kind == "waiting":
            if self.positions:
                return self._told(202, "IN_QUEUE", job.id, queue_position=self.positions.pop(0))
            with_logs = request.query.get("logs", "").lower() in ("1", "true")
            return self._told(202, "IN_PROGRESS", job.id, logs=self._logs(state.progress) if with_logs else None)
        facts: dict[str, Any] = {"logs": [], "metrics": {"inference_time": 12.5}}
        if state.code in FAILURES:
            facts |= {"error": "The request failed", "error_type": FAILURES[state.code][1]}
        return self._told(200, "COMPLETED", job.id, **facts)

    def _told(self, status: int, word: str, request_id: str, **facts: Any) -> web.Response:
        job = self.jobs.get(request_id)
        self.note("poll", None if job is None else job.attempt, request_id, word)
        return web.json_response(
            {"status": word, "request_id": request_id, **self._urls(request_id), **facts}, status=status
        )

    def _logs(self, progress: float | None) -> list[dict[str, Any]]:
        if progress is None or not self.log:
            return []
        message = self.log.format(percent=int(100 * progress), done=int(30 * progress))
        return [{"message": message, "level": "INFO", "source": "USER", "timestamp": "2026-11-22T00:00:00.000Z"}]

    def _result(self, request_id: str) -> web.StreamResponse:
        if request_id in self._wrong:
            self.note("result", None, request_id, 422)
            return web.json_response({"detail": self._wrong[request_id]}, status=422)
        job = self.jobs.get(request_id)
        if job is None or job.script.forgets:
            return web.json_response({"detail": "Request not found"}, status=404)
        state = self.state(job)
        self.note("result", job.attempt, job.id, state.code or state.kind)
        if state.kind == "waiting":
            return web.json_response({"detail": "Request is still in progress"}, status=400)
        if state.code in MODEL_ERRORS:
            return web.json_response({"detail": [error(["body", "prompt"], MODEL_ERRORS[state.code])]}, status=422)
        if state.code:
            return request_error(*FAILURES[state.code])
        return web.json_response(self._made(job))

    def _made(self, job: VendorJob) -> dict[str, Any]:
        url = f"{self.files or self.url}/files/{job.id}/output.mp4"
        video = {"url": url, "content_type": "video/mp4", "file_name": "output.mp4", "file_size": 1234567}
        return {"video": video, "seed": job.wish.get("seed") or 7}

    def _cancel(self, request_id: str) -> web.StreamResponse:
        job = self.jobs.get(request_id)
        if job is None:
            return web.json_response({"status": "NOT_FOUND"}, status=404)
        if self.state(job).kind != "waiting" or not job.script.stops:
            self.note("cancel", job.attempt, job.id, 400)
            return web.json_response({"status": "ALREADY_COMPLETED"}, status=400)
        job.cancelled = True
        self.note("cancel", job.attempt, job.id, 202)
        return web.json_response({"status": "CANCELLATION_REQUESTED"}, status=202)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if "Authorization" in request.headers:
            self.complaints.append("a key came to the public files")
            return web.Response(status=400)
        if job is None:
            return web.Response(status=404)
        if self.onward:
            return web.Response(status=302, headers={"Location": self.onward})
        return await self.send_result(request, job)

    # ------------------------------------------------------------------------------------------------------------- hub and webhooks

    async def _mapping(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization", f"Bearer {TOKEN}") != f"Bearer {TOKEN}":  # nobody has to have one here
            self.note("unauthorised", None, None, 401)
            return web.json_response({"error": "Invalid credentials in Authorization header"}, status=401)
        name = f"{request.match_info['owner']}/{request.match_info['name']}"
        if name != "chetwinlow1/Ovi":
            return web.json_response({"error": "Repository not found"}, status=404)
        if request.query.getall("expand", []) != ["inferenceProviderMapping"]:
            return self._unknown(request, "a hub's answer without the mapping")
        self.note("mapping", None, None, 200)
        mapping = {"fal-ai": dict(self.route)} if self.route else {}
        return web.json_response({"_id": "68d0", "id": name, "inferenceProviderMapping": mapping})

    def webhook(self, job: VendorJob) -> bytes:
        """What fal posts when the job has ended."""
        failed = self.state(job).kind == "failed"
        told: dict[str, Any] = {
            "request_id": job.id,
            "gateway_request_id": job.id,
            "status": "ERROR" if failed else "OK",
        }
        told |= (
            {"error": "Invalid status code: 422", "payload": {"detail": []}} if failed else {"payload": self._made(job)}
        )
        return json.dumps(told).encode()

    async def _call_back_later(self, job: VendorJob, hook: str) -> None:
        await asyncio.sleep(job.script.seconds or 0.0)
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session,
                session.post(hook, data=self.webhook(job), allow_redirects=False) as answer,
            ):
                self.note("webhook", job.attempt, job.id, answer.status)
        except (aiohttp.ClientError, TimeoutError):
            self.note("webhook", job.attempt, job.id, "lost")


def mistakes(body: Any, *, with_picture: bool) -> list[dict[str, Any]]:
    """What fal says of an input of Ovi that it does not take; an empty list for a good one."""
    if not isinstance(body, dict):
        return [error(["body"], "dict_type")]
    legal = {**INPUT, "image_url": (str,)} if with_picture else {**INPUT, "resolution": (str,)}
    required = ("prompt", "image_url") if with_picture else ("prompt",)
    found = [error(["body", name], "missing") for name in required if name not in body]
    for name, value in body.items():
        if name not in legal:
            found.append(error(["body", name], "extra_forbidden"))
        elif type(value) not in legal[name]:
            found.append(error(["body", name], "string_type" if str in legal[name] else "int_type"))
        elif name == "num_inference_steps" and not 1 <= value <= 50:
            found.append(error(["body", name], "less_than_equal"))
        elif name == "resolution" and value not in SIZES:
            found.append(error(["body", name], "literal_error"))
        elif name == "image_url" and not value.startswith(("data:image/", "https://", "http://")):
            found.append(error(["body", name], "file_download_error"))
    return found


def error(loc: list[str], kind: str) -> dict[str, Any]:
    """One error in the words of a model."""
    return {"loc": loc, "msg": f"lab: {kind}", "type": kind, "url": f"https://docs.fal.ai/errors#{kind}"}


def request_error(status: int, kind: str) -> web.Response:
    """An error in the words of the queue."""
    return web.json_response({"detail": "lab", "error_type": kind}, status=status, headers={"X-Fal-Error-Type": kind})


def refused(fault: Refuse) -> web.Response:
    """A scripted refusal; ``code``: a type, or ``balance`` for a 403 that is about money."""
    headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    match fault.status:
        case 422:
            told: Any = {"detail": [error(["body", "prompt"], fault.code or "value_error")]}
        case 403 if fault.code == "balance":
            told = {
                "detail": "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."
            }
        case 502:
            return web.Response(text="<html><center>nginx</center></html>", content_type="text/html", status=502)
        case status if status >= 500 or fault.code:
            return request_error(status, fault.code or "internal_error")
        case _:
            told = {"detail": "lab"}
    return web.json_response(told, status=fault.status, headers=headers)


def ovi(settings: Mapping[str, str], world: Connect, sheet: str = "") -> Ovi:
    """The generator as the app connects it: in a thread, because it reads files. ``sheet``: the operator's own models/ovi.toml."""

    def connected() -> Ovi:
        own = world.scratch / "models/ovi.toml"
        if sheet:
            own.parent.mkdir(exist_ok=True)
            own.write_text(sheet, encoding="utf-8")
        return connect(read_settings(dict(settings), None), world)

    with ThreadPoolExecutor(1) as room:
        return room.submit(connected).result()
