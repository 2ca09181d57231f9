"""Preparing: the person's pictures are fetched, opened in a child process, and kept as clean copies."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from bot.engine.parts import Parts
from core.errors import MediaError, NotFound, PlatformError, ReelayError, Retry, TooLarge
from core.ids import new_secret_id
from core.jobs import AssetKind, Attachment, Clip, Failure, Job
from core.media import PICTURE_BYTES
from core.states import STATE_SECONDS, JobState
from core.steps import Step

TRIES: Final = 4
MOST_SIDE: Final = 2048
FETCH_SECONDS: Final = 60.0
"""A picture of 20 MB comes within it at 3 Mbit/s. Several come one after the other, all within the state's two minutes."""

log = logging.getLogger("reelay.preparing")


class Preparer:
    """Turns an attachment into the normalised pictures of the job."""

    def __init__(self, parts: Parts) -> None:
        """Uses platforms, clips and media."""
        self._parts = parts

    async def prepare(self, job: Job) -> Step:
        """Return the step to ``queued`` with the kept pictures, or to ``failed`` with the reason, or a later try.

        Of several pictures either all are kept or none.
        """
        if job.attachment is None:
            return Step(job.id, job.version, to=JobState.QUEUED)
        async with AsyncExitStack() as undo:
            try:
                async with asyncio.timeout(self._seconds_left(job)):
                    used = self._used(job, job.attachment)
                    sources = [await self._source(job, each, undo) for each in used]
            except NotFound:
                return self._failed(job, ReelayError("the upload is gone", message_id="error.picture_gone"))
            except TimeoutError:
                return self._failed(job, ReelayError("a picture did not come", message_id="error.preparing_too_long"))
            except (MediaError, PlatformError) as error:
                if error.retry is Retry.LATER and job.retries + 1 < TRIES:
                    due = self._parts.clock.now() + 1000 * 2**job.retries
                    return Step(job.id, job.version, fields={"due_at": due, "retries": job.retries + 1})
                return self._failed(job, error)
            undo.pop_all()
        applied = job.applied.with_pictures((source.key for source in sources), ends_with_last=used[-1].is_last)
        return Step(
            job.id,
            job.version,
            to=JobState.QUEUED,
            fields={"attachment": None, "applied": applied.as_json()},
            sources=tuple(sources),
            hop="prepared",
        )

    def _seconds_left(self, job: Job) -> float:
        """Until the state's deadline, at which the runner looks only between two tries."""
        if job.deadline is None:
            return STATE_SECONDS[JobState.PREPARING]
        return (job.deadline - self._parts.clock.now()) / 1000

    def _used(self, job: Job, attachment: Attachment) -> tuple[Attachment, ...]:
        """Those that the generator uses, the one with which the clip ends behind the others; the rest are not even fetched."""
        can = self._parts.providers[job.applied.provider].capabilities.of_model(job.applied.model)
        *first, end = attachment.pictures
        last = (end,) if end.is_last else ()
        first = first if last else [*first, end]
        return (*first[: max(1, can.pictures_used(len(first)))], *last)

    async def _source(self, job: Job, attachment: Attachment, undo: AsyncExitStack) -> Clip:
        """Keep a clean copy; ``undo`` removes it."""
        if attachment.frame_of is not None:
            return await self._last_frame(job, attachment.frame_of, undo)
        if attachment.key is not None:
            async with self._parts.clips.checkout(attachment.key) as path:
                return await self._normalise(job, path, undo)
        async with self._parts.clips.incoming(suffix=".upload", max_bytes=PICTURE_BYTES) as raw:
            async with asyncio.timeout(FETCH_SECONDS):
                async for chunk in self._parts.platforms[job.place.platform].open(job.place, attachment):
                    await raw.write(chunk)
            return await self._normalise(job, raw.path, undo)

    async def _last_frame(self, job: Job, key: str, undo: AsyncExitStack) -> Clip:
        async with (
            self._parts.clips.checkout(key) as path,
            self._parts.clips.incoming(suffix=".png", max_bytes=4 * PICTURE_BYTES) as frame,
        ):
            await self._parts.media.last_frame(path, frame.path)
            return await self._normalise(job, frame.path, undo)

    async def _normalise(self, job: Job, path: Path, undo: AsyncExitStack) -> Clip:
        async with self._parts.clips.incoming(suffix=".png", max_bytes=4 * PICTURE_BYTES) as clean:
            picture = await self._parts.media.normalise_image(path, clean.path, MOST_SIDE)
            stored = await clean.keep()
            undo.push_async_callback(self._parts.clips.delete, stored.key)
        return Clip(
            id=new_secret_id(),
            kind=AssetKind.SOURCE,
            account_id=job.account_id,
            job_id=job.id,
            key=stored.key,
            mime=picture.mime,
            bytes=stored.bytes,
            sha256=stored.sha256,
            created_at=self._parts.clock.now(),
            width=picture.width,
            height=picture.height,
        )

    @staticmethod
    def _failed(job: Job, error: ReelayError) -> Step:
        message = "error.picture_oversized_plain" if isinstance(error, TooLarge) else error.message_id
        values = {"found": "", "what": "", "most": "", **error.values}
        return Step(
            job.id, job.version, to=JobState.FAILED, failure=Failure("INVALID_REQUEST", message, values), hop="failed"
        )
