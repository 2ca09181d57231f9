"""How old the progress is that a card shows, against the age that its pace of edits permits.

Five jobs run for a minute each at a vendor that tells its fraction whenever it is asked, so the truth is known at every moment; Reelay
asks it ten times a second, for it is the card that is measured here and not the asking. The age of what a card shows is the time since
the truth was what it shows: a card that says "40 %" of a job of 60 s is 3 s old when the job has run for 27 s. The mean is taken from
the first percentage on the card to the moment in which the job is ready. Permitted is the mean age of a card that is edited every three
seconds on the dot (``seconds_between_edits``), shows whole per cents as ours does, and knows the truth without asking and without a
network: nobody who keeps that pace can be fresher.

The bare bot of discord.py does the usual thing at the same time, in a Discord of its own: poll, edit, sleep three seconds. The edits of
both come from the simulators' journals; a 429 to either is counted, and ours must have none.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from bot.platforms.discord.platform import LIMITS
from tests.benchmarks.discord_sides import a_bare_bot, a_reelay
from tests.benchmarks.figures import ROUNDS, Figure, median, ratio
from tests.benchmarks.worlds import folder
from tests.lab.discord import Discord, Use
from tests.lab.vendor import Script, Vendor, VendorJob
from tests.lab.waiting import until

SECONDS: Final = 64.0
"""So long that three seconds are no whole number of per cent: the phase of the edits plays no part."""
STEP: Final = 0.01
"""Seconds between two looks at a card."""
PERCENT: Final = re.compile(r"(\d+)\s*%")
Shown = Sequence[tuple[float, float]]
"""(seconds since the job began, fraction on the card from then on)."""


def mean_age(shown: Shown, seconds: float) -> float:
    """Mean age in seconds of what a card shows of a job that runs evenly for ``seconds``, from its first fraction to the job's end."""
    ages: list[float] = []
    turn, at = 0, shown[0][0]
    while at < seconds:
        while turn + 1 < len(shown) and shown[turn + 1][0] <= at:
            turn += 1
        ages.append(at - shown[turn][1] * seconds)
        at += STEP
    return sum(ages) / len(ages)


def permitted(first: float, pace: float, seconds: float) -> list[tuple[float, float]]:
    """The card of somebody who edits every ``pace`` seconds from ``first`` on, with the whole per cent that is true then."""
    times = [first + number * pace for number in range(int((seconds - first) / pace) + 1)]
    return [(at, int(100 * at / seconds) / 100) for at in times if at < seconds]


def shown_by(use: Use, began: float) -> list[tuple[float, float]]:
    """What the journal says of one card. ``began`` in Unix seconds."""
    found = [(moment.at - began, PERCENT.search(moment.text)) for moment in use.history]
    return [(at, int(said[1]) / 100) for at, said in found if said is not None]


def begun(job: VendorJob) -> float:
    """Unix seconds of a vendor's job."""
    return time.time() - (time.monotonic() - job.began)


def crowd(discord: Discord, jobs: int) -> list[Callable[[], Use]]:
    """``jobs`` people, each with a command to type."""
    room = discord.add_channel(discord.add_guild("Cinema"), "general")
    assert room.guild is not None
    people = [discord.add_person(f"person-{number}", room.guild) for number in range(jobs)]
    return [lambda n=n, who=who: who.slash("video", room, prompt=f"take-{n}-") for n, who in enumerate(people)]  # type: ignore[misc]


def ready(discord: Discord) -> bool:
    """Whether the bot is there and its command too."""
    return discord.gateway.connected == 1 and any(each["name"] == "video" for each in discord.commands.of(None))


def watch(place: Path, jobs: int, seconds: float) -> tuple[dict[str, list[Shown]], dict[str, int]]:
    """(what each card showed, by side; 429s, by side)."""
    pace = LIMITS.seconds_between_edits
    shown: dict[str, list[Shown]] = {}
    with Discord(validate=False) as mine, Discord(validate=False) as other:
        with Vendor(default=Script(seconds=seconds)) as paid, Vendor(default=Script(seconds=seconds)) as asked:
            generator = {"name": "lab", "url": paid.url, "poll_seconds": [0.1, 0.2], "usual_seconds": seconds}
            sides = {"ours": (mine, paid), "bare": (other, asked)}
            with (
                a_reelay(mine, place, generator),
                a_bare_bot(other, "edit", vendor=asked.url, pace=pace),
            ):
                uses: dict[str, list[Use]] = {name: [] for name in sides}
                typed = {name: crowd(discord, jobs) for name, (discord, _) in sides.items()}
                until(lambda: ready(mine) and ready(other), 30, "both bots")
                for number in range(jobs):  # not all at one moment: each card has its own rhythm
                    for name in sides:
                        uses[name].append(typed[name][number]())
                    time.sleep(0.7)
                for name, (_, vendor) in sides.items():
                    until(lambda v=vendor: len(v.jobs) == jobs, 30, f"the jobs of {name}")  # type: ignore[misc]
                last = max(job.began for _, vendor in sides.values() for job in vendor.jobs.values())
                time.sleep(max(0.0, last + seconds + 1.0 - time.monotonic()))
                for name, (_, vendor) in sides.items():
                    began = [begun(next(iter(vendor.of(f"take-{number}-")))) for number in range(jobs)]
                    shown[name] = [shown_by(use, at) for use, at in zip(uses[name], began, strict=True)]
        refused = {name: len(discord.journal.rate_limited()) for name, (discord, _) in sides.items()}
    return shown, refused


def measure(scale: float = 1.0) -> list[Figure]:
    """One figure; a job is a round."""
    seconds, pace = SECONDS if scale >= 1 else 12.8, LIMITS.seconds_between_edits
    with folder() as place:
        shown, refused = watch(place, ROUNDS, seconds)
    ages = {name: [mean_age(card, seconds) for card in cards] for name, cards in shown.items()}
    best = [mean_age(permitted(card[0][0], pace, seconds), seconds) for card in shown["ours"]]
    sides: dict[str, Any] = {
        "ours, age s": median(ages["ours"]),
        "permitted, age s": median(best),
        "bare discord.py, age s": median(ages["bare"]),
        "ours, edits a job": median(len(card) for card in shown["ours"]),
        "bare, edits a job": median(len(card) for card in shown["bare"]),
        "ours, 429s": refused["ours"],
        "bare, 429s": refused["bare"],
    }
    what = f"mean age of the progress on a card ÷ the age that an edit every {pace:g} s permits, {ROUNDS} jobs of {seconds:g} s"
    return [ratio("discord edits", what, ages["ours"], best, goal=1.1, unit="×", sides=sides)]
