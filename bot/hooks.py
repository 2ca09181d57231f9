"""``POST /hooks/{vendor}/{attempt}``: a vendor says that something happened. It is a hint; the attempt is looked at, nothing is believed.

The attempt's id is 128 random bits, so only the vendor that was told it knows the address. Whether an attempt exists is not told.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from aiohttp import web

from bot.hook_body import whole_body
from core.ports import Listening, Provider

BODY_MOST: Final = 1 << 20
BODY_SECONDS: Final = 10.0
ATTEMPT: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)

Handler = Callable[[web.Request], Awaitable[web.Response]]
log = logging.getLogger("reelay.hooks")


class VendorHooks:
    """Answers 401 to what its vendor cannot have said, 204 to the rest."""

    def __init__(self, providers: Iterable[Provider]) -> None:
        """Generators that listen are found among ``providers``."""
        self._listening = {each.hook: each for each in providers if isinstance(each, Listening)}

    def add_to(self, app: web.Application) -> None:
        """Register the routes, one per vendor that is configured."""
        for hook in self._listening:
            app.router.add_post(f"/hooks/{hook}/{{attempt}}", self._receiver(hook))

    def _receiver(self, hook: str) -> Handler:
        listener = self._listening[hook]

        async def receive(request: web.Request) -> web.Response:
            attempt = request.match_info["attempt"]
            if not ATTEMPT.fullmatch(attempt):
                return web.Response(status=401)
            try:
                body = await whole_body(request, BODY_MOST, BODY_SECONDS)
            except TimeoutError:
                return web.Response(status=408)
            if len(body) > BODY_MOST:
                return web.Response(status=413)
            genuine = await listener.heard(attempt, request.headers, body)
            log.debug("a webhook came", extra={"vendor": hook, "genuine": genuine})
            return web.Response(status=204 if genuine else 401)

        return receive
