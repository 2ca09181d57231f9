"""The crowd: what it counts is true, and its shortcut says what the ordinary way says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.lab.discord.load import LoadPerson
from tests.lab.discord.rush import Rush
from tests.lab.discord_raw import Bot, code
from tests.lab.waiting import until, until_async

Json = dict[str, Any]
CROWD = 60


@pytest.fixture
def rush() -> Iterator[Rush]:
    with Rush(validate=True) as found:
        Bot(found).sync()
        yield found


@asynccontextmanager
async def shard(gateway: str, token: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A connection that has said who it is."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{gateway}?v=10&encoding=json") as socket:
        await socket.receive(5)
        await socket.send_json({"op": 2, "d": {"token": token, "intents": 1, "properties": {}}})
        yield socket


async def answering(socket: Any, api: str, count: int, skip: Callable[[int], bool], query: str = "") -> list[int]:
    """Defer so many interactions over four connections; returns the statuses."""
    statuses: list[int] = []
    connector = aiohttp.TCPConnector(limit=4)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as tasks:

        async def answer(data: Json) -> None:
            url = f"{api}/interactions/{data['id']}/{data['token']}/callback{query}"
            async with session.post(url, json={"type": 5}) as response:
                statuses.append(response.status)

        heard = 0
        while heard < count:
            said = json.loads((await socket.receive(10)).data)
            if said["t"] == "INTERACTION_CREATE":
                if not skip(heard):
                    tasks.create_task(answer(said["d"]))
                heard += 1
    return statuses


async def test_the_figures_of_a_crowd(rush: Rush) -> None:
    async with shard(rush.gateway_url, rush.token) as socket:
        await until_async(lambda: rush.gateway.connected)
        await asyncio.to_thread(rush.prepare, CROWD, prompt="take {n}", guilds=3)
        rush.begin()
        assert await answering(socket, rush.api_url, CROWD, lambda n: n % 10 == 0) == [204] * (CROWD - CROWD // 10)
        found = rush.figures()
        assert (found["sent"], found["acknowledged"], found["in_time"]) == (60, 54, 54)
        assert (found["late"], found["never"]) == (0, 6)
        assert 0 <= found["p50"] <= found["p99"] <= found["max"] < 3
        assert 1 <= found["connections"]["acknowledging_most"] <= 4
        prompts = {f.payload["data"]["options"][0]["value"] for f in rush.burst.sent}
        assert len(prompts) == CROWD, "everybody has something else to say"
        assert len({f.payload["member"]["user"]["id"] for f in rush.burst.sent}) == CROWD
        assert len({f.payload["guild_id"] for f in rush.burst.sent}) == 3


async def test_who_comes_late_is_counted_as_late(rush: Rush) -> None:
    async with shard(rush.gateway_url, rush.token) as socket:
        await until_async(lambda: rush.gateway.connected)
        await asyncio.to_thread(rush.prepare, 4)
        rush.begin()
        until(lambda: len(rush.burst.sent) == 4)
        rush.clock.advance(3.5)
        assert await answering(socket, rush.api_url, 4, lambda n: False) == [404] * 4
        found = rush.figures()
        assert (found["acknowledged"], found["in_time"], found["late"], found["never"]) == (0, 0, 4, 0)
        assert found["p50"] > 3


async def test_latency_comes_before_the_effect(rush: Rush) -> None:
    rush.latency = 0.2
    async with shard(rush.gateway_url, rush.token) as socket:
        await until_async(lambda: rush.gateway.connected)
        await asyncio.to_thread(rush.prepare, 2)
        rush.begin()
        await answering(socket, rush.api_url, 2, lambda n: False)
        assert rush.figures()["p50"] >= 0.2


def test_the_shortcut_says_what_the_ordinary_way_says(rush: Rush) -> None:
    bot = Bot(rush)
    room = rush.add_channel(rush.add_guild())
    ada = rush.add_person("ada", room.guild)  # type: ignore[arg-type]
    use = ada.slash("video", room)
    said = bot.answer(use, 5, {"flags": 64}, "?with_response=1").json
    assert rush.ever_acknowledging == 1, "it was the shortcut"
    assert said["resource"] == {"type": 5}
    assert said["interaction"]["response_message_ephemeral"] is True
    assert code(bot.answer(use, 5)) == (400, 40060)
    assert bot.edit(use, {"content": "drawn"}).status == 200
    assert [line["text"] for line in rush.journal.of("created")] == ["is thinking…"]
    assert use.text == "drawn"
    assert code(bot.call("POST", f"/interactions/{use.interaction.id}/wrong/callback", {"type": 5}, token=None)) == (
        404,
        10062,
    )
    other = ada.slash("video", room)
    assert code(bot.answer(other, 5, {"flags": 32768})) == (400, 50035), "what is odd goes the ordinary way"
    assert bot.answer(other, 4, {"content": "words"}).status == 204
    assert rush.ever_acknowledging == 3


async def test_a_crowd_in_a_process_of_its_own() -> None:
    with LoadPerson(latency=0.01) as load:
        async with shard(load.gateway_url, load.token) as socket, aiohttp.ClientSession() as session:
            place = f"{load.api_url}/applications/{load.application_id}/commands"
            video = [{"name": "video", "description": "d"}]
            async with session.put(place, json=video, headers={"Authorization": f"Bot {load.token}"}) as answer:
                assert answer.status == 200
            await asyncio.to_thread(load.wait_ready, "video")
            with pytest.raises(RuntimeError, match="no option"):
                await asyncio.to_thread(load.prepare, 1, colour="red")
            await asyncio.to_thread(load.prepare, CROWD)
            fired = asyncio.create_task(asyncio.to_thread(load.fire))
            await answering(socket, load.api_url, CROWD, lambda n: False)
            found = await fired
            assert (found["sent"], found["in_time"], found["never"]) == (CROWD, CROWD, 0)
            lines, after = await asyncio.to_thread(load.lines, "heard")
            assert [line["op"] for line in lines] == [2]
            assert (await asyncio.to_thread(load.lines, "heard", after))[0] == []
