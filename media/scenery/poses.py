"""How a figure on two legs holds itself at a moment: angles in radians, positive forward, cycles in parts of one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import pi, sin


@dataclass(frozen=True, slots=True)
class Limb:
    """An arm or a leg: the upper part's angle, how far it stands off, and the bend of elbow or knee."""

    swing: float = 0.0
    out: float = 0.08
    bend: float = 0.0


@dataclass(frozen=True, slots=True)
class Pose:
    """One moment. ``near`` is the side at the viewer's left of a figure that looks at the viewer."""

    near_arm: Limb = Limb()
    far_arm: Limb = Limb()
    near_leg: Limb = Limb()
    far_leg: Limb = Limb()
    lean: float = 0.0
    twist: float = 0.0
    head_yaw: float = 0.0
    head_pitch: float = 0.0
    wave: float = 0.0
    """−1..1: what wind and breath do to cloth."""


GAITS: dict[str, tuple[float, int]] = {
    "stand": (4.0, 8),
    "look": (5.2, 10),
    "walk": (1.15, 16),
    "run": (0.74, 12),
    "dance": (3.2, 36),
}
"""Seconds of a whole cycle, and how many drawings of the whole figure it has."""

HEADS = {"stand": 24, "look": 46}
"""How many drawings of the head alone, where the rest hardly moves."""


def pose_of(gait: str, phase: float) -> Pose:
    """The pose at ``phase`` (0..1) of a cycle."""
    turn = 2 * pi * phase
    wave = sin(turn)
    if gait in ("walk", "run"):
        reach, knee, elbow, lean = (0.46, 0.75, 0.30, 0.05) if gait == "walk" else (0.80, 1.35, 1.30, 0.22)

        def leg(shift: float) -> Limb:
            swing = sin(turn + shift)
            lifted = max(0.0, sin(turn + shift + 1.25))
            return Limb(swing * reach + 0.06, 0.02, 0.10 + knee * lifted**1.4)

        return Pose(
            near_arm=Limb(-sin(turn) * reach * 0.9, 0.12, elbow + 0.12 * wave),
            far_arm=Limb(sin(turn) * reach * 0.9, 0.12, elbow - 0.12 * wave),
            near_leg=leg(0.0),
            far_leg=leg(pi),
            lean=lean,
            twist=0.10 * wave,
            wave=sin(2 * turn),
        )
    if gait == "dance":
        slow = sin(turn + 0.8)
        return Pose(
            near_arm=Limb(0.5 + 0.4 * wave, 1.75 + 0.55 * slow, 0.35 + 0.2 * wave),
            far_arm=Limb(0.3 - 0.3 * wave, 1.35 - 0.65 * slow, 0.45),
            near_leg=Limb(0.05, 0.03, 0.06),
            far_leg=Limb(-0.45 - 0.35 * slow, 0.22 + 0.15 * wave, 0.55 + 0.3 * slow),
            lean=0.06 + 0.05 * slow,
            twist=0.45 * wave,
            head_yaw=0.35 * slow,
            head_pitch=-0.10,
            wave=wave,
        )
    still = Pose(
        near_arm=Limb(0.05 + 0.03 * wave, 0.16, 0.22 + 0.03 * wave),
        far_arm=Limb(0.02 - 0.03 * wave, 0.16, 0.20),
        near_leg=Limb(0.02, 0.08, 0.02),
        far_leg=Limb(0.0, 0.08, 0.03),
        twist=0.03 * wave,
        head_yaw=0.10 * wave,
        head_pitch=0.02 * sin(2 * turn),
        wave=wave,
    )
    if gait == "look":
        look = sin(turn) * (1 + 0.25 * abs(sin(turn)))
        return replace(still, head_yaw=0.48 * look, head_pitch=-0.06 + 0.05 * sin(2 * turn))
    return still


def with_hands_full(pose: Pose, *, near: str, far: str) -> Pose:
    """The arms that hold something keep it where it belongs. ``near`` and ``far`` name what each hand holds, or are empty."""
    holds = {
        "shield": Limb(0.35 + 0.05 * pose.wave, 0.30, 1.15),
        "umbrella": Limb(0.52 + 0.02 * pose.wave, 0.16, 1.62),
        "flag": Limb(0.55, 0.18, 1.35),
        "sword": Limb(0.35 + 0.25 * pose.far_arm.swing, 0.20, 0.75),
        "lantern": Limb(0.55 + 0.04 * pose.wave, 0.20, 0.70),
        "staff": Limb(0.40, 0.25, 0.85),
        "guitar": Limb(0.35, 0.22, 1.25 + 0.12 * pose.wave),
        "balloon": Limb(0.45, 0.22, 1.10),
    }
    return replace(pose, near_arm=holds.get(near, pose.near_arm), far_arm=holds.get(far, pose.far_arm))
