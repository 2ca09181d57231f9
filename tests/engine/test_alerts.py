"""How long an alert stands: what lasts until it is over, what happened once for a day. In virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.engine.alerts import EVENT_MS, HOUR_MS
from tests.lab.stage import Stage, stage
from tests.lab.virtual_time import VirtualClock, run

ONCE = {"unclear a1", "not stored a1", "delivery chat", "spend cap 1795219200000", "missing files", "clip reported j1"}
LASTING = {"AUTHENTICATION_ERROR lab", "erasure", "generator missing veo"}


async def causes(on: Stage) -> set[str]:
    return {cause for cause, _, _ in await on.store.alerts()}


def test_what_happened_once_leaves_the_list_after_a_day_and_is_told_again_if_it_happens_again(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock) as on:
            told: list[str] = []

            async def tell(text: str) -> None:
                told.append(text)

            on.parts.alerts.tell_also(tell)
            for cause in sorted(ONCE | LASTING):
                await on.parts.alerts.raise_once(cause, cause)
            raised = clock.now()
            told.clear()
            await on.parts.alerts.end_events(raised + EVENT_MS - 1)
            assert await causes(on) == ONCE | LASTING
            await on.parts.alerts.raise_once("unclear a1", "again")
            assert told == [], "it stands"
            clock.shift += EVENT_MS / 1000

            async def over() -> bool:
                return await causes(on) == LASTING

            await on.until(over, 1200)
            await on.parts.alerts.raise_once("unclear a1", "again")
            assert told == ["again"]

    run(play)


def test_what_strangers_bring_about_is_told_one_by_one_up_to_a_number_an_hour(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock) as on:
            told: list[str] = []

            async def tell(text: str) -> None:
                told.append(text)

            on.parts.alerts.tell_also(tell)

            async def said(*names: str, now: int) -> list[str]:
                told.clear()
                calls = (
                    on.parts.alerts.raise_some("clip reported", each, each, now=now, most=3, more="more")
                    for each in names
                )
                await asyncio.gather(*calls)
                return sorted(told)

            start = clock.now() // HOUR_MS * HOUR_MS
            await on.parts.alerts.raise_once("low disk", "no report")
            assert await said("a", "b", now=start) == ["a", "b"]
            assert await said("a", "b", now=start) == [], "they stand"
            assert await said("c", "d", "e", now=start + 1) == ["c", "more"]
            assert await said("c", "f", now=start + 2) == []
            later = clock.now() + HOUR_MS
            assert await said("d", "c", now=later) == ["d"], "an hour later there is room, also for what was not told"

    run(play)


def test_a_disk_that_was_low_before_the_restart_is_not_low_for_ever(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock) as on:
            await on.parts.alerts.raise_once("low disk", "nearly full")
            await on.parts.alerts.raise_once("disk budget", "too much")
        async with stage(tmp_path, clock) as on:

            async def over() -> bool:
                return await causes(on) == set()

            await on.until(over, 60)

    run(play)


def test_clips_beyond_the_budget_are_told_until_there_is_room(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock) as on:
            on.engine.housekeeping._disk_budget = -1

            async def told() -> bool:
                return await causes(on) == {"disk budget"}

            await on.until(told, 60)
            on.engine.housekeeping._disk_budget = 10**9

            async def over() -> bool:
                return await causes(on) == set()

            await on.until(over, 60)

    run(play)
