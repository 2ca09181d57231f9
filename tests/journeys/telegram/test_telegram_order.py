"""One person's wishes are done in the order in which they were written, and nobody waits for somebody else's."""

from __future__ import annotations

import pytest

from tests.journeys.telegram.house import House
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


def prompts(home: House) -> list[str]:
    """Of this test's jobs, in the order in which they were made."""
    rows = home.reelay.rows("SELECT wanted ->> 'prompt' AS prompt FROM jobs ORDER BY rowid DESC LIMIT ?", home.jobs())
    return [row["prompt"] for row in reversed(rows)]


def test_ten_orders_of_one_batch_become_ten_jobs_in_their_order(home: House) -> None:
    home.stop()
    said = [home.ada.say(f"whale number {n}") for n in range(10)]
    home.restart()
    for each in said:
        home.clip_of(home.card_of(each), 60)
    assert prompts(home) == [f"whale number {n}" for n in range(10)]
    assert (home.jobs(), home.paid(), len(home.ada.received())) == (10, [1] * 10, 10)
    home.end()


@pytest.mark.parametrize("down", [True, False], ids=["in one batch", "while it runs"])
def test_a_cancel_right_after_an_order_cancels_that_order(home: House, down: bool) -> None:
    home.script("shark", seconds=None)
    home.script("whale", seconds=None)
    if down:
        home.stop()
    theirs = home.bob.say("a shark")
    order, cancel = home.ada.say("a whale"), home.ada.say("/cancel")
    if down:
        home.restart()
    home.shows(home.card_of(order), "Cancelled", 40)
    assert home.card_of(cancel).text.startswith(("Cancelled", "I am stopping it"))
    until(lambda: home.submitted("shark"), what="the other's job, which goes on")
    home.vendor.finish("shark")
    home.clip_of(home.card_of(theirs, home.bob))
    assert home.jobs() == 2
    home.end()


def test_nobody_waits_for_somebody_elses_answer(home: House) -> None:
    """Ada's first answer does not come back; what she asks next waits for it, and Bob's order does not."""
    home.telegram.on("sendMessage").times(1).slow(6)
    first = home.ada.say("/help")
    home.card_of(first)
    second = home.ada.say("/help")
    card = home.clip_of(home.card_of(home.bob.say("a whale"), home.bob, seconds=5))
    assert card.clip is not None
    assert [each for each in home.ada.received() if each.reply_to == second.id] == []
    home.card_of(second)
    home.end()
