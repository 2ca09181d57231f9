"""Join clips: copied when every stream agrees, else conformed to the first clip; with a cut or a crossfade of half a
second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from av.video.frame import VideoFrame

from core.errors import UnsupportedMedia
from core.media import MergeReason
from media import limits
from media.admission import oversized
from media.copying import copy_streams
from media.encode import Encoder, Quality, encode
from media.reels import RATE, Canvas, Reel, Samples, pictures, sound, thread
from media.source import open_clip

CRF: Final = 20
OVERLAP: Final = 0.5
"""Seconds that two clips share in a crossfade; never more than a third of the shorter one."""
MOST_CLIPS: Final = 64
_SOUND_BITS: Final = 160_000


def run(request: dict[str, Any], report: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Request: sources, output, transition (cut or crossfade). Result: why and seconds of ``core.media.Merged``."""
    sources, output = [Path(source) for source in request["sources"]], Path(request["output"])
    if not sources:
        raise UnsupportedMedia("nothing to join", values={"found": "no clip at all", "kind": "empty"})
    if len(sources) > MOST_CLIPS:
        raise oversized("clips", len(sources), MOST_CLIPS)
    why = MergeReason.CROSSFADE if request["transition"] == "crossfade" and len(sources) > 1 else disagreement(sources)
    if why is MergeReason.SAME:
        total = sum(path.stat().st_size for path in sources) // 4000 + 1
        return {"why": why, "seconds": copy_streams(sources, output, lambda done: report("copy", done, total))}
    return {"why": why, "seconds": _conform(sources, output, request["transition"], report)}


def disagreement(sources: list[Path]) -> MergeReason:
    """Return the first reason why streams cannot simply be copied, ``SAME`` when there is none."""
    prints: list[dict[MergeReason, object]] = []
    for path in sources:
        with open_clip(path) as clip:
            picture, heard = clip.video.codec_context, clip.audio
            if clip.looks.kind != "mp4":
                return MergeReason.CONTAINER
            if clip.video_codec != "h264" or clip.audio_codec not in (None, "aac"):
                return MergeReason.VIDEO_CODEC if clip.video_codec != "h264" else MergeReason.AUDIO_FORMAT
            rotation = next(clip.decode_from(clip.video.start_time or 0, 1)).rotation
            prints.append(
                {
                    MergeReason.SIZE: (picture.width, picture.height, clip.sar, rotation),
                    MergeReason.FRAME_RATE: clip.fps,
                    MergeReason.PICTURE_FORMAT: (
                        picture.pix_fmt,
                        picture.profile,
                        picture.color_range,
                        picture.colorspace,
                    ),
                    MergeReason.SOUND_MISSING: heard is None,
                    MergeReason.AUDIO_FORMAT: None if heard is None else (
                        heard.codec_context.sample_rate,
                        heard.codec_context.layout.name,
                        heard.codec_context.extradata,
                        heard.time_base,
                    ),
                    MergeReason.ENCODER_SETTINGS: (picture.extradata, clip.video.time_base),
                }
            )  # fmt: skip
    for reason in prints[0]:
        if any(other[reason] != prints[0][reason] for other in prints[1:]):
            return reason
    return MergeReason.SAME


def _conform(sources: list[Path], output: Path, transition: str, report: Callable[[str, int, int], None]) -> float:
    reels = [thread(path) for path in sources]
    seconds = sum(reel.seconds for reel in reels)
    if seconds > limits.CLIP_SECONDS:
        raise oversized("seconds", round(seconds, 1), limits.CLIP_SECONDS)
    canvas = reels[0].canvas
    counts = [canvas.frames(reel.seconds) for reel in reels]
    overlap = min(canvas.frames(OVERLAP), min(counts) // 3) if transition == "crossfade" else 0
    total = sum(counts) - overlap * (len(reels) - 1)
    heard = any(reel.has_sound for reel in reels)
    encode(
        Encoder(output, canvas, Quality(crf=CRF), sound_bits=_SOUND_BITS if heard else None),
        _joined_pictures(reels, canvas, counts, overlap),
        _joined_sound(reels, canvas, counts, overlap) if heard else None,
        lambda done: report("encode", done, total + 1),
    )
    return float(total / canvas.fps)


def _joined_pictures(reels: list[Reel], canvas: Canvas, counts: list[int], overlap: int) -> Iterator[VideoFrame]:
    """Yield all pictures in order; only the last ``overlap`` of a clip are held back, to be blended with the next."""
    held: deque[VideoFrame] = deque()
    for place, (reel, count) in enumerate(zip(reels, counts, strict=True)):
        coming, held = held, deque()
        last = place == len(reels) - 1
        faded = len(coming)
        for number, frame in enumerate(pictures(reel, canvas, count)):
            shown = _blend(coming.popleft(), frame, (number + 1) / (faded + 1)) if coming else frame
            if last or number < count - overlap:
                yield shown
            else:
                held.append(shown)


def _blend(old: VideoFrame, new: VideoFrame, share: float) -> VideoFrame:
    """Mix two yuv420p pictures; all three planes are linear in the share, so a dissolve needs no other colour space."""
    weight = round(share * 256)
    before, after = old.to_ndarray().astype(np.uint16), new.to_ndarray().astype(np.uint16)
    mixed = ((before * (256 - weight) + after * weight + 128) >> 8).astype(np.uint8)
    return VideoFrame.from_ndarray(mixed, format="yuv420p")


def _joined_sound(reels: list[Reel], canvas: Canvas, counts: list[int], overlap: int) -> Iterator[Samples]:
    """Yield all sound in step with the pictures; overlaps are mixed at equal power."""
    shared = round(overlap / canvas.fps * RATE)
    tail = np.zeros((2, 0), np.float32)
    for place, (reel, count) in enumerate(zip(reels, counts, strict=True)):
        length = round(count / canvas.fps * RATE)
        keep = 0 if place == len(reels) - 1 else shared
        incoming, tail = tail, np.zeros((2, 0), np.float32)
        at = 0
        for chunk in sound(reel, length):
            mixed = _mix(incoming, chunk, at)
            at += chunk.shape[1]
            body = max(0, mixed.shape[1] - max(0, at - (length - keep)))
            if body:
                yield mixed[:, :body]
            if body < mixed.shape[1]:
                tail = np.concatenate([tail, mixed[:, body:]], axis=1)


def _mix(old: Samples, new: Samples, at: int) -> Samples:
    """Return ``new``, which begins at sample ``at`` of its clip, with what is left of ``old`` fading out underneath."""
    length = old.shape[1]
    if at >= length:
        return new
    size = min(new.shape[1], length - at)
    angle = (np.arange(at, at + size, dtype=np.float32) + 0.5) / length * (np.pi / 2)
    mixed = new.copy()
    mixed[:, :size] = old[:, at : at + size] * np.cos(angle) + new[:, :size] * np.sin(angle)
    return mixed
