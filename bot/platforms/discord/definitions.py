"""The verbs as Discord's application commands: JSON for one bulk overwrite, localised, and only what works.

Limits (Discord, "Application Commands", 2026-08): names 1-32 lower case, descriptions 1-100, 25 options, 25 choices, 8000 characters
for a command in all.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bot.commands.verbs import Option, Verb
from bot.engine.words import Bookshelf

CHAT, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUBCOMMAND, STRING, INTEGER, BOOLEAN, USER, ATTACHMENT = 1, 3, 4, 5, 6, 11
GUILD, BOT_DM, PRIVATE_CHANNEL = 0, 1, 2
GUILD_INSTALL, USER_INSTALL = 0, 1
MANAGE_GUILD: Final = 1 << 5
CHOICES_MOST: Final = 25
DESCRIPTION_MOST: Final = 100
LOCALES: Final[Mapping[str, tuple[str, ...]]] = {
    "de": ("de",),
    "fr": ("fr",),
    "es": ("es-ES", "es-419"),
    "pt": ("pt-BR",),
    "it": ("it",),
    "pl": ("pl",),
    "uk": ("uk",),
    "ja": ("ja",),
}
"""Discord's names of the languages that a catalogue may be written in."""
ANIMATE_THIS: Final = "menu.animate_this"
ANIMATE_AVATAR: Final = "menu.animate_avatar"
REPORT: Final = "menu.report"
ADMIN_VERBS: Final[Mapping[str, Sequence[tuple[str, int, bool]]]] = {
    "quota": (("who", USER, False), ("credits", STRING, False)),
    "grant": (("who", USER, True), ("amount", INTEGER, True), ("note", STRING, False)),
    "block": (("who", USER, True), ("lift", BOOLEAN, False)),
    "channel": (("allow", BOOLEAN, False), ("lift", BOOLEAN, False)),
    "provider": (("name", STRING, False), ("on", BOOLEAN, False), ("default", BOOLEAN, False)),
    "pause": (("lift", BOOLEAN, False),),
    "takedown": (("clip", STRING, True),),
    "stats": (),
}
"""Subcommands of ``/admin``: (option, type, required)."""
_NAME = re.compile(r"[-_'\w]{1,32}")


def definitions(
    verbs: Iterable[Verb], shelf: Bookshelf, languages: Iterable[str], *, can_animate: bool
) -> list[dict[str, Any]]:
    """Every command, as the body of ``PUT /applications/{id}/commands``."""
    writer = _Writer(shelf, [language for language in languages if language in LOCALES])
    found = [_anywhere(writer.command(verb)) for verb in verbs]
    if can_animate:
        found += [_anywhere(writer.menu(ANIMATE_THIS, MESSAGE_MENU)), _anywhere(writer.menu(ANIMATE_AVATAR, USER_MENU))]
    found += [_anywhere(writer.menu(REPORT, MESSAGE_MENU)), writer.admin()]
    return found


def digest(commands: Sequence[Mapping[str, Any]]) -> str:
    """What tells whether the commands changed since they were last sent."""
    return hashlib.sha256(json.dumps(commands, sort_keys=True).encode()).hexdigest()


def _anywhere(command: dict[str, Any]) -> dict[str, Any]:
    """In guilds, direct messages and group chats; installed for a guild or for a person."""
    return {
        **command,
        "contexts": [GUILD, BOT_DM, PRIVATE_CHANNEL],
        "integration_types": [GUILD_INSTALL, USER_INSTALL],
    }


class _Writer:
    def __init__(self, shelf: Bookshelf, languages: list[str]) -> None:
        self._shelf, self._languages = shelf, languages

    def command(self, verb: Verb) -> dict[str, Any]:
        options = sorted((self._option(verb, option) for option in verb.options), key=lambda o: not o.get("required"))
        return {"type": CHAT, **self._named(f"verb.{verb.name}", verb.name), "options": options}

    def menu(self, message_id: str, kind: int) -> dict[str, Any]:
        name = self._shelf.words("en").say(message_id)
        return {"type": kind, "name": name, "name_localizations": self._everywhere(message_id, 32)}

    def admin(self) -> dict[str, Any]:
        subcommands = [
            {
                "type": SUBCOMMAND,
                **self._named(f"verb.admin.{name}", name),
                "options": [
                    {"type": kind, "required": required, **self._named(f"verb.admin.option.{option}", option)}
                    for option, kind, required in options
                ],
            }
            for name, options in ADMIN_VERBS.items()
        ]
        return {
            "type": CHAT,
            **self._named("verb.admin", "admin"),
            "options": subcommands,
            "contexts": [GUILD],
            "integration_types": [GUILD_INSTALL],
            "default_member_permissions": MANAGE_GUILD,
        }

    def _option(self, verb: Verb, option: Option) -> dict[str, Any]:
        kind = {"whole": INTEGER, "picture": ATTACHMENT, "song": ATTACHMENT, "flag": BOOLEAN, "who": USER}.get(
            option.kind, STRING
        )
        found: dict[str, Any] = {"type": kind, "required": option.required}
        found |= self._named(option.words, option.name)
        if option.kind in ("job", "model"):
            found["autocomplete"] = True
        elif option.choices:
            found["choices"] = [self._choice(verb, option, value) for value in option.choices[:CHOICES_MOST]]
        elif kind == STRING and option.most is not None:
            found["max_length"] = min(option.most, 6000)
        elif kind == INTEGER and option.most is not None:
            found |= {"min_value": option.least, "max_value": option.most}
        return found

    def _choice(self, verb: Verb, option: Option, value: str | int) -> dict[str, Any]:
        if isinstance(value, int):
            return {"name": f"{value} s", "value": value}
        message_id = f"choice.{verb.name}.{option.name}.{value}".replace("-", "_")
        text = self._shelf.words("en").say(message_id)
        if text == message_id:  # a value that needs no word: 16:9, 720p
            return {"name": value, "value": value}
        return {"name": text, "value": value, "name_localizations": self._everywhere(message_id, 100)}

    def _named(self, message_id: str, name: str) -> dict[str, Any]:
        names = {
            locale: text.lower()
            for locale, text in self._everywhere(f"{message_id}.name", 32).items()
            if _NAME.fullmatch(text)
        }
        return {
            "name": name,
            "name_localizations": names,
            "description": self._shelf.words("en").say(message_id)[:DESCRIPTION_MOST],
            "description_localizations": self._everywhere(message_id, DESCRIPTION_MOST),
        }

    def _everywhere(self, message_id: str, most: int) -> dict[str, str]:
        """The message in each language that has a word of its own for it, under Discord's names."""
        english = self._shelf.words("en").say(message_id)
        found: dict[str, str] = {}
        for language in self._languages:
            text = self._shelf.words(language).say(message_id)
            if text not in (english, message_id):
                found |= dict.fromkeys(LOCALES[language], text[:most])
        return found
