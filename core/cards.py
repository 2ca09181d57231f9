"""What a card says about a job: message ids with typed values, computed from the job's row at the moment of sending.

No sentence lives here; the words are in the catalogue (``bot/locale``). The anatomy, in order: headline, state, bar, facts, money,
changed, error, actions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from core.jobs import IN_LINE, Clip, Job
from core.states import AT_PROVIDER, JobState

HEADLINE_CHARACTERS: Final = 80
OVERDUE: Final = 1.5
"""A job that took this many times its usual time is "taking longer than usual"."""
ESTIMATE_CAP: Final = 0.95
"""An estimated bar never claims to be nearly done."""


@dataclass(frozen=True, slots=True)
class Message:
    """One line: an id of the catalogue and its values (numbers stay numbers, times stay UTC ms, durations stay seconds)."""

    id: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that the person can do now; the label is a message of the catalogue."""

    verb: str
    label: Message


@dataclass(frozen=True, slots=True)
class Card:
    """What one message shows."""

    job_id: str
    account_id: str
    headline: str
    state: Message
    facts: tuple[Message, ...]
    money: Message | None
    changed: tuple[Message, ...]
    error: Message | None
    note: Message | None
    bar: float | None
    bar_is_estimate: bool
    actions: tuple[Action, ...]
    final: bool
    """Whether this is the last edit: nothing will change by itself any more."""
    lines: tuple[Message, ...] = ()
    """The scenes of a film, each a line."""
    picture: str | None = None
    """Key of the picture of who recurs in a film, for where its scenes are looked through and made."""

    def digest(self, *, steps: int = 100) -> str:
        """Return a hash of what a person would see, with the bar at ``steps`` steps: equal digests are not sent twice."""
        bar = None if self.bar is None else round(self.bar * steps)
        lines = [_read(m) for m in (self.state, *self.facts, *self.changed, *self.lines)]
        rest = [None if m is None else _read(m) for m in (self.money, self.error, self.note)]
        text = json.dumps(
            [self.headline, lines, rest, bar, [a.verb for a in self.actions], *filter(None, [self.picture])],
            sort_keys=True,
            default=str,
        )
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def news(self) -> tuple[object, ...]:
        """Return what of the card is news: all but its figures of progress. Money and what was changed are news with their values."""
        lines = [_valued(each) for each in (self.money, *self.changed)]
        ids = [None if line is None else line.id for line in (self.state, self.error, self.note, *self.facts)]
        scenes = [line.id for line in self.lines]
        return (*ids, None, *lines, None, *(action.verb for action in self.actions), *scenes)


def shown_seconds(seconds: float) -> int:
    """Return a duration as exactly as people are told it: a second, then 5, then 10, minutes from ten, hours from ten."""
    whole = max(1, round(seconds))
    if whole <= 30:
        return whole
    if whole < 60:
        return round(whole / 5) * 5
    step = 10 if whole < 600 else 60 if whole < 36_000 else 3600
    return whole // step * step


def _valued(line: Message | None) -> tuple[object, ...] | None:
    return None if line is None else (line.id, *sorted((name, str(value)) for name, value in line.values.items()))


def _read(message: Message) -> list[Any]:
    """A message as it reads: a fraction of a second that nobody is shown is no difference."""
    shown = {name: shown_seconds(v) if isinstance(v, float) else v for name, v in message.values.items()}
    return [message.id, shown]


@dataclass(frozen=True, slots=True)
class JobView:
    """A job with what its card needs from elsewhere, all read at one moment."""

    job: Job
    now: int
    generator_title: str
    gives_fraction: bool
    usual_seconds: float
    queue_position: int | None = None
    queue_seconds: float | None = None
    left_today: int | None = None
    """Credits left today; None when unlimited."""
    clip: Clip | None = None
    favourite: bool = False
    can_extend: bool = False
    cancel_stops_billing: bool = True
    delivery: str | None = None
    """State of the newest delivery, where it is worth a word."""
    restarted: bool = False
    """Whether this process began after the generator was asked."""
    paused: bool = False
    """Whether the operator or the vendor stopped this generator for now."""
    missing: bool = False
    """Whether the generator that has this live job is not configured now."""
    may_do_another: bool = False
    """Whether another configured generator could be asked instead."""

    @property
    def elapsed_seconds(self) -> float:
        """Seconds from acceptance to the end or now."""
        return max(0, (self.job.finished_at or self.now) - self.job.created_at) / 1000

    @property
    def running_seconds(self) -> float:
        """Seconds since the generator was asked."""
        return max(0, (self.job.finished_at or self.now) - (self.job.started_at or self.now)) / 1000

    @property
    def came_late(self) -> bool:
        """Whether a clip came after the job had been given up: it is there, it is free, and the job stays failed."""
        return self.job.state is JobState.FAILED and self.clip is not None

    @property
    def waits_there(self) -> bool:
        """Whether it stands in the generator's own line, before anything is made."""
        return self.job.note is not None and self.job.note.startswith(IN_LINE)

    def fraction(self) -> tuple[float | None, bool]:
        """Return (0..1 or None, whether it is an estimate)."""
        if self.job.state is JobState.STORING:
            return 1.0, False
        if self.job.state is not JobState.GENERATING or self.missing or self.waits_there:
            return None, False
        if self.gives_fraction:
            return self.job.progress or 0.0, False
        if self.usual_seconds <= 0:
            return None, False
        return min(ESTIMATE_CAP, self.running_seconds / self.usual_seconds), True

    def seconds_left(self) -> float | None:
        """Return about how many seconds remain, or None when nothing honest can be said."""
        job = self.job
        if job.state in (JobState.PREPARING, JobState.QUEUED):
            if self.paused or self.queue_seconds is None:
                return None
            return self.queue_seconds + self.usual_seconds
        if self.missing or self.waits_there:
            return None
        if job.state is JobState.SUBMITTING:
            return self.usual_seconds
        if job.state is not JobState.GENERATING:
            return None
        if self.gives_fraction and job.progress and job.progress >= 0.05:
            return self.running_seconds * (1 - job.progress) / job.progress
        left = self.usual_seconds - self.running_seconds
        return left if left > 0 else None


def shorten(text: str, most: int = HEADLINE_CHARACTERS) -> str:
    """Return ``text`` on one line, cut at a word with an ellipsis when it is longer than ``most`` characters."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > most // 2 else cut).rstrip(" ,.;:") + "…"


def card_of(view: JobView) -> Card:
    """Return the card for ``view``; pure, so the same row always reads the same."""
    job = view.job
    bar, is_estimate = view.fraction()
    quiet = job.cancel_wish == "stop_waiting" and not job.ended
    return Card(
        job_id=job.id,
        account_id=job.account_id,
        headline=shorten(job.wanted.prompt or job.wanted.line),
        state=_state_line(view),
        facts=_facts(view),
        money=_money(view),
        changed=tuple(Message(c.message_id, c.values) for c in job.changed),
        error=None
        if job.failure is None
        else Message(job.failure.message_id, {**job.failure.values, "generator": view.generator_title}),
        note=_note(view),
        bar=None if quiet else bar,
        bar_is_estimate=is_estimate,
        actions=tuple(_actions(view)),
        final=job.ended or quiet,
    )


def _state_line(view: JobView) -> Message:
    job = view.job
    name = {"generator": view.generator_title}
    if view.came_late:
        return Message("state.late")
    if job.cancel_wish == "stop_waiting" and not job.ended:
        return Message("state.stopped_waiting", name)
    if job.cancel_wish == "cancel" and not job.ended:
        return Message("state.cancelling", name)
    if view.missing and job.state is not JobState.UNCLEAR:
        return Message("state.missing", name)
    if job.state is JobState.QUEUED:
        return _queued_line(view)
    if job.state is JobState.GENERATING:
        return _generating_line(view, view.seconds_left())
    return {
        JobState.PREPARING: Message("state.accepted"),
        JobState.SUBMITTING: Message("state.submitting", name),
        JobState.UNCLEAR: Message("state.unclear", name),
        JobState.STORING: Message("state.storing"),
        JobState.DONE: Message("state.done", {**name, "took": view.running_seconds}),
        JobState.CANCELLED: Message("state.cancelled"),
        JobState.FAILED: Message("state.failed"),
    }[job.state]


def _queued_line(view: JobView) -> Message:
    job = view.job
    if job.not_before and job.not_before > view.now:
        wait = (job.not_before - view.now) / 1000
        return Message("state.retrying", {"generator": view.generator_title, "in": wait})
    if view.paused:
        return Message("state.paused", {"generator": view.generator_title})
    if view.queue_position is None:
        return Message("state.queued_plain")
    if view.queue_seconds is None:
        return Message("state.queued", {"position": view.queue_position})
    return Message("state.queued_about", {"position": view.queue_position, "about": view.queue_seconds})


def _generating_line(view: JobView, left: float | None) -> Message:
    job = view.job
    if view.waits_there:
        return Message("state.queued", {"position": int((job.note or "0").partition(" ")[2])})
    if view.gives_fraction:
        percent = int((job.progress or 0.0) * 100)
        if left is None or percent < 5:
            return Message("state.rendering", {"percent": percent})
        return Message("state.rendering_left", {"percent": percent, "left": left})
    if view.usual_seconds and view.running_seconds > OVERDUE * view.usual_seconds:
        return Message("state.rendering_long", {"so_far": view.running_seconds})
    return Message("state.rendering_usual", {"so_far": view.running_seconds, "usual": view.usual_seconds})


def _note(view: JobView) -> Message | None:
    job = view.job
    if (job.state is JobState.DONE or view.came_late) and view.delivery in ("unclear", "dead"):
        return Message(f"note.delivery_{view.delivery}")
    if job.ended:
        return None
    if view.missing:
        return Message("note.generator_missing", {"generator": view.generator_title})
    if job.note is None:
        return Message("note.restarted") if view.restarted and job.state in AT_PROVIDER else None
    word, _, place = job.note.partition(" ")
    return Message(word, {"generator": view.generator_title} | ({"place": int(place)} if place else {}))


def _facts(view: JobView) -> tuple[Message, ...]:
    applied = view.job.applied
    return (
        Message("facts.seconds", {"seconds": applied.seconds}),
        Message("facts.aspect", {"aspect": applied.aspect_ratio}),
        Message("facts.resolution", {"resolution": applied.resolution}),
        Message("facts.generator", {"generator": view.generator_title}),
        Message("facts.seed", {"seed": applied.seed}),
    )


def _money(view: JobView) -> Message | None:
    job = view.job
    if job.price == 0:
        return (
            Message("money.free_failed")
            if job.state in (JobState.FAILED, JobState.CANCELLED)
            else Message("money.free")
        )
    if job.state is JobState.DONE:
        return Message("money.charged", {"credits": job.charged or 0})
    if job.ended:
        return Message("money.not_charged")
    if view.left_today is None:
        return Message("money.held", {"credits": job.price})
    return Message("money.held_left", {"credits": job.price, "left": view.left_today})


def _actions(view: JobView) -> list[Action]:
    job = view.job
    label = {verb: Message(f"action.{verb}") for verb in _VERBS}
    verbs: list[str]
    if job.cancel_wish is not None and not job.ended:
        verbs = []
    elif job.state in (JobState.PREPARING, JobState.QUEUED):
        verbs = ["cancel"]
    elif job.state in (JobState.SUBMITTING, JobState.GENERATING):
        if view.cancel_stops_billing:
            verbs = ["cancel"]
        else:
            verbs = ["stop_waiting"]
            label["stop_waiting"] = Message("action.stop_waiting", {"credits": job.price})
    elif job.state is JobState.UNCLEAR:
        verbs = ["check_again", "again", "cancel"]
        label["again"] = Message("action.make_anew", {"credits": job.price})
    elif job.state is JobState.STORING:
        verbs = []
    elif job.state is JobState.DONE or view.came_late:
        can_extend = view.can_extend and not view.came_late
        verbs = ["download", "again", "remix", *(["extend"] if can_extend else []), "copy_link"]
        verbs += ["unfavourite" if view.favourite else "favourite", "details", "delete"]
    elif job.state is JobState.FAILED:
        code = job.failure.code if job.failure else ""
        first = {"CONTENT_POLICY_VIOLATION": "edit_prompt", "INVALID_REQUEST": "edit_prompt"}.get(code, "again")
        verbs = [first, *(["other_generator"] if view.may_do_another else []), "details", "delete"]
    else:
        verbs = ["again", "remix", "delete"]
    return [Action(verb, label[verb]) for verb in verbs]


_VERBS: Final = (
    "cancel",
    "stop_waiting",
    "again",
    "remix",
    "extend",
    "favourite",
    "unfavourite",
    "delete",
    "details",
    "download",
    "copy_link",
    "edit_prompt",
    "other_generator",
    "check_again",
)
