from __future__ import annotations

import asyncio
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from core.errors import CorruptMedia, UnsupportedMedia
from core.media import Cutting, MergeReason
from media.copying import Lane
from media.source import open_clip
from media.tools import MediaTools
from tests.media.canned import canned_clip
from tests.media.conftest import Shelf


def colours(path: Path) -> list[tuple[int, ...]]:
    """The ground colour of every picture, at a place where the bar is not."""
    found = []
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            picture = frame.to_ndarray(format="rgb24")
            column = (number % 48 * 4 + picture.shape[1] // 2) % picture.shape[1]
            found.append(tuple(int(value) for value in picture[picture.shape[0] // 2, column]))
    return found


def loudness(path: Path) -> list[float]:
    """RMS of every tenth of a second."""
    with av.open(str(path)) as container:
        heard = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    return [float(np.sqrt((heard[:, at : at + 4800] ** 2).mean())) for at in range(0, heard.shape[1] - 4799, 4800)]


def tones(path: Path, at: float) -> set[int]:
    """Which of the canned tones sound during a tenth of a second."""
    with av.open(str(path)) as container:
        heard = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)[0]
    power = np.abs(np.fft.rfft(heard[int(at * 48_000) :][:4800])) / 4800
    return {hertz for hertz in (330, 2000) if power[hertz // 10 - 2 : hertz // 10 + 3].max() > 0.02}


async def test_clips_that_agree_are_copied_frame_for_frame(tools: MediaTools, shelf: Shelf, tmp_path: Path) -> None:
    told = await tools.merge([shelf.blue, shelf.red, shelf.blue, shelf.red], tmp_path / "film.mp4")
    assert told.copied
    assert told.why is MergeReason.SAME
    seen = await tools.inspect(tmp_path / "film.mp4")
    assert (seen.frames, seen.seconds, told.seconds) == (192, 8.0, 8.0)
    assert seen.faststart
    ground = colours(tmp_path / "film.mp4")
    assert len(ground) == 192
    assert [red > blue for red, _, blue in (ground[at] for at in (0, 47, 48, 95, 96, 143, 144, 191))] == [
        False,
        False,
        True,
        True,
    ] * 2
    with av.open(str(tmp_path / "film.mp4")) as container:
        for kind in ("video", "audio"):
            container.seek(0)
            times = [packet.dts for packet in container.demux(**{kind: 0}) if packet.dts is not None]
            assert all(later > earlier for earlier, later in pairwise(times))
    assert min(loudness(tmp_path / "film.mp4")[1:79]) > 0.1


async def test_sound_that_outlasts_its_pictures_does_not_eat_the_next_clip(
    tools: MediaTools, shelf: Shelf, tmp_path: Path
) -> None:
    canned_clip(tmp_path / "long_sound.mp4", seconds=2, sound_seconds=2.6, colour=(20, 40, 200))
    canned_clip(tmp_path / "high.mp4", seconds=2, hertz=2000, colour=(200, 30, 30))
    told = await tools.merge([tmp_path / "long_sound.mp4", tmp_path / "high.mp4"], tmp_path / "film.mp4")
    assert (told.copied, told.seconds) == (True, 4.0)
    assert tones(tmp_path / "film.mp4", 2.05) == {2000}


async def test_sound_that_ends_early_does_not_pull_the_next_clip_forward(tools: MediaTools, tmp_path: Path) -> None:
    canned_clip(tmp_path / "short_sound.mp4", seconds=2, sound_seconds=0.5)
    canned_clip(tmp_path / "high.mp4", seconds=2, fps=12, hertz=2000)
    told = await tools.merge([tmp_path / "short_sound.mp4", tmp_path / "high.mp4"], tmp_path / "film.mp4")
    assert told.why is MergeReason.FRAME_RATE
    assert tones(tmp_path / "film.mp4", 0.2) == {330}
    assert tones(tmp_path / "film.mp4", 1.5) == set()
    assert tones(tmp_path / "film.mp4", 2.1) == {2000}


def test_a_packet_whose_time_does_not_rise_is_left_out(shelf: Shelf, tmp_path: Path) -> None:
    """The priming of AAC overlaps at a join; the container refuses a time that stands still with error 22."""
    with av.open(str(tmp_path / "film.mp4"), "w") as target, open_clip(shelf.blue) as clip:
        assert clip.audio is not None
        lane = Lane(target, clip.audio)
        lane.begin(clip.audio, Fraction(0), None)
        packets = [packet for packet in clip.container.demux(clip.audio) if packet.size][:5]
        for packet in [*packets[:3], packets[2], *packets[3:]]:
            lane.write(packet)
    with av.open(str(tmp_path / "film.mp4")) as film:
        assert film.streams.audio[0].frames == 5


async def test_a_crossfade_shares_half_a_second_and_blends(tools: MediaTools, shelf: Shelf, tmp_path: Path) -> None:
    fractions: list[float] = []
    canned_clip(tmp_path / "high.mp4", seconds=2, hertz=2000, colour=(200, 30, 30))
    told = await tools.merge(
        [shelf.blue, tmp_path / "high.mp4"], tmp_path / "film.mp4", Cutting("crossfade"), fractions.append
    )
    assert (told.copied, told.why, told.seconds) == (False, MergeReason.CROSSFADE, 3.5)
    seen = await tools.inspect(tmp_path / "film.mp4")
    assert (seen.frames, seen.seconds) == (48 + 48 - 12, 3.5)
    ground = colours(tmp_path / "film.mp4")
    assert ground[20][2] > 150 > ground[20][0]
    assert ground[60][0] > 150 > ground[60][2]
    middle = ground[42]
    assert 70 < middle[0] < 150
    assert 70 < middle[2] < 150
    assert min(loudness(tmp_path / "film.mp4")[1:34]) > 0.08
    assert tones(tmp_path / "film.mp4", 1.0) == {330}
    assert tones(tmp_path / "film.mp4", 1.7) == {330, 2000}
    assert tones(tmp_path / "film.mp4", 2.5) == {2000}
    assert fractions[-1] == 1.0


@pytest.mark.parametrize(
    "second, why, size",
    [
        ("silent", MergeReason.SOUND_MISSING, (320, 180)),
        ("upright", MergeReason.SIZE, (320, 180)),
        ("webm", MergeReason.CONTAINER, (320, 180)),
        ("noisy", MergeReason.SIZE, (640, 360)),
    ],
)
async def test_clips_that_differ_are_conformed_to_the_first(
    tools: MediaTools, shelf: Shelf, tmp_path: Path, second: str, why: MergeReason, size: tuple[int, int]
) -> None:
    """In the first one's shape, as large as the largest; where only sound is missing, pictures stay as they are."""
    other: Path = getattr(shelf, second)
    told = await tools.merge([shelf.red, other], tmp_path / "film.mp4")
    assert (told.copied, told.why) == (second == "silent", why)
    seen, given = await tools.inspect(tmp_path / "film.mp4"), await tools.inspect(other)
    assert (seen.width, seen.height, seen.fps, seen.audio_codec) == (*size, 24.0, "aac")
    assert seen.frames == 48 + given.frames
    loud = loudness(tmp_path / "film.mp4")
    assert loud[10] > 0.1
    assert (max(loud[22:38]) < 0.001) == (second == "silent")
    if second == "upright":
        with av.open(str(tmp_path / "film.mp4")) as container:
            last = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][-1]
        assert last[90, 20].max() < 20
        assert last[90, 160].max() > 100


async def test_another_frame_rate_keeps_its_length(tools: MediaTools, shelf: Shelf, tmp_path: Path) -> None:
    canned_clip(tmp_path / "fast.mp4", fps=30, seconds=2)
    told = await tools.merge([shelf.red, tmp_path / "fast.mp4"], tmp_path / "film.mp4")
    assert (told.why, told.seconds) == (MergeReason.FRAME_RATE, 4.0)
    assert (await tools.inspect(tmp_path / "film.mp4")).frames == 96


async def test_silent_clips_stay_silent_and_one_clip_is_itself(tools: MediaTools, shelf: Shelf, tmp_path: Path) -> None:
    await tools.merge([shelf.silent, shelf.silent], tmp_path / "film.mp4", Cutting("crossfade"))
    seen = await tools.inspect(tmp_path / "film.mp4")
    assert (seen.audio_codec, seen.frames) == (None, 84)
    told = await tools.merge([shelf.blue], tmp_path / "film.mp4", Cutting("crossfade"))
    assert (told.copied, told.seconds) == (True, 2.0)


async def test_nothing_and_a_broken_clip_are_refused(tools: MediaTools, shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedMedia):
        await tools.merge([], tmp_path / "film.mp4")
    (tmp_path / "broken.mp4").write_bytes(shelf.blue.read_bytes()[:9000])
    for cutting in (Cutting(), Cutting("crossfade")):
        with pytest.raises(CorruptMedia):
            await tools.merge([shelf.red, tmp_path / "broken.mp4"], tmp_path / "film.mp4", cutting)
    assert not (tmp_path / "film.mp4").exists()


async def test_a_clip_that_is_turned_does_not_follow_one_that_is_not(
    tools: MediaTools, shelf: Shelf, tmp_path: Path
) -> None:
    canned_clip(tmp_path / "turned.mp4", seconds=2, rotation=180)
    told = await tools.merge([shelf.blue, tmp_path / "turned.mp4"], tmp_path / "film.mp4")
    assert (told.copied, told.why) == (False, MergeReason.SIZE)
    told = await tools.merge([tmp_path / "turned.mp4"] * 2, tmp_path / "film.mp4")
    assert (told.copied, told.cuts, told.tempo) == (True, (2.0,), None)
    assert (await tools.inspect(tmp_path / "film.mp4")).rotation == 180


async def test_a_plain_film_does_not_wait_behind_those_who_encode(
    tools: MediaTools, shelf: Shelf, tmp_path: Path
) -> None:
    """The only heavy place is taken for as long as the copy needs."""
    encoding = asyncio.create_task(tools.merge([shelf.red, shelf.noisy], tmp_path / "slow.mp4", Cutting("crossfade")))
    await asyncio.sleep(0)
    told = await tools.merge([shelf.red, shelf.blue], tmp_path / "quick.mp4")
    assert told.copied
    assert not encoding.done()
    await encoding
