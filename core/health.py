"""Whether a generator is well, learnt from what became of the calls to it, never from pings.

A circuit breaker per generator. Bad outcomes of several different jobs in a row open it: nothing more is submitted for a while, which
doubles each time that it was in vain. Then one job is let through as a probe, and what becomes of that decides. It is a row of the
database, so it outlives a restart and is the same for every process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, Literal

from core.errors import Garbled, ProviderError, ReelayError, TimedOut, Unavailable, Unclear

JOBS_IN_A_ROW: Final = 3
"""Different jobs that must have gone wrong, with nothing good between them, before the circuit opens."""
FIRST_PAUSE, LONGEST_PAUSE = 30.0, 900.0
"""Seconds for which nothing is submitted: the first time, and at most."""
RECENT_MS: Final = 3_600_000
"""Older trouble says nothing about now."""
MOST_TROUBLES: Final = 20
FIRST_LIMIT, LONGEST_LIMIT = 2.0, 300.0
"""Seconds of rest after a rate limit that does not say for how long: the first time, and at most when they follow closely."""
LONGEST_ASKED: Final = 3600.0
"""Seconds that a vendor may ask us to wait; a larger figure is cut."""


class Call(StrEnum):
    """What was asked of a generator, or for ``CLIP``, what became of an attempt that it had taken."""

    SUBMIT = "submit"
    POLL = "poll"
    FETCH = "fetch"
    CLIP = "clip"


ONCE_IS_NOTHING: Final = frozenset({Call.POLL, Call.FETCH})
"""Calls that are simply made again: they count only once they failed twice for the same job."""


def is_bad(error: BaseException) -> bool:
    """Whether an error speaks against the generator: unreachable, too slow, unclear or garbled.

    A refusal of the content or of the request does not, nor do a limit and what only the operator can mend: these have pauses of their own.
    What failed in our own house (a full disk, a media process that died) does not either; the fact ``ours`` says so of a ``NothingSent``.
    Anything that is none of our errors is taken for a broken line or adapter.
    """
    if not isinstance(error, ProviderError):
        return not isinstance(error, ReelayError)
    return not error.facts.get("ours") and isinstance(error, Unavailable | TimedOut | Unclear | Garbled)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A bad outcome that nothing good has followed: of which call, for which job, when last (UTC ms), and how often."""

    call: Call
    job: str
    code: str
    at: int
    times: int = 1

    @property
    def counts(self) -> bool:
        """Whether it is more than a hiccup."""
        return self.call not in ONCE_IS_NOTHING or self.times > 1


@dataclass(frozen=True, slots=True)
class Health:
    """What stands against one generator. Times are UTC ms."""

    troubles: tuple[Trouble, ...] = ()
    opened_at: int | None = None
    """Since when the circuit is open; None while it is closed."""
    until: int | None = None
    """When an open circuit lets one job through."""
    rounds: int = 0
    """How often it has opened without closing between."""
    probe: str | None = None
    """The attempt that was let through last."""
    limited_from: int | None = None
    limited_until: int | None = None
    """Until when the vendor wants no calls at all: polls rest as well."""

    @property
    def is_open(self) -> bool:
        """Whether the circuit is open, also while a probe is on its way."""
        return self.opened_at is not None

    @property
    def code(self) -> str:
        """The error code of the last trouble that counts; empty without any."""
        return next((each.code for each in reversed(self.troubles) if each.counts), "")

    def limited(self, now: int) -> bool:
        """Whether the vendor has asked for silence now."""
        return self.limited_until is not None and now < self.limited_until

    def after_bad(self, call: Call, job: str, code: str, now: int, *, spread: float = 1.0) -> Health:
        """The health after a bad outcome. ``spread``: a factor around 1 by which a pause is made longer or shorter.

        While the circuit rests nothing moves its end: jobs that were under way say nothing new. After it any further trouble opens it anew.
        """
        same = next((each for each in self.troubles if (each.call, each.job) == (call, job)), None)
        fresh = Trouble(call, job, code, now, 1 if same is None else same.times + 1)
        kept = [each for each in self.troubles if each is not same and (self.is_open or now - each.at < RECENT_MS)]
        health = replace(self, troubles=(*kept, fresh)[-MOST_TROUBLES:])
        if not fresh.counts or (self.until is not None and now < self.until):
            return health
        jobs = {each.job for each in health.troubles if each.counts}
        if not self.is_open and len(jobs) < JOBS_IN_A_ROW:
            return health
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self.rounds, 10)) * spread
        opened_at = now if self.opened_at is None else self.opened_at
        until = now + int(pause * 1000)
        return replace(health, opened_at=opened_at, until=until, rounds=self.rounds + 1, probe=None)

    def after_good(self, call: Call, begun_at: int | None = None) -> Health:
        """The health after something went well. It answers trouble of the same call only: a vendor whose polls work may refuse each submit.

        A clip answers polls too; and every trouble if its attempt was ``begun_at`` a time when the circuit was open already.
        """
        answered = {call} if call is not Call.CLIP else {Call.CLIP, Call.POLL}
        whole = call is Call.CLIP and self.opened_at is not None and begun_at is not None and begun_at >= self.opened_at
        left = () if whole else tuple(each for each in self.troubles if each.call not in answered)
        if any(each.counts for each in left):
            return replace(self, troubles=left)
        return Health(troubles=left, limited_from=self.limited_from, limited_until=self.limited_until)

    def after_limit(self, seconds: float | None, now: int, *, spread: float = 1.0) -> Health:
        """The health after a rate limit. ``seconds``: as the vendor asked; None when it did not say. To come again at once says nothing."""
        if seconds is None or seconds <= 0:
            if self.limited(now):  # calls that were under way met the same limit
                return self
            seconds = FIRST_LIMIT
            if self.limited_from is not None and self.limited_until is not None:
                last = (self.limited_until - self.limited_from) / 1000
                if now - self.limited_until < 1000 * max(FIRST_LIMIT, last) * 4:
                    seconds = min(LONGEST_LIMIT, last * 2)
            seconds *= spread
        until = now + int(min(max(0.0, seconds), LONGEST_ASKED) * 1000)
        if self.limited_until is not None and until <= self.limited_until and self.limited(now):
            return self
        return replace(self, limited_from=now, limited_until=until)

    def troubles_json(self) -> list[dict[str, Any]]:
        """``troubles`` as plain JSON."""
        return [
            {"call": t.call.value, "job": t.job, "code": t.code, "at": t.at, "times": t.times} for t in self.troubles
        ]

    @staticmethod
    def troubles_of(data: list[Mapping[str, Any]]) -> tuple[Trouble, ...]:
        """Read what ``troubles_json`` wrote."""
        return tuple(
            Trouble(Call(t["call"]), str(t["job"]), str(t["code"]), int(t["at"]), int(t["times"])) for t in data
        )


State = Literal["ok", "paused", "unhealthy", "probing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a generator stands now. ``until`` None: until somebody or something ends it; times are UTC ms."""

    state: State
    until: int | None = None
    since: int | None = None
    why: str = ""
    """An error code, or what the operator wrote."""
    limited_until: int | None = None
    """Until when its vendor wants no calls at all."""
    is_unhealthy: bool = False
    """Whether its circuit is open, whatever else holds it up."""
    keeps_jobs: bool = False
    """Whether its waiting jobs may have been submitted in another life of this database, and must go nowhere else."""

    @property
    def is_usable(self) -> bool:
        """Whether it takes jobs now."""
        return self.state == "ok"


WELL: Final = Standing("ok")
