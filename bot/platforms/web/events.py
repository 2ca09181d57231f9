"""The stream of status objects: one bounded queue per open page, and a slow tick for what changes without a commit."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, Final

from bot.engine.status import StatusDesk
from bot.engine.words import Bookshelf
from bot.platforms.web.answers import TooManyRequests
from core.errors import NotFound, ReelayError
from core.ports import Clock
from storage.store import SqliteStore
from storage.views import JobRow

QUEUE: Final = 200
"""Events that a slow page may be behind; then its stream ends and it catches up by Last-Event-ID."""
TICK_SECONDS: Final = 1.0
LIVE_MOST: Final = 30
CATCH_UP_MOST: Final = 200
LATELY_MS: Final = 60_000
PAGES_MOST: Final = 32
"""Streams that one account may have open. Each costs a look at every change, so a person's tabs fit and a flood does not."""
PAGES_RETRY_SECONDS: Final = 30.0

log = logging.getLogger("reelay.web")


class Stream:
    """One open page."""

    def __init__(self, account_id: str, subject: str, language: str) -> None:
        """``language`` of the sentences."""
        self.account_id, self.subject, self.language = account_id, subject, language
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE)
        self.sent: dict[str, str] = {}

    def put(self, frame: bytes | None) -> None:
        """Queue a frame; a page that is too far behind is let go."""
        try:
            self.queue.put_nowait(frame)
        except asyncio.QueueFull:
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(None)


def frame(event: str, data: Any, event_id: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {event}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


class Hub:
    """Knows which pages are open and what each was last told."""

    def __init__(self, store: SqliteStore, desk: StatusDesk, shelf: Bookshelf, clock: Clock) -> None:
        """``run`` ticks until cancelled."""
        self._store, self._desk, self._shelf, self._clock = store, desk, shelf, clock
        self._streams: dict[str, set[Stream]] = {}
        self.tell_me: Any = None
        """Set by the server: builds the ``/api/me`` object of a stream."""
        self._closed = False

    @property
    def open_pages(self) -> int:
        """How many streams are open."""
        return sum(len(streams) for streams in self._streams.values())

    def join(self, stream: Stream) -> None:
        """A page opened its stream. Raises TooManyRequests when the account has enough of them."""
        if len(self._streams.get(stream.account_id, ())) >= PAGES_MOST:
            raise TooManyRequests("too many streams", values={"retry_after": PAGES_RETRY_SECONDS})
        if self._closed:
            stream.put(None)
        self._streams.setdefault(stream.account_id, set()).add(stream)

    def leave(self, stream: Stream) -> None:
        """A page went away."""
        streams = self._streams.get(stream.account_id, set())
        streams.discard(stream)
        if not streams:
            self._streams.pop(stream.account_id, None)

    async def catch_up(self, stream: Stream, last_event_id: str | None) -> None:
        """Send what changed since the page's last event."""
        if last_event_id is None or not last_event_id.isdecimal() or len(last_event_id) > 16:
            return
        rows = await self._store.history(stream.account_id, limit=CATCH_UP_MOST, changed_after=int(last_event_id) - 1)
        for row in reversed(rows):
            await self._send(stream, row)
        for job_id in await self._store.gone_since(stream.account_id, int(last_event_id) - 1, CATCH_UP_MOST):
            stream.put(frame("gone", {"operation_id": job_id}))

    async def publish(self, account_id: str, job_id: str) -> None:
        """A job of this account changed."""
        streams = list(self._streams.get(account_id, ()))
        if not streams:
            return
        try:
            row = await self._store.view(job_id, account_id)
        except NotFound:
            self.gone(account_id, job_id)
            return
        for stream in streams:
            await self._send(stream, row)
            await self._send_me(stream)

    def gone(self, account_id: str, job_id: str) -> None:
        """A job was deleted."""
        for stream in self._streams.get(account_id, ()):
            stream.sent.pop(job_id, None)
            stream.put(frame("gone", {"operation_id": job_id}))

    async def lately_gone(self, account_id: str) -> None:
        """Something of this account was deleted just now; what it was, the store knows."""
        if account_id in self._streams:
            for job_id in await self._store.gone_since(account_id, self._clock.now() - LATELY_MS):
                self.gone(account_id, job_id)

    async def _send(self, stream: Stream, row: JobRow) -> None:
        status = await self._desk.status(row, self._shelf.words(stream.language))
        same = json.dumps({**status, "elapsed_seconds": None}, sort_keys=True, default=str)
        if stream.sent.get(row.job.id) == same:
            return
        if row.job.ended:
            stream.sent.pop(row.job.id, None)
        else:
            stream.sent[row.job.id] = same
        stream.put(frame("status", status, str(row.job.updated_at)))

    async def _send_me(self, stream: Stream) -> None:
        if self.tell_me is None:
            return
        me = await self.tell_me(stream.account_id, stream.subject)
        same = json.dumps(me, sort_keys=True, default=str)
        if stream.sent.get("me") != same:
            stream.sent["me"] = same
            stream.put(frame("me", me))

    async def run(self) -> None:
        """Refresh what time alone changes: places in the line, estimates, minutes so far."""
        while True:
            await self._clock.sleep(TICK_SECONDS)
            for account_id in list(self._streams):
                try:
                    rows = await self._store.history(account_id, limit=LIVE_MOST, live=True)
                    for stream in list(self._streams.get(account_id, ())):
                        for row in rows:
                            await self._send(stream, row)
                except ReelayError as error:
                    log.warning("a page could not be refreshed", extra={"code": error.code})

    def close(self) -> None:
        """End every stream: the process stops."""
        self._closed = True
        for streams in self._streams.values():
            for stream in streams:
                stream.put(None)
