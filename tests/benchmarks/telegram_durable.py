"""How many updates a second Reelay answers when each is durable before its reply, against the same simulator's ceiling. No goal.

A crowd in private chats writes at the same moment, each of them once, to a simulator in a process of its own whose API answers after 50 ms.
Reelay is the real process, with its own long poll. Two things are asked: ``/help`` is committed and answered; an order (``/video``) is
committed, becomes a job, and is answered by its card, while the one job that may run does. The rate is answers divided by the seconds from
the first message to the last answer, and the wait of a person runs from the message to the first answer. Twenty people came before, so that
connections are open. When all is answered, every message must stand in the database, and with orders each must have become one job.

The ceiling is aiohttp alone, which keeps nothing and says "ok", at such a simulator with such a crowd: 256 connections. One side after the
other in each round, each in a fresh process with a fresh simulator.

Telegram's limit of 30 messages a second to all chats together would hide all of this, and so would Reelay's own pacing, which keeps it: the
simulator's limits are off here, and that one budget is lifted from outside (``LAB_MESSAGES_A_SECOND``, tests/lab/process.py). Nobody gets
these rates from the real Telegram; what they tell is how much room there is below its limit.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.figures import ROUNDS, Figure, median, ratio
from tests.benchmarks.telegram_sides import a_program, a_reelay
from tests.benchmarks.worlds import folder
from tests.lab.reelay import Reelay
from tests.lab.telegram.load import Crowd
from tests.lab.vendor import Script, Vendor

CROWD: Final = 300
WARM: Final = 20
LATENCY: Final = 0.05
MOST_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.25
LIFTED: Final = 100_000
ASKS: Final = {"reply": "/help", "order": "/video a lighthouse on a cliff at golden sunset"}
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """What a crowd saw."""

    rate: float
    """Answers a second."""
    p99: float
    """Seconds."""


def judge(lines: Sequence[Json], bot: str) -> Answered:
    """From the journal's lines of new messages. Raises RuntimeError when somebody has no answer."""
    asked: dict[int, float] = {}
    waits: list[float] = []
    first, last = lines[0]["at"], 0.0
    for line in lines:
        if line["sender"] != bot:
            asked[line["chat"]] = line["at"]
        elif line["chat"] in asked:
            last = line["at"]
            waits.append(last - asked.pop(line["chat"]))
    if asked:
        raise RuntimeError(f"{len(asked)} of {len(asked) + len(waits)} people have no answer")
    waits.sort()
    return Answered(len(waits) / (last - first), waits[min(len(waits) - 1, len(waits) * 99 // 100)])


def all_answered(crowd: Crowd, wanted: int) -> None:
    """Wait for that many answers. Raises RuntimeError."""
    end = time.monotonic() + MOST_SECONDS
    while (seen := crowd.figures())["answered"] < wanted:
        if time.monotonic() > end:
            raise RuntimeError(f"{seen['answered']} of {wanted} were answered within {MOST_SECONDS:.0f} s")
        time.sleep(LOOK_SECONDS)


def rush(crowd: Crowd, people: int, text: str) -> Answered:
    """Warm up, then let everybody write."""
    bot = crowd.username.removesuffix("_bot").title()
    crowd.wait_polled()
    crowd.prepare(WARM)
    crowd.ask("/fire", {"text": text, "times": 1})
    all_answered(crowd, WARM)
    _, begin = crowd.lines("created")
    crowd.prepare(people)
    crowd.ask("/fire", {"text": text, "times": 1})
    all_answered(crowd, 2 * WARM + people)
    lines, _ = crowd.lines("created", begin)
    return judge(lines, bot)


def check_kept(reelay: Reelay, messages: int, asks: str) -> None:
    """Every answered message is in the database, and each order has become one job. Raises RuntimeError."""
    rows = reelay.value("SELECT COUNT(*) FROM inbox WHERE platform = 'telegram'")
    jobs = reelay.value("SELECT COUNT(DISTINCT job_id) FROM inbox WHERE job_id IS NOT NULL")
    if (rows, jobs) != (messages, messages if asks == "order" else 0):
        raise RuntimeError(f"{messages} messages were answered, {rows} are kept, {jobs} have become jobs")


def ours(place: Path, people: int, asks: str) -> Answered:
    """At Reelay."""
    with ExitStack() as stack:
        crowd = stack.enter_context(Crowd(latency=LATENCY))
        vendor = stack.enter_context(Vendor(default=Script(seconds=None)))
        generator = {"name": "lab", "url": vendor.url, "poll_seconds": [5.0, 10.0], "most_active": 1}
        reelay = stack.enter_context(a_reelay(crowd, place, generator, LAB_MESSAGES_A_SECOND=str(LIFTED)))
        found = rush(crowd, people, ASKS[asks])
        check_kept(reelay, 2 * WARM + people, asks)
        reelay.kill()
        return found


def raw(people: int) -> Answered:
    """At aiohttp alone."""
    with Crowd(latency=LATENCY) as crowd:
        wish = {"does": "reply", "with": "raw", "root": crowd.api_url, "token": crowd.token}
        with a_program("telegram_bare", wish):
            return rush(crowd, people, ASKS["reply"])


def figure(asks: str, mine: list[Answered], others: list[Answered]) -> Figure:
    """One line of the table."""
    words = {"reply": "/help", "order": "/video (the reply is the job's card)"}[asks]
    return ratio(
        f"telegram durable {asks}",
        f"{words} answered in a second, each after its commit ÷ aiohttp alone, which keeps nothing; {LATENCY * 1000:.0f} ms latency",
        [each.rate for each in mine],
        [each.rate for each in others],
        unit="×",
        sides={
            "ours /s": median(each.rate for each in mine),
            "raw aiohttp /s": median(each.rate for each in others),
            "ours, p99 s": median(each.p99 for each in mine),
            "raw, p99 s": median(each.p99 for each in others),
        },
    )


def measure(scale: float = 1.0) -> list[Figure]:
    """Two figures."""
    rounds, people = (ROUNDS, CROWD) if scale >= 1 else (1, 60)
    mine: dict[str, list[Answered]] = {asks: [] for asks in ASKS}
    others: list[Answered] = []
    with folder() as place:
        for number in range(rounds):
            for asks, found in mine.items():
                found.append(ours(place / f"{asks} {number}", people, asks))
            others.append(raw(people))
    return [figure(asks, found, others) for asks, found in mine.items()]
