"""A clip that goes on from another one, by the clip itself or by its last picture, and one that ends with a picture."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.commands.clips import again_fields, extend_fields, other_fields
from bot.commands.making import order
from core.attachments import Attachment
from core.errors import BadOption, NotFound, Unsupported
from core.jobs import Actor, Job, Place
from core.media import Picture
from core.states import JobState
from tests.engine.test_several_pictures import album, kept, picture_of
from tests.lab.chat_platform import ENGLISH
from tests.lab.generator import InstantGenerator, LabSettings
from tests.lab.stage import QuickMedia, Stage, stage
from tests.lab.virtual_time import VirtualClock, run

HERE = Place("chat", chat="room")
CONTINUES = LabSettings(name="lab", price=40, extend=True, poll_seconds=(2.0, 5.0))
ENDS = replace(CONTINUES, last_frame=True, reference_images=3)


class Frames(QuickMedia):
    """The last picture of any clip says so."""

    async def last_frame(self, source: Path, destination: Path, *, deadline: float = 0) -> Picture:
        del source, deadline
        await asyncio.to_thread(destination.write_bytes, b"the last picture")
        return Picture(320, 180, "image/png", 1000)


async def made(on: Stage, fields: dict[str, Any], attachment: Attachment | None = None) -> Job:
    job, _ = await order(on.engine, Actor("chat", "ann"), HERE, fields, attachment=attachment)
    return await on.settled(job)


async def going_on(on: Stage, first: Job, **fields: Any) -> Job:
    return await made(on, {**extend_fields(await on.store.view(first.id), "and on"), **fields})


def test_the_generator_that_made_a_clip_goes_on_from_the_clip_itself(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=CONTINUES) as on:
            on.parts.media = Frames()  # type: ignore[assignment] # what is not asked for need not be there
            first = await made(on, {"prompt": "a shore", "resolution": "1080p", "aspect_ratio": "9:16"})
            assert first.clip_id is not None
            clip = await on.store.clip(first.clip_id)
            second = await going_on(on, first)
            assert (second.state, second.applied.extends, second.applied.pictures) == (JobState.DONE, clip.key, ())
            assert (second.applied.aspect_ratio, second.origin_id) == ("9:16", first.id)
            again = await made(on, again_fields(await on.store.view(second.id)))
            assert again.applied.extends == clip.key
            told = [(await on.engine.desk.status(await on.store.view(job.id), ENGLISH)) for job in (first, second)]
            assert [each["begins_with"] for each in told] == [None, "clip"], (
                "whoever orders it again can tell that it goes on"
            )
            await on.engine.delete(first.id)
            with pytest.raises(NotFound):
                await made(on, again_fields(await on.store.view(second.id)))

    run(play)


def test_a_continuation_takes_what_the_generator_can_continue_with_unless_it_was_wished(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=CONTINUES) as on:
            can = on.generator.capabilities
            on.generator.capabilities = replace(can, extend_seconds=(7,), extend_resolutions=("720p",))
            first = await made(on, {"prompt": "a shore", "resolution": "1080p"})
            second = await going_on(on, first)
            assert (second.applied.seconds, second.applied.resolution, second.changed) == (7, "720p", ())
            with pytest.raises(Unsupported) as refused:
                await going_on(on, first, resolution="1080p")
            assert refused.value.values["legal"] == "720p"

    run(play)


def test_another_generator_goes_on_from_the_last_picture(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        other = InstantGenerator(replace(CONTINUES, name="other"))
        async with stage(tmp_path, clock, seconds=5, lab=CONTINUES, more={"other": other}) as on:
            on.parts.media = Frames()  # type: ignore[assignment] # as above
            first = await made(on, {"prompt": "a shore"})
            second = await going_on(on, first, provider="other")
            assert (second.applied.extends, await kept(on, second)) == (None, [b"the last picture"])
            natively = await going_on(on, first)
            elsewhere = await made(on, other_fields(await on.store.view(natively.id), "other"))
            assert (elsewhere.applied.extends, await kept(on, elsewhere)) == (None, [b"the last picture"])

    run(play)


def test_a_clip_whose_generator_has_gone_goes_on_elsewhere_from_its_last_picture(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        gone = InstantGenerator(replace(CONTINUES, name="gone"))
        more = {"gone": gone}
        async with stage(tmp_path, clock, seconds=5, lab=CONTINUES, more=more) as on:
            on.parts.media = Frames()  # type: ignore[assignment] # as above
            first = await made(on, {"prompt": "a shore", "provider": "gone"})
            providers = {name: each for name, each in on.parts.providers.items() if name != "gone"}
            on.parts.providers = providers
            second = await going_on(on, first)
            assert (second.applied.provider, await kept(on, second)) == ("lab", [b"the last picture"])

    run(play)


def test_a_clip_that_a_live_job_goes_on_from_is_kept(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=CONTINUES) as on:
            first = await made(on, {"prompt": "a shore"})
            assert first.clip_id is not None
            clip = await on.store.clip(first.clip_id)
            on.generator.seconds = 1e6
            fields = extend_fields(await on.store.view(first.id), "and on")
            second, _ = await order(on.engine, Actor("chat", "ann"), HERE, fields)
            before = clock.now() + 86_400_000
            assert await on.store.expire_files(before) == []
            await on.engine.cancel(second.id)
            await on.settled(second)
            assert clip.key in await on.store.expire_files(before)

    run(play)


def ending(names: list[str]) -> Attachment:
    """An album whose last picture is the clip's end."""
    pictures = album(names).pictures
    first, *more = [replace(each, more=(), is_last=each is pictures[-1]) for each in pictures]
    return replace(first, more=tuple(more))


@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_clip_ends_with_its_last_picture_whatever_it_begins_with(tmp_path: Path, before: int) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=ENDS) as on:
            names = [f"p{n}" for n in range(before + 1)]
            on.chat.pictures.update({name: picture_of(n) for n, name in enumerate(names)})
            job = await made(on, {"prompt": "a shore"}, ending(names))
            assert (job.wanted.pictures, job.wanted.last_frame) == (before, True)
            assert await kept(on, job) == [picture_of(n) for n in range(before + 1)]
            applied = job.applied
            assert applied.last_picture == applied.pictures[-1]
            assert (applied.picture is not None, len(applied.references)) == (before == 1, 2 if before == 2 else 0)
            again = await made(on, again_fields(await on.store.view(job.id)))
            assert again.applied.pictures == applied.pictures
            assert again.applied.last_picture == applied.last_picture
            await on.engine.delete(job.id)
            assert await kept(on, again) == [picture_of(n) for n in range(before + 1)]

    run(play)


def test_where_a_generator_ends_with_no_picture_the_order_is_refused(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        async with stage(tmp_path, clock, seconds=5, lab=CONTINUES) as on:
            with pytest.raises(Unsupported) as refused:
                await made(on, {"prompt": "a shore"}, ending(["p0", "p1"]))
            assert refused.value.values["field"] == "last_image_file"
            first = await made(on, {"prompt": "a shore"})
            with pytest.raises(BadOption):
                await made(on, extend_fields(await on.store.view(first.id), "on"), album(["p0"]))

    run(play)


@pytest.mark.parametrize(
    "wish, attached, taken",
    [
        ({"prompt": "a shore"}, [], "words"),
        ({"prompt": "a shore"}, ["p0"], "lab"),
        ({"prompt": "a shore"}, ["p0", "p1"], "lab"),
        ({"line": "Good morning."}, [], "talks"),
        ({"prompt": "a shore", "provider": "talks"}, [], "talks"),
    ],
)
def test_what_the_default_generator_makes_not_at_all_is_made_by_the_next_that_does(
    tmp_path: Path, wish: dict[str, Any], attached: list[str], taken: str
) -> None:
    """The default one animates pictures only, and one of them."""

    async def play(clock: VirtualClock) -> None:
        words = InstantGenerator(replace(CONTINUES, name="words", image=False, reference_images=3))
        talks = InstantGenerator(replace(CONTINUES, name="talks", speech=True))
        async with stage(tmp_path, clock, seconds=5, lab=CONTINUES, more={"words": words, "talks": talks}) as on:
            on.generator.capabilities = replace(on.generator.capabilities, text=False)
            on.chat.pictures.update({name: picture_of(n) for n, name in enumerate(attached)})
            job = await made(on, wish, album(attached) if attached else None)
            assert (job.state, job.applied.provider) == (JobState.DONE, taken)

    run(play)


def test_a_named_generator_that_cannot_do_it_is_not_replaced(tmp_path: Path) -> None:
    async def play(clock: VirtualClock) -> None:
        words = InstantGenerator(replace(CONTINUES, name="words"))
        async with stage(tmp_path, clock, seconds=5, lab=CONTINUES, more={"words": words}) as on:
            on.generator.capabilities = replace(on.generator.capabilities, text=False)
            with pytest.raises(Unsupported):
                await made(on, {"prompt": "a shore", "provider": "lab"})

    run(play)
