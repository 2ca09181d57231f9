"""The table of figures, on the terminal and in ``docs/reference/benchmarks.md``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

HEAD: Final = """# Benchmarks

What Reelay costs, as ratios: both sides are measured in one run, one right after the other, and the value is the median of at least five
rounds. A goal that is missed stays here with its real value. How each figure is defined is written at the top of its file in
`tests/benchmarks/`.

Run them with `make bench`, which also writes this page. They take about half an hour and want a quiet machine:
the load below tells how quiet it was. `make bench ARGS=discord_burst` runs one file of `tests/benchmarks/` and writes its lines only.
"""


MADE: Final = "## What the figures were made of"
ALONE: Final = " These alone: "
"""At the foot of a page: the figures that were run by themselves."""


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
    """The page in Markdown, of a run of everything."""
    return _written(_parts(figures), [f"{_measured(now)}: {_with(versions)}."])


def joined(old: str, figures: Sequence[Mapping[str, Any]], versions: Mapping[str, str], now: datetime) -> str:
    """The page ``old`` with these figures in it anew, each where it stood or at the end; all others stay as they are."""
    kept, fresh = _read(old), _parts(figures)
    for name in fresh.rows:
        kept.why.pop(name, None)
    both = Parts(kept.rows | fresh.rows, kept.made | fresh.made, kept.why | fresh.why)
    feet = []
    for foot in kept.feet:
        whole, _, names = foot.partition(ALONE)
        others = [name for name in names.split("; ") if name and name not in fresh.rows]
        if not names or others:
            feet.append(f"{whole}{ALONE}{'; '.join(others)}" if others else foot)
    return _written(both, [*feet, f"{_measured(now)}: {_with(versions)}.{ALONE}{'; '.join(fresh.rows)}"])


@dataclass
class Parts:
    """What a page is made of: lines by the name of their figure, and the words at its foot."""

    rows: dict[str, str]
    made: dict[str, str]
    why: dict[str, str]
    feet: list[str] = field(default_factory=list)


def _parts(figures: Sequence[Mapping[str, Any]]) -> Parts:
    found = {name: f"| {name} | {what} | {g} | {v} | {told} |" for name, what, g, v, told in rows(figures)}
    made = {figure["name"]: _made(figure) for figure in figures if not figure.get("failed")}
    why = {figure["name"]: figure["note"] for figure in figures if figure["met"] is False and figure.get("note")}
    return Parts(found, made, why)


def _made(figure: Mapping[str, Any]) -> str:
    rounds = ", ".join(f"{each:.3g}" for each in figure["rounds"])
    sides = "; ".join(f"{name} {side:.4g}" for name, side in figure["sides"].items())
    load = ", ".join(f"{each:.1f}" for each in figure["load"])
    return f"| {figure['name']} | {rounds} | {sides} | {load} |"


def _read(text: str) -> Parts:
    """A page that was written before."""
    above, _, rest = text.partition(MADE)
    parts = Parts(_table(above), _table(rest), {})
    for line in rest.splitlines():
        if line.startswith("- **"):
            names, _, note = line.removeprefix("- **").partition("**: ")
            parts.why |= dict.fromkeys(names.split("; "), note)
        elif line.startswith("Measured on "):
            parts.feet.append(line)
    return parts


def _table(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| Figure |")]
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines}


def _written(parts: Parts, feet: Sequence[str]) -> str:
    lines = [HEAD, "| Figure | What | Goal | Value | |", "|---|---|---|---|---|", *parts.rows.values()]
    lines += [
        "",
        MADE,
        "",
        "| Figure | Rounds | Medians | Load before, after |",
        "|---|---|---|---|",
        *parts.made.values(),
    ]
    if parts.why:
        lines += ["", "## Why a goal was missed", ""]
        for note in dict.fromkeys(parts.why.values()):
            lines.append(f"- **{'; '.join(name for name, said in parts.why.items() if said == note)}**: {note}")
    for foot in feet:
        lines += ["", foot]
    return "\n".join([*lines, ""])


def _measured(now: datetime) -> str:
    return f"Measured on {now:%Y-%m-%d} (UTC) with `python -m tests.benchmarks --write`"


def _with(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())


def write(path: Path, figures: Sequence[Mapping[str, Any]], versions: Mapping[str, str], *, whole: bool) -> None:
    """Rewrite the page; where not everything was run, only what was."""
    now = datetime.now(UTC)
    if whole:
        path.write_text(page(figures, versions, now), encoding="utf-8")
        return
    good = [figure for figure in figures if not figure.get("failed")]
    path.write_text(joined(path.read_text(encoding="utf-8"), good, versions, now), encoding="utf-8")
