"""What Vertex's answers mean: each table, held against what is written out here once more."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import (
    ContentRefused,
    CredentialsRejected,
    Garbled,
    InvalidRequest,
    ModelRetired,
    OutOfFunds,
    ProviderError,
    RateLimited,
    TimedOut,
    Unavailable,
    Unclear,
)
from core.ports import Artifact, Failed, Ready, Waiting
from providers.inline import ELIDED
from providers.line import Answer
from providers.veo_answers import read_error, read_status
from tests.lab.veo import LOCATION, OWN_PROJECT
from tests.providers.veo_desk import MODEL

OPERATION = f"projects/{OWN_PROJECT}/locations/{LOCATION}/publishers/google/models/{MODEL}/operations/7f0c"


VIDEO = "type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse"


def done(**response: Any) -> dict[str, Any]:
    return {"name": OPERATION, "done": True, "response": {"@type": VIDEO, **response}}


@pytest.mark.parametrize(
    "data, answer",
    [
        ({ELIDED: True}, Ready(Artifact("inline"))),
        ({"name": OPERATION}, Waiting()),
        ({"name": OPERATION, "done": False, "metadata": {"@type": "x"}}, Waiting()),
        (done(videos=[{"bytesBase64Encoded": ELIDED, "mimeType": "video/mp4"}]), Ready(Artifact("inline"))),
        (
            done(raiMediaFilteredCount=1, videos=[{"bytesBase64Encoded": "AAAA", "mimeType": "video/mp4"}]),
            Ready(Artifact("inline")),
        ),
    ],
)
def test_an_operation_runs_or_has_its_clip(data: Any, answer: Any) -> None:
    assert read_status(data) == answer


@pytest.mark.parametrize(
    "data, kind",
    [
        (done(videos=[{"gcsUri": "gs://b/sample_0.mp4", "mimeType": "video/mp4"}]), Garbled),
        (done(videos=[{"bytesBase64Encoded": "", "mimeType": "video/mp4"}]), Garbled),
        (done(videos=[]), Garbled),
        (done(videos="x"), Garbled),
        (done(raiMediaFilteredCount=0), Garbled),
        (done(), Garbled),
        ({"name": OPERATION, "done": True}, Garbled),
        (done(raiMediaFilteredCount=1), ContentRefused),
        (done(raiMediaFilteredReasons=["Veo could not …"]), ContentRefused),
        (done(raiMediaFilteredReasons="Veo could not …", videos=None), ContentRefused),
    ],
)
def test_an_operation_that_ended_without_a_clip_fails(data: Any, kind: type[ProviderError]) -> None:
    answer = read_status(data)
    assert isinstance(answer, Failed)
    assert type(answer.error) is kind


@pytest.mark.parametrize("data", [{}, [], None, 7, {"done": True}, {"name": 3}, {"error": {"code": 3}}])
def test_what_is_no_operation_tells_nothing(data: Any) -> None:
    with pytest.raises(Garbled):
        read_status(data)


CHILD, CELEBRITY, DANGER, HATE = (
    "error.refused_child",
    "error.refused_celebrity",
    "error.refused_dangerous",
    "error.refused_hate",
)
SEXUAL, VIOLENCE, PROHIBITED = "error.refused_sexual", "error.refused_violence", "error.refused_prohibited"


@pytest.mark.parametrize(
    "codes, message_id",
    [
        ("58061214", CHILD),
        ("17301594", CHILD),
        ("29310472", CELEBRITY),
        ("15236754", CELEBRITY),
        ("62263041", DANGER),
        ("57734940", HATE),
        ("22137204", HATE),
        ("39322892", "error.refused_people"),
        ("92201652", "error.refused_private"),
        ("89371032", PROHIBITED),
        ("49114662", PROHIBITED),
        ("72817394", PROHIBITED),
        ("90789179", SEXUAL),
        ("63429089", SEXUAL),
        ("43188360", SEXUAL),
        ("78610348", "error.refused_toxic"),
        ("61493863", VIOLENCE),
        ("56562880", VIOLENCE),
        ("74803281", "error.content_refused"),
        ("29578790", "error.content_refused"),
        ("42876398", "error.content_refused"),
        ("74803281, 17301594", CHILD),
        ("1,2,3", "error.content_refused"),
    ],
)
def test_a_refusal_says_why_in_plain_words(codes: str, message_id: str) -> None:
    """Codes by Vertex's page on responsible AI, the sentence as Veo's operations carry it."""
    why = (
        "Veo could not generate videos because the input image violates Google's Responsible AI practices. If you think this was an error, "
        f"send feedback. Support codes: {codes}"
    )
    for data in (
        done(raiMediaFilteredCount=1, raiMediaFilteredReasons=[why]),
        {"name": "x", "error": {"code": 3, "message": why}},
    ):
        answer = read_status(data)
        assert isinstance(answer, Failed)
        assert isinstance(answer.error, ContentRefused)
        assert answer.error.message_id == message_id
        assert "practices" not in repr(vars(answer.error)) + str(answer.error)
    error = read_error(Answer(400, {}, {"error": {"code": 400, "message": why, "status": "INVALID_ARGUMENT"}}), True)
    assert isinstance(error, ContentRefused)
    assert error.message_id == message_id


@pytest.mark.parametrize(
    "code, kind",
    [
        (0, Unavailable),
        (1, Unavailable),
        (2, Unavailable),
        (3, InvalidRequest),
        (4, TimedOut),
        (5, Unavailable),
        (6, Unavailable),
        (7, CredentialsRejected),
        (8, RateLimited),
        (9, InvalidRequest),
        (10, Unavailable),
        (11, InvalidRequest),
        (12, InvalidRequest),
        (13, Unavailable),
        (14, Unavailable),
        (15, Unavailable),
        (16, CredentialsRejected),
        (99, Unavailable),
    ],
)
def test_an_operation_fails_by_a_number_of_google_rpc(code: int, kind: type[ProviderError]) -> None:
    answer = read_status({"name": OPERATION, "done": True, "error": {"code": code, "message": "secret prompt"}})
    assert isinstance(answer, Failed)
    assert type(answer.error) is kind
    assert "secret" not in f"{answer.error} {vars(answer.error)}"


def body(message: str, status: str = "X", reason: str | None = None) -> dict[str, Any]:
    details = [] if reason is None else [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]
    return {"error": {"code": 1, "message": message, "status": status, "details": details}}


@pytest.mark.parametrize(
    "status, data, kind, hint",
    [
        (400, body("Unsupported output video duration 5 seconds"), InvalidRequest, ""),
        (
            400,
            body("API key not valid. Please pass a valid API key.", reason="API_KEY_INVALID"),
            CredentialsRejected,
            "express mode",
        ),
        (400, body("API key expired. Please renew the API key."), CredentialsRejected, "express mode"),
        (400, body("x", reason="API_KEY_INVALID"), CredentialsRejected, "AI Studio"),
        (401, body("Request had invalid authentication credentials."), CredentialsRejected, "express mode"),
        (401, None, CredentialsRejected, "express mode"),
        (402, None, OutOfFunds, "billing"),
        (403, body("The caller does not have permission"), CredentialsRejected, "express mode"),
        (
            403,
            body("Permission 'aiplatform.endpoints.predict' denied on resource"),
            CredentialsRejected,
            "roles/aiplatform.user",
        ),
        (403, body("x", reason="IAM_PERMISSION_DENIED"), CredentialsRejected, "roles/aiplatform.user"),
        (
            403,
            body("Vertex AI API has not been used in project 1 before or it is disabled."),
            CredentialsRejected,
            "not enabled",
        ),
        (403, body("x", reason="SERVICE_DISABLED"), CredentialsRejected, "not enabled"),
        (403, body("Vertex AI API has not been used in project 1 before."), CredentialsRejected, "not enabled"),
        (403, body("Vertex AI API: it is disabled."), CredentialsRejected, "not enabled"),
        (403, body("Permission denied on resource project p1."), CredentialsRejected, "roles/aiplatform.user"),
        (403, body("This API method requires billing to be enabled."), OutOfFunds, "billing"),
        (403, [body("x", reason="BILLING_DISABLED")], OutOfFunds, "billing"),
        (429, body("Please enable billing on project #1"), OutOfFunds, "billing"),
        (404, body("Publisher Model `x` was not found"), ModelRetired, "VEO_MODEL"),
        (404, None, ModelRetired, "VEO_MODEL"),
        (413, None, InvalidRequest, ""),
        (422, body("x"), InvalidRequest, ""),
        (422, body("contains sensitive words"), ContentRefused, ""),
        (400, body("Try another picture. Support codes: 5"), ContentRefused, ""),
        (400, body("the input image violates a rule"), ContentRefused, ""),
        (400, body("Google's Responsible AI practices"), ContentRefused, ""),
        (403, body("Request violates VPC Service Controls"), CredentialsRejected, "express mode"),
        (429, body("Resource exhausted. Please try again later."), RateLimited, ""),
        (500, body("Internal error"), Unclear, ""),
        (503, body("API key not valid"), Unclear, ""),
        (409, body("x"), Unclear, ""),
        (302, None, InvalidRequest, ""),
    ],
)
def test_a_refused_submit_has_the_class_that_its_words_mean(
    status: int, data: Any, kind: type[ProviderError], hint: str
) -> None:
    error = read_error(Answer(status, {"Retry-After": "7"}, data, is_json=data is not None), True)
    assert type(error) is kind
    assert hint in str(error)
    if kind is RateLimited:
        assert error.retry_after == 7
    if kind is ModelRetired:
        assert error.facts["setting"] == "VEO_MODEL"


@pytest.mark.parametrize("details", [5, "x", {"reason": "x"}, [3, None]])
def test_details_that_are_no_list_of_tables_break_nothing(details: object) -> None:
    data = {"error": {"code": 400, "message": "no", "details": details}}
    assert isinstance(read_error(Answer(400, {}, data, is_json=True), True), InvalidRequest)
