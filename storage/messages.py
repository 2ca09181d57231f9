"""Cards and deliveries in SQL: what one message shows, and a clip on its way to one place."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from core.errors import NotFound
from core.jobs import CardRow, Delivery, Job, Place, Receipt
from core.states import DELIVERY_MOVES, DeliveryState, IllegalMove
from storage.people import settings_of
from storage.rows import card_of, delivery_of, dump, load


@dataclass(frozen=True, slots=True)
class Notice:
    """The one short reply that a clip is ready, or that a storyboard waited too long: a row of ``deliveries`` of the kind ``notify``."""

    id: int
    job_id: str
    place: Place
    clip_at: Receipt | None
    """The message that carries the clip."""
    state: DeliveryState
    tries: int
    due_at: int | None
    created_at: int
    """When the clip was there."""


@dataclass(frozen=True, slots=True)
class LaneWork:
    """All that may have to be sent for one job, read at one moment."""

    cards: list[CardRow]
    deliveries: list[Delivery]
    notices: list[Notice]

    def places(self) -> list[Place]:
        """Return where something is to be sent or changed."""
        places = [card.place for card in self.cards] + [delivery.place for delivery in self.deliveries]
        return [*places, *(notice.place for notice in self.notices)]

    def due(self, now: int) -> LaneWork:
        """Return what is to be done now: every open card, and of the rest what is due."""
        return LaneWork(
            self.cards,
            [each for each in self.deliveries if each.due_at is not None and each.due_at <= now],
            [each for each in self.notices if each.due_at is not None and each.due_at <= now],
        )

    @property
    def settled(self) -> bool:
        """Whether nothing will be sent any more by itself."""
        waits = [each.due_at for each in self.deliveries] + [each.due_at for each in self.notices]
        return not self.cards and all(due_at is None for due_at in waits)


def cards_of_job(connection: sqlite3.Connection, job_id: str) -> list[CardRow]:
    """Return the open cards of a job."""
    return [
        card_of(row)
        for row in connection.execute("SELECT * FROM cards WHERE job_id = ? AND closed = 0", (job_id,)).fetchall()
    ]


def receipts_of_job(connection: sqlite3.Connection, job_id: str) -> list[Receipt]:
    """Return every message that shows or showed the job: its cards, closed ones too, and its clip wherever it was posted."""
    rows = connection.execute(
        "SELECT receipt FROM cards WHERE job_id = ?1 AND receipt IS NOT NULL"
        " UNION ALL SELECT receipt FROM deliveries WHERE job_id = ?1 AND receipt IS NOT NULL AND kind = 'clip'",
        (job_id,),
    ).fetchall()
    found = [Receipt.from_json(json.loads(row["receipt"])) for row in rows]
    return list({(each.place.platform, each.place.chat, each.message): each for each in found}.values())


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
    final: int | None,
) -> bool:
    """Record what a card shows now and when it may next be edited; returns whether that was its last edit.

    ``final``: the version of the job of which it told the last news. A job that has gone on while they were brought has more to tell.
    """
    row = connection.execute(
        "UPDATE cards SET receipt = ?, shown_hash = ?, next_edit_at = ?, failures = 0,"
        " closed = COALESCE((SELECT version = ? FROM jobs WHERE id = job_id), 0) WHERE id = ? RETURNING closed",
        (None if receipt is None else dump(receipt.as_json()), digest, next_edit_at, final, card_id),
    ).fetchone()
    return row is not None and bool(row["closed"])


def acknowledged(connection: sqlite3.Connection, job_id: str, receipt: Receipt) -> None:
    """Record the message that answered the command, unless the lane has posted one meanwhile.

    A platform may have made the answer private by itself: then the job is, too.
    """
    connection.execute(
        "UPDATE cards SET receipt = ?, next_edit_at = 0 WHERE job_id = ? AND platform = ? AND shown_hash IS NULL",
        (dump(receipt.as_json()), job_id, receipt.place.platform),
    )
    if receipt.place.shown_in is not None:
        return
    place = dump(receipt.place.as_json())
    made_private = connection.execute(
        "UPDATE jobs SET shown_in = NULL, place = ? WHERE id = ? AND shown_in IS NOT NULL", (place, job_id)
    )
    if made_private.rowcount:  # a delivery finds its card by the place
        connection.execute("UPDATE cards SET place = ? WHERE job_id = ?", (place, job_id))


def renewed(connection: sqlite3.Connection, job_id: str, receipt: Receipt) -> None:
    """Record another way to the message that shows a job; any other message stays as it is."""
    connection.execute(
        "UPDATE cards SET receipt = ?, next_edit_at = 0 WHERE job_id = ? AND platform = ?"
        " AND json_extract(receipt, '$.message') = ?",
        (dump(receipt.as_json()), job_id, receipt.place.platform, receipt.message),
    )


def to_refresh(connection: sqlite3.Connection, platforms: Mapping[str, float], now: int, most: int) -> list[str]:
    """Return jobs whose open card was last edited longer ago than its platform's refresh seconds."""
    found: list[str] = []
    for platform, seconds in platforms.items():
        rows = connection.execute(
            "SELECT c.job_id FROM cards AS c JOIN jobs AS j ON j.id = c.job_id WHERE c.closed = 0 AND c.platform = ?"
            " AND c.next_edit_at <= ? AND j.state IN ('queued', 'generating', 'making') ORDER BY c.next_edit_at LIMIT ?",
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


def card_lost(connection: sqlite3.Connection, card_id: int) -> None:
    """Somebody deleted the card's message: what is sent for it from now on is a new message."""
    connection.execute("UPDATE cards SET receipt = NULL WHERE id = ?", (card_id,))


def drop_credentials(connection: sqlite3.Connection, now: int) -> int:
    """Erase the credentials of messages that can no longer be edited; returns how many."""
    return sum(
        connection.execute(
            f"UPDATE {table} SET receipt = json_set(receipt, '$.credential', NULL)"
            " WHERE json_extract(receipt, '$.credential') IS NOT NULL AND json_extract(receipt, '$.can_edit_until') <= ?",
            (now,),
        ).rowcount
        for table in ("cards", "deliveries")
    )


def reopen_cards(connection: sqlite3.Connection, job_id: str) -> None:
    """Open a job's cards for one more truthful edit."""
    connection.execute("UPDATE cards SET closed = 0, failures = 0 WHERE job_id = ?", (job_id,))


def due_deliveries(
    connection: sqlite3.Connection, now: int, most: int, without: Collection[str] = ()
) -> tuple[list[Delivery], int | None]:
    """Return (deliveries and notices to try now, the next due time after them or None), leaving out the platforms of ``without``."""
    marks = ", ".join("?" * len(without))
    rows = connection.execute(
        f"SELECT * FROM deliveries WHERE due_at <= ? AND platform NOT IN ({marks}) ORDER BY due_at LIMIT ?",
        (now, *without, most),
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
    notify_after_ms: int | None = None,
    untried: bool = False,
) -> Delivery:
    """Move a delivery or a notice; ``sending`` counts a try, and ``untried`` takes it back. Raises IllegalMove, NotFound.

    A clip that is ``sent`` owes its person a notice when the job took longer than ``notify_after_ms``; None: it owes none.
    """
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
            int(to is DeliveryState.SENDING) - int(untried),
            None if receipt is None else dump(receipt.as_json()),
            error_code,
            ended,
            delivery_id,
        ),
    )
    if to is DeliveryState.SENT and receipt is not None:
        # With the clip's own commit: after a crash in between, an edit of the card as it was would take the clip away again.
        connection.execute(
            "UPDATE cards SET receipt = ? WHERE job_id = ? AND closed = 0"
            " AND place = (SELECT place FROM deliveries WHERE id = ? AND kind = 'clip')",
            (dump(receipt.as_json()), delivery.job_id, delivery_id),
        )
    if to is DeliveryState.SENT and notify_after_ms is not None:
        _owe_notice(connection, delivery_id, notify_after_ms, now)
    return read_delivery(connection, delivery_id)


def _owe_notice(connection: sqlite3.Connection, delivery_id: int, after_ms: int, now: int) -> None:
    """Order the notice of a clip that has arrived: once per job, so ``resend`` orders none, wherever to. A film's time begins when it is
    approved.
    """
    row = connection.execute(
        "SELECT d.*, j.account_id FROM deliveries AS d JOIN jobs AS j ON j.id = d.job_id"
        " WHERE d.id = ? AND d.kind = 'clip' AND j.state = 'done' AND j.cancel_wish IS NOT 'stop_waiting'"
        " AND j.finished_at - IIF(j.kind = 'film', COALESCE(j.started_at, j.created_at), j.created_at) > ? AND NOT EXISTS"
        " (SELECT 1 FROM deliveries AS e WHERE e.job_id = d.job_id AND e.kind = 'clip' AND e.id < d.id)",
        (delivery_id, after_ms),
    ).fetchone()
    if row is not None:
        _add_notice(connection, row, row["account_id"], now)


def owe_notice(connection: sqlite3.Connection, job: Job, now: int) -> None:
    """Order the notice of what became of a job without a clip, as an answer to the card that it was ordered with."""
    row = connection.execute(
        "SELECT job_id, '' AS clip_id, platform, place, receipt FROM cards WHERE job_id = ? ORDER BY id LIMIT 1",
        (job.id,),
    ).fetchone()
    if row is not None and row["receipt"] is not None:
        _add_notice(connection, row, job.account_id, now)


def _add_notice(connection: sqlite3.Connection, row: sqlite3.Row, account_id: str, now: int) -> None:
    if settings_of(connection, account_id).get("notify") is False:
        return
    connection.execute(
        "INSERT INTO deliveries (job_id, clip_id, platform, place, kind, state, due_at, receipt, created_at)"
        " VALUES (?, ?, ?, ?, 'notify', 'pending', ?, ?, ?)",
        (row["job_id"], row["clip_id"], row["platform"], row["place"], now, row["receipt"], now),
    )


def postpone(connection: sqlite3.Connection, delivery_id: int, due_at: int, error_code: str) -> None:
    """Look at a pending delivery or notice later: nothing was tried."""
    connection.execute(
        "UPDATE deliveries SET due_at = ?, error_code = ? WHERE id = ? AND state = 'pending'",
        (due_at, error_code, delivery_id),
    )


def deliveries_of_job(connection: sqlite3.Connection, job_id: str) -> list[Delivery]:
    """Return every delivery of a job's clip, oldest first."""
    rows = connection.execute(
        "SELECT * FROM deliveries WHERE job_id = ? AND kind = 'clip' ORDER BY id", (job_id,)
    ).fetchall()
    return [delivery_of(row) for row in rows]


def notices_of_job(connection: sqlite3.Connection, job_id: str) -> list[Notice]:
    """Return the notices that a job owes or owed, oldest first."""
    rows = connection.execute(
        "SELECT * FROM deliveries WHERE job_id = ? AND kind = 'notify' ORDER BY id", (job_id,)
    ).fetchall()
    return [_notice_of(row) for row in rows]


def _notice_of(row: sqlite3.Row) -> Notice:
    receipt = load(row["receipt"])
    return Notice(
        id=row["id"],
        job_id=row["job_id"],
        place=Place.from_json(load(row["place"])),
        clip_at=None if receipt is None else Receipt.from_json(receipt),
        state=DeliveryState(row["state"]),
        tries=row["tries"],
        due_at=row["due_at"],
        created_at=row["created_at"],
    )


def work_of_job(connection: sqlite3.Connection, job_id: str) -> LaneWork:
    """Return a job's open cards, deliveries and notices."""
    return LaneWork(
        cards_of_job(connection, job_id), deliveries_of_job(connection, job_id), notices_of_job(connection, job_id)
    )


def add_delivery(
    connection: sqlite3.Connection,
    job_id: str,
    clip_id: str,
    place: Place,
    now: int,
    receipt: Receipt | None = None,
    due_at: int | None = None,
) -> int:
    """Order one more delivery of a clip that exists (``resend``); returns its id.

    ``receipt``: the message that may become it; ``due_at``: when it is looked at, where that message has yet to come.
    """
    shown = None if receipt is None else dump(receipt.as_json())
    row = connection.execute(
        "INSERT INTO deliveries (job_id, clip_id, platform, place, receipt, kind, state, due_at, created_at)"
        " VALUES (?, ?, ?, ?, ?, 'clip', 'pending', ?, ?)"
        " RETURNING id",
        (job_id, clip_id, place.platform, dump(place.as_json()), shown, now if due_at is None else due_at, now),
    ).fetchall()[0]
    return int(row["id"])


def delivery_answered(connection: sqlite3.Connection, delivery_id: int, receipt: Receipt, now: int) -> None:
    """The message that an ordered delivery is to become stands, in ``receipt``: it is due now, unless it went another way meanwhile.

    Raises NotFound when the clip was erased meanwhile.
    """
    known = connection.execute("SELECT 1 FROM deliveries WHERE id = ?", (delivery_id,)).fetchone()
    if known is None:
        raise NotFound("the clip was erased meanwhile", message_id="error.clip_gone")
    connection.execute(
        "UPDATE deliveries SET receipt = ?, place = ?, due_at = ? WHERE id = ? AND state = 'pending' AND tries = 0",
        (dump(receipt.as_json()), dump(receipt.place.as_json()), now, delivery_id),
    )
