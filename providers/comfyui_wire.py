"""The wire of ComfyUI: what is sent, and what each answer means. Pure functions and the tables that they read.

As ComfyUI's own server has it (server.py and execution.py of github.com/Comfy-Org/ComfyUI, read in November 2026); published schemas
exist for Comfy Cloud only.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp

from core.errors import (
    CredentialsRejected,
    Garbled,
    InvalidRequest,
    ModelRetired,
    OutOfFunds,
    ProviderError,
    RateLimited,
    Unavailable,
)
from core.ports import Artifact, EncodedPicture, Failed, PollAnswer, Ready
from providers.comfyui_workflow import SETTING, Graph
from providers.line import Answer, refused_or_unclear

ADDRESS: Final = "COMFYUI_URL"
CLIPS: Final = (".mp4", ".webm", ".mkv", ".mov", ".m4v")
LISTS: Final = ("images", "gifs", "video", "videos")
"""Where nodes list their files: SaveVideo under images, VideoHelperSuite under gifs, others under video or videos."""

REFUSALS: Final[Mapping[int, type[ProviderError]]] = {
    400: InvalidRequest,
    401: CredentialsRejected,
    402: OutOfFunds,
    403: CredentialsRejected,
    404: ModelRetired,
    405: ModelRetired,
    413: InvalidRequest,
    422: InvalidRequest,
    429: RateLimited,
}
"""Of a submit. ComfyUI itself answers 400; the others come from Comfy Cloud or from a proxy before it, and 404 from what is no ComfyUI."""
TROUBLES: Final[Mapping[int, type[ProviderError]]] = {
    401: CredentialsRejected,
    403: CredentialsRejected,
    404: Garbled,
    405: Garbled,
    429: RateLimited,
}
"""Of every other call; then nothing was learnt."""

EXCEPTIONS: Final[Mapping[str, type[ProviderError]]] = {
    "AssertionError": InvalidRequest,
    "ExecutionBlocked": InvalidRequest,
    "ImageDownloadError": InvalidRequest,
    "InactiveSubscriptionError": OutOfFunds,
    "IndexError": InvalidRequest,
    "InsufficientFundsError": OutOfFunds,
    "KeyError": InvalidRequest,
    "PIL.UnidentifiedImageError": InvalidRequest,
    "TypeError": InvalidRequest,
    "ValidationError": InvalidRequest,
    "ValueError": InvalidRequest,
}
"""By the type that ``execution_error`` tells; those that are not here are failures of the server. Python's, and those of Comfy Cloud."""
OUT_OF_MEMORY: Final = ("MemoryError", "OOMError", "OOM_EXCEPTION")
"""Endings of types, and below words of messages: graphics drivers tell it in ways of their own."""
MEMORY_WORDS: Final = ("out of memory", "allocation on device", "not enough memory")


def prompt_id(attempt_id: str) -> str:
    """The attempt's 128 bits as ComfyUI wants ids: a UUID in lower case with hyphens; any other spelling is refused."""
    return str(uuid.UUID(attempt_id))


def payload(graph: Graph, *, prompt: str, client_id: str) -> dict[str, Any]:
    """The body of POST /prompt. Preview pictures of each step would only be thrown away."""
    return {
        "prompt": graph,
        "prompt_id": prompt,
        "client_id": client_id,
        "extra_data": {"preview_method": "none"},
    }


def read_error(answer: Answer, submitting: bool) -> ProviderError:  # noqa: FBT001 - as Line calls it
    """The error of a refusal; its facts name nodes, classes and kinds of mistakes, never a value."""
    kind = (REFUSALS if submitting else TROUBLES).get(answer.status)
    error = refused_or_unclear(kind, answer, submitting=submitting)
    if isinstance(error, InvalidRequest):
        error.facts |= {"setting": SETTING, **_mistakes(answer.data)}
    if isinstance(error, ModelRetired):
        error.facts["setting"] = ADDRESS
    return error


def _mistakes(data: Any) -> dict[str, Any]:
    match data:
        case {"error": {"type": str(kind), **rest}}:
            extra = rest.get("extra_info")
            named = extra.get("class_type") if isinstance(extra, dict) else None
            found: dict[str, Any] = {"kind": kind[:80]} | ({"node": named[:80]} if isinstance(named, str) else {})
        case _:
            return {}
    nodes = data.get("node_errors")
    for name, told in list(nodes.items())[:5] if isinstance(nodes, dict) else ():
        if isinstance(told, dict) and isinstance(told.get("errors"), list):
            kinds = [each["type"][:80] for each in told["errors"][:5] if isinstance(each, dict) and "type" in each]
            found.setdefault("nodes", []).append([str(name)[:40], str(told.get("class_type"))[:80], *kinds])
    return found


def read_history(data: Any, prompt: str) -> Mapping[str, Any] | None:
    """The entry of a prompt in an answer of GET /history/{id}; None while there is none. Raises Garbled."""
    match data:
        case {} if not data:
            return None
        case dict() if isinstance(data.get(prompt), dict):
            entry: Mapping[str, Any] = data[prompt]
            return entry
        case _:
            raise Garbled("the history cannot be understood")


def read_queue(data: Any, prompt: str) -> int | None:
    """How many stand before a prompt in an answer of GET /queue: 0 when it runs, None when it is not there. Raises Garbled."""
    match data:
        case {"queue_running": list(running), "queue_pending": list(pending)}:
            pass
        case _:
            raise Garbled("the queue cannot be understood")
    if any(name == prompt for _, name in _rows(running)):
        return 0
    number = next((number for number, name in _rows(pending) if name == prompt), None)
    if number is None:
        return None
    before = sum(1 for other, _ in _rows(pending) if other < number)  # rows come as a heap, not in order
    return max(1, len(running)) + before


def _rows(rows: list[Any]) -> Iterator[tuple[float, str]]:
    for row in rows:
        match row:
            case [int() | float() as number, str(name), *_]:
                yield number, name


def read_status(entry: Mapping[str, Any]) -> PollAnswer:
    """What an entry of the history means: there is one as soon as the prompt has ended."""
    status = entry.get("status")
    if isinstance(status, dict) and status.get("status_str") == "error":
        return Failed(_failure(status.get("messages")))
    clips = list(_clips(entry.get("outputs")))
    if not clips:
        return Failed(
            InvalidRequest(
                "the workflow ended without a clip: end it with a node that saves a video, such as SaveVideo",
                message_id="error.workflow_no_clip",
                setting=SETTING,
            )
        )
    kept = [clip for clip in clips if clip["type"] == "output"]
    return Ready(Artifact("file id", urlencode((kept or clips)[-1])))


def _clips(outputs: Any) -> Iterator[dict[str, str]]:
    """Every file that is a clip, in the order in which the nodes ran."""
    for node in outputs.values() if isinstance(outputs, dict) else ():
        for key in LISTS:
            files = node.get(key) if isinstance(node, dict) else None
            for file in files if isinstance(files, list) else ():
                match file:
                    case {"filename": str(name)} if _is_clip(name, file.get("format")):
                        yield {
                            "filename": name,
                            "subfolder": str(file.get("subfolder") or ""),
                            "type": str(file.get("type") or "output"),
                        }


def _is_clip(name: str, form: Any) -> bool:
    return name.lower().endswith(CLIPS) or (isinstance(form, str) and form.startswith("video/"))


def _failure(messages: Any) -> ProviderError:
    for message in reversed(messages if isinstance(messages, list) else []):
        match message:
            case ["execution_interrupted", *_]:
                return Unavailable("it was interrupted at the server", reason="interrupted")
            case ["execution_error", dict(told)]:
                return _exception(told)
    return Unavailable("it failed without a reason")


def _exception(told: Mapping[str, Any]) -> ProviderError:
    kind, words = str(told.get("exception_type")), str(told.get("exception_message")).lower()
    facts: dict[str, Any] = {"kind": kind[:80], "node": str(told.get("node_type"))[:80]}
    if kind.endswith(OUT_OF_MEMORY) or any(each in words for each in MEMORY_WORDS):
        return Unavailable("out of memory", message_id="error.out_of_memory", **facts)
    return EXCEPTIONS.get(kind, Unavailable)("a node failed", **facts)


def upload(key: str, picture: EncodedPicture) -> aiohttp.FormData:
    """The form of POST /upload/image. The name follows from the key, and the same picture is written over: a repetition leaves one."""
    ending = picture.mime.partition("/")[2].replace("jpeg", "jpg")
    name = f"reelay-{hashlib.sha256(key.encode()).hexdigest()[:32]}.{ending}"
    form = aiohttp.FormData()
    form.add_field("image", picture.data, filename=name, content_type=picture.mime)
    form.add_field("type", "input")
    form.add_field("overwrite", "true")
    return form


def unknown_choices(inputs: Mapping[str, Any], info: Any) -> Iterator[str]:
    """Names of files in ``inputs`` that are not in the lists which the server tells of this class of nodes."""
    told = info.get("input") if isinstance(info, dict) else None
    lists = {**(told.get("required") or {}), **(told.get("optional") or {})} if isinstance(told, dict) else {}
    for name, value in inputs.items():
        if not isinstance(value, str) or "{{" in value:
            continue
        match lists.get(name):
            case [list(choices), *_] | ["COMBO", {"options": list(choices)}, *_] if value not in choices:
                yield value
