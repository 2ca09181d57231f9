"""What a card says about a film: its storyboard, then its scenes while they are made, then the film. The same anatomy as a clip's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from core.cards import Action, Card, Message, shorten
from core.films import FilmPlan, Scene
from core.jobs import Clip, Job, JobKind
from core.states import JobState

S = JobState
STORYBOARD_CHARACTERS: Final = 2400
"""Of all scenes of a storyboard together: what a message takes besides the rest of a card."""
LINE_CHARACTERS: Final = 56
"""Of a scene while it is made."""
DECLINED: Final = "CONTENT_POLICY_VIOLATION"


@dataclass(frozen=True, slots=True)
class SceneView:
    """One scene, and the take that was chosen for it."""

    scene: Scene
    take: Job | None = None
    made: bool = False
    """Whether its clip is there."""

    @property
    def failed(self) -> bool:
        """Whether its take ended without a clip."""
        return self.take is not None and self.take.ended and not self.made


@dataclass(frozen=True, slots=True)
class FilmView:
    """A film with what its card needs from elsewhere, all read at one moment."""

    job: Job
    plan: FilmPlan
    now: int
    generator_title: str
    scenes: tuple[SceneView, ...] = ()
    price: int | None = None
    """Credits that the scenes which are to be made would cost now; None where its generator cannot make them."""
    left_today: int | None = None
    charged: int = 0
    held: int = 0
    clip: Clip | None = None
    favourite: bool = False
    delivery: str | None = None
    rewriting: frozenset[int] = field(default_factory=frozenset)
    """Numbers of scenes that are being written anew."""
    painting: bool = False

    @property
    def made(self) -> int:
        """Scenes whose clip is there."""
        return sum(each.made for each in self.scenes)

    @property
    def failed(self) -> tuple[SceneView, ...]:
        """Scenes that came to nothing."""
        return tuple(each for each in self.scenes if each.failed)

    @property
    def fraction(self) -> float | None:
        """How far it is, from 0 to 1, while its scenes are made or it is cut."""
        if self.job.state is S.MERGING:
            return self.job.progress
        ordered = [each for each in self.scenes if each.take is not None]
        if self.job.state is not S.MAKING or not ordered:
            return None
        done = sum(1.0 if each.made or each.failed else (each.take.progress or 0.0) for each in ordered if each.take)
        return done / len(ordered)

    @property
    def elapsed_seconds(self) -> float:
        """Seconds from acceptance to the end or now."""
        return max(0, (self.job.finished_at or self.now) - self.job.created_at) / 1000


def film_card(view: FilmView) -> Card:
    """Return the card for ``view``; pure, so the same rows always read the same."""
    job = view.job
    return Card(
        job_id=job.id,
        account_id=job.account_id,
        headline=shorten(view.plan.title or job.wanted.prompt),
        state=_state(view),
        facts=_facts(view),
        money=_money(view),
        changed=tuple(Message(each.message_id, each.values) for each in job.changed),
        error=None if job.failure is None else _error(view),
        note=_note(view),
        bar=view.fraction,
        bar_is_estimate=False,
        actions=tuple(_actions(view)),
        final=job.ended or job.state is S.AWAITING,
        lines=_lines(view),
        picture=None if job.ended else view.plan.picture_key,
    )


def _state(view: FilmView) -> Message:
    job = view.job
    if job.cancel_wish is not None and not job.ended:
        return Message("state.film_cancelling")
    scenes = {"done": view.made, "scenes": len(view.scenes)}
    is_merge = job.kind is JobKind.MERGE
    match job.state:
        case S.PLANNING:
            return Message("state.planning")
        case S.AWAITING:
            return Message("state.awaiting")
        case S.MAKING:
            return Message("state.making", scenes) if view.scenes else Message("state.merging_plain")
        case S.MERGING:
            percent = int((job.progress or 0.0) * 100)
            return Message("state.merging", {"percent": percent}) if percent else Message("state.merging_plain")
        case S.DONE if view.failed:
            return Message("state.film_without", {**scenes, "missing": len(view.failed)})
        case S.DONE:
            return Message("state.merged" if is_merge else "state.film_done", {"generator": view.generator_title})
        case S.CANCELLED:
            return Message("state.film_cancelled" if view.charged or view.made else "state.cancelled")
        case _:
            return Message("state.failed")


def _error(view: FilmView) -> Message:
    failure = view.job.failure
    values = {} if failure is None else dict(failure.values)
    return Message("" if failure is None else failure.message_id, {"generator": view.generator_title, **values})


def _facts(view: FilmView) -> tuple[Message, ...]:
    job, plan = view.job, view.plan
    facts = []
    if job.kind is JobKind.FILM:
        applied = job.applied
        count = len(plan.scenes) or plan.scenes_wanted
        facts += [
            Message("facts.scenes", {"scenes": count, "seconds": applied.seconds}),
            Message("facts.aspect", {"aspect": applied.aspect_ratio}),
            Message("facts.resolution", {"resolution": applied.resolution}),
            Message("facts.generator", {"generator": view.generator_title}),
        ]
        if plan.character:
            facts.append(Message("facts.character", {"character": shorten(plan.character, 60)}))
    else:
        facts.append(Message("facts.clips", {"clips": len(plan.clips) + len(plan.scenes)}))
    if plan.music == "song" and plan.song_seconds is not None:
        facts.append(Message("facts.song", {"seconds": plan.song_seconds}))
    elif plan.music == "built-in":
        facts.append(Message("facts.music"))
    return tuple(facts)


def _money(view: FilmView) -> Message | None:
    job = view.job
    if job.state is S.AWAITING:
        if view.price is None:
            return None
        if view.price == 0:
            return Message("money.film_free")
        values = {"credits": view.price, "spent": view.charged}
        if view.left_today is None:
            return Message("money.approve", values)
        return Message("money.approve_left", {**values, "left": view.left_today})
    if not view.charged and not view.held:
        return Message("money.free") if not job.ended or job.state is S.DONE else Message("money.not_charged")
    if view.held:
        return Message("money.film_held", {"held": view.held, "charged": view.charged})
    return Message("money.charged", {"credits": view.charged})


def _note(view: FilmView) -> Message | None:
    job = view.job
    if job.state is S.DONE and view.delivery in ("unclear", "dead"):
        return Message(f"note.delivery_{view.delivery}")
    if job.state is S.AWAITING and view.price is None:
        return Message("note.film_cannot", {"generator": view.generator_title})
    if job.ended or job.note is None:
        return None
    return Message(job.note)


def _lines(view: FilmView) -> tuple[Message, ...]:
    if view.job.state is S.AWAITING or (view.job.state is S.PLANNING and view.scenes):
        most = max(60, STORYBOARD_CHARACTERS // max(1, len(view.scenes)))
        return tuple(
            Message(
                "film.rewriting" if each.scene.number in view.rewriting else "film.planned",
                {"place": place, "text": shorten(each.scene.description, min(most, 400))},
            )
            for place, each in enumerate(view.scenes, 1)
        )
    if view.job.state is S.DONE and not view.failed:
        return ()
    return tuple(scene_line(place, each) for place, each in enumerate(view.scenes, 1))


def scene_line(place: int, view: SceneView) -> Message:
    """One scene in a line: its place in the film, how its clip is, and the beginning of its words."""
    values = {"place": place, "text": shorten(view.scene.description, LINE_CHARACTERS)}
    take = view.take
    if view.made:
        return Message("film.made", values)
    if take is None:
        return Message("film.left_out", values)
    if take.ended:
        refused = take.failure is not None and take.failure.code == DECLINED
        return Message("film.declined" if refused else "film.failed" if take.failure else "film.stopped", values)
    if take.state is S.UNCLEAR:
        return Message("film.unclear", values)
    if take.state in (S.PREPARING, S.QUEUED):
        return Message("film.waiting", values)
    if take.progress is not None and take.state is S.GENERATING:
        return Message("film.percent", {**values, "percent": int(take.progress * 100)})
    return Message("film.running", values)


def _actions(view: FilmView) -> list[Action]:
    job = view.job
    if job.cancel_wish is not None and not job.ended:
        return []
    found: list[Action] = []

    def add(*verbs: str) -> None:
        found.extend(Action(verb, Message(f"action.{verb}")) for verb in verbs)

    match job.state:
        case S.PLANNING:
            add("cancel")
        case S.AWAITING:
            if view.price:
                found.append(Action("approve", Message("action.approve_for", {"credits": view.price})))
            elif view.price == 0:
                add("approve")
            add("scenes", "cancel")
        case S.MAKING:
            add("scenes", "cancel") if job.kind is JobKind.FILM else add("cancel")
        case S.MERGING:
            pass
        case S.DONE:
            add("download")
            _add_retry(found, view)
            add(*_onward(view))
            add("copy_link", "unfavourite" if view.favourite else "favourite", "details", "delete")
        case _:
            _add_retry(found, view)
            if job.kind is JobKind.FILM and view.scenes:
                add("scenes")
            add("again", "delete") if job.kind is JobKind.FILM else add("delete")
    return found


def _onward(view: FilmView) -> tuple[str, ...]:
    """What can be made of it next; two clips that were put together go on as a clip does."""
    if view.job.kind is JobKind.FILM:
        return ("scenes", "again")
    return ("extend",) if view.plan.scenes else ()


def _add_retry(found: list[Action], view: FilmView) -> None:
    if view.failed and view.price is not None:
        name = "action.retry_scenes_for" if view.price else "action.retry_scenes"
        found.append(Action("retry_scenes", Message(name, {"scenes": len(view.failed), "credits": view.price})))
