"""Which generators can make a wish, in which order, and where a job may go: pure questions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.attachments import Attachment
from core.capabilities import Adjust, Capabilities, Change
from core.health import Standing
from core.jobs import Job
from core.requests import Wanted
from core.routing import Kind, candidates, is_made_for, kind_of, may_move, moves, preference, should_leave
from core.states import JobState
from tests.core.examples import NOON, applied, job, wanted

PLAIN = Capabilities(name="plain", title="Plain", company="Plain Inc.", models=("p-1",))
MANY = replace(
    PLAIN, name="many", title="Many", models=("m-1",), reference_images=3, last_frame=True, last_frame_alone=True
)
SPEAKER = replace(PLAIN, name="speaker", title="Speaker", models=("s-1",), speech=True, extend=True)
HOME = replace(PLAIN, name="home", title="Home", models=("h-1",), company=None, unpaid=True)
LOCAL = replace(HOME, name="local", title="Built-in", models=("scenery-1",), stand_in=True)
ALL = {can.name: can for can in (LOCAL, PLAIN, HOME, MANY, SPEAKER)}


@pytest.mark.parametrize(
    "wish, goes_on, kind",
    [
        ({}, False, Kind.TEXT),
        ({"pictures": 1}, False, Kind.PICTURE),
        ({"pictures": 2}, False, Kind.REFERENCES),
        ({"pictures": 1, "last_frame": True}, False, Kind.LAST_FRAME),
        ({"last_frame": True}, False, Kind.LAST_FRAME),
        ({"line": "Ahoy", "pictures": 1}, False, Kind.SPEECH),
        ({"pictures": 1}, True, Kind.CONTINUATION),
    ],
)
def test_the_kind_of_a_request(wish: dict[str, Any], goes_on: bool, kind: Kind) -> None:
    assert kind_of(wanted(**wish), goes_on=goes_on) is kind


ORDERS = {
    Kind.TEXT: ["plain", "home", "many", "speaker", "local"],
    Kind.PICTURE: ["plain", "home", "many", "speaker", "local"],
    Kind.REFERENCES: ["many", "plain", "home", "speaker", "local"],
    Kind.LAST_FRAME: ["many", "plain", "home", "speaker", "local"],
    Kind.SPEECH: ["speaker", "plain", "home", "many", "local"],
    Kind.CONTINUATION: ["speaker", "plain", "home", "many", "local"],
}


@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_has_its_order(kind: Kind) -> None:
    """The default one first, then those made for it, each in the order of the registry, and the one that only draws last."""
    assert [can.name for can in preference(kind, ALL.values(), "plain")] == [
        "plain",
        *(name for name in ORDERS[kind] if name != "plain"),
    ]
    assert [can.name for can in preference(kind, ALL.values(), "nobody")] == ORDERS[kind]
    assert preference(kind, ALL.values(), "local")[0] is LOCAL, "who chose it, gets it"


def test_only_who_can_do_it_is_a_candidate_and_each_is_fitted() -> None:
    hd = replace(PLAIN, name="hd", adjusts=(Adjust("resolution", "1080p", "seconds", 8),))
    silent = replace(PLAIN, name="silent", seed=False)
    sd = replace(PLAIN, name="sd", resolutions=("720p",))
    wish = wanted(
        resolution="1080p", seconds=4, seed=5, explicit=frozenset({"prompt", "resolution", "seconds", "seed"})
    )
    found = list(candidates(wish, (silent, sd, hd, HOME), "nobody", seed=9))
    assert [each.can.name for each in found] == ["hd", "home"]
    assert [(each.applied.seconds, each.applied.seed) for each in found] == [(8, 5), (4, 5)]
    assert [[change.message_id for change in each.changes] for each in found] == [["change.forced"], []]


def test_a_line_is_only_for_those_who_speak() -> None:
    assert [each.can.name for each in candidates(wanted(line="Ahoy"), ALL.values(), "plain", seed=1)] == ["speaker"]


@pytest.mark.parametrize(
    "standing, leaves",
    [
        (Standing("ok"), False),
        (Standing("paused"), True),
        (Standing("paused", until=NOON + 60_000), False),
        (Standing("paused", until=NOON + 60_001), True),
        (Standing("unhealthy", until=NOON + 1), True),
        (Standing("probing"), True),
        (Standing("paused", keeps_jobs=True), False),
    ],
)
def test_who_leaves(standing: Standing, leaves: bool) -> None:
    assert should_leave(standing, NOON) is leaves


def of(name: str, **fields: Any) -> Job:
    like: dict[str, Any] = {"applied": applied(provider=name, model=ALL[name].default_model, seed=77)}
    return job(JobState.QUEUED, **{**like, **fields})


def where(one: Job, standings: dict[str, Standing] | None = None, default: str = "plain") -> list[str]:
    return [each.can.name for each in moves(one, ALL, standings or {}, default)]


def test_a_job_goes_to_the_others_that_are_well() -> None:
    assert where(of("plain")) == ["home", "many", "speaker"]
    assert where(of("many")) == ["plain", "home", "speaker"], "back to the default one, when it is well"
    held = {"home": Standing("paused"), "many": Standing("probing"), "plain": Standing("unhealthy")}
    assert where(of("plain"), held) == ["speaker"]


@pytest.mark.parametrize(
    "fields",
    [
        {"provider_named": True},
        {"wanted": wanted(model="p-1")},
        {"applied": applied(provider="plain", extends="clip.mp4")},
        {"cancel_wish": "cancel"},
    ],
    ids=["named", "model", "goes on from a clip", "cancelled"],
)
def test_what_goes_nowhere(fields: dict[str, Any]) -> None:
    assert not may_move(of("plain", **fields))
    assert where(of("plain", **fields)) == []


def test_what_is_made_at_home_goes_to_no_company_and_nothing_to_one_that_only_draws() -> None:
    assert where(of("home")) == []
    other = replace(HOME, name="shed", title="Shed")
    assert [each.can.name for each in moves(of("home"), {**ALL, "shed": other}, {}, "plain")] == ["shed"]
    assert where(of("local")) == ["home"]


def test_a_job_of_a_lost_generator_goes_too() -> None:
    gone = of("plain", applied=applied(provider="gone", seed=77))
    assert where(gone) == ["plain", "home", "many", "speaker"]
    first = next(moves(gone, ALL, {}, "plain"))
    assert first.changes == (Change("change.moved", {"instead_of": "gone", "generator": "Plain"}),)
    assert first.applied.seed == 77


def moved(one: Job, to: str) -> Any:
    return next(each for each in moves(one, ALL, {}, to) if each.can.name == to)


@pytest.mark.parametrize(
    "sent, kept, last, to, picture, references, told",
    [
        (1, ("a",), None, "many", "a", (), []),
        (3, ("a", "b", "c"), None, "many", None, ("a", "b", "c"), []),
        (3, ("a", "b", "c"), None, "home", "a", (), ["change.one_picture"]),
        (3, ("a",), None, "home", "a", (), ["change.one_picture"]),
        (5, ("a", "b", "c", "d"), None, "many", None, ("a", "b", "c"), ["change.references_most"]),
        (1, ("a",), "z", "many", "a", (), []),
        (0, (), "z", "many", None, (), []),
    ],
    ids=["one", "three", "three to one", "one of three", "five, four, three", "with a last one", "only a last one"],
)
def test_pictures_go_along(
    sent: int,
    kept: tuple[str, ...],
    last: str | None,
    to: str,
    picture: str | None,
    references: tuple[str, ...],
    told: list[str],
) -> None:
    keys = kept if last is None else (*kept, last)
    before = applied(provider="plain").with_pictures(keys, ends_with_last=last is not None)
    one = of("plain", applied=before, wanted=wanted(pictures=sent, last_frame=last is not None))
    found = moved(one, to)
    now = found.applied
    assert (now.picture, now.references, now.last_picture) == (picture, references, last)
    assert [each.message_id for each in found.changes] == ["change.moved", *told]
    if told:
        assert found.changes[1].values["sent"] == sent


def test_a_last_picture_goes_only_where_a_clip_can_end_with_it() -> None:
    before = applied(provider="plain").with_pictures(("a", "z"), ends_with_last=True)
    assert where(of("plain", applied=before, wanted=wanted(pictures=1, last_frame=True))) == ["many"]


def test_pictures_that_are_not_prepared_yet_are_counted_as_they_were_sent() -> None:
    album = Attachment("a", "image/png", key="a", more=(Attachment("b", "image/png", key="b"),))
    one = of("plain", attachment=album, wanted=wanted(pictures=2))
    found = moved(one, "many")
    assert (found.applied.pictures, [each.message_id for each in found.changes]) == ((), ["change.moved"])


def test_what_is_said_names_whom_the_person_was_told_first() -> None:
    first = moved(of("plain"), "home")
    assert first.changes == (Change("change.moved", {"instead_of": "Plain", "generator": "Home"}),)
    second = of("many", changed=(Change("change.moved", {"instead_of": "Plain", "generator": "Many"}),))
    assert moved(second, "speaker").changes[0].values == {"instead_of": "Plain", "generator": "Speaker"}
    assert moved(second, "plain").changes == ()


@pytest.mark.parametrize("kind", list(Kind))
def test_who_is_made_for_what(kind: Kind) -> None:
    can_nothing = replace(PLAIN, text=False, image=False)
    assert not is_made_for(kind, can_nothing)


def test_a_wish_without_words_is_a_wish() -> None:
    assert kind_of(Wanted(pictures=1)) is Kind.PICTURE
