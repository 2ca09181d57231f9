"""What the operators must know, told to them in their private chats as well as in the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from bot.platforms.telegram.render import escape
from bot.platforms.telegram.speaking import Speaking
from core.errors import PlatformError
from core.jobs import Place

TELL_SECONDS: Final = 20.0
"""For all of them together: whatever raised the alert waits for it."""

log = logging.getLogger("reelay.telegram")


class Telling:
    """Writes to the operators whose Telegram ids are configured."""

    def __init__(self, speaking: Speaking, operators: Iterable[str], is_known: Callable[[], bool]) -> None:
        """``operators``: user ids. ``is_known``: whether Telegram takes our token; without that nobody is reached."""
        self._speaking, self._operators, self._is_known = speaking, tuple(operators), is_known

    async def tell(self, text: str) -> None:
        """Say ``text`` to each; who has no chat with the bot, or is not reached in time, finds it in the log."""
        if not self._is_known():
            return
        try:
            async with asyncio.timeout(TELL_SECONDS):
                await asyncio.gather(*(self._to(user, text) for user in self._operators))
        except TimeoutError:
            log.warning("an operator could not be told in time")

    async def _to(self, user: str, text: str) -> None:
        try:
            await self._speaking.say(Place("telegram", user, visibility="only_owner"), escape(text))
        except PlatformError as error:
            log.warning("an operator could not be told", extra={"code": error.code})
