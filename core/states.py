"""Where a job, an attempt and a delivery can be, and the only moves between those states.

A clip::

    preparing ──▶ queued ──▶ submitting ──▶ generating ──▶ storing ──▶ done
                    ▲            │  │            ▲
                    └──refused───┘  └─▶ unclear ─┘ (found again)
    every live state ──▶ failed;  all but storing ──▶ cancelled

The one backward move, ``submitting → queued``, follows only a certain refusal: the vendor took nothing. The SQL that stores a move
also carries the expected version, so of two writers exactly one wins.

A script or a picture is one call, whose answer is the result: ``preparing → submitting → done``, and back after a certain refusal.

A film, and a merge, which begins further on::

    planning ──▶ awaiting ──▶ making ──▶ merging ──▶ done
                                 ▲           ▲        │
                                 └───────────┴────────┘ (a scene is tried again, or the film is cut anew)

``making → done``: what was tried again came to nothing, and the film stays as it was cut. Its end may be left again, also a failure: a
film has no credits of its own, those of its scenes are settled scene by scene.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class JobState(StrEnum):
    """State of a job."""

    PREPARING = "preparing"
    QUEUED = "queued"
    SUBMITTING = "submitting"
    GENERATING = "generating"
    STORING = "storing"
    UNCLEAR = "unclear"
    PLANNING = "planning"
    AWAITING = "awaiting"
    MAKING = "making"
    MERGING = "merging"
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
"""Of a clip."""
CALL_MOVES: Final[dict[JobState, frozenset[JobState]]] = {
    S.PREPARING: frozenset({S.SUBMITTING, S.FAILED, S.CANCELLED}),
    S.SUBMITTING: frozenset({S.DONE, S.PREPARING, S.FAILED, S.CANCELLED}),
    S.DONE: frozenset(),
    S.FAILED: frozenset(),
    S.CANCELLED: frozenset(),
}
"""Of a script or a picture."""
FILM_MOVES: Final[dict[JobState, frozenset[JobState]]] = {
    S.PLANNING: frozenset({S.AWAITING, S.FAILED, S.CANCELLED}),
    S.AWAITING: frozenset({S.MAKING, S.FAILED, S.CANCELLED}),
    S.MAKING: frozenset({S.MERGING, S.DONE, S.FAILED, S.CANCELLED}),
    S.MERGING: frozenset({S.DONE, S.FAILED, S.CANCELLED}),
    S.DONE: frozenset({S.MAKING, S.MERGING}),
    S.FAILED: frozenset({S.MAKING, S.MERGING}),
    S.CANCELLED: frozenset({S.MAKING, S.MERGING}),
}
"""Of a film or a merge."""
ENDED: Final = frozenset({S.DONE, S.FAILED, S.CANCELLED})
LIVE: Final = frozenset(JobState) - ENDED
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


Moves = Mapping[JobState, frozenset[JobState]]


def check_move(current: JobState, to: JobState, moves: Moves = MOVES) -> None:
    """Raise IllegalMove unless ``current → to`` is in the table ``moves``."""
    onward = moves.get(current, frozenset())
    if to not in onward:
        legal = ", ".join(sorted(onward)) or "nowhere, it has ended"
        raise IllegalMove(f"a job cannot go from {current} to {to} (only to: {legal})")


MINUTE, HOUR = 60, 3600
STATE_SECONDS: Final[dict[JobState, int]] = {
    S.PREPARING: 2 * MINUTE,
    S.QUEUED: 24 * HOUR,
    S.SUBMITTING: 2 * MINUTE,
    S.STORING: 1 * HOUR,
    S.UNCLEAR: 24 * HOUR,
    S.PLANNING: 1 * HOUR,
    S.AWAITING: 30 * 24 * HOUR,
    S.MAKING: 72 * HOUR,
    S.MERGING: 3 * HOUR,
}
"""How long a job may stay in a state, in seconds; ``generating`` takes the generator's own maximum."""


def deadline_for(state: JobState, now_ms: int, generating_seconds: float) -> int | None:
    """Return the UTC millisecond at which ``state`` has lasted too long, or None for an ended job."""
    if state in ENDED:
        return None
    seconds = STATE_SECONDS.get(state, generating_seconds)
    return now_ms + int(seconds * 1000)
