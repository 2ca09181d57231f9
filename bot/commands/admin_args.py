"""What operators' verbs are given, read and checked: plain JSON from a socket, a command line or a chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from core.errors import BadOption

MOST_CREDITS: Final = 1_000_000_000

Args = Mapping[str, Any]
Result = dict[str, Any]


def text(args: Args, name: str, *, most: int, default: str | None = None) -> str:
    """A text of one line. Raises BadOption."""
    value = args.get(name)
    if value in (None, "") and default is not None:
        return default
    if not isinstance(value, str) or not value.strip() or len(value) > most or not value.isprintable():
        raise BadOption(name, "" if value is None else value, f"a text of 1 to {most} characters on one line")
    return value.strip()


def whole(args: Args, name: str, least: int, most: int, default: int | None = None) -> int:
    """A whole number from ``least`` to ``most``. Raises BadOption."""
    value = args.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadOption(name, "" if value is None else value, f"a whole number from {least} to {most}")
    return value


def one_of(args: Args, name: str, legal: tuple[str, ...] | list[str], default: str | None = None) -> str:
    """One of ``legal``. Raises BadOption, naming them."""
    value = args.get(name, default)
    if value not in legal:
        raise BadOption(name, "" if value is None else value, "one of " + ", ".join(legal))
    return str(value)


def amount_of(args: Args) -> tuple[int | None, bool]:
    """Return (credits or None for unlimited, whether the limit is taken away)."""
    value = args.get("amount")
    if value == "unset":
        return None, True
    if value == "unlimited":
        return None, False
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) <= 10:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_CREDITS:
        legal = f"a whole number of credits up to {MOST_CREDITS}, unlimited, or unset (0 means none, unset means the default)"
        raise BadOption("amount", "" if value is None else value, legal)
    return value, False
