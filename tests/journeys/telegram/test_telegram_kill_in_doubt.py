"""kill -9 between a send and its record: Telegram drops no repeated send and lists no messages, so a message shows itself by its use."""

from __future__ import annotations

import pytest

from tests.journeys.telegram.house import EDIT_SECONDS, House
from tests.lab.telegram import Chat, Seen
from tests.lab.waiting import until

pytestmark = pytest.mark.journey
SLOWLY = 1.5
"""Seconds that Telegram takes for a card whose process is killed with it: so the kill does not hit the submit, which is another matter."""


@pytest.fixture(scope="module")
def paced() -> bool:
    """Who speaks first after a start is not asked here; test_telegram_random_kills.py counts."""
    return False


def killed_with_its_card(home: House, prompt: str, place: Chat | None = None) -> Seen:
    """Say what makes a clip that goes on until it is finished, and see the process killed when its card stands there."""
    home.script(prompt, seconds=None)
    home.kill_at("posted")
    home.telegram.delay(SLOWLY, "sendMessage")
    words = prompt if place is None else f"/video@{home.telegram.bot.username} {prompt}"
    said = home.ada.say(words, place)
    until(lambda: home.submitted(prompt), what="the submit")
    home.reelay.wait_killed()
    home.telegram.delay(0.0, "sendMessage")
    return said


def lost_card(home: House, prompt: str = "whale") -> tuple[Seen, Seen]:
    """Killed between the card's send and its record: (the card that nobody knows, the one that the new process has posted)."""
    said = killed_with_its_card(home, prompt)
    lost = home.card_of(said)
    home.restart()
    until(lambda: len(home.ada.received()) == 2, 30, "another card")
    known = home.ada.received()[-1]
    assert known.reply_to == said.id
    return lost, known


def test_a_card_that_nobody_knows_goes_when_its_button_is_pressed_and_the_press_counts(home: House) -> None:
    lost, known = lost_card(home)
    press = home.ada.press(lost, "Cancel")
    until(lambda: press.answered, what="the answer")
    home.tells(known, "Cancelled")
    until(lambda: home.ada.look(lost) is None, what="its end")
    assert home.jobs() == 1
    home.end()


def test_a_card_that_nobody_knows_goes_when_somebody_answers_it(home: House) -> None:
    lost, known = lost_card(home)
    home.vendor.finish("whale")
    home.clip_of(known)
    assert "Made with" not in home.now(lost).text, "nobody knows of it before"
    home.ada.reply(lost, "/help")
    until(lambda: home.ada.look(lost) is None, what="its end")
    assert len(home.clips_in()) == 1
    home.end()


def test_a_strangers_press_only_removes_it(home: House) -> None:
    said = killed_with_its_card(home, "whale", home.room)
    lost = home.card_of(said, place=home.room)
    home.restart()
    until(lambda: len(home.ada.received(home.room)) == 2, 30, "another card")
    known = home.ada.received(home.room)[-1]
    carol = home.telegram.add_person("carol", started=True)
    home.telegram.founding.join(home.room, carol.user, home.bob.user)
    press = carol.press(lost, "Cancel")
    until(lambda: press.alert, what="the refusal")
    until(lambda: home.ada.look(lost) is None, what="its end")
    home.vendor.finish("whale")
    home.clip_of(known)
    home.end()


def test_the_only_card_is_taken_back_when_the_answer_to_its_send_was_lost(home: House) -> None:
    """Nothing is sent twice while it runs; the card that stands there becomes the job's again when it is used."""
    home.script("whale", seconds=None)
    home.telegram.lose_answers("sendMessage")
    card = home.card_of(home.ada.say("whale"))
    until(lambda: home.submitted("whale"), what="the submit")
    until(lambda: home.reelay.value("SELECT closed FROM cards ORDER BY id DESC LIMIT 1") == 1, what="the doubt")
    edits = len(card.message.history)
    home.later(10)
    assert home.now(card).text == card.text, "nobody edits what nobody knows"
    refused = home.bob.press(card, "Cancel")
    until(lambda: refused.alert, what="the refusal")
    home.later(10)
    until(lambda: len(card.message.history) > edits, what="the next edit")
    home.shows(card, "Rendering")
    home.vendor.finish("whale")
    home.clip_of(card)
    assert len(home.ada.received()) == 1
    home.end()


def without_card(home: House, point: str) -> tuple[str, list[Seen]]:
    """A clip on its way whose card somebody has deleted, killed at ``point`` and gone on: its job, and the clips that stood there then."""
    card = home.running()
    home.kill_at(point)
    home.ada.delete(card)
    home.vendor.finish("whale")
    home.reelay.wait_killed(40)
    stood = home.clips_in()
    home.restart()
    home.settle()
    return str(home.reelay.value("SELECT id FROM jobs ORDER BY id DESC LIMIT 1")), stood


@pytest.mark.parametrize("point", ["sending", "delivered"])
def test_a_clip_whose_card_was_deleted_comes_once_as_a_message_of_its_own(home: House, point: str) -> None:
    _, stood = without_card(home, point)
    assert len(stood) == (1 if point == "delivered" else 0)
    (seen,) = home.ada.received()
    assert seen.clip is not None
    assert "Made with" in seen.text
    home.end()


@pytest.mark.parametrize("point", ["card lost", "sent"])
def test_a_new_message_in_doubt_is_not_sent_again(home: House, point: str) -> None:
    """Telegram cannot be asked whether it stands there; the card says so, and that ``/resend`` sends it."""
    job, stood = without_card(home, point)
    assert len(stood) == (1 if point == "sent" else 0)
    assert home.clips_in() == stood
    (told,) = [each for each in home.ada.received() if each.clip is None]
    assert "could not see whether" in told.text
    home.end(known=f"the clip of job {job} was delivered 0 times")


def test_a_clip_in_doubt_has_arrived_when_one_of_its_buttons_is_pressed(home: House) -> None:
    job, (clip,) = without_card(home, "sent")
    (told,) = [each for each in home.ada.received() if each.clip is None]
    press = home.ada.press(clip, "Details")
    until(lambda: press.answered, what="the answer")
    until(lambda: home.ada.look(told) is None, what="the end of the doubt")
    home.settle()
    assert home.reelay.value("SELECT state FROM deliveries WHERE job_id = ?", job) == "sent"
    assert "could not see" not in home.now(clip).text
    star = home.ada.press(clip, "Favourite")
    starred = "an edit of the clip's own buttons"
    home.in_time(lambda: star.answered and "🌟" in " ".join(home.now(clip).labels), EDIT_SECONDS, what=starred)
    home.end()


@pytest.mark.parametrize("point", ["notifying", "notified"])
def test_that_a_clip_is_ready_is_said_at_most_once(home: House, point: str) -> None:
    card = home.running()
    home.later(120)
    home.kill_at(point)
    home.vendor.finish("whale")
    home.reelay.wait_killed(40)
    home.restart()
    home.clip_of(card)
    home.reelay.wait_quiet()
    assert len(home.ada.received()) == (1 if point == "notifying" else 2)
    home.end()
