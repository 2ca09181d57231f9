"""Films in SQL: a film with its scenes' clips, the scenes that are ordered at once, and characters that are kept for later films."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from core.errors import IntakePaused, NotAllowed, NotFound, StaleVersion
from core.films import FilmPlan
from core.ids import new_secret_id
from core.jobs import Clip, Job, JobKind, Order
from core.steps import DefaultLimits, Step
from storage import views
from storage.intake import Ordering, check_total, insert_job, standing_of
from storage.jobs import apply
from storage.people import subjects_of
from storage.rows import clip_of, job_of, load


@dataclass(frozen=True, slots=True)
class Take:
    """One try at a scene. ``made`` is None until there is a clip of it, and when that is not kept any more."""

    job: Job
    made: Clip | None
    earlier: Clip | None = None
    """The clip of an earlier try, which stays the scene's until there is a new one."""

    @property
    def clip(self) -> Clip | None:
        """The scene's clip."""
        return self.made or self.earlier


@dataclass(frozen=True, slots=True)
class FilmRow:
    """A film, or a merge, with everything that belongs to it, read at one moment."""

    row: views.JobRow
    plan: FilmPlan
    takes: dict[int, Take] = field(default_factory=dict)
    """The chosen take of each scene that was ordered, by the scene's number."""
    calls: tuple[Job, ...] = ()
    """Its scripts and pictures, oldest first."""
    charged: int = 0
    held: int = 0
    """Credits of all its jobs together: what was charged so far, and what is held for those that live."""

    @property
    def job(self) -> Job:
        """The film's own job."""
        return self.row.job

    def finished(self) -> list[tuple[int, Clip]]:
        """(scene's number, clip) of the scenes that are made, in the order of the storyboard."""
        found = []
        for scene in self.plan.scenes:
            take = self.takes.get(scene.number)
            if take is not None and take.clip is not None:
                found.append((scene.number, take.clip))
        return found

    def under_way(self) -> list[Job]:
        """Takes that have not ended."""
        return [take.job for take in self.takes.values() if not take.job.ended]


def read(connection: sqlite3.Connection, film_id: str, account_id: str | None = None) -> FilmRow:
    """Return a film, of ``account_id`` only when given. Raises NotFound, also for a job that is none."""
    row = views.one(connection, film_id, account_id)
    stored = connection.execute("SELECT plan FROM films WHERE job_id = ?", (film_id,)).fetchone()
    if stored is None:
        raise NotFound("no such film")
    jobs = connection.execute("SELECT * FROM jobs WHERE parent_id = ? ORDER BY rowid", (film_id,)).fetchall()
    clips = {
        each["id"]: clip_of(each)
        for each in connection.execute(
            "SELECT c.* FROM jobs AS j JOIN clips AS c ON c.id = j.clip_id WHERE j.parent_id = ? AND c.deleted_at IS NULL",
            (film_id,),
        ).fetchall()
    }
    takes: dict[int, Take] = {}
    earlier: dict[int, Clip] = {}
    calls, charged, held = [], 0, 0
    for each in jobs:
        job = job_of(each)
        charged += job.charged or 0
        held += 0 if job.ended else job.price
        if job.kind is not JobKind.CLIP:
            calls.append(job)
        elif job.position is not None:
            clip = clips.get(job.clip_id or "")
            if job.chosen:
                takes[job.position] = Take(job, clip)
            elif clip is not None:
                earlier[job.position] = clip
    takes = {number: replace(take, earlier=earlier.get(number)) for number, take in takes.items()}
    return FilmRow(row, FilmPlan.from_json(load(stored["plan"])), takes, tuple(calls), charged, held)


def begin_scenes(
    connection: sqlite3.Connection,
    step: Step,
    orders: Sequence[Order],
    defaults: DefaultLimits,
    now: int,
    *,
    disk_is_low: bool,
) -> Job:
    """Move a film to ``making`` and order these takes of its scenes, all of them or none, each chosen from now on; returns the film.

    Finished takes stay the chosen ones: whoever orders a scene again takes that choice, here. Raises StaleVersion, IllegalMove,
    NotAllowed, IntakePaused, QuotaExceeded (for all of them together), NotFound, and then changes nothing.
    """
    who = _ordering(connection, step, now, disk_is_low=disk_is_low)
    check_total(connection, orders, subjects_of(orders[0].actor, who.account_id), who.granted, defaults, now)
    for order in orders:
        connection.execute(
            "UPDATE jobs SET chosen = 0 WHERE parent_id = ? AND position = ?", (step.job_id, order.position)
        )
        insert_job(connection, order, standing_of(connection, who), defaults, now, chosen=True)
    return apply(connection, step, now)


def add_call(
    connection: sqlite3.Connection, step: Step, order: Order, defaults: DefaultLimits, now: int, *, disk_is_low: bool
) -> Job:
    """Order one more script or picture of a film, with a change of the film's own; returns the film. Raises as ``begin_scenes``."""
    insert_job(connection, order, _ordering(connection, step, now, disk_is_low=disk_is_low), defaults, now)
    return apply(connection, step, now)


def _ordering(connection: sqlite3.Connection, step: Step, now: int, *, disk_is_low: bool) -> Ordering:
    """Whose film it is, while it is as ``step`` knows it and they may order. Raises as ``begin_scenes``."""
    row = connection.execute(
        "SELECT j.version, j.identity_id, j.account_id, a.blocked_at, a.granted, a.last_vt,"
        " (SELECT vt FROM fairness WHERE id = 1) AS now_vt,"
        " EXISTS (SELECT 1 FROM pauses WHERE provider = '*' AND (until IS NULL OR until > ?)) AS paused"
        " FROM jobs AS j JOIN accounts AS a ON a.id = j.account_id WHERE j.id = ?",
        (now, step.job_id),
    ).fetchone()
    if row is None:
        raise NotFound("no such film")
    if row["version"] != step.version:
        raise StaleVersion("the film changed meanwhile")
    if row["blocked_at"] is not None:
        raise NotAllowed("the account is blocked", message_id="error.blocked")
    if disk_is_low or row["paused"]:
        raise IntakePaused("the disk is nearly full" if disk_is_low else "intake is paused")
    return Ordering(row["identity_id"], row["account_id"], row["granted"], row["last_vt"], row["now_vt"])


def live_children(connection: sqlite3.Connection, film_id: str) -> list[str]:
    """Return a film's jobs that have not ended."""
    rows = connection.execute(
        "SELECT id FROM jobs WHERE parent_id = ? AND state NOT IN ('done', 'failed', 'cancelled')", (film_id,)
    ).fetchall()
    return [row["id"] for row in rows]


def source_of(connection: sqlite3.Connection, job_id: str) -> Clip | None:
    """Return the picture that a job of the kind ``picture`` made, while it is kept."""
    row = connection.execute(
        "SELECT * FROM clips WHERE job_id = ? AND kind = 'source' AND deleted_at IS NULL LIMIT 1", (job_id,)
    ).fetchone()
    return None if row is None else clip_of(row)


def portrayed(connection: sqlite3.Connection, account_id: str | None, sha256: str) -> str:
    """Return the words from which the picture with these bytes was painted for somebody; empty for any other picture."""
    row = connection.execute(
        "SELECT json_extract(j.applied, '$.prompt') AS words FROM clips AS c JOIN jobs AS j ON j.id = c.job_id"
        " WHERE c.account_id = ? AND c.sha256 = ? AND j.kind = 'picture' LIMIT 1",
        (account_id, sha256),
    ).fetchone()
    return "" if row is None else str(row["words"] or "")


def clips_of(connection: sqlite3.Connection, clip_ids: Sequence[str]) -> list[Clip]:
    """Return these clips in this order, leaving out what is not kept any more."""
    rows = connection.execute(
        "SELECT * FROM clips WHERE id IN (SELECT value FROM json_each(?)) AND deleted_at IS NULL",
        (json.dumps(list(clip_ids)),),
    ).fetchall()
    found = {row["id"]: clip_of(row) for row in rows}
    return [found[clip_id] for clip_id in clip_ids if clip_id in found]


@dataclass(frozen=True, slots=True)
class Character:
    """Who recurs in somebody's films, with the picture that they share."""

    id: str
    description: str
    clip: Clip
    used_at: int


def characters(connection: sqlite3.Connection, account_id: str, most: int = 50) -> list[Character]:
    """Return somebody's characters whose picture is kept, the last used first."""
    return _with_pictures(
        connection,
        connection.execute(
            "SELECT * FROM characters WHERE account_id = ? ORDER BY used_at DESC LIMIT ?", (account_id, most)
        ).fetchall(),
    )


def character(connection: sqlite3.Connection, account_id: str, description: str) -> Character | None:
    """Return the one of exactly these words, or None."""
    rows = connection.execute(
        "SELECT * FROM characters WHERE account_id = ? AND description = ?", (account_id, description)
    ).fetchall()
    return next(iter(_with_pictures(connection, rows)), None)


def _with_pictures(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> list[Character]:
    clips = {clip.id: clip for clip in clips_of(connection, [row["clip_id"] for row in rows])}
    return [
        Character(row["id"], row["description"], clips[row["clip_id"]], row["used_at"])
        for row in rows
        if row["clip_id"] in clips
    ]


def keep_character(connection: sqlite3.Connection, account_id: str, description: str, clip_id: str, now: int) -> None:
    """Keep a picture for later films; the same words again replace the older picture."""
    connection.execute(
        "INSERT INTO characters (id, account_id, description, clip_id, created_at, used_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (account_id, description) DO UPDATE SET clip_id = excluded.clip_id, used_at = excluded.used_at",
        (new_secret_id(), account_id, description, clip_id, now, now),
    )


def drop_character(connection: sqlite3.Connection, account_id: str, character_id: str) -> list[str]:
    """Forget a character; returns the keys of files that go with it. Raises NotFound."""
    row = connection.execute(
        "SELECT clip_id FROM characters WHERE id = ? AND account_id = ?", (character_id, account_id)
    ).fetchone()
    if row is None:
        raise NotFound("no such character")
    connection.execute("DELETE FROM characters WHERE id = ?", (character_id,))
    clip = connection.execute("SELECT key, job_id FROM clips WHERE id = ?", (row["clip_id"],)).fetchone()
    if clip is None or clip["job_id"] is not None:
        return []  # its film still has it
    heir = connection.execute(
        "SELECT job_id FROM films JOIN jobs ON id = job_id WHERE account_id = ? AND json_extract(plan, '$.picture_key') = ? LIMIT 1",
        (account_id, clip["key"]),
    ).fetchone()
    if heir is not None:  # the film that it was painted for is gone, a later one has it
        connection.execute("UPDATE clips SET job_id = ? WHERE id = ?", (heir["job_id"], row["clip_id"]))
        return []
    connection.execute("DELETE FROM clips WHERE id = ?", (row["clip_id"],))
    return [clip["key"]]
