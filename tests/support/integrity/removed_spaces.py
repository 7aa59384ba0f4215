"""A space whose rows somebody deleted, all of them."""

from identity.store.spaces import purge
from identity.values.ids import SpaceNumber
from tests.support.processes.writer_processes import Lab


def remove_rows(lab: Lab, number: SpaceNumber) -> None:
    """Delete every row of a space, that of the space too."""
    for table in sorted(purge.TABLES | {"space_gate", "ledger", "ledger_head"}):
        lab.query(f"DELETE FROM {table} WHERE space_id = %s", number)
    lab.query("DELETE FROM space WHERE id = %s", number)
