"""What ComfyUI tells over its WebSocket: how far each prompt is, and that one has ended.

One connection for all prompts of this process, under one client id: ComfyUI sends a prompt's messages only to the client that posted it.
Messages that were missed are not told again, so nothing here is relied on: ``/history`` is the truth, and this only makes it known sooner.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from core.ports import Clock, Hint

MOST_PROMPTS: Final = 512
"""Followed at a time; the oldest is dropped for a new one."""
MESSAGE_BYTES: Final = 4 << 20
CONNECT_SECONDS: Final = 10.0
HEARTBEAT_SECONDS: Final = 30.0
BACK_OFF: Final = (1.0, 60.0)
"""First and longest wait before connecting again."""
ALMOST: Final = 0.99
"""Until the history says that it is done."""
MOST_STEPS: Final = 1e9
ENDS: Final = frozenset({"execution_success", "execution_error", "execution_interrupted"})

log = logging.getLogger("reelay.comfyui")


@dataclass(slots=True)
class Followed:
    """One prompt: the weight of each node of its graph in steps, and how much of each is done, 0 to 1."""

    attempt: str
    weights: Mapping[str, int]
    done: dict[str, float] = field(default_factory=dict)
    told_whole: bool = False
    """Whether ``progress_state`` came, which tells of all nodes at once; older servers send one node at a time."""
    best: float | None = None

    def put(self, node: Any, value: Any, most: Any) -> None:
        """Note how far a node is; what is no node of the graph (a part of a subgraph) or no number tells nothing."""
        known = isinstance(node, str) and node in self.weights
        if known and _is_number(value) and _is_number(most) and most > 0:
            self.done[node] = min(1.0, max(0.0, value / most))

    def reckon(self) -> None:
        """Count again; it never goes back."""
        whole = sum(self.weights.values())
        share = sum(self.weights[node] * part for node, part in self.done.items()) / whole if whole else 0.0
        self.best = min(ALMOST, max(self.best or 0.0, share))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MOST_STEPS


class Ears:
    """The connection. It is made when the first prompt is expected, and made again while any is; ``close`` ends it."""

    def __init__(
        self, root: str, client_id: str, session: Callable[[], aiohttp.ClientSession], clock: Clock, hint: Hint
    ) -> None:
        """``session`` gives the one to connect with, on the loop."""
        self._url, self._client_id, self._session = f"{root}/ws", client_id, session
        self._clock, self._hint = clock, hint
        self._followed: dict[str, Followed] = {}
        self._task: asyncio.Task[None] | None = None

    def expect(self, prompt_id: str, attempt: str, weights: Mapping[str, int]) -> None:
        """Follow a prompt from here on."""
        while len(self._followed) >= MOST_PROMPTS:
            del self._followed[next(iter(self._followed))]
        self._followed[prompt_id] = Followed(attempt, weights)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="comfyui messages")

    def forget(self, prompt_id: str) -> None:
        """Follow it no longer."""
        self._followed.pop(prompt_id, None)

    def progress(self, prompt_id: str) -> float | None:
        """How far it is, 0 to 1; None when nothing was told."""
        followed = self._followed.get(prompt_id)
        return None if followed is None else followed.best

    async def close(self) -> None:
        """Hang up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=5)
        self._task = None

    async def _run(self) -> None:
        wait, longest = BACK_OFF
        while self._followed:
            began = self._clock.monotonic()
            try:
                await self._listen()
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                log.info("no messages", extra={"error": type(error).__name__, "again_in": wait})
            if self._clock.monotonic() - began > longest:
                wait = BACK_OFF[0]
            await self._clock.sleep(wait)
            wait = min(longest, wait * 2)

    async def _listen(self) -> None:
        """Take messages until the connection ends; a server that falls silent is noticed by the heartbeat."""
        async with asyncio.timeout(CONNECT_SECONDS):
            socket = await self._session().ws_connect(
                self._url,
                params={"clientId": self._client_id},
                heartbeat=HEARTBEAT_SECONDS,
                max_msg_size=MESSAGE_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
            )
        async with socket:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:  # binary ones are preview pictures
                    self.heard(message.data)

    def heard(self, text: str) -> None:
        """Take one message. What cannot be understood, or is about nobody's prompt, is passed over."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return
        match message:
            case {"type": str(kind), "data": {"prompt_id": str(prompt_id)} as data} if prompt_id in self._followed:
                self._take(kind, data, self._followed[prompt_id])

    def _take(self, kind: str, data: Mapping[str, Any], one: Followed) -> None:
        match kind, data:
            case "progress_state", {"nodes": dict(nodes)}:
                one.told_whole = True
                for name, told in nodes.items():
                    if isinstance(told, dict):
                        one.put(name, told.get("value"), told.get("max"))
            case "progress", {"node": node, "value": value, "max": most} if not one.told_whole:
                one.put(node, value, most)
            case "execution_cached", {"nodes": list(nodes)}:
                for name in nodes:
                    one.put(name, 1, 1)
            case "executing", {"node": None}:  # after its entry was made in the history
                self._hint(one.attempt)
                return
            case "executing", {"node": str(node)} if not one.told_whole:
                for before in one.done:
                    one.done[before] = 1.0
                one.put(node, 0, 1)
            case _:
                if kind in ENDS:
                    self._hint(one.attempt)
                return
        one.reckon()
