"""A new table cannot be forgotten: an erasure and the purge of a space name every table that they have to empty."""

from identity.store.privacy import erase
from identity.store.spaces import purge

# Entries of the feed hold ids alone, and destinations still read them after an erasure.
KEPT_BY_AN_ERASURE = {"change"}
# The audit record of a deleted space stays, and the space lock was deleted with the space.
KEPT_BY_A_PURGE = {"ledger", "ledger_head", "space_gate"}


def tables_with(column: str) -> set[str]:
    """The declared tables with this column."""
    from sqlmodel import SQLModel

    from identity.store import tables as _declared  # noqa: F401 (declares the tables)

    return {name for name, table in SQLModel.metadata.tables.items() if column in table.columns}


def test_an_erasure_deletes_from_every_table_that_names_a_profile() -> None:
    """A table with a column `profile_id` is in `ERASED`, or is listed here with the reason why its rows stay."""
    tables = tables_with("profile_id")

    assert tables - set(erase.ERASED) == KEPT_BY_AN_ERASURE
    assert set(erase.ERASED) - tables == {"cut"}


def test_a_purge_deletes_from_every_table_of_a_space() -> None:
    """A table with a column `space_id` is emptied by profile or by space, or is listed here with the reason."""
    tables = tables_with("space_id")

    assert tables - set(purge.TABLES) == KEPT_BY_A_PURGE
