"""The metrics of this process: counts and durations, labelled with constants only.

No label comes from a request: routes are templates, reasons are codes. An identifier type may
name a person's employer or illness, so a reason `limit:<type>` is counted as `limit`.
"""

from collections.abc import Callable, Mapping, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from identity.values.calls import Outcome

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# The creation time of each series is of no use here and triples the size of a scrape.
disable_created_metrics()  # type: ignore[no-untyped-call]

_CALLS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self, waiting: Callable[[], float]) -> None:
        self._registry = registry = CollectorRegistry()
        self._calls = Counter("onefold_calls", "Calls by outcome.", ["status"], registry=registry)
        self._rejected = Counter("onefold_rejected_calls", "Rejected calls by code.", ["code"], registry=registry)
        self._demoted = Counter(
            "onefold_demotions", "Identifiers not linked, by reason.", ["reason"], registry=registry
        )
        self._ignored = Counter(
            "onefold_ignored_traits", "Traits, decisions and memberships left out for lack of room in the profile.",
            registry=registry,
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
            name: Gauge(f"onefold_{name}", text, registry=registry)
            for name, text in (
                ("destinations_overdue", "Destinations that have not acknowledged a change for seven days."),
                ("destinations_dead", "Destinations whose callback failed too often and is no longer called."),
                (
                    "erasures_overdue",
                    "Erasures that a destination has not acknowledged in time; counts each destination.",
                ),
            )
        }
        Gauge("onefold_queue_calls", "Calls in the queue that wait for a writer.", registry=registry).set_function(
            waiting
        )
        self._open_requests = Gauge(
            "onefold_requests",
            "Open privacy requests of all spaces, by kind and by how close the legal deadline is.",
            ["kind", "clock"],
            registry=registry,
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
            if outcome.ignored_traits:
                self._ignored.inc(len(outcome.ignored_traits))
            for demoted in outcome.demoted:
                self._demoted.labels(demoted["reason"].partition(":")[0]).inc()
        if accepted:
            self._accepted.inc(accepted)

    def count_refusal(self, code: str) -> None:
        """Count a collection request that was refused whole, by its error code."""
        self._refused.labels(code).inc()

    def count_ignored_gpc(self) -> None:
        """Count a request of a server whose Sec-GPC header, which is a browser's, was ignored."""
        self._ignored_gpc.inc()

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

    def set_attention(self, *, overdue: int, dead: int, erasures: int) -> None:
        """Set the gauges of the whole deployment that somebody has to look at."""
        self._attention["destinations_overdue"].set(overdue)
        self._attention["destinations_dead"].set(dead)
        self._attention["erasures_overdue"].set(erasures)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)
