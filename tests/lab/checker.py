"""The invariants of ``docs/reference/proofs.md``, checked over a data folder, the vendor's journal and the log.

Each function returns sentences about what is wrong; none means that the invariant holds.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from storage.audit import audit_sums
from tests.lab.billing import PaidVendor
from tests.lab.vendor import KEY

CANARY = "zanzibar-quokka-7731"
"""A word for prompts that must appear in no log line."""
SECRETS = (KEY, CANARY)
TOKEN = re.compile(r"reelay_[A-Za-z0-9_-]{20,}")
TRAIL = ("accepted", "prepared", "admitted", "submitted", "ready", "stored")
WITHOUT_CREDITS = ("film", "merge")
"""Kinds of jobs whose money is that of their children."""
LEGAL_ENDS = {"done": "charge", "failed": "release", "cancelled": "release"}


def connect(data: Path) -> sqlite3.Connection:
    """The database, read only."""
    connection = sqlite3.connect(f"file:{data / 'reelay.db'}?mode=ro", uri=True, timeout=10)
    connection.row_factory = sqlite3.Row
    return connection


def check(
    data: Path,
    vendor: PaidVendor | None = None,
    log: str = "",
    *,
    ended: bool = True,
    refusals: bool = False,
    reached: bool = True,
    resent: bool = False,
) -> list[str]:
    """Every invariant at once. ``ended``: all jobs must have ended; ``refusals``: the script refuses submits, so that a job may
    have several attempts; without ``reached`` deliveries may have been given up, and when ``resent`` repeated.
    """
    connection = connect(data)
    try:
        wrong = [
            *integrity(connection),
            *audit_sums(connection),
            *endings(connection, ended=ended),
            *attempts(connection, refusals=refusals),
            *clips(connection, data / "clips"),
            *messages(connection, reached=reached, resent=resent),
            *trails(connection),
        ]
        if vendor is not None:
            wrong += billing(connection, vendor.paid)
    finally:
        connection.close()
    return wrong + secrets_in(log)


def integrity(connection: sqlite3.Connection) -> list[str]:
    """The file is sound and every reference leads somewhere."""
    found = [row[0] for row in connection.execute("PRAGMA integrity_check").fetchall()]
    wrong = [] if found == ["ok"] else [f"integrity: {line}" for line in found[:5]]
    return wrong + [f"foreign key: {tuple(row)}" for row in connection.execute("PRAGMA foreign_key_check").fetchall()]


def endings(connection: sqlite3.Connection, *, ended: bool) -> list[str]:
    """Every accepted command has exactly one outcome, and its money one end that fits it."""
    wrong = []
    for row in connection.execute("SELECT id, kind, state, price, charged FROM jobs").fetchall():
        kinds = Counter(
            line["kind"]
            for line in connection.execute("SELECT kind FROM ledger WHERE job_id = ?", (row["id"],)).fetchall()
        )
        if row["kind"] in WITHOUT_CREDITS:
            if kinds or row["price"] or row["charged"]:
                wrong.append(f"{row['kind']} {row['id']} has money of its own: {dict(kinds)}")
            if ended and row["state"] not in (*LEGAL_ENDS, "awaiting"):
                wrong.append(f"{row['kind']} {row['id']} is still {row['state']}")
            continue
        if kinds["hold"] != 1:
            wrong.append(f"job {row['id']} has {kinds['hold']} holds")
        settled = kinds["charge"] + kinds["release"]
        if row["state"] in LEGAL_ENDS:
            if kinds[LEGAL_ENDS[row["state"]]] != 1 or settled != 1:
                wrong.append(f"job {row['id']} is {row['state']} with {dict(kinds)}")
        elif ended:
            wrong.append(f"job {row['id']} is still {row['state']}")
        elif settled:
            wrong.append(f"job {row['id']} is {row['state']} and already settled")
        if row["charged"] is not None and row["charged"] > row["price"]:
            wrong.append(f"job {row['id']} was charged {row['charged']} of {row['price']}")
    pending = connection.execute("SELECT COUNT(*) FROM inbox WHERE state = 'pending'").fetchone()[0]
    if ended and pending:
        wrong.append(f"{pending} commands were received and never answered")
    held = connection.execute("SELECT scope, subject, held FROM allowances WHERE held <> 0").fetchall() if ended else []
    return wrong + [f"{row['scope']} {row['subject']} still holds {row['held']} credits" for row in held]


def attempts(connection: sqlite3.Connection, *, refusals: bool) -> list[str]:
    """One attempt per job unless the vendor refused; at most one of them won. A free call that was broken off is made again."""
    sql = (
        "SELECT job_id, COUNT(*) AS n, SUM(a.state = 'won') AS won FROM attempts AS a JOIN jobs AS j ON j.id = job_id"
        " WHERE NOT (j.kind IN ('script', 'picture') AND j.price = 0 AND a.state = 'lost') GROUP BY job_id"
    )
    wrong = [
        f"job {row['job_id']} has {row['n']} attempts, {row['won']} of them won"
        for row in connection.execute(sql).fetchall()
        if row["won"] > 1 or (row["n"] > 1 and not refusals)
    ]
    stale = (
        "SELECT a.job_id FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id"
        " WHERE a.state = 'open' AND j.state IN ('done', 'failed', 'cancelled') AND j.hidden = 0"
    )
    wrong += [f"job {row['job_id']} has ended with an open attempt" for row in connection.execute(stale).fetchall()]
    return wrong


def billing(connection: sqlite3.Connection, paid: Mapping[str, int]) -> list[str]:
    """The vendor billed each attempt at most once, and each job at most once."""
    wrong = [f"attempt {attempt} was billed {n} times" for attempt, n in paid.items() if n > 1]
    owner = {row["id"]: row["job_id"] for row in connection.execute("SELECT id, job_id FROM attempts").fetchall()}
    wrong += [f"the vendor billed an attempt that nobody knows: {attempt}" for attempt in paid if attempt not in owner]
    jobs = Counter(owner[attempt] for attempt in paid if attempt in owner)
    return wrong + [f"job {job} was billed {n} times" for job, n in jobs.items() if n > 1]


def clips(connection: sqlite3.Connection, folder: Path) -> list[str]:
    """A done job has one clip, whose file is there whole, and so has a failed one whose clip came late; no other job has one."""
    wrong = []
    per_job: Counter[str] = Counter()
    for row in connection.execute("SELECT * FROM clips WHERE deleted_at IS NULL").fetchall():
        if row["kind"] == "clip":
            per_job[row["job_id"]] += 1
        path = folder / row["key"][:2] / row["key"]
        if not path.is_file():
            wrong.append(f"{row['kind']} {row['id']} of job {row['job_id']} has no file")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
            wrong.append(f"the file of {row['kind']} {row['id']} is not what was stored")
        poster = row["poster_key"]
        if poster is not None and not (folder / poster[:2] / poster).is_file():
            wrong.append(f"the poster of {row['id']} is missing")
    for row in connection.execute("SELECT id, kind, state, clip_id, hidden FROM jobs").fetchall():
        if row["kind"] in ("script", "picture"):
            continue
        late = row["state"] == "failed" and row["clip_id"] is not None
        expected = int((row["state"] == "done" or late) and not row["hidden"])
        if row["kind"] == "film" and expected and per_job[row["id"]] > 1:
            continue  # it was cut anew
        if per_job[row["id"]] != expected:
            wrong.append(f"job {row['id']} is {row['state']} with {per_job[row['id']]} clips")
    return wrong


def messages(connection: sqlite3.Connection, *, reached: bool = True, resent: bool = False) -> list[str]:
    """An ended job's card is closed, and its clip was delivered exactly once; not at all where the person had stopped waiting.

    What was made for a film is delivered with it alone. Without ``reached`` a clip may also have been given up, where nobody could be
    reached; ``resent``: somebody asked for it once more, or had a film cut anew.
    """
    wrong = []
    sql = (
        "SELECT j.id, j.state, j.clip_id, j.cancel_wish, j.parent_id, SUM(d.state = 'sent') AS sent, SUM(d.state = 'dead') AS dead,"
        " COUNT(d.id) AS n FROM jobs AS j"
        " LEFT JOIN deliveries AS d ON d.job_id = j.id AND d.kind = 'clip' WHERE j.hidden = 0 GROUP BY j.id"
    )
    for row in connection.execute(sql).fetchall():
        wanted = 0 if row["cancel_wish"] == "stop_waiting" or row["parent_id"] is not None else 1
        given_up = not reached and row["dead"] == 1
        sent = min(row["sent"] or 0, 1) if resent else row["sent"] or 0
        if row["state"] == "done" and sent != wanted and not given_up:
            wrong.append(f"the clip of job {row['id']} was delivered {row['sent']} times")
        if row["state"] != "done" and row["n"] and row["clip_id"] is None:
            wrong.append(f"job {row['id']} is {row['state']} with {row['n']} deliveries")
    open_cards = (
        "SELECT c.job_id FROM cards AS c JOIN jobs AS j ON j.id = c.job_id"
        " WHERE c.closed = 0 AND j.state IN ('done', 'failed', 'cancelled')"
    )
    wrong += [f"the card of ended job {row['job_id']} is open" for row in connection.execute(open_cards).fetchall()]
    return wrong


def trails(connection: sqlite3.Connection) -> list[str]:
    """The hop trail of a clip that was made in one go never goes backwards."""
    wrong = []
    for (job,) in connection.execute("SELECT id FROM jobs WHERE hidden = 0 AND attempts = 1").fetchall():
        hops = [
            row[0]
            for row in connection.execute("SELECT hop FROM events WHERE job_id = ? ORDER BY seq", (job,)).fetchall()
        ]
        order = [TRAIL.index(hop) for hop in hops if hop in TRAIL]
        if order != sorted(set(order)):
            wrong.append(f"the trail of job {job} goes backwards: {hops}")
    return wrong


def orphans(data: Path) -> list[str]:
    """Files that no row speaks of, once everything is quiet."""
    connection = connect(data)
    try:
        known = {
            row[0] for row in connection.execute("SELECT key FROM clips UNION SELECT poster_key FROM clips").fetchall()
        }
    finally:
        connection.close()
    return sorted(
        path.relative_to(data / "clips").as_posix()
        for path in (data / "clips").rglob("*")
        if path.is_file() and path.name not in known
    )


def secrets_in(log: str, more: Iterable[str] = ()) -> list[str]:
    """Secrets and prompts that stand in a log. The sign-in link that is printed for the operator is the one exception."""
    lines = [line for line in log.splitlines() if not line.startswith("Sign in once with ")]
    text = "\n".join(lines)
    wrong = [f"the log shows {secret[:8]}…" for secret in (*SECRETS, *more) if secret in text]
    return wrong + [f"the log shows a token: {found[:12]}…" for found in TOKEN.findall(text)]
