"""The local generator's operation: a prompt or a picture in, an MP4 with sound out. Runs in the media worker, never forks."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.errors import UnsupportedMedia
from media.scenery.ambience import composed
from media.scenery.director import Scene, direct
from media.scenery.film import FPS, encode
from media.scenery.grade import Grade
from media.scenery.portrait import Portrait
from media.scenery.shot import Shot, shot
from media.scenery.take import Take, take
from media.scenery.words import read

SIZES: dict[tuple[str, str], tuple[int, int]] = {
    ("16:9", "720p"): (1280, 720),
    ("9:16", "720p"): (720, 1280),
    ("16:9", "1080p"): (1920, 1080),
    ("9:16", "1080p"): (1080, 1920),
}
SHORTEST, LONGEST = 2, 12
PORTRAIT = (1024, 1024)
"""Size of a character alone, whatever the aspect."""


def run(request: dict[str, Any], report: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Render ``request`` to its ``output``.

    Request: ``prompt``, ``negative_prompt`` (text, may be empty), ``image`` (absolute path of a normalised PNG or JPEG,
    or None), ``aspect`` (``16:9`` or ``9:16``), ``resolution`` (``720p`` or ``1080p``), ``seconds`` (2 … 12), ``seed``,
    ``output`` (absolute path), ``caption`` and ``sound`` (default true), ``character`` (who recurs in a film, may be empty; with an
    empty prompt a square portrait of it) and ``look`` (the film's seed, or None; with one no music is heard).
    ``report(stage, done, total)`` counts frames that left the encoder; the last step is the finished file.

    Returns ``bytes``, ``width``, ``height``, ``seconds``, ``frames``, ``drawn`` (what words became), ``not_drawn`` (words
    that became nothing) and ``caption`` (whether words stand in the picture). Equal requests give equal bytes on one
    machine.
    Raises ``UnsupportedMedia``, ``CorruptMedia``, ``OversizedMedia``, ``DiskFull`` or ``WorkerDied``.
    """
    size = SIZES.get((str(request.get("aspect", "16:9")), str(request.get("resolution", "720p"))))
    seconds = float(request.get("seconds", 6))
    if size is None or not math.isfinite(seconds) or not SHORTEST <= seconds <= LONGEST:
        raise UnsupportedMedia(f"aspect 16:9 or 9:16, resolution 720p or 1080p, seconds {SHORTEST} to {LONGEST}")
    prompt, character = str(request.get("prompt") or ""), str(request.get("character") or "")
    look = None if request.get("look") is None else int(request["look"])
    reading = read(prompt, str(request.get("negative_prompt") or ""))
    frames = round(seconds * FPS)
    report("prepare", 0, frames + 8)
    seed, caption = int(request.get("seed", 0)), bool(request.get("caption", True))
    image = request.get("image")
    scene: Scene | Shot | Take | Portrait
    if image:
        scene = shot(Path(str(image)), reading, prompt, seed, size, frames / FPS, caption=caption)
        if look is not None:
            scene.painters.append(Grade(look))
    elif character and not prompt.strip():
        size = PORTRAIT
        scene = Portrait(character, size, frames / FPS)
    elif character or look is not None:
        negative = str(request.get("negative_prompt") or "")
        scene = take(prompt, negative, character, look, seed, size, frames / FPS, caption=caption)
    else:
        scene = direct(reading, prompt, seed, size, frames / FPS, caption=caption)
    written = encode(
        lambda index: scene.frame(index / FPS),
        frames,
        (lambda: composed(scene.world, scene.place, scene.thunder, music=look is None))
        if request.get("sound", True)
        else None,
        Path(request["output"]),
        size,
        report,
        crf=22.0 if reading.has("rain", "storm") else 19.5,  # streaks cost the coder twice the time
    )
    return {
        "bytes": written,
        "width": size[0],
        "height": size[1],
        "seconds": frames / FPS,
        "frames": frames,
        "drawn": scene.drawn,
        "not_drawn": list(dict.fromkeys([*scene.not_drawn, *reading.unknown])),
        "caption": scene.caption,
    }
