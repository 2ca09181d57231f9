"""The places: what lies behind, in the middle and in front, from the horizon to the viewer's feet."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PIL import ImageDraw

from media.scenery import city as streets
from media.scenery.cast import BEASTS, PEOPLE, Ground
from media.scenery.land import Sheet, dunes, glow_on_haze, hills, mountains, outline, rim, sheet
from media.scenery.noise import Field, cloudy, smoothstep, wandering
from media.scenery.palettes import GROUND, lit
from media.scenery.planes import Canvas, Colour, colour, mix
from media.scenery.plants import drawn, grass, lone_trees, wooded
from media.scenery.sky import toward
from media.scenery.water import Water
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


def build(stage: Stage, place: str) -> None:
    """Fill the stage."""
    {
        "sea": _sea, "lake": _lake, "city": _city, "rooftop": _rooftop, "desert": _desert, "mountain": _mountain, "forest": _forest,
        "hills": _hills, "planet": _planet, "underwater": _underwater, "space": _nothing,
    }[place](stage)  # fmt: skip


def _nothing(stage: Stage) -> None:
    """Space has no ground."""


def _ranges(stage: Stage, *, tall: float, base: float) -> None:
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


def _wood_kind(world: World) -> str:
    kind = season(world)
    return "pine" if kind == "leaf" and not world.reading.has("tree") else kind


def _sea(stage: Stage) -> None:
    world, unit = stage.world, stage.world.unit
    reading = world.reading
    if reading.has("mountain"):
        _ranges(stage, tall=world.horizon * 0.44, base=world.horizon + 2 * unit)
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
                kind=_wood_kind(world),
                spacing=15,
            ).finished()
        )
    if reading.has("island", "palm") or (
        not reading.has("mountain", "forest", "lighthouse", "whale") and world.seed % 3 == 0
    ):
        stage.back.append(_island(world, reading.has("island", "palm")))
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
    stands = _needs_ground(world)
    if reading.has("beach"):
        one = _shore(world, "beach", world.height * (0.86 if stands else 0.90))
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


def _needs_ground(world: World) -> bool:
    return world.reading.has(
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


def _island(world: World, large: bool) -> Painter:
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


def _lake(stage: Stage) -> None:
    world, unit = stage.world, stage.world.unit
    reading = world.reading
    if reading.has("mountain") or not reading.has("forest", "city", "desert"):
        _ranges(stage, tall=world.horizon * (0.50 if reading.has("mountain") else 0.34), base=world.horizon - 4 * unit)
    stage.back.append(
        wooded(
            world,
            "far shore",
            depth=0.16,
            base=world.horizon - 6 * unit,
            swell=14 * unit,
            tall=(74 if reading.has("forest") else 48) * unit,
            far=0.34,
            kind=_wood_kind(world),
            spacing=13,
        ).finished()
    )
    if reading.has("fog"):
        stage.back.append(
            Fog(world, "lake fog", middle=world.horizon - 10 * unit, tall=50 * unit, strength=0.75, speed=8)
        )
    stage.water_row = world.horizon + (world.height - world.horizon) * 0.30
    stage.middle.append(Water(world, stage.mirrored(), calm=0.75))
    if _needs_ground(world):
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


def _city(stage: Stage) -> None:
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
    if _needs_ground(world):
        one = _quay(world)
        stage.front.append(one.finished())
        stage.ground = Ground(world, one, sink=3)
    else:
        stage.near.append(_railing(world))


def _quay(world: World) -> Sheet:
    """A paved bank: flat, with joints that run toward the horizon, wet when it rains."""
    unit = world.unit
    row = world.height * 0.895
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

    def paint(draw: ImageDraw.ImageDraw, left: float, top: float) -> None:
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


def _rooftop(stage: Stage) -> None:
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


def _desert(stage: Stage) -> None:
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


def _mountain(stage: Stage) -> None:
    world, unit = stage.world, stage.world.unit
    reading = world.reading
    _ranges(stage, tall=world.horizon * (0.66 if world.width > world.height else 0.46), base=world.horizon + 12 * unit)
    below = world.height - world.horizon
    stage.back.append(
        Fog(world, "valley mist", middle=world.horizon - 8 * unit, tall=54 * unit, strength=0.70, speed=7)
    )
    kind = _wood_kind(world)
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


def _forest(stage: Stage) -> None:
    world, unit = stage.world, stage.world.unit
    reading = world.reading
    below = world.height - world.horizon
    kind = _wood_kind(world)
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


def _hills(stage: Stage) -> None:
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
            far=0.20,
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


def _planet(stage: Stage) -> None:
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


def _underwater(stage: Stage) -> None:
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
