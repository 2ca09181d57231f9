"""Take a poster of a clip that is known to be good."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from media.operations.inspect import write_poster
from media.source import open_clip


def run(request: dict[str, Any], report: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Request: source, output. Result: the fields of ``core.media.Picture``."""
    with open_clip(Path(request["source"])) as clip:
        measured = clip.measure()
        report("decode", 1, 2)
        return write_poster(clip, measured, Path(request["output"]))
