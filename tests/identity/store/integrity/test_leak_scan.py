"""A scan by an owner without more rights reads the rows of all spaces, and passes over nothing in silence."""

import psycopg
import pytest

from identity.store.integrity.leak_scan import HIDDEN_STATISTICS, RowBytes, UnreadableError, open_for_scan
from tests.support.database.rows_of_two_spaces import ONE, OTHER, fill_two_spaces, show_owner_nothing


def read(found: RowBytes) -> bytes:
    """All that a part holds."""
    return b"".join(found.pieces)


@pytest.fixture
def scanned(database: str) -> str:
    """A database with a row of two spaces in each table, and one table under a policy of somebody else."""
    with psycopg.connect(database, autocommit=True) as owner:
        fill_two_spaces(owner)
        owner.execute("CREATE TABLE foreign_rows (value text)")
        owner.execute("INSERT INTO foreign_rows VALUES ('hidden')")
        owner.execute("ALTER TABLE foreign_rows ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        owner.execute("CREATE POLICY none ON foreign_rows USING (false)")
    show_owner_nothing(database)
    return database


def test_every_row_is_read_and_every_hidden_part_is_named(scanned: str) -> None:
    """The statistics of a table under a policy are among them: only a superuser sees these."""
    with open_for_scan(scanned, None) as database:
        parts = {each.name: each for each in (*database.tables(), *database.views())}
        for name in ("public.foreign_rows", HIDDEN_STATISTICS):
            with pytest.raises(UnreadableError, match="row security hides"):
                read(parts.pop(name))
        rows = read(parts["public.identifier"])
        assert [rows.count(space.to_bytes(4)) for space in (ONE, OTHER)] == [1, 1]
