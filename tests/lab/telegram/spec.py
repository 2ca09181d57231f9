"""The official list of methods and types as a judge of requests, of the simulator's own answers, and of updates.

It knows names, types and what is required. Nothing may be said that it does not know, in either direction.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.lab.telegram.refusal import Refusal, malformed

FILE: Final = Path(__file__).parents[1] / "specs" / "telegram.json"
INTEGER: Final = re.compile(r"[+-]?\d{1,19}")
TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}
STATES: Final = {"creator": "owner", "kicked": "banned"}
"""The two statuses of a member that are not in their type's name."""
PLAIN: Final[dict[str, tuple[type, ...]]] = {
    "Integer": (int,),
    "Float": (int, float),
    "String": (str,),
    "Boolean": (bool,),
    "InputFile": (str,),
}
SAID_OTHERWISE: Final = {
    ("sendMessage", "text"): "message text is empty",
    ("editMessageText", "text"): "message text is empty",
    ("sendVideo", "video"): "there is no video in the request",
    ("sendPhoto", "photo"): "there is no photo in the request",
    ("sendDocument", "document"): "there is no document in the request",
    ("sendAnimation", "animation"): "there is no animation in the request",
}
"""Required parameters of which the server has a sentence of its own."""

Json = dict[str, Any]
Field = tuple[tuple[str, ...], bool]


@cache
def _document() -> Json:
    found: Json = json.loads(FILE.read_text(encoding="utf-8"))
    return found


@cache
def methods() -> dict[str, str]:
    """Every method by its name in lower case: the server does not care about case."""
    return {name.lower(): name for name in _document()["methods"]}


@cache
def parameters(method: str) -> dict[str, Field]:
    """What a method takes: (types, required)."""
    fields = _document()["methods"][method]["fields"]
    return {field["name"]: (tuple(field["types"]), field["required"]) for field in fields}


@cache
def _fields(kind: str) -> dict[str, Field]:
    fields = _document()["types"][kind]["fields"]
    return {field["name"]: (tuple(field["types"]), field["required"]) for field in fields}


@cache
def _needed(kind: str) -> frozenset[str]:
    return frozenset(name for name, (_, required) in _fields(kind).items() if required)


@cache
def _subtypes(kind: str) -> tuple[str, ...]:
    return tuple(_document()["types"][kind].get("subtypes", ()))


@cache
def update_kinds() -> frozenset[str]:
    """What an update can hold."""
    return frozenset(_fields("Update")) - {"update_id"}


# ------------------------------------------------------------------------------------------------------------------------- requests


def read(method: str, raw: Json, files: set[str]) -> Json:
    """The parameters as values. Raises Refusal for one that the document does not know, or that is missing or of a wrong type."""
    known = parameters(method)
    values: Json = {}
    for name, text in raw.items():
        if name not in known:
            raise malformed(f"{method} has no parameter {name!r}")
        values[name] = _value(name, known[name][0], text)
        for wrong in _faults(known[name][0], values[name], name):
            raise malformed(f"{method}: {wrong}")
    for name in files & set(known):
        if "InputFile" not in known[name][0]:
            raise malformed(f"{method}: {name} takes no file")
    for name, (_, required) in known.items():
        if required and name not in values and name not in files:
            raise _missing(method, name)
    return values


def _missing(method: str, name: str) -> Refusal:
    if name in {"chat_id", "user_id"}:
        return Refusal(
            400, f"Bad Request: {name} is empty" if name == "chat_id" else "Bad Request: invalid user_id specified"
        )
    said = SAID_OTHERWISE.get((method, name))
    return Refusal(400, f"Bad Request: {said}") if said else malformed(f"{method} needs {name!r}")


def _value(name: str, kinds: tuple[str, ...], text: Any) -> Any:
    """A parameter as it came on the wire: everything is text, or else it came in a JSON body."""
    if not isinstance(text, str):
        return text
    if "Integer" in kinds and INTEGER.fullmatch(text):
        return int(text)
    if "Boolean" in kinds:
        return TRUTH.get(text.lower(), text)
    if "Float" in kinds:
        try:
            return float(text)
        except ValueError:
            return text
    if {"String", "InputFile"} & set(kinds) or kinds == ("Integer",):
        return text
    try:
        return json.loads(text)
    except ValueError:
        what = "reply keyboard markup" if name == "reply_markup" else name
        raise Refusal(400, f"Bad Request: can't parse {what} JSON object") from None


# -------------------------------------------------------------------------------------------------------------------------- answers


def answer_faults(method: str, value: Any) -> list[str]:
    """What the document holds against an answer of ours."""
    return [
        f"{method}: {wrong}" for wrong in _faults(tuple(_document()["methods"][method]["returns"]), value, "result")
    ]


def faults(kind: str, value: Any) -> list[str]:
    """What the document holds against a value of one type, such as ``Update``."""
    return list(_faults((kind,), value, kind))


def _faults(kinds: tuple[str, ...], value: Any, path: str) -> Iterator[str]:
    if len(kinds) == 1:
        yield from _one(kinds[0], value, path)
        return
    best: list[str] | None = None
    for kind in kinds:
        found = list(_one(kind, value, path))
        if not found:
            return
        if best is None or len(found) < len(best):
            best = found
    yield from best or ()


def _one(kind: str, value: Any, path: str) -> Iterator[str]:
    if kind in PLAIN:
        if not isinstance(value, PLAIN[kind]) or (isinstance(value, bool) and kind != "Boolean"):
            yield f"{path} must be {kind}"
    elif kind.startswith("Array of "):
        if not isinstance(value, list):
            yield f"{path} must be an array"
            return
        for number, each in enumerate(value):
            yield from _one(kind[9:], each, f"{path}[{number}]")
    elif not isinstance(value, dict):
        yield f"{path} must be {kind}"
    elif subtypes := _subtypes(kind):
        yield from _faults(_meant(subtypes, value), value, path)
    else:
        yield from _object(kind, value, path)


def _meant(subtypes: tuple[str, ...], value: Json) -> tuple[str, ...]:
    """The subtypes that a value's own word can mean: ``InputMediaVideo`` by ``video``."""
    word = value.get("type", value.get("status"))
    if not isinstance(word, str):
        return subtypes
    word = STATES.get(word, word).replace("_", "")
    return tuple(name for name in subtypes if name.lower().endswith(word)) or subtypes


def _object(kind: str, value: Json, path: str) -> Iterator[str]:
    known = _fields(kind)
    for name, each in value.items():
        if name not in known:
            yield f"{path}: {kind} has no {name!r}"
        else:
            yield from _faults(known[name][0], each, f"{path}.{name}")
    for name in _needed(kind) - value.keys():
        yield f"{path}: {kind} needs {name!r}"
