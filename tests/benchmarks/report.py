"""The table of figures, on the terminal and in ``docs/reference/benchmarks.md``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

HEAD: Final = """# Benchmarks

What Reelay costs, as ratios: both sides are measured in one run, one right after the other, and the value is the median of at least five
rounds. A goal that is missed stays here with its real value. How each figure is defined is written at the top of its file in
`tests/benchmarks/`.

Run them with `make bench`, which also writes this page. They take about five minutes and want a quiet machine: the
load below tells how quiet it was.
"""


def verdict(figure: Mapping[str, Any]) -> str:
    """Met, missed, or told without a goal."""
    if figure.get("failed"):
        return "not measured"
    return {None: "–", True: "met", False: "**missed**"}[figure["met"]]


def goal(figure: Mapping[str, Any]) -> str:
    """The goal in words."""
    if figure["goal"] is None:
        return "–"
    sign = {"<=": "≤", ">=": "≥"}[figure["better"]]
    return f"{sign} {figure['goal']:g} {figure['unit']}".strip()


def value(figure: Mapping[str, Any]) -> str:
    """The value with its unit."""
    return "–" if figure["value"] is None else f"{figure['value']:.3g} {figure['unit']}".strip()


def rows(figures: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str, str]]:
    """(name, what, goal, value, verdict)."""
    return [(f["name"], f["what"], goal(f), value(f), verdict(f)) for f in figures]


def table(figures: Sequence[Mapping[str, Any]]) -> str:
    """For the terminal."""
    lines = [("figure", "goal", "value", ""), *((name, g, v, told) for name, _, g, v, told in rows(figures))]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def page(figures: Sequence[Mapping[str, Any]], versions: Mapping[str, str], now: datetime) -> str:
    """The page in Markdown."""
    lines = [HEAD, "| Figure | What | Goal | Value | |", "|---|---|---|---|---|"]
    lines += [f"| {name} | {what} | {g} | {v} | {told} |" for name, what, g, v, told in rows(figures)]
    lines += [
        "",
        "## What the figures were made of",
        "",
        "| Figure | Rounds | Medians | Load before, after |",
        "|---|---|---|---|",
    ]
    for figure in figures:
        if figure.get("failed"):
            continue
        rounds = ", ".join(f"{each:.3g}" for each in figure["rounds"])
        sides = "; ".join(f"{name} {side:.4g}" for name, side in figure["sides"].items())
        load = ", ".join(f"{each:.1f}" for each in figure["load"])
        lines.append(f"| {figure['name']} | {rounds} | {sides} | {load} |")
    missed = [figure for figure in figures if figure["met"] is False and figure.get("note")]
    if missed:
        lines += ["", "## Why a goal was missed", ""]
        for note in dict.fromkeys(figure["note"] for figure in missed):
            names = "; ".join(figure["name"] for figure in missed if figure["note"] == note)
            lines.append(f"- **{names}**: {note}")
    with_what = ", ".join(f"{name} {number}" for name, number in versions.items())
    lines += ["", f"Measured on {now:%Y-%m-%d} (UTC) with `python -m tests.benchmarks --write`: {with_what}.", ""]
    return "\n".join(lines)


def write(path: Path, figures: Sequence[Mapping[str, Any]], versions: Mapping[str, str]) -> None:
    """Rewrite the page."""
    path.write_text(page(figures, versions, datetime.now(UTC)), encoding="utf-8")
