"""The page of figures: written whole, or some lines of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import Figure
from tests.benchmarks.report import joined, page

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = datetime(2026, 12, 24, 18, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "benchmarks.md"


def told(name: str, value: float, goal: float = 1.0, note: str = "") -> dict[str, Any]:
    figure = Figure(name, f"what {name} is", value, goal, rounds=(value, value), sides={"ours ms": value}, note=note)
    return {**figure.as_json(), "load": [0.5, 1.5]}


OLD = page([told("a", 2.0, note="busy"), told("b", 3.0, note="busy"), told("c", 0.5)], {"python": "3.11"}, NOON)


def test_a_page_tells_each_figure_what_it_is_made_of_and_why_its_goal_was_missed() -> None:
    assert "| a | what a is | ≤ 1 | 2 | **missed** |" in OLD
    assert "| c | 0.5, 0.5 | ours ms 0.5 | 0.5, 1.5 |" in OLD
    assert "- **a; b**: busy" in OLD
    assert OLD.endswith("Measured on 2026-11-22 (UTC) with `python -m tests.benchmarks --write`: python 3.11.\n")


def test_figures_that_were_run_alone_replace_their_own_lines_and_no_others() -> None:
    new = joined(OLD, [told("b", 0.9), told("d", 4.0, note="far")], {"python": "3.13"}, LATER)
    assert "| b | what b is | ≤ 1 | 0.9 | met |" in new
    assert "| b | what b is | ≤ 1 | 3 |" not in new
    assert new.index("| a | what") < new.index("| b | what") < new.index("| c | what") < new.index("| d | what")
    assert "- **a**: busy" in new
    assert "- **d**: far" in new
    for line in OLD.splitlines():
        assert line in new or line.startswith(("| b |", "- **a; b**")), line
    assert new.endswith("2026-12-24 (UTC) with `python -m tests.benchmarks --write`: python 3.13. These alone: b; d\n")


def test_a_foot_names_only_what_is_still_its_own() -> None:
    once = joined(OLD, [told("b", 0.9), told("d", 4.0)], {"python": "3.13"}, NOON)
    twice = joined(once, [told("d", 5.0)], {"python": "3.14"}, LATER)
    assert "python 3.13. These alone: b\n" in twice
    assert "python 3.14. These alone: d\n" in twice
    thrice = joined(twice, [told("b", 1.0), told("d", 5.0)], {"python": "3.14"}, LATER)
    assert "3.13" not in thrice
    assert thrice.count("Measured on") == 2


def test_joining_nothing_leaves_the_page_of_the_repository_as_it_is() -> None:
    text = PAGE.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith(("|", "- ", "Measured", "#"))]
    after = joined(text, [told("none", 1.0)], {}, NOON).splitlines()
    assert [line for line in lines if line not in after] == []
