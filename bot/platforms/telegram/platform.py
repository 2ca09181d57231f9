"""Telegram as a platform: messages that are sent, edited and become the clip, and what to do when the way is closed.

The way of a new message: the chat, then, where that is closed to us, the person's private chat. What fails everywhere waits for
``resend``. Telegram drops no repeated send, so none is repeated; an edit may be.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol

from telegram import InlineKeyboardMarkup, InputMediaVideo, Message

from bot.commands.marks import Marks
from bot.engine.words import Bookshelf
from bot.platforms.telegram.client import Client
from bot.platforms.telegram.files import Attachments
from bot.platforms.telegram.pacing import COSMETIC_GROUP_SECONDS, COSMETIC_SECONDS, Worth
from bot.platforms.telegram.panes import Panes
from bot.platforms.telegram.refusals import WRONG_FILE
from bot.platforms.telegram.render import CAPTION_MOST, TEXT_MOST, card_html, escape, keyboard, mention, plain
from bot.platforms.telegram.speaking import NO_PREVIEW, Speaking
from bot.platforms.telegram.uploads import DiskFile
from core.attachments import Attachment
from core.cards import Card
from core.errors import Forbidden, Gone, MediaError, PlatformBusy, PlatformError
from core.jobs import JobKind, Place, Receipt
from core.media import MediaToolbox
from core.ports import ClipFile, Clock, PlatformLimits
from core.states import JobState
from storage.store import SqliteStore

UPLOAD_BYTES: Final = 50_000_000
LOCAL_UPLOAD_BYTES: Final = 2_000_000_000
"""What the Bot API takes of a bot, and what a local server takes (Bot API, "Sending files", "Using a Local Bot API Server")."""
LANE_PATIENCE: Final = 1.0
"""Seconds to wait for room in the chat: the engine's lane stands still meanwhile, and comes back when it is told to. Far less than the
lane's deadline, for what waited for room was certainly not sent, and what met the deadline perhaps was."""
COPY_PATIENCE: Final = 60.0
"""A smaller copy has cost minutes, and would be made anew."""
CLIP_NAME: Final = "clip.mp4"
THUMBNAIL_SIDE, THUMBNAIL_BYTES = 320, 200_000
"""Telegram ignores anything larger (Bot API, sendVideo)."""
KEPT: Final = 5000
SEEN: Final = "👀"
ENDS: Final = {JobState.DONE.value: "🎉", JobState.FAILED.value: "😢", JobState.CANCELLED.value: "👌"}
"""Of the emoji that a bot may react with (Bot API, "ReactionTypeEmoji")."""

log = logging.getLogger("reelay.telegram")


class Receiving(Protocol):
    """What receives, by polling or by webhook."""

    async def run(self) -> None:
        """Receive until cancelled."""


class TelegramPlatform:
    """Implements ``core.ports.Platform``."""

    name = "telegram"

    def __init__(
        self,
        client: Client,
        speaking: Speaking,
        marks: Marks,
        shelf: Bookshelf,
        clock: Clock,
        store: SqliteStore,
        media: MediaToolbox,
        attachments: Attachments,
        panes: Panes,
        scratch: Path,
        *,
        local: bool = False,
    ) -> None:
        """``receiving`` is joined later: its desk needs this platform. ``local``: the Bot API server is the operator's own."""
        self._client, self._speaking, self._marks, self._shelf = client, speaking, marks, shelf
        self._clock, self._store, self._media, self._scratch = clock, store, media, scratch
        self._attachments, self._panes = attachments, panes
        self._owner = client.token.partition(":")[0]
        self._shown: OrderedDict[tuple[str, str], tuple[object, ...]] = OrderedDict()
        self.receiving: Receiving | None = None
        self.limits = PlatformLimits(
            upload_bytes=LOCAL_UPLOAD_BYTES if local else UPLOAD_BYTES,
            text=TEXT_MOST,
            caption=CAPTION_MOST,
            seconds_between_edits=COSMETIC_SECONDS,
            refresh_seconds=COSMETIC_GROUP_SECONDS,
            buttons=100,
            message_becomes_clip=True,
            idempotent_send=False,
        )

    async def run(self) -> None:
        """Receive until cancelled."""
        if self.receiving is not None:
            await self.receiving.run()

    # ------------------------------------------------------------------------------------------------------------- the port

    async def send(self, place: Place, card: Card) -> Receipt:
        """Post the card as a message of its own."""
        text, keys = self._card(place, card, caption=False), await self._keys(place, card)
        who = "card", card.job_id
        receipt = await self._posted(
            place, lambda there: self._speaking.say(there, text, keys, patience=LANE_PATIENCE, who=who)
        )
        self._note(receipt, card)
        self._react(place, card)
        return receipt

    async def edit(self, receipt: Receipt, card: Card) -> Receipt:
        """Change the message. Raises Gone when somebody deleted it, Forbidden when we may not touch it any more, and PlatformBusy with the
        fact ``left_out`` when nothing was asked, because its chat has no room for a change that is no news.
        """
        place, is_clip = receipt.place, receipt.kind == "media"
        instead = await self._panes.instead(receipt, card, self._shelf.words(place.language), self._clock.now())
        if instead is not None and self._panes.stands(receipt, instead):
            self._note(receipt, card)
            return receipt
        text, keys = instead or (self._card(place, card, caption=is_clip), await self._keys(place, card))
        is_news = card.final or self._shown.get(_key(receipt)) != card.news()

        async def change(chat_id: int, mode: str | None) -> object:
            said, number = text if mode else plain(text), int(receipt.message)
            if is_clip:
                return await self._client.edit_message_caption(
                    chat_id, number, caption=said, parse_mode=mode, reply_markup=keys
                )
            return await self._client.edit_message_text(
                said, chat_id, number, parse_mode=mode, reply_markup=keys, link_preview_options=NO_PREVIEW
            )

        try:
            worth = Worth.WORD if is_news else Worth.COSMETIC
            who = None if is_news else int(receipt.message)  # news is not come back with: there may be others by then
            await self._speaking.change(int(place.chat), change, worth=worth, patience=LANE_PATIENCE, who=who)
        except PlatformBusy as error:
            if not error.facts.get("left_out"):
                raise
            pause = COSMETIC_GROUP_SECONDS if int(place.chat) < 0 else COSMETIC_SECONDS
            raise PlatformBusy(str(error), retry_after=error.retry_after or pause, left_out=True) from error
        if instead is not None:
            self._panes.note(receipt, instead)
        self._note(receipt, card)
        if card.final:
            self._react(place, card)
        return receipt

    def room(self, place: Place, receipt: Receipt | None, card: Card, *, is_notice: bool = False) -> float:
        """Seconds until the chat has room; those that wait for one chat are told one after the other."""
        chat_id = int((place if receipt is None else receipt.place).chat)
        if is_notice:
            return self._speaking.room(chat_id, Worth.WORD, ("notice", card.job_id))
        return self._speaking.room(chat_id, Worth.CLIP, ("clip", card.job_id))

    async def deliver(self, place: Place, receipt: Receipt | None, clip: ClipFile, card: Card) -> Receipt:
        """The message becomes the clip, or a new message brings it. A clip that Telegram has already is not sent to it again."""
        text, keys = self._card(place, card, caption=True), await self._keys(place, card)
        known = await self._store.known_file(self.name, self._owner, clip.clip.id, _variant(clip))
        if known is not None:
            try:
                return await self._bring(place, receipt, clip, card, known, {}, text, keys)
            except PlatformError as error:
                if not any(each in str(error).lower() for each in WRONG_FILE):
                    raise
                await self._store.forget_file(self.name, self._owner, clip.clip.id, _variant(clip))
        with tempfile.TemporaryDirectory(dir=self._scratch, prefix="telegram-") as folder:
            stills = await self._stills(clip, Path(folder))
            return await self._bring(place, receipt, clip, card, clip.path, stills, text, keys)

    async def notify(self, place: Place, receipt: Receipt | None, card: Card) -> None:
        """One short reply that mentions whoever asked."""
        words, user = self._shelf.words(place.language), place.details.get("user")
        who = mention(str(place.details.get("name") or "–"), None if user is None else int(user))
        text = escape(words.notice(card, "\0")).replace("\0", who)
        at = place if receipt is None else replace(receipt.place, reply_to=receipt.message)
        await self._speaking.say(at, text, patience=LANE_PATIENCE, who=("notice", card.job_id))

    async def delete(self, receipt: Receipt) -> None:
        """Remove the message; one that is gone already is fine. Raises Forbidden where nothing of ours reaches it."""
        await self._speaking.remove(int(receipt.place.chat), int(receipt.message))

    async def open(self, place: Place, attachment: Attachment) -> AsyncIterator[bytes]:
        """Stream a picture or a song. Raises Gone, TooLarge, Unreachable, Forbidden."""
        del place
        async for chunk in self._attachments.open(attachment):
            yield chunk

    # -------------------------------------------------------------------------------------------------------------- messages

    def _card(self, place: Place, card: Card, *, caption: bool) -> str:
        return card_html(card, self._shelf.words(place.language), self._clock.now(), caption=caption)

    async def _keys(self, place: Place, card: Card) -> InlineKeyboardMarkup | None:
        prompt, is_film = "", False
        if card.final:
            job = await self._store.job(card.job_id)
            prompt, is_film = job.wanted.prompt, job.kind is JobKind.FILM
        return keyboard(card, self._shelf.words(place.language), self._marks, prompt=prompt, is_film=is_film)

    async def _posted(self, place: Place, post: Any) -> Receipt:
        """Post by ``post(place)``, or, where a group is closed to us, to the person who asked."""
        try:
            return self._receipt(place, await post(place))
        except (Forbidden, Gone) as error:
            user = place.details.get("user")
            if int(place.chat) > 0 or not user or int(user) < 0:
                raise
            log.info("a group is closed to us", extra={"code": error.code})
            alone = replace(place, chat=str(user), thread=None, reply_to=None)
            receipt = self._receipt(alone, await post(alone))
        return receipt

    def _receipt(self, place: Place, message: Message, kind: Any = "text") -> Receipt:
        return Receipt(replace(place, chat=str(message.chat_id)), str(message.message_id), kind=kind)

    def _note(self, receipt: Receipt, card: Card) -> None:
        """What the message shows; of the last edit nothing has to be remembered."""
        self._shown.pop(_key(receipt), None)
        if not card.final:
            self._shown[_key(receipt)] = card.news()
            while len(self._shown) > KEPT:
                self._shown.popitem(last=False)

    def _react(self, place: Place, card: Card) -> None:
        """An emoji under the command: seen, and in the end how it went."""
        if place.reply_to is None:
            return
        emoji = ENDS.get(card.state.id.removeprefix("state.")) if card.final else SEEN
        if emoji is not None:
            self._speaking.react(int(place.chat), int(place.reply_to), emoji)

    # ------------------------------------------------------------------------------------------------------------------ clips

    async def _bring(
        self,
        place: Place,
        receipt: Receipt | None,
        clip: ClipFile,
        card: Card,
        source: Path | str,
        stills: dict[str, Path],
        text: str,
        keys: InlineKeyboardMarkup | None,
    ) -> Receipt:
        """``source``: the file, or Telegram's name of it."""
        if receipt is None:
            done = await self._send_clip(place, clip, card, source, stills, text, keys)
        else:
            done = await self._become_clip(receipt, clip, card, source, stills, text, keys)
        if card.final:
            self._react(place, card)
        return done

    async def _send_clip(
        self,
        place: Place,
        clip: ClipFile,
        card: Card,
        source: Path | str,
        stills: dict[str, Path],
        text: str,
        keys: Any,
    ) -> Receipt:
        async def post(chat_id: int, where: dict[str, Any], mode: str | None) -> Message:
            async with self._uploading(source, chat_id, where.get("message_thread_id")):
                return await bring(chat_id, where, mode)

        async def bring(chat_id: int, where: dict[str, Any], mode: str | None) -> Message:
            files: dict[str, Any] = {
                name: DiskFile(path, f"{name}.jpg", attach=name == "cover") for name, path in stills.items()
            }
            return await self._client.send_video(
                chat_id,
                source if isinstance(source, str) else DiskFile(source, CLIP_NAME),
                caption=text if mode else plain(text),
                parse_mode=mode,
                reply_markup=keys,
                **_measures(clip),
                **files,
                **where,
            )

        async def to(there: Place) -> Message:
            who = "clip", card.job_id
            message = await self._speaking.post(there, post, worth=Worth.CLIP, patience=_patience(clip), who=who)
            await self._keep(clip, message)
            return message

        return replace(await self._posted(place, to), kind="media")

    async def _become_clip(
        self,
        receipt: Receipt,
        clip: ClipFile,
        card: Card,
        source: Path | str,
        stills: dict[str, Path],
        text: str,
        keys: Any,
    ) -> Receipt:
        chat, who = int(receipt.place.chat), ("clip", card.job_id)
        thread = None if receipt.place.thread is None else int(receipt.place.thread)

        async def change(chat_id: int, mode: str | None) -> object:
            more: dict[str, Any] = {}
            media: DiskFile | str
            if isinstance(source, str):
                media = source
            else:
                cover = DiskFile(stills["cover"], "cover.jpg", attach=True) if "cover" in stills else None
                media = DiskFile(source, CLIP_NAME, attach=True, alongside=(cover,) if cover else ())
                if cover is not None:
                    more["cover"] = cover.attach_uri
                if "thumbnail" in stills:
                    more["thumbnail"] = DiskFile(stills["thumbnail"], "thumbnail.jpg", attach=True)
            said = text if mode else plain(text)
            video = InputMediaVideo(media, caption=said, parse_mode=mode, **_measures(clip), **more)
            async with self._uploading(source, chat_id, thread):
                found = await self._client.edit_message_media(video, chat_id, int(receipt.message), reply_markup=keys)
            if isinstance(found, Message):
                await self._keep(clip, found)
            return found

        try:
            await self._speaking.change(chat, change, worth=Worth.CLIP, patience=_patience(clip), who=who)
        except Forbidden:
            # Perhaps no film may be put there: what stands there must not go on telling that it renders.
            with contextlib.suppress(PlatformError):
                await self._speaking.edit(chat, int(receipt.message), text, keys, patience=LANE_PATIENCE)
            raise
        self._shown.pop(_key(receipt), None)
        self._panes.close(chat, int(receipt.message))
        return replace(receipt, kind="media")

    def _uploading(
        self, source: Path | str, chat_id: int, thread: int | None
    ) -> contextlib.AbstractAsyncContextManager[None]:
        """What Telegram has already is not sent to it."""
        if isinstance(source, str):
            return contextlib.nullcontext()
        return self._speaking.uploading(chat_id, thread)

    async def _stills(self, clip: ClipFile, folder: Path) -> dict[str, Path]:
        """The poster in full size, and a small one; without them Telegram makes its own."""
        if clip.poster is None:
            return {}
        small = folder / "thumbnail.jpg"
        try:
            made = await self._media.normalise_image(clip.poster, small, THUMBNAIL_SIDE)
        except MediaError as error:
            log.info("no thumbnail", extra={"code": error.code})
            return {"cover": clip.poster}
        fits = made.mime == "image/jpeg" and made.bytes < THUMBNAIL_BYTES
        return {"cover": clip.poster, **({"thumbnail": small} if fits else {})}

    async def _keep(self, clip: ClipFile, message: Message) -> None:
        """By this name Telegram takes the clip the next time."""
        if message.video is not None:
            await self._store.remember_file(self.name, self._owner, clip.clip.id, _variant(clip), message.video.file_id)


def _key(receipt: Receipt) -> tuple[str, str]:
    return receipt.place.chat, receipt.message


def _patience(clip: ClipFile) -> float:
    return LANE_PATIENCE if clip.is_original else COPY_PATIENCE


def _variant(clip: ClipFile) -> str:
    return "original" if clip.is_original else "smaller"


def _measures(clip: ClipFile) -> dict[str, Any]:
    """What Telegram does not find out by itself of a file that it only passes on."""
    found: dict[str, Any] = {"supports_streaming": True}
    if clip.clip.width and clip.clip.height:
        found |= {"width": clip.clip.width, "height": clip.clip.height}
    if clip.clip.seconds:
        found["duration"] = max(1, round(clip.clip.seconds))
    return found
