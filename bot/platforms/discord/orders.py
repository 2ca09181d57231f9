"""Orders from Discord: made durable, then acknowledged, then accepted; a refusal is told to the person alone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bot.commands.making import order
from bot.engine.engine import Engine
from bot.engine.words import Words
from bot.platforms.discord.answering import Answering
from bot.platforms.discord.attachments import reference
from bot.platforms.discord.identity import TOKEN_SECONDS
from bot.platforms.discord.platform import DiscordPlatform
from bot.platforms.discord.render import escape
from bot.platforms.discord.wire import Attached, Interaction
from core.cards import Message
from core.errors import NotFound, ReelayError
from core.jobs import Actor, Attachment, Job, Place
from storage.views import JobRow

PATIENCE: Final = 1.0
"""How long an answer waits for the whole order, so that a refusal needs no public "thinking"; less while many wait."""
CROWD: Final = 64
CROWDED_PATIENCE: Final = 0.05
RECEIVE_SECONDS: Final = 30.0
ORIGINAL: Final = "@original"
"""Stands for the message that answers an interaction until its id is known."""

log = logging.getLogger("reelay.discord")


class Orders:
    """Takes orders to the engine and keeps their interactions answered."""

    def __init__(self, engine: Engine, platform: DiscordPlatform) -> None:
        """Receipts are the platform's."""
        self._engine, self._platform = engine, platform
        self._waiting = 0

    async def take(
        self,
        i: Interaction,
        answer: Answering,
        fields: Mapping[str, Any],
        words: Words,
        *,
        picture: Attached | None = None,
        attachment: Attachment | None = None,
        private: bool = False,
        is_admin: bool = False,
    ) -> Job | None:
        """Order a clip and answer the interaction; returns the job, or None when it was refused.

        ``picture``: as Discord showed it; ``attachment``: one that is ours already.
        """
        place = place_of(i, words.language, private=private, picture=picture)
        if picture is not None:
            attachment = _attachment(picture)
        received, acknowledged = asyncio.Event(), asyncio.Event()
        self._waiting += 1

        async def durable() -> None:
            received.set()
            if self._waiting > CROWD:  # first everybody is acknowledged, then the jobs are made
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(acknowledged.wait(), RECEIVE_SECONDS)

        making = asyncio.create_task(
            order(
                self._engine,
                actor_of(i, is_admin=is_admin),
                place,
                fields,
                attachment=attachment,
                update_id=i.id,
                receipt=self._platform.receipt(place, ORIGINAL, answer.token),
                received=durable,
            )
        )
        try:
            await asyncio.wait({making}, timeout=CROWDED_PATIENCE if self._waiting > CROWD else PATIENCE)
            if not making.done():
                await self._until_received(received, making)
            refused = making.done() and making.exception() is not None
            if not refused and (making.done() or received.is_set()):
                await answer.defer(private=private)
            acknowledged.set()
            self._waiting -= 1
            return await self._made(answer, making, words, place)
        except BaseException:
            acknowledged.set()
            raise

    async def resend(self, i: Interaction, answer: Answering, words: Words, row: JobRow) -> None:
        """Post a clip once more, here: the answer to this interaction becomes it. A private clip stays private."""
        if row.clip is None:
            raise NotFound("the clip is gone", message_id="error.clip_gone")
        private = row.job.place.visibility == "only_owner"
        if not await answer.defer(private=private):
            return
        place = place_as_shown(place_of(i, words.language, private=private), answer)
        receipt = self._platform.receipt(place, answer.message_id or ORIGINAL, answer.token)
        await self._engine.resend(row.job.id, place, receipt)

    @staticmethod
    async def _until_received(received: asyncio.Event, making: asyncio.Task[tuple[Job, bool]]) -> None:
        """Until the command is durable or refused."""
        waiter = asyncio.ensure_future(received.wait())
        try:
            await asyncio.wait({making, waiter}, timeout=RECEIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()

    async def _made(
        self, answer: Answering, making: asyncio.Task[tuple[Job, bool]], words: Words, place: Place
    ) -> Job | None:
        try:
            job, _ = await making
        except ReelayError as error:
            await answer.refuse(refusal_text(error, words, self._engine.parts.clock.now()))
            return None
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


def place_of(i: Interaction, language: str, *, private: bool, picture: Attached | None = None) -> Place:
    """Where to answer."""
    details: dict[str, Any] = {"user": i.user_id, "member": i.bot_is_member, "dm": i.is_dm}
    if i.guild_id is not None:
        details |= {"chat_subject": i.chat, "guild": i.guild_id, "nsfw": i.nsfw}
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


def _attachment(picture: Attached) -> Attachment:
    return Attachment(
        picture.name, picture.mime, picture.bytes, reference=reference(picture.url, picture.channel, picture.message)
    )
