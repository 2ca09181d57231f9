"""Templates, filled in and refused."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import BadOption
from core.templates import checked_name, checked_text, filled, places, read_fill

FILLED = [
    ("{prompt}, film noir", "a harbour", {}, "a harbour, film noir"),
    ("film noir", "a harbour", {}, "film noir. a harbour"),
    ("{subject} {time|at dusk}", "", {"subject": "a cat"}, "a cat at dusk"),
    ("{subject} {time|at dusk}", "", {"subject": "a cat", "time": "at dawn"}, "a cat at dawn"),
    ("{subject} and {subject}", "rain", {"subject": "a cat"}, "a cat and a cat. rain"),
    ("{subject}", "", {"subject": "{time} {prompt}"}, "{time} {prompt}"),
    ("{prompt|a lighthouse}, slow", "", {}, "a lighthouse, slow"),
]


@pytest.mark.parametrize("text, prompt, fill, made", FILLED)
def test_a_template_is_filled_in(text: str, prompt: str, fill: dict[str, str], made: str) -> None:
    assert filled(text, prompt, fill) == made


@pytest.mark.parametrize(
    "text, prompt, fill, named",
    [
        ("{prompt}, film noir", "", {}, "prompt"),
        ("{subject}", "rain", {}, "fill"),
        ("{subject}", "", {"subject": "a cat", "hour": "dawn"}, "fill"),
        ("no places", "", {"subject": "a cat"}, "fill"),
    ],
)
def test_what_stays_empty_or_has_no_place_is_named(text: str, prompt: str, fill: dict[str, str], named: str) -> None:
    with pytest.raises(BadOption) as wrong:
        filled(text, prompt, fill)
    assert wrong.value.field == named


@pytest.mark.parametrize(
    "said, read",
    [
        ("subject=a cat; time=dawn", {"subject": "a cat", "time": "dawn"}),
        ("Subject = a cat = 1 ;", {"subject": "a cat = 1"}),
        ({"subject": "a cat"}, {"subject": "a cat"}),
        ('{"subject": "a cat; a dog = 2"}', {"subject": "a cat; a dog = 2"}),
        (None, {}),
        ("", {}),
    ],
)
def test_what_goes_where_is_read(said: Any, read: dict[str, str]) -> None:
    assert read_fill(said) == read


@pytest.mark.parametrize(
    "said", ["a cat", 7, ["subject"], {"subject": 7}, "subject=a; b", '{"subject": 7}', "{subject}", '{"a":' * 99_999]
)
def test_what_cannot_be_read_is_refused(said: Any) -> None:
    with pytest.raises(BadOption, match="fill"):
        read_fill(said)


@pytest.mark.parametrize("text", ["", " ", "{", "a {b", "{B}", "{a b}", "x" * 4001, None, 7, "}{"])
def test_a_text_that_is_none_is_refused(text: Any) -> None:
    with pytest.raises(BadOption):
        checked_text(text)


@pytest.mark.parametrize("name", ["", "two words", "é", "-a", "x" * 33, None, 7])
def test_a_name_that_is_none_is_refused(name: Any) -> None:
    with pytest.raises(BadOption):
        checked_name(name)


def test_places_are_found_in_their_order() -> None:
    assert places("{b} {a|x} {b|y} {prompt}") == {"b": "y", "a": "x", "prompt": None}
    assert checked_name(" Noir ") == "noir"
