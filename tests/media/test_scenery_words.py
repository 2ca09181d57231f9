"""The word list reads whole words: no prefixes, no substrings, no other language's words by accident."""

from __future__ import annotations

import pytest

from media.scenery.vocabulary import LEXICONS
from media.scenery.words import read


@pytest.mark.parametrize(
    "prompt,elements",
    [
        ("a lighthouse at golden sunset", {"lighthouse", "gold", "sunset"}),
        ("search", set()),
        ("rainbow", {"rainbow"}),
        ("sunny", {"day", "sun"}),
        ("mistake", set()),
        ("skyline", {"city"}),
        ("cartoon starter seashell catalogue", set()),
        ("two wolves and three foxes", {"wolf", "fox"}),
        ("Berries, skies, ponies", {"horse"}),
        ("northern lights over pine trees", {"aurora", "forest", "tree"}),
        ("hot-air balloon", {"balloon"}),
        ("I see a cat", {"cat"}),
        ("ein Boot auf dem See", {"boat", "lake"}),
        ("ein Segelboot auf dem Meer bei Sonnenuntergang", {"boat", "sea", "sunset"}),
        ("un chat sur un toit la nuit", {"cat", "rooftop", "night"}),
        ("let us chat about it", set()),
        ("le navire car il pleut", {"ship", "rain"}),
        ("a red car", {"red", "car"}),
        ("un caballo en la playa al amanecer", {"horse", "beach", "dawn"}),
        ("OURS is the day", {"day"}),
        ("", set()),
        ("!!! 123 🎬", set()),
    ],
)
def test_whole_words_only(prompt: str, elements: set[str]) -> None:
    assert read(prompt).elements == elements


@pytest.mark.parametrize(
    "prompt,negative,gone,kept",
    [
        ("a beach with palm trees and birds", "birds", "bird", "beach"),
        ("a forest", "sunny", "day", "forest"),
        ("northern lights, no people", "", "person", "aurora"),
        ("a city without fog", "", "fog", "city"),
        ("ein Wald ohne Nebel", "", "fog", "forest"),
        ("a man and a dog", "people", "man", "dog"),
        ("a man and a dog", "animals", "dog", "man"),
    ],
)
def test_negatives_remove_whole_words(prompt: str, negative: str, gone: str, kept: str) -> None:
    reading = read(prompt, negative)
    assert gone in reading.removed
    assert gone not in reading.elements
    assert kept in reading.elements


def test_a_negative_is_no_substring() -> None:
    removed = read("the sea", "texture").removed
    assert "caption" not in removed
    assert "caption" in read("the sea", "text").removed
    assert "sun" in read("the sea", "sunshine").removed
    assert read("the sea", "sundry").removed == frozenset()


def test_unknown_words_are_reported_and_small_words_are_not() -> None:
    reading = read("a quantum lighthouse of melancholy")
    assert reading.unknown == ("quantum", "melancholy")


def test_every_language_names_the_same_elements() -> None:
    english = set(LEXICONS[0].words)
    for lexicon in LEXICONS[1:]:
        assert set(lexicon.words) <= english, lexicon.code
        assert len(set(lexicon.words)) > 0.85 * len(english), lexicon.code


def test_a_huge_prompt_is_read_in_bounded_time() -> None:
    reading = read("cat " * 100_000)
    assert reading.elements == {"cat"}
