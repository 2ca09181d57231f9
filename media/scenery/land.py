"""Land in layers: mountains with facets and snow, soft hills, dunes with a lit and a shaded side. Each is one drifting layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media.scenery.noise import Field, blurred, cloudy, smoothstep, wandering
from media.scenery.palettes import GROUND, lit
from media.scenery.planes import Canvas, Colour, Layer, mix
from media.scenery.sky import toward
from media.scenery.world import World


@dataclass(slots=True)
class Drifting:
    """A layer that goes with the camera by its depth (0 far … 1 near)."""

    world: World
    layer: Layer
    depth: float

    def draw(self, canvas: Canvas, time: float) -> None:
        """Lay it down at its place."""
        self.layer.draw(canvas, self.world.travel(time) * self.depth)


@dataclass(slots=True)
class Sheet:
    """A layer under construction: floats in screen coordinates with room at both sides."""

    world: World
    depth: float
    top: int
    height: int
    margin: int
    rgb: Field
    alpha: Field
    crest: Field
    """Height of the land's edge in every column, in rows from the top of the sheet (for what stands on it)."""

    def x(self) -> Field:
        """Screen column of every sheet column at the middle of the clip, shape (1, w)."""
        return (np.arange(self.alpha.shape[1], dtype=np.float32) - self.margin + 0.5)[None, :]

    def y(self) -> Field:
        """Screen row of every sheet row, shape (h, 1)."""
        return (np.arange(self.height, dtype=np.float32) + self.top + 0.5)[:, None]

    def finished(self) -> Drifting:
        """Bytes, shifted copies and all."""
        layer = Layer(
            self.rgb,
            self.alpha,
            top=self.top,
            margin=self.margin,
            rng=self.world.chance(f"dither {self.top} {self.depth}"),
        )
        return Drifting(self.world, layer, self.depth)


def sheet(world: World, depth: float, top: float, bottom: float | None = None) -> Sheet:
    """An empty sheet from row ``top`` to ``bottom`` (default: the lower edge)."""
    margin = (int(world.margin * max(depth, 0.02)) + 8) & ~3
    first = max(0, int(top)) & ~1
    last = world.height if bottom is None else min(world.height, (int(bottom) + 1) & ~1)
    height, width = max(2, last - first), world.width + 2 * margin
    return Sheet(
        world, depth, first, height, margin, np.zeros((height, width, 3), dtype=np.float32), np.zeros((height, width), dtype=np.float32),
        np.full(width, float(height), dtype=np.float32),
    )  # fmt: skip


def outline(one: Sheet, crest: Field, soft: float = 1.2) -> None:
    """Fill everything below ``crest`` (screen rows per column)."""
    one.crest = (crest - one.top).astype(np.float32)
    rows = np.arange(one.height, dtype=np.float32)[:, None] + 0.5
    one.alpha = np.clip((rows - one.crest[None, :]) / soft + 0.5, 0, 1).astype(np.float32)


def light_side(world: World) -> float:
    """Where light comes from, as seen by the land: −1 left … 1 right."""
    if world.light.kind == "none":
        return -0.5
    return float(np.clip((world.light.x - world.width / 2) / (world.width * 0.2), -1, 1))


def rim(one: Sheet, strength: float, width: float = 5.0) -> None:
    """A thin bright edge along the crest, where the sun stands behind it."""
    world = one.world
    if world.light.kind == "none":
        return
    below = (np.arange(one.height, dtype=np.float32)[:, None] + 0.5 - one.crest[None, :]) / (width * world.unit)
    line = np.exp(-np.clip(below, 0, 9)) * (below > -1)
    near = np.exp(-(((one.x() - world.light.x) / (300 * world.unit)) ** 2) * 0.5)
    toward(one.rgb, world.light.tone, (line * near * strength).astype(np.float32))


def mist(one: Sheet, strength: float, rows: float, tone: Colour | None = None) -> None:
    """Fade the lower part of a far layer into haze, so that the next one stands out from it."""
    world = one.world
    below = (np.arange(one.height, dtype=np.float32)[:, None] + 0.5 - one.crest[None, :]) / (rows * world.unit)
    toward(one.rgb, tone or world.palette.haze, (np.clip(below, 0, 1) ** 1.3 * strength).astype(np.float32))


def glow_on_haze(one: Sheet, strength: float) -> None:
    """The haze in front of a layer lights up under the sun."""
    world = one.world
    if world.light.kind == "none":
        return
    far = np.hypot(one.x() - world.light.x, (one.y() - world.light.y) * 1.2) / (330 * world.unit)
    toward(one.rgb, world.light.tone, (np.exp(-(far**2)) * strength).astype(np.float32))


def mountains(world: World, name: str, *, depth: float, base: float, height: float, far: float, snow: float) -> Sheet:
    """Sharp ridges with lit and shaded faces. ``height``: pixels above ``base``; ``snow`` 0 none … 1 down to the foot."""
    rng = world.chance(name)
    one = sheet(world, depth, base - height * 1.25)
    width, unit = one.alpha.shape[1], world.unit
    cell = height * 1.55
    peaks = wandering(rng, width, cell, octaves=7, gain=0.47, ridged=True)
    peaks = (peaks - peaks.min()) / max(1e-3, float(peaks.max() - peaks.min()))
    crest = base - height * (0.12 + 0.88 * peaks**1.15)
    outline(one, crest)
    rows = np.arange(one.height, dtype=np.float32)[:, None]
    below = rows - one.crest[None, :]
    # Facets: the slope of ever smoother ridges, looked up along warped lines that run down from each peak.
    wobble = (cloudy(rng, width, one.height, 46 * unit, octaves=4) - 0.5) * 2
    columns = np.arange(width, dtype=np.float32)[None, :] + wobble * np.clip(below, 0, 130 * unit) * 0.55
    face = np.zeros((one.height, width), dtype=np.float32)
    side = light_side(world)
    lean = 1.0 if side >= 0 else -1.0
    for cells, weight in ((0.030, 0.25), (0.10, 0.40), (0.24, 0.35)):
        smooth = blurred(crest[None, :], max(2.0, cells * height))[0]
        slope = np.gradient(smooth) * lean
        part = np.clip(columns, 0, width - 1).astype(np.int32)
        face += weight * np.tanh(slope[part] * 2.6)
    grain = cloudy(rng, width, one.height, 15 * unit, octaves=3) - 0.5
    face = np.clip(0.5 + 0.62 * face + 0.22 * grain, 0, 1).astype(np.float32)
    rock_lit, rock_dark = lit(GROUND["rock"], world.palette, 0.9), lit(GROUND["rock"], world.palette, 0.0)
    for channel in range(3):
        one.rgb[..., channel] = rock_dark[channel] + (rock_lit[channel] - rock_dark[channel]) * smoothstep(
            0.36, 0.66, face
        )
    if snow > 0:
        crag = cloudy(rng, width, one.height, 44 * unit, octaves=4, stretch=0.55)
        line = (
            base
            - height * (1.02 - 0.95 * snow)
            + (cloudy(rng, width, one.height, 34 * unit, octaves=4, stretch=0.6) - 0.5) * height * 0.75
        )
        cover = smoothstep(-14 * unit, 14 * unit, line - (rows + one.top)) * (
            1 - 0.62 * smoothstep(0.56, 0.80, crag) * (1 - 0.6 * face)
        )
        white, blue = lit(GROUND["snow"], world.palette, 1.0), lit(GROUND["snow"], world.palette, 0.12)
        for channel in range(3):
            tone = blue[channel] + (white[channel] - blue[channel]) * smoothstep(0.38, 0.62, face)
            one.rgb[..., channel] += (tone - one.rgb[..., channel]) * cover
    toward(one.rgb, world.palette.haze, np.full((1, 1), far, dtype=np.float32))
    mist(one, 0.35 + 0.6 * far, 150 + 120 * (1 - far))
    rim(one, 0.35, 3.0)
    glow_on_haze(one, 0.10 + 0.30 * far)
    return one


def hills(
    world: World,
    name: str,
    *,
    depth: float,
    base: float,
    height: float,
    far: float,
    ground: Colour,
    mottled: float = 0.5,
    cell: float = 420.0,
) -> Sheet:
    """Rounded land; ``base`` is the mean crest row."""
    rng = world.chance(name)
    one = sheet(world, depth, base - height * 1.1)
    width, unit = one.alpha.shape[1], world.unit
    roll = wandering(rng, width, cell * unit, octaves=4, gain=0.40)
    rough = wandering(rng, width, 24 * unit, octaves=4, gain=0.6) * 0.012
    crest = base - height * (roll + rough)
    outline(one, crest)
    below = np.arange(one.height, dtype=np.float32)[:, None] - one.crest[None, :]
    slope = np.gradient(blurred(crest[None, :], 8 * unit)[0]) * light_side(world)
    patches = cloudy(rng, width, one.height, 70 * unit, octaves=4, stretch=3.0)
    patches += (cloudy(rng, width, one.height, 9 * unit, octaves=3, stretch=2.2, gain=0.7) - 0.5) * (0.22 + 0.5 * depth)
    light = np.clip(
        0.46 + slope[None, :] * 0.9 + (patches - 0.5) * 1.1 * mottled - 0.24 * smoothstep(0, 300 * unit, below), 0, 1
    )
    bright, dim = (
        lit(ground, world.palette, 1.0),
        mix(lit(ground, world.palette, 0.0), world.palette.deep, 0.30 * (1 - far)),
    )
    if ground == GROUND["snow"]:
        soft = mix(world.palette.sky[1], (0.84, 0.90, 1.0), 0.45 * (1 - world.palette.dark))
        dim, light = mix(lit(ground, world.palette, 0.35), soft, 0.40), np.clip(light + 0.22, 0, 1)
    for channel in range(3):
        one.rgb[..., channel] = dim[channel] + (bright[channel] - dim[channel]) * light
    toward(one.rgb, world.palette.haze, np.full((1, 1), far, dtype=np.float32))
    mist(one, 0.55 * far, 150)
    rim(one, 0.45, 5.0)
    glow_on_haze(one, 0.25 * far)
    return one


def dunes(world: World, name: str, *, depth: float, base: float, height: float, far: float) -> Sheet:
    """One row of dunes: a sharp winding edge parts the lit face from the shaded one; fine ripples near the viewer."""
    rng = world.chance(name)
    one = sheet(world, depth, base - height * 1.25)
    width, unit = one.alpha.shape[1], world.unit
    cell = height * 3.3
    roll = wandering(rng, width, cell, octaves=2, gain=0.28)
    crest = base - height * (0.25 + 0.95 * roll - 0.30 * np.abs(wandering(rng, width, cell * 0.8, octaves=1)))
    crest = blurred(crest[None, :].astype(np.float32), 5 * unit)[0]
    outline(one, crest, 1.4)
    below = np.arange(one.height, dtype=np.float32)[:, None] - one.crest[None, :]
    side = light_side(world)
    lean = 1.0 if side >= 0 else -1.0
    wobble = (cloudy(rng, width, one.height, 170 * unit, octaves=2) - 0.5) * 150 * unit
    columns = (
        np.arange(width, dtype=np.float32)[None, :] - lean * below * 0.85 + wobble * np.clip(below / (90 * unit), 0, 1)
    )
    smooth = blurred(crest[None, :], 16 * unit)[0]
    slope = np.gradient(smooth) * lean
    part = np.clip(columns, 0, width - 1).astype(np.int32)
    face = smoothstep(-0.05, 0.06, slope[part])
    face = 0.5 * face + 0.5 * smoothstep(-0.16, 0.20, slope[part])
    ripple = np.sin(
        (below * (0.42 + 0.1 * (1 - depth)) + wobble * 0.35) / max(0.6, unit * (0.6 + 0.9 * depth))
        + columns * 0.012 / unit
    )
    light = np.clip(0.10 + 0.80 * face + 0.035 * ripple * smoothstep(0, 50 * unit, below) * min(1.0, depth * 2.5), 0, 1)
    bright, dim = lit(GROUND["sand"], world.palette, 1.0), lit(GROUND["sand"], world.palette, 0.05)
    for channel in range(3):
        one.rgb[..., channel] = dim[channel] + (bright[channel] - dim[channel]) * light
    toward(one.rgb, world.palette.haze, np.full((1, 1), far, dtype=np.float32))
    toward(one.rgb, world.palette.deep, (smoothstep(60 * unit, 420 * unit, below) * 0.5 * depth).astype(np.float32))
    mist(one, 0.55 * far + 0.1, 160)
    rim(one, 0.5, 4.0)
    glow_on_haze(one, 0.12 + 0.22 * far)
    return one


def near_tone(world: World, ground: Colour, part: float) -> Colour:
    """A foreground colour: the ground's own, sunk toward the deepest tone of the hour."""
    return mix(lit(ground, world.palette, 0.25), world.palette.deep, part)
