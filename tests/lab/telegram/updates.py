"""Each bot's queue of updates: numbers, what it wants to hear, the long poll, and the quarrels between two that poll.

An update stays until a later offset confirms it or a webhook has taken it, or 24 hours after the message it tells of.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.lab.clock import Clock
from tests.lab.journal import Journal
from tests.lab.telegram import spec
from tests.lab.telegram.refusal import Refusal, conflict

Json = dict[str, Any]
DAY: Final = 86_400.0
WEEK: Final = 7 * DAY
LONGEST: Final = 50
MOST: Final = 100
UNASKED: Final = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""What is only told to whoever names it."""
LOOK_SECONDS: Final = 0.25
"""How soon it is seen that whoever polled is gone."""
SLOW_SECONDS: Final = 3
"""A poll that follows another of the same offset within so many seconds waits at least so long (Client.cpp, do_get_updates)."""

ACTIVE: Final = conflict(
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
OTHER: Final = "terminated by other getUpdates request; make sure that only one bot instance is running"


@dataclass(slots=True)
class Hook:
    """A webhook. ``url`` is empty when there is none."""

    url: str = ""
    secret: str = ""
    connections: int = 40
    ip_address: str | None = None
    last_error: tuple[int, str] | None = None


@dataclass(slots=True, eq=False)
class Pending:
    """An update that was not confirmed."""

    id: int
    kind: str
    payload: Json
    born: float
    taken: bool = False
    """A webhook delivery of it is under way."""

    def update(self) -> Json:
        """As it is told."""
        return {"update_id": self.id, self.kind: self.payload}


@dataclass(eq=False)
class Queue:
    """One bot's."""

    clock: Clock
    journal: Journal
    name: str
    waiting: list[Pending] = field(default_factory=list)
    told: list[Pending] = field(default_factory=list)
    """Everything that ever was in it: for telling it again."""
    allowed: frozenset[str] = field(default_factory=lambda: spec.update_kinds() - UNASKED)
    hook: Hook = field(default_factory=Hook)
    next_id: int = field(default_factory=lambda: random.randrange(100_000_000, 900_000_000))
    slowing: bool = True
    """Whether repeated polls of one offset are slowed down, as the real server does."""
    polls: int = 0
    """How many polls are held open now."""
    polled: int = 0
    """How many there ever were."""
    wake: Callable[[], None] = lambda: None
    validate: bool = True
    own_faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._last = self.clock()
        self._previous: tuple[int, float] = (0, 0.0)
        self._next_conflict = 0.0
        self._poll: asyncio.Future[Refusal] | None = None
        self._news: asyncio.Event | None = None

    # ----------------------------------------------------------------------------------------------------------------------- coming

    def push(self, kind: str, payload: Json) -> int | None:
        """Something happened; returns the update's id, or None where the bot does not want to hear of it."""
        if kind not in self.allowed:
            return None
        with self._lock:
            now = self.clock()
            if now - self._last > WEEK:
                self.skip()
            self._last = now
            pending = Pending(self.next_id, kind, payload, float(payload["date"]) if kind == "message" else now)
            self.next_id += 1
            self.waiting.append(pending)
            self.told.append(pending)
        if self.validate:
            self.own_faults += spec.faults("Update", pending.update())
        self.journal.write("update", bot=self.name, id=pending.id, kind=kind)
        self.wake()
        return pending.id

    def skip(self) -> None:
        """The next update gets a random number, as after a week in which nothing happened."""
        self.next_id = random.randrange(100_000_000, 900_000_000)

    def again(self, update_id: int) -> None:
        """Tell one once more under its old number, as after a failure on Telegram's side."""
        found = next(each for each in self.told if each.id == update_id)
        with self._lock:
            if found not in self.waiting:
                self.waiting.insert(0, found)
        self.wake()

    def ring(self) -> None:
        """There is news; called on the loop."""
        if self._news is not None:
            self._news.set()

    def drop_old(self) -> None:
        """Nothing is kept longer than a day."""
        begin = self.clock() - DAY
        if self.waiting and self.waiting[0].born <= begin:
            with self._lock:
                self.waiting = [each for each in self.waiting if each.born > begin]

    def confirm(self, gone: Callable[[Pending], bool]) -> None:
        """Forget what was taken."""
        with self._lock:
            kept = [each for each in self.waiting if not gone(each)]
            ids = [each.id for each in self.waiting if gone(each)]
            self.waiting = kept
        if ids:
            self.journal.write("confirmed", bot=self.name, ids=ids)

    def want(self, kinds: list[str] | None) -> None:
        """Listen to these from now on; it stays so until something else is said. An empty list means nearly all."""
        if kinds is not None:
            self.allowed = frozenset(kinds) & spec.update_kinds() or spec.update_kinds() - UNASKED

    # ------------------------------------------------------------------------------------------------------------------------ polling

    async def poll(self, offset: int, limit: int, timeout: int, alive: Callable[[], bool]) -> list[Json]:
        """getUpdates. The poll that was there before is cut off with 409; one whose caller is gone ends by itself."""
        if self.hook.url:
            raise await self._conflict(ACTIVE)
        timeout, limit = max(0, min(timeout, LONGEST)), limit if 1 <= limit <= MOST else MOST
        if self.slowing and offset == self._previous[0]:
            since = asyncio.get_running_loop().time() - self._previous[1]
            timeout = max(timeout, SLOW_SECONDS) if since < SLOW_SECONDS else timeout
            limit = 1 if since < 0.5 else limit
        self._previous = (offset, asyncio.get_running_loop().time())
        self._confirm(offset)
        return await self._wait(limit, timeout, alive)

    def _confirm(self, offset: int) -> None:
        self.drop_old()
        if offset > self.next_id:
            return  # from before the numbers began anew: it says nothing
        if offset > 0:
            self.confirm(lambda each: each.id < offset)
        elif offset < 0:
            last = {id(each) for each in self.waiting[offset:]}
            self.confirm(lambda each: id(each) not in last)

    async def _wait(self, limit: int, timeout: int, alive: Callable[[], bool]) -> list[Json]:
        self.polled += 1
        if self.waiting or not timeout:
            return self._batch(limit)
        self.cut(conflict(OTHER))  # only a poll that has to wait cuts another off
        mine: asyncio.Future[Refusal] = asyncio.get_running_loop().create_future()
        self._poll = mine
        self.polls += 1
        try:
            await self._news_or(mine, timeout, alive)
        finally:
            self.polls -= 1
            if self._poll is mine:
                self._poll = None
        if mine.done():
            raise await self._conflict(mine.result())
        return self._batch(limit)

    def _batch(self, limit: int) -> list[Json]:
        return [each.update() for each in self.waiting[:limit]]

    async def _news_or(self, cut: asyncio.Future[Refusal], timeout: int, alive: Callable[[], bool]) -> None:
        """Until there is an update, the poll is cut off, its time is over or its caller gone."""
        loop = asyncio.get_running_loop()
        self._news, end = asyncio.Event(), loop.time() + timeout
        event = self._news
        while not cut.done() and not self.waiting and loop.time() < end and alive():
            news = loop.create_task(event.wait())
            both: list[asyncio.Future[Any]] = [news, cut]
            left = max(end - loop.time(), 0.0)
            await asyncio.wait(both, timeout=min(left, LOOK_SECONDS), return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
            event.clear()
            self.drop_old()

    async def _conflict(self, why: Refusal) -> Refusal:
        """It is said at once, but not twice within three seconds: whoever tries again and again has to wait."""
        now = asyncio.get_running_loop().time()
        if why.status == 409 and self.slowing and now < self._next_conflict:
            await asyncio.sleep(SLOW_SECONDS)
        else:
            self._next_conflict = now + SLOW_SECONDS
        return why

    def cut(self, why: Refusal) -> None:
        """End the poll that is held open; called on the loop."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(why)
