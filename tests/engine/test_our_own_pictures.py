"""What fails when a generator asks for a job's pictures: ours, before anything was sent, and said as that."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any, cast

import pytest

from bot.engine.pictures import StoredPictures
from core.capabilities import PictureLimits
from core.errors import DiskFull, InvalidRequest, NothingSent, StorageError, WorkerDied
from core.health import is_bad
from core.media import MediaToolbox
from core.ports import ClipStore
from storage.folder import FolderClipStore
from tests.lab.stage import QuickMedia

KEY = "0" * 32 + ".png"


class Broken:
    """A folder and media of which everything ends in ``error``."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def encode_image(self, *_: Any, **__: Any) -> None:
        raise self.error

    async def size(self, _key: str) -> int:
        return 10

    async def open_range(self, *_: Any) -> Any:
        yield b"begun"
        raise self.error


@pytest.mark.parametrize("error", [WorkerDied(), DiskFull(), OSError(errno.EMFILE, "too many open files")])
async def test_a_picture_that_cannot_be_encoded_now(tmp_path: Path, error: Exception) -> None:
    clips = FolderClipStore(tmp_path, budget_bytes=None)
    async with clips.incoming(suffix=".png", max_bytes=10) as incoming:
        await incoming.write(b"picture")
        key = (await incoming.keep()).key
    with pytest.raises(NothingSent) as caught:
        await StoredPictures(clips, cast("MediaToolbox", Broken(error))).encoded(key, PictureLimits())
    assert not is_bad(caught.value)


@pytest.mark.parametrize("error", [DiskFull(), StorageError("became shorter"), OSError(errno.EIO, "broken")])
async def test_a_clip_that_cannot_be_read_now(error: Exception) -> None:
    source = StoredPictures(cast("ClipStore", Broken(error)), cast("MediaToolbox", QuickMedia()))
    with pytest.raises(NothingSent) as caught:
        await source.clip(KEY, 100)
    assert not is_bad(caught.value)


async def test_what_is_gone_is_said_to_be(tmp_path: Path) -> None:
    source = StoredPictures(FolderClipStore(tmp_path, budget_bytes=None), cast("MediaToolbox", QuickMedia()))
    with pytest.raises(InvalidRequest) as gone:
        await source.clip(KEY, 100)
    assert gone.value.message_id == "error.clip_gone"
    with pytest.raises(InvalidRequest) as lost:
        await source.encoded(KEY, PictureLimits())
    assert lost.value.message_id == "error.picture_gone"
