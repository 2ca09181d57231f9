"""The official OpenAPI document as a judge of requests and of the simulator's own answers.

One relaxation: integers become strings where the document says snowflake (discord.py sends integers, and Discord takes them). The
documentation wins where the two differ: names in ``DOCUMENTED`` are known though the document does not have them, and
``default_member_permissions`` may be a string of digits. On top of the schema nothing may be said that no schema knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker, validators  # type: ignore[import-untyped]
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

FILE: Final = Path(__file__).parents[1] / "specs" / "discord.json"
HOME: Final = "urn:discord"
DOCUMENTED: Final = {"file_types", "nsfw"}
"""application-commands.mdx, components/reference.mdx: in the documentation, not in the OpenAPI document."""
HABITS: Final = {"tts", "enforce_nonce"}
"""discord.py says ``tts: false`` with edits, discord.js ``enforce_nonce: false`` with webhooks: as false they say nothing."""
FILES: Final = re.compile(r"files\[\d+\]$")

Json = dict[str, Any]
Wrong = tuple[str, str]
"""(path, why)."""

FORMATS: Final = FormatChecker(formats=())


def _is_uri(value: object) -> bool:
    if not isinstance(value, str):
        return True
    parts = urlsplit(value)
    return parts.scheme in {"http", "https", "ws", "wss", "attachment", "discord"} and bool(parts.netloc)


def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))


FORMATS.checks("uri")(_is_uri)
FORMATS.checks("date-time", raises=ValueError)(_is_moment)


@cache
def document() -> Json:
    """The document, its references made absolute."""
    text = FILE.read_text(encoding="utf-8").replace('"#/components/', f'"{HOME}#/components/')
    found: Json = json.loads(text)
    return found


@cache
def _registry() -> Any:
    return Registry().with_resource(HOME, Resource.from_contents(document(), default_specification=DRAFT202012))


def resolve(schema: Json) -> Json:
    """Follow a reference."""
    while "$ref" in schema:
        found: Any = document()
        for step in schema["$ref"].partition("#/")[2].split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        schema = found
    return schema


def _chosen(word: str) -> Any:
    """oneOf and anyOf that look only at the branches that can be meant: twenty times faster on a full message."""
    plain = Draft202012Validator.VALIDATORS[word]

    def check(validator: Any, branches: list[Json], value: Any, schema: Json) -> Iterator[Any]:
        fitting = [branch for branch in branches if _fits(branch, value)]
        yield from plain(validator, fitting or branches, value, schema)

    return check


_Validator: Final = validators.extend(Draft202012Validator, {word: _chosen(word) for word in ("oneOf", "anyOf")})


class Judge:
    """One schema, compiled once."""

    def __init__(self, schema: Json) -> None:
        self.schema = schema
        self._validator = _Validator(schema, registry=_registry(), format_checker=FORMATS)

    def faults(self, value: Any) -> list[Wrong]:
        """What is wrong with ``value``, deepest first; ``value`` is relaxed in place."""
        unknown: list[Wrong] = []
        value = relax(self.schema, value, "", unknown)
        return [_deepest(error) for error in self._validator.iter_errors(value)] + unknown


def _deepest(error: Any) -> Wrong:
    """The most telling of what went wrong under oneOf and anyOf: the branch that got furthest."""
    while error.context:
        error = max(error.context, key=lambda each: (len(each.absolute_path), each.validator not in {"enum", "const"}))
    return ".".join(map(str, error.absolute_path)), error.message


def _fits(branch: Json, value: Any) -> bool:
    """Whether a branch of oneOf can be meant: components and callbacks are told apart by ``type``."""
    concrete = resolve(branch)
    if not isinstance(value, dict):
        return True
    kind = concrete.get("properties", {}).get("type", {})
    return "enum" not in kind or "type" not in value or value["type"] in kind["enum"]


def _shapes(schema: Json, value: Any) -> Iterator[Json]:
    """The concrete schemas that may apply to ``value``."""
    concrete = resolve(schema)
    yield concrete
    for word in ("oneOf", "anyOf", "allOf"):
        for branch in concrete.get(word, ()):
            if _fits(branch, value):
                yield from _shapes(branch, value)


def relax(schema: Json, value: Any, path: str, unknown: list[Wrong]) -> Any:
    """Turn integers into strings where a snowflake belongs, and collect keys that no schema knows."""
    shapes = list(_shapes(schema, value))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if any(shape.get("format") == "snowflake" for shape in shapes) else value
    if isinstance(value, str) and path.endswith("default_member_permissions") and value.isdecimal():
        return int(value) if any("integer" in shape.get("type", ()) for shape in shapes) else value
    if isinstance(value, list):
        items: Json = {"anyOf": [shape["items"] for shape in shapes if "items" in shape]}
        value[:] = [relax(items, each, f"{path}.{n}".lstrip("."), unknown) for n, each in enumerate(value)]
    elif isinstance(value, dict):
        _relax_object(shapes, value, path, unknown)
    return value


def _relax_object(shapes: list[Json], value: Json, path: str, unknown: list[Wrong]) -> None:
    others = [shape["additionalProperties"] for shape in shapes if isinstance(shape.get("additionalProperties"), dict)]
    for name in list(value):
        known = [shape["properties"][name] for shape in shapes if name in shape.get("properties", {})] or others
        if known:
            value[name] = relax({"anyOf": known}, value[name], f"{path}.{name}".lstrip("."), unknown)
        elif name not in DOCUMENTED and not FILES.match(name) and (value[name] or name not in HABITS):
            unknown.append((f"{path}.{name}".lstrip("."), "no schema knows this name"))


@cache
def _request(method: str, template: str, kind: str) -> Judge | None:
    operation = document()["paths"][template][method.lower()]
    content = operation.get("requestBody", {}).get("content", {})
    return Judge(content[kind]["schema"]) if kind in content else None


@cache
def _answer(method: str, template: str, status: int) -> Judge | None:
    responses = document()["paths"][template][method.lower()]["responses"]
    found = responses.get(str(status)) or responses.get(f"{status // 100}XX")
    if found is None:
        raise LookupError(f"{method} {template} never answers {status}")
    content = resolve(found).get("content", {})
    return Judge(content["application/json"]["schema"]) if content else None


def operation_id(method: str, template: str) -> str:
    """The document's name of an operation. Raises KeyError for one that it does not have."""
    return str(document()["paths"][template][method.lower()]["operationId"])


def request_faults(method: str, template: str, kind: str, body: Any) -> list[Wrong]:
    """What the document holds against a request body, whose files stand in it as empty strings."""
    judge = _request(method, template, kind)
    if judge is None:
        return [] if body is None else [("", f"{kind} is not what this operation takes")]
    return judge.faults(body)


def answer_faults(method: str, template: str, status: int, body: Any) -> list[str]:
    """What the document holds against an answer of ours. Arrays that it calls nullable are never null."""
    judge = _answer(method, template, status)
    if judge is None:
        return [] if body is None else [f"{method} {template} {status}: a body where none belongs"]
    return [f"{method} {template} {status} {path}: {why}" for path, why in judge.faults(_copy(body))]


def query_faults(method: str, template: str, query: dict[str, str]) -> list[Wrong]:
    """Query parameters that the document does not know or that are not what it wants."""
    item = document()["paths"][template]
    wanted = {
        each["name"]: each["schema"]
        for each in (*item.get("parameters", ()), *item[method.lower()].get("parameters", ()))
        if each["in"] == "query"
    }
    found: list[Wrong] = []
    for name, value in query.items():
        if name not in wanted:
            found.append((name, "no such query parameter"))
            continue
        read: Callable[[str], Any] = _READERS.get(resolve(wanted[name]).get("type", "string"), str)
        try:
            found += [(name, why) for _, why in Judge(wanted[name]).faults(read(value))]
        except (KeyError, ValueError):
            found.append((name, f"cannot read {value!r}"))
    return found


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "integer": int,
    "boolean": lambda text: {"true": True, "false": False, "1": True, "0": False}[text.lower()],
}


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))
