"""What travels by itself: lanterns and rockets that rise, trains and cars that pass."""

from __future__ import annotations

import numpy as np

from media.scenery import actors, cast, props
from media.scenery.land import hills
from media.scenery.palettes import GROUND
from media.scenery.planes import Canvas, Colour, Glow, Sprite, colour, mix
from media.scenery.rig import silhouette
from media.scenery.stage import Stage
from media.scenery.world import World


def lantern_sprite(tall: float) -> Sprite:
    """A paper lantern, brightest at its flame."""
    cover, origin = silhouette(props.paper_lantern(), tall, (-0.5, -0.1, 0.5, 1.1), 0.01)
    rows, columns = cover.shape
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    low, high = np.array((1.0, 0.86, 0.48)), np.array((0.92, 0.42, 0.16))
    rgb = (high + (low - high) * y**0.8) * np.ones((rows, columns, 1))
    return Sprite(rgb.astype(np.float32), cover, origin)


class Rising:
    """A paper lantern on its way up, with its glow."""

    def __init__(self, world: World, sprite: Sprite, x: float, start: float, scale: float) -> None:
        self.world, self.sprite, self.x, self.start, self.scale = world, sprite, x, start, scale
        self.glow = Glow(64 * world.unit * scale, (1.0, 0.66, 0.28), 0.5, 2.2)

    def draw(self, canvas: Canvas, time: float) -> None:
        """Rise."""
        unit, height = self.world.unit, self.world.horizon
        y = height * 1.1 - ((self.start * height * 1.25 + 20 * unit * self.scale * time) % (height * 1.25))
        x = self.x + 12 * unit * float(np.sin(time * 0.5 + self.start * 9)) + self.world.travel(time) * 0.3 * self.scale
        fade = float(np.clip((height * 1.02 - y) / (60 * unit), 0, 1))
        self.glow.draw(canvas, x, y - 16 * unit * self.scale, fade)
        self.sprite.draw(canvas, x, y, scale=self.scale, turn=0.05 * float(np.sin(time + self.start * 6)), fade=fade)


class Flying:
    """A rocket that rises on its flame through open space."""

    def __init__(self, world: World, sprite: Sprite) -> None:
        self.world, self.sprite = world, sprite
        unit = world.unit
        self.flame = [
            Glow((26 - 1.6 * step) * unit, mix((1.0, 0.92, 0.66), (1.0, 0.36, 0.10), step / 12), 0.8, 1.9)
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


def railway(stage: Stage, place: str, big: float) -> None:
    """An embankment and a train that passes."""
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
    sprite = actors.built(
        world,
        brush,
        tall,
        (-(2.75 + props.TRAIN_CARS * 2.95), -0.02, 0.08, 0.98),
        actors.tinted(world, props.PROP_COATS["train"], "train"),
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


def road(stage: Stage, place: str, big: float) -> None:
    """A road with three cars."""
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
        sprite = actors.built(
            world,
            props.car(),
            tall,
            (-1.12, -0.02, 1.12, 0.96),
            actors.tinted(world, tones[number], "car"),
            world.width * 0.5,
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
