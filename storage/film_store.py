"""The store's methods for films: each is one transaction, as those of ``SqliteStore``."""

from __future__ import annotations

from collections.abc import Sequence

from core.jobs import Attempt, Clip, Job, Order
from core.steps import Step
from storage import films, jobs
from storage.database import Database
from storage.rows import insert_clip
from storage.store import SqliteStore


class FilmStore:
    """Films, scripts, pictures and characters. Raises the errors of ``core.errors``."""

    def __init__(self, store: SqliteStore) -> None:
        """Shares the store's database, clock and limits."""
        self._store = store

    @property
    def _database(self) -> Database:
        return self._store.database

    async def film(self, film_id: str, account_id: str | None = None) -> films.FilmRow:
        """A film or a merge with all that belongs to it; of one account only when given. Raises NotFound."""
        return await self._database.read(lambda c: films.read(c, film_id, account_id))

    async def begin_scenes(self, step: Step, orders: Sequence[Order], *, disk_is_low: bool = False) -> Job:
        """Move a film to ``making`` with these takes, all or none. Raises as ``films.begin_scenes``."""
        now, defaults = self._store.now(), self._store.defaults
        return await self._database.write(
            lambda c: films.begin_scenes(c, step, orders, defaults, now, disk_is_low=disk_is_low), weight=16
        )

    async def add_call(self, step: Step, order: Order, *, disk_is_low: bool = False) -> Job:
        """Order one more script or picture of a film. Raises as ``films.begin_scenes``."""
        now, defaults = self._store.now(), self._store.defaults
        return await self._database.write(
            lambda c: films.add_call(c, step, order, defaults, now, disk_is_low=disk_is_low)
        )

    async def begin_call(self, job: Job) -> tuple[Job, Attempt]:
        """Move a script or a picture to ``submitting`` with its intent row."""
        now = self._store.now()
        return await self._database.write(lambda c: jobs.begin_call(c, job.id, job.version, now))

    async def live_children(self, film_id: str) -> list[str]:
        """Its jobs that have not ended."""
        return await self._database.read(lambda c: films.live_children(c, film_id))

    async def source_of(self, job_id: str) -> Clip | None:
        """The picture that a job of the kind ``picture`` made."""
        return await self._database.read(lambda c: films.source_of(c, job_id))

    async def portrayed(self, account_id: str | None, sha256: str) -> str:
        """The words from which that picture was painted for somebody; empty for any other."""
        return await self._database.read(lambda c: films.portrayed(c, account_id, sha256))

    async def clips_of(self, clip_ids: Sequence[str]) -> list[Clip]:
        """These clips in this order, as far as they are kept."""
        return await self._database.read(lambda c: films.clips_of(c, clip_ids))

    async def keep_file(self, clip: Clip) -> None:
        """Add the row of a file that belongs to no job."""
        await self._database.write(lambda c: insert_clip(c, clip))

    async def characters(self, account_id: str) -> list[films.Character]:
        """Somebody's characters, the last used first."""
        return await self._database.read(lambda c: films.characters(c, account_id))

    async def character(self, account_id: str, description: str) -> films.Character | None:
        """The one of exactly these words."""
        return await self._database.read(lambda c: films.character(c, account_id, description))

    async def keep_character(self, account_id: str, description: str, clip_id: str) -> None:
        """Keep a picture for later films."""
        now = self._store.now()
        await self._database.write(lambda c: films.keep_character(c, account_id, description, clip_id, now))

    async def drop_character(self, account_id: str, character_id: str) -> list[str]:
        """Forget a character; returns keys of files to delete. Raises NotFound."""
        return await self._database.write(lambda c: films.drop_character(c, account_id, character_id))
