"""Everybody can use it: names, focus, keyboard, contrast, small screens, foreign scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.journeys.page.visitor import picture

AUDIT = (Path(__file__).parent / "audit.js").read_text().rstrip()

XSS = '<img src=x onerror="document.title=\'caught\'"><script>document.title="caught"</script>"\'>'


async def poor_contrast(person: Any) -> list[str]:
    found: list[str] = await person.page.evaluate(f"{AUDIT}.contrast()")
    return found


async def audit(person: Any) -> None:
    found = await person.page.evaluate(f"{AUDIT}.names()")
    assert found == {
        "nameless": [], "doubled": [], "dangling": [], "pictures": 0, "untold": [], "language": "en", "headings": 1, "mains": 1,
    }  # fmt: skip


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_every_control_has_a_name_and_every_text_its_contrast(visit: Callable[..., Any], scheme: str) -> None:
    person = await visit(scheme=scheme)
    await audit(person)
    assert await poor_contrast(person) == []
    await person.shortest()
    await person.page.fill("#option-seed", "1x")
    await audit(person)
    assert await poor_contrast(person) == []
    await person.page.fill("#option-seed", "")
    await person.give(picture(), "boat.png", "image/png", "drop")
    await person.make("A boat for everybody")
    await person.action("A boat", "details").click()
    await person.page.click("#tab-history")
    await expect(person.page.locator("#sidebar-list .sidebar-item")).to_have_count(1)
    await audit(person)
    assert await poor_contrast(person) == []
    await person.action("A boat", "delete").click()
    await person.page.click("#account-toggle")
    await person.page.locator("#account .is-danger-quiet").click()
    await audit(person)
    assert await poor_contrast(person) == []


async def test_a_clip_by_keyboard_alone(visit: Callable[..., Any]) -> None:
    person = await visit()
    keys = person.page.keyboard
    await person.page.focus("#sidebar-toggle")
    await keys.press("Shift+Tab")
    await expect(person.page.locator("#skip")).to_be_focused()
    await expect(person.page.locator("#skip")).to_be_in_viewport()
    await keys.press("Enter")
    await expect(person.prompt).to_be_focused()
    await keys.type("By keyboard")
    await keys.press("Shift+Enter")
    await keys.type("alone")
    await expect(person.prompt).to_have_value("By keyboard\nalone")
    await keys.press("Enter")
    await person.wait_for("By keyboard", "done")
    for _ in range(60):
        await keys.press("Shift+Tab")
        assert await person.page.evaluate("document.activeElement !== document.body"), "the focus got lost"
        if await person.page.evaluate("document.activeElement.dataset.verb === 'delete'"):
            break
    await expect(person.action("By keyboard", "delete")).to_be_focused()
    outline = await person.action("By keyboard", "delete").evaluate("(node) => getComputedStyle(node).outline")
    assert "solid 2px" in outline
    await keys.press("Enter")
    await keys.press("Shift+Tab")
    await expect(person.card("By keyboard").locator('[data-answer="yes"]')).to_be_focused()
    await keys.press("Enter")
    await expect(person.card("By keyboard")).to_have_count(0)
    assert await person.page.evaluate("document.activeElement !== document.body")


async def test_tabs_and_panels_answer_arrows_and_escape(visit: Callable[..., Any]) -> None:
    person = await visit()
    keys = person.page.keyboard
    await person.page.focus("#tab-history")
    await keys.press("Enter")
    await expect(person.page.locator("#sidebar")).to_be_visible()
    await keys.press("ArrowDown")
    await expect(person.page.locator("#tab-images")).to_be_focused()
    await expect(person.page.locator("#tab-images")).to_have_attribute("aria-selected", "true")
    await expect(person.page.locator("#sidebar-title")).to_have_text("Images")
    await person.page.focus("#sidebar-close")
    await keys.press("Escape")
    await expect(person.page.locator("#sidebar")).to_be_hidden()
    await person.page.focus("#options-close")
    await keys.press("Escape")
    await expect(person.page.locator("#options")).to_be_hidden()


async def test_everything_that_takes_the_focus_shows_it(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.page.emulate_media(
        reduced_motion="reduce"
    )  # a border that is still fading in would be measured too early
    await person.page.focus("#skip")
    blind = []
    for _ in range(40):
        await person.page.keyboard.press("Tab")
        shown = await person.page.evaluate(
            """() => {
                 const node = document.activeElement;
                 const marked = (one) => one && getComputedStyle(one).outlineStyle !== "none";
                 const accent = getComputedStyle(document.querySelector(".brand-mark")).color;
                 const frame = node.id === "prompt" && getComputedStyle(node.closest("form")).borderColor === accent;
                 return frame || marked(node) || marked(node.labels?.[0]) || node === document.body ? "" : node.outerHTML.slice(0, 100);
               }"""
        )
        if shown:
            blind.append(shown)
    assert blind == []


async def test_a_prompt_is_text_whatever_it_says(visit: Callable[..., Any]) -> None:
    person = await visit()
    await person.shortest()
    await person.page.fill("#option-negative", XSS)
    await person.prompt.fill(XSS)
    await person.prompt.press("Enter")
    card = await person.wait_for("<img", "done")
    await card.locator('[data-verb="details"]').click()
    await expect(card.locator(".details-text")).to_have_text(XSS)
    await person.page.click("#tab-history")
    await expect(person.page.locator("#sidebar-list")).to_contain_text("<img")
    await card.locator('[data-verb="remix"]').click()
    await expect(person.prompt).to_have_value(XSS)
    assert await person.page.title() == "Reelay"
    assert await person.page.locator('.card img[src="x"], .card script, #sidebar img[src="x"]').count() == 0


@pytest.mark.parametrize("width", [360, 390, 430])
async def test_a_phone_never_scrolls_sideways(visit: Callable[..., Any], width: int) -> None:
    person = await visit(phone=True)
    await person.page.set_viewport_size({"width": width, "height": 800})
    for prompt in ("Verylongwordwithoutanyspace" * 12, "قارب ورقي في مطر المدينة 🌧️ " * 6):
        await person.prompt.fill(prompt)
        await person.prompt.press("Enter")
        await expect(person.card(prompt[:20])).to_be_visible()
    sideways = """
      ["html", "#scroller", ".card", ".card-lines", ".card-headline", "#composer", "#prompt"]
        .flatMap((where) => [...document.querySelectorAll(where)])
        .some((node) => node.scrollWidth > node.clientWidth + 1)
    """
    assert not await person.page.evaluate(sideways)
    await person.page.click("#drawer-toggle")
    await expect(person.page.locator("#sidebar")).to_be_visible()
    assert await person.page.evaluate("document.querySelector('#conversation').inert")
    assert not await person.page.evaluate(sideways)
    await person.page.keyboard.press("Escape")
    await expect(person.page.locator("#sidebar")).to_be_hidden()
    await expect(person.page.locator("#drawer-toggle")).to_be_focused()
    await person.page.click("#summary")
    await expect(person.page.locator("#options")).to_be_visible()
    assert not await person.page.evaluate(sideways)
    small = """
      [...document.querySelectorAll("#options button, #options label.segment")]
        .filter((node) => node.checkVisibility() && node.getBoundingClientRect().height < 28).length
    """
    assert await person.page.evaluate(small) == 0


async def test_what_is_chosen_shows_in_forced_colours(visit: Callable[..., Any]) -> None:
    """High contrast takes every background away; what is chosen must differ by more than that."""
    person = await visit()
    await person.page.emulate_media(forced_colors="active")
    grounds = """
      ["duration", "resolution", "provider"].map((name) => new Set([...document.querySelectorAll(`input[name="${name}"]`)]
        .map((node) => getComputedStyle(node.nextElementSibling).backgroundColor)).size)
    """
    assert await person.page.evaluate(grounds) == [2, 2, 2]


async def test_the_composer_of_a_phone_is_never_cut(visit: Callable[..., Any]) -> None:
    """Also when it has to say that the credits do not suffice."""
    person = await visit(phone=True)
    cut = """
      [...document.querySelectorAll("#summary span, #price")].filter((node) => node.checkVisibility())
        .filter((node) => node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0
                       || node.getBoundingClientRect().right > node.parentElement.getBoundingClientRect().right + 1)
        .map((node) => node.textContent)
    """
    await expect(person.page.locator("#price")).to_have_text("40 credits")
    assert await person.page.evaluate(cut) == []
    me = await person.api("GET", "/api/me")
    me["credits"]["today"] |= {"limit": 500, "spent": 490, "held": 0, "left": 10}
    await person.page.route("**/api/me", lambda route: route.fulfill(json=me))
    await person.page.reload()
    await person.ready()
    await expect(person.page.locator("#price")).to_have_text("40 credits · you have 10 today")
    assert await person.page.evaluate(cut) == []


async def test_a_foreign_script_reads_in_its_direction(visit: Callable[..., Any]) -> None:
    person = await visit()
    card = await person.order("قارب ورقي في المطر")
    direction = await card.locator(".card-headline").evaluate("node => getComputedStyle(node).direction")
    assert direction == "rtl"


async def test_motion_stops_for_those_who_ask(visit: Callable[..., Any]) -> None:
    person = await visit(phone=True)
    await person.page.emulate_media(reduced_motion="reduce")
    await person.page.click("#drawer-toggle")
    moving = "document.getAnimations().length"
    assert await person.page.evaluate(moving) == 0
