"""Jobs in SQL: the one function that applies a step, admission from the fair queue, and what is due."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from core.errors import NotFound, StaleVersion
from core.ids import new_secret_id
from core.jobs import Attempt, Job
from core.states import ENDED, AttemptState, IllegalMove, JobState, check_move, deadline_for
from core.steps import AdmissionCaps, Step
from storage import health, late
from storage.intake import LIVE_JOBS, fair_tag, give_place_back
from storage.messages import add_delivery, owe_notice
from storage.quota import settle_job
from storage.rows import attempt_of, dump, insert, insert_clip, job_of

ADMIT_MOST = 64
"""Jobs admitted in one transaction at most; the rest follow in the next."""
CALL_SECONDS = 15 * 60
"""The longest call for a script or a picture, waiting for a place to draw it included."""


def read(connection: sqlite3.Connection, job_id: str) -> Job:
    """Return the job. Raises NotFound."""
    row = connection.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise NotFound("no such job")
    return job_of(row)


def apply(connection: sqlite3.Connection, step: Step, now: int) -> Job:
    """Apply one step: move, fields, money, attempt, clip, deliveries and trail in one transaction.

    Raises StaleVersion when the row is newer than the step, IllegalMove for a move that is not in the table, NotFound.
    """
    job = read(connection, step.job_id)
    if job.version != step.version:
        raise StaleVersion(f"job {job.id} is at version {job.version}, the step was made for {step.version}")
    values = _stored(step.fields)
    if step.to is not None:
        check_move(job.state, step.to, job.kind.moves)
        values |= _moved(connection, job, step, step.to, now)
    elif job.ended and values.get("due_at") is not None:
        raise IllegalMove(f"job {job.id} has ended and is never due again")
    if step.failure is not None:
        values["failure"] = dump(step.failure.as_json())
    for source in step.sources:
        insert_clip(connection, source)
    if step.clip is not None:
        insert_clip(connection, step.clip)
        values["clip_id"] = step.clip.id
    if step.film is not None:
        connection.execute("UPDATE films SET plan = ? WHERE job_id = ?", (dump(step.film.as_json()), job.id))
    values |= {"version": job.version + 1, "updated_at": now}
    assignments = ", ".join(f"{name} = ?" for name in values)
    changed = connection.execute(
        f"UPDATE jobs SET {assignments} WHERE id = ? AND version = ?",
        (*values.values(), job.id, job.version),
    ).rowcount
    if changed != 1:
        raise StaleVersion(f"job {job.id} changed meanwhile")
    if job.attempt_id is not None and (step.ticket is not None or step.attempt_state is not None):
        _touch_attempt(connection, job.attempt_id, step, now)
    if step.hop is not None:
        add_event(connection, job.id, step.hop, step.hop_note, now)
    _tell(connection, job, step, now)
    return read(connection, job.id)


def _tell(connection: sqlite3.Connection, job: Job, step: Step, now: int) -> None:
    """What a person hears of the step besides their card."""
    is_waited_for = job.cancel_wish != "stop_waiting" and job.parent_id is None  # else: the gallery only, or the film
    if step.to is JobState.DONE and step.clip is not None and is_waited_for:
        add_delivery(connection, job.id, step.clip.id, job.place, now)
    if step.notice:
        owe_notice(connection, job, now)


def _stored(fields: Mapping[str, object]) -> dict[str, object]:
    """A step's fields as columns."""
    of_json = ("attachment", "applied", "changed", "wanted")
    return {name: dump(value) if name in of_json and value is not None else value for name, value in fields.items()}


def _moved(connection: sqlite3.Connection, job: Job, step: Step, to: JobState, now: int) -> dict[str, object]:
    """The columns that a move sets by itself, and its money."""
    values: dict[str, object] = {
        "state": to.value,
        "deadline": deadline_for(to, now, step.generating_seconds),
        "retries": 0,
    }
    if "due_at" not in step.fields:
        values["due_at"] = None if to in ENDED else now
    if to is JobState.QUEUED:
        values |= {"queued_at": now, "progress": None}
        if job.state is JobState.PREPARING:
            values["vt"] = fair_tag(connection, job.account_id)
        values["due_at"] = now if job.cancel_wish else values["deadline"]  # a wish to cancel is seen to at once
    if to is JobState.AWAITING:
        values["due_at"] = values["deadline"]  # a person is waited for, who makes it due
    if to in ENDED:
        if job.state is JobState.QUEUED:
            give_place_back(connection, job.account_id, job.id)
        true_cost = step.fields.get("true_cost", job.true_cost)
        values |= {"finished_at": now, "due_at": None, "not_before": None, "note": None}
        if job.kind.has_credits:
            values["charged"] = settle_job(connection, job, to, true_cost, now)
    elif job.ended:  # a film is opened again
        values |= {"finished_at": None, "failure": None, "cancel_wish": None, "progress": None}
    return values


def _touch_attempt(connection: sqlite3.Connection, attempt_id: str, step: Step, now: int) -> None:
    if step.ticket is not None:
        connection.execute(
            "UPDATE attempts SET ticket = ?, ticket_at = ? WHERE id = ?", (dump(dict(step.ticket)), now, attempt_id)
        )
    if step.attempt_state is not None:
        code = step.hop_note if step.failure is None else step.failure.code
        connection.execute(
            "UPDATE attempts SET state = ?, ended_at = ?, error_code = ?, watch_at = ?, watch_until = ? WHERE id = ?",
            (
                step.attempt_state.value,
                now,
                code,
                None if step.watch_until is None else now,
                step.watch_until,
                attempt_id,
            ),
        )


def add_event(connection: sqlite3.Connection, job_id: str, hop: str, note: str | None, now: int) -> None:
    """Add a line to the job's trail."""
    connection.execute(
        "INSERT INTO events (job_id, seq, at, hop, note) SELECT ?, COALESCE(MAX(seq), 0) + 1, ?, ?, ? FROM events WHERE job_id = ?",
        (job_id, now, hop, note, job_id),
    )


def attempt(connection: sqlite3.Connection, attempt_id: str) -> Attempt:
    """Return the attempt. Raises NotFound."""
    row = connection.execute("SELECT * FROM attempts WHERE id = ?", (attempt_id,)).fetchone()
    if row is None:
        raise NotFound("no such attempt")
    return attempt_of(row)


def admit(connection: sqlite3.Connection, caps: AdmissionCaps, now: int) -> list[tuple[Job, Attempt]]:
    """Move the fairest queued jobs to ``submitting`` while places are free, each with its intent row.

    The intent is committed before any call to a generator: after a crash an attempt without a ticket is known to be in doubt.
    """
    running = connection.execute(
        "SELECT account_id, provider, state, unit, COUNT(*) AS n FROM jobs WHERE state IN ('submitting', 'generating', 'storing')"
        " AND kind = 'clip' GROUP BY provider, state, account_id, unit"
    ).fetchall()
    places = Places(caps.per_person, caps.per_unit)
    at_provider: dict[str, int] = {}
    for row in running:
        places.take(row["account_id"], row["unit"], row["n"])
        if row["state"] != "storing":
            at_provider[row["provider"]] = at_provider.get(row["provider"], 0) + row["n"]
    room = min(ADMIT_MOST, caps.everywhere - sum(at_provider.values()))
    held_up = health.let_through(connection, now)
    admitted: list[tuple[Job, Attempt]] = []
    for provider, most in caps.providers.items():
        free = min(room - len(admitted), most - at_provider.get(provider, 0), held_up.get(provider, most))
        fresh = _admit_from(connection, provider, free, places, now)
        if fresh and provider in held_up:
            health.note_probe(connection, provider, fresh[0][1].id)
        admitted += fresh
    return admitted


class Places:
    """Who may have one more job run: a person so many at once, a unit of jobs counting as one, and so many of one unit."""

    def __init__(self, per_person: int, per_unit: int) -> None:
        """Nobody runs anything yet."""
        self._per_person, self._per_unit = per_person, per_unit
        self._of_person: dict[str, int] = {}
        self._of_unit: dict[str, int] = {}

    def take(self, account_id: str, unit: str | None, n: int = 1) -> None:
        """Count running jobs of one person, and of one unit."""
        if unit is None:
            self._of_person[account_id] = self._of_person.get(account_id, 0) + n
            return
        if unit not in self._of_unit:
            self._of_person[account_id] = self._of_person.get(account_id, 0) + 1
        self._of_unit[unit] = self._of_unit.get(unit, 0) + n

    def has_room(self, account_id: str, unit: str | None) -> bool:
        """Whether one more may run."""
        if unit is not None and unit in self._of_unit:
            return self._of_unit[unit] < self._per_unit
        return self._of_person.get(account_id, 0) < self._per_person

    def full(self) -> tuple[list[str], list[str], list[str]]:
        """(people whose places are taken, units that have begun and may go on, units that may not)."""
        people = [who for who, n in self._of_person.items() if n >= self._per_person]
        begun = [unit for unit, n in self._of_unit.items() if n < self._per_unit]
        return people, begun, [unit for unit in self._of_unit if unit not in begun]


def _admit_from(
    connection: sqlite3.Connection, provider: str, free: int, places: Places, now: int
) -> list[tuple[Job, Attempt]]:
    admitted: list[tuple[Job, Attempt]] = []
    while len(admitted) < free:  # each round admits at least one job or ends
        people, begun, full = places.full()
        rows = connection.execute(
            "SELECT * FROM jobs WHERE state = 'queued' AND provider = ? AND cancel_wish IS NULL AND (not_before IS NULL OR not_before <= ?)"
            f" AND (account_id NOT IN ({_marks(people)}) OR unit IN ({_marks(begun)}))"
            f" AND (unit IS NULL OR unit NOT IN ({_marks(full)})) ORDER BY vt, rowid LIMIT ?",
            (provider, now, *people, *begun, *full, free - len(admitted)),
        ).fetchall()
        taken = 0
        for row in rows:
            if not places.has_room(row["account_id"], row["unit"]):
                continue
            places.take(row["account_id"], row["unit"])
            admitted.append(_begin_attempt(connection, job_of(row), row["vt"], now))
            taken += 1
        if not taken:
            break
    return admitted


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def begin_call(connection: sqlite3.Connection, job_id: str, version: int, now: int) -> tuple[Job, Attempt]:
    """Move a script or a picture to ``submitting`` with its intent row, before the call. Raises StaleVersion, IllegalMove, NotFound."""
    job = read(connection, job_id)
    if job.version != version:
        raise StaleVersion(f"job {job.id} changed meanwhile")
    return _begin_attempt(connection, job, None, now, CALL_SECONDS)


def _begin_attempt(
    connection: sqlite3.Connection, job: Job, vt: float | None, now: int, seconds: int | None = None
) -> tuple[Job, Attempt]:
    check_move(job.state, JobState.SUBMITTING, job.kind.moves)
    attempt_id, number = new_secret_id(), job.attempts + 1
    applied = job.applied
    values = {
        "id": attempt_id,
        "job_id": job.id,
        "number": number,
        "provider": applied.provider,
        "model": applied.model,
        "seconds": applied.seconds,
        "resolution": applied.resolution,
        "applied": dump(applied.as_json()),
        "state": AttemptState.OPEN.value,
        "intent_at": now,
    }
    insert(connection, "attempts", values)
    deadline = deadline_for(JobState.SUBMITTING, now, 0) if seconds is None else now + seconds * 1000
    connection.execute(
        "UPDATE jobs SET state = 'submitting', attempt_id = ?, attempts = ?, version = version + 1, updated_at = ?,"
        " started_at = ?, due_at = ?, deadline = ?, not_before = NULL, progress = NULL, retries = 0 WHERE id = ?",
        (attempt_id, number, now, now, now, deadline, job.id),
    )
    connection.execute("UPDATE fairness SET vt = MAX(vt, ?) WHERE id = 1", (vt or 0.0,))
    add_event(connection, job.id, "admitted", None, now)
    return read(connection, job.id), attempt(connection, attempt_id)


@dataclass(frozen=True, slots=True)
class Due:
    """What the scheduler has to do: jobs to look at now as (id, provider), when the next one is due, whether a queue waits.

    Behind the live jobs come ended ones whose attempt is watched on (``storage/late.py``).
    """

    jobs: list[tuple[str, str]]
    next_at: int | None
    has_queue: bool


def due(connection: sqlite3.Connection, now: int, most: int, without: Collection[str]) -> Due:
    """Return what is due, oldest first, leaving out the generators of ``without``."""
    marks = ", ".join("?" * len(without))
    rows = connection.execute(
        f"SELECT id, provider FROM jobs WHERE due_at <= ? AND provider NOT IN ({marks}) ORDER BY due_at LIMIT ?",
        (now, *without, most),
    ).fetchall()
    later = connection.execute("SELECT MIN(due_at) AS at FROM jobs WHERE due_at > ?", (now,)).fetchone()["at"]
    queue = connection.execute("SELECT 1 FROM jobs WHERE state = 'queued' LIMIT 1").fetchone()
    jobs = [(row["id"], row["provider"]) for row in rows] + late.due(connection, now, without)
    next_at = min((at for at in (later, late.next_look(connection, now)) if at is not None), default=None)
    return Due(jobs, next_at, queue is not None)


def stuck(
    connection: sqlite3.Connection, provider: str, since: int, after: tuple[float, int], most: int
) -> list[tuple[Job, tuple[float, int]]]:
    """Return queued jobs that may go from ``provider`` to another generator, fairest first, each with its place in the line.

    Those that came into the line at ``since`` (UTC ms) or later and stand behind ``after``. None of which any attempt may have been taken:
    only certain refusals leave an attempt ``failed`` and its job in the line.
    """
    rows = connection.execute(
        "SELECT *, rowid AS place_id FROM jobs WHERE state = 'queued' AND provider = ? AND provider_named = 0 AND cancel_wish IS NULL"
        " AND queued_at >= ? AND (vt, rowid) > (?, ?)"
        " AND NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.job_id = jobs.id AND a.state <> 'failed')"
        " ORDER BY vt, rowid LIMIT ?",
        (provider, since, *after, most),
    ).fetchall()
    return [(job_of(row), (row["vt"], row["place_id"])) for row in rows]


def is_untaken(connection: sqlite3.Connection, job_id: str, but: str | None = None) -> bool:
    """Whether certainly no generator has taken anything of a job, ``but`` for the attempt of which the caller knows better."""
    sql = "SELECT 1 FROM attempts WHERE job_id = ? AND state <> 'failed' AND id IS NOT ? LIMIT 1"
    return connection.execute(sql, (job_id, but)).fetchone() is None


def wake_without(connection: sqlite3.Connection, providers: Collection[str], now: int) -> int:
    """Make live jobs of generators other than ``providers`` due now, those in the line too; returns how many."""
    marks = ", ".join("?" * len(providers))
    return connection.execute(
        f"UPDATE jobs SET due_at = ? WHERE {LIVE_JOBS} AND kind = 'clip' AND provider NOT IN ({marks})",
        (now, *providers),
    ).rowcount


def providers_in_use(connection: sqlite3.Connection) -> set[str]:
    """Return the generators of live jobs."""
    rows = connection.execute(f"SELECT DISTINCT provider FROM jobs WHERE {LIVE_JOBS} AND kind = 'clip'").fetchall()
    return {row["provider"] for row in rows}


def job_of_attempt(connection: sqlite3.Connection, attempt_id: str) -> str | None:
    """Return the job that an attempt belongs to, for hints that only know the attempt."""
    row = connection.execute("SELECT job_id FROM attempts WHERE id = ?", (attempt_id,)).fetchone()
    return None if row is None else str(row["job_id"])


def wish(connection: sqlite3.Connection, job_id: str, what: str | None, now: int) -> Job:
    """Record what the person wants of a live job; its runner reads it. An ended job is returned unchanged."""
    job = read(connection, job_id)
    if not job.ended and job.cancel_wish is None:
        connection.execute(
            "UPDATE jobs SET cancel_wish = ?, version = version + 1, updated_at = ?, due_at = ? WHERE id = ?",
            (what, now, now, job_id),
        )
    return read(connection, job_id)


def look_soon(connection: sqlite3.Connection, job_id: str, now: int) -> None:
    """Make a live job due now; a hint, so nothing else changes."""
    connection.execute("UPDATE jobs SET due_at = MIN(due_at, ?) WHERE id = ? AND due_at IS NOT NULL", (now, job_id))


def finish_attempt_lost(connection: sqlite3.Connection, job_id: str, now: int) -> None:
    """Close whatever attempt of a job is still open as lost."""
    connection.execute(
        "UPDATE attempts SET state = ?, ended_at = ? WHERE job_id = ? AND state = ?",
        (AttemptState.LOST.value, now, job_id, AttemptState.OPEN.value),
    )
