"""The pure parts of the Discord figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.discord_burst import figure, in_time
from tests.benchmarks.discord_edits import PERCENT, mean_age, permitted
from tests.benchmarks.discord_uploads import fill_up
from tests.media.canned import canned_clip


def test_the_age_of_a_card_is_the_time_since_the_truth_was_what_it_shows() -> None:
    assert mean_age([(0.0, 0.0)], 10.0) == pytest.approx(5.0, abs=0.01)
    assert mean_age([(0.0, 0.0), (5.0, 0.5)], 10.0) == pytest.approx(2.5, abs=0.01)
    assert mean_age([(5.0, 0.4)], 10.0) == pytest.approx(3.5, abs=0.01), "from the first fraction on"
    assert mean_age([(0.0, 0.0), (6.0, 0.5)], 10.0) == pytest.approx(0.6 * 3.0 + 0.4 * 3.0, abs=0.01)


def test_nobody_is_fresher_than_the_pace_permits() -> None:
    best = permitted(0.0, 3.0, 64.0)
    assert best[0] == (0.0, 0.0)
    assert best[1] == (3.0, 0.04)
    assert len(best) == 22
    assert 1.5 < mean_age(best, 64.0) < 1.5 + 0.64, "half the pace, and less than a per cent for whole numbers"
    assert mean_age(permitted(0.0, 6.0, 64.0), 64.0) > mean_age(best, 64.0) + 1.0


def test_a_card_that_comes_later_than_the_pace_is_older() -> None:
    late = [(at + 0.5, fraction) for at, fraction in permitted(0.5, 3.0, 64.0)]
    assert mean_age(late, 64.0) / mean_age(permitted(0.5, 3.0, 64.0), 64.0) > 1.2


@pytest.mark.parametrize("text, said", [("Rendering, 47 % · about 5 s left", "47"), ("7%", "7")])
def test_the_per_cent_of_a_card_is_found(text: str, said: str) -> None:
    found = PERCENT.search(text)
    assert found is not None
    assert found[1] == said


def burst(sent: int, answered: int) -> dict[str, object]:
    return {
        "sent": sent,
        "in_time": answered,
        "acknowledged": answered,
        "p50": 1.0,
        "p99": 2.0,
        "connections": {"acknowledging_most": 256},
    }


def test_a_burst_is_judged_by_all_of_its_rounds() -> None:
    assert in_time(burst(200, 50)) == 25.0
    found = figure("burst", 200, [burst(200, 200), burst(200, 200), burst(200, 190)], [burst(200, 100)] * 3, goal=100.0)
    assert found.value == pytest.approx(98.333, abs=0.001)
    assert found.met is False
    assert found.sides["ours, worst round %"] == 95.0
    assert found.sides["bare discord.py %"] == 50.0


def test_a_clip_is_filled_up_to_the_byte_and_still_plays(tmp_path: Path) -> None:
    import av

    path = tmp_path / "clip.mp4"
    canned_clip(path, seconds=0.5)
    fill_up(path, 1_000_000)
    assert path.stat().st_size == 1_000_000
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 12
    with pytest.raises(ValueError, match="no room"):
        fill_up(path, 1_000_000)
