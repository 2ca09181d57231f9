"""Submitting: the only call that may cost money, its ticket, and what a lost answer means."""

from __future__ import annotations

import logging
from typing import Final

from bot.engine.parts import Parts
from bot.engine.routing import Router
from bot.engine.step_desk import CALL_SECONDS, OPERATOR_ERRORS, StepDesk
from core.errors import ProviderError, RateLimited, Retry, StaleVersion, StorageError, Unavailable, Unclear
from core.health import Call
from core.jobs import Attempt, Job
from core.ports import FindAnswer, Found, Provider, Ticket
from core.states import AttemptState, JobState

SUBMIT_SECONDS: Final = 110.0
"""Less than the deadline of ``submitting``, so that the answer is known before the state is given up."""
TICKET_TRIES: Final = 100
"""Tries to store a ticket or a certain refusal, a second apart: as long as ``submitting`` may last."""
ATTEMPTS: Final = 5
"""Submits after certain refusals; then the job goes elsewhere or fails."""
LIMITED_ATTEMPTS: Final = 20
"""Submits that nobody else takes and a rate limit alone refuses: where a vendor does not say for how long, more than an hour of them."""
UNCLEAR_LOOKS: Final = (30.0, 600.0)
"""First and longest wait between look-ups of an unclear job, in seconds."""

log = logging.getLogger("reelay.runner")


class Submitter:
    """Hands admitted jobs to their generators, once per attempt."""

    def __init__(self, parts: Parts, desk: StepDesk, router: Router) -> None:
        """The intent row was committed by the admission. ``router``: for a job that its generator refused."""
        self._parts, self._desk, self._router = parts, desk, router
        self.under_way: set[str] = set()
        """Jobs whose submit this process is about: no look takes them for what a crash has left."""

    async def submit(self, job: Job, attempt: Attempt) -> None:
        """Hand a freshly admitted job to its generator: the only call that may cost money, made once per attempt."""
        current = await self._parts.store.job(job.id)
        if current.version != job.version or current.state is not JobState.SUBMITTING:
            if current.state is JobState.SUBMITTING and current.cancel_wish == "cancel":
                await self._desk.apply(
                    current, to=JobState.CANCELLED, attempt_state=AttemptState.FAILED, hop="cancelled before submit"
                )
            return
        provider = self._parts.providers[job.applied.provider]
        self._parts.reach("submitting")
        try:
            ticket = await self._desk.call(
                provider, "submit", provider.submit(attempt.applied, attempt), SUBMIT_SECONDS
            )
        except StaleVersion:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the vendor may have taken the request
            # Noted before the job moves on: with that a probe makes room, and the next one must not go before its word is heard.
            await self._desk.health.bad(provider.name, Call.SUBMIT, job.id, error)
            await self._refused(job, provider, error)
            return
        self._parts.reach("submitted")
        await self._has_ticket(job, provider, ticket)
        await self._desk.health.good(provider.name, Call.SUBMIT)

    async def _has_ticket(self, job: Job, provider: Provider, ticket: Ticket) -> None:
        """Store the ticket: it may have cost money, so a newer version (a cancel wish) or a full disk is no reason to drop it.

        Only with the attempt that it belongs to.
        """
        attempt_id = job.attempt_id
        for tries in range(TICKET_TRIES):
            try:
                await self._desk.apply(
                    job,
                    to=JobState.GENERATING,
                    ticket=ticket,
                    generating_seconds=provider.capabilities.maximum_seconds,
                    fields={"due_at": self._desk.poll_at(provider, 0), "note": None},
                    hop="submitted",
                )
                self._parts.reach("ticket stored")
                return
            except StaleVersion:
                job = await self._parts.store.job(job.id)
                if job.state not in (JobState.SUBMITTING, JobState.UNCLEAR) or job.attempt_id != attempt_id:
                    return
            except StorageError as error:
                log.error("a ticket could not be stored yet", extra={"job": job.id, "code": error.code})
                if tries == TICKET_TRIES - 1:
                    raise
                await self._parts.clock.sleep(1.0)

    async def _refused(self, job: Job, provider: Provider, error: Exception) -> None:
        """Store what a submit ended in: that certainly nothing was taken must not be forgotten over a newer version or a full disk."""
        for tries in range(TICKET_TRIES):
            try:
                await self._not_submitted(job, provider, error)
                return
            except StaleVersion:
                continue
            except StorageError as fault:
                log.error("a refusal could not be stored yet", extra={"job": job.id, "code": fault.code})
                if tries == TICKET_TRIES - 1:
                    raise
                await self._parts.clock.sleep(1.0)

    async def _not_submitted(self, job: Job, provider: Provider, error: Exception) -> None:
        job = await self._parts.store.job(job.id)
        if job.state is not JobState.SUBMITTING:
            return
        if not isinstance(error, ProviderError) or isinstance(error, Unclear) or error.retry is Retry.LATER:
            await self.in_doubt(job, provider, error)
            return
        if error.retry is Retry.NEW_ATTEMPT and job.attempts < ATTEMPTS:
            await self._again(job, provider, error)
            return
        if isinstance(error, OPERATOR_ERRORS) or error.retry is Retry.NEW_ATTEMPT:  # not this job's fault
            await self._desk.heed(provider, error)
            if await self._router.requeue(job, error):
                return
        if (
            isinstance(error, RateLimited) and job.attempts < LIMITED_ATTEMPTS
        ):  # the others of a crowd were served meanwhile
            await self._again(job, provider, error)
            return
        await self._desk.fail(job, error)

    async def _again(self, job: Job, provider: Provider, error: ProviderError) -> None:
        """Back into the line, in which it keeps its place: certainly nothing was taken."""
        if isinstance(error, RateLimited):
            until = await self._desk.health.limited(provider.name, error)
        else:
            wait = max(error.retry_after or 0.0, self._desk.back_off(job.attempts - 1))
            until = self._parts.clock.now() + int(min(wait, 3600.0) * 1000)
        await self._desk.apply(
            job,
            to=JobState.QUEUED,
            attempt_state=AttemptState.FAILED,
            fields={"not_before": until},
            hop="refused",
            hop_note=error.code,
        )

    async def in_doubt(self, job: Job, provider: Provider | None, error: Exception) -> None:
        """The answer is lost. An unpaid generator is simply asked again; a paid one never, nor one that is not configured now."""
        name = job.applied.provider
        why = (
            str(error) if isinstance(error, ProviderError) else ""
        )  # ours to word; a library's own text may quote the vendor
        facts = {"job": job.id, "provider": name, "error": type(error).__name__, "why": why}
        log.warning("a submit is in doubt", extra=facts)
        if provider is not None and provider.capabilities.unpaid:
            answer = await self._looked_up(job, provider)
            if isinstance(answer, Found):  # it was taken: to ask again would only keep two machines busy
                await self._has_ticket(job, provider, answer.ticket)
                return
            if job.attempts >= ATTEMPTS:  # nobody can have been billed, so there is nothing for a person to decide
                await self._desk.fail(job, Unavailable("no answer came to any of its submits"), AttemptState.LOST)
                return
            until = self._parts.clock.now() + int(self._desk.back_off(job.attempts - 1) * 1000)
            fields = {"not_before": until}
            await self._desk.apply(
                job, to=JobState.QUEUED, attempt_state=AttemptState.LOST, fields=fields, hop="asked again"
            )
            return
        await self._desk.apply(
            job, to=JobState.UNCLEAR, fields={"due_at": self._parts.clock.now() + 1000}, hop="unclear"
        )
        await self._parts.alerts.raise_once(
            f"unclear {job.id}", f"job {job.id}: {name} may have been paid, its answer was lost"
        )

    async def recover(self, job: Job) -> None:
        """A crash lay between the intent and the ticket: look the attempt up, never submit it again."""
        provider = self._parts.providers[job.applied.provider]
        if job.attempt_id is None:
            return
        answer = await self._looked_up(job, provider)
        if isinstance(answer, Found):
            await self._has_ticket(job, provider, answer.ticket)
            return
        if job.state is JobState.SUBMITTING:
            if job.id not in self.under_way:
                await self.in_doubt(job, provider, Unclear("the process ended during the submit"))
            return
        if job.cancel_wish is not None:
            await self._desk.apply(job, to=JobState.CANCELLED, attempt_state=AttemptState.LOST, hop="given up")
            return
        first, longest = UNCLEAR_LOOKS
        due = self._parts.clock.now() + int(min(longest, first * 2**job.retries) * 1000)
        silent = await self._desk.health.silent_until(provider.name)
        await self._desk.apply(job, fields={"due_at": max(due, silent or 0), "retries": job.retries + 1})

    async def _looked_up(self, job: Job, provider: Provider) -> FindAnswer:
        """What the vendor knows of the job's attempt; nothing where it cannot be asked now."""
        if job.attempt_id is None or await self._desk.health.silent_until(provider.name) is not None:
            return "cannot tell"
        attempt = await self._parts.store.attempt(job.attempt_id)
        try:
            found: FindAnswer = await self._desk.call(
                provider, "find", provider.find(attempt.applied, attempt), CALL_SECONDS
            )
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing was learnt; the person may still give up
            await self._desk.heed(provider, error)
            log.info("a look-up told nothing", extra={"job": job.id, "error": type(error).__name__})
            return "cannot tell"
        return found
