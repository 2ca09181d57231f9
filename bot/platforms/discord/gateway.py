"""The gateway: discord.py keeps the connection, its shards, heartbeats and resumes; we take interactions from it raw."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

import aiohttp
import discord

from bot.engine.figures import Figures
from bot.platforms.discord.ages import Ages
from bot.platforms.discord.client import CLOSE_SECONDS, Client
from bot.platforms.discord.sessions import Session
from core.ports import Clock

CONNECTIONS: Final = 8
"""For what the library itself calls: login and the gateway's address."""
END_SECONDS: Final = CLOSE_SECONDS + 2.0
"""For everything that a client holds; its sockets come first."""

log = logging.getLogger("reelay.discord")


class BadToken(Exception):
    """Discord does not know the bot's token."""


class NotAllowedThere(Exception):
    """Discord refuses this bot's gateway for good: intents, sharding or version."""


async def _at_once() -> None:
    """Nobody has to wait."""


class Gateway:
    """Runs one sharded client until cancelled; ``on_interaction`` gets each interaction as Discord sent it."""

    def __init__(
        self,
        token: str,
        api_url: str,
        gateway_url: str | None,
        proxy: str | None,
        figures: Figures,
        clock: Clock,
        on_interaction: Callable[[Mapping[str, Any]], object],
        before_identify: Callable[[], Awaitable[None]],
    ) -> None:
        """``gateway_url`` wins over what Discord names, also when a session is resumed.

        ``before_identify`` is awaited as each new session begins, with its connection open: it must be quick.
        """
        self.api_url, self.gateway_url = api_url.rstrip("/"), gateway_url
        self._token, self._proxy, self._figures = token, proxy, figures
        self._on_interaction, self._before_identify = on_interaction, before_identify
        self.ages = Ages(clock)
        self._admit: Callable[[], Awaitable[None]] = _at_once
        self._shards: set[int] = set()
        self._away: set[int] = set()
        """Shards that had a session and are not back in it: what comes now may be what they have missed."""
        self._kept: dict[int, Session] = {}
        self.left: tuple[Session, ...] = ()
        """Sessions that can be resumed after ``run``."""

    async def run(self, kept: Iterable[Session] = (), admit: Callable[[], Awaitable[None]] = _at_once) -> None:
        """Connect, and stay connected; ``kept``: sessions to go on with; ``admit`` returns when a new one may begin.

        Raises BadToken and NotAllowedThere; anything else that ends it is for the supervisor. However it ends, ``left`` says what can be
        gone on with. A cancel is always obeyed: the library swallows one that comes while a shard connects (shard.py, ``reidentify``), so
        it runs in a task of its own.
        """
        self._kept, self.left, self._admit = {each.shard: each for each in kept}, (), admit
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        client = Client(self, connector, self._proxy)
        running = asyncio.create_task(client.start(self._token, reconnect=True), name="discord client")
        refused = False
        try:
            await asyncio.wait({running})  # until it ends, or the stop
            running.result()
        except discord.LoginFailure as error:
            refused = True
            raise BadToken from error
        except discord.PrivilegedIntentsRequired as error:
            refused = True
            raise NotAllowedThere from error
        except discord.ConnectionClosed as error:
            refused = error.code in (4004, 4010, 4011, 4012, 4013, 4014)
            if error.code == 4004:
                raise BadToken from error
            if refused:
                raise NotAllowedThere from error
            raise
        finally:
            self.joined(None)
            running.cancel()
            try:
                await _end(client.close())
                await _end(running)
                await connector.close()
            finally:
                self.left = () if refused else self._all_left(client)

    def _all_left(self, client: Client) -> tuple[Session, ...]:
        left = {each.shard: each for each in client.left or ()}
        count: int | None = getattr(client, "shard_count", None)  # None until Discord was asked, whatever its type says
        unused = (each for each in self._kept.values() if count is None or each.shards == count)
        return (*left.values(), *(each for each in unused if each.shard not in left))

    async def admit(self) -> None:
        """Return when a session may begin."""
        await self._admit()

    async def before_identify(self) -> None:
        """A session begins."""
        await self._before_identify()

    def take_kept(self, shard: int, shards: int) -> Session | None:
        """The session to go on with, once, and only where there are as many shards as there were."""
        kept = self._kept.pop(shard, None)
        if kept is None or kept.shards != shards:
            return None
        self._away.add(shard)
        return kept

    def put_back(self, kept: Session) -> None:
        """Nobody went on with it: it is left for the next run."""
        self._kept[kept.shard] = kept

    def joined(self, shard: int | None, *, left: bool = False) -> None:
        """A shard has a session, or lost it; None: nothing is connected any more."""
        if shard is None:
            self._shards.clear()
            self._away.clear()
        elif left:
            self._shards.discard(shard)
            self._away.add(shard)
        else:
            self._shards.add(shard)
            self._away.discard(shard)
        self._figures.connected("discord", len(self._shards))

    def unreadable(self, event: str, error: Exception) -> None:
        """An event that could not be read is counted, and the next one is a new chance."""
        self._figures.command("discord", "unknown", "unreadable")
        log.warning("an event could not be read", extra={"event": event, "error": type(error).__name__})

    def received(self, event: str, raw: Any) -> None:
        """One event. A single odd one must not end the client."""
        try:
            if event == "INTERACTION_CREATE":
                if self.ages.is_over(str(raw["id"]), live=not self._away):
                    self._figures.command("discord", "unknown", "late")
                    log.info("an interaction came after its time")
                else:
                    self._on_interaction(raw)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next event is a new chance
            self.unreadable(event, error)


async def _end(work: Awaitable[None]) -> None:
    """Let it end, but not wait for it any longer than is bearable; how it ends is known already, or nobody's business."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(_heard)
    done, _ = await asyncio.wait({task}, timeout=END_SECONDS)
    if not done:
        log.warning("the gateway's client does not end")
        task.cancel()


def _heard(task: asyncio.Future[None]) -> None:
    with contextlib.suppress(Exception, asyncio.CancelledError):
        task.result()
