"""How often this bot begins a session: Discord allows 1000 in a day and resets the token of whoever begins more (Discord, "Gateway").

What Discord says is left is asked before; what we began ourselves is written down, so that a process which is restarted again and again
grows slow instead of losing its token.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from bot.engine.alerts import Alerts
from core.ports import Clock
from storage.store import SqliteStore

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
FREE_AN_HOUR: Final = 50
FREE_A_DAY: Final = 500
STEP_SECONDS: Final = 60.0
"""Pause for each one beyond those of an hour."""
LONGEST: Final = 900.0
"""Pause beyond those of a day: 96 more, so that a day never reaches 1000."""
LOW: Final = 50
LOW_SHARE: Final = 0.05
"""With so few left, or so small a part of the whole, the rest is spread over the time until Discord gives new ones."""
CAUSE: Final = "discord identify"
NOTE: Final = "identifies"
KEPT: Final = 1000

log = logging.getLogger("reelay.discord")


@dataclass(frozen=True, slots=True)
class Left:
    """Discord's ``session_start_limit``, and how many shards it wants."""

    total: int
    remaining: int
    reset_seconds: float
    shards: int = 1


def read_left(said: Mapping[str, Any]) -> Left | None:
    """Read the answer of ``GET /gateway/bot``; None when it does not say."""
    limit = said.get("session_start_limit")
    try:
        if not isinstance(limit, Mapping):
            return None
        after = float(limit["reset_after"]) / 1000
        return Left(int(limit["total"]), int(limit["remaining"]), max(0.0, after), int(said.get("shards") or 1))
    except (KeyError, TypeError, ValueError):
        return None


def pause_by_discord(left: Left) -> float:
    """Seconds to wait before a session may begin, by what Discord says is left."""
    if left.remaining < max(1, left.shards):
        return left.reset_seconds
    if left.remaining >= LOW and left.remaining > left.total * LOW_SHARE:
        return 0.0
    return left.reset_seconds * left.shards / left.remaining


def pause_by_ours(began: Sequence[int], now: int, shards: int) -> float:
    """The same by the sessions that we began ourselves (UTC milliseconds, in order)."""
    recent = [at for at in began if now - DAY_MS < at <= now]
    if not recent:
        return 0.0
    free = max(FREE_AN_HOUR, 3 * shards)
    beyond = sum(at > now - HOUR_MS for at in recent) - free
    pause = min(LONGEST, STEP_SECONDS * (beyond + 1)) if beyond >= 0 else 0.0
    if len(recent) >= max(FREE_A_DAY, 6 * shards):
        pause = LONGEST
    return max(0.0, pause - (now - recent[-1]) / 1000)


class Entrance:
    """Stands before each session that begins."""

    def __init__(self, store: SqliteStore, alerts: Alerts, clock: Clock) -> None:
        """What was begun before is read at the first question."""
        self._store, self._alerts, self._clock = store, alerts, clock
        self._began: list[int] | None = None
        self._shards = 1
        self._left: Left | None = None
        self._asked = 0.0
        self._admitted = 0
        """So many have waited already for what Discord has left."""
        self._stands: bool | None = None
        """Whether the operator was told; None: what the last process told is not known."""
        self._turn, self._noting = asyncio.Lock(), asyncio.Lock()
        """Whoever waits to be let in may wait long; whoever was let in has an open connection and a deadline."""

    async def wait(self, left: Left | None, *, resuming: bool = False) -> None:
        """Learn what Discord has left and return when a session may begin; tells the operator when that is not at once.

        ``resuming``: at first none is to begin, so there is nothing to wait for.
        """
        self._shards = 1 if left is None else left.shards
        self._left, self._asked, self._admitted = left, self._clock.monotonic(), 0
        if not resuming:
            await self._let_in(self._shards)

    async def admit(self) -> None:
        """Return when one more session may begin. To be asked before its connection is opened."""
        async with self._turn:
            await self._let_in(1)

    async def begin(self) -> None:
        """A session begins: write it down before Discord counts it."""
        async with self._noting:
            began = [*await self._read(), self._clock.now()][-KEPT:]
            await self._store.remember("discord", NOTE, json.dumps(began))
            self._began = began
            self._admitted = max(0, self._admitted - 1)
            if self._left is not None:
                self._left = replace(self._left, remaining=max(0, self._left.remaining - 1))

    async def _let_in(self, sessions: int) -> None:
        ours = pause_by_ours(await self._read(), self._clock.now(), self._shards)
        theirs = self._pause_by_discord(sessions)
        pause = max(ours, theirs)
        if pause > 0:
            await self._wait(pause)
        if theirs > 0:
            self._admitted = sessions
        if self._stands is not False:
            await self._alerts.clear(CAUSE)
            self._stands = False

    def _pause_by_discord(self, sessions: int) -> float:
        if self._left is None or self._admitted > 0:
            return 0.0
        reset = self._left.reset_seconds - (self._clock.monotonic() - self._asked)
        if reset <= 0:  # Discord has given new ones; how many, nobody asked
            self._left = None
            return 0.0
        return pause_by_discord(replace(self._left, reset_seconds=reset, shards=sessions))

    async def _wait(self, seconds: float) -> None:
        log.error("sessions at Discord begin too often: waiting", extra={"seconds": round(seconds)})
        text = "the Discord bot connects too often and waits before it does so again: it is about to lose its token"
        await self._alerts.raise_once(CAUSE, text)
        self._stands = True
        await self._clock.sleep(seconds)

    async def _read(self) -> list[int]:
        if self._began is None:
            note = await self._store.remembered("discord", NOTE)
            try:
                self._began = [int(at) for at in json.loads(note or "[]")]
            except (ValueError, TypeError):
                self._began = []
        horizon = self._clock.now() - DAY_MS
        self._began = [at for at in self._began if at > horizon]
        return self._began
