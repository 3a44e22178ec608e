"""What is counted, for Prometheus. No label holds an address, a text or anything else of a person."""

import os
from collections import Counter as Tally
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

from gateway.consent.entry import Outcome, Result

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_ENTRIES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The gateway's metrics in a registry of their own.

    With several processes PROMETHEUS_MULTIPROC_DIR must name an empty folder; `gateway serve` and the
    gunicorn configuration see to it.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._events = Counter(
            "gateway_events",
            "Events recorded, by class, source and rule.",
            ("klass", "source", "rule"),
            registry=self.registry,
        )
        self._repeats = Counter(
            "gateway_repeats",
            "Entries that made no event: duplicates, and choices that stood already.",
            ("result",),
            registry=self.registry,
        )
        self._replies = Counter(
            "gateway_replies", "Replies due to a person, by text.", ("key",), registry=self.registry
        )
        self._refused = Counter(
            "gateway_refused_webhooks",
            "Webhooks that did not prove their sender.",
            ("account", "reason"),
            registry=self.registry,
        )
        self._dead_letters = Counter(
            "gateway_dead_letters",
            "Genuine webhooks that could not be read, or not all of them, repeated deliveries included.",
            ("account", "kind"),
            registry=self.registry,
        )
        self._failed = Counter(
            "gateway_failed_entries",
            "Entries answered with 503 since the database did not take them.",
            registry=self.registry,
        )
        self._sent = Counter(
            "gateway_outbox",
            "What went out or was to go out, by kind and by what became of it.",
            ("kind", "result"),
            registry=self.registry,
        )
        self._oldest = self._gauge(
            "gateway_outbox_oldest_seconds", "For how long what is due to go out has been due."
        )
        self._dead = self._gauge("gateway_outbox_dead", "Items that did not go out and wait for an operator.")
        self._commit_seconds = Histogram(
            "gateway_commit_seconds",
            "Time from opening a group's transaction to its commit.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._group_entries = Histogram(
            "gateway_group_entries", "Entries that shared a commit.", buckets=_ENTRIES, registry=self.registry
        )

    def _gauge(self, name: str, meaning: str) -> Gauge:
        """Return a gauge that each process sets anew when it is asked: the newest value is the true one."""
        labels = ("kind", "account")
        return Gauge(name, meaning, labels, registry=self.registry, multiprocess_mode="mostrecent")

    def committed(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        """Count a group that is durable."""
        self._commit_seconds.observe(seconds)
        self._group_entries.observe(len(outcomes))
        events = [outcome.event for outcome in outcomes if outcome.event is not None]
        for labels, number in Tally((event.klass, event.source, event.rule) for event in events).items():
            self._events.labels(*labels).inc(number)
        for key, number in Tally(event.reply for event in events if event.reply).items():
            self._replies.labels(key).inc(number)
        if len(events) < len(outcomes):
            repeats = Tally(o.result for o in outcomes if o.result is not Result.RECORDED)
            for result, number in repeats.items():
                self._repeats.labels(result).inc(number)

    def failed(self, entries: int) -> None:
        """Count entries that could not be recorded."""
        self._failed.inc(entries)

    def refused(self, account: str, reason: str) -> None:
        """Count a webhook that was refused."""
        self._refused.labels(account, reason).inc()

    def dead_letter(self, account: str, kind: str) -> None:
        """Count a genuine webhook that could not be read."""
        self._dead_letters.labels(account, kind).inc()

    def sent(self, kind: str, result: str) -> None:
        """Count an item of the outbox."""
        self._sent.labels(kind, result).inc()

    def waiting(self, kind: str, account: str, *, oldest_seconds: float, dead: int) -> None:
        """Show what waits to go out, as it was found just now."""
        self._oldest.labels(kind, account).set(oldest_seconds)
        self._dead.labels(kind, account).set(dead)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format, of all processes where there are several."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # untyped in the library
        return generate_latest(together)
