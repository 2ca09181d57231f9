"""City blocks in layers: a window grid for every facade, stepped tops, masts with slow red lamps, and neon signs on the nearest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media.scenery.land import Drifting, Sheet, light_side, mist, rim, sheet
from media.scenery.noise import blurred, cloudy
from media.scenery.palettes import GROUND, lit
from media.scenery.planes import Canvas, Colour, Glow, colour, mix
from media.scenery.sky import toward
from media.scenery.world import World

_WARM = (colour("#ffd890"), colour("#ffbe6a"), colour("#ffe8c0"), colour("#cfe4ff"))
_NEON = (
    colour("#ff3f9e"),
    colour("#39e0ff"),
    colour("#ffb03a"),
    colour("#8f5bff"),
    colour("#4dffb4"),
    colour("#ff5a4a"),
)


@dataclass(slots=True)
class Lamp:
    """A light that belongs to a layer: screen column at mid-clip, row, colour, pulse rate (0 steady)."""

    x: float
    y: float
    tone: Colour
    radius: float
    rate: float
    phase: float


class Lamps:
    """Soft lights that go with their layer; beacons pulse, signs hum."""

    def __init__(self, world: World, lamps: list[Lamp], depth: float) -> None:
        self.world, self.depth = world, depth
        self.lamps = [(lamp, Glow(lamp.radius, lamp.tone, 0.75, 2.6)) for lamp in lamps]

    def draw(self, canvas: Canvas, time: float) -> None:
        """Shine."""
        shift = self.world.travel(time) * self.depth
        for lamp, glow in self.lamps:
            wave = float(np.sin(time * lamp.rate + lamp.phase))
            fade = (max(0.0, wave) ** 2 if lamp.rate > 1.5 else 0.78 + 0.16 * wave) if lamp.rate else 0.8
            glow.draw(canvas, lamp.x + shift, lamp.y, fade)


def blocks(
    world: World,
    name: str,
    *,
    depth: float,
    ground: float,
    tall: float,
    far: float,
    signs: bool = False,
    wide: float = 62.0,
) -> tuple[Drifting, Lamps, Sheet]:
    """One row of buildings. ``tall``: pixels of the highest; ``signs``: neon on the facades."""
    rng = world.chance(name)
    unit = world.unit
    one = sheet(world, depth, ground - tall * 1.38, ground + 4 * unit)
    width = one.alpha.shape[1]
    palette = world.palette
    neon = palette.name == "neon" or world.reading.has("neon")
    one.crest = np.full(width, float(one.height), dtype=np.float32)
    lamps: list[Lamp] = []
    base_row = int(ground) - one.top
    x = -10.0
    while x < width + 10:
        w = unit * wide * (0.6 + 0.9 * rng.random())
        middle = x + w / 2 - one.margin
        away = abs(middle - world.light.x) / world.width if world.light.kind != "none" else 0.5
        room = 0.34 + 0.66 * min(1.0, (away / 0.30) ** 1.4)
        side = abs(middle / world.width - 0.5) * 2
        h = (
            tall
            * (0.26 + 0.74 * rng.random() ** 1.5)
            * room
            * (1.0 if not signs else 0.35 + 0.75 * min(1.15, side) ** 1.6)
        )
        _building(
            world, one, rng, int(x), int(w), int(h), base_row, depth, lamps, signs=signs and h > 90 * unit, neon=neon
        )
        x += w * (0.92 + 0.22 * rng.random())
    toward(one.rgb, palette.haze, np.full((1, 1), far, dtype=np.float32))
    mist(one, 0.30 + 0.45 * far, tall / unit * 1.1)
    glow_rows = np.clip(
        (np.arange(one.height, dtype=np.float32)[:, None] - base_row * 0.62) / (base_row * 0.38 + 1), 0, 1
    )
    if palette.dark > 0.5:
        street = mix(palette.haze, colour("#ff7ac0") if neon else colour("#ffb070"), 0.55)
        toward(one.rgb, street, (glow_rows**2 * 0.42 * (0.5 + 0.5 * depth)).astype(np.float32))
    rim(one, 0.30, 3.0)
    return one.finished(), Lamps(world, lamps, depth), one


def _building(
    world: World,
    one: Sheet,
    rng: np.random.Generator,
    x: int,
    w: int,
    h: int,
    base: int,
    depth: float,
    lamps: list[Lamp],
    *,
    signs: bool,
    neon: bool,
) -> None:
    unit, palette = world.unit, world.palette
    tone = lit(GROUND["city"], palette, 0.22 + 0.30 * rng.random())
    tone = mix(tone, palette.deep, 0.15 + 0.55 * depth + 0.22 * palette.dark)
    sections = [(x, w, h)]
    if h > 120 * unit and rng.random() < 0.55:
        inset = int(w * (0.12 + 0.12 * rng.random()))
        sections.append((x + inset, w - 2 * inset, h + int((26 + 50 * rng.random()) * unit)))
        if rng.random() < 0.5:
            sections.append(
                (x + 2 * inset, max(4, w - 4 * inset), sections[-1][2] + int((18 + 40 * rng.random()) * unit))
            )
    side = 1 if light_side(world) > 0 else -1
    for sx, sw, sh in reversed(sections):
        _block(one, sx, sw, base - sh, base, tone, side, palette.key, 0.16 * (1 - palette.dark))
    top = base - sections[-1][2]
    sx, sw, _ = sections[-1]
    if h > 150 * unit and rng.random() < 0.6:
        mast = sx + sw // 2
        tall = int((26 + 44 * rng.random()) * unit)
        thin = max(1, int(1.6 * unit))
        _block(one, mast - thin // 2, thin, top - tall, top, mix(tone, palette.deep, 0.3), side, palette.key, 0)
        if palette.dark > 0.3 and depth > 0.1:
            lamps.append(
                Lamp(
                    mast - one.margin,
                    one.top + top - tall,
                    (1.0, 0.28, 0.22),
                    7 * unit,
                    2.4,
                    float(rng.random() * 6.28),
                )
            )
    elif rng.random() < 0.5:
        tw, th = int(14 * unit), int(20 * unit)
        tx = sx + int(sw * (0.2 + 0.5 * rng.random()))
        _block(one, tx, tw, top - th, top - int(6 * unit), mix(tone, palette.deep, 0.2), side, palette.key, 0)
        _block(one, tx + 2, max(1, int(1.5 * unit)), top - int(6 * unit), top, tone, side, palette.key, 0)
        _block(one, tx + tw - 4, max(1, int(1.5 * unit)), top - int(6 * unit), top, tone, side, palette.key, 0)
    _windows(world, one, rng, x, w, base - h, base, depth, tone, neon=neon)
    if signs and palette.dark > 0.4 and rng.random() < (0.85 if neon else 0.30):
        _sign(world, one, rng, x, w, base - h, base, lamps)


def _block(one: Sheet, x: int, w: int, top: int, base: int, tone: Colour, side: int, key: Colour, shine: float) -> None:
    x0, x1, y0, y1 = max(0, x), min(one.alpha.shape[1], x + w), max(0, top), min(one.height, base + 4)
    if x1 <= x0 or y1 <= y0:
        return
    part = np.linspace(0, 1, x1 - x0, dtype=np.float32)
    if side < 0:
        part = part[::-1]
    for channel in range(3):
        one.rgb[y0:y1, x0:x1, channel] = (
            tone[channel] * (0.88 + 0.20 * part[None, :]) + shine * key[channel] * part[None, :]
        )
    one.alpha[y0:y1, x0:x1] = 1
    np.minimum(one.crest[x0:x1], y0, out=one.crest[x0:x1])


def _windows(
    world: World,
    one: Sheet,
    rng: np.random.Generator,
    x: int,
    w: int,
    top: int,
    base: int,
    depth: float,
    wall: Colour,
    *,
    neon: bool,
) -> None:
    unit, palette = world.unit, world.palette
    size = 0.62 + 0.75 * depth
    cw, ch = (
        max(3, round((8.5 + 3.5 * rng.random()) * unit * size)),
        max(4, round((11 + 5 * rng.random()) * unit * size)),
    )
    pad = max(2, round(5 * unit * size))
    ww, wh = max(1, round(cw * (0.46 + 0.22 * rng.random()))), max(2, round(ch * (0.42 + 0.24 * rng.random())))
    columns, rows = (w - 2 * pad) // cw, (base - top - 2 * pad) // ch
    if columns < 1 or rows < 1:
        return
    left = x + pad + ((w - 2 * pad) - columns * cw + cw - ww) // 2
    busy = (0.16 + 0.50 * rng.random()) * palette.dark + 0.02
    floors = rng.random(rows) < 0.14
    own = _WARM[int(rng.choice(4, p=[0.42, 0.25, 0.15, 0.18]))]
    if neon and rng.random() < 0.45:
        own = mix(own, _NEON[int(rng.integers(0, 4))], 0.55)
    glass = mix(wall, palette.sky[-2], 0.30 + 0.25 * (1 - palette.dark))
    for row in range(rows):
        y0 = top + pad + row * ch
        on_floor = floors[row]
        for column in range(columns):
            x0 = left + column * cw
            if x0 < 0 or x0 + ww >= one.alpha.shape[1] or y0 < 0:
                continue
            shines = rng.random() < (0.88 if on_floor else busy)
            tone = (
                mix(wall, own, 0.45 + 0.50 * rng.random())
                if shines and palette.dark > 0.1
                else mix(wall, glass, 0.55 + 0.3 * rng.random())
            )
            one.rgb[y0 : y0 + wh, x0 : x0 + ww] = tone


def _sign(
    world: World, one: Sheet, rng: np.random.Generator, x: int, w: int, top: int, base: int, lamps: list[Lamp]
) -> None:
    """An upright sign of glowing bars and loops: no letters of any real script."""
    unit = world.unit
    tone = _NEON[int(rng.integers(0, len(_NEON)))]
    sw = int((19 + 9 * rng.random()) * unit)
    cells = int(3 + 3 * rng.random())
    sh = cells * sw + int(6 * unit)
    sx = x + int(w * (0.15 + 0.5 * rng.random()))
    sy = top + int((20 + 0.35 * max(0, base - top - sh) * rng.random()) * 1)
    if sx < 4 or sx + sw + 4 >= one.alpha.shape[1] or sy + sh > base - 8 or sy < 0:
        return
    glyphs = np.zeros((sh, sw), dtype=np.float32)
    line = max(2, round(2.4 * unit))
    glyphs[:line, :] = glyphs[-line:, :] = 1
    glyphs[:, :line] = glyphs[:, -line:] = 1
    for cell in range(cells):
        y0 = int(cell * sw + 5 * unit)
        a, b = int(sw * 0.24), int(sw * 0.76)
        size = b - a
        strokes = int(rng.integers(3, 6))
        for _ in range(strokes):
            if rng.random() < 0.5:
                row = y0 + int(size * rng.choice((0.05, 0.35, 0.65, 0.9)))
                glyphs[row : row + line, a:b] = 1
            else:
                column = a + int(size * rng.choice((0.0, 0.42, 0.85)))
                glyphs[y0 : y0 + size, column : column + line] = 1
    y0, y1, x0, x1 = sy, sy + sh, sx, sx + sw
    one.rgb[y0:y1, x0:x1] = np.array(mix(world.palette.deep, tone, 0.14), dtype=np.float32)
    core = np.array(mix(tone, (1, 1, 1), 0.42), dtype=np.float32)
    soft = np.clip(blurred(glyphs, 2.6 * unit) * 1.5, 0, 1)
    part = one.rgb[y0:y1, x0:x1]
    part += (np.array(tone, dtype=np.float32) - part) * (soft * 0.75)[..., None]
    part += (core - part) * glyphs[..., None]
    pad = int(30 * unit)
    gy0, gy1, gx0, gx1 = (
        max(0, y0 - pad),
        min(one.height, y1 + pad),
        max(0, x0 - pad),
        min(one.alpha.shape[1], x1 + pad),
    )
    mask = np.zeros((gy1 - gy0, gx1 - gx0), dtype=np.float32)
    mask[y0 - gy0 : y1 - gy0, x0 - gx0 : x1 - gx0] = 1
    halo = blurred(mask, 11 * unit) * (1 - mask) * 0.5
    region = one.rgb[gy0:gy1, gx0:gx1]
    region += (np.array(tone, dtype=np.float32) - region) * halo[..., None]
    middle = (sx + sw / 2 - one.margin, one.top + sy + sh / 2)
    lamps.append(Lamp(middle[0], middle[1], tone, 80 * unit, 0.9 + rng.random(), float(rng.random() * 6.28)))
    world.lamps.append((middle[0], middle[1], tone, 1.0))


def rooftop(world: World, ground: float) -> Sheet:
    """The roof on which somebody sits: a tiled slope with a chimney, across the lower part of the picture."""
    rng = world.chance("rooftop")
    unit = world.unit
    one = sheet(world, 0.85, ground - 130 * unit)
    width = one.alpha.shape[1]
    x = one.x()[0]
    crest = ground + 10 * unit * np.abs((x - world.width * 0.44) / (world.width * 0.5)) ** 1.5 * 4
    one.crest = (crest - one.top).astype(np.float32)
    rows = np.arange(one.height, dtype=np.float32)[:, None] + 0.5
    below = rows - one.crest[None, :]
    one.alpha = np.clip(below / 1.3 + 0.5, 0, 1).astype(np.float32)
    palette = world.palette
    base = mix(lit(colour("#a0685c"), palette, 0.45), palette.deep, 0.26)
    bright = lit(colour("#a86a58"), palette, 0.9)
    tile = 25 * unit
    course = np.floor(below / tile)
    shift = (course % 2) * 0.5
    place = (one.x() + one.margin * 0) / (tile * 1.1) + shift
    round_ = np.abs((place % 1.0) - 0.5) * 2
    inside = (below % tile) / tile
    lip = 0.76 - 0.42 * round_**2.2
    shade = np.clip(
        0.35 + 0.55 * (1 - round_) - 0.75 * (inside > lip + 0.22) + 0.30 * (np.abs(inside - lip) < 0.10), 0, 1
    )
    wear = cloudy(rng, width, one.height, 50 * unit, octaves=4)
    near = np.exp(-(((one.x() - world.light.x) / (380 * unit)) ** 2)) if world.light.kind != "none" else np.float32(0.3)
    light = shade * (0.16 + 0.42 * wear + 0.40 * near) * np.exp(-np.clip(below, 0, None) / (260 * unit))
    for channel in range(3):
        one.rgb[..., channel] = base[channel] * (0.55 + 0.25 * shade) + (bright[channel] - base[channel]) * light * 0.85
    ridge = (np.abs(below - 5 * unit) < 5 * unit) * 0.35
    toward(one.rgb, mix(bright, palette.light, 0.35), (ridge * (0.35 + 0.65 * near)).astype(np.float32))
    cx = int(world.width * (0.80 if world.light.x < world.width * 0.5 else 0.15)) + one.margin
    cw, ch = int(56 * unit), int(108 * unit)
    top = int(one.crest[cx]) - ch
    brick = mix(lit(colour("#9a5a48"), palette, 0.35), palette.deep, 0.35)
    _block(
        one,
        cx,
        cw,
        top,
        int(one.crest[cx]) + int(30 * unit),
        brick,
        1 if light_side(world) > 0 else -1,
        palette.key,
        0.10,
    )
    _block(
        one,
        cx - int(6 * unit),
        cw + int(12 * unit),
        top,
        top + int(13 * unit),
        mix(brick, palette.key, 0.14),
        1,
        palette.key,
        0.05,
    )
    for row in range(top + int(18 * unit), int(one.crest[cx]) + int(20 * unit), max(4, int(11 * unit))):
        one.rgb[row : row + max(1, int(1.4 * unit)), cx : cx + cw] *= 0.72
    rim(one, 0.5, 4.0)
    return one
