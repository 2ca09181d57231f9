"""Credits: prices, allowances, and what a hold may take. Integers only; 1 credit is 1 US cent by default.

Three things that look alike are kept apart everywhere: a limit that is *unset* (no row, the default applies), one that is *0*
(nothing may be spent) and one that is *unlimited* (``None`` as an amount). A clip that costs 0 credits passes every limit.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Any, Final

from core.errors import QuotaExceeded

DAY_MS: Final = 86_400_000


class Scope(StrEnum):
    """Whose credits a limit counts."""

    PERSON = "person"
    CHAT = "chat"
    ROLE = "role"
    EVERYBODY = "everybody"


class Period(StrEnum):
    """How long a limit's window lasts, in UTC."""

    DAY = "day"
    MONTH = "month"


class Kind(StrEnum):
    """Kinds of ledger lines."""

    HOLD = "hold"
    CHARGE = "charge"
    RELEASE = "release"
    GRANT = "grant"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Price:
    """What a clip costs, in credits, before it is made."""

    credits: int


@dataclass(frozen=True, slots=True)
class Rate:
    """One line of a price list: USD per second by resolution and sound, or USD per clip. Source and date are for the docs."""

    per_second: Mapping[tuple[str, bool], Decimal] | None = None
    flat: Decimal | None = None
    source: str = ""
    seen_on: str = ""

    def credits(self, *, resolution: str, audio: bool, seconds: int) -> int:
        """Return the price in credits, rounded up to a whole cent."""
        if self.flat is not None:
            usd = self.flat
        elif self.per_second is not None:
            usd = self.per_second[resolution, audio] * seconds
        else:
            return 0
        return int((usd * 100).to_integral_value(rounding=ROUND_CEILING))


def window_start(period: Period, now_ms: int) -> int:
    """Return the UTC millisecond at which the window that holds ``now_ms`` began."""
    day = now_ms - now_ms % DAY_MS  # UTC days are all equally long: POSIX time knows no leap seconds
    return day if period is Period.DAY else day - (datetime.fromtimestamp(day / 1000, UTC).day - 1) * DAY_MS


def window_end(period: Period, start_ms: int) -> int:
    """Return the UTC millisecond at which the window that began at ``start_ms`` ends and the next begins."""
    start = datetime.fromtimestamp(start_ms / 1000, UTC)
    days = 1 if period is Period.DAY else calendar.monthrange(start.year, start.month)[1]
    return start_ms + days * DAY_MS


@dataclass(frozen=True, slots=True)
class Allowance:
    """One limit in one window. ``limit`` None means unlimited; the row is still counted."""

    scope: Scope
    subject: str
    period: Period
    window_start: int
    limit: int | None
    held: int = 0
    spent: int = 0

    @property
    def left(self) -> int | None:
        """Credits that may still be held, or None when unlimited; never negative, also when a limit was lowered."""
        return None if self.limit is None else max(0, self.limit - self.held - self.spent)


@dataclass(frozen=True, slots=True)
class Hold:
    """How one job's price is covered. It belongs to the windows in which the job was accepted."""

    credits: int
    from_grants: int
    rows: tuple[tuple[Scope, str, Period, int], ...]
    """(scope, subject, period, window_start) of every allowance that counts this job."""
    flat: bool = False
    """The price is the one flat price of all clips: it is due whatever the generator says that the clip cost."""

    @property
    def from_allowance(self) -> int:
        """What the person's own allowance bears."""
        return self.credits - self.from_grants

    def share(self, scope: Scope) -> int:
        """Credits by which a row of ``scope`` is debited: grants relieve only the person's own rows."""
        return self.from_allowance if scope is Scope.PERSON else self.credits

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON for the job's row."""
        flat = {"flat": True} if self.flat else {}
        rows = [list(row) for row in self.rows]
        return {"credits": self.credits, "from_grants": self.from_grants, "rows": rows, **flat}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Hold:
        """Read what ``as_json`` wrote."""
        rows = tuple((Scope(s), str(who), Period(p), int(start)) for s, who, p, start in data["rows"])
        return cls(int(data["credits"]), int(data["from_grants"]), rows, bool(data.get("flat", False)))


def plan_hold(credits: int, allowances: Iterable[Allowance], granted: int, *, flat: bool = False) -> Hold:
    """Return how ``credits`` are covered: the allowance first, granted credits last. ``flat``: they are the flat price of all clips.

    Limits of a chat, a role and everybody are the operator's caps: grants do not go round them. Raises QuotaExceeded (values: needed,
    left, scope, period, resets_at) naming the tightest limit.
    """
    rows = list(allowances)
    from_grants = 0
    tightest = rows[0] if rows else None
    for row in rows:
        if row.left is None or row.left >= credits:
            continue
        if row.scope is not Scope.PERSON:
            raise _short(credits, row.left, row)
        if credits - row.left > from_grants:
            from_grants, tightest = credits - row.left, row
    if tightest is not None and from_grants > granted:
        raise _short(credits, credits - from_grants + granted, tightest)
    return Hold(credits, from_grants, tuple((r.scope, r.subject, r.period, r.window_start) for r in rows), flat)


def _short(needed: int, left: int, row: Allowance) -> QuotaExceeded:
    values = {
        "needed": needed,
        "left": left,
        "scope": row.scope.value,
        "period": row.period.value,
        "resets_at": window_end(row.period, row.window_start),
    }
    shared = None if row.scope is Scope.PERSON else "error.quota_exceeded_shared"
    text = f"{needed} credits needed, {left} left ({row.scope} {row.period})"
    return QuotaExceeded(text, message_id=shared, values=values)


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a hold ends: charge what was made, release the rest. ``overrun`` is the operator's, never the person's."""

    charge: int
    overrun: int


def settle(hold: Hold, cost: int | None) -> Settlement:
    """Return the settlement of a delivered clip whose true cost is ``cost`` credits (None: as priced). A flat price is due in full."""
    true = hold.credits if cost is None else cost
    charge = hold.credits if hold.flat else min(true, hold.credits)
    return Settlement(charge=charge, overrun=max(0, true - hold.credits))
