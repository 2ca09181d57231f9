"""A character alone, before a plain studio wall: the very figure of the film's clips."""

from __future__ import annotations

import numpy as np

from media.scenery.acting import Blocking, Performer, bulk_of, tall
from media.scenery.character import figure_of
from media.scenery.cosmos import Vignette
from media.scenery.noise import Field, smoothstep
from media.scenery.palettes import PALETTES
from media.scenery.planes import Canvas, colour, mix
from media.scenery.quadrupeds import BEASTS
from media.scenery.solids import Lamp
from media.scenery.words import COLOURS, read
from media.scenery.world import Light, World, grid

_WALL, _EDGE, _FLOOR = colour("#b9c0c8"), colour("#5a636e"), colour("#8e969f")
_LAMP = Lamp(
    key=(1.04, 1.00, 0.95), shade=(0.44, 0.47, 0.55), toward=(0.56, 0.48, 0.68), rim=(1.0, 0.98, 0.94), behind=(-0.86, 0.50, 0.0),
    rim_strength=0.85, above=(0.62, 0.70, 0.82), around=(1.0, 0.99, 0.96), below=(0.24, 0.24, 0.26),
)  # fmt: skip


class Portrait:
    """One still picture as a clip: ``frame`` gives the same at any time. What no figure is known for becomes a person."""

    def __init__(self, character: str, size: tuple[int, int], seconds: float) -> None:
        """``character``: a description in words."""
        width, height = size
        figure = figure_of(character, always=True)
        assert figure is not None  # noqa: S101 - ``always``
        reading = read(character)
        light = Light("none", width * 0.75, height * 0.1, (1.0, 1.0, 1.0), 40)
        self.world = World(width, height, seconds, 0, character, PALETTES["winter"], reading, light, int(height * 0.8))
        beast = figure.kind in BEASTS
        part = (0.62 if beast else 0.82) / tall(figure) ** 0.9 / bulk_of(figure)
        blocking = Blocking(part, 0.925, 0.5, 0.72 if beast else 0.42, 0.07, 4.5, "stand")
        self._still = Canvas.painted(_studio(width, height), self.world.chance("studio"))
        Performer(self.world, figure, blocking, lamp=_LAMP).draw(self._still, 0.0)
        Vignette(self.world, 0.24).draw(self._still, 0.0)
        self.drawn = list(figure.words)
        self.not_drawn = [
            match.word for match in reading.matches if match.element not in COLOURS and match.element != figure.kind
        ]
        self.place, self.caption, self.thunder = "", False, list[float]()
        self.figure = figure

    def frame(self, time: float) -> Canvas:
        """The picture."""
        del time
        return self._still


def _studio(width: int, height: int) -> Field:
    """A soft-lit wall that runs into the floor without an edge."""
    x, y = grid(width, height)
    far = np.hypot((x / width - 0.54) * 1.15, y / height - 0.42)
    wall = smoothstep(0.05, 0.85, far)
    floor = smoothstep(0.74, 0.90, y / height) * 0.6 + 0 * x
    rgb = np.empty((height, width, 3), dtype=np.float32)
    for channel in range(3):
        tone = _WALL[channel] + (_EDGE[channel] - _WALL[channel]) * wall
        rgb[..., channel] = tone + (mix(_FLOOR, _WALL, 0.3)[channel] - tone) * floor
    return rgb
