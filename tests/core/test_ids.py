"""Names for things."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from core.ids import first_job_id, new_job_id, new_secret_id


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**48 - 1))
def test_job_ids_sort_by_time(one: int, other: int) -> None:
    if one != other:
        assert (new_job_id(one) < new_job_id(other)) is (one < other)


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**48 - 1))
def test_every_job_before_a_moment_sorts_before_its_first_name(at: int, moment: int) -> None:
    assert (new_job_id(at) < first_job_id(moment)) is (at < moment)


def test_job_ids_are_short_safe_and_unlike() -> None:
    ids = {new_job_id(1_795_000_000_000) for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"[0-9a-hjkmnp-tv-z]{26}", each) for each in ids)


def test_secret_ids_have_128_bits() -> None:
    ids = {new_secret_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in ids)
