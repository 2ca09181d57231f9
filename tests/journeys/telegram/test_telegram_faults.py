"""What Telegram refuses, loses and slows down while a clip is made: its message stays true, and no other chat hears of it."""

from __future__ import annotations

import pytest

from tests.journeys.telegram.house import House
from tests.lab.telegram import Person, Seen
from tests.lab.waiting import until

pytestmark = pytest.mark.journey

LONG = 7728.0
"""Seconds that Telegram once asked somebody to wait."""
UNREADABLE = "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\""


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """What waits for room in a chat waits less long."""
    return {"LAB_HASTE": "4"}


def card_of(home: House, person: Person, prompt: str) -> Seen:
    """A running clip of somebody in private, whose card tells that it is drawn."""
    home.script(prompt, seconds=None)
    card = home.video(prompt, None, person)
    until(lambda: home.submitted(prompt), what="the submit")
    return card


def failures(home: House) -> int:
    """Of the newest card."""
    return int(home.reelay.value("SELECT failures FROM cards ORDER BY id DESC LIMIT 1"))


def test_a_message_that_shows_it_already_is_a_success(home: House) -> None:
    """The answer to the last edit is lost; the second one changes nothing, and Telegram says so."""
    card = home.running(fails="content")
    home.telegram.lose_answers("editMessageText")
    home.vendor.finish("whale")
    until(lambda: home.requests("editMessageText", 400), 30, "the second edit")
    home.reelay.wait_quiet()
    (refused,) = home.requests("editMessageText", 400)
    assert "message is not modified" in refused["description"]
    assert "declined this prompt" in home.now(card).text
    assert len(home.ada.received()) == 1
    home.end()


def test_a_message_that_may_not_be_edited_once_still_ends_in_the_clip(home: House) -> None:
    home.running()
    home.telegram.refuse("editMessageText", "Bad Request: message can't be edited")
    home.later(6)
    until(lambda: home.requests("editMessageText", 400), what="the refusal")
    home.vendor.finish("whale")
    until(home.clips_in, 40, "the clip")
    home.reelay.wait_quiet()
    assert len(home.clips_in()) == 1
    home.end()


@pytest.mark.parametrize("fault", ["502", "cut before", "cut after", "garbled"])
def test_an_edit_that_fails_is_made_again_later(home: House, fault: str) -> None:
    card = home.running()
    rule = home.telegram.on("editMessageText")
    match fault:
        case "502":
            rule.status(502)
        case "cut before":
            rule.cut_before()
        case "cut after":
            rule.cut_after()
        case _:
            rule.garble()
    home.later(6)
    until(lambda: home.telegram.door.faults.used["editMessageText"], what="the fault")
    home.vendor.finish("whale")
    assert home.clip_of(card).id == card.id
    assert len(home.ada.received()) == 1
    home.end()


@pytest.mark.parametrize("method", ["sendMessage", "editMessageText"])
def test_words_that_telegram_cannot_read_come_as_plain_text_once(home: House, method: str) -> None:
    home.script("<whale>", seconds=None, fails="content")
    home.telegram.refuse(method, UNREADABLE)
    card = home.video("a <whale> & a fox")
    assert card.text.startswith("a <whale> & a fox\n")
    assert card.labels == ["✖ Cancel"]
    assert bool(card.marks) is (method != "sendMessage")
    until(lambda: home.submitted("whale"), what="the submit")
    if method != "sendMessage":
        home.later(6)
        until(lambda: home.requests(method, 200), what="an edit")
        assert home.now(card).text.startswith("a <whale> & a fox\n")
        assert home.now(card).marks == ()
    home.vendor.finish("whale")
    seen = home.shows(card, "declined this prompt")
    assert seen.marked("bold") == ["a <whale> & a fox"], "one refusal is not remembered against the next edit"
    assert len(home.ada.received()) == 1
    assert len(home.requests(method, 400)) == 1
    home.end()


def test_a_chat_that_must_wait_keeps_no_other_waiting_and_buttons_are_answered(home: House) -> None:
    mine, hers = card_of(home, home.ada, "whale"), card_of(home, home.bob, "lynx")
    home.later(6)
    home.shows(mine, "Rendering")
    home.telegram.limits.hold(home.ada.direct().chat, 40)
    edits = len(mine.message.edits)
    home.later(6)
    until(lambda: home.requests("editMessageText", 429), what="the refusal")
    home.vendor.finish("lynx")
    home.clip_of(hers)
    press = home.ada.press(home.now(mine), "Cancel")
    until(lambda: press.answered, 3, "the answer to the button")
    assert len(mine.message.edits) == edits
    asked = len(home.requests("editMessageText", 429))
    home.later(10)
    home.clip_of(home.video("a fox", None, home.bob))
    assert len(home.requests("editMessageText", 429)) == asked, "who is told to wait waits"
    home.later(40)
    home.shows(mine, "ancelled")
    home.end()


@pytest.mark.parametrize("seconds", [30.0, LONG])
def test_a_clip_waits_as_long_as_its_chat_must(home: House, seconds: float) -> None:
    card = card_of(home, home.ada, "whale")
    home.later(6)
    home.shows(card, "Rendering")
    home.telegram.limits.hold(home.ada.direct().chat, seconds)
    home.vendor.finish("whale")
    until(lambda: home.requests("editMessageMedia", 429) or home.requests("editMessageText", 429), what="the refusal")
    home.clip_of(home.video("a fox", None, home.bob))
    assert home.now(card).clip is None
    home.later(seconds + 1)
    home.clip_of(card, 40)
    refused = [line for line in home.requests(status=429) if line["operation"] == "editMessageMedia"]
    assert len(refused) <= 2
    assert len(home.ada.received()) == 1
    home.end()


def test_a_first_word_that_must_wait_is_said_later_and_once(home: House) -> None:
    home.telegram.on("sendMessage").times(2).rate_limit(1)
    card = home.video("a whale")
    home.clip_of(card, 40)
    assert len(home.ada.received()) == 1
    home.end()


@pytest.mark.parametrize("fault", ["cut after", "502 after", "garbled"])
def test_a_card_that_may_have_come_is_not_posted_twice_and_the_clip_comes(home: House, fault: str) -> None:
    rule = home.telegram.on("sendMessage")
    match fault:
        case "cut after":
            rule.cut_after()
        case "502 after":
            rule.error_after(502)
        case _:
            rule.garble()
    home.ada.say("a whale")
    until(home.clips_in, 40, "the clip")
    home.reelay.wait_quiet()
    assert len(home.clips_in()) == 1
    assert len(home.ada.received()) <= 2
    home.end()


def test_steady_work_provokes_no_limit(home: House) -> None:
    refused = len(home.telegram.rate_limited())
    home.script("slow", seconds=60.0)
    group = home.telegram.add_group("Friends", home.bob, home.ada)
    places = [(home.ada, None), (home.bob, None), (home.ada, home.room), (home.bob, home.room), (home.ada, group)]
    places += [(home.bob, home.room), (home.ada, home.room)]
    cards = [home.video(f"slow {number}", place, who) for number, (who, place) in enumerate(places)]
    until(lambda: len(home.submitted("slow")) == len(places), what="the submits")
    for _ in range(4):
        home.later(5.1)
        home.video("a fox", None, home.telegram.add_person("eve", started=True))
    home.vendor.finish("slow")
    for card in cards:
        home.clip_of(card, 60)
    home.reelay.wait_quiet()
    assert len(home.telegram.rate_limited()) == refused
    assert sum(len(card.message.edits) for card in cards) > len(cards), "the cards moved meanwhile"
    home.end()
