"""Animals on four legs as solids: one body in many proportions, from the rabbit to the giraffe."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin

import numpy as np

from media.scenery.figure import Figure
from media.scenery.planes import Colour, colour, mix, scaled
from media.scenery.solids import CLOTH, GLOSS, SKIN, Point3, Solid, turned


@dataclass(frozen=True, slots=True)
class Beast:
    """Proportions in parts of the height (1 is the top of the head of a standing animal), and its own colours."""

    coat: Colour
    belly: Colour
    leg: float
    """Length of the legs."""
    long: float
    """From the chest to the hips."""
    thick: float
    """Radius of the body."""
    neck: float
    """Length of the neck."""
    head: float
    """Radius of the head."""
    snout: float
    """Length of the muzzle in parts of the head's radius."""
    limb: float
    """Radius of a leg."""
    ears: str = "up"
    """``up``, ``flop``, ``long``, ``round``, ``wide`` or ``none``."""
    tail: str = "curved"
    """``curved``, ``bushy``, ``hair``, ``stub`` or ``thin``."""
    extra: str = ""
    """``mane``, ``lion``, ``antlers``, ``horns``, ``trunk``, ``hump``, ``wool`` or ``spots``."""
    tall: float = 0.30
    """Height in parts of a person's."""


def _beast(coat: str, belly: str, *numbers: float, **more: str | float) -> Beast:
    return Beast(colour(coat), colour(belly), *numbers, **more)  # type: ignore[arg-type] # the table below


BEASTS: dict[str, Beast] = {
    "dog": _beast(
        "#b9783f", "#f0dcbc", 0.42, 0.58, 0.145, 0.17, 0.150, 1.05, 0.050, ears="flop", tail="curved", tall=0.50
    ),
    "cat": _beast("#d08a4a", "#f4e6d0", 0.36, 0.58, 0.130, 0.12, 0.165, 0.45, 0.044, tail="curved", tall=0.40),
    "fox": _beast("#d8622a", "#f6ead8", 0.36, 0.66, 0.135, 0.14, 0.150, 1.15, 0.040, tail="bushy", tall=0.44),
    "wolf": _beast("#7c828c", "#d8d6d0", 0.42, 0.64, 0.150, 0.16, 0.140, 1.15, 0.050, tail="bushy", tall=0.56),
    "horse": _beast(
        "#8a5230", "#7a4628", 0.46, 0.52, 0.130, 0.34, 0.085, 2.10, 0.040, tail="hair", extra="mane", tall=1.05
    ),
    "deer": _beast(
        "#a8703c", "#e8d4b0", 0.47, 0.46, 0.105, 0.30, 0.075, 1.50, 0.026, tail="stub", extra="antlers", tall=0.95
    ),
    "bear": _beast(
        "#6a4428", "#7a5434", 0.34, 0.66, 0.220, 0.14, 0.155, 0.85, 0.085, ears="round", tail="stub", tall=0.75
    ),
    "rabbit": _beast(
        "#b09a84", "#f2ece4", 0.24, 0.46, 0.170, 0.06, 0.160, 0.40, 0.050, ears="long", tail="stub", tall=0.34
    ),
    "elephant": _beast(
        "#8c8c94",
        "#9a9aa2",
        0.40,
        0.60,
        0.250,
        0.12,
        0.190,
        0.30,
        0.085,
        ears="wide",
        tail="thin",
        extra="trunk",
        tall=1.30,
    ),
    "lion": _beast(
        "#d6a458",
        "#ecd2a0",
        0.40,
        0.66,
        0.155,
        0.14,
        0.150,
        0.75,
        0.058,
        ears="round",
        tail="thin",
        extra="lion",
        tall=0.66,
    ),
    "cow": _beast(
        "#e8e4de",
        "#f2eee8",
        0.40,
        0.66,
        0.190,
        0.16,
        0.115,
        1.35,
        0.052,
        ears="flop",
        tail="thin",
        extra="horns",
        tall=0.85,
    ),
    "sheep": _beast(
        "#f0ece2",
        "#e8e2d4",
        0.32,
        0.56,
        0.200,
        0.12,
        0.110,
        0.95,
        0.040,
        ears="flop",
        tail="stub",
        extra="wool",
        tall=0.52,
    ),
    "camel": _beast(
        "#c99a5c",
        "#b98a4c",
        0.47,
        0.50,
        0.140,
        0.30,
        0.080,
        1.50,
        0.038,
        ears="round",
        tail="thin",
        extra="hump",
        tall=1.15,
    ),
    "giraffe": _beast(
        "#e0b25c", "#f0d8a0", 0.40, 0.30, 0.085, 0.46, 0.050, 1.70, 0.026, tail="thin", extra="spots", tall=1.70
    ),
}

_DARK: Colour = (0.07, 0.05, 0.06)


def quadruped(solid: Solid, figure: Figure, gait: str, phase: float, part: str = "all") -> None:
    """The animal, looking at the viewer; it turns its head, breathes, walks or runs. ``part``: ``all``, ``head`` or ``trunk``."""
    beast = BEASTS[figure.kind]
    coat, belly = figure.coat, mix(figure.coat, beast.belly, 0.75)
    wave, turn = sin(2 * pi * phase), 2 * pi * phase
    moves = gait in ("walk", "run")
    reach = {"walk": 0.34, "run": 0.62}.get(gait, 0.0)
    bob = 0.012 * sin(2 * turn) * (2 if gait == "run" else 1) if moves else 0.004 * wave
    body_y = beast.leg + beast.thick * 0.70 + bob
    front, back = beast.long * 0.5, -beast.long * 0.5
    base: Point3 = (0.0, body_y + beast.thick * 0.45, front + beast.thick * 0.35)
    lean = 0.62
    nod = 0.05 * sin(turn * (2 if moves else 1))
    top: Point3 = (0.0, base[1] + beast.neck * (1 - 0.25 * lean) + nod * 0.3, base[2] + beast.neck * lean)
    if part != "trunk":
        solid.tube([(base, beast.thick * 0.62), (top, beast.head * 0.62)], coat)
        yaw = 0.0 if moves else (0.42 if gait == "look" else 0.16) * wave
        _head(solid, figure, beast, top, yaw, nod)
    if part == "head":
        return
    for z, shift in ((front - beast.limb, 0.0), (back + beast.limb, pi if gait == "walk" else 0.6)):
        for side in (-1.0, 1.0):
            swing = reach * sin(turn + shift + (pi if side > 0 and gait != "run" else 0.3 * (side > 0)))
            lifted = max(0.0, sin(turn + shift + (pi if side > 0 and gait != "run" else 0.0) + 1.3)) if moves else 0.0
            x = side * beast.thick * 0.58
            hip = (x, body_y - beast.thick * 0.25, z)
            upper = (body_y - beast.thick * 0.25) * 0.52
            knee = (x, hip[1] - upper, z + upper * swing + (-0.02 if z < 0 else 0.01))
            foot = (x, 0.035 + 0.10 * lifted * reach, knee[2] + upper * (swing - 0.9 * lifted * reach * 1.6))
            solid.tube([(hip, beast.limb * 1.55), (knee, beast.limb), (foot, beast.limb * 0.78)], coat)
            sock = scaled(coat, 0.55) if figure.kind in ("fox", "horse", "deer", "camel") else coat
            solid.ball(
                (foot[0], 0.026 + 0.10 * lifted * reach, foot[2] + 0.012), (beast.limb, 0.028, beast.limb * 1.25), sock
            )
    wool = 1.12 if beast.extra == "wool" else 1.0
    solid.tube(
        [
            ((0.0, body_y, back), beast.thick * 0.92 * wool),
            ((0.0, body_y + 0.01, 0.0), beast.thick * 0.95 * wool),
            ((0.0, body_y + 0.01, front), beast.thick * wool),
        ],
        coat,
    )
    if beast.extra == "hump":
        solid.ball((0.0, body_y + beast.thick * 0.95, -0.02), (0.085, 0.115, 0.120), coat)
    solid.ball(
        (0.0, body_y - beast.thick * 0.22, front * 0.55), (beast.thick * 0.72, beast.thick * 0.86, front * 0.9), belly
    )
    _tail(solid, beast, coat, (0.0, body_y + beast.thick * 0.45, back - beast.thick * 0.55), wave)


def _tail(solid: Solid, beast: Beast, coat: Colour, at: Point3, wave: float) -> None:
    x, y, z = at
    swing = 0.10 * wave
    if beast.tail == "curved":
        solid.tube(
            [(at, 0.030), ((x + swing * 0.5, y + 0.10, z - 0.12), 0.026), ((x + swing, y + 0.24, z - 0.13), 0.016)],
            coat,
        )
    elif beast.tail == "bushy":
        solid.tube(
            [(at, 0.035), ((x + swing * 0.5, y - 0.06, z - 0.16), 0.078), ((x + swing, y - 0.12, z - 0.33), 0.050)],
            coat,
        )
        solid.ball((x + swing, y - 0.135, z - 0.385), (0.036, 0.034, 0.050), mix(coat, (1, 1, 1), 0.75))
    elif beast.tail == "hair":
        solid.tube(
            [(at, 0.030), ((x + swing * 0.4, y - 0.05, z - 0.08), 0.046), ((x + swing, y - 0.34, z - 0.10), 0.020)],
            scaled(coat, 0.35),
        )
    elif beast.tail == "thin":
        solid.tube([(at, 0.016), ((x + swing, y - 0.28, z - 0.07), 0.012)], coat)
        solid.ball((x + swing, y - 0.31, z - 0.07), (0.024, 0.040, 0.024), scaled(coat, 0.5))
    else:
        solid.ball(at, (0.05, 0.05, 0.05), mix(coat, (1, 1, 1), 0.35))


def _head(solid: Solid, figure: Figure, beast: Beast, at: Point3, yaw: float, nod: float) -> None:
    coat, r = figure.coat, beast.head
    face = scaled(coat, 0.42) if beast.extra == "wool" else coat
    keep = solid.at
    solid.turn, solid.at = turned(yaw, 0.10 + nod), keep + np.array(at)
    if beast.extra == "lion":
        solid.ball((0.0, 0.0, -r * 0.35), (r * 1.75, r * 1.80, r * 0.95), scaled(coat, 0.52))
    if beast.extra == "mane":
        solid.tube(
            [((0.0, r * 0.9, 0.0), r * 0.34), ((0.0, -beast.neck * 0.45, -beast.neck * 0.62), r * 0.45)],
            scaled(coat, 0.35),
        )
        solid.ball((0.0, r * 0.75, r * 0.35), (r * 0.35, r * 0.5, r * 0.45), scaled(coat, 0.35))
    solid.ball((0.0, 0.0, 0.0), (r * 0.95, r, r * 0.98), face)
    long = beast.snout * r
    if beast.extra == "trunk":
        solid.tube(
            [
                ((0.0, -r * 0.1, r * 0.75), r * 0.42),
                ((0.0, -r * 0.9, r * 1.35), r * 0.33),
                ((0.0, -r * 2.0, r * 1.35), r * 0.24),
                ((0.0, -r * 2.5, r * 1.75), r * 0.18),
            ],
            coat,
        )
        for side in (-1.0, 1.0):
            solid.tube(
                [((side * r * 0.5, -r * 0.5, r * 0.8), r * 0.13), ((side * r * 0.55, -r * 0.95, r * 1.6), r * 0.05)],
                (0.96, 0.93, 0.86),
                GLOSS,
            )
    else:
        tip: Point3 = (0.0, -r * 0.42, r * 0.75 + long * 0.62)
        muzzle = (
            mix(face, beast.belly, 0.6)
            if figure.kind in ("dog", "cat", "fox", "wolf", "bear", "lion", "rabbit")
            else face
        )
        solid.tube([((0.0, -r * 0.25, r * 0.5), r * 0.56), (tip, r * 0.36)], muzzle)
        solid.bias = 0.03
        solid.ball((0.0, tip[1] + r * 0.16, tip[2] + r * 0.30), (r * 0.20, r * 0.15, r * 0.13), _DARK, GLOSS)
        solid.tube(
            [
                ((-r * 0.2, tip[1] - r * 0.14, tip[2] + r * 0.25), r * 0.035),
                ((r * 0.2, tip[1] - r * 0.14, tip[2] + r * 0.25), r * 0.035),
            ],
            _DARK,
        )
        solid.bias = 0.0
    for side in (-1.0, 1.0):
        solid.bias = 0.03
        solid.ball((side * r * 0.46, r * 0.20, r * 0.80), (r * 0.19, r * 0.22, r * 0.12), (0.98, 0.97, 0.95), GLOSS)
        solid.bias = 0.04
        solid.ball((side * r * 0.45, r * 0.19, r * 0.89), (r * 0.13, r * 0.17, r * 0.07), _DARK, GLOSS)
        solid.bias = 0.0
        _ear(solid, beast, face, side, r)
        if beast.extra == "antlers":
            x, bone = side * r * 0.4, (0.82, 0.70, 0.52)
            solid.tube(
                [
                    ((x, r * 0.8, 0.0), r * 0.13),
                    ((x + side * r * 0.9, r * 2.1, -r * 0.5), r * 0.10),
                    ((x + side * r * 0.7, r * 3.2, 0.0), r * 0.05),
                ],
                bone,
            )
            solid.tube(
                [
                    ((x + side * r * 0.62, r * 1.7, -r * 0.3), r * 0.09),
                    ((x + side * r * 0.5, r * 2.5, r * 0.6), r * 0.04),
                ],
                bone,
            )
        elif beast.extra == "horns":
            solid.tube(
                [((side * r * 0.6, r * 0.8, 0.0), r * 0.16), ((side * r * 1.15, r * 1.35, r * 0.1), r * 0.05)],
                (0.90, 0.86, 0.76),
                GLOSS,
            )
        elif beast.extra == "spots":
            solid.tube(
                [((side * r * 0.4, r * 0.8, 0.0), r * 0.12), ((side * r * 0.45, r * 1.6, 0.0), r * 0.15)],
                scaled(coat, 0.5),
            )
    if figure.has("scarf"):
        tone = figure.colour_of("scarf", (0.8, 0.15, 0.15))
        solid.lathe([(-r * 1.15, r * 0.95), (-r * 0.75, r * 0.80)], tone, two_sided=True)
    if figure.has("hat", "cap"):
        tone = figure.colour_of("hat", figure.colour_of("cap", (0.8, 0.2, 0.2)))
        solid.lathe(
            [(r * 0.86, r * 1.1), (r * 0.84, r * 0.7), (r * 1.5, r * 0.62), (r * 1.52, 0.002)], tone, two_sided=True
        )
    solid.turn, solid.at, solid.bias = np.eye(3), keep, 0.0


def _ear(solid: Solid, beast: Beast, tone: Colour, side: float, r: float) -> None:
    inner = mix(tone, (0.95, 0.66, 0.60), 0.5)
    if beast.ears == "up":
        solid.tube(
            [((side * r * 0.55, r * 0.65, -r * 0.05), r * 0.32), ((side * r * 0.72, r * 1.50, -r * 0.08), r * 0.04)],
            tone,
            flat=0.5,
        )
        solid.bias = 0.01
        solid.tube(
            [((side * r * 0.56, r * 0.78, r * 0.08), r * 0.18), ((side * r * 0.70, r * 1.32, r * 0.02), r * 0.03)],
            inner,
            SKIN,
            flat=0.4,
        )
    elif beast.ears == "flop":
        solid.tube(
            [
                ((side * r * 0.78, r * 0.62, 0.0), r * 0.20),
                ((side * r * 1.18, r * 0.20, r * 0.05), r * 0.27),
                ((side * r * 1.16, -r * 0.42, r * 0.12), r * 0.16),
            ],
            scaled(tone, 0.68),
            flat=0.6,
        )
    elif beast.ears == "long":
        solid.tube(
            [
                ((side * r * 0.40, r * 0.70, -r * 0.1), r * 0.20),
                ((side * r * 0.62, r * 1.60, -r * 0.2), r * 0.26),
                ((side * r * 0.72, r * 2.45, -r * 0.3), r * 0.08),
            ],
            tone,
            flat=0.5,
        )
    elif beast.ears == "round":
        solid.ball((side * r * 0.74, r * 0.74, -r * 0.05), (r * 0.30, r * 0.32, r * 0.16), tone)
        solid.bias = 0.01
        solid.ball((side * r * 0.74, r * 0.74, r * 0.06), (r * 0.18, r * 0.20, r * 0.08), inner, CLOTH)
    elif beast.ears == "wide":
        solid.ball(
            (side * r * 1.35, -r * 0.1, -r * 0.35),
            (r * 0.85, r * 1.05, r * 0.10),
            scaled(tone, 0.88),
            turn=turned(side * -0.45),
        )
    solid.bias = 0.0
