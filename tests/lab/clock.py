"""Clocks that can be set ahead: one for every simulator, one for the real process."""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

SHIFT: Final = struct.Struct("=q")


class Clock:
    """Unix seconds. Calling it tells the time; ``advance`` lets time pass without waiting."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        """``now``: another source of time, such as a test's own clock divided by 1000."""
        self._now, self._shift = now, 0.0

    def __call__(self) -> float:
        return self._now() + self._shift

    def advance(self, seconds: float) -> None:
        """Be ``seconds`` later from now on: tokens age, links expire, rate-limit windows pass."""
        self._shift += seconds


class SharedShift:
    """Milliseconds by which the clock of another process is ahead, in eight bytes of a file that both have in their memory.

    Looking costs no call of the system: the process looks some hundred times a second.
    """

    def __init__(self, file: Path) -> None:
        """A file that is not there yet is made, with no shift."""
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(descriptor, SHIFT.size)
            self._memory = mmap.mmap(descriptor, SHIFT.size)
        finally:
            os.close(descriptor)

    def get(self) -> int:
        """Milliseconds ahead of the real time."""
        return int(SHIFT.unpack_from(self._memory)[0])

    def set(self, milliseconds: int) -> None:
        """Both processes see it with their next look."""
        SHIFT.pack_into(self._memory, 0, milliseconds)
