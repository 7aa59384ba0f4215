"""The schema: migrations and tables agree, and the service's role may only do its work."""

from collections.abc import Iterator

import psycopg
import pytest

from identity.store import schema


@pytest.fixture
def service(database: str) -> Iterator[psycopg.Connection]:
    """A connection under the role of the service."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"SET ROLE {schema.APP_ROLE}")
        yield connection


def test_migrations_make_the_declared_tables(database: str) -> None:
    """Alembic finds nothing to do."""
    schema.check(database)


def test_migrating_again_changes_nothing(database: str) -> None:
    """A second migration is no error, and none is needed after it."""
    schema.migrate(database)
    assert not schema.needs_migration(database)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = ''",
        "DELETE FROM audit",
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
def test_the_service_may_not(service: psycopg.Connection, statement: str) -> None:
    """What is append-only stays so, and the schema belongs to its owner."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        service.execute(statement.encode())


def test_the_service_makes_partitions(service: psycopg.Connection) -> None:
    """Days to come get their partitions through the one function that may make them."""
    made = service.execute("SELECT onefold_event_partitions(20)").fetchone()
    again = service.execute("SELECT onefold_event_partitions(20)").fetchone()
    assert (made, again) == ((13,), (0,))
