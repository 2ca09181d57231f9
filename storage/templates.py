"""Somebody's own templates in SQL."""

from __future__ import annotations

import sqlite3

from core.errors import Conflict, NotFound
from core.templates import MOST_OWN


def own(connection: sqlite3.Connection, account_id: str) -> dict[str, str]:
    """Return the texts of somebody's templates by their names, in alphabetical order."""
    rows = connection.execute(
        "SELECT name, text FROM templates WHERE account_id = ? ORDER BY name", (account_id,)
    ).fetchall()
    return {row["name"]: row["text"] for row in rows}


def save(connection: sqlite3.Connection, account_id: str, name: str, text: str, now: int) -> None:
    """Keep a template; the same name again replaces its text. Raises Conflict when there are too many."""
    known = own(connection, account_id)
    if name not in known and len(known) >= MOST_OWN:
        values = {"most": MOST_OWN}
        raise Conflict("too many templates", message_id="error.too_many_templates", values=values)
    connection.execute(
        "INSERT INTO templates (account_id, name, text, at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (account_id, name) DO UPDATE SET text = excluded.text, at = excluded.at",
        (account_id, name, text, now),
    )


def drop(connection: sqlite3.Connection, account_id: str, name: str) -> None:
    """Forget a template. Raises NotFound."""
    if not connection.execute("DELETE FROM templates WHERE account_id = ? AND name = ?", (account_id, name)).rowcount:
        raise NotFound("no such template", message_id="error.no_template")
