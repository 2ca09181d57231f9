"""Sessions that outlive a restart: what a clean stop leaves behind, the next start goes on with, if it comes soon.

Discord keeps a session for "a few minutes" after a close that is not 1000 or 1001 and repeats what happened meanwhile, so nothing that
somebody did in the seconds of a restart is lost.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from typing import Final

from core.ports import Clock
from storage.store import SqliteStore

KEPT_SECONDS: Final = 120.0
NOTE: Final = "sessions"

log = logging.getLogger("reelay.discord")


@dataclass(frozen=True, slots=True)
class Session:
    """One shard's. ``sequence``: the last event that was read; ``url``: where Discord wants it resumed."""

    shard: int
    shards: int
    id: str
    sequence: int
    url: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What one process leaves for the next. ``least``: how old interactions are at least by this machine's clock; None: not known."""

    sessions: tuple[Session, ...] = ()
    least: float | None = None


class Sessions:
    """Keeps sessions from one process for the next."""

    def __init__(self, store: SqliteStore, clock: Clock) -> None:
        """In the store's notes; a session is worth nothing without the bot's token."""
        self._store, self._clock = store, clock

    async def keep(self, application: str, left: Kept) -> None:
        """Write down what was left open."""
        note = {
            "at": self._clock.now(),
            "application": application,
            "left": [asdict(each) for each in left.sessions],
            "least": left.least,
        }
        await self._store.remember("discord", NOTE, json.dumps(note))

    async def take(self, application: str) -> Kept:
        """What the last process left for this application, if it is fresh; each is given out once."""
        note = await self._store.remembered("discord", NOTE)
        if not note:
            return Kept()
        await self._store.remember("discord", NOTE, "")
        try:
            said = json.loads(note)
            age = (self._clock.now() - int(said["at"])) / 1000
            if said["application"] != application or not 0 <= age <= KEPT_SECONDS:
                return Kept()
            least = said.get("least")  # older notes have none
            return Kept(tuple(Session(**each) for each in said["left"]), float(least) if least is not None else None)
        except (ValueError, TypeError, KeyError):
            log.warning("the sessions of the last process cannot be read")
            return Kept()
