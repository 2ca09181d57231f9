from __future__ import annotations

import numpy as np
import pytest

from media.beats import Beats, Listener
from tests.media.drums import Sound, drums, noise, syllables


def listen(sound: Sound, size: int = 30_000) -> Beats | None:
    listener = Listener()
    for first in range(0, sound.shape[1], size):
        listener.hear(sound[:, first : first + size])
    return listener.beats()


@pytest.mark.parametrize("tempo, metre", [(84, 4), (97.3, 4), (112, 4), (126.5, 4), (140, 4), (90, 3), (140, 3)])
def test_drums_are_found_where_they_are(tempo: float, metre: int) -> None:
    sound, true = drums(tempo, 25, metre=metre)
    found = listen(sound)
    assert found is not None
    assert abs(found.tempo - tempo) <= 0.5
    inner = found.times[(found.times > 0.2) & (found.times < 24.5)]
    errors = np.array([np.abs(true - time).min() for time in inner])
    assert np.percentile(errors, 95) <= 0.012
    assert abs(len(inner) - len(true)) <= 2


def test_the_size_of_the_pieces_makes_no_difference() -> None:
    sound, _ = drums(100, 10)
    one, other = listen(sound, 777), listen(sound, 480_000)
    assert one is not None
    assert other is not None
    assert one.tempo == other.tempo
    assert np.allclose(one.times, other.times, atol=1e-6)


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros((2, 960_000), np.float32),
        noise(20),
        syllables(6, 1),
        syllables(12, 2),
        syllables(30, 3),
        drums(120, 3)[0],
    ],
    ids=["silence", "noise", "speech 6 s", "speech 12 s", "speech 30 s", "too short"],
)
def test_what_has_no_beat_has_none(sound: Sound) -> None:
    assert listen(sound) is None


def test_nothing_heard_is_no_beat() -> None:
    assert Listener().beats() is None
