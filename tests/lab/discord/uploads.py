"""Request bodies with and without files: JSON, and multipart with ``payload_json`` and ``files[n]`` (reference.mdx, Uploading Files)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from aiohttp import BodyPartReader, web

from tests.lab.discord.refusal import Refusal, wrong

Json = dict[str, Any]
NAME: Final = re.compile(r"files\[(\d+)\]")
PIECE: Final = 1 << 18
MOST_FILES: Final = 10


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a request, on disk."""

    filename: str
    mime: str
    path: Path
    size: int


@dataclass(slots=True)
class Body:
    """What a request brought. ``data`` is None when it brought nothing."""

    kind: str = "application/json"
    data: Any = None
    files: dict[int, Upload] = field(default_factory=dict)

    def fields(self) -> Json:
        """The data as an object."""
        if self.data is None:
            return {}
        if not isinstance(self.data, dict):
            raise wrong("", "must be an object")
        return self.data

    def for_the_spec(self) -> Any:
        """A copy of the data in which every file stands as an empty string: a schema looks at names only."""
        copied = json.loads(json.dumps(self.data))
        if isinstance(copied, dict):
            copied |= {f"files[{number}]": "" for number in self.files}
        return copied


async def read(request: web.Request, folder: Path) -> Body:
    """Read a body to its end. Raises 50109 for broken JSON and 50035 for a broken form."""
    if request.content_type == "multipart/form-data":
        return await _form(request, folder)
    raw = await request.read()
    if not raw:
        return Body()
    if request.content_type != "application/json":
        raise wrong("", f"the body is {request.content_type!r}", "CONTENT_TYPE_INVALID")
    return Body("application/json", _json(raw))


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise Refusal(50109) from None


async def _form(request: web.Request, folder: Path) -> Body:
    body = Body("multipart/form-data")
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise wrong("", "a part of the form has no name", "FORM_INVALID")
        if part.name == "payload_json":
            body.data = _json(bytes(await part.read(decode=True)))
        elif (found := NAME.fullmatch(part.name)) is not None:
            number = int(found[1])
            if number >= MOST_FILES:
                raise wrong(part.name, f"at most {MOST_FILES} files", "BASE_TYPE_MAX_LENGTH")
            body.files[number] = await _store(part, folder)
        else:
            raise wrong(part.name, "only payload_json and files[n] are known here", "FORM_INVALID")
    return body


async def _store(part: BodyPartReader, folder: Path) -> Upload:
    """Write a file as it comes; big ones never stand in memory."""
    if not part.filename:
        raise wrong(part.name or "", "a file needs a name", "BASE_TYPE_REQUIRED")
    path, size = folder / uuid4().hex, 0
    with path.open("wb") as out:
        while piece := await part.read_chunk(PIECE):
            size += len(piece)
            out.write(piece)
    return Upload(part.filename, part.headers.get("Content-Type", "application/octet-stream"), path, size)
