"""Rules of the house that import-linter cannot express: what core may import, who reads the environment, who builds parts."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("bot", "core", "media", "providers", "storage")
OUTSIDE = frozenset(
    {
        "asyncio",
        "concurrent",
        "ctypes",
        "fcntl",
        "ftplib",
        "glob",
        "http",
        "io",
        "logging",
        "mmap",
        "multiprocessing",
        "os",
        "pickle",
    }
    | {
        "select",
        "selectors",
        "shelve",
        "shutil",
        "signal",
        "smtplib",
        "socket",
        "socketserver",
        "sqlite3",
        "ssl",
        "subprocess",
        "sys",
    }
    | {"tempfile", "threading", "time", "urllib.request", "uuid"}
)
"""Modules by which core would reach files, sockets, threads or the clock."""


def sources(*rooms: str) -> Iterator[tuple[str, ast.Module]]:
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    """Give (module, name in this file, line) of every import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((each.name, each.asname or each.name, node.lineno) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or ".", each.asname or each.name, node.lineno) for each in node.names)


def foreign_to_core(tree: ast.Module) -> list[str]:
    def is_foreign(module: str) -> bool:
        root = module.split(".", maxsplit=1)[0]
        return root != "core" and (root not in sys.stdlib_module_names or root in OUTSIDE or module in OUTSIDE)

    return [f"{line}: {module}" for module, _, line in imported(tree) if is_foreign(module)]


def environment_readers(tree: ast.Module) -> list[str]:
    ways = {"environ", "environb", "getenv", "getenvb", "putenv"}
    found = [
        f"{node.lineno}: {node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ways
    ]
    return found + [
        f"{line}: {module} {name}"
        for module, name, line in imported(tree)
        if (module == "os" and name in ways) or module.split(".", 1)[0] in {"dotenv", "pydantic_settings"}
    ]


def builders(file: str, tree: ast.Module) -> list[str]:
    """Name the calls by which ``file`` builds a part of another room: a class, or a function that opens or connects."""
    own = file.removesuffix(".py").replace("/", ".")
    parts = ("storage", "providers", "bot.platforms.")
    names = {}
    for module, name, _ in imported(tree):
        home = ".".join(module.split(".")[:3])
        if module.startswith(parts) and not own.startswith(home):
            names[name] = module
    raised = {id(node.exc) for node in ast.walk(tree) if isinstance(node, ast.Raise)}
    return [
        f"{node.lineno}: {node.func.id} of {names[node.func.id]}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in names
        and id(node) not in raised
        if node.func.id.startswith(("connect", "open_", "build")) or node.func.id[0].isupper()
    ]


def complaints(rule: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for file, tree in sources("core") if rule == "core" else sources(*ROOMS):
        if rule == "core":
            wrong = foreign_to_core(tree)
        elif rule == "environment":
            wrong = [] if file in {"bot/settings.py", "bot/setting_sources.py"} else environment_readers(tree)
        else:
            wrong = [] if file == "bot/app.py" or not file.startswith("bot/") else builders(file, tree)
        if wrong:
            found[file] = wrong
    return found


def test_core_needs_only_the_standard_library_and_does_no_io() -> None:
    assert complaints("core") == {}


def test_only_settings_reads_the_environment() -> None:
    assert complaints("environment") == {}


def test_only_app_builds_parts() -> None:
    assert complaints("builders") == {}


@pytest.mark.parametrize(
    "code",
    [
        "import aiohttp",
        "from os import path",
        "import storage.rows",
        "import time",
        "def f():\n    import socket",
        "from urllib.request import urlopen",
        "from . import x",
    ],
)
def test_the_rule_for_core_sees(code: str) -> None:
    assert foreign_to_core(ast.parse(code))


@pytest.mark.parametrize(
    "code", ["import os\nos.environ['X']", "from os import getenv", "import os as o\no.getenv('X')", "import dotenv"]
)
def test_the_rule_for_the_environment_sees(code: str) -> None:
    assert environment_readers(ast.parse(code))


def test_the_rule_for_building_sees() -> None:
    code = "from storage.store import open_store\nfrom providers.local import connect as connect_local\nopen_store()\nconnect_local()"
    assert len(builders("bot/doctor.py", ast.parse(code))) == 2
    assert builders("bot/engine/x.py", ast.parse("from storage.store import SqliteStore\nSqliteStore(1)"))
    assert builders("bot/doctor.py", ast.parse("from bot.app import build\nbuild()")) == []
    assert builders("bot/platforms/web/x.py", ast.parse("from bot.platforms.web.y import Y\nY()")) == []
    assert builders("bot/engine/x.py", ast.parse("from storage.errors import Gone\nraise Gone()")) == []
