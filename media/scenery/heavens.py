"""What moves in the sky: drifting cloud, twinkling stars, aurora, meteors, lightning, fireworks."""

from __future__ import annotations

import numpy as np
from PIL import Image

from media.scenery.noise import Field, blurred, cloudy, smoothstep, wandering
from media.scenery.planes import Canvas, Colour, Glow, Layer, codes, image_of
from media.scenery.world import World


class Clouds:
    """One bank of lit cloud that drifts by itself; soft at every border, in the colours of the sky behind it."""

    def __init__(
        self,
        world: World,
        name: str,
        *,
        top: float,
        bottom: float,
        cover: float,
        speed: float,
        strength: float,
        cell: float = 170.0,
    ) -> None:
        """``top`` and ``bottom``: rows; ``cover`` 0..1: how much of the bank is filled; ``speed``: units a second."""
        rng = world.chance(name)
        unit = world.unit
        self.speed = speed * unit
        reach = int(self.speed * world.seconds / 2) + 12
        margin = (reach + 3) & ~3
        first, last = int(max(0, top)) & ~1, (int(min(world.horizon, bottom)) + 1) & ~1
        rows, width = max(4, last - first), world.width + 2 * margin
        body = cloudy(rng, width, rows, cell * unit, octaves=6, gain=0.54, stretch=2.1)
        edge = 0.62 - 0.34 * cover
        y = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
        rim = smoothstep(-0.05, 0.30, y) * (1 - smoothstep(0.62, 1.0, y)) if top > 0 else 1 - smoothstep(0.60, 1.0, y)
        alpha = smoothstep(edge, edge + 0.26, body - 0.10 * (1 - rim)) * rim
        # Light comes from the sun's side: what is thicker there is in shade here.
        x = np.arange(width, dtype=np.float32)[None, :] - margin
        thick = blurred(body, 4 * unit)
        dx = np.sign(world.light.x - world.width / 2) if world.light.kind != "none" else -1
        lit_part = np.clip(
            0.52 + (thick - np.roll(thick, (round(-13 * unit), round(9 * unit * dx)), axis=(0, 1))) * 4.2, 0, 1
        )
        palette = world.palette
        rgb = np.empty((rows, width, 3), dtype=np.float32)
        for channel in range(3):
            rgb[..., channel] = (
                palette.cloud_shade[channel] + (palette.cloud[channel] - palette.cloud_shade[channel]) * lit_part
            )
        if world.light.kind != "none":
            far = np.hypot(x - world.light.x, (y * rows + first - world.light.y) * 1.2)
            near = np.exp(-((far / (330 * unit)) ** 2))
            thin = 1 - smoothstep(0.2, 0.9, alpha)
            amount = (near * (0.35 + 0.55 * thin) * (0.5 if world.light.kind == "moon" else 0.9)).astype(np.float32)
            for channel in range(3):
                rgb[..., channel] += (world.light.tone[channel] - rgb[..., channel]) * amount
        sky_low = palette.sky[-1]
        for channel in range(3):
            rgb[..., channel] += (sky_low[channel] - rgb[..., channel]) * (0.35 * y**1.5)
        self.layer = Layer(rgb, alpha * strength, top=first, margin=margin, rng=rng)
        self.middle = world.seconds / 2
        self.direction = -world.drift

    def draw(self, canvas: Canvas, time: float) -> None:
        """Drift."""
        self.layer.draw(canvas, self.direction * self.speed * (time - self.middle))


class Twinkle:
    """The brightest stars, each with its own slow pulse and a hint of rays."""

    def __init__(self, world: World, count: int, limit: float) -> None:
        rng = world.chance("twinkle")
        unit = world.unit
        self.glows = [
            Glow((4.5 + 3.5 * step) * unit, tone, 0.95, 4.5)
            for step in range(3)
            for tone in ((1.0, 0.95, 0.86), (0.82, 0.90, 1.0))
        ]
        self.stars: list[tuple[float, float, int, float, float]] = []
        for _ in range(count * 3):
            x, y = rng.random() * world.width, limit * 0.92 * rng.random() ** 1.4
            if world.light.kind != "none" and np.hypot(x - world.light.x, y - world.light.y) < world.light.radius * 2.6:
                continue
            self.stars.append(
                (
                    float(x),
                    float(y),
                    int(rng.choice(6, p=[0.34, 0.34, 0.12, 0.12, 0.04, 0.04])),
                    float(rng.random() * 6.28),
                    float(0.8 + 1.8 * rng.random()),
                )
            )
            if len(self.stars) == count:
                break

    def draw(self, canvas: Canvas, time: float) -> None:
        """Pulse."""
        for x, y, kind, phase, rate in self.stars:
            self.glows[kind].draw(canvas, x, y, 0.50 + 0.42 * float(np.sin(time * rate + phase)))


class Ribbons:
    """Curtains of light: a hem that wanders, a profile above it, rays that slide along it. Half size, laid on in two colours."""

    def __init__(
        self,
        world: World,
        name: str,
        *,
        hems: tuple[float, ...],
        tall: float,
        colours: tuple[Colour, Colour],
        strength: float,
        bottom: int,
    ) -> None:
        """``hems``: mean rows of the curtains; ``colours``: at the hem and high above; ``bottom``: lowest row."""
        rng = world.chance(name)
        self.world, self.strength = world, strength
        self.columns, self.rows = world.width // 2, (bottom & ~1) // 2
        self.codes = (codes(colours[0]), codes(colours[1]))
        unit = world.unit / 2
        self.unit = unit
        size = self.columns * 4
        self.curtains = []
        for hem in hems:
            slow = wandering(rng, size, 300 * unit, octaves=2)
            rays = wandering(rng, size, 26 * unit, octaves=4, gain=0.66) * 0.5 + 0.5
            broad = wandering(rng, size, 210 * unit, octaves=2) * 0.5 + 0.5
            self.curtains.append(
                (
                    hem / 2,
                    slow,
                    blurred(rays[None, :], 1.5)[0],
                    broad,
                    float(rng.random() * 6.28),
                    float(rng.uniform(0.7, 1.2)),
                )
            )
        reach = self.rows + 200
        d = np.arange(-reach, reach, dtype=np.float32)
        rise = tall * unit * 2 / 2
        edge = smoothstep(-30 * unit, 20 * unit, d)
        self.low = (
            edge
            * (0.62 * np.exp(-np.maximum(d, 0) / rise) + 0.38 * np.exp(-np.maximum(d - 10 * unit, 0) / (rise * 0.22)))
        ).astype(np.float32)
        self.high = (
            smoothstep(-4 * unit, 120 * unit, d) * np.exp(-np.maximum(d - 40 * unit, 0) / (rise * 1.7))
        ).astype(np.float32)
        self.reach = reach
        self.y = np.arange(self.rows, dtype=np.float32)[:, None]

    def masks(self, time: float) -> tuple[Field, Field]:
        """Strength of both colours (0..255) at half size."""
        x = np.arange(self.columns) + self.columns  # room to slide either way before the noise wraps
        low = np.zeros((self.rows, self.columns), dtype=np.float32)
        high = np.zeros_like(low)
        for number, (hem, slow, rays, broad, phase, rate) in enumerate(self.curtains):
            slide = (time * 7.0 * rate + 60 * number) * self.unit
            line = (
                hem
                + 84 * self.unit * _at(slow, x + slide * 1.3)
                + 40 * self.unit * np.sin(x * (0.0074 / self.unit) + time * 0.42 * rate + phase)
            )
            fold = _at(rays, x + slide * 3.2 + 20 * self.unit * np.sin(x * (0.004 / self.unit) + time * 0.5 + phase))
            power = (0.22 + 0.78 * fold) * np.clip(1.9 * _at(broad, x - slide * 1.7) - 0.42, 0.03, 1.1)
            index = np.clip(line[None, :] - self.y + self.reach, 0, 2 * self.reach - 1).astype(np.int32)
            bright = (power * 255 * self.strength * (1.0 if number == 0 else 0.72)).astype(np.float32)[None, :]
            low += self.low[index] * bright
            high += self.high[index] * bright * 0.62
        return np.minimum(low, 235), np.minimum(high, 200)

    def draw(self, canvas: Canvas, time: float) -> None:
        """Lay the upper colour, then the lower."""
        low, high = self.masks(time)
        for mask, one in ((high, self.codes[1]), (low, self.codes[0])):
            half = image_of(mask)
            full = half.resize((self.columns * 2, self.rows * 2), Image.Resampling.BILINEAR)
            canvas.tint(one, full, 0, 0, half)


def _at(values: Field, place: Field) -> Field:
    """Linear lookup that wraps around."""
    index = np.floor(place).astype(np.int64)
    part = (place - index).astype(np.float32)
    size = len(values)
    return (values[index % size] * (1 - part) + values[(index + 1) % size] * part).astype(np.float32)


class Meteors:
    """Shooting stars at seeded moments, each a bright head with a fading tail."""

    def __init__(self, world: World) -> None:
        rng = world.chance("meteors")
        unit = world.unit
        self.flights = []
        count = max(3, int(world.seconds * 0.9))
        for index in range(count):
            start = (index + 0.15 + 0.5 * rng.random()) * world.seconds / count
            self.flights.append(
                (
                    float(start),
                    float(rng.uniform(0.1, 0.95) * world.width),
                    float(rng.uniform(0.04, 0.42) * world.horizon),
                    float(rng.uniform(0.55, 0.95)),
                )
            )
        self.lean = 0.45
        self.length = 210 * unit
        self.side = -1.0 if rng.random() < 0.5 else 1.0
        self.head = Glow(8 * unit, (1.0, 0.98, 0.92), 1.0, 3.0)
        self.tail = [Glow((5.2 - 0.19 * step) * unit, (0.80, 0.90, 1.0), 0.75, 2.0) for step in range(20)]

    def draw(self, canvas: Canvas, time: float) -> None:
        """Fly."""
        for start, x, y, lasts in self.flights:
            part = (time - start) / lasts
            if not 0 <= part <= 1:
                continue
            light = float(np.sin(np.pi * part) ** 0.7)
            hx, hy = x + self.side * part * self.length * 2.3, y + part * self.length * 2.3 * self.lean
            for step, glow in enumerate(self.tail):
                back = (step + 1) / 20 * self.length * min(1.0, part * 2.5)
                glow.draw(canvas, hx - self.side * back, hy - back * self.lean, light * (1 - step / 20) ** 1.4)
            self.head.draw(canvas, hx, hy, light)
