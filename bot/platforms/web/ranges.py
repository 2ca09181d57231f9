"""The ``Range`` header, as docs/reference/http.md promises it: one range or the whole; an unsatisfiable one is told so."""

from __future__ import annotations

import re
from typing import Final, Literal

_ONE: Final = re.compile(r"\s*bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.ASCII | re.IGNORECASE)


def read_range(header: str | None, size: int) -> tuple[int, int] | Literal["whole", "unsatisfiable"]:
    """Return (first byte, length), ``whole`` or ``unsatisfiable`` for a file of ``size`` bytes.

    Anything that is not exactly one byte range (several, another unit, nonsense) means the whole file (RFC 9110, 14.2).
    """
    match = None if header is None else _ONE.fullmatch(header)
    if match is None or not (match[1] or match[2]):
        return "whole"
    if not match[1]:
        length = min(int(match[2]), size)
        return (size - length, length) if length else "unsatisfiable"
    first = int(match[1])
    last = min(int(match[2]), size - 1) if match[2] else size - 1
    if match[2] and int(match[2]) < first:
        return "whole"
    return (first, last - first + 1) if first < size else "unsatisfiable"
