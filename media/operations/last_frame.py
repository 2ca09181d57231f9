"""Take the very last picture, from which another clip may go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.errors import CorruptMedia
from media.pictures import save, upright
from media.source import open_clip, reading


def run(request: dict[str, Any], report: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Request: source, output. Result: the fields of ``core.media.Picture``."""
    with open_clip(Path(request["source"])) as clip:
        measured = clip.measure()
        report("decode", 1, 2)
        last = None
        with reading():
            for frame in clip.decode_from(measured.last_key, measured.frames + 1):
                if last is None or (frame.pts or 0) >= (last.pts or 0):
                    last = frame
        if last is None:
            raise CorruptMedia("no picture decodes")
        return save(upright(last, clip.sar), Path(request["output"]), lossless=True)
