"""A file as a part of a request's body, read while it is sent."""

from __future__ import annotations

import asyncio
from io import FileIO
from pathlib import Path
from typing import Final

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

PIECE: Final = 1 << 19
"""Bytes read at once. aiohttp's own payload of a file reads 256 KiB in a thread, and while they are sent it reads nothing: 50 MB take half
as long again on loopback (2026-11)."""


class FileBody(Payload):
    """``size`` bytes of the file at ``path``; the next piece is read while one is sent, so two are in memory."""

    def __init__(self, path: Path, size: int, mime: str) -> None:
        """Nothing is opened before it is sent, and every sending reads from the start."""
        super().__init__(path, content_type=mime)
        self._path, self._size = path, size

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Not for files: they are never text in memory. Raises TypeError."""
        del encoding, errors
        raise TypeError(f"a file of {self._size} bytes is only ever streamed")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send it. Raises OSError when it cannot be read, or has become shorter."""
        opening = asyncio.get_running_loop().run_in_executor(None, FileIO, self._path)
        try:
            await asyncio.wait({opening})
        except asyncio.CancelledError:
            opening.add_done_callback(_opened_for_nobody)
            raise
        file = opening.result()
        ahead = _read(file)
        left = self._size or 0
        try:
            while left:
                await asyncio.wait({ahead})  # a cancelled one leaves the thread its file, which is closed after it
                piece = ahead.result()[:left]
                if not piece:
                    raise OSError(f"the file is {left} bytes shorter than it was")
                left -= len(piece)
                if left:
                    ahead = _read(file)
                await writer.write(piece)
        finally:
            ahead.add_done_callback(lambda done: _close(file, done))


def _read(file: FileIO) -> asyncio.Future[bytes]:
    return asyncio.get_running_loop().run_in_executor(None, file.read, PIECE)


def _opened_for_nobody(done: asyncio.Future[FileIO]) -> None:
    if not done.cancelled() and done.exception() is None:
        done.result().close()


def _close(file: FileIO, done: asyncio.Future[bytes]) -> None:
    if not done.cancelled():
        done.exception()  # what nobody asks for any more is no news
    file.close()
