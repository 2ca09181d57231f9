"""Colours of the hour and of the ground. A scene takes its sky, light and haze from the hour and mixes every ground colour with them."""

from __future__ import annotations

from dataclasses import dataclass

from media.scenery.planes import Colour, colour, mix


@dataclass(frozen=True, slots=True)
class Palette:
    """One hour of the day. ``sky`` runs from the zenith to the horizon."""

    name: str
    sky: tuple[Colour, ...]
    light: Colour
    """Sun or moon and what it shines on."""
    key: Colour
    """What an object's own colour is multiplied with where the light falls."""
    shade: Colour
    """… and where it does not."""
    haze: Colour
    """What distance fades into."""
    deep: Colour
    """The darkest foreground."""
    cloud: Colour
    cloud_shade: Colour
    water: Colour
    """Deep water, seen from above."""
    dark: float
    """0 broad day … 1 night: how strongly lamps, stars and windows show."""
    mood: str


def _palette(
    name: str,
    sky: str,
    *,
    light: str,
    key: str,
    shade: str,
    haze: str,
    deep: str,
    cloud: str,
    cloud_shade: str,
    water: str,
    dark: float,
    mood: str,
) -> Palette:
    return Palette(
        name,
        tuple(colour(one) for one in sky.split()),
        colour(light),
        colour(key),
        colour(shade),
        colour(haze),
        colour(deep),
        colour(cloud),
        colour(cloud_shade),
        colour(water),
        dark,
        mood,
    )


PALETTES: dict[str, Palette] = {
    palette.name: palette
    for palette in (
        _palette(
            "sunset",
            "#1d2f5f #50468a #b4577f #f58a5e #ffcf8c",
            light="#fff0c8",
            key="#ffb27a",
            shade="#6b4f86",
            haze="#f2a274",
            deep="#150d26",
            cloud="#ffb98a",
            cloud_shade="#7d5288",
            water="#20284f",
            dark=0.3,
            mood="warm",
        ),
        _palette(
            "dawn",
            "#3a5a94 #7c8fc0 #c9a8c4 #f6c3b0 #ffe6c4",
            light="#fff4dc",
            key="#ffd2b0",
            shade="#7480a8",
            haze="#f0cdc2",
            deep="#1a2138",
            cloud="#ffdcc8",
            cloud_shade="#9a93bb",
            water="#3d5878",
            dark=0.15,
            mood="bell",
        ),
        _palette(
            "day",
            "#1f66b4 #4b96d8 #8cc4ec #c8e4f2 #f4f3e4",
            light="#fffbe8",
            key="#fff4da",
            shade="#7f9cc0",
            haze="#cfe2ea",
            deep="#10261f",
            cloud="#ffffff",
            cloud_shade="#a9c0d8",
            water="#145078",
            dark=0.0,
            mood="bell",
        ),
        _palette(
            "night",
            "#030716 #08132e #0f2549 #1b4068 #35658c",
            light="#e8f0ff",
            key="#6f93c4",
            shade="#1c2c50",
            haze="#264d74",
            deep="#03060f",
            cloud="#5f83b0",
            cloud_shade="#142748",
            water="#071a34",
            dark=1.0,
            mood="night",
        ),
        _palette(
            "twilight",
            "#0f1738 #2a2f68 #5a4a8c #a46a98 #e8a08c",
            light="#ffe4d0",
            key="#c08aa8",
            shade="#3a3668",
            haze="#9a6c98",
            deep="#0a0a1c",
            cloud="#c88aa8",
            cloud_shade="#463f78",
            water="#15204a",
            dark=0.7,
            mood="night",
        ),
        _palette(
            "neon",
            "#07041c #1c0b44 #4a1670 #92257f #e0558c",
            light="#ffd0f0",
            key="#c860c0",
            shade="#2a1458",
            haze="#7a2a84",
            deep="#06030f",
            cloud="#a03c94",
            cloud_shade="#27104e",
            water="#10072c",
            dark=1.0,
            mood="synth",
        ),
        _palette(
            "storm",
            "#12181f #222c38 #3c4a58 #5d6c78 #8b979b",
            light="#e4ecf4",
            key="#9fb0bc",
            shade="#34424f",
            haze="#76848c",
            deep="#0a0e13",
            cloud="#70808c",
            cloud_shade="#1c252f",
            water="#1c2c36",
            dark=0.6,
            mood="night",
        ),
        _palette(
            "grey",
            "#5f7787 #8298a4 #a4b4b8 #c2c9c4 #dcd8c8",
            light="#fff8e8",
            key="#dcdccc",
            shade="#6b7f8a",
            haze="#c4cac6",
            deep="#16211f",
            cloud="#c8d0d2",
            cloud_shade="#7f909a",
            water="#3c5764",
            dark=0.2,
            mood="warm",
        ),
        _palette(
            "winter",
            "#4f76a8 #86a8cc #b6cde0 #e0e4e6 #fdeedd",
            light="#fffaf0",
            key="#fff0e0",
            shade="#7d98c4",
            haze="#dde4ea",
            deep="#1c2f4a",
            cloud="#ffffff",
            cloud_shade="#a8bcd4",
            water="#2f5878",
            dark=0.1,
            mood="bell",
        ),
        _palette(
            "misty",
            "#4c6c74 #7c9a94 #b0bfa6 #dccfa2 #f8e4b4",
            light="#fff4d0",
            key="#f4d8a0",
            shade="#5c7a74",
            haze="#dccfa8",
            deep="#0e1d1a",
            cloud="#efe2bd",
            cloud_shade="#8fa097",
            water="#3a5a5a",
            dark=0.15,
            mood="warm",
        ),
        _palette(
            "space",
            "#030310 #080920 #120f34 #1f1646 #33205a",
            light="#ffe8d0",
            key="#d8a890",
            shade="#2a2050",
            haze="#3f2a68",
            deep="#05030f",
            cloud="#6a4a98",
            cloud_shade="#160f38",
            water="#0a0a28",
            dark=1.0,
            mood="space",
        ),
        _palette(
            "underwater",
            "#8fe4e0 #3fb4c8 #1a82a8 #0f5684 #0a3058",
            light="#d8fff4",
            key="#7fd8d8",
            shade="#124a74",
            haze="#12608c",
            deep="#04182e",
            cloud="#a8f0ea",
            cloud_shade="#1a6a90",
            water="#0a3a60",
            dark=0.3,
            mood="space",
        ),
    )
}

GROUND: dict[str, Colour] = {
    "grass": colour("#7fa04e"),
    "autumn_grass": colour("#b08a48"),
    "rock": colour("#8a8694"),
    "snow": colour("#f4f8ff"),
    "sand": colour("#e8b878"),
    "pine": colour("#4a6e58"),
    "autumn": colour("#c8742c"),
    "leaf": colour("#6a9446"),
    "blossom": colour("#f2b4c8"),
    "city": colour("#7a7c94"),
    "moon_dust": colour("#b48a86"),
    "earth": colour("#7c6450"),
}


TINTS: dict[str, Colour] = {
    "red": colour("#e0362c"),
    "orange": colour("#ff8a2a"),
    "yellow": colour("#ffd83a"),
    "gold": colour("#f4b840"),
    "green": colour("#3cc46a"),
    "teal": colour("#28c8c0"),
    "blue": colour("#3078f0"),
    "purple": colour("#9048e8"),
    "pink": colour("#ff78b8"),
    "white": colour("#f0f2f8"),
    "black": colour("#20202a"),
}


def lit(ground: Colour, palette: Palette, light: float, far: float = 0.0) -> Colour:
    """A ground colour under this hour's light (0 shade … 1 full) at a distance (0 near … 1 lost in haze)."""
    tone = mix(palette.shade, palette.key, light)
    own = (ground[0] * tone[0], ground[1] * tone[1], ground[2] * tone[2])
    return mix(own, palette.haze, far)
