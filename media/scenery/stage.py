"""A place under construction, and what several places share."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from media.scenery.actors import BEASTS, PEOPLE, Ground
from media.scenery.land import mountains
from media.scenery.noise import Field
from media.scenery.palettes import GROUND
from media.scenery.planes import Canvas, Colour, colour
from media.scenery.weather import Fog
from media.scenery.world import Painter, World

FLOWERS: tuple[Colour, ...] = (
    colour("#e8484a"),
    colour("#f6c64a"),
    colour("#f4f0ea"),
    colour("#c86ae0"),
    colour("#ff8ab0"),
)


@dataclass(slots=True)
class Stage:
    """A place under construction, from back to front."""

    world: World
    base: Canvas
    sky: Field
    back: list[Painter] = field(default_factory=list)
    middle: list[Painter] = field(default_factory=list)
    """After the water."""
    front: list[Painter] = field(default_factory=list)
    """Near land on which figures stand."""
    near: list[Painter] = field(default_factory=list)
    """In front of the figures."""
    ground: Ground | None = None
    water_row: float | None = None

    def mirrored(self) -> Field:
        """What the water reflects: everything so far, at mid-clip."""
        canvas = self.base.copy()
        for painter in self.back:
            painter.draw(canvas, self.world.seconds / 2)
        picture = np.asarray(canvas.rgb(), dtype=np.float32) / 255
        light = self.world.light
        if light.kind != "none":
            # The disc itself becomes the glitter path; mirrored as well it would lie there as a grey ghost.
            reach = light.radius * 1.25
            x0, x1 = max(0, int(light.x - reach)), min(self.world.width - 1, int(light.x + reach))
            y0, y1 = max(0, int(light.y - reach)), min(self.world.horizon, int(light.y + reach))
            if y1 > y0 and x1 > x0:
                part = np.linspace(0, 1, x1 - x0, dtype=np.float32)[None, :, None]
                picture[y0:y1, x0:x1] = picture[y0:y1, x0 : x0 + 1] * (1 - part) + picture[y0:y1, x1 : x1 + 1] * part
        return picture


def season(world: World) -> str:
    """Which leaves the trees wear."""
    reading = world.reading
    if reading.has("autumn"):
        return "autumn"
    if reading.has("spring"):
        return "blossom"
    return "snow_pine" if reading.has("snow", "winter") else "leaf"


def turf(world: World) -> Colour:
    """The colour of open ground."""
    if world.reading.has("snow", "winter"):
        return GROUND["snow"]
    return GROUND["autumn_grass"] if world.reading.has("autumn") else GROUND["grass"]


def ranges(stage: Stage, *, tall: float, base: float) -> None:
    """Two mountain ranges, snow as asked."""
    world = stage.world
    snow = (
        0.78
        if world.reading.has("snow", "winter")
        else 0.40
        if world.palette.name in ("winter", "day", "dawn", "night", "sunset", "twilight")
        else 0.25
    )
    fog = 0.15 if world.reading.has("fog") else 0.0
    stage.back.append(
        mountains(world, "far range", depth=0.05, base=base, height=tall, far=0.56 + fog, snow=snow).finished()
    )
    if world.reading.has("fog"):
        stage.back.append(
            Fog(world, "fog far", middle=base - tall * 0.25, tall=70 * world.unit, strength=0.75, speed=7)
        )
    stage.back.append(
        mountains(
            world,
            "near range",
            depth=0.13,
            base=base + 8 * world.unit,
            height=tall * 0.66,
            far=0.30 + fog,
            snow=snow * 0.9,
        ).finished()
    )


def wood_kind(world: World) -> str:
    """Which trees a wood has: pines, unless the season says otherwise."""
    kind = season(world)
    return "pine" if kind == "leaf" and not world.reading.has("tree") else kind


def needs_ground(world: World) -> bool:
    """Whether something is named that must stand on land."""
    return world.peopled or world.reading.has(
        *PEOPLE,
        *BEASTS,
        "owl",
        "house",
        "castle",
        "campfire",
        "train",
        "car",
        "tree",
        "cactus",
        "rocket",
        "meadow",
        "flower",
        "hill",
    )
