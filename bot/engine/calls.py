"""Scripts and pictures: jobs of one call, whose answer is the result. Asked once; an answer that was lost is never asked for again."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Any, Final

from bot.engine.parts import Parts
from bot.engine.preparing import Preparer
from bot.engine.step_desk import Changed
from bot.engine.storing import credits_of_usd
from core.errors import (
    MediaError,
    NothingSent,
    ProviderError,
    RateLimited,
    ReelayError,
    StaleVersion,
    TimedOut,
    Unclear,
)
from core.jobs import Attempt, Failure, Job, JobKind
from core.media import PICTURE_BYTES
from core.money import Price
from core.ports import Again, Portrait, Script
from core.states import AttemptState, JobState
from core.steps import Step
from storage.jobs import CALL_SECONDS

TRIES: Final = 4
"""Calls that were certainly refused for the moment, or broken off unpaid, before it is given up."""
WAIT_SECONDS: Final = 5.0
"""First wait after such a refusal; doubled each time."""
ANSWER_SECONDS: Final = CALL_SECONDS - 60.0
LOOK_SECONDS: Final = 2.0
"""How often it is looked at whether what came along with a film is prepared."""

log = logging.getLogger("reelay.calls")


class CallRunner:
    """Asks the writer of scenes and the painter of characters, for films and for whoever asks for the result alone."""

    def __init__(self, parts: Parts, changed: Changed, preparer: Preparer) -> None:
        """``changed`` is told of every job after its commit."""
        self._parts, self._changed, self._preparer = parts, changed, preparer
        self._under_way: set[str] = set()

    async def advance(self, job: Job) -> None:
        """Begin the call, or see what became of one that a restart cut off. Raises StaleVersion for a newer row."""
        if job.id in self._under_way or job.ended:
            return
        if job.cancel_wish is not None:
            lost = AttemptState.LOST if job.state is JobState.SUBMITTING else None
            await self._apply(job, to=JobState.CANCELLED, attempt_state=lost, hop="cancelled")
        elif job.deadline is not None and self._parts.clock.now() >= job.deadline:
            await self._fail(job, TimedOut("a call took too long"))
        elif job.state is JobState.SUBMITTING:
            await self._cut_off(job)
        elif await self._waits_for_film(job):
            due = self._parts.clock.now() + int(LOOK_SECONDS * 1000)
            await self._parts.store.apply(Step(job.id, job.version, fields={"due_at": min(due, job.deadline or due)}))
        else:
            await self._ask(*await self._parts.films.begin_call(job))

    async def _waits_for_film(self, job: Job) -> bool:
        """Whether its film has still to be read: then nothing is asked, and nothing paid, for a song that nobody can open."""
        if job.parent_id is None:
            return False
        film = await self._parts.films.film(job.parent_id)
        return film.job.state is JobState.PLANNING and not film.plan.is_prepared

    async def _cut_off(self, job: Job) -> None:
        """This process began after the call: whether it was answered, and billed, nobody knows."""
        if self.price(job).credits == 0 and job.attempts < TRIES:
            await self._apply(job, to=JobState.PREPARING, attempt_state=AttemptState.LOST, hop="broken off")
            return
        await self._fail(job, Unclear("the answer was lost", message_id="error.call_lost"))

    def price(self, job: Job) -> Price:
        """What such a call costs at most."""
        return (
            self._parts.painter.estimate()
            if job.kind is JobKind.PICTURE
            else self._parts.writer.estimate(job.applied.scenes)
        )

    async def _ask(self, job: Job, attempt: Attempt) -> None:
        self._under_way.add(job.id)
        try:
            self._parts.reach("calling")
            async with asyncio.timeout(ANSWER_SECONDS):
                if job.kind is JobKind.SCRIPT:
                    await self._written(job, await self._write(job))
                else:
                    await self._painted(job, await self._parts.painter.paint(job.applied.prompt))
        except StaleVersion:
            raise
        except (ReelayError, TimeoutError, OSError) as error:
            await self._not_answered(job, attempt, error)
        finally:
            self._under_way.discard(job.id)

    async def _write(self, job: Job) -> Script:
        applied, again = job.applied, None
        if job.parent_id is not None and job.position is not None:
            plan = (await self._parts.films.film(job.parent_id)).plan
            place = plan.scenes.index(plan.scene(job.position))
            again = Again(tuple(each.description for each in plan.scenes), place, applied.seed)
        return await self._parts.writer.write(applied.prompt, applied.character, applied.scenes, again)

    async def _written(self, job: Job, script: Script) -> None:
        scenes = [[each.description, each.negative_description] for each in script.scenes]
        await self._done(job, script.cost_usd, {"scenes": scenes, "writer": script.writer, "model": script.model})

    async def _painted(self, job: Job, portrait: Portrait) -> None:
        async with AsyncExitStack() as undo:
            async with self._parts.clips.incoming(suffix=".upload", max_bytes=PICTURE_BYTES) as raw:
                await raw.write(portrait.data)
                source = await self._preparer.normalise(job, raw.path, undo)
            told = {"painter": portrait.painter, "model": portrait.model}
            await self._done(job, portrait.cost_usd, told, sources=(source,))
            undo.pop_all()

    async def _done(self, job: Job, cost_usd: float | None, ticket: dict[str, Any], **step: Any) -> None:
        """``ticket``: the result, which is kept with the attempt."""
        self._parts.reach("called")
        cost = credits_of_usd(cost_usd)
        fields = {"true_cost": job.price if cost is None else cost}
        await self._apply(
            job, to=JobState.DONE, attempt_state=AttemptState.WON, fields=fields, ticket=ticket, hop="answered", **step
        )

    async def _not_answered(self, job: Job, attempt: Attempt, error: Exception) -> None:
        code = error.code if isinstance(error, ReelayError) else type(error).__name__
        log.info("a call was not answered", extra={"job": job.id, "kind": job.kind.value, "code": code})
        if isinstance(error, NothingSent | RateLimited) and attempt.number < TRIES:
            wait = getattr(error, "retry_after", None) or WAIT_SECONDS * 2 ** (attempt.number - 1)
            due = self._parts.clock.now() + int(wait * 1000)
            if job.deadline is not None and due < job.deadline:
                await self._apply(job, to=JobState.PREPARING, attempt_state=AttemptState.FAILED, fields={"due_at": due})
                return
        if isinstance(error, TimeoutError | OSError):
            error = Unclear("the answer was lost", message_id="error.call_lost")
        await self._fail(job, error if isinstance(error, ProviderError | MediaError) else TimedOut(code))

    async def _fail(self, job: Job, error: ReelayError) -> None:
        lost = isinstance(error, Unclear)
        attempt_state = None if job.attempt_id is None else AttemptState.LOST if lost else AttemptState.FAILED
        values = {**error.values, "generator": job.applied.provider}
        await self._apply(
            job,
            to=JobState.FAILED,
            failure=Failure(error.code, error.message_id, values),
            attempt_state=attempt_state,
            fields={"true_cost": job.price} if lost else {},
            hop="failed",
            hop_note=error.code,
        )

    async def _apply(self, job: Job, **step: Any) -> Job:
        fresh = await self._parts.store.apply(Step(job_id=job.id, version=job.version, **step))
        self._changed(fresh)
        return fresh
