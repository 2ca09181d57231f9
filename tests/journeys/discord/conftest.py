"""The real process joined to the lab's Discord."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.checker import check
from tests.lab.discord import Channel, Discord, Person, Seen, Use
from tests.lab.reelay import Reelay
from tests.lab.vendor import Script, Vendor
from tests.lab.waiting import until

Maker = Callable[..., Reelay]
CARD_SECONDS = 30.0


class House:
    """A server with a room, ada in it, and Reelay with one generator that costs money."""

    def __init__(self, discord: Discord, vendor: Vendor, make: Maker, clock: Path) -> None:
        """Nothing runs before ``start``."""
        self.discord, self.vendor, self._clock = discord, vendor, clock
        self.guild = discord.add_guild("Cinema")
        self.room = discord.add_channel(self.guild, "general")
        self.ada = discord.add_person("ada", self.guild)
        self.environ = {
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
            "REELAY_ALLOWED": f"discord:guild:{self.guild.id}",
            "REELAY_DAILY_CREDITS": "unlimited",
            "REELAY_GLOBAL_DAILY_CREDITS": "unlimited",
            "LAB_CLOCK": str(clock),
        }
        generators = [{"name": "lab", "url": vendor.url, "price": 40, "poll_seconds": [0.05, 0.2]}]
        self.reelay = make(environ=self.environ, generators=generators)

    def start(self, *, environ: dict[str, str] | None = None, **options: Any) -> House:
        """Start Reelay and wait until the gateway has it and its commands."""
        self.reelay.environ.update(environ or {})
        self.reelay.start(**options)
        self.wait_connected()
        return self

    def wait_connected(self) -> None:
        """Wait for the gateway's session and for the commands."""
        until(lambda: self.discord.gateway.connected == 1 and self.discord.commands.of(None), 30, "the gateway")

    def script(self, word: str, script: Script | None = None, **facts: Any) -> None:
        """How the generator behaves for a prompt with ``word``."""
        self.vendor.on(word, script or Script(**facts))

    def video(self, prompt: str, channel: Channel | None = None, person: Person | None = None, **options: Any) -> Use:
        """``/video``, and wait until it was answered."""
        use = (person or self.ada).slash("video", channel or self.room, prompt=prompt, **options)
        until(lambda: use.acknowledged or use.failed, what="the answer")
        assert use.failed is None
        return use

    def clip_of(self, use: Use, seconds: float = CARD_SECONDS) -> Seen:
        """Wait until the answer has become a clip."""
        until(lambda: (use.message and use.message.clip) or None, seconds, "the clip")
        assert use.message is not None
        return use.message

    def shows(self, use: Use, words: str, seconds: float = CARD_SECONDS) -> Seen:
        """Wait until the answer says ``words``."""
        until(lambda: words in use.text, seconds, f"{words!r} in the answer")
        assert use.message is not None
        return use.message

    def job_of(self, use: Use) -> dict[str, Any]:
        """The row of the job that a command made."""
        found = until(
            lambda: self.reelay.rows(
                "SELECT j.* FROM jobs AS j JOIN inbox AS i ON i.job_id = j.id WHERE i.platform = 'discord' AND i.update_id = ?",
                use.interaction.id,
            ),
            what="the job of a command",
        )
        return dict(found[0])

    def jobs(self) -> int:
        """How many there are."""
        return int(self.reelay.value("SELECT COUNT(*) FROM jobs"))

    def later(self, seconds: float) -> None:
        """Let time pass for Reelay and for Discord."""
        self._clock.write_text(str(int(seconds * 1000)))
        self.discord.clock.advance(seconds)

    def end(self, *, reached: bool = True, resent: bool = False) -> None:
        """Stop it; nothing is left over, nothing was said that must not be, nothing was asked that Discord refuses."""
        self.reelay.wait_quiet()
        assert self.reelay.stop() == 0
        assert (
            check(self.reelay.data, self.vendor, self.reelay.text, refusals=True, reached=reached, resent=resent) == []
        )
        assert self.discord.journal.malformed() == []
        assert "Traceback" not in self.reelay.text
        assert self.discord.token not in self.reelay.text


@pytest.fixture
def house(make: Maker, tmp_path: Path) -> Iterator[House]:
    """One of its own for each test."""
    with Discord() as discord, Vendor(default=Script(seconds=0.2)) as vendor:
        built = House(discord, vendor, make, tmp_path / "clock")
        yield built
        built.reelay.end()
