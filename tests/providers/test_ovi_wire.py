"""What Ovi is asked and what fal's answers mean, each line of the tables by an expectation of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core.capabilities import Applied
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
from providers.fal_queue import (
    HEARD_BYTES,
    STATUSES,
    TYPES,
    forgotten,
    known,
    measured,
    read_error,
    read_mapping,
    read_result,
    read_status,
    read_ticket,
    read_webhook,
)
from providers.line import Answer
from providers.ovi_input import Wire, compose, payload, pieces, wire
from providers.sheets import BadSheet, read_sheet

ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
QUEUE = f"https://queue.fal.run/fal-ai/ovi/requests/{ID}"
SUBMITTED = {
    "status": "IN_QUEUE",
    "request_id": ID,
    "response_url": QUEUE,
    "status_url": f"{QUEUE}/status",
    "cancel_url": f"{QUEUE}/cancel",
    "queue_position": 0,
}
"""As fal's page on the queue has it."""
PATHS = {
    "status": f"/fal-ai/ovi/requests/{ID}/status",
    "result": f"/fal-ai/ovi/requests/{ID}",
    "cancel": f"/fal-ai/ovi/requests/{ID}/cancel",
}


# ---- marks

FALS_OWN = "They say, <S>This little guy has been with me for eight years now.<E>.<AUDCAP>Cat purring and gentle petting<ENDAUDCAP>"
"""Nearly the example on fal's page."""
RAIN = "A man in the rain."


@pytest.mark.parametrize(
    "prompt, line, tags, tail",
    [
        (RAIN, "", RAIN, RAIN),
        ("", "", "", ""),
        ("", "Hello there.", "<S>Hello there.<E>", "<S>Hello there.<E>"),
        (RAIN, " Hello there. ", f"{RAIN} <S>Hello there.<E>", f"{RAIN} <S>Hello there.<E>"),
        (f"{RAIN} <S> Hi <E> He goes.", "", f"{RAIN} <S>Hi<E> He goes.", f"{RAIN} <S>Hi<E> He goes."),
        (f"{RAIN} <s>Hi<e>", "", f"{RAIN} <S>Hi<E>", f"{RAIN} <S>Hi<E>"),
        (
            FALS_OWN,
            "",
            FALS_OWN.replace(".<AUDCAP>", ". <AUDCAP>"),
            FALS_OWN.replace(".<AUDCAP>", ". Audio: ").replace("<ENDAUDCAP>", ""),
        ),
        (f"{RAIN} Audio: wind, gulls", "", f"{RAIN} <AUDCAP>wind, gulls<ENDAUDCAP>", f"{RAIN} Audio: wind, gulls"),
        (f"{RAIN}\naudio:wind", "", f"{RAIN} <AUDCAP>wind<ENDAUDCAP>", f"{RAIN} Audio: wind"),
        ("Audio: wind", "", "<AUDCAP>wind<ENDAUDCAP>", "Audio: wind"),
        (
            "A shop. <S>Hi<E> Audio: a bell",
            "",
            "A shop. <S>Hi<E> <AUDCAP>a bell<ENDAUDCAP>",
            "A shop. <S>Hi<E> Audio: a bell",
        ),
        (
            f"{RAIN} Audio: wind",
            "Hi",
            f"{RAIN} <S>Hi<E> <AUDCAP>wind<ENDAUDCAP>",
            f"{RAIN} <S>Hi<E> Audio: wind",
        ),
        (
            "A shop <AUDCAP>a bell.<ENDAUDCAP> opens. Audio: rain",
            "",
            "A shop opens. <AUDCAP>a bell. rain<ENDAUDCAP>",
            "A shop opens. Audio: a bell. rain",
        ),
        (f"{RAIN} <S> <E><AUDCAP><ENDAUDCAP>", "", RAIN, RAIN),
        (f"{RAIN} Audio:", "", RAIN, RAIN),
        (
            "A sign says Car Audio: half price",
            "",
            "A sign says Car Audio: half price",
            "A sign says Car Audio: half price",
        ),
        ("a < b and <b>bold</b> <SPEECH>", "", "a < b and <b>bold</b> <SPEECH>", "a < b and <b>bold</b> <SPEECH>"),
    ],
)
def test_a_prompt_is_told_as_the_model_wants_it(prompt: str, line: str, tags: str, tail: str) -> None:
    assert compose(prompt, line, "tags") == tags
    assert compose(prompt, line, "tail") == tail
    for told in (tags, tail):
        assert compose(told, "", "tags") == tags, "what a model gets means the same when a person writes it"


@pytest.mark.parametrize(
    "prompt, line",
    [
        ("He says <S>hello", ""),
        ("He says hello<E>", ""),
        ("<AUDCAP>rain", ""),
        ("rain<ENDAUDCAP>", ""),
        ("<S>hello<ENDAUDCAP>", ""),
        ("<AUDCAP>rain<E>", ""),
        ("<S>hello <S>again<E><E>", ""),
        ("<AUDCAP>rain and <S>hello<E><ENDAUDCAP>", ""),
        ("<S>hello <AUDCAP>rain<ENDAUDCAP><E>", ""),
        ("Rain. Audio: rain. <S>hello<E>", ""),
        ("Audio: rain <S>hello<E> he goes", ""),
        ("A man.", "hello<E>"),
        ("A man.", "<S>hello<E>"),
    ],
)
def test_marks_that_are_wrong_are_refused_and_the_legal_form_is_told(prompt: str, line: str) -> None:
    with pytest.raises(InvalidRequest) as found:
        compose(prompt, line, "tags")
    assert found.value.message_id == "error.ovi_marks"
    assert "hello" not in str(found.value)
    assert "rain" not in str(found.value).lower()


def test_a_prompt_of_marks_alone_is_read_in_linear_time() -> None:
    assert len(pieces("<S>x<E>" * 20_000)) == 20_000
    with pytest.raises(InvalidRequest):
        pieces("<S>" * 20_000)
    for text in ("\n" * 100_000 + "x", " " * 100_000 + "audio", "x audio: " * 10_000, "\n audio" * 10_000):
        assert len(pieces(text)) == 1


# ---- what is asked

APPLIED = Applied("ovi", "fal-ai/ovi", RAIN, "", "9:16", "512p", 5, 7, True)
SHIPPED = wire(read_sheet("ovi").models[0])


@pytest.mark.parametrize(
    "changes, picture, body",
    [
        ({}, None, {"prompt": RAIN, "seed": 7, "resolution": "512x960"}),
        ({"aspect_ratio": "16:9"}, None, {"prompt": RAIN, "seed": 7, "resolution": "960x512"}),
        ({"aspect_ratio": "1:1"}, None, {"prompt": RAIN, "seed": 7, "resolution": "720x720"}),
        ({"aspect_ratio": "21:9"}, None, {"prompt": RAIN, "seed": 7}),
        (
            {"negative_prompt": "fog"},
            None,
            {"prompt": RAIN, "seed": 7, "negative_prompt": "fog", "resolution": "512x960"},
        ),
        ({"line": "Hi"}, None, {"prompt": f"{RAIN} <S>Hi<E>", "seed": 7, "resolution": "512x960"}),
        ({}, "data:image/png;base64,AA", {"prompt": RAIN, "seed": 7, "image_url": "data:image/png;base64,AA"}),
        (
            {"prompt": ""},
            "data:image/png;base64,AA",
            {"prompt": "The picture comes to life.", "seed": 7, "image_url": "data:image/png;base64,AA"},
        ),
    ],
)
def test_the_input_of_an_order(changes: dict[str, Any], picture: str | None, body: dict[str, Any]) -> None:
    assert payload(replace(APPLIED, **changes), SHIPPED, picture) == body


def test_without_options_nothing_more_is_sent() -> None:
    assert payload(APPLIED, Wire(), None) == {"prompt": RAIN, "seed": 7}
    more = Wire(input={"num_inference_steps": 40}, sounds="tail")
    told = payload(replace(APPLIED, prompt=f"{RAIN} <AUDCAP>wind<ENDAUDCAP>"), more, None)
    assert told == {"prompt": f"{RAIN} Audio: wind", "seed": 7, "num_inference_steps": 40}


@pytest.mark.parametrize(
    "options",
    [
        {"imagee": "x"},
        {"sounds": "both"},
        {"image": 1},
        {"wordless": 1},
        {"sizes": "960x512"},
        {"sizes": {"16:9": 960}},
        {"input": [1]},
        {"router": "chetwinlow1/Ovi"},
        {"router": {"model": "a/b", "id": "c/d"}},
        {"router": {"model": "a/b", "id": "c/d", "task": "text-to-image"}},
    ],
)
def test_options_that_are_wrong_are_told_at_start(options: dict[str, Any]) -> None:
    with pytest.raises(BadSheet, match="model fal-ai/ovi, options"):
        wire(replace(read_sheet("ovi").models[0], options=options))


def test_numbers_of_the_sheet_can_be_sent() -> None:
    told = wire(replace(read_sheet("ovi").models[0], options={"input": {"shift": Decimal("5.5"), "steps": 30}}))
    assert json.dumps(told.input) == '{"shift": 5.5, "steps": 30}'


# ---- what is answered to a submit


def test_the_ticket_has_the_paths_of_the_answer_and_no_host() -> None:
    assert read_ticket(SUBMITTED, "fal-ai/ovi/image-to-video") == {"id": ID, **PATHS}
    elsewhere = {key: str(value).replace("fal-ai/ovi", "workflows/fal-ai/ovi") for key, value in SUBMITTED.items()}
    assert read_ticket(elsewhere, "fal-ai/ovi")["status"] == f"/workflows/fal-ai/ovi/requests/{ID}/status"


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        "",
        "https://queue.fal.run",
        "https://[broken/x",
        "https://queue.fal.run/fal-ai/ovi/requests/another-request-0/status",
        f"https://queue.fal.run/fal-ai/../../{ID}/status",
        f"https://queue.fal.run//evil.example/{ID}/status",
        f"https://queue.fal.run/fal-ai/%2e%2e/{ID}/status",
        f"https://queue.fal.run/fal ai/{ID}\r\nX: y",
    ],
)
def test_a_path_that_is_none_is_made_by_hand(url: Any) -> None:
    urls = {"status_url": url, "response_url": url, "cancel_url": url}
    ticket = read_ticket({**SUBMITTED, **urls}, "fal-ai/ovi/image-to-video")
    assert ticket == {"id": ID, **PATHS}
    known(ticket)


@pytest.mark.parametrize(
    "data", [None, [], 7, {}, {"request_id": 7}, {"request_id": ""}, {"request_id": "../../x/y/z"}]
)
def test_an_answer_without_a_request_is_unclear(data: Any) -> None:
    with pytest.raises(Unclear):
        read_ticket(data, "fal-ai/ovi")


@pytest.mark.parametrize(
    "ticket", [{}, {"id": ID}, {**PATHS, "status": "https://evil.example/x"}, {**PATHS, "cancel": "/a/../b"}]
)
def test_a_ticket_of_somebody_else_is_told(ticket: dict[str, Any]) -> None:
    with pytest.raises(Garbled):
        known(ticket)


# ---- looks


def logs(*messages: Any) -> list[Any]:
    return [
        {"message": each, "level": "INFO", "source": "USER", "timestamp": "2026-11-22T00:00:00Z"} for each in messages
    ]


@pytest.mark.parametrize(
    "data, answer",
    [
        ({"status": "IN_QUEUE", "queue_position": 2}, Waiting(queue_position=3)),
        ({"status": "IN_QUEUE", "queue_position": 0}, Waiting(queue_position=1)),
        ({"status": "IN_QUEUE"}, Waiting()),
        ({"status": "IN_QUEUE", "queue_position": "2"}, Waiting()),
        ({"status": "IN_QUEUE", "queue_position": -1}, Waiting()),
        ({"status": "IN_PROGRESS", "logs": None}, Waiting()),
        ({"status": "IN_PROGRESS", "logs": logs(" 50%|###   | 25/50")}, Waiting(progress=0.5)),
        ({"status": "COMPLETED", "logs": [], "metrics": {"inference_time": 12.5}}, None),
        ({"status": "COMPLETED", "error": "something", "error_type": "nobody knows"}, None),
    ],
)
def test_a_status(data: dict[str, Any], answer: Any) -> None:
    assert read_status(data) == answer


def test_a_status_that_failed_already_is_not_asked_for_its_result() -> None:
    answer = read_status({"status": "COMPLETED", "error": "Request timed out", "error_type": "request_timeout"})
    assert isinstance(answer, Failed)
    assert isinstance(answer.error, TimedOut)


@pytest.mark.parametrize("data", [None, 7, [], {}, {"status": "SUCCEEDED"}, {"status": None}, "COMPLETED"])
def test_a_status_that_is_unknown_tells_nothing(data: Any) -> None:
    with pytest.raises(Garbled):
        read_status(data)


@pytest.mark.parametrize(
    "found, progress",
    [
        (None, None),
        ("50%", None),
        ([], None),
        ([7, None, {"message": 7}, {}], None),
        (logs("loading the model"), None),
        (logs("GPU at 93% of its memory"), None),
        (logs(" 50%|█████     | 25/50 [00:30<00:30,  1.2s/it]"), 0.5),
        (logs("\r 2%|▏| 1/50\r 4%|▎| 2/50"), 0.04),
        (logs("100%|██████████| 50/50"), 1.0),
        (logs("37% done"), 0.37),
        (logs("Progress: 12.5%"), 0.12),
        (logs("progress 80 %"), 0.8),
        (logs("Sampling step 10/40"), 0.25),
        (logs("Step: 3 of 4"), 0.75),
        (logs("step 0/0"), None),
        (logs("step 9/3"), 1.0),
        (logs("999%|"), 1.0),
        (logs(" 50%|###", "saving"), 0.5),
        (logs(" 10%|#", " 60%|######"), 0.6),
        (logs(*["x"] * 300), None),
    ],
)
def test_progress_is_what_the_last_telling_line_says(found: Any, progress: float | None) -> None:
    assert measured(found) == progress


# ---- results and refusals

EXPECTED_TYPES: dict[str, type[ProviderError]] = {
    "content_policy_violation": ContentRefused,
    "generation_timeout": TimedOut,
    "request_timeout": TimedOut,
    "startup_timeout": TimedOut,
    "runner_scheduling_failure": Unavailable,
    "runner_connection_timeout": Unavailable,
    "runner_disconnected": Unavailable,
    "runner_connection_refused": Unavailable,
    "runner_connection_error": Unavailable,
    "runner_incomplete_response": Unavailable,
    "runner_server_error": Unavailable,
    "internal_error": Unavailable,
    "internal_server_error": Unavailable,
    "downstream_service_error": Unavailable,
    "downstream_service_unavailable": Unavailable,
    "no_media_generated": Unavailable,
    "client_cancelled": Unavailable,
    "client_disconnected": Unavailable,
}
EXPECTED_STATUSES: dict[int, type[ProviderError]] = {
    400: InvalidRequest,
    401: CredentialsRejected,
    402: OutOfFunds,
    403: CredentialsRejected,
    404: ModelRetired,
    413: InvalidRequest,
    422: InvalidRequest,
    429: RateLimited,
}
LOCKED = {"detail": "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."}
MISSING = {"detail": [{"loc": ["body", "prompt"], "msg": "Field required", "type": "missing"}]}
FLAGGED = {
    "detail": [
        {
            "loc": ["body", "prompt"],
            "msg": "The content could not be processed because it contained material flagged by a content checker.",
            "type": "content_policy_violation",
            "url": "https://docs.fal.ai/errors#content_policy_violation",
            "input": "…",
        }
    ]
}


def answer(status: int, data: Any = None, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, headers or {}, data, is_json=data is not None)


def test_the_tables_are_the_expected_ones() -> None:
    assert dict(TYPES) == EXPECTED_TYPES
    assert dict(STATUSES) == EXPECTED_STATUSES


@pytest.mark.parametrize("kind", EXPECTED_TYPES)
def test_a_type_is_read_wherever_it_stands(kind: str) -> None:
    listed = {"detail": [{"loc": ["body"], "msg": "", "type": "value_error"}, {"loc": [], "msg": "", "type": kind}]}
    for told in (
        answer(500, {"detail": "text", "error_type": kind}),
        answer(422, listed),
        answer(504, {"detail": "text"}, {"X-Fal-Error-Type": kind}),
    ):
        found = read_result(told)
        assert isinstance(found, Failed)
        assert type(found.error) is EXPECTED_TYPES[kind]


@pytest.mark.parametrize(
    "told, kind",
    [
        (answer(422, FLAGGED), ContentRefused),
        (answer(422, MISSING), InvalidRequest),
        (answer(400, {"detail": "bad"}), InvalidRequest),
        (answer(413, {"detail": "too large"}), InvalidRequest),
        (answer(404, {"detail": "Request not found"}), Unavailable),
        (answer(499, {"detail": "cancelled", "error_type": "client_cancelled"}), Unavailable),
        (answer(500, {"detail": "Internal Server Error"}), Unavailable),
        (answer(504, {"detail": "Request timed out", "error_type": "request_timeout"}), TimedOut),
        (answer(200, {"video": None, "seed": 7}), Unavailable),
    ],
)
def test_a_result_that_is_an_error_ends_the_attempt(told: Answer, kind: type[ProviderError]) -> None:
    found = read_result(told)
    assert isinstance(found, Failed)
    assert type(found.error) is kind
    assert "flagged" not in str(found.error)


@pytest.mark.parametrize(
    "told, kind",
    [
        (answer(200, {}), Garbled),
        (answer(200, [1]), Garbled),
        (answer(200, {"video": "https://v3.fal.media/x.mp4"}), Garbled),
        (answer(200, {"video": {"url": 7}}), Garbled),
        (answer(429, {"detail": "slow down"}, {"Retry-After": "7"}), RateLimited),
        (answer(401, {"detail": "no"}), CredentialsRejected),
        (answer(403, LOCKED), OutOfFunds),
        (answer(402, {"detail": "no"}), OutOfFunds),
        (answer(502), Unavailable),
        (answer(503, {"message": "try later"}), Unavailable),
        *((answer(status, {"detail": "upstream"}), Unavailable) for status in (408, 425, 502, 503, 504)),
        (answer(404), Unavailable),
        (answer(422, [1]), InvalidRequest),
    ],
)
def test_a_result_that_tells_nothing_is_asked_for_again(told: Answer, kind: type[ProviderError]) -> None:
    with pytest.raises(ProviderError) as found:
        read_result(told)
    assert type(found.value) is kind
    assert found.value.retry_after == (7 if kind is RateLimited else None)


def test_a_result_that_is_not_known_yet_is_waited_for() -> None:
    """The result's own words while it is being made (fal-js and others read them); the status may say sooner that it is there."""
    assert read_result(answer(400, {"detail": "Request is still in progress"})) == Waiting()
    flagged = {"detail": "Request is still in progress", "error_type": "content_policy_violation"}
    assert isinstance(read_result(answer(400, flagged)), Failed)


def test_the_clip_is_at_an_address() -> None:
    url = "https://v3.fal.media/files/a/b.mp4"
    file = {"url": url, "content_type": "video/mp4", "file_name": "b.mp4", "file_size": 1}
    assert read_result(answer(200, {"video": file, "seed": 7})) == Ready(Artifact("url", url))


@pytest.mark.parametrize("status", EXPECTED_STATUSES)
def test_a_refused_submit(status: int) -> None:
    error = read_error(answer(status, {"detail": "text"}, {"Retry-After": "3"}), True)
    assert type(error) is EXPECTED_STATUSES[status]
    assert error.facts["status"] == status
    assert error.retry_after == 3
    assert ("setting" in error.facts) is (status == 404)


@pytest.mark.parametrize(
    "told, kind",
    [
        (answer(403, LOCKED), OutOfFunds),
        (answer(403, {"detail": "EXHAUSTED BALANCE"}), OutOfFunds),
        (answer(403, {"detail": "User is locked."}), OutOfFunds),
        (answer(401, LOCKED), CredentialsRejected),
        (answer(422, FLAGGED), ContentRefused),
        (answer(400, FLAGGED), ContentRefused),
        (answer(400, {"detail": "", "error_type": "downstream_service_error"}), Unclear),
        (answer(422, {"detail": "", "error_type": "generation_timeout"}), Unclear),
        (answer(500, {"detail": "", "error_type": "internal_error"}), Unclear),
        (answer(503, {"detail": "", "error_type": "runner_scheduling_failure"}), Unclear),
        (answer(504, FLAGGED), Unclear),
        (answer(408), Unclear),
        (answer(409), Unclear),
        (answer(302), InvalidRequest),
    ],
)
def test_a_submit_that_is_refused_in_other_words(told: Answer, kind: type[ProviderError]) -> None:
    assert type(read_error(told, True)) is kind


def test_elsewhere_a_404_is_no_retired_model() -> None:
    assert type(read_error(answer(404, {"detail": "Not Found"}), False)) is Unavailable
    assert type(read_error(answer(500), False)) is Unavailable
    found = forgotten(answer(404, {"detail": "Request not found"}))
    assert isinstance(found, Failed)
    with pytest.raises(Unavailable):
        forgotten(answer(404))


# ---- webhooks and the mapping


@pytest.mark.parametrize(
    "body, request_id",
    [
        (json.dumps({"request_id": ID, "gateway_request_id": ID, "status": "OK", "payload": {}}).encode(), ID),
        (json.dumps({"request_id": ID, "status": "ERROR", "error": "x", "payload": None}).encode(), ID),
        (json.dumps({"request_id": ID, "status": "ok"}).encode(), None),
        (json.dumps({"request_id": ID}).encode(), None),
        (json.dumps({"request_id": "../../x", "status": "OK"}).encode(), None),
        (json.dumps({"request_id": 7, "status": "OK"}).encode(), None),
        (json.dumps([{"request_id": ID, "status": "OK"}]).encode(), None),
        (b"", None),
        (b"\xff\xfe", None),
        (b"[" * 100_000, None),
        (json.dumps({"request_id": ID, "status": "OK", "x": "y" * HEARD_BYTES}).encode(), None),
    ],
)
def test_a_webhook_names_a_request(body: bytes, request_id: str | None) -> None:
    assert read_webhook(body) == request_id


@pytest.mark.parametrize(
    "mapping, found",
    [
        (
            {"fal-ai": {"status": "live", "providerId": "fal-ai/ovi", "task": "text-to-video"}},
            ("fal-ai/ovi", "text-to-video"),
        ),
        ([{"provider": "x"}, {"provider": "fal-ai", "providerId": "a/b", "task": "c"}], ("a/b", "c")),
        ([7, {"provider": "x"}], None),
        ({}, None),
        ({"fal-ai": 7}, None),
        (None, None),
    ],
)
def test_the_mapping(mapping: Any, found: Any) -> None:
    assert read_mapping({"id": "chetwinlow1/Ovi", "inferenceProviderMapping": mapping}) == found


def test_no_mapping() -> None:
    assert read_mapping(None) is None
    assert read_mapping([]) is None
