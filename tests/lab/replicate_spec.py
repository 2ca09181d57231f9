"""Replicate's OpenAPI document as a judge of requests and of the simulator's answers, and the inputs of some models.

The inputs are those of the models' API pages on replicate.com (2025-2026). Unknown ones are refused here, which the real one may not do.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

SPEC: Final = Path(__file__).parent / "specs" / "replicate.json"
PINNED: Final = "8a2539bdbc0721aba314c6eed8481ca48ede9f25c37535669526e5e64fddd966"
"""A version of character-ai/ovi-i2v."""
CANCEL_AFTER: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")

Json = dict[str, Any]
TEXT: Final[Json] = {"type": "string"}
FILE: Final[Json] = {"type": "string", "pattern": "^(https?://|data:)"}


def _inputs(*required: str, **properties: Json) -> Json:
    return {"type": "object", "required": list(required), "additionalProperties": False, "properties": properties}


MODELS: Final[Mapping[str, Json]] = {
    "google/veo-3.1": _inputs(
        "prompt",
        prompt=TEXT,
        aspect_ratio={"enum": ["16:9", "9:16"]},
        duration={"type": "integer", "enum": [4, 6, 8]},
        image=FILE,
        last_frame=FILE,
        reference_images={"type": "array", "items": FILE, "minItems": 1, "maxItems": 3},
        negative_prompt=TEXT,
        resolution={"enum": ["720p", "1080p"]},
        generate_audio={"type": "boolean"},
        seed={"type": "integer", "minimum": 0},
    ),
    "google/veo-3.1-fast": _inputs(
        "prompt",
        prompt=TEXT,
        aspect_ratio={"enum": ["16:9", "9:16"]},
        duration={"type": "integer", "enum": [4, 6, 8]},
        image=FILE,
        last_frame=FILE,
        negative_prompt=TEXT,
        resolution={"enum": ["720p", "1080p"]},
        generate_audio={"type": "boolean"},
        seed={"type": "integer", "minimum": 0},
    ),
    "character-ai/ovi-i2v": _inputs(
        "prompt",
        "image",
        prompt=TEXT,
        image=FILE,
        seed={"type": "integer"},
        video_negative_prompt=TEXT,
        audio_negative_prompt=TEXT,
    ),
    "google/nano-banana-2": _inputs(
        "prompt",
        prompt=TEXT,
        image_input={"type": "array", "items": FILE, "maxItems": 14},
        aspect_ratio={"type": "string"},
        output_format={"enum": ["jpg", "png"]},
    ),
}
PAINTERS: Final = {"google/nano-banana-2"}


def header_faults(headers: Mapping[str, str]) -> list[str]:
    """What is wrong with the headers of a submit; the document says the form of Cancel-After in words only."""
    found = CANCEL_AFTER.fullmatch(headers.get("Cancel-After", "5s"))
    seconds = (
        0
        if found is None
        else sum(int(part or 0) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True))
    )
    return [] if seconds >= 5 else ["Cancel-After"]


def input_faults(model: str, given: Any) -> list[str]:
    """What is wrong with a prediction's input, as Replicate says it."""
    return [f"- input: {each.message}" for each in Draft202012Validator(MODELS[model]).iter_errors(given)]


@functools.cache
def _document() -> Json:
    found: Json = _mended(json.loads(SPEC.read_text(encoding="utf-8")))
    return found


def _mended(schema: Any) -> Any:
    """OpenAPI 3.0's ``nullable``, which the document uses, in the words of JSON Schema; and ``oneOf`` as it is meant.

    The version ``hidden`` fits two branches of its ``oneOf``, so that no official model's answer would be valid.
    """
    if isinstance(schema, list):
        return [_mended(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    names = {"oneOf": "anyOf"}
    plain = {names.get(key, key): _mended(value) for key, value in schema.items() if key != "nullable"}
    return {**plain, "type": [plain["type"], "null"]} if schema.get("nullable") is True and "type" in plain else plain


def _check(schema: Json, value: Any) -> list[str]:
    whole = {**schema, "components": _document()["components"]}
    return [
        f"{'.'.join(map(str, each.absolute_path))}: {each.message}"
        for each in Draft202012Validator(whole).iter_errors(value)
    ]


def faults(path: str, method: str, body: Any) -> list[str]:
    """What is wrong with a request's body."""
    return _check(_document()["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"], body)


def answer_faults(path: str, method: str, body: Any, status: str = "200") -> list[str]:
    """What is wrong with the simulator's own answer."""
    return _check(
        _document()["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"], body
    )
