"""Four-legged animals from one skeleton: proportions are data, legs are placed by inverse kinematics, gaits are cycles."""

from __future__ import annotations

from math import acos, atan2, cos, hypot, pi, radians, sin

from media.scenery.builds import BUILDS, Build
from media.scenery.rig import Brush


def beast(kind: str, phase: float, gait: str) -> Brush:
    """One pose. ``phase`` 0..1 of the cycle; ``gait``: ``stand``, ``walk`` or ``run``."""
    if kind in ("cat", "dog", "fox", "wolf") and gait == "sit":
        return _sitting(kind, phase)
    build = BUILDS[kind]
    brush = Brush()
    running = gait == "run"
    bob = 0.035 * sin(4 * pi * phase) * (1 if gait == "walk" else 0) * 0.5 + (
        0.07 * sin(2 * pi * phase + 0.6) if running else 0.0
    )
    breath = 1 + (0.012 * sin(2 * pi * phase) if gait == "stand" else 0.0)
    pitch = 0.055 * sin(2 * pi * phase - 0.4) if running else 0.0
    stretch = 1 + (0.07 * cos(2 * pi * phase) if running else 0.0)
    half = build.length / 2 * stretch
    front = (half, 1 - build.chest * 0.95 + bob + pitch * half)
    back = (-half, 1 - build.rump * 1.0 + bob - pitch * half)
    middle = (0.02, (front[1] + back[1]) / 2 + 0.02 + (0.02 if running else 0.0))
    brush.limb(
        (back[0], back[1], build.rump),
        (middle[0], middle[1], build.waist * breath),
        (front[0], front[1], build.chest * breath),
    )
    for number in range(4):
        _leg(brush, build, number, phase, gait, front, back)
    _neck_and_head(brush, build, phase, gait, front)
    sway = sin(2 * pi * phase) * (0.06 if gait == "stand" else 0.04)
    lift = 0.55 if running else 0.0
    knots = [(back[0] - build.rump * 0.55, back[1] + build.rump * 0.42, build.tail[0][2])]
    for step, (dx, dy, radius) in enumerate(build.tail):
        part = (step + 1) / len(build.tail)
        raised = dy * (1 - lift) + (abs(dx) * 0.12 * lift)
        knots.append(
            (
                back[0] - build.rump * 0.55 + dx * (1 + 0.35 * lift) + sway * part * part * 1.5,
                back[1] + build.rump * 0.42 + raised + sway * part,
                radius,
            )
        )
    brush.limb(*knots)
    _extras(brush, build, front, middle)
    return brush


def _leg(
    brush: Brush,
    build: Build,
    number: int,
    phase: float,
    gait: str,
    front: tuple[float, float],
    back: tuple[float, float],
) -> None:
    fore = number < 2
    far = number % 2
    root = front if fore else back
    radius = (build.chest if fore else build.rump) * 0.62
    hip = (root[0] - (0.02 if fore else -0.02), root[1] - radius * 0.55)
    reach = build.stride
    if gait == "walk":
        turn = (phase + (0.0, 0.5, 0.25, 0.75)[number]) % 1.0
        swing = turn < 0.38
        place = -cos(pi * turn / 0.38) if swing else 1 - 2 * (turn - 0.38) / 0.62
        foot = (hip[0] + place * reach * 0.42, 0.10 * sin(pi * turn / 0.38) if swing else 0.0)
    elif gait == "run":
        turn = (phase + (0.00, 0.12, 0.50, 0.60)[number]) % 1.0
        angle = 2 * pi * turn
        foot = (hip[0] + cos(angle) * reach * 0.92 + (0.05 if fore else -0.02), max(0.0, 0.16 + 0.24 * sin(angle)))
    else:
        foot = (hip[0] + (0.05, -0.07, -0.06, 0.07)[number], 0.0)
    spare = 0.535 if gait == "run" else 0.506
    upper = hip[1] * spare
    lower = hip[1] * spare
    dx, dy = foot[0] - hip[0], foot[1] + 0.03 - hip[1]
    far_off = min(hypot(dx, dy), (upper + lower) * 0.995)
    bend = acos(max(-1.0, min(1.0, (upper**2 + far_off**2 - lower**2) / (2 * upper * far_off))))
    base = atan2(dy, dx)
    side = 1.0 if fore else -1.0
    knee_angle = base + side * bend
    knee = (hip[0] + cos(knee_angle) * upper, hip[1] + sin(knee_angle) * upper)
    end = (hip[0] + cos(base) * far_off, hip[1] + sin(base) * far_off)
    thick = build.leg * (0.92 if far else 1.0)
    top_radius = radius * (0.62 if fore else 0.82)
    brush.limb(
        (hip[0], hip[1], top_radius),
        ((hip[0] + knee[0]) / 2, (hip[1] + knee[1]) / 2, (top_radius + thick * 1.6) * 0.5),
        (knee[0], knee[1], thick * 1.18),
    )
    brush.limb(
        (knee[0], knee[1], thick * 1.18),
        ((knee[0] + end[0]) / 2, (knee[1] + end[1]) / 2, thick * 0.86),
        (end[0], end[1], thick * 0.85),
    )
    brush.limb((end[0], end[1], thick * 0.9), (end[0] + thick * 1.1, end[1] - 0.012, thick * 0.82))


def _neck_and_head(brush: Brush, build: Build, phase: float, gait: str, front: tuple[float, float]) -> None:
    angle, length, wide, thin = build.neck
    nod = 4 * sin(2 * pi * phase) if gait != "run" else 5 * sin(2 * pi * phase + 1.0)
    angle = angle + nod - (14 if gait == "run" else 0)
    start = (front[0] + build.chest * 0.25, front[1] + build.chest * 0.35)
    end = (start[0] + cos(radians(angle)) * length, start[1] + sin(radians(angle)) * length)
    arch = (-0.22 if "camel" in build.extra else 0.05) * length
    brush.limb(
        (start[0] - 0.02, start[1] - 0.02, wide),
        ((start[0] + end[0]) / 2 - arch * sin(radians(angle)), (start[1] + end[1]) / 2 + arch, (wide + thin) * 0.46),
        (end[0], end[1], thin),
    )
    tilt, far, skull, muzzle = build.head
    tilt += nod * 0.7 + (16 if gait == "run" else 0)
    nose = (end[0] + cos(radians(tilt)) * far, end[1] + sin(radians(tilt)) * far)
    middle = (end[0] + cos(radians(tilt)) * far * 0.55, end[1] + sin(radians(tilt)) * far * 0.55)
    brush.limb((end[0], end[1], skull), (middle[0], middle[1], (skull + muzzle) * 0.47), (nose[0], nose[1], muzzle))
    _ears(brush, build, end, skull)
    if "antlers" in build.extra:
        _antlers(brush, end, skull)
    if "horns" in build.extra:
        brush.line(
            (end[0] - 0.02, end[1] + skull * 0.8, 0.03),
            (end[0] + 0.02, end[1] + skull * 1.5, 0.024),
            (end[0] + 0.10, end[1] + skull * 1.9, 0.006),
        )
    if "ossicones" in build.extra:
        brush.line(
            (end[0] - 0.01, end[1] + skull * 0.7, 0.012),
            (end[0] - 0.03, end[1] + skull * 2.0, 0.012),
            (end[0] - 0.031, end[1] + skull * 2.05, 0.018),
        )
    if "trunk" in build.extra:
        swing = 0.06 * sin(2 * pi * phase)
        brush.limb(
            (nose[0], nose[1], 0.12), (nose[0] + 0.09, nose[1] - 0.20, 0.075), (nose[0] + 0.10 + swing, nose[1] - 0.42, 0.052),
            (nose[0] + 0.14 + swing * 1.6, nose[1] - 0.58, 0.038), (nose[0] + 0.22 + swing * 2, nose[1] - 0.60, 0.032),
        )  # fmt: skip
        brush.line(
            (nose[0] + 0.02, nose[1] - 0.06, 0.026),
            (nose[0] + 0.16, nose[1] - 0.14, 0.02),
            (nose[0] + 0.28, nose[1] - 0.08, 0.005),
        )
    if "lion" in build.extra:
        for dx, dy, radius in ((-0.02, 0.02, 0.245), (-0.10, -0.10, 0.24), (-0.02, -0.16, 0.20)):
            brush.limb((end[0] + dx, end[1] + dy, radius))
    if "ruff" in build.extra:
        brush.limb((end[0] - 0.04, end[1] - 0.08, thin * 1.25), (start[0] + 0.05, start[1] - 0.06, wide * 1.05))
    if "mane" in build.extra:
        flow = 0.14 if gait == "run" else 0.05
        for part in (0.15, 0.35, 0.55, 0.75, 0.95):
            x, y = start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part
            nx, ny = -sin(radians(angle)), cos(radians(angle))
            edge = wide + (thin - wide) * part
            wave = 0.03 * sin(2 * pi * phase * 2 + part * 7)
            brush.limb(
                (x + nx * edge * 0.6, y + ny * edge * 0.6, 0.05),
                (x + nx * (edge + 0.035) - flow * 0.5, y + ny * (edge + 0.03), 0.036),
                (x + nx * edge - flow * 1.7, y + ny * edge - 0.05 + wave, 0.008),
            )


def _ears(brush: Brush, build: Build, head: tuple[float, float], skull: float) -> None:
    x, y = head
    kind = build.ears
    if kind in ("point", "bigpoint"):
        tall = skull * (1.25 if kind == "point" else 1.75)
        for dx in (-0.45, 0.15):
            brush.corner(
                (x + dx * skull - skull * 0.38, y + skull * 0.55),
                (x + dx * skull - skull * 0.12, y + skull * 0.6 + tall),
                (x + dx * skull + skull * 0.46, y + skull * 0.75),
            )
    elif kind == "cat":
        for dx in (-0.52, 0.50):
            brush.corner(
                (x + dx * skull - skull * 0.42, y + skull * 0.52),
                (x + dx * skull * 1.25, y + skull * 1.62),
                (x + dx * skull + skull * 0.42, y + skull * 0.62),
            )
    elif kind == "leaf":
        brush.line(
            (x - skull * 0.3, y + skull * 0.6, 0.02),
            (x - skull * 1.1, y + skull * 1.3, 0.034),
            (x - skull * 1.8, y + skull * 1.7, 0.006),
        )
    elif kind == "flop":
        brush.limb(
            (x - skull * 0.3, y + skull * 0.7, skull * 0.34),
            (x - skull * 0.75, y + skull * 0.0, skull * 0.40),
            (x - skull * 0.75, y - skull * 0.75, skull * 0.22),
        )
    elif kind == "round":
        brush.limb((x - skull * 0.35, y + skull * 0.92, skull * 0.36))
        brush.limb((x + skull * 0.25, y + skull * 0.95, skull * 0.33))
    elif kind == "small":
        brush.line((x - skull * 0.2, y + skull * 0.7, 0.02), (x - skull * 0.5, y + skull * 1.5, 0.008))
    elif kind == "rabbit":
        for lean in (-0.55, -0.15):
            brush.line(
                (x + lean * skull * 0.4, y + skull * 0.6, skull * 0.25),
                (x + lean * skull * 1.6, y + skull * 1.9, skull * 0.34),
                (x + lean * skull * 2.4, y + skull * 3.0, skull * 0.08),
            )
    elif kind == "fan":
        brush.shape(
            (x - 0.10, y + 0.16), (x - 0.26, y + 0.14), (x - 0.34, y - 0.08), (x - 0.22, y - 0.30), (x - 0.08, y - 0.20)
        )


def _antlers(brush: Brush, head: tuple[float, float], skull: float) -> None:
    x, y = head[0] - skull * 0.15, head[1] + skull * 0.75
    for lean in (-0.16, 0.10):
        beam = [
            (x, y, 0.020),
            (x + lean * 0.6 - 0.04, y + 0.14, 0.017),
            (x + lean * 1.3 - 0.02, y + 0.28, 0.014),
            (x + lean * 1.3 + 0.06, y + 0.42, 0.006),
        ]
        brush.line(*beam)
        brush.line((beam[1][0], beam[1][1], 0.014), (beam[1][0] + 0.11, beam[1][1] + 0.10, 0.005))
        brush.line((beam[2][0], beam[2][1], 0.013), (beam[2][0] - 0.09, beam[2][1] + 0.11, 0.005))
        brush.line((x + lean * 0.2, y + 0.05, 0.013), (x + 0.11 + lean * 0.2, y + 0.10, 0.005))


def _extras(
    brush: Brush,
    build: Build,
    front: tuple[float, float],
    middle: tuple[float, float],
) -> None:
    if "camel" in build.extra:
        brush.limb(
            (middle[0] + 0.01, middle[1] + 0.14, 0.16),
            (middle[0], middle[1] + 0.27, 0.105),
            (middle[0] - 0.01, middle[1] + 0.33, 0.05),
        )
    if "hump" in build.extra:
        brush.limb((front[0] - 0.05, front[1] + 0.12, 0.25))
    if "wool" in build.extra:
        for index in range(9):
            angle = pi * (0.02 + index / 8.5)
            brush.limb((middle[0] + cos(angle) * (build.length / 2 + 0.20), middle[1] + sin(angle) * 0.27, 0.12))


def _sitting(kind: str, phase: float) -> Brush:
    """Cat, dog, fox or wolf sitting upright, seen from the side; about 1.35 shoulder heights tall."""
    build = BUILDS[kind]
    brush = Brush()
    sway = sin(2 * pi * phase)
    breath = 1 + 0.012 * sin(2 * pi * phase * 2)
    slim = 0.9 if kind == "cat" else 1.0
    brush.limb(
        (-0.26, 0.24, 0.25 * slim),
        (-0.08, 0.50, 0.225 * slim * breath),
        (0.08, 0.84, 0.165 * slim),
        (0.12, 1.04, 0.115),
    )
    brush.limb((-0.22, 0.20, 0.21), (0.00, 0.13, 0.13), (0.10, 0.055, 0.062), (0.22, 0.05, 0.055))
    brush.limb((0.10, 0.76, 0.125), (0.17, 0.42, 0.070), (0.18, 0.10, 0.052), (0.25, 0.045, 0.050))
    brush.limb((0.04, 0.72, 0.125), (0.09, 0.42, 0.068), (0.09, 0.06, 0.050))
    tilt, far, skull, muzzle = build.head
    head = (0.16, 1.20)
    turn = tilt + 3 * sway
    skull *= 1.05 if kind == "cat" else 1.1
    nose = (head[0] + cos(radians(turn)) * far * 1.05, head[1] + sin(radians(turn)) * far - 0.02)
    brush.limb(
        (head[0], head[1], skull),
        ((head[0] + nose[0]) / 2, (head[1] + nose[1]) / 2, (skull + muzzle) * 0.48),
        (nose[0], nose[1], muzzle),
    )
    _ears(brush, build, head, skull)
    thick = 1.7 if kind in ("fox", "wolf") else 1.0
    if kind == "cat":
        brush.limb(
            (-0.38, 0.12, 0.055),
            (-0.62, 0.07, 0.050),
            (-0.84, 0.16, 0.046),
            (-0.92 - 0.03 * sway, 0.40, 0.044),
            (-0.82 - 0.08 * sway, 0.60, 0.038),
            (-0.70 - 0.12 * sway, 0.62, 0.026),
        )
    elif kind == "dog":
        brush.limb(
            (-0.40, 0.14, 0.055),
            (-0.60, 0.16 + 0.03 * sway, 0.045),
            (-0.76, 0.28 + 0.08 * sway, 0.030),
            (-0.82, 0.38 + 0.10 * sway, 0.012),
        )
    else:
        brush.limb(
            (-0.38, 0.12, 0.07 * thick),
            (-0.62, 0.10, 0.075 * thick),
            (-0.86, 0.12 + 0.02 * sway, 0.062 * thick),
            (-1.04, 0.20 + 0.05 * sway, 0.012),
        )
    if kind in ("wolf", "fox"):
        brush.limb((0.12, 1.06, 0.17), (0.14, 0.86, 0.16))
    return brush


BOX = (-1.55, -0.06, 1.75, 2.35)
"""Room that any beast in any pose needs."""
