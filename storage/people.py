"""Who is who: identities, accounts, settings, tokens and blocks. Every function runs inside somebody's transaction."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from core.errors import NotFound
from core.ids import new_secret_id
from core.jobs import Actor
from core.money import Scope
from storage.rows import dump


def account_of(connection: sqlite3.Connection, platform: str, external_id: str) -> tuple[int, str] | None:
    """Return (identity, account) of whom a platform calls ``external_id``, following merges; None when never seen.

    The one function that resolves an identity to its account.
    """
    row = connection.execute(
        "SELECT i.id, i.account_id, a.merged_into FROM identities AS i JOIN accounts AS a ON a.id = i.account_id"
        " WHERE i.platform = ? AND i.external_id = ?",
        (platform, external_id),
    ).fetchone()
    if row is None:
        return None
    account_id, merged_into = row["account_id"], row["merged_into"]
    for _ in range(16):  # a merge of a merge; the bound guards against a cycle written by hand
        if merged_into is None:
            break
        account_id = merged_into
        merged_into = connection.execute("SELECT merged_into FROM accounts WHERE id = ?", (account_id,)).fetchone()[0]
    return row["id"], account_id


def open_account(
    connection: sqlite3.Connection, platform: str, external_id: str, tombstone: str | None, now: int
) -> tuple[int, str]:
    """Return (identity, account), made now when never seen.

    ``tombstone``: the keyed hash under which a person who used ``forget`` is still known until the month ends. Whoever comes back
    earlier gets the same allowance account again, without anything of what was forgotten.
    """
    known = account_of(connection, platform, external_id)
    if known is not None:
        return known
    if tombstone is not None:
        row = connection.execute(
            "SELECT id, account_id FROM identities WHERE platform = ? AND external_id = ?", (platform, tombstone)
        ).fetchone()
        if row is not None:
            connection.execute("UPDATE identities SET external_id = ? WHERE id = ?", (external_id, row["id"]))
            connection.execute("UPDATE accounts SET forgotten_at = NULL WHERE id = ?", (row["account_id"],))
            return row["id"], row["account_id"]
    account_id = new_secret_id()
    connection.execute("INSERT INTO accounts (id, created_at) VALUES (?, ?)", (account_id, now))
    identity = connection.execute(
        "INSERT INTO identities (platform, external_id, account_id, created_at) VALUES (?, ?, ?, ?) RETURNING id",
        (platform, external_id, account_id, now),
    ).fetchall()[0]["id"]
    return identity, account_id


def set_blocked(connection: sqlite3.Connection, account_id: str, blocked_at: int | None) -> None:
    """Block (a time) or unblock (None). Raises NotFound."""
    if connection.execute("UPDATE accounts SET blocked_at = ? WHERE id = ?", (blocked_at, account_id)).rowcount == 0:
        raise NotFound("no such account")


def subjects_of(actor: Actor, account_id: str) -> list[tuple[Scope, str]]:
    """Return whose allowances count a job of ``actor``."""
    subjects = [(Scope.PERSON, actor.allowance_subject or account_id)]
    if actor.chat:
        subjects.append((Scope.CHAT, actor.chat))
    subjects.extend((Scope.ROLE, role) for role in dict.fromkeys(actor.roles))
    subjects.append((Scope.EVERYBODY, "*"))
    return subjects


def settings_of(connection: sqlite3.Connection, account_id: str) -> dict[str, Any]:
    """Return what the account has set; unset keys are missing."""
    rows = connection.execute("SELECT key, value FROM settings WHERE account_id = ?", (account_id,)).fetchall()
    return {row["key"]: json.loads(row["value"]) for row in rows}


def set_settings(connection: sqlite3.Connection, account_id: str, changes: dict[str, Any]) -> None:
    """Set keys; a value of None forgets the key."""
    for key, value in changes.items():
        if value is None:
            connection.execute("DELETE FROM settings WHERE account_id = ? AND key = ?", (account_id, key))
        else:
            connection.execute(
                "INSERT INTO settings (account_id, key, value) VALUES (?, ?, ?)"
                " ON CONFLICT (account_id, key) DO UPDATE SET value = excluded.value",
                (account_id, key, dump(value)),
            )


def add_token(
    connection: sqlite3.Connection, token_hash: str, kind: str, account_id: str, expires_at: int | None, now: int
) -> None:
    """Keep the hash of a sign-in link's or program's token; the token itself is never stored."""
    connection.execute(
        "INSERT INTO tokens (hash, kind, account_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
        (token_hash, kind, account_id, now, expires_at),
    )


def account_of_token(connection: sqlite3.Connection, token_hash: str, kind: str, now: int) -> str | None:
    """Return the account a live token belongs to, or None."""
    row = connection.execute(
        "SELECT account_id FROM tokens WHERE hash = ? AND kind = ? AND (expires_at IS NULL OR expires_at > ?)",
        (token_hash, kind, now),
    ).fetchone()
    return None if row is None else str(row["account_id"])


def use_signin(connection: sqlite3.Connection, token_hash: str, now: int) -> str | None:
    """Return the account of a sign-in link and use it up; None when it is unknown, used or too old."""
    row = connection.execute(
        "UPDATE tokens SET used_at = ? WHERE hash = ? AND kind = 'signin' AND used_at IS NULL AND expires_at > ? RETURNING account_id",
        (now, token_hash, now),
    ).fetchall()
    return str(row[0]["account_id"]) if row else None


def revoke_tokens(connection: sqlite3.Connection, account_id: str) -> int:
    """Remove every token of an account; returns how many."""
    return connection.execute("DELETE FROM tokens WHERE account_id = ?", (account_id,)).rowcount
