"""Receive and accept: the two durable steps between a command and its job."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from core.errors import Conflict, IntakePaused, NotAllowed, TooManyJobs
from core.ids import new_job_id
from core.jobs import InboxRow, Job, JobKind, Order
from core.money import Hold, Kind, Scope, plan_hold
from core.states import JobState, deadline_for
from core.steps import DefaultLimits
from storage.people import account_of, open_account, settings_of, subjects_of
from storage.quota import allowances, take_hold, write_line
from storage.rows import dump, dump_changes, inbox_of, insert, job_of, load

LIVE_JOBS = "state NOT IN ('done', 'failed', 'cancelled')"
"""The condition of the index ``jobs_live``, word for word: without it SQLite walks through a person's whole history."""
STANDING = (
    "SELECT a.blocked_at, a.granted, a.last_vt, (SELECT vt FROM fairness WHERE id = 1) AS now_vt,"
    " EXISTS (SELECT 1 FROM pauses WHERE provider = '*' AND (until IS NULL OR until > ?)) AS paused,"
    f" (SELECT COUNT(*) FROM jobs WHERE account_id = a.id AND {LIVE_JOBS} AND parent_id IS NULL"
    " AND state IN ('submitting', 'generating', 'storing', 'making')) AS running,"
    f" (SELECT COUNT(*) FROM jobs WHERE account_id = a.id AND {LIVE_JOBS} AND parent_id IS NULL"
    " AND state IN ('preparing', 'queued')) AS waiting,"
    f" (SELECT COUNT(*) FROM jobs WHERE account_id = a.id AND {LIVE_JOBS} AND state IN ('planning', 'awaiting')) AS storyboards,"
    " (SELECT id FROM jobs WHERE identity_id = ? AND dedupe_key = ?) AS same"
    " FROM accounts AS a WHERE a.id = ?"
)
"""All that decides about an order, in one look. An unclear job takes no place: nobody knows how long it stays. The scenes of a film take
none besides the film's own.
"""
FAIR_STEP = 1.0
"""How far one job moves its person on in the fair queue."""
RAW = "json_type(payload, '$.raw') IS NOT NULL"
"""An inbox row that holds a platform's raw update (``updates.py``): what it asks for, if anything, only its platform can read."""
SENDER = (
    "(SELECT account_id FROM identities AS i"
    " WHERE i.platform = inbox.platform AND i.external_id = json_extract(inbox.payload, '$.actor.external_id'))"
)
"""The account of who sent an inbox row; NULL for whom nothing was ever made."""
ACKNOWLEDGE_MS = 5000
"""How long a platform that answers commands by itself has to do so, before the card is edited, or posted as a message of its own."""


def receive(
    connection: sqlite3.Connection, platform: str, update_id: str, payload: Mapping[str, Any], now: int
) -> InboxRow:
    """Keep a raw command; the same (platform, update id) again returns the first row unchanged.

    A pending row brings what its sender has set, so that reading the command needs no look of its own.
    """
    fresh = receive_new(connection, platform, update_id, payload, now)
    if fresh is not None:
        return fresh
    first = connection.execute(
        "SELECT * FROM inbox WHERE platform = ? AND update_id = ?", (platform, update_id)
    ).fetchone()
    return with_sender(connection, inbox_of(first))


def receive_new(
    connection: sqlite3.Connection, platform: str, update_id: str, payload: Mapping[str, Any], now: int
) -> InboxRow | None:
    """Keep a raw command; None when (platform, update id) is known already, whatever became of it."""
    dumped = dump(payload)
    fresh = connection.execute(
        "INSERT INTO inbox (platform, update_id, payload, state, received_at) VALUES (?, ?, ?, 'pending', ?)"
        " ON CONFLICT (platform, update_id) DO NOTHING RETURNING id",
        (platform, update_id, dumped, now),
    ).fetchall()
    if not fresh:
        return None
    row = InboxRow(fresh[0]["id"], platform, update_id, load(dumped), "pending", None, None, now)
    return with_sender(connection, row)


def with_sender(connection: sqlite3.Connection, row: InboxRow) -> InboxRow:
    """Return a pending row with its sender's account and settings."""
    sender = row.payload.get("actor")
    if row.state != "pending" or sender is None:
        return row
    known = account_of(connection, row.platform, sender["external_id"])
    if known is None:
        return row
    return replace(row, account_id=known[1], settings=settings_of(connection, known[1]))


def accept(
    connection: sqlite3.Connection,
    order: Order,
    *,
    tombstone: str | None,
    most_waiting: int,
    most_running: int = 0,
    disk_is_low: bool = False,
    defaults: DefaultLimits,
    now: int,
) -> tuple[Job, bool]:
    """Make the job of ``order``, its hold and its card, and mark its inbox row; returns (job, whether it is new).

    ``most_running``: jobs of the person that may run at once, which therefore need no place in the line. ``disk_is_low``: nothing new is
    taken.
    The same dedupe key again returns the first job; with other parameters it is a Conflict. Raises NotAllowed, IntakePaused, TooManyJobs,
    QuotaExceeded, and then changes nothing.
    """
    actor = order.actor
    identity_id, account_id = open_account(connection, actor.platform, actor.external_id, tombstone, now)
    person = connection.execute(STANDING, (now, identity_id, order.dedupe_key, account_id)).fetchone()
    if person["same"] is not None:
        first = connection.execute("SELECT * FROM jobs WHERE id = ?", (person["same"],)).fetchone()
        if first["dedupe_hash"] != order.dedupe_hash or first["hidden"]:
            raise Conflict("the idempotency key was used for another request", message_id="error.key_reused")
        _mark(connection, order, first["id"], account_id)
        return job_of(first), False
    if person["blocked_at"] is not None:
        raise NotAllowed("the account is blocked", message_id="error.blocked")
    if disk_is_low or person["paused"]:
        raise IntakePaused("the disk is nearly full" if disk_is_low else "intake is paused")
    _check_room(person, order, most_waiting, most_running)
    ordered = (order, *order.siblings, *order.children)
    if len(ordered) > 1:
        subjects = subjects_of(actor, account_id)
        check_total(connection, ordered, subjects, person["granted"], defaults, now)
    who = Ordering(identity_id, account_id, person["granted"], person["last_vt"], person["now_vt"])
    job = insert_job(connection, order, who, defaults, now)
    add_card(connection, order, job.id, now)
    for sibling in order.siblings:
        twin = insert_job(connection, sibling, standing_of(connection, who), defaults, now)
        add_card(connection, sibling, twin.id, now)
    for child in order.children:
        part = replace(child, parent_id=job.id)
        insert_job(connection, part, standing_of(connection, who), defaults, now, chosen=part.kind is JobKind.CLIP)
    _mark(connection, order, job.id, account_id)
    return job, True


def _check_room(person: sqlite3.Row, order: Order, most_waiting: int, most_running: int) -> None:
    """Raise TooManyJobs when the person's line, or the pile of their storyboards, is full."""
    waiting, asked = person["waiting"], 1 + len(order.siblings)
    if not order.kind.has_credits:
        if person["storyboards"] >= most_waiting:
            values = {"waiting": person["storyboards"], "most": most_waiting}
            raise TooManyJobs("too many storyboards wait", message_id="error.too_many_storyboards", values=values)
        return
    room = most_waiting + max(0, most_running - person["running"])  # what can run at once does not have to wait
    if waiting + asked > room:
        raise TooManyJobs(f"{waiting} jobs wait already", values={"waiting": waiting, "most": most_waiting})


def check_total(
    connection: sqlite3.Connection,
    orders: Sequence[Order],
    subjects: Sequence[tuple[Scope, str]],
    granted: int,
    defaults: DefaultLimits,
    now: int,
) -> None:
    """Raise QuotaExceeded, with what all of them cost together, unless that can be held."""
    plan_hold(sum(each.price for each in orders), allowances(connection, subjects, defaults, now), granted, flat=False)


@dataclass(frozen=True, slots=True)
class Ordering:
    """Who orders, and where they stand in the fair queue and with their granted credits."""

    identity_id: int
    account_id: str
    granted: int
    last_vt: float
    now_vt: float


def standing_of(connection: sqlite3.Connection, who: Ordering) -> Ordering:
    """The same person after what they ordered a moment ago."""
    row = connection.execute("SELECT granted, last_vt FROM accounts WHERE id = ?", (who.account_id,)).fetchone()
    return replace(who, granted=row["granted"], last_vt=row["last_vt"])


FIRST_STATES: Final = {
    JobKind.SCRIPT: JobState.PREPARING,
    JobKind.PICTURE: JobState.PREPARING,
    JobKind.FILM: JobState.PLANNING,
    JobKind.MERGE: JobState.MAKING,
}
"""Where jobs begin that are no clips."""


def insert_job(
    connection: sqlite3.Connection,
    order: Order,
    who: Ordering,
    defaults: DefaultLimits,
    now: int,
    *,
    chosen: bool = False,
) -> Job:
    """Add a job with its hold; returns it. Raises QuotaExceeded."""
    identity_id, account_id = who.identity_id, who.account_id
    hold = Hold(0, 0, ())
    if order.kind.has_credits:
        subjects = subjects_of(order.actor, account_id)
        hold = take_hold(connection, order.price, subjects, who.granted, defaults, now, flat=order.flat_price)
    job_id = new_job_id(now)
    if order.kind is JobKind.CLIP:
        state = JobState.QUEUED if order.attachment is None else JobState.PREPARING
    else:
        state = FIRST_STATES[order.kind]
    is_call = order.kind in (JobKind.SCRIPT, JobKind.PICTURE)  # it waits for what came along with its film
    deadline = deadline_for(JobState.PLANNING if is_call else state, now, 0)
    queued = state is JobState.QUEUED
    tag = max(who.now_vt, who.last_vt)
    connection.execute(
        "UPDATE accounts SET last_vt = ?, granted = granted - ? WHERE id = ?",
        (tag + FAIR_STEP if queued else who.last_vt, hold.from_grants, account_id),
    )
    due_at = deadline if queued else now
    values = {
        "id": job_id,
        "kind": order.kind.value,
        "parent_id": order.parent_id,
        "position": order.position,
        "chosen": int(chosen),
        "unit": order.unit,
        "origin_id": order.origin_id,
        "account_id": account_id,
        "identity_id": identity_id,
        "place": dump(order.place.as_json()),
        "shown_in": order.place.shown_in if order.parent_id is None else None,
        "session_id": order.session_id,
        "provider": order.applied.provider if order.kind is JobKind.CLIP else order.kind.value,
        "model": order.applied.model,
        "provider_named": int(order.provider_named),
        "wanted": dump(order.wanted.as_json()),
        "applied": dump(order.applied.as_json()),
        "changed": dump_changes(order.changed),
        "attachment": None if order.attachment is None else dump(order.attachment.as_json()),
        "state": state.value,
        "price": order.price,
        "hold": dump(hold.as_json()),
        "vt": tag if queued else None,
        "due_at": due_at,
        "deadline": deadline,
        "created_at": now,
        "updated_at": now,
        "queued_at": now if queued else None,
        "dedupe_key": order.dedupe_key,
        "dedupe_hash": order.dedupe_hash,
    }
    insert(connection, "jobs", values)
    if order.film is not None:
        insert(connection, "films", {"job_id": job_id, "plan": dump(order.film.as_json())})
    if order.kind.has_credits:
        write_line(
            connection,
            now=now,
            kind=Kind.HOLD,
            amount=hold.credits,
            from_grants=hold.from_grants,
            account_id=account_id,
            identity_id=identity_id,
            job_id=job_id,
        )
    connection.execute("INSERT INTO events (job_id, seq, at, hop) VALUES (?, 1, ?, 'accepted')", (job_id, now))
    return Job(
        id=job_id,
        kind=order.kind,
        account_id=account_id,
        identity_id=identity_id,
        place=order.place,
        state=state,
        version=1,
        wanted=order.wanted,
        applied=order.applied,
        price=order.price,
        hold=hold,
        created_at=now,
        updated_at=now,
        provider_named=order.provider_named,
        parent_id=order.parent_id,
        origin_id=order.origin_id,
        position=order.position,
        chosen=chosen,
        unit=order.unit,
        session_id=order.session_id,
        attachment=order.attachment,
        changed=order.changed,
        due_at=due_at,
        deadline=deadline,
        queued_at=now if queued else None,
    )


def add_card(connection: sqlite3.Connection, order: Order, job_id: str, now: int) -> None:
    """Add the message that will show a job; those of a film's scenes are folded into the film's."""
    insert(
        connection,
        "cards",
        {
            "job_id": job_id,
            "platform": order.place.platform,
            "place": dump(order.place.as_json()),
            "receipt": None if order.receipt is None else dump(order.receipt.as_json()),
            "next_edit_at": now + ACKNOWLEDGE_MS if order.answers else 0,
        },
    )


def _mark(connection: sqlite3.Connection, order: Order, job_id: str, account_id: str) -> None:
    """The command is understood: its raw text is in the job now and is erased here, in every row that it came in."""
    first = () if order.inbox_id is None else (order.inbox_id,)
    for inbox_id in (*first, *order.more_inbox_ids):
        connection.execute(
            "UPDATE inbox SET state = 'accepted', job_id = ?, account_id = ?, payload = '{}' WHERE id = ?",
            (job_id, account_id, inbox_id),
        )


def refuse(connection: sqlite3.Connection, inbox_id: int, failure: Mapping[str, Any], more: Sequence[int] = ()) -> None:
    """Mark a command, and the rows of ``more`` that belong to it, as refused, so that its redelivery gets the same answer; its text is
    erased.

    Who sent it stays: the reason may quote them, and they may have no account yet by which ``forget`` would find it.
    """
    connection.executemany(
        "UPDATE inbox SET state = 'refused', failure = ?,"
        " payload = json_object('actor', json_object('external_id', json_extract(payload, '$.actor.external_id'))),"
        f" account_id = {SENDER} WHERE id = ? AND state = 'pending'",
        [(dump(failure), each) for each in (inbox_id, *more)],
    )


def pending(connection: sqlite3.Connection, most: int) -> list[InboxRow]:
    """Return commands that were received and not yet understood, oldest first; raw updates are their platform's."""
    return [
        with_sender(connection, inbox_of(row))
        for row in connection.execute(
            f"SELECT * FROM inbox WHERE state = 'pending' AND NOT ({RAW}) ORDER BY id LIMIT ?", (most,)
        ).fetchall()
    ]


def fair_tag(connection: sqlite3.Connection, account_id: str) -> float:
    """Return a new job's place in the fair queue and move the person's own clock on.

    Start-time fair queueing: whoever comes to a busy queue starts where it is now, and each further job of one person stands one step
    behind the one before, so people alternate however many jobs one of them has.
    """
    now_vt = connection.execute("SELECT vt FROM fairness WHERE id = 1").fetchone()["vt"]
    last = connection.execute("SELECT last_vt FROM accounts WHERE id = ?", (account_id,)).fetchone()["last_vt"]
    tag = max(now_vt, last)
    connection.execute("UPDATE accounts SET last_vt = ? WHERE id = ?", (tag + FAIR_STEP, account_id))
    return float(tag)


def give_place_back(connection: sqlite3.Connection, account_id: str, job_id: str) -> None:
    """A queued job ended without its turn: the person's clock goes back to the end of what still waits.

    Otherwise everything that somebody orders and cancels again would put the next order further behind.
    """
    connection.execute(
        "UPDATE accounts SET last_vt = MIN(last_vt, 1 + MAX((SELECT vt FROM fairness WHERE id = 1), COALESCE("
        f"(SELECT MAX(vt) FROM jobs WHERE account_id = accounts.id AND {LIVE_JOBS} AND state = 'queued' AND id <> ?), 0)))"
        " WHERE id = ?",
        (job_id, account_id),
    )
