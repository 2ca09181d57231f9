"""What a generator can do, as data, and how a wish is fitted to it: adjusted and said, or refused with the legal values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from core.errors import Unsupported
from core.requests import ASPECTS, MOST_PICTURES, RESOLUTIONS, SECONDS, Choices, Wanted


@dataclass(frozen=True, slots=True)
class Adjust:
    """When ``field`` is ``value``, ``forces`` becomes ``to`` even if the person said otherwise; said in the card.

    The field ``references`` is 1 when several pictures are used, else 0.
    """

    field: str
    value: str | int
    forces: str
    to: str | int


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What a generator takes as a picture: bytes of the file, pixels of its longer side, and its formats, the best one first."""

    bytes: int = 8 << 20
    side: int = 2048
    mimes: tuple[str, ...] = ("image/png", "image/jpeg")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One generator in facts. Seconds are whole seconds of film, times are wall seconds."""

    name: str
    title: str
    company: str | None
    """Who gets the prompt and the picture; None when nothing leaves this machine."""
    models: tuple[str, ...]
    aspects: tuple[str, ...] = ASPECTS
    resolutions: tuple[str, ...] = RESOLUTIONS
    seconds: tuple[int, ...] = SECONDS
    text: bool = True
    image: bool = True
    reference_images: int = 0
    """Pictures of people, things and looks that one clip takes; they are used where an order brings two or more."""
    last_frame: bool = False
    """Whether a picture can be given with which the clip ends."""
    last_frame_alone: bool = False
    """Whether it can be given without one with which the clip begins."""
    pictures: PictureLimits = PictureLimits()
    seed: bool = True
    negative_prompt: bool = True
    folds_negative: bool = False
    """Whether it has no field for what to leave out, so that it is said in the prompt."""
    person_generation: tuple[str, ...] = ()
    """Legal values of the switch on pictures of people, where it has one."""
    audio: bool = True
    audio_switch: bool = False
    """Whether sound can be left out on request."""
    extend: bool = False
    """Whether it goes on from a clip of its own by the clip itself; elsewhere a new clip begins with the last picture."""
    extend_seconds: tuple[int, ...] = ()
    """Seconds that such a continuation can have, where they differ from ``seconds``."""
    extend_resolutions: tuple[str, ...] = ()
    """Resolutions of such a continuation, where they differ."""
    speech: bool = False
    """Whether somebody in the clip can be made to say a line."""
    cancel: bool = False
    """Whether the vendor stops billing when asked to stop."""
    progress: Literal["fraction", "elapsed"] = "elapsed"
    usual_seconds: float = 60.0
    maximum_seconds: float = 600.0
    poll_seconds: tuple[float, float] = (2.0, 10.0)
    """First wait before a poll, and the longest; the runner backs off between them."""
    most_active: int = 10
    unpaid: bool = False
    """A repeated submit costs nobody anything."""
    stand_in: bool = False
    """It only draws what words suggest: for whoever has no generator, and never in the place of one."""
    adjusts: tuple[Adjust, ...] = ()
    others: tuple[Capabilities, ...] = ()
    """What it can do with each further one of ``models``."""

    @property
    def default_model(self) -> str:
        """The model used when none is named."""
        return self.models[0]

    def of_model(self, model: str | None) -> Capabilities:
        """What it can do with one of its models; with the default one for None and for a model that it does not have."""
        return next((each for each in self.others if each.default_model == model), self)

    def pictures_used(self, sent: int) -> int:
        """How many of an order's pictures it uses, apart from a last one: several as references where it can, else the first one as the
        clip's beginning.
        """
        if sent > 1 and self.reference_images > 1:
            return min(sent, self.reference_images, MOST_PICTURES)
        return min(sent, 1) if self.image else 0


@dataclass(frozen=True, slots=True)
class Applied:
    """What is really asked of a generator; stored with each attempt."""

    provider: str
    model: str
    prompt: str
    negative_prompt: str
    aspect_ratio: str
    resolution: str
    seconds: int
    seed: int
    audio: bool
    person_generation: str | None = None
    line: str = ""
    """What somebody says, as it was written; a generator's own marks around it are its provider's business."""
    picture: str | None = None
    """Key of the normalised picture in the clip store with which the clip begins."""
    references: tuple[str, ...] = ()
    """Keys of normalised pictures whose people, things and looks appear in the clip; then it begins with none."""
    last_picture: str | None = None
    """Key of the normalised picture with which the clip ends."""
    extends: str | None = None
    """Key of the clip, made by the same generator, that this one goes on from; then it begins with no picture."""
    character: str = ""
    """Who or what recurs in every clip of a film, in words, which stand in the prompt as well."""
    look: int | None = None
    """A seed that all clips of a film share, for a generator that gives them a common style by it."""
    scenes: int = 0
    """How many scenes a script is to have; 0 for everything else."""

    @property
    def pictures(self) -> tuple[str, ...]:
        """Keys of all its pictures, in the order in which they came."""
        last = () if self.last_picture is None else (self.last_picture,)
        return (self.references if self.picture is None else (self.picture,)) + last

    def with_pictures(self, keys: Iterable[str], *, ends_with_last: bool = False) -> Applied:
        """The same with these pictures: the clip begins with a single one, and several are references.

        ``ends_with_last``: the last of them is the one with which the clip ends; the others count as without it.
        """
        found = tuple(keys)
        last = found[-1] if ends_with_last and found else None
        found = found if last is None else found[:-1]
        one = found[0] if len(found) == 1 else None
        return replace(self, picture=one, references=found if one is None else (), last_picture=last)

    def in_film(self, character: str, look: int, recurring: tuple[str, ...], can: Capabilities) -> Applied:
        """The same as a scene of a film; ``recurring``: keys of pictures of who recurs, for a generator that takes references."""
        references = recurring[: can.reference_images] if self.picture is None else self.references
        return replace(self, character=character, look=look, references=references)

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON that ``from_json`` reads back unchanged."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Applied:
        """Read what ``as_json`` wrote; fields of a later version are ignored."""
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        return cls(**{**known, "references": tuple(data.get("references", ()))})


@dataclass(frozen=True, slots=True)
class Change:
    """One adjustment, to be told: a message id of the catalogue with its values."""

    message_id: str
    values: dict[str, Any]


def fit(
    wanted: Wanted, capabilities: Capabilities, *, seed: int, goes_on: bool = False, with_reference: bool = False
) -> tuple[Applied, list[Change]]:
    """Return what will be asked of the generator and the adjustments to be told.

    ``seed`` is used when the person gave none. ``goes_on``: it continues a clip of the same generator, by the clip itself.
    ``with_reference``: a picture of somebody who appears in it goes along, which is none of the wish's own. Raises Unsupported (values:
    field, wrote, legal, generator) for an explicit wish that the generator cannot meet and does not list as adjustable.
    """
    _refuse_unknown_model(wanted, capabilities)
    can = capabilities.of_model(wanted.model)
    if goes_on:
        can = _continuing(can)
    _refuse_impossible(wanted, can, goes_on=goes_on)
    shape, changes = _shape(wanted, can, with_reference=with_reference)
    changes += _left_out_pictures(wanted.pictures, can)
    if wanted.negative_prompt and can.folds_negative:
        changes.append(Change("change.negative_folded", {"generator": can.title}))
    person = wanted.person_generation
    if person is not None and not can.person_generation:
        # Only vendors with rules on real people know this switch; a generator without such rules has nothing to apply it to.
        changes.append(Change("change.ignored", {"field": "person_generation", "generator": can.title}))
        person = None
    applied = Applied(
        provider=can.name,
        model=wanted.model or can.default_model,
        prompt=wanted.prompt,
        negative_prompt=wanted.negative_prompt,
        aspect_ratio=shape["aspect_ratio"],
        resolution=shape["resolution"],
        seconds=shape["seconds"],
        seed=seed if wanted.seed is None else wanted.seed,
        audio=wanted.audio if can.audio_switch else can.audio,
        person_generation=person,
        line=wanted.line,
    )
    return applied, changes


def _continuing(can: Capabilities) -> Capabilities:
    """What it can do where it goes on from a clip of its own."""
    return replace(
        can,
        seconds=can.extend_seconds or can.seconds,
        resolutions=can.extend_resolutions or can.resolutions,
        adjusts=(),
    )


def _refuse_unknown_model(wanted: Wanted, can: Capabilities) -> None:
    if wanted.model is not None and wanted.model not in can.models:
        raise _unsupported("model", wanted.model, can.models, can)


def _refuse_impossible(wanted: Wanted, can: Capabilities, *, goes_on: bool) -> None:
    """Raise Unsupported for the first explicit wish that has no nearest thing to offer."""
    silent_wish = "audio" in wanted.explicit and wanted.audio != can.audio and not can.audio_switch
    people = wanted.person_generation is not None and bool(can.person_generation)
    begins = wanted.with_picture or goes_on
    tests: tuple[tuple[bool, str, object, tuple[str, ...]], ...] = (
        (
            wanted.with_picture and not can.pictures_used(wanted.pictures),
            "image_file",
            "a picture",
            ("a prompt without a picture",),
        ),
        (not begins and not can.text, "prompt", "no picture", ("a picture with a prompt",)),
        (wanted.last_frame and not can.last_frame, "last_image_file", "a last picture", ("left out",)),
        (
            bool(wanted.negative_prompt) and not can.negative_prompt,
            "negative_prompt",
            wanted.negative_prompt,
            ("left out",),
        ),
        (bool(wanted.line) and not can.speech, "line", wanted.line, ("left out",)),
        (wanted.seed is not None and not can.seed, "seed", wanted.seed, ("left out",)),
        (silent_wish, "generate_audio", str(wanted.audio).lower(), (str(can.audio).lower(),)),
        (
            people and wanted.person_generation not in can.person_generation,
            "person_generation",
            wanted.person_generation,
            can.person_generation,
        ),
    )
    for impossible, field, wrote, legal in tests:
        if impossible:
            raise _unsupported(field, wrote, legal, can)
    begins_with_one = can.pictures_used(wanted.pictures) == 1 and not goes_on
    if wanted.last_frame and not begins_with_one and not can.last_frame_alone:
        raise Unsupported(
            f"a last picture wants a first one on {can.name}",
            message_id="error.last_picture_alone",
            values={"field": "last_image_file", "wrote": "alone", "legal": "two pictures", "generator": can.title},
        )


def _left_out_pictures(sent: int, can: Capabilities) -> list[Change]:
    """What is told when not all pictures are used; another generator is never taken for their sake."""
    used = can.pictures_used(sent)
    if used == sent:
        return []
    if used == 1:
        return [Change("change.one_picture", {"sent": sent, "generator": can.title})]
    return [Change("change.references_most", {"sent": sent, "most": used, "generator": can.title})]


def _shape(wanted: Wanted, can: Capabilities, *, with_reference: bool) -> tuple[dict[str, Any], list[Change]]:
    """Return aspect, resolution and seconds as this generator can make them, and what had to change."""
    values: dict[str, Any] = {
        "aspect_ratio": wanted.aspect_ratio,
        "resolution": wanted.resolution,
        "seconds": wanted.seconds,
        "references": int(with_reference or can.pictures_used(wanted.pictures) > 1),
    }
    changes: list[Change] = []
    legal: tuple[tuple[str, tuple[str, ...]], ...] = (("aspect_ratio", can.aspects), ("resolution", can.resolutions))
    for name, possible in legal:
        if values[name] not in possible:
            if name in wanted.explicit:
                raise _unsupported(name, values[name], possible, can)
            values[name] = possible[0]
    if wanted.seconds not in can.seconds:
        nearest = min(can.seconds, key=lambda s: (abs(s - wanted.seconds), -s))
        if "seconds" in wanted.explicit:
            if wanted.seconds not in SECONDS:  # 4, 6 and 8 are legal everywhere and take the nearest
                raise _unsupported("duration", wanted.seconds, can.seconds, can)
            said = {"wanted": wanted.seconds, "applied": nearest, "generator": can.title}
            changes.append(Change("change.seconds", said))
        values["seconds"] = nearest
    for rule in can.adjusts:
        if values[rule.field] != rule.value or values[rule.forces] == rule.to:
            continue
        if {rule.forces, rule.field} & wanted.explicit:
            said = {"because": rule.value, "field": rule.forces, "applied": rule.to, "generator": can.title}
            changes.append(Change("change.forced", said))
        values[rule.forces] = rule.to
    return values, changes


_SAID_PLAINLY = {"image_file": "error.takes_no_picture", "last_image_file": "error.takes_no_last_picture"}
"""What is given as a file, under another name on each surface: sentences that need no name of the field."""


def _unsupported(name: str, wrote: Any, legal: Iterable[Any], can: Capabilities) -> Unsupported:
    words = " or ".join(str(value) for value in legal)
    values = {"field": name, "wrote": str(wrote)[:40], "legal": words, "generator": can.title}
    text = f"{name}={values['wrote']} is not possible on {can.name}"
    return Unsupported(text, message_id=_SAID_PLAINLY.get(name), values=values)


def choices_of(configured: Iterable[Capabilities], aliases: Iterable[str] = ()) -> Choices:
    """Return every value that is legal everywhere or that one of the configured generators can do."""
    generators = [each for one in configured for each in (one, *one.others)]

    def union(always: tuple[Any, ...], ours: Iterable[tuple[Any, ...]]) -> tuple[Any, ...]:
        return tuple(dict.fromkeys([*always, *(value for values in ours for value in values)]))

    return Choices(
        aspects=union(ASPECTS, (g.aspects for g in generators)),
        resolutions=union(RESOLUTIONS, (g.resolutions for g in generators)),
        seconds=tuple(sorted(union(SECONDS, (g.seconds for g in generators)))),
        providers=tuple(dict.fromkeys([*(g.name for g in generators), *aliases])),
    )
