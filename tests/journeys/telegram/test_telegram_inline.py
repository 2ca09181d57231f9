"""``@bot words``: a person's own finished clips, posted anywhere without an upload."""

from __future__ import annotations

import pytest

from tests.journeys.telegram.house import House
from tests.lab.telegram import Asked, Person
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def paced() -> bool:
    """Many messages in few seconds."""
    return False


def asked(who: Person, words: str = "") -> Asked:
    found = who.inline(words)
    until(lambda: found.results is not None, what="the answer")
    return found


def test_ones_own_clips_are_offered_and_posted(home: House) -> None:
    home.clip_of(home.video("a <red> fox, see @someone"))
    home.clip_of(home.video("a grey wolf"))
    home.reelay.wait_quiet()  # Telegram has told by which name it keeps the clip
    found = asked(home.ada)
    assert found.results is not None
    assert [each["title"] for each in found.results] == ["a grey wolf", "a <red> fox, see @someone"]
    assert [each["title"] for each in asked(home.ada, "FOX red").results or ()] == ["a <red> fox, see @someone"]
    home.ada.enter(home.room)
    seen = asked(home.ada, "fox").send(0)
    assert seen.clip is not None
    assert "AI-generated" in seen.text
    assert "<red> fox" in seen.text
    assert seen.marked("mention") == []
    assert asked(home.bob).results == []
    home.ada.enter(None)
    home.end()


def test_who_has_no_clip_is_led_to_the_private_chat(home: House) -> None:
    found = asked(home.bob)
    assert found.results == []
    button = found.query.answer["button"]  # type: ignore[index]
    assert button["start_parameter"] == "demo"
    home.end()


def test_a_clip_that_was_erased_is_not_offered(home: House) -> None:
    card = home.clip_of(home.video("a fox"))
    home.reelay.wait_quiet()
    assert len(asked(home.ada).results or ()) == 1
    press = home.ada.press(card, "Delete")
    until(lambda: press.answered, what="the button's answer")
    sure = until(lambda: next((e for e in home.ada.received() if "for good" in e.text), None), what="the question")
    press = home.ada.press(sure, "Delete")  # type: ignore[arg-type]
    until(lambda: press.answered, what="the button's answer")
    until(lambda: home.ada.look(card) is None, what="the message is gone")
    assert asked(home.ada).results == []
    home.end()


def test_who_is_not_invited_sees_nothing(house: House) -> None:
    house.start(environ={"REELAY_ALLOWED": f"telegram:user:{house.bob.id}"})
    found = asked(house.ada)
    assert found.results == []
    assert "button" not in (found.query.answer or {})
    assert (asked(house.bob).query.answer or {})["button"]
    house.end()
