"""The engine on a stage: real store, real files, real scheduler, runner and lanes; media, generators and chats that cost no time.

For tests in virtual time (``tests.lab.virtual_time``). What needs the real process is in ``tests/journeys``.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from bot.commands.making import order
from bot.engine.alerts import Alerts
from bot.engine.engine import Engine
from bot.engine.figures import NoFigures
from bot.engine.parts import Caps, Parts
from bot.engine.words import Bookshelf
from core.capabilities import Applied
from core.errors import CannotFit, ProviderError, Unclear, UnsupportedMedia
from core.jobs import Actor, Attempt, Clip, Job, Place, Receipt
from core.media import (
    PLAIN_CUT,
    Cutting,
    FitAction,
    Fitted,
    Inspection,
    MediaToolbox,
    Merged,
    MergeReason,
    Picture,
    Song,
)
from core.ports import (
    CancelAnswer,
    CharacterPainter,
    Clock,
    Connect,
    Failed,
    FindAnswer,
    Platform,
    PollAnswer,
    Provider,
    Ready,
    SceneWriter,
    Sink,
    Ticket,
    Waiting,
)
from core.steps import DefaultLimits
from providers.rules import LocalScenes
from storage.database import Database
from storage.film_store import FilmStore
from storage.folder import FolderClipStore
from storage.store import MIGRATIONS, SqliteStore
from tests.lab.chat import Chat
from tests.lab.chat_platform import LIMITS, ChatPlatform, DirectLine
from tests.lab.generator import InstantGenerator, LabSettings
from tests.lab.virtual_time import VirtualClock
from tests.lab.waiting import T

BOOKS = Bookshelf()
LOOK_SECONDS = 0.5
REST_SECONDS = 10.0
"""Virtual seconds after which the store is looked at although nothing was written: its answer may hang on the clock or on a file."""


class QuickMedia:
    """Media that believes every file to be a fine clip."""

    smallest = 1 << 20
    """Bytes under which nothing can be encoded."""
    largest = 16 << 20
    """Bytes above which no copy grows, whatever is allowed: a generator's limit is hundreds of megabytes."""

    def __init__(self) -> None:
        self.merged: list[tuple[int, Cutting]] = []
        """(clips, how) of every cut that was begun."""
        self.on_merge: Callable[[], Awaitable[None]] | None = None

    async def merge(
        self,
        sources: Sequence[Path],
        destination: Path,
        cutting: Cutting = PLAIN_CUT,
        report: Callable[[float], None] | None = None,
        *,
        deadline: float = 0,
    ) -> Merged:
        del deadline
        self.merged.append((len(sources), cutting))
        if self.on_merge is not None:
            await self.on_merge()
        if report is not None:
            report(0.5)
        await asyncio.to_thread(destination.write_bytes, bytes(1000 * len(sources)))
        return Merged(True, MergeReason.SAME, 4.0 * len(sources))

    async def normalise_song(self, source: Path, destination: Path, *, deadline: float = 0) -> Song:
        del deadline
        data = await asyncio.to_thread(source.read_bytes)
        if not data.startswith(b"song"):
            raise UnsupportedMedia("no song", values={"found": "a text file", "kind": "text"})
        await asyncio.to_thread(destination.write_bytes, data)
        return Song(90.0, len(data), 120.0)

    async def inspect(self, source: Path, poster: Path | None = None, *, deadline: float = 0) -> Inspection:
        del deadline
        if poster is not None:
            await asyncio.to_thread(poster.write_bytes, b"\xff\xd8poster")
        size = (await asyncio.to_thread(source.stat)).st_size
        return Inspection("mp4", size, 4.0, 320, 180, 24.0, 96, "h264", "yuv420p", "aac", faststart=True)

    async def fit(
        self, source: Path, destination: Path, limit_bytes: int, report: object = None, *, deadline: float = 0
    ) -> Fitted:
        del source, report, deadline
        if limit_bytes < self.smallest:
            raise CannotFit
        size = min(limit_bytes, self.largest) - 1000
        await asyncio.to_thread(destination.write_bytes, bytes(size))
        return Fitted(FitAction.CRF, size)

    async def last_frame(self, source: Path, destination: Path, *, deadline: float = 0) -> Picture:
        del deadline
        await asyncio.to_thread(shutil.copyfile, source, destination)
        return Picture(320, 180, "image/png", 1000)

    async def normalise_image(
        self, source: Path, destination: Path, most_side: int = 2048, *, deadline: float = 0
    ) -> Picture:
        del most_side, deadline
        await asyncio.to_thread(shutil.copyfile, source, destination)
        return Picture(320, 180, "image/png", 1000)


class TimedGenerator(InstantGenerator):
    """Works for ``seconds`` of the clock, tells a fraction, and hands out a file of ``size`` bytes.

    ``loses``: the answers to submits are lost. ``hides``: look-ups cannot tell. Whether a cancel stops it is in its settings.
    """

    def __init__(self, settings: LabSettings, clock: Clock, seconds: float = 30.0, size: int = 100_000) -> None:
        super().__init__(settings)
        self._clock, self.seconds, self.size = clock, seconds, size
        self.began: dict[str, float] = {}
        self.cancelled: list[str] = []
        self.released: list[str] = []
        self.polls: list[float] = []
        self.loses = self.hides = False
        self.refuses: dict[str, ProviderError] = {}
        """What a submit is refused with, by a word of its prompt."""
        self.fails: dict[str, ProviderError] = {}
        """What becomes of a clip after its time, by a word of its prompt."""
        self.applied: list[Applied] = []
        """Of every submit that was taken."""
        self.cost_usd: float | None = None
        self.on_fetch: Callable[[], Awaitable[None]] | None = None

    async def submit(self, applied: Applied, attempt: Attempt) -> Ticket:
        for word, error in self.refuses.items():
            if word in applied.prompt:
                raise error
        self.began[attempt.id] = self._clock.monotonic()
        self.applied.append(applied)
        ticket = {**await super().submit(applied, attempt), "prompt": applied.prompt}
        if self.loses:
            raise Unclear("the answer was lost")
        return ticket

    async def find(self, applied: Applied, attempt: Attempt) -> FindAnswer:
        return "cannot tell" if self.hides else await super().find(applied, attempt)

    async def cancel(self, ticket: Ticket) -> CancelAnswer:
        self.cancelled.append(str(ticket["id"]))
        return "stopped" if self.settings.cancel else "still billed"

    async def release(self, ticket: Ticket) -> None:
        self.released.append(str(ticket["id"]))

    async def poll(self, ticket: Ticket) -> PollAnswer:
        self.polls.append(self._clock.monotonic())
        elapsed = self._clock.monotonic() - self.began.setdefault(str(ticket["id"]), self._clock.monotonic())
        if elapsed < self.seconds:
            return Waiting(progress=elapsed / self.seconds)
        for word, error in self.fails.items():
            if word in ticket.get("prompt", ""):
                return Failed(error)
        answer = await super().poll(ticket)
        assert isinstance(answer, Ready)
        return Ready(replace(answer.artifact, cost_usd=self.cost_usd))

    async def fetch(self, ticket: Ticket, artifact: object, sink: Sink) -> None:
        del ticket, artifact
        if self.on_fetch is not None:
            await self.on_fetch()
        await sink.write(bytes(self.size))


class Counting(NoFigures):
    """Figures that a test reads."""

    def __init__(self) -> None:
        self.edits: dict[str, int] = {}

    def edit(self, platform: str, outcome: str) -> None:
        del platform
        self.edits[outcome] = self.edits.get(outcome, 0) + 1


@dataclass
class Stage:
    """One engine that runs. ``order`` and ``until`` are what most tests need."""

    engine: Engine
    parts: Parts
    clock: VirtualClock
    chat: Chat
    generator: TimedGenerator
    figures: Counting
    written: asyncio.Event
    """Set after each commit."""
    media: QuickMedia
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def store(self) -> SqliteStore:
        return self.parts.store

    async def order(
        self,
        prompt: str = "a lighthouse",
        *,
        person: str = "ann",
        place: Place | None = None,
        answers: bool = True,
        **fields: Any,
    ) -> Job:
        """Order as a chat adapter does that answers by itself (``card``); the lane posts the card when it does not."""
        place = place or Place("chat", chat="room")
        actor = Actor(place.platform, person)
        job, _ = await order(self.engine, actor, place, {"prompt": prompt, **fields}, answers=answers)
        return job

    async def card(self, job: Job) -> Receipt:
        """Post the card at once, as an adapter's acknowledgement does."""
        _, card = await self.engine.desk.card(job.id)
        receipt = await self.parts.platforms[job.place.platform].send(job.place, card)
        await self.store.acknowledged(job.id, receipt)
        return receipt

    async def until(self, look: Callable[[], T] | Callable[[], Any], seconds: float = 600.0) -> Any:
        """Look every half of a virtual second; a coroutine, which asks the store, only after a write or ten seconds."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            self.written.clear()
            asked = look()
            found = await asked if isinstance(asked, Awaitable) else asked
            if found:
                return found
            if asked is not found:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.written.wait(), REST_SECONDS)
            await asyncio.sleep(LOOK_SECONDS)
        raise TimeoutError(f"not within {seconds:g} virtual seconds")

    async def settled(self, job: Job, seconds: float = 3600.0) -> Job:
        """Wait until the job has ended, its card is closed, and neither a delivery nor a notice is due."""

        async def look() -> bool:
            ended = (await self.store.job(job.id)).ended
            return ended and (await self.store.lane_work(job.id)).settled

        await self.until(look, seconds)
        return await self.store.job(job.id)


@contextlib.asynccontextmanager
async def stage(
    folder: Path,
    clock: VirtualClock,
    *,
    chat: Chat | None = None,
    limits: Any = LIMITS,
    seconds: float = 30.0,
    size: int = 100_000,
    lab: LabSettings | None = None,
    more: Mapping[str, Provider] | None = None,
    platforms: Mapping[str, Platform] | None = None,
    link: Callable[[Clip], str | None] = lambda _clip: None,
    caps: Caps | None = None,
    writer: SceneWriter | None = None,
    painter: CharacterPainter | None = None,
    limit: int | None = None,
) -> AsyncIterator[Stage]:
    """Open the engine on ``folder``; opening the same folder again is a restart."""
    written = asyncio.Event()
    database = await Database.open(folder / "reelay.db", MIGRATIONS, on_batch=lambda _members, _seconds: written.set())
    try:
        defaults = DefaultLimits(limit, None, None)
        store = SqliteStore(database, clock, defaults, lambda platform, external: f"gone {platform} {external}")
        lab = lab or LabSettings(name="lab", poll_seconds=(2.0, 5.0), maximum_seconds=3600.0, unpaid=True, price=0)
        generator = TimedGenerator(lab, clock, seconds, size)
        figures, media = Counting(), QuickMedia()
        chat = chat or Chat(clock.monotonic)
        chat.now = clock.monotonic
        parts = Parts(
            store=store,
            clips=FolderClipStore(folder / "clips", budget_bytes=None),
            media=cast("MediaToolbox", media),
            clock=clock,
            alerts=Alerts(store),
            providers={lab.name: generator, **(more or {})},
            default_provider=lab.name,
            writer=writer or LocalScenes(),
            plain_writer=LocalScenes(),
            painter=painter or cast("Any", None),
            films=FilmStore(store),
            words=BOOKS.words,
            figures=figures,
            caps=caps or Caps(running_per_person=100, waiting_per_person=1000),
            link=link,
            low_water_bytes=0,
        )
        engine = Engine(parts, flat_price=None, retention_days=30, disk_budget=None)
        parts.platforms["chat"] = ChatPlatform(DirectLine(chat), engine, clock, limits=limits)
        parts.platforms.update(platforms or {})
        found = Stage(engine, parts, clock, chat, generator, figures, written, media)
        await engine.start()
        try:
            yield found
        finally:
            for task in found.tasks:
                task.cancel()
            await engine.stop(5.0)
    finally:
        await database.close()


def connect(clock: Clock, scratch: Path, pictures: Any) -> Connect:
    """What a generator's ``connect`` is given."""
    return Connect(clock=clock, hint=lambda _attempt: None, pictures=pictures, scratch=scratch, media=QuickMedia())
