"""The thread that writes log lines, so that a full disk, a closed pipe or a reader that stalls never stops Reelay."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections import deque
from typing import Final, TextIO

MOST_LINES: Final = 10_000
"""Lines that wait for a stalled reader; more are counted and dropped."""

CLOSING_SECONDS: Final = 2.0


class LineWriter:
    """Writes lines in their order, each whole. ``put`` neither blocks nor raises; ``lost`` counts what could not be written."""

    def __init__(self, stream: TextIO) -> None:
        """``stream`` is written below its buffer where it has a file descriptor."""
        self.lost = 0
        self._stream = stream
        self._lines: deque[str] = deque()
        self._changed = threading.Condition()
        self._busy = False
        self._closing = False
        self._gone = False
        self._told = 0
        self._thread = threading.Thread(target=self._work, name="reelay-log", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Write ``line``, which has no line break at its end, soon."""
        with self._changed:
            if self._gone or self._closing or len(self._lines) >= MOST_LINES:
                self.lost += 1
                return
            self._lines.append(line)
            self._changed.notify_all()

    def flush(self, timeout: float = CLOSING_SECONDS) -> bool:
        """Wait until all that was put is written, at most ``timeout`` seconds; return whether it was."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._lines and not self._busy, timeout)

    def close(self, timeout: float = CLOSING_SECONDS) -> None:
        """Write what waits, at most ``timeout`` seconds, and end the thread. May be called twice."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._lines or self._closing)
                if not self._lines:
                    return
                lines = [self._lines.popleft() for _ in range(len(self._lines))]
                self._busy = True
                if self.lost > self._told:
                    lines.insert(0, f"({self.lost - self._told} log lines were lost)")
                    self._told = self.lost
            for line in lines:
                self._write(line)

    def _write(self, line: str) -> None:
        try:
            self._out(line)
        except (OSError, ValueError) as error:  # ValueError: the stream was closed
            # A full disk may have room again later; a pipe without a reader stays without.
            with self._changed:
                self.lost += 1
                self._gone = isinstance(error, ValueError) or error.errno in {errno.EPIPE, errno.EBADF}

    def _out(self, line: str) -> None:
        descriptor = None
        with contextlib.suppress(OSError, AttributeError):  # io.UnsupportedOperation is an OSError: a stream of a test
            descriptor = self._stream.fileno()
        if descriptor is None:
            self._stream.write(line + "\n")
            self._stream.flush()
            return
        rest = memoryview((line + "\n").encode("utf-8", "backslashreplace"))
        while rest:
            rest = rest[os.write(descriptor, rest) :]
