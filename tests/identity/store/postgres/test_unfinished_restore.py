"""A database is marked from the restored rows on until the end of the restore."""

import psycopg
import pytest

from identity.store.postgres import unfinished_restore
from identity.values.errors import Misconfigured


@pytest.mark.parametrize("keys_placed", [True, False])
def test_nothing_opens_a_database_until_its_restore_ends(database: str, *, keys_placed: bool) -> None:
    """The mark remembers where the key store came from, also where a restore is tried again."""
    unfinished_restore.require_finished(database)
    assert not unfinished_restore.placed_keys(database)
    for _ in range(2):
        with psycopg.connect(database) as connection:
            connection.execute(unfinished_restore.mark_sql(keys_placed=keys_placed).encode())
        with pytest.raises(Misconfigured, match="onefold restore"):
            unfinished_restore.require_finished(database)
        assert unfinished_restore.placed_keys(database) is keys_placed
    unfinished_restore.end(database)

    assert not unfinished_restore.is_unfinished(database)
    unfinished_restore.require_finished(database)
