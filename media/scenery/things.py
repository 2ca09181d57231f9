"""Things that people made and that stand in a scene, from back to front."""

from __future__ import annotations

from media.scenery import actors, cast, props, weather
from media.scenery.lighthouse import lighthouse_on_rock
from media.scenery.palettes import GROUND
from media.scenery.planes import Colour, colour, mix
from media.scenery.rig import Brush
from media.scenery.stage import Stage
from media.scenery.trees import lone_trees
from media.scenery.vehicles import Flying, Rising, lantern_sprite, railway, road


def things(stage: Stage, place: str) -> None:
    """Props, from back to front."""
    reading = stage.world.reading
    big = min(stage.world.width, stage.world.height)
    if reading.has("lighthouse"):
        lighthouse_on_rock(stage, stage.world.width * far_side_of(stage), big)
    _afloat(stage, big)
    _homes(stage, big)
    _growing(stage, place, big)
    if reading.has("balloon"):
        balloons(stage, big)
    _aloft(stage, big)
    if reading.has("train"):
        railway(stage, place, big)
    if reading.has("car"):
        road(stage, place, big)
    _stones_and_fire(stage, big)


def far_side_of(stage: Stage) -> float:
    """The part of the width where large things stand: away from the light."""
    return 0.24 if stage.world.light.x > stage.world.width / 2 else 0.76


def _afloat(stage: Stage, big: float) -> None:
    world, unit, reading = stage.world, stage.world.unit, stage.world.reading
    far_side = far_side_of(stage)
    near_side = 1 - far_side
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


def _homes(stage: Stage, big: float) -> None:
    world, unit, reading = stage.world, stage.world.unit, stage.world.reading
    far_side = far_side_of(stage)
    coats = props.PROP_COATS
    if reading.has("castle", "house"):
        ground = stage.ground
        kind = "castle" if reading.has("castle") else "house"
        tall = (0.34 if kind == "castle" else 0.135) * big
        box = (-0.80, -0.02, 0.80, 1.26)
        depth = ground.sheet.depth if ground else 0.2
        word = next(match.word.casefold() for match in reading.matches if match.element == kind)
        several = kind == "house" and (word in VILLAGES or word.endswith("s"))
        for number, (dx, part) in enumerate(
            ((0.0, 1.0), (0.15, 0.72), (-0.13, 0.62), (0.27, 0.58)) if several else ((0.0, 1.0),)
        ):
            x = world.width * (far_side + (dx if far_side < 0.5 else -dx))
            row = ground.row(x) if ground else float(world.horizon)
            brush = props.castle() if kind == "castle" else props.house()
            coat = mix(actors.tinted(world, coats[kind], kind), GROUND["rock"], 0.25 * (number % 2))
            stage.front.append(
                cast.Standing(world, actors.built(world, brush, tall * part, box, coat, x), x, row + 3 * unit, depth)
            )
            if kind == "house" and reading.has("snow", "winter"):
                roof = Brush()
                roof.corner((-0.70, 0.43), (0.70, 0.43), (0.41, 0.97), (-0.41, 0.97))
                stage.front.append(
                    cast.Standing(
                        world, actors.built(world, roof, tall * part, box, GROUND["snow"], x), x, row + 3 * unit, depth
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


def _growing(stage: Stage, place: str, big: float) -> None:
    world, unit, reading = stage.world, stage.world.unit, stage.world.reading
    far_side = far_side_of(stage)
    coats = props.PROP_COATS
    if reading.has("cactus") and stage.ground:
        for index, (dx, part) in enumerate(((0.0, 0.20), (0.10, 0.12), (-0.08, 0.09))):
            x = world.width * (far_side - dx if far_side > 0.5 else far_side + dx)
            stage.front.append(
                cast.Standing(
                    world,
                    actors.built(world, props.cactus(), part * big, (-0.36, -0.06, 0.36, 1.05), coats["cactus"], x),
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
    if reading.has("palm") and place != "sea" and stage.ground:
        spots = [
            (world.width * far_side + dx * unit, stage.ground.row(world.width * far_side + dx * unit), tall * unit)
            for dx, tall in ((-40, 170), (20, 215), (70, 150))
        ]
        stage.front.append(lone_trees(world, "palms", depth=stage.ground.sheet.depth, spots=spots, kind="palm"))


def _aloft(stage: Stage, big: float) -> None:
    world, unit, reading = stage.world, stage.world.unit, stage.world.reading
    far_side = far_side_of(stage)
    coats = props.PROP_COATS
    if reading.has("lantern"):
        sprite = lantern_sprite(34 * unit)
        rng = world.chance("lanterns")
        for _ in range(14):
            scale = float(0.35 + 0.65 * rng.random() ** 1.5)
            stage.front.append(Rising(world, sprite, float(rng.random() * world.width), float(rng.random()), scale))
    if reading.has("ufo"):
        x = world.width * (1 - far_side)
        stage.back.append(
            cast.Standing(
                world,
                actors.built(world, props.saucer(), 190 * unit, (-0.56, -0.16, 0.56, 0.30), coats["ufo"], x),
                x,
                world.horizon * 0.40,
                0.2,
                bob=9,
            )
        )
    if reading.has("rocket"):
        x = world.width * (0.62 if far_side < 0.5 else 0.38)
        sprite = actors.built(world, props.rocket(), 0.30 * big, (-0.32, -0.04, 0.32, 1.05), coats["rocket"], x)
        if stage.ground is not None:
            stage.front.append(cast.Standing(world, sprite, x, stage.ground.row(x), stage.ground.sheet.depth))
        else:
            stage.middle.append(Flying(world, sprite))


def _stones_and_fire(stage: Stage, big: float) -> None:
    world, unit, reading = stage.world, stage.world.unit, stage.world.reading
    far_side = far_side_of(stage)
    if reading.has("rock") and stage.ground:
        for index, (fx, part) in enumerate(((0.12, 0.17), (0.20, 0.09), (0.86, 0.13), (0.72, 0.05))):
            x = world.width * (fx if far_side < 0.5 else 1 - fx)
            sprite = actors.built(world, props.boulder(index), part * big, (-0.9, -0.12, 0.9, 1.05), GROUND["rock"], x)
            stage.front.append(
                cast.Standing(world, sprite, x, stage.ground.row(x) + 3 * unit, stage.ground.sheet.depth)
            )
    if reading.has("campfire"):
        free = 0.36 if world.light.x > world.width / 2 else 0.64
        x = world.width * (
            (free + (0.17 if free < 0.5 else -0.17)) if reading.has(*actors.PEOPLE, *actors.BEASTS) else free
        )
        row = stage.ground.row(x) if stage.ground else world.height * 0.88
        depth = stage.ground.sheet.depth if stage.ground else 0.8
        stage.front.append(weather.Fire(world, x, row + 12 * unit, 0.145 * big, depth))


def balloons(stage: Stage, big: float) -> None:
    """Five hot-air balloons, the nearest the largest."""
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
        tone = actors.tinted(world, tones[(index + int(rng.integers(0, 2))) % 5], "balloon")
        x, tall = world.width * fx, part * big * 1.15
        box = (-0.42, 0.0, 0.42, 1.03)
        plain = actors.built(world, body, tall, box, tone, x, windows=True)
        striped = actors.built(world, stripes, tall, box, mix(tone, (1, 0.96, 0.88), 0.72), x)
        y = world.horizon * fy + tall * 0.5
        for sprite in (plain, striped):
            stage.back.append(cast.Standing(world, sprite, x, y, 0.10 + part * 0.8, bob=5 + 10 * part))


VILLAGES = frozenset(["village", "farm", "dorf", "pueblo", "aldea", "town", "hameau"])
