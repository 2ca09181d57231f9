"""The words that are options, of a clip's order and of a film's. Pure data; ``options.py`` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from core.films import CLIP_SOUNDS, MUSIC, TRANSITIONS

SHAPES: Final = {
    "vertical": "9:16",
    "portrait": "9:16",
    "tall": "9:16",
    "horizontal": "16:9",
    "landscape": "16:9",
    "wide": "16:9",
    "square": "1:1",
}
SIZES: Final = {"hd": "720p", "fullhd": "1080p", "fhd": "1080p", "uhd": "4k"}
EXAMPLES: Final = {
    "seed": "7",
    "negative_prompt": "fog, people",
    "line": "“Hello!”",
    "variations": "3",
    "template": "noir",
    "fill": "“subject=a cat”",
    "scenes": "6",
    "character": "“silver robot”",
    "title": "“Austin”",
    "music": "none",
    "transition": "crossfade",
    "clip_sound": "drop",
    "video_rules_template": "“grainy 16 mm film”",
}
"""What is shown of an option that lacks its value; the others have a legal one."""
WHOLE: Final = frozenset({"variations", "scenes"})
"""Fields that are a count."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which words may stand behind ``--``; each as it is without ``-`` and ``_``."""

    switches: Mapping[str, tuple[str, Any]]
    """Words that stand by themselves."""
    named: Mapping[str, str]
    """Words with something behind them, and the field that it is for."""
    texts: frozenset[str]
    """Fields of several words: quoted, or up to the next option or the end of the line."""
    listed: tuple[str, ...]
    """What somebody is told of who wrote an option that there is not."""
    legal: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Values of fields that have few."""
    also: Mapping[str, str] = field(default_factory=dict)
    """Other ways to write them."""
    prose: frozenset[str] = frozenset()
    """Fields whose words are words of stories too: behind one long dash they count only before a value that can be nothing else."""


_SOUND: Final = {
    "silent": ("generate_audio", False),
    "mute": ("generate_audio", False),
    "nosound": ("generate_audio", False),
    "noaudio": ("generate_audio", False),
    "sound": ("generate_audio", True),
    "private": ("private", True),
    "price": ("asks", True),
    "ask": ("asks", True),
}
_NAMED: Final = {
    "aspect": "aspect_ratio",
    "aspectratio": "aspect_ratio",
    "ar": "aspect_ratio",
    "ratio": "aspect_ratio",
    "seconds": "duration",
    "secs": "duration",
    "sec": "duration",
    "duration": "duration",
    "res": "resolution",
    "resolution": "resolution",
    "seed": "seed",
    "no": "negative_prompt",
    "not": "negative_prompt",
    "without": "negative_prompt",
    "negative": "negative_prompt",
    "negativeprompt": "negative_prompt",
    "model": "model",
    "generator": "model",
    "provider": "model",
    "with": "model",
}

CLIP: Final = Vocabulary(
    switches={**_SOUND, "ends": ("ends", True), "last": ("ends", True)},
    named={**_NAMED, "say": "line", "line": "line", "variations": "variations", "variants": "variations"}
    | {"template": "template", "fill": "fill", "join": "join"},
    texts=frozenset({"negative_prompt", "line", "fill"}),
    listed=("seed", "no", "say", "model", "silent", "private", "price", "ends", "variations", "template", "fill"),
    legal={"join": ("true", "false")},
    prose=frozenset({"variations", "template", "fill", "join"}),
)
FILM: Final = Vocabulary(
    switches={
        **_SOUND,
        "crossfade": ("transition", "crossfade"),
        "nomusic": ("music", "none"),
        "fit": ("fit_to_song", True),
        "fittosong": ("fit_to_song", True),
    },
    named={
        **_NAMED,
        "scenes": "scenes",
        "character": "character",
        "title": "title",
        "music": "music",
        "transition": "transition",
        "clipsound": "clip_sound",
        "rules": "video_rules_template",
    },
    texts=frozenset({"negative_prompt", "character", "title", "video_rules_template"}),
    listed=(
        *("scenes", "character", "title", "music", "transition", "clip-sound", "fit", "rules"),
        *("seed", "no", "model", "silent", "private"),
    ),
    legal={"music": MUSIC, "transition": TRANSITIONS, "clip_sound": CLIP_SOUNDS},
    also={"builtin": "built-in", "off": "none", "no": "none", "fade": "crossfade"},
    prose=frozenset({"scenes", "character", "title", "music", "transition", "clip_sound", "video_rules_template"}),
)
