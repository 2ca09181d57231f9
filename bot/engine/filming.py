"""Takes one film one step further: its plan, its scenes, its cut. A merge is a film that begins with clips which are there already.

What is done here is done again after a crash, so each step may find its work already done: finished scenes are never made again, and a
film is cut once for what it is cut from.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Final

from bot.engine.cutting import Cutter
from bot.engine.parts import Parts
from bot.engine.preparing import PICTURE, SONG, Preparer, failure_of
from bot.engine.songs import keep_song
from bot.engine.step_desk import Changed
from bot.engine.storyboards import Storyboards
from core.errors import (
    CorruptMedia,
    MediaError,
    MediaTimedOut,
    NotFound,
    PlatformError,
    ReelayError,
    Retry,
    StaleVersion,
    StorageError,
    UnsupportedMedia,
)
from core.films import FilmPlan
from core.jobs import Clip, Failure, Job
from core.media import SONG_BYTES
from core.states import JobState
from core.steps import Step
from storage.films import FilmRow

LOOK_SECONDS: Final = 30.0
"""How often a film whose jobs are under way is looked at without any hint."""
PREPARE_SECONDS: Final = 240.0
"""For the picture and the song together."""
TRIES: Final = 4
"""Of fetching what came along, and of a cut."""
REPORT_SECONDS: Final = 1.0
"""Between two notes of how far a cut is."""
SETTLED: Final = frozenset({JobState.UNCLEAR, JobState.DONE, JobState.FAILED, JobState.CANCELLED})
"""States of a scene for which no film waits: an unclear one may take a day, and then the film is cut again."""

log = logging.getLogger("reelay.filming")
Cancel = Callable[[str], Awaitable[Job]]


class FilmRunner:
    """Moves films and merges through their states, one step per call."""

    def __init__(
        self, parts: Parts, changed: Changed, preparer: Preparer, cancel: Cancel, hint: Callable[[str], None]
    ) -> None:
        """``cancel`` ends a job as a person would; ``hint`` has a job looked at soon."""
        self._parts, self._changed, self._preparer = parts, changed, preparer
        self._cancel, self._hint = cancel, hint
        self._storyboards, self._cutter = Storyboards(parts), Cutter(parts)
        self._busy: set[str] = set()

    async def advance(self, job: Job) -> None:
        """Do what the film's state asks for. Raises StaleVersion for a newer row."""
        if job.id in self._busy or job.state in (JobState.FAILED, JobState.CANCELLED):
            return
        self._busy.add(job.id)
        try:
            film = await self._parts.films.film(job.id)
            if job.state is JobState.DONE:
                await self._cut_with_more(film)
            elif film.job.cancel_wish is not None:
                await self._end(film)
            elif job.deadline is not None and self._parts.clock.now() >= job.deadline:
                await self._expire(film)
            else:
                await self._work[job.state](self, film)
        finally:
            self._busy.discard(job.id)

    # ------------------------------------------------------------------------------------------------------------------------- plan

    async def _plan(self, film: FilmRow) -> None:
        if not film.plan.is_prepared:
            await self._prepare(film)
            return
        waiting = [call for call in film.calls if not call.ended]
        if waiting:
            for call in waiting:
                self._hint(call.id)
            await self._look_later(film.job, LOOK_SECONDS)
            return
        plan, note = await self._storyboards.with_answers(film)
        self._parts.reach("planned")
        await self._apply(film.job, to=JobState.AWAITING, film=plan, fields={"note": note}, hop="planned")

    async def _prepare(self, film: FilmRow) -> None:
        """Fetch and open what came along; either all of it is kept, or nothing."""
        job, plan, sources = film.job, film.plan, list[Clip]()
        at_song = False
        async with AsyncExitStack() as undo:
            try:
                async with asyncio.timeout(PREPARE_SECONDS):
                    if plan.picture is not None:
                        picture = await self._preparer.picture(job, plan.picture, undo)
                        sources.append(picture)
                        plan = replace(plan, picture=None, picture_key=picture.key, own_picture=True)
                    if plan.song is not None:
                        at_song = True
                        async with self._preparer.upload(job, plan.song, SONG_BYTES) as path:
                            song, told = await keep_song(self._parts, job.account_id, job.id, path, undo)
                        sources.append(song)
                        plan = replace(plan, song=None, song_key=song.key, song_seconds=told.seconds, music="song")
                        plan = replace(plan, song_tempo=told.tempo)
            except (MediaError, PlatformError, NotFound, TimeoutError) as error:
                await self._not_prepared(film, error, at_song=at_song)
                return
            fresh = await self._apply(job, film=plan, sources=tuple(sources), hop="prepared")
            undo.pop_all()
        await self._drop(film.plan)
        if plan.character and plan.own_picture and sources and sources[0].mime.startswith("image/"):
            await self._parts.films.keep_character(job.account_id, plan.character, sources[0].id)
        await self._plan(await self._parts.films.film(fresh.id))

    async def _not_prepared(self, film: FilmRow, error: Exception, *, at_song: bool) -> None:
        job = film.job
        if isinstance(error, ReelayError) and error.retry is Retry.LATER and job.retries + 1 < TRIES:
            due = self._parts.clock.now() + 1000 * 2**job.retries
            await self._apply(job, fields={"due_at": due, "retries": job.retries + 1})
            return
        failure = failure_of(error, SONG if at_song else PICTURE)
        await self._stop_jobs(film)
        await self._apply(job, to=JobState.FAILED, failure=failure, hop="failed", hop_note=failure.message_id)
        await self._drop(film.plan)

    async def _await(self, film: FilmRow) -> None:
        """A storyboard waits for its person. A scene that was written anew, or a picture that was painted anew, is put in its place."""
        job = film.job
        if any(not call.ended for call in film.calls):
            await self._look_later(job, LOOK_SECONDS)
            return
        plan, note = await self._storyboards.with_answers(film)
        if plan != film.plan:
            await self._apply(job, film=plan, fields={"due_at": job.deadline, "note": note})
        else:
            await self._parts.store.apply(Step(job.id, job.version, fields={"due_at": job.deadline}))

    # ----------------------------------------------------------------------------------------------------------------------- scenes

    async def _make(self, film: FilmRow) -> None:
        takes = [film.takes[each.number] for each in film.plan.scenes if each.number in film.takes]
        if any(take.job.state not in SETTLED for take in takes):
            if film.job.due_at is None or film.job.due_at <= self._parts.clock.now():
                await self._look_later(film.job, LOOK_SECONDS)
            return
        if film.row.clip is not None and film.plan.cut_from == _clips_of(film):
            await self._apply(film.job, to=JobState.DONE, fields={"progress": 1.0}, hop="nothing new")
            return
        if film.finished() or (film.plan.clips and not film.plan.scenes):
            job = await self._apply(film.job, to=JobState.MERGING, fields={"progress": 0.0}, hop="scenes done")
            self._parts.reach("merging")
            await self._merge(await self._parts.films.film(job.id))
            return
        first = next((take.job.failure for take in takes if take.job.failure is not None), None)
        failure = first or Failure("PROVIDER_UNAVAILABLE", "error.no_scene", {})
        await self._apply(film.job, to=JobState.FAILED, failure=failure, hop="failed", hop_note=failure.code)

    # -------------------------------------------------------------------------------------------------------------------------- cut

    async def _merge(self, film: FilmRow) -> None:
        job = film.job
        clips = [*await self._parts.films.clips_of(film.plan.clips), *(clip for _, clip in film.finished())]
        progress = _Progress(self._parts, job, self._changed)
        try:
            if len(clips) < len(film.plan.clips):
                raise NotFound("a clip is gone", message_id="error.clip_gone")
            clip, merged, undo = await self._cutter.cut(job, film.plan, clips, progress.note)
        except (MediaError, StorageError, TimeoutError) as error:
            await self._not_cut(job, error)
            return
        finally:
            await progress.stop()
        async with undo:
            fresh = await self._parts.store.job(job.id)
            plan = replace(film.plan, cut_from=_clips_of(film), cut_at=merged.cuts)
            step = Step(
                job.id, fresh.version, to=JobState.DONE, clip=clip, film=plan, fields={"progress": 1.0}, hop="cut"
            )
            fresh = await self._parts.store.apply(step)
            undo.pop_all()
        self._changed(fresh)
        log.info("cut", extra={"job": job.id, "clips": len(clips), "bytes": clip.bytes})

    async def _not_cut(self, job: Job, error: Exception) -> None:
        code = error.code if isinstance(error, ReelayError) else type(error).__name__
        log.warning("a film could not be cut", extra={"job": job.id, "code": code})
        job = await self._parts.store.job(job.id)
        hopeless = isinstance(error, CorruptMedia | UnsupportedMedia | NotFound | MediaTimedOut)
        if not hopeless and job.retries + 1 < TRIES:
            due = self._parts.clock.now() + 5000 * 2**job.retries
            await self._apply(job, fields={"due_at": due, "retries": job.retries + 1})
            return
        gone = isinstance(error, NotFound)
        failure = Failure("INVALID_REQUEST" if gone else "INTERNAL", "error.clip_gone" if gone else "error.not_cut", {})
        await self._apply(job, to=JobState.FAILED, failure=failure, hop="failed", hop_note=code)

    async def _cut_with_more(self, film: FilmRow) -> None:
        """A scene that was given up, or unclear, came after all: the film is cut anew with it. What its person changed waits for them."""
        before, now = set(film.plan.cut_from), set(_clips_of(film))
        if before < now and not any(take.job.state not in SETTLED for take in film.takes.values()):
            await self._apply(film.job, to=JobState.MERGING, fields={"progress": 0.0}, hop="one more scene")
            await self._parts.store.reopen_cards(film.job.id)

    # ------------------------------------------------------------------------------------------------------------------------- ends

    async def _end(self, film: FilmRow) -> None:
        """The person wants no more of it: what can be stopped is stopped, and what was made stays, and stays charged."""
        if await self._stop_jobs(film):
            await self._look_later(film.job, 1.0)
            return
        await self._apply(film.job, to=JobState.CANCELLED, hop="cancelled")
        await self._drop(film.plan)

    async def _stop_jobs(self, film: FilmRow) -> bool:
        """Cancel its live jobs; whether the film has to wait for any of them."""
        waits = False
        for job_id in await self._parts.films.live_children(film.job.id):
            child = await self._cancel(job_id)
            waits = waits or not (child.ended or child.cancel_wish == "stop_waiting" or child.state is JobState.UNCLEAR)
        return waits

    async def _expire(self, film: FilmRow) -> None:
        if film.job.state is JobState.AWAITING:
            await self._stop_jobs(film)
            failure, is_news = Failure("TIMEOUT", "error.storyboard_expired", {}), True
        elif film.job.state is JobState.MAKING and film.finished():
            job = await self._apply(film.job, to=JobState.MERGING, fields={"progress": 0.0}, hop="waited enough")
            await self._merge(await self._parts.films.film(job.id))
            return
        else:
            await self._stop_jobs(film)
            failure, is_news = Failure("TIMEOUT", "error.film_too_long", {}), False
        await self._apply(film.job, to=JobState.FAILED, failure=failure, hop="expired", notice=is_news)
        await self._drop(film.plan)

    # ------------------------------------------------------------------------------------------------------------------------ floor

    async def _apply(self, job: Job, **step: Any) -> Job:
        fresh = await self._parts.store.apply(Step(job_id=job.id, version=job.version, **step))
        if job.state is JobState.AWAITING:  # its card told all there was to tell, and was closed
            await self._parts.store.reopen_cards(job.id)
        self._changed(fresh)
        return fresh

    async def _look_later(self, job: Job, seconds: float) -> None:
        due = self._parts.clock.now() + int(seconds * 1000)
        due = due if job.deadline is None else min(due, job.deadline)
        await self._parts.store.apply(Step(job.id, job.version, fields={"due_at": due}))

    async def _drop(self, plan: FilmPlan) -> None:
        """What came along is of no use once there are clean copies, or the film has ended."""
        for key in plan.uploads:
            await self._parts.clips.delete(key)

    _work: Final[dict[JobState, Callable[[FilmRunner, FilmRow], Awaitable[None]]]] = {
        JobState.PLANNING: _plan,
        JobState.AWAITING: _await,
        JobState.MAKING: _make,
        JobState.MERGING: _merge,
    }


class _Progress:
    """Notes in the film's row how far its cut is, at most once a second."""

    def __init__(self, parts: Parts, job: Job, changed: Changed) -> None:
        self._parts, self._job_id, self._changed = parts, job.id, changed
        self._at = 0.0
        self._task: asyncio.Task[None] | None = None

    def note(self, done: float) -> None:
        """``done``: from 0 to 1."""
        now = time.monotonic()
        if now - self._at < REPORT_SECONDS or (self._task is not None and not self._task.done()):
            return
        self._at = now
        self._task = asyncio.create_task(self._write(done), name=f"film {self._job_id}")

    async def _write(self, done: float) -> None:
        try:
            job = await self._parts.store.job(self._job_id)
            if job.state is JobState.MERGING:
                due = job.due_at
                fields = {"progress": round(done, 3), "due_at": due}
                self._changed(await self._parts.store.apply(Step(job.id, job.version, fields=fields)))
        except (ReelayError, StaleVersion) as error:
            log.debug("progress was not noted", extra={"job": self._job_id, "error": type(error).__name__})

    async def stop(self) -> None:
        """No further note."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=5)


def _clips_of(film: FilmRow) -> tuple[str, ...]:
    """Ids of the clips that it would be cut from now."""
    return (*film.plan.clips, *(clip.id for _, clip in film.finished()))
