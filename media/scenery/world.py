"""What every painter of one scene shares: size, colours, light, camera and chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from media.scenery.noise import Field, generator
from media.scenery.palettes import Palette
from media.scenery.planes import Canvas, Colour
from media.scenery.words import Reading


class Painter(Protocol):
    """Something that adds itself to a frame. Equal times give equal pictures."""

    def draw(self, canvas: Canvas, time: float) -> None:
        """``time``: seconds from the start of the clip."""


@dataclass(slots=True)
class Light:
    """Sun or moon. ``kind`` is ``sun``, ``moon`` or ``none`` (light without a visible source)."""

    kind: str
    x: float
    y: float
    tone: Colour
    radius: float


@dataclass(slots=True)
class World:
    """One scene's shared facts. Lengths in pixels are ``units × unit`` (a unit is 1/720 of the short side)."""

    width: int
    height: int
    seconds: float
    seed: int
    text: str
    palette: Palette
    reading: Reading
    light: Light
    horizon: int
    drift: float = 1.0
    """Which way the camera goes: 1 or −1."""
    lamps: list[tuple[float, float, Colour, float]] = field(default_factory=list)
    """Lights that water and wet streets mirror: x, y, colour, strength."""
    peopled: bool = False
    """A figure of a film will stand in it, which no word of the reading names."""
    pace: float = 1.0
    """How far the camera goes, beside a clip of its own."""

    @property
    def unit(self) -> float:
        """Pixels per design unit."""
        return min(self.width, self.height) / 720

    def chance(self, name: str) -> np.random.Generator:
        """An independent stream of numbers for one purpose."""
        return generator(self.seed, self.text, name)

    def travel(self, time: float) -> float:
        """How far the camera has gone, in pixels at depth 1: centred, with an eased start and end."""
        part = min(1.0, max(0.0, time / self.seconds))
        eased = part * part * (3 - 2 * part)
        reach = 15.0 * self.unit * min(self.seconds, 8.0) * self.pace
        return self.drift * (0.6 * part + 0.4 * eased - 0.5) * reach

    @property
    def margin(self) -> int:
        """Columns that a layer of depth 1 needs on both sides of the screen."""
        return (int(15.0 * self.unit * min(self.seconds, 8.0) * self.pace * 0.5) + 8 + 3) & ~3


@dataclass(slots=True)
class Moving:
    """A painter made from a plain function."""

    action: Callable[[Canvas, float], None]

    def draw(self, canvas: Canvas, time: float) -> None:
        """Call it."""
        self.action(canvas, time)


def grid(width: int, height: int) -> tuple[Field, Field]:
    """Pixel coordinates as a row and a column that broadcast: x of shape (1, w), y of shape (h, 1)."""
    return np.arange(width, dtype=np.float32)[None, :] + 0.5, np.arange(height, dtype=np.float32)[:, None] + 0.5
