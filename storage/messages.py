"""Cards and deliveries in SQL: what one message shows, and a clip on its way to one place."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from core.errors import NotFound
from core.jobs import CardRow, Delivery, Place, Receipt
from core.states import DELIVERY_MOVES, DeliveryState, IllegalMove
from storage.rows import card_of, delivery_of, dump


def cards_of_job(connection: sqlite3.Connection, job_id: str) -> list[CardRow]:
    """Return the open cards of a job."""
    return [
        card_of(row)
        for row in connection.execute("SELECT * FROM cards WHERE job_id = ? AND closed = 0", (job_id,)).fetchall()
    ]


def open_cards(connection: sqlite3.Connection, after: int, most: int) -> list[tuple[int, str]]:
    """Return (card, job) of open cards in the order of their ids, for the walk after a restart."""
    rows = connection.execute(
        "SELECT id, job_id FROM cards WHERE closed = 0 AND id > ? ORDER BY id LIMIT ?", (after, most)
    ).fetchall()
    return [(row["id"], row["job_id"]) for row in rows]


def shown(
    connection: sqlite3.Connection,
    card_id: int,
    *,
    receipt: Receipt | None,
    digest: str,
    next_edit_at: int,
    closed: bool,
) -> None:
    """Record what a card shows now and when it may next be edited."""
    connection.execute(
        "UPDATE cards SET receipt = ?, shown_hash = ?, next_edit_at = ?, closed = ?, failures = 0 WHERE id = ?",
        (None if receipt is None else dump(receipt.as_json()), digest, next_edit_at, int(closed), card_id),
    )


def acknowledged(connection: sqlite3.Connection, job_id: str, receipt: Receipt) -> None:
    """Record the message that answered the command, unless the lane has posted one meanwhile."""
    connection.execute(
        "UPDATE cards SET receipt = ?, next_edit_at = 0 WHERE job_id = ? AND receipt IS NULL AND platform = ?",
        (dump(receipt.as_json()), job_id, receipt.place.platform),
    )


def to_refresh(connection: sqlite3.Connection, platforms: Mapping[str, float], now: int, most: int) -> list[str]:
    """Return jobs whose open card was last edited longer ago than its platform's refresh seconds."""
    found: list[str] = []
    for platform, seconds in platforms.items():
        rows = connection.execute(
            "SELECT c.job_id FROM cards AS c JOIN jobs AS j ON j.id = c.job_id WHERE c.closed = 0 AND c.platform = ?"
            " AND c.next_edit_at <= ? AND j.state IN ('queued', 'generating') ORDER BY c.next_edit_at LIMIT ?",
            (platform, now - int(seconds * 1000), most),
        ).fetchall()
        found += [row["job_id"] for row in rows]
    return found


def card_failed(connection: sqlite3.Connection, card_id: int, next_edit_at: int, *, closed: bool) -> None:
    """Record that an edit did not go through."""
    connection.execute(
        "UPDATE cards SET failures = failures + 1, next_edit_at = ?, closed = ? WHERE id = ?",
        (next_edit_at, int(closed), card_id),
    )


def reopen_cards(connection: sqlite3.Connection, job_id: str) -> None:
    """Open a job's cards for one more truthful edit."""
    connection.execute("UPDATE cards SET closed = 0 WHERE job_id = ?", (job_id,))


def due_deliveries(connection: sqlite3.Connection, now: int, most: int) -> tuple[list[Delivery], int | None]:
    """Return (deliveries to try now, the next due time after them or None)."""
    rows = connection.execute(
        "SELECT * FROM deliveries WHERE due_at <= ? ORDER BY due_at LIMIT ?", (now, most)
    ).fetchall()
    later = connection.execute("SELECT MIN(due_at) AS at FROM deliveries WHERE due_at > ?", (now,)).fetchone()["at"]
    return [delivery_of(row) for row in rows], later


def read_delivery(connection: sqlite3.Connection, delivery_id: int) -> Delivery:
    """Return the delivery. Raises NotFound."""
    row = connection.execute("SELECT * FROM deliveries WHERE id = ?", (delivery_id,)).fetchone()
    if row is None:
        raise NotFound("no such delivery")
    return delivery_of(row)


def move_delivery(
    connection: sqlite3.Connection,
    delivery_id: int,
    to: DeliveryState,
    *,
    now: int,
    due_at: int | None = None,
    receipt: Receipt | None = None,
    error_code: str | None = None,
) -> Delivery:
    """Move a delivery; ``sending`` counts a try. Raises IllegalMove, NotFound."""
    delivery = read_delivery(connection, delivery_id)
    if to not in DELIVERY_MOVES[delivery.state]:
        raise IllegalMove(f"a delivery cannot go from {delivery.state} to {to}")
    ended = now if to in (DeliveryState.SENT, DeliveryState.DEAD, DeliveryState.UNCLEAR) else None
    connection.execute(
        "UPDATE deliveries SET state = ?, due_at = ?, tries = tries + ?, receipt = COALESCE(?, receipt), error_code = ?, ended_at = ?"
        " WHERE id = ?",
        (
            to.value,
            due_at,
            int(to is DeliveryState.SENDING),
            None if receipt is None else dump(receipt.as_json()),
            error_code,
            ended,
            delivery_id,
        ),
    )
    return read_delivery(connection, delivery_id)


def deliveries_of_job(connection: sqlite3.Connection, job_id: str) -> list[Delivery]:
    """Return every delivery of a job, oldest first."""
    rows = connection.execute("SELECT * FROM deliveries WHERE job_id = ? ORDER BY id", (job_id,)).fetchall()
    return [delivery_of(row) for row in rows]


def add_delivery(connection: sqlite3.Connection, job_id: str, clip_id: str, place: Place, now: int) -> int:
    """Order one more delivery of a clip that exists (``resend``); returns its id."""
    row = connection.execute(
        "INSERT INTO deliveries (job_id, clip_id, platform, place, kind, state, due_at, created_at)"
        " VALUES (?, ?, ?, ?, 'clip', 'pending', ?, ?)"
        " RETURNING id",
        (job_id, clip_id, place.platform, dump(place.as_json()), now, now),
    ).fetchall()[0]
    return int(row["id"])
