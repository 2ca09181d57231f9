"""A card as a Discord message of components (Components V2): pure, from the card's lines to JSON.

The order is the card's own: headline, state with its bar, facts, money, what was changed, error, picture, actions.
A message that is made of components shows nothing else: no content, no embeds, and no file that is not in a gallery.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.commands.films import priced_verb
from bot.engine.words import Words
from bot.platforms.discord.identity import Marks
from core.cards import Card
from core.jobs import Place

COMPONENTS_V2: Final = 1 << 15
EPHEMERAL: Final = 1 << 6
ACTION_ROW, BUTTON, SELECT, SECTION, TEXT, THUMBNAIL, GALLERY, CONTAINER = 1, 2, 3, 9, 10, 11, 12, 17
PRIMARY, SECONDARY, DANGER, LINK = 1, 2, 4, 5
TEXT_MOST: Final = 4000
"""Characters of all texts of one message."""
PORTRAIT_NAME: Final = "character.png"
HEADLINE_MOST: Final = 300
URL_MOST: Final = 512
"""Characters of the address of a button that is a link."""
BAR_STEPS: Final = 10
ACCENT: Final = 0xF5A524
GOOD: Final = 0x3FB984
BAD: Final = 0xEF6A6A
FINE: Final = frozenset({"state.done", "state.film_done", "state.merged"})
NOBODY: Final[Mapping[str, Any]] = {"parse": []}
"""Nothing that a prompt says pings anybody."""
LOOKS: Final[Mapping[str, tuple[str, int]]] = {
    "approve": ("🎬", PRIMARY),
    "scenes": ("🎞️", SECONDARY),
    "retry_scenes": ("🔁", PRIMARY),
    "cancel": ("✖", SECONDARY),
    "stop_waiting": ("✖", SECONDARY),
    "again": ("🎲", SECONDARY),
    "remix": ("✏️", SECONDARY),
    "edit_prompt": ("✏️", PRIMARY),
    "extend": ("⏩", SECONDARY),
    "favourite": ("⭐", SECONDARY),
    "unfavourite": ("🌟", SECONDARY),
    "delete": ("🗑️", SECONDARY),
    "details": ("ℹ️", SECONDARY),
    "other_generator": ("🔀", SECONDARY),
    "check_again": ("🔎", PRIMARY),
}
"""Buttons that Discord shows, each with its sign and style; what a message has by itself (download, link) is left out."""
_MARKDOWN = re.compile(r"([\\`*_~|\[\]()<>#@:-])")
_ACTIONS_A_ROW: Final = 5


def escape(text: str) -> str:
    """``text`` so that Discord shows it as it is: no markup, no mention, no link, no emoji code."""
    return _MARKDOWN.sub(r"\\\1", text)


def bar(fraction: float) -> str:
    """Ten steps."""
    full = min(BAR_STEPS, max(0, round(fraction * BAR_STEPS)))
    return "▰" * full + "▱" * (BAR_STEPS - full)


def message(
    card: Card,
    words: Words,
    marks: Marks,
    now: int,
    place: Place,
    *,
    clip_name: str | None = None,
    portrait: bool = False,
) -> dict[str, Any]:
    """The body of a message that shows ``card``. ``clip_name``: the attached file that it has become, if it has; ``portrait``: whether
    a picture of who recurs is attached.
    """
    lines = words.card(card, now)
    text = _text(lines)
    picture = place.details.get("picture_url") if clip_name is None else None
    if portrait:
        picture = f"attachment://{PORTRAIT_NAME}"
    shown: list[dict[str, Any]] = []
    if picture:
        accessory: dict[str, Any] = {"type": THUMBNAIL, "media": {"url": picture}}
        character = next((words.text(fact) for fact in card.facts if fact.id == "facts.character"), None)
        if character is not None:
            accessory["description"] = character[:1024]
        shown.append({"type": SECTION, "components": [{"type": TEXT, "content": text}], "accessory": accessory})
    else:
        shown.append({"type": TEXT, "content": text})
    if clip_name is not None:
        item = {"media": {"url": f"attachment://{clip_name}"}, "description": str(lines["headline"])[:1024]}
        shown.insert(0, {"type": GALLERY, "items": [item]})
    shown.extend(_rows(card, words, marks))
    box = {"type": CONTAINER, "accent_color": _accent(card), "components": shown}
    return {"flags": COMPONENTS_V2, "components": [box], "allowed_mentions": dict(NOBODY)}


def _text(lines: Mapping[str, Any]) -> str:
    """All lines of the card, escaped; those of a film's scenes share the room that the others leave."""
    state = escape(str(lines["state_line"]))
    if lines["bar"] is not None:
        state = f"{state}\n{bar(lines['bar'])}"
    head = [f"**{escape(str(lines['headline'])[:HEADLINE_MOST])}**", state]
    rest = [escape(str(lines[name])) for name in ("error_line", "changed_line", "note_line") if lines[name]]
    small = " · ".join(str(lines[name]) for name in ("facts_line", "money_line") if lines[name])
    rest.append(f"-# {escape(small)}")
    scenes = [escape(str(line)) for line in lines["lines"]]
    room = TEXT_MOST - sum(len(row) + 1 for row in (*head, *rest))
    if sum(len(scene) + 1 for scene in scenes) > room:
        scenes = [clipped(scene, max(0, room // len(scenes) - 1)) for scene in scenes]
    return "\n".join([*head, *scenes, *rest])[:TEXT_MOST]


def clipped(escaped: str, most: int) -> str:
    """An escaped text of at most ``most`` characters; it ends on no backslash whose sign is cut off."""
    if len(escaped) <= most:
        return escaped
    kept = escaped[: max(0, most - 1)]
    if (len(kept) - len(kept.rstrip("\\"))) % 2:
        kept = kept[:-1]
    return f"{kept}…" if most > 0 else ""


def _accent(card: Card) -> int:
    if card.error is not None:
        return BAD
    return GOOD if card.final and card.state.id in FINE else ACCENT


def _rows(card: Card, words: Words, marks: Marks) -> list[dict[str, Any]]:
    buttons = [
        {
            "type": BUTTON,
            "style": LOOKS[action.verb][1],
            "label": words.text(action.label)[:80],
            "emoji": {"name": LOOKS[action.verb][0]},
            "custom_id": marks.button(priced_verb(action), card.job_id),
        }
        for action in card.actions
        if action.verb in LOOKS
    ]
    buttons += [
        {"type": BUTTON, "style": LINK, "label": words.say("action.download")[:80], "url": change.values["link"]}
        for change in card.changed  # in the text it is no link: nothing there is, as a prompt could bring one
        if 0 < len(str(change.values.get("link") or "")) <= URL_MOST
    ]
    return [
        {"type": ACTION_ROW, "components": buttons[start : start + _ACTIONS_A_ROW]}
        for start in range(0, len(buttons), _ACTIONS_A_ROW)
    ]


def plain(text: str, *, private: bool) -> dict[str, Any]:
    """The body of a short answer: ``text`` is markdown of our own, whose foreign parts are escaped already."""
    flags = COMPONENTS_V2 | (EPHEMERAL if private else 0)
    return {
        "flags": flags,
        "components": [{"type": TEXT, "content": text[:TEXT_MOST]}],
        "allowed_mentions": dict(NOBODY),
    }
