"""Which words mean which element, one file a language. Data only: ``words`` reads it."""

from __future__ import annotations

from dataclasses import dataclass

from media.scenery.vocabulary import de, en, es, fr


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """One language: element → words, plus the small words by which the language is recognised."""

    code: str
    words: dict[str, str]
    negative_only: dict[str, str]
    function_words: frozenset[str]
    negations: frozenset[str]
    auto_plural: bool


LEXICONS: tuple[Lexicon, ...] = tuple(
    Lexicon(
        code,
        module.WORDS,
        module.NEGATIVE_ONLY,
        frozenset(module.FUNCTION_WORDS.split()),
        frozenset(module.NEGATIONS.split()),
        module.AUTO_PLURAL,
    )
    for code, module in (("en", en), ("de", de), ("es", es), ("fr", fr))
)
