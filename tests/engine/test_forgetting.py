"""Forgetting takes no longer than it must, and is made up for after a crash: the wait for vendors, and the rewriting of the file."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest

from bot.engine.engine import FORGET_SECONDS
from bot.engine.erasing import LONGEST_REST, REST
from core.errors import DatabaseFault
from core.states import JobState
from providers.local import LocalGenerator
from tests.lab.generator import LabSettings
from tests.lab.stage import Stage, connect, stage
from tests.lab.virtual_time import VirtualClock, run

BILLS = LabSettings(name="lab", price=40, most_active=50, maximum_seconds=3600.0, poll_seconds=(2.0, 5.0))
SECRET = "zyxxwy-geheime-lagune"


class Rewriting:
    """Stands before the real rewriting: each takes ``seconds``, and is written down with when it began and ended."""

    def __init__(self, on: Stage, seconds: float) -> None:
        self.times: list[tuple[float, float]] = []
        self._real, self._clock, self._seconds = on.store.database.erase_traces, on.clock, seconds
        on.store.database.erase_traces = self._work  # type: ignore[method-assign]

    async def _work(self) -> None:
        began = self._clock.monotonic()
        await asyncio.sleep(self._seconds)
        await self._real()
        self.times.append((began, self._clock.monotonic()))


async def people(on: Stage, n: int) -> list[str]:
    return [await on.store.open_account("chat", f"p{each}") for each in range(n)]


async def causes(on: Stage) -> list[str]:
    return [cause for cause, _, _ in await on.store.alerts()]


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("reelay.db*")))


def test_a_vendor_that_does_not_answer_delays_once_not_once_per_job(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=1e6, lab=BILLS) as on:
            jobs = [await on.order(f"n {n}") for n in range(12)]

            async def generating() -> bool:
                return all([(await on.store.job(job.id)).state is JobState.GENERATING for job in jobs])

            await on.until(generating)

            async def silent(*_: Any) -> Any:
                await asyncio.sleep(1e9)

            on.generator.cancel = on.generator.poll = silent  # type: ignore[assignment, method-assign]
            began = clock.monotonic()
            assert await on.engine.forget(jobs[0].account_id) == (12, 0)
            assert clock.monotonic() - began < FORGET_SECONDS + 2
            assert await on.store.audit_sums() == []

    run(play)


def test_a_vendor_that_answers_delays_nobody(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=1e6, lab=BILLS) as on:
            jobs = [await on.order(f"n {n}") for n in range(5)]
            await asyncio.sleep(5)
            began = clock.monotonic()
            assert await on.engine.forget(jobs[0].account_id) == (5, 0)
            assert clock.monotonic() - began < 2
            assert len(on.generator.cancelled) == 5

    run(play)


def test_many_who_are_forgotten_at_once_share_a_rewriting(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock) as on:
            rewriting = Rewriting(on, 3.0)
            ended: list[float] = []

            async def forget(account: str, after: float) -> None:
                await asyncio.sleep(after)
                await on.engine.forget(account)
                ended.append(clock.monotonic() - after)
                assert account not in await on.store.traces_left()

            await asyncio.gather(*(forget(each, n / 10) for n, each in enumerate(await people(on, 20))))
            assert len(rewriting.times) == 2, "the first's, and one of all who came while it ran"
            (_, ended_at), (began, _) = rewriting.times
            assert began - ended_at >= REST * 3.0 - 0.1, "writers have their turn between the two"
            assert await on.store.traces_left() == {}

    run(play)


def test_one_after_another_leaves_time_to_write_and_waits_no_longer_than_it_must(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock) as on:
            rewriting = Rewriting(on, 60.0)
            for account in await people(on, 3):
                await on.engine.forget(account)
            gaps = [b[0] - a[1] for a, b in zip(rewriting.times, rewriting.times[1:], strict=False)]
            assert len(gaps) == 2
            assert all(LONGEST_REST - 0.1 <= gap <= LONGEST_REST + 1 for gap in gaps)

    run(play)


def test_a_rewriting_that_a_crash_prevented_is_made_up_for_at_the_next_start(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=1) as on:
            job = await on.settled(await on.order(SECRET))

            async def never() -> None:
                await asyncio.sleep(1e9)

            on.store.database.erase_traces = never  # type: ignore[method-assign]
            forgetting = asyncio.create_task(on.engine.forget(job.account_id))

            async def committed() -> bool:
                return not await on.store.is_account(job.account_id)

            await on.until(committed)
            forgetting.cancel()
            await asyncio.wait([forgetting])
        async with stage(tmp_path, clock) as on:
            rewriting = Rewriting(on, 1.0)
            await asyncio.sleep(60)
            assert len(rewriting.times) == 1
            assert await on.store.traces_left() == {}
            assert SECRET.encode() not in await asyncio.to_thread(bytes_of, tmp_path)
            await asyncio.sleep(3600)
            assert len(rewriting.times) == 1, "once is enough"

    run(play)


def test_a_rewriting_that_failed_is_told_and_tried_again(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock) as on:
            real, faults = on.store.database.erase_traces, 2

            async def fails() -> None:
                nonlocal faults
                if faults:
                    faults -= 1
                    raise DatabaseFault("a reader holds on to the log")
                await real()

            on.store.database.erase_traces = fails  # type: ignore[method-assign]
            (account,) = await people(on, 1)
            assert await on.engine.forget(account) == (0, 0)
            assert await causes(on) == ["erasure"]
            await asyncio.sleep(1300)
            assert (faults, await causes(on), await on.store.traces_left()) == (0, [], {})

    run(play)


@pytest.mark.blocks("makes the generator while the loop runs, as the start of the process does")
def test_a_drawing_that_nobody_will_fetch_is_swept_within_hours(tmp_path: Path) -> None:
    """A crash between the end of its job and ``release`` left it; what a live job may fetch stays, and so does what is fresh."""

    async def play(clock: VirtualClock) -> None:
        folder = tmp_path / "drawings"
        local = LocalGenerator(None, connect(clock, tmp_path, None), folder)  # type: ignore[arg-type] # it draws nothing here
        async with stage(tmp_path, clock, seconds=1e6, lab=BILLS, more={"local": local}) as on:
            live = await on.order()

            async def submitted() -> str | None:
                return (await on.store.job(live.id)).attempt_id

            mine = await on.until(submitted)
            gone, fresh = "a" * 32, "b" * 32

            def write() -> None:
                for name in (mine, gone, fresh):
                    (folder / f"{name}.mp4").write_bytes(b"a drawing")
                for name in (mine, gone):
                    old = time.time() - 7200
                    os.utime(folder / f"{name}.mp4", (old, old))

            await asyncio.to_thread(write)
            await asyncio.sleep(700)
            left = await asyncio.to_thread(lambda: {path.stem for path in folder.iterdir()})
            assert left == {mine, fresh}

    run(play)
