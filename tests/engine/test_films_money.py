"""Whatever fails, and whenever the process dies: what is charged is what was made, and what is delivered was made."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.engine.parts import Caps
from core.errors import Conflict, ContentRefused, Garbled, ProviderError, Unavailable, Unclear
from core.films import FilmPlan
from core.states import JobState
from tests.engine.test_films import ANN, PAID, PRICE, film, spent
from tests.lab.filmmakers import PaidWriter
from tests.lab.stage import Stage, stage
from tests.lab.virtual_time import VirtualClock, run

FAULTS: dict[str, ProviderError] = {
    "declined": ContentRefused("no"),
    "broken": Garbled("no"),
    "gone": Unavailable("no"),
}
REFUSED = ContentRefused("no")


@dataclass(frozen=True)
class Life:
    """What befalls one film: of each scene how it ends, and what happens when, in seconds after the approval."""

    scenes: tuple[str, ...]
    script: str
    moments: tuple[tuple[float, str], ...]
    parallel: int


lives = st.builds(
    Life,
    st.lists(st.sampled_from(["made", "made", "refused", "lost", *FAULTS]), min_size=1, max_size=5).map(tuple),
    st.sampled_from(["written", "garbled", "lost"]),
    st.lists(
        st.tuples(st.floats(0.0, 150.0), st.sampled_from(["kill", "kill", "cancel", "retry", "mend and retry", "cut"])),
        max_size=4,
    ).map(lambda each: tuple(sorted(each))),
    st.integers(1, 4),
)


def script(life: Life, on: Stage) -> None:
    """Set the generator up so that each scene ends as its life says."""
    on.generator.refuses.clear()
    on.generator.fails.clear()
    on.generator.hides = True
    for number, end in enumerate(life.scenes, 1):
        word = f"scene {number} "
        if end == "refused":
            on.generator.refuses[word] = REFUSED
        elif end == "lost":
            on.generator.refuses[word] = Unclear("lost")
        elif end in FAULTS:
            on.generator.fails[word] = FAULTS[end]


@given(lives)
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_the_ledger_says_what_was_made(life: Life) -> None:
    async def go(clock: VirtualClock) -> None:
        with tempfile.TemporaryDirectory() as folder:
            await live(life, clock, Path(folder))

    run(go)


async def live(life: Life, clock: VirtualClock, folder: Path) -> None:
    errors = {"written": (), "garbled": (Garbled("no"),), "lost": (Unclear("lost"),)}[life.script]
    writer = PaidWriter(clock, 1, *errors)
    caps = Caps(scenes_of_film=life.parallel)
    film_id, began = None, 0.0
    taken: list[str] = []
    moments = list(life.moments)
    mended = False
    for _ in range(len(moments) + 1):
        async with stage(folder, clock, lab=PAID, writer=writer, caps=caps) as on:
            if not mended:
                script(life, on)
            if film_id is None:
                job = await film(on, "scene", scenes=str(len(life.scenes)))
                film_id = job.id
                await on.until(lambda on=on, job=job: planned(on, job.id))
                if life.script != "written":  # written by rules: the scripted words are put in by hand
                    await on.engine.films.change(film_id, by_hand(len(life.scenes)))
                await on.engine.films.approve(film_id, ANN)
                began = clock.monotonic()
            killed = False
            while moments and not killed:
                at, what = moments.pop(0)
                await clock.sleep(max(0.0, began + at - clock.monotonic()))
                killed = what == "kill"
                if what == "mend and retry":
                    on.generator.refuses.clear()
                    on.generator.fails.clear()
                    mended = True
                with contextlib.suppress(Conflict):
                    if what == "cancel":
                        await on.engine.cancel(film_id)
                    elif what in ("retry", "mend and retry"):
                        await on.engine.films.retry(film_id, ANN)
                    elif what == "cut":
                        await on.engine.films.cut_again(film_id)
            if not killed:
                await on.until(lambda on=on, film_id=film_id: settled(on, str(film_id)), 7200.0)
                await judged(on, str(film_id), writer)
            taken += on.generator.submits
        if not killed:
            break
    assert len(taken) == len(set(taken))


def by_hand(scenes: int) -> Callable[[FilmPlan], FilmPlan]:
    return lambda plan: plan.with_scenes([(None, f"scene {n} by hand", "") for n in range(1, scenes + 1)])


async def planned(on: Stage, film_id: str) -> bool:
    return (await on.engine.films.film(film_id)).job.state is JobState.AWAITING


async def settled(on: Stage, film_id: str) -> bool:
    """Everything of it has ended and is shown."""
    row = await on.engine.films.film(film_id)
    live = await on.parts.films.live_children(film_id)
    for job_id in live if row.job.ended else ():
        await on.engine.cancel(job_id)  # its answer is lost, and nobody wants to wait for a day
    return row.job.ended and not live and (await on.store.lane_work(film_id)).settled


async def judged(on: Stage, film_id: str, writer: PaidWriter) -> None:
    row = await on.engine.films.film(film_id)
    jobs = await on.store.database.read(
        lambda c: c.execute("SELECT kind, state, charged, clip_id FROM jobs WHERE parent_id = ?", (film_id,)).fetchall()
    )
    made = sum(each["kind"] == "clip" and each["state"] == "done" for each in jobs)
    written = sum(each["kind"] == "script" and each["state"] == "done" for each in jobs)
    assert await spent(on) == (0, made * PRICE + written * writer.price)
    assert row.charged == made * PRICE + written * writer.price
    assert all((each["charged"] == PRICE) == (each["state"] == "done") for each in jobs if each["kind"] == "clip")
    if row.job.state is JobState.DONE:
        assert row.row.clip is not None
        assert row.finished()
        sent = [each for each in await on.store.deliveries_of_job(film_id) if each.clip_id == row.row.clip.id]
        assert [each.state.value for each in sent] == ["sent"]
    assert {each.number for each in row.plan.scenes} >= set(row.takes)
