"""The command line: ``reelay`` or ``reelay run``, ``reelay doctor``, ``reelay admin …``, ``reelay --version``.

What a command needs is imported by the command, so that ``--help`` and ``--version`` answer at once.
"""

# ruff: noqa: FBT002 - typer reads the options from the signatures

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bot.admin_cli import admin
from bot.admin_way import JSON, only_here
from bot.exits import EXIT_FAULT, EXIT_PORT, EXIT_RUNNING, EXIT_STORAGE, settings_or_exit
from bot.version import VERSION

if TYPE_CHECKING:
    import asyncio
    import signal

    from bot.app import App
    from bot.logs import Logs
    from bot.probe import Finding
    from bot.settings import Settings

__all__ = ["cli", "main", "serve", "settings_or_exit"]

MARKS = {"ok": "✓", "note": "!", "fault": "✗"}

cli = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="A relay between people in chats and machines that make films.",
)
cli.add_typer(admin, name="admin")


@cli.callback(invoke_without_command=True)
def main_command(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    """Start Reelay when no command is given."""
    if version:
        typer.echo(f"reelay {VERSION}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        run()


@cli.command()
def run() -> None:
    """Start: page, API and every configured platform and generator."""
    import asyncio

    settings = settings_or_exit()
    raise SystemExit(asyncio.run(serve(settings)))


@cli.command()
def doctor(as_json: JSON = False) -> None:
    """Look at every setting and part, and say what to do about each fault. Exit code 0 or 1."""
    import asyncio
    import json
    from dataclasses import asdict

    from bot.doctor import examine
    from bot.logs import configure

    logs = configure("text", stream=sys.stderr, level=50)  # what goes wrong is told as a finding
    found: list[Finding] = []

    def tell(finding: Finding) -> None:
        found.append(finding)
        if not as_json:
            advice = f"\n  → {finding.advice}" if finding.advice else ""
            typer.echo(f"{MARKS[finding.mark]} {finding.part}: {finding.text}{advice}")

    try:
        sound = asyncio.run(examine(tell))
    finally:
        logs.close()
    if as_json:
        typer.echo(json.dumps({"sound": sound, "findings": [asdict(each) for each in found]}, ensure_ascii=False))
    else:
        faults = sum(each.mark == "fault" for each in found)
        typer.echo("Reelay is well." if sound else f"{faults} thing{'s have' if faults > 1 else ' has'} to be mended.")
    raise SystemExit(0 if sound else EXIT_FAULT)


async def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; returns the exit code. A second signal ends at once."""
    import asyncio

    from bot.app import open_app
    from bot.logs import configure
    from bot.settings import EXIT_MISTAKES, SettingsMistakes
    from core.errors import AlreadyRunning, StorageError

    stop = asyncio.Event()
    _on_signals(stop)
    logs = configure(settings.log_format, settings.secrets())
    try:
        logs.watch(asyncio.get_running_loop())
        try:
            app = await open_app(settings)
        except AlreadyRunning as error:
            typer.echo(str(error), err=True)
            return EXIT_RUNNING
        except SettingsMistakes as mistakes:
            typer.echo(str(mistakes), err=True)
            return EXIT_MISTAKES
        except (StorageError, OSError) as error:
            typer.echo(f"Reelay cannot use its data folder {settings.data_dir}: {error}", err=True)
            return EXIT_STORAGE
        return await _live(app, settings, logs, stop)
    finally:
        logs.close()


def spare_the_collector() -> None:
    """Let Python's garbage collector look at what lives for ever no more, and at the rest less often.

    Thousands of commands at once are hundreds of thousands of young objects that stay until they are answered; looking them over after
    each 700 took a third of the processor's time of such a burst (tests/benchmarks/discord_burst.py, 2026-11).
    """
    import gc

    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


async def _live(app: App, settings: Settings, logs: Logs, stop: asyncio.Event) -> int:
    from bot.app import address
    from bot.credentials import notes

    try:
        try:
            port = await app.start()
        except OSError as error:
            where = f"{settings.http_host}:{settings.http_port}"
            reason = os.strerror(error.errno) if error.errno else error
            typer.echo(f"Reelay cannot listen on {where}: {reason}. REELAY_HTTP_PORT sets another port.", err=True)
            return EXIT_PORT
        spare_the_collector()
        where = address(settings, port)
        for note in notes(settings):
            logs.say(f"Note: {note}")
        logs.say(f"Reelay {VERSION} is at {where}")
        if app.doorkeeper.needs_signin:
            logs.say(f"Sign in once with {where}/?signin={await app.doorkeeper.signin_token()}")
            if (hint := only_here(where)) is not None:
                logs.say(hint)
        await stop.wait()
        return 0
    finally:
        await app.stop()


def _on_signals(stop: asyncio.Event) -> None:
    import asyncio
    import signal

    loop = asyncio.get_running_loop()

    def asked(number: signal.Signals) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked, number)


def main() -> None:
    """Entry point of ``reelay`` and ``python -m bot``."""
    try:
        if sys.argv[1:] == ["--version"]:  # asked by scripts and probes; typer would import a tenth of a second for it
            typer.echo(f"reelay {VERSION}")
        else:
            cli()
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read has gone (… | head): Python would complain while it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
