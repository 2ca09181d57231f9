"""``POST /hooks/telegram``: the second way in, behind the secret that setWebhook was given. The same inbox; 2xx only after its commit."""

from __future__ import annotations

import hmac
import json
import logging
from typing import Any, Final

from aiohttp import web

from bot.hook_body import whole_body
from bot.platforms.telegram.inbox import Inbox
from core.errors import StorageError

PATH: Final = "/hooks/telegram"
HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
BODY_MOST: Final = 1 << 20
BODY_SECONDS: Final = 10.0

log = logging.getLogger("reelay.telegram")


class Endpoint:
    """Answers 401 without the secret, 503 until we know who we are or when nothing can be kept: Telegram then comes again."""

    def __init__(self, inbox: Inbox, secret: str) -> None:
        """``secret``: TELEGRAM_WEBHOOK_SECRET."""
        self._inbox, self._secret = inbox, secret.encode()

    def add_to(self, app: web.Application) -> None:
        """Register the route."""
        app.router.add_post(PATH, self.receive)

    async def receive(self, request: web.Request) -> web.Response:
        """One update."""
        given = request.headers.get(HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._secret):
            return web.Response(status=401)
        if self._inbox.bot is None:
            return web.Response(status=503)
        try:
            body = await whole_body(request, BODY_MOST, BODY_SECONDS)
        except TimeoutError:
            return web.Response(status=408)
        if len(body) > BODY_MOST:
            return web.Response(status=413)
        try:
            raw: Any = json.loads(body)
        except ValueError:
            return web.Response(status=400)
        if not isinstance(raw, dict):
            return web.Response(status=400)
        try:
            await self._inbox.take([raw])
        except StorageError as error:
            log.warning("an update could not be kept", extra={"code": error.code})
            return web.Response(status=503)
        return web.Response(status=200)
