"""The engine: intake, scheduler, runner, lanes and chores under one roof, and what every surface may ask of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any, Final, Literal

from bot.engine.calls import CallRunner
from bot.engine.erasing import Eraser
from bot.engine.filming import FilmRunner
from bot.engine.films import Films
from bot.engine.housekeeping import Housekeeping
from bot.engine.intake import Intake
from bot.engine.lanes import Lanes
from bot.engine.parts import Parts
from bot.engine.preparing import Preparer
from bot.engine.runner import MISSING_CAUSE, Runner
from bot.engine.scheduler import Scheduler
from bot.engine.status import StatusDesk
from core.errors import Conflict, NotFound, StaleVersion
from core.jobs import Job, JobKind, Place, Receipt
from core.states import WAITING, AttemptState, JobState
from core.steps import Step

TASKS: Final = ("scheduler", "lanes", "housekeeping")
FORGET_SECONDS: Final = 10.0
"""How long generators may take to stop what somebody no longer wants, all of it together."""
FORGET_TRIES: Final = 5
log = logging.getLogger("reelay.engine")


class Engine:
    """Built by ``bot/app.py``; ``start`` begins, ``stop`` ends within a bounded time."""

    def __init__(self, parts: Parts, *, flat_price: int | None, retention_days: int, disk_budget: int | None) -> None:
        """``flat_price``: credits for every clip (VIDEO_TOKEN_COST), or None for the price lists."""
        self.parts = parts
        self.desk = StatusDesk(parts, retention_days)
        self.lanes = Lanes(parts, self.desk)
        self.runner = Runner(parts, self.changed)
        self.scheduler = Scheduler(parts, self.runner)
        self.intake = Intake(parts, self.changed, flat_price)
        self.films = Films(parts, self.intake.films, self.intake, self.changed)
        self.desk.films = self.films
        self._direct(parts)
        self.eraser = Eraser(parts)
        self.housekeeping = Housekeeping(parts, self.intake, self.eraser, retention_days, disk_budget)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._small: set[asyncio.Task[None]] = set()
        self.broken: dict[str, str] = {}
        """Parts that ended when they should not have, and why; ``/readyz`` tells."""

    def _direct(self, parts: Parts) -> None:
        """Whoever moves the jobs that are no clips."""
        preparer = Preparer(parts)
        calls = CallRunner(parts, self.changed, preparer)
        films = FilmRunner(parts, self.changed, preparer, self.cancel, self.scheduler.hint)
        self.runner.others |= {
            JobKind.SCRIPT: calls.advance,
            JobKind.PICTURE: calls.advance,
            JobKind.FILM: films.advance,
            JobKind.MERGE: films.advance,
        }

    def changed(self, job: Job) -> None:
        """A job's row was committed: its card may be stale, the queue may move. What belongs to a film is shown by the film's."""
        self.lanes.touch(job.parent_id or job.id)
        self.scheduler.hint(job.parent_id)
        if job.kind in (JobKind.SCRIPT, JobKind.PICTURE) and job.state is JobState.PREPARING:
            self.scheduler.hint(job.id)

    def hint_attempt(self, attempt_id: str) -> None:
        """A generator says that something happened with this attempt; lost hints cost nothing but time."""

        async def look() -> None:
            job_id = await self.parts.store.job_of_attempt(attempt_id)
            if job_id is not None:
                self.scheduler.hint(job_id)

        self._do(look())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._small.add(task)
        task.add_done_callback(self._small.discard)

    async def start(self) -> None:
        """Accept what a crash left received, then run. Durable state needs no other recovery: what is due is due."""
        await self.runner.health.look(fresh=True)
        await self._look_for_missing()
        left = await self.intake.accept_leftovers()
        if left:
            log.info("accepted commands from before the restart", extra={"jobs": left})
        for name, work in zip(TASKS, (self.scheduler.run, self.lanes.run, self.housekeeping.run), strict=True):
            self._tasks[name] = asyncio.create_task(work(), name=name)
            self._tasks[name].add_done_callback(self._ended)

    async def _look_for_missing(self) -> None:
        """The settings may have lost a generator since the last start, or found it again: its jobs are looked at now."""
        left = await self.parts.store.wake_without(list(self.parts.providers))
        if left:
            log.warning("jobs of generators that are not configured now", extra={"jobs": left})
        gone = await self.parts.store.providers_in_use() - set(self.parts.providers)
        for cause, _, _ in await self.parts.store.alerts():
            if cause.startswith(MISSING_CAUSE) and cause.removeprefix(MISSING_CAUSE) not in gone:
                await self.parts.alerts.clear(cause)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        self.broken[task.get_name()] = "ended" if error is None else type(error).__name__
        log.critical("a part of the engine ended", exc_info=error, extra={"part": task.get_name()})

    async def stop(self, seconds: float = 20.0) -> None:
        """Let uploads and steps in flight end within ``seconds``; everything else is found again at the next start."""
        await asyncio.gather(self.scheduler.stop(seconds), self.lanes.stop(seconds))
        for task in (*self._tasks.values(), *self._small):
            task.cancel()
        pending = [task for task in (*self._tasks.values(), *self._small) if not task.done()]
        if pending:
            await asyncio.wait(pending, timeout=5)

    # -------------------------------------------------------------------------------------------------- what a person may do to a job

    async def cancel(self, job_id: str) -> Job:
        """Cancel or stop waiting, as far as the state allows; returns the job as it is then. An ended job stays as it is."""
        for _ in range(10):
            job = await self.parts.store.job(job_id)
            if job.ended or job.state in (JobState.STORING, JobState.MERGING) or job.cancel_wish is not None:
                return job
            if job.state in WAITING:
                try:
                    job = await self.parts.store.apply(
                        Step(job.id, job.version, to=JobState.CANCELLED, hop="cancelled")
                    )
                except StaleVersion:
                    continue
                self.parts.figures.job_ended(job.applied.provider, job.state.value, 0)
                self.changed(job)
                for key in job.attachment.uploads if job.attachment is not None else ():  # the pictures as they came
                    await self.parts.clips.delete(key)
                return job
            job = await self.parts.store.wish(job_id, "cancel")
            if job.state is JobState.AWAITING:
                await self.parts.store.reopen_cards(job_id)  # that of a storyboard is closed while it waits
            self.lanes.touch(job)
            self.scheduler.hint(job.id)
            return job
        raise Conflict("the job changes too quickly")

    async def delete(self, job_id: str) -> None:
        """Take a job out of the history with everything that was made; a live one is cancelled first."""
        await self.cancel(job_id)
        job = await self._wait_for_end(job_id, FORGET_SECONDS)
        if not job.ended or await self.parts.films.live_children(job_id):
            raise Conflict("it cannot be stopped at this moment", message_id="error.still_live")
        for key in await self.parts.store.delete_job(job_id):
            await self.parts.clips.delete(key)

    async def _wait_for_end(self, job_id: str, seconds: float) -> Job:
        until = self.parts.clock.monotonic() + seconds
        job = await self.parts.store.job(job_id)
        while not job.ended and job.cancel_wish != "stop_waiting" and self.parts.clock.monotonic() < until:
            await self.parts.clock.sleep(0.05)
            job = await self.parts.store.job(job_id)
        return job

    async def resend(
        self, job_id: str, place: Place | None = None, receipt: Receipt | None = None, handled: Sequence[int] = ()
    ) -> Literal["again", "shown"]:
        """Post the clip once more: to ``place``, where ``receipt`` may become it, or to the job's own. Raises NotFound when it is gone.

        ``handled``: as the store's ``add_delivery`` has it.
        """
        row = await self.parts.store.view(job_id)
        if row.clip is None:
            raise NotFound("the clip is gone", message_id="error.clip_gone")
        await self.parts.store.add_delivery(job_id, row.clip.id, place or row.job.place, receipt, handled=handled)
        self.lanes.touch(job_id)
        return "again"

    async def check_again(self, job_id: str) -> None:
        """Look an unclear job up now."""
        await self.parts.store.look_soon(job_id)
        self.scheduler.hint(job_id)

    async def forget(self, account_id: str) -> tuple[int, int]:
        """Erase a person: live jobs are cancelled first, then words, pictures, clips and trail; returns (jobs, clips).

        The ledger stays under the account's random id. What a vendor would not stop is given up here, at the operator's cost.
        """
        keys, jobs, clips = await self._erase(account_id)
        for key in keys:
            await self.parts.clips.delete(key)
        await self.eraser.erase()
        return jobs, clips

    async def _erase(self, account_id: str) -> tuple[list[str], int, int]:
        until = self.parts.clock.monotonic() + FORGET_SECONDS
        for _ in range(FORGET_TRIES):
            await self._end_all(account_id, until)
            try:
                return await self.parts.store.forget(account_id)
            except Conflict:  # another order slipped in between
                log.info("an order came while its person was being forgotten")
        raise Conflict("orders keep coming", message_id="error.still_live")

    async def _end_all(self, account_id: str, until: float) -> None:
        """Cancel all that lives, wait for all of it together until the clock says ``until``, and give up the rest."""
        while True:  # ends at ``until``
            live = [await self.parts.store.job(job_id) for job_id in await self.parts.store.live_jobs(account_id)]
            for job in live:
                if job.cancel_wish is None:
                    await self.cancel(job.id)
            stoppable = any(job.cancel_wish != "stop_waiting" for job in live)
            if not stoppable or self.parts.clock.monotonic() >= until:
                break
            await self.parts.clock.sleep(0.05)
        for job_id in await self.parts.store.live_jobs(account_id):
            await self._give_up(job_id)

    async def _give_up(self, job_id: str) -> None:
        for _ in range(10):
            job = await self.parts.store.job(job_id)
            if job.ended:
                return
            to = JobState.FAILED if job.state is JobState.STORING else JobState.CANCELLED
            try:
                await self.parts.store.apply(Step(job.id, job.version, to=to, attempt_state=AttemptState.LOST))
            except StaleVersion:
                continue
            return
