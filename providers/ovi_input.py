"""What Ovi is asked: the options of a model, fal's input, and the marks in a prompt.

Marks are ``<S>what is said<E>``, ``<AUDCAP>what is heard<ENDAUDCAP>``, or ``Audio: what is heard`` at the end. Source:
character-ai/Ovi @5b69b25 (2025-11-14). Speech is marked in the same way for every version. What is heard is told by tags to the first one
(720x720, 5 s) and by the ending to the later ones (960x960); a person may write either, and gets what the model wants.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from core.capabilities import Applied
from core.errors import InvalidRequest
from providers.poured import Inline
from providers.sheets import BadSheet, Model, plain

Kind = Literal["words", "speech", "sounds"]
Sounds = Literal["tags", "tail"]
"""How a model is told what is heard."""

MARK: Final = re.compile(r"<(S|E|AUDCAP|ENDAUDCAP)>", re.IGNORECASE)
CLOSED_BY: Final[Mapping[str, str]] = {"S": "E", "AUDCAP": "ENDAUDCAP"}
KINDS: Final[Mapping[str, Kind]] = {"S": "speech", "AUDCAP": "sounds"}
ENDING: Final = re.compile(r"\baudio:\s*", re.IGNORECASE)
BEFORE: Final = 200
"""Characters that are looked at before an ending: more blanks than a person leaves."""
ROUTED: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]*(?:/[0-9A-Za-z][0-9A-Za-z._-]*)+", re.ASCII)
"""An id of a model, which goes into a path."""
BLANKS: Final = re.compile(r"[ \t]{2,}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a prompt; ``text`` is without its marks, and words keep the blanks around them."""

    kind: Kind
    text: str


def pieces(prompt: str) -> tuple[Piece, ...]:
    """The prompt in its parts; what is said or heard of nothing is left out.

    Raises InvalidRequest, with a sentence that tells the legal form, when a mark is not closed, never opened, inside another, or when
    ``Audio:`` is not the end.
    """
    found: list[Piece] = []
    opened, at = "", 0
    for mark in MARK.finditer(prompt):
        name, text, at = mark[1].upper(), prompt[at : mark.start()], mark.end()
        if opened and name != CLOSED_BY[opened]:
            raise _wrong("a mark inside another, or not closed")
        if not opened and name not in CLOSED_BY:
            raise _wrong("a mark is closed that was never opened")
        found.append(Piece(KINDS[opened] if opened else "words", text))
        opened = "" if opened else name
    if opened:
        raise _wrong("a mark is not closed")
    found.append(Piece("words", prompt[at:]))
    return tuple(piece for piece in _with_ending(found) if piece.text.strip())


def _with_ending(found: list[Piece]) -> list[Piece]:
    """The same with ``Audio: …`` taken out of the last words."""
    for piece in found[:-1]:
        if piece.kind == "words" and _ending(piece.text) is not None:
            raise _wrong("something follows Audio:")
    last = found[-1].text
    ending = _ending(last)
    if ending is None:
        return found
    return [*found[:-1], Piece("words", last[: ending.start()].rstrip()), Piece("sounds", last[ending.end() :])]


def _ending(text: str) -> re.Match[str] | None:
    """The first ``Audio:`` with which a sentence or a line begins: a sign that says “Car Audio: half price” is none."""
    for found in ENDING.finditer(text):
        before = text[max(0, found.start() - BEFORE) : found.start()]
        ended = before.rstrip()
        if not ended or ended[-1] in ".!?;" or "\n" in before[len(ended) :]:
            return found
    return None


def compose(prompt: str, line: str, sounds: Sounds) -> str:
    """The prompt as the model takes it: ``line`` said at its end, and behind that in one piece everything that is heard.

    Raises InvalidRequest like ``pieces``; a line takes no marks, since it is speech already.
    """
    if MARK.search(line):
        raise _wrong("marks in a line")
    found = pieces(prompt)
    shown = "".join(
        f"<S>{each.text.strip()}<E>" if each.kind == "speech" else each.text for each in found if each.kind != "sounds"
    )
    parts = [BLANKS.sub(" ", shown).strip(), f"<S>{line.strip()}<E>" if line.strip() else ""]
    heard = [each.text.strip() for each in found if each.kind == "sounds"]
    if heard:
        told = ". ".join([*(each.rstrip(".") for each in heard[:-1]), heard[-1]])
        parts.append(f"<AUDCAP>{told}<ENDAUDCAP>" if sounds == "tags" else f"Audio: {told}")
    return " ".join(part for part in parts if part)


def _wrong(text: str) -> InvalidRequest:
    return InvalidRequest(text, message_id="error.ovi_marks")


@dataclass(frozen=True, slots=True)
class Route:
    """A model at Hugging Face: its name there, fal's id for it, and the task that is mapped."""

    model: str
    id: str
    task: str


@dataclass(frozen=True, slots=True)
class Wire:
    """The options of a model in the sheet; models/ovi.toml says what they mean."""

    image: str = ""
    sounds: Sounds = "tags"
    sizes: Mapping[str, str] = field(default_factory=dict)
    wordless: str = ""
    input: Mapping[str, Any] = field(default_factory=dict)
    router: Route | None = None


def wire(model: Model) -> Wire:
    """Read the options. Raises BadSheet naming what is wrong."""
    said = dict(model.options)
    where = f"ovi.toml, model {model.id}, options"
    if not set(said) <= set(Wire.__dataclass_fields__):
        raise BadSheet(f"{where}: takes {', '.join(Wire.__dataclass_fields__)}")
    texts = [said.get("image", ""), said.get("wordless", "")]
    sizes, router, fields = said.get("sizes", {}), said.get("router"), said.get("input", {})
    if said.get("sounds", "tags") not in ("tags", "tail"):
        raise BadSheet(f"{where}: sounds wants tags or tail")
    if not all(isinstance(each, str) for each in texts) or not all(isinstance(each, dict) for each in (sizes, fields)):
        raise BadSheet(f"{where}: image and wordless want texts, sizes and input want tables")
    if not all(isinstance(size, str) for size in sizes.values()):
        raise BadSheet(f"{where}: sizes wants a text for each aspect")
    if router is not None:
        tasks = ("text-to-video", "image-to-video")
        if not isinstance(router, dict) or set(router) != {"model", "id", "task"} or router["task"] not in tasks:
            raise BadSheet(f"{where}: router wants model, id, and as task {' or '.join(tasks)}")
        if not all(isinstance(router[each], str) and ROUTED.fullmatch(router[each]) for each in ("model", "id")):
            raise BadSheet(f"{where}: router wants model and id as owner/name")
        said["router"] = Route(**router)
    if not ROUTED.fullmatch(f"x/{said.get('image') or 'x'}"):
        raise BadSheet(f"{where}: image wants what fal appends to the id, such as image-to-video")
    if taken := {"prompt", "seed", "negative_prompt", "image_url"} & set(fields):
        raise BadSheet(f"{where}: input has {min(taken)}, which every clip says for itself")
    for promised in ("extend", "last_frame", "reference_images", "audio_switch", "person_generation", "folds_negative"):
        if getattr(model.capabilities, promised):
            raise BadSheet(f"ovi.toml, model {model.id}: {promised} is not possible with Ovi: leave it out")
    said["input"] = plain(fields)
    return Wire(**said)


def payload(applied: Applied, options: Wire, image_url: str | Inline | None) -> dict[str, Any]:
    """The input of fal's. A picture has its own shape, so a size goes only without one. Raises InvalidRequest for marks that are wrong."""
    body: dict[str, Any] = {
        "prompt": compose(applied.prompt, applied.line, options.sounds) or options.wordless,
        "seed": applied.seed,
    }
    if applied.negative_prompt:
        body["negative_prompt"] = applied.negative_prompt
    if image_url is not None:
        body["image_url"] = image_url
    elif applied.aspect_ratio in options.sizes:
        body["resolution"] = options.sizes[applied.aspect_ratio]
    return body | dict(options.input)
