"""The language of a browser: what ``Accept-Language`` asks for and a catalogue has (RFC 9110, 12.5.4)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

ENGLISH: Final = "en"
MOST_TAGS: Final = 30
"""Nobody reads more languages, and a header may have 8 kB of them."""
_RANGE: Final = re.compile(
    r"([A-Za-z]{1,8})((?:-[A-Za-z0-9]{1,8}){0,4})(?:\s*;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?))?", re.ASCII
)


def preferred(header: str | None, known: Collection[str]) -> str:
    """The language out of ``known`` that is asked for most; English where none is, and for whoever asks for nothing.

    A regional wish (``de-AT``) is met by its language. What is no list of languages is read as far as it is one.
    """
    best, weight = ENGLISH, 0.0
    if not header:
        return best
    spelt = {name.replace("_", "-").lower(): name for name in known}
    for part in header.split(",")[:MOST_TAGS]:
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            continue
        language, region, quality = match[1].lower(), match[2].lower(), float(match[3] or 1)
        found = spelt.get(language + region, spelt.get(language))
        if found is not None and weight < quality <= 1:  # of equals the first
            best, weight = found, quality
    return best
