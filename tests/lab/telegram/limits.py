"""Flood limits as the FAQ has them: about one message a second to one person with small bursts, twenty a minute to one group, thirty
a second altogether. Sending and editing share them (tdlib/td#3034). The true numbers are not public; bursts are a guess."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from tests.lab.clock import Clock
from tests.lab.telegram.refusal import flooded
from tests.lab.telegram.world import PRIVATE, Bot, Chat

MINUTE: Final = 60.0


@dataclass(slots=True)
class Bucket:
    """Tokens that come back one by one."""

    rate: float
    burst: float
    tokens: float
    at: float

    def take(self, now: float, count: int) -> float:
        """Seconds to wait; 0 when they were there."""
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < min(count, self.burst):
            return (count - self.tokens) / self.rate
        self.tokens -= count
        return 0.0


@dataclass(slots=True)
class Limits:
    """``on = False`` lets everything pass. Whoever is refused has not used anything up, and may have to wait longer (``penalty``)."""

    clock: Clock
    on: bool = True
    private: tuple[float, float] = (1.0, 5.0)
    """Per second, and how many at once."""
    group: tuple[int, float] = (20, MINUTE)
    """So many in so many seconds."""
    overall: tuple[int, float] = (30, 1.0)
    actions: bool = False
    """Whether chat actions count as well."""
    penalty: float = 0.0
    """Seconds on top of every refusal."""
    refused: int = 0
    _held: dict[int, float] = field(default_factory=dict)
    _people: dict[tuple[int, int], Bucket] = field(default_factory=dict)
    _windows: dict[tuple[int, int], deque[float]] = field(default_factory=dict)

    def hold(self, chat: Chat, seconds: float) -> None:
        """Nothing more may be written to a chat for so long, whatever was written before; this holds also while ``on`` is False."""
        self._held[chat.id] = self.clock() + seconds

    def take(self, bot: Bot, chat: Chat, count: int = 1) -> None:
        """A bot sends or edits so many messages. Raises Refusal 429."""
        now = self.clock()
        if (held := self._held.get(chat.id, now) - now) > 0:
            self.refused += 1
            raise flooded(held)
        if not self.on:
            return
        if chat.kind == PRIVATE:
            rate, burst = self.private
            bucket = self._people.setdefault((bot.id, chat.id), Bucket(rate, burst, burst, now))
            wait = bucket.take(now, count)
        else:
            wait = self._window((bot.id, chat.id), now, self.group, count)
        wait = wait or self._window((bot.id, 0), now, self.overall, count)
        if wait:
            self.refused += 1
            raise flooded(wait + self.penalty)

    def _window(self, key: tuple[int, int], now: float, limit: tuple[int, float], count: int) -> float:
        most, seconds = limit
        taken = self._windows.setdefault(key, deque())
        while taken and taken[0] <= now - seconds:
            taken.popleft()
        if taken and len(taken) + count > most:
            return taken[min(len(taken), len(taken) + count - most) - 1] + seconds - now
        taken.extend([now] * count)
        return 0.0
