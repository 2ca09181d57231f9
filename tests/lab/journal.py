"""Everything that was asked, answered, dispatched and seen, as lines of JSON."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.lab.clock import Clock

Json = dict[str, Any]


class Journal:
    """Lines in memory, and in a file if one is given. Each has ``at`` (Unix seconds) and ``what``."""

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self.lines: list[Json] = []
        self._clock, self._lock = clock, threading.Lock()
        self._file = None if path is None else path.open("a", encoding="utf-8")

    def write(self, what: str, **facts: Any) -> Json:
        """Add a line. ``what`` is a word such as request, created, edited, deleted, notified."""
        line: Json = {"at": round(self._clock(), 6), "what": what, **facts}
        with self._lock:
            self.lines.append(line)
            if self._file is not None:
                self._file.write(json.dumps(line, default=str, ensure_ascii=False) + "\n")
        return line

    def close(self) -> None:
        """Write the rest to disk."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    # ---------------------------------------------------------------------------------------------------------------------- reading

    def of(self, what: str, **facts: Any) -> list[Json]:
        """Lines of one kind, with these values."""
        return [
            line
            for line in list(self.lines)
            if line["what"] == what and all(line.get(name) == value for name, value in facts.items())
        ]

    def requests(self, operation: str | None = None, status: int | None = None) -> list[Json]:
        """Requests by operation and by status."""
        found = self.of("request")
        return [line for line in found if operation in {None, line["operation"]} and status in {None, line["status"]}]

    def rate_limited(self) -> list[Json]:
        """Requests that were answered 429."""
        return self.requests(status=429)

    def texts(self) -> Iterator[str]:
        """Every line as text: for looking for what must not be there."""
        for line in list(self.lines):
            yield json.dumps(line, default=str, ensure_ascii=False)
