"""Preparing: the person's pictures are fetched, opened in a child process, and kept as clean copies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.engine.parts import Parts
from core.attachments import Attachment
from core.errors import MediaError, NotFound, PlatformError, ReelayError, Retry, TooLarge
from core.ids import new_secret_id
from core.jobs import AssetKind, Clip, Failure, Job
from core.media import PICTURE_BYTES, SONG_BYTES
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
                    sources = [await self.picture(job, each, undo) for each in used]
            except (MediaError, PlatformError, NotFound, TimeoutError) as error:
                if isinstance(error, ReelayError) and error.retry is Retry.LATER and job.retries + 1 < TRIES:
                    due = self._parts.clock.now() + 1000 * 2**job.retries
                    return Step(job.id, job.version, fields={"due_at": due, "retries": job.retries + 1})
                return Step(job.id, job.version, to=JobState.FAILED, failure=failure_of(error), hop="failed")
            undo.pop_all()
        keys = tuple(source.key for source in sources)
        if used[0].recurs and job.applied.look is not None:
            can = self._parts.providers[job.applied.provider].capabilities.of_model(job.applied.model)
            applied = job.applied.in_film(job.applied.character, job.applied.look, keys, can)
        else:
            applied = job.applied.with_pictures(keys, ends_with_last=used[-1].is_last)
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

    async def picture(self, job: Job, attachment: Attachment, undo: AsyncExitStack) -> Clip:
        """Keep a clean copy of one picture; ``undo`` removes it. Raises MediaError, PlatformError, NotFound and TimeoutError."""
        if attachment.frame_of is not None:
            return await self._last_frame(job, attachment.frame_of, undo)
        async with self.upload(job, attachment, PICTURE_BYTES) as path:
            return await self.normalise(job, path, undo)

    @contextlib.asynccontextmanager
    async def upload(self, job: Job, attachment: Attachment, most_bytes: int) -> AsyncIterator[Path]:
        """What came along with a job, as a file: fetched from its platform, or as it lies in the clip store."""
        if attachment.key is not None:
            async with self._parts.clips.checkout(attachment.key) as path:
                yield path
            return
        async with self._parts.clips.incoming(suffix=".upload", max_bytes=most_bytes) as raw:
            async with asyncio.timeout(FETCH_SECONDS):
                async for chunk in self._parts.platforms[job.place.platform].open(job.place, attachment):
                    await raw.write(chunk)
            yield raw.path

    async def _last_frame(self, job: Job, key: str, undo: AsyncExitStack) -> Clip:
        async with (
            self._parts.clips.checkout(key) as path,
            self._parts.clips.incoming(suffix=".png", max_bytes=4 * PICTURE_BYTES) as frame,
        ):
            await self._parts.media.last_frame(path, frame.path)
            return await self.normalise(job, frame.path, undo)

    async def normalise(self, job: Job, path: Path, undo: AsyncExitStack) -> Clip:
        """Keep a clean copy of a picture file; ``undo`` removes it. Raises MediaError."""
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


@dataclass(frozen=True, slots=True)
class Upload:
    """Sentences about one kind of what comes along."""

    gone: str
    too_large: str
    most_bytes: int


PICTURE: Final = Upload("error.picture_gone", "error.picture_oversized_plain", PICTURE_BYTES)
SONG: Final = Upload("error.upload_gone", "error.song_oversized", SONG_BYTES)


def failure_of(error: Exception, upload: Upload = PICTURE) -> Failure:
    """Why a job ends whose upload cannot be used. A ReelayError that is neither gone nor too large tells it in its own sentence."""
    message, values = "error.preparing_too_long", dict[str, Any]()
    if isinstance(error, NotFound):
        message = upload.gone
    elif isinstance(error, TooLarge):
        message, values = upload.too_large, {"found": f"> {upload.most_bytes >> 20} MB"}
    elif isinstance(error, ReelayError):
        message, values = error.message_id, error.values
    return Failure("INVALID_REQUEST", message, {"found": "", "what": "", "most": "", **values})
