"""The real process and the real command line, on a folder of the test's own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from bot.__main__ import cli

ROOT = Path(__file__).parents[2]
SECONDS = 60.0


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self
        return json.loads(self.out)


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REELAY_")}
    return {
        **kept, "PYTHONPATH": str(ROOT), "REELAY_DATA_DIR": str(folder), "REELAY_HTTP_PORT": "0", "NO_COLOR": "1", **more
    }  # fmt: skip


def reelay(folder: Path, *words: str, **more: str) -> Said:
    """``reelay WORDS…``, run elsewhere than in the repository, so that no ``.env`` of it counts."""
    done = subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=folder.parent,
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def typed(folder: Path, *words: str, **more: str) -> Said:
    """The same command line in this process: quicker, for what does not depend on how a process starts and ends."""
    with contextlib.chdir(folder.parent):
        done = CliRunner().invoke(cli, list(words), env={**environment(folder, **more)})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Said(done.exit_code, done.stdout, done.stderr)


class Running:
    """A started Reelay."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, first_line: str) -> None:
        self.process, self.folder, self.first_line = process, folder, first_line
        self.url = first_line.rsplit(" is at ", 1)[1].strip()

    def call(
        self, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """(status, JSON) of a call; with ``body`` it is a POST."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def admin(self, *words: str) -> Said:
        return typed(self.folder, "admin", *words)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=SECONDS)


@contextlib.contextmanager
def running(folder: Path, **more: str) -> Iterator[Running]:
    """Start ``reelay run`` and wait for the line that says where it is."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"],
        cwd=folder.parent,
        env=environment(folder, **more),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if " is at " in line:
                yield Running(process, folder, line)
                return
        raise AssertionError(f"it ended with {process.wait(timeout=SECONDS)} before it said where it is")
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=SECONDS)
        process.stdout.close()
