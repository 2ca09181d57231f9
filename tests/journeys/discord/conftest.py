"""The real process joined to the lab's Discord."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.lab.discord import Channel, Discord, Guild, Person, Seen
from tests.lab.reelay import Reelay
from tests.lab.vendor import Vendor
from tests.lab.waiting import until

Maker = Callable[..., Reelay]


@dataclass
class House:
    """A server with a room, somebody in it, and Reelay."""

    discord: Discord
    vendor: Vendor
    reelay: Reelay
    guild: Guild
    room: Channel
    ada: Person
    log: list[str] = field(default_factory=list)

    def start(self, **options: Any) -> House:
        """Start Reelay and wait until the gateway has it."""
        self.reelay.start(**options)
        self.wait_connected()
        return self

    def wait_connected(self) -> None:
        until(lambda: self.discord.gateway.connected == 1 and self.discord.commands.syncs, 30, "the gateway")

    def card(self, channel: Channel | None = None, number: int = -1) -> Seen:
        """The latest message of the bot that everybody sees."""
        found = [each for each in self.ada.messages(channel or self.room) if each.message.author is not self.ada.user]
        return found[number]


@pytest.fixture
def house(make: Maker, vendor: Vendor) -> Iterator[House]:
    """One of its own for each test."""
    with Discord() as discord:
        guild = discord.add_guild("Cinema")
        room = discord.add_channel(guild, "general")
        ada = discord.add_person("ada", guild)
        environ = {
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
            "REELAY_ALLOWED": f"discord:guild:{guild.id}",
        }
        reelay = make(environ=environ, generators=[{"name": "lab", "url": vendor.url, "price": 40, "poll_seconds": [0.1, 0.3]}])
        yield House(discord, vendor, reelay, guild, room, ada)
        reelay.end()


