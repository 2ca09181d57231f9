"""Which interactions come too late to be carried out: their ids tell when somebody asked, and the youngest tell how our clock differs."""

from __future__ import annotations

from collections import deque
from typing import Final

from bot.platforms.discord.pace import born_ms
from core.ports import Clock

ANSWER_SECONDS: Final = 3.0
"""After these Discord has told the person that nobody answered: what comes later is not carried out, for whoever wanted it has asked
again, and nobody would see what it costs."""
ODD_SECONDS: Final = 3600.0
"""An id so far from our time is none of Discord's, or our clock is beyond telling."""
KEPT: Final = 50
KNOWN_SECONDS: Final = 3600.0
"""For so long an interaction says how our clock differs: clocks drift, and what was learnt wrongly must not stay."""


class Ages:
    """Learns from what arrives. Runs on the clock that never jumps, so that setting the machine's time makes nothing late."""

    def __init__(self, clock: Clock) -> None:
        """Nothing is known yet: everything is in time."""
        self._clock = clock
        self._anchor = self._ahead()
        self._seen: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._told: tuple[float, float] | None = None

    def start(self, least: float | None) -> None:
        """Begin with what the last process knew; the first interaction of our own is worth more."""
        if least is not None:
            self._told = (self._clock.monotonic(), least + self._anchor - self._ahead())

    @property
    def least(self) -> float | None:
        """Seconds: how old an interaction is at least when it arrives, by the machine's time as it is now. None: nobody knows."""
        known = self._known()
        return None if known is None else known + self._ahead() - self._anchor

    def is_over(self, snowflake: str, *, live: bool) -> bool:
        """Whether nobody waits for this any more. ``live``: it is no repetition, so its age is learnt from."""
        age = self._anchor + self._clock.monotonic() - born_ms(snowflake) / 1000
        if abs(age) >= ODD_SECONDS:
            return False
        known = self._known()
        if live:  # also what is over: were our clock wrong, the next ones would be in time again
            self._seen.append((self._clock.monotonic(), age))
        return known is not None and age - known > ANSWER_SECONDS

    def _known(self) -> float | None:
        horizon = self._clock.monotonic() - KNOWN_SECONDS
        while self._seen and self._seen[0][0] < horizon:
            self._seen.popleft()
        if self._seen:
            return min(age for _, age in self._seen)
        return self._told[1] if self._told is not None and self._told[0] >= horizon else None

    def _ahead(self) -> float:
        return self._clock.now() / 1000 - self._clock.monotonic()
