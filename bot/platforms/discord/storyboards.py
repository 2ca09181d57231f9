"""A film's storyboard: its scenes on a panel that only its owner sees, and what is pressed there and on the film's card.

The panel is one message that changes: all scenes with a menu, or one scene with what can be done with it. Every button names its film,
scene and price, so a panel from before a restart works as well.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bot.commands import films
from bot.commands.clips import Acting
from bot.commands.films import Choice, ScenePage, Step, Storyboard
from bot.engine.engine import Engine
from bot.engine.words import Words
from bot.platforms.discord.answering import Answering
from bot.platforms.discord.forms import field, text_input
from bot.platforms.discord.identity import Marks
from bot.platforms.discord.orders import Orders, actor_of
from bot.platforms.discord.render import ACTION_ROW, BUTTON, PRIMARY, SECONDARY, SELECT, clipped, escape, plain
from bot.platforms.discord.wire import Interaction
from core.cards import Message
from core.errors import Conflict, NotFound
from core.films import SCENE_CHARACTERS
from storage.films import FilmRow

VERBS: Final = frozenset({"approve", "retry_scenes", "scenes", "scene", "scenes_back"})
OPTION_MOST: Final = 100
"""Characters of an entry of a menu; it has 25 at most, and a film 20 scenes."""
LINES_MOST: Final = 3000
WORDS_MOST: Final = 3200
ROW: Final = 5
REWRITE_SECONDS: Final = 60.0
"""How long a panel waits for a scene that is written anew; later it is there when the panel is opened again."""
LOOK_SECONDS: Final = 0.5
KNOWN_PANELS: Final = 1000
SIGNS: Final[Mapping[str, str]] = {
    "edit": "✏️",
    "anew": "🎲",
    "up": "⬆️",
    "down": "⬇️",
    "add": "➕",
    "remove": "🗑️",
    "retry": "🔁",
    "reword": "✏️",
    "on": "🔀",
}
Order = Callable[[Engine, Acting, Any, str, int | None], Awaitable[FilmRow]]
ORDERS: Final[Mapping[str, Order]] = {"approve": films.approve, "retry_scenes": films.retry_scenes}


class Storyboards:
    """Carries out what is pressed; refusals are raised for the desk to tell."""

    def __init__(self, engine: Engine, marks: Marks, orders: Orders) -> None:
        """``marks`` signs the buttons."""
        self._engine, self._marks, self._orders = engine, marks, orders
        self._latest: OrderedDict[str, str] = OrderedDict()
        """The last press on each panel: an earlier one that still waits changes it no more."""

    async def press(
        self, i: Interaction, answer: Answering, words: Words, who: Acting, verb: str, film_id: str
    ) -> None:
        """A button or menu of a film. Raises NotFound, NotAllowed and what refuses an order."""
        if i.message_id is not None:
            self._latest[i.message_id] = i.id
            self._latest.move_to_end(i.message_id)
            while len(self._latest) > KNOWN_PANELS:
                self._latest.popitem(last=False)
        step = films.read_step(verb)
        if step is not None:
            await self._step(i, answer, words, who, step, film_id)
            return
        name, agreed, is_confirmed = films.read_priced(verb)
        if name in ORDERS:
            await self._order(i, answer, words, who, name, agreed, film_id, is_confirmed=is_confirmed)
            return
        board = await films.storyboard(self._engine, words, who, film_id)
        if verb == "scenes":
            await answer.show(self._list(board, words))
        elif verb == "scene" and i.chosen:
            number = int(i.chosen[0]) if i.chosen[0].isdecimal() else 0
            await answer.replace(self._scene(board, board.scene(number), words))
        else:
            await answer.replace(self._list(board, words))

    async def submit(
        self, i: Interaction, answer: Answering, words: Words, who: Acting, step: Step, film_id: str
    ) -> None:
        """The words that a step asked for came."""
        await self._carry_out(i, answer, words, who, step, film_id, i.values.get("description") or "")

    # ------------------------------------------------------------------------------------------------------------------------ steps

    async def _order(
        self,
        i: Interaction,
        answer: Answering,
        words: Words,
        who: Acting,
        name: str,
        agreed: int | None,
        film_id: str,
        *,
        is_confirmed: bool,
    ) -> None:
        await films.the_film(self._engine, who, film_id)
        if not is_confirmed:
            await self._orders.pressed(i, answer, film_id)
        try:
            await ORDERS[name](self._engine, who, actor_of(i, is_admin=who.is_admin), film_id, agreed)
        except Conflict as error:
            now = films.price_change(error)
            if now is None:
                raise
            verb = films.confirming_verb(name, now)
            await self._ask_price(answer, words, error, film_id, verb, words.say("action.approve_for", credits=now))
            return
        if is_confirmed:
            await answer.replace(plain(escape(words.say("scenes.ordered")), private=True))

    async def _step(
        self, i: Interaction, answer: Answering, words: Words, who: Acting, step: Step, film_id: str
    ) -> None:
        if not step.asks:
            await self._carry_out(i, answer, words, who, step, film_id, "")
            return
        board = await films.storyboard(self._engine, words, who, film_id)
        page = board.scene(step.number) if step.number else None
        known = page.words if page is not None and step.name != "add" else ""
        title = words.say("scene.add_last") if page is None or step.name == "add" else self._title(board, page, words)
        text = text_input("description", known, SCENE_CHARACTERS, paragraph=True, required=True)
        await answer.ask(self._marks.button(step.verb, film_id), title, [field(words.say("form.scene"), text)])

    async def _carry_out(
        self, i: Interaction, answer: Answering, words: Words, who: Acting, step: Step, film_id: str, description: str
    ) -> None:
        try:
            actor = actor_of(i, is_admin=who.is_admin)
            await films.take_step(self._engine, who, actor, film_id, step, description)
        except Conflict as error:
            now = films.price_change(error)
            if now is None:
                raise
            again = replace(step, price=now, name="retry" if step.name == "reword" else step.name)  # its words are kept
            label = films.with_price(words, words.say("scene.retry"), now)
            await self._ask_price(answer, words, error, film_id, again.verb, label)
            return
        board = await films.storyboard(self._engine, words, who, film_id)
        stays = step.name in ("edit", "anew", "up", "down")
        await answer.replace(self._scene(board, board.scene(step.number), words) if stays else self._list(board, words))
        if step.name == "anew":
            await self._await_words(i, answer, words, who, step.number, film_id)

    async def _await_words(
        self, i: Interaction, answer: Answering, words: Words, who: Acting, number: int, film_id: str
    ) -> None:
        """The panel shows the new words when they come, unless something else was pressed on it meanwhile."""
        clock = self._engine.parts.clock
        until = clock.monotonic() + REWRITE_SECONDS
        while clock.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)
            board = await films.storyboard(self._engine, words, who, film_id)
            if i.message_id is not None and self._latest.get(i.message_id) != i.id:
                return
            if not board.scene(number).rewriting:
                await answer.revise(self._scene(board, board.scene(number), words))
                return

    async def _ask_price(
        self, answer: Answering, words: Words, error: Conflict, film_id: str, verb: str, label: str
    ) -> None:
        text = words.text(Message(error.message_id, error.values))
        body = plain(escape(text), private=True)
        button = {"type": BUTTON, "style": PRIMARY, "label": label[:80], "custom_id": self._marks.button(verb, film_id)}
        body["components"].append({"type": ACTION_ROW, "components": [button]})
        await answer.show(body)

    # ----------------------------------------------------------------------------------------------------------------------- panels

    def _list(self, board: Storyboard, words: Words) -> dict[str, Any]:
        """All scenes, a menu to choose one of them, and one more."""
        if not board.scenes:
            raise NotFound("no scenes yet", message_id="error.film_busy")
        head = f"**{escape(board.headline)}**\n{escape(board.state)}"
        lines = [clipped(escape(each.line), LINES_MOST // len(board.scenes)) for each in board.scenes]
        body = plain("\n".join([head, *lines]), private=True)
        menu = {
            "type": SELECT,
            "custom_id": self._marks.button("scene", board.film_id),
            "placeholder": words.say("scenes.choose")[:150],
            "options": [{"label": each.line[:OPTION_MOST], "value": str(each.number)} for each in board.scenes],
        }
        body["components"].append({"type": ACTION_ROW, "components": [menu]})
        if board.add is not None:
            body["components"].append({"type": ACTION_ROW, "components": [self._button(board.add, board.film_id)]})
        return body

    def _scene(self, board: Storyboard, page: ScenePage, words: Words) -> dict[str, Any]:
        """One scene with its words and everything that can be done with it."""
        rows = [f"**{escape(self._title(board, page, words))}**"]
        if page.rewriting:
            rows.append(escape(words.say("scenes.rewriting")))
        elif not page.choices:
            rows.append(escape(board.state))  # why nothing can be done with it now
        rows.append(clipped(escape(page.words), WORDS_MOST))
        if page.error is not None:
            rows.append(clipped(escape(page.error), 500))
        body = plain("\n".join(rows), private=True)
        back = {
            "type": BUTTON,
            "style": SECONDARY,
            "label": words.say("scenes.all")[:80],
            "custom_id": self._marks.button("scenes_back", board.film_id),
        }
        buttons = [*(self._button(each, board.film_id) for each in page.choices), back]
        body["components"] += _rows(buttons)
        return body

    @staticmethod
    def _title(board: Storyboard, page: ScenePage, words: Words) -> str:
        return words.say("scenes.one", place=page.place, scenes=len(board.scenes))

    def _button(self, choice: Choice, film_id: str) -> dict[str, Any]:
        return {
            "type": BUTTON,
            "style": SECONDARY,
            "label": choice.label[:80],
            "emoji": {"name": SIGNS[choice.step.name]},
            "custom_id": self._marks.button(choice.step.verb, film_id),
        }


def _rows(buttons: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"type": ACTION_ROW, "components": list(buttons[start : start + ROW])} for start in range(0, len(buttons), ROW)
    ]
