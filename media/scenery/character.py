"""From words to a figure. A word list like ``words``: kinds, colours and things in four languages, each colour with what it stands beside.

Equal words give equal figures, whatever the clip: what the words leave open follows from the words themselves.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from media.scenery.figure import PEOPLE, Carried, Figure
from media.scenery.outfits import DRAWN
from media.scenery.planes import Colour, colour
from media.scenery.quadrupeds import BEASTS
from media.scenery.vocabulary.costumes import COLOURS, METALLIC, ROLES, WEAR
from media.scenery.words import read

_WORD = re.compile(r"[^\W\d_]+")
_READ_AT_MOST = 2_000
_REACH = 4
"""Words between a colour and what it colours."""
_STOPS = frozenset(
    [
        *(
            "with",
            "and",
            "or",
            "holding",
            "carrying",
            "wearing",
            "who",
            "mit",
            "und",
            "der",
            "hält",
            "trägt",
            "avec",
            "et",
            "qui",
            "tient",
        ),
        *("con", "y", "que", "lleva", "in", "en", "im"),
    ]
)

_SKINS = tuple(colour(one) for one in ("#f2c9a4", "#e2b08a", "#d29a70", "#b57a52", "#8d5a3a", "#6a4028"))
_HAIRS = tuple(colour(one) for one in ("#2a1c16", "#4a2e1c", "#6b4426", "#a8703a", "#d8b060", "#8a3a22", "#1c1a1e"))
_TOPS = tuple(colour(one) for one in ("#2f6fb0", "#b8423a", "#3a8a5a", "#d89a3a", "#6a4a9a", "#2f8a92", "#c85a7a"))
_LOWERS = tuple(colour(one) for one in ("#3a4258", "#4a3c34", "#5a6a7a", "#6a5a48", "#2e3440"))
_SHADES = tuple(colour(one) for one in ("#2a62c8", "#d8a23a", "#2f9a6a", "#8a4ac0", "#d85a3a", "#38a0b8"))
_SUIT, _STRIPE = colour("#eef0f4"), colour("#e05a2a")
_STEEL = colour("#b9c0cb")


def figure_of(text: str, *, always: bool = False) -> Figure | None:
    """Who is described; None where no figure is named that can be drawn, unless ``always``: then it is a person."""
    found = list(_terms(text))
    role = next((value for _, group, value, _ in found if group == "role"), "")
    animal = _animal(text)
    first_role = next((at for at, group, _, _ in found if group == "role"), None)
    if animal is not None and (first_role is None or animal[1] < first_role):
        role, kind = "", animal[0]
    elif role:
        kind = ROLES[role][0]
    elif always:
        kind = "person"
    else:
        return None
    return _dressed(kind, role, found, text, animal[2] if animal else "", " ".join(_words(text)))


def subject_of(text: str) -> Figure | None:
    """Whom a description without a character is about: the first figure that it names.

    Its looks follow from its word alone and from what its clause says it wears, so that clips that name it look alike.
    """
    for clause in re.split(r"[.,;:!?…\n]+", text[:_READ_AT_MOST]):
        found = figure_of(clause)
        if found is not None:
            terms = [term for term in _terms(clause) if term[1] != "metal"]
            role = next((value for _, group, value, _ in terms if group == "role"), "")
            if found.kind in BEASTS:
                return _dressed(found.kind, "", terms, clause, found.words[-1], found.kind, strict=True)
            return _dressed(ROLES[role][0], role, terms, clause, "", role, strict=True)
    return None


def _animal(text: str) -> tuple[str, int, str] | None:
    """The first animal on four legs, where it stands among the words, and its word."""
    words = _words(text)
    for match in read(text).matches:
        if match.element in BEASTS:
            parts = _words(match.word)
            at = next((index for index in range(len(words)) if words[index : index + len(parts)] == parts), 0)
            return match.element, at, match.word
    return None


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(unicodedata.normalize("NFC", text[:_READ_AT_MOST]))]


@cache
def _table() -> dict[tuple[str, ...], list[tuple[str, str]]]:
    """Words → what they mean: (``colour``, ``metal``, ``wear`` or ``role``; which)."""
    table: dict[tuple[str, ...], list[tuple[str, str]]] = {}

    def add(words: str, group: str, value: str) -> None:
        for entry in words.split():
            key = tuple(_WORD.findall(entry.casefold().replace("_", " ")))
            meanings = table.setdefault(key, [])
            if (group, value) not in meanings:
                meanings.append((group, value))

    for name, (_, words) in COLOURS.items():
        add(words, "colour", name)
    add(METALLIC, "metal", "metal")
    for name, words in WEAR.items():
        add(words, "wear", name)
    for name, (_, _, words) in ROLES.items():
        add(words, "role", name)
    return table


def _terms(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Everything known, in order: place among the words, group, value, the word as it stands. An unknown word is a ``gap``."""
    words, table = _words(text), _table()
    position = 0
    while position < len(words):
        for length in (3, 2, 1):
            meanings = table.get(tuple(words[position : position + length]))
            if meanings and position + length <= len(words):
                for group, value in meanings:
                    yield position, group, value, " ".join(words[position : position + length])
                position += length
                break
        else:
            yield position, "stop" if words[position] in _STOPS else "gap", "", words[position]
            position += 1


def _wearer(found: list[tuple[int, str, str, str]], index: int, *, after: bool) -> str | None:
    """What the colour at ``index`` stands with: the next thing before a small word, or the last one."""
    at = found[index][0]

    def seek(way: int) -> str | None:
        place = index + way
        while 0 <= place < len(found) and abs(found[place][0] - at) <= _REACH:
            _, group, value, _ = found[place]
            if group == "stop":
                return None
            if group in ("wear", "role"):
                return value
            place += way
        return None

    first, second = (-1, 1) if after else (1, -1)
    named = seek(first) or seek(second)
    if named is None and index and found[index - 1][1] == "stop":
        return "top"
    return named


def _dressed(
    kind: str,
    role: str,
    found: list[tuple[int, str, str, str]],
    text: str,
    animal: str,
    chance_of: str,
    *,
    strict: bool = False,
) -> Figure:
    """Put on what the words name. ``strict``: a colour that stands with nothing colours nothing."""
    chance = hashlib.sha256(chance_of.encode()).digest()
    after = read(text).language in ("fr", "es")
    things: dict[str, Colour] = {}
    metal: set[str] = set()
    for entry in ROLES[role][1].split() if role else ():
        if entry == "metal":
            metal |= {"body", "top", "helmet"}
        else:
            name, _, tone = entry.partition(":")
            things[name] = colour(tone)
    words: list[str] = []
    body: Colour | None = None
    for number, (_, group, value, word) in enumerate(found):
        if group == "wear":
            things.setdefault(value, _SHADES[chance[8 + number % 8] % len(_SHADES)])
            words.append(word)
        elif group == "role" and value == role:
            words.append(word)
    for index, (_, group, value, word) in enumerate(found):
        if group not in ("colour", "metal"):
            continue
        wearer = _wearer(found, index, after=after)
        if strict and wearer is None:
            continue
        own = wearer is None or wearer in ROLES
        if group == "metal":
            metal.add("body" if own or wearer is None else wearer)
        elif own or wearer is None:
            body = body or colour(COLOURS[value][0])
        else:
            things[wearer] = colour(COLOURS[value][0])
        words.append(word)
    if animal:
        words.append(animal)
    return _made(kind, things, metal, body, chance, tuple(dict.fromkeys(words)))


def _made(
    kind: str, things: dict[str, Colour], metal: set[str], body: Colour | None, chance: bytes, words: tuple[str, ...]
) -> Figure:
    hair = things.get("hair", _HAIRS[chance[1] % len(_HAIRS)])
    skin = _SKINS[chance[0] % len(_SKINS)]
    carried = tuple(Carried(name, tone, metal=name in metal) for name, tone in things.items() if name in DRAWN)
    if kind in BEASTS:
        own = BEASTS[kind].coat if body is None or kind == "fox" else body
        return Figure(kind, own, BEASTS[kind].belly, hair, skin, "body" in metal, carried, words=words)
    if kind == "robot":
        shiny = body is None or "body" in metal
        own = things.get("top", body or _STEEL)
        return Figure(kind, own, own, hair, skin, shiny, carried, words=words)
    if kind == "astronaut":
        return Figure(
            kind,
            things.get("top", body or _SUIT),
            things.get("lower", _STRIPE),
            hair,
            skin,
            False,
            carried,
            words=words,
        )
    female = kind in ("woman", "dancer") or (kind in ("person", "child") and chance[4] % 2 == 0)
    top = things.get(
        "coat", things.get("top", things.get("dress", things.get("robe", body or _TOPS[chance[2] % len(_TOPS)])))
    )
    lower = things.get("lower", _LOWERS[chance[3] % len(_LOWERS)])
    if kind == "dancer" and "dress" not in things:
        carried = (*carried, Carried("dress", top))
    return Figure(
        kind if kind in PEOPLE else "person",
        top,
        lower,
        hair,
        skin,
        bool({"top", "body"} & metal),
        carried,
        female,
        words=words,
    )
