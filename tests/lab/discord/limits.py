"""Rate limits: buckets with headers, the global one, and the count of invalid requests that ends in a ban (topics/rate-limits).

The numbers are ours, for Discord publishes none: the ones of editing are what eris PR#1267 saw.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from tests.lab.discord.refusal import Refusal
from tests.lab.discord.times import Clock, born
from tests.lab.discord.world import Message

BAN_COUNT, BAN_SECONDS, OLD_SECONDS = 10_000, 600.0, 3600.0
DEFAULT: Final = (50, 1.0)
LIMITS: Final[dict[str, tuple[int, float]]] = {
    "create_message": (5, 5.0),
    "update_message": (5, 5.0),
    "delete_message": (5, 1.0),
    "create_dm": (10, 10.0),
    "webhook": (5, 2.0),
    "callback": (50, 1.0),
    "bulk_set_application_commands": (5, 20.0),
    "bulk_set_guild_application_commands": (5, 20.0),
}
YOUNG: Final = (3, 1.0)
"""Edits of a message that is less than 10 seconds old."""
ANCIENT: Final = (30, 120.0)
"""Edits of a message that is more than 14 days old."""


@dataclass(slots=True)
class Bucket:
    """One window."""

    limit: int
    seconds: float
    name: str
    used: int = 0
    ends: float = 0.0

    def take(self, now: float) -> bool:
        """Use one; False when there is none left."""
        if now >= self.ends:
            self.used, self.ends = 0, now + self.seconds
        self.used += 1
        return self.used <= self.limit

    def headers(self, now: float) -> dict[str, str]:
        """What an answer says about it."""
        after = max(0.0, self.ends - now)
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "X-RateLimit-Reset": f"{self.ends:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
            "X-RateLimit-Bucket": self.name,
        }


@dataclass(slots=True)
class Limits:
    """All buckets. ``limits`` and the fields may be changed by a test."""

    clock: Clock
    limits: dict[str, tuple[int, float]] = field(default_factory=lambda: dict(LIMITS))
    global_limit: int = 50
    old_edits: tuple[int, float] = (10, 3600.0)
    """Edits of a message that is older than an hour, before 30046. The real number is unknown."""
    ban_count: int = BAN_COUNT
    invalid: deque[float] = field(default_factory=deque)
    """When each answer 401, 403 or 429 (but not of scope shared) was given, in the last ten minutes."""
    via: bool = True
    """False: 429 come without a Via header, as Cloudflare's do."""
    _buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)
    _global: Bucket | None = None

    def take(self, operation: str, major: str, *, bot: bool, limits: tuple[int, float] | None = None) -> Bucket:
        """Count a request. Raises 20028 with everything that a 429 says."""
        now = self.clock()
        group = _group(operation)
        count, seconds = limits or self.limits.get(group, DEFAULT)
        key = (f"{group}:{count}/{seconds}", major)
        bucket = self._buckets.get(key)
        if bucket is None:
            name = hashlib.md5(key[0].encode(), usedforsecurity=False).hexdigest()
            bucket = self._buckets[key] = Bucket(count, seconds, name)
        if bot:
            self._take_global(now)
        if not bucket.take(now):
            raise limited(bucket.ends - now, bucket.headers(now))
        return bucket

    def _take_global(self, now: float) -> None:
        if self._global is None or self._global.limit != self.global_limit:
            self._global = Bucket(self.global_limit, 1.0, "global")
        if not self._global.take(now):
            raise limited(self._global.ends - now, {}, scope="global")

    def edit_limits(self, message: Message | None) -> tuple[int, float] | None:
        """What an edit by the bot's token is counted against, by the message's age. Raises 30046."""
        if message is None:
            return None
        now = self.clock()
        age = now - born(message.id)
        if age > OLD_SECONDS:
            count, seconds = self.old_edits
            recent = [at for at in message.edits if at > max(now - seconds, born(message.id) + OLD_SECONDS)]
            if len(recent) >= count:
                raise limited(recent[0] + seconds - now, {}, code=30046)
        return YOUNG if age < 10 else ANCIENT if age > 14 * 86_400 else None

    def note(self, status: int, scope: str) -> None:
        """Count what was invalid."""
        if status in {401, 403} or (status == 429 and scope != "shared"):
            self.invalid.append(self.clock())

    @property
    def banned(self) -> bool:
        """Whether the address has been shut out."""
        while self.invalid and self.invalid[0] < self.clock() - BAN_SECONDS:
            self.invalid.popleft()
        return len(self.invalid) >= self.ban_count


def limited(seconds: float, headers: dict[str, str], *, scope: str = "user", code: int = 20028) -> Refusal:
    """A 429. Its ``retry_after`` is rounded up, so that who waits so long is let in."""
    refusal = Refusal(code)
    wait = int(max(seconds, 0.001) * 1000 + 1) / 1000
    refusal.message = "You are being rate limited." if code == 20028 else refusal.message
    refusal.more = {"retry_after": wait, "global": scope == "global"}
    refusal.headers = headers | {"Retry-After": str(int(wait) + 1), "X-RateLimit-Scope": scope}
    if scope == "global":
        refusal.headers["X-RateLimit-Global"] = "true"
    return refusal


def _group(operation: str) -> str:
    if operation == "create_interaction_response":
        return "callback"
    return "webhook" if "webhook" in operation else operation
