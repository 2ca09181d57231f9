"""What comes along with a command: pictures, and the song of a film."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture, or a song, that came with a command: already ours (``key`` in the clip store), still the platform's (``reference``), or
    the last picture of a clip of ours (``frame_of``, its key). The first picture of an order brings the others along.
    """

    name: str
    mime: str
    bytes: int | None = None
    key: str | None = None
    reference: Mapping[str, Any] | None = None
    frame_of: str | None = None
    is_last: bool = False
    """Whether the clip ends with it; at most one of an order, its last."""
    recurs: bool = False
    """Whether it shows who is in the clip, and not how the clip begins: a reference, where the generator takes any."""
    more: tuple[Attachment, ...] = ()
    """The further pictures of the same order, in their order; none of them has any of its own."""

    @property
    def pictures(self) -> tuple[Attachment, ...]:
        """Every picture of the order, this one first."""
        return (self, *self.more)

    @property
    def uploads(self) -> tuple[str, ...]:
        """Keys of the pictures that lie in the clip store as they came."""
        return tuple(each.key for each in self.pictures if each.key is not None)

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON that ``from_json`` reads back."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return plain | {"more": [each.as_json() for each in self.more]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Attachment:
        """Read what ``as_json`` wrote, also before orders had several pictures."""
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        return cls(**{**known, "more": tuple(cls.from_json(each) for each in data.get("more", ()))})
