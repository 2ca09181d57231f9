"""Starts of the real process that need not import it again: a mother has imported everything once and forks a child for each start.

The child is a process of its own: its own environment, folder, log and signals, and ``kill -9`` ends it as it ends any other. All that
it is spared is a second of imports, of which the tests would otherwise make some hundreds. That a process also begins from nothing is
shown by ``tests/bot``, the benchmarks and ``make prove``, which use no nursery.

Between the two: a line of JSON for each wish, ``{"cwd", "env", "log"}``; lines back, ``{"born": pid}`` and ``{"ended": pid, "code"}``.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

ROOT: Final = Path(__file__).parents[2]
BIRTH_SECONDS: Final = 60.0
AT_ONCE: Final = ("bot.logs",)
"""What every process imports, but not before it is asked to run."""
ON_DEMAND: Final = {
    "DISCORD_TOKEN": "bot.platforms.discord.building",
    "TELEGRAM_TOKEN": "bot.platforms.telegram.building",
}
"""What a process imports only when it is configured, by the variable that configures it."""


class Process(Protocol):
    """As much of ``subprocess.Popen`` as ``Reelay`` uses."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | Any: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


def begin(folder: Path, env: Mapping[str, str], log: Path) -> Process:
    """Start ``tests.lab.process`` in ``folder`` and with exactly ``env``; both streams go to the end of ``log``."""
    nursery = Nursery.of_this_run
    if nursery is None or any(name.startswith("COV") for name in env):
        return from_nothing(folder, env, log)  # what is measured is measured from its first line
    return nursery.begin(folder, env, log)


def from_nothing(folder: Path, env: Mapping[str, str], log: Path) -> Process:
    """The same by an ``exec``, as an operator starts it."""
    with log.open("ab") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.lab.process"],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )


class Born:
    """A child of the mother."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.ended = threading.Event()

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if not self.ended.wait(timeout):
            raise subprocess.TimeoutExpired("a lab process", timeout or 0.0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, sig: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Nursery:
    """One mother, started with the first child; she ends with the test run, and every child with her."""

    of_this_run: ClassVar[Nursery | None] = None
    """Set by tests/conftest.py; without one each process starts from nothing."""

    def __init__(self) -> None:
        self._mother: subprocess.Popen[str] | None = None
        self._one_at_a_time = threading.Lock()
        self._children: dict[int, Born] = {}
        self._told = threading.Event()
        self._newest: Born | None = None

    def begin(self, folder: Path, env: Mapping[str, str], log: Path) -> Process:
        """As ``from_nothing``, by a fork."""
        with self._one_at_a_time:
            if self._mother is None:
                self._wake()
            assert self._mother is not None
            assert self._mother.stdin is not None
            self._told.clear()
            json.dump({"cwd": str(folder), "env": dict(env), "log": str(log)}, self._mother.stdin)
            self._mother.stdin.write("\n")
            self._mother.stdin.flush()
            if not self._told.wait(BIRTH_SECONDS) or self._newest is None:
                raise TimeoutError("the nursery gave birth to no process")
            child, self._newest = self._newest, None
            return child

    def _wake(self) -> None:
        self._mother = subprocess.Popen(
            [sys.executable, "-u", "-m", "tests.lab.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        atexit.register(self.close)
        threading.Thread(target=self._listen, args=(self._mother,), name="nursery", daemon=True).start()

    def _listen(self, mother: subprocess.Popen[str]) -> None:
        assert mother.stdout is not None
        for line in mother.stdout:
            said = json.loads(line)
            if "born" in said:
                self._newest = self._children[said["born"]] = Born(said["born"])
                self._told.set()
            else:
                child = self._children.pop(said["ended"])
                child.returncode = said["code"]
                child.ended.set()
        self._told.set()

    def close(self) -> None:
        """Let the mother end. What she still has ends by itself (``tests.lab.process.end_with``)."""
        if self._mother is not None and self._mother.stdin is not None:
            self._mother.stdin.close()
            self._mother.wait(10)


def tell(**said: object) -> None:
    os.write(1, json.dumps(said).encode() + b"\n")


def births(woken: int) -> dict[str, Any] | None:
    """Fork a child for each wish and tell its end; returns the wish in the child, and None in the mother at the end of the input."""
    wishes, buffer = sys.stdin.fileno(), b""
    while True:
        ready, _, _ = select.select([wishes, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            while (ended := reap()) is not None:
                tell(ended=ended[0], code=ended[1])
        if wishes in ready:
            piece = os.read(wishes, 1 << 16)
            if not piece:
                return None
            buffer += piece
        while b"\n" in buffer:
            line, _, buffer = buffer.partition(b"\n")
            wish: dict[str, Any] = json.loads(line)
            for variable, module in ON_DEMAND.items():
                if variable in wish["env"] and module not in sys.modules:
                    importlib.import_module(module)
                    spare_the_collector()
            pid = os.fork()
            if not pid:
                return wish
            tell(born=pid)


def spare_the_collector() -> None:
    """What is imported stays: no child looks through it again, or copies its pages by doing so."""
    gc.collect()
    gc.freeze()


def reap() -> tuple[int, int] | None:
    """The next child that has ended, with its exit code."""
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, os.waitstatus_to_exitcode(status)) if pid else None


def leave_home(wish: Mapping[str, Any]) -> None:
    """Become a process of its own: nothing of the mother's is left but what she has imported."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(wish["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.closerange(3, 64)
    os.chdir(wish["cwd"])
    os.environ.clear()
    os.environ.update(wish["env"])


def main() -> None:
    """Be the mother; in a child, be the real process."""
    from tests.lab import process, quick_children

    for module in (*AT_ONCE, *quick_children.IMPORTED):
        importlib.import_module(module)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests; their end is hers
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    spare_the_collector()
    assert threading.active_count() == 1, "a fork takes no thread along"
    wish = births(woken)
    if wish is not None:
        leave_home(wish)
        quick_children.install()
        process.main()


if __name__ == "__main__":
    main()
