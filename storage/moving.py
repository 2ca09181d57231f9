"""A chat that goes on under another id, as a Telegram group does that becomes a supergroup: every row that names it follows.

Which rows name it is found on a connection of its own, because that reads the whole database; the one transaction that changes them then
looks only at what came since.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Final

from core.ids import first_job_id

OVERLAP_MS: Final = 3_600_000
"""How far a clock may have been put back between the look and the change without that a new job is missed."""


@dataclass(frozen=True, slots=True)
class Move:
    """``old`` and ``new``: the chat's ids as its platform writes them in ``Place.chat``."""

    platform: str
    old: str
    new: str

    def subjects(self) -> list[tuple[str, str]]:
        """Return (old, new) of the subjects whose allowances and limits are the chat's: its own, and its members' share in it."""
        names = [(f"{self.platform}:chat:{self.old}", f"{self.platform}:chat:{self.new}")]
        return [*names, *((f"{old}:own", f"{new}:own") for old, new in names)]


@dataclass(frozen=True, slots=True)
class Named:
    """Rows that name the old id, at least: jobs, cards and deliveries by their ids, and where a later look goes on."""

    jobs: tuple[str, ...] = ()
    cards: tuple[int, ...] = ()
    deliveries: tuple[int, ...] = ()
    next_job: str = ""
    last_card: int = 0
    last_delivery: int = 0


def find(connection: sqlite3.Connection, move: Move, now: int, after: Named = Named()) -> Named:
    """Look for the rows that name the old id, behind what ``after`` has looked at."""
    (subject, _), (own, _) = move.subjects()
    here = "json_extract(place, '$.platform') = ?1 AND json_extract(place, '$.chat') = ?2"
    jobs = connection.execute(
        f"SELECT id FROM jobs WHERE id >= ?6 AND (shown_in = ?3 OR instr(hold, ?4) OR instr(hold, ?5) OR ({here}))",
        (move.platform, move.old, subject, json.dumps(subject), json.dumps(own), after.next_job),
    ).fetchall()
    cards, deliveries = (
        connection.execute(
            f"SELECT id FROM {table} WHERE id > ?3 AND platform = ?1 AND (({here}) OR ({_RECEIVED_HERE}))",
            (move.platform, move.old, last),
        ).fetchall()
        for table, last in (("cards", after.last_card), ("deliveries", after.last_delivery))
    )
    newest = connection.execute(
        "SELECT (SELECT COALESCE(MAX(id), 0) FROM cards) AS card, (SELECT COALESCE(MAX(id), 0) FROM deliveries) AS delivery"
    ).fetchone()
    return Named(
        jobs=tuple({*after.jobs, *(row["id"] for row in jobs)}),
        cards=tuple({*after.cards, *(row["id"] for row in cards)}),
        deliveries=tuple({*after.deliveries, *(row["id"] for row in deliveries)}),
        next_job=first_job_id(now - OVERLAP_MS),
        last_card=newest["card"],
        last_delivery=newest["delivery"],
    )


_RECEIVED_HERE: Final = "json_extract(receipt, '$.place.platform') = ?1 AND json_extract(receipt, '$.place.chat') = ?2"


def move_chat(connection: sqlite3.Connection, move: Move, now: int, found: Named) -> None:
    """Rewrite every row that names the old id; what the new one has already is added to, and its own limits and rules win.

    ``found``: what :func:`find` returned a moment ago. Messages are not taken along: the new chat numbers its own from 1
    (https://core.telegram.org/api/channel#migration), so what an old number names there is somebody else's message. Whoever would edit,
    quote or delete one sends a new one.
    """
    if move.old == move.new:
        return
    found = find(connection, move, now, found)
    _move_jobs(connection, move, found)
    _move_messages(connection, move, found)
    for old, new in move.subjects():
        _move_subject(connection, old, new)
    _move_rules(connection, move)


def _move_jobs(connection: sqlite3.Connection, move: Move, found: Named) -> None:
    """Ended jobs too: what they spent is in the windows that their holds name."""
    (subject, new_subject), (own, new_own) = move.subjects()
    connection.execute(
        "UPDATE jobs SET shown_in = IIF(shown_in = ?1, ?2, shown_in), hold = replace(replace(hold, ?3, ?4), ?5, ?6)"
        " WHERE id IN (SELECT value FROM json_each(?7))",
        (
            subject,
            new_subject,
            json.dumps(subject),
            json.dumps(new_subject),
            json.dumps(own),
            json.dumps(new_own),
            json.dumps(found.jobs),
        ),
    )
    _move_places(connection, move, "jobs", found.jobs)


def _move_messages(connection: sqlite3.Connection, move: Move, found: Named) -> None:
    for table, ids in (("cards", found.cards), ("deliveries", found.deliveries)):
        connection.execute(
            f"UPDATE {table} SET receipt = NULL WHERE id IN (SELECT value FROM json_each(?3)) AND {_RECEIVED_HERE}",
            (move.platform, move.old, json.dumps(ids)),
        )
        _move_places(connection, move, table, ids)


def _move_places(
    connection: sqlite3.Connection, move: Move, table: str, ids: tuple[str, ...] | tuple[int, ...]
) -> None:
    """Edited in place and in order: a delivery finds its card by the very text of its place."""
    (subject, new_subject), _ = move.subjects()
    connection.execute(
        f"UPDATE {table} SET place = json_replace(place, '$.chat', ?1, '$.reply_to', NULL, '$.details.chat_subject',"
        " IIF(json_extract(place, '$.details.chat_subject') = ?2, ?3, json_extract(place, '$.details.chat_subject')))"
        " WHERE id IN (SELECT value FROM json_each(?4))"
        " AND json_extract(place, '$.platform') = ?5 AND json_extract(place, '$.chat') = ?6",
        (move.new, subject, new_subject, json.dumps(ids), move.platform, move.old),
    )


def _move_subject(connection: sqlite3.Connection, old: str, new: str) -> None:
    scopes = "scope IN ('chat', 'role') AND subject = ?"
    connection.execute(
        "INSERT INTO allowances (scope, subject, period, window_start, held, spent)"
        f" SELECT scope, ?, period, window_start, held, spent FROM allowances WHERE {scopes}"
        " ON CONFLICT (scope, subject, period, window_start) DO UPDATE SET held = held + excluded.held, spent = spent + excluded.spent",
        (new, old),
    )
    connection.execute(
        "INSERT INTO limits (scope, subject, period, amount)"
        f" SELECT scope, ?, period, amount FROM limits WHERE {scopes} ON CONFLICT DO NOTHING",
        (new, old),
    )
    for table in ("allowances", "limits"):
        connection.execute(f"DELETE FROM {table} WHERE {scopes}", (old,))


def _move_rules(connection: sqlite3.Connection, move: Move) -> None:
    """A chat without topics is its own only channel."""
    connection.execute(
        "INSERT INTO channels (platform, guild, channel, allowed, at)"
        " SELECT platform, ?3, IIF(channel = guild, ?3, channel), allowed, at FROM channels WHERE platform = ?1 AND guild = ?2"
        " ON CONFLICT DO NOTHING",
        (move.platform, move.old, move.new),
    )
    connection.execute("DELETE FROM channels WHERE platform = ? AND guild = ?", (move.platform, move.old))
