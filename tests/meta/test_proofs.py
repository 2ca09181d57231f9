"""What the long runs conclude from what they saw."""

from __future__ import annotations

from tests.prove import LEAST_SECONDS, WARM_SECONDS, hourly


def growing(seconds: float, per_hour: float) -> list[tuple[float, float]]:
    """A memory that takes 90 MB while it warms up, and then grows evenly."""
    return [(at, min(at, 90.0) + at * per_hour / 3600) for at in range(0, int(seconds) + 1, 10)]


def test_a_short_run_does_not_know_what_an_hour_costs() -> None:
    """Two minutes of warming up were once told as 270 MB in an hour."""
    assert hourly(growing(24, 0)).startswith("not known")
    assert hourly(growing(WARM_SECONDS + LEAST_SECONDS - 20, 0)).startswith("not known")
    assert hourly([]).startswith("not known")


def test_a_long_run_tells_the_growth_after_the_warming_up() -> None:
    assert hourly(growing(WARM_SECONDS + LEAST_SECONDS + 10, 0)) == "+0 MB"
    assert hourly(growing(WARM_SECONDS + LEAST_SECONDS + 10, 36)) == "+36 MB"
