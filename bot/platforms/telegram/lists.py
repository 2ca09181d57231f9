"""Lists of clips: what is being made, what was made, what stands in a group; and posting one of them once more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Literal, cast

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.commands import clips
from bot.commands.clips import Listed
from bot.commands.marks import Marks
from bot.engine.engine import Engine
from bot.platforms.telegram.making import Making
from bot.platforms.telegram.orders import place_of
from bot.platforms.telegram.render import SIGNS, cut, escape, link
from bot.platforms.telegram.wire import Pressed, Said
from bot.platforms.telegram.wishes import Clips, Wish
from core.errors import BadOption, Conflict, NotAllowed, NotFound
from core.jobs import Place, Receipt
from storage.views import JobRow

Redraw = Callable[[Wish, Pressed, str, InlineKeyboardMarkup | None], Awaitable[None]]

KINDS: Final[Mapping[str, str]] = {
    "": "mine",
    "mine": "mine",
    "favourites": "favourites",
    "favorites": "favourites",
    "group": "chat",
    "chat": "chat",
    "server": "chat",
}
"""What may stand behind /gallery, and which list it means."""
FIRST: Final = "first"
"""Instead of the job before which a page ends: the newest page."""
SENT_AGAIN: Final = 5
"""Clips of a page that have a button of their own."""
HEADLINE_MOST, LABEL_MOST = 60, 32
SUPERGROUP: Final = "-100"
"""Before a supergroup's own number in its chat id (Bot API, "Dialog ids")."""


class Lists:
    """The verbs jobs, cancel, resend and gallery with their buttons."""

    def __init__(self, engine: Engine, marks: Marks, mine: Clips, making: Making, redraw: Redraw) -> None:
        """``redraw`` changes the message whose button was pressed."""
        self._engine, self._marks, self._clips, self._making, self._redraw = engine, marks, mine, making, redraw

    # ------------------------------------------------------------------------------------------------------------------ jobs

    async def jobs(self, wish: Wish) -> None:
        """What is being made, and what was made last."""
        text, keys = await self._jobs(wish)
        await wish.answer.alone(text, keys, start="jobs")

    async def cancel(self, wish: Wish, said: Said) -> None:
        """Cancel what is answered or named, or the only one that is under way. Raises NotFound, NotAllowed."""
        named = said.text.strip().lower()
        job_id = self._making.job_of(said.target) or named or None
        if job_id is None:
            live = [each for each in await self._listed(wish) if each.is_live]
            if len(live) > 1:
                await self.jobs(wish)
                return
            if not live:
                raise NotFound("nothing is under way", message_id="error.nothing_under_way")
            job_id = live[0].job_id
        row = await self._clips.of(wish, job_id)
        if row.job.ended:
            raise Conflict("the job has ended", message_id="error.ended_already")
        await wish.answer.say(escape(await self._stop(wish, row)))

    async def stop(self, wish: Wish, pressed: Pressed, job_id: str) -> None:
        """A button of the list: cancel, and show the list as it is then."""
        row = await self._clips.of(wish, job_id)
        await wish.answer.toast(await self._stop(wish, row))
        await self._redraw(wish, pressed, *await self._jobs(wish))

    async def _stop(self, wish: Wish, row: JobRow) -> str:
        job = await self._engine.cancel(row.job.id)
        return wish.words.say("cancel.done" if job.state.value == "cancelled" else "cancel.asked")

    async def _listed(self, wish: Wish) -> list[Listed]:
        return await clips.jobs(self._engine, wish.words, wish.account_id)

    async def _jobs(self, wish: Wish) -> tuple[str, InlineKeyboardMarkup | None]:
        found = await self._listed(wish)
        buttons = [
            self._button("jobs_cancel", each.job_id, f"{SIGNS['cancel']} {each.headline}")
            for each in found
            if each.is_live and each.row.job.cancel_wish is None
        ]
        text = await self._text(wish.words.say("jobs.title"), wish.words.say("jobs.none"), found)
        return text, _column(buttons)

    # --------------------------------------------------------------------------------------------------------------- gallery

    async def gallery(self, wish: Wish, said: Said) -> None:
        """Finished clips: the person's, the starred ones, or those that were posted in this group. Raises BadOption, NotFound."""
        wanted = said.text.strip().lower()
        if wanted not in KINDS:
            raise BadOption("gallery", said.text.strip(), "mine, favourites, group")
        which = KINDS[wanted]
        text, keys = await self._page(wish, which, None)
        if which == "chat":
            await wish.answer.say(text, keys)
        else:
            await wish.answer.alone(text, keys, start="gallery")

    async def turn(self, wish: Wish, pressed: Pressed, which: str, before: str) -> None:
        """Another page, in place of the one whose button was pressed."""
        if which not in KINDS.values():
            raise NotFound("no such list")
        if which != "chat" and wish.spot is not None and not wish.spot.is_private:
            raise NotAllowed("a list of somebody's own in a group")
        await self._redraw(wish, pressed, *await self._page(wish, which, None if before == FIRST else before))

    async def _page(self, wish: Wish, which: str, before: str | None) -> tuple[str, InlineKeyboardMarkup | None]:
        words = wish.words
        buttons: list[InlineKeyboardButton] = []
        if which == "chat":
            chat = None if wish.spot is None else wish.spot.chat
            if chat is None:
                raise NotFound("not in a group", message_id="error.no_group")
            found = await clips.server_gallery(self._engine, words, chat, before, with_nsfw=False)
            title = words.say("gallery.chat")
            text = await self._text(title, words.say("gallery.none"), found, lambda place: place.shown_in == chat)
        else:
            kind = cast("Literal['mine', 'favourites']", which)
            found = await clips.gallery(self._engine, words, wish.account_id, kind, before)
            title = words.say("gallery.favourites" if kind == "favourites" else "gallery.mine")
            text = await self._text(title, words.say("gallery.none"), found)
            buttons = [
                self._button("resend", each.job_id, f"▶️ {each.headline}")
                for each in found[:SENT_AGAIN]
                if each.row.clip is not None
            ]
        turning = [] if before is None else [self._button(f"more_{which}", FIRST, words.say("gallery.newest"))]
        if len(found) == clips.LISTED:
            turning.append(self._button(f"more_{which}", found[-1].job_id, words.say("gallery.more")))
        return text, _column(buttons, turning)

    # ------------------------------------------------------------------------------------------------------------ once more

    async def resend(self, wish: Wish, said: Said) -> None:
        """Post a clip once more: the one that is answered or named, else the person's newest. Raises NotFound, NotAllowed, Conflict."""
        job_id = self._making.job_of(said.target) or said.text.strip().lower() or None
        if job_id is not None:
            row = await self._clips.of(wish, job_id, only_owner=True)
        elif said.target is not None and said.target.has_video:
            raise NotFound("a film of somebody else's", message_id="error.no_clip_there")
        else:
            row = await self._newest(wish)
        await self.send_again(wish, row)

    async def _newest(self, wish: Wish) -> JobRow:
        if wish.account_id is not None:
            kept = await self._engine.parts.store.history(wish.account_id, limit=clips.LISTED, only="completed")
            for row in kept:
                if row.clip is not None:
                    return row
        raise NotFound("no clip yet", message_id="error.no_clip_yet")

    async def send_again(self, wish: Wish, row: JobRow) -> None:
        """Post a clip once more where the person is; a private one to them alone. Raises NotFound, NotAllowed, Conflict."""
        if row.clip is None:
            if not row.job.ended:
                raise Conflict("the job is live", message_id="error.not_finished")
            raise NotFound("the clip is gone", message_id="error.clip_gone")
        if wish.spot is None:
            raise NotFound("nobody knows where that was", message_id="error.message_gone")
        is_private = row.job.place.visibility == "only_owner" and not wish.spot.is_private
        if is_private:
            if wish.person.chat_id is not None or not await wish.answer.is_reachable():
                values = {"bot": wish.answer.bot_name}
                raise NotAllowed("no private chat", message_id="error.start_me_first", values=values)
        else:
            await self._making.check_topic(wish.spot)
        place = place_of(wish.person, wish.spot, wish.words.language, reply_to=wish.message_id, private=is_private)
        await self._engine.resend(row.job.id, place, handled=[each.id for each in wish.rows])
        if not is_private:
            return
        if wish.message_id is None:
            await wish.answer.toast(wish.words.say("telegram.answered_alone"))
        else:
            await wish.answer.say(escape(wish.words.say("telegram.answered_alone")))

    # ---------------------------------------------------------------------------------------------------------------- shapes

    def _button(self, verb: str, subject: str, label: str) -> InlineKeyboardButton:
        return InlineKeyboardButton(cut(label, LABEL_MOST), callback_data=self._marks.button(verb, subject))

    async def _text(
        self, title: str, nothing: str, found: Sequence[Listed], may_see: Callable[[Place], bool] = lambda _: True
    ) -> str:
        if not found:
            return escape(nothing)
        lines = [f"<b>{escape(title)}</b>"]
        for each in found:
            address = await self._address(each, may_see)
            headline = cut(each.headline, HEADLINE_MOST)
            name = escape(headline) if address is None else link(headline, address)
            lines.append(f"• {name}\n<i>{escape(each.state)}</i>")
        return "\n".join(lines)

    async def _address(self, listed: Listed, may_see: Callable[[Place], bool]) -> str | None:
        """Where a clip was posted, of the places that may be told here."""
        for delivery in reversed(await self._engine.parts.store.deliveries_of_job(listed.job_id)):
            receipt = delivery.receipt
            if receipt is not None and receipt.place.platform == "telegram" and may_see(receipt.place):
                found = address_of(receipt)
                if found is not None:
                    return found
        return None


def address_of(receipt: Receipt) -> str | None:
    """The address of a message, which its group's members can open; only supergroups have such addresses."""
    chat, thread = receipt.place.chat, receipt.place.thread
    number = chat.removeprefix(SUPERGROUP)
    if number == chat or not number.isdecimal() or not receipt.message.isdecimal():
        return None
    between = "" if thread is None else f"{thread}/"
    return f"https://t.me/c/{number}/{between}{receipt.message}"


def _column(*parts: Sequence[InlineKeyboardButton]) -> InlineKeyboardMarkup | None:
    """The first part one below the other, the others side by side."""
    first, *others = parts
    lines = [[each] for each in first] + [list(each) for each in others if each]
    return InlineKeyboardMarkup(lines) if lines else None
