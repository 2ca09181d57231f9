"""Request bodies: a form, a form with files, JSON or nothing but a query. Files go to disk as they come."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from aiohttp import BodyPartReader, web

from tests.lab.telegram.media import Shelf, Upload
from tests.lab.telegram.refusal import Refusal, bad, malformed

PIECE: Final = 1 << 18
HEAD: Final = 1 << 20
"""What is kept of an upload when uploads are not kept: of a film what tells that it is one, and a cover or thumbnail whole."""


@dataclass(slots=True)
class Body:
    """What a request brought: parameters as they came, and files by the name of their part."""

    raw: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)

    def add(self, name: str, value: Any) -> None:
        """One more parameter."""
        if name in self.raw:
            raise malformed(f"{name!r} was said twice")
        self.raw[name] = value


class Tap:
    """Lets bytes through no faster than so many a second; None: as they come."""

    def __init__(self, rate: float | None) -> None:
        self.rate, self._begun, self._passed = rate, asyncio.get_running_loop().time(), 0

    async def passed(self, size: int) -> None:
        """So many more have come."""
        self._passed += size
        if self.rate:
            wait = self._begun + self._passed / self.rate - asyncio.get_running_loop().time()
            await asyncio.sleep(max(0.0, wait))


async def read(request: web.Request, shelf: Shelf, rate: float | None = None) -> Body:
    """Read a body to its end. 413 for a file that is too large, after all of it was taken."""
    body = Body(dict(request.query))
    tap = Tap(rate)
    if request.content_type == "multipart/form-data":
        await _form(request, shelf, body, tap)
    elif request.content_type == "application/json":
        raw = await request.read()
        await tap.passed(len(raw))
        _json(raw, body)
    elif request.can_read_body:
        for name, value in (await request.post()).items():
            body.add(name, value)
    return body


def _json(raw: bytes, body: Body) -> None:
    try:
        said = json.loads(raw or b"{}")
    except ValueError:
        raise bad("can't parse request: unsupported HTTP request") from None
    if not isinstance(said, dict):
        raise bad("can't parse request: unsupported HTTP request")
    for name, value in said.items():
        if value is not None:
            body.add(name, value)


async def _form(request: web.Request, shelf: Shelf, body: Body, tap: Tap) -> None:
    too_large = False
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or not part.name:
            raise malformed("a part of the form has no name")
        if part.filename is None:
            body.add(part.name, await part.text())
            continue
        if part.name in body.files:
            raise malformed(f"{part.name!r} was sent twice")
        upload = await _store(part, part.filename, shelf, tap)
        too_large = too_large or upload.size > shelf.most_upload()
        body.files[part.name] = upload
    if too_large:
        raise Refusal(413, "Request Entity Too Large")


async def _store(part: BodyPartReader, name: str, shelf: Shelf, tap: Tap) -> Upload:
    """Write a file as it comes; big ones never stand in memory."""
    path, size, limit = shelf.folder / uuid4().hex, 0, shelf.most_upload()
    with path.open("wb") as out:
        while piece := await part.read_chunk(PIECE):
            size += len(piece)
            if size <= (limit if shelf.keep else HEAD):
                out.write(piece)
            await tap.passed(len(piece))
    return Upload(name, part.headers.get("Content-Type", "application/octet-stream"), path, size)


def nearby(text: str, shelf: Shelf) -> Upload | None:
    """A file that lies on the server itself, named ``file://…``; only a local server takes it."""
    if not (shelf.local and text.startswith("file:")):
        return None
    path = Path("/" + text.removeprefix("file:").lstrip("/"))
    if not path.is_file():
        raise bad("invalid file HTTP URL specified: URL host is empty")
    if path.stat().st_size > shelf.most_upload():
        raise Refusal(413, "Request Entity Too Large")
    return Upload(path.name, "application/octet-stream", path, path.stat().st_size)
