"""Several pictures for one clip, and the one with which it ends: what a form brings and what arrives at the generator."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from tests.journeys.conftest import Shared
from tests.lab.api import File
from tests.lab.vendor import VendorJob
from tests.lab.waiting import until
from tests.media.hostile import photo

pytestmark = pytest.mark.journey

WIDTHS = (320, 328, 336, 344)
PICTURES = [File(photo((width, 180)), f"{width}.jpg", "image/jpeg") for width in WIDTHS]
"""Told apart by their width, whatever they are encoded as."""
LAST = File(photo((400, 180)), "end.jpg", "image/jpeg")
ESTIMATE = "/api/video_chat/estimate"


def width(data: bytes | None) -> int | None:
    return None if data is None else Image.open(io.BytesIO(data)).width


def arrived(shared: Shared, word: str) -> VendorJob:
    until(lambda: shared.vendor.of(word), what="the submit")
    return shared.vendor.of(word)[0]


def files(shared: Shared) -> list[str]:
    return sorted(path.name for path in (shared.reelay.data / "clips").rglob("*.upload"))


@pytest.fixture
def nothing_stays(shared: Shared) -> Iterator[None]:
    """Neither a job nor an upload is left of what is refused, or of what repeats an earlier order."""

    def seen() -> tuple[object, list[str]]:
        return shared.reelay.value("SELECT COUNT(*) FROM jobs"), files(shared)

    before = seen()
    yield
    assert seen() == before


@pytest.mark.parametrize(
    "sent, last, begins, references, ends",
    [
        (1, True, 320, (), 400),
        (2, False, None, (320, 328), None),
        (3, True, None, (320, 328, 336), 400),
        (4, False, None, (320, 328, 336), None),
        (0, True, None, (), 400),
    ],
    ids=["begins and ends", "references", "references and an end", "one too many", "only an end"],
)
def test_pictures_arrive_in_their_places_and_again_too(
    shared: Shared, sent: int, last: bool, begins: int | None, references: tuple[int, ...], ends: int | None
) -> None:
    api, word = shared.api(), f"pictures{sent}{last}"
    answer = api.generate_with_image(PICTURES[:sent], last=LAST if last else (), prompt=word, provider="many")
    assert answer.status == 202, answer.body
    assert (answer["price"], answer["changed"] == []) == (30, sent <= 3), answer["changed"]
    shared.reelay.wait_state(answer["operation_id"], seconds=60)
    job = arrived(shared, word)
    assert (width(job.picture), width(job.last_picture)) == (begins, ends)
    assert tuple(width(each) for each in job.references) == references
    again = api.generate(f"once more {word}", reuse_image_of=answer["operation_id"], provider="many")
    shared.reelay.wait_state(again["operation_id"], seconds=60)
    same = arrived(shared, f"once more {word}")
    assert (same.picture, same.references, same.last_picture) == (job.picture, job.references, job.last_picture)
    assert api.get(api.status(answer["operation_id"])["source_url"]).status == 200
    assert files(shared) == [], "what was uploaded is kept as a clean copy only"


def test_a_generator_that_takes_one_begins_with_the_first_and_says_so(shared: Shared) -> None:
    answer = shared.api().generate_with_image(PICTURES[:2], prompt="firstofall", provider="lab")
    assert answer.status == 202
    assert ["picture" in each for each in answer["changed"]] == [True], answer["changed"]
    shared.reelay.wait_state(answer["operation_id"], seconds=60)
    assert (width(arrived(shared, "firstofall").picture), arrived(shared, "firstofall").references) == (320, ())


@pytest.mark.usefixtures("nothing_stays")
def test_what_a_form_may_not_bring_is_named(shared: Shared) -> None:
    api = shared.api("erin")
    too_many = api.generate_with_image(PICTURES[:1] * 11, prompt="x", provider="many")
    two_ends = api.generate_with_image(PICTURES[:1], last=[LAST, LAST], prompt="x", provider="many")
    elsewhere = api.generate_with_image(PICTURES[:2], last=LAST, prompt="x", provider="instant")
    nothing = api.generate_with_image(None, prompt="x", provider="many")
    for answer, field in (
        (too_many, "image_file"),
        (two_ends, "last_image_file"),
        (elsewhere, "last_image_file"),
        (nothing, "image_file"),
    ):
        assert (answer.status, answer["error_code"]) == (400, "INVALID_REQUEST"), answer.body
        assert answer["details"].startswith(f"{field}: "), answer.json
    assert elsewhere["message"] == "Lab instant cannot end a clip with a picture of yours. Leave the last picture out."
    spoilt = api.generate_with_image([PICTURES[0], File(b"just words")], last=LAST, prompt="x", provider="many")
    assert spoilt.status == 415


def test_a_key_is_for_the_same_pictures_in_the_same_places(shared: Shared) -> None:
    api = shared.api("carol")

    def ask(pictures: list[File], last: File | tuple[()] = ()) -> tuple[int, Any]:
        answer = api.generate_with_image(
            pictures, last=last, prompt="keyed", provider="many", idempotency_key="pictures-1"
        )
        return answer.status, answer.json.get("operation_id")

    first = ask(PICTURES[:2], LAST)
    assert first[0] == 202
    shared.reelay.wait_state(first[1], seconds=60)
    assert ask(PICTURES[:2], LAST) == first
    others: list[tuple[list[File], File | tuple[()]]] = [
        (PICTURES[:2], ()),
        (PICTURES[1::-1], LAST),
        (PICTURES[:3], LAST),
        ([*PICTURES[:2], LAST], ()),
        ([], LAST),
    ]
    for pictures, last in others:
        assert ask(pictures, last) == (409, None), (pictures, last)
    assert files(shared) == [], "neither a repetition nor a refusal leaves its uploads behind"


def test_an_estimate_counts_pictures_as_an_order_does(shared: Shared) -> None:
    api = shared.api("heidi")

    def ask(**fields: object) -> Any:
        return api.post(ESTIMATE, {"provider": "many", **fields})

    for one in (True, 1, "1", "true"):
        assert (ask(with_image=one).status, ask(with_image=one)["changed"]) == (200, [])
    assert (ask(with_image=3, with_last_image=True)["price"], ask(with_image=3)["changed"]) == (30, [])
    assert "3" in ask(with_image=4)["changed"][0]
    assert ask(with_image=0, with_last_image="true").status == 200
    for none in (None, "", False, "false", 0, "0"):
        assert ask(with_image=none, with_last_image=none if none not in (0, "0") else False).status == 200
    refused = ask(with_last_image=True, provider="lab")
    assert (refused.status, refused["details"]) == (400, "last_image_file: left out")
    for field, wrong in (
        ("with_image", 11),
        ("with_image", -1),
        ("with_image", "many"),
        ("with_image", [1]),
        ("with_image", 1.5),
        ("with_last_image", 2),
        ("with_last_image", ["x"]),
    ):
        answer = ask(**{field: wrong})
        assert (answer.status, answer["details"].split(":")[0]) == (400, field), wrong


def test_what_each_generator_takes_is_told(shared: Shared) -> None:
    told = {each["name"]: each for each in shared.api().get("/api/generators")["generators"]}
    assert {
        name: (each["reference_images"], each["last_frame"], each["last_frame_alone"]) for name, each in told.items()
    } == {
        "instant": (0, False, False),
        "lab": (0, False, False),
        "billing": (0, False, False),
        "many": (3, True, True),
        "local": (0, False, False),
    }
