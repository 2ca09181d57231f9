"""Slow chores: retention, orphans, old rows, disk room, the spend cap's warning, and a bounded WAL."""

from __future__ import annotations

import logging
from collections.abc import Set as AbstractSet
from typing import Any, Final, Protocol, runtime_checkable

from bot.engine.erasing import Eraser
from bot.engine.intake import Intake
from bot.engine.parts import Parts
from core.errors import ReelayError
from core.money import Period, Scope, window_start

FAST_SECONDS: Final = 15.0
SLOW_SECONDS: Final = 600.0
ORPHAN_SECONDS: Final = 3600.0
EVENT_DAYS: Final = 30
CAP_WARNING: Final = 0.8
DAY_MS: Final = 86_400_000

log = logging.getLogger("reelay.housekeeping")


class Sweeping(Protocol):
    """The folder's own chore."""

    async def sweep(self, known: set[str], older_than_seconds: float) -> Any:
        """Remove files that no row speaks of."""


@runtime_checkable
class Hoarding(Protocol):
    """A generator that keeps its results with us."""

    async def sweep(self, wanted: AbstractSet[str], older_than_seconds: float) -> None:
        """Remove results of attempts that are not in ``wanted``."""


class Housekeeping:
    """Runs chores apart from the jobs; none of them is needed for correctness."""

    def __init__(
        self, parts: Parts, intake: Intake, eraser: Eraser, retention_days: int, disk_budget: int | None
    ) -> None:
        """``retention_days`` 0 keeps everything."""
        self._parts, self._intake, self._eraser = parts, intake, eraser
        self._retention_days, self._disk_budget = retention_days, disk_budget
        self._held: dict[str, bool] = {}

    async def run(self) -> None:
        """Tick until cancelled."""
        slow_at = self._parts.clock.monotonic() + 5.0
        while True:
            await self._try("disk", self.watch_disk())
            if self._parts.clock.monotonic() >= slow_at:
                slow_at = self._parts.clock.monotonic() + SLOW_SECONDS
                await self._try("retention", self.expire())
                await self._try("traces", self._eraser.erase())
                await self._try("orphans", self.sweep())
                await self._try("results", self.sweep_results())
                await self._try("old rows", self.tidy())
                await self._try("credentials", self._parts.store.drop_credentials())
                await self._try("spend cap", self.watch_cap())
                await self._try("alerts", self._parts.alerts.end_events(self._parts.clock.now()))
            await self._parts.clock.sleep(FAST_SECONDS)

    async def _try(self, what: str, chore: Any) -> None:
        try:
            await chore
        except (ReelayError, OSError) as error:
            log.warning("a chore failed", extra={"chore": what, "error": type(error).__name__})
        except Exception:  # one chore's fault must not end the others: the disk would be watched no more
            log.exception("a chore broke", extra={"chore": what})

    async def watch_disk(self) -> None:
        """Stop taking jobs below the low-water mark, so that what is being made can still be stored."""
        free = await self._parts.clips.free_bytes()
        low = free < self._parts.low_water_bytes
        if self._intake.paused_for_disk:  # a little more room than that, or a single clip would open and close it
            low = free <= self._parts.low_water_bytes * 5 // 4
        if low:  # before the alert is written, for which there may be no room
            self._intake.paused_for_disk = self._parts.disk_is_low = True
        await self._alert_while("low disk", f"only {free // 1_000_000} MB are free: no new job is taken", wrong=low)
        self._intake.paused_for_disk = self._parts.disk_is_low = low
        over = self._disk_budget is not None and (await self._parts.clips.usage()).bytes > self._disk_budget
        await self._alert_while("disk budget", "the clips take more room than the budget; see retention", wrong=over)

    async def _alert_while(self, cause: str, text: str, *, wrong: bool) -> None:
        """Keep an alert as long as something is wrong; one from before a restart ends at the first look."""
        if self._held.get(cause) is wrong:
            return
        if wrong:
            await self._parts.alerts.raise_once(cause, text)
        else:
            await self._parts.alerts.clear(cause)
        self._held[cause] = wrong

    async def expire(self) -> int:
        """Remove what has passed retention and nobody starred; returns how many files."""
        if self._retention_days <= 0:
            return 0
        before, removed = self._parts.clock.now() - self._retention_days * DAY_MS, 0
        for _ in range(1000):  # a hundred rows each; ends when a round finds none
            keys = await self._parts.store.expire_files(before)
            if not keys:
                break
            for key in keys:
                await self._parts.clips.delete(key)
            removed += len(keys)
        for _ in range(1000):
            jobs, keys = await self._parts.store.expire_jobs(before)
            for key in keys:
                await self._parts.clips.delete(key)
            removed += len(keys)
            if not jobs:
                break
        return removed

    async def sweep(self) -> None:
        """Remove files without a row, left by a crash between rename and commit."""
        sweeper: Sweeping = self._parts.clips  # type: ignore[assignment] # only folders need sweeping
        known = await self._parts.store.keys_in_use()
        swept = await sweeper.sweep(known, ORPHAN_SECONDS)
        if swept.missing:
            await self._parts.alerts.raise_once("missing files", f"{len(swept.missing)} clips have a row but no file")

    async def sweep_results(self) -> None:
        """Remove results that a generator keeps for nobody, left by a crash between the end of a job and its ``release``."""
        wanted = await self._parts.store.attempts_in_use()
        for provider in self._parts.providers.values():
            if isinstance(provider, Hoarding):
                await provider.sweep(wanted, ORPHAN_SECONDS)

    async def tidy(self) -> None:
        """Remove old commands, trails and used-up tokens."""
        month = window_start(Period.MONTH, self._parts.clock.now())
        await self._parts.store.tidy(keep_ms=EVENT_DAYS * DAY_MS, month_start=month)

    async def watch_cap(self) -> None:
        """Warn the operator when 80 % of the day's spend cap is gone."""
        for allowance in await self._parts.store.allowances([(Scope.EVERYBODY, "*")]):
            if allowance.period is not Period.DAY or not allowance.limit:
                continue
            cause = f"spend cap {allowance.window_start}"
            if allowance.held + allowance.spent >= CAP_WARNING * allowance.limit:
                used = allowance.held + allowance.spent
                await self._parts.alerts.raise_once(
                    cause, f"{used} of {allowance.limit} credits of today's cap are used"
                )
