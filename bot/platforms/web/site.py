"""What every route of the web server shares: the engine, the callers, who is an operator, the words, the open pages."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from bot.commands.account import me
from bot.commands.admin import AdminDesk
from bot.commands.making import order
from bot.engine.engine import Engine
from bot.engine.words import Bookshelf, Words, languages
from bot.platforms.web.accounts import Caller, Doorkeeper
from bot.platforms.web.events import Hub
from bot.platforms.web.languages import preferred
from bot.platforms.web.platform import ORDERED_HERE
from bot.platforms.web.requests import Upload
from core.errors import NotFound, RequestError
from core.jobs import AssetKind, Clip, Job, JobKind, Receipt
from storage.links import ClipLinks

SIGNATURE: Final = frozenset({"kid", "exp", "sig"})
"""What makes an address a signed link."""
CLIP_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(slots=True)
class Site:
    """Shared by the route classes; built by ``server.build``."""

    engine: Engine
    doorkeeper: Doorkeeper
    hub: Hub
    shelf: Bookshelf
    links: ClipLinks
    retention_days: int
    public_url: str | None
    scratch: Path
    admin: AdminDesk
    admins: Collection[str]
    """The operators, such as ``discord:2``."""
    languages: Collection[str] = field(default_factory=languages)

    async def caller(self, request: web.Request) -> Caller:
        """Who calls. Raises NotSignedIn."""
        caller = replace(await self.doorkeeper.caller(request), language=self.language(request))
        request["caller"] = caller
        return caller

    async def operator(self, caller: Caller) -> str | None:
        """As which operator a person acts who signed in to the page; None for everybody else, programs among them."""
        if caller.kind != "signed_in":
            return None
        known = await self.admin.known_as(caller.account_id)
        return next((name for name in known if name in self.admins), None)

    async def clip(self, request: web.Request) -> Clip:
        """The clip of the address, for its owner or whoever has a signed link; anybody else finds nothing. Raises NotFound, NotSignedIn."""
        clip_id, query = request.match_info["id"], request.query
        if not CLIP_ID.fullmatch(clip_id):
            raise NotFound("no such clip", message_id="error.clip_gone")
        if not set(query) >= SIGNATURE:
            caller = await self.caller(request)
            return await self.engine.parts.store.own_clip(clip_id, caller.account_id)
        now = self.engine.parts.clock.now()
        if not self.links.verify(clip_id, kid=query["kid"], exp=query["exp"], sig=query["sig"], scope="play", now=now):
            raise NotFound("bad link", message_id="error.clip_gone")
        clip = await self.engine.parts.store.clip(clip_id)
        if clip.kind is not AssetKind.CLIP:
            raise NotFound("no such clip", message_id="error.clip_gone")
        return clip

    def language(self, request: web.Request) -> str:
        """The language that the browser asks for, where there is a catalogue; a program that asks for none gets English."""
        return preferred(request.headers.get("Accept-Language"), self.languages)

    def words(self, language: str) -> Words:
        """The words in a language that ``language`` gave."""
        return self.shelf.words(language)

    def backends(self) -> dict[str, str]:
        """The generators' names by their titles."""
        return {each.capabilities.title: name for name, each in self.engine.parts.providers.items()}

    async def status(self, caller: Caller, job_id: str) -> dict[str, Any]:
        """The status object of an own job. Raises NotFound."""
        row = await self.engine.parts.store.view(job_id, caller.account_id)
        return await self.engine.desk.status(row, self.words(caller.language))

    async def order(
        self,
        caller: Caller,
        fields: dict[str, Any],
        upload: Upload | None,
        kind: JobKind = JobKind.CLIP,
        unit: str | None = None,
    ) -> tuple[Job, bool]:
        """Order a clip, or a job of another kind; the upload of an order that was refused, or repeats an earlier one, is removed."""
        try:
            job, is_new = await order(
                self.engine,
                caller.actor,
                caller.place,
                fields,
                attachment=None if upload is None else upload.attachment,
                song=None if upload is None else upload.song,
                picture_sha256=None if upload is None else upload.sha256,
                receipt=Receipt(caller.place, ORDERED_HERE),
                kind=kind,
                unit=unit,
            )
        except RequestError:
            await self._discard(upload)
            raise
        if not is_new:
            await self._discard(upload)
        return job, is_new

    async def _discard(self, upload: Upload | None) -> None:
        for key in () if upload is None else upload.keys:
            await self.engine.parts.clips.delete(key)

    async def me(self, account_id: str, subject: str) -> dict[str, Any]:
        """The ``/api/me`` object without the caller's kind."""
        about = await me(self.engine, account_id, subject)
        return {**about, "retention_days": self.retention_days, "public_url": self.public_url, "can_sign_links": True}
