"""The real clock."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """Time of this machine; implements ``core.ports.Clock``."""

    def now(self) -> int:
        """UTC milliseconds."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds``."""
        await asyncio.sleep(seconds)
