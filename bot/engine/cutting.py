"""Cutting: finished clips become one film, which is kept like any clip."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final

from bot.engine.parts import Parts
from bot.engine.storing import POSTER_BYTES
from core.films import FilmPlan
from core.ids import new_secret_id
from core.jobs import AssetKind, Clip, Job
from core.media import Cutting, Merged

CUT_SECONDS: Final = 2 * 3600.0
"""The longest cut, its wait for a place to work in included."""


class Cutter:
    """Brings clips of the clip store together into a new one."""

    def __init__(self, parts: Parts) -> None:
        """Uses clips and media."""
        self._parts = parts

    async def cut(
        self, film: Job, plan: FilmPlan, clips: Sequence[Clip], report: Callable[[float], None]
    ) -> tuple[Clip, Merged, AsyncExitStack]:
        """Return the film whose files are durable, how it was cut, and what removes the files again: its row is the caller's next step.

        Raises MediaError, StorageError (NotFound for a clip that is gone) and TimeoutError; whatever was written is removed then.
        """
        async with AsyncExitStack() as undo, AsyncExitStack() as open_files, asyncio.timeout(CUT_SECONDS):
            checkout = self._parts.clips.checkout
            paths = [await open_files.enter_async_context(checkout(clip.key)) for clip in clips]
            song = None
            if plan.music == "song" and plan.song_key is not None:
                song = await open_files.enter_async_context(checkout(plan.song_key))
            cutting = Cutting(
                transition=plan.transition,
                title=plan.title,
                song=song,
                music=film.wanted.prompt if plan.music == "built-in" else None,
                clip_sound=plan.clip_sound,
                fit_to_song=plan.fit_to_song and song is not None,
                seed=plan.look,
            )
            incoming = self._parts.clips.incoming
            cut = await open_files.enter_async_context(incoming(suffix=".mp4", max_bytes=self._parts.clip_bytes))
            merged = await self._parts.media.merge(paths, cut.path, cutting, report, deadline=CUT_SECONDS)
            self._parts.reach("cut")
            poster = await open_files.enter_async_context(incoming(suffix=".jpg", max_bytes=POSTER_BYTES))
            inspection = await self._parts.media.inspect(cut.path, poster.path)
            stored = await cut.keep()
            undo.push_async_callback(self._parts.clips.delete, stored.key)
            still = await poster.keep()
            undo.push_async_callback(self._parts.clips.delete, still.key)
            kept = undo.pop_all()
        clip = Clip(
            id=new_secret_id(),
            kind=AssetKind.CLIP,
            account_id=film.account_id,
            job_id=film.id,
            key=stored.key,
            mime="video/mp4",
            bytes=stored.bytes,
            sha256=stored.sha256,
            created_at=self._parts.clock.now(),
            width=inspection.width,
            height=inspection.height,
            seconds=inspection.seconds,
            poster_key=still.key,
        )
        return clip, merged, kept
