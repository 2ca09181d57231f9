"""Each generator as the only configured one: a clip from words and one from a picture, from the page, Discord and Telegram."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.lab.api import Api
from tests.lab.billing import PaidVendor, Refuse, Script, Take
from tests.lab.checker import check
from tests.lab.discord import Discord, File
from tests.lab.reelay import Reelay
from tests.lab.telegram import Telegram
from tests.lab.vendors import KINDS, Kind, hurry
from tests.lab.waiting import until
from tests.media.hostile import photo

pytestmark = pytest.mark.journey
SECONDS = 40.0


class Doors:
    """One process with one generator, and all three ways to it."""

    def __init__(self, kind: Kind, make: Callable[..., Reelay], stack: ExitStack) -> None:
        self.kind = kind
        self.vendor: PaidVendor = stack.enter_context(kind.simulator(Script(seconds=0.2)))
        self.discord, self.telegram = stack.enter_context(Discord()), stack.enter_context(Telegram())
        guild = self.discord.add_guild("Cinema")
        self.channel = self.discord.add_channel(guild, "general")
        self.dora = self.discord.add_person("dora", guild)
        self.ada = self.telegram.add_person("ada", started=True)
        environ = {
            **kind.settings(self.vendor),
            "DISCORD_TOKEN": self.discord.token,
            "DISCORD_API_URL": self.discord.api_url,
            "DISCORD_GATEWAY_URL": self.discord.gateway_url,
            "DISCORD_PUBLIC_KEY": self.discord.public_key,
            "TELEGRAM_TOKEN": self.telegram.token,
            "TELEGRAM_API_URL": self.telegram.api_url,
            "LAB_UNPACED": "1",
        }
        self.reelay = make(environ=environ)
        hurry(self.reelay.data, kind.generator)
        self.reelay.start()
        until(lambda: self.discord.gateway.connected == 1 and self.discord.commands.of(None), 30, "the gateway")
        until(lambda: self.telegram.queue.polls == 1, 30, "the poll")
        self.api = Api(self.reelay.url)

    def job(self, prompt: str, *states: str) -> dict[str, Any]:
        """The row of the job with this prompt, once it is in one of ``states``."""
        sql = "SELECT * FROM jobs WHERE json_extract(wanted, '$.prompt') = ?"

        def look() -> dict[str, Any] | None:
            rows = [dict(row) for row in self.reelay.rows(sql, prompt)]
            return next((row for row in rows if row["state"] in states), None)

        found = until(look, SECONDS, f"{prompt} to be {' or '.join(states)}: {self.reelay.text[-1500:]}")
        assert found is not None
        return found


@pytest.fixture(scope="module", params=KINDS)
def doors(request: pytest.FixtureRequest, make: Callable[..., Reelay]) -> Iterator[Doors]:
    with ExitStack() as stack:
        found = Doors(KINDS[request.param], make, stack)
        stack.callback(found.reelay.end)
        yield found
        found.reelay.wait_quiet()
        wrong = check(found.reelay.data, None, found.reelay.text, refusals=True)
        assert wrong == []
        found.reelay.stop()
        assert "Traceback" not in found.reelay.text


def test_words_and_a_picture_from_the_page_discord_and_telegram(doors: Doors) -> None:
    kind, picture = doors.kind, photo((320, 180))
    prompts = []
    if kind.text:
        doors.api.ordered("page words")
        doors.dora.slash("video", doors.channel, prompt="discord words")
        doors.ada.say("telegram words")
        prompts += ["page words", "discord words", "telegram words"]
    assert doors.api.generate_with_image(picture, prompt="page picture").status == 202
    doors.dora.slash("video", doors.channel, prompt="discord picture", image=File("shore.jpg", picture))
    doors.ada.photo(picture, "telegram picture")
    prompts += ["page picture", "discord picture", "telegram picture"]
    for prompt in prompts:
        row = doors.job(prompt, "done", "failed")
        assert (row["state"], row["provider"]) == ("done", kind.generator), row["failure"]
        (billed,) = doors.vendor.of(prompt)
        assert (billed.picture is not None) == ("picture" in prompt)
    until(lambda: len([each for each in doors.ada.received() if each.clip]) >= len(prompts) // 3, SECONDS, "the clips")
    doors.reelay.wait_quiet()
    assert set(doors.vendor.paid.values()) == {1}


def test_a_lost_answer_is_looked_up_or_asked_about_and_never_paid_twice(doors: Doors) -> None:
    doors.vendor.on("lost", Script(submits=[Take("cut")]))
    assert doors.api.generate_with_image(photo((320, 180)), prompt="lost", provider=doors.kind.generator).status == 202
    row = doors.job("lost", "done", "unclear")
    if row["state"] == "unclear":
        doors.api.cancel(row["id"])
        row = doors.job("lost", "cancelled", "done")
    assert len(doors.vendor.of("lost")) == (1 if not _draws_again(doors) else len(doors.vendor.of("lost")))
    assert row["charged"] in (None, 0) or row["state"] == "done"


def _draws_again(doors: Doors) -> bool:
    """Only what costs nobody anything may be asked twice."""
    return not doors.reelay.value("SELECT MAX(price) FROM jobs")


@pytest.mark.parametrize(
    "word, script, code",
    [
        ("refused", Script(submits=[Refuse(422)]), {"INVALID_REQUEST", "CONTENT_POLICY_VIOLATION"}),
        ("broken", Script(fails="internal"), {"PROVIDER_UNAVAILABLE", "TIMEOUT", "INVALID_REQUEST"}),
        ("improper", Script(fails="content"), {"CONTENT_POLICY_VIOLATION"}),
        ("forgotten", Script(forgets=True), {"PROVIDER_UNAVAILABLE"}),
    ],
    ids=["refused", "broken", "improper", "forgotten"],
)
def test_what_fails_has_its_class_and_costs_nothing(doors: Doors, word: str, script: Script, code: set[str]) -> None:
    if word == "improper" and not doors.kind.judges:
        pytest.skip("it judges nobody's wishes")
    if word == "forgotten" and doors.kind.answers_late:
        pytest.skip("it has nothing to forget")
    doors.vendor.on(word, script)
    assert doors.api.generate_with_image(photo((320, 180)), prompt=word, provider=doors.kind.generator).status == 202
    row = doors.job(word, "failed", "done")
    assert row["state"] == "failed", doors.reelay.trail(row["id"])
    status = doors.api.status(row["id"])
    assert status["error_code"] in code
    assert not row["charged"]
    assert len(doors.vendor.of(word)) <= 1 or doors.kind.answers_late


def test_doctor_finds_the_generator_sound(doors: Doors) -> None:
    bills = doors.vendor.paid.total()
    found = doors.reelay.value("SELECT COUNT(*) FROM alerts WHERE cause LIKE 'key of %'")
    assert found == 0
    assert doors.vendor.paid.total() == bills
