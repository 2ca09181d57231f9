"""Keeping the platforms running, each by itself, and knowing which of them is not ready."""

from __future__ import annotations

import logging
from typing import Final

from core.errors import PlatformError
from core.ports import Clock, Platform

CONNECTING_SECONDS: Final = 10.0
"""So long may a platform be without a connection before that is told: a start, or a connection that is made anew, takes less."""
STEADY_SECONDS: Final = 60.0
"""What ran so long is started again soon after it broke."""
LONGEST_WAIT: Final = 60.0
log = logging.getLogger("reelay")


class Supervision:
    """Runs platforms. One that tells of its connections counts as mended only when it has one; another as soon as it runs."""

    def __init__(self, clock: Clock) -> None:
        """Nothing runs yet."""
        self._clock = clock
        self._broken: dict[str, tuple[int, str]] = {}
        self._away: dict[str, tuple[float, int]] = {}
        """Since when a platform that tells of its connections has none: by both clocks."""
        self._tell: set[str] = set()
        self.stopping = False

    def expect(self, name: str) -> None:
        """This platform is going to tell of its connections."""
        self._tell.add(name)
        self._lost(name)

    def connected(self, name: str, connections: int) -> None:
        """So many connections bring events now."""
        if connections <= 0:
            self._lost(name)
            return
        self._away.pop(name, None)
        self._broken.pop(name, None)

    def _lost(self, name: str) -> None:
        self._away.setdefault(name, (self._clock.monotonic(), self._clock.now()))

    @property
    def broken(self) -> dict[str, tuple[int, str]]:
        """What is not ready: since when, and why."""
        now = self._clock.monotonic()
        late = {
            name: (since, "connecting")
            for name, (began, since) in self._away.items()
            if now - began > CONNECTING_SECONDS
        }
        return late | self._broken

    async def run(self, name: str, platform: Platform) -> None:
        """Until cancelled or the stop. What ends is started again, ever more slowly; one platform's failure never ends another."""
        wait = 1.0
        while True:  # until the stop; each round waits
            began, asked = self._clock.monotonic(), None
            try:
                await platform.run()
                why = "ended"
            except PlatformError as error:  # it says itself how long it wants to be left alone
                log.warning("a platform is not ready", extra={"platform": name, "code": error.code})
                why, asked = str(error), error.retry_after
            except Exception as error:
                log.exception("a platform broke", extra={"platform": name})
                why = type(error).__name__
            since, _ = self._broken.get(name, (self._clock.now(), why))
            self._broken[name] = (since, why)
            if self.stopping:  # what broke while it was cancelled would run again, into a store that is about to close
                return
            wait = 1.0 if self._clock.monotonic() - began > STEADY_SECONDS else min(wait * 2, LONGEST_WAIT)
            await self._clock.sleep(max(wait, asked or 0.0))
            if name not in self._tell:
                self._broken.pop(name, None)
