"""Places in the open: desert, mountains, forest, hills."""

from __future__ import annotations

from media.scenery.actors import BEASTS, PEOPLE, Ground
from media.scenery.land import dunes, hills, mountains
from media.scenery.palettes import GROUND
from media.scenery.plants import grass
from media.scenery.stage import FLOWERS, Stage, ranges, season, turf, wood_kind
from media.scenery.trees import lone_trees, wooded
from media.scenery.weather import Fog


def desert(stage: Stage) -> None:
    """Four rows of dunes; figures walk on the third."""
    world, unit = stage.world, stage.world.unit
    reading = world.reading
    below = world.height - world.horizon
    if reading.has("mountain"):
        stage.back.append(
            mountains(
                world,
                "far range",
                depth=0.04,
                base=world.horizon + 10 * unit,
                height=world.horizon * 0.34,
                far=0.55,
                snow=0.0,
            ).finished()
        )
    stage.back.append(
        dunes(world, "far dunes", depth=0.07, base=world.horizon + 4 * unit, height=46 * unit, far=0.52).finished()
    )
    stage.back.append(
        dunes(
            world, "middle dunes", depth=0.20, base=world.horizon + below * 0.20, height=66 * unit, far=0.26
        ).finished()
    )
    one = dunes(world, "stage dunes", depth=0.46, base=world.horizon + below * 0.50, height=74 * unit, far=0.08)
    stage.front.append(one.finished())
    stage.ground = Ground(world, one, sink=3)
    stage.near.append(
        dunes(world, "near dunes", depth=0.95, base=world.height * 0.955, height=70 * unit, far=0.0).finished()
    )


def mountain(stage: Stage) -> None:
    """Two ranges, a wooded valley, a slope in front."""
    world, unit = stage.world, stage.world.unit
    reading = world.reading
    ranges(stage, tall=world.horizon * (0.66 if world.width > world.height else 0.46), base=world.horizon + 12 * unit)
    below = world.height - world.horizon
    stage.back.append(
        Fog(world, "valley mist", middle=world.horizon - 8 * unit, tall=54 * unit, strength=0.70, speed=7)
    )
    kind = wood_kind(world)
    stage.back.append(
        wooded(
            world,
            "valley wood",
            depth=0.24,
            base=world.horizon + below * 0.12,
            swell=20 * unit,
            tall=66 * unit,
            far=0.28,
            kind=kind,
            spacing=15,
        ).finished()
    )
    if reading.has("fog"):
        stage.back.append(
            Fog(world, "wood mist", middle=world.horizon + below * 0.2, tall=46 * unit, strength=0.8, speed=12)
        )
    one = hills(
        world,
        "near slope",
        depth=0.62,
        base=world.horizon + below * 0.46,
        height=34 * unit,
        far=0.02,
        ground=turf(world),
    )
    stage.front.append(one.finished())
    stage.ground = Ground(world, one)
    _frame_with_trees(stage, kind)
    stage.near.append(
        grass(
            world,
            tall=52 * unit,
            ground=turf(world),
            base=world.height * 0.97,
            flowers=FLOWERS if reading.has("flower", "spring", "meadow") else (),
        )
    )


def _frame_with_trees(stage: Stage, kind: str) -> None:
    """Near trees at one side, so that the eye goes past them."""
    world, unit = stage.world, stage.world.unit
    rng = world.chance("framing trees")
    left = world.light.x > world.width / 2
    spots = []
    for index in range(3):
        part = (0.01 + 0.085 * index + 0.02 * rng.random()) if world.width > world.height else (-0.01 + 0.12 * index)
        x = world.width * (part if left else 1 - part)
        spots.append((x, world.height * (1.02 - 0.01 * index), (330 - 85 * index + 40 * rng.random()) * unit))
    x = world.width * (0.965 if left else 0.035)
    spots.append((x, world.height * 1.02, 230 * unit))
    stage.near.append(
        lone_trees(world, "framing trees", depth=0.95, spots=spots, kind="pine" if kind.endswith("pine") else kind)
    )


def forest(stage: Stage) -> None:
    """Three rows of trees with a clearing toward the light."""
    world, unit = stage.world, stage.world.unit
    reading = world.reading
    below = world.height - world.horizon
    kind = wood_kind(world)
    foggy = reading.has("fog") or world.palette.name == "misty"
    if reading.has("mountain") or reading.has("aurora"):
        stage.back.append(
            mountains(
                world,
                "far range",
                depth=0.04,
                base=world.horizon + 6 * unit,
                height=world.horizon * 0.40,
                far=0.55,
                snow=0.7 if reading.has("snow", "winter") else 0.45,
            ).finished()
        )
    clear = (world.light.x - 190 * unit, world.light.x + 190 * unit) if world.light.kind == "sun" else None
    rows = ((0.07, 0.02, 88.0, 0.62, 17.0), (0.16, 0.10, 122.0, 0.42, 21.0), (0.30, 0.22, 168.0, 0.22, 30.0))
    lift = 1.0 if world.width > world.height else 1.25
    for number, (depth, drop, tall, far, spacing) in enumerate(rows):
        stage.back.append(
            wooded(
                world,
                f"wood {number}",
                depth=depth,
                base=world.horizon + below * drop,
                swell=24 * unit,
                tall=tall * unit * lift,
                far=far + (0.10 if foggy else 0),
                kind=kind,
                spacing=spacing,
                clearing=clear,
            ).finished()
        )
        if foggy:
            stage.back.append(
                Fog(
                    world,
                    f"wood fog {number}",
                    middle=world.horizon + below * (drop - 0.05),
                    tall=62 * unit,
                    strength=0.62,
                    speed=8 + 5 * number,
                )
            )
    one = hills(
        world,
        "clearing",
        depth=0.60,
        base=world.horizon + below * 0.46,
        height=22 * unit,
        far=0.04,
        ground=turf(world),
        mottled=0.9,
    )
    stage.front.append(one.finished())
    stage.ground = Ground(world, one)
    _frame_with_trees(stage, kind)
    stage.near.append(
        grass(
            world,
            tall=64 * unit,
            ground=turf(world),
            base=world.height * 0.965,
            flowers=FLOWERS if reading.has("flower", "spring") else (),
        )
    )


def rolling_hills(stage: Stage) -> None:
    """Fields and hedges under far hills: where everything stands that names no place."""
    world, unit = stage.world, stage.world.unit
    reading = world.reading
    below = world.height - world.horizon
    ground = turf(world)
    kind = season(world)
    if not reading.has("fog"):
        stage.back.append(
            mountains(
                world,
                "blue range",
                depth=0.03,
                base=world.horizon,
                height=world.horizon * 0.17,
                far=0.68,
                snow=0.5 if reading.has("snow", "winter") else 0.0,
            ).finished()
        )
    stage.back.append(
        hills(
            world,
            "far hills",
            depth=0.05,
            base=world.horizon - 26 * unit,
            height=52 * unit,
            far=0.62,
            ground=GROUND["pine"],
        ).finished()
    )
    stage.back.append(
        hills(
            world,
            "blue hills",
            depth=0.10,
            base=world.horizon - 2 * unit,
            height=40 * unit,
            far=0.42,
            ground=GROUND["leaf"] if ground != GROUND["snow"] else ground,
        ).finished()
    )
    if reading.has("fog"):
        stage.back.append(Fog(world, "hill fog", middle=world.horizon, tall=56 * unit, strength=0.75, speed=9))
    stage.back.append(
        wooded(
            world,
            "hedges",
            depth=0.22,
            base=world.horizon + below * 0.14,
            swell=26 * unit,
            tall=60 * unit,
            far=0.12,
            kind=kind,
            spacing=31,
        ).finished()
    )
    if reading.has("fog"):
        stage.back.append(
            Fog(world, "field fog", middle=world.horizon + below * 0.22, tall=46 * unit, strength=0.7, speed=13)
        )
    one = hills(
        world,
        "field",
        depth=0.60,
        base=world.horizon + below * 0.42,
        height=34 * unit,
        far=0.02,
        ground=ground,
        mottled=0.8,
    )
    stage.front.append(one.finished())
    stage.ground = Ground(world, one)
    if reading.has("tree", "autumn", "spring") or world.seed % 2 == 0:
        alone = reading.has("tree") and not reading.has(*PEOPLE, *BEASTS)
        x = world.width * ((0.33 if alone else 0.13) if world.light.x > world.width / 2 else (0.67 if alone else 0.87))
        stage.front.append(
            lone_trees(
                world,
                "lone tree",
                depth=0.60,
                spots=[
                    (
                        x,
                        stage.ground.row(x) + 4 * unit,
                        (330 if alone else 250 if reading.has("tree", "autumn", "spring") else 170) * unit,
                    )
                ],
                kind=kind if kind != "snow_pine" else "pine",
            )
        )
    flowers = FLOWERS if reading.has("flower", "meadow", "spring", "butterfly") else ()
    stage.near.append(grass(world, tall=84 * unit, ground=ground, base=world.height * 0.965, flowers=flowers))
