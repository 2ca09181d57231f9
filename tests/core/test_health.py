"""The circuit of a generator: what opens it, how long, what closes it, and what a rate limit means. Pure."""

from __future__ import annotations

import json

import pytest

from core import errors
from core.health import (
    FIRST_LIMIT,
    FIRST_PAUSE,
    JOBS_IN_A_ROW,
    LONGEST_ASKED,
    LONGEST_LIMIT,
    LONGEST_PAUSE,
    RECENT_MS,
    Call,
    Health,
    is_bad,
)

NOW = 1_795_348_800_000


def bad(health: Health, *jobs: str, call: Call = Call.SUBMIT, now: int = NOW) -> Health:
    for job in jobs:
        health = health.after_bad(call, job, "UNCLEAR", now)
    return health


BAD = {"Unavailable", "NothingSent", "TimedOut", "Unclear", "Garbled"}
PROVIDER_ERRORS = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, errors.ProviderError) and each is not errors.ProviderError
]


@pytest.mark.parametrize("error", PROVIDER_ERRORS, ids=lambda each: each.__name__)
def test_what_speaks_against_a_generator(error: type[errors.ProviderError]) -> None:
    assert is_bad(error()) is (error.__name__ in BAD)


def test_what_nobody_foresaw_speaks_against_it_too() -> None:
    assert is_bad(TimeoutError())
    assert is_bad(ConnectionResetError())
    assert is_bad(KeyError("a field"))


def test_different_jobs_in_a_row_open_the_circuit() -> None:
    health = bad(Health(), "a", "a", "a", "b")
    assert not health.is_open
    health = bad(health, "c")
    assert (health.opened_at, health.until) == (NOW, NOW + int(FIRST_PAUSE * 1000))
    assert JOBS_IN_A_ROW == 3


def test_something_good_between_begins_anew() -> None:
    health = bad(Health(), "a", "b").after_good(Call.SUBMIT)
    assert health == Health()
    assert not bad(health, "c", "d").is_open


def test_something_good_of_another_kind_does_not() -> None:
    assert bad(bad(Health(), "a", "b").after_good(Call.POLL), "c").is_open


def test_old_trouble_is_forgotten() -> None:
    health = bad(Health(), "a", "b")
    assert not bad(health, "c", now=NOW + RECENT_MS).is_open
    assert bad(health, "c", now=NOW + RECENT_MS - 1).is_open


@pytest.mark.parametrize("call", [Call.POLL, Call.FETCH])
def test_a_single_failure_of_what_is_simply_repeated_is_nothing(call: Call) -> None:
    health = bad(Health(), "a", "b", "c", "d", call=call)
    assert not health.is_open
    assert bad(health, "a", "b", "c", call=call).is_open


def test_a_pause_doubles_up_to_its_longest_and_is_not_moved_by_what_was_under_way() -> None:
    health, now, lengths = bad(Health(), "a", "b", "c"), NOW, []
    for n in range(12):
        assert health.until is not None
        lengths.append((health.until - now) / 1000)
        assert bad(health, "z", now=now + 1).until == health.until
        now = health.until
        health = bad(health, f"probe {n}", now=now)
    assert lengths[:4] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, 8 * FIRST_PAUSE]
    assert lengths[-1] == LONGEST_PAUSE
    assert len(health.troubles) <= 20
    assert health.opened_at == NOW


def test_a_pause_is_spread() -> None:
    health = bad(Health(), "a", "b").after_bad(Call.SUBMIT, "c", "UNCLEAR", NOW, spread=0.8)
    assert health.until == NOW + int(FIRST_PAUSE * 800)


def test_a_good_answer_of_its_kind_closes_it_and_forgets_how_often() -> None:
    health = bad(bad(Health(), "a", "b", "c"), "probe", now=NOW + 10**6)
    assert health.rounds == 2
    assert health.after_good(Call.POLL) == health, "its polls work, its submits do not"
    assert health.after_good(Call.SUBMIT) == Health()


def test_while_it_is_open_one_more_is_enough() -> None:
    health = bad(bad(Health(), "a", "b"), "c", call=Call.CLIP).after_good(Call.SUBMIT)
    assert health.is_open
    assert health.until is not None
    assert bad(health, "probe", now=health.until).rounds == 2


def test_a_clip_answers_everything_only_if_it_was_begun_when_all_was_known() -> None:
    health = bad(Health(), "a", "b", "c")
    assert health.after_good(Call.CLIP, NOW - 1).is_open
    assert health.after_good(Call.CLIP).is_open
    assert health.after_good(Call.CLIP, NOW) == Health()
    assert (
        bad(bad(Health(), "a", "b", "c", call=Call.POLL), "a", "b", "c", call=Call.POLL).after_good(Call.CLIP, 0)
        == Health()
    )


def test_closing_leaves_a_rate_limit_standing() -> None:
    health = bad(Health().after_limit(50, NOW), "a", "b", "c").after_good(Call.SUBMIT)
    assert not health.is_open
    assert health.limited(NOW + 49_999)
    assert not health.limited(NOW + 50_000)


def test_a_rate_limit_is_as_long_as_the_vendor_says() -> None:
    assert Health().after_limit(7.5, NOW).limited_until == NOW + 7500
    assert Health().after_limit(10**9, NOW).limited_until == NOW + int(LONGEST_ASKED * 1000)
    longer = Health().after_limit(60, NOW)
    assert longer.after_limit(5, NOW + 1).limited_until == longer.limited_until, "a shorter one does not shorten it"
    assert longer.after_limit(90, NOW + 1).limited_until == NOW + 90_001


def test_one_that_says_nothing_doubles_while_they_follow_closely() -> None:
    health, now, lengths = Health(), NOW, []
    for _ in range(12):
        health = health.after_limit(None, now)
        assert health.limited_until is not None
        assert health.after_limit(None, now + 1) == health, "calls that were under way met the same limit"
        lengths.append((health.limited_until - now) / 1000)
        now = health.limited_until + 100
    assert lengths[:4] == [FIRST_LIMIT, 2 * FIRST_LIMIT, 4 * FIRST_LIMIT, 8 * FIRST_LIMIT]
    assert lengths[-1] == LONGEST_LIMIT
    rested = health.after_limit(None, now + 10**7)
    assert rested.limited_until == now + 10**7 + int(FIRST_LIMIT * 1000)


def test_troubles_are_read_back_as_they_were_written() -> None:
    health = bad(bad(Health(), "a", "b", "a"), "c", call=Call.POLL)
    assert Health.troubles_of(json.loads(json.dumps(health.troubles_json()))) == health.troubles
    assert bad(Health(), "a", "b", "c").code == "UNCLEAR"
    assert Health().code == ""


@pytest.mark.parametrize("seconds", [0, 0.0, -5.0])
def test_to_come_again_at_once_says_nothing(seconds: float) -> None:
    """Taken at its word it would use up every attempt of every job within a second."""
    assert Health().after_limit(seconds, NOW) == Health().after_limit(None, NOW)


@pytest.mark.parametrize("error", [errors.DiskFull, errors.NotFound, errors.WorkerDied, errors.DatabaseFault])
def test_what_broke_in_our_own_house_speaks_against_nobody(error: type[errors.ReelayError]) -> None:
    assert not is_bad(error())
    assert not is_bad(errors.NothingSent("a picture cannot be encoded now", ours=True))
