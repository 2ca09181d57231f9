"""Fail-over: jobs that nobody has submitted yet leave a generator that cannot take them now for one that can.

Only from ``queued`` (and from ``preparing`` when the settings have lost the generator), only while certainly nothing was taken, only where
the person named no generator, and never for more than the agreed price. A move is one step of the job under its version, so a crash
leaves it here or there, and its place in the fair queue stays.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.engine.health import HealthDesk
from bot.engine.parts import Parts
from bot.engine.step_desk import StepDesk
from core.errors import ProviderError, StaleVersion, StorageError
from core.health import WELL
from core.jobs import Job
from core.routing import Candidate, moves, should_leave
from core.states import AttemptState, JobState
from providers.registry import REGISTRY

PAGE: Final = 64
"""Jobs that are looked at in one round; the others follow in the next, at once."""
REST_SECONDS: Final = 0.5
"""Between two passes over the line of one generator."""
MOST_ATTEMPTS: Final = 10
"""Attempts after which a job goes nowhere any more: generators that all refuse must not hand it on for a day."""
LATE_MS: Final = 10_000
"""The time at which a job came into the line is taken before it is written, so a walk may not have seen one that came before it began."""
FRONT: Final = (-1.0, -1)
AT_HOME: Final = frozenset(entry.name for entry in REGISTRY if not entry.paid)
"""Machines of the operator's own, also when the settings have lost them."""

log = logging.getLogger("reelay.routing")


@dataclass(slots=True)
class _Pass:
    """A walk along the line of a generator that cannot take its jobs: those that came into it at ``since`` or later, from ``after`` on."""

    since: int = 0
    after: tuple[float, int] = FRONT
    began: int = 0
    rests_until: float = 0.0


class Router:
    """Moves jobs to other generators. What it remembers between rounds only spares looks at jobs that nobody could take."""

    def __init__(self, parts: Parts, desk: StepDesk, health: HealthDesk) -> None:
        """``desk`` applies the steps."""
        self._parts, self._desk, self._health = parts, desk, health
        self._usable: tuple[frozenset[str], bool] = frozenset(), False
        self._passes: dict[str, _Pass] = {}

    async def round(self) -> bool:
        """Move jobs that are stuck; True while there may be more of them."""
        standings = await self._health.standings()
        now = self._parts.clock.now()
        usable = frozenset(name for name in self._parts.providers if standings.get(name, WELL).is_usable)
        if (usable, self._parts.disk_is_low) != self._usable:
            self._usable = usable, self._parts.disk_is_low
            self._passes.clear()  # what nobody could take a moment ago, somebody may take now
        more = False
        for name in self._parts.providers:
            if usable - {name} and should_leave(standings.get(name, WELL), now):
                more = await self._page(name) or more
        return more

    async def _page(self, provider: str) -> bool:
        walk = self._passes.setdefault(provider, _Pass())
        now, monotonic = self._parts.clock.now(), self._parts.clock.monotonic()
        if walk.after == FRONT:
            if monotonic < walk.rests_until:
                return False
            walk.began = now
        rows = await self._parts.store.stuck(provider, walk.since, walk.after, PAGE)
        done = await asyncio.gather(*(self._try(job) for job, _ in rows))
        if not all(done):
            walk.since = 0  # somebody changed one of them meanwhile: look at all of them again
        if len(rows) == PAGE:
            walk.after = rows[-1][1]
            return True
        since = walk.began - LATE_MS if all(done) else 0
        self._passes[provider] = _Pass(since, rests_until=monotonic + REST_SECONDS)
        return False

    async def _try(self, job: Job) -> bool:
        """Move a job of the line, if anybody takes it; False when it changed meanwhile. Whatever breaks over one job, the others move."""
        try:
            await self.move(job, untaken=True)
        except StaleVersion:
            return False
        except StorageError:
            raise
        except Exception:
            log.exception("a move broke", extra={"job": job.id})
        return True

    async def move(self, job: Job, *, untaken: bool = False) -> bool:
        """Give a waiting job to another generator; False when none takes it. ``untaken``: known to have been taken by nobody.

        Raises StaleVersion.
        """
        found = await self._elsewhere(job)
        if found is None or not (untaken or await self._parts.store.is_untaken(job.id)):
            return False
        note = f"{job.applied.provider} to {found.can.name}"
        await self._desk.apply(job, fields=_fields(found), hop="moved", hop_note=note)
        self._moved(job, found)
        return True

    async def requeue(self, job: Job, error: ProviderError) -> bool:
        """Give a job whose submit was certainly refused to another generator, in place of failing it; False when none takes it.

        Raises StaleVersion.
        """
        if job.attempts >= MOST_ATTEMPTS:
            return False
        found = await self._elsewhere(job)
        if found is None or not await self._parts.store.is_untaken(job.id, but=job.attempt_id):
            return False
        await self._desk.apply(
            job,
            to=JobState.QUEUED,
            attempt_state=AttemptState.FAILED,
            fields=_fields(found),
            hop="moved",
            hop_note=error.code,
        )
        self._moved(job, found)
        return True

    async def _elsewhere(self, job: Job) -> Candidate | None:
        """The best generator that is well, can do the job, and costs no more than was agreed."""
        standings = await self._health.standings()
        if standings.get(job.applied.provider, WELL).keeps_jobs:
            return None
        parts = self._parts
        able = {
            name: provider.capabilities
            for name, provider in parts.providers.items()
            if provider.capabilities.unpaid or not parts.disk_is_low or name == job.applied.provider
        }
        for found in moves(job, able, standings, parts.default_provider, at_home=job.applied.provider in AT_HOME):
            price = parts.providers[found.can.name].estimate(found.applied).credits
            if job.hold.flat or price <= job.price:
                return found
        return None

    def _moved(self, job: Job, found: Candidate) -> None:
        log.info("moved", extra={"job": job.id, "from": job.applied.provider, "to": found.can.name})
        self._parts.figures.moved(job.applied.provider, found.can.name)
        self._parts.reach("moved")


def _fields(found: Candidate) -> Mapping[str, Any]:
    return {
        "applied": found.applied.as_json(),
        "provider": found.applied.provider,
        "model": found.applied.model,
        "changed": [{"message_id": each.message_id, "values": each.values} for each in found.changes],
        "not_before": None,
    }
