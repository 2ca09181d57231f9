"""What a message asks for: one reading of its words, for the order and for the draft that shows its price before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.engine.engine import Engine
from bot.platforms.telegram.options import Written, read
from bot.platforms.telegram.vocabulary import CLIP, Vocabulary
from core.capabilities import choices_of
from core.requests import Choices


def choices_now(engine: Engine) -> Choices:
    """What some configured generator can do."""
    return choices_of(provider.capabilities for provider in engine.parts.providers.values())


def read_words(engine: Engine, text: str, vocabulary: Vocabulary = CLIP) -> Written:
    """The words of an order and its options. Raises BadOption."""
    providers = engine.parts.providers
    models = [f"{name}/{model}" for name, each in providers.items() for model in each.capabilities.models]
    return read(text, choices_now(engine), models, vocabulary)


def worded(verb: str | None, fields: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The fields of an order with its ``text`` in them: behind ``/talk`` that is what is said, unless an option says it."""
    if verb == "talk" and "line" not in fields:
        return {**fields, "line": text, "prompt": ""}
    return {**fields, "prompt": text}
