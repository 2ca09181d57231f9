"""The gateway: discord.py keeps the connection, its shards, heartbeats and resumes; we take interactions from it raw.

Only three kinds of events are read at all. Everything else that Discord may send is dropped before it can be parsed: one event that the
library could not parse would end the client (seen with 2.7.1, 2026-11), and nothing of it is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient, Route
from discord.shard import Shard

from bot.engine.figures import Figures
from bot.platforms.discord.pace import born_ms
from bot.platforms.discord.sessions import Session
from core.ports import Clock

CONNECTIONS: Final = 8
"""For what the library itself calls: login and the gateway's address."""
CLOSE_SECONDS: Final = 5.0
RESUMABLE: Final = 4000
"""A close code that leaves the session alive for some minutes; 1000 and 1001 end it (Discord, "Gateway Close Event Codes")."""
WANTED: Final = ("READY", "RESUMED")
ANSWER_SECONDS: Final = 3.0
"""After these Discord has told the person that nobody answered: an interaction that a resumed session repeats later is not carried out,
for whoever wanted it has asked again, and nobody would see what it costs."""
ODD_SECONDS: Final = 3600.0
RESUME_SECONDS: Final = 30.0
SHARDS: Final = "_AutoShardedClient__shards"
QUEUE: Final = "_AutoShardedClient__queue"
"""What discord.py 2.7.1 offers no way to; a test tells when their names change."""

log = logging.getLogger("reelay.discord")
logging.getLogger("discord").setLevel(logging.ERROR)  # it warns of intents and voice that we leave out on purpose


class BadToken(Exception):
    """Discord does not know the bot's token."""


class NotAllowedThere(Exception):
    """Discord refuses this bot's gateway for good: intents, sharding or version."""


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

        ``before_identify`` is awaited before each new session; it may take its time.
        """
        self.api_url, self.gateway_url = api_url.rstrip("/"), gateway_url
        self._token, self._proxy, self._figures = token, proxy, figures
        self._on_interaction, self._clock = on_interaction, clock
        self.before_identify = before_identify
        self._shards: set[int] = set()
        self._away: set[int] = set()
        """Shards that had a session and are not back in it: what comes now may be what they have missed."""
        self._usual_age = 0.0
        """Seconds, of the last interaction that came while no shard was away."""
        self._kept: dict[int, Session] = {}
        self.left: tuple[Session, ...] = ()
        """Sessions that can be resumed after ``run``."""

    async def run(self, kept: Iterable[Session] = ()) -> None:
        """Connect, and stay connected; ``kept``: sessions to go on with.

        Raises BadToken and NotAllowedThere; anything else that ends it is for the supervisor.
        """
        self._kept, self.left = {each.shard: each for each in kept}, ()
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        client = _Client(self, connector, self._proxy)
        try:
            await client.start(self._token, reconnect=True)
        except discord.LoginFailure as error:
            raise BadToken from error
        except discord.PrivilegedIntentsRequired as error:
            raise NotAllowedThere from error
        except discord.ConnectionClosed as error:
            if error.code == 4004:
                raise BadToken from error
            if error.code in (4010, 4011, 4012, 4013, 4014):
                raise NotAllowedThere from error
            raise
        finally:
            self.joined(None)
            self.left = await _close(client)

    def take_kept(self, shard: int, shards: int) -> Session | None:
        """The session to go on with, once, and only where there are as many shards as there were."""
        kept = self._kept.pop(shard, None)
        if kept is None or kept.shards != shards:
            return None
        self._away.add(shard)
        return kept

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
                if self._is_over(raw):
                    self._figures.command("discord", "unknown", "late")
                    log.info("an interaction was repeated after its time")
                else:
                    self._on_interaction(raw)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next event is a new chance
            self.unreadable(event, error)

    def _is_over(self, raw: Mapping[str, Any]) -> bool:
        """Whether a resumed session brings what nobody waits for any more. How our clock differs from Discord's, the others tell."""
        age = (self._clock.now() - born_ms(str(raw["id"]))) / 1000
        if not self._away:
            if abs(age) < ODD_SECONDS:  # an id that is none of Discord's says nothing
                self._usual_age = age
            return False
        return age - self._usual_age > ANSWER_SECONDS


class _Client(discord.AutoShardedClient):
    """discord.py with our roots, without what we do not read."""

    def __init__(self, gateway: Gateway, connector: aiohttp.BaseConnector, proxy: str | None) -> None:
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
        self._gateway = gateway
        _root_at(self.http, gateway.api_url, gateway.gateway_url)
        parsers = self._connection.parsers
        for name in list(parsers):
            if name not in WANTED:
                del parsers[name]
        parsers["INTERACTION_CREATE"] = lambda raw: gateway.received("INTERACTION_CREATE", raw)
        for name in WANTED:
            parsers[name] = _guarded(gateway, name, parsers[name])

    async def launch_shard(self, gateway: yarl.URL, shard_id: int, *, initial: bool = False) -> None:
        """Go on with the session that the last process left; where there is none, or it does not work, begin one."""
        kept = self._gateway.take_kept(shard_id, self.shard_count or 1)
        if kept is not None:
            try:
                async with asyncio.timeout(RESUME_SECONDS):
                    socket = await DiscordWebSocket.from_client(
                        self,
                        gateway=yarl.URL(kept.url),
                        shard_id=shard_id,
                        session=kept.id,
                        sequence=kept.sequence,
                        resume=True,
                    )
            except Exception as error:  # noqa: BLE001 - whatever it is, a new session is the answer
                log.warning("a session could not be resumed", extra={"error": type(error).__name__})
            else:
                shard = Shard(socket, self, getattr(self, QUEUE).put_nowait)
                getattr(self, SHARDS)[shard_id] = shard
                shard.launch()
                return
        await super().launch_shard(gateway, shard_id, initial=initial)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Stand in line."""
        await super().before_identify_hook(shard_id, initial=initial)
        await self._gateway.before_identify()

    async def on_shard_ready(self, shard_id: int) -> None:
        """A shard has a session."""
        self._gateway.joined(shard_id)
        log.info("a shard is connected", extra={"shard": shard_id})

    async def on_shard_resumed(self, shard_id: int) -> None:
        """It has its session again."""
        self._gateway.joined(shard_id)
        log.info("a shard is back in its session", extra={"shard": shard_id})

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Its connection is gone; the library makes another."""
        self._gateway.joined(shard_id, left=True)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """What a handler of ours raised; there are only the small ones above."""
        del args, kwargs
        log.error("a gateway handler broke", extra={"event": event_method, "error": type(sys.exc_info()[1]).__name__})


def _guarded(gateway: Gateway, name: str, parse: Callable[[Any], Any]) -> Callable[[Any], None]:
    def read(raw: Any) -> None:
        try:
            parse(raw)
        except Exception as error:  # noqa: BLE001 - as above
            gateway.unreadable(name, error)

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


async def _close(client: _Client) -> tuple[Session, ...]:
    """Leave the sessions resumable and return them, then free everything; bounded."""
    found: list[Session] = []
    with contextlib.suppress(TimeoutError, Exception):
        async with asyncio.timeout(CLOSE_SECONDS):
            for shard in list(getattr(client, SHARDS, {}).values()):
                socket: DiscordWebSocket | None = getattr(shard, "ws", None)
                if socket is None:
                    continue
                was_open = socket.open
                await socket.close(code=RESUMABLE)
                if was_open and socket.session_id is not None and socket.sequence is not None:
                    shards = client.shard_count or 1
                    found.append(Session(shard.id, shards, socket.session_id, socket.sequence, str(socket.gateway)))
    with contextlib.suppress(TimeoutError, Exception):
        async with asyncio.timeout(CLOSE_SECONDS):
            await client.close()
    return tuple(found)
