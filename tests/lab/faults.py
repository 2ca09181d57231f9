"""Scripted faults: ``faults.on("create_message").after(2).rate_limit(7)``. Operations are the platform's own names; ``*`` is any."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, Self

Kind = Literal["rate limit", "refuse", "status", "page", "cut before", "cut after", "stall", "slow", "garble", "sink"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request."""

    kind: Kind
    seconds: float = 0.0
    code: int = 0
    scope: str = "user"
    via: bool = True
    text: str = ""


@dataclass(slots=True, eq=False)
class Rule:
    """After ``after`` requests the next ``times`` of them have the fault."""

    operation: str
    skipped: int = 0
    count: float = 1
    fault: Fault | None = None

    def after(self, requests: int) -> Self:
        """Let so many pass first."""
        self.skipped = requests
        return self

    def times(self, requests: float) -> Self:
        """Not once but so often; ``float("inf")`` for ever."""
        self.count = requests
        return self

    def rate_limit(self, seconds: float, *, scope: str = "user", via: bool = True) -> Self:
        """429. On Discord: scopes user, global, shared; without ``via`` it looks like Cloudflare's, which discord.py takes for a ban."""
        return self._is(Fault("rate limit", seconds, scope=scope, via=via))

    def refuse(self, code: int, text: str = "") -> Self:
        """The platform's own error: Discord's by its code, such as 50013; Telegram's by status and words."""
        return self._is(Fault("refuse", code=code, text=text))

    def status(self, status: int) -> Self:
        """A broken answer such as 500, 502 or 503; nothing is done."""
        return self._is(Fault("status", code=status))

    def page(self, status: int) -> Self:
        """A proxy's HTML instead of JSON, such as Cloudflare's 413; nothing is done."""
        return self._is(Fault("page", code=status))

    def cut_before(self) -> Self:
        """The connection ends and nothing is done."""
        return self._is(Fault("cut before"))

    def cut_after(self) -> Self:
        """It is done, and the connection ends before the answer."""
        return self._is(Fault("cut after"))

    def error_after(self, status: int) -> Self:
        """It is done, and the answer says otherwise."""
        return self._is(Fault("status", code=status, scope="after"))

    def stall(self, seconds: float) -> Self:
        """It is done only after so long."""
        return self._is(Fault("stall", seconds))

    def slow(self, seconds: float) -> Self:
        """It is done at once, and the answer takes so long."""
        return self._is(Fault("slow", seconds))

    def sink(self, bytes_per_second: float) -> Self:
        """The body is taken no faster than this."""
        return self._is(Fault("sink", bytes_per_second))

    def garble(self) -> Self:
        """It is done, and the answer is no JSON."""
        return self._is(Fault("garble"))

    def _is(self, fault: Fault) -> Self:
        self.fault = fault
        return self


@dataclass(slots=True)
class Faults:
    """All rules; the first that applies is used up first."""

    rules: list[Rule] = field(default_factory=list)
    used: Counter[str] = field(default_factory=Counter)
    """How often each operation had a fault."""

    def on(self, operation: str) -> Rule:
        """A new rule; say next when and what."""
        rule = Rule(operation)
        self.rules.append(rule)
        return rule

    def next(self, operation: str) -> Fault | None:
        """The fate of a request that has just come."""
        for rule in self.rules:
            if rule.operation not in {operation, "*"} or rule.fault is None or rule.count <= 0:
                continue
            if rule.skipped > 0:
                rule.skipped -= 1
                continue
            rule.count -= 1
            self.used[operation] += 1
            return rule.fault
        return None
