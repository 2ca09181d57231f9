"""What a call carries, as the bytes that go out: a form, or a multipart body whose files are read from the disk while they are sent.

The library makes both of ``RequestData``; what stands in them is the library's, byte for byte what its own transport sends, so that
nothing here knows a method of the Bot API. Only files are ours: ``DiskFile`` goes wherever the library takes an ``InputFile``, and is
never in memory, while the library reads the file of each handle it is given (8 × 50 MB: 746 MB, 2026-11).
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from io import IOBase
from pathlib import Path
from typing import IO, Any, Final, cast

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload
from telegram import InputFile
from telegram.request import RequestData

from bot.file_body import PIECE, FileBody

FORM: Final = "application/x-www-form-urlencoded"
ODD: Final = re.compile(r'["\\\x00-\x1a\x1c-\x1f]')
"""What may not stand in a quoted name of a part; each goes out as its number, as the library's own transport and browsers do (HTML5)."""


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Instead of a file's bytes: where they are."""

    path: Path
    alongside: tuple[DiskFile, ...] = ()


class DiskFile(InputFile):
    """A file of an upload that stays on the disk until it is sent, and is read anew for each call."""

    __slots__ = ()

    def __init__(
        self, path: Path, filename: str, *, attach: bool = False, alongside: tuple[DiskFile, ...] = ()
    ) -> None:
        """``filename`` is what people see, and tells the type. ``attach``: for what a parameter refers to by ``attach://``.

        ``attach`` is right for a cover, and for everything inside an ``InputMedia``. ``alongside``: attached files that go in the same
        call without the library's help: it forgets the cover of an ``InputMediaVideo`` (22.8), so give that one ``cover.attach_uri``.
        """
        super().__init__(b"", filename, attach)
        self.input_file_content: Any = OnDisk(path, alongside)


async def body_of(data: RequestData | None) -> tuple[bytes | Multipart | None, int, str | None]:
    """The body, how many of its bytes are files, and its type; a call without parameters has none.

    Raises OSError when a file cannot be read, TypeError for what is no file.
    """
    if data is None:
        return None, 0, None
    if not data.contains_files:
        form = data.url_encoded_parameters().encode()
        return (form, 0, FORM) if form else (None, 0, None)
    files = [(name, *field) for name, field in data.multipart_data.items()]
    for _, _, content, _ in tuple(files):
        if isinstance(content, OnDisk):
            files += [(str(each.attach_name), *each.field_tuple) for each in content.alongside]
    parts: list[tuple[bytes, Part]] = []
    for name, filename, content, mime in files:
        head = f'Content-Disposition: form-data; name="{_quoted(name)}"; filename="{_quoted(filename)}"'
        parts.append((f"{head}\r\nContent-Type: {mime}\r\n\r\n".encode(), await _part(content, mime)))
    body = Multipart(data.json_parameters, parts)
    return body, sum(_size(part) for _, part in parts), body.content_type


class Multipart(Payload):
    """A body of fields and then files, of a length that is known before it is sent."""

    def __init__(self, fields: Mapping[str, str], files: list[tuple[bytes, Part]]) -> None:
        """``files``: the head of each part, and what follows it."""
        boundary = secrets.token_hex(16)
        super().__init__(None, content_type=f"multipart/form-data; boundary={boundary}")
        line = f"--{boundary}\r\n".encode()
        pieces: list[Part] = []
        for name, text in fields.items():
            head = f'Content-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n'
            pieces.append(line + head.encode() + text.encode() + b"\r\n")
        for start, part in files:
            pieces += [line + start, part, b"\r\n"]
        self._pieces = [*pieces, f"--{boundary}--\r\n".encode()]
        self._size = sum(_size(piece) for piece in self._pieces)
        self.is_whole = False
        """Whether its last byte may have left: until then nobody can have read it as a call, whatever they did with what they got."""

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Not for files: they are never text in memory. Raises TypeError."""
        del encoding, errors
        raise TypeError(f"{self._size} bytes with files are only ever streamed")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send it. Raises OSError when a file cannot be read, or has become shorter."""
        small = bytearray()
        for piece in self._pieces:
            if isinstance(piece, Payload):
                await writer.write(bytes(small))
                small.clear()
                await piece.write(writer)
            else:
                small += piece
        self.is_whole = True
        await writer.write(bytes(small))


class HandleBody(Payload):
    """An open file of somebody else's, from its beginning, read in a thread; the caller keeps it open."""

    def __init__(self, handle: IO[bytes], size: int) -> None:
        """``size``: what it has from its beginning on."""
        super().__init__(handle)
        self._handle, self._size = handle, size

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Not for files. Raises TypeError."""
        del encoding, errors
        raise TypeError(f"a file of {self._size} bytes is only ever streamed")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send it. Raises OSError when it cannot be read, or has become shorter."""
        left = self._size or 0
        await asyncio.to_thread(self._handle.seek, 0)
        while left:
            piece = (await asyncio.to_thread(self._handle.read, PIECE))[:left]
            if not piece:
                raise OSError(f"the file is {left} bytes shorter than it was")
            left -= len(piece)
            await writer.write(piece)


Part = bytes | FileBody | HandleBody


async def _part(content: object, mime: str) -> Part:
    if isinstance(content, bytes):
        return content
    if isinstance(content, OnDisk):
        return FileBody(content.path, await asyncio.to_thread(_length, content.path), mime)
    if isinstance(content, IOBase):
        return HandleBody(cast(IO[bytes], content), await asyncio.to_thread(content.seek, 0, os.SEEK_END))
    raise TypeError(f"a file to send, and not a {type(content).__name__}")


def _length(path: Path) -> int:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError("not a file")
    return found.st_size


def _size(part: Part) -> int:
    return len(part) if isinstance(part, bytes) else part.size or 0


def _quoted(name: str) -> str:
    return ODD.sub(lambda found: r"\\" if found[0] == "\\" else f"%{ord(found[0]):02X}", name)
