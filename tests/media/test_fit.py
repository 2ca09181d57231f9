from __future__ import annotations

from pathlib import Path

import av
import pytest

from core.errors import CannotFit, CorruptMedia
from core.media import FitAction
from media.tools import MediaTools
from tests.media.canned import canned_clip
from tests.media.conftest import Shelf


async def test_what_fits_and_plays_keeps_every_byte(tools: MediaTools, shelf: Shelf, tmp_path: Path) -> None:
    told = await tools.fit(shelf.blue, tmp_path / "out.mp4", shelf.blue.stat().st_size)
    assert told.action is FitAction.AS_IS
    assert (tmp_path / "out.mp4").read_bytes() == shelf.blue.read_bytes()


async def test_a_late_index_is_moved_without_encoding(tools: MediaTools, shelf: Shelf, tmp_path: Path) -> None:
    told = await tools.fit(shelf.slow_start, tmp_path / "out.mp4", 10_000_000)
    assert told.action is FitAction.REMUX
    assert b"secret" in shelf.slow_start.read_bytes()
    assert b"secret" not in (tmp_path / "out.mp4").read_bytes()
    seen = await tools.inspect(tmp_path / "out.mp4")
    assert (seen.frames, seen.faststart, seen.audio_codec) == (24, True, "aac")


async def test_webm_becomes_mp4_at_constant_quality(tools: MediaTools, shelf: Shelf, tmp_path: Path) -> None:
    fractions: list[float] = []
    told = await tools.fit(shelf.webm, tmp_path / "out.mp4", 10_000_000, fractions.append)
    assert told.action is FitAction.CRF
    seen = await tools.inspect(tmp_path / "out.mp4")
    assert seen.plays_everywhere
    assert (seen.frames, seen.width, seen.height, seen.seconds) == (48, 320, 180, 2.0)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert all(fraction < 1 for fraction in fractions[:-1])


async def test_webm_that_is_too_large_goes_on_to_two_passes(tools: MediaTools, tmp_path: Path) -> None:
    canned_clip(tmp_path / "in.webm", codec="libvpx-vp9", audio_codec="libopus", noise=120)
    told = await tools.fit(tmp_path / "in.webm", tmp_path / "out.mp4", 60_000)
    assert told.action is FitAction.TWO_PASS
    assert told.bytes <= 60_000


@pytest.mark.parametrize("limit", [700_000, 333_333, 150_000])
async def test_two_passes_use_the_room_and_never_more(
    tools: MediaTools, shelf: Shelf, tmp_path: Path, limit: int
) -> None:
    told = await tools.fit(shelf.noisy, tmp_path / "out.mp4", limit)
    assert told.action is FitAction.TWO_PASS
    assert (tmp_path / "out.mp4").stat().st_size == told.bytes <= limit
    assert told.bytes > limit * 0.85
    seen = await tools.inspect(tmp_path / "out.mp4")
    assert seen.plays_everywhere
    assert seen.faststart
    assert (seen.frames, seen.width, seen.height) == (48, 640, 360)


async def test_a_smaller_picture_comes_before_giving_up(tools: MediaTools, tmp_path: Path) -> None:
    canned_clip(tmp_path / "in.mp4", width=960, height=540, noise=120)
    told = await tools.fit(tmp_path / "in.mp4", tmp_path / "out.mp4", 60_000)
    assert told.action is FitAction.DOWNSCALED
    assert told.bytes <= 60_000
    seen = await tools.inspect(tmp_path / "out.mp4")
    assert (seen.width, seen.height) == (640, 360)


async def test_below_the_floor_it_says_so_and_leaves_nothing(tools: MediaTools, shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(CannotFit) as caught:
        await tools.fit(shelf.noisy, tmp_path / "out.mp4", 20_000)
    assert caught.value.values == {"limit": 20_000, "seconds": 2.0}
    assert not (tmp_path / "out.mp4").exists()


async def test_rotation_is_painted_when_encoding(tools: MediaTools, tmp_path: Path) -> None:
    canned_clip(tmp_path / "in.mp4", rotation=90, codec="mpeg4", audio=False, seconds=0.5)
    told = await tools.fit(tmp_path / "in.mp4", tmp_path / "out.mp4", 10_000_000)
    assert told.action is FitAction.CRF
    seen = await tools.inspect(tmp_path / "out.mp4")
    assert (seen.width, seen.height, seen.rotation) == (180, 320, 0)
    with av.open(str(tmp_path / "out.mp4")) as container:
        first = next(container.decode(video=0)).to_ndarray(format="gray")
    assert first[305:, 90].min() > 160 > first[:290, 90].max()


async def test_a_cut_off_clip_is_not_passed_on(tools: MediaTools, shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "cut.mp4").write_bytes(shelf.noisy.read_bytes()[:-200_000])
    with pytest.raises(CorruptMedia):
        await tools.fit(tmp_path / "cut.mp4", tmp_path / "out.mp4", 400_000)
