"""The storyboard of a film in a chat: what can be done with each scene now, in words, and the steps that carry it out.

The same on every chat. A step is written into a button as a verb (``Step.verb``), with the scene's number and the credits that the person
was shown, so that it works after any restart and never costs more than it said. Everything here spends the owner's credits or changes
their film, so it is the owner's alone; a moderator cancels or deletes a film as any other clip.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.commands import clips
from bot.commands.clips import Acting
from bot.engine.engine import Engine
from bot.engine.words import Words
from core.attachments import Attachment
from core.cards import Action, shorten
from core.errors import BadOption, NotFound, ReelayError, Unsupported
from core.film_cards import SceneView, scene_line
from core.films import MOST_SCENES, SCENE_CHARACTERS, FilmPlan
from core.jobs import Actor, JobKind
from core.media import PICTURE_BYTES, SONG_BYTES
from core.requests import Wanted
from core.states import JobState
from storage.films import FilmRow

PRICED: Final = frozenset({"approve", "retry_scenes"})
"""Verbs of a film's card that cost what their label says."""
ASKING: Final = frozenset({"edit", "add", "reword"})
"""Steps for which the person is asked for words first."""
MOST_OTHERS: Final = 4
"""Other generators that are offered for one scene."""
_STEP = re.compile(r"s(\d{1,6})_([a-z]+)(?:_(\d{1,9}))?(?:_([a-z0-9-]+))?")
_PRICED = re.compile(r"(approve|retry_scenes)_(\d{1,9})(_sure)?")
_LABELS: Final[Mapping[str, str]] = {
    "edit": "scene.edit",
    "anew": "scene.anew",
    "up": "scene.up",
    "down": "scene.down",
    "add": "scene.add",
    "remove": "scene.remove",
    "retry": "scene.retry",
    "reword": "scene.reword",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do with one scene: edit, anew, up, down, add (one behind it), remove; retry, reword, on (another generator).

    ``number`` is the scene's own, 0 for the end of the storyboard (``add`` alone); ``price``: credits that the person was shown.
    """

    name: str
    number: int
    price: int | None = None
    provider: str | None = None

    @property
    def verb(self) -> str:
        """As a button has it: at most 24 characters for names of generators of up to nine."""
        said = [f"s{self.number}", self.name, *([] if self.price is None else [str(self.price)])]
        return "_".join([*said, *([self.provider] if self.provider else [])])

    @property
    def asks(self) -> bool:
        """Whether the person is asked for words first."""
        return self.name in ASKING


def read_step(verb: str) -> Step | None:
    """The step that a button's verb names; None for any other verb."""
    found = _STEP.fullmatch(verb)
    if found is None or found[2] not in {*_LABELS, "on"}:
        return None
    return Step(found[2], int(found[1]), None if found[3] is None else int(found[3]), found[4])


def priced_verb(action: Action) -> str:
    """An action of a card as its button has it: with the credits that its label says, where it costs any."""
    return f"{action.verb}_{action.label.values.get('credits') or 0}" if action.verb in PRICED else action.verb


def confirming_verb(verb: str, credits: int) -> str:
    """The same on a message that asks whether the new price is right."""
    return f"{verb}_{credits}_sure"


def read_priced(verb: str) -> tuple[str, int | None, bool]:
    """(verb, credits that the person was shown, whether they were asked once more) of a button; of other verbs the verb alone."""
    found = _PRICED.fullmatch(verb)
    return (verb, None, False) if found is None else (found[1], int(found[2]), found[3] is not None)


@dataclass(frozen=True, slots=True)
class Choice:
    """A step with the words of its button."""

    step: Step
    label: str


@dataclass(frozen=True, slots=True)
class ScenePage:
    """One scene as its owner sees it."""

    number: int
    place: int
    line: str
    """Its place, how it is, and the beginning of its words."""
    words: str
    """All of them."""
    error: str | None
    rewriting: bool
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Storyboard:
    """All scenes of a film in their order."""

    film_id: str
    headline: str
    state: str
    scenes: tuple[ScenePage, ...]
    add: Choice | None
    """One more scene at the end, while that is possible."""

    def scene(self, number: int) -> ScenePage:
        """The scene of that number. Raises NotFound for one that was removed meanwhile."""
        found = next((each for each in self.scenes if each.number == number), None)
        if found is None:
            raise NotFound("no such scene", message_id="error.film_changed")
        return found


async def the_film(engine: Engine, who: Acting, film_id: str) -> FilmRow:
    """The film, if it is theirs. Raises NotFound, NotAllowed."""
    await clips.the_clip(engine, who, film_id, only_owner=True)
    return await engine.films.film(film_id)


async def storyboard(engine: Engine, words: Words, who: Acting, film_id: str) -> Storyboard:
    """A film's scenes with what can be done with each now. Raises NotFound, NotAllowed."""
    film = await the_film(engine, who, film_id)
    view = await engine.desk.film_view(film)
    _, card = await engine.desk.card(film_id)
    now = engine.parts.clock.now()
    count = len(view.scenes)
    pages = []
    for place, each in enumerate(view.scenes, 1):
        rewriting = each.scene.number in view.rewriting
        pages.append(
            ScenePage(
                number=each.scene.number,
                place=place,
                line=words.text(scene_line(place, each), now)
                if each.take is not None
                else _planned(words, place, each),
                words=each.scene.description,
                error=_error(words, each, view.generator_title),
                rewriting=rewriting,
                choices=() if rewriting else tuple(_choices(engine, words, film, each, place, count)),
            )
        )
    can_add = film.job.state is JobState.AWAITING and count < MOST_SCENES
    add = Choice(Step("add", 0), words.say("scene.add_last")) if can_add else None
    return Storyboard(
        film_id, card.headline or words.say("card.no_prompt"), words.text(card.state, now), tuple(pages), add
    )


def _planned(words: Words, place: int, view: SceneView) -> str:
    return words.say("film.planned", place=place, text=shorten(view.scene.description, 90))


def _error(words: Words, view: SceneView, generator: str) -> str | None:
    failure = None if view.take is None or not view.failed else view.take.failure
    if failure is None:
        return None
    return words.say(failure.message_id, **{"generator": generator, **failure.values})


def _choices(engine: Engine, words: Words, film: FilmRow, view: SceneView, place: int, count: int) -> list[Choice]:
    number = view.scene.number
    if film.job.kind is not JobKind.FILM:
        return []
    if film.job.state is JobState.AWAITING:
        names = ["edit", "anew", "up", "down", "add", "remove"]
        barred = {"up"} if place == 1 else set()
        barred |= {"down"} if place == count else set()
        barred |= {"remove"} if count == 1 else set()
        barred |= {"add"} if count >= MOST_SCENES else set()
        return [Choice(Step(name, number), words.say(_LABELS[name])) for name in names if name not in barred]
    if film.job.state in (JobState.PLANNING, JobState.MERGING) or (view.take is not None and not view.take.ended):
        return []
    found = []
    own = _price(engine, film, number, None)
    if own is not None:
        retry = "scene.make_anew" if view.made else "scene.retry"
        found.append(Choice(Step("retry", number, own), with_price(words, words.say(retry), own)))
        found.append(Choice(Step("reword", number, own), with_price(words, words.say("scene.reword"), own)))
    taken = film.job.applied.provider if view.take is None else view.take.applied.provider
    for name, provider in engine.parts.providers.items():
        price = None if name == taken else _price(engine, film, number, name)
        if price is not None and len(found) < MOST_OTHERS + 2:
            label = with_price(words, words.say("scene.on", generator=provider.capabilities.title), price)
            found.append(Choice(Step("on", number, price, name), label))
    return found


def _price(engine: Engine, film: FilmRow, number: int, provider: str | None) -> int | None:
    """Credits of one scene once more; None where that generator cannot make it."""
    place = next(place for place, each in enumerate(film.plan.scenes) if each.number == number)
    try:
        offer = engine.intake.films.scene(
            film.job.wanted,
            film.plan,
            film.plan.scenes[place],
            is_first=place == 0,
            provider=provider,
            fresh=True,
        )
    except Unsupported:
        return None
    return offer.price


def with_price(words: Words, label: str, price: int) -> str:
    """The words of a button and what it costs."""
    if price:
        return words.say("other.offer", generator=label, credits=price)
    return f"{label} · {words.say('money.free')}"


# ------------------------------------------------------------------------------------------------------------------------------ steps


async def take_step(
    engine: Engine, who: Acting, actor: Actor, film_id: str, step: Step, description: str = ""
) -> FilmRow:
    """Carry out a step; ``description``: the words that the person gave, for a step that asks for some.

    Raises NotFound, NotAllowed, BadOption, and Conflict: ``price_change`` tells whether the price is why.
    """
    await the_film(engine, who, film_id)
    films, number = engine.films, step.number
    if step.asks and not 0 < len(description.strip()) <= SCENE_CHARACTERS:
        said = f"{len(description)} characters"
        values = {"most": SCENE_CHARACTERS}
        raise BadOption("description", said, "", message_id="error.scene_words", more=values)

    match step.name:
        case "edit" | "add" | "remove" | "up" | "down":
            return await films.change(film_id, _change(step.name, number, description))
        case "anew":
            return await films.rewrite(film_id, actor, number)
        case "retry":
            return await films.retry(film_id, actor, [number], agreed=step.price)
        case "reword":
            return await films.retry(film_id, actor, [number], description=description, agreed=step.price)
        case "on" if step.provider in engine.parts.providers:
            return await films.retry(film_id, actor, [number], provider=step.provider, agreed=step.price)
        case _:
            raise NotFound("no such step", message_id="error.film_changed")


def _change(name: str, number: int, description: str) -> Callable[[FilmPlan], FilmPlan]:
    """What a step changes in the plan of a film."""
    changes: dict[str, Callable[[FilmPlan], FilmPlan]] = {
        "edit": lambda plan: plan.edited(number, description),
        "add": lambda plan: plan.added(description, number or None),
        "remove": lambda plan: plan.removed(number),
        "up": lambda plan: plan.moved(number, plan.scenes.index(plan.scene(number))),
        "down": lambda plan: plan.moved(number, 2 + plan.scenes.index(plan.scene(number))),
    }
    return changes[name]


async def approve(engine: Engine, who: Acting, actor: Actor, film_id: str, agreed: int | None) -> FilmRow:
    """Order every scene for at most ``agreed`` credits. Raises as ``take_step``."""
    await the_film(engine, who, film_id)
    return await engine.films.approve(film_id, actor, agreed=agreed)


async def retry_scenes(engine: Engine, who: Acting, actor: Actor, film_id: str, agreed: int | None) -> FilmRow:
    """Order all scenes that came to nothing once more, for at most ``agreed`` credits. Raises as ``take_step``."""
    await the_film(engine, who, film_id)
    return await engine.films.retry(film_id, actor, agreed=agreed)


def price_change(error: ReelayError) -> int | None:
    """What something costs now, where its new price is why it was not done."""
    now = error.values.get("now")
    return now if error.message_id == "error.price_changed" and isinstance(now, int) else None


def details(film: FilmRow, words: Words, generator: str | None = None) -> list[str]:
    """What is behind a film, a line each: idea, character, every scene in full, settings, cost. ``generator``: its title."""
    job, plan, applied = film.job, film.plan, film.job.applied
    lines = [words.say("details.prompt", prompt=job.wanted.prompt or plan.title or "–")]
    if plan.character:
        lines.append(words.say("details.character", character=plan.character))
    lines += [words.say("film.planned", place=n, text=each.description) for n, each in enumerate(plan.scenes, 1)]
    if job.kind is JobKind.FILM:
        facts = {"seconds": applied.seconds, "aspect": applied.aspect_ratio, "resolution": applied.resolution}
        lines.append(words.say("details.settings", **facts, seed=plan.look))
        lines.append(words.say("details.model", generator=generator or applied.provider, model=applied.model))
    lines.append(words.say("details.cost", credits=film.charged))
    lines.append(words.say("details.id", job=job.id))
    return lines


# ------------------------------------------------------------------------------------------------------------------------------ again


async def again(engine: Engine, film: FilmRow) -> tuple[dict[str, Any], Attachment | None, Attachment | None]:
    """(fields, own picture, song) of an order that plans the same film once more; picture and song are copies, for the order to use up.

    Raises NotFound when one of them is not kept any more.
    """
    plan, picture, song = film.plan, None, None
    if plan.own_picture and plan.picture_key is not None:
        picture = await _copied(engine, plan.picture_key, "character.png", "image/png", 4 * PICTURE_BYTES)
    if plan.song_key is not None:
        song = await _copied(engine, plan.song_key, "song.m4a", "audio/mp4", 2 * SONG_BYTES)
    return again_fields(film), picture, song


def again_fields(film: FilmRow) -> dict[str, Any]:
    """The fields of an order of the same film; its scenes are written anew."""
    plan, wanted = film.plan, film.job.wanted
    fields: dict[str, Any] = {
        "idea": wanted.prompt,
        "scenes": len(plan.scenes) or plan.scenes_wanted,
        "character": plan.character,
        "title": plan.title,
        "music": None if plan.song_key is None and plan.music == "song" else plan.music,
        "transition": plan.transition,
        "clip_sound": plan.clip_sound,
        "fit_to_song": plan.fit_to_song,
        "video_rules_template": plan.rules,
        **_shape(wanted),
    }
    return {name: value for name, value in fields.items() if value not in (None, "")}


def _shape(wanted: Wanted) -> dict[str, Any]:
    names = [name for name in clips.REPEATED if name not in ("prompt", "line")]
    return {clips.FIELD_OF.get(name, name): getattr(wanted, name) for name in names if name in wanted.explicit}


async def _copied(engine: Engine, key: str, name: str, mime: str, most_bytes: int) -> Attachment:
    store = engine.parts.clips
    size = await store.size(key)
    if size is None:
        raise NotFound("a file of the film is gone", message_id="error.upload_gone")
    async with store.incoming(suffix=f".{name.rpartition('.')[2]}", max_bytes=most_bytes) as copy:
        async for piece in store.open_range(key, 0, size):
            await copy.write(piece)
        kept = await copy.keep()
    return Attachment(name, mime, kept.bytes, key=kept.key)
