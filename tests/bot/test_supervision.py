"""Which platform is not ready, and since when: until it is connected, not until it is tried once more."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from bot.supervision import CONNECTING_SECONDS, Supervision
from core.errors import Unreachable
from core.ports import Platform
from tests.lab.virtual_time import VirtualClock, run


class Tries:
    """A platform whose every run takes ``seconds`` and fails, until it is let in."""

    def __init__(self, seconds: float, supervision: Supervision, *, tells: bool = True) -> None:
        self.runs, self.is_in = 0, False
        self._seconds, self._supervision, self._tells = seconds, supervision, tells

    async def run(self) -> None:
        self.runs += 1
        if self.is_in:
            if self._tells:
                self._supervision.connected("chat", 1)
            await asyncio.Event().wait()
        await asyncio.sleep(self._seconds)
        self._supervision.connected("chat", 0) if self._tells else None
        raise Unreachable("nobody is there", retry_after=5.0)


def begun(supervision: Supervision, platform: Tries) -> asyncio.Task[None]:
    return asyncio.create_task(supervision.run("chat", cast("Platform", cast("Any", platform))))


async def seen(supervision: Supervision, seconds: int) -> list[str]:
    """What was said not to be ready, each second."""
    found = []
    for _ in range(seconds):
        await asyncio.sleep(1)
        found.append(supervision.broken.get("chat", (0, ""))[1])
    return found


def test_it_stays_broken_while_it_is_tried_again_and_mends_when_it_is_connected() -> None:
    async def play(clock: VirtualClock) -> None:
        supervision = Supervision(clock)
        supervision.expect("chat")
        platform = Tries(3.0, supervision)
        task = begun(supervision, platform)
        await asyncio.sleep(3.5)
        since = supervision.broken["chat"][0]
        assert set(await seen(supervision, 120)) == {"nobody is there"}
        assert platform.runs > 5
        assert supervision.broken["chat"][0] == since
        platform.is_in = True
        await asyncio.sleep(70)
        assert supervision.broken == {}
        task.cancel()

    run(play)


def test_a_start_is_ready_at_once_and_one_that_hangs_is_told_of() -> None:
    async def play(clock: VirtualClock) -> None:
        supervision = Supervision(clock)
        supervision.expect("chat")
        task = begun(supervision, Tries(1e6, supervision))
        seconds = int(CONNECTING_SECONDS)
        found = await seen(supervision, seconds + 5)
        assert set(found[: seconds - 1]) == {""}
        assert found[-1] == "connecting"
        supervision.connected("chat", 2)
        assert supervision.broken == {}
        supervision.connected("chat", 0)
        assert await seen(supervision, seconds - 1) == [""] * (seconds - 1)
        assert (await seen(supervision, 5))[-1] == "connecting"
        task.cancel()

    run(play)


def test_what_never_tells_of_connections_is_ready_when_it_runs() -> None:
    async def play(clock: VirtualClock) -> None:
        supervision = Supervision(clock)
        platform = Tries(1.0, supervision, tells=False)
        task = begun(supervision, platform)
        await asyncio.sleep(1.5)
        assert "chat" in supervision.broken
        platform.is_in = True
        await asyncio.sleep(6)
        assert supervision.broken == {}
        task.cancel()

    run(play)
