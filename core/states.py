"""Where a job, an attempt and a delivery can be, and the only moves between those states.

::

    preparing ──▶ queued ──▶ submitting ──▶ generating ──▶ storing ──▶ done
                    ▲            │  │            ▲
                    └──refused───┘  └─▶ unclear ─┘ (found again)
    every live state ──▶ failed;  all but storing ──▶ cancelled

The one backward move, ``submitting → queued``, follows only a certain refusal: the vendor took nothing. The SQL that stores a move
also carries the expected version, so of two writers exactly one wins.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class JobState(StrEnum):
    """State of a clip job."""

    PREPARING = "preparing"
    QUEUED = "queued"
    SUBMITTING = "submitting"
    GENERATING = "generating"
    STORING = "storing"
    UNCLEAR = "unclear"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class AttemptState(StrEnum):
    """State of one submission to one generator."""

    OPEN = "open"
    WON = "won"
    FAILED = "failed"
    LOST = "lost"


class DeliveryState(StrEnum):
    """State of a clip on its way to one place."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNCLEAR = "unclear"
    DEAD = "dead"


S = JobState
MOVES: Final[dict[JobState, frozenset[JobState]]] = {
    S.PREPARING: frozenset({S.QUEUED, S.FAILED, S.CANCELLED}),
    S.QUEUED: frozenset({S.SUBMITTING, S.FAILED, S.CANCELLED}),
    S.SUBMITTING: frozenset({S.GENERATING, S.QUEUED, S.UNCLEAR, S.FAILED, S.CANCELLED}),
    S.GENERATING: frozenset({S.STORING, S.FAILED, S.CANCELLED}),
    S.UNCLEAR: frozenset({S.GENERATING, S.FAILED, S.CANCELLED}),
    S.STORING: frozenset({S.DONE, S.FAILED}),
    S.DONE: frozenset(),
    S.FAILED: frozenset(),
    S.CANCELLED: frozenset(),
}
LIVE: Final = frozenset(state for state, onward in MOVES.items() if onward)
ENDED: Final = frozenset(JobState) - LIVE
WAITING: Final = frozenset({S.PREPARING, S.QUEUED})
RUNNING: Final = frozenset({S.SUBMITTING, S.GENERATING, S.STORING})
"""States that count against a person's running cap. ``unclear`` frees the slots but keeps its hold."""
AT_PROVIDER: Final = frozenset({S.SUBMITTING, S.GENERATING})
"""States that hold one of the generator's slots."""

DELIVERY_MOVES: Final[dict[DeliveryState, frozenset[DeliveryState]]] = {
    DeliveryState.PENDING: frozenset({DeliveryState.SENDING, DeliveryState.DEAD}),
    DeliveryState.SENDING: frozenset(
        {DeliveryState.SENT, DeliveryState.PENDING, DeliveryState.UNCLEAR, DeliveryState.DEAD}
    ),
    DeliveryState.UNCLEAR: frozenset({DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.DEAD}),
    DeliveryState.SENT: frozenset(),
    DeliveryState.DEAD: frozenset({DeliveryState.SENDING}),
}
"""``dead → sending`` and ``unclear → sending`` happen only by ``resend``, which a person asks for."""


class IllegalMove(ValueError):
    """A move that is not in the table: a fault of ours, never of a person or vendor."""


def check_move(current: JobState, to: JobState) -> None:
    """Raise IllegalMove unless ``current → to`` is in the table."""
    if to not in MOVES[current]:
        legal = ", ".join(sorted(MOVES[current])) or "nowhere, it has ended"
        raise IllegalMove(f"a job cannot go from {current} to {to} (only to: {legal})")


MINUTE, HOUR = 60, 3600
STATE_SECONDS: Final[dict[JobState, int]] = {
    S.PREPARING: 2 * MINUTE,
    S.QUEUED: 24 * HOUR,
    S.SUBMITTING: 2 * MINUTE,
    S.STORING: 1 * HOUR,
    S.UNCLEAR: 24 * HOUR,
}
"""How long a job may stay in a state, in seconds; ``generating`` takes the generator's own maximum."""


def deadline_for(state: JobState, now_ms: int, generating_seconds: float) -> int | None:
    """Return the UTC millisecond at which ``state`` has lasted too long, or None for an ended job."""
    if state in ENDED:
        return None
    seconds = STATE_SECONDS.get(state, generating_seconds)
    return now_ms + int(seconds * 1000)
