"""ComfyUI: what its answers and its messages mean."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.clock import SystemClock
from core.errors import (
    CredentialsRejected,
    Garbled,
    InvalidRequest,
    ModelRetired,
    OutOfFunds,
    ProviderError,
    RateLimited,
    Unavailable,
    Unclear,
)
from core.ports import Artifact, Failed, Ready
from providers.comfyui import capabilities
from providers.comfyui_ears import MOST_PROMPTS, Ears
from providers.comfyui_wire import prompt_id, read_error, read_history, read_queue, read_status
from providers.line import Answer

ID = "6f1c2c1e-5a5b-4c0e-9d6a-0f3b8a2d7e11"
FILE = {"filename": "clip_00001_.mp4", "subfolder": "reelay", "type": "output"}
QUERY = "filename=clip_00001_.mp4&subfolder=reelay&type=output"


# ---------------------------------------------------------------------------------------------------------- what an answer means


@pytest.mark.parametrize(
    "status, kind",
    [
        (400, InvalidRequest),
        (401, CredentialsRejected),
        (402, OutOfFunds),
        (403, CredentialsRejected),
        (404, ModelRetired),
        (405, ModelRetired),
        (413, InvalidRequest),
        (422, InvalidRequest),
        (429, RateLimited),
        (418, Unclear),
        (500, Unclear),
        (503, Unclear),
        (302, InvalidRequest),
    ],
)
def test_the_status_of_a_refused_submit(status: int, kind: type[ProviderError]) -> None:
    assert type(read_error(Answer(status, {}), True)) is kind


@pytest.mark.parametrize(
    "status, kind",
    [
        (400, Unavailable),
        (401, CredentialsRejected),
        (403, CredentialsRejected),
        (404, Garbled),
        (405, Garbled),
        (429, RateLimited),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_the_status_of_any_other_call(status: int, kind: type[ProviderError]) -> None:
    assert type(read_error(Answer(status, {}), False)) is kind


def test_a_refused_graph_names_nodes_and_kinds_and_no_value() -> None:
    """As execution.py of the server answers it, in November 2026."""
    mistake = {
        "type": "value_bigger_than_max",
        "message": "Value 9 bigger than max of 8",
        "details": "SECRET",
        "extra_info": {"input_name": "text", "received_value": "SECRET"},
    }
    data = {
        "error": {"type": "prompt_outputs_failed_validation", "message": "SECRET", "details": "SECRET"},
        "node_errors": {"8": {"errors": [mistake], "dependent_outputs": ["11"], "class_type": "KSampler"}},
    }
    error = read_error(Answer(400, {}, data, is_json=True), True)
    assert error.facts == {
        "status": 400,
        "setting": "COMFYUI_WORKFLOW",
        "kind": "prompt_outputs_failed_validation",
        "nodes": [["8", "KSampler", "value_bigger_than_max"]],
    }
    assert "SECRET" not in repr((error.args, error.facts, error.values))


def test_a_missing_class_of_nodes_is_named() -> None:
    extra = {"node_id": "4", "class_type": "Mystery", "node_title": "…"}
    data = {
        "error": {"type": "missing_node_type", "message": "…", "details": "…", "extra_info": extra},
        "node_errors": {},
    }
    facts = read_error(Answer(400, {}, data, is_json=True), True).facts
    assert (facts["kind"], facts["node"]) == ("missing_node_type", "Mystery")


@pytest.mark.parametrize(
    "data", [None, [], 7, {"error": "no"}, {"error": {"type": 7}}, {"error": {"type": "x"}, "node_errors": [1]}]
)
def test_a_refusal_without_words_is_a_refusal(data: Any) -> None:
    assert type(read_error(Answer(400, {}, data, is_json=True), True)) is InvalidRequest


def entry(outputs: Any = None, *messages: Any, status: str = "success") -> dict[str, Any]:
    told = {"status_str": status, "completed": status == "success", "messages": list(messages)}
    return {"prompt": [1, ID, {}, {}, []], "outputs": outputs or {}, "status": told, "meta": {}}


@pytest.mark.parametrize(
    "outputs, value",
    [
        ({"11": {"images": [FILE], "animated": [True]}}, QUERY),
        ({"11": {"gifs": [{**FILE, "format": "video/h264-mp4", "frame_rate": 24.0}]}}, QUERY),
        ({"11": {"video": [FILE]}}, QUERY),
        ({"11": {"videos": [FILE]}}, QUERY),
        ({"9": {"images": [{**FILE, "filename": "a.webm"}]}}, QUERY.replace("clip_00001_.mp4", "a.webm")),
        (
            {"9": {"gifs": [{**FILE, "filename": "odd", "format": "video/mp4"}]}},
            QUERY.replace("clip_00001_.mp4", "odd"),
        ),
        ({"9": {"images": [{**FILE, "filename": "1.png"}]}, "11": {"images": [FILE]}}, QUERY),
        ({"3": {"images": [{**FILE, "filename": "first.mp4"}]}, "11": {"images": [FILE]}}, QUERY),
        ({"11": {"images": [FILE]}, "12": {"images": [{**FILE, "filename": "p.mp4", "type": "temp"}]}}, QUERY),
        ({"11": {"images": [{"filename": "a&b c?.mp4"}]}}, "filename=a%26b+c%3F.mp4&subfolder=&type=output"),
    ],
)
def test_the_clip_among_the_outputs(outputs: Any, value: str) -> None:
    assert read_status(entry(outputs)) == Ready(Artifact("file id", value))


@pytest.mark.parametrize("ending", ["mp4", "webm", "mkv", "mov", "m4v", "MP4"])
def test_the_endings_of_clips(ending: str) -> None:
    answer = read_status(entry({"11": {"images": [{**FILE, "filename": f"a.{ending}"}]}}))
    assert answer == Ready(Artifact("file id", f"filename=a.{ending}&subfolder=reelay&type=output"))


@pytest.mark.parametrize(
    "outputs",
    [
        {},
        {"9": {"images": [{**FILE, "filename": "1.png"}]}},
        {"9": {"images": [{**FILE, "filename": "1.webp"}], "animated": [True]}},
        {"9": {"gifs": [{**FILE, "filename": "1.gif", "format": "image/gif"}]}},
        {"9": {"text": ["hello.mp4"], "audio": [{**FILE, "filename": "1.flac"}]}},
        {"9": {"images": ["1.mp4", None, {"filename": 7}]}, "10": None},
    ],
)
def test_pictures_alone_are_no_clip_and_it_is_said(outputs: Any) -> None:
    answer = read_status(entry(outputs))
    assert isinstance(answer, Failed)
    assert type(answer.error) is InvalidRequest
    assert answer.error.message_id == "error.workflow_no_clip"
    assert "SaveVideo" in str(answer.error)


def raised(kind: str, words: str = "…") -> dict[str, Any]:
    told = {
        "prompt_id": ID,
        "node_id": "8",
        "node_type": "KSampler",
        "exception_type": kind,
        "exception_message": words,
    }
    return entry(
        None,
        ["execution_start", {}],
        ["execution_error", {**told, "current_inputs": {"text": ["SECRET"]}}],
        status="error",
    )


@pytest.mark.parametrize(
    "kind, error",
    [
        ("AssertionError", InvalidRequest),
        ("ExecutionBlocked", InvalidRequest),
        ("ImageDownloadError", InvalidRequest),
        ("InactiveSubscriptionError", OutOfFunds),
        ("IndexError", InvalidRequest),
        ("InsufficientFundsError", OutOfFunds),
        ("KeyError", InvalidRequest),
        ("PIL.UnidentifiedImageError", InvalidRequest),
        ("TypeError", InvalidRequest),
        ("ValidationError", InvalidRequest),
        ("ValueError", InvalidRequest),
        ("RuntimeError", Unavailable),
        ("safetensors_rust.SafetensorError", Unavailable),
        ("ModelDownloadError", Unavailable),
    ],
)
def test_an_exception_in_a_node(kind: str, error: type[ProviderError]) -> None:
    answer = read_status(raised(kind, "SECRET"))
    assert isinstance(answer, Failed)
    assert type(answer.error) is error
    assert answer.error.facts == {"kind": kind, "node": "KSampler"}
    assert "SECRET" not in repr((answer.error.args, answer.error.values))


@pytest.mark.parametrize(
    "kind, words",
    [
        ("torch.OutOfMemoryError", "…"),
        ("torch.cuda.OutOfMemoryError", "…"),
        ("OOMError", "…"),
        ("comfy.model_management.OOM_EXCEPTION", "…"),
        ("MemoryError", "…"),
        ("RuntimeError", "CUDA error: out of memory"),
        ("RuntimeError", "Allocation on device 0 would exceed allowed memory."),
        ("RuntimeError", "[enforce fail at alloc_cpu.cpp:121] not enough memory"),
    ],
)
def test_a_full_memory_is_recognised(kind: str, words: str) -> None:
    answer = read_status(raised(kind, words))
    assert isinstance(answer, Failed)
    assert type(answer.error) is Unavailable
    assert answer.error.message_id == "error.out_of_memory"


def test_what_was_interrupted_has_failed() -> None:
    told = ["execution_interrupted", {"prompt_id": ID, "node_id": "8", "node_type": "KSampler", "executed": []}]
    answer = read_status(entry(None, ["execution_start", {}], told, status="error"))
    assert isinstance(answer, Failed)
    assert type(answer.error) is Unavailable
    assert answer.error.facts == {"reason": "interrupted"}


@pytest.mark.parametrize("messages", [(), ("x",), (["execution_error"],), (["execution_error", 7],)])
def test_an_error_without_a_reason_has_failed(messages: tuple[Any, ...]) -> None:
    answer = read_status(entry({"11": {"images": [FILE]}}, *messages, status="error"))
    assert isinstance(answer, Failed)
    assert type(answer.error) is Unavailable


def test_an_entry_without_a_status_counts_by_its_outputs() -> None:
    """As servers before 2024 have it."""
    assert read_status({"outputs": {"11": {"images": [FILE]}}, "status": None}) == Ready(Artifact("file id", QUERY))


@pytest.mark.parametrize("data", [None, [], 7, "x", {"other": {}}, {ID: None}, {ID: []}])
def test_a_history_that_is_none_tells_nothing(data: Any) -> None:
    with pytest.raises(Garbled):
        read_history(data, ID)


def row(number: float, name: str) -> list[Any]:
    return [number, name, {}, {}, []]


def test_the_place_in_the_queue_goes_by_number_and_not_by_order() -> None:
    pending = [row(3, "c"), row(9, "f"), row(4, "d"), row(7, "e")]
    queue = {"queue_running": [row(2, "b")], "queue_pending": pending}
    assert [read_queue(queue, name) for name in "bcdefz"] == [0, 1, 2, 3, 4, None]
    assert read_queue({"queue_running": [], "queue_pending": pending}, "c") == 1
    assert read_queue({"queue_running": [], "queue_pending": ["x", [], [1], [1, 2]]}, "c") is None


@pytest.mark.parametrize("data", [None, [], 7, {}, {"queue_running": []}, {"queue_running": {}, "queue_pending": []}])
def test_a_queue_that_is_none_tells_nothing(data: Any) -> None:
    with pytest.raises(Garbled):
        read_queue(data, ID)


def test_the_id_of_a_prompt_is_the_attempts_as_a_canonical_uuid() -> None:
    assert prompt_id("6f1c2c1e5a5b4c0e9d6a0f3b8a2d7e11") == ID == str(uuid.UUID(ID))


# ------------------------------------------------------------------------------------------------------------- what is heard


class Told:
    """Ears with nobody at the other end."""

    def __init__(self) -> None:
        self.hints: list[str] = []
        self.ears = Ears("http://127.0.0.1:9", "c", self._nobody, SystemClock(), self.hints.append)

    def _nobody(self) -> Any:
        raise OSError("nobody")

    def say(self, kind: str, **data: Any) -> float | None:
        self.ears.heard(json.dumps({"type": kind, "data": {"prompt_id": ID, **data}}))
        return self.ears.progress(ID)


@pytest.fixture
async def told() -> AsyncIterator[Told]:
    made = Told()
    made.ears.expect(ID, "attempt", {"1": 1, "8": 8, "11": 1})
    yield made
    await made.ears.close()


async def test_steps_of_all_nodes_are_reckoned_by_their_weight(told: Told) -> None:
    assert told.ears.progress(ID) is None
    assert told.say("execution_cached", nodes=["1"]) == pytest.approx(0.1)
    nodes = {"1": {"value": 1, "max": 1, "state": "finished"}, "8": {"value": 5, "max": 20, "state": "running"}}
    assert told.say("progress_state", nodes=nodes) == pytest.approx(0.3)
    nodes["8"]["value"] = 20
    assert told.say("progress_state", nodes=nodes) == pytest.approx(0.9)
    assert told.say("progress_state", nodes={**nodes, "11": {"value": 1, "max": 1}}) == 0.99, "the history ends it"
    assert not told.hints


async def test_an_older_server_tells_of_one_node_at_a_time(told: Told) -> None:
    told.say("executing", node="1")
    assert told.say("executing", node="8") == pytest.approx(0.1)
    assert told.say("progress", node="8", value=10, max=20) == pytest.approx(0.5)
    assert told.say("executing", node="11") == pytest.approx(0.9)


async def test_progress_never_goes_back_and_nonsense_moves_nothing(told: Told) -> None:
    assert told.say("progress", node="8", value=10, max=20) == pytest.approx(0.4)
    for data in (
        {"node": "8", "value": 2, "max": 20},
        {"node": "77", "value": 1, "max": 1},
        {"node": "8", "value": "x", "max": 20},
        {"node": "8", "value": 1, "max": 0},
        {"node": "8", "value": 10**400, "max": 1},
        {"node": "8", "value": float("nan"), "max": float("inf")},
        {"node": ["8"], "value": 1, "max": 1},
        {},
    ):
        assert told.say("progress", **data) == pytest.approx(0.4)
    told.say("progress_state", nodes=[])
    told.say("progress_state", nodes={"8": None})
    assert told.say("progress", node="1", value=1, max=1) == pytest.approx(0.4), "it tells of all nodes at once now"
    assert told.say("progress_state", nodes={"8": {"value": 999, "max": 20}}) == pytest.approx(0.8)
    for text in ("", "7", "[]", "[" * 100_000, '{"type": 7}', '{"type": "progress", "data": {"prompt_id": 7}}', "\x00"):
        told.ears.heard(text)


@pytest.mark.parametrize("kind", ["execution_success", "execution_error", "execution_interrupted"])
async def test_the_end_of_a_prompt_is_hinted(told: Told, kind: str) -> None:
    told.say(kind)
    told.say("executing", node=None)
    told.ears.heard(json.dumps({"type": kind, "data": {"prompt_id": str(uuid.uuid4())}}))
    assert told.hints == ["attempt", "attempt"]


async def test_only_so_many_prompts_are_remembered(told: Told) -> None:
    for number in range(MOST_PROMPTS):
        told.ears.expect(str(number), "a", {"8": 1})
    told.ears.heard(json.dumps({"type": "progress", "data": {"prompt_id": "0", "node": "8", "value": 1, "max": 2}}))
    assert told.ears.progress("0") == 0.5
    assert told.say("progress", node="8", value=1, max=2) is None, "the oldest was dropped"


def test_the_shipped_capabilities() -> None:
    can = capabilities()
    assert (can.text, can.image, can.last_frame, can.seed, can.negative_prompt) == (True, True, False, True, True)
    assert can.unpaid
    assert can.cancel
    assert not can.audio
