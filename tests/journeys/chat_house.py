"""Reelay between a lab's chat and a vendor: one process for many tests, and for each test rooms and people of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

from tests.lab.checker import check
from tests.lab.clock import SharedShift
from tests.lab.reelay import Reelay
from tests.lab.vendor import Script, Vendor, VendorJob
from tests.lab.waiting import until

Maker = Callable[..., Reelay]
T = TypeVar("T")
MOMENT = 0.3
"""Seconds in which a process that has nothing to wait for does what it is to do."""
PASSING = 15.0


class ChatHouse(ABC):
    """Everything is counted from ``open``, which each test has to itself: what was before it is not seen by it."""

    def __init__(
        self,
        vendor: Vendor,
        make: Maker,
        folder: Path,
        *,
        environ: dict[str, str],
        generators: Sequence[dict[str, Any]] = (),
        shared: bool = False,
    ) -> None:
        """Nothing runs before ``start``. ``environ`` and ``generators`` come on top of what all have; ``shared``: the process
        outlives ``end``, for the next test.
        """
        self.vendor, self._shared = vendor, shared
        clock, self._kill = folder / "clock", folder / "kill"
        self._shift = SharedShift(clock)
        settings = {
            "REELAY_DAILY_CREDITS": "unlimited",
            "REELAY_GLOBAL_DAILY_CREDITS": "unlimited",
            "REELAY_MAX_ACTIVE_JOBS": "12",
            "REELAY_MAX_WAITING_JOBS": "50",
            "LAB_CLOCK": str(clock),
            "LAB_KILL_FILE": str(self._kill),
        }
        lab = {"name": "lab", "url": vendor.url, "price": 40, "poll_seconds": [0.05, 0.2], "most_active": 12}
        lab["maximum_seconds"] = 7200  # ``later`` is to make tokens old, not to end what a generator was given
        self.reelay = make(environ=settings | environ, generators=[lab, *generators])
        self._explained: set[str] = set()
        """What the checker says of former tests, which have explained it."""
        self.ended = False

    def open(self) -> None:
        """A new test begins: no fault of an earlier one is left, and it starts to count here."""
        self.vendor.forget_scripts()
        self.ended = False
        self._paid = set(self.vendor.paid)
        self._jobs = self._count("jobs")
        self._clips = self._count("clips")
        self._files = self._clip_files()
        self._audited = int(self.reelay.value("SELECT MAX(id) FROM audit") or 0) if self._has_data else 0

    # ------------------------------------------------------------------------------------------------------------- the process

    @abstractmethod
    def wait_connected(self) -> None:
        """Wait until the chat has it."""

    def start(self, *, environ: dict[str, str] | None = None, **options: Any) -> None:
        """Start Reelay and wait until the chat has it."""
        self.reelay.environ.update(environ or {})
        self.reelay.start(**options)
        self.wait_connected()

    def restart(self) -> None:
        """Start it again where it was stopped or killed."""
        self.start()

    def stop(self) -> None:
        """SIGTERM, and it ends as it should."""
        assert self.reelay.stop() == 0

    def kill_at(self, point: str) -> None:
        """It kills itself when it reaches this point the next time; ``reelay.wait_killed`` waits for that."""
        self._kill.write_text(point)

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self.reelay.process is not None and self.reelay.process.poll() is None

    def later(self, seconds: float) -> None:
        """Let time pass for Reelay and for the generators."""
        self.vendor.ahead += seconds
        self._shift.set(self._shift.get() + int(seconds * 1000))

    def in_time(self, look: Callable[[], T], step: float, seconds: float = 40.0, what: str = "it") -> T:
        """Wait for what comes after a pause of Reelay's own: ``step`` seconds pass whenever a moment has brought nothing.

        Twice at least, and a quarter of a minute in all at most: on a busy machine no clip grows so old that its end is announced.
        """
        for _ in range(max(2, int(PASSING / step))):
            with suppress(TimeoutError):
                return until(look, MOMENT, what)
            self.later(step)
        return until(look, seconds, what)

    def settle(self) -> None:
        """Wait until everything is settled, and let the pauses between two tries pass quickly."""
        self.in_time(self.reelay.is_quiet, 1.0, 60, "every job, card and delivery to settle")

    def script(self, word: str, script: Script | None = None, **facts: Any) -> None:
        """How the generator behaves for a prompt with ``word``."""
        self.vendor.on(word, script or Script(**facts))

    # --------------------------------------------------------------------------------------------- what came of it, in this test

    def job_of_update(self, platform: str, update_id: str) -> dict[str, Any]:
        """The row of the job that a command made."""
        sql = "SELECT j.* FROM jobs AS j JOIN inbox AS i ON i.job_id = j.id WHERE i.platform = ? AND i.update_id = ?"
        return dict(until(lambda: self.reelay.rows(sql, platform, update_id), what="the job of a command")[0])

    def submitted(self, word: str) -> list[VendorJob]:
        """The billed jobs whose prompt contains ``word``."""
        return [job for job in self.vendor.of(word) if job.attempt not in self._paid]

    def paid(self) -> list[int]:
        """How often each attempt was billed."""
        return [count for attempt, count in self.vendor.paid.items() if attempt not in self._paid]

    def jobs(self) -> int:
        """How many were made."""
        return self._count("jobs") - self._jobs

    def clips(self) -> int:
        """How many clips and pictures are kept."""
        return self._count("clips") - self._clips

    def clip_files(self) -> set[Path]:
        """Clips on the disk."""
        return self._clip_files() - self._files

    def audited(self) -> list[dict[str, Any]]:
        """Lines of the audit trail; not those of a start."""
        sql = "SELECT * FROM audit WHERE id > ? AND verb <> 'start' ORDER BY id"
        return self.reelay.rows(sql, self._audited)

    @property
    def _has_data(self) -> bool:
        return (self.reelay.data / "reelay.db").exists()

    def _count(self, table: str) -> int:
        return int(self.reelay.value(f"SELECT COUNT(*) FROM {table}")) if self._has_data else 0

    def _clip_files(self) -> set[Path]:
        return set((self.reelay.data / "clips").rglob("*.mp4"))

    # -------------------------------------------------------------------------------------------------------------------- the end

    @abstractmethod
    def behaved(self) -> None:
        """The chat has nothing to complain about, and the log told nothing that it must not."""

    def end(self, *, reached: bool = True, resent: bool = False, known: str | None = None) -> None:
        """The test ends: nothing is left over, nothing was said that must not be, nothing was asked that the chat refuses.

        ``reached``, ``resent``: see ``check``; ``known``: how the one sentence begins that the checker may say besides.
        """
        self.reelay.wait_quiet()
        if not self._shared:
            self.stop()
        found = self._complaints()
        wrong = self._complaints(reached=reached, resent=resent)
        if known is not None:
            (told,) = [line for line in wrong if line.startswith(known)]
            wrong.discard(told)
        assert wrong == set()
        self._explained |= found
        self.behaved()
        self.ended = True

    def close(self) -> None:
        """The process ends, and all of it is looked at once more."""
        if self.runs:
            self.reelay.wait_quiet()
            self.stop()
        assert self._complaints() == set()
        self.behaved()

    def _complaints(self, **facts: bool) -> set[str]:
        return set(check(self.reelay.data, self.vendor, self.reelay.text, refusals=True, **facts)) - self._explained


H = TypeVar("H", bound=ChatHouse)


class Street(Generic[H]):
    """The module's house; a new one where a test has failed in the last, so that no other test fails because of it."""

    def __init__(self, build: Callable[[Path, ExitStack, bool], H], folders: pytest.TempPathFactory) -> None:
        """``build(folder, stack, shared)``: a house that stands until the stack ends."""
        self._build, self._folders = build, folders
        self._stack = ExitStack()
        self._house: H | None = None

    def enter(self) -> H:
        """A house that runs, with nothing in it of an earlier test."""
        if self._house is not None and not self._house.ended:
            self._stack.__exit__(AssertionError, AssertionError("a test failed"), None)
            self._house = None
        if self._house is None:
            self._house = self._build(self._folders.mktemp("house"), self._stack, True)
        else:
            self._house.open()
        if not self._house.runs:
            self._house.start()
        return self._house

    def close(self) -> None:
        """The last look, unless a test has failed in it."""
        sound = self._house is not None and self._house.ended
        with self._stack:
            if sound and self._house is not None:
                self._house.close()
