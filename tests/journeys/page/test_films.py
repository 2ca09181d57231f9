"""Films on the page: from an idea to a storyboard, to scenes, to a film, and on from there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.async_api import expect

from tests.journeys.page.filmgoer import CUT, Filmgoer
from tests.journeys.page.visitor import Visitor
from tests.lab.vendor import Vendor


async def _reload(person: Visitor) -> None:
    await person.page.reload()
    await person.ready()


async def test_an_idea_becomes_a_film_that_plays(visit: Callable[..., Any], page_vendor: Vendor) -> None:
    person = await visit()
    film = Filmgoer(person, "A ferry crosses the bay")
    await film.order(3, "lab")
    assert await film.shown() == await film.plan()
    await expect(film.card.locator(".card-money")).to_contain_text("120 credits")
    await film.write(1, "The ferry leaves forever")
    await _reload(person)
    assert await film.shown() == await film.plan()
    await film.approve()
    await expect(film.card.locator('.scene[data-state="running"]').first).to_be_visible()
    await expect(film.card.locator(".card-state")).to_contain_text("of 3")
    await _reload(person)  # while that one is being made
    await expect(film.scenes.nth(1)).to_have_attribute("data-state", "running")
    await expect(film.card.locator(".bar").first).to_be_visible()
    await expect(film.scenes.nth(0).locator(".scene-thumb img")).to_be_visible()
    page_vendor.finish("The ferry leaves")
    await film.done()
    await expect(film.card.locator(".timeline-piece")).to_have_count(3)
    await film.plays()
    cuts = (await film.status())["film"]["cuts"]
    assert len(cuts) == 2
    await film.card.locator('.timeline-piece[data-place="3"]').click()
    at = await film.card.locator(".stage video").evaluate("(video) => video.currentTime")
    assert cuts[1] <= at < cuts[1] + 0.2, "where the third scene begins in the film"
    await expect(film.card.locator('.timeline-piece[data-place="3"]')).to_have_attribute("aria-current", "true")
    await film.scenes.nth(1).locator(".scene-thumb").click()
    await expect(film.scenes.nth(1).locator(".scene-watch video")).to_be_visible()
    status = await film.status()
    assert status["charged"] == 120
    assert [scene["charged"] for scene in status["film"]["scenes"]] == [40, 40, 40]
    await _reload(person)
    await expect(film.card.locator(".timeline-piece")).to_have_count(3)
    await person.page.click("#tab-films")
    await expect(person.page.locator("#sidebar-list .sidebar-item")).to_have_count(1)
    await expect(person.page.locator("#sidebar-list")).to_contain_text("A ferry crosses the bay")


async def test_a_finished_film_is_cut_again_in_another_order_with_a_title(visit: Callable[..., Any]) -> None:
    person = await visit()
    film = Filmgoer(person, "Bread is baked at night")
    await film.order(2, "instant")
    await film.approve()
    await film.done()
    first = await film.plan()
    before = (await film.status())["video_id"]
    await film.scenes.nth(0).locator('[data-tool="down"]').click()
    await expect(film.card.locator(".film-cut-note")).to_be_visible()
    assert await film.plan() == first[::-1]
    await film.card.locator(".film-settings summary").click()
    await film.card.locator('[data-field="title"] input').fill("Night shift")
    await film.card.locator('[data-field="title"] input').press("Enter")
    film.idea = "Night shift"
    await expect(film.card).to_be_visible()
    await film.card.locator('[data-field="transition"] select').select_option("crossfade")
    await expect(film.card.locator(".timeline-piece")).to_have_count(2)  # the strip shows what was cut
    await film.card.locator('[data-film="cut"]').click()
    await expect(person.page.locator(f'.stage video[src*="{before}"]')).to_have_count(0, timeout=CUT)
    await person.wait_for("Night shift", "done", within=CUT)
    await expect(film.card.locator(".timeline-piece")).to_have_count(3)
    film.idea = "Bread is baked"
    status = await film.status()
    assert status["film"]["transition"] == "crossfade"
    assert status["charged"] == 20  # cutting costs nothing


async def test_a_refused_scene_leaves_a_film_and_is_tried_again_in_other_words(visit: Callable[..., Any]) -> None:
    person = await visit()
    film = Filmgoer(person, "A lamp goes through the house")
    await film.order(3, "lab")
    await film.write(1, "A lamp is refused on the stairs")
    await film.approve()
    await film.done()
    row = film.scenes.nth(1)
    await expect(row).to_have_attribute("data-state", "failed")
    await expect(row.locator(".scene-state")).to_contain_text("declined")
    await expect(film.card.locator(".timeline-piece")).to_have_count(2)
    await expect(film.card.locator('[data-verb="retry_scenes"]')).to_contain_text("40 credits")
    status = await film.status()
    assert status["charged"] == 80
    before = status["video_id"]
    await row.locator('[data-choice="reword"]').click()
    await expect(row.locator(".scene-words")).to_be_focused()
    await row.locator(".scene-words").fill("A lamp climbs the stairs")
    await row.locator('[data-choice="send"]').click()
    await expect(row).to_have_attribute("data-state", "made", timeout=CUT)
    await expect(person.page.locator(f'.stage video[src*="{before}"]')).to_have_count(0, timeout=CUT)
    await film.done()
    await expect(film.card.locator(".timeline-piece")).to_have_count(3)
    await expect(film.card.locator('[data-verb="retry_scenes"]')).to_have_count(0)
    status = await film.status()
    assert status["charged"] == 120
    assert status["video_id"] != before


async def test_what_costs_more_than_was_shown_is_asked_for(visit: Callable[..., Any]) -> None:
    person = await visit()
    person.forgiven.append("409")
    film = Filmgoer(person, "Two kites over a field")
    await film.order(2, "lab")
    # The page believes an earlier price, as it does when a generator's changes before the news of it are here.
    await person.page.evaluate(
        """async () => {
             const { store } = await import("/page/modules/store.js");
             const job = [...store.jobs.values()].find((one) => one.kind === "film");
             store.apply({ ...job, film: { ...job.film, price: 50 } });
           }"""
    )
    await film.approve()
    question = film.card.locator(".card-question")
    await expect(question).to_contain_text("it was 50 credits and is 80 credits now")
    await question.locator('[data-answer="no"]').click()
    assert (await film.status())["state"] == "awaiting"
    await film.approve()
    await film.done()
    assert (await film.status())["charged"] == 80


async def test_clips_are_put_together_in_the_order_in_which_they_are_chosen(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.choose("instant")
    await person.make("A red boat")
    await person.make("A green boat")
    await person.page.click("#tab-videos")
    await person.page.click("#merge-open")
    await person.page.locator('#sidebar-list [aria-label="A red boat"]').click()
    await expect(person.page.locator('[data-merge="order"]')).to_be_disabled()
    await person.page.locator('#sidebar-list [aria-label="A green boat"]').click()
    await expect(person.page.locator('#sidebar-list [aria-label="A green boat, number 2"]')).to_be_visible()
    await person.page.fill("#merge-title", "Boats")
    await person.page.locator('[data-merge="order"]').click()
    await person.wait_for("Boats", "done", within=CUT)
    await Filmgoer(person, "Boats").plays()
    [job] = [one for one in await person.jobs("Boats") if one["kind"] == "merge"]
    red, green = [(await person.jobs(name))[0]["video_id"] for name in ("red boat", "green boat")]
    assert job["film"]["title"] == "Boats"
    assert red != green


async def test_a_template_is_kept_chosen_filled_in_and_forgotten(visit: Callable[..., Any]) -> None:
    person = await visit()
    page = person.page
    await person.choose("instant")
    await person.prompt.fill("{subject} on the roof at {time|dusk}")
    await page.locator(".template-keep summary").click()
    await page.fill("#template-name", "Roof top")
    await page.press("#template-name", "Enter")
    await expect(page.locator(".template-keep .is-bad")).to_contain_text("small letters, digits")
    await page.fill("#template-name", "Rooftop")
    await page.press("#template-name", "Enter")
    await expect(page.locator(".template-keep")).to_contain_text("Kept as the template rooftop.")
    await page.locator("#option-template").select_option("rooftop")
    await person.prompt.fill("")
    await expect(page.locator("#composer-error")).to_contain_text("subject")
    await expect(page.locator("#send")).to_be_disabled()
    await expect(page.locator("#template-place-time")).to_have_attribute("placeholder", "dusk")
    await page.fill("#template-place-subject", "a <b>lamp</b>; and; a cat")
    await expect(page.locator("#composer-error")).to_have_text("")
    await page.locator("#send").click()
    await person.wait_for("a <b>lamp</b>; and; a cat on the roof at dusk", "done")
    await expect(page.locator("#option-template")).to_have_value("")
    await page.locator("#option-template").select_option("noir")
    await page.locator('label[for="mode-film"]').click()
    await expect(page.locator("#option-template")).to_have_value("noir")
    await person.prompt.fill("A ferry at night")
    await person.prompt.press("Enter")
    await person.wait_for("A ferry at night, film noir", "awaiting")
    await page.locator("#option-template").select_option("rooftop")
    await page.get_by_role("button", name="Forget this template").click()
    await expect(page.locator("#option-template option", has_text="rooftop")).to_have_count(0)


async def test_several_variations_come_from_one_order(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.choose("instant")
    await person.page.locator('label[for="option-variations-3"]').click()
    await person.prompt.fill("Three clouds")
    await expect(person.page.locator("#price")).to_contain_text("30 credits")
    await person.prompt.press("Enter")
    await expect(person.page.locator('.card[data-state="done"]')).to_have_count(3, timeout=CUT)
    await expect(person.page.locator("#option-variations-1")).to_be_checked()
    seeds = {job["applied"]["seed"] for job in await person.jobs("Three clouds")}
    assert len(seeds) == 3
