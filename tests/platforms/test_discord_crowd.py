"""Many orders at once: everybody is answered before the jobs of the crowd are made, and each only once it is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.engine.words import Bookshelf, Words
from bot.platforms.discord.orders import CROWD, CROWD_MAKING, Orders
from bot.platforms.discord.wire import Interaction
from core.errors import QuotaExceeded
from core.jobs import Place, Receipt

MANY = 3 * CROWD
WORDS = Words()


class Hall:
    """An engine and a Discord that write down what happens, in order."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.durable = asyncio.Event()
        self.answer_now = asyncio.Event()
        self.refuses = False
        self.slow: asyncio.Event | None = None
        self.intake = self
        self.parts = SimpleNamespace(store=self, clock=SimpleNamespace(now=lambda: 0))
        self.lanes = SimpleNamespace(touch=lambda _job: None)

    async def take(
        self, platform: str, update_id: str, payload: Mapping[str, Any], received: Callable[[], Awaitable[None]]
    ) -> tuple[Any, bool]:
        await self.durable.wait()
        self.said.append(("durable", update_id))
        await received()
        self.said.append(("begun", update_id))
        if self.slow is not None:
            await self.slow.wait()
        self.said.append(("job", update_id))
        if self.refuses:
            raise QuotaExceeded("enough")
        return SimpleNamespace(id=update_id), True

    async def acknowledged(self, job_id: str, receipt: Receipt) -> None:
        """Nothing to keep."""

    def receipt(self, place: Place, message: str, token: object) -> Receipt:
        return Receipt(place, message)

    def reaches(self, place: Place) -> bool:
        return True

    def of(self, what: str) -> list[str]:
        return [who for said, who in self.said if said == what]


class Answer:
    """What ``Answering`` does, without Discord."""

    token = None
    is_private = False

    def __init__(self, hall: Hall, who: str) -> None:
        self.hall, self.who = hall, who
        self.message_id: str | None = None

    async def defer(self, *, private: bool) -> bool:
        await self.hall.answer_now.wait()
        self.hall.said.append(("answered", self.who))
        self.message_id = f"message {self.who}"
        return True


def rush(hall: Hall, orders: Orders) -> list[asyncio.Task[Any]]:
    def one(number: int) -> asyncio.Task[Any]:
        who = str(number)
        i = Interaction(id=who, token="t", user_id=who, channel_id="room")
        return asyncio.create_task(orders.take(i, cast("Any", Answer(hall, who)), {}, WORDS))

    return [one(number) for number in range(MANY)]


async def settle() -> None:
    for _ in range(MANY):
        await asyncio.sleep(0)


@pytest.fixture
def hall() -> Hall:
    return Hall()


@pytest.fixture
def orders(hall: Hall) -> Orders:
    return Orders(cast("Any", hall), cast("Any", hall), Bookshelf())


async def test_nobody_is_answered_before_the_command_is_durable(hall: Hall, orders: Orders) -> None:
    hall.answer_now.set()
    tasks = rush(hall, orders)
    await settle()
    assert hall.said == []
    hall.durable.set()
    await asyncio.gather(*tasks)
    assert sorted(hall.of("answered")) == sorted(hall.of("durable"))
    first = {who: hall.said.index(("durable", who)) for who in hall.of("durable")}
    assert all(hall.said.index(("answered", who)) > at for who, at in first.items())


async def test_the_crowds_jobs_are_made_when_all_of_it_has_its_answer(hall: Hall, orders: Orders) -> None:
    hall.durable.set()
    tasks = rush(hall, orders)
    await settle()
    assert len(hall.of("durable")) == MANY
    assert hall.of("job") == []
    hall.answer_now.set()
    await asyncio.gather(*tasks)
    answered = [n for n, (what, _) in enumerate(hall.said) if what == "answered"]
    late = [n for n, (what, _) in enumerate(hall.said) if what == "job"]
    assert len(answered) == len(late) == MANY
    assert min(late) > answered[MANY - CROWD - 1], "only the last few answers may still be on their way"


async def test_of_a_crowds_jobs_few_are_made_at_the_same_moment(hall: Hall, orders: Orders) -> None:
    hall.durable.set()
    hall.answer_now.set()
    hall.slow = asyncio.Event()
    tasks = rush(hall, orders)
    await settle()
    assert len(hall.of("answered")) == MANY
    assert len(hall.of("begun")) == CROWD_MAKING
    hall.slow.set()
    await asyncio.gather(*tasks)
    assert len(hall.of("job")) == MANY


async def test_a_refusal_in_a_crowd_comes_after_the_answer(hall: Hall, orders: Orders) -> None:
    hall.refuses = True
    hall.durable.set()
    hall.answer_now.set()
    found = await asyncio.gather(*rush(hall, orders), return_exceptions=True)
    assert {type(each) for each in found} == {QuotaExceeded}
    assert len(hall.of("answered")) == MANY


async def test_whoever_gives_up_is_not_waited_for(hall: Hall, orders: Orders) -> None:
    hall.durable.set()
    tasks = rush(hall, orders)
    await settle()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await settle()
    assert sorted(hall.of("job")) == sorted(hall.of("durable")), "their jobs are made: they were durable"
    hall.answer_now.set()
    await asyncio.gather(*rush(hall, orders)[:1])
    assert hall.of("answered") != []
