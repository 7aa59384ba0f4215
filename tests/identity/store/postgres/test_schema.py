"""The schema: migrations and tables agree, and the service's role may only do its work."""

import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from identity.store.postgres import schema
from identity.values.database_roles import APP_ROLE
from tests.conftest import ROOT


@pytest.fixture
def service(database: str) -> Iterator[psycopg.Connection]:
    """A connection under the role of the service."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"SET ROLE {APP_ROLE}")
        yield connection


def test_migrations_make_the_declared_tables(database: str) -> None:
    """Alembic finds nothing to do."""
    schema.check(database)


def test_migrating_again_changes_nothing(database: str) -> None:
    """A second migration is no error, and none is needed after it."""
    schema.migrate(database)
    assert not schema.needs_migration(database)


def test_the_newest_revision_is_the_one_that_alembic_finds() -> None:
    """The names of the files are in the order of the revisions."""
    from alembic.script import ScriptDirectory

    assert schema.newest() == ScriptDirectory(str(schema._MIGRATIONS)).get_current_head()


def test_a_database_of_an_older_version_needs_a_migration(database: str) -> None:
    """As does one without any table."""
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    assert schema.needs_migration(database)
    with psycopg.connect(database) as connection:
        connection.execute("DROP TABLE alembic_version")
    assert schema.needs_migration(database)


def test_a_server_on_a_current_database_loads_no_migration_tools(database: str) -> None:
    """They would double the time that a start takes."""
    program = (
        "import sys; from identity.store.postgres.schema import migrate; import app.main; migrate(sys.argv[1]); "
        "print(sorted({'alembic', 'sqlalchemy', 'sqlmodel'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, database], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET entry = ''",
        "DELETE FROM ledger",
        "UPDATE evidence SET kind = 0",
        "UPDATE event SET calls = 0",
        "UPDATE history SET kind = 0",
        "UPDATE key_store SET store_id = ''",
        "CREATE TABLE own (id int)",
        "ALTER TABLE profile ADD COLUMN own int",
        "DROP TABLE profile",
        "TRUNCATE profile",
        "UPDATE alembic_version SET version_num = ''",
        "SET SESSION AUTHORIZATION postgres",
    ],
)
def test_the_service_may_not(url: str, statement: str) -> None:
    """What is append-only stays so, and the schema belongs to its owner."""
    with psycopg.connect(url) as connection:
        connection.execute(f"SET ROLE {APP_ROLE}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


_PARTITIONS = b"SELECT count(*) FROM pg_inherits WHERE inhparent = 'event'::regclass"


def test_the_service_makes_partitions(service: psycopg.Connection) -> None:
    """Days to come get their partitions through the one function that may make them."""
    before = service.execute(_PARTITIONS).fetchone()
    made = service.execute("SELECT onefold_event_partitions(20)").fetchone()
    again = service.execute("SELECT onefold_event_partitions(20)").fetchone()
    after = service.execute(_PARTITIONS).fetchone()
    assert before is not None
    assert made is not None
    # Not a fixed number: the template may have been made before midnight, and this runs after it.
    assert made[0] >= 13
    assert (again, after) == ((0,), (before[0] + made[0],))


def test_old_events_are_dropped(database: str, service: psycopg.Connection) -> None:
    """A partition goes when its day is older than what is kept, and no other."""
    with psycopg.connect(database, autocommit=True) as owner:
        for days in (3, 4, 5, 30):
            owner.execute(
                f"""
                DO $$ DECLARE day date := (now() AT TIME ZONE 'UTC')::date - {days}; low bigint; BEGIN
                    low := (day - date '1970-01-01')::bigint * 86400000000 * 256;
                    EXECUTE format('CREATE TABLE %I PARTITION OF event FOR VALUES FROM (%s) TO (%s)',
                                   'event_' || to_char(day, 'YYYYMMDD'), low, low + 86400000000::bigint * 256);
                END $$
                """.encode()
            )
        # Yesterday's stays; the template has one more, if it was made before midnight.
        old = b"""SELECT count(*) FROM pg_inherits WHERE inhparent = 'event'::regclass
            AND inhrelid::regclass::text < 'event_' || to_char((now() AT TIME ZONE 'UTC')::date - 1, 'YYYYMMDD')"""
        before = owner.execute(old).fetchone()
        dropped = service.execute("SELECT onefold_drop_events(4)").fetchone()
        again = service.execute("SELECT onefold_drop_events(0)").fetchone()
        assert before is not None
        assert (dropped, again, owner.execute(old).fetchone()) == ((2,), (before[0] - 2,), (0,))
