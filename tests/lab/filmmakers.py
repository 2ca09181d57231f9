"""A writer of scenes and a painter of characters for films on a stage: they cost, take their time, and do what a test scripts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from core.errors import ProviderError
from core.money import Price
from core.ports import Again, Clock, EncodedPicture, Portrait, SceneDraft, Script


class PaidWriter:
    """Implements ``core.ports.SceneWriter``. ``errors``: raised one after the other, before it answers."""

    name = "writer"

    def __init__(self, clock: Clock, price: int = 1, *errors: ProviderError) -> None:
        self._clock, self.price, self.errors = clock, price, list(errors)
        self.asked: list[tuple[str, str, int, Again | None]] = []
        self.seconds = 2.0
        self.hangs = asyncio.Event()
        self.hangs.set()

    def estimate(self, scenes: int) -> Price:
        del scenes
        return Price(self.price)

    async def write(self, idea: str, character: str, scenes: int, again: Again | None = None) -> Script:
        self.asked.append((idea, character, scenes, again))
        await self._clock.sleep(self.seconds)
        await self.hangs.wait()
        if self.errors:
            raise self.errors.pop(0)
        what = "anew" if again is not None else "written"
        drafts = tuple(SceneDraft(f"scene {n} {what} {len(self.asked)}", "text") for n in range(1, scenes + 1))
        return Script(drafts, self.name, "writer-1", self.price / 100)

    async def check(self) -> str:
        return "writes"

    async def close(self) -> None:
        return


class PaidPainter:
    """Implements ``core.ports.CharacterPainter``."""

    name = "painter"

    def __init__(self, clock: Clock, price: int = 4, *errors: ProviderError) -> None:
        self._clock, self.price, self.errors = clock, price, list(errors)
        self.asked: list[str] = []

    def estimate(self) -> Price:
        return Price(self.price)

    async def paint(self, description: str, references: Sequence[EncodedPicture] = ()) -> Portrait:
        del references
        self.asked.append(description)
        await self._clock.sleep(5.0)
        if self.errors:
            raise self.errors.pop(0)
        return Portrait(
            b"\x89PNG" + f"portrait {len(self.asked)}".encode(), "image/png", self.name, "painter-1", self.price / 100
        )

    async def check(self) -> str:
        return "paints"

    async def close(self) -> None:
        return
