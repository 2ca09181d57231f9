"""What a person wants: parsed from the fields of any surface, checked, and stored as it was said.

A field that was not given is not in ``explicit``: the generator's default then applies without a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from core.errors import BadOption
from core.fields import as_written, listed, read_choice, read_flag, read_text, read_whole

PROMPT_CHARACTERS: Final = 4000
NEGATIVE_CHARACTERS: Final = 1000
LINE_CHARACTERS: Final = 500
SESSION_CHARACTERS: Final = 128
SEED_MOST: Final = 2**32 - 1
MOST_PICTURES: Final = 10
"""Of one order that are used, whatever a generator takes: as many as the album of a chat holds, and what two minutes prepare."""

ASPECTS: Final = ("16:9", "9:16")
RESOLUTIONS: Final = ("720p", "1080p")
SECONDS: Final = (4, 6, 8)
"""Legal on every generator (docs/reference/http.md); others may be added by what is configured."""

PERSON_GENERATION: Final = ("allow_all", "allow_adult", "dont_allow")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One clip as a person asked for it. ``explicit`` names the fields that the person set."""

    prompt: str = ""
    line: str = ""
    """What somebody in the clip says."""
    negative_prompt: str = ""
    aspect_ratio: str = "16:9"
    resolution: str = "720p"
    seconds: int = 8
    seed: int | None = None
    audio: bool = True
    person_generation: str | None = None
    provider: str | None = None
    model: str | None = None
    pictures: int = 0
    """How many came with it, apart from a last one."""
    last_frame: bool = False
    """Whether a picture came with which the clip is to end."""
    explicit: frozenset[str] = field(default_factory=frozenset)

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON that ``from_json`` reads back unchanged."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"explicit": sorted(self.explicit)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Wanted:
        """Read what ``as_json`` wrote; fields of a later version are ignored."""
        one = int(data.get("with_picture", False))  # as it was written while there was one at most
        known: dict[str, Any] = {"pictures": one}
        known |= {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        return cls(**{**known, "explicit": frozenset(data.get("explicit", ()))})

    @property
    def with_picture(self) -> bool:
        """Whether any came with it."""
        return self.pictures > 0

    def with_prompt(self, prompt: str) -> Wanted:
        """The same wish with another prompt."""
        return replace(self, prompt=prompt)


@dataclass(frozen=True, slots=True)
class Choices:
    """The values that some configured generator can do; what parsing accepts."""

    aspects: tuple[str, ...] = ASPECTS
    resolutions: tuple[str, ...] = RESOLUTIONS
    seconds: tuple[int, ...] = SECONDS
    providers: tuple[str, ...] = ()
    """Accepted names, aliases included."""


def parse_wanted(fields: Mapping[str, Any], choices: Choices, *, pictures: int, last_frame: bool = False) -> Wanted:
    """Read the fields of docs/reference/http.md (``duration``, ``generate_audio`` …) into a Wanted. ``pictures``: how many came along,
    apart from the one with which the clip ends, which ``last_frame`` tells of.

    Raises BadOption, naming the field and its legal values. Empty strings and None mean "not given".
    """
    given = {name: value for name, value in fields.items() if value is not None and value != ""}
    explicit: set[str] = set()

    def take(name: str, attribute: str | None = None) -> Any:
        if name not in given:
            return None
        explicit.add(attribute or name)
        return given[name]

    prompt = read_text(take("prompt"), "prompt", PROMPT_CHARACTERS)
    line = read_text(take("line"), "line", LINE_CHARACTERS)
    if not prompt and not line and not pictures and not last_frame:
        legal = f"a description of the clip, up to {PROMPT_CHARACTERS} characters"
        raise BadOption("prompt", "nothing", legal, message_id="error.no_prompt")
    default = Wanted()
    aspect = take("aspect_ratio")
    resolution = take("resolution")
    seconds = take("duration", "seconds")
    seed = take("seed")
    audio = take("generate_audio", "audio")
    person = take("person_generation")
    provider = take("provider")
    model = take("model")
    return Wanted(
        prompt=prompt,
        line=line,
        negative_prompt=read_text(take("negative_prompt"), "negative_prompt", NEGATIVE_CHARACTERS),
        aspect_ratio=read_choice(aspect, "aspect_ratio", choices.aspects, default.aspect_ratio),
        resolution=read_choice(resolution, "resolution", choices.resolutions, default.resolution),
        seconds=default.seconds if seconds is None else _seconds(seconds, choices.seconds),
        seed=None if seed is None else read_whole(seed, "seed", 0, SEED_MOST),
        audio=read_flag(audio, "generate_audio", default=default.audio),
        person_generation=read_choice(person, "person_generation", PERSON_GENERATION, None),
        provider=read_choice(provider, "provider", choices.providers, None),
        model=None if model is None else read_text(model, "model", 200),
        pictures=pictures,
        last_frame=last_frame,
        explicit=frozenset(explicit),
    )


def parse_label(value: Any, name: str, most: int = SESSION_CHARACTERS) -> str | None:
    """Read an optional short label such as ``session_id`` or ``idempotency_key``; printable, ``most`` characters at most."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        raise BadOption(name, value, f"up to {most} printable characters")
    return value


def _seconds(value: Any, legal: tuple[int, ...]) -> int:
    words = listed(tuple(str(s) for s in legal))
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadOption("duration", value, words)
    text = as_written(value)
    if not re.fullmatch(r"[0-9]{1,3}(\.0)?", text) or int(float(text)) not in legal:
        raise BadOption("duration", value, words)
    return int(float(text))
