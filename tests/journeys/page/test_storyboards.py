"""The storyboard on the page: edited in place by mouse and by keyboard, in two windows, on a phone, and by whoever cannot see it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.journeys.page.filmgoer import Filmgoer
from tests.journeys.page.visitor import picture

AUDIT = (Path(__file__).parent / "audit.js").read_text().rstrip()


async def test_scenes_are_moved_added_removed_and_written_anew(visit: Callable[..., Any]) -> None:
    person = await visit()
    film = Filmgoer(person, "A garden through the year")
    await film.order(3, "lab")
    for at, words in enumerate(("Spring", "Summer", "Autumn")):
        await film.write(at, words)
    handle = film.scenes.nth(0).locator("[data-handle]")
    await handle.focus()
    await handle.press("ArrowDown")
    await expect(film.page.locator("#announcer")).to_have_text("The scene is now 2 of 3.")
    assert await film.plan() == await film.shown() == ["Summer", "Spring", "Autumn"]
    await expect(film.scenes.nth(1).locator("[data-handle]")).to_be_focused()
    await film.words.nth(1).press("Alt+ArrowUp")
    await film.saved(0, "Spring")
    await expect(film.words.nth(0)).to_be_focused()
    await film.drag(2, 0)
    await film.saved(0, "Autumn")
    assert await film.shown() == ["Autumn", "Spring", "Summer"]
    await film.card.locator('[data-film="add"]').click()
    await expect(film.words).to_have_count(4)
    await expect(film.words.nth(3)).to_be_focused()
    await film.page.keyboard.type("Winter")
    await film.page.keyboard.press("Tab")  # leaving the field is enough
    await film.saved(3, "Winter")
    await film.scenes.nth(0).locator('[data-tool="remove"]').click()
    await expect(film.words).to_have_count(3)
    assert await film.plan() == ["Spring", "Summer", "Winter"]
    await expect(film.card.locator(".card-money")).to_contain_text("120 credits")
    await film.scenes.nth(1).locator('[data-tool="anew"]').click()
    await expect(film.words.nth(1)).not_to_have_value("Summer")
    await expect(film.scenes.nth(1)).to_have_attribute("data-state", "planned")
    assert await film.shown() == await film.plan()
    await film.words.nth(0).fill("Never")
    await film.words.nth(0).press("Escape")
    await expect(film.words.nth(0)).to_have_value("Spring")


async def test_two_windows_change_one_storyboard_and_nobody_loses_words(visit: Callable[..., Any]) -> None:
    person = await visit()
    person.forgiven.append("409")
    here = Filmgoer(person, "A market in the morning")
    await here.order(2, "lab")
    other = await visit(clean=False, beside=person)
    other.forgiven.append("409")
    there = Filmgoer(other, "A market in the morning")
    await here.words.nth(0).fill("Fish on ice")
    await there.write(1, "Flowers in buckets")
    await here.words.nth(0).press("Control+Enter")
    await here.saved(0, "Fish on ice")
    assert await here.plan() == ["Fish on ice", "Flowers in buckets"]
    await expect(there.words.nth(0)).to_have_value("Fish on ice")
    # The same scene in both: mine is kept until I have decided.
    await here.words.nth(0).fill("Fish in baskets")
    await there.write(0, "Fish on a scale")
    clash = here.scenes.nth(0).locator(".scene-clash")
    await expect(clash).to_contain_text("Fish on a scale")
    await expect(here.words.nth(0)).to_have_value("Fish in baskets")
    await clash.locator('[data-answer="mine"]').click()
    await here.saved(0, "Fish in baskets")
    film = (await here.status())["operation_id"]
    await here.approve()
    await other.api("POST", f"/api/films/{film}/approve", {})
    await here.done()
    assert (await here.status())["charged"] == 80  # approved twice, it is made once


@pytest.mark.parametrize("phone", [False, True])
async def test_a_storyboard_is_there_for_everybody(visit: Callable[..., Any], phone: bool) -> None:
    person = await visit(phone=phone, scheme="light" if phone else "dark")
    if phone:
        await person.page.locator('label[for="mode-film"]').click()
    film = Filmgoer(person, "A very long walk through twenty valleys")
    await film.order(20, None if phone else "lab")
    await film.page.locator(".film-settings summary").click()
    found = await person.page.evaluate(f"{AUDIT}.names()")
    assert (found["nameless"], found["doubled"], found["dangling"], found["pictures"], found["untold"]) == (
        [],
        [],
        [],
        0,
        [],
    )
    assert await person.page.evaluate(f"{AUDIT}.contrast()") == []
    wide = await person.page.evaluate(
        "document.querySelector('#scroller').scrollWidth - document.querySelector('#scroller').clientWidth"
    )
    assert wide <= 0
    await film.scenes.nth(19).locator('[data-tool="up"]').click()
    await expect(film.page.locator("#announcer")).to_have_text("The scene is now 19 of 20.")


async def test_the_own_picture_of_a_character_and_a_command(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.prompt.fill("/film A knight looks for tea")
    await expect(person.page.locator("#mode-film")).to_be_checked()
    await expect(person.prompt).to_have_value("A knight looks for tea")
    await person.give(picture(), "knight.png", "image/png", "drop")
    film = Filmgoer(person, "A knight looks for tea")
    await film.order(1, "many", "a knight in tin")
    await expect(film.card.locator("img.film-portrait")).to_be_visible()
    await person.page.reload()
    await person.ready()
    await expect(person.page.locator(".character-chip")).to_have_count(1)
    await person.page.locator(".character-chip").click()
    await expect(person.page.locator("#film-character")).to_have_value("a knight in tin")
