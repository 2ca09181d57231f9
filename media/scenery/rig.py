"""Drawing silhouettes from strokes of changing width, melted together, so that bodies look grown and not assembled.

Figure space: x to the right, y up, the ground at y = 0, lengths in parts of the figure's own height.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from media.scenery.noise import Field, smoothstep
from media.scenery.palettes import lit
from media.scenery.planes import Canvas, Colour, Sprite, mix
from media.scenery.world import World

Knot = tuple[float, float, float]
Point = tuple[float, float]
_OVER = 3
"""Supersampling of silhouettes."""


@dataclass(slots=True)
class Brush:
    """Strokes and shapes of one figure in one pose."""

    limbs: list[list[Knot]] = field(default_factory=list)
    shapes: list[list[Point]] = field(default_factory=list)
    crisp: list[list[Point]] = field(default_factory=list)
    """Drawn after melting: ears, antlers, rigging, sharp corners."""
    lines: list[list[Knot]] = field(default_factory=list)
    lights: list[tuple[float, float, float, Colour]] = field(default_factory=list)
    """Shining spots: x, y, radius, colour."""

    def limb(self, *knots: Knot) -> None:
        """A stroke through (x, y, radius) knots, smooth between them."""
        self.limbs.append(smooth(knots))

    def shape(self, *points: Point) -> None:
        """A closed smooth outline."""
        self.shapes.append([(x, y) for x, y, _ in smooth([(x, y, 0.0) for x, y in points], closed=True)])

    def corner(self, *points: Point) -> None:
        """A closed outline with sharp corners, not melted."""
        self.crisp.append(list(points))

    def line(self, *knots: Knot) -> None:
        """A thin stroke that keeps its sharpness (tails, rigging, antlers)."""
        self.lines.append(smooth(knots))


def smooth(knots: Sequence[Knot], *, closed: bool = False, steps: int = 7) -> list[Knot]:
    """Catmull-Rom points through the knots."""
    points = list(knots)
    if len(points) < 3 and not closed:
        return points
    extended = [points[-1], *points, points[0], points[1]] if closed else [points[0], *points, points[-1]]
    out: list[Knot] = []
    for index in range(1, len(extended) - 2):
        p0, p1, p2, p3 = extended[index - 1], extended[index], extended[index + 1], extended[index + 2]
        for step in range(steps):
            t = step / steps
            values = [
                0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)
                for a, b, c, d in zip(p0, p1, p2, p3, strict=True)
            ]
            out.append((values[0], values[1], max(0.0, values[2])))
    if not closed:
        out.append(points[-1])
    return out


def _stroke(
    draw: ImageDraw.ImageDraw, knots: Sequence[Knot], place: Callable[[float, float], Point], scale: float
) -> None:
    previous: tuple[float, float, float] | None = None
    for kx, ky, kr in knots:
        x, y = place(kx, ky)
        r = kr * scale
        draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
        if previous is not None:
            px, py, pr = previous
            length = float(np.hypot(x - px, y - py))
            if length > 1e-6:
                nx, ny = -(y - py) / length, (x - px) / length
                draw.polygon(
                    [
                        (px + nx * pr, py + ny * pr),
                        (x + nx * r, y + ny * r),
                        (x - nx * r, y - ny * r),
                        (px - nx * pr, py - ny * pr),
                    ],
                    fill=255,
                )
        previous = (x, y, r)


def silhouette(
    brush: Brush, height: float, box: tuple[float, float, float, float], melt: float = 0.014
) -> tuple[Field, Point]:
    """Coverage (0..1) of a figure ``height`` pixels tall, and its origin in pixels. ``box``: left, bottom, right, top in figure space."""
    over = _OVER if height < 130 else 2
    scale = height * over
    left, bottom, right, top = box
    width, rows = int((right - left) * scale) // over * over + over, int((top - bottom) * scale) // over * over + over
    picture = Image.new("L", (width, rows), 0)
    draw = ImageDraw.Draw(picture)

    def place(x: float, y: float) -> Point:
        return (x - left) * scale, (top - y) * scale

    for knots in brush.limbs:
        _stroke(draw, knots, place, scale)
    for outline in brush.shapes:
        draw.polygon([place(x, y) for x, y in outline], fill=255)
    if melt > 0:
        picture = picture.filter(ImageFilter.GaussianBlur(melt * scale)).point(
            [0 if v < 112 else 255 if v > 143 else (v - 112) * 8 for v in range(256)]
        )
        draw = ImageDraw.Draw(picture)
    for outline in brush.crisp:
        draw.polygon([place(x, y) for x, y in outline], fill=255)
    for knots in brush.lines:
        _stroke(draw, knots, place, scale)
    small = picture.reduce(over)
    seen = small.getbbox() or (0, 0, 2, 2)
    seen = (max(0, seen[0] - 2), max(0, seen[1] - 2), min(small.width, seen[2] + 2), min(small.height, seen[3] + 2))
    cover = np.asarray(small.crop(seen), dtype=np.float32) / 255
    return cover, ((0.0 - left) * height - seen[0], top * height - seen[1])


def dressed(
    world: World,
    cover: Field,
    origin: Point,
    coat: Colour,
    at: float,
    brush: Brush | None = None,
    height: float = 1.0,
    *,
    rim: float = 0.9,
    own: float = 0.52,
) -> Sprite:
    """A silhouette with its own dim colour, a bright edge toward the light, and its lamps.

    ``at``: screen column where it will stand; ``own``: how much of its own colour shows (0 a silhouette … 1 fully lit).
    """
    palette = world.palette
    body = mix(palette.deep, lit(coat, palette, 0.35), own - 0.10 * palette.dark)
    cover = np.pad(cover, 6)
    origin = (origin[0] + 6, origin[1] + 6)
    rows, columns = cover.shape
    rgb = np.empty((rows, columns, 3), dtype=np.float32)
    rgb[:] = body
    if world.light.kind != "none" or palette.dark < 0.6 or palette.name in ("space", "night"):
        away = (world.light.x - at) / (world.width * 0.35) if world.light.kind != "none" else -0.5
        dx = float(np.clip(away, -1, 1))
        step = max(1.0, 2.2 * world.unit)
        soft = _softened(cover, max(1.0, 1.3 * world.unit))
        edge = np.clip((soft - _offset(soft, dx * step * 1.6, -step * (1.1 - 0.5 * abs(dx)))) * 1.7, 0, 1) * cover
        wide = _softened(cover, 5 * world.unit)
        inner = np.clip((wide - _offset(wide, dx * 9 * world.unit, -6 * world.unit)) * 1.4, 0, 1) * cover
        strength = rim * (1.0 if world.light.kind != "none" else 0.75)
        tone = np.array(mix(palette.light, palette.key, 0.25), dtype=np.float32)
        warm = np.array(lit(coat, palette, 1.0), dtype=np.float32)
        rgb += (warm - rgb) * (inner * 0.38)[..., None]
        rgb += (tone - rgb) * np.clip(edge * 1.5 * strength, 0, 0.92)[..., None]
    if brush is not None:
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        for lx, ly, radius, lamp in brush.lights:
            far = np.hypot(x - origin[0] - lx * height, y - origin[1] + ly * height) / (radius * height)
            spot = 1 - smoothstep(0.7, 1.1, far)
            rgb += (np.array(lamp, dtype=np.float32) - rgb) * spot[..., None]
    return Sprite(rgb, cover, origin)


def _softened(cover: Field, radius: float) -> Field:
    """A quick blur of a silhouette."""
    picture = Image.fromarray((cover * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(picture, dtype=np.float32) / 255


def _offset(cover: Field, dx: float, dy: float) -> Field:
    """The silhouette moved away from a light that stands toward (dx, dy); what it uncovers is the lit edge."""
    return np.roll(cover, (round(-dy), round(-dx)), axis=(0, 1))


@dataclass(slots=True)
class Actor:
    """A figure that stands or moves: a cycle of sprites along a path."""

    frames: list[Sprite]
    period: float
    """Seconds of one whole cycle."""
    path: Callable[[float], tuple[float, float, float]]
    """Time → x, y, turn."""
    flip: bool = False
    scale: float = 1.0
    offset: float = 0.0
    """Where in the cycle it starts, 0..1."""

    def draw(self, canvas: Canvas, time: float) -> None:
        """Lay down the pose of this moment."""
        count = len(self.frames)
        pose = (
            self.frames[int((time / self.period + self.offset) * count + 0.5) % count] if count > 1 else self.frames[0]
        )
        x, y, turn = self.path(time)
        pose.draw(canvas, x, y, turn=turn, flip=self.flip, scale=self.scale)
