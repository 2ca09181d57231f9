"""Places that nobody walks to: another planet, the sea floor, open space."""

from __future__ import annotations

import numpy as np

from media.scenery.actors import Ground
from media.scenery.land import hills, mountains, outline, rim, sheet
from media.scenery.noise import cloudy, wandering
from media.scenery.palettes import GROUND, lit
from media.scenery.planes import colour, mix
from media.scenery.plants import grass
from media.scenery.stage import Stage
from media.scenery.weather import Fog
from media.scenery.world import Painter, World


def open_space(stage: Stage) -> None:
    """Space has no ground."""


def planet(stage: Stage) -> None:
    """Crags and a plain of dust under other planets."""
    world, unit = stage.world, stage.world.unit
    below = world.height - world.horizon
    dust = GROUND["moon_dust"]
    stage.back.append(
        mountains(
            world, "far crags", depth=0.06, base=world.horizon + 12 * unit, height=150 * unit, far=0.50, snow=0.0
        ).finished()
    )
    stage.back.append(
        hills(
            world,
            "far plain",
            depth=0.16,
            base=world.horizon + below * 0.10,
            height=20 * unit,
            far=0.30,
            ground=dust,
            mottled=0.8,
        ).finished()
    )
    stage.back.append(Fog(world, "dust", middle=world.horizon + below * 0.10, tall=36 * unit, strength=0.5, speed=8))
    one = hills(
        world,
        "plain",
        depth=0.55,
        base=world.horizon + below * 0.44,
        height=26 * unit,
        far=0.02,
        ground=dust,
        mottled=1.0,
    )
    stage.front.append(one.finished())
    stage.ground = Ground(world, one)
    stage.near.append(_crags(world))


def _crags(world: World) -> Painter:
    """Near rocks of another world at both lower corners."""
    unit = world.unit
    rng = world.chance("crags")
    one = sheet(world, 1.0, world.height - 190 * unit)
    x = one.x()[0] / world.width
    lift = 150 * np.clip(1 - x / 0.30, 0, 1) ** 1.2 + 105 * np.clip((x - 0.76) / 0.24, 0, 1) ** 1.2 + 16
    rough = wandering(rng, len(x), 70 * unit, octaves=6, gain=0.5, ridged=True)
    crest = world.height - unit * lift * (0.72 + 0.34 * rough)
    outline(one, crest.astype(np.float32))
    texture = cloudy(rng, one.alpha.shape[1], one.height, 30 * unit, octaves=5)
    dim, bright = (
        mix(world.palette.deep, lit(GROUND["moon_dust"], world.palette, 0.1), 0.35),
        lit(GROUND["moon_dust"], world.palette, 0.6),
    )
    below = np.arange(one.height, dtype=np.float32)[:, None] - one.crest[None, :]
    light = np.clip(texture - 0.42, 0, 1) * 1.4 * np.exp(-np.clip(below, 0, None) / (60 * unit))
    for channel in range(3):
        one.rgb[..., channel] = dim[channel] + (bright[channel] - dim[channel]) * light
    rim(one, 0.4)
    return one.finished()


def underwater(stage: Stage) -> None:
    """A sandy floor with weed, light from above."""
    world, unit = stage.world, stage.world.unit
    stage.back.append(
        mountains(
            world, "far reef", depth=0.06, base=world.height * 0.96, height=170 * unit, far=0.72, snow=0.0
        ).finished()
    )
    stage.back.append(
        hills(
            world, "sand far", depth=0.2, base=world.height * 0.86, height=26 * unit, far=0.5, ground=GROUND["sand"]
        ).finished()
    )
    one = hills(world, "sand", depth=0.55, base=world.height * 0.92, height=22 * unit, far=0.22, ground=GROUND["sand"])
    stage.front.append(one.finished())
    stage.near.append(grass(world, tall=150 * unit, ground=colour("#3a8a6a"), base=world.height * 0.985))
