"""Files that try to break, bloat or leak: made here byte by byte, so that none has to be kept in the repository."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

from PIL import Image

CANARY = "the canary must never leave its file"


def png(width: int, height: int, *, pixels: bool = True, extra: bytes = b"") -> bytes:
    """A one-bit PNG of any size; its zeros compress to almost nothing."""
    row = b"\x00" * (1 + (width + 7) // 8)
    squeeze = zlib.compressobj(1)
    data = b"".join(squeeze.compress(row) for _ in range(height if pixels else 1)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + extra + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def text_bomb() -> bytes:
    """A PNG whose comment unfolds to 200 MB."""
    squeeze = zlib.compressobj(9)
    body = b"Comment\x00\x00" + b"".join(squeeze.compress(b"A" * 1_000_000) for _ in range(200)) + squeeze.flush()
    return png(64, 64, extra=_chunk(b"zTXt", body))


def gif_of(frames: int) -> bytes:
    """A GIF of many small pictures."""
    first = io.BytesIO()
    Image.new("P", (32, 32), 3).save(first, "GIF")
    whole = first.getvalue()
    table = 3 * 2 ** ((whole[10] & 7) + 1) if whole[10] & 0x80 else 0
    head, body = whole[: 13 + table], whole[13 + table : -1]
    return head + body * frames + b";"


def webp_canvas(width: int, height: int) -> bytes:
    """An extended WebP that only claims its canvas."""
    body = (
        b"WEBPVP8X"
        + struct.pack("<I", 10)
        + b"\x02\x00\x00\x00"
        + (width - 1).to_bytes(3, "little")
        + (height - 1).to_bytes(3, "little")
    )
    body += b"ANIM" + struct.pack("<I", 6) + bytes(6)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def photo(size: tuple[int, int] = (200, 120), **options: object) -> bytes:
    """A JPEG."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, "JPEG", **options)
    return out.getvalue()


def not_pictures(canary: Path) -> dict[str, tuple[bytes, str]]:
    """Things that are uploaded as pictures, and the word for what they are."""
    svg = f'<?xml version="1.0"?>\n<!-- hello -->\n<svg xmlns="http://www.w3.org/2000/svg"><image href="file://{canary}"/></svg>'
    return {
        "svg.png": (svg.encode(), "svg"),
        "bare_svg.jpg": (b'\xef\xbb\xbf <svg width="1" height="1"/>', "svg"),
        "eps.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n(" + str(canary).encode() + b") run\n", "eps"),
        "page.jpg": (b"<!DOCTYPE html><html><script>alert(1)</script></html>", "html"),
        "paper.jpg": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "pdf"),
        "empty.png": (b"", "empty"),
        "zeros.png": (bytes(5000), "zeros"),
        "text.png": (b"just words", "text"),
        "json.png": (b'{"a": 1}', "text"),
        "tiff.png": (b"II*\x00" + bytes(100), "tiff"),
        "photoshop.png": (b"8BPS" + bytes(100), "psd"),
        "fits.png": (b"SIMPLE  =                    T" + bytes(2880), "fits"),
        "icon.png": (b"\x00\x00\x01\x00" + bytes(100), "ico"),
        "archive.png": (b"PK\x03\x04" + bytes(100), "zip"),
        "program.png": (b"MZ" + bytes(100), "program"),
        "avif.png": (b"\x00\x00\x00\x20ftypavif" + bytes(100), "avif"),
        "clip.png": (b"\x00\x00\x00\x20ftypisom" + bytes(100), "mp4"),
        "noise.png": (bytes(range(1, 256)) * 8, "unknown"),
        "playlist.png": (b"#EXTM3U\nfile://" + str(canary).encode(), "playlist"),
    }


def not_clips(canary: Path) -> dict[str, bytes]:
    """Things that are handed over as clips, several of which FFmpeg would follow to other files."""
    url = f"file://{canary}"
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{url}\n#EXT-X-ENDLIST\n"
    concat = f"ffconcat version 1.0\nfile '{canary}'\n"
    brand = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
    return {
        "concat.mp4": concat.encode(),
        "playlist.mp4": playlist.encode(),
        "branded_playlist.mp4": brand + playlist.encode(),
        "branded_concat.mp4": brand + concat.encode(),
        "matroska_playlist.webm": b"\x1a\x45\xdf\xa3" + playlist.encode(),
        "dash.mp4": f'<?xml version="1.0"?><MPD><BaseURL>{url}</BaseURL></MPD>'.encode(),
        "sdp.mp4": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        "avi.mp4": b"RIFF\x00\x10\x00\x00AVI LIST" + playlist.encode(),
        "page.mp4": b"<html><body>502 Bad Gateway</body></html>",
        "answer.mp4": b'{"error": "not found"}',
        "empty.mp4": b"",
        "zeros.mp4": bytes(100_000),
        "brand_only.mp4": brand,
        "old.mp4": b"\x00\x00\x00\x08moov",
        "picture.mp4": photo(),
    }


def patched(clip: bytes, box: bytes, offset: int, value: bytes) -> bytes:
    """``clip`` with ``value`` at ``offset`` behind the name of every ``box``."""
    out, at = bytearray(clip), 0
    while (at := out.find(box, at)) >= 0:
        out[at + 4 + offset : at + 4 + offset + len(value)] = value
        at += 4
    return bytes(out)


def claims_ten_hours(clip: bytes) -> bytes:
    """The same clip with every header saying 36,000 s."""
    out = bytearray(clip)
    for box in (b"mvhd", b"mdhd"):
        at = 0
        while (at := out.find(box, at)) >= 0:
            scale = struct.unpack(">I", out[at + 16 : at + 20])[0]
            out[at + 20 : at + 24] = struct.pack(">I", scale * 36_000)
            at += 4
    return patched(bytes(out), b"tkhd", 20, struct.pack(">I", 36_000_000))
