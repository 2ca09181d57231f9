"""Whoever sees a clip can report it from where they see it; an operator takes it down there, or by its link or number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, expect

from tests.journeys.page.moderation import (
    NOBODY,
    OPERATOR,
    OWNER,
    SOMEBODY,
    command,
    cookie_of,
    made,
    moderated,
    reports,
)
from tests.journeys.page.visitor import Visitor
from tests.lab.api import Api
from tests.lab.reelay import Reelay


@pytest.fixture(scope="module")
def reelay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reelay]:
    with moderated(tmp_path_factory.mktemp("moderation")) as process:
        yield process


async def context_of(browser: Browser, reelay: Reelay, cookie: str | None = None, **options: Any) -> BrowserContext:
    context = await browser.new_context(**options)
    if cookie is not None:
        name, _, value = cookie.partition("=")
        await context.add_cookies([{"name": name, "value": value, "url": reelay.url}])
    return context


async def test_a_shared_clip_is_reported_in_the_readers_language(reelay: Reelay, browser: Browser) -> None:
    clip, link = made(reelay)
    context = await context_of(browser, reelay, locale="fr-FR", viewport={"width": 390, "height": 844})
    try:
        visitor = Visitor(await context.new_page(), reelay.url)
        page = visitor.page
        await page.goto(reelay.url + link)
        await expect(page.locator("html")).to_have_attribute("lang", "fr")
        await expect(page).to_have_title("Un clip partagé · Reelay")
        await expect(page.locator("#shared")).to_contain_text("généré par IA")
        await expect(page.locator("video")).not_to_have_js_property("videoWidth", 0)
        await expect(page.locator('[data-verb="takedown"]')).to_have_count(0)
        assert reports(reelay, clip["operation_id"]) == []
        await page.click('[data-verb="report"]')
        await expect(page.locator(".shared-note")).to_have_text("Merci. L'opérateur est prévenu et peut le retirer.")
        assert reports(reelay, clip["operation_id"]) == ["web:local"]
        visitor.forgiven.append("404")
        await page.goto(reelay.url + link[:-1] + ("0" if link[-1] != "0" else "1"))
        await expect(page.locator("#gate h1")).to_have_text("Ce clip n'est plus ici")
        await expect(page.locator('[data-verb="block"]')).to_have_count(0)
        assert visitor.complaints == []
    finally:
        await context.close()


async def test_a_person_reports_from_the_details_of_a_card(reelay: Reelay, browser: Browser) -> None:
    context = await context_of(browser, reelay, cookie_of(reelay, SOMEBODY))
    try:
        visitor = Visitor(await context.new_page(), reelay.url)
        await visitor.arrive(clean=True)
        await visitor.make("A clip of my own")
        await visitor.action("A clip of my own", "details").click()
        await expect(visitor.card("A clip of my own").locator(".card-details")).to_contain_text("Lab instant")
        await visitor.action("A clip of my own", "report").click()
        await expect(visitor.card("A clip of my own").locator(".card-note")).to_contain_text("Thank you.")
        [job] = await visitor.jobs("A clip of my own")
        assert reports(reelay, job["operation_id"]) == ["discord:6"]
        await visitor.page.click("#account-toggle")
        await expect(visitor.page.locator("#setting-language")).to_be_visible()
        await expect(visitor.page.locator("#operator-clip")).to_have_count(0)
        assert visitor.complaints == []
    finally:
        await context.close()


async def test_an_operator_takes_a_clip_down_by_its_link_or_its_number(reelay: Reelay, browser: Browser) -> None:
    shared, link = made(reelay)
    other, _ = made(reelay)
    context = await context_of(browser, reelay, cookie_of(reelay, OPERATOR))
    try:
        visitor = Visitor(await context.new_page(), reelay.url)
        page = visitor.page
        await page.goto(reelay.url + link)
        await page.click('[data-verb="takedown"]')
        await page.click('[data-answer="no"]')
        await expect(page.locator('[data-verb="takedown"]')).to_be_focused()
        assert Api(reelay.url, headers=NOBODY).get(link).status == 200
        await page.click('[data-verb="takedown"]')
        await page.click('[data-answer="yes"]')
        await expect(page.locator("#gate h1")).to_have_text("This clip is not here any more")
        assert Api(reelay.url, headers=NOBODY).get(link).status == 404
        gone = page.locator("#gate")
        await expect(gone.locator('[data-verb="takedown"]')).to_have_count(0)
        await gone.locator('[data-verb="block"]').click()
        await gone.locator('[data-answer="yes"]').click()
        await expect(gone.locator(".field-note")).not_to_be_empty()
        assert Api(reelay.url, token=OWNER).me()["blocked"] is True
        command(
            reelay, "unblock", str(reelay.value("SELECT account_id FROM jobs WHERE id = ?", shared["operation_id"]))
        )
        await page.goto(reelay.url)
        await visitor.ready()
        await page.click("#account-toggle")
        section = page.locator("section", has=page.locator("#operator-clip"))
        await page.fill("#operator-clip", "not a number!")
        await section.locator('[data-verb="takedown"]').click()
        await expect(page.locator("#operator-clip")).to_be_focused()
        for text, state in ((other["operation_id"], "Taken down"), (other["operation_id"], "no longer kept")):
            visitor.forgiven.append("404")
            await page.fill("#operator-clip", text)
            await section.locator('[data-verb="takedown"]').click()
            await section.locator('[data-answer="yes"]').click()
            await expect(section.locator(".field-note")).to_contain_text(state)
        assert Api(reelay.url, token=OWNER).get(other["video_url"]).status == 404
        rows = reelay.rows("SELECT details FROM audit WHERE verb = 'takedown'")
        down = {json.loads(row["details"])["job"] for row in rows}
        assert down >= {shared["operation_id"], other["operation_id"]}
        assert visitor.complaints == []
    finally:
        await context.close()
