"""A Discord in a process of its own, with a control port: ``python -m tests.lab.discord --latency 0.05``.

It says one line of JSON (where everything is) and lives until its input ends. The control port takes and gives JSON:
``GET /`` where everything is and who is connected, ``POST /prepare`` (``count``, and what ``Rush.prepare`` takes), ``POST /fire``
(``rate`` or nothing), ``GET /figures``, ``GET /lines?what=edited&after=0`` the journal. ``tests.lab.discord.load`` speaks it.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.lab.discord.rush import Rush
from tests.lab.server import Simulator

Json = dict[str, Any]


class Control(Simulator):
    """The control port."""

    def __init__(self, rush: Rush) -> None:
        super().__init__()
        self.rush = rush

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/", self._answers(lambda data: self.addresses()))
        app.router.add_get("/figures", self._answers(lambda data: self.rush.figures()))
        app.router.add_get("/lines", self._answers(self.lines))
        app.router.add_post("/prepare", self._answers(self.prepare))
        app.router.add_post("/fire", self._answers(self.fire))

    def _answers(self, work: Callable[[Json], Json]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            data = await request.json() if request.method == "POST" else dict(request.query)
            try:
                return web.json_response(work(data))
            except Exception as error:  # noqa: BLE001 - whoever is at the other end has to hear of it
                return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)

        return handle

    def addresses(self) -> Json:
        """Where everything is."""
        rush = self.rush
        return {
            "api_url": rush.api_url,
            "gateway_url": rush.gateway_url,
            "token": rush.token,
            "public_key": rush.public_key,
            "application_id": rush.world.application_id,
            "connected": rush.gateway.connected,
            "commands": [each["name"] for each in rush.commands.of(None)],
        }

    def prepare(self, data: Json) -> Json:
        """Make the crowd."""
        self.rush.prepare(**data)
        return {"prepared": len(self.rush.burst.waiting)}

    def fire(self, data: Json) -> Json:
        """Let it act. The answer comes at once; ``figures`` tell how far it is."""
        return {"fired": self.rush.begin(data.get("rate"))}

    def lines(self, data: Json) -> Json:
        """Lines of the journal from number ``after`` on."""
        after, what = int(data.get("after", 0)), data.get("what")
        found = self.rush.journal.lines[after:]
        return {"next": after + len(found), "lines": [line for line in found if what in {None, line["what"]}]}


def main() -> None:
    """Run until the input ends."""
    wanted = argparse.ArgumentParser(description="A Discord with a crowd in it.")
    wanted.add_argument("--latency", type=float, default=0.0, help="seconds before any request has its effect")
    wanted.add_argument("--validate", action="store_true", help="hold everything against the OpenAPI document (slow)")
    said = wanted.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with Rush(latency=said.latency, validate=said.validate) as rush, Control(rush) as control:
        print(json.dumps({"control_url": control.url, **control.addresses()}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
