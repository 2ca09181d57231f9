"""Bring a clip under a byte limit with the least harm: the same bytes, a new container, constant quality, two passes, a
smaller picture.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import CannotFit
from core.media import FitAction
from media.boxes import read_header
from media.copying import copy_streams
from media.encode import PASS_ONE, PASS_TWO, Encoder, GrewTooLarge, Quality, encode, first_pass
from media.reels import RATE, Canvas, Reel, pictures, sound, thread
from media.source import open_clip

CRF: Final = 20
SIZES: Final = (1080, 720, 540, 360)
GOOD_BITS_PER_PIXEL: Final = 0.05
"""A smaller picture looks better than one with fewer bits than this."""
FLOOR_BITS_PER_PIXEL: Final = 0.027
"""150 kbit/s at 360 lines: below this a link is kinder."""
BUDGET: Final = 0.985
SECOND_TRY: Final = 0.95
_TWO_PASS_FPS: Final = 30
_SOUND_BITS, _LOW_SOUND_BITS, _LOW_VIDEO_BITS = 96_000, 64_000, 600_000
_CRF_SOUND_BITS: Final = 160_000
_BYTES_A_FILE, _BYTES_A_PICTURE, _BYTES_A_SOUND_PACKET = 2500, 14, 8
_SAMPLES_A_PACKET: Final = 1024


@dataclass(slots=True)
class _Span:
    """A part of the whole progress; the next part begins where this one was left."""

    report: Callable[[str, int, int], None]
    low: float = 0.0
    high: float = 1.0
    reached: float = 0.0

    def part(self, share: float) -> _Span:
        return _Span(self.report, self.reached, self.reached + (self.high - self.reached) * share, self.reached)

    def step(self, done: int, total: int) -> None:
        self.reached = self.low + (self.high - self.low) * min(1.0, done / max(1, total))
        self.report("encode", round(self.reached * 10_000), 10_000)


def run(request: dict[str, Any], report: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Request: source, output, limit_bytes. Result: the fields of ``core.media.Fitted``."""
    source, output, limit = Path(request["source"]), Path(request["output"]), int(request["limit_bytes"])
    action = _fit(source, output, limit, _Span(report))
    size = output.stat().st_size
    if size > limit:
        raise CannotFit(
            f"{size} bytes are above {limit}"
        )  # whatever happened above: never hand out more than was asked for
    return {"action": action, "bytes": size}


def _fit(source: Path, output: Path, limit: int, span: _Span) -> FitAction:
    with open_clip(source) as clip:
        plays = (
            clip.looks.kind == "mp4"
            and clip.video_codec == "h264"
            and clip.video.codec_context.pix_fmt in ("yuv420p", "yuvj420p")
            and clip.audio_codec in (None, "aac")
        )
        size, fast = clip.bytes, clip.looks.kind == "mp4" and read_header(source).faststart
    if plays and size <= limit:
        if fast:
            shutil.copyfile(source, output)
            return FitAction.AS_IS
        copy_streams([source], output, lambda _done: None)
        if output.stat().st_size <= limit:
            return FitAction.REMUX
    reel = thread(source)
    if not plays and _at_constant_quality(reel, output, limit, span):
        return FitAction.CRF
    return _in_two_passes(reel, output, limit, span)


def _at_constant_quality(reel: Reel, output: Path, limit: int, span: _Span) -> bool:
    canvas = reel.canvas.scaled(min(reel.canvas.lines, SIZES[0]))
    count = canvas.frames(reel.seconds)
    part = span.part(1.0)
    try:
        encode(
            Encoder(
                output,
                canvas,
                Quality(crf=CRF),
                sound_bits=_CRF_SOUND_BITS if reel.has_sound else None,
                most_bytes=limit,
            ),
            pictures(reel, canvas, count),
            sound(reel, _samples(canvas, count)) if reel.has_sound else None,
            lambda done: part.step(done, count + 1),
        )
    except GrewTooLarge:
        span.reached = part.reached
        return False
    return output.stat().st_size <= limit


def _in_two_passes(reel: Reel, output: Path, limit: int, span: _Span) -> FitAction:
    for canvas in _ladder(reel, limit):
        studied = False
        for target in (limit, int(limit * SECOND_TRY)):
            video_bits, sound_bits = _budget(reel, canvas, target)
            if video_bits < FLOOR_BITS_PER_PIXEL * _pixels_a_second(canvas):
                continue
            count = canvas.frames(reel.seconds)
            if not studied:
                part = span.part(0.4)
                first_pass(
                    canvas, Quality(None, video_bits, PASS_ONE), pictures(reel, canvas, count), _steps(part, count)
                )
                span.reached, studied = part.reached, True
            part = span.part(0.9)
            encode(
                Encoder(output, canvas, Quality(None, video_bits, PASS_TWO), sound_bits=sound_bits or None),
                pictures(reel, canvas, count),
                sound(reel, _samples(canvas, count)) if sound_bits else None,
                _steps(part, count),
            )
            span.reached = part.reached
            if output.stat().st_size <= limit:
                return FitAction.TWO_PASS if canvas.lines == reel.canvas.lines else FitAction.DOWNSCALED
    raise CannotFit(
        f"{reel.seconds:.1f} s do not go into {limit} bytes", values={"limit": limit, "seconds": round(reel.seconds, 1)}
    )


def _steps(part: _Span, count: int) -> Callable[[int], None]:
    return lambda done: part.step(done, count + 1)


def _ladder(reel: Reel, limit: int) -> list[Canvas]:
    """Return the sizes worth trying, the best first: from the largest that gets enough bits down to the smallest."""
    natural = reel.canvas.slowed(_TWO_PASS_FPS)
    sizes = [lines for lines in SIZES if lines < natural.lines]
    rungs = [natural.scaled(lines) for lines in ([natural.lines] if natural.lines <= SIZES[0] else []) + sizes]
    for at, canvas in enumerate(rungs):
        if _budget(reel, canvas, limit)[0] >= GOOD_BITS_PER_PIXEL * _pixels_a_second(canvas):
            return rungs[at:]
    return rungs[-1:]


def _budget(reel: Reel, canvas: Canvas, target: int) -> tuple[int, int]:
    """Return bits a second for pictures and for sound (0 when silent) that together stay under ``target`` bytes."""
    count = canvas.frames(reel.seconds)
    seconds = float(count / canvas.fps)
    room = target * BUDGET - _BYTES_A_FILE - count * _BYTES_A_PICTURE
    if not reel.has_sound:
        return int(room * 8 / seconds), 0
    room -= seconds * RATE / _SAMPLES_A_PACKET * _BYTES_A_SOUND_PACKET
    every = room * 8 / seconds
    sound_bits = _SOUND_BITS if every - _SOUND_BITS >= _LOW_VIDEO_BITS else _LOW_SOUND_BITS
    return int(every - sound_bits), sound_bits


def _pixels_a_second(canvas: Canvas) -> float:
    return canvas.width * canvas.height * float(canvas.fps)


def _samples(canvas: Canvas, count: int) -> int:
    return round(count / canvas.fps * RATE)
