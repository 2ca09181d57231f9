"""What "forget" and "export" do to one account's rows."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Final

from core.errors import Conflict
from storage.intake import LIVE_JOBS, RAW
from storage.library import uploads
from storage.people import settings_of


def live_jobs(connection: sqlite3.Connection, account_id: str) -> list[str]:
    """Return the ids of the account's jobs that have not ended."""
    rows = connection.execute(f"SELECT id FROM jobs WHERE account_id = ? AND {LIVE_JOBS}", (account_id,)).fetchall()
    return [row["id"] for row in rows]


def forget(
    connection: sqlite3.Connection, account_id: str, tombstones: dict[int, str], now: int
) -> tuple[list[str], int, int]:
    """Erase everything of an account but its ledger lines; returns (keys of files to delete, jobs erased, clips erased).

    Its random account id is the pseudonym under which the ledger, this month's allowance and what operators did go on; nothing else says
    who it was, and what operators wrote about it goes.
    ``tombstones``: a keyed hash for each identity (see ``people.open_account``). Raises Conflict while a job lives: one that was ordered
    while the others were being cancelled would be erased with its hold.
    """
    if live_jobs(connection, account_id):
        raise Conflict("a job is still live", message_id="error.still_live")
    keys: list[str] = []
    clips = 0
    for row in connection.execute(
        "SELECT kind, key, poster_key FROM clips WHERE account_id = ?", (account_id,)
    ).fetchall():
        keys += [key for key in (row["key"], row["poster_key"]) if key]
        clips += row["kind"] == "clip"
    # Pictures as they came: here those of jobs that ended before they were prepared, below those of commands not yet understood.
    attachments = connection.execute(
        "SELECT attachment FROM jobs WHERE account_id = ?1 AND attachment IS NOT NULL"
        " UNION ALL SELECT json_extract(plan, '$.picture') FROM films JOIN jobs ON id = job_id WHERE account_id = ?1"
        " UNION ALL SELECT json_extract(plan, '$.song') FROM films JOIN jobs ON id = job_id WHERE account_id = ?1",
        (account_id,),
    ).fetchall()
    statements = (
        "DELETE FROM cards WHERE job_id IN (SELECT id FROM jobs WHERE account_id = ?)",
        "DELETE FROM deliveries WHERE job_id IN (SELECT id FROM jobs WHERE account_id = ?)",
        "DELETE FROM events WHERE job_id IN (SELECT id FROM jobs WHERE account_id = ?)",
        "DELETE FROM attempts WHERE job_id IN (SELECT id FROM jobs WHERE account_id = ?)",
        "DELETE FROM favourites WHERE account_id = ?",
        "DELETE FROM favourites WHERE clip_id IN (SELECT id FROM clips WHERE account_id = ?)",
        "DELETE FROM characters WHERE account_id = ?",
        "DELETE FROM templates WHERE account_id = ?",
        "DELETE FROM films WHERE job_id IN (SELECT id FROM jobs WHERE account_id = ?)",
        "DELETE FROM clips WHERE account_id = ?",
        "DELETE FROM inbox WHERE account_id = ?",
        "DELETE FROM settings WHERE account_id = ?",
        "DELETE FROM tokens WHERE account_id = ?",
        "UPDATE jobs SET parent_id = NULL WHERE account_id = ?",
        "UPDATE ledger SET note = NULL WHERE note IS NOT NULL AND account_id = ?",
    )
    for statement in statements:
        connection.execute(statement, (account_id,))
    connection.execute(
        "UPDATE audit SET details = json_remove(json_replace(details, '$.who', ?1), '$.note')"
        " WHERE json_extract(details, '$.account') = ?1",
        (account_id,),
    )
    for row in connection.execute(
        "SELECT id, platform, external_id FROM identities WHERE account_id = ?", (account_id,)
    ).fetchall():
        connection.execute(  # a row that is in hand keeps its number: the next one would get it, and be taken for this one
            f"UPDATE inbox SET state = 'accepted', payload = '{{}}' WHERE state = 'pending' AND {RAW}"
            " AND platform = ? AND json_extract(payload, '$.actor.external_id') = ?",
            (row["platform"], row["external_id"]),
        )
        attachments += connection.execute(
            "DELETE FROM inbox WHERE platform = ? AND json_extract(payload, '$.actor.external_id') = ?"
            " RETURNING json_extract(payload, '$.attachment') AS attachment, json_extract(payload, '$.song') AS song",
            (row["platform"], row["external_id"]),
        ).fetchall()
        connection.execute(
            "UPDATE audit SET actor = ? WHERE actor = ?", (account_id, f"{row['platform']}:{row['external_id']}")
        )
        _forget_messages(connection, row["platform"], row["external_id"])
        connection.execute("UPDATE identities SET external_id = ? WHERE id = ?", (tombstones[row["id"]], row["id"]))
    jobs = connection.execute("DELETE FROM jobs WHERE account_id = ?", (account_id,)).rowcount
    connection.execute("UPDATE accounts SET forgotten_at = ? WHERE id = ?", (now, account_id))
    connection.execute("INSERT OR REPLACE INTO erasures (account_id, at) VALUES (?, ?)", (account_id, now))
    uploaded = [text for row in attachments for text in tuple(row)]
    return keys + [key for text in uploaded for key in uploads(text)], jobs, clips


_NAMES: Final = (
    "platform = ?1 AND (instr(place, ?2) OR instr(receipt, ?2)) AND ?2 IN"
    " (json_extract(place, '$.details.user'), json_extract(receipt, '$.place.details.user'), json_extract(receipt, '$.place.chat'))"
)
"""Messages with a clip that were sent for whom the platform ``?1`` calls ``?2``; instr spares most rows the reading of their JSON."""


def _forget_messages(connection: sqlite3.Connection, platform: str, external_id: str) -> None:
    """Of other people's clips that were shown to somebody: what went to them alone goes, what stands in a chat loses the name."""
    who = (platform, external_id)
    connection.execute(
        f"DELETE FROM deliveries WHERE {_NAMES} AND"
        " (json_extract(place, '$.visibility') = 'only_owner' OR json_extract(receipt, '$.place.chat') = ?2)",
        who,
    )
    connection.execute(
        "UPDATE deliveries SET place = json_remove(place, '$.details.user', '$.details.name'),"
        f" receipt = json_remove(receipt, '$.place.details.user', '$.place.details.name') WHERE {_NAMES}",
        who,
    )


def is_named(connection: sqlite3.Connection, platform: str, external_id: str) -> bool:
    """Return whether anything that is kept says ``external_id``, besides what is being done for them now."""
    row = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM identities WHERE platform = ?1 AND external_id = ?2)"
        f" OR EXISTS (SELECT 1 FROM deliveries WHERE {_NAMES})"
        " OR EXISTS (SELECT 1 FROM audit WHERE actor = ?1 || ':' || ?2)"
        " OR EXISTS (SELECT 1 FROM inbox WHERE platform = ?1 AND state <> 'pending'"
        " AND json_extract(payload, '$.actor.external_id') = ?2)",
        (platform, external_id),
    ).fetchone()
    return bool(row[0])


def traces_left(connection: sqlite3.Connection) -> dict[str, int]:
    """Return whom ``forget`` erased, and when (UTC ms), without that the database file was rewritten since."""
    return {
        row["account_id"]: row["at"] for row in connection.execute("SELECT account_id, at FROM erasures").fetchall()
    }


def traces_erased(connection: sqlite3.Connection, of: dict[str, int]) -> None:
    """The file was rewritten after what ``traces_left`` returned; whoever was forgotten once more since then stays noted."""
    for account_id, at in of.items():
        connection.execute("DELETE FROM erasures WHERE account_id = ? AND at = ?", (account_id, at))


def identities(connection: sqlite3.Connection, account_id: str) -> list[tuple[int, str, str]]:
    """Return (id, platform, external id) of everybody this account is known as."""
    rows = connection.execute(
        "SELECT id, platform, external_id FROM identities WHERE account_id = ?", (account_id,)
    ).fetchall()
    return [(row["id"], row["platform"], row["external_id"]) for row in rows]


def drop_tombstones(connection: sqlite3.Connection, before: int) -> int:
    """Remove the keyed hashes of people who were forgotten before ``before``; returns how many."""
    return connection.execute(
        "UPDATE identities SET external_id = 'gone:' || hex(randomblob(16)) WHERE external_id LIKE 'forgotten:%'"
        " AND account_id IN (SELECT id FROM accounts WHERE forgotten_at < ?)",
        (before,),
    ).rowcount


def export(connection: sqlite3.Connection, account_id: str) -> dict[str, list[dict[str, Any]] | dict[str, Any]]:
    """Return everything that is kept about an account, in plain JSON; files are named by their clip ids."""

    def rows(sql: str, columns_of_json: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        found = [dict(row) for row in connection.execute(sql, (account_id,)).fetchall()]
        for row in found:
            for name in columns_of_json:
                row[name] = None if row[name] is None else json.loads(row[name])
        return found

    of_mine = "job_id IN (SELECT id FROM jobs WHERE account_id = ?)"
    return {
        "account": rows("SELECT id, created_at, granted, blocked_at FROM accounts WHERE id = ?"),
        "commands": rows("SELECT platform, received_at, state, payload FROM inbox WHERE account_id = ?", ("payload",)),
        "attempts": rows(
            f"SELECT job_id, number, provider, model, applied, state, intent_at, ended_at, error_code FROM attempts WHERE {of_mine}",
            ("applied",),
        ),
        "events": rows(f"SELECT job_id, at, hop, note FROM events WHERE {of_mine} ORDER BY job_id, seq"),
        "deliveries": rows(
            f"SELECT job_id, platform, state, created_at, ended_at, error_code FROM deliveries WHERE {of_mine} ORDER BY id"
        ),
        "jobs": rows(
            "SELECT id, kind, state, provider, model, wanted, applied, changed, failure, price, charged, created_at,"
            " started_at, finished_at, clip_id, session_id, origin_id, parent_id, position, chosen"
            " FROM jobs WHERE account_id = ? AND hidden = 0 ORDER BY id",
            ("wanted", "applied", "changed", "failure"),
        ),
        "films": rows(f"SELECT job_id, plan FROM films WHERE {of_mine}", ("plan",)),
        "characters": rows(
            "SELECT id, description, clip_id, created_at, used_at FROM characters WHERE account_id = ? ORDER BY created_at"
        ),
        "templates": rows("SELECT name, text, at FROM templates WHERE account_id = ? ORDER BY name"),
        "ledger": rows(
            "SELECT at, kind, amount, from_grants, job_id, note FROM ledger WHERE account_id = ? ORDER BY id"
        ),
        "clips": rows(
            "SELECT id, kind, job_id, key, mime, bytes, sha256, width, height, seconds, created_at"
            " FROM clips WHERE account_id = ?"
        ),
        "platform_files": rows(
            "SELECT platform, clip_id, variant FROM platform_files WHERE clip_id IN (SELECT id FROM clips WHERE account_id = ?)"
        ),
        "favourites": rows("SELECT clip_id, at FROM favourites WHERE account_id = ?"),
        "identities": rows("SELECT platform, external_id, created_at FROM identities WHERE account_id = ?"),
        "settings": settings_of(connection, account_id),
    }
