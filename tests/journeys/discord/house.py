"""Reelay between the lab's Discord and a vendor: one process for many tests, and for each test a server, a room and people of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.lab.checker import check
from tests.lab.discord import Channel, Discord, Guild, Person, Seen, Use
from tests.lab.reelay import Reelay
from tests.lab.vendor import Script, Vendor, VendorJob
from tests.lab.waiting import until

Maker = Callable[..., Reelay]
CARD_SECONDS = 30.0
EDIT_SECONDS = 3.1
"""So far apart are two edits of a message."""
SERVERS, GUESTS = 64, 8
"""So many servers and people are let in beforehand: who may use Reelay is said at its start."""


class House:
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
        """Nothing runs before ``start``. ``environ`` and ``generators`` come on top of what all have; ``shared``: the process
        outlives ``end``, for the next test.
        """
        self.discord, self.vendor, self._shared = discord, vendor, shared
        self._clock, self._kill, self._shift = folder / "clock", folder / "kill", 0.0
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
            "REELAY_DAILY_CREDITS": "unlimited",
            "REELAY_GLOBAL_DAILY_CREDITS": "unlimited",
            "REELAY_MAX_ACTIVE_JOBS": "12",
            "REELAY_MAX_WAITING_JOBS": "50",
            "LAB_CLOCK": str(self._clock),
            "LAB_KILL_FILE": str(self._kill),
        }
        lab = {"name": "lab", "url": vendor.url, "price": 40, "poll_seconds": [0.05, 0.2], "most_active": 12}
        lab["maximum_seconds"] = 7200  # ``later`` is to make tokens old, not to end what a generator was given
        self.reelay = make(environ=settings | (environ or {}), generators=[lab, *generators])
        self._explained: set[str] = set()
        """What the checker says of former tests, which have explained it."""
        self.open()

    def open(self) -> None:
        """A new test begins: no fault of an earlier one is left, and it starts to count here."""
        self.discord.calm()
        self.discord.gateway.identify_seconds = 0.1
        self.vendor.forget_scripts()
        self.guild = self.discord.add_guild("Cinema", guild_id=self._servers.pop())
        self.room = self.discord.add_channel(self.guild, "general")
        self.ada = self.discord.add_person("ada", self.guild)
        self.ended = False
        self._began = self.discord.clock()
        self._paid = set(self.vendor.paid)
        self._jobs = self._count("jobs")
        self._clips = self._count("clips")
        self._files = self._clip_files()
        self._audited = int(self.reelay.value("SELECT MAX(id) FROM audit") or 0) if self._has_data else 0

    # ----------------------------------------------------------------------------------------------------------------- the process

    def start(self, *, environ: dict[str, str] | None = None, **options: Any) -> House:
        """Start Reelay and wait until the gateway has it and its commands."""
        self.reelay.environ.update(environ or {})
        self.reelay.start(**options)
        self.wait_connected()
        return self

    def restart(self) -> None:
        """Start it again where it was stopped or killed."""
        self.start()

    def stop(self) -> None:
        """SIGTERM, and it ends as it should."""
        assert self.reelay.stop() == 0

    def kill_at(self, point: str) -> None:
        """It kills itself when it reaches this point the next time; ``reelay.wait_killed`` waits for that."""
        self._kill.write_text(point)

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self.reelay.process is not None and self.reelay.process.poll() is None

    def wait_connected(self) -> None:
        """Wait for the gateway's session and for the commands."""
        until(lambda: self.discord.gateway.connected == 1 and self.discord.commands.of(None), 30, "the gateway")

    def later(self, seconds: float) -> None:
        """Let time pass for Reelay, for Discord and for the generators."""
        self._shift += seconds
        fresh = self._clock.with_suffix(".new")
        fresh.write_text(str(int(self._shift * 1000)))
        fresh.replace(self._clock)  # whole at every look: half a number would turn the time back
        self.discord.clock.advance(seconds)
        self.vendor.ahead += seconds

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

    def script(self, word: str, script: Script | None = None, **facts: Any) -> None:
        """How the generator behaves for a prompt with ``word``."""
        self.vendor.on(word, script or Script(**facts))

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
        if "Rendering" not in use.text:  # were time moved after this edit, the next could come at any moment
            self.later(EDIT_SECONDS)
        self.shows(use, "Rendering")
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
        found = until(
            lambda: self.reelay.rows(
                "SELECT j.* FROM jobs AS j JOIN inbox AS i ON i.job_id = j.id WHERE i.platform = 'discord' AND i.update_id = ?",
                use.interaction.id,
            ),
            what="the job of a command",
        )
        return dict(found[0])

    def bots(self, channel: Channel | None = None, person: Person | None = None) -> list[Seen]:
        """What Reelay has posted where somebody sees it."""
        seen = (person or self.ada).messages(channel or self.room)
        return [each for each in seen if each.author == "reelay"]

    def answers(self) -> list[Seen]:
        """The same in the room, but for the short replies that announce a clip of more than a minute: they come when they come."""
        return [each for each in self.bots() if each.reply_to is None]

    def submitted(self, word: str) -> list[VendorJob]:
        """The billed jobs whose prompt contains ``word``."""
        return [job for job in self.vendor.of(word) if job.attempt not in self._paid]

    def paid(self) -> list[int]:
        """How often each attempt was billed."""
        return [count for attempt, count in self.vendor.paid.items() if attempt not in self._paid]

    def jobs(self) -> int:
        """How many were made."""
        return self._count("jobs") - self._jobs

    def clips(self) -> int:
        """How many clips and pictures are kept."""
        return self._count("clips") - self._clips

    def clip_files(self) -> set[Path]:
        """Clips on the disk."""
        return self._clip_files() - self._files

    def audited(self) -> list[dict[str, Any]]:
        """Lines of the audit trail; not those of a start."""
        sql = "SELECT * FROM audit WHERE id > ? AND verb <> 'start' ORDER BY id"
        return self.reelay.rows(sql, self._audited)

    def requests(self, operation: str | None = None, status: int | None = None) -> list[dict[str, Any]]:
        """Requests to Discord, as its journal has them."""
        return [line for line in self.discord.journal.requests(operation, status) if line["at"] >= self._began]

    def invalid(self) -> list[float]:
        """When a request was one of those that lead to a ban."""
        return [at for at in self.discord.limits.invalid if at >= self._began]

    @property
    def _has_data(self) -> bool:
        return (self.reelay.data / "reelay.db").exists()

    def _count(self, table: str) -> int:
        return int(self.reelay.value(f"SELECT COUNT(*) FROM {table}")) if self._has_data else 0

    def _clip_files(self) -> set[Path]:
        return set((self.reelay.data / "clips").rglob("*.mp4"))

    # ------------------------------------------------------------------------------------------------------------------------ the end

    def end(self, *, reached: bool = True, resent: bool = False, known: str | None = None) -> None:
        """The test ends: nothing is left over, nothing was said that must not be, nothing was asked that Discord refuses.

        ``reached``, ``resent``: see ``check``; ``known``: how the one sentence begins that the checker may say besides.
        """
        self.reelay.wait_quiet()
        if not self._shared:
            self.stop()
        found = self._complaints()
        wrong = self._complaints(reached=reached, resent=resent)
        if known is not None:
            (told,) = [line for line in wrong if line.startswith(known)]
            wrong.discard(told)
        assert wrong == set()
        self._explained |= found
        self._behaved()
        self.ended = True

    def close(self) -> None:
        """The process ends, and all of it is looked at once more."""
        if self.runs:
            self.reelay.wait_quiet()
            self.stop()
        assert self._complaints() == set()
        self._behaved()

    def _complaints(self, **facts: bool) -> set[str]:
        return set(check(self.reelay.data, self.vendor, self.reelay.text, refusals=True, **facts)) - self._explained

    def _behaved(self) -> None:
        assert self.discord.journal.malformed() == []
        assert "Traceback" not in self.reelay.text
        assert self.discord.token not in self.reelay.text
