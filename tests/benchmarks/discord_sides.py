"""Both sides of the Discord figures as processes: Reelay's own, and the bare bot's."""

from __future__ import annotations

import contextlib
import json
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tests.lab.discord import Discord
from tests.lab.discord.load import LoadPerson
from tests.lab.reelay import ROOT, Reelay

FILES: Final = 1024
"""Open files that each side may have: what many systems give a process that asks for nothing."""


def limit_files(pid: int) -> None:
    """No more than ``FILES`` open at once, from now on."""
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (FILES, FILES))


@contextlib.contextmanager
def a_reelay(
    world: Discord | LoadPerson, place: Path, generator: Mapping[str, Any], **environ: str
) -> Iterator[Reelay]:
    """The real process with one generator of the lab, open to everybody; it is ready, but perhaps not yet at the gateway."""
    settings = {
        "DISCORD_TOKEN": world.token,
        "DISCORD_API_URL": world.api_url,
        "DISCORD_GATEWAY_URL": world.gateway_url,
        "REELAY_ALLOWED": "open",
        "REELAY_DAILY_CREDITS": "unlimited",
        "REELAY_GLOBAL_DAILY_CREDITS": "unlimited",
        "LAB_LOW_WATER": "0",
        **environ,
    }
    with Reelay(place, environ=settings, generators=[dict(generator)]) as reelay:
        reelay.launch()
        limit_files(reelay.running.pid)
        reelay.wait_ready()
        yield reelay


@contextlib.contextmanager
def a_bare_bot(world: Discord | LoadPerson, does: str, **wish: Any) -> Iterator[subprocess.Popen[str]]:
    """discord.py alone."""
    where = {"api_url": world.api_url, "gateway_url": world.gateway_url, "token": world.token}
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.discord_bare"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        limit_files(process.pid)
        process.stdin.write(json.dumps({**where, "does": does, **wish}) + "\n")
        process.stdin.flush()
        try:
            yield process
        finally:
            process.kill()
