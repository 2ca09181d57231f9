"""What a prompt names. A word list, not understanding: whole words and their plurals, in the languages of ``vocabulary``.

``search`` is not a sea, ``mistake`` is no mist. A word that means something else in another language (German ``See``, French ``chat``)
counts only when the prompt is in its own language. "no clouds" and "without people" remove, like the negative prompt.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from media.scenery.vocabulary import LEXICONS, Lexicon

_WORD = re.compile(r"[^\W\d_]+")
_LONGEST_PHRASE = 4
_READ_AT_MOST = 4_000
_SMALL_WORDS = frozenset(
    [
        "i",
        "you",
        "he",
        "she",
        "it",
        "we",
        "they",
        "my",
        "your",
        "his",
        "her",
        "its",
        "our",
        "their",
        "me",
        "him",
        "them",
        "this",
        "that",
        "these",
        "those",
        "there",
        "here",
        "be",
        "was",
        "were",
        "has",
        "have",
        "had",
        "do",
        "does",
        "did",
        "will",
        "would",
        "can",
        "could",
        "very",
        "so",
        "as",
        "but",
        "or",
        "if",
        "then",
        "than",
        "into",
        "onto",
        "through",
        "across",
        "near",
        "beside",
        "behind",
        "above",
        "below",
        "up",
        "down",
        "out",
        "off",
        "some",
        "any",
        "all",
        "one",
        "two",
        "three",
        "four",
        "five",
        "many",
        "much",
        "few",
        "more",
        "most",
        "other",
        "another",
        "each",
        "every",
        "like",
        "just",
        "only",
        "still",
        "through",
        "while",
        "where",
        "when",
        "who",
        "what",
        "how",
        "why",
        "make",
        "made",
        "video",
        "clip",
        "film",
        "scene",
        "shot",
        "picture",
        "image",
        "photo",
        "animation",
        "please",
        "show",
        "showing",
        "create",
        "generate",
        "style",
        "beautiful",
        "cinematic",
        "view",
        "big",
        "small",
        "large",
        "little",
        "tall",
        "old",
        "young",
        "new",
        "quiet",
        "slow",
        "slowly",
        "fast",
        "distant",
        "far",
        "lonely",
        "lone",
        "single",
        "wide",
        "close",
    ]
)


COLOURS = frozenset(
    "red orange yellow gold green teal blue purple pink white black".split()  # noqa: SIM905 - a word list
)
"""Elements that are colours."""


@dataclass(frozen=True, slots=True)
class Match:
    """One element and the word that named it, as the person wrote it."""

    element: str
    word: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that was understood of a prompt: elements in order of appearance, and the words that were not."""

    matches: tuple[Match, ...]
    unknown: tuple[str, ...]
    language: str
    removed: frozenset[str]

    @property
    def elements(self) -> frozenset[str]:
        """What to draw: named and not removed."""
        return frozenset(match.element for match in self.matches)

    def has(self, *elements: str) -> bool:
        """Whether any of these is to be drawn."""
        return any(match.element in elements for match in self.matches)

    def colour_of(self, element: str) -> str | None:
        """The colour word that stands with this element: before it, or after it where the language puts it there."""
        for index, match in enumerate(self.matches):
            if match.element == element:
                near = (index + 1, index - 1) if self.language in ("es", "fr") else (index - 1,)
                for place in near:
                    if 0 <= place < len(self.matches) and self.matches[place].element in COLOURS:
                        return self.matches[place].element
        return None

    def first(self, *elements: str) -> str | None:
        """The earliest named of these, or None."""
        return next((match.element for match in self.matches if match.element in elements), None)


def read(prompt: str, negative: str = "") -> Reading:
    """Read a prompt and a negative prompt (both may be empty)."""
    tokens = _tokens(prompt)
    language = _language([token.casefold() for token in tokens])
    found, unknown, removed = _scan(tokens, language, with_negatives=False)
    negative_tokens = _tokens(negative)
    for matched in _scan(
        negative_tokens, _language([token.casefold() for token in negative_tokens]) or language, with_negatives=True
    )[0]:
        removed.add(matched.element)
    if "people" in removed:
        removed |= {"person", "man", "woman", "child", "couple", "dancer", "astronaut"}
    if "animal" in removed:
        removed |= set(ANIMALS)
    seen: set[str] = set()
    kept: list[Match] = []
    for match in found:
        if match.element not in removed and match.element not in seen:
            seen.add(match.element)
            kept.append(match)
    return Reading(tuple(kept), tuple(dict.fromkeys(unknown)), language, frozenset(removed))


ANIMALS = (
    "bird", "owl", "cat", "dog", "horse", "deer", "wolf", "fox", "bear", "rabbit", "elephant", "camel", "lion", "cow", "sheep", "giraffe",
    "whale", "dolphin", "fish", "shark", "turtle", "jellyfish", "butterfly",
)  # fmt: skip


def _tokens(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFC", text[:_READ_AT_MOST]))


def _language(words: list[str]) -> str:
    """The language with most small words; ties and silence go to the words that only it knows, then to English."""
    best, best_score = "en", 0.0
    for lexicon in LEXICONS:
        plain, _ = _table(lexicon)
        score = sum(1.0 for word in words if word in lexicon.function_words)
        score += sum(0.6 for word in words if (word,) in plain)
        if score > best_score:
            best, best_score = lexicon.code, score
    return best


def _scan(tokens: list[str], language: str, *, with_negatives: bool) -> tuple[list[Match], list[str], set[str]]:
    """Matches, unknown words and elements that a negation in the text itself removes."""
    found: list[Match] = []
    unknown: list[str] = []
    removed: set[str] = set()
    small = _SMALL_WORDS | {word for lexicon in LEXICONS for word in lexicon.function_words | lexicon.negations}
    negations = {word for lexicon in LEXICONS if lexicon.code in (language, "en") for word in lexicon.negations}
    if language != "en":
        negations -= {"not"}
    folded = [token.casefold() for token in tokens]
    position, denied = 0, 0
    while position < len(folded):
        elements, length = _elements_at(folded, position, language, with_negatives=with_negatives)
        word = " ".join(tokens[position : position + length])
        if elements and denied:
            removed |= elements
            denied = 0
        elif elements:
            found.extend(Match(element, word) for element in sorted(elements))
        elif folded[position] in negations:
            denied = 3
        elif folded[position] not in small and len(folded[position]) > 1:
            unknown.append(word)
        if denied and folded[position] not in negations:
            denied -= 1
        position += length
    return found, unknown, removed


def _elements_at(folded: list[str], position: int, language: str, *, with_negatives: bool) -> tuple[set[str], int]:
    for length in range(min(_LONGEST_PHRASE, len(folded) - position), 0, -1):
        key = tuple(folded[position : position + length])
        elements: set[str] = set()
        for lexicon in LEXICONS:
            plain, shy = _table(lexicon)
            if lexicon.code == "en" and language != "en" and length == 1 and _means_otherwise(key, language):
                continue
            elements |= plain.get(key, set())
            if lexicon.code == language:
                elements |= shy.get(key, set())
            if with_negatives:
                elements |= _negative_table(lexicon).get(key, set())
        if elements:
            return elements, length
    return set(), 1


def _means_otherwise(key: tuple[str, ...], language: str) -> bool:
    """An English word that is a common small word or another element of the prompt's own language (French ``car``, ``rose``)."""
    lexicon = next(one for one in LEXICONS if one.code == language)
    return (
        key[0] in lexicon.function_words
        or key in _table(lexicon)[1]
        or (language, key[0]) in {("fr", "car"), ("de", "fall")}
    )


@cache
def _table(lexicon: Lexicon) -> tuple[dict[tuple[str, ...], set[str]], dict[tuple[str, ...], set[str]]]:
    """Words that always count, and words that count only in this language."""
    plain: dict[tuple[str, ...], set[str]] = {}
    shy: dict[tuple[str, ...], set[str]] = {}
    for element, words in lexicon.words.items():
        for entry in words.split():
            table = shy if entry.startswith("~") else plain
            for form in _forms(entry.lstrip("~"), auto_plural=lexicon.auto_plural):
                table.setdefault(tuple(form.split("_")), set()).add(element)
    return plain, shy


@cache
def _negative_table(lexicon: Lexicon) -> dict[tuple[str, ...], set[str]]:
    table: dict[tuple[str, ...], set[str]] = {}
    for element, words in lexicon.negative_only.items():
        for entry in words.split():
            table.setdefault(tuple(entry.lstrip("~").split("_")), set()).add(element)
    return table


def _forms(word: str, *, auto_plural: bool) -> tuple[str, ...]:
    """The word and, for English, its regular plural."""
    if not auto_plural:
        return (word,)
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return (word, word + "es")
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return (word, word[:-1] + "ies")
    return (word, word + "s")
