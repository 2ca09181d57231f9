"""What a person sees of a message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.lab.telegram import entities
from tests.lab.telegram.media import Media, Stored
from tests.lab.telegram.world import Message

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Button:
    """One under a message."""

    text: str
    data: str | None = None
    url: str | None = None
    copies: str | None = None
    """What it puts on the clipboard."""
    style: str | None = None
    said: Json = field(default_factory=dict, compare=False)
    """All that the bot said of it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A file as it stands in a message."""

    kind: str
    stored: Stored = field(compare=False)
    media: Media = field(compare=False)

    @property
    def data(self) -> bytes:
        """Its bytes."""
        return self.stored.data

    @property
    def size(self) -> int:
        """How many bytes."""
        return self.stored.size

    @property
    def name(self) -> str | None:
        """The file's name."""
        return self.stored.name

    @property
    def measures(self) -> tuple[int, int, int]:
        """Width, height and seconds as the bot said them."""
        return self.stored.width, self.stored.height, self.media.duration

    @property
    def thumbnail(self) -> bytes | None:
        """The small still."""
        return None if self.media.thumbnail is None else self.media.thumbnail.data

    @property
    def cover(self) -> bytes | None:
        """The still in full size."""
        return self.media.cover[-1].data if self.media.cover else None


@dataclass(frozen=True, slots=True)
class Seen:
    """A message at one moment."""

    message: Message = field(compare=False, repr=False)
    id: int
    sender: str
    text: str
    """The text or the caption."""
    kind: str
    """text, photo, video, animation, document or service."""
    rows: tuple[tuple[Button, ...], ...] = ()
    shown: Shown | None = None
    reply_to: int | None = None
    thread: int | None = None
    """The topic it stands in."""
    reactions: tuple[str, ...] = ()
    edited: bool = False
    marks: tuple[tuple[str, str], ...] = ()
    """What stands out: (kind, words)."""
    keyboard: Json | None = field(default=None, compare=False)
    service: Json | None = field(default=None, compare=False)

    @property
    def buttons(self) -> list[Button]:
        """All of them."""
        return [button for row in self.rows for button in row]

    @property
    def labels(self) -> list[str]:
        """What is on them."""
        return [button.text for button in self.buttons]

    @property
    def clip(self) -> Shown | None:
        """The film."""
        return self.shown if self.kind in {"video", "animation"} else None

    @property
    def picture(self) -> Shown | None:
        """The photo."""
        return self.shown if self.kind == "photo" else None

    @property
    def asks(self) -> bool:
        """Whether the client opens a reply to it."""
        return bool((self.keyboard or {}).get("force_reply"))

    def button(self, name: str) -> Button:
        """By what is on it, by its data, or by a part of what is on it. Raises LookupError."""
        exact = [each for each in self.buttons if name in {each.text, each.data}]
        for found in (exact, [each for each in self.buttons if name.casefold() in each.text.casefold()]):
            if len(found) == 1:
                return found[0]
        raise LookupError(f"{name!r} is not one of {self.labels}")

    def marked(self, kind: str) -> list[str]:
        """The words of one kind of entity, such as ``bold``."""
        return [words for each, words in self.marks if each == kind]


def look(message: Message) -> Seen:
    """A message as it is now."""
    text = message.text if message.text is not None else message.caption or ""
    kind = "service" if message.service is not None else "text" if message.media is None else message.media.kind
    sender = message.sender_chat.title if message.sender_chat else message.sender.name if message.sender else ""
    return Seen(
        message=message,
        id=message.id,
        sender=sender,
        text=text,
        kind=kind,
        rows=_rows(message.markup),
        shown=None if message.media is None else Shown(kind, message.media.main, message.media),
        reply_to=None if message.reply_to is None else message.reply_to.id,
        thread=message.thread if message.in_topic else None,
        reactions=tuple(message.reactions.values()),
        edited=message.edited is not None,
        marks=tuple((each["type"], entities.part(text, each)) for each in message.entities),
        keyboard=message.keyboard,
        service=message.service,
    )


def _rows(markup: Json | None) -> tuple[tuple[Button, ...], ...]:
    return tuple(
        tuple(
            Button(
                each["text"],
                each.get("callback_data"),
                each.get("url"),
                (each.get("copy_text") or {}).get("text"),
                each.get("style"),
                each,
            )
            for each in row
        )
        for row in (markup or {}).get("inline_keyboard", ())
    )
