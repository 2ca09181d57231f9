"""From Telegram's updates to the desk: durable before Telegram may forget them, each once, and one person's in their order.

A row stays pending until what it asks for is done; what a crash leaves is done after the start. The same update may come again at any
time: its number is known then, as one of a set, because numbers begin anew after a quiet week.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from bot.engine.engine import Engine
from bot.platforms.telegram.wire import Asked, Bot, Event, Malformed, Membership, Moved, Raw, Said, read_update
from core.errors import StorageError
from core.jobs import InboxRow

AT_ONCE: Final = 5000
"""Updates in hand. Beyond, Telegram keeps the rest."""
LONGEST_SECONDS: Final = 180.0
"""Of whatever an update asks for, the words about it included."""
ASKED_MOST: Final = 200
"""Inline questions in hand; beyond, they go without an answer: each letter that is typed is another one."""
ALBUM_SECONDS, WORDLESS_SECONDS = 1.0, 2.5
"""How long after a picture of an album the next one may come: each is an update of its own, in any order (Bot API, "media_group_id").
Longer where none that came has words: those are under one of them only, and a clip without them would be another one."""
ALBUM_MOST: Final = 10
LEFTOVERS: Final = 500
"""Read at once after a start."""

log = logging.getLogger("reelay.telegram")


class Desk(Protocol):
    """Who carries out what an update asks for."""

    def wants(self, event: Event) -> bool:
        """Whether anything would be done."""

    def is_done_once(self, event: Event) -> bool:
        """Whether it must not be done again after a crash, even if it was not done."""

    async def handle(self, event: Event, rows: Sequence[InboxRow]) -> None:
        """Do it, and tell whoever asked. Raises nothing that they should hear of."""

    async def ask(self, asked: Asked) -> None:
        """Answer an inline question, which is worth nothing a few seconds later."""


@dataclass(slots=True)
class _Album:
    parts: list[tuple[Said, InboxRow]] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None


class Inbox:
    """Takes updates, from wherever they come."""

    def __init__(self, engine: Engine, desk: Desk) -> None:
        """``bot`` is set once Telegram has told who we are; nothing is read before."""
        self._engine, self._desk = engine, desk
        self.bot: Bot | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked: set[asyncio.Task[None]] = set()
        self._last: OrderedDict[str, asyncio.Task[None]] = OrderedDict()
        """The newest task of each person: the next one waits for it."""
        self._albums: dict[tuple[int, str], _Album] = {}
        self._in_hand: set[int] = set()
        """Rows that are being seen to: a webhook brings updates also while leftovers are read."""

    async def take(self, raws: Sequence[Raw]) -> None:
        """Keep what concerns us, all of it in one transaction, and have it done. Raises StorageError: then nothing was taken."""
        events: dict[str, Event] = {}
        kept: list[tuple[str, Mapping[str, Any]]] = []
        for raw in raws:
            event = self._read(raw)
            if event is None:
                continue
            if isinstance(event, Asked):
                if len(self._asked) < ASKED_MOST:
                    task = self._spawn(self._desk.ask(event), f"telegram inline {event.update_id}")
                    self._asked.add(task)
                    task.add_done_callback(self._asked.discard)
            elif self._key(event) not in events and self._desk.wants(event):
                events[self._key(event)] = event
                kept.append((self._key(event), {"raw": dict(raw), "actor": {"external_id": _sender(event)}}))
        if not kept:
            return
        for row in await self._engine.parts.store.keep_updates("telegram", kept):
            self._hand(events[row.update_id], row)
        self._engine.parts.reach("received")
        while len(self._tasks) >= AT_ONCE:  # Telegram keeps what comes meanwhile
            await asyncio.wait(set(self._tasks), return_when=asyncio.FIRST_COMPLETED, timeout=LONGEST_SECONDS)

    async def take_leftovers(self) -> int:
        """Do what a crash has left, all of it: nobody tells of it again. Returns how many updates that were."""
        found, after = 0, 0
        while True:  # ends: ids only rise
            rows = await self._engine.parts.store.raw_updates("telegram", LEFTOVERS, after)
            if not rows:
                return found
            found, after = found + len(rows), rows[-1].id
            for row in rows:
                event = self._read(row.payload["raw"])
                if (
                    event is None or self._key(event) != row.update_id
                ):  # the one that another bot was told, before the token changed
                    await self._engine.parts.store.handled([row.id])
                else:
                    self._hand(event, row)

    async def stop(self, seconds: float) -> None:
        """Let what is in hand end within ``seconds``; the rest is found again at the next start."""
        for album in self._albums.values():
            if album.timer is not None:
                album.timer.cancel()
            self._in_hand.difference_update(row.id for _, row in album.parts)
        self._albums.clear()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        left = set(self._tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=1.0)

    def _key(self, event: Event) -> str:
        """By which an update is known: each bot has numbers of its own."""
        return f"{0 if self.bot is None else self.bot.id}:{event.update_id}"

    def _read(self, raw: Raw) -> Event | None:
        if self.bot is None:
            raise RuntimeError("nobody knows yet who we are")
        try:
            return read_update(raw, self.bot)
        except Exception as error:  # noqa: BLE001 - Telegram tells an update until it is confirmed: one that breaks us would end hearing
            self._engine.parts.figures.command("telegram", "unknown", "unreadable")
            why = str(error) if isinstance(error, Malformed) else type(error).__name__
            log.warning("an update could not be read", extra={"why": why})
            return None

    # ---------------------------------------------------------------------------------------------------------------- in order

    def _hand(self, event: Event, row: InboxRow) -> None:
        if row.id in self._in_hand:
            return
        self._in_hand.add(row.id)
        if isinstance(event, Said) and event.album is not None and event.pictures:
            self._collect(event, row)
        else:
            self._line_up(event, [row])

    def _collect(self, said: Said, row: InboxRow) -> None:
        """A picture of an album waits for the others."""
        key = (said.spot.chat_id, str(said.album))
        album = self._albums.setdefault(key, _Album())
        album.parts.append((said, row))
        if album.timer is not None:
            album.timer.cancel()
        loop = asyncio.get_running_loop()
        is_spoken = any(each.command is not None or each.text for each, _ in album.parts)
        wait = ALBUM_SECONDS if is_spoken else WORDLESS_SECONDS
        wait = wait if len(album.parts) < ALBUM_MOST else 0.0
        album.timer = loop.call_later(wait, lambda: self._close_album(key))

    def _close_album(self, key: tuple[int, str]) -> None:
        parts = sorted(self._albums.pop(key).parts, key=lambda part: part[0].message_id)
        spoken = next((said for said, _ in parts if said.command is not None or said.text), parts[0][0])
        pictures = tuple(picture for said, _ in parts for picture in said.pictures)
        first = next(row for said, row in parts if said is spoken)
        rows = [first, *(row for _, row in parts if row is not first)]
        self._line_up(replace(spoken, pictures=pictures), rows)

    def _line_up(self, event: Event, rows: Sequence[InboxRow]) -> None:
        """One person's wishes are done one after the other: a cancel must not overtake the order that it means."""
        who = _sender(event)
        task = self._spawn(self._in_turn(self._last.get(who), event, rows), f"telegram {rows[0].update_id}")
        task.add_done_callback(lambda _: self._in_hand.difference_update(row.id for row in rows))
        self._last[who] = task
        self._last.move_to_end(who)
        while len(self._last) > AT_ONCE:
            self._last.popitem(last=False)

    def _spawn(self, work: Any, name: str) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _in_turn(self, before: asyncio.Task[None] | None, event: Event, rows: Sequence[InboxRow]) -> None:
        if before is not None and not before.done():
            await asyncio.wait({before})  # it has a deadline of its own, and a cancel must not overtake what it cancels
        store, ids = self._engine.parts.store, [row.id for row in rows]
        try:
            if self._desk.is_done_once(event):
                await store.handled(ids)
            self._engine.parts.reach("handling")
            async with asyncio.timeout(LONGEST_SECONDS):
                await self._desk.handle(event, rows)
            self._engine.parts.reach("handled")
        except TimeoutError:
            log.error("an update took too long", extra={"kind": type(event).__name__})
        except Exception:
            log.exception("an update broke", extra={"kind": type(event).__name__})
        await self._end(ids)

    async def _end(self, ids: Sequence[int]) -> None:
        """What was done, or refused, is not to be done after the next start: tried for a while, should the disk be full."""
        for pause in (1.0, 5.0, 20.0, None):
            try:
                await self._engine.parts.store.handled(ids)
                return
            except StorageError as error:
                log.warning("an update could not be ended", extra={"code": error.code})
            if pause is not None:
                await self._engine.parts.clock.sleep(pause)


def _sender(event: Event) -> str:
    if isinstance(event, Moved):
        return f"chat {event.old}"
    if isinstance(event, Membership):
        return f"chat {event.spot.chat_id}"
    return event.person.external_id
