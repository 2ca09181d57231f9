"""The real process in the hand of a test: start, kill, stop, restart, look into its database, read its log."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from tests.lab.nursery import Process, begin
from tests.lab.waiting import until

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
ADDRESS = re.compile(r"Reelay \S+ is at (\S+)")
SIGNIN = re.compile(r"\?signin=(\S+)")
ENDED = ("done", "failed", "cancelled")


_ports = itertools.cycle(random.Random(os.getpid()).sample(range(16_384, 32_768), 4_096))
"""Below those that a system hands out by itself (from 32768, macOS from 49152): no connection of anybody takes one in the meantime."""


def _free_port() -> int:
    """A port that nobody listens on now; chosen here because a public address says nothing about it."""
    for port in itertools.islice(_ports, 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("a hundred ports are taken")


class Ended(Exception):
    """The process ended before it was ready."""


class Reelay:
    """One data folder and the process on it, if one runs. ``with`` stops it at the end."""

    def __init__(
        self,
        folder: Path,
        *,
        environ: Mapping[str, str] | None = None,
        generators: list[dict[str, Any]] | None = None,
        default: str | None = None,
    ) -> None:
        """``environ``: settings; ``generators``: lab generators; ``default``: the default one (the first)."""
        self.data = folder / "data"
        self.folder = folder
        self.environ = dict(environ or {})
        self.generators, self.default = generators or [], default
        self.url = ""
        self.process: Process | None = None
        self.log = folder / "log.txt"
        """Everything that any of its processes said, on both streams."""
        self.starts: list[float] = []
        """Seconds from start to ready, of each start."""

    # --------------------------------------------------------------------------------------------------------------- the process

    def environment(self) -> dict[str, str]:
        """The child's whole environment: nothing of the operator's own settings."""
        kept = (
            "PATH",
            "HOME",
            "LANG",
            "LC_ALL",
            "TMPDIR",
            "COVERAGE_PROCESS_START",
            "COVERAGE_PROCESS_CONFIG",
            "COVERAGE_FILE",
        )
        env = {name: os.environ[name] for name in kept if name in os.environ}
        env |= {
            "REELAY_DATA_DIR": str(self.data),
            "REELAY_HTTP_PORT": "0",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }
        if self.generators:
            env["LAB_GENERATORS"] = json.dumps(self.generators)
            env["LAB_DEFAULT"] = self.default or self.generators[0]["name"]
        return env | self.environ

    def launch(self, *, kill: Mapping[str, int] | None = None, extra: Mapping[str, str] | None = None) -> Self:
        """Start without waiting; ``kill`` names points at which it kills itself."""
        if self.process is not None and self.process.poll() is None:
            raise RuntimeError("it runs already")
        self.folder.mkdir(parents=True, exist_ok=True)
        env = self.environment()
        if kill:
            env["LAB_KILL"] = json.dumps(kill)
        port = _free_port()
        env["REELAY_HTTP_PORT"] = str(port)
        env |= extra or {}
        self.url = f"http://127.0.0.1:{port}"
        self._began = time.monotonic()
        self.log.touch()
        self._mark = self.log.stat().st_size
        self.process = begin(self.folder, env, self.log)
        return self

    def start(self, *, kill: Mapping[str, int] | None = None, extra: Mapping[str, str] | None = None) -> Self:
        """Start and wait until ``/readyz`` says yes."""
        self.launch(kill=kill, extra=extra)
        self.wait_ready()
        return self

    def wait_ready(self) -> None:
        """Wait for the address and then for ``/readyz``. Raises Ended when the process ends first."""
        process = self.running

        def look() -> bool:
            if process.poll() is not None:
                raise Ended(f"exit code {process.returncode}: {self.text[-2000:]}")
            said = self.log.read_bytes()[self._mark :].decode("utf-8", "replace")
            return ADDRESS.search(said) is not None and self.http("/readyz")[0] == 200

        until(look, START_SECONDS, "readiness")
        self.starts.append(time.monotonic() - self._began)

    def http(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """A GET without a session; status 0 when nobody answers."""
        request = urllib.request.Request(self.url + path, headers=dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    @property
    def port(self) -> int:
        """Where the page is."""
        return int(self.url.rsplit(":", 1)[1])

    def signin(self) -> str:
        """The token of the sign-in link that this start printed."""
        found = until(lambda: SIGNIN.search(self.log.read_bytes()[self._mark :].decode()), what="the sign-in link")
        assert found is not None
        return str(found[1])

    @property
    def running(self) -> Process:
        """The process. Raises RuntimeError when none was started."""
        if self.process is None:
            raise RuntimeError("not started")
        return self.process

    @property
    def text(self) -> str:
        """Everything said so far."""
        return self.log.read_bytes().decode("utf-8", "replace") if self.log.exists() else ""

    def join(self, seconds: float = 30.0) -> int:
        """Wait for its end; returns the exit code (negative: the signal)."""
        return self.running.wait(seconds)

    def kill(self) -> None:
        """``kill -9``."""
        self.running.kill()
        self.join()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.running.send_signal(number)

    def stop(self, seconds: float = 30.0) -> int:
        """SIGTERM, and wait; returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.join(seconds)

    def restart(self, *, kill: Mapping[str, int] | None = None, extra: Mapping[str, str] | None = None) -> Self:
        """Start again on the same folder."""
        return self.start(kill=kill, extra=extra)

    def wait_killed(self, seconds: float = 30.0) -> None:
        """Wait until it has killed itself at its point."""
        code = self.join(seconds)
        if code != -signal.SIGKILL:
            raise AssertionError(f"exit code {code} in place of a kill: {self.text[-2000:]}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """No process is left, however the test ended."""
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    # -------------------------------------------------------------------------------------------------------------- its database

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """What a reader beside the process sees."""
        path = self.data / "reelay.db"
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql, values).fetchall()]
        finally:
            connection.close()

    def value(self, sql: str, *values: object) -> Any:
        """The first column of the first row, or None."""
        rows = self.rows(sql, *values)
        return next(iter(rows[0].values())) if rows else None

    def job(self, job_id: str) -> dict[str, Any]:
        """A job's row."""
        return self.rows("SELECT * FROM jobs WHERE id = ?", job_id)[0]

    def state(self, job_id: str) -> str:
        """A job's state."""
        return str(self.value("SELECT state FROM jobs WHERE id = ?", job_id))

    def wait_state(self, job_id: str, *states: str, seconds: float = 30.0) -> str:
        """Wait until the job is in one of ``states`` (an end, when none is named)."""
        wanted = states or ENDED
        return until(
            lambda: state if (state := self.state(job_id)) in wanted else "",
            seconds,
            f"{' or '.join(wanted)} of {job_id}",
        )

    def wait_quiet(self, seconds: float = 60.0) -> None:
        """Wait until every job has ended and every delivery and card is settled."""
        until(self.is_quiet, seconds, "every job, card and delivery to settle")

    def is_quiet(self) -> bool:
        """Whether nothing is left to do; a storyboard that waits for its person is nothing of Reelay's."""
        live = "SELECT 1 FROM jobs WHERE state NOT IN ('done', 'failed', 'cancelled', 'awaiting')"
        due = "SELECT 1 FROM deliveries WHERE due_at IS NOT NULL"
        cards = "SELECT 1 FROM cards WHERE closed = 0"
        waiting = "SELECT 1 FROM inbox WHERE state = 'pending'"
        return not self.rows(f"{live} UNION ALL {due} UNION ALL {cards} UNION ALL {waiting} LIMIT 1")

    def alerts(self) -> list[str]:
        """Causes of the alerts that hold."""
        return [str(row["cause"]) for row in self.rows("SELECT cause FROM alerts ORDER BY cause")]

    def trail(self, job_id: str) -> list[str]:
        """The hops of a job."""
        return [str(row["hop"]) for row in self.rows("SELECT hop FROM events WHERE job_id = ? ORDER BY seq", job_id)]
