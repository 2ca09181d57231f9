"""Drives ``python -m tests.lab.discord`` from a benchmark: the crowd lives in a process of its own.

::

    with LoadPerson(latency=0.05) as load:           # load.api_url, load.gateway_url, load.token for the program
        ...                                          # start the program
        load.wait_ready("video")
        load.prepare(2000, prompt="a lighthouse, take {n}")
        figures = load.fire(wait=30)                 # figures["in_time"], ["p99"], ["connections"] …
"""

from __future__ import annotations

import time
from typing import Any

from tests.lab.apart import Apart, Json
from tests.lab.waiting import until

QUIET_SECONDS = 5.0
"""Longer than any answer may take."""
LOOK_SECONDS = 0.5
"""Looking takes the simulator time as well."""


class LoadPerson(Apart):
    """Thousands of people behind one handle. Its calls block: in a coroutine use ``asyncio.to_thread``."""

    def __init__(self, *, latency: float = 0.0, validate: bool = False) -> None:
        options = ["--latency", str(latency), *(["--validate"] if validate else [])]
        super().__init__("tests.lab.discord", *options)

    def wait_ready(self, command: str, seconds: float = 60.0) -> None:
        """Until the program is at the gateway and has registered ``command``."""

        def ready() -> bool:
            found = self.ask("/")
            return bool(found["connected"]) and command in found["commands"]

        until(ready, seconds, f"the program with /{command}")

    def prepare(self, count: int, command: str = "video", **more: Any) -> None:
        """``count`` people of their own with a command typed; ``guilds``, ``tier``, and the command's options."""
        self.ask("/prepare", {"count": count, "command": command, **more})

    def fire(self, *, rate: float | None = None, wait: float = 60.0) -> Json:
        """Let all act at once, or ``rate`` a second, and wait until each has its answer or nothing has come for five seconds."""
        wanted = self.ask("/fire", {"rate": rate})["fired"]
        end, last, since = time.monotonic() + wait, (-1, -1), time.monotonic()
        while True:
            found = self.ask("/figures")
            answered = found["acknowledged"] + found["late"]
            if found["sent"] >= wanted and answered >= wanted:
                return found
            if (answered, found["sent"]) != last:
                last, since = (answered, found["sent"]), time.monotonic()
            quiet = found["sent"] >= wanted and time.monotonic() - since > QUIET_SECONDS
            if quiet or time.monotonic() > end:
                return found
            time.sleep(LOOK_SECONDS)
