"""Buttons and forms on a clip: what they do, who may press them, and that they outlive the process."""

from __future__ import annotations

import json

import pytest

from tests.journeys.discord.house import House
from tests.lab.discord import File, May, Person, Seen, Use
from tests.lab.waiting import until
from tests.media.hostile import photo

pytestmark = pytest.mark.journey


def pressed(person: Person, seen: Seen, button: str) -> Use:
    """Press, and wait for the answer."""
    use = person.press(seen, button)
    until(lambda: use.acknowledged or use.failed, what=f"the answer to {button}")
    assert use.failed is None
    return use


def children(home: House, parent: str, most: int = 1) -> list[dict[str, object]]:
    """The jobs that came of another one."""
    return until(
        lambda: (
            found if len(found := home.reelay.rows("SELECT * FROM jobs WHERE origin_id = ?", parent)) >= most else []
        ),
        what="the new job",
    )


def test_again_and_remix_make_new_clips_with_their_parent(home: House) -> None:
    use = home.video("a fox in the snow", image=File("fox.jpg", photo()), seconds=4, seed=7)
    seen = home.clip_of(use)
    parent = home.job_of(use)["id"]
    again = pressed(home.ada, seen, "Again")
    home.clip_of(again)
    child = children(home, parent)[0]
    assert json.loads(str(child["wanted"]))["prompt"] == "a fox in the snow"
    assert json.loads(str(child["applied"]))["seed"] != 7, "the same seed would be the same clip"
    assert json.loads(str(child["applied"]))["picture"] is not None
    form = pressed(home.ada, seen, "Remix")
    assert form.modal is not None
    sent = home.ada.submit(form, {"prompt": "a fox in the rain", "seed": "9", "aspect_ratio": "9:16"})
    until(lambda: sent.acknowledged)
    home.clip_of(sent)
    remix = home.job_of(sent)
    applied = json.loads(remix["applied"])
    assert remix["origin_id"] == parent
    assert (applied["seed"], applied["aspect_ratio"], applied["seconds"]) == (9, "9:16", 4)
    assert applied["picture"] is not None, "the picture stays unless another one is given"
    home.end()


def test_remix_takes_another_picture(home: House) -> None:
    use = home.video("a fox")
    seen = home.clip_of(use)
    form = pressed(home.ada, seen, "Remix")
    sent = home.ada.submit(form, {"prompt": "this fox", "image": File("fox.jpg", photo())})
    until(lambda: sent.acknowledged)
    home.clip_of(sent)
    assert json.loads(home.job_of(sent)["applied"])["picture"] is not None
    home.end()


def test_a_form_that_was_filled_in_wrongly_says_which_field(home: House) -> None:
    seen = home.clip_of(home.video("a fox"))
    form = pressed(home.ada, seen, "Remix")
    sent = home.ada.submit(form, {"prompt": "a fox", "seed": "minus two"})
    until(lambda: sent.acknowledged)
    assert sent.message is not None
    assert sent.message.ephemeral
    assert "seed" in sent.text
    assert home.jobs() == 1
    home.end()


def test_buttons_belong_to_whoever_asked_and_strangers_get_a_hint_of_their_own(home: House) -> None:
    bob = home.discord.add_person("bob", home.guild)
    seen = home.clip_of(home.video("a fox"))
    for label in ("Again", "Remix", "Favourite", "Delete", "Details"):
        use = pressed(bob, seen, label)
        assert use.modal is None
        assert use.message is not None
        assert use.message.ephemeral, label
        assert use.text == "Only the person who made this clip can do that."
    assert home.jobs() == 1
    assert [each.id for each in home.ada.messages(home.room) if each.author == "reelay" and not each.ephemeral] == [
        seen.id
    ]
    home.end()


def test_a_moderator_takes_a_clip_away_and_its_file_with_it(home: House) -> None:
    bob = home.discord.add_person("bob", home.guild)
    home.discord.grant(bob, home.guild, home.discord.add_role(home.guild, "moderators", May.MANAGE_MESSAGES))
    seen = home.clip_of(home.video("a fox"))
    sure = pressed(bob, seen, "Delete")
    assert sure.message is not None
    pressed(bob, sure.message, sure.message.labels[0])
    until(
        lambda: not [each for each in home.ada.messages(home.room) if each.author == "reelay"],
        what="the message to go",
    )
    until(lambda: home.clips() == 0, what="the rows to go")
    until(lambda: not home.clip_files(), what="the file to go")
    home.end()


def test_a_clip_is_starred_and_unstarred_and_listed_among_the_favourites(home: House) -> None:
    use = home.video("a fox in the snow")
    seen = home.clip_of(use)
    pressed(home.ada, seen, "Favourite")
    until(lambda: use.message and "Favourite" not in use.message.labels, 20, "the button to change")
    assert use.message is not None
    assert use.message.clip is not None, "the clip stays"
    shown = home.ada.slash("gallery", home.room, which="favourites")
    until(lambda: "fox in the snow" in shown.text, what="the gallery")
    starred = use.message
    assert starred is not None
    pressed(home.ada, starred, "unfavourite")
    until(lambda: use.message and "Favourite" in use.message.labels, 20, "the button to change back")
    home.end()


def test_details_tell_the_whole_prompt_and_the_settings(home: House) -> None:
    words = "a very long story about a fox " * 20
    use = home.video(words, negative="fog", seed=7)
    seen = home.clip_of(use)
    told = pressed(home.ada, seen, "Details")
    assert told.message is not None
    assert told.message.ephemeral
    assert words.strip() in told.text.replace("\\", "")
    assert "fog" in told.text
    assert "7" in told.text
    home.end()


def test_cancel_stops_a_clip_before_it_is_submitted_and_while_it_runs(home: House) -> None:
    home.script("forever", seconds=None)
    use = home.video("forever and a day")
    until(lambda: home.submitted("forever"), what="the submit")
    until(lambda: use.message and "Cancel" in use.message.labels, what="the button")
    assert use.message is not None
    pressed(home.ada, use.message, "Cancel")
    until(lambda: home.job_of(use)["state"] == "cancelled", what="the end")
    until(lambda: use.message and "Cancel" not in use.message.labels, 20, "the card to say so")
    assert home.job_of(use)["charged"] in (0, None)
    home.end()


def test_buttons_work_after_a_restart_and_after_fifteen_minutes(home: House) -> None:
    seen = home.clip_of(home.video("a fox in the snow"))
    home.reelay.wait_quiet()
    home.stop()
    home.later(1000)
    home.restart()
    again = pressed(home.ada, seen, "Again")
    home.clip_of(again)
    home.end()


def test_a_button_that_was_made_up_is_refused(home: House) -> None:
    seen = home.clip_of(home.video("a fox"))
    real = seen.button("Delete").custom_id
    assert real is not None
    world = home.discord.world.messages[seen.id]
    part = next(
        each
        for row in world.components[0]["components"]
        if row["type"] == 1
        for each in row["components"]
        if each["custom_id"] == real
    )
    part["custom_id"] = real[:-1] + ("a" if real[-1] != "a" else "b")
    use = home.ada.press(home.ada.look(world), "Delete")
    until(lambda: use.acknowledged)
    assert use.message is not None
    assert use.message.ephemeral
    assert len(home.clip_files()) == home.clips() == 1
    home.end()
