"""What Telegram says when it says no. Words are those of the public server source (tdlib/telegram-bot-api, TDLib) unless a comment
calls them a guess."""

from __future__ import annotations

import math
from typing import Any, Final

Json = dict[str, Any]
LAB: Final = "lab: "
"""Begins what the real server would have let pass, or have called otherwise: always a bug of the program."""


class Refusal(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(f"{status} {description}")
        self.status, self.description, self.parameters = status, description, parameters

    def body(self) -> Json:
        """The JSON of the answer."""
        said: Json = {"ok": False, "error_code": self.status, "description": self.description}
        return said | ({"parameters": self.parameters} if self.parameters else {})


def bad(why: str) -> Refusal:
    """400."""
    return Refusal(400, f"Bad Request: {why}")


def forbidden(why: str) -> Refusal:
    """403."""
    return Refusal(403, f"Forbidden: {why}")


def conflict(why: str) -> Refusal:
    """409."""
    return Refusal(409, f"Conflict: {why}")


def malformed(why: str) -> Refusal:
    """400 for what the official document does not know; the real server often ignores it."""
    return bad(LAB + why)


def flooded(seconds: float) -> Refusal:
    """429."""
    wait = max(1, math.ceil(seconds))
    return Refusal(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait})


def migrated(chat_id: int) -> Refusal:
    """400 for a basic group that has become a supergroup."""
    text = "Bad Request: group chat was upgraded to a supergroup chat"
    return Refusal(400, text, {"migrate_to_chat_id": chat_id})
