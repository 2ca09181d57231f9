"""Songs: what somebody sent is decoded in a child process and kept as a clean copy."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from bot.engine.parts import Parts
from core.errors import MediaError
from core.ids import new_secret_id
from core.jobs import AssetKind, Clip
from core.media import SONG_BYTES, Song

OF_SONGS: Final = {
    "error.picture_unsupported": "error.song_unsupported",
    "error.picture_corrupt": "error.song_corrupt",
    "error.picture_oversized": "error.song_oversized",
}
"""Sentences about a song where the usual ones speak of a picture."""


async def keep_song(
    parts: Parts, account_id: str, job_id: str | None, path: Path, undo: AsyncExitStack
) -> tuple[Clip, Song]:
    """Return the song whose file is durable, which ``undo`` removes again; its row is the caller's. Raises MediaError, StorageError."""
    async with parts.clips.incoming(suffix=".m4a", max_bytes=2 * SONG_BYTES) as clean:
        try:
            song = await parts.media.normalise_song(path, clean.path)
        except MediaError as error:
            error.message_id = OF_SONGS.get(error.message_id, error.message_id)
            raise
        stored = await clean.keep()
        undo.push_async_callback(parts.clips.delete, stored.key)
    clip = Clip(
        id=new_secret_id(),
        kind=AssetKind.SOURCE,
        account_id=account_id,
        job_id=job_id,
        key=stored.key,
        mime="audio/mp4",
        bytes=stored.bytes,
        sha256=stored.sha256,
        created_at=parts.clock.now(),
        seconds=song.seconds,
    )
    return clip, song
