"""``python -m tests.benchmarks [NAME …] [--write] [--quick]``: every figure of the issue, each benchmark in a process of its own.

Prints one JSON line for each figure and then a table. ``--write`` rewrites ``docs/reference/benchmarks.md``, with NAME only its lines;
``--quick`` uses small numbers, to see that everything runs: its values mean nothing.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.figures import load_average, versions
from tests.benchmarks.report import table, write

NAMES: Final = (
    "intake",
    "sleeping",
    "relay",
    "recovery",
    "start",
    "rendering",
    "films",
    "films_memory",
    "films_wall",
    "stall",
    "discord_burst",
    "discord_flood",
    "discord_edits",
    "discord_uploads",
    "telegram_transport",
    "telegram_memory",
    "telegram_freshness",
    "telegram_durable",
    "generators_start",
    "generators_memory",
)
ROOT: Final = Path(__file__).parents[2]
SKIPPED: Final = "skipped: "
"""How a benchmark begins a line on standard error about what it could not measure here."""
MOST_SECONDS: Final = 480
"""A benchmark that takes longer is broken; the others go on."""


def one(name: str, scale: float) -> None:
    """In the child: measure and print."""
    logging.disable(logging.CRITICAL)  # a process that is stopped in the middle of its work says so
    before = load_average()
    found = import_module(f"tests.benchmarks.{name}").measure(scale)
    for figure in found:
        print(json.dumps({**figure.as_json(), "load": [before, load_average()]}, ensure_ascii=False), flush=True)


def run(name: str, scale: float) -> list[dict[str, Any]]:
    """The figures of one benchmark, or a line that says why there are none."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks", "--one", name, "--scale", str(scale)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)
        why = f"ended with {done.returncode}: {(done.stderr.splitlines() or ['no word'])[-1][:200]}"
        said = done.stderr.splitlines(keepends=True)
        sys.stderr.writelines(line for line in said if done.returncode or line.startswith(SKIPPED))
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if not lines and not done.returncode and any(line.startswith(SKIPPED) for line in said):
            return []
    except subprocess.TimeoutExpired:
        lines, why = [], f"did not end within {MOST_SECONDS} s"
    return lines or [{"name": name, "what": why, "value": None, "goal": None, "met": False, "failed": True}]


def main() -> int:
    """Exit code 1 when a benchmark did not run, not when a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(NAMES))
    parser.add_argument("--write", action="store_true", help="rewrite docs/reference/benchmarks.md")
    parser.add_argument("--quick", action="store_true", help="small numbers that mean nothing")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--scale", type=float, default=1.0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(asked.one, asked.scale)
        return 0
    unknown = set(asked.names) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    began, told = time.monotonic(), []
    with_versions = versions()
    for name in asked.names or NAMES:
        for figure in run(name, 0.05 if asked.quick else 1.0):
            told.append(figure)
            print(json.dumps({**figure, "versions": with_versions}, ensure_ascii=False), flush=True)
    print(f"\n{table(told)}\n\n{time.monotonic() - began:.0f} s in all")
    if asked.write and asked.quick:
        print("Small numbers are not written down.")
    elif asked.write:
        write(ROOT / "docs" / "reference" / "benchmarks.md", told, with_versions, whole=not asked.names)
    return int(any(figure.get("failed") for figure in told))


if __name__ == "__main__":
    sys.exit(main())
