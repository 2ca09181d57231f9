"""What was written and then not wanted leaves no file: a row that cannot be written, half of a pair, a person forgotten meanwhile."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.commands.making import order
from bot.engine.storing import credits_of
from core.attachments import Attachment
from core.errors import CorruptMedia, DatabaseFault, DiskFull
from core.jobs import Actor, Job, Place
from core.ports import Artifact
from core.states import JobState
from core.steps import Step
from storage.incoming import FolderIncoming
from tests.lab.generator import LabSettings
from tests.lab.stage import Stage, stage
from tests.lab.virtual_time import VirtualClock, run

BILLS = LabSettings(name="lab", price=40, poll_seconds=(2.0, 5.0))
HERE = Place("chat", chat="room")


async def files(on: Stage) -> int:
    """Kept files, as the disk has them."""

    def count() -> int:
        root = on.parts.clips.root  # type: ignore[attr-defined] # of a folder
        return sum(path.is_file() for path in root.rglob("*"))

    return await asyncio.to_thread(count)


def breaks(on: Stage, times: int, to: JobState) -> Callable[[], int]:
    """Let the next ``times`` steps to ``to`` fail at the database; returns how many are left."""
    real, left = on.store.apply, times

    async def apply(step: Step) -> Job:
        nonlocal left
        if step.to is to and left:
            left -= 1
            raise DiskFull("no room for the row")
        return await real(step)

    on.store.apply = apply  # type: ignore[method-assign]
    return lambda: left


async def with_upload(on: Stage) -> Job:
    """Order with a picture that came over the page: it is ours already."""
    async with on.parts.clips.incoming(suffix=".upload", max_bytes=1000) as upload:
        await upload.write(b"a picture")
        stored = await upload.keep()
    picture = Attachment("a.png", "image/png", 9, key=stored.key)
    job, _ = await order(on.engine, Actor("chat", "ann"), HERE, {"prompt": "a lighthouse"}, attachment=picture)
    return job


def test_a_clip_whose_row_cannot_be_written_is_stored_once(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=BILLS) as on:
            left = breaks(on, 4, JobState.DONE)
            seen: list[int] = []

            async def on_fetch() -> None:
                seen.append(await files(on))

            on.generator.on_fetch = on_fetch
            job = await on.settled(await on.order())
            assert (job.state, job.charged, left()) == (JobState.DONE, 40, 0)
            assert seen == [1] * 5, "at each try only the file that is being written"
            assert await files(on) == 2, "the clip and its poster"

    run(play)


def test_a_clip_whose_row_was_written_after_all_keeps_its_files(tmp_path: Path) -> None:
    """The answer of the database is lost, not the commit."""

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=BILLS) as on:
            real = on.store.apply

            async def apply(step: Step) -> Job:
                job = await real(step)
                if step.to is JobState.DONE:
                    raise DatabaseFault("the answer is lost")
                return job

            on.store.apply = apply  # type: ignore[method-assign]
            job = await on.order()

            async def done() -> bool:
                return (await on.store.job(job.id)).state is JobState.DONE

            await on.until(done)
            await asyncio.sleep(60)
            clip = (await on.store.view(job.id)).clip
            assert clip is not None
            assert await on.parts.clips.size(clip.key) == clip.bytes
            assert await files(on) == 2

    run(play)


@pytest.mark.parametrize("plays", [True, False], ids=["plays", "made playable"])
def test_half_of_a_pair_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plays: bool) -> None:
    """The clip or its poster is kept, and then the other cannot be."""

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=BILLS) as on:
            real, faults = FolderIncoming.keep, 3

            async def keep(incoming: FolderIncoming) -> Any:
                nonlocal faults
                if faults and incoming.path.suffix == (".jpg" if plays else ".mp4"):
                    faults -= 1
                    raise DiskFull("no room")
                return await real(incoming)

            monkeypatch.setattr(FolderIncoming, "keep", keep)
            if not plays:
                monkeypatch.setattr("core.media.Inspection.plays_everywhere", property(lambda _: False))
            seen: list[int] = []

            async def on_fetch() -> None:
                seen.append(await files(on))

            on.generator.on_fetch = on_fetch
            job = await on.settled(await on.order())
            assert (job.state, faults) == (JobState.DONE, 0)
            assert seen == [1] * 4
            assert await files(on) == 2

    run(play)


@pytest.mark.parametrize("how", ["cancel", "delete", "forget"])
def test_a_picture_that_is_being_prepared_goes_with_its_job(tmp_path: Path, how: str) -> None:
    """Neither the picture as it came nor its clean copy waits for the sweep."""

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=BILLS) as on:
            real, at_work, go_on = on.parts.media.normalise_image, asyncio.Event(), asyncio.Event()

            async def slowly(*arguments: Any, **more: Any) -> Any:
                found = await real(*arguments, **more)
                at_work.set()
                await go_on.wait()
                return found

            on.parts.media.normalise_image = slowly  # type: ignore[method-assign]
            job = await with_upload(on)
            await at_work.wait()
            assert await files(on) == 2, "the upload, and the copy that is being made"
            if how == "cancel":
                await on.engine.cancel(job.id)
            elif how == "delete":
                await on.engine.delete(job.id)
            else:
                await on.engine.forget(job.account_id)
            assert await files(on) == 1
            go_on.set()
            await asyncio.sleep(5)
            assert await files(on) == 0

    run(play)


@pytest.mark.parametrize("why", ["refused", "too late", "generator gone"])
def test_an_upload_goes_when_its_job_ends_unprepared(tmp_path: Path, why: str) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=BILLS) as on:

            async def broken(*_: Any, **__: Any) -> Any:
                if why == "generator gone":
                    on.parts.providers = {}
                if why != "refused":
                    raise DatabaseFault("unforeseen: it is looked at again")
                raise CorruptMedia("no picture")

            on.parts.media.normalise_image = broken  # type: ignore[method-assign]
            job = await with_upload(on)

            async def ended() -> bool:
                return (await on.store.job(job.id)).ended

            await on.until(ended)
            await asyncio.sleep(1)
            assert await files(on) == 0

    run(play)


def test_a_clean_picture_whose_row_cannot_be_written_is_not_left(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=1e6, lab=BILLS) as on:
            left = breaks(on, 3, JobState.QUEUED)
            job = await with_upload(on)

            async def queued() -> bool:
                return (await on.store.job(job.id)).applied.picture is not None

            await on.until(queued)
            await asyncio.sleep(1)
            assert left() == 0
            assert await files(on) == 1

    run(play)


@pytest.mark.parametrize("usd", [math.nan, math.inf, -math.inf, -0.01, 1e300])
def test_a_cost_that_cannot_be_is_no_cost(tmp_path: Path, usd: float) -> None:
    """As for a generator that does not tell: the clip costs what the price list says."""
    assert credits_of(Artifact("url", cost_usd=usd)) is None

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=BILLS) as on:
            on.generator.cost_usd = usd
            job = await on.settled(await on.order())
            assert (job.state, job.charged, job.true_cost) == (JobState.DONE, 40, 40)
            assert await on.store.audit_sums() == []

    run(play)


def test_a_cost_that_is_told_is_taken_to_the_cent() -> None:
    assert [credits_of(Artifact("url", cost_usd=usd)) for usd in (None, 0.0, 0.126, 9999.0)] == [None, 0, 13, 999_900]
