"""Buttons and texts of films: what a mark says, and that nothing is longer than Discord takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.films import Step, confirming_verb, priced_verb, read_priced, read_step
from bot.engine.words import Words
from bot.platforms.discord.identity import Marks
from bot.platforms.discord.render import TEXT_MOST, clipped, escape, message
from core.cards import Action, Card, Message
from core.jobs import Place

MARKS = Marks(b"1" * 32, b"2" * 32)
FILM = "01m815kgarxswamf2phrds8x9n"
CUSTOM_ID_MOST = 100
NAMES = ("edit", "anew", "up", "down", "add", "remove", "retry", "reword", "on")
STEPS = st.builds(
    Step,
    st.sampled_from(NAMES[:6]),
    st.integers(0, 9999),
) | st.builds(
    Step,
    st.just("on"),
    st.integers(1, 9999),
    st.integers(0, 99_999),
    st.from_regex(r"[a-z][a-z0-9-]{0,15}", fullmatch=True),
)


@given(STEPS)
def test_a_step_is_read_back_from_its_button(step: Step) -> None:
    mark = MARKS.button(step.verb, FILM)
    assert len(mark) <= CUSTOM_ID_MOST
    verb, film = MARKS.read_button(mark) or ("", "")
    assert (read_step(verb), film) == (step, FILM)


@pytest.mark.parametrize("verb", ["scenes", "scene", "cancel", "s1", "s_edit", "s1_erase", "s-1_edit", "s1_edit_x_y_z"])
def test_what_is_no_step_is_none(verb: str) -> None:
    assert read_step(verb) is None


@pytest.mark.parametrize(
    "verb, told",
    [
        ("approve_120", ("approve", 120, False)),
        ("retry_scenes_0", ("retry_scenes", 0, False)),
        (confirming_verb("approve", 80), ("approve", 80, True)),
        ("approve", ("approve", None, False)),
        ("approve_-1", ("approve_-1", None, False)),
        ("cancel_120", ("cancel_120", None, False)),
    ],
)
def test_a_button_says_what_its_label_costs(verb: str, told: tuple[str, int | None, bool]) -> None:
    assert read_priced(verb) == told


@pytest.mark.parametrize("credits, verb", [(160, "approve_160"), (None, "approve_0")])
def test_a_free_film_agrees_to_nothing(credits: int | None, verb: str) -> None:
    values = {} if credits is None else {"credits": credits}
    assert priced_verb(Action("approve", Message("action.approve", values))) == verb


@given(st.text(alphabet="ab_*\\~`", max_size=60), st.integers(0, 80))
def test_a_clipped_text_escapes_nothing_that_is_not_its_own(text: str, most: int) -> None:
    kept = clipped(escape(text), most)
    assert len(kept) <= max(most, 0) or kept == escape(text)
    assert not re.search(r"(?<!\\)(\\\\)*\\…$", kept), "the ellipsis would lose its backslash"


@given(st.lists(st.text(alphabet="a_* ", min_size=1, max_size=400), min_size=1, max_size=20))
def test_a_storyboard_of_any_scenes_fits_into_a_message_with_its_price_below(scenes: list[str]) -> None:
    card = Card(
        job_id=FILM,
        account_id="a",
        headline="_" * 300,
        state=Message("state.awaiting"),
        facts=(Message("facts.character", {"character": "_" * 60}),),
        money=Message("money.approve", {"credits": 120, "spent": 0}),
        changed=(),
        error=None,
        note=None,
        bar=None,
        bar_is_estimate=False,
        actions=(),
        final=True,
        lines=tuple(Message("film.planned", {"place": n, "text": text}) for n, text in enumerate(scenes, 1)),
    )
    body = message(card, Words("en"), MARKS, 0, Place("discord", "1"))
    text = body["components"][0]["components"][0]["content"]
    assert len(text) <= TEXT_MOST
    assert "120 credits for all scenes" in text.rpartition("\n")[2]
    assert [f"\n{place}." in text for place in range(1, len(scenes) + 1)] == [True] * len(scenes)
