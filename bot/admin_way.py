"""How ``reelay admin`` gets its answer, and how an answer is told: in words, as a table, or as JSON."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlsplit

import typer

from bot.exits import EXIT_FAULT, EXIT_RUNNING, EXIT_STORAGE, end, settings_or_exit

if TYPE_CHECKING:
    from bot.settings import Settings

JSON = Annotated[bool, typer.Option("--json", help="One line of JSON, for programs.")]
ROUNDS: Final = 12
"""Times that socket and lock are tried, a quarter of a second apart, while a process is just starting or ending."""
STORAGE_CODES: Final = frozenset({"DISK_FULL", "SCHEMA", "STORAGE"})


def do(verb: str, args: dict[str, Any]) -> dict[str, Any]:
    """What ``verb`` answers, from the running process or from this one; every failure ends the command with a sentence."""
    import asyncio

    from bot.admin_socket import FellSilent, NobodyAnswers, Refused, ask
    from core.errors import AlreadyRunning, RequestError, StorageError

    settings = settings_or_exit()
    pid: object = None
    try:
        for _ in range(ROUNDS):
            try:
                return ask(settings.data_dir, verb, args)
            except NobodyAnswers:
                pass
            try:
                return asyncio.run(_directly(settings, verb, args))
            except AlreadyRunning as error:
                pid = error.facts.get("pid")
            time.sleep(0.25)
    except Refused as refusal:
        end(EXIT_STORAGE if refusal.code in STORAGE_CODES else EXIT_FAULT, str(refusal))
    except FellSilent as error:
        end(EXIT_RUNNING, str(error))
    except RequestError as error:
        end(EXIT_FAULT, str(error))
    except (StorageError, OSError) as error:
        end(EXIT_STORAGE, f"Reelay cannot use its data folder {settings.data_dir}: {error}")
    process = "another process" if pid is None else f"process {pid}"
    return end(
        EXIT_RUNNING,
        f"Reelay runs on {settings.data_dir} ({process}) but does not answer on its admin socket: "
        "it is starting, stopping or stuck. Try again.",
    )


async def _directly(settings: Settings, verb: str, args: dict[str, Any]) -> dict[str, Any]:
    from bot.app import open_app
    from bot.logs import configure

    logs = configure("text", settings.secrets(), stream=sys.stderr, level=30)
    try:
        app = await open_app(settings)
        try:
            return await app.desk.do(verb, args, actor="operator@direct")
        finally:
            await app.close()
    finally:
        logs.close()


def said_as_json(told: dict[str, Any], as_json: bool) -> bool:  # noqa: FBT001 - every command hands its option on
    """Print ``told`` when JSON is wanted; returns whether it was."""
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    return as_json


def only_here(link: str) -> str | None:
    """What to know about a link that leads nowhere on another machine, and what changes that; None when it leads everywhere."""
    from bot.setting_values import is_loopback

    if not is_loopback(urlsplit(link).hostname or ""):
        return None
    return "This link works on this machine only. REELAY_PUBLIC_URL sets the address by which others reach Reelay."


def say_limits(title: str, rows: list[dict[str, Any]], *figures: str) -> None:
    """A table of limits, in which a person has a name as far as it is known."""
    named = [{**row, "subject": row["who"] or row["subject"]} for row in rows]
    table(title, ("scope", "subject", "period", *figures), named)


def say_pauses(told: dict[str, Any]) -> None:
    """One line for each pause."""
    for each in told["pauses"]:
        until = "until it is resumed" if each["until"] is None else f"until {each['until']}"
        typer.echo(f"! {each['name']} is paused {until}: {each['reason']}")


def say_alerts(told: dict[str, Any]) -> None:
    """One line for each alert."""
    for each in told["alerts"]:
        typer.echo(f"! {each['cause']} (since {each['since']}): {each['text']}")


def table(title: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    """Print a table; what is in it is never read as markup."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    if not rows:
        console.print(Text(f"{title}: none"))
        return
    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for column in columns:
        grid.add_column(column.removesuffix("_at"), overflow="fold")
    for row in rows:
        grid.add_row(*(Text("" if row[column] is None else str(row[column])) for column in columns))
    console.print(grid)
