"""What a card promises: the wait of the generator and of the person's own jobs, and another generator only where one could do it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from bot.engine.parts import Caps, Parts
from bot.engine.status import StatusDesk
from bot.engine.words import Words
from core.ports import Provider
from core.states import JobState
from providers.rules import LocalScenes
from storage.film_store import FilmStore
from storage.store import SqliteStore
from storage.views import JobRow
from tests.core.examples import applied, capabilities, job, wanted
from tests.storage.store_world import HandClock, a_store, accepted, submitted


class Known:
    """A generator of which only the facts matter."""

    def __init__(self, name: str, **fields: Any) -> None:
        self.capabilities = capabilities(name=name, **fields)


def desk_of(store: Any, clock: HandClock, own: int = 2, **generators: dict[str, Any]) -> StatusDesk:
    parts = Parts(
        store=store,
        clips=cast("Any", None),
        media=cast("Any", None),
        clock=clock,
        alerts=cast("Any", None),
        providers={name: cast("Provider", Known(name, **facts)) for name, facts in generators.items()},
        default_provider="local",
        writer=LocalScenes(),
        plain_writer=LocalScenes(),
        painter=cast("Any", None),
        films=FilmStore(store),
        words=Words,
        caps=Caps(running_per_person=own),
    )
    return StatusDesk(parts, 30)


async def line(store: SqliteStore, who: str, running: int, waiting: int) -> str:
    """So many jobs of somebody's; returns the id of the last one."""
    made = ""
    for number in range(running + waiting):
        made = (await accepted(store, who)).id
        if number < running:
            await submitted(store, await store.job(made))
    return made


@pytest.mark.parametrize(
    "running, waiting, own, seconds",
    [
        (0, 1, 2, 1.0),
        (1, 1, 2, 1.0),
        (2, 1, 2, 5.0),
        (2, 2, 2, 15.0),
        (1, 1, 1, 10.0),
        (2, 1, 10, 1.0),
    ],
    ids=["first", "second of two", "third of two", "fourth of two", "second of one", "many allowed"],
)
async def test_the_third_job_of_somebody_who_may_run_two_waits_for_their_own(
    tmp_path: Path, running: int, waiting: int, own: int, seconds: float
) -> None:
    clock = HandClock()
    async with a_store(tmp_path, clock) as store:
        desk = desk_of(store, clock, own, local={"usual_seconds": 20.0, "most_active": 10})
        last = await line(store, "ann", running, waiting)
        view = await desk.view(await store.view(last))
        assert view.queue_position == waiting
        assert view.queue_seconds == pytest.approx(max(seconds, 20 * (waiting - 0.5) / 10))


async def test_other_peoples_jobs_are_only_the_generators_line(tmp_path: Path) -> None:
    clock = HandClock()
    async with a_store(tmp_path, clock) as store:
        desk = desk_of(store, clock, local={"usual_seconds": 20.0, "most_active": 10})
        await line(store, "bob", 2, 3)
        last = await line(store, "ann", 0, 1)
        row = await store.view(last)
        assert row.own_ahead == 0
        assert (await desk.view(row)).queue_seconds == pytest.approx(20 * ((row.queue_position or 0) - 0.5) / 10)


@pytest.mark.parametrize(
    "wish, picture, other, offered",
    [
        ({}, None, {}, True),
        ({}, None, {"text": False}, False),
        ({}, "key", {"image": False}, False),
        ({}, "key", {"text": False}, True),
        ({"line": "hello"}, None, {}, False),
        ({"negative_prompt": "fog"}, None, {"negative_prompt": False}, False),
        ({"aspect_ratio": "9:16", "explicit": frozenset({"aspect_ratio"})}, None, {"aspects": ("16:9",)}, False),
        ({"aspect_ratio": "9:16"}, None, {"aspects": ("16:9",)}, True),
        ({"seed": 7, "explicit": frozenset({"seed"})}, None, {"seed": False}, True),
        ({"model": "scenery-1", "explicit": frozenset({"model"})}, None, {"models": ("other",)}, True),
        ({"prompt": ""}, None, {}, False),
    ],
)
async def test_another_generator_is_offered_only_where_one_could_make_it(
    wish: dict[str, Any], picture: str | None, other: dict[str, Any], *, offered: bool
) -> None:
    failed = job(JobState.FAILED, wanted=wanted(**wish), applied=applied(picture=picture), price=0)
    row = JobRow(job=failed, clip=None, favourite=False, queue_position=None, has_source=picture is not None)

    class Store:
        async def usual_seconds(self, *_: object) -> float:
            return 1.0

    alone = desk_of(Store(), HandClock(), local={})
    two = desk_of(Store(), HandClock(), local={}, other=other)
    assert (await alone.view(row)).may_do_another is False
    assert (await two.view(row)).may_do_another is offered
