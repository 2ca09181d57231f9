"""How fast we may call: Discord's own buckets, its global limit, and a breaker against bans.

Discord tells the room of each bucket in headers; nothing here is a number of ours but what it bans for: 10,000 refused requests in ten
minutes (Discord, "Rate Limits", "Invalid Request Limit").
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass

from core.ports import Clock

INVALID_SECONDS = 600.0
INVALID_MOST = 5000
"""Half of what brings a ban: from there on nothing cosmetic is sent."""
INVALID_HARD = 8000
"""Near the ban: from there on calls go out one by one, ``TRICKLE_SECONDS`` apart, whatever they are for."""
TRICKLE_SECONDS = 1.0
"""600 in ten minutes, which leaves the ban out of reach even when each of them is refused."""
EDGE_MOST = 3600.0
"""Longest pause that is believed of one answer."""
KEPT = 5000
"""Buckets remembered; the oldest are forgotten first."""
ASK_SECONDS = 1.0
"""How long the first call of a route is waited for before another one goes out."""
ASK_PAUSE = 0.1
OUT_SECONDS = 60.0
"""After so long without a call nothing can be on its way any more."""


@dataclass(slots=True)
class Bucket:
    """Room left until ``reset_at`` (monotonic seconds); then there is room for ``limit`` calls in ``seconds`` again."""

    remaining: int = 1
    reset_at: float = 0.0
    limit: int = 1
    seconds: float = 0.0
    out: int = 0
    """Calls that are not answered yet: nobody knows into which window Discord will count them."""


class Budget:
    """Remembers what Discord said about its limits. A route is "METHOD path", its ids but the first left out (``route_of``)."""

    def __init__(self, clock: Clock) -> None:
        """Nothing is known at first, so the first call of each route goes out alone and asks."""
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._names: OrderedDict[str, str] = OrderedDict()
        self._asked: OrderedDict[str, float] = OrderedDict()
        self._global_until = 0.0
        self._shut_until = 0.0
        self._trickle_at = self._first_until = 0.0
        self._invalid: deque[float] = deque()

    def held(self, *, first: bool = False) -> float:
        """Seconds until any call may go out, also one without the bot's token; takes nothing.

        ``first``: a first answer, which is not held near the ban while none of its kind was refused: it adds nothing to the count, and
        whoever waits for it has three seconds.
        """
        now = self._clock.monotonic()
        held = max(0.0, self._shut_until - now)
        return max(held, self._trickle_at - now) if self.is_near_ban and not self._is_free(first=first) else held

    def first_refused(self) -> None:
        """A first answer was refused in a way that counts: for a while they are held as all others are."""
        self._first_until = self._clock.monotonic() + INVALID_SECONDS

    def let_out(self, *, first: bool = False) -> None:
        """A call goes out: near the ban the next one waits."""
        if not self._is_free(first=first):
            self._trickle_at = self._clock.monotonic() + TRICKLE_SECONDS

    def _is_free(self, *, first: bool) -> bool:
        return first and self._clock.monotonic() >= self._first_until

    def shut(self, seconds: float) -> None:
        """Discord's edge refused us, not its API: everything from this address is refused until then, whatever it asks for."""
        self._shut_until = max(self._shut_until, self._clock.monotonic() + min(seconds, EDGE_MOST))

    def wait(self, route: str, *, bound_globally: bool) -> float:
        """Seconds until a call of ``route`` may go out; 0 takes its place in the bucket."""
        now = self._clock.monotonic()
        if bound_globally and now < self._global_until:
            return self._global_until - now
        bucket = self._buckets.get(self._names.get(route, route))
        if bucket is None:
            return self._ask(route, now)
        if now >= bucket.reset_at:  # a new window; whoever comes later in it finds the room that is left
            if now >= bucket.reset_at + OUT_SECONDS:
                bucket.out = 0
            bucket.remaining, bucket.reset_at = max(0, bucket.limit - bucket.out), now + bucket.seconds
        if bucket.remaining > 0:
            bucket.remaining -= 1
            bucket.out += 1
            return 0.0
        return bucket.reset_at - now

    def _ask(self, route: str, now: float) -> float:
        """Nobody knows this route's room: one call goes ahead, the others wait a little for what it is told."""
        asked = self._asked.get(route)
        if asked is not None and now < asked + ASK_SECONDS:
            return ASK_PAUSE
        self._asked[route] = now
        while len(self._asked) > KEPT:
            self._asked.popitem(last=False)
        return 0.0

    def learn(self, route: str, headers: Mapping[str, str]) -> None:
        """Read the bucket's headers of an answer. A bucket is counted for each channel, guild or webhook of its own."""
        self._asked.pop(route, None)
        name, reset = headers.get("X-RateLimit-Bucket"), headers.get("X-RateLimit-Reset-After")
        if name is None or reset is None:
            return
        now, seconds = self._clock.monotonic(), float(reset)
        key = f"{name} {_major(route)}"
        room = int(headers.get("X-RateLimit-Remaining", "0"))
        bucket = Bucket(room, now + seconds, max(1, int(headers.get("X-RateLimit-Limit", "1"))), seconds)
        known = self._buckets.get(key)
        if known is not None:
            bucket.seconds, bucket.out = max(seconds, known.seconds), known.out
            if now < known.reset_at:  # calls of ours that are still on their way are not counted in this answer
                bucket.remaining = min(room, known.remaining)
                bucket.reset_at = max(bucket.reset_at, known.reset_at)
        self._names[route] = key
        self._buckets[key] = bucket
        self._buckets.move_to_end(key)
        for kept in (self._buckets, self._names):
            while len(kept) > KEPT:
                kept.popitem(last=False)

    def done(self, route: str) -> None:
        """A call that ``wait`` let out has ended, however it did."""
        bucket = self._buckets.get(self._names.get(route, route))
        if bucket is not None and bucket.out > 0:
            bucket.out -= 1

    def limited(self, route: str, retry_after: float, *, everywhere: bool) -> None:
        """Discord refused for being too fast."""
        until = self._clock.monotonic() + retry_after
        if everywhere:
            self._global_until = max(self._global_until, until)
            return
        key = self._names.setdefault(route, route)
        known = self._buckets.get(key, Bucket())
        self._buckets[key] = Bucket(0, until, known.limit, known.seconds, known.out)

    def refused(self) -> None:
        """Count an answer that Discord holds against us: 401, 403, or 429 outside the ``shared`` scope."""
        self._invalid.append(self._clock.monotonic())
        if len(self._invalid) > 2 * INVALID_MOST:
            self._invalid.popleft()

    @property
    def invalid(self) -> int:
        """Such answers in the last ten minutes."""
        horizon = self._clock.monotonic() - INVALID_SECONDS
        while self._invalid and self._invalid[0] < horizon:
            self._invalid.popleft()
        return len(self._invalid)

    @property
    def is_strained(self) -> bool:
        """Whether so much was refused that nothing cosmetic may be sent."""
        return self.invalid >= INVALID_MOST

    @property
    def is_near_ban(self) -> bool:
        """Whether only a trickle may be sent."""
        return self.invalid >= INVALID_HARD


def route_of(method: str, path: str) -> str:
    """What a call is counted under: its ids left out but the first, by which Discord counts (channel, guild, webhook)."""
    head, rest = path.split("/")[:3], path.split("/")[3:]
    return f"{method} {'/'.join([*head, *(':id' if part.isdecimal() else part for part in rest)])}"


def _major(route: str) -> str:
    return "/".join(route.partition(" ")[2].split("/")[:3])
