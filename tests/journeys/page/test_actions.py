"""What one can do with a card."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from playwright.async_api import expect

from tests.journeys.page.visitor import picture


async def test_cancel_ends_the_job_on_its_card(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.order("A river forever, one")
    await person.order("A river forever, two")
    await person.order("A river forever, three")
    await person.action("forever, three", "cancel").click()
    card = await person.wait_for("forever, three", "cancelled")
    await expect(card.locator(".stage")).to_be_hidden()
    [job] = await person.jobs("forever, three")
    assert job["status"] == "cancelled"
    for text in ("forever, one", "forever, two"):
        await person.action(text, "cancel").click()
        await person.wait_for(text, "cancelled")


async def test_remix_brings_prompt_settings_and_picture_back(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.shortest()
    await person.page.fill("#option-seed", "11")
    await person.give(picture(), "boat.png", "image/png", "drop")
    await person.make("A boat, quite still")
    await person.page.fill("#option-seed", "")
    await person.action("A boat, quite still", "remix").click()
    await expect(person.prompt).to_be_focused()
    await expect(person.prompt).to_have_value("A boat, quite still")
    await expect(person.page.locator("#option-seed")).to_have_value("11")
    await expect(person.page.locator("#picture img")).to_be_visible()
    await expect(person.page.locator("#composer-context")).to_contain_text("A boat, quite still")
    await person.make("The boat again, in a storm")
    [first], [second] = await person.jobs("quite still"), await person.jobs("in a storm")
    assert second["parent_id"] == first["operation_id"]
    assert second["source_url"]
    assert second["applied"]["seed"] == 11
    await expect(person.page.locator("#option-seed")).to_have_value("")


async def test_again_makes_another_one_of_the_same(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.shortest()
    await person.make("A kite in the wind")
    await person.action("A kite", "again").click()
    question = person.card("A kite").locator(".card-question")
    await expect(question).to_contain_text("credits")
    await question.locator('[data-answer="no"]').click()
    assert len(await person.jobs("A kite")) == 1
    await person.action("A kite", "again").click()
    await question.locator('[data-answer="yes"]').click()
    await expect(person.card("A kite")).to_have_count(2)
    await expect(person.page.locator('.card[data-state="done"]')).to_have_count(2, timeout=120_000)
    one, other = await person.jobs("A kite")
    assert one["parent_id"] == other["operation_id"]
    assert one["applied"]["seed"] != other["applied"]["seed"]


async def test_a_seed_that_is_none_is_neither_dropped_nor_sent(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.shortest()
    seed = person.page.locator("#option-seed")
    await seed.fill("eleven")
    await person.prompt.fill("A boat with a number")
    await expect(person.page.locator("#composer-error")).to_contain_text("A seed is a whole number")
    await person.page.locator("#options").locator('input[name="aspect_ratio"] + label').last.click()
    await expect(seed).to_have_value("eleven")
    await person.prompt.press("Enter")
    await expect(seed).to_be_focused()
    await expect(seed).to_have_attribute("aria-invalid", "true")
    assert await person.jobs("with a number") == []
    await seed.fill("11")
    await expect(person.page.locator("#composer-error")).to_be_empty()
    await person.prompt.press("Enter")
    await person.wait_for("with a number", "done")
    [job] = await person.jobs("with a number")
    assert job["applied"]["seed"] == 11
    await seed.fill("")
    await expect(seed).to_have_attribute("aria-invalid", "false")


async def test_a_favourite_stays_one(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.shortest()
    await person.make("A garden after rain")
    await person.action("A garden", "favourite").click()
    star = person.action("A garden", "unfavourite")
    await expect(star).to_have_attribute("aria-pressed", "true")
    await person.page.reload()
    await person.ready()
    await expect(star).to_be_visible()
    await person.page.click("#tab-videos")
    await person.page.click("#sidebar-favourites")
    await expect(person.page.locator("#sidebar-list .sidebar-item")).to_have_count(1)
    await star.click()
    await expect(person.action("A garden", "favourite")).to_be_visible()
    await expect(person.page.locator("#sidebar-list .sidebar-item")).to_have_count(0)


async def test_a_list_that_was_asked_for_before_a_star_was_taken_away_does_not_bring_it_back(
    visit: Callable[..., Any],
) -> None:
    person = await visit()
    await person.shortest()
    await person.make("A garden after rain")
    await person.action("A garden", "favourite").click()
    await expect(person.action("A garden", "unfavourite")).to_be_visible()
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def late(route: Any) -> None:
        answer = await route.fetch()
        asked.set()
        await go_on.wait()
        await route.fulfill(response=answer)

    await person.page.route("**/api/video_chat/operations*favourites*", late)
    await person.page.click("#tab-videos")
    await person.page.click("#sidebar-favourites")
    async with asyncio.timeout(10):
        await asked.wait()
    async with person.page.expect_response("**/api/video_chat/favourites/*"):
        await person.action("A garden", "unfavourite").click()
    await expect(person.action("A garden", "favourite")).to_be_visible()
    async with person.page.expect_response("**/api/video_chat/operations*favourites*"):
        go_on.set()
    await expect(person.page.locator("#sidebar-list .sidebar-item")).to_have_count(0)
    await expect(person.action("A garden", "favourite")).to_be_visible()


async def test_delete_asks_first_and_then_means_it(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.shortest()
    card = await person.make("A candle burns down")
    await person.action("A candle", "delete").click()
    await expect(card.locator('[data-answer="no"]')).to_be_focused()
    await person.page.keyboard.press("Escape")
    await expect(person.action("A candle", "delete")).to_be_focused()
    assert len(await person.jobs("A candle")) == 1
    await person.action("A candle", "delete").click()
    await card.locator('[data-answer="yes"]').click()
    await expect(card).to_have_count(0)
    assert await person.jobs("A candle") == []
    await expect(person.page.locator("#welcome")).to_be_visible()


async def test_link_and_download_give_the_clip(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.shortest()
    await person.make("A train crosses a bridge")
    await person.action("A train", "copy_link").click()
    await expect(person.action("A train", "copy_link")).to_have_class("icon-button is-confirmed")
    link = await person.page.evaluate("navigator.clipboard.readText()")
    assert "/api/mv/get_video/" in link
    assert "sig=" in link
    async with person.page.expect_download() as coming:
        await person.action("A train", "download").click()
    saved = await (await coming.value).path()
    assert saved.read_bytes()[4:8] == b"ftyp"


async def test_details_show_the_seed_and_copy_the_prompt(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.shortest()
    prompt = "A tower of books, " + "and one more book, " * 12 + "at last"
    await person.prompt.fill(prompt)
    await person.prompt.press("Enter")
    card = await person.wait_for("A tower of books", "done")
    [job] = await person.jobs("A tower of books")
    await card.locator('[data-verb="details"]').click()
    await expect(card.locator(".card-details")).to_contain_text(str(job["applied"]["seed"]))
    await card.locator('[data-verb="copy_prompt"]').click()
    await expect(card.locator('[data-verb="copy_prompt"]')).to_have_class("button is-small is-confirmed")
    assert await person.page.evaluate("navigator.clipboard.readText()") == prompt


async def test_a_declined_prompt_says_so_and_comes_back_for_editing(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.order("A prompt that is refused")
    card = await person.wait_for("that is refused", "failed")
    await expect(card.locator(".card-error")).to_contain_text("You were not charged")
    await expect(card.locator(".card-money")).to_be_hidden()  # it is said once
    await person.page.click("#tab-history")
    await expect(person.page.locator("#sidebar-list span.sidebar-thumb .icon")).to_have_count(1)
    await expect(card.locator(".stage")).to_be_hidden()
    await person.action("that is refused", "edit_prompt").click()
    await expect(person.prompt).to_be_focused()
    await expect(person.prompt).to_have_value("A prompt that is refused")


async def test_a_refusal_is_said_on_the_card_and_loses_nothing(visit: Callable[..., Any]) -> None:
    person = await visit()
    person.forgiven.append("402")
    sentence = "This clip needs 320 credits and you have 180 today. More at 00:00 UTC (in 3 h 20 min)."
    answer = {"error": "VideoGenerationError", "error_code": "QUOTA_EXCEEDED", "message": sentence, "details": ""}
    await person.page.route("**/api/video_chat/generate", lambda route: route.fulfill(status=402, json=answer))
    card = await person.order("An expensive palace")
    await expect(card.locator(".card-error")).to_have_text(sentence)
    assert await person.page.locator("dialog, [role=dialog], [role=alertdialog]").count() == 0
    await card.locator('[data-verb="edit_prompt"]').click()
    await expect(person.prompt).to_have_value("An expensive palace")
    await expect(card).to_have_count(0)
