"""A wish fitted to a generator: taken, adjusted and said, or refused with the legal values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.capabilities import Adjust, Applied, Capabilities, choices_of, fit
from core.errors import Unsupported
from core.requests import ASPECTS, RESOLUTIONS, SECONDS, Wanted
from tests.core.examples import capabilities, wanted

HD_NEEDS_EIGHT = Adjust("resolution", "1080p", "seconds", 8)


def fitted(wish: Wanted, can: Capabilities) -> tuple[Applied, list[str]]:
    applied, changes = fit(wish, can, seed=123)
    return applied, [change.message_id for change in changes]


def explicit(*names: str, **fields: Any) -> Wanted:
    return wanted(explicit=frozenset({"prompt", *names}), **fields)


def test_what_a_generator_can_do_is_done_and_nothing_is_said() -> None:
    wish = explicit(
        "aspect_ratio",
        "resolution",
        "seconds",
        "seed",
        "audio",
        aspect_ratio="9:16",
        resolution="1080p",
        seconds=6,
        seed=9,
    )
    applied, said = fitted(wish, capabilities())
    assert said == []
    assert (applied.aspect_ratio, applied.resolution, applied.seconds, applied.seed) == ("9:16", "1080p", 6, 9)
    assert (applied.provider, applied.model, applied.audio) == ("fake", "one", True)
    assert (applied.prompt, applied.negative_prompt, applied.picture) == ("a lighthouse at dusk", "", None)


@pytest.mark.parametrize(
    "name, attribute, value, limits, default",
    [
        ("aspect_ratio", "aspect_ratio", "9:16", {"aspects": ("1:1", "16:9")}, "1:1"),
        ("resolution", "resolution", "1080p", {"resolutions": ("480p", "720p")}, "480p"),
    ],
)
def test_an_impossible_default_is_replaced_unsaid_and_an_impossible_wish_refused(
    name: str, attribute: str, value: str, limits: dict[str, Any], default: str
) -> None:
    can = capabilities(**limits)
    applied, said = fitted(wanted(**{attribute: value}), can)
    assert (getattr(applied, attribute), said) == (default, [])
    with pytest.raises(Unsupported) as refused:
        fit(explicit(name, **{attribute: value}), can, seed=1)
    legal = " or ".join(next(iter(limits.values())))
    assert refused.value.values == {"field": name, "wrote": value, "legal": legal, "generator": "Fake"}


@pytest.mark.parametrize(
    "asked, can_do, made",
    [(8, (5,), 5), (6, (4, 8), 8), (4, (5, 10), 5), (8, (6, 10), 10), (6, (6,), 6), (4, (8, 6), 6)],
)
def test_seconds_that_are_legal_everywhere_become_the_nearest(asked: int, can_do: tuple[int, ...], made: int) -> None:
    can = capabilities(seconds=can_do)
    applied, said = fitted(wanted(seconds=asked), can)
    assert (applied.seconds, said) == (made, [])
    applied, changes = fit(explicit("seconds", seconds=asked), can, seed=1)
    assert applied.seconds == made
    if asked == made:
        assert changes == []
    else:
        assert [c.message_id for c in changes] == ["change.seconds"]
        assert changes[0].values == {"wanted": asked, "applied": made, "generator": "Fake"}


def test_seconds_that_only_another_generator_can_do_are_refused() -> None:
    with pytest.raises(Unsupported) as refused:
        fit(explicit("seconds", seconds=10), capabilities(), seed=1)
    assert refused.value.values["field"] == "duration"
    assert refused.value.values["legal"] == "4 or 6 or 8"


def test_a_listed_adjustment_is_made_and_said_only_to_who_asked() -> None:
    can = capabilities(adjusts=(HD_NEEDS_EIGHT,))
    for names, said in [
        (("resolution", "seconds"), ["change.forced"]),
        (("resolution",), ["change.forced"]),
        (("seconds",), ["change.forced"]),
        ((), []),
    ]:
        applied, found = fitted(explicit(*names, resolution="1080p", seconds=4), can)
        assert (applied.resolution, applied.seconds, found) == ("1080p", 8, said)
    assert fitted(explicit("resolution", resolution="1080p", seconds=8), can)[1] == []
    assert fitted(explicit("seconds", resolution="720p", seconds=4), can)[0].seconds == 4


def test_an_adjustment_says_why_what_and_by_whom() -> None:
    _, changes = fit(
        explicit("resolution", resolution="1080p", seconds=4), capabilities(adjusts=(HD_NEEDS_EIGHT,)), seed=1
    )
    assert changes[0].values == {"because": "1080p", "field": "seconds", "applied": 8, "generator": "Fake"}


@pytest.mark.parametrize(
    "wish, can, field, legal",
    [
        (wanted(pictures=1), {"image": False}, "image_file", "a prompt without a picture"),
        (wanted(pictures=1), {"image": False, "reference_images": 3}, "image_file", "a prompt without a picture"),
        (wanted(pictures=2), {"image": False, "reference_images": 1}, "image_file", "a prompt without a picture"),
        (wanted(), {"text": False}, "prompt", "a picture with a prompt"),
        (wanted(negative_prompt="rain"), {"negative_prompt": False}, "negative_prompt", "left out"),
        (wanted(seed=5), {"seed": False}, "seed", "left out"),
        (explicit("audio", audio=False), {"audio": True}, "generate_audio", "true"),
        (explicit("audio", audio=True), {"audio": False}, "generate_audio", "false"),
        (wanted(model="three"), {}, "model", "one or two"),
    ],
)
def test_what_has_no_nearest_thing_is_refused(wish: Wanted, can: dict[str, Any], field: str, legal: str) -> None:
    with pytest.raises(Unsupported) as refused:
        fit(wish, capabilities(**can), seed=1)
    assert refused.value.values["field"] == field
    assert refused.value.values["legal"] == legal
    assert len(refused.value.values["wrote"]) <= 40


ENDS: dict[str, Any] = {"last_frame": True, "reference_images": 3}


@pytest.mark.parametrize(
    "pictures, goes_on, can, is_taken",
    [
        (1, False, ENDS, True),
        (0, False, ENDS, False),
        (2, False, ENDS, False),
        (2, False, {"last_frame": True}, True),
        (1, True, ENDS, False),
        (0, False, {**ENDS, "last_frame_alone": True}, True),
        (2, False, {**ENDS, "last_frame_alone": True}, True),
    ],
)
def test_a_last_picture_without_a_first_one_is_refused_before_anything_is_asked(
    pictures: int, goes_on: bool, can: dict[str, Any], is_taken: bool
) -> None:
    wish = wanted(pictures=pictures, last_frame=True)
    if is_taken:
        fit(wish, capabilities(**can), seed=1, goes_on=goes_on)
        return
    with pytest.raises(Unsupported) as found:
        fit(wish, capabilities(**can), seed=1, goes_on=goes_on)
    assert found.value.message_id == "error.last_picture_alone"
    assert found.value.values["generator"] == capabilities().title


def test_sound_follows_the_person_only_where_it_can_be_switched() -> None:
    assert fitted(wanted(audio=False), capabilities())[0].audio is True
    assert fitted(explicit("audio", audio=False), capabilities(audio_switch=True))[0].audio is False
    assert fitted(wanted(audio=True), capabilities(audio=False))[0].audio is False


@pytest.mark.parametrize(
    "sent, takes, begins, used, said",
    [
        (0, 3, True, 0, []),
        (1, 0, True, 1, []),
        (1, 3, True, 1, []),
        (2, 0, True, 1, ["change.one_picture"]),
        (2, 1, True, 1, ["change.one_picture"]),
        (2, 2, True, 2, []),
        (2, 3, False, 2, []),
        (4, 3, True, 3, ["change.references_most"]),
        (12, 14, True, 10, ["change.references_most"]),
    ],
)
def test_several_pictures_are_used_as_far_as_they_can_be(
    sent: int, takes: int, begins: bool, used: int, said: list[str]
) -> None:
    can = capabilities(reference_images=takes, image=begins)
    assert can.pictures_used(sent) == used
    applied, changes = fit(wanted(pictures=sent), can, seed=1)
    assert (applied.pictures, [each.message_id for each in changes]) == ((), said), "their keys come later"
    for change in changes:
        assert change.values == {"sent": sent, "generator": "Fake"} | ({"most": used} if used > 1 else {})


def test_a_clip_begins_with_a_single_picture_and_several_are_references() -> None:
    applied, _ = fitted(wanted(), capabilities())
    one, two = applied.with_pictures(["a"]), applied.with_pictures(["a", "b"])
    assert (one.picture, one.references, one.pictures) == ("a", (), ("a",))
    assert (two.picture, two.references, two.pictures) == (None, ("a", "b"), ("a", "b"))
    assert two.with_pictures(["a"]) == one
    assert two.with_pictures([]) == applied


def test_what_was_applied_before_there_were_references_is_read() -> None:
    one = fitted(wanted(), capabilities())[0].with_pictures(["a"])
    stored = json.loads(json.dumps(one.as_json()))
    assert stored.pop("references") == []
    assert Applied.from_json(stored) == one
    two = one.with_pictures(["a", "b"])
    assert Applied.from_json(json.loads(json.dumps(two.as_json()))) == two


def test_a_rule_about_people_is_ignored_aloud_by_generators_without_such_rules() -> None:
    wish = explicit("person_generation", person_generation="dont_allow")
    applied, said = fitted(wish, capabilities())
    assert (applied.person_generation, said) == (None, ["change.ignored"])
    applied, said = fitted(wish, capabilities(person_generation=("allow_adult", "dont_allow")))
    assert (applied.person_generation, said) == ("dont_allow", [])
    with pytest.raises(Unsupported) as refused:
        fitted(wish, capabilities(person_generation=("allow_adult",)))
    assert refused.value.values["legal"] == "allow_adult"


def test_the_seed_is_the_persons_or_the_one_given() -> None:
    assert fitted(wanted(), capabilities())[0].seed == 123
    assert fitted(wanted(), capabilities(seed=False))[0].seed == 123
    assert fitted(wanted(seed=0), capabilities())[0].seed == 0


def test_a_named_model_is_used_else_the_first() -> None:
    assert fitted(wanted(model="two"), capabilities())[0].model == "two"
    assert capabilities().default_model == "one"


ABLE = st.builds(
    lambda aspects, resolutions, seconds, adjusts, audio, switch: capabilities(
        aspects=tuple(aspects),
        resolutions=tuple(resolutions),
        seconds=tuple(seconds),
        adjusts=adjusts,
        audio=audio,
        audio_switch=switch,
    ),
    st.lists(st.sampled_from(["16:9", "9:16", "1:1"]), min_size=1, unique=True),
    st.lists(st.sampled_from(["480p", "720p", "1080p"]), min_size=1, unique=True),
    st.lists(st.sampled_from([4, 5, 6, 8, 10]), min_size=1, unique=True),
    st.just(()),
    st.booleans(),
    st.booleans(),
)
WISH = st.builds(
    lambda said, aspect, resolution, seconds, audio: explicit(
        *said, aspect_ratio=aspect, resolution=resolution, seconds=seconds, audio=audio
    ),
    st.sets(st.sampled_from(["aspect_ratio", "resolution", "seconds", "audio"])),
    st.sampled_from(["16:9", "9:16", "1:1"]),
    st.sampled_from(["480p", "720p", "1080p"]),
    st.sampled_from([4, 5, 6, 8, 10]),
    st.booleans(),
)


@given(WISH, ABLE)
def test_what_is_applied_is_always_possible_and_every_broken_wish_is_told(wish: Wanted, can: Capabilities) -> None:
    try:
        applied, changes = fit(wish, can, seed=1)
    except Unsupported as refused:
        assert refused.values["field"] in {"aspect_ratio", "resolution", "duration", "generate_audio"}  # noqa: PT017
        return
    assert applied.aspect_ratio in can.aspects
    assert applied.resolution in can.resolutions
    assert applied.seconds in can.seconds
    for name in wish.explicit - {"prompt"}:
        kept = getattr(applied, name) == getattr(wish, name)
        assert kept or (any(change.message_id == "change.seconds" for change in changes) and name == "seconds")
    assert Applied.from_json(applied.as_json()) == applied
    assert Applied.from_json({**applied.as_json(), "camera": "pan"}) == applied


def test_choices_are_what_is_legal_everywhere_and_what_somebody_can_do() -> None:
    one = capabilities(name="a", aspects=("1:1",), resolutions=("480p",), seconds=(5,))
    two = capabilities(name="b", seconds=(10, 5))
    choices = choices_of([one, two], ["google"])
    assert choices.aspects == (*ASPECTS, "1:1")
    assert choices.resolutions == (*RESOLUTIONS, "480p")
    assert choices.seconds == (4, 5, 6, 8, 10)
    assert choices.providers == ("a", "b", "google")
    assert choices_of([]).seconds == SECONDS
