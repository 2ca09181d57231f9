"""What a person does, while its answer is awaited: a pressed button, an inline question; and what a hand holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.lab.telegram.answers import Query
from tests.lab.telegram.sight import Seen, look
from tests.lab.telegram.world import Place

if TYPE_CHECKING:
    from tests.lab.telegram.person import Person

Json = dict[str, Any]


class Impossible(Exception):
    """The client offers no such thing."""


@dataclass(frozen=True, slots=True)
class File:
    """A file in somebody's hand. As a photo it is made anew by Telegram; as a document it stays as it is."""

    name: str
    data: bytes
    mime: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Press:
    """A button that was pressed, and what came of it so far."""

    query: Query

    @property
    def answered(self) -> bool:
        """Whether the button has stopped turning."""
        return self.query.answer is not None

    @property
    def text(self) -> str:
        """What popped up."""
        return str((self.query.answer or {}).get("text", ""))

    @property
    def alert(self) -> bool:
        """Whether it has to be clicked away."""
        return bool((self.query.answer or {}).get("show_alert"))

    @property
    def seconds(self) -> float | None:
        """How long the answer took."""
        return None if self.query.answered_at is None else self.query.answered_at - self.query.born


@dataclass(frozen=True, slots=True)
class Asked:
    """``@bot something`` in the middle of being typed."""

    person: Person
    query: Query
    place: Place

    @property
    def results(self) -> list[Json] | None:
        """What is offered; None while there is no answer."""
        return None if self.query.answer is None else list(self.query.answer["results"])

    def send(self, number: int = 0) -> Seen:
        """Choose one."""
        if not self.results:
            raise Impossible("nothing is offered")
        thread, in_topic = self.person.thread(self.place)
        answers = self.person.telegram.answers
        return look(answers.choose(self.query, number, self.place.chat, thread, in_topic=in_topic))
