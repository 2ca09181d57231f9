"""Templates of prompts: those that come along, in the person's language, and the person's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.engine.parts import Parts
from bot.engine.words import Words
from core.errors import BadOption
from core.templates import checked_name, filled, read_fill

BUILT_IN: Final = ("noir", "timelapse", "product", "dream", "documentary", "trailer")
"""Their texts are ``template.<name>`` of the catalogue; a person's own one of the same name goes before."""


class Templates:
    """Finds and fills templates for orders."""

    def __init__(self, parts: Parts) -> None:
        """Reads the store."""
        self._parts = parts

    async def all(self, account_id: str | None, words: Words) -> dict[str, tuple[str, bool]]:
        """(text, whether it is the person's own) of every template, by name: their own ones first."""
        own = {} if account_id is None else await self._parts.store.templates(account_id)
        found = {name: (text, True) for name, text in own.items()}
        return found | {name: (_built_in(name, words), False) for name in BUILT_IN if name not in found}

    async def applied(
        self, fields: Mapping[str, Any], account_id: str | None, language: str, key: str = "prompt"
    ) -> dict[str, Any]:
        """The fields with the template that they name filled in, into ``key``; as they are without one. Raises BadOption."""
        name, fill = fields.get("template"), fields.get("fill")
        rest = {field: value for field, value in fields.items() if field not in ("template", "fill")}
        if name in (None, ""):
            if fill not in (None, ""):
                raise BadOption("fill", "without a template", "given with a template")
            return rest
        said, known = checked_name(name), await self.all(account_id, self._parts.words(language))
        if said not in known:
            raise BadOption("template", name, "one of " + ", ".join(known))
        prompt = rest.get(key)
        if prompt is not None and not isinstance(prompt, str):
            return rest  # what is wrong with it is told as without a template
        return {**rest, key: filled(known[said][0], prompt or "", read_fill(fill))}


def _built_in(name: str, words: Words) -> str:
    """The catalogue has its own use for the braces, so that a template's places stand in square brackets there."""
    return words.say(f"template.{name}").translate(str.maketrans("[]", "{}"))
