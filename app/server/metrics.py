"""The metrics of all workers: counts and durations, labelled with constants only.

A single worker keeps them in memory. Several workers write them to files of one folder (`app.settings.share_metrics`),
so that each worker can answer for all; the numbers of a worker that died stay in the counters and leave the gauges.

No label comes from a request: routes are templates, reasons are codes. An identifier type may
name a person's employer or illness, so a reason `limit:<type>` is counted as `limit`.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from app.server.gauges import ProcessGauges
from identity.values.calls import Outcome

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# The creation time of each series is of no use here and triples the size of a scrape.
disable_created_metrics()  # type: ignore[no-untyped-call]

_CALLS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)


class Metrics:
    """The metrics of one process, and of all workers where `folder` is the one that they share."""

    def __init__(self, folder: Path | None = None) -> None:
        self._registry = registry = CollectorRegistry()
        self._folder = folder
        self.gauges = ProcessGauges(registry)
        self._calls = Counter("onefold_calls", "Calls by outcome.", ["status"], registry=registry)
        self._rejected = Counter("onefold_rejected_calls", "Rejected calls by code.", ["code"], registry=registry)
        self._demoted = Counter(
            "onefold_demotions", "Identifiers not linked, by reason.", ["reason"], registry=registry
        )
        self._ignored = Counter(
            "onefold_ignored_traits", "Traits, decisions and memberships left out for lack of room in the profile.",
            registry=registry,
        )  # fmt: skip
        self._ignored_times = Counter(
            "onefold_ignored_timestamps", "Calls with a timestamp that is no time.", registry=registry
        )
        self._mended = Counter(
            "onefold_mended_values", "Values that no JSON can hold, such as NaN, that were mended.", registry=registry
        )
        self._invalid_signals = Counter(
            "onefold_invalid_signals", "Signals of consent, or parts of them, that could not be read, by source.",
            ["source"], registry=registry,
        )  # fmt: skip
        self._refused = Counter(
            "onefold_refused_requests", "Collection requests that were refused whole, by code.", ["code"],
            registry=registry,
        )  # fmt: skip
        self._ignored_gpc = Counter(
            "onefold_ignored_gpc", "Requests with a server-side key whose Sec-GPC header was ignored.",
            registry=registry,
        )  # fmt: skip
        self._merges = Counter("onefold_merges", "Profiles merged into another profile.", registry=registry)
        self._sizes = Histogram(
            "onefold_request_calls", "Calls per collection request.", buckets=_CALLS, registry=registry
        )
        self._seconds = Histogram(
            "onefold_request_seconds",
            "Time from the first byte read to the last byte handed over, by route.",
            ["method", "route", "status"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._attention = {
            name: Gauge(f"onefold_{name}", text, registry=registry, multiprocess_mode="livemostrecent")
            for name, text in (
                ("destinations_overdue", "Destinations that have not acknowledged a change for seven days."),
                (
                    "destinations_lag_seconds",
                    "Age of the oldest change that a destination still has to acknowledge.",
                ),
                ("jobs_open", "Jobs that wait or run."),
                ("jobs_oldest_seconds", "Age of the oldest job that waits or runs."),
                ("destinations_dead", "Destinations whose callback failed too often and is no longer called."),
                (
                    "erasures_overdue",
                    "Erasures that a destination has not acknowledged in time; counts each destination.",
                ),
            )
        }
        self._foreign_keys = Counter(
            "onefold_foreign_keys", "Requests with an API key whose row is not as Onefold stored it.",
            registry=registry,
        )  # fmt: skip
        self._open_requests = Gauge(
            "onefold_requests",
            "Open privacy requests of all spaces, by kind and by how close the legal deadline is.",
            ["kind", "clock"],
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self._accepted = self._calls.labels("accepted")
        self._durations: dict[tuple[str, str, int], Histogram] = {}

    def count_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Count the outcomes of the calls of one request."""
        self._sizes.observe(len(outcomes))
        accepted = 0
        for outcome in outcomes:
            if outcome.status == "accepted":
                accepted += 1
            else:
                self._calls.labels(outcome.status).inc()
                if outcome.status == "rejected":
                    self._rejected.labels(outcome.reason).inc()
            if outcome.merged:
                self._merges.inc(len(outcome.merged))
            self._count_losses(outcome)
        if accepted:
            self._accepted.inc(accepted)

    def _count_losses(self, outcome: Outcome) -> None:
        """Count what is lost of one call."""
        if outcome.ignored_traits:
            self._ignored.inc(len(outcome.ignored_traits))
        if outcome.ignored_timestamp is not None:
            self._ignored_times.inc()
        if outcome.mended_values:
            self._mended.inc(outcome.mended_values)
        for signal in outcome.invalid_signals or ():
            self._invalid_signals.labels(signal.partition(":")[0]).inc()
        for demoted in outcome.demoted:
            self._demoted.labels(demoted["reason"].partition(":")[0]).inc()

    def count_refusal(self, code: str) -> None:
        """Count a collection request that was refused whole, by its error code."""
        self._refused.labels(code).inc()

    def count_ignored_gpc(self) -> None:
        """Count a request of a server whose Sec-GPC header, which is a browser's, was ignored."""
        self._ignored_gpc.inc()

    def count_foreign_key(self) -> None:
        """Count a request with an API key whose row is not one that Onefold stored."""
        self._foreign_keys.inc()

    def observe_answer(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer and how long it took."""
        known = self._durations.get((method, route, status))
        if known is None:
            known = self._seconds.labels(method, route, str(status))
            self._durations[method, route, status] = known
        known.observe(seconds)

    def set_open_requests(self, counted: Mapping[tuple[str, str], int]) -> None:
        """Set how many privacy requests are open, by kind and deadline."""
        for labels, count in counted.items():
            self._open_requests.labels(*labels).set(count)

    def set_attention(self, **numbers: float) -> None:
        """Set gauges of the whole deployment that somebody has to look at, by name."""
        for name, number in numbers.items():
            self._attention[name].set(number)

    def text(self) -> bytes:
        """Return the metrics of all workers in Prometheus' text format."""
        if self._folder is None:
            return generate_latest(self._registry)
        _forget_dead(self._folder)
        shared = CollectorRegistry()
        MultiProcessCollector(shared, str(self._folder))  # type: ignore[no-untyped-call]
        return generate_latest(shared)


def _forget_dead(folder: Path) -> None:
    """Delete the gauges of workers that are gone; several workers may do so at once."""
    pids = {path.stem.rpartition("_")[2] for path in folder.glob("gauge_live*.db")}
    for pid in pids:
        try:
            os.kill(int(pid), 0)
        except (ProcessLookupError, PermissionError):
            # A process of another account that has the number by now is no worker.
            with suppress(FileNotFoundError):
                mark_process_dead(int(pid), str(folder))  # type: ignore[no-untyped-call]
