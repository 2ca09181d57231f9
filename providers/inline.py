"""Clips that come inside a JSON answer, in base64: read piece by piece, so that none is ever whole in memory."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import AsyncIterable
from typing import Any, Final

from core.errors import Garbled
from core.ports import Sink

SKELETON_BYTES: Final = 1 << 20
"""The most that an answer may hold besides clips."""
ELIDED: Final = "elided"
"""Stands in the returned JSON where a clip stood."""
LONG: Final = 4096
"""A string under one of the keys that is shorter is no clip and stays as it is."""


class _Skim:
    """Splits a JSON text into its skeleton and the strings under ``keys``, which are handed out decoded."""

    def __init__(self, keys: frozenset[str], nth: int) -> None:
        self.keys, self.nth, self.skeleton = keys, nth, bytearray()
        self.in_string = self.escaped = self.elides = False
        self.word = bytearray()
        self.key = b""
        self.expects_value = False
        self.rest = b""
        self.found = 0

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes; returns decoded bytes of the wanted clip among them."""
        clip = bytearray()
        at = 0
        while at < len(data):
            at = self._inside(data, at, clip) if self.in_string else self._outside(data, at)
        if len(self.skeleton) + len(self.word) > SKELETON_BYTES + LONG:
            raise Garbled("the answer is too long")
        return bytes(clip)

    def _outside(self, data: bytes, at: int) -> int:
        quote = data.find(b'"', at)
        end = len(data) if quote < 0 else quote
        between = data[at:end]
        if between.strip():
            self.expects_value = between.strip() == b":"
        self.skeleton += between
        if quote < 0:
            return end
        self.in_string, self.word = True, bytearray()
        self.elides = False
        return quote + 1

    def _inside(self, data: bytes, at: int, clip: bytearray) -> int:
        if self.escaped:
            self.escaped = False
            self._take(b"\\" + data[at : at + 1], clip)
            return at + 1
        ends = [found for found in (data.find(b'"', at), data.find(b"\\", at)) if found >= 0]
        end = min(ends, default=len(data))
        self._take(data[at:end], clip)
        if end == len(data):
            return end
        if data[end : end + 1] == b"\\":
            self.escaped = True
        else:
            self._close(clip)
        return end + 1

    def _take(self, piece: bytes, clip: bytearray) -> None:
        self.word += piece
        if (
            not self.elides
            and self.expects_value
            and len(self.word) >= LONG
            and self.key.decode("latin-1") in self.keys
        ):
            self.elides = True
            self.found += 1
        if self.elides:
            self._decode(clip, last=False)

    def _decode(self, clip: bytearray, *, last: bool) -> None:
        text = self.rest + bytes(self.word)
        self.word.clear()
        text = text.replace(b"\\/", b"/").replace(b"\\n", b"").replace(b"\\r", b"").replace(b"\\u003d", b"=")
        text = text.replace(b"-", b"+").replace(b"_", b"/")
        whole = len(text) if last else max(0, (len(text) - 8) // 4 * 4)
        piece, self.rest = text[:whole], text[whole:]
        if self.found - 1 != self.nth or not piece:
            return
        try:
            clip += b64decode(piece + b"=" * (-len(piece) % 4), validate=True)
        except (binascii.Error, ValueError):
            raise Garbled("the clip in the answer is not base64") from None

    def _close(self, clip: bytearray) -> None:
        self.in_string = False
        if self.elides:
            self._decode(clip, last=True)
            self.rest = b""
            self.skeleton += b'"' + ELIDED.encode() + b'"'
            self.elides = False
        else:
            self.skeleton += b'"' + bytes(self.word) + b'"'
            if not self.expects_value:
                self.key = bytes(self.word)
            self.word.clear()
        self.expects_value = False


async def skim(pieces: AsyncIterable[bytes], keys: frozenset[str], sink: Sink | None = None, *, nth: int = 0) -> Any:
    """Return the JSON of ``pieces`` with ``ELIDED`` in place of every clip under one of ``keys``; one goes, decoded, to ``sink``: the
    first, or as many behind it as ``nth`` says, where an answer repeats what it was asked with.

    With ``sink`` None reading ends at the first clip, and a dict ``{ELIDED: True}`` is returned: it is there. Raises Garbled for what is
    no JSON, or no base64, or whose skeleton is above 1 MB.
    """
    reading = _Skim(keys, nth)
    async for piece in pieces:
        decoded = reading.feed(piece)
        if sink is None and reading.found:
            return {ELIDED: True}
        if sink is not None and decoded:
            await sink.write(decoded)
    try:
        return json.loads(bytes(reading.skeleton))
    except (ValueError, RecursionError):
        raise Garbled("the answer is no JSON") from None
