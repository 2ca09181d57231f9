"""A server that keeps our contract for self-hosted models (docs/reference/self-hosted.openapi.json), and nothing beyond it.

Every request is held against that document and refused where it differs; every answer is held against it too, and what does not fit is
written into ``wrong``.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from bot.settings import read_settings
from core.ports import Connect, Provider
from providers.longcat import connect
from tests.lab.billing import PaidVendor, Refuse, Script, VendorJob
from tests.lab.clips import clip_bytes

KEY = "lc-lab-key-7c1e0d9b5a3f"
"""The only key that it takes; a canary, too: it must never be seen in a log."""
DOCUMENT = Path(__file__).parents[2] / "docs/reference/self-hosted.openapi.json"
CODES = {
    400: "invalid_request",
    401: "unauthorized",
    402: "insufficient_funds",
    403: "forbidden",
    404: "model_not_found",
    409: "key_reused",
    413: "too_large",
    422: "invalid_request",
    429: "rate_limited",
}
"""What a refusal is called; all others are ``unavailable``."""
FAILURES = {"content": "content_policy", "internal": "internal"}


@cache
def document() -> dict[str, Any]:
    """The contract."""
    found: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return found


@cache
def validator(schema: str) -> Draft202012Validator:
    """Of one of the contract's schemas."""
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{schema}", "components": document()["components"]},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def complaint(schema: str, data: Any) -> str | None:
    """Why ``data`` is not what the contract calls ``schema``; None when it is. Names the place, not the value."""
    for error in validator(schema).iter_errors(data):
        return f"{error.json_path}: {error.validator}"
    return None


def answer_schema(route: str, method: str, status: int) -> str | None:
    """The schema of an answer's JSON; raises KeyError where the contract has no such answer, None where it is no JSON."""
    responses = document()["paths"][route][method.lower()]["responses"]
    found = responses.get(str(status)) or responses[f"{status // 100}XX"]
    if "$ref" in found:
        found = document()["components"]["responses"][found["$ref"].rpartition("/")[2]]
    content = found["content"].get("application/json")
    return None if content is None else str(content["schema"]["$ref"].rpartition("/")[2])


class LongCat(PaidVendor):
    """The simulator. ``line``: how many jobs are before each waiting one; ``steps``: progress is counted in so many steps."""

    def __init__(self, *, default: Script | None = None, key: str | None = KEY, prefix: str = "") -> None:
        """``key`` None: it takes everybody. ``prefix``: a path in front of ``/v1``."""
        super().__init__(default=default)
        self.key, self.prefix = key, prefix
        self.models = ["longcat-video", "longcat-video-distilled"]
        self.line: int | None = None
        self.steps: int | None = None
        self.elsewhere: str | None = None
        """Address under which results are said to be, in place of its own."""
        self.expired: set[str] = set()
        self.keeps_keys = True
        """While false the list finds nothing."""
        self.bodies: dict[str, bytes] = {}
        self.seen_keys: list[str | None] = []
        """``Authorization`` of every request."""
        self.wrong: list[str] = []

    def environment(self) -> dict[str, str]:
        """Settings of a process that has this server and nothing else."""
        return {
            "LONGCAT_VIDEO_ENDPOINT": self.url + self.prefix,
            **({} if self.key is None else {"LONGCAT_API_KEY": self.key}),
        }

    def routes(self, app: web.Application) -> None:
        app.middlewares.append(self._door)
        for method, route, handler in (
            ("POST", "/v1/jobs", self._submit),
            ("GET", "/v1/jobs", self._list),
            ("GET", "/v1/jobs/{id}", self._poll),
            ("POST", "/v1/jobs/{id}/cancel", self._cancel),
            ("GET", "/v1/jobs/{id}/content", self._content),
            ("GET", "/v1/models", self._models),
        ):
            app.router.add_route(method, self.prefix + route, handler)

    @web.middleware
    async def _door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        given = request.headers.get("Authorization")
        self.seen_keys.append(given)
        if request.match_info.http_exception is not None:
            self.wrong.append(f"{request.method} {request.path} is not in the contract")
            return _error(404, "not_found")
        if self.key is not None and given != f"Bearer {self.key}":
            self.note("unauthorised", None, None, 401)
            return _error(401)
        response: web.StreamResponse = await handler(request)
        self._judge(request, response)
        return response

    def _judge(self, request: web.Request, response: web.StreamResponse) -> None:
        resource = request.match_info.route.resource
        route = "" if resource is None else resource.canonical.removeprefix(self.prefix)
        try:
            schema = answer_schema(route, request.method, response.status)
        except KeyError:
            self.wrong.append(f"{request.method} {route} answers {response.status}")
            return
        if schema is None or not isinstance(response, web.Response) or response.content_type != "application/json":
            return
        body = response.body
        why = complaint(schema, json.loads(body if isinstance(body, bytes) else b"null"))
        if why is not None:
            self.wrong.append(f"{request.method} {route} {response.status}: {why}")

    # -------------------------------------------------------------------------------------------------------------------- routes

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        key = request.headers.get("Idempotency-Key", "")
        body = await request.read()
        try:
            order = json.loads(body)
        except ValueError:
            return _error(400, "not_json")
        why = complaint("Key", key) or complaint("Order", order) or _impossible(order)
        if why is not None:
            self.note("submit", key, None, 422)
            self.wrong.append(why)
            return _error(422, message=why)
        before = next((job for job in self.jobs.values() if job.attempt == key), None)
        if before is not None:
            same = self.bodies[key] == body
            self.note("submit again", key, before.id, 200 if same else 409)
            return _json(self._told(before)) if same else _error(409)
        if order["model"] not in self.models:
            self.note("submit", key, None, 404)
            return _error(404)
        fault = self.fate(order["prompt"])
        if isinstance(fault, Refuse):
            self.note("submit", key, None, fault.status)
            return _refusal(fault)
        first, clip = order.get("image"), order.get("video")
        job = self.bill(
            order["prompt"],
            attempt=key,
            picture=None if first is None else _bytes(first),
            wish={**order, **({} if clip is None else {"video": _bytes(clip)})},
        )
        self.bodies[key] = body
        return await self.answered(request, job, fault, _json(self._told(job), 201))

    async def _list(self, request: web.Request) -> web.StreamResponse:
        key = request.query.get("idempotency_key", "")
        if complaint("Key", key) is not None:
            return _error(422)
        known = [job for job in self.jobs.values() if job.attempt == key and self.keeps_keys]
        self.note("find", key, known[0].id if known else None, 200)
        return _json({"jobs": [self._told(job) for job in known]})

    async def _poll(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is None or job.script.forgets:
            self.note("poll", None, request.match_info["id"], 404)
            return _error(404, "job_not_found")
        refusal = self.poll_refusal(job)
        if refusal is not None:
            self.note("poll", job.attempt, job.id, refusal.status)
            return _refusal(refusal)
        told = self._told(job)
        self.note("poll", job.attempt, job.id, told["status"])
        return _json(told)

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is None or job.script.forgets:
            return _error(404, "job_not_found")
        if self.state(job).kind == "waiting":
            job.cancelled = True
        told = self._told(job)
        self.note("cancel", job.attempt, job.id, told["status"])
        return _json(told)

    async def _content(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is None or self.state(job).kind != "ready":
            return _error(404, "job_not_found")
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        if wanted is None or job.script.result != "clip":
            return await self.send_result(request, job)
        clip, first = clip_bytes(), int(wanted[1])
        last = min(int(wanted[2] or len(clip)), len(clip) - 1)
        if first > last:
            return _error(416, "range")
        headers = {"Content-Range": f"bytes {first}-{last}/{len(clip)}"}
        return web.Response(status=206, body=clip[first : last + 1], content_type="video/mp4", headers=headers)

    async def _models(self, request: web.Request) -> web.StreamResponse:
        del request
        return _json({"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})

    # ------------------------------------------------------------------------------------------------------------------- answers

    def _told(self, job: VendorJob) -> dict[str, Any]:
        state = self.state(job)
        told: dict[str, Any] = {"id": job.id, "idempotency_key": job.attempt, "error": None, "outputs": []}
        if job.id in self.expired:
            return {**told, "status": "expired"}
        if state.kind == "failed":
            if state.code == "cancelled":
                return {**told, "status": "canceled"}
            return {**told, "status": "failed", "error": _reason(FAILURES.get(state.code, state.code))}
        if state.kind == "ready":
            output = {"url": self.elsewhere or f"/v1/jobs/{job.id}/content", "mime": "video/mp4"}
            return {**told, "status": "succeeded", "outputs": [output], "cost_usd": job.script.cost_usd}
        if self.line is not None:
            return {**told, "status": "queued", "queue_position": self.line, "progress": None}
        progress: dict[str, Any] | None = None if state.progress is None else {"fraction": state.progress, "eta": 30}
        if progress is not None and self.steps is not None:
            progress = {"step": int(progress["fraction"] * self.steps), "total": self.steps, "eta": None}
        return {**told, "status": "running", "queue_position": None, "progress": progress}


def selfhosted(settings: Mapping[str, str], world: Connect, sheet: str = "") -> Provider:
    """The generator as the app connects it: in a thread, because it reads files. ``sheet``: the operator's own models/longcat.toml."""

    def connected() -> Provider:
        own = world.scratch / "models/longcat.toml"
        if sheet:
            own.parent.mkdir(exist_ok=True)
            own.write_text(sheet, encoding="utf-8")
        return connect(read_settings(dict(settings), None), world)

    with ThreadPoolExecutor(1) as room:
        return room.submit(connected).result()


def _json(data: Any, status: int = 200) -> web.Response:
    return web.json_response(data, status=status)


def _refusal(fault: Refuse) -> web.Response:
    answer = _error(fault.status, fault.code or None)
    if fault.retry_after is not None:
        answer.headers["Retry-After"] = f"{fault.retry_after:g}"
    return answer


def _error(status: int, code: str | None = None, message: str = "") -> web.Response:
    return web.json_response({"error": _reason(code or CODES.get(status, "unavailable"), message)}, status=status)


def _reason(code: str, message: str = "") -> dict[str, str]:
    return {"code": code, "message": message or f"words of a stranger about {code}"}


def _bytes(uri: str) -> bytes:
    return base64.b64decode(uri.partition(",")[2], validate=True)


def _impossible(order: dict[str, Any]) -> str | None:
    """What LongCat-Video cannot do, which no schema says."""
    if order["width"] % 16 or order["height"] % 16:
        return "$.width: multipleOf"
    if order["num_frames"] % 4 != 1:
        return "$.num_frames: one more than a multiple of four"
    if abs(order["num_frames"] / order["fps"] - order["seconds"]) > 0.5:
        return "$.seconds: not those of the frames"
    return None
