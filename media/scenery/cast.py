"""Who and what stands in the scene: figures on the ground, in the water, in the air; and things people made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from media.scenery import beasts, people, props, swimmers
from media.scenery.land import Sheet
from media.scenery.noise import smoothstep
from media.scenery.palettes import TINTS, lit
from media.scenery.planes import Canvas, Colour, Glow, Sprite, codes, mix
from media.scenery.rig import Actor, Brush, dressed, silhouette
from media.scenery.world import Painter, World

PEOPLE = tuple(people.HEIGHTS)
BEASTS = tuple(beasts.BUILDS)
SWIMMERS = tuple(swimmers.LENGTHS)
_POSES = 20


@dataclass(slots=True)
class Ground:
    """Where figures stand: a layer's crest."""

    world: World
    sheet: Sheet
    sink: float = 4.0

    def row(self, x: float) -> float:
        """The crest's row at a column of the layer (screen column at mid-clip)."""
        index = int(np.clip(x + self.sheet.margin, 0, len(self.sheet.crest) - 1))
        return float(self.sheet.crest[index]) + self.sheet.top + self.sink * self.world.unit

    def slope(self, x: float) -> float:
        """Radians, positive when it falls to the right."""
        reach = 40 * self.world.unit
        return float(np.arctan2(self.row(x + reach) - self.row(x - reach), 2 * reach))


def tinted(world: World, own: Colour) -> Colour:
    """A figure's own colour, or the colour word of the prompt."""
    named = world.reading.first(*TINTS)
    return mix(own, TINTS[named], 0.8) if named else own


def _cycle(
    world: World,
    make: Callable[[float], Brush],
    height: float,
    box: tuple[float, float, float, float],
    coat: Colour,
    x: float,
    count: int,
    melt: float = 0.012,
) -> list[Sprite]:
    sprites = []
    for index in range(count):
        brush = make(index / count)
        cover, origin = silhouette(brush, height, box, melt)
        sprites.append(dressed(world, cover, origin, coat, x, brush, height))
    return sprites


def _shared(like: Painter | None) -> list[Sprite] | None:
    return like.actor.frames if isinstance(like, Shadowed) else None


def on_ground(
    world: World,
    ground: Ground,
    kind: str,
    x: float,
    scale: float = 1.0,
    *,
    facing: float = 1.0,
    offset: float = 0.0,
    herd: float = 1.0,
    like: Painter | None = None,
) -> Painter:
    """A person or beast that stands, sits, walks, runs or dances where the prompt says so.

    ``herd``: its size beside the first of its kind; ``like``: that first one, whose drawings it shares.
    """
    depth = ground.sheet.depth
    alone = sum(world.reading.has(one) for one in (*PEOPLE, *BEASTS)) <= 1
    small = kind in ("cat", "dog", "wolf", "fox", "rabbit", "owl", "child", "sheep")
    size = min(world.width, world.height) * scale * ((1.32 if small else 1.08) if alone else 1.0)
    moves = "run" if world.reading.has("run") else "walk" if world.reading.has("walk") or kind == "camel" else "stand"
    if kind in PEOPLE:
        gait = "dance" if kind != "dancer" and world.reading.has("dancer") else moves
        height = people.HEIGHTS[kind] * size
        coat = tinted(world, people.COATS[kind])
        period = {"run": 0.75, "walk": 1.35, "dance": 4.0}.get(gait, 4.0)
        count = {"run": 18, "walk": 16}.get(gait, _POSES)
        stride = {"run": 1.15, "walk": 0.62}.get(gait, 0.0) * height / period
        if kind in ("astronaut", "robot") and gait in ("walk", "run"):
            period, count, stride = 2.2, _POSES, 0.16 * height
        frames = _shared(like) or _cycle(
            world, lambda phase: people.person(kind, phase, gait), height, people.BOX, coat, x, count
        )
    elif kind == "owl":
        height = 0.13 * size
        period, stride = 5.0, 0.0
        frames = _shared(like) or _cycle(
            world, lambda phase: swimmers.owl(phase), height, swimmers.OWL_BOX, swimmers.COATS["owl"], x, 12
        )
    else:
        build = beasts.BUILDS[kind]
        height = build.size * size
        gait = moves
        if moves == "stand" and kind in ("cat", "dog", "fox", "wolf") and (kind != "fox" or world.seed % 2 == 0):
            gait, height = "sit", height * (1.15 if alone else 0.96)
        period = {"run": 0.58 + build.size, "walk": 1.5 if kind != "camel" else 2.0}.get(gait, 4.0)
        count = {"run": round(24 * (0.58 + build.size)), "walk": 30}.get(gait, _POSES)
        stride = {"run": 1.9, "walk": build.stride * 1.45}.get(gait, 0.0) * height / period
        frames = _shared(like) or _cycle(
            world,
            lambda phase: beasts.beast(kind, phase, gait),
            height,
            beasts.BOX,
            tinted(world, build.coat),
            x,
            count,
            0.016,
        )
    limit = world.width * 0.56 / world.seconds
    speed = min(stride * herd, limit) * facing
    steep = kind in BEASTS and moves != "stand"

    def path(time: float) -> tuple[float, float, float]:
        place = x + speed * (time - world.seconds / 2)
        turn = ground.slope(place) * 0.6 if steep else 0.0
        return place + world.travel(time) * depth, ground.row(place), turn

    return Shadowed(Actor(frames, period, path, flip=facing < 0, scale=herd, offset=offset), height * herd, world)


class Shadowed:
    """An actor with a soft shadow at its feet, so that it stands and does not float, and a faint light behind it."""

    def __init__(self, actor: Actor, height: float, world: World) -> None:
        self.actor, self.height, self.world = actor, height, world
        tone = mix(world.palette.haze, world.palette.light, 0.35)
        self.halo = Glow(height * 0.95, tone, 0.10 + 0.24 * world.palette.dark, 1.5)

    def draw(self, canvas: Canvas, time: float) -> None:
        """A breath of light behind it, then the shadow, then the figure."""
        x, y, _ = self.actor.path(time)
        self.halo.draw(canvas, x, y - self.height * 0.5)
        wide, tall = int(self.height * 0.62) & ~1, int(self.height * 0.10) & ~1
        if wide > 4 and tall > 2:
            canvas.tint(codes(self.world.palette.deep), ellipse(wide, tall), int(x) - wide // 2, int(y) - tall // 2)
        self.actor.draw(canvas, time)


_ELLIPSES: dict[tuple[int, int], Image.Image] = {}


def ellipse(wide: int, tall: int) -> Image.Image:
    """A soft spot as a mask (kept for the next time)."""
    found = _ELLIPSES.get((wide, tall))
    if found is None:
        y, x = np.mgrid[0:tall, 0:wide].astype(np.float32)
        far = np.hypot((x + 0.5) / wide * 2 - 1, (y + 0.5) / tall * 2 - 1)
        found = Image.fromarray(((1 - smoothstep(0.1, 1.0, far)) * 120).astype(np.uint8))
        if len(_ELLIPSES) < 64:
            _ELLIPSES[(wide, tall)] = found
    return found


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
        self.frames = _cycle(
            world,
            lambda phase: swimmers.swimmer(kind, phase),
            self.length,
            swimmers.BOX,
            tinted(world, swimmers.COATS[kind]),
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
            frame.draw(canvas, x, 2 * self.row - y, turn=-turn, flip=self.facing < 0, fade=0.20, upright=-1.0)
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
        coat = tinted(world, swimmers.COATS[kind])
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
        sail = tinted(world, props.PROP_COATS["sail"])
        cloth = Sprite(*_sail(world, above, sail, x, origin))
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
            sprite.draw(canvas, x, 2 * self.row - y + 3 * unit, turn=-turn * 2, flip=flip, fade=0.30, upright=-0.72)
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
    world: World, cover: np.ndarray, tone: Colour, x: float, origin: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:  # type: ignore[type-arg]
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


def built(
    world: World,
    brush: Brush,
    tall: float,
    box: tuple[float, float, float, float],
    coat: Colour,
    x: float,
    *,
    windows: bool = True,
) -> Sprite:
    """A thing drawn with one brush, dressed for the hour; by day its windows are dark."""
    cover, origin = silhouette(brush, tall, box, 0.0)
    if not windows or world.palette.dark < 0.12:
        brush.lights = [
            (lx, ly, r, mix(mix(world.palette.deep, coat, 0.2), world.palette.sky[2], 0.35))
            for lx, ly, r, _ in brush.lights
        ]
    return dressed(world, cover, origin, coat, x, brush, tall, own=0.86)
