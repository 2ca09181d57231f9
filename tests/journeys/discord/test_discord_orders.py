"""Clips ordered in Discord: one message that tells the truth and becomes the clip."""

from __future__ import annotations

from pathlib import Path

import pytest

from media.sniff import sniff
from tests.journeys.discord.house import House
from tests.lab.discord import FORUM, File, Impossible
from tests.lab.waiting import until
from tests.media.hostile import photo, png

pytestmark = pytest.mark.journey


def test_a_picture_and_words_become_one_message_with_rising_progress_that_ends_as_the_clip(home: House) -> None:
    home.script(
        "lighthouse", seconds=45.0
    )  # not reached, and in all less than the minute after which a clip is announced
    use = home.video("a lighthouse at dusk", image=File("sea.jpg", photo()))
    assert use.interaction.answer is not None
    home.later(3.0)
    home.shows(use, "Rendering")
    for _ in range(3):
        home.next_edit(use, seconds=7.0)
    home.vendor.finish("lighthouse")
    seen = home.clip_of(use, 40)
    assert seen.clip is not None
    assert sniff(seen.clip.data[:64]) is not None
    assert seen.v2
    assert "AI\\-generated" in seen.text
    assert seen.labels == ["Again", "Remix", "Extend", "Favourite", "Details", "Delete"]
    public = [each for each in home.ada.messages(home.room) if each.author == "reelay"]
    assert [each.id for each in public] == [seen.id], "one message, from the first answer to the clip"
    bars = [moment.text.count("▰") for moment in use.history if "▰" in moment.text or "▱" in moment.text]
    assert bars == sorted(bars)
    assert len(set(bars)) >= 3, "the progress rose"
    job = home.job_of(use)
    assert (job["state"], job["charged"]) == ("done", 40)
    assert '"picture":null' not in job["applied"]
    home.end()


def test_options_reach_the_generator_and_stand_on_the_card(home: House) -> None:
    use = home.video("a fox", aspect="9:16", seconds=4, negative="fog", seed=7)
    seen = home.clip_of(use)
    assert "4 s · 9\\:16" in seen.text
    assert "seed 7" in seen.text
    assert '"negative_prompt":"fog"' in home.job_of(use)["wanted"]
    with pytest.raises(Impossible):
        home.ada.slash("video", home.room, prompt="a fox", aspect="2:1")
    home.end()


def test_nothing_in_a_prompt_pings_or_formats(home: House) -> None:
    bob = home.discord.add_person("bob", home.guild)
    use = home.video(f"@everyone <@{bob.id}> **bold** [link](https://example.org) `code` #general :smile:")
    seen = home.clip_of(use)
    assert "\\*\\*bold\\*\\*" in seen.text
    assert bob.notifications == []
    assert home.ada.notifications == []
    home.end()


def test_a_private_clip_is_seen_by_whoever_asked_and_by_nobody_else(home: House) -> None:
    bob = home.discord.add_person("bob", home.guild)
    use = home.video("a secret garden", private=True)
    seen = home.clip_of(use)
    assert seen.ephemeral
    assert [each for each in bob.messages(home.room) if each.author == "reelay"] == []
    shown = bob.slash("gallery", home.room, which="server")
    until(lambda: shown.acknowledged)
    assert "garden" not in shown.text
    home.end()


def test_what_cannot_be_is_refused_to_the_person_alone_and_makes_no_job(home: House) -> None:
    bob = home.discord.add_person("bob", home.guild)
    nothing = home.ada.slash("video", home.room)
    until(lambda: nothing.acknowledged)
    assert nothing.message is not None
    assert nothing.message.ephemeral
    assert nothing.text
    assert bob.messages(home.room) == []
    assert home.jobs() == 0
    home.end()


@pytest.mark.parametrize("data", [b"no picture at all", png(640, 480)[:-30]], ids=["text", "cut"])
def test_a_picture_that_is_none_ends_the_job_with_a_sentence(home: House, data: bytes) -> None:
    use = home.video("a ship", image=File("ship.png", data))
    until(lambda: home.job_of(use)["state"] == "failed", 30, "the end of it")
    until(lambda: use.text and "picture" in use.text.lower(), 20, "the reason")
    assert home.job_of(use)["charged"] in (0, None)
    home.end()


@pytest.mark.parametrize("option", ["image2", "image3", "last_image"])
def test_no_picture_is_asked_for_that_no_generator_takes(home: House, option: str) -> None:
    with pytest.raises(Impossible):
        home.ada.slash("video", home.room, prompt="a fox", **{option: File("sea.jpg", photo())})
    home.end()


def test_a_picture_in_a_message_is_animated_by_its_menu(home: House) -> None:
    posted = home.ada.say(home.room, "look", File("cat.jpg", photo()))
    use = home.ada.menu("Animate this", posted)
    until(lambda: use.acknowledged)
    home.clip_of(use)
    nothing = home.ada.menu("Animate this", home.ada.say(home.room, "only words"))
    until(lambda: nothing.acknowledged)
    assert nothing.message is not None
    assert nothing.message.ephemeral
    home.end()


def test_a_clip_is_animated_on_from_its_last_frame_by_whoever_sees_it(home: House) -> None:
    bob = home.discord.add_person("bob", home.guild)
    clip = home.clip_of(home.video("a fox in the snow"))
    use = bob.menu("Animate this", clip)
    until(lambda: use.acknowledged)
    home.clip_of(use)
    job = home.job_of(use)
    assert '"picture":null' not in job["applied"]
    home.end()


def test_an_avatar_is_animated_by_its_menu(home: House, tmp_path: Path) -> None:
    bob = home.discord.add_person("bob", home.guild)
    bare = home.ada.user_menu("Animate avatar", bob, home.room)
    until(lambda: bare.acknowledged)
    assert bare.message is not None
    assert bare.message.ephemeral
    assert "no picture" in bare.text
    bob.user.avatar = tmp_path / "bob.png"
    bob.user.avatar.write_bytes(png(256, 256))
    use = home.ada.user_menu("Animate avatar", bob, home.room)
    until(lambda: use.acknowledged)
    home.clip_of(use)
    assert '"picture":null' not in home.job_of(use)["applied"]
    home.end()


@pytest.mark.parametrize("where", ["thread", "forum post", "direct message"])
def test_it_works_wherever_people_talk(home: House, where: str) -> None:
    discord, person = home.discord, home.ada
    if where == "thread":
        channel = discord.add_thread(home.room)
    elif where == "forum post":
        channel = discord.add_thread(discord.add_channel(home.guild, "ideas", kind=FORUM))
    else:
        person = home.guest("eve", home.guild)
        channel = person.direct()
    use = home.video("a fox", channel, person)
    seen = home.clip_of(use)
    assert [each.id for each in home.bots(channel, person)] == [seen.id]
    home.end()


def test_the_same_command_twice_is_one_job(home: House) -> None:
    home.discord.gateway.copies = 2
    use = home.video("a fox")
    home.clip_of(use)
    assert home.jobs() == 1
    home.end()


def test_a_model_is_found_while_it_is_typed(home: House) -> None:
    use = home.ada.autocomplete("video", "model", "la", home.room)
    until(lambda: use.choices is not None)
    assert use.choices is not None
    assert [value for _, value in use.choices] == ["lab"]
    assert "40" in use.choices[0][0]
    none = home.ada.autocomplete("video", "model", "zzz", home.room)
    until(lambda: none.choices is not None)
    assert none.choices == []
    home.end()


def test_a_job_of_more_than_a_minute_is_announced_once_by_a_short_reply(home: House) -> None:
    home.script("whale", seconds=None)
    use = home.video("a whale")
    until(lambda: home.submitted("whale"), what="the submit")
    home.later(90)
    home.vendor.finish("whale")
    home.clip_of(use)
    until(lambda: home.ada.notifications, 20, "the bell")
    home.reelay.wait_quiet()
    assert len(home.ada.notifications) == 1
    assert home.ada.notifications[0].reply_to is not None
    home.end()


def test_a_generator_that_fails_says_so_and_nothing_is_charged(home: House) -> None:
    home.script("refused", fails="content")
    use = home.video("refused by its rules")
    until(lambda: home.job_of(use)["state"] == "failed", 30, "the end")
    seen = home.shows(use, "You were not charged")
    assert "Edit prompt" in seen.labels
    home.end()
