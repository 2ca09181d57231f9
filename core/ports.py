"""What the engine asks of the outside, and of nobody in particular.

A provider, a platform, a clip store: each implementation joins the abstract tests in ``tests/contracts``. No method here loops,
sleeps for long, or repeats a paid submit; waiting and repeating are the engine's.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from core.attachments import Attachment
from core.capabilities import Applied, Capabilities, PictureLimits
from core.cards import Card
from core.errors import ProviderError
from core.jobs import Attempt, Clip, Place, Receipt
from core.money import Price


class Clock(Protocol):
    """Time, injected everywhere so that tests own it."""

    def now(self) -> int:
        """UTC milliseconds."""

    def monotonic(self) -> float:
        """Seconds that never jump."""

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds``."""


# Providers


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not ready. ``progress`` is 0..1 where the vendor tells it; ``note`` a message id worth telling the person."""

    progress: float | None = None
    note: str | None = None
    queue_position: int | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """What ``fetch`` can bring: an address, the vendor's file id, or ``inline`` (fetch repeats the poll and streams the answer)."""

    kind: Literal["url", "file id", "inline"]
    value: str = ""
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """The clip exists at the vendor."""

    artifact: Artifact


@dataclass(frozen=True, slots=True)
class Failed:
    """The vendor says that no clip will come."""

    error: ProviderError


PollAnswer = Waiting | Ready | Failed
Ticket = Mapping[str, Any]
"""The vendor's handle in plain JSON; stored before the first poll."""


@dataclass(frozen=True, slots=True)
class Found:
    """The vendor knows this attempt; here is its ticket."""

    ticket: Ticket


FindAnswer = Found | Literal["certainly not", "cannot tell"]
CancelAnswer = Literal["stopped", "still billed"]


class Sink(Protocol):
    """Where a fetched clip goes, piece by piece."""

    async def write(self, chunk: bytes) -> None:
        """Append; raises OversizedMedia above the cap and DiskFull when there is no room."""


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """A picture as a vendor takes it, in memory: ``PictureLimits`` bound its size."""

    data: bytes
    mime: str
    width: int
    height: int

    def data_uri(self) -> str:
        """The picture as a ``data:`` address."""
        return f"data:{self.mime};base64,{b64encode(self.data).decode()}"


class PictureSource(Protocol):
    """Read access to the normalised pictures of jobs, and to the clips that others go on from, by their keys in the clip store."""

    def checkout(self, key: str) -> AbstractAsyncContextManager[Path]:
        """A read-only local path for as long as the context lasts. Raises NotFound when it is not there."""

    async def encoded(self, key: str, limits: PictureLimits) -> EncodedPicture:
        """The picture within a vendor's limits, made smaller where it must be.

        Raises NothingSent when it cannot be made now (a later attempt may), and InvalidRequest when it is no longer there.
        """

    async def clip(self, key: str, most_bytes: int) -> bytes:
        """A clip that another goes on from. Raises InvalidRequest when it is no longer there, or larger than ``most_bytes``."""


class Provider(Protocol):
    """A generator of clips."""

    @property
    def name(self) -> str:
        """Stable lower-case name."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do, as data."""

    def estimate(self, applied: Applied) -> Price:
        """The price of this clip; pure."""

    async def submit(self, applied: Applied, attempt: Attempt) -> Ticket:
        """Ask once. Raises RateLimited, NothingSent, InvalidRequest … when certainly refused, Unclear when the answer was lost."""

    async def poll(self, ticket: Ticket) -> PollAnswer:
        """Look once. Raises Unavailable, RateLimited or Garbled when nothing was learnt."""

    async def fetch(self, ticket: Ticket, artifact: Artifact, sink: Sink) -> None:
        """Stream the clip into ``sink``; may be called again after a failure."""

    async def cancel(self, ticket: Ticket) -> CancelAnswer:
        """Ask the vendor to stop."""

    async def find(self, applied: Applied, attempt: Attempt) -> FindAnswer:
        """Look an attempt up whose submit's answer was lost; only ``Found`` changes anything."""

    async def release(self, ticket: Ticket) -> None:
        """The clip is stored or nobody wants it: let go of whatever is kept here for it. Idempotent."""

    async def check(self) -> str:
        """Verify configuration without spending; returns a sentence, raises ProviderError."""

    async def close(self) -> None:
        """Free connections and children."""


@runtime_checkable
class Listening(Protocol):
    """A provider to which its vendor's webhooks come, at ``POST /hooks/{hook}/{attempt}``. They are hints: the poll is the truth."""

    @property
    def hook(self) -> str:
        """The vendor's word in the address, such as ``fal``."""

    async def heard(self, attempt_id: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the message may come from the vendor; then the attempt is looked at soon.

        What it says of a ticket may be remembered for ``find``. Nothing is changed by it, and it raises nothing.
        """


# Scenes and characters of films


@dataclass(frozen=True, slots=True)
class SceneDraft:
    """One scene as a writer proposes it: what is seen, and what must not be."""

    description: str
    negative_description: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """An idea as scenes; ``cost_usd`` as the vendor counts it, None when it does not say."""

    scenes: tuple[SceneDraft, ...]
    writer: str
    model: str
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """One scene of a storyboard that is to be written anew, in another way each time: ``place`` among ``scenes``, counted from 0."""

    scenes: tuple[str, ...]
    place: int
    variation: int = 1


class SceneWriter(Protocol):
    """Turns an idea into scenes."""

    @property
    def name(self) -> str:
        """Stable lower-case name, such as ``gemini``."""

    def estimate(self, scenes: int) -> Price:
        """The most that a script of so many scenes may cost; pure."""

    async def write(self, idea: str, character: str, scenes: int, again: Again | None = None) -> Script:
        """Exactly ``scenes`` scenes, each within the bounds of a prompt. Asked once; raises ProviderError kinds.

        ``again``: the one scene that is wanted (``scenes`` is 1), in place of one that was written before.
        """

    async def check(self) -> str:
        """Verify configuration without spending; returns a sentence, raises ProviderError."""

    async def close(self) -> None:
        """Free connections."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """A picture of a character, as bytes that still have to be normalised."""

    data: bytes
    mime: str
    painter: str
    model: str
    cost_usd: float | None = None


class CharacterPainter(Protocol):
    """Turns a description into a picture of a person or thing that the scenes of a film share."""

    @property
    def name(self) -> str:
        """Stable lower-case name, such as ``gemini``."""

    def estimate(self) -> Price:
        """The price of one picture; pure."""

    async def paint(self, description: str, references: Sequence[EncodedPicture] = ()) -> Portrait:
        """One picture of at most 20 MB. Asked once; raises ProviderError kinds, Unclear when the answer of a paid call was lost."""

    async def check(self) -> str:
        """Verify configuration without spending; returns a sentence, raises ProviderError."""

    async def close(self) -> None:
        """Free connections."""


# Platforms


@dataclass(frozen=True, slots=True)
class PlatformLimits:
    """What a platform takes. Seconds between edits of one message; bytes of an upload; characters of a text and a caption."""

    upload_bytes: int
    text: int
    caption: int
    seconds_between_edits: float
    refresh_seconds: float | None
    """How often a running card's estimate is refreshed; None when the platform refreshes by itself."""
    buttons: int
    message_becomes_clip: bool
    idempotent_send: bool
    """Whether a repeated send with the same nonce is dropped by the platform."""


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A clip in the hand of a platform adapter: original or a smaller copy."""

    clip: Clip
    path: Path
    bytes: int
    is_original: bool
    nonce: str
    poster: Path | None = None
    link: str | None = None


class Platform(Protocol):
    """A chat platform. Translates, decides nothing; every failure says ``was_done``."""

    @property
    def name(self) -> str:
        """Stable lower-case name."""

    @property
    def limits(self) -> PlatformLimits:
        """What this platform takes."""

    async def run(self) -> None:
        """Receive until cancelled; commands go to the intake given at construction."""

    async def send(self, place: Place, card: Card) -> Receipt:
        """Post a new message."""

    async def edit(self, receipt: Receipt, card: Card) -> Receipt:
        """Change a message; Gone when it no longer exists."""

    def room(self, place: Place, receipt: Receipt | None, card: Card, *, is_notice: bool = False) -> float:
        """Seconds after which the clip, or the notice of it, may be brought there; 0.0: now, and for a few seconds to come.

        Asked before anything is made for it. A call that finds no room nevertheless raises PlatformBusy with the fact ``left_out``:
        nothing was asked of the platform.
        """

    async def deliver(self, place: Place, receipt: Receipt | None, clip: ClipFile, card: Card) -> Receipt:
        """Bring the clip: the message becomes the clip where the platform can, else a new message."""

    async def notify(self, place: Place, receipt: Receipt | None, card: Card) -> None:
        """One short reply that the clip is ready.

        Where sends are idempotent its nonce is made of ``card.job_id`` alone: the same when it is said again after a crash, and another
        than the nonces of the job's card and clip.
        """

    async def delete(self, receipt: Receipt) -> None:
        """Remove a message; one that is gone already is fine. Raises Forbidden where nothing of ours reaches it."""

    def open(self, place: Place, attachment: Attachment) -> AsyncIterator[bytes]:
        """Stream a picture; reads the message anew when a signed link expired."""


# Storage of files


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is now durable under ``key``."""

    key: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What the clip store holds."""

    bytes: int
    files: int


class Incoming(Sink, Protocol):
    """A file that is being written under a temporary name; leaving its context without ``keep`` deletes it."""

    @property
    def path(self) -> Path:
        """The temporary path; media operations may write it themselves."""

    async def keep(self) -> Stored:
        """fsync, rename to a random name, fsync the folder."""


class ClipStore(Protocol):
    """Files, apart from their rows. Nobody but media operations and platform uploads sees a path."""

    def incoming(self, *, suffix: str, max_bytes: int) -> AbstractAsyncContextManager[Incoming]:
        """Begin a file."""

    def checkout(self, key: str) -> AbstractAsyncContextManager[Path]:
        """A read-only local path; NotFound when it is not there."""

    def open_range(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        """Pieces of the file from ``start``, ``length`` bytes in all."""

    async def size(self, key: str) -> int | None:
        """Bytes, or None when it is not there."""

    async def delete(self, key: str) -> None:
        """Remove; idempotent."""

    async def usage(self) -> Usage:
        """Bytes and files held."""

    async def free_bytes(self) -> int:
        """Room left on the disk."""


# Inside the process


class Dispatcher(Protocol):
    """Hints only wake the scheduler earlier; lost, late or doubled hints change nothing."""

    def hint(self, job_id: str | None = None) -> None:
        """Look at this job, or at the queue, soon."""


Hint = Callable[[str], None]
"""Given to providers: something happened with this attempt id, look at it soon."""


def no_hook(hook: str, attempt_id: str) -> str | None:
    """Without a public address no webhook comes."""
    del hook, attempt_id
    return None


@dataclass(frozen=True, slots=True)
class Connect:
    """What a provider's ``connect(settings, world)`` may use of the process."""

    clock: Clock
    hint: Hint
    pictures: PictureSource
    scratch: Path
    """The data folder."""
    media: Any
    """The media toolbox of ``core.media``; only the local generator uses it."""
    hook_url: Callable[[str, str], str | None] = no_hook
    """Where the vendor's webhook of an attempt reaches us: (hook, attempt id) → https address, None when nothing from outside does."""


Report = Callable[[float], None]
Closer = Callable[[], Awaitable[None]]
