"""The table of moves, looked at pair by pair."""

from __future__ import annotations

from itertools import product

import pytest

from core.jobs import JobKind
from core.states import (
    AT_PROVIDER,
    DELIVERY_MOVES,
    ENDED,
    LIVE,
    MOVES,
    RUNNING,
    STATE_SECONDS,
    WAITING,
    DeliveryState,
    IllegalMove,
    JobState,
    check_move,
    deadline_for,
)

S = JobState
LEGAL = {
    (S.PREPARING, S.QUEUED),
    (S.QUEUED, S.SUBMITTING),
    (S.SUBMITTING, S.GENERATING),
    (S.SUBMITTING, S.QUEUED),
    (S.SUBMITTING, S.UNCLEAR),
    (S.UNCLEAR, S.GENERATING),
    (S.GENERATING, S.STORING),
    (S.STORING, S.DONE),
    *((state, S.FAILED) for state in (S.PREPARING, S.QUEUED, S.SUBMITTING, S.UNCLEAR, S.GENERATING, S.STORING)),
    *((state, S.CANCELLED) for state in (S.PREPARING, S.QUEUED, S.SUBMITTING, S.UNCLEAR, S.GENERATING)),
}
"""Written out a second time on purpose: from the design, not from the table."""


@pytest.mark.parametrize("current, to", list(product(JobState, JobState)), ids=lambda state: state.value)
def test_every_pair_of_states(current: JobState, to: JobState) -> None:
    if (current, to) in LEGAL:
        check_move(current, to)
        return
    with pytest.raises(IllegalMove, match=f"from {current} to {to}"):
        check_move(current, to)


def test_an_illegal_move_says_what_would_be_legal() -> None:
    with pytest.raises(IllegalMove, match=r"only to: cancelled, failed, queued"):
        check_move(S.PREPARING, S.DONE)
    with pytest.raises(IllegalMove, match="nowhere, it has ended"):
        check_move(S.DONE, S.QUEUED)


def test_the_ends_are_the_states_without_a_way_on() -> None:
    assert {S.DONE, S.FAILED, S.CANCELLED} == ENDED
    assert set(JobState) == LIVE | ENDED
    assert not LIVE & ENDED


@pytest.mark.parametrize(
    "kind, first",
    [
        (JobKind.CLIP, S.PREPARING),
        (JobKind.SCRIPT, S.PREPARING),
        (JobKind.PICTURE, S.PREPARING),
        (JobKind.FILM, S.PLANNING),
        (JobKind.MERGE, S.MAKING),
    ],
    ids=lambda each: each.value,
)
def test_every_live_state_can_fail_and_reaches_an_end(kind: JobKind, first: JobState) -> None:
    reached, before = {first}, set[JobState]()
    while reached != before:
        before = set(reached)
        reached |= {onward for state in before for onward in kind.moves[state]}
    assert ENDED <= reached <= set(kind.moves)
    assert all(S.FAILED in kind.moves[state] for state in reached & LIVE)
    assert all(S.CANCELLED in kind.moves[state] for state in reached & LIVE - {S.STORING})


def test_the_tables_of_all_kinds_have_every_state() -> None:
    assert {state for kind in JobKind for state in kind.moves} == set(JobState)


FILM = {
    (S.PLANNING, S.AWAITING),
    (S.AWAITING, S.MAKING),
    (S.MAKING, S.MERGING),
    (S.MAKING, S.DONE),
    (S.MERGING, S.DONE),
    *((state, end) for state in (S.PLANNING, S.AWAITING, S.MAKING, S.MERGING) for end in (S.FAILED, S.CANCELLED)),
    *((end, again) for end in (S.DONE, S.FAILED, S.CANCELLED) for again in (S.MAKING, S.MERGING)),
}
CALL = {
    (S.PREPARING, S.SUBMITTING),
    (S.SUBMITTING, S.DONE),
    (S.SUBMITTING, S.PREPARING),
    *((state, end) for state in (S.PREPARING, S.SUBMITTING) for end in (S.FAILED, S.CANCELLED)),
}
"""Written out a second time, as above."""


@pytest.mark.parametrize(
    "kind, legal", [(JobKind.FILM, FILM), (JobKind.MERGE, FILM), (JobKind.SCRIPT, CALL), (JobKind.PICTURE, CALL)]
)
def test_every_pair_of_states_of_what_is_no_clip(kind: JobKind, legal: set[tuple[JobState, JobState]]) -> None:
    found = {(state, onward) for state, moves in kind.moves.items() for onward in moves}
    assert found == legal
    for current, to in product(JobState, JobState):
        if (current, to) not in legal:
            with pytest.raises(IllegalMove):
                check_move(current, to, kind.moves)


def test_only_what_costs_has_credits() -> None:
    assert [kind for kind in JobKind if not kind.has_credits] == [JobKind.FILM, JobKind.MERGE]


def test_the_only_way_back_is_a_certain_refusal() -> None:
    order = [S.PREPARING, S.QUEUED, S.SUBMITTING, S.UNCLEAR, S.GENERATING, S.STORING, S.DONE, S.FAILED, S.CANCELLED]
    back = {
        (a, b)
        for a, onward in MOVES.items()
        for b in onward
        if order.index(b) < order.index(a)
    }  # fmt: skip
    assert back == {(S.SUBMITTING, S.QUEUED)}


def test_what_counts_against_the_caps() -> None:
    assert {S.PREPARING, S.QUEUED} == WAITING
    assert {S.SUBMITTING, S.GENERATING, S.STORING} == RUNNING
    assert {S.SUBMITTING, S.GENERATING} == AT_PROVIDER
    assert S.UNCLEAR not in WAITING | RUNNING


@pytest.mark.parametrize("state", JobState, ids=lambda state: state.value)
def test_every_live_state_has_a_deadline(state: JobState) -> None:
    at = deadline_for(state, 5_000, 600.5)
    seconds = {
        S.PREPARING: 120,
        S.QUEUED: 86_400,
        S.SUBMITTING: 120,
        S.GENERATING: 600.5,
        S.STORING: 3600,
        S.UNCLEAR: 86_400,
        S.PLANNING: 3600,
        S.AWAITING: 30 * 86_400,
        S.MAKING: 3 * 86_400,
        S.MERGING: 3 * 3600,
    }
    assert at == (None if state in ENDED else 5_000 + int(seconds[state] * 1000))
    assert set(STATE_SECONDS) == LIVE - {S.GENERATING}


D = DeliveryState


@pytest.mark.parametrize("current, to", list(product(DeliveryState, DeliveryState)), ids=lambda state: state.value)
def test_every_pair_of_delivery_states(current: DeliveryState, to: DeliveryState) -> None:
    legal = {
        (D.PENDING, D.SENDING),
        (D.PENDING, D.DEAD),
        (D.SENDING, D.SENT),
        (D.SENDING, D.PENDING),
        (D.SENDING, D.UNCLEAR),
        (D.SENDING, D.DEAD),
        (D.UNCLEAR, D.SENDING),
        (D.UNCLEAR, D.SENT),
        (D.UNCLEAR, D.DEAD),
        (D.DEAD, D.SENDING),
    }
    assert (to in DELIVERY_MOVES[current]) is ((current, to) in legal)
