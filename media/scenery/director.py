"""From a reading to a scene: which hour, which place, what stands where, and in which order it is painted."""

from __future__ import annotations

from dataclasses import dataclass

from media.scenery.land import hills, mountains
from media.scenery.palettes import GROUND, PALETTES
from media.scenery.planes import Canvas
from media.scenery.sky import painted_sky
from media.scenery.words import Reading
from media.scenery.world import Light, Painter, World


@dataclass(slots=True)
class Scene:
    """A picture as a pure function of time, and what it shows."""

    world: World
    base: Canvas
    painters: list[Painter]
    drawn: list[str]

    def frame(self, time: float) -> Canvas:
        """The picture at ``time`` seconds; safe to call from several threads at once."""
        canvas = self.base.copy()
        for painter in self.painters:
            painter.draw(canvas, time)
        return canvas


def direct(reading: Reading, text: str, seed: int, size: tuple[int, int], seconds: float) -> Scene:
    """Compose a scene for what was read."""
    palette = PALETTES["sunset"]
    width, height = size
    horizon = int(height * 0.7) & ~1
    unit = min(size) / 720
    world = World(width, height, seconds, seed, text, palette, reading, Light("sun", width * 0.64, horizon * 0.74, palette.light, 44 * unit), horizon)
    base = Canvas.painted(painted_sky(world), world.chance("dither"))
    painters: list[Painter] = [
        mountains(world, "far", depth=0.1, base=horizon + 20 * unit, height=220 * unit, far=0.5, snow=0.4).finished(),
        hills(world, "mid", depth=0.4, base=horizon + 40 * unit, height=50 * unit, far=0.2, ground=GROUND["grass"]).finished(),
        hills(world, "near", depth=0.9, base=height * 0.88, height=50 * unit, far=0.0, ground=GROUND["grass"]).finished(),
    ]
    return Scene(world, base, painters, [match.element for match in reading.matches])
