"""Reelay between the lab's Discord and a vendor: one process for many tests, and for each test a server, a room and people of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.journeys.chat_house import ChatHouse, Maker
from tests.lab.discord import Channel, Discord, Guild, Person, Seen, Use
from tests.lab.vendor import Vendor
from tests.lab.waiting import until

CARD_SECONDS = 30.0
EDIT_SECONDS = 3.1
"""So far apart are two edits of a message."""
SERVERS, GUESTS = 64, 8
"""So many servers and people are let in beforehand: who may use Reelay is said at its start."""


class House(ChatHouse):
    """Everything is counted from ``open``, which each test has to itself: what was before it is not seen by it."""

    def __init__(
        self,
        discord: Discord,
        vendor: Vendor,
        make: Maker,
        folder: Path,
        *,
        environ: dict[str, str] | None = None,
        generators: Sequence[dict[str, Any]] = (),
        shared: bool = False,
    ) -> None:
        """See ``ChatHouse``."""
        self.discord = discord
        self._servers = [discord.world.ids() for _ in range(SERVERS)]
        self._guests = [discord.world.ids() for _ in range(GUESTS)]
        self.olga = discord.add_person("olga")
        """The operator; in no server until a test lets her ``join``."""
        invited = [f"discord:guild:{each}" for each in self._servers] + [
            f"discord:user:{each}" for each in self._guests
        ]
        settings = {
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
            "DISCORD_PUBLIC_KEY": discord.public_key,
            "REELAY_ALLOWED": ",".join(invited),
            "REELAY_ADMINS": f"discord:{self.olga.id}",
        }
        super().__init__(vendor, make, folder, environ=settings | (environ or {}), generators=generators, shared=shared)
        self.open()

    def open(self) -> None:
        """A new test begins: no fault of an earlier one is left, and it starts to count here."""
        self.discord.calm()
        self.discord.gateway.identify_seconds = 0.1
        self.guild = self.discord.add_guild("Cinema", guild_id=self._servers.pop())
        self.room = self.discord.add_channel(self.guild, "general")
        self.ada = self.discord.add_person("ada", self.guild)
        self._began = self.discord.clock()
        super().open()

    # ----------------------------------------------------------------------------------------------------------------- the process

    def wait_connected(self) -> None:
        """Wait for the gateway's session and for the commands."""
        until(lambda: self.discord.gateway.connected == 1 and self.discord.commands.of(None), 30, "the gateway")

    def later(self, seconds: float) -> None:
        """Let time pass for Discord as well."""
        self.discord.clock.advance(seconds)  # first: who is allowed to speak by our time is allowed to by theirs
        super().later(seconds)

    def next_edit(self, *uses: Use, seconds: float = EDIT_SECONDS) -> None:
        """Time passes, at least as much as lies between two edits of a message; wait until each of these answers was edited."""
        shown = [len(use.history) for use in uses]
        self.later(seconds)
        until(lambda: all(len(use.history) > n for use, n in zip(uses, shown, strict=True)), 40, "the next edit")

    def next_try(self, use: Use) -> None:
        """The same, until an edit was at least tried."""
        sql, job = "SELECT next_edit_at, failures, closed FROM cards WHERE job_id = ?", self.job_of(use)["id"]
        tried = self.reelay.rows(sql, job)
        self.later(EDIT_SECONDS)
        until(lambda: self.reelay.rows(sql, job) != tried, 40, "the next try to edit")

    # ------------------------------------------------------------------------------------------------------------------- what is done

    def guest(self, name: str, *guilds: Guild, **facts: Any) -> Person:
        """Somebody who is let in wherever they are."""
        return self.discord.add_person(name, *guilds, user_id=self._guests.pop(), **facts)

    def video(self, prompt: str, channel: Channel | None = None, person: Person | None = None, **options: Any) -> Use:
        """``/video``, and wait until it was answered."""
        return self.answered((person or self.ada).slash("video", channel or self.room, prompt=prompt, **options))

    def running(self, prompt: str = "whale", fails: str | None = None, **options: Any) -> Use:
        """A clip whose generator waits for ``vendor.finish``; its card has been edited once."""
        self.script(prompt, seconds=None, fails=fails)
        use = self.video(prompt, **options)
        until(lambda: self.submitted(prompt), what="the submit")
        self.in_time(lambda: "Rendering" in use.text, EDIT_SECONDS, what="the first edit")
        return use

    def answered(self, use: Use) -> Use:
        """Wait for the first answer."""
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

    # ----------------------------------------------------------------------------------------------------- what came of it, in this test

    def job_of(self, use: Use) -> dict[str, Any]:
        """The row of the job that a command made."""
        return self.job_of_update("discord", use.interaction.id)

    def bots(self, channel: Channel | None = None, person: Person | None = None) -> list[Seen]:
        """What Reelay has posted where somebody sees it."""
        seen = (person or self.ada).messages(channel or self.room)
        return [each for each in seen if each.author == "reelay"]

    def answers(self) -> list[Seen]:
        """The same in the room, but for the short replies that announce a clip of more than a minute: they come when they come."""
        return [each for each in self.bots() if each.reply_to is None]

    def requests(self, operation: str | None = None, status: int | None = None) -> list[dict[str, Any]]:
        """Requests to Discord, as its journal has them."""
        return [line for line in self.discord.journal.requests(operation, status) if line["at"] >= self._began]

    def invalid(self) -> list[float]:
        """When a request was one of those that lead to a ban."""
        return [at for at in self.discord.limits.invalid if at >= self._began]

    def behaved(self) -> None:
        """Nothing malformed was asked of Discord, and nothing leaked."""
        assert self.discord.journal.malformed() == []
        assert "Traceback" not in self.reelay.text
        assert self.discord.token not in self.reelay.text
