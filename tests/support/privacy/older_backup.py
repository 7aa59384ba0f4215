"""A restore of the database from an older backup, with the task that repairs the ledgers afterwards."""

import psycopg

from identity.operations.backup.repair_from_journal import publish_or_repair
from tests.support.processes.writer_processes import Ingest, Lab

TABLES = (
    "identifier", "profile_identifier", "profile_document", "profile", "evidence", "event", "history", "sighting",
    "subject_key", "slot_key", "space_gate", "suppression", "forgotten", "ledger", "ledger_head", "change", "lane_head",
    "blocked_key", "erasure", "erasure_notice", "privacy_request", "hold", "held_key", "message",
    "account", "membership",
)  # fmt: skip
# The bytes of a copy without rows: its head and its end.
_EMPTY = 21


class Backup:
    """The rows of the tables as of now, to be put back: a restore from an older backup."""

    def __init__(self, lab: Lab, *more: str) -> None:
        self.lab = lab
        self._kept: dict[str, bytes] = {}
        with psycopg.connect(self.lab.url) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            for table in (*TABLES, *more):
                copied = f"COPY (SELECT * FROM {table}) TO STDOUT (FORMAT binary)".encode()
                with connection.cursor().copy(copied) as rows:
                    self._kept[table] = b"".join(map(bytes, rows))

    def restore(self) -> None:
        """The database is as it was."""
        with psycopg.connect(self.lab.url) as connection:
            for table in self._kept:
                connection.execute(f"DELETE FROM {table}".encode())
            for table, kept in self._kept.items():
                if len(kept) > _EMPTY:
                    # Rows are not copied into a table with row security.
                    connection.execute(f"CREATE TEMPORARY TABLE kept_{table} (LIKE {table}) ON COMMIT DROP".encode())
                    with connection.cursor().copy(f"COPY kept_{table} FROM STDIN (FORMAT binary)".encode()) as rows:
                        rows.write(kept)
                    connection.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}".encode())


async def publish_ledgers(ingest: Ingest) -> None:
    """Runs the periodic task that publishes or repairs the ledgers."""
    await publish_or_repair(ingest.spaces, {})
