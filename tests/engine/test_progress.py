"""How far a generator is, as it is kept: whenever the whole per cent that people are shown changes, and no oftener."""

from __future__ import annotations

from pathlib import Path

from core.ports import PollAnswer, Ticket, Waiting
from tests.lab.chat import Chat
from tests.lab.chat_platform import ENGLISH
from tests.lab.generator import LabSettings
from tests.lab.stage import Stage, stage
from tests.lab.virtual_time import VirtualClock, run

TOLD = (0.109, 0.1101, 0.1199, 0.12, 0.119, -0.5, 1.7)
KEPT = [0.109, 0.1101, 0.12, 0.119, 0.0, 1.0]


def test_progress_is_kept_whenever_its_per_cent_changes(tmp_path: Path) -> None:
    async def story(clock: VirtualClock) -> None:
        told = iter(TOLD)
        lab = LabSettings(name="lab", poll_seconds=(2.0, 5.0), maximum_seconds=3600.0, unpaid=True, price=0)
        async with stage(tmp_path, clock, lab=lab, chat=Chat(clock.monotonic)) as on:
            original = on.generator.poll

            async def poll(ticket: Ticket) -> PollAnswer:
                fraction = next(told, None)
                return await original(ticket) if fraction is None else Waiting(progress=fraction)

            on.generator.poll = poll  # type: ignore[method-assign] # what it tells is the point here
            assert (await kept_by(on))[: len(KEPT)] == KEPT

    run(story)


async def kept_by(on: Stage) -> list[float]:
    """Every progress that was written down, in order."""
    found: list[float] = []
    apply = on.store.apply

    async def noted(step: object) -> object:
        job = await apply(step)  # type: ignore[arg-type]
        if job.state.value == "generating" and job.progress is not None and found[-1:] != [job.progress]:
            found.append(job.progress)
        return job

    on.store.apply = noted  # type: ignore[method-assign,assignment]
    job = await on.order()
    await on.settled(job)
    return found


def test_a_place_in_the_generators_own_line_is_told_and_no_time_runs_before_it_begins(tmp_path: Path) -> None:
    async def story(clock: VirtualClock) -> None:
        told = iter([Waiting(queue_position=3), Waiting(queue_position=3), Waiting(queue_position=1), Waiting()])
        lab = LabSettings(
            name="lab", poll_seconds=(20.0, 20.0), maximum_seconds=3600.0, usual_seconds=100.0, progress="elapsed"
        )
        async with stage(tmp_path, clock, lab=lab, chat=Chat(clock.monotonic)) as on:
            original = on.generator.poll
            seen: list[tuple[str, str | None, bool]] = []

            async def poll(ticket: Ticket) -> PollAnswer:
                _, card = await on.engine.desk.card(job.id)
                note = None if card.note is None else ENGLISH.text(card.note, clock.now())
                seen.append((card.state.id, note, card.bar is None))
                return next(told, None) or await original(ticket)

            on.generator.poll = poll  # type: ignore[method-assign] # as above
            job = await on.order()
            row = await on.settled(job)
            line = "Lab lab is busy: your clip is number {} in its own line."
            assert seen[:5] == [
                ("state.rendering_usual", None, False),
                ("state.queued", line.format(3), True),
                ("state.queued", line.format(3), True),
                ("state.queued", line.format(1), True),
                ("state.rendering_usual", None, False),
            ]
            assert row.started_at is not None
            assert row.started_at - row.created_at >= 60_000

    run(story)
