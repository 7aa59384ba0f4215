"""Background jobs as rows: parameters, progress and result.

The process that runs a job leases its row and renews the lease; once the lease ends, another process takes the job.
"""

from collections.abc import Sequence
from typing import LiteralString, NamedTuple

from identity.store.postgres.arrays import Uuid, int4s
from identity.store.postgres.database import Connection, row
from identity.store.postgres.lease import LeasedRows
from identity.store.postgres.predicates import job_open
from identity.store.postgres.tenant import Tenant
from identity.values.enums import JobState
from identity.values.ids import JobId, SpaceNumber
from identity.values.stamps import Micros

_COLUMNS: LiteralString = "job_id, space_id, kind, state, done, total, version, error, payload, until"
_JOBS = LeasedRows("job", (("job_id", "uuid"), ("space_id", "int4")), end="until", fence=("until", "int8"))


class JobRow(NamedTuple):
    """A job; `payload` is sealed in its `version`, `error` a code, `until` the end of its lease."""

    id: JobId
    space_id: SpaceNumber
    kind: int
    state: int
    done: int
    total: int
    version: int
    error: str | None
    payload: bytes
    until: Micros


class OpenJobs(NamedTuple):
    """How many jobs wait or run, and the age of the oldest in seconds."""

    open: int
    oldest_seconds: float


async def count_open(connection: Connection) -> OpenJobs:
    """Count the jobs of all spaces that wait or run."""
    found = await row(
        connection,
        f"""
        SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM job WHERE {job_open()}
        """,  # noqa: S608 (a condition)
    )
    return OpenJobs(0, 0.0) if found is None else OpenJobs(int(found[0]), float(found[1]))


async def add(connection: Connection, tenant: Tenant, id_: JobId, kind: int, payload: bytes) -> None:
    """Add a job to the queue; its payload has version 0."""
    await connection.execute(
        """
        INSERT INTO job (job_id, space_id, bucket, kind, payload)
        VALUES ($1, $2::int4, $3::int4, $4::int2, $5)
        """,
        [Uuid(id_), tenant.id, tenant.base, kind, payload],
    )


async def waits(connection: Connection, tenant: Tenant, kind: int) -> bool:
    """Whether a job of a kind of this space waits; to the end of the transaction no other process asks the same."""
    await connection.execute("SELECT pg_advisory_xact_lock(7303, $1::int4)", [tenant.id])
    found = await row(
        connection,
        """
        SELECT count(*) FROM job
        WHERE space_id = $1::int4 AND bucket = $2::int4 AND kind = $3::int2 AND state = $4::int2
        """,
        tenant.id,
        tenant.base,
        kind,
        JobState.QUEUED.value,
    )
    return found is not None and found[0] > 0


async def get(connection: Connection, tenant: Tenant, id_: JobId) -> JobRow | None:
    """A job of this space."""
    found = await row(
        connection,
        f"""
        SELECT {_COLUMNS} FROM job
        WHERE job_id = $1 AND space_id = $2::int4 AND bucket = $3::int4
        """,  # noqa: S608 (names of columns)
        Uuid(id_),
        tenant.id,
        tenant.base,
    )
    return None if found is None else JobRow(*found)


async def take(
    connection: Connection,
    now: Micros,
    until: Micros,
    kinds: Sequence[int],
    *,
    first: Sequence[int] = (),
    served: Sequence[SpaceNumber] = (),
) -> JobRow | None:
    """Lease a free job of these kinds, of any space, until a moment.

    Kinds in `first` go before all others. Then the spaces take turns: `served` has those that had theirs, the last one
    at its end. Of one space the oldest job is next.
    """
    found = await _JOBS.take_next(
        connection,
        now,
        until,
        int4s(kinds),
        JobState.RUNNING.value,
        int4s(first),
        int4s(served),
        returning=", ".join(f"t.{name.strip()}" for name in _COLUMNS.split(",")),
        order="kind <> ALL ($5::int4[]), coalesce(array_position($6::int4[], space_id), 0), created_at",
        where=f"{job_open()} AND kind = ANY ($3::int4[])",
        changes=", state = $4::int2",
    )
    return None if found is None else JobRow(*found)


async def progress(
    connection: Connection, job: JobRow, done: int, total: int, leased_until: Micros, until: Micros
) -> bool:
    """Store the progress of a job and move the end of its lease to `until`; False where the lease is lost."""
    changes: LiteralString = "done = $4::int8, total = $5::int8, until = $6::int8"
    return await _JOBS.write(connection, (Uuid(job.id), job.space_id), leased_until, changes, done, total, until)


async def finish(
    connection: Connection, job: JobRow, leased_until: Micros, *, state: int, error: str | None, payload: bytes
) -> bool:
    """End a job with its result or the code of its error, sealed in the next version; False where the lease is lost."""
    changes: LiteralString = "state = $4::int2, error = $5::text, version = $6::int4, payload = $7"
    key = (Uuid(job.id), job.space_id)
    return await _JOBS.write(connection, key, leased_until, changes, state, error, job.version + 1, payload)


async def sweep(connection: Connection, days: int) -> None:
    """Delete jobs that ended, after so many days."""
    await connection.execute(
        f"DELETE FROM job WHERE NOT {job_open()} AND created_at < now() - make_interval(days => $1::int4)",  # noqa: S608
        [days],
    )
