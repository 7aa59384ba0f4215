"""A dump holds the rows of all spaces, although row security holds the owner to its policies too."""

from pathlib import Path

from psycopg import sql

from identity.store.backup import dump
from identity.store.backup.client_tools import find_tools
from identity.store.embedded.data_directory import locate
from identity.store.embedded.server import EmbeddedPostgres
from identity.store.postgres.database import Database
from identity.store.postgres.snapshot import exported_snapshot
from tests.conftest import fresh_database
from tests.support.database.rows_of_two_spaces import as_superuser, fill_two_spaces, show_owner_nothing

_PROTECTED = """
SELECT count(*) FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid WHERE c.relrowsecurity AND c.relforcerowsecurity
"""


async def test_a_dump_and_a_restore_by_the_owner_have_every_row(
    postgres: EmbeddedPostgres, template: str, database: str, tmp_path: Path
) -> None:
    """And the restored tables are under the same policies."""
    show_owner_nothing(database)
    with as_superuser(database) as superuser:
        filled = fill_two_spaces(superuser)
        protected = superuser.execute(_PROTECTED).fetchall()
    tools = find_tools(18, locate(postgres._root).programs / "bin")
    opened, folder = Database(database), tmp_path / "dump"
    await opened.open()
    try:
        async with exported_snapshot(opened.of_all_spaces) as (_, snapshot):
            dump.dump(database, tools, snapshot, folder, lambda _done: None)
    finally:
        await opened.close()

    with fresh_database(postgres, template) as other:
        show_owner_nothing(other)
        dump.restore(other, tools, folder, lambda _done: None)
        with as_superuser(other) as superuser:
            counts = {
                table: superuser.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
                for table in filled
            }
            assert counts == dict.fromkeys(filled, (2,))
            assert superuser.execute(_PROTECTED).fetchall() == protected
