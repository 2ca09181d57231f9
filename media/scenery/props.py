"""Things that people made: boats, houses, towers, balloons, trains, cars. One outline each, in parts of their own height."""

from __future__ import annotations

from math import cos, pi, sin

from media.scenery.planes import Colour, colour
from media.scenery.rig import Brush

Lamp = tuple[float, float, float, Colour]
_WARM: Colour = (1.0, 0.84, 0.50)


def sailboat() -> tuple[Brush, Brush]:
    """Hull and sails apart: they have different colours. The water line is y = 0."""
    hull, sails = Brush(), Brush()
    hull.corner((-0.30, 0.075), (0.36, 0.095), (0.30, 0.03), (0.24, -0.03), (-0.22, -0.03), (-0.27, 0.02))
    hull.corner((-0.10, 0.08), (-0.08, 0.125), (0.06, 0.125), (0.08, 0.085))
    hull.line((0.02, 0.08, 0.009), (0.02, 0.98, 0.005))
    hull.line((0.02, 0.16, 0.007), (-0.27, 0.15, 0.006))
    sails.crisp.append(
        [(x, y) for x, y in _curve((0.005, 0.94), (-0.12, 0.55), (-0.27, 0.17))] + [(-0.13, 0.165), (0.005, 0.175)]
    )
    sails.crisp.append(
        [(0.035, 0.88)]
        + [(x, y) for x, y in _curve((0.035, 0.88), (0.17, 0.50), (0.34, 0.12))]
        + [(0.18, 0.165), (0.045, 0.19)]
    )
    return hull, sails


def tall_ship() -> tuple[Brush, Brush]:
    """A three-master with square sails."""
    hull, sails = Brush(), Brush()
    hull.corner(
        (-0.50, 0.17),
        (-0.36, 0.12),
        (0.30, 0.11),
        (0.48, 0.17),
        (0.40, 0.02),
        (0.34, -0.03),
        (-0.38, -0.03),
        (-0.45, 0.05),
    )
    hull.line((0.42, 0.14, 0.010), (0.66, 0.25, 0.005))
    for x, tall in ((-0.27, 0.80), (0.0, 0.97), (0.25, 0.84)):
        hull.line((x, 0.10, 0.011), (x, tall, 0.005))
        for low, high, wide in ((0.20, 0.43, 0.130), (0.45, 0.62, 0.105), (0.64, 0.78, 0.075)):
            y0, y1 = low * tall + 0.02, high * tall + 0.02
            sails.crisp.append(
                [
                    *_curve((x - wide, y0), (x - wide * 0.55, (y0 + y1) / 2), (x - wide * 0.8, y1)),
                    *_curve((x + wide * 0.8, y1), (x + wide * 1.45, (y0 + y1) / 2), (x + wide, y0)),
                ]
            )
    sails.crisp.append([(0.30, 0.72), (0.62, 0.25), (0.36, 0.22)])
    return hull, sails


def _curve(
    first: tuple[float, float], middle: tuple[float, float], last: tuple[float, float], steps: int = 14
) -> list[tuple[float, float]]:
    return [
        (
            (1 - t) ** 2 * first[0] + 2 * t * (1 - t) * middle[0] + t * t * last[0],
            (1 - t) ** 2 * first[1] + 2 * t * (1 - t) * middle[1] + t * t * last[1],
        )
        for t in (index / steps for index in range(steps + 1))
    ]  # fmt: skip


def lighthouse() -> tuple[Brush, Brush]:
    """The tower, and its bands apart. The lamp is at (0, 0.905)."""
    tower, bands = Brush(), Brush()
    tower.corner((-0.105, 0.0), (0.105, 0.0), (0.066, 0.80), (-0.066, 0.80))
    tower.corner((-0.10, 0.80), (0.10, 0.80), (0.10, 0.826), (-0.10, 0.826))
    tower.corner((-0.052, 0.826), (0.052, 0.826), (0.052, 0.945), (-0.052, 0.945))
    tower.corner((-0.066, 0.945), (0.066, 0.945), (0.030, 0.985), (0.0, 1.01), (-0.030, 0.985))
    tower.line((0.0, 1.0, 0.006), (0.0, 1.06, 0.004))
    for x in (-0.098, -0.05, 0.0, 0.05, 0.098):
        tower.line((x, 0.826, 0.004), (x, 0.862, 0.004))
    tower.line((-0.098, 0.864, 0.004), (0.098, 0.864, 0.004))
    tower.corner((0.10, 0.0), (0.30, 0.0), (0.30, 0.13), (0.10, 0.13))
    tower.corner((0.08, 0.13), (0.32, 0.13), (0.20, 0.205))
    tower.lights.append((0.0, 0.887, 0.046, (1.0, 0.93, 0.70)))
    tower.lights.append((0.0, 0.46, 0.015, _WARM))
    tower.lights.append((0.20, 0.06, 0.022, _WARM))
    for index in range(0, 5, 2):
        low, high = index * 0.16, index * 0.16 + 0.16
        wide_low, wide_high = 0.105 - 0.039 * low / 0.8, 0.105 - 0.039 * high / 0.8
        bands.corner((-wide_low, low), (wide_low, low), (wide_high, high), (-wide_high, high))
    return tower, bands


def balloon() -> tuple[Brush, Brush]:
    """Envelope with basket, and its stripes apart."""
    body, stripes = Brush(), Brush()
    outline = [
        (0.36 * sin(pi * t) * (1.0 if t < 0.5 else 0.86 + 0.14 * sin(pi * t)), 0.62 + 0.38 * cos(pi * t))
        for t in (i / 24 for i in range(25))
    ]
    body.corner(*outline, *[(-x, y) for x, y in reversed(outline)])
    body.corner((-0.09, 0.30), (0.09, 0.30), (0.05, 0.19), (-0.05, 0.19))
    body.line((-0.06, 0.21, 0.004), (-0.045, 0.10, 0.004))
    body.line((0.06, 0.21, 0.004), (0.045, 0.10, 0.004))
    body.corner((-0.052, 0.105), (0.052, 0.105), (0.044, 0.02), (-0.044, 0.02))
    for low, high in ((-0.78, -0.42), (-0.14, 0.14), (0.42, 0.78)):
        stripes.crisp.append([(x * low, y) for x, y in outline] + [(x * high, y) for x, y in reversed(outline)])
    body.lights.append((0.0, 0.165, 0.022, (1.0, 0.75, 0.35)))
    return body, stripes


def house() -> Brush:
    """A cabin with a chimney and lit windows."""
    brush = Brush()
    brush.corner((-0.55, 0.0), (0.55, 0.0), (0.55, 0.46), (-0.55, 0.46))
    brush.corner((-0.68, 0.42), (0.68, 0.42), (0.40, 0.95), (-0.40, 0.95))
    brush.corner((0.20, 0.80), (0.34, 0.80), (0.34, 1.14), (0.20, 1.14))
    for x in (-0.34, 0.30):
        for dx in (-0.045, 0.045):
            for dy in (0.0, 0.09):
                brush.lights.append((x + dx, 0.20 + dy, 0.046, _WARM))
    brush.lights.append((0.0, 0.10, 0.055, (1.0, 0.70, 0.36)))
    return brush


def castle() -> Brush:
    """Towers with pointed roofs and battlements."""
    brush = Brush()
    brush.corner((-0.62, 0.0), (0.62, 0.0), (0.62, 0.34), (-0.62, 0.34))
    for index in range(13):
        x = -0.62 + index * 0.10
        brush.corner((x, 0.33), (x + 0.055, 0.33), (x + 0.055, 0.38), (x, 0.38))
    for x, wide, tall in (
        (-0.52, 0.095, 0.52),
        (-0.22, 0.085, 0.66),
        (0.05, 0.115, 0.80),
        (0.34, 0.075, 0.58),
        (0.56, 0.090, 0.50),
    ):
        brush.corner((x - wide, 0.0), (x + wide, 0.0), (x + wide, tall), (x - wide, tall))
        brush.corner((x - wide * 1.25, tall), (x + wide * 1.25, tall), (x, tall + wide * 2.5))
        brush.line((x, tall + wide * 2.4, 0.004), (x, tall + wide * 3.1, 0.004))
        brush.lights.append((x, tall - 0.10, 0.017, _WARM))
        brush.lights.append((x, tall - 0.22, 0.014, _WARM))
    for x in (-0.36, -0.08, 0.20, 0.46):
        brush.lights.append((x, 0.20, 0.015, _WARM))
    return brush


def rocket() -> Brush:
    """Standing on its fins, or flying."""
    brush = Brush()
    brush.shape(
        (0.0, 1.0),
        (0.10, 0.82),
        (0.135, 0.55),
        (0.115, 0.20),
        (0.0, 0.15),
        (-0.115, 0.20),
        (-0.135, 0.55),
        (-0.10, 0.82),
    )
    for side in (-1.0, 1.0):
        brush.corner((side * 0.10, 0.40), (side * 0.27, 0.18), (side * 0.27, 0.02), (side * 0.10, 0.18))
    brush.corner((-0.07, 0.18), (0.07, 0.18), (0.09, 0.09), (-0.09, 0.09))
    brush.lights.append((0.0, 0.66, 0.052, (0.55, 0.90, 1.0)))
    return brush


def saucer() -> Brush:
    """A flying saucer with lights around its edge."""
    brush = Brush()
    brush.shape(
        (0.50, 0.0), (0.30, 0.09), (0.0, 0.12), (-0.30, 0.09), (-0.50, 0.0), (-0.30, -0.07), (0.0, -0.10), (0.30, -0.07)
    )
    brush.shape((0.20, 0.08), (0.15, 0.20), (0.0, 0.25), (-0.15, 0.20), (-0.20, 0.08))
    for index in range(7):
        brush.lights.append((-0.36 + index * 0.12, -0.02 - 0.02 * sin(pi * index / 6), 0.020, (0.7, 1.0, 0.85)))
    return brush


TRAIN_CARS = 5


def train() -> Brush:
    """A locomotive and carriages with lit windows; the rail is y = 0, the nose at x = 0, one height is one unit."""
    brush = Brush()
    brush.corner((0.0, 0.12), (0.02, 0.42), (-0.25, 0.72), (-0.62, 0.92), (-2.6, 0.92), (-2.6, 0.12))
    brush.lights.append((-0.10, 0.34, 0.07, (1.0, 0.95, 0.80)))
    for x in (-0.55,):
        brush.lights.append((x, 0.66, 0.12, (0.75, 0.92, 1.0)))
    for car in range(TRAIN_CARS):
        right = -2.68 - car * 2.95
        brush.corner((right, 0.12), (right, 0.92), (right - 2.87, 0.92), (right - 2.87, 0.12))
    x = -1.1
    while x > -2.68 - TRAIN_CARS * 2.95 + 0.4:
        if abs((x + 2.64) % 2.95) > 0.32:
            for dx in (-0.09, 0.0, 0.09):
                brush.lights.append((x + dx, 0.60, 0.105, _WARM))
        x -= 0.46
    wheel = -0.5
    while wheel > -2.6 - TRAIN_CARS * 2.95:
        brush.line((wheel, 0.09, 0.085), (wheel - 0.001, 0.09, 0.085))
        wheel -= 0.62
    return brush


def car() -> Brush:
    """Seen from the side, driving right; the road is y = 0."""
    brush = Brush()
    brush.shape(
        (1.02, 0.22),
        (1.06, 0.38),
        (0.92, 0.50),
        (0.52, 0.58),
        (0.22, 0.88),
        (-0.42, 0.90),
        (-0.78, 0.60),
        (-1.02, 0.54),
        (-1.06, 0.26),
        (-0.9, 0.16),
        (0.9, 0.15),
    )
    for x in (-0.62, 0.62):
        brush.line((x, 0.17, 0.17), (x + 0.001, 0.17, 0.17))
    for x in (-0.30, -0.18, 0.02, 0.13):
        brush.lights.append((x, 0.71, 0.085, (0.80, 0.86, 0.95)))
    brush.lights.append((1.0, 0.40, 0.06, (1.0, 0.96, 0.82)))
    brush.lights.append((-1.02, 0.42, 0.05, (1.0, 0.20, 0.14)))
    return brush


def boulder(number: int) -> Brush:
    """A stone, a little different for every number."""
    brush = Brush()
    tall = 0.92 - 0.08 * (number % 3)
    brush.shape(
        (-0.78, -0.08),
        (-0.70, 0.36),
        (-0.38, 0.70 + 0.06 * number),
        (0.02, tall),
        (0.40, 0.74 - 0.05 * number),
        (0.72, 0.34),
        (0.80, -0.08),
    )
    return brush


def cactus() -> Brush:
    """A saguaro with two arms."""
    brush = Brush()
    brush.limb((0.0, -0.05, 0.075), (0.0, 0.5, 0.082), (0.0, 0.94, 0.066))
    brush.limb((0.0, 0.36, 0.050), (0.20, 0.38, 0.056), (0.24, 0.52, 0.054), (0.24, 0.74, 0.048))
    brush.limb((0.0, 0.50, 0.048), (-0.18, 0.52, 0.052), (-0.215, 0.64, 0.050), (-0.215, 0.80, 0.044))
    return brush


def paper_lantern() -> Brush:
    """A sky lantern; it shines by itself."""
    brush = Brush()
    brush.corner((-0.26, 0.0), (0.26, 0.0), (0.36, 0.62), (0.28, 0.86), (0.0, 0.96), (-0.28, 0.86), (-0.36, 0.62))
    return brush


PROP_COATS: dict[str, Colour] = {
    "hull": colour("#6a3a2c"),
    "sail": colour("#f6ead8"),
    "tower": colour("#f0ece4"),
    "band": colour("#c83c34"),
    "house": colour("#6a4a38"),
    "castle": colour("#7c7686"),
    "rocket": colour("#e0e4ea"),
    "ufo": colour("#8a98a4"),
    "train": colour("#4a5a78"),
    "car": colour("#b03a34"),
    "cactus": colour("#4c7a4c"),
    "rock": colour("#5c5660"),
}
