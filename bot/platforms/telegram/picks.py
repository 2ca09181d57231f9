"""What stands in a draft's button: what was chosen, whose draft it is, and what it was chosen from. Pure."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from core.capabilities import Capabilities
from core.errors import NotFound
from core.requests import Choices

FIELDS: Final = ("aspect_ratio", "duration", "resolution", "provider")
"""What a draft changes, in the order in which a button names it."""
DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
OPEN: Final = "-"
"""Nothing was chosen here; and the job of a draft that answers a message."""
STAMP: Final = 3


@dataclass(frozen=True, slots=True)
class Picked:
    """What was chosen at the buttons of a draft; None: as it was written, or as the person or the generator usually has it."""

    aspect_ratio: str | None = None
    duration: int | None = None
    resolution: str | None = None
    provider: str | None = None

    def on(self, can: Capabilities) -> Picked:
        """The same with another generator; what it cannot make is open again."""
        return Picked(
            self.aspect_ratio if self.aspect_ratio in can.aspects else None,
            self.duration if self.duration in can.seconds else None,
            self.resolution if self.resolution in can.resolutions else None,
            can.name,
        )


@dataclass(frozen=True, slots=True)
class Subject:
    """What a button of a draft carries."""

    picked: Picked
    owner: int
    """The Telegram user who may press it."""
    job_id: str | None
    stamp: str
    """Of the choices, and on the last button also of what the draft shows."""

    def write(self, choices: Choices) -> str:
        """At most 45 characters: a job has 26, a user at most 11 (52 bits, Bot API "User")."""
        places = "".join(
            OPEN if value is None else DIGITS[legal.index(value)]
            for legal, value in zip(lists(choices), (getattr(self.picked, name) for name in FIELDS), strict=True)
        )
        return f"{places}{self.stamp}{_base36(self.owner)}.{self.job_id or OPEN}"


def read_subject(text: str, choices: Choices) -> Subject:
    """What ``Subject.write`` wrote. Raises NotFound when what it chose is not there any more; the stamp is yet to be compared."""
    head, _, job_id = text.partition(".")
    places, stamp, owner = head[: len(FIELDS)], head[len(FIELDS) : len(FIELDS) + STAMP], head[len(FIELDS) + STAMP :]
    try:
        values = {
            name: None if place == OPEN else legal[DIGITS.index(place)]
            for name, legal, place in zip(FIELDS, lists(choices), places, strict=True)
        }
        return Subject(Picked(**values), int(owner, 36), None if job_id == OPEN else job_id, stamp)
    except (ValueError, IndexError):
        raise stale() from None


def stamp_of(choices: Choices, *shown: object) -> str:
    """Three characters that are others when the choices (or what is ``shown``) are: a place must never come to mean something else."""
    text = json.dumps([lists(choices), shown])
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().lower()[:STAMP]


def lists(choices: Choices) -> tuple[tuple[Any, ...], ...]:
    """What each of ``FIELDS`` can be; a button names a value by its place."""
    return choices.aspects, choices.seconds, choices.resolutions, choices.providers


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
        if number <= 0:
            return digits


def stale() -> NotFound:
    """What is raised for a button whose draft shows something else than it would do now."""
    return NotFound("not what the draft shows", message_id="error.draft_stale")
