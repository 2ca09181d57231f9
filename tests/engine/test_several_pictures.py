"""An order with several pictures: what of them is used, what is said about the rest, and that none is ever left behind."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp.test_utils import make_mocked_request
from PIL import Image

from bot.clock import SystemClock
from bot.commands.clips import again_fields
from bot.commands.making import order
from bot.engine.pictures import StoredPictures
from bot.platforms.web.clips import ClipRoutes
from bot.platforms.web.site import Site
from core.attachments import Attachment
from core.errors import CorruptMedia, NotFound, Unreachable, WasDone
from core.jobs import Actor, Job, Place
from core.requests import MOST_PICTURES
from core.states import JobState
from media.tools import MediaTools
from storage.folder import FolderClipStore
from tests.engine.test_leftovers import breaks, files
from tests.lab.chat_platform import ENGLISH
from tests.lab.generator import InstantGenerator, LabGenerator, LabSettings
from tests.lab.stage import Stage, stage
from tests.lab.vendor import Vendor
from tests.lab.virtual_time import VirtualClock, run
from tests.media.hostile import photo

HERE = Place("chat", chat="room")
REFERENCES = LabSettings(name="lab", price=40, poll_seconds=(2.0, 5.0), reference_images=3)
ONE = replace(REFERENCES, reference_images=0)


def album(names: list[str]) -> Attachment:
    """As a platform hands several pictures over: the first one brings the others along."""
    first, *more = [Attachment(name, "image/jpeg", reference={"picture": name}) for name in names]
    return replace(first, more=tuple(more))


def picture_of(n: int) -> bytes:
    """Of every number another length."""
    return b"picture" + bytes([n]) * (n + 1)


async def ordered(on: Stage, pictures: int, **fields: Any) -> Job:
    """Order with so many pictures, each of other bytes."""
    names = [f"p{n}" for n in range(pictures)]
    on.chat.pictures.update({name: picture_of(n) for n, name in enumerate(names)})
    fields = {"prompt": "a lighthouse", **fields}
    job, _ = await order(on.engine, Actor("chat", "ann"), HERE, fields, attachment=album(names))
    return job


async def read(on: Stage, key: str) -> bytes:
    async with on.parts.clips.checkout(key) as path:
        return await asyncio.to_thread(path.read_bytes)


async def kept(on: Stage, job: Job) -> list[bytes]:
    """The bytes of the job's pictures, in its order."""
    return [await read(on, key) for key in job.applied.pictures]


async def sources(on: Stage) -> dict[str, str | None]:
    """Key and job of every source picture that has a row."""
    sql = "SELECT key, job_id FROM clips WHERE kind = 'source'"
    return await on.store.database.read(lambda c: {row["key"]: row["job_id"] for row in c.execute(sql).fetchall()})


def fetched(on: Stage) -> int:
    return sum(line.call == "picture" for line in on.chat.journal)


async def said(on: Stage, job: Job) -> str:
    """What the card says about changes, in English."""
    _, card = await on.engine.desk.card(job.id)
    return " ".join(ENGLISH.text(each) for each in card.changed)


@pytest.mark.blocks("opens pictures of a few hundred pixels")
async def test_real_pictures_reach_the_vendor_clean_and_in_their_order(tmp_path: Path) -> None:
    """Real time, real children, a vendor over HTTP; only the chat is played."""
    clock, tools = SystemClock(), MediaTools(tmp_path / "work", spare=False)
    await tools.start()
    with Vendor() as vendor:
        pictures = FolderClipStore(tmp_path / "clips", budget_bytes=None)
        settings = LabSettings(name="paid", url=vendor.url, reference_images=4)
        more = {"paid": LabGenerator(settings, StoredPictures(pictures, tools))}
        async with stage(tmp_path, cast("VirtualClock", clock), more=more) as on:
            on.parts.media = tools
            marked = Image.Exif()
            marked[0x010E] = "a secret place"
            for n in range(3):
                on.chat.pictures[f"p{n}"] = photo((200 + n, 120), exif=marked)
            for number in (1, 3):
                fields = {"prompt": f"album of {number}", "provider": "paid"}
                names = [f"p{n}" for n in range(number)]
                job, _ = await order(on.engine, Actor("chat", "ann"), HERE, fields, attachment=album(names))
                assert (await on.settled(job, 60)).state is JobState.DONE
            [alone], [together] = vendor.of("album of 1"), vendor.of("album of 3")
            assert alone.picture is not None
            assert (alone.references, together.picture) == ((), None)
            arrived = [Image.open(io.BytesIO(data)) for data in (alone.picture, *together.references)]
            assert [each.size for each in arrived] == [(200, 120), (200, 120), (201, 120), (202, 120)]
            assert all(b"secret" not in data for data in (alone.picture, *together.references))
            await more["paid"].close()
    await tools.close()


@pytest.mark.parametrize("sent, used", [(2, 2), (3, 3), (5, 3)])
def test_several_pictures_are_references_up_to_the_generators_number(tmp_path: Path, sent: int, used: int) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=REFERENCES) as on:
            job = await on.settled(await ordered(on, sent))
            assert (job.state, job.attachment, job.applied.picture) == (JobState.DONE, None, None)
            assert job.applied.references == job.applied.pictures
            assert await kept(on, job) == [picture_of(n) for n in range(used)]
            assert await sources(on) == dict.fromkeys(job.applied.references, job.id)
            assert fetched(on) == used, "what is not used is not even fetched"
            assert job.attempt_id is not None
            assert (await on.store.attempt(job.attempt_id)).applied.references == job.applied.references
            assert (await on.store.view(job.id)).has_source
            [row] = await on.store.history(job.account_id, limit=9, only="with_image")
            assert row.job.id == job.id
            told = "With Lab lab I can use 3 pictures at most, so I took the first 3 of your 5."
            assert await said(on, job) == ("" if used == sent else told)

    run(play)


@pytest.mark.parametrize("takes", [0, 1])
def test_without_references_the_first_is_the_beginning_and_no_other_generator_is_taken(
    tmp_path: Path, takes: int
) -> None:
    async def play(clock: VirtualClock) -> None:
        able = InstantGenerator(replace(REFERENCES, name="able"))
        lab = replace(ONE, reference_images=takes)
        async with stage(tmp_path, clock, seconds=5, lab=lab, more={"able": able}) as on:
            job = await on.settled(await ordered(on, 3))
            assert (job.applied.provider, job.applied.references) == ("lab", ())
            assert job.applied.pictures == (job.applied.picture,)
            assert await kept(on, job) == [picture_of(0)]
            assert (fetched(on), len(await sources(on))) == (1, 1)
            assert await said(on, job) == "Lab lab makes a clip from one picture, so I took the first of your 3."

    run(play)


def test_no_more_than_ten_are_used_whatever_a_generator_takes(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=replace(REFERENCES, reference_images=14)) as on:
            job = await on.settled(await ordered(on, 12))
            assert len(job.applied.references) == fetched(on) == MOST_PICTURES == 10
            assert "I can use 10 pictures at most" in await said(on, job)

    run(play)


@pytest.mark.parametrize("times, state", [(2, JobState.DONE), (9, JobState.FAILED)])
def test_all_are_kept_or_none(tmp_path: Path, times: int, state: JobState) -> None:
    """The last one is out of reach: what was kept before it goes, and is fetched again at the next try."""

    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=1e6, lab=REFERENCES) as on:
            chat, left, seen = on.parts.platforms["chat"], times, list[int]()
            real = chat.open

            async def open_(place: Place, attachment: Attachment) -> AsyncIterator[bytes]:
                nonlocal left
                if attachment.name == "p0":
                    seen.append(await files(on))
                if attachment.name == "p2" and left:
                    left -= 1
                    raise Unreachable("not now", was_done=WasDone.NO)
                async for piece in real(place, attachment):
                    yield piece

            chat.open = open_  # type: ignore[method-assign]
            job = await ordered(on, 3)

            async def prepared() -> bool:
                return (await on.store.job(job.id)).state is not JobState.PREPARING

            await on.until(prepared)
            job = await on.store.job(job.id)
            assert job.ended is (state is JobState.FAILED)
            tries = 3 if state is JobState.DONE else 4
            assert seen == [1] * tries, "at each try only the file that is being written"
            assert await files(on) == len(await sources(on)) == (0 if job.ended else 3)

    run(play)


@pytest.mark.parametrize("why", ["no picture", "too slow"])
def test_one_that_cannot_be_used_ends_the_order_and_leaves_no_file(tmp_path: Path, why: str) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=REFERENCES) as on:
            real, opened = on.parts.media.normalise_image, 0

            async def normalise(*arguments: Any, **more: Any) -> Any:
                nonlocal opened
                opened += 1
                if why == "too slow":
                    await asyncio.sleep(50)  # each in time, but not three of them
                elif opened == 3:
                    raise CorruptMedia("no picture")
                return await real(*arguments, **more)

            on.parts.media.normalise_image = normalise  # type: ignore[method-assign]
            began = clock.monotonic()
            job = await on.settled(await ordered(on, 3))
            assert (job.state, job.charged, opened) == (JobState.FAILED, 0, 3)
            assert job.failure is not None
            too_long = job.failure.message_id == "error.preparing_too_long"
            assert too_long is (why == "too slow")
            assert clock.monotonic() - began < 140, "the two minutes of the state"
            assert (await files(on), await sources(on)) == (0, {})

    run(play)


def test_pictures_whose_rows_cannot_be_written_are_not_left(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=1e6, lab=REFERENCES) as on:
            left = breaks(on, 3, JobState.QUEUED)
            job = await ordered(on, 3)

            async def queued() -> bool:
                return len((await on.store.job(job.id)).applied.references) == 3

            await on.until(queued)
            await asyncio.sleep(1)
            assert (left(), await files(on)) == (0, 3)

    run(play)


@pytest.mark.parametrize("how", ["cancel", "delete", "forget", "prepare"])
def test_uploads_of_ours_go_when_they_are_prepared_or_their_job_ends(tmp_path: Path, how: str) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=1e6, lab=REFERENCES) as on:
            at_work, go_on = asyncio.Event(), asyncio.Event()
            real = on.parts.media.normalise_image

            async def slowly(*arguments: Any, **more: Any) -> Any:
                at_work.set()
                await go_on.wait()
                return await real(*arguments, **more)

            on.parts.media.normalise_image = slowly  # type: ignore[method-assign]
            pictures = []
            for n in range(3):
                async with on.parts.clips.incoming(suffix=".upload", max_bytes=1000) as upload:
                    await upload.write(f"picture {n}".encode())
                    stored = await upload.keep()
                pictures.append(Attachment("a", "image/png", stored.bytes, key=stored.key))
            first = replace(pictures[0], more=tuple(pictures[1:]))
            job, _ = await order(on.engine, Actor("chat", "ann"), HERE, {"prompt": "a sea"}, attachment=first)
            await at_work.wait()
            assert {each.key for each in pictures} <= await on.store.keys_in_use()
            if how == "cancel":
                await on.engine.cancel(job.id)
            elif how == "delete":
                await on.engine.delete(job.id)
            elif how == "forget":
                await on.engine.forget(job.account_id)
            go_on.set()
            await asyncio.sleep(5)
            assert await files(on) == (3 if how == "prepare" else 0)

    run(play)


@pytest.mark.parametrize("how", ["delete", "forget", "retention"])
def test_every_picture_is_erased_with_its_job(tmp_path: Path, how: str) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=REFERENCES) as on:
            job = await on.settled(await ordered(on, 3))
            assert await files(on) == 5, "three pictures, the clip and its poster"
            if how == "delete":
                await on.engine.delete(job.id)
                assert (await on.store.job(job.id)).applied.pictures == ()
            elif how == "forget":
                await on.engine.forget(job.account_id)
            else:
                clock.shift += 31 * 86_400
                await on.engine.housekeeping.expire()
            assert (await files(on), await sources(on)) == (0, {})

    run(play)


def test_again_takes_all_references_along_and_keeps_them_alive(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        one = InstantGenerator(replace(ONE, name="one"))
        async with stage(tmp_path, clock, seconds=5, lab=REFERENCES, more={"one": one}) as on:
            first = await on.settled(await ordered(on, 3))
            fields = again_fields(await on.store.view(first.id))
            _, price = await on.engine.intake.offer(fields, with_picture=False, account_id=first.account_id)
            assert price == 40
            again, _ = await order(on.engine, Actor("chat", "ann"), HERE, fields)
            again = await on.settled(again)
            assert again.applied.references == first.applied.references
            assert (again.changed, fetched(on)) == ((), 3)
            elsewhere, _ = await order(on.engine, Actor("chat", "ann"), HERE, {**fields, "provider": "one"})
            elsewhere = await on.settled(elsewhere)
            assert elsewhere.applied.pictures == (first.applied.references[0],)
            assert [each.message_id for each in elsewhere.changed] == ["change.one_picture"]

            await on.engine.delete(first.id)
            begins, *rest = again.applied.references
            assert await sources(on) == {begins: elsewhere.id, **dict.fromkeys(rest, again.id)}
            assert await kept(on, again) == [picture_of(n) for n in range(3)]
            await on.engine.delete(elsewhere.id)
            assert await sources(on) == dict.fromkeys(again.applied.references, again.id)
            await on.engine.delete(again.id)
            assert (await files(on), await sources(on)) == (0, {})
            with pytest.raises(NotFound):
                await order(on.engine, Actor("chat", "ann"), HERE, fields)

    run(play)


def test_retention_spares_references_that_a_live_job_took_along(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=REFERENCES) as on:
            first = await on.settled(await ordered(on, 2))
            on.generator.seconds = 1e6
            again, _ = await order(on.engine, Actor("chat", "ann"), HERE, again_fields(await on.store.view(first.id)))
            before = clock.now() + 86_400_000
            assert first.clip_id is not None
            clip = await on.store.clip(first.clip_id)
            assert sorted(await on.store.expire_files(before)) == sorted([clip.key, clip.poster_key or ""])
            await on.engine.cancel(again.id)
            await on.settled(again)
            assert sorted(await on.store.expire_files(before)) == sorted(first.applied.references)

    run(play)


def test_an_estimate_says_what_would_become_of_so_many_pictures(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, lab=REFERENCES) as on:
            for sent, told in ((1, []), (3, []), (4, ["change.references_most"])):
                offer, _ = await on.engine.intake.offer({"prompt": "x"}, with_picture=True, pictures=sent)
                assert (offer.wanted.pictures, [each.message_id for each in offer.changed]) == (sent, told)

    run(play)


def test_the_page_is_given_the_first_of_several(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=REFERENCES) as on:
            job = await on.settled(await ordered(on, 3))
            status = await on.engine.desk.status(await on.store.view(job.id), ENGLISH)
            address = f"/api/video_chat/sources/{job.id}"
            assert status["source_url"] == address

            class Page:
                engine = on.engine

                async def caller(self, _request: object) -> SimpleNamespace:
                    return SimpleNamespace(account_id=job.account_id)

            asked = make_mocked_request("HEAD", address, match_info={"id": job.id})
            given = await ClipRoutes(cast("Site", Page())).source(asked)
            assert (given.status, given.content_length) == (200, len(picture_of(0)))

    run(play)
