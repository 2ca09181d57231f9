"""What moves in the sky: drifting cloud, twinkling stars, aurora, meteors, lightning, fireworks."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from media.scenery.noise import Field, blurred, cloudy, resized, smoothstep, wandering
from media.scenery.planes import Canvas, Colour, Glow, Layer, codes, image_of, mix
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
            power = (power * 255 * self.strength * (1.0 if number == 0 else 0.72)).astype(np.float32)[None, :]
            low += self.low[index] * power
            high += self.high[index] * power * 0.62
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


class Lightning:
    """Forked bolts with a slow afterglow that lights the whole sky; never more than two flashes in a second."""

    def __init__(self, world: World) -> None:
        rng = world.chance("lightning")
        self.world = world
        self.strikes = []
        count = max(2, int(world.seconds / 2.1))
        for index in range(count):
            moment = (index + 0.18 + 0.45 * rng.random()) * world.seconds / count
            self.strikes.append((float(moment), *self._bolt(world, rng)))
        self.tone = codes((0.86, 0.90, 1.0))
        self.violet = codes((0.62, 0.66, 0.95))

    @staticmethod
    def _bolt(world: World, rng: np.random.Generator) -> tuple[Image.Image, Image.Image, Image.Image]:
        picture = Image.new("L", (world.width, world.horizon), 0)
        draw = ImageDraw.Draw(picture)
        unit = world.unit

        def branch(x: float, y: float, end: float, width: float, lean: float, depth: int) -> None:
            while y < end:
                nx = x + (rng.normal() * 15 + lean * 12) * unit
                ny = y + (9 + 15 * rng.random()) * unit
                draw.line([(x, y), (nx, ny)], fill=255, width=max(1, round(width)))
                if depth < 2 and rng.random() < 0.11:
                    branch(
                        nx,
                        ny,
                        min(end, ny + (70 + 150 * rng.random()) * unit),
                        width * 0.55,
                        lean + rng.choice((-1.3, 1.3)),
                        depth + 1,
                    )
                x, y = nx, ny

        branch(world.width * rng.uniform(0.14, 0.86), 0.0, world.horizon * rng.uniform(0.80, 0.98), 3.0 * unit, 0.0, 0)
        glow = picture.resize((world.width // 4, world.horizon // 4), Image.Resampling.BOX).filter(
            ImageFilter.GaussianBlur(7 * unit)
        )
        glow = glow.point([min(255, level * 6) for level in range(256)]).resize(picture.size, Image.Resampling.BILINEAR)
        sheet = cloudy(rng, world.width // 4, world.horizon // 4, 40 * unit, octaves=4)
        around = np.asarray(glow.resize((world.width // 4, world.horizon // 4)), dtype=np.float32) / 255
        wide = blurred(around, 24 * unit)
        sky = resized(np.clip(sheet * (0.30 + 1.1 * wide), 0, 1).astype(np.float32), world.width, world.horizon)
        fade = 1 - smoothstep(0.7, 1.0, np.linspace(0, 1, world.horizon, dtype=np.float32)[:, None])
        return picture.filter(ImageFilter.GaussianBlur(0.6 * unit)), glow, image_of(sky * fade * 190)

    def light(self, time: float) -> float:
        """How bright it is now, 0..1."""
        return max((self._power(time - moment) for moment, *_ in self.strikes), default=0.0)

    @staticmethod
    def _power(since: float) -> float:
        if since < 0 or since > 0.85:
            return 0.0
        rise = min(1.0, since / 0.045)
        return float(rise * np.exp(-since * 5.0) * (1 - 0.35 * np.exp(-(((since - 0.13) / 0.03) ** 2))))

    def draw(self, canvas: Canvas, time: float) -> None:
        """Strike."""
        for moment, bolt, glow, sky in self.strikes:
            power = self._power(time - moment)
            if power < 0.02:
                continue
            canvas.tint(self.violet, _dimmed(sky, power), 0, 0)
            canvas.tint(self.violet, _dimmed(glow, power * 0.9), 0, 0)
            if power > 0.12:
                canvas.tint(self.tone, _dimmed(bolt, min(1.0, power * 1.3)), 0, 0)


def _dimmed(mask: Image.Image, power: float) -> Image.Image:
    return mask.point([min(255, round(level * power)) for level in range(256)])


class Fireworks:
    """Shells that burst one after the other; sparks fall and fade."""

    def __init__(self, world: World) -> None:
        rng = world.chance("fireworks")
        unit = world.unit
        tones: list[Colour] = [
            (1.0, 0.78, 0.36),
            (1.0, 0.42, 0.48),
            (0.52, 0.80, 1.0),
            (0.62, 1.0, 0.66),
            (0.90, 0.56, 1.0),
        ]
        self.glows = [
            [Glow(5.5 * unit, mix(tone, (1, 1, 1), 0.35), 0.95, 2.4), Glow(3.8 * unit, tone, 0.85, 2.0)]
            for tone in tones
        ]
        self.flash = [Glow(120 * unit, mix(tone, (1, 1, 1), 0.3), 0.5, 2.2) for tone in tones]
        self.bursts = []
        count = int(world.seconds * 1.5) + 1
        for index in range(count):
            start = (index - 0.6 + 0.6 * rng.random()) * world.seconds / count
            sparks = int(66 + 26 * rng.random())
            angle = rng.random(sparks) * 2 * np.pi
            lift = rng.uniform(-1, 1, sparks)
            flat = np.sqrt(1 - lift * lift) * (0.92 + 0.08 * rng.random(sparks))
            reach = (125 + 85 * rng.random()) * unit
            self.bursts.append(
                (
                    float(start),
                    float(rng.uniform(0.14, 0.86) * world.width),
                    float(rng.uniform(0.16, 0.50) * world.horizon),
                    np.cos(angle) * flat * reach,
                    np.sin(angle) * flat * reach,
                    int(rng.integers(0, 5)),
                )
            )
        self.unit = unit

    def draw(self, canvas: Canvas, time: float) -> None:
        """Burst."""
        for start, x, y, dx, dy, tone in self.bursts:
            age = time - start
            if not 0 <= age <= 2.2:
                continue
            if age < 0.5:
                self.flash[tone].draw(canvas, x, y, (1 - age / 0.5) ** 2)
            for back in range(4):
                then = age - back * 0.045
                if then <= 0:
                    continue
                spread = 1 - float(np.exp(-then * 2.6))
                fall = 34 * self.unit * then * then
                fade = max(0.0, 1 - age / 2.2) ** 1.2 * (1 - back * 0.24)
                glow = self.glows[tone][0 if back == 0 else 1]
                for index in range(len(dx)):
                    glow.draw(canvas, x + float(dx[index]) * spread, y + float(dy[index]) * spread + fall, fade)
