"""What a screen reader says about a message: every word, every picture by its description, every control by its name and state."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

from tests.lab.discord import layout
from tests.lab.discord.world import EPHEMERAL, LOADING, Attachment, Message

Json = dict[str, Any]
MARKS: Final = re.compile(r"\*\*|__|~~|\|\||`+|^#{1,3} |^-# |^> ", re.MULTILINE)
EMOJI: Final = re.compile(r"<a?:(\w+):\d+>")
LINK: Final = re.compile(r"\[([^\]]+)\]\((?:[^)]+)\)")


class Shown(Protocol):
    """What it needs to know of a picture, clip or file."""

    @property
    def filename(self) -> str: ...
    @property
    def mime(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def description(self) -> str | None: ...
    @property
    def spoiler(self) -> bool: ...
    @property
    def attachment(self) -> Attachment | None: ...


def spoken(form: Json, message: Message, media: Sequence[Shown]) -> tuple[str, ...]:
    """One line per stop. ``form``: the message object; ``media``: what is shown, in the order of components, then the rest."""
    who = message.author.name + (", app" if message.author.bot else "")
    said = [who if message.edited is None else f"{who}, edited"]
    if message.flags & LOADING:
        said.append(f"{message.author.name} is thinking")
    said += _words(message.content)
    pictures = {kind: iter([each for each in media if each.kind == kind]) for kind in {each.kind for each in media}}
    for embed in form["embeds"]:
        for name in ("title", "description"):
            said += _words(embed.get(name) or "")
        for each in embed.get("fields", ()):
            said += _words(f"{each['name']}: {each['value']}")
    for _, each in layout.walk(form["components"]):
        said += _component(each, pictures)
    for kind in ("embed", "attachment"):
        said += [_picture(each) for each in pictures.get(kind, ())]
    return (*said, *(["Only you can see this"] if message.flags & EPHEMERAL else []))


def _words(text: str) -> list[str]:
    plain = MARKS.sub("", LINK.sub(r"\1, link", EMOJI.sub(r"\1", text)))
    return [line.strip() for line in plain.splitlines() if line.strip()]


def _component(each: Json, pictures: dict[str, Iterator[Shown]]) -> list[str]:
    kind = each["type"]
    if kind == layout.TEXT:
        return _words(each["content"])
    if kind == layout.GALLERY:
        return [_picture(next(pictures["gallery"])) for _ in each["items"]]
    if kind in {layout.THUMBNAIL, layout.FILE}:
        return [_picture(next(pictures["thumbnail" if kind == layout.THUMBNAIL else "file"]))]
    state = ", dimmed" if each.get("disabled") else ""
    if kind == layout.BUTTON:
        name = " ".join(part for part in ((each.get("emoji") or {}).get("name"), each.get("label")) if part)
        return [f"{name}, {'link' if each['style'] == layout.LINK else 'button'}{state}"]
    if kind in layout.SELECTS:
        return [f"{each.get('placeholder') or 'Make a selection'}, menu{state}"]
    return []


def _picture(each: Shown) -> str:
    kind = {"video": "video", "image": "image", "audio": "audio"}.get(each.mime.split("/")[0], "file")
    said = f"{each.description or f'{each.filename}, no description'}, {kind}"
    return f"spoiler, {said}" if each.spoiler else said
