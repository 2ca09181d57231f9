"""A job as a person may know it: joined with its generator's facts and past times, then as a card or as a status object.

What the status object promises is in docs/reference/http.md.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from bot.engine.parts import Parts
from bot.engine.words import Words
from core.capabilities import Applied, Capabilities, fit
from core.cards import Card, JobView, card_of
from core.errors import Unsupported
from core.film_cards import FilmView, SceneView, film_card
from core.jobs import Job, JobKind
from core.money import Period
from core.states import JobState
from storage.films import FilmRow
from storage.views import JobRow

if TYPE_CHECKING:
    from bot.engine.films import Films

USUAL_SECONDS_KEPT: Final = 20.0
"""How long a learnt time is reused before it is read again."""

PAUSES_KEPT: Final = 2.0
"""How long a look at the pauses is reused, in seconds."""

STATUS: Final = {
    JobState.PREPARING: "pending",
    JobState.QUEUED: "pending",
    JobState.SUBMITTING: "processing",
    JobState.GENERATING: "processing",
    JobState.STORING: "processing",
    JobState.UNCLEAR: "processing",
    JobState.PLANNING: "pending",
    JobState.AWAITING: "pending",
    JobState.MAKING: "processing",
    JobState.MERGING: "processing",
    JobState.DONE: "completed",
    JobState.FAILED: "error",
    JobState.CANCELLED: "cancelled",
}


def iso(ms: int | None) -> str | None:
    """UTC milliseconds as ISO 8601 to the second; None stays None."""
    return None if ms is None else datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class StatusDesk:
    """Answers "how is job X doing?" for every surface from the same rows."""

    def __init__(self, parts: Parts, retention_days: int) -> None:
        """``retention_days`` dates ``keep_until``."""
        self._parts, self._retention_days = parts, retention_days
        self._began_at = parts.clock.now()
        self._paused: set[str] = set()
        self._paused_at = float("-inf")
        self._usual: dict[tuple[str, str, int, str], tuple[float, float]] = {}
        self.films: Films | None = None
        """Set by the engine: what a film would cost now."""

    async def film_view(self, film: FilmRow) -> FilmView:
        """Join a film's rows with what its card needs."""
        job, plan = film.job, film.plan
        provider = self._parts.providers.get(job.applied.provider)
        price = left = None
        if self.films is not None and job.kind is JobKind.FILM:
            price = self.films.price(film)
        if price and (job.state is JobState.AWAITING or job.ended):
            left = await self._left_today(*film.calls, *(take.job for take in film.takes.values()), job)
        takes = film.takes
        live = [call for call in film.calls if not call.ended]
        return FilmView(
            job=job,
            plan=plan,
            now=self._parts.clock.now(),
            generator_title=job.applied.provider if provider is None else provider.capabilities.title,
            scenes=tuple(
                SceneView(
                    each,
                    *((takes[each.number].job, takes[each.number].clip is not None) if each.number in takes else ()),
                )
                for each in plan.scenes
            ),
            price=price,
            left_today=left,
            charged=film.charged,
            held=film.held,
            clip=film.row.clip,
            favourite=film.row.favourite,
            delivery=film.row.delivery,
            rewriting=frozenset(
                call.position for call in live if call.kind is JobKind.SCRIPT and call.position is not None
            ),
            painting=any(call.kind is JobKind.PICTURE for call in live),
        )

    async def view(self, row: JobRow) -> JobView:
        """Join a row with what its card needs."""
        job = row.job
        provider = self._parts.providers.get(job.applied.provider)
        usual = await self._usual_seconds(job)
        if provider is None:  # no longer configured: its jobs still have a card
            return JobView(
                job,
                self._parts.clock.now(),
                job.applied.provider,
                False,
                usual,
                clip=row.clip,
                favourite=row.favourite,
                delivery=row.delivery,
                missing=not job.ended,
            )
        can = provider.capabilities
        queue_seconds = None
        if row.queue_position is not None:
            queue_seconds = self._queue_seconds(row, usual, can)
        left = None
        if job.price and not job.ended:
            left = await self._left_today(job)
        return JobView(
            job=job,
            now=self._parts.clock.now(),
            generator_title=can.title,
            gives_fraction=can.progress == "fraction" or job.progress is not None,  # some tell it only now and then
            usual_seconds=usual,
            queue_position=row.queue_position,
            queue_seconds=queue_seconds,
            left_today=left,
            clip=row.clip,
            favourite=row.favourite,
            can_extend=can.extend or can.image,
            cancel_stops_billing=can.cancel or can.unpaid,
            delivery=row.delivery,
            restarted=job.started_at is not None and job.started_at < self._began_at,
            paused=job.state is JobState.QUEUED and await self._is_paused(job.applied.provider),
            may_do_another=job.state is JobState.FAILED and self._may_do_another(job),
        )

    async def _left_today(self, *jobs: Job) -> int | None:
        """Credits in the allowance that bears these jobs of one person, which may be a shared one; None for no limit."""
        subject = next((job.hold.rows[0][1] for job in jobs if job.hold.rows), jobs[0].account_id)
        account = await self._parts.store.account(jobs[0].account_id, subject)
        return next((a.left for a in account.allowances if a.period is Period.DAY), None)

    def _queue_seconds(self, row: JobRow, usual: float, can: Capabilities) -> float:
        """Until the generator has a place, and until the person may use it: their own jobs end one after another as well."""
        of_generator = ((row.queue_position or 1) - 0.5) / max(1, can.most_active)
        most = max(1, self._parts.caps.running_per_person)
        own_place = row.own_ahead - most + 1
        return usual * max(of_generator, (own_place - 0.5) / most)

    def _may_do_another(self, job: Job) -> bool:
        """Whether some other generator could make this clip, by what an order is held against."""
        again = replace(job.wanted, provider=None, model=None, seed=None, pictures=len(job.applied.pictures))
        if not (again.prompt or again.line or again.with_picture):
            return False
        if _has_pictures(job) and not job.applied.pictures:
            return False  # its pictures could not be prepared, and without them it would be another clip
        for name, provider in self._parts.providers.items():
            if name == job.applied.provider:
                continue
            with contextlib.suppress(Unsupported):
                fit(again, provider.capabilities, seed=0)
                return True
        return False

    async def _is_paused(self, provider: str) -> bool:
        now = self._parts.clock.monotonic()
        if now - self._paused_at >= PAUSES_KEPT:
            self._paused_at = now
            self._paused = set((await self._parts.store.look()).standings)
        return provider in self._paused

    async def card(self, job_id: str) -> tuple[JobRow, Card]:
        """The job's row and its card, now."""
        row = await self._parts.store.view(job_id)
        if not row.job.kind.has_credits:
            film = await self._parts.films.film(job_id)
            return film.row, film_card(await self.film_view(film))
        return row, card_of(await self.view(row))

    async def expected_seconds(self, job_id: str) -> float:
        """About how long from now until the job's clip is there, the waiting line included."""
        view = await self.view(await self._parts.store.view(job_id))
        return (view.queue_seconds or 0.0) + view.usual_seconds

    async def _usual_seconds(self, job: Job) -> float:
        applied = job.applied
        key = (applied.provider, applied.model, applied.seconds, applied.resolution)
        now = self._parts.clock.monotonic()
        known = self._usual.get(key)
        if known is not None and now - known[1] < USUAL_SECONDS_KEPT:
            return known[0]
        learnt = await self._parts.store.usual_seconds(*key)
        if learnt is None:
            provider = self._parts.providers.get(applied.provider)
            learnt = 60.0 if provider is None else provider.capabilities.usual_seconds
        if len(self._usual) > 1000:
            self._usual.clear()
        self._usual[key] = (learnt, now)
        return learnt

    async def status(self, row: JobRow, words: Words) -> dict[str, Any]:
        """The status object of docs/reference/http.md."""
        if not row.job.kind.has_credits:
            return await self._film_status(row, words)
        view = await self.view(row)
        left, job = view.seconds_left(), row.job
        estimate, _ = view.fraction()
        progress = 100 if job.state is JobState.DONE else None if estimate is None else int(estimate * 100)
        return {
            **self._object(row, card_of(view), words, view.now),
            "elapsed_seconds": round(view.elapsed_seconds, 1),
            "progress": progress,
            "eta_seconds": None if left is None or job.ended else round(left),
            "wanted": _wanted(job),
            "applied": applied_fields(job.applied),
        }

    async def _film_status(self, row: JobRow, words: Words) -> dict[str, Any]:
        """The same object for a film or a merge, with its scenes and all."""
        film = await self._parts.films.film(row.job.id)
        view = await self.film_view(film)
        job = film.job
        far = view.fraction
        progress = 100 if job.state is JobState.DONE else None if far is None else int(far * 100)
        return {
            **self._object(film.row, film_card(view), words, view.now),
            "elapsed_seconds": round(view.elapsed_seconds, 1),
            "progress": progress,
            "eta_seconds": None,
            "charged": film.charged if job.ended else None,
            "price": view.price or 0,
            "wanted": _wanted(job),
            "applied": applied_fields(job.applied),
            "film": film_fields(film, view, words),
        }

    def _object(self, row: JobRow, card: Card, words: Words, now: int) -> dict[str, Any]:
        """What every status object has."""
        job, clip, text = row.job, row.clip, words.card(card, now)
        video = None if clip is None else f"/api/mv/get_video/{clip.id}"
        code = job.failure.code if job.failure else "UNCLEAR" if job.state is JobState.UNCLEAR else None
        return {
            "operation_id": job.id,
            "status": STATUS[job.state],
            "video_id": None if clip is None else clip.id,
            "queue_position": row.queue_position,
            "video_url": video,
            "thumbnail_url": None if clip is None or clip.poster_key is None else f"{video}/poster",
            "error": text["error_line"] if job.failure else None,
            "error_code": code,
            "charged": job.charged,
            "state": job.state.value,
            "kind": job.kind.value,
            "version": job.version,
            "created_at": iso(job.created_at),
            "finished_at": iso(job.finished_at),
            "session_id": job.session_id,
            "parent_id": job.origin_id,
            "prompt": job.wanted.prompt,
            "negative_prompt": job.wanted.negative_prompt or None,
            "changed": [words.text(line) for line in card.changed],
            "price": job.price,
            "source_url": f"/api/video_chat/sources/{job.id}" if row.has_source else None,
            "begins_with": "clip" if job.applied.extends else "picture" if _has_pictures(job) else None,
            "favourite": row.favourite,
            "download_url": None if video is None else f"{video}?download=1",
            "file_size_bytes": None if clip is None else clip.bytes,
            "keep_until": self._keep_until(row),
            "card": text,
        }

    def _keep_until(self, row: JobRow) -> str | None:
        if row.clip is None or row.favourite or self._retention_days <= 0:
            return None
        return iso(row.clip.created_at + self._retention_days * 86_400_000)


def _has_pictures(job: Job) -> bool:
    """Whether pictures belong to it, also when none could be prepared."""
    return bool(job.wanted.with_picture or job.wanted.last_frame or job.applied.pictures)


def applied_fields(applied: Applied) -> dict[str, Any]:
    """What is really made, in the field names of docs/reference/http.md."""
    return {
        "aspect_ratio": applied.aspect_ratio,
        "resolution": applied.resolution,
        "duration": applied.seconds,
        "seed": applied.seed,
        "generate_audio": applied.audio,
        "provider": applied.provider,
        "model": applied.model,
    }


def film_fields(film: FilmRow, view: FilmView, words: Words) -> dict[str, Any]:
    """A film's plan and scenes, in the field names of docs/reference/http.md."""
    plan = film.plan
    return {
        "version": film.job.version,
        "idea": film.job.wanted.prompt,
        "title": plan.title,
        "character": plan.character,
        "character_url": None if plan.picture_key is None else f"/api/films/{film.job.id}/character",
        "painting": view.painting,
        "music": plan.music,
        "song": None if plan.song_key is None else {"seconds": plan.song_seconds, "tempo": plan.song_tempo},
        "transition": plan.transition,
        "clip_sound": plan.clip_sound,
        "fit_to_song": plan.fit_to_song,
        "video_rules_template": plan.rules,
        "cuts": list(plan.cut_at),
        "written_by": plan.writer,
        "price": view.price,
        "charged": film.charged,
        "held": film.held,
        "scenes": [_scene_fields(each, film, view, words) for each in view.scenes],
    }


def _scene_fields(shown: SceneView, film: FilmRow, view: FilmView, words: Words) -> dict[str, Any]:
    scene, take = shown.scene, shown.take
    clip = film.takes[scene.number].clip if scene.number in film.takes else None
    video = None if clip is None else f"/api/mv/get_video/{clip.id}"
    failure = None if take is None or not shown.failed else take.failure
    error = None
    if failure is not None:
        error = words.say(failure.message_id, **{"generator": view.generator_title, **failure.values})
    return {
        "number": scene.number,
        "description": scene.description,
        "negative_description": scene.negative_description,
        "rewriting": scene.number in view.rewriting,
        "operation_id": None if take is None else take.id,
        "state": None if take is None else take.state.value,
        "progress": None if take is None or take.progress is None else int(take.progress * 100),
        "generator": None if take is None else take.applied.provider,
        "video_id": None if clip is None else clip.id,
        "video_url": video,
        "thumbnail_url": None if clip is None or clip.poster_key is None else f"{video}/poster",
        "seconds": None if clip is None else clip.seconds,
        "error": error,
        "error_code": None if failure is None else failure.code,
        "price": None if take is None else take.price,
        "charged": None if take is None else take.charged,
    }


def _wanted(job: Job) -> dict[str, Any]:
    wanted = job.wanted
    names = {"seconds": "duration", "audio": "generate_audio"}
    shown = (
        "aspect_ratio",
        "resolution",
        "seconds",
        "seed",
        "audio",
        "provider",
        "model",
        "person_generation",
        "negative_prompt",
        "line",
    )
    return {names.get(name, name): getattr(wanted, name) for name in shown if name in wanted.explicit}
