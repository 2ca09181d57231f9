"""Drives ``python -m tests.lab.discord`` from a benchmark: the crowd lives in a process of its own.

::

    with LoadPerson(latency=0.05) as load:           # load.api_url, load.gateway_url, load.token for the program
        ...                                          # start the program
        load.wait_ready("video")
        load.prepare(2000, prompt="a lighthouse, take {n}")
        figures = load.fire(wait=30)                 # figures["in_time"], ["p99"], ["connections"] …
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any, Self

from tests.lab.waiting import until

Json = dict[str, Any]
QUIET_SECONDS = 5.0
"""Longer than any answer may take."""
LOOK_SECONDS = 0.5
"""Looking takes the simulator time as well."""


class LoadPerson:
    """Thousands of people behind one handle. Its calls block: in a coroutine use ``asyncio.to_thread``."""

    def __init__(self, *, latency: float = 0.0, validate: bool = False) -> None:
        self._command = [sys.executable, "-m", "tests.lab.discord", "--latency", str(latency)]
        self._command += ["--validate"] if validate else []
        self._process: subprocess.Popen[str] | None = None
        self._where: Json = {}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._where = json.loads(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        process.stdout.close()

    def __getattr__(self, name: str) -> str:
        """``api_url``, ``gateway_url``, ``token``, ``public_key``, ``application_id``, ``control_url``."""
        where: Json = self.__dict__.get("_where", {})
        if name not in where:
            raise AttributeError(name)
        return str(where[name])

    @property
    def pid(self) -> int:
        """Of the simulator, for whoever counts its processor time."""
        assert self._process is not None
        return self._process.pid

    def _ask(self, path: str, data: Json | None = None) -> Json:
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(f"{self.control_url}{path}", body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                found: Json = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()) from None
        return found

    def wait_ready(self, command: str, seconds: float = 60.0) -> None:
        """Until the program is at the gateway and has registered ``command``."""

        def ready() -> bool:
            found = self._ask("/")
            return bool(found["connected"]) and command in found["commands"]

        until(ready, seconds, f"the program with /{command}")

    def prepare(self, count: int, command: str = "video", **more: Any) -> None:
        """``count`` people of their own with a command typed; ``guilds``, ``tier``, and the command's options."""
        self._ask("/prepare", {"count": count, "command": command, **more})

    def fire(self, *, rate: float | None = None, wait: float = 60.0) -> Json:
        """Let all act at once, or ``rate`` a second, and wait until each has its answer or nothing has come for five seconds."""
        wanted = self._ask("/fire", {"rate": rate})["fired"]
        end, last, since = time.monotonic() + wait, (-1, -1), time.monotonic()
        while True:
            found = self._ask("/figures")
            answered = found["acknowledged"] + found["late"]
            if found["sent"] >= wanted and answered >= wanted:
                return found
            if (answered, found["sent"]) != last:
                last, since = (answered, found["sent"]), time.monotonic()
            quiet = found["sent"] >= wanted and time.monotonic() - since > QUIET_SECONDS
            if quiet or time.monotonic() > end:
                return found
            time.sleep(LOOK_SECONDS)

    def figures(self) -> Json:
        """Of the last burst."""
        return self._ask("/figures")

    def lines(self, what: str, after: int = 0) -> tuple[list[Json], int]:
        """The journal's lines of one kind from a number on, and the number to go on with."""
        found = self._ask(f"/lines?what={what}&after={after}")
        return found["lines"], found["next"]
