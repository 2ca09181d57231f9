"""Messages as programs write them: what a body must look like, and what becomes of it (resources/message.mdx)."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image, UnidentifiedImageError

from tests.lab.discord import layout
from tests.lab.discord.mentions import mention
from tests.lab.discord.refusal import Refusal, wrong
from tests.lab.discord.uploads import MOST_FILES, Upload
from tests.lab.discord.world import LOADING, V2, Attachment, Channel, Message, World

Json = dict[str, Any]
TEXT, EMBEDS = 2000, 6000
IN_EMBEDS: Final = {"image/jpeg", "image/png", "image/webp", "image/gif"}
EXCLUSIVE: Final = ("content", "embeds", "poll", "sticker_ids")
"""What a message laid out by components cannot have."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What depends on the way in."""

    flags: int
    """Flags that may be set here."""
    file_bytes: int
    """Most bytes of one file."""
    request_bytes: int | None = None
    """Most bytes of all files of a request, if there is such a limit."""


def write(world: World, message: Message, body: Json, files: dict[int, Upload], rules: Rules, *, new: bool) -> None:
    """Check a body and make ``message`` what it says. Nothing is changed when it is refused. Raises Refusal."""
    flags = _flags(message, body, rules, new=new)
    v2 = bool(flags & V2)
    _check_texts(message, body, v2=v2, new=new)
    _check_sizes(files, rules, world.upload_cap)
    attachments = _attachments(world, message, body, files, new=new)
    components = body.get("components")
    media = layout.Media(attachments, world.ids)
    built = message.components
    known = {None, *(each.id for each in attachments)}
    if components is not None:
        layout.check(components, v2=v2)
        built = layout.build(components, media)
    elif any(each.get("attachment_id") not in known for each in layout.shown(built)):
        raise wrong("attachments", "the components still show a file that the edit drops", "ATTACHMENT_IN_USE")
    embeds = message.embeds if body.get("embeds") is None else _embeds(body["embeds"], media)
    if "embeds" in body and body["embeds"] is None:
        embeds = []
    content = (body["content"] or "") if "content" in body else message.content
    if not (content.strip() or embeds or built or attachments or body.get("poll") or body.get("sticker_ids")):
        raise Refusal(50006)
    if v2 and not built:
        raise wrong("components", "a message with IS_COMPONENTS_V2 needs components", "BASE_TYPE_REQUIRED")
    mention(world, message, body, content, built)
    message.flags, message.content, message.embeds = flags & ~LOADING, content, embeds
    message.components, message.attachments = built, attachments
    for each in attachments:
        world.attachments[each.id] = each


def _flags(message: Message, body: Json, rules: Rules, *, new: bool) -> int:
    asked = body.get("flags")
    if asked is None:
        return message.flags
    if asked & ~rules.flags:
        raise wrong("flags", f"{asked & ~rules.flags} cannot be set here", "MESSAGE_FLAGS_INVALID")
    if message.is_v2 and not asked & V2:
        raise wrong("flags", "IS_COMPONENTS_V2 cannot be removed", "MESSAGE_COMPONENTS_V2_IRREVERSIBLE")
    settable = rules.flags
    return int(asked | (message.flags & ~settable)) if not new else int(asked | message.flags)


def _check_texts(message: Message, body: Json, *, v2: bool, new: bool) -> None:
    content = body.get("content") or ""
    if len(content) > TEXT:
        raise wrong("content", f"Must be {TEXT} or fewer in length.", "BASE_TYPE_MAX_LENGTH")
    embeds = body.get("embeds") or []
    if sum(map(_embed_length, embeds)) > EMBEDS:
        raise wrong("embeds", f"Embed size exceeds maximum size of {EMBEDS}", "MAX_EMBED_SIZE_EXCEEDED")
    if not v2:
        return
    for name in EXCLUSIVE:
        if body.get(name):
            raise wrong(
                name, "cannot be used with IS_COMPONENTS_V2", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
            )
    if not new and not message.is_v2:
        for name, stands in (("content", message.content), ("embeds", message.embeds)):
            if stands and name not in body:
                raise wrong(name, "must be emptied by the edit that adds IS_COMPONENTS_V2", "MESSAGE_CANNOT_USE_LEGACY")


def _embed_length(embed: Json) -> int:
    parts = [embed.get("title"), embed.get("description")]
    parts += [(embed.get("footer") or {}).get("text"), (embed.get("author") or {}).get("name")]
    for each in embed.get("fields") or ():
        parts += [each.get("name"), each.get("value")]
    return sum(len(part or "") for part in parts)


def _check_sizes(files: dict[int, Upload], rules: Rules, cap: int | None) -> None:
    most = rules.file_bytes if cap is None else min(cap, rules.file_bytes)
    if any(upload.size > most for upload in files.values()):
        raise Refusal(40005)
    if rules.request_bytes is not None and sum(upload.size for upload in files.values()) > rules.request_bytes:
        raise Refusal(40005)


# ------------------------------------------------------------------------------------------------------------------------- files


def _attachments(
    world: World, message: Message, body: Json, files: dict[int, Upload], *, new: bool
) -> list[Attachment]:
    """What hangs on the message afterwards. A list names every file to keep and every new one; without a list all stay."""
    listed = body.get("attachments")
    if listed is None:
        kept = [] if new else list(message.attachments)
        found = kept + [stored(world, message.channel, upload, {}) for _, upload in sorted(files.items())]
    else:
        found = _named(world, message, listed, files, new=new)
    if len(found) > MOST_FILES:
        raise wrong("attachments", f"at most {MOST_FILES} files", "BASE_TYPE_MAX_LENGTH")
    return found


def _named(
    world: World, message: Message, listed: Sequence[Json], files: dict[int, Upload], *, new: bool
) -> list[Attachment]:
    known = {} if new else {each.id: each for each in message.attachments}
    found, used = [], set()
    for number, entry in enumerate(listed):
        name = str(entry["id"])
        if name in known:
            found.append(known[name])
        elif name.isdecimal() and int(name) in files and int(name) not in used:
            used.add(int(name))
            found.append(stored(world, message.channel, files[int(name)], entry))
        else:
            raise wrong(f"attachments.{number}.id", f"no file and no attachment is {name}", "ATTACHMENT_NOT_FOUND")
    if left := set(files) - used:
        raise wrong("attachments", f"files[{min(left)}] was sent and is not named", "ATTACHMENT_NOT_FOUND")
    return found


def stored(world: World, channel: Channel, upload: Upload, entry: Json) -> Attachment:
    """An upload as an attachment of a channel; ``entry`` is its line in ``attachments``."""
    name = re.sub(r"[^\w.\-()+]", "_", entry.get("filename") or upload.filename)
    attachment = Attachment(
        id=world.ids(),
        filename=name,
        mime=mimetypes.guess_type(name)[0] or upload.mime,
        path=upload.path,
        size=upload.size,
        channel_id=channel.id,
        description=entry.get("description"),
        spoiler=bool(entry.get("is_spoiler")) or name.startswith("SPOILER_"),
    )
    if attachment.mime.startswith("image/"):
        try:
            with Image.open(upload.path) as picture:
                attachment.width, attachment.height = picture.size
        except (UnidentifiedImageError, OSError):
            attachment.mime = "application/octet-stream"
    return attachment


def _embeds(embeds: Sequence[Json], media: layout.Media) -> list[Json]:
    found = []
    for number, embed in enumerate(embeds):
        said: Json = {name: value for name, value in embed.items() if value is not None} | {"type": "rich"}
        for place in ("image", "thumbnail"):
            if place not in said:
                continue
            picture = media.unfurl(f"embeds.{number}.{place}", said[place])
            if "attachment_id" in picture and picture["content_type"] not in IN_EMBEDS:
                raise wrong(f"embeds.{number}.{place}.url", "only jpg, png, webp and gif", "ATTACHMENT_NOT_AN_IMAGE")
            said[place] = {name: value for name, value in picture.items() if value is not None and name != "id"}
        found.append(said)
    return found
