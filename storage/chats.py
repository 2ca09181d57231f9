"""What belongs to a chat rather than to a person: where it wants clips, and what was posted in it. Inside somebody's transaction."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from storage.views import JobRow, row_of

KEPT_GUILDS: Final = 10_000
"""Guilds whose rules are kept in memory; beyond, all are read again."""
Rules = Mapping[str, bool]
"""Channels that a guild's managers have named, and whether clips may be made there."""

POSTED = "shown_in = ? AND shown_in IS NOT NULL AND clip_id IS NOT NULL AND hidden = 0"
"""The condition of the index ``jobs_of_chat``, word for word; the value is a chat."""


def set_channel(
    connection: sqlite3.Connection, platform: str, guild: str, channel: str, *, allowed: bool | None, now: int
) -> None:
    """Allow or deny a channel; None: nothing is said about it any more, and it is as the guild's others are."""
    if allowed is None:
        connection.execute(
            "DELETE FROM channels WHERE platform = ? AND guild = ? AND channel = ?", (platform, guild, channel)
        )
        return
    connection.execute(
        "INSERT INTO channels (platform, guild, channel, allowed, at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (platform, guild, channel) DO UPDATE SET allowed = excluded.allowed, at = excluded.at",
        (platform, guild, channel, int(allowed), now),
    )


def rules_of(connection: sqlite3.Connection, platform: str, guild: str) -> dict[str, bool]:
    """What a guild's managers have said about its channels."""
    sql = "SELECT channel, allowed FROM channels WHERE platform = ? AND guild = ?"
    return {row["channel"]: bool(row["allowed"]) for row in connection.execute(sql, (platform, guild)).fetchall()}


def is_allowed(rules: Rules, channels: Sequence[str]) -> bool:
    """Whether clips may be made in the first of ``channels``; the others are what it lies in (a thread's channel)."""
    for channel in channels:
        if channel in rules:
            return rules[channel]
    return not any(rules.values())


class KeptRules:
    """The rules of guilds, each read once: every order asks for them before it is acknowledged, thousands at the same moment."""

    def __init__(self, read: Callable[[str, str], Awaitable[Rules]]) -> None:
        """``read(platform, guild)``: from the database."""
        self._read = read
        self._kept: dict[tuple[str, str], asyncio.Future[Rules]] = {}

    async def of(self, platform: str, guild: str) -> Rules:
        """The rules; whoever asks while they are read waits for the same reading."""
        key = (platform, guild)
        found = self._kept.get(key)
        if found is None or (found.done() and (found.cancelled() or found.exception() is not None)):
            if len(self._kept) >= KEPT_GUILDS:
                self._kept.clear()
            found = self._kept[key] = asyncio.ensure_future(self._read(platform, guild))
        return await asyncio.shield(found)

    def forget(self, platform: str, guild: str) -> None:
        """They were changed: whoever asks from now on reads them anew."""
        self._kept.pop((platform, guild), None)


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
