"""The verbs that show, set and erase; what only operators and managers may; in the language of whoever asks."""

from __future__ import annotations

import json

import pytest

from tests.journeys.discord.house import House
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


def manager(home: House, name: str = "bob") -> Person:
    """Somebody who manages the server."""
    person = home.discord.add_person(name, home.guild)
    home.discord.grant(person, home.guild, home.discord.add_role(home.guild, "managers", May.MANAGE_GUILD))
    return person


def operator(home: House) -> Person:
    """The operator, who manages the server as well."""
    home.discord.join(home.olga, home.guild, home.discord.add_role(home.guild, "managers", May.MANAGE_GUILD))
    return home.olga


def test_what_is_always_there_answers_also_before_the_first_clip(home: House) -> None:
    for name in ("help", "privacy", "quota", "settings", "jobs", "gallery", "examples", "forget"):
        assert len(said(home.ada, name, home.room).text) > 10, name
    assert "/video" in said(home.ada, "help", home.room).text
    assert home.jobs() == 0
    home.end()


def test_settings_are_kept_and_used(home: House) -> None:
    text = said(home.ada, "settings", home.room, aspect="9:16", seconds=4, notify=False).text
    assert "Saved" in text
    assert "9\\:16" in text
    use = home.video("a fox")
    home.clip_of(use)
    applied = json.loads(home.job_of(use)["applied"])
    assert (applied["aspect_ratio"], applied["seconds"]) == ("9:16", 4)
    home.end()


def test_jobs_lists_and_cancels(home: House) -> None:
    home.script("forever", seconds=None)
    use = home.video("forever and a day")
    until(lambda: home.submitted("forever"))
    shown = said(home.ada, "jobs", home.room)
    assert "forever and a day" in shown.text
    assert shown.message is not None
    pressed = home.ada.press(shown.message, shown.message.labels[0])
    until(lambda: pressed.acknowledged)
    until(lambda: home.job_of(use)["state"] == "cancelled")
    assert "forever" not in said(home.discord.add_person("bob", home.guild), "jobs", home.room).text
    home.end()


def test_cancel_by_name_is_offered_while_it_is_typed(home: House) -> None:
    home.script("forever", seconds=None)
    use = home.video("forever and a day")
    until(lambda: home.submitted("forever"))
    typing = home.ada.autocomplete("cancel", "clip", "ever", home.room)
    until(lambda: typing.choices)
    assert typing.choices is not None
    ((name, value),) = typing.choices
    assert "forever and a day" in name
    assert value == home.job_of(use)["id"]
    bob = home.discord.add_person("bob", home.guild)
    others = bob.autocomplete("cancel", "clip", "", home.room)
    until(lambda: others.choices is not None)
    assert others.choices == []
    refused = said(bob, "cancel", home.room, clip=value)
    assert "Only the person" in refused.text
    said(home.ada, "cancel", home.room, clip=value)
    until(lambda: home.job_of(use)["state"] == "cancelled")
    home.end()


def test_the_gallery_shows_own_clips_and_those_of_the_server_and_posts_one_again(home: House) -> None:
    bob = home.discord.add_person("bob", home.guild)
    home.clip_of(home.video("a fox in the snow"))
    home.clip_of(home.video("a whale", person=bob))
    mine = said(home.ada, "gallery", home.room)
    assert "fox in the snow" in mine.text
    assert "whale" not in mine.text
    server = said(home.ada, "gallery", home.room, which="server")
    assert "whale" in server.text
    assert f"discord.com/channels/{home.guild.id}/{home.room.id}/" in server.text
    assert mine.message is not None
    again = home.ada.press(mine.message, mine.message.labels[0])
    until(lambda: again.acknowledged)
    home.clip_of(again)
    assert home.jobs() == 2, "nothing was made anew"
    assert home.paid() == [1, 1]
    home.end(resent=True)


def test_an_example_is_one_press_away(home: House) -> None:
    shown = said(home.ada, "examples", home.room)
    assert shown.message is not None
    use = home.ada.press(shown.message, shown.message.labels[0])
    until(lambda: use.acknowledged)
    home.clip_of(use)
    assert home.jobs() == 1
    home.end()


def test_forget_asks_once_and_erases(home: House) -> None:
    home.clip_of(home.video("a fox with a secret"))
    home.reelay.wait_quiet()
    sure = said(home.ada, "forget", home.room)
    assert sure.message is not None
    assert home.jobs() == 1
    use = home.ada.press(sure.message, sure.message.labels[0])
    until(lambda: "erased" in use.text, 30)
    assert home.clips() == 0
    for path in home.reelay.data.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"fox with a secret" not in data, path.name
            assert home.ada.id.encode() not in data, path.name
    home.end(known="the vendor billed an attempt that nobody knows")


@pytest.mark.parametrize(
    "locale,word", [("de", "ausgegeben"), ("fr", "crédits"), ("es-ES", "créditos"), ("ja", "credits")]
)
def test_answers_come_in_the_language_of_whoever_asks(home: House, locale: str, word: str) -> None:
    eve = home.discord.add_person("eve", home.guild, locale=locale)
    assert word.casefold() in said(eve, "quota", home.room).text.casefold()
    home.end()


# ---------------------------------------------------------------------------------------------------------------------- admin


def test_admin_is_not_for_everybody(home: House) -> None:
    with pytest.raises(Impossible):
        home.ada.slash("admin stats", home.room)
    bob = manager(home)
    assert "made" in said(bob, "admin stats", home.room).text
    for name, options in (
        ("admin grant", {"who": home.ada, "amount": 5}),
        ("admin block", {"who": home.ada}),
        ("admin pause", {}),
        ("admin provider", {"name": "lab", "on": False}),
        ("admin quota", {"credits": "5"}),
        ("admin takedown", {"clip": "x"}),
    ):
        assert said(bob, name, home.room, **options).text == "You may not do that here.", name
    assert home.audited() == []
    home.end()


def test_an_operator_blocks_grants_pauses_and_it_is_all_in_the_trail(home: House) -> None:
    olga = operator(home)
    said(olga, "admin grant", home.room, who=home.ada, amount=25)
    assert "25 credits" in said(home.ada, "quota", home.room).text
    said(olga, "admin block", home.room, who=home.ada)
    refused = home.ada.slash("video", home.room, prompt="a fox")
    until(lambda: refused.text)
    assert home.jobs() == 0
    said(olga, "admin block", home.room, who=home.ada, lift=True)
    home.clip_of(home.video("a fox"))
    said(olga, "admin pause", home.room)
    refused = home.ada.slash("video", home.room, prompt="a fox")
    until(lambda: refused.text)
    assert home.jobs() == 1
    said(olga, "admin pause", home.room, lift=True)
    said(olga, "admin provider", home.room, name="lab", on=False)
    said(olga, "admin provider", home.room, name="lab", on=True)
    said(olga, "admin quota", home.room, who=home.ada, credits="50")
    assert "50" in said(olga, "admin quota", home.room, who=home.ada).text
    said(olga, "admin stats", home.room)
    assert [line["verb"] for line in home.audited()] == [
        "grant",
        "block",
        "unblock",
        "pause",
        "resume",
        "pause",
        "resume",
        "limit",
    ]
    home.end()


def test_a_manager_chooses_the_channels(home: House) -> None:
    bob = manager(home)
    other = home.discord.add_channel(home.guild, "other")
    said(bob, "admin channel", home.room, allow=False)
    refused = home.ada.slash("video", home.room, prompt="a fox")
    until(lambda: refused.text)
    assert refused.message is not None
    assert refused.message.ephemeral
    inside = home.ada.slash("video", home.discord.add_thread(home.room), prompt="a fox")
    until(lambda: inside.text)
    assert home.jobs() == 0
    home.clip_of(home.video("a fox", other))
    home.stop()
    home.restart()
    refused = home.ada.slash("video", home.room, prompt="a fox")
    until(lambda: refused.text)
    assert home.jobs() == 1, "a rule outlives the process"
    said(bob, "admin channel", home.room, allow=True)
    refused = home.ada.slash("video", other, prompt="a fox")
    until(lambda: refused.text)
    home.clip_of(home.video("a fox"))
    assert home.jobs() == 2
    home.end()


def test_a_takedown_removes_file_links_and_messages(home: House) -> None:
    olga = operator(home)
    use = home.video("a fox")
    home.clip_of(use)
    home.reelay.wait_quiet()
    said(olga, "admin takedown", home.room, clip=home.job_of(use)["id"])
    until(
        lambda: not [each for each in home.ada.messages(home.room) if each.author == "reelay"],
        what="the message to go",
    )
    until(lambda: not home.clip_files(), what="the file to go")
    assert "fox" not in said(home.ada, "gallery", home.room).text
    home.end()


def test_whoever_is_not_invited_is_told_so_and_may_still_leave(home: House) -> None:
    room = home.discord.add_channel(home.discord.add_guild("Elsewhere"), "general")
    assert room.guild is not None
    home.discord.join(home.ada, room.guild)
    refused = home.ada.slash("video", room, prompt="a fox")
    until(lambda: refused.text)
    assert refused.text == "This Reelay is not open to everybody. Its operator can let you in."
    assert refused.message is not None
    assert refused.message.ephemeral
    for name in ("help", "privacy", "forget"):
        assert "not open" not in said(home.ada, name, room).text
    assert home.jobs() == 0
    home.end()


def test_clips_of_an_age_restricted_channel_stay_in_such_channels(home: House) -> None:
    adults = home.discord.add_channel(home.guild, "adults", adults_only=True)
    home.clip_of(home.video("a fox after dark", adults))
    assert "after dark" not in said(home.ada, "gallery", home.room, which="server").text
    assert "after dark" in said(home.ada, "gallery", adults, which="server").text
    home.end()


def test_a_moderator_has_no_hand_in_a_private_clip_and_a_failed_one_is_taken_down_with_its_words(home: House) -> None:
    olga = operator(home)
    home.script("forever", seconds=None)
    home.script("refused", fails="content")
    private = home.video("forever private", private=True)
    until(lambda: home.submitted("forever"))
    bob = home.discord.add_person("bob", home.guild)
    home.discord.grant(bob, home.guild, home.discord.add_role(home.guild, "moderators", May.MANAGE_MESSAGES))
    refused = said(bob, "cancel", home.room, clip=home.job_of(private)["id"])
    assert refused.text == "Only the person who made this clip can do that."
    said(home.ada, "cancel", home.room, clip=home.job_of(private)["id"])
    failed = home.video("refused and unspeakable")
    home.shows(failed, "You were not charged")
    home.reelay.wait_quiet()
    said(olga, "admin takedown", home.room, clip=home.job_of(failed)["id"])
    until(lambda: failed.message is None, what="the card to go")
    home.end()
