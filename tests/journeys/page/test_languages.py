"""The page, its cards and its errors speak the browser's language; a program that asks for none gets English."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, expect

from tests.journeys.page.test_access import AUDIT
from tests.journeys.page.visitor import Visitor

CUT = """
  [...document.querySelectorAll("button, label, h2, h3, p, a, dd, dt, legend, summary")].filter((node) => node.checkVisibility())
    .filter((node) => node.clientWidth > 0 && node.scrollWidth > node.clientWidth + 1 && !node.matches(".visually-hidden"))
    .map((node) => node.textContent)
"""
BROKEN = """
  [...document.querySelectorAll("button span, .details-seed span")]
    .filter((node) => node.checkVisibility() && !/\\s/.test(node.textContent))
    .filter((node) => node.getBoundingClientRect().height > 2 * parseFloat(getComputedStyle(node).fontSize))
    .map((node) => node.textContent)
"""
"""One word on two lines."""

Open = Callable[..., Awaitable[Visitor]]


@pytest_asyncio.fixture(loop_scope="session")
async def read(browser: Browser, address: str) -> AsyncIterator[Open]:
    """Open the page with a browser in some language."""
    contexts: list[BrowserContext] = []

    async def open_page(language: str, width: int = 1440, path: str = "") -> Visitor:
        contexts.append(
            await browser.new_context(
                locale=language, viewport={"width": width, "height": 844}, is_mobile=width < 700, has_touch=width < 700
            )
        )
        visitor = Visitor(await contexts[-1].new_page(), address)
        await visitor.arrive(clean=True)
        if path:
            await visitor.page.goto(address + path)
            await visitor.ready()
        return visitor

    yield open_page
    for context in contexts:
        await context.close()


async def language_of(visitor: Visitor) -> tuple[str, str]:
    """(language of the document, placeholder of the prompt)."""
    said = await visitor.page.evaluate("document.documentElement.lang")
    return said, str(await visitor.prompt.get_attribute("placeholder"))


async def test_the_page_its_cards_and_its_stream_are_german(read: Open) -> None:
    person = await read("de-AT")
    assert await language_of(person) == ("de", "Beschreib einen Clip oder zieh ein Bild hierher")
    await person.order("Ein Haus am See")
    card = await person.wait_for("Ein Haus am See", "done")
    await expect(card.locator(".card-state")).to_contain_text("Gemacht mit Lab lab in")  # this came by the stream
    await expect(card.locator(".card-money")).to_have_text("40 Credits")
    await expect(person.page.locator(".day").first).to_have_text("Heute")
    await person.action("Ein Haus am See", "details").click()
    await expect(card.locator(".card-details")).to_contain_text("Aufbewahrt bis")
    await expect(card.locator(".card-details")).to_contain_text("kB")
    await person.page.reload()
    await person.ready()
    await expect(card.locator(".card-state")).to_contain_text("KI-generiert")  # and this with the history
    person.forgiven.append("400")
    wrong = await person.api("POST", "/api/video_chat/generate", {"prompt": "x", "duration": "lang"})
    assert wrong["error_code"] == "INVALID_REQUEST"
    assert wrong["message"].startswith("„duration“ kann nur das sein")
    assert wrong["details"].startswith("duration: ")
    found = await person.page.evaluate(f"{AUDIT}.names()")
    assert (found["language"], found["nameless"], found["untold"]) == ("de", [], [])
    assert person.complaints == []


async def test_nothing_is_cut_or_broken_in_the_longer_languages(read: Open) -> None:
    for language in ("de", "fr", "es"):
        person = await read(language, 360)
        await expect(person.page.locator("#price")).to_have_text(
            re.compile("^40 ")
        )  # "about 40" stands there for a moment only
        await person.page.click("#summary")
        await expect(person.page.locator("#options")).to_be_visible()
        assert await person.page.evaluate(CUT) == []
        await person.page.click("#options-close")
        wish = {"prompt": "A long seed", "seed": 4294967295, "provider": "instant"}
        await person.api("POST", "/api/video_chat/generate", wish)
        await person.wait_for("A long seed", "done")
        await person.action("A long seed", "details").click()
        await person.action("A long seed", "delete").click()
        assert await person.page.evaluate(CUT) == []
        assert await person.page.evaluate(BROKEN) == []
        await person.page.click("#credits")
        await expect(person.page.locator("#setting-language")).to_be_visible()
        assert await person.page.evaluate(CUT) == []
        assert not await person.page.evaluate("document.documentElement.scrollWidth > innerWidth")


async def test_a_language_can_be_chosen_and_stays(read: Open) -> None:
    person = await read("de", path="/?lang=es")
    assert (await language_of(person))[0] == "es"
    assert await person.page.evaluate("location.search") == ""
    await person.api("POST", "/api/video_chat/generate", {"prompt": "Una casa", "provider": "instant"})
    card = await person.wait_for("Una casa", "done")
    await expect(card.locator(".card-state")).to_contain_text("Hecho con")
    await person.page.click("#account-toggle")
    names = await person.page.locator("#setting-language option").all_text_contents()
    assert names == ["Como en el navegador", "Deutsch", "English", "Español", "Français"]
    await person.page.select_option("#setting-language", "fr")
    await expect(person.page.locator("html")).to_have_attribute("lang", "fr")
    await person.ready()
    await expect(card.locator(".card-state")).to_contain_text("Fait avec")
    await person.page.click("#account-toggle")
    await person.page.select_option("#setting-language", "")
    await expect(person.page.locator("html")).to_have_attribute("lang", "de")
    assert person.complaints == []


async def test_a_link_with_no_language_in_it_changes_nothing(read: Open) -> None:
    person = await read("de", path="/?lang=%E6%97%A5")
    assert (await language_of(person))[0] == "de"
    kept_once = (
        "localStorage.setItem('reelay.language', JSON.stringify('\u65e5'))"  # what a page before this one could leave
    )
    await person.page.evaluate(kept_once)
    await person.page.reload()
    await person.ready()
    assert (await language_of(person))[0] == "de"
    await person.make("Ein Haus am See")
    await person.page.click("#account-toggle")
    await expect(person.page.locator("#setting-language")).to_have_value("")
    await person.page.goto(person.address + "/?lang=es")
    await person.ready()
    for bad in ("%E6%97%A5", "a%0Ab", "fr%2C%20*", "x" * 9, "fr-"):
        await person.page.goto(f"{person.address}/?lang={bad}")
        await person.ready()
        assert (await language_of(person))[0] == "es", bad
    assert person.complaints == []


async def test_a_language_without_a_catalogue_is_answered_in_english(read: Open) -> None:
    assert (await language_of(await read("fi")))[0] == "en"
