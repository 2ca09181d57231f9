"""Media children of a process from the nursery: forked instead of begun from nothing, so that no clip waits for the same imports again.

Each is a process of its own all the same, with its pipes, its folder, its limits and one request; what it is spared is a fifth of a second
of imports, which the tests would otherwise make a thousand times. Only those of the quick lane: a drawing or an encode takes longer than
its imports. That a child also begins from nothing is shown by ``tests/media``.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from asyncio.subprocess import Process
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from media import limits, worker
from media.children import WORKER

IMPORTED: Final = (
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    *(f"media.operations.{name}" for name in worker.PRELOADED),
)
"""What the mother has imported, and so every child."""


def install() -> None:
    """From now on this process forks its quick media children."""
    begin = asyncio.create_subprocess_exec

    async def begin_quickly(program: str, *arguments: str, **options: Any) -> Process:
        if arguments[:3] == ("-I", str(WORKER), "quick"):
            options["preexec_fn"] = partial(work, arguments[2:], options["env"])
        return await begin(program, *arguments, **options)

    asyncio.create_subprocess_exec = begin_quickly  # type: ignore[assignment] # the one seam between us and media.children


def work(arguments: tuple[str, ...], env: Mapping[str, str]) -> None:
    """Be the child, in place of an ``exec``; never returns. The pipes, the folder and the session are its own already."""
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(env)
    mine = limits.LANES["quick"]
    more = inherited()
    limits.LANES["quick"] = replace(
        mine, address_space=mine.address_space + more, most_address_space=mine.most_address_space + more
    )
    worker.main(list(arguments))


def inherited() -> int:
    """Bytes of address space that are the parent's: they are not to be counted as the child's own."""
    told = Path("/proc/self/statm")  # not on macOS, where address space is not limited
    return int(told.read_text().split()[0]) * resource.getpagesize() if told.exists() else 0
