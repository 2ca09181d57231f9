"""Reelay's transport under python-telegram-bot against the library's default one: replies in a second, and the weight of uploads.

*Replies*: the same trivial bot of the library, ``concurrent_updates(256)``, once with its default transport (httpx) and once with Reelay's
request class, nothing else changed; a server of its own hands out as many commands as it can and answers each message 50 ms after it came.
Counted are the commands that were answered in a second, from the first that was handed out to the last answer; the first hundred, which
open the connections and import what is imported late, come before the clock starts. Beside it, in the same round: aiohttp alone, with as
many connections and no library. The polls themselves are answered at once. Each side is a process of its own each time.

*Memory*: eight clips of 50 MB to eight chats at once, which the server holds for some seconds so that all are under way together. Counted
is by how much the peak of the process's resident memory rises above what it had before, as a share of the payload: the library's way (an
open file, which it reads) against Reelay's ``DiskFile``. Each side has sent one such clip before.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.discord_uploads import peak_bytes, reset_peak
from tests.benchmarks.figures import ROUNDS, Figure, median, ratio, resident_bytes
from tests.benchmarks.worlds import folder
from tests.lab.reelay import ROOT

MB: Final = 1_000_000
BYTES: Final = 50 * MB
AT_ONCE: Final = 8
HELD_SECONDS: Final = 2.0
LATENCY: Final = 0.05
UPDATES: Final = 1500
WARM: Final = 100
MOST_SECONDS: Final = 60.0
"""A side that has not answered all by then is judged by what it has answered."""
SIDES: Final = ("library", "ours", "raw")
Json = dict[str, Any]


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
    """The next line that it says."""
    assert process.stdout is not None
    found = json.loads(process.stdout.readline())
    assert isinstance(found, dict)
    return found


@contextlib.contextmanager
def a_server(updates: int, warm: int) -> Iterator[str]:
    """The root of a Bot API."""
    with a_program(
        "telegram_server", {"updates": updates, "warm": warm, "latency": LATENCY, "hold": HELD_SECONDS}
    ) as server:
        yield f"http://127.0.0.1:{heard(server)['port']}"


def figures(root: str) -> Json:
    """What the server has seen."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{root}/figures", timeout=10) as answer:
        found = json.load(answer)["result"]
    assert isinstance(found, dict)
    return found


def replies(side: str, updates: int, warm: int) -> float:
    """Commands answered in a second."""
    with a_server(updates, warm) as root, a_program("telegram_bare", {"does": "reply", "with": side, "root": root}):
        end = time.monotonic() + MOST_SECONDS
        seen = figures(root)
        while seen["answered"] < updates and time.monotonic() < end:
            time.sleep(0.2)
            seen = figures(root)
    if seen["answered"] <= warm:
        raise RuntimeError(f"{side} answered {seen['answered']} of {updates}")
    return float((seen["answered"] - warm) / (seen["ended"] - seen["began"]))


def weight(side: str, clip: Path) -> float:
    """Bytes by which the peak rises."""
    wish = {"does": "upload", "with": side, "clip": str(clip), "at_once": AT_ONCE}
    with a_server(0, 0) as root, a_program("telegram_bare", {**wish, "root": root}) as bot:
        heard(bot)
        reset_peak(bot.pid)
        before = resident_bytes(bot.pid)
        say(bot, "go")
        heard(bot)
        peak, seen = peak_bytes(bot.pid), figures(root)
    if seen["uploads_together"] < AT_ONCE or seen["upload_bytes"] < (AT_ONCE + 1) * clip.stat().st_size:
        raise RuntimeError(f"{side}: only {seen['uploads_together']} of {AT_ONCE} uploads were under way together")
    return float(max(0, peak - before))


def measure(scale: float) -> list[Figure]:
    """The figures of the transport."""
    rounds = ROUNDS if scale >= 1 else 1
    updates, warm = (UPDATES, WARM) if scale >= 1 else (200, 50)
    size = BYTES if scale >= 1 else 5 * MB
    rates: dict[str, list[float]] = {side: [] for side in SIDES}
    weights: dict[str, list[float]] = {side: [] for side in SIDES[:2]}
    with folder() as place:
        clip = place / "clip.mp4"
        with clip.open("wb") as file:
            file.truncate(size)
        for _ in range(rounds):
            for side, found in rates.items():
                found.append(replies(side, updates, warm))
            for side, heavy in weights.items():
                heavy.append(weight(side, clip))
    payload = AT_ONCE * size
    ours = median(weights["ours"]) / payload
    return [
        ratio(
            "telegram transport",
            f"commands answered in a second over Reelay's request class ÷ over the library's own, {LATENCY * 1000:.0f} ms latency",
            rates["ours"],
            rates["library"],
            goal=10.0,
            better=">=",
            unit="×",
            sides={
                "ours /s": median(rates["ours"]),
                "library /s": median(rates["library"]),
                "raw aiohttp /s": median(rates["raw"]),
            },
        ),
        Figure(
            "telegram upload memory",
            f"peak memory of {AT_ONCE} uploads of {size / MB:g} MB at once ÷ their bytes",
            ours,
            goal=0.05,
            rounds=tuple(each / payload for each in weights["ours"]),
            sides={
                "ours MB": median(weights["ours"]) / MB,
                "library MB": median(weights["library"]) / MB,
                "payload MB": payload / MB,
            },
        ),
    ]
