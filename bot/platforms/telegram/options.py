"""Options that people write into a message: ``--9:16 --8s --seed 7 --no "fog, people" --model veo``.

An option begins at the start of the text or after white space, with two or more dashes directly before a letter or a digit. Clients
turn ``--`` into an em dash and quotes into typographic ones, so those are read as well; but since a dash also belongs to prose, one
long dash begins an option only before a word or value that is an option. What stands in double quotes is text.

Nothing here looks at a character more than a few times: a message is up to 4096 characters of a stranger's.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from bot.platforms.telegram.vocabulary import CLIP, EXAMPLES, SHAPES, SIZES, WHOLE, Vocabulary
from core.errors import BadOption
from core.requests import Choices

SHOWN: Final = 40
PUNCTUATION: Final = ",;.!?"

_SINGLE: Final = "'‘’‚"
"""Apostrophes too, so they quote only a value, and end it only where no word goes on."""
_CLOSING: Final = {
    opening: re.compile(f"[{closing}]" + (r"(?![^\W_])" if opening in _SINGLE else ""))
    for opening, closing in (
        line.split() for line in ('“ ”"“', "” ”", '„ “”"', "« »", "» »«", '" "', "‘ ’'", "’ ’", "' '’", "‚ ‘’")
    )
}
"""What ends a quotation, by what began it: as the languages do, and as clients get it wrong."""
_LONG: Final = "–—―"
_DASHES: Final = re.compile(rf"[-{_LONG}]+(?=[^\W_])")
_MARK: Final = re.compile(rf'(?<!\S)[-{_LONG}]+(?=[^\W_])|["“”„«»]')
_WORD: Final = re.compile(r'[^\s="“”„«»]+')
_GAP: Final = re.compile(r"[^\S\r\n]*=?[^\S\r\n]*")
_VALUE: Final = re.compile(r"\S+")
_LINE: Final = re.compile(r"[^\r\n]*")
_PUNCTUATION: Final = re.compile(rf"[{PUNCTUATION}]+(?!\S)")
_PROSE: Final = re.compile(rf"[{PUNCTUATION}]*[^\S\r\n]*[^\s{PUNCTUATION}{_LONG}-]")
"""Words that go on in the same line."""
_UNIT: Final = re.compile(r"[^\S\r\n]+(?:s|secs?|seconds?)(?![^\W_])", re.IGNORECASE)
_SHAPE: Final = re.compile(r"([0-9]{1,4})[:x×/]([0-9]{1,4})")
_SECONDS: Final = re.compile(r"([0-9]{1,4})(?:\.0)?(s|secs?|seconds?)?")
_SIZE: Final = re.compile(r"[0-9]{3,4}p|[0-9]k")
_SEED: Final = re.compile(r"[0-9]{1,10}")
_COUNT: Final = re.compile(r"[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Written:
    """What a person wrote: the prompt without its options, and what the options say."""

    text: str
    fields: dict[str, Any]
    """Fields of docs/reference/http.md. A value that is not legal stays as it was written: ``parse_wanted`` says what is."""
    private: bool
    asks: bool
    """Show the price first, order nothing yet."""
    ends: bool = False
    """The clip ends with the last of its pictures."""


@dataclass(frozen=True, slots=True)
class _Option:
    start: int
    end: int
    """Behind its word; its value, if it needs one, is yet to come."""
    name: str
    """As it was written, with two hyphens."""
    field: str
    value: Any = None


def read(text: str, choices: Choices, models: Collection[str] = (), vocabulary: Vocabulary = CLIP) -> Written:
    """The options in ``text``, which has no command in front any more; of one given twice the last counts.

    ``models``: every model as ``generator/model``, so that it may be written in any case and without its generator.
    Raises BadOption for a word behind ``--`` that is no option, and for an option without its value.
    """
    return _Reading(text, choices, models, vocabulary).written()


class _Reading:
    """One text being read, from its start to its end."""

    def __init__(self, text: str, choices: Choices, models: Collection[str], vocabulary: Vocabulary) -> None:
        self._text, self._choices, self._models, self._words = text, choices, models, vocabulary
        self._found: dict[str, Any] = {}
        self._start = len(text) - len(text.lstrip())
        self._line_end = -1
        self._unclosed: dict[int, set[str]] = {}
        """Quotes that were looked for in vain up to a place: nobody looks twice."""

    def written(self) -> Written:
        kept: list[str] = []
        at = 0
        while (option := self._next(at, len(self._text))) is not None:
            kept.append(self._text[at : option.start])
            at = self._take(option)
        kept.append(self._text[at:])
        private, asks, ends = (bool(self._found.pop(name, False)) for name in ("private", "asks", "ends"))
        return Written(_joined(kept), self._found, private, asks, ends)

    def _next(self, at: int, limit: int) -> _Option | None:
        """The next option from ``at``, where one may begin at once."""
        mark = _DASHES.match(self._text, at, limit) or _MARK.search(self._text, at, limit)
        while mark is not None:
            behind = mark.end()
            if mark[0] in _CLOSING:
                behind = self._behind_quote(mark.start(), limit) or behind
            elif (option := self._option(mark)) is not None:
                return option
            mark = _MARK.search(self._text, behind, limit)
        return None

    def _behind_quote(self, at: int, limit: int) -> int | None:
        """Where the quotation in the prose that begins at ``at`` is over; None when none does, as in 5" wide."""
        before, after = self._text[at - 1 : at] if at else "", self._text[at + 1 : at + 2]
        if before.isalnum() or (after.isspace() and self._text[at] not in "«»"):
            return None
        end = self._closed(at, limit)
        return None if end is None else end + 1

    def _closed(self, at: int, limit: int) -> int | None:
        """The place of the quote that answers the one at ``at``."""
        opening, unclosed = self._text[at], self._unclosed.setdefault(limit, set())
        found = None if opening in unclosed else _CLOSING[opening].search(self._text, at + 1, limit)
        if found is None:
            unclosed.add(opening)
        return None if found is None else found.start()

    def _option(self, mark: re.Match[str]) -> _Option | None:
        """The option behind these dashes; None when they are prose. Raises BadOption for a word that is none."""
        dashes, start = mark[0], mark.start()
        soft = any(dash in _LONG for dash in dashes)
        if dashes == "-":
            return None
        found = _WORD.match(self._text, mark.end())
        word = found[0] if found else ""
        end = mark.end() + len(word)
        key = _key(word)
        alone = self._alone(key, end, soft=soft, minus="–" in dashes)
        if alone is not None and self._text[end : end + 1] != "=":
            if soft and alone[0] == "ends" and start > self._start and _PROSE.match(self._text, end):
                return None  # the hero —last of his kind
            return _Option(start, end, f"--{key}", *alone)
        head = re.split("[:：]", word, maxsplit=1)[0]
        for name, behind in ((word, end), (head, mark.end() + len(head) + 1)):
            if (field := self._words.named.get(_plain(_key(name)))) is not None:
                option = _Option(start, behind, f"--{_plain(_key(name))}", field)
                return None if soft and self._is_prose(option) else option
        if soft:
            return None
        raise self._unknown(self._text[mark.end() : mark.end() + SHOWN].split(maxsplit=1)[0])

    def _is_prose(self, option: _Option) -> bool:
        """``—with a smile`` is the option that prose is full of: it counts only before a generator; and so are ``prose`` words."""
        if option.name != "--with" and option.field not in self._words.prose:
            return False
        at = self._behind_gap(option.end)
        if option.field in self._words.texts:
            return self._text[at : at + 1] not in _CLOSING
        value = _VALUE.match(self._text, at)
        named = "" if value is None else value[0].strip("".join(_CLOSING)).rstrip(PUNCTUATION)
        if option.field in WHOLE:
            return not named.isdecimal()
        if option.field in self._words.prose:
            return self._fitted(option.field, named) not in self._words.legal.get(option.field, ())
        return self._generator(named)["provider"] not in self._choices.providers

    def _alone(self, key: str, end: int, *, soft: bool, minus: bool) -> tuple[str, Any] | None:
        """The field and value of a word without anything behind it; None when it is no such word.

        Behind a long dash a shape (10:30 is a time) or a bare number (—1990) must be a legal one, and –8 may be a temperature.
        """
        if (switch := self._words.switches.get(_plain(key))) is not None:
            return switch
        if _plain(key) in SHAPES or key in self._choices.aspects:
            return "aspect_ratio", self._aspect(key)
        if _SHAPE.fullmatch(key):
            shape = self._aspect(key)
            return None if soft and shape not in self._choices.aspects else ("aspect_ratio", shape)
        size = self._size(key)
        if not key.isdecimal():
            if _plain(key) in SIZES or _SIZE.fullmatch(key) or size in self._choices.resolutions:
                return "resolution", size
            return ("duration", self._seconds(key)) if _SECONDS.fullmatch(key) else None
        seconds = self._seconds(key)
        is_legal = size in self._choices.resolutions or seconds in self._choices.seconds
        if not _SECONDS.fullmatch(key) or (soft and (minus or not is_legal) and not _UNIT.match(self._text, end)):
            return None
        return ("resolution", size) if size in self._choices.resolutions or len(key) > 2 else ("duration", seconds)

    def _take(self, option: _Option) -> int:
        """Keep what the option says; returns where the text goes on."""
        value, end = (option.value, option.end) if option.value is not None else self._value(option)
        if value == "":
            raise self._lacking(option)
        if option.field == "duration" and str(value).isdecimal() and (unit := _UNIT.match(self._text, end)):
            end = unit.end()
        if option.field == "model":
            self._found.pop("model", None)  # of the generator that was named before
            self._found |= self._generator(value)
        else:
            self._found[option.field] = self._fitted(option.field, value)
        comma = _PUNCTUATION.match(self._text, end)
        return comma.end() if comma else end

    def _value(self, option: _Option) -> tuple[str, int]:
        """What stands behind an option, and where it ends; nothing when the line ends or another option begins."""
        at = self._behind_gap(option.end)
        if self._text[at : at + 1] in _CLOSING and (closed := self._closed(at, len(self._text))) is not None:
            return self._text[at + 1 : closed].strip(), closed + 1
        if option.field in self._words.texts:
            follows = self._next(at, self._end_of_line(at))
            value = self._text[at : self._end_of_line(at) if follows is None else follows.start].rstrip()
            return value, at + len(value)
        dashes = _DASHES.match(self._text, at)
        word = _VALUE.match(self._text, at)
        if word is None or (dashes is not None and self._option(dashes) is not None):
            return "", at
        return word[0].rstrip(PUNCTUATION), word.end()

    def _behind_gap(self, at: int) -> int:
        gap = _GAP.match(self._text, at)
        return gap.end() if gap else at

    def _end_of_line(self, at: int) -> int:
        """Looked for once in a line, since a line may have hundreds of options and they are read from left to right."""
        if at > self._line_end:
            line = _LINE.match(self._text, at)
            self._line_end = line.end() if line else at
        return self._line_end

    def _fitted(self, field: str, value: Any) -> Any:
        match field:
            case "aspect_ratio":
                return self._aspect(value)
            case "resolution":
                return self._size(value)
            case "duration":
                return self._seconds(value)
            case "seed":
                return int(value) if _SEED.fullmatch(value) else value
            case _ if field in WHOLE:
                return int(value) if _COUNT.fullmatch(value) else value
            case _ if field in self._words.legal:
                return self._legal(field, value)
            case _:
                return value

    def _legal(self, field: str, written: str) -> str:
        key = _key(written)
        known = {_plain(each): each for each in self._words.legal[field]}
        return known.get(_plain(self._words.also.get(_plain(key), key)), written)

    def _aspect(self, written: str) -> str:
        shape = _SHAPE.fullmatch(_key(written))
        named = f"{shape[1]}:{shape[2]}" if shape else SHAPES.get(_plain(_key(written)), "")
        return named if named in self._choices.aspects else written

    def _size(self, written: str) -> str:
        key = _key(written)
        legal = {size.casefold(): size for size in self._choices.resolutions}
        named = (key, f"{key}p", SIZES.get(_plain(key), ""))
        return next((legal[name] for name in named if name in legal), written)

    def _seconds(self, written: str | int) -> str | int:
        seconds = _SECONDS.fullmatch(_key(str(written)))
        is_legal = seconds is not None and int(seconds[1]) in self._choices.seconds
        return int(seconds[1]) if seconds is not None and is_legal else written

    def _generator(self, written: str) -> dict[str, str]:
        """The fields of ``generator``, ``generator/model``, or a model that we know by itself."""
        key = written.casefold()
        providers = {name.casefold(): name for name in self._choices.providers}
        for known in self._models:
            name, _, model = known.partition("/")
            if known.casefold() == key or (model.casefold() == key and key not in providers):
                return {"provider": name, "model": model}
        name, _, model = written.partition("/")
        return {"provider": providers.get(name.casefold(), name), **({"model": model} if model else {})}

    def _lacking(self, option: _Option) -> BadOption:
        """What a person is told who wrote an option and not its value."""
        first = {
            "aspect_ratio": self._choices.aspects,
            "duration": self._choices.seconds,
            "resolution": self._choices.resolutions,
            "model": self._choices.providers,
        }
        legal = first.get(option.field, ())
        example = f"{option.name} {legal[0] if legal else EXAMPLES.get(option.field, '')}".strip()
        more = {"option": option.name, "example": example}
        return BadOption(option.field, "", example, message_id="error.option_lacks_value", more=more)

    def _unknown(self, word: str) -> BadOption:
        """What a person is told who wrote an option that there is not: the nearest one, or all of them."""
        option = f"--{word}" if len(word) < SHOWN - 2 else f"--{word[: SHOWN - 3]}…"
        option = option.encode("utf-8", "replace").decode()  # half of a surrogate pair cannot be answered
        values = [*self._choices.aspects, *(f"{n}s" for n in self._choices.seconds), *self._choices.resolutions]
        known = [*values, *self._words.switches, *SHAPES, *SIZES, *self._words.named]
        near = difflib.get_close_matches(_key(word.partition("=")[0]), known, n=1, cutoff=0.7)
        legal = " ".join(f"--{name}" for name in (*values, *self._words.listed))
        if near:
            more = {"option": option, "nearest": f"--{near[0]}"}
            return BadOption(option, option, legal, message_id="error.unknown_option_near", more=more)
        return BadOption(option, option, legal, message_id="error.unknown_option", more={"option": option})


def _key(word: str) -> str:
    """A word as it is looked up: any width and case of letters, no punctuation behind it."""
    return unicodedata.normalize("NFKC", word).casefold().rstrip(PUNCTUATION)


def _plain(key: str) -> str:
    return key.replace("-", "").replace("_", "")


def _joined(kept: list[str]) -> str:
    """The pieces of text between options: one blank where an option was, or the line breaks that stood around it."""
    if len(kept) == 1:
        return kept[0].strip()
    found: list[str] = []
    breaks = 0
    for piece in kept:
        core = piece.strip()
        before = piece[: len(piece) - len(piece.lstrip())]
        breaks = max(breaks, before.count("\n"))
        if core:
            found += [("\n" * breaks or " ") if found else "", core]
            breaks = piece[len(piece.rstrip()) :].count("\n")
    return "".join(found)
