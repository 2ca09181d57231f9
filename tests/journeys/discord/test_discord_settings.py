"""What depends on how Reelay was set up: a day's credits, more than one generator, a public address."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.journeys.discord.house import House
from tests.lab.discord import May
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """A person has 100 credits a day, and links lead to the public page."""
    return {"REELAY_DAILY_CREDITS": "100", "REELAY_PUBLIC_URL": "https://films.example.org"}


@pytest.fixture(scope="module")
def generators() -> list[dict[str, Any]]:
    """One that makes what ``lab`` makes, and one that can speak."""
    return [
        {"name": "second", "price": 40, "poll_seconds": [0.05, 0.2]},
        {"name": "voice", "price": 40, "speech": True},
    ]


def test_quota_tells_what_was_spent(home: House) -> None:
    home.clip_of(home.video("a fox"))
    home.reelay.wait_quiet()
    text = home.answered(home.ada.slash("quota", home.room)).text
    assert "60 credits" in text.replace("\\", "")
    second = home.clip_of(home.video("a second fox"))
    assert second.clip is not None
    home.reelay.wait_quiet()
    third = home.ada.slash("video", home.room, prompt="a third fox")
    until(lambda: third.text)
    assert third.message is not None
    assert third.message.ephemeral
    assert "20" in third.text
    assert home.jobs() == 2
    home.end()


def test_a_manager_sees_the_quota_of_the_server_and_of_nobody_else(home: House) -> None:
    bob = home.discord.add_person("bob", home.guild)
    home.discord.grant(bob, home.guild, home.discord.add_role(home.guild, "managers", May.MANAGE_GUILD))
    home.clip_of(home.video("a fox"))
    use = home.answered(bob.slash("admin quota", home.room, who=home.ada))
    assert use.text == "You may not do that here."
    home.end()


def test_another_generator_for_a_private_clip_makes_a_private_clip(home: House) -> None:
    home.script("secret", fails="unavailable")
    bob = home.discord.add_person("bob", home.guild)
    use = home.video("a secret garden", private=True, model="lab")
    until(lambda: home.job_of(use)["state"] == "failed", 60, "the end")
    until(lambda: use.message and "Another generator" in use.message.labels, 30, "the button")
    assert use.message is not None
    offers = home.answered(home.ada.press(use.message, "Another generator"))
    assert offers.message is not None
    home.script("secret", seconds=0.1)
    again = home.answered(home.ada.press(offers.message, offers.message.labels[0]))
    home.clip_of(again)
    assert again.message is not None
    assert again.message.ephemeral
    assert home.bots(person=bob) == []
    home.end()


def test_a_clip_that_fits_nowhere_is_behind_a_button_that_is_a_link(home: House) -> None:
    home.discord.refuse_uploads_above(100)
    use = home.video("a fox")
    seen = home.shows(use, "more than this chat takes", 90)
    (link,) = [each.url for each in seen.buttons if each.url]
    assert link.startswith("https://films.example.org/")
    assert "\\" not in link
    home.end()


def test_a_line_reaches_a_generator_that_can_speak(home: House) -> None:
    use = home.ada.slash("talk", home.room, line="Hello <S>there</S>", prompt="an old sailor")
    until(lambda: use.acknowledged)
    seen = home.clip_of(use)
    job = home.job_of(use)
    applied = json.loads(job["applied"])
    assert (applied["provider"], applied["line"], applied["prompt"]) == ("voice", "Hello <S>there</S>", "an old sailor")
    told = home.ada.press(seen, "Details")
    until(lambda: told.text)
    assert "Says: Hello" in told.text.replace("\\", "")
    refused = home.ada.slash("talk", home.room, line="Hello", model="lab")
    until(lambda: refused.text)
    assert "line" in refused.text
    home.end()
