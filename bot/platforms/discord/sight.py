"""Which channels of a guild somebody sees: a list of the server's clips must not tell of the others.

An interaction says only what its person may in its own channel. The rest follows from the guild's roles and each channel's overwrites
(Discord, "Permissions", 2026-08), which the bot may read where it is a member; where it is not, nothing but the channel itself is sure.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.platforms.discord.api import DiscordApi, NoAnswer, Refusal
from bot.platforms.discord.wire import ADMINISTRATOR, Interaction
from core.jobs import Place
from core.ports import Clock

VIEW_CHANNEL: Final = 1 << 10
KEPT_SECONDS: Final = 60.0
KEPT_GUILDS: Final = 200
ASK_SECONDS: Final = 1.0
"""Of the three that Discord gives the answer: whoever asks must not wait for a guild that does not come."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A guild's roles with what they may, and of each channel the overwrites in the order of Discord's list."""

    roles: Mapping[str, int]
    channels: Mapping[str, Sequence[Mapping[str, Any]]]
    for_adults: frozenset[str]
    """Channels that are age-restricted, and with them their threads, which do not say so themselves."""


class Sight:
    """Answers for one interaction which places its person sees."""

    def __init__(self, api: DiscordApi, clock: Clock) -> None:
        """Layouts are kept for a minute."""
        self._api, self._clock = api, clock
        self._known: OrderedDict[str, tuple[float, Layout]] = OrderedDict()

    async def of(self, i: Interaction) -> Callable[[Place], bool]:
        """What the person of ``i`` sees in its guild; the channel that they are in always."""
        layout = await self._layout(i.guild_id) if i.guild_id is not None and i.bot_is_member else None
        if layout is None:
            return lambda place: place.chat == i.channel_id
        seen = seen_channels(layout, str(i.guild_id), i.user_id, i.roles)
        sees_all = bool(i.permissions & ADMINISTRATOR)
        hidden = frozenset[str]() if i.nsfw else layout.for_adults

        def sees(place: Place) -> bool:
            where = {place.chat, place.details.get("parent")}
            return place.chat == i.channel_id or (not where & hidden and (sees_all or bool(where & seen)))

        return sees

    async def _layout(self, guild_id: str) -> Layout | None:
        now = self._clock.monotonic()
        known = self._known.get(guild_id)
        if known is not None and now < known[0]:
            return known[1]
        try:
            roles, channels = await asyncio.gather(self._ask(guild_id, "roles"), self._ask(guild_id, "channels"))
        except (Refusal, NoAnswer):
            return None
        layout = Layout(
            {str(each["id"]): int(each["permissions"]) for each in roles},
            {str(each["id"]): tuple(each.get("permission_overwrites") or ()) for each in channels},
            frozenset(str(each["id"]) for each in channels if each.get("nsfw")),
        )
        self._known[guild_id] = (now + KEPT_SECONDS, layout)
        while len(self._known) > KEPT_GUILDS:
            self._known.popitem(last=False)
        return layout

    async def _ask(self, guild_id: str, what: str) -> Any:
        return await self._api.call("GET", f"/guilds/{guild_id}/{what}", seconds=ASK_SECONDS)


def seen_channels(layout: Layout, guild_id: str, user_id: str, roles: Collection[str]) -> frozenset[str]:
    """Ids of the channels that a member with these roles may view. The role of everybody has the guild's id."""
    base = layout.roles.get(guild_id, 0)
    for role in roles:
        base |= layout.roles.get(role, 0)
    if base & ADMINISTRATOR:
        return frozenset(layout.channels)
    return frozenset(
        channel for channel, rules in layout.channels.items() if _sees(base, rules, guild_id, user_id, roles)
    )


def _sees(base: int, rules: Sequence[Mapping[str, Any]], guild_id: str, user_id: str, roles: Collection[str]) -> bool:
    """Everybody's overwrite first, then those of all roles together, then the member's own: denials before permissions each time."""
    for subjects in ({guild_id}, set(roles) - {guild_id}, {user_id}):
        mine = [rule for rule in rules if str(rule["id"]) in subjects]
        for rule in mine:
            base &= ~int(rule["deny"])
        for rule in mine:
            base |= int(rule["allow"])
    return bool(base & VIEW_CHANNEL)
