"""Storing: the finished clip is streamed to disk, proved to play, given a poster, and only then called a clip."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.engine.parts import Parts
from bot.engine.step_desk import OPERATOR_ERRORS
from core.capabilities import Applied
from core.errors import (
    CorruptMedia,
    Garbled,
    MediaError,
    NotFound,
    OversizedMedia,
    ProviderError,
    ReelayError,
    Retry,
    StorageError,
    UnsupportedMedia,
)
from core.ids import new_secret_id
from core.jobs import AssetKind, Clip, Job
from core.media import Inspection
from core.ports import Artifact, Incoming, Provider, Stored, Ticket

FETCH_SECONDS: Final = 15 * 60
GARBLED_TRIES: Final = 4
"""Fetches of a file that does not play before the generator is said to have failed."""
POSTER_BYTES: Final = 8 << 20
MOST_USD: Final = 10_000.0
"""What no clip costs: a vendor's figure above it is a fault of the figure."""

log = logging.getLogger("reelay.storing")


def credits_of(artifact: Artifact) -> int | None:
    """What the vendor says that the clip cost, in credits of a US cent; None when it does not say, or says what cannot be: less than
    nothing, no number, or more than ``MOST_USD``.
    """
    return credits_of_usd(artifact.cost_usd)


def credits_of_usd(usd: float | None) -> int | None:
    """A vendor's own figure in credits of a US cent, as ``credits_of`` has it."""
    return round(usd * 100) if usd is not None and 0 <= usd <= MOST_USD else None


def cost_of(job: Job, provider: Provider, applied: Applied, artifact: Artifact) -> int:
    """What a clip cost in credits: as the vendor says; else as we reckon what was really asked of it; else as was agreed."""
    said = credits_of(artifact)
    if said is not None:
        return said
    try:
        return provider.estimate(applied).credits
    except Exception as error:  # noqa: BLE001 - its model may have left the list meanwhile; no clip is given up for its price
        log.warning("a price is not known", extra={"job": job.id, "error": type(error).__name__})
        return job.price


@dataclass(frozen=True, slots=True)
class _Kept:
    clip: Stored
    poster: Stored
    inspection: Inspection


class Keeper:
    """Brings a generator's result into the clip store."""

    def __init__(self, parts: Parts) -> None:
        """Uses clips and media."""
        self._parts = parts

    async def keep(self, job: Job, provider: Provider, ticket: Ticket, artifact: Artifact) -> Clip:
        """Return the clip whose files are durable; its row is the caller's next step.

        Raises ProviderError, MediaError or StorageError; whatever was written is removed then.
        """
        async with (
            AsyncExitStack() as undo,
            self._parts.clips.incoming(suffix=".mp4", max_bytes=self._parts.clip_bytes) as incoming,
        ):
            async with asyncio.timeout(FETCH_SECONDS):
                await provider.fetch(ticket, artifact, incoming)
            self._parts.reach("fetched")
            async with self._parts.clips.incoming(suffix=".jpg", max_bytes=POSTER_BYTES) as poster:
                inspection = await self._parts.media.inspect(incoming.path, poster.path)
                if inspection.plays_everywhere:
                    kept = _Kept(await self._kept(incoming, undo), await self._kept(poster, undo), inspection)
                else:
                    kept = await self._made_playable(incoming.path, await self._kept(poster, undo), undo)
            undo.pop_all()
        self._parts.reach("renamed")
        return Clip(
            id=new_secret_id(),
            kind=AssetKind.CLIP,
            account_id=job.account_id,
            job_id=job.id,
            key=kept.clip.key,
            mime="video/mp4",
            bytes=kept.clip.bytes,
            sha256=kept.clip.sha256,
            created_at=self._parts.clock.now(),
            width=kept.inspection.width,
            height=kept.inspection.height,
            seconds=kept.inspection.seconds,
            poster_key=kept.poster.key,
        )

    async def _kept(self, incoming: Incoming, undo: AsyncExitStack) -> Stored:
        """Keep one of the files; it is removed again when the other cannot be kept."""
        stored = await incoming.keep()
        undo.push_async_callback(self._parts.clips.delete, stored.key)
        return stored

    async def drop_unless_written(self, clip: Clip) -> None:
        """Remove the files of a clip, after its row could not be written. When that cannot be told they are left to the sweep."""
        try:
            await self._parts.store.clip(clip.id)
        except NotFound:
            for key in (clip.key, clip.poster_key):
                if key is not None:
                    await self._parts.clips.delete(key)
        except StorageError as error:
            log.warning("whether a file has a row is not known", extra={"job": clip.job_id, "code": error.code})

    async def _made_playable(self, source: Path, poster: Stored, undo: AsyncExitStack) -> _Kept:
        """WebM, HEVC and the like become an MP4 that every surface plays."""
        async with self._parts.clips.incoming(suffix=".mp4", max_bytes=self._parts.clip_bytes) as playable:
            await self._parts.media.fit(source, playable.path, self._parts.clip_bytes)
            inspection = await self._parts.media.inspect(playable.path)
            return _Kept(await self._kept(playable, undo), poster, inspection)

    @staticmethod
    def verdict(job: Job, error: Exception) -> ReelayError | None:
        """Return the error that ends the job, or None when storing is worth another try before its deadline.

        A rejected key or an empty balance is no verdict on a clip that is made: the operator may mend it in time.
        """
        if isinstance(error, OPERATOR_ERRORS):
            return None
        if isinstance(error, CorruptMedia | UnsupportedMedia | Garbled):
            if job.retries + 1 < GARBLED_TRIES:
                return None
            return Garbled("the result does not play", message_id="error.garbled", code=error.code)
        if isinstance(error, OversizedMedia):
            return Garbled("the result is too large", message_id="error.garbled", code=error.code)
        if isinstance(error, MediaError | ProviderError) and error.retry is Retry.NEVER:
            return error
        return None
