"""A picture within what a vendor takes: the first format that fits, more loss only where it must be, fewer pixels last."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from PIL import Image

from bot.engine.pictures import StoredPictures
from core.capabilities import PictureLimits
from core.errors import InvalidRequest, NothingSent, OversizedMedia, WorkerDied
from media.tools import MediaTools
from storage.folder import FolderClipStore

PNG, JPEG = "image/png", "image/jpeg"


def noise(path: Path, size: tuple[int, int], kind: str) -> Path:
    picture = Image.frombytes("RGB", size, random.Random(7).randbytes(size[0] * size[1] * 3))
    picture.save(path, format=kind)
    return path


@pytest.mark.parametrize(
    "kind, limits, mime, side",
    [
        ("PNG", PictureLimits(), PNG, 450),
        ("PNG", PictureLimits(mimes=(JPEG,)), JPEG, 450),
        ("JPEG", PictureLimits(), JPEG, 450),
        ("JPEG", PictureLimits(mimes=(PNG,)), PNG, 450),
        ("PNG", PictureLimits(side=150), PNG, 150),
        ("PNG", PictureLimits(bytes=130_000), JPEG, 450),
        ("PNG", PictureLimits(bytes=20_000), JPEG, None),
    ],
)
async def test_the_first_format_that_fits_is_taken(
    tools: MediaTools, tmp_path: Path, kind: str, limits: PictureLimits, mime: str, side: int | None
) -> None:
    source = noise(tmp_path / "source", (450, 300), kind)
    made = await tools.encode_image(source, tmp_path / "out", limits)
    assert (made.mime, made.bytes <= limits.bytes) == (mime, True)
    with Image.open(tmp_path / "out") as picture:
        assert picture.size == (made.width, made.height)
        assert Image.MIME[picture.format or ""] == mime
        assert abs(picture.width / picture.height - 1.5) < 0.02
    assert made.width == side if side else 60 < made.width < 450


async def test_what_can_never_fit_is_told(tools: MediaTools, tmp_path: Path) -> None:
    with pytest.raises(OversizedMedia):
        await tools.encode_image(noise(tmp_path / "s", (450, 300), "PNG"), tmp_path / "o", PictureLimits(bytes=300))
    assert not (tmp_path / "o").exists()


async def test_pictures_come_from_the_store_within_the_limits(tools: MediaTools, tmp_path: Path) -> None:
    clips = FolderClipStore(tmp_path / "clips", budget_bytes=None)
    pictures = StoredPictures(clips, tools)
    async with clips.incoming(suffix=".png", max_bytes=1 << 22) as fresh:
        noise(fresh.path, (450, 300), "PNG")
        key = (await fresh.keep()).key
    found = await pictures.encoded(key, PictureLimits(bytes=400_000, side=256, mimes=(JPEG,)))
    assert (found.mime, found.width, found.height, len(found.data) <= 400_000) == (JPEG, 256, 171, True)
    assert found.data_uri().startswith("data:image/jpeg;base64,/9j/")
    assert (await clips.usage()).files == 1, "nothing else is kept"
    with pytest.raises(InvalidRequest) as gone:
        await pictures.encoded("0" * 32 + ".png", PictureLimits())
    assert gone.value.message_id == "error.picture_gone"
    with pytest.raises(InvalidRequest):
        await pictures.encoded(key, PictureLimits(bytes=300))


async def test_where_nothing_can_be_encoded_now_nothing_was_sent(tmp_path: Path) -> None:
    clips = FolderClipStore(tmp_path / "clips", budget_bytes=None)
    closed = MediaTools(tmp_path / "work", spare=False)
    async with clips.incoming(suffix=".png", max_bytes=1 << 22) as fresh:
        noise(fresh.path, (90, 60), "PNG")
        key = (await fresh.keep()).key
    with pytest.raises(WorkerDied):
        await closed.encode_image(fresh.path, tmp_path / "o", PictureLimits())
    with pytest.raises(NothingSent):
        await StoredPictures(clips, closed).encoded(key, PictureLimits())


async def test_a_clip_to_go_on_from_comes_whole_or_not_at_all(tools: MediaTools, tmp_path: Path) -> None:
    clips = FolderClipStore(tmp_path / "clips", budget_bytes=None)
    pictures = StoredPictures(clips, tools)
    async with clips.incoming(suffix=".mp4", max_bytes=1 << 22) as fresh:
        await fresh.write(b"clip" * 100_000)
        key = (await fresh.keep()).key
    assert await pictures.clip(key, 400_000) == b"clip" * 100_000
    with pytest.raises(InvalidRequest) as large:
        await pictures.clip(key, 399_999)
    assert large.value.message_id == "error.clip_too_large"
    await clips.delete(key)
    with pytest.raises(InvalidRequest) as gone:
        await pictures.clip(key, 400_000)
    assert gone.value.message_id == "error.clip_gone"
