"""What is behind a clip, also where it is longer than a message, and where it is only for whoever asked."""

from __future__ import annotations

import pytest

from tests.journeys.telegram.house import House
from tests.lab.telegram import Person, Seen
from tests.lab.waiting import until

pytestmark = pytest.mark.journey
LONG = " ".join(f"#fox{n}" for n in range(500, 980))
"""As it is written it fits into a message; as it is shown, with what keeps it from being hashtags, it does not."""


@pytest.fixture(scope="module")
def paced() -> bool:
    """It is about what is said."""
    return False


def asked(home: House, card: Seen, person: Person) -> None:
    press = person.press(card, "Details")
    until(lambda: press.answered, what="the answer")


def told(person: Person, since: list[Seen], pages: int) -> str:
    """What somebody was told in private since then, in so many messages."""
    known = {each.id for each in since}
    until(lambda: len(person.received()) >= len(known) + pages, 30, "the details")
    return "".join(each.text for each in person.received() if each.id not in known)


def whole(text: str) -> str:
    return text.replace("\u2060", "").replace("\n", "").replace(" ", "")


def test_a_long_prompt_is_told_to_its_end_in_several_messages(home: House) -> None:
    card = home.clip_of(home.video(LONG))
    before = home.ada.received()
    asked(home, card, home.ada)
    text = told(home.ada, before, 2)
    assert whole(LONG) in whole(text)
    assert str(home.job_of(home.ada.messages()[0])["id"]) in text
    assert home.ada.received()[len(before)].marked("bold") == ["Details"]
    home.end()


def test_in_a_group_they_are_told_in_private_or_asked_to_come_for_just_these(home: House) -> None:
    eve = home.telegram.add_person("eve")
    home.telegram.founding.join(home.room, eve.user, home.bob.user)
    card = home.clip_of(home.video(LONG, home.room, eve))
    asked(home, card, eve)
    until(lambda: len(eve.received(home.room)) == 2, 30, "the way to our chat")
    button = eve.received(home.room)[-1].button("Open the private chat")
    assert eve.received() == []
    assert button.url is not None
    eve.say(f"/start {button.url.partition('?start=')[2]}")
    assert whole(LONG) in whole(told(eve, [], 2))
    assert home.clips_in(person=eve) == []
    before = eve.received()
    asked(home, card, eve)
    assert whole(LONG) in whole(told(eve, before, 2))
    assert len(eve.received(home.room)) == 2
    home.end()


def test_a_private_message_that_fails_is_not_taken_for_a_chat_that_is_not_there(home: House) -> None:
    card = home.clip_of(home.video("a fox", home.room))
    seen = len(home.ada.received(home.room))
    home.telegram.on("sendMessage").times(1).refuse(400, "Bad Request: something odd")
    press = home.ada.press(card, "Details")
    until(lambda: press.answered, what="the answer")
    assert press.alert
    assert "Something broke on my side" in press.text
    home.reelay.wait_quiet()
    assert len(home.ada.received(home.room)) == seen
    home.end()
