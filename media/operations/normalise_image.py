"""Re-encode an uploaded picture: upright, without alpha, without metadata, of a sensible size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from media.pictures import normalised, open_picture, save

_LOSSLESS_KINDS: Final = ("png", "gif")


def run(request: dict[str, Any], report: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Request: source, output, most_side. Result: the fields of ``core.media.Picture``."""
    picture, looks = open_picture(Path(request["source"]))
    with picture:
        result = normalised(picture, int(request["most_side"]))
    report("encode", 1, 2)
    return save(result, Path(request["output"]), lossless=looks.kind in _LOSSLESS_KINDS)
