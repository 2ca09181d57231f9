"""The door of the REST API: what every request goes through before and after its effect."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from tests.lab.discord import spec, uploads
from tests.lab.discord.faults import Fault, Faults
from tests.lab.discord.journal import Journal
from tests.lab.discord.limits import Limits, limited
from tests.lab.discord.refusal import Refusal, wrongs
from tests.lab.discord.uploads import Body
from tests.lab.discord.world import World
from tests.lab.server import cut

Json = dict[str, Any]
Answer = tuple[int, Any]
PAGE: Final = "<!DOCTYPE html><html><head><title>{}</title></head><body><center>cloudflare</center></body></html>"


@dataclass(slots=True)
class Call:
    """A request that has passed the door. ``path`` holds what stands in the template's braces."""

    path: dict[str, str]
    query: dict[str, str]
    body: Body


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the OpenAPI document. ``bot``: it needs the bot's token; ``major``: what its rate limit is counted by."""

    method: str
    template: str
    work: Callable[[Call], Answer]
    bot: bool = True
    major: tuple[str, ...] = ()
    edits: bool = False

    @property
    def operation(self) -> str:
        """The document's id."""
        return spec.operation_id(self.method, self.template)


class Door:
    """Authorisation, faults, limits, validation, journal; the work itself is the route's."""

    def __init__(self, world: World, journal: Journal, limits: Limits, folder: Path, *, validate: bool) -> None:
        self.world, self.journal, self.limits, self.folder = world, journal, limits, folder
        self.validate = validate
        self.faults = Faults()
        self.latency: dict[str, float] = {}
        """Seconds before the effect, by operation; ``*`` for all the others."""
        self.own_faults: list[str] = []
        """Answers of the simulator that the OpenAPI document does not allow. Always empty, or the simulator is wrong."""
        self.inflight, self.most_inflight = Counter[str](), Counter[str]()
        self._judged: set[tuple[str, str]] = set()

    def handler(self, route: Route) -> Callable[[web.Request], Any]:
        """What aiohttp calls."""
        operation = route.operation

        async def handle(request: web.Request) -> web.StreamResponse:
            self.inflight[operation] += 1
            self.most_inflight[operation] = max(self.most_inflight[operation], self.inflight[operation])
            try:
                return await self._handle(route, operation, request)
            finally:
                self.inflight[operation] -= 1

        return handle

    async def _handle(self, route: Route, operation: str, request: web.Request) -> web.StreamResponse:
        body = Body()
        headers: dict[str, str] = {}
        fault = self.faults.next(operation)
        try:
            if (early := await self._before(operation, request, fault)) is not None:
                return early
            self._authorise(route, request)
            headers = self._count(route, operation, request)
            body = await uploads.read(request, self.folder)
            call = Call(dict(request.match_info), dict(request.query), body)
            self._check(route, call)
            status, answer = route.work(call)
        except Refusal as refusal:
            status, answer = refusal.status, refusal.body()
            headers |= refusal.headers
        self._judge(route, status, answer)
        via = self.limits.via and (fault is None or fault.via)
        return await self._after(
            operation, request, fault, body, status, answer, headers | ({"Via": "1.1 google"} if via else {})
        )

    async def _before(self, operation: str, request: web.Request, fault: Fault | None) -> web.Response | None:
        wait = self.latency.get(operation, self.latency.get("*", 0.0))
        if fault is not None and fault.kind == "stall":
            wait += fault.seconds
        if wait:
            await asyncio.sleep(wait)
        if self.limits.banned:
            self._note(operation, request, Body(), 429, None)
            return web.Response(status=429, text="error code: 1015", content_type="text/html")
        if fault is None or fault.scope == "after":
            return None
        if fault.kind == "cut before":
            self._note(operation, request, Body(), 0, None, fault="cut before")
            cut(request)
            return web.Response()
        if fault.kind in {"status", "page"}:
            self._note(operation, request, Body(), fault.code, None, fault=fault.kind)
            return _broken(fault)
        if fault.kind == "rate limit":
            raise limited(fault.seconds, {}, scope=fault.scope)
        if fault.kind == "refuse":
            raise Refusal(fault.code)
        return None

    def _authorise(self, route: Route, request: web.Request) -> None:
        said = request.headers.get("Authorization")
        if (route.bot or said is not None) and said != f"Bot {self.world.token}":
            raise Refusal(0)

    def _count(self, route: Route, operation: str, request: web.Request) -> dict[str, str]:
        limits = None
        if route.edits:
            limits = self.limits.edit_limits(self.world.messages.get(request.match_info["message_id"]))
        major = "/".join(request.match_info[name] for name in route.major)
        bucket = self.limits.take(operation, major, bot=route.bot, limits=limits)
        return bucket.headers(self.world.clock())

    def _check(self, route: Route, call: Call) -> None:
        """Hold the request against the OpenAPI document, and let the body be as relaxed as the check left it."""
        if not self.validate:
            return
        found = [*spec.query_faults(route.method, route.template, call.query)]
        data = call.body.for_the_spec()
        key = (route.operation, json.dumps(data)) if not call.body.files else None
        if key is None or key not in self._judged:
            if data is not None or route.method in {"POST", "PUT", "PATCH"}:
                found += spec.request_faults(route.method, route.template, call.body.kind, data)
            if not found and key is not None and len(key[1]) < 200:
                self._judged.add(key)
        if found:
            raise wrongs([(path, why, "SCHEMA") for path, why in found])

    def _judge(self, route: Route, status: int, answer: Any) -> None:
        if not self.validate:
            return
        if isinstance(answer, dict) and "errors" in answer:
            answer = {
                name: value for name, value in answer.items() if name != "errors"
            }  # words in the docs, numbers in the document
        if route.operation == "create_interaction_response" and status == 200 and "message" not in answer["resource"]:
            answer = {
                "interaction": answer["interaction"]
            }  # the docs give a deferred answer a resource; the document forgot it
        self.own_faults += spec.answer_faults(route.method, route.template, status, answer)

    async def _after(
        self,
        operation: str,
        request: web.Request,
        fault: Fault | None,
        body: Body,
        status: int,
        answer: Any,
        headers: dict[str, str],
    ) -> web.StreamResponse:
        self.limits.note(status, headers.get("X-RateLimit-Scope", "user"))
        kind = None if fault is None else fault.kind
        self._note(operation, request, body, status, answer, fault=kind, headers=headers)
        if fault is not None and kind == "slow":
            await asyncio.sleep(fault.seconds)
        if kind == "cut after":
            cut(request)
            return web.Response()
        if fault is not None and kind == "status" and fault.scope == "after":
            return _broken(fault)
        if kind == "garble":
            return web.Response(
                body=b'{"id": "12', headers=headers | {"Content-Type": "application/json"}, status=status
            )
        if answer is None:
            return web.Response(status=status, headers=headers)
        return web.Response(
            body=json.dumps(answer).encode(), status=status, headers=headers | {"Content-Type": "application/json"}
        )

    def _note(
        self,
        operation: str,
        request: web.Request,
        body: Body,
        status: int,
        answer: Any,
        **more: Any,
    ) -> None:
        files = {number: [file.filename, file.size] for number, file in body.files.items()}
        self.journal.write(
            "request",
            operation=operation,
            method=request.method,
            path=request.path,
            query=dict(request.query),
            bot="Authorization" in request.headers,
            body=body.data,
            files=files,
            status=status,
            code=answer.get("code") if isinstance(answer, dict) and status >= 400 else None,
            answer=answer,
            **more,
        )


def _broken(fault: Fault) -> web.Response:
    if fault.kind == "page":
        return web.Response(status=fault.code, text=PAGE.format(fault.code), content_type="text/html")
    body = json.dumps({"message": f"{fault.code}: lab", "code": 0}).encode()
    return web.Response(status=fault.code, body=body, headers={"Content-Type": "application/json", "Via": "1.1 google"})
