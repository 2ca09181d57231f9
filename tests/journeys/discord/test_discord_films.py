"""Films on Discord: ordered, approved, made and watched in one message, with a real process and the strict lab."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.journeys.discord.films import (
    AWAITING,
    answered,
    becomes_film,
    card,
    ordered,
    pressed,
    scene,
    state,
    words,
    written,
)
from tests.journeys.discord.house import EDIT_SECONDS, House
from tests.lab.discord import File, May
from tests.lab.vendor import Script
from tests.lab.waiting import until
from tests.media.canned import tone
from tests.media.hostile import photo

pytestmark = pytest.mark.journey


def test_an_idea_becomes_a_storyboard_and_then_a_film_in_the_same_message(home: House) -> None:
    use = ordered(home, "a tourist exploring Austin", scenes=3, character="a silver robot", aspect="9:16", seconds=4)
    storyboard = card(use)
    assert "3 scenes of 4 s · 9:16" in words(use)
    assert storyboard.labels == ["Make it · 120 credits", "Scenes", "Cancel"]
    (portrait,) = storyboard.media
    assert (portrait.kind, portrait.description, portrait.data[:4]) == (
        "thumbnail",
        "character: a silver robot",
        b"\x89PNG",
    )
    assert home.submitted("") == [], "nothing is made before somebody says so"
    pressed(home.ada, storyboard, "Make it")
    seen = becomes_film(home, use)
    assert len(home.submitted("a silver robot")) == 3
    assert seen.id == storyboard.id
    assert [each.kind for each in seen.media] == ["gallery"], "the picture of who recurs has gone"
    assert seen.labels == ["Scenes", "Again", "Favourite", "Details", "Delete"]
    assert "120 credits" in use.text
    home.end()


def test_a_film_is_listed_sent_again_and_cancelled_like_a_clip(home: House) -> None:
    made = ordered(home, "a red kite", scenes=1)
    pressed(home.ada, card(made), "Make it")
    becomes_film(home, made)
    waiting = ordered(home, "a blue kite", scenes=2)
    listed = answered(home.ada.slash("jobs", home.room))
    assert "a red kite" in listed.text
    assert AWAITING in listed.text, "scenes, scripts and pictures are no jobs of their own here"
    assert listed.text.count("kite") == 2
    answered(home.ada.slash("cancel", home.room, clip=home.job_of(waiting)["id"]))
    home.in_time(lambda: "Cancelled" in waiting.text, EDIT_SECONDS, what="the end of the storyboard")
    assert "Make it" not in str(card(waiting).labels)
    gallery = answered(home.ada.slash("gallery", home.room))
    assert gallery.text.count("kite") == 1
    again = answered(home.ada.slash("resend", home.room, clip=home.job_of(made)["id"]))
    becomes_film(home, again)
    assert card(again).id != card(made).id
    home.end(resent=True)


def test_the_price_that_was_shown_is_the_most_that_is_paid_and_only_the_owner_pays_it(home: House) -> None:
    bob = home.discord.add_person("bob", home.guild)
    home.discord.grant(bob, home.guild, home.discord.add_role(home.guild, "moderators", May.MANAGE_MESSAGES))
    use = ordered(home, "a night train", scenes=1)
    for label in ("Make it", "Scenes"):
        refused = pressed(bob, card(use), label)
        assert refused.text == "Only the person who made this clip can do that."
        assert card(refused).ephemeral
    page = written(home, scene(home, use, 1), "Edit", "A train in the rain.")
    home.in_time(lambda: "A train in the rain." in use.text, EDIT_SECONDS)
    written(home, page, "Add one after it", "A lamp.")
    asked = pressed(home.ada, card(use), "Make it · 40 credits")  # its card has not been edited again yet
    until(lambda: asked.followups, what="the question")
    (question,) = asked.followups
    assert question.ephemeral
    assert question.text.replace("\\", "").startswith("The price has changed: it was 40 credits and is 80 credits now.")
    assert home.submitted("") == []
    for both in [home.ada.press(question, "Make it · 80 credits") for _ in range(2)]:
        answered(both)
    becomes_film(home, use)
    assert len(home.submitted("")) == 2, "approved twice, made once"
    home.end()


def test_a_moderator_stops_a_film_but_makes_none(home: House) -> None:
    bob = home.discord.add_person("bob", home.guild)
    home.discord.grant(bob, home.guild, home.discord.add_role(home.guild, "moderators", May.MANAGE_MESSAGES))
    use = ordered(home, "a noisy street", scenes=1)
    pressed(bob, card(use), "Cancel")
    home.in_time(lambda: "Cancelled" in use.text, EDIT_SECONDS, what="the end")
    refused = pressed(bob, card(use), "Again")
    assert refused.text == "Only the person who made this clip can do that."
    home.end()


def test_a_private_storyboard_that_waited_for_long_becomes_the_film_where_it_stands(home: House) -> None:
    use = ordered(home, "a secret garden", scenes=1, private=True)
    assert card(use).ephemeral
    home.later(3600)  # no token of the command reaches the message any more
    pressed(home.ada, card(use), "Make it")
    becomes_film(home, use)
    assert home.ada.messages(home.ada.direct()) == []
    home.end()


def test_a_film_to_somebodys_song_with_their_own_picture_is_made_once_more_by_a_press(home: House) -> None:
    picture = File("fox.jpg", photo())
    options: dict[str, Any] = {"title": "The Dance", "transition": "crossfade", "scenes": 2}
    use = ordered(home, "a fox dances", song=File("song.wav", tone()), image=picture, **options)
    assert "**The Dance**" in use.text
    assert "your song (6 s)" in words(use)
    assert [each.filename for each in card(use).media] == ["fox.jpg"]
    pressed(home.ada, card(use), "Make it")
    becomes_film(home, use)
    again = pressed(home.ada, card(use), "Again")
    home.in_time(lambda: AWAITING in again.text, EDIT_SECONDS, what="another storyboard")
    plans = [
        json.loads(home.reelay.value("SELECT plan FROM films WHERE job_id = ?", home.job_of(each)["id"]))
        for each in (use, again)
    ]
    kept = ("title", "transition", "music", "own_picture")
    assert [[plan[name] for name in kept] for plan in plans] == [["The Dance", "crossfade", "song", True]] * 2
    assert [round(plan["song_seconds"]) for plan in plans] == [6, 6]
    assert plans[0]["song_key"] != plans[1]["song_key"], "a copy of its own, that goes with its film"
    home.end()


def test_a_song_that_is_none_is_told_and_costs_nothing(home: House) -> None:
    use = answered(home.ada.slash("film", home.room, idea="a fox", song=File("song.mp3", b"no song at all" * 99)))
    home.in_time(lambda: "I can't play that song" in words(use), EDIT_SECONDS, what="the refusal")
    home.end()


def test_several_variations_are_messages_of_their_own(home: House) -> None:
    use = home.answered(home.ada.slash("video", home.room, prompt="a lighthouse", variations=3, seed=5))
    home.clip_of(use)
    home.in_time(lambda: sum(each.clip is not None for each in home.answers()) == 3, EDIT_SECONDS, what="three clips")
    assert sorted(each.text.partition("seed ")[2][:1] for each in home.answers()) == ["5", "6", "7"]
    assert len(home.submitted("lighthouse")) == 3
    home.end()


def test_variations_of_a_private_clip_stay_private(home: House) -> None:
    use = home.answered(home.ada.slash("video", home.room, prompt="a secret", variations=2, private=True))
    assert home.clip_of(use).ephemeral
    home.in_time(lambda: [each for each in home.bots(home.ada.direct()) if each.clip], EDIT_SECONDS, what="the second")
    assert [each.text for each in home.bots() if not each.ephemeral] == []
    home.end()


def test_a_clip_that_goes_on_is_joined_with_the_one_before(home: House) -> None:
    first = home.video("a lighthouse")
    home.clip_of(first)
    answered(home.ada.slash("extend", home.room, clip=home.job_of(first)["id"], prompt="a storm comes", join=True))
    home.in_time(lambda: sum(each.clip is not None for each in home.answers()) == 2, EDIT_SECONDS, what="both in one")
    (job,) = home.reelay.rows("SELECT * FROM jobs WHERE kind = 'merge'")
    assert (job["state"], len(home.submitted("storm"))) == ("done", 1)
    home.end()


def test_a_storyboard_that_nobody_wanted_for_a_month_is_closed_and_its_person_is_told(house: House) -> None:
    house.start()
    use = ordered(house, "a boat nobody builds", scenes=2)
    house.later(30 * 86_400 + 60)
    house.in_time(lambda: "waited for 30 days" in use.text, EDIT_SECONDS, what="the end")
    until(lambda: len(house.bots()) == 2, what="the notice")
    (told,) = (each for each in house.bots() if each.id != card(use).id)
    assert told.text.startswith(f"<@{house.ada.id}>: This storyboard waited for 30 days")
    house.end()


def test_killed_while_it_waits_and_while_it_is_made_it_goes_on_in_the_same_message(house: House) -> None:
    house.start()
    house.vendor.default = replace(house.vendor.default, seconds=None)
    house.script("first", Script(seconds=0.2))
    use = ordered(house, "a long way", scenes=3)
    house.reelay.kill()
    house.restart()
    written(house, scene(house, use, 1), "Edit", "The first mile.")
    pressed(house.ada, card(use), "Make it")
    until(lambda: len(house.submitted("")) == 3, what="the orders of the scenes")
    house.in_time(lambda: "1 of 3 done" in use.text, EDIT_SECONDS, what="the first scene")
    house.reelay.kill()
    house.restart()
    until(lambda: state(house, use) == "making")
    house.vendor.finish("")
    seen = becomes_film(house, use)
    assert house.paid() == [1, 1, 1], "no scene was ordered twice"
    assert [each.id for each in house.bots() if not each.ephemeral] == [seen.id]
    pressed(house.ada, seen, "Favourite")
    house.in_time(lambda: "Unfavourite" in str(card(use).labels) or "Favourite" not in card(use).labels, EDIT_SECONDS)
    house.end()


def test_a_template_is_kept_filled_in_and_forgotten(home: House) -> None:
    saved = answered(home.ada.slash("examples", home.room, save="dusk", text="{subject} at {time|dusk}, slow"))
    assert "Kept as the template dusk." in saved.text
    assert "dusk, noir" in answered(home.ada.slash("examples", home.room)).text
    use = home.ada.slash("video", home.room, prompt="a pier", template="dusk", fill="subject=a lamp")
    until(lambda: home.submitted("a lamp at dusk, slow. a pier"), what="the clip of the template")
    home.in_time(lambda: "a lamp at dusk" in use.text, EDIT_SECONDS, what="the card of the clip")
    gone = answered(home.ada.slash("examples", home.room, drop="dusk"))
    assert "The template dusk is forgotten." in gone.text
    home.settle()
    home.end()
