"""A browser for the page's journeys. The address comes from ``reelay_page_url``: a really running process with the lab generator."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Literal, NoReturn

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ViewportSize, async_playwright

from tests.journeys.page.visitor import Visitor

PLACES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is the same engine without the windows that nobody sees: a visit costs a third of the processor time (measured 2026-11-22)."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WATCH_POLICY = """
window.brokenPolicies = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.brokenPolicies.push(event.violatedDirective + " " + event.blockedURI);
});
"""


def _chromium() -> str | None:
    return next(filter(None, map(shutil.which, PLACES)), None)


def _absent(reason: str) -> NoReturn:
    """Without what these journeys need they are skipped, but never silently where everything must run."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    """The base URL of the running process, without a slash at the end."""
    try:
        url: str = request.getfixturevalue("reelay_page_url")
    except pytest.FixtureLookupError:
        _absent("no running process: the fixture reelay_page_url is not there")
    return url.rstrip("/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for these journeys, because they share one browser: starting Chromium costs more than most of them."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium; every visitor gets a profile of their own in it."""
    where = _chromium()
    if where is None:
        _absent("Chromium is not installed")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=where, args=list(FLAGS))
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, address: str) -> AsyncIterator[Callable[..., Any]]:
    """Open the page: ``visitor = await visit(phone=True)``. Afterwards nobody may have seen an error or broken the policy."""
    visitors: list[Visitor] = []
    contexts: list[BrowserContext] = []

    async def open_page(
        *,
        phone: bool = False,
        scheme: Literal["dark", "light"] = "dark",
        clean: bool = True,
        beside: Visitor | None = None,
    ) -> Visitor:
        if beside is not None:
            context = beside.page.context
        else:
            size = ViewportSize(width=390, height=844) if phone else ViewportSize(width=1440, height=900)
            context = await browser.new_context(
                viewport=size,
                color_scheme=scheme,
                is_mobile=phone,
                has_touch=phone,
                accept_downloads=True,
                reduced_motion="reduce",
            )
            await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
            await context.add_init_script(WATCH_POLICY)
            contexts.append(context)
        visitor = Visitor(await context.new_page(), address)
        visitors.append(visitor)
        await visitor.arrive(clean=clean)
        return visitor

    yield open_page
    try:
        for visitor in visitors:
            assert await visitor.page.evaluate("window.brokenPolicies") == []
            assert visitor.complaints == []
    finally:
        for context in contexts:
            await context.close()
