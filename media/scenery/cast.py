"""Who and what stands in the scene: figures on the ground, in the water, in the air; and things people made."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from media.scenery import props, swimmers
from media.scenery.actors import cycle, ellipse, tinted
from media.scenery.noise import Field
from media.scenery.palettes import lit
from media.scenery.planes import Canvas, Colour, Glow, Sprite, codes, mix
from media.scenery.rig import dressed, silhouette
from media.scenery.world import World


class Leaper:
    """A whale, dolphin or fish that rises out of the water in an arc, with spray where it breaks the surface."""

    def __init__(
        self,
        world: World,
        kind: str,
        x: float,
        row: float,
        *,
        start: float,
        lasts: float,
        scale: float = 1.0,
        facing: float = 1.0,
    ) -> None:
        self.world, self.x, self.row, self.start, self.lasts, self.facing = world, x, row, start, lasts, facing
        self.length = swimmers.LENGTHS[kind] * min(world.width, world.height) * scale
        self.frames = cycle(
            world,
            lambda phase: swimmers.swimmer(kind, phase),
            self.length,
            swimmers.BOX,
            tinted(world, swimmers.COATS[kind], kind),
            x,
            16,
        )
        rng = world.chance(f"spray {kind} {x}")
        unit = world.unit
        tone = mix(world.palette.sky[-1], (1, 1, 1), 0.55)
        self.drop = [Glow((2.0 + 1.6 * step) * unit, tone, 0.85, 1.8) for step in range(3)]
        self.foam = Glow(self.length * 0.30, tone, 0.42, 1.6)
        self.drops = [
            (float(rng.normal()), float(0.4 + 0.8 * rng.random()), int(rng.integers(0, 3)), float(rng.random() * 0.5))
            for _ in range(70)
        ]
        self.high = {"whale": 0.60, "shark": 0.45}.get(kind, 1.05)

    def draw(self, canvas: Canvas, time: float) -> None:
        """Leap."""
        part = ((time - self.start) / self.lasts) % 1.35
        if part > 1.15:
            return
        shift = self.world.travel(time) * 0.45
        swing = (part - 0.5) * 2
        x = self.x + shift + self.facing * swing * self.length * 0.62
        y = self.row - self.length * self.high * (1 - swing * swing) + self.length * 0.36
        turn = self.facing * (0.95 * swing)
        if part <= 1.0:
            frame = self.frames[int(time * 12) % len(self.frames)]
            frame.draw(canvas, x, y, turn=turn, flip=self.facing < 0, floor=int(self.row))
            frame.draw(
                canvas,
                x,
                2 * self.row - y,
                turn=-turn,
                flip=self.facing < 0,
                fade=0.20,
                upright=-1.0,
                ceiling=int(self.row),
            )
        for moment, lean in ((0.10, -0.62), (0.86, 0.62)):
            age = (part - moment) * self.lasts
            if not 0 <= age <= 1.5:
                continue
            sx = self.x + shift + self.facing * lean * self.length * 0.80
            self.foam.draw(canvas, sx, self.row + 2, min(1.0, age * 4) * max(0.0, 1 - age / 1.5))
            for dx, power, kind, late in self.drops:
                then = age - late * 0.5
                if not 0 <= then <= 1.2:
                    continue
                up = power * self.length * 1.0 * then - self.length * 0.95 * then * then
                if up < -2:
                    continue
                self.drop[kind].draw(
                    canvas, sx + dx * self.length * 0.20 * (0.4 + then), self.row - up, max(0.0, 1 - then / 1.2)
                )


class Flock:
    """Birds (or butterflies) on wandering paths, each with its own beat."""

    def __init__(
        self,
        world: World,
        *,
        count: int,
        area: tuple[float, float, float, float],
        size: tuple[float, float],
        kind: str = "bird",
        speed: float = 30.0,
    ) -> None:
        """``area``: left, top, right, bottom; ``size``: smallest and largest wing span in units."""
        rng = world.chance(f"flock {kind}")
        unit = world.unit
        self.world, self.area = world, area
        big = size[1] * unit
        if kind == "bird":
            make, box, self.rate = swimmers.bird, swimmers.BIRD_BOX, 1.0
        else:
            make, box, self.rate = swimmers.butterfly, (-0.45, -0.35, 0.45, 0.45), 2.6
        coat = tinted(world, swimmers.COATS[kind], kind)
        self.frames = []
        for index in range(16):
            brush = make(index / 16)
            cover, origin = silhouette(brush, big, box, 0.006)
            if kind == "bird":
                tone = mix(world.palette.deep, world.palette.haze, 0.18)
                rgb = np.empty((*cover.shape, 3), dtype=np.float32)
                rgb[:] = tone
                self.frames.append(Sprite(rgb, cover, origin))
            else:
                self.frames.append(dressed(world, cover, origin, coat, world.width * 0.5, brush, big))
        ratio = size[0] / size[1]
        self.birds = [
            (
                float(rng.random()),
                float(rng.random()),
                float(ratio + (1 - ratio) * rng.random() ** 1.6),
                float(rng.random()),
                float(0.85 + 0.5 * rng.random()),
                float(rng.random() * 6.28),
            )
            for _ in range(count)
        ]
        self.speed = speed * unit
        self.flip = world.drift > 0

    def draw(self, canvas: Canvas, time: float) -> None:
        """Fly."""
        left, top, right, bottom = self.area
        wide = right - left
        for fx, fy, scale, phase, rate, turn in self.birds:
            way = -1.0 if self.flip else 1.0
            x = left + (fx * wide + way * self.speed * time * (0.5 + scale)) % wide
            y = top + fy * (bottom - top) + 9 * self.world.unit * np.sin(time * 0.7 * rate + turn)
            edge = min(1.0, (x - left) / (wide * 0.05), (right - x) / (wide * 0.05))
            beat = (time * rate * self.rate * 0.9 + phase) % 1.0
            glide = float(np.sin(time * 0.5 * rate + turn * 2))
            pose = int(beat * 16) % 16 if glide > -0.55 or self.rate > 2 else 1
            self.frames[pose].draw(
                canvas,
                float(x),
                float(y),
                turn=0.10 * float(np.sin(time * 0.6 + turn)),
                scale=scale,
                flip=self.flip,
                fade=max(0.0, edge),
            )


class Afloat:
    """A boat or ship: rocks, bobs, sails slowly, and is mirrored."""

    def __init__(self, world: World, kind: str, x: float, row: float, tall: float, facing: float) -> None:
        self.world, self.x, self.row, self.tall, self.facing = world, x, row, tall, facing
        hull, sails = props.tall_ship() if kind == "ship" else props.sailboat()
        box = (-0.62, -0.05, 0.72, 1.06)
        below, origin = silhouette(hull, tall, box, 0.0)
        above, _ = silhouette(sails, tall, box, 0.0)
        self.hull = dressed(world, below, origin, props.PROP_COATS["hull"], x, hull, tall, own=0.7)
        sail = tinted(world, props.PROP_COATS["sail"], kind)
        cloth = Sprite(*_sail(world, above, sail, origin))
        self.sails = cloth
        self.lamp = Glow(20 * world.unit, (1.0, 0.82, 0.48), 0.8, 2.4)
        self.wake = codes(mix(world.palette.sky[-1], (1, 1, 1), 0.3))

    def draw(self, canvas: Canvas, time: float) -> None:
        """Sail."""
        unit = self.world.unit
        x = self.x + self.world.travel(time) * 0.30 + self.facing * 9 * unit * (time - self.world.seconds / 2)
        y = self.row + 2.2 * unit * np.sin(time * 1.15)
        turn = 0.036 * float(np.sin(time * 0.9 + 0.6))
        flip = self.facing < 0
        for sprite in (self.sails, self.hull):
            sprite.draw(
                canvas,
                x,
                2 * self.row - y + 3 * unit,
                turn=-turn * 2,
                flip=flip,
                fade=0.30,
                upright=-0.72,
                ceiling=int(self.row),
            )
        for sprite in (self.sails, self.hull):
            sprite.draw(canvas, x, y, turn=turn, flip=flip)
        wide, tall = int(self.tall * 0.80) & ~1, int(9 * unit) & ~1
        if tall >= 2:
            canvas.tint(
                codes(self.world.palette.water),
                ellipse(wide, tall),
                int(x) - wide // 2,
                int(self.row + 1.5 * unit) - tall // 4,
            )
        if self.world.palette.dark > 0.5:
            self.lamp.draw(canvas, x + (0.04 if not flip else -0.04) * self.tall, y - self.tall * 0.15)


def _sail(
    world: World, cover: Field, tone: Colour, origin: tuple[float, float]
) -> tuple[Field, Field, tuple[float, float]]:
    """Cloth lets the light through: bright, with a soft fold."""
    rows, columns = cover.shape
    gx = np.linspace(0, 1, columns, dtype=np.float32)[None, :]
    gy = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    fold = np.clip(0.55 + 0.35 * np.sin(gx * 9 + gy * 1.5) + 0.25 * gy, 0, 1)
    bright = mix(lit(tone, world.palette, 1.0), world.palette.light, 0.30)
    dim = mix(lit(tone, world.palette, 0.25), world.palette.haze, 0.25)
    rgb = np.empty((rows, columns, 3), dtype=np.float32)
    for channel in range(3):
        rgb[..., channel] = dim[channel] + (bright[channel] - dim[channel]) * fold
    return rgb, cover, origin


class Beam:
    """The lighthouse's turning light: two opposite wedges, and a flash when one looks at us."""

    def __init__(self, world: World, x: float, y: float, depth: float, radius: float) -> None:
        self.world, self.x, self.y, self.depth = world, x, y, depth
        self.tone = codes((1.0, 0.95, 0.78))
        self.strength = 0.62 + 0.42 * world.palette.dark
        self.flash = Glow(radius * 3.2, (1.0, 0.95, 0.80), 0.95, 2.2)
        self.steady = Glow(radius * 1.1, (1.0, 0.92, 0.70), 0.8, 2.0)

    def draw(self, canvas: Canvas, time: float) -> None:
        """Turn."""
        x = self.x + self.world.travel(time) * self.depth
        angle = time * 1.05 + 0.6
        look = float(np.cos(angle))
        width, height = canvas.size
        step = 4
        small = Image.new("L", (width // step, height // step), 0)
        draw = ImageDraw.Draw(small)
        reach = width * 0.95 * abs(look)
        ox, oy = x / step, self.y / step
        for way in (-1.0, 1.0):
            side = way * (1 if look > 0 else -1)
            for part in range(9):
                near, far = part / 9, (part + 1.15) / 9
                level = int(235 * min(1.0, self.strength) * (1 - part / 9) ** 1.5 * (0.35 + 0.65 * abs(look)))
                spread = 0.062 + 0.03 * (1 - abs(look))
                x0, x1 = ox + side * reach * near / step, ox + side * reach * far / step
                draw.polygon(
                    [
                        (x0, oy - near * reach * spread / step - 1),
                        (x1, oy - far * reach * spread / step - 1),
                        (x1, oy + far * reach * spread / step + 1),
                        (x0, oy + near * reach * spread / step + 1),
                    ],
                    fill=level,
                )
        small = small.filter(ImageFilter.GaussianBlur(5 * self.world.unit))
        top = max(0, int(self.y - 0.12 * height)) & ~7
        bottom = min(height, int(self.y + 0.12 * height)) & ~7
        piece = small.crop((0, top // step, width // step, bottom // step))
        half = piece.resize((width // 2, (bottom - top) // 2), Image.Resampling.BILINEAR)
        canvas.tint(self.tone, half.resize((width, bottom - top), Image.Resampling.BILINEAR), 0, top, half)
        self.steady.draw(canvas, x, self.y)
        self.flash.draw(canvas, x, self.y, max(0.0, float(np.sin(angle))) ** 14)


class Standing:
    """A still thing that goes with a layer."""

    def __init__(
        self, world: World, sprite: Sprite, x: float, y: float, depth: float, *, bob: float = 0.0, flip: bool = False
    ) -> None:
        self.world, self.sprite, self.x, self.y, self.depth, self.bob, self.flip = (
            world,
            sprite,
            x,
            y,
            depth,
            bob * world.unit,
            flip,
        )

    def draw(self, canvas: Canvas, time: float) -> None:
        """Stand (or hover, when ``bob`` is given)."""
        y = self.y + self.bob * float(np.sin(time * 0.9))
        self.sprite.draw(
            canvas,
            self.x + self.world.travel(time) * self.depth,
            y,
            flip=self.flip,
            turn=0.02 * float(np.sin(time * 0.7)) if self.bob else 0.0,
        )


class Crossing:
    """A train or car that passes from side to side, its lamp ahead of it."""

    def __init__(
        self,
        world: World,
        sprite: Sprite,
        *,
        length: float,
        row: float,
        depth: float,
        speed: float,
        facing: float,
        lamp: tuple[float, float],
        glow: float,
        start: float,
    ) -> None:
        self.world, self.sprite, self.length, self.row, self.depth, self.facing = (
            world,
            sprite,
            length,
            row,
            depth,
            facing,
        )
        self.speed, self.lamp, self.start = speed * world.unit, lamp, start
        self.light = Glow(glow, (1.0, 0.93, 0.74), 0.45 + 0.4 * world.palette.dark, 2.2)

    def draw(self, canvas: Canvas, time: float) -> None:
        """Pass."""
        way = self.start + self.speed * time
        span = canvas.size[0]
        x = way if self.facing > 0 else span - way
        x += self.world.travel(time) * self.depth
        self.sprite.draw(canvas, x, self.row, flip=self.facing < 0)
        self.light.draw(canvas, x + self.facing * self.lamp[0], self.row - self.lamp[1])
