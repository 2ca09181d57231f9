"""What a generator can do, as data, and how a wish is fitted to it: adjusted and said, or refused with the legal values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from core.errors import Unsupported
from core.requests import ASPECTS, MOST_PICTURES, RESOLUTIONS, SECONDS, Choices, Wanted


@dataclass(frozen=True, slots=True)
class Adjust:
    """When ``field`` is ``value``, ``forces`` becomes ``to`` even if the person said otherwise; said in the card."""

    field: str
    value: str | int
    forces: str
    to: str | int


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
    seed: bool = True
    negative_prompt: bool = True
    audio: bool = True
    audio_switch: bool = False
    """Whether sound can be left out on request."""
    extend: bool = False
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
    adjusts: tuple[Adjust, ...] = ()

    @property
    def default_model(self) -> str:
        """The model used when none is named."""
        return self.models[0]

    def pictures_used(self, sent: int) -> int:
        """How many of an order's pictures it uses: several as references where it can, else the first one as the clip's beginning."""
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

    @property
    def pictures(self) -> tuple[str, ...]:
        """Keys of all its pictures, in the order in which they came."""
        return self.references if self.picture is None else (self.picture,)

    def with_pictures(self, keys: Iterable[str]) -> Applied:
        """The same with these pictures: the clip begins with a single one, and several are references."""
        found = tuple(keys)
        one = found[0] if len(found) == 1 else None
        return replace(self, picture=one, references=found if one is None else ())

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


def fit(wanted: Wanted, capabilities: Capabilities, *, seed: int) -> tuple[Applied, list[Change]]:
    """Return what will be asked of the generator and the adjustments to be told.

    ``seed`` is used when the person gave none. Raises Unsupported (values: field, wrote, legal, generator) for an explicit wish that
    the generator cannot meet and does not list as adjustable.
    """
    can = capabilities
    _refuse_impossible(wanted, can)
    shape, changes = _shape(wanted, can)
    changes += _left_out_pictures(wanted.pictures, can)
    if wanted.person_generation is not None and can.unpaid:
        # Only vendors with rules on real people know this switch; a generator without such rules has nothing to apply it to.
        changes.append(Change("change.ignored", {"field": "person_generation", "generator": can.title}))
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
        person_generation=wanted.person_generation,
        line=wanted.line,
    )
    return applied, changes


def _refuse_impossible(wanted: Wanted, can: Capabilities) -> None:
    """Raise Unsupported for the first explicit wish that has no nearest thing to offer."""
    silent_wish = "audio" in wanted.explicit and wanted.audio != can.audio and not can.audio_switch
    tests: tuple[tuple[bool, str, object, tuple[str, ...]], ...] = (
        (
            wanted.with_picture and not can.pictures_used(wanted.pictures),
            "image_file",
            "a picture",
            ("a prompt without a picture",),
        ),
        (not wanted.with_picture and not can.text, "prompt", "no picture", ("a picture with a prompt",)),
        (
            bool(wanted.negative_prompt) and not can.negative_prompt,
            "negative_prompt",
            wanted.negative_prompt,
            ("left out",),
        ),
        (bool(wanted.line) and not can.speech, "line", wanted.line, ("left out",)),
        (wanted.seed is not None and not can.seed, "seed", wanted.seed, ("left out",)),
        (silent_wish, "generate_audio", str(wanted.audio).lower(), (str(can.audio).lower(),)),
        (wanted.model is not None and wanted.model not in can.models, "model", wanted.model, can.models),
    )
    for impossible, field, wrote, legal in tests:
        if impossible:
            raise _unsupported(field, wrote, legal, can)


def _left_out_pictures(sent: int, can: Capabilities) -> list[Change]:
    """What is told when not all pictures are used; another generator is never taken for their sake."""
    used = can.pictures_used(sent)
    if used == sent:
        return []
    if used == 1:
        return [Change("change.one_picture", {"sent": sent, "generator": can.title})]
    return [Change("change.references_most", {"sent": sent, "most": used, "generator": can.title})]


def _shape(wanted: Wanted, can: Capabilities) -> tuple[dict[str, Any], list[Change]]:
    """Return aspect, resolution and seconds as this generator can make them, and what had to change."""
    values: dict[str, Any] = {
        "aspect_ratio": wanted.aspect_ratio,
        "resolution": wanted.resolution,
        "seconds": wanted.seconds,
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


def _unsupported(name: str, wrote: Any, legal: Iterable[Any], can: Capabilities) -> Unsupported:
    words = " or ".join(str(value) for value in legal)
    values = {"field": name, "wrote": str(wrote)[:40], "legal": words, "generator": can.title}
    return Unsupported(f"{name}={values['wrote']} is not possible on {can.name}", values=values)


def choices_of(configured: Iterable[Capabilities], aliases: Iterable[str] = ()) -> Choices:
    """Return every value that is legal everywhere or that one of the configured generators can do."""
    generators = list(configured)

    def union(always: tuple[Any, ...], ours: Iterable[tuple[Any, ...]]) -> tuple[Any, ...]:
        return tuple(dict.fromkeys([*always, *(value for values in ours for value in values)]))

    return Choices(
        aspects=union(ASPECTS, (g.aspects for g in generators)),
        resolutions=union(RESOLUTIONS, (g.resolutions for g in generators)),
        seconds=tuple(sorted(union(SECONDS, (g.seconds for g in generators)))),
        providers=tuple(dict.fromkeys([*(g.name for g in generators), *aliases])),
    )
