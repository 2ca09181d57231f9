"""Another generator for a clip: what is offered can be ordered, at the price that was told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.commands.clips import offers, other_fields
from bot.commands.making import order
from core.jobs import Actor
from tests.engine.test_several_pictures import HERE, ONE, kept, ordered, picture_of
from tests.lab.generator import InstantGenerator
from tests.lab.stage import stage
from tests.lab.virtual_time import VirtualClock, run


@pytest.mark.parametrize("pictures, takes, used", [(0, 0, 0), (1, 0, 1), (3, 3, 3)], ids=["words", "picture", "album"])
def test_a_clip_with_pictures_can_be_made_by_another_generator(
    tmp_path: Path, pictures: int, takes: int, used: int
) -> None:
    async def play(clock: VirtualClock) -> None:
        settings = replace(ONE, reference_images=takes)
        more = {
            "other": InstantGenerator(replace(settings, name="other", price=20)),
            "blind": InstantGenerator(replace(ONE, name="blind", image=False)),
        }
        async with stage(tmp_path, clock, seconds=5, lab=settings, more=more) as on:
            actor = Actor("chat", "ann")
            if pictures:
                job = await ordered(on, pictures, duration=6)
            else:
                job, _ = await order(on.engine, actor, HERE, {"prompt": "a lighthouse", "duration": 6})
            job = await on.settled(job)
            row = await on.store.view(job.id)
            found = await offers(on.engine, row)
            blind = [] if pictures else [("blind", "Lab blind", 40)]
            assert found == [("other", "Lab other", 20), *blind]
            again, _ = await order(on.engine, actor, HERE, other_fields(row, "other"))
            again = await on.settled(again)
            assert (again.applied.provider, again.applied.seconds, again.charged) == ("other", 6, 20)
            assert await kept(on, again) == [picture_of(n) for n in range(used)]

    run(play)
