"""What /metrics tells and what its reference lists are the same."""

from __future__ import annotations

import re
from pathlib import Path

from bot.metrics import Metrics

PAGE = Path(__file__).parents[2] / "docs/reference/metrics.md"


def declared() -> dict[str, tuple[str, list[str], str]]:
    """Every figure: its kind, labels and meaning."""
    found = {}
    for each in vars(Metrics()).values():
        if hasattr(each, "_labelnames"):
            found[each._name] = (each._type, list(each._labelnames), each._documentation)
    return found


def listed() -> dict[str, tuple[str, list[str], str]]:
    rows = [
        line.strip("|").split("|")
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `reelay_")
    ]
    rows = [row for row in rows if len(row) == 4]
    found = {row[0].strip(" `"): (row[1].strip(), re.findall(r"`(\w+)`", row[2]), row[3].strip()) for row in rows}
    assert len(found) == len(rows)
    return found


def test_every_figure_has_its_row_and_every_row_its_figure() -> None:
    assert listed() == declared()


def test_no_figure_is_declared_where_the_list_does_not_see_it() -> None:
    assert {family.name for family in Metrics().registry.collect()} == set(declared())


def test_what_to_watch_speaks_of_figures_that_exist() -> None:
    names = set(re.findall(r"\breelay_[a-z_]+", PAGE.read_text(encoding="utf-8")))
    assert {name.removesuffix("_total") for name in names} == set(declared())
