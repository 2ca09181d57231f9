"""What every generator promises (``core.ports.Provider``), as a suite that each implementation and each fake inherits."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from core.capabilities import Applied
from core.errors import Garbled
from core.ids import new_secret_id
from core.jobs import Attempt
from core.ports import Failed, Found, PollAnswer, Provider, Ready, Ticket, Waiting
from core.states import AttemptState


def applied_for(provider: Provider, **changes: Any) -> Applied:
    """A small clip that this generator can make."""
    can = provider.capabilities
    fields: dict[str, Any] = {
        "provider": provider.name,
        "model": can.default_model,
        "prompt": "a lighthouse at dusk",
        "negative_prompt": "",
        "aspect_ratio": can.aspects[0],
        "resolution": can.resolutions[0],
        "seconds": can.seconds[0],
        "seed": 7,
        "audio": can.audio,
    }
    return Applied(**{**fields, **changes})


def attempt_for(applied: Applied) -> Attempt:
    """A fresh attempt."""
    return Attempt(new_secret_id(), "job", 1, applied, AttemptState.OPEN, intent_at=0)


class Collector:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.data = bytearray()

    async def write(self, chunk: bytes) -> None:
        self.data += chunk


class ProviderContract:
    """Inherit, and give a fixture ``provider``. ``seconds`` is how long a clip may take to be made here."""

    seconds = 20.0

    async def waited(self, provider: Provider, ticket: Ticket) -> PollAnswer:
        until = time.monotonic() + self.seconds
        while True:
            answer = await provider.poll(ticket)
            if not isinstance(answer, Waiting):
                return answer
            assert answer.progress is None or 0 <= answer.progress <= 1
            assert time.monotonic() < until, "it does not become ready"
            await asyncio.sleep(provider.capabilities.poll_seconds[0])

    def test_it_says_who_and_what_it_is(self, provider: Provider) -> None:
        can = provider.capabilities
        assert can.name == provider.name == provider.name.lower()
        assert can.title
        assert can.models
        assert can.seconds
        assert can.aspects
        assert can.resolutions
        assert 0 < can.poll_seconds[0] <= can.poll_seconds[1]
        assert 0 < can.usual_seconds <= can.maximum_seconds
        assert can.most_active >= 1

    def test_the_price_is_whole_and_follows_from_the_wish_alone(self, provider: Provider) -> None:
        for resolution in provider.capabilities.resolutions:
            applied = applied_for(provider, resolution=resolution)
            price = provider.estimate(applied)
            assert type(price.credits) is int
            assert price.credits >= 0
            assert price == provider.estimate(applied)
        if provider.capabilities.unpaid:
            assert provider.estimate(applied_for(provider)).credits >= 0

    async def test_a_clip_from_wish_to_file(self, provider: Provider) -> None:
        """Submit, poll to the end, fetch twice, release twice."""
        applied = applied_for(provider)
        ticket = await provider.submit(applied, attempt_for(applied))
        assert json.loads(json.dumps(ticket)) == ticket, "a ticket is plain JSON"
        ready = await self.waited(provider, json.loads(json.dumps(ticket)))
        assert isinstance(ready, Ready)
        first, second = Collector(), Collector()
        await provider.fetch(ticket, ready.artifact, first)
        await provider.fetch(ticket, ready.artifact, second)
        assert first.data == second.data
        assert first.data[4:8] == b"ftyp"
        for _ in range(2):
            await provider.release(ticket)

    async def test_an_attempt_is_found_or_it_cannot_be_told(self, provider: Provider) -> None:
        applied = applied_for(provider)
        attempt = attempt_for(applied)
        ticket = await provider.submit(applied, attempt)
        answer = await provider.find(applied, attempt)
        assert answer == Found(ticket) or answer == "cannot tell"
        assert await provider.cancel(ticket) in {"stopped", "still billed"}

    async def test_a_cancelled_clip_never_raises(self, provider: Provider) -> None:
        applied = applied_for(provider)
        ticket = await provider.submit(applied, attempt_for(applied))
        for _ in range(2):
            assert await provider.cancel(ticket) in {"stopped", "still billed"}
        if provider.capabilities.cancel:
            assert await provider.cancel(ticket) == "stopped"

    async def test_a_sink_that_is_full_ends_the_fetch(self, provider: Provider) -> None:
        class Full(Collector):
            async def write(self, chunk: bytes) -> None:
                raise MemoryError("full")

        applied = applied_for(provider)
        ticket = await provider.submit(applied, attempt_for(applied))
        ready = await self.waited(provider, ticket)
        assert isinstance(ready, Ready)
        with pytest.raises(MemoryError):
            await provider.fetch(ticket, ready.artifact, Full())
        await provider.release(ticket)

    async def test_a_ticket_that_is_not_ours_is_no_clip(self, provider: Provider) -> None:
        """A forgotten or foreign ticket ends in words, not in an endless wait and not in another file."""
        try:
            answer = await provider.poll({"id": "../../etc/passwd", "attempt": "x", "request": {}})
        except (Garbled, KeyError):
            return
        assert isinstance(answer, Failed)

    async def test_check_spends_nothing(self, provider: Provider) -> None:
        assert await provider.check()

    def test_its_folder_is_its_own(self, tmp_path: Path) -> None:
        assert not list(tmp_path.glob("*.mp4"))
