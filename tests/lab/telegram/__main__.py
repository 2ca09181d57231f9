"""A Telegram in a process of its own, with a control port: ``python -m tests.lab.telegram --latency 0.05``.

It says one line of JSON (where everything is) and lives until its input ends. The control port takes and gives JSON: ``GET /`` where
everything is, ``POST /prepare`` (``people``), ``POST /fire`` (``text``, ``times``), ``GET /figures``,
``GET /lines?what=edited&after=0`` the journal.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.lab.server import Simulator
from tests.lab.telegram.rush import Rush
from tests.lab.telegram.server import Telegram

Json = dict[str, Any]


class Control(Simulator):
    """The control port."""

    def __init__(self, rush: Rush) -> None:
        super().__init__()
        self.rush, self.telegram = rush, rush.telegram

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/", self._answers(lambda data: self.addresses()))
        app.router.add_get("/figures", self._answers(lambda data: self.rush.figures()))
        app.router.add_get("/lines", self._answers(self.lines))
        app.router.add_post("/prepare", self._answers(self.prepare))
        app.router.add_post("/fire", self._answers(lambda data: {"fired": self.rush.fire(**data)}))

    @staticmethod
    def _answers(work: Callable[[Json], Json]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            data = await request.json() if request.method == "POST" else dict(request.query)
            try:
                return web.json_response(await asyncio.to_thread(work, data))
            except Exception as error:  # noqa: BLE001 - whoever is at the other end has to hear of it
                return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

        return handle

    def addresses(self) -> Json:
        """Where everything is."""
        telegram = self.telegram
        return {
            "api_url": telegram.api_url,
            "token": telegram.token,
            "username": telegram.bot.username,
            "polls": telegram.queue.polls,
        }

    def prepare(self, data: Json) -> Json:
        """Make the crowd."""
        self.rush.prepare(**data)
        return {"prepared": len(self.rush.people)}

    def lines(self, data: Json) -> Json:
        """Lines of the journal from number ``after`` on."""
        after, what = int(data.get("after", 0)), data.get("what")
        found = self.telegram.journal.lines[after:]
        return {"next": after + len(found), "lines": [line for line in found if what in {None, line["what"]}]}


def main() -> None:
    """Run until the input ends."""
    wanted = argparse.ArgumentParser(description="A Telegram with a crowd in it.")
    wanted.add_argument(
        "--latency", type=float, default=0.0, help="seconds before any request but getUpdates has its effect"
    )
    wanted.add_argument(
        "--light", action="store_true", help="hold nothing against the official document, and keep no uploads"
    )
    wanted.add_argument("--local", action="store_true", help="be the operator's own server")
    said = wanted.parse_args()
    with Telegram(local=said.local, validate=not said.light) as telegram:
        telegram.delay(said.latency)
        telegram.shelf.keep = not said.light
        with Control(Rush(telegram)) as control:
            print(json.dumps({"control_url": control.url, **control.addresses()}), flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    main()
