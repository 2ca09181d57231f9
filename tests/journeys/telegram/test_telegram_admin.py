"""``/admin``: what the operator may do, what a group's administrators may do for their group, and that nobody else may."""

from __future__ import annotations

import json

import pytest

from tests.journeys.telegram.house import House
from tests.lab.telegram import Chat, Person, Place, Seen
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def paced() -> bool:
    """Many messages in few seconds."""
    return False


def admin(home: House, who: Person, words: str, place: Place | Chat | None = None, reply_to: Seen | None = None) -> str:
    """The answer to ``/admin words``, where it was said or in private."""
    before = {each.id for each in (*who.received(), *who.received(place))}
    name = "/admin" if place is None else f"/admin@{home.telegram.bot.username}"
    who.say(f"{name} {words}".strip(), place, reply_to=reply_to)
    rooms = (None, place)
    found = until(
        lambda: next((e for room in rooms for e in who.received(room) if e.id not in before), None), what="an answer"
    )
    assert found is not None
    return found.text


def audited(home: House) -> list[tuple[str, str, dict[str, object]]]:
    return [(row["actor"], row["verb"], json.loads(row["details"])) for row in home.audited()]


def join(home: House, name: str) -> Person:
    """Somebody new in the room, who is nothing there."""
    person = home.telegram.add_person(name, started=True)
    home.telegram.founding.join(home.room, person.user, home.bob.user)
    return person


def test_the_overview_shows_what_one_may(home: House) -> None:
    everything = admin(home, home.olga, "")
    for name in ("quota", "grant", "block", "provider", "pause", "takedown"):
        assert f"/admin {name}" in everything
    of_a_boss = admin(home, home.bob, "", home.room)
    assert "/admin limit" in of_a_boss
    assert "/admin grant" not in of_a_boss
    assert "You may not" in admin(home, home.ada, "", home.room)
    assert "You may not" in admin(home, home.bob, "")
    home.end()


@pytest.mark.parametrize(
    "words", ["grant 5 5", "block 5", "unblock 5", "provider lab off", "pause", "resume", "takedown x"]
)
def test_a_groups_administrator_is_no_operator(home: House, words: str) -> None:
    assert "You may not" in admin(home, home.bob, words, home.room)
    assert audited(home) == []
    home.end()


def test_what_is_written_wrongly_is_told_how_it_is_written(home: House) -> None:
    assert "quota, limit, topic" in admin(home, home.olga, "dance")
    assert "grant ID 100 [note]" in admin(home, home.olga, "grant 5")
    assert "on|off|lift" in admin(home, home.bob, "topic perhaps", home.room)
    assert "NAME on|off" in admin(home, home.olga, "provider lab")
    assert "takedown [JOB]" in admin(home, home.olga, "takedown")
    assert "in a group only" in admin(home, home.olga, "topic off")
    assert "a whole number of credits" in admin(home, home.bob, "limit plenty", home.room)
    assert audited(home) == []
    home.end()


def test_credits_are_granted_by_number_and_by_reply(home: House) -> None:
    assert "50 credits" in admin(home, home.olga, f"grant {home.ada.id} 50 for the film")
    home.telegram.founding.join(home.room, home.olga.user, home.bob.user)
    said = home.ada.say("hello", home.room)
    assert "80 credits" in admin(home, home.olga, "grant 30", home.room, said)
    who = f"telegram:{home.ada.id}"
    found = [(actor, verb, each["who"], each["credits"]) for actor, verb, each in audited(home)]
    assert found == [(f"telegram:{home.olga.id}", "grant", who, 50), (f"telegram:{home.olga.id}", "grant", who, 30)]
    assert "5 credits" in admin(home, home.olga, f"grant {home.room.id} 5")  # as which anonymous administrators write
    home.end()


def test_who_is_blocked_makes_nothing_until_unblocked(home: House) -> None:
    assert "Blocked" in admin(home, home.olga, f"block {home.ada.id}")
    refused = home.card_of(home.ada.say("a fox"))
    assert "blocked" in refused.text
    assert "Unblocked" in admin(home, home.olga, f"unblock {home.ada.id}")
    home.clip_of(home.video("a fox"))
    assert [verb for _, verb, _ in audited(home)] == ["block", "unblock"]
    home.end()


def test_a_persons_and_a_groups_limit_are_the_operators(home: House) -> None:
    home.telegram.founding.join(home.room, home.olga.user, home.bob.user)
    assert "limit: 70" in admin(home, home.olga, f"quota {home.ada.id} 70")
    assert "limit: 70" in admin(home, home.olga, f"quota {home.ada.id}")
    assert "limit: 90" in admin(home, home.olga, "quota here 90", home.room)
    assert "limit: 90" in admin(home, home.bob, "quota", home.room)
    assert "You may not" in admin(home, home.bob, "quota here 9000", home.room)
    assert "You may not" in admin(home, home.bob, f"quota {home.ada.id}", home.room)
    assert "limit" in admin(home, home.olga, "quota")
    home.end()


def test_a_groups_own_limit_holds_beside_the_operators(home: House) -> None:
    assert "limit: 50" in admin(home, home.bob, "limit 50", home.room)
    ((actor, verb, details),) = audited(home)
    assert (actor, verb) == (f"telegram:{home.bob.id}", "limit")
    assert details["subject"] == f"telegram:chat:{home.room.id}:own"
    home.clip_of(home.video("a fox", home.room))
    said = home.ada.say(f"/video@{home.telegram.bot.username} another fox", home.room)
    assert "needs 40 credits" in home.card_of(said, place=home.room).text
    home.telegram.founding.join(home.room, home.olga.user, home.bob.user)
    admin(home, home.olga, "quota here 45", home.room)
    admin(home, home.bob, "limit unlimited", home.room)
    said = home.ada.say(f"/video@{home.telegram.bot.username} a third fox", home.room)
    assert "needs 40 credits" in home.card_of(said, place=home.room).text
    assert home.jobs() == 1
    home.end()


@pytest.mark.parametrize("anonymous", [False, True])
def test_a_topic_is_closed_to_clips_and_opened(home: House, anonymous: bool) -> None:
    bot, forum = home.telegram.bot.username, home.telegram.add_supergroup("Clips", home.bob, home.ada, forum=True)
    topic = home.telegram.add_topic(forum, "Talk")
    if anonymous:
        home.telegram.promote(forum, home.bob, anonymous=True)
    assert "No clips are made here" in admin(home, home.bob, "topic off", topic)
    refused = home.card_of(home.ada.say(f"/video@{bot} a fox", topic), place=topic)
    assert refused.clip is None
    assert "No clips are made" in refused.text
    home.clip_of(home.video("a fox", home.telegram.general(forum)))
    assert "Nothing is set" in admin(home, home.bob, "topic lift", topic)
    home.clip_of(home.video("a wolf", topic))
    actor = f"telegram:{forum.id if anonymous else home.bob.id}"
    assert [(who, verb) for who, verb, _ in audited(home)] == [(actor, "channel"), (actor, "channel")]
    home.end()


def test_a_generator_and_everything_are_paused_and_go_on(home: House) -> None:
    assert "no new clips" in admin(home, home.olga, "pause")
    assert "no new clips" in home.card_of(home.ada.say("a fox")).text
    assert "new clips again" in admin(home, home.olga, "resume")
    assert "lab is paused" in admin(home, home.olga, "provider lab off")
    assert "makes clips again" in admin(home, home.olga, "provider lab on")
    home.clip_of(home.video("a fox"))
    assert [verb for _, verb, _ in audited(home)] == ["pause", "resume", "pause", "resume"]
    home.end()


def test_a_reported_clip_is_taken_down_by_a_reply(home: House) -> None:
    home.telegram.founding.join(home.room, home.olga.user, home.bob.user)
    carl = join(home, "carl")
    clip = home.clip_of(home.video("a bad fox", home.room))
    said = carl.say(f"/report@{home.telegram.bot.username}", home.room, reply_to=clip)
    assert "Thank you" in home.card_of(said, carl, home.room).text
    until(lambda: any("was reported" in each.text for each in home.olga.received()), what="the operator is told")
    words = carl.say("is it?", home.room)
    said = carl.say(f"/report@{home.telegram.bot.username}", home.room, reply_to=words)
    assert "shows no clip of mine" in home.card_of(said, carl, home.room).text
    assert "Taken down" in admin(home, home.olga, "takedown", home.room, clip)
    until(lambda: home.ada.look(clip) is None, what="the message is gone")
    assert home.clip_files() == set()
    assert [(who, verb) for who, verb, _ in audited(home)] == [
        (f"telegram:{carl.id}", "report"),
        (f"telegram:{home.olga.id}", "takedown"),
    ]
    home.end()


def test_figures_of_a_group_and_of_everything(home: House) -> None:
    home.clip_of(home.video("a fox", home.room))
    assert "1 clip made, 40 credits spent" in admin(home, home.bob, "stats", home.room)
    assert "Live jobs: 0" in admin(home, home.olga, "stats")
    home.end()
