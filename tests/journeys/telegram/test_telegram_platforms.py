"""Discord and Telegram in one process: one queue, one cap for both, and either goes on when the other one fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.telegram.house import House
from tests.lab.discord import Discord, Use
from tests.lab.discord import Person as Member
from tests.lab.telegram import Telegram
from tests.lab.vendor import Script, Vendor
from tests.lab.waiting import until

pytestmark = pytest.mark.journey

PLACES = 2
"""So many clips does the generator make at a time."""


class Both(House):
    """Telegram's house, to which Discord leads as well."""

    def __init__(
        self, discord: Discord, telegram: Telegram, vendor: Vendor, make: Callable[..., Any], folder: Path
    ) -> None:
        self.discord = discord
        self.guild = discord.add_guild("Cinema")
        self.channel = discord.add_channel(self.guild, "general")
        self.dora, self.dave = discord.add_person("dora", self.guild), discord.add_person("dave", self.guild)
        environ = {
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
            "DISCORD_PUBLIC_KEY": discord.public_key,
            "LAB_DEFAULT": "narrow",
            "LAB_HASTE": "10",
        }
        narrow = {"name": "narrow", "url": vendor.url, "price": 40, "poll_seconds": [0.05, 0.2], "most_active": PLACES}
        super().__init__(telegram, vendor, make, folder, environ=environ, generators=[narrow])

    def wait_connected(self) -> None:
        """Wait for both."""
        super().wait_connected()
        until(lambda: self.discord.gateway.connected == 1 and self.discord.commands.of(None), 30, "the gateway")

    def later(self, seconds: float) -> None:
        """Let time pass for Discord as well."""
        self.discord.clock.advance(seconds)
        super().later(seconds)

    def slash(self, prompt: str, person: Member | None = None) -> Use:
        """``/video`` on Discord, and wait until it was answered."""
        use = (person or self.dora).slash("video", self.channel, prompt=prompt)
        until(lambda: use.acknowledged or use.failed, what="the answer")
        assert use.failed is None
        return use

    def film(self, use: Use, seconds: float = 40) -> None:
        """Wait until an answer on Discord has become a clip."""
        until(lambda: use.message is not None and use.message.clip is not None, seconds, "the clip on Discord")

    def broken(self) -> dict[str, str]:
        """What ``/readyz`` says is not ready, and why."""
        said = json.loads(self.reelay.http("/readyz")[1])
        return {each["part"]: each["why"] for each in said["broken"]}

    def behaved(self) -> None:
        """Neither has anything to complain about."""
        super().behaved()
        assert self.discord.journal.malformed() == []
        assert self.discord.token not in self.reelay.text


@pytest.fixture
def both(make: Callable[..., Any], tmp_path: Path) -> Iterator[Both]:
    """Both run."""
    with ExitStack() as stack:
        discord, telegram = stack.enter_context(Discord()), stack.enter_context(Telegram())
        vendor = stack.enter_context(Vendor(default=Script(seconds=0.2)))
        house = Both(discord, telegram, vendor, make, tmp_path)
        stack.callback(house.reelay.end)
        house.start()
        yield house


def submitted(both: Both, *words: str) -> list[str]:
    """Prompts that the generator was given, in their order."""
    return [job.prompt for job in both.vendor.jobs.values() if any(word in job.prompt for word in words)]


@pytest.mark.parametrize("crowded", ["discord", "telegram"])
def test_many_jobs_of_one_keep_nobody_of_the_other_waiting(both: Both, crowded: str) -> None:
    both.script("herd", seconds=None)
    both.script("lone", seconds=None)
    for number in range(4):
        if crowded == "discord":
            both.slash(f"herd {number}")
        else:
            both.ada.say(f"herd {number}")
    until(lambda: len(submitted(both, "herd")) == PLACES, what="the first two")
    use = card = None
    if crowded == "discord":
        card = both.video("lone")
    else:
        use = both.slash("lone")
    until(lambda: both.jobs() == 5, what="the order")
    both.vendor.finish(submitted(both, "herd")[0])
    until(lambda: len(submitted(both, "herd", "lone")) == PLACES + 1, 30, "the next")
    assert submitted(both, "herd", "lone")[PLACES] == "lone", "whoever has nothing running comes first"
    both.vendor.finish("lone")
    if card is not None:
        both.clip_of(card)
    if use is not None:
        both.film(use)
    both.vendor.finish("herd")
    both.end()


def test_the_generator_makes_no_more_at_a_time_for_both_than_for_one(both: Both) -> None:
    both.script("slow", seconds=None)
    for number in range(3):
        both.slash(f"slow d{number}")
        both.video(f"slow t{number}")
    done: list[str] = []
    for _ in range(6):
        until(lambda: len(submitted(both, "slow")) >= min(6, len(done) + PLACES), 30, "the next")
        assert len(submitted(both, "slow")) - len(done) <= PLACES
        done.append(submitted(both, "slow")[len(done)])
        both.vendor.finish(done[-1])
        until(lambda: len(both.reelay.rows("SELECT id FROM jobs WHERE state = 'done'")) == len(done), 30, "the end")
    assert {prompt[5] for prompt in submitted(both, "slow")[:4]} == {"d", "t"}
    both.end()


@pytest.mark.parametrize("how", ["token", "server"])
def test_without_telegram_discord_goes_on(both: Both, how: str) -> None:
    both.script("whale", seconds=None)
    card = both.video("whale")
    until(lambda: submitted(both, "whale"), what="the submit")
    port = both.telegram.port
    if how == "token":
        both.telegram.revoke_token()
    else:
        both.telegram.stop()
        both.later(100)
    until(both.broken, 40, "not ready")
    assert set(both.broken()) == {"telegram"}
    both.film(both.slash("a fox"))
    both.vendor.finish("whale")
    both.film(both.slash("a lynx"))
    if how == "token":
        assert both.reelay.alerts() == ["telegram token"]
        assert both.reelay.stop() == 0
        both.start(environ={"TELEGRAM_TOKEN": both.telegram.token})
    else:
        both.telegram.start(port)
        both.later(60)
        until(lambda: both.telegram.queue.polls == 1, 60, "the poll")
    both.clip_of(card, 60)
    until(lambda: both.broken() == {}, 60, "ready again")
    both.end()


@pytest.mark.parametrize("how", ["token", "server"])
def test_without_discord_telegram_goes_on(both: Both, how: str) -> None:
    if how == "token":
        both.discord.revoke_token()
        until(lambda: both.reelay.alerts() == ["discord token"], 40, "the alert")
    else:
        both.discord.stop()
    both.clip_of(both.video("a fox"))
    both.clip_of(both.card_of(both.ada.say(f"/video@{both.telegram.bot.username} a lynx", both.room), place=both.room))
    assert "telegram" not in both.broken()
    assert both.requests(status=429) == []
    both.reelay.wait_quiet()
    assert both.reelay.stop() == 0


def test_a_telegram_that_answers_slowly_keeps_discord_quick(both: Both) -> None:
    """More messages hang than one platform may hold at a time; those of Discord do not wait for them."""
    both.telegram.delay(8.0, "sendMessage")
    for number in range(30):
        both.telegram.add_person(f"p{number}", started=True).say("an owl")
    until(lambda: both.telegram.door.inflight["sendMessage"] >= 20, what="calls that hang")
    use = both.slash("a fox")
    until(lambda: "a fox" in use.text, 4, "the card on Discord")
    assert use.message is not None
    press = both.dora.press(use.message, "Cancel")
    until(lambda: "ancelled" in use.text, 6, "its edit")
    assert press.failed is None
    assert both.telegram.door.inflight["sendMessage"] >= 20, "all this while"
    both.telegram.delay(0, "sendMessage")
    both.reelay.wait_quiet()
    assert both.reelay.stop() == 0
