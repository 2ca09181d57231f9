"""Messages of ours that no row knows, found again by whoever uses them.

Telegram drops no repeated send and lists no messages. After a crash between a send and its record nobody can tell whether the message
stands there, nor under which number. So a card is posted anew (the job needs one), and a clip is not (a second one would be worse). The
message that stood there all the same shows itself when somebody presses one of its buttons or answers it: it is ours, its buttons are
signed for the job, and its number is in no receipt. Then a card becomes the job's card, or, where there is one by now, goes; and a clip
that was in doubt has arrived.

What cannot be known: whether there is such a message, as long as nobody touches it. Until then it keeps its last words.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.commands.marks import Marks
from bot.engine.engine import Engine
from bot.platforms.telegram.render import job_of_button
from bot.platforms.telegram.wire import Spot, Target
from core.errors import NotFound, PlatformError, ReelayError
from core.jobs import Delivery, Receipt
from core.ports import Platform
from core.states import DeliveryState
from storage.views import JobRow

NAME: Final = "telegram"

log = logging.getLogger("reelay.telegram")


class Strays:
    """Looks at each message that somebody uses."""

    def __init__(self, engine: Engine, platform: Platform, marks: Marks) -> None:
        """``platform`` removes what stands there twice."""
        self._engine, self._platform, self._marks = engine, platform, marks

    async def look(self, spot: Spot | None, target: Target | None) -> None:
        """Bring a message of ours that no row knows up to date, or remove it. Raises nothing: it is looked at again at its next use."""
        job_id = None if spot is None or target is None else self._job_of(target)
        if spot is None or target is None or job_id is None:
            return
        try:
            await self._settle(await self._engine.parts.store.view(job_id), spot, target)
        except NotFound:  # its job is not ours, as after the loss of a database: then it is not ours to remove either
            return
        except ReelayError as error:
            log.info("a stray message stays as it is", extra={"job": job_id, "code": error.code})

    def _job_of(self, target: Target) -> str | None:
        """The job of a card or a clip of ours: all its buttons are a card's, and of one job."""
        jobs = {job_of_button(self._marks.read_button(mark)) for mark in target.marks}
        return jobs.pop() if target.is_ours and len(jobs) == 1 else None

    async def _settle(self, row: JobRow, spot: Spot, target: Target) -> None:
        store, job_id = self._engine.parts.store, row.job.id
        here = [each for each in await store.receipts_of_job(job_id) if each.place.platform == NAME]
        if any(each.message == str(target.message_id) for each in here):  # in whichever chat: its chat may have moved
            return
        deliveries = [each for each in await store.deliveries_of_job(job_id) if each.place.platform == NAME]
        if any(each.state is DeliveryState.SENDING for each in deliveries):
            return  # it is perhaps what is being sent at this moment, and will be known in the next
        place = next((each.place for each in deliveries), row.job.place)
        stray = Receipt(replace(place, chat=str(spot.chat_id)), str(target.message_id))
        if row.job.hidden:
            await self._platform.delete(stray)
        elif target.has_video:
            await self._arrived(job_id, replace(stray, kind="media"), deliveries, here)
        elif here:
            await self._platform.delete(stray)
        elif row.job.place.platform == NAME:
            await store.acknowledged(job_id, stray)
            await store.reopen_cards(job_id)
            self._engine.lanes.touch(job_id)

    async def _arrived(
        self, job_id: str, clip: Receipt, deliveries: Sequence[Delivery], here: Sequence[Receipt]
    ) -> None:
        """A clip whose send was in doubt stands there: it is the job's card from now on, instead of the one that told of the doubt."""
        doubt = next(
            (d for d in deliveries if d.state is DeliveryState.UNCLEAR and d.place.chat == clip.place.chat), None
        )
        if doubt is None:
            return
        store = self._engine.parts.store
        await store.reopen_cards(job_id)
        await store.move_delivery(doubt.id, DeliveryState.SENT, receipt=replace(clip, place=doubt.place))
        for each in here:
            if each.kind == "text" and each.place == doubt.place:
                try:
                    await self._platform.delete(each)
                except PlatformError as error:
                    log.info("the card of a clip in doubt still stands", extra={"job": job_id, "code": error.code})
        self._engine.lanes.touch(job_id)
