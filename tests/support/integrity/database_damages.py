"""Damages to a database, and the discrepancies that an audit reports."""

from typing import Any

import psycopg

from identity.operations.integrity.verify_space import Report, verify
from tests.support.processes.writer_processes import Lab, run


async def audit(lab: Lab, *space_ids: str) -> list[Report]:
    """The reports on these spaces."""
    return [report async for report in verify(lab.url, space_ids, lambda _what, _rows: None)]


def kinds(lab: Lab) -> set[str]:
    """The discrepancies of all spaces."""
    return {finding.kind for report in run(audit(lab)) for finding in report.findings}


def damaged(lab: Lab, damage: str, keys: dict[str, bytes]) -> set[str]:
    """The discrepancies after a damage. The damage is undone, and a second audit must find none."""
    words = damage.split()
    if words[0] == "WITH":
        tables = ["identifier", "profile_identifier"]
    else:
        tables = [words[1] if words[0] == "UPDATE" else words[2]]
    given: dict[str, Any] | None = keys if "%(" in damage else None
    with psycopg.connect(lab.url, autocommit=True) as connection:
        for table in tables:
            connection.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}".encode())
        try:
            touched = connection.execute(damage.encode(), given).rowcount
            assert touched > 0
            found = kinds(lab)
        finally:
            for table in tables:
                connection.execute(f"DELETE FROM {table}".encode())
                connection.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}".encode())
                connection.execute(f"DROP TABLE kept_{table}".encode())
    assert kinds(lab) == set()
    return found
