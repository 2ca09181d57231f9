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

    def edit(self, platform: str, outcome: str) -> None:
        """A card edit was ``sent``, ``dropped`` because it would show the same, or ``failed``."""

    def delivery(self, platform: str, outcome: str) -> None:
        """A delivery was ``sent``, retried, ``unclear`` or ``dead``."""


class NoFigures:
    """Counts nothing."""

    def job_ended(self, provider: str, state: str, seconds: float) -> None:
        """Nothing."""

    def provider_call(self, provider: str, call: str, outcome: str, seconds: float) -> None:
        """Nothing."""

    def waited(self, provider: str, seconds: float) -> None:
        """Nothing."""

    def edit(self, platform: str, outcome: str) -> None:
        """Nothing."""

    def delivery(self, platform: str, outcome: str) -> None:
        """Nothing."""
