"""One look at each generator that needs a key, right after the start: a key of the wrong kind is told then, not by the first order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from bot.engine.alerts import Alerts
from core.errors import CredentialsRejected, ModelRetired, OutOfFunds, ProviderError
from core.ports import Provider

CHECK_SECONDS: Final = 45.0
TOLD: Final = (CredentialsRejected, ModelRetired, OutOfFunds)
"""What only the operator can mend. That a vendor does not answer now is no news: orders wait for it."""
CAUSE: Final = "key of "
"""Cause of the alert, followed by the generator's name."""

log = logging.getLogger("reelay.generators")


async def look(providers: Iterable[Provider], alerts: Alerts) -> None:
    """Check every generator that costs, all at once; spends nothing, pauses nothing, ends within ``CHECK_SECONDS``."""
    async with asyncio.TaskGroup() as group:
        for provider in providers:
            if not provider.capabilities.unpaid:
                group.create_task(_one(provider, alerts), name=f"first look {provider.name}")


async def _one(provider: Provider, alerts: Alerts) -> None:
    cause = CAUSE + provider.name
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await provider.check()
    except TOLD as error:
        await alerts.raise_once(cause, f"{provider.name} cannot be used: {error}")
    except (ProviderError, TimeoutError, OSError) as error:
        log.info("a generator could not be looked at", extra={"provider": provider.name, "error": type(error).__name__})
    except Exception as error:  # noqa: BLE001 - whatever a vendor's library raises, it must not end the others' look
        log.warning("a first look broke", extra={"provider": provider.name, "error": type(error).__name__})
    else:
        await alerts.clear(cause)
