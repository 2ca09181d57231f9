"""Make a film of clips. Clips that agree and only follow one another are copied at once; all else is ``media.film``, which is imported
when it is needed: it takes as long to import as a copy takes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from core.errors import UnsupportedMedia
from core.media import MergeReason
from media.admission import oversized
from media.boxes import matrices
from media.copying import copy_streams
from media.source import Clip, open_clip

MOST_CLIPS: Final = 64


def run(request: dict[str, Any], report: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Request: sources, output, and the fields of ``core.media.Cutting``. Result: the fields of ``core.media.Merged``.

    With ``only_copy`` the result is ``declined`` and nothing is written where a picture or sound would have to be encoded.
    """
    sources, output = [Path(source) for source in request["sources"]], Path(request["output"])
    if not sources:
        raise UnsupportedMedia("nothing to join", values={"found": "no clip at all", "kind": "empty"})
    if len(sources) > MOST_CLIPS:
        raise oversized("clips", len(sources), MOST_CLIPS)
    drawn = request.get("song") or request.get("music") is not None or request.get("title")
    faded = request.get("transition") == "crossfade" and len(sources) > 1
    if not drawn and not faded:
        total = sum(path.stat().st_size for path in sources) // 4000 + 1
        try:
            ends = copy_streams(sources, output, lambda done: report("copy", done, total), _Agreement())
            return {"copied": True, "why": MergeReason.SAME, "seconds": ends[-1], "cuts": ends[:-1], "tempo": None}
        except _Disagree:
            output.unlink(missing_ok=True)
    if request.get("only_copy"):
        return {"declined": True}
    from media import film

    return film.make(sources, output, request, disagreement(sources), report)


class _Disagree(Exception):
    """A clip cannot follow the first without being encoded."""


class _Agreement:
    """Looks at each clip before it is copied: raises ``_Disagree`` at the first that is not like the first."""

    def __init__(self) -> None:
        self._first: tuple[_Print, _Print] | None = None

    def __call__(self, clip: Clip) -> None:
        if _foreign(clip) is not None or clip.audio_codec not in (None, "aac"):
            raise _Disagree
        prints = _prints(clip)
        self._first = self._first or prints
        if prints != self._first:
            raise _Disagree


_Print = dict[MergeReason, object]


def _foreign(clip: Clip) -> MergeReason | None:
    """Why no picture of this clip can be copied into an MP4 that plays everywhere."""
    if clip.looks.kind != "mp4":
        return MergeReason.CONTAINER
    return MergeReason.VIDEO_CODEC if clip.video_codec != "h264" else None


def _prints(clip: Clip) -> tuple[_Print, _Print]:
    """What must be the same in all clips: of their pictures, of their sound."""
    picture, heard = clip.video.codec_context, clip.audio
    looks: _Print = {
        MergeReason.SIZE: (picture.width, picture.height, clip.sar, matrices(clip.path)),
        MergeReason.FRAME_RATE: clip.fps,
        MergeReason.PICTURE_FORMAT: (picture.pix_fmt, picture.profile, picture.color_range, picture.colorspace),
        MergeReason.ENCODER_SETTINGS: (picture.extradata, clip.video.time_base),
    }
    sound: object = None
    if heard is not None:
        context = heard.codec_context
        sound = (clip.audio_codec, context.sample_rate, context.layout.name, context.extradata, heard.time_base)
    return looks, {MergeReason.SOUND_MISSING: heard is None, MergeReason.AUDIO_FORMAT: sound}


def disagreement(sources: list[Path]) -> tuple[MergeReason, MergeReason]:
    """Return the first reason why pictures cannot simply be copied, and the first of sound; ``SAME`` where there is none."""
    looks: list[_Print] = []
    sounds: list[_Print] = []
    strange = False
    for path in dict.fromkeys(sources):
        with open_clip(path) as clip:
            if (why := _foreign(clip)) is not None:
                return why, why
            strange = strange or clip.audio_codec not in (None, "aac")
            look, sound = _prints(clip)
            looks.append(look)
            sounds.append(sound)
    return _differing(looks), MergeReason.AUDIO_FORMAT if strange else _differing(sounds)


def _differing(prints: list[_Print]) -> MergeReason:
    for reason, first in prints[0].items():
        if any(other[reason] != first for other in prints[1:]):
            return reason
    return MergeReason.SAME
