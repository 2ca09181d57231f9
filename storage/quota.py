"""Credits in SQL: limits, allowances, holds and their settlement. Every function runs inside somebody's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from core.jobs import Job
from core.money import Allowance, Hold, Kind, Period, Scope, plan_hold, settle, window_start
from core.states import JobState
from core.steps import DefaultLimits

Subjects = Sequence[tuple[Scope, str]]
_SCOPES, _PERIODS = {each.value: each for each in Scope}, {each.value: each for each in Period}
_ALLOWANCES = (
    "WITH s(scope, subject) AS (VALUES {}), w(period, start) AS (VALUES ('day', ?), ('month', ?))"
    " SELECT s.scope, s.subject, w.period, w.start, l.scope IS NOT NULL, l.amount, a.held, a.spent FROM s CROSS JOIN w"
    " LEFT JOIN limits AS l ON l.scope = s.scope AND l.subject = s.subject AND l.period = w.period"
    " LEFT JOIN allowances AS a ON a.scope = s.scope AND a.subject = s.subject AND a.period = w.period"
    " AND a.window_start = w.start"
)


def allowances(
    connection: sqlite3.Connection, subjects: Subjects, defaults: DefaultLimits, now: int
) -> list[Allowance]:
    """Return the current day's and month's allowance of every subject; what was never used counts as zero."""
    day, month = window_start(Period.DAY, now), window_start(Period.MONTH, now)
    values: list[str | int] = [text for scope, subject in subjects for text in (scope.value, subject)]
    found = connection.execute(_ALLOWANCES.format(", ".join(["(?, ?)"] * len(subjects))), (*values, day, month))
    rows = []
    for scope_name, subject, period_name, start, is_set, amount, held, spent in map(tuple, found.fetchall()):
        scope, period = _SCOPES[scope_name], _PERIODS[period_name]
        limit = amount if is_set else _default(scope, period, defaults)
        rows.append(Allowance(scope, subject, period, start, limit, held or 0, spent or 0))
    return rows


def _default(scope: Scope, period: Period, defaults: DefaultLimits) -> int | None:
    """The configured limit where no operator's row says otherwise; None means unlimited."""
    if scope is Scope.PERSON:
        return defaults.person_day if period is Period.DAY else defaults.person_month
    if scope is Scope.EVERYBODY and period is Period.DAY:
        return defaults.everybody_day
    return None


def take_hold(
    connection: sqlite3.Connection,
    credits: int,
    subjects: Subjects,
    granted: int,
    defaults: DefaultLimits,
    now: int,
    *,
    flat: bool = False,
) -> Hold:
    """Debit every allowance; what only ``granted`` credits can cover is in the hold's ``from_grants``, for the caller to take.

    Raises QuotaExceeded and changes nothing when any of them is short.
    """
    hold = plan_hold(credits, allowances(connection, subjects, defaults, now), granted, flat=flat)
    if credits:
        connection.execute(
            f"INSERT INTO allowances (scope, subject, period, window_start, held) VALUES {', '.join(['(?, ?, ?, ?, ?)'] * len(hold.rows))}"
            " ON CONFLICT (scope, subject, period, window_start) DO UPDATE SET held = held + excluded.held",
            [
                value
                for scope, subject, period, start in hold.rows
                for value in (scope.value, subject, period.value, start, hold.share(scope))
            ],
        )
    return hold


def write_line(
    connection: sqlite3.Connection,
    *,
    now: int,
    kind: Kind,
    amount: int,
    account_id: str,
    from_grants: int = 0,
    identity_id: int | None = None,
    job_id: str | None = None,
    note: str | None = None,
) -> None:
    """Append a ledger line; a second one of the same kind for a job is an IntegrityError."""
    connection.execute(
        "INSERT INTO ledger (at, kind, amount, from_grants, account_id, identity_id, job_id, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (now, kind.value, amount, from_grants, account_id, identity_id, job_id, note),
    )


def settle_job(connection: sqlite3.Connection, job: Job, to: JobState, true_cost: int | None, now: int) -> int:
    """End the job's hold with its move to ``to``; returns the credits charged (0 for a release)."""
    hold = job.hold
    charge = settle(hold, true_cost).charge if to is JobState.DONE else 0
    charged_allowance = min(charge, hold.from_allowance)
    charged_grants = charge - charged_allowance
    if hold.credits:
        for scope, subject, period, start in hold.rows:
            spent = charged_allowance if scope is Scope.PERSON else charge
            connection.execute(
                "UPDATE allowances SET held = held - ?, spent = spent + ?"
                " WHERE scope = ? AND subject = ? AND period = ? AND window_start = ?",
                (hold.share(scope), spent, scope.value, subject, period.value, start),
            )
        back = hold.from_grants - charged_grants
        if back:
            connection.execute("UPDATE accounts SET granted = granted + ? WHERE id = ?", (back, job.account_id))
    write_line(
        connection,
        now=now,
        kind=Kind.CHARGE if to is JobState.DONE else Kind.RELEASE,
        amount=charge if to is JobState.DONE else hold.credits,
        from_grants=charged_grants if to is JobState.DONE else hold.from_grants,
        account_id=job.account_id,
        identity_id=job.identity_id,
        job_id=job.id,
    )
    return charge


def grant(connection: sqlite3.Connection, account_id: str, credits: int, note: str, now: int) -> int:
    """Give ``credits`` that outlast every window; returns the new balance. A negative number takes back what is unused."""
    balance = connection.execute("SELECT granted FROM accounts WHERE id = ?", (account_id,)).fetchone()["granted"]
    credits = max(credits, -balance)
    connection.execute("UPDATE accounts SET granted = granted + ? WHERE id = ?", (credits, account_id))
    kind = Kind.GRANT if credits >= 0 else Kind.REFUND
    write_line(connection, now=now, kind=kind, amount=abs(credits), account_id=account_id, note=note)
    return int(balance + credits)


def set_limit(
    connection: sqlite3.Connection, scope: Scope, subject: str, period: Period, amount: int | None, *, unset: bool
) -> None:
    """Set an operator's own limit (None: unlimited), or remove it with ``unset``."""
    if unset:
        connection.execute(
            "DELETE FROM limits WHERE scope = ? AND subject = ? AND period = ?", (scope.value, subject, period.value)
        )
    else:
        connection.execute(
            "INSERT INTO limits (scope, subject, period, amount) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (scope, subject, period) DO UPDATE SET amount = excluded.amount",
            (scope.value, subject, period.value, amount),
        )
