"""Replicate, simulated: predictions, files, webhooks. Requests and answers are held against Replicate's own OpenAPI document.

What that document leaves out: bodies of errors (RFC 7807, as replicate.com/docs/topics/predictions/rate-limits and users' reports quote
them), and the models' inputs (their API pages on replicate.com). Unknown inputs are refused here, which the real one may not do.
"""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from aiohttp import web

from tests.lab.billing import PaidVendor, Refuse, Script, VendorJob
from tests.lab.replicate_spec import MODELS, PAINTERS, PINNED, Json, answer_faults, faults, header_faults, input_faults

KEY: Final = "r8_labLabLabLabLabLabLabLabLabLabLabLab7"
"""The only key that it takes; a canary, too: it must never be seen in a log."""
SECRET: Final = "whsec_" + base64.b64encode(b"the secret of the laboratory's webhooks").decode()
PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(800)

ERRORS: Final[Mapping[str, str]] = {
    "content": "The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
    "input": "The input was invalid. Your request could not be processed because the input was invalid. (E006)",
    "internal": "Prediction interrupted; please retry (code: PA)",
    "memory": "The model ran out of memory (E1001)",
}
PROBLEMS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("Bad request", "The request could not be read."),
    401: ("Unauthenticated", "You did not pass a valid authentication token"),
    402: (
        "Insufficient credit",
        "You have insufficient credit to run this model. Go to https://replicate.com/account/billing",
    ),
    403: ("Permission denied", "You do not have permission to perform this action."),
    404: ("Not found", "The requested resource could not be found."),
    422: ("Input validation failed", "- input.duration: duration must be one of the following: 4, 6, 8\n"),
}
THROTTLED: Final = "Request was throttled. Your rate limit resets in ~30s."


class ReplicateVendor(PaidVendor):
    """Bills predictions. An attempt is known by its webhook's address, else by its prompt."""

    def __init__(self, *, default: Script | None = None) -> None:
        super().__init__(default=default)
        self.secret = SECRET
        self.files: dict[str, bytes] = {}
        self.lists_webhooks = False
        """Whether the list of predictions shows where their webhooks go; the OpenAPI document does not say so."""
        self.page = 100
        self.outputs = ""
        """Root of the addresses of outputs; empty: this server's own."""
        self.removed: set[str] = set()
        """Predictions whose input, output and logs are removed, as all are after an hour."""
        self.stops_late = False
        """The answer to a cancel still says processing."""
        self.retired: set[str] = set()
        self.keys_shown: list[str] = []
        """Paths of downloads that came with a key."""
        self.orders: list[tuple[str, Json, Mapping[str, str]]] = []
        """(path, body, headers) of every submit, also of a refused one."""
        self.clock_ahead = timedelta()
        """By how much its clock is wrong."""
        self._made: dict[str, datetime] = {}
        self._models: dict[str, str] = {}

    def environment(self) -> dict[str, str]:
        return {"REPLICATE_API_TOKEN": KEY, "REPLICATE_BASE_URL": self.url}

    def routes(self, app: web.Application) -> None:
        app.middlewares.append(self._door)
        app.router.add_get("/v1/account", self._account)
        app.router.add_get("/v1/models/{owner}/{name}", self._model)
        app.router.add_get("/v1/models/{owner}/{name}/versions/{version}", self._model)
        app.router.add_post("/v1/models/{owner}/{name}/predictions", self._create)
        app.router.add_post("/v1/predictions", self._create)
        app.router.add_get("/v1/predictions", self._list)
        app.router.add_get("/v1/predictions/{id}", self._get)
        app.router.add_post("/v1/predictions/{id}/cancel", self._cancel)
        app.router.add_post("/v1/files", self._upload)
        app.router.add_get("/v1/webhooks/default/secret", self._hook_secret)
        app.router.add_get("/results/{id}", self._result)

    @web.middleware
    async def _door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/results/"):
            if "Authorization" in request.headers:
                self.keys_shown.append(request.path)
        elif request.headers.get("Authorization") != f"Bearer {KEY}":
            self.note("unauthorised", None, None, 401)
            return problem(401)
        try:
            response: web.StreamResponse = await handler(request)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            self.note("strange", None, request.path, 404)
            return problem(404)
        response.headers["Date"] = (datetime.now(UTC) + self.clock_ahead).strftime("%a, %d %b %Y %H:%M:%S GMT")
        return response

    # ----------------------------------------------------------------------------------------------------------------- predictions

    async def _create(self, request: web.Request) -> web.StreamResponse:
        match = request.match_info
        path = "/models/{model_owner}/{model_name}/predictions" if "owner" in match else "/predictions"
        try:
            body = await request.json()
        except ValueError:
            return problem(400)
        self.orders.append((request.path, body, dict(request.headers)))
        wrong = faults(path, "post", body) or header_faults(request.headers)
        if wrong:
            return problem(422, "; ".join(wrong))
        model = f"{match['owner']}/{match['name']}" if "owner" in match else "character-ai/ovi-i2v"
        if "owner" not in match and body["version"] != PINNED:
            title = "Invalid version or not permitted"
            return problem(
                422, "The specified version does not exist (or perhaps you don't have permission to use it?)", title
            )
        if model not in MODELS or model in self.retired:
            self.note("submit", None, None, 404)
            return problem(404)
        prompt = str(body["input"].get("prompt", ""))
        fault = self.fate(prompt)
        if isinstance(fault, Refuse):
            self.note("submit", prompt, None, fault.status)
            return refusal(fault)
        wrong = input_faults(model, body["input"])
        if wrong:
            self.note("submit", prompt, None, 422)
            return problem(422, "\n".join(wrong))
        job = self._take(model, prompt, body)
        return await self.answered(request, job, fault, self._told(job, status=201))

    def _take(self, model: str, prompt: str, body: Json) -> VendorJob:
        number = f"{len(self.jobs) + 1:06d}" + sha256(f"{id(self)}{time.time_ns()}".encode()).hexdigest()[:20]
        hook, wish = body.get("webhook"), body["input"]
        every = {name: value if isinstance(value, list) else [value] for name, value in wish.items()}
        self._models[number], self._made[number] = model, datetime.now(UTC) + self.clock_ahead
        return self.bill(
            prompt,
            id=number,
            attempt=None if hook is None else hook.rpartition("/")[2],
            picture=self._bytes(wish["image"]) if "image" in wish else None,
            references=tuple(
                self._bytes(each) for name in ("reference_images", "image_input") for each in every.get(name, [])
            ),
            wish=body,
        )

    def _bytes(self, address: str) -> bytes:
        if address.startswith("data:"):
            assert len(address) <= 256 * 1024, "larger files are uploaded first"
            return base64.b64decode(address.partition(",")[2], validate=True)
        return self.files[address.rpartition("/")[2]]

    def view(self, job: VendorJob) -> Json:
        """The prediction as Replicate tells it."""
        removed, state = job.id in self.removed, self.state(job)
        made, model = self._made[job.id], self._models[job.id]
        status, error = _status_of(state.kind, state.code, is_early=state.progress is None)
        at = f"{self.url}/v1/predictions/{job.id}"
        output = f"{self.outputs or self.url}/results/{job.id}" if status == "succeeded" and not removed else None
        steps = round(50 * (1.0 if state.kind == "ready" else state.progress or 0.0))
        bars = [f" {2 * done}%|{'█' * (done // 5)}| {done}/50 [00:{done:02d}<00:10, 1.2s/it]" for done in (0, steps)]
        found: Json = {
            "id": job.id,
            "model": model,
            "version": job.wish.get("version", "hidden"),
            "input": {} if removed else job.wish["input"],
            "logs": "" if removed or not job.script.fractions else "Using seed: 7\n" + "\r".join(bars) + "\n",
            "output": output,
            "data_removed": removed,
            "error": error,
            "status": status,
            "source": "api",
            "created_at": _moment(made),
            "urls": {"get": at, "cancel": f"{at}/cancel", "web": f"https://replicate.com/p/{job.id}"},
        }
        if status not in {"starting", "processing"}:
            found |= {"started_at": _moment(made), "completed_at": _moment(made + timedelta(seconds=90))}
            found["metrics"] = {"predict_time": 88.5, "total_time": 90.0}
        if state.code == "deadline":
            found["deadline"] = found["completed_at"]
        return found

    def _told(self, job: VendorJob, status: int = 200) -> web.Response:
        found = self.view(job)
        assert not (wrong := answer_faults("/predictions/{prediction_id}", "get", found)), wrong
        return web.json_response(found, status=status)

    async def _get(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is None or job.script.forgets:
            self.note("poll", None, request.match_info["id"], 404)
            return problem(404)
        refused = self.poll_refusal(job)
        if refused is not None:
            self.note("poll", job.attempt, job.id, refused.status)
            return refusal(refused)
        self.note("poll", job.attempt, job.id, self.view(job)["status"])
        return self._told(job)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        self.note("find", None, None, 200)
        newest = list(reversed(self.jobs.values()))
        start = int(request.query.get("cursor", "0"))
        shown = [self.view(job) for job in newest[start : start + self.page]]
        onward = start + self.page if start + self.page < len(newest) else None
        link = None if onward is None else f"{self.url}/v1/predictions?cursor={onward}"
        found: Json = {"previous": None, "next": link, "results": shown}
        assert not (wrong := answer_faults("/predictions", "get", found)), wrong
        if self.lists_webhooks:
            for each in shown:
                each["webhook"] = self.jobs[each["id"]].wish.get("webhook")
        return web.json_response(found)

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is None or job.script.forgets:
            return problem(404)
        before = self._told(job)
        job.cancelled = job.cancelled or self.state(job).kind == "waiting"
        self.note("cancel", job.attempt, job.id, self.view(job)["status"])
        return before if self.stops_late else self._told(job)

    async def _result(self, request: web.Request) -> web.StreamResponse:
        job = self.jobs.get(request.match_info["id"])
        if job is None or job.id in self.removed:
            return web.Response(status=404)
        if self._models[job.id] in PAINTERS and job.script.result == "clip":
            self.note("fetch", job.attempt, job.id, "picture")
            return web.Response(body=PNG, content_type="image/png")
        return await self.send_result(request, job)

    # ------------------------------------------------------------------------------------------------------------------- the rest

    async def _account(self, request: web.Request) -> web.StreamResponse:
        del request
        return self._spoken("/account", {"type": "organization", "username": "lab", "name": "The Laboratory"})

    async def _model(self, request: web.Request) -> web.StreamResponse:
        owner, name = request.match_info["owner"], request.match_info["name"]
        if f"{owner}/{name}" not in MODELS or f"{owner}/{name}" in self.retired:
            return problem(404)
        if "version" in request.match_info:
            known = request.match_info["version"] == PINNED
            version = {"id": PINNED, "created_at": "2025-10-10T10:00:00Z", "cog_version": "0.16", "openapi_schema": {}}
            return (
                self._spoken("/models/{model_owner}/{model_name}/versions/{version_id}", version)
                if known
                else problem(404)
            )
        found: Json = {
            "url": f"https://replicate.com/{owner}/{name}",
            "owner": owner,
            "name": name,
            "visibility": "public",
        }
        found |= {"run_count": 7, "is_official": owner == "google"}
        found |= dict.fromkeys(("description", "github_url", "paper_url", "license_url", "cover_image_url"))
        return self._spoken(
            "/models/{model_owner}/{model_name}", {**found, "default_example": None, "latest_version": None}
        )

    async def _hook_secret(self, request: web.Request) -> web.StreamResponse:
        del request
        self.note("secret", None, None, 200)
        return self._spoken("/webhooks/default/secret", {"key": self.secret})

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        part = form.get("content")
        if not isinstance(part, web.FileField) or set(form) - {"content", "filename", "metadata", "type"}:
            return problem(400)
        fault = self.fate("upload") if self.script("upload").submits else None
        if isinstance(fault, Refuse):
            return refusal(fault)
        data, number = part.file.read(), f"file{len(self.files) + 1:08d}"
        self.files[number] = data
        digests = {"sha256": sha256(data).hexdigest(), "md5": ""}
        soon = datetime.now(UTC) + timedelta(hours=24)
        found: Json = {"id": number, "name": part.filename, "content_type": part.content_type, "size": len(data)}
        found |= {
            "etag": digests["sha256"],
            "checksums": digests,
            "metadata": {},
            "created_at": _moment(datetime.now(UTC)),
        }
        found |= {"expires_at": _moment(soon), "urls": {"get": f"{self.url}/v1/files/{number}"}}
        self.note("upload", None, number, 201)
        return self._spoken("/files", found, method="post", status=201)

    def _spoken(self, path: str, data: Json, *, method: str = "get", status: int = 200) -> web.Response:
        assert not (wrong := answer_faults(path, method, data, str(status))), wrong
        return web.json_response(data, status=status)

    def delivery(
        self, job: VendorJob, *, age: float = 0.0, secret: str | None = None, number: str = "msg_1"
    ) -> tuple[dict[str, str], bytes]:
        """A signed webhook about ``job``: headers and body."""
        body = json.dumps(self.view(job)).encode()
        return signed(body, secret or self.secret, age=age, number=number), body


def signed(body: bytes, secret: str = SECRET, *, age: float = 0.0, number: str = "msg_1") -> dict[str, str]:
    """Headers of Standard Webhooks."""
    moment = str(int(time.time() - age))
    key = base64.b64decode(secret.partition("_")[2])
    digest = hmac.new(key, f"{number}.{moment}.".encode() + body, sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": number, "webhook-timestamp": moment, "webhook-signature": signature}


def problem(status: int, detail: str | None = None, title: str | None = None) -> web.Response:
    """A refusal as RFC 7807 has it."""
    usual = PROBLEMS.get(status, ("Internal server error", "Something went wrong."))
    data = {"title": title or usual[0], "detail": detail or usual[1], "status": status}
    return web.json_response(data, status=status, content_type="application/problem+json")


def refusal(fault: Refuse) -> web.Response:
    """A scripted refusal in Replicate's words; code ``content``: the input is flagged, ``words``: the wait is told in words alone."""
    if fault.status == 429:
        detail = THROTTLED if fault.code == "words" else "Request was throttled."
        headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
        return web.json_response({"detail": detail}, status=429, headers=headers)
    return problem(fault.status, ERRORS["content"] if fault.code == "content" else None)


def _status_of(kind: str, code: str, *, is_early: bool) -> tuple[str, str | None]:
    if kind == "waiting":
        return ("starting" if is_early else "processing"), None
    if kind == "ready":
        return "succeeded", None
    if code in {"cancelled", "deadline"}:
        return "canceled", None
    return ("aborted", None) if code == "aborted" else ("failed", ERRORS.get(code, code))


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
