"""The wire of fal's queue, as pure functions: what its answers mean, whoever asked.

Sources: fal.ai/docs (inference API, queue, model errors, request errors), fal-client 1.0.3 and huggingface_hub 2.4, November 2026.
A request that is accepted can still be refused: then its status is COMPLETED, and the error stands where the result should be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from core.errors import (
    ContentRefused,
    CredentialsRejected,
    Garbled,
    InvalidRequest,
    ModelRetired,
    OutOfFunds,
    ProviderError,
    RateLimited,
    TimedOut,
    Unavailable,
    Unclear,
)
from core.ports import Artifact, Failed, PollAnswer, Ready, Ticket, Waiting
from providers.line import Answer, refused_or_unclear

HEARD_BYTES: Final = 256 << 10
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
"""What a status means to a submit; elsewhere 404 has other meanings and is looked at before."""
BALANCE: Final = ("exhausted balance", "user is locked")
"""Words of a 403 that is about money; nothing else tells it from one about the key."""
TYPES: Final[Mapping[str, type[ProviderError]]] = {
    "content_policy_violation": ContentRefused,
    "generation_timeout": TimedOut,
    "request_timeout": TimedOut,
    "startup_timeout": TimedOut,
    "runner_scheduling_failure": Unavailable,
    "runner_connection_timeout": Unavailable,
    "runner_disconnected": Unavailable,
    "runner_connection_refused": Unavailable,
    "runner_connection_error": Unavailable,
    "runner_incomplete_response": Unavailable,
    "runner_server_error": Unavailable,
    "internal_error": Unavailable,
    "internal_server_error": Unavailable,
    "downstream_service_error": Unavailable,
    "downstream_service_unavailable": Unavailable,
    "no_media_generated": Unavailable,
    "client_cancelled": Unavailable,
    "client_disconnected": Unavailable,
}
"""fal's ``error_type`` and ``detail[].type``; what is not here is told by its status. The first one that is here counts."""
NOTHING_LEARNT: Final = (401, 402, 403, 429)
"""Answers in place of a result that are about us, and not about the request."""
PASSING: Final = (408, 425, 502, 503, 504)
"""What a gateway says for itself, unless a type tells that the request said it."""
NOT_YET: Final = "still in progress"
"""Words of a 400 in place of a result: where the result is asked, it may be known later than the status that it is there."""

ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{7,127}", re.ASCII)
PATH: Final = re.compile(r"(?:/[0-9A-Za-z][0-9A-Za-z._~-]*)+", re.ASCII)
"""No empty step in it, and none up."""
MEASURES: Final = (
    re.compile(r"(?P<percent>\d{1,3})(?:\.\d+)?%\|"),
    re.compile(r"(?:^|progress\W{0,3})\s*(?P<percent>\d{1,3})(?:\.\d+)?\s?%", re.IGNORECASE),
    re.compile(r"\bsteps?\W{1,3}(?P<done>\d{1,5})\s?(?:/|of)\s?(?P<all>\d{1,5})\b", re.IGNORECASE),
)
"""A tqdm bar, a line that begins with a percentage, and counted steps."""


def read_ticket(data: Any, app: str) -> dict[str, str]:
    """The ticket of an accepted request: its id and three paths, fal's own where they can be one. Raises Unclear without an id."""
    found = data.get("request_id") if isinstance(data, dict) else None
    if not isinstance(found, str) or not ID.fullmatch(found):
        raise Unclear("the answer to a submit names no request")
    return ticket_of(found, app, data)


def ticket_of(request: str, app: str, urls: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The ticket of a request by its id; ``urls`` are those of an answer, of which nothing but a plausible path is used."""
    base = f"/{'/'.join(app.split('/')[:2])}/requests/{request}"  # owner and alias alone, as fal-client makes it
    paths = {"status": f"{base}/status", "result": base, "cancel": f"{base}/cancel"}
    for name, key in (("status", "status_url"), ("result", "response_url"), ("cancel", "cancel_url")):
        path = _path((urls or {}).get(key))
        if path is not None and request in path.split("/"):
            paths[name] = path
    return {"id": request, **paths}


def _path(url: Any) -> str | None:
    try:
        path = urlsplit(url).path if isinstance(url, str) else ""
    except ValueError:
        return None
    return path if PATH.fullmatch(path) else None


def read_status(data: Any) -> PollAnswer | None:
    """What a status means; None: it is completed, and the result tells how. Raises Garbled."""
    match data:
        case {"status": "IN_QUEUE"}:
            ahead = data.get("queue_position")
            return Waiting(queue_position=ahead + 1 if type(ahead) is int and ahead >= 0 else None)
        case {"status": "IN_PROGRESS"}:
            return Waiting(progress=measured(data.get("logs")))
        case {"status": "COMPLETED"}:
            kind = TYPES.get(str(data.get("error_type")))
            return None if kind is None else Failed(kind("the request failed", type=data["error_type"]))
    raise Garbled("an unknown status")


def measured(logs: Any) -> float | None:
    """How far it is, 0 to 1, by the last line of the logs that tells; None when none does."""
    lines = logs[-200:] if isinstance(logs, list) else []
    for line in reversed(lines):
        message = line.get("message") if isinstance(line, dict) else None
        told = [found for each in MEASURES for found in each.finditer(str(message or "")[-2000:])]
        if told:
            said = max(told, key=lambda found: found.end()).groupdict()
            done, most = int(said.get("percent") or said.get("done") or 0), int(said.get("all") or 100)
            return min(1.0, done / most) if most else None
    return None


def read_result(answer: Answer) -> PollAnswer:
    """What stands where the clip should be: errors of the request arrive here.

    Raises what tells nothing of it: Garbled, Unavailable, and refusals of ourselves.
    """
    data = answer.data if isinstance(answer.data, dict) else {}
    if answer.status < 300:
        match data:
            case {"video": {"url": str(url)}}:
                return Ready(Artifact("url", url))
            case {"video": None}:
                return Failed(Unavailable("completed without a clip"))
        raise Garbled("a result without a clip")
    if answer.status in NOTHING_LEARNT or "detail" not in data:
        raise read_error(answer, submitting=False)
    kind = _type(answer)
    if kind is None and answer.status == 400 and NOT_YET in _detail(answer):
        return Waiting()
    if kind is None and answer.status in PASSING:
        raise read_error(answer, submitting=False)
    kind = kind or (InvalidRequest if answer.status in (400, 413, 422) else Unavailable)
    return Failed(kind("the request failed", status=answer.status))


def read_error(answer: Answer, submitting: bool) -> ProviderError:  # noqa: FBT001 - the shape that Line asks for
    """The error of a refusal."""
    kind = STATUSES.get(answer.status)
    if kind is CredentialsRejected and answer.status == 403 and any(word in _detail(answer) for word in BALANCE):
        kind = OutOfFunds
    if kind is InvalidRequest:
        kind = _type(answer) or kind
    if submitting and kind in (Unavailable, TimedOut):
        kind = None  # whether it was begun is not known
    if not submitting and kind is ModelRetired:
        kind = None
    error = refused_or_unclear(kind, answer, submitting=submitting)
    if kind is ModelRetired:
        error.facts["setting"] = "OVI_MODEL"
    return error


def _detail(answer: Answer) -> str:
    data = answer.data if isinstance(answer.data, dict) else {}
    return str(data.get("detail", ""))[:2000].lower()


def _type(answer: Answer) -> type[ProviderError] | None:
    """The class of the first type that is known, in a header, in the body, or in its details."""
    data = answer.data if isinstance(answer.data, dict) else {}
    details = data["detail"] if isinstance(data.get("detail"), list) else []
    said = [answer.headers.get("X-Fal-Error-Type"), data.get("error_type")]
    said += [each.get("type") for each in details if isinstance(each, dict)]
    return next((TYPES[each] for each in said if isinstance(each, str) and each in TYPES), None)


def read_webhook(body: bytes) -> str | None:
    """The request that a webhook is about; None when it can be none of fal's."""
    if len(body) > HEARD_BYTES:
        return None
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    match data:
        case {"request_id": str(request), "status": "OK" | "ERROR"} if ID.fullmatch(request):
            return request
    return None


def known(ticket: Ticket) -> None:
    """Raise Garbled unless it is a ticket of this queue."""
    if not all(
        isinstance(ticket.get(name), str) and PATH.fullmatch(ticket[name]) for name in ("status", "result", "cancel")
    ):
        raise Garbled("not a ticket of fal's queue")


def forgotten(answer: Answer) -> PollAnswer:
    """What a 404 in place of a status means. Raises Unavailable when it is not fal that says so."""
    if not answer.is_json:
        raise Unavailable("somebody else answers in fal's place", status=answer.status)
    return Failed(Unavailable("fal does not know the request", status=answer.status))


def read_mapping(data: Any) -> tuple[Any, Any] | None:
    """The id of fal's and the task for a model of Hugging Face's; None when fal does not serve it."""
    mapping = data.get("inferenceProviderMapping") if isinstance(data, dict) else None
    if isinstance(mapping, list):  # as it comes where models are listed
        mapping = {each.get("provider"): each for each in mapping if isinstance(each, dict)}
    row = mapping.get("fal-ai") if isinstance(mapping, dict) else None
    return (row.get("providerId"), row.get("task")) if isinstance(row, dict) else None
