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


class Backup:
    """The rows of the tables as of now, to be put back: a restore from an older backup."""

    def __init__(self, lab: Lab, *more: str) -> None:
        self.lab = lab
        self.tables = (*TABLES, *more)
        self._each("CREATE TABLE kept_{0} AS SELECT * FROM {0}")

    def restore(self) -> None:
        """The database is as it was."""
        self._each("DELETE FROM {0}")
        self._each("INSERT INTO {0} SELECT * FROM kept_{0}")

    def _each(self, statement: str) -> None:
        with psycopg.connect(self.lab.url) as connection:
            for table in self.tables:
                connection.execute(statement.format(table).encode())


async def publish_ledgers(ingest: Ingest) -> None:
    """Runs the periodic task that publishes or repairs the ledgers."""
    await publish_or_repair(ingest.spaces, {})
