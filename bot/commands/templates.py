"""Templates of prompts as a chat keeps, forgets and lists them; ``/examples`` shows them beside the examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.engine.engine import Engine
from bot.engine.words import Words
from core.errors import BadOption
from core.templates import checked_name, checked_text


async def listed(engine: Engine, words: Words, account_id: str | None) -> str:
    """Every template that the person can use, in one line: their own ones first."""
    found = await engine.intake.templates.all(account_id, words)
    return words.say("examples.templates", names=", ".join(found))


async def changed(engine: Engine, words: Words, account_id: str, options: Mapping[str, Any]) -> str | None:
    """Do what the options ``save`` and ``text``, or ``drop``, ask for; returns what was done, None when they ask for nothing.

    Raises BadOption, Conflict when there are too many, NotFound.
    """
    save, text, drop = (options.get(name) for name in ("save", "text", "drop"))
    if save not in (None, ""):
        if text in (None, ""):
            raise BadOption("text", "nothing", "the text of the template")
        name = checked_name(save)
        await engine.parts.store.save_template(account_id, name, checked_text(text))
        return words.say("examples.saved", name=name)
    if drop not in (None, ""):
        name = checked_name(drop)
        await engine.parts.store.drop_template(account_id, name)
        return words.say("examples.dropped", name=name)
    return None
