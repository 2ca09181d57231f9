"""Places in town: the waterfront, the quay, the roof."""

from __future__ import annotations

import numpy as np
from PIL import ImageDraw

from media.scenery import city as streets
from media.scenery.actors import Ground
from media.scenery.land import Sheet, mountains, outline, rim, sheet
from media.scenery.noise import cloudy
from media.scenery.palettes import GROUND, lit
from media.scenery.planes import mix
from media.scenery.sky import toward
from media.scenery.stage import Stage, needs_ground
from media.scenery.trees import drawn
from media.scenery.water import Water
from media.scenery.weather import Fog
from media.scenery.world import Painter, World


def city(stage: Stage) -> None:
    """Three rows of blocks behind water or wet stone."""
    world, unit = stage.world, stage.world.unit
    reading = world.reading
    if reading.has("mountain"):
        stage.back.append(
            mountains(
                world,
                "far range",
                depth=0.04,
                base=world.horizon,
                height=world.horizon * 0.48,
                far=0.55,
                snow=0.6 if reading.has("snow", "winter") else 0.3,
            ).finished()
        )
    tall = world.horizon * (0.62 if world.width > world.height else 0.50)
    lamps = []
    for name, depth, part, far, wide in (
        ("far blocks", 0.06, 0.62, 0.62, 40.0),
        ("middle blocks", 0.16, 0.86, 0.30, 54.0),
        ("near blocks", 0.34, 1.0, 0.06, 84.0),
    ):
        layer, glow, _ = streets.blocks(
            world,
            name,
            depth=depth,
            ground=world.horizon + 3 * unit,
            tall=tall * part,
            far=far,
            signs=depth > 0.1,
            wide=wide,
        )
        stage.back.append(layer)
        lamps.append(glow)
        if reading.has("fog", "rain") and depth < 0.3:
            stage.back.append(
                Fog(
                    world,
                    f"city haze {name}",
                    middle=world.horizon - 60 * unit,
                    tall=120 * unit,
                    strength=0.5,
                    speed=6 + 20 * depth,
                )
            )
    stage.back.extend(lamps)
    stage.water_row = world.horizon + (world.height - world.horizon) * 0.3
    stage.middle.append(Water(world, stage.mirrored(), calm=0.95))
    if needs_ground(world):
        one = _quay(world)
        stage.front.append(one.finished())
        stage.ground = Ground(world, one, sink=3)
    else:
        stage.near.append(_railing(world))


def _quay(world: World) -> Sheet:
    """A paved bank: flat, with joints that run toward the horizon, wet when it rains."""
    unit = world.unit
    row = world.height * 0.845
    one = sheet(world, 0.8, row - 6 * unit)
    crest = np.full(one.alpha.shape[1], row, dtype=np.float32)
    outline(one, crest)
    below = np.maximum(np.arange(one.height, dtype=np.float32)[:, None] - one.crest[None, :], 0)
    tone = mix(lit(GROUND["city"], world.palette, 0.25), world.palette.deep, 0.55)
    one.rgb[:] = tone
    stone = cloudy(world.chance("stone"), one.alpha.shape[1], one.height, 40 * unit, octaves=4, stretch=3.0)
    wet = 0.55 if world.reading.has("rain", "storm", "neon") else 0.18
    near = np.exp(-(((one.x() - world.light.x) / (300 * unit)) ** 2)) if world.light.kind != "none" else 0.3
    toward(
        one.rgb,
        mix(world.palette.haze, world.palette.light, 0.3),
        (np.clip(stone - 0.35, 0, 1) * wet * (0.5 + 0.9 * near) * np.exp(-below / (60 * unit))).astype(np.float32),
    )
    for lamp_x, _, lamp_tone, strength in world.lamps[:14]:
        streak = (
            np.exp(-(((one.x() - lamp_x) / (34 * unit)) ** 2))
            * np.clip(stone * 1.3 - 0.1, 0, 1)
            * wet
            * strength
            * np.exp(-below / (80 * unit))
        )
        toward(one.rgb, lamp_tone, np.clip(streak * 0.8, 0, 0.8).astype(np.float32))
    for joint in (0.12, 0.30, 0.58, 0.95):
        line = np.exp(-(((below - joint * (world.height - row)) / (1.3 * unit)) ** 2)) * (below > 1)
        toward(one.rgb, world.palette.deep, (line * 0.5).astype(np.float32))
    edge = np.exp(-((below / (3.0 * unit)) ** 2))
    toward(one.rgb, mix(world.palette.haze, world.palette.light, 0.3), (edge * 0.45).astype(np.float32))
    rim(one, 0.4, 3.0)
    return one


def _railing(world: World) -> Painter:
    """A low parapet with posts at the lower edge."""
    unit = world.unit
    one = sheet(world, 1.1, world.height - 66 * unit)
    over = 2

    def paint(draw: ImageDraw.ImageDraw, _left: float, top: float) -> None:
        width = one.alpha.shape[1] * over
        low = (world.height - top) * over
        step = 148 * unit * over
        draw.rectangle((0, low - 50 * unit * over, width, low - 44 * unit * over), fill=255)
        draw.rectangle((0, low - 27 * unit * over, width, low - 24 * unit * over), fill=255)
        draw.rectangle((0, low - 9 * unit * over, width, low + 4), fill=255)
        x = 40 * unit * over
        while x < width:
            draw.rectangle((x, low - 56 * unit * over, x + 8 * unit * over, low), fill=255)
            draw.ellipse(
                (x - 3 * unit * over, low - 63 * unit * over, x + 11 * unit * over, low - 50 * unit * over), fill=255
            )
            x += step

    one.alpha = drawn(one, paint)
    rows = np.arange(one.height, dtype=np.float32)[:, None]
    top_edge = np.clip(one.alpha - np.roll(one.alpha, max(1, round(2 * unit)), axis=0), 0, 1)
    one.rgb[:] = mix(world.palette.deep, world.palette.haze, 0.06)
    near = (
        np.exp(-(((one.x() - world.light.x) / (420 * unit)) ** 2)) if world.light.kind != "none" else 0.4 + 0 * one.x()
    )
    toward(
        one.rgb,
        mix(world.palette.light, world.palette.haze, 0.4),
        (top_edge * (0.25 + 0.55 * near) + 0 * rows).astype(np.float32),
    )
    return one.finished()


def rooftop_place(stage: Stage) -> None:
    """A roof before the skyline."""
    world, unit = stage.world, stage.world.unit
    tall = world.horizon * 0.52
    lamps = []
    for name, depth, part, far, wide in (
        ("far blocks", 0.06, 0.62, 0.60, 38.0),
        ("middle blocks", 0.16, 0.82, 0.30, 52.0),
        ("near blocks", 0.36, 0.80, 0.08, 74.0),
    ):
        layer, glow, _ = streets.blocks(
            world,
            name,
            depth=depth,
            ground=world.horizon + 124 * unit,
            tall=tall * part + 64 * unit,
            far=far,
            signs=world.reading.has("neon", "city") and depth > 0.1,
            wide=wide,
        )
        stage.back.append(layer)
        lamps.append(glow)
    stage.back.extend(lamps)
    one = streets.rooftop(world, world.horizon + 44 * unit)
    stage.front.append(one.finished())
    stage.ground = Ground(world, one, sink=3)
