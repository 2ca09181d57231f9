"""Eight clips of 50 MB on their way to Telegram at once: what they weigh.

Eight jobs in eight private chats become ready at the same moment, and the simulator looks at none of their uploads for some seconds, so
that all of them are under way together. Reelay is the real process: each card becomes its clip by an editMessageMedia that brings the file,
its cover and its thumbnail. Counted is by how much the peak of the process's resident memory rises above what it had before, over
everything from the download to the last upload (the media work is done by children and is not counted), as a share of the payload. Beside
it, in the same round, python-telegram-bot with everything at its default: eight ``send_video`` of an open file, and nothing else. Both
sides have sent one such clip before: what is imported late counts for neither.

Same simulator, same file: a short real clip, filled up to exactly 50 MB with an empty box.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.discord_uploads import (
    AT_ONCE,
    BYTES,
    HELD_SECONDS,
    MB,
    FileVendor,
    fill_up,
    peak_bytes,
    reset_peak,
)
from tests.benchmarks.figures import ROUNDS, Figure, median, resident_bytes
from tests.benchmarks.telegram_sides import a_program, a_reelay, heard, say
from tests.benchmarks.worlds import folder
from tests.lab.telegram import Person, Telegram
from tests.lab.vendor import Script
from tests.lab.waiting import until
from tests.media.canned import canned_clip

EDIT: Final = "editMessageMedia"
SEND: Final = "sendVideo"
FILES: Final = 3
"""The clip, its cover and its thumbnail."""
Json = dict[str, Any]


@dataclass
class Stage:
    """Eight people with a private chat each, and one more who warms up."""

    telegram: Telegram
    people: list[Person] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.telegram.shelf.keep = self.telegram.queue.slowing = False
        self.people = [self.telegram.add_person(f"person-{number}", started=True) for number in range(AT_ONCE + 1)]

    def brought(self, method: str) -> list[Json]:
        """The journal's lines of the calls that brought a clip."""
        return [line for line in self.telegram.journal.requests(method, 200) if line["files"]]

    def card_shows(self, person: Person, word: str) -> bool:
        """Whether what the bot wrote last says it."""
        found = person.received()
        return bool(found) and word in found[-1].text

    def weigh(self, pid: int, method: str, go: Callable[[], None]) -> float:
        """Bytes by which the peak rises while eight clips are brought at once."""
        door, before = self.telegram.door, len(self.brought(method))
        door.most_inflight.clear()
        door.latency[method] = HELD_SECONDS
        reset_peak(pid)
        resident = resident_bytes(pid)
        go()
        until(lambda: len(self.brought(method)) == before + AT_ONCE, 120, "all clips")
        together = door.most_inflight[method]
        if together < AT_ONCE:
            raise RuntimeError(f"only {together} of {AT_ONCE} uploads were under way together")
        return float(max(0, peak_bytes(pid) - resident))


def ours(place: Path, clip: Path) -> float:
    """Bytes of eight deliveries at once."""
    with Telegram(validate=False) as telegram, FileVendor(clip, default=Script(seconds=0.3)) as vendor:
        stage = Stage(telegram)
        generator = {"name": "lab", "url": vendor.url, "usual_seconds": 1.0, "most_active": AT_ONCE}
        with a_reelay(telegram, place, generator) as reelay:
            until(lambda: telegram.queue.polls == 1, 30, "the poll")
            stage.people[AT_ONCE].say("warm")
            until(lambda: stage.brought(EDIT), 60, "the first clip")
            reelay.wait_quiet()
            vendor.on("held", Script(seconds=None))
            for number, person in enumerate(stage.people[:AT_ONCE]):
                person.say(f"held {number}")
            until(lambda: len(vendor.of("held")) == AT_ONCE, 20, "eight jobs")
            until(
                lambda: all(stage.card_shows(each, "Rendering") for each in stage.people[:AT_ONCE]), 20, "eight cards"
            )
            weight = stage.weigh(reelay.running.pid, EDIT, lambda: vendor.finish("held"))
            tries = telegram.journal.requests(EDIT)
            if any((line["status"], len(line["files"])) != (200, FILES) for line in tries):
                raise RuntimeError("a clip was refused, or came without its cover or its thumbnail")
            return weight


def library(clip: Path) -> float:
    """The same of eight ``send_video(open(…))``."""
    with Telegram(validate=False) as telegram:
        stage = Stage(telegram)
        chats = [person.id for person in stage.people]
        wish = {"does": "upload", "with": "library", "clip": str(clip), "chats": chats}
        with a_program("telegram_bare", {**wish, "root": telegram.api_url, "token": telegram.token}) as bot:
            heard(bot)
            return stage.weigh(bot.pid, SEND, lambda: say(bot, "go"))


def figure(weights: list[float], others: list[float], payload: int) -> Figure:
    """The line of the table."""
    return Figure(
        "telegram upload memory",
        f"peak memory of {AT_ONCE} deliveries of {payload / AT_ONCE / MB:g} MB at once, from download to answer ÷ their bytes",
        median(weights) / payload,
        goal=0.05,
        rounds=tuple(weight / payload for weight in weights),
        sides={
            "ours MB": median(weights) / MB,
            "python-telegram-bot MB": median(others) / MB,
            "ours ÷ python-telegram-bot": median(a / b for a, b in zip(weights, others, strict=True)),
            "payload MB": payload / MB,
        },
    )


def measure(scale: float = 1.0) -> list[Figure]:
    """One figure."""
    size, rounds = (BYTES, ROUNDS) if scale >= 1 else (5 * MB, 1)
    weights: list[float] = []
    others: list[float] = []
    with folder() as place:
        clip = place / "clip.mp4"
        canned_clip(clip, seconds=0.5, width=1280, height=720, noise=255)
        fill_up(clip, size)
        for number in range(rounds):
            weights.append(ours(place / f"round {number}", clip))
            others.append(library(clip))
    return [figure(weights, others, AT_ONCE * size)]
