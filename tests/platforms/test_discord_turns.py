"""A flood: whoever came first is answered first, and who waits in line is not lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.engine.words import Words
from bot.platforms.discord import desk as desk_module
from bot.platforms.discord.answering import Answering
from bot.platforms.discord.desk import UNANSWERED_MOST, Desk
from bot.platforms.discord.wire import Interaction

WORDS = Words()
FLOOD = 3 * UNANSWERED_MOST


class Watched(Desk):
    """A desk whose handling is written down, and which waits for Discord, and then for ever."""

    def __init__(self) -> None:
        self.time, self.counted = 0.0, Counter[str]()
        figures = SimpleNamespace(
            command=lambda _, __, outcome: self.counted.update([outcome]), acknowledged=lambda *_: None
        )
        parts = SimpleNamespace(figures=figures, clock=SimpleNamespace(monotonic=lambda: self.time, now=lambda: 0))
        shelf = SimpleNamespace(words=lambda _: WORDS)
        parts_of_it: list[Any] = [SimpleNamespace(parts=parts), self, shelf, *([None] * 7), ()]
        super().__init__(*parts_of_it)
        self.begun: list[str] = []
        self.discord, self.end = asyncio.Event(), asyncio.Event()

    async def call(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Discord's REST."""
        await self.discord.wait()
        return {}

    async def _handle(self, i: Interaction, answer: Answering, words: Words) -> None:
        self.begun.append(i.id)
        if i.name == "video":
            await answer.defer(private=False)
        await self.end.wait()

    def take(self, number: int, name: str = "video") -> asyncio.Task[None]:
        raw = {
            "type": 2,
            "id": str(number),
            "token": "t",
            "application_id": "9",
            "user": {"id": "1"},
            "data": {"name": name},
        }
        return cast("asyncio.Task[None]", self.receive(raw))


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_so_many_are_on_their_way_to_an_answer_and_the_others_follow_in_line() -> None:
    desk = Watched()
    tasks = [desk.take(number) for number in range(FLOOD)]
    await settle()
    assert desk.begun == [str(n) for n in range(UNANSWERED_MOST)]
    desk.discord.set()  # from here on each answer lets the next one in, although nobody has ended yet
    await asyncio.wait_for(_all_begun(desk), 10)
    assert desk.begun == [str(n) for n in range(FLOOD)]
    desk.end.set()
    await asyncio.gather(*tasks)
    assert desk._turns._value == UNANSWERED_MOST, "every turn came back once"


async def test_whoever_never_answers_keeps_nobody_for_longer_than_discord_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(desk_module, "ANSWER_SECONDS", 1.0)
    desk = Watched()
    tasks = [desk.take(number, "silent") for number in range(FLOOD)]
    await settle()
    assert len(desk.begun) == UNANSWERED_MOST
    await asyncio.wait_for(_all_begun(desk), 10)
    desk.end.set()
    await asyncio.gather(*tasks)
    assert desk._turns._value == UNANSWERED_MOST


async def test_whose_turn_comes_when_discord_has_given_up_orders_nothing() -> None:
    """Its person has been told that the command failed, and will give it again."""
    desk = Watched()
    tasks = [desk.take(number) for number in range(UNANSWERED_MOST + 5)]
    await settle()
    desk.time = 3.0
    desk.discord.set()
    desk.end.set()
    await asyncio.wait_for(asyncio.gather(*tasks), 10)
    assert len(desk.begun) == UNANSWERED_MOST
    assert desk.counted == {"answered": UNANSWERED_MOST, "late": 5}
    assert desk._turns._value == UNANSWERED_MOST


async def _all_begun(desk: Watched) -> None:
    while len(desk.begun) < FLOOD:  # noqa: ASYNC110 - bounded by whoever waits
        await asyncio.sleep(0.01)
