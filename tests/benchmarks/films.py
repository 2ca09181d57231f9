"""What a film costs beside Debian's ffmpeg.

*Copy*: four clips of 8 s, 720p, joined by ``MediaTools.merge`` ÷ by ``ffmpeg -f concat -c copy -movflags +faststart``, a spare child
standing ready as in the bot; its look into every clip is inside ours. *No spare*: the start of the child is inside ours, too (told, no
goal). *Crossfades*: the same four, half a second shared, ÷ ffmpeg's ``xfade`` and ``acrossfade`` with our encoder's settings, both at the
niceness of our child. Without ffmpeg all are skipped.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from core.media import PLAIN_CUT, Cutting
from media.film import CRF, OVERLAP, SOUND_BITS
from media.limits import LANES
from media.tools import SPARE_PAUSE_SECONDS, MediaTools
from tests.benchmarks.figures import ROUNDS, Figure, median, ratio
from tests.benchmarks.worlds import folder
from tests.media.canned import canned_clip

SECONDS: Final = 8
CLIPS: Final = 4
COPY_GOAL: Final = 2.0
FADE_GOAL: Final = 1.5
WARM_SECONDS: Final = SPARE_PAUSE_SECONDS + 1.0
"""Until a spare child stands ready again, as one does in the bot behind the look at the last clip."""


def clips(place: Path, width: int, count: int) -> list[Path]:
    """Clips with some grain, as a camera has; up to four files, shown in turn."""
    made = [place / f"{width}-{number}.mp4" for number in range(min(count, CLIPS))]
    for number, path in enumerate(made):
        canned_clip(
            path,
            seconds=SECONDS,
            width=width,
            height=width * 9 // 16,
            colour=(60 + 40 * number, 90, 160),
            noise=12,
            preset="veryfast",
            hertz=300 + 200 * number,
        )
    return [made[number % len(made)] for number in range(count)]


def ffmpeg(arguments: Sequence[str]) -> float:
    """Seconds that Debian's ffmpeg takes."""
    command = ["nice", "-n", str(LANES["heavy"].niceness), "ffmpeg", "-v", "error", "-y", *arguments]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - began


def by_copy(sources: Sequence[Path], output: Path) -> list[str]:
    """Arguments for a concatenation."""
    listed = output.with_suffix(".txt")
    listed.write_text("".join(f"file '{path}'\n" for path in sources), encoding="utf-8")
    joined = ["-f", "concat", "-safe", "0", "-i", str(listed), "-c", "copy"]
    return [*joined, "-movflags", "+faststart", str(output)]


def by_filter(sources: Sequence[Path], output: Path) -> list[str]:
    """Arguments for crossfades, encoded as we encode."""
    steps, picture, sound = [], "[0:v]", "[0:a]"
    for number in range(1, len(sources)):
        offset = number * (SECONDS - OVERLAP)
        steps.append(f"{picture}[{number}:v]xfade=transition=fade:duration={OVERLAP}:offset={offset}[v{number}]")
        steps.append(f"{sound}[{number}:a]acrossfade=d={OVERLAP}[a{number}]")
        picture, sound = f"[v{number}]", f"[a{number}]"
    inputs = [word for path in sources for word in ("-i", str(path))]
    graph = ["-filter_complex", ";".join(steps), "-map", picture, "-map", sound]
    video = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-crf", str(CRF), "-pix_fmt", "yuv420p"]
    video += ["-x264-params", "threads=2:aq-mode=3:keyint=48"]
    return [*inputs, *graph, *video, "-c:a", "aac", "-b:a", str(SOUND_BITS), "-movflags", "+faststart", str(output)]


def against(
    place: Path,
    cutting: Cutting,
    other: Callable[[Sequence[Path], Path], list[str]],
    sources: list[Path],
    rounds: int,
    *,
    spare: bool = True,
) -> tuple[list[float], list[float]]:
    """Seconds of both, in turn."""

    async def measured() -> tuple[list[float], list[float]]:
        media = MediaTools(place / "work", spare=spare)
        await media.start()
        ours, others = [], []
        try:
            for number in range(rounds + 1):
                began = time.perf_counter()
                await media.merge(sources, place / "ours.mp4", cutting)
                mine = time.perf_counter() - began
                theirs = await asyncio.to_thread(ffmpeg, other(sources, place / "theirs.mp4"))
                await asyncio.sleep(WARM_SECONDS)
                if number:  # the first round reads everything from the disk
                    ours.append(mine)
                    others.append(theirs)
        finally:
            await media.close()
        return ours, others

    return asyncio.run(measured())


def measure(scale: float = 1.0) -> list[Figure]:
    """Three figures, none without ffmpeg."""
    rounds = ROUNDS if scale >= 1 else 1
    found: list[Figure] = []
    with folder() as place:
        sources = clips(place, 1280 if scale >= 1 else 320, CLIPS)
        if shutil.which("ffmpeg"):
            size = f"{CLIPS} × {SECONDS} s, 720p"
            ours, others = against(place, PLAIN_CUT, by_copy, sources, rounds)
            sides = {"ours s": median(ours), "ffmpeg s": median(others)}
            what = f"{size}, joined by copy ÷ `ffmpeg -c copy`, a spare child standing ready as in the bot"
            found.append(ratio("film by copy", what, ours, others, goal=COPY_GOAL, unit="×", sides=sides))
            ours, others = against(place, PLAIN_CUT, by_copy, sources, rounds, spare=False)
            sides = {"ours s": median(ours), "ffmpeg s": median(others)}
            what = f"{size}, joined by copy ÷ `ffmpeg -c copy`, the start of our child included"
            found.append(ratio("film by copy, no spare", what, ours, others, unit="×", sides=sides))
            ours, others = against(place, Cutting("crossfade"), by_filter, sources, rounds)
            sides = {"ours s": median(ours), "ffmpeg s": median(others)}
            what = f"{size}, with crossfades ÷ ffmpeg's `xfade` and `acrossfade`, same encoder settings"
            found.append(ratio("film with crossfades", what, ours, others, goal=FADE_GOAL, unit="×", sides=sides))
        else:
            print("skipped: film by copy, film with crossfades: there is no ffmpeg to measure against", file=sys.stderr)
    return found
