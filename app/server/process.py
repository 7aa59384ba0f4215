"""The running process: opens spaces, keys, the queue of calls and the periodic tasks, and closes them again.

Parts close in the reverse order, so that an accepted call is committed before the connections close.
"""

import asyncio
import gc

import app.server.garbage  # noqa: F401 (sets how often garbage is collected)
from app.schemas.exports.export_items import export_item
from app.schemas.feed import feed_message
from app.schemas.opendsr import dsr_callback
from app.server import logs
from app.server.database_transport import require_protected
from app.server.long_polls import LongPolls
from app.server.metrics import Metrics
from app.server.rate_limits import RateLimits
from app.server.readiness import Readiness
from app.server.schedule import Schedule, Task
from app.settings import Settings, metrics_folder
from identity.operations.backup.repair_from_journal import publish_or_repair
from identity.operations.corrections.rebuild_profiles import rebuild_space
from identity.operations.corrections.simulate_rules import simulate_rules
from identity.operations.destinations import acknowledge_changes, consent_expiry
from identity.operations.destinations.count_audience import count_audience
from identity.operations.destinations.feed_export import export_steps
from identity.operations.destinations.feed_waker import FeedWaker
from identity.operations.destinations.monitor_destinations import find_overdue
from identity.operations.destinations.push_changes import Pushing
from identity.operations.destinations.read_changes import page_after
from identity.operations.ingest.dry_run import DryRuns
from identity.operations.ingest.queue import IngestQueue
from identity.operations.integrity.find_lost_spaces import find_lost_spaces
from identity.operations.integrity.find_missing_suppressions import find_missing_suppressions
from identity.operations.integrity.find_rolled_back import find_rolled_back
from identity.operations.integrity.find_unvouched_deletions import find_unvouched_deletions
from identity.operations.keys import rotate_index_key
from identity.operations.keys.roll_epoch_keys import roll_due
from identity.operations.privacy.access_exports.access_export_sections import read_sections
from identity.operations.privacy.access_exports.build_export import build_export
from identity.operations.privacy.access_exports.request_export import destroy_expired_exports
from identity.operations.privacy.deadline_monitor import monitor_deadlines
from identity.operations.privacy.resume_requests import close_settled_erasures, resume_requests
from identity.operations.privacy.send_status_callbacks import send_status_callbacks
from identity.operations.spaces import open_spaces
from identity.operations.spaces.apply_retention import sweep_old
from identity.operations.spaces.manage_spaces import KeyCheck
from identity.operations.spaces.purge_spaces import purge_deleted
from identity.operations.spaces.run_jobs import PRIVACY, Jobs, count_open_jobs
from identity.operations.warehouse.export_destination import run_export_job
from identity.spaces.space import Spaces
from identity.store.postgres.leadership import Leadership
from identity.values.enums import JobKind
from identity.values.errors import Misconfigured
from identity.vault.threads import in_key_store
from identity.webhooks.callback_urls import PORTS
from identity.webhooks.client import Client, tls_context

WRITERS = 2
_PURGE_PAUSE = 0.05
_NO_DATABASE = (
    "ONEFOLD_DATABASE_URL is not set; set it, or start with `onefold serve`, which runs the embedded database."
)

_NO_AUTHORITY = "ONEFOLD_CALLBACK_CA must name a readable file of certificates in PEM."
_log = logs.get(__name__)


class Onefold:
    """The running parts of one process; `spaces`, `keys` and `ingest_queue` are there once it has started."""

    spaces: Spaces
    keys: KeyCheck
    ingest_queue: IngestQueue
    readiness: Readiness
    dry_runs: DryRuns
    feed_waker: FeedWaker
    jobs: Jobs
    callbacks: Client
    pushing: Pushing

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics(metrics_folder())
        self.limits = RateLimits(settings)
        self.long_polls = LongPolls()
        self._known: dict[int, int] = {}
        self._failing: dict[int, str] = {}

    async def start(self) -> None:
        """Open database and keys, and start to take calls. Misconfigured where that is not safe."""
        settings = self.settings
        if settings.database_url is None:
            raise Misconfigured(_NO_DATABASE)
        require_protected(settings)
        self.callbacks = _callback_client(settings)
        self.spaces = await open_spaces.open_spaces(
            settings.database_url,
            root_file=settings.root_key_file,
            root_value=settings.root_value,
            key_store=settings.key_folder,
        )
        self.keys = KeyCheck(self.spaces, on_foreign_key=self.metrics.count_foreign_key)
        self.ingest_queue = IngestQueue(self.spaces.database, writers=WRITERS, bound=settings.queue_calls)
        self.ingest_queue.start()
        self.readiness = Readiness(self.spaces, self.ingest_queue)
        self.dry_runs = DryRuns(self.spaces.database)
        self.feed_waker = FeedWaker(self.spaces.database)
        self.jobs = Jobs(
            self.spaces,
            {
                JobKind.REBUILD: lambda space, wanted, progress: rebuild_space(space, wanted["actor"], progress),
                JobKind.SIMULATE: lambda space, wanted, progress: simulate_rules(space, wanted["document"], progress),
                JobKind.EXPORT: lambda space, wanted, progress: build_export(
                    space, wanted, progress, read_sections, export_item
                ),
                JobKind.ROTATE: lambda space, _wanted, progress: rotate_index_key.rotate(
                    self.spaces, space, progress, settings.message_retention_days
                ),
                JobKind.WAREHOUSE: lambda space, wanted, progress: run_export_job(
                    space, wanted, settings.export_dir, export_steps, count_audience, progress
                ),
            },
        )
        self.pushing = Pushing(self.spaces, self.callbacks, page_after, feed_message)
        self._leadership = Leadership(self.spaces.database)
        self._schedule = Schedule(self._tasks(), self._leadership.leads)
        self._schedule.start()
        # Objects loaded by now stay; garbage collection need not visit them again.
        gc.freeze()

    async def close(self) -> None:
        """Commit every accepted call, then close the database."""
        await self._schedule.close()
        await self._leadership.close()
        await self.feed_waker.close()
        await self.pushing.aclose()
        await self.callbacks.aclose()
        await self.ingest_queue.close()
        await self.dry_runs.close()
        self.spaces.keyring.close()
        await self.spaces.database.close()

    async def check(self) -> None:
        """Return if calls can be served. Unavailable, with what the operator has to do."""
        await self.readiness.require()

    def _tasks(self) -> list[Task]:
        return [
            Task("event_partitions", 3_600, self._rotate_event_partitions),
            Task("gauges", 2, self._measure, everywhere=True),
            Task("purge", 60, self._purge_deleted_spaces),
            Task("retention", 3_600, self._apply_retention),
            Task("jobs", 1, self.jobs.run_for_ever, everywhere=True),
            Task("privacy_jobs", 1, self._run_privacy_jobs, everywhere=True),
            Task("privacy_requests", 30, self._finish_privacy_requests),
            Task("deadlines", 300, self._count_open_requests, everywhere=True),
            Task("destroyed_keys", 60, self._forget_destroyed_keys, everywhere=True),
            Task("epoch_keys", 60, self._roll_epoch_keys),
            Task("journals", 5, self._restore_from_journals, everywhere=True),
            Task("rolled_back", 5, self._find_rolled_back, everywhere=True),
            Task("missing_suppressions", 60, self._find_missing_suppressions, everywhere=True),
            Task("unvouched_deletions", 60, self._find_unvouched_deletions, everywhere=True),
            Task("lost_spaces", 60, self._find_lost_spaces, everywhere=True),
            Task("consent_expiry", 2, self._announce_expired_consent),
            Task("push", 1, self.pushing.turn),
            Task("status_callbacks", 2, self._send_status_callbacks),
            Task("overdue_destinations", 30, self._find_overdue_destinations, everywhere=True),
        ]

    async def _run_privacy_jobs(self) -> None:
        await self.jobs.run_for_ever(PRIVACY)

    async def _measure(self) -> None:
        await self.metrics.gauges.measure_loop()
        self.metrics.gauges.measure(self.ingest_queue, self.spaces.database)

    def metrics_text(self) -> bytes:
        """The metrics of all workers; those of this one are of this moment."""
        self.metrics.gauges.measure(self.ingest_queue, self.spaces.database)
        return self.metrics.text()

    async def _rotate_event_partitions(self) -> None:
        await self.spaces.database.make_partitions()
        await self.spaces.database.drop_events(self.settings.event_retention_days)

    async def _apply_retention(self) -> None:
        await close_settled_erasures(self.spaces)
        await destroy_expired_exports(self.spaces)
        await acknowledge_changes.forget_messages(self.spaces)
        await consent_expiry.forget_entries(self.spaces, self.settings.feed_retention_days)
        await rotate_index_key.destroy_unused_everywhere(self.spaces, self.settings.message_retention_days)
        await sweep_old(
            self.spaces.database,
            message_days=self.settings.message_retention_days,
            rejection_days=self.settings.event_retention_days,
        )

    async def _finish_privacy_requests(self) -> None:
        await resume_requests(self.spaces)

    async def _announce_expired_consent(self) -> None:
        while await consent_expiry.announce_expired(self.spaces) >= consent_expiry.PAGE:
            pass

    async def _count_open_requests(self) -> None:
        self.metrics.set_open_requests(await monitor_deadlines(self.spaces))

    async def _send_status_callbacks(self) -> None:
        base = self.settings.public_url
        await send_status_callbacks(self.spaces, self.callbacks, lambda status, url: dsr_callback(status, base, url))

    async def _find_overdue_destinations(self) -> None:
        found = await find_overdue(self.spaces)
        jobs = await count_open_jobs(self.spaces)
        self.metrics.set_attention(
            destinations_overdue=found.overdue,
            destinations_dead=found.dead,
            erasures_overdue=found.erasures,
            destinations_lag_seconds=found.lag_seconds,
            jobs_open=jobs.open,
            jobs_oldest_seconds=jobs.oldest_seconds,
        )

    async def _restore_from_journals(self) -> None:
        await publish_or_repair(self.spaces, self._known, self._failing)

    async def _find_rolled_back(self) -> None:
        self.readiness.rolled_back = await find_rolled_back(self.spaces, self.readiness.rolled_back)

    async def _find_missing_suppressions(self) -> None:
        known = self.readiness.missing_suppressions
        self.readiness.missing_suppressions = await find_missing_suppressions(self.spaces, known)

    async def _find_unvouched_deletions(self) -> None:
        known = self.readiness.unvouched_deletions
        self.readiness.unvouched_deletions = await find_unvouched_deletions(self.spaces, known)

    async def _find_lost_spaces(self) -> None:
        known = self.readiness.lost_spaces
        self.readiness.lost_spaces = await find_lost_spaces(self.spaces.database, self.spaces.keyring, known)

    async def _forget_destroyed_keys(self) -> None:
        await in_key_store(self.spaces.keyring.forget_destroyed)
        await self.spaces.refresh_versions()

    async def _roll_epoch_keys(self) -> None:
        await self._forget_destroyed_keys()
        await roll_due(self.spaces, backup_days=self.settings.key_backup_days)

    async def _purge_deleted_spaces(self) -> None:
        while await purge_deleted(self.spaces):  # noqa: ASYNC110 (a pause for other work, not a wait)
            await asyncio.sleep(_PURGE_PAUSE)


def _callback_client(settings: Settings) -> Client:
    """Create the client that calls callbacks. Misconfigured where its certificates cannot be read."""
    try:
        tls = tls_context(settings.callback_ca)
    except OSError:
        raise Misconfigured(_NO_AUTHORITY) from None
    return Client(allowed=settings.callback_networks, tls=tls, ports=PORTS.union(settings.callback_ports))
