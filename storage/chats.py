"""What belongs to a chat rather than to a person: where it wants clips, and what was posted in it. Inside somebody's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from storage.views import JobRow, row_of

POSTED = "shown_in = ? AND shown_in IS NOT NULL AND clip_id IS NOT NULL AND hidden = 0"
"""The condition of the index ``jobs_of_chat``, word for word; the value is a chat."""


def set_channel(
    connection: sqlite3.Connection, platform: str, guild: str, channel: str, *, allowed: bool, now: int
) -> None:
    """Allow or deny a channel."""
    connection.execute(
        "INSERT INTO channels (platform, guild, channel, allowed, at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (platform, guild, channel) DO UPDATE SET allowed = excluded.allowed, at = excluded.at",
        (platform, guild, channel, int(allowed), now),
    )


def is_allowed(connection: sqlite3.Connection, platform: str, guild: str, channels: Sequence[str]) -> bool:
    """Whether clips may be made in the first of ``channels``; the others are what it lies in (a thread's channel)."""
    rows = connection.execute(
        "SELECT channel, allowed FROM channels WHERE platform = ? AND guild = ?", (platform, guild)
    ).fetchall()
    rules = {row["channel"]: bool(row["allowed"]) for row in rows}
    for channel in channels:
        if channel in rules:
            return rules[channel]
    return not any(rules.values())


def posted(
    connection: sqlite3.Connection, chat: str, most: int, before: str | None, *, with_nsfw: bool
) -> list[JobRow]:
    """Return the clips that were made publicly in a chat, newest first; those of age-restricted channels only with ``with_nsfw``."""
    where, values = [POSTED], [chat]
    if before is not None:
        where.append("id < ?")
        values.append(before)
    if not with_nsfw:
        where.append("COALESCE(json_extract(place, '$.details.nsfw'), 0) = 0")
    rows = connection.execute(
        f"SELECT * FROM jobs WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?", (*values, most)
    ).fetchall()
    return [row_of(connection, row) for row in rows]


def figures(connection: sqlite3.Connection, chat: str) -> tuple[int, int]:
    """Return (clips posted in a chat, credits charged for them)."""
    row = connection.execute(
        f"SELECT COUNT(*) AS n, COALESCE(SUM(charged), 0) AS credits FROM jobs WHERE {POSTED}", (chat,)
    ).fetchone()
    return int(row["n"]), int(row["credits"])


def remember(connection: sqlite3.Connection, platform: str, name: str, value: str) -> None:
    """Keep a note of a platform adapter's own."""
    connection.execute(
        "INSERT INTO platform_notes (platform, name, value) VALUES (?, ?, ?)"
        " ON CONFLICT (platform, name) DO UPDATE SET value = excluded.value",
        (platform, name, value),
    )


def remembered(connection: sqlite3.Connection, platform: str, name: str) -> str | None:
    """Return such a note, or None."""
    row = connection.execute(
        "SELECT value FROM platform_notes WHERE platform = ? AND name = ?", (platform, name)
    ).fetchone()
    return None if row is None else str(row["value"])
