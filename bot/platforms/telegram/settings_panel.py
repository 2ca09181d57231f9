"""A person's defaults as a keyboard: each press changes one, and the message shows at once what a clip costs then.

What is chosen stands in the button, so it works after any restart; whoever presses changes their own settings, and the panel is shown to
one person alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.commands import account
from bot.commands.making import said_changes
from bot.commands.marks import Marks
from bot.engine.engine import Engine
from bot.engine.words import Words
from bot.platforms.telegram.render import cut, escape
from bot.platforms.telegram.wishes import Wish
from core.cards import Message
from core.errors import BadOption, NotFound, ReelayError

FIELDS: Final[Mapping[str, str]] = {
    "aspect": "aspect_ratio",
    "seconds": "duration",
    "resolution": "resolution",
    "model": "provider",
    "notify": "notify",
}
"""A setting as a person writes it, and its field; the order is that of the panel."""
SYNONYMS: Final[Mapping[str, str]] = {"generator": "model", "shape": "aspect", "length": "seconds"}
SWITCH: Final[Mapping[str, bool]] = {"on": True, "true": True, "off": False, "false": False}
UNCHOSEN: Final = "unset"
UNSET: Final = frozenset({UNCHOSEN, "default", "-"})
VERB: Final = "set_"
CHOSEN: Final = "✓"
LABEL_MOST: Final = 24


class SettingsPanel:
    """See above."""

    def __init__(self, engine: Engine, marks: Marks) -> None:
        """Nothing is kept of a panel."""
        self._engine, self._marks = engine, marks

    def owns(self, verb: str) -> bool:
        """Whether a button of that name is the panel's."""
        return verb.startswith(VERB) and verb.removeprefix(VERB) in FIELDS

    async def write(self, account_id: str, text: str) -> bool:
        """Change what ``text`` says (``seconds 8 notify off``); whether it said anything. Raises BadOption."""
        said = text.lower().replace("=", " ").split()
        if not said:
            return False
        changes: dict[str, Any] = {}
        for word, value in zip(said[::2], [*said[1::2], ""], strict=False):
            name = SYNONYMS.get(word, word)
            if name not in FIELDS:
                raise BadOption("settings", name, ", ".join(FIELDS))
            changes[FIELDS[name]] = self._read(name, value)
        await account.change_settings(self._engine, account_id, changes)
        return True

    async def press(self, account_id: str, verb: str, subject: str) -> None:
        """Change what a button says: done twice it is the same. Raises BadOption, NotFound."""
        name = verb.removeprefix(VERB)
        if name not in FIELDS:
            raise NotFound("no such setting")
        await account.change_settings(self._engine, account_id, {FIELDS[name]: self._read(name, subject)})

    async def show(self, wish: Wish, account_id: str, *, is_saved: bool) -> tuple[str, InlineKeyboardMarkup]:
        """The panel as it is now."""
        words, found = wish.words, await self._settings(account_id)
        lines = [f"<b>{escape(words.say('settings.saved' if is_saved else 'settings.title'))}</b>"]
        for name, field in FIELDS.items():
            lines.append(f"{escape(self._named(name, words))}: {escape(self._value(name, found.get(field), words))}")
        lines += ["", *(escape(each) for each in await self._price(words, found))]
        return "\n".join(lines), self._keys(found, words)

    async def _settings(self, account_id: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = (await account.me(self._engine, account_id, account_id))["settings"]
        return found

    async def _price(self, words: Words, settings: Mapping[str, Any]) -> list[str]:
        """What a clip with these settings costs, and what its generator changes about them."""
        given = {key: value for key, value in settings.items() if value is not None}
        try:
            offer, price = await self._engine.intake.offer({"prompt": "x"}, with_picture=False, settings=given)
        except ReelayError as error:
            return [words.text(Message(error.message_id, error.values), self._engine.parts.clock.now())]
        title = offer.provider.capabilities.title
        line = words.say("settings.price", generator=title, credits=price, seconds=offer.applied.seconds)
        return [line, *said_changes(offer.changed, words)]

    def _keys(self, found: Mapping[str, Any], words: Words) -> InlineKeyboardMarkup:
        lines = []
        for name in ("aspect", "seconds", "resolution", "model"):
            values: tuple[Any, ...] = account.SETTINGS.get(FIELDS[name], tuple(self._engine.parts.providers))
            if name == "model" and len(values) < 2:
                continue
            lines.append(
                [self._button(name, value, words, is_chosen=found.get(FIELDS[name]) == value) for value in values]
            )
        is_on = bool(found.get("notify"))
        bell = f"{'🔔' if is_on else '🔕'} {words.say('settings.on' if is_on else 'settings.off')}"
        data = self._marks.button(f"{VERB}notify", "off" if is_on else "on")
        lines.append([InlineKeyboardButton(bell, callback_data=data)])
        return InlineKeyboardMarkup([line[start : start + 3] for line in lines for start in range(0, len(line), 3)])

    def _button(self, name: str, value: Any, words: Words, *, is_chosen: bool) -> InlineKeyboardButton:
        """What is chosen already is unset by its button."""
        label = self._value(name, value, words)
        data = self._marks.button(f"{VERB}{name}", UNCHOSEN if is_chosen else str(value).replace(":", "x"))
        return InlineKeyboardButton(cut(f"{CHOSEN} {label}" if is_chosen else label, LABEL_MOST), callback_data=data)

    def _read(self, name: str, value: str) -> Any:
        """A written value as ``change_settings`` takes it; what is not legal is left to its own words."""
        if value in UNSET:
            return None
        if name == "seconds":
            digits = value.removesuffix("s")
            return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 6 else value
        if name == "notify":
            return SWITCH.get(value, value)
        if name == "aspect":
            return value.replace("x", ":")
        return value

    def _value(self, name: str, value: Any, words: Words) -> str:
        """A setting's value as a person reads it."""
        if value is None:
            return words.say("settings.unset")
        if isinstance(value, bool):
            return words.say("settings.on" if value else "settings.off")
        if name == "seconds":
            return words.say("facts.seconds", seconds=value)
        provider = self._engine.parts.providers.get(value) if name == "model" else None
        return str(value) if provider is None else provider.capabilities.title

    @staticmethod
    def _named(name: str, words: Words) -> str:
        return words.say(f"settings.{name}")
