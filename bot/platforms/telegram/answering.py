"""Answering one message or one pressed button. No method raises for what Telegram refuses: it is logged and told by its result."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, Self

from telegram import InlineKeyboardButton, Message
from telegram.error import TelegramError

from bot.engine.words import Words
from bot.platforms.telegram.client import Client
from bot.platforms.telegram.orders import place_of
from bot.platforms.telegram.refusals import as_error
from bot.platforms.telegram.render import JOINER, cut, escape, rows
from bot.platforms.telegram.speaking import Keys, Speaking
from bot.platforms.telegram.wire import Person, Spot
from core.errors import Forbidden, Gone, PlatformBusy, PlatformError, Unreachable
from core.jobs import Place

TOAST_MOST: Final = 200
"""Characters of what pops up at a pressed button (Bot API, answerCallbackQuery)."""
TOAST_SECONDS: Final = 1.5
"""A button turns until it is answered: if what it asks for takes longer, it is answered without a word."""
TOAST_DEADLINE: Final = 10.0
"""After that the answer is worth nothing."""
SAY_TRIES, SAY_PAUSE, SAY_LONGEST = 4, 3.0, 20.0
"""Of an answer that Telegram did not take: a word that comes twice is better than none."""
TOLD: Final = "✍"
"""Under a command in a group whose answer went to the person's private chat."""

log = logging.getLogger("reelay.telegram")


class Answering:
    """What can be answered to somebody: where they asked, or to them alone."""

    def __init__(
        self,
        client: Client,
        speaking: Speaking,
        person: Person,
        spot: Spot | None,
        words: Words,
        *,
        message_id: int | None = None,
        query_id: str | None = None,
        bot_name: str = "",
    ) -> None:
        """``message_id``: what they wrote; ``query_id``: of the button that they pressed."""
        self._client, self._speaking = client, speaking
        self.person, self.spot, self.words = person, spot, words
        self._message_id, self._query_id, self.bot_name = message_id, query_id, bot_name
        self._is_answered = query_id is None
        self._timer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if not self._is_answered:
            self._timer = asyncio.create_task(self._in_time(), name="telegram button answer")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._timer is not None and not self._is_answered:
            self._timer.cancel()
        await self.toast()
        if self._timer is not None and not self._timer.done():
            await asyncio.wait({self._timer}, timeout=TOAST_DEADLINE)

    async def _in_time(self) -> None:
        await asyncio.sleep(TOAST_SECONDS)
        await self.toast()

    async def toast(self, text: str = "", *, is_alert: bool = False) -> None:
        """Answer the pressed button, once, with plain text that only they see; no text: it just stops turning."""
        if self._is_answered or self._query_id is None:
            return
        self._is_answered = True
        try:
            async with asyncio.timeout(TOAST_DEADLINE):
                await self._client.answer_callback_query(self._query_id, cut(text, TOAST_MOST) or None, is_alert)
        except (TelegramError, TimeoutError) as error:
            log.info("a button was answered too late", extra={"error": type(error).__name__})

    async def say(self, text: str, keys: Keys = None) -> Message | None:
        """HTML, where they asked: as a reply to what they wrote."""
        if self.spot is None:
            return None
        return await self._post(
            place_of(self.person, self.spot, self.words.language, reply_to=self._message_id), text, keys
        )

    async def alone(self, text: str, keys: Keys = None, *, start: str = "") -> Message | None:
        """HTML for the person alone: in their private chat, or behind a button that leads there. ``start``: what that asks for."""
        if self.spot is None or self.spot.is_private:
            return await self.say(text, keys)
        here = place_of(self.person, self.spot, self.words.language, reply_to=None, private=True)
        found = None if self.person.chat_id is not None else await self._post(here, text, keys)
        if found is not None:
            if self._message_id is not None and self._query_id is None:
                self._speaking.react(self.spot.chat_id, self._message_id, TOLD)
            await self.toast(self.words.say("telegram.answered_alone"))
            return found
        if self.person.chat_id is None and await self.is_reachable():  # the way there is known, and was of no use
            await self.refuse(self.words.say("error.internal"))
            return None
        address = f"https://t.me/{self.bot_name}?start={start}"
        button = InlineKeyboardButton(self.words.say("telegram.open_chat"), url=address)
        return await self.say(escape(self.words.say("telegram.come_alone")), rows([button]))

    async def alone_in_pages(self, pages: Sequence[str], *, start: str) -> None:
        """As ``alone``, in several messages; none comes after one that did not go through."""
        found = await self.alone(pages[0], start=start)
        for page in pages[1:]:
            if found is None or self.spot is None:
                return
            here = place_of(self.person, self.spot, self.words.language, reply_to=None, private=True)
            if str(found.chat.id) != here.chat:  # they are only asked to come there
                return
            found = await self._post(here, page, None)

    async def refuse(self, text: str) -> None:
        """Say no, in plain text: at the button, or as a reply."""
        if not self._is_answered:
            await self.toast(text, is_alert=True)
            return
        # Our own name may lead to us.
        await self.say(escape(text).replace(f"@{JOINER}{self.bot_name}", f"@{self.bot_name}"))

    async def is_reachable(self) -> bool:
        """Whether the person has a private chat with us that takes messages; also where Telegram does not tell."""
        if self.spot is not None and self.spot.is_private:
            return True
        try:
            return bool(await self._client.send_chat_action(self.person.id, "typing"))
        except TelegramError as error:
            return not isinstance(as_error(error), Forbidden | Gone)

    async def _post(self, place: Place, text: str, keys: Keys) -> Message | None:
        for is_last in (*(False,) * (SAY_TRIES - 1), True):
            try:
                return await self._speaking.say(place, text, keys)
            except (Unreachable, PlatformBusy) as error:
                if not is_last:
                    await asyncio.sleep(min(error.retry_after or SAY_PAUSE, SAY_LONGEST))
                    continue
                log.warning("an answer did not go through", extra={"code": error.code})
            except PlatformError as error:
                log.info("an answer did not go through", extra={"code": error.code})
            break
        return None
