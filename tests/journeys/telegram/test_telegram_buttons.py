"""Buttons under a card, the questions that they ask, and what other people may do with them."""

from __future__ import annotations

import pytest

from tests.journeys.telegram.house import House
from tests.lab.telegram import Seen
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def paced() -> bool:
    """Many messages in few seconds."""
    return False


def pressed(home: House, card: Seen, label: str) -> str:
    """Press, and return what pops up."""
    press = home.ada.press(card, label)
    until(lambda: press.answered, what="the answer")
    assert press.seconds is not None
    assert press.seconds < 5
    return press.text


def newest(home: House, than: int) -> Seen:
    """Wait for the next message of the bot in private."""
    until(lambda: len(home.ada.received()) > than, 30, "a message")
    return home.ada.received()[-1]


def test_cancel_stops_it_and_nothing_is_charged(home: House) -> None:
    card = home.running()
    assert pressed(home, card, "Cancel")
    seen = home.shows(card, "Cancelled")
    assert "not charged" in seen.text
    home.end()


def test_again_makes_another_one_as_a_message_of_its_own(home: House) -> None:
    card = home.clip_of(home.video("a fox"))
    pressed(home, card, "Again")
    again = home.clip_of(newest(home, 1))
    assert home.jobs() == 2
    assert again.id != card.id
    assert len(home.submitted("a fox")) == 2
    home.end()


def test_a_press_that_telegram_tells_twice_is_one_wish(home: House) -> None:
    card = home.clip_of(home.video("a fox"))
    pressed(home, card, "Again")
    home.clip_of(newest(home, 1))
    update = next(each.id for each in reversed(home.telegram.queue.told) if each.kind == "callback_query")
    home.telegram.queue.again(update)
    home.clip_of(home.video("a bear"))
    home.reelay.wait_quiet()
    assert home.jobs() == 3
    home.end()


def test_a_trembling_finger_pays_once(home: House) -> None:
    card = home.clip_of(home.video("a fox"))
    presses = [home.ada.press(card, "Again") for _ in range(3)]
    until(lambda: all(press.answered for press in presses), what="the answers")
    home.clip_of(newest(home, 1))
    home.reelay.wait_quiet()
    assert home.jobs() == 2
    home.later(3)
    pressed(home, card, "Again")
    until(lambda: len(home.clips_in()) == 3, 30, "the third clip")
    home.end()


def test_an_example_is_ordered_once_however_often_it_is_pressed(home: House) -> None:
    shown = home.card_of(home.ada.say("/examples"))
    presses = [home.ada.press(shown, shown.labels[0]) for _ in range(3)]
    until(lambda: all(press.answered for press in presses), what="the answers")
    until(home.clips_in, 30, "the clip")
    home.reelay.wait_quiet()
    assert home.jobs() == 1
    home.end()


def test_a_press_from_long_ago_is_not_carried_out_after_a_restart(house: House) -> None:
    house.start()
    card = house.clip_of(house.video("a fox"))
    house.kill_at("received")
    house.ada.press(card, "Again")
    house.reelay.wait_killed()
    house.later(9 * 3600)
    house.telegram.answers.queries.clear()  # nobody waits for that answer any more
    house.restart()
    house.reelay.wait_quiet()
    house.clip_of(house.video("a bear"))
    assert house.jobs() == 2
    house.end()


@pytest.mark.parametrize("words", ["/video a fox --bogus", "/video a fox --seed 99999999999", "/quota"])
def test_an_answer_that_telegram_does_not_take_is_said_again(home: House, words: str) -> None:
    home.telegram.on("sendMessage").times(1).status(502)
    home.card_of(home.ada.say(words))
    home.end()


def test_a_refusal_that_a_crash_kept_from_its_person_is_told_after_the_restart(house: House) -> None:
    house.start()
    house.kill_at("refused")
    said = house.ada.say("/video a fox --seed 99999999999")
    house.reelay.wait_killed()
    assert house.ada.received() == []
    house.restart()
    assert "seed" in house.card_of(said).text
    assert house.jobs() == 0
    house.end()


def test_a_draft_is_ordered_once(home: House) -> None:
    draft = home.card_of(home.ada.say("/video a fox --ask"))
    presses = [home.ada.press(draft, "Make it") for _ in range(2)]
    until(lambda: all(press.answered for press in presses), what="the answers")
    until(home.clips_in, 30, "the clip")
    home.reelay.wait_quiet()
    assert home.jobs() == 1
    assert home.now(draft).labels == []
    home.end()


def test_remix_asks_for_words_by_a_forced_reply(home: House) -> None:
    card = home.clip_of(home.video("a fox --9:16"))
    pressed(home, card, "Remix")
    question = newest(home, 1)
    assert question.asks
    assert question.marked("code") == ["a fox"]
    said = home.ada.reply(question, "a red fox --4s")
    seen = home.clip_of(home.card_of(said))
    assert "4 s · 9:16" in seen.text
    assert len(home.submitted("a red fox")) == 1
    home.end()


def test_remix_in_a_group_where_privacy_mode_hides_everything_but_replies(home: House) -> None:
    card = home.clip_of(home.video("a fox", home.room))
    press = home.ada.press(card, "Remix")
    until(lambda: press.answered, what="the answer")
    until(lambda: len(home.ada.received(home.room)) == 2, 30, "the question")
    question = home.ada.received(home.room)[-1]
    assert question.message.entities[0]["url"] == f"tg://user?id={home.ada.id}"
    said = home.ada.reply(question, "a red fox")
    home.clip_of(home.card_of(said, place=home.room))
    home.end()


def test_extend_asks_how_it_goes_on(home: House) -> None:
    card = home.clip_of(home.video("a fox"))
    pressed(home, card, "Extend")
    said = home.ada.reply(newest(home, 1), "it runs away")
    home.clip_of(home.card_of(said))
    (job,) = home.submitted("it runs away")
    assert job.picture is not None
    home.end()


def test_the_prompt_is_a_button_that_copies_it(home: House) -> None:
    card = home.clip_of(home.video("a fox"))
    assert card.button("Copy").copies == "a fox"
    home.end()


def test_a_star_is_set_and_taken_away(home: House) -> None:
    card = home.clip_of(home.video("a fox"))
    pressed(home, card, "⭐")
    until(lambda: any(label.startswith("🌟") for label in home.now(card).labels), 30, "the star")
    home.later(4)
    pressed(home, home.now(card), "🌟")
    until(lambda: any(label.startswith("⭐") for label in home.now(card).labels), 30, "no star")
    assert home.now(card).clip is not None
    home.end()


def test_delete_asks_first_and_takes_the_message_away(home: House) -> None:
    card = home.clip_of(home.video("a fox"))
    pressed(home, card, "🗑")
    question = newest(home, 1)
    pressed(home, question, "Delete")
    until(lambda: home.ada.look(card) is None, 30, "the end of the message")
    assert home.clips() == 0
    home.end()


def test_details_tell_the_whole_prompt(home: House) -> None:
    card = home.clip_of(home.video("a fox " + "in the snow " * 20))
    pressed(home, card, "Details")
    assert "in the snow " * 19 in newest(home, 1).text
    home.end()


def test_other_settings_show_prices_and_make_it_so(home: House) -> None:
    card = home.clip_of(home.video("a fox"))
    pressed(home, card, "Other settings")
    draft = newest(home, 1)
    pressed(home, draft, "9:16")
    home.later(2)
    until(lambda: "9:16" in home.now(draft).text, 30, "the choice")
    pressed(home, home.now(draft), "Make it")
    until(lambda: any("9:16" in each.text and each.clip for each in home.ada.received()), 30, "the clip")
    assert home.jobs() == 2
    home.end()


def test_the_price_can_be_seen_before_anything_is_ordered(home: House) -> None:
    said = home.ada.say("/video a fox --ask")
    draft = home.card_of(said)
    assert "40 credits" in draft.text
    home.reelay.wait_quiet()
    assert home.jobs() == 0
    pressed(home, draft, "4 s")
    home.later(2)
    until(lambda: "4 s" in home.now(draft).text, 30, "the choice")
    pressed(home, home.now(draft), "Make it")
    until(home.clips_in, 30, "the clip")
    assert "4 s" in home.clips_in()[0].text
    assert home.jobs() == 1
    home.end()


def test_other_people_may_not_press(home: House) -> None:
    card = home.running("whale", home.room)
    eve = home.telegram.add_person("eve", started=True)
    home.telegram.founding.join(home.room, eve.user, home.bob.user)
    press = eve.press(card, "Cancel")
    until(lambda: press.answered, what="the answer")
    assert press.alert
    assert "Only the person" in press.text
    home.vendor.finish("whale")
    seen = home.clip_of(card)
    for label in ("Again", "🗑", "Remix", "⭐"):
        press = eve.press(seen, label)
        until(lambda press=press: press.answered, what="the answer")  # type: ignore[misc]
        assert press.alert
    assert home.jobs() == 1
    home.end()


@pytest.mark.parametrize("anonymous", [False, True])
def test_an_administrator_may_stop_and_delete_but_not_spend(home: House, anonymous: bool) -> None:
    mod = home.telegram.add_person("mod", started=True)
    home.telegram.founding.join(home.room, mod.user, home.bob.user)
    home.telegram.promote(home.room, mod, anonymous=anonymous)
    card = home.running("whale", home.room)
    press = mod.press(card, "Cancel")
    until(lambda: press.answered, what="the answer")
    seen = home.shows(card, "Cancelled")
    press = mod.press(seen, "Again")
    until(lambda: press.answered, what="the answer")
    assert press.alert
    assert home.jobs() == 1
    home.end()


def test_a_button_that_nobody_of_us_made_does_nothing(home: House) -> None:
    card = home.clip_of(home.video("a fox"))
    query = home.telegram.answers.press(home.ada.user, card.message, "v1:delete_now:0000000000:abcdefghij")
    until(lambda: query.answer is not None, what="the answer")
    assert home.clips() == 1
    home.end()


def test_buttons_work_after_a_restart(house: House) -> None:
    house.start()
    card = house.clip_of(house.video("a fox"))
    house.stop()
    press = house.ada.press(card, "Again")
    house.restart()
    until(lambda: press.answered, what="the answer")
    until(lambda: len(house.clips_in()) == 2, 30, "the second clip")
    house.end()


def test_an_answer_never_waits_for_a_chat_that_is_full(home: House) -> None:
    card = home.running("whale", home.room)
    home.telegram.limits.hold(home.room, 600)
    press = home.ada.press(card, "Cancel")
    until(lambda: press.answered, what="the answer")
    assert press.seconds is not None
    assert press.seconds < 5
    home.later(601)
    home.shows(card, "Cancelled", 60)
    home.end()
