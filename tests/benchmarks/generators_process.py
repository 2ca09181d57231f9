"""The real process with one generator and its simulator, for the figures of the generators; and how long its loop is held.

``python -m tests.benchmarks.generators_process`` is ``reelay run`` with a task that sleeps 5 ms at a time and notes how much later it woke,
from before anything is opened. For each line on its standard input it prints the longest delay since the last one, and how much of that
the loop's thread was not waiting for a core (Linux, schedstat): on a shared machine the rest is somebody else's.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import bot.app
from bot.__main__ import serve, settings_or_exit
from bot.app import App, Extras, open_app
from bot.settings import Settings
from providers.sheets import FOLDER
from tests.benchmarks.figures import resident_bytes
from tests.benchmarks.start import START_SECONDS, ready
from tests.lab.api import Api
from tests.lab.billing import PaidVendor, Script
from tests.lab.vendors import KINDS, OPEN, Kind, hurry
from tests.lab.waiting import until

ROOT: Final = Path(__file__).parents[2]
SLEEP_SECONDS: Final = 0.005
IDLE_SECONDS: Final = 1.0
JOB_SECONDS: Final = 90.0
SCHEDSTAT: Final = Path("/proc/thread-self/schedstat")


def kinds() -> dict[str, Kind]:
    """Every way to a generator and to a result: Omni and LocalAI have two, and answer by default with an address and with the clip."""
    return {**KINDS, "omni inline": KINDS["omni"], "localai by address": KINDS["localai"]}


# --------------------------------------------------------------------------------------------------------------- inside the process


class Sampler:
    """The longest delay since it was last asked, in seconds, and the longest without the wait for a core."""

    def __init__(self) -> None:
        self.worst = self.own = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        with SCHEDSTAT.open("rb") as file:  # noqa: ASYNC230 - the kernel answers at once
            before, waited = time.monotonic(), _waited(file.fileno())
            while True:
                await asyncio.sleep(SLEEP_SECONDS)
                now, since = time.monotonic(), _waited(file.fileno())
                late = now - before - SLEEP_SECONDS
                self.worst, self.own = max(self.worst, late), max(self.own, late - (since - waited))
                before, waited = time.monotonic(), since

    def tell(self) -> None:
        """Answer a line, and begin anew."""
        if os.read(sys.stdin.fileno(), 100):
            print(json.dumps({"worst": self.worst, "own": self.own}), flush=True)
            self.worst = self.own = 0.0
        else:  # whoever started it is gone
            os.kill(os.getpid(), signal.SIGTERM)
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())


def _waited(file: int) -> float:
    """Seconds that the thread has waited for a core."""
    return int(os.pread(file, 100, 0).split()[1]) / 1e9


async def watched(settings: Settings) -> App:
    """``open_app`` with the sampler at work; a full disk of this machine is not what is measured."""
    sampler = Sampler()
    loop = asyncio.get_running_loop()
    task = loop.create_task(sampler.run(), name="sampler")
    loop.add_reader(sys.stdin.fileno(), sampler.tell)
    app = await open_app(settings, Extras(low_water_bytes=0))
    app._stack.callback(task.cancel)
    return app


def main() -> None:
    """Run until SIGTERM."""
    bot.app.open_app = watched  # type: ignore[assignment] # serve() opens the app by this name
    sys.exit(asyncio.run(serve(settings_or_exit())))


# -------------------------------------------------------------------------------------------------------------- on the outside


class Watched:
    """The process, started and ready. ``seconds``: from its start to a yes of ``/readyz``."""

    def __init__(self, place: Path, environ: Mapping[str, str]) -> None:
        self._began = time.monotonic()
        said = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "REELAY_HTTP_PORT": "0", **environ}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.generators_process"],
            cwd=place,
            env={**said, "REELAY_DATA_DIR": str(place / "data")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._said: deque[str] = deque(maxlen=20)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        self.api = Api(self._line(lambda line: " is at http" in line).rsplit(" ", 1)[1].strip())
        port = int(self.api.url.rsplit(":", 1)[1])
        until(lambda: ready(port), START_SECONDS, "readiness")
        self.seconds = time.monotonic() - self._began
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()

    def _listen(self) -> None:
        """Keep the last lines of its log; ends with the process."""
        assert self._process.stderr is not None
        self._said.extend(self._process.stderr)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def idle_bytes(self) -> int:
        """Resident memory a moment after everything became quiet."""
        time.sleep(IDLE_SECONDS)
        return resident_bytes(self.pid)

    def worst(self) -> tuple[float, float]:
        """(longest delay of the loop since the last question, longest one but for the wait for a core) in seconds."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        found = json.loads(self._line(lambda line: line.startswith("{")))
        return float(found["worst"]), float(found["own"])

    def order(self, prompt: str, picture: bytes | None = None) -> dict[str, Any]:
        """Order a clip and wait until it is there; returns its status. Raises RuntimeError when it failed."""
        api = self.api
        answer = api.generate(prompt) if picture is None else api.generate_with_image(picture, prompt=prompt)
        if answer.status != 202:
            raise RuntimeError(f"the order was refused: {answer.body[:300]!r}")
        name, end = answer["operation_id"], time.monotonic() + JOB_SECONDS
        while time.monotonic() < end:
            time.sleep(0.1)
            status = self.api.status(name)
            if status["status"] == "completed":
                return status
            if status["status"] in ("failed", "cancelled"):
                raise RuntimeError(f"{prompt}: {status}")
        raise TimeoutError(f"{prompt} was not there after {JOB_SECONDS:g} s")

    def _line(self, wanted: Callable[[str], bool]) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if wanted(line):
                return line
        code = self._process.wait(30)
        self._listener.join()
        raise RuntimeError(f"it ended with {code}: {''.join(self._said)[-1000:]}")


def prepared(data: Path, name: str, kind: Kind, vendor: PaidVendor) -> dict[str, str]:
    """The settings of a process with this generator alone; its sheet, in which it is asked often, lies in the data folder."""
    hurry(data, kind.generator)
    if name == "omni inline":
        vendor.inline = True  # type: ignore[attr-defined] # Omni's alone
    if name == "localai by address":
        text = (FOLDER / "longcat.toml").read_text(encoding="utf-8")
        (data / "models" / "longcat.toml").write_text(text.replace('"b64_json"', '"url"'), encoding="utf-8")
    return kind.settings(vendor)


@contextmanager
def generator(place: Path, name: str, script: Script) -> Iterator[tuple[PaidVendor, Watched]]:
    """The simulator of ``name`` and a process that knows it and no other paid generator."""
    kind = kinds()[name]
    place.mkdir(parents=True)
    with kind.simulator(script) as vendor, Watched(place, prepared(place / "data", name, kind, vendor)) as process:
        yield vendor, process


@contextmanager
def nothing(place: Path) -> Iterator[Watched]:
    """A process that knows the built-in generator alone."""
    place.mkdir(parents=True)
    with Watched(place, OPEN) as process:
        yield process


if __name__ == "__main__":
    main()
