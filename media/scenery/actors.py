"""Figures that stand on the ground, and what all figures share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from media.scenery import beasts, builds, people, swimmers
from media.scenery.land import Sheet
from media.scenery.noise import smoothstep
from media.scenery.palettes import TINTS
from media.scenery.planes import Canvas, Colour, Glow, Sprite, codes, mix
from media.scenery.rig import Actor, Brush, dressed, silhouette
from media.scenery.world import Painter, World

PEOPLE = tuple(people.HEIGHTS)


BEASTS = tuple(builds.BUILDS)


SWIMMERS = tuple(swimmers.LENGTHS)


_POSES = 20


@dataclass(slots=True)
class Ground:
    """Where figures stand: a layer's crest."""

    world: World
    sheet: Sheet
    sink: float = 4.0

    def row(self, x: float) -> float:
        """The crest's row at a column of the layer (screen column at mid-clip)."""
        index = int(np.clip(x + self.sheet.margin, 0, len(self.sheet.crest) - 1))
        return float(self.sheet.crest[index]) + self.sheet.top + self.sink * self.world.unit

    def slope(self, x: float) -> float:
        """Radians, positive when it falls to the right."""
        reach = 40 * self.world.unit
        return float(np.arctan2(self.row(x + reach) - self.row(x - reach), 2 * reach))


def tinted(world: World, own: Colour, element: str) -> Colour:
    """A figure's own colour, or the colour word that stands with it in the prompt."""
    named = world.reading.colour_of(element)
    return mix(own, TINTS[named], 0.8) if named else own


def cycle(
    world: World,
    make: Callable[[float], Brush],
    height: float,
    box: tuple[float, float, float, float],
    coat: Colour,
    x: float,
    count: int,
    melt: float = 0.012,
) -> list[Sprite]:
    """One sprite for every pose of a cycle."""
    sprites = []
    for index in range(count):
        brush = make(index / count)
        cover, origin = silhouette(brush, height, box, melt)
        sprites.append(dressed(world, cover, origin, coat, x, brush, height))
    return sprites


def _shared(like: Painter | None) -> list[Sprite] | None:
    return like.actor.frames if isinstance(like, Shadowed) else None


def on_ground(
    world: World,
    ground: Ground,
    kind: str,
    x: float,
    scale: float = 1.0,
    *,
    facing: float = 1.0,
    offset: float = 0.0,
    herd: float = 1.0,
    like: Painter | None = None,
) -> Painter:
    """A person or beast that stands, sits, walks, runs or dances where the prompt says so.

    ``herd``: its size beside the first of its kind; ``like``: that first one, whose drawings it shares.
    """
    depth = ground.sheet.depth
    alone = sum(world.reading.has(one) for one in (*PEOPLE, *BEASTS)) <= 1
    small = kind in ("cat", "dog", "wolf", "fox", "rabbit", "owl", "child", "sheep")
    size = min(world.width, world.height) * scale * ((1.32 if small else 1.08) if alone else 1.0)
    moves = "run" if world.reading.has("run") else "walk" if world.reading.has("walk") or kind == "camel" else "stand"
    if kind in PEOPLE:
        gait = "dance" if kind != "dancer" and world.reading.has("dancer") else moves
        height = people.HEIGHTS[kind] * size
        coat = tinted(world, people.COATS[kind], kind)
        period = {"run": 0.75, "walk": 1.35, "dance": 4.0}.get(gait, 4.0)
        count = {"run": 18, "walk": 16}.get(gait, _POSES)
        stride = {"run": 1.15, "walk": 0.62}.get(gait, 0.0) * height / period
        if kind in ("astronaut", "robot") and gait in ("walk", "run"):
            period, count, stride = 2.2, _POSES, 0.16 * height
        frames = _shared(like) or cycle(
            world, lambda phase: people.person(kind, phase, gait), height, people.BOX, coat, x, count
        )
    elif kind == "owl":
        height = 0.13 * size
        period, stride = 5.0, 0.0
        frames = _shared(like) or cycle(world, swimmers.owl, height, swimmers.OWL_BOX, swimmers.COATS["owl"], x, 12)
    else:
        build = builds.BUILDS[kind]
        height = build.size * size
        gait = moves
        if moves == "stand" and kind in ("cat", "dog", "fox", "wolf") and (kind != "fox" or world.seed % 2 == 0):
            gait, height = "sit", height * (1.15 if alone else 0.96)
        period = {"run": 0.58 + build.size, "walk": 1.5 if kind != "camel" else 2.0}.get(gait, 4.0)
        count = {"run": round(24 * (0.58 + build.size)), "walk": 30}.get(gait, _POSES)
        stride = {"run": 1.9, "walk": build.stride * 1.45}.get(gait, 0.0) * height / period
        frames = _shared(like) or cycle(
            world,
            lambda phase: beasts.beast(kind, phase, gait),
            height,
            beasts.BOX,
            tinted(world, build.coat, kind),
            x,
            count,
            0.016,
        )
    limit = world.width * 0.56 / world.seconds
    speed = min(stride * herd, limit) * facing
    steep = kind in BEASTS and moves != "stand"

    def path(time: float) -> tuple[float, float, float]:
        place = x + speed * (time - world.seconds / 2)
        turn = ground.slope(place) * 0.6 if steep else 0.0
        return place + world.travel(time) * depth, ground.row(place), turn

    return Shadowed(Actor(frames, period, path, flip=facing < 0, scale=herd, offset=offset), height * herd, world)


class Shadowed:
    """An actor with a soft shadow at its feet, so that it stands and does not float, and a faint light behind it."""

    def __init__(self, actor: Actor, height: float, world: World) -> None:
        self.actor, self.height, self.world = actor, height, world
        tone = mix(world.palette.haze, world.palette.light, 0.35)
        self.halo = Glow(height * 0.95, tone, 0.10 + 0.24 * world.palette.dark, 1.5)

    def draw(self, canvas: Canvas, time: float) -> None:
        """A breath of light behind it, then the shadow, then the figure."""
        x, y, _ = self.actor.path(time)
        self.halo.draw(canvas, x, y - self.height * 0.5)
        wide, tall = int(self.height * 0.62) & ~1, int(self.height * 0.10) & ~1
        if wide > 4 and tall > 2:
            canvas.tint(codes(self.world.palette.deep), ellipse(wide, tall), int(x) - wide // 2, int(y) - tall // 2)
        self.actor.draw(canvas, time)


_ELLIPSES: dict[tuple[int, int], Image.Image] = {}


def ellipse(wide: int, tall: int) -> Image.Image:
    """A soft spot as a mask (kept for the next time)."""
    found = _ELLIPSES.get((wide, tall))
    if found is None:
        y, x = np.mgrid[0:tall, 0:wide].astype(np.float32)
        far = np.hypot((x + 0.5) / wide * 2 - 1, (y + 0.5) / tall * 2 - 1)
        found = Image.fromarray(((1 - smoothstep(0.1, 1.0, far)) * 120).astype(np.uint8))
        if len(_ELLIPSES) < 64:
            _ELLIPSES[(wide, tall)] = found
    return found


def built(
    world: World,
    brush: Brush,
    tall: float,
    box: tuple[float, float, float, float],
    coat: Colour,
    x: float,
    *,
    windows: bool = True,
) -> Sprite:
    """A thing drawn with one brush, dressed for the hour; by day its windows are dark."""
    cover, origin = silhouette(brush, tall, box, 0.0)
    if not windows or world.palette.dark < 0.12:
        brush.lights = [
            (lx, ly, r, mix(mix(world.palette.deep, coat, 0.2), world.palette.sky[2], 0.35))
            for lx, ly, r, _ in brush.lights
        ]
    return dressed(world, cover, origin, coat, x, brush, tall, own=0.86)
