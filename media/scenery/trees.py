"""Pines, leafy trees and palms: drawn as masks on a sheet, coloured by hour and season."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from media.scenery.land import Drifting, Sheet, light_side, sheet
from media.scenery.noise import Field, blurred, cloudy, smoothstep, wandering
from media.scenery.palettes import GROUND, lit
from media.scenery.planes import Colour, mix
from media.scenery.sky import toward
from media.scenery.world import World

_OVER = 2


def drawn(one: Sheet, paint: Callable[[ImageDraw.ImageDraw, float, float], None]) -> Field:
    """Coverage of what ``paint(draw, left, top)`` draws; it gets coordinates at twice the size, shifted by the sheet's origin."""
    height, width = one.alpha.shape
    picture = Image.new("L", (width * _OVER, height * _OVER), 0)
    paint(ImageDraw.Draw(picture), float(-one.margin), float(one.top))
    return np.asarray(picture.reduce(_OVER), dtype=np.float32) / 255


def pine(draw: ImageDraw.ImageDraw, x: float, foot: float, tall: float, rng: np.random.Generator) -> None:
    """One conifer with drooping, uneven branches; all in drawing pixels."""
    wide = tall * (0.20 + 0.05 * rng.random())
    tiers = int(8 + tall / 34)
    draw.polygon(
        [(x - tall * 0.014, foot + tall * 0.03), (x + tall * 0.014, foot + tall * 0.03), (x, foot - tall)], fill=255
    )
    left: list[tuple[float, float]] = []
    right: list[tuple[float, float]] = []
    for tier in range(tiers):
        part = (tier + 0.35) / tiers
        y = foot - tall * (1.0 - part * 0.93)
        reach = wide * part**0.82
        for side, points in ((-1.0, left), (1.0, right)):
            out = reach * (0.74 + 0.52 * rng.random())
            points.append((x + side * out * 0.30, y - tall * 0.012))
            points.append((x + side * out, y + tall * (0.030 + 0.030 * rng.random())))
            points.append((x + side * out * 0.42, y + tall * 0.012))
    draw.polygon(
        [(x, foot - tall), *right, (x + wide * 0.10, foot), (x - wide * 0.10, foot), *reversed(left)], fill=255
    )


def leafy(draw: ImageDraw.ImageDraw, x: float, foot: float, tall: float, rng: np.random.Generator) -> None:
    """One broad-leaved tree: a forked trunk and a crown of many clumps."""
    trunk = tall * 0.030
    crown = foot - tall * 0.64
    draw.polygon(
        [
            (x - trunk * 1.5, foot + tall * 0.02),
            (x + trunk * 1.5, foot + tall * 0.02),
            (x + trunk * 0.6, crown),
            (x - trunk * 0.6, crown),
        ],
        fill=255,
    )
    for _ in range(7):
        angle = -np.pi / 2 + rng.normal() * 0.55
        far = tall * (0.14 + 0.12 * rng.random())
        draw.line(
            [(x, foot - tall * (0.30 + 0.15 * rng.random())), (x + np.cos(angle) * far, crown + np.sin(angle) * far)],
            fill=255,
            width=max(1, int(trunk * 0.7)),
        )
    for _ in range(int(90 + tall / 4)):
        angle, far = rng.random() * 2 * np.pi, rng.random() ** 0.6
        lobe = 1 + 0.13 * np.sin(angle * 3 + x) + 0.08 * np.sin(angle * 5 + 2 * x)
        cx = x + np.cos(angle) * far * tall * 0.31 * lobe
        cy = crown - tall * 0.04 + np.sin(angle) * far * tall * 0.26 * lobe
        radius = tall * (0.022 + 0.056 * rng.random() ** 1.4) * (1.15 - 0.45 * far)
        draw.ellipse((cx - radius * 1.15, cy - radius, cx + radius * 1.15, cy + radius), fill=255)
    # Single leaves around the edge, so that the crown does not end in circles.
    for _ in range(int(110 + tall)):
        angle, far = rng.random() * 2 * np.pi, 0.80 + 0.34 * rng.random()
        lobe = 1 + 0.13 * np.sin(angle * 3 + x) + 0.08 * np.sin(angle * 5 + 2 * x)
        cx = x + np.cos(angle) * far * tall * 0.33 * lobe
        cy = crown - tall * 0.04 + np.sin(angle) * far * tall * 0.28 * lobe
        radius = tall * (0.005 + 0.011 * rng.random())
        draw.ellipse((cx - radius * 1.4, cy - radius, cx + radius * 1.4, cy + radius), fill=255)


def palm_tree(draw: ImageDraw.ImageDraw, x: float, foot: float, tall: float, rng: np.random.Generator) -> None:
    """A leaning palm."""
    lean = tall * (0.16 + 0.14 * rng.random()) * (1 if rng.random() < 0.5 else -1)
    points = [(x + lean * (t / 12) ** 1.7, foot - tall * 0.82 * t / 12) for t in range(13)]
    for index, ((x0, y0), (x1, y1)) in enumerate(pairwise(points)):
        w = tall * (0.026 - 0.0011 * index)
        draw.polygon([(x0 - w, y0), (x0 + w, y0), (x1 + w * 0.95, y1), (x1 - w * 0.95, y1)], fill=255)
    hx, hy = points[-1]
    for index in range(11):
        angle = np.pi * (-0.12 + 1.24 * index / 10) + rng.normal() * 0.08
        reach = tall * (0.34 + 0.07 * rng.random())
        rise = np.sin(angle) * reach * 0.45
        spine = [
            (hx + np.cos(angle) * reach * t, hy - rise * np.sin(np.pi * min(1.0, t * 0.9)) * 1.1 + reach * 0.52 * t * t)
            for t in (i / 9 for i in range(10))
        ]
        draw.line(spine, fill=255, width=max(1, int(tall * 0.008)))
        for step, (sx, sy) in enumerate(spine[1:], start=1):
            leaf = reach * 0.20 * np.sin(np.pi * (0.18 + 0.78 * step / 9))
            for side in (-0.5, 0.7):
                draw.polygon(
                    [
                        (sx - reach * 0.035, sy),
                        (sx + reach * 0.035, sy),
                        (sx + side * leaf * 0.55 + np.cos(angle) * leaf * 0.4, sy + leaf),
                    ],
                    fill=255,
                )
    for dx in (-0.018, 0.016):
        draw.ellipse((hx + dx * tall - tall * 0.014, hy, hx + dx * tall + tall * 0.014, hy + tall * 0.03), fill=255)


def wooded(
    world: World,
    name: str,
    *,
    depth: float,
    base: float,
    swell: float,
    tall: float,
    far: float,
    kind: str,
    spacing: float,
    clearing: tuple[float, float] | None = None,
) -> Sheet:
    """A ridge with trees on it. ``kind``: pine, snow_pine, leaf, autumn, blossom; ``clearing``: columns (from, to) with only low ones."""
    rng = world.chance(name)
    unit = world.unit
    one = sheet(world, depth, base - swell * 1.2 - tall * 1.4)
    width = one.alpha.shape[1]
    ground = base - swell * wandering(rng, width, 520 * unit, octaves=4, gain=0.45)
    trees: list[tuple[float, float, float]] = []
    x = 0.0
    groups = wandering(rng, width, 190 * unit, octaves=2)
    while x < width:
        if spacing > 30 and float(groups[min(width - 1, int(x))]) < 0.02:
            x += 14 * unit
            continue
        size = tall * (0.50 + 0.62 * rng.random() ** 1.3)
        screen = x - one.margin
        if clearing is not None and clearing[0] < screen < clearing[1]:
            size *= 0.34
        trees.append((x, float(ground[min(width - 1, int(x))]) + 4 * unit, size))
        x += spacing * unit * (0.45 + 1.1 * rng.random()) * (1.0 if kind.endswith("pine") else 1.7)
    make = pine if kind.endswith("pine") else leafy

    def paint(draw: ImageDraw.ImageDraw, _left: float, top: float) -> None:
        for tx, foot, size in trees:
            make(draw, tx * _OVER, (foot - top) * _OVER, size * _OVER, rng)

    mask = drawn(one, paint)
    rows = np.arange(one.height, dtype=np.float32)[:, None] + 0.5 + one.top
    body = np.clip((rows - ground[None, :]) / 1.5 + 0.5, 0, 1)
    one.alpha = np.maximum(mask, body).astype(np.float32)
    one.crest = (ground - one.top).astype(np.float32)
    tones = {"pine": "pine", "snow_pine": "pine", "leaf": "leaf", "autumn": "autumn", "blossom": "blossom"}
    colour_ = GROUND[tones[kind]]
    spots = cloudy(rng, width, one.height, 26 * unit * (0.5 + depth), octaves=4)
    soft = blurred(one.alpha, 3.0 * unit)
    edge = np.clip(
        one.alpha - np.roll(soft, (round(3 * unit), round(-3 * unit * light_side(world))), axis=(0, 1)), 0, 1
    )
    light = np.clip(0.10 + 0.55 * edge + 0.60 * (spots - 0.35), 0, 1)
    bright, dim = lit(colour_, world.palette, 0.95), lit(colour_, world.palette, 0.0)
    sunk = 0.50 * depth if kind.endswith("pine") else 0.30 * depth
    for channel in range(3):
        one.rgb[..., channel] = dim[channel] + (bright[channel] - dim[channel]) * light
    floor = np.clip(body - mask * (rows < ground[None, :] + 1.5 * unit), 0, 1)
    toward(one.rgb, mix(lit(_turf(world), world.palette, 0.66), world.palette.deep, 0.06), floor.astype(np.float32))
    if kind == "autumn":
        for tone, low in (((0.86, 0.30, 0.14), 0.50), ((0.95, 0.72, 0.22), 0.62)):
            other = lit(tone, world.palette, 0.75)
            toward(
                one.rgb,
                other,
                smoothstep(low, low + 0.1, cloudy(rng, width, one.height, 60 * unit, octaves=3))
                * 0.8
                * (0.35 + 0.65 * light),
            )
    if kind == "snow_pine":
        white = lit(GROUND["snow"], world.palette, 0.95)
        over = np.roll(one.alpha, max(1, round(2.6 * unit * (0.5 + depth))), axis=0)
        top = np.clip(one.alpha - over, 0, 1)
        toward(one.rgb, white, (top * (0.35 + 0.65 * smoothstep(0.40, 0.60, spots))).astype(np.float32))
        toward(one.rgb, lit(GROUND["snow"], world.palette, 0.5), floor.astype(np.float32))
    toward(one.rgb, world.palette.deep, np.full((1, 1), sunk * (1 - far), dtype=np.float32))
    toward(one.rgb, world.palette.haze, np.full((1, 1), far, dtype=np.float32))
    below = np.clip((rows - (ground[None, :] - tall * 0.55)) / (tall * 0.9 + 40 * unit), 0, 1)
    toward(
        one.rgb,
        world.palette.haze,
        (
            below
            * ((0.55 if world.reading.has("fog") or world.palette.name == "misty" else 0.12) + 0.75 * far)
            * (1 - 0.6 * depth)
            * np.exp(-np.maximum(0, rows - ground[None, :] - 14 * unit) / (95 * unit))
        ).astype(np.float32),
    )
    if world.light.kind != "none":
        near = np.exp(-((np.hypot(one.x() - world.light.x, (one.y() - world.light.y) * 0.8) / (300 * unit)) ** 2))
        toward(one.rgb, world.light.tone, (near * (0.18 + 0.35 * far + 0.5 * edge)).astype(np.float32) * 0.75)
    return one


def _turf(world: World) -> Colour:
    """What grows under the trees."""
    if world.reading.has("snow", "winter"):
        return GROUND["snow"]
    return GROUND["autumn_grass"] if world.reading.has("autumn") else GROUND["grass"]


def lone_trees(
    world: World, name: str, *, depth: float, spots: list[tuple[float, float, float]], kind: str
) -> Drifting:
    """Single trees as a near layer; ``spots``: column, foot row, height. ``kind``: pine, leaf, autumn, blossom, palm."""
    rng = world.chance(name)
    highest = min(foot - tall * 1.15 for _, foot, tall in spots)
    lowest = max(foot for _, foot, _ in spots) + 12 * world.unit
    one = sheet(world, depth, highest, lowest)

    def paint(draw: ImageDraw.ImageDraw, left: float, top: float) -> None:
        make = {"pine": pine, "snow_pine": pine, "palm": palm_tree}.get(kind, leafy)
        for x, foot, tall in spots:
            make(draw, (x - left) * _OVER, (foot - top) * _OVER, tall * _OVER, rng)

    one.alpha = drawn(one, paint)
    tone = GROUND[{"autumn": "autumn", "blossom": "blossom", "leaf": "leaf"}.get(kind, "pine")]
    unit = world.unit
    spots_ = cloudy(rng, one.alpha.shape[1], one.height, 26 * unit, octaves=5, gain=0.6)
    soft = blurred(one.alpha, 3.5 * unit)
    edge = np.clip(
        one.alpha - np.roll(soft, (round(4 * unit), round(-4 * unit * light_side(world))), axis=(0, 1)), 0, 1
    )
    light = np.clip(0.10 + 0.75 * edge + 1.5 * (spots_ - 0.42), 0, 1)
    depth_of_tone = 0.62 if kind in ("pine", "palm") else 0.30
    dark_tone = mix(lit(tone, world.palette, 0.05), world.palette.deep, depth_of_tone)
    bright = mix(lit(tone, world.palette, 1.0), world.palette.deep, depth_of_tone * 0.45)
    for channel in range(3):
        one.rgb[..., channel] = dark_tone[channel] + (bright[channel] - dark_tone[channel]) * light
    if kind == "autumn":
        toward(one.rgb, lit((0.95, 0.70, 0.2), world.palette, 0.7), smoothstep(0.55, 0.68, spots_) * 0.55)
    if world.light.kind != "none":
        near = np.exp(-(((one.x() - world.light.x) / (280 * unit)) ** 2))
        toward(one.rgb, world.light.tone, (near * edge * 0.7).astype(np.float32))
    return one.finished()
