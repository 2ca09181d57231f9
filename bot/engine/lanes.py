"""One lane per message: edits and the delivery of a job's cards, one call at a time, from the row as it is at that moment.

Nothing is queued but the wish to look: however often a job changes, its card is computed when it is sent, so the latest state wins.
An edit that would show the same is not sent; the last edit is the end.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter
from typing import Final

from bot.engine.deliveries import Courier
from bot.engine.parts import Parts
from bot.engine.status import StatusDesk
from core.cards import Card
from core.errors import Forbidden, Gone, NotFound, PlatformBusy, ReelayError, TooLarge, WasDone
from core.jobs import CardRow, Job, Place
from storage.messages import LaneWork
from storage.views import JobRow

AT_ONCE: Final = 96
"""Messages that are worked on at the same moment."""
AT_ONCE_PER_PLATFORM: Final = 24
"""Of these, on one platform: one that does not answer cannot hold up the others."""
AT_ONCE_PER_CHAT: Final = 4
"""Of these, in one chat: a chat that is asked for a lot, or that takes little, cannot hold up the others."""
EDIT_SECONDS: Final = 20.0
"""Deadline of one edit or send."""
EDIT_TRIES: Final = 6
GIVE_UP_SECONDS: Final = 3600.0
"""A card that nobody could edit is closed after as many tries, but only so long after its job's last change: until then the platform
may merely be down, and a card that stays as it is would tell an untruth for ever."""
FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0
"""Seconds between two tries of one edit; a platform that asks for longer is obeyed."""
REFRESH_TICK: Final = 2.0
WALK: Final = 200
"""Cards looked at in one read after a restart."""

Door = tuple[str, ...]
"""What takes only so many at once: a platform (its name), or one chat of it (the name, the chat)."""

log = logging.getLogger("reelay.lanes")


class Lanes:
    """Keeps every open card true."""

    def __init__(self, parts: Parts, desk: StatusDesk) -> None:
        """``touch`` says that a job changed; ``run`` does the edits."""
        self._parts, self._desk = parts, desk
        self._courier = Courier(parts)
        self._dirty: dict[str, None] = {}
        self._working: dict[str, asyncio.Task[None]] = {}
        self._inside: Counter[Door] = Counter()
        self._parked: dict[Door, dict[str, None]] = {}
        """Jobs that wait at a door, the longest waiting first."""
        self._later: dict[str, asyncio.TimerHandle] = {}
        self._resting: set[str] = set()
        """Jobs whose lane broke a moment ago: their due deliveries are not looked at at once, or one fault would spin."""
        self._wake = asyncio.Event()
        self.stopping = False

    def touch(self, job: Job | str) -> None:
        """This job's card may be out of date."""
        self._dirty[job if isinstance(job, str) else job.id] = None
        self._wake.set()

    async def run(self) -> None:
        """Bring every open card up to date, then follow changes until cancelled."""
        refresh_at, walked = 0.0, False
        while True:
            self._wake.clear()
            self._start_ready()
            try:
                if not walked:
                    await self._walk()
                    walked = True
                wait = await self._look_for_due()
                if self._parts.clock.monotonic() >= refresh_at:
                    refresh_at = self._parts.clock.monotonic() + REFRESH_TICK
                    await self._refresh()
            except ReelayError as error:
                log.warning("looking for deliveries failed", extra={"code": error.code})
                wait = REFRESH_TICK
            self._start_ready()
            try:
                await asyncio.wait_for(self._wake.wait(), wait)
            except TimeoutError:
                continue

    async def _walk(self) -> None:
        """After a restart every card that is still open is looked at once."""
        after = 0
        while True:  # ends: ids only rise
            cards = await self._parts.store.open_cards(after, WALK)
            if not cards:
                return
            for _, job_id in cards:
                self.touch(job_id)
            after = cards[-1][0]
            self._start_ready()
            await asyncio.sleep(0)

    async def _look_for_due(self) -> float:
        full = [door[0] for door in self._inside if len(door) == 1 and self._free(door) <= 0]
        deliveries, next_at = await self._parts.store.due_deliveries(WALK, full)
        for delivery in deliveries:
            job_id = delivery.job_id
            parked = any(job_id in self._parked.get(door, ()) for door in _doors(delivery.place))
            if job_id not in self._working and job_id not in self._resting and not parked:
                self._dirty[job_id] = None
        if next_at is None:
            return REFRESH_TICK
        return max(0.01, min(REFRESH_TICK, (next_at - self._parts.clock.now()) / 1000))

    async def _refresh(self) -> None:
        """Estimates grow old: running cards are looked at again at their platform's pace."""
        pace = {
            n: p.limits.refresh_seconds
            for n, p in self._parts.platforms.items()
            if p.limits.refresh_seconds is not None
        }
        if pace:
            for job_id in await self._parts.store.cards_to_refresh(pace, AT_ONCE):
                self.touch(job_id)

    def _start_ready(self) -> None:
        for job_id in list(self._dirty):
            if len(self._working) >= AT_ONCE or self.stopping:
                return
            if job_id not in self._working:
                del self._dirty[job_id]
                self._working[job_id] = asyncio.create_task(self._serve(job_id), name=f"lane {job_id}")

    async def _serve(self, job_id: str) -> None:
        try:
            work = await self._parts.store.lane_work(job_id)
            due = work.due(self._parts.clock.now())
            if due.cards or due.deliveries or due.notices:
                await self._show_in_turn(job_id, due)
        except NotFound:
            log.debug("the job was deleted meanwhile", extra={"job": job_id})
        except ReelayError as error:
            log.warning("a lane did not go through", extra={"job": job_id, "code": error.code})
            self._rest(job_id, REFRESH_TICK)
        except Exception:
            log.exception("a lane broke", extra={"job": job_id})
            self._rest(job_id, 30.0)
        finally:
            self._working.pop(job_id, None)
            self._let_in()
            self._wake.set()

    async def _show_in_turn(self, job_id: str, due: LaneWork) -> None:
        """Show when every platform and chat concerned has room; else wait without holding a place, until one is free there."""
        doors = {door for place in due.places() for door in _doors(place)}
        full = next((door for door in doors if self._free(door) <= 0), None)
        if full is not None:
            self._parked.setdefault(full, {})[job_id] = None
            return
        self._inside.update(doors)
        try:
            await self._show(job_id, due)
        finally:
            self._inside.subtract(doors)
            self._inside += Counter()  # forgets the doors behind which nobody is

    def _free(self, door: Door) -> int:
        return (AT_ONCE_PER_PLATFORM if len(door) == 1 else AT_ONCE_PER_CHAT) - self._inside[door]

    def _let_in(self) -> None:
        """Look again at who waits where there is room, not only where it is new: who was let in may have had nothing to do."""
        for door, waiting in list(self._parked.items()):
            for job_id in list(waiting)[: max(0, self._free(door))]:
                del waiting[job_id]
                self._dirty[job_id] = None
            if not waiting:
                del self._parked[door]

    async def _show(self, job_id: str, due: LaneWork) -> None:
        row, card = await self._desk.card(job_id)
        cards = due.cards
        for delivery in due.deliveries:
            mine = next((c for c in cards if c.place == delivery.place), None)
            delivered = await self._courier.deliver(delivery, mine, row, card)
            if delivered and mine is not None:
                cards = [c for c in cards if c.id != mine.id]
                self.touch(job_id)  # the job may have gone on while its clip was on its way
        if due.deliveries and cards:
            row, card = await self._desk.card(job_id)  # it tells as well what became of the delivery
        unsent = {d.place.chat for d in await self._parts.store.deliveries_of_job(job_id) if d.due_at is not None}
        for mine in cards:
            if mine.place.chat not in unsent:  # the delivery brings the last edit itself
                await self._edit(mine, row, card)
        for notice in due.notices:  # last: nothing of the clip waits for it
            await self._courier.notify(notice, row, card)

    async def _edit(self, mine: CardRow, row: JobRow, card: Card) -> None:
        platform = self._parts.platforms.get(mine.place.platform)
        if platform is None:
            return  # its platform is not configured now; the card stays open until it is
        now = self._parts.clock.now()
        digest = card.digest(steps=100 if platform.limits.refresh_seconds is None else 10)
        if digest == mine.shown_hash and not (card.final and not mine.closed):
            self._parts.figures.edit(platform.name, "dropped")
            return
        if now < mine.next_edit_at:
            self._touch_later(row.job.id, (mine.next_edit_at - now) / 1000)
            return
        if digest == mine.shown_hash:
            await self._shown(mine, mine.receipt, digest, row.job)
            return
        try:
            async with asyncio.timeout(EDIT_SECONDS):
                receipt = await (
                    platform.send(mine.place, card) if mine.receipt is None else platform.edit(mine.receipt, card)
                )
        except Exception as error:  # noqa: BLE001 - an adapter's own fault counts as a try, or it would be tried for ever
            if isinstance(error, PlatformBusy) and error.facts.get("left_out"):
                await self._left_out(mine, row, error.retry_after or LONGEST_WAIT)
            else:
                await self._not_edited(mine, row, error)
            return
        if mine.receipt is None:
            self._parts.reach("posted")
        self._parts.figures.edit(platform.name, "sent")
        await self._shown(mine, receipt, digest, row.job if card.final else None)

    async def _shown(
        self, mine: CardRow, receipt: object, digest: str, final: Job | None = None, rest: float = math.inf
    ) -> None:
        """``final``: the job, whose last news these were; ``rest``: seconds after which it may be edited again, where that is sooner than
        its platform's pace.
        """
        limits = self._parts.platforms[mine.place.platform].limits
        next_edit_at = self._parts.clock.now() + int(min(rest, limits.seconds_between_edits) * 1000)
        closed = await self._parts.store.card_shown(
            mine.id,
            receipt=receipt,  # type: ignore[arg-type] # a Receipt or None, as the platform returned it
            digest=digest,
            next_edit_at=next_edit_at,
            final=None if final is None else final.version,
        )
        if final is not None and not closed:
            self.touch(final)

    async def _left_out(self, mine: CardRow, row: JobRow, rest: float) -> None:
        """The platform did not find the edit worth making yet: no failure, and not shown either. What is news is looked at meanwhile."""
        self._parts.figures.edit(mine.place.platform, "dropped")
        if mine.shown_hash is not None:  # only so that it is not looked at again at once
            await self._shown(mine, mine.receipt, mine.shown_hash, rest=rest)
        self._touch_later(row.job.id, rest)

    async def _not_edited(self, mine: CardRow, row: JobRow, error: Exception) -> None:
        self._parts.figures.edit(mine.place.platform, "failed")
        final = isinstance(error, Gone | Forbidden | TooLarge) or self._given_up(mine, row)
        unsure_send = mine.receipt is None and getattr(error, "was_done", WasDone.UNKNOWN) is WasDone.UNKNOWN
        wait = getattr(error, "retry_after", None) or min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(mine.failures, 10))
        code = error.code if isinstance(error, ReelayError) else type(error).__name__
        unforeseen = None if isinstance(error, ReelayError | TimeoutError | OSError) else error
        log.info(
            "an edit did not go through",
            exc_info=unforeseen,
            extra={"job": row.job.id, "platform": mine.place.platform, "code": code},
        )
        limits = self._parts.platforms[mine.place.platform].limits
        closed = final or (unsure_send and not limits.idempotent_send)
        await self._parts.store.card_failed(mine.id, self._parts.clock.now() + int(wait * 1000), closed=closed)
        if not closed:
            self._touch_later(row.job.id, wait)

    def _given_up(self, mine: CardRow, row: JobRow) -> bool:
        """Whether a failed edit was the last one. A clip that came late changes its job after the end, so not the end counts."""
        age = self._parts.clock.now() - row.job.updated_at
        return row.job.ended and mine.failures + 1 >= EDIT_TRIES and age > GIVE_UP_SECONDS * 1000

    def _rest(self, job_id: str, seconds: float) -> None:
        self._resting.add(job_id)
        self._touch_later(job_id, seconds)

    def _touch_later(self, job_id: str, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time() + max(0.01, seconds)
        old = self._later.get(job_id)
        if old is not None:
            if old.when() <= at:
                return  # whoever looks then asks again for what is later: another card of the job may be due before
            old.cancel()

        def touch() -> None:
            self._later.pop(job_id, None)
            self._resting.discard(job_id)
            self.touch(job_id)

        self._later[job_id] = loop.call_at(at, touch)

    async def stop(self, seconds: float) -> None:
        """Let the calls in flight end within ``seconds``; the rest is found again at the next start."""
        self.stopping = True
        for timer in self._later.values():
            timer.cancel()
        tasks = list(self._working.values())
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5)


def _doors(place: Place) -> tuple[Door, Door]:
    return (place.platform,), (place.platform, place.chat)
