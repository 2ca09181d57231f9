"""The real process with the lab in it: ``python -m tests.lab.process`` is ``reelay run`` with generators and crash points of a test.

Everything is the bot's own ``serve``; only what ``bot.app.Extras`` allows is added, told by the environment:

``LAB_GENERATORS``   JSON list of ``LabSettings``; ``kind`` is ``vendor`` (over HTTP) or ``instant``
``LAB_DEFAULT``      name of the default generator
``LAB_KILL``         JSON ``{point: n}``: SIGKILL to this process when it reaches the point for the n-th time
``LAB_KILL_FILE``    file that names the point at which it kills itself next; the file goes with it
``LAB_LOW_WATER``    file that holds the low-water mark in bytes at start (a fake full disk)
``LAB_TOKENS``       JSON ``{person: token}``: web accounts with an API token each
``LAB_CHAT``         address of the strict fake chat to join
``LAB_BREAK_PLATFORM``  add a platform whose loop breaks while a file called ``break`` is in the working folder
``LAB_HASTE``        number by which the clock's sleeps are shortened (chores and supervisors, not the scheduler)
``LAB_CLOCK``        file of a ``SharedShift`` that is added to the clock
``LAB_UNPACED``      whatever it says, nothing waits for room in a Telegram chat; for tests about something else
``LAB_MESSAGES_A_SECOND``  what Telegram's pacing lets out to all chats together, for measuring what is behind it
``LAB_DISK``         file that holds how many bytes the disk seems to have free; read again at every look
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import bot.app
from bot.__main__ import serve, settings_or_exit
from bot.app import App, Extras, open_app
from bot.clock import SystemClock
from bot.engine.engine import Engine
from bot.engine.lanes import Lanes
from bot.platforms.telegram import pacing
from bot.platforms.web.accounts import hash_token
from bot.settings import Settings
from core.ports import Connect, Platform, Provider
from tests.lab.clock import SharedShift
from tests.lab.generator import InstantGenerator, LabGenerator, LabSettings

LOOK_SECONDS = 0.02
watchers: set[asyncio.Task[None]] = set()
"""Owned by this module: they live as long as the process."""


class ShiftedClock(SystemClock):
    """The system's clock, moved by whoever shares the file. Who sleeps while it is moved sleeps so much less."""

    def __init__(self, file: str, haste: float) -> None:
        self._shared, self._haste = SharedShift(Path(file)) if file else None, haste
        self._moved = asyncio.Event()

    def shift(self) -> int:
        """Milliseconds to add."""
        return self._shared.get() if self._shared is not None else 0

    async def sleep(self, seconds: float) -> None:
        if self._shared is None:
            return await super().sleep(seconds / self._haste)
        began, shift = time.monotonic(), self.shift()
        while True:  # ends: real time passes, and nothing moves the clock back
            moved, left = self._moved, seconds - (self.shift() - shift) / 1000
            rest = left / self._haste - (time.monotonic() - began)
            if rest <= 0:
                return await asyncio.sleep(0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(moved.wait(), rest)

    async def follow(self, engine: Engine) -> None:
        """Wake whoever sleeps, whenever it has been moved: what is due now is done now."""
        seen = self.shift()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            before, seen = seen, self.shift()
            ahead = (seen - before) / 1000
            if ahead > 0:
                moved, self._moved = self._moved, asyncio.Event()
                moved.set()
                bring_forward(engine.lanes, ahead)
                engine.scheduler.hint()

    def now(self) -> int:
        return super().now() + self.shift()

    def monotonic(self) -> float:
        return time.monotonic() + self.shift() / 1000


def bring_forward(lanes: Lanes, seconds: float) -> None:
    """Jobs that the lanes look at again at some time are looked at so much earlier."""
    loop = asyncio.get_running_loop()
    for job, timer in list(lanes._later.items()):
        lanes._later[job] = loop.call_at(timer.when() - seconds, timer._callback)  # type: ignore[attr-defined]
        timer.cancel()  # second, because it forgets what it was to call
    lanes._wake.set()


class KillSwitch:
    """Ends this process, without a word to anybody, at the n-th time a point is reached."""

    def __init__(self, points: Mapping[str, int], armed: str | None = None) -> None:
        self._points, self._seen = points, Counter[str]()
        self._armed = None if armed is None else Path(armed)

    def __call__(self, point: str) -> None:
        self._seen[point] += 1
        if self._armed is not None and self._armed.exists() and self._armed.read_text() == point:
            self._armed.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        if self._points.get(point) == self._seen[point]:
            os.kill(os.getpid(), signal.SIGKILL)


class Fragile:
    """A platform that nobody uses and whose ``run`` breaks on demand."""

    def __init__(self, like: Platform) -> None:
        self._like = like

    def __getattr__(self, name: str) -> Any:
        return getattr(self._like, name)

    async def run(self) -> None:
        try:
            while True:
                await asyncio.sleep(0.05)
                if await asyncio.to_thread(Path("break").exists):
                    raise RuntimeError("broken on demand")
        except asyncio.CancelledError as cancelled:
            raise RuntimeError("breaks also when it is stopped") from cancelled


def connector(data: dict[str, Any]) -> tuple[str, Callable[[Settings, Connect], Provider]]:
    """A generator as ``Extras`` wants it."""
    kind = data.pop("kind", "vendor")
    lab = LabSettings.from_json(data)

    def connect(settings: Settings, world: Connect) -> Provider:
        del settings
        return InstantGenerator(lab, world) if kind == "instant" else LabGenerator(lab, world.pictures)

    return lab.name, connect


def extras(environ: Mapping[str, str]) -> Extras:
    """What the environment asks for."""
    generators = json.loads(environ.get("LAB_GENERATORS", "[]"))
    low_water = environ.get("LAB_LOW_WATER")
    clock = ShiftedClock(environ.get("LAB_CLOCK", ""), float(environ.get("LAB_HASTE", "1")))
    return Extras(
        providers=[connector(dict(each)) for each in generators],
        default_provider=environ.get("LAB_DEFAULT"),
        reach=KillSwitch(json.loads(environ.get("LAB_KILL", "{}")), environ.get("LAB_KILL_FILE")),
        clock=clock,
        low_water_bytes=None if low_water is None else int(low_water),
    )


async def end_with(parent: int) -> None:
    """A test run that was killed must leave no process: end when whoever started us is gone."""
    while os.getppid() == parent:  # noqa: ASYNC110 - the kernel tells this by no event
        await asyncio.sleep(1.0)
    os.kill(os.getpid(), signal.SIGTERM)


async def open_lab_app(settings: Settings) -> App:
    """``open_app`` with the extras; the fake disk and the fake chat join before anything starts."""
    messages = os.environ.get("LAB_MESSAGES_A_SECOND")
    if messages is not None:
        pacing.ALL = (int(messages), 1.0, (0, 0, 0))  # type: ignore[misc] # only a measurement may lift it: no setting does
    if "LAB_UNPACED" in os.environ:
        pacing.CHAT = pacing.GROUP = pacing.ALL = (1000, 1.0, (0, 0, 0))  # type: ignore[misc] # as above
    more = extras(os.environ)
    app = await open_app(settings, more)
    if isinstance(more.clock, ShiftedClock) and "LAB_CLOCK" in os.environ:
        watchers.add(asyncio.create_task(more.clock.follow(app.engine), name="the clock that is moved"))
    watchers.add(asyncio.create_task(end_with(os.getppid()), name="end with the test run"))
    disk = os.environ.get("LAB_DISK")
    if disk is not None:

        async def free_bytes() -> int:
            return int(await asyncio.to_thread(Path(disk).read_text))

        app.clips.free_bytes = free_bytes  # type: ignore[method-assign] # the disk of this world is a number in a file
    for person, token in json.loads(os.environ.get("LAB_TOKENS", "{}")).items():
        account = await app.store.open_account("web", person)
        if await app.store.account_of_token(hash_token(token)) is None:
            await app.store.add_token(hash_token(token), "api", account, None)
    if "LAB_BREAK_PLATFORM" in os.environ:
        app.parts.platforms["fragile"] = cast(Platform, Fragile(app.parts.platforms["web"]))
    chat = os.environ.get("LAB_CHAT")
    if chat is not None:
        from tests.lab.chat_platform import ChatPlatform, HttpLine

        app.parts.platforms["chat"] = ChatPlatform(HttpLine(chat), app.engine, app.clock)
    return app


def main() -> None:
    """Run until SIGTERM."""
    bot.app.open_app = open_lab_app  # type: ignore[assignment] # the one seam: serve() opens the app by this name
    sys.exit(asyncio.run(serve(settings_or_exit())))


if __name__ == "__main__":
    main()
