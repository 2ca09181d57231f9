"""Orders from Discord: made durable, then acknowledged, then accepted; a refusal is told to the person alone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bot.commands.making import order
from bot.engine.engine import Engine
from bot.engine.words import Bookshelf, Words
from bot.platforms.discord.answering import Answering
from bot.platforms.discord.attachments import reference
from bot.platforms.discord.identity import TOKEN_SECONDS
from bot.platforms.discord.platform import ORIGINAL, DiscordPlatform
from bot.platforms.discord.render import escape
from bot.platforms.discord.wire import Attached, Interaction
from core.attachments import Attachment
from core.cards import Message
from core.errors import NotFound, ReelayError
from core.jobs import Actor, Job, JobKind, Place
from storage.views import JobRow

PATIENCE: Final = 1.0
"""How long an answer waits for the whole order, so that a refusal needs no public "thinking"; not at all while many wait."""
CROWD: Final = 64
RECEIVE_SECONDS: Final = 30.0
ANSWER_MS: Final = 15_000
"""How long a clip that is posted again waits for the answer which is to become it, the patience and the deadline of ``Answering`` and a
little more; after a crash it goes its way without."""
UNSET_LOCALE: Final = "en-US"
"""What Discord says of a guild whose managers have chosen no language."""
CROWD_MAKING: Final = 16
"""Of a crowd's jobs so many are made at the same moment: whoever is still to be answered, or comes now, is not held up by them."""
CALM_SECONDS: Final = 10.0
"""How long a job that is acknowledged waits for the acknowledgements of others: they have three seconds, and it has none."""

log = logging.getLogger("reelay.discord")


class Orders:
    """Takes orders to the engine and keeps their interactions answered."""

    def __init__(self, engine: Engine, platform: DiscordPlatform, shelf: Bookshelf) -> None:
        """Receipts are the platform's."""
        self._engine, self._platform, self._shelf = engine, platform, shelf
        self._waiting = 0
        self._calm, self._crowded = asyncio.Event(), asyncio.Event()
        """Whether few or many wait for their acknowledgement."""
        self._calm.set()
        self._turns = asyncio.Semaphore(CROWD_MAKING)

    async def take(
        self,
        i: Interaction,
        answer: Answering,
        fields: Mapping[str, Any],
        words: Words,
        *,
        pictures: Sequence[Attached] = (),
        ends_with_last: bool = False,
        attachment: Attachment | None = None,
        kind: JobKind = JobKind.CLIP,
        song: Attachment | None = None,
        private: bool = False,
        is_admin: bool = False,
    ) -> Job:
        """Order a clip or a film and answer the interaction; returns the job. Raises what refuses it, for the desk to tell.

        ``pictures``: as Discord showed them, the clip ending with the last one if ``ends_with_last``; ``attachment``: one that is ours
        already; ``song``: of a film.
        """
        private = private or i.is_forced_private
        language = card_language(i, self._shelf, words.language, private=private)
        place = place_of(i, language, private=private, picture=pictures[0] if pictures else None)
        if pictures:
            attachment = _attachment(pictures, ends_with_last=ends_with_last)
        loop = asyncio.get_running_loop()
        received, acknowledged = loop.create_future(), loop.create_future()

        async def durable() -> None:
            if not received.done():
                received.set_result(None)
            if self._crowded.is_set():  # first everybody is acknowledged, then the jobs are made
                await acknowledged
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CALM_SECONDS):
                        await self._calm.wait()
                await self._turns.acquire()
                making.add_done_callback(lambda _: self._turns.release())

        making = asyncio.create_task(
            order(
                self._engine,
                actor_of(i, is_admin=is_admin),
                place,
                fields,
                attachment=attachment,
                kind=kind,
                song=song,
                update_id=i.id,
                receipt=self._platform.receipt(place, ORIGINAL, answer.token),
                answers=True,
                received=durable,
            )
        )
        self._count(1)
        try:
            if not self._crowded.is_set():
                await self._for_the_whole(making)
            if not making.done():  # a refusal comes only after the command is durable
                await asyncio.wait({making, received}, timeout=RECEIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            refused = making.done() and making.exception() is not None
            if not refused and (making.done() or received.done()):
                await answer.defer(private=private)
        finally:  # whatever ends it, nobody waits for this one any more
            if not acknowledged.done():
                acknowledged.set_result(None)
            self._count(-1)
        return await self._made(answer, making, words, place)

    async def _for_the_whole(self, making: asyncio.Task[tuple[Job, bool]]) -> None:
        """Until the job is made, but not for long, and no longer than it is calm."""
        crowd = asyncio.ensure_future(self._crowded.wait())
        try:
            await asyncio.wait({making, crowd}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        finally:
            crowd.cancel()

    def _count(self, more: int) -> None:
        """Orders that wait for their acknowledgement."""
        self._waiting += more
        if self._waiting > CROWD:
            self._calm.clear()
            self._crowded.set()
        else:
            self._crowded.clear()
            self._calm.set()

    async def resend(self, i: Interaction, answer: Answering, words: Words, row: JobRow) -> None:
        """Post a clip once more, here: the answer to this interaction becomes it.

        A private clip stays private, and what was made where only adults may look is shown to nobody else where all may. The wish is
        durable before it is answered, as an order is. Raises NotFound, after the answer too, when the clip was erased.
        """
        if row.clip is None:
            raise NotFound("the clip is gone", message_id="error.clip_gone")
        store = self._engine.parts.store
        is_for_adults = bool(row.job.place.details.get("nsfw")) and i.guild_id is not None and not i.nsfw
        private = row.job.place.visibility == "only_owner" or is_for_adults or i.is_forced_private
        place = place_of(i, card_language(i, self._shelf, words.language, private=private), private=private)
        receipt = self._platform.receipt(place, ORIGINAL, answer.token)
        due_at = self._engine.parts.clock.now() + ANSWER_MS
        delivery = await store.add_delivery(row.job.id, row.clip.id, place, receipt, due_at)
        await answer.defer(private=private)  # an answer that was too late is replaced by a message of its own
        place = place_as_shown(place, answer)
        receipt = self._platform.receipt(place, answer.message_id or ORIGINAL, answer.token)
        await store.delivery_answered(delivery, receipt)
        self._engine.lanes.touch(row.job.id)

    async def pressed(self, i: Interaction, answer: Answering, job_id: str) -> None:
        """Take a button press whose message will change by itself.

        To a message that is out of the bot's reach a press opens the way anew, for a quarter of an hour: it may have waited for days.
        """
        await answer.defer_update()
        store = self._engine.parts.store
        for receipt in await store.receipts_of_job(job_id):
            if receipt.message == i.message_id and not self._platform.reaches(receipt.place):
                fresh = self._platform.receipt(receipt.place, receipt.message, answer.token)
                await store.renewed(job_id, replace(fresh, kind=receipt.kind))

    async def _made(self, answer: Answering, making: asyncio.Task[tuple[Job, bool]], words: Words, place: Place) -> Job:
        job, _ = await making
        shown = place_as_shown(place, answer)
        if answer.message_id is not None:
            receipt = self._platform.receipt(shown, answer.message_id, answer.token)
            await self._engine.parts.store.acknowledged(job.id, receipt)
            self._engine.lanes.touch(job.id)
        if not self._platform.reaches(shown) and await self._engine.desk.expected_seconds(job.id) > TOKEN_SECONDS:
            await answer.say(escape(words.say("delivery.comes_directly")))
        return job


def refusal_text(error: ReelayError, words: Words, now: int) -> str:
    """The sentence for a refusal, escaped: it may quote what the person wrote."""
    return escape(words.text(Message(error.message_id, error.values), now))


def actor_of(i: Interaction, *, is_admin: bool = False) -> Actor:
    """Who acts, with the subjects of their allowances."""
    return Actor(
        platform="discord",
        external_id=i.user_id,
        chat=i.chat,
        roles=tuple(f"discord:role:{role}" for role in i.roles),
        is_admin=is_admin,
    )


def card_language(i: Interaction, shelf: Bookshelf, own: str, *, private: bool) -> str:
    """What a card speaks: where all of a guild see it, the guild's language, if it has chosen one of ours; else the person's ``own``."""
    chosen = i.guild_locale
    if private or i.guild_id is None or chosen in (None, UNSET_LOCALE) or not shelf.speaks(chosen):
        return own
    return shelf.words(chosen).language


def place_of(i: Interaction, language: str, *, private: bool, picture: Attached | None = None) -> Place:
    """Where to answer."""
    details: dict[str, Any] = {"user": i.user_id, "member": i.bot_is_member, "dm": i.is_dm}
    if i.guild_id is not None:
        details |= {"chat_subject": i.chat, "guild": i.guild_id, "nsfw": i.nsfw}
        if i.parent_id is not None and not i.in_private_thread:
            details["parent"] = i.parent_id  # whoever sees that channel sees the thread
    if picture is not None:
        details["picture_url"] = picture.url
    return Place(
        platform="discord",
        chat=i.channel_id or "",
        visibility="only_owner" if private else "public",
        language=language,
        upload_limit=i.upload_limit,
        details=details,
    )


def place_as_shown(place: Place, answer: Answering) -> Place:
    """The place with the visibility that Discord gave the answer."""
    return replace(place, visibility="only_owner") if answer.is_private else place


def attachment_of(each: Attached) -> Attachment:
    """A file as Discord showed it, to be fetched later."""
    return Attachment(each.name, each.mime, each.bytes, reference=reference(each.url, each.channel, each.message))


def _attachment(pictures: Sequence[Attached], *, ends_with_last: bool) -> Attachment:
    """All of them as one, the first bringing the others along."""
    first, *others = [attachment_of(each) for each in pictures]
    if not others:
        return replace(first, is_last=ends_with_last)
    return replace(first, more=(*others[:-1], replace(others[-1], is_last=ends_with_last)))
