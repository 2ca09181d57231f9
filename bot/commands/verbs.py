"""The verbs of every surface, declared once: their options, who sees the answer, and when they exist at all.

A surface turns this list into its own commands (Discord's definitions, Telegram's menus); descriptions are messages of the catalogue:
``verb.<name>`` and ``Option.words``. A verb that no configured generator can do is not offered anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from core.capabilities import Capabilities, choices_of
from core.films import CHARACTER_CHARACTERS, MOST_SCENES, TITLE_CHARACTERS, TRANSITIONS
from core.jobs import MOST_VARIATIONS
from core.requests import LINE_CHARACTERS, NEGATIVE_CHARACTERS, PROMPT_CHARACTERS, SEED_MOST

OptionKind = Literal["text", "whole", "picture", "song", "flag", "job", "model", "who"]
"""``song``: an audio file that comes along, as ``picture`` is a picture."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a verb. ``field`` is the field of docs/reference/http.md that it fills."""

    name: str
    kind: OptionKind
    field: str = ""
    required: bool = False
    most: int | None = None
    """Characters of a text, or the largest number."""
    choices: tuple[str | int, ...] = ()
    least: int = 0
    """The smallest number."""
    described: str = ""
    """What its words are found by in the catalogue, where not by its name: ``verb.option.<described>``."""

    @property
    def words(self) -> str:
        """The id of its description; that of its name ends in ``.name`` besides."""
        return f"verb.option.{self.described or self.name}"


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb. ``private``: only whoever asks sees the answer."""

    name: str
    options: tuple[Option, ...] = ()
    private: bool = True
    admin: bool = False

    def option(self, name: str) -> Option | None:
        """The option of that name."""
        return next((option for option in self.options if option.name == name), None)


PROMPT: Final = Option("prompt", "text", "prompt", most=PROMPT_CHARACTERS)
IMAGE: Final = Option("image", "picture")
FURTHER: Final = (Option("image2", "picture"), Option("image3", "picture"))
"""References besides the first picture, as many as fit into a list of options; an album or a form brings more."""
LAST_IMAGE: Final = Option("last_image", "picture")
"""The picture with which the clip ends."""
JOB: Final = Option("clip", "job", required=True)
WHO: Final = Option("who", "who", required=True)
PRIVATE: Final = Option("private", "flag")
GALLERIES: Final = ("mine", "server", "favourites")
EXAMPLES: Final = (
    "example.1",
    "example.2",
    "example.3",
    "example.4",
    "example.5",
    "example.6",
    "example.7",
    "example.8",
)
"""Prompts of the catalogue that run at a press."""
SONG: Final = Option("song", "song")
FILM_MUSIC: Final = ("built-in", "none")
"""A song is the film's music by coming along."""
TEMPLATES: Final = (
    Option("save", "text", most=32),
    Option("text", "text", most=PROMPT_CHARACTERS),
    Option("drop", "text", most=32),
)
"""What may be done with templates where the examples are shown."""
SETTING_NAMES: Final = ("notify", "aspect", "seconds", "resolution", "model")


def verbs(generators: Iterable[Capabilities]) -> tuple[Verb, ...]:
    """Every verb that works with these generators, in the order of the help."""
    able = list(generators)
    choices = choices_of(able)
    model = Option("model", "model", "provider")
    aspect = Option("aspect", "text", "aspect_ratio", choices=choices.aspects)
    seconds = Option("seconds", "whole", "duration", choices=choices.seconds)
    resolution = Option("resolution", "text", "resolution", choices=choices.resolutions)
    negative = Option("negative", "text", "negative_prompt", most=NEGATIVE_CHARACTERS)
    seed = Option("seed", "whole", "seed", most=SEED_MOST)
    everyone = [each for one in able for each in (one, *one.others)]
    together = max((each.reference_images for each in everyone), default=0)
    further = FURTHER[: together - 1] if together > 1 else ()
    ends = (LAST_IMAGE,) if any(each.last_frame for each in everyone) else ()
    making = (model, aspect, seconds, resolution, negative, seed, PRIVATE)
    template = (Option("template", "text", "template", most=32), Option("fill", "text", "fill", most=PROMPT_CHARACTERS))
    variations = Option("variations", "whole", "variations", least=2, most=MOST_VARIATIONS)
    found = [
        Verb("video", (PROMPT, IMAGE, *further, *ends, *making[:-1], variations, *template, PRIVATE), private=False)
    ]
    if any(each.text for each in able):
        found.append(Verb("film", _film_options(aspect, seconds, model), private=False))
    if any(each.image for each in able):
        motion = Option("motion", "text", "prompt", most=PROMPT_CHARACTERS)
        picture = Option("image", "picture", required=True)
        found.append(Verb("animate", (picture, *ends, motion, model, seconds, PRIVATE), private=False))
    if any(each.extend or each.image for each in able):
        found.append(Verb("extend", (JOB, PROMPT, Option("join", "flag", "join"), PRIVATE), private=False))
    if any(each.speech for each in able):
        line = Option("line", "text", "line", required=True, most=LINE_CHARACTERS)
        found.append(Verb("talk", (line, IMAGE, PROMPT, model, PRIVATE), private=False))
    found += [
        Verb("jobs"),
        Verb("cancel", (JOB,)),
        Verb("resend", (JOB,)),
        Verb("gallery", (Option("which", "text", choices=GALLERIES),)),
        Verb("quota"),
        Verb("settings", _setting_options(aspect, seconds, resolution, model)),
        Verb("examples", TEMPLATES),
        Verb("help"),
        Verb("privacy"),
        Verb("forget"),
    ]
    return tuple(found)


def _film_options(aspect: Option, seconds: Option, model: Option) -> tuple[Option, ...]:
    return (
        Option("idea", "text", "idea", required=True, most=PROMPT_CHARACTERS),
        Option("scenes", "whole", "scenes", least=1, most=MOST_SCENES),
        Option("character", "text", "character", most=CHARACTER_CHARACTERS),
        Option("image", "picture", described="character_image"),
        SONG,
        aspect,
        replace(seconds, described="scene_seconds"),
        model,
        Option("title", "text", "title", most=TITLE_CHARACTERS),
        Option("music", "text", "music", choices=FILM_MUSIC),
        Option("transition", "text", "transition", choices=TRANSITIONS),
        replace(PRIVATE, described="film_private"),
    )


def _setting_options(*defaults: Option) -> tuple[Option, ...]:
    return (Option("notify", "flag", "notify"), *defaults)


def by_name(found: Iterable[Verb]) -> Mapping[str, Verb]:
    """The verbs by their names."""
    return {verb.name: verb for verb in found}
