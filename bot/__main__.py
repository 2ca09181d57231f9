"""The command line: ``reelay`` or ``reelay run``, ``reelay doctor``, ``reelay admin …``, ``reelay --version``."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

import typer

from bot.logs import configure
from bot.settings import EXIT_MISTAKES, Settings, SettingsMistakes, read_settings
from bot.version import VERSION
from core.errors import AlreadyRunning, SchemaFromTheFuture, StorageError

EXIT_RUNNING = 75
"""Another process holds the data folder (EX_TEMPFAIL of sysexits.h)."""
EXIT_STORAGE = 74
"""The data folder or the database cannot be used (EX_IOERR)."""
EXIT_PORT = 69
"""The address is taken (EX_UNAVAILABLE)."""

cli = typer.Typer(
    add_completion=False, no_args_is_help=False, help="A relay between people in chats and machines that make films."
)


@cli.callback(invoke_without_command=True)
def main_command(
    context: typer.Context, version: bool = typer.Option(False, "--version", help="Print the version.")
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
    settings = settings_or_exit()
    raise SystemExit(asyncio.run(serve(settings)))


def settings_or_exit() -> Settings:
    """The settings; with mistakes, all of them are printed and the process exits with 78."""
    try:
        return read_settings()
    except SettingsMistakes as mistakes:
        typer.echo(str(mistakes), err=True)
        raise SystemExit(EXIT_MISTAKES) from None


async def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; returns the exit code. A second signal ends at once."""
    from bot.app import address, open_app

    logs = configure(settings.log_format, settings.secrets())
    try:
        try:
            app = await open_app(settings)
        except AlreadyRunning as error:
            typer.echo(str(error), err=True)
            return EXIT_RUNNING
        except (SchemaFromTheFuture, StorageError, OSError) as error:
            typer.echo(f"Reelay cannot use its data folder {settings.data_dir}: {error}", err=True)
            return EXIT_STORAGE
        stop = asyncio.Event()
        _on_signals(stop)
        try:
            port = await app.start()
        except OSError as error:
            where = f"{settings.http_host}:{settings.http_port}"
            typer.echo(
                f"Reelay cannot listen on {where}: {error.strerror}. REELAY_HTTP_PORT sets another port.", err=True
            )
            await app.close()
            return EXIT_PORT
        where = address(settings, port)
        typer.echo(f"Reelay {VERSION} is at {where}")
        if app.doorkeeper.needs_signin:
            typer.echo(f"Sign in once with {where}/?signin={await app.doorkeeper.signin_token()}")
        sys.stdout.flush()
        await stop.wait()
        await app.stop()
        return 0
    finally:
        with contextlib.suppress(Exception):
            logs.close()


def _on_signals(stop: asyncio.Event) -> None:
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
    cli()


if __name__ == "__main__":
    main()
