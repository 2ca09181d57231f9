"""Many people at once, and how long each waits for the bot's first answer."""

from __future__ import annotations

from typing import Any

from tests.lab.telegram.person import Person
from tests.lab.telegram.server import Telegram

Json = dict[str, Any]


class Rush:
    """A crowd in private chats. Flood limits are off and polls are not slowed, unless somebody turns that on again."""

    def __init__(self, telegram: Telegram) -> None:
        self.telegram = telegram
        self.people: list[Person] = []
        telegram.limits.on = telegram.queue.slowing = False

    def prepare(self, people: int) -> None:
        """Make so many."""
        number = len(self.people)
        self.people += [self.telegram.add_person(f"p{number + each}", started=True) for each in range(people)]

    def fire(self, text: str = "/start", times: int = 1) -> int:
        """Everybody says it, so often; returns how many updates that makes."""
        for _ in range(times):
            for person in self.people:
                person.say(text, person.direct())
        return times * len(self.people)

    def figures(self) -> Json:
        """What was asked and answered so far: counts, seconds from the first word to the last answer, answers a second, waits."""
        asked: dict[int, list[float]] = {}
        waits: list[float] = []
        first = last = 0.0
        for line in self.telegram.journal.of("created"):
            if line["sender"] != self.telegram.bot.name:
                asked.setdefault(line["chat"], []).append(line["at"])
                first = first or line["at"]
            elif asked.get(line["chat"]):
                last = line["at"]
                waits.append(last - asked[line["chat"]].pop(0))
        waits.sort()
        seconds = max(last - first, 0.0)
        return {
            "answered": len(waits),
            "open": sum(map(len, asked.values())),
            "seconds": seconds,
            "rate": len(waits) / seconds if seconds else 0.0,
            "p50": waits[len(waits) // 2] if waits else 0.0,
            "p99": waits[min(len(waits) - 1, len(waits) * 99 // 100)] if waits else 0.0,
            "rate_limited": len(self.telegram.rate_limited()),
        }
