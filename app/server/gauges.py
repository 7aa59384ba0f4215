"""The gauges of this process: processor, memory, files, event loop, pool, queue, writers and their leases.

Several workers write their numbers to files of one folder, and each worker shows those of all that live. Sums are shown
as one number; what only makes sense for one process has a label `pid` then.
"""

import asyncio
import resource
import sys
import time
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from identity.operations.ingest.queue import IngestQueue
from identity.store.postgres.database import Database

_PAUSE: Final = 0.05
_STATM: Final = Path("/proc/self/statm")
_FILES: Final = Path("/proc/self/fd")
# On macOS the greatest size is given in bytes, elsewhere in kilobytes.
_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024


class ProcessGauges:
    """What is measured of this process, in a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._cpu = self._own("process_cpu_seconds", "Processor time that the process has used.")
        self._memory = self._own("process_resident_bytes", "Memory of the process.")
        self._files = self._own("process_open_files", "Open files and connections of the process.")
        self._started = self._own("process_start_time_seconds", "When the process started, in seconds since 1970.")
        self._started.set(time.time())
        self._loop = self._greatest("event_loop_lag_seconds", "How late the event loop wakes a task.")
        self._pool = self._sum("pool_connections", "Connections of the pool for reads.", "state")
        self._pool_waiting = self._sum("pool_waiting", "Requests that wait for a connection of the pool.")
        self._queue = self._sum("queue_calls", "Calls in the queue that wait for a writer.")
        self._oldest = self._greatest("queue_oldest_seconds", "How long the oldest request in the queue has waited.")
        self._writers = self._sum("queue_writers", "Writers of the queue that run.")
        self._leases = self._own("writer_lease_seconds", "How long the leases of the writers last; 0 without a lease.")

    def measure(self, queue: IngestQueue, database: Database) -> None:
        """Take all numbers but the lag of the event loop."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        self._cpu.set(used.ru_utime + used.ru_stime)
        if _STATM.exists():
            self._memory.set(int(_STATM.read_text().split()[1]) * resource.getpagesize())
            self._files.set(sum(1 for _ in _FILES.iterdir()))
        else:
            self._memory.set(used.ru_maxrss * _RSS_UNIT)
        pool = database.pool_size()
        self._pool.labels("used").set(pool.size - pool.idle)
        self._pool.labels("idle").set(pool.idle)
        self._pool_waiting.set(pool.waiting)
        self._queue.set(queue.waiting)
        self._oldest.set(queue.oldest_seconds)
        self._writers.set(queue.running)
        self._leases.set(queue.lease_seconds)

    async def measure_loop(self) -> None:
        """Take the lag of the event loop."""
        begun = time.monotonic()
        await asyncio.sleep(_PAUSE)
        self._loop.set(max(0.0, time.monotonic() - begun - _PAUSE))

    def _own(self, name: str, text: str) -> Gauge:
        return Gauge(f"onefold_{name}", text, registry=self._registry, multiprocess_mode="liveall")

    def _sum(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"onefold_{name}", text, labels, registry=self._registry, multiprocess_mode="livesum")

    def _greatest(self, name: str, text: str) -> Gauge:
        return Gauge(f"onefold_{name}", text, registry=self._registry, multiprocess_mode="livemax")
