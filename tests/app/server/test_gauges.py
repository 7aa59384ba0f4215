"""The gauges of a process: what it uses, and what waits."""

from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry

from app.server.gauges import ProcessGauges
from identity.store.postgres.database import PoolSize


def test_every_gauge_has_the_number_of_its_source() -> None:
    """Of the process, the pool, the queue and its writers."""
    registry = CollectorRegistry()
    gauges = ProcessGauges(registry)
    queue: Any = SimpleNamespace(waiting=7, oldest_seconds=1.5, running=2, lease_seconds=20.0)
    database: Any = SimpleNamespace(pool_size=lambda: PoolSize(size=8, idle=3, waiting=1))
    gauges.measure(queue, database)

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"onefold_{name}", labels)

    assert (value("queue_calls"), value("queue_oldest_seconds"), value("queue_writers")) == (7, 1.5, 2)
    assert (value("pool_connections", state="used"), value("pool_connections", state="idle")) == (5, 3)
    assert (value("pool_waiting"), value("writer_lease_seconds")) == (1, 20)
    used = [value(name) for name in ("process_cpu_seconds", "process_resident_bytes", "process_start_time_seconds")]
    assert all(each is not None and each > 0 for each in used)


async def test_an_idle_event_loop_has_no_lag() -> None:
    """Lag is never negative."""
    registry = CollectorRegistry()
    await ProcessGauges(registry).measure_loop()
    lag = registry.get_sample_value("onefold_event_loop_lag_seconds")

    assert lag is not None
    assert lag >= 0
