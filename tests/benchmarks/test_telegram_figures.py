"""The pure parts of the Telegram figures."""

from __future__ import annotations

from itertools import chain

import pytest

from tests.benchmarks.discord_edits import mean_age, permitted
from tests.benchmarks.telegram_durable import Answered, judge
from tests.benchmarks.telegram_durable import figure as durable
from tests.benchmarks.telegram_freshness import (
    KINDS,
    Watched,
    age_of,
    figures,
    pace_of,
    permitted_age,
    within,
)
from tests.benchmarks.telegram_memory import figure as memory

GROUP = (20, 60.0)


def test_the_permitted_age_is_that_of_cards_which_take_turns() -> None:
    for cards, pace, seconds in [(1, 3.0, 64.0), (2, 3.0, 640.0), (3, 60 / 17, 640.0)]:
        cycle = cards * pace
        shown = permitted(0.0, cycle, seconds)
        whole = int(seconds / cycle) * cycle  # a cycle that is cut off at the end is younger
        assert age_of(shown, 0.0, whole, seconds) == pytest.approx(permitted_age(cards, pace, seconds), rel=0.05)


def test_the_age_between_two_moments_is_what_looking_again_and_again_would_find() -> None:
    shown = [(0.0, 0.0), (5.0, 0.4), (7.0, 0.65)]
    assert age_of(shown, 0.0, 10.0, 10.0) == pytest.approx(mean_age(shown, 10.0), abs=0.02)
    assert age_of(shown, 5.5, 6.5, 10.0) == pytest.approx(2.0), "it showed 40 % of 10 s, and it was 6 s"
    assert age_of(shown, 8.0, 10.0, 10.0) == pytest.approx(2.5), "of the last edit before it began"


def test_a_card_that_shows_nothing_yet_has_no_age() -> None:
    assert within([(1.0, 0.1), (4.0, 0.4)], 2.0) == [(2.0, 0.1), (4.0, 0.4)]
    with pytest.raises(RuntimeError, match="without progress"):
        within([(4.0, 0.4)], 2.0)


def test_a_group_permits_what_its_clips_leave_of_its_minute() -> None:
    assert pace_of("alone", GROUP) == pace_of("two", GROUP) == 3.0
    assert pace_of("group", GROUP) == pytest.approx(60 / 17)


def test_freshness_is_judged_by_the_cards_of_a_chat_together_and_by_every_429() -> None:
    best = {kind: permitted_age(cards, pace_of(kind, GROUP), 100.0) for kind, cards in KINDS.items()}
    ages = {"alone": [best["alone"]] * 5, "two": [2 * best["two"]] * 5, "group": [best["group"]] * 3 + [99.0, 99.0]}
    found = figures(
        Watched(ages, dict.fromkeys(KINDS, 9.0), dict.fromkeys(KINDS, 8.0), dict.fromkeys(KINDS, 4.0), 2, GROUP), 100.0
    )
    assert [each.value for each in found] == pytest.approx([1.0, 2.0, 1.0, 2.0])
    assert [each.met for each in found] == [True, False, True, False]
    assert all(len(each.rounds) == 5 for each in found[:3])


def line(at: float, chat: int, sender: str) -> dict[str, object]:
    return {"at": at, "chat": chat, "sender": sender}


def test_a_crowd_is_judged_by_its_first_answers() -> None:
    asked = [line(10.0 + chat / 1000, chat, f"P{chat}") for chat in range(200)]
    answered = [line(11.0 + chat / 100, chat, "Reelay") for chat in range(200)]
    again = [line(90.0, chat, "Reelay") for chat in range(200)]
    found = judge([*asked, *answered, *again], "Reelay")
    assert found.rate == pytest.approx(200 / 2.99)
    assert found.p99 == pytest.approx(11.0 + 1.98 - 10.198)
    with pytest.raises(RuntimeError, match="1 of 200 people"):
        judge(list(chain(asked, answered[:-1])), "Reelay")


def test_a_rate_is_told_with_what_it_is_a_part_of_and_has_no_goal() -> None:
    found = durable("order", [Answered(100.0, 2.0)] * 5, [Answered(400.0, 0.2)] * 5)
    assert (found.value, found.met, len(found.rounds)) == (0.25, None, 5)
    assert (found.sides["ours /s"], found.sides["raw, p99 s"]) == (100.0, 0.2)


def test_memory_is_a_share_of_the_payload_beside_the_library_s() -> None:
    found = memory([20e6, 16e6, 18e6], [760e6, 750e6, 740e6], 400_000_000)
    assert found.value == pytest.approx(0.045)
    assert found.met is True
    assert list(found.rounds) == pytest.approx([0.05, 0.04, 0.045])
    assert (found.sides["python-telegram-bot MB"], found.sides["payload MB"]) == (750.0, 400.0)
    assert found.sides["ours ÷ python-telegram-bot"] == pytest.approx(18 / 740)
    assert "8 deliveries of 50 MB" in found.what
