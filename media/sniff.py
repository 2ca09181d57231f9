"""Tell what a file really is from its first bytes. The name and the declared type of an upload are never believed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

HEAD_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Looks:
    """``kind`` is a stable word for code; ``found`` completes the sentence "this is …" for a person."""

    kind: str
    found: str


PICTURES: Final = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP", "gif": "GIF", "heic": "HEIF"}
"""Kinds that may become a picture, and Pillow's name for each."""
CLIPS: Final = {"mp4": "mov", "webm": "matroska"}
"""Kinds that may be opened as a clip, and the demuxer that is forced for each."""
SONGS: Final = {"mp3": "mp3", "m4a": "mov", "mp4": "mov", "ogg": "ogg", "wav": "wav", "flac": "flac"}
"""Kinds that may be opened as a song, and the demuxer that is forced for each. Of a clip the sound is taken."""

_EMPTY = Looks("empty", "an empty file")
_UNKNOWN = Looks("unknown", "a file of an unknown kind")

_MAGIC: Final[tuple[tuple[bytes, Looks], ...]] = (
    (b"\x89PNG\r\n\x1a\n", Looks("png", "a PNG picture")),
    (b"\xff\xd8\xff", Looks("jpeg", "a JPEG photo")),
    (b"GIF87a", Looks("gif", "a GIF")),
    (b"GIF89a", Looks("gif", "a GIF")),
    (b"\x1a\x45\xdf\xa3", Looks("webm", "a WebM or Matroska clip")),
    (b"%PDF", Looks("pdf", "a PDF")),
    (b"%!PS", Looks("eps", "a PostScript drawing")),
    (b"\xc5\xd0\xd3\xc6", Looks("eps", "a PostScript drawing")),
    (b"8BPS", Looks("psd", "a Photoshop file")),
    (b"II*\x00", Looks("tiff", "a TIFF picture")),
    (b"MM\x00*", Looks("tiff", "a TIFF picture")),
    (b"\x00\x00\x01\x00", Looks("ico", "an icon file")),
    (b"\xff\x0a", Looks("jxl", "a JPEG XL picture")),
    (b"\x00\x00\x00\x0cJXL ", Looks("jxl", "a JPEG XL picture")),
    (b"\x00\x00\x00\x0cjP  ", Looks("jp2", "a JPEG 2000 picture")),
    (b"SIMPLE  =", Looks("fits", "a FITS picture")),
    (b"PK\x03\x04", Looks("zip", "a ZIP archive or office document")),
    (b"Rar!", Looks("rar", "a RAR archive")),
    (b"7z\xbc\xaf\x27\x1c", Looks("7z", "a 7-Zip archive")),
    (b"\x1f\x8b", Looks("gzip", "a compressed archive")),
    (b"\x7fELF", Looks("program", "a program")),
    (b"ID3", Looks("mp3", "an MP3 recording")),
    (b"OggS", Looks("ogg", "an Ogg recording")),
    (b"fLaC", Looks("flac", "a FLAC recording")),
    (b"FLV\x01", Looks("flv", "a Flash video")),
    (b"\x00\x00\x01\xba", Looks("mpeg", "an MPEG programme stream")),
)
_RIFF: Final = {
    b"WEBP": Looks("webp", "a WebP picture"),
    b"AVI ": Looks("avi", "an AVI video"),
    b"WAVE": Looks("wav", "a WAV recording"),
}
_MPEG = Looks("mp3", "an MP3 recording")
_HEIC = Looks("heic", "a HEIC photo")
_AVIF = Looks("avif", "an AVIF picture")
_BRANDS: Final = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), _HEIC),
    **dict.fromkeys((b"avif", b"avis"), _AVIF),
    **dict.fromkeys((b"M4A ", b"M4B ", b"M4P "), Looks("m4a", "an M4A recording")),
    b"crx ": Looks("raw", "a camera raw photo"),
}
_TEXTS: Final[tuple[tuple[re.Pattern[str], Looks], ...]] = (
    (re.compile(r"ffconcat version", re.IGNORECASE), Looks("ffconcat", "a playlist")),
    (re.compile(r"#EXTM3U"), Looks("playlist", "a playlist")),
    (re.compile(r"\[playlist\]", re.IGNORECASE), Looks("playlist", "a playlist")),
    (
        re.compile(
            r"(<\?xml.{0,3000}?)?(<!--.{0,3000}?-->\s*)*(<!doctype svg.{0,3000}?>\s*)?<(\w+:)?svg\b",
            re.IGNORECASE | re.DOTALL,
        ),
        Looks("svg", "an SVG"),
    ),
    (re.compile(r"<(!doctype html|html|head|body|script)\b", re.IGNORECASE), Looks("html", "an HTML page")),
    (re.compile(r"<\?xml"), Looks("xml", "an XML file")),
    (re.compile(r"[\[{]"), Looks("text", "a text file")),
)


def sniff(head: bytes) -> Looks:
    """Return what a file that begins with ``head`` (up to ``HEAD_BYTES``) looks like; never raises."""
    if not head:
        return _EMPTY
    for magic, looks in _MAGIC:
        if head.startswith(magic):
            return looks
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], _UNKNOWN)
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], Looks("mp4", "an MP4 clip"))
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return Looks("quicktime", "an old QuickTime film")
    if head[:2] == b"BM" and head[6:10] == b"\x00\x00\x00\x00":
        return Looks("bmp", "a BMP picture")
    if head[:2] == b"MZ":
        return Looks("program", "a program")
    if head[0] == 0xFF and len(head) > 1 and head[1] & 0xE0 == 0xE0:
        return _MPEG if head[1] & 0x06 else Looks("aac", "a bare AAC recording")
    return _as_text(head)


def _as_text(head: bytes) -> Looks:
    if not head.strip(b"\x00"):
        return Looks("zeros", "a file of zeros")
    if b"\x00" in head:
        return _UNKNOWN
    text = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    for pattern, looks in _TEXTS:
        if pattern.match(text):
            return looks
    strange = sum(1 for c in text if c == "\ufffd" or (ord(c) < 32 and c not in "\t\r\n\f"))
    return Looks("text", "a text file") if text and strange <= len(text) // 50 else _UNKNOWN


def webp_size(head: bytes) -> tuple[int, int] | None:
    """Return the canvas of an extended WebP, which Pillow would allocate on opening; None for the simple kinds (at most
    16,383²).
    """
    if head[12:16] != b"VP8X" or len(head) < 30:
        return None
    return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
