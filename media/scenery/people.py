"""People, robots and astronauts as silhouettes. Heights in parts of the figure: 1.0 is the top of the head."""

from __future__ import annotations

from math import cos, pi, sin

from media.scenery.planes import Colour, colour
from media.scenery.rig import Brush

COATS: dict[str, Colour] = {
    "person": colour("#4a4658"),
    "man": colour("#3c4254"),
    "woman": colour("#8a3c4c"),
    "child": colour("#b0623c"),
    "couple": colour("#5a4050"),
    "dancer": colour("#b86a84"),
    "robot": colour("#8a98a8"),
    "astronaut": colour("#d8dce6"),
}

HEIGHTS: dict[str, float] = {
    "person": 0.235, "man": 0.245, "woman": 0.235, "child": 0.165, "couple": 0.235, "dancer": 0.250, "robot": 0.260, "astronaut": 0.265,
}  # fmt: skip
"""In parts of 720."""

BOX = (-0.62, -0.05, 0.62, 1.16)


def person(kind: str, phase: float, gait: str) -> Brush:
    """One pose of a person; ``gait``: ``stand``, ``walk``, ``run`` or ``dance``. Faces right where it shows."""
    brush = Brush()
    if kind == "dancer" or gait == "dance":
        _dancing(brush, phase, skirt=kind in ("dancer", "woman"), bulk=1.35 if kind in ("robot", "astronaut") else 1.0)
        if kind == "robot":
            brush.lights.append((0.03, 0.93, 0.014, (0.4, 0.95, 1.0)))
    elif kind == "robot":
        _robot(brush, phase, gait)
    elif kind == "astronaut":
        _astronaut(brush, phase, gait)
    elif kind == "couple":
        _standing(brush, phase, -0.105, 1.0, "man")
        _standing(brush, phase + 0.3, 0.105, 0.93, "woman")
        brush.limb((-0.04, 0.66, 0.028), (0.0, 0.50, 0.024), (0.05, 0.60, 0.024))
    elif gait in ("walk", "run"):
        _striding(brush, phase, kind, gait)
    else:
        _standing(brush, phase, 0.0, 1.0, kind)
    return brush


def _standing(brush: Brush, phase: float, x: float, tall: float, kind: str) -> None:
    """Seen from behind, looking into the picture; hair and coat move in the wind."""
    sway = 0.010 * sin(2 * pi * phase)
    child = kind == "child"
    head = 0.082 if child else 0.064
    shoulder = 0.080 if child else 0.098 if kind != "woman" else 0.080
    top = 1.0 * tall - head
    hip = 0.50 * tall

    def knot(dx: float, y: float, r: float) -> tuple[float, float, float]:
        return x + dx + sway * y, y, r

    brush.limb(knot(0, top, head * 0.92), knot(0, top + head * 0.1, head * 0.95))
    brush.limb(knot(0, top - head, 0.030), knot(0, top - head * 1.7, 0.034))
    neck = top - head * 1.75
    brush.limb(knot(-shoulder, neck - 0.035, 0.036), knot(0, neck - 0.008, 0.040), knot(shoulder, neck - 0.035, 0.036))
    if kind == "woman":
        brush.limb(knot(0, neck - 0.05, 0.074), knot(0, 0.60 * tall, 0.052))
        flow = 0.03 * sin(2 * pi * phase + 1)
        brush.shape(
            (x - 0.052, 0.62 * tall), (x + 0.052, 0.62 * tall), (x + 0.115, 0.40), (x + 0.165 + flow, 0.17), (x + 0.06 + flow, 0.13),
            (x - 0.08 + flow * 0.6, 0.14), (x - 0.125, 0.17), (x - 0.10, 0.40),
        )  # fmt: skip
        brush.limb(
            knot(0.0, top + 0.03, head),
            knot(0.035, top - 0.06, 0.055),
            knot(0.075 + flow, neck - 0.07, 0.036),
            knot(0.11 + flow * 1.6, neck - 0.15, 0.008),
        )
    elif kind in ("person", "man"):
        flow = 0.018 * sin(2 * pi * phase + 1)
        brush.limb(knot(-0.01, neck - 0.06, 0.090), knot(0, 0.62 * tall, 0.080), knot(0, 0.52 * tall, 0.083))
        low = 0.32 if kind == "person" else 0.42
        brush.shape(
            (x - 0.088, 0.66 * tall),
            (x + 0.088, 0.66 * tall),
            (x + 0.112, 0.46),
            (x + 0.125 + flow, low),
            (x + 0.02 + flow, low + 0.015),
            (x - 0.105 + flow, low),
            (x - 0.102, 0.46),
        )
    else:
        brush.limb(knot(0, neck - 0.05, 0.082), knot(0, 0.56 * tall, 0.074), knot(0, 0.47, 0.078))
        if child:
            brush.limb(knot(-0.03, top + 0.05, 0.05), knot(0.05, top + 0.035, 0.05))
    for side in (-1.0, 1.0):
        foot = side * (0.058 if kind != "woman" else 0.036)
        leg = 0.044 if not child else 0.048
        brush.limb(
            (x + side * 0.044 + sway * hip, hip, leg * 1.15),
            (x + side * 0.050, 0.27, leg * 0.86),
            (x + foot, 0.05, leg * 0.66),
            (x + foot + side * 0.014, 0.020, 0.034),
        )
        brush.limb(
            knot(side * shoulder * 1.05, neck - 0.05, 0.036),
            knot(side * (shoulder + 0.028), 0.62 * tall, 0.030),
            knot(side * (shoulder + 0.018), 0.47 * tall, 0.026),
        )


def _limb(
    brush: Brush, x: float, y: float, first: float, second: float, length: float, wide: float, thin: float
) -> tuple[float, float]:
    """Two segments with angles from straight down (radians, forward positive); returns the end."""
    kx, ky = x + sin(first) * length, y - cos(first) * length
    ex, ey = kx + sin(second) * length, ky - cos(second) * length
    brush.limb((x, y, wide), ((x + kx) / 2, (y + ky) / 2, (wide + thin) * 0.52), (kx, ky, (wide + thin) * 0.48))
    brush.limb((kx, ky, (wide + thin) * 0.48), (ex, ey, thin))
    return ex, ey


def _striding(brush: Brush, phase: float, kind: str, gait: str) -> None:
    """Walking or running to the right, seen from the side."""
    run = gait == "run"
    turn = 2 * pi * phase
    lean = 0.11 if run else 0.03
    bob = 0.016 * abs(sin(turn)) * (2 if run else 1)
    hip_x, hip_y = -0.01, 0.495 + bob
    child = kind == "child"
    head = 0.080 if child else 0.062
    neck_y = 0.815 + bob - (0.03 if child else 0)
    neck_x = hip_x + lean * 0.9
    brush.limb(
        (hip_x, hip_y, 0.068),
        ((hip_x + neck_x) / 2 + 0.008, (hip_y + neck_y) / 2, 0.074),
        (neck_x, neck_y - 0.04, 0.066),
    )
    brush.limb(
        (neck_x, neck_y, 0.034),
        (neck_x + 0.018, 0.99 - head + bob, head * 0.94),
        (neck_x + 0.026, 0.985 - head + bob, head * 0.92),
    )
    for side in (0.0, pi):
        swing = sin(turn + side)
        reach = 0.62 if run else 0.40
        thigh = swing * reach + (0.10 if run else 0.02)
        knee = thigh - (0.95 if run else 0.50) * max(0.0, sin(turn + side + 1.9)) - 0.05
        ex, ey = _limb(brush, hip_x, hip_y - 0.01, thigh, knee, 0.228, 0.062, 0.032)
        brush.limb((ex, ey, 0.030), (ex + 0.052, ey - 0.012 + 0.03 * max(0.0, swing), 0.021))
        arm = -swing * (0.75 if run else 0.42)
        _limb(brush, neck_x - 0.005, neck_y - 0.045, arm, arm + (1.35 if run else 0.28), 0.165, 0.036, 0.025)
    if kind == "woman":
        flow = 0.02 * sin(turn * 2)
        brush.shape(
            (hip_x - 0.055, 0.60),
            (hip_x + 0.06, 0.60),
            (hip_x + 0.12, 0.34),
            (hip_x + 0.05, 0.27),
            (hip_x - 0.16 + flow, 0.28),
            (hip_x - 0.11, 0.42),
        )
        brush.limb(
            (neck_x + 0.01, 0.95, 0.06), (neck_x - 0.06, 0.88 + flow, 0.045), (neck_x - 0.15, 0.84 + flow, 0.012)
        )
    elif kind in ("person", "man"):
        flow = 0.02 * sin(turn * 2)
        brush.shape(
            (neck_x - 0.06, 0.74),
            (hip_x + 0.075, 0.60),
            (hip_x + 0.10, 0.40),
            (hip_x - 0.05, 0.37),
            (hip_x - 0.15 + flow, 0.36),
            (hip_x - 0.085, 0.55),
        )


def _dancing(brush: Brush, phase: float, *, skirt: bool, bulk: float) -> None:
    """An arabesque that breathes: the raised leg and the arms rise and fall together."""
    wave = sin(2 * pi * phase)
    lift = 0.10 * wave
    brush.limb((0.00, 0.53, 0.058 * bulk), (0.02, 0.66, 0.050 * bulk), (0.015, 0.79, 0.060 * bulk))
    brush.limb((0.02, 0.83, 0.026), (0.035, 0.915, 0.056 * bulk), (0.04, 0.93, 0.056 * bulk))
    if not bulk > 1.1:
        brush.limb((0.0, 0.965, 0.030))
    brush.limb(
        (0.0, 0.51, 0.054 * bulk), (0.015, 0.28, 0.036 * bulk), (0.00, 0.08, 0.024 * bulk), (0.02, 0.0, 0.014 * bulk)
    )
    brush.limb(
        (-0.02, 0.52, 0.056 * bulk),
        (-0.19, 0.53 + lift * 0.4, 0.040 * bulk),
        (-0.35, 0.60 + lift, 0.026 * bulk),
        (-0.47, 0.66 + lift * 1.4, 0.010 * bulk),
    )
    brush.limb(
        (0.055, 0.79, 0.030 * bulk),
        (0.20, 0.84 + lift * 0.3, 0.023 * bulk),
        (0.33, 0.93 + lift * 0.8, 0.018 * bulk),
        (0.40, 0.99 + lift, 0.008 * bulk),
    )
    brush.limb(
        (-0.025, 0.79, 0.030 * bulk),
        (-0.13, 0.86 - lift * 0.3, 0.023 * bulk),
        (-0.16, 0.98 - lift * 0.4, 0.018 * bulk),
        (-0.12, 1.07 - lift * 0.4, 0.008 * bulk),
    )
    if skirt:
        brush.shape(
            (-0.05, 0.57),
            (0.055, 0.57),
            (0.17, 0.47 - lift * 0.2),
            (0.20, 0.42 - lift * 0.3),
            (0.04, 0.42),
            (-0.14, 0.45 + lift * 0.3),
            (-0.26, 0.52 + lift * 0.6),
            (-0.14, 0.55 + lift * 0.2),
        )


def _astronaut(brush: Brush, phase: float, gait: str) -> None:
    wave = sin(2 * pi * phase)
    step = 0.06 * wave if gait != "stand" else 0.0
    lift = 0.02 * abs(wave) if gait != "stand" else 0.004 * wave
    brush.limb((0.0, 0.50 + lift, 0.118), (0.0, 0.66 + lift, 0.132), (0.0, 0.74 + lift, 0.120))
    brush.limb((-0.075, 0.60 + lift, 0.115), (-0.085, 0.76 + lift, 0.105))
    brush.limb((0.01, 0.895 + lift, 0.112), (0.012, 0.90 + lift, 0.112))
    for side in (-1.0, 1.0):
        brush.limb(
            (side * 0.062, 0.47 + lift, 0.086),
            (side * 0.082 + step * side, 0.26, 0.070),
            (side * 0.092 + step * side * 1.5, 0.09, 0.058),
            (side * 0.094 + step * side * 1.5, 0.045, 0.050),
            (side * 0.094 + step * side * 1.5 + 0.045, 0.036, 0.038),
        )
    brush.limb((-0.10, 0.73 + lift, 0.070), (-0.205, 0.58, 0.056), (-0.225, 0.42 + 0.01 * wave, 0.052))
    raised = 0.015 * wave
    brush.limb((0.10, 0.73 + lift, 0.070), (0.205, 0.60 + raised, 0.056), (0.245, 0.45 + raised, 0.052))
    brush.lights.append((0.040, 0.905 + lift, 0.072, (0.98, 0.72, 0.36)))
    brush.lights.append((0.062, 0.930 + lift, 0.024, (1.0, 0.96, 0.86)))
    brush.lights.append((0.02, 0.68 + lift, 0.014, (0.45, 0.95, 1.0)))


def _robot(brush: Brush, phase: float, gait: str) -> None:
    wave = sin(2 * pi * phase)
    step = 0.07 * wave if gait != "stand" else 0.0
    tilt = 0.01 * wave
    brush.corner((-0.13, 0.50), (0.13, 0.50), (0.155, 0.76), (-0.155, 0.76))
    brush.corner((-0.105 + tilt, 0.80), (0.105 + tilt, 0.80), (0.115 + tilt, 0.965), (-0.115 + tilt, 0.965))
    brush.line((0.0, 0.74, 0.036), (tilt, 0.82, 0.036))
    brush.line((0.05 + tilt, 0.96, 0.008), (0.06 + tilt * 2, 1.05, 0.007), (0.06 + tilt * 2, 1.055, 0.020))
    for side in (-1.0, 1.0):
        brush.line(
            (side * 0.17, 0.73, 0.050),
            (side * 0.205, 0.58, 0.030),
            (side * 0.205, 0.57, 0.044),
            (side * 0.215 + step * 0.5 * side, 0.42, 0.034),
        )
        brush.line((side * 0.215 + step * 0.5 * side, 0.40, 0.042), (side * 0.215 + step * 0.5 * side, 0.39, 0.044))
        foot = side * 0.078 + step * side
        brush.line(
            (side * 0.07, 0.50, 0.048),
            (side * 0.074 + step * side * 0.6, 0.29, 0.036),
            (side * 0.074 + step * side * 0.6, 0.27, 0.050),
            (foot, 0.06, 0.044),
        )
        brush.corner((foot - 0.062, 0.0), (foot + 0.085, 0.0), (foot + 0.060, 0.062), (foot - 0.050, 0.070))
        brush.lights.append((side * 0.045 + tilt, 0.888, 0.024, (0.45, 0.95, 1.0)))
    brush.lights.append((0.0, 0.64, 0.032, (1.0, 0.60, 0.30)))
