"""The verbs that order, look at and end clips: video, animate, jobs, cancel, resend, gallery."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from bot.engine.engine import Engine
from bot.engine.words import Words
from core.attachments import Attachment
from core.capabilities import Change
from core.cards import Message
from core.ids import new_secret_id
from core.jobs import Actor, Job, JobKind, Place, Receipt

FIELDS: Final[Mapping[JobKind, tuple[str, ...]]] = {JobKind.CLIP: (
    "prompt", "line", "negative_prompt", "aspect_ratio", "resolution", "duration", "seed", "generate_audio", "person_generation",
    "provider", "model", "session_id", "parent_id", "reuse_image_of", "extend_of", "join", "variations",
    "template", "fill",
), JobKind.FILM: (
    "idea", "prompt", "scenes", "character", "title", "music", "transition", "clip_sound", "fit_to_song", "video_rules_template",
    "negative_prompt", "aspect_ratio", "resolution", "duration", "seed", "generate_audio", "person_generation", "provider", "model",
    "session_id", "template", "fill",
), JobKind.SCRIPT: ("idea", "character", "scenes", "session_id"), JobKind.PICTURE: ("character", "session_id"), JobKind.MERGE: (
    "video_ids", "title", "music", "transition", "clip_sound", "fit_to_song", "session_id",
)}  # fmt: skip
"""Fields of an order; a field that no surface knows is left out before the command is stored."""


async def order(
    engine: Engine,
    actor: Actor,
    place: Place,
    fields: Mapping[str, Any],
    *,
    attachment: Attachment | None = None,
    picture_sha256: str | None = None,
    update_id: str | None = None,
    receipt: Receipt | None = None,
    received: Callable[[], Awaitable[None]] | None = None,
    answers: bool = False,
    kind: JobKind = JobKind.CLIP,
    song: Attachment | None = None,
    unit: str | None = None,
) -> tuple[Job, bool]:
    """Order a clip, or a job of another kind, durably; returns (job, is new). ``song``: of a film. ``unit``: see ``Job``.

    ``fields`` as in docs/reference/http.md, with ``idempotency_key``; ``update_id`` is the platform's own number of the
    command where it has one. ``receipt``: the message that will show the job, where it is known before the job is (the page is its own).
    ``answers``: the caller answers the command at once and tells the store by which message (``acknowledged``); else the card is posted.
    ``received`` is awaited once the command is durable. Raises RequestError kinds.
    """
    key = fields.get("idempotency_key")
    payload = order_payload(actor, place, fields, attachment=attachment, dedupe_key=key, kind=kind, song=song)
    payload |= {
        "picture_sha256": picture_sha256,
        "receipt": None if receipt is None else receipt.as_json(),
        "answers": answers,
        "unit": unit,
    }
    return await engine.intake.take(actor.platform, update_id or new_secret_id(), payload, received)


def order_payload(
    actor: Actor,
    place: Place,
    fields: Mapping[str, Any],
    *,
    attachment: Attachment | None = None,
    dedupe_key: Any = None,
    more_inbox_ids: Sequence[int] = (),
    kind: JobKind = JobKind.CLIP,
    song: Attachment | None = None,
) -> dict[str, Any]:
    """Return a command as the inbox keeps it and ``Intake.accept`` reads it. ``more_inbox_ids``: further rows that it came in."""
    return {
        "actor": asdict(actor),
        "place": place.as_json(),
        "kind": kind.value,
        "fields": {name: fields[name] for name in FIELDS[kind] if fields.get(name) not in (None, "")},
        "attachment": None if attachment is None else attachment.as_json(),
        "song": None if song is None else song.as_json(),
        "dedupe_key": dedupe_key,
        "more_inbox_ids": list(more_inbox_ids),
    }


def said_changes(changed: tuple[Change, ...], words: Words) -> list[str]:
    """Adjustments in words."""
    return [words.text(Message(change.message_id, change.values)) for change in changed]
