"""What a person may do with a clip that was ordered before: the same rules and words on every surface."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from bot.engine.engine import Engine
from bot.engine.words import Words
from core.attachments import Attachment
from core.cards import shorten
from core.errors import Conflict, NotAllowed, NotFound, PlatformError, ReelayError
from core.states import JobState
from storage.views import JobRow

log = logging.getLogger("reelay.clips")
LISTED: Final = 10
FIELD_OF: Final[Mapping[str, str]] = {"seconds": "duration", "audio": "generate_audio"}
"""Attributes of a wish whose field has another name (docs/reference/http.md)."""
REPEATED: Final = (
    "prompt",
    "line",
    "negative_prompt",
    "aspect_ratio",
    "resolution",
    "seconds",
    "audio",
    "person_generation",
    "provider",
    "model",
)
"""What Again and Remix take over; the seed is drawn anew, or it would be the same clip."""


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts on a clip: an account, and the chats whose moderator it is (``discord:guild:1``)."""

    account_id: str | None
    moderates: frozenset[str] = frozenset()
    is_admin: bool = False


async def the_clip(engine: Engine, who: Acting, job_id: str, *, only_owner: bool = False) -> JobRow:
    """The job, if ``who`` may act on it. Raises NotFound, NotAllowed."""
    row = await engine.parts.store.view(job_id)
    if row.job.hidden:
        raise NotFound("no such job")
    if who.account_id == row.job.account_id:
        return row
    moderates = who.is_admin or row.job.place.shown_in in who.moderates
    if only_owner or not moderates:
        raise NotAllowed("another person's clip", message_id="error.not_yours")
    return row


async def last_frame(engine: Engine, who: Acting, job_id: str, chat: str | None) -> Attachment:
    """The last picture of a clip, for whoever sees it: its owner, or the members of the chat in which it was posted.

    ``chat``: where whoever asks is (``discord:guild:1``). Raises NotFound, NotAllowed.
    """
    clip = (await seen_clip(engine, who, job_id, chat)).clip
    if clip is None:
        raise NotFound("the clip is gone", message_id="error.clip_gone")
    return Attachment("last frame", "image/png", frame_of=clip.key)


async def seen_clip(engine: Engine, who: Acting, job_id: str, chat: str | None) -> JobRow:
    """A finished clip that ``who`` sees: its owner, or a member of the chat in which it was posted. Raises NotFound, NotAllowed."""
    row = await engine.parts.store.view(job_id)
    if row.job.hidden or row.clip is None:
        raise NotFound("the clip is gone", message_id="error.clip_gone")
    if who.account_id != row.job.account_id and (chat is None or row.job.place.shown_in != chat):
        raise NotAllowed("another person's clip", message_id="error.not_yours")
    return row


def again_fields(row: JobRow) -> dict[str, Any]:
    """The fields of an order that makes the same clip once more, with another seed."""
    wanted = row.job.wanted
    fields: dict[str, Any] = {
        FIELD_OF.get(name, name): getattr(wanted, name)
        for name in REPEATED
        if name in wanted.explicit or name in ("prompt", "line", "negative_prompt")
    }
    fields["parent_id"] = row.job.id
    began = wanted.with_picture or wanted.last_frame  # also with what could not be prepared: then it is said to be gone
    if began or row.job.applied.pictures or row.job.applied.extends:
        fields["reuse_image_of"] = row.job.id
    return {name: value for name, value in fields.items() if value not in (None, "")}


async def offers(engine: Engine, row: JobRow) -> list[tuple[str, str, int]]:
    """(name, title, price) of every other generator that can make a clip once more, for its owner and as ``other_fields`` orders it."""
    found = []
    account_id = row.job.account_id
    settings = (await engine.parts.store.account(account_id)).settings
    for name, provider in engine.parts.providers.items():
        if name == row.job.applied.provider:
            continue
        try:
            _, price = await engine.intake.offer(
                other_fields(row, name), with_picture=False, settings=settings, account_id=account_id
            )
        except ReelayError:
            continue
        found.append((name, provider.capabilities.title, price))
    return found


def other_fields(row: JobRow, provider: str) -> dict[str, Any]:
    """The fields of an order that makes the same clip on another generator, whose models have other names."""
    return {**{name: value for name, value in again_fields(row).items() if name != "model"}, "provider": provider}


def extend_fields(row: JobRow, prompt: Any) -> dict[str, Any]:
    """The fields of an order that goes on where this clip ends. Raises NotFound when it is not kept any more."""
    if row.clip is None:
        raise NotFound("the clip is gone", message_id="error.clip_gone")
    return {"prompt": prompt or "", "extend_of": row.clip.id, "parent_id": row.job.id}


async def star(engine: Engine, row: JobRow, account_id: str, *, on: bool) -> None:
    """Star or unstar a clip. Raises NotFound when it is not kept any more."""
    if row.clip is None:
        raise NotFound("the clip is gone", message_id="error.clip_gone")
    await engine.parts.store.set_favourite(account_id, row.clip.id, on=on)
    await engine.parts.store.reopen_cards(row.job.id)
    engine.lanes.touch(row.job.id)


async def take_away(engine: Engine, job_id: str) -> tuple[int, int]:
    """Erase a clip and the messages that show it, as far as we reach them; returns (messages, removed ones)."""
    shown = await engine.parts.store.receipts_of_job(job_id)
    await engine.delete(job_id)
    removed = 0
    for receipt in shown:
        platform = engine.parts.platforms.get(receipt.place.platform)
        if platform is None:
            continue
        try:
            await platform.delete(receipt)
            removed += 1
        except PlatformError as error:
            log.warning("a message of an erased clip still stands", extra={"code": error.code})
    return len(shown), removed


async def check_again(engine: Engine, row: JobRow) -> None:
    """Look an unclear job up now. Raises Conflict."""
    if row.job.state is not JobState.UNCLEAR:
        raise Conflict("the job is not unclear")
    await engine.check_again(row.job.id)


def details(row: JobRow, words: Words, generator: str | None = None) -> list[str]:
    """What is behind a clip, a line each: whole prompt, settings, cost, parent. ``generator``: its title."""
    job, applied = row.job, row.job.applied
    lines = [words.say("details.prompt", prompt=job.wanted.prompt or "–")]
    if job.wanted.line:
        lines.append(words.say("details.line", line=job.wanted.line))
    if job.wanted.negative_prompt:
        lines.append(words.say("details.negative", negative=job.wanted.negative_prompt))
    facts = {"seconds": applied.seconds, "aspect": applied.aspect_ratio, "resolution": applied.resolution}
    lines.append(words.say("details.settings", **facts, seed=applied.seed))
    lines.append(words.say("details.model", generator=generator or applied.provider, model=applied.model))
    lines.append(words.say("details.cost", credits=job.charged or 0))
    if job.origin_id is not None:
        lines.append(words.say("details.parent", parent=job.origin_id))
    lines.append(words.say("details.id", job=job.id))
    return lines


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list of clips."""

    job_id: str
    headline: str
    state: str
    is_live: bool
    row: JobRow


async def jobs(engine: Engine, words: Words, account_id: str | None) -> list[Listed]:
    """The person's jobs that have not ended, newest first, then the latest that have."""
    if account_id is None:
        return []
    live = await engine.parts.store.history(account_id, limit=LISTED, live=True)
    rest = await engine.parts.store.history(account_id, limit=LISTED)
    known = {row.job.id for row in live}
    return [await _listed(engine, words, row) for row in [*live, *(r for r in rest if r.job.id not in known)]][:LISTED]


async def gallery(
    engine: Engine, words: Words, account_id: str | None, which: Literal["mine", "favourites"], before: str | None
) -> list[Listed]:
    """The person's own finished clips, newest first; ``before``: a job id."""
    if account_id is None:
        return []
    only = "favourites" if which == "favourites" else "completed"
    rows = await engine.parts.store.history(account_id, limit=LISTED, only=only, before=before)
    return [await _listed(engine, words, row) for row in rows]


async def server_gallery(
    engine: Engine, words: Words, chat: str, before: str | None, *, with_nsfw: bool
) -> list[Listed]:
    """Clips that were posted publicly in a chat (``discord:guild:1``), by anybody."""
    rows = await engine.parts.store.posted(chat, LISTED, before, with_nsfw=with_nsfw)
    return [await _listed(engine, words, row) for row in rows]


async def _listed(engine: Engine, words: Words, row: JobRow) -> Listed:
    _, card = await engine.desk.card(row.job.id)
    state = words.text(card.state, engine.parts.clock.now())
    return Listed(row.job.id, card.headline or words.say("card.no_prompt"), state, not row.job.ended, row)


def name_of(row: JobRow) -> str:
    """A short name for a list of choices."""
    return shorten(row.job.wanted.prompt, 60) or row.job.id


def quota_lines(me: Mapping[str, Any], words: Words) -> list[str]:
    """What is left, in words; ``me`` as ``commands.account.me`` gives it."""
    lines = []
    for period in ("today", "month"):
        window = me["credits"][period]
        name = f"quota.{period}" if window["left"] is not None else f"quota.{period}.unlimited"
        lines.append(words.say(name, **window))
    if me["credits"]["granted"]:
        lines.append(words.say("quota.granted", credits=me["credits"]["granted"]))
    lines.append(words.say("quota.jobs", running=me["running"], waiting=me["waiting"]))
    return lines
