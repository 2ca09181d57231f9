"""Which named things a scene really shows. What it does not show is said, never claimed."""

from __future__ import annotations

from media.scenery.palettes import TINTS
from media.scenery.words import ANIMALS, Match, Reading
from media.scenery.world import World

_TIMES = {
    "sunset": "sunset",
    "dawn": "dawn",
    "day": "day",
    "twilight": "twilight",
    "night": "night",
    "neon": "night",
    "space": "night",
}
_HOURS = frozenset({"night", "dawn", "day", "sunset", "twilight"})
_SKY = frozenset({"sun", "moon", "star", "aurora", "cloud", "rainbow", "meteor", "firework", "lightning"})
_WEATHER = frozenset({"rain", "snow", "fog", "storm", "wind", "winter", "autumn", "spring"})
_LAND = frozenset(
    {
        "sea",
        "lake",
        "river",
        "beach",
        "island",
        "mountain",
        "hill",
        "forest",
        "city",
        "rooftop",
        "desert",
        "space",
        "planet",
        "nebula",
        "meadow",
        "lighthouse",
        "tree",
        "palm",
        "cactus",
        "train",
        "car",
        "house",
        "castle",
        "campfire",
        "boat",
        "ship",
    }
)
_HAS_LAND: dict[str, frozenset[str]] = {
    "sea": frozenset(
        {"sea", "beach", "island", "mountain", "forest", "meadow", "hill", "lake", "river", "space", "nebula"}
    ),
    "lake": frozenset({"lake", "river", "mountain", "forest", "meadow", "hill", "beach", "sea", "space", "nebula"}),
    "city": frozenset({"city", "river", "sea", "lake", "mountain", "space", "nebula"}),
    "rooftop": frozenset({"city", "rooftop", "space", "nebula"}),
    "desert": frozenset({"desert", "hill", "mountain", "space", "nebula"}),
    "mountain": frozenset({"mountain", "forest", "meadow", "hill", "space", "nebula"}),
    "forest": frozenset({"forest", "mountain", "meadow", "hill", "space", "nebula"}),
    "hills": frozenset({"hill", "meadow", "space", "nebula"}),
    "planet": frozenset({"planet", "space", "nebula", "mountain", "hill", "desert"}),
    "space": frozenset({"space", "nebula", "planet"}),
    "underwater": frozenset({"sea"}),
}
_PLACES = frozenset(
    {
        "sea",
        "lake",
        "river",
        "beach",
        "island",
        "mountain",
        "hill",
        "forest",
        "city",
        "rooftop",
        "desert",
        "space",
        "planet",
        "nebula",
        "meadow",
    }
)
_BEINGS = frozenset({*ANIMALS, "person", "man", "woman", "child", "couple", "robot", "astronaut", "dancer"})
WEARERS = frozenset(
    {*_BEINGS, "boat", "ship", "balloon", "car", "train", "house", "castle", "rocket", "lighthouse", "flower"}
)
"""What a colour word colours, instead of the sky."""


def _worn(reading: Reading) -> set[str]:
    """The colours that something in the scene wears; green is worn by whatever grows."""
    worn = {reading.colour_of(element) for element in reading.elements & WEARERS}
    if reading.has("hill", "meadow", "forest", "tree", "mountain", "lake"):
        worn.add("green")
    return {one for one in worn if one is not None}


def sky_colour(reading: Reading) -> str | None:
    """The first colour word that nothing wears: it tints the sky. White and black tint nothing."""
    worn = _worn(reading)
    free = (match.element for match in reading.matches if match.element in TINTS and match.element not in worn)
    return next((one for one in free if one not in ("white", "black")), None)


def shown(world: World, place: str, *, ground: bool, water: bool) -> tuple[list[Match], list[Match]]:
    """The matches that became visible, and those that did not; ``ground`` and ``water``: whether the scene has them."""
    reading = world.reading
    hidden: set[str] = set()
    named = reading.elements
    time = _TIMES.get(world.palette.name)
    hidden |= {hour for hour in _HOURS & named if hour != time and not (hour == "night" and world.palette.dark >= 1.0)}
    hidden |= {"sun"} if world.light.kind != "sun" else set()
    hidden |= {"moon"} if world.light.kind != "moon" and place != "planet" else set()
    hidden |= (_PLACES & named) - _HAS_LAND[place]
    if "mountain" in named and place == "mountain":
        hidden -= {"mountain"}
    if "beach" in named and place != "sea":
        hidden |= {"beach"}
    if not water:
        hidden |= {"boat", "ship"}
    if place == "underwater":
        hidden |= _HOURS | _SKY | _WEATHER | (_LAND - {"sea"})
    if place == "space":
        hidden |= {"cloud", "rainbow", "sun", "moon", "autumn", "spring", "fog"} | (
            _LAND - {"space", "nebula", "planet"}
        )
    if place == "planet":
        hidden |= {"cloud", "rainbow", "sun", "forest", "sea", "lake"}
    if not ground:
        hidden |= {"cactus", "rock", "tree", "flower", "owl", "palm"} - ({"palm"} if place == "sea" else set())
        if place == "city":
            hidden -= {"rock"}
    if place == "desert":
        hidden |= {"flower"}
    if not named & _BEINGS:
        hidden |= {"run", "walk"}
    hidden |= {one for one in named & set(TINTS) if one not in _worn(reading) and one != sky_colour(reading)}
    if place in ("space", "underwater"):
        hidden |= {"house", "castle", "train", "car", "campfire"}
    yes = [match for match in reading.matches if match.element not in hidden]
    no = [match for match in reading.matches if match.element in hidden]
    return yes, no


def labelled(matches: list[Match]) -> list[str]:
    """For a person: the word as written, and what it became where that is another word."""
    texts = [
        match.word if match.word.casefold() == match.element else f"{match.word} ({match.element})" for match in matches
    ]
    return list(dict.fromkeys(texts))
