"""Give a film's pictures a new sound without encoding them: packets move, and clips end where their packets can be parted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import accumulate, islice
from pathlib import Path

import av

from media.copying import Lane, origin_of
from media.encode import SoundTrack
from media.reels import RATE, Samples
from media.source import open_clip, reading


def clean_counts(path: Path) -> list[int]:
    """Return after how many pictures the clip can end without being encoded: no picture that stays needs one that goes."""
    with open_clip(path) as clip, reading():
        times = [packet.pts for packet in clip.container.demux(clip.video) if packet.size and packet.pts is not None]
    found, latest = [], 0
    earliest = list(accumulate(reversed(times), min))[::-1]
    for count, time in enumerate(times[:-1], start=1):
        latest = time if count == 1 else max(latest, time)
        if latest < earliest[count]:
            found.append(count)
    return [*found, len(times)]


def copy_pictures(
    takes: Sequence[tuple[Path, int]],
    output: Path,
    fps: Fraction,
    sound: Iterator[Samples] | None,
    bits: int,
    step: Callable[[int], None],
) -> None:
    """Write the first pictures of each clip (path and a count that ``clean_counts`` allows) as they are, and ``sound`` under them.

    The caller knows that the streams agree and run at ``fps``. ``step`` gets pictures so far.
    """
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(output), "w", format="mp4", container_options=options) as target:
        lane: Lane | None = None
        track: SoundTrack | None = None
        written = 0
        for path, count in takes:
            with open_clip(path) as clip, reading():
                lane = lane or Lane(target, clip.video)
                track = track or (SoundTrack(target, bits) if sound is not None else None)
                lane.begin(clip.video, Fraction(written) / fps - origin_of(clip), None)
                packets = (packet for packet in clip.container.demux(clip.video) if packet.size)
                for packet in islice(packets, count):
                    lane.write(packet)
                    written += 1
                    step(written)
                    while sound is not None and track is not None and track.samples < written / fps * RATE:
                        chunk = next(sound, None)
                        if chunk is None:
                            sound = None
                            break
                        target.mux(track.encode(chunk))
        for chunk in sound or ():
            if track is not None:
                target.mux(track.encode(chunk))
        if track is not None:
            target.mux(track.close())
