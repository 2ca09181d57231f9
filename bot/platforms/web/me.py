"""The calls about the caller: session, me, generators, words, privacy, export, forget, and the stream of events."""

from __future__ import annotations

import asyncio
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from bot.commands.account import change_settings, generators, privacy
from bot.platforms.web.accounts import COOKIE
from bot.platforms.web.answers import answer
from bot.platforms.web.events import Stream
from bot.platforms.web.requests import read_json
from bot.platforms.web.sending import EVENT_PATIENCE, FILE_PATIENCE, send
from bot.platforms.web.site import Site
from core.errors import BadOption, NotFound

HEARTBEAT_SECONDS: Final = 15.0
PIECE: Final = 256 << 10


class MeRoutes:
    """Handlers of the calls about the caller."""

    def __init__(self, site: Site) -> None:
        """Uses the site's engine, doorkeeper and hub."""
        self._site, self._engine = site, site.engine

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_post("/api/session", self.session)
        app.router.add_get("/api/me", self.me)
        app.router.add_patch("/api/me", self.change)
        app.router.add_get("/api/generators", self.generators)
        app.router.add_get("/api/catalogue", self.catalogue)
        app.router.add_get("/api/privacy", self.privacy)
        app.router.add_get("/api/export", self.export)
        app.router.add_post("/api/forget", self.forget)
        app.router.add_get("/api/events", self.events)

    async def session(self, request: web.Request) -> web.Response:
        """The page's first call; makes an anonymous account where the page is open to all."""
        await read_json(request)
        caller, cookie = await self._site.doorkeeper.begin(request)
        operator = await self._site.operator(caller) is not None
        response = answer({"account": caller.account_id, "kind": caller.kind, "operator": operator})
        if cookie is not None:
            self._site.doorkeeper.set_cookie(response, cookie)
        return response

    async def me(self, request: web.Request) -> web.Response:
        """Credits, counts and settings."""
        caller = await self._site.caller(request)
        return answer({**await self._site.me(caller.account_id, caller.subject), "kind": caller.kind})

    async def change(self, request: web.Request) -> web.Response:
        """Change settings; answers like ``me``."""
        caller = await self._site.caller(request)
        await change_settings(self._engine, caller.account_id, (await read_json(request)).get("settings"))
        return await self.me(request)

    async def generators(self, request: web.Request) -> web.Response:
        """What the configured generators can do."""
        caller = await self._site.caller(request)
        return answer(await generators(self._engine, self._site.words(caller.language)))

    async def catalogue(self, request: web.Request) -> web.Response:
        """The page's words; no account is needed to read "please sign in"."""
        words = self._site.words(self._site.language(request))
        body = {"language": words.language, "languages": list(self._site.languages), "messages": words.page()}
        return answer(body)

    async def privacy(self, request: web.Request) -> web.Response:
        """What is kept and who gets what."""
        words = self._site.words(self._site.language(request))
        return answer(privacy(self._engine, words, self._site.retention_days))

    async def forget(self, request: web.Request) -> web.Response:
        """Erase the caller; the session ends with it."""
        caller = await self._site.caller(request)
        if (await read_json(request)).get("confirm") != "forget":
            raise BadOption("confirm", "something else", "the word forget")
        jobs, clips = await self._engine.forget(caller.account_id)
        response = answer({"erased": {"jobs": jobs, "clips": clips}})
        response.del_cookie(COOKIE, path="/")
        return response

    async def export(self, request: web.Request) -> web.StreamResponse:
        """Everything about the caller as a ZIP; clips are stored, not compressed."""
        caller = await self._site.caller(request)
        headers = {"Content-Disposition": 'attachment; filename="reelay-export.zip"', "Cache-Control": "no-store"}
        response = web.StreamResponse(headers=headers)
        response.content_type = "application/zip"
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        data = await self._engine.parts.store.export(caller.account_id)
        with tempfile.TemporaryDirectory(prefix="export-", dir=self._site.scratch) as folder:
            archive = Path(folder) / "export.zip"
            await asyncio.to_thread(_write_rows, archive, data)
            for clip in data["clips"]:
                try:
                    async with self._engine.parts.clips.checkout(clip["key"]) as path:
                        await asyncio.to_thread(
                            _add_file, archive, path, f"{clip['kind']}s/{clip['id']}{Path(clip['key']).suffix}"
                        )
                except NotFound:
                    continue  # deleted while we packed
            response.content_length = archive.stat().st_size
            await response.prepare(request)
            try:
                with archive.open("rb") as file:
                    while piece := await asyncio.to_thread(file.read, PIECE):
                        await send(request, response, piece, FILE_PATIENCE)
            except ConnectionError:
                return response  # nobody takes it any more
            return response

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The stream of the caller's status objects."""
        caller = await self._site.caller(request)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        response.content_type = "text/event-stream"
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        stream = Stream(caller.account_id, caller.subject, caller.language)
        self._site.hub.join(stream)
        try:
            await response.prepare(request)
            await send(request, response, b"retry: 1500\n\n", EVENT_PATIENCE)
            await self._site.hub.catch_up(stream, request.headers.get("Last-Event-ID"))
            while True:
                try:
                    frame = await asyncio.wait_for(stream.queue.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    frame = b": still here\n\n"
                if frame is None:
                    break
                await send(request, response, frame, EVENT_PATIENCE)
        except ConnectionError:
            return response  # the page was closed
        finally:
            self._site.hub.leave(stream)
        return response


def _write_rows(archive: Path, data: dict[str, Any]) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, rows in data.items():
            packed.writestr(f"{name}.json", json.dumps(rows, ensure_ascii=False, indent=2))


def _add_file(archive: Path, path: Path, name: str) -> None:
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_STORED) as packed:
        packed.write(path, name)
