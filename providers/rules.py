"""The writer and the painter that need nobody: scenes by rules, and a character drawn by the built-in generator."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from core.errors import MediaError, Unavailable
from core.media import MediaToolbox, RenderRequest
from core.money import Price
from core.ports import Connect, EncodedPicture, Portrait, SceneDraft, Script
from providers.scripts import DESCRIPTION, short

MODEL: Final = "rules-1"
DRAW_SECONDS: Final = 120.0
SHOTS: Final = (
    "wide establishing shot, slow push in",
    "medium shot, the camera follows",
    "close-up, shallow depth of field",
    "low angle, slow tilt up",
    "tracking shot from the side",
    "detail shot, the light changes",
    "high angle, slow descent",
    "long shot from behind, silhouette",
)
ENDING: Final = "wide closing shot, slow pull back"
HOURS: Final = (
    "at dawn",
    "in the morning light",
    "at noon",
    "in the afternoon",
    "at golden sunset",
    "at dusk",
    "at night",
)
_PARTS: Final = re.compile(
    r"(?<=[.!?;:…。！？])\s+|\n+|,?\s+(?:then|and then|dann|und dann|puis|et puis|luego|después)\s+", re.IGNORECASE
)


def scenes_by_rules(idea: str, character: str, scenes: int) -> tuple[SceneDraft, ...]:
    """The idea's own sentences, one after the other over ``scenes`` scenes, each with a shot and an hour that goes on; pure.

    An hour or a light that the idea names itself is left to it: the first sentence that has one keeps the whole film in it.
    """
    beats = [part.strip(" ,;") for part in _PARTS.split(idea) if part.strip(" ,;.")] or [idea.strip()]
    named = re.search(
        r"\b(dawn|morning|noon|afternoon|sunset|dusk|night|evening|nacht|abend|morgen|nuit|noche|soir)\b", idea.lower()
    )
    drafts = []
    for number in range(scenes):
        beat = beats[min(len(beats) - 1, number * len(beats) // scenes)]
        shot = ENDING if number == scenes - 1 and scenes > 1 else SHOTS[number % len(SHOTS)]
        hour = "" if named else HOURS[min(len(HOURS) - 1, number * len(HOURS) // max(1, scenes))]
        words = ", ".join(each for each in (beat.rstrip("."), character.strip().rstrip("."), hour, shot) if each)
        drafts.append(SceneDraft(short(words, DESCRIPTION)))
    return tuple(drafts)


class LocalScenes:
    """Implements ``core.ports.SceneWriter`` without anybody's help."""

    name = "local"

    def estimate(self, scenes: int) -> Price:
        """Nothing."""
        del scenes
        return Price(0)

    async def write(self, idea: str, character: str, scenes: int) -> Script:
        """At once."""
        return Script(scenes_by_rules(idea, character, scenes), self.name, MODEL, 0.0)

    async def check(self) -> str:
        """Nothing can be wrong."""
        return "writes by rules, without anybody's help"

    async def close(self) -> None:
        """Nothing is held."""
        return


class LocalCharacters:
    """Implements ``core.ports.CharacterPainter`` with a frame of the built-in generator."""

    name = "local"

    def __init__(self, media: MediaToolbox, folder: Path) -> None:
        """``folder``: for the clip from which the frame is taken."""
        self._media, self._folder = media, folder

    def estimate(self) -> Price:
        """Nothing."""
        return Price(0)

    async def paint(self, description: str, references: Sequence[EncodedPicture] = ()) -> Portrait:
        """The same description is drawn the same way. It takes no pictures along."""
        del references
        seed = int.from_bytes(hashlib.sha256(description.encode()).digest()[:4])
        request = RenderRequest(prompt=description, seconds=2, seed=seed, caption=False, sound=False)
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True, mode=0o700)
        clip = self._folder / f"{secrets.token_hex(16)}.mp4"
        still = clip.with_suffix(".jpg")
        try:
            await self._media.render(request, clip, deadline=DRAW_SECONDS)
            await self._media.poster(clip, still)
            data = await asyncio.to_thread(still.read_bytes)
        except MediaError as error:
            raise Unavailable("the picture could not be drawn", code=error.code) from error
        finally:
            for path in (clip, still):
                await asyncio.to_thread(path.unlink, missing_ok=True)
        return Portrait(data, "image/jpeg", self.name, MODEL, 0.0)

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
