"""What is written down of an operator's deeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Doing:
    """Who does what; ``actor`` such as ``operator@socket`` or ``discord:123``. ``details`` hold no secret and no prompt."""

    actor: str
    verb: str
    details: dict[str, Any]
