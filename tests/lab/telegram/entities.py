"""Text and what stands out in it. Telegram counts in UTF-16 code units, also where it says characters.

``formatted`` reads a text as a bot sends it: HTML, or entities, or neither. The HTML parser is written after TDLib's ``parse_html``,
with its words; MarkdownV2 is not read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.lab.telegram.refusal import bad, malformed

Json = dict[str, Any]

TAGS: Final = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("tg-spoiler", "span"), "spoiler"),
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
REFERENCE: Final = re.compile(r"&(?:#x([0-9a-fA-F]{1,8})|#([0-9]{1,8})|([a-zA-Z]+));?")
WORDS: Final = (
    ("bot_command", re.compile(r"(?<![\w/@#<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])")),
    ("mention", re.compile(r"(?<![\w@/])@[A-Za-z][A-Za-z0-9_]{3,31}\b")),
    ("hashtag", re.compile(r"(?<![\w#])#\w*[^\W\d]\w*")),
    ("url", re.compile(r"(?<!\w)https?://[^\s<>\"]+[^\s<>\".,;:!?)\]]")),
)
MOST_ENTITIES: Final = 100


def units(text: str) -> int:
    """The length as Telegram counts it."""
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)


@dataclass(slots=True)
class _Open:
    tag: str
    offset: int
    argument: str | None = None


class _Html:
    """One pass over a text. Byte offsets in complaints are UTF-8's."""

    def __init__(self, source: str) -> None:
        self.source, self.at, self.offset = source, 0, 0
        self.out: list[str] = []
        self.entities: list[Json] = []
        self.open: list[_Open] = []

    def parse(self) -> tuple[str, list[Json]]:
        """The text without tags, and its entities."""
        while self.at < len(self.source):
            character = self.source[self.at]
            if character == "&" and (said := self._reference()) is not None:
                self._put(said)
            elif character != "<":
                self._put(character)
                self.at += 1
            elif self.source.startswith("</", self.at):
                self._end()
            else:
                self._start()
        if self.open:
            raise _cannot(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')
        return "".join(self.out), self.entities

    def _put(self, text: str) -> None:
        self.out.append(text)
        self.offset += units(text)

    def _byte(self, at: int) -> int:
        return len(self.source[:at].encode())

    def _reference(self) -> str | None:
        found = REFERENCE.match(self.source, self.at)
        if found is None:
            return None
        hexadecimal, decimal, name = found.groups()
        if name is not None:
            said = NAMED.get(name)
        else:
            code = int(hexadecimal, 16) if hexadecimal else int(decimal)
            said = chr(code) if 0 < code < 0x10FFFF and not 0xD800 <= code < 0xE000 else None
        if said is not None:
            self.at = found.end()
        return said

    def _word(self, stop: str) -> str:
        begin = self.at
        while self.at < len(self.source) and not self.source[self.at].isspace() and self.source[self.at] not in stop:
            self.at += 1
        return self.source[begin : self.at]

    def _blank(self) -> None:
        while self.at < len(self.source) and self.source[self.at].isspace():
            self.at += 1

    def _peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def _start(self) -> None:
        begin, self.at = self.at, self.at + 1
        tag = self._word(">").lower()
        if not self._peek():
            raise _cannot(f"Unclosed start tag at byte offset {self._byte(begin)}")
        if tag not in TAGS:
            raise _cannot(f'Unsupported start tag "{tag}" at byte offset {self._byte(begin)}')
        opened = _Open(tag, self.offset)
        while True:
            self._blank()
            if self._peek() == ">":
                break
            self._attribute(begin, opened)
        if tag == "span" and opened.argument != "spoiler":
            raise _cannot(f'Tag "span" must have class "tg-spoiler" at byte offset {self._byte(begin)}')
        self.at += 1
        self.open.append(opened)

    def _attribute(self, begin: int, opened: _Open) -> None:
        where = f'the tag "{opened.tag}" at byte offset {self._byte(begin)}'
        name, value = self._word("=>"), ""
        if not name and self._peek():
            raise _cannot(f"Empty attribute name in {where}")
        self._blank()
        if self._peek() == "=":
            self.at += 1
            self._blank()
            value = self._quoted() if self._peek() in {'"', "'"} else self._token()
        if not self._peek():
            raise _cannot(f"Unclosed start tag at byte offset {self._byte(begin)}")
        match opened.tag, name:
            case ("a", "href") | ("tg-emoji", "emoji-id"):
                opened.argument = value
            case ("code", "class") if value.startswith("language-"):
                opened.argument = value.removeprefix("language-")
            case ("span", "class") if value.startswith("tg-"):
                opened.argument = value.removeprefix("tg-")
            case ("blockquote", "expandable"):
                opened.argument = "expandable"

    def _token(self) -> str:
        begin = self.at
        while (character := self._peek()) and (character.isalnum() or character in ".-"):
            self.at += 1
        if self._peek() and not self._peek().isspace() and self._peek() != ">":
            raise _cannot(f"Unexpected end of name token at byte offset {self._byte(begin)}")
        return self.source[begin : self.at].lower()

    def _quoted(self) -> str:
        end, said = self._peek(), []
        self.at += 1
        while (character := self._peek()) and character != end:
            reference = self._reference() if character == "&" else None
            said.append(character if reference is None else reference)
            self.at += reference is None
        self.at += bool(self._peek())
        return "".join(said)

    def _end(self) -> None:
        begin = self._byte(self.at)
        if not self.open:
            raise _cannot(f"Unexpected end tag at byte offset {begin}")
        self.at += 2
        tag = self._word(">").lower()
        self._blank()
        if self._peek() != ">":
            raise _cannot(f"Unclosed end tag at byte offset {begin}")
        opened = self.open.pop()
        if tag not in {"", opened.tag}:
            raise _cannot(f'Unmatched end tag at byte offset {begin}, expected "</{opened.tag}>", found "</{tag}>"')
        self.at += 1
        if self.offset > opened.offset:
            self._close(opened)

    def _close(self, opened: _Open) -> None:
        entity: Json = {"type": TAGS[opened.tag], "offset": opened.offset, "length": self.offset - opened.offset}
        if opened.tag == "a":
            url = opened.argument or "".join(self.out)[-entity["length"] :]
            if not re.match(r"(https?|tg|tonsite)://\S+|mailto:|\w[\w.-]*\.\w{2,}", url):
                return
            entity["url"] = url
        elif opened.tag == "tg-emoji":
            entity["custom_emoji_id"] = opened.argument or ""
        elif opened.argument == "expandable":
            entity["type"] = "expandable_blockquote"
        inner = self.entities[-1] if self.entities else None
        if opened.tag == "pre" and inner and inner["type"] == "code" and _same_place(inner, entity):
            self.entities.pop()
            entity |= {"language": inner["language"]} if "language" in inner else {}
        elif opened.tag == "code" and opened.argument:
            entity["language"] = opened.argument
        self.entities.append(entity)


def _cannot(why: str) -> Exception:
    return bad(f"can't parse entities: {why}")


def _same_place(one: Json, other: Json) -> bool:
    return bool(one["offset"] == other["offset"] and one["length"] == other["length"])


def found(text: str) -> Iterator[Json]:
    """Commands, mentions, hashtags and links, which every client marks by itself."""
    for kind, pattern in WORDS:
        for match in pattern.finditer(text):
            yield {"type": kind, "offset": units(text[: match.start()]), "length": units(match.group())}


def formatted(text: str, parse_mode: str | None, given: list[Json] | None) -> tuple[str, list[Json]]:
    """A text as a bot sends it, trimmed, with its entities in order."""
    if parse_mode and parse_mode.lower() == "html":
        text, entities = _Html(text).parse()
    elif parse_mode and parse_mode.lower() in {"markdown", "markdownv2"}:
        raise malformed("Markdown is not simulated")
    elif parse_mode:
        raise bad("unsupported parse_mode")
    else:
        entities = [dict(each) for each in given or ()]
    for entity in entities:
        if entity["type"] == "code":
            entity.pop("language", None)
    return trimmed(text, entities)


def trimmed(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Without white space at either end; what a client marks by itself is added where nothing else stands."""
    lead = units(text) - units(text.lstrip())
    text = text.strip()
    whole = units(text)
    kept = []
    for entity in entities:
        begin = max(0, entity["offset"] - lead)
        end = min(whole, entity["offset"] + entity["length"] - lead)
        if end > begin:
            kept.append(entity | {"offset": begin, "length": end - begin})
    kept += [each for each in found(text) if not any(_inside(each, other) for other in kept)]
    kept.sort(key=lambda each: (each["offset"], -each["length"]))
    return text, kept[:MOST_ENTITIES]


def _inside(entity: Json, other: Json) -> bool:
    opaque = other["type"] in {"code", "pre", "text_link"}
    return opaque and other["offset"] <= entity["offset"] < other["offset"] + other["length"]


def part(text: str, entity: Json) -> str:
    """What an entity covers."""
    raw = text.encode("utf-16-le")
    return raw[entity["offset"] * 2 : (entity["offset"] + entity["length"]) * 2].decode("utf-16-le")
