"""The audit of spaces in a test: their discrepancies."""

from identity.operations.integrity.verify_space import verify, verify_space
from identity.store.spaces import spaces_and_keys
from tests.support.processes.writer_processes import Ingest, Lab


async def discrepancies(ingest: Ingest) -> list[tuple[str, list[str]]]:
    """The discrepancies that an audit of the space reports."""
    database = ingest.space.database
    async with database.reading() as connection:
        space = await spaces_and_keys.find_space(connection, ingest.space.tenant.id)
    report = await verify_space(database, space, lambda _what, _rows: None)
    return [(finding.kind, finding.examples) for finding in report.findings]


async def audited(lab: Lab) -> list[tuple[str, list[str]]]:
    """The discrepancies that `onefold verify` reports with the keys of the deployment, in all spaces."""
    reports = [each async for each in verify(lab.url, (), lambda _w, _r: None, lab.key_store, lab.keyring())]
    return [(finding.kind, finding.examples) for report in reports for finding in report.findings]


async def ignore_progress(_done: int, _total: int) -> None:
    """Drops the progress of a rebuild."""
