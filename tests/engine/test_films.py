"""Films on a stage: a storyboard before money, scenes at once, what fails costs nothing, and nothing that is made is made again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.commands.making import order
from bot.engine.parts import Caps
from core.attachments import Attachment
from core.cards import Card
from core.errors import (
    BadOption,
    Conflict,
    ContentRefused,
    CredentialsRejected,
    Garbled,
    IntakePaused,
    InvalidRequest,
    ModelRetired,
    NotAllowed,
    NotFound,
    NothingSent,
    OutOfFunds,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    ReelayError,
    TimedOut,
    TooManyJobs,
    Unavailable,
    Unclear,
)
from core.jobs import Actor, Job, JobKind, Place, Receipt
from core.states import JobState
from storage.films import FilmRow
from tests.lab.filmmakers import PaidPainter, PaidWriter
from tests.lab.generator import LabSettings
from tests.lab.stage import BOOKS, Stage, stage
from tests.lab.virtual_time import VirtualClock, run

ANN = Actor("chat", "ann")
ROOM = Place("chat", chat="room")
PRICE = 40
PAID = LabSettings(name="lab", price=PRICE, poll_seconds=(2.0, 5.0), maximum_seconds=3600.0, reference_images=3)


async def film(on: Stage, idea: str = "a day at sea", **fields: Any) -> Job:
    """Order a film; what came along is in ``attachment`` and ``song``."""
    along = {name: fields.pop(name) for name in ("attachment", "song") if name in fields}
    job, _ = await order(on.engine, ANN, ROOM, {"idea": idea, **fields}, kind=JobKind.FILM, **along)
    return job


async def reaches(on: Stage, job: Job, *states: JobState, seconds: float = 7200.0) -> FilmRow:
    """Wait until the film is in one of ``states``."""

    async def look() -> FilmRow | None:
        found = await on.engine.films.film(job.id)
        return found if found.job.state in states else None

    found: FilmRow = await on.until(look, seconds)
    return found


async def storyboard(on: Stage, idea: str = "a day at sea", **fields: Any) -> FilmRow:
    """Order a film and wait for its storyboard."""
    return await reaches(on, await film(on, idea, **fields), JobState.AWAITING)


async def ended(on: Stage, row: FilmRow) -> FilmRow:
    await on.settled(row.job)
    return await on.engine.films.film(row.job.id)


async def spent(on: Stage) -> tuple[int, int]:
    """(held, spent) today by the person; every sum agrees with the ledger."""
    assert await on.store.audit_sums() == []
    known = await on.store.find_account("chat", "ann")
    account = await on.store.account(str(known))
    return account.allowances[0].held, account.allowances[0].spent


def test_an_idea_becomes_a_film(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        writer, painter = PaidWriter(clock), PaidPainter(clock)
        async with stage(tmp_path, clock, lab=PAID, writer=writer, painter=painter) as on:
            row = await storyboard(on, character="a robot", title="At sea", duration="4")
            assert writer.asked == [("a day at sea", "a robot", 4, None)]
            assert painter.asked == ["a robot"]
            assert [each.description for each in row.plan.scenes] == [f"scene {n} written 1" for n in (1, 2, 3, 4)]
            assert await spent(on) == (0, 5)
            assert on.generator.submits == []
            card = (await on.engine.desk.card(row.job.id))[1]
            assert [each.verb for each in card.actions] == ["approve", "scenes", "cancel"]
            assert card.actions[0].label.values == {"credits": 4 * PRICE}
            await on.engine.films.approve(row.job.id, ANN, agreed=4 * PRICE)
            assert await spent(on) == (4 * PRICE, 5)
            row = await ended(on, row)
            assert (row.job.state, row.charged) == (JobState.DONE, 4 * PRICE + 5)
            assert await spent(on) == (0, 4 * PRICE + 5)
            assert [n for n, _ in on.media.merged] == [4]
            assert on.media.merged[0][1].title == "At sea"
            assert on.media.merged[0][1].music == "a day at sea"
            applied = on.generator.applied
            assert {each.references for each in applied} == {(row.plan.picture_key,)}
            assert {each.character for each in applied} == {"a robot"}
            assert len({(each.look, each.seed) for each in applied}) == 1
            assert all(each.prompt.endswith("a robot") for each in applied)
            assert len(on.chat.messages) == 1
            assert [row.job.id] == [each.job.id for each in await on.store.history(row.job.account_id, limit=9)]

    run(go)


def test_scenes_run_at_once_and_the_film_counts_as_one(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        caps = Caps(running_per_person=2, waiting_per_person=3)
        async with stage(tmp_path, clock, caps=caps) as on:
            row = await storyboard(on, scenes="7")
            await on.engine.films.approve(row.job.id, ANN)
            clips = [await on.order(f"clip {n}") for n in range(4)]
            await on.until(lambda: len(on.generator.submits) >= 5)
            running = [job for job in [await on.store.job(each) for each in await _live(on)] if job.at_provider]
            assert sorted(job.parent_id is not None for job in running) == [False, True, True, True, True]
            for job in clips:
                await on.settled(job)
            assert (await ended(on, row)).job.state is JobState.DONE

    run(go)


async def _live(on: Stage) -> list[str]:
    known = await on.store.find_account("chat", "ann")
    return await on.store.live_jobs(str(known))


FAULTS: list[tuple[str, ProviderError, JobState, bool]] = [
    ("refuses", ContentRefused("no"), JobState.FAILED, True),
    ("fails", ContentRefused("no"), JobState.FAILED, True),
    ("refuses", InvalidRequest("no"), JobState.FAILED, True),
    ("refuses", ModelRetired("no"), JobState.FAILED, True),
    ("refuses", CredentialsRejected("no"), JobState.FAILED, True),
    ("refuses", OutOfFunds("no"), JobState.FAILED, True),
    ("fails", Unavailable("no"), JobState.FAILED, True),
    ("fails", TimedOut("no"), JobState.FAILED, True),
    ("fails", Garbled("no"), JobState.FAILED, True),
    ("refuses", Unclear("no"), JobState.UNCLEAR, False),
]


@pytest.mark.parametrize("when, error, state, over", FAULTS, ids=[f"{w} {type(e).__name__}" for w, e, _, _ in FAULTS])
def test_one_scene_that_comes_to_nothing_stops_nothing(
    tmp_path: Path, when: str, error: ProviderError, state: JobState, over: bool
) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=PAID, writer=PaidWriter(clock, 0)) as on:
            on.generator.hides = True
            getattr(on.generator, when)["scene 3"] = error
            row = await storyboard(on)
            await on.engine.films.approve(row.job.id, ANN)
            row = await ended(on, row)
            assert (row.job.state, [n for n, _ in on.media.merged]) == (JobState.DONE, [3])
            assert row.takes[3].job.state is state
            assert await spent(on) == (0 if over else PRICE, 3 * PRICE)
            verbs = [each.verb for each in (await on.engine.desk.card(row.job.id))[1].actions]
            assert ("retry_scenes" in verbs) is over
            if not over:
                return
            getattr(on.generator, when).clear()
            for pause in await on.store.pauses():  # the operator has put it right
                await on.store.resume(pause.provider)
            on.engine.runner.health.outdated()
            await on.engine.films.retry(row.job.id, ANN, agreed=PRICE)
            row = await ended(on, row)
            assert (row.job.state, [n for n, _ in on.media.merged]) == (JobState.DONE, [3, 4])
            assert await spent(on) == (0, 4 * PRICE)
            assert len(on.generator.submits) == (5 if when == "fails" else 4)
            assert len(await on.store.deliveries_of_job(row.job.id)) == 2

    run(go)


def test_a_scene_that_comes_after_all_is_cut_in(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=PAID, writer=PaidWriter(clock, 0)) as on:
            on.generator.hides = True
            on.generator.refuses["scene 3"] = Unclear("lost")
            row = await storyboard(on)
            await on.engine.films.approve(row.job.id, ANN)
            row = await ended(on, row)
            assert [n for n, _ in on.media.merged] == [3]
            on.generator.hides = False  # now the vendor can say what became of it
            await on.engine.check_again(row.takes[3].job.id)
            await on.until(lambda: len(on.media.merged) == 2)
            row = await ended(on, row)
            assert (row.job.state, [n for n, _ in on.media.merged]) == (JobState.DONE, [3, 4])
            assert await spent(on) == (0, 4 * PRICE)

    run(go)


def test_a_made_scene_stays_until_there_is_a_new_take_of_it(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=PAID, writer=PaidWriter(clock, 0)) as on:
            row = await storyboard(on, scenes="2")
            await on.engine.films.approve(row.job.id, ANN)
            first = await ended(on, row)
            on.generator.fails["scene 1"] = ContentRefused("no")
            await on.engine.films.retry(row.job.id, ANN, [1])
            row = await ended(on, row)
            assert row.finished() == first.finished()
            assert ([n for n, _ in on.media.merged], row.job.state) == ([2], JobState.DONE)
            on.generator.fails.clear()
            await on.engine.films.retry(row.job.id, ANN, [1])
            row = await ended(on, row)
            assert [n for n, _ in on.media.merged] == [2, 2]
            assert row.finished()[0] != first.finished()[0]
            assert await spent(on) == (0, 3 * PRICE)

    run(go)


def test_a_scene_is_tried_in_other_words_and_on_another_generator(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        from tests.lab.stage import TimedGenerator

        other = TimedGenerator(LabSettings(name="other", price=10, poll_seconds=(2.0, 5.0)), clock)
        async with stage(tmp_path, clock, lab=PAID, writer=PaidWriter(clock, 0), more={"other": other}) as on:
            on.generator.fails |= {"scene 2": ContentRefused("no"), "scene 3": ContentRefused("no")}
            row = await storyboard(on)
            await on.engine.films.approve(row.job.id, ANN)
            row = await ended(on, row)
            await on.engine.films.retry(row.job.id, ANN, [2], description="a calm sea")
            row = await ended(on, row)
            assert [each.description for each in row.plan.scenes][1] == "a calm sea"
            await on.engine.films.retry(row.job.id, ANN, [3], provider="other")
            row = await ended(on, row)
            assert [n for n, _ in on.media.merged] == [2, 3, 4]
            assert len(other.submits) == 1
            assert await spent(on) == (0, 3 * PRICE + 10)

    run(go)


def test_when_no_scene_is_made_the_film_fails_and_costs_nothing(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=PAID, writer=PaidWriter(clock, 0)) as on:
            on.generator.fails["scene"] = ContentRefused("no")
            row = await storyboard(on, scenes="2")
            await on.engine.films.approve(row.job.id, ANN)
            row = await ended(on, row)
            assert row.job.state is JobState.FAILED
            assert row.job.failure is not None
            assert row.job.failure.code == "CONTENT_POLICY_VIOLATION"
            assert (await spent(on), on.media.merged) == ((0, 0), [])
            on.generator.fails.clear()
            await on.engine.films.retry(row.job.id, ANN)
            assert (await ended(on, row)).job.state is JobState.DONE
            assert await spent(on) == (0, 2 * PRICE)

    run(go)


WRITERS = [Garbled("no"), Unclear("lost"), ContentRefused("no"), Unavailable("no"), CredentialsRejected("no")]


@pytest.mark.parametrize("error", WRITERS, ids=lambda error: type(error).__name__)
def test_without_a_script_the_scenes_are_written_by_rules_for_nothing(tmp_path: Path, error: ProviderError) -> None:
    async def go(clock: VirtualClock) -> None:
        writer = PaidWriter(clock, 1, error)
        async with stage(tmp_path, clock, lab=PAID, writer=writer) as on:
            row = await storyboard(on, scenes="3")
            assert (len(row.plan.scenes), row.plan.writer, len(writer.asked)) == (3, "local", 1)
            assert all("sea" in each.description for each in row.plan.scenes)
            assert row.job.note == "note.film_by_rules"
            assert await spent(on) == (0, 0)

    run(go)


def test_a_writer_that_was_not_reached_is_asked_again_and_no_other_is(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        writer = PaidWriter(clock, 1, NothingSent("no way there"), RateLimited("slowly", retry_after=30.0))
        async with stage(tmp_path, clock, lab=PAID, writer=writer) as on:
            row = await storyboard(on)
            assert (len(writer.asked), row.plan.writer) == (3, "writer")
            assert await spent(on) == (0, 1)

    run(go)


def test_a_call_that_a_crash_cut_off_is_not_made_twice_where_it_costs(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        writer = PaidWriter(clock)
        writer.hangs.clear()
        async with stage(tmp_path, clock, lab=PAID, writer=writer) as on:
            job = await film(on)
            await on.until(lambda: writer.asked)
        async with stage(tmp_path, clock, lab=PAID, writer=writer) as on:
            row = await reaches(on, job, JobState.AWAITING)
            assert (len(writer.asked), row.plan.writer) == (1, "local")
            assert await spent(on) == (0, 0)
        writer.price = 0
        async with stage(tmp_path, clock, lab=PAID, writer=writer) as on:
            job = await film(on)
            await on.until(lambda: len(writer.asked) == 2)
        writer.hangs.set()
        async with stage(tmp_path, clock, lab=PAID, writer=writer) as on:
            row = await reaches(on, job, JobState.AWAITING)
            assert (len(writer.asked), row.plan.writer) == (3, "writer")

    run(go)


@pytest.mark.parametrize("made", [0, 1, 3])
def test_after_a_crash_only_the_missing_scenes_are_made(tmp_path: Path, made: int) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=PAID, writer=PaidWriter(clock, 0), caps=Caps(scenes_of_film=1)) as on:
            row = await storyboard(on)
            await on.engine.films.approve(row.job.id, ANN)

            async def enough() -> bool:
                return len((await on.engine.films.film(row.job.id)).finished()) >= made

            await on.until(enough)
            first = on.generator
        before = len(first.submits)
        assert made <= before <= made + 1
        async with stage(tmp_path, clock, lab=PAID, writer=PaidWriter(clock, 0)) as on:
            row = await ended(on, row)
            assert (row.job.state, len(on.generator.submits)) == (JobState.DONE, 4 - before)
            assert [n for n, _ in on.media.merged] == [4]
            assert await spent(on) == (0, 4 * PRICE)
            assert [each.clip is not None for each in on.chat.messages.values() if "is ready" not in each.text] == [
                True
            ]

    run(go)


def test_a_cut_that_a_crash_broke_off_is_made_once_more_and_kept_once(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=PAID, writer=PaidWriter(clock, 0)) as on:
            never = asyncio.Event()

            async def hangs() -> None:
                await never.wait()

            on.media.on_merge = hangs
            row = await storyboard(on)
            await on.engine.films.approve(row.job.id, ANN)
            await on.until(lambda: on.media.merged)
        async with stage(tmp_path, clock, lab=PAID) as on:
            row = await ended(on, row)
            assert (row.job.state, len(on.media.merged), on.generator.submits) == (JobState.DONE, 1, [])
            known = await on.store.database.read(
                lambda c: c.execute(
                    "SELECT COUNT(*) FROM clips WHERE job_id = ? AND kind = 'clip'", (row.job.id,)
                ).fetchone()[0]
            )
            assert known == 1
            assert (await on.parts.clips.usage()).files == 10
            assert await spent(on) == (0, 4 * PRICE)

    run(go)


def test_a_storyboard_is_edited_before_it_is_paid(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        writer, painter = PaidWriter(clock), PaidPainter(clock)
        async with stage(tmp_path, clock, lab=PAID, writer=writer, painter=painter) as on:
            row = await storyboard(on, scenes="3", character="a cat")
            films, film_id = on.engine.films, row.job.id
            row = await films.change(
                film_id, lambda plan: plan.edited(1, "a harbour").removed(2).added("a storm", 1).moved(3, 1)
            )
            assert [(each.number, each.description) for each in row.plan.scenes] == [
                (3, "scene 3 written 1"),
                (1, "a harbour"),
                (4, "a storm"),
            ]
            await films.rewrite(film_id, ANN, 4)
            row = await _when(on, film_id, lambda row: "anew" in row.plan.scene(4).description)
            again = writer.asked[-1][3]
            assert again is not None
            assert (again.place, again.scenes[2]) == (2, "a storm")
            first = row.plan.picture_key
            await films.repaint(film_id, ANN)
            row = await _when(on, film_id, lambda row: row.plan.picture_key != first)
            assert await spent(on) == (0, 1 + 4 + 1 + 4)
            with pytest.raises(BadOption):
                await films.rewrite(film_id, ANN, 2)
            row = await films.set_shape(film_id, {"aspect_ratio": "9:16", "duration": "4"})
            row = await films.set_plan(film_id, {"title": "Cats", "transition": "crossfade", "music": "none"})
            with pytest.raises(Conflict):
                await films.change(film_id, lambda plan: plan.removed(1), version=row.job.version - 1)
            with pytest.raises(Conflict) as changed:
                await films.approve(film_id, ANN, agreed=3 * PRICE - 1)
            assert changed.value.values == {"was": 3 * PRICE - 1, "now": 3 * PRICE}
            assert await spent(on) == (0, 10)
            both = await asyncio.gather(*(films.approve(film_id, ANN) for _ in range(2)), return_exceptions=True)
            assert sum(isinstance(each, FilmRow) for each in both) >= 1
            row = await ended(on, row)
            assert len(on.generator.submits) == 3
            assert {(each.aspect_ratio, each.seconds) for each in on.generator.applied} == {("9:16", 4)}
            assert on.media.merged[0][1].transition == "crossfade"
            assert on.media.merged[0][1].music is None
            with pytest.raises(Conflict):
                await films.rewrite(film_id, ANN, 1)

    run(go)


async def _when(on: Stage, film_id: str, wanted: Any) -> FilmRow:
    async def look() -> FilmRow | None:
        row = await on.engine.films.film(film_id)
        return row if wanted(row) else None

    found: FilmRow = await on.until(look)
    return found


def test_a_character_is_kept_for_later_films(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        painter = PaidPainter(clock)
        async with stage(tmp_path, clock, lab=PAID, writer=PaidWriter(clock, 0), painter=painter) as on:
            first = await storyboard(on, character="a cat")
            second = await storyboard(on, "a day in the desert", character="a cat")
            assert len(painter.asked) == 1
            assert first.plan.picture_key == second.plan.picture_key
            await on.engine.delete(first.job.id)
            await on.engine.films.approve(second.job.id, ANN)
            assert (await ended(on, second)).job.state is JobState.DONE
            assert {each.references for each in on.generator.applied} == {(second.plan.picture_key,)}
            known = await on.parts.films.characters(second.job.account_id)
            assert [each.description for each in known] == ["a cat"]
            with pytest.raises(NotFound):
                await on.engine.films.film(first.job.id)
            jobs, clips = await on.engine.forget(second.job.account_id)
            assert (jobs, clips) == (9, 5)  # the deleted film's rows went, too
            assert (await on.parts.clips.usage()).files == 0

    run(go)


def test_what_came_along_is_opened_before_anything_is_paid(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        writer = PaidWriter(clock)
        async with stage(tmp_path, clock, lab=PAID, writer=writer) as on:
            on.chat.pictures |= {"face": b"face", "tune": b"song of the sea", "text": b"no tune"}
            face = Attachment("face", "image/png", reference={"picture": "face"})
            tune = Attachment("tune", "audio/mpeg", reference={"picture": "tune"})
            text = Attachment("text", "audio/mpeg", reference={"picture": "text"})
            row = await reaches(on, await film(on, attachment=face, song=text), JobState.FAILED)
            assert row.job.failure is not None
            assert row.job.failure.message_id == "error.song_unsupported"
            assert (writer.asked, await spent(on), (await on.parts.clips.usage()).files) == ([], (0, 0), 0)
            for large, said, found in (
                ("face", "error.picture_oversized_plain", "> 20 MB"),
                ("tune", "error.song_oversized", "> 50 MB"),
            ):
                on.chat.too_large = {large}
                row = await reaches(on, await film(on, attachment=face, song=tune), JobState.FAILED)
                assert row.job.failure is not None
                assert (row.job.failure.message_id, row.job.failure.values["found"]) == (said, found)
            on.chat.too_large = set()
            row = await storyboard(on, attachment=face, song=tune, scenes="2", fit_to_song="true")
            assert (row.plan.music, row.plan.song_seconds, row.plan.own_picture) == ("song", 90.0, True)
            await on.engine.films.approve(row.job.id, ANN)
            row = await ended(on, row)
            cutting = on.media.merged[0][1]
            assert (cutting.song is not None, cutting.music, cutting.fit_to_song) == (True, None, True)
            assert {each.references for each in on.generator.applied} == {(row.plan.picture_key,)}

    run(go)


def test_cancel_stops_what_can_be_stopped_and_charges_what_was_made(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=PAID, writer=PaidWriter(clock, 0), caps=Caps(scenes_of_film=1)) as on:
            row = await storyboard(on)
            await on.engine.films.approve(row.job.id, ANN)
            await _when(on, row.job.id, lambda row: len(row.finished()) == 1)
            await on.engine.cancel(row.job.id)
            row = await ended(on, row)
            assert (row.job.state, await spent(on), on.media.merged) == (JobState.CANCELLED, (0, PRICE), [])
            await on.engine.films.cut_again(row.job.id)
            row = await ended(on, row)
            assert (row.job.state, [n for n, _ in on.media.merged]) == (JobState.DONE, [1])

    run(go)


def test_whoever_may_not_order_changes_a_film_for_no_money_either(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=PAID, writer=PaidWriter(clock), painter=PaidPainter(clock)) as on:
            row = await storyboard(on, character="a cat")
            films, film_id, before = on.engine.films, row.job.id, await spent(on)

            async def refused(error: type[ReelayError], *ways: Callable[[], Awaitable[FilmRow]]) -> None:
                for way in ways:
                    with pytest.raises(error):
                        await way()
                after = await films.film(film_id)
                assert (after.job.version, len(after.calls), await spent(on)) == (row.job.version, 2, before)

            ways = (
                lambda: films.rewrite(film_id, ANN, 1),
                lambda: films.repaint(film_id, ANN),
                lambda: films.approve(film_id, ANN),
            )
            await on.store.pause("*", None, "the operator said so")
            await refused(IntakePaused, *ways)
            await on.store.resume("*")
            on.engine.intake.paused_for_disk = True
            await refused(IntakePaused, *ways)
            on.engine.intake.paused_for_disk = False
            await on.store.set_blocked(row.job.account_id, blocked=True)
            await refused(NotAllowed, *ways)
            await on.store.set_blocked(row.job.account_id, blocked=False)
            on.generator.fails["scene 2"] = ContentRefused("no")
            await films.approve(film_id, ANN)
            row, before = await ended(on, row), await spent(on)
            await on.store.set_blocked(row.job.account_id, blocked=True)
            await refused(NotAllowed, lambda: films.retry(film_id, ANN))

    run(go)


def test_all_scenes_are_held_or_none(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=PAID, writer=PaidWriter(clock, 0), limit=3 * PRICE) as on:
            row = await storyboard(on)
            with pytest.raises(QuotaExceeded) as short:
                await on.engine.films.approve(row.job.id, ANN)
            assert (short.value.values["needed"], short.value.values["left"]) == (4 * PRICE, 3 * PRICE)
            assert await spent(on) == (0, 0)
            row = await on.engine.films.change(row.job.id, lambda plan: plan.removed(4))
            await on.engine.films.approve(row.job.id, ANN)
            assert await spent(on) == (3 * PRICE, 0)

    run(go)


def test_a_storyboard_waits_for_a_month_through_restarts_and_then_closes(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=PAID, writer=PaidWriter(clock, 0)) as on:
            row = await storyboard(on)
        await clock.sleep(29 * 86_400 + 85_000)
        async with stage(tmp_path, clock, lab=PAID) as on:
            await on.until(lambda: True)
            assert (await on.engine.films.film(row.job.id)).job.state is JobState.AWAITING
            row = await reaches(on, row.job, JobState.FAILED, seconds=3600)
            assert row.job.failure is not None
            assert row.job.failure.message_id == "error.storyboard_expired"
            assert (await spent(on), on.generator.submits) == ((0, 0), [])
            await on.until(lambda: "waited for 30 days" in on.chat.shown()[-1].text)
            told = [each.text for each in on.chat.shown() if each.text.startswith(row.job.account_id)]
            assert told == [f"{row.job.account_id}: {BOOKS.words('en').say('error.storyboard_expired')}"]

    run(go)


def test_what_becomes_of_a_storyboard_while_it_is_being_shown_is_shown_as_well(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=PAID, writer=PaidWriter(clock, 0)) as on:
            platform, going, gone = on.parts.platforms["chat"], asyncio.Event(), asyncio.Event()
            edit = platform.edit

            async def held(receipt: Receipt, card: Card) -> Receipt:
                if "approve" in [each.verb for each in card.actions]:
                    going.set()
                    await gone.wait()
                return await edit(receipt, card)

            platform.edit = held  # type: ignore[method-assign]
            job = await film(on)
            await asyncio.wait_for(going.wait(), 60)
            await on.engine.cancel(job.id)
            await reaches(on, job, JobState.CANCELLED)
            gone.set()
            await on.settled(job)
            assert "Cancelled" in on.chat.shown()[0].text

    run(go)


def test_there_is_a_limit_to_storyboards(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, caps=Caps(waiting_per_person=2)) as on:
            for _ in range(2):
                await storyboard(on)
            with pytest.raises(TooManyJobs):
                await film(on)
            await on.settled(await on.order())

    run(go)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"scenes": "21"}, "scenes"),
    ({"scenes": "0"}, "scenes"),
    ({"scenes": "four"}, "scenes"),
    ({"idea": ""}, "prompt"),
    ({"idea": 7}, "prompt"),
    ({"character": "x" * 2001}, "character"),
    ({"title": "x" * 121}, "title"),
    ({"music": "loud"}, "music"),
    ({"music": "song"}, "music"),
    ({"transition": "wipe"}, "transition"),
    ({"clip_sound": "off"}, "clip_sound"),
    ({"fit_to_song": "maybe"}, "fit_to_song"),
    ({"video_rules_template": "x" * 2001}, "video_rules_template"),
    ({"aspect_ratio": "4:3"}, "aspect_ratio"),
    ({"duration": "7"}, "duration"),
]


@pytest.mark.parametrize("fields, named", BAD, ids=[str(each)[:40] for each, _ in BAD])
def test_a_bad_field_is_named(tmp_path: Path, fields: dict[str, Any], named: str) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock) as on:
            with pytest.raises(BadOption) as wrong:
                await film(on, **{"idea": "a day at sea", **fields})
            assert wrong.value.field == named
            assert wrong.value.legal

    run(go)


def test_variations_are_ordered_all_or_none(tmp_path: Path) -> None:
    async def go(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=PAID, limit=3 * PRICE) as on:
            with pytest.raises(QuotaExceeded):
                await on.order(answers=False, variations="4")
            assert await _live(on) == []
            first = await on.order(answers=False, variations="3", idempotency_key="three")
            assert await spent(on) == (3 * PRICE, 0)
            same = await on.order(answers=False, variations="3", idempotency_key="three")
            assert same.id == first.id
            for job_id in await _live(on):
                await on.settled(await on.store.job(job_id))
            assert (len({each.seed for each in on.generator.applied}), len(on.generator.applied)) == (3, 3)
            assert len(on.chat.messages) == 3
            assert await spent(on) == (0, 3 * PRICE)

    run(go)
