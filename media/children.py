"""The parent's end of one child process: start it, ask it once, end it and everything it left."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from core import errors
from media import limits
from media.limits import Lane

_log = logging.getLogger("reelay.media")

WORKER: Final = Path(__file__).resolve().with_name("worker.py")
PREFIX: Final = "child-"
_SECONDS_TO_DIE: Final = 5.0
_ANSWERABLE: Final[dict[str, type[errors.ReelayError]]] = {
    kind.__name__: kind
    for kind in (
        errors.UnsupportedMedia,
        errors.CorruptMedia,
        errors.OversizedMedia,
        errors.CannotFit,
        errors.MediaTimedOut,
        errors.WorkerDied,
        errors.DiskFull,
    )
}
"""What a child may raise in the parent; any other name becomes ``WorkerDied``."""

Progress = Callable[[str, int, int], None]


class Child:
    """One process with its private directory. ``end`` must be awaited by whoever started it, whatever happens in
    between.
    """

    def __init__(self, process: asyncio.subprocess.Process, directory: Path, lane: Lane) -> None:
        """Use ``Child.start``."""
        self._process, self.directory, self.lane = process, directory, lane
        self._said = bytearray()
        self._listener = asyncio.create_task(self._listen(), name=f"media child {process.pid} stderr")

    @classmethod
    async def start(cls, lane: Lane, scratch: Path, *, spare: bool = False) -> Child:
        """Start a child of ``lane`` in a new private directory under ``scratch``; a spare does its imports while it
        waits.
        """
        directory = scratch / f"{PREFIX}{secrets.token_hex(8)}"
        await asyncio.to_thread(directory.mkdir, mode=0o700)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", str(WORKER), lane, str(os.getpid()),
                *(["spare"] if spare else []),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=directory,
                env=_environment(directory),
                start_new_session=True,
                limit=limits.LINE_BYTES,
            )  # fmt: skip
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
            raise
        return cls(process, directory, lane)

    @property
    def pid(self) -> int:
        """Process id, which is also its process group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not been seen to end."""
        return self._process.returncode is None

    async def ask(self, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
        """Send the one request and return its result; raises the child's ``MediaError`` or ``WorkerDied``."""
        body = json.dumps(dict(request), separators=(",", ":")).encode() + b"\n"
        if len(body) > limits.REQUEST_BYTES:
            raise errors.WorkerDied("the request is too long")
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise errors.WorkerDied("the child has no pipes")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died already: its exit code says more
            stdin.write(body)
            await stdin.drain()
            stdin.close()
        for _ in range(limits.MOST_LINES):
            try:
                line = await stdout.readline()
            except ValueError as error:
                raise errors.WorkerDied("the child answered with an endless line") from error
            if not line:
                break
            answer = _parse(line)
            if "result" in answer and isinstance(answer["result"], dict):
                return answer["result"]
            if "error" in answer:
                raise _raised(answer["error"])
            if "stage" in answer:
                progress(str(answer["stage"]), _whole(answer.get("done")), _whole(answer.get("total")))
        raise self._obituary(await self._process.wait())

    async def end(self) -> None:
        """Kill the whole group if it still runs, reap it, and remove its directory with every partial output."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_DIE):
                await asyncio.gather(self._drain(), asyncio.shield(self._listener))
                await self._process.wait()
        self._listener.cancel()
        await asyncio.gather(self._listener, return_exceptions=True)
        self._process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - else a pipe that a runaway holds stays open
        if self._said:
            _log.debug("media child %d said: %s", self.pid, self._said.decode("utf-8", "backslashreplace"))
        await asyncio.to_thread(shutil.rmtree, self.directory, ignore_errors=True)

    async def _drain(self) -> None:
        """Read what nobody wants: before Python 3.13 `wait` returns only when every pipe has been read to its end."""
        stdout = self._process.stdout
        while stdout is not None and await stdout.read(limits.LINE_BYTES):
            pass

    async def _listen(self) -> None:
        stderr = self._process.stderr
        while stderr is not None and (chunk := await stderr.read(4096)):
            self._said += chunk
            del self._said[: -limits.STDERR_BYTES]

    def _obituary(self, code: int) -> errors.MediaError:
        if code == -signal.SIGXCPU:
            return errors.MediaTimedOut("the child used up its processor time")
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return errors.WorkerDied(f"the child ended without an answer ({how})", values={"why": how})


def _environment(directory: Path) -> dict[str, str]:
    """Nothing of ours goes in. One arena and one thread per library: each would reserve address space that the limit
    counts.
    """
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "MALLOC_ARENA_MAX": "2",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def _parse(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError as error:
        raise errors.WorkerDied("the child answered with something that is no JSON") from error
    if not isinstance(answer, dict):
        raise errors.WorkerDied("the child answered with something that is no object")
    return answer


def _whole(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) else 0


def _raised(told: object) -> errors.ReelayError:
    if not isinstance(told, dict):
        return errors.WorkerDied("the child failed without saying how")
    kind = _ANSWERABLE.get(str(told.get("class")), errors.WorkerDied)
    values = told.get("values")
    return kind(str(told.get("text"))[:300], values=values if isinstance(values, dict) else None)
