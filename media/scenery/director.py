"""From a reading to a scene: which hour, which place, what stands where, and in which order it is painted."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from media.scenery import beasts, cast, cosmos, heavens, people, props, swimmers, weather
from media.scenery.abstract import abstract_scene
from media.scenery.caption import captioned
from media.scenery.hours import hour_of, light_of, place_of
from media.scenery.land import hills, outline, rim, sheet
from media.scenery.noise import Field, cloudy, generator, wandering
from media.scenery.palettes import GROUND, PALETTES, TINTS, Palette, lit
from media.scenery.places import Stage, build
from media.scenery.planes import Canvas, Colour, codes, colour, mix
from media.scenery.plants import lone_trees
from media.scenery.rig import dressed, silhouette
from media.scenery.sky import painted_sky
from media.scenery.truth import WEARERS, labelled, shown
from media.scenery.words import Reading
from media.scenery.world import Light, Painter, World


@dataclass(slots=True)
class Scene:
    """A picture as a pure function of time, and what it shows."""

    world: World
    base: Canvas
    painters: list[Painter]
    drawn: list[str]
    not_drawn: list[str]
    """Known words that found no place in this scene."""
    place: str = ""
    """Empty for an abstract scene."""
    caption: bool = False
    thunder: list[float] = field(default_factory=list)
    """Moments of lightning, for the sound."""

    def frame(self, time: float) -> Canvas:
        """The picture at ``time`` seconds; safe to call from several threads at once."""
        canvas = self.base.copy()
        for painter in self.painters:
            painter.draw(canvas, time)
        return canvas


def direct(
    reading: Reading, text: str, seed: int, size: tuple[int, int], seconds: float, *, caption: bool = True
) -> Scene:
    """Compose a scene for what was read; ``caption`` False leaves the words out."""
    place = place_of(reading)
    world = _world(reading, text, seed, size, seconds, place)
    if not place:
        scene = abstract_scene_of(world)
    else:
        scene = _landscape(world, place)
    if "particles" in reading.removed:
        scene.painters = [one for one in scene.painters if not isinstance(one, weather.Floating)]
    finish(scene, text, caption)
    return scene


def abstract_scene_of(world: World) -> Scene:
    """Ribbons of light for what has no picture."""
    base, painters = abstract_scene(world)
    coloured = [match for match in world.reading.matches if match.element in TINTS]
    rest = [match.word for match in world.reading.matches if match.element not in TINTS]
    return Scene(world, base, painters, [f"{match.word} (colour)" for match in coloured], rest)


def finish(scene: Scene, text: str, caption: bool) -> None:
    """Vignette, and the caption over it."""
    world = scene.world
    scene.painters.append(cosmos.Vignette(world, 0.42))
    if caption and "caption" not in world.reading.removed:
        words = captioned(world, text)
        if words is not None:
            scene.painters.append(words)
            scene.caption = True


def _world(reading: Reading, text: str, seed: int, size: tuple[int, int], seconds: float, place: str) -> World:
    width, height = size
    rng = generator(seed, text, "direction")
    palette = hour_of(reading, place, rng)
    part = {
        "sea": 0.64,
        "lake": 0.60,
        "city": 0.74,
        "rooftop": 0.66,
        "underwater": 0.98,
        "space": 1.0,
        "planet": 0.70,
        "desert": 0.60,
        "mountain": 0.68,
        "forest": 0.68,
    }
    if width < height:
        part |= {
            "sea": 0.62,
            "city": 0.72,
            "rooftop": 0.66,
            "desert": 0.60,
            "planet": 0.70,
            "mountain": 0.66,
            "forest": 0.66,
        }
    horizon = int(height * (part.get(place, 0.66) + 0.02 * (rng.random() - 0.5))) & ~1
    horizon = min(horizon, height)
    light = light_of(reading, palette, width, height, horizon, rng)
    world = World(
        width,
        height,
        seconds,
        seed,
        text,
        _coloured(palette, reading),
        reading,
        light,
        horizon,
        1.0 if rng.random() < 0.5 else -1.0,
    )
    return world


def _coloured(palette: Palette, reading: Reading) -> Palette:
    """A colour word without a thing to wear it tints the sky's lower half."""
    named = reading.first(*TINTS)
    natural = named == "green" and reading.has("hill", "meadow", "forest", "tree", "mountain", "lake")
    if named is None or natural or reading.elements & WEARERS or named in ("white", "black"):
        return palette
    tone = TINTS[named]
    sky = tuple(mix(one, tone, 0.10 + 0.10 * index) for index, one in enumerate(palette.sky))
    return Palette(
        palette.name, sky, mix(palette.light, tone, 0.12), palette.key, palette.shade, mix(palette.haze, tone, 0.35), palette.deep,
        mix(palette.cloud, tone, 0.3), palette.cloud_shade, palette.water, palette.dark, palette.mood,
    )  # fmt: skip


def _landscape(world: World, place: str) -> Scene:
    sky = painted_sky(world)
    base = Canvas.painted(sky, world.chance("dither"))
    stage = Stage(world, base, sky)
    _heavens(stage, place)
    build(stage, place)
    _things(stage, place)
    _beings(stage, place)
    air = _air(stage, place)
    painters = [*stage.back, *stage.middle, *stage.front, *stage.near, *air]
    yes, no = shown(world, place, ground=stage.ground is not None, water=stage.water_row is not None)
    strikes = [moment for one in stage.back if isinstance(one, heavens.Lightning) for moment, *_ in one.strikes]
    return Scene(world, base, painters, labelled(yes), [match.word for match in no], place, thunder=strikes)


def _heavens(stage: Stage, place: str) -> None:
    """What moves in the sky, farthest first."""
    world, reading = stage.world, stage.world.reading
    name = world.palette.name
    if place == "underwater":
        stage.back.append(
            cosmos.Shafts(
                world, bottom=int(world.height * 0.9), tone=world.palette.light, strength=0.55, cell=90, fan=False
            )
        )
        return
    dark = world.palette.dark > 0.6 and not reading.has("storm", "rain", "fog")
    if (dark or reading.has("star")) and "star" not in reading.removed:
        stage.back.append(
            heavens.Twinkle(
                world, 46 if name in ("night", "space") else 22, world.horizon * (1.0 if name == "space" else 0.8)
            )
        )
    if place in ("space", "planet"):
        if place == "space":
            stage.back.append(cosmos.StarDrift(world))
        left = world.light.x < world.width / 2
        rng = world.chance("planets")
        big = min(world.width, world.height)
        kind = int(rng.integers(0, 4))
        if place == "planet" or reading.has("planet") or place == "space":
            x = world.width * (0.70 if left else 0.30)
            y = world.horizon * (0.36 if place == "planet" else 0.44)
            stage.back.append(
                cosmos.Planet(
                    world,
                    "planet",
                    x=x,
                    y=y,
                    radius=big * (0.165 if place == "planet" else 0.20),
                    kind=kind,
                    rings=bool(rng.random() < 0.6),
                    depth=0.10,
                )
            )
            stage.back.append(
                cosmos.Planet(
                    world,
                    "small planet",
                    x=world.width * (0.20 if left else 0.82),
                    y=world.horizon * 0.20,
                    radius=big * 0.036,
                    kind=kind + 1,
                    rings=False,
                    depth=0.05,
                )
            )
    if reading.has("aurora"):
        top = world.horizon
        stage.back.append(
            heavens.Ribbons(
                world,
                "aurora",
                hems=(top * 0.62, top * 0.44),
                tall=150 if world.width > world.height else 230,
                colours=(colour("#4dffa0"), colour("#9a5cff")),
                strength=0.95,
                bottom=min(world.height, int(top * 0.92)),
            )
        )
    if reading.has("meteor"):
        stage.back.append(heavens.Meteors(world))
    storm = reading.has("storm", "lightning")
    if storm:
        stage.back.append(heavens.Lightning(world))
    if "cloud" in reading.removed or place in ("space", "planet"):
        pass
    elif storm or reading.has("rain"):
        stage.back.append(
            heavens.Clouds(
                world, "low bank", top=-10, bottom=world.horizon * 0.62, cover=0.95, speed=13, strength=0.96, cell=210
            )
        )
        stage.back.append(
            heavens.Clouds(
                world,
                "ragged bank",
                top=-10,
                bottom=world.horizon * 0.40,
                cover=0.75,
                speed=24,
                strength=0.85,
                cell=130,
            )
        )
    elif reading.has("cloud"):
        stage.back.append(
            heavens.Clouds(
                world,
                "white bank",
                top=world.horizon * 0.08,
                bottom=world.horizon * 0.86,
                cover=0.72,
                speed=10,
                strength=0.95,
                cell=190,
            )
        )
        stage.back.append(
            heavens.Clouds(
                world, "high bank", top=-10, bottom=world.horizon * 0.5, cover=0.5, speed=17, strength=0.8, cell=130
            )
        )
    elif name in ("day", "sunset", "dawn", "winter", "twilight"):
        stage.back.append(
            heavens.Clouds(
                world,
                "bank",
                top=world.horizon * 0.12,
                bottom=world.horizon * 0.78,
                cover=0.36,
                speed=9,
                strength=0.80,
                cell=150,
            )
        )
    if reading.has("firework"):
        stage.back.append(heavens.Fireworks(world))
    if reading.has("bird") or (
        place in ("sea", "lake") and name in ("sunset", "dawn", "day") and "bird" not in reading.removed
    ):
        big = reading.has("bird")
        area = (0.0, world.horizon * 0.16, float(world.width), world.horizon * 0.62)
        stage.back.append(
            cast.Flock(world, count=11 if big else 5, area=area, size=(26, 74) if big else (16, 34), speed=34)
        )


def _spot(world: World, index: int, count: int) -> float:
    """Columns for several subjects: the first on the third opposite the light, the rest beside it."""
    free = 0.36 if world.light.x > world.width / 2 else 0.64
    if count == 1:
        return world.width * free
    step = (0.26 if count == 2 else 0.22 if count == 3 else 0.60 / (count - 1)) * (1 if free < 0.5 else -1)
    return world.width * (free + step * (index - (0 if count <= 2 else 0.6)))


def _things(stage: Stage, place: str) -> None:
    """Props, from back to front."""
    world, unit, reading = stage.world, stage.world.unit, stage.world.reading
    big = min(world.width, world.height)
    far_side = 0.24 if world.light.x > world.width / 2 else 0.76
    near_side = 1 - far_side
    coats = props.PROP_COATS
    if reading.has("lighthouse"):
        x = world.width * far_side
        _lighthouse(stage, x, big)
    if stage.water_row is not None and reading.has("boat", "ship"):
        kind = "ship" if reading.has("ship") and not reading.has("boat") else "boat"
        both = reading.has("boat") and reading.has("ship")
        x = (
            world.width * (0.62 if far_side < 0.5 else 0.38)
            if reading.has("lighthouse")
            else world.width * (0.42 if far_side < 0.5 else 0.58)
        )
        facing = 1.0 if x < world.width / 2 else -1.0
        stage.middle.append(
            cast.Afloat(
                world,
                kind,
                x,
                stage.water_row - (0 if kind == "boat" else 14 * unit),
                (0.30 if kind == "boat" else 0.36) * big,
                facing,
            )
        )
        if both:
            stage.middle.append(
                cast.Afloat(world, "ship", world.width * near_side, stage.water_row - 40 * unit, 0.20 * big, -facing)
            )
    if reading.has("castle", "house"):
        ground = stage.ground
        kind = "castle" if reading.has("castle") else "house"
        tall = (0.34 if kind == "castle" else 0.135) * big
        box = (-0.80, -0.02, 0.80, 1.26)
        depth = ground.sheet.depth if ground else 0.2
        word = next(match.word.casefold() for match in reading.matches if match.element == kind)
        several = kind == "house" and (word in _VILLAGES or word.endswith("s"))
        for number, (dx, part) in enumerate(
            ((0.0, 1.0), (0.15, 0.72), (-0.13, 0.62), (0.27, 0.58)) if several else ((0.0, 1.0),)
        ):
            x = world.width * (far_side + (dx if far_side < 0.5 else -dx))
            row = ground.row(x) if ground else float(world.horizon)
            brush = props.castle() if kind == "castle" else props.house()
            coat = mix(cast.tinted(world, coats[kind]), GROUND["rock"], 0.25 * (number % 2))
            stage.front.append(
                cast.Standing(world, cast.built(world, brush, tall * part, box, coat, x), x, row + 3 * unit, depth)
            )
            if kind == "house" and reading.has("snow", "winter"):
                roof = cast.Brush()
                roof.corner((-0.70, 0.43), (0.70, 0.43), (0.41, 0.97), (-0.41, 0.97))
                stage.front.append(
                    cast.Standing(
                        world, cast.built(world, roof, tall * part, box, GROUND["snow"], x), x, row + 3 * unit, depth
                    )
                )
            if kind == "house" and world.palette.dark > 0.2:
                window = (x - 1, row - tall * part * 0.7, x + 1, row - tall * part * 0.1)
                glow = weather.Floating(
                    world,
                    f"window light {number}",
                    count=1,
                    tone=(1.0, 0.8, 0.45),
                    sizes=(70, 70),
                    strength=0.36,
                    rise=0,
                    blink=0,
                    area=window,
                )
                stage.front.append(glow)
    if reading.has("cactus") and stage.ground:
        for index, (dx, part) in enumerate(((0.0, 0.20), (0.10, 0.12), (-0.08, 0.09))):
            x = world.width * (far_side - dx if far_side > 0.5 else far_side + dx)
            stage.front.append(
                cast.Standing(
                    world,
                    cast.built(world, props.cactus(), part * big, (-0.36, -0.06, 0.36, 1.05), coats["cactus"], x),
                    x,
                    stage.ground.row(x),
                    stage.ground.sheet.depth,
                    flip=index == 1,
                )
            )
    if reading.has("tree") and place in ("desert", "sea", "city", "planet", "mountain") and stage.ground:
        x = world.width * (0.15 if far_side < 0.5 else 0.85)
        stage.front.append(
            lone_trees(
                world,
                "named tree",
                depth=stage.ground.sheet.depth,
                spots=[(x, stage.ground.row(x) + 4 * unit, 210 * unit)],
                kind="autumn" if reading.has("autumn") else "leaf",
            )
        )
    if reading.has("palm") and place not in ("sea",) and stage.ground:
        spots = [
            (world.width * far_side + dx * unit, stage.ground.row(world.width * far_side + dx * unit), tall * unit)
            for dx, tall in ((-40, 170), (20, 215), (70, 150))
        ]
        stage.front.append(lone_trees(world, "palms", depth=stage.ground.sheet.depth, spots=spots, kind="palm"))
    if reading.has("balloon"):
        _balloons(stage, big)
    if reading.has("lantern"):
        sprite = _lantern(world, 34 * unit)
        rng = world.chance("lanterns")
        for index in range(14):
            scale = float(0.35 + 0.65 * rng.random() ** 1.5)
            stage.front.append(_Rising(world, sprite, float(rng.random() * world.width), float(rng.random()), scale))
    if reading.has("ufo"):
        x = world.width * (1 - far_side)
        stage.back.append(
            cast.Standing(
                world,
                cast.built(world, props.saucer(), 190 * unit, (-0.56, -0.16, 0.56, 0.30), coats["ufo"], x),
                x,
                world.horizon * 0.40,
                0.2,
                bob=9,
            )
        )
    if reading.has("rocket"):
        x = world.width * (0.62 if far_side < 0.5 else 0.38)
        sprite = cast.built(world, props.rocket(), 0.30 * big, (-0.32, -0.04, 0.32, 1.05), coats["rocket"], x)
        if stage.ground is not None:
            stage.front.append(cast.Standing(world, sprite, x, stage.ground.row(x), stage.ground.sheet.depth))
        else:
            stage.middle.append(_Flying(world, sprite))
    if reading.has("train"):
        _railway(stage, place, big)
    if reading.has("car"):
        _road(stage, place, big)
    if reading.has("rock") and stage.ground:
        for index, (fx, part) in enumerate(((0.12, 0.17), (0.20, 0.09), (0.86, 0.13), (0.72, 0.05))):
            x = world.width * (fx if far_side < 0.5 else 1 - fx)
            sprite = cast.built(world, props.boulder(index), part * big, (-0.9, -0.12, 0.9, 1.05), GROUND["rock"], x)
            stage.front.append(
                cast.Standing(world, sprite, x, stage.ground.row(x) + 3 * unit, stage.ground.sheet.depth)
            )
    if reading.has("campfire"):
        free = 0.36 if world.light.x > world.width / 2 else 0.64
        x = world.width * (
            (free + (0.17 if free < 0.5 else -0.17)) if reading.has(*cast.PEOPLE, *cast.BEASTS) else free
        )
        row = stage.ground.row(x) if stage.ground else world.height * 0.88
        depth = stage.ground.sheet.depth if stage.ground else 0.8
        stage.front.append(weather.Fire(world, x, row + 12 * unit, 0.145 * big, depth))


def _lighthouse(stage: Stage, x: float, big: float) -> None:
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
    sprite = cast.built(world, tower, tall, box, props.PROP_COATS["tower"], x)
    stripe = cast.built(world, bands, tall, box, cast.tinted(world, props.PROP_COATS["band"]), x)
    stage.middle.append(_Mirrored(world, [sprite, stripe], x, foot, depth, float(water_line)))
    stage.middle.append(_DarkWater(world, x + 20 * unit, water_line + 5 * unit, depth))
    stage.middle.append(rock)
    stage.middle.append(cast.Standing(world, sprite, x, foot + 2 * unit, depth))
    stage.middle.append(cast.Standing(world, stripe, x, foot + 2 * unit, depth))
    if world.palette.dark > 0.05 or world.reading.has("fog", "storm"):
        stage.middle.append(cast.Beam(world, x, foot - tall * 0.887, depth, 26 * unit))


class _DarkWater:
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
            mask = cast.ellipse(wide, tall)
            canvas.tint(self.tone, mask, int(x) - wide // 2, int(self.row) - tall // 3)


class _Mirrored:
    """Soft broken reflections of a standing thing in the water below it."""

    def __init__(
        self, world: World, sprites: list[cast.Sprite], x: float, foot: float, depth: float, row: float
    ) -> None:
        self.world, self.sprites, self.x, self.foot, self.depth, self.row = world, sprites, x, foot, depth, row

    def draw(self, canvas: Canvas, time: float) -> None:
        """Mirror."""
        x = self.x + self.world.travel(time) * self.depth
        sway = 2.0 * self.world.unit * float(np.sin(time * 1.3))
        for sprite in self.sprites:
            sprite.draw(canvas, x + sway, 2 * self.row - self.foot - 6 * self.world.unit, upright=-0.62, fade=0.24)


def _balloons(stage: Stage, big: float) -> None:
    world = stage.world
    rng = world.chance("balloons")
    tones: list[Colour] = [
        colour("#d8483c"),
        colour("#f0b43c"),
        colour("#3c8ac8"),
        colour("#7a4ab0"),
        colour("#3ca878"),
    ]
    spots = [(0.34, 0.40, 0.34), (0.70, 0.26, 0.19), (0.55, 0.52, 0.12), (0.86, 0.50, 0.10), (0.14, 0.24, 0.13)]
    if world.light.x < world.width / 2:
        spots = [(1 - x, y, size) for x, y, size in spots]
    for index, (fx, fy, part) in enumerate(reversed(spots)):
        body, stripes = props.balloon()
        tone = cast.tinted(world, tones[(index + int(rng.integers(0, 2))) % 5])
        x, tall = world.width * fx, part * big * 1.15
        box = (-0.42, 0.0, 0.42, 1.03)
        plain = cast.built(world, body, tall, box, tone, x, windows=True)
        striped = cast.built(world, stripes, tall, box, mix(tone, (1, 0.96, 0.88), 0.72), x)
        y = world.horizon * fy + tall * 0.5
        for sprite in (plain, striped):
            stage.back.append(cast.Standing(world, sprite, x, y, 0.10 + part * 0.8, bob=5 + 10 * part))


def _lantern(world: World, tall: float) -> cast.Sprite:
    cover, origin = silhouette(props.paper_lantern(), tall, (-0.5, -0.1, 0.5, 1.1), 0.01)
    rows, columns = cover.shape
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    low, high = np.array((1.0, 0.86, 0.48)), np.array((0.92, 0.42, 0.16))
    rgb = (high + (low - high) * y**0.8) * np.ones((rows, columns, 1))
    return cast.Sprite(rgb.astype(np.float32), cover, origin)


class _Rising:
    """A paper lantern on its way up, with its glow."""

    def __init__(self, world: World, sprite: cast.Sprite, x: float, start: float, scale: float) -> None:
        self.world, self.sprite, self.x, self.start, self.scale = world, sprite, x, start, scale
        self.glow = cast.Glow(64 * world.unit * scale, (1.0, 0.66, 0.28), 0.5, 2.2)

    def draw(self, canvas: Canvas, time: float) -> None:
        """Rise."""
        unit, height = self.world.unit, self.world.horizon
        y = height * 1.1 - ((self.start * height * 1.25 + 20 * unit * self.scale * time) % (height * 1.25))
        x = self.x + 12 * unit * float(np.sin(time * 0.5 + self.start * 9)) + self.world.travel(time) * 0.3 * self.scale
        fade = float(np.clip((height * 1.02 - y) / (60 * unit), 0, 1))
        self.glow.draw(canvas, x, y - 16 * unit * self.scale, fade)
        self.sprite.draw(canvas, x, y, scale=self.scale, turn=0.05 * float(np.sin(time + self.start * 6)), fade=fade)


class _Flying:
    """A rocket that rises on its flame through open space."""

    def __init__(self, world: World, sprite: cast.Sprite) -> None:
        self.world, self.sprite = world, sprite
        unit = world.unit
        self.flame = [
            cast.Glow((26 - 1.6 * step) * unit, mix((1.0, 0.92, 0.66), (1.0, 0.36, 0.10), step / 12), 0.8, 1.9)
            for step in range(13)
        ]

    def draw(self, canvas: Canvas, time: float) -> None:
        """Fly."""
        part = time / self.world.seconds
        width, height, unit = self.world.width, self.world.height, self.world.unit
        turn = 0.55 * self.world.drift
        x = width * (0.5 + self.world.drift * (part - 0.55) * 0.30)
        y = height * (0.86 - 0.34 * part)
        dx, dy = -float(np.sin(turn)), float(np.cos(turn))
        for step, glow in enumerate(self.flame):
            far = (6 + 12 * step) * unit * (1 + 0.05 * float(np.sin(time * 31 + step)))
            glow.draw(canvas, x + dx * far, y + dy * far, 1 - step / 14)
        self.sprite.draw(canvas, x, y, turn=turn)


def _bank(stage: Stage, name: str, row: float, depth: float, tone: Colour) -> None:
    """A level embankment for rails or a road."""
    one = hills(
        stage.world,
        name,
        depth=depth,
        base=row,
        height=1.5 * stage.world.unit,
        far=0.10,
        ground=tone,
        mottled=0.8,
        cell=1500.0,
    )
    stage.front.append(one.finished())


def _railway(stage: Stage, place: str, big: float) -> None:
    world, unit = stage.world, stage.world.unit
    facing = world.drift
    tall = 0.078 * big
    row = world.horizon + (world.height - world.horizon) * (0.62 if place != "desert" else 0.56)
    tone = (
        GROUND["sand"]
        if place == "desert"
        else GROUND["snow"]
        if world.reading.has("snow", "winter")
        else GROUND["earth"]
    )
    _bank(stage, "embankment", row, 0.50, tone)
    brush = props.train()
    length = (2.68 + props.TRAIN_CARS * 2.95) * tall
    sprite = cast.built(
        world,
        brush,
        tall,
        (-(2.75 + props.TRAIN_CARS * 2.95), -0.02, 0.08, 0.98),
        cast.tinted(world, props.PROP_COATS["train"]),
        world.width * 0.5,
        windows=world.palette.dark > 0.1,
    )
    speed = (world.width * 0.75 + length * 0.25) / unit / world.seconds
    stage.front.append(
        cast.Crossing(
            world,
            sprite,
            length=length,
            row=row + 2 * unit,
            depth=0.50,
            speed=speed,
            facing=facing,
            lamp=(-0.02 * tall, 0.34 * tall),
            glow=90 * unit,
            start=world.width * 0.30,
        )
    )


def _road(stage: Stage, place: str, big: float) -> None:
    world, unit = stage.world, stage.world.unit
    row = (
        world.height * 0.90
        if stage.ground is None or place == "city"
        else stage.world.horizon + (world.height - world.horizon) * 0.62
    )
    if place != "city":
        _bank(stage, "road", row, 0.55, mix(GROUND["city"], world.palette.deep, 0.3))
    elif stage.ground is None:
        _bank(stage, "road", row, 0.80, mix(GROUND["city"], world.palette.deep, 0.3))
    for number, (facing, start, speed) in enumerate(((1.0, -0.05, 0.105), (-1.0, 0.30, 0.12), (1.0, -0.62, 0.10))):
        tall = 0.085 * big
        tones: list[Colour] = [props.PROP_COATS["car"], colour("#4a6a8a"), colour("#c8c0b0")]
        sprite = cast.built(
            world, props.car(), tall, (-1.12, -0.02, 1.12, 0.96), cast.tinted(world, tones[number]), world.width * 0.5
        )
        stage.front.append(
            cast.Crossing(
                world,
                sprite,
                length=2 * tall,
                row=row + (4 + 9 * (facing < 0)) * unit,
                depth=0.55,
                speed=world.width * speed / unit,
                facing=facing,
                lamp=(1.0 * tall, 0.40 * tall),
                glow=64 * unit,
                start=world.width * (start + 0.25),
            )
        )


def _beings(stage: Stage, place: str) -> None:
    """Animals and people."""
    world, unit, reading = stage.world, stage.world.unit, stage.world.reading
    sea_row = (stage.water_row or world.horizon) + 20 * unit
    standing = [match.element for match in reading.matches if match.element in (*cast.PEOPLE, *cast.BEASTS, "owl")]
    if "dancer" in standing and any(
        one in standing for one in ("robot", "astronaut", "child", "man", "woman", "person", "couple")
    ):
        standing.remove("dancer")
    if stage.ground is not None:
        _stand(stage, place, standing)
    elif standing and place in ("space", "underwater"):
        for index, kind in enumerate(standing[:3]):
            _float_in_space(stage, kind, index)
    swimming = [match.element for match in reading.matches if match.element in cast.SWIMMERS]
    for index, kind in enumerate(swimming):
        x = _spot(world, index, len(swimming))
        facing = 1.0 if x < world.width / 2 else -1.0
        if place == "underwater" or stage.water_row is None:
            stage.middle.append(_School(world, kind, index))
        elif kind in ("jellyfish", "turtle"):
            stage.middle.append(
                cast.Leaper(world, kind, x, sea_row, start=-0.2, lasts=world.seconds * 1.1, scale=1.0, facing=facing)
            )
        else:
            lasts = min(world.seconds * 0.84, 4.8 if kind == "whale" else 1.9)
            count = 1 if kind == "whale" else 3
            for number in range(count):
                stage.middle.append(
                    cast.Leaper(
                        world,
                        kind,
                        x + number * 0.12 * world.width * facing,
                        sea_row + number * 16 * unit,
                        start=0.12 * world.seconds + number * 0.45 - (0.35 * lasts if kind == "whale" else 0),
                        lasts=lasts,
                        scale=1.0 - 0.1 * number,
                        facing=facing,
                    )
                )
    if reading.has("butterfly"):
        area = (world.width * 0.06, world.height * 0.42, world.width * 0.94, world.height * 0.88)
        stage.near.append(cast.Flock(world, count=7, area=area, size=(26, 66), kind="butterfly", speed=22))


def _stand(stage: Stage, place: str, standing: list[str]) -> None:
    world, reading = stage.world, stage.world.reading
    ground = stage.ground
    if ground is None:
        return
    count = len(standing)
    for index, kind in enumerate(standing[:5]):
        x = _spot(world, index, min(5, count))
        facing = 1.0 if x < world.width / 2 else -1.0
        if reading.has("run", "walk"):
            facing = 1.0 if world.drift > 0 else -1.0
        scale = 1.0 if place not in ("city", "rooftop") or kind in cast.PEOPLE else 1.15
        if world.width < world.height:
            scale *= 1.15
        word = next(match.word.casefold() for match in reading.matches if match.element == kind)
        many = kind in ("camel", "sheep") or (word.endswith("s") and word not in _SINGULAR) or word in _MANY
        if many and count <= 2 and not (reading.has("campfire") and kind != "camel"):
            spread = 5 if kind == "camel" else 3
            size = scale * (0.60 if kind == "camel" else 0.88)
            for number in range(spread):
                gap = 0.175 if kind == "camel" else 0.17
                px = world.width * 0.5 + (number - (spread - 1) / 2) * gap * world.width * 0.95
                first = stage.front[-1] if number else None
                one = cast.on_ground(
                    world,
                    ground,
                    kind,
                    px,
                    size,
                    facing=facing,
                    offset=0.37 * number,
                    herd=1 - 0.05 * (number % 3),
                    like=first,
                )
                stage.front.append(one)
        else:
            stage.front.append(cast.on_ground(world, ground, kind, x, scale, facing=facing))


_VILLAGES = frozenset(["village", "farm", "dorf", "pueblo", "aldea", "town", "hameau"])
_SINGULAR = frozenset({"ours", "grass", "ibis"})
_MANY = frozenset(
    ["people", "children", "men", "women", "wolves", "kids", "puppies", "ponies", "deer", "sheep", "cattle", "menschen", "kinder", "männer", "frauen", "pferde", "katzen", "hunde", "wölfe", "füchse", "hirsche", "rehe", "löwen", "elefanten", "kamele", "kühe", "schafe", "hasen", "bären", "chevaux"]
)


def _float_in_space(stage: Stage, kind: str, index: int) -> None:
    """Where there is no ground, figures drift."""
    world = stage.world
    big = min(world.width, world.height)
    x = world.width * (0.40 + 0.2 * index)
    if kind in people.HEIGHTS:
        height = people.HEIGHTS[kind] * big * 1.15
        brush = people.person(kind, 0.1, "stand")
        cover, origin = silhouette(brush, height, people.BOX)
        sprite = dressed(
            world,
            cover,
            (origin[0], origin[1] - height * 0.5),
            cast.tinted(world, people.COATS[kind]),
            x,
            brush,
            height,
        )
    else:
        build_ = beasts.BUILDS.get(kind, beasts.BUILDS["cat"])
        height = build_.size * big * 1.2
        cover, origin = silhouette(
            beasts.beast(kind if kind in beasts.BUILDS else "cat", 0.1, "run"), height, beasts.BOX
        )
        sprite = dressed(world, cover, (origin[0], origin[1] - height * 0.6), cast.tinted(world, build_.coat), x)
    stage.middle.append(_Adrift(world, sprite, x, world.height * 0.56, index))


class _Adrift:
    """Weightless."""

    def __init__(self, world: World, sprite: cast.Sprite, x: float, y: float, index: int) -> None:
        self.world, self.sprite, self.x, self.y, self.index = world, sprite, x, y, index

    def draw(self, canvas: Canvas, time: float) -> None:
        """Drift."""
        unit = self.world.unit
        x = self.x + self.world.travel(time) * 0.7
        y = self.y + 14 * unit * float(np.sin(time * 0.7 + self.index))
        self.sprite.draw(canvas, x, y, turn=0.35 * float(np.sin(time * 0.35 + self.index)) + 0.15)


class _School:
    """Fish and their like under water."""

    def __init__(self, world: World, kind: str, index: int) -> None:
        rng = world.chance(f"school {kind}")
        self.world, self.kind = world, kind
        big = min(world.width, world.height)
        length = swimmers.LENGTHS[kind] * big
        coat = cast.tinted(world, swimmers.COATS[kind])
        self.frames = []
        for pose in range(16):
            brush = swimmers.swimmer(kind, pose / 16)
            cover, origin = silhouette(brush, length, swimmers.BOX)
            sprite = dressed(world, cover, origin, coat, world.width * 0.5, brush, length, own=1.0)
            self.frames.append(sprite)
        count = {"fish": 13, "jellyfish": 5, "dolphin": 3}.get(kind, 1)
        self.drift = world.drift
        self.fish = []
        for number in range(count):
            near = float(rng.random()) if count > 1 else 1.0
            self.fish.append((
                float(rng.random()) if count > 1 else 0.30, float(0.20 + 0.56 * rng.random()) if count > 1 else 0.44 + 0.1 * index,
                0.45 + 0.65 * near, float(rng.random() * 6.28), float(0.8 + 0.5 * rng.random()),
            ))  # fmt: skip
        self.fish.sort(key=lambda one: one[2])

    def draw(self, canvas: Canvas, time: float) -> None:
        """Swim."""
        width, height, unit = self.world.width, self.world.height, self.world.unit
        room = width * 0.22
        for fx, fy, scale, phase, rate in self.fish:
            if self.kind == "jellyfish":
                x = fx * width + 16 * unit * float(np.sin(time * 0.5 + phase))
                y = (fy * height - 12 * unit * time * scale) % (height * 1.1)
                turn = 0.12 * float(np.sin(time * 0.6 + phase))
            else:
                speed = (46 if self.kind == "fish" else 60) * unit * scale * rate
                x = (fx * (width + 2 * room) + speed * time) % (width + 2 * room) - room
                x = x if self.drift > 0 else width - x
                y = fy * height + 10 * unit * float(np.sin(time * 0.8 * rate + phase))
                turn = 0.06 * float(np.sin(time * 0.9 + phase))
            beat = (time * (1.6 if self.kind == "fish" else 0.55) * rate + phase) % 1.0
            self.frames[int(beat * 16) % 16].draw(
                canvas,
                float(x),
                float(y),
                turn=turn,
                scale=scale,
                flip=self.drift < 0 and self.kind != "jellyfish",
                fade=min(1.0, 0.35 + scale * 0.75),
            )


def _air(stage: Stage, place: str) -> list[Painter]:
    """Weather and light between the scene and the viewer."""
    world, unit, reading = stage.world, stage.world.unit, stage.world.reading
    name = world.palette.name
    air: list[Painter] = []
    if place == "underwater" or reading.has("bubble"):
        air.append(
            weather.Floating(
                world,
                "bubbles",
                count=54,
                tone=(0.85, 1.0, 1.0),
                sizes=(2.6, 12.0),
                strength=0.66,
                rise=52,
                blink=0.0,
                power=0.9,
            )
        )
    if place == "underwater":
        return air
    if place == "forest" and world.light.kind == "sun" and not reading.has("rain"):
        air.append(
            cosmos.Shafts(
                world, bottom=int(world.height * 0.95), tone=world.palette.light, strength=0.50, cell=46, fan=True
            )
        )
    if reading.has("fog"):
        air.append(weather.Fog(world, "near fog", middle=world.height * 0.86, tall=110 * unit, strength=0.50, speed=22))
    if reading.has("rain", "storm"):
        ground = world.horizon + 10 * unit
        air.append(weather.Rain(world, ground=ground, heavy=1.35 if reading.has("storm") else 1.0))
    if (reading.has("snow") and not reading.has("desert")) or reading.has("winter"):
        count = 210 if reading.has("storm", "snow") else 120
        air.append(
            weather.Falling(world, "snow", count=count, tones=((1.0, 1.0, 1.0),), sizes=(2.0, 9.0), speed=62, swing=16)
        )
    if reading.has("autumn"):
        air.append(
            weather.Falling(
                world,
                "leaves",
                count=30,
                tones=((0.86, 0.42, 0.14), (0.94, 0.66, 0.20), (0.70, 0.24, 0.12)),
                sizes=(3.4, 11.0),
                speed=46,
                swing=36,
                strength=0.95,
            )
        )
    if reading.has("wind") and not reading.has("snow", "rain", "autumn"):
        air.append(
            weather.Falling(
                world,
                "wind leaves",
                count=34,
                tones=(
                    mix(world.palette.haze, GROUND["leaf"], 0.6),
                    mix(world.palette.light, GROUND["autumn_grass"], 0.4),
                ),
                sizes=(2.4, 8.0),
                speed=30,
                swing=44,
                strength=0.9,
            )
        )
    if reading.has("spring"):
        air.append(
            weather.Falling(
                world,
                "petals",
                count=46,
                tones=((1.0, 0.80, 0.88), (1.0, 0.90, 0.94)),
                sizes=(2.2, 6.5),
                speed=40,
                swing=34,
            )
        )
    if reading.has("firefly") or (
        world.palette.dark > 0.6 and place in ("forest", "hills") and not reading.has("snow", "winter", "rain", "storm")
    ):
        count = 52 if reading.has("firefly") else 18
        air.append(
            weather.Floating(
                world,
                "fireflies",
                count=count,
                tone=(0.90, 1.0, 0.42),
                sizes=(5.0, 15.0),
                strength=0.95,
                rise=4,
                blink=0.85,
                area=(0.0, world.height * 0.46, float(world.width), world.height * 0.98),
                power=3.0,
            )
        )
    elif (
        name in ("sunset", "dawn", "misty", "day", "twilight")
        and not reading.has("rain", "storm", "snow", "winter")
        and "particles" not in reading.removed
    ):
        air.append(
            weather.Floating(
                world,
                "dust",
                count=34,
                tone=mix(world.palette.light, (1.0, 0.8, 0.5), 0.3),
                sizes=(1.8, 9.0),
                strength=0.42,
                rise=7,
                blink=0.3,
                power=1.6,
            )
        )
    if reading.has("wind", "desert") and place == "desert":
        air.append(
            weather.Floating(
                world, "sand", count=40, tone=(1.0, 0.85, 0.62), sizes=(1.2, 4.0), strength=0.5, rise=0, blink=0.2
            )
        )
    return air


def still(scene: Scene) -> Field:
    """The middle frame as RGB floats, for tests and pictures in the documentation."""
    return np.asarray(scene.frame(scene.world.seconds / 2).rgb(), dtype=np.float32) / 255


def neutral_world(reading: Reading, text: str, seed: int, size: tuple[int, int], seconds: float, palette: str) -> World:
    """A world for pictures: only colours, camera and chance matter."""
    width, height = size
    rng = generator(seed, text, "direction")
    light = Light("none", width * 0.7, height * 0.2, PALETTES[palette].light, 40)
    return World(
        width,
        height,
        seconds,
        seed,
        text,
        PALETTES[palette],
        reading,
        light,
        height,
        1.0 if rng.random() < 0.5 else -1.0,
    )
