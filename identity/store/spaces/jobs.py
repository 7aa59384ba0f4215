"""Long work on a space as rows: what is asked for, how far it is, what came of it.

Whoever runs a job holds it until a moment that it moves on; one whose holder is gone is taken over.
"""

from collections.abc import Sequence
from typing import NamedTuple

from identity.store.postgres.arrays import Uuid
from identity.store.postgres.database import Connection, row, rows
from identity.store.postgres.tenant import Tenant

"""Kinds."""


class JobRow(NamedTuple):
    """A job; `payload` is sealed in its `version`, `error` a code."""

    id: bytes
    space_id: int
    kind: int
    state: int
    done: int
    total: int
    version: int
    error: str | None
    payload: bytes


async def add(connection: Connection, tenant: Tenant, id_: bytes, kind: int, payload: bytes) -> None:
    """A new job, queued; its payload is in version 0."""
    await connection.execute(
        """
        INSERT INTO job (job_id, space_id, bucket, kind, payload)
        VALUES ($1, $2::int4, $3::int4, $4::int2, $5)
        """,
        [Uuid(id_), tenant.id, tenant.base, kind, payload],
    )


async def get(connection: Connection, tenant: Tenant, id_: bytes) -> JobRow | None:
    """A job of this space."""
    found = await row(
        connection,
        """
        SELECT job_id, space_id, kind, state, done, total, version, error, payload FROM job
        WHERE job_id = $1 AND space_id = $2::int4 AND bucket = $3::int4
        """,
        Uuid(id_),
        tenant.id,
        tenant.base,
    )
    return None if found is None else JobRow(*found)


async def take(connection: Connection, now: int, until: int, kinds: Sequence[int]) -> JobRow | None:
    """The oldest job of these kinds that nobody holds, of any space; it is held from now on."""
    found = await rows(
        connection,
        """
        UPDATE job j SET state = 1, until = $2::int8 FROM (
            SELECT job_id, space_id, bucket FROM job WHERE state < 2 AND until < $1::int8 AND kind = ANY ($3::int4[])
            ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
        ) k
        WHERE j.job_id = k.job_id AND j.space_id = k.space_id AND j.bucket = k.bucket
        RETURNING j.job_id, j.space_id, j.kind, j.state, j.done, j.total, j.version, j.error, j.payload
        """,
        now,
        until,
        list(kinds),
    )
    return JobRow(*found[0]) if found else None


async def progress(connection: Connection, job: JobRow, done: int, total: int, until: int) -> None:
    """How far a job is; it stays held."""
    await connection.execute(
        """
        UPDATE job SET done = $3::int8, total = $4::int8, until = $5::int8
        WHERE job_id = $1 AND space_id = $2::int4
        """,
        [Uuid(job.id), job.space_id, done, total, until],
    )


async def finish(
    connection: Connection, job: JobRow, state: int, error: str | None, version: int, payload: bytes
) -> None:
    """Ends a job, with what came of it or with the code of what went wrong."""
    await connection.execute(
        """
        UPDATE job SET state = $3::int2, error = $4::text, version = $5::int4, payload = $6
        WHERE job_id = $1 AND space_id = $2::int4
        """,
        [Uuid(job.id), job.space_id, state, error, version, payload],
    )


async def sweep(connection: Connection, days: int) -> None:
    """Deletes jobs that ended, after so many days."""
    await connection.execute(
        "DELETE FROM job WHERE state >= 2 AND created_at < now() - make_interval(days => $1::int4)", [days]
    )
