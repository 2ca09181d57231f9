"""The real worker with one more operation, which does what a decoder with a hole might do. Started in the real one's
place.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))

from media import worker


def _run(  # noqa: C901 - one branch for each way to misbehave
    request: dict[str, Any], report: Callable[[str, int, int], None]
) -> dict[str, Any]:
    how = request["how"]
    output = Path(request.get("output") or "unused")
    if how == "hang":
        output.write_bytes(b"half a film")
        report("hanging", 1, 2)
        time.sleep(600)
    if how in ("hang with a grandchild", "hang with a runaway"):
        grandchild = subprocess.Popen(["/bin/sleep", "600"], start_new_session=how.endswith("runaway"))
        report("grandchild", grandchild.pid, 2**31)
        time.sleep(600)
    if how == "spin":
        report("spinning", 1, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (resource.getrusage(resource.RUSAGE_SELF).ru_utime.__ceil__() + 1, 60))
        while True:
            pass
    if how == "eat memory":
        bytearray(resource.getrlimit(resource.RLIMIT_AS)[0])
    if how == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "vanish":
        os._exit(3)
    if how == "fill the disk":
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        with output.open("wb") as file:
            for _ in range(100):
                file.write(b"x" * 100_000)
    if how == "find the disk full":
        raise OSError(28, "No space left on device")
    if how == "babble":
        os.write(1, b"a library says hello\n" * 1000)
        os.write(2, b"\xff" * 1_000_000)
    if how == "endless line":
        report("x" * 1_000_000, 1, 2)
    if how == "lie":
        return {"width": "wide"}
    if how == "stumble":
        raise RuntimeError("a secret prompt")
    names = ("CORE", "AS", "CPU", "FSIZE", "NOFILE")
    return {
        "environment": dict(os.environ),
        "limits": {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in names},
        "nice": os.nice(0),
        "group": os.getpgid(0),
        "pid": os.getpid(),
        "cwd": str(Path.cwd()),
        "isolated": sys.flags.isolated,
    }


operation = types.ModuleType("media.operations.misbehave")
operation.run = _run  # type: ignore[attr-defined]
sys.modules["media.operations.misbehave"] = operation
worker.OPERATIONS = (*worker.OPERATIONS, "misbehave")  # type: ignore[misc, assignment]
worker.main(sys.argv[1:])
