"""What every route of the web server shares: the engine, the callers, the words, the open pages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.commands.account import me
from bot.commands.making import order
from bot.engine.engine import Engine
from bot.engine.words import Bookshelf, Words
from bot.platforms.web.accounts import Caller, Doorkeeper
from bot.platforms.web.events import Hub
from bot.platforms.web.requests import Upload
from core.errors import RequestError
from core.jobs import Job, Receipt
from storage.links import ClipLinks


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

    async def caller(self, request: web.Request) -> Caller:
        """Who calls. Raises NotSignedIn."""
        caller = await self.doorkeeper.caller(request)
        request["caller"] = caller
        return caller

    def words(self, caller: Caller | None = None) -> Words:
        """The caller's language; English is the only catalogue so far."""
        del caller
        return self.shelf.words("en")

    def backends(self) -> dict[str, str]:
        """The generators' names by their titles."""
        return {each.capabilities.title: name for name, each in self.engine.parts.providers.items()}

    async def status(self, caller: Caller, job_id: str) -> dict[str, Any]:
        """The status object of an own job. Raises NotFound."""
        row = await self.engine.parts.store.view(job_id, caller.account_id)
        return await self.engine.desk.status(row, self.words(caller))

    async def order(self, caller: Caller, fields: dict[str, Any], upload: Upload | None) -> tuple[Job, bool]:
        """Order a clip; an upload of a command that was refused, or that repeats an earlier one, is removed at once."""
        try:
            job, is_new = await order(
                self.engine,
                caller.actor,
                caller.place("en"),
                fields,
                attachment=None if upload is None else upload.attachment,
                picture_sha256=None if upload is None else upload.sha256,
                receipt=Receipt(caller.place("en"), "page"),
            )
        except RequestError:
            await self._discard(upload)
            raise
        if not is_new:
            await self._discard(upload)
        return job, is_new

    async def _discard(self, upload: Upload | None) -> None:
        if upload is not None and upload.attachment.key is not None:
            await self.engine.parts.clips.delete(upload.attachment.key)

    async def me(self, account_id: str, subject: str) -> dict[str, Any]:
        """The ``/api/me`` object without the caller's kind."""
        about = await me(self.engine, account_id, subject)
        return {**about, "retention_days": self.retention_days, "public_url": self.public_url, "can_sign_links": True}
