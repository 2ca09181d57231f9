"""Pictures: by button, drop and paste; refused early and in words when they cannot work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import expect

from tests.journeys.page.visitor import picture


@pytest.mark.parametrize("how", ["drop", "paste"])
async def test_a_given_picture_becomes_a_clip(visit: Callable[..., Any], how: str) -> None:
    person = await visit()
    await person.shortest()
    await person.give(picture(), "boat.png", "image/png", how)
    await expect(person.page.locator("#picture img")).to_be_visible()
    await expect(person.page.locator("#picture")).to_contain_text("PNG")
    await expect(person.page.locator("#drop")).to_be_hidden()
    card = await person.make(f"The boat rocks, by {how}")
    await expect(card.locator(".card-thumb")).to_be_visible()
    assert await card.locator(".card-thumb").evaluate("image => image.complete && image.naturalWidth > 0")
    await expect(person.page.locator("#picture")).to_be_hidden()
    [job] = await person.jobs(f"by {how}")
    assert job["source_url"]


async def test_a_chosen_picture_needs_no_words(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.shortest()
    files = {"name": "field.jpg", "mimeType": "image/jpeg", "buffer": picture(kind="JPEG")}
    await person.page.set_input_files("#picture-file", files=[files])
    await expect(person.page.locator("#send")).to_be_enabled()
    await person.page.click("#send")
    await expect(person.page.locator(".card")).to_have_count(1)
    await expect(person.page.locator('.card[data-state="done"]')).to_have_count(1, timeout=120_000)


async def test_the_drop_target_covers_the_conversation(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.give(picture(), "boat.png", "image/png", "hover")
    veil = await person.page.locator("#drop").bounding_box()
    conversation = await person.page.locator("#conversation").bounding_box()
    assert veil == conversation


@pytest.mark.parametrize(
    "data, padding, name, kind, word",
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', 0, "drawing.svg", "image/svg+xml", "SVG"),
        (b"%PDF-1.7 nothing", 0, "paper.png", "image/png", "PDF"),
        (b"\x89PNG\r\n\x1a\n", 20_000_001, "huge.png", "image/png", "20 MB"),
    ],
    ids=["svg", "pdf called png", "too large"],
)
async def test_a_wrong_file_never_travels(
    visit: Callable[..., Any], data: bytes, padding: int, name: str, kind: str, word: str
) -> None:
    person = await visit()
    await person.give(data, name, kind, "drop", padding=padding)
    await expect(person.page.locator("#composer-error")).to_contain_text(word)
    await expect(person.page.locator("#picture")).to_be_hidden()
    await expect(person.page.locator("#send")).to_be_disabled()


async def test_a_picture_that_the_server_refuses_comes_back_to_the_composer(visit: Callable[..., Any]) -> None:
    person = await visit()
    person.forgiven.append("415")
    sentence = "I can't read that picture (it is cut off). PNG, JPEG and WebP work, up to 20 MB."
    answer = {"error": "UnsupportedMedia", "error_code": "CORRUPT_MEDIA", "message": sentence, "details": "image_file"}
    await person.page.route(
        "**/api/video_chat/generate_with_image", lambda route: route.fulfill(status=415, json=answer)
    )
    await person.give(picture(), "boat.png", "image/png", "drop")
    await person.prompt.fill("The boat rocks")
    await person.prompt.press("Enter")
    await expect(person.page.locator("#composer-error")).to_contain_text("it is cut off")
    await expect(person.page.locator("#picture")).to_be_visible()
    await expect(person.prompt).to_have_value("The boat rocks")
    await expect(person.page.locator(".card")).to_have_count(0)
    await person.page.locator("#picture button").click()
    await expect(person.page.locator("#picture")).to_be_hidden()
