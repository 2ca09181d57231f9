"""What all of Google's simulated APIs share: the key at the door, refusals in Google's own words, and requests held against a spec.

The specs (``tests/lab/specs``) are open where the servers are not: a field that is unknown there is taken, and a word outside of an enum
passes. So they are closed here before anything is held against them, as Google's front door closes them ("Unknown name … Cannot find
field").
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]
from aiohttp import web

from tests.lab.billing import PaidVendor, Refuse

KEY: Final = "AIza-lab-key-of-google-7c1e52"
"""The only key that is taken; a canary, too: it must never be seen in a log."""
VERTEX_KEY: Final = "AIza-lab-key-of-vertex-30b9d4"
"""A key of the wrong kind."""
QUOTA: Final = "You exceeded your current quota, please check your plan and billing details."
WORDS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    402: ("FAILED_PRECONDITION", "Payment required."),
    403: ("PERMISSION_DENIED", "The caller does not have permission."),
    404: ("NOT_FOUND", "models/gone is not found for API version v1beta, or is not supported for this method."),
    413: ("INVALID_ARGUMENT", "Request payload size exceeds the limit."),
    422: ("INVALID_ARGUMENT", "The request was well-formed but cannot be processed."),
    429: ("RESOURCE_EXHAUSTED", f"{QUOTA} For more information: https://ai.google.dev/gemini-api/docs/rate-limits."),
    500: ("INTERNAL", "An internal error has occurred."),
    502: ("INTERNAL", "Bad gateway."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    504: ("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}
CODES: Final[Mapping[str, tuple[int, str, str, str]]] = {
    "wrong key": (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "API_KEY_INVALID"),
    "wrong kind": (
        403,
        "PERMISSION_DENIED",
        "Requests to this API generativelanguage.googleapis.com method are blocked.",
        "API_KEY_SERVICE_BLOCKED",
    ),
    "place": (400, "FAILED_PRECONDITION", "User location is not supported for the API use.", ""),
    "no billing": (403, "PERMISSION_DENIED", "This API method requires billing to be enabled.", "BILLING_DISABLED"),
    "free tier": (
        429,
        "RESOURCE_EXHAUSTED",
        f"{QUOTA} * Quota exceeded for metric: generate_content_free_tier_requests, limit: 0, model: gemini-omni-1.2-flash",
        "",
    ),
    "content": (400, "INVALID_ARGUMENT", "Input blocked: The prompt could not be processed.", ""),
}
"""Refusals that ``Refuse(status, code)`` names: status, google.rpc status, message, reason."""


def google_error(status: int, code: str = "", retry_after: float | None = None) -> web.Response:
    """A refusal as google.rpc.Status says it. A number of seconds goes into the header."""
    reason = ""
    if code in CODES:
        status, name, message, reason = CODES[code]
    else:
        name, message = WORDS.get(status, ("UNKNOWN", "An error."))
    details: list[dict[str, Any]] = []
    if reason:
        details.append(
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
        )
    if code.startswith("retry "):
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": code.removeprefix("retry ")})
    body = {"error": {"code": status, "message": message, "status": name, "details": details}}
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return web.json_response(body, status=status, headers=headers)


class GoogleDoor(PaidVendor):
    """Takes one key; answers what has no route with 404, and remembers that it was asked."""

    models: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        return {"GEMINI_API_KEY": KEY, "GOOGLE_API_BASE_URL": self.url}

    def routes(self, app: web.Application) -> None:
        app.middlewares.append(self._door)
        for version in ("v1", "v1beta"):
            app.router.add_get(f"/{version}/models/{{id}}", self._model)

    @web.middleware
    async def _door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        key = request.headers.get("x-goog-api-key")
        if key != KEY:
            self.note("unauthorised", None, None, 400)
            return google_error(403 if key == VERTEX_KEY else 400, "wrong kind" if key == VERTEX_KEY else "wrong key")
        try:
            response: web.StreamResponse = await handler(request)
        except web.HTTPNotFound:
            self.note(f"strange {request.method} {request.path}", None, None, 404)
            return google_error(404)
        return response

    async def _model(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["id"]
        self.note("model", None, name, 200 if name in self.models else 404)
        if name not in self.models:
            return google_error(404)
        return web.json_response({"name": f"models/{name}", "displayName": name, "version": "1"})

    def refusal(self, fault: Refuse, attempt: str) -> web.Response:
        """Answer as the script says, and take nothing."""
        self.note("submit", attempt, None, fault.status)
        return google_error(fault.status, fault.code, fault.retry_after)


def json_names(data: Any, *, names_are_ours: bool = True) -> Any:
    """The same with every field under its JSON name: Google's servers take that and the proto's own (``max_items`` for ``maxItems``)."""
    if isinstance(data, list):
        return [json_names(each) for each in data]
    if not isinstance(data, dict):
        return data
    found = {}
    for name, value in data.items():
        head, *rest = name.split("_")
        said = "".join([head, *(word.title() for word in rest)]) if names_are_ours else name
        found[said] = json_names(
            value, names_are_ours=name != "properties"
        )  # a schema's properties have the caller's names
    return found


def is_right(spec: str, name: str, data: Any) -> bool:
    """Whether ``data`` is a ``name`` of the spec, closed."""
    return bool(_validator(spec, name).is_valid(data))


@functools.cache
def _validator(spec: str, name: str) -> Any:
    schemas = json.loads((Path(__file__).parent / "specs" / f"{spec}.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator({**_closed(schemas), "$ref": f"#/$defs/{name}"})


def _closed(schema: Any) -> Any:
    """The same without room for unknown fields, words and kinds."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "int64":  # a text in JSON, and a number is taken, too
        return {"type": ["string", "integer"]}
    found = {key: _closed(value) for key, value in schema.items()}
    options = found.get("anyOf")
    if isinstance(options, list):
        words = any("enum" in each for each in options)
        found["anyOf"] = [each for each in options if not _is_open(each, words=words)]
    properties = found.get("properties")
    if isinstance(properties, dict) and found.get("type") == "object":
        found["additionalProperties"] = False
        if "const" in properties.get("type", {}):
            found["required"] = [*found.get("required", []), "type"]
    return found


def _is_open(option: dict[str, Any], *, words: bool) -> bool:
    if option.get("$ref", "").startswith("#/$defs/Unknown"):
        return True
    if option.get("type") == "object" and "properties" not in option and option.get("additionalProperties") is True:
        return True
    return words and option == {"type": "string"}
