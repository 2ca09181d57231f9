"""Lines in as few messages as a chat takes them in."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def pages(lines: Iterable[str], room: Callable[[str], int]) -> list[str]:
    """The lines, one below the other; one that is longer than a message goes on in the next.

    ``room``: how many of a text's first characters one message takes. Nothing is left out but pages without any words.
    """
    found: list[str] = []
    for line in lines:
        longer = f"{found[-1]}\n{line}" if found else line
        if room(longer) >= len(longer):
            found[-1:] = [longer]
        elif room(line) >= len(line):
            found.append(line)
        else:
            found[-1:] = _pieces(longer, room)
    return [page for page in found if page.strip()]


def _pieces(text: str, room: Callable[[str], int]) -> list[str]:
    found = []
    while text:  # ends: each piece is taken off
        end = max(1, room(text))
        found.append(text[:end])
        text = text[end:]
    return found
