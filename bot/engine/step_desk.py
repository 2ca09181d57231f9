"""What every step of a job needs: the compare-and-set, the generator's answer within a deadline, the ticket, the waits."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

from bot.engine.health import HealthDesk
from bot.engine.parts import Parts
from core.errors import CredentialsRejected, ModelRetired, OutOfFunds, ProviderError, RateLimited, ReelayError
from core.jobs import Failure, Job
from core.ports import Provider, Ticket
from core.states import AttemptState, JobState
from core.steps import Step

CALL_SECONDS: Final = 30.0
FIRST_RETRY, LONGEST_RETRY = 2.0, 300.0
OPERATOR_ERRORS: Final = (CredentialsRejected, OutOfFunds, ModelRetired)

log = logging.getLogger("reelay.runner")
Changed = Callable[[Job], None]


class StepDesk:
    """Shared by whoever moves jobs: the runner and the submitter."""

    def __init__(self, parts: Parts, changed: Changed, health: HealthDesk) -> None:
        """``changed`` is told of every job after its commit: the lanes listen."""
        self.parts, self.changed, self.health = parts, changed, health
        self._random = random.Random()  # noqa: S311 - spreads waits, hides nothing

    async def apply(self, job: Job, *, quiet: bool = False, **step: Any) -> Job:
        due = step.get("fields", {}).get("due_at")
        if due is not None and "to" not in step and job.deadline is not None:
            # However long a vendor asks us to wait: the deadline is looked at when it passes.
            step["fields"] = {**step["fields"], "due_at": min(due, job.deadline)}
        fresh = await self.parts.store.apply(Step(job_id=job.id, version=job.version, **step))
        if not quiet:
            self.tell(fresh)
        if fresh.ended:
            await self.drop_upload(job)
        return fresh

    async def drop_upload(self, job: Job) -> None:
        """A picture as it came is of no use after ``preparing``: the job has a clean copy, or has ended."""
        for key in job.attachment.uploads if job.attachment is not None else ():
            await self.parts.clips.delete(key)

    def tell(self, job: Job) -> None:
        if job.ended:
            seconds = ((job.finished_at or job.created_at) - job.created_at) / 1000
            self.parts.figures.job_ended(job.applied.provider, job.state.value, seconds)
        self.changed(job)

    async def fail(
        self, job: Job, error: ReelayError, attempt_state: AttemptState | None = AttemptState.FAILED
    ) -> None:
        provider = self.parts.providers[job.applied.provider]
        title = provider.capabilities.title
        await self.heed(provider, error)
        failure = Failure(error.code, error.message_id, {**error.values, "generator": title})
        if job.state is JobState.STORING:
            attempt_state = None  # the attempt was won; what failed is ours
        await self.apply(
            job, to=JobState.FAILED, failure=failure, attempt_state=attempt_state, hop="failed", hop_note=error.code
        )
        log.info("failed", extra={"job": job.id, "code": error.code, **error.facts})
        if job.at_provider or job.state is JobState.STORING:
            await self.let_go(job, provider, await self.ticket_or_none(job))

    async def heed(self, provider: Provider, error: Exception) -> None:
        """A rejected key, an empty balance or a retired model is the operator's: no further submit, and one alert.

        A rate limit holds for everybody and every call: nothing is submitted, and polls rest, until it has passed.
        """
        if isinstance(error, OPERATOR_ERRORS):
            await self.parts.store.pause(provider.name, None, error.code)
            self.health.outdated()
            cause, setting = f"{error.code} {provider.name}", error.facts.get("setting")
            text = f"{provider.name} is paused: {error.code}; see doctor"
            if setting is not None:
                text = f"{provider.name} is paused: {error.code}; {setting} names another model; see doctor"
            await self.parts.alerts.raise_once(cause, text)
        elif isinstance(error, RateLimited):
            await self.health.limited(provider.name, error)

    async def let_go(self, job: Job, provider: Provider, ticket: Ticket | None) -> None:
        if ticket is None:
            return
        try:
            await asyncio.wait_for(provider.release(ticket), CALL_SECONDS)
        except (ProviderError, TimeoutError, OSError) as error:
            log.info("a ticket could not be released", extra={"job": job.id, "error": type(error).__name__})

    async def call(self, provider: Provider, call: str, awaitable: Awaitable[Any], seconds: float) -> Any:
        """Await a generator's answer with a deadline and count how it went."""
        began, outcome = self.parts.clock.monotonic(), "ok"
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
            self.parts.figures.provider_call(provider.name, call, outcome, self.parts.clock.monotonic() - began)

    async def ticket(self, job: Job) -> Ticket:
        ticket = await self.ticket_or_none(job)
        if ticket is None:
            raise ReelayError(f"job {job.id} is {job.state} without a ticket")
        return ticket

    async def ticket_or_none(self, job: Job) -> Ticket | None:
        return None if job.attempt_id is None else (await self.parts.store.attempt(job.attempt_id)).ticket

    async def wait_after(self, provider: Provider, error: Exception, tries: int) -> int:
        """When a call that told nothing is made again (UTC ms): as the vendor asked, at least."""
        wait = FIRST_RETRY if isinstance(error, RateLimited) else self.back_off(tries)
        wait = getattr(error, "retry_after", None) or wait
        at = self.parts.clock.now() + int(wait * 1000)
        return max(at, await self.health.silent_until(provider.name) or 0)

    def back_off(self, tries: int) -> float:
        """Exponential with full jitter, never under half a second."""
        return max(0.5, self._random.uniform(0, min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(tries, 10))))

    def poll_at(self, provider: Provider, polls: int) -> int:
        first, longest = provider.capabilities.poll_seconds
        wait = min(longest, first * 1.5**polls) * self._random.uniform(0.9, 1.1)
        return self.parts.clock.now() + int(wait * 1000)
