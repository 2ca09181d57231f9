"""One job is worked on by one task at a time."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from bot.clock import SystemClock
from bot.engine.parts import Parts
from bot.engine.runner import Runner
from bot.engine.scheduler import Scheduler
from core.jobs import Attempt, Job


class HeldRunner:
    """Steps that go on until they are let go."""

    router = None

    def __init__(self) -> None:
        self.preparing, self.submitting = asyncio.Event(), asyncio.Event()
        self.submits: set[str] = set()

    async def advance(self, _job_id: str) -> None:
        await self.preparing.wait()

    async def submit(self, _job: Job, _attempt: Attempt) -> None:
        await self.submitting.wait()


async def test_the_end_of_an_earlier_step_leaves_the_submit_its_place() -> None:
    """Admitted while its preparing was not quite over, a job was free to be looked up amid its own submit, and submitted twice."""
    runner = HeldRunner()
    parts = SimpleNamespace(clock=SystemClock())
    scheduler = Scheduler(cast("Parts", parts), cast("Runner", runner))
    busy: dict[str, tuple[str, asyncio.Task[None]]] = scheduler._busy
    scheduler._start("job", "", None)
    early = busy["job"][1]
    fresh: Any = (cast("Job", None), cast("Attempt", None))
    scheduler._start("job", "comfyui", fresh)
    submit = busy["job"][1]
    runner.preparing.set()
    await early
    assert busy["job"] == ("comfyui", submit)
    assert runner.submits == {"job"}
    runner.submitting.set()
    await submit
    assert not busy
    assert runner.submits == set()
