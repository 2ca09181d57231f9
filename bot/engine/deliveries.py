"""The delivery of a clip to one place: the ladder original → smaller encode → link → honest words, and what each failure means.

A job that took long also owes its person a notice, a message of its own. It is a row, ordered in the transaction that marks the clip
as sent, so no crash loses it; and it is worth less than a clip, so it is given up where a clip would not be.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from bot.engine.parts import Parts
from core.cards import Card, Message
from core.errors import (
    CannotFit,
    Forbidden,
    Gone,
    MediaError,
    MediaTimedOut,
    NotFound,
    PlatformBusy,
    PlatformError,
    ReelayError,
    StorageError,
    TooLarge,
    WasDone,
)
from core.jobs import CardRow, Clip, Delivery, Receipt
from core.ports import ClipFile, Platform
from core.states import DeliveryState, JobState
from storage.messages import Notice
from storage.views import JobRow

TRIES: Final = 16
"""More than an hour and a half: no platform that matters is away for longer and is then still waited for."""
FIRST_RETRY, LONGEST_RETRY = 2.0, 600.0
UPLOAD_SECONDS: Final = 10 * 60
"""Deadline of one call that brings a clip, its upload included."""
ENCODE_SECONDS: Final = 20 * 60
"""Deadline of a smaller encode, its wait for a free place included. Nothing was sent then, so it is in no doubt: it is tried again."""
ENCODE_TRIES: Final = 2
"""Tries of a delivery whose encode may be too slow; the next rung is for what this machine cannot do."""
NO_ROOM_SECONDS: Final = 3.0
"""Pause after a call that was left out, where the platform does not tell when there will be room."""
NONCE_SECONDS, NONCE_TRIES = 120.0, 4
"""How long, and how often, a send in doubt may be repeated where nonces are known: Discord keeps them for a few minutes."""
NOTIFY_AFTER_SECONDS: Final = 60
"""A job that took longer ends with one short reply: an edit notifies nobody."""
NOTIFY_SECONDS: Final = 20.0
"""Deadline of that reply."""
NOTIFY_TRIES: Final = 6
TAKE_BACK_SECONDS: Final = 20.0
"""Deadline of the removal of a message whose job was erased while it was sent."""
NOTICE_IS_STALE_SECONDS: Final = 3600.0
"""After an hour the person has seen the clip, or looks when they come back: "it is ready" would only disturb."""

log = logging.getLogger("reelay.deliveries")


class Courier:
    """Brings one clip to one place, at most once where the platform allows to know."""

    def __init__(self, parts: Parts) -> None:
        """``parts.link`` makes the third rung of the ladder possible."""
        self._parts = parts

    async def deliver(self, delivery: Delivery, mine: CardRow | None, row: JobRow, card: Card) -> bool:
        """Try once; True when the card needs no edit of its own any more."""
        platform = self._parts.platforms.get(delivery.place.platform)
        if platform is None:
            await self._parts.store.postpone_delivery(delivery.id, self._parts.clock.now() + 60_000, "PLATFORM_OFF")
            return False
        receipt = mine.receipt if mine is not None else delivery.receipt
        if delivery.state is DeliveryState.PENDING and await self._put_off(delivery, platform, mine, receipt, card):
            return False
        becomes = platform.limits.message_becomes_clip and receipt is not None
        if delivery.state is DeliveryState.SENDING and not (becomes or self._nonce_holds(delivery, platform)):
            await self._unclear(delivery, platform)
            return False
        if row.clip is None:
            await self._parts.store.move_delivery(delivery.id, DeliveryState.DEAD, error_code="CLIP_GONE")
            return False
        if delivery.state is not DeliveryState.SENDING:
            delivery = await self._parts.store.move_delivery(
                delivery.id, DeliveryState.SENDING, due_at=self._parts.clock.now()
            )
        self._parts.reach("sending")
        try:
            try:
                done = await self._climb(platform, delivery, receipt, row.clip, card)
            except (Gone, Forbidden):
                if receipt is None:
                    raise
                # Somebody deleted the message, or we may not touch it any more: it is posted anew. Written down first, for a post
                # is not repeated as an edit is.
                if mine is not None:
                    await self._parts.store.card_lost(mine.id)
                    self._parts.reach("card lost")
                becomes = False
                done = await self._climb(platform, delivery, None, row.clip, card)
        except Exception as error:  # noqa: BLE001 - an adapter's own fault counts as a try, or it would be tried for ever
            await self._not_sent(delivery, platform, error, becomes=becomes)
            return False
        self._parts.reach("sent")
        try:
            await self._parts.store.move_delivery(
                delivery.id, DeliveryState.SENT, receipt=done, notify_after_ms=NOTIFY_AFTER_SECONDS * 1000
            )
        except NotFound:
            await self._take_back(delivery, platform, done)
            raise
        self._parts.reach("delivered")
        if mine is not None:
            next_edit = self._parts.clock.now() + int(platform.limits.seconds_between_edits * 1000)
            await self._parts.store.card_shown(
                mine.id, receipt=done, digest=card.digest(), next_edit_at=next_edit, final=row.job.version
            )
        self._parts.figures.delivery(platform.name, "sent")
        return True

    async def _put_off(
        self, delivery: Delivery, platform: Platform, mine: CardRow | None, receipt: Receipt | None, card: Card
    ) -> bool:
        """Whether it is too early, and looked at again later. Asked before it counts as begun and before anything is made for it."""
        if mine is not None and mine.awaits_answer(self._parts.clock.now()):
            # The platform is about to answer the command with a message of its own: that one becomes the clip.
            await self._parts.store.postpone_delivery(delivery.id, mine.next_edit_at, "NOT_ACKNOWLEDGED")
            return True
        wait = platform.room(delivery.place, receipt, card)
        if wait > 0:
            await self._parts.store.postpone_delivery(delivery.id, self._after(wait), "NO_ROOM")
        return wait > 0

    async def _take_back(self, delivery: Delivery, platform: Platform, done: Receipt) -> None:
        """The job was erased while its clip was on its way: whoever erased it could not see this message yet."""
        try:
            async with asyncio.timeout(TAKE_BACK_SECONDS):
                await platform.delete(done)
        except (PlatformError, TimeoutError) as error:
            code = getattr(error, "code", None) or type(error).__name__
            facts = {"job": delivery.job_id, "platform": platform.name, "code": code}
            log.warning("a message of an erased clip still stands", extra=facts)

    async def _climb(
        self, platform: Platform, delivery: Delivery, receipt: Receipt | None, clip: Clip, card: Card
    ) -> Receipt:
        """Down the ladder: each rung only when the one before cannot be."""
        limit = delivery.place.upload_limit or platform.limits.upload_bytes
        nonce = f"{delivery.job_id[-16:]}-{delivery.id}"
        if clip.bytes <= limit:
            try:
                async with self._original(clip, nonce) as file, asyncio.timeout(UPLOAD_SECONDS):
                    return await platform.deliver(delivery.place, receipt, file, card)
            except TooLarge as error:  # the place takes less than it told
                limit = min(error.limit or clip.bytes * 3 // 4, clip.bytes - 1)
        for _ in range(2):
            try:
                async with self._smaller(clip, limit, nonce) as file:
                    told = replace(card, changed=(*card.changed, Message("delivery.smaller", {"size": clip.bytes})))
                    async with asyncio.timeout(UPLOAD_SECONDS):
                        return await platform.deliver(delivery.place, receipt, file, told)
            except TooLarge as error:
                limit = min(error.limit or limit * 3 // 4, limit * 9 // 10)
            except CannotFit:
                break
            except MediaTimedOut:
                if delivery.tries < ENCODE_TRIES:
                    raise
                break
        link = self._parts.link(clip)
        words = (
            Message("delivery.link", {"size": clip.bytes, "link": link})
            if link
            else Message("delivery.too_large", {"size": clip.bytes})
        )
        told = replace(card, changed=(*card.changed, words))
        async with asyncio.timeout(UPLOAD_SECONDS):
            return await (platform.send(delivery.place, told) if receipt is None else platform.edit(receipt, told))

    @contextlib.asynccontextmanager
    async def _original(self, clip: Clip, nonce: str) -> AsyncIterator[ClipFile]:
        async with contextlib.AsyncExitStack() as stack:
            path = await stack.enter_async_context(self._parts.clips.checkout(clip.key))
            poster = (
                None
                if clip.poster_key is None
                else await stack.enter_async_context(self._parts.clips.checkout(clip.poster_key))
            )
            yield ClipFile(clip, path, clip.bytes, is_original=True, nonce=nonce, poster=poster)

    @contextlib.asynccontextmanager
    async def _smaller(self, clip: Clip, limit: int, nonce: str) -> AsyncIterator[ClipFile]:
        async with (
            self._original(clip, nonce) as original,
            self._parts.clips.incoming(suffix=".mp4", max_bytes=clip.bytes * 2) as copy,
        ):
            try:
                async with asyncio.timeout(ENCODE_SECONDS):
                    fitted = await self._parts.media.fit(original.path, copy.path, limit)
            except TimeoutError as error:
                raise MediaTimedOut("a smaller encode took too long") from error
            yield replace(original, path=copy.path, bytes=fitted.bytes, is_original=False)

    async def _not_sent(self, delivery: Delivery, platform: Platform, error: Exception, *, becomes: bool) -> None:
        if _is_left_out(error):
            await self._left_out(delivery, platform, error)
            return
        code = error.code if isinstance(error, ReelayError) else type(error).__name__
        unforeseen = None if isinstance(error, ReelayError | TimeoutError | OSError) else error
        log.warning(
            "a delivery did not go through",
            exc_info=unforeseen,
            extra={"job": delivery.job_id, "platform": platform.name, "code": code},
        )
        was_done = error.was_done if isinstance(error, PlatformError) else WasDone.UNKNOWN
        if isinstance(error, MediaError | NotFound | StorageError):
            was_done = WasDone.NO
        if was_done is WasDone.UNKNOWN and not (becomes or self._nonce_holds(delivery, platform)):
            await self._unclear(delivery, platform)
        elif isinstance(error, Gone | Forbidden | NotFound) or delivery.tries >= TRIES:
            await self._dead(delivery, platform, code)
        else:
            wait = getattr(error, "retry_after", None) or min(LONGEST_RETRY, FIRST_RETRY * 2**delivery.tries)
            await self._postpone(delivery, wait, code)
            self._parts.figures.delivery(platform.name, "retried")

    async def _left_out(self, what: Delivery | Notice, platform: Platform, error: Exception) -> None:
        """Nothing was asked of the platform, so nothing is in doubt, nothing has failed, and it was no try."""
        log.debug("there was no room", extra={"job": what.job_id, "platform": platform.name})
        due = self._after(getattr(error, "retry_after", None) or NO_ROOM_SECONDS)
        move = self._parts.store.move_delivery
        await move(what.id, DeliveryState.PENDING, due_at=due, error_code="NO_ROOM", untried=True)

    def _after(self, seconds: float) -> int:
        """Rounded up: who comes a millisecond too early is sent away again."""
        return self._parts.clock.now() + math.ceil(seconds * 1000)

    def _nonce_holds(self, delivery: Delivery, platform: Platform) -> bool:
        """Whether the platform would still drop a repeated send; ``due_at`` is when the last one began."""
        if not platform.limits.idempotent_send or delivery.due_at is None:
            return False
        age = self._parts.clock.now() - delivery.due_at
        return age <= NONCE_SECONDS * 1000 and delivery.tries < NONCE_TRIES

    async def _postpone(self, delivery: Delivery, seconds: float, code: str) -> None:
        due = self._after(seconds)
        await self._parts.store.move_delivery(delivery.id, DeliveryState.PENDING, due_at=due, error_code=code)

    async def _unclear(self, delivery: Delivery, platform: Platform) -> None:
        """It may have arrived: never posted again by ourselves, ``resend`` does."""
        await self._parts.store.move_delivery(delivery.id, DeliveryState.UNCLEAR, error_code="UNCLEAR")
        self._parts.figures.delivery(platform.name, "unclear")

    async def _dead(self, delivery: Delivery, platform: Platform, code: str) -> None:
        await self._parts.store.move_delivery(delivery.id, DeliveryState.DEAD, error_code=code)
        self._parts.figures.delivery(platform.name, "dead")
        await self._parts.alerts.raise_once(
            f"delivery {platform.name}",
            f"a clip of job {delivery.job_id} could not be posted on {platform.name} ({code}); it is in the gallery",
        )

    # --------------------------------------------------------------------------------------------------------------- notices

    async def notify(self, notice: Notice, row: JobRow, card: Card) -> None:
        """Try once to say that the clip is there, or that none comes: never twice where that could be seen, and never what is old news."""
        platform, now = self._parts.platforms.get(notice.place.platform), self._parts.clock.now()
        # What it tells of is deleted, or goes on after all.
        is_over = row.clip is None and row.job.state is not JobState.FAILED
        if is_over or now - notice.created_at > NOTICE_IS_STALE_SECONDS * 1000:
            await self._parts.store.move_delivery(notice.id, DeliveryState.DEAD, error_code="STALE")
            return
        if platform is None:
            await self._parts.store.postpone_delivery(notice.id, now + 60_000, "PLATFORM_OFF")
            return
        tries = notice.tries
        if notice.state is DeliveryState.PENDING:
            wait = platform.room(notice.place, notice.clip_at, card, is_notice=True)
            if wait > 0:
                await self._parts.store.postpone_delivery(notice.id, self._after(wait), "NO_ROOM")
                return
            tries = (await self._parts.store.move_delivery(notice.id, DeliveryState.SENDING, due_at=now)).tries
        elif not platform.limits.idempotent_send:  # a crash lay between the call and its record
            await self._parts.store.move_delivery(notice.id, DeliveryState.UNCLEAR, error_code="UNCLEAR")
            return
        self._parts.reach("notifying")
        try:
            async with asyncio.timeout(NOTIFY_SECONDS):
                await platform.notify(notice.place, notice.clip_at, card)
        except Exception as error:  # noqa: BLE001 - an adapter's own fault counts as a try, or it would be tried for ever
            await self._not_notified(notice, platform, error, tries)
            return
        self._parts.reach("notified")
        await self._parts.store.move_delivery(notice.id, DeliveryState.SENT)

    async def _not_notified(self, notice: Notice, platform: Platform, error: Exception, tries: int) -> None:
        if _is_left_out(error):
            await self._left_out(notice, platform, error)
            return
        code = error.code if isinstance(error, ReelayError) else type(error).__name__
        log.info("a notice did not go through", extra={"job": notice.job_id, "platform": platform.name, "code": code})
        was_done = error.was_done if isinstance(error, PlatformError) else WasDone.UNKNOWN
        if was_done is WasDone.YES:
            to, due = DeliveryState.SENT, None
        elif was_done is WasDone.UNKNOWN and not platform.limits.idempotent_send:
            to, due = DeliveryState.UNCLEAR, None
        elif isinstance(error, Gone | Forbidden | TooLarge) or tries >= NOTIFY_TRIES:
            to, due = DeliveryState.DEAD, None
        else:
            wait = getattr(error, "retry_after", None) or FIRST_RETRY * 2**tries
            to, due = DeliveryState.PENDING, self._parts.clock.now() + int(wait * 1000)
        await self._parts.store.move_delivery(notice.id, to, due_at=due, error_code=code)


def _is_left_out(error: Exception) -> bool:
    return isinstance(error, PlatformBusy) and bool(error.facts.get("left_out"))
