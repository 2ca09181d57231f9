"""Drafts: a keyboard under what is not ordered yet, to change shape, length, resolution and generator and see the price.

Nothing is kept of a draft: all of it stands in its buttons, so it works after any restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.commands.marks import Marks
from bot.engine.engine import Engine
from bot.platforms.telegram.speaking import Speaking
from bot.platforms.telegram.wire import Pressed, Said
from bot.platforms.telegram.wishes import Wish
from core.errors import NotFound
from storage.views import JobRow

VERBS: Final = frozenset({"draft", "draft_make"})
"""A choice, and the order."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be ordered from a draft."""

    fields: dict[str, Any]
    job_id: str | None
    """The clip that is made again; None: what the message asks for that the draft answers."""


class Drafts:
    """See above."""

    def __init__(self, engine: Engine, marks: Marks, speaking: Speaking) -> None:
        """``speaking`` redraws a draft in its place."""
        self._engine, self._marks, self._speaking = engine, marks, speaking

    def owns(self, verb: str) -> bool:
        """Whether ``verb`` is a button of a draft."""
        return verb in VERBS

    async def offer(self, wish: Wish, said: Said, fields: Mapping[str, Any], *, pictures: int) -> None:
        """Post the draft of an order, as a reply to the message that asks for it. Raises RequestError kinds."""
        raise NotFound("no drafts yet")

    async def tune(self, wish: Wish, row: JobRow) -> None:
        """Post the draft of a clip that is to be made again. Raises RequestError kinds."""
        raise NotFound("no drafts yet")

    async def press(self, wish: Wish, pressed: Pressed, verb: str, subject: str) -> Chosen | None:
        """A choice redraws the draft; "make it" returns what to order. Raises NotAllowed for others, NotFound for what is gone."""
        raise NotFound("no drafts yet")
