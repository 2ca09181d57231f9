"""What Google's refusals mean: the floor of Omni and of Gemini; its words and the SDK's exceptions are read here for Veo too. No SDK.

Both APIs (Interactions and generateContent) answer a refusal with a status and a body in one of two shapes: ``{"error": {"code": 400,
"status": …, "message": …, "details": […]}}`` (google.rpc.Status) or ``{"error": {"code": "…", "message": …}}`` (Interactions). The same
status means several things; which one, the words and the reasons of ``MEANINGS`` tell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from core.errors import (
    ContentRefused,
    CredentialsRejected,
    InvalidRequest,
    ModelRetired,
    OutOfFunds,
    ProviderError,
    RateLimited,
)
from providers.line import RETRY_AFTER_MOST, Answer, refused_or_unclear

ROOT: Final = "https://generativelanguage.googleapis.com"
VERSION: Final = "v1beta"
"""What Google's own examples use (ai.google.dev/gemini-api/docs/omni, 2026-10); files are known under no other."""

STATUSES: Final[Mapping[int, type[ProviderError]]] = {
    400: InvalidRequest,
    401: CredentialsRejected,
    402: OutOfFunds,
    403: CredentialsRejected,
    404: ModelRetired,
    413: InvalidRequest,
    422: InvalidRequest,
    429: RateLimited,
}
"""Certain refusals; after any other answer to a paid call nobody knows."""

NO_KEY: Final = "Google does not accept the key: set GEMINI_API_KEY (or GOOGLE_API_KEY) to one made in Google AI Studio"
WRONG_KIND: Final = (
    "the key is none of the Gemini API: make one in Google AI Studio; a key of Vertex AI makes clips with Veo, "
    "once GOOGLE_GENAI_USE_VERTEXAI=yes is set"
)
NOT_HERE: Final = "Google does not offer this where Reelay runs"
NO_FUNDS: Final = (
    "the project of the key has no billing, or its money or its spending cap is used up: see Google AI Studio"
)

MEANINGS: Final[tuple[tuple[str, frozenset[int], type[ProviderError], str], ...]] = (
    (
        r"api_key_invalid|api key not valid|api key expired",
        frozenset({400}),
        CredentialsRejected,
        NO_KEY,
    ),
    (
        r"api_key_service_blocked|service_disabled|access_token_type_unsupported|api keys are not supported",
        frozenset({401, 403}),
        CredentialsRejected,
        WRONG_KIND,
    ),
    (r"location is not supported", frozenset({400}), CredentialsRejected, NOT_HERE),
    # The words of every rate limit are "check your plan and billing details", so "billing" alone tells nothing.
    (
        r"billing_disabled|enable billing|credits are depleted|spend(ing)? (cap|limit)|limit: 0\b(?!\.\d)",
        frozenset({400, 403, 429}),
        OutOfFunds,
        NO_FUNDS,
    ),
    (
        r"input blocked|prohibited|safety|usage polic|content polic|sensitive words",
        frozenset({400, 422}),
        ContentRefused,
        "",
    ),
)
"""(words in the answer, statuses under which they count, what they mean, what the operator is told), the first that fits."""


def read_error(answer: Answer, submitting: bool, *, setting: str) -> ProviderError:  # noqa: FBT001 - as Line asks it
    """What a refusal means. ``setting`` names the model's setting, for the operator when the model is gone."""
    kind, text = STATUSES.get(answer.status), ""
    said = words_of(answer.data)
    for words, statuses, meant, hint in MEANINGS:
        if answer.status in statuses and re.search(words, said):
            kind, text = meant, hint
            break
    if kind is None:
        return refused_or_unclear(None, answer, submitting=submitting)
    facts: dict[str, Any] = {"status": answer.status}
    if kind is ModelRetired:
        facts["setting"], text = setting, f"Google has no such model (any more): set {setting} to one that it has"
    elif kind is CredentialsRejected:
        text = text or NO_KEY
    elif kind is OutOfFunds:
        text = text or NO_FUNDS
    return kind(text, retry_after=_retry_after(answer), **facts)


def answer_of(status: int | None, headers: Mapping[str, str] | None, body: Any) -> Answer:
    """A refusal as the SDK's exceptions carry it: ``body`` is JSON, or its text."""
    if isinstance(body, str | bytes):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            body = None
    known = {name.title(): value for name, value in (headers or {}).items()}
    return Answer(status or 0, known, body, is_json=body is not None)


def words_of(data: Any) -> str:
    """Everything that the body says, in lower case; for looking at, never for telling."""
    if isinstance(data, list) and len(data) == 1:  # as some of Google's servers wrap it
        data = data[0]
    error = data.get("error") if isinstance(data, Mapping) else None
    if not isinstance(error, Mapping):
        return ""
    told = error.get("details")
    details = [detail for detail in (told if isinstance(told, list) else ()) if isinstance(detail, Mapping)]
    parts = (
        error.get("code"),
        error.get("status"),
        error.get("message"),
        *(detail.get("reason") for detail in details),
    )
    return "\n".join(part for part in parts if isinstance(part, str)).lower()


def _retry_after(answer: Answer) -> float | None:
    """Seconds of the header, or of google.rpc.RetryInfo in the body: ``{"@type": "…RetryInfo", "retryDelay": "37.5s"}``."""
    if answer.retry_after is not None:
        return answer.retry_after
    found = re.search(r'"retrydelay": ?"([0-9]{1,6}(?:\.[0-9]{1,9})?)s"', json.dumps(answer.data).lower())
    return None if found is None else min(RETRY_AFTER_MOST, float(found[1]))
