"""The few result files that the lab hands out, each made once per process and then kept as bytes."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path


@functools.cache
def clip_bytes(suffix: str = ".mp4", seconds: float = 1.0, *, noise: int = 0, width: int = 320) -> bytes:
    """A real clip: MP4, or WebM by its suffix. ``noise`` and ``width`` make it large."""
    from tests.media.canned import canned_clip  # here: a process that is handed its clip starts without a codec library

    with tempfile.TemporaryDirectory(prefix="reelay-lab-") as folder:
        path = Path(folder) / f"canned{suffix}"
        webm = suffix == ".webm"
        canned_clip(
            path,
            seconds=seconds,
            width=width,
            height=width * 9 // 16 // 2 * 2,
            codec="libvpx" if webm else "libx264",
            audio_codec="libopus" if webm else "aac",
            noise=noise,
        )
        return path.read_bytes()


PAGE = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
GARBAGE = bytes(range(256)) * 64
