"""What ``/metrics`` tells: Prometheus figures of this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from core.health import State

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)


class Metrics:
    """Implements ``bot.engine.figures.Figures``; one registry per process, so tests may build many."""

    def __init__(self, on_connected: Callable[[str, int], None] = lambda _platform, _connections: None) -> None:
        """Declare every figure; ``docs/reference/metrics.md`` lists the same ones (a test compares).

        ``on_connected`` is told of a platform's connections as well.
        """
        self._on_connected = on_connected
        self.registry = CollectorRegistry()
        self.jobs_live = Gauge(
            "reelay_jobs_live", "Live jobs by state and generator", ["state", "provider"], registry=self.registry
        )
        self.jobs_ended = Counter(
            "reelay_jobs_ended",
            "Jobs that ended, by generator and end state",
            ["provider", "state"],
            registry=self.registry,
        )
        self.job_seconds = Histogram(
            "reelay_job_seconds",
            "Acceptance to end, seconds",
            ["provider", "state"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.queue_wait = Histogram(
            "reelay_queue_wait_seconds",
            "Queued to admitted, seconds",
            ["provider"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.provider_seconds = Histogram(
            "reelay_provider_call_seconds",
            "Calls to generators, seconds",
            ["provider", "call", "outcome"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.generators = Gauge(
            "reelay_provider_state",
            "How each generator is: 1 at its state, 0 at the others",
            ["provider", "state"],
            registry=self.registry,
        )
        self.moves = Counter(
            "reelay_jobs_moved",
            "Jobs that went to another generator before any submit",
            ["provider", "to"],
            registry=self.registry,
        )
        self.cost = Counter(
            "reelay_provider_cost_credits",
            "What clips cost, as the generator says or else by its price list, credits",
            ["provider"],
            registry=self.registry,
        )
        self.overrun = Counter(
            "reelay_provider_overrun_credits",
            "What of that nobody had agreed to pay, credits",
            ["provider"],
            registry=self.registry,
        )
        self.edits = Counter(
            "reelay_edits",
            "Card edits sent, dropped, or failed",
            ["platform", "outcome"],
            registry=self.registry,
        )
        self.deliveries = Counter(
            "reelay_deliveries", "Deliveries by outcome", ["platform", "outcome"], registry=self.registry
        )
        self.deliveries_open = Gauge(
            "reelay_deliveries_open", "Deliveries that are due or being retried", ["state"], registry=self.registry
        )
        self.commands = Counter(
            "reelay_commands",
            "Commands, buttons, forms and choices, by outcome",
            ["platform", "kind", "outcome"],
            registry=self.registry,
        )
        self.acknowledge_seconds = Histogram(
            "reelay_acknowledge_seconds",
            "A command to its first answer, seconds",
            ["platform"],
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 5, 10),
            registry=self.registry,
        )
        self.platform_calls = Counter(
            "reelay_platform_calls",
            "Calls to chat platforms, by outcome",
            ["platform", "outcome"],
            registry=self.registry,
        )
        self.connections = Gauge(
            "reelay_platform_connections",
            "Connections that bring a platform's events",
            ["platform"],
            registry=self.registry,
        )
        self.inbox_pending = Gauge(
            "reelay_inbox_pending", "Commands received and not yet accepted", registry=self.registry
        )
        self.batch_members = Histogram(
            "reelay_database_batch_members",
            "Transactions that shared one commit",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=self.registry,
        )
        self.batch_seconds = Histogram(
            "reelay_database_commit_seconds",
            "One commit, seconds",
            buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2),
            registry=self.registry,
        )
        self.wal_bytes = Gauge("reelay_database_wal_bytes", "Length of the write-ahead log", registry=self.registry)
        self.clip_bytes = Gauge("reelay_clip_store_bytes", "Bytes of stored files", registry=self.registry)
        self.clip_files = Gauge("reelay_clip_store_files", "Stored files", registry=self.registry)
        self.disk_free = Gauge("reelay_disk_free_bytes", "Free bytes where the clips live", registry=self.registry)
        self.loop_lag = Histogram(
            "reelay_loop_lag_seconds",
            "How late the event loop woke",
            buckets=(0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2),
            registry=self.registry,
        )
        self.open_pages = Gauge("reelay_open_pages", "Open event streams of the web page", registry=self.registry)
        self.alerts = Gauge("reelay_alerts", "Operator alerts that hold now", registry=self.registry)

    def job_ended(self, provider: str, state: str, seconds: float) -> None:
        """Count an end."""
        self.jobs_ended.labels(provider, state).inc()
        self.job_seconds.labels(provider, state).observe(seconds)

    def provider_call(self, provider: str, call: str, outcome: str, seconds: float) -> None:
        """Count a call to a generator."""
        self.provider_seconds.labels(provider, call, outcome).observe(seconds)

    def waited(self, provider: str, seconds: float) -> None:
        """Count an admission."""
        self.queue_wait.labels(provider).observe(seconds)

    def generator(self, provider: str, state: str) -> None:
        """Note how a generator is."""
        for each in get_args(State):
            self.generators.labels(provider, each).set(each == state)

    def moved(self, provider: str, to: str) -> None:
        """Count a move."""
        self.moves.labels(provider, to).inc()

    def spent(self, provider: str, credits: int, overrun: int) -> None:
        """Count what a clip cost."""
        self.cost.labels(provider).inc(credits)
        self.overrun.labels(provider).inc(overrun)

    def edit(self, platform: str, outcome: str) -> None:
        """Count an edit."""
        self.edits.labels(platform, outcome).inc()

    def delivery(self, platform: str, outcome: str) -> None:
        """Count a delivery."""
        self.deliveries.labels(platform, outcome).inc()

    def command(self, platform: str, kind: str, outcome: str) -> None:
        """Count what somebody did."""
        self.commands.labels(platform, kind, outcome).inc()

    def acknowledged(self, platform: str, seconds: float) -> None:
        """Count a first answer."""
        self.acknowledge_seconds.labels(platform).observe(seconds)

    def platform_call(self, platform: str, outcome: str) -> None:
        """Count a call to a platform."""
        self.platform_calls.labels(platform, outcome).inc()

    def connected(self, platform: str, connections: int) -> None:
        """Note how many connections there are."""
        self.connections.labels(platform).set(connections)
        self._on_connected(platform, connections)

    def batch(self, members: int, seconds: float) -> None:
        """Count a commit."""
        self.batch_members.observe(members)
        self.batch_seconds.observe(seconds)

    def text(self) -> bytes:
        """The exposition text."""
        return generate_latest(self.registry)
