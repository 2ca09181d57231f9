"""Every name and description that Discord shows of our commands, by the ids of its words."""

from __future__ import annotations

from functools import cache

from bot.commands.verbs import Verb, verbs
from bot.platforms.discord.definitions import ADMIN_VERBS
from core.capabilities import Capabilities


@cache
def every_verb() -> tuple[Verb, ...]:
    """The verbs of a Reelay whose generators can do everything."""
    able = Capabilities("able", "Able", "Able Inc.", ("one", "two"), reference_images=3, last_frame=True, speech=True)
    return verbs([able])


def described() -> list[str]:
    """Ids of the descriptions: 1 to 100 characters each."""
    found = [f"verb.{verb.name}" for verb in every_verb()]
    found += sorted({option.words for verb in every_verb() for option in verb.options})
    found += ["verb.admin", *(f"verb.admin.{name}" for name in ADMIN_VERBS)]
    options = {name for rows in ADMIN_VERBS.values() for name, *_ in rows}
    return found + sorted(f"verb.admin.option.{name}" for name in options)


def named() -> list[str]:
    """Ids of the names: those of what everybody uses. The operator's commands keep the names that the documentation has."""
    return [f"{name}.name" for name in described() if not name.startswith("verb.admin")]
