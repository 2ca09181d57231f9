"""Storing: the finished clip is streamed to disk, proved to play, given a poster, and only then called a clip."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.engine.parts import Parts
from bot.engine.step_desk import OPERATOR_ERRORS
from core.errors import (
    CorruptMedia,
    Garbled,
    MediaError,
    OversizedMedia,
    ProviderError,
    ReelayError,
    Retry,
    UnsupportedMedia,
)
from core.ids import new_secret_id
from core.jobs import AssetKind, Clip, Job
from core.media import Inspection
from core.ports import Artifact, Provider, Stored, Ticket

FETCH_SECONDS: Final = 15 * 60
GARBLED_TRIES: Final = 4
"""Fetches of a file that does not play before the generator is said to have failed."""
POSTER_BYTES: Final = 8 << 20


def credits_of(artifact: Artifact) -> int | None:
    """What the vendor says that the clip cost, in credits of a US cent; None when it does not say."""
    return None if artifact.cost_usd is None else round(artifact.cost_usd * 100)


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
        async with self._parts.clips.incoming(suffix=".mp4", max_bytes=self._parts.clip_bytes) as incoming:
            async with asyncio.timeout(FETCH_SECONDS):
                await provider.fetch(ticket, artifact, incoming)
            self._parts.reach("fetched")
            async with self._parts.clips.incoming(suffix=".jpg", max_bytes=POSTER_BYTES) as poster:
                inspection = await self._parts.media.inspect(incoming.path, poster.path)
                if inspection.plays_everywhere:
                    kept = _Kept(await incoming.keep(), await poster.keep(), inspection)
                else:
                    kept = await self._made_playable(incoming.path, await poster.keep())
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

    async def _made_playable(self, source: Path, poster: Stored) -> _Kept:
        """WebM, HEVC and the like become an MP4 that every surface plays."""
        async with self._parts.clips.incoming(suffix=".mp4", max_bytes=self._parts.clip_bytes) as playable:
            await self._parts.media.fit(source, playable.path, self._parts.clip_bytes)
            inspection = await self._parts.media.inspect(playable.path)
            return _Kept(await playable.keep(), poster, inspection)

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
