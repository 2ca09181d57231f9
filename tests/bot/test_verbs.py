"""Which verbs and options there are with which generators."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.commands.verbs import by_name, verbs
from core.capabilities import Capabilities

PLAIN = Capabilities("plain", "Plain", None, ("p-1",))


def pictures(verb: str, *generators: Capabilities) -> list[str]:
    return [each.name for each in by_name(verbs(generators))[verb].options if each.kind == "picture"]


@pytest.mark.parametrize(
    "takes, offered",
    [
        (0, ["image"]),
        (1, ["image"]),
        (2, ["image", "image2"]),
        (3, ["image", "image2", "image3"]),
        (14, ["image", "image2", "image3"]),
    ],
)
def test_as_many_pictures_are_asked_for_as_some_generator_takes(takes: int, offered: list[str]) -> None:
    able = replace(PLAIN, name="able", reference_images=takes)
    assert pictures("video", PLAIN, able) == offered
    assert pictures("animate", PLAIN, able) == ["image"]


def test_a_last_picture_is_the_last_one_and_only_where_some_generator_ends_with_one() -> None:
    able = replace(PLAIN, name="able", last_frame=True, reference_images=2)
    assert pictures("video", able, PLAIN) == ["image", "image2", "last_image"]
    assert pictures("animate", able, PLAIN) == ["image", "last_image"]


def test_what_only_a_further_model_can_is_offered_as_well() -> None:
    both = replace(PLAIN, models=("p-1", "p-2"), others=(replace(PLAIN, models=("p-2",), last_frame=True),))
    assert pictures("video", both) == ["image", "last_image"]
