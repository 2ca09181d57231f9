"""The verbs of every surface, declared once: their options, who sees the answer, and when they exist at all.

A surface turns this list into its own commands (Discord's definitions, Telegram's menus); descriptions are messages of the catalogue:
``verb.<name>`` and ``verb.option.<option>``. A verb that no configured generator can do is not offered anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from core.capabilities import Capabilities, choices_of
from core.requests import LINE_CHARACTERS, NEGATIVE_CHARACTERS, PROMPT_CHARACTERS, SEED_MOST

OptionKind = Literal["text", "whole", "picture", "flag", "job", "model", "who"]


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
    found = [Verb("video", (PROMPT, IMAGE, *further, *ends, *making), private=False)]
    if any(each.image for each in able):
        motion = Option("motion", "text", "prompt", most=PROMPT_CHARACTERS)
        picture = Option("image", "picture", required=True)
        found.append(Verb("animate", (picture, *ends, motion, model, seconds, PRIVATE), private=False))
    if any(each.extend or each.image for each in able):
        found.append(Verb("extend", (JOB, PROMPT, PRIVATE), private=False))
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
        Verb("examples"),
        Verb("help"),
        Verb("privacy"),
        Verb("forget"),
    ]
    return tuple(found)


def _setting_options(*defaults: Option) -> tuple[Option, ...]:
    return (Option("notify", "flag", "notify"), *defaults)


def by_name(found: Iterable[Verb]) -> Mapping[str, Verb]:
    """The verbs by their names."""
    return {verb.name: verb for verb in found}
