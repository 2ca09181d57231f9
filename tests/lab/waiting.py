"""Waiting for something to become true, always with a deadline and never longer than needed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")
LOOK_SECONDS = 0.02


def until(look: Callable[[], T], seconds: float = 20.0, what: str = "it") -> T:
    """Look until the answer is true, and return it. Raises TimeoutError with the last answer."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:g} s for {what}; last seen: {found!r}")
        time.sleep(LOOK_SECONDS)


async def until_async(look: Callable[[], Any], seconds: float = 20.0, what: str = "it") -> Any:
    """The same on an event loop; ``look`` may be a coroutine function."""
    end = time.monotonic() + seconds
    while True:
        answer = look()
        found = await answer if isinstance(answer, Awaitable) else answer
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:g} s for {what}; last seen: {found!r}")
        await asyncio.sleep(LOOK_SECONDS)
