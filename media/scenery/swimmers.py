"""Sea animals and flying ones: outlines in parts of their own length (nose at the right)."""

from __future__ import annotations

from math import pi, sin

from media.scenery.planes import Colour, colour
from media.scenery.rig import Brush

COATS: dict[str, Colour] = {
    "whale": colour("#40587a"),
    "dolphin": colour("#6a86a0"),
    "fish": colour("#ff9a3c"),
    "shark": colour("#6c7c8c"),
    "turtle": colour("#5c8058"),
    "jellyfish": colour("#d89ae8"),
    "bird": colour("#3a3c48"),
    "owl": colour("#7a6248"),
    "butterfly": colour("#f08a3c"),
}

LENGTHS: dict[str, float] = {
    "whale": 0.56,
    "dolphin": 0.24,
    "fish": 0.13,
    "shark": 0.34,
    "turtle": 0.22,
    "jellyfish": 0.20,
}

BOX = (-0.66, -0.34, 0.62, 0.40)


def swimmer(kind: str, phase: float) -> Brush:
    """One moment of its stroke; the body's middle is the origin."""
    brush = Brush()
    beat = sin(2 * pi * phase)
    if kind == "whale":
        brush.shape(
            (0.50, 0.010),
            (0.46, 0.075),
            (0.34, 0.125),
            (0.16, 0.150),
            (-0.06, 0.125),
            (-0.26, 0.070),
            (-0.42, 0.035 + 0.03 * beat),
            (-0.47, 0.03 + 0.05 * beat),
            (-0.42, -0.010 + 0.03 * beat),
            (-0.24, -0.045),
            (-0.04, -0.105),
            (0.16, -0.140),
            (0.34, -0.115),
            (0.45, -0.060),
        )
        tail = 0.03 + 0.05 * beat
        brush.shape(
            (-0.43, tail),
            (-0.52, tail + 0.075 + 0.04 * beat),
            (-0.60, tail + 0.100 + 0.05 * beat),
            (-0.545, tail + 0.015),
            (-0.60, tail - 0.050),
            (-0.50, tail - 0.040),
        )
        brush.limb((0.20, -0.10, 0.040), (0.10, -0.20 + 0.02 * beat, 0.036), (0.00, -0.28 + 0.03 * beat, 0.010))
        brush.limb((-0.16, 0.085, 0.022), (-0.21, 0.125, 0.012), (-0.235, 0.125, 0.004))
    elif kind == "dolphin":
        bend = 0.04 * beat
        brush.limb(
            (0.38, 0.00, 0.014),
            (0.30, 0.012, 0.040),
            (0.16, 0.05, 0.096),
            (-0.05, 0.05, 0.092),
            (-0.26, 0.0 + bend, 0.045),
            (-0.40, -0.045 + bend * 2, 0.016),
        )
        brush.shape(
            (-0.38, -0.04 + bend * 2),
            (-0.48, 0.02 + bend * 3),
            (-0.53, 0.03 + bend * 3),
            (-0.48, -0.05 + bend * 2),
            (-0.52, -0.13 + bend * 3),
            (-0.44, -0.10 + bend * 2),
        )
        brush.shape((0.02, 0.12), (-0.08, 0.24), (-0.13, 0.25), (-0.10, 0.12))
        brush.limb((0.14, -0.02, 0.03), (0.05, -0.13, 0.022), (0.0, -0.17, 0.006))
    elif kind == "shark":
        bend = 0.035 * beat
        brush.limb(
            (0.48, 0.00, 0.012),
            (0.36, 0.02, 0.055),
            (0.14, 0.03, 0.098),
            (-0.12, 0.02, 0.070),
            (-0.34, 0.0 + bend, 0.026),
            (-0.43, 0.01 + bend, 0.016),
        )
        brush.corner((-0.40, 0.0 + bend), (-0.56, 0.20 + bend), (-0.50, 0.01 + bend), (-0.55, -0.12 + bend))
        brush.corner((0.12, 0.11), (-0.02, 0.28), (-0.08, 0.09))
        brush.corner((0.16, -0.03), (-0.04, -0.22), (0.02, -0.04))
    elif kind == "turtle":
        brush.shape((0.20, 0.0), (0.12, 0.11), (-0.08, 0.15), (-0.26, 0.04), (-0.22, -0.06), (0.06, -0.07))
        brush.limb((0.22, 0.01, 0.05), (0.33, 0.03, 0.058), (0.37, 0.025, 0.05))
        brush.limb(
            (0.12, -0.03, 0.05), (0.08 - 0.04 * beat, -0.16 - 0.07 * beat, 0.045), (-0.06, -0.25 - 0.10 * beat, 0.012)
        )
        brush.limb((-0.20, -0.02, 0.04), (-0.31, -0.07 - 0.03 * beat, 0.032), (-0.37, -0.10 - 0.03 * beat, 0.010))
    elif kind == "jellyfish":
        squeeze = 0.03 * beat
        brush.shape(
            (0.0, 0.33 + squeeze),
            (0.17 - squeeze, 0.25),
            (0.24 - squeeze, 0.10),
            (0.12, 0.05),
            (0.0, 0.08),
            (-0.12, 0.05),
            (-0.24 + squeeze, 0.10),
            (-0.17 + squeeze, 0.25),
        )
        for index in range(6):
            x = -0.17 + index * 0.068
            wave = 0.035 * sin(2 * pi * phase + index * 1.3)
            brush.line(
                (x, 0.08, 0.011), (x + wave, -0.06, 0.009), (x - wave, -0.18, 0.008), (x + wave * 1.4, -0.31, 0.003)
            )
    else:
        bend = 0.05 * beat
        brush.shape(
            (0.40, 0.0),
            (0.22, 0.15),
            (-0.04, 0.17),
            (-0.28, 0.04 + bend),
            (-0.28, -0.03 + bend),
            (-0.04, -0.15),
            (0.22, -0.13),
        )
        brush.shape(
            (-0.25, 0.0 + bend),
            (-0.46, 0.19 + bend * 2),
            (-0.52, 0.17 + bend * 2),
            (-0.42, 0.0 + bend * 2),
            (-0.52, -0.16 + bend * 2),
            (-0.45, -0.17 + bend * 2),
        )
        brush.shape((0.16, 0.13), (0.02, 0.27), (-0.14, 0.24), (-0.10, 0.10))
        brush.lights.append((0.27, 0.035, 0.028, (0.98, 0.98, 0.95)))
        brush.lights.append((0.275, 0.035, 0.014, (0.03, 0.03, 0.05)))
    return brush


BIRD_BOX = (-0.62, -0.50, 0.62, 0.56)


def bird(phase: float) -> Brush:
    """A gliding and beating bird, wing tip to wing tip about 1."""
    brush = Brush()
    beat = sin(2 * pi * phase)
    late = sin(2 * pi * phase - 0.9)
    brush.limb(
        (0.11, 0.005, 0.010), (0.07, 0.012, 0.028), (-0.02, 0.0, 0.034), (-0.13, -0.015, 0.014), (-0.17, -0.02, 0.020)
    )
    for side in (-1.0, 1.0):
        lean = 0.05 if side > 0 else -0.03
        mid = (side * 0.21 + lean, 0.07 + 0.16 * beat)
        tip = (side * 0.46 + lean * 0.4 - 0.04, 0.02 + 0.34 * late)
        brush.limb(
            (0.02, 0.01, 0.026),
            (mid[0], mid[1], 0.026),
            ((mid[0] + tip[0]) / 2, (mid[1] + tip[1]) / 2 + 0.03, 0.020),
            (tip[0], tip[1], 0.003),
        )
    return brush


def owl(phase: float) -> Brush:
    """Sitting, looking at us; the ground is its perch."""
    brush = Brush()
    sway = 0.02 * sin(2 * pi * phase)
    brush.limb((0.0, 0.24, 0.20), (0.0, 0.46, 0.24), (0.0, 0.62, 0.20))
    brush.limb((sway, 0.78, 0.21), (sway, 0.80, 0.21))
    for side in (-1.0, 1.0):
        brush.corner((sway + side * 0.06, 0.93), (sway + side * 0.20, 1.10), (sway + side * 0.20, 0.86))
        brush.limb((side * 0.17, 0.58, 0.10), (side * 0.21, 0.34, 0.085), (side * 0.12, 0.06, 0.03))
        brush.line((side * 0.07, 0.08, 0.026), (side * 0.08, 0.0, 0.030))
        brush.lights.append((sway + side * 0.085, 0.80, 0.062, (1.0, 0.80, 0.30)))
        brush.lights.append((sway + side * 0.085, 0.80, 0.030, (0.03, 0.02, 0.02)))
    brush.limb((0.0, 0.12, 0.09), (0.0, -0.14, 0.05))
    return brush


OWL_BOX = (-0.40, -0.24, 0.40, 1.16)


def butterfly(phase: float) -> Brush:
    """Seen a little from above; wings fold and open."""
    brush = Brush()
    wide = 0.25 + 0.75 * abs(sin(pi * phase))
    for side in (-1.0, 1.0):
        brush.shape(
            (0.0, 0.05),
            (side * 0.16 * wide, 0.30),
            (side * 0.36 * wide, 0.34),
            (side * 0.36 * wide, 0.12),
            (side * 0.12 * wide, 0.0),
        )
        brush.shape((0.0, 0.0), (side * 0.24 * wide, -0.02), (side * 0.27 * wide, -0.18), (side * 0.12 * wide, -0.24))
    brush.limb((0.0, 0.16, 0.020), (0.0, -0.16, 0.014))
    return brush
