"""The gateway's connections, and the sessions that outlive them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import zlib
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

Json = dict[str, Any]
GOODBYE_SECONDS = 5.0
CLOSES: Final = {
    4001: "Unknown opcode", 4002: "Decode error", 4003: "Not authenticated", 4004: "Authentication failed.",
    4005: "Already authenticated", 4007: "Invalid seq", 4008: "Rate limited", 4009: "Session timed out",
    4010: "Invalid shard", 4011: "Sharding required", 4012: "Invalid API version", 4013: "Invalid intent(s)",
    4014: "Disallowed intent(s)",
}  # fmt: skip


class Close(Exception):
    """The server ends the connection with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{code} {CLOSES.get(code, '')}")
        self.code = code


@dataclass(slots=True, eq=False)
class Session:
    """What RESUME comes back to."""

    id: str
    shard: tuple[int, int]
    intents: int
    seq: int = 0
    sent: deque[Json] = field(default_factory=lambda: deque(maxlen=10_000))
    wire: Wire | None = None
    left_at: float | None = None


class Wire:
    """One connection."""

    def __init__(self, socket: web.WebSocketResponse, compress: bool) -> None:
        self.socket, self.sends = socket, deque[float]()
        self._zlib = zlib.compressobj() if compress else None
        self.beat = asyncio.Event()
        self.session: Session | None = None
        self.heard_out = asyncio.Event()
        """Nobody reads this connection any more."""
        self._closing: asyncio.Task[None] | None = None

    def end(self, code: int) -> None:
        """Begin to close from this side; ``rest`` waits for the program's goodbye."""
        self._closing = self._closing or asyncio.create_task(self._end(code))

    async def _end(self, code: int) -> None:
        """aiohttp's own ``close`` tears the connection down at once while somebody reads it, and that reads as 1006 over there."""
        words = CLOSES.get(code, "").encode()
        writer = self.socket._writer
        if self.heard_out.is_set() or writer is None:
            await self.socket.close(code=code, message=words)
            return
        with contextlib.suppress(ConnectionError):
            await writer.close(code, words)
        try:
            await asyncio.wait_for(self.heard_out.wait(), GOODBYE_SECONDS)
        except TimeoutError:
            self.cut()

    def cut(self) -> None:
        """End it without a word."""
        if self.socket._req is not None and self.socket._req.transport is not None:
            self.socket._req.transport.abort()

    async def rest(self) -> None:
        """Let a close that is under way finish: a connection that is torn down before reads as 1006 over there."""
        if self._closing is not None:
            await self._closing

    async def send(self, payload: Json) -> None:
        """One payload, compressed if that was asked for."""
        await self.send_text(json.dumps(payload))

    async def send_text(self, text: str) -> None:
        """The same for what is JSON already."""
        with contextlib.suppress(ConnectionError):
            if self._zlib is None:
                await self.socket.send_str(text)
            else:
                await self.socket.send_bytes(self._zlib.compress(text.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH))
