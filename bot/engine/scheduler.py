"""Decides which job is looked at now: admission from the fair queue, and the tick over what is due.

Sleeping jobs are rows, not tasks. Hints wake the tick earlier; without any hint it comes by itself.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from bot.engine.parts import Parts
from bot.engine.runner import Runner
from core.errors import ReelayError
from core.jobs import Attempt, Job
from core.steps import AdmissionCaps

AT_ONCE: Final = 64
"""Jobs that are worked on at the same moment."""
AT_ONCE_PER_PROVIDER: Final = 24
"""Of these, for one generator: one that does not answer cannot hold up the others."""
LONGEST_SLEEP: Final = 5.0
QUEUE_SLEEP: Final = 1.0
STUMBLE_SECONDS: Final = 5.0
"""A job whose step broke in an unforeseen way is not looked at again before this."""

log = logging.getLogger("reelay.scheduler")


class Scheduler:
    """Owns one task per job that is being worked on right now, and none for the others."""

    def __init__(self, parts: Parts, runner: Runner) -> None:
        """``run`` does the work; ``hint`` may be called before it."""
        self._parts, self._runner, self._router = parts, runner, runner.router
        self._wake = asyncio.Event()
        self._busy: dict[str, tuple[str, asyncio.Task[None]]] = {}
        self._early: set[str] = set()
        self._resting: dict[str, float] = {}
        self._queue_moved = True
        self.stopping = False

    def hint(self, job_id: str | None = None) -> None:
        """Look soon: at this job whether it is due or not, and at the queue."""
        if job_id is not None:
            self._early.add(job_id)
        self._queue_moved = True
        self._wake.set()

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            self._wake.clear()
            try:
                wait = await self._tick()
            except ReelayError as error:  # the database is full or locked: the rows are still there, look again
                log.warning("a tick failed", extra={"code": error.code})
                wait = QUEUE_SLEEP
            except Exception:  # whatever it was, it must not be the last tick
                log.exception("a tick broke")
                wait = STUMBLE_SECONDS
            try:
                await asyncio.wait_for(self._wake.wait(), wait)
            except TimeoutError:
                self._queue_moved = True

    async def _tick(self) -> float:
        more = False
        if self._queue_moved and not self.stopping:
            self._queue_moved = False
            await self._admit()
            more = (
                await self._router.round()
            )  # after the admission: a probe is taken from the jobs of its own generator
            self._queue_moved = self._queue_moved or more
        free = 0 if self.stopping else AT_ONCE - len(self._busy)
        if free <= 0:
            return LONGEST_SLEEP  # whichever job ends wakes us
        for job_id in [job for job in self._early if job not in self._busy][:free]:
            self._early.discard(job_id)
            self._start(job_id, "", None)
            free -= 1
        full = [name for name, count in self._per_provider().items() if count >= AT_ONCE_PER_PROVIDER]
        due = await self._parts.store.due(AT_ONCE + len(self._busy) + len(self._resting), full)
        monotonic, now = self._parts.clock.monotonic(), self._parts.clock.now()
        self._resting = {job: until for job, until in self._resting.items() if until > monotonic}
        counts = self._per_provider()
        for job_id, provider in due.jobs:
            if job_id in self._busy or job_id in self._resting or counts.get(provider, 0) >= AT_ONCE_PER_PROVIDER:
                continue
            counts[provider] = counts.get(provider, 0) + 1
            if free <= 0:
                break
            free -= 1
            self._start(job_id, provider, None)
        wait = LONGEST_SLEEP if due.next_at is None else (due.next_at - now) / 1000
        if due.has_queue:
            wait = min(wait, 0.0 if more else QUEUE_SLEEP)
        return max(0.005, min(wait, LONGEST_SLEEP))

    def _per_provider(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for provider, _ in self._busy.values():
            counts[provider] = counts.get(provider, 0) + 1
        return counts

    async def _admit(self) -> None:
        caps = self._parts.caps
        providers = {
            name: p.capabilities.most_active
            for name, p in self._parts.providers.items()
            if p.capabilities.unpaid or not self._parts.disk_is_low  # a paid clip must have room when it comes
        }
        admitted = await self._parts.store.admit(
            AdmissionCaps(caps.running_per_person, caps.running_everywhere, providers, caps.scenes_of_film)
        )
        if admitted:
            self._parts.reach("admitted")
        for job, attempt in admitted:
            self._parts.figures.waited(
                job.applied.provider, (self._parts.clock.now() - (job.queued_at or job.created_at)) / 1000
            )
            self._runner.changed(job)
            self._start(job.id, job.applied.provider, (job, attempt))

    def _start(self, job_id: str, provider: str, fresh: tuple[Job, Attempt] | None) -> None:
        if fresh is not None:
            self._runner.submits.add(job_id)  # before anything else runs that has read its row
        task = asyncio.create_task(self._work(job_id, fresh), name=f"job {job_id}")
        self._busy[job_id] = (provider, task)

    async def _work(self, job_id: str, fresh: tuple[Job, Attempt] | None) -> None:
        try:
            if fresh is not None:
                await self._runner.submit(*fresh)
            else:
                await self._runner.advance(job_id)
        except ReelayError as error:
            log.warning("a step did not go through", extra={"job": job_id, "code": error.code})
            self._resting[job_id] = self._parts.clock.monotonic() + 1.0
        except Exception:
            log.exception("a step broke", extra={"job": job_id})
            self._resting[job_id] = self._parts.clock.monotonic() + STUMBLE_SECONDS
        finally:
            if fresh is not None:
                self._runner.submits.discard(job_id)
            # A job whose preparing is not quite over may have been admitted meanwhile: then the entry is its submit's, and stays.
            if job_id in self._busy and self._busy[job_id][1] is asyncio.current_task():
                del self._busy[job_id]
            self._queue_moved = True
            self._wake.set()

    async def stop(self, seconds: float) -> None:
        """Give the steps in flight ``seconds`` to end, then leave them to the next start."""
        self.stopping = True
        tasks = [task for _, task in self._busy.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5)
