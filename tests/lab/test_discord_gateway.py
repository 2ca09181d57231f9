"""The gateway as a shard meets it: heartbeats, sessions, closes, intents, shards."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.lab.discord import Discord, May
from tests.lab.discord_raw import Bot
from tests.lab.waiting import until_async

Json = dict[str, Any]
INTENTS = 1 | 1 << 9 | 1 << 12


@pytest.fixture
def discord() -> Iterator[Discord]:
    with Discord() as found:
        yield found


class Shard:
    """A connection with what it heard."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, inflate: bool) -> None:
        self.socket, self._inflate = socket, zlib.decompressobj() if inflate else None

    async def hear(self, seconds: float = 5.0) -> Json:
        """The next payload. Raises AssertionError when the connection ended instead."""
        message = await self.socket.receive(seconds)
        assert message.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}, (
            message.type,
            self.socket.close_code,
        )
        text = message.data if self._inflate is None else self._inflate.decompress(message.data)
        said: Json = json.loads(text)
        return said

    async def until(self, name: str) -> Json:
        """The data of the next dispatch of this name."""
        while True:
            said = await self.hear()
            if said["t"] == name:
                return said

    async def say(self, op: int, data: Any) -> None:
        await self.socket.send_json({"op": op, "d": data})

    async def identify(self, discord: Discord, **more: Any) -> None:
        await self.say(2, {"token": discord.token, "intents": INTENTS, "properties": {"os": "lab"}} | more)

    async def closed(self) -> int | None:
        """The code with which the gateway ended it."""
        while (await self.socket.receive(5)).type not in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}:
            pass
        return self.socket.close_code


@asynccontextmanager
async def shard(discord: Discord, query: str = "?v=10&encoding=json", path: str = "") -> AsyncIterator[Shard]:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{discord.gateway_url}{path}{query}") as socket:
        found = Shard(socket, "zlib-stream" in query)
        hello = await found.hear()
        assert hello["op"] == 10
        yield found


async def test_a_session_begins(discord: Discord) -> None:
    guild = discord.add_guild()
    for query in (
        "?v=10&encoding=json",
        "?v=10&encoding=json&compress=zlib-stream",
        "?v=10&encoding=json&compress=zstd-stream",
    ):
        discord.clock.advance(10)
        async with shard(discord, query) as one:
            await one.identify(discord)
            ready = await one.until("READY")
            assert ready["d"]["guilds"] == [{"id": guild.id, "unavailable": True}]
            assert (await one.until("GUILD_CREATE"))["d"]["id"] == guild.id
            await one.say(1, 2)
            assert (await one.hear())["op"] == 11


@pytest.mark.parametrize(
    "data, code",
    [
        ({"token": "wrong"}, 4004),
        ({"intents": 1 << 30}, 4013),
        ({"intents": "all"}, 4013),
        ({"intents": 1 << 15}, 4014),
        ({"shard": [1, 1]}, 4010),
        ({"properties": None}, 4002),
    ],
)
async def test_a_wrong_identify_ends_it(discord: Discord, data: Json, code: int) -> None:
    async with shard(discord) as one:
        await one.identify(discord, **data)
        assert await one.closed() == code


async def test_what_the_portal_allows_is_allowed(discord: Discord) -> None:
    discord.gateway.privileged = 1 << 15
    async with shard(discord) as one:
        await one.identify(discord, intents=1 << 15)
        assert (await one.until("READY"))["d"]["application"]["id"]


async def test_nonsense_ends_it(discord: Discord) -> None:
    for said, code in [
        ("{", 4002),
        (json.dumps({"op": 99, "d": 1}), 4003),
        (json.dumps({"op": 1, "d": "x" * 5000}), 4002),
    ]:
        async with shard(discord) as one:
            await one.socket.send_str(said)
            assert await one.closed() == code
    async with shard(discord) as one:
        await one.identify(discord)
        await one.until("READY")
        await one.identify(discord)
        assert await one.closed() == 4005
    async with shard(discord) as one:
        for _ in range(121):
            await one.say(1, None)
        assert await one.closed() == 4008
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{discord.gateway_url}?v=6&encoding=json") as socket,
    ):
        await socket.receive(5)
        assert socket.close_code == 4012


async def test_who_does_not_beat_is_cut_off(discord: Discord) -> None:
    discord.gateway.heartbeat_seconds = 0.1
    async with shard(discord) as one:
        await one.identify(discord)
        assert await one.closed() == 4009
    assert len(discord.journal.of("close", code=4009, by="gateway")) == 1
    discord.gateway.acknowledges = False
    async with shard(discord) as one:
        await one.say(1, None)
        with pytest.raises(TimeoutError):
            await one.hear(0.5)


async def test_resume_brings_what_was_missed_and_some_of_it_twice(discord: Discord) -> None:
    bot, guild = Bot(discord), discord.add_guild()
    room = discord.add_channel(guild)
    ada = discord.add_person("ada", guild)
    await asyncio.to_thread(bot.sync)
    async with shard(discord) as one:
        await one.identify(discord)
        session = (await one.until("READY"))["d"]
        ada.slash("video", room)
        first = await one.until("INTERACTION_CREATE")
        await one.socket.close(code=4000)
    await until_async(lambda: discord.gateway.connected == 0)
    missed = ada.slash("video", room)
    resume = {"token": discord.token, "session_id": session["session_id"], "seq": first["s"]}
    discord.gateway.replay_more = 1
    async with shard(discord, path="/resume") as one:
        await one.say(6, resume)
        again = await one.until("INTERACTION_CREATE")
        assert again["d"]["id"] == first["d"]["id"]
        new = await one.until("INTERACTION_CREATE")
        assert new["d"]["id"] == missed.interaction.id
        assert (await one.until("RESUMED"))["s"] == new["s"] + 1
        await one.socket.close(code=4000)
    async with shard(discord) as one:
        await one.say(6, resume | {"seq": 10_000})
        assert await one.closed() == 4007
    discord.clock.advance(600)
    async with shard(discord) as one:
        await one.say(6, resume)
        assert await one.hear() == {"op": 9, "d": False, "s": None, "t": None}


async def test_closing_with_1000_ends_the_session(discord: Discord) -> None:
    for code, kept in ((1000, False), (1001, False), (4000, True)):
        discord.clock.advance(6)
        async with shard(discord) as one:
            await one.identify(discord)
            session = (await one.until("READY"))["d"]["session_id"]
            await one.socket.close(code=code)
        await until_async(lambda wanted=[code]: discord.gateway.closes[-1:] == wanted)  # type: ignore[misc]
        assert (session in discord.gateway.sessions) is kept


async def test_identifying_is_rationed(discord: Discord) -> None:
    async with shard(discord) as one:
        await one.identify(discord)
        await one.until("READY")
    async with shard(discord) as one:
        await one.identify(discord)
        assert (await one.hear())["op"] == 9, "one in five seconds"
    discord.gateway.identify_budget = 2
    discord.clock.advance(10)
    old = discord.token
    answer = await asyncio.to_thread(Bot(discord).call, "GET", "/gateway/bot")
    assert answer["session_start_limit"]["remaining"] == 0
    async with shard(discord) as one:
        await one.identify(discord)
        assert await one.closed() == 4004
    assert (await asyncio.to_thread(Bot(discord).call, "GET", "/users/@me", token=old)).status == 401


async def test_switches_of_the_test(discord: Discord) -> None:
    async with shard(discord) as one:
        await one.identify(discord)
        await one.until("READY")
        await discord_run(discord, discord.gateway.op(7))
        assert (await one.hear())["op"] == 7
        await asyncio.to_thread(discord.tell, "INTERACTION_CREATE", {"channel": None})
        assert (await one.until("INTERACTION_CREATE"))["d"] == {"channel": None}
        await discord_run(discord, discord.gateway.raw("{oops"))
        assert (await one.socket.receive(5)).data == "{oops"
        await discord_run(discord, discord.gateway.op(9, data=False))
        assert (await one.hear())["op"] == 9
        assert discord.gateway.sessions == {}
    discord.clock.advance(6)
    async with shard(discord) as one:
        await one.identify(discord)
        await one.until("READY")
        await discord_run(discord, discord.gateway.close(0))
        assert await one.closed() == 1006


async def test_a_close_is_heard_with_its_code_every_time(discord: Discord) -> None:
    for _ in range(25):
        discord.clock.advance(6)
        async with shard(discord) as one:
            await one.identify(discord)
            await one.until("READY")
            await discord_run(discord, discord.gateway.close(4014))
            assert await one.closed() == 4014


async def discord_run(discord: Discord, work: Any) -> None:
    await asyncio.to_thread(discord.run, work)


async def test_shards_identify_one_after_the_other(discord: Discord) -> None:
    async with shard(discord) as zero, shard(discord) as one:
        await zero.identify(discord, shard=[0, 2])
        await zero.until("READY")
        await one.identify(discord, shard=[1, 2])
        assert (await one.hear())["op"] == 9, "max_concurrency is 1: shards wait for each other"
        discord.clock.advance(5)
        await one.identify(discord, shard=[1, 2])
        await one.until("READY")


async def test_events_go_to_the_shard_that_they_concern(discord: Discord) -> None:
    discord.gateway.max_concurrency = 2
    discord.gateway.copies = 2
    guild = discord.add_guild()
    mine = (int(guild.id) >> 22) % 2
    room = discord.add_channel(guild)
    ada = discord.add_person("ada", guild)
    await asyncio.to_thread(Bot(discord).sync)
    async with shard(discord) as zero, shard(discord) as one:
        await zero.identify(discord, shard=[0, 2])
        await one.identify(discord, shard=[1, 2])
        await zero.until("READY")
        await one.until("READY")
        both = [zero, one]
        ada.slash("video", room)
        first = await both[mine].until("INTERACTION_CREATE")
        second = await both[mine].until("INTERACTION_CREATE")
        assert first["d"] == second["d"], "each twice, as asked"
        ada.slash("video", ada.direct())
        assert "guild_id" not in (await zero.until("INTERACTION_CREATE"))["d"]


async def test_messages_come_without_words_unless_they_are_meant(discord: Discord) -> None:
    guild = discord.add_guild()
    room, hidden = discord.add_channel(guild), discord.add_channel(guild, "hidden")
    discord.set_permissions(hidden, deny=May.VIEW_CHANNEL)
    ada = discord.add_person("ada", guild)
    async with shard(discord) as one:
        await one.identify(discord)
        await one.until("READY")
        ada.say(hidden, "not for bots")
        ada.say(room, "private words")
        said = (await one.until("MESSAGE_CREATE"))["d"]
        assert (said["content"], said["channel_id"]) == ("", room.id)
        ada.say(room, f"<@{discord.world.bot.id}> make it")
        assert "make it" in (await one.until("MESSAGE_CREATE"))["d"]["content"]
        ada.say(ada.direct(), "in private")
        said = (await one.until("MESSAGE_CREATE"))["d"]
        assert (said["content"], "guild_id" in said) == ("in private", False)
        ada.delete(ada.messages(room)[0])
        assert (await one.until("MESSAGE_DELETE"))["d"]["guild_id"] == guild.id
        discord.remove_bot(guild)
        assert (await one.until("GUILD_DELETE"))["d"] == {"id": guild.id}
