"""Clips that come after their job was given up: watched for, kept, and given away.

The person has been told that the job failed and paid nothing, and that stays so. But the vendor may have made the clip all the same, at
the operator's cost. It would be a pity to throw it away: it goes to the gallery, free.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from bot.engine.parts import Parts
from bot.engine.step_desk import CALL_SECONDS, StepDesk
from bot.engine.storing import Keeper, cost_of
from core.errors import DiskFull, NotFound, ReelayError, StorageError
from core.jobs import Job
from core.ports import Artifact, Failed, Found, PollAnswer, Provider, Ready, Ticket
from storage.late import Watch

WATCH_SECONDS: Final = 24 * 3600
"""How long after the job's end. Vendors keep a result for an hour to two days, and by the next day nobody looks for it any more."""
FIRST_LOOK, LONGEST_LOOK = 30.0, 1800.0
"""Seconds between looks: a quarter of the time since the job's end, so ever more; at most half of the shortest time that a vendor keeps
a result."""

log = logging.getLogger("reelay.late")


class LateWatch:
    """Looks at the attempts of jobs that were given up. Everything it knows is in the attempt's row."""

    def __init__(self, parts: Parts, desk: StepDesk, keeper: Keeper) -> None:
        """``keeper`` fetches and inspects as for any other clip."""
        self._parts, self._desk, self._keeper = parts, desk, keeper

    async def look(self, job: Job) -> None:
        """Look once at the attempt of an ended job, if it is watched."""
        watch = None if job.attempt_id is None else await self._parts.store.watch(job.attempt_id)
        if watch is None:
            return
        provider = self._parts.providers.get(job.applied.provider)
        if self._parts.clock.now() >= watch.until:
            await self._end(job, watch, provider, watch.attempt.ticket)
            return
        if provider is None:  # its generator is not configured now; it may be again tomorrow
            await self._later(job, watch)
            return
        silent = await self._desk.health.silent_until(provider.name)
        if silent is not None:
            await self._later(job, watch, at_least=(silent - self._parts.clock.now()) / 1000)
            return
        try:
            ticket = watch.attempt.ticket or await self._found(provider, watch)
            answer = None if ticket is None else await self._poll(provider, ticket)
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 - an adapter's own fault must not be looked at every few seconds for a day
            await self._desk.heed(provider, error)
            log.info("a late look told nothing", extra={"job": job.id, "error": type(error).__name__})
            await self._later(job, watch, at_least=getattr(error, "retry_after", None))
            return
        if ticket is not None and isinstance(answer, Ready):
            await self._keep(job, watch, provider, ticket, answer.artifact)
        elif isinstance(answer, Failed):
            await self._end(job, watch, provider, ticket)
        else:
            await self._later(job, watch)

    async def _found(self, provider: Provider, watch: Watch) -> Ticket | None:
        attempt = watch.attempt
        answer = await self._desk.call(provider, "find", provider.find(attempt.applied, attempt), CALL_SECONDS)
        if not isinstance(answer, Found):
            return None
        await self._parts.store.watch_found(attempt.id, answer.ticket)
        return answer.ticket

    async def _poll(self, provider: Provider, ticket: Ticket) -> PollAnswer:
        answer: PollAnswer = await self._desk.call(provider, "poll", provider.poll(ticket), CALL_SECONDS)
        return answer

    async def _keep(self, job: Job, watch: Watch, provider: Provider, ticket: Ticket, artifact: Artifact) -> None:
        try:
            clip = await self._keeper.keep(job, provider, ticket, artifact)
        except (ReelayError, TimeoutError, OSError) as error:
            await self._desk.heed(provider, error)
            log.warning("a late clip could not be kept", extra={"job": job.id, "error": type(error).__name__})
            if self._keeper.verdict(replace(job, retries=watch.tries), error) is not None:
                await self._end(job, watch, provider, ticket)
                return
            # A full disk is no fault of the file: it may be fetched as often as it takes.
            tries = watch.tries if isinstance(error, DiskFull) else watch.tries + 1
            await self._later(job, watch, tries=tries)
            return
        self._parts.reach("late")
        cost = cost_of(job, provider, watch.attempt.applied, artifact)
        try:
            fresh = await self._parts.store.join_late_clip(watch.attempt.id, clip, cost)
        except NotFound:
            log.info("nobody wants the late clip any more", extra={"job": job.id})
            await self._keeper.drop_unless_written(clip)
            await self._desk.let_go(job, provider, ticket)
            return
        except ReelayError:
            await self._keeper.drop_unless_written(clip)
            await self._later(job, watch)
            raise
        log.info("a clip came late", extra={"job": job.id, "bytes": clip.bytes, "cost": cost})
        self._parts.figures.spent(provider.name, cost, cost)
        self._desk.changed(fresh)
        await self._desk.let_go(fresh, provider, ticket)

    async def _end(self, job: Job, watch: Watch, provider: Provider | None, ticket: Ticket | None) -> None:
        await self._parts.store.end_watch(watch.attempt.id)
        log.info("no longer watched", extra={"job": job.id})
        if provider is not None:
            await self._desk.let_go(job, provider, ticket)

    async def _later(self, job: Job, watch: Watch, *, tries: int | None = None, at_least: float | None = None) -> None:
        now = self._parts.clock.now()
        wait = min(LONGEST_LOOK, max(FIRST_LOOK, (now - (job.finished_at or now)) / 4000))
        at = min(now + int(max(wait, at_least or 0.0) * 1000), max(now + 1000, watch.until))
        await self._parts.store.look_later(watch.attempt.id, at, watch.tries if tries is None else tries)
