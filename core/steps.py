"""One step of a job, as data: what changes with a move, and what a finished step brings with it.

The store applies a step in one transaction, under compare-and-set of the version; settling the money belongs to the move itself, so
no caller can forget it: entering ``done`` charges, entering ``failed`` or ``cancelled`` releases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from core.films import FilmPlan
from core.jobs import Clip, Failure
from core.states import AttemptState, JobState

FIELDS: Final = frozenset(
    {
        "progress",
        "note",
        "due_at",
        "not_before",
        "retries",
        "true_cost",
        "started_at",
        "cancel_wish",
        "attachment",
        "applied",
        "provider",
        "model",
        "changed",
        "wanted",
    }
)
"""Columns of a job that a step may set besides its state."""


@dataclass(frozen=True, slots=True)
class Step:
    """What to change in one job. ``to`` None changes fields only; ``hop`` is a line of the job's trail."""

    job_id: str
    version: int
    to: JobState | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    generating_seconds: float = 600.0
    """The generator's maximum; sets the deadline of ``generating``."""
    hop: str | None = None
    hop_note: str | None = None
    failure: Failure | None = None
    ticket: Mapping[str, Any] | None = None
    attempt_state: AttemptState | None = None
    clip: Clip | None = None
    sources: tuple[Clip, ...] = ()
    """The normalised pictures of the job."""
    film: FilmPlan | None = None
    """Of a film or a merge: how it is to be from now on."""
    notice: bool = False
    """Its person is told of it in a message of its own: they may have looked away for long, and an edited card rings no bell."""
    watch_until: int | None = None
    """The job is given up, its attempt is watched on until then (UTC ms): a clip that still comes is kept."""

    def __post_init__(self) -> None:
        """Refuse columns that a step must not touch."""
        unknown = set(self.fields) - FIELDS
        if unknown:
            raise ValueError(f"a step cannot set {', '.join(sorted(unknown))}")


@dataclass(frozen=True, slots=True)
class AdmissionCaps:
    """How many jobs may run at once: per person, at all, and per generator (those missing are not admitted)."""

    per_person: int
    everywhere: int
    providers: Mapping[str, int]
    per_unit: int = 4
    """Of one unit, such as the scenes of a film, which count as one running job of their person."""


@dataclass(frozen=True, slots=True)
class DefaultLimits:
    """Configured limits in credits; None means unlimited. An operator's own rows win over them."""

    person_day: int | None
    person_month: int | None
    everybody_day: int | None
