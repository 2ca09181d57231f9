"""The card of every state, line by line; the same row always reads the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.capabilities import Change
from core.cards import ESTIMATE_CAP, HEADLINE_CHARACTERS, JobView, card_of, shorten, shown_seconds
from core.jobs import Failure
from core.states import ENDED, MOVES, JobState
from tests.core.examples import NOON, SECOND, clip, job, view

S = JobState
LIVE = sorted(set(MOVES) - ENDED)
"""Of a clip."""


def state_of(view: JobView) -> tuple[str, dict[str, Any]]:
    line = card_of(view).state
    return line.id, dict(line.values)


def verbs(view: JobView) -> list[str]:
    return [action.verb for action in card_of(view).actions]


GENERATING = job(S.GENERATING)
STATE_LINES: list[tuple[JobView, str, dict[str, Any]]] = [
    (view(S.PREPARING), "state.accepted", {}),
    (view(S.QUEUED), "state.queued_plain", {}),
    (view(S.QUEUED, queue_position=3), "state.queued", {"position": 3}),
    (view(S.QUEUED, queue_position=3, queue_seconds=90.0), "state.queued_about", {"position": 3, "about": 90.0}),
    (
        view(of=job(S.QUEUED, not_before=NOON + 45 * SECOND), queue_position=1),
        "state.retrying",
        {"generator": "Fake", "in": 15.0},
    ),
    (view(of=job(S.QUEUED, not_before=NOON + 30 * SECOND)), "state.queued_plain", {}),
    (view(S.SUBMITTING), "state.submitting", {"generator": "Fake"}),
    (view(S.GENERATING), "state.rendering_usual", {"so_far": 20.0, "usual": 60.0}),
    (view(S.GENERATING, usual_seconds=13.0), "state.rendering_long", {"so_far": 20.0}),
    (view(S.GENERATING, gives_fraction=True), "state.rendering", {"percent": 0}),
    (view(of=replace(GENERATING, progress=0.04), gives_fraction=True), "state.rendering", {"percent": 4}),
    (
        view(of=replace(GENERATING, progress=0.25), gives_fraction=True),
        "state.rendering_left",
        {"percent": 25, "left": 60.0},
    ),
    (view(S.STORING), "state.storing", {}),
    (view(S.UNCLEAR), "state.unclear", {"generator": "Fake"}),
    (view(S.DONE), "state.done", {"generator": "Fake", "took": 30.0}),
    (view(S.FAILED), "state.failed", {}),
    (view(S.CANCELLED), "state.cancelled", {}),
    (view(of=job(S.GENERATING, cancel_wish="cancel")), "state.cancelling", {}),
    (view(of=job(S.GENERATING, cancel_wish="stop_waiting")), "state.stopped_waiting", {"generator": "Fake"}),
    (view(of=job(S.CANCELLED, cancel_wish="cancel")), "state.cancelled", {}),
    (view(of=job(S.DONE, cancel_wish="cancel"), clip=clip()), "state.done", {"generator": "Fake", "took": 30.0}),
    (view(of=job(S.DONE, cancel_wish="stop_waiting"), clip=clip()), "state.done", {"generator": "Fake", "took": 30.0}),
    (view(of=job(S.FAILED, cancel_wish="stop_waiting")), "state.failed", {}),
]


@pytest.mark.parametrize(
    "view, message, values", STATE_LINES, ids=[f"{line}-{n}" for n, (_, line, _) in enumerate(STATE_LINES)]
)
def test_the_state_line_tells_the_truth(view: JobView, message: str, values: dict[str, Any]) -> None:
    found, said = state_of(view)
    assert found == message
    assert {name: said[name] for name in values} == values


@pytest.mark.parametrize(
    "view, bar, is_estimate",
    [
        *((view(state), None, False) for state in MOVES if state not in (S.GENERATING, S.STORING)),
        (view(S.STORING), 1.0, False),
        (view(S.GENERATING), pytest.approx(20 / 60), True),
        (view(S.GENERATING, usual_seconds=1.0), ESTIMATE_CAP, True),
        (view(S.GENERATING, usual_seconds=0.0), None, False),
        (view(S.GENERATING, gives_fraction=True), 0.0, False),
        (view(of=replace(GENERATING, progress=0.5), gives_fraction=True), 0.5, False),
        (view(of=replace(GENERATING, progress=0.5)), pytest.approx(20 / 60), True),
        (view(of=job(S.GENERATING, cancel_wish="stop_waiting")), None, True),
    ],
)
def test_the_bar_shows_the_real_fraction_or_says_that_it_is_an_estimate(
    view: JobView, bar: float | None, is_estimate: bool
) -> None:
    card = card_of(view)
    assert card.bar == bar
    assert card.bar_is_estimate is is_estimate


ACTIONS: list[tuple[JobView, list[str]]] = [
    (view(S.PREPARING), ["cancel"]),
    (view(S.QUEUED), ["cancel"]),
    (view(S.SUBMITTING), ["cancel"]),
    (view(S.GENERATING), ["cancel"]),
    (view(S.SUBMITTING, cancel_stops_billing=False), ["stop_waiting"]),
    (view(S.GENERATING, cancel_stops_billing=False), ["stop_waiting"]),
    (view(S.QUEUED, cancel_stops_billing=False), ["cancel"]),
    (view(S.STORING), []),
    (view(S.UNCLEAR), ["check_again", "again", "cancel"]),
    (view(S.DONE), ["download", "again", "remix", "copy_link", "favourite", "details", "delete"]),
    (view(S.DONE, favourite=True), ["download", "again", "remix", "copy_link", "unfavourite", "details", "delete"]),
    (view(S.DONE, can_extend=True), ["download", "again", "remix", "extend", "copy_link", "favourite", "details", "delete"]),
    (view(S.FAILED), ["again", "details", "delete"]),
    (view(S.FAILED, may_do_another=True), ["again", "other_generator", "details", "delete"]),
    (view(of=job(S.FAILED, failure=Failure("CONTENT_POLICY_VIOLATION", "error.content_refused"))), ["edit_prompt", "details", "delete"]),
    (view(of=job(S.FAILED, failure=Failure("INVALID_REQUEST", "error.invalid_request"))), ["edit_prompt", "details", "delete"]),
    (view(of=job(S.FAILED, failure=None)), ["again", "details", "delete"]),
    (view(S.CANCELLED), ["again", "remix", "delete"]),
    *((view(of=job(state, cancel_wish="cancel")), []) for state in LIVE),
    *((view(of=job(state, cancel_wish="stop_waiting")), []) for state in LIVE),
    (view(of=job(S.CANCELLED, cancel_wish="cancel")), ["again", "remix", "delete"]),
]  # fmt: skip


@pytest.mark.parametrize("view, wanted", ACTIONS, ids=[f"{v.job.state.value}-{n}" for n, (v, _) in enumerate(ACTIONS)])
def test_the_actions_are_those_that_work_now(view: JobView, wanted: list[str]) -> None:
    assert verbs(view) == wanted


def test_an_action_says_what_it_costs() -> None:
    label = card_of(view(S.GENERATING, cancel_stops_billing=False)).actions[0].label
    assert (label.id, label.values) == ("action.stop_waiting", {"credits": 40})
    label = card_of(view(S.UNCLEAR)).actions[1].label
    assert (label.id, label.values) == ("action.make_anew", {"credits": 40})


@pytest.mark.parametrize(
    "view, message, values",
    [
        (view(S.QUEUED, left_today=460), "money.held_left", {"credits": 40, "left": 460}),
        (view(S.QUEUED, left_today=0), "money.held_left", {"credits": 40, "left": 0}),
        (view(S.GENERATING), "money.held", {"credits": 40}),
        (view(S.UNCLEAR), "money.held", {"credits": 40}),
        (view(S.DONE), "money.charged", {"credits": 40}),
        (view(of=job(S.DONE, charged=25), clip=clip()), "money.charged", {"credits": 25}),
        (view(S.FAILED), "money.not_charged", {}),
        (view(S.CANCELLED), "money.not_charged", {}),
        *((view(of=job(state, price=0)), "money.free", {}) for state in (*LIVE, S.DONE)),
        *((view(of=job(state, price=0)), "money.free_failed", {}) for state in (S.FAILED, S.CANCELLED)),
    ],
)
def test_the_money_line_says_what_is_held_or_was_paid(view: JobView, message: str, values: dict[str, Any]) -> None:
    money = card_of(view).money
    assert money is not None
    assert (money.id, dict(money.values)) == (message, values)


@pytest.mark.parametrize("state", MOVES, ids=lambda state: state.value)
def test_only_an_end_is_final(state: JobState) -> None:
    assert card_of(view(state)).final is (state in ENDED)
    assert card_of(view(of=job(state, cancel_wish="stop_waiting"))).final is True


def test_facts_changes_failure_and_note_are_told() -> None:
    changed = (Change("change.seconds", {"wanted": 4, "applied": 8, "generator": "Fake"}),)
    failed = job(S.FAILED, changed=changed, failure=Failure("TIMEOUT", "error.timeout", {"after": 600}))
    card = card_of(view(of=failed))
    assert [fact.id for fact in card.facts] == [
        f"facts.{name}" for name in ("seconds", "aspect", "resolution", "generator", "seed")
    ]
    assert [(line.id, line.values["applied"]) for line in card.changed] == [("change.seconds", 8)]
    assert card.error is not None
    assert (card.error.id, dict(card.error.values)) == ("error.timeout", {"after": 600, "generator": "Fake"})
    running = card_of(view(of=job(S.GENERATING, note="note.drawn_again")))
    assert running.note is not None
    assert running.note.id == "note.drawn_again"
    assert card_of(view(of=job(S.FAILED, note="note.drawn_again"))).note is None


@pytest.mark.parametrize(
    "delivery, note",
    [("unclear", "note.delivery_unclear"), ("dead", "note.delivery_dead"), ("sent", None), (None, None)],
)
def test_a_clip_that_did_not_arrive_is_said(delivery: str | None, note: str | None) -> None:
    said = card_of(view(S.DONE, delivery=delivery)).note
    assert (None if said is None else said.id) == note
    assert card_of(view(S.GENERATING, delivery=delivery)).note is None


@pytest.mark.parametrize(
    "view, left",
    [
        (view(S.QUEUED), None),
        (view(S.QUEUED, queue_seconds=30.0), 90.0),
        (view(S.SUBMITTING), 60.0),
        (view(S.GENERATING), 40.0),
        (view(S.GENERATING, usual_seconds=20.0), None),
        (view(of=replace(GENERATING, progress=0.5), gives_fraction=True), 20.0),
        (view(of=replace(GENERATING, progress=0.02), gives_fraction=True), 40.0),
        (view(S.STORING), None),
        (view(S.DONE), None),
    ],
)
def test_what_is_left_is_said_only_where_it_can_be_known(view: JobView, left: float | None) -> None:
    assert view.seconds_left() == left


def test_time_that_ran_backwards_is_not_shown_as_negative() -> None:
    early = view(S.GENERATING, now=NOON - 3600 * SECOND)
    assert (early.elapsed_seconds, early.running_seconds) == (0, 0)


# ---- what counts as the same card


def test_what_a_person_would_not_see_changes_no_digest() -> None:
    card = card_of(view(of=replace(GENERATING, progress=0.301), gives_fraction=True, usual_seconds=10.0))
    later = card_of(
        view(of=replace(GENERATING, progress=0.302, version=9, updated_at=5), gives_fraction=True, usual_seconds=10.0)
    )
    assert card.digest(steps=10) == replace(card, bar=0.302).digest(steps=10)
    assert card.digest() == replace(card, account_id="x", job_id="y").digest()
    assert later.bar == 0.302


@pytest.mark.parametrize(
    "seconds, shown",
    [
        *[
            (0.0, 1),
            (0.4, 1),
            (1.4, 1),
            (30.4, 30),
            (31.0, 30),
            (33.0, 35),
            (58.0, 60),
            (59.4, 60),
            (60.0, 60),
            (69.4, 60),
        ],
        *[(70.0, 70), (599.4, 590), (600.0, 600), (659.0, 600), (3599.0, 3540), (3600.0, 3600), (35_999.0, 35_940)],
        *[(36_000.0, 36_000), (39_599.0, 36_000)],
    ],
)
def test_a_duration_is_told_as_exactly_as_anybody_wants_it(seconds: float, shown: int) -> None:
    assert shown_seconds(seconds) == shown


def test_two_cards_that_read_the_same_have_one_digest() -> None:
    """Else every look at a running job would edit its message, word for word as it stands there."""
    slow = replace(GENERATING, progress=None)
    began = slow.started_at
    assert began is not None
    cards = [card_of(view(of=slow, usual_seconds=600.0, now=began + ms)) for ms in (121_000, 121_400, 128_700)]
    assert len({card.state.values["so_far"] for card in cards}) == 3
    assert len({replace(card, bar=None).digest() for card in cards}) == 1
    later = card_of(view(of=slow, usual_seconds=600.0, now=began + 131_000))
    assert replace(later, bar=None).digest() != replace(cards[0], bar=None).digest()


@pytest.mark.parametrize(
    "change",
    [
        {"headline": "other"},
        {"bar": 0.9},
        {"bar": None},
        {"actions": ()},
        {"facts": ()},
        {"money": None},
        {"state": card_of(view(S.STORING)).state},
        {"error": card_of(view(S.FAILED)).error},
        {"note": card_of(view(S.DONE, delivery="dead")).note},
        {"changed": (card_of(view(S.STORING)).state,)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_a_person_sees_changes_the_digest(change: dict[str, Any]) -> None:
    card = card_of(view(of=replace(GENERATING, progress=0.3), gives_fraction=True))
    assert replace(card, **change).digest() != card.digest()


VIEWS = st.builds(
    lambda state, wish, progress, fraction, usual, position, now: view(
        of=job(state, cancel_wish=wish, progress=progress),
        gives_fraction=fraction,
        usual_seconds=usual,
        queue_position=position,
        now=now,
    ),
    st.sampled_from(list(MOVES)),
    st.sampled_from([None, "cancel", "stop_waiting"]),
    st.none() | st.floats(0, 1),
    st.booleans(),
    st.floats(0, 10_000),
    st.none() | st.integers(1, 10_000),
    st.integers(NOON - 10**9, NOON + 10**9),
)


@given(VIEWS)
def test_every_row_has_a_card_whose_bar_stays_in_its_frame(view: JobView) -> None:
    card = card_of(view)
    assert card == card_of(view)
    assert card.bar is None or 0 <= card.bar <= 1
    assert not card.bar_is_estimate or card.bar is None or card.bar <= ESTIMATE_CAP
    left = view.seconds_left()
    assert left is None or left >= 0
    assert len({action.verb for action in card.actions}) == len(card.actions)
    assert card.headline


# ---- shortening


@pytest.mark.parametrize(
    "text, short",
    [
        ("", ""),
        ("one line", "one line"),
        ("  two \n lines\t here ", "two lines here"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
        ("word " * 16 + "tail", "word " * 14 + "word…"),
        ("a" * 70 + ", " + "b" * 20, "a" * 70 + "…"),
        ("short " + "b" * 100, ("short " + "b" * 100)[:79] + "…"),
    ],
)
def test_a_headline_is_one_line_cut_at_a_word(text: str, short: str) -> None:
    assert shorten(text) == short


@given(st.text(), st.integers(2, 100))
def test_a_headline_is_never_too_long(text: str, most: int) -> None:
    short = shorten(text, most)
    assert len(short) <= most
    assert "\n" not in short
    assert HEADLINE_CHARACTERS == 80
    line = " ".join(text.split())
    assert short == line if len(line) <= most else short.endswith("…") and line.startswith(short[:-1])
