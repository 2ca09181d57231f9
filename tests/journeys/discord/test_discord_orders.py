"""Clips ordered in Discord: one message that tells the truth and becomes the clip."""

from __future__ import annotations

from pathlib import Path

import pytest

from media.sniff import sniff
from tests.journeys.discord.conftest import House
from tests.lab.discord import FORUM, File, Impossible
from tests.lab.waiting import until
from tests.media.hostile import photo, png

pytestmark = pytest.mark.journey


def test_a_picture_and_words_become_one_message_with_rising_progress_that_ends_as_the_clip(house: House) -> None:
    house.script("lighthouse", seconds=13.0)
    house.start()
    use = house.video("a lighthouse at dusk", image=File("sea.jpg", photo()))
    assert use.interaction.answer is not None
    seen = house.clip_of(use, 40)
    assert seen.clip is not None
    assert sniff(seen.clip.data[:64]) is not None
    assert seen.v2
    assert "AI\\-generated" in seen.text
    assert seen.labels == ["Again", "Remix", "Extend", "Favourite", "Details", "Delete"]
    public = [each for each in house.ada.messages(house.room) if each.author == "reelay"]
    assert [each.id for each in public] == [seen.id], "one message, from the first answer to the clip"
    bars = [moment.text.count("▰") for moment in use.history if "▰" in moment.text or "▱" in moment.text]
    assert bars == sorted(bars)
    assert len(set(bars)) >= 3, "the progress rose"
    job = house.job_of(use)
    assert (job["state"], job["charged"]) == ("done", 40)
    assert '"picture":null' not in job["applied"]
    house.end()


def test_options_reach_the_generator_and_stand_on_the_card(house: House) -> None:
    house.start()
    use = house.video("a fox", aspect="9:16", seconds=4, negative="fog", seed=7)
    seen = house.clip_of(use)
    assert "4 s · 9\\:16" in seen.text
    assert "seed 7" in seen.text
    assert '"negative_prompt":"fog"' in house.job_of(use)["wanted"]
    with pytest.raises(Impossible):
        house.ada.slash("video", house.room, prompt="a fox", aspect="2:1")
    house.end()


def test_nothing_in_a_prompt_pings_or_formats(house: House) -> None:
    house.start()
    bob = house.discord.add_person("bob", house.guild)
    use = house.video(f"@everyone <@{bob.id}> **bold** [link](https://example.org) `code` #general :smile:")
    seen = house.clip_of(use)
    assert "\\*\\*bold\\*\\*" in seen.text
    assert bob.notifications == []
    assert house.ada.notifications == []
    house.end()


def test_a_private_clip_is_seen_by_whoever_asked_and_by_nobody_else(house: House) -> None:
    house.start()
    bob = house.discord.add_person("bob", house.guild)
    use = house.video("a secret garden", private=True)
    seen = house.clip_of(use)
    assert seen.ephemeral
    assert [each for each in bob.messages(house.room) if each.author == "reelay"] == []
    shown = bob.slash("gallery", house.room, which="server")
    until(lambda: shown.acknowledged)
    assert "garden" not in shown.text
    house.end()


def test_what_cannot_be_is_refused_to_the_person_alone_and_makes_no_job(house: House) -> None:
    house.start()
    bob = house.discord.add_person("bob", house.guild)
    nothing = house.ada.slash("video", house.room)
    until(lambda: nothing.acknowledged)
    assert nothing.message is not None
    assert nothing.message.ephemeral
    assert nothing.text
    assert bob.messages(house.room) == []
    assert house.jobs() == 0
    house.end()


@pytest.mark.parametrize("data", [b"no picture at all", png(640, 480)[:-30]], ids=["text", "cut"])
def test_a_picture_that_is_none_ends_the_job_with_a_sentence(house: House, data: bytes) -> None:
    house.start()
    use = house.video("a ship", image=File("ship.png", data))
    until(lambda: house.job_of(use)["state"] == "failed", 30, "the end of it")
    until(lambda: use.text and "picture" in use.text.lower(), 20, "the reason")
    assert house.job_of(use)["charged"] in (0, None)
    house.end()


def test_a_picture_in_a_message_is_animated_by_its_menu(house: House) -> None:
    house.start()
    posted = house.ada.say(house.room, "look", File("cat.jpg", photo()))
    use = house.ada.menu("Animate this", posted)
    until(lambda: use.acknowledged)
    house.clip_of(use)
    nothing = house.ada.menu("Animate this", house.ada.say(house.room, "only words"))
    until(lambda: nothing.acknowledged)
    assert nothing.message is not None
    assert nothing.message.ephemeral
    house.end()


def test_a_clip_is_animated_on_from_its_last_frame_by_whoever_sees_it(house: House) -> None:
    house.start()
    bob = house.discord.add_person("bob", house.guild)
    clip = house.clip_of(house.video("a fox in the snow"))
    use = bob.menu("Animate this", clip)
    until(lambda: use.acknowledged)
    house.clip_of(use)
    job = house.job_of(use)
    assert '"picture":null' not in job["applied"]
    house.end()


def test_an_avatar_is_animated_by_its_menu(house: House, tmp_path: Path) -> None:
    house.start()
    bob = house.discord.add_person("bob", house.guild)
    bare = house.ada.user_menu("Animate avatar", bob, house.room)
    until(lambda: bare.acknowledged)
    assert bare.message is not None
    assert bare.message.ephemeral
    assert "no picture" in bare.text
    bob.user.avatar = tmp_path / "bob.png"
    bob.user.avatar.write_bytes(png(256, 256))
    use = house.ada.user_menu("Animate avatar", bob, house.room)
    until(lambda: use.acknowledged)
    house.clip_of(use)
    assert '"picture":null' not in house.job_of(use)["applied"]
    house.end()


@pytest.mark.parametrize("where", ["thread", "forum post", "direct message"])
def test_it_works_wherever_people_talk(house: House, where: str) -> None:
    house.start(environ={"REELAY_ALLOWED": f"discord:guild:{house.guild.id},discord:user:{house.ada.id}"})
    discord = house.discord
    if where == "thread":
        channel = discord.add_thread(house.room)
    elif where == "forum post":
        channel = discord.add_thread(discord.add_channel(house.guild, "ideas", kind=FORUM))
    else:
        channel = house.ada.direct()
    use = house.video("a fox", channel)
    seen = house.clip_of(use)
    assert [each.id for each in house.ada.messages(channel) if each.author == "reelay"] == [seen.id]
    house.end()


def test_the_same_command_twice_is_one_job(house: House) -> None:
    house.discord.gateway.copies = 2
    house.start()
    use = house.video("a fox")
    house.clip_of(use)
    assert house.jobs() == 1
    house.end()


def test_a_model_is_found_while_it_is_typed(house: House) -> None:
    house.start()
    use = house.ada.autocomplete("video", "model", "la", house.room)
    until(lambda: use.choices is not None)
    assert use.choices is not None
    assert [value for _, value in use.choices] == ["lab"]
    assert "40" in use.choices[0][0]
    none = house.ada.autocomplete("video", "model", "zzz", house.room)
    until(lambda: none.choices is not None)
    assert none.choices == []
    house.end()


def test_a_job_of_more_than_a_minute_is_announced_once_by_a_short_reply(house: House) -> None:
    house.script("whale", seconds=None)
    house.start()
    use = house.video("a whale")
    until(lambda: house.vendor.of("whale"), what="the submit")
    house.later(90)
    house.vendor.finish("whale")
    house.clip_of(use)
    until(lambda: house.ada.notifications, 20, "the bell")
    house.reelay.wait_quiet()
    assert len(house.ada.notifications) == 1
    assert house.ada.notifications[0].reply_to is not None
    house.end()


def test_a_generator_that_fails_says_so_and_nothing_is_charged(house: House) -> None:
    house.script("refused", fails="content")
    house.start()
    use = house.video("refused by its rules")
    until(lambda: house.job_of(use)["state"] == "failed", 30, "the end")
    seen = house.shows(use, "You were not charged")
    assert "Edit prompt" in seen.labels
    house.end()
