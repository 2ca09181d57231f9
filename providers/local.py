"""The built-in generator: draws clips on this machine with the media room, needs no account and costs nothing.

A ticket is a pure function of the attempt and holds everything that the drawing needs, so a crash loses nothing: whoever polls it
next finds the finished file, the drawing at work, or begins it again, byte for byte the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, Final

from core.capabilities import Applied, Capabilities
from core.errors import DiskFull, Garbled, MediaError, NotFound, ProviderError, Retry, Unavailable
from core.jobs import Attempt
from core.media import MediaToolbox, RenderRequest
from core.money import Price
from core.ports import (
    Artifact,
    CancelAnswer,
    Connect,
    Failed,
    FindAnswer,
    Found,
    PollAnswer,
    Ready,
    Sink,
    Ticket,
    Waiting,
)
from media.limits import HEAVY_AT_ONCE

MODEL: Final = "scenery-1"
RENDER_SECONDS: Final = 600.0
TRIES: Final = 3
"""Drawings of one attempt that may break before it is given up; a crash of this process does not count."""
PIECE: Final = 256 << 10
AGAIN: Final = "note.drawn_again"

log = logging.getLogger("reelay.local")


def capabilities() -> Capabilities:
    """What the built-in generator can do. Two cores draw one clip at a time fastest."""
    return Capabilities(
        name="local",
        title="Built-in generator",
        company=None,
        models=(MODEL,),
        progress="fraction",
        usual_seconds=12.0,
        maximum_seconds=1800.0,
        poll_seconds=(0.3, 0.5),
        most_active=HEAVY_AT_ONCE,
        audio_switch=True,
        cancel=True,
        unpaid=True,
        stand_in=True,
    )


class LocalGenerator:
    """Implements ``core.ports.Provider`` with renders in child processes."""

    name = "local"

    def __init__(self, media: MediaToolbox, world: Connect, folder: Path) -> None:
        """``folder`` holds finished drawings until they are fetched."""
        self.capabilities = capabilities()
        self._media, self._world, self._folder = media, world, folder
        self._drawings: dict[str, asyncio.Task[None]] = {}
        self._progress: dict[str, float] = {}
        self._broken: dict[str, list[ProviderError]] = {}
        self._begun_here: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def estimate(self, applied: Applied) -> Price:
        """Nothing, whatever is drawn."""
        del applied
        return Price(0)

    async def submit(self, applied: Applied, attempt: Attempt) -> Ticket:
        """Begin to draw."""
        ticket = _ticket(applied, attempt)
        self._begun_here.add(ticket["id"])
        self._draw(ticket)
        return ticket

    async def find(self, applied: Applied, attempt: Attempt) -> FindAnswer:
        """Always found: the ticket follows from the attempt."""
        return Found(_ticket(applied, attempt))

    async def poll(self, ticket: Ticket) -> PollAnswer:
        """Look at the drawing, and begin it again when a restart ended it."""
        drawing = ticket["id"]
        if await asyncio.to_thread(self._file(drawing).exists):
            return Ready(Artifact("file id", drawing))
        broken = self._broken.get(drawing, [])
        if broken and (len(broken) >= TRIES or broken[-1].retry is Retry.NEVER):
            return Failed(broken[-1])
        self._draw(ticket)
        note = None if drawing in self._begun_here else AGAIN
        return Waiting(progress=self._progress.get(drawing, 0.0), note=note)

    async def fetch(self, ticket: Ticket, artifact: Artifact, sink: Sink) -> None:
        """Stream the finished drawing."""
        del artifact
        try:
            file = await asyncio.to_thread(self._file(ticket["id"]).open, "rb")
        except FileNotFoundError as gone:
            raise Garbled("the drawing is no longer there") from gone
        try:
            while piece := await asyncio.to_thread(file.read, PIECE):
                await sink.write(piece)
        finally:
            await asyncio.to_thread(file.close)

    async def cancel(self, ticket: Ticket) -> CancelAnswer:
        """Stop drawing; nothing was billed."""
        await self.release(ticket)
        return "stopped"

    async def release(self, ticket: Ticket) -> None:
        """Stop the drawing if it runs and remove its file."""
        drawing = ticket["id"]
        task = self._drawings.pop(drawing, None)
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=5)
        self._progress.pop(drawing, None)
        self._broken.pop(drawing, None)
        self._begun_here.discard(drawing)
        await asyncio.to_thread(self._file(drawing).unlink, missing_ok=True)

    async def sweep(self, wanted: AbstractSet[str], older_than_seconds: float) -> None:
        """Remove older finished drawings that no attempt of ``wanted`` owns: a crash came between a job's end and ``release``."""
        await asyncio.to_thread(_remove_old, self._folder, wanted, time.time() - older_than_seconds)

    async def check(self) -> str:
        """Draw half a second of nothing much, to see that it can be done."""
        target = self._folder / "check.mp4"
        try:
            await self._media.render(
                RenderRequest(prompt="a lighthouse at golden sunset", seconds=2), target, deadline=60
            )
        except MediaError as error:
            raise Unavailable("the built-in generator cannot draw here", reason=error.code) from error
        finally:
            await asyncio.to_thread(target.unlink, missing_ok=True)
        return "a clip was drawn"

    async def close(self) -> None:
        """Stop every drawing; each is begun again by whoever polls its ticket."""
        tasks = [task for task in self._drawings.values() if not task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5)

    def _file(self, drawing: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{32}", drawing):
            raise Garbled("not a ticket of the built-in generator")
        return self._folder / f"{drawing}.mp4"

    def _draw(self, ticket: Ticket) -> None:
        drawing = ticket["id"]
        running = self._drawings.get(drawing)
        if running is None or running.done():
            self._drawings[drawing] = asyncio.create_task(self._render(ticket), name=f"draw {drawing[:8]}")

    async def _render(self, ticket: Ticket) -> None:
        drawing, wish = ticket["id"], ticket["request"]
        began = time.monotonic()
        try:
            async with contextlib.AsyncExitStack() as stack:
                picture = wish["picture"]
                image = (
                    None if picture is None else await stack.enter_async_context(self._world.pictures.checkout(picture))
                )
                request = RenderRequest(**{**wish["render"], "image": image})
                await self._media.render(
                    request, self._file(drawing), lambda done: self._report(drawing, done), deadline=RENDER_SECONDS
                )
        except (MediaError, NotFound, DiskFull) as error:
            log.warning(
                "a drawing broke",
                extra={
                    "drawing": drawing,
                    "code": error.code,
                    "why": str(error)[:200],
                    "seconds": round(time.monotonic() - began, 1),
                },
            )
            self._broken.setdefault(drawing, []).append(_as_provider_error(error))
        finally:
            self._drawings.pop(drawing, None)
            self._world.hint(ticket["attempt"])

    def _report(self, drawing: str, done: float) -> None:
        self._progress[drawing] = done


def _ticket(applied: Applied, attempt: Attempt) -> dict[str, Any]:
    render: Mapping[str, Any] = {
        "prompt": applied.prompt,
        "negative_prompt": applied.negative_prompt,
        "aspect": applied.aspect_ratio,
        "resolution": applied.resolution,
        "seconds": applied.seconds,
        "seed": applied.seed,
        "sound": applied.audio,
        "caption": applied.look is None,
        "character": applied.character,
        "look": applied.look,
    }
    return {"id": attempt.id, "attempt": attempt.id, "request": {"picture": applied.picture, "render": render}}


def _as_provider_error(error: MediaError | NotFound | DiskFull) -> ProviderError:
    found = Unavailable(f"the drawing failed: {error.code}", message_id="error.drawing_failed", code=error.code)
    if isinstance(error, NotFound):
        found.retry = Retry.NEVER  # type: ignore[misc] # the picture was deleted meanwhile: drawing again cannot help
    return found


def _remove_old(folder: Path, wanted: AbstractSet[str], before: float) -> None:
    for file in folder.glob("*.mp4*"):
        with contextlib.suppress(OSError):
            if file.name.partition(".")[0] not in wanted and file.stat().st_mtime < before:
                file.unlink()


def connect(settings: Any, world: Connect) -> LocalGenerator:
    """Connect the generator that is always there."""
    del settings
    return LocalGenerator(world.media, world, world.scratch / "drawings")
