"""What somebody sees of a message: text as it reads, buttons that can be pressed, media that play."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.lab.discord import layout, speech
from tests.lab.discord.world import EPHEMERAL, LOADING, Attachment, Message

Json = dict[str, Any]
THINKING = "is thinking…"


@dataclass(frozen=True, slots=True)
class Button:
    """A button as it stands now."""

    label: str
    custom_id: str | None
    style: int
    disabled: bool = False
    url: str | None = None
    emoji: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, clip or file that is shown. ``kind``: gallery, thumbnail, file, attachment or embed."""

    kind: str
    filename: str
    mime: str
    url: str
    description: str | None = None
    spoiler: bool = False
    attachment: Attachment | None = None

    @property
    def data(self) -> bytes:
        """Its bytes; empty for something that lies elsewhere."""
        return b"" if self.attachment is None else self.attachment.path.read_bytes()


@dataclass(frozen=True, slots=True)
class Menu:
    """A select."""

    custom_id: str
    options: tuple[tuple[str, str], ...]
    """(label, value)."""
    placeholder: str = ""
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A message at the moment of looking. Look again for its later state."""

    id: str
    author: str
    text: str
    """All that can be read, top to bottom, one block a paragraph."""
    buttons: tuple[Button, ...]
    menus: tuple[Menu, ...]
    media: tuple[Picture, ...]
    ephemeral: bool
    thinking: bool
    edited: bool
    reply_to: str | None
    v2: bool
    accent: int | None
    message: Message = field(repr=False)

    spoken: tuple[str, ...] = ()
    """What a screen reader says, a stop of it a line: who, words, pictures by their descriptions, buttons."""

    @property
    def labels(self) -> list[str]:
        """What stands on the buttons that can be pressed."""
        return [button.label for button in self.buttons if not button.disabled]

    @property
    def clip(self) -> Picture | None:
        """The first video that plays where it stands: in a gallery, or attached."""
        playing = (
            each for each in self.media if each.mime.startswith("video/") and each.kind in {"gallery", "attachment"}
        )
        return next(playing, None)

    @property
    def aloud(self) -> str:
        """All that a screen reader says."""
        return "\n".join(self.spoken)

    def button(self, name: str) -> Button:
        """By label, emoji or custom_id, else by the words of its label or by a verb that is a part of its custom_id.

        Raises LookupError, also when the name fits several.
        """
        found = [each for each in self.buttons if name in {each.label, each.custom_id, each.emoji}]
        if not found:
            found = [each for each in self.buttons if name.casefold() in _names(each)]
        if not found:
            raise LookupError(f"no button {name!r} on this message; it has {[each.label for each in self.buttons]}")
        if len(found) > 1:
            raise LookupError(f"{name!r} fits {len(found)} buttons: {[each.custom_id for each in found]}")
        return found[0]


def _names(button: Button) -> set[str]:
    """``🎲 Again`` is also ``again``; ``v1:again:7`` is as well."""
    words = re.sub(r"^\W+|\W+$", "", button.label).casefold()
    return {words, *re.split(r"[^\w-]+", (button.custom_id or "").casefold())} - {""}


def see(form: Json, message: Message) -> Seen:
    """``form``: the message object with its links."""
    texts: list[str] = [THINKING] if message.flags & LOADING else []
    media: list[Picture] = []
    if message.content:
        texts.append(message.content)
    for embed in form["embeds"]:
        texts += _embed_texts(embed)
        media += [_picture("embed", embed[name], message) for name in ("image", "thumbnail") if name in embed]
    found = [each for _, each in layout.walk(form["components"])]
    for each in found:
        if each["type"] == layout.TEXT:
            texts.append(each["content"])
        elif each["type"] == layout.THUMBNAIL:
            media.append(_picture("thumbnail", each["media"], message, each))
        elif each["type"] == layout.FILE:
            media.append(_picture("file", each["file"], message, each))
        elif each["type"] == layout.GALLERY:
            media += [_picture("gallery", item["media"], message, item) for item in each["items"]]
    if not message.is_v2:  # laid out by components, a file is seen only where a component shows it
        shown = {each.attachment.id for each in media if each.attachment is not None}
        rest = [each for each in message.attachments if each.id not in shown]
        links = {each["id"]: each["url"] for each in form["attachments"]}  # what is shown elsewhere is not listed
        media += [
            Picture("attachment", each.filename, each.mime, links[each.id], each.description, each.spoiler, each)
            for each in rest
        ]
    accents = [each["accent_color"] for each in found if each["type"] == layout.CONTAINER]
    return Seen(
        id=message.id,
        author=message.author.name,
        text="\n".join(texts),
        buttons=tuple(_button(each) for each in found if each["type"] == layout.BUTTON),
        menus=tuple(_menu(each) for each in found if each["type"] in layout.SELECTS),
        media=tuple(media),
        ephemeral=bool(message.flags & EPHEMERAL),
        thinking=bool(message.flags & LOADING),
        edited=message.edited is not None,
        reply_to=None if message.reply_to is None else message.reply_to.id,
        v2=message.is_v2,
        accent=accents[0] if accents else None,
        message=message,
        spoken=speech.spoken(form, message, media),
    )


def _embed_texts(embed: Json) -> list[str]:
    parts = [(embed.get("author") or {}).get("name"), embed.get("title"), embed.get("description")]
    for each in embed.get("fields", ()):
        parts += [each["name"], each["value"]]
    return [part for part in [*parts, (embed.get("footer") or {}).get("text")] if part]


def _picture(kind: str, media: Json, message: Message, item: Json | None = None) -> Picture:
    own = next((each for each in message.attachments if f"/{each.id}/" in media["url"]), None)
    name = media["url"].split("?")[0].rsplit("/", 1)[-1]
    mime = (own.mime if own is not None else media.get("content_type")) or ""
    item = item or {}
    return Picture(kind, name, mime, media["url"], item.get("description"), bool(item.get("spoiler")), own)


def _button(each: Json) -> Button:
    emoji = (each.get("emoji") or {}).get("name") or ""
    label = each.get("label") or emoji
    return Button(label, each.get("custom_id"), each["style"], bool(each.get("disabled")), each.get("url"), emoji)


def _menu(each: Json) -> Menu:
    options = tuple((option["label"], option["value"]) for option in each.get("options") or ())
    return Menu(each["custom_id"], options, each.get("placeholder") or "", bool(each.get("disabled")))
