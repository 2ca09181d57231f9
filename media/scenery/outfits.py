"""What figures on two legs wear and carry: shields, swords, hats, capes, umbrellas and more, each on the part of the body it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sin

import numpy as np

from media.scenery.bodies import FAR, NEAR, Frame
from media.scenery.figure import Carried, Figure
from media.scenery.noise import Field
from media.scenery.planes import Colour, mix, scaled
from media.scenery.poses import Pose
from media.scenery.solids import CLOTH, GLOSS, GLOW, METAL, Solid, turned

NEAR_HAND = ("shield", "guitar")
FAR_HAND = ("umbrella", "sword", "flag", "lantern", "staff", "balloon")
"""What each hand holds; the first of them that is carried."""


def hands(figure: Figure) -> tuple[str, str]:
    """What the near and the far hand hold; empty for a free hand."""
    near = next((one.name for one in figure.carried if one.name in NEAR_HAND), "")
    far = next((one.name for one in figure.carried if one.name in FAR_HAND), "")
    return near, far


HEADWEAR = ("hat", "pointed_hat", "cap", "helmet", "crown")


def put_on(solid: Solid, figure: Figure, frame: Frame, pose: Pose, part: str = "all") -> None:
    """Everything the figure wears and carries; ``part``: ``all``, ``head`` or ``trunk``."""
    held = hands(figure)
    keep = solid.at
    for one in figure.carried:
        made = _MADE.get(one.name)
        if part != "all" and (part == "head") is not (one.name in HEADWEAR):
            continue
        if made is None or (one.name in (*NEAR_HAND, *FAR_HAND) and one.name not in held):
            continue
        made(solid, figure, frame, pose, one)
        solid.turn, solid.at, solid.bias = np.eye(3), keep, 0.0


def _kind(one: Carried) -> int:
    return METAL if one.metal else GLOSS


def _on_head(solid: Solid, frame: Frame) -> None:
    solid.bias = 0.03
    solid.turn, solid.at = frame.head * frame.head_size, solid.at + np.array(frame.neck)


def _on_chest(solid: Solid, frame: Frame) -> None:
    solid.turn, solid.at = frame.chest, solid.at + np.array(frame.neck)


def _shield(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    """A heater shield before the near forearm: broad above, pointed below, with a metal rim and boss."""
    del figure
    hand, elbow = np.array(frame.near_hand), np.array(frame.near_elbow)
    middle = hand * 0.55 + elbow * 0.45 + np.array([-0.060, -0.015, 0.060])
    solid.turn = turned(-0.55 + pose.twist * 0.5, 0.0, 0.04 * pose.wave) * 0.80
    solid.at = solid.at + middle
    steel: Colour = (0.80, 0.82, 0.86)

    def plate(grow: float, deep: float) -> Field:
        u = np.linspace(-1, 1, solid.steps(0.34, 8, 40, 9.0) + 1)[None, :]
        v = np.linspace(0, 1, solid.steps(0.46, 10, 50, 9.0) + 1)[:, None]
        half = (0.155 + grow) * np.sqrt(np.clip(1 - np.clip((v - 0.28) / 0.72, 0, 1) ** 2.1, 0.0, 1)) + 0.001
        x = u * half
        y = (0.185 + grow) - v * (0.440 + 2 * grow) - 0.012 * (1 - u**2) * (1 - v) * -1
        z = 0.055 * (1 - u**2) * (1 - 0.4 * v) + deep
        return np.stack(np.broadcast_arrays(x, y, z), axis=-1)[::-1]

    solid.surface(plate(0.016, -0.012), steel, METAL, two_sided=True)
    solid.bias = 0.012
    solid.surface(plate(0.0, 0.004), one.colour, METAL if one.metal else GLOSS, two_sided=True)
    solid.bias = -0.012
    solid.surface(plate(-0.001, -0.022)[:, ::-1], one.colour, GLOSS, two_sided=True)
    solid.bias = 0.020
    solid.ball((0.0, 0.045, 0.062), (0.040, 0.040, 0.020), steel, METAL)
    solid.bias = 0.024
    solid.ball((0.0, 0.045, 0.074), (0.020, 0.020, 0.014), mix(one.colour, (1, 1, 1), 0.25), GLOSS)


def _sword(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    del figure, pose
    solid.turn = turned(0.10, -0.75, -0.22)
    solid.at = solid.at + np.array(frame.far_hand)
    solid.tube([((0.0, -0.055, 0.0), 0.013), ((0.0, 0.030, 0.0), 0.013)], (0.30, 0.18, 0.12))
    solid.ball((0.0, -0.065, 0.0), (0.018,) * 3, (0.90, 0.74, 0.36), METAL)
    solid.ball((0.0, 0.036, 0.0), (0.060, 0.011, 0.014), (0.90, 0.74, 0.36), METAL, square=0.6)
    blade = one.colour if one.metal else mix(one.colour, (0.9, 0.92, 0.96), 0.6)
    solid.tube(
        [((0.0, 0.05, 0.0), 0.020), ((0.0, 0.36, 0.0), 0.016), ((0.0, 0.44, 0.0), 0.003)], blade, METAL, flat=0.3
    )


def _staff(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    del figure, pose
    x, y, z = frame.far_hand
    solid.tube([((x, -frame.lift + 0.01, z), 0.012), ((x, y + 0.32, z), 0.011)], one.colour, _kind(one))


def _lantern(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    del figure
    x, y, z = frame.far_hand
    solid.at = solid.at + np.array([x, y - 0.085, z])
    solid.turn = turned(0, 0, 0.10 * pose.wave)
    frame_tone = scaled(one.colour, 0.6)
    solid.tube([((0.0, 0.085, 0.0), 0.004), ((0.0, 0.045, 0.0), 0.004)], frame_tone, METAL)
    solid.lathe([(0.030, 0.034), (0.048, 0.010)], frame_tone, METAL, two_sided=True)
    solid.ball((0.0, 0.0, 0.0), (0.026, 0.034, 0.026), (1.0, 0.86, 0.48), GLOW)
    solid.lathe([(-0.046, 0.030), (-0.030, 0.034)], frame_tone, METAL, two_sided=True)
    for corner in range(4):
        dx, dz = 0.030 * sin(corner * pi / 2 + 0.6), 0.030 * sin(corner * pi / 2 + 0.6 + pi / 2)
        solid.tube([((dx, -0.034, dz), 0.003), ((dx, 0.034, dz), 0.003)], frame_tone, METAL)


def _umbrella(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    del figure
    solid.at = solid.at + np.array(frame.far_hand)
    solid.turn = turned(0, 0.05, 0.14 + 0.02 * pose.wave)
    solid.tube([((0.0, -0.06, 0.0), 0.007), ((0.0, 0.50, 0.0), 0.006)], (0.22, 0.16, 0.14), GLOSS)
    dome = [(0.33, 0.335), (0.38, 0.300), (0.44, 0.215), (0.478, 0.110), (0.490, 0.004)]
    solid.lathe(dome, one.colour, CLOTH, folds=(8, 0.045, 0.4), two_sided=True)
    solid.ball((0.0, 0.512, 0.0), (0.007, 0.024, 0.007), (0.22, 0.16, 0.14), GLOSS)


def _flag(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    del figure
    solid.at = solid.at + np.array(frame.far_hand)
    solid.tube([((0.0, -0.30, 0.0), 0.008), ((0.0, 0.62, 0.0), 0.007)], (0.55, 0.42, 0.28), GLOSS)
    u = np.linspace(0, 1, solid.steps(0.34, 8, 24) + 1)[None, :]
    v = np.linspace(0, 1, solid.steps(0.22, 6, 16) + 1)[:, None]
    wave = 0.045 * u * np.sin(u * 7 - pose.wave * 2.2)
    points = np.stack(np.broadcast_arrays(0.008 + u * 0.34, 0.60 - v * 0.22 + wave * 0.3, wave), axis=-1)
    solid.surface(points, one.colour, CLOTH, two_sided=True)


def _balloon(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    del figure
    solid.at = solid.at + np.array(frame.far_hand)
    sway = 0.03 * pose.wave
    solid.tube([((0.0, 0.0, 0.0), 0.003), ((sway, 0.42, 0.0), 0.003)], (0.85, 0.85, 0.85))
    solid.ball((sway, 0.545, 0.0), (0.105, 0.130, 0.105), one.colour, GLOSS)


def _guitar(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    del figure, pose
    _on_chest(solid, frame)
    solid.turn = solid.turn @ turned(0, 0, -0.95)
    for y, r in ((-0.235, 0.098), (-0.105, 0.074)):
        solid.ball((0.165, y, 0.105), (r, r * 0.98, 0.026), one.colour, GLOSS, square=0.9)
    solid.ball((0.165, -0.16, 0.124), (0.032, 0.032, 0.010), scaled(one.colour, 0.25))
    solid.tube([((0.165, -0.06, 0.122), 0.013), ((0.165, 0.24, 0.122), 0.012)], scaled(one.colour, 0.45), flat=0.5)


def _hat(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    """A hat with a brim; a cowboy's is wider and bent, a wizard's is pointed."""
    del pose
    _on_head(solid, frame)
    wide = 1.18 if figure.kind == "robot" else 1.0
    solid.turn = solid.turn @ turned(0, -0.06)
    y = 0.142
    brim = 0.128 * wide
    solid.lathe([(y + 0.004, brim), (y - 0.004, brim * 0.98), (y, 0.066 * wide)], one.colour, two_sided=True)
    solid.lathe(
        [(y, 0.076 * wide), (y + 0.060, 0.070 * wide), (y + 0.075, 0.052 * wide), (y + 0.072, 0.002)],
        one.colour,
        two_sided=True,
    )
    solid.lathe([(y + 0.003, 0.078 * wide), (y + 0.022, 0.0765 * wide)], scaled(one.colour, 0.42), two_sided=True)


def _pointed_hat(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    del figure
    _on_head(solid, frame)
    solid.lathe([(0.142, 0.140), (0.138, 0.136), (0.142, 0.070)], one.colour, two_sided=True)
    solid.tube(
        [((0.0, 0.150, 0.0), 0.068), ((0.0, 0.24, -0.015), 0.040), ((0.02 + 0.01 * pose.wave, 0.33, -0.05), 0.006)],
        one.colour,
    )


def _cap(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    del pose
    _on_head(solid, frame)
    wide = 1.15 if figure.kind == "robot" else 1.0
    solid.ball((0.0, 0.118, -0.004), (0.078 * wide, 0.070, 0.079 * wide), one.colour, bottom=0.08)
    solid.ball((0.0, 0.130, 0.075 * wide), (0.056, 0.006, 0.050), scaled(one.colour, 0.75))


def _helmet(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    del pose
    _on_head(solid, frame)
    wide = 1.15 if figure.kind == "robot" else 1.0
    solid.ball((0.0, 0.105, -0.004), (0.082 * wide, 0.094, 0.084 * wide), one.colour, METAL, bottom=0.02)
    solid.lathe([(0.100, 0.084 * wide), (0.116, 0.087 * wide)], scaled(one.colour, 0.7), METAL)
    solid.tube(
        [((0.0, 0.20, -0.05), 0.010), ((0.0, 0.215, 0.0), 0.014), ((0.0, 0.19, 0.055), 0.008)], one.colour, METAL
    )


def _crown(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    del figure, pose
    _on_head(solid, frame)
    solid.lathe([(0.140, 0.066), (0.172, 0.072)], one.colour, METAL, two_sided=True)
    for point in range(7):
        angle = 2 * pi * point / 7
        x, z = 0.071 * sin(angle), 0.071 * sin(angle + pi / 2)
        solid.tube([((x, 0.168, z), 0.013), ((x, 0.200, z), 0.002)], one.colour, METAL)


def _cape(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    """Cloth from both shoulders, blown a little away from the legs."""
    _on_chest(solid, frame)
    broad = 0.150 if figure.kind in ("robot", "astronaut") else 0.115
    u = np.linspace(-1, 1, solid.steps(0.40, 12, 32) + 1)[None, :]
    v = np.linspace(0, 1, solid.steps(0.66, 12, 36) + 1)[:, None]
    x = u * (broad + 0.10 * v) + 0.020 * pose.wave * v
    y = -0.020 - 0.025 * u**2 - v * 0.66 + 0.0 * u
    back = 0.085 if figure.kind != "astronaut" else 0.20
    z = -back * (1 - 0.55 * u**2) - 0.13 * v**1.6 + 0.022 * v * np.sin(u * 8 + pose.wave * 1.5)
    solid.surface(np.stack(np.broadcast_arrays(x, y, z), axis=-1), one.colour, CLOTH, two_sided=True)
    solid.tube(
        [((-broad, -0.035, -0.02), 0.016), ((0.0, -0.050, 0.075), 0.013), ((broad, -0.035, -0.02), 0.016)], one.colour
    )
    solid.ball((0.0, -0.052, 0.086), (0.016, 0.016, 0.010), (0.92, 0.76, 0.36), METAL)


def _backpack(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    del figure, pose
    _on_chest(solid, frame)
    solid.ball((0.0, -0.145, -0.125), (0.098, 0.135, 0.062), one.colour, square=0.6)
    solid.ball((0.0, -0.190, -0.185), (0.068, 0.060, 0.030), scaled(one.colour, 0.85), square=0.6)
    solid.tube([((-0.085, 0.0, -0.12), 0.034), ((0.085, 0.0, -0.12), 0.034)], mix(one.colour, (0.9, 0.85, 0.7), 0.5))
    for side in (NEAR, FAR):
        strap = [
            ((side * 0.068, -0.015, -0.075), 0.014),
            ((side * 0.072, 0.000, 0.010), 0.014),
            ((side * 0.070, -0.085, 0.086), 0.014),
            ((side * 0.082, -0.200, 0.070), 0.013),
        ]
        solid.tube(strap, scaled(one.colour, 0.7), flat=0.6)


def _camera(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    del figure, pose
    _on_chest(solid, frame)
    for side in (NEAR, FAR):
        solid.tube([((side * 0.045, 0.0, 0.03), 0.005), ((side * 0.035, -0.135, 0.108), 0.005)], (0.12, 0.10, 0.10))
    solid.bias = 0.04
    solid.ball((0.0, -0.160, 0.112), (0.050, 0.032, 0.024), one.colour, GLOSS, square=0.45)
    solid.ball((0.0, -0.160, 0.138), (0.023, 0.023, 0.022), scaled(one.colour, 0.6), GLOSS, square=0.8)
    solid.ball((0.0, -0.160, 0.156), (0.015, 0.015, 0.008), (0.25, 0.35, 0.60), GLOSS)


def _scarf(solid: Solid, figure: Figure, frame: Frame, pose: Pose, one: Carried) -> None:
    del figure
    _on_chest(solid, frame)
    ring = [
        ((0.062 * sin(2 * pi * part / 10), 0.004 + 0.006 * sin(part), 0.058 * sin(2 * pi * part / 10 + pi / 2)), 0.024)
        for part in range(11)
    ]
    solid.tube(ring, one.colour)
    drift = 0.03 * pose.wave
    solid.tube(
        [((0.028, -0.01, 0.064), 0.024), ((0.036, -0.10, 0.100), 0.026), ((0.045 + drift, -0.20, 0.108), 0.022)],
        scaled(one.colour, 0.94),
        flat=0.5,
    )


Maker = Callable[[Solid, Figure, Frame, Pose, Carried], None]

_MADE: dict[str, Maker] = {
    "shield": _shield,
    "sword": _sword,
    "staff": _staff,
    "lantern": _lantern,
    "umbrella": _umbrella,
    "flag": _flag,
    "balloon": _balloon,
    "guitar": _guitar,
    "hat": _hat,
    "pointed_hat": _pointed_hat,
    "cap": _cap,
    "helmet": _helmet,
    "crown": _crown,
    "cape": _cape,
    "backpack": _backpack,
    "camera": _camera,
    "scarf": _scarf,
}

DRAWN = frozenset(_MADE) | {"dress", "robe", "coat", "boots", "gloves", "beard", "glasses"}
"""Everything that a figure can wear or carry."""
