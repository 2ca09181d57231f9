"""Every call into a chat: paced, and what Telegram says to it put into our errors.

What a call can mend by itself is mended here, each once: a topic that is gone (the words go to the chat), HTML that Telegram cannot read
(they go as plain text), a group that has become a supergroup (they go there).
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeVar

from telegram import ForceReply, InlineKeyboardMarkup, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ChatAction, ParseMode
from telegram.error import ChatMigrated, TelegramError

from bot.platforms.telegram.client import Client
from bot.platforms.telegram.pacing import Pacing, Worth
from bot.platforms.telegram.refusals import NO_THREAD, NOT_MODIFIED, UNREADABLE, as_error
from bot.platforms.telegram.render import plain
from bot.platforms.telegram.transport import TooFast
from core.errors import Gone, PlatformBusy, PlatformError
from core.jobs import Place
from core.ports import Clock

WORD_PATIENCE: Final = 20.0
"""Seconds that words wait for room in their chat, where nobody comes back for them."""
ACTION_SECONDS: Final = 4.5
"""An action is shown for five seconds at most (Bot API, sendChatAction)."""
MENDINGS: Final = 4
CALL_TRIES: Final = 4
"""Of one call, where Telegram asked us to wait or told the chat's new id: in both cases it has certainly done nothing."""
REACTION_TRIES, REACTION_PAUSE = 4, 2.5
"""An emoji is worth less than anything else in its chat, and comes a few seconds later where there is no room."""
KNOWN_MOST: Final = 1000
NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)

MOVED_SECONDS: Final = 1.0
"""After so long a message of a chat that has moved is looked for anew: its row tells of the new chat by then."""

T = TypeVar("T")
Keys = InlineKeyboardMarkup | ForceReply | None
log = logging.getLogger("reelay.telegram")


class Speaking:
    """Sends, edits and deletes. Every failure is a PlatformError that says what is known of its effect."""

    def __init__(
        self, client: Client, pacing: Pacing, clock: Clock, on_moved: Callable[[int, int], Awaitable[None]]
    ) -> None:
        """``on_moved(old, new)``: a group has become a supergroup; awaited before anything is sent there."""
        self._client, self._pacing, self._clock, self._on_moved = client, pacing, clock, on_moved
        self._moved: dict[int, int] = {}
        self._reacting: dict[tuple[int, int], asyncio.Task[None]] = {}

    async def call(
        self,
        chat_id: int,
        work: Callable[[int], Awaitable[T]],
        *,
        worth: Worth = Worth.WORD,
        patience: float = WORD_PATIENCE,
        follows: bool = False,
        who: Hashable | None = None,
    ) -> T:
        """``work(chat id)`` when there is room for it. Raises PlatformError; PlatformBusy with the fact ``left_out`` when it did not go.

        ``follows``: it may be done in the supergroup that the group has become, where no old message is known by its number.
        ``who``: whoever asks again when it did not go (``Pacing.ask``).
        """
        if chat_id in self._moved:
            if not follows:
                raise _chat_moved()
            chat_id = self._moved[chat_id]
        until = self._clock.monotonic() + patience
        for tries_left in reversed(range(CALL_TRIES)):
            left = max(0.0, until - self._clock.monotonic())
            wait = await self._pacing.admit(chat_id, worth, left, who)
            if wait > 0:
                raise PlatformBusy(
                    "no room in this chat", retry_after=None if math.isinf(wait) else wait, left_out=True
                )
            try:
                return await work(chat_id)
            except ChatMigrated as error:
                new = int(error.new_chat_id)
                await self.moved(chat_id, new)
                if not tries_left or not follows:
                    raise _chat_moved() from error
                chat_id = new
            except TooFast as error:
                self._pacing.refused(chat_id, error.seconds)
                if not tries_left or worth is Worth.COSMETIC or self._clock.monotonic() + error.seconds > until:
                    raise PlatformBusy("Telegram asks us to wait", retry_after=error.seconds) from error
            except TelegramError as error:
                raise as_error(error) from error
        raise Gone("a chat that moves on and on")

    def room(self, chat_id: int, worth: Worth, who: Hashable) -> float:
        """Seconds until ``who`` has room in the chat; 0.0: now."""
        return self._pacing.room(self._moved.get(chat_id, chat_id), worth, who)

    async def moved(self, old: int, new: int) -> None:
        """A group has become a supergroup: everything that is kept speaks of the new one from now on."""
        if self._moved.get(old) == new:
            return
        await self._on_moved(old, new)
        self._pacing.moved(old, new)
        self._moved[old] = new
        while len(self._moved) > KNOWN_MOST:
            del self._moved[next(iter(self._moved))]

    # -------------------------------------------------------------------------------------------------------------- new messages

    async def say(
        self,
        place: Place,
        text: str,
        keys: Keys = None,
        *,
        patience: float = WORD_PATIENCE,
        who: Hashable | None = None,
    ) -> Message:
        """Post HTML. Raises PlatformError."""

        async def post(chat_id: int, where: dict[str, Any], mode: str | None) -> Message:
            return await self._client.send_message(
                chat_id,
                text if mode else plain(text),
                parse_mode=mode,
                reply_markup=keys,
                link_preview_options=NO_PREVIEW,
                **where,
            )

        return await self.post(place, post, patience=patience, who=who)

    async def post(
        self,
        place: Place,
        send: Callable[[int, dict[str, Any], str | None], Awaitable[Message]],
        *,
        worth: Worth = Worth.WORD,
        patience: float = WORD_PATIENCE,
        who: Hashable | None = None,
    ) -> Message:
        """Post by ``send(chat id, where, parse mode)``: in the topic and as the reply that ``place`` names, as far as they are there."""
        where: dict[str, Any] = {}
        if place.thread is not None:
            where["message_thread_id"] = int(place.thread)
        if place.reply_to is not None:
            where["reply_parameters"] = ReplyParameters(int(place.reply_to), allow_sending_without_reply=True)
        mode: str | None = ParseMode.HTML
        for _ in range(MENDINGS):
            try:
                work = _bound(send, where, mode)
                return await self.call(int(place.chat), work, worth=worth, patience=patience, follows=True, who=who)
            except PlatformError as error:
                said = str(error).lower()
                if "message_thread_id" in where and any(each in said for each in NO_THREAD):
                    where = {}
                elif mode is not None and UNREADABLE in said:
                    log.error("Telegram cannot read our HTML")
                    mode = None
                else:
                    raise
        raise Gone("nothing of it could be posted")

    # ------------------------------------------------------------------------------------------------------------------ changes

    async def change(
        self,
        chat_id: int,
        edit: Callable[[int, str | None], Awaitable[object]],
        *,
        worth: Worth = Worth.WORD,
        patience: float = WORD_PATIENCE,
        who: Hashable | None = None,
    ) -> None:
        """Change a message by ``edit(chat id, parse mode)``; one that shows it already is fine. Raises PlatformError."""
        for mode in (ParseMode.HTML, None):
            try:
                await self.call(chat_id, _bound(edit, mode), worth=worth, patience=patience, who=who)
                return
            except PlatformError as error:
                said = str(error).lower()
                if NOT_MODIFIED in said:
                    return
                if mode is None or UNREADABLE not in said:
                    raise
                log.error("Telegram cannot read our HTML")

    async def edit(
        self,
        chat_id: int,
        message_id: int,
        text: str,
        keys: InlineKeyboardMarkup | None = None,
        *,
        patience: float = WORD_PATIENCE,
    ) -> None:
        """Change the text of a message of ours. Raises PlatformError."""

        async def change(chat: int, mode: str | None) -> object:
            return await self._client.edit_message_text(
                text if mode else plain(text),
                chat,
                message_id,
                parse_mode=mode,
                reply_markup=keys,
                link_preview_options=NO_PREVIEW,
            )

        await self.change(chat_id, change, patience=patience)

    async def remove(self, chat_id: int, message_id: int) -> None:
        """Delete a message; one that is gone, or out of reach, is fine. Raises PlatformError, Forbidden where we may not."""
        try:
            await self.call(chat_id, lambda chat: self._client.delete_message(chat, message_id))
        except Gone:
            return
        except PlatformBusy as error:  # a message of a chat that has moved is out of reach
            if not error.facts.get("moved"):
                raise

    # ------------------------------------------------------------------------------------------------------- what may be left out

    def react(self, chat_id: int, message_id: int, emoji: str) -> None:
        """Put an emoji under somebody's message soon, where there is room and it is allowed; of several the last one."""
        old = self._reacting.pop((chat_id, message_id), None)
        if old is not None:
            old.cancel()
        task = asyncio.create_task(self._react(chat_id, message_id, emoji), name="telegram reaction")
        self._reacting[chat_id, message_id] = task
        task.add_done_callback(lambda done: self._forget_reaction((chat_id, message_id), done))

    def _forget_reaction(self, key: tuple[int, int], done: asyncio.Task[None]) -> None:
        if self._reacting.get(key) is done:
            del self._reacting[key]

    async def _react(self, chat_id: int, message_id: int, emoji: str) -> None:
        for _ in range(REACTION_TRIES):
            try:
                await self.call(
                    chat_id,
                    lambda chat: self._client.set_message_reaction(chat, message_id, emoji),
                    worth=Worth.COSMETIC,
                    patience=0.0,
                )
            except PlatformBusy:
                await self._clock.sleep(REACTION_PAUSE)
            except PlatformError as error:
                log.debug("a reaction was refused", extra={"code": error.code})
                return
            else:
                return

    async def stop(self) -> None:
        """Nothing is put under a message any more."""
        tasks = list(self._reacting.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    @asynccontextmanager
    async def uploading(self, chat_id: int, thread: int | None) -> AsyncIterator[None]:
        """While it lasts, the chat shows that a clip is being sent."""
        task = asyncio.create_task(self._show_upload(chat_id, thread), name="telegram upload action")
        try:
            yield
        finally:
            task.cancel()

    async def _show_upload(self, chat_id: int, thread: int | None) -> None:
        while True:  # until cancelled; each round waits
            with suppress(PlatformError):
                await self.call(
                    chat_id,
                    lambda chat: self._client.send_chat_action(chat, ChatAction.UPLOAD_VIDEO, message_thread_id=thread),
                    worth=Worth.COSMETIC,
                    patience=0.0,
                )
            await self._clock.sleep(ACTION_SECONDS)


def _chat_moved() -> PlatformBusy:
    """The group is a supergroup now, where no message is known by its old number. Whoever reads its row again finds it as it is there."""
    return PlatformBusy("moved", retry_after=MOVED_SECONDS, moved=True)


def _bound(work: Callable[..., Awaitable[T]], *rest: Any) -> Callable[[int], Awaitable[T]]:
    """``work`` of a chat id alone: with what the rest is at this moment."""
    return lambda chat_id: work(chat_id, *rest)
