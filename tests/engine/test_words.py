"""Words filled in with typed values: durations, ordinals, credits, sizes and clocks, as a person would say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.clips import details, quota_lines
from bot.engine.words import Bookshelf, Words, languages
from core.cards import Message, card_of
from core.states import MOVES, JobState
from storage.views import JobRow
from tests.core.examples import NOON, job, view

WORDS = Words("en")


def formatted(value: float | str, spec: str, language: str = "en") -> str:
    return Words(language).vformat(f"{{value:{spec}}}", (), {"value": value})


@pytest.mark.parametrize(
    "seconds, said",
    [
        (-5, "1 s"),
        (0, "1 s"),
        (0.4, "1 s"),
        (1, "1 s"),
        (29.6, "30 s"),
        (31, "30 s"),
        (33, "35 s"),
        (57, "55 s"),
        (58, "1 min"),
        (59.9, "1 min"),
        (60, "1 min"),
        (69, "1 min"),
        (70, "1 min 10 s"),
        (119, "1 min 50 s"),
        (120, "2 min"),
        (599, "9 min 50 s"),
        (600, "10 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (3660, "1 h 1 min"),
        (36_000, "10 h"),
        (90_000, "25 h"),
    ],
)
def test_durations_are_as_exact_as_they_deserve(seconds: float, said: str) -> None:
    assert formatted(seconds, "duration") == said


@given(st.floats(0, 10**6))
def test_a_duration_is_never_far_from_the_truth(seconds: float) -> None:
    said = formatted(seconds, "duration")
    units = {"s": 1, "min": 60, "h": 3600}
    words = said.split()
    told = sum(int(number) * units[unit] for number, unit in zip(words[::2], words[1::2], strict=True))
    assert abs(told - max(1.0, seconds)) <= max(3.0, 0.16 * seconds)


@pytest.mark.parametrize(
    "number, said",
    list(
        zip(
            (1, 2, 3, 4, 10, 11, 12, 13, 20, 21, 22, 101, 111, 112, 1003),
            [
                "1st",
                "2nd",
                "3rd",
                "4th",
                "10th",
                "11th",
                "12th",
                "13th",
                "20th",
                "21st",
                "22nd",
                "101st",
                "111th",
                "112th",
                "1003rd",
            ],
            strict=True,
        )
    ),
)
def test_ordinals(number: int, said: str) -> None:
    assert formatted(number, "ordinal") == said


@pytest.mark.parametrize(
    "value, spec, said",
    [
        (0, "credits", "0 credits"),
        (1, "credits", "1 credit"),
        (40, "credits", "40 credits"),
        (1_234_567, "size", "1.2 MB"),
        (25_000_000, "size", "25 MB"),
        (NOON, "clock", "12:00 UTC"),
        (NOON, "date", "2026-11-22"),
        ("2026-11-22T12:00:00Z", "clock", "12:00 UTC"),
        ("2026-11-22T23:30:00-01:00", "date", "2026-11-23"),
        (1, "clips", "1 clip"),
        (0, "jobs", "0 jobs"),
        (120, "amount", "120"),
        ("unlimited", "amount", "unlimited"),
        (7, "", "7"),
    ],
)
def test_counts_sizes_and_clocks(value: int | str, spec: str, said: str) -> None:
    assert formatted(value, spec) == said


@pytest.mark.parametrize(
    "language, value, spec, said",
    [
        ("de", 1_234_567, "size", "1,2 MB"),
        ("fr", 1_234_567, "size", "1,2 Mo"),
        ("es", 25_000_000, "size", "25 MB"),
        ("de", 0, "credits", "0 Credits"),
        ("de", 1, "credits", "1 Credit"),
        ("fr", 0, "credits", "0 crédit"),  # French counts nothing in the singular
        ("fr", 1, "credits", "1 crédit"),
        ("fr", 2, "credits", "2 crédits"),
        ("fr", -50, "credits", "-50 crédits"),
        ("es", 1, "jobs", "1 encargo"),
        ("es", 0, "jobs", "0 encargos"),
        ("de", 3, "ordinal", "3."),
        ("de", "unlimited", "amount", "unbegrenzt"),
        ("fr", 80, "duration", "1 min 20 s"),
    ],
)
def test_each_language_counts_its_own_way(language: str, value: int | str, spec: str, said: str) -> None:
    assert formatted(value, spec, language) == said


@pytest.mark.parametrize("language", languages())
def test_what_is_left_and_what_is_behind_a_clip_is_told_without_gaps(language: str) -> None:
    window = {"limit": 320, "spent": 8, "held": 40, "left": 272, "resets_at": "2026-11-23T00:00:00Z"}
    free = {**window, "limit": None, "left": None, "resets_at": None}
    asked = job(JobState.DONE, wanted=job().wanted.with_prompt("a lighthouse {left}"), origin_id="earlier")
    row = JobRow(job=asked, clip=None, favourite=False, queue_position=None, has_source=False)
    for today, month in ((window, free), (free, window)):
        credits = {"today": today, "month": month, "granted": 50}
        lines = quota_lines({"credits": credits, "running": 1, "waiting": 2}, Words(language))
        lines += details(row, Words(language))
        assert len(lines) == 10
        assert [line for line in lines if "?" in line or "None" in line or "quota." in line or "details." in line] == []
        told = " ".join(lines)
        assert all(value in told for value in ("272", "320", "50", "a lighthouse {left}", "earlier", "16:9"))
        assert ("00:00 UTC" in told) == (today is window)
        assert ("2026-11-23" in told) == (month is window)


def test_a_time_also_gives_how_long_until_then() -> None:
    values = {"needed": 40, "left": 3, "resets_at": NOON + 7_200_000, "scope": "person", "period": "day"}
    said = WORDS.text(Message("error.quota_exceeded", values), NOON)
    assert "40 credits" in said
    assert "14:00 UTC" in said
    assert "2 h" in said


def test_what_a_person_wrote_is_not_read_as_a_format() -> None:
    said = WORDS.say("error.bad_option", field="seed", legal="a number", wrote="{0} {wrote!r} {{")
    assert "{0} {wrote!r} {{" in said


@pytest.mark.parametrize("language", ["en", "en-GB", "en_US", "zz", "ja"])
def test_a_language_without_a_catalogue_speaks_english(language: str) -> None:
    assert Words(language).say("state.storing") == "Finishing"


def test_the_shelf_reads_each_language_once_and_no_paths() -> None:
    shelf = Bookshelf()
    assert shelf.words("en") is shelf.words("en")
    for strange in (None, "", "../../etc", "x" * 50, "en/..", "\0", "de/..", "ja", "-", "_de"):
        assert shelf.words(strange) is shelf.words("en")


@pytest.mark.parametrize(
    "said, language",
    [("es-ES", "es"), ("es-419", "es"), ("fr", "fr"), ("de_AT", "de"), ("DE", "de"), ("en-US", "en"), ("pt-BR", "en")],
)
def test_the_shelf_knows_what_clients_call_a_language(said: str, language: str) -> None:
    shelf = Bookshelf()
    assert shelf.words(said) is shelf.words(language)
    assert shelf.words(said).language == language


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("state", MOVES, ids=lambda state: state.value)
def test_every_card_reads_as_sentences(state: JobState, language: str) -> None:
    words = Words(language)
    for of in (
        job(state),
        job(state, price=0),
        job(state, cancel_wish="cancel"),
        job(state, cancel_wish="stop_waiting"),
    ):
        for wished in (
            view(of=of, queue_position=2, queue_seconds=50.0),
            view(of=of, gives_fraction=True, left_today=5),
        ):
            text = words.card(card_of(wished), wished.now)
            lines = [line for name, line in text.items() if name.endswith("_line") and line is not None]
            assert all(line and "{" not in line and "state." not in line and "None" not in line for line in lines), (
                lines
            )
            assert all(action["label"] and "." not in action["label"] for action in text["actions"])
            assert text["headline"] == "a lighthouse at dusk"


def test_a_card_without_a_prompt_still_has_a_headline() -> None:
    wordless = card_of(view(of=job(JobState.QUEUED, wanted=job().wanted.with_prompt(""))))
    assert WORDS.card(wordless, NOON)["headline"] == "A picture, set in motion"
