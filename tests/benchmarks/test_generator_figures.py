"""The pure parts of the generators' figures, and the clips that they are made with."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from media.operations import inspect
from tests.benchmarks.generators_memory import Weight
from tests.benchmarks.generators_memory import figure as memory
from tests.benchmarks.generators_start import NONE, Began, Stall, figures
from tests.lab.clips import huge_inside, huge_pieces

SIZE = 1_000_001


def began(seconds: float, idle: int, own_ms: float, late_ms: float = 90.0) -> Began:
    stall = Stall(late_ms / 1000, own_ms / 1000)
    return Began(seconds, idle, Stall(0.1, 0.08), Stall(0.004, 0.002), stall)


def test_a_huge_clip_has_its_size_and_is_a_clip(tmp_path: Path) -> None:
    path = tmp_path / "huge.mp4"
    path.write_bytes(b"".join(huge_pieces(SIZE)))
    assert path.stat().st_size == SIZE
    told = inspect.run({"source": str(path), "poster": None}, lambda *_: None)
    assert (told["bytes"], told["width"], told["audio_codec"]) == (SIZE, 320, "aac")
    with pytest.raises(ValueError, match="no room"):
        list(huge_pieces(100))


async def test_a_huge_clip_inside_an_answer_is_the_same() -> None:
    text = b"".join([piece async for piece in huge_inside('{"clip": "', SIZE, '", "ok": true}')])
    found = json.loads(text)
    assert found["ok"] is True
    assert base64.b64decode(found["clip"], validate=True) == b"".join(huge_pieces(SIZE))


def test_start_and_memory_are_ratios_to_the_same_round_s_process_without_a_generator() -> None:
    slow = {NONE: began(2.0, 60_000_000, 1), "a": began(3.0, 90_000_000, 1), "b": began(2.2, 120_000_000, 1)}
    quick = {NONE: began(1.0, 60_000_000, 1), "a": began(2.5, 90_000_000, 1), "b": began(1.1, 120_000_000, 1)}
    start, idle, *_ = figures([slow, quick, quick])
    assert (start.value, start.rounds) == (2.5, (1.5, 2.5, 2.5))
    assert start.what.endswith("a, the dearest")
    assert (idle.value, idle.met) == (2.0, None)
    assert idle.what.endswith("b, the dearest")
    assert idle.sides == {"none MB": 60.0, "a MB": 90.0, "b MB": 120.0}


def test_a_stall_is_the_worst_of_all_generators_and_rounds_but_for_the_wait_for_a_core() -> None:
    calm = {NONE: began(1, 1, 70), "a": began(1, 1, 10), "b": began(1, 1, 20)}
    held = {NONE: began(1, 1, 70), "a": began(1, 1, 51), "b": began(1, 1, 20, 200)}
    *_, stall, start = figures([calm, held, calm])
    assert (stall.value, stall.met, stall.rounds) == (51.0, False, (20.0, 51.0, 20.0))
    assert stall.what.endswith(": a")
    assert (stall.sides["none ms"], stall.sides["b ms"]) == (70.0, 20.0)
    assert stall.sides["with the wait for a core, worst ms"] == 200.0
    assert (start.value, start.goal) == (80.0, None)


def test_a_large_result_is_judged_by_the_heaviest_generator() -> None:
    seen = [{"a": Weight(50, 60), "b": Weight(100, peak)} for peak in (129, 131, 140)]
    found = memory("generator memory", "by address", 100_000_000, seen, 1.3)
    assert (found.value, found.met, found.rounds) == (1.31, False, (1.29, 1.31, 1.4))
    assert found.what.endswith("b, the heaviest")
    assert found.sides["a, ÷ idle"] == 1.2
