"""What one language of the writer by rules holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """How a scene is worded."""

    shots: tuple[tuple[str, str, str], ...]
    """In order: the shot, what is seen of who recurs, and the camera."""
    closing: tuple[str, str, str]
    hours: tuple[str, ...]
    """From dawn to night; the last two belong to the night."""
    places: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
    """Region → places by day and places by night, the opening one first."""
    articles: frozenset[str]
    """Words before which a noun phrase does not begin."""
