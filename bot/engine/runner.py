"""Takes one job one step further. Every state's work, every deadline, and the only place that reads an error's ``retry``.

Rules: the intent row exists before a submit and the ticket is stored after it; a submit whose answer was lost is never repeated; what
is done here is done again after a crash, so each step may find its work already done.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

from bot.engine.parts import Parts
from bot.engine.preparing import Preparer
from bot.engine.storing import Keeper
from core.errors import (
    CredentialsRejected,
    ModelRetired,
    OutOfFunds,
    ProviderError,
    RateLimited,
    ReelayError,
    Retry,
    StaleVersion,
    StorageError,
    Unclear,
)
from core.jobs import Attempt, Failure, Job
from core.ports import Artifact, Failed, Found, Provider, Ready, Ticket, Waiting
from core.states import AttemptState, JobState
from core.steps import Step

CALL_SECONDS: Final = 30.0
SUBMIT_SECONDS: Final = 110.0
"""Less than the deadline of ``submitting``, so that the answer is known before the state is given up."""
TICKET_TRIES: Final = 100
"""Tries to store a ticket, a second apart: as long as ``submitting`` may last."""
ATTEMPTS: Final = 5
"""Submits after certain refusals; then the job fails."""
FIRST_RETRY, LONGEST_RETRY = 2.0, 300.0
MISSING_SECONDS: Final = 60.0
UNCLEAR_LOOKS: Final = (30.0, 600.0)
OPERATOR_ERRORS: Final = (CredentialsRejected, OutOfFunds, ModelRetired)

log = logging.getLogger("reelay.runner")
Changed = Callable[[Job], None]


class Runner:
    """Moves jobs through their states, one step per call."""

    def __init__(self, parts: Parts, changed: Changed) -> None:
        """``changed`` is told of every job after its commit: the lanes listen."""
        self._parts, self.changed = parts, changed
        self._preparer, self._keeper = Preparer(parts), Keeper(parts)
        self._random = random.Random()  # noqa: S311 - spreads waits, hides nothing

    async def advance(self, job_id: str) -> None:
        """Look at the job's row and do what its state asks for. Somebody else's newer change wins over ours."""
        job = await self._parts.store.job(job_id)
        if job.ended:
            return
        try:
            if job.deadline is not None and self._parts.clock.now() >= job.deadline:
                await self._expire(job)
                return
            if job.applied.provider not in self._parts.providers and job.state is not JobState.PREPARING:
                # Its generator is not configured at the moment: the job waits for it until its deadline.
                due = self._parts.clock.now() + int(MISSING_SECONDS * 1000)
                await self._apply(job, fields={"due_at": min(due, job.deadline or due)}, quiet=True)
                return
            await self._work[job.state](self, job)
        except StaleVersion:
            log.debug("the job changed meanwhile", extra={"job": job_id})

    async def submit(self, job: Job, attempt: Attempt) -> None:
        """Hand a freshly admitted job to its generator: the only call that may cost money, made once per attempt."""
        current = await self._parts.store.job(job.id)
        if current.version != job.version or current.state is not JobState.SUBMITTING:
            if current.state is JobState.SUBMITTING and current.cancel_wish == "cancel":
                await self._apply(
                    current, to=JobState.CANCELLED, attempt_state=AttemptState.FAILED, hop="cancelled before submit"
                )
            return
        provider = self._parts.providers[job.applied.provider]
        self._parts.reach("submitting")
        try:
            ticket = await self._call(provider, "submit", provider.submit(attempt.applied, attempt), SUBMIT_SECONDS)
        except StaleVersion:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the vendor may have taken the request
            await self._not_submitted(job, provider, error)
            return
        self._parts.reach("submitted")
        await self._has_ticket(job, provider, ticket)

    # ------------------------------------------------------------------------------------------------------------------ submitting

    async def _has_ticket(self, job: Job, provider: Provider, ticket: Ticket) -> None:
        """Store the ticket: it may have cost money, so a newer version (a cancel wish) or a full disk is no reason to drop it."""
        for tries in range(TICKET_TRIES):
            try:
                await self._apply(
                    job,
                    to=JobState.GENERATING,
                    ticket=ticket,
                    generating_seconds=provider.capabilities.maximum_seconds,
                    fields={"due_at": self._poll_at(provider, 0), "note": None},
                    hop="submitted",
                )
                self._parts.reach("ticket stored")
                return
            except StaleVersion:
                job = await self._parts.store.job(job.id)
                if job.state not in (JobState.SUBMITTING, JobState.UNCLEAR):
                    return
            except StorageError as error:
                log.error("a ticket could not be stored yet", extra={"job": job.id, "code": error.code})
                if tries == TICKET_TRIES - 1:
                    raise
                await self._parts.clock.sleep(1.0)

    async def _not_submitted(self, job: Job, provider: Provider, error: Exception) -> None:
        job = await self._parts.store.job(job.id)
        if job.state is not JobState.SUBMITTING:
            return
        if not isinstance(error, ProviderError) or isinstance(error, Unclear) or error.retry is Retry.LATER:
            await self._in_doubt(job, provider, error)
            return
        if error.retry is Retry.NEW_ATTEMPT and job.attempts < ATTEMPTS:
            wait = error.retry_after if error.retry_after is not None else self._back_off(job.attempts - 1)
            until = self._parts.clock.now() + int(min(wait, 3600.0) * 1000)
            if isinstance(error, RateLimited):
                await self._parts.store.pause(provider.name, until, error.code)
            await self._apply(
                job,
                to=JobState.QUEUED,
                attempt_state=AttemptState.FAILED,
                fields={"not_before": until},
                hop="refused",
                hop_note=error.code,
            )
            return
        await self._fail(job, error)

    async def _in_doubt(self, job: Job, provider: Provider, error: Exception) -> None:
        """The answer is lost. An unpaid generator is simply asked again; a paid one never."""
        log.warning(
            "a submit is in doubt", extra={"job": job.id, "provider": provider.name, "error": type(error).__name__}
        )
        if provider.capabilities.unpaid and job.attempts < ATTEMPTS:
            until = self._parts.clock.now() + int(self._back_off(job.attempts - 1) * 1000)
            fields = {"not_before": until}
            await self._apply(
                job, to=JobState.QUEUED, attempt_state=AttemptState.LOST, fields=fields, hop="asked again"
            )
            return
        await self._apply(job, to=JobState.UNCLEAR, fields={"due_at": self._parts.clock.now() + 1000}, hop="unclear")
        await self._parts.alerts.raise_once(
            f"unclear {job.id}", f"job {job.id}: {provider.name} may have been paid, its answer was lost"
        )

    async def _recover_submit(self, job: Job) -> None:
        """A crash lay between the intent and the ticket: look the attempt up, never submit it again."""
        provider = self._parts.providers[job.applied.provider]
        if job.attempt_id is None:
            return
        attempt = await self._parts.store.attempt(job.attempt_id)
        answer = await self._call(provider, "find", provider.find(attempt.applied, attempt), CALL_SECONDS)
        if isinstance(answer, Found):
            await self._has_ticket(job, provider, answer.ticket)
            return
        if job.state is JobState.SUBMITTING:
            await self._in_doubt(job, provider, Unclear("the process ended during the submit"))
            return
        if job.cancel_wish is not None:
            await self._apply(job, to=JobState.CANCELLED, attempt_state=AttemptState.LOST, hop="given up")
            return
        first, longest = UNCLEAR_LOOKS
        wait = min(longest, first * 2**job.retries)
        await self._apply(
            job, fields={"due_at": self._parts.clock.now() + int(wait * 1000), "retries": job.retries + 1}
        )

    # ------------------------------------------------------------------------------------------------------------------ generating

    async def _poll(self, job: Job) -> None:
        provider = self._parts.providers[job.applied.provider]
        ticket = await self._ticket(job)
        if job.cancel_wish == "cancel" and await self._cancelled(job, provider, ticket):
            return
        try:
            answer = await self._call(provider, "poll", provider.poll(ticket), CALL_SECONDS)
        except (ProviderError, TimeoutError, OSError) as error:
            code = error.code if isinstance(error, ProviderError) else type(error).__name__
            log.info("a poll told nothing", extra={"job": job.id, "provider": provider.name, "error": code})
            wait = getattr(error, "retry_after", None) or self._back_off(job.retries)
            await self._apply(
                job, fields={"due_at": self._parts.clock.now() + int(wait * 1000), "retries": job.retries + 1}
            )
            return
        self._parts.reach("polled")
        if isinstance(answer, Ready):
            fields = {"true_cost": _credits(answer.artifact), "progress": 1.0}
            job = await self._apply(
                job, to=JobState.STORING, attempt_state=AttemptState.WON, fields=fields, hop="ready"
            )
            self._parts.reach("ready")
            await self._store(job, answer.artifact)
        elif isinstance(answer, Failed):
            await self._fail(job, answer.error, attempt_state=AttemptState.FAILED)
        else:
            await self._still_waiting(job, provider, answer)

    async def _still_waiting(self, job: Job, provider: Provider, answer: Waiting) -> None:
        fields: dict[str, Any] = {"due_at": self._poll_at(provider, job.retries)}
        if answer.progress is not None and abs(answer.progress - (job.progress or 0.0)) >= 0.01:
            fields["progress"] = max(0.0, min(1.0, answer.progress))
        if answer.note != job.note:
            fields["note"] = answer.note
        fields["retries"] = min(job.retries + 1, 20) if provider.capabilities.progress == "elapsed" else 0
        await self._apply(job, fields=fields, quiet=not {"progress", "note"} & set(fields))

    async def _cancelled(self, job: Job, provider: Provider, ticket: Ticket) -> bool:
        """Ask the vendor to stop; where it bills all the same, go on watching without a word. False: it could not be asked now."""
        try:
            answer = await self._call(provider, "cancel", provider.cancel(ticket), CALL_SECONDS)
        except (ProviderError, TimeoutError, OSError) as error:
            log.info("a cancel did not get through", extra={"job": job.id, "error": type(error).__name__})
            return False
        if answer == "stopped":
            await self._apply(job, to=JobState.CANCELLED, attempt_state=AttemptState.LOST, hop="cancelled")
            return True
        await self._apply(job, fields={"cancel_wish": "stop_waiting"}, hop="stopped waiting")
        return True

    async def _store(self, job: Job, artifact: Artifact | None = None) -> None:
        provider = self._parts.providers[job.applied.provider]
        ticket = await self._ticket(job)
        try:
            if artifact is None:
                answer = await self._call(provider, "poll", provider.poll(ticket), CALL_SECONDS)
                if isinstance(answer, Failed):
                    await self._fail(job, answer.error)
                    return
                if isinstance(answer, Waiting):  # made again after a crash: the drawing was not finished on the disk
                    await self._apply(job, fields={"due_at": self._poll_at(provider, 0)}, quiet=True)
                    return
                artifact = answer.artifact
            clip = await self._keeper.keep(job, provider, ticket, artifact)
        except (ReelayError, TimeoutError, OSError) as error:
            await self._not_stored(job, error)
            return
        self._parts.reach("kept")
        await self._parts.alerts.clear("disk")
        job = await self._apply(job, to=JobState.DONE, clip=clip, hop="stored")
        self._parts.reach("done")
        log.info("done", extra={"job": job.id, "bytes": clip.bytes, "charged": job.charged})
        await self._let_go(job, provider, ticket)

    async def _not_stored(self, job: Job, error: Exception) -> None:
        verdict = self._keeper.verdict(job, error)
        if verdict is not None:
            await self._fail(job, verdict)
            return
        code = error.code if isinstance(error, ReelayError) else type(error).__name__
        log.warning("a clip could not be stored yet", extra={"job": job.id, "error": code})
        if code == "DISK_FULL":
            await self._parts.alerts.raise_once("disk", "the disk is full: finished clips wait until there is room")
        await self._apply(
            job,
            fields={
                "due_at": self._parts.clock.now() + int(self._back_off(job.retries) * 1000),
                "retries": job.retries + 1,
            },
        )

    # ------------------------------------------------------------------------------------------------------------------------ ends

    async def _prepare(self, job: Job) -> None:
        if job.cancel_wish is not None:
            await self._apply(job, to=JobState.CANCELLED, hop="cancelled")
            return
        step = await self._preparer.prepare(job)
        self._parts.reach("prepared")
        if step.failure is not None:
            log.info("a picture was refused", extra={"job": job.id, "why": step.failure.message_id})
        self._tell(await self._parts.store.apply(step))
        if step.to is not None and job.attachment is not None and job.attachment.key is not None:
            await self._parts.clips.delete(job.attachment.key)

    async def _wait_in_queue(self, job: Job) -> None:
        if job.cancel_wish is not None:
            await self._apply(job, to=JobState.CANCELLED, hop="cancelled")

    async def _fail(
        self, job: Job, error: ReelayError, attempt_state: AttemptState | None = AttemptState.FAILED
    ) -> None:
        provider = self._parts.providers[job.applied.provider]
        title = provider.capabilities.title
        if isinstance(error, OPERATOR_ERRORS):
            await self._parts.store.pause(provider.name, None, error.code)
            await self._parts.alerts.raise_once(
                f"{error.code} {provider.name}", f"{provider.name} is paused: {error.code}; see doctor"
            )
        failure = Failure(error.code, error.message_id, {**error.values, "generator": title})
        if job.state is JobState.STORING:
            attempt_state = None  # the attempt was won; what failed is ours
        await self._apply(
            job, to=JobState.FAILED, failure=failure, attempt_state=attempt_state, hop="failed", hop_note=error.code
        )
        log.info("failed", extra={"job": job.id, "code": error.code, **error.facts})
        if job.at_provider or job.state is JobState.STORING:
            await self._let_go(job, provider, await self._ticket_or_none(job))

    async def _expire(self, job: Job) -> None:
        """The state's deadline has passed. Finishing quickly and mending honestly beat being clever."""
        provider = self._parts.providers.get(job.applied.provider)
        title = provider.capabilities.title if provider is not None else job.applied.provider
        log.warning("deadline", extra={"job": job.id, "state": job.state.value})
        if job.state is JobState.SUBMITTING and provider is not None:
            await self._in_doubt(job, provider, TimeoutError("submitting took too long"))
            return
        code, message = {
            JobState.PREPARING: ("TIMEOUT", "error.preparing_too_long"),
            JobState.QUEUED: ("TIMEOUT", "error.queued_too_long"),
            JobState.UNCLEAR: ("UNCLEAR", "error.unclear_given_up"),
            JobState.STORING: ("PROVIDER_UNAVAILABLE", "error.not_stored"),
        }.get(job.state, ("TIMEOUT", "error.timeout"))
        ticket = await self._ticket_or_none(job)
        if job.state is JobState.STORING:
            await self._parts.alerts.raise_once(
                f"not stored {job.id}", f"job {job.id}: a finished clip could not be stored"
            )
        await self._apply(
            job,
            to=JobState.FAILED,
            failure=Failure(code, message, {"generator": title}),
            attempt_state=AttemptState.LOST,
            hop="expired",
        )
        if provider is not None and ticket is not None:
            try:
                await self._call(provider, "cancel", provider.cancel(ticket), CALL_SECONDS)
            except (ProviderError, TimeoutError, OSError) as error:
                log.info(
                    "an expired attempt could not be cancelled", extra={"job": job.id, "error": type(error).__name__}
                )

    async def _let_go(self, job: Job, provider: Provider, ticket: Ticket | None) -> None:
        if ticket is None:
            return
        try:
            await asyncio.wait_for(provider.release(ticket), CALL_SECONDS)
        except (ProviderError, TimeoutError, OSError) as error:
            log.info("a ticket could not be released", extra={"job": job.id, "error": type(error).__name__})

    # ----------------------------------------------------------------------------------------------------------------------- small

    async def _call(self, provider: Provider, call: str, awaitable: Awaitable[Any], seconds: float) -> Any:
        """Await a generator's answer with a deadline and count how it went."""
        began, outcome = self._parts.clock.monotonic(), "ok"
        try:
            return await asyncio.wait_for(awaitable, seconds)
        except ProviderError as error:
            outcome = error.code
            raise
        except TimeoutError:
            outcome = "TIMEOUT"
            raise
        except OSError:
            outcome = "PROVIDER_UNAVAILABLE"
            raise
        finally:
            self._parts.figures.provider_call(provider.name, call, outcome, self._parts.clock.monotonic() - began)

    async def _apply(self, job: Job, *, quiet: bool = False, **step: Any) -> Job:
        fresh = await self._parts.store.apply(Step(job_id=job.id, version=job.version, **step))
        if not quiet:
            self._tell(fresh)
        return fresh

    def _tell(self, job: Job) -> None:
        if job.ended:
            seconds = ((job.finished_at or job.created_at) - job.created_at) / 1000
            self._parts.figures.job_ended(job.applied.provider, job.state.value, seconds)
        self.changed(job)

    async def _ticket(self, job: Job) -> Ticket:
        ticket = await self._ticket_or_none(job)
        if ticket is None:
            raise ReelayError(f"job {job.id} is {job.state} without a ticket")
        return ticket

    async def _ticket_or_none(self, job: Job) -> Ticket | None:
        return None if job.attempt_id is None else (await self._parts.store.attempt(job.attempt_id)).ticket

    def _back_off(self, tries: int) -> float:
        """Exponential with full jitter, never under half a second."""
        return max(0.5, self._random.uniform(0, min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(tries, 10))))

    def _poll_at(self, provider: Provider, polls: int) -> int:
        first, longest = provider.capabilities.poll_seconds
        wait = min(longest, first * 1.5**polls) * self._random.uniform(0.9, 1.1)
        return self._parts.clock.now() + int(wait * 1000)

    _work: Final[dict[JobState, Callable[[Runner, Job], Awaitable[None]]]] = {
        JobState.PREPARING: _prepare,
        JobState.QUEUED: _wait_in_queue,
        JobState.SUBMITTING: _recover_submit,
        JobState.UNCLEAR: _recover_submit,
        JobState.GENERATING: _poll,
        JobState.STORING: _store,
    }


def _credits(artifact: Artifact) -> int | None:
    return None if artifact.cost_usd is None else round(artifact.cost_usd * 100)
