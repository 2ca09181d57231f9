"""What only an operator asks of the store. Every change and its line in the audit trail are one transaction; no change, no line."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from core.audit import Doing
from core.errors import NotFound
from core.money import Period, Scope
from storage import chats, health, house, people, quota
from storage.rows import dump
from storage.store import SqliteStore

T = TypeVar("T")
Work = Callable[[sqlite3.Connection, int], T]


class OperatorStore:
    """The operator's side of a store. Raises the errors of ``core.errors``."""

    def __init__(self, store: SqliteStore, now: Callable[[], int]) -> None:
        """``now``: UTC milliseconds."""
        self._store, self._now = store, now

    async def write_down(self, doing: Doing) -> None:
        """Note something whose effect is not a row of ours, such as a backup."""
        now = self._now()
        await self._store.database.write(lambda c: house.audit(c, doing.actor, doing.verb, doing.details, now))

    async def set_channel(self, doing: Doing, platform: str, guild: str, channel: str, *, allowed: bool | None) -> None:
        """Allow or deny clips in a channel, or take back what was said about it (None)."""
        await self._do(doing, lambda c, now: chats.set_channel(c, platform, guild, channel, allowed=allowed, now=now))
        self._store.channel_rules.forget(platform, guild)

    async def _do(self, doing: Doing, work: Work[T]) -> T:
        now = self._now()

        def both(connection: sqlite3.Connection) -> T:
            before = connection.total_changes
            value = work(connection, now)
            if connection.total_changes > before:
                house.audit(connection, doing.actor, doing.verb, doing.details, now)
            return value

        return await self._store.database.write(both)

    # ------------------------------------------------------------------------------------------------------------------- people

    async def identities(self, account_id: str) -> list[str] | None:
        """Whom an account belongs to, as ``platform:external id``; None when there is no such account or it was forgotten."""

        def work(connection: sqlite3.Connection) -> list[str] | None:
            sql = "SELECT forgotten_at FROM accounts WHERE id = ?"
            row = connection.execute(sql, (account_id,)).fetchone()
            if row is None or row["forgotten_at"] is not None:
                return None
            sql = "SELECT platform, external_id FROM identities WHERE account_id = ? ORDER BY id"
            return [
                f"{row['platform']}:{row['external_id']}" for row in connection.execute(sql, (account_id,)).fetchall()
            ]

        return await self._store.database.read(work)

    async def grant(self, doing: Doing, account_id: str, credits: int, note: str) -> int:
        """Give (or, below zero, take back unused) credits; returns the balance."""
        return await self._do(doing, lambda c, now: quota.grant(c, account_id, credits, note, now))

    async def set_blocked(self, doing: Doing, account_id: str, *, blocked: bool) -> None:
        """Block or unblock, unless it is so already. Raises NotFound."""

        def work(connection: sqlite3.Connection, now: int) -> None:
            row = connection.execute("SELECT blocked_at FROM accounts WHERE id = ?", (account_id,)).fetchone()
            if row is None or (row["blocked_at"] is not None) != blocked:
                people.set_blocked(connection, account_id, now if blocked else None)

        await self._do(doing, work)

    async def add_token(
        self, doing: Doing, token_hash: str, kind: str, account_id: str, expires_at: int | None
    ) -> None:
        """Keep the hash of a token of ``kind`` api or signin."""
        await self._do(doing, lambda c, now: people.add_token(c, token_hash, kind, account_id, expires_at, now))

    async def revoke_tokens(self, doing: Doing, account_id: str) -> int:
        """Remove every token and unused sign-in link of an account; returns how many."""
        return await self._do(doing, lambda c, _: people.revoke_tokens(c, account_id))

    # -------------------------------------------------------------------------------------------------------------------- money

    async def set_limit(
        self, doing: Doing, scope: Scope, subject: str, period: Period, amount: int | None, *, unset: bool
    ) -> None:
        """Set a limit (None: unlimited), or with ``unset`` let the configured default apply again."""
        await self._do(doing, lambda c, _: quota.set_limit(c, scope, subject, period, amount, unset=unset))

    async def limits(self) -> list[dict[str, Any]]:
        """Every limit that an operator has set; ``amount`` None means unlimited, ``who`` is as whom a person's account is known."""
        return await self._rows(
            "SELECT scope, subject, period, amount, (SELECT platform || ':' || external_id FROM identities"
            " JOIN accounts ON accounts.id = account_id WHERE scope = 'person' AND account_id = subject AND forgotten_at IS NULL"
            " ORDER BY identities.id LIMIT 1) AS who FROM limits ORDER BY scope, subject, period"
        )

    # --------------------------------------------------------------------------------------------------------- generators, intake

    async def pause(self, doing: Doing, names: list[str], reason: str) -> None:
        """Pause generators (``*``: intake) until somebody resumes them."""

        def work(connection: sqlite3.Connection, now: int) -> None:
            for name in names:
                house.pause(connection, name, None, reason, now)

        await self._do(doing, work)

    async def resume(self, doing: Doing, names: list[str]) -> list[str]:
        """End pauses of any kind, and the alerts that a generator's own fault had raised; returns what had been paused."""

        def work(connection: sqlite3.Connection, now: int) -> list[str]:
            ended = [name for name in names if house.resume(connection, name) | health.forget(connection, name, now)]
            for name in names:  # the causes are "CODE generator", see bot/engine/runner.py
                connection.execute("DELETE FROM alerts WHERE substr(cause, -?) = ?", (len(name) + 1, f" {name}"))
            return ended

        return await self._do(doing, work)

    async def choose_default(self, doing: Doing, provider: str | None) -> None:
        """Make a generator the default one whatever the settings say; None: as they say."""
        await self._do(doing, lambda c, now: health.choose(c, health.DEFAULT_PROVIDER, provider, now))

    # ------------------------------------------------------------------------------------------------------------------ looking

    async def jobs(self, *, states: list[str], account_id: str | None, limit: int) -> list[dict[str, Any]]:
        """Jobs of everybody, newest first, without a word of any prompt. ``states`` empty: all of them."""
        where, values = ["1"], []
        if states:
            where.append(f"state IN ({', '.join('?' * len(states))})")
            values += states
        if account_id is not None:
            where.append("jobs.account_id = ?")
            values.append(account_id)
        rows = await self._rows(
            "SELECT jobs.id, state, provider, model, price, charged, progress, attempts, cancel_wish, failure, jobs.created_at, updated_at,"
            " finished_at, jobs.account_id, platform, external_id FROM jobs LEFT JOIN identities ON identities.id = identity_id"
            f" WHERE {' AND '.join(where)} ORDER BY jobs.created_at DESC, jobs.id DESC LIMIT ?",
            *values,
            limit,
        )
        for row in rows:
            failure = row.pop("failure")
            row["error_code"] = None if failure is None else json.loads(failure).get("code")
            row["who"] = f"{row.pop('platform')}:{row.pop('external_id')}"
        return rows

    async def audit_trail(self, limit: int) -> list[dict[str, Any]]:
        """What operators did, newest first."""
        rows = await self._rows("SELECT at, actor, verb, details FROM audit ORDER BY id DESC LIMIT ?", limit)
        return [{**row, "details": json.loads(row["details"])} for row in rows]

    async def clear_alert(self, doing: Doing, cause: str) -> None:
        """Take an alert off the list. Raises NotFound."""

        def work(connection: sqlite3.Connection, _now: int) -> None:
            if not house.clear_alert(connection, cause):
                raise NotFound(f"there is no alert {cause!r}")

        await self._do(doing, work)

    async def _rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        return await self._store.database.read(lambda c: [dict(row) for row in c.execute(sql, values).fetchall()])


def waiting_elsewhere(connection: sqlite3.Connection, unpaid: list[str], reason: str, now: int) -> dict[str, int]:
    """Pause every generator but ``unpaid`` for which jobs wait in this copy of a database; returns how many wait for each.

    After the copy was made they may have been submitted, so they must not be submitted again before an operator has looked.
    """
    marks = ", ".join("?" * len(unpaid))
    rows = connection.execute(
        "SELECT provider, COUNT(*) AS n FROM jobs WHERE state IN ('preparing', 'queued') AND kind = 'clip'"
        f" AND provider NOT IN ({marks}) GROUP BY provider",
        unpaid,
    ).fetchall()
    found = {str(row[0]): int(row[1]) for row in rows}
    for provider in found:
        house.pause(connection, provider, None, reason, now)
    return found


def note_restore(connection: sqlite3.Connection, actor: str, details: dict[str, Any], now: int) -> None:
    """Write into a restored copy that it is one."""
    connection.execute(
        "INSERT INTO audit (at, actor, verb, details) VALUES (?, ?, 'restore', ?)", (now, actor, dump(details))
    )
