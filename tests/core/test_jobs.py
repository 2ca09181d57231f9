"""What is kept as JSON reads back as it was, also from a later version."""

from __future__ import annotations

import json

import pytest

from core.attachments import Attachment
from core.jobs import Failure, Place, Receipt
from core.states import LIVE, JobState
from core.steps import FIELDS, Step
from tests.core.examples import job

PLACE = Place(
    "telegram",
    "-100",
    thread="7",
    reply_to="9",
    visibility="only_owner",
    language="de",
    upload_limit=50,
    details={"a": 1},
)


def test_places_receipts_and_attachments_survive_storage() -> None:
    assert Place.from_json(PLACE.as_json()) == PLACE
    assert Place.from_json({**PLACE.as_json(), "later": 1}) == PLACE
    assert Place.from_json({"platform": "web", "chat": "x"}) == Place("web", "x")
    receipt = Receipt(PLACE, "55", kind="media", can_edit_until=99, credential="secret")
    assert Receipt.from_json(receipt.as_json()) == receipt
    assert Receipt.from_json({"place": {"platform": "web", "chat": "x"}, "message": "1"}) == Receipt(
        Place("web", "x"), "1"
    )
    attachment = Attachment("a.png", "image/png", 5, None, {"file_id": "x"})
    assert Attachment.from_json(attachment.as_json()) == attachment
    alone = {name: value for name, value in attachment.as_json().items() if name != "more"}
    assert Attachment.from_json(alone) == attachment
    assert Failure("TIMEOUT", "error.timeout", {"a": 1}).as_json() == {
        "code": "TIMEOUT",
        "message_id": "error.timeout",
        "values": {"a": 1},
    }


def test_the_first_picture_of_an_order_brings_the_others_along() -> None:
    second, third = Attachment("b.png", "image/png", key="b.upload"), Attachment("c.png", "image/png", key="c.upload")
    first = Attachment("a.png", "image/png", reference={"file_id": "x"}, more=(second, third))
    assert Attachment.from_json(json.loads(json.dumps(first.as_json()))) == first
    assert first.pictures == (first, second, third)
    assert first.uploads == ("b.upload", "c.upload")
    assert (third.pictures, third.uploads) == ((third,), ("c.upload",))


def test_a_credential_is_not_shown() -> None:
    assert "secret" not in repr(Receipt(PLACE, "55", credential="secret"))


@pytest.mark.parametrize("state", JobState, ids=lambda state: state.value)
def test_ended_and_at_provider(state: JobState) -> None:
    assert job(state).ended is (state not in LIVE)
    assert job(state).at_provider is (state in (JobState.SUBMITTING, JobState.GENERATING))


def test_a_step_sets_no_column_that_belongs_to_the_move() -> None:
    for column in (
        "state",
        "version",
        "hold",
        "charged",
        "price",
        "account_id",
        "finished_at",
        "clip_id",
        "attempt_id",
        "vt",
    ):
        assert column not in FIELDS
        with pytest.raises(ValueError, match=column):
            Step("job", 1, fields={column: 1})
    assert Step("job", 1, fields=dict.fromkeys(FIELDS)).to is None
