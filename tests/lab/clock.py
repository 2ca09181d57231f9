"""A clock that can be set ahead, for every simulator."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Unix seconds. Calling it tells the time; ``advance`` lets time pass without waiting."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        """``now``: another source of time, such as a test's own clock divided by 1000."""
        self._now, self._shift = now, 0.0

    def __call__(self) -> float:
        return self._now() + self._shift

    def advance(self, seconds: float) -> None:
        """Be ``seconds`` later from now on: tokens age, links expire, rate-limit windows pass."""
        self._shift += seconds
