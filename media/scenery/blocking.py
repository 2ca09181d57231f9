"""Where a film's figure stands in each shot, which side it shows, and what it does there."""

from __future__ import annotations

from dataclasses import replace
from math import pi

from media.scenery.acting import Blocking, Performer, focus_of, tall
from media.scenery.actors import Ground
from media.scenery.figure import Figure
from media.scenery.framing import Framing
from media.scenery.quadrupeds import BEASTS
from media.scenery.words import read
from media.scenery.world import World


def blocked(  # noqa: C901 - a flat table of shots
    world: World, figure: Figure, framing: Framing, ground: Ground | None, said: str, *, alone: bool
) -> Performer:
    """Where the figure stands and what it does. ``alone``: there is no ground to stand on."""
    upright = world.width < world.height
    side = 0.5 if upright else (0.37 if world.light.x > world.width / 2 else 0.63)
    aside = 0.42 if side <= 0.5 else 0.10  # at the right it looks at us, not out of the picture
    beast = figure.kind in BEASTS
    room = 1 / tall(figure) ** 0.75
    act = _act(figure, said)
    squeeze = min(1.0, world.width / world.height * 1.25) if upright and beast else 1.0
    shot = framing.shot
    still = act if act == "dance" else "look"
    match shot:
        case "establishing":
            size = 0.30 * squeeze * (0.8 if upright else 1.0)
            one = Blocking(size, 0.9, side, 0.3 if act == "dance" else aside + 0.3, gait=act or "look")
        case "wide":
            one = Blocking(0.40 * room**0.4 * squeeze, 0.9, side, 0.95, gait=act or "walk")
            if act in ("", "walk", "run") and not upright:
                one = replace(one, go=0.46, x=0.5)
        case "medium":
            one = Blocking(0.68 * room * squeeze, 0.955, side, aside, gait=still)
        case "close":
            size = 1.20 if upright else 1.75
            one = Blocking(size, 0.42 + size * 0.90, 0.47, 0.32, 0.02, 4.0, "look", window=(0.36, 9.0), centre=0.95)
            if beast:
                right, high = focus_of(figure, 0.55)
                size = 1.15 * squeeze
                one = replace(one, height=size, feet=0.52 + size * high * 0.8, yaw=0.55, window=(-9.0, 9.0))
                one = replace(one, x=0.5 - right * size * 0.75 * world.height / world.width)
        case "detail":
            right, high = focus_of(figure, 0.30)
            size = (2.3 if not beast else 2.0) * ((squeeze if beast else 0.62) if upright else 1)
            seen = (high - 0.45, high + 0.45)
            one = Blocking(size, 0.5 + size * high, 0.5, 0.30, 0.03, 5.0, "stand", centre=high, window=seen)
            one = replace(one, x=0.5 - right * size * world.height / world.width)
        case "low":
            one = Blocking(1.0 * room * squeeze, 1.13, side, aside, -0.34, 2.6, still)
        case "high":
            one = Blocking(0.66 * room * squeeze, 0.90, side, aside + 0.1, 0.62, 3.0, still)
        case "tracking":
            gait = "run" if act == "run" else "walk"
            one = Blocking(0.98 * room * squeeze, 1.14, 0.46, 0.92, 0.02, 5.0, gait)
            if beast:
                one = replace(one, height=0.70 * squeeze, feet=1.0, yaw=1.15)
        case _:
            middle = 0.46 if upright else min(0.60, max(0.40, world.light.x / world.width))
            dim = 0.78 + 0.20 * world.palette.dark if world.light.kind != "none" else 0.9
            size = (0.54 if upright else 0.66) * room * squeeze
            one = Blocking(size, 0.965, middle, pi - 0.45, 0.05, 5.0, act if act in ("dance", "walk") else "look", dim)
    one = _moved(one, framing.move)
    if alone:
        one = replace(one, grounded=False)
    return Performer(world, figure, one, ground=ground)


def _moved(one: Blocking, move: str) -> Blocking:
    """A camera move, as it changes what stands near."""
    match move:
        case "push":
            return replace(one, grow=0.10)
        case "pull":
            return replace(one, grow=-0.08)
        case "pan" if not one.go:
            return replace(one, go=-0.07)
        case "tilt":
            return replace(one, rise=-0.10)
        case "drop":
            return replace(one, rise=0.08)
    return one


def _act(figure: Figure, said: str) -> str:
    """What the words let the figure do: ``dance``, ``run``, ``walk`` or nothing in particular."""
    reading = read(said)
    if figure.kind == "dancer" or reading.has("dancer"):
        return "dance" if figure.kind not in BEASTS else ""
    if reading.has("run"):
        return "run"
    return "walk" if reading.has("walk") else ""
