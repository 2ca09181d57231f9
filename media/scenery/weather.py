"""Weather in front of the picture: rain with splashes, snow, fog banks; and light in the air: dust, bokeh, fireflies, sparks, petals."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from media.scenery.noise import Field, cloudy, smoothstep
from media.scenery.planes import Canvas, Colour, Glow, Layer, codes, image_of, mix
from media.scenery.world import World


class Rain:
    """Two sheets of streaks that fall past the camera, and rings of splashes on what lies below ``ground``."""

    def __init__(self, world: World, *, ground: float, heavy: float = 1.0, splash: bool = True) -> None:
        rng = world.chance("rain")
        self.world = world
        unit = world.unit
        width, height = world.width, world.height
        self.lean = 0.12 + (0.22 if world.reading.has("storm", "wind") else 0.0)
        self.sheets: list[tuple[Image.Image, float]] = []
        for count, long, wide, level, speed in (
            (330, 36, 1.1, 80, 1250),
            (150, 72, 1.6, 94, 1800),
            (34, 130, 2.4, 72, 2600),
        ):
            tile = Image.new("L", (width, height), 0)
            draw = ImageDraw.Draw(tile)
            for _ in range(int(count * heavy * width * height / (1280 * 720 * unit * unit))):
                x, y = rng.random() * width, rng.random() * height
                size = long * unit * (0.6 + 0.8 * rng.random())
                tone = int(level * (0.45 + 0.55 * rng.random()))
                for dx in (-width, 0, width):
                    for dy in (-height, 0, height):
                        if -200 < x + dx < width + 200 and -200 < y + dy < height + 200:
                            draw.line(
                                [(x + dx, y + dy), (x + dx - self.lean * size, y + dy + size)],
                                fill=tone,
                                width=max(1, round(wide * unit)),
                            )
            tile = tile.filter(ImageFilter.GaussianBlur(0.55 * unit * wide))
            big = Image.new("L", (width * 2, height * 2))
            for dx in (0, width):
                for dy in (0, height):
                    big.paste(tile, (dx, dy))
            self.sheets.append((big, speed * unit))
        self.tone = codes(mix(world.palette.sky[-1], (0.92, 0.96, 1.0), 0.62))
        self.splashes: list[tuple[float, float, float, float]] = []
        self.rings: list[tuple[Image.Image, Image.Image]] = []
        if splash and ground < height - 8:
            for step in range(8):
                self.rings.append(self._ring(unit, step / 7))
            for _ in range(int(80 * heavy)):
                y = ground + (height - ground) * (0.04 + 0.94 * rng.random())
                self.splashes.append(
                    (float(rng.random() * width), float(y), float(rng.random() * 0.9), float(0.55 + 0.5 * rng.random()))
                )

    @staticmethod
    def _ring(unit: float, part: float) -> tuple[Image.Image, Image.Image]:
        size = (max(4, int(44 * unit) & ~1), max(4, int(16 * unit) & ~1))
        picture = Image.new("L", (size[0] * 3, size[1] * 3), 0)
        draw = ImageDraw.Draw(picture)
        rx, ry = size[0] * 1.42 * (0.15 + 0.85 * part), size[1] * 1.42 * (0.15 + 0.85 * part)
        cx, cy = size[0] * 1.5, size[1] * 1.5
        draw.ellipse(
            (cx - rx, cy - ry, cx + rx, cy + ry), outline=int(150 * (1 - part) ** 1.1), width=max(2, int(3.4 * unit))
        )
        small = picture.reduce(3)
        return small, small.reduce(2)

    def draw(self, canvas: Canvas, time: float) -> None:
        """Fall."""
        width, height = canvas.size
        for x, y, phase, period in self.splashes:
            turn = (time + phase) / period
            part = turn % 1.0
            hop = (int(turn) * 0.618) % 1.0
            if part < 0.45:
                ring, half = self.rings[int(part / 0.45 * 7.99)]
                canvas.tint(
                    self.tone, ring, int((x + hop * width) % width) - ring.width // 2, int(y) - ring.height // 2, half
                )
        for sheet, speed in self.sheets:
            down = time * speed
            x = int(down * self.lean) % width
            y = height - 1 - int(down) % height
            mask = sheet.crop((x, y, x + width, y + height))
            canvas.y.paste(self.tone[0], (0, 0, width, height), mask)


class Falling:
    """Soft flakes, petals or leaves in several depths: they fall, swing and pass the camera."""

    def __init__(
        self,
        world: World,
        name: str,
        *,
        count: int,
        tones: tuple[Colour, ...],
        sizes: tuple[float, float],
        speed: float,
        swing: float,
        strength: float = 0.9,
    ) -> None:
        rng = world.chance(name)
        unit = world.unit
        self.world = world
        count = int(count * max(1.0, world.width * world.height / (1280 * 720 * unit * unit)))
        depth = rng.random(count) ** 2.0
        self.glows: list[Glow] = []
        self.flakes: list[tuple[int, float, float, float, float, float, float]] = []
        classes = 6
        for step in range(classes):
            near = step / (classes - 1)
            radius = (sizes[0] + (sizes[1] - sizes[0]) * near**1.6) * unit
            for tone in tones:
                self.glows.append(Glow(radius, tone, strength * (0.95 - 0.42 * near), 1.5))
        wind = 1.0 if not world.reading.has("wind", "storm") else 3.2
        for index in range(count):
            step = int(depth[index] * (classes - 0.01))
            near = step / (classes - 1)
            self.flakes.append(
                (
                    step * len(tones) + int(rng.integers(0, len(tones))),
                    float(rng.random()),
                    float(rng.random()),
                    speed * unit * (0.55 + 1.25 * near) * float(0.85 + 0.3 * rng.random()),
                    swing * unit * (0.4 + near) * float(0.5 + rng.random()),
                    float(rng.random() * 6.28),
                    world.drift * wind * unit * (10 + 34 * near),
                )
            )

    def draw(self, canvas: Canvas, time: float) -> None:
        """Fall."""
        width, height = canvas.size
        room = 30 * self.world.unit
        for kind, fx, fy, speed, swing, phase, blow in self.flakes:
            y = (fy * (height + 2 * room) + speed * time) % (height + 2 * room) - room
            x = (fx * (width + 2 * room) + blow * time + swing * np.sin(time * 1.1 + phase)) % (width + 2 * room) - room
            self.glows[kind].draw(canvas, float(x), float(y))


class Floating:
    """Lights in the air: dust that drifts up, bokeh, fireflies that blink, sparks from a fire."""

    def __init__(
        self,
        world: World,
        name: str,
        *,
        count: int,
        tone: Colour,
        sizes: tuple[float, float],
        strength: float,
        rise: float,
        blink: float,
        area: tuple[float, float, float, float] | None = None,
        power: float = 2.0,
    ) -> None:
        """``area``: left, top, right, bottom in pixels (default: everything); ``blink`` 0 steady … 1 dark between flashes."""
        rng = world.chance(name)
        unit = world.unit
        self.area = area or (0.0, 0.0, float(world.width), float(world.height))
        self.blink, self.rise = blink, rise * unit
        self.glows = [
            Glow((sizes[0] + (sizes[1] - sizes[0]) * (step / 4) ** 2) * unit, tone, strength * (1 - 0.14 * step), power)
            for step in range(5)
        ]
        self.unit = unit
        self.spots: list[tuple[int, float, float, float, float, float]] = [
            (
                int(rng.random() ** 1.8 * 4.99),
                float(rng.random()),
                float(rng.random()),
                float(rng.random() * 6.28),
                float(0.5 + rng.random()),
                float(10 + 34 * rng.random()),
            )
            for _ in range(count)
        ]

    def draw(self, canvas: Canvas, time: float) -> None:
        """Drift and blink."""
        left, top, right, bottom = self.area
        wide, tall = right - left, bottom - top
        for kind, fx, fy, phase, rate, sway in self.spots:
            y = (fy * tall - self.rise * rate * (0.6 + 0.25 * kind) * time) % tall + top
            x = (
                left
                + (
                    fx * wide
                    + sway * self.unit * np.sin(time * 0.5 * rate + phase)
                    + 5 * self.unit * kind * time * rate
                )
                % wide
            )
            edge = min(1.0, (y - top) / (tall * 0.12), (bottom - y) / (tall * 0.12))
            wave = 0.5 + 0.5 * float(np.sin(time * (1.1 + 1.5 * self.blink) * rate + phase * 3))
            fade = edge * ((1 - self.blink) * (0.55 + 0.45 * wave) + self.blink * wave**3)
            self.glows[kind].draw(canvas, float(x), float(y), fade)


class Fog:
    """A bank of mist that drifts in front of a layer."""

    def __init__(
        self,
        world: World,
        name: str,
        *,
        middle: float,
        tall: float,
        strength: float,
        speed: float,
        tone: Colour | None = None,
    ) -> None:
        rng = world.chance(name)
        unit = world.unit
        self.world, self.speed = world, speed * unit
        reach = int(abs(self.speed) * world.seconds / 2) + 12
        margin = (reach + 3) & ~3
        first, last = int(max(0, middle - tall)) & ~1, (int(min(world.height, middle + tall)) + 1) & ~1
        rows, width = max(4, last - first), world.width + 2 * margin
        body = cloudy(rng, width, rows, 120 * unit, octaves=4, stretch=3.6)
        y = (np.arange(rows, dtype=np.float32)[:, None] + first - middle) / tall
        alpha = np.clip(1 - np.abs(y), 0, 1) ** 0.9 * smoothstep(0.16, 0.86, body) * strength
        rgb: Field = np.empty((rows, width, 3), dtype=np.float32)
        rgb[:] = tone or mix(world.palette.haze, world.palette.light, 0.16 * (1 - world.palette.dark))
        if world.light.kind != "none":
            x = np.arange(width, dtype=np.float32)[None, :] - margin
            near = (
                np.exp(-(((x - world.light.x) / (380 * unit)) ** 2))
                * 0.5
                * (1 - 0.5 * world.palette.dark)
                * np.ones_like(y)
            )
            for channel in range(3):
                rgb[..., channel] += (world.light.tone[channel] - rgb[..., channel]) * near
        self.layer = Layer(rgb, alpha, top=first, margin=margin, rng=rng)

    def draw(self, canvas: Canvas, time: float) -> None:
        """Drift."""
        self.layer.draw(canvas, self.speed * (time - self.world.seconds / 2))


class Fire:
    """A campfire: flames from rising noise, a breathing glow on the ground, sparks."""

    def __init__(self, world: World, x: float, y: float, tall: float, depth: float) -> None:
        rng = world.chance("fire")
        self.world, self.x, self.y, self.depth = world, x, y, depth
        self.tall, self.wide = int(tall) & ~1, int(tall * 0.9) & ~1
        self.noise = cloudy(rng, self.wide // 2, self.tall * 4, tall * 0.16, octaves=3, gain=0.55)
        self.glow = Glow(tall * 3.8, (1.0, 0.54, 0.20), 0.58, 2.0)
        self.core = Glow(tall * 1.1, (1.0, 0.66, 0.25), 0.6, 2.0)
        unit = world.unit
        self.sparks = [
            (
                float(rng.random()),
                float(rng.normal() * 0.5),
                float(0.9 + 0.9 * rng.random()),
                float(rng.random() * 6.28),
            )
            for _ in range(26)
        ]
        self.spark = Glow(3.4 * unit, (1.0, 0.72, 0.34), 0.95, 2.2)
        logs = Image.new("L", (self.wide * 3, int(tall * 0.30) * 3), 0)
        draw = ImageDraw.Draw(logs)
        w, h = logs.size
        for x0, y0, x1, y1 in ((0.14, 0.88, 0.80, 0.42), (0.86, 0.88, 0.20, 0.42), (0.10, 0.80, 0.90, 0.86)):
            draw.line([(x0 * w, y0 * h), (x1 * w, y1 * h)], fill=255, width=int(h * 0.20))
        self.logs = logs.reduce(3)
        self.dark = codes(mix(world.palette.deep, (0.25, 0.12, 0.06), 0.5))

    def draw(self, canvas: Canvas, time: float) -> None:
        """Burn."""
        x = self.x + self.world.travel(time) * self.depth
        flicker = 0.84 + 0.10 * float(np.sin(time * 9.1)) + 0.06 * float(np.sin(time * 23.7 + 1))
        self.glow.draw(canvas, x, self.y - self.tall * 0.3, flicker)
        canvas.tint(self.dark, self.logs, int(x) - self.logs.width // 2, int(self.y - self.logs.height * 0.75))
        rows, columns = self.tall, self.wide // 2
        shift = int(time * self.tall * 1.7) % (self.tall * 3 - 2)
        piece = self.noise[shift : shift + rows]
        v = np.linspace(1, 0, rows, dtype=np.float32)[:, None]
        u = (np.arange(columns, dtype=np.float32)[None, :] + 0.5) / columns * 2 - 1
        sway = u + 0.16 * v * np.sin(time * 4.3 + v * 4)
        shape = np.clip(1.15 - np.abs(sway) / (0.10 + 0.62 * (1 - v) ** 0.8 * np.clip(v * 7, 0.3, 1)), 0, 1)
        heat = np.clip(shape * (1.35 - v * 0.95) + (piece - 0.5) * 1.9 * (0.25 + v), 0, 1.3)
        for low, tone in ((0.16, (0.86, 0.22, 0.06)), (0.40, (1.0, 0.56, 0.12)), (0.72, (1.0, 0.90, 0.55))):
            mask = image_of(smoothstep(low, low + 0.26, heat) * 240).resize(
                (self.wide, rows), Image.Resampling.BILINEAR
            )
            canvas.tint(codes(tone), mask, int(x) - self.wide // 2, int(self.y) - rows + int(rows * 0.06))
        self.core.draw(canvas, x, self.y - self.tall * 0.35, flicker * 0.6)
        for start, lean, rate, phase in self.sparks:
            part = (start + time * 0.30 * rate) % 1.0
            sx = x + (lean * self.tall * 0.5 * (0.3 + part) + np.sin(part * 9 + phase) * self.tall * 0.10)
            self.spark.draw(canvas, float(sx), self.y - self.tall * (0.3 + 2.5 * part), (1 - part) ** 1.3)
