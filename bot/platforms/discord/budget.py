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
"""Half of what brings a ban: then only what ends jobs is sent."""
KEPT = 5000
"""Buckets remembered; the oldest are forgotten first."""


@dataclass(slots=True)
class Bucket:
    """Room left until ``reset_at`` (monotonic seconds)."""

    remaining: int = 1
    reset_at: float = 0.0


class Budget:
    """Remembers what Discord said about its limits."""

    def __init__(self, clock: Clock) -> None:
        """Nothing is known at first, so the first call of each bucket is free."""
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._names: OrderedDict[str, str] = OrderedDict()
        self._global_until = 0.0
        self._invalid: deque[float] = deque()

    def wait(self, route: str, *, bound_globally: bool) -> float:
        """Seconds until a call of ``route`` may go out; 0 takes its place in the bucket."""
        now = self._clock.monotonic()
        if bound_globally and now < self._global_until:
            return self._global_until - now
        bucket = self._buckets.get(self._names.get(route, route))
        if bucket is None or now >= bucket.reset_at:
            return 0.0
        if bucket.remaining > 0:
            bucket.remaining -= 1
            return 0.0
        return bucket.reset_at - now

    def learn(self, route: str, headers: Mapping[str, str]) -> None:
        """Read the bucket's headers of an answer. Buckets of different channels share a name, so the route's own part stays in the key."""
        name, reset = headers.get("X-RateLimit-Bucket"), headers.get("X-RateLimit-Reset-After")
        if name is None or reset is None:
            return
        key = f"{name} {route.partition(' ')[2]}"
        self._names[route] = key
        bucket = Bucket(int(headers.get("X-RateLimit-Remaining", "0")), self._clock.monotonic() + float(reset))
        self._buckets[key] = bucket
        self._buckets.move_to_end(key)
        for kept in (self._buckets, self._names):
            while len(kept) > KEPT:
                kept.popitem(last=False)

    def limited(self, route: str, retry_after: float, *, everywhere: bool) -> None:
        """Discord refused for being too fast."""
        until = self._clock.monotonic() + retry_after
        if everywhere:
            self._global_until = max(self._global_until, until)
            return
        key = self._names.setdefault(route, route)
        self._buckets[key] = Bucket(0, until)

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
    def is_broken(self) -> bool:
        """Whether so much was refused that nothing cosmetic may be sent."""
        return self.invalid >= INVALID_MOST
