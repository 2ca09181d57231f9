"""Pines, leafy trees, palms, grass, reeds and flowers: drawn as masks on a sheet, coloured by hour and season."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from media.scenery.land import Sheet, near_tone, sheet
from media.scenery.noise import smoothstep, wandering
from media.scenery.palettes import lit
from media.scenery.planes import Bytes, Canvas, Colour, converted, dithered, halved, mix, moved, rounded, triangular
from media.scenery.sky import toward
from media.scenery.world import World


class Swaying:
    """The nearest plants: a sheet that leans in the wind, more toward the tips. Every row moves by its own quarter pixels."""

    def __init__(self, world: World, one: Sheet, *, depth: float, bend: float) -> None:
        """``bend``: pixels that the top of the sheet moves."""
        self.world, self.depth, self.bend = world, depth, bend
        self.top, self.margin, self.rows = one.top, one.margin, one.height
        y, u, v = converted(one.rgb)
        noise = triangular(world.chance("sway dither"), *y.shape)
        cover = np.clip(one.alpha, 0, 1) * 255
        small = halved(cover)
        self.luma = [(dithered(moved(y, p / 4), noise), rounded(moved(cover, p / 4))) for p in range(4)]
        self.chroma = [
            (rounded(moved(u, p / 4)), rounded(moved(v, p / 4)), rounded(moved(small, p / 4))) for p in range(4)
        ]
        self.phase = float(world.chance("sway").random() * 6.28)

    def _leaning(self, copies: list[Bytes], width: int, shift: float, lean: float) -> Image.Image:
        """One plane at this moment; ``shift`` and ``lean`` in its own pixels."""
        rows = copies[0].shape[0]
        out = np.empty((rows, width), dtype=np.uint8)
        most = copies[0].shape[1] - width
        for row in range(rows):
            quarter = round((shift + lean * (row - rows)) * 4)
            start = min(most, max(0, quarter >> 2))
            out[row] = copies[quarter & 3][row, start : start + width]
        return Image.fromarray(out)

    def draw(self, canvas: Canvas, time: float) -> None:
        """Lay it down, leaning."""
        shift = self.margin - self.world.travel(time) * self.depth
        gust = np.sin(time * 1.35 + self.phase) + 0.45 * np.sin(time * 2.9 + self.phase * 2)
        lean = float(self.bend * gust / self.rows)
        width = self.world.width
        y, cover = (self._leaning([copy[index] for copy in self.luma], width, shift, lean) for index in (0, 1))
        canvas.y.paste(y, (0, self.top), cover)
        u, v, small = (
            self._leaning([copy[index] for copy in self.chroma], width // 2, shift / 2, lean) for index in (0, 1, 2)
        )
        canvas.u.paste(u, (0, self.top // 2), small)
        canvas.v.paste(v, (0, self.top // 2), small)


def grass(
    world: World,
    *,
    tall: float,
    ground: Colour,
    base: float,
    flowers: tuple[Colour, ...] = (),
    depth: float = 1.15,
    reeds: bool = False,
) -> Swaying:
    """Blades at the lower edge, taller toward both sides so that they frame the picture."""
    rng = world.chance("grass")
    unit = world.unit
    one = sheet(world, depth, base - tall * 2.1)
    one.margin += int(tall)
    one.margin &= ~3
    width = world.width + 2 * one.margin
    one.rgb = np.zeros((one.height, width, 3), dtype=np.float32)
    over = 2
    tone_far, tone_near = near_tone(world, ground, 0.22), near_tone(world, ground, 0.74)
    bright = lit(ground, world.palette, 0.95)
    picture = Image.new("RGBA", (width * over, one.height * over), (*_bytes(tone_near), 0))
    draw = ImageDraw.Draw(picture)
    count = int(width / unit * (1.15 if not reeds else 0.30))
    bumps = wandering(rng, width, 150 * unit, octaves=3)
    for index in range(count):
        part = index / count
        x = rng.random() * width
        side = abs((x - one.margin) / world.width - 0.5) * 2
        size = (
            tall
            * (0.35 + 0.65 * rng.random())
            * (0.55 + 0.75 * min(1.3, side) ** 2)
            * (1 + 0.25 * bumps[min(width - 1, int(x))])
        )
        foot = world.height - one.top + 6 * unit - (1 - part) * (world.height - base) * 0.65
        lean = rng.normal() * 0.22 * size
        w = (1.3 + 1.7 * rng.random()) * unit * (0.75 + 0.5 * part)
        tone = mix(tone_far, tone_near, min(1.0, part * 0.75 + 0.35 * rng.random()))
        near = np.exp(-(((x - one.margin - world.light.x) / (260 * unit)) ** 2)) if world.light.kind != "none" else 0.0
        if rng.random() < 0.34 + 0.5 * near:
            tone = mix(
                tone, mix(bright, world.palette.light, 0.5 * float(near)), 0.16 + 0.44 * float(near) * (1 - part)
            )
        tip = (x + lean, foot - size)
        mid = (x + lean * 0.35, foot - size * 0.55)
        draw.polygon(
            [
                ((x - w) * over, foot * over),
                ((x + w) * over, foot * over),
                ((mid[0] + w * 0.6) * over, mid[1] * over),
                (tip[0] * over, tip[1] * over),
                ((mid[0] - w * 0.6) * over, mid[1] * over),
            ],
            fill=(*_bytes(tone), 255),
        )
        if reeds and rng.random() < 0.45:
            r = 3.2 * unit
            draw.rounded_rectangle(
                ((tip[0] - r) * over, (tip[1] - 6 * r) * over, (tip[0] + r) * over, (tip[1] + r) * over),
                r * over,
                fill=(*_bytes(mix(tone_near, (0.35, 0.22, 0.12), 0.5)), 255),
            )
        if flowers and rng.random() < 0.16 and part < 0.9:
            _flower(
                draw,
                tip,
                (4.5 + 5.5 * rng.random() * (0.5 + part)) * unit,
                flowers[int(rng.integers(0, len(flowers)))],
                world,
                rng,
                over,
            )
    small = picture.reduce(over)
    data = np.asarray(small, dtype=np.float32) / 255
    one.rgb, one.alpha = data[..., :3].copy(), data[..., 3].copy()
    rows = np.arange(one.height, dtype=np.float32)[:, None]
    floor = smoothstep(world.height - one.top - 26 * unit, world.height - one.top - 2 * unit, rows)
    one.alpha = np.maximum(one.alpha, floor * np.ones((1, width), dtype=np.float32)).astype(np.float32)
    toward(
        one.rgb, world.palette.deep, (smoothstep(one.height * 0.35, float(one.height), rows) * 0.45).astype(np.float32)
    )
    return Swaying(
        world, one, depth=depth, bend=min(22 * unit, tall * 0.16) * (2.2 if world.reading.has("wind", "storm") else 1.0)
    )


def _flower(
    draw: ImageDraw.ImageDraw,
    tip: tuple[float, float],
    size: float,
    tone: Colour,
    world: World,
    rng: np.random.Generator,
    over: int,
) -> None:
    x, y = tip[0] * over, tip[1] * over
    r = size * over
    outer = mix(lit(tone, world.palette, 0.9), tone, 0.35)
    turn = rng.random() * 6.28
    for petal in range(6):
        angle = turn + petal * 1.047
        px, py = x + np.cos(angle) * r * 0.55, y + np.sin(angle) * r * 0.42
        shade = mix(outer, world.palette.deep, 0.22 if petal % 2 else 0.05)
        draw.ellipse((px - r * 0.5, py - r * 0.42, px + r * 0.5, py + r * 0.42), fill=(*_bytes(shade), 255))
    draw.ellipse(
        (x - r * 0.26, y - r * 0.24, x + r * 0.26, y + r * 0.24),
        fill=(*_bytes(lit((0.98, 0.85, 0.30), world.palette, 0.9)), 255),
    )


def _bytes(tone: Colour) -> tuple[int, int, int]:
    return round(tone[0] * 255), round(tone[1] * 255), round(tone[2] * 255)
