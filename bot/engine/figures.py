"""What the engine counts, without knowing who collects it. ``bot/metrics.py`` gives it to Prometheus; tests read it directly."""

from __future__ import annotations

from typing import Protocol


class Figures(Protocol):
    """Events worth counting. Names and labels are fixed: dashboards depend on them."""

    def job_ended(self, provider: str, state: str, seconds: float) -> None:
        """A job came to an end ``seconds`` after it was accepted."""

    def provider_call(self, provider: str, call: str, outcome: str, seconds: float) -> None:
        """A call to a generator returned (outcome ``ok``) or failed (an error code)."""

    def waited(self, provider: str, seconds: float) -> None:
        """A job was admitted after waiting in the queue."""

    def generator(self, provider: str, state: str) -> None:
        """A generator is ``ok``, ``paused``, ``unhealthy`` or ``probing`` now."""

    def moved(self, provider: str, to: str) -> None:
        """A job that ``provider`` could not take went to another generator."""

    def spent(self, provider: str, credits: int, overrun: int) -> None:
        """A clip cost ``credits``, of which ``overrun`` were more than its person had agreed to: the operator's."""

    def edit(self, platform: str, outcome: str) -> None:
        """A card edit was ``sent``, ``dropped`` because it would show nothing new, or ``failed``."""

    def delivery(self, platform: str, outcome: str) -> None:
        """A delivery was ``sent``, retried, ``unclear`` or ``dead``."""

    def command(self, platform: str, kind: str, outcome: str) -> None:
        """Somebody's command, button, form or choice was ``answered``, ``refused``, ``unreadable``, ``dropped`` or ``broke``."""

    def acknowledged(self, platform: str, seconds: float) -> None:
        """The first answer to it was taken ``seconds`` after it came."""

    def platform_call(self, platform: str, outcome: str) -> None:
        """A call to a platform was ``ok``, ``limited``, ``refused`` or ``unanswered``."""

    def connected(self, platform: str, connections: int) -> None:
        """So many connections bring events now."""


class NoFigures:
    """Counts nothing."""

    def job_ended(self, provider: str, state: str, seconds: float) -> None:
        """Nothing."""

    def provider_call(self, provider: str, call: str, outcome: str, seconds: float) -> None:
        """Nothing."""

    def waited(self, provider: str, seconds: float) -> None:
        """Nothing."""

    def generator(self, provider: str, state: str) -> None:
        """Nothing."""

    def moved(self, provider: str, to: str) -> None:
        """Nothing."""

    def spent(self, provider: str, credits: int, overrun: int) -> None:
        """Nothing."""

    def edit(self, platform: str, outcome: str) -> None:
        """Nothing."""

    def delivery(self, platform: str, outcome: str) -> None:
        """Nothing."""

    def command(self, platform: str, kind: str, outcome: str) -> None:
        """Nothing."""

    def acknowledged(self, platform: str, seconds: float) -> None:
        """Nothing."""

    def platform_call(self, platform: str, outcome: str) -> None:
        """Nothing."""

    def connected(self, platform: str, connections: int) -> None:
        """Nothing."""
