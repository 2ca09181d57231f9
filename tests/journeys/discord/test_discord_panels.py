"""The verbs that show, set and erase; what only operators and managers may; in the language of whoever asks."""

from __future__ import annotations

import json

import pytest

from tests.journeys.discord.conftest import House
from tests.lab.discord import Channel, Impossible, May, Person, Use
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


def said(person: Person, name: str, channel: Channel, /, **options: object) -> Use:
    """A command and its answer, which nobody else sees."""
    use = person.slash(name, channel, **options)
    until(lambda: use.failed or use.text, what=f"the answer to /{name}")
    assert use.failed is None
    assert use.message is not None
    assert use.message.ephemeral
    return use


def manager(house: House, name: str = "bob") -> Person:
    """Somebody who manages the server."""
    person = house.discord.add_person(name, house.guild)
    house.discord.grant(person, house.guild, house.discord.add_role(house.guild, "managers", May.MANAGE_GUILD))
    return person


def operator(house: House) -> Person:
    """A manager who is one of the operators as well; before the start."""
    person = manager(house, "olga")
    house.reelay.environ["REELAY_ADMINS"] = f"discord:{person.id}"
    return person


def test_what_is_always_there_answers_also_before_the_first_clip(house: House) -> None:
    house.start()
    for name in ("help", "privacy", "quota", "settings", "jobs", "gallery", "examples", "forget"):
        assert len(said(house.ada, name, house.room).text) > 10, name
    assert "/video" in said(house.ada, "help", house.room).text
    assert house.jobs() == 0
    house.end()


def test_quota_tells_what_was_spent(house: House) -> None:
    house.start(environ={"REELAY_DAILY_CREDITS": "100"})
    house.clip_of(house.video("a fox"))
    house.reelay.wait_quiet()
    text = said(house.ada, "quota", house.room).text
    assert "60 credits" in text.replace("\\", "")
    second = house.clip_of(house.video("a second fox"))
    assert second.clip is not None
    house.reelay.wait_quiet()
    third = house.ada.slash("video", house.room, prompt="a third fox")
    until(lambda: third.text)
    assert third.message is not None
    assert third.message.ephemeral
    assert "20" in third.text
    assert house.jobs() == 2
    house.end()


def test_settings_are_kept_and_used(house: House) -> None:
    house.start()
    text = said(house.ada, "settings", house.room, aspect="9:16", seconds=4, notify=False).text
    assert "Saved" in text
    assert "9\\:16" in text
    use = house.video("a fox")
    house.clip_of(use)
    applied = json.loads(house.job_of(use)["applied"])
    assert (applied["aspect_ratio"], applied["seconds"]) == ("9:16", 4)
    house.end()


def test_jobs_lists_and_cancels(house: House) -> None:
    house.script("forever", seconds=None)
    house.start()
    use = house.video("forever and a day")
    until(lambda: house.vendor.of("forever"))
    shown = said(house.ada, "jobs", house.room)
    assert "forever and a day" in shown.text
    assert shown.message is not None
    pressed = house.ada.press(shown.message, shown.message.labels[0])
    until(lambda: pressed.acknowledged)
    until(lambda: house.job_of(use)["state"] == "cancelled")
    assert "forever" not in said(house.discord.add_person("bob", house.guild), "jobs", house.room).text
    house.end()


def test_cancel_by_name_is_offered_while_it_is_typed(house: House) -> None:
    house.script("forever", seconds=None)
    house.start()
    use = house.video("forever and a day")
    until(lambda: house.vendor.of("forever"))
    typing = house.ada.autocomplete("cancel", "clip", "ever", house.room)
    until(lambda: typing.choices)
    assert typing.choices is not None
    ((name, value),) = typing.choices
    assert "forever and a day" in name
    assert value == house.job_of(use)["id"]
    bob = house.discord.add_person("bob", house.guild)
    others = bob.autocomplete("cancel", "clip", "", house.room)
    until(lambda: others.choices is not None)
    assert others.choices == []
    refused = said(bob, "cancel", house.room, clip=value)
    assert "Only the person" in refused.text
    said(house.ada, "cancel", house.room, clip=value)
    until(lambda: house.job_of(use)["state"] == "cancelled")
    house.end()


def test_the_gallery_shows_own_clips_and_those_of_the_server_and_posts_one_again(house: House) -> None:
    house.start()
    bob = house.discord.add_person("bob", house.guild)
    house.clip_of(house.video("a fox in the snow"))
    house.clip_of(house.video("a whale", person=bob))
    mine = said(house.ada, "gallery", house.room)
    assert "fox in the snow" in mine.text
    assert "whale" not in mine.text
    server = said(house.ada, "gallery", house.room, which="server")
    assert "whale" in server.text
    assert f"discord.com/channels/{house.guild.id}/{house.room.id}/" in server.text
    assert mine.message is not None
    again = house.ada.press(mine.message, mine.message.labels[0])
    until(lambda: again.acknowledged)
    house.clip_of(again)
    assert house.jobs() == 2, "nothing was made anew"
    assert list(house.vendor.paid.values()) == [1, 1]
    house.end(resent=True)


def test_an_example_is_one_press_away(house: House) -> None:
    house.start()
    shown = said(house.ada, "examples", house.room)
    assert shown.message is not None
    use = house.ada.press(shown.message, shown.message.labels[0])
    until(lambda: use.acknowledged)
    house.clip_of(use)
    assert house.jobs() == 1
    house.end()


def test_forget_asks_once_and_erases(house: House) -> None:
    house.start()
    house.clip_of(house.video("a fox with a secret"))
    house.reelay.wait_quiet()
    sure = said(house.ada, "forget", house.room)
    assert sure.message is not None
    assert house.jobs() == 1
    use = house.ada.press(sure.message, sure.message.labels[0])
    until(lambda: "erased" in use.text, 30)
    assert house.reelay.rows("SELECT * FROM clips") == []
    for path in house.reelay.data.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"fox with a secret" not in data, path.name
            assert house.ada.id.encode() not in data, path.name
    assert house.reelay.stop() == 0


@pytest.mark.parametrize(
    "locale,word", [("de", "ausgegeben"), ("fr", "crédits"), ("es-ES", "créditos"), ("ja", "credits")]
)
def test_answers_come_in_the_language_of_whoever_asks(house: House, locale: str, word: str) -> None:
    house.start()
    eve = house.discord.add_person("eve", house.guild, locale=locale)
    assert word.casefold() in said(eve, "quota", house.room).text.casefold()
    house.end()


# ---------------------------------------------------------------------------------------------------------------------- admin


def test_admin_is_not_for_everybody(house: House) -> None:
    house.start()
    with pytest.raises(Impossible):
        house.ada.slash("admin stats", house.room)
    bob = manager(house)
    assert "made" in said(bob, "admin stats", house.room).text
    for name, options in (
        ("admin grant", {"who": house.ada, "amount": 5}),
        ("admin block", {"who": house.ada}),
        ("admin pause", {}),
        ("admin provider", {"name": "lab", "on": False}),
        ("admin quota", {"credits": "5"}),
        ("admin takedown", {"clip": "x"}),
    ):
        assert said(bob, name, house.room, **options).text == "You may not do that here.", name
    assert house.reelay.rows("SELECT * FROM audit WHERE verb <> 'start'") == []
    house.end()


def test_an_operator_blocks_grants_pauses_and_it_is_all_in_the_trail(house: House) -> None:
    olga = operator(house)
    house.start()
    said(olga, "admin grant", house.room, who=house.ada, amount=25)
    assert "25 credits" in said(house.ada, "quota", house.room).text
    said(olga, "admin block", house.room, who=house.ada)
    refused = house.ada.slash("video", house.room, prompt="a fox")
    until(lambda: refused.text)
    assert house.jobs() == 0
    said(olga, "admin block", house.room, who=house.ada, lift=True)
    house.clip_of(house.video("a fox"))
    said(olga, "admin pause", house.room)
    refused = house.ada.slash("video", house.room, prompt="a fox")
    until(lambda: refused.text)
    assert house.jobs() == 1
    said(olga, "admin pause", house.room, lift=True)
    said(olga, "admin provider", house.room, name="lab", on=False)
    said(olga, "admin provider", house.room, name="lab", on=True)
    said(olga, "admin quota", house.room, who=house.ada, credits="50")
    assert "50" in said(olga, "admin quota", house.room, who=house.ada).text
    said(olga, "admin stats", house.room)
    verbs = [row["verb"] for row in house.reelay.rows("SELECT verb FROM audit ORDER BY id") if row["verb"] != "start"]
    assert verbs == ["grant", "block", "unblock", "pause", "resume", "pause", "resume", "limit"]
    house.end()


def test_a_manager_chooses_the_channels(house: House) -> None:
    bob = manager(house)
    house.start()
    other = house.discord.add_channel(house.guild, "other")
    said(bob, "admin channel", house.room, allow=False)
    refused = house.ada.slash("video", house.room, prompt="a fox")
    until(lambda: refused.text)
    assert refused.message is not None
    assert refused.message.ephemeral
    inside = house.ada.slash("video", house.discord.add_thread(house.room), prompt="a fox")
    until(lambda: inside.text)
    assert house.jobs() == 0
    house.clip_of(house.video("a fox", other))
    house.reelay.stop()
    house.reelay.restart()
    house.wait_connected()
    refused = house.ada.slash("video", house.room, prompt="a fox")
    until(lambda: refused.text)
    assert house.jobs() == 1, "a rule outlives the process"
    said(bob, "admin channel", house.room, allow=True)
    refused = house.ada.slash("video", other, prompt="a fox")
    until(lambda: refused.text)
    house.clip_of(house.video("a fox"))
    assert house.jobs() == 2
    house.end()


def test_a_takedown_removes_file_links_and_messages(house: House) -> None:
    olga = operator(house)
    house.start()
    use = house.video("a fox")
    house.clip_of(use)
    house.reelay.wait_quiet()
    said(olga, "admin takedown", house.room, clip=house.job_of(use)["id"])
    until(
        lambda: not [each for each in house.ada.messages(house.room) if each.author == "reelay"],
        what="the message to go",
    )
    until(lambda: not list((house.reelay.data / "clips").rglob("*.mp4")), what="the file to go")
    assert "fox" not in said(house.ada, "gallery", house.room).text
    house.end()


def test_whoever_is_not_invited_is_told_so_and_may_still_leave(house: House) -> None:
    house.start(environ={"REELAY_ALLOWED": "discord:user:1"})
    refused = house.ada.slash("video", house.room, prompt="a fox")
    until(lambda: refused.text)
    assert refused.text == "This Reelay is not open to everybody. Its operator can let you in."
    assert refused.message is not None
    assert refused.message.ephemeral
    for name in ("help", "privacy", "forget"):
        assert "not open" not in said(house.ada, name, house.room).text
    assert house.jobs() == 0
    house.end()


def test_clips_of_an_age_restricted_channel_stay_in_such_channels(house: House) -> None:
    house.start()
    adults = house.discord.add_channel(house.guild, "adults", adults_only=True)
    house.clip_of(house.video("a fox after dark", adults))
    assert "after dark" not in said(house.ada, "gallery", house.room, which="server").text
    assert "after dark" in said(house.ada, "gallery", adults, which="server").text
    house.end()


def test_a_moderator_has_no_hand_in_a_private_clip_and_a_failed_one_is_taken_down_with_its_words(house: House) -> None:
    olga = operator(house)
    house.script("forever", seconds=None)
    house.script("refused", fails="content")
    house.start()
    private = house.video("forever private", private=True)
    until(lambda: house.vendor.of("forever"))
    bob = house.discord.add_person("bob", house.guild)
    house.discord.grant(bob, house.guild, house.discord.add_role(house.guild, "moderators", May.MANAGE_MESSAGES))
    refused = said(bob, "cancel", house.room, clip=house.job_of(private)["id"])
    assert refused.text == "Only the person who made this clip can do that."
    said(house.ada, "cancel", house.room, clip=house.job_of(private)["id"])
    failed = house.video("refused and unspeakable")
    house.shows(failed, "You were not charged")
    house.reelay.wait_quiet()
    said(olga, "admin takedown", house.room, clip=house.job_of(failed)["id"])
    until(lambda: failed.message is None, what="the card to go")
    house.end()
