"""What is measured of this process: counts and durations, labelled with constants only.

No label comes from a request: routes are templates, reasons are codes. An identifier type may
name a person's employer or illness, so the type in `limit:<type>` is cut off.
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
# The time a series was first seen says nothing here and triples what is scraped.
disable_created_metrics()  # type: ignore[no-untyped-call]

_CALLS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)


class Meters:
    """The meters of one process, in a registry of their own."""

    def __init__(self, waiting: Callable[[], float]) -> None:
        self._registry = registry = CollectorRegistry()
        self._calls = Counter("onefold_calls", "Calls by outcome.", ["status"], registry=registry)
        self._rejected = Counter("onefold_rejected_calls", "Rejected calls by code.", ["code"], registry=registry)
        self._demoted = Counter(
            "onefold_demotions", "Identifiers not linked, by reason.", ["reason"], registry=registry
        )
        self._ignored = Counter(
            "onefold_ignored_traits", "Traits, decisions and memberships without room in a full document.",
            registry=registry,
        )  # fmt: skip
        self._refused = Counter(
            "onefold_refused_requests", "Requests to collect that were refused whole, by code.", ["code"],
            registry=registry,
        )  # fmt: skip
        self._ignored_gpc = Counter(
            "onefold_ignored_gpc", "Requests with a server-side key whose Sec-GPC header was ignored.",
            registry=registry,
        )  # fmt: skip
        self._merges = Counter("onefold_merges", "Profiles merged into another.", registry=registry)
        self._sizes = Histogram("onefold_request_calls", "Calls per request.", buckets=_CALLS, registry=registry)
        self._seconds = Histogram(
            "onefold_request_seconds",
            "From the first byte read to the last one handed over.",
            ["method", "route", "status"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._standing = {
            name: Gauge(f"onefold_{name}", text, registry=registry)
            for name, text in (
                ("destinations_overdue", "Destinations that have not acknowledged a change for seven days."),
                ("destinations_dead", "Destinations whose callback is not called any more."),
                ("erasures_overdue", "Erasures that a destination has not acknowledged in time, by destination."),
            )
        }
        Gauge("onefold_queue_calls", "Calls that wait for a writer.", registry=registry).set_function(waiting)
        self._clocks = Gauge(
            "onefold_requests",
            "Privacy requests of all spaces that are not answered yet, by kind and by the clock the law set.",
            ["kind", "clock"],
            registry=registry,
        )
        self._accepted = self._calls.labels("accepted")
        self._durations: dict[tuple[str, str, int], Histogram] = {}

    def outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """What became of the calls of one request."""
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

    def refused(self, code: str) -> None:
        """A request to collect was refused, with a code of ours."""
        self._refused.labels(code).inc()

    def ignored_gpc(self) -> None:
        """A request with a server-side key bore the header of a browser."""
        self._ignored_gpc.inc()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered."""
        known = self._durations.get((method, route, status))
        if known is None:
            known = self._seconds.labels(method, route, str(status))
            self._durations[method, route, status] = known
        known.observe(seconds)

    def clocks(self, counted: Mapping[tuple[str, str], int]) -> None:
        """How many privacy requests wait, by kind and clock."""
        for labels, count in counted.items():
            self._clocks.labels(*labels).set(count)

    def standing(self, *, overdue: int, dead: int, erasures: int) -> None:
        """What of the whole deployment has to be looked at by somebody."""
        self._standing["destinations_overdue"].set(overdue)
        self._standing["destinations_dead"].set(dead)
        self._standing["erasures_overdue"].set(erasures)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)
