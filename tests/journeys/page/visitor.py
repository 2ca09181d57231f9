"""A person at the page: what they do, in their words, and what they can see."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

from PIL import Image
from playwright.async_api import ConsoleMessage, Locator, Page, expect

SOON = 20_000
MADE = 120_000
"""Milliseconds within which a clip of the lab's generator is there, on a busy machine too."""

GIVE_FILE = """
({name, type, bytes, padding, how}) => {
  const file = new File([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0)), new Uint8Array(padding)], name, {type});
  const given = new DataTransfer();
  given.items.add(file);
  const target = document.querySelector("#scroller");
  const drag = (kind) => target.dispatchEvent(new DragEvent(kind, {dataTransfer: given, bubbles: true, cancelable: true}));
  if (how === "paste") document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: given, bubbles: true, cancelable: true}));
  else for (const kind of how === "hover" ? ["dragenter", "dragover"] : ["dragenter", "dragover", "drop"]) drag(kind);
}
"""


def picture(
    width: int = 320, height: int = 180, colour: tuple[int, int, int] = (200, 120, 40), kind: str = "PNG"
) -> bytes:
    """A small real picture."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, kind)
    return out.getvalue()


class Visitor:
    """Drives one open page; ``complaints`` collects everything that the browser found wrong."""

    def __init__(self, page: Page, address: str) -> None:
        """``forgiven`` are parts of console messages that a test causes on purpose."""
        self.page, self.address = page, address
        self.complaints: list[str] = []
        self.forgiven: list[str] = []
        page.set_default_timeout(SOON)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(part in message.text for part in self.forgiven):
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    async def arrive(self, *, clean: bool) -> None:
        """Open the page and wait until it is ready; ``clean`` first ends and deletes what the account has."""
        if clean:
            await self._clean()
        await self.page.goto(self.address)
        await self.ready()

    async def _clean(self) -> None:
        calls, prefix = self.page.context.request, f"{self.address}/api/video_chat"
        headers = {"Origin": self.address}
        await calls.post(f"{self.address}/api/session", data={}, headers=headers)
        answer = await calls.get(f"{prefix}/operations?limit=100")
        for job in (await answer.json())["operations"]:
            if job["status"] in ("pending", "processing"):
                await calls.post(f"{prefix}/cancel", data={"operation_id": job["operation_id"]}, headers=headers)
            await calls.delete(f"{prefix}/operations/{job['operation_id']}", headers=headers)

    async def ready(self) -> None:
        """Wait until the history is drawn."""
        await self.page.wait_for_selector('body[data-phase="ready"]')

    @property
    def prompt(self) -> Locator:
        """The text field."""
        return self.page.locator("#prompt")

    def card(self, text: str) -> Locator:
        """The card whose headline holds this text."""
        return self.page.locator(".card", has=self.page.locator(".card-headline", has_text=text))

    def action(self, text: str, verb: str) -> Locator:
        """An action of that card."""
        return self.card(text).locator(f'[data-verb="{verb}"]')

    async def order(self, text: str) -> Locator:
        """Type a prompt, press Enter, and see the card."""
        await self.prompt.fill(text)
        await self.prompt.press("Enter")
        card = self.card(text)
        await expect(card).to_be_visible()
        return card

    async def wait_for(self, text: str, *states: str, within: float = MADE) -> Locator:
        """The card once it is in one of these states."""
        card = self.card(text)
        wanted = ", ".join(f'.card[data-state="{state}"]' for state in states)
        await expect(self.page.locator(wanted, has=self.page.locator(".card-headline", has_text=text))).to_have_count(
            1, timeout=within
        )
        return card

    async def make(self, text: str) -> Locator:
        """Order a clip and wait until it is done."""
        await self.order(text)
        return await self.wait_for(text, "done")

    async def shortest(self) -> None:
        """Choose the shortest and smallest clip, so that real renders stay quick."""
        panel = self.page.locator("#options")
        if not await panel.is_visible():
            await self.page.click("#summary")
        for field in ("duration", "resolution"):
            await panel.locator(f'input[name="{field}"] + label').first.click()
        if await self.page.locator("#scrim").is_visible():
            await self.page.click("#options-close")

    async def choose(self, generator: str) -> None:
        """Choose a generator by its name."""
        if not await self.page.locator("#options").is_visible():
            await self.page.click("#summary")
        await self.page.locator(f'label[for="option-provider-{generator}"]').click()
        if await self.page.locator("#scrim").is_visible():
            await self.page.click("#options-close")

    async def give(self, data: bytes, name: str, kind: str, how: str, padding: int = 0) -> None:
        """Drop or paste a file: ``how`` is drop, paste or hover (dragged, not let go); ``padding`` zero bytes follow the data."""
        given = {"name": name, "type": kind, "bytes": base64.b64encode(data).decode(), "padding": padding, "how": how}
        await self.page.evaluate(GIVE_FILE, given)

    async def api(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the server as this browser; the JSON answer."""
        return await self.page.evaluate(
            """async ({method, path, body}) => {
                 const headers = body ? {"Content-Type": "application/json"} : {};
                 const answer = await fetch(path, {method, headers, body: body ? JSON.stringify(body) : undefined});
                 return answer.status === 204 ? null : await answer.json();
               }""",
            {"method": method, "path": path, "body": body},
        )

    async def jobs(self, text: str) -> Sequence[dict[str, Any]]:
        """The server's jobs whose prompt holds this text."""
        answer = await self.api("GET", "/api/video_chat/operations?limit=100")
        return [job for job in answer["operations"] if text in job["prompt"]]
