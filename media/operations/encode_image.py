"""Bring a picture that we keep within what a vendor takes: bytes, pixels, format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from core.errors import OversizedMedia
from media.pictures import normalised, open_picture, save

PNG, JPEG = "image/png", "image/jpeg"
QUALITIES: Final = (92, 82, 70)
SMALLER: Final = 0.75
"""Of the side, when the lowest quality is still too many bytes."""
ROUNDS: Final = 8
"""Shrinks a side of 2048 to 205 pixels; no limit of any vendor is as low as what that needs."""


def run(request: dict[str, Any], report: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Request: source, output, most_side, most_bytes, mimes. Result: the fields of ``core.media.Picture``.

    The first of ``mimes`` that fits is taken, with more loss and then fewer pixels only where it must be.
    """
    source, output = Path(request["source"]), Path(request["output"])
    side, most, mimes = int(request["most_side"]), int(request["most_bytes"]), tuple(request["mimes"])
    for number in range(ROUNDS):
        report("encode", number + 1, ROUNDS + 1)
        picture, looks = open_picture(source)
        with picture:
            result = normalised(picture, side)
        tries = [(True, QUALITIES[0])] if PNG in mimes and (looks.kind == "png" or JPEG not in mimes) else []
        if JPEG in mimes:
            tries += [(False, quality) for quality in QUALITIES]
        for lossless, quality in tries:
            written = save(result, output, lossless=lossless, quality=quality)
            if written["bytes"] <= most and written["mime"] in mimes:
                return written
        side = int(max(result.size) * SMALLER)
    raise OversizedMedia("no encode fits", values={"what": "bytes", "found": "", "most": most})
