"""Takes one job one step further. Every state's work, every deadline, and the only place that reads an error's ``retry``.

Rules: the intent row exists before a submit and the ticket is stored after it; a submit whose answer was lost is never repeated; what
is done here is done again after a crash, so each step may find its work already done.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from bot.engine.health import HealthDesk
from bot.engine.late import WATCH_SECONDS, LateWatch
from bot.engine.parts import Parts
from bot.engine.preparing import Preparer
from bot.engine.routing import Router
from bot.engine.step_desk import CALL_SECONDS, Changed, StepDesk
from bot.engine.storing import Keeper, cost_of
from bot.engine.submitting import Submitter
from core.errors import (
    CorruptMedia,
    OversizedMedia,
    ProviderError,
    ReelayError,
    StaleVersion,
    TimedOut,
    UnsupportedMedia,
)
from core.health import Call
from core.jobs import IN_LINE, Attempt, Failure, Job, JobKind
from core.ports import Artifact, Failed, PollAnswer, Provider, Ready, Ticket, Waiting
from core.states import WAITING, AttemptState, JobState

MISSING_SECONDS: Final = 60.0
"""How often a job whose generator is not configured is looked at."""

MISSING_CAUSE: Final = "generator missing "
"""Cause of the alert, followed by the generator's name."""

BAD_RESULTS: Final = (ProviderError, CorruptMedia, UnsupportedMedia, OversizedMedia, TimeoutError)
"""What speaks against a generator when its clip is fetched; a full disk or a media child that died does not."""

log = logging.getLogger("reelay.runner")


class Runner:
    """Moves jobs through their states, one step per call."""

    def __init__(self, parts: Parts, changed: Changed) -> None:
        """``changed`` is told of every job after its commit: the lanes listen."""
        self._parts, self.changed = parts, changed
        self._preparer, self._keeper = Preparer(parts), Keeper(parts)
        self.health = HealthDesk(parts)
        self._desk = StepDesk(parts, changed, self.health)
        self.router = Router(parts, self._desk, self.health)
        self._submitter = Submitter(parts, self._desk, self.router)
        self._late = LateWatch(parts, self._desk, self._keeper)
        self.others: dict[JobKind, Callable[[Job], Awaitable[None]]] = {}
        """Who moves the jobs that are no clips; added by the engine."""
        self.submits = self._submitter.under_way
        """Jobs whose submit is under way in this process: whoever owns the tasks keeps it."""

    async def advance(self, job_id: str) -> None:
        """Look at the job's row and do what its state asks for. Somebody else's newer change wins over ours."""
        job = await self._parts.store.job(job_id)
        if job.kind is not JobKind.CLIP:
            try:
                await self.others[job.kind](job)
            except StaleVersion:
                log.debug("the job changed meanwhile", extra={"job": job_id})
            return
        if job.ended:
            await self._late.look(job)
            return
        if job.state is JobState.SUBMITTING and job_id in self.submits:
            return  # read just after the admission: not the crash that it looks like
        try:
            if job.deadline is not None and self._parts.clock.now() >= job.deadline:
                await self._expire(job)
                return
            if job.applied.provider not in self._parts.providers:
                await self._without_generator(job)
                return
            await self._work[job.state](self, job)
        except StaleVersion:
            log.debug("the job changed meanwhile", extra={"job": job_id})

    async def submit(self, job: Job, attempt: Attempt) -> None:
        """Hand a freshly admitted job to its generator."""
        await self._submitter.submit(job, attempt)

    async def _without_generator(self, job: Job) -> None:
        """The settings have lost its generator. What was not sent goes to another one or fails at once; what was sent is kept until its
        deadline.
        """
        name = job.applied.provider
        if job.state in WAITING:
            if await self.router.move(job):
                return
            failure = Failure("PROVIDER_UNAVAILABLE", "error.generator_missing", {"generator": name})
            await self._desk.apply(job, to=JobState.FAILED, failure=failure, hop="generator missing")
            return
        if job.cancel_wish == "cancel" and job.state is not JobState.STORING:  # nobody is there to be asked to stop
            await self._desk.apply(job, to=JobState.CANCELLED, attempt_state=AttemptState.LOST, hop="given up")
            await self._forget_missing(name)
            return
        text = f"{name} is not configured, and has jobs that were sent to it: they are kept until their deadlines"
        await self._parts.alerts.raise_once(MISSING_CAUSE + name, text)
        due = self._parts.clock.now() + int(MISSING_SECONDS * 1000)
        await self._desk.apply(job, fields={"due_at": min(due, job.deadline or due)}, quiet=True)

    async def _forget_missing(self, name: str) -> None:
        """The last job of a generator that is not configured has ended: nothing is wrong any more."""
        if name not in await self._parts.store.providers_in_use():
            await self._parts.alerts.clear(MISSING_CAUSE + name)

    async def _recover_submit(self, job: Job) -> None:
        await self._submitter.recover(job)

    async def _poll(self, job: Job) -> None:
        provider = self._parts.providers[job.applied.provider]
        ticket = await self._desk.ticket(job)
        if await self._rests(job, provider):
            return
        if job.cancel_wish == "cancel" and await self._cancelled(job, provider, ticket):
            return
        if await self._rests(job, provider):  # the vendor has just asked for silence
            return
        try:
            answer = await self._desk.call(provider, "poll", provider.poll(ticket), CALL_SECONDS)
        except (ProviderError, TimeoutError, OSError) as error:
            code = error.code if isinstance(error, ProviderError) else type(error).__name__
            await self._desk.heed(provider, error)
            await self.health.bad(provider.name, Call.POLL, job.id, error)
            log.info("a poll told nothing", extra={"job": job.id, "provider": provider.name, "error": code})
            due = await self._desk.wait_after(provider, error, job.retries)
            await self._desk.apply(job, fields={"due_at": due, "retries": job.retries + 1})
            return
        self._parts.reach("polled")
        await self.health.good(provider.name, Call.POLL)
        await self._answered(job, provider, answer)

    async def _rests(self, job: Job, provider: Provider) -> bool:
        """Whether the vendor wants no calls now; then the job is looked at when it takes them again."""
        until = await self.health.silent_until(provider.name)
        if until is None:
            return False
        await self._desk.apply(job, fields={"due_at": until}, quiet=True)
        return True

    async def _answered(self, job: Job, provider: Provider, answer: PollAnswer) -> None:
        if isinstance(answer, Ready):
            fields = {"true_cost": cost_of(job, provider, job.applied, answer.artifact), "progress": 1.0}
            job = await self._desk.apply(
                job, to=JobState.STORING, attempt_state=AttemptState.WON, fields=fields, hop="ready"
            )
            self._parts.reach("ready")
            attempt = await self._parts.store.attempt(job.attempt_id or "")
            await self.health.good(provider.name, Call.CLIP, attempt.intent_at)
            await self._store(job, answer.artifact)
        elif isinstance(answer, Failed):
            await self.health.bad(provider.name, Call.CLIP, job.id, answer.error)
            await self._desk.fail(job, answer.error, attempt_state=AttemptState.FAILED)
        else:
            await self._still_waiting(job, provider, answer)

    async def _still_waiting(self, job: Job, provider: Provider, answer: Waiting) -> None:
        fields: dict[str, Any] = {"due_at": self._desk.poll_at(provider, job.retries)}
        progress = None if answer.progress is None else max(0.0, min(1.0, answer.progress))
        if progress is not None and int(100 * progress) != int(100 * (job.progress or 0.0)):  # as people are shown it
            fields["progress"] = progress
        note = f"{IN_LINE} {answer.queue_position}" if answer.note is None and answer.queue_position else answer.note
        if note != job.note:
            fields["note"] = note
            # Begun again, or still in the generator's line, or just out of it: its time counts from here, or the estimate would be wrong.
            fields["started_at"] = self._parts.clock.now()
        fields["retries"] = min(job.retries + 1, 20) if provider.capabilities.progress == "elapsed" else 0
        await self._desk.apply(job, fields=fields, quiet=not {"progress", "note"} & set(fields))

    async def _cancelled(self, job: Job, provider: Provider, ticket: Ticket) -> bool:
        """Ask the vendor to stop; where it bills all the same, go on watching without a word. False: it could not be asked now."""
        try:
            answer = await self._desk.call(provider, "cancel", provider.cancel(ticket), CALL_SECONDS)
        except (ProviderError, TimeoutError, OSError) as error:
            log.info("a cancel did not get through", extra={"job": job.id, "error": type(error).__name__})
            await self._desk.heed(provider, error)
            return False
        if answer == "stopped":
            await self._desk.apply(job, to=JobState.CANCELLED, attempt_state=AttemptState.LOST, hop="cancelled")
            return True
        await self._desk.apply(job, fields={"cancel_wish": "stop_waiting"}, hop="stopped waiting")
        return True

    async def _store(self, job: Job, artifact: Artifact | None = None) -> None:
        provider = self._parts.providers[job.applied.provider]
        ticket = await self._desk.ticket(job)
        if artifact is None and await self._rests(job, provider):
            return
        try:
            if artifact is None:
                answer = await self._desk.call(provider, "poll", provider.poll(ticket), CALL_SECONDS)
                if isinstance(answer, Failed):
                    await self._desk.fail(job, answer.error)
                    return
                if isinstance(answer, Waiting):  # made again after a crash: the drawing was not finished on the disk
                    await self._desk.apply(job, fields={"due_at": self._desk.poll_at(provider, 0)}, quiet=True)
                    return
                artifact = answer.artifact
            clip = await self._keeper.keep(job, provider, ticket, artifact)
        except (ReelayError, TimeoutError, OSError) as error:
            await self._not_stored(job, error)
            return
        self._parts.reach("kept")
        try:
            await self._parts.alerts.clear("disk")
            job = await self._desk.apply(job, to=JobState.DONE, clip=clip, hop="stored")
        except Exception:  # whatever it was, each further try would leave one more file
            await self._keeper.drop_unless_written(clip)
            raise
        self._parts.reach("done")
        cost = job.true_cost or 0
        overrun = max(0, cost - job.hold.credits)
        log.info("done", extra={"job": job.id, "bytes": clip.bytes, "charged": job.charged, "overrun": overrun})
        self._parts.figures.spent(provider.name, cost, overrun)
        await self.health.good(provider.name, Call.FETCH)
        await self._desk.let_go(job, provider, ticket)

    async def _not_stored(self, job: Job, error: Exception) -> None:
        provider = self._parts.providers[job.applied.provider]
        await self._desk.heed(provider, error)
        if isinstance(error, BAD_RESULTS):
            spoilt = error if isinstance(error, ProviderError) else TimedOut(type(error).__name__)
            await self.health.bad(provider.name, Call.FETCH, job.id, spoilt)
        verdict = self._keeper.verdict(job, error)
        if verdict is not None:
            await self._desk.fail(job, verdict)
            return
        code = error.code if isinstance(error, ReelayError) else type(error).__name__
        log.warning("a clip could not be stored yet", extra={"job": job.id, "error": code})
        if code == "DISK_FULL":
            await self._parts.alerts.raise_once("disk", "the disk is full: finished clips wait until there is room")
        due = await self._desk.wait_after(provider, error, job.retries)
        await self._desk.apply(job, fields={"due_at": due, "retries": job.retries + 1})

    async def _prepare(self, job: Job) -> None:
        if job.cancel_wish is not None:
            await self._desk.apply(job, to=JobState.CANCELLED, hop="cancelled")
            return
        step = await self._preparer.prepare(job)
        self._parts.reach("prepared")
        if step.failure is not None:
            log.info("a picture was refused", extra={"job": job.id, "why": step.failure.message_id})
        try:
            fresh = await self._parts.store.apply(step)
        except Exception:  # such as: the person was forgotten meanwhile
            for source in step.sources:
                await self._keeper.drop_unless_written(source)
            raise
        self._desk.tell(fresh)
        if step.to is not None:
            await self._desk.drop_upload(job)

    async def _wait_in_queue(self, job: Job) -> None:
        if job.cancel_wish is not None:
            await self._desk.apply(job, to=JobState.CANCELLED, hop="cancelled")
        elif job.due_at is not None and job.due_at <= self._parts.clock.now():
            # Woken for its generator that the settings had lost. Its turn comes by the admission, not by being due: so not before its end.
            await self._desk.apply(job, fields={"due_at": job.deadline}, quiet=True)

    async def _expire(self, job: Job) -> None:
        """The state's deadline has passed. Finishing quickly and mending honestly beat being clever."""
        provider = self._parts.providers.get(job.applied.provider)
        title = provider.capabilities.title if provider is not None else job.applied.provider
        log.warning("deadline", extra={"job": job.id, "state": job.state.value})
        if job.state is JobState.SUBMITTING:
            await self._submitter.in_doubt(job, provider, TimeoutError("submitting took too long"))
            return
        code, message = {
            JobState.PREPARING: ("TIMEOUT", "error.preparing_too_long"),
            JobState.QUEUED: ("TIMEOUT", "error.queued_too_long"),
            JobState.UNCLEAR: ("UNCLEAR", "error.unclear_given_up"),
            JobState.STORING: ("PROVIDER_UNAVAILABLE", "error.not_stored"),
        }.get(
            job.state,
            ("TIMEOUT", "error.timeout") if provider else ("PROVIDER_UNAVAILABLE", "error.generator_missing"),
        )
        ticket = await self._desk.ticket_or_none(job)
        if provider is not None and ticket is not None and await self._ended_meanwhile(job, provider, ticket):
            return
        if provider is not None and job.state is JobState.GENERATING:
            await self._too_slow(job, provider)
        if job.state is JobState.STORING:
            await self._parts.alerts.raise_once(
                f"not stored {job.id}", f"job {job.id}: a finished clip could not be stored"
            )
        await self._desk.apply(
            job,
            to=JobState.FAILED,
            failure=Failure(code, message, {"generator": title}),
            attempt_state=AttemptState.LOST,
            hop="expired",
            watch_until=self._watch_until(job),
        )
        if provider is None:
            await self._forget_missing(job.applied.provider)
        elif ticket is not None and job.state is JobState.GENERATING:
            await self._stop(job, provider, ticket)

    async def _too_slow(self, job: Job, provider: Provider) -> None:
        """Note it against the generator, unless its vendor wants no calls: then nobody has looked whether it was in time."""
        if await self.health.silent_until(provider.name) is None:
            await self.health.bad(provider.name, Call.CLIP, job.id, TimedOut())

    async def _ended_meanwhile(self, job: Job, provider: Provider, ticket: Ticket) -> bool:
        """Look a last time: this process may have been away while the generator was in time. True when that settled the job.

        Also while the vendor wants no calls: it may have been in time before that, and the clip is paid. It is one call for each job.
        """
        if job.state is not JobState.GENERATING or job.cancel_wish == "cancel":
            return False
        try:
            answer = await self._desk.call(provider, "poll", provider.poll(ticket), CALL_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the deadline holds
            log.info("a last look told nothing", extra={"job": job.id, "error": type(error).__name__})
            return False
        if isinstance(answer, Waiting):
            return False
        await self._answered(job, provider, answer)
        return True

    def _watch_until(self, job: Job) -> int | None:
        """Whether a clip may still come for a job that is given up here, and how long that is worth looking for."""
        may_come = job.state in (JobState.GENERATING, JobState.UNCLEAR, JobState.STORING)
        if not may_come or job.attempt_id is None or job.cancel_wish == "cancel":
            return None
        return self._parts.clock.now() + WATCH_SECONDS * 1000

    async def _stop(self, job: Job, provider: Provider, ticket: Ticket) -> None:
        """Ask the generator to stop what was given up; where it does, there is nothing to watch."""
        try:
            answer = await self._desk.call(provider, "cancel", provider.cancel(ticket), CALL_SECONDS)
        except Exception as error:  # noqa: BLE001 - it is given up already; the watch goes on
            log.info("an expired attempt could not be cancelled", extra={"job": job.id, "error": type(error).__name__})
            return
        if answer == "stopped" and job.attempt_id is not None:
            await self._parts.store.end_watch(job.attempt_id)

    _work: Final[dict[JobState, Callable[[Runner, Job], Awaitable[None]]]] = {
        JobState.PREPARING: _prepare,
        JobState.QUEUED: _wait_in_queue,
        JobState.SUBMITTING: _recover_submit,
        JobState.UNCLEAR: _recover_submit,
        JobState.GENERATING: _poll,
        JobState.STORING: _store,
    }
