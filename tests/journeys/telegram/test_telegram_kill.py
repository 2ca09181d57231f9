"""kill -9 between any two steps: Telegram tells again what was not confirmed, and nothing is lost, nothing done twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tests.journeys.telegram.house import EDIT_SECONDS, House
from tests.lab.telegram import Seen, picture
from tests.lab.waiting import until
from tests.media.hostile import photo

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def paced() -> bool:
    """Who speaks first after a start is not asked here; test_telegram_random_kills.py counts."""
    return False


@pytest.fixture(scope="module")
def generators() -> list[dict[str, Any]]:
    """One that takes several pictures."""
    return [{"name": "many", "price": 20, "reference_images": 3, "poll_seconds": [0.05, 0.2]}]


FOUND_AGAIN = (
    "received",
    "handling",
    "accepted",
    "handled",
    "prepared",
    "submitted",
    "ticket stored",
    "polled",
    "ready",
    "fetched",
    "kept",
    "done",
    "sending",
    "sent",
    "delivered",
)
"""Points at which it is known, or made known by asking, how far it came. Those around a submit in doubt: test_crashes.py."""


def texts(home: House, said: Iterable[Seen]) -> list[str]:
    """What answers these messages, as it stands now."""
    asked = {each.id for each in said}
    return [each.text for each in home.ada.received() if each.reply_to in asked]


def confirmed(home: House, update_id: str) -> bool:
    """Whether Telegram was told to forget an update."""
    return any(int(update_id) in line["ids"] for line in home.telegram.journal.of("confirmed"))


def known(home: House) -> set[tuple[str, str]]:
    """(chat, message) of every message that some row knows."""
    sql = "SELECT receipt ->> '$.place.chat' AS chat, receipt ->> '$.message' AS message FROM"
    rows = [*home.reelay.rows(f"{sql} cards"), *home.reelay.rows(f"{sql} deliveries")]
    return {(row["chat"], row["message"]) for row in rows}


def is_known(home: House, seen: Seen) -> bool:
    """Whether some row knows a message of Ada's private chat."""
    return (str(home.ada.id), str(seen.id)) in known(home)


def received(home: House) -> list[Seen]:
    """What stands in Ada's private chat at the end. The kill may have come between the send of the card and its record: such a card, of
    which nobody knows, goes when somebody presses it (test_telegram_kill_in_doubt.py), and there is one at most.
    """
    lost = [each for each in home.ada.received() if each.buttons and not is_known(home, each)]
    assert len(lost) <= 1
    for each in lost:
        assert each.clip is None
        press = home.ada.press(each, each.labels[0])
        until(lambda press=press: press.answered, what="the answer")  # type: ignore[misc] # bound by the default
        until(lambda card=each: home.ada.look(card) is None, what="its end")  # type: ignore[misc] # bound as well
    return home.ada.received()


# ------------------------------------------------------------------------------------------------------------------ one order


@pytest.mark.parametrize("point", FOUND_AGAIN)
def test_killed_anywhere_it_is_one_job_one_bill_one_card_and_one_clip(home: House, point: str) -> None:
    home.script("whale", seconds=1.0)
    home.kill_at(point)
    said = home.ada.photo(photo(), "a whale")
    home.reelay.wait_killed(40)
    home.restart()
    until(home.clips_in, 60, "the clip")
    home.reelay.wait_quiet()
    (seen,) = received(home)
    assert seen.clip is not None
    assert "Made with" in seen.text
    assert seen.reply_to == said.id
    assert (home.jobs(), home.clips(), home.paid()) == (1, 2, [1]), "one job, its clip and its picture, one bill"
    home.end()


@pytest.mark.parametrize("point", ["admitted", "submitting"])
def test_killed_before_the_call_the_card_says_that_nobody_knows_and_cancel_ends_it(home: House, point: str) -> None:
    home.kill_at(point)
    said = home.ada.say("a whale")
    home.reelay.wait_killed(40)
    home.restart()
    home.reelay.wait_state(home.job_of(said)["id"], "unclear")
    card = until(lambda: next((e for e in home.ada.received() if is_known(home, e)), None), what="the card")
    assert card is not None
    offered = {"✖ Cancel", "🔎 Check again"}
    home.in_time(lambda: offered <= set(home.now(card).labels), EDIT_SECONDS, what="the doubt")
    pressed = home.ada.press(card, "Check again")
    until(lambda: pressed.answered)
    pressed = home.ada.press(card, "Cancel")
    home.tells(card, "Cancelled")
    assert len(received(home)) == 1
    assert (home.jobs(), home.paid()) == (1, [])
    home.end()


@pytest.mark.parametrize("point", ["received", "handling", "accepted", "handled"])
def test_updates_that_were_not_confirmed_come_again_and_are_known(home: House, point: str) -> None:
    home.kill_at(point)
    said = home.ada.say("a whale")
    home.reelay.wait_killed()
    update = home.update_of(said)
    if point == "received":
        assert not confirmed(home, update), "it was killed before the next poll"
    home.restart()
    until(home.clips_in, 30, "the clip")
    until(lambda: confirmed(home, update), what="the confirmation")
    home.telegram.queue.again(int(update))
    after = home.ada.say("/help")
    until(lambda: texts(home, [after]), what="what came after it")
    home.telegram.queue.again(int(home.update_of(after)))
    last = home.ada.say("/help")
    until(lambda: texts(home, [last]), what="what came after that")
    home.reelay.wait_quiet()
    received(home)
    assert [len(texts(home, [each])) for each in (said, after, last)] == [1, 1, 1]
    assert (home.jobs(), home.paid()) == (1, [1])
    home.end()


def test_what_telegram_was_told_to_forget_is_done_all_the_same(home: House) -> None:
    """The next poll confirms what waits behind something slow; nobody but the inbox knows of it then."""
    home.telegram.on("sendMessage").times(1).stall(8)
    home.ada.say("/help")
    said = home.ada.say("a whale")
    until(lambda: confirmed(home, home.update_of(said)), what="the confirmation")
    home.reelay.kill()
    assert home.jobs() == 0
    home.restart()
    home.clip_of(home.card_of(said))
    home.reelay.wait_quiet()
    assert (home.jobs(), home.paid(), len(home.clips_in())) == (1, [1], 1)
    home.end()


def test_a_batch_of_several_people_that_was_half_done_is_done_once_for_each(home: House) -> None:
    home.olga.say("/admin provider lab off")  # none of them is between intent and call when it is killed
    until(lambda: home.reelay.value("SELECT COUNT(*) FROM pauses") > 0, what="the pause")
    home.stop()
    orders = [(who, who.say(f"a whale {n}")) for n in range(3) for who in (home.ada, home.bob)]
    asked = home.ada.say("/quota")
    refusal = home.telegram.on("sendMessage").times(float("inf"))
    refusal.rate_limit(
        1
    )  # no card is posted by the process that is killed: one whose record it misses would stand there twice
    home.reelay.start(kill={"accepted": 3})
    home.reelay.wait_killed()
    assert 0 < home.jobs() < 6
    refusal.count = 0
    home.restart()
    home.olga.say("/admin provider lab on")
    for who, said in orders:
        home.clip_of(home.card_of(said, who), 60)
    home.reelay.wait_quiet()
    assert (home.jobs(), home.paid()) == (6, [1] * 6)
    assert [len([each for each in who.received() if each.reply_to == said.id]) for who, said in orders] == [1] * 6
    assert len(texts(home, [asked])) in (1, 2), "what only shows may be shown once more"
    home.end()


# -------------------------------------------------------------------------------------------------------------------- albums


@pytest.mark.parametrize("told", [1, 3])
def test_an_album_that_was_being_collected_is_one_order_with_all_its_pictures(home: House, told: int) -> None:
    """The parts that had come are found again, and the others come after the start."""
    words, pictures = "a whale --model many", [picture(), picture(), picture()]
    if told == 1:
        home.kill_at("received")
        home.ada.album(pictures, words, order=[2, 0, 1], pause=0.3)
        home.reelay.wait_killed()
        assert pending(home) == 1
    else:
        home.ada.album(pictures, words)
        until(lambda: pending(home) == 3, 5, "the three")
        home.reelay.kill()
    assert home.jobs() == 0
    home.restart()
    until(home.clips_in, 60, "the clip")
    home.reelay.wait_quiet()
    (job,) = home.submitted("whale")
    assert len(job.references) == 3
    assert (home.jobs(), home.paid(), len(received(home))) == (1, [1], 1)
    home.end()


@pytest.mark.parametrize("point", ["accepted", "handled"])
def test_an_album_whose_order_is_made_makes_no_other(home: House, point: str) -> None:
    home.kill_at(point)
    home.ada.album([picture(), picture()], "a whale --model many")
    home.reelay.wait_killed()
    home.restart()
    until(home.clips_in, 60, "the clip")
    home.reelay.wait_quiet()
    assert (home.jobs(), home.paid(), len(received(home)), pending(home)) == (1, [1], 1, 0)
    home.end()


def pending(home: House) -> int:
    """Updates that are kept and not done."""
    return int(home.reelay.value("SELECT COUNT(*) FROM inbox WHERE state = 'pending'"))


# ------------------------------------------------------------------------------------------------------------- pressed buttons


@pytest.mark.parametrize("point", ["received", "handling", "accepted", "handled"])
def test_again_makes_exactly_one_new_job(home: House, point: str) -> None:
    """What was pressed a moment ago is answered by the new process. Only where the job was made and nothing else, its card is the answer:
    with the job's commit the press is done, and its number is kept no longer.
    """
    card = home.clip_of(home.video("a whale"))
    home.kill_at(point)
    press = home.ada.press(card, "Again")
    home.reelay.wait_killed()
    home.restart()
    until(lambda: len(home.clips_in()) == 2, 60, "the other clip")
    home.reelay.wait_quiet()
    assert press.answered is (point != "accepted")
    home.telegram.answers.queries.pop(press.query.id)
    assert (home.jobs(), home.paid(), len(received(home))) == (2, [1, 1], 2)
    home.end()


@pytest.mark.parametrize("point", ["received", "handling", "handled"])
def test_cancel_cancels(home: House, point: str) -> None:
    card = home.running()
    other = home.running("shark")
    home.kill_at(point)
    press = home.ada.press(card, "Cancel")
    home.reelay.wait_killed()
    home.restart()
    home.tells(card, "Cancelled")
    until(lambda: press.answered, what="the answer")
    home.vendor.finish("shark")
    home.clip_of(other)
    home.reelay.wait_quiet()
    assert len(home.ada.received()) == 2
    home.end()


def test_a_button_that_turned_too_long_is_carried_out_all_the_same(home: House) -> None:
    """Telegram takes no answer to it any more; what it asked for is done, and nothing is told in its place."""
    card = home.clip_of(home.video("a whale"))
    home.kill_at("received")
    press = home.ada.press(card, "Again")
    home.reelay.wait_killed()
    home.telegram.clock.advance(60)
    home.restart()
    until(lambda: len(home.clips_in()) == 2, 60, "the other clip")
    home.reelay.wait_quiet()
    refused = home.requests("answerCallbackQuery", 400)
    assert [line["description"].endswith("query ID is invalid") for line in refused] == [True]
    assert home.telegram.complaints() == [f"a pressed button was not answered: {press.query.data}"]
    del home.telegram.answers.queries[press.query.id]
    assert len(home.ada.received()) == 2
    home.end()


# --------------------------------------------------------------------------------------------------------------- operators


@pytest.mark.parametrize("point", ["received", "handling", "handled"])
def test_what_an_operator_does_is_done_at_most_once(home: House, point: str) -> None:
    """A second time would grant twice. Before it is begun nothing of it was done, so it is not lost either."""
    home.clip_of(home.video("a whale"))
    home.kill_at(point)
    home.olga.say(f"/admin grant telegram:{home.ada.id} 50")
    home.reelay.wait_killed()
    home.restart()
    after = home.olga.say("/help")
    until(lambda: [each for each in home.olga.received() if each.reply_to == after.id], what="what came after it")
    granted = [line for line in home.audited() if line["verb"] == "grant"]
    assert len(granted) == (0 if point == "handling" else 1)
    home.end()
