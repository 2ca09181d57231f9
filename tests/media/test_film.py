"""Films with music, a title, a length of their own: what is seen and heard in the file that comes out."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import CorruptMedia
from core.media import Cutting, MergeReason
from media.beats import Listener
from media.resounding import clean_counts, copy_pictures
from media.tools import MediaTools
from tests.media.canned import canned_clip
from tests.media.conftest import Shelf
from tests.media.drums import RATE, Sound, drums, heard, metered, strength, write_song

TEMPO = 97.3
CLIP_HERTZ = 330
SONG_HERTZ = 1000


@dataclass(frozen=True)
class Songs:
    """As ``normalise_song`` would leave them."""

    drums: Path
    """10 s at ``TEMPO``."""
    beats: NDArray[np.float64]
    waltz: Path
    """5 s at 140, three four."""
    tone: Path
    """3 s without beats."""
    tone_long: Path
    silence: Path


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Songs:
    folder = tmp_path_factory.mktemp("songs")
    beaten, beats = drums(TEMPO, 10)
    tone = (0.2 * np.sin(2 * np.pi * SONG_HERTZ * np.arange(9 * RATE) / RATE)).astype(np.float32)
    made: dict[str, Sound] = {
        "drums": beaten,
        "waltz": drums(140, 5, metre=3)[0],
        "tone": np.stack([tone, tone])[:, : 3 * RATE],
        "tone_long": np.stack([tone, tone]),
        "silence": np.zeros((2, 5 * RATE), np.float32),
    }
    paths = {name: write_song(folder / f"{name}.m4a", sound, "aac") for name, sound in made.items()}
    return Songs(paths["drums"], beats, paths["waltz"], paths["tone"], paths["tone_long"], paths["silence"])


@pytest.fixture(scope="module")
def tangled(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Clips in which pictures need later ones, so that not every one can be the last."""
    folder = tmp_path_factory.mktemp("tangled")
    for number, colour in enumerate([(200, 30, 30), (20, 40, 200), (20, 160, 40)]):
        canned_clip(folder / f"{number}.mp4", seconds=3, colour=colour, preset="veryfast")
    return [folder / f"{number}.mp4" for number in range(3)]


def pictures(path: Path) -> NDArray[np.float64]:
    """The mean colour of every picture."""
    with av.open(str(path)) as container:
        return np.array(
            [
                frame.to_ndarray(format="rgb24")[::4, ::4].reshape(-1, 3).mean(axis=0)
                for frame in container.decode(video=0)
            ]
        )


def jumps(path: Path, fps: int = 24) -> list[float]:
    """Seconds at which one picture is quite another than the one before."""
    seen = pictures(path)
    return [at / fps for at in range(1, len(seen)) if np.abs(seen[at] - seen[at - 1]).max() > 25]


def payloads(path: Path) -> list[bytes]:
    """What the pictures are stored as."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def onset(sound: Sound, at: float) -> float:
    """How much more low sound there is just behind a moment than just before it, in dB."""
    spectra = [np.abs(np.fft.rfft(sound[0, round(one * RATE) :][:2400] * np.hanning(2400))) for one in (at - 0.06, at)]
    before, behind = (float((spectrum[2:10] ** 2).sum()) + 1e-9 for spectrum in spectra)
    return 10 * float(np.log10(behind / before))


def matches(path: Path, seconds: float) -> None:
    """Pictures and sound end together."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        shown = float(stream.frames / (stream.average_rate or 1))
    assert shown == pytest.approx(seconds, abs=0.001)
    assert heard(path).shape[1] / RATE == pytest.approx(seconds, abs=0.025)


async def test_music_of_our_own_lies_under_untouched_pictures(tools: MediaTools, shelf: Shelf, tmp_path: Path) -> None:
    fractions: list[float] = []
    sources = [shelf.blue, shelf.red, shelf.blue, shelf.red]
    cutting = Cutting(music="a neon city at night", clip_sound="drop", seed=4)
    told = await tools.merge(sources, tmp_path / "film.mp4", cutting, fractions.append)
    assert (told.copied, told.why, told.cuts, told.seconds) == (True, MergeReason.SAME, (2.0, 4.0, 6.0), 8.0)
    assert told.tempo is not None
    assert all(abs(cut * told.tempo / 60 - round(cut * told.tempo / 60)) < 0.02 for cut in told.cuts)
    assert payloads(tmp_path / "film.mp4") == [packet for path in sources for packet in payloads(path)]
    assert jumps(tmp_path / "film.mp4") == [2.0, 4.0, 6.0]
    matches(tmp_path / "film.mp4", 8.0)
    sound = heard(tmp_path / "film.mp4")
    loud, peak = metered(sound)
    assert -16.6 < loud < -14.5
    assert peak <= -1
    assert all(onset(sound, cut) > 6 for cut in told.cuts)
    assert float(np.sqrt((sound[:, -2400:] ** 2).mean())) < 0.01
    listener = Listener()
    listener.hear(sound)
    found = listener.beats()
    assert found is not None
    assert min(abs(found.tempo / told.tempo - share) for share in (0.5, 1, 2)) < 0.01
    assert fractions == sorted(fractions)
    assert len(fractions) > 4
    assert fractions[-1] == 1.0 > fractions[-2]
    assert (await tools.inspect(tmp_path / "film.mp4")).faststart


async def test_cuts_lie_on_the_beats_of_a_song(
    tools: MediaTools, songs: Songs, tangled: list[Path], tmp_path: Path
) -> None:
    """Where a clip's last pictures can go without being encoded, pictures are copied; else all are encoded, and still on the beat."""
    ways = set()
    for first in range(3):
        sources = [*tangled[first:], *tangled[:first]]
        told = await tools.merge(sources, tmp_path / "film.mp4", Cutting(song=songs.drums, clip_sound="drop"))
        ways.add((told.copied, told.why))
        assert told.tempo == pytest.approx(TEMPO, abs=0.5)
        assert len(told.cuts) == 2
        assert jumps(tmp_path / "film.mp4") == pytest.approx(list(told.cuts), abs=0.001)
        assert max(np.abs(songs.beats - cut).min() for cut in told.cuts) <= 1.6 / 24
        assert all(0 <= 3 - (later - earlier) <= 60 / TEMPO + 0.05 for earlier, later in pairwise((0.0, *told.cuts)))
        assert all(
            onset(heard(tmp_path / "film.mp4"), float(songs.beats[np.abs(songs.beats - cut).argmin()])) > 6
            for cut in told.cuts
        )
        matches(tmp_path / "film.mp4", told.seconds)
    assert ways <= {(True, MergeReason.SAME), (False, MergeReason.BEATS)}


async def test_a_copied_end_shows_the_same_pictures(
    tools: MediaTools, songs: Songs, tangled: list[Path], tmp_path: Path
) -> None:
    """No picture that stays may need one that went."""
    told = await tools.merge(tangled[:2], tmp_path / "film.mp4", Cutting(song=songs.waltz))
    assert told.copied
    assert told.cuts[0] < 3
    with av.open(str(tmp_path / "film.mp4")) as film, av.open(str(tangled[0])) as source:
        shown, true = film.decode(video=0), source.decode(video=0)
        for _ in range(round(told.cuts[0] * 24)):
            assert np.array_equal(next(shown).to_ndarray(), next(true).to_ndarray())


def test_clips_can_end_where_no_picture_needs_one_that_goes(tangled: list[Path], tmp_path: Path) -> None:
    """And nowhere else: what ends elsewhere lacks a picture, or shows another."""
    with av.open(str(tangled[0])) as source:
        true = [frame.to_ndarray() for frame in source.decode(video=0)]
    clean = clean_counts(tangled[0])
    assert clean[-1] == 72
    assert 20 < len(clean) < 72
    same = set()
    for count in range(8, 33):
        copy_pictures([(tangled[0], count)], tmp_path / "part.mp4", Fraction(24), None, 0, lambda _done: None)
        with av.open(str(tmp_path / "part.mp4")) as part:
            shown = [frame.to_ndarray() for frame in part.decode(video=0)]
        if len(shown) == count and all(np.array_equal(one, other) for one, other in zip(shown, true, strict=False)):
            same.add(count)
    assert same == {count for count in clean if 8 <= count < 33}


@pytest.mark.parametrize("how, decibels", [("keep", 6), ("duck", -12), ("drop", -90)])
async def test_the_clips_own_sound_is_kept_ducked_or_dropped(
    tools: MediaTools, shelf: Shelf, songs: Songs, tmp_path: Path, how: str, decibels: float
) -> None:
    cutting = Cutting(song=songs.tone_long, clip_sound=how)  # type: ignore[arg-type]
    told = await tools.merge([shelf.blue, shelf.red], tmp_path / "film.mp4", cutting)
    assert (told.copied, told.tempo, told.cuts) == (True, None, (2.0,))
    sound = heard(tmp_path / "film.mp4")
    clip, song = (strength(sound, hertz, 0.5, 2.0) for hertz in (CLIP_HERTZ, SONG_HERTZ))
    between = 20 * np.log10(clip / song)
    # both tones are equally strong in their files, and K-weighting hears 1000 Hz 0.7 dB louder than 330
    assert between < -60 if how == "drop" else between == pytest.approx(decibels + 0.7, abs=0.6)
    assert -16.6 < metered(sound)[0] < -14.5
    assert strength(sound, SONG_HERTZ, 3.9, 4.0) < 0.1 * strength(sound, SONG_HERTZ, 1.0, 1.5)


async def test_speech_is_not_played_twice_and_clips_come_up_behind_it(
    tools: MediaTools, shelf: Shelf, songs: Songs, tmp_path: Path
) -> None:
    await tools.merge([shelf.blue, shelf.red, shelf.blue], tmp_path / "film.mp4", Cutting(song=songs.tone))
    sound = heard(tmp_path / "film.mp4")
    assert strength(sound, SONG_HERTZ, 4, 5) < 0.01 * strength(sound, SONG_HERTZ, 1, 2)
    risen = strength(sound, CLIP_HERTZ, 4, 4.8) / strength(sound, CLIP_HERTZ, 1, 2)
    assert 20 * np.log10(risen) == pytest.approx(12, abs=0.7)


async def test_a_song_with_beats_begins_again(
    tools: MediaTools, tangled: list[Path], songs: Songs, tmp_path: Path
) -> None:
    told = await tools.merge(tangled, tmp_path / "film.mp4", Cutting(song=songs.waltz, clip_sound="drop"))
    assert told.seconds > 8
    sound = heard(tmp_path / "film.mp4")
    assert onset(sound, 5 + 0.3 + 60 / 140 * 2) > 6
    beats = 0.3 + np.arange(20) * 60 / 140
    both = np.concatenate([beats[beats < 5], beats + 5])
    assert max(np.abs(both - cut).min() for cut in told.cuts) <= 0.07


@pytest.mark.parametrize(
    "transition, song, seconds", [("cut", "drums", 10), ("crossfade", "drums", 10), ("cut", "tone", 3)]
)
async def test_a_film_as_long_as_its_song(
    tools: MediaTools, shelf: Shelf, songs: Songs, tmp_path: Path, transition: str, song: str, seconds: int
) -> None:
    """Two clips of 2 s: shown again for 10 s, cut shorter for 3 s."""
    cutting = Cutting(transition, song=getattr(songs, song), fit_to_song=True, clip_sound="drop")  # type: ignore[arg-type]
    told = await tools.merge([shelf.blue, shelf.red], tmp_path / "film.mp4", cutting)
    assert told.seconds == pytest.approx(seconds, abs=0.06)
    matches(tmp_path / "film.mp4", told.seconds)
    assert len(told.cuts) >= seconds // 2
    seen = pictures(tmp_path / "film.mp4")
    for number, (first, last) in enumerate(pairwise((0.0, *told.cuts, told.seconds - 0.9))):
        middle = seen[min(len(seen) - 1, int((first + last) / 2 * 24))]
        assert (middle[2] > middle[0]) == (number % 2 == 0)
    if song == "drums":
        assert max(np.abs(songs.beats - cut).min() for cut in told.cuts) <= 1.6 / 24


@pytest.mark.parametrize("transition", ["cut", "crossfade"])
async def test_a_title_stands_in_front(tools: MediaTools, shelf: Shelf, tmp_path: Path, transition: str) -> None:
    cutting = Cutting(transition, title="Grüße aus\n Zürich", music="sea")  # type: ignore[arg-type]
    told = await tools.merge([shelf.red, shelf.blue], tmp_path / "film.mp4", cutting)
    assert (told.copied, told.why) == (False, MergeReason.CROSSFADE if transition == "crossfade" else MergeReason.TITLE)
    assert len(told.cuts) == 2
    assert 1.8 <= told.cuts[0] <= 3.5
    assert told.tempo is not None
    assert told.cuts[0] * told.tempo / 60 == pytest.approx(round(told.cuts[0] * told.tempo / 60), abs=0.06)
    matches(tmp_path / "film.mp4", told.seconds)
    with av.open(str(tmp_path / "film.mp4")) as container:
        shown = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    for number in (0, 24):
        bright = (shown[number].min(axis=2) > (140 if number == 0 else 190)).nonzero()
        assert len(bright[0]) > 300
        assert 0.1 * 320 < bright[1].min() < bright[1].max() < 0.9 * 320
        assert 40 < shown[number][10:30, 10:-10].max() < 180
    after = shown[round(told.cuts[0] * 24) + 8]
    assert after[60, 20, 0] > 150
    assert (after[60:120, 60:260].min(axis=2) > 190).mean() < 0.25
    assert shown[-1].max() < 40


async def test_a_title_that_cannot_be_drawn_is_left_out(tools: MediaTools, shelf: Shelf, tmp_path: Path) -> None:
    for title in ("\U0010fffe\u0378", " \n\t", "…!"):
        told = await tools.merge([shelf.red, shelf.blue], tmp_path / "film.mp4", Cutting(title=title))
        assert (told.copied, told.seconds) == (True, 4.0)


async def test_clips_of_all_kinds_under_one_song(tools: MediaTools, shelf: Shelf, songs: Songs, tmp_path: Path) -> None:
    sources = [shelf.red, shelf.webm, shelf.silent, shelf.upright, shelf.noisy]
    told = await tools.merge(sources, tmp_path / "film.mp4", Cutting("crossfade", song=songs.drums))
    assert not told.copied
    matches(tmp_path / "film.mp4", told.seconds)
    seen = await tools.inspect(tmp_path / "film.mp4")
    assert (seen.width, seen.height, seen.fps, seen.video_codec, seen.audio_codec) == (640, 360, 24.0, "h264", "aac")


async def test_silence_is_a_song_too(tools: MediaTools, shelf: Shelf, songs: Songs, tmp_path: Path) -> None:
    told = await tools.merge([shelf.silent, shelf.silent], tmp_path / "film.mp4", Cutting(song=songs.silence))
    assert (told.copied, told.tempo, told.cuts) == (True, None, (2.0,))
    assert np.abs(heard(tmp_path / "film.mp4")).max() < 0.001


async def test_a_broken_song_leaves_no_film(tools: MediaTools, shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "song.m4a").write_bytes(b"\x00\x00\x00\x20ftypM4A " + bytes(3000))
    with pytest.raises(CorruptMedia):
        await tools.merge([shelf.red, shelf.blue], tmp_path / "film.mp4", Cutting(song=tmp_path / "song.m4a"))
    assert not (tmp_path / "film.mp4").exists()
