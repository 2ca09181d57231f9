"""Reelay's transport under python-telegram-bot against the library's default one: replies in a second.

The same trivial bot of the library, ``concurrent_updates(256)``, once with its default transport (httpx) and once with Reelay's request
class, nothing else changed; a server of its own hands out as many commands as it can and answers each message 50 ms after it came. Counted
are the commands that were answered in a second, from the first that was handed out to the last answer; the first hundred, which open the
connections and import what is imported late, come before the clock starts. Beside it, in the same round: aiohttp alone, with as many
connections and no library. The polls themselves are answered at once. Each side is a process of its own each time, and the sides take turns
in being first. Every side gets the same commands, so few that the library needs ten seconds for them: of the fast sides' time the 50 ms of
the last answer are a tenth then, which counts against them.
"""

from __future__ import annotations

import contextlib
import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any, Final

from tests.benchmarks.figures import ROUNDS, Figure, median, ratio
from tests.benchmarks.telegram_sides import a_program, heard

LATENCY: Final = 0.05
UPDATES: Final = 700
WARM: Final = 100
MOST_SECONDS: Final = 60.0
"""A side that has not answered all by then is judged by what it has answered."""
SIDES: Final = ("library", "ours", "raw")
Json = dict[str, Any]


@contextlib.contextmanager
def a_server(updates: int, warm: int) -> Iterator[str]:
    """The root of a Bot API."""
    with a_program("telegram_server", {"updates": updates, "warm": warm, "latency": LATENCY}) as server:
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


def measure(scale: float) -> list[Figure]:
    """One figure."""
    updates, warm = (UPDATES, WARM) if scale >= 1 else (200, 50)
    rates: dict[str, list[float]] = {side: [] for side in SIDES}
    for number in range(ROUNDS if scale >= 1 else 1):
        turn = number % len(SIDES)
        for side in (*SIDES[turn:], *SIDES[:turn]):
            rates[side].append(replies(side, updates, warm))
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
        )
    ]
