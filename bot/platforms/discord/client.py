"""discord.py's sharded client with what it has no settings for: our roots, sessions of the last process, a stop that loses none.

Only three kinds of events are read at all. Everything else that Discord may send is dropped before it can be parsed: one event that the
library could not parse would end the client (seen with 2.7.1, 2026-11), and nothing of it is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
from discord.http import HTTPClient, Route
from discord.shard import EventItem, Shard

from bot.platforms.discord.sessions import Session

CLOSE_SECONDS: Final = 5.0
"""For each socket; all are closed at once."""
RESUMABLE: Final = 4000
"""A close code that leaves the session alive for some minutes; 1000 and 1001 end it (Discord, "Gateway Close Event Codes")."""
ENDING: Final = (1000, 1001)
WANTED: Final = ("READY", "RESUMED")
RESUME_SECONDS: Final = 30.0
AGAIN_SECONDS: Final = 5.0
SHARDS: Final = "_AutoShardedClient__shards"
QUEUE: Final = "_AutoShardedClient__queue"
NEW_SOCKET: Final = "_update_references"
CANCEL: Final = "_cancel_task"
CODE: Final = "_close_code"
"""What discord.py 2.7.1 offers no way to; a test tells when their names change."""

log = logging.getLogger("reelay.discord")
logging.getLogger("discord").setLevel(logging.ERROR)  # it warns of intents and voice that we leave out on purpose


class Owner(Protocol):
    """Whom a client works for."""

    api_url: str
    gateway_url: str | None

    def take_kept(self, shard: int, shards: int) -> Session | None:
        """The session to go on with, once."""

    def put_back(self, kept: Session) -> None:
        """It was not gone on with."""

    async def admit(self) -> None:
        """Return when a session may begin; it may take its time."""

    async def before_identify(self) -> None:
        """A session begins now."""

    def joined(self, shard: int | None, *, left: bool = False) -> None:
        """A shard has a session, or lost it."""

    def received(self, event: str, raw: Any) -> None:
        """One event."""

    def unreadable(self, event: str, error: Exception) -> None:
        """An event that could not be read."""


class Client(discord.AutoShardedClient):
    """discord.py with our roots, without what we do not read."""

    def __init__(self, owner: Owner, connector: aiohttp.BaseConnector, proxy: str | None) -> None:
        super().__init__(
            intents=discord.Intents.none(),
            connector=connector,
            proxy=proxy,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=0,
            enable_debug_events=False,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self._owner = owner
        self.left: tuple[Session, ...] | None = None
        """Sessions that can be resumed; None while they are still in use."""
        self._opened: set[DiscordWebSocket] = set()
        _root_at(self.http, owner.api_url, owner.gateway_url)
        parsers = self._connection.parsers
        for name in list(parsers):
            if name not in WANTED:
                del parsers[name]
        parsers["INTERACTION_CREATE"] = lambda raw: owner.received("INTERACTION_CREATE", raw)
        for name in WANTED:
            parsers[name] = _guarded(owner, name, parsers[name])
        told: Callable[[DiscordWebSocket], None] = getattr(self._connection, NEW_SOCKET)

        def note(socket: DiscordWebSocket) -> None:
            self._opened.add(socket)
            told(socket)

        setattr(self._connection, NEW_SOCKET, note)  # the library forgets sockets whose connection failed half-way

    # ------------------------------------------------------------------------------------------------------------------- sessions

    async def launch_shard(self, gateway: yarl.URL, shard_id: int, *, initial: bool = False) -> None:
        """Go on with the session that the last process left; where there is none, or it does not work, begin one."""
        if await self._went_on(shard_id):
            return
        while True:  # until cancelled; each round waits
            try:
                await self._owner.admit()
                socket = await self._open(
                    self.shard_connect_timeout, initial=initial, gateway=gateway, shard_id=shard_id
                )
            except Exception as error:  # noqa: BLE001 - whatever it is, the next try is a new chance
                log.warning("a shard cannot connect", extra={"shard": shard_id, "error": type(error).__name__})
                initial = False
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                self._launched(socket, shard_id)
                return

    async def _went_on(self, shard_id: int) -> bool:
        kept = self._owner.take_kept(shard_id, self.shard_count or 1)
        if kept is None:
            return False
        try:
            socket = await self._open(
                RESUME_SECONDS,
                gateway=yarl.URL(kept.url),
                shard_id=shard_id,
                session=kept.id,
                sequence=kept.sequence,
                resume=True,
            )
        except asyncio.CancelledError:
            self._owner.put_back(kept)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, a new session is the answer
            log.warning("a session could not be resumed", extra={"error": type(error).__name__})
            return False
        self._launched(socket, shard_id)
        return True

    async def _open(self, seconds: float | None, **options: Any) -> DiscordWebSocket:
        try:
            return await asyncio.wait_for(DiscordWebSocket.from_client(self, **options), timeout=seconds)
        except Exception:
            await self.sweep()
            raise

    def _launched(self, socket: DiscordWebSocket, shard_id: int) -> None:
        shard = _Shard(socket, self, getattr(self, QUEUE).put_nowait, self._owner)
        getattr(self, SHARDS)[shard_id] = shard
        shard.launch()

    async def sweep(self) -> None:
        """Close the sockets that belong to no shard: those of tries that failed half-way."""
        used = {shard.ws for shard in getattr(self, SHARDS).values()}
        lost = self._opened - used
        self._opened -= lost
        await _close_all(lost)

    async def leave(self) -> None:
        """Close all sockets so that their sessions can be resumed, and say which; only the first call does."""
        if self.left is not None:
            return
        shards: list[Shard] = list(getattr(self, SHARDS, {}).values())
        for shard in shards:  # what arrives from here on is not read, so Discord repeats it
            getattr(shard, CANCEL)()
        count = self.shard_count or 1
        sockets = [(shard.id, shard.ws) for shard in shards]
        self.left = tuple(
            Session(shard, count, socket.session_id, socket.sequence, str(socket.gateway))
            for shard, socket in sockets
            if socket.session_id is not None and socket.sequence is not None and not _has_ended(socket)
        )
        await _close_all({*self._opened, *(socket for _, socket in sockets)})

    async def close(self) -> None:
        """As the library's, which also closes after a failure, but no session ends by it."""
        await self.leave()
        await super().close()

    # --------------------------------------------------------------------------------------------------------------------- events

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """The socket is open and has a deadline: nothing waits here but what Discord asks for between two."""
        await super().before_identify_hook(shard_id, initial=initial)
        await self._owner.before_identify()

    async def on_shard_ready(self, shard_id: int) -> None:
        """A shard has a session."""
        self._owner.joined(shard_id)
        log.info("a shard is connected", extra={"shard": shard_id})

    async def on_shard_resumed(self, shard_id: int) -> None:
        """It has its session again."""
        self._owner.joined(shard_id)
        log.info("a shard is back in its session", extra={"shard": shard_id})

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Its connection is gone; the library makes another."""
        self._owner.joined(shard_id, left=True)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """What a handler of ours raised; there are only the small ones above."""
        del args, kwargs
        log.error("a gateway handler broke", extra={"event": event_method, "error": type(sys.exc_info()[1]).__name__})


class _Shard(Shard):
    """Stands in line before it opens a socket for a new session: with one open, the library gives it a minute."""

    def __init__(
        self, ws: DiscordWebSocket, client: Client, queue_put: Callable[[EventItem], None], owner: Owner
    ) -> None:
        super().__init__(ws, client, queue_put)
        self._owner, self._sweep = owner, client.sweep

    async def reidentify(self, exc: ReconnectWebSocket) -> None:
        if not exc.resume:
            self._owner.joined(self.id, left=True)
            await self._owner.admit()
        await super().reidentify(exc)
        await self._sweep()

    async def reconnect(self) -> None:
        self._owner.joined(self.id, left=True)
        await self._owner.admit()
        await super().reconnect()
        await self._sweep()


def _has_ended(socket: DiscordWebSocket) -> bool:
    return not socket.open and (getattr(socket, CODE) or socket.socket.close_code) in ENDING


async def _close_all(sockets: Iterable[DiscordWebSocket]) -> None:
    async def close(socket: DiscordWebSocket) -> None:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_SECONDS):
                await socket.close(code=RESUMABLE)

    await asyncio.gather(*(close(socket) for socket in sockets))


def _guarded(owner: Owner, name: str, parse: Callable[[Any], Any]) -> Callable[[Any], None]:
    def read(raw: Any) -> None:
        try:
            parse(raw)
        except Exception as error:  # noqa: BLE001 - the next event is a new chance
            owner.unreadable(name, error)

    return read


def _root_at(http: HTTPClient, root: str, gateway_url: str | None) -> None:
    """Send the library's own calls to ``root`` and its sockets to ``gateway_url``: it has no settings for them."""
    request, connect = http.request, http.ws_connect

    async def moved_request(route: Route, **options: Any) -> Any:
        route.url = root + route.url.removeprefix(Route.BASE)
        return await request(route, **options)

    async def moved_connect(url: str, **options: Any) -> Any:
        if gateway_url is not None:
            url = f"{gateway_url}?{urlsplit(url).query}"
        return await connect(url, **options)

    http.request = moved_request  # type: ignore[method-assign]
    http.ws_connect = moved_connect  # type: ignore[method-assign]
