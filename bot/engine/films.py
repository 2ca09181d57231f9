"""What a person may do with a film: the same on every surface. Every change goes by the version that it was made for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Final

from bot.engine.film_orders import SHAPE, FilmOrders, SceneOffer, with_fields
from bot.engine.parts import Parts
from bot.engine.songs import keep_song
from core.errors import BadOption, Conflict, StaleVersion, Unsupported
from core.films import FilmPlan
from core.jobs import Actor, Clip, Job, JobKind, Order
from core.requests import Wanted
from core.states import JobState
from core.steps import Step
from storage.films import FilmRow

TRIES: Final = 5
"""Of a change, while the film changes by itself."""
CHANGEABLE: Final = frozenset({JobState.AWAITING, JobState.DONE, JobState.FAILED, JobState.CANCELLED})
SHOWN: Final = ("provider", "model", "aspect_ratio", "resolution", "seconds", "audio", "person_generation")
"""Of what was applied to a scene, what the film shows as its own."""
Change = Callable[[FilmPlan], FilmPlan]


class Films:
    """Storyboards are edited and approved here, and scenes ordered again."""

    def __init__(self, parts: Parts, orders: FilmOrders, intake: Any, changed: Callable[[Job], None]) -> None:
        """``intake`` reads fields as it does for clips; ``changed`` is told of every job after its commit."""
        self._parts, self._orders, self._intake, self._changed = parts, orders, intake, changed

    async def film(self, film_id: str, account_id: str | None = None) -> FilmRow:
        """A film with all that belongs to it; of one account only when given. Raises NotFound."""
        return await self._parts.films.film(film_id, account_id)

    # ------------------------------------------------------------------------------------------------------------------------- plan

    async def change(self, film_id: str, change: Change, *, version: int | None = None) -> FilmRow:
        """Change the plan. Raises BadOption, and Conflict while its scenes are made, or when it is not at ``version`` any more."""
        return await self._changing(film_id, version, lambda film: {"film": change(film.plan)}, CHANGEABLE)

    async def set_plan(self, film_id: str, fields: Mapping[str, Any], *, version: int | None = None) -> FilmRow:
        """Change what ``fields`` name of the plan. See ``with_fields``."""
        return await self.change(film_id, lambda plan: with_fields(plan, fields), version=version)

    async def set_shape(self, film_id: str, fields: Mapping[str, Any], *, version: int | None = None) -> FilmRow:
        """Change what every scene shares (``SHAPE``), before the first is made. Raises RequestError kinds."""
        return await self.edit(film_id, lambda plan: plan, fields, version=version)

    async def edit(
        self, film_id: str, change: Change, shape: Mapping[str, Any], *, version: int | None = None
    ) -> FilmRow:
        """``change`` the plan and set what of ``SHAPE`` is in ``shape``, all of it or nothing. Raises as ``change`` and ``set_shape``."""
        has_shape = any(name in shape for name in SHAPE)

        def work(film: FilmRow) -> dict[str, Any]:
            plan = change(film.plan)
            return {"film": plan, **({"fields": self._shaped(film.job, plan, shape)} if has_shape else {})}

        return await self._changing(film_id, version, work, frozenset({JobState.AWAITING}) if has_shape else CHANGEABLE)

    def _shaped(self, job: Job, plan: FilmPlan, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The columns of a film whose scenes share what ``fields`` say."""
        said = {name: fields[name] for name in SHAPE if name in fields}
        wanted: Wanted = self._intake.wanted({**_fields_of(job.wanted), **said, "prompt": job.wanted.prompt}, {})
        offer = self._orders.scene(wanted, plan, plan.scenes[0], is_first=True)
        shown = replace(job.applied, **{name: getattr(offer.applied, name) for name in SHOWN})
        return {"wanted": wanted.as_json(), "applied": shown.as_json(), "model": shown.model}

    async def _changing(
        self, film_id: str, version: int | None, work: Callable[[FilmRow], dict[str, Any]], states: frozenset[JobState]
    ) -> FilmRow:
        for _ in range(TRIES):
            film = await self.film(film_id)
            if version is not None and film.job.version != version:
                raise Conflict("the film changed meanwhile", message_id="error.film_changed")
            if film.job.state not in states or film.job.kind is not JobKind.FILM:
                raise _not_now(film.job)
            try:
                step = Step(film.job.id, film.job.version, **work(film))
                self._changed(await self._apply_open(film.job, step))
            except StaleVersion:
                continue
            return await self.film(film_id)
        raise Conflict("the film changes too quickly", message_id="error.film_changed")

    async def _apply_open(self, job: Job, step: Step) -> Job:
        """A card that was final is opened for one more edit."""
        fresh = await self._parts.store.apply(step)
        await self._parts.store.reopen_cards(job.id)
        return fresh

    async def rewrite(self, film_id: str, actor: Actor, number: int) -> FilmRow:
        """Have one scene of a storyboard written anew. Raises BadOption and what ``approve`` raises."""

        def order(film: FilmRow) -> Order:
            film.plan.scene(number)
            earlier = sum(call.kind is JobKind.SCRIPT and call.position == number for call in film.calls)
            price = self._parts.writer.estimate(1).credits
            idea, character = film.job.wanted.prompt, film.plan.character
            base = _base(film.job, actor)
            return self._orders.script(base, idea, character, 1, price, position=number, variation=earlier + 1)

        return await self._calling(film_id, order)

    async def repaint(self, film_id: str, actor: Actor) -> FilmRow:
        """Have the character's picture painted anew. Raises BadOption without a character, and what ``approve`` raises."""

        def order(film: FilmRow) -> Order:
            if not film.plan.character:
                raise BadOption("character", "nothing", "who recurs in the film")
            return self._orders.picture(
                _base(film.job, actor), film.plan.character, self._parts.painter.estimate().credits
            )

        return await self._calling(film_id, order)

    async def _calling(self, film_id: str, order: Callable[[FilmRow], Order]) -> FilmRow:
        for _ in range(TRIES):
            film = await self.film(film_id)
            if film.job.state is not JobState.AWAITING:
                raise _not_now(film.job)
            step = Step(film.job.id, film.job.version, fields={"due_at": self._parts.clock.now()})
            try:
                fresh = await self._parts.films.add_call(
                    step, replace(order(film), parent_id=film.job.id), disk_is_low=self._intake.paused_for_disk
                )
            except StaleVersion:
                continue
            await self._parts.store.reopen_cards(film_id)
            self._changed(fresh)
            return await self.film(film_id)
        raise Conflict("the film changes too quickly", message_id="error.film_changed")

    async def keep_song(self, account_id: str, key: str) -> Clip:
        """Keep a song that lies in the clip store as it came, for later merges. Raises MediaError, NotFound."""
        async with AsyncExitStack() as undo:
            async with self._parts.clips.checkout(key) as path:
                clip, _ = await keep_song(self._parts, account_id, None, path, undo)
            await self._parts.films.keep_file(clip)
            undo.pop_all()
        return clip

    # ----------------------------------------------------------------------------------------------------------------------- scenes

    def to_make(self, film: FilmRow) -> list[SceneOffer]:
        """What the scenes would be that have no clip, and none under way. Raises Unsupported."""
        return [
            self._orders.scene(film.job.wanted, film.plan, scene, is_first=place == 0, fresh=scene.number in film.takes)
            for place, scene in enumerate(film.plan.scenes)
            if _is_open(film, scene.number)
        ]

    def price(self, film: FilmRow) -> int | None:
        """Credits of all of ``to_make``; None where its generator cannot make them."""
        try:
            return sum(offer.price for offer in self.to_make(film))
        except Unsupported:
            return None

    async def approve(
        self, film_id: str, actor: Actor, *, agreed: int | None = None, version: int | None = None
    ) -> FilmRow:
        """Order every scene at once. ``agreed``: credits that the person was shown; more than that is a Conflict that tells both.

        Approved twice it is the same film. Raises QuotaExceeded, IntakePaused, NotAllowed, Unsupported, Conflict.
        """
        film = await self.film(film_id)
        if film.job.state in (JobState.MAKING, JobState.MERGING, JobState.DONE):
            return film
        if film.job.state is not JobState.AWAITING:
            raise _not_now(film.job)
        return await self._order(film, actor, self.to_make(film), agreed, version)

    async def retry(
        self,
        film_id: str,
        actor: Actor,
        numbers: Sequence[int] = (),
        *,
        provider: str | None = None,
        description: str | None = None,
        agreed: int | None = None,
    ) -> FilmRow:
        """Order scenes once more: those of ``numbers``, or all that came to nothing; on another generator, or in other words where said.

        What is made stays until a new take is; a film that was cut is cut again. Raises as ``approve``.
        """
        if description is not None:
            if len(numbers) != 1:
                raise BadOption("description", "several scenes", "given for one scene")
            await self._reworded(film_id, numbers[0], description)
        film = await self.film(film_id)
        if film.job.kind is not JobKind.FILM or film.job.state in (
            JobState.PLANNING,
            JobState.AWAITING,
            JobState.MERGING,
        ):
            raise _not_now(film.job)
        for number in numbers:
            film.plan.scene(number)
            take = film.takes.get(number)
            if take is not None and not take.job.ended:
                raise Conflict("the scene is being made", message_id="error.film_busy")
        offers = [
            self._orders.scene(film.job.wanted, film.plan, scene, is_first=place == 0, provider=provider, fresh=True)
            for place, scene in enumerate(film.plan.scenes)
            if (scene.number in numbers if numbers else _is_open(film, scene.number))
        ]
        return await self._order(film, actor, offers, agreed, None)

    async def _reworded(self, film_id: str, number: int, description: str) -> None:
        states = CHANGEABLE | {JobState.MAKING}
        await self._changing(film_id, None, lambda film: {"film": film.plan.edited(number, description)}, states)

    async def _order(
        self, film: FilmRow, actor: Actor, offers: Sequence[SceneOffer], agreed: int | None, version: int | None
    ) -> FilmRow:
        job = film.job
        if version is not None and job.version != version:
            raise Conflict("the film changed meanwhile", message_id="error.film_changed")
        if not offers and film.under_way():
            raise _not_now(job)
        if not offers:
            raise Conflict("there is no scene to make", message_id="error.no_scene_to_make")
        total = sum(offer.price for offer in offers)
        if agreed is not None and total > agreed:
            values = {"was": agreed, "now": total}
            raise Conflict("the price has changed", message_id="error.price_changed", values=values)
        to, now = None if job.state is JobState.MAKING else JobState.MAKING, self._parts.clock.now()
        step = Step(
            job.id,
            job.version,
            to=to,
            fields={"due_at": now, "started_at": now, "progress": 0.0, "note": None},
            hop="approved",
        )
        orders = [self._orders.take(job, actor, offer) for offer in offers]
        try:
            fresh = await self._parts.films.begin_scenes(step, orders, disk_is_low=self._intake.paused_for_disk)
        except StaleVersion as error:
            raise Conflict("the film changed meanwhile", message_id="error.film_changed") from error
        await self._parts.store.reopen_cards(job.id)
        self._parts.reach("approved")
        self._changed(fresh)
        return await self.film(job.id)

    async def cut_again(self, film_id: str) -> FilmRow:
        """Cut a film anew from what is there, as its plan is now. Raises Conflict when there is nothing, or while it is being made."""
        film = await self.film(film_id)
        if not film.job.ended:
            raise _not_now(film.job)
        if not (film.finished() or film.plan.clips):
            raise Conflict("there is nothing to cut", message_id="error.no_scene")
        try:
            fresh = await self._parts.store.apply(
                Step(film.job.id, film.job.version, to=JobState.MERGING, fields={"progress": 0.0}, hop="cut again")
            )
        except StaleVersion as error:
            raise Conflict("the film changed meanwhile", message_id="error.film_changed") from error
        await self._parts.store.reopen_cards(film_id)
        self._changed(fresh)
        return await self.film(film_id)


SENTENCES: Final = {
    JobState.PLANNING: "error.film_planning",
    JobState.AWAITING: "error.film_waits",
    JobState.MAKING: "error.film_busy",
    JobState.MERGING: "error.film_busy",
}


def _not_now(film: Job) -> Conflict:
    """Of a wish for which the film is in another state."""
    return Conflict(f"the film is {film.state}", message_id=SENTENCES.get(film.state, "error.film_over"))


def _is_open(film: FilmRow, number: int) -> bool:
    """Whether a scene has neither a clip nor a take under way."""
    take = film.takes.get(number)
    return take is None or (take.clip is None and take.job.ended)


def _base(film: Job, actor: Actor) -> Order:
    return Order(
        actor=actor,
        place=film.place,
        wanted=film.wanted,
        applied=film.applied,
        changed=(),
        price=0,
        dedupe_key="",
        dedupe_hash="",
        parent_id=film.id,
    )


def _fields_of(wanted: Wanted) -> dict[str, Any]:
    """A wish as the fields that say it."""
    names = {"seconds": "duration", "audio": "generate_audio"}
    return {names.get(name, name): getattr(wanted, name) for name in wanted.explicit if name != "seed"}
