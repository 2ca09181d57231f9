"""Raw updates of a platform, durable before anybody has read them: rows of ``inbox`` whose payload has ``raw``.

Such a row becomes a job like every other command, or is marked by :func:`handled` when it asked for none. Every function runs inside
somebody's transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from core.jobs import InboxRow
from storage.intake import RAW, SENDER, receive_new, with_sender
from storage.rows import inbox_of

Update = tuple[str, Mapping[str, Any]]
"""(update id, payload): ``{"raw": the update, "actor": {"external_id": …}}``."""


def keep(connection: sqlite3.Connection, platform: str, updates: Sequence[Update], now: int) -> list[InboxRow]:
    """Keep updates and return those that are new, in their order; whatever is known already stays as it is."""
    rows = [receive_new(connection, platform, update_id, payload, now) for update_id, payload in updates]
    return [row for row in rows if row is not None]


def unread(connection: sqlite3.Connection, platform: str, most: int, after: int = 0) -> list[InboxRow]:
    """Return a platform's raw updates behind row ``after`` that were neither handled nor became a job, oldest first."""
    rows = connection.execute(
        f"SELECT * FROM inbox WHERE state = 'pending' AND platform = ? AND id > ? AND {RAW} ORDER BY id LIMIT ?",
        (platform, after, most),
    ).fetchall()
    return [with_sender(connection, inbox_of(row)) for row in rows]


def handled(connection: sqlite3.Connection, inbox_ids: Sequence[int]) -> None:
    """They asked for no job, and all that they did ask for is done: their text is erased. What is not pending stays as it is."""
    connection.executemany(
        f"UPDATE inbox SET state = 'accepted', account_id = {SENDER}, payload = '{{}}' WHERE id = ? AND state = 'pending'",
        [(inbox_id,) for inbox_id in inbox_ids],
    )
