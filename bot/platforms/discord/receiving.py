"""The way in: who we are, the commands that Discord should show, then the gateway until cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.engine.alerts import Alerts
from bot.platforms.discord.api import DiscordApi, NoAnswer, Refusal
from bot.platforms.discord.definitions import digest
from bot.platforms.discord.desk import Desk
from bot.platforms.discord.entrance import Entrance, read_left
from bot.platforms.discord.gateway import BadToken, Gateway, NotAllowedThere
from bot.platforms.discord.sessions import Kept, Sessions
from core.errors import StorageError
from core.ports import Clock
from storage.store import SqliteStore

SYNC_SECONDS: Final = 60.0
REFUSED_SECONDS: Final = 15 * 60.0
"""How long a token that Discord does not know is left alone: every try counts towards a ban."""
STOP_SECONDS: Final = 5.0
COMMANDS: Final = "commands"
WATCH_SECONDS: Final = 5.0
REFUSED_CAUSE: Final = "discord refusals"

log = logging.getLogger("reelay.discord")


class TokenRejected(Exception):
    """Discord does not know DISCORD_TOKEN: copy it again from the developer portal, page Bot. For the supervisor alone."""


class Receiving:
    """Runs the gateway; what it brings goes to the desk."""

    def __init__(
        self,
        api: DiscordApi,
        gateway: Gateway,
        desk: Desk,
        store: SqliteStore,
        alerts: Alerts,
        clock: Clock,
        commands: Sequence[Mapping[str, Any]],
        entrance: Entrance,
        sessions: Sessions,
    ) -> None:
        """``commands``: what Discord should show, sent only when it differs from what was sent last."""
        self._entrance, self._sessions = entrance, sessions
        self._api, self._gateway, self._desk, self._store = api, gateway, desk, store
        self._alerts, self._clock, self._commands = alerts, clock, commands

    async def run(self) -> None:
        """Receive until cancelled. Raises TokenRejected after a pause; other failures at once, for the supervisor."""
        watching = asyncio.create_task(self._watch_refusals(), name="discord refusals")
        try:
            application = await self._sync()
            await self._alerts.clear("discord token")
            left = read_left(await self._api.call("GET", "/gateway/bot", seconds=SYNC_SECONDS))
            kept = await self._sessions.take(application)
            self._gateway.ages.start(kept.least)
            await self._entrance.wait(left, resuming=bool(kept.sessions))
            try:
                await self._gateway.run(kept.sessions, self._entrance.admit)
            finally:  # at the clean stop, and before the supervisor begins again
                await self._keep(application)
        except (BadToken, NotAllowedThere) as error:
            await self._rejected(type(error).__name__)
        except Refusal as refusal:
            if refusal.status != 401:
                raise
            await self._rejected("401")
        finally:
            watching.cancel()
            await self._desk.stop(STOP_SECONDS)

    async def _keep(self, application: str) -> None:
        """Without the note the next start begins new sessions; a store that takes none must not hide why we end."""
        left = Kept(self._gateway.left, self._gateway.ages.least)
        if not left.sessions:
            return
        try:
            await self._sessions.keep(application, left)
        except Exception as error:  # noqa: BLE001 - see above
            log.warning("the sessions cannot be kept", extra={"error": type(error).__name__})

    async def _watch_refusals(self) -> None:
        """Tell the operator while Discord refuses so much that it may shut us out."""
        told: bool | None = None  # what the last process told is not known
        while True:  # until cancelled; each round waits
            strained = self._api.budget.is_strained
            with contextlib.suppress(StorageError):
                if strained and not told:
                    text = "Discord refuses thousands of our calls and may shut this address out: see the log for what is refused"
                    await self._alerts.raise_once(REFUSED_CAUSE, text)
                elif not strained and told is not False:
                    await self._alerts.clear(REFUSED_CAUSE)
                told = strained
            await self._clock.sleep(WATCH_SECONDS)

    async def _rejected(self, why: str) -> None:
        log.error("Discord refuses the bot: check DISCORD_TOKEN", extra={"why": why})
        await self._alerts.raise_once("discord token", "Discord refuses the bot: check DISCORD_TOKEN")
        await self._clock.sleep(REFUSED_SECONDS)
        raise TokenRejected

    async def _sync(self) -> str:
        """Send the commands where they changed; returns the application's id.

        Raises Refusal for a rejected token; other failures wait for the next start.
        """
        me = await self._api.call("GET", "/applications/@me", seconds=SYNC_SECONDS)
        application = str(me["id"])
        wanted = f"{application} {digest(self._commands)}"
        if await self._store.remembered("discord", COMMANDS) == wanted:
            return application
        try:
            await self._api.call(
                "PUT", f"/applications/{application}/commands", list(self._commands), seconds=SYNC_SECONDS
            )
        except (Refusal, NoAnswer) as error:
            log.error("the commands could not be sent", extra={"why": str(error)})
            return application
        await self._store.remember("discord", COMMANDS, wanted)
        log.info("commands sent", extra={"commands": len(self._commands)})
        return application
