"""Orders with a template, and clips that go on and become one with the clip before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.commands.clips import extend_fields
from bot.commands.making import order
from bot.engine.templates import BUILT_IN
from core.errors import BadOption, Conflict, ContentRefused, NotFound
from core.jobs import JobKind
from core.states import JobState
from core.templates import MOST_OWN
from tests.engine.test_films import ANN, PAID, PRICE, ROOM, ended, film, reaches, spent
from tests.lab.filmmakers import PaidWriter
from tests.lab.stage import Stage, stage
from tests.lab.virtual_time import VirtualClock, run


async def account(on: Stage) -> str:
    return str(await on.store.find_account("chat", "ann"))


def test_an_order_takes_a_template_of_ones_own_or_one_that_is_there(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, writer=PaidWriter(clock, 0)) as on:
            first = await on.settled(await on.order("a harbour", template="noir"))
            assert first.wanted.prompt.startswith("a harbour, film noir")
            mine = await account(on)
            await on.store.save_template(mine, "noir", "my own {what|thing}")
            second = await on.settled(await on.order("", template="noir", fill="what=cat"))
            assert second.wanted.prompt == "my own cat"
            with pytest.raises(BadOption) as wrong:
                await on.order("a harbour", template="nothing")
            assert wrong.value.legal == "one of " + ", ".join(["noir", *(name for name in BUILT_IN if name != "noir")])
            with pytest.raises(BadOption):
                await on.order("a harbour", fill="what=cat")
            row = await reaches(on, await film(on, "a harbour", template="dream"), JobState.AWAITING)
            assert row.job.wanted.prompt.startswith("a harbour, like a dream")
            await on.store.drop_template(mine, "noir")
            with pytest.raises(NotFound):
                await on.store.drop_template(mine, "noir")
            for number in range(MOST_OWN):
                await on.store.save_template(mine, f"t{number}", "x")
            with pytest.raises(Conflict):
                await on.store.save_template(mine, "one-more", "x")
            await on.store.save_template(mine, "t1", "y")

    run(go)


def test_a_clip_that_goes_on_becomes_one_with_the_clip_before(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=PAID) as on:
            first = await on.settled(await on.order("a harbour"))
            fields = {**extend_fields(await on.store.view(first.id), "then a storm"), "join": "true"}
            job, _ = await order(on.engine, ANN, ROOM, fields)
            assert job.kind is JobKind.MERGE
            row = await ended(on, await on.engine.films.film(job.id))
            assert (row.job.state, [n for n, _ in on.media.merged]) == (JobState.DONE, [2])
            assert on.generator.applied[-1].picture is not None
            assert await spent(on) == (0, 2 * PRICE)
            clips = [each.clip for each in on.chat.messages.values() if "is ready" not in each.text]
            assert clips == [100_000, 2000]
            assert "extend" in [each.verb for each in (await on.engine.desk.card(job.id))[1].actions]
            fields = {**extend_fields(await on.store.view(job.id), "and calm again"), "join": "true"}
            longer, _ = await order(on.engine, ANN, ROOM, fields)
            assert (await on.settled(longer)).state is JobState.DONE
            assert await spent(on) == (0, 3 * PRICE)

    run(go)


@pytest.mark.parametrize(
    "fields, named", [({"join": "true"}, "join"), ({"join": "true", "variations": "2"}, "variations")]
)
def test_only_one_clip_that_goes_on_is_joined(tmp_path: Path, fields: dict[str, str], named: str) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=PAID) as on:
            first = await on.settled(await on.order("a harbour"))
            goes_on = extend_fields(await on.store.view(first.id), "then a storm") if "variations" in fields else {}
            with pytest.raises(BadOption) as wrong:
                await order(on.engine, ANN, ROOM, {**goes_on, **fields, "prompt": "then a storm"})
            assert wrong.value.field == named
            with pytest.raises(BadOption, match=named):
                await on.engine.intake.offer({**goes_on, **fields, "prompt": "x"}, with_picture=False)
            assert await spent(on) == (0, PRICE)

    run(go)


def test_a_generator_that_goes_on_from_the_clip_itself_gives_both_in_one(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=replace(PAID, extend=True)) as on:
            first = await on.settled(await on.order("a harbour"))
            fields = {**extend_fields(await on.store.view(first.id), "then a storm"), "join": "true"}
            job, _ = await order(on.engine, ANN, ROOM, fields)
            job = await on.settled(job)
            assert (job.kind, job.applied.extends is not None, on.media.merged) == (JobKind.CLIP, True, [])
            assert await spent(on) == (0, 2 * PRICE)

    run(go)


def test_when_the_clip_does_not_go_on_nothing_is_put_together_nor_charged(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=PAID) as on:
            first = await on.settled(await on.order("a harbour"))
            on.generator.fails["storm"] = ContentRefused("no")
            fields = {**extend_fields(await on.store.view(first.id), "then a storm"), "join": "true"}
            job, _ = await order(on.engine, ANN, ROOM, fields)
            row = await ended(on, await on.engine.films.film(job.id))
            assert (row.job.state, on.media.merged) == (JobState.FAILED, [])
            assert row.job.failure is not None
            assert row.job.failure.code == "CONTENT_POLICY_VIOLATION"
            assert await spent(on) == (0, PRICE)

    run(go)
