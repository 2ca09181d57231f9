"""Sudden light in the sky: lightning and fireworks."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from media.scenery.noise import blurred, cloudy, resized, smoothstep
from media.scenery.planes import Canvas, Colour, Glow, codes, image_of, mix
from media.scenery.world import World


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
