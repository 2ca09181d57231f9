"""Every field of an order: legal, at its bounds, of the wrong kind, and huge."""

from __future__ import annotations

import re
import time
import unicodedata
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadOption
from core.fields import clean_text
from core.requests import (
    NEGATIVE_CHARACTERS,
    PROMPT_CHARACTERS,
    SEED_MOST,
    SESSION_CHARACTERS,
    Choices,
    Wanted,
    parse_label,
    parse_wanted,
)

CHOICES = Choices(providers=("local", "veo", "google"), seconds=(4, 5, 6, 8), aspects=("16:9", "9:16", "1:1"))
HUGE_NUMBER = 10**5000


def parse(**fields: Any) -> Wanted:
    return parse_wanted({"prompt": "a lighthouse", **fields}, CHOICES, pictures=0)


LEGAL: list[tuple[str, Any, str, Any]] = [
    ("prompt", "x", "prompt", "x"),
    ("prompt", "x" * PROMPT_CHARACTERS, "prompt", "x" * PROMPT_CHARACTERS),
    ("prompt", "  two\r\n\t lines  ", "prompt", "two\nlines"),
    ("negative_prompt", "rain", "negative_prompt", "rain"),
    ("negative_prompt", "n" * NEGATIVE_CHARACTERS, "negative_prompt", "n" * NEGATIVE_CHARACTERS),
    *(("aspect_ratio", aspect, "aspect_ratio", aspect) for aspect in CHOICES.aspects),
    *(("resolution", resolution, "resolution", resolution) for resolution in CHOICES.resolutions),
    *(("duration", form(seconds), "seconds", seconds) for seconds in CHOICES.seconds for form in (int, str, float)),
    ("duration", " 8 ", "seconds", 8),
    ("duration", "8.0", "seconds", 8),
    ("seed", 0, "seed", 0),
    ("seed", "0", "seed", 0),
    ("seed", SEED_MOST, "seed", SEED_MOST),
    ("seed", f" {SEED_MOST} ", "seed", SEED_MOST),
    ("generate_audio", True, "audio", True),
    ("generate_audio", False, "audio", False),
    ("generate_audio", "TRUE", "audio", True),
    ("generate_audio", " false", "audio", False),
    *(("person_generation", word, "person_generation", word) for word in ("allow_all", "allow_adult", "dont_allow")),
    *(("provider", name, "provider", name) for name in CHOICES.providers),
    ("model", "m" * 200, "model", "m" * 200),
]


@pytest.mark.parametrize("name, value, attribute, read", LEGAL, ids=lambda value: repr(value)[:24])
def test_a_legal_value_is_read_and_remembered_as_explicit(name: str, value: Any, attribute: str, read: Any) -> None:
    wanted = parse(**{name: value})
    assert getattr(wanted, attribute) == read
    assert type(getattr(wanted, attribute)) is type(read)
    assert wanted.explicit == {"prompt", attribute}


WRONG_KINDS: tuple[Any, ...] = ([], {}, ["8"], {"a": 1}, 1.5, float("nan"), float("inf"), -1, b"x")
WRONG: list[tuple[str, Any]] = [
    *(("prompt", value) for value in (*WRONG_KINDS, 5, True, "x" * (PROMPT_CHARACTERS + 1), "x" * 1_000_000)),
    *(("negative_prompt", value) for value in (*WRONG_KINDS, 5, False, "n" * (NEGATIVE_CHARACTERS + 1))),
    *(("aspect_ratio", value) for value in (*WRONG_KINDS, 16, True, "16:10", "16:9 ", "16 : 9", "x" * 1_000_000)),
    *(("resolution", value) for value in (*WRONG_KINDS, 720, "720", "720P", "4k", "x" * 1_000_000)),
    *(("duration", value) for value in (*WRONG_KINDS, True, 0, 7, 9, 8.5, "8s", "0x8", "8.00", "+8", "٨", HUGE_NUMBER)),
    *(("duration", value) for value in (-8, "-8", "8\n8", "1e1", 1e300, -HUGE_NUMBER, "9" * 1_000_000)),
    *(("seed", value) for value in (*WRONG_KINDS, True, 0.0, SEED_MOST + 1, "-1", "1.0", "1e3", "٣", "9" * 100_000)),
    *(("seed", value) for value in (HUGE_NUMBER, -HUGE_NUMBER, 2**63, "")[:3]),
    *(("generate_audio", value) for value in (*WRONG_KINDS, 0, 1, "yes", "no", "on", "1", "x" * 1_000_000)),
    *(("person_generation", value) for value in (*WRONG_KINDS, True, "allow", "ALLOW_ALL", "x" * 1_000_000)),
    *(("provider", value) for value in (*WRONG_KINDS, True, "Local", "sora", "x" * 1_000_000)),
    *(("model", value) for value in (*WRONG_KINDS, 5, "m" * 201)),
]


@pytest.mark.parametrize("name, value", WRONG, ids=[f"{n}-{number}" for number, (n, _) in enumerate(WRONG)])
def test_a_wrong_value_is_refused_by_name_with_what_would_be_legal(name: str, value: Any) -> None:
    with pytest.raises(BadOption) as refused:
        parse(**{name: value})
    error = refused.value
    assert error.field == name == error.values["field"]
    assert error.legal
    assert len(error.values["wrote"]) <= 40
    assert len(str(error)) < 400
    error.values["wrote"].encode()  # it is shown again: no half characters


@pytest.mark.parametrize(
    "name, words",
    [
        ("aspect_ratio", "16:9, 9:16 or 1:1"),
        ("resolution", "720p or 1080p"),
        ("duration", "4, 5, 6 or 8"),
        ("seed", f"a whole number from 0 to {SEED_MOST}"),
        ("generate_audio", "true or false"),
        ("person_generation", "allow_all, allow_adult or dont_allow"),
        ("provider", "local, veo or google"),
        ("prompt", f"text of up to {PROMPT_CHARACTERS} characters"),
        ("negative_prompt", f"text of up to {NEGATIVE_CHARACTERS} characters"),
        ("model", "text of up to 200 characters"),
    ],
)
def test_the_legal_values_are_named_in_words(name: str, words: str) -> None:
    with pytest.raises(BadOption) as refused:
        parse(**{name: ["wrong"]})
    assert refused.value.legal == words


def test_nothing_said_means_the_defaults_and_nothing_explicit() -> None:
    unsaid = dict.fromkeys(("negative_prompt", "aspect_ratio", "resolution", "duration", "seed", "generate_audio"))
    blank = dict.fromkeys(("person_generation", "provider", "model"), "")
    assert parse(**unsaid, **blank) == Wanted(prompt="a lighthouse", explicit=frozenset({"prompt"}))


def test_a_default_that_was_said_is_explicit_all_the_same() -> None:
    wanted = parse(aspect_ratio="16:9", resolution="720p", duration=8, generate_audio=True)
    assert wanted.explicit == {"prompt", "aspect_ratio", "resolution", "seconds", "audio"}


@pytest.mark.parametrize("prompt", [None, "", "   ", "\u200b\u202e", "\x00\x07"])
def test_no_prompt_needs_a_picture(prompt: str | None) -> None:
    with pytest.raises(BadOption) as refused:
        parse_wanted({"prompt": prompt}, CHOICES, pictures=0)
    assert refused.value.field == "prompt"
    assert parse_wanted({"prompt": prompt}, CHOICES, pictures=1).with_picture


@pytest.mark.parametrize("with_picture", [True, False])
def test_a_wish_from_when_there_was_one_picture_at_most_is_read(with_picture: bool) -> None:
    stored = parse(seed=5).as_json()
    del stored["pictures"]
    wanted = Wanted.from_json({**stored, "with_picture": with_picture})
    assert wanted == replace(parse(seed=5), pictures=int(with_picture))
    assert wanted.with_picture is with_picture


def test_a_field_that_nobody_knows_is_no_matter() -> None:
    assert parse(colour="red", steps=50) == parse()


def test_one_choice_is_named_alone_and_none_is_said_so() -> None:
    with pytest.raises(BadOption) as refused:
        parse_wanted({"prompt": "x", "provider": "b"}, Choices(providers=("a",)), pictures=0)
    assert refused.value.legal == "a"
    with pytest.raises(BadOption) as refused:
        parse_wanted({"prompt": "x", "provider": "b"}, Choices(), pictures=0)
    assert refused.value.legal == "left out"


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.text(alphabet=st.characters(codec=None)),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from([value for _, value, _, _ in LEGAL]),
)
NAMES = sorted({name for name, *_ in LEGAL})


@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING), st.integers(0, 12))
def test_whatever_comes_is_read_or_refused_by_name(fields: dict[str, Any], pictures: int) -> None:
    try:
        wanted = parse_wanted(fields, CHOICES, pictures=pictures)
    except BadOption as refused:
        assert refused.field in NAMES  # noqa: PT017 - either answer is right
        refused.values["wrote"].encode()
        return
    assert Wanted.from_json(wanted.as_json()) == wanted
    said = {name for name, value in fields.items() if value is not None and value != ""}
    renamed = {"duration": "seconds", "generate_audio": "audio"}
    assert wanted.explicit == {renamed.get(name, name) for name in said}
    assert wanted.seconds in CHOICES.seconds
    assert wanted.seed is None or 0 <= wanted.seed <= SEED_MOST
    assert wanted.prompt or pictures
    assert (wanted.pictures, wanted.with_picture) == (pictures, pictures > 0)


@given(st.text(alphabet=st.characters(codec=None)))
def test_clean_text_is_clean_and_stays_so(text: str) -> None:
    cleaned = clean_text(text)
    assert unicodedata.normalize("NFC", cleaned) == cleaned
    assert cleaned == cleaned.strip()
    assert "  " not in cleaned
    assert not any(unicodedata.category(c).startswith("C") and c not in "\n\u200d" for c in cleaned)
    assert clean_text(cleaned) == cleaned
    cleaned.encode()


@given(st.text(alphabet="abc xyz\n", min_size=1))
def test_clean_text_keeps_every_word(text: str) -> None:
    assert clean_text(text).split() == text.split()


def test_direction_marks_and_controls_go_and_families_stay_together() -> None:
    assert clean_text("a\u202eb\u2066c\u200bd\ufeffe") == "abcde"
    assert clean_text("a\x00b\x1bc") == "a b c"
    assert clean_text("👩\u200d👧") == "👩\u200d👧"
    assert clean_text("e\u200b\u0301") == "é"
    assert clean_text("half \ud83d of a pair") == "half of a pair"


@pytest.mark.parametrize("value", [None, ""])
def test_a_label_may_be_left_out(value: str | None) -> None:
    assert parse_label(value, "session_id") is None


@pytest.mark.parametrize("value", ["a", "ä–字", "x" * SESSION_CHARACTERS])
def test_a_label_is_taken_as_it_is(value: str) -> None:
    assert parse_label(value, "session_id") == value


@pytest.mark.parametrize(
    "value", ["x" * (SESSION_CHARACTERS + 1), "a\nb", "\x00", "a\u202eb", "\ud83d", 5, [], {}, True]
)
def test_a_label_that_is_no_label_is_refused(value: Any) -> None:
    with pytest.raises(BadOption) as refused:
        parse_label(value, "session_id")
    assert refused.value.field == "session_id"
    refused.value.values["wrote"].encode()


def test_a_wish_of_a_later_version_is_still_read() -> None:
    wanted = Wanted(prompt="x", seed=5, explicit=frozenset({"prompt", "seed"}))
    assert Wanted.from_json({**wanted.as_json(), "camera": "pan"}) == wanted
    assert Wanted.from_json({}) == Wanted()
    assert set(wanted.as_json()) == {field.name for field in dataclass_fields(Wanted)}
    assert wanted.with_prompt("y") == Wanted(prompt="y", seed=5, explicit=frozenset({"prompt", "seed"}))


@given(st.text(alphabet="ab \t\n\u00a0\u2003\u2028\x00é", max_size=40))
def test_cleaning_is_what_one_pattern_would_say(text: str) -> None:
    """The plain definition, which takes quadratic time on a run of blanks."""
    said = unicodedata.normalize("NFC", text.replace("\u2028", ""))
    said = "".join(c if c in "\n\t" or not unicodedata.category(c).startswith("C") else " " for c in said)
    assert clean_text(text) == re.sub(r"[ \t]+", " ", re.sub(r"\s*\n\s*", "\n", said)).strip()


def test_cleaning_the_longest_run_of_blanks_takes_no_time() -> None:
    began = time.thread_time()
    for blank in ("\t", "\u00a0", "\n", " \n"):
        clean_text("a" + blank * (100_000 // len(blank)) + "b")
    assert time.thread_time() - began < 1.0, "a hundred thousand take milliseconds; by one pattern they took minutes"
