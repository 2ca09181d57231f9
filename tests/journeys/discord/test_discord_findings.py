"""Restarts in the middle of a session, limits that Discord hardly tells of, and whose language a card speaks; in few processes."""

from __future__ import annotations

import json

import pytest

from tests.journeys.discord.conftest import House
from tests.lab.discord import May, Seen, Use, interactions
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


def bots(house: House) -> list[Seen]:
    return [each for each in house.ada.messages(house.room) if each.author == "reelay"]


def plain(seen: Seen) -> str:
    return seen.text.replace("\\", "")


def answered(use: Use) -> str:
    until(lambda: use.failed or use.text, what="the answer")
    assert use.failed is None
    return use.text.replace("\\", "")


def test_a_restart_goes_on_with_the_session_and_with_what_somebody_did_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = house.discord.gateway
    gateway.identify_seconds = 0.1
    house.start()
    house.clip_of(house.video("a fox"))
    house.reelay.wait_quiet()
    assert house.reelay.stop() == 0
    until(lambda: gateway.closes, what="the close")

    # How long a process takes to start is the machine's business: Discord waits longer here, and our clock is half a minute behind.
    monkeypatch.setattr(interactions, "ANSWER_SECONDS", 60.0)
    missed = house.ada.slash("video", house.room, prompt="a fox that nobody waits for")
    house.later(60)
    house._shift.set(30_000)
    caught = house.ada.slash("video", house.room, prompt="a whale")
    house.reelay.restart()
    house.wait_connected()
    house.clip_of(caught, 60)
    assert len(gateway.identifies) == 1, "the session went on"
    assert len(gateway.resumes) == 1
    assert not missed.acknowledged
    assert house.jobs() == 2, "nobody pays for what Discord said had failed"
    assert list(house.vendor.paid.values()) == [1, 1]
    assert b'reelay_platform_connections{platform="discord"} 1.0' in house.reelay.http("/metrics")[1]

    house.discord.run(gateway.op(9, False))
    until(lambda: len(gateway.identifies) == 2 and gateway.connected == 1, 40, "a session of its own")
    monkeypatch.undo()
    house.clip_of(house.video("a second whale"))
    house.reelay.wait_quiet()
    assert house.reelay.stop() == 0

    gateway.sessions.clear()  # Discord has forgotten it meanwhile
    house.reelay.restart()
    until(lambda: len(gateway.identifies) == 3 and gateway.connected == 1, 40, "a session of its own")
    house.clip_of(house.video("a third whale"))
    house.end()


def looked_at(house: House) -> None:
    """Wait until the only card was looked at once more."""
    before = house.reelay.value("SELECT next_edit_at FROM cards")
    until(lambda: house.reelay.value("SELECT next_edit_at FROM cards") > before, 20, "a look at the card")


def test_an_old_message_is_edited_rarely_and_still_becomes_the_clip(house: House) -> None:
    house.reelay.generators[0] |= {"progress": "elapsed", "maximum_seconds": 7200}
    house.discord.limits.old_edits = (3, 3600.0)
    house.script("whale", seconds=None, fractions=False)
    house.start()
    use = house.video("a whale")
    house.shows(use, "longer than usual")
    looked_at(house)
    house.later(3700)
    house.shows(use, "1 h 1 min")
    assert use.message is not None
    shown = use.message
    before = len(house.discord.edits_of(shown))
    for minute in range(1, 9):
        house._shift.set((3700 + 60 * minute) * 1000)
        house.discord.clock.advance(60)
        looked_at(house)
    assert len(house.discord.edits_of(shown)) == before, "minutes are no news"
    house.vendor.finish("whale")
    seen = house.clip_of(use)
    assert [each.id for each in house.answers()] == [seen.id]
    assert house.discord.journal.rate_limited() == []
    house.end()


def test_who_is_about_to_lose_the_token_does_not_begin_another_session(house: House) -> None:
    house.discord.gateway.identify_budget = 20
    house.reelay.start()
    until(lambda: house.reelay.alerts() == ["discord identify"], 20, "the alert")
    assert house.discord.gateway.identifies == []
    assert house.reelay.http("/")[0] == 200
    assert house.reelay.stop() == 0


def test_what_a_server_of_many_languages_sees(house: House) -> None:
    kino = house.discord.add_guild("Kino", locale="de")
    foyer = house.discord.add_channel(kino, "foyer")
    bob = house.discord.add_person("bob", kino, locale="fr")
    house.discord.grant(bob, kino, house.discord.add_role(kino, "managers", May.MANAGE_GUILD))
    house.start(environ={"REELAY_ALLOWED": f"discord:guild:{house.guild.id},discord:guild:{kino.id}"})

    # What all see speaks the server's language, what one sees that one's.
    use = house.video("a fox", foyer, bob)
    seen = house.clip_of(use)
    assert "KI-generiert" in plain(seen)
    assert "généré par IA" in plain(house.clip_of(house.video("a fox", foyer, bob, private=True)))
    form = bob.press(seen, "remix")
    until(lambda: form.modal, what="the form")
    assert "un nombre entier de 0 à 4294967295" in answered(bob.submit(form, {"seed": "abc"}))
    details = answered(bob.press(seen, "details"))
    assert "Lab lab" in details, "a generator has a title"

    def clips() -> int:
        return sum(each.clip is not None for each in bob.messages(foyer))

    # An answer that Discord did not take changes nothing of what was wished.
    house.reelay.wait_quiet()
    job = house.job_of(use)["id"]
    house.discord.on("create_interaction_response").cut_before()
    bob.slash("resend", foyer, clip=job)
    until(lambda: clips() == 3, 40, "the clip once more")
    house.reelay.wait_quiet()
    again = bob.slash("resend", foyer, clip=job)
    assert house.clip_of(again).text == seen.text
    house.reelay.wait_quiet()
    assert clips() == 4

    # Whoever can write a button's id cannot make it ours.
    forged = bob.say(foyer, "a clip, honestly")
    row = [{"type": 2, "id": 2, "style": 2, "label": "x", "custom_id": f"v1:again:{job}:aaaaaaaaaa"}]
    forged.message.components = [{"type": 1, "id": 1, "components": row}]
    assert "Ce message ne montre aucun de mes clips" in answered(bob.menu("Report this clip", forged))
    reports = house.reelay.rows("SELECT 1 FROM audit WHERE verb = 'report'")
    assert reports == []

    # A rule for a channel can be taken back.
    def rules() -> list[object]:
        return [row["allowed"] for row in house.reelay.rows("SELECT allowed FROM channels")]

    answered(bob.slash("admin channel", foyer, allow=False))
    assert rules() == [0]
    assert house.jobs() == 2
    refused = bob.slash("video", foyer, prompt="a fox")
    answered(refused)
    answered(bob.slash("admin channel", foyer))
    answered(bob.slash("admin channel", foyer, allow=True, lift=True))
    assert rules() == [0]
    answered(bob.slash("admin channel", foyer, lift=True))
    assert rules() == []
    house.clip_of(house.video("a fox", foyer, bob))
    trail = [
        json.loads(row["details"])["allowed"]
        for row in house.reelay.rows("SELECT details FROM audit WHERE verb = 'channel'")
    ]
    assert trail == [False, None]
    house.reelay.wait_quiet()
    assert house.reelay.stop() == 0
