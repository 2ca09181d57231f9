"""What a person does with a film on the page: order it, go through its scenes, and look at what became of it."""

from __future__ import annotations

from typing import Any, Final

from playwright.async_api import Locator, expect

from tests.journeys.page.visitor import Visitor

CUT: Final = 120_000
"""Milliseconds within which a film of the lab's clips is cut, on a busy machine too."""


class Filmgoer:
    """Drives the card of one film; ``idea`` is how it is found."""

    def __init__(self, person: Visitor, idea: str) -> None:
        """The page is open; the film need not be there yet."""
        self.person, self.page, self.idea = person, person.page, idea

    @property
    def card(self) -> Locator:
        """The film's card."""
        return self.person.card(self.idea)

    @property
    def scenes(self) -> Locator:
        """Its scenes' rows, in order."""
        return self.card.locator(".scene")

    @property
    def words(self) -> Locator:
        """The fields with the scenes' words."""
        return self.card.locator(".scene-words")

    async def order(self, scenes: int, generator: str | None = None, character: str = "") -> None:
        """Order the film from the composer and wait for its storyboard."""
        if generator is not None:
            await self.person.choose(generator)
        await self.page.locator('label[for="mode-film"]').click()
        for _ in range(20):
            count = int((await self.page.locator("#film-scenes").inner_text()).split()[0])
            if count == scenes:
                break
            await self.page.click(f'[data-film="{"more" if count < scenes else "fewer"}"]')
        await self.page.fill("#film-character", character)
        await self.person.prompt.fill(self.idea)
        await self.person.prompt.press("Enter")
        await self.person.wait_for(self.idea, "awaiting")
        await expect(self.scenes).to_have_count(scenes)

    async def write(self, at: int, words: str) -> None:
        """Other words for the scene at a place, counted from 0; saved by leaving the field."""
        await self.words.nth(at).fill(words)
        await self.words.nth(at).press("Control+Enter")
        await self.saved(at, words)

    async def saved(self, at: int, words: str) -> None:
        """Wait until the server has these words at this place."""
        for _ in range(100):
            if (await self.plan())[at] == words:
                return
            await self.page.wait_for_timeout(50)
        assert (await self.plan())[at] == words

    async def approve(self) -> None:
        """Press the button that makes it."""
        await self.card.locator('[data-verb="approve"]').click()

    async def done(self) -> None:
        """Wait until the film is there, and unfold its scenes."""
        await self.person.wait_for(self.idea, "done", within=CUT)
        fold = self.card.locator(".film-fold")
        if await fold.get_attribute("aria-expanded") == "false":
            await fold.click()

    async def status(self) -> dict[str, Any]:
        """The film's status object, from the server."""
        [job] = await self.person.jobs(self.idea)
        found: dict[str, Any] = await self.person.api("GET", f"/api/films/{job['operation_id']}")
        return found

    async def plan(self) -> list[str]:
        """The scenes' words as the server has them, in order."""
        return [scene["description"] for scene in (await self.status())["film"]["scenes"]]

    async def shown(self) -> list[str]:
        """The scenes' words as the page shows them, in order."""
        texts: list[str] = await self.scenes.evaluate_all(
            """(rows) => rows.map((row) => row.querySelector(".scene-words:not([hidden])")?.value
                                           ?? row.querySelector(".scene-text").textContent)"""
        )
        return texts

    async def drag(self, at: int, to: int) -> None:
        """Drag a scene by its handle onto another one's place."""
        await self.scenes.nth(at).scroll_into_view_if_needed()
        start = await self.scenes.nth(at).locator("[data-handle]").bounding_box()
        end = await self.scenes.nth(to).bounding_box()
        assert start is not None
        assert end is not None
        mouse = self.page.mouse
        await mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
        await mouse.down()
        edge = end["y"] + (4 if to < at else end["height"] - 4)
        await mouse.move(start["x"] + 10, edge, steps=6)
        await mouse.up()

    async def plays(self) -> None:
        """Start the film and see it move on."""
        video = self.card.locator(".stage video")
        await video.scroll_into_view_if_needed()
        await video.evaluate("async (video) => { video.muted = true; await video.play(); }")
        await self.page.wait_for_function(
            "(video) => video.currentTime > 0.2 && video.videoWidth > 0", arg=await video.element_handle()
        )
        await video.evaluate("(video) => video.pause()")
