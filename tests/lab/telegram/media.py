"""Files: what was uploaded, under which names bots know it, and the links that they download it by."""

from __future__ import annotations

import base64
import hashlib
import io
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from tests.lab.clock import Clock
from tests.lab.telegram.refusal import bad

Kind = Literal["photo", "video", "document", "animation", "audio", "voice"]
UPLOAD: Final = 50_000_000
PHOTO: Final = 10_000_000
DOWNLOAD: Final = 20 << 20
LOCAL: Final = 2000 << 20
THUMBNAIL: Final = 200_000
THUMBNAIL_SIDE: Final = 320
SIDES: Final = (90, 320, 800, 1280)
"""Every photo is made anew in these sizes, as far as it reaches."""
LINK_SECONDS: Final = 3600.0
WORDS: Final = {
    "photo": "Photo",
    "video": "Video",
    "document": "Document",
    "animation": "Animation",
    "audio": "Audio",
    "voice": "VoiceNote",
}
FOLDERS: Final = {
    "photo": "photos",
    "video": "videos",
    "animation": "animations",
    "audio": "music",
    "voice": "voice",
}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a request, on disk."""

    filename: str
    mime: str
    path: Path
    size: int


@dataclass(slots=True, eq=False)
class Stored:
    """A file that Telegram keeps."""

    unique: str
    path: Path
    size: int
    mime: str = "application/octet-stream"
    name: str | None = None
    width: int = 0
    height: int = 0

    @property
    def data(self) -> bytes:
        """Its bytes."""
        return self.path.read_bytes()


@dataclass(slots=True, eq=False)
class Media:
    """What a message shows: a photo in its sizes, a video, an animation, a document, an audio file or a voice message."""

    kind: Kind
    files: list[Stored]
    duration: int = 0
    thumbnail: Stored | None = None
    cover: list[Stored] = field(default_factory=list)
    start: int | None = None
    streaming: bool = False

    @property
    def main(self) -> Stored:
        """The file itself; of a photo the largest."""
        return self.files[-1]


class Shelf:
    """All files. A file id belongs to one bot and says what kind it is; ``unique`` is the same for all bots."""

    def __init__(self, clock: Clock, folder: Path) -> None:
        self.clock, self.folder = clock, folder
        self.local = False
        self.link_seconds = LINK_SECONDS
        self.upload_limit: int | None = None
        """Another limit than Telegram's, for tests that do not want to send 50 MB."""
        self.download_limit: int | None = None
        self.keep = True
        """False: of an upload only the size and the beginning are kept, for measuring with big ones."""
        self._known: dict[str, tuple[Media, Stored]] = {}
        self._links: dict[str, tuple[Stored, float]] = {}
        self._ids: dict[str, tuple[int, str]] = {}

    # ----------------------------------------------------------------------------------------------------------------------- limits

    def most_upload(self) -> int:
        """Bytes that one file may have."""
        return self.upload_limit or (LOCAL if self.local else UPLOAD)

    # ---------------------------------------------------------------------------------------------------------------------- keeping

    def put(self, source: Upload | bytes, name: str | None = None, mime: str | None = None) -> Stored:
        """Keep a file. A file that lies elsewhere is copied."""
        unique = "AgAD" + secrets.token_urlsafe(9)
        path = self.folder / unique
        if isinstance(source, bytes):
            path.write_bytes(source)
            return Stored(unique, path, len(source), mime or "application/octet-stream", name)
        if source.path.parent == self.folder:
            source.path.rename(path)
        else:
            shutil.copyfile(source.path, path)
        return Stored(unique, path, source.size, mime or source.mime, name or source.filename)

    def know(self, media: Media) -> Media:
        """Let its files be found by their ids."""
        for each in (*media.files, *media.cover, *([media.thumbnail] if media.thumbnail else ())):
            self._known[each.unique] = (media, each)
        return media

    def photo(self, source: Upload | bytes) -> Media:
        """A picture as a photo: made anew as JPEG in several sizes, no larger than 1280. 400 for what is no picture."""
        data = source if isinstance(source, bytes) else source.path.read_bytes()
        return self.know(Media("photo", [self._jpeg(made, *size) for made, size in _sizes(data)]))

    def _jpeg(self, data: bytes, width: int, height: int) -> Stored:
        stored = self.put(data, mime="image/jpeg")
        stored.width, stored.height = width, height
        return stored

    def thumbnail(self, source: Upload) -> Stored | str:
        """A thumbnail, or why the server drops it without a word."""
        if source.size >= THUMBNAIL:
            return f"{source.size} bytes are not below 200 kB"
        data = source.path.read_bytes()
        if data[:2] != b"\xff\xd8":
            return "it is no JPEG"
        width, height = _measure(data)
        if max(width, height) > THUMBNAIL_SIDE:
            return f"{width}×{height} is above 320"
        return self._jpeg(data, width, height)

    # -------------------------------------------------------------------------------------------------------------------- file ids

    def file_id(self, bot_id: int, stored: Stored, kind: str) -> str:
        """The name by which one bot may send it again."""
        mark = hashlib.sha256(f"{bot_id}:{stored.unique}:{kind}".encode()).digest()
        name = "BAAC" + base64.urlsafe_b64encode(mark[:30]).decode()
        self._ids[name] = (bot_id, stored.unique)
        return name

    def known(self, bot_id: int, file_id: str) -> tuple[Media, Stored]:
        """What a file id stands for; 400 for another bot's and for what is none (the words for another bot's are a guess)."""
        owner, unique = self._ids.get(file_id, (0, ""))
        if owner != bot_id or unique not in self._known:
            raise bad("wrong file identifier/HTTP URL specified")
        return self._known[unique]

    def again(self, bot_id: int, text: str, kind: Kind) -> Media:
        """A file that a request names by text: a file id; nothing here fetches a web address."""
        if text.startswith(("http://", "https://")):
            raise bad("failed to get HTTP URL content")
        if text.startswith("file:"):
            raise bad("invalid file HTTP URL specified: Unsupported URL protocol")
        media, stored = self.known(bot_id, text)
        if media.kind != kind or stored not in media.files:
            was = WORDS[media.kind] if stored in media.files else "Thumbnail"
            raise bad(f"can't use file of type {was} as {WORDS[kind]}")
        return media

    # -------------------------------------------------------------------------------------------------------------------- download

    def link(self, stored: Stored, kind: str) -> str:
        """The ``file_path`` of getFile; 400 above 20 MB unless the server is local."""
        if self.local and self.download_limit is None:
            return str(stored.path)
        if stored.size > (self.download_limit or DOWNLOAD):
            raise bad("file is too big")
        ending = {"image/jpeg": ".jpg", "video/mp4": ".mp4", "image/png": ".png"}.get(stored.mime, "")
        folder = FOLDERS.get(kind, "documents")
        path = f"{folder}/file_{len(self._links)}{ending}"
        self._links[path] = (stored, self.clock() + self.link_seconds)
        return path

    def download(self, path: str) -> Stored | None:
        """What a link leads to, while it lives."""
        stored, end = self._links.get(path, (None, 0.0))
        return stored if self.clock() < end else None

    def expire_links(self) -> None:
        """Every link dies now."""
        self._links = {path: (stored, 0.0) for path, (stored, _) in self._links.items()}


def is_mp4(path: Path) -> bool:
    """Whether it begins as an MPEG-4 file does."""
    with path.open("rb") as file:
        return file.read(8)[4:] == b"ftyp"


def picture(width: int = 64, height: int = 48, color: str = "teal", form: str = "JPEG") -> bytes:
    """A picture for somebody to send."""
    from PIL import Image  # only where a picture is needed: it costs more than all the rest of an import

    out = io.BytesIO()
    Image.new("RGB", (width, height), color).save(out, form)
    return out.getvalue()


def _measure(data: bytes) -> tuple[int, int]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.size
    except (OSError, ValueError):
        raise bad("IMAGE_PROCESS_FAILED") from None


def _sizes(data: bytes) -> list[tuple[bytes, tuple[int, int]]]:
    from PIL import Image

    width, height = _measure(data)
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise bad("PHOTO_INVALID_DIMENSIONS")
    made = []
    with Image.open(io.BytesIO(data)) as image:
        whole = image.convert("RGB")
        for side in SIDES:
            smaller = whole.copy()
            smaller.thumbnail((side, side))
            out = io.BytesIO()
            smaller.save(out, "JPEG", quality=85)
            made.append((out.getvalue(), smaller.size))
            if side >= max(width, height):
                break
    return made
