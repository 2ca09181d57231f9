"""The panel of a film's scenes: everything that can be done with each of them, before it is made and after."""

from __future__ import annotations

import pytest

from tests.journeys.discord.films import becomes_film, card, chosen, ordered, pressed, scene, words, written
from tests.journeys.discord.house import EDIT_SECONDS, House
from tests.lab.waiting import until

pytestmark = pytest.mark.journey


def test_every_scene_is_edited_moved_added_removed_and_written_anew_on_one_panel(home: House) -> None:
    use = ordered(home, "a day at the harbour", scenes=3)
    page = scene(home, use, 2)
    assert card(page).labels == [
        "Edit", "Write anew", "Earlier", "Later", "Add one after it", "Remove", "All scenes",
    ]  # fmt: skip
    page = written(home, page, "Edit", "A gull on a mast, *looking* at @everyone.")
    assert words(page).splitlines() == ["**Scene 2 of 3**", "A gull on a mast, *looking* at @everyone."]
    empty = written(home, page, "Edit", "   ")
    assert words(empty).startswith("A scene needs words")
    page = pressed(home.ada, card(page), "Earlier")
    assert "Scene 1 of 3" in page.text
    assert "Earlier" not in card(page).labels
    shown = written(home, page, "Add one after it", "A crane lifts a container.")
    home.in_time(lambda: "2. A crane lifts a container." in words(use), EDIT_SECONDS)
    assert "1. A gull on a mast" in words(use)
    assert "160 credits" in use.text
    page = chosen(home, shown, 4)
    before = words(page).splitlines()[1]
    page = pressed(home.ada, card(page), "Write anew")
    until(lambda: before not in words(page) and "Scene 4 of 4" in page.text and "Edit" in card(page).labels)
    home.in_time(lambda: words(page).splitlines()[1][:60] in words(use), EDIT_SECONDS, what="them on the card")
    shown = pressed(home.ada, card(page), "Remove")
    assert "4." not in shown.text
    home.in_time(lambda: "120 credits" in use.text, EDIT_SECONDS)
    assert home.submitted("") == []
    home.end()


def test_twenty_long_scenes_are_on_the_card_and_on_the_panel(home: House) -> None:
    use = ordered(home, "a long parade", scenes=20)
    page = written(home, scene(home, use, 20), "Edit", "_" * 1500)  # each sign takes two on Discord
    assert "\\_" * 1000 in page.text
    home.in_time(lambda: "\\_" in use.text, EDIT_SECONDS)
    assert [f"{place}." in use.text for place in range(1, 21)] == [True] * 20
    assert "Add one after it" not in card(page).labels, "a film has at most twenty"
    shown = pressed(home.ada, card(page), "All scenes")
    (menu,) = card(shown).menus
    assert len(menu.options) == 20
    assert "Add a scene" not in card(shown).labels
    home.end()


def test_a_refused_scene_leaves_a_film_and_is_tried_again_in_other_words(home: House) -> None:
    home.script("harbour", fails="content")
    use = ordered(home, "a walk", scenes=3)
    written(home, scene(home, use, 2), "Edit", "The harbour at noon.")
    home.in_time(lambda: "harbour at noon" in use.text, EDIT_SECONDS)
    pressed(home.ada, card(use), "Make it")
    seen = becomes_film(home, use, "The film is made from 2 of 3 scenes.")
    assert "2. ✗ declined · The harbour at noon." in words(use)
    assert words(use).endswith("· 80 credits")
    assert seen.labels[0] == "Try 1 scene again · 40 credits"
    pressed(home.ada, seen, "Try 1 scene again")
    home.in_time(lambda: len(home.submitted("harbour")) == 2, EDIT_SECONDS)
    home.settle()
    assert "2. ✗ declined" in words(use)
    page = scene(home, use, 2)
    assert "Lab lab declined this prompt. You were not charged." in page.text
    assert card(page).labels == [
        "Try again · 40 credits", "Change the words and try again · 40 credits", "With Lab other · 15 credits",
        "With Built-in generator · Free", "All scenes",
    ]  # fmt: skip
    written(home, page, "Change the words", "The port at noon.")
    becomes_film(home, use)
    assert "120 credits" in use.text
    assert len(home.submitted("port")) == 1
    assert len(home.submitted("")) == 5, "what was made before was not made again"
    assert [each.id for each in home.bots() if not each.ephemeral] == [seen.id], "one message from order to film"
    home.end(resent=True)


def test_a_scene_goes_to_another_generator_for_the_price_that_its_button_says(home: House) -> None:
    home.script("harbour", fails="content")
    use = ordered(home, "a ship", scenes=2, seconds=4)
    written(home, scene(home, use, 1), "Edit", "The harbour at noon.")
    home.in_time(lambda: "harbour at noon" in use.text, EDIT_SECONDS)
    pressed(home.ada, card(use), "Make it")
    becomes_film(home, use, "The film is made from 1 of 2 scenes.")
    home.vendor.forget_scripts()  # both generators ask the same vendor
    pressed(home.ada, card(scene(home, use, 1)), "With Lab other · 15 credits")
    becomes_film(home, use)
    assert "55 credits" in use.text
    home.end(resent=True)


@pytest.fixture(scope="module")
def generators() -> list[dict[str, object]]:
    return [{"name": "other", "price": 15, "poll_seconds": [0.05, 0.2]}]
