"""Orders of films: from a command's fields to a film with its script and picture, and from a storyboard to the clips of its scenes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from bot.engine.parts import Parts
from core.attachments import Attachment
from core.capabilities import Applied, Capabilities, Change, fit
from core.errors import BadOption, NotFound
from core.fields import read_choice, read_flag, read_text, read_whole
from core.films import (
    CHARACTER_CHARACTERS,
    CLIP_SOUNDS,
    MOST_CLIPS,
    MOST_SCENES,
    MUSIC,
    RULES_CHARACTERS,
    TITLE_CHARACTERS,
    TRANSITIONS,
    USUAL_SCENES,
    FilmPlan,
    Scene,
)
from core.ids import new_secret_id
from core.jobs import Actor, AssetKind, Job, JobKind, Order
from core.ports import Provider
from core.requests import NEGATIVE_CHARACTERS, PROMPT_CHARACTERS, SEED_MOST, Wanted, parse_label
from storage.films import FilmRow

NOTHING: Final = Applied(
    provider="", model="", prompt="", negative_prompt="", aspect_ratio="", resolution="", seconds=0, seed=0, audio=False
)
"""Of what is no clip."""
PLAN: Final = ("title", "music", "transition", "clip_sound", "fit_to_song", "character", "video_rules_template")
"""Fields that say something of the film as a whole: what ``with_fields`` reads."""
SHAPE: Final = ("aspect_ratio", "resolution", "duration", "provider", "model", "negative_prompt", "generate_audio")
"""Fields that every scene shares."""
FILE_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
"""What clips and songs are named by."""


def _not_found(field: str, wrote: str, message_id: str) -> NotFound:
    """Of an id in a field: gone, somebody else's, or never there; nobody is told which."""
    return NotFound(f"no such {field}", message_id=message_id, values={"field": field, "legal": wrote[:64]})


def _words(value: Any, name: str, most: int) -> str:
    text = read_text(value, name, most)
    if not text:
        raise BadOption(name, "nothing", f"text of up to {most} characters")
    return text


def with_fields(plan: FilmPlan, fields: Mapping[str, Any]) -> FilmPlan:
    """The plan with what ``fields`` say of it (``PLAN``). Raises BadOption.

    With another character the picture of the one before is the film's no more.
    """
    if "character" in fields:
        character = read_text(fields["character"], "character", CHARACTER_CHARACTERS)
        if plan.character and character != plan.character:
            plan = replace(plan, picture_key=None, own_picture=False)
        plan = replace(plan, character=character)
    if "video_rules_template" in fields:
        rules = read_text(fields["video_rules_template"], "video_rules_template", RULES_CHARACTERS)
        plan = replace(plan, rules=rules)
    has_song = plan.song is not None or plan.song_key is not None
    music = read_choice(fields.get("music"), "music", MUSIC, plan.music)
    if music == "song" and not has_song:
        raise BadOption("music", "song", "built-in or none, where no song came along")
    return replace(
        plan,
        title=read_text(fields["title"], "title", TITLE_CHARACTERS) if "title" in fields else plan.title,
        music=music,
        transition=read_choice(fields.get("transition"), "transition", TRANSITIONS, plan.transition),
        clip_sound=read_choice(fields.get("clip_sound"), "clip_sound", CLIP_SOUNDS, plan.clip_sound),
        fit_to_song=read_flag(fields["fit_to_song"], "fit_to_song") if "fit_to_song" in fields else plan.fit_to_song,
    )


@dataclass(frozen=True, slots=True)
class SceneOffer:
    """What would be made of one scene, on which generator, and for how much."""

    scene: Scene
    provider: Provider
    wanted: Wanted
    applied: Applied
    changed: tuple[Change, ...]
    price: int


class FilmOrders:
    """Prices and orders films; asks the intake for everything that a clip has as well."""

    def __init__(self, parts: Parts, intake: Any) -> None:
        """``intake``: ``bot.engine.intake.Intake``, which builds this."""
        self._parts, self._intake = parts, intake

    # ------------------------------------------------------------------------------------------------------------------------ films

    async def film(
        self,
        fields: Mapping[str, Any],
        settings: Mapping[str, Any],
        account_id: str | None,
        *,
        picture: Attachment | None,
        song: Attachment | None,
    ) -> tuple[Wanted, FilmPlan, tuple[int, int]]:
        """(wish, plan, credits for script and picture) of a film as its fields say it. Raises RequestError kinds.

        Its generator's limits are looked at here, so that no storyboard is written that cannot be made.
        """
        said = {**fields, "prompt": fields.get("idea") or fields.get("prompt")}
        said.pop("seed", None)
        wanted: Wanted = self._intake.wanted(said, settings)
        scenes = read_whole(fields.get("scenes"), "scenes", 1, MOST_SCENES, USUAL_SCENES)
        seed = read_whole(fields.get("seed"), "seed", 0, SEED_MOST, 0)
        plan = FilmPlan(
            scenes_wanted=scenes,
            picture=picture,
            song=song,
            music="song" if song is not None else "built-in",
            look=seed or self._intake.new_seed(),
        )
        plan = with_fields(plan, fields)
        self.scene(wanted, plan, Scene(1, wanted.prompt[:200]), is_first=True)  # what cannot be made is refused here
        script = self._parts.writer.estimate(scenes).credits
        portrait = 0
        if plan.character and picture is None:
            known = None if account_id is None else await self._parts.films.character(account_id, plan.character)
            if known is not None:
                plan = replace(plan, picture_key=known.clip.key)
            elif self._wants_portrait(wanted):
                portrait = self._parts.painter.estimate().credits
        return wanted, plan, (script, portrait)

    def _wants_portrait(self, wanted: Wanted) -> bool:
        """A picture that no scene would use is not paid for."""
        can = self._capabilities(wanted)
        return can.reference_images > 0 or self._parts.painter.estimate().credits == 0

    def _capabilities(self, wanted: Wanted) -> Capabilities:
        provider: Provider = self._intake.provider(wanted)
        return provider.capabilities.of_model(wanted.model)

    async def order(
        self, payload: Mapping[str, Any], base: Order, settings: Mapping[str, Any], account: str | None
    ) -> Order:
        """The order of a film: ``base`` has what every order has."""
        key = "idea" if payload["fields"].get("idea") else "prompt"
        language = base.place.language
        fields = await self._intake.templates.applied(payload["fields"], account, language, key)
        song = None if payload.get("song") is None else Attachment.from_json(payload["song"])
        wanted, plan, (script, portrait) = await self.film(
            fields, settings, account, picture=base.attachment, song=song
        )
        applied = self.scene(wanted, plan, Scene(1, wanted.prompt[:200]), is_first=True).applied
        film = replace(
            base,
            kind=JobKind.FILM,
            wanted=wanted,
            applied=replace(applied, prompt=wanted.prompt, picture=None, references=(), character="", look=None),
            price=0,
            attachment=None,
            film=plan,
            provider_named=wanted.provider is not None and "provider" in wanted.explicit,
            session_id=parse_label(fields.get("session_id"), "session_id"),
        )
        children = [self.script(film, wanted.prompt, plan.character, plan.scenes_wanted, script)]
        if plan.character and plan.picture is None and plan.picture_key is None and self._wants_portrait(wanted):
            children.append(self.picture(film, plan.character, portrait))
        return replace(film, children=tuple(children))

    # ------------------------------------------------------------------------------------------------------------------------ calls

    def script(
        self,
        base: Order,
        idea: str,
        character: str,
        scenes: int,
        price: int,
        *,
        position: int | None = None,
        variation: int = 0,
    ) -> Order:
        """The order of a script; with a ``position`` of that one scene anew."""
        return self._call(
            base,
            JobKind.SCRIPT,
            self._parts.writer.name,
            idea,
            price,
            position,
            character=character,
            scenes=scenes,
            seed=variation,
        )

    def picture(self, base: Order, description: str, price: int) -> Order:
        """The order of a picture of a character."""
        return self._call(base, JobKind.PICTURE, self._parts.painter.name, description, price, None)

    def _call(
        self, base: Order, kind: JobKind, provider: str, words: str, price: int, position: int | None, **more: Any
    ) -> Order:
        applied = replace(NOTHING, provider=provider, prompt=words, **more)
        key = new_secret_id()
        return replace(
            base,
            kind=kind,
            wanted=Wanted(prompt=words),
            applied=applied,
            price=price,
            changed=(),
            attachment=None,
            film=None,
            children=(),
            position=position,
            dedupe_key=key,
            dedupe_hash=key,
            provider_named=True,
            inbox_id=None,
            more_inbox_ids=(),
            receipt=None,
            flat_price=False,
            unit=None,
        )

    async def other(self, kind: JobKind, fields: Mapping[str, Any], base: Order, account_id: str | None) -> Order:
        """The order of a script, a picture or a merge that belongs to no film. Raises RequestError kinds."""
        if kind is JobKind.SCRIPT:
            idea = _words(fields.get("idea"), "idea", PROMPT_CHARACTERS)
            character = read_text(fields.get("character"), "character", CHARACTER_CHARACTERS)
            scenes = read_whole(fields.get("scenes"), "scenes", 1, MOST_SCENES, USUAL_SCENES)
            order = self.script(base, idea, character, scenes, self._parts.writer.estimate(scenes).credits)
        elif kind is JobKind.PICTURE:
            words = _words(fields.get("character"), "character", CHARACTER_CHARACTERS)
            order = self.picture(base, words, self._parts.painter.estimate().credits)
        else:
            order = await self._merge(fields, base, account_id)
        return replace(
            order,
            session_id=parse_label(fields.get("session_id"), "session_id"),
            dedupe_key=base.dedupe_key,
            dedupe_hash=base.dedupe_hash,
            inbox_id=base.inbox_id,
            more_inbox_ids=base.more_inbox_ids,
        )

    async def _merge(self, fields: Mapping[str, Any], base: Order, account_id: str | None) -> Order:
        """Clips of one's own, joined in the order in which they are named. Raises NotFound for what is gone or somebody else's."""
        ids = fields.get("video_ids")
        if (
            not isinstance(ids, list | tuple)
            or not 1 <= len(ids) <= MOST_CLIPS
            or not all(isinstance(i, str) for i in ids)
        ):
            raise BadOption("video_ids", ids, f"a list of 1 to {MOST_CLIPS} ids of your clips")
        clips = await self._parts.films.clips_of(ids)
        known = {clip.id for clip in clips if clip.account_id == account_id and clip.kind is AssetKind.CLIP}
        unknown = next((each for each in ids if each not in known), None)
        if unknown is not None:
            raise _not_found("video_ids", unknown, "error.merge_unknown")
        plan = FilmPlan(clips=tuple(ids), music="none", look=self._intake.new_seed())
        music = fields.get("music")
        if music not in (None, "", *MUSIC):
            if not isinstance(music, str) or not FILE_ID.fullmatch(music):
                raise BadOption("music", music, "the id of a song of yours, built-in, or null")
            song = next(iter(await self._parts.films.clips_of([music])), None)
            if song is None or song.account_id != account_id or not song.mime.startswith("audio/"):
                raise _not_found("music", music, "error.song_gone")
            plan = replace(plan, song_key=song.key, song_seconds=song.seconds, music="song")
            fields = {**fields, "music": "song"}
        plan = with_fields(plan, fields)
        applied = replace(NOTHING, prompt=plan.title)
        return replace(
            base,
            kind=JobKind.MERGE,
            wanted=Wanted(prompt=plan.title),
            applied=applied,
            price=0,
            attachment=None,
            film=plan,
        )

    def joined(self, order: Order, clip_id: str) -> Order:
        """The order of a clip that goes on from another one's last picture, as one of both together: a merge that waits for it."""
        words = order.wanted.prompt or order.applied.prompt
        scene = Scene(1, words or "…")
        plan = FilmPlan(scenes=(scene,), clips=(clip_id,), music="none", look=order.applied.seed)
        key = new_secret_id()
        part = replace(
            order,
            dedupe_key=key,
            dedupe_hash=key,
            inbox_id=None,
            more_inbox_ids=(),
            receipt=None,
            answers=False,
            position=scene.number,
        )
        return replace(
            order,
            kind=JobKind.MERGE,
            applied=order.applied.with_pictures(()),  # so that the longer clip can go on as well
            price=0,
            attachment=None,
            film=plan,
            children=(part,),
        )

    # ----------------------------------------------------------------------------------------------------------------------- scenes

    def scene(
        self,
        wanted: Wanted,
        plan: FilmPlan,
        scene: Scene,
        *,
        is_first: bool,
        provider: str | None = None,
        fresh: bool = False,
    ) -> SceneOffer:
        """What would be made of a scene. ``provider``: another generator than the film's; ``fresh``: with a seed of its own.

        Raises Unsupported.
        """
        if provider is not None:
            wanted = replace(wanted, provider=provider, model=None, explicit=wanted.explicit | {"provider"})
        generator: Provider = self._intake.provider(wanted)
        can = generator.capabilities.of_model(wanted.model)
        negative = ", ".join(
            filter(None, (wanted.negative_prompt, scene.negative_description if can.negative_prompt else ""))
        )
        wish = replace(
            wanted,
            prompt=plan.prompt_of(scene),
            negative_prompt=negative[:NEGATIVE_CHARACTERS],
            pictures=0,
            last_frame=False,
        )
        recurring = () if plan.picture_key is None else (plan.picture_key,)
        takes_it = bool(recurring) and can.reference_images > 0
        seed = self._intake.new_seed() if fresh else plan.look
        applied, changed = fit(wish, generator.capabilities, seed=seed, with_reference=takes_it)
        if recurring and not takes_it and plan.own_picture and can.image and (is_first or not can.stand_in):
            applied = applied.with_pictures(
                recurring
            )  # their own picture, where none can be a reference: the clip begins with it
        applied = applied.in_film(plan.character, plan.look, recurring if takes_it else (), can)
        price = generator.estimate(applied).credits if self._intake.flat_price is None else self._intake.flat_price
        return SceneOffer(scene, generator, wish, applied, tuple(changed), price)

    def offers(self, film: FilmRow) -> list[SceneOffer]:
        """What every scene of a storyboard would be. Raises Unsupported."""
        return [
            self.scene(film.job.wanted, film.plan, scene, is_first=place == 0)
            for place, scene in enumerate(film.plan.scenes)
        ]

    def take(self, film: Job, actor: Actor, offer: SceneOffer) -> Order:
        """The order of one scene's clip."""
        key = new_secret_id()
        return Order(
            actor=actor,
            place=film.place,
            wanted=offer.wanted,
            applied=offer.applied,
            changed=offer.changed,
            price=offer.price,
            dedupe_key=key,
            dedupe_hash=key,
            provider_named=film.provider_named or "provider" in offer.wanted.explicit,
            parent_id=film.id,
            position=offer.scene.number,
            unit=film.id,
            flat_price=self._intake.flat_price is not None,
        )
