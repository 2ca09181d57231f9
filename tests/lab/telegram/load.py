"""Drives ``python -m tests.lab.telegram`` from a benchmark: the crowd lives in a process of its own.

::

    with Crowd(latency=0.05) as crowd:               # crowd.api_url, crowd.token for the program; crowd.pid
        ...                                          # start the program
        crowd.wait_polled()
        crowd.prepare(1000)
        figures = crowd.fire("/start", times=2)      # answered, open, seconds, rate, p50, p99, rate_limited
"""

from __future__ import annotations

import time

from tests.lab.apart import Apart, Json
from tests.lab.waiting import until

QUIET_SECONDS = 5.0
"""Longer than any answer may take."""
LOOK_SECONDS = 0.5
"""Looking takes the simulator time as well."""


class Crowd(Apart):
    """Many people behind one handle. In a coroutine use ``asyncio.to_thread``."""

    def __init__(self, *, latency: float = 0.0, light: bool = True, local: bool = False) -> None:
        options = ["--latency", str(latency), *(["--light"] if light else []), *(["--local"] if local else [])]
        super().__init__("tests.lab.telegram", *options)

    def wait_polled(self, seconds: float = 60.0) -> None:
        """Until the program polls."""
        until(lambda: self.ask("/")["polls"] == 1, seconds, "a poll")

    def prepare(self, people: int) -> None:
        """So many more people."""
        self.ask("/prepare", {"people": people})

    def fire(self, text: str = "/start", *, times: int = 1, wait: float = 60.0) -> Json:
        """Let all say it, and wait until each has an answer or nothing has come for five seconds."""
        wanted = self.ask("/fire", {"text": text, "times": times})["fired"]
        end, last, since = time.monotonic() + wait, -1, time.monotonic()
        while True:
            found = self.figures()
            if found["answered"] != last:
                last, since = found["answered"], time.monotonic()
            quiet = time.monotonic() - since > QUIET_SECONDS
            if found["answered"] >= wanted or quiet or time.monotonic() > end:
                return found
            time.sleep(LOOK_SECONDS)
