"""The media room's front desk: every operation as an awaitable that owns its child process from start to reaping."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import errno
import secrets
import shutil
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from core.capabilities import PictureLimits
from core.errors import DiskFull, MediaTimedOut, WorkerDied
from core.media import (
    PLAIN_CUT,
    Cutting,
    FitAction,
    Fitted,
    Inspection,
    Merged,
    MergeReason,
    Picture,
    Preview,
    Rendered,
    RenderRequest,
    Report,
    Song,
)
from media.children import PREFIX, Child
from media.limits import HEAVY_AT_ONCE, MIB, Lane

_Shape = TypeVar("_Shape")
_Value = TypeVar("_Value")

SPARE_SECONDS: Final = 120.0
"""How long an idle spare waits for work before it is let go."""
SPARE_PAUSE_SECONDS: Final = 0.5
"""Its imports take a core for about this long; the clip that was just inspected is on its way to a chat meanwhile, and goes first."""
QUICK_COPY_BYTES: Final = 128 * MIB
"""Clips that only follow one another, up to so much in all, do not wait behind those who encode."""
PATIENCE: Final[dict[Lane, float]] = {"quick": 120.0, "heavy": 3600.0}
"""Longest wait for a free place in a lane, seconds."""


class MediaTools:
    """``core.media.MediaToolbox`` with real children. At most ``quick`` and ``heavy`` of them work at once, plus one
    warm spare.
    """

    def __init__(self, scratch: Path, *, quick: int = 2, heavy: int = HEAVY_AT_ONCE, spare: bool = True) -> None:
        """``scratch``: a folder for private directories, best on the same file system as the destinations."""
        self._scratch = Path(_full(scratch))  # children work in folders of their own, so no path may be relative
        self._places: dict[Lane, asyncio.Semaphore] = {
            "quick": asyncio.Semaphore(quick),
            "heavy": asyncio.Semaphore(heavy),
        }
        self._keeps_spare = spare
        self._spare: Child | None = None
        self._spare_timer: asyncio.TimerHandle | None = None
        self._pause_timer: asyncio.TimerHandle | None = None
        """Until the waiting spare is let go, and until the next one is started."""
        self._children: set[Child] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._open = False

    async def start(self) -> None:
        """Create the scratch folder and remove what an earlier process left in it."""
        await asyncio.to_thread(_sweep, self._scratch)
        self._open = True

    async def close(self) -> None:
        """Kill every child and wait until all of them and their directories are gone; calls in flight raise
        ``WorkerDied``.
        """
        self._open = False
        if self._pause_timer is not None:
            self._pause_timer.cancel()
        self._drop_spare()
        for child in list(self._children):
            self._own(self._end(child))
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def inspect(self, source: Path, poster: Path | None = None, *, deadline: float = 30.0) -> Inspection:
        """See ``MediaToolbox.inspect``."""
        return _shaped(Inspection, await self._quick("inspect", source, poster, deadline, output_key="poster"))

    async def normalise_image(
        self, source: Path, destination: Path, most_side: int = 2048, *, deadline: float = 30.0
    ) -> Picture:
        """See ``MediaToolbox.normalise_image``."""
        return _shaped(
            Picture, await self._quick("normalise_image", source, destination, deadline, most_side=most_side)
        )

    async def encode_image(
        self, source: Path, destination: Path, limits: PictureLimits, *, deadline: float = 30.0
    ) -> Picture:
        """See ``MediaToolbox.encode_image``."""
        wanted: dict[str, Any] = {"most_side": limits.side, "most_bytes": limits.bytes, "mimes": list(limits.mimes)}
        return _shaped(Picture, await self._quick("encode_image", source, destination, deadline, **wanted))

    async def poster(self, source: Path, destination: Path, *, deadline: float = 30.0) -> Picture:
        """See ``MediaToolbox.poster``."""
        return _shaped(Picture, await self._quick("poster", source, destination, deadline))

    async def preview(self, source: Path, destination: Path, *, deadline: float = 60.0) -> Preview:
        """See ``MediaToolbox.preview``."""
        return _shaped(Preview, await self._quick("preview", source, destination, deadline))

    async def last_frame(self, source: Path, destination: Path, *, deadline: float = 60.0) -> Picture:
        """See ``MediaToolbox.last_frame``."""
        return _shaped(Picture, await self._quick("last_frame", source, destination, deadline))

    async def fit(
        self,
        source: Path,
        destination: Path,
        limit_bytes: int,
        report: Report | None = None,
        *,
        deadline: float = 900.0,
    ) -> Fitted:
        """See ``MediaToolbox.fit``."""
        request = {"operation": "fit", "source": _full(source), "limit_bytes": limit_bytes}
        result = await self._run("heavy", request, destination, report, deadline)
        return Fitted(action=FitAction(result.get("action", "")), bytes=result["bytes"])

    async def merge(
        self,
        sources: Sequence[Path],
        destination: Path,
        cutting: Cutting = PLAIN_CUT,
        report: Report | None = None,
        *,
        deadline: float = 1800.0,
    ) -> Merged:
        """See ``MediaToolbox.merge``."""
        wanted = dataclasses.asdict(cutting) | {"song": _full(cutting.song) if cutting.song else None}
        request = {"operation": "merge", "sources": [_full(path) for path in sources], **wanted}
        plain = dataclasses.replace(cutting, clip_sound=PLAIN_CUT.clip_sound, seed=0) == PLAIN_CUT
        if plain and await asyncio.to_thread(_bytes, sources) <= QUICK_COPY_BYTES:
            result = await self._run("quick", {**request, "only_copy": True}, destination, report, deadline)
            if not result.get("declined"):
                return _merged(result)
        return _merged(await self._run("heavy", request, destination, report, deadline))

    async def normalise_song(self, source: Path, destination: Path, *, deadline: float = 120.0) -> Song:
        """See ``MediaToolbox.normalise_song``."""
        return _shaped(Song, await self._quick("normalise_song", source, destination, deadline))

    async def render(
        self, request: RenderRequest, destination: Path, report: Report | None = None, *, deadline: float = 600.0
    ) -> Rendered:
        """See ``MediaToolbox.render``."""
        wanted = dataclasses.asdict(request) | {"image": _full(request.image) if request.image else None}
        result = await self._run("heavy", {"operation": "render", **wanted}, destination, report, deadline)
        return Rendered(bytes=result["bytes"], seconds=float(result.get("seconds", request.seconds)))

    async def _quick(
        self,
        operation: str,
        source: Path,
        destination: Path | None,
        deadline: float,
        *,
        output_key: str = "output",
        **more: Any,
    ) -> dict[str, Any]:
        request = {"operation": operation, "source": _full(source), **more}
        return await self._run("quick", request, destination, None, deadline, output_key=output_key)

    async def _run(
        self,
        lane: Lane,
        request: Mapping[str, Any],
        destination: Path | None,
        report: Report | None,
        deadline: float,
        *,
        output_key: str = "output",
    ) -> dict[str, Any]:
        """Ask a child of ``lane``; put its output in place; return its result with the size in bytes as we see it."""
        self._check_open()
        place = self._places[lane]
        try:
            async with asyncio.timeout(PATIENCE[lane]):
                await place.acquire()
        except TimeoutError as error:
            raise MediaTimedOut(f"no free place in the {lane} lane") from error
        try:
            self._check_open()  # it may have closed while a place or a child was waited for
            child = await self._uncut(self._take(lane), self._end)
            try:
                self._check_open()
                output = child.directory / f"output{destination.suffix or '.bin'}" if destination else None
                progress = _Progress(report)
                try:
                    async with asyncio.timeout(deadline):
                        result = await child.ask({**request, output_key: str(output) if output else None}, progress)
                except TimeoutError as error:
                    raise MediaTimedOut(f"{request['operation']} took longer than {deadline:g} s") from error
                if result.get("declined"):
                    return result
                if output and destination:
                    size = await self._uncut(
                        asyncio.to_thread(_publish, output, destination), lambda _: _remove(destination)
                    )
                    if output_key == "output":
                        result["bytes"] = size
                progress.finish()
                return result
            finally:
                await self._uncut(self._end(child), None)
        finally:
            place.release()
            self._want_spare(lane)

    def _check_open(self) -> None:
        if not self._open:
            raise WorkerDied("the media room is closed")

    async def _uncut(self, work: Coroutine[Any, Any, _Value], undo: Any) -> _Value:
        """Run ``work`` to its end although the caller may be cancelled meanwhile; then ``undo`` its result and go on
        cancelling.
        """
        task = self._own(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if undo is not None:
                await asyncio.shield(self._own(self._undone(task, undo)))
            raise

    async def _undone(self, task: asyncio.Task[Any], undo: Any) -> None:
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await undo(await task)

    def _own(self, work: Coroutine[Any, Any, _Value]) -> asyncio.Task[_Value]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _take(self, lane: Lane) -> Child:
        spare = self._spare
        if lane == "quick" and spare is not None:
            self._forget_spare()
            if spare.alive:
                return spare
            await self._end(spare)
        return await self._begin(lane)

    async def _begin(self, lane: Lane, *, spare: bool = False) -> Child:
        try:
            child = await Child.start(lane, self._scratch, spare=spare)
        except OSError as error:
            raise _no_room(error, "no child could be started") from error
        self._children.add(child)
        return child

    async def _end(self, child: Child) -> None:
        await child.end()
        self._children.discard(child)

    def _want_spare(self, lane: Lane) -> None:
        if lane == "quick" and self._keeps_spare and self._open and self._spare is None and self._pause_timer is None:
            self._pause_timer = asyncio.get_running_loop().call_later(SPARE_PAUSE_SECONDS, self._start_spare)

    def _start_spare(self) -> None:
        self._pause_timer = None
        if self._open and self._spare is None:
            self._own(self._warm())

    async def _warm(self) -> None:
        try:
            child = await self._begin("quick", spare=True)
        except (WorkerDied, DiskFull):
            return  # the next call starts its own, and says what is wrong
        if self._open and self._spare is None:
            self._spare = child
            self._spare_timer = asyncio.get_running_loop().call_later(SPARE_SECONDS, self._drop_spare)
        else:
            await self._end(child)

    def _forget_spare(self) -> None:
        self._spare = None
        if self._spare_timer is not None:
            self._spare_timer.cancel()
            self._spare_timer = None

    def _drop_spare(self) -> None:
        spare = self._spare
        self._forget_spare()
        if spare is not None:
            self._own(self._end(spare))


class _Progress:
    """Turn stages into one fraction that never falls; 1 is kept for the moment the file is in its place."""

    def __init__(self, report: Report | None) -> None:
        self._report, self._reached = report, 0.0

    def __call__(self, _stage: str, done: int, total: int) -> None:
        fraction = min(0.99, done / total) if total > 0 else 0.0
        if self._report is not None and fraction > self._reached:
            self._reached = fraction
            self._report(fraction)

    def finish(self) -> None:
        if self._report is not None:
            self._report(1.0)


def _sweep(scratch: Path) -> None:
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in scratch.glob(f"{PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)


def _publish(output: Path, destination: Path) -> int:
    """Move ``output`` to ``destination`` in one step, also across file systems; return its size."""
    try:
        return _moved(output, destination)
    except OSError as error:
        raise _no_room(error, "the output could not be put in place") from error


def _no_room(error: OSError, what: str) -> DiskFull | WorkerDied:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"{what}: no room")
    return WorkerDied(f"{what}: {errno.errorcode.get(error.errno or 0, 'no number')}")


def _moved(output: Path, destination: Path) -> int:
    if not output.is_file() or output.is_symlink():
        raise WorkerDied("the child left no output")
    try:
        output.replace(destination)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = destination.with_name(f".{destination.name}.{secrets.token_hex(4)}.part")
        try:
            shutil.copyfile(output, part)
            part.replace(destination)
        finally:
            part.unlink(missing_ok=True)
    return destination.stat().st_size


def _full(path: Path) -> str:
    """The child works in another directory, so it gets absolute paths."""
    return str(path.absolute())


async def _remove(destination: Path) -> None:
    await asyncio.to_thread(destination.unlink, missing_ok=True)


def _bytes(sources: Sequence[Path]) -> int:
    return sum(path.stat().st_size if path.is_file() else 0 for path in sources)


def _merged(result: Mapping[str, Any]) -> Merged:
    try:
        return Merged(
            copied=bool(result["copied"]),
            why=MergeReason(result["why"]),
            seconds=float(result["seconds"]),
            cuts=tuple(float(cut) for cut in result["cuts"]),
            tempo=None if result["tempo"] is None else float(result["tempo"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WorkerDied("the child's answer has another shape") from error


_READERS: Final[Mapping[str, Any]] = {"int": int, "float": float, "str": str, "bool": bool}


def _shaped(shape: type[_Shape], result: Mapping[str, Any]) -> _Shape:
    """Read a child's answer strictly: its fields, their types, nothing else of it."""
    try:
        fields = {
            field.name: (
                None
                if result[field.name] is None and "None" in str(field.type)
                else _READERS[str(field.type).split(" ")[0]](result[field.name])
            )
            for field in dataclasses.fields(shape)  # type: ignore[arg-type]
        }
        return shape(**fields)
    except (KeyError, TypeError, ValueError) as error:
        raise WorkerDied("the child's answer has another shape") from error
