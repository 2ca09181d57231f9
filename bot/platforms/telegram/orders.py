"""Orders from Telegram: from a message that is durable already to a job. The card is posted by its lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bot.commands.making import order_payload
from bot.engine.engine import Engine
from bot.platforms.telegram.wire import Person, Picture, Sound, Spot
from core.attachments import Attachment
from core.errors import BadOption, BadPicture
from core.jobs import Actor, InboxRow, Job, JobKind, Place
from core.media import PICTURE_BYTES

OWN: Final = ":own"
"""Behind the subject of a group: the limit that its own administrators set, beside the operator's."""


class Orders:
    """Takes orders to the engine."""

    def __init__(self, engine: Engine) -> None:
        """All that is decided is decided there."""
        self._engine = engine

    async def take(
        self,
        rows: Sequence[InboxRow],
        actor: Actor,
        place: Place,
        fields: Mapping[str, Any],
        *,
        attachment: Attachment | None = None,
        dedupe_key: str | None = None,
        kind: JobKind = JobKind.CLIP,
        song: Attachment | None = None,
    ) -> Job:
        """Make the job of the first row; the others came with it, as the further pictures of an album. Raises what refuses it.

        ``dedupe_key``: of the order, where it is not the update's number. ``song``: of a film.
        """
        payload = order_payload(
            actor,
            place,
            fields,
            attachment=attachment,
            dedupe_key=dedupe_key,
            more_inbox_ids=[row.id for row in rows[1:]],
            kind=kind,
            song=song,
        )
        job, _ = await self._engine.intake.accept(replace(rows[0], payload=payload), ends_refused=False)
        return job


def attachment_of(pictures: Sequence[Picture]) -> Attachment | None:
    """The pictures as the engine takes them. Raises BadPicture for one that is larger than anybody may send."""
    if not pictures:
        return None
    for each in pictures:
        if each.bytes is not None and each.bytes > PICTURE_BYTES:
            raise BadPicture("image_file", each.name, "up to 20 MB", message_id="error.picture_oversized_plain")
    first, *rest = (
        Attachment(each.name, each.mime, each.bytes, reference={"file_id": each.file_id}) for each in pictures
    )
    return replace(first, more=tuple(rest))


def song_of(sound: Sound | None, most_bytes: int | None) -> Attachment | None:
    """A song as the engine takes it. Raises BadOption above ``most_bytes``, which Telegram does not hand to bots."""
    if sound is None:
        return None
    if most_bytes is not None and sound.bytes is not None and sound.bytes > most_bytes:
        more = {"found": sound.bytes}
        raise BadOption("song_file", sound.name, "up to 20 MB", message_id="error.song_out_of_reach", more=more)
    return Attachment(sound.name, sound.mime, sound.bytes, reference={"file_id": sound.file_id})


def ending(attachment: Attachment | None) -> Attachment:
    """The same pictures, and the clip ends with the last of them. Raises BadOption where nobody sent one."""
    if attachment is None or attachment.frame_of is not None:
        raise BadOption("last_image_file", "", "", message_id="error.ends_without_picture")
    if not attachment.more:
        return replace(attachment, is_last=True)
    *others, end = attachment.more
    return replace(attachment, more=(*others, replace(end, is_last=True)))


def actor_of(person: Person, spot: Spot | None, *, is_admin: bool = False) -> Actor:
    """Who acts, with the subjects of their allowances."""
    chat = None if spot is None else spot.chat
    return Actor(
        platform="telegram",
        external_id=person.external_id,
        chat=chat,
        roles=() if chat is None else (f"{chat}{OWN}",),
        is_admin=is_admin,
    )


def place_of(person: Person, spot: Spot, language: str, *, reply_to: int | None, private: bool = False) -> Place:
    """Where to answer; ``private``: to the person alone, wherever they asked."""
    details: dict[str, Any] = {"user": person.external_id, "name": person.name}
    if private or spot.is_private:
        is_here = spot.is_private
        return Place(
            platform="telegram",
            chat=str(spot.chat_id if is_here else person.id),
            thread=str(spot.thread) if is_here and spot.thread is not None else None,
            reply_to=str(reply_to) if is_here and reply_to is not None else None,
            visibility="only_owner",
            language=language,
            details=details,
        )
    return Place(
        platform="telegram",
        chat=str(spot.chat_id),
        thread=None if spot.thread is None else str(spot.thread),
        reply_to=None if reply_to is None else str(reply_to),
        visibility="public",
        language=language,
        details={**details, "chat_subject": spot.chat},
    )
