"""Storyboards: the answers of writer and painter put in their place, once each."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bot.engine.parts import Parts
from core.films import FilmPlan, Scene
from core.jobs import Job, JobKind
from core.states import JobState
from storage.films import FilmRow

BY_RULES: Final = "note.film_by_rules"
NOT_REWRITTEN: Final = "note.film_not_rewritten"
NOT_PAINTED: Final = "note.film_not_painted"


class Storyboards:
    """Reads what scripts and pictures of a film came to."""

    def __init__(self, parts: Parts) -> None:
        """Uses the store."""
        self._parts = parts

    async def with_answers(self, film: FilmRow) -> tuple[FilmPlan, str | None]:
        """The film's plan with every answer that is not in it yet, and what is worth a note.

        A film whose script came to nothing gets scenes by rules, which cost nothing.
        """
        plan, note = film.plan, None
        for call in film.calls:
            if not call.ended or call.id in plan.answered:
                continue
            if call.kind is JobKind.PICTURE:
                plan, failed = await self._painted(film, plan, call), NOT_PAINTED
            elif call.position is not None:
                plan, failed = await self._rewritten(plan, call), NOT_REWRITTEN
            else:
                plan, failed = await self._written(plan, call), BY_RULES
            plan = replace(plan, answered=(*plan.answered, call.id))
            note = failed if call.state is JobState.FAILED else note
        return (plan if plan.scenes else await self._by_rules(film, plan)), note

    async def _written(self, plan: FilmPlan, script: Job) -> FilmPlan:
        if plan.scenes or script.state is not JobState.DONE:
            return plan
        drafts, writer = await self._drafts(script)
        scenes = tuple(Scene(number, *draft) for number, draft in enumerate(drafts[: plan.scenes_wanted], 1))
        return replace(plan, scenes=scenes, next_number=len(scenes) + 1, writer=writer)

    async def _rewritten(self, plan: FilmPlan, script: Job) -> FilmPlan:
        drafts, _ = await self._drafts(script)
        if not drafts or not any(each.number == script.position for each in plan.scenes):
            return plan
        return plan.edited(script.position or 0, *drafts[0])

    async def _drafts(self, script: Job) -> tuple[list[tuple[str, str]], str]:
        if script.state is not JobState.DONE or script.attempt_id is None:
            return [], ""
        ticket = (await self._parts.store.attempt(script.attempt_id)).ticket or {}
        drafts = [(str(description), str(negative)) for description, negative in ticket.get("scenes", ())]
        return drafts, str(ticket.get("writer", ""))

    async def _painted(self, film: FilmRow, plan: FilmPlan, picture: Job) -> FilmPlan:
        """Kept for later films as well."""
        source = await self._parts.films.source_of(picture.id)
        if source is None:
            return plan
        await self._parts.films.keep_character(film.job.account_id, plan.character, source.id)
        return replace(plan, picture_key=source.key, own_picture=False)

    async def _by_rules(self, film: FilmRow, plan: FilmPlan) -> FilmPlan:
        writer = self._parts.plain_writer
        script = await writer.write(film.job.wanted.prompt, plan.character, plan.scenes_wanted)
        scenes = tuple(
            Scene(number, each.description, each.negative_description) for number, each in enumerate(script.scenes, 1)
        )
        return replace(plan, scenes=scenes, next_number=len(scenes) + 1, writer=writer.name)
