"""The outermost structure of an MP4, read by hand: two facts that the demuxer keeps to itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

_MOST_BOXES: Final = 64
_INDEX_BYTES: Final = 64 * 1024
_UNTURNED: Final = b"".join(number.to_bytes(4, "big") for number in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))


@dataclass(frozen=True, slots=True)
class Header:
    """``faststart``: the index lies in front of the pictures. ``seconds``: the length that it claims, None if it claims
    none.

    FFmpeg corrects a false claim from its tables; browsers believe it.
    """

    faststart: bool
    seconds: float | None


def read_header(path: Path) -> Header:
    """Return what the boxes of ``path`` say; broken boxes end the reading, they never raise."""
    faststart = False
    seen_pictures = False
    with path.open("rb") as file:
        for name, start, length in _boxes(file, 0, path.stat().st_size):
            if name == b"mdat":
                seen_pictures = True
            if name == b"moov":
                faststart = not seen_pictures
                return Header(faststart, _claimed(file, start, start + min(length, _INDEX_BYTES)))
    return Header(faststart, None)


def _boxes(file: IO[bytes], start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start of the body and its length of each box between ``start`` and ``end``."""
    for _ in range(_MOST_BOXES):
        if start + 8 > end:
            return
        file.seek(start)
        head = file.read(16)
        length, name, size = int.from_bytes(head[:4], "big"), head[4:8], 8
        if length == 1:
            length, size = int.from_bytes(head[8:16], "big"), 16
        if length < size:
            return
        yield name, start + size, length - size
        start += length


def _claimed(file: IO[bytes], start: int, end: int) -> float | None:
    for name, body, _ in _boxes(file, start, end):
        if name == b"mvhd":
            file.seek(body)
            head = file.read(32)
            wide = head[:1] == b"\x01"
            scale = int.from_bytes(head[20:24] if wide else head[12:16], "big")
            units = int.from_bytes(head[24:32] if wide else head[16:20], "big")
            unknown = units == (0xFFFFFFFFFFFFFFFF if wide else 0xFFFFFFFF)
            return units / scale if scale and not unknown else None
    return None


def matrices(path: Path) -> tuple[bytes, ...]:
    """Return how tracks are turned and scaled, as stored, those left out that are not; what differs here is shown differently."""
    found = []
    with path.open("rb") as file:
        for name, start, length in _boxes(file, 0, path.stat().st_size):
            if name != b"moov":
                continue
            for track, inside, size in _boxes(file, start, start + length):
                for part, body, _ in _boxes(file, inside, inside + size) if track == b"trak" else ():
                    if part == b"tkhd":
                        file.seek(body)
                        head = file.read(88)
                        found.append(head[52:88] if head[:1] == b"\x01" else head[40:76])
    return tuple(matrix for matrix in found[:8] if matrix != _UNTURNED)
