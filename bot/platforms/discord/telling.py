"""What the operators must know, told to them by direct message as well as in the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from bot.platforms.discord.api import DiscordApi, NoAnswer, Refusal
from bot.platforms.discord.render import escape, plain

TELL_SECONDS: Final = 20.0
"""For all of them together: whatever raised the alert waits for it."""

log = logging.getLogger("reelay.discord")


class Telling:
    """Writes to the operators whose Discord ids are configured."""

    def __init__(self, api: DiscordApi, operators: Iterable[str]) -> None:
        """``operators``: user ids."""
        self._api, self._operators = api, tuple(operators)

    async def tell(self, text: str) -> None:
        """Say ``text`` to each; who takes no messages, or is not reached in time, finds it in the log.

        With a token that Discord refuses nobody is reached, and each try counts towards a ban.
        """
        if not self._api.is_known:
            return
        try:
            async with asyncio.timeout(TELL_SECONDS):
                await asyncio.gather(*(self._to(user, text) for user in self._operators))
        except TimeoutError:
            log.warning("an operator could not be told in time")

    async def _to(self, user: str, text: str) -> None:
        try:
            channel = await self._api.call("POST", "/users/@me/channels", {"recipient_id": user})
            await self._api.call("POST", f"/channels/{channel['id']}/messages", plain(escape(text), private=False))
        except (Refusal, NoAnswer, KeyError, TypeError) as error:
            log.warning("an operator could not be told", extra={"why": type(error).__name__})
