"""The rules of a guild's channels: read once for everybody, and anew after every change."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.audit import Doing
from core.errors import DatabaseFault
from storage.chats import KeptRules, Rules
from storage.operating import OperatorStore
from tests.storage.store_world import HandClock, a_store


class Reading:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.go = asyncio.Event()
        self.broken = False

    async def __call__(self, platform: str, guild: str) -> Rules:
        self.asked.append(guild)
        await self.go.wait()
        if self.broken:
            raise DatabaseFault("the disk is gone")
        return {"room": len(self.asked) == 1}


async def test_a_thousand_who_ask_at_once_share_one_reading() -> None:
    reading = Reading()
    kept = KeptRules(reading)
    asking = [asyncio.create_task(kept.of("discord", "cinema")) for _ in range(1000)]
    await asyncio.sleep(0)
    reading.go.set()
    assert {each["room"] for each in await asyncio.gather(*asking)} == {True}
    await kept.of("discord", "opera")
    assert reading.asked == ["cinema", "opera"]


async def test_whoever_asks_after_a_change_reads_anew_even_while_the_old_reading_runs() -> None:
    reading = Reading()
    kept = KeptRules(reading)
    before = asyncio.create_task(kept.of("discord", "cinema"))
    await asyncio.sleep(0)
    kept.forget("discord", "cinema")
    after = asyncio.create_task(kept.of("discord", "cinema"))
    await asyncio.sleep(0)
    reading.go.set()
    await before
    assert await after == {"room": False}
    assert (await kept.of("discord", "cinema")) == {"room": False}, "the old reading did not come back"
    assert len(reading.asked) == 2


async def test_a_failed_reading_is_not_kept_and_a_cancelled_asker_takes_nobody_along() -> None:
    reading = Reading()
    kept = KeptRules(reading)
    leaves, stays = (asyncio.create_task(kept.of("discord", "cinema")) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    reading.broken = True
    reading.go.set()
    with pytest.raises(DatabaseFault):
        await stays
    reading.broken = False
    assert await kept.of("discord", "cinema") == {"room": False}


async def test_an_operators_word_about_a_channel_counts_at_once(tmp_path: Path) -> None:
    clock = HandClock()
    async with a_store(tmp_path, clock) as store:
        operators = OperatorStore(store, clock.now)

        async def allowed(*channels: str) -> bool:
            return await store.chat_allowed("discord", "cinema", channels)

        assert await allowed("stage")
        doing = Doing("ada", "channel", {})
        await operators.set_channel(doing, "discord", "cinema", "stage", allowed=False)
        assert not await allowed("stage")
        assert not await allowed("post", "stage"), "a thread goes by its channel"
        assert await allowed("foyer")
        await operators.set_channel(doing, "discord", "cinema", "foyer", allowed=True)
        assert await allowed("foyer")
        assert not await allowed("elsewhere"), "where one is named, only those named are meant"
        assert await store.chat_allowed("discord", "opera", ["elsewhere"])
