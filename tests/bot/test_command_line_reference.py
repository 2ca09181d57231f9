"""The reference of the command line has every command, option and exit code, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import typer.main

from bot import exits
from bot.__main__ import cli
from bot.settings import EXIT_MISTAKES

PAGE = (Path(__file__).parents[2] / "docs/reference/command-line.md").read_text(encoding="utf-8")
ADMIN = PAGE.partition("## reelay admin")[2].partition("## Exit codes")[0]


def commands(group: object, before: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every command below ``group`` with its long options."""
    for name, each in getattr(group, "commands", {}).items():
        if getattr(each, "commands", None):
            yield from commands(each, f"{before}{name} ")
        else:
            options = {word for parameter in each.params for word in parameter.opts if word.startswith("--")}
            yield f"{before}{name}", options - {"--help", "--json"}


def test_every_admin_command_has_its_row_with_all_of_its_options() -> None:
    rows = "\n".join(line for line in ADMIN.splitlines() if line.startswith("| `"))
    first_cells = [row.replace("\\|", "/").split("|")[1] for row in rows.splitlines()]
    told = [word for cell in first_cells for word in re.findall(r"`([^`]+)`", cell)]
    admin = typer.main.get_command(cli).commands["admin"]  # type: ignore[attr-defined]
    for name, options in commands(admin):
        mine = [words for words in told if re.match(rf"{name}\b", words)]
        assert mine, name
        assert set(re.findall(r"--[a-z]+", " ".join(mine))) == options, name
    known = {name for name, _ in commands(admin)}
    assert [words for words in told if not any(re.match(rf"{name}\b", words) for name in known)] == []


def test_every_command_and_exit_code_is_told() -> None:
    for name, _ in commands(typer.main.get_command(cli)):
        assert f"`reelay {name.split(' ')[0]}" in PAGE
    codes = {value for name, value in vars(exits).items() if name.startswith("EXIT_")} | {0, 2, EXIT_MISTAKES}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, flags=re.MULTILINE)} == codes
