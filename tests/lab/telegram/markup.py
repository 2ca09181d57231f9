"""Keyboards: what may stand under a message. Sizes and exclusions are the documentation's, words the server's where it has some."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from tests.lab.telegram.refusal import bad

Json = dict[str, Any]
ACTIONS: Final = [
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
]
STYLES: Final = {"danger", "success", "primary"}
MOST_DATA: Final = 64
MOST_COPIED: Final = 256
MOST_BUTTONS: Final = 100
MOST_BYTES: Final = 10_000
URL: Final = re.compile(r"(https?://[^\s/]+\.[^\s/]+\S*|https?://(localhost|127\.0\.0\.1)\S*|tg://\S+)")


def split(markup: Json | None) -> tuple[Json | None, Json | None]:
    """(buttons under the message, something else). Raises Refusal for what no client could show."""
    if markup is None:
        return None, None
    if "inline_keyboard" not in markup:
        return None, markup
    rows = [row for row in markup["inline_keyboard"] if row]
    for row in rows:
        for button in row:
            _check(button)
    if sum(map(len, rows)) > MOST_BUTTONS or len(json.dumps(rows)) > MOST_BYTES:
        raise bad("reply markup is too long")
    return ({"inline_keyboard": rows} if rows else None), None


def inline(markup: Json | None) -> Json | None:
    """The same where only buttons under the message can stand."""
    buttons, other = split(markup)
    if other is not None:
        raise bad("object expected as reply markup")
    return buttons


def _check(button: Json) -> None:
    said = [name for name in ACTIONS if name in button and button[name] != ""]
    if not button["text"].strip():
        raise bad("can't parse inline keyboard button: Button text must be non-empty")
    if not said:
        raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if len(said) > 1:
        raise bad(f"lab: a button does one thing, not {' and '.join(said)}")
    if button.get("style") not in {None, *STYLES}:
        raise bad("can't parse inline keyboard button: Invalid button style specified")
    if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= MOST_DATA:
        raise bad("BUTTON_DATA_INVALID")
    if "copy_text" in button and not 1 <= len(button["copy_text"]["text"]) <= MOST_COPIED:
        raise bad("BUTTON_COPY_TEXT_INVALID")
    if "url" in button and not URL.fullmatch(button["url"]):
        raise bad(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
