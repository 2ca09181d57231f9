"""Everything that can go wrong, as one tree.

::

    ReelayError
    ├── RequestError                what a person asked for cannot be done
    │   ├── BadOption               INVALID_REQUEST          a field is malformed; names it and its legal values
    │   │   └── BadPicture          INVALID_REQUEST          the picture cannot be used; says why
    │   ├── Unsupported             INVALID_REQUEST          well-formed, but this generator cannot do it
    │   ├── QuotaExceeded           QUOTA_EXCEEDED           not enough credits in some scope
    │   ├── TooManyJobs             RATE_LIMIT_EXCEEDED      the person's waiting line is full
    │   ├── IntakePaused            PROVIDER_UNAVAILABLE     the operator or a full disk stopped new jobs
    │   ├── NotAllowed              NOT_ALLOWED              known, but not permitted
    │   ├── NotSignedIn             AUTHENTICATION_ERROR     nobody is known yet
    │   ├── NotFound                NOT_FOUND                no such object for this account
    │   └── Conflict                CONFLICT                 the object is in a state that forbids it
    ├── ProviderError               a generator could not make the clip
    │   ├── ContentRefused          CONTENT_POLICY_VIOLATION
    │   ├── RateLimited             RATE_LIMIT_EXCEEDED
    │   ├── CredentialsRejected     AUTHENTICATION_ERROR
    │   ├── OutOfFunds              INSUFFICIENT_FUNDS
    │   ├── InvalidRequest          INVALID_REQUEST
    │   ├── ModelRetired            MODEL_RETIRED
    │   ├── Unavailable             PROVIDER_UNAVAILABLE
    │   │   └── NothingSent         PROVIDER_UNAVAILABLE     not a byte left our socket
    │   ├── TimedOut                TIMEOUT
    │   ├── Unclear                 UNCLEAR                  a paid submit whose answer was lost
    │   └── Garbled                 PROVIDER_UNAVAILABLE     the answer or the file cannot be understood
    ├── PlatformError               a message could not be sent, edited or read
    │   ├── TooLarge                TOO_LARGE
    │   ├── Gone                    GONE
    │   ├── Forbidden               FORBIDDEN
    │   ├── PlatformBusy            RATE_LIMIT_EXCEEDED
    │   └── Unreachable             UNREACHABLE
    ├── MediaError                  a picture or clip could not be worked on
    │   ├── UnsupportedMedia        UNSUPPORTED_MEDIA        not one of the formats we open
    │   ├── CorruptMedia            CORRUPT_MEDIA
    │   ├── OversizedMedia          OVERSIZED_MEDIA          bytes, pixels, seconds or streams above a limit
    │   ├── CannotFit               CANNOT_FIT               no encode of it goes under the byte limit
    │   ├── MediaTimedOut           TIMEOUT
    │   └── WorkerDied              MEDIA_WORKER             the child process ended without an answer
    └── StorageError                something could not be kept
        ├── DiskFull                DISK_FULL
        ├── SchemaFromTheFuture     SCHEMA
        ├── AlreadyRunning          ALREADY_RUNNING          another process holds this data folder
        ├── StaleVersion            STALE                    compare-and-set lost; read again
        └── DatabaseFault           STORAGE

Each error has a stable ``code``; a ``retry`` that only the runner reads; a ``message_id`` of the catalogue with ``values`` for the
person; and ``facts`` for the log. The text of an exception is for engineers and never reaches a chat.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar


class Retry(StrEnum):
    """What may follow an error. Read in one place: ``bot/engine/runner.py``."""

    NEVER = "never"
    LATER = "later"
    """The same step again after ``retry_after`` seconds or a back-off."""
    NEW_ATTEMPT = "new_attempt"
    """Certainly nothing was begun: a new attempt row may be submitted."""
    ASK = "ask"
    """Nobody but a person may decide (a paid submit may have happened)."""


class WasDone(StrEnum):
    """Whether a platform call had its effect, as far as can be known."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


class ReelayError(Exception):
    """Something that Reelay understands went wrong."""

    code: ClassVar[str] = "INTERNAL"
    retry: ClassVar[Retry] = Retry.NEVER
    default_message_id: ClassVar[str] = "error.internal"

    def __init__(
        self, text: str = "", *, message_id: str | None = None, values: dict[str, Any] | None = None, **facts: Any
    ) -> None:
        """``text`` and ``facts`` go to the log; ``message_id`` with ``values`` to the person."""
        super().__init__(text or (type(self).__doc__ or "").split("\n")[0])
        self.message_id = message_id or self.default_message_id
        self.values: dict[str, Any] = dict(values or {})
        self.facts: dict[str, Any] = facts


class RequestError(ReelayError):
    """What a person asked for cannot be done."""

    default_message_id = "error.request"


class BadOption(RequestError):
    """A field is malformed; ``field`` names it and ``legal`` its legal values."""

    code = "INVALID_REQUEST"
    default_message_id = "error.bad_option"

    def __init__(
        self,
        field: str,
        wrote: object,
        legal: str,
        *,
        message_id: str | None = None,
        more: Mapping[str, Any] | None = None,
        **facts: Any,
    ) -> None:
        """``wrote`` is shortened to 40 characters: it is shown back to the person who wrote it.

        ``more``: values of a message that says in its own words what is legal.
        """
        self.field, self.legal = field, legal
        super().__init__(
            f"{field} must be {legal}",
            message_id=message_id,
            values={"field": field, "wrote": _shown(wrote), "legal": legal, **(more or {})},
            **facts,
        )


def _shown(wrote: object) -> str:
    try:
        text = str(wrote)
    except ValueError:  # Python writes no number of more than 4300 digits
        return "a very long number"
    text = text if len(text) <= 40 else text[:39] + "…"
    return text.encode("utf-8", "replace").decode()  # half of a surrogate pair can be sent, but not be answered


class BadPicture(BadOption):
    """The picture cannot be used."""

    default_message_id = "error.bad_picture"


class Unsupported(RequestError):
    """Well-formed, but this generator cannot do it; ``values`` carry field, wrote, legal and generator."""

    code = "INVALID_REQUEST"
    default_message_id = "error.unsupported"


class QuotaExceeded(RequestError):
    """Not enough credits in some scope; ``values``: needed, left, scope, period, resets_at (UTC ms)."""

    code = "QUOTA_EXCEEDED"
    default_message_id = "error.quota_exceeded"


class TooManyJobs(RequestError):
    """The person's waiting line is full; ``values``: waiting, most."""

    code = "RATE_LIMIT_EXCEEDED"
    default_message_id = "error.too_many_jobs"


class IntakePaused(RequestError):
    """New jobs are not taken at the moment."""

    code = "PROVIDER_UNAVAILABLE"
    default_message_id = "error.intake_paused"


class NotAllowed(RequestError):
    """Known, but not permitted."""

    code = "NOT_ALLOWED"
    default_message_id = "error.not_allowed"


class NotSignedIn(RequestError):
    """Nobody is known yet."""

    code = "AUTHENTICATION_ERROR"
    default_message_id = "error.not_signed_in"


class NotFound(RequestError):
    """No such object for this account; somebody else's object looks the same."""

    code = "NOT_FOUND"
    default_message_id = "error.not_found"


class Conflict(RequestError):
    """The object is in a state that forbids it."""

    code = "CONFLICT"
    default_message_id = "error.conflict"


class ProviderError(ReelayError):
    """A generator could not make the clip."""

    default_message_id = "error.provider_unavailable"

    def __init__(self, text: str = "", *, retry_after: float | None = None, **rest: Any) -> None:
        """``retry_after``: seconds the vendor asked for, if it did."""
        super().__init__(text, **rest)
        self.retry_after = retry_after


class ContentRefused(ProviderError):
    """The generator declined the prompt or the picture."""

    code = "CONTENT_POLICY_VIOLATION"
    default_message_id = "error.content_refused"


class RateLimited(ProviderError):
    """The generator takes no more for now; nothing was begun."""

    code = "RATE_LIMIT_EXCEEDED"
    retry = Retry.NEW_ATTEMPT
    default_message_id = "error.rate_limited"


class CredentialsRejected(ProviderError):
    """The generator does not accept our key."""

    code = "AUTHENTICATION_ERROR"
    default_message_id = "error.operator_told"


class OutOfFunds(ProviderError):
    """The operator's balance at the generator is used up."""

    code = "INSUFFICIENT_FUNDS"
    default_message_id = "error.operator_told"


class InvalidRequest(ProviderError):
    """The generator says that our request is wrong."""

    code = "INVALID_REQUEST"
    default_message_id = "error.invalid_request"


class ModelRetired(ProviderError):
    """The configured model no longer exists."""

    code = "MODEL_RETIRED"
    default_message_id = "error.operator_told"


class Unavailable(ProviderError):
    """The generator cannot be reached or is failing; whether a submit was begun is not known."""

    code = "PROVIDER_UNAVAILABLE"
    retry = Retry.LATER


class NothingSent(Unavailable):
    """Not one byte of the request left our socket, so a new attempt is safe."""

    retry = Retry.NEW_ATTEMPT


class TimedOut(ProviderError):
    """The generator took longer than it may."""

    code = "TIMEOUT"
    default_message_id = "error.timeout"


class Unclear(ProviderError):
    """A paid submit whose answer was lost: it may be billed, so it is never repeated."""

    code = "UNCLEAR"
    retry = Retry.ASK
    default_message_id = "error.unclear"


class Garbled(ProviderError):
    """The answer or the file cannot be understood."""

    code = "PROVIDER_UNAVAILABLE"
    retry = Retry.LATER


class PlatformError(ReelayError):
    """A message could not be sent, edited or read; ``was_done`` says what is known of its effect."""

    default_message_id = "error.internal"

    def __init__(
        self, text: str = "", *, was_done: WasDone = WasDone.NO, retry_after: float | None = None, **rest: Any
    ) -> None:
        """``retry_after``: seconds the platform asked for, if it did."""
        super().__init__(text, **rest)
        self.was_done, self.retry_after = was_done, retry_after


class TooLarge(PlatformError):
    """The file is above what this place takes; ``limit`` is the new limit in bytes when the platform told it."""

    code = "TOO_LARGE"

    def __init__(self, text: str = "", *, limit: int | None = None, **rest: Any) -> None:
        """``limit``: bytes."""
        super().__init__(text, **rest)
        self.limit = limit


class Gone(PlatformError):
    """The message or the place no longer exists."""

    code = "GONE"


class Forbidden(PlatformError):
    """We may not post or edit there."""

    code = "FORBIDDEN"


class PlatformBusy(PlatformError):
    """The platform asks us to wait."""

    code = "RATE_LIMIT_EXCEEDED"
    retry = Retry.LATER


class Unreachable(PlatformError):
    """The platform did not answer."""

    code = "UNREACHABLE"
    retry = Retry.LATER


class MediaError(ReelayError):
    """A picture or clip could not be worked on."""

    default_message_id = "error.media"


class UnsupportedMedia(MediaError):
    """Not one of the formats that we open; ``values['found']`` names what it looks like."""

    code = "UNSUPPORTED_MEDIA"
    default_message_id = "error.picture_unsupported"


class CorruptMedia(MediaError):
    """It claims to be a known format but cannot be read."""

    code = "CORRUPT_MEDIA"
    default_message_id = "error.picture_corrupt"


class OversizedMedia(MediaError):
    """Bytes, pixels, seconds or streams above a limit; ``values``: what, found, most."""

    code = "OVERSIZED_MEDIA"
    default_message_id = "error.picture_oversized"


class CannotFit(MediaError):
    """No encode of it goes under the byte limit."""

    code = "CANNOT_FIT"


class MediaTimedOut(MediaError):
    """The operation took longer than its deadline and was killed."""

    code = "TIMEOUT"
    retry = Retry.LATER


class WorkerDied(MediaError):
    """The child process ended without an answer (out of memory, killed, or a decoder crash)."""

    code = "MEDIA_WORKER"
    retry = Retry.LATER


class StorageError(ReelayError):
    """Something could not be kept."""


class DiskFull(StorageError):
    """No room is left where the database or the clips live."""

    code = "DISK_FULL"
    retry = Retry.LATER
    default_message_id = "error.intake_paused"


class SchemaFromTheFuture(StorageError):
    """The database was written by a newer Reelay."""

    code = "SCHEMA"


class AlreadyRunning(StorageError):
    """Another process holds this data folder."""

    code = "ALREADY_RUNNING"


class StaleVersion(StorageError):
    """The row changed since it was read: read again and decide again."""

    code = "STALE"
    retry = Retry.LATER


class DatabaseFault(StorageError):
    """The database refused a statement."""

    code = "STORAGE"
    retry = Retry.LATER
