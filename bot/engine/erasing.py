"""After somebody was forgotten the database file is rewritten, so that no byte of what was deleted is left in it."""

from __future__ import annotations

import asyncio
from typing import Final

from bot.engine.parts import Parts
from core.errors import StorageError

REST: Final = 4.0
"""Every writer waits while the file is rewritten: the next time is not before so many times as long has gone by since …"""
LONGEST_REST: Final = 30.0
"""… or so many seconds, for whoever asked to be forgotten waits as well."""


class Eraser:
    """Rewrites the file when it is due; that it is, stands in the file itself."""

    def __init__(self, parts: Parts) -> None:
        """One for each database: its calls take turns."""
        self._parts, self._turn, self._next_at = parts, asyncio.Lock(), 0.0

    async def erase(self) -> None:
        """Rewrite the file, unless that was done since the last ``forget``: all who wait meanwhile are served by one rewriting.

        What fails is told to the operator, and made up for by the housekeeping.
        """
        store, clock = self._parts.store, self._parts.clock
        async with self._turn:
            try:
                if not await store.traces_left():
                    return
                await clock.sleep(max(0.0, self._next_at - clock.monotonic()))
                left, began = await store.traces_left(), clock.monotonic()
                await store.database.erase_traces()
                self._next_at = clock.monotonic() + min(LONGEST_REST, REST * (clock.monotonic() - began))
                await store.traces_erased(left)
                await self._parts.alerts.clear("erasure")
            except StorageError as error:
                text = (
                    "what somebody asked to forget is erased, but traces may be left in the database file"
                    f" ({error.code}): it is tried again every ten minutes"
                )
                await self._parts.alerts.raise_once("erasure", text)
