"""The command line: errors are one line, secrets are no options."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from identity.store.embedded import postmaster
from identity.store.postgres.schema import needs_migration
from tests.support.processes.command_line import onefold


def test_a_bad_setting_is_one_line_on_stderr(tmp_path: Path) -> None:
    """The status is 1."""
    status, out, error = onefold("serve", "--data-dir", str(tmp_path), ONEFOLD_PORT="planted")

    assert (status, out) == (1, "")
    assert error == "onefold: ONEFOLD_PORT must be a whole number from 0 to 65535.\n"


def test_an_unwritable_data_directory_is_named() -> None:
    """In the one line of the error."""
    status, _, error = onefold("migrate", "--data-dir", "/proc/onefold")

    assert (status, error) == (1, "onefold: The data directory /proc/onefold cannot be written to.\n")


@pytest.mark.parametrize(
    "command", [command.callback.__name__ for command in cli.registered_commands if command.callback]
)
def test_no_secret_is_an_option(command: str) -> None:
    """No command takes a token, a key or a database address where `ps` would show it."""
    output = CliRunner().invoke(cli, [command, "--help"], env={"COLUMNS": "200"}).output.lower()

    assert [word in output for word in ("--admin-token", "--token", "--root-key", "--database-url")] == [False] * 4


def test_help_has_a_short_name() -> None:
    """For every command but psql, whose own -h names a host."""
    for words in ([], ["verify"], ["keys"], ["keys", "roll"]):
        short, long = (CliRunner().invoke(cli, [*words, name]) for name in ("-h", "--help"))
        assert (short.exit_code, short.output) == (0, long.output)


def test_migrate_works_on_the_embedded_database(tmp_path: Path) -> None:
    """Where no server runs; it leaves none running."""
    status, out, _ = onefold("migrate", "--data-dir", str(tmp_path), PGHOST="nowhere", PGUSER="nobody", PGPORT="1")

    assert (status, out) == (0, "The database is up to date.\n")
    assert postmaster.find(tmp_path.resolve() / "postgres") is None


def test_migrate_works_on_the_database_that_is_set(database: str) -> None:
    """It may be repeated."""
    status, _, _ = onefold("migrate", ONEFOLD_DATABASE_URL=database)

    assert (status, needs_migration(database)) == (0, False)
