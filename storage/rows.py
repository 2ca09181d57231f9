"""Rows of the database as the values of ``core.jobs``, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from core.attachments import Attachment
from core.capabilities import Applied, Change
from core.jobs import (
    AssetKind,
    Attempt,
    CardRow,
    Clip,
    Delivery,
    Failure,
    InboxRow,
    Job,
    JobKind,
    Place,
    Receipt,
)
from core.money import Hold
from core.requests import Wanted
from core.states import AttemptState, DeliveryState, JobState


def insert(connection: sqlite3.Connection, table: str, values: Mapping[str, object]) -> None:
    """Add a row; ``table`` and the names come from our own files, never from outside."""
    connection.execute(_insert_sql(table, tuple(values)), tuple(values.values()))


@lru_cache(64)
def _insert_sql(table: str, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def dump(value: Any) -> str:
    """JSON, compact and in UTF-8, so that erasing a prompt erases every form of it.

    Half of a surrogate pair, which JSON may carry and UTF-8 may not, becomes a question mark.
    """
    text = _encode(value)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def load(text: str | None) -> Any:
    """The value of a JSON column; None for NULL."""
    return None if text is None else json.loads(text)


def job_of(row: sqlite3.Row) -> Job:
    """A row of ``jobs``."""
    attachment, failure = load(row["attachment"]), load(row["failure"])
    return Job(
        id=row["id"],
        kind=JobKind(row["kind"]),
        account_id=row["account_id"],
        identity_id=row["identity_id"],
        place=Place.from_json(json.loads(row["place"])),
        state=JobState(row["state"]),
        version=row["version"],
        wanted=Wanted.from_json(json.loads(row["wanted"])),
        applied=Applied.from_json(json.loads(row["applied"])),
        price=row["price"],
        hold=Hold.from_json(json.loads(row["hold"])),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        provider_named=bool(row["provider_named"]),
        parent_id=row["parent_id"],
        origin_id=row["origin_id"],
        position=row["position"],
        chosen=bool(row["chosen"]),
        unit=row["unit"],
        session_id=row["session_id"],
        attachment=None if attachment is None else Attachment.from_json(attachment),
        changed=tuple(Change(c["message_id"], c["values"]) for c in json.loads(row["changed"])),
        charged=row["charged"],
        true_cost=row["true_cost"],
        cancel_wish=row["cancel_wish"],
        failure=None if failure is None else Failure(failure["code"], failure["message_id"], failure["values"]),
        progress=row["progress"],
        note=row["note"],
        attempt_id=row["attempt_id"],
        attempts=row["attempts"],
        retries=row["retries"],
        due_at=row["due_at"],
        deadline=row["deadline"],
        not_before=row["not_before"],
        queued_at=row["queued_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        clip_id=row["clip_id"],
        hidden=bool(row["hidden"]),
    )


def dump_changes(changed: tuple[Change, ...]) -> str:
    """The ``changed`` column."""
    return dump([{"message_id": c.message_id, "values": c.values} for c in changed])


def attempt_of(row: sqlite3.Row) -> Attempt:
    """A row of ``attempts``."""
    return Attempt(
        id=row["id"],
        job_id=row["job_id"],
        number=row["number"],
        applied=Applied.from_json(json.loads(row["applied"])),
        state=AttemptState(row["state"]),
        intent_at=row["intent_at"],
        ticket=load(row["ticket"]),
        ticket_at=row["ticket_at"],
        ended_at=row["ended_at"],
    )


def clip_of(row: sqlite3.Row) -> Clip:
    """A row of ``clips``."""
    return Clip(
        id=row["id"],
        kind=AssetKind(row["kind"]),
        account_id=row["account_id"],
        job_id=row["job_id"],
        key=row["key"],
        mime=row["mime"],
        bytes=row["bytes"],
        sha256=row["sha256"],
        created_at=row["created_at"],
        width=row["width"],
        height=row["height"],
        seconds=row["seconds"],
        poster_key=row["poster_key"],
    )


def insert_clip(connection: sqlite3.Connection, clip: Clip) -> None:
    """Add a row of ``clips``; the file exists already."""
    names = (
        "id",
        "account_id",
        "job_id",
        "key",
        "poster_key",
        "mime",
        "bytes",
        "sha256",
        "width",
        "height",
        "seconds",
        "created_at",
    )
    insert(connection, "clips", {"kind": clip.kind.value} | {name: getattr(clip, name) for name in names})


def card_of(row: sqlite3.Row) -> CardRow:
    """A row of ``cards``."""
    receipt = load(row["receipt"])
    return CardRow(
        id=row["id"],
        job_id=row["job_id"],
        place=Place.from_json(json.loads(row["place"])),
        receipt=None if receipt is None else Receipt.from_json(receipt),
        shown_hash=row["shown_hash"],
        next_edit_at=row["next_edit_at"],
        closed=bool(row["closed"]),
        failures=row["failures"],
    )


def delivery_of(row: sqlite3.Row) -> Delivery:
    """A row of ``deliveries``."""
    receipt = load(row["receipt"])
    return Delivery(
        id=row["id"],
        job_id=row["job_id"],
        clip_id=row["clip_id"],
        place=Place.from_json(json.loads(row["place"])),
        state=DeliveryState(row["state"]),
        tries=row["tries"],
        due_at=row["due_at"],
        receipt=None if receipt is None else Receipt.from_json(receipt),
        error_code=row["error_code"],
    )


def inbox_of(row: sqlite3.Row) -> InboxRow:
    """A row of ``inbox``."""
    return InboxRow(
        id=row["id"],
        platform=row["platform"],
        update_id=row["update_id"],
        payload=json.loads(row["payload"]),
        state=row["state"],
        job_id=row["job_id"],
        failure=load(row["failure"]),
        received_at=row["received_at"],
    )
