"""The audit of one space in a test: its discrepancies."""

from identity.operations.integrity.verify_space import verify_space
from identity.store.spaces import spaces_and_keys
from tests.support.processes.writer_processes import Ingest


async def discrepancies(ingest: Ingest) -> list[tuple[str, list[str]]]:
    """The discrepancies that an audit of the space reports."""
    database = ingest.space.database
    async with database.reading() as connection:
        space = await spaces_and_keys.find_space(connection, ingest.space.tenant.id)
    report = await verify_space(database, space, lambda _what, _rows: None)
    return [(finding.kind, finding.examples) for finding in report.findings]


async def ignore_progress(_done: int, _total: int) -> None:
    """Drops the progress of a rebuild."""
