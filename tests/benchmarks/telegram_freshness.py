"""How old the progress is that a card shows, against the age that the budget of its chat permits.

Jobs of two minutes run at a vendor that tells its fraction whenever it is asked, so the truth is known at every moment; the age of
what a card shows is the time since the truth was what it shows (``discord_edits``). The simulator's flood limits are on. Measured is the
steady state: the mean from when a group's minute has had nothing in it but progress for so long that every card had a turn, to the moment
in which the first job is ready. How old the cards were before that is told beside it.

A card shares its budget with the others of its chat. Permitted is the mean age of cards that take turns evenly at the chat's pace, show
whole per cents as ours do, and know the truth without asking and without a network: with ``n`` cards, half of ``n`` paces and half a per
cent. In a private chat the pace is an edit every three seconds (``COSMETIC_SECONDS``). In a group it is what the simulator's own limit, the
twenty messages and edits a minute of Telegram's FAQ, leaves when each running job keeps a place for its clip, so that it need not wait: not
the pace that Reelay takes there, which keeps more places than that. A chat is a round, and its value the mean of its cards, so that a card
which others keep from its turn counts.

Three kinds of chats at the same time: private with one job, private with two, groups with three people's jobs. Every 429 is counted, also
those outside of the measured minute.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bot.platforms.telegram.pacing import COSMETIC_SECONDS
from tests.benchmarks.discord_edits import PERCENT, Shown, begun
from tests.benchmarks.figures import ROUNDS, Figure, median, ratio
from tests.benchmarks.telegram_sides import a_reelay
from tests.benchmarks.worlds import folder
from tests.lab.telegram import Chat, Person, Seen, Telegram
from tests.lab.vendor import Script, Vendor
from tests.lab.waiting import until

SECONDS: Final = 120.0
SETTLED_SECONDS: Final = 78.0
"""After the last card was posted: the minute of a group's limit with the news of its beginning, and then a turn of three cards."""
WHY: Final = (
    "In a group Reelay edits every five seconds at most, and not at all while twelve of the twenty places of the last minute are taken:"
    " eight are kept for cards, news and clips of others who come meanwhile."
)
KINDS: Final = {"alone": 1, "two": 2, "group": 3}
"""Jobs in a chat of each kind."""


@dataclass
class Room:
    """A chat and the cards in it."""

    kind: str
    people: list[Person]
    chat: Chat | None = None
    """None: the private chat."""
    words: list[str] = field(default_factory=list)
    """The prompt of each job."""
    said: list[Seen] = field(default_factory=list)

    def order(self, telegram: Telegram, number: int) -> None:
        """Ask for the jobs."""
        for turn in range(KINDS[self.kind]):
            person, words = self.people[turn % len(self.people)], f"take-{number}-{turn}-"
            self.words.append(words)
            self.said.append(
                person.say(words if self.chat is None else f"/video@{telegram.bot.username} {words}", self.chat)
            )

    def cards(self) -> list[Seen]:
        """What answers each order, as far as it is there."""
        found = {each.reply_to: each for each in self.people[0].received(self.chat)}
        return [found[said.id] for said in self.said if said.id in found]


def rooms_of(telegram: Telegram, each: int) -> list[Room]:
    """So many chats of each kind."""
    rooms = []
    for kind, jobs in KINDS.items():
        for number in range(each):
            names = [f"{kind}-{number}-{turn}" for turn in range(jobs if kind == "group" else 1)]
            people = [telegram.add_person(name, started=True) for name in names]
            chat = telegram.add_supergroup(f"Cinema {number}", *people) if kind == "group" else None
            rooms.append(Room(kind, people, chat))
    return rooms


def pace_of(kind: str, group: tuple[int, float]) -> float:
    """Seconds between two edits of a chat, at the best; ``group``: so many calls in so many seconds."""
    most, seconds = group
    return seconds / (most - KINDS[kind]) if kind == "group" else COSMETIC_SECONDS


def permitted_age(cards: int, pace: float, seconds: float) -> float:
    """Mean age of ``cards`` that take turns at ``pace``, each of a job of ``seconds``."""
    return cards * pace / 2 + seconds / 200


def within(shown: Shown, start: float) -> Shown:
    """The card from ``start`` on, with what it showed then. Raises RuntimeError when it showed nothing."""
    before = [fraction for at, fraction in shown if at <= start]
    if not before:
        raise RuntimeError(f"a card without progress {start:.0f} s after its job began")
    return [(start, before[-1]), *((at, fraction) for at, fraction in shown if at > start)]


def shown_by(card: Seen, began: float) -> Shown:
    """What a card showed. ``began`` in Unix seconds."""
    found = [(moment.at - began, PERCENT.search(moment.text)) for moment in card.message.history]
    return [(at, int(said[1]) / 100) for at, said in found if said is not None]


def age_of(shown: Shown, start: float, end: float, seconds: float) -> float:
    """Mean age of a card between two moments of its job, in seconds since that began."""
    kept = [each for each in within(shown, start) if each[0] < end]
    ages = 0.0
    for (at, fraction), stop in zip(kept, [*(each[0] for each in kept[1:]), end], strict=True):
        ages += (stop - at) * ((at + stop) / 2 - fraction * seconds)  # it grows evenly while the card stays as it is
    return ages / (end - start)


@dataclass(frozen=True)
class Watched:
    """What came of it: mean ages by kind and chat, of the oldest card too and before the steady state, edits of a card, and 429s."""

    ages: dict[str, list[float]]
    oldest: dict[str, float]
    early: dict[str, float]
    edits: dict[str, float]
    refused: int
    group: tuple[int, float]


def watch(place: Path, each: int, seconds: float, settled: float) -> Watched:
    """Run everything once."""
    jobs = each * sum(KINDS.values())
    with Telegram(validate=False) as telegram, Vendor(default=Script(seconds=seconds)) as vendor:
        telegram.queue.slowing = False
        rooms = rooms_of(telegram, each)
        generator = {
            "name": "lab",
            "url": vendor.url,
            "poll_seconds": [0.2, 0.3],
            "usual_seconds": seconds,
            "maximum_seconds": 600.0,
            "most_active": jobs,
        }
        with a_reelay(telegram, place, generator, REELAY_MAX_ACTIVE_JOBS="4"):
            until(lambda: telegram.queue.polls == 1, 30, "the poll")
            for number, room in enumerate(rooms):
                room.order(telegram, number)
                time.sleep(0.1)  # not all at one moment: each chat has its own rhythm
            until(lambda: len(vendor.jobs) == jobs, 30, "all jobs")
            until(lambda: all(len(room.cards()) == KINDS[room.kind] for room in rooms), 30, "all cards")
            first, last = (pick(begun(job) for job in vendor.jobs.values()) for pick in (min, max))
            start, end = last + settled, first + seconds
            time.sleep(max(0.0, end + 0.5 - time.time()))
            ages: dict[str, list[float]] = {kind: [] for kind in KINDS}
            oldest: dict[str, float] = dict.fromkeys(KINDS, 0.0)
            early: dict[str, list[float]] = {kind: [] for kind in KINDS}
            counts: dict[str, list[int]] = {kind: [] for kind in KINDS}
            for room in rooms:
                found = []
                for words, card in zip(room.words, room.cards(), strict=True):
                    began = begun(vendor.of(words)[0])
                    shown = shown_by(card, began)
                    found.append(age_of(shown, start - began, end - began, seconds))
                    early[room.kind].append(age_of(shown, shown[0][0], start - began, seconds))
                    counts[room.kind].append(sum(start - began < at < end - began for at, _ in shown))
                ages[room.kind].append(sum(found) / len(found))
                oldest[room.kind] = max(oldest[room.kind], *found)
        refused, group = len(telegram.rate_limited()), telegram.limits.group
    early_ages, edits = ({kind: median(of) for kind, of in found.items()} for found in (early, counts))
    return Watched(ages, oldest, early_ages, edits, refused, group)


def figures(watched: Watched, seconds: float) -> list[Figure]:
    """The lines of the table."""
    names = {
        "alone": ("telegram freshness, a job", "one job in a private chat"),
        "two": ("telegram freshness, two jobs", "two jobs in one private chat"),
        "group": (
            "telegram freshness, group",
            f"{KINDS['group']} jobs in one group of {watched.group[0]} calls a minute",
        ),
    }
    made = []
    for kind, (name, words) in names.items():
        pace = pace_of(kind, watched.group)
        best = permitted_age(KINDS[kind], pace, seconds)
        mine = watched.ages[kind]
        made.append(
            ratio(
                name,
                f"mean age of the progress on a card ÷ the age that its chat's budget permits, {words}",
                mine,
                [best] * len(mine),
                goal=1.1,
                unit="×",
                sides={
                    "ours, age s": median(mine),
                    "permitted, age s": best,
                    "oldest card's age s": watched.oldest[kind],
                    "before the steady state, age s": watched.early[kind],
                    "permitted, s between a chat's edits": pace,
                    "ours, edits a card": watched.edits[kind],
                },
                note=WHY if kind == "group" else "",
            )
        )
    return [*made, refusals(watched.refused, sum(map(len, watched.ages.values())))]


def refusals(refused: int, chats: int) -> Figure:
    """The line about 429s."""
    return Figure(
        "telegram 429s",
        f"calls that Telegram refused for coming too fast, all of the freshness run, {chats} chats",
        float(refused),
        goal=0.0,
        rounds=(float(refused),),
    )


def measure(scale: float = 1.0) -> list[Figure]:
    """Four figures of one run; a chat is a round."""
    each, seconds, settled = (ROUNDS, SECONDS, SETTLED_SECONDS) if scale >= 1 else (1, 32.0, 10.0)
    with folder() as place:
        return figures(watch(place, each, seconds, settled), seconds)
