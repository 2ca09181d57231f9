"""What the operator must know, said once per cause: in the log, in ``/readyz``, and to the administrators on each platform."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from storage.store import SqliteStore

log = logging.getLogger("reelay.alerts")
Tell = Callable[[str], Awaitable[None]]

EVENTS: Final = ("unclear ", "not stored ", "delivery ", "spend cap ", "missing files", "clip reported")
"""How causes begin that happened once and have no end of their own."""
EVENT_MS: Final = 24 * 3_600_000
"""How long such an alert stands: it was told when it came, and the log and the job keep it."""
HOUR_MS: Final = 3_600_000


class Alerts:
    """Raised causes are rows, so that a restart does not tell them again."""

    def __init__(self, store: SqliteStore) -> None:
        """Start with nobody to tell but the log."""
        self._store = store
        self._tell: list[Tell] = []
        self._counting = asyncio.Lock()

    def tell_also(self, tell: Tell) -> None:
        """Platforms with administrators add themselves."""
        self._tell.append(tell)

    async def raise_once(self, cause: str, text: str) -> None:
        """Tell the operator, unless this ``cause`` was told and not cleared since. ``text`` holds no secret and no prompt."""
        if await self._store.raise_alert(cause, text):
            await self._say(cause, text)

    async def raise_some(self, kind: str, name: str, text: str, *, now: int, most: int, more: str) -> None:
        """Tell of ``name`` once, while fewer than ``most`` of its ``kind`` came within an hour; then say ``more``, once an hour.

        For what strangers can bring about. Rows are counted, so a restart does not begin anew.
        """
        beyond = f"{kind} more "
        async with self._counting:
            standing = [(cause, since) for cause, since, _ in await self._store.alerts()]
            told = [c for c, since in standing if c.startswith(f"{kind} ") and now - since < HOUR_MS]
            cause = f"{kind} {name}"
            if cause not in dict(standing) and sum(not c.startswith(beyond) for c in told) >= most:
                cause, text = f"{beyond}{now // HOUR_MS}", more
            news = await self._store.raise_alert(cause, text)
        if news:
            await self._say(cause, text)

    async def _say(self, cause: str, text: str) -> None:
        log.error("operator alert: %s", text, extra={"cause": cause})
        for tell in self._tell:
            try:
                await tell(text)
            except Exception as error:  # noqa: BLE001 - one deaf channel must not silence the others
                log.warning("an alert could not be told", extra={"cause": cause, "error": type(error).__name__})

    async def end_events(self, now: int) -> None:
        """End the alerts of what happened once, a day later. What still lasts is then told again."""
        for cause, since, _ in await self._store.alerts():
            if cause.startswith(EVENTS) and now - since >= EVENT_MS:
                await self.clear(cause)

    async def clear(self, cause: str) -> None:
        """The cause is gone; the next time it is news again."""
        if await self._store.clear_alert(cause):
            log.info("operator alert over", extra={"cause": cause})
