"""A film that is more than its clips in a row: plan its cuts, then copy its pictures where nothing is drawn between them, else encode
them anew, and mix its sound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from av.video.frame import VideoFrame

from core.media import SONG_SECONDS, ClipSound, MergeReason
from media import limits
from media.admission import oversized
from media.cutlist import TITLE_SECONDS, CutList, NotClean, fitted, natural, on_beats, overlap_of, title_frames
from media.encode import Encoder, Quality, encode
from media.filmscore import FilmScore, beat_grid, fitting_tempo, mood_of
from media.joining import darkened, ended_softly, joined_pictures, joined_sound, spans
from media.mastering import Row
from media.reels import RATE, Canvas, Reel, Samples, pictures, silence, sound, thread
from media.resounding import clean_counts, copy_pictures
from media.soundbed import SongMusic, hear_song, mixed
from media.titles import card, readable, set_in_lines

CRF: Final = 20
OVERLAP: Final = 0.5
"""Seconds that two clips share in a crossfade; never more than a third of the shorter one."""
CLOSING: Final = 0.8
"""Seconds in which a film with music goes dark at its end, where its pictures are encoded anyway."""
MOST_LINES: Final = 1080
"""A film is not made larger than this for the sake of one large clip; of a larger first clip it keeps the size."""
SOUND_BITS: Final = 160_000

Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class _Work:
    """Progress over stages of different weight; a later stage begins where the one before was left."""

    report: Progress
    reached: float = 0.0

    def stage(self, until: float) -> Callable[[float], None]:
        """Return a function that takes the share of a stage which ends at ``until`` of the whole."""
        begins = self.reached

        def step(share: float) -> None:
            self.reached = begins + (until - begins) * min(1.0, share)
            self.report("merge", round(self.reached * 10_000), 10_000)

        return step


@dataclass(frozen=True, slots=True)
class _Film:
    """What is to be made, before the first picture is written."""

    reels: list[Reel]
    canvas: Canvas
    cuts: CutList
    title: str
    music: SongMusic | FilmScore | None
    tempo: float | None
    why: MergeReason
    """Why pictures must be encoded; ``SAME`` when they need not."""


def make(
    sources: Sequence[Path],
    output: Path,
    request: dict[str, Any],
    whys: tuple[MergeReason, MergeReason],
    report: Progress,
) -> dict[str, Any]:
    """Make a film of ``sources``; ``whys``: why pictures and why sound cannot be copied. Result: the fields of ``Merged``."""
    reels = [thread(path) for path in sources]
    work = _Work(report)
    film = _planned(reels, whys[0], request, work)
    if film.why is MergeReason.SAME and not all(reel.even for reel in reels):
        film = replace(film, why=MergeReason.FRAME_RATE)
    copied = film.why is MergeReason.SAME
    samples = round(film.cuts.frames / film.canvas.fps * RATE)
    heard = _sound(film, samples, str(request.get("clip_sound") or "duck"), work, until=0.4 if copied else 0.12)
    step = work.stage(1.0)
    if copied:
        takes = [(reels[take.clip].path, take.frames) for take in film.cuts.takes]
        copy_pictures(
            takes, output, film.canvas.fps, heard, SOUND_BITS, lambda done: step(done / (film.cuts.frames + 1))
        )
        return _told(film, MergeReason.SAME if film.music is not None else whys[1], copied=True)
    encode(
        Encoder(output, film.canvas, Quality(crf=CRF), sound_bits=SOUND_BITS if heard is not None else None),
        _shown(film),
        heard,
        lambda done: step(done / (film.cuts.frames + 1)),
    )
    return _told(film, film.why, copied=False)


def _told(film: _Film, why: MergeReason, *, copied: bool) -> dict[str, Any]:
    cuts, seconds = film.cuts.cuts, film.cuts.seconds
    tempo = None if film.tempo is None else round(film.tempo, 2)
    return {"copied": copied, "why": why, "seconds": seconds, "cuts": cuts, "tempo": tempo}


def canvas_of(reels: Sequence[Reel]) -> Canvas:
    """The first clip's shape and rate; as large as the largest clip, but not beyond ``MOST_LINES`` for it."""
    first = reels[0].canvas
    lines = min(MOST_LINES, max(reel.canvas.lines for reel in reels))
    return first.scaled(lines) if lines > first.lines else first


def _planned(reels: list[Reel], why: MergeReason, request: dict[str, Any], work: _Work) -> _Film:
    """Lay the cuts, and say whether pictures must be encoded."""
    canvas = reels[0].canvas if why is MergeReason.SAME else canvas_of(reels)
    fps = canvas.fps
    lengths = [canvas.frames(reel.seconds) for reel in reels]
    if (whole := sum(reel.seconds for reel in reels)) > limits.CLIP_SECONDS:
        raise oversized("seconds", round(whole, 1), limits.CLIP_SECONDS)
    title = readable(str(request.get("title") or ""))
    title = title if title and set_in_lines(title, canvas.width, canvas.height) else ""
    song = None
    if request.get("song"):
        hearing = work.stage(0.04)
        song = hear_song(Path(request["song"]), lambda seconds: hearing(seconds / SONG_SECONDS))
        hearing(1.0)
    frames = round(song.seconds * fps) if song is not None and request.get("fit_to_song") else None
    fades = request.get("transition") == "crossfade" and (len(reels) > 1 or bool(title) or (frames or 0) > lengths[0])
    shrunk = min(1.0, frames / sum(lengths)) if frames else 1.0
    shrunk = shrunk if shrunk < 1 or not frames else 0.5
    overlap = overlap_of([length * shrunk for length in lengths], canvas.frames(OVERLAP)) if fades else 0
    words, seed = request.get("music"), int(request.get("seed") or 0)
    tempo: float | None = None
    beats: Row | None = None
    mood = ""
    if song is not None and song.beats is not None:
        tempo, beats = song.beats.tempo, song.grid(float(sum(lengths) / fps) + song.seconds + TITLE_SECONDS)
    elif song is None and words is not None:
        mood = mood_of(str(words), seed)
        tempo = fitting_tempo(mood, _visible(lengths, overlap, fps, titled=bool(title)))
        beats = beat_grid(tempo, float(sum(lengths) / fps) + 2 * TITLE_SECONDS)
    card_frames = title_frames(fps, beats, overlap) if title else 0

    def laid(clean: list[list[int]] | None) -> CutList:
        if frames is not None:
            return fitted(lengths, fps, frames, beats, overlap=overlap, title=card_frames, clean=clean)
        if beats is not None:
            return on_beats(lengths, fps, beats, overlap=overlap, title=card_frames, clean=clean)
        return natural(lengths, fps, overlap=overlap, title=card_frames)

    cuts = laid(None)
    if fades and len(cuts.counts) > 1:
        why = MergeReason.CROSSFADE
    elif title:
        why = MergeReason.TITLE
    elif why is MergeReason.SAME and cuts.trimmed:
        try:
            cuts = laid([clean_counts(reel.path) for reel in reels])
        except NotClean:
            why = MergeReason.BEATS
    music = FilmScore(mood, seed, tempo, cuts.cuts, cuts.seconds) if mood and tempo else song
    return _Film(reels, canvas, cuts, title, music, tempo, why)


def _visible(lengths: list[int], overlap: int, fps: Fraction, *, titled: bool) -> list[float]:
    """Seconds from cut to cut that the clips would have by nature; the last has no cut behind it, unless it is alone."""
    shown = [length - overlap // 2 * (2 if place or titled else 1) for place, length in enumerate(lengths)]
    return [float(count / fps) for count in (shown[:-1] or shown)]


def _shown(film: _Film) -> Iterator[VideoFrame]:
    """Every picture of the film."""
    pieces: list[Iterator[VideoFrame]] = []
    if film.cuts.title:
        first = film.reels[film.cuts.takes[0].clip]
        drawn = card(film.title, first, film.canvas, film.cuts.title, into_fade=film.cuts.overlap > 0)
        pieces.append(drawn if drawn is not None else iter(()))
    pieces += [pictures(film.reels[take.clip], film.canvas, take.frames) for take in film.cuts.takes]
    joined = joined_pictures(pieces, film.cuts.counts, film.cuts.overlap)
    if film.music is None:
        return joined
    return darkened(joined, film.cuts.frames, min(film.canvas.frames(CLOSING), film.cuts.takes[-1].frames // 3))


def _sound(film: _Film, samples: int, clip_sound: str, work: _Work, *, until: float) -> Iterator[Samples] | None:
    """The film's sound, None where nothing is heard."""
    own = any(film.reels[take.clip].has_sound for take in film.cuts.takes)
    if film.music is None:
        return _own_sound(film) if own else None
    step = work.stage(until)
    kept = (lambda: _own_sound(film)) if own else None
    return mixed(film.music, kept, samples, _clip_sound(clip_sound), lambda seconds: step(seconds * RATE / samples))()


def _clip_sound(word: str) -> ClipSound:
    return "keep" if word == "keep" else "drop" if word == "drop" else "duck"


def _own_sound(film: _Film) -> Iterator[Samples]:
    """The clips' own sound, silence under the card."""
    where = spans(film.cuts.counts, film.cuts.overlap, film.cuts.fps)
    sizes = [end - first for first, end in where]
    pieces: list[Iterator[Samples]] = [silence(sizes[0])] if film.cuts.title else []
    for take, size in zip(film.cuts.takes, sizes[len(pieces) :], strict=True):
        heard = sound(film.reels[take.clip], size)
        pieces.append(heard if take.whole or film.cuts.overlap else ended_softly(heard, size))
    return joined_sound(pieces, where)
