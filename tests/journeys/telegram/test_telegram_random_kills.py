"""People order, press and ask while the process is killed again and again, at points and moments that a seed draws.

``KILL_SEED`` repeats a run; ``KILL_TIMES`` makes it longer.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections import Counter

import pytest

from tests.journeys.telegram.house import House
from tests.journeys.telegram.test_telegram_kill import FOUND_AGAIN, known
from tests.lab.telegram import Person, Press, Seen
from tests.lab.waiting import until

pytestmark = pytest.mark.journey

KILLS = int(os.environ.get("KILL_TIMES") or 6)
POINTS = (*FOUND_AGAIN, "admitted", "submitting", "posted")
LIVE = ("Cancel", "Stop waiting")


class Crowd:
    """Four people; what they have asked for is counted."""

    def __init__(self, home: House, rng: random.Random) -> None:
        self.home, self.rng = home, rng
        self.people = [home.telegram.add_person(f"guest{n}", started=True) for n in range(4)]
        self.orders = self.again = 0
        self.last: Press | None = None
        """Nobody presses while a button turns, so each kill leaves one unanswered at most."""
        self.pressed: set[str | None] = set()
        """Each button once: a second time at once asks for nothing."""

    def act(self) -> None:
        """Somebody does something."""
        who = self.rng.choice(self.people)
        verb = self.rng.choices(("order", "Again", "Cancel", "/help"), (6, 3, 1, 1))[0]
        if verb == "order":
            self.orders += 1
            who.say(f"a whale {self.orders}")
        elif verb == "/help":
            who.say(verb)
        elif self.last is None or self.last.answered:
            buttons = [(each, button) for each in who.received() for button in each.buttons if verb in button.text]
            fresh = [(each, button.data) for each, button in buttons if button.data not in self.pressed]
            if fresh:
                seen, data = self.rng.choice(fresh)
                self.again += verb == "Again"
                self.pressed.add(data)
                self.last = who.press(seen, str(data))

    def cards(self) -> list[tuple[Person, Seen, str]]:
        """(whose, message, job) of every card and clip that stands somewhere."""
        return [
            (who, each, str(each.buttons[0].data).split(":")[2])
            for who in self.people
            for each in who.received()
            if each.buttons
        ]


def settle(home: House, crowd: Crowd) -> None:
    """Whatever was killed between intent and call stays unclear until its person cancels it, as the card offers."""
    asked: set[str] = set()

    def look() -> bool:
        unclear = {row["id"] for row in home.reelay.rows("SELECT id FROM jobs WHERE state = 'unclear'")} - asked
        for who, seen, job in crowd.cards():
            if job in unclear and any("Check again" in label for label in seen.labels):
                asked.add(job)
                press = who.press(seen, "Cancel")
                until(lambda press=press: press.answered, what="the answer")  # type: ignore[misc] # bound by the default
        return not home.reelay.value("SELECT COUNT(*) FROM jobs WHERE state NOT IN ('done', 'failed', 'cancelled')")

    until(look, 60, "every job to end")
    home.reelay.wait_quiet()


def strays(home: House, crowd: Crowd) -> list[tuple[Person, Seen, str]]:
    """Messages that no row knows."""
    rows = known(home)
    return [each for each in crowd.cards() if (str(each[0].id), str(each[1].id)) not in rows]


def use_strays(home: House, crowd: Crowd) -> int:
    """People press a button of each message that nobody knows: a card goes, a clip is known. Returns how many there were."""
    found = strays(home, crowd)
    for who, seen, _ in found:
        press = who.press(seen, next((each for each in seen.labels if "Details" in each), seen.labels[0]))
        until(lambda press=press: press.answered, what="the answer")  # type: ignore[misc] # bound by the default
    until(lambda: not strays(home, crowd), what="the end of every stray message")
    return len(found)


def ask_for_what_is_in_doubt(home: House, crowd: Crowd) -> int:
    """A clip that may have been sent as a message of its own, and is not there: its person asks for it, as its card says."""
    doubts = [(who, seen) for who, seen, _ in crowd.cards() if "could not see whether" in seen.text]
    for who, seen in doubts:
        before = len(home.clips_in(person=who))
        who.reply(seen, "/resend")
        until(lambda who=who, n=before: len(home.clips_in(person=who)) > n, what="the clip")  # type: ignore[misc] # bound as well
    return len(doubts)


def kill(home: House, crowd: Crowd, rng: random.Random) -> None:
    """Let them go on for a while, kill at a point or at any moment, and start again."""
    home.kill_at(rng.choice(POINTS) if rng.random() < 0.7 else "")
    for _ in range(rng.randint(2, 7)):
        crowd.act()
        time.sleep(rng.uniform(0, 0.3))  # the moment is what is drawn
        if not home.runs:
            break
    try:
        home.reelay.join(2)
    except subprocess.TimeoutExpired:
        home.reelay.kill()
    home.kill_at("")
    home.restart()


@pytest.mark.timeout(120 + 20 * KILLS)
def test_whenever_it_is_killed_everybody_gets_what_they_asked_for_once(home: House) -> None:
    seed = int(os.environ.get("KILL_SEED") or time.time())
    print(f"KILL_SEED={seed} KILL_TIMES={KILLS}")  # noqa: T201 - shown where it fails
    rng = random.Random(seed)
    crowd = Crowd(home, rng)
    home.script("whale", seconds=0.5)
    for _ in range(KILLS):
        kill(home, crowd, rng)
    settle(home, crowd)
    assert home.jobs() == crowd.orders + crowd.again
    assert set(home.paid()) == {1}

    assert use_strays(home, crowd) <= KILLS, "each kill can be between one send and its record"
    assert ask_for_what_is_in_doubt(home, crowd) <= KILLS

    home.reelay.wait_quiet()
    clips = Counter(job for _, seen, job in crowd.cards() if seen.clip is not None)
    done = {row["id"] for row in home.reelay.rows("SELECT id FROM jobs WHERE state = 'done'")}
    assert clips == Counter(done), "one clip for each job"
    assert strays(home, crowd) == []
    assert {job for _, _, job in crowd.cards()} == {row["id"] for row in home.reelay.rows("SELECT id FROM jobs")}
    live = [seen.text for _, seen, _ in crowd.cards() if any(word in label for word in LIVE for label in seen.labels)]
    assert live == [], "every card tells how it ended"

    turning = home.telegram.answers.unanswered()
    assert len(turning) <= KILLS
    for query in turning:  # their jobs were made, and the new process knew nothing else of them
        del home.telegram.answers.queries[query.id]
    home.end()
