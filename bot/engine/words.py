"""The words on every surface: one gettext domain, filled in with typed values.

A message is written in the catalogue as ``{left:duration} left`` or ``{credits:credits}``; the formats know plurals, ordinals and
clocks, so a translator never meets a bare number of seconds.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from typing import Any, Final

from core.cards import Card, Message, shown_seconds

DOMAIN: Final = "reelay"
LOCALES: Final = Path(__file__).parents[1] / "locale"
PAGE_PREFIX: Final = "page."
COUNTED: Final = {"credits": "unit.credits", "jobs": "unit.jobs", "clips": "unit.clips", "scenes": "unit.scenes"}
"""Formats that say how many of something, with the plurals of the language."""
UNLIMITED: Final = "unlimited"
"""How the operator's desk writes an amount without a limit."""


def languages() -> list[str]:
    """The languages that have a catalogue, English among them."""
    return sorted(path.parents[1].name for path in LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))


class Words(Formatter):
    """The catalogue in one language; English fills whatever a translation lacks."""

    def __init__(self, language: str = "en") -> None:
        """``language`` falls back to English when there is no catalogue for it."""
        self.language = language
        wanted = [language.replace("-", "_"), language.split("-", maxsplit=1)[0].split("_", maxsplit=1)[0], "en"]
        self._translations = gettext.translation(DOMAIN, LOCALES, languages=wanted, fallback=False)

    def text(self, message: Message, now: int | None = None) -> str:
        """The sentence for ``message``; with ``now`` (UTC ms) a value ``x_at`` also gives ``x_at_in``, seconds."""
        pattern = self._translations.gettext(message.id)
        values = dict(message.values)
        if now is not None:
            values |= {f"{name}_in": (at - now) / 1000 for name, at in message.values.items() if name.endswith("_at")}
        return self.vformat(pattern, (), values)

    def say(self, message_id: str, **values: Any) -> str:
        """The sentence for ``message_id``."""
        return self.text(Message(message_id, values))

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """A value that a message wants and nobody gave is shown as "?": a card with a gap beats no card."""
        return kwargs.get(str(key), "?") if isinstance(key, str) else super().get_value(key, args, kwargs)

    def format_field(self, value: Any, format_spec: str) -> str:
        """Formats of our own.

        duration (seconds), ordinal, credits, jobs, clips and scenes (how many), amount (credits, or ``UNLIMITED``), size (bytes), clock and
        date (UTC ms, or ISO 8601 as the API has it).
        """
        if value in ("?", None):
            return "?"
        match format_spec:
            case "duration":
                return self._duration(float(value))
            case "ordinal":
                return self._ordinal(int(value))
            case "credits" | "jobs" | "clips" | "scenes":
                return self._counted(COUNTED[format_spec], int(value))
            case "amount":
                return self._translations.gettext("unit.unlimited") if value == UNLIMITED else str(value)
            case "size":
                return self._size(int(value))
            case "clock":
                return _moment(value).strftime("%H:%M UTC")
            case "date":
                return _moment(value).strftime("%Y-%m-%d")
            case _:
                return str(super().format_field(value, format_spec))

    def _counted(self, message_id: str, n: int) -> str:
        form = self._translations.ngettext(message_id, f"{message_id}.plural", abs(n))  # rules for plurals know no sign
        return form.replace("{n}", str(n))

    def _duration(self, seconds: float) -> str:
        whole = shown_seconds(seconds)
        if whole < 60:
            return self._counted("unit.seconds", whole)
        minutes, rest = divmod(whole, 60)
        if minutes < 10 and rest:
            return f"{self._counted('unit.minutes', minutes)} {self._counted('unit.seconds', rest)}"
        if minutes < 60:
            return self._counted("unit.minutes", minutes)
        hours, minutes = divmod(minutes, 60)
        if minutes:
            return f"{self._counted('unit.hours', hours)} {self._counted('unit.minutes', minutes)}"
        return self._counted("unit.hours", hours)

    def _ordinal(self, n: int) -> str:
        specific = f"unit.ordinal.{n if 10 <= n % 100 <= 13 else n % 10}"
        found = self._translations.gettext(specific)
        pattern = self._translations.gettext("unit.ordinal") if found == specific else found
        return pattern.replace("{n}", str(n))

    def _size(self, count: int) -> str:
        number = f"{count / 1e6:.1f}" if count < 10_000_000 else f"{count / 1e6:.0f}"
        number = number.replace(".", self._translations.gettext("unit.decimal"))
        return self._translations.gettext("unit.size").replace("{n}", number)

    def page(self) -> dict[str, Any]:
        """Every message of the page, by id; a plural is a list of its forms."""
        found: dict[str, Any] = {}
        english = gettext.translation(DOMAIN, LOCALES, languages=["en"])
        for translations in (english, self._translations):
            # gettext offers no way to list a catalogue; ``_catalog`` has been its dictionary since Python 2.
            catalogue: Mapping[Any, str] = vars(translations)["_catalog"]
            for key, text in catalogue.items():
                name, form = key if isinstance(key, tuple) else (key, None)
                if not name.startswith(PAGE_PREFIX):
                    continue
                if form is None:
                    found[name] = text
                else:
                    present = found.get(name)
                    forms: list[str] = present if isinstance(present, list) else []
                    found[name] = [*forms[:form], text, *forms[form + 1 :]]
        return found

    def notice(self, card: Card, mention: str) -> str:
        """The one short reply to a card: that its clip is ready, or why there is none."""
        return (
            self.say("ready.notify", mention=mention) if card.error is None else f"{mention}: {self.text(card.error)}"
        )

    def card(self, card: Card, now: int) -> dict[str, Any]:
        """A card's lines as text, in the order of its anatomy."""
        return {
            "headline": card.headline or self.say("card.no_prompt"),
            "state_line": self.text(card.state, now),
            "facts_line": " · ".join(self.text(fact) for fact in card.facts),
            "money_line": None if card.money is None else self.text(card.money, now),
            "changed_line": " ".join(self.text(change) for change in card.changed) or None,
            "error_line": None if card.error is None else self.text(card.error, now),
            "note_line": None if card.note is None else self.text(card.note, now),
            "bar": card.bar,
            "bar_is_estimate": card.bar_is_estimate,
            "lines": [self.text(line, now) for line in card.lines],
            "actions": [{"verb": action.verb, "label": self.text(action.label)} for action in card.actions],
        }


class Bookshelf:
    """Every language's words, all read at once: nobody's first word waits for the disk, and nobody else for them."""

    def __init__(self) -> None:
        """Read every catalogue; made before anything is served."""
        self._read = {name: Words(name) for name in languages()}

    def words(self, language: str | None) -> Words:
        """The words in ``language`` (``de``, ``es-419``, ``pt_BR``), or in English where there is no catalogue for it."""
        return self._read[self._catalogue(language) or "en"]

    def speaks(self, language: str | None) -> bool:
        """Whether there is a catalogue for it."""
        return self._catalogue(language) is not None

    def _catalogue(self, language: str | None) -> str | None:
        """The catalogue for what a person's client says; only names of ours, so no path and no more words than languages."""
        whole = (language or "").replace("-", "_")
        first = whole.partition("_")[0].lower()
        return next((name for name in (whole, first) if name in self._read), None)


def _moment(value: Any) -> datetime:
    """UTC milliseconds, or ISO 8601."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).astimezone(UTC)
    return datetime.fromtimestamp(int(value) / 1000, UTC)
