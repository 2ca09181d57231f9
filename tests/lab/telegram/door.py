"""The door of the Bot API: what every request goes through before and after its effect."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from aiohttp import web

from tests.lab.faults import Fault, Faults
from tests.lab.journal import Journal
from tests.lab.server import cut
from tests.lab.telegram import bodies, spec
from tests.lab.telegram.bodies import Body
from tests.lab.telegram.media import Shelf, Upload
from tests.lab.telegram.refusal import Refusal, flooded
from tests.lab.telegram.world import Bot, World

Json = dict[str, Any]
PAGE: Final = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
REASONS: Final = {502: "502 Bad Gateway", 504: "504 Gateway Time-out", 413: "413 Request Entity Too Large"}


@dataclass(slots=True)
class Call:
    """A request that has passed the door."""

    bot: Bot
    method: str
    params: Json
    files: dict[str, Upload] = field(default_factory=dict)
    alive: Callable[[], bool] = lambda: True
    """Whether anybody still waits for the answer."""
    used: set[str] = field(default_factory=set)
    """Files that something spoke of."""

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter."""
        return self.params.get(name, default)

    def file(self, name: str) -> Upload | None:
        """A file by its part's name; it is noted that somebody wanted it."""
        self.used.add(name)
        return self.files.get(name)


Work = Callable[[Call], Any]


class Door:
    """Authorisation, faults, validation, journal; the work itself is the method's."""

    def __init__(self, world: World, journal: Journal, shelf: Shelf, *, validate: bool) -> None:
        self.world, self.journal, self.shelf, self.validate = world, journal, shelf, validate
        self.faults = Faults()
        self.latency: dict[str, float] = {}
        """Seconds before the effect, by method; ``*`` for all the others but getUpdates."""
        self.methods: dict[str, Work] = {}
        self.own_faults: list[str] = []
        """Answers of the simulator that the document does not allow. Always empty, or the simulator is wrong."""
        self.inflight, self.most_inflight = Counter[str](), Counter[str]()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """What aiohttp calls."""
        said = request.match_info["method"]
        method = spec.methods().get(said.lower(), said)
        self.inflight[method] += 1
        self.most_inflight[method] = max(self.most_inflight[method], self.inflight[method])
        try:
            return await self._handle(method, request)
        finally:
            self.inflight[method] -= 1

    async def _handle(self, method: str, request: web.Request) -> web.StreamResponse:
        fault = self.faults.next(method)
        body, bot = Body(), None
        try:
            bot = self.bot(request)
            if (early := await self._before(method, request, fault)) is not None:
                return early
            sink = fault.seconds if fault is not None and fault.kind == "sink" else None
            body = await bodies.read(request, self.shelf, sink)
            answer = await self._work(bot, method, body, lambda: _connected(request))
        except Refusal as refusal:
            return await self._after(method, request, fault, bot, body, refusal.status, refusal.body())
        if self.validate:
            self.own_faults += spec.answer_faults(method, answer)
        return await self._after(method, request, fault, bot, body, 200, {"ok": True, "result": answer})

    def bot(self, request: web.Request) -> Bot:
        """Whose token it is."""
        token = unquote(request.match_info["token"])
        bot = self.world.bots.get(token)
        if bot is None:
            number, _, rest = token.partition(":")
            raise Refusal(
                401, "Unauthorized" if number.isdecimal() and rest else "Unauthorized: invalid token specified"
            )
        if bot.logged_out:
            raise Refusal(400, "Logged out")
        return bot

    async def _work(self, bot: Bot, method: str, body: Body, alive: Callable[[], bool]) -> Any:
        if method not in spec.methods().values():
            raise Refusal(404, "Not Found: method not found")
        params = spec.read(method, body.raw, set(body.files))
        if method not in self.methods:
            raise Refusal(400, f"Bad Request: lab: {method} is not simulated")
        call = Call(bot, method, params, body.files, alive)
        answer = self.methods[method](call)
        if isinstance(answer, Awaitable):
            answer = await answer
        if unused := sorted(set(body.files) - call.used - set(params)):
            self.journal.write("unused", operation=method, files=unused)
        return answer

    async def _before(self, method: str, request: web.Request, fault: Fault | None) -> web.Response | None:
        common = 0.0 if method == "getUpdates" else self.latency.get("*", 0.0)
        wait = self.latency.get(method, common)
        if fault is not None and fault.kind == "stall":
            wait += fault.seconds
        if wait:
            await asyncio.sleep(wait)
        if fault is None or fault.scope == "after":
            return None
        if fault.kind == "cut before":
            self._note(method, None, Body(), 0, None, fault=fault.kind)
            cut(request)
            return web.Response()
        if fault.kind in {"status", "page"}:
            self._note(method, None, Body(), fault.code, None, fault=fault.kind)
            return _broken(fault)
        if fault.kind == "rate limit":
            raise flooded(fault.seconds)
        if fault.kind == "refuse":
            raise Refusal(fault.code, fault.text)
        return None

    async def _after(
        self,
        method: str,
        request: web.Request,
        fault: Fault | None,
        bot: Bot | None,
        body: Body,
        status: int,
        answer: Json,
    ) -> web.StreamResponse:
        kind = None if fault is None else fault.kind
        self._note(method, bot, body, status, answer, fault=kind)
        if fault is not None and kind == "slow":
            await asyncio.sleep(fault.seconds)
        if kind == "cut after":
            cut(request)
            return web.Response()
        if fault is not None and kind == "status" and fault.scope == "after":
            return _broken(fault)
        text = '{"ok": tr' if kind == "garble" else json.dumps(answer)
        return web.Response(text=text, status=status, content_type="application/json")

    def _note(self, method: str, bot: Bot | None, body: Body, status: int, answer: Any, **more: Any) -> None:
        if method == "getUpdates" and status == 200:
            answer = [each["update_id"] for each in answer["result"]]
        self.journal.write(
            "request",
            operation=method,
            bot=None if bot is None else bot.username,
            body=body.raw,
            files={name: [file.filename, file.size] for name, file in body.files.items()},
            status=status,
            description=answer.get("description") if isinstance(answer, dict) else None,
            answer=answer,
            **more,
        )


def _connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _broken(fault: Fault) -> web.Response:
    """What stands before the server says in HTML that it cannot reach it."""
    reason = REASONS.get(fault.code, f"{fault.code} Error")
    return web.Response(status=fault.code, text=PAGE.format(reason), content_type="text/html")
