"""Commits that break before, on or after their way to Postgres."""

from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest

from identity.operations.ingest import commit as committing
from identity.store.postgres import pipeline
from identity.store.postgres.pipeline import PipelineConnection
from tests.support.processes.writer_processes import Lab

Broken = Callable[[Lab, PipelineConnection], Awaitable[None]]


async def killed_before(lab: Lab, connection: PipelineConnection) -> None:
    """The server ends the connection before the commit reaches it."""
    lab.query("SELECT pg_terminate_backend(%s)", connection.info.backend_pid)
    await connection.execute("COMMIT")


async def lost_after(_lab: Lab, connection: PipelineConnection) -> None:
    """The connection is lost once the commit is done."""
    await connection.execute("COMMIT")
    await connection.close()
    raise psycopg.OperationalError("the connection was lost")


async def lost_in_flight(_lab: Lab, connection: PipelineConnection) -> None:
    """The connection is lost while the commit is on its way."""
    connection.pgconn.send_query(b"COMMIT")
    connection.pgconn.flush()
    connection.pgconn.finish()
    raise psycopg.OperationalError("the connection was lost")


def break_commits(
    monkeypatch: pytest.MonkeyPatch, lab: Lab, how: list[Broken], between: Callable[[], Awaitable[Any]] | None = None
) -> None:
    """The next commits break in this order; `between` runs once one has."""
    left = list(how)

    async def commit(connection: PipelineConnection) -> None:
        if not left:
            await pipeline.commit(connection)
            return
        try:
            await left.pop(0)(lab, connection)
        finally:
            if between is not None:
                await between()

    monkeypatch.setattr(committing, "commit", commit)


BREAKS = [
    [killed_before],
    [lost_after],
    [lost_in_flight],
    [killed_before, lost_after],
    [lost_after, killed_before],
    [lost_in_flight, lost_in_flight],
]
