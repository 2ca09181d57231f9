"""Application commands: their definitions, and what a person can make of them (interactions/application-commands.mdx)."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from tests.lab.discord.refusal import Refusal, wrong
from tests.lab.discord.times import Clock

Json = dict[str, Any]
CHAT, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUB, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(1, 12)
MOST: Final = {CHAT: 100, USER_MENU: 15, MESSAGE_MENU: 15}
MOST_CHARACTERS, MOST_CHOICES, MOST_CREATES = 8000, 25, 200
LOCALES: Final = frozenset({
    "id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no", "pl", "pt-BR", "ro", "fi",
    "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th", "zh-CN", "ja", "zh-TW", "ko",
})  # fmt: skip
"""reference.mdx, Locales: 32 of them; the OpenAPI document knows two more that the table does not."""
_DEFAULTS: Final[Json] = {
    "name_localizations": None,
    "description_localizations": None,
    "default_member_permissions": None,
    "nsfw": False,
}


def _is_name(name: str) -> bool:
    """^[-_'\\p{L}\\p{N}\\p{sc=Deva}\\p{sc=Thai}]{1,32}$, and lower case where there is one."""
    scripts = re.compile(r"[\u0900-\u097F\u0E00-\u0E7F]")
    good = all(each in "-_'" or unicodedata.category(each)[0] in "LN" or scripts.match(each) for each in name)
    return good and 1 <= len(name) <= 32 and name == name.lower()


def check(command: Json, path: str, *, in_guild: bool) -> None:
    """One definition. Raises 50035 with the field's path."""
    kind = command.get("type") or CHAT
    _check_words(command, path, chat=kind == CHAT, top=True)
    if kind != CHAT and command.get("options"):
        raise wrong(f"{path}.options", "a menu entry has no options", "APPLICATION_COMMAND_OPTIONS_NOT_ALLOWED")
    if in_guild and (command.get("contexts") or command.get("integration_types")):
        raise wrong(f"{path}.contexts", "only for global commands", "APPLICATION_COMMAND_CONTEXTS_NOT_ALLOWED")
    _check_options(command.get("options") or [], f"{path}.options")
    if (length := characters(command)) > MOST_CHARACTERS:
        raise wrong(path, f"{length} characters, at most {MOST_CHARACTERS}", "APPLICATION_COMMAND_TOO_LARGE")


def _check_words(thing: Json, path: str, *, chat: bool, top: bool = False) -> None:
    names = [("name", thing["name"])]
    names += [
        (f"name_localizations.{locale}", name) for locale, name in (thing.get("name_localizations") or {}).items()
    ]
    for field, name in names:
        if (chat or not top) and not _is_name(name):
            raise wrong(
                f"{path}.{field}", f"{name!r} is not a lower-case command name", "APPLICATION_COMMAND_INVALID_NAME"
            )
        if not 1 <= len(name) <= 32:
            raise wrong(f"{path}.{field}", "Must be between 1 and 32 in length.", "BASE_TYPE_BAD_LENGTH")
    if (chat or not top) and not thing.get("description"):
        raise wrong(f"{path}.description", "This field is required", "BASE_TYPE_REQUIRED")
    if top and not chat and thing.get("description"):
        raise wrong(f"{path}.description", "a menu entry has no description", "APPLICATION_COMMAND_DESCRIPTION")
    for field in ("name_localizations", "description_localizations"):
        for locale in thing.get(field) or {}:
            if locale not in LOCALES:
                raise wrong(f"{path}.{field}.{locale}", "no such locale", "DICT_TYPE_INVALID_KEY")


def _check_options(options: Sequence[Json], path: str) -> None:
    names = Counter(name for option in options for name in _names(option))
    subs = {option["type"] in {SUB, GROUP} for option in options}
    if len(subs) > 1:
        raise wrong(path, "sub-commands and options do not mix", "APPLICATION_COMMAND_OPTIONS_TYPE_MIXED")
    optional = False
    for number, option in enumerate(options):
        here = f"{path}.{number}"
        _check_words(option, here, chat=True)
        if any(names[name] > 1 for name in _names(option)):
            raise wrong(f"{here}.name", "is there twice", "APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATED")
        if option.get("required") and optional:
            raise wrong(
                f"{here}.required", "required options come first", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"
            )
        optional = optional or not option.get("required")
        if option.get("autocomplete") and option.get("choices"):
            raise wrong(
                f"{here}.choices", "choices or autocomplete, not both", "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE"
            )
        low, high = option.get("min_length") or 0, option.get("max_length") or 6000
        least, most = option.get("min_value"), option.get("max_value")
        if low > high or (least is not None and most is not None and least > most):
            raise wrong(here, "least above most", "BASE_TYPE_BAD")
        if option.get("choices"):
            check_choices(option["choices"], option["type"], f"{here}.choices")
        _check_file_types(option, f"{here}.file_types")
        _check_options(option.get("options") or [], f"{here}.options")


def _check_file_types(option: Json, path: str) -> None:
    types = option.get("file_types") or []
    if types and option["type"] != ATTACHMENT:
        raise wrong(path, "only for attachments", "APPLICATION_COMMAND_OPTIONS_FILE_TYPES")
    if len(types) > 10 or not all(each in {"image", "video", "audio"} or each.startswith(".") for each in types):
        raise wrong(path, "at most 10 of image, video, audio and .extension", "APPLICATION_COMMAND_OPTIONS_FILE_TYPES")


def _names(option: Json) -> set[str]:
    return {option["name"], *(option.get("name_localizations") or {}).values()}


def check_choices(choices: Sequence[Json], kind: int, path: str) -> list[Json]:
    """Choices of an option, defined or suggested. Raises 50035."""
    if len(choices) > MOST_CHOICES:
        raise wrong(path, f"Must be {MOST_CHOICES} or fewer in length.", "BASE_TYPE_MAX_LENGTH")
    names = Counter(choice["name"] for choice in choices)
    for number, choice in enumerate(choices):
        value = choice["value"]
        fits = isinstance(value, str) if kind == STRING else isinstance(value, (int, float))
        if isinstance(value, str) and len(value) > 100:  # the documentation; the OpenAPI document lets 6000 pass
            raise wrong(f"{path}.{number}.value", "Must be 100 or fewer in length.", "BASE_TYPE_MAX_LENGTH")
        if not fits or isinstance(value, bool) or (kind == INTEGER and not isinstance(value, int)):
            raise wrong(f"{path}.{number}.value", f"{value!r} does not suit the option", "BASE_TYPE_INVALID")
        if names[choice["name"]] > 1 or not 1 <= len(choice["name"]) <= 100:
            raise wrong(f"{path}.{number}.name", "twice, empty or too long", "APPLICATION_COMMAND_CHOICE_NAME")
        for locale in choice.get("name_localizations") or {}:
            if locale not in LOCALES:
                raise wrong(f"{path}.{number}.name_localizations.{locale}", "no such locale", "DICT_TYPE_INVALID_KEY")
    return list(choices)


def characters(command: Json) -> int:
    """The sum that is limited to 8000: names, descriptions and values, of each the longest of its languages."""

    def longest(thing: Json, field: str) -> int:
        words = [thing.get(field) or "", *(thing.get(f"{field}_localizations") or {}).values()]
        return max(map(len, words))

    total = longest(command, "name") + longest(command, "description")
    for choice in command.get("choices") or ():
        total += longest(choice, "name") + len(str(choice["value"]))
    return total + sum(map(characters, command.get("options") or ()))


class Commands:
    """What is registered: everywhere, and guild by guild."""

    def __init__(self, clock: Clock, new_id: Callable[[], str], application_id: str) -> None:
        self._clock, self._new_id, self._application_id = clock, new_id, application_id
        self._sets: dict[str | None, list[Json]] = {}
        self._creates: dict[str | None, list[float]] = {}
        self.syncs: list[str | None] = []
        """One entry for every overwrite: None for global, else the guild."""

    def of(self, guild_id: str | None) -> list[Json]:
        """The commands registered there, and only there."""
        return list(self._sets.get(guild_id, ()))

    def overwrite(self, guild_id: str | None, wanted: Sequence[Json]) -> list[Json]:
        """Replace the whole set; a command that keeps its type and name keeps its id. Raises Refusal."""
        kinds = Counter(each.get("type") or CHAT for each in wanted)
        for kind, count in kinds.items():
            if count > MOST.get(kind, 1):
                raise wrong("", f"at most {MOST.get(kind, 1)} commands of type {kind}", "APPLICATION_COMMANDS_MAX")
        seen: set[tuple[int, str]] = set()
        for number, each in enumerate(wanted):
            check(each, str(number), in_guild=guild_id is not None)
            key = (each.get("type") or CHAT, each["name"])
            if key in seen:
                raise wrong(f"{number}.name", "is there twice", "APPLICATION_COMMANDS_DUPLICATE_NAME")
            seen.add(key)
        known = {(each["type"], each["name"]): each for each in self.of(guild_id)}
        self._budget(guild_id, len(seen - known.keys()))
        found = [self._stored(guild_id, each, known.get((each.get("type") or CHAT, each["name"]))) for each in wanted]
        self._sets[guild_id] = found
        self.syncs.append(guild_id)
        return found

    def _budget(self, guild_id: str | None, new: int) -> None:
        recent = [at for at in self._creates.get(guild_id, ()) if at > self._clock() - 86_400]
        if len(recent) + new > MOST_CREATES:
            raise Refusal(30034)
        self._creates[guild_id] = recent + [self._clock()] * new

    def _stored(self, guild_id: str | None, each: Json, known: Json | None) -> Json:
        kind = each.get("type") or CHAT
        said: Json = _DEFAULTS | {name: value for name, value in each.items() if value is not None}
        said |= {"type": kind, "description": each.get("description") or "", "application_id": self._application_id}
        if said["default_member_permissions"] is not None:
            said["default_member_permissions"] = str(said["default_member_permissions"])
        said["options"] = [_option(option) for option in each.get("options") or ()]
        if guild_id is None:
            said["contexts"] = each.get("contexts") or ([0, 1] if each.get("dm_permission") is not False else [0])
            said["integration_types"] = each.get("integration_types") or [0]
        else:
            said["guild_id"] = guild_id
        same = known is not None and {**known, "version": None, "id": None} == {**said, "version": None, "id": None}
        said["id"] = known["id"] if known is not None else self._new_id()
        said["version"] = known["version"] if known is not None and same else self._new_id()
        return said


def _option(option: Json) -> Json:
    said = {name: value for name, value in option.items() if value is not None}
    if "options" in option:
        said["options"] = [_option(each) for each in option["options"] or ()]
    return said


def leaves(command: Json) -> Iterator[tuple[tuple[str, ...], list[Json]]]:
    """Every way to call a command: the path of sub-command names, and the options there."""
    options = command.get("options") or []
    if not any(option["type"] in {SUB, GROUP} for option in options):
        yield (), options
    for option in options:
        if option["type"] in {SUB, GROUP}:
            for path, inner in leaves(option):
                yield (option["name"], *path), inner
