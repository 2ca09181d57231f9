"""The writer and the painter that need nobody: scenes by rules, and a character drawn by the built-in generator."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from core.errors import MediaError, Unavailable
from core.media import MediaToolbox, RenderRequest
from core.money import Price
from core.ports import Again, Connect, EncodedPicture, Portrait, SceneDraft, Script
from media.scenery.vocabulary.costumes import ROLES
from media.scenery.words import ANIMALS, Reading, read
from providers.rulebook import ELEMENTS, LANGUAGES, REGIONS
from providers.rulebook.language import Language
from providers.scripts import DESCRIPTION, short

MODEL: Final = "rules-2"
DRAW_SECONDS: Final = 120.0
BEAT: Final = 380
CHARACTER: Final = 420
"""Characters of an idea's sentence and of a description that stand in a scene."""
SUBJECT: Final = 4
"""Words before a figure's noun that can belong to it."""

TIMELESS: Final = frozenset({"planet", "underwater"})
"""Regions that know no hours."""
_PARTS: Final = re.compile(
    r"(?<=[.!?;:…。！？])\s+|\n+|,?\s+(?:then|and then|dann|und dann|puis|et puis|luego|después)\s+", re.IGNORECASE
)
_WORD: Final = re.compile(r"[^\W\d_]+")
_HOURS: Final = frozenset({"night", "dawn", "day", "sunset", "twilight"})
_NIGHT: Final = frozenset({"night", "moon", "star", "aurora", "firefly", "firework", "meteor"})
_LIGHT: Final = re.compile(
    r"\b(dawn|morning|noon|midday|afternoon|sunset|dusk|night|midnight|evening|nachts?|abends?|morgens?|mittags?|nachmittags?|matin|midi|soir|"
    r"nuit|noche|mañana|tarde|mediodía|anochecer|amanecer)\b"
)


def scenes_by_rules(idea: str, character: str, scenes: int) -> tuple[SceneDraft, ...]:
    """The idea's own sentences, one after the other over ``scenes`` scenes, each with a shot, a place and an hour that goes on; pure.

    Whoever recurs is named in the same words in every scene: ``character``, or else the first figure of the idea. An hour that the
    idea names itself is left to it. Worded in the idea's language where that is English, German, French or Spanish.
    """
    beats = [part.strip(" ,;") for part in _PARTS.split(idea) if part.strip(" ,;.")] or [idea.strip()]
    reading = read(idea)
    words = LANGUAGES.get(reading.language, LANGUAGES["en"])
    who = short(character.strip().rstrip("."), CHARACTER) or _subject(idea, words)
    named = bool(_LIGHT.search(idea.casefold())) or reading.has(*_HOURS)
    whole = _region(idea, reading)
    taken: dict[tuple[str, bool], int] = {}
    drafts = []
    for number in range(scenes):
        beat = beats[min(len(beats) - 1, number * len(beats) // scenes)]
        hour = round(number * (len(words.hours) - 1) / max(1, scenes - 1)) if scenes > 1 else 4
        dark = reading.has(*_NIGHT) if named else hour >= len(words.hours) - 2
        region = whole if len(beats) == 1 else _region(beat, read(beat)) or whole
        places = words.places[region or "anywhere"][1 if dark else 0]
        turn = taken.get((region, dark), 0)
        taken[(region, dark)] = turn + 1
        shot, seen, camera = (
            words.closing if number == scenes - 1 and scenes > 2 else words.shots[number % len(words.shots)]
        )  # fmt: skip
        where = " ".join((places[turn % len(places)], "" if named or region in TIMELESS else words.hours[hour])).strip()
        presence = f"{who}, {seen}" if who else ""
        told = short(beat, BEAT).rstrip(" .…。")
        told = told[:1].upper() + told[1:]
        line = f"{shot}, {where}" + (f": {presence}" if presence else "")
        drafts.append(SceneDraft(short(" ".join(map(_sentence, filter(None, (told, line, camera)))), DESCRIPTION)))
    return tuple(drafts)


def _sentence(text: str) -> str:
    """With a full stop, unless it ends in a mark of its own."""
    return text if text[-1] in "!?" else text + "."


def _region(text: str, reading: Reading) -> str:
    """What the text's place looks like: of a well-known name, else of the words that the built-in generator knows; empty if neither."""
    words = [word.casefold() for word in _WORD.findall(text)]
    names = {tuple(name.split("_")): region for region, listed in REGIONS.items() for name in listed.split()}
    for start in range(len(words)):
        for length in (4, 3, 2, 1):
            found = names.get(tuple(words[start : start + length]))
            if found:
                return found
    return next((region for region, elements in ELEMENTS if reading.has(*elements)), "")


def _subject(idea: str, words: Language) -> str:
    """The first figure that the idea names, with the words before it that belong to it; empty without one."""
    tokens = [(found.group(), found.start(), found.end()) for found in _WORD.finditer(idea)]
    folded = [token.casefold() for token, _, _ in tokens]
    figures = {
        tuple(entry.split("_")) for _, _, listed in ROLES.values() for entry in listed.split()
    } | {
        tuple(match.word.casefold().split()) for match in read(idea).matches if match.element in ANIMALS
    }  # fmt: skip
    for start in range(len(folded)):
        near = [size for size in (3, 2, 1) if start + size <= len(folded)]
        length = next((size for size in near if tuple(folded[start : start + size]) in figures), 0)
        if not length:
            continue
        first = start
        for back in range(1, SUBJECT + 1):
            if start - back < 0 or re.search(r"[^\s]", idea[tokens[start - back][2] : tokens[start - back + 1][1]]):
                break
            if folded[start - back] in words.articles:
                first = start - back
                break
        phrase = idea[tokens[first][1] : tokens[start + length - 1][2]]
        return phrase[0].lower() + phrase[1:] if first < start and words is not LANGUAGES["de"] else phrase
    return ""


class LocalScenes:
    """Implements ``core.ports.SceneWriter`` without anybody's help."""

    name = "local"

    def estimate(self, scenes: int) -> Price:
        """Nothing."""
        del scenes
        return Price(0)

    async def write(self, idea: str, character: str, scenes: int, again: Again | None = None) -> Script:
        """At once."""
        if again is not None:  # of a longer film, so that there are others to choose from
            others = scenes_by_rules(idea, character, max(len(again.scenes), len(LANGUAGES["en"].shots)) + 1)
            return Script((others[(again.place + again.variation) % len(others)],), self.name, MODEL, 0.0)
        return Script(scenes_by_rules(idea, character, scenes), self.name, MODEL, 0.0)

    async def check(self) -> str:
        """Nothing can be wrong."""
        return "writes by rules, without anybody's help"

    async def close(self) -> None:
        """Nothing is held."""
        return


class LocalCharacters:
    """Implements ``core.ports.CharacterPainter`` with a portrait by the built-in generator: the figure that its clips show."""

    name = "local"

    def __init__(self, media: MediaToolbox, folder: Path) -> None:
        """``folder``: for the clip from which the frame is taken."""
        self._media, self._folder = media, folder

    def estimate(self) -> Price:
        """Nothing."""
        return Price(0)

    async def paint(self, description: str, references: Sequence[EncodedPicture] = ()) -> Portrait:
        """A square picture. The same description is drawn the same way. It takes no pictures along."""
        del references
        request = RenderRequest(prompt="", character=description, seconds=2, caption=False, sound=False)
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True, mode=0o700)
        clip = self._folder / f"{secrets.token_hex(16)}.mp4"
        still = clip.with_suffix(".png")
        try:
            await self._media.render(request, clip, deadline=DRAW_SECONDS)
            picture = await self._media.last_frame(clip, still)
            data = await asyncio.to_thread(still.read_bytes)
        except MediaError as error:
            raise Unavailable("the picture could not be drawn", code=error.code) from error
        finally:
            for path in (clip, still):
                await asyncio.to_thread(path.unlink, missing_ok=True)
        return Portrait(data, picture.mime, self.name, MODEL, 0.0)

    async def check(self) -> str:
        """The media worker is checked apart."""
        return "draws with the media worker"

    async def close(self) -> None:
        """Nothing is held."""
        return


def scenes(settings: Any, world: Connect) -> LocalScenes:
    """Connect the writer that is always there."""
    del settings, world
    return LocalScenes()


def characters(settings: Any, world: Connect) -> LocalCharacters:
    """Connect the painter that is always there."""
    del settings
    return LocalCharacters(world.media, world.scratch / "work")
