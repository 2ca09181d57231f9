"""What a request brings: JSON objects and multipart forms, read within bounds."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from dataclasses import dataclass, replace
from typing import Any, Final

from aiohttp import BodyPartReader, web

from bot.platforms.web.answers import BodyTooLarge
from core.errors import BadOption, OversizedMedia, RequestError, UnsupportedMedia
from core.jobs import Attachment
from core.media import PICTURE_BYTES
from core.ports import ClipStore
from core.requests import MOST_PICTURES
from media.sniff import HEAD_BYTES, PICTURES, sniff

JSON_BYTES: Final = 512 * 1024
"""Any JSON call but those that carry a picture in base64. A prompt of 100,000 characters still gets an answer that names it."""
FIELD_BYTES: Final = 256 * 1024
FIELDS: Final = 40
BODY_SECONDS: Final = 120.0


class NotJson(RequestError):
    """The body is no JSON object."""

    code = "INVALID_REQUEST"
    default_message_id = "error.not_json"


PICTURE_FIELD: Final = "image_file"
"""Given several times: the clip's references, where its generator takes them."""
LAST_FIELD: Final = "last_image_file"
"""The picture with which the clip ends."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture in the clip store, not opened yet; its attachment brings the order's further ones along."""

    attachment: Attachment
    sha256: str


async def read_json(request: web.Request, most: int = JSON_BYTES) -> dict[str, Any]:
    """Return the body as an object. Raises NotJson, UnsupportedMedia or BodyTooLarge."""
    if request.content_type not in ("application/json", "application/octet-stream") and request.can_read_body:
        raise UnsupportedMedia(request.content_type, message_id="error.media_type")
    raw = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.content.iter_chunked(64 * 1024):
                raw += chunk
                if len(raw) > most:
                    raise BodyTooLarge("body", values={"most": most})
    except web.RequestPayloadError as error:  # a Content-Encoding or a chunk that cannot be undone
        raise NotJson("broken body") from error
    if not raw:
        return {}
    try:
        data = await asyncio.to_thread(_parse, raw) if len(raw) > 64 * 1024 else _parse(raw)
    except (ValueError, RecursionError) as error:
        raise NotJson("not JSON") from error
    if not isinstance(data, dict):
        raise NotJson("not an object")
    return data


def _parse(raw: bytearray) -> Any:
    """JSON that can be stored again: no NaN or infinity, which JSON does not have, and no half of a surrogate pair. Raises ValueError."""
    data = json.loads(raw, parse_constant=_finite, parse_float=_finite)
    json.dumps(data, ensure_ascii=False).encode()
    return data


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number of JSON")
    return number


async def read_form(request: web.Request, clips: ClipStore) -> tuple[dict[str, Any], Upload | None]:
    """Return the fields and the pictures of a multipart form; these are streamed to the clip store.

    Raises NotJson (no form), BadOption, OversizedMedia, UnsupportedMedia.
    """
    if not request.content_type.startswith("multipart/"):
        raise NotJson("no form", message_id="error.not_multipart")
    fields: dict[str, Any] = {}
    uploads: list[tuple[str, Upload]] = []
    try:
        async with asyncio.timeout(BODY_SECONDS):
            await _read_parts(request, clips, fields, uploads)
    except BaseException as error:
        for _, upload in uploads:  # what came before the fault belongs to nobody
            await clips.delete(str(upload.attachment.key))
        if isinstance(error, ValueError | web.RequestPayloadError):
            raise NotJson("broken form", message_id="error.not_multipart") from error
        raise
    return fields, _together(uploads)


def _together(uploads: list[tuple[str, Upload]]) -> Upload | None:
    """The pictures of one order as one attachment, the one with which the clip ends behind the others."""
    found = [each for name, each in uploads if name == PICTURE_FIELD]
    found += [
        Upload(replace(each.attachment, is_last=True), each.sha256) for name, each in uploads if name == LAST_FIELD
    ]
    if not found:
        return None
    first, *others = found
    attachment = replace(first.attachment, more=tuple(each.attachment for each in others))
    sums = " ".join(each.sha256 + (" last" if each.attachment.is_last else "") for each in found)
    is_one = len(found) == 1 and not first.attachment.is_last
    return Upload(attachment, first.sha256 if is_one else hashlib.sha256(sums.encode()).hexdigest())


async def _read_parts(
    request: web.Request, clips: ClipStore, fields: dict[str, Any], uploads: list[tuple[str, Upload]]
) -> None:
    reader = await request.multipart()
    for _ in range(FIELDS):
        part = await reader.next()
        if part is None:
            return
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise NotJson("nested form", message_id="error.not_multipart")
        if part.filename is not None or part.name in (PICTURE_FIELD, LAST_FIELD):
            most = {PICTURE_FIELD: MOST_PICTURES, LAST_FIELD: 1}.get(part.name, 0)
            if sum(name == part.name for name, _ in uploads) >= most:
                legal = f"{MOST_PICTURES} × {PICTURE_FIELD}, 1 × {LAST_FIELD}"
                raise BadOption(part.name, "a file", legal)
            uploads.append((part.name, await _store(part, clips)))
        else:
            fields[part.name] = await _text(part)
    raise BadOption("form", f"more than {FIELDS} fields", f"at most {FIELDS} fields")


async def _text(part: BodyPartReader) -> str:
    raw = bytearray()
    while chunk := await part.read_chunk(16 * 1024):
        raw += chunk
        if len(raw) > FIELD_BYTES:
            raise BadOption(str(part.name), f"more than {FIELD_BYTES} bytes", f"up to {FIELD_BYTES} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadOption(str(part.name), "other bytes", "text in UTF-8") from error


async def _store(part: BodyPartReader, clips: ClipStore) -> Upload:
    head = bytearray()
    async with clips.incoming(suffix=".upload", max_bytes=PICTURE_BYTES) as incoming:
        count = 0
        while chunk := await part.read_chunk(64 * 1024):
            count += len(chunk)
            if count > PICTURE_BYTES:
                values = {
                    "what": "bytes",
                    "found": f"over {PICTURE_BYTES >> 20} MB",
                    "most": f"{PICTURE_BYTES >> 20} MB",
                }
                raise OversizedMedia("upload", values=values)
            if len(head) < HEAD_BYTES:
                head += chunk[: HEAD_BYTES - len(head)]
            await incoming.write(bytes(chunk))
        check_head(bytes(head))
        stored = await incoming.keep()
    attachment = Attachment(
        name=str(part.name), mime=part.headers.get("Content-Type", "")[:100], bytes=stored.bytes, key=stored.key
    )
    return Upload(attachment, stored.sha256)


async def store_picture(data: bytes, clips: ClipStore) -> Upload:
    """Put a picture that came in base64 into the clip store. Raises OversizedMedia, UnsupportedMedia."""
    if len(data) > PICTURE_BYTES:
        values = {"what": "bytes", "found": f"{len(data) >> 20} MB", "most": f"{PICTURE_BYTES >> 20} MB"}
        raise OversizedMedia("upload", values=values)
    check_head(data[:HEAD_BYTES])
    async with clips.incoming(suffix=".upload", max_bytes=PICTURE_BYTES) as incoming:
        await incoming.write(data)
        stored = await incoming.keep()
    return Upload(Attachment(name="reference_image", mime="", bytes=stored.bytes, key=stored.key), stored.sha256)


def check_head(head: bytes) -> None:
    """Refuse at once what is certainly no picture; the rest is decided by opening it in a child process."""
    looks = sniff(head)
    if looks.kind not in PICTURES:
        raise UnsupportedMedia(f"looks like {looks.kind}", values={"found": looks.found})
