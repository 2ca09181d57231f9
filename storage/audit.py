"""Whether the cached sums agree with the ledger and the jobs, found by SQL: of hundreds of thousands of jobs only differences come to us.

Jobs are taken a slice at a time, in the order of their names, so that what is sorted meanwhile stays small. Meant for a connection of its
own (``Database.read_long``): it reads the whole ledger.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Final

from core.money import Hold, Kind, Scope
from core.states import ENDED

SLICE: Final = 20_000
"""Jobs that are looked at in one statement."""
MOST_TOLD: Final = 1000
"""Differences of one kind that are told; who has more, has one cause."""
Sums = dict[tuple[str, str, str, int], list[int]]

_ENDED: Final = ", ".join(f"'{state.value}'" for state in sorted(ENDED))
_LINES: Final = (
    "WITH lines AS (SELECT job_id,"
    f" MAX(CASE kind WHEN '{Kind.HOLD.value}' THEN amount END) AS held,"
    f" MAX(CASE kind WHEN '{Kind.HOLD.value}' THEN from_grants END) AS held_grants,"
    f" MAX(CASE kind WHEN '{Kind.CHARGE.value}' THEN amount END) AS taken,"
    f" MAX(CASE kind WHEN '{Kind.CHARGE.value}' THEN from_grants END) AS taken_grants,"
    f" SUM(kind IN ('{Kind.CHARGE.value}', '{Kind.RELEASE.value}')) AS ends"
    " FROM ledger WHERE job_id > ?1 AND job_id <= ?2 GROUP BY job_id)"
)
"""What the ledger says of each job of a slice."""
_WRONG: Final = (
    f"{_LINES} SELECT l.job_id, l.held, l.ends, j.state, json_extract(j.hold, '$.credits') AS credits"
    " FROM lines AS l LEFT JOIN jobs AS j ON j.id = l.job_id"
    " WHERE l.held IS NULL OR l.ends > 1 OR (j.id IS NULL AND l.ends = 0)"
    f" OR (j.id IS NOT NULL AND ((j.state IN ({_ENDED})) <> (l.ends > 0) OR credits <> l.held)) LIMIT {MOST_TOLD}"
)
_GONE: Final = f"{_LINES} SELECT TOTAL(taken) FROM lines WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE id = lines.job_id)"
_EXPECTED: Final = (
    f"{_LINES} SELECT json_extract(j.hold, '$.rows') AS rows,"
    " SUM(IIF(ends = 0, held, 0)) AS held, SUM(IIF(ends = 0, held_grants, 0)) AS held_grants,"
    " SUM(COALESCE(taken, 0)) AS spent, SUM(COALESCE(taken_grants, 0)) AS spent_grants"
    " FROM lines AS l JOIN jobs AS j ON j.id = l.job_id WHERE l.held > 0 GROUP BY 1"
)
"""Jobs that count in the same windows, together."""
_GRANTS: Final = (
    "SELECT a.id, a.granted, (SELECT COALESCE(SUM(CASE l.kind WHEN 'grant' THEN l.amount WHEN 'refund' THEN -l.amount"
    " WHEN 'hold' THEN -l.from_grants WHEN 'release' THEN l.from_grants WHEN 'charge' THEN"
    " COALESCE((SELECT h.from_grants FROM ledger AS h WHERE h.job_id = l.job_id AND h.kind = 'hold'), 0) - l.from_grants END), 0)"
    f" FROM ledger AS l WHERE l.account_id = a.id) AS total FROM accounts AS a WHERE a.granted <> total LIMIT {MOST_TOLD}"
)


def audit_sums(connection: sqlite3.Connection) -> list[str]:
    """Compare every cached sum with the ledger and the live jobs; returns one sentence per difference (none: exact).

    400,000 jobs take seconds.
    """
    wrong: list[str] = []
    expected: Sums = {}
    gone = 0
    for piece in _slices(connection):
        wrong += [_difference(*row) for row in connection.execute(_WRONG, piece).fetchall()]
        gone += int(connection.execute(_GONE, piece).fetchone()[0])
        _expect(connection, piece, expected)
    return wrong + _allowances(connection, expected, gone) + _grants(connection)


def _slices(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """(after, up to) of the ledger's jobs, :data:`SLICE` lines each; ends with the last line."""
    after = ""
    while True:
        row = connection.execute(
            "SELECT job_id FROM ledger WHERE job_id > ? ORDER BY job_id LIMIT 1 OFFSET ?", (after, SLICE)
        ).fetchone()
        up_to = "\x7f" if row is None else row[0]  # behind every name
        yield after, up_to
        if row is None:
            return
        after = up_to


def _difference(job_id: str, held: int | None, ends: int, state: str | None, credits: int | None) -> str:
    if held is None:
        return f"job {job_id} was settled, but held nothing"
    if ends > 1:
        return f"job {job_id} was settled twice"
    if state is None:
        return f"job {job_id} was erased while it held {held}"
    if (state in ENDED) != bool(ends):
        return f"job {job_id} is {state} with {ends} settlements"
    return f"job {job_id} holds {credits}, the ledger says {held}"


def _expect(connection: sqlite3.Connection, piece: tuple[str, str], expected: Sums) -> None:
    """Add what the jobs of a slice hold and have spent to the windows that count them."""
    for rows, held, held_grants, spent, spent_grants in connection.execute(_EXPECTED, piece).fetchall():
        windows = Hold.from_json({"credits": 0, "from_grants": 0, "rows": json.loads(rows)}).rows
        for scope, subject, period, start in windows:
            sums = expected.setdefault((scope.value, subject, period.value, start), [0, 0])
            of_grants = scope is Scope.PERSON  # grants relieve the person's own rows only
            sums[0] += held - held_grants * of_grants
            sums[1] += spent - spent_grants * of_grants


def _allowances(connection: sqlite3.Connection, expected: Sums, gone: int) -> list[str]:
    """``gone``: what forgotten jobs were charged; which windows counted them is known no more."""
    wrong: list[str] = []
    for row in connection.execute("SELECT scope, subject, period, window_start, held, spent FROM allowances"):
        held, spent = expected.pop((row[0], row[1], row[2], row[3]), [0, 0])
        if row[4] != held or not spent <= row[5] <= spent + gone:
            wrong.append(f"{row[0]} {row[1]} {row[2]}: held {row[4]} spent {row[5]}, should be {held} {spent}")
    return wrong + [f"no allowance row for {key}" for key, sums in expected.items() if sums != [0, 0]]


def _grants(connection: sqlite3.Connection) -> list[str]:
    return [
        f"account {account_id} has {granted} granted credits, the ledger says {total}"
        for account_id, granted, total in connection.execute(_GRANTS).fetchall()
    ]
