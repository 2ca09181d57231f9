"""Time and identity: the lab's clock, and snowflakes that carry its time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Final

from tests.lab.clock import Clock

__all__ = ["EPOCH_MS", "Clock", "Ids", "born", "iso"]

EPOCH_MS: Final = 1_420_070_400_000
"""Discord counts from 2015-01-01; the upper 42 bits of an id are the milliseconds since then."""


class Ids:
    """Snowflakes in rising order, stamped with the clock's time."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._last, self._lock = clock, 0, threading.Lock()

    def __call__(self, at: float | None = None) -> str:
        """A fresh id of now, or of the moment ``at``."""
        milliseconds = int((self._clock() if at is None else at) * 1000) - EPOCH_MS
        with self._lock:
            number = max(milliseconds << 22, self._last + 1) if at is None else (milliseconds << 22) + self._last % 4096
            if at is None:
                self._last = number
            return str(number)


def born(snowflake: str) -> float:
    """When an id was made, in Unix seconds."""
    return ((int(snowflake) >> 22) + EPOCH_MS) / 1000


def iso(at: float) -> str:
    """A moment as the API writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
