"""Pressed buttons. Their ids name verb and job and are signed, so they work after any restart and cannot be made up."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Final

from telegram import InlineKeyboardButton

from bot.commands import clips
from bot.commands.marks import Marks
from bot.engine.engine import Engine
from bot.platforms.telegram import questions
from bot.platforms.telegram.drafts import Drafts
from bot.platforms.telegram.films import Films
from bot.platforms.telegram.making import Making
from bot.platforms.telegram.panels import Panels
from bot.platforms.telegram.render import escape, rows
from bot.platforms.telegram.wire import Pressed
from bot.platforms.telegram.wishes import Clips, Wish
from core.errors import NotFound
from core.jobs import JobKind
from storage.views import JobRow

ONLY_OWNER: Final = frozenset({"favourite", "unfavourite", "again", "other_generator", "resend", "tune"})
"""What a moderator may not do in somebody's name: it would cost them, or fill their gallery."""
ALWAYS: Final = frozenset({"forget_now"})

EXAMPLE: Final = "example"
DOUBLE_SECONDS: Final = 2.0
KEPT: Final = 2000


class Buttons:
    """Carries out what a button asks for."""

    def __init__(
        self, engine: Engine, marks: Marks, mine: Clips, making: Making, panels: Panels, drafts: Drafts, films: Films
    ) -> None:
        """The verbs are found by name below."""
        self._engine, self._marks, self._clips = engine, marks, mine
        self._making, self._panels, self._drafts, self._films = making, panels, drafts, films
        self._orders: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._verbs: Mapping[str, Callable[[Wish, Pressed, JobRow], Awaitable[None]]] = {
            "cancel": self._cancel,
            "stop_waiting": self._cancel,
            "again": self._again,
            "remix": self._remix,
            "edit_prompt": self._remix,
            "extend": self._extend,
            "favourite": self._star,
            "unfavourite": self._unstar,
            "delete": self._ask_delete,
            "delete_now": self._delete,
            "details": self._details,
            "other_generator": self._other_generator,
            "check_again": self._check_again,
            "resend": self._resend,
            "tune": self._tune,
        }

    def is_always(self, pressed: Pressed) -> bool:
        """Whether anybody may press it."""
        found = self._marks.read_button(pressed.data)
        return found is not None and found[0] in ALWAYS

    async def press(self, wish: Wish, pressed: Pressed) -> None:
        """Do it. Raises NotAllowed for other people's clips, NotFound for what is gone."""
        found = self._marks.read_button(pressed.data)
        if found is None:
            raise NotFound("a button that is not ours")
        verb, subject = found
        if self._drafts.owns(verb):
            await self._draft(wish, pressed, verb, subject)
        elif verb == EXAMPLE:
            if await self._once(wish, pressed, self._panels.press(wish, pressed, verb, subject)):
                await wish.answer.toast(wish.words.say("state.accepted"))
        elif self._films.owns(verb):
            await self._films.press(wish, pressed, verb, subject)
        elif self._panels.owns(verb):
            await self._panels.press(wish, pressed, verb, subject)
        elif verb.startswith("with_"):
            row = await self._clips.of(wish, subject, only_owner=True)
            fields = clips.other_fields(row, verb.removeprefix("with_"))
            if await self._once(wish, pressed, self._making.again(wish, row, fields)):
                await self._ordered(wish, pressed)
        elif verb in self._verbs:
            row = await self._clips.of(wish, subject, only_owner=verb in ONLY_OWNER)
            await self._verbs[verb](wish, pressed, row)
        else:
            raise NotFound("no such button")

    async def _once(self, wish: Wish, pressed: Pressed, order: Awaitable[object]) -> bool:
        """Whether ``order`` was made: not where the same button was pressed a moment ago. Nobody wants to pay for a trembling finger."""
        clock = self._engine.parts.clock
        key = (wish.person.external_id, pressed.data)
        if clock.monotonic() - self._orders.get(key, -math.inf) < DOUBLE_SECONDS:
            if isinstance(order, Coroutine):
                order.close()
            return False
        try:
            await order
        finally:
            self._orders[key] = clock.monotonic()
            self._orders.move_to_end(key)
            while len(self._orders) > KEPT:
                self._orders.popitem(last=False)
        return True

    async def _ordered(self, wish: Wish, pressed: Pressed) -> None:
        """The button has done what it was for: what it stood under asks for nothing any more."""
        done = wish.words.say("state.accepted")
        await wish.answer.toast(done)
        await self._panels.replace(wish, pressed, escape(done))

    # ------------------------------------------------------------------------------------------------------------------ verbs

    async def _cancel(self, wish: Wish, pressed: Pressed, row: JobRow) -> None:
        del pressed
        job = await self._engine.cancel(row.job.id)
        await wish.answer.toast(wish.words.say("cancel.done" if job.state.value == "cancelled" else "cancel.asked"))

    async def _again(self, wish: Wish, pressed: Pressed, row: JobRow) -> None:
        is_film = row.job.kind is JobKind.FILM
        order = self._films.again(wish, row) if is_film else self._making.again(wish, row, clips.again_fields(row))
        if await self._once(wish, pressed, order):
            await wish.answer.toast(wish.words.say("state.accepted"))

    async def _remix(self, wish: Wish, pressed: Pressed, row: JobRow) -> None:
        del pressed
        await questions.ask(wish, "remix", row)

    async def _extend(self, wish: Wish, pressed: Pressed, row: JobRow) -> None:
        del pressed
        await questions.ask(wish, "extend", row)

    async def _star(self, wish: Wish, pressed: Pressed, row: JobRow) -> None:
        del pressed
        await clips.star(self._engine, row, wish.account_id or row.job.account_id, on=True)

    async def _unstar(self, wish: Wish, pressed: Pressed, row: JobRow) -> None:
        del pressed
        await clips.star(self._engine, row, wish.account_id or row.job.account_id, on=False)

    async def _ask_delete(self, wish: Wish, pressed: Pressed, row: JobRow) -> None:
        del pressed
        yes = InlineKeyboardButton(
            wish.words.say("delete.yes"), callback_data=self._marks.button("delete_now", row.job.id), style="danger"
        )
        await wish.answer.say(escape(wish.words.say("delete.sure")), rows([yes]))

    async def _delete(self, wish: Wish, pressed: Pressed, row: JobRow) -> None:
        await wish.answer.toast()  # a live one is cancelled first, which may take longer than a button turns
        await clips.take_away(self._engine, row.job.id)
        await self._panels.replace(wish, pressed, escape(wish.words.say("delete.done")))

    async def _details(self, wish: Wish, pressed: Pressed, row: JobRow) -> None:
        del pressed
        await self._panels.details(wish, row)

    async def _other_generator(self, wish: Wish, pressed: Pressed, row: JobRow) -> None:
        del pressed
        offers = await clips.offers(self._engine, row)
        if not offers:
            raise NotFound("no other generator", message_id="error.no_other_generator")
        buttons = [
            InlineKeyboardButton(
                wish.words.say("other.offer", generator=title, credits=price),
                callback_data=self._marks.button(f"with_{name}", row.job.id),
            )
            for name, title, price in offers[:5]
        ]
        await wish.answer.say(escape(wish.words.say("other.which")), rows(buttons, 1))

    async def _check_again(self, wish: Wish, pressed: Pressed, row: JobRow) -> None:
        del pressed, wish
        await clips.check_again(self._engine, row)

    async def _resend(self, wish: Wish, pressed: Pressed, row: JobRow) -> None:
        await self._once(wish, pressed, self._panels.send_again(wish, row))

    # ----------------------------------------------------------------------------------------------------------------- drafts

    async def _tune(self, wish: Wish, pressed: Pressed, row: JobRow) -> None:
        del pressed
        await self._drafts.tune(wish, row)

    async def _draft(self, wish: Wish, pressed: Pressed, verb: str, subject: str) -> None:
        """A button of a draft: a choice redraws it, the last one orders."""
        chosen = await self._drafts.press(wish, pressed, verb, subject)
        if chosen is None or pressed.spot is None or pressed.target is None:
            return
        key = f"draft:{pressed.spot.chat_id}:{pressed.target.message_id}"  # of one draft comes one order, whoever crashes in between
        if chosen.job_id is not None:
            row = await self._clips.of(wish, chosen.job_id, only_owner=True)
            await self._making.again(wish, row, {**clips.again_fields(row), **chosen.fields}, key=key)
        elif pressed.original is not None:
            verb = pressed.original.command or "video"
            await self._making.make(wish, pressed.original, verb, chosen.fields, key=key)
        else:
            raise NotFound("the message is gone", message_id="error.message_gone")
        await self._ordered(wish, pressed)
