"""Thousands of ``/video`` at the same moment: who is answered within the three seconds that Discord gives.

Both sides get the same crowd in the same simulator, whose API answers after 50 ms, and may have 1,024 files open. Reelay is the real
process with a generator that is ready at once and makes one clip at a time; its answer to each command goes out after that command was
committed to the disk, and when the rush is over every answered command must stand in the database and have become exactly one job. The
bare bot of discord.py keeps nothing and only answers. One side after the other in each round, each in a fresh process with a fresh
simulator.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.discord_sides import a_bare_bot, a_reelay
from tests.benchmarks.figures import ROUNDS, Figure, median
from tests.lab.clips import clip_bytes
from tests.lab.discord.load import LoadPerson
from tests.lab.reelay import Reelay
from tests.lab.waiting import until

CROWD: Final = 2000
LATENCY: Final = 0.05
KEEP_SECONDS: Final = 180.0
PROMPT: Final = "A lighthouse on a cliff at golden sunset, take {n}"
Json = dict[str, Any]


def in_time(found: Json) -> float:
    """Per cent of the crowd that was answered within three seconds."""
    return 100.0 * float(found["in_time"]) / float(found["sent"])


def check_kept(reelay: Reelay, crowd: int, acknowledged: int) -> None:
    """Every command that was acknowledged is in the database, and each that is there has become one job of its own. Raises AssertionError.

    Those whose turn came after Discord had given up are dropped: their people have been told that they failed.
    """
    until(
        lambda: reelay.value("SELECT COUNT(*) FROM inbox WHERE state = 'pending'") == 0,
        KEEP_SECONDS,
        "every command to become a job",
    )
    rows, accepted = reelay.value("SELECT COUNT(*) FROM inbox"), "state = 'accepted' AND job_id IS NOT NULL"
    jobs = reelay.value(f"SELECT COUNT(DISTINCT job_id) FROM inbox WHERE {accepted}")
    assert acknowledged <= rows <= crowd
    assert (jobs, reelay.value("SELECT COUNT(*) FROM jobs")) == (rows, rows)


def ours(place: Path, crowd: int, clip: Path) -> Json:
    """The figures of one burst at Reelay."""
    generator = {"name": "lab", "kind": "instant", "unpaid": True, "price": 0, "clip": str(clip), "most_active": 1}
    with LoadPerson(latency=LATENCY) as load, a_reelay(load, place, generator) as reelay:
        load.wait_ready("video")
        load.prepare(crowd, prompt=PROMPT)
        found = load.fire()
        check_kept(reelay, crowd, int(found["acknowledged"]))
        reelay.kill()
        return found


def bare(crowd: int) -> Json:
    """The same at the bare bot."""
    with LoadPerson(latency=LATENCY) as load, a_bare_bot(load, "defer"):
        load.wait_ready("video")
        load.prepare(crowd, prompt=PROMPT)
        return load.fire()


def rounds_of(crowd: int, rounds: int) -> tuple[list[Json], list[Json]]:
    """(ours, bare) of each round."""
    mine: list[Json] = []
    others: list[Json] = []
    with tempfile.TemporaryDirectory(prefix="reelay-bench-") as name:
        clip = Path(name) / "clip.mp4"
        clip.write_bytes(clip_bytes())
        for number in range(rounds):
            mine.append(ours(Path(name) / f"round {number}", crowd, clip))
            others.append(bare(crowd))
    return mine, others


def figure(name: str, crowd: int, mine: list[Json], others: list[Json], **rest: Any) -> Figure:
    """One line of the table."""
    values = tuple(in_time(found) for found in mine)
    sides = {
        "bare discord.py %": median(in_time(found) for found in others),
        "bare, ever answered %": median(100 * found["acknowledged"] / found["sent"] for found in others),
        "ours, worst round %": min(values),
        "ours, p50 s": median(found["p50"] for found in mine),
        "ours, p99 s": median(found["p99"] for found in mine),
        "bare, p99 s": median(found["p99"] or 0.0 for found in others),
        "our connections": median(found["connections"]["acknowledging_most"] for found in mine),
    }
    what = (
        f"{crowd} /video at once, API 50 ms away, 1024 files: answered within 3 s, each after its commit; of all rounds"
    )
    return Figure(name, what, statistics.mean(values), better=">=", unit="%", rounds=values, sides=sides, **rest)


def measure(scale: float = 1.0) -> list[Figure]:
    """One figure."""
    crowd = max(50, int(CROWD * scale))
    mine, others = rounds_of(crowd, ROUNDS if scale >= 1 else 1)
    return [figure("discord burst", crowd, mine, others, goal=100.0)]
