"""Telegram's inbox over the real store: all of it, each once, one person's in their order and nobody's behind somebody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.engine.engine import Engine
from bot.platforms.telegram.inbox import Inbox
from bot.platforms.telegram.wire import Asked, Bot, Event, Said
from core.jobs import InboxRow
from storage.store import SqliteStore
from tests.lab.waiting import until_async
from tests.storage.store_world import HandClock, a_store


class Desk:
    """Writes down what it is handed; a text with ``wait`` waits for ``go``."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.go = asyncio.Event()

    def wants(self, event: Event) -> bool:
        return True

    def is_done_once(self, event: Event) -> bool:
        return isinstance(event, Said) and event.command == "admin"

    async def handle(self, event: Event, rows: Sequence[InboxRow]) -> None:
        assert isinstance(event, Said)
        if "wait" in event.text:
            await self.go.wait()
        self.done.append(event.text)

    async def ask(self, asked: Asked) -> None:
        raise AssertionError("nobody asks")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    async with a_store(tmp_path, HandClock()) as store:
        yield store


def inbox_on(store: SqliteStore, desk: Desk) -> Inbox:
    parts = SimpleNamespace(store=store, reach=lambda point: None)
    inbox = Inbox(cast(Engine, SimpleNamespace(parts=parts)), desk)
    inbox.bot = Bot(1, "reelay_bot")
    return inbox


def raw(number: int, text: str, who: int = 7) -> dict[str, Any]:
    chat = {"id": who, "type": "private"}
    return {
        "update_id": number,
        "message": {"message_id": number, "from": {"id": who}, "chat": chat, "date": 1, "text": text},
    }


async def done(store: SqliteStore) -> None:
    """Wait until nothing is left."""

    async def look() -> bool:
        return not await store.raw_updates("telegram", 1)

    await until_async(look, 30, "the end")


async def test_more_than_is_read_at_once_is_done_after_a_crash(store: SqliteStore) -> None:
    """Telegram has been told to forget them: what is not done now is done never."""
    kept = [(f"1:{n}", {"raw": raw(n, str(n), n), "actor": {"external_id": str(n)}}) for n in range(1, 1202)]
    await store.keep_updates("telegram", kept)
    desk = Desk()
    assert await inbox_on(store, desk).take_leftovers() == 1201
    await done(store)
    assert sorted(desk.done, key=int) == [str(n) for n in range(1, 1202)]


async def test_numbers_are_each_bots_own(store: SqliteStore) -> None:
    """After another token: what the old bot was told is none of the new one's business, and its numbers are not known."""
    desk = Desk()
    await store.keep_updates("telegram", [("2:5", {"raw": raw(5, "theirs"), "actor": {"external_id": "7"}})])
    inbox = inbox_on(store, desk)
    await inbox.take_leftovers()
    await inbox.take([raw(5, "ours")])
    await done(store)
    await inbox.stop(5)
    assert desk.done == ["ours"]


async def test_what_is_in_hand_is_no_leftover(store: SqliteStore) -> None:
    """A webhook brings updates also while leftovers are read."""
    desk = Desk()
    inbox = inbox_on(store, desk)
    await inbox.take([raw(1, "wait")])
    await inbox.take_leftovers()
    desk.go.set()
    await done(store)
    await inbox.stop(5)
    assert desk.done == ["wait"]


async def test_what_was_cancelled_is_found_again(store: SqliteStore) -> None:
    desk = Desk()
    inbox = inbox_on(store, desk)
    await inbox.take([raw(1, "wait"), raw(2, "behind it")])
    await inbox.stop(0.05)
    assert desk.done == []
    desk.go.set()
    assert await inbox.take_leftovers() == 2
    await done(store)
    assert desk.done == ["wait", "behind it"]


async def test_one_persons_wishes_keep_their_order_and_nobody_waits_for_somebody_else(store: SqliteStore) -> None:
    desk = Desk()
    inbox = inbox_on(store, desk)
    await inbox.take([raw(1, "wait"), raw(2, "mine"), raw(3, "theirs", 8), raw(4, "last")])
    await until_async(lambda: desk.done, 10, "the first")
    assert desk.done == ["theirs"]
    desk.go.set()
    await done(store)
    assert desk.done == ["theirs", "wait", "mine", "last"]


async def test_an_update_that_is_told_again_is_known(store: SqliteStore) -> None:
    desk = Desk()
    inbox = inbox_on(store, desk)
    await inbox.take([raw(1, "once"), raw(1, "once")])
    await inbox.take([raw(1, "once")])
    await done(store)
    await inbox.take([raw(1, "once"), raw(2, "twice")])
    await done(store)
    assert desk.done == ["once", "twice"]
