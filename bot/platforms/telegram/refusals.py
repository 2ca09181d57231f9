"""What Telegram's refusals mean, by the words that it refuses with: it has no codes of its own beyond those of HTTP.

The words are those of the official server's source (tdlib/telegram-bot-api, Client.cpp, 2026-05); they are compared in lower case, and
shown to nobody.
"""

from __future__ import annotations

from typing import Final

from telegram.error import BadRequest, InvalidToken, NetworkError, TelegramError
from telegram.error import Forbidden as Refused

from bot.platforms.telegram.transport import NoAnswer, was_done
from core.errors import Forbidden, Gone, PlatformError, TooLarge, Unreachable

NOT_MODIFIED: Final = "not modified"
NO_THREAD: Final = ("thread not found", "topic_deleted", "message thread")
UNREADABLE: Final = "can't parse"
GONE: Final = (
    "chat not found",
    "message to edit not found",
    "message can't be edited",
    "message to delete not found",
    "message_id_invalid",
    "message identifier is not specified",
    "there is no text in the message to edit",
    "there is no caption in the message to edit",
    "group chat was deactivated",
    "peer_id_invalid",
)
FORBIDDEN: Final = (
    "not enough rights",
    "have no rights",
    "need administrator rights",
    "chat_write_forbidden",
    "topic_closed",
    "can't be deleted",
)
TOO_LARGE: Final = ("too big", "too large", "entity too large")
WRONG_FILE: Final = ("file identifier", "file_id", "file reference", "type of file", "wrong remote", "media_empty")
"""Telegram does not know a file by the name that it once gave it."""


def as_error(error: TelegramError) -> PlatformError:
    """Telegram's refusal, or its silence, as one of ours. The text is for the log's class and for ``Speaking``, never for a person."""
    said = error.message
    low = said.lower()
    if isinstance(error, Refused):
        return Forbidden(said)
    if isinstance(error, NoAnswer) and error.status == 413:
        return TooLarge(said)
    if isinstance(error, BadRequest):
        if any(each in low for each in TOO_LARGE):
            return TooLarge(said)
        if any(each in low for each in GONE):
            return Gone(said)
        if any(each in low for each in FORBIDDEN):
            return Forbidden(said)
        return PlatformError(said)
    if isinstance(error, InvalidToken):
        return Unreachable("the token is refused")
    if isinstance(error, NetworkError):
        return Unreachable(type(error).__name__, was_done=was_done(error))
    return PlatformError(type(error).__name__, was_done=was_done(error))
