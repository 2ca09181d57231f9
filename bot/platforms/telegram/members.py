"""Who is an administrator of a group: asked of Telegram, because a menu's scope hides a command and keeps nobody from writing it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from telegram.error import TelegramError

from bot.platforms.telegram.client import Client
from bot.platforms.telegram.wire import Person, Spot
from core.ports import Clock

KEPT_SECONDS: Final = 60.0
KEPT: Final = 2000
BOSSES: Final = frozenset({"creator", "administrator"})


class Members:
    """Answers are kept for a minute."""

    def __init__(self, client: Client, clock: Clock) -> None:
        """Nothing is known yet."""
        self._client, self._clock = client, clock
        self._known: OrderedDict[tuple[int, int], tuple[float, bool]] = OrderedDict()

    async def is_administrator(self, person: Person, spot: Spot | None) -> bool:
        """Whether they are an administrator there; whoever writes as the group itself is one. False when Telegram does not tell."""
        if spot is None or spot.is_private:
            return False
        if person.chat_id is not None:
            return person.chat_id == spot.chat_id
        key, now = (spot.chat_id, person.id), self._clock.monotonic()
        known = self._known.get(key)
        if known is not None and now < known[0]:
            return known[1]
        try:
            member = await self._client.get_chat_member(spot.chat_id, person.id)
        except TelegramError:
            return False
        found = member.status in BOSSES
        self._known[key] = (now + KEPT_SECONDS, found)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return found
