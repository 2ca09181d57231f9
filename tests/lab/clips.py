"""The few result files that the lab hands out, each made once per process and then kept as bytes."""

from __future__ import annotations

import asyncio
import functools
import tempfile
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final


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


ZEROS: Final = bytes(192 << 10)
"""Divisible by three, as base64 likes it."""


def huge_pieces(size: int) -> Iterator[bytes]:
    """A real MP4 of exactly ``size`` bytes, piece by piece: a short clip, and behind it a box that players skip.

    Raises ValueError where there is no room for the box.
    """
    clip = clip_bytes()
    room = size - len(clip)
    if not 8 <= room < 1 << 32:
        raise ValueError(f"there is no room for a box within {size} bytes")
    yield clip + room.to_bytes(4, "big") + b"free"
    for left in range(room - 8, 0, -len(ZEROS)):
        yield ZEROS[:left]


async def huge_inside(before: str, size: int, after: str) -> AsyncIterator[bytes]:
    """A JSON text that carries a clip of ``size`` bytes in base64 between ``before`` and ``after``; never whole in memory."""
    yield before.encode()
    rest = b""
    for piece in huge_pieces(size):
        data = rest + piece
        whole = len(data) // 3 * 3
        yield b64encode(data[:whole])
        rest = data[whole:]
        await asyncio.sleep(0)  # a socket that takes everything at once would leave the loop no turn
    yield b64encode(rest) + after.encode()


PAGE = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
GARBAGE = bytes(range(256)) * 64
