"""Pictures: by button, drop and paste; refused early and in words when they cannot work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.journeys.page.visitor import Visitor, picture

AUDIT = (Path(__file__).parent / "audit.js").read_text().rstrip()
LISTEN = """() => {
  window.sent = [];
  const call = window.fetch;
  window.fetch = (path, options) => {
    const parts = options?.body instanceof FormData ? [...options.body].filter(([, value]) => value.name) : [];
    if (parts.length) window.sent.push(parts.map(([name, value]) => `${name} ${value.name}`));
    return call(path, options);
  };
}"""
"""Writes down which files each order brings, by their field."""


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


def files(*names: str) -> list[Any]:
    return [{"name": name, "mimeType": "image/jpeg", "buffer": picture(kind="JPEG")} for name in names]


async def remove_by_keyboard(person: Visitor, name: str) -> None:
    await person.page.get_by_role("button", name=name, exact=True).focus()
    await person.page.keyboard.press("Enter")


async def test_several_pictures_and_an_end_are_sent_in_their_places(visit: Callable[..., Any]) -> None:
    person = await visit()
    page = person.page
    await page.evaluate(LISTEN)
    await person.choose("many")
    items, complaint = page.locator(".picture-item"), page.locator("#composer-error")
    await page.set_input_files("#picture-file", files=files("ann.jpg", "bob.jpg"))
    await expect(items).to_have_count(2)
    await person.give(picture(), "boat.png", "image/png", "drop")
    await expect(items).to_have_count(3)
    await expect(complaint).to_be_empty()
    await person.give(picture(), "late.png", "image/png", "paste")
    await expect(complaint).to_contain_text("Lab many takes up to 3 pictures")
    await expect(items).to_have_count(3)
    await remove_by_keyboard(person, "Remove bob.jpg")
    await expect(items).to_have_count(2)
    await expect(page.get_by_role("button", name="Remove boat.png")).to_be_focused()
    await expect(complaint).to_be_empty()
    async with page.expect_file_chooser() as chosen:
        await page.get_by_role("button", name="Add the picture that the clip ends with").press("Enter")
    await (await chosen.value).set_files(files("sea.jpg"))
    await expect(page.get_by_role("listitem").filter(has_text="Ends with")).to_contain_text("sea.jpg")
    await person.make("They all meet")
    sent = await page.evaluate("window.sent")
    assert sent == [["image_file ann.jpg", "image_file boat.png", "last_image_file sea.jpg"]]
    await expect(page.locator("#picture")).to_be_hidden()
    assert await person.card("They all meet").locator(".card-thumb").evaluate("image => image.naturalWidth > 0")
    [job] = await person.jobs("They all meet")
    again = {"provider": "lab", "reuse_image_of": job["operation_id"]}
    told = await person.api("GET", "/api/video_chat/operations?limit=1&only=with_image")
    assert told["operations"][0]["operation_id"] == job["operation_id"]
    person.forgiven.append("400")
    refused = await person.api("POST", "/api/video_chat/estimate", again)
    assert refused["details"] == "last_image_file: left out", "the server has the end as well"


async def test_a_clip_may_only_end_with_a_picture(visit: Callable[..., Any]) -> None:
    person = await visit()
    page = person.page
    await page.evaluate(LISTEN)
    await expect(page.locator("#picture-end-add")).to_be_hidden()
    await person.choose("many")
    async with page.expect_file_chooser() as chosen:
        await page.click("#picture-end-add")
    await (await chosen.value).set_files(files("sea.jpg"))
    await expect(page.locator(".picture-item")).to_have_count(1)
    await expect(page.locator("#picture-end-add")).to_be_hidden()
    await page.click("#send")
    await expect(page.locator('.card[data-state="done"]')).to_have_count(1, timeout=120_000)
    assert await page.evaluate("window.sent") == [["last_image_file sea.jpg"]]


async def test_an_end_is_asked_for_only_where_it_has_the_beginning_that_it_wants(visit: Callable[..., Any]) -> None:
    person = await visit()
    page = person.page
    await person.choose("pair")
    await expect(page.locator("#picture-end-add")).to_be_hidden()
    await page.set_input_files("#picture-file", files=files("ann.jpg"))
    await expect(page.locator(".picture-slot")).to_have_count(1)
    await page.set_input_files("#picture-end-file", files=files("sea.jpg"))
    await expect(page.locator("#send")).to_be_enabled()
    await page.set_input_files("#picture-file", files=files("bob.jpg"))
    await expect(page.locator("#composer-error")).to_contain_text("only beside exactly one other")
    await expect(page.locator("#send")).to_be_disabled()
    await remove_by_keyboard(person, "Remove the picture that the clip ends with")
    await expect(page.locator("#send")).to_be_enabled()
    await expect(page.locator(".picture-slot")).to_have_count(0)
    await remove_by_keyboard(person, "Remove ann.jpg")
    await expect(page.locator(".picture-slot")).to_have_count(1)


async def test_what_a_generator_cannot_take_is_said_before_anything_is_sent(visit: Callable[..., Any]) -> None:
    person = await visit()
    page = person.page
    await person.choose("many")
    await page.set_input_files("#picture-file", files=files("ann.jpg", "bob.jpg"))
    await page.set_input_files("#picture-end-file", files=files("sea.jpg"))
    await expect(page.locator("#send")).to_be_enabled()
    await person.choose("instant")
    await expect(page.locator("#composer-error")).to_contain_text("Lab instant cannot end a clip with a picture")
    await expect(page.locator("#send")).to_be_disabled()
    await remove_by_keyboard(person, "Remove the picture that the clip ends with")
    await expect(page.locator("#composer-error")).to_be_empty()
    await expect(page.locator("#composer-changed")).to_contain_text("Lab instant")
    await expect(page.locator("#send")).to_be_enabled()
    await expect(page.locator(".picture-slot")).to_have_count(0)
    await person.give(picture(), "boat.png", "image/png", "drop")
    await expect(page.locator(".picture-item")).to_have_count(1)
    await expect(page.locator("#picture")).to_contain_text("boat.png")


async def test_all_pictures_come_back_when_the_server_refuses_one(visit: Callable[..., Any]) -> None:
    person = await visit()
    page = person.page
    person.forgiven.append("415")
    answer = {"error": "UnsupportedMedia", "error_code": "CORRUPT_MEDIA", "message": "It is cut off.", "details": ""}
    await page.route("**/api/video_chat/generate_with_image", lambda route: route.fulfill(status=415, json=answer))
    await person.choose("many")
    await page.set_input_files("#picture-file", files=files("ann.jpg", "bob.jpg"))
    await page.set_input_files("#picture-end-file", files=files("sea.jpg"))
    await person.prompt.fill("They all meet")
    await person.prompt.press("Enter")
    await expect(page.locator("#composer-error")).to_contain_text("It is cut off.")
    await expect(page.locator("#picture")).to_have_class("pictures is-bad")
    shown = page.locator(".picture-preview")
    await expect(shown).to_have_count(3)
    assert await shown.evaluate_all("images => images.every((image) => image.complete && image.naturalWidth > 0)")
    await expect(person.prompt).to_have_value("They all meet")


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
async def test_pictures_have_names_and_room(visit: Callable[..., Any], phone: bool) -> None:
    person = await visit(phone=phone)
    page = person.page
    await person.choose("many")
    long = "a rather long name of a picture, as phones give them"
    await page.set_input_files("#picture-file", files=files(f"{long}.jpg"))
    await page.set_input_files("#picture-end-file", files=files(f"{long} too.jpg"))
    await expect(page.locator("#picture")).to_contain_text("Begins with")
    for more in range(2):
        found = await page.evaluate(f"{AUDIT}.names()")
        assert (found["nameless"], found["doubled"], found["dangling"], found["pictures"]) == ([], [], [], 0)
        wide = await page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1]
        box = await page.locator("#composer").bounding_box()
        for item in await page.locator(".picture-item").all():
            inside = await item.bounding_box()
            assert inside["x"] >= box["x"]
            assert inside["x"] + inside["width"] <= box["x"] + box["width"]
        if not more:
            await page.set_input_files("#picture-file", files=files("bob.jpg", "cleo.jpg"))
            await expect(page.locator(".picture-item")).to_have_count(4)
