"""Which hour and which light a prompt asks for."""

from __future__ import annotations

import numpy as np

from media.scenery.palettes import PALETTES, Palette
from media.scenery.planes import Colour
from media.scenery.words import Reading
from media.scenery.world import Light

_NIGHT = (
    "night",
    "firefly",
    "firework",
    "meteor",
    "star",
    "moon",
    "owl",
    "lantern",
    "aurora",
    "ufo",
    "space",
    "nebula",
)


def place_of(reading: Reading) -> str:
    """Which kind of scene carries the named things; ``""`` when nothing was named that could stand anywhere."""
    if reading.has("underwater") or (
        reading.has("fish", "jellyfish", "turtle", "shark")
        and not reading.has("sea", "lake", "river", "beach", "boat", "ship")
    ):
        return "underwater"
    ground = reading.has(
        "forest", "meadow", "mountain", "city", "desert", "beach", "sea", "lake", "hill", "rooftop", "tree"
    )
    if reading.has("planet", "space", "nebula") and not (ground and not reading.has("planet", "astronaut")):
        return (
            "planet"
            if reading.has("planet", "astronaut", "robot", "person", "man", "woman", "child", "mountain", "desert")
            else "space"
        )
    if reading.has("astronaut", "ufo") and not ground and not reading.has("house", "boat", "lighthouse"):
        return "planet" if reading.has("astronaut") else "hills"
    if reading.has("rooftop"):
        return "rooftop"
    if reading.has("city", "neon"):
        return "city"
    if reading.has("lake", "river") and not reading.has("whale", "ship", "lighthouse"):
        return "lake"
    if reading.has("sea", "beach", "island", "boat", "ship", "lighthouse", "whale", "dolphin", "shark", "palm"):
        return "sea"
    if reading.has("desert", "camel", "cactus"):
        return "desert"
    if reading.has("mountain"):
        return "mountain"
    if reading.has("forest"):
        return "forest"
    grounded = {match.element for match in reading.matches} - _MOOD_WORDS
    return "hills" if grounded else ""


_COLOURS = frozenset({"red", "orange", "yellow", "gold", "green", "teal", "blue", "purple", "pink", "white", "black"})
_MOOD_WORDS = _COLOURS | {"run", "walk"}


def hour_of(reading: Reading, place: str, rng: np.random.Generator) -> Palette:  # noqa: C901 - a flat table of words
    """The palette: the first rule that fits; without any, a seeded choice."""
    name = ""
    if place == "underwater":
        name = "underwater"
    elif place in ("space", "planet"):
        name = "space"
    elif reading.has("neon"):
        name = "neon"
    elif reading.has("storm", "lightning"):
        name = "night" if reading.has("night") else "storm"
    elif reading.has("twilight"):
        name = "twilight"
    elif reading.has("sunset") and not reading.has("night"):
        name = "sunset"
    elif reading.has("dawn") and not reading.has("night"):
        name = "dawn"
    elif reading.has(*_NIGHT) and not reading.has("day", "sun"):
        name = "night"
    elif reading.has("fog"):
        name = "misty"
    elif reading.has("rain") and not reading.has("day", "sun", "rainbow"):
        name = "grey"
    elif reading.has("day", "sun", "rainbow"):
        name = "day"
    elif reading.has("winter", "snow"):
        name = "winter"
    elif reading.has("campfire"):
        name = "twilight"
    elif reading.has("autumn"):
        name = str(rng.choice(["misty", "sunset"]))
    elif reading.has("spring", "flower", "butterfly"):
        name = str(rng.choice(["dawn", "day"]))
    elif place == "city":
        name = str(rng.choice(["twilight", "sunset", "night"]))
    elif place == "desert":
        name = str(rng.choice(["sunset", "sunset", "dawn"]))
    elif place == "forest":
        name = str(rng.choice(["misty", "dawn", "sunset"]))
    else:
        name = str(rng.choice(["sunset", "dawn", "day", "twilight"], p=[0.40, 0.25, 0.20, 0.15]))
    return PALETTES[name]


def light_of(
    reading: Reading, palette: Palette, width: int, height: int, horizon: int, rng: np.random.Generator
) -> Light:
    """Sun or moon, on a third of the picture; low at sunset and dawn, higher otherwise."""
    unit = min(width, height) / 720
    side = 0.645 if rng.random() < 0.5 else 0.355
    x = width * (side + 0.03 * (rng.random() - 0.5))
    tall = width < height
    if palette.name in ("space", "underwater"):
        return Light("none", x, horizon * 0.12, palette.light, 50 * unit)
    if palette.name in ("storm", "grey"):
        return Light(
            "sun" if reading.has("sun") else "moon" if reading.has("moon") and palette.name == "storm" else "none",
            x,
            horizon * 0.35,
            palette.light,
            40 * unit,
        )
    if palette.name in ("night", "neon", "twilight"):
        shown = "moon" not in reading.removed and (
            reading.has("moon")
            or palette.name == "neon"
            or (not reading.has("aurora", "firework", "storm") and rng.random() < 0.88)
        )
        if reading.has("sun") and palette.name == "neon":
            shown = True
        if palette.name == "neon":
            return Light(
                "sun" if shown and "sun" not in reading.removed else "none", x, horizon * 0.70, palette.light, 88 * unit
            )
        tone: Colour = palette.light
        low = 0.34 if palette.name == "night" else 0.62
        return Light(
            "moon" if shown else "none",
            x,
            horizon * (low if not tall else low + 0.04),
            tone,
            (40 if not reading.has("moon") else 50) * unit,
        )
    if "sun" in reading.removed:
        return Light("none", x, horizon * 0.5, palette.light, 44 * unit)
    high = {"sunset": 0.80, "dawn": 0.76, "misty": 0.62, "winter": 0.46, "day": 0.30}.get(palette.name, 0.5)
    radius = {"sunset": 46, "dawn": 40, "misty": 46, "winter": 34, "day": 38}.get(palette.name, 40)
    return Light("sun", x, horizon * high, palette.light, radius * unit)
