"""Reelay's own process at a Telegram of the lab, and the programs of this folder that stand on the other side."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.discord_sides import limit_files
from tests.lab.reelay import ROOT, Reelay
from tests.lab.telegram import Telegram
from tests.lab.telegram.load import Crowd

Json = dict[str, Any]


@contextlib.contextmanager
def a_reelay(world: Telegram | Crowd, place: Path, generator: Mapping[str, Any], **environ: str) -> Iterator[Reelay]:
    """The real process with one generator of the lab, open to everybody; it is ready, but perhaps does not poll yet."""
    settings = {
        "TELEGRAM_TOKEN": world.token,
        "TELEGRAM_API_URL": world.api_url,
        "REELAY_ALLOWED": "open",
        "REELAY_DAILY_CREDITS": "unlimited",
        "REELAY_GLOBAL_DAILY_CREDITS": "unlimited",
        "LAB_LOW_WATER": "0",
        **environ,
    }
    with Reelay(place, environ=settings, generators=[dict(generator)]) as reelay:
        reelay.launch()
        limit_files(reelay.running.pid)
        reelay.wait_ready()
        yield reelay


@contextlib.contextmanager
def a_program(name: str, wish: Json) -> Iterator[subprocess.Popen[str]]:
    """A program of this folder that was told its wish, without this machine's proxies."""
    environ = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    command = [sys.executable, "-W", "ignore", "-m", f"tests.benchmarks.{name}"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            say(process, json.dumps(wish))
            yield process
        finally:
            process.kill()


def say(process: subprocess.Popen[str], line: str) -> None:
    """Write a line to it."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def heard(process: subprocess.Popen[str]) -> Json:
    """The next line that it says. Raises RuntimeError when it has ended."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("the program has ended without a word")
    found = json.loads(line)
    assert isinstance(found, dict)
    return found
