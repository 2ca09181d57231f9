"""Parts of a modal: labelled fields (Discord, "Component Reference", 2026-08)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

LABEL, TEXT_INPUT, STRING_SELECT, FILE_UPLOAD = 18, 4, 3, 19
SHORT, PARAGRAPH = 1, 2
INPUT_MOST: Final = 4000
"""Characters that a text input takes."""
LABEL_MOST: Final = 45


def field(label: str, component: Mapping[str, Any]) -> dict[str, Any]:
    """A component with its label."""
    return {"type": LABEL, "label": label[:LABEL_MOST], "component": component}


def text_input(
    custom_id: str, value: str, most: int, *, paragraph: bool = False, required: bool = False
) -> dict[str, Any]:
    """A text of at most ``most`` characters, with ``value`` in it already."""
    found: dict[str, Any] = {
        "type": TEXT_INPUT,
        "custom_id": custom_id,
        "style": PARAGRAPH if paragraph else SHORT,
        "required": required,
        "max_length": min(most, INPUT_MOST),
    }
    return {**found, "value": value[: found["max_length"]]} if value else found
