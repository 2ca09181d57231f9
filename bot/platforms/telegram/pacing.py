"""How fast we may speak: one ledger for each chat, which messages, edits and actions share, and one for all chats together.

Telegram names its limits in its FAQ ("My bot is hitting limits"): about a message a second in a chat, with short bursts; 20 a minute in a
group; about 30 a second in all. Edits and actions count like messages (tdlib/td#3034). Nothing that is asked here is kept here: what is
cosmetic is left out when there is no room, because the next edit shows the truth of its own moment, and what must be said leaves the last
places to the clip. Who comes back by itself says who it is and stands in the chat's line: each is told when its own turn will be, so that
sixty clips that wait for one group neither all ask at once nor overtake one another. Answers to buttons, inline queries and checkouts are
not asked for here at all: they are due within seconds, and are limited by the taps of people.

Not the library's limiter: after one 429 it holds every chat, and the answers to buttons too (22.8, measured 2026-11).
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Hashable
from enum import IntEnum
from typing import Final

from core.ports import Clock


class Worth(IntEnum):
    """What a call is worth, from what may be left out to what everybody waits for."""

    COSMETIC = 0
    """A bar that has moved, "is sending a video": left out when there is no room."""
    WORD = 1
    """What a person must read: the card of a job, an answer, a change of state."""
    CLIP = 2
    """The finished clip."""


CHAT: Final = (5, 5.0, (3, 1, 0))
"""Calls, in so many seconds, of which so many are kept from (cosmetic, word, clip): a call a second, with bursts of five."""
GROUP: Final = (20, 60.0, (8, 3, 0))
"""Ids of groups and channels are negative."""
ALL: Final = (30, 1.0, (10, 3, 0))
COSMETIC_SECONDS: Final = 3.0
"""Between two cosmetic calls in a private chat, however many jobs run there."""
COSMETIC_GROUP_SECONDS: Final = 5.0
"""In a group: as fast as its minute permits, evenly, instead of all at its beginning."""
TURN_SECONDS: Final = 0.5
"""So long a turn is kept for the card whose it is; then it is anybody's: its job may have ended."""
LONGEST_HOLD: Final = 86_400.0
"""Longest pause that is believed of one answer; over two hours were seen (facts of 2026-11)."""
MANY_CHATS: Final = 3
MANY_SECONDS: Final = 5.0
"""Refusals of so many chats within so many seconds are about all of them: Telegram does not say which limit was hit."""
LONGEST_ALL: Final = 10.0
"""How long then nobody speaks, at most; after it the next refusal tells more."""
LATE_SECONDS: Final = 10.0
"""Who does not come so long after the moment it was told leaves the line: its job may have ended."""
LINE_MOST: Final = 500
"""Of one chat; who comes when so many wait is told of its end, and not remembered."""
KEPT: Final = 5000
"""Chats remembered; who has been silent the longest is forgotten first."""


class Window:
    """At most so many calls in any stretch of so many seconds; a call out of it is forgotten."""

    __slots__ = ("_kept", "_most", "_seconds", "_times")

    def __init__(self, most: int, seconds: float, kept: tuple[int, int, int]) -> None:
        """``kept``: places kept from each worth."""
        self._most, self._seconds, self._kept = most, seconds, kept
        self._times: deque[float] = deque()

    def wait(self, now: float, worth: Worth, ahead: int = 0) -> float:
        """Seconds until there is room for a call of that worth, when ``ahead`` others go before it; takes nothing."""
        times, places = self._times, self._most - self._kept[worth]
        while times and times[0] + self._seconds <= now:
            times.popleft()
        over, rounds = len(times) + ahead - places, 1
        while over >= len(times):  # it takes the place of one that has yet to go itself
            over, rounds = over - places, rounds + 1
        return (rounds - 1) * self._seconds if over < 0 else times[over] - now + rounds * self._seconds

    def take(self, now: float) -> None:
        """Count a call."""
        self._times.append(now)


class Chat:
    """The ledger of one chat."""

    __slots__ = ("line", "opens", "pause", "waiting", "windows")

    def __init__(self, chat_id: int) -> None:
        """Nothing was said there yet."""
        group = chat_id < 0
        self.windows = (Window(*CHAT), Window(*GROUP)) if group else (Window(*CHAT),)
        self.pause = COSMETIC_GROUP_SECONDS if group else COSMETIC_SECONDS
        self.opens = -math.inf
        """When the next cosmetic call may go."""
        self.line: list[Hashable] = []
        """Messages that wait for their turn, the longest waiting first."""
        self.waiting: dict[Worth, OrderedDict[Hashable, float]] = {w: OrderedDict() for w in (Worth.CLIP, Worth.WORD)}
        """Who waits for room, the longest waiting first, and when it was told to come. Words wait for the clips as well."""

    def ahead(self, now: float, worth: Worth, who: Hashable) -> int:
        """How many stand in line before ``who``."""
        found = 0
        for each, line in self.waiting.items():
            for late in [one for one, at in line.items() if at + LATE_SECONDS < now]:
                del line[late]
            if each >= worth:
                found += list(line).index(who) if each is worth and who in line else len(line)
        return found

    def joined(self, worth: Worth, who: Hashable, at: float) -> None:
        """``who`` was told to come at ``at``; its place in the line it keeps."""
        line = self.waiting[worth]
        if who in line or len(line) < LINE_MOST:
            line[who] = at

    def turn(self, now: float, wait: float, who: Hashable | None) -> float:
        """Seconds until ``who`` may be changed; they stand in line till then. Nobody in particular may go when nobody waits.

        ``wait``: seconds until there is room in the windows.
        """
        if wait > 0:
            self.opens = max(self.opens, now + wait)
        opens = self.opens
        if now >= opens + TURN_SECONDS and self.line and self.line[0] != who:
            del self.line[0]
        if wait <= 0 and now >= opens and (not self.line or self.line[0] == who):
            return 0.0
        if who is None:
            return math.inf
        if who not in self.line:
            self.line.append(who)
        ahead = self.line.index(who)
        return max(0.0, opens - now) + (ahead * self.pause if now < opens else TURN_SECONDS)

    def taken(self, now: float, who: Hashable | None) -> None:
        """Somebody's turn was used."""
        self.opens = now + self.pause
        if who in self.line:
            self.line.remove(who)


class Pacing:
    """Asked before each call into a chat, told of each 429. A restart forgets; then the next 429 tells again."""

    def __init__(self, clock: Clock) -> None:
        """All chats are free."""
        self._clock = clock
        self._all = Window(*ALL)
        self._chats: OrderedDict[int, Chat] = OrderedDict()
        self._held: OrderedDict[int, float] = OrderedDict()
        self._refusals: deque[tuple[float, int]] = deque(maxlen=MANY_CHATS * 4)
        self._all_held_until = -math.inf

    def ask(self, chat_id: int, worth: Worth, who: Hashable | None = None) -> float:
        """0.0: the call may go now, and is counted. Else seconds after which to ask again; infinite: leave it out.

        ``who``: whoever comes back then. Of a cosmetic call the message that it changes: those of one chat take turns.
        """
        now = self._clock.monotonic()
        chat = self._chat(chat_id)
        if worth is Worth.COSMETIC:
            wait = chat.turn(now, self._wait(chat_id, now, worth, 0), who)
            if wait > 0:
                return math.inf if who is None else wait
            chat.taken(now, who)
        else:
            wait = self.room(chat_id, worth, who)
            if wait > 0:
                return wait
            chat.waiting[worth].pop(who, None)
        for window in (*chat.windows, self._all):
            window.take(now)
        return 0.0

    def room(self, chat_id: int, worth: Worth, who: Hashable | None) -> float:
        """Seconds until ``who`` has room; 0.0: now, and for a few seconds nobody behind it in the line takes that room. Not for a cosmetic
        call.
        """
        now = self._clock.monotonic()
        if who is None:
            return self._wait(chat_id, now, worth, 0)
        chat = self._chat(chat_id)
        wait = self._wait(chat_id, now, worth, chat.ahead(now, worth, who))
        chat.joined(worth, who, now + wait)
        return wait

    async def admit(self, chat_id: int, worth: Worth, patience: float, who: Hashable | None = None) -> float:
        """Wait for room, at most ``patience`` seconds; 0.0: the call may go now. Else what ``ask`` said last.

        What is cosmetic does not wait: it would tell something old then.
        """
        if worth is Worth.COSMETIC:
            return self.ask(chat_id, worth, who)
        until = self._clock.monotonic() + patience
        for _ in range(1000):  # others may take the room first, and a 429 may come while waiting
            wait = self.ask(chat_id, worth, who)
            if wait == 0.0 or self._clock.monotonic() + wait > until:
                return wait
            await self._clock.sleep(max(wait, 0.001))
        return 1.0

    def refused(self, chat_id: int, seconds: float) -> None:
        """A 429: this chat is silent for so long, and no other, unless several are refused at once."""
        now = self._clock.monotonic()
        until = now + min(max(seconds, 0.0), LONGEST_HOLD)
        self._held[chat_id] = max(until, self._held.pop(chat_id, until))
        while len(self._held) > KEPT:
            self._held.popitem(last=False)
        self._refusals.append((now, chat_id))
        lately = {chat for at, chat in self._refusals if now - at < MANY_SECONDS}
        if len(lately) >= MANY_CHATS:
            self._all_held_until = max(self._all_held_until, min(until, now + LONGEST_ALL))

    def moved(self, old: int, new: int) -> None:
        """A group has become a supergroup: what is known of it goes along."""
        if old in self._chats:
            self._chats[new] = self._chats.pop(old)
        if old in self._held:
            self._held[new] = self._held.pop(old)

    def _chat(self, chat_id: int) -> Chat:
        chat = self._chats.get(chat_id)
        if chat is None:
            chat = self._chats[chat_id] = Chat(chat_id)
            if len(self._chats) > KEPT:
                self._chats.popitem(last=False)
        else:
            self._chats.move_to_end(chat_id)
        return chat

    def _wait(self, chat_id: int, now: float, worth: Worth, ahead: int) -> float:
        """All chats together have no line: whoever comes first takes the place, and there are thirty a second."""
        own = (window.wait(now, worth, ahead) for window in self._chat(chat_id).windows)
        return max(0.0, self._hold(chat_id, now), self._all.wait(now, worth), *own)

    def _hold(self, chat_id: int, now: float) -> float:
        until = self._held.get(chat_id)
        if until is None:
            return self._all_held_until - now
        if until <= now:
            del self._held[chat_id]
        return max(until, self._all_held_until) - now
