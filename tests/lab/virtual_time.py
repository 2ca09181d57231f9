"""A loop whose time passes only when there is nothing to do: an hour of waiting takes as long as the work in it.

Work in threads (files) counts as something to do, so time stands still until it is back; ``asyncio.to_thread`` comes through the loop
itself. Nothing is patched but the one place through which the database's threads are asked: here it answers on the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import selectors
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final, TypeVar
from unittest import mock

from core.errors import DatabaseFault
from storage.lane import Lane, Work

T = TypeVar("T")
THREAD_SECONDS: Final = 20.0
"""Real seconds that work in a thread may take."""
TURN_SECONDS: Final = 1e-6
"""What a turn of the loop takes: without it a timer that is a rounding error too early would be set again for ever."""
NOON: Final = 1_795_262_400_000
"""2026-11-21 12:00 UTC, when every virtual day begins."""


class _Selector(selectors.DefaultSelector):
    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> Any:
        self.loop.passed += TURN_SECONDS
        events = super().select(0)
        if events or timeout == 0:
            return events
        if self.loop.busy or timeout is None:
            events = super().select(THREAD_SECONDS)
            if not events:
                raise TimeoutError("nothing happens any more")
            return events
        self.loop.passed += timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """See above. ``busy`` is how many threads work for it, ``passed`` its time in seconds."""

    def __init__(self) -> None:
        self.busy, self.passed = 0, 1000.0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.passed

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        future = super().run_in_executor(executor, func, *args)
        self.busy += 1
        future.add_done_callback(self._back)
        return future

    def _back(self, future: object) -> None:
        del future
        self.busy -= 1


class VirtualClock:
    """The loop's time as ``core.ports.Clock``; ``shift`` jumps ahead as a sleeping laptop does."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop, self.shift = loop, 0.0

    def now(self) -> int:
        return NOON + int((self._loop.time() - 1000.0 + self.shift) * 1000)

    def monotonic(self) -> float:
        return self._loop.time() + self.shift

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _at_once(self: Lane, work: Work[T]) -> T:
    """``Lane.run`` without the way to its thread and back, which costs ten times what most reads do; virtual hours have thousands.

    As there, work that was begun is done although its caller is cancelled, and what it raises is raised here. Whether the threads do
    their part is for ``tests/storage`` and the journeys to show.
    """
    if self._aio._connection is None:
        raise DatabaseFault("the database is closed")
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    asyncio._set_running_loop(None)  # what works in a thread sees no loop, and is free to block
    try:
        done.set_result(work(self._aio._conn))
    except Exception as error:  # noqa: BLE001 - as from a thread: raised for whoever awaits it
        done.set_exception(error)
    finally:
        asyncio._set_running_loop(loop)
    await asyncio.sleep(0)
    return await done


@contextlib.contextmanager
def _database_on_the_loop() -> Iterator[None]:
    def counted(asked: Callable[..., Any]) -> Callable[..., Any]:
        async def call(self: Lane, *args: Any) -> Any:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            loop.busy += 1
            try:
                return await asked(self, *args)
            finally:
                loop.busy -= 1

        return call

    with contextlib.ExitStack() as stack:
        for name in ("open", "close"):
            stack.enter_context(mock.patch.object(Lane, name, counted(getattr(Lane, name))))
        stack.enter_context(mock.patch.object(Lane, "run", _at_once))
        anywhere = functools.partial(sqlite3.connect, check_same_thread=False)
        stack.enter_context(mock.patch("storage.lane.sqlite3.connect", anywhere))
        yield


def run(work: Callable[[VirtualClock], Coroutine[Any, Any, T]]) -> T:
    """Run ``work(clock)`` in virtual time."""
    with _database_on_the_loop(), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        return runner.run(work(VirtualClock(loop)))
