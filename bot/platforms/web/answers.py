"""Answers in the shapes of docs/reference/http.md: JSON, and one error shape for everything that goes wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from bot.engine.words import Words
from core.cards import Message
from core.errors import (
    BadOption,
    Conflict,
    NotAllowed,
    NotFound,
    NotSignedIn,
    OversizedMedia,
    QuotaExceeded,
    ReelayError,
    TooLarge,
    UnsupportedMedia,
)

STATUS_OF_CODE: Final[Mapping[str, int]] = {
    "INVALID_REQUEST": 400,
    "AUTHENTICATION_ERROR": 502,
    "QUOTA_EXCEEDED": 402,
    "INSUFFICIENT_FUNDS": 503,
    "CONTENT_POLICY_VIOLATION": 422,
    "RATE_LIMIT_EXCEEDED": 429,
    "MODEL_RETIRED": 503,
    "PROVIDER_UNAVAILABLE": 503,
    "DISK_FULL": 503,
    "TIMEOUT": 504,
    "UNCLEAR": 502,
    "CANCELLED": 409,
    "UNSUPPORTED_MEDIA": 415,
    "CORRUPT_MEDIA": 415,
    "NOT_ALLOWED": 403,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
}
STATUS_OF_KIND: Final = (
    (NotSignedIn, 401),
    (NotFound, 404),
    (Conflict, 409),
    (NotAllowed, 403),
    (QuotaExceeded, 402),
    (OversizedMedia, 413),
    (TooLarge, 413),
    (UnsupportedMedia, 415),
)
NAMES: Final = {
    401: "NotSignedIn",
    403: "NotAllowed",
    404: "NotFound",
    409: "Conflict",
    413: "TooLarge",
    415: "UnsupportedMedia",
}
RETRY_AFTER_SECONDS: Final = 30


class TooManyRequests(ReelayError):
    """One caller asks too often; ``values``: retry_after, seconds."""

    code = "RATE_LIMIT_EXCEEDED"
    default_message_id = "error.too_many_requests"


class BodyTooLarge(TooLarge):
    """The body is above what this call takes; ``values``: most, bytes."""

    default_message_id = "error.body_too_large"


def answer(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer, never cached."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return web.Response(
        body=body,
        status=status,
        content_type="application/json",
        charset="utf-8",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def refusal(error: ReelayError, words: Words, now: int, backends: Mapping[str, str] | None = None) -> web.Response:
    """The error shape of docs/reference/errors.md for ``error``, in the caller's language.

    ``backends``: the generators' names by the titles that sentences use; ``backend_used`` is a name, and null for a title that is none.
    """
    status = next(
        (status for kind, status in STATUS_OF_KIND if isinstance(error, kind)), STATUS_OF_CODE.get(error.code, 500)
    )
    headers = {}
    if status == 429:
        headers["Retry-After"] = str(max(1, math.ceil(error.values.get("retry_after", RETRY_AFTER_SECONDS))))
    if status == 401:  # RFC 9110, 15.5.2
        headers["WWW-Authenticate"] = "Bearer"
    details = f"{error.field}: {error.legal}" if isinstance(error, BadOption) else _details(error)
    return error_answer(
        status,
        name=NAMES.get(status, "VideoGenerationError"),
        code=error.code,
        message=words.text(Message(error.message_id, error.values), now),
        details=details,
        backend=error.facts.get("backend") or (backends or {}).get(str(error.values.get("generator"))),
        now=now,
        headers=headers,
    )


def _details(error: ReelayError) -> str | None:
    if "field" in error.values and "legal" in error.values:
        return f"{error.values['field']}: {error.values['legal']}"
    if error.message_id == "error.price_changed":
        return f"was: {error.values['was']}; now: {error.values['now']}"
    if isinstance(error, QuotaExceeded) and "resets_at" in error.values:
        at = datetime.fromtimestamp(error.values["resets_at"] / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"scope: {error.values['scope']}; period: {error.values['period']}; resets_at: {at}"
    return None


def error_answer(
    status: int,
    *,
    name: str,
    code: str,
    message: str,
    now: int,
    details: str | None = None,
    backend: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """One error in its shape."""
    stamp = datetime.fromtimestamp(now // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    data = {
        "error": name,
        "error_code": code,
        "message": message,
        "details": details,
        "backend_used": backend,
        "timestamp": stamp,
    }
    return answer(data, status, headers)
