"""Prompts with places to fill in: ``{prompt}``, ``{subject}``, or ``{time|at dusk}`` with what stands there when nothing is said. Pure."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from core.errors import BadOption
from core.fields import clean_text
from core.requests import PROMPT_CHARACTERS

NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
NAME_IS: Final = "1 to 32 small letters, digits, - and _"
MOST_OWN: Final = 50
"""Of one person."""
WHOLE: Final = "prompt"
"""The place of the order's own prompt."""
_PLACE: Final = re.compile(r"\{([a-z0-9_]{1,32})(?:\|([^{}]{0,200}))?\}")


def places(text: str) -> dict[str, str | None]:
    """The places of a template in their order, each with what stands there when nothing is said, or None."""
    found: dict[str, str | None] = {}
    for match in _PLACE.finditer(text):
        found[match[1]] = found.get(match[1]) or match[2]
    return found


def checked_name(name: Any) -> str:
    """A name for a template, in small letters. Raises BadOption."""
    said = name.strip().lower() if isinstance(name, str) else ""
    if not NAME.fullmatch(said):
        raise BadOption("template", name, NAME_IS)
    return said


def checked_text(text: Any) -> str:
    """The text of a template. Raises BadOption when it is empty or too long, or has a bracket that is no place."""
    legal = f"text of up to {PROMPT_CHARACTERS} characters with places such as {{subject}} or {{time|at dusk}}"
    if not isinstance(text, str) or len(text) > PROMPT_CHARACTERS or not clean_text(text):
        raise BadOption("text", "nothing" if not text else "something else", legal)
    said = clean_text(text)
    if re.search(r"[{}]", _PLACE.sub("", said)):
        raise BadOption("text", said, legal)
    return said


def read_fill(said: Any) -> dict[str, str]:
    """What goes where: an object of texts, also as JSON in a form, or ``subject=a cat; time=dawn``. Raises BadOption."""
    legal = "what goes into the template's places, as name=text; name=text"
    if said in (None, ""):
        return {}
    if isinstance(said, str) and said.lstrip().startswith("{"):
        with contextlib.suppress(
            ValueError, RecursionError
        ):  # what is no JSON, or nested without end, is refused below
            said = json.loads(said)
    if isinstance(said, str):
        pairs = [part.partition("=") for part in said.split(";") if part.strip()]
        if not all(equals for _, equals, _ in pairs):
            raise BadOption("fill", said, legal)
        said = {name.strip().lower(): text.strip() for name, _, text in pairs}
    if not isinstance(said, dict) or not all(isinstance(n, str) and isinstance(t, str) for n, t in said.items()):
        raise BadOption("fill", said, legal)
    return said


def filled(template: str, prompt: str, fill: Mapping[str, str]) -> str:
    """The prompt that a template makes. Its ``{prompt}`` is the order's own; without such a place that follows behind.

    What is filled in is never read for places itself. Raises BadOption for a place that stays empty, and for one that is not there.
    """
    known = places(template)
    strange = next((name for name in fill if name not in known), None)
    if strange is not None:
        raise BadOption("fill", strange, "one of " + ", ".join(known) if known else "nothing: it has no places")
    values = {WHOLE: prompt, **fill} if prompt or WHOLE in fill else dict(fill)
    empty = next((name for name, usual in known.items() if not values.get(name) and usual is None), None)
    if empty is not None:
        raise BadOption("prompt" if empty == WHOLE else "fill", f"no {empty}", f"given with {empty}={empty}")
    text = _PLACE.sub(lambda match: values.get(match[1]) or known[match[1]] or "", template)
    if prompt and WHOLE not in known:
        text = f"{text.rstrip(' .')}. {prompt}"
    return clean_text(text)[:PROMPT_CHARACTERS]
