"""After ``kill -9`` with 20,000 jobs waiting at their generator: how soon they are armed again, against a raw SELECT of them.

Armed means: the database is open (its log from before the death read), the engine runs, it has read what is due and when the next is
due, and has asked the generator about the first job (some are due: the clock of the new process is two minutes on). The raw side opens
an equal copy of the same killed files and reads id, generator and due time of every waiting job in the order in which they are due. Both
sides begin with their modules imported.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import ROUNDS, Figure, median, ratio
from tests.benchmarks.sleeping import a_sleeper
from tests.benchmarks.worlds import folder, insert_sleeping, running_app

PENDING: Final = 20_000
MINUTE_MS: Final = 60_000


async def victim(place: Path, count: int) -> None:
    """In a process of its own: fill the database, say so, and wait to be killed."""
    async with running_app(place, seconds=3600.0) as (app, _, _):
        now = app.clock.now()
        first = await a_sleeper(app.store, now + MINUTE_MS)
        step = 3_600_000 // count + 1
        await app.store.database.write(lambda c: insert_sleeping(c, first, count - 1, now + MINUTE_MS, step))
        print(json.dumps({"ready": True}), flush=True)
        await asyncio.sleep(600)


def killed(place: Path, count: int) -> None:
    """Leave in ``place`` what a killed process leaves."""
    command = [sys.executable, "-m", "tests.benchmarks.recovery", str(place), str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ready"]
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)


async def armed(place: Path) -> float:
    """Seconds until the first poll is under way."""
    began = time.monotonic()
    async with running_app(place, seconds=3600.0, ahead_ms=2 * MINUTE_MS) as (app, _, generator):
        assert generator is not None
        async with asyncio.timeout(60):
            await generator.polled.wait()
        seconds = time.monotonic() - began
        assert (await app.store.due(1)).next_at is not None
        return seconds


def raw(place: Path, sql: str) -> tuple[float, int]:
    """(seconds, rows) of the SELECT on a connection of its own, opening included."""
    began = time.monotonic()
    connection = sqlite3.connect(place / "reelay.db", isolation_level=None)
    rows = connection.execute(sql).fetchall()
    seconds = time.monotonic() - began
    connection.close()
    return seconds, len(rows)


def measure(scale: float = 1.0) -> list[Figure]:
    """Two figures: the goal's, and the same beside a SELECT of whole rows."""
    count = max(1000, int(PENDING * scale))
    narrow = "SELECT id, provider, due_at FROM jobs WHERE due_at IS NOT NULL ORDER BY due_at"
    whole = "SELECT * FROM jobs WHERE due_at IS NOT NULL ORDER BY due_at"
    ours: list[float] = []
    raws: list[float] = []
    wholes: list[float] = []
    with folder() as place:
        killed(place / "killed", count)
        for number in range(ROUNDS + 1):
            for seconds, work in ((ours, None), (raws, narrow), (wholes, whole)):
                copy = place / "copy"
                shutil.copytree(place / "killed", copy, ignore=shutil.ignore_patterns("*-shm", "*.sock"))
                if work is None:
                    took = asyncio.run(armed(copy))
                else:
                    took, rows = raw(copy, work)
                    assert rows == count
                if number:  # the first round warms up
                    seconds.append(took)
                shutil.rmtree(copy)
    sides = {"ours ms": median(ours) * 1000, "raw ms": median(raws) * 1000, "raw, whole rows ms": median(wholes) * 1000}
    what = f"{count} waiting jobs armed again after kill -9 ÷ a raw SELECT of id, generator and due time"
    return [ratio("recovery", what, ours, raws, goal=3.0, unit="×", sides=sides)]


if __name__ == "__main__":
    asyncio.run(victim(Path(sys.argv[1]), int(sys.argv[2])))
