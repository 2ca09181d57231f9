"""From ``python -m bot run`` to a yes of ``/readyz``, and what the process weighs when nobody asks anything of it. Web page only."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import ROUNDS, Figure, median, resident_bytes
from tests.benchmarks.worlds import folder

IDLE_SECONDS: Final = 2.0
START_SECONDS: Final = 60.0
BARE: Final = "import asyncio, aiohttp, aiosqlite, sys; sys.stdout.write('x'); sys.stdout.flush(); sys.stdin.read()"


def ready(port: int) -> bool:
    """Whether ``/readyz`` says 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            line.sendall(b"GET /readyz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            return b" 200 " in line.recv(200)
    except OSError:
        return False


def once(place: Path) -> tuple[float, int]:
    """(seconds to readiness, bytes when idle)."""
    environ = {"PATH": os.environ["PATH"], "REELAY_DATA_DIR": str(place), "REELAY_HTTP_PORT": "0"}
    began = time.monotonic()
    command = [sys.executable, "-m", "bot", "run"]
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            port = int((re.search(r":(\d+)\s*$", said) or ["", "0"])[1])
            while not ready(port):
                if time.monotonic() - began > START_SECONDS:
                    raise TimeoutError(f"not ready; it said {said!r}")
                time.sleep(0.002)
            seconds = time.monotonic() - began
            time.sleep(IDLE_SECONDS)
            return seconds, resident_bytes(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def bare() -> int:
    """Bytes of an interpreter that has imported what any such process needs."""
    with subprocess.Popen([sys.executable, "-c", BARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        weight = resident_bytes(process.pid)
        process.kill()
    return weight


def measure(scale: float = 1.0) -> list[Figure]:
    """Two figures: seconds, and memory."""
    del scale
    seconds: list[float] = []
    weights: list[float] = []
    bares: list[float] = []
    with folder() as place:
        for number in range(ROUNDS + 1):  # the first start makes the files, and is measured by nobody
            took, weight = once(place / "data")
            if number:
                seconds.append(took)
                weights.append(weight / 1e6)
                bares.append(bare() / 1e6)
    sides = {"idle MB": median(weights), "interpreter with aiohttp and aiosqlite MB": median(bares)}
    return [
        Figure("start", "start → /readyz, web page and built-in generator", median(seconds), goal=1.0, unit="s", rounds=tuple(seconds)),
        Figure("idle memory", "resident memory, nothing to do", median(weights), unit="MB", rounds=tuple(weights), sides=sides),
    ]  # fmt: skip
