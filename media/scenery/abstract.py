"""What a prompt means when it names nothing that can be drawn: flowing ribbons of light in colours of its own."""

from __future__ import annotations

import numpy as np
from PIL import Image

from media.scenery.noise import Field, blurred, cloudy, generator, smoothstep, wandering
from media.scenery.palettes import TINTS
from media.scenery.planes import Canvas, Colour, codes, colour, image_of, mix
from media.scenery.sky import toward
from media.scenery.weather import Floating
from media.scenery.world import Painter, World, grid

_MOODS: tuple[tuple[str, ...], ...] = (
    ("#070a1e", "#2a1458", "#ff7a5c", "#ffc46a", "#c04ad8"),
    ("#041420", "#0a3a4c", "#3ce0c0", "#8af0ff", "#3a78f0"),
    ("#12061c", "#4a1248", "#ff5c9a", "#ffb0c8", "#8a5cff"),
    ("#0a0a18", "#1c2a5c", "#5c9aff", "#b8d8ff", "#ff8ac0"),
    ("#100a08", "#4a2412", "#ffa03c", "#ffe0a0", "#e8503c"),
    ("#06120e", "#0e4034", "#6af08a", "#e0ffa0", "#28b8b0"),
)


def mood_of(world: World) -> tuple[Colour, ...]:
    """Background dark and light, three ribbon colours: from colour words, else from the prompt's hash and the seed."""
    rng = generator(world.text.casefold().strip(), "mood of", world.seed % 1024)
    chosen = tuple(colour(one) for one in _MOODS[int(rng.integers(0, len(_MOODS)))])
    named = [TINTS[match.element] for match in world.reading.matches if match.element in TINTS]
    if not named:
        return chosen
    first = named[0]
    second = named[1] if len(named) > 1 else mix(first, (1.0, 0.95, 0.85), 0.5)
    third = named[2] if len(named) > 2 else mix(first, (0.35, 0.2, 0.7), 0.45)
    deep = (first[0] * 0.06 + 0.015, first[1] * 0.06 + 0.015, first[2] * 0.06 + 0.03)
    return deep, mix(deep, first, 0.28), first, second, third


class Silk:
    """One ribbon: two edges that wander and cross, filled with fine threads of light. Half size."""

    def __init__(
        self, world: World, name: str, tone: Colour, *, row: float, swing: float, wide: float, strength: float
    ) -> None:
        rng = world.chance(name)
        self.world = world
        self.columns, self.rows = world.width // 2, world.height // 2
        self.codes = codes(tone)
        unit = world.unit / 2
        x = np.arange(self.columns, dtype=np.float32) / self.columns
        self.x = x
        self.row, self.swing, self.wide = row * self.rows, swing * self.rows, wide * self.rows
        self.waves = [
            (
                float(rng.uniform(2.2, 5.6)),
                float(rng.uniform(0.18, 0.42)) * float(rng.choice((-1, 1))),
                float(rng.random() * 6.28),
                float(weight),
            )
            for weight in (0.6, 0.34, 0.16)
        ]
        self.folds = [
            (
                float(rng.uniform(2.0, 5.0)),
                float(rng.uniform(0.14, 0.36)) * float(rng.choice((-1, 1))),
                float(rng.random() * 6.28),
            )
            for _ in range(2)
        ]
        size = 2048
        place = np.linspace(-1, 1, size, dtype=np.float32)
        threads = np.zeros(size, dtype=np.float32)
        for _ in range(11):
            centre, thin = rng.uniform(-0.92, 0.92), rng.uniform(0.022, 0.075)
            threads += float(rng.uniform(0.25, 1.0)) * np.exp(-(((place - centre) / thin) ** 2))
        veil = 0.34 * (1 - place**2) + 0.30 * (wandering(rng, size, 210, octaves=4) * 0.5 + 0.5) * (1 - place**4)
        edge = 0.95 * np.exp(-(((place - 0.93) / 0.045) ** 2)) + 0.55 * np.exp(-(((place + 0.94) / 0.035) ** 2))
        fine = np.clip((threads * 0.42 + veil + edge) * (1 - smoothstep(0.965, 1.0, np.abs(place))), 0, 1.2).astype(
            np.float32
        )
        # Softer copies for where the ribbon is narrow, so that threads never break into dots.
        soft = [
            fine,
            *(
                blurred(fine[None, :], radius)[0] * (1 - smoothstep(0.9, 1.0, np.abs(place)))
                for radius in (14, 40, 110)
            ),
        ]
        self.profile = np.concatenate([np.concatenate([one, [0.0]]) for one in soft]).astype(np.float32)
        self.size = size
        self.fade = (smoothstep(-0.10, 0.18, x) * (1 - smoothstep(0.84, 1.12, x)) * 0.5 + 0.5).astype(np.float32)
        self.strength = strength
        self.y = np.arange(self.rows, dtype=np.float32)[:, None]
        self.thin = 13.0 * unit

    def mask(self, time: float) -> tuple[Field, int]:
        """Strength 0..255 at half size, and its first row."""
        middle: Field = np.full(self.columns, self.row, dtype=np.float32)
        for count, rate, phase, weight in self.waves:
            middle += weight * self.swing * np.sin(self.x * count + time * rate + phase)
        twist = (
            np.sin(self.x * self.folds[0][0] + time * self.folds[0][1] + self.folds[0][2]) * 0.62
            + np.sin(self.x * self.folds[1][0] * 1.7 - time * self.folds[1][1] + self.folds[1][2]) * 0.38
        )
        half = self.wide * twist
        thick = np.sign(half) * np.maximum(np.abs(half), self.thin)
        texels = self.size / (2 * np.abs(thick))
        level = (texels > 5).astype(np.int32) + (texels > 14) + (texels > 36)
        reach = np.abs(thick)
        top = max(0, int((middle - reach).min()) & ~1)
        bottom = min(self.rows, (int((middle + reach).max()) + 3) & ~1)
        if bottom - top < 2:
            top, bottom = 0, 2
        place = (self.y[top:bottom] - middle[None, :]) * (1 / thick)[None, :]
        index = (
            np.where(np.abs(place) < 1, (place + 1) * (0.5 * (self.size - 1)), self.size).astype(np.int32)
            + (level * (self.size + 1))[None, :]
        )
        bright = (
            self.strength
            * self.fade
            * np.minimum(1.0, 0.55 + 0.5 * self.wide / (np.abs(half) + 0.25 * self.wide))
            * 255
        )
        return np.minimum(np.take(self.profile, index) * bright[None, :].astype(np.float32), 238), top

    def draw(self, canvas: Canvas, time: float) -> None:
        """Flow."""
        mask, top = self.mask(time)
        half = image_of(mask)
        canvas.tint(
            self.codes, half.resize((self.columns * 2, half.height * 2), Image.Resampling.BILINEAR), 0, top * 2, half
        )


class Breathing:
    """A wide glow that wanders behind everything."""

    def __init__(self, world: World, tone: Colour, index: int, strength: float) -> None:
        size = (world.width // 8, world.height // 8)
        self.full = (world.width, world.height)
        self.codes = codes(tone)
        x, y = grid(*size)
        self.x, self.y = x / size[0] - 0.5, (y / size[1] - 0.5) * size[1] / size[0]
        self.index, self.strength = index, strength

    def draw(self, canvas: Canvas, time: float) -> None:
        """Wander."""
        cx, cy = 0.34 * np.sin(time * 0.22 + self.index * 2.1), 0.20 * np.cos(time * 0.19 + self.index * 1.7)
        far = ((self.x - cx) ** 2 + (self.y - cy) ** 2) / 0.075
        half = image_of((np.exp(-far) * 255 * self.strength).astype(np.float32))
        full = half.resize(self.full, Image.Resampling.BILINEAR)
        canvas.tint(self.codes, full, 0, 0, full.reduce(2))


def abstract_scene(world: World) -> tuple[Canvas, list[Painter]]:
    """Background and painters."""
    tones = mood_of(world)
    x, y = grid(world.width, world.height)
    rng = world.chance("ground")
    rgb = np.empty((world.height, world.width, 3), dtype=np.float32)
    rgb[:] = tones[0]
    cloud = cloudy(rng, world.width, world.height, 330 * world.unit, octaves=4)
    sweep = np.clip(1.15 - np.hypot((x / world.width - 0.5) * 1.2, y / world.height - 0.52) * 1.9, 0, 1)
    toward(rgb, tones[1], (sweep * (0.55 + 0.55 * cloud)).astype(np.float32))
    toward(rgb, tones[4], (smoothstep(0.5, 0.85, cloud) * sweep * 0.16).astype(np.float32))
    base = Canvas.painted(rgb, rng)
    tall = world.width < world.height
    swing = 0.10 if tall else 0.17
    painters: list[Painter] = [
        Breathing(world, tones[2], 0, 0.30),
        Silk(world, "ribbon back", tones[4], row=0.38, swing=swing, wide=0.26, strength=0.50),
        Silk(world, "ribbon middle", tones[2], row=0.50, swing=swing * 1.1, wide=0.22, strength=0.72),
        Silk(world, "ribbon front", tones[3], row=0.57, swing=swing * 0.9, wide=0.14, strength=0.80),
        Floating(
            world,
            "motes",
            count=70,
            tone=mix(tones[3], (1.0, 1.0, 1.0), 0.45),
            sizes=(1.6, 5.5),
            strength=0.85,
            rise=10,
            blink=0.5,
            power=2.4,
        ),
        Floating(world, "bokeh", count=12, tone=tones[2], sizes=(26, 62), strength=0.16, rise=6, blink=0.2, power=0.55),
    ]
    return base, painters
