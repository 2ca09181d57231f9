"""What the media room promises: shapes of its answers, and the toolbox that the engine and its fakes share.

Sizes are pixels as a person sees them (rotation and pixel shape applied), lengths are seconds, files are bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

from core.capabilities import PictureLimits

PICTURE_BYTES = 20 * 1024 * 1024
"""The largest picture that is opened."""
PICTURE_PIXELS = 40_000_000
PICTURE_SIDE = 16_384
LEAST_SIDE = 16
"""A picture or clip with a shorter side is refused: no generator and no player makes sense of it."""

Report = Callable[[float], None]
"""Called on the event loop with a fraction from 0 to 1 that never falls; 1 only when the file is in its place."""

Transition = Literal["cut", "crossfade"]

ClipSound = Literal["keep", "duck", "drop"]
"""What becomes of the clips' own sound under music: as loud as it was, quieter, or left out."""

SONG_BYTES = 50 * 1024 * 1024
"""The largest song file that is opened."""
SONG_SECONDS = 15 * 60
"""The longest song that is kept; counted by what really sounds, not by what a header says."""


class FitAction(StrEnum):
    """What was done to a clip so that it fits."""

    AS_IS = "as_is"
    """The same bytes."""
    REMUX = "remux"
    """The same pictures and sound in a fresh container."""
    CRF = "crf"
    """Encoded anew at constant quality."""
    TWO_PASS = "two_pass"  # noqa: S105 - passes of an encoder
    """Encoded anew for the byte limit, size of the picture kept."""
    DOWNSCALED = "downscaled"
    """Encoded anew for the byte limit in a smaller picture."""


class MergeReason(StrEnum):
    """Why clips were joined without a copy of their streams; ``SAME`` when nothing had to be encoded."""

    SAME = "same"
    CROSSFADE = "crossfade"
    TITLE = "title"
    BEATS = "beats"
    """Clips were cut shorter, to end on a beat or with the song."""
    CONTAINER = "container"
    VIDEO_CODEC = "video_codec"
    SIZE = "size"
    FRAME_RATE = "frame_rate"
    PICTURE_FORMAT = "picture_format"
    ENCODER_SETTINGS = "encoder_settings"
    SOUND_MISSING = "sound_missing"
    AUDIO_FORMAT = "audio_format"


@dataclass(frozen=True, slots=True)
class Inspection:
    """A clip that was opened, counted to its end and decoded at several places."""

    container: str
    """``mp4`` or ``webm`` (any Matroska)."""
    bytes: int
    seconds: float
    width: int
    height: int
    fps: float
    frames: int
    video_codec: str
    """Decoder's name: ``h264``, ``hevc``, ``vp9``, ``av1`` …"""
    pixel_format: str
    audio_codec: str | None
    """None when the clip is silent."""
    faststart: bool
    """The index is in front of the pictures, so a player starts before the file is complete."""
    rotation: int = 0
    """Degrees that a player turns the stored picture: 0, 90, 180 or 270. ``width`` and ``height`` have it applied."""

    @property
    def plays_everywhere(self) -> bool:
        """MP4 with H.264 in yuv420p and AAC or no sound: what every surface plays. Chromium without a hardware
        decoder plays the sound of an HEVC clip without a picture and reports no error (tried 2026-11).
        """
        return (
            self.container == "mp4"
            and self.video_codec == "h264"
            and self.pixel_format in ("yuv420p", "yuvj420p")
            and self.audio_codec in (None, "aac")
        )


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture file that we wrote ourselves: no metadata, no alpha, orientation applied."""

    width: int
    height: int
    mime: str
    """``image/png`` or ``image/jpeg``."""
    bytes: int


@dataclass(frozen=True, slots=True)
class Preview:
    """A short silent MP4 that we wrote ourselves."""

    width: int
    height: int
    seconds: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """A clip in its new file, never above the limit."""

    action: FitAction
    bytes: int


@dataclass(frozen=True, slots=True)
class Song:
    """A song file that we wrote ourselves: AAC in MP4, 48 kHz stereo, no metadata, no cover."""

    seconds: float
    bytes: int
    tempo: float | None
    """Beats a minute; None where none can be made out, as in silence or speech."""


@dataclass(frozen=True, slots=True)
class Cutting:
    """How clips become one film. At most one of ``song`` and ``music``; with neither the clips keep their own sound."""

    transition: Transition = "cut"
    title: str = ""
    """Shown on a card before the first clip; none where it is empty."""
    song: Path | None = None
    """A file that ``normalise_song`` wrote."""
    music: str | None = None
    """Words from which the built-in music takes its mood."""
    clip_sound: ClipSound = "duck"
    fit_to_song: bool = False
    """Whether the film lasts as long as the song: clips are cut shorter, or shown again from the first on."""
    seed: int = 0
    """Of the built-in music."""


PLAIN_CUT = Cutting()
"""One clip after the other, each with its own sound."""


@dataclass(frozen=True, slots=True)
class Merged:
    """Several clips as one. ``copied``: no picture was encoded anew; otherwise ``why`` says what forced it. Beside copied pictures
    ``SOUND_MISSING`` and ``AUDIO_FORMAT`` say why the clips' own sound was made anew.
    """

    copied: bool
    why: MergeReason
    seconds: float
    cuts: tuple[float, ...] = ()
    """Seconds of the film at which another clip is seen (the middle of a crossfade); the first clip counts where a title stands
    before it.
    """
    tempo: float | None = None
    """Beats a minute of its music, on whose beats the cuts lie; None without."""


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """What the local generator draws. ``image`` is a picture that ``normalise_image`` wrote."""

    prompt: str
    negative_prompt: str = ""
    image: Path | None = None
    aspect: str = "16:9"
    resolution: str = "720p"
    seconds: int = 8
    seed: int = 0
    caption: bool = True
    sound: bool = True
    character: str = ""
    """Who or what recurs in every clip of a film, in words, which stand in the prompt as well."""
    look: int | None = None
    """A seed that all clips of a film share, for a common style; None for a clip of its own."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A clip that the local generator drew."""

    bytes: int
    seconds: float


class MediaToolbox(Protocol):
    """Work on pictures and clips, each call in a child process of its own.

    ``deadline`` is seconds of work, counted from the moment a child begins (waiting for a free lane comes before it). A
    call that is cancelled, fails or passes its deadline leaves no process and no file behind; one that returns has put
    ``destination`` in place by a rename. Everything raised is a ``core.errors.MediaError``, or
    ``core.errors.DiskFull``.
    """

    async def inspect(self, source: Path, poster: Path | None = None, *, deadline: float = ...) -> Inspection:
        """Prove that ``source`` is a clip that plays, and write its JPEG poster when one is asked for, both in one
        child.

        Raises ``UnsupportedMedia`` (values: found, kind), ``CorruptMedia`` or ``OversizedMedia`` (values: what, found,
        most).
        """
        ...

    async def normalise_image(
        self, source: Path, destination: Path, most_side: int = 2048, *, deadline: float = ...
    ) -> Picture:
        """Re-encode an upload as PNG or JPEG without metadata; raises as ``inspect`` does."""
        ...

    async def encode_image(
        self, source: Path, destination: Path, limits: PictureLimits, *, deadline: float = ...
    ) -> Picture:
        """Write a picture that we keep as a vendor takes it; raises ``OversizedMedia`` when it cannot be made to fit."""
        ...

    async def poster(self, source: Path, destination: Path, *, deadline: float = ...) -> Picture:
        """Write a JPEG of a frame near the first second."""
        ...

    async def preview(self, source: Path, destination: Path, *, deadline: float = ...) -> Preview:
        """Write a silent MP4 of at most 4 seconds and 426 pixels."""
        ...

    async def last_frame(self, source: Path, destination: Path, *, deadline: float = ...) -> Picture:
        """Write the very last picture in full size: PNG, or JPEG when that would be above 4 MiB."""
        ...

    async def fit(
        self, source: Path, destination: Path, limit_bytes: int, report: Report | None = None, *, deadline: float = ...
    ) -> Fitted:
        """Write an MP4 of at most ``limit_bytes`` that plays everywhere; raises ``CannotFit`` when 360 lines are still
        too much.
        """
        ...

    async def merge(
        self,
        sources: Sequence[Path],
        destination: Path,
        cutting: Cutting = PLAIN_CUT,
        report: Report | None = None,
        *,
        deadline: float = ...,
    ) -> Merged:
        """Join clips in order: pictures copied when all agree and nothing has to be drawn between them, else conformed to the
        first clip's shape and rate and to the size of the largest. Music is levelled, faded at both ends, and the cuts lie on its beats.
        """
        ...

    async def normalise_song(self, source: Path, destination: Path, *, deadline: float = ...) -> Song:
        """Re-encode an upload (MP3, M4A, Ogg, WAV or FLAC, told by its bytes) without metadata and cover.

        Raises ``UnsupportedMedia`` (values: found, kind), ``CorruptMedia`` or ``OversizedMedia`` (values: what, found, most).
        """
        ...

    async def render(
        self, request: RenderRequest, destination: Path, report: Report | None = None, *, deadline: float = ...
    ) -> Rendered:
        """Draw a clip with the local generator."""
        ...
