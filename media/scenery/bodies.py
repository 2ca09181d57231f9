"""Bodies on two legs as solids: people, robots and astronauts, from the feet up."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np

from media.scenery.figure import Figure
from media.scenery.noise import Field
from media.scenery.planes import Colour, mix, scaled
from media.scenery.poses import Limb, Pose
from media.scenery.solids import CLOTH, GLOSS, GLOW, METAL, SKIN, Point3, Solid, turned

NEAR, FAR = -1.0, 1.0
"""Sides of a figure that looks at the viewer: left and right in the picture."""


@dataclass(slots=True)
class Frame:
    """Where the parts of a body are, so that clothes and props can be put on."""

    neck: Point3
    chest: Field
    """Turns what is fixed to the chest."""
    head: Field
    near_hand: Point3
    far_hand: Point3
    near_elbow: Point3
    hips: Point3
    lift: float
    head_size: float


def _chain(start: Point3, limb: Limb, side: float, upper: float, lower: float, fold: float) -> tuple[Point3, Point3]:
    """Two joints of an arm (``fold`` 1) or a leg (``fold`` −1)."""

    def step(origin: Point3, angle: float, length: float) -> Point3:
        return (
            origin[0] + side * sin(limb.out) * length,
            origin[1] - cos(limb.out) * cos(angle) * length,
            origin[2] + cos(limb.out) * sin(angle) * length,
        )

    middle = step(start, limb.swing, upper)
    return middle, step(middle, limb.swing + fold * limb.bend, lower)


def body(solid: Solid, figure: Figure, pose: Pose, part: str = "all") -> Frame:
    """Build the body and say where its joints are. The lowest foot stands on the ground.

    ``part``: ``all``, ``head``, ``trunk`` (everything but the head) or ``none`` (only the joints).
    """
    child = figure.kind == "child"
    robot, suit = figure.kind == "robot", figure.kind == "astronaut"
    hip_y, shoulder_y = (0.46, 0.735) if child else (0.50, 0.785)
    shoulder = 0.150 if robot else 0.135 if suit else 0.088 if child else 0.098 if _slim(figure) else 0.112
    hip = 0.075 if robot or suit else 0.056
    upper, lower = (0.20, 0.20) if child else (0.225, 0.225)
    legs = {}
    for side, limb in ((NEAR, pose.near_leg), (FAR, pose.far_leg)):
        legs[side] = ((side * hip, hip_y, 0.0), *_chain((side * hip, hip_y, 0.0), limb, side, upper, lower, -1.0))
    lift = 0.042 - min(joint[2][1] for joint in legs.values())
    solid.at = np.array([0.0, lift, 0.0])
    chest = turned(pose.twist, pose.lean)
    pivot = np.array([0.0, hip_y, 0.0])

    def above(point: Point3) -> Point3:
        x, y, z = chest @ (np.array(point) - pivot) + pivot
        return float(x), float(y), float(z)

    arms = {}
    for side, limb in ((NEAR, pose.near_arm), (FAR, pose.far_arm)):
        start = above((side * shoulder, shoulder_y, 0.0))
        arms[side] = (start, *_chain(start, limb, side, 0.152, 0.142, 1.0))
    neck = above((0.0, shoulder_y + (0.05 if not child else 0.045), 0.0))
    head = turned(pose.twist + pose.head_yaw, pose.lean * 0.4 + pose.head_pitch)
    frame = Frame(
        neck,
        chest,
        head,
        arms[NEAR][2],
        arms[FAR][2],
        arms[NEAR][1],
        (0.0, hip_y, 0.0),
        lift,
        1.32 if child else 1.0,
    )
    if part in ("all", "trunk"):
        tone = (mix(figure.coat, (0.10, 0.11, 0.14), 0.72), GLOSS) if robot else (scaled(figure.skin, 0.92), SKIN)
        thick = 0.035 if robot else 0.032
        solid.tube([(_down(neck, 0.02), thick), (_down(neck, -0.035), thick)], *tone)
        if figure.long_hair and not robot and not suit:
            x, y, z = neck
            fall = [(0.10, 0.050), (0.0, 0.058), (-0.09, 0.034)]
            solid.tube([((x, y + up, z - 0.052 - 0.012 * (up < 0.05)), wide) for up, wide in fall], figure.hair)
        (_robot if robot else _suit if suit else _clothed)(solid, figure, pose, frame, legs, arms, above)
    if part in ("all", "head"):
        (_robot_head if robot else _helmet if suit else _human_head)(solid, figure, pose, frame)
    return frame


def _slim(figure: Figure) -> bool:
    return figure.kind in ("woman", "dancer")


Joints = dict[float, tuple[Point3, Point3, Point3]]


def _clothed(solid: Solid, figure: Figure, pose: Pose, frame: Frame, legs: Joints, arms: Joints, above: object) -> None:
    """A person in clothes."""
    at = above
    assert callable(at)  # noqa: S101 - a closure of ``body``
    slim, child = _slim(figure), figure.kind == "child"
    top, trousers = figure.coat, figure.lower
    dress, robe = figure.has("dress"), figure.has("robe")
    bare = dress and not robe
    shoes = figure.colour_of("boots", mix(trousers, (0.08, 0.06, 0.06), 0.7))
    thick = 0.9 if slim else 1.0
    hip_y = frame.hips[1]
    for joints in legs.values():
        start, knee, foot = joints
        tone, kind = (figure.skin, SKIN) if bare else (trousers, CLOTH)
        first = _toward(start, knee, 0.62) if dress or robe else start
        solid.tube(
            [(first, (0.048 if dress or robe else 0.060) * thick), (knee, 0.045 * thick), (foot, 0.034 * thick)],
            tone,
            kind,
        )
        solid.ball((foot[0], foot[1] - 0.018, foot[2] + 0.026), (0.033, 0.030, 0.064), shoes, GLOSS)
    waist = at((0.0, hip_y + 0.10, 0.0))
    wide = 0.084 if slim else 0.080 if child else 0.100
    trunk = [
        ((0.0, hip_y - 0.005, 0.0), 0.082 * thick),
        (waist, (0.068 if slim else 0.086) * (0.95 if child else 1)),
        (at((0.0, hip_y + 0.20, 0.0)), wide),
        (at((0.0, hip_y + 0.262, 0.0)), wide * 0.86),
    ]
    solid.tube(trunk, top, CLOTH, flat=0.74)
    if dress or robe:
        skirt = figure.colour_of("dress", figure.colour_of("robe", top))
        hem, flare = (0.06, 0.165) if robe else (0.235, 0.200)
        sway = 0.02 * pose.wave
        solid.bias = 0.06
        solid.lathe(
            [(hem, flare), (hem + 0.12, flare * 0.82), (hip_y - 0.02, 0.098), (hip_y + 0.10, 0.070)],
            skirt,
            folds=(9, 0.10, pose.wave * 1.2),
            middle=(sway, 0.0, 0.0),
            deep=0.86,
            two_sided=True,
        )
        solid.bias = 0.0
    elif figure.has("coat"):
        solid.bias = 0.03
        solid.lathe(
            [(0.27, 0.142), (0.40, 0.122), (hip_y, 0.106), (hip_y + 0.12, 0.094)],
            top,
            folds=(5, 0.05, pose.wave),
            deep=0.80,
            two_sided=True,
        )
        solid.bias = 0.0
    else:
        solid.lathe(
            [(hip_y - 0.050, 0.122 * thick), (hip_y + 0.02, 0.110 * thick), (hip_y + 0.11, 0.090 * thick)],
            top,
            deep=0.90,
            two_sided=True,
        )
    for side, joints in arms.items():
        start, elbow, hand = joints
        sleeve = (figure.skin, SKIN) if bare and not figure.has("coat", "cape") else (top, CLOTH)
        solid.ball(start, (0.044 * thick,) * 3, top)
        solid.tube([(start, 0.040 * thick), (elbow, 0.033 * thick)], *sleeve)
        solid.tube([(elbow, 0.033 * thick), (hand, 0.025 * thick)], *sleeve)
        solid.ball(hand, (0.027, 0.030, 0.027), figure.colour_of("gloves", figure.skin), SKIN)
        del side
    if not dress:
        solid.turn, keep = frame.chest, solid.at
        solid.at = keep + np.array(frame.neck)
        solid.lathe([(-0.035, 0.052), (0.0, 0.046), (0.012, 0.050)], scaled(top, 0.82), two_sided=True)
        solid.bias = 0.03
        shirt = mix(top, (1.0, 0.98, 0.94), 0.75)
        solid.ball((0.0, -0.10, wide * 0.60), (0.017, 0.080, 0.016), shirt)
        for button in range(3):
            solid.ball((0.0, -0.08 - 0.055 * button, wide * 0.76), (0.006, 0.006, 0.004), scaled(top, 0.5), GLOSS)
        solid.turn, solid.at, solid.bias = np.eye(3), keep, 0.0


def _human_head(solid: Solid, figure: Figure, pose: Pose, frame: Frame) -> None:
    """A head with a face and hair."""
    del pose
    size = frame.head_size
    keep = solid.at
    solid.turn, solid.at = frame.head * size, keep + np.array(frame.neck)
    skin = figure.skin
    solid.ball((0.0, 0.092, 0.004), (0.066, 0.083, 0.070), skin, SKIN)
    solid.ball((0.0, 0.052, 0.014), (0.046, 0.040, 0.050), skin, SKIN)
    dark: Colour = (0.07, 0.05, 0.06)
    for side in (NEAR, FAR):
        solid.bias = 0.0
        solid.ball((side * 0.067, 0.086, 0.0), (0.011, 0.020, 0.014), scaled(skin, 0.92), SKIN)
        solid.bias = 0.012
        solid.ball((side * 0.0265, 0.094, 0.0635), (0.0150, 0.0125, 0.0080), (0.97, 0.96, 0.94), GLOSS)
        solid.bias = 0.016
        solid.ball((side * 0.0255, 0.094, 0.0690), (0.0090, 0.0104, 0.0050), dark, GLOSS)
        solid.bias = 0.020
        solid.ball((side * 0.0255 - 0.003, 0.0980, 0.0735), (0.0026, 0.0026, 0.0016), (1.0, 1.0, 1.0), GLOW)
        solid.bias = 0.012
        brow = [
            ((side * 0.013, 0.1150, 0.0680), 0.0034),
            ((side * 0.027, 0.1185, 0.0655), 0.0040),
            ((side * 0.041, 0.1135, 0.0580), 0.0028),
        ]
        solid.tube(brow, scaled(figure.hair, 0.8))
        cheek = mix(skin, (0.95, 0.40, 0.35), 0.28)
        solid.ball((side * 0.036, 0.066, 0.0515), (0.014, 0.010, 0.010), cheek, SKIN)
    solid.ball((0.0, 0.078, 0.0735), (0.0095, 0.0130, 0.0120), mix(skin, (0.9, 0.45, 0.40), 0.14), SKIN)
    mouth = mix(skin, (0.55, 0.14, 0.16), 0.72)
    solid.tube(
        [((-0.0175, 0.0515, 0.0600), 0.0030), ((0.0, 0.0465, 0.0655), 0.0046), ((0.0175, 0.0515, 0.0600), 0.0030)],
        mouth,
        SKIN,
    )
    solid.bias = 0.0
    hair = figure.hair
    if not figure.has("helmet", "hood"):
        solid.bias = 0.014
        solid.ball((0.0, 0.104, -0.010), (0.0745, 0.083, 0.0745), hair, GLOSS, turn=turned(0, -0.42), bottom=0.02)
        solid.ball((0.0, 0.085, -0.026), (0.068, 0.072, 0.058), hair)
        if figure.long_hair:
            for side in (NEAR, FAR):
                solid.tube(
                    [
                        ((side * 0.062, 0.125, -0.022), 0.018),
                        ((side * 0.077, 0.05, -0.028), 0.020),
                        ((side * 0.072, -0.055, -0.020), 0.012),
                    ],
                    hair,
                    GLOSS,
                )
        else:
            for side in (NEAR, FAR):
                solid.ball((side * 0.062, 0.102, -0.004), (0.014, 0.034, 0.028), hair)
    solid.bias = 0.006
    if figure.has("beard"):
        tone = figure.colour_of("beard", hair)
        solid.ball((0.0, 0.040, 0.020), (0.054, 0.048, 0.052), tone)
        solid.ball((0.0, 0.058, 0.064), (0.026, 0.008, 0.012), tone)
    if figure.has("glasses"):
        for side in (NEAR, FAR):
            ring = [
                (
                    (
                        side * 0.027 + 0.021 * cos(2 * pi * part / 12),
                        0.094 + 0.019 * sin(2 * pi * part / 12),
                        0.0765 - 0.006 * abs(cos(2 * pi * part / 12)),
                    ),
                    0.0026,
                )
                for part in range(13)
            ]
            solid.tube(ring, dark, GLOSS)
    solid.turn, solid.at, solid.bias = np.eye(3), keep, 0.0


def _down(point: Point3, by: float) -> Point3:
    return point[0], point[1] - by, point[2]


def _robot(solid: Solid, figure: Figure, pose: Pose, frame: Frame, legs: Joints, arms: Joints, above: object) -> None:
    """Plates over joints, a visor, a light in the chest."""
    del pose
    at = above
    assert callable(at)  # noqa: S101 - a closure of ``body``
    kind = METAL if figure.metal else GLOSS
    own, joint = figure.coat, mix(figure.coat, (0.10, 0.11, 0.14), 0.72)
    glow: Colour = (0.45, 0.95, 1.0)
    hip_y = frame.hips[1]
    for start, knee, foot in legs.values():
        solid.tube([(start, 0.040), (knee, 0.036)], joint, kind)
        solid.tube([(_toward(start, knee, 0.12), 0.052), (_toward(start, knee, 0.72), 0.046)], own, kind)
        solid.ball(knee, (0.046, 0.046, 0.050), own, kind)
        solid.tube([(_toward(knee, foot, 0.16), 0.046), (_toward(knee, foot, 0.55), 0.052), (foot, 0.040)], own, kind)
        solid.ball((foot[0], foot[1] - 0.012, foot[2] + 0.030), (0.050, 0.036, 0.082), own, kind, square=0.6)
    solid.ball((0.0, hip_y + 0.005, 0.0), (0.098, 0.052, 0.074), own, kind, square=0.6)
    solid.tube([((0.0, hip_y + 0.02, 0.0), 0.066), (at((0.0, hip_y + 0.13, 0.0)), 0.064)], joint, kind, flat=0.8)
    for ring in range(3):
        middle = at((0.0, hip_y + 0.058 + 0.026 * ring, 0.0))
        solid.ball(middle, (0.074, 0.010, 0.062), scaled(own, 0.82), kind)
    keep = solid.at
    solid.turn, solid.at = frame.chest, keep + np.array(at((0.0, hip_y + 0.215, 0.0)))
    solid.ball((0.0, 0.0, 0.0), (0.138, 0.104, 0.090), own, kind, square=0.55)
    solid.ball((0.0, 0.012, 0.066), (0.096, 0.066, 0.038), mix(own, (1, 1, 1), 0.12), kind, square=0.5)
    solid.bias = 0.03
    solid.ball((0.0, 0.012, 0.098), (0.030, 0.030, 0.012), joint, kind)
    solid.bias = 0.06
    solid.ball((0.0, 0.012, 0.104), (0.021, 0.021, 0.011), glow, GLOW)
    for side in (NEAR, FAR):
        solid.ball((side * 0.070, -0.060, 0.080), (0.026, 0.007, 0.010), joint, kind)
    solid.turn, solid.at, solid.bias = np.eye(3), keep, 0.0
    for start, elbow, hand in arms.values():
        solid.ball(start, (0.056, 0.054, 0.056), own, kind)
        solid.tube([(start, 0.032), (elbow, 0.028)], joint, kind)
        solid.tube([(_toward(start, elbow, 0.35), 0.038), (_toward(start, elbow, 0.78), 0.036)], own, kind)
        solid.ball(elbow, (0.036,) * 3, own, kind)
        solid.tube([(_toward(elbow, hand, 0.22), 0.036), (_toward(elbow, hand, 0.85), 0.044)], own, kind)
        solid.ball(_toward(elbow, hand, 1.12), (0.032, 0.036, 0.032), joint, kind, square=0.7)


def _robot_head(solid: Solid, figure: Figure, pose: Pose, frame: Frame) -> None:
    """A head with a visor and an antenna."""
    kind = METAL if figure.metal else GLOSS
    own, joint = figure.coat, mix(figure.coat, (0.10, 0.11, 0.14), 0.72)
    glow: Colour = (0.45, 0.95, 1.0)
    keep = solid.at
    solid.turn, solid.at = frame.head, keep + np.array(frame.neck)
    solid.ball((0.0, 0.098, 0.0), (0.082, 0.078, 0.078), own, kind, square=0.55)
    solid.ball((0.0, 0.150, 0.0), (0.060, 0.036, 0.058), own, kind, square=0.8)
    solid.bias = 0.02
    solid.ball((0.0, 0.104, 0.050), (0.068, 0.034, 0.036), (0.05, 0.06, 0.09), GLOSS, square=0.5)
    for side in (NEAR, FAR):
        solid.bias = 0.05
        solid.ball((side * 0.030, 0.106, 0.080), (0.0165, 0.0165, 0.010), glow, GLOW)
        solid.bias = 0.0
        solid.ball((side * 0.084, 0.098, 0.0), (0.016, 0.034, 0.034), joint, kind)
        solid.ball((side * 0.098, 0.098, 0.0), (0.007, 0.018, 0.018), own, kind)
    solid.bias = 0.02
    for slot in range(3):
        solid.ball((0.022 * (slot - 1), 0.050, 0.072), (0.006, 0.012, 0.008), joint, kind)
    solid.bias = 0.0
    if not figure.has("hat", "cap", "helmet", "crown"):
        solid.tube([((0.0, 0.175, 0.0), 0.007), ((0.004 * pose.wave, 0.228, 0.0), 0.005)], joint, kind)
        solid.ball((0.004 * pose.wave, 0.236, 0.0), (0.014,) * 3, (1.0, 0.50, 0.26), GLOW)
    solid.turn, solid.at = np.eye(3), keep


def _toward(first: Point3, last: Point3, part: float) -> Point3:
    return (
        first[0] + (last[0] - first[0]) * part,
        first[1] + (last[1] - first[1]) * part,
        first[2] + (last[2] - first[2]) * part,
    )


def _suit(solid: Solid, figure: Figure, pose: Pose, frame: Frame, legs: Joints, arms: Joints, above: object) -> None:
    """An astronaut: a thick suit with stripes, a pack, a golden visor."""
    del pose
    at = above
    assert callable(at)  # noqa: S101 - a closure of ``body``
    own, stripe = figure.coat, figure.lower
    grey = mix(own, (0.30, 0.32, 0.38), 0.55)
    hip_y = frame.hips[1]
    for start, knee, foot in legs.values():
        solid.tube([(start, 0.082), (knee, 0.064)], own)
        solid.tube([(knee, 0.066), (foot, 0.056)], own)
        solid.bias = 0.02
        solid.ball(_toward(start, knee, 0.62), (0.079, 0.015, 0.079), stripe)
        solid.bias = 0.0
        solid.ball(knee, (0.067, 0.020, 0.067), scaled(own, 0.8))
        solid.ball((foot[0], foot[1] - 0.008, foot[2] + 0.024), (0.058, 0.040, 0.084), grey, GLOSS)
    trunk = [((0.0, hip_y - 0.01, 0.0), 0.115), (at((0.0, hip_y + 0.12, 0.0)), 0.122)]
    solid.tube([*trunk, (at((0.0, hip_y + 0.235, 0.0)), 0.120)], own, flat=0.80)
    solid.lathe([(hip_y + 0.008, 0.120), (hip_y + 0.035, 0.124)], grey, deep=0.84)
    keep = solid.at
    solid.turn, solid.at = frame.chest, keep + np.array(at((0.0, hip_y + 0.20, 0.0)))
    solid.ball((0.0, 0.01, -0.125), (0.118, 0.150, 0.060), mix(own, grey, 0.35), square=0.5)
    solid.ball((0.0, -0.01, 0.092), (0.066, 0.044, 0.024), grey, GLOSS, square=0.5)
    solid.bias = 0.03
    for number, tone in enumerate(((0.95, 0.30, 0.22), (0.35, 0.85, 0.45), (0.30, 0.65, 1.0))):
        solid.ball((0.030 * (number - 1), -0.006, 0.114), (0.010, 0.010, 0.008), tone, GLOW)
    solid.ball((0.075, 0.062, 0.090), (0.020, 0.013, 0.010), stripe)
    solid.turn, solid.at, solid.bias = np.eye(3), keep, 0.0
    for start, elbow, hand in arms.values():
        solid.ball(start, (0.070,) * 3, own)
        solid.tube([(start, 0.062), (elbow, 0.052)], own)
        solid.tube([(elbow, 0.054), (hand, 0.044)], own)
        solid.bias = 0.02
        solid.ball(_toward(start, elbow, 0.55), (0.064, 0.014, 0.064), stripe)
        solid.bias = 0.0
        solid.ball(_toward(elbow, hand, 1.12), (0.044, 0.048, 0.044), grey)


def _helmet(solid: Solid, figure: Figure, pose: Pose, frame: Frame) -> None:
    """A helmet with a golden visor."""
    del pose
    own, grey, keep = figure.coat, mix(figure.coat, (0.30, 0.32, 0.38), 0.55), solid.at
    solid.turn, solid.at = frame.head, keep + np.array(frame.neck)
    solid.lathe([(-0.035, 0.092), (0.0, 0.096), (0.012, 0.090)], grey, GLOSS)
    solid.ball((0.0, 0.095, 0.0), (0.118, 0.118, 0.118), own, GLOSS)
    solid.bias = 0.03
    solid.ball((0.0, 0.100, 0.040), (0.094, 0.084, 0.088), (0.98, 0.62, 0.20), METAL)
    solid.bias = 0.0
    for side in (NEAR, FAR):
        solid.ball((side * 0.112, 0.095, 0.0), (0.020, 0.036, 0.036), grey, GLOSS)
    solid.turn, solid.at = np.eye(3), keep
