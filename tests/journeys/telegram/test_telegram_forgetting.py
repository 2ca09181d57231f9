"""Forgetting somebody who was only shown other people's clips."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.telegram.house import House
from tests.lab.telegram import Chat, Person, Seen
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def paced() -> bool:
    """It is about what is kept."""
    return False


def kept(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("reelay.db*")))


def shown(home: House, who: Person, job: str, place: Chat | None = None) -> Seen:
    """Have somebody else's clip sent once more."""
    before = {each.id for each in home.clips_in(place, who)}
    who.say(f"/start@{home.telegram.bot.username} job_{job}", place)
    return until(
        lambda: next((each for each in home.clips_in(place, who) if each.id not in before), None), 30, "the clip"
    )  # type: ignore[return-value]


def test_whoever_was_shown_other_peoples_clips_is_forgotten_as_well(house: House) -> None:
    house.olga.user.name = "Olgamarvellous"
    house.telegram.founding.join(house.room, house.olga.user, house.bob.user)
    house.start()
    said = house.ada.say(f"/video@{house.telegram.bot.username} a fox", house.room)
    card = house.clip_of(house.card_of(said, place=house.room))
    job = house.job_of(said)["id"]
    alone = shown(house, house.olga, job)
    public = shown(house, house.olga, job, house.room)
    house.reelay.wait_quiet()
    assert house.reelay.value("SELECT COUNT(*) FROM identities WHERE external_id = ?", str(house.olga.id)) == 0
    assert b"Olgamarvellous" in kept(house.reelay.data)
    before = len(house.olga.received())
    house.olga.say("/forget")
    until(lambda: len(house.olga.received()) > before, 30, "the question")
    question = house.olga.received()[-1]
    press = house.olga.press(question, "Erase it all")
    until(lambda: press.answered, what="the answer")
    until(lambda: "Everything is erased" in house.olga.received()[-1].text, 30, "the end")
    until(lambda: b"Olgamarvellous" not in kept(house.reelay.data), 30, "the end of the name")
    left = house.reelay.rows("SELECT place, receipt FROM deliveries WHERE job_id = ?", job)
    assert len(left) == 2
    assert all(f'"{house.olga.id}"' not in f"{row['place']}{row['receipt']}" for row in left)
    assert "Ada" in left[0]["place"]
    house.olga.say("/forget")
    until(lambda: "I keep nothing about you" in house.olga.received()[-1].text, 30, "that nothing is left")
    assert house.now(card).clip is not None
    press = house.ada.press(public, "\N{WASTEBASKET}")
    until(lambda: len(house.ada.received(house.room)) == 3, 30, "the question")
    house.ada.press(house.ada.received(house.room)[-1], "Delete")
    until(lambda: house.ada.look(public) is None, 30, "the end of what stands in the group")
    assert house.olga.look(alone) is not None
    house.end()
