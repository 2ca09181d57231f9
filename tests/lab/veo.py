"""A simulator of Veo on Vertex AI: predictLongRunning and fetchPredictOperation, for a key of express mode and for a project.

Envelopes by Google's discovery document of aiplatform v1beta1 (revision 20261106); what stands inside, which it leaves open, by
Vertex's page on Veo and by what google-genai 3.4 sends and reads. It is stricter than Google may be: a field that it does not know is
refused.

=====================================================  ===========================================================================
``POST {route}:predictLongRunning``                    ``{instances: [one], parameters}`` → ``{name}``: billed from here on
``POST {route}:fetchPredictOperation``                 ``{operationName}`` → ``{name, done, error | response}``, the clip in it
``GET /v1beta1/publishers/google/models/{model}``      the model, or 404
``POST /token``                                        a token for the assertion of the service account
=====================================================  ===========================================================================

``{route}`` is ``/v1beta1/publishers/google/models/{model}`` with a key, and the same below ``projects/P/locations/L`` with a token.

A poll and a download are the same call here. The first answer of a job that has its clip stands for the poll and is always a good one;
those behind it go by the script's ``results``.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from tests.lab.billing import PaidVendor, Refuse, Result, Script, VendorJob
from tests.lab.clips import GARBAGE, PAGE, clip_bytes, huge_inside
from tests.lab.server import cut
from tests.lab.veo_orders import Wrong, known, read_order

KEY: Final = "AQ.lab-express-7c0e5d41b9a3"
"""The only key of express mode; a canary, too: it must never be seen in a log."""
TOKEN: Final = "ya29.lab-2f8d6b1c9e"
AUDIENCE: Final = "https://oauth2.googleapis.com/token"
"""For which google-auth signs, wherever it then goes."""
PROJECT: Final = "lab-films"
OWN_PROJECT: Final = "481516234200"
"""In whose name express mode works."""
LOCATION: Final = "us-central1"
MODELS: Final = ("veo-3.1-generate-001", "veo-3.1-fast-generate-001", "veo-3.1-lite-generate-001")

TYPE: Final = "type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse"
ROUTE: Final = re.compile(
    r"/v1beta1/(?P<resource>(?:projects/(?P<project>[\w.:-]+)/locations/(?P<location>[\w-]+)/)?"
    r"publishers/google/models/(?P<model>[\w.-]+))(?::(?P<verb>predictLongRunning|fetchPredictOperation))?"
)
STATUS: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
SAID: Final[Mapping[tuple[int, str], tuple[str, str]]] = {
    (400, "key"): ("API key not valid. Please pass a valid API key.", "API_KEY_INVALID"),
    (400, "content"): (
        (
            "The prompt could not be submitted. This prompt contains sensitive words that violate Google's Responsible AI practices. "
            "Try rephrasing the prompt. If you think this was an error, send feedback. Support codes: 61493863"
        ),
        "",
    ),
    (401, ""): (
        (
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication "
            "credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
        ),
        "ACCESS_TOKEN_TYPE_UNSUPPORTED",
    ),
    (401, "key"): (
        (
            "API keys are not supported by this API. Expected OAuth2 access token or other authentication credentials that assert a "
            "principal. See https://cloud.google.com/docs/authentication"
        ),
        "CREDENTIALS_MISSING",
    ),
    (403, ""): (
        "Permission 'aiplatform.endpoints.predict' denied on resource (or it may not exist).",
        "IAM_PERMISSION_DENIED",
    ),
    (403, "billing"): (
        "This API method requires billing to be enabled. Please enable billing on project #481516234200 then retry.",
        "BILLING_DISABLED",
    ),
    (403, "off"): (
        "Vertex AI API has not been used in project 481516234200 before or it is disabled.",
        "SERVICE_DISABLED",
    ),
    (429, ""): (
        (
            "Resource exhausted. Please try again later. Please refer to "
            "https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details."
        ),
        "",
    ),
}
"""What Google says, and its reason, by status and the script's code."""


class Veo(PaidVendor):
    """One project with the models of Veo 3.1. ``login``: which way in ``environment`` tells of."""

    def __init__(self, *, default: Script | None = None, login: str = "express", account: Path | None = None) -> None:
        """``account``: where the file of the service account is written, for the login ``project``."""
        super().__init__(default=default)
        self.login, self.account = login, account
        self.models = set(MODELS)
        self.clip: bytes | None = None
        """What is answered as the clip in place of a small one."""
        self._shown: set[str] = set()
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048) if login == "project" else None

    def environment(self) -> dict[str, str]:
        """See ``PaidVendor.environment``. Of a project the file of its service account is written anew."""
        if self.login == "express":
            return {"GOOGLE_GENAI_USE_VERTEXAI": "yes", "GOOGLE_API_KEY": KEY, "GOOGLE_API_BASE_URL": self.url}
        assert self.account is not None
        self.account.write_text(json.dumps(self._account()), encoding="utf-8")
        return {
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "GOOGLE_APPLICATION_CREDENTIALS": str(self.account),
            "GOOGLE_API_BASE_URL": self.url,
        }

    def _account(self) -> dict[str, str]:
        assert self._key is not None
        pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "lab",
            "private_key": pem.decode(),
            "client_email": "reelay@lab-films.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": f"{self.url}/token",
        }

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/token", self._token)
        app.router.add_route("*", "/{path:.*}", self._any)

    async def _token(self, request: web.Request) -> web.Response:
        """RFC 7523: the assertion is signed by the account, for Google."""
        form = await request.post()
        key = None if self._key is None else self._key.public_key()
        try:
            assert key is not None
            assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
            pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            claims = jwt.decode(str(form["assertion"]), certs=pem, audience=AUDIENCE)  # type: ignore[no-untyped-call]
            assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
        except (AssertionError, KeyError, ValueError):
            self.note("token", None, None, 400)
            return web.json_response(
                {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, status=400
            )
        self.note("token", None, None, 200)
        return web.json_response({"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})

    async def _any(self, request: web.Request) -> web.StreamResponse:
        found = ROUTE.fullmatch(request.path)
        verb = found and found["verb"]
        if found is None or request.method != ("POST" if verb else "GET"):
            self.note("strange", None, f"{request.method} {request.path}", 404)
            return web.Response(status=404, text="<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>")
        refused = self._door(request, found["project"])
        if refused is not None:
            self.note("unauthorised", None, None, refused.status)
            return refused
        try:
            if verb is None:
                return self._model(found["model"])
            body = await request.json()
            if verb == "fetchPredictOperation":
                return await self._fetch(request, found["resource"], body)
            return await self._predict(request, found, body)
        except ValueError:
            return refusal(400, "Invalid JSON payload received. Unexpected end of string.")
        except Wrong as wrong:
            self.note("wrong", None, str(wrong), 400)
            return refusal(400, str(wrong))

    def _door(self, request: web.Request, project: str | None) -> web.Response | None:
        key, token = request.headers.get("x-goog-api-key"), request.headers.get("Authorization")
        if token is not None:
            known = token == f"Bearer {TOKEN}" and project in (None, PROJECT)
            return None if known else said(401)
        if key is None:
            return said(401)
        if key != KEY:
            return said(400, "key")
        return said(401, "key") if project not in (None, OWN_PROJECT) else None

    def _model(self, model: str) -> web.Response:
        self.note("model", None, model, 200 if model in self.models else 404)
        if model not in self.models:
            return self._no_model(model)
        return web.json_response({"name": f"publishers/google/models/{model}", "versionId": "001", "launchStage": "GA"})

    def _no_model(self, model: str) -> web.Response:
        return refusal(
            404,
            f"Publisher Model `projects/{PROJECT}/locations/{LOCATION}/publishers/google/models/{model}` was not found or your project "
            "does not have access to it. Please ensure you are using a valid model version.",
        )

    async def _predict(self, request: web.Request, found: re.Match[str], body: Any) -> web.StreamResponse:
        model = found["model"]
        if model not in self.models:
            self.note("submit", None, None, 404)
            return self._no_model(model)
        wish = read_order(body, model)
        instance = wish["instances"][0]
        prompt = instance.get("prompt", "")
        fault = self.fate(prompt)
        if isinstance(fault, Refuse):
            self.note("submit", prompt, None, fault.status)
            return said(fault.status, fault.code, fault.retry_after)
        job = self.bill(
            prompt,
            id=str(uuid.uuid4()),
            picture=_bytes(instance.get("image")),
            references=tuple(
                base64.b64decode(each["image"]["bytesBase64Encoded"]) for each in instance.get("referenceImages", ())
            ),
            wish=wish,
        )
        resource = found["resource"]
        if found["project"] is None:
            resource = f"projects/{OWN_PROJECT}/locations/{LOCATION}/{resource}"
        job.wish = {**wish, "name": f"{resource}/operations/{job.id}"}
        return await self.answered(request, job, fault, web.json_response({"name": job.wish["name"]}))

    async def _fetch(self, request: web.Request, resource: str, body: Any) -> web.StreamResponse:
        known(body, {"operationName": str}, "", required=("operationName",))
        name = body["operationName"]
        if not name.startswith(f"{resource}/operations/"):
            raise Wrong(f"Operation name {name} does not belong to {resource}.")
        job = self.jobs.get(name.rpartition("/")[2])
        if job is None or job.script.forgets:
            self.note("poll", None, name, 404)
            return refusal(404, f"The operation {name} was not found.")
        fault = self.poll_refusal(job)
        if fault is not None:
            self.note("poll", job.attempt, job.id, fault.status)
            return said(fault.status, fault.code, fault.retry_after)
        state = self.state(job)
        if state.kind == "ready" and job.id in self._shown:
            return await self._result(request, job, name)
        self.note("poll", job.attempt, job.id, state.kind)
        if state.kind == "waiting":
            return web.json_response({"name": name})
        if state.kind == "failed":
            return web.json_response({"name": name, "done": True, **how_it_ended(state.code)})
        self._shown.add(job.id)
        kind = "huge" if job.script.result == "huge" else "clip"
        return await self._pour(request, name, self.clip or clip_bytes(), kind)

    async def _result(self, request: web.Request, job: VendorJob, name: str) -> web.StreamResponse:
        kind: Result = self.next_result(job)
        self.note("fetch", job.attempt, job.id, kind)
        if kind == "html":
            return web.Response(body=PAGE, content_type="text/html")
        if kind == "gone":
            return refusal(404, f"The operation {name} was not found.")
        files: dict[str, Callable[[], bytes]] = {
            "large": lambda: clip_bytes(seconds=4, noise=60, width=640),
            "webm": lambda: clip_bytes(".webm"),
            "garbage": lambda: GARBAGE,
            "empty": lambda: b"",
        }
        file = files[kind]() if kind in files else self.clip or clip_bytes()
        return await self._pour(request, name, file, kind)

    async def _pour(self, request: web.Request, name: str, file: bytes, kind: str = "clip") -> web.StreamResponse:
        mime = "video/webm" if kind == "webm" else "video/mp4"
        response = {
            "@type": TYPE,
            "raiMediaFilteredCount": 0,
            "videos": [{"bytesBase64Encoded": "=", "mimeType": mime}],
        }
        before, after = json.dumps({"name": name, "done": True, "response": response}, indent=2).split('"="')
        if kind == "huge":
            body = huge_inside(f'{before}"', self.huge_bytes, f'"{after}')
            return web.Response(body=body, content_type="application/json", charset="UTF-8")
        stream = web.StreamResponse(headers={"Content-Type": "application/json; charset=UTF-8"})
        await stream.prepare(request)
        with contextlib.suppress(ConnectionError):  # a poll ends where the clip begins
            await self._pieces(
                request, stream, before.encode() + b'"', base64.b64encode(file), b'"' + after.encode(), kind
            )
        return stream

    async def _pieces(
        self, request: web.Request, stream: web.StreamResponse, before: bytes, text: bytes, after: bytes, kind: str
    ) -> None:
        await stream.write(before)
        step = max(1, len(text) // 20) if kind == "slow" else 64 << 10
        for start in range(0, len(text) // (2 if kind == "truncated" else 1), step):
            await stream.write(text[start : start + step])
            await asyncio.sleep(0.05 if kind == "slow" else 0)
        if kind == "truncated":
            cut(request)
            return
        if kind == "oversized":
            for _ in range(64):  # 256 MB in all; the caller gives up long before
                await stream.write(b"AAAA" * (1 << 20))
        await stream.write(after)


def how_it_ended(code: str) -> dict[str, Any]:
    """The end of an operation without a clip. ``code``: ``content`` (with ``:codes`` of its own), ``rpc:N``, ``bucket`` … or any word."""
    kind, _, rest = code.partition(":")
    match kind:
        case "content":
            why = (
                "Veo could not generate videos because the prompt or the picture violates Google's Responsible AI practices. If you think "
                f"this was an error, send feedback. Support codes: {rest or '61493863'}"
            )
            return {"response": {"@type": TYPE, "raiMediaFilteredCount": 1, "raiMediaFilteredReasons": [why]}}
        case "rpc":
            return {"error": {"code": int(rest), "message": "The operation could not be carried out."}}
        case "sensitive":
            return {"error": {"code": 3, "message": SAID[400, "content"][0]}}
        case "bucket":
            video = {"gcsUri": "gs://lab-films/sample_0.mp4", "mimeType": "video/mp4"}
            return {"response": {"@type": TYPE, "raiMediaFilteredCount": 0, "videos": [video]}}
        case "nothing":
            return {"response": {"@type": TYPE}}
        case _:
            return {"error": {"code": 13, "message": "Internal error. Please try again."}}


def said(status: int, code: str = "", retry_after: float | None = None) -> web.Response:
    """A refusal in Google's own words."""
    message, reason = SAID.get((status, code)) or SAID.get((status, ""), ("Request contains an invalid argument.", ""))
    return refusal(status, message, reason, retry_after)


def refusal(status: int, message: str, reason: str = "", retry_after: float | None = None) -> web.Response:
    """``google.rpc.Status`` as JSON."""
    error: dict[str, Any] = {"code": status, "message": message, "status": STATUS.get(status, "UNKNOWN")}
    if reason:
        info = "type.googleapis.com/google.rpc.ErrorInfo"
        error["details"] = [{"@type": info, "reason": reason, "domain": "googleapis.com", "metadata": {}}]
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return web.json_response({"error": error}, status=status, headers=headers)


def _bytes(media: Mapping[str, str] | None) -> bytes | None:
    return None if media is None else base64.b64decode(media["bytesBase64Encoded"])
