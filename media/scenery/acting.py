"""A film's figure in a clip: lit by the scene, posed for the moment, and put where the shot wants it."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, sin

import numpy as np

from media.scenery.actors import Ground, ellipse
from media.scenery.bodies import Frame, body
from media.scenery.figure import Figure
from media.scenery.noise import Field
from media.scenery.outfits import hands, put_on
from media.scenery.planes import Canvas, Colour, Sprite, codes, mix
from media.scenery.poses import GAITS, HEADS, Pose, pose_of, with_hands_full
from media.scenery.quadrupeds import BEASTS, quadruped
from media.scenery.solids import Lamp, Point3, Solid
from media.scenery.world import World


@dataclass(frozen=True, slots=True)
class Blocking:
    """Where a figure stands in the picture and how it is seen. Parts of the frame's width and height."""

    height: float
    """Of a grown person, in parts of the frame's height."""
    feet: float
    x: float
    yaw: float
    pitch: float = 0.06
    near: float = 5.0
    gait: str = "look"
    dim: float = 1.0
    window: tuple[float, float] = (-9.0, 9.0)
    """Which part of the figure can be in the picture, in parts of its height."""
    grow: float = 0.0
    """How much nearer it comes during the clip."""
    centre: float = 0.5
    """Which part of the figure stays in its place while it grows, in parts of its height."""
    go: float = 0.0
    """How far it goes sideways during the clip, in parts of the frame's width."""
    rise: float = 0.0
    """How far it goes up in the picture during the clip, in parts of the frame's height, because the camera tilts."""
    grounded: bool = True


def tall(figure: Figure) -> float:
    """How far a figure reaches above its own head, 1 for not at all."""
    return 1 + max(
        0.32 * figure.has("umbrella"),
        0.46 * figure.has("balloon"),
        0.34 * figure.has("flag"),
        0.15 * figure.has("pointed_hat"),
    )


def bulk_of(figure: Figure) -> float:
    """Its height beside a grown person's; small animals are taken larger and large ones smaller than they are."""
    if figure.kind == "child":
        return 0.80
    beast = BEASTS.get(figure.kind)
    return 1.0 if beast is None else min(1.30, max(0.62, beast.tall**0.5))


def lamp_of(world: World, x: float, *, dim: float = 1.0, backlit: bool = False) -> Lamp:
    """The scene's light on a figure at column ``x``; never so dark that its own colours are lost."""
    palette, light = world.palette, world.light
    side = 1.0 if light.x >= x else -1.0
    dark = palette.dark
    white: Colour = (1.0, 1.0, 1.0)
    key = mix(mix(palette.key, palette.light, 0.35), white, 0.42)
    key = _bright(key, 1.12 - 0.16 * dark)
    shade = _bright(mix(palette.shade, palette.haze, 0.25), 0.56 - 0.08 * dark)
    rim = mix(palette.light, palette.sky[-1], 0.20)
    return Lamp(
        key,
        shade,
        _unit(0.62 * side, 0.48, 0.30 if backlit else 0.62),
        rim,
        _unit(0.85 * side, 0.42, 0.0),
        (1.15 if backlit else 0.80) * (1.0 if light.kind != "none" else 0.75),
        mix(palette.sky[0], palette.sky[1], 0.7),
        mix(palette.sky[-1], palette.light, 0.55),
        mix(palette.deep, palette.haze, 0.22),
        dim,
    )


def _unit(x: float, y: float, z: float) -> Point3:
    length = hypot(x, y, z)
    return x / length, y / length, z / length


def _bright(one: Colour, level: float) -> Colour:
    """The colour at this brightness (its strongest part)."""
    most = max(one)
    return one[0] * level / most, one[1] * level / most, one[2] * level / most


class Performer:
    """A figure that acts. Poses are drawn when they are first needed and kept; equal times give equal pictures."""

    def __init__(
        self,
        world: World,
        figure: Figure,
        blocking: Blocking,
        *,
        lamp: Lamp | None = None,
        ground: Ground | None = None,
    ) -> None:
        """``ground``: what it stands on and moves with."""
        self.world, self.figure, self.blocking, self.ground = world, figure, blocking, ground
        self.height = blocking.height * world.height * bulk_of(figure)
        self.drawn = 1 + max(0.0, blocking.grow) * 0.5
        self.lamp = lamp or lamp_of(world, blocking.x * world.width, dim=blocking.dim, backlit=blocking.dim < 1)
        self.period, self.count = GAITS[blocking.gait]
        if figure.kind in BEASTS and blocking.gait == "dance":
            self.period, self.count = GAITS["look"]
        self.heads = HEADS.get(blocking.gait, 0)
        self._straight: Solid | None = None
        self._kept: dict[tuple[str, int], Sprite] = {}

    def _drawing(self, part: str, index: int, count: int) -> Sprite:
        found = self._kept.get((part, index))
        if found is None:
            blocking, figure, phase = self.blocking, self.figure, index / count
            solid = Solid(self.height * self.drawn)
            if figure.kind in BEASTS:
                quadruped(solid, figure, blocking.gait, phase, part)
            else:
                near, far = hands(figure)
                pose = with_hands_full(pose_of(blocking.gait, phase), near=near, far=far)
                if part == "head":
                    frame = body(solid, figure, pose, "none")
                    solid = self._head(solid.height).moved(frame.head, np.zeros(3), _neck(frame))
                else:
                    frame = body(solid, figure, pose, part)
                    put_on(solid, figure, frame, pose, part)
            found = solid.sprite(self.lamp, blocking.yaw, blocking.pitch, near=blocking.near, window=blocking.window)
            self._kept[(part, index)] = found
        return found

    def _head(self, height: float) -> Solid:
        """The head with what is on it, looking straight ahead, its neck at the origin. Made once."""
        if self._straight is None:
            solid, still = Solid(height), Pose()
            frame = body(solid, self.figure, still, "head")
            put_on(solid, self.figure, frame, still, "head")
            self._straight = solid.moved(np.eye(3), _neck(frame), np.zeros(3))
        return self._straight

    def _drawings(self, time: float) -> list[Sprite]:
        """What is laid down at this moment, farthest first: the whole figure, or its trunk and its head."""
        part = time / self.period
        whole = int(part * self.count + 0.5) % self.count
        if not self.heads:
            return [self._drawing("all", whole, self.count)]
        if self.blocking.window[1] < 0.84 and self.figure.kind not in BEASTS:
            return [self._drawing("trunk", whole, self.count)]
        both = [
            self._drawing("trunk", whole, self.count),
            self._drawing("head", int(part * self.heads + 0.5) % self.heads, self.heads),
        ]
        return both if cos(self.blocking.yaw) > -0.2 else both[::-1]

    def place(self, time: float) -> tuple[float, float, float]:
        """Column and row of the ground under it, and its size beside the first moment's."""
        world, blocking = self.world, self.blocking
        part = min(1.0, max(0.0, time / world.seconds))
        eased = part * part * (3 - 2 * part)
        size = 1 + blocking.grow * eased
        x = blocking.x * world.width + blocking.go * world.width * (part - 0.5)
        feet = blocking.feet * world.height
        if self.ground is not None:
            row = self.ground.row(x) + 0.012 * world.height
            return x + world.travel(time) * self.ground.sheet.depth, row, size
        feet -= blocking.rise * (eased - 0.5) * world.height
        return x, feet + (size - 1) * self.height * blocking.centre, size

    def draw(self, canvas: Canvas, time: float) -> None:
        """Its shadow, then the figure."""
        world, blocking = self.world, self.blocking
        x, y, size = self.place(time)
        if not blocking.grounded:
            y += 12 * world.unit * sin(time * 0.8)
        height = self.height * size
        if blocking.grounded and y < world.height * 1.02:
            long = 0.9 if self.figure.kind in BEASTS else 0.56
            wide, high = (int(height * long) // 4 + 1) * 4, (int(height * 0.085) // 4 + 1) * 4
            lean = -height * 0.08 if world.light.x > x else height * 0.08
            canvas.tint(codes(world.palette.deep), ellipse(wide, high), int(x + lean) - wide // 2, int(y) - high // 2)
            near = (int(height * long * 0.55) // 4 + 1) * 4
            canvas.tint(
                codes(world.palette.deep), ellipse(near, high // 2 + 2), int(x) - near // 2, int(y) - high // 4 - 1
            )
        for drawing in self._drawings(time):
            drawing.draw(canvas, x, y, scale=size / self.drawn)


def _neck(frame: Frame) -> Field:
    """Where the neck is, the ground at 0."""
    x, y, z = frame.neck
    return np.array([x, y + frame.lift, z])


def focus_of(figure: Figure, yaw: float) -> tuple[float, float]:
    """What a detail shot shows of a figure, in its own space: right of and above the ground under it, in heights."""
    beast = BEASTS.get(figure.kind)
    if beast is not None:
        ahead = beast.long * 0.5 + beast.thick * 0.35 + beast.neck * 0.6 + beast.head * 0.5
        return ahead * sin(yaw), 0.86 if beast.neck < 0.25 else 0.93
    at: Point3 = (0.0, 0.70, 0.06)
    if figure.has("shield"):
        at = (-0.20, 0.60, 0.16)
    elif figure.has("lantern"):
        at = (0.17, 0.50, 0.20)
    elif figure.has("camera", "backpack", "guitar"):
        at = (0.0, 0.70, 0.10)
    elif figure.has("sword"):
        at = (0.16, 0.60, 0.20)
    elif figure.has("hat", "crown", "helmet", "cap", "pointed_hat"):
        at = (0.0, 0.96, 0.0)
    return at[0] * cos(yaw) + at[2] * sin(yaw), at[1]
