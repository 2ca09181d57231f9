"""The pictures and clips of a job as its generator may read them: by key, within the vendor's limits, and only while they are kept."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

from core.capabilities import PictureLimits
from core.errors import InvalidRequest, MediaError, NotFound, NothingSent, Retry, StorageError
from core.media import PICTURE_BYTES, MediaToolbox
from core.ports import ClipStore, EncodedPicture

ENCODE_SECONDS: Final = 30.0


class StoredPictures:
    """``core.ports.PictureSource`` over the clip store. What fails here fails before anything was asked of a vendor.

    The fact ``ours`` says that it was no fault of the vendor's either (``core.health.is_bad``).
    """

    def __init__(self, clips: ClipStore, media: MediaToolbox) -> None:
        """Encodes in a child process."""
        self._clips, self._media = clips, media

    def checkout(self, key: str) -> AbstractAsyncContextManager[Path]:
        """See ``PictureSource.checkout``."""
        return self._clips.checkout(key)

    async def encoded(self, key: str, limits: PictureLimits) -> EncodedPicture:
        """See ``PictureSource.encoded``."""
        try:
            async with (
                self._clips.checkout(key) as path,
                self._clips.incoming(suffix=".png", max_bytes=4 * PICTURE_BYTES) as fresh,
            ):
                picture = await self._media.encode_image(path, fresh.path, limits, deadline=ENCODE_SECONDS)
                data = await asyncio.to_thread(fresh.path.read_bytes)
        except NotFound as error:
            raise InvalidRequest("a picture of the job is gone", message_id="error.picture_gone") from error
        except (MediaError, StorageError) as error:
            if error.retry is Retry.LATER:
                raise NothingSent("a picture cannot be encoded now", reason=error.code, ours=True) from error
            raise InvalidRequest("a picture cannot be encoded", message_id=error.message_id) from error
        except OSError as error:
            raise NothingSent("a picture cannot be read now", reason=type(error).__name__, ours=True) from error
        return EncodedPicture(data, picture.mime, picture.width, picture.height)

    async def clip(self, key: str, most_bytes: int) -> bytes:
        """See ``PictureSource.clip``."""
        try:
            size = await self._clips.size(key)
            if size is None:
                raise NotFound("the clip's file is not there")
            if size > most_bytes:
                raise InvalidRequest(
                    "the clip to go on from is too large", message_id="error.clip_too_large", bytes=size
                )
            return b"".join([piece async for piece in self._clips.open_range(key, 0, size)])
        except NotFound as error:
            raise InvalidRequest("the clip to go on from is gone", message_id="error.clip_gone") from error
        except (StorageError, OSError) as error:
            raise NothingSent("a clip cannot be read now", reason=type(error).__name__, ours=True) from error
