"""The things that are kept: who asked, where to answer, what was ordered, tried, made and delivered.

All are plain stored data, so a restarted process edits the same message and its buttons still work. Times are UTC milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

from core.attachments import Attachment
from core.capabilities import Applied, Change
from core.films import FilmPlan
from core.money import Hold
from core.requests import Wanted
from core.states import (
    AT_PROVIDER,
    CALL_MOVES,
    ENDED,
    FILM_MOVES,
    MOVES,
    AttemptState,
    DeliveryState,
    JobState,
    Moves,
)

Visibility = Literal["public", "only_owner"]
IN_LINE: Final = "note.in_line"
"""Note of a job that stands in its generator's own line; its place follows behind a blank."""

MOST_VARIATIONS: Final = 4
"""Clips of one wish that are ordered at once."""


class JobKind(StrEnum):
    """What is ordered."""

    CLIP = "clip"
    FILM = "film"
    PICTURE = "picture"
    SCRIPT = "script"
    MERGE = "merge"

    @property
    def moves(self) -> Moves:
        """The table of its legal moves."""
        if self in (JobKind.SCRIPT, JobKind.PICTURE):
            return CALL_MOVES
        return MOVES if self is JobKind.CLIP else FILM_MOVES

    @property
    def has_credits(self) -> bool:
        """Whether it has a hold and ledger lines of its own; what a film costs is what its scenes, script and picture cost."""
        return self not in (JobKind.FILM, JobKind.MERGE)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as a platform knows them. ``chat`` and ``roles`` are subjects of allowances such as ``discord:guild:1``."""

    platform: str
    external_id: str
    chat: str | None = None
    roles: tuple[str, ...] = ()
    allowance_subject: str | None = None
    """Shared allowance, for anonymous browsers; None means the account's own."""
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where to answer: a chat, its thread, who may see it, and in which language."""

    platform: str
    chat: str
    thread: str | None = None
    reply_to: str | None = None
    visibility: Visibility = "public"
    language: str = "en"
    upload_limit: int | None = None
    """Bytes this chat takes; None: the platform's own limit."""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shown_in(self) -> str | None:
        """The chat whose members all see what is posted here (``discord:guild:1``); None where only one person does."""
        chat = self.details.get("chat_subject")
        return str(chat) if chat is not None and self.visibility == "public" else None

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON that ``from_json`` reads back."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Place:
        """Read what ``as_json`` wrote; fields of a later version are ignored."""
        return cls(**{name: data[name] for name in cls.__dataclass_fields__ if name in data})


@dataclass(frozen=True, slots=True)
class Receipt:
    """A platform's handle for one message that we sent."""

    place: Place
    message: str
    kind: Literal["text", "media"] = "text"
    can_edit_until: int | None = None
    credential: str | None = field(default=None, repr=False)
    """Short-lived, encrypted by the platform; erased once ``can_edit_until`` has passed; never logged or backed up."""

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON that ``from_json`` reads back."""
        return {
            "place": self.place.as_json(),
            "message": self.message,
            "kind": self.kind,
            "can_edit_until": self.can_edit_until,
            "credential": self.credential,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Receipt:
        """Read what ``as_json`` wrote."""
        return cls(
            place=Place.from_json(data["place"]),
            message=data["message"],
            kind=data.get("kind", "text"),
            can_edit_until=data.get("can_edit_until"),
            credential=data.get("credential"),
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed: the stable code, and the catalogue's message for the person."""

    code: str
    message_id: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {"code": self.code, "message_id": self.message_id, "values": dict(self.values)}


@dataclass(frozen=True, slots=True)
class Job:
    """What a person ordered, as its row says."""

    id: str
    kind: JobKind
    account_id: str
    identity_id: int
    place: Place
    state: JobState
    version: int
    wanted: Wanted
    applied: Applied
    price: int
    hold: Hold
    created_at: int
    updated_at: int
    provider_named: bool = False
    parent_id: str | None = None
    """The film that it belongs to."""
    origin_id: str | None = None
    position: int | None = None
    """Number of its scene, which that keeps wherever it is moved."""
    chosen: bool = False
    """Whether its clip is the one of its scene."""
    unit: str | None = None
    """Jobs of one unit count as one running job of their person."""
    session_id: str | None = None
    attachment: Attachment | None = None
    changed: tuple[Change, ...] = ()
    charged: int | None = None
    true_cost: int | None = None
    cancel_wish: Literal["cancel", "stop_waiting"] | None = None
    failure: Failure | None = None
    progress: float | None = None
    note: str | None = None
    """Message id of something the person should know about how it goes, such as a restart; a number may follow behind a blank."""
    attempt_id: str | None = None
    attempts: int = 0
    retries: int = 0
    """Tries of the present step since it last went well; drives the back-off."""
    due_at: int | None = None
    deadline: int | None = None
    not_before: int | None = None
    queued_at: int | None = None
    started_at: int | None = None
    finished_at: int | None = None
    clip_id: str | None = None
    hidden: bool = False

    @property
    def ended(self) -> bool:
        """Whether the state is an end."""
        return self.state in ENDED

    @property
    def at_provider(self) -> bool:
        """Whether the job holds one of its generator's slots."""
        return self.state in AT_PROVIDER


@dataclass(frozen=True, slots=True)
class Attempt:
    """One submission to one generator. ``ticket`` is None until the generator's answer was stored."""

    id: str
    job_id: str
    number: int
    applied: Applied
    state: AttemptState
    intent_at: int
    ticket: Mapping[str, Any] | None = None
    ticket_at: int | None = None
    ended_at: int | None = None


class AssetKind(StrEnum):
    """What a stored file is."""

    CLIP = "clip"
    POSTER = "poster"
    SOURCE = "source"
    UPLOAD = "upload"


@dataclass(frozen=True, slots=True)
class Clip:
    """One stored file: a generated clip, its poster, a normalised source picture or a raw upload."""

    id: str
    kind: AssetKind
    account_id: str
    job_id: str | None
    key: str
    mime: str
    bytes: int
    sha256: str
    created_at: int
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    poster_key: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A clip on its way to one place, apart from the job that made it."""

    id: int
    job_id: str
    clip_id: str
    place: Place
    state: DeliveryState
    tries: int = 0
    due_at: int | None = None
    receipt: Receipt | None = None
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class CardRow:
    """One message that tells the truth about one job in one place."""

    id: int
    job_id: str
    place: Place
    receipt: Receipt | None
    shown_hash: str | None
    next_edit_at: int
    closed: bool
    failures: int = 0

    def awaits_answer(self, now: int) -> bool:
        """Whether the command's own answer, which will be this message, may still be on its way."""
        return self.shown_hash is None and not self.failures and now < self.next_edit_at


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A raw command as it was received, durable before anything is understood of it."""

    id: int
    platform: str
    update_id: str
    payload: Mapping[str, Any]
    state: Literal["pending", "accepted", "refused"]
    job_id: str | None
    failure: Mapping[str, Any] | None
    received_at: int
    account_id: str | None = None
    """Of who sent it; None for whom nothing was ever made."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What who sent it has set; only of a pending one."""


def sibling_key(key: str, number: int) -> str:
    """The dedupe key of the further clip ``number`` (from 1) of several variations: none that anybody can give an order of their own."""
    return f"{key}\n{number + 1}"


@dataclass(frozen=True, slots=True)
class Order:
    """Everything that one accept transaction needs; made by the intake from a command, priced and fitted."""

    actor: Actor
    place: Place
    wanted: Wanted
    applied: Applied
    changed: tuple[Change, ...]
    price: int
    dedupe_key: str
    dedupe_hash: str
    kind: JobKind = JobKind.CLIP
    provider_named: bool = False
    session_id: str | None = None
    parent_id: str | None = None
    origin_id: str | None = None
    attachment: Attachment | None = None
    inbox_id: int | None = None
    more_inbox_ids: tuple[int, ...] = ()
    """Further rows of the inbox in which the same command came, such as the pictures of an album."""
    receipt: Receipt | None = None
    answers: bool = False
    """Whether the platform answers the command with a message of its own at once, which then becomes the job's card."""
    flat_price: bool = False
    """``price`` is the flat price of all clips, due whatever the generator says that the clip cost."""
    position: int | None = None
    unit: str | None = None
    """See ``Job``."""
    film: FilmPlan | None = None
    """Of a film or a merge: how it is to be."""
    children: tuple[Order, ...] = ()
    """Ordered with it, in the same transaction and as its own: the script and the picture of a film."""
    siblings: tuple[Order, ...] = ()
    """Ordered in the same breath, all or none: the further ones of several variations."""
