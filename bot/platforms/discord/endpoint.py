"""``POST /hooks/discord``: the second way in. The same desk, behind a signature (Discord, "Interactions Overview", 2026-08)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.hook_body import whole_body
from bot.platforms.discord.desk import Desk
from core.ports import Clock

PATH: Final = "/hooks/discord"
BODY_MOST: Final = 1 << 20
BODY_SECONDS: Final = 3.0
"""As long as Discord waits for an answer."""
STAMP_MOST: Final = 12
"""Digits of a moment in Unix seconds."""
PING, PONG = 1, 1
TOLERANCE_SECONDS: Final = 300
"""How old a signed call may be: a recorded one is worth nothing later."""
ANSWER_SECONDS: Final = 30.0


def is_signed(key: Ed25519PublicKey, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether Discord signed this body: Ed25519 over the timestamp's text and the raw body."""
    timestamp = headers.get("X-Signature-Timestamp", "")
    try:
        signature = bytes.fromhex(headers.get("X-Signature-Ed25519", ""))
        key.verify(signature, timestamp.encode() + body)
    except (ValueError, InvalidSignature):
        return False
    return True


class Endpoint:
    """Answers 401 to what is not signed, a PONG to a PING, and 202 once the interaction was answered by its callback."""

    def __init__(self, desk: Desk, public_key: str, clock: Clock) -> None:
        """``public_key``: 64 hexadecimal digits, as the developer portal shows them."""
        self._desk, self._clock = desk, clock
        self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))

    def add_to(self, app: web.Application) -> None:
        """Register the route."""
        app.router.add_post(PATH, self.receive)

    async def receive(self, request: web.Request) -> web.Response:
        """One call of Discord's."""
        try:
            body = await whole_body(request, BODY_MOST, BODY_SECONDS)
        except TimeoutError:
            return web.Response(status=408)
        if len(body) > BODY_MOST:
            return web.Response(status=413)
        if not is_signed(self._key, body, request.headers) or not self._is_fresh(request.headers):
            return web.Response(status=401)
        try:
            raw: Any = json.loads(body)
        except ValueError:
            return web.Response(status=400)
        if isinstance(raw, dict) and raw.get("type") == PING:
            return web.json_response({"type": PONG})
        task = self._desk.receive(raw) if isinstance(raw, dict) else None
        if task is None:
            return web.Response(status=400)
        await asyncio.wait({task}, timeout=ANSWER_SECONDS)
        return web.Response(status=202 if task.done() else 503)

    def _is_fresh(self, headers: Mapping[str, str]) -> bool:
        stamp = headers.get("X-Signature-Timestamp", "")
        if not stamp.isdecimal() or len(stamp) > STAMP_MOST:
            return False
        return abs(self._clock.now() / 1000 - int(stamp)) <= TOLERANCE_SECONDS
