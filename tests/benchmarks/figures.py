"""What a benchmark hands back, and how it is measured: ratios of one run, interleaved, the median of at least five."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import platform
import sqlite3
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

ROUNDS: Final = 5
LIBRARIES: Final = (
    "aiohttp",
    "aiosqlite",
    "av",
    "discord.py",
    "google-genai",
    "httpx",
    "numpy",
    "pillow",
    "python-telegram-bot",
    "replicate",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``rounds`` holds every round's value; ``goal`` None: told, not judged."""

    name: str
    what: str
    value: float
    goal: float | None = None
    better: Literal["<=", ">="] = "<="
    unit: str = ""
    rounds: tuple[float, ...] = ()
    sides: dict[str, float] = field(default_factory=dict)
    """Medians of what the ratio was made of, by name with its unit."""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.better == "<=" else self.value >= self.goal

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, numbers to four figures."""
        data = {**asdict(self), "met": self.met}
        data["value"], data["rounds"] = short(self.value), [short(value) for value in self.rounds]
        data["sides"] = {name: short(value) for name, value in self.sides.items()}
        return data


def ratio(name: str, what: str, ours: Sequence[float], other: Sequence[float], **rest: Any) -> Figure:
    """The median of the rounds' ratios: each round measured both sides, one right after the other."""
    rounds = tuple(a / b for a, b in zip(ours, other, strict=True))
    return Figure(name, what, statistics.median(rounds), rounds=rounds, **rest)


def short(value: float) -> float:
    """``value`` to four figures."""
    return float(f"{value:.4g}")


def median(values: Iterable[float]) -> float:
    """The median."""
    return float(statistics.median(values))


def resident_bytes(pid: int | str = "self") -> int:
    """VmRSS of a process."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in text.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def settled_bytes() -> int:
    """VmRSS of this process after everything unreachable was let go and glibc gave back what it keeps for later."""
    for _ in range(3):
        gc.collect()
    with contextlib.suppress(AttributeError):  # another C library keeps what it keeps
        ctypes.CDLL(None).malloc_trim(0)
    return resident_bytes()


def load_average() -> float:
    """Processes that wanted a core in the last minute."""
    return os.getloadavg()[0]


def versions() -> dict[str, str]:
    """What was measured with."""
    machine = f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}, {os.cpu_count()} cores"
    return {
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in LIBRARIES},
        "machine": machine,
    }
