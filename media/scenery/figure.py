"""Who a film is about, as something that can be drawn: what it is, its colours, what it wears and carries."""

from __future__ import annotations

from dataclasses import dataclass, field

from media.scenery.planes import Colour


@dataclass(frozen=True, slots=True)
class Carried:
    """One thing that a figure wears or carries."""

    name: str
    colour: Colour
    metal: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A character, drawn alike in every clip: all of it follows from its words."""

    kind: str
    """``person``, ``man``, ``woman``, ``child``, ``dancer``, ``robot``, ``astronaut`` or an animal."""
    coat: Colour
    """Of the whole figure where it has one colour, else of its upper clothes."""
    lower: Colour
    hair: Colour
    skin: Colour
    metal: bool = False
    carried: tuple[Carried, ...] = ()
    long_hair: bool = False
    words: tuple[str, ...] = field(default=(), compare=False)
    """What of the description became visible, as it was written."""

    def has(self, *names: str) -> bool:
        """Whether it wears or carries any of these."""
        return any(one.name in names for one in self.carried)

    def colour_of(self, name: str, otherwise: Colour) -> Colour:
        """The colour of a thing that it wears or carries."""
        return next((one.colour for one in self.carried if one.name == name), otherwise)


PEOPLE = frozenset({"person", "man", "woman", "child", "dancer", "robot", "astronaut", "couple"})
"""Figures on two legs."""
