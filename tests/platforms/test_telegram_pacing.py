"""How fast Telegram is spoken to: tables of what may go when, and a rule that no order of calls can break."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.platforms.telegram import pacing
from bot.platforms.telegram.pacing import ALL, CHAT, GROUP, KEPT, Pacing, Window, Worth
from tests.lab import virtual_time

PERSON, GROUP_ID = 4711, -100123
COSMETIC, WORD, CLIP = Worth.COSMETIC, Worth.WORD, Worth.CLIP


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 50.0

    def now(self) -> int:
        return int(self.at * 1000)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


def asked(pace: Pacing, time: Time, chat: int, worth: Worth, seconds: float, step: float = 0.1) -> list[float]:
    """When calls went, by somebody who asks at every ``step``."""
    went = []
    for number in range(int(seconds / step)):
        time.at = 50.0 + number * step
        if pace.ask(chat, worth) == 0.0:
            went.append(round(time.at - 50.0, 3))
    return went


@pytest.mark.parametrize(
    "chat, worth, seconds, most",
    [
        (PERSON, CLIP, 0.5, 5),
        (PERSON, CLIP, 30.0, 30),
        (PERSON, WORD, 30.0, 24),
        (PERSON, COSMETIC, 30.0, 10),
        (GROUP_ID, CLIP, 60.0, 20),
        (GROUP_ID, WORD, 60.0, 17),
        (GROUP_ID, COSMETIC, 60.0, 12),
        (GROUP_ID, COSMETIC, 120.0, 24),
    ],
)
def test_each_kind_of_chat_and_worth_has_its_rate(chat: int, worth: Worth, seconds: float, most: int) -> None:
    time = Time()
    assert len(asked(Pacing(time), time, chat, worth, seconds)) == most


def test_progress_in_a_group_is_even_and_not_all_at_the_beginning_of_its_minute() -> None:
    time = Time()
    went = asked(Pacing(time), time, GROUP_ID, COSMETIC, 60.0)
    assert {round(b - a, 1) for a, b in pairwise(went)} == {5.0}


@pytest.mark.parametrize("chat", [PERSON, GROUP_ID])
def test_however_much_is_said_the_clip_finds_a_place_at_once(chat: int) -> None:
    time = Time()
    pace = Pacing(time)
    for step in range(1200):
        time.at = 50.0 + step * 0.1
        pace.ask(chat, COSMETIC)
        pace.ask(chat, WORD)
    assert 0.0 < pace.ask(chat, WORD) < math.inf
    assert pace.ask(chat, CLIP) == 0.0


def test_what_is_cosmetic_is_left_out_and_what_is_not_is_told_how_long() -> None:
    time = Time()
    pace = Pacing(time)
    assert [pace.ask(PERSON, WORD) for _ in range(5)] == [0.0, 0.0, 0.0, 0.0, 5.0]
    assert pace.ask(PERSON, COSMETIC) == math.inf
    assert pace.ask(PERSON, CLIP) == 0.0
    assert pace.ask(PERSON, CLIP) == 5.0
    time.at += 5.0
    assert pace.ask(PERSON, COSMETIC) == 0.0
    assert pace.ask(PERSON, COSMETIC) == math.inf, "a second job's bar in the same chat"


@pytest.mark.parametrize("chat, pause", [(PERSON, 3.0), (GROUP_ID, 5.0)])
@pytest.mark.parametrize("cards", [2, 3, 4])
def test_the_cards_of_a_chat_take_turns(chat: int, pause: float, cards: int) -> None:
    """Each asks again when it was told to, a little late, the first ones also long before that."""
    time = Time()
    pace = Pacing(time)
    again = {who: 50.0 + who / 10 for who in range(cards)}
    went: dict[int, list[float]] = {who: [] for who in again}
    for number in range(12_000):
        time.at = 50.0 + number / 100
        for who, at in again.items():
            if time.at >= at:
                wait = pace.ask(chat, COSMETIC, who)
                assert wait < math.inf
                if wait == 0.0:
                    went[who].append(time.at)
                again[who] = time.at + (3.02 + who / 100 if wait == 0.0 else min(wait, 3.0 if who else 0.4) + 0.004)
    for times in went.values():
        assert all(b - a <= cards * pause + 0.5 for a, b in pairwise(times)), "no card is kept from its turn"
    every = sorted(at for times in went.values() for at in times)
    assert all(pause <= round(b - a, 6) <= pause + 0.1 for a, b in pairwise(every)), "and no turn is lost"


def test_a_busy_minute_of_a_group_takes_no_card_s_turn_away() -> None:
    time = Time()
    pace = Pacing(time)
    again = {who: 50.5 + who / 10 for who in range(3)}
    went: list[int] = []
    for number in range(30_000):
        time.at = 50.0 + number / 100
        if number % 6000 < 500 and number % 50 == 0:
            pace.ask(GROUP_ID, WORD)  # ten words at the beginning of each minute
        for who, at in again.items():
            if time.at >= at:
                wait = pace.ask(GROUP_ID, COSMETIC, who)
                if wait == 0.0:
                    went.append(who)
                again[who] = time.at + (3.02 if wait == 0.0 else min(wait, 3.0) + 0.004)
    assert len(went) > 9
    assert all(set(went[n : n + 3]) == {0, 1, 2} for n in range(len(went) - 3)), went


def test_a_card_that_does_not_come_for_its_turn_loses_it() -> None:
    time = Time()
    pace = Pacing(time)
    assert pace.ask(PERSON, COSMETIC, 1) == 0.0
    assert [pace.ask(PERSON, COSMETIC, who) for who in (2, 3, 3, 1)] == [3.0, 6.0, 6.0, 9.0]
    time.at += 3.1
    assert pace.ask(PERSON, COSMETIC) == math.inf, "nor does an emoji take it"
    assert 0.0 < pace.ask(PERSON, COSMETIC, 3) <= 0.5
    time.at += 0.5
    assert pace.ask(PERSON, COSMETIC, 3) == 0.0
    time.at += 3.0
    assert pace.ask(PERSON, COSMETIC, 1) == 0.0
    time.at += 3.0
    assert pace.ask(PERSON, COSMETIC) == 0.0, "nobody waits"


def test_a_refusal_holds_its_own_chat_and_no_other() -> None:
    time = Time()
    pace = Pacing(time)
    pace.refused(PERSON, 7728.0)
    assert pace.ask(PERSON, CLIP) == pytest.approx(7728.0)
    assert pace.ask(PERSON, COSMETIC) == math.inf
    assert pace.ask(PERSON + 1, WORD) == 0.0
    pace.refused(PERSON, 1.0)
    assert pace.ask(PERSON, CLIP) == pytest.approx(7728.0), "a shorter answer, sent earlier, does not end the pause"
    time.at += 7728.0
    assert pace.ask(PERSON, CLIP) == 0.0
    pace.refused(PERSON, 1e12)
    assert pace.ask(PERSON, CLIP) == pytest.approx(pacing.LONGEST_HOLD)


def test_refusals_of_several_chats_at_once_are_about_all_of_them() -> None:
    time = Time()
    pace = Pacing(time)
    for chat in (1, 1, 1, 2):
        pace.refused(chat, 30.0)
    assert pace.ask(9, WORD) == 0.0, "two chats are a coincidence"
    time.at += 6.0
    pace.refused(3, 30.0)
    assert pace.ask(9, WORD) == 0.0, "and so is a third one later"
    for chat in (4, 5):
        pace.refused(chat, 30.0)
    assert pace.ask(9, CLIP) == pytest.approx(10.0)
    time.at += 10.0
    assert pace.ask(9, CLIP) == 0.0
    assert pace.ask(5, CLIP) == pytest.approx(20.0)


def test_all_chats_together_stay_under_thirty_a_second() -> None:
    time = Time()
    pace = Pacing(time)
    went = {worth: sum(pace.ask(1000 * worth + chat, worth) == 0.0 for chat in range(50)) for worth in Worth}
    assert went == {COSMETIC: 20, WORD: 7, CLIP: 3}
    time.at += 1.0
    assert pace.ask(1, CLIP) == 0.0


def test_a_group_that_becomes_a_supergroup_takes_its_ledger_along() -> None:
    time = Time()
    pace = Pacing(time)
    assert sum(pace.ask(-5, CLIP) == 0.0 for _ in range(9)) == 5
    pace.refused(-5, 100.0)
    pace.moved(-5, GROUP_ID)
    pace.moved(-6, -7)
    assert pace.ask(GROUP_ID, CLIP) == pytest.approx(100.0)
    assert pace.ask(-5, CLIP) == 0.0, "nobody is there any more"


def test_memory_is_bounded_and_the_longest_silent_are_forgotten() -> None:
    time = Time()
    pace = Pacing(time)
    for chat in range(1, KEPT + 500):
        time.at += 1.0
        pace.ask(7, WORD)
        pace.ask(-chat, CLIP)
        pace.refused(-chat, 3600.0)
        time.at += 10.0
    assert len(pace._chats) == len(pace._held) == KEPT
    assert 7 in pace._chats
    assert -1 not in pace._chats


def test_whoever_waits_is_let_through_when_there_is_room_and_not_later_than_it_has_patience() -> None:
    async def crowd(clock: virtual_time.VirtualClock) -> list[float]:
        pace, began = Pacing(clock), clock.monotonic()

        async def one() -> float:
            wait = await pace.admit(PERSON, CLIP, 14.0)
            return clock.monotonic() - began if wait == 0.0 else math.inf

        return sorted(await asyncio.gather(*(one() for _ in range(17))))

    went = virtual_time.run(crowd)
    assert [round(at) for at in went[:15]] == [0] * 5 + [5] * 5 + [10] * 5
    assert went[15:] == [math.inf, math.inf]


@given(some.lists(some.tuples(some.floats(0.0, 4.0), some.sampled_from(Worth), some.sampled_from([1, 2, -3, -4]))))
def test_no_order_of_calls_breaks_a_limit(calls: list[tuple[float, Worth, int]]) -> None:
    time = Time()
    pace = Pacing(time)
    went: deque[tuple[float, int]] = deque()
    for pause, worth, chat in calls:
        time.at += pause
        if pace.ask(chat, worth) == 0.0:
            went.append((time.at, chat))
    for chat, (most, seconds, _) in [(0, ALL), *((c, CHAT) for c in (1, 2, -3, -4)), (-3, GROUP), (-4, GROUP)]:
        times = [at for at, where in went if chat in (0, where)]
        for begin in times:
            assert sum(begin <= at < begin + seconds for at in times) <= most


def test_a_window_tells_exactly_when_there_is_room() -> None:
    window = Window(2, 10.0, (1, 0, 0))
    assert window.wait(0.0, WORD) == 0.0
    window.take(0.0)
    assert (window.wait(4.0, COSMETIC), window.wait(4.0, WORD)) == (6.0, 0.0)
    window.take(4.0)
    assert (window.wait(5.0, COSMETIC), window.wait(5.0, WORD)) == (9.0, 5.0)
    assert window.wait(10.0, WORD) == 0.0


def test_who_waits_for_one_group_is_told_one_turn_after_the_other_and_nobody_overtakes() -> None:
    time = Time()
    pace = Pacing(time)
    came: dict[int, float] = {}
    again = {who: 50.0 + who / 1000 for who in range(60)}
    asked = 0
    while again:
        who = min(again, key=lambda each: again[each])
        time.at = max(time.at, again.pop(who))
        asked += 1
        wait = pace.ask(GROUP_ID, CLIP, who)
        if wait == 0.0:
            came[who] = time.at
        else:
            again[who] = time.at + wait + 0.001
    assert list(came) == list(range(60))
    assert max(came.values()) < 50.0 + 2 * 60.0 + 20.0, "no place of the group's minutes is lost"
    assert asked < 60 * 4, "each comes when it is its turn, not whenever somebody's is"


def test_room_is_kept_for_who_was_told_so_but_not_for_long() -> None:
    time = Time()
    pace = Pacing(time)
    assert [pace.room(PERSON, CLIP, who) for who in "abcde"] == [0.0] * 5
    assert pace.room(PERSON, CLIP, "f") == pytest.approx(5.0), "a room that five were told of"
    assert pace.ask(PERSON, WORD, "g") > 0.0, "words wait for the clips"
    assert [pace.ask(PERSON, CLIP, who) for who in "edcb"] == [0.0] * 4
    time.at += 5.0 + pacing.LATE_SECONDS + 0.1
    assert [pace.ask(PERSON, CLIP, who) for who in "hijkl"] == [0.0] * 5, "who did not come has lost its place"


def test_a_line_is_bounded() -> None:
    time = Time()
    pace = Pacing(time)
    waits = [pace.ask(GROUP_ID, CLIP, who) for who in range(2 * pacing.LINE_MOST)]
    assert max(waits) < math.inf
    assert len(pace._chats[GROUP_ID].waiting[CLIP]) == pacing.LINE_MOST
