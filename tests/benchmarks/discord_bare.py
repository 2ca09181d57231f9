"""The other side of the Discord figures: the smallest bot that discord.py's own guide leads to, as a program of its own.

``python -m tests.benchmarks.discord_bare`` reads one line of JSON from its input: ``api_url``, ``gateway_url``, ``token``, ``does`` and
what that needs. ``defer`` answers each /video with "thinking". ``edit`` defers, then asks the vendor at ``vendor`` how far the job is,
edits, and sleeps ``pace`` seconds, until the job is ready. ``upload`` defers, waits until the file ``go`` is there, and then edits the
answer with ``clip`` as a ``discord.File``; ``raw`` is no bot: it sends ``body`` and ``clip`` to ``path`` with aiohttp alone.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import aiohttp
import discord
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from tests.lab.vendor import KEY

Json = dict[str, Any]
LOOK_SECONDS: Final = 0.02
WAIT_SECONDS: Final = 120.0


class Bare(discord.Client):
    """A client with one command; nothing of the library is changed but where Discord is."""

    def __init__(self, wish: Json) -> None:
        super().__init__(intents=discord.Intents.default())
        self.wish = wish
        self.tree = app_commands.CommandTree(self)
        self._http: aiohttp.ClientSession | None = None
        does: dict[str, Callable[[discord.Interaction, str], Awaitable[None]]] = {
            "defer": self.defer,
            "edit": self.edit,
            "upload": self.upload,
        }
        work = does[wish["does"]]

        @self.tree.command(name="video", description="Make a clip")
        async def video(interaction: discord.Interaction, prompt: str) -> None:
            await interaction.response.defer()
            await work(interaction, prompt)

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def defer(self, interaction: discord.Interaction, prompt: str) -> None:
        """Nothing more."""

    async def edit(self, interaction: discord.Interaction, prompt: str) -> None:
        """Poll, edit, sleep."""
        if self._http is None:
            self._http = aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"})
        jobs = f"{self.wish['vendor']}/jobs"
        async with self._http.post(jobs, json={"attempt": str(interaction.id), "prompt": prompt}) as answer:
            job = (await answer.json())["id"]
        for _ in range(1000):
            async with self._http.get(f"{jobs}/{job}") as answer:
                said = await answer.json()
            if said["status"] != "waiting":
                await interaction.edit_original_response(content="Done")
                return
            await interaction.edit_original_response(content=f"Rendering, {int(said['progress'] * 100)} %")
            await asyncio.sleep(self.wish["pace"])

    async def upload(self, interaction: discord.Interaction, prompt: str) -> None:
        """Send the clip when everybody may."""
        end = time.monotonic() + WAIT_SECONDS
        while not await asyncio.to_thread(Path(self.wish["go"]).exists):
            if time.monotonic() > end:
                raise TimeoutError("nobody said go")
            await asyncio.sleep(LOOK_SECONDS)
        await interaction.edit_original_response(attachments=[discord.File(self.wish["clip"], "clip.mp4")])


async def raw(wish: Json) -> float:
    """Seconds in which aiohttp alone brings the clip, at the second time, on a connection that is new each time."""
    address, took = URL(wish["api_url"] + wish["path"], encoded=True), 0.0
    for _ in range(2):
        with Path(wish["clip"]).open("rb") as file:  # noqa: ASYNC230 - opening is all that is done here
            form = aiohttp.FormData()
            form.add_field("payload_json", json.dumps(wish["body"]), content_type="application/json")
            form.add_field("files[0]", file, filename="clip.mp4", content_type="video/mp4")
            async with aiohttp.ClientSession() as http:
                began = time.monotonic()
                async with http.patch(address, data=form) as answer:
                    text = await answer.read()
                    if answer.status != 200:
                        raise RuntimeError(f"{answer.status}: {text[:200]!r}")
                took = time.monotonic() - began
    return took


def main() -> None:
    """Until killed, or, for ``raw``, until it is there."""
    wish = json.loads(sys.stdin.readline())
    if wish["does"] == "raw":
        print(json.dumps({"seconds": asyncio.run(raw(wish))}), flush=True)
        return
    Route.BASE = wish["api_url"]
    DiscordWebSocket.DEFAULT_GATEWAY = URL(wish["gateway_url"])
    logging.getLogger("discord").setLevel(logging.CRITICAL)
    Bare(wish).run(wish["token"], log_handler=None)


if __name__ == "__main__":
    main()
