"""Replicate's words, by examples: what its statuses and failures mean, what a model is sent, which webhooks are genuine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
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
from providers.line import Answer
from providers.replicate import capabilities, payload, read_progress, read_status
from providers.replicate_hooks import genuine
from providers.replicate_inputs import FIELDS, Inputs, Slot, check_inputs, read_inputs
from providers.replicate_line import (
    ASKED,
    INVALID_WORDS,
    REFUSALS,
    REFUSED_WORDS,
    RETIRED,
    read_error,
    read_failure,
)
from providers.sheets import BadSheet, Model, read_sheet

# ------------------------------------------------------------------------------------------------------------------------ refusals

SUBMITTED: Mapping[int, type[ProviderError]] = {
    400: InvalidRequest,
    401: CredentialsRejected,
    402: OutOfFunds,
    403: CredentialsRejected,
    404: ModelRetired,
    413: InvalidRequest,
    422: InvalidRequest,
    429: RateLimited,
    408: Unclear,
    409: Unclear,
    418: Unclear,
    500: Unclear,
    502: Unclear,
    503: Unclear,
    504: Unclear,
}
LOOKED: Mapping[int, type[ProviderError]] = {
    401: CredentialsRejected,
    402: OutOfFunds,
    403: CredentialsRejected,
    429: RateLimited,
    400: Unavailable,
    404: Unavailable,
    422: Unavailable,
    500: Unavailable,
    503: Unavailable,
    302: Unavailable,
}
PROBLEM = {"title": "A title", "detail": "What a person wrote: a secret lighthouse", "status": 0}


@pytest.mark.parametrize("status", sorted(SUBMITTED.keys() | REFUSALS.keys()))
def test_what_a_status_means_to_a_submit(status: int) -> None:
    error = read_error(Answer(status, {}, PROBLEM, is_json=True), submitting=True)
    assert type(error) is SUBMITTED[status]
    assert error.facts["status"] == status
    assert "lighthouse" not in f"{error} {error.facts} {error.values}", "Replicate's words go nowhere"


@pytest.mark.parametrize("status", sorted(LOOKED.keys() | ASKED.keys()))
def test_what_a_status_means_to_a_look(status: int) -> None:
    error = read_error(Answer(status, {}, PROBLEM, is_json=True), submitting=False)
    assert type(error) is LOOKED[status]


@pytest.mark.parametrize("body", [None, [], 7, "x", {"detail": None}, {"detail": {"a": [1]}}])
def test_a_refusal_without_words_is_read_by_its_status(body: Any) -> None:
    assert type(read_error(Answer(422, {}, body), submitting=True)) is InvalidRequest


@pytest.mark.parametrize(
    "title, detail, kind",
    [
        (  # quoted in issues of replicate/replicate-python
            "Invalid version or not permitted",
            "The specified version does not exist (or perhaps you don't have permission to use it?)",
            ModelRetired,
        ),
        ("", "The specified version does not exist", ModelRetired),
        ("Input validation failed", "- input: prompt is required\n", InvalidRequest),
        ("Input validation failed", "- input.prompt: the prompt was flagged as sensitive (E005)", ContentRefused),
    ],
)
def test_the_words_of_a_422(title: str, detail: str, kind: type[ProviderError]) -> None:
    error = read_error(Answer(422, {}, {"title": title, "detail": detail, "status": 422}), submitting=True)
    assert type(error) is kind


@pytest.mark.parametrize("words", RETIRED)
def test_each_way_to_say_that_a_version_is_gone(words: str) -> None:
    assert words in {"invalid version or not permitted", "version does not exist"}
    assert type(read_error(Answer(422, {}, {"detail": words.title()}), submitting=True)) is ModelRetired


def test_a_model_that_is_gone_names_the_setting() -> None:
    body = {"detail": "The requested resource could not be found.", "status": 404}
    assert read_error(Answer(404, {}, body), submitting=True).facts["setting"] == "REPLICATE_MODEL"
    assert (
        read_error(Answer(404, {}, body), submitting=True, setting="CHARACTER_MODEL").facts["setting"]
        == "CHARACTER_MODEL"
    )


@pytest.mark.parametrize(
    "headers, detail, seconds",
    [
        ({"Retry-After": "7"}, "Request was throttled. Your rate limit resets in ~30s.", 7),
        ({}, "Request was throttled. Your rate limit resets in ~30s.", 30),  # docs/topics/predictions/rate-limits
        ({}, "Request was throttled.", None),
        ({"Retry-After": "soon"}, "", None),
    ],
)
def test_how_long_a_rate_limit_lasts(headers: Mapping[str, str], detail: str, seconds: float | None) -> None:
    error = read_error(Answer(429, headers, {"detail": detail}), submitting=True)
    assert type(error) is RateLimited
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    "text, kind, code",
    [
        (
            "The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
            ContentRefused,
            "E005",
        ),
        ("E005", ContentRefused, "E005"),
        ("The prompt was flagged as sensitive", ContentRefused, None),
        ("NSFW content detected in all outputs. Please try running it again", ContentRefused, None),
        ("The request violates our Content Policy", ContentRefused, None),
        ("Blocked by the safety filters of Vertex AI", ContentRefused, None),
        ("Sensitive content was found", ContentRefused, None),
        ("The input was invalid. Your request could not be processed. (E006)", InvalidRequest, "E006"),
        ("Your input was invalid", InvalidRequest, None),
        ("Invalid input: image is too small", InvalidRequest, None),
        ("Prediction interrupted; please retry (code: PA)", Unavailable, None),
        ("Service is temporarily unavailable due to high demand (E003)", Unavailable, "E003"),
        ("E1001: the model ran out of memory", Unavailable, "E1001"),
        ("CUDA out of memory", Unavailable, None),
        ("", Unavailable, None),
        (None, Unavailable, None),
        ({"message": "x"}, Unavailable, None),
    ],
)
def test_why_a_prediction_failed(text: Any, kind: type[ProviderError], code: str | None) -> None:
    error = read_failure(text)
    assert type(error) is kind
    assert error.facts.get("vendor_code") == code
    assert not str(text) or str(text) == "E005" or str(text) not in str(error)


def test_each_word_of_a_refusal_is_one_of_these() -> None:
    words = {"e005", "flagged as sensitive", "nsfw", "content policy", "safety", "sensitive content"}
    assert set(REFUSED_WORDS) == words
    assert all(type(read_failure(f"it said {word}.")) is ContentRefused for word in words)
    assert set(INVALID_WORDS) == {"e006", "input was invalid", "invalid input"}
    assert all(type(read_failure(f"it said {word}.")) is InvalidRequest for word in INVALID_WORDS)


# -------------------------------------------------------------------------------------------------------------------------- status

PREDICTION: dict[str, Any] = {  # the example of the OpenAPI document, with a clip for an output
    "id": "gm3qorzdhgbfurvjtvhg6dckhu",
    "model": "replicate/hello-world",
    "version": "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa",
    "input": {"text": "Alice"},
    "logs": "",
    "output": "https://replicate.delivery/pbxt/abc/out.mp4",
    "error": None,
    "status": "succeeded",
    "created_at": "2023-09-08T16:19:34.765994Z",
    "source": "api",
    "data_removed": False,
    "started_at": "2023-09-08T16:19:34.779176Z",
    "completed_at": "2023-09-08T16:19:34.791859Z",
    "metrics": {"predict_time": 0.012683},
}
PLAIN = Inputs("replicate/hello-world", {"prompt": Slot("text")})


def said(**changes: Any) -> dict[str, Any]:
    return {**PREDICTION, **changes}


def test_a_prediction_that_succeeded_is_ready() -> None:
    assert read_status(PREDICTION, PLAIN) == Ready(Artifact("url", "https://replicate.delivery/pbxt/abc/out.mp4"))


@pytest.mark.parametrize("status", ["starting", "processing"])
def test_a_prediction_at_work_is_waited_for(status: str) -> None:
    assert read_status(said(status=status, output=None, logs=None), PLAIN) == Waiting()
    assert read_status(said(status=status, output=None, logs=" 50%|█████     | 25/50 [00:10<00:10]"), PLAIN) == Waiting(
        0.5
    )


@pytest.mark.parametrize(
    "changes, kind",
    [
        ({"status": "failed", "error": "flagged as sensitive"}, ContentRefused),
        ({"status": "failed", "error": None}, Unavailable),
        ({"status": "aborted"}, TimedOut),
        ({"status": "canceled"}, Unavailable),
        ({"status": "canceled", "deadline": "2023-09-08T16:19:34.791859Z"}, TimedOut),
        ({"status": "canceled", "deadline": "2023-09-08T17:19:34Z"}, Unavailable),
        ({"status": "canceled", "deadline": 7, "completed_at": None}, Unavailable),
        ({"status": "succeeded", "output": None}, Garbled),
        ({"status": "succeeded", "output": []}, Garbled),
        ({"status": "succeeded", "output": {"video": "https://a.example/x.mp4"}}, Garbled),
        ({"status": "succeeded", "output": 7}, Garbled),
    ],
)
def test_a_prediction_that_brings_no_clip_ends_the_attempt(changes: Any, kind: type[ProviderError]) -> None:
    answer = read_status(said(**changes), PLAIN)
    assert isinstance(answer, Failed)
    assert type(answer.error) is kind


def test_an_output_that_was_removed_says_so() -> None:
    answer = read_status(said(output=None, input={}, logs="", data_removed=True), PLAIN)
    assert isinstance(answer, Failed)
    assert answer.error.facts == {"data_removed": True, "completed": "2023-09-08T16:19:34.791859Z"}


@pytest.mark.parametrize("data", [None, [], 7, {}, {"status": None}, {"status": []}, {"status": "queued"}, "succeeded"])
def test_what_is_no_prediction_tells_nothing(data: Any) -> None:
    with pytest.raises(Garbled):
        read_status(data, PLAIN)


@pytest.mark.parametrize(
    "path, output",
    [
        ("", "https://a.example/x.mp4"),
        ("", ["https://a.example/x.mp4", "https://a.example/y.mp4"]),
        ("video", {"video": "https://a.example/x.mp4", "audio": "z"}),
        ("result.video", {"result": {"video": ["https://a.example/x.mp4"]}}),
    ],
)
def test_where_the_clip_stands_in_an_output(path: str, output: Any) -> None:
    assert Inputs("a/b", {}, output=path).address(output) == "https://a.example/x.mp4"


@pytest.mark.parametrize(
    "logs, progress",
    [
        ("", None),
        (None, None),
        (7, None),
        ("Using seed: 7", None),
        ("  0%|          | 0/50 [00:00<?, ?it/s]", 0.0),
        (" 50%|█████     | 25/50 [00:20<00:20,  1.2it/s]", 0.5),
        ("  0%|          | 0/50\r  4%|▍         | 2/50\r100%|██████████| 50/50\nsaving", 1.0),
        ("Denoising:  20%|██        | 10/50 [00:08<00:32]", 0.2),
        (" 10%|█         | 5/0", None),
        ("300%|█| 150/50", 1.0),
        ("x" * 10_000 + "\n 30%|███       | 15/50\n", 0.3),
    ],
)
def test_progress_is_the_last_bar_of_the_log(logs: Any, progress: float | None) -> None:
    assert read_progress(logs) == progress


# -------------------------------------------------------------------------------------------------------------------------- inputs


def model_of(options: Mapping[str, Any] | None = None, **fields: Any) -> Model:
    """A model of a sheet with these options."""
    shipped = read_sheet("replicate").models[0]
    return Model(fields.pop("id", "google/veo-3.1"), shipped.capabilities, shipped.rate, options or shipped.options)


def applied(**changes: Any) -> Applied:
    fields: dict[str, Any] = {
        "provider": "replicate",
        "model": "google/veo-3.1",
        "prompt": "a lighthouse",
        "negative_prompt": "",
        "aspect_ratio": "9:16",
        "resolution": "1080p",
        "seconds": 6,
        "seed": 4_000_000_000,
        "audio": False,
    }
    return Applied(**{**fields, **changes})


def shipped(name: str) -> Inputs:
    sheet = read_sheet("replicate")
    return read_inputs("replicate", next(model for model in sheet.models if model.id == name))


def test_what_veo_is_sent() -> None:
    lent = {
        "picture": "data:image/png;base64,AA==",
        "last_picture": "https://a.example/1",
        "references": ["https://a.example/2"],
    }
    wish = applied(negative_prompt="rain", line='He said "{line}"')
    assert payload(wish, shipped("google/veo-3.1"), lent) == {
        "prompt": 'a lighthouse Somebody in the picture says: "He said "{line}""',
        "negative_prompt": "rain",
        "duration": 6,
        "aspect_ratio": "9:16",
        "resolution": "1080p",
        "generate_audio": False,
        "seed": 4_000_000_000,
        "image": "data:image/png;base64,AA==",
        "last_frame": "https://a.example/1",
        "reference_images": ["https://a.example/2"],
    }
    assert "negative_prompt" not in payload(applied(), shipped("google/veo-3.1-fast"), {})


def test_what_ovi_is_sent() -> None:
    wish = applied(model="character-ai/ovi-i2v", seconds=5, line="Hello.", negative_prompt="blur")
    assert payload(wish, shipped("character-ai/ovi-i2v"), {"picture": "data:image/png;base64,AA=="}) == {
        "prompt": "a lighthouse <S>Hello.<E>",
        "video_negative_prompt": "blur",
        "seed": 4_000_000_000,
        "image": "data:image/png;base64,AA==",
    }


def test_a_model_of_the_operators_own_by_data_alone() -> None:
    options = {
        "version": "f" * 64,
        "output": "video",
        "constants": {"go_fast": True, "strength": 0.5},
        "leave_out": "{prompt} Without: {negative}",
        "line": "{prompt} ({line})",
        "input": {
            "prompt": "text",
            "seconds": {"name": "num_frames", "values": {"4": 97, "6": 145, "8": 193}},
            "shape": {"name": "size", "values": {"9:16 1080p": "1080*1920"}},
            "resolution": {"name": "quality", "format": "q{}"},
            "audio": {"name": "sound", "values": {"true": "on", "false": "off"}},
            "seed": {"name": "seed", "most": 2_147_483_647},
            "picture": {"name": "images", "list": True},
        },
    }
    inputs = read_inputs("replicate", model_of(options, id="somebody/their-model"))
    wish = applied(prompt="{line} {negative}", negative_prompt="{prompt}", line="Hi")
    filled = payload(wish, inputs, {"picture": "https://a.example/1"})
    assert filled == {
        "go_fast": True,
        "strength": 0.5,
        "text": "{line} {negative} (Hi) Without: {prompt}",
        "num_frames": 145,
        "size": "1080*1920",
        "quality": "q1080p",
        "sound": "off",
        "seed": 4_000_000_000 % 2_147_483_648,
        "images": ["https://a.example/1"],
    }
    assert inputs.path == "/v1/predictions"
    assert inputs.body(filled) == {"version": "f" * 64, "input": filled}
    assert inputs.described_at == f"/v1/models/somebody/their-model/versions/{'f' * 64}"


def test_the_shipped_sheets_keep_what_they_promise() -> None:
    sheet = read_sheet("replicate")
    assert [model.id for model in sheet.models] == ["google/veo-3.1", "google/veo-3.1-fast", "character-ai/ovi-i2v"]
    for model in sheet.models:
        check_inputs("replicate", read_inputs("replicate", model), model.capabilities)
    assert not sheet.models[2].capabilities.text
    assert capabilities() == sheet.capabilities
    for model in read_sheet("replicate_painter").models:
        assert read_inputs("replicate_painter", model).slots.keys() == {"prompt", "references"}
        assert model.rate.flat


MINE: Mapping[str, Mapping[str, str]] = {
    "models": {
        "id": "'somebody/their-model'",
        "title": "'Theirs'",
        "seconds": "[4, 8]",
        "aspects": "['16:9', '9:16']",
        "resolutions": "['720p']",
        "price": "{ flat = 0.1 }",
    },
    "options": {},
    "input": {
        name: f"'{name}'" for name in ("prompt", "seconds", "aspect_ratio", "seed", "negative_prompt", "picture")
    },
}
"""A whole sheet of the operator's own, as TOML."""


def own(folder: Path, **changes: Mapping[str, str | None]) -> None:
    """Read that sheet with ``changes`` in its tables, as connect does; None takes a key away."""
    tables = {name: {**table, **changes.get(name, {})} for name, table in MINE.items()}
    heads = {"models": "[[models]]", "options": "[models.options]", "input": "[models.options.input]"}
    lines = [
        line
        for name, table in tables.items()
        for line in (heads[name], *(f"{key} = {value}" for key, value in table.items() if value is not None))
    ]
    (folder / "models").mkdir(exist_ok=True)
    (folder / "models" / "replicate.toml").write_text("\n".join(lines))
    model = read_sheet("replicate", default="somebody/their-model", own=folder, guess=False).models[0]
    check_inputs("replicate", read_inputs("replicate", model), model.capabilities)


@pytest.mark.parametrize(
    "models, options, given, told",
    [
        ({}, {}, {"picture": None}, "no picture"),
        ({}, {}, {"seed": None}, "no seed"),
        ({}, {}, {"negative_prompt": None}, "no negative_prompt"),
        ({}, {}, {"aspect_ratio": None}, "no aspect_ratio"),
        ({}, {}, {"seconds": None}, "no seconds"),
        ({"resolutions": "['720p', '1080p']"}, {}, {}, "no resolution"),
        ({"audio_switch": "true"}, {}, {}, "no audio"),
        ({"last_frame": "true"}, {}, {}, "no last_picture"),
        ({"reference_images": "2"}, {}, {}, "no references"),
        ({"person_generation": "['allow_all']"}, {}, {}, "no person_generation"),
        ({"speech": "true"}, {}, {}, "options.line wants"),
        ({"speech": "true"}, {"line": "'{prompt}'"}, {}, "options.line wants"),
        ({"folds_negative": "true"}, {"leave_out": "'no {negative}'"}, {}, "options.leave_out wants"),
        ({"extend": "true"}, {}, {}, "extend is not possible"),
        ({}, {}, {"colour": "'red'"}, "options.input wants"),
        ({}, {}, {"prompt": None}, "options.input wants"),
        ({}, {"speed": "1"}, {}, "options.speed is unknown"),
        ({}, {"version": "7"}, {}, "options.version wants a text"),
        ({}, {"constants": "7"}, {}, "options.constants wants a table"),
        ({}, {}, {"audio": "7"}, "options.input.audio wants"),
        ({}, {}, {"audio": "{}"}, "options.input.audio wants"),
        ({}, {}, {"audio": "{ name = 'a', speed = 1 }"}, "options.input.audio wants"),
        ({}, {}, {"audio": "{ name = 'a', values = 1 }"}, "options.input.audio wants"),
        ({}, {}, {"audio": "{ name = 'a', format = 'x' }"}, "options.input.audio wants"),
        ({}, {}, {"audio": "{ name = 'a', values = { true = 1 } }"}, "values has no false"),
        ({}, {}, {"resolution": "{ name = 'a', values = { '1080p' = 1 } }"}, "values has no 720p"),
        ({}, {}, {"shape": "{ name = 'a', values = { '16:9 720p' = 1 } }"}, "values has no 9:16 720p"),
    ],
)
def test_a_sheet_that_promises_too_much_is_a_mistake_that_names_the_key(
    tmp_path: Path, models: Any, options: Any, given: Any, told: str
) -> None:
    own(tmp_path)
    with pytest.raises(BadSheet) as found:
        own(tmp_path, models=models, options=options, input=given)
    assert "replicate.toml, model somebody/their-model" in str(found.value)
    assert told in str(found.value)


@pytest.mark.parametrize("name", ["veo", "google/veo/3", "google/", "../x/y", "a/b:c", "a b/c"])
def test_an_id_is_owner_and_name(name: str) -> None:
    with pytest.raises(BadSheet, match="owner/name"):
        read_inputs("replicate", model_of(id=name))


def test_every_field_is_one_that_the_page_tells() -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/replicate.md").read_text(encoding="utf-8")
    assert all(f"`{field}`" in page for field in FIELDS)


# ----------------------------------------------------------------------------------------------------------------------- signatures

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MOMENT = 1614265330
BODY = b'{"test": 2432232314}'
HEADERS = {  # the example in the libraries of Standard Webhooks
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(MOMENT),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
RIGHT = HEADERS["webhook-signature"]
WRONG = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="


@pytest.mark.parametrize(
    "headers, secret, now",
    [
        (HEADERS, SECRET, MOMENT),
        (HEADERS, SECRET, MOMENT + 300),
        (HEADERS, SECRET, MOMENT - 300),
        ({name.title(): value for name, value in HEADERS.items()}, SECRET, MOMENT),
        (HEADERS, SECRET.removeprefix("whsec_"), MOMENT),
        ({**HEADERS, "webhook-signature": f"{WRONG} {RIGHT}"}, SECRET, MOMENT),
        ({**HEADERS, "webhook-signature": f"v1a,x v1,*** {RIGHT} v2,{RIGHT[3:]}"}, SECRET, MOMENT),
    ],
)
def test_a_genuine_message(headers: Mapping[str, str], secret: str, now: float) -> None:
    assert genuine(secret, headers, BODY, now)


@pytest.mark.parametrize(
    "changes, body, secret, now",
    [
        ({}, BODY + b" ", SECRET, MOMENT),
        ({}, BODY, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", MOMENT),
        ({}, BODY, "", MOMENT),
        ({}, BODY, "whsec_***", MOMENT),
        ({}, BODY, SECRET, MOMENT + 301),
        ({}, BODY, SECRET, MOMENT - 301),
        ({"webhook-id": "msg_other"}, BODY, SECRET, MOMENT),
        ({"webhook-id": ""}, BODY, SECRET, MOMENT),
        ({"webhook-timestamp": str(MOMENT + 1)}, BODY, SECRET, MOMENT),
        ({"webhook-timestamp": "now"}, BODY, SECRET, MOMENT),
        ({"webhook-timestamp": "-1"}, BODY, SECRET, MOMENT),
        ({"webhook-timestamp": "²"}, BODY, SECRET, MOMENT),
        ({"webhook-timestamp": ""}, BODY, SECRET, MOMENT),
        ({"webhook-signature": ""}, BODY, SECRET, MOMENT),
        ({"webhook-signature": RIGHT.replace("v1", "v2")}, BODY, SECRET, MOMENT),
        ({"webhook-signature": RIGHT[3:]}, BODY, SECRET, MOMENT),
        ({"webhook-signature": "v1,"}, BODY, SECRET, MOMENT),
        ({"webhook-signature": "v1,ü"}, BODY, SECRET, MOMENT),
        ({"webhook-signature": RIGHT[:-3]}, BODY, SECRET, MOMENT),
        ({"webhook-signature": " ".join([*["v1,AAAA"] * 8, RIGHT])}, BODY, SECRET, MOMENT),
    ],
)
def test_a_message_that_is_not(changes: Mapping[str, str], body: bytes, secret: str, now: float) -> None:
    assert not genuine(secret, {**HEADERS, **changes}, body, now)
    assert not genuine(SECRET, {}, BODY, MOMENT)
