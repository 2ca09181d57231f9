"""Which edits of an old message are worth making: Discord takes few of them and does not say how many (error 30046).

A new state, an error or an end is told whatever it costs; a bar that has moved waits. What is left out is no untruth: the next edit shows
the card as it is then.
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
"""After 30046: each refusal doubles the wait before the next try."""
KEPT: Final = 5000


@dataclass(slots=True)
class _Shown:
    mark: tuple[object, ...]
    at: float
    refusals: int = 0


class Pace:
    """Remembers what each message showed last, and how often Discord refused to change it. A restart forgets; then one edit asks."""

    def __init__(self, clock: Clock) -> None:
        """Nothing was shown yet."""
        self._clock = clock
        self._shown: OrderedDict[str, _Shown] = OrderedDict()

    def leaves_out(self, message_id: str, card: Card, *, strained: bool = False) -> bool:
        """Whether this edit is cosmetic and not worth making now. ``strained``: too much was refused lately, of whatever kind."""
        known = self._shown.get(message_id) if message_id.isdecimal() else None
        if known is None or card.final or known.mark != _mark(card):
            return False
        if strained or known.refusals:
            return True
        return self._is_old(message_id) and self._clock.monotonic() < known.at + OLD_PAUSE

    def shown(self, message_id: str, card: Card) -> None:
        """The message shows this card now."""
        known = self._shown.pop(message_id, None)
        refusals = 0 if known is None else known.refusals
        self._shown[message_id] = _Shown(_mark(card), self._clock.monotonic(), refusals)
        while len(self._shown) > KEPT:
            self._shown.popitem(last=False)

    def refused(self, message_id: str, asked: float | None) -> float:
        """Discord answered 30046; returns the seconds to wait, at least the ``asked`` ones."""
        known = self._shown.setdefault(message_id, _Shown((), self._clock.monotonic()))
        known.refusals += 1
        wait = float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(known.refusals - 1, 10)))
        return max(wait, asked or 0.0)

    def forget(self, message_id: str) -> None:
        """Its last edit is done."""
        self._shown.pop(message_id, None)

    def _is_old(self, message_id: str) -> bool:
        return message_id.isdecimal() and self._clock.now() - born_ms(message_id) > OLD_SECONDS * 1000


def born_ms(snowflake: str) -> int:
    """When an id of Discord's was made, in UTC milliseconds."""
    return (int(snowflake) >> 22) + EPOCH_MS


def _mark(card: Card) -> tuple[object, ...]:
    """What of a card is news: everything but its figures."""
    rest = [None if line is None else line.id for line in (card.error, card.note)]
    return (card.state.id, *rest, *(action.verb for action in card.actions))
