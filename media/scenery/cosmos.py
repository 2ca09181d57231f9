"""Beyond the sky: planets with a day side and rings, light shafts, and the vignette that closes every picture."""

from __future__ import annotations

import numpy as np
from PIL import Image

from media.scenery.noise import Field, blurred, cloudy, smoothstep, wandering
from media.scenery.planes import BLACK, Canvas, Colour, Glow, Sprite, codes, colour, image_of, mix
from media.scenery.world import World, grid

_WORLDS: tuple[tuple[Colour, Colour, Colour], ...] = (
    (colour("#e8a878"), colour("#a85a48"), colour("#ffd0a0")),
    (colour("#6ab0d8"), colour("#2c5a98"), colour("#a8e8ff")),
    (colour("#c890d8"), colour("#6a3c98"), colour("#f0c0ff")),
    (colour("#e8d0a0"), colour("#a88458"), colour("#fff0c8")),
)


class Planet:
    """A ball with bands, a terminator, a rim of air and perhaps rings."""

    def __init__(
        self, world: World, name: str, *, x: float, y: float, radius: float, kind: int, rings: bool, depth: float
    ) -> None:
        rng = world.chance(name)
        self.world, self.x, self.y, self.depth = world, x, y, depth
        reach = radius * (2.25 if rings else 1.22)
        size = int(2 * reach) + 4
        size += size % 2
        gx, gy = grid(size, size)
        px, py = (gx - size / 2) / radius, (gy - size / 2) / radius
        far = np.hypot(px, py)
        nz = np.sqrt(np.clip(1 - far**2, 0, 1))
        bright, dim, air = _WORLDS[kind % len(_WORLDS)]
        swirl = cloudy(rng, size, size, radius * 0.5, octaves=5, stretch=1.6)
        if kind % 2 == 0 or rings:
            lines = wandering(rng, 512, 70, octaves=5)
            turn = py + px * 0.28 + (swirl - 0.5) * 0.16
            pattern = lines[np.clip((turn * 0.5 + 0.5) * 511, 0, 511).astype(np.int32)] * 0.9 + 0.5
        else:
            pattern = smoothstep(0.40, 0.64, swirl)
        pattern = np.clip(pattern, 0, 1)
        sun = np.array((-0.62, -0.42, 0.66))
        shine = np.clip(px * sun[0] + py * sun[1] + nz * sun[2], 0, 1) ** 0.8
        rgb = np.zeros((size, size, 3), dtype=np.float32)
        night = (0.02, 0.02, 0.06)
        edge = (1 - nz) ** 2.6
        for channel in range(3):
            surface = dim[channel] + (bright[channel] - dim[channel]) * pattern
            lit_part = night[channel] + surface * shine * 1.06
            rgb[..., channel] = lit_part + (air[channel] - lit_part) * edge * (0.08 + 0.80 * shine)
        alpha = np.clip((1 - far) * radius / 1.4 + 0.5, 0, 1)
        halo = (
            np.exp(-np.maximum(far - 1, 0) * 13) * np.clip(0.22 - px * 0.45 - py * 0.32, 0, 1) * 0.75 * (far >= 0.985)
        )
        for channel in range(3):
            rgb[..., channel] += (air[channel] - rgb[..., channel]) * (1 - alpha)
        alpha = np.maximum(alpha, halo)
        if rings:
            self._ring(rng, rgb, alpha, px, py, far, bright)
        self.sprite = Sprite(rgb, alpha.astype(np.float32), (size / 2, size / 2))

    @staticmethod
    def _ring(
        rng: np.random.Generator, rgb: Field, alpha: Field, px: Field, py: Field, far: Field, tone: Colour
    ) -> None:
        tilt = 0.30
        rx = px * 0.96 + py * 0.28
        ry = (-px * 0.28 + py * 0.96) / tilt
        ring = np.hypot(rx, ry)
        grooves = wandering(rng, 256, 26, octaves=5) * 0.5 + 0.5
        band = (
            smoothstep(1.28, 1.34, ring)
            * (1 - smoothstep(2.02, 2.14, ring))
            * (0.35 + 0.65 * grooves[np.clip((ring - 1.2) * 256, 0, 255).astype(np.int32)])
        )
        behind = (ry < 0) & (far < 1.0)
        band = np.where(behind, 0, band) * 0.85
        shadow = 1 - 0.75 * np.exp(-((rx - 1.25) ** 2 / 0.25 + (ry + 0.6) ** 2 / 0.5))
        for channel in range(3):
            rgb[..., channel] += (min(1.0, tone[channel] * 1.05) * shadow - rgb[..., channel]) * band
        np.maximum(alpha, band, out=alpha)

    def draw(self, canvas: Canvas, time: float) -> None:
        """Hang there, hardly moving."""
        self.sprite.draw(canvas, self.x + self.world.travel(time) * self.depth, self.y)


class Shafts:
    """Rays of light that come down at a slant and wander: sunlight in a wood, or under water."""

    def __init__(self, world: World, *, bottom: int, tone: Colour, strength: float, cell: float, fan: bool) -> None:
        rng = world.chance("shafts")
        self.columns, self.rows = world.width // 4, (bottom // 4) & ~1
        unit = world.unit / 4
        self.unit = unit
        y, x = np.mgrid[0 : self.rows, 0 : self.columns].astype(np.float32)
        if fan:
            sx, sy = world.light.x / 4, world.light.y / 4 - 30 * unit
            self.place = np.arctan2(x - sx, np.maximum(y - sy, 1.0)) * 320 * unit
            away = np.hypot(x - sx, y - sy) / (520 * unit)
            self.power = (np.exp(-(away**1.4)) * smoothstep(-20 * unit, 120 * unit, y - sy) * strength * 255).astype(
                np.float32
            )
        else:
            self.place = x + y * 0.32
            self.power = ((1 - y / self.rows) ** 1.25 * strength * 255).astype(np.float32)
        self.place = self.place - self.place.min() + 400
        size = int(self.place.max()) + 900
        self.first = np.clip(wandering(rng, size, cell * unit, octaves=3) * 0.9 + 0.35, 0, 1)
        self.second = np.clip(wandering(rng, size, cell * unit * 1.7, octaves=3) * 0.8 + 0.55, 0, 1)
        self.first = blurred(self.first[None, :], 2 * unit)[0]
        self.codes = codes(tone)
        self.size = (world.width, self.rows * 4)

    def draw(self, canvas: Canvas, time: float) -> None:
        """Shine."""
        slide = time * 9 * self.unit
        one = self.first[(self.place + slide).astype(np.int32)]
        two = self.second[(self.place - slide * 0.8).astype(np.int32)]
        mask = image_of(one * two * self.power)
        half = mask.resize((self.size[0] // 2, self.size[1] // 2), Image.Resampling.BILINEAR)
        canvas.tint(self.codes, half.resize(self.size, Image.Resampling.BILINEAR), 0, 0, half)


class Vignette:
    """Darker corners; the last touch under the caption."""

    def __init__(self, world: World, strength: float) -> None:
        x, y = grid(world.width, world.height)
        far = np.hypot((x / world.width - 0.5) * 1.05, (y / world.height - 0.47) * 1.05)
        shade = smoothstep(0.34, 0.82, far) * strength * 255
        noise = world.chance("vignette").random(shade.shape, dtype=np.float32) - 0.5
        self.mask = image_of(np.clip(shade + noise, 0, 255).astype(np.float32))

    def draw(self, canvas: Canvas, time: float) -> None:  # noqa: ARG002 - every painter is asked with a time
        """Darken."""
        canvas.y.paste(BLACK, (0, 0, *canvas.size), self.mask)


class StarDrift:
    """Near stars that slowly come toward us: the feeling of travelling through space."""

    def __init__(self, world: World) -> None:
        rng = world.chance("star drift")
        unit = world.unit
        self.world = world
        self.glows = [
            Glow((1.8 + 1.5 * step) * unit, mix((0.85, 0.9, 1.0), (1.0, 0.9, 0.8), step / 3), 0.95, 2.6)
            for step in range(4)
        ]
        self.stars = [
            (float(rng.random() * 2 * np.pi), float(rng.random()), float(0.35 + 0.65 * rng.random()))
            for _ in range(110)
        ]

    def draw(self, canvas: Canvas, time: float) -> None:
        """Travel."""
        width, height = canvas.size
        reach = float(np.hypot(width, height)) * 0.55
        for angle, start, rate in self.stars:
            part = (start + time * 0.035 * rate) % 1.0
            far = part**2.2 * reach
            fade = min(1.0, part * 2.2) * min(1.0, (1 - part) * 8)
            self.glows[min(3, int(part * 4))].draw(
                canvas, width / 2 + float(np.cos(angle)) * far, height * 0.44 + float(np.sin(angle)) * far, fade * rate
            )
