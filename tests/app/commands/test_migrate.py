"""The address that `onefold migrate --login` prints is that of the same database, for the login role alone."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from app.commands.migrate import address_for
from identity.store.postgres.login_role import LoginRole


@pytest.mark.parametrize(
    "owner",
    [
        "postgresql://owner:secret@db.example:6432/onefold?sslmode=verify-full",
        "postgresql://owner@db.example:6432/onefold?password=secret&sslmode=verify-full",
        "postgresql://db.example:6432/onefold?user=owner&password=secret&sslmode=verify-full",
    ],
)
def test_the_address_has_the_new_role_and_nothing_of_the_owner(owner: str) -> None:
    """Whatever part of the address names the owner; a password with any characters is readable."""
    password = "a/b@c:d%e?f#g &"
    address = address_for(owner, LoginRole("onefold_server", password))
    assert "secret" not in address
    assert conninfo_to_dict(address) == {
        "user": "onefold_server",
        "password": password,
        "host": "db.example",
        "port": "6432",
        "dbname": "onefold",
        "sslmode": "verify-full",
    }


def test_a_password_that_was_given_is_not_printed() -> None:
    """A placeholder stands in its place."""
    address = address_for("postgresql://owner:secret@db.example/onefold", LoginRole("onefold_server", None))
    assert address == "postgresql://onefold_server:<password>@db.example/onefold"
