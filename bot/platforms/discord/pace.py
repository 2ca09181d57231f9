"""Which edits of an old message are worth making: Discord takes few of them and does not say how many (error 30046).

A new state or an error is told as soon as Discord may take it, an end is tried ever again; a bar that has moved waits. What is left out is
no untruth: the next edit shows the card as it is then.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from core.cards import Card
from core.ports import Clock

EPOCH_MS: Final = 1_420_070_400_000
"""Discord counts from 2015-01-01 (Discord, "Snowflakes")."""
OLD_SECONDS: Final = 3600.0
OLD_PAUSE: Final = 900.0
"""Between two edits of an old message that only move its bar: four an hour, where ten are the fewest that anybody reported."""
FIRST_PAUSE, LONGEST_PAUSE = 60.0, 1800.0
"""After 30046: each refusal doubles the wait before news are tried again; a bar is tried once in the longest pause. An end, and so the
first look at what is to be shown, waits for the first pause at most."""
KEPT: Final = 5000


@dataclass(slots=True)
class _Shown:
    mark: tuple[object, ...]
    at: float
    """When it was last shown, or refused."""
    refusals: int = 0
    news_at: float = 0.0
    """When Discord may be asked again to take a change that is no end."""


class Pace:
    """Remembers what each message showed last, and how often Discord refused to change it. A restart forgets; then one edit asks."""

    def __init__(self, clock: Clock) -> None:
        """Nothing was shown yet."""
        self._clock = clock
        self._shown: OrderedDict[str, _Shown] = OrderedDict()

    def rest(self, message_id: str, card: Card, *, strained: bool = False) -> float:
        """Seconds until this edit is worth making; 0 is now. An end never waits here.

        ``strained``: too much was refused lately, of whatever kind.
        """
        known = self._shown.get(message_id) if message_id.isdecimal() else None
        if known is None or card.final:
            return 0.0
        now = self._clock.monotonic()
        if known.mark != card.news():
            return max(0.0, known.news_at - now)
        pause = LONGEST_PAUSE if known.refusals else OLD_PAUSE if self._is_old(message_id) else 0.0
        return max(known.at + pause, known.news_at, now + FIRST_PAUSE if strained else now) - now

    def shown(self, message_id: str, card: Card) -> None:
        """The message shows this card now: Discord is a little more willing than it was."""
        known = self._shown.pop(message_id, None)
        refusals = 0 if known is None else max(0, known.refusals - 1)
        self._keep(message_id, _Shown(card.news(), self._clock.monotonic(), refusals))

    def unsure(self, message_id: str) -> None:
        """Nobody knows what the message shows: an edit of it ended in doubt."""
        known = self._shown.get(message_id)
        if known is not None:
            known.mark = ()

    def refused(self, message_id: str, asked: float | None) -> float:
        """Discord answered 30046; returns the seconds that all but an end waits, at least the ``asked`` ones."""
        now = self._clock.monotonic()
        known = self._shown.pop(message_id, None) or _Shown((), now)
        known.refusals += 1
        known.at = now
        wait = max(float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(known.refusals - 1, 10))), asked or 0.0)
        known.news_at = now + wait
        self._keep(message_id, known)
        return wait

    def forget(self, message_id: str) -> None:
        """Its last edit is done."""
        self._shown.pop(message_id, None)

    def _keep(self, message_id: str, known: _Shown) -> None:
        self._shown[message_id] = known
        while len(self._shown) > KEPT:
            self._shown.popitem(last=False)

    def _is_old(self, message_id: str) -> bool:
        return message_id.isdecimal() and self._clock.now() - born_ms(message_id) > OLD_SECONDS * 1000


def born_ms(snowflake: str) -> int:
    """When an id of Discord's was made, in UTC milliseconds."""
    return (int(snowflake) >> 22) + EPOCH_MS
