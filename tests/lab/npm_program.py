"""A program of npm's world with the packages that its lock names, and its process, which speaks lines of JSON."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest

Json = dict[str, Any]
FILES = ("package.json", "package-lock.json", "client.js")


def _absent(reason: str) -> NoReturn:
    """Without what this needs it is skipped, but never silently where everything must run."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def installed(source: Path, folder: Path) -> Path:
    """The program's script, in a folder of its own beside its packages."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        _absent("node and npm are not installed")
    for name in FILES:
        shutil.copy(source / name, folder / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
    command += ["--fetch-retries=0", "--fetch-timeout=15000"]  # a machine without a registry is told apart soon
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=40, check=False)
    except subprocess.TimeoutExpired:
        _absent("npm did not install the packages within 40 seconds")
    if done.returncode:
        _absent(f"npm could not install the packages: {done.stderr[-300:]}")
    return folder / "client.js"


class Running:
    """The process and what it said."""

    def __init__(self, script: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            ["node", str(script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | dict(environ or {}),
        )
        self.said: list[Json] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))

    def of(self, what: str) -> list[Json]:
        """What it said of one kind."""
        return [line for line in self.said if line["what"] == what]

    def stop(self) -> str:
        """End it by the end of its input; returns what it complained about."""
        try:
            _, complaints = self.process.communicate(timeout=20)
        except ValueError:
            complaints = ""
        finally:
            self.process.kill()
            self.process.wait(10)
            self._thread.join(10)
        return str(complaints)
