"""The lighthouse on its rock, with its mirror image and its turning beam."""

from __future__ import annotations

import numpy as np

from media.scenery import actors, cast, props
from media.scenery.land import outline, rim, sheet
from media.scenery.noise import cloudy, wandering
from media.scenery.palettes import GROUND, lit
from media.scenery.planes import Canvas, Sprite, codes, mix
from media.scenery.stage import Stage
from media.scenery.world import World


def lighthouse_on_rock(stage: Stage, x: float, big: float) -> None:
    """On a rock in the water or on the ground, with its turning beam."""
    world, unit = stage.world, stage.world.unit
    tall = 0.40 * big
    depth = 0.26
    tower, bands = props.lighthouse()
    box = (-0.36, -0.02, 0.36, 1.10)
    lift = 58 * unit
    foot = float(world.horizon) - lift + 10 * unit
    rng = world.chance("lighthouse rock")
    one = sheet(world, depth, world.horizon - lift * 1.6, world.horizon + 22 * unit)
    gx = one.x()[0]
    away = np.abs(gx - x - 20 * unit) / (190 * unit)
    rough = wandering(rng, len(gx), 58 * unit, octaves=6, gain=0.58)
    shape = np.clip(1 - (away * (1 + 0.10 * rough)) ** 2.2, 0, 1) ** 0.75
    water_line = world.horizon + 15 * unit
    crest = water_line - shape * lift * (0.92 + 0.42 * rough) + 40 * unit * (shape <= 0)
    flat = np.clip((118 * unit - np.abs(gx - x - 44 * unit)) / (34 * unit), 0, 1)
    crest = crest * (1 - flat) + (foot - 1.5 * unit) * flat
    outline(one, crest.astype(np.float32))
    rows = np.arange(one.height, dtype=np.float32)[:, None] + one.top + 0.5
    wet = water_line + rough[None, :] * 3 * unit
    one.alpha = one.alpha * np.clip((wet - rows) / (4 * unit) + 0.5, 0, 1)
    texture = cloudy(rng, one.alpha.shape[1], one.height, 24 * unit, octaves=5, stretch=1.5)
    dim, bright = (
        mix(lit(GROUND["rock"], world.palette, 0.0), world.palette.deep, 0.45),
        lit(GROUND["rock"], world.palette, 0.8),
    )
    light = np.clip((texture - 0.36) * 1.7, 0, 1) * np.clip(
        1 - (rows - one.crest[None, :] - one.top) / (70 * unit), 0, 1
    )
    for channel in range(3):
        one.rgb[..., channel] = dim[channel] + (bright[channel] - dim[channel]) * light * 0.75
    rim(one, 0.5, 3.5)
    rock = one.finished()
    sprite = actors.built(world, tower, tall, box, props.PROP_COATS["tower"], x)
    stripe = actors.built(world, bands, tall, box, actors.tinted(world, props.PROP_COATS["band"], "lighthouse"), x)
    stage.middle.append(Mirrored(world, [sprite, stripe], x, foot, depth, float(water_line)))
    stage.middle.append(DarkWater(world, x + 20 * unit, water_line + 5 * unit, depth))
    stage.middle.append(rock)
    stage.middle.append(cast.Standing(world, sprite, x, foot + 2 * unit, depth))
    stage.middle.append(cast.Standing(world, stripe, x, foot + 2 * unit, depth))
    if world.palette.dark > 0.05 or world.reading.has("fog", "storm"):
        stage.middle.append(cast.Beam(world, x, foot - tall * 0.887, depth, 26 * unit))


class DarkWater:
    """What a rock mirrors in the water at its foot: a soft dark shape."""

    def __init__(self, world: World, x: float, row: float, depth: float) -> None:
        self.world, self.x, self.row, self.depth = world, x, row, depth
        self.tone = codes(mix(world.palette.deep, world.palette.water, 0.4))
        unit = world.unit
        self.sizes = [(int(400 * unit) & ~1, int(58 * unit) & ~1), (int(330 * unit) & ~1, int(26 * unit) & ~1)]

    def draw(self, canvas: Canvas, time: float) -> None:
        """Darken."""
        x = self.x + self.world.travel(time) * self.depth
        for wide, tall in self.sizes:
            mask = actors.ellipse(wide, tall)
            canvas.tint(self.tone, mask, int(x) - wide // 2, int(self.row) - tall // 3)


class Mirrored:
    """Soft broken reflections of a standing thing in the water below it."""

    def __init__(self, world: World, sprites: list[Sprite], x: float, foot: float, depth: float, row: float) -> None:
        self.world, self.sprites, self.x, self.foot, self.depth, self.row = world, sprites, x, foot, depth, row

    def draw(self, canvas: Canvas, time: float) -> None:
        """Mirror."""
        x = self.x + self.world.travel(time) * self.depth
        sway = 2.0 * self.world.unit * float(np.sin(time * 1.3))
        for sprite in self.sprites:
            sprite.draw(canvas, x + sway, 2 * self.row - self.foot - 6 * self.world.unit, upright=-0.62, fade=0.24)
