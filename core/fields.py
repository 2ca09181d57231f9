"""One field of an order, read from whatever a surface sends: a number, its digits, or the words of a form. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from core.errors import BadOption

_BIDI_AND_INVISIBLE = re.compile("[\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")

_WIDE_SPACE = re.compile("[ \t]{2,}|\t")


def clean_text(text: str) -> str:
    """Return ``text`` in NFC without control and invisible direction characters, white space folded, ends trimmed."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", _BIDI_AND_INVISIBLE.sub("", text))
    if not text.isprintable():  # most text is, and this is by far the quicker question
        text = "".join(
            c if c in "\n\t" or not unicodedata.category(c).startswith("C") or c == "\u200d" else " " for c in text
        )
        # Line by line, not by one pattern: that one looks at a run of blanks again from each of its characters.
        text = "\n".join(filter(None, map(str.strip, text.split("\n"))))
    return _WIDE_SPACE.sub(" ", text).strip()


def read_text(value: Any, name: str, most: int) -> str:
    """Text, cleaned; nothing is empty. Raises BadOption."""
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or len(value) > most:
        shown = f"{len(value)} characters" if isinstance(value, str) else value
        raise BadOption(name, shown, f"text of up to {most} characters")
    return clean_text(value)


def read_choice(value: Any, name: str, legal: tuple[str, ...], default: Any) -> Any:
    """One of ``legal``; nothing is the default. Raises BadOption."""
    if value in (None, ""):
        return default
    if not isinstance(value, str) or value not in legal:
        raise BadOption(name, value, listed(legal))
    return value


def read_whole(value: Any, name: str, least: int, most: int, default: int = 0) -> int:
    """A whole number, as a number or in digits; nothing is the default. Raises BadOption."""
    if value in (None, ""):
        return default
    text = "" if isinstance(value, bool) or not isinstance(value, int | str) else as_written(value)
    if not re.fullmatch(r"[0-9]{1,10}", text) or not least <= int(text) <= most:
        words, legal = f"a whole number from {least} to {most}", {"least": least, "most": most}
        raise BadOption(name, value, words, message_id="error.bad_number", more=legal)
    return int(text)


def read_flag(value: Any, name: str, *, default: bool = False) -> bool:
    """True or false, also in words; nothing is the default. Raises BadOption."""
    if value in (None, ""):
        return default
    text = str(value).strip().lower() if isinstance(value, bool | str) else ""
    if text not in ("true", "false"):
        raise BadOption(name, value, "true or false")
    return text == "true"


def as_written(value: float | str) -> str:
    """The number as it is written; nothing for one that is too long to be written."""
    return "" if isinstance(value, int) and abs(value) >= 10**20 else str(value).strip()


def listed(legal: tuple[str, ...]) -> str:
    """Legal values in words."""
    return legal[0] if len(legal) == 1 else ", ".join(legal[:-1]) + " or " + legal[-1] if legal else "left out"
