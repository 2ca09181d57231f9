from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.cutlist import CutList, NotClean, fitted, natural, on_beats, overlap_of, title_frames
from media.filmscore import MOODS, beat_grid, fitting_tempo

FPS = Fraction(24)


def off_beat(cuts: CutList, beats: object) -> list[float]:
    """Pictures between each cut and the beat nearest to it."""
    marks = np.asarray(beats)
    return [float(np.abs(marks - cut).min() * cuts.fps) for cut in cuts.cuts]


def test_clips_end_on_the_last_beat_that_they_reach() -> None:
    beats = beat_grid(97.3, 40)
    cuts = on_beats([96, 96, 96, 96], FPS, beats)
    assert [take.whole for take in cuts.takes] == [False, False, False, True]
    assert max(off_beat(cuts, beats)) <= 0.5
    assert all(96 - take.frames <= 60 / 97.3 * 24 for take in cuts.takes)


def test_equal_scenes_lose_nothing_to_music_of_our_own() -> None:
    for mood in MOODS:
        for frames in (96, 120, 144, 192, 193, 240):
            tempo = fitting_tempo(mood, [frames / 24] * 3)
            beats = beat_grid(tempo, 60)
            title = title_frames(FPS, beats)
            assert 1.8 * 24 <= title <= 3.4 * 24
            cuts = on_beats([frames] * 4, FPS, beats, title=title)
            assert not cuts.trimmed
            assert max(off_beat(cuts, beats)) <= 1.5
            assert MOODS[mood].slowest <= tempo <= MOODS[mood].fastest


@given(
    lengths=st.lists(st.integers(12, 400), min_size=1, max_size=12),
    tempo=st.floats(60, 180),
    fades=st.booleans(),
    titled=st.booleans(),
)
def test_a_clip_is_never_longer_than_it_is_and_pieces_never_overlap_twice(
    lengths: list[int], tempo: float, fades: bool, titled: bool
) -> None:
    beats = beat_grid(tempo, sum(lengths) / 24 + 10)
    overlap = overlap_of(lengths, 12) if fades else 0
    title = title_frames(FPS, beats, overlap) if titled else 0
    cuts = on_beats(lengths, FPS, beats, overlap=overlap, title=title)
    assert [take.clip for take in cuts.takes] == list(range(len(lengths)))
    assert all(2 * overlap <= take.frames <= lengths[take.clip] for take in cuts.takes)
    assert sorted(cuts.cuts) == cuts.cuts
    assert len(cuts.cuts) == len(lengths) - 1 + titled
    for take, off in zip(cuts.takes[:-1], off_beat(cuts, beats)[titled:], strict=True):
        assert off <= 1.5 or take.whole


@given(
    lengths=st.lists(st.integers(24, 300), min_size=1, max_size=10),
    frames=st.integers(48, 4000),
    tempo=st.one_of(st.none(), st.floats(60, 180)),
    fades=st.booleans(),
    titled=st.booleans(),
)
def test_a_fitted_film_is_exactly_as_long_as_its_song(
    lengths: list[int], frames: int, tempo: float | None, fades: bool, titled: bool
) -> None:
    beats = beat_grid(tempo, frames / 24 + 10) if tempo else None
    shrunk = min(1.0, frames / sum(lengths))
    overlap = overlap_of([length * (shrunk if shrunk < 1 else 0.5) for length in lengths], 12) if fades else 0
    title = min(title_frames(FPS, beats, overlap), frames // 2) if titled else 0
    cuts = fitted(lengths, FPS, frames, beats, overlap=overlap, title=title)
    assert cuts.frames == frames
    assert all(1 <= take.frames <= lengths[take.clip] for take in cuts.takes)
    assert [take.clip for take in cuts.takes] == [place % len(lengths) for place in range(len(cuts.takes))]
    assert sorted(cuts.cuts) == cuts.cuts


def test_a_clip_ends_without_being_encoded_only_where_its_packets_part() -> None:
    beats = beat_grid(100, 20)
    whole = on_beats([96, 96], FPS, beats)
    assert whole.takes[0].frames == 86
    assert on_beats([96, 96], FPS, beats, clean=[[81, 85, 89, 96], [96]]).takes[0].frames == 85
    with pytest.raises(NotClean):
        on_beats([96, 96], FPS, beats, clean=[[81, 84, 89, 96], [96]])


def test_behind_the_last_beat_clips_are_whole() -> None:
    beats = np.array([0.5, 1.0, 1.5, 3.9])
    cuts = on_beats([96, 96, 96], FPS, beats)
    assert [take.frames for take in cuts.takes] == [94, 96, 96]
    assert natural([96, 48], FPS, overlap=12).frames == 132
