"""Prove that a file is a clip that plays, and take its poster on the way."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from av.video.frame import VideoFrame
from PIL import Image

from core.errors import CorruptMedia
from media import limits
from media.admission import oversized
from media.boxes import Header, read_header
from media.pictures import save, upright
from media.source import Clip, Measured, open_clip, reading

POSTER_SIDE: Final = 960
POSTER_QUALITY: Final = 84
POSTER_SECONDS: Final = (0.25, 1.0)
DARK: Final = 40
"""Grey level (0 to 255) that the brightest 2 % of a picture must reach to be worth showing."""
_FRAMES_AT_EACH_PLACE: Final = 3
_MOST_FRAMES: Final = 600
"""Pictures decoded to reach the poster's moment, when key pictures lie far apart."""


def run(request: dict[str, Any], report: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Request: source, poster (path or null). Result: the fields of ``core.media.Inspection``."""
    path = Path(request["source"])
    with open_clip(path) as clip:
        measured = clip.measure()
        report("decode", 1, 2)
        header = read_header(path) if clip.looks.kind == "mp4" else Header(faststart=False, seconds=None)
        _check_length(measured, header)
        first = next(iter(_decode(clip, measured.start, _FRAMES_AT_EACH_PLACE)))
        _decode(clip, measured.last_key, _FRAMES_AT_EACH_PLACE)
        if request.get("poster"):
            write_poster(clip, measured, Path(request["poster"]))
        return facts(clip, measured, header, first)


def _check_length(measured: Measured, header: Header) -> None:
    if measured.seconds <= 0:
        raise CorruptMedia("it has no length")
    claimed = header.seconds
    if claimed is not None and claimed > limits.CLIP_SECONDS:
        raise oversized("seconds", round(claimed, 1), limits.CLIP_SECONDS)
    if claimed is not None and claimed > 2 * measured.seconds + 2:
        raise CorruptMedia(f"it claims {claimed:.1f} s and holds {measured.seconds:.1f} s")


def facts(clip: Clip, measured: Measured, header: Header, frame: VideoFrame) -> dict[str, Any]:
    """Return what is known of ``clip`` after ``frame`` was decoded from it."""
    width, height = round(frame.width * clip.sar), frame.height
    if frame.rotation % 180:
        width, height = height, width
    return {
        "container": clip.looks.kind,
        "bytes": clip.bytes,
        "seconds": round(measured.seconds, 4),
        "width": width,
        "height": height,
        "fps": round(float(clip.fps), 4),
        "frames": measured.frames,
        "video_codec": clip.video_codec,
        "pixel_format": frame.format.name,
        "audio_codec": clip.audio_codec,
        "faststart": header.faststart,
        "rotation": -frame.rotation % 360,
    }


def write_poster(clip: Clip, measured: Measured, output: Path) -> dict[str, Any]:
    """Write an early picture as JPEG: before any caption fades in, but later where a clip begins in the dark."""
    frame = _frame_at(clip, measured, POSTER_SECONDS[0])
    if _is_dark(frame):
        frame = _frame_at(clip, measured, POSTER_SECONDS[1])
    picture = upright(frame, clip.sar)
    picture.thumbnail((POSTER_SIDE, POSTER_SIDE), Image.Resampling.LANCZOS)
    return save(picture, output, lossless=False, quality=POSTER_QUALITY)


def _frame_at(clip: Clip, measured: Measured, seconds: float) -> VideoFrame:
    """The picture at ``seconds``, or at the middle of a shorter clip."""
    base = clip.video.time_base or Fraction(1, 1000)
    wanted = measured.start + int(min(seconds, measured.seconds / 2) / base)
    frame = None
    with reading():
        for frame in clip.decode_from(wanted, _MOST_FRAMES):
            if frame.pts is not None and frame.pts >= wanted:
                break
    if frame is None:
        raise CorruptMedia("no picture decodes")
    return frame


def _is_dark(frame: VideoFrame) -> bool:
    """Whether hardly a pixel of the picture can be made out: a fade from black."""
    small = frame.reformat(width=64, height=64, format="gray")
    bright = sorted(bytes(small.planes[0]))
    return bright[int(len(bright) * 0.98)] < DARK


def _decode(clip: Clip, timestamp: int, most: int) -> list[VideoFrame]:
    with reading():
        frames = list(clip.decode_from(timestamp, most))
    if not frames:
        raise CorruptMedia("no picture decodes")
    context = clip.video.codec_context
    for frame in frames:
        if (frame.width, frame.height) != (context.width, context.height) or frame.is_corrupt:
            raise CorruptMedia("a picture is damaged")
    return frames
