"""Re-encode an uploaded song as the one kind that a film is cut to: AAC-LC 48 kHz stereo in MP4, without metadata and cover."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import av

from core.errors import CorruptMedia
from core.media import SONG_SECONDS
from media.beats import Listener
from media.encode import SoundTrack
from media.reels import RATE
from media.songs import LEAST_SECONDS, song_sound

BITS: Final = 192_000
"""More than a film's own sound has, because a film encodes it once more, and the fast coder wants them."""


def run(request: dict[str, Any], report: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Request: source, output. Result: the fields of ``core.media.Song``."""
    source, output = Path(request["source"]), Path(request["output"])
    listener = Listener()
    with av.open(
        str(output), "w", format="ipod", container_options={"movflags": "+faststart", "fflags": "+bitexact"}
    ) as target:
        track = SoundTrack(target, BITS, fast=True)
        for chunk in song_sound(source):
            listener.hear(chunk)
            target.mux(track.encode(chunk))
            report("encode", track.samples, SONG_SECONDS * RATE)
        target.mux(track.close())
    seconds = track.samples / RATE
    if seconds < LEAST_SECONDS:
        raise CorruptMedia(f"only {seconds:.1f} s of it decode")
    heard = listener.beats()
    return {"seconds": round(seconds, 3), "bytes": output.stat().st_size, "tempo": heard.tempo if heard else None}
