"""A film's scenes in place of its card's buttons: a list of them, and one scene with what can be done with it now.

A text cannot become a photo and stay as long as a storyboard may be (a caption has 1024 characters), so the character's picture is sent
beside it, when somebody asks for it.

Which pane a message shows is only in memory: its lane goes on editing the message meanwhile, and must not close what somebody looks at.
After a restart the next edit shows the card again; the buttons of the pane work all the same, for they carry what they do.
"""

from __future__ import annotations

import html
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.commands import films
from bot.commands.clips import Acting
from bot.commands.films import Choice, ScenePage, Storyboard
from bot.commands.marks import Marks
from bot.engine.engine import Engine
from bot.engine.words import Words
from bot.platforms.telegram.client import Client
from bot.platforms.telegram.render import (
    CAPTION_MOST,
    TEXT_MOST,
    card_html,
    cut,
    defuse,
    escape,
    keyboard,
    plain,
    units,
)
from bot.platforms.telegram.speaking import NO_PREVIEW, Speaking
from core.cards import Card
from core.errors import NotAllowed, NotFound
from core.jobs import JobKind, Receipt

A_PAGE: Final = 8
"""Scenes of a list."""
LABEL_MOST: Final = 40
SHARED_LEAST: Final = 12
NOTE_MOST: Final = 300
KEPT: Final = 2000
SIGNS: Final = {
    "edit": "✏️",
    "anew": "✨",
    "up": "⬆️",
    "down": "⬇️",
    "add": "➕",
    "remove": "🗑",
    "retry": "🔁",
    "reword": "✏️",
    "on": "🔀",
}
WIDE: Final = frozenset({"retry", "reword", "on", "add"})
"""Steps whose button has a row of its own."""
Shown = tuple[str, InlineKeyboardMarkup | None]


@dataclass(frozen=True, slots=True)
class Pane:
    """What a message shows instead of its card."""

    film_id: str
    number: int | None
    """Of the scene; None: the list."""
    page: int = 0
    state: str = ""
    """Of the card when it was opened: with another one it closes."""
    account_id: str | None = None


class Panes:
    """See above."""

    def __init__(self, engine: Engine, marks: Marks, client: Client, speaking: Speaking) -> None:
        """``speaking`` edits, when there is room."""
        self._engine, self._marks, self._client, self._speaking = engine, marks, client, speaking
        self._open: OrderedDict[tuple[int, int], Pane] = OrderedDict()
        self._shown: dict[tuple[int, int], Shown] = {}
        """What the messages with a pane say, so that their lanes need not say it again."""

    # ------------------------------------------------------------------------------------------------------------- where it stands

    def pane(self, chat_id: int, message_id: int) -> Pane | None:
        """What a message shows instead of its card, as far as that is known."""
        return self._open.get((chat_id, message_id))

    def close(self, chat_id: int, message_id: int) -> None:
        """The message is a card again, or will be with its next edit."""
        self._open.pop((chat_id, message_id), None)
        self._shown.pop((chat_id, message_id), None)

    async def instead(self, receipt: Receipt, card: Card, words: Words, now: int) -> Shown | None:
        """What a lane's edit is to show instead of the card; None: the card."""
        chat_id, message_id = int(receipt.place.chat), int(receipt.message)
        pane = self._open.get((chat_id, message_id))
        if pane is None:
            return None
        if pane.state != card.state.id:
            self.close(chat_id, message_id)
            return None
        try:
            found = await self._drawn(pane, card, words, now, caption=receipt.kind == "media")
        except (NotFound, NotAllowed):
            self.close(chat_id, message_id)
            return None
        return found

    def stands(self, receipt: Receipt, shown: Shown) -> bool:
        """Whether the message says just that already."""
        return self._shown.get((int(receipt.place.chat), int(receipt.message))) == shown

    def note(self, receipt: Receipt, shown: Shown) -> None:
        """A lane has made it say that."""
        key = int(receipt.place.chat), int(receipt.message)
        if key in self._open:
            self._shown[key] = shown

    # ------------------------------------------------------------------------------------------------------------------- changing it

    async def show(
        self, film_id: str, chat_id: int, message_id: int, pane: Pane | None, words: Words, *, is_clip: bool
    ) -> None:
        """Make a message show a pane, or the card again. Raises PlatformError, NotFound, NotAllowed."""
        now = self._engine.parts.clock.now()
        row, card = await self._engine.desk.card(film_id)
        key = chat_id, message_id
        if pane is None:
            self.close(chat_id, message_id)
            keys = keyboard(card, words, self._marks, is_film=row.job.kind is JobKind.FILM)
            shown = card_html(card, words, now, caption=is_clip), keys
        else:
            pane = Pane(film_id, pane.number, pane.page, card.state.id, row.job.account_id)
            shown = await self._drawn(pane, card, words, now, caption=is_clip)
            self._open[key] = pane
            self._open.move_to_end(key)
            while len(self._open) > KEPT:
                gone, _ = self._open.popitem(last=False)
                self._shown.pop(gone, None)
            if self._shown.get(key) == shown:
                return
        text, keys = shown

        async def change(chat: int, mode: str | None) -> object:
            said = text if mode else plain(text)
            if is_clip:
                return await self._client.edit_message_caption(
                    chat, message_id, caption=said, parse_mode=mode, reply_markup=keys
                )
            return await self._client.edit_message_text(
                said, chat, message_id, parse_mode=mode, reply_markup=keys, link_preview_options=NO_PREVIEW
            )

        await self._speaking.change(chat_id, change)
        if pane is not None:
            self._shown[key] = shown

    # --------------------------------------------------------------------------------------------------------------------- drawing

    async def _drawn(self, pane: Pane, card: Card, words: Words, now: int, *, caption: bool) -> Shown:
        """Raises NotFound, also for a scene that was removed meanwhile."""
        board = await films.storyboard(self._engine, words, Acting(pane.account_id), pane.film_id)
        if pane.number is None:
            has_picture = (await self._engine.films.film(pane.film_id)).plan.character != ""
            return card_html(card, words, now, caption=caption), self._list(
                board, pane.page, words, has_picture=has_picture
            )
        scene = board.scene(pane.number)
        return _scene_html(board, scene, words, caption=caption), self._scene(board, scene, words)

    def _list(self, board: Storyboard, page: int, words: Words, *, has_picture: bool) -> InlineKeyboardMarkup:
        last = max(0, (len(board.scenes) - 1) // A_PAGE)
        page = min(page, last)
        named = list(zip(board.scenes, _labels(board.scenes), strict=True))[page * A_PAGE : (page + 1) * A_PAGE]
        rows = [[self._button(f"scene_{each.number}", board.film_id, label)] for each, label in named]
        turning = []
        if page > 0:
            turning.append(self._button(f"scenes_{page - 1}", board.film_id, f"◀ {page}/{last + 1}"))
        if page < last:
            turning.append(self._button(f"scenes_{page + 1}", board.film_id, f"{page + 2}/{last + 1} ▶"))
        more = [] if board.add is None else [self._step(board.film_id, board.add)]
        if has_picture:
            more.append(self._button("character", board.film_id, f"👤 {words.say('telegram.character')}"))
        back = [self._button("to_card", board.film_id, f"↩️ {words.say('telegram.to_card')}")]
        return InlineKeyboardMarkup([*rows, *(row for row in (turning, more, back) if row)])

    def _scene(self, board: Storyboard, scene: ScenePage, words: Words) -> InlineKeyboardMarkup:
        rows: list[list[InlineKeyboardButton]] = []
        row: list[InlineKeyboardButton] = []
        for choice in scene.choices:
            button = self._step(board.film_id, choice)
            if choice.step.name in WIDE:
                rows, row = [*rows, *([row] if row else []), [button]], []
            else:
                row = [*row, button]
                if len(row) == 2:
                    rows, row = [*rows, row], []
        page = (scene.place - 1) // A_PAGE
        back = self._button(f"scenes_{page}", board.film_id, f"↩️ {words.say('telegram.to_scenes')}")
        return InlineKeyboardMarkup([*rows, *([row] if row else []), [back]])

    def _step(self, film_id: str, choice: Choice) -> InlineKeyboardButton:
        return self._button(choice.step.verb, film_id, f"{SIGNS[choice.step.name]} {choice.label}")

    def _button(self, verb: str, film_id: str, label: str) -> InlineKeyboardButton:
        return InlineKeyboardButton(label, callback_data=self._marks.button(verb, film_id))


def _scene_html(board: Storyboard, scene: ScenePage, words: Words, *, caption: bool) -> str:
    title = words.say("telegram.scene_of", place=scene.place, scenes=len(board.scenes))
    headline = cut(defuse(board.headline), 200)
    note = words.say("telegram.rewriting") if scene.rewriting else scene.error or ("" if scene.choices else board.state)
    small = cut(defuse(note), NOTE_MOST)
    left = (CAPTION_MOST if caption else TEXT_MOST) - units(f"{headline}\n{defuse(title)}\n\n\n\n{small}")
    text = html.escape(cut(defuse(scene.words), left), quote=False)
    below = f"\n\n<i>{escape(small)}</i>" if small else ""
    return f"<b>{escape(headline)}</b>\n{escape(title)}\n\n{text}{below}"


def _labels(scenes: Sequence[ScenePage]) -> list[str]:
    """What the scenes' buttons say: without the words with which others begin as well, which would be all that a phone shows."""
    found = []
    for each in scenes:
        shared = max((_shared(each.words, other.words) for other in scenes if other is not each), default=0)
        began = each.words[: 1 + max(each.words.rfind(mark, 0, shared) for mark in ". ,")]
        line = each.line.replace(began, "", 1) if len(began) >= SHARED_LEAST else each.line
        found.append(cut(line, LABEL_MOST))
    return found


def _shared(one: str, other: str) -> int:
    """With how many characters both begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))
