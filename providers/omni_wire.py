"""The words of Gemini Omni: an order as the Interactions API takes it, and what its answers mean. Pure, and without the SDK."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from core.capabilities import Applied
from core.errors import ContentRefused, Garbled, InvalidRequest, OutOfFunds, ProviderError, TimedOut, Unavailable
from core.ports import Artifact, EncodedPicture, Failed, PollAnswer, Ready, Waiting
from providers.inline import ELIDED
from providers.sheets import BadSheet, Model

SEEDS: Final = 2**31
"""Google's seed is an int32; ours go one bit further."""
RESOLUTIONS: Final[Mapping[str, str]] = {"4K": "4k"}
"""Where the vendor spells it otherwise."""

TOKENS: Final[Mapping[str, int]] = {"360p": 1931, "720p": 5792, "1080p": 8688, "4K": 17376}
"""Of video a second (OpenRouter measured 1.1, September 2026)."""
OPTIONS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "usd_per_million_video_tokens": (int, Decimal),
    "usd_per_million_input_tokens": (int, Decimal),
    "clip_bytes": int,
    "one_shot": str,
}

ENDS: Final[Mapping[str, type[ProviderError]]] = {
    "failed": Unavailable,
    "cancelled": Unavailable,
    "incomplete": Unavailable,
    "requires_action": Unavailable,
    "budget_exceeded": OutOfFunds,
}
"""Statuses after which no clip comes. Every other one, known or not, is still waiting; the deadline is the engine's."""
FAULTS: Final[tuple[tuple[str, type[ProviderError]], ...]] = (
    (r"safety|prohibited|polic(y|ies)|blocked|recitation|sensitive|responsible ai", ContentRefused),
    (r"invalid[ _]?(argument|request)|not supported|cannot be set", InvalidRequest),
    (r"deadline|timed? ?out", TimedOut),
    (r"budget|billing", OutOfFunds),
)
"""What the errors of a failed interaction say, as far as it is known; the first that fits."""

FILE: Final = re.compile(r"(?:^|/)files/([A-Za-z0-9_-]{1,128})(?::download)?(?:\?|$)")
CUTS: Final = re.compile(
    r"\b(cuts?|shots|scenes|montage|schnitte?|einstellungen|szenen|plans|coupes?|planos|escenas|cortes?)\b"
    r"|\d ?s?\s*[-–]\s*\d+ ?s\b",
    re.IGNORECASE,
)
"""Whoever writes one of these words, or times as in ``[0-3s]``, says for themselves where to cut."""


def payload(
    applied: Applied, pictures: Sequence[EncodedPicture] = (), clip: bytes | None = None, *, one_shot: str = ""
) -> dict[str, Any]:
    """The body of an interaction. ``pictures`` are those of ``applied.pictures``, ``clip`` is the one of ``applied.extends``."""
    media = [{"type": "image", "mime_type": each.mime, "data": _base64(each.data)} for each in pictures]
    look = {
        "type": "video",
        "resolution": RESOLUTIONS.get(applied.resolution, applied.resolution),
        "duration": f"{applied.seconds}s",
        "delivery": "uri",
    }
    if clip is None:
        look["aspect_ratio"] = applied.aspect_ratio
    else:  # it keeps the shape of what it goes on from
        media = [{"type": "video", "mime_type": "video/mp4", "data": _base64(clip)}]
    settings: dict[str, Any] = {"seed": applied.seed % SEEDS}
    task = _task(applied)
    if task is not None:
        settings["video_config"] = {"task": task}
    return {
        "model": applied.model,
        "background": True,
        "input": [*media, {"type": "text", "text": prompt_of(applied, one_shot=one_shot)}],
        "response_format": look,
        "generation_config": settings,
    }


def _task(applied: Applied) -> str | None:
    """The vendor's word for what is asked; none for two frames, whose roles the prompt declares and no task is known to fit."""
    if applied.extends is not None:
        return "extend"
    if applied.last_picture is not None:
        return None
    if applied.references:
        return "reference_to_video"
    return "text_to_video" if applied.picture is None else "image_to_video"


def prompt_of(applied: Applied, *, one_shot: str = "") -> str:
    """The prompt with what has no field of its own: what the pictures are for, a line that is spoken, and what to leave out.

    Raises InvalidRequest for a last picture without a first one, which Omni does not take.
    """
    begins = "[# Sources <FIRST_FRAME>@Image1]", "Use Image1 as the starting frame."
    head, tail = ("", "")
    if applied.last_picture is not None:
        if applied.picture is None or applied.extends is not None:
            raise InvalidRequest("a last picture wants a first one", message_id="error.last_picture_alone")
        head, tail = "[# Sources <FIRST_FRAME>@Image1 <LAST_FRAME>@Image2]", "Use Image2 as the final frame."
        tail = f"{begins[1]} {tail}"
    elif applied.extends is not None:
        head = "Extend this video."
    elif applied.picture is not None:
        head, tail = begins
    elif applied.references:
        numbered = " ".join(f"<IMAGE_REF_{n}>@Image{n + 1}" for n in range(len(applied.references)))
        head = f"[# References {numbered}]"
        tail = "Use the given images as references, not as literal initial frames."
    spoken = applied.line.replace('"', "'")
    says = f'Somebody in the scene says: "{spoken}"' if spoken else ""
    without = f"Do not show or do any of this: {applied.negative_prompt}." if applied.negative_prompt else ""
    shot = "" if CUTS.search(applied.prompt) else one_shot
    return "\n".join(filter(None, (head, applied.prompt, says, without, shot, tail)))


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def read_status(data: Any, options: Mapping[str, Any] | None = None) -> PollAnswer:
    """What an interaction says. ``options``: those of its model, with the prices of tokens. Raises Garbled for what is none."""
    status = data.get("status") if isinstance(data, Mapping) else None
    if not isinstance(status, str):
        raise Garbled("an answer without a status")
    if status in {"completed", "incomplete"}:
        artifact = artifact_of(data)
        if artifact is not None:
            return Ready(Artifact(artifact.kind, artifact.value, cost_usd(data, options or {})))
        if status == "completed" and _video_tokens(data):
            raise Garbled("completed and counted, but the clip is not told of")
        if (
            status == "completed"
        ):  # a refusal: at once, and without a token of video (google-gemini/gemini-skills, 2026-08)
            return Failed(ContentRefused("completed without a clip", status=status))
    kind = ENDS.get(status)
    if kind is None:
        return Waiting()
    said = _faults(data)
    for words, meant in FAULTS if status == "failed" else ():
        if re.search(words, said):
            kind = meant
            break
    return Failed(kind(f"the interaction ended: {status}", status=status))


def _faults(data: Mapping[str, Any]) -> str:
    errors = [each for each in _list(data.get("errors")) if isinstance(each, Mapping)]
    return "\n".join(str(each.get(name, "")) for each in errors for name in ("code", "message")).lower()


def artifact_of(data: Mapping[str, Any]) -> Artifact | None:
    """The last clip that the model put out: its file, its address, or its place among what the answer carries in base64."""
    place, found = -1, None
    for block, is_output in _blocks(data):
        place += block.get("data") == ELIDED
        if not is_output or block.get("type") != "video":
            continue
        uri = block.get("uri")
        if isinstance(uri, str) and uri:
            file = FILE.search(uri)
            found = Artifact("url", uri) if file is None else Artifact("file id", file[1])
        elif block.get("data") == ELIDED:
            found = Artifact("inline", str(place))
    return found


def _blocks(data: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Everything that may carry data, in the order of the answer, and whether the model put it out."""
    for name, value in data.items():
        if name == "steps":
            for step in _list(value):
                if isinstance(step, Mapping):
                    is_output = step.get("type") == "model_output"
                    yield from ((each, is_output) for each in _list(step.get("content")) if isinstance(each, Mapping))
        elif isinstance(value, Mapping):
            yield value, name == "output_video"
        else:
            yield from ((each, False) for each in _list(value) if isinstance(each, Mapping))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def check_model(model: Model) -> None:
    """Raise BadSheet for an option that is none, and where the price of tokens, by which a clip is charged, is another than that of
    seconds, which the person was told.
    """
    where = f"omni.toml, model {model.id}"
    for name, value in model.options.items():
        if name not in OPTIONS:
            raise BadSheet(f"{where}: options.{name} is unknown; they take {', '.join(OPTIONS)}")
        if isinstance(value, bool) or not isinstance(value, OPTIONS[name]):
            raise BadSheet(f"{where}: options.{name} wants a {'text' if OPTIONS[name] is str else 'number'}")
    price = model.options.get("usd_per_million_video_tokens")
    if price is None:
        return
    if model.rate.flat is not None:
        raise BadSheet(f"{where}: the price is flat, so options wants no usd_per_million_video_tokens")
    for (resolution, _), usd in (model.rate.per_second or {}).items():
        tokens = TOKENS.get(resolution)
        if tokens is not None and abs(usd - tokens * Decimal(price) / 1_000_000) > usd / 10:
            raise BadSheet(
                f"{where}: {usd} dollars a second of {resolution} are not {tokens} tokens at usd_per_million_video_tokens = {price}: "
                "change both, or take it out of options"
            )


def cost_usd(data: Mapping[str, Any], options: Mapping[str, Any]) -> float | None:
    """US dollars by the tokens that the answer counts; None where it counts no video or the price of it is not known."""
    usage, video = data.get("usage"), _video_tokens(data)
    price = options.get("usd_per_million_video_tokens")
    if not isinstance(usage, Mapping) or price is None or not video:
        return None
    sent = _count(usage.get("total_input_tokens")) * float(options.get("usd_per_million_input_tokens", 0))
    return (video * float(price) + sent) / 1e6


def _video_tokens(data: Mapping[str, Any]) -> int:
    usage = data.get("usage")
    rows = _list(usage.get("output_tokens_by_modality")) if isinstance(usage, Mapping) else []
    videos = (each for each in rows if isinstance(each, Mapping) and str(each.get("modality", "")).lower() == "video")
    return sum(_count(each.get("tokens")) for each in videos)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
