"""What Discord says when it says no: status, code and words, by the names of topics/opcodes-and-status-codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

CODES: Final[dict[int, tuple[int, str]]] = {
    0: (401, "401: Unauthorized"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    20028: (429, "The resource is being rate limited."),
    30034: (400, "Max number of daily application command creates has been reached (200)"),
    30046: (429, "Maximum number of edits to messages older than 1 hour reached. Try again later"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    40094: (400, "Maximum number of follow-up messages for this interaction has been reached"),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50027: (401, "Invalid Webhook Token"),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    50278: (403, "Cannot send messages to this user due to having no mutual guilds"),
}


class Refusal(Exception):
    """An answer that is an error. ``errors`` is the tree of wrong fields; ``path`` says the same in one word."""

    def __init__(self, code: int, *, errors: dict[str, Any] | None = None, path: str = "", why: str = "") -> None:
        self.status, self.message = CODES[code]
        super().__init__(f"{self.status} {code} {path} {why}".strip())
        self.code, self.errors, self.path, self.why = code, errors, path, why
        self.headers: dict[str, str] = {}
        self.more: dict[str, Any] = {}

    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        said: dict[str, Any] = {"message": self.message, "code": self.code, **self.more}
        return said | ({"errors": self.errors} if self.errors else {})


def wrong(path: str, why: str, kind: str = "BASE_TYPE_INVALID") -> Refusal:
    """50035 for one field, ``path`` as in ``components.0.custom_id``."""
    return wrongs([(path, why, kind)])


def wrongs(found: Sequence[tuple[str, str, str]]) -> Refusal:
    """50035 for several fields."""
    errors: dict[str, Any] = {}
    for path, why, kind in found:
        place = errors
        for step in path.split(".") if path else []:
            place = place.setdefault(step, {})
        place.setdefault("_errors", []).append({"code": kind, "message": why})
    return Refusal(50035, errors=errors, path=found[0][0], why=found[0][1])
