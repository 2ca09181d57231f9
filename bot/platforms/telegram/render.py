"""A card as a Telegram message: HTML and the buttons under it. Pure, from the card's lines.

The order is the card's own: headline, state with its bar, facts, money, what was changed, error, actions. What people wrote is escaped and
defused: in plain text Telegram makes mentions, commands and addresses of words by itself, and a mention rings at somebody's.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from telegram import CopyTextButton, InlineKeyboardButton, InlineKeyboardMarkup

from bot.commands.films import PRICED, priced_verb, read_priced, read_step
from bot.commands.marks import Marks
from bot.commands.pages import pages
from bot.engine.words import Words
from core.cards import Action, Card, Message

TEXT_MOST, CAPTION_MOST = 4096, 1024
"""UTF-16 units of a text and of a caption, without their markup (Bot API, sendMessage, sendVideo)."""
COPY_MOST: Final = 256
"""Characters that a button can put on the clipboard (Bot API, CopyTextButton)."""
BAR_STEPS: Final = 10
NOTE_MOST: Final = 300
"""Of what was changed and the like, beside the scenes of a film."""
LONG_LINE, SHORTEST_LINE = 90, 12
SIGNS: Final[Mapping[str, str]] = {
    "cancel": "✖",
    "stop_waiting": "✖",
    "again": "🎲",
    "tune": "🎛",
    "remix": "✏️",
    "edit_prompt": "✏️",
    "extend": "⏩",
    "favourite": "⭐",
    "unfavourite": "🌟",
    "delete": "🗑",
    "details": "ℹ️",
    "other_generator": "🔀",
    "check_again": "🔎",
    "approve": "🎬",
    "scenes": "🎞",
    "retry_scenes": "🔁",
}
"""Buttons that Telegram shows, each with its sign; what a message has by itself (download, link) is left out."""
PANE: Final = re.compile(r"scenes?_\d{1,6}|to_card|character")
"""Verbs of buttons that stand where a film's card has its own: a page of its scenes (from 0), one scene, back, the character's picture."""
A_ROW: Final = 3
JOINER: Final = "\u2060"
"""A word joiner: it has no width, and what it stands in is neither a mention nor an address."""
_LIVE: Final = re.compile(r"(?<=[@#$])(?=\w)|(?<=/)(?=\w)(?!help\b)|(?<=\w\.)(?=[^\W\d_])|(?<=:)(?=//)")


def defuse(text: str) -> str:
    """Foreign ``text`` in which nothing is a mention, a command or a link; a second time it changes nothing."""
    return _LIVE.sub(JOINER, text)


def escape(text: str) -> str:
    """Foreign ``text`` so that it stands there as it is: no markup, no mention, no command, no link."""
    return html.escape(defuse(text), quote=False)


def units(text: str) -> int:
    """How long Telegram finds a text: in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, most: int) -> str:
    """``text``, with an ellipsis where it is longer than ``most`` UTF-16 units; no character is cut in two."""
    if units(text) <= most:
        return text
    kept = text.encode("utf-16-le", "surrogatepass")[: 2 * max(0, most - 1)].decode("utf-16-le", "ignore")
    return kept.rstrip() + "…"


def room(text: str) -> int:
    """How many of its first characters Telegram takes in one message."""
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * TEXT_MOST].decode("utf-16-le", "ignore"))


def bar(fraction: float) -> str:
    """Ten steps."""
    full = min(BAR_STEPS, max(0, round(fraction * BAR_STEPS)))
    return "▰" * full + "▱" * (BAR_STEPS - full)


def job_of_button(found: tuple[str, str] | None) -> str | None:
    """The job of a button that a card or a clip of ours carries, by what ``Marks.read_button`` has read; None for any other."""
    if found is None:
        return None
    is_cards = (
        read_priced(found[0])[0] in SIGNS or read_step(found[0]) is not None or PANE.fullmatch(found[0]) is not None
    )
    return found[1] if is_cards else None


def card_html(card: Card, words: Words, now: int, *, caption: bool) -> str:
    """The message's HTML, within the limit of a text or a ``caption``: if anything is too long it is the scenes of a film, then what was
    changed, then the rest.
    """
    lines = words.card(card, now)
    state = str(lines["state_line"])
    if lines["bar"] is not None:
        state = f"{state}\n{bar(lines['bar'])}"
    more = [defuse(str(lines[name])) for name in ("error_line", "changed_line", "note_line") if lines[name]]
    for ours in _links(card):  # an address of our own is there to be pressed and copied
        more = [text.replace(defuse(ours), ours) for text in more]
    small = [defuse(str(lines[name])) for name in ("facts_line", "money_line") if lines[name]]
    headline, state = cut(defuse(str(lines["headline"])), 200), defuse(state)
    left = (CAPTION_MOST if caption else TEXT_MOST) - units("\n".join((headline, state, *small)))
    scenes: list[str] = []
    if card.lines:
        kept = sum(min(units(text), NOTE_MOST) + 1 for text in more)
        scenes = _scenes([defuse(each) for each in lines["lines"]], left - kept - 3)
        left = kept if scenes else left
    middle = [html.escape(cut(text, max(1, left // len(more) - 1)), quote=False) for text in more]
    return "\n".join(
        [
            f"<b>{escape(headline)}</b>",
            escape(state),
            *(html.escape(each, quote=False) for each in scenes),
            *middle,
            *(f"<i>{escape(each)}</i>" for each in small),
        ]
    )


def _scenes(lines: Sequence[str], room_left: int) -> list[str]:
    """A film's scenes between two empty lines, long ones with an empty line after each; none where there is no room for a line of each."""
    gap = "\n\n" if any(units(each) > LONG_LINE for each in lines) else "\n"
    most = room_left // len(lines) - len(gap)
    if most < SHORTEST_LINE:
        return []
    return [f"\n{gap.join(cut(each, most) for each in lines)}\n"]


def keyboard(
    card: Card, words: Words, marks: Marks, *, prompt: str = "", is_film: bool = False
) -> InlineKeyboardMarkup | None:
    """The buttons of a card; ``prompt``: put on the clipboard by one of them, where it is short enough."""
    actions = [each for each in card.actions if each.verb in SIGNS]
    at = next((n for n, each in enumerate(actions, 1) if each.verb == "again"), None)
    if card.final and at is not None and not is_film:
        actions.insert(at, Action("tune", Message("action.tune")))
    buttons = [
        InlineKeyboardButton(
            f"{SIGNS[each.verb]} {words.text(each.label)}",
            callback_data=marks.button(priced_verb(each), card.job_id),
            style="success" if each.verb == "approve" else None,
        )
        for each in actions
    ]
    if 0 < len(prompt) <= COPY_MOST and any(each.verb in ("remix", "edit_prompt") for each in card.actions):
        buttons.append(InlineKeyboardButton(f"📋 {words.say('action.copy_prompt')}", copy_text=CopyTextButton(prompt)))
    buttons += [
        InlineKeyboardButton(words.say("action.download"), url=link)
        for link in _links(card)
        if "." in (urlsplit(link).hostname or "")
    ]
    priced = [[each] for each, action in zip(buttons, actions, strict=False) if action.verb in PRICED]
    rest = rows([each for each in buttons if [each] not in priced])
    return InlineKeyboardMarkup([*priced, *rest.inline_keyboard]) if priced and rest is not None else rest


def _links(card: Card) -> list[str]:
    """Addresses of our own that a card tells."""
    return [str(each.values["link"]) for each in card.changed if each.values.get("link")]


def rows(buttons: Sequence[InlineKeyboardButton], width: int = A_ROW) -> InlineKeyboardMarkup | None:
    """Buttons in rows; None without any."""
    if not buttons:
        return None
    return InlineKeyboardMarkup([buttons[start : start + width] for start in range(0, len(buttons), width)])


def plain(text: str) -> str:
    """Our own HTML without its markup, for when Telegram cannot read it."""
    return html.unescape(re.sub(r"</?[a-z][^<>]*>", "", text))


def titled(title: str, lines: Sequence[str]) -> str:
    """A bold title and lines under it; all of it text, not HTML."""
    return "\n".join([f"<b>{escape(title)}</b>", *(escape(each) for each in lines)])


def titled_pages(title: str, lines: Sequence[str]) -> list[str]:
    """As ``titled``, in as many messages as it takes."""
    first, *more = pages([defuse(title), *map(defuse, lines)], room)
    heading, newline, rest = first.partition("\n")
    texts = [f"<b>{html.escape(heading, quote=False)}</b>{newline}{html.escape(rest, quote=False)}"]
    return [*texts, *(html.escape(each, quote=False) for each in more)]


def mention(name: str, user_id: int | None) -> str:
    """Somebody's name, at which it rings with them; a name alone for who is nobody's account."""
    return escape(name) if user_id is None or user_id <= 0 else f'<a href="tg://user?id={user_id}">{escape(name)}</a>'


def link(text: str, address: str) -> str:
    """``text`` with an address of our own behind it."""
    return f'<a href="{html.escape(address)}">{escape(text)}</a>'
