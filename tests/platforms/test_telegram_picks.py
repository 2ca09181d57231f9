"""What the buttons of a draft carry: within 64 bytes, the same after any restart, and never something else by then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.commands.marks import Marks
from bot.platforms.telegram.drafts import MAKE, PICK
from bot.platforms.telegram.picks import Picked, Subject, read_subject, stamp_of
from core.errors import NotFound
from core.requests import Choices
from tests.core.examples import capabilities

CHOICES = Choices(providers=("lab", "dear", "film"))
LONGEST = Subject(Picked("9:16", 8, "1080p", "film"), 2**52 - 1, "01m81j18g0k697ybp32369mhkj", "abc")


@pytest.mark.parametrize("picked", [Picked(), Picked("9:16", 4, "1080p", "lab"), Picked(duration=8), LONGEST.picked])
@pytest.mark.parametrize("owner", [0, 7, 35, 36, 2**52 - 1])
@pytest.mark.parametrize("job_id", [None, LONGEST.job_id])
def test_a_button_means_what_it_meant(picked: Picked, owner: int, job_id: str | None) -> None:
    subject = Subject(picked, owner, job_id, "abc")
    assert read_subject(subject.write(CHOICES), CHOICES) == subject


@pytest.mark.parametrize("verb", [PICK, MAKE])
def test_the_longest_button_fits(verb: str) -> None:
    marks = Marks(b"k" * 32)
    data = marks.button(verb, LONGEST.write(CHOICES))
    assert len(data) <= 64
    assert marks.read_button(data) == (verb, LONGEST.write(CHOICES))


@pytest.mark.parametrize("text", ["", "-", "----", "----abc", "---9abc7.-", "---zabc7.-", "----abc!.-", "?---abc7.-"])
def test_what_points_nowhere_is_refused(text: str) -> None:
    with pytest.raises(NotFound) as refused:
        read_subject(text, CHOICES)
    assert refused.value.message_id == "error.draft_stale"


def test_a_stamp_is_another_for_other_choices() -> None:
    others = [
        replace(CHOICES, providers=("dear", "lab", "film")),
        replace(CHOICES, seconds=(4, 5, 6, 8)),
        replace(CHOICES, aspects=("9:16", "16:9")),
        replace(CHOICES, resolutions=("720p",)),
    ]
    stamps = [stamp_of(CHOICES), stamp_of(CHOICES, 40), stamp_of(CHOICES, 41), *map(stamp_of, others)]
    assert len(set(stamps)) == len(stamps)
    assert stamp_of(CHOICES) == stamp_of(replace(CHOICES)), "and the same after a restart"


def test_another_generator_keeps_what_it_can_make() -> None:
    can = capabilities(name="dear", aspects=("16:9", "1:1"), seconds=(4, 6, 8, 12))
    assert Picked("9:16", 12, "1080p", "lab").on(can) == Picked(None, 12, "1080p", "dear")
    assert Picked("1:1", 5, None, None).on(can) == Picked("1:1", None, None, "dear")
