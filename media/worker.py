"""The disposable child: one request on standard input, JSON lines on standard output, then it ends.

Started as ``python -I media/worker.py LANE PARENT [spare]`` by its path, so that it works from a checkout and from an
installed package without ``PYTHONPATH``. Limits come first, before anything that could read a hostile byte is imported;
nothing here ever forks.

Lines out: ``{"stage", "done", "total"}`` as work goes on, and at last ``{"result": …}`` or ``{"error": {"class",
"text", "values"}}``, where class is a name from ``core.errors``.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
if str(_ROOT) not in sys.path:  # behind the standard library, before anybody else's package of the same name
    sys.path.insert(
        next((n for n, path in enumerate(sys.path) if path.endswith("-packages")), len(sys.path)), str(_ROOT)
    )

import contextlib  # noqa: E402 - the checkout must be importable first
import ctypes  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
import traceback  # noqa: E402
from typing import IO, Any, Final, cast  # noqa: E402

from core.errors import DiskFull, MediaError, MediaTimedOut, OversizedMedia, ReelayError, WorkerDied  # noqa: E402
from media.limits import LANES, REQUEST_BYTES, ChildLimits, Lane  # noqa: E402

OPERATIONS: Final = (
    "inspect",
    "normalise_image",
    "encode_image",
    "poster",
    "preview",
    "last_frame",
    "fit",
    "merge",
    "normalise_song",
    "render",
)
PRELOADED: Final = ("inspect", "normalise_image")
"""What a spare imports while it waits."""
SPARE: Final = "spare"

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_SECONDS_BETWEEN_REPORTS = 0.1


def confine(limits: ChildLimits, parent: int) -> None:
    """Bound this process and tie its life to ``parent``. Ends the process when the parent is already gone."""
    mine = (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_AS, limits.address_space, limits.most_address_space),
        (resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1),
        (resource.RLIMIT_FSIZE, limits.file_bytes, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files, limits.open_files),
    )
    for which, wanted, most in mine:
        _, ceiling = resource.getrlimit(which)
        soft, hard = (wanted, most) if ceiling == resource.RLIM_INFINITY else (min(wanted, ceiling), min(most, ceiling))
        with contextlib.suppress(ValueError, OSError):  # macOS refuses RLIMIT_AS
            resource.setrlimit(which, (soft, hard))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a full quota is an OSError 27 that we can explain, not a death
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)
    os.umask(0o077)
    if limits.niceness:
        os.nice(limits.niceness)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(2)
    os._exit(1)


class Answers:
    """The only writer of the real standard output; what libraries print there goes to standard error instead."""

    def __init__(self) -> None:
        """Take file descriptor 1 away from everybody else."""
        self._out: IO[bytes] = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        self._last: tuple[str, float] = ("", 0.0)

    def line(self, value: dict[str, Any]) -> None:
        """Send one JSON line."""
        self._out.write(json.dumps(value, separators=(",", ":")).encode() + b"\n")

    def report(self, stage: str, done: int, total: int) -> None:
        """Send progress, at most ten lines a second for each stage besides its last."""
        now = time.monotonic()
        if stage == self._last[0] and done < total and now - self._last[1] < _SECONDS_BETWEEN_REPORTS:
            return
        self._last = (stage, now)
        self.line({"stage": stage, "done": int(done), "total": int(total)})


def explain(error: BaseException) -> ReelayError:
    """Return ``error`` as one of the tree; the text names no byte of the file."""
    if isinstance(error, (MediaError, DiskFull)):
        return error
    number = getattr(error, "errno", None)
    if isinstance(error, MemoryError) or number == 12 or "external library" in str(error):
        return WorkerDied("out of memory", values={"why": "out of memory"})
    if number == 28:
        return DiskFull("no room for the output")
    if number == 27:
        return OversizedMedia(
            "the output grew above its limit", values={"what": "output", "found": "more", "most": "its limit"}
        )
    if isinstance(error, TimeoutError):
        return MediaTimedOut("the operation gave up")
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" at {Path(frame[0].filename).name}:{frame[0].lineno}" if frame else ""
    return WorkerDied(f"{type(error).__name__}{place}", values={"why": "an unexpected fault"})


def _serve(answers: Answers, *, spare: bool) -> None:
    for name in PRELOADED if spare else ():
        importlib.import_module(f"media.operations.{name}")
    raw = sys.stdin.buffer.readline(REQUEST_BYTES + 1)
    if not raw:
        return  # the parent has no work for this spare
    if len(raw) > REQUEST_BYTES:
        raise WorkerDied("the request is too long")
    request = json.loads(raw)
    operation = request.pop("operation")
    if operation not in OPERATIONS:
        raise WorkerDied("no such operation")
    module = importlib.import_module(f"media.operations.{operation}")
    answers.line({"result": module.run(request, answers.report)})


def main(arguments: list[str]) -> None:
    """Serve one request and end at once, without running library destructors on hostile state."""
    lane = cast(Lane, arguments[0])
    confine(LANES[lane], int(arguments[1]))
    answers = Answers()
    try:
        _serve(answers, spare=SPARE in arguments[2:])
    except BaseException as error:  # noqa: BLE001 - the one place where a child's faults become an answer
        explained = explain(error)
        if explained is not error:
            with contextlib.suppress(Exception):
                traceback.print_exception(error)
        answers.line({"error": {"class": type(explained).__name__, "text": str(explained), "values": explained.values}})
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
