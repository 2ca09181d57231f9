"""Keeps the health of generators: notes what became of calls, tells the operator once, and shows how each stands now.

The rows are the truth (``storage/health.py``); what is kept here is a look at them that is a second old at most. Health is never worth a
clip: where it cannot be written, the work goes on without.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from typing import Final

from bot.engine.parts import Parts
from core.errors import ProviderError, RateLimited, StorageError
from core.health import WELL, Call, Health, Standing, is_bad
from storage.health import Look

LOOK_SECONDS: Final = 1.0
"""How old a look at the rows may be."""
SPREAD: Final = (0.8, 1.2)
"""Pauses are made shorter or longer by so much, so that processes and vendors do not march in step."""
UNHEALTHY: Final = "unhealthy "
"""Cause of the alert, followed by the generator's name."""

log = logging.getLogger("reelay.health")


class HealthDesk:
    """What became of calls goes in, how each generator stands comes out."""

    def __init__(self, parts: Parts) -> None:
        """``parts.default_provider`` is what the settings say; what the operator chose since wins over it with the first look."""
        self._parts, self._configured = parts, parts.default_provider
        self._look: Look | None = None
        self._looked_at = float("-inf")
        self._troubled: dict[str, frozenset[Call]] = {}
        self._open: frozenset[str] | None = None
        self._chosen: str | None = None
        self._random = random.Random()  # noqa: S311 - spreads waits, hides nothing

    @property
    def configured_default(self) -> str:
        """The default generator by the settings."""
        return self._configured

    # ------------------------------------------------------------------------------------------------------------------ learning

    async def bad(self, provider: str, call: Call, job_id: str, error: BaseException) -> None:
        """Note that a call for a job went wrong, if that speaks against the generator."""
        if not is_bad(error):
            return
        code, now = error.code if isinstance(error, ProviderError) else "TIMEOUT", self._parts.clock.now()
        spread = self._random.uniform(*SPREAD)
        try:
            before, after = await self._parts.store.change_health(
                provider, lambda health: health.after_bad(call, job_id, code, now, spread=spread)
            )
        except StorageError as fault:
            log.warning("an outcome could not be noted", extra={"provider": provider, "code": fault.code})
            return
        self._keep(provider, after)
        if after.until != before.until:
            log.warning("unhealthy", extra={"provider": provider, "code": after.code, "rounds": after.rounds})
            self.outdated()

    async def good(self, provider: str, call: Call, begun_at: int | None = None) -> None:
        """Note that a call went well; costs nothing while nothing stands against the generator. ``begun_at``: of a clip's attempt."""
        standing = self._troubled.get(provider)
        if not standing or (call not in standing and call is not Call.CLIP):
            return
        try:
            before, after = await self._parts.store.change_health(
                provider, lambda health: health.after_good(call, begun_at)
            )
        except StorageError as fault:
            log.warning("an outcome could not be noted", extra={"provider": provider, "code": fault.code})
            return
        self._keep(provider, after)
        if before.is_open and not after.is_open:
            log.info("well again", extra={"provider": provider})
            self.outdated()

    async def limited(self, provider: str, error: RateLimited) -> int:
        """Note a rate limit: it pauses the generator for everybody, polls too; returns until when (UTC ms)."""
        until = await self._parts.store.limit(provider, error.retry_after, error.code, self._random.uniform(*SPREAD))
        self.outdated()
        return until

    def outdated(self) -> None:
        """The rows have changed: the next look is a fresh one."""
        self._looked_at = float("-inf")

    def _keep(self, provider: str, health: Health) -> None:
        self._troubled[provider] = frozenset(each.call for each in health.troubles)

    # ------------------------------------------------------------------------------------------------------------------- looking

    async def standings(self) -> Mapping[str, Standing]:
        """How every generator stands of which there is anything to say."""
        return (await self.look()).standings

    async def silent_until(self, provider: str) -> int | None:
        """Until when its vendor wants no calls at all, with a little more so that not all come at once; None when it does not say so."""
        until, now = (await self.standings()).get(provider, WELL).limited_until, self._parts.clock.now()
        if until is None or until <= now:
            return None
        return until + int(self._random.uniform(0, max(500.0, 0.1 * (until - now))))

    async def look(self, *, fresh: bool = False) -> Look:
        """The rows as they are, or were a second ago. What is new about them is told: alerts, figures, the default generator."""
        monotonic = self._parts.clock.monotonic()
        if self._look is not None and not fresh and monotonic - self._looked_at < LOOK_SECONDS:
            return self._look
        found = await self._parts.store.look()
        self._look, self._looked_at = found, monotonic
        self._troubled = dict(found.troubled)
        self._heed_default(found.default)
        for name in self._parts.providers:
            self._parts.figures.generator(name, found.standings.get(name, WELL).state)
        await self._tell(found)
        return found

    def _heed_default(self, chosen: str | None) -> None:
        """New orders that name no generator go to the operator's choice, where that is configured."""
        there = chosen is not None and chosen in self._parts.providers
        if chosen != self._chosen and not there and chosen is not None:
            log.warning("the chosen default generator is not configured now", extra={"provider": chosen})
        self._chosen = chosen
        self._parts.default_provider = chosen if there and chosen is not None else self._configured

    async def _tell(self, found: Look) -> None:
        """Raise and end the alerts of what began and ended since the last look; after a start, of everything."""
        names = frozenset(n for n, s in found.standings.items() if n in self._parts.providers and s.is_unhealthy)
        before, self._open = self._open, names
        if names == before:
            return
        if before is None:
            known = [cause for cause, _, _ in await self._parts.store.alerts()]
            before = frozenset(cause.removeprefix(UNHEALTHY) for cause in known if cause.startswith(UNHEALTHY))
        for name in sorted(before - names):
            await self._parts.alerts.clear(UNHEALTHY + name)
        for name in sorted(names):  # told once, whoever asks how often
            code = found.standings[name].why
            text = f"{name} is unhealthy: several jobs in a row went wrong ({code}); it gets no more than one at a time, as a probe"
            await self._parts.alerts.raise_once(UNHEALTHY + name, text)
