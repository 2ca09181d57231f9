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
from core.attachments import Attachment
from core.errors import BadOption, OversizedMedia, RequestError, UnsupportedMedia
from core.media import PICTURE_BYTES, SONG_BYTES
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
SONG_FIELD: Final = "song_file"
"""The song of a film."""
MOST_FILES: Final = {PICTURE_FIELD: MOST_PICTURES, LAST_FIELD: 1, SONG_FIELD: 1}


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture in the clip store, not opened yet; its attachment brings the order's further ones along. ``song``: of a film."""

    attachment: Attachment | None
    sha256: str
    song: Attachment | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """Of everything that lies in the clip store."""
        return tuple(key for each in (self.attachment, self.song) if each is not None for key in each.uploads)


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
            for key in upload.keys:
                await clips.delete(key)
        if isinstance(error, ValueError | web.RequestPayloadError):
            raise NotJson("broken form", message_id="error.not_multipart") from error
        raise
    return fields, _together(uploads)


def _together(uploads: list[tuple[str, Upload]]) -> Upload | None:
    """The pictures of one order as one attachment, the one with which the clip ends behind the others."""
    if not uploads:
        return None
    found = [(each.attachment, each.sha256) for name, each in uploads if name == PICTURE_FIELD and each.attachment]
    found += [
        (replace(each.attachment, is_last=True), each.sha256)
        for name, each in uploads
        if name == LAST_FIELD and each.attachment
    ]
    song = next((each for name, each in uploads if name == SONG_FIELD), None)
    sums = " ".join(sha256 + (" last" if picture.is_last else "") for picture, sha256 in found)
    if song is not None:
        sums = f"{sums} song {song.sha256}"
    if not found and song is None:
        return None
    is_one = len(found) == 1 and song is None and not found[0][0].is_last
    whole = found[0][1] if is_one else hashlib.sha256(sums.encode()).hexdigest()
    pictures = [picture for picture, _ in found]
    first = replace(pictures[0], more=tuple(pictures[1:])) if pictures else None
    return Upload(first, whole, None if song is None else song.attachment)


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
        if part.filename is not None or part.name in MOST_FILES:
            if sum(name == part.name for name, _ in uploads) >= MOST_FILES.get(part.name, 0):
                raise BadOption(part.name, "a file", ", ".join(f"{most} × {name}" for name, most in MOST_FILES.items()))
            is_song = part.name == SONG_FIELD
            uploads.append((part.name, await _store(part, clips, SONG_BYTES if is_song else PICTURE_BYTES)))
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


async def _store(part: BodyPartReader, clips: ClipStore, most: int) -> Upload:
    head = bytearray()
    async with clips.incoming(suffix=".upload", max_bytes=most) as incoming:
        count = 0
        while chunk := await part.read_chunk(64 * 1024):
            count += len(chunk)
            if count > most:
                values = {"what": "bytes", "found": f"over {most >> 20} MB", "most": f"{most >> 20} MB"}
                sentence = "error.song_oversized" if most == SONG_BYTES else None
                raise OversizedMedia("upload", message_id=sentence, values=values)
            if len(head) < HEAD_BYTES:
                head += chunk[: HEAD_BYTES - len(head)]
            await incoming.write(bytes(chunk))
        if part.name != SONG_FIELD:  # what sounds is told by opening it
            check_head(bytes(head))
        stored = await incoming.keep()
    attachment = Attachment(
        name=str(part.name), mime=part.headers.get("Content-Type", "")[:100], bytes=stored.bytes, key=stored.key
    )
    return Upload(attachment, stored.sha256)


async def store_picture(data: bytes, clips: ClipStore) -> Upload:
    """Put a picture of who is in a clip, which came in base64, into the clip store. Raises OversizedMedia, UnsupportedMedia."""
    if len(data) > PICTURE_BYTES:
        values = {"what": "bytes", "found": f"{len(data) >> 20} MB", "most": f"{PICTURE_BYTES >> 20} MB"}
        raise OversizedMedia("upload", values=values)
    check_head(data[:HEAD_BYTES])
    async with clips.incoming(suffix=".upload", max_bytes=PICTURE_BYTES) as incoming:
        await incoming.write(data)
        stored = await incoming.keep()
    attachment = Attachment(name="reference_image", mime="", bytes=stored.bytes, key=stored.key, recurs=True)
    return Upload(attachment, stored.sha256)


def check_head(head: bytes) -> None:
    """Refuse at once what is certainly no picture; the rest is decided by opening it in a child process."""
    looks = sniff(head)
    if looks.kind not in PICTURES:
        raise UnsupportedMedia(f"looks like {looks.kind}", values={"found": looks.found})
