"""Orders of Veo clips, and the generator as the app connects it; for its tests."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bot.settings import read_settings
from core.capabilities import Applied
from core.ports import Connect, Failed, Ready, Waiting
from providers.veo import Veo, connect
from tests.contracts.provider import attempt_for
from tests.lab.billing import PaidVendor

MODEL = "veo-3.1-generate-001"


def veo(vendor: PaidVendor, world: Connect, **environment: str) -> Veo:
    """As the app connects it: in a thread."""
    settings = read_settings({**vendor.environment(), **environment}, None)
    with ThreadPoolExecutor(1) as room:
        return room.submit(connect, settings, world).result()


def order(**changes: Any) -> Applied:
    fields: dict[str, Any] = {
        "provider": "veo",
        "model": MODEL,
        "prompt": "a lighthouse at dusk",
        "negative_prompt": "",
        "aspect_ratio": "16:9",
        "resolution": "720p",
        "seconds": 4,
        "seed": 7,
        "audio": True,
    }
    return Applied(**{**fields, **changes})


async def submitted(provider: Veo, applied: Applied | None = None) -> dict[str, Any]:
    wish = applied or order()
    return dict(await provider.submit(wish, attempt_for(wish)))


async def ended(provider: Veo, ticket: dict[str, Any]) -> Ready | Failed:
    async with asyncio.timeout(20):
        while True:
            answer = await provider.poll(ticket)
            if not isinstance(answer, Waiting):
                return answer
            await asyncio.sleep(0.02)
