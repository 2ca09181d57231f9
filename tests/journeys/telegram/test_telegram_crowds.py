"""Many at once: in one group, whose minute has twenty places, and in many private chats."""

from __future__ import annotations

import re
import time

import pytest

from bot.engine.lanes import AT_ONCE_PER_PLATFORM
from tests.journeys.telegram.house import House
from tests.lab.telegram import Seen
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


def cards(seen: list[Seen]) -> list[Seen]:
    """What stands there besides clips and the words that one is ready."""
    return [each for each in seen if each.clip is None and "it is ready" not in each.text]


def done(home: House) -> int:
    """Films that are there, wherever they have been posted."""
    return int(home.reelay.value("SELECT COUNT(*) FROM jobs WHERE state = 'done'"))


def test_a_group_that_asks_for_more_than_its_minute_takes_gets_every_clip_once_and_no_429(home: House) -> None:
    said = [home.ada.say(f"/video@{home.telegram.bot.username} fox {n}", home.room) for n in range(14)]

    def all_there() -> bool:
        home.later(2)
        return len(home.clips_in(home.room)) == len(said)

    until(all_there, 120, "every clip")
    home.reelay.wait_quiet()
    assert home.jobs() == len(said)
    assert cards(home.ada.received(home.room)) == []
    assert {each.reply_to for each in home.clips_in(home.room)} == {each.id for each in said}
    assert home.requests(status=429) == []
    home.end()


def test_a_busy_group_keeps_nobody_else_waiting(home: House) -> None:
    """Its minute takes twenty, and more wait than there are lanes; whoever writes in private gets card and clip at once."""
    before = done(home)
    crowd = [home.ada, home.bob]
    said = [crowd[n % 2].say(f"/video@{home.telegram.bot.username} fox {n}", home.room) for n in range(60)]
    until(lambda: done(home) - before == len(said), 60, "every film")
    stranger = home.telegram.add_person("stranger", started=True)
    began = time.monotonic()
    asked = stranger.say("a whale")
    card = home.card_of(asked, stranger, seconds=5)
    until(lambda: home.clips_in(None, stranger), 8, "the clip in private")
    assert [each.id for each in stranger.received()] == [card.id]
    assert len(home.clips_in(home.room)) < len(said) - AT_ONCE_PER_PLATFORM, "the group still waits"
    assert time.monotonic() - began < 8

    def all_there() -> bool:
        home.later(2)
        return len(home.clips_in(home.room)) == len(said)

    until(all_there, 120, "every clip")
    home.reelay.wait_quiet()
    assert {each.reply_to for each in home.clips_in(home.room)} == {each.id for each in said}
    assert home.reelay.value("SELECT MAX(tries) FROM deliveries WHERE kind = 'clip'") == 1
    assert "a delivery did not go through" not in home.reelay.text
    assert home.requests(status=429) == []
    home.end()


def test_many_people_at_once_each_get_theirs(home: House) -> None:
    people = [home.telegram.add_person(f"person{n}", started=True) for n in range(25)]
    for person in people:
        person.say("a fox")

    def all_there() -> bool:
        home.later(1)
        return all(home.clips_in(None, person) for person in people)

    until(all_there, 120, "every clip")
    home.reelay.wait_quiet()
    assert home.jobs() == len(people)
    assert all(cards(person.received()) == [] for person in people)
    assert [len([each for each in person.received() if each.clip]) for person in people] == [1] * len(people)
    assert home.requests(status=429) == []
    home.end()


def test_the_figures_tell_that_updates_come_and_how_calls_went(home: House) -> None:
    home.telegram.on("sendMessage").times(1).refuse(403, "Forbidden: bot was blocked by the user")
    home.ada.say("/help")
    home.clip_of(home.video("a fox"))
    text = home.reelay.http("/metrics")[1].decode()
    assert 'reelay_platform_connections{platform="telegram"} 1.0' in text
    assert re.search(r'reelay_platform_calls_total\{outcome="ok",platform="telegram"\} [1-9]', text)
    assert re.search(r'reelay_platform_calls_total\{outcome="refused",platform="telegram"\} [1-9]', text)
    home.end()
