"""What the operator must know, said once per cause: in the log, in ``/readyz``, and to the administrators on each platform."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from storage.store import SqliteStore

log = logging.getLogger("reelay.alerts")
Tell = Callable[[str], Awaitable[None]]


class Alerts:
    """Raised causes are rows, so that a restart does not tell them again."""

    def __init__(self, store: SqliteStore) -> None:
        """Start with nobody to tell but the log."""
        self._store = store
        self._tell: list[Tell] = []

    def tell_also(self, tell: Tell) -> None:
        """Platforms with administrators add themselves."""
        self._tell.append(tell)

    async def raise_once(self, cause: str, text: str) -> None:
        """Tell the operator, unless this ``cause`` was told and not cleared since. ``text`` holds no secret and no prompt."""
        if not await self._store.raise_alert(cause, text):
            return
        log.error("operator alert: %s", text, extra={"cause": cause})
        for tell in self._tell:
            try:
                await tell(text)
            except Exception as error:  # noqa: BLE001 - one deaf channel must not silence the others
                log.warning("an alert could not be told", extra={"cause": cause, "error": type(error).__name__})

    async def clear(self, cause: str) -> None:
        """The cause is gone; the next time it is news again."""
        if await self._store.clear_alert(cause):
            log.info("operator alert over", extra={"cause": cause})
