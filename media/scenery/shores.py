"""Places by the water: sea, beach, island, headland, lake."""

from __future__ import annotations

import numpy as np

from media.scenery.actors import Ground
from media.scenery.land import Sheet, glow_on_haze, hills, outline, rim, sheet
from media.scenery.noise import cloudy, smoothstep, wandering
from media.scenery.palettes import GROUND, lit
from media.scenery.planes import colour, mix
from media.scenery.plants import grass
from media.scenery.sky import toward
from media.scenery.stage import FLOWERS, Stage, needs_ground, ranges, turf, wood_kind
from media.scenery.trees import lone_trees, wooded
from media.scenery.water import Water
from media.scenery.weather import Fog
from media.scenery.world import Painter, World


def sea(stage: Stage) -> None:
    """Open water, with what the words put behind and before it."""
    world, unit = stage.world, stage.world.unit
    reading = world.reading
    if reading.has("mountain"):
        ranges(stage, tall=world.horizon * 0.44, base=world.horizon + 2 * unit)
    elif reading.has("forest"):
        stage.back.append(
            wooded(
                world,
                "coast wood",
                depth=0.1,
                base=world.horizon - 4 * unit,
                swell=26 * unit,
                tall=62 * unit,
                far=0.5,
                kind=wood_kind(world),
                spacing=15,
            ).finished()
        )
    if reading.has("island", "palm") or (
        not reading.has("mountain", "forest", "lighthouse", "whale") and world.seed % 3 == 0
    ):
        stage.back.append(_island(world, large=reading.has("island", "palm")))
    if reading.has("palm"):
        middle = world.width * (0.30 if world.light.x > world.width / 2 else 0.70)
        spots = [
            (middle + dx * unit, world.horizon - 12 * unit, tall * unit)
            for dx, tall in ((-26, 130), (24, 165), (58, 118))
        ]
        stage.back.append(lone_trees(world, "palms", depth=0.12, spots=spots, kind="palm"))
    calm = 0.2 if reading.has("storm", "wind") else 0.4
    stage.water_row = world.horizon + (world.height - world.horizon) * 0.24
    stage.middle.append(Water(world, stage.mirrored(), calm=calm))
    stands = needs_ground(world)
    if reading.has("beach") or world.peopled:
        one = _shore(world, "beach", world.height * (0.815 if stands else 0.88))
        stage.front.append(one.finished())
        stage.ground = Ground(world, one)
    elif stands:
        one = _headland(world, high=True)
        stage.front.append(one.finished())
        stage.ground = Ground(world, one)
        stage.near.append(grass(world, tall=40 * unit, ground=turf(world), base=world.height * 0.985, depth=1.15))
    else:
        stage.near.append(_headland(world, high=False).finished())
        stage.near.append(grass(world, tall=54 * unit, ground=turf(world), base=world.height * 0.995, depth=1.15))


def _island(world: World, *, large: bool) -> Painter:
    unit = world.unit
    rng = world.chance("island")
    one = sheet(world, 0.12, world.horizon - 80 * unit, world.horizon + 4)
    x = one.x()[0]
    middle = world.width * (0.30 if world.light.x > world.width / 2 else 0.70)
    wide = (210 if large else 150) * unit
    hill = np.exp(-(((x - middle) / wide) ** 2) * 1.6) + 0.45 * np.exp(
        -(((x - middle - wide * 0.8) / (wide * 0.5)) ** 2)
    )
    rough = wandering(rng, len(x), 60 * unit, octaves=5) * 0.10
    crest = world.horizon + 2 - (hill * (1 + rough)) * (30 if large else 22) * unit + 3 * unit * (hill < 0.05)
    one.crest = (crest - one.top).astype(np.float32)
    rows = np.arange(one.height, dtype=np.float32)[:, None] + 0.5
    one.alpha = np.clip(rows - one.crest[None, :], 0, 1).astype(np.float32) * (hill > 0.04)
    tone = lit(GROUND["pine"], world.palette, 0.2, 0.45)
    one.rgb[:] = tone
    rim(one, 0.4, 3.0)
    glow_on_haze(one, 0.35)
    return one.finished()


def _shore(world: World, name: str, row: float) -> Sheet:
    unit = world.unit
    tone = GROUND["snow"] if world.reading.has("snow", "winter") else colour("#e6cfa4")
    one = hills(world, name, depth=0.8, base=row, height=16 * unit, far=0.0, ground=tone, mottled=0.22, cell=900.0)
    below = np.arange(one.height, dtype=np.float32)[:, None] - one.crest[None, :]
    wet = np.exp(-((np.maximum(below, 0) / (24 * unit)) ** 2))
    toward(one.rgb, lit(tone, world.palette, 0.1), wet.astype(np.float32) * 0.65)
    toward(one.rgb, world.palette.sky[-1], wet.astype(np.float32) * 0.35)
    foam = np.exp(-((below / (3.2 * unit)) ** 2))
    toward(one.rgb, world.palette.cloud, (foam * 0.8).astype(np.float32))
    toward(one.rgb, world.palette.deep, np.clip(below / (230 * unit), 0, 1).astype(np.float32) * 0.6)
    return one


def _headland(world: World, *, high: bool) -> Sheet:
    """Dark near rock that rises toward the side away from the light, with rough texture."""
    unit = world.unit
    rng = world.chance("headland")
    depth = 0.95
    lift = 150 * unit if high else 74 * unit
    one = sheet(world, depth, world.height - lift * 1.5 - 40 * unit)
    x = one.x()[0]
    left = world.light.x > world.width / 2
    part = x / world.width if left else 1 - x / world.width
    rise = np.clip(1 - part / (0.80 if high else 0.46), 0, 1)
    slope = rise * rise * (3 - 2 * rise)
    rough = wandering(rng, len(x), 90 * unit, octaves=6, gain=0.52)
    crest = (
        world.height
        + 10 * unit
        - lift * slope * 0.92
        - rough * 13 * unit * np.clip(slope * 3, 0, 1)
        + 22 * unit * (1 - np.clip(slope * 6, 0, 1))
    )
    outline(one, crest.astype(np.float32))
    below = np.arange(one.height, dtype=np.float32)[:, None] - one.crest[None, :]
    ground = turf(world) if world.reading.has("snow", "winter", "meadow") else GROUND["rock"]
    texture = cloudy(rng, one.alpha.shape[1], one.height, 34 * unit, octaves=5, stretch=1.8)
    cracks = np.abs(cloudy(rng, one.alpha.shape[1], one.height, 50 * unit, octaves=4, stretch=1.4) - 0.5)
    dim = mix(lit(ground, world.palette, 0.05), world.palette.deep, 0.62)
    bright = mix(lit(ground, world.palette, 0.9), world.palette.deep, 0.30)
    light = (
        np.clip((texture - 0.30) * 1.5, 0, 1)
        * (1 - 0.5 * (1 - smoothstep(0.0, 0.05, cracks)))
        * np.exp(-np.clip(below, 0, None) / (110 * unit))
    )
    for channel in range(3):
        one.rgb[..., channel] = dim[channel] + (bright[channel] - dim[channel]) * light
    green = mix(lit(turf(world), world.palette, 0.5), world.palette.deep, 0.35)
    toward(one.rgb, green, (np.exp(-np.clip(below, 0, None) / (13 * unit)) * 0.75).astype(np.float32))
    rim(one, 0.55, 3.5)
    return one


def lake(stage: Stage) -> None:
    """Still water between a wooded shore and reeds."""
    world, unit = stage.world, stage.world.unit
    reading = world.reading
    if reading.has("mountain") or not reading.has("forest", "city", "desert"):
        ranges(stage, tall=world.horizon * (0.50 if reading.has("mountain") else 0.34), base=world.horizon - 4 * unit)
    stage.back.append(
        wooded(
            world,
            "far shore",
            depth=0.16,
            base=world.horizon - 6 * unit,
            swell=14 * unit,
            tall=(74 if reading.has("forest") else 48) * unit,
            far=0.34,
            kind=wood_kind(world),
            spacing=13,
        ).finished()
    )
    if reading.has("fog"):
        stage.back.append(
            Fog(world, "lake fog", middle=world.horizon - 10 * unit, tall=50 * unit, strength=0.75, speed=8)
        )
    stage.water_row = world.horizon + (world.height - world.horizon) * 0.30
    stage.middle.append(Water(world, stage.mirrored(), calm=0.75))
    if needs_ground(world):
        one = hills(
            world, "near shore", depth=0.8, base=world.height * 0.885, height=24 * unit, far=0.0, ground=turf(world)
        )
        stage.front.append(one.finished())
        stage.ground = Ground(world, one)
    stage.near.append(
        grass(
            world,
            tall=96 * unit,
            ground=turf(world),
            base=world.height * 0.99,
            reeds=not reading.has("snow"),
            flowers=FLOWERS if reading.has("flower") else (),
        )
    )
