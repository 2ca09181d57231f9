"""The exit codes of ``reelay`` (from sysexits.h where there is one), and how a command ends with one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

import typer

if TYPE_CHECKING:
    from bot.settings import Settings

EXIT_FAULT: Final = 1
"""What was asked for cannot be done; 2 is a usage mistake, by click."""
EXIT_PORT: Final = 69
"""The address is taken (EX_UNAVAILABLE)."""
EXIT_STORAGE: Final = 74
"""The data folder or the database cannot be used (EX_IOERR)."""
EXIT_RUNNING: Final = 75
"""Another process holds the data folder, or the running one does not answer (EX_TEMPFAIL)."""


def settings_or_exit() -> Settings:
    """The settings; with mistakes, all of them are printed and the process exits with 78."""
    from bot.settings import EXIT_MISTAKES, SettingsMistakes, read_settings

    try:
        return read_settings()
    except SettingsMistakes as mistakes:
        end(EXIT_MISTAKES, str(mistakes))


def end(code: int, sentence: str) -> NoReturn:
    """Say ``sentence`` on standard error and exit with ``code``."""
    typer.echo(sentence, err=True)
    raise SystemExit(code)
